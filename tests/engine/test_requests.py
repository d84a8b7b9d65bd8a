"""What a run with nothing changed asks and writes, counted: the same for a small firm and a large one."""

from __future__ import annotations

from collections import Counter
from email.utils import format_datetime
from typing import Any

import httpx
import pytest

from core.model.values import Kind, Side
from core.ports import RunRecord
from tests.engine.conftest import Make
from tests.engine.kit import TEMPLATE_CODE, FakeClock, World, crm_contact, crm_firm, crm_project, quiesce

WARM, NEVER_READ = 8, 36  # see docs/performance.md for what they consist of


class Counting(httpx.AsyncBaseTransport):
    """Counts the requests to one side, and dates the replies as a web server does."""

    def __init__(self, side: Side, inner: httpx.AsyncBaseTransport, sent: Counter[Side], clock: FakeClock) -> None:
        self._side, self._inner, self._sent, self._clock = side, inner, sent, clock

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._sent[self._side] += 1
        response = await self._inner.handle_async_request(request)
        response.headers["Date"] = format_datetime(self._clock.now(), usegmt=True)
        return response


async def in_step(make: Make, firms: int, **options: Any) -> tuple[World, Counter[Side]]:
    """A world of so many firms with a contact and a project each, all in step and older than any overlap."""
    sent: Counter[Side] = Counter()
    clock = FakeClock()
    world = make(clock=clock, wrap=lambda side, transport: Counting(side, transport, sent, clock), **options)
    person = {"FirstName": "Fay", "LastName": "Nguyen", "Status": "Active", "Email": "fay@staff.example"}
    world.ajera.insert("employees", person)
    row = {"Employee": "E1", "FirstName": "Fay", "LastName": "Nguyen", "Status": "A", "EMail": "fay@staff.example"}
    world.crm.insert("employee", {**row, "Org": "NE:AR"})
    for n in range(firms):
        world.clock.forward(minutes=1)  # a page of many rows of one moment would be asked for once more
        firm = crm_firm(world.crm, f"Firm {n}", AjeraSync="Y")
        crm_contact(world.crm, f"Ana{n}", f"Moreau{n}", firm, AjeraSync="Y")
        crm_project(world.crm, f"2026-{n:03}", f"Wing {n}", firm, AjeraSync="Y", ProjectTemplate=TEMPLATE_CODE)
    await quiesce(world)
    world.clock.forward(minutes=5)  # what we wrote ourselves is many rows of one moment too: something newer than it
    world.crm.edit("project", min(world.crm.tables["project"]), {"Memo": "seen"})
    for _ in range(3):
        world.clock.forward(minutes=5)
        await scheduled(world)
    return world, sent


async def scheduled(world: World) -> RunRecord:
    """A run as the schedule starts it: one by hand reads code tables again while something is refused."""
    return await world.run(trigger="schedule")


@pytest.mark.parametrize("firms", [1, 40])
async def test_a_run_with_nothing_changed_asks_the_same_few_lists(make: Make, firms: int) -> None:
    world, sent = await in_step(make, firms)
    sent.clear()
    run = await scheduled(world)
    assert run.outcome == "ok"
    assert dict(sent) == {Side.AJERA: 4, Side.CRM: 4}
    assert sum(run.requests.values()) == WARM


async def test_it_writes_nothing_but_its_own_record(make: Make) -> None:
    world, _ = await in_step(make, 3)
    await scheduled(world)
    store = world.service.store
    tables = [f"records:{kind}:{side}" for kind in Kind for side in Side] + [f"bases:{kind}" for kind in Kind]
    tables += ["links", "marks", "decisions", "items", "cursors", "intents", "failures", "plans", "history"]
    before, writes = store.revision(tables), world.writes()
    await scheduled(world)
    assert store.revision(tables) == before
    assert world.writes() == writes


async def test_what_was_found_quiet_does_not_hide_an_edit(make: Make) -> None:
    world, _ = await in_step(make, 3)
    key = next(iter(world.crm.tables["firm"]))
    world.crm_edit("firm", key, WebSite="https://new.example")
    run = await scheduled(world)
    assert run.counts["update"] == 1
    assert world.ajera_named("clients", Website="https://new.example")
    ajera = world.link(Kind.FIRM, key)
    world.ajera_edit("clients", ajera, Website="https://newer.example")
    await scheduled(world)
    assert world.crm.tables["firm"][key]["WebSite"] == "https://newer.example"


async def test_what_was_found_quiet_does_not_hide_a_tick_or_another_policy(make: Make) -> None:
    world, _ = await in_step(make, 2)
    other = crm_firm(world.crm, "Unticked Co.")
    await scheduled(world)
    await scheduled(world)
    world.service.mark(Kind.FIRM, [other], True)
    run = await scheduled(world)
    assert run.counts["create"] == 1
    assert world.ajera_named("clients", Description="Unticked Co.")


async def test_the_next_program_finds_it_quiet_too(make: Make) -> None:
    world, sent = await in_step(make, 3)
    await scheduled(world)
    planned = world.service.plan()
    await world.restart()
    sent.clear()
    run = await scheduled(world)
    assert run.outcome == "ok"
    assert run.digest == (planned.digest if planned else "")
    assert sum(sent.values()) == NEVER_READ  # this program has no shelf: it read metadata and code tables again
    assert not world.service.store._memory.loaded(f"records:{Kind.FIRM}:{Side.CRM}")  # type: ignore[attr-defined]


async def test_an_hour_later_the_lists_are_proved_again(make: Make) -> None:
    world, sent = await in_step(make, 2, ajera_quirks={"session_minutes": 600})
    world.clock.forward(minutes=61)
    sent.clear()
    await scheduled(world)
    assert sent[Side.AJERA] > 4
    sent.clear()
    await scheduled(world)
    assert sum(sent.values()) == WARM
