"""Records asked for one by one at about the same time, read in one Get.

Writes go out one record at a time, and each is read before and read back after. While one Get is on its way, or waits for
its place within the rate, others come to wait for the next: all of them go with it. Nobody waits longer than for the Get
that is under way, and none is answered by one that left before it was asked for.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice

from core.model.record import Record
from core.model.values import Kind

Fetch = Callable[[Kind, Sequence[int]], Awaitable[list[Record]]]


@dataclass
class _Asked:
    """One key somebody waits for; `over` once a Get answered or failed."""

    over: bool = False
    found: list[Record] = field(default_factory=list)
    error: BaseException | None = None


class Gathering:
    """`fetch` reads some keys of a kind in one Get; `most` is how many it takes."""

    def __init__(self, fetch: Fetch, most: Callable[[Kind], int]) -> None:
        self._fetch, self._most = fetch, most
        self._waiting: dict[Kind, dict[int, _Asked]] = defaultdict(dict)
        self._turns: dict[Kind, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def one(self, kind: Kind, key: int) -> list[Record]:
        """The record in a list, empty where it is not there. Raises what the Get raised."""
        asked = self._waiting[kind].setdefault(key, _Asked())
        async with self._turns[kind]:
            while not asked.over:
                await self._next(kind)
        if asked.error is not None:
            raise asked.error
        return asked.found

    async def _next(self, kind: Kind) -> None:
        await asyncio.sleep(0)  # whoever asks in this very moment comes along
        waiting = self._waiting[kind]
        batch = dict(islice(waiting.items(), self._most(kind)))
        for key in batch:
            del waiting[key]
        try:
            found = {record.key: record for record in await self._fetch(kind, list(batch))}
        except asyncio.CancelledError:  # whoever led was cancelled; the others are still waited for
            self._waiting[kind] = batch | waiting
            raise
        except Exception as error:
            for each in batch.values():
                each.over, each.error = True, error
            return
        for key, each in batch.items():
            each.over, each.found = True, [found[str(key)]] if str(key) in found else []
