"""Projects, rule by rule (sync-rules 2, 5, 6 and 8): creation, status, closing, the way to and from promotional."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from core.model.link import LinkState
from core.model.values import Kind, Side
from tests.engine.kit import World, ajera_client, ajera_project, crm_firm, crm_project
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
