"""Reads that go together, and the lists that new records are looked for in."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from core.ajera.gathering import Gathering
from core.ajera.namelists import FEW, NameLists
from core.ajera.wire import Raw
from core.errors import Unreachable
from core.model.record import Record
from core.model.values import Kind, Side
from tests.engine.kit import FakeClock


class Server:
    """Answers a Get when it is let to; key 9 is not there, key 13 breaks the call."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.open = asyncio.Event()

    async def get(self, kind: Kind, keys: Sequence[int]) -> list[Record]:
        self.calls.append(list(keys))
        await self.open.wait()
        if 13 in keys:
            raise Unreachable(Side.AJERA, "away")
        return [Record(kind, Side.AJERA, str(key), f"Firm {key}") for key in keys if key != 9]


async def test_reads_that_wait_for_a_get_go_together_in_the_next() -> None:
    server = Server()
    gathering = Gathering(server.get, lambda _kind: 3)
    tasks = [asyncio.create_task(gathering.one(Kind.FIRM, key)) for key in (1, 2, 3, 9, 2)]
    await asyncio.sleep(0)
    server.open.set()
    found = await asyncio.gather(*tasks)
    assert server.calls == [[1, 2, 3], [9]]
    assert [[record.key for record in records] for records in found] == [["1"], ["2"], ["3"], [], ["2"]]


async def test_a_read_is_never_answered_by_a_get_that_left_before_it() -> None:
    server = Server()
    gathering = Gathering(server.get, lambda _kind: 25)
    first = asyncio.create_task(gathering.one(Kind.FIRM, 1))
    for _ in range(3):
        await asyncio.sleep(0)
    again = asyncio.create_task(gathering.one(Kind.FIRM, 1))
    await asyncio.sleep(0)
    server.open.set()
    await asyncio.gather(first, again)
    assert server.calls == [[1], [1]]


async def test_all_of_a_get_that_failed_hear_of_it_and_others_do_not() -> None:
    server = Server()
    server.open.set()
    gathering = Gathering(server.get, lambda _kind: 2)
    found = await asyncio.gather(*(gathering.one(Kind.FIRM, key) for key in (12, 13, 14)), return_exceptions=True)
    assert [type(each) for each in found] == [Unreachable, Unreachable, list]


async def test_whoever_is_cancelled_takes_nobody_along() -> None:
    server = Server()
    gathering = Gathering(server.get, lambda _kind: 25)
    leader, other = (asyncio.create_task(gathering.one(Kind.FIRM, key)) for key in (1, 2))
    for _ in range(3):
        await asyncio.sleep(0)
    leader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leader
    server.open.set()
    assert [record.key for record in await other] == ["2"]


class Names:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.lists = NameLists(self.fetch, self.clock)
        self.asked = 0
        self.during: list[str] = []

    async def fetch(self, kind: Kind) -> list[Raw]:
        self.asked += 1
        for name in self.during:
            self.lists.distrust(kind) if name == "?" else self.lists.made(kind, {"Description": name})
        return [{"Description": "Old"}]

    async def names(self) -> list[object]:
        return [row["Description"] for row in await self.lists.rows(Kind.FIRM, 20)]


async def test_a_list_holds_what_was_made_since_and_while_it_was_on_its_way() -> None:
    names = Names()
    names.during = ["New"]
    assert await names.names() == ["Old", "New"]
    names.lists.made(Kind.FIRM, {"Description": "Newer"})
    assert await names.names() == ["Old", "New", "Newer"]
    assert names.asked == 1
    names.clock.forward(seconds=20)
    await names.names()
    assert names.asked == 2


@pytest.mark.parametrize("when", ["before", "during"])
async def test_a_list_is_not_trusted_after_a_lost_answer(when: str) -> None:
    names = Names()
    names.during = ["?"] if when == "during" else []
    await names.names()
    names.during = []
    if when == "before":
        names.lists.distrust(Kind.FIRM)
    await names.names()
    assert names.asked == 2


def test_a_few_are_asked_for_by_name_and_many_in_one_list() -> None:
    names = Names()
    assert [names.lists.are_many(Kind.FIRM) for _ in range(FEW + 1)] == [False] * FEW + [True]
    names.clock.forward(minutes=1)
    assert not names.lists.are_many(Kind.FIRM)
