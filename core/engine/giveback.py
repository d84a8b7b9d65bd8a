"""Memory that was needed for a moment goes back to the system, and what stays is not looked through again and again.

Python's collector goes over all objects now and then: with 50,000 records' rows that holds every thread for 50 to 150 ms
(measured), a key on the screen too. What is set apart (`set_apart`) it leaves out; a count of references frees it still,
and `give_back` looks through it after much was made.
"""

from __future__ import annotations

import gc
import sys
from contextlib import suppress
from typing import Final

MANY: Final = 50_000  # objects made since: a moment's pause is due


def set_apart() -> None:
    """The collector leaves out what there is now. Costs nothing."""
    gc.freeze()


def give_back() -> None:
    """After going over 50,000 records a third of the process may be free and still held: glibc keeps it in reserve.
    Measured: 245 MB before, 156 MB after. Other C libraries have no such call; there nothing happens."""
    if len(gc.get_objects()) > MANY:
        gc.unfreeze()
        gc.collect()
        gc.freeze()
    else:
        gc.collect()
    if sys.platform == "linux":
        import ctypes  # late: no start needs it

        with suppress(OSError, AttributeError):
            ctypes.CDLL("libc.so.6").malloc_trim(0)
