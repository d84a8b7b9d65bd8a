"""Lists of contacts, entry by entry, and team rows (sync-rules 5 and 8)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from core.model.link import LinkState, Pair
from core.model.record import Entry, TeamRow
from core.model.values import EntryEdit, Kind, Ref, TeamEdit, Value
from core.policy import Policy
from core.reconcile.entries import OURS
from core.reconcile.merge import UNDONE
from tests.reconcile_kit import (
    AJERA,
    CONTACT,
    CRM,
    EMPLOYEE,
    FIRM,
    PROJECT,
    World,
    crm_connection,
    linked_projects,
    reasons,
    writes,
)

OURS_PAIR = Pair("ours", "ours")
ADD, REMOVE = (Ref(CONTACT, CRM, "k1"),), (Ref(CONTACT, AJERA, "b1"),)


def world_of(*, firm: tuple[Entry, ...] | None = (), project: tuple[Entry, ...] | None = (), **over: Any) -> World:
    """`linked_projects` with a linked contact of the firm, ticked on the project; `firm` and `project`: Ajera's lists."""
    world = linked_projects(World(policy=over.pop("policy", Policy())))
    world.contact(AJERA, "b1", "Ann", "Lee")
    world.contact(CRM, "k1", "Ann", "Lee", **{"firm": "c1", "ticked": True, **over})
    world.link(CONTACT, "b1", "k1")
    world.change(FIRM, AJERA, "a1", contacts=firm)
    world.change(PROJECT, AJERA, "p1", contacts=project)
    world.change(PROJECT, CRM, "q1", contacts=(Entry("k1", marked=True),))
    return world


def edits(world: World) -> dict[Kind, Value]:
    return {action.kind: action.fields["contacts"].to for action in world.plan().actions if action.group == "contacts"}


def test_rule_5_our_entry_is_added_to_both_lists_if_absent() -> None:
    assert edits(world_of()) == {FIRM: EntryEdit(ADD), PROJECT: EntryEdit(ADD)}
    there = (Entry("b1"),)
    assert edits(world_of(firm=there, project=there)) == {}


def test_rule_5_a_list_that_was_not_read_is_left_alone() -> None:
    assert edits(world_of(firm=None, project=None)) == {}


def test_rule_5_lists_of_projects_can_be_switched_off() -> None:
    assert edits(world_of(policy=Policy(project_contacts=False))) == {FIRM: EntryEdit(ADD)}


@pytest.mark.parametrize("firm", ["c2", None])
def test_rule_5_only_an_entry_this_program_added_is_taken_back(firm: str | None) -> None:
    there = (Entry("b1"), Entry("b7"))
    world = world_of(firm=there, project=there)
    world.edit(CONTACT, CRM, "k1", firm=Ref(FIRM, CRM, firm) if firm else None)
    assert edits(world) == {}
    world.bases["firm:a1"][f"{OURS}b1"] = OURS_PAIR
    world.bases["firm:a1"][f"{OURS}b7"] = OURS_PAIR  # of a contact that is not linked any more
    assert edits(world) == {FIRM: EntryEdit((), REMOVE)}
    world.change(FIRM, AJERA, "a1", contacts=())
    assert edits(world) == {}


def test_rule_5_nothing_is_taken_back_from_a_sleeping_firm_or_for_an_unticked_contact() -> None:
    there = (Entry("b1"),)
    for why in ("asleep", "unticked", "not linked"):
        world = world_of(firm=there, project=there, ticked=why != "unticked")
        world.change(PROJECT, CRM, "q1", contacts=())
        world.edit(CONTACT, CRM, "k1", firm=None)
        world.bases["firm:a1"][f"{OURS}b1"] = OURS_PAIR
        if why == "asleep":
            world.links[0] = replace(world.links[0], state=LinkState.DORMANT)
        if why == "not linked":
            world.links = [link for link in world.links if link.kind is not FIRM]
            del world.records[FIRM, AJERA]["a1"]
        assert edits(world) == {}


