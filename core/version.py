"""The program's version, in one place that costs nothing to import."""

from __future__ import annotations

from typing import Final

VERSION: Final = "0.1.0"
