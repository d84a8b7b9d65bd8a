"""Planning what moved is planning everything.

A plan that looks at what moved, at what waits and at their neighbours must be the one that goes over everything. Random
programs come to rest; then people act, and runs follow: each time both plans are made and compared.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.model.link import LinkState
from core.model.plan import Candidate, Item, Plan
from core.model.record import Entry, names_of
from core.model.values import Ref, Side
from core.reconcile.linked import WAKE
from core.reconcile.planner import plan
from core.reconcile.situation import RecordId
from tests.property.simulator import Simulator
from tests.property.test_programs import POLICIES, STEPS, run
from tests.reconcile_kit import AJERA, CONTACT, CRM, EMPLOYEE, FIRM, ONE_WAY, PROJECT, TWO_WAY, World, crm_connection

WIDE = int(os.environ.get("AJERASYNC_PROGRAMS", "200"))


def row_of_any(sim: Simulator, n: int) -> None:
    """A contact comes onto, changes or leaves a project's list, on either side."""
    side, n = (CRM, CRM, AJERA)[n % 3], n // 3
    contacts, projects = sorted(sim.world.records[CONTACT, side]), sorted(sim.world.records[PROJECT, side])
    if contacts and projects:
        key, n = contacts[n % len(contacts)], n // len(contacts)
        project = sim.world.record(PROJECT, side, projects[n % len(projects)])
        rest = [entry for entry in project.contacts or () if entry.key != key]
        new = [] if n // 3 % 4 == 3 else [Entry(key, marked=side is CRM and bool(n // 3 % 4))]
        sim.world.change(PROJECT, side, project.key, contacts=(*rest, *new))