def test_rule_5_a_contact_whose_tick_on_the_project_is_off_leaves_its_list_also_the_last_one() -> None:
    there = (Entry("b1"),)
    world = world_of(firm=there, project=there)
    world.bases["project:p1"][f"{OURS}b1"] = OURS_PAIR
    assert edits(world) == {}
    world.change(PROJECT, CRM, "q1", contacts=(Entry("k1", marked=False),))
    assert edits(world) == {PROJECT: EntryEdit((), REMOVE)}
    world.change(PROJECT, CRM, "q1", contacts=None)  # not read
    assert edits(world) == {}


def test_rule_5_a_contact_beyond_the_cap_or_deleted_stays_on_the_list() -> None:
    there = (Entry("b1"),)
    world = world_of(firm=there, project=there)
    world.bases["project:p1"][f"{OURS}b1"] = OURS_PAIR
    world.contact(CRM, "k0", "Aaron", "Aas")
    world.policy = Policy(project_cap=1)
    world.change(PROJECT, CRM, "q1", contacts=(Entry("k1", marked=True), Entry("k0", marked=True, primary=True)))
    assert PROJECT not in edits(world) or not edits(world)[PROJECT].remove  # type: ignore[union-attr] # an EntryEdit
    world = world_of(firm=there, project=there)
    world.bases["project:p1"][f"{OURS}b1"] = OURS_PAIR
    world.change(PROJECT, CRM, "q1", contacts=())
    world.rest["gone"] = frozenset({(CONTACT, CRM, "k1")})
    assert edits(world) == {}


def test_rule_7_an_entry_that_an_undo_took_back_or_whose_link_sleeps_is_left_alone() -> None:
    world = world_of()
    world.bases["firm:a1"][f"{OURS}b1"] = Pair("ours", "ours", UNDONE)
    assert FIRM not in edits(world)
    world = world_of()
    world.links[2] = replace(world.links[2], state=LinkState.DORMANT, reason="unticked")
    assert edits(world) == {}


def test_rule_2_lists_of_records_that_do_not_take_part_are_left_alone() -> None:
    world = world_of()
    world.change(FIRM, CRM, "c1", marked=False)
    world.change(PROJECT, CRM, "q1", marked=False)
    assert edits(world) == {}
    world = world_of()
    world.links[1] = replace(world.links[1], state=LinkState.DORMANT, reason="closed")
    assert PROJECT not in edits(world)
    world = world_of(firm=None)
    world.edit(CONTACT, CRM, "k1", firm=Ref(FIRM, CRM, "unknown"))
    assert FIRM not in edits(world)


def test_rule_5_a_contact_that_waits_is_on_no_list_yet() -> None:
    world = world_of()
    world.links = [link for link in world.links if link.kind is not CONTACT]
    assert edits(world) == {}  # a candidate by name


# -- team ------------------------------------------------------------------------------------------

HOURS = TeamRow("e1", "Engineer", Decimal(12), date(2026, 1, 5))


def team(*rows: TeamRow, ours: TeamRow = HOURS) -> World:
    world = linked_projects(World())
    world.employee(AJERA, "e1", "Ann", "Lee", email="ann@x.example", status="Inactive")
    world.employee(CRM, "E1", "Ann", "Lee", email="ann@x.example", status="I")
    world.link(EMPLOYEE, "e1", "E1")
    world.change(PROJECT, AJERA, "p1", team=(ours,))
    world.change(PROJECT, CRM, "q1", team=rows)
    return world


def edit_of(
    hours: int = 12, first: date | None = HOURS.start, row: str | None = None, role: str = "Engineer"
) -> TeamEdit:
    return TeamEdit(Ref(EMPLOYEE, AJERA, "e1"), role, Decimal(hours).quantize(Decimal("0.0001")), first, row)


def test_rule_8_one_row_per_employee_and_role() -> None:
    assert writes(team().plan()) == [(CRM, "team:e1:Engineer", edit_of())]


