"""Who takes part (sync-rules 1 and 2): switches, ticks, what they bring along, caps."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.model.link import LinkState, Pair
from core.model.plan import Op
from core.model.record import Entry
from core.model.values import Ref
from core.policy import Policy, mode_for
from core.reconcile.merge import ONE_WAY_DRIFT
from core.reconcile.ticks import ticks_in_effect
from tests.reconcile_kit import (
    AJERA,
    CONTACT,
    CRM,
    EMPLOYEE,
    FIRM,
    ONE_WAY,
    PROJECT,
    World,
    crm_connection,
    linked_firms,
    linked_projects,
    ops,
    reasons,
    writes,
)


@pytest.mark.parametrize(
    ("version", "setting", "one_way"),
    [
        ("8.08", "auto", True),
        ("8.09", "auto", False),
        ("8.10.00", "auto", False),
        ("10.1", "auto", False),
        ("9.0", "to-ajera", True),
        ("8.08", "two-way", True),
        (None, "auto", True),
        ("soon", "auto", True),
    ],
)
def test_rule_1_versions_are_compared_as_numbers(version: str | None, setting: str, one_way: bool) -> None:
    assert mode_for(version, setting).one_way is one_way


def test_rule_1_one_way_writes_nothing_but_marks_to_the_crm() -> None:
    world = linked_projects(World(mode=ONE_WAY))
    world.edit(FIRM, AJERA, "a1", name="Acme of Ajera")
    world.firm(AJERA, "a9", "Only Ajera")
    world.mark(FIRM, "a9", side=AJERA)
    world.employee(AJERA, "e1", "Ann", "Lee", email="ann@x.example")
    world.mark(FIRM, "c1", on=False)
    made = world.plan()
    assert writes(made) == [(CRM, "mark", False)]
    assert not ops(made, Op.CREATE)


def test_rule_1_one_way_an_edit_in_ajera_is_drift_until_the_crm_changes_it() -> None:
    world = linked_firms(World(mode=ONE_WAY))
    world.edit(FIRM, AJERA, "a1", name="Acme of Ajera")
    (item,) = world.plan().drift
    assert (item.field, item.owner) == ("name", "crm")
    world.edit(FIRM, CRM, "c1", name="Acme of the CRM")
    assert writes(world.plan()) == [(AJERA, "name", "Acme of the CRM")]


def test_rule_1_one_way_accounting_is_off() -> None:
    world = linked_projects(World(mode=ONE_WAY), spent_labor=Decimal(1), compensation=Decimal(1))
    world.edit(PROJECT, AJERA, "p1", spent_labor=Decimal(2), compensation=Decimal(2))
    made = world.plan()
    assert not made.actions
    assert not made.waiting


@pytest.mark.parametrize("noted", [True, False])
@pytest.mark.parametrize("crm_moved", [True, False])
def test_rule_1_drift_of_the_one_way_time_becomes_a_conflict_after_an_upgrade(noted: bool, crm_moved: bool) -> None:
    world = linked_firms(World(mode=ONE_WAY, policy=Policy(conflicts={})))
    world.edit(FIRM, AJERA, "a1", name="Acme of Ajera")
    if noted:
        (rebase,) = ops(world.plan(), Op.REBASE)
        world.bases["firm:a1"].update(rebase.pairs)
    upgraded = linked_firms(World())
    upgraded.records, upgraded.bases = world.records, world.bases
    if crm_moved:
        upgraded.edit(FIRM, CRM, "c1", name="Acme of the CRM")
    made = upgraded.plan(previous_mode=None if noted else ONE_WAY)
    (item,) = made.conflicts
    assert item.reason == "changed in Ajera while the sync was one-way"
    assert not writes(made)


def test_rule_1_what_went_back_before_the_upgrade_is_no_conflict() -> None:
    world = linked_firms(World())
    world.bases["firm:a1"]["name"] = Pair("Acme", "Acme", ONE_WAY_DRIFT)
    world.edit(FIRM, CRM, "c1", name="Acme of the CRM")
    made = world.plan()
    assert not made.conflicts
    assert writes(made) == [(AJERA, "name", "Acme of the CRM")]


def test_rule_1_employees_and_accounting_were_ajeras_in_one_way_time_too() -> None:
    world = linked_projects(World(), spent_labor=Decimal(1))
    world.edit(PROJECT, AJERA, "p1", spent_labor=Decimal(2))
    world.employee(AJERA, "e1", "Ann", "Lee", email="ann@x.example")
    world.employee(CRM, "E1", "Ann", "Lee", email="ann@x.example")
    world.link(EMPLOYEE, "e1", "E1")
    world.edit(EMPLOYEE, AJERA, "e1", last_name="Moss")
    made = world.plan(previous_mode=ONE_WAY)
    assert {name for _, name, _ in writes(made)} == {"spent_labor", "last_name"}


# -- marks ---------------------------------------------------------------------------------------


def test_rule_2_a_record_with_a_reason_why_not_is_not_ticked() -> None:
    world = World()
    world.firm(CRM, "c1", "Vendor", ticked=True)
    world.change(FIRM, CRM, "c1", why_not="not a client")
    assert ticks_in_effect(world.situation()).firms == frozenset()


def test_rule_2_a_tick_made_here_wins_and_is_pushed() -> None:
    world = linked_firms(World())
    world.mark(FIRM, "c1", on=False)
    made = world.plan()
    assert writes(made) == [(CRM, "mark", False)]
    assert made.actions[0].group == "marks"
    world.edit(FIRM, AJERA, "a1", name="Acme of Ajera")
    assert writes(world.plan()) == [(CRM, "mark", False)]


def test_rule_2_a_tick_that_is_kept_here_only_is_never_pushed() -> None:
    world = linked_firms(World())
    world.change(FIRM, CRM, "c1", marked=None)
    world.mark(FIRM, "c1", local=True)
    assert not world.plan().actions
    assert ticks_in_effect(world.situation()).firms == {"c1"}


def test_rule_2_a_tick_the_crm_holds_already_needs_no_push() -> None:
    world = linked_firms(World())
    world.mark(FIRM, "c1")
    assert not world.plan().actions


def test_rule_2_a_tick_of_a_record_that_is_not_there_is_not_pushed() -> None:
    world = World()
    world.mark(FIRM, "lost")
    assert not world.plan().actions


def test_rule_2_a_template_chosen_here_is_pushed_and_counts() -> None:
    world = linked_projects(World())
    world.mark(PROJECT, "q1", template="Study")
    assert writes(world.plan()) == [(CRM, "template", "Study")]
    assert ticks_in_effect(world.situation()).projects == {"q1": "Study"}


def test_rule_2_a_tick_on_a_projects_contact_row_is_pushed_to_the_project() -> None:
    world = linked_projects(World())
    world.contact(CRM, "k1", "Ann", "Lee")
    world.change(PROJECT, CRM, "q1", contacts=(Entry("k1"),))
    world.mark(CONTACT, "k1", project="q1")
    push = next(action for action in world.plan().actions if action.group == "marks:k1")
    assert (push.kind, push.crm_key, push.fields["mark:k1"].to) == (PROJECT, "q1", True)
    world.change(PROJECT, CRM, "q1", contacts=(Entry("k1", marked=True),))
    assert not [action for action in world.plan().actions if action.group.startswith("marks")]


def test_rule_2_unticking_stops_all_writing_and_keeps_the_link() -> None:
    world = linked_firms(World())
    world.change(FIRM, CRM, "c1", marked=False)
    world.edit(FIRM, AJERA, "a1", name="Acme of Ajera")
    world.edit(FIRM, CRM, "c1", name="Acme of the CRM")
    made = world.plan()
    assert not made.actions
    assert not made.waiting
    world.change(FIRM, CRM, "c1", marked=True)
    assert [item.field for item in world.plan().conflicts] == ["name"]


def test_rule_2_ajera_sync_off_stops_crm_to_ajera_only_while_sync_to_crm_is_on() -> None:
    world = linked_projects(World())
    world.change(PROJECT, CRM, "q1", marked=False)
    world.change(PROJECT, AJERA, "p1", marked=True)
    world.edit(PROJECT, CRM, "q1", name="Bridge of the CRM")
    assert not writes(world.plan())
    world = linked_projects(World())
    world.change(PROJECT, CRM, "q1", marked=False)
    world.change(PROJECT, AJERA, "p1", marked=True)
    world.edit(PROJECT, AJERA, "p1", name="Bridge of Ajera")
    assert writes(world.plan()) == [(CRM, "name", "Bridge of Ajera")]


def test_rule_2_sync_to_crm_from_true_to_false_stops_ajera_to_crm() -> None:
    world = linked_projects(World())
    world.change(PROJECT, AJERA, "p1", marked=True)
    (rebase,) = ops(world.plan(), Op.REBASE)
    world.bases["project:p1"].update(rebase.pairs)
    world.change(PROJECT, AJERA, "p1", marked=False)
    world.edit(PROJECT, AJERA, "p1", name="Bridge of Ajera", status="Hold")
    assert not writes(world.plan())
    world.change(PROJECT, AJERA, "p1", marked=True)
    assert {name for _, name, _ in writes(world.plan())} == {"name", "status"}


def test_rule_2_sync_to_crm_that_never_was_true_stops_nothing() -> None:
    world = linked_projects(World())
    world.change(PROJECT, AJERA, "p1", marked=False)
    world.edit(PROJECT, AJERA, "p1", name="Bridge of Ajera")
    assert writes(world.plan()) == [(CRM, "name", "Bridge of Ajera")]


# -- caps ----------------------------------------------------------------------------------------


def _seven_contacts(policy: Policy) -> World:
    world = linked_firms(World(policy=policy))
    for place in range(7):
        world.contact(CRM, f"k{place}", "P", f"Name {place}", firm="c1", ticked=True)
    world.change(CONTACT, CRM, "k6", extra={"primary": "Y"})
    return world


def test_rule_2_above_the_cap_primary_first_then_by_name_and_the_rest_waits() -> None:
    world = _seven_contacts(Policy(firm_cap=5))
    ticks = ticks_in_effect(world.situation())
    assert ticks.contacts == {"k6", "k0", "k1", "k2", "k3"}
    assert [record.key for record, _, _ in ticks.over] == ["k4", "k5"]
    assert "Acme has more than 5 ticked contacts" in reasons(world.plan())


def test_rule_2_without_a_cap_all_take_part() -> None:
    assert len(ticks_in_effect(_seven_contacts(Policy(firm_cap=None)).situation()).contacts) == 7


def test_rule_2_the_cap_counts_by_firm_and_not_contacts_without_one() -> None:
    world = World(policy=Policy(firm_cap=1))
    for key in ("k1", "k2"):
        world.contact(CRM, key, "P", key, ticked=True)
    world.contact(CRM, "k3", "P", "Q", firm="unread", ticked=True)
    world.contact(CRM, "k4", "P", "R", firm="unread", ticked=True)
    ticks = ticks_in_effect(world.situation())
    assert ticks.contacts == {"k1", "k2", "k3"}
    assert [(record.key, where) for record, where, _ in ticks.over] == [("k4", "unread")]


@pytest.mark.parametrize(("cap", "kept"), [(2, ("k3", "k0")), (None, ("k3", "k0", "k1", "k2"))])
def test_rule_2_a_projects_cap_takes_primary_first_then_by_name(cap: int | None, kept: tuple[str, ...]) -> None:
    world = linked_projects(World(policy=Policy(project_cap=cap)))
    for place in range(4):
        world.contact(CRM, f"k{place}", "P", f"Name {place}")
    rows = tuple(Entry(f"k{place}", marked=True, primary=place == 3) for place in range(4))
    world.change(PROJECT, CRM, "q1", contacts=(*rows, Entry("unread", marked=True), Entry("k0", marked=False)))
    assert ticks_in_effect(world.situation()).project_contacts == {"q1": kept}


# -- what is brought along -----------------------------------------------------------------------


def test_rule_2_a_ticked_project_brings_its_client_and_its_contacts_firms_along() -> None:
    world = World()
    world.firm(CRM, "c1", "Client", ticked=False)
    world.firm(CRM, "c2", "Employer", ticked=False)
    world.contact(CRM, "k1", "Ann", "Lee", firm="c2")
    world.project(CRM, "q1", "100", "Bridge", client="c1", ticked=True, template="Study")
    world.change(PROJECT, CRM, "q1", contacts=(Entry("k1", marked=True),))
    ticks = ticks_in_effect(world.situation())
    assert ticks.brought == {(FIRM, "c1"): "100 Bridge", (FIRM, "c2"): "100 Bridge"}
    created = [action.label for action in ops(world.plan(), Op.CREATE)]
    assert created == ["Client", "Employer", "Lee, Ann", "100 Bridge"]
    assert ops(world.plan(), Op.CREATE)[0].reason == "with project 100 Bridge"


def test_rule_2_a_brought_firm_is_kept_in_step_unticked() -> None:
    world = linked_projects(World())
    world.change(FIRM, CRM, "c1", marked=False)
    world.edit(FIRM, AJERA, "a1", name="Acme of Ajera")
    assert writes(world.plan()) == [(CRM, "name", "Acme of Ajera")]
    world.change(PROJECT, CRM, "q1", marked=False)
    assert not writes(world.plan())


def test_rule_2_a_sleeping_project_brings_nothing_along() -> None:
    world = linked_projects(World())
    world.change(FIRM, CRM, "c1", marked=False)
    world.links[1] = world.links[1].__class__(PROJECT, "p1", "q1", LinkState.DORMANT, "closed")
    assert not ticks_in_effect(world.situation()).brought


def test_rule_2_records_only_in_ajera_go_to_the_crm_when_ticked_or_all() -> None:
    world = World()
    world.firm(AJERA, "a1", "One")
    world.firm(AJERA, "a2", "Two")
    world.contact(AJERA, "b1", "Ann", "Lee")
    assert not world.plan().actions
    world.mark(FIRM, "a1", side=AJERA)
    made = world.plan()
    assert [(action.label, action.side) for action in ops(made, Op.CREATE)] == [("One", CRM)]
    assert made.actions[0].fields["mark"].to is True
    world.policy = Policy(new_from_ajera="all")
    world.mark(FIRM, "a2", on=False, side=AJERA)
    assert [action.label for action in ops(world.plan(), Op.CREATE)] == ["One", "Lee, Ann"]


def test_rule_2_a_record_created_where_no_column_is_is_not_ticked_there() -> None:
    world = World()
    world.firm(AJERA, "a1", "One")
    world.mark(FIRM, "a1", side=AJERA)
    (create,) = world.plan(crm=crm_connection(mark_columns=frozenset())).actions
    assert "mark" not in create.fields


def test_rule_2_a_create_in_crm_project_brings_its_client_along() -> None:
    world = World()
    world.firm(AJERA, "a1", "Client")
    world.project(AJERA, "p1", "100", "Bridge", client="a1", create_in_crm=True)
    firm, project = ops(world.plan(), Op.CREATE)
    assert (firm.label, project.label) == ("Client", "100 Bridge")
    assert project.fields["client"].to == Ref(FIRM, AJERA, "a1")
    world.mark(PROJECT, "p1", on=False, side=AJERA)
    assert not world.plan().actions


def test_rule_2_a_create_in_crm_project_without_a_readable_client_is_refused() -> None:
    world = World()
    world.project(AJERA, "p1", "100", "Bridge", create_in_crm=True)
    assert "its invoice groups name different clients" in reasons(world.plan())
    world.edit(PROJECT, AJERA, "p1", client=None)
    assert "its invoice group names no client" in reasons(world.plan())
    world.edit(PROJECT, AJERA, "p1", client=Ref(FIRM, AJERA, "a7"))
    assert "its client 'a7' is not in the CRM yet" in reasons(world.plan())
    world.firm(AJERA, "a7", "Waiting Co")
    world.change(FIRM, AJERA, "a7", why_not="an overhead client")
    assert "its client 'Waiting Co' is not in the CRM yet" in reasons(world.plan())


def test_law_1_a_firm_of_two_projects_is_brought_by_the_first_one_in_whatever_order_they_came() -> None:
    for keys in (("q1", "q2"), ("q2", "q1")):
        world = World()
        world.firm(CRM, "c1", "Client", ticked=False)
        for key in keys:
            world.project(CRM, key, key, "Bridge", client="c1", ticked=True)
        assert ticks_in_effect(world.situation()).brought == {(FIRM, "c1"): "q1 Bridge"}
