"""Plans that are refused (sync-rules 6), and what failed before and waits (sync-rules 7)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from core.model.link import LinkState
from core.model.plan import Action, Change, Mode, Op, Plan
from core.model.record import Entry
from core.model.values import EntryEdit, Kind, Ref, TeamEdit, Value
from core.policy import Guards, Policy
from core.ports import Failure
from core.reconcile.backoff import content_of, hold_back, moot, next_try
from tests.reconcile_kit import (
    AJERA,
    CONTACT,
    CRM,
    EMPLOYEE,
    FIRM,
    NOW,
    ONE_WAY,
    PROJECT,
    World,
    linked_firms,
    ops,
    writes,
)

FEW = Guards(change_records=3, unlinks=2, scheduled_creates=2, zero_money_projects=2)


def many(count: int, kind: Kind = FIRM, guards: Guards = FEW, **fields: Value) -> World:
    """`count` linked, ticked and agreed pairs."""
    world = World(policy=Policy(guards=guards))
    for place in range(count):
        if kind is FIRM:
            world.firm(AJERA, f"a{place}", f"Firm {place}", **fields)
            world.firm(CRM, f"c{place}", f"Firm {place}", ticked=True, **fields)
        else:
            world.project(AJERA, f"a{place}", f"{place}", f"Project {place}", **fields)
            world.project(CRM, f"c{place}", f"{place}", f"Project {place}", ticked=True, **fields)
        world.link(kind, f"a{place}", f"c{place}")
    return world


def names(made: Plan) -> list[str]:
    return [guard.name for guard in made.guards]


def test_rule_6_an_ordinary_plan_trips_no_guard() -> None:
    world = many(12)
    world.edit(FIRM, AJERA, "a1", name="New")
    assert names(world.plan()) == []


def test_rule_6_a_field_going_blank_in_more_than_five_percent() -> None:
    world = many(20, phone="555")
    world.edit(FIRM, AJERA, "a1", phone="")
    assert names(world.plan()) == []  # exactly 5 %
    world.edit(FIRM, AJERA, "a2", phone=None)
    assert names(world.plan()) == []  # two cleared by hand are no lost column
    world.edit(FIRM, AJERA, "a3", phone="")
    (guard,) = world.plan().guards
    assert (guard.name, guard.records) == ("blank", ("Firm 1", "Firm 2", "Firm 3"))
    assert guard.message == "phone would go blank in 3 firm records of crm"


def test_rule_6_three_of_many_going_blank_are_within_five_percent() -> None:
    world = many(60, phone="555")
    for place in range(3):
        world.edit(FIRM, AJERA, f"a{place}", phone="")
    assert names(world.plan()) == []


def test_rule_6_percentages_of_few_linked_records_say_nothing() -> None:
    world = many(10, phone="555")
    for place in range(10):
        world.edit(FIRM, AJERA, f"a{place}", phone="")
    assert names(world.plan()) == ["changes"] or names(world.plan()) == []


def test_rule_6_gone_links_are_no_linked_records() -> None:
    world = many(11, phone="555")
    world.links[10] = replace(world.links[10], state=LinkState.GONE, gone_side=AJERA)
    del world.records[FIRM, AJERA]["a10"]
    world.edit(FIRM, AJERA, "a1", phone="")
    assert names(world.plan()) == []


def test_rule_6_money_to_zero_in_more_than_five_percent_and_more_than_so_many() -> None:
    world = many(12, PROJECT, spent_labor=Decimal(5))
    for place in range(2):
        world.edit(PROJECT, AJERA, f"a{place}", spent_labor=Decimal(0))
    assert names(world.plan()) == []
    world.edit(PROJECT, AJERA, "a2", spent_labor=Decimal(0))
    assert names(world.plan()) == ["zero_money"]
    world.edit(PROJECT, AJERA, "a2", spent_labor=None)
    assert names(world.plan()) == ["zero_money"]


def test_rule_6_many_changes_of_a_kind() -> None:
    world = many(12)
    for place in range(3):
        world.edit(FIRM, AJERA, f"a{place}", name="New")
    assert names(world.plan()) == []
    world.edit(FIRM, AJERA, "a3", name="New")
    assert names(world.plan()) == ["changes"]
    assert names(world.plan(first=frozenset({FIRM}))) == []


def test_rule_6_first_fills_and_figures_are_no_mass_change() -> None:
    world = many(12, phone="555")
    for place in range(6):
        world.bases[f"firm:a{place}"].pop("phone")
        world.edit(FIRM, AJERA, f"a{place}", phone="")
    assert writes(world.plan())
    assert names(world.plan()) == []
    money = many(12, PROJECT, spent_labor=Decimal(5))
    for place in range(6):
        money.edit(PROJECT, AJERA, f"a{place}", spent_labor=Decimal(6))
    assert writes(money.plan())
    assert names(money.plan()) == []


def test_rule_6_many_creates_only_count_in_a_scheduled_run() -> None:
    world = World(policy=Policy(guards=FEW))
    for place in range(3):
        world.firm(CRM, f"c{place}", f"Firm {place}", ticked=True)
    assert names(world.plan()) == []
    (guard,) = world.plan(scheduled=True).guards
    assert guard.message == "3 firm records would be created by a scheduled run"
    assert names(world.plan(scheduled=True, first=frozenset({FIRM}))) == []


def test_rule_6_many_unlinks() -> None:
    world = many(3)
    world.rest["gone"] = frozenset((FIRM, AJERA, f"a{place}") for place in range(3))
    assert names(world.plan()) == ["unlinks"]


def test_rule_6_a_changed_direction_and_a_missing_version() -> None:
    world = linked_firms(World())
    world.edit(FIRM, CRM, "c1", name="New")
    assert names(world.plan(previous_mode=ONE_WAY)) == ["direction"]
    assert names(world.plan(previous_mode=None)) == []
    world.mode = Mode(ONE_WAY.direction, None, "Ajera did not say its version")
    assert names(world.plan(previous_mode=world.mode)) == ["version"]
    world.edit(FIRM, CRM, "c1", name="Acme")
    assert names(world.plan(previous_mode=ONE_WAY)) == []  # nothing would be written


# -- back-off --------------------------------------------------------------------------------------

LATER, EARLIER = "2026-03-02T16:00:00Z", "2026-03-02T14:00:00Z"


def failed(action: Action, suffix: str = "", **over: Any) -> dict[str, Failure]:
    given: dict[str, Any] = {
        "id": action.id + suffix, "kind": action.kind, "side": AJERA, "key": "k", "label": action.label,
        "op": action.op.value, "group": action.group, "message": "refused", "tries": 1, "next_try": None,
        "content": content_of(action), "at": NOW, **over,
    }  # fmt: skip
    return {given["id"]: Failure(**given)}


def test_rule_7_waits_double_and_end_after_eight_tries() -> None:
    now = datetime(2026, 3, 2, tzinfo=UTC)
    waits = [next_try(tries, now) for tries in range(1, 9)]
    assert [wait - now for wait in waits[:3] if wait] == [timedelta(minutes=each) for each in (5, 10, 20)]
    assert waits[7] is None
    assert all(wait is not None and wait - now <= timedelta(hours=12) for wait in waits[:7])


def edited() -> Plan:
    world = linked_firms(World(), phone="555", website="a")
    world.edit(FIRM, AJERA, "a1", name="New", website="b", phone="666")
    return world.plan()


def test_rule_7_a_failed_write_waits_until_it_is_due_or_its_content_changes() -> None:
    made = edited()
    identity = next(action for action in made.actions if action.group == "identity")
    assert hold_back(made, {}, NOW) is made
    assert hold_back(made, failed(identity, next_try=EARLIER), NOW) is made
    assert hold_back(made, failed(identity, content="other"), NOW) is made
    for over, said in (({"next_try": LATER}, "next try"), ({}, "waits for a change or for retry")):
        held = hold_back(made, failed(identity, **over), NOW)
        assert [action.group for action in held.actions] == ["address"]
        assert said in held.refused[0].reason
        assert (held.refused[0].side, held.refused[0].key) == (CRM, "c1")


def test_rule_7_a_field_that_was_refused_by_name_waits_alone() -> None:
    made = edited()
    identity = next(action for action in made.actions if action.group == "identity")
    only = replace(identity, fields={"name": identity.fields["name"]})
    held = hold_back(made, failed(only, ".name"), NOW)
    assert [name for _, name, _ in writes(held)] == ["website", "phone"]
    assert held.refused[0].field == "name"
    both = failed(only, ".name") | failed(replace(identity, fields={"website": identity.fields["website"]}), ".website")
    assert [name for _, name, _ in writes(hold_back(made, both, NOW))] == ["phone"]


def test_rule_7_failures_whose_write_is_due_no_more_are_moot() -> None:
    made = edited()
    action = made.actions[0]
    kept = failed(action) | failed(action, ".name") | failed(action, ".after", group="after_create")
    lost = failed(replace(action, ajera_key="a9"))
    unsettled = failed(replace(action, ajera_key="a8"))
    assert moot(made, kept | lost | unsettled, unsettled.keys()) == list(lost)


def family() -> Plan:
    """A firm, its contact and a project of both, all new, and lists that name them."""
    world = World()
    world.firm(CRM, "c1", "Acme", ticked=True)
    world.contact(CRM, "k1", "Ann", "Lee", firm="c1", ticked=True)
    world.contact(CRM, "k2", "Bob", "Moss", firm="c1", ticked=True)
    rows = (Entry("k1", marked=True), Entry("k2", marked=True))
    world.project(CRM, "q1", "100", "Bridge", client="c1", ticked=True, template="Study")
    world.change(PROJECT, CRM, "q1", contacts=rows)
    return world.plan()


def test_rule_7_what_names_a_record_that_waits_waits_too() -> None:
    made = family()
    firm = next(action for action in ops(made, Op.CREATE) if action.kind is FIRM)
    held = hold_back(made, failed(firm), NOW)
    # Without its client no project, and so none of both lists; the contacts can go.
    assert [(action.op, action.kind) for action in held.actions] == [(Op.CREATE, CONTACT), (Op.CREATE, CONTACT)]
    assert held.refused[0].key == "c1"
    assert {refusal.key for refusal in held.refused} == {"c1", "q1"}


def test_rule_7_of_a_list_only_the_entry_that_waits_is_left_out() -> None:
    made = family()
    ann = next(action for action in ops(made, Op.CREATE) if action.label == "Lee, Ann")
    held = hold_back(made, failed(ann), NOW)
    edits = [action.fields["contacts"].to for action in held.actions if action.group == "contacts"]
    assert edits == [EntryEdit((Ref(CONTACT, CRM, "k2"),))] * 2
    bob = next(action for action in ops(made, Op.CREATE) if action.label == "Moss, Bob")
    both = hold_back(made, failed(ann) | failed(bob), NOW)
    assert not [action for action in both.actions if action.group == "contacts"]


def test_rule_7_a_reference_and_hours_wait_for_an_employee_that_waits() -> None:
    world = linked_firms(World())
    world.employee(AJERA, "e1", "Ann", "Lee", email="ann@x.example")
    made = world.plan()
    (create,) = made.actions
    manager = Change(None, Ref(EMPLOYEE, AJERA, "e1"))
    hours = Change(None, TeamEdit(Ref(EMPLOYEE, AJERA, "e1"), "Engineer", Decimal(1), None))
    update = Action(Op.UPDATE, PROJECT, CRM, "p1", "q1", "Bridge", {"manager": manager, "name": Change("", "x")})
    team = Action(Op.UPDATE, PROJECT, CRM, "p1", "q1", "Bridge", {"team:e1": hours}, group="team")
    link = Action(Op.LINK, FIRM, None, "a", "c", "Acme")
    held = hold_back(replace(made, actions=(create, update, team, link)), failed(create), NOW)
    assert writes(held) == [(CRM, "name", "x")]
    assert [action.op for action in held.actions] == [Op.LINK, Op.UPDATE]
    assert {refusal.reason for refusal in held.refused[1:]} == {
        "manager: waits for a record whose creation failed", "team:e1: waits for a record whose creation failed",
    }  # fmt: skip


@pytest.mark.parametrize("template", ["Study", "Other"])
def test_rule_7_another_template_is_another_try(template: str) -> None:
    action = next(action for action in ops(family(), Op.CREATE) if action.kind is PROJECT)
    assert (content_of(action) == content_of(replace(action, template=template))) is (template == "Study")
