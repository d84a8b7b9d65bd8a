"""Weeks nobody wrote: the life simulator edits both sides of a seeded practice, runs come in between, and the same
independent checker finds no difference that the operator is not shown."""

from __future__ import annotations

import pytest

from core.errors import GuardTripped
from core.model.link import Link, LinkState
from core.model.values import Kind
from core.sandbox.ajera.data import AjeraData
from core.sandbox.crm.data import CrmData
from core.sandbox.life import Life
from core.sandbox.seed import seed
from tests.engine.kit import FakeClock
from tests.engine.weekcheck import Checker, Difference
from tests.engine.weekkit import Office, an_office

# The checker's names of fields (the CRM's columns) and the program's own.
FIELDS = {
    "FirstName": "first_name",
    "MiddleName": "middle_name",
    "LastName": "last_name",
    "Title": "title",
    "Email": "email",
    "Phone": "phone",
    "CellPhone": "cell",
    "Fax": "fax",
    "ProjMgr": "manager",
    "Principal": "principal",
    "StartDate": "start_date",
    "EstCompletionDate": "estimated_completion",
    "ActCompletionDate": "actual_completion",
    "hired": "hire_date",
    "left": "termination_date",
}
BUDGET = ("Fee", "ConsultFee", "Reimb", "PctComp", "BudOHRate")


def systems(clock: FakeClock, number: int) -> tuple[AjeraData, CrmData]:
    ajera, crm = AjeraData(clock.server, "9.10.00", zone="America/Chicago"), CrmData(clock.server, "dps1")
    seed(ajera, crm, firms=14, contacts=24, projects=16, employees=8, seed=number)
    return ajera, crm


async def run(world: Office) -> None:
    """A run; an operator approves what a guard holds up."""
    world.clock.forward(minutes=9)
    try:
        await world.service.run()
    except GuardTripped:
        plan = world.service.plan()
        assert plan is not None
        await world.service.run(approve=plan.digest)


async def tick_everything(world: Office) -> None:
    await world.first_pull()
    tables = world.crm.tables
    world.service.mark(Kind.FIRM, [key for key, row in tables["firm"].items() if row["ClientInd"] == "Y"], True)
    projects = [key for key, row in tables["project"].items() if not row["WBS2"].strip() and row["Status"] == "A"]
    world.service.mark(Kind.PROJECT, projects, True)
    for key, row in list(tables["contact"].items()):
        if row["ClientID"]:
            world.service.mark(Kind.CONTACT, [key], True, firm=row["ClientID"])
    for _ in range(3):
        await run(world)


def shown(world: Office) -> set[tuple[Kind, str, str | None]]:
    """What the operator sees waiting: kind, key on either side, field (None for a whole record)."""
    service = world.service
    found: set[tuple[Kind, str, str | None]] = set()
    for item in (*service.conflicts(), *service.drift(), *service.differences()):
        found |= {(item.kind, item.ajera_key, item.field), (item.kind, item.crm_key, item.field)}
    found |= {(refusal.kind, refusal.key, refusal.field) for refusal in service.refusals()}
    return found | {(error.kind, error.key, None) for error in service.errors()}


def is_explained(world: Office, link: Link, each: Difference, waiting: set[tuple[Kind, str, str | None]]) -> bool:
    if link.state is not LinkState.ACTIVE:
        return True
    row = world.service.row(each.kind, link.crm_key)
    if each.kind is not Kind.EMPLOYEE and not row.marked and not (row.reason or "").startswith("with project"):
        return True  # unticked: dormant
    name = "compensation" if each.field.startswith(BUDGET) else FIELDS.get(each.field, each.field)
    name = "team" if each.field.startswith("hours of") else name
    keys = (link.ajera_key, link.crm_key)
    if any((each.kind, key, field) in waiting for key in keys for field in (name, None)):
        return True
    # A contact's firm takes part only when it is linked itself: it waits as a candidate or unticked.
    return name == "firm" and each.ajera == "[]"


@pytest.mark.parametrize("number", [1, 6])
async def test_a_simulated_week_leaves_no_difference_that_is_not_shown(number: int) -> None:
    clock = FakeClock()
    async with an_office(clock=clock, data=systems(clock, number)) as world:
        await tick_everything(world)
        life = Life(world.ajera, world.crm, 0, seed=number, clock=clock.now)
        for step in range(1, 161):
            clock.forward(minutes=3)
            life.step()
            if step % 16 == 0:
                await run(world)
        for _ in range(2):
            clock.forward(hours=26)
            await run(world)
        writes = world.writes()
        await run(world)
        assert world.writes() == writes
        checker, waiting = Checker(world), shown(world)
        links = {(link.kind, checker.label_of(link.kind, link.crm_key)): link for link in world.service.links()}
        strange = [
            each
            for each in checker.differences()
            if each.field != "gone" and not is_explained(world, links[each.kind, each.label], each, waiting)
        ]
        assert not strange, "\n".join(map(str, strange))
        assert checker.deletions() == []
        assert len(world.service.links()) > 30
