"""Projects, rule by rule (sync-rules 2, 5, 6 and 8): creation, status, closing, the way to and from promotional."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from core.model.link import LinkState
from core.model.values import Kind, Side
from core.policy import Policy
from tests.engine.conftest import Make
from tests.engine.kit import (
    TEMPLATE_CODE,
    EngineSettings,
    World,
    ajera_client,
    ajera_project,
    crm_firm,
    crm_project,
)
from tests.engine.weekkit import add_totals


async def job(world: World, **ajera: Any) -> tuple[int, str]:
    """A project on both sides, linked and ticked."""
    client = ajera_client(world.ajera, "Acme Supplies", Website="acme.example")
    firm = crm_firm(world.crm, "Acme Supplies", WebSite="acme.example", AjeraSync="Y", address=None)
    record = {"EstimatedStartDate": "2026-03-01", "EstimatedCompletionDate": "2026-12-31", **ajera}
    ours = ajera_project(world.ajera, "26-01", "Town Hall", client, **record)
    theirs = crm_project(world.crm, "26-01", "Town Hall", firm, AjeraSync="Y")
    await world.run()
    await world.run()
    assert world.link(Kind.PROJECT, theirs) == ours
    return ours, theirs


def link_state(world: World, key: str) -> LinkState:
    link = world.service.store.links().of(Kind.PROJECT, Side.CRM, key)
    assert link is not None
    return link.state


async def test_a_closed_project_is_dormant_once_its_final_update_is_done_and_late_time_stays_out(world: World) -> None:
    ours, theirs = await job(world)
    world.clock.forward(hours=2)
    add_totals(world, ours, Spent_Labor="100")
    world.ajera_edit("projects", ours, Status="Closed", ActualCompletionDate="2026-03-05")
    await world.run()
    held = world.crm.get("project", theirs)
    assert (held["Status"], held["ActCompletionDate"][:10], held["AjeraSpentLabor"]) == ("I", "2026-03-05", 100)
    await world.run()
    assert link_state(world, theirs) is LinkState.DORMANT
    add_totals(world, ours, Spent_Labor="50")
    for _ in range(2):
        world.clock.forward(hours=26)
        await world.run()
    assert world.crm.get("project", theirs)["AjeraSpentLabor"] == 100
    world.ajera_edit("projects", ours, Status="Active")
    await world.run()
    await world.run()
    assert link_state(world, theirs) is LinkState.ACTIVE
    held = world.crm.get("project", theirs)
    assert (held["Status"], held["AjeraSpentLabor"]) == ("A", 150)


async def test_a_promotional_project_is_created_as_preliminary_and_its_tick_stands_once_it_is_won(world: World) -> None:
    firm = crm_firm(world.crm, "Acme Supplies", AjeraSync="Y")
    pursuit = crm_project(world.crm, "26-02", "Museum of Boats", firm, ChargeType="P")
    await world.first_pull()
    world.service.mark(Kind.PROJECT, [pursuit], True, template="Marketing")
    await world.run()
    ours = world.link(Kind.PROJECT, pursuit)
    assert world.ajera.get("projects", ours)["Status"] == "Preliminary"
    (error,) = world.service.errors()
    assert "Charge Type" in error.message
    writes = world.writes()
    await world.run()
    assert world.writes() == writes
    world.crm_edit("project", pursuit, ChargeType="R")
    add_totals(world, ours, Spent_Labor="1234567.8901")
    world.clock.forward(hours=25)
    await world.run()
    held = world.crm.get("project", pursuit)
    assert (held["AjeraSync"], held["ProjectTemplate"]) == ("Y", "MKTG")
    assert held["AjeraSpentLabor"] == Decimal("1234567.8901")
    assert held["Status"] == "A"
    assert world.service.errors() == ()


async def test_closed_projects_may_be_followed_by_setting(make: Make) -> None:
    world = make(settings=EngineSettings(Policy(closed_projects="follow")))
    ours, theirs = await job(world)
    world.ajera_edit("projects", ours, Status="Closed")
    await world.run()
    await world.run()
    assert link_state(world, theirs) is LinkState.ACTIVE
    add_totals(world, ours, Receipts_Labor="50.0001")
    world.clock.forward(hours=26)
    await world.run()
    assert world.crm.get("project", theirs)["AjeraReceivedLabor"] == Decimal("50.0001")


@pytest.mark.parametrize(
    ("ajera", "crm"), [("Hold", "D"), ("WorkHold", "D"), ("BillingHold", "D"), ("Closed", "I"), ("Preliminary", "A")]
)
async def test_each_status_of_ajera_has_one_in_the_crm(make: Make, ajera: str, crm: str) -> None:
    world = make()
    ours, theirs = await job(world)
    world.ajera_edit("projects", ours, Status=ajera)
    await world.run()
    assert world.crm.get("project", theirs)["Status"] == crm
    writes = world.writes()
    await world.run()
    await world.run()
    assert world.writes() == writes


async def test_a_status_goes_back_across_groups_only_and_a_project_is_never_closed_by_itself(make: Make) -> None:
    world = make()
    ours, theirs = await job(world)
    for crm, ajera in (("D", "Hold"), ("A", "Active")):
        world.crm_edit("project", theirs, Status=crm)
        await world.run()
        (item,) = world.service.drift()
        world.service.resolve(item.id, "crm")
        await world.run()
        assert world.ajera.get("projects", ours)["Status"] == ajera
    world.crm_edit("project", theirs, Status="I")
    await world.run()
    (item,) = world.service.drift()
    world.service.resolve(item.id, "crm")
    await world.run()
    assert world.ajera.get("projects", ours)["Status"] == "Active"
    (refusal,) = world.service.refusals()
    assert "set it there" in refusal.reason


async def test_a_number_is_set_on_create_and_never_after(make: Make) -> None:
    world = make()
    ours, theirs = await job(world)
    world.ajera_edit("projects", ours, ID="26-99")
    writes = world.writes()
    await world.run()
    assert world.writes() == writes
    assert world.crm.get("project", theirs)["WBS1"] == "26-01"


async def test_a_long_name_stands_in_long_name_and_its_cut_in_name(make: Make) -> None:
    world = make()
    ours, theirs = await job(world)
    long = "Town Hall, Council Chamber and Registry Office of the County"
    world.ajera_edit("projects", ours, Description=long)
    await world.run()
    held = world.crm.get("project", theirs)
    assert (held["Name"], held["LongName"]) == (long[:40].strip(), long)
    writes = world.writes()
    await world.run()
    assert world.writes() == writes


async def test_groups_that_disagree_leave_the_client_alone(make: Make) -> None:
    world = make()
    ours, theirs = await job(world)
    client = world.crm.get("project", theirs)["ClientID"]
    other = ajera_client(world.ajera, "Brown Bros")
    world.ajera.insert("invoice_groups", {"ProjectKey": ours, "ClientKey": other, "Description": "Second"})
    world.ajera_edit("projects", ours, Notes="a second group")
    await world.run()
    assert world.crm.get("project", theirs)["ClientID"] == client


async def test_a_new_client_on_the_invoice_group_goes_to_the_crm(make: Make) -> None:
    world = make()
    ours, theirs = await job(world)
    brown = crm_firm(world.crm, "Brown Bros", AjeraSync="Y")
    await world.run()
    key = world.link(Kind.FIRM, brown)
    (group,) = [k for k, row in world.ajera.tables["invoice_groups"].items() if row["ProjectKey"] == ours]
    world.clock.forward(hours=1)
    world.ajera.edit("invoice_groups", group, {"ClientKey": key})
    await world.run(sweep=True)
    assert world.crm.get("project", theirs)["ClientID"] == brown


async def test_inactive_projects_are_not_created_in_ajera(make: Make) -> None:
    world = make()
    firm = crm_firm(world.crm, "Acme Supplies", AjeraSync="Y")
    for number, status in (("26-10", "D"), ("26-11", "I")):
        crm_project(
            world.crm, number, f"Job {number}", firm, AjeraSync="Y", ProjectTemplate=TEMPLATE_CODE, Status=status
        )
    await world.run()
    assert not world.ajera.tables["projects"]
    assert len([r for r in world.service.refusals() if "only active projects" in r.reason]) == 2