def client(sim: Simulator, n: int) -> None:
    firms, projects = sorted(sim.world.records[FIRM, CRM]), sorted(sim.world.records[PROJECT, CRM])
    if firms and projects:
        sim.world.edit(PROJECT, CRM, projects[n % len(projects)], client=Ref(FIRM, CRM, firms[n // 8 % len(firms)]))


def mark(sim: Simulator, n: int) -> None:
    """A tick made here, on a record or on a project's row."""
    kind = (FIRM, CONTACT, PROJECT)[n % 3]
    keys, projects = sorted(sim.world.records[kind, CRM]), sorted(sim.world.records[PROJECT, CRM])
    project = projects[n // 6 % len(projects)] if projects and kind is CONTACT and n // 3 % 2 else None
    if keys:
        sim.world.mark(kind, keys[n // 24 % len(keys)], bool(n // 192 % 2), project=project, local=True)


ACTS = (*(step for step in STEPS if step is not run), row_of_any, row_of_any, client, mark, mark)
ALL = (*ACTS, run, run)


def start(n: int) -> Simulator:
    """Four firms a side with a project and two contacts each; the first three of all are linked."""
    world = World(policy=POLICIES[n % len(POLICIES)], mode=ONE_WAY if n // 8 % 4 == 3 else TWO_WAY)
    world.rest["crm"] = crm_connection(takes_project_contacts=bool(n % 2))
    for side, first in ((AJERA, "a"), (CRM, "c")):
        on = True if side is CRM else None
        world.employee(side, f"{first}e1", "Ann", "Lee", email="ann@x.example", title="")
        for place in range(1, 5):
            world.firm(side, f"{first}{place}", f"Firm {place}", ticked=on and place != 2, phone="555", website="")
            world.change(FIRM, side, f"{first}{place}", contacts=())
            world.project(
                side, f"{first}p{place}", f"10{place}", f"Bridge {place}", client=f"{first}{place}", contacts=(),
                manager=Ref(EMPLOYEE, side, f"{first}e1"), marked=on and bool(n // 32 % 2 or place != 1),
            )  # fmt: skip
        for place in range(1, 9):
            world.contact(
                side, f"{first}k{place}", "Pat", f"Name {place}", firm=f"{first}{1 + place % 4}", title="T",
                ticked=on and place != 5, email=f"p{place}@x.example",
            )  # fmt: skip
    for kind, mark_ in ((FIRM, ""), (CONTACT, "k"), (PROJECT, "p"), (EMPLOYEE, "e")):
        for place in (1, 2, 3)[: 1 if kind is EMPLOYEE else 3]:
            world.link(kind, f"a{mark_}{place}", f"c{mark_}{place}")
    return Simulator(world)


def waiting(made: Plan) -> Iterable[RecordId]:
    """What a plan leaves in the queues, as the engine names it (core/engine/look.py)."""
    items: tuple[Item | Candidate, ...] = (*made.conflicts, *made.differences, *made.drift, *made.candidates)
    for item in items:
        yield from ((item.kind, side, key) for side in Side if (key := getattr(item, f"{side}_key")))
    yield from ((each.kind, each.side, each.key) for each in made.refused)


def moved(before: World, now: World) -> Iterable[RecordId]:
    """What people did in between: records, ticks, answers, links."""
    for (kind, side), records in now.records.items():
        old = before.records[kind, side]
        yield from ((kind, side, key) for key in records.keys() | old.keys() if records.get(key) != old.get(key))
    held = {tick.id: tick for tick in before.marks}
    for tick in {each.id: each for each in now.marks}.values():
        if held.get(tick.id) != tick:
            yield (tick.kind, tick.side, tick.key)
            if tick.project:
                yield (PROJECT, CRM, tick.project)
    yield from now.rest.get("gone", ())
    for decision in now.decisions:
        yield (decision.kind, decision.side, decision.key)


def looked_at_again(before: World, now: World) -> Iterable[RecordId]:
    """What the engine notes for the next plan while it applies one (core/engine/landing.py): pairs that a run made or
    woke, what it wrote to a project that is closed in Ajera, and a project that names another client by now."""
    for link in now.links:
        if link not in before.links and (link.state is LinkState.ACTIVE or link.reason == WAKE):
            yield from ((link.kind, side, link.key(side)) for side in Side)
    for key, record in now.records[PROJECT, AJERA].items():
        if record.fields.get("status") == "Closed":
            yield (PROJECT, AJERA, key)
    for key, record in now.records[PROJECT, CRM].items():
        old = before.records[PROJECT, CRM].get(key)
        if old is not None and names_of(old) != names_of(record):
            yield (PROJECT, CRM, key)


def same(sim: Simulator, touched: Iterable[RecordId]) -> Plan:
    s = sim.world.situation()
    whole, part = plan(s), plan(replace(s, touched=frozenset(touched)))
    assert part.actions == whole.actions
    for name in ("conflicts", "differences", "drift", "candidates", "guards"):
        assert getattr(part, name) == getattr(whole, name), name
    assert sorted(map(repr, part.refused)) == sorted(map(repr, whole.refused))
    return whole


def holds(numbers: Sequence[int]) -> None:
    half = len(numbers) // 2
    sim = start(numbers[0])
    for number in numbers[1:half]:
        ALL[number % len(ALL)](sim, number // len(ALL))
    sim.ledger.had_seen = lambda *_: True  # type: ignore[method-assign] # who saw what is test_programs' concern
    for _ in range(3):
        sim.run()
    left = waiting(sim.world.plan())
    before = deepcopy(sim.world)
    for number in numbers[half:]:
        ACTS[number % len(ACTS)](sim, number // len(ACTS))
    made = same(sim, {*moved(before, sim.world), *left})
    for _ in range(3):
        before = deepcopy(sim.world)
        sim.run()
        decided = {(each.kind, each.side, each.key) for each in sim.world.decisions}
        made = same(
            sim, {*looked_at_again(before, sim.world), *waiting(made), *decided, *sim.world.rest.get("gone", ())}
        )


PROGRAMS = st.lists(st.integers(0, 1 << 16), min_size=3, max_size=24)


@settings(max_examples=100, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(PROGRAMS)
def test_planning_what_moved_is_planning_everything(numbers: list[int]) -> None:
    holds(numbers)


@pytest.mark.timeout(1800)
def test_the_same_for_many_programs() -> None:
    """Wide: AJERASYNC_PROGRAMS says how many; a failing one is told by its numbers."""
    rng = random.Random(20262)
    for _ in range(WIDE):
        numbers = [rng.randrange(1 << 16) for _ in range(rng.randint(3, 16))]
        try:
            holds(numbers)
        except AssertionError as error:
            raise AssertionError(f"holds({numbers})") from error
