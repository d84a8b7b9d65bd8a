"""Where work goes that would hold the loop: commits, which wait for the disk, and what goes over many records.

Writing one record commits twice, and a disk takes 1 to 40 ms to keep a commit: on the loop no key is read and no reply
meanwhile. There is one such thread, so that what is put aside is done in the order it was asked for, and nothing of it
is interleaved with anything else of it, as on the loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Protocol, TypeVar

T = TypeVar("T")


class OffLoop(Protocol):
    """`await off_loop(work, *values)`: what `work(*values)` gives or raises."""

    async def __call__(self, work: Callable[..., T], /, *values: object) -> T: ...


async def at_once(work: Callable[..., T], /, *values: object) -> T:
    """On the loop, without letting anybody in between: for programs that have nothing else to do."""
    return work(*values)


class OneThread:
    """In a thread of its own, one after the other."""

    def __init__(self, name: str = "store") -> None:
        self._pool = ThreadPoolExecutor(1, name)

    async def __call__(self, work: Callable[..., T], /, *values: object) -> T:
        """Who is cancelled waits until the work is done, as on the loop: what was sent is kept, whoever stops the run."""
        job = asyncio.get_running_loop().run_in_executor(self._pool, work, *values)
        try:
            return await asyncio.shield(job)
        except asyncio.CancelledError:
            while not job.done():
                with suppress(asyncio.CancelledError):
                    await asyncio.wait([job])
            if not job.cancelled():
                job.exception()  # looked at: whoever is cancelled tells of nothing else
            raise
