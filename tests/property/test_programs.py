"""Random programs of edits, ticks, deletions and answers on both sides, with runs in between.

Wide and shallow: many short programs. After each, the runs must come to rest, the sides must agree or say why
not, and nothing that somebody typed may be gone without a trace (sync-rules 10, oracles 1).
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.model.link import Choice, Link, LinkState
from core.model.plan import Op, Plan
from core.model.record import Entry
from core.model.values import Kind, Ref, Side, Value
from core.policy import ConflictPolicy, Policy
from core.reconcile.carry import agree
from core.reconcile.merge import flows_to
from core.reconcile.ticks import ticks_in_effect
from tests.property.simulator import Simulator
from tests.reconcile_kit import AJERA, CONTACT, CRM, EMPLOYEE, FIRM, ONE_WAY, PROJECT, World

WIDE = int(os.environ.get("AJERASYNC_PROGRAMS", "2000"))
LIMIT = 12  # of a CRM title: a longer text is refused, one that ends in a blank is trimmed

POLICIES = (
    Policy(),
    Policy(first_link="owner", conflicts={"default": ConflictPolicy.AJERA}, auto_link_names=True),
    Policy(conflicts={"firm": ConflictPolicy.CRM, "contact.title": ConflictPolicy.NEWEST}, new_from_ajera="all"),
    Policy(drift={"project": "restore"}, closed_projects="follow", deleted={FIRM: "inactive", CONTACT: "inactive"}),
    Policy(firm_cap=1, project_cap=1, project_contacts=False),
)
FIELDS: Sequence[tuple[Kind, str]] = (
    (FIRM, "name"), (FIRM, "phone"), (FIRM, "website"), (FIRM, "status"), (CONTACT, "title"), (CONTACT, "last_name"),
    (PROJECT, "name"), (PROJECT, "status"), (PROJECT, "manager"), (EMPLOYEE, "title"),
)  # fmt: skip
STATUS = {AJERA: ("Active", "Inactive"), CRM: ("A", "I")}
PROJECT_STATUS = {AJERA: ("Active", "Hold", "Closed"), CRM: ("A", "D", "I")}
TEXTS = ("", "x1", "x2", "x3", " x1 ", "a text that is too long")


def start(policy: int, one_way: bool) -> Simulator:
    """Two firms a side (one pair linked), two contacts (one linked), a project with its manager, linked."""
    world = World(**({"mode": ONE_WAY} if one_way else {}), policy=POLICIES[policy])
    for side, first in ((AJERA, "a"), (CRM, "c")):
        on = True if side is CRM else None
        for place in (1, 2):
            world.firm(side, f"{first}{place}", f"Firm {place}", ticked=on, phone="555", website="")
            world.contact(
                side, f"{first}k{place}", "Pat", f"Name {place}", firm=f"{first}{place}", ticked=on, title="T",
                email=f"p{place}@x.example",
            )  # fmt: skip
        world.employee(side, f"{first}e1", "Ann", "Lee", email="ann@x.example", title="")
        world.project(
            side, f"{first}p1", "100", "Bridge", client=f"{first}1", ticked=on, manager=Ref(EMPLOYEE, side, f"{first}e1"),
            contacts=(),
        )  # fmt: skip
        for place in (1, 2):
            world.change(FIRM, side, f"{first}{place}", contacts=())
    world.change(PROJECT, AJERA, "ap1", marked=None)
    for kind, ajera, crm in (
        (FIRM, "a1", "c1"),
        (CONTACT, "ak1", "ck1"),
        (EMPLOYEE, "ae1", "ce1"),
        (PROJECT, "ap1", "cp1"),
    ):
        world.link(kind, ajera, crm)
    return Simulator(
        world, {CRM: lambda name, value: value.strip() if name == "title" and isinstance(value, str) else value}
    )


# -- the steps: each is told by one number, so that a failing program shrinks to few small ones --------------------


def edit(sim: Simulator, n: int) -> None:
    kind, name = FIELDS[n % len(FIELDS)]
    n //= len(FIELDS)
    side, n = (AJERA, CRM)[n % 2], n // 2
    keys = sorted(sim.world.records[kind, side])
    if keys:
        sim.edit(kind, side, keys[n % len(keys)], name, _value(sim, kind, side, name, n // len(keys)))


def clash(sim: Simulator, n: int) -> None:
    """Both sides of one field are typed without sight of each other: what two random edits rarely come to."""
    link = sim.world.links[n % len(sim.world.links)]
    names = [name for kind, name in FIELDS if kind is link.kind]
    n //= len(sim.world.links)
    name, n = names[n % len(names)], n // len(names)
    for side in Side:
        sim.edit(
            link.kind, side, link.key(side), name, _value(sim, link.kind, side, name, n if side is AJERA else n // 6)
        )


def _value(sim: Simulator, kind: Kind, side: Side, name: str, n: int) -> Value:
    if name == "status":
        words = PROJECT_STATUS[side] if kind is PROJECT else STATUS[side]
        return words[n % len(words)]
    if name == "manager":
        keys = [None, *sorted(sim.world.records[EMPLOYEE, side])]
        key = keys[n % len(keys)]
        return Ref(EMPLOYEE, side, key) if key else None
    return TEXTS[n % len(TEXTS)]


def tick(sim: Simulator, n: int) -> None:
    kind = (FIRM, CONTACT, PROJECT)[n % 3]
    keys = sorted(sim.world.records[kind, CRM])
    if keys:
        key = keys[n // 3 % len(keys)]
        sim.world.change(kind, CRM, key, marked=not sim.world.record(kind, CRM, key).marked)


def tick_in_ajera(sim: Simulator, n: int) -> None:
    kind = (FIRM, CONTACT)[n % 2]
    keys = sorted(sim.world.records[kind, AJERA])
    if keys:
        sim.world.mark(kind, keys[n // 2 % len(keys)], bool(n // 8 % 4), side=AJERA)


def sync_to_crm(sim: Simulator, n: int) -> None:
    for key in sim.world.records[PROJECT, AJERA]:
        sim.world.change(PROJECT, AJERA, key, marked=bool(n % 2), create_in_crm=bool(n // 2 % 2))


def row(sim: Simulator, n: int) -> None:
    contacts, projects = sorted(sim.world.records[CONTACT, CRM]), sorted(sim.world.records[PROJECT, CRM])
    if contacts and projects:
        key = contacts[n % len(contacts)]
        project = sim.world.record(PROJECT, CRM, projects[0])
        rest = [entry for entry in project.contacts or () if entry.key != key]
        sim.world.change(PROJECT, CRM, project.key, contacts=(*rest, Entry(key, marked=bool(n // len(contacts) % 3))))


def move(sim: Simulator, n: int) -> None:
    contacts, firms = sorted(sim.world.records[CONTACT, CRM]), [None, *sorted(sim.world.records[FIRM, CRM])]
    if contacts:
        firm = firms[n // len(contacts) % len(firms)]
        sim.world.edit(CONTACT, CRM, contacts[n % len(contacts)], firm=Ref(FIRM, CRM, firm) if firm else None)


def delete(sim: Simulator, n: int) -> None:
    """Confirmed gone: what was not linked is forgotten at once, as the engine does."""
    kind, side = list(Kind)[n % 4], (AJERA, CRM)[n // 4 % 2]
    keys = sorted(sim.world.records[kind, side])
    if keys:
        key = keys[n // 8 % len(keys)]
        linked = any(link.kind is kind and link.key(side) == key for link in sim.world.links)
        sim.world.rest["gone"] = sim.world.rest.get("gone", frozenset()) | ({(kind, side, key)} if linked else set())
        if not linked:
            del sim.world.records[kind, side][key]


def decide(sim: Simulator, n: int) -> None:
    kind = (FIRM, CONTACT)[n % 2]
    ours, theirs = sorted(sim.world.records[kind, AJERA]), sorted(sim.world.records[kind, CRM])
    if ours and theirs:
        choice = list(Choice)[n // 2 % 3]
        partner = None if choice is Choice.CREATE else ours[n // 6 % len(ours)]
        sim.world.decide(kind, CRM, theirs[n // 18 % len(theirs)], choice, partner, at=str(len(sim.world.decisions)))


def resolve(sim: Simulator, n: int) -> None:
    made = sim.world.plan()
    items = (*made.conflicts, *made.differences, *made.drift)
    if items:
        item = items[n % len(items)]
        sim.world.resolve(item.kind, item.ajera_key, item.crm_key, item.field, take=(AJERA, CRM)[n // 8 % 2])


def run(sim: Simulator, _n: int) -> None:
    checked_run(sim)


STEPS: Sequence[Callable[[Simulator, int], None]] = (
    edit, edit, clash, edit, run, tick, row, move, resolve, edit, delete, decide, tick_in_ajera, sync_to_crm,
)  # fmt: skip


def play(numbers: Sequence[int]) -> Simulator:
    head, *rest = numbers
    sim = start(head % len(POLICIES), head // len(POLICIES) % 4 == 3)
    for number in rest:
        STEPS[number % len(STEPS)](sim, number // len(STEPS))
    return sim


# -- what must hold ------------------------------------------------------------------------------------------------


def checked_run(sim: Simulator) -> Plan:
    made = sim.world.plan()
    s = sim.world.situation()
    ticks = ticks_in_effect(s)
    for action in made.writes:
        assert not (s.mode.one_way and action.side is CRM), "law 9"
        assert not (action.kind is EMPLOYEE and action.side is AJERA), "employees are Ajera's"
        live = action.crm_key is not None and ticks.live(action.kind, action.crm_key)
        asked = action.ajera_key is not None and (action.kind, action.ajera_key) in ticks.to_crm
        ajera = s.record(action.kind, AJERA, action.ajera_key or "")
        assert live or asked or action.kind is EMPLOYEE or (ajera is not None and ajera.marked), "law 10"
        assert not (live is False and action.side is AJERA and action.op is Op.UPDATE), "unticked stops CRM to Ajera"
    assert {action.op for action in made.actions} <= set(Op), "law 5"
    return sim.run()


def comes_to_rest(sim: Simulator) -> Plan:
    """Law 2: at most three runs, and the one after them does nothing."""
    for _ in range(3):
        if not checked_run(sim).actions:
            break
    made = sim.world.plan()
    assert not made.actions, made.actions
    return made


def agrees(sim: Simulator, made: Plan) -> None:
    """Law 3: each live pair agrees on every field, or it is said why not."""
    s = sim.world.situation()
    ticks = ticks_in_effect(s)
    items = (*made.conflicts, *made.differences, *made.drift)
    said = {(item.kind, item.crm_key, item.field) for item in items}
    said |= {
        (each.kind, key, each.field) for each in made.refused for key in _crm_keys(sim, each.kind, each.side, each.key)
    }
    for link in sim.world.links:
        ajera, crm = s.record(link.kind, AJERA, link.ajera_key), s.record(link.kind, CRM, link.crm_key)
        if (
            link.state is not LinkState.ACTIVE
            or ajera is None
            or crm is None
            or not ticks.live(link.kind, link.crm_key)
        ):
            continue
        if s.mode.one_way or "sync_to_crm" in s.bases[link.id]:
            continue  # what does not flow may stay apart, said or not
        for spec in s.policy.active_fields(link.kind):
            if (
                spec.name not in ajera.fields
                or spec.name not in crm.fields
                or not flows_to(spec)
                or spec.name == "firm"
            ):
                continue
            if agree(s, spec, ajera.fields[spec.name], crm.fields[spec.name]):
                continue
            pair = s.bases[link.id].get(spec.name)
            rewritten = pair is not None and pair.note.startswith("rewritten")
            moved_ref = spec.ref is not None  # the record it names was unlinked since: neither side moved
            assert rewritten or moved_ref or (link.kind, link.crm_key, spec.name) in said, (link, spec.name)


def _crm_keys(sim: Simulator, kind: Kind, side: Side, key: str) -> list[str]:
    return [link.crm_key for link in sim.world.links if link.kind is kind and link.key(side) == key]


def conflicts_are_real(sim: Simulator, made: Plan) -> None:
    """V8: no conflict where one value was typed with sight of the other."""
    for item in made.conflicts:
        if item.base is None or item.base.note:
            continue
        ajera, crm = (item.kind, AJERA, item.ajera_key, item.field), (item.kind, CRM, item.crm_key, item.field)
        assert not sim.ledger.had_seen(ajera, crm), item
        assert not sim.ledger.had_seen(crm, ajera), item


def one_to_one(links: Sequence[Link]) -> None:
    for side in Side:
        keys = [(link.kind, link.key(side)) for link in links]
        assert len(keys) == len(set(keys)), "law 11"


def shuffled_is_the_same(sim: Simulator, made: Plan, seed: int) -> None:
    """Laws 1 and V15: the order of records, links, marks and answers decides nothing."""
    assert sim.world.plan() == made
    rng = random.Random(seed)
    other = replace(sim.world)
    other.records = {key: dict(_shuffled(rng, held.items())) for key, held in sim.world.records.items()}
    other.links, other.decisions = _shuffled(rng, sim.world.links), _shuffled(rng, sim.world.decisions)
    other.bases = dict(_shuffled(rng, sim.world.bases.items()))
    latest = {mark.id: mark for mark in sim.world.marks}
    other.marks = _shuffled(rng, latest.values())
    assert other.plan() == made


def _shuffled(rng: random.Random, items: object) -> list:  # type: ignore[type-arg]
    found = list(items)  # type: ignore[call-overload]
    rng.shuffle(found)
    return found


def holds(numbers: Sequence[int]) -> None:
    sim = play(numbers)
    shuffled_is_the_same(sim, sim.world.plan(), numbers[0])
    made = comes_to_rest(sim)
    one_to_one(sim.world.links)
    agrees(sim, made)
    conflicts_are_real(sim, made)


PROGRAMS = st.lists(st.integers(0, 1 << 16), min_size=2, max_size=24)


@settings(max_examples=300, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(PROGRAMS)
def test_every_program_comes_to_rest_and_loses_nothing(numbers: list[int]) -> None:
    holds(numbers)


@pytest.mark.timeout(900)
def test_many_programs_come_to_rest_and_lose_nothing() -> None:
    """The same, wide: AJERASYNC_PROGRAMS says how many; a failing one is told by its numbers."""
    rng = random.Random(20261)
    for _ in range(WIDE):
        numbers = [rng.randrange(1 << 16) for _ in range(rng.randint(2, 10))]
        try:
            holds(numbers)
        except AssertionError as error:
            raise AssertionError(f"holds({numbers})") from error
