"""What a new record is made of, and when it is refused instead (sync-rules 4 and 6)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from core.model.link import Choice
from core.model.plan import Action, Op, Plan
from core.model.values import Address, Ref
from core.policy import DEFAULT_FIELDS, PROJECT_FIELDS, Policy
from tests.reconcile_kit import (
    AJERA,
    CONTACT,
    CRM,
    EMPLOYEE,
    FIRM,
    PROJECT,
    World,
    ajera_connection,
    crm_connection,
    ops,
    reasons,
)


def ticked_firm(**fields: Any) -> World:
    world = World()
    world.firm(CRM, "c1", "Acme", ticked=True, **fields)
    return world


def ticked_project(**over: Any) -> World:
    world = World()
    world.firm(AJERA, "a1", "Acme")
    world.firm(CRM, "c1", "Acme", ticked=True)
    world.link(FIRM, "a1", "c1")
    world.project(CRM, "q1", "100", "Bridge", **{"client": "c1", "ticked": True, "template": "Study", **over})
    return world


def only(made: Plan, op: Op = Op.CREATE) -> Action:
    (action,) = ops(made, op)
    return action


def test_rule_4_4_no_candidate_creates_with_all_that_is_filled() -> None:
    action = only(ticked_firm(number="A-1", phone="555", fax="", email=None).plan())
    assert action.side is AJERA
    assert {name: change.to for name, change in action.fields.items()} == {
        "name": "Acme", "status": "Active", "number": "A-1", "phone": "555",
    }  # fmt: skip
    assert action.source["status"] == "A"


def test_rule_4_4_a_record_without_a_name_or_with_a_reason_why_not_is_refused() -> None:
    world = World()
    world.firm(CRM, "c1", " ", ticked=True)
    assert "it has no name" in reasons(world.plan())
    world = World()
    world.firm(AJERA, "a1", "Acme")
    world.change(FIRM, AJERA, "a1", why_not="an overhead client")
    world.mark(FIRM, "a1", side=AJERA)
    assert reasons(world.plan()) == "an overhead client"


def test_rule_4_4_of_two_creates_of_one_name_the_second_is_a_candidate() -> None:
    world = ticked_firm()
    world.firm(CRM, "c2", "ACME.", ticked=True)
    made = world.plan()
    assert only(made).crm_key == "c1"
    (candidate,) = made.candidates
    assert (candidate.crm_key, candidate.ajera_key) == ("c2", None)
    world.decide(FIRM, CRM, "c2", Choice.CREATE)
    assert len(ops(world.plan(), Op.CREATE)) == 2


def test_rule_4_4_two_projects_of_one_number_are_not_both_created() -> None:
    world = World()
    world.firm(AJERA, "a1", "Acme")
    world.firm(CRM, "c1", "Acme", ticked=True)
    world.link(FIRM, "a1", "c1")
    for key, number, name in (("p1", "N-1", "Bridge"), ("p2", "n-1", "Tunnel"), ("p3", "", "Road"), ("p4", "", "Dam")):
        world.project(AJERA, key, number, name, client="a1", create_in_crm=True)
    made = world.plan(crm=crm_connection(autonumbers=frozenset({PROJECT})))
    assert {action.ajera_key for action in ops(made, Op.CREATE)} == {"p1", "p3", "p4"}
    assert [each.ajera_key for each in made.candidates] == ["p2"]


def test_rule_4_4_projects_are_told_apart_by_name_also_where_the_name_is_not_mapped() -> None:
    world = ticked_project()
    world.project(CRM, "q2", "200", "Bridge", client="c1", ticked=True, template="Study")
    assert len(ops(world.plan(), Op.CREATE)) == 1
    fields = tuple(spec for spec in PROJECT_FIELDS if spec.name != "name")
    world.policy = Policy(fields={**DEFAULT_FIELDS, PROJECT: fields})
    assert len(ops(world.plan(), Op.CREATE)) == 2  # by label, number and name, they differ


def test_rule_4_ajera_wants_contact_names_unique() -> None:
    world = World()
    for key in ("b2", "b1"):
        world.contact(AJERA, key, "Ann", "Lee")
    world.contact(CRM, "k1", "Ann", "Lee", ticked=True)
    world.decide(CONTACT, CRM, "k1", Choice.CREATE)
    assert "key b1) and wants names unique: give one of the two a middle name" in reasons(world.plan())
    world.edit(CONTACT, CRM, "k1", middle_name="Q")
    assert only(world.plan()).label == "Lee, Ann"


def test_rule_5_the_firm_of_a_contact_is_no_field_of_its_creation() -> None:
    world = World()
    world.firm(AJERA, "a1", "Acme")
    world.firm(CRM, "c1", "Acme", ticked=True)
    world.link(FIRM, "a1", "c1")
    world.contact(CRM, "k1", "Ann", "Lee", firm="c1", ticked=True)
    world.contact(AJERA, "b1", "Bob", "Moss", firm="a1")
    world.mark(CONTACT, "b1", side=AJERA)
    ajera, crm = sorted(ops(world.plan(), Op.CREATE), key=lambda action: str(action.side))
    assert "firm" not in ajera.fields
    assert crm.fields["firm"].to == Ref(FIRM, CRM, "c1")


@pytest.mark.parametrize("name", ["name", "number"])
def test_rule_5_a_record_whose_name_does_not_fit_is_not_created(name: str) -> None:
    world = ticked_project()
    assert ops(world.plan(), Op.CREATE)
    world.edit(PROJECT, CRM, "q1", **{name: "x" * 81})
    made = world.plan()
    assert not ops(made, Op.CREATE)
    assert "has 81 characters" in reasons(made)


def test_rule_5_another_field_that_does_not_fit_is_left_out_and_listed() -> None:
    made = ticked_firm(phone="5" * 30).plan(ajera=ajera_connection(limits={(FIRM, "phone"): 20}))
    assert "phone" not in only(made).fields
    assert [(each.field, each.key) for each in made.refused] == [("phone", "c1")]


# -- projects into Ajera ---------------------------------------------------------------------------


def test_rule_6_a_project_goes_to_ajera_with_template_client_and_estimated_dates() -> None:
    world = ticked_project(
        start_date=date(2026, 1, 1), estimated_completion=date(2026, 9, 1), actual_completion=date(2026, 9, 9),
        compensation=Decimal(5), type="Civil",
    )  # fmt: skip
    action = only(world.plan())
    assert (action.template, action.number) == ("Study", "100")
    assert action.fields["client"].to == Ref(FIRM, AJERA, "a1")
    assert {"start_date", "estimated_completion"} <= action.fields.keys()
    assert not {"actual_completion", "compensation"} & action.fields.keys()


@pytest.mark.parametrize(
    ("over", "said"),
    [
        ({"status": "D"}, "its status in the CRM is not Active"),
        ({"status": "I"}, "its status in the CRM is not Active"),
        ({"client": None}, "it has no primary client"),
        ({"template": None}, "it has no Ajera Project Template"),
        ({"template": "Studi"}, "Ajera has no project template named 'Studi'; the nearest are Study"),
        ({"template": "qqq"}, "Ajera has no project template named 'qqq'"),
    ],
)
def test_rule_6_what_a_project_needs_to_go_to_ajera(over: dict[str, Any], said: str) -> None:
    made = ticked_project(**over).plan()
    assert not ops(made, Op.CREATE)
    assert said in reasons(made)


def test_rule_6_the_default_template_and_one_with_nested_phases() -> None:
    world = ticked_project(template=None)
    world.policy = Policy(default_template="Study")
    assert only(world.plan()).template == "Study"
    nested = ajera_connection(flat_templates=frozenset({"Study"}))
    assert "has nested phases" in reasons(world.plan(ajera=nested))
    world.policy = Policy(default_template="Study", allow_flat_template=True)
    assert only(world.plan(ajera=nested)).template == "Study"


def test_rule_6_a_project_waits_for_a_client_that_waits() -> None:
    world = ticked_project()
    world.firm(CRM, "c2", "Zenith", ticked=False)
    world.firm(AJERA, "a2", "Zenith")  # same name only: a candidate
    world.edit(PROJECT, CRM, "q1", client=Ref(FIRM, CRM, "c2"))
    assert "its client 'Zenith' is not in Ajera yet" in reasons(world.plan())
    world.edit(PROJECT, CRM, "q1", client=Ref(FIRM, CRM, "c404"))
    assert "its client 'c404' is not in Ajera yet" in reasons(world.plan())


# -- projects into the CRM -------------------------------------------------------------------------


def test_rule_6_a_project_goes_to_the_crm_with_dates_but_its_money_follows() -> None:
    world = World()
    world.firm(AJERA, "a1", "Acme")
    world.firm(CRM, "c1", "Acme", ticked=True)
    world.link(FIRM, "a1", "c1")
    world.project(
        AJERA,
        "p1",
        "100",
        "Bridge",
        client="a1",
        create_in_crm=True,
        start_date=date(2026, 1, 1),
        spent_labor=Decimal(5),
    )
    action = only(world.plan())
    assert {"number", "name", "client", "status", "start_date", "mark"} == action.fields.keys()


def test_rule_6_a_blank_id_only_where_the_crm_numbers_projects() -> None:
    world = World()
    world.firm(AJERA, "a1", "Acme")
    world.firm(CRM, "c1", "Acme", ticked=True)
    world.link(FIRM, "a1", "c1")
    world.project(AJERA, "p1", " ", "Bridge", client="a1", create_in_crm=True)
    assert "it has no Project ID in Ajera" in reasons(world.plan())
    made = world.plan(crm=crm_connection(autonumbers=frozenset({PROJECT})))
    assert only(made).number == ""


def test_rule_6_create_in_crm_acts_once() -> None:
    world = World()
    world.firm(AJERA, "a1", "Acme")
    world.firm(CRM, "c1", "Acme", ticked=True)
    world.link(FIRM, "a1", "c1")
    world.project(AJERA, "p1", "100", "Bridge", client="a1", create_in_crm=True)
    world.project(CRM, "q1", "100", "Bridge", client="c1", ticked=True)
    world.link(PROJECT, "p1", "q1")
    assert not world.plan().actions


def test_rule_1_employees_of_ajera_go_to_the_crm_without_a_tick() -> None:
    world = World()
    world.employee(AJERA, "e1", "Ann", "Lee", email="ann@x.example")
    action = only(world.plan())
    assert (action.side, action.kind) == (CRM, EMPLOYEE)
    assert "mark" not in action.fields


def test_rule_6_order_employees_firms_contacts_projects_then_lists() -> None:
    world = ticked_project()
    world.employee(AJERA, "e1", "Ann", "Lee", email="ann@x.example")
    world.firm(CRM, "c2", "Zenith", ticked=True)
    world.contact(CRM, "k1", "Bob", "Moss", firm="c2", ticked=True)
    made = world.plan()
    assert [(action.kind, action.group) for action in made.actions] == [
        (EMPLOYEE, "identity"), (FIRM, "identity"), (CONTACT, "identity"), (PROJECT, "identity"), (FIRM, "contacts"),
    ]  # fmt: skip


def test_an_address_is_one_field_of_a_creation() -> None:
    world = ticked_firm(address=Address(("1 Main",), "Town"))
    assert only(world.plan()).fields["address"].to == Address(("1 Main",), "Town")


@pytest.mark.parametrize(("numbers_itself", "sent"), [(True, ""), (False, "001009")])
def test_rule_5_a_new_crm_firm_gets_its_own_number_where_the_crm_numbers(numbers_itself: bool, sent: str) -> None:
    world = World()
    world.firm(AJERA, "a1", "Acme", number="001009")
    world.change(FIRM, AJERA, "a1", number="001009")
    world.mark(FIRM, "a1", side=AJERA)
    crm = crm_connection(autonumbers=frozenset({FIRM} if numbers_itself else ()))
    action = only(world.plan(crm=crm))
    assert action.side is CRM
    assert action.number == sent
    assert ("number" in action.fields) is not numbers_itself


def test_rule_6_a_promotional_project_starts_as_preliminary() -> None:
    action = only(ticked_project(extra={"ChargeType": "P"}).plan())
    assert action.fields["status"].to == "Preliminary"