def test_rule_8_an_existing_row_is_adopted_and_others_are_left_alone() -> None:
    other = TeamRow("E9", "Engineer", Decimal(3), None, "r9")
    row = TeamRow("E1", "engineer ", Decimal(8), HOURS.start, "r1")
    assert writes(team(other, row).plan()) == [(CRM, "team:e1:Engineer", edit_of(row="r1"))]
    assert not writes(team(other, replace(row, hours=Decimal("12.0"))).plan())
    assert writes(team(replace(row, hours=Decimal(12), start=None)).plan())
    assert not writes(team(replace(row, hours=None), ours=replace(HOURS, hours=None, start=None)).plan())


def test_rule_8_roles_must_exist_in_the_crm_and_are_spelled_as_there() -> None:
    crm = crm_connection(codes={(PROJECT, "team_role"): ("Drafter", "ENGINEER")})
    assert writes(team().plan(crm=crm)) == [(CRM, "team:e1:ENGINEER", edit_of(role="ENGINEER"))]
    crm = crm_connection(codes={(PROJECT, "team_role"): ("Drafter",)})
    assert "Lee, Ann has the role 'Engineer', which the CRM's list of employee roles lacks" in reasons(
        team().plan(crm=crm)
    )


def test_rule_8_an_employee_that_is_not_linked_is_listed() -> None:
    world = team(ours=replace(HOURS, employee="e404"))
    assert "employee e404 is not linked to an employee of the CRM" in reasons(world.plan())
    world = team(ours=replace(HOURS, employee="e2"))
    world.employee(AJERA, "e2", "New", "Hand", email="new@x.example")
    assert "team:e2:Engineer" in {name for _, name, _ in writes(world.plan())}


def test_rule_8_where_the_tab_cannot_be_written_hours_are_shown_only() -> None:
    crm = crm_connection(stopped={(PROJECT, "team"): "not writable"})
    assert not writes(team().plan(crm=crm))
    world = team()
    world.change(PROJECT, CRM, "q1", team=None)
    assert not writes(world.plan())


def test_roles_go_along_with_a_contact_that_is_put_on_a_projects_list_where_the_settings_say_so() -> None:
    world = world_of(policy=Policy(contact_roles=True))
    world.change(PROJECT, CRM, "q1", contacts=(Entry("k1", role=" Owner ", marked=True),))
    assert edits(world) == {FIRM: EntryEdit(ADD), PROJECT: EntryEdit(ADD, roles=("Owner",))}
    world.change(PROJECT, CRM, "q1", contacts=(Entry("k1", marked=True),))  # no role: nothing is said of it
    assert edits(world)[PROJECT] == EntryEdit(ADD)
    world = world_of(policy=Policy())
    world.change(PROJECT, CRM, "q1", contacts=(Entry("k1", role="Owner", marked=True),))
    assert edits(world)[PROJECT] == EntryEdit(ADD)


def test_a_role_that_the_crms_list_lacks_stays_behind_and_the_contact_goes() -> None:
    world = world_of(policy=Policy(contact_roles=True))
    for ajera, crm in (("b2", "k2"), ("b3", "k3")):
        world.contact(AJERA, ajera, ajera, "Roe")
        world.contact(CRM, crm, ajera, "Roe", firm="c1")
        world.link(CONTACT, ajera, crm)
    world.change(PROJECT, AJERA, "p1", contacts=(Entry("b1"), Entry("b2", role="owner"), Entry("b3", role="Mason")))
    world.rest["crm"] = crm_connection(takes_project_contacts=True, codes={(PROJECT, "contact_role"): ("Owner",)})
    (change,) = [action.fields["contacts"].to for action in world.plan().actions if action.side is CRM]
    added = (Ref(CONTACT, AJERA, "b2"), Ref(CONTACT, AJERA, "b3"))
    assert change == EntryEdit(added, roles=("owner", ""))
