"""A week in the life of a firm: about 200 edits by people on both sides, runs in between, both systems in step.

What is compared is read from the two sandboxes by a checker of its own (weekcheck.py). The story (weekstory.py) says
which differences it meant to leave, and why; there may be no other.
"""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest_asyncio

from core.model.link import LinkState
from core.model.values import Kind, Side
from tests.engine.conftest import quick_folder
from tests.engine.kit import FakeClock
from tests.engine.weekcheck import Checker, by_reason
from tests.engine.weekkit import PAY_RATE, SSN, Office
from tests.engine.weekstory import DAYS, EXACT, HOSTILE, MONDAY, Week, opening, saturday, take_over

CONTROL = ("\u202e", "\x1b", "\x07")


@pytest_asyncio.fixture
async def week() -> AsyncIterator[Week]:
    with tempfile.TemporaryDirectory(dir=quick_folder()) as root:
        world = Office(Path(root) / "state", clock=FakeClock(MONDAY))
        yield opening(world)
        await world.close()


async def test_a_week_in_the_life_of_a_firm(week: Week) -> None:
    world = week.world
    await take_over(week)
    assert Checker(world).differences() == []
    for number, day in enumerate(DAYS):
        world.clock.at = max(world.clock.at, MONDAY + timedelta(days=number))
        await day(week)
    await saturday(week)
    writes = world.writes()
    await week.people.run()
    assert world.writes() == writes, "the week has ended, and there is nothing more to write"
    assert len(week.people.edits) >= 200
    in_step_but_for_what_was_meant(week)
    queues_hold_what_the_story_left(week)
    nothing_was_doubled_deleted_or_lost(week)
    every_write_of_the_program_is_an_action_of_its_history(week)
    the_turns_of_the_story_ended_well(week)
    nothing_private_was_kept(week)


def in_step_but_for_what_was_meant(week: Week) -> None:
    explained, strange, in_vain = by_reason(Checker(week.world).differences(), week.intended)
    assert not strange, "\n".join(map(str, strange))
    assert in_vain == []
    assert set(explained) == set(week.intended.values())


def queues_hold_what_the_story_left(week: Week) -> None:
    """Every difference is visible to the operator: as a conflict, drift, a refusal, or by the record's state."""
    service = week.world.service
    assert [(item.label, item.field) for item in service.conflicts()] == [("Eriksen, Eve", "email")]
    assert {(item.kind, item.field) for item in service.drift()} == {
        (Kind.EMPLOYEE, "title"),
        (Kind.PROJECT, "client"),
    }
    assert service.differences() == ()
    assert service.candidates() == ()
    assert service.errors() == ()
    refused = {(r.label.split()[0], r.field) for r in service.refusals()}
    assert refused == {
        ("2025-010", "type"),
        ("2025-020", "compensation"),
        ("2025-030", "name"),
        ("2026-001", "principal"),
    }
    gone = [link for link in service.links() if link.state is LinkState.GONE]
    assert {link.ajera_key for link in gone} == {
        str(week.firms["Old Mill Developers"][0]),
        str(week.firms["O’Neil & Söhne"][0]),
    }
    dormant = [link.crm_key for link in service.links() if link.state is LinkState.DORMANT]
    assert dormant == ["2025-050"]


def nothing_was_doubled_deleted_or_lost(week: Week) -> None:
    checker = Checker(week.world)
    namesake = ["Ajera clients: acme supplies", "CRM firms: acme supplies"]
    assert checker.duplicates() == namesake
    assert checker.deletions() == []
    lost = checker.lost(week.people.edits)
    assert not lost, "\n".join(lost)


def every_write_of_the_program_is_an_action_of_its_history(week: Week) -> None:
    """Law 13: each server write is traced to one action of one plan."""
    service, done = week.world.service, set()
    for run in service.runs(10_000):
        for entry in service.run_history(run.id):
            if entry.outcome == "done" and entry.op in ("create", "update"):
                key = entry.ajera_key if entry.side is Side.AJERA else entry.crm_key
                done.add((entry.side, entry.kind, key))
    crm = {"firm": Kind.FIRM, "address": Kind.FIRM, "contact": Kind.CONTACT, "employee": Kind.EMPLOYEE}
    for write in week.world.crm_writes():
        kind = crm.get(write.table, Kind.PROJECT)
        key = write.key
        if write.table == "address":
            key = week.world.crm.get("address", key)["ClientID"]
        elif write.table.startswith("project_"):
            key = week.world.crm.get(write.table, key)["WBS1"]
        assert (Side.CRM, kind, key.split("|")[0]) in done, write
    ajera = {"clients": Kind.FIRM, "contacts": Kind.CONTACT, "projects": Kind.PROJECT}
    for call in week.world.ajera_writes():
        for change in call.changes:
            if change.table in ajera:
                assert (Side.AJERA, ajera[change.table], str(change.key)) in done, call


