"""What a program may begin before it has imported what it needs. Light to import itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.store import soundness

if TYPE_CHECKING:
    from core.paths import Paths


def check_store(paths: Paths) -> None:
    """Let SQLite check the store, if there is one, while settings are read and the engine is imported."""
    soundness.begin(paths.store)
