"""Linked records (sync-rules 5 and 6): what a value becomes on the other side, answers, deletions, closed projects."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from core.model.link import LinkState, Pair
from core.model.plan import Op
from core.model.record import TeamRow
from core.model.values import Address, Ref, Side, Value
from core.policy import ConflictPolicy, Policy
from core.reconcile.fields import settled_pair
from core.reconcile.linked import CLOSED, WAKE
from core.reconcile.merge import TYPED, UNDONE
from tests.reconcile_kit import (
    AJERA,
    CONTACT,
    CRM,
    EMPLOYEE,
    FIRM,
    ONE_WAY,
    PROJECT,
    World,
    ajera_connection,
    crm_connection,
    linked_firms,
    linked_projects,
    ops,
    reasons,
    writes,
)


def test_law_1_and_4_nothing_moved_nothing_planned() -> None:
    made = linked_projects(World()).plan()
    assert not made.actions
    assert not made.waiting
    assert made == linked_projects(World()).plan()


def test_rule_5_only_what_was_touched_is_looked_at() -> None:
    world = linked_firms(World())
    world.edit(FIRM, AJERA, "a1", name="New")
    assert not world.plan(touched=frozenset()).actions
    assert writes(world.plan(touched=frozenset({(FIRM, CRM, "c1")}))) == [(CRM, "name", "New")]


def test_rule_5_a_field_that_was_not_read_decides_nothing() -> None:
    world = linked_firms(World(), phone="555")
    fields = dict(world.record(FIRM, AJERA, "a1").fields)
    del fields["phone"]
    world.change(FIRM, AJERA, "a1", fields=fields)
    world.edit(FIRM, CRM, "c1", phone="666")
    assert not world.plan().actions


def test_rule_5_a_cleared_value_travels_and_a_first_blank_does_not() -> None:
    world = linked_firms(World(), phone="555")
    world.edit(FIRM, AJERA, "a1", phone="")
    assert writes(world.plan()) == [(CRM, "phone", "")]
    world.bases["firm:a1"].pop("phone")
    assert writes(world.plan()) == [(AJERA, "phone", "555")]


def test_rule_5_conflicts_keep_both_values_and_other_fields_go_through() -> None:
    world = linked_firms(World(), phone="555")
    for side, key in ((AJERA, "a1"), (CRM, "c1")):
        world.edit(FIRM, side, key, name=f"Acme of {side}")
    world.edit(FIRM, AJERA, "a1", phone="666")
    made = world.plan(since={})
    (item,) = made.conflicts
    assert (item.ajera, item.crm, item.base) == ("Acme of ajera", "Acme of crm", Pair("Acme", "Acme"))
    assert writes(made) == [(CRM, "phone", "666")]
    assert world.plan(since={item.id: "2020"}).conflicts[0].since == "2020"


@pytest.mark.parametrize(("policy", "side"), [("ajera", CRM), ("crm", AJERA), ("newest", CRM)])
def test_rule_5_conflict_policies(policy: str, side: Side) -> None:
    world = linked_firms(World(policy=Policy(conflicts={"firm.name": ConflictPolicy(policy)})))
    for each, key in ((AJERA, "a1"), (CRM, "c1")):
        world.edit(FIRM, each, key, name=f"Acme of {each}")
    made = world.plan(newest=lambda _a, _c: AJERA)
    assert [(side_, name) for side_, name, _ in writes(made)] == [(side, "name")]
    made = world.plan(unsettled=frozenset({(FIRM, CRM, "c1")}))
    assert not writes(made)
    assert made.conflicts


# -- answers -------------------------------------------------------------------------------------


def conflicted(**rest: Any) -> World:
    world = linked_firms(World(**rest), type="Civil")
    for side, key in ((AJERA, "a1"), (CRM, "c1")):
        world.edit(FIRM, side, key, name=f"Acme of {side}")
    return world


@pytest.mark.parametrize(("take", "target"), [(AJERA, CRM), (CRM, AJERA)])
def test_rule_5_a_conflict_resolved_by_taking_a_side(take: Side, target: Side) -> None:
    world = conflicted()
    world.resolve(FIRM, "a1", "c1", "name", take=take)
    made = world.plan()
    assert writes(made) == [(target, "name", f"Acme of {take}")]
    assert not made.conflicts


def test_rule_5_an_answer_to_other_values_is_void() -> None:
    world = conflicted()
    world.resolve(FIRM, "a1", "c1", "name", take=AJERA)
    world.edit(FIRM, CRM, "c1", name="Changed since")
    assert world.plan().conflicts
    world.edit(FIRM, CRM, "c1", name="Acme of ajera")
    assert [action.op for action in world.plan().actions] == [Op.REBASE]


def test_rule_5_a_typed_answer_goes_to_both_sides_in_their_own_spelling() -> None:
    world = conflicted()
    world.resolve(FIRM, "a1", "c1", "name", value=" Acme of us ")
    made = world.plan()
    assert writes(made) == [(AJERA, "name", "Acme of us"), (CRM, "name", "Acme of us")]
    ajera, crm = ops(made, Op.UPDATE)
    assert (ajera.source["name"], crm.source["name"]) == ("Acme of crm", "Acme of us")


def test_rule_5_a_typed_answer_that_one_side_has_is_taken_from_there() -> None:
    world = conflicted()
    world.resolve(FIRM, "a1", "c1", "name", value="Acme of crm")
    assert writes(world.plan()) == [(AJERA, "name", "Acme of crm")]


def test_rule_5_a_typed_answer_that_does_not_fit_is_refused_for_both() -> None:
    world = conflicted()
    world.resolve(FIRM, "a1", "c1", "name", value="x" * 101)
    made = world.plan()
    assert not writes(made)
    assert "has 101 characters, the CRM takes 100" in reasons(made)


def test_rule_1_a_typed_answer_in_one_way_time_is_refused() -> None:
    world = linked_firms(World(mode=ONE_WAY))
    world.edit(FIRM, AJERA, "a1", name="Acme of Ajera")
    world.resolve(FIRM, "a1", "c1", "name", value="Acme of us")
    assert "not written to the CRM while the sync is one-way" in reasons(world.plan())


def test_rule_5_the_second_half_of_a_typed_answer_follows_unless_the_crm_moved() -> None:
    world = linked_firms(World())
    world.edit(FIRM, AJERA, "a1", name="Typed")
    world.bases["firm:a1"]["name"] = Pair("Typed", "Acme", TYPED)
    assert writes(world.plan()) == [(CRM, "name", "Typed")]
    world.edit(FIRM, CRM, "c1", name="Edited without sight of it")
    made = world.plan()
    assert not writes(made)
    assert made.conflicts


def test_rule_7_what_an_undo_put_back_waits_for_a_person() -> None:
    world = linked_firms(World())
    world.bases["firm:a1"]["name"] = Pair("Acme", "Acme", UNDONE)
    world.edit(FIRM, AJERA, "a1", name="Again")
    (item,) = world.plan().conflicts
    assert item.reason == UNDONE


@pytest.mark.parametrize(
    ("name", "said"), [("client", "on its invoice group"), ("spent_labor", "never written in Ajera")]
)
def test_rule_5_what_is_never_written_in_ajera_cannot_be_taken_there(name: str, said: str) -> None:
    world = linked_projects(World(), spent_labor=Decimal(5))
    world.firm(CRM, "c2", "Other")
    world.edit(PROJECT, CRM, "q1", **{name: Ref(FIRM, CRM, "c2") if name == "client" else Decimal(6)})
    world.resolve(PROJECT, "p1", "q1", name, take=CRM)
    made = world.plan()
    assert not writes(made)
    assert said in reasons(made)


def test_rule_5_a_client_changed_in_the_crm_is_drift_with_the_way_out() -> None:
    world = linked_projects(World())
    world.firm(CRM, "c2", "Other")
    world.edit(PROJECT, CRM, "q1", client=Ref(FIRM, CRM, "c2"))
    (item,) = world.plan().drift
    assert "change it on the invoice group in Ajera" in item.reason


# -- a value on the other side -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("phone", "5" * 25, "Phone has 25 characters, the CRM takes 24"),
        ("type", "Healthcare", "Market 'Healthcare' does not exist in the CRM; the nearest are Health care"),
        ("type", "Zoo", "does not exist in the CRM: add it there"),
        ("status", "Prospect", "status 'Prospect' is not set in the CRM by itself"),
        ("address", Address(tuple("abcde")), "the address has 5 lines, the CRM takes 4"),
        ("website", "w.example", "WebSite is read-only"),
    ],
)
def test_rule_5_a_value_that_does_not_fit_is_refused_and_never_cut(name: str, value: Value, said: str) -> None:
    world = linked_firms(World(), phone="1", type="Civil", website="", address=Address(("a",)))
    world.edit(FIRM, AJERA, "a1", **{name: value})
    crm = crm_connection(
        codes={(FIRM, "type"): ("Civil", "Health care")}, stopped={(FIRM, "website"): "WebSite is read-only"}
    )
    made = world.plan(crm=crm)
    assert not writes(made)
    assert said in reasons(made)


def test_rule_5_codes_go_by_description_in_the_other_sides_spelling() -> None:
    world = linked_firms(World(), type="Civil")
    world.edit(FIRM, AJERA, "a1", type="health care")
    crm = crm_connection(codes={(FIRM, "type"): ("Civil", "Health Care")})
    assert writes(world.plan(crm=crm)) == [(CRM, "type", "Health Care")]
    world.edit(FIRM, AJERA, "a1", type=None)
    assert writes(world.plan(crm=crm)) == [(CRM, "type", "")]


def test_rule_5_addresses_are_one_field_and_a_cleared_one_travels() -> None:
    world = linked_firms(World(), address=Address(("1 Main",), "Town"))
    world.edit(FIRM, CRM, "c1", address=Address((" 2 Main ", ""), "Town "))
    assert writes(world.plan()) == [(AJERA, "address", Address(("2 Main",), "Town"))]
    world.edit(FIRM, CRM, "c1", address=None)
    assert writes(world.plan()) == [(AJERA, "address", Address())]


def managed() -> World:
    world = linked_projects(World(), manager=None)
    world.employee(AJERA, "e1", "Ann", "Lee", email="ann@x.example", extra={"is_project_manager": "Y"})
    world.employee(CRM, "E1", "Ann", "Lee", email="ann@x.example")
    world.link(EMPLOYEE, "e1", "E1")
    return world


def test_rule_5_managers_go_through_employee_links_and_need_their_flag() -> None:
    world = managed()
    world.edit(PROJECT, CRM, "q1", manager=Ref(EMPLOYEE, CRM, "E1"))
    assert writes(world.plan()) == [(AJERA, "manager", Ref(EMPLOYEE, AJERA, "e1"))]
    world.change(EMPLOYEE, AJERA, "e1", extra={})
    assert "is not marked as a project manager" in reasons(world.plan())
    world.edit(PROJECT, CRM, "q1", manager=None, principal=Ref(EMPLOYEE, CRM, "E1"))
    world.edit(PROJECT, AJERA, "p1", principal=None)
    assert "is not marked as a principal" in reasons(world.plan())
    del world.records[EMPLOYEE, AJERA]["e1"]
    assert writes(world.plan())  # not looked at: Ajera says itself what it thinks


def test_rule_5_an_unlinked_reference_is_refused_and_one_to_come_is_kept() -> None:
    world = managed()
    world.employee(AJERA, "e2", "Bob", "Moss", status="Inactive")
    world.edit(PROJECT, AJERA, "p1", manager=Ref(EMPLOYEE, AJERA, "e2"))
    assert "Project Manager 'Moss, Bob' is not linked to a record in the CRM" in reasons(world.plan())
    world.edit(EMPLOYEE, AJERA, "e2", status="Active", email="bob@x.example")
    assert writes(world.plan()) == [(CRM, "manager", Ref(EMPLOYEE, AJERA, "e2"))]
    world.edit(PROJECT, AJERA, "p1", manager=Ref(EMPLOYEE, AJERA, "e404"))
    assert "'e404' is not linked" in reasons(world.plan())


def test_rule_5_a_reference_without_a_key_is_a_blank() -> None:
    world = managed()
    world.edit(PROJECT, AJERA, "p1", manager=Ref(EMPLOYEE, AJERA, ""))
    assert not world.plan().actions
    world = managed()
    world.edit(PROJECT, AJERA, "p1", manager=Ref(EMPLOYEE, AJERA, "e1"))
    world.edit(PROJECT, CRM, "q1", manager=Ref(EMPLOYEE, CRM, "E1"))
    world.bases["project:p1"] = world.agreed(PROJECT, "p1", "q1")
    world.edit(PROJECT, CRM, "q1", manager=Ref(EMPLOYEE, CRM, ""))
    assert writes(world.plan()) == [(AJERA, "manager", None)]


def test_rule_5_statuses_travel_by_group() -> None:
    world = linked_firms(World())
    world.edit(FIRM, AJERA, "a1", status="Inactive")
    assert writes(world.plan()) == [(CRM, "status", "I")]
    world.edit(FIRM, CRM, "c1", status="D")
    assert not writes(world.plan())
    world = linked_projects(World())
    world.edit(PROJECT, AJERA, "p1", status="Preliminary")
    assert not writes(world.plan())


def test_rule_5_a_project_is_never_closed_in_ajera_by_itself() -> None:
    world = linked_projects(World())
    world.edit(PROJECT, CRM, "q1", status="I")
    assert [item.field for item in world.plan().drift] == ["status"]
    world.resolve(PROJECT, "p1", "q1", "status", take=CRM)
    assert "status 'I' is not set in Ajera by itself" in reasons(world.plan())


def test_rule_5_a_terminated_employee_is_never_turned_into_an_inactive_one() -> None:
    world = managed()
    world.edit(EMPLOYEE, CRM, "E1", status="T")
    world.bases["employee:e1"]["status"] = Pair("Active", "T")
    world.edit(EMPLOYEE, AJERA, "e1", status="Inactive")
    assert not writes(world.plan())


@pytest.mark.parametrize(("held", "note"), [("Ac", "rewritten by crm"), (" Acme ", "")])
def test_rule_5_a_side_that_rewrites_what_it_was_sent_is_noted(held: str, note: str) -> None:
    spec = Policy().spec(FIRM, "name")
    assert spec is not None
    pair = settled_pair(spec, CRM, "Acme", "Acme", held)
    assert pair == Pair("Acme", held, note)
    assert settled_pair(spec, AJERA, "Acme", "Acme", "Acme") == Pair("Acme", "Acme")
    world = linked_firms(World())
    world.edit(FIRM, CRM, "c1", name=held)
    world.bases["firm:a1"]["name"] = pair
    assert not writes(world.plan())


# -- deletions -----------------------------------------------------------------------------------


def gone(world: World, kind: Any, side: Side, key: str) -> World:
    world.rest["gone"] = frozenset({*world.rest.get("gone", ()), (kind, side, key)})
    return world


def test_law_5_a_record_that_is_gone_is_unlinked_and_nothing_else() -> None:
    made = gone(linked_firms(World()), FIRM, AJERA, "a1").plan()
    (action,) = made.actions
    assert (action.op, action.side, action.reason) == (Op.UNLINK, AJERA, "gone from ajera")


def test_rule_6_an_absence_that_is_not_confirmed_proves_nothing() -> None:
    world = linked_firms(World())
    world.drop(FIRM, AJERA, "a1", confirmed=False)
    assert not world.plan().actions


def test_rule_6_both_gone_is_one_unlink_and_a_label_is_found() -> None:
    world = linked_firms(World(policy=Policy(deleted={FIRM: "inactive"})))
    gone(gone(world, FIRM, AJERA, "a1"), FIRM, CRM, "c1")
    assert [action.op for action in world.plan().actions] == [Op.UNLINK]
    del world.records[FIRM, CRM]["c1"]
    assert world.plan().actions[0].label == "c1"


@pytest.mark.parametrize(
    ("side", "status", "wanted"),
    [(AJERA, None, (CRM, "I")), (CRM, None, (AJERA, "Inactive")), (AJERA, "D", None), (AJERA, "I", None)],
)
def test_rule_6_a_policy_sets_the_partner_inactive_and_no_d_into_an_i(
    side: Side, status: str | None, wanted: tuple[Side, str] | None
) -> None:
    world = linked_firms(World(policy=Policy(deleted={FIRM: "inactive"})))
    if status:
        world.edit(FIRM, CRM, "c1", status=status)
    made = gone(world, FIRM, side, "a1" if side is AJERA else "c1").plan()
    assert [(each, value) for each, _, value in writes(made)] == ([wanted] if wanted else [])


@pytest.mark.parametrize("why", ["unticked", "asleep", "one-way", "no status", "employee", "project"])
def test_law_10_nothing_is_set_inactive_that_does_not_take_part(why: str) -> None:
    policy = Policy(deleted={FIRM: "inactive", EMPLOYEE: "inactive", PROJECT: "inactive"})
    if why == "no status":
        firm = tuple(spec for spec in policy.fields[FIRM] if spec.name != "status")
        policy = replace(policy, fields={**policy.fields, FIRM: firm})
    world = managed()
    world.policy = policy
    if why == "one-way":
        world.mode = ONE_WAY
    if why == "unticked":
        world.change(FIRM, CRM, "c1", marked=False)
        world.change(PROJECT, CRM, "q1", marked=False)
    if why == "asleep":
        world.links[0] = replace(world.links[0], state=LinkState.DORMANT, reason=UNDONE)
        world.change(FIRM, CRM, "c1", marked=False)
    kind, side, key = {"employee": (EMPLOYEE, CRM, "E1"), "project": (PROJECT, AJERA, "p1")}.get(
        why, (FIRM, AJERA, "a1")
    )
    made = gone(world, kind, side, key).plan()
    assert ops(made, Op.UNLINK)
    assert not [action for action in made.writes if action.group == "status"]


def test_rule_6_a_tombstone_stays_until_its_key_comes_back() -> None:
    world = linked_firms(World())
    world.links = [replace(world.links[0], state=LinkState.GONE, gone_side=AJERA)]
    record = world.records[FIRM, AJERA].pop("a1")
    assert not world.plan().actions
    world.put(record)
    (action,) = world.plan().actions
    assert (action.op, action.reason) == (Op.LINK, "came back")


def test_rule_6_what_a_plan_unlinks_is_named_by_no_later_action() -> None:
    world = linked_projects(World())
    world.contact(AJERA, "b1", "Ann", "Lee")
    world.contact(CRM, "k1", "Ann", "Lee", firm="c1", ticked=True)
    world.change(FIRM, AJERA, "a1", contacts=())
    world.link(CONTACT, "b1", "k1")
    assert writes(world.plan())
    assert not writes(gone(world, CONTACT, AJERA, "b1").plan())


# -- closed projects -----------------------------------------------------------------------------


def closed(**fields: Any) -> World:
    world = linked_projects(World(), **fields)
    world.edit(PROJECT, AJERA, "p1", status="Closed")
    return world


def test_rule_6_a_closed_project_sleeps_after_its_final_update() -> None:
    world = closed()
    assert writes(world.plan()) == [(CRM, "status", "I")]
    world.edit(PROJECT, CRM, "q1", status="I")
    world.bases["project:p1"] = world.agreed(PROJECT, "p1", "q1")
    (action,) = world.plan().actions
    assert (action.op, action.group) == (Op.REBASE, CLOSED)


def _finally_closed() -> World:
    world = closed()
    world.edit(PROJECT, CRM, "q1", status="I")
    world.bases["project:p1"] = world.agreed(PROJECT, "p1", "q1")
    return world


@pytest.mark.parametrize("why", ["conflict", "refusal", "hours"])
def test_rule_6_a_closed_project_does_not_sleep_while_something_of_it_waits(why: str) -> None:
    world = _finally_closed()
    if why == "conflict":
        world.edit(PROJECT, AJERA, "p1", name="Bridge A")
        world.edit(PROJECT, CRM, "q1", name="Bridge B")
    if why == "refusal":
        world.edit(PROJECT, CRM, "q1", name="x" * 81)
    if why == "hours":
        world.employee(AJERA, "e1", "Ann", "Lee", email="a@x.example")
        world.employee(CRM, "E1", "Ann", "Lee", email="a@x.example")
        world.link(EMPLOYEE, "e1", "E1")
        world.change(PROJECT, AJERA, "p1", team=(TeamRow("e1", "Engineer", Decimal(4), date(2026, 1, 5)),))
        world.change(PROJECT, CRM, "q1", team=())
    assert CLOSED not in {action.group for action in world.plan().actions}


def test_rule_6_a_sleeping_project_is_left_alone_until_it_leaves_closed() -> None:
    world = _finally_closed()
    world.links[1] = replace(world.links[1], state=LinkState.DORMANT, reason=CLOSED)
    world.edit(PROJECT, AJERA, "p1", name="Bridge of Ajera")
    assert not world.plan().actions
    world.edit(PROJECT, AJERA, "p1", status="Active")
    made = world.plan()
    assert WAKE in {action.group for action in made.actions}
    assert {name for _, name, _ in writes(made)} == {"name", "status"}


def test_rule_6_closed_projects_that_are_followed_do_not_sleep_and_wake() -> None:
    world = _finally_closed()
    world.policy = Policy(closed_projects="follow")
    assert not world.plan().actions
    world.links[1] = replace(world.links[1], state=LinkState.DORMANT, reason=CLOSED)
    assert [action.group for action in world.plan().actions] == [WAKE]


def test_rule_7_a_link_that_an_undo_put_to_sleep_wakes_when_ticked_again() -> None:
    world = linked_firms(World())
    world.links = [replace(world.links[0], state=LinkState.DORMANT, reason=UNDONE)]
    assert [action.group for action in world.plan().actions] == [WAKE]
    world.change(FIRM, CRM, "c1", marked=False)
    assert not world.plan().actions


def test_rule_5_first_link_differences_of_owned_fields_are_asked_or_taken_from_the_owner() -> None:
    world = linked_projects(World())
    world.edit(PROJECT, AJERA, "p1", status="Hold")
    world.bases["project:p1"] = {}
    made = world.plan()
    assert [item.field for item in made.differences] == ["status"]
    assert not writes(made)
    world.policy = Policy(first_link="owner")
    assert writes(world.plan()) == [(CRM, "status", "D")]


def test_rule_4_the_ajera_totals_are_ajeras_from_the_start_and_drift_is_put_right() -> None:
    world = linked_projects(World(), spent_labor=Decimal(1))
    world.edit(PROJECT, CRM, "q1", spent_labor=Decimal(9))
    assert writes(world.plan()) == [(CRM, "spent_labor", Decimal(1))]
    world.bases["project:p1"] = {}
    assert (CRM, "spent_labor", Decimal(1)) in writes(world.plan())


def test_rule_8_projects_without_money_columns_get_none() -> None:
    world = linked_projects(World(), spent_labor=Decimal(1))
    world.edit(PROJECT, AJERA, "p1", spent_labor=Decimal(2))
    world.change(PROJECT, CRM, "q1", extra={"ChargeType": "H"})
    assert not writes(world.plan())


def test_rule_8_why_nothing_of_the_budget_tab_is_written_is_said() -> None:
    world = linked_projects(World())
    world.change(PROJECT, AJERA, "p1", extra={"budget_note": "the parts do not add up", "BillingType": "FixedFee"})
    assert reasons(world.plan()) == "the parts do not add up"
    world.change(PROJECT, AJERA, "p1", extra={"budget_note": "it has none", "BillingType": "Overhead"})
    assert not world.plan().refused


def test_limits_of_both_kinds_count_the_lower_one() -> None:
    world = linked_firms(World())
    world.edit(FIRM, CRM, "c1", name="x" * 50)
    assert writes(world.plan())
    assert "Ajera takes 40" in reasons(world.plan(ajera=ajera_connection(limits={(FIRM, "name"): 40})))