def the_turns_of_the_story_ended_well(week: Week) -> None:
    world = week.world
    ajera, crm = world.ajera.tables, world.crm
    hall = crm.get("project", "2025-010")
    assert hall["AjeraBilledLabor"] == Decimal(EXACT) + 4 * Decimal("1500.25")
    assert hall["AjeraWIPLabor"] % 1 == world.ajera.totals_of(week.jobs["2025-010"][0])["WIP Labor"] % 1
    museum = crm.get("project", week.new["Museum Pursuit"])
    assert (museum["AjeraSync"], museum["ChargeType"], museum["Fee"]) == ("Y", "R", Decimal("250000.55"))
    assert ajera["clients"][week.client("Hostile")]["Description"] == HOSTILE
    (nora,) = [row for row in crm.tables["employee"].values() if row["LastName"] == "Newcomb"]
    assert (nora["Employee"], nora["Org"], nora["Type"], nora["Status"]) == ("00006", "NE:AR", "E", "A")
    assert crm.get("employee", week.staff["Lind"][1])["Status"] == "T"
    birch, acme_there = week.firms["Birch Hospital"][0], week.firms["Acme Supplies"][0]
    assert _clients_of(week, week.person("Hill")) == {birch}
    assert _clients_of(week, week.contacts["Baker"][0]) == {birch, acme_there}, "people's own entry is left alone"
    dorn = week.contacts["Dorn"]
    assert _clients_of(week, dorn[0]) == {week.firms["Old Mill Holdings"][0]}
    assert crm.get("firm", week.firms["Ferry Company"][1])["Status"] == "D", "a D is never turned into an I"
    assert ajera["projects"][week.jobs["2025-040"][0]]["Status"] == "Hold"
    kent = [row for row in crm.tables["contact"].values() if row["ClientID"] == week.firms["Borough of Kent"][1]]
    assert sum(row["AjeraSync"] == "Y" for row in kent) == 5
    assert crm.get("contact", week.contacts["Cole"][1])["CellPhone"] == "617-555-0150"


def _clients_of(week: Week, contact: int) -> set[int]:
    clients = week.world.ajera.tables["clients"].values()
    return {row["ClientKey"] for row in clients if any(e["ContactKey"] == contact for e in row["Contacts"])}


def nothing_private_was_kept(week: Week) -> None:
    """Social security numbers and pay never reach the store, the log or an event; hostile text never acts there."""
    kept = b"".join(path.read_bytes() for path in sorted(week.world.folder.rglob("*")) if path.is_file())
    told = repr([week.world.events, week.world.service.log(100_000)])
    for secret in (SSN, PAY_RATE, week.world.ajera.password, week.world.crm.password, week.world.crm.client_secret):
        assert secret.encode() not in kept
        assert secret not in told
    assert SSN.encode() in repr(week.world.ajera.tables["employees"]).encode()
    for line in week.world.service.log(100_000):
        assert not any(char in line["text"] for char in CONTROL)


async def test_the_checker_sees_a_single_wrong_value_of_every_kind(week: Week) -> None:
    """Without this a checker that compares nothing would find both systems in step."""
    await take_over(week)
    world = week.world
    wrongs: list[tuple[str, str, dict[str, Any]]] = [
        ("firm", week.firms["Acme Supplies"][1], {"WebSite": "wrong.example"}),
        ("contact", week.contacts["Archer"][1], {"Title": "Wrong"}),
        ("contact", week.contacts["Baker"][1], {"ClientID": week.firms["Birch Hospital"][1]}),
        ("employee", week.staff["Dunn"][1], {"TerminationDate": "2026-01-01"}),
        ("project", "2025-010", {"AjeraCostLabor": Decimal("0.0001")}),
        ("project", "2025-020", {"Fee": 1, "PctComp": 1}),
        ("project", "2025-030", {"EstCompletionDate": "2030-01-01", "Status": "D", "ProjMgr": ""}),
    ]
    for table, key, values in wrongs:
        world.crm.edit(table, key, values)
    world.ajera.post_time(
        week.staff["Engel"][0],
        week.jobs["2025-040"][0],
        world.ajera.children["phases"][week.jobs["2025-040"][0]][0],
        week.people.today,
        Decimal(1),
    )
    found = {(d.kind, d.field) for d in Checker(world).differences()}
    assert found >= {
        (Kind.FIRM, "website"),
        (Kind.CONTACT, "Title"),
        (Kind.CONTACT, "firm"),
        (Kind.EMPLOYEE, "left"),
        (Kind.PROJECT, "AjeraCostLabor"),
        (Kind.PROJECT, "Fee"),
        (Kind.PROJECT, "PctComp"),
        (Kind.PROJECT, "EstCompletionDate"),
        (Kind.PROJECT, "status"),
        (Kind.PROJECT, "ProjMgr"),
        (Kind.PROJECT, "hours of Engel"),
        (Kind.PROJECT, "AjeraSpentLabor"),
    }
