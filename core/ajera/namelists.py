"""Whole lists that new records are looked for in, seconds old and never older than what was made here since."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from core.ajera.wire import Raw
from core.http import Clock
from core.model.values import Kind

AGE: Final = 20.0  # seconds that a list is good enough where a filter would do too
UNFILTERED_AGE: Final = 60.0  # the same where no filter finds the record
FEW: Final = 4  # so many in so short a time are asked for by name


@dataclass
class _Held:
    rows: list[Raw] = field(default_factory=list)
    at: float | None = None
    made: list[Raw] = field(default_factory=list)  # while a list was on its way
    distrusted: int = 0


class NameLists:
    """`fetch` asks for the whole list of a kind."""

    def __init__(self, fetch: Callable[[Kind], Awaitable[list[Raw]]], clock: Clock) -> None:
        self._fetch, self._clock = fetch, clock
        self._held: dict[Kind, _Held] = defaultdict(_Held)
        self._turns: dict[Kind, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._asked: dict[Kind, deque[float]] = defaultdict(lambda: deque(maxlen=FEW))

    def are_many(self, kind: Kind) -> bool:
        """Note that a new record is looked for. Whether so many were just now that one whole list is cheaper."""
        now, asked = self._clock.monotonic(), self._asked[kind]
        many = len(asked) == FEW and now - asked[0] < AGE
        asked.append(now)
        return many

    async def rows(self, kind: Kind, age: float) -> list[Raw]:
        """The list as it was at most `age` seconds ago, with what was made here since."""
        async with self._turns[kind]:
            held = self._held[kind]
            now = self._clock.monotonic()
            if held.at is not None and now - held.at < age:
                return held.rows
            held.made, before = [], held.distrusted
            rows = await self._fetch(kind)
            held.rows, held.at = [*rows, *held.made], now if held.distrusted == before else None
            return held.rows

    def made(self, kind: Kind, row: Raw) -> None:
        """A record that was just made; a list that is on its way may have left before it."""
        self._held[kind].rows.append(row)
        self._held[kind].made.append(row)

    def distrust(self, kind: Kind) -> None:
        """Something may have been made, and nobody knows: the next one who looks asks again."""
        self._held[kind].distrusted += 1
        self._held[kind].at = None
