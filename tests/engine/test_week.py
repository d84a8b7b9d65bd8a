"""A week in the life of a firm: about 200 edits by people on both sides, runs in between, both systems in step.

What is compared is read from the two sandboxes by a checker of its own (weekcheck.py). The story (weekstory.py) says
which differences it meant to leave, and why; there may be no other.
"""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest_asyncio

from tests.engine.conftest import quick_folder
from tests.engine.kit import FakeClock
from tests.engine.weekcheck import by_reason
from tests.engine.weekkit import Office
from tests.engine.weekstory import DAYS, MONDAY, Week, opening, saturday, seen, take_over


@pytest_asyncio.fixture
async def week() -> AsyncIterator[Week]:
    with tempfile.TemporaryDirectory(dir=quick_folder()) as root:
        world = Office(Path(root) / "state", clock=FakeClock(MONDAY))
        yield opening(world)
        await world.close()


async def test_a_week_in_the_life_of_a_firm(week: Week) -> None:
    world = week.world
    await take_over(week)
    assert seen(week).differences() == []
    for number, day in enumerate(DAYS):
        world.clock.at = max(world.clock.at, MONDAY + timedelta(days=number))
        await day(week)
    await saturday(week)
    writes = world.writes()
    await week.people.run()
    assert world.writes() == writes, "the week has ended, and there is nothing more to write"
    assert len(week.people.edits) >= 200
    checker = seen(week)
    explained, strange, in_vain = by_reason(checker.differences(), week.intended)
    assert not strange, "\n".join(map(str, strange))
    assert in_vain == []
    assert checker.deletions() == []
    assert checker.lost(week.people.edits) == []
