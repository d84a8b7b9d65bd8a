"""Employees and team (sync-rules 1, 3, 4, 5 and 8): from Ajera to the CRM, from 8.09 on."""

from __future__ import annotations

import re
import traceback
from datetime import timedelta
from decimal import Decimal

import httpx
import pytest

from core.errors import AjerasyncError
from core.model.values import Kind, Side
from tests.engine.kit import ajera_client, ajera_project, crm_firm, crm_project
from tests.engine.weekkit import PAY_RATE, SSN, Office, ajera_employee, an_office, crm_employee, type_key


def named(world: Office, last: str) -> list[dict[str, object]]:
    return [dict(row.full()) for row in world.crm.tables["employee"].values() if row["LastName"] == last]


async def test_an_active_employee_is_created_with_the_crms_own_number() -> None:
    async with an_office() as world:
        crm_employee(world, "00041", "Old", "Hand")
        key = ajera_employee(
            world, "Nora", "Newcomb", "Civil Engineer", Title="Engineer II", SecondaryPhoneNumber="617-555-0133"
        )
        await world.run()
        (row,) = named(world, "Newcomb")
        assert world.service.store.links().partner(Kind.EMPLOYEE, Side.AJERA, str(key)) == "00042"
        shown = {n: row[n] for n in ("Employee", "Status", "Title", "EMail", "WorkPhone", "MobilePhone", "Type", "Org")}
        assert shown == {
            "Employee": "00042",
            "Status": "A",
            "Title": "Engineer II",
            "EMail": "nora.newcomb@cedarstone.example",
            "WorkPhone": "617-555-0100",
            "MobilePhone": "617-555-0133",
            "Type": "E",
            "Org": "NE:AR",
        }
        assert str(row["HireDate"])[:10] == "2019-04-01"
        await world.run()
        assert len(named(world, "Newcomb")) == 1


async def test_equal_email_unique_on_both_sides_links_and_a_name_alone_does_not() -> None:
    async with an_office() as world:
        same = ajera_employee(world, "Ann", "Moor", "Designer")
        crm_employee(world, "00001", "Anne", "Moor-Hill", EMail="ann.moor@cedarstone.example")
        ajera_employee(world, "Bob", "Baker", "Designer", Email="bob@elsewhere.example")
        crm_employee(world, "00002", "Bob", "Baker")
        await world.run()
        links = world.service.store.links()
        assert links.partner(Kind.EMPLOYEE, Side.AJERA, str(same)) == "00001"
        assert len(named(world, "Baker")) == 1
        (candidate,) = world.service.candidates()
        assert (candidate.kind, candidate.crm_key) == (Kind.EMPLOYEE, "00002")


async def test_numbers_match_only_through_an_import() -> None:
    async with an_office() as world:
        key = ajera_employee(world, "Cid", "Cole", "Designer", Email="")
        crm_employee(world, "00007", "Cyd", "Kole", EMail="")
        await world.first_pull()
        marked = world.service.import_links([("employee", str(key), "00007")])
        assert not marked.refused
        await world.run()
        assert world.service.store.links().partner(Kind.EMPLOYEE, Side.AJERA, str(key)) == "00007"
        assert not named(world, "Cole")


async def test_nobody_who_has_left_is_created_and_a_leaver_becomes_terminated() -> None:
    async with an_office() as world:
        ajera_employee(world, "Gus", "Gone", "Drafter", Status="Inactive", DateTerminated="2025-01-31")
        stays = ajera_employee(world, "Lena", "Lind", "Drafter")
        crm_employee(world, "00003", "Lena", "Lind", Title="Drafter", WorkPhone="617-555-0100")
        await world.run()
        assert not named(world, "Gone")
        world.ajera_edit("employees", stays, DateTerminated="2026-03-02", Status="Inactive")
        await world.run()
        row = world.crm.get("employee", "00003")
        assert (row["Status"], row["TerminationDate"][:10]) == ("I", "2026-03-02"), "the last day is not past yet"
        world.clock.forward(hours=26)
        world.ajera_edit("employees", stays, Title="Drafter, retired")
        await world.run()
        assert world.crm.get("employee", "00003")["Status"] == "T"


async def test_a_t_is_never_turned_into_an_i() -> None:
    async with an_office() as world:
        key = ajera_employee(world, "Lena", "Lind", "Drafter", Status="Inactive")
        crm_employee(world, "00003", "Lena", "Lind", Status="T", Title="Drafter", WorkPhone="617-555-0100")
        await world.first_pull()
        world.service.import_links([("employee", str(key), "00003")])
        await world.run()
        world.ajera_edit("employees", key, Title="Former drafter")
        await world.run()
        row = world.crm.get("employee", "00003")
        assert (row["Status"], row["Title"]) == ("T", "Former drafter")
        assert not [item for item in world.service.differences() if item.field == "status"]


async def test_a_crm_edit_of_an_employee_is_drift_and_never_goes_to_ajera() -> None:
    async with an_office() as world:
        key = ajera_employee(world, "Ed", "Engel", "Civil Engineer")
        crm_employee(world, "00001", "Ed", "Engel", Title="Civil Engineer", WorkPhone="617-555-0100")
        await world.run()
        world.crm_edit("employee", "00001", Title="Wizard")
        await world.run()
        assert world.ajera.get("employees", key)["Title"] == "Civil Engineer"
        assert [(item.field, item.crm) for item in world.service.drift()] == [("title", "Wizard")]
        assert not [entry for entry in world.ajera_writes() if "Employee" in entry.method]


async def test_before_8_09_employees_are_matched_and_nothing_of_them_is_written() -> None:
    async with an_office(version="8.08.00") as world:
        key = ajera_employee(world, "Ann", "Moor", "Designer", Title="Other")
        ajera_employee(world, "Nora", "Newcomb", "Designer")
        crm_employee(world, "00001", "Ann", "Moor")
        await world.run()
        await world.run()
        assert world.service.store.links().partner(Kind.EMPLOYEE, Side.AJERA, str(key)) == "00001"
        assert not named(world, "Newcomb")
        assert world.writes() == 0


async def test_social_security_numbers_and_pay_are_dropped_where_the_reply_is_parsed() -> None:
    async with an_office() as world:
        ajera_employee(world, "Ann", "Moor", "Designer")
        crm_employee(world, "00001", "Ann", "Moor")
        await world.run()
        world.clock.forward(hours=25)
        await world.run(full=True, sweep=True)
        store = world.service.store
        held = [*store.records(Kind.EMPLOYEE, Side.AJERA).values(), *store.records(Kind.EMPLOYEE, Side.CRM).values()]
        assert len(held) == 2
        kept = b"".join(path.read_bytes() for path in world.folder.rglob("*") if path.is_file())
        told = repr([held, world.events, world.service.log(10_000), world.service.plan()])
        for secret in (SSN, PAY_RATE, "1980-02-29"):
            assert secret.encode() not in kept
            assert secret not in told


class Garbled(httpx.AsyncBaseTransport):
    """Ajera answers with employees whose key is somebody's social security number."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self.inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self.inner.handle_async_request(request)
        if b"GetEmployees" not in request.content:
            return answer
        body = re.sub(rb'"EmployeeKey":\s*\d+', b'"EmployeeKey": "%s"' % SSN.encode(), await answer.aread())
        assert SSN.encode() in body
        return httpx.Response(answer.status_code, content=body, headers={"content-type": "application/json"})


async def test_a_reply_that_cannot_be_read_tells_nothing_of_anybody_in_error_log_or_store() -> None:
    def wrap(side: Side, transport: httpx.AsyncBaseTransport) -> httpx.AsyncBaseTransport:
        return Garbled(transport) if side is Side.AJERA else transport

    async with an_office(wrap=wrap) as world:
        ajera_employee(world, "Ann", "Moor", "Designer")
        with pytest.raises(AjerasyncError) as caught:
            await world.run()
        told = "".join(traceback.format_exception(caught.value))
        kept = b"".join(path.read_bytes() for path in world.folder.rglob("*") if path.is_file())
        told += repr([world.events, world.service.log(1000), world.service.runs()])
        for secret in (SSN, PAY_RATE, "1980-02-29"):
            assert secret not in told
            assert secret.encode() not in kept
        assert "EmployeeKey" in str(caught.value)


# -- team ------------------------------------------------------------------------------------------


async def a_job(world: Office) -> tuple[int, str]:
    client = ajera_client(world.ajera, "Acme Supplies", Website="acme.example")
    firm = crm_firm(world.crm, "Acme Supplies", WebSite="acme.example", AjeraSync="Y", address=None)
    ours = ajera_project(world.ajera, "26-01", "Town Hall", client)
    theirs = crm_project(world.crm, "26-01", "Town Hall", firm, AjeraSync="Y")
    return ours, theirs


def post(world: Office, employee: int, project: int, hours: str, days_ago: int = 0) -> None:
    data = world.ajera
    phase = data.children["phases"][project][0]
    data.post_time(employee, project, phase, world.clock.at.date() - timedelta(days=days_ago), Decimal(hours))


def team(world: Office, project: str) -> dict[tuple[str, str], tuple[Decimal, str]]:
    rows = world.crm.rows("project_team", "WBS1", project)
    return {(row["Employee"], row["Role"]): (Decimal(row["CRMHours"]), str(row["StartDate"])[:10]) for row in rows}


async def test_hours_and_first_entry_of_old_and_new_timesheets_stand_on_the_team() -> None:
    async with an_office() as world:
        dora = ajera_employee(world, "Dora", "Dunn", "Designer")
        crm_employee(world, "00001", "Dora", "Dunn")
        ours, theirs = await a_job(world)
        post(world, dora, ours, "7.25", days_ago=200)
        post(world, dora, ours, "8", days_ago=1)
        await world.run()
        await world.run()
        assert team(world, theirs) == {("00001", "DESIGNER"): (Decimal("15.25"), "2025-08-14")}
        post(world, dora, ours, "0.5")
        world.clock.forward(hours=2)
        await world.run()
        assert team(world, theirs)["00001", "DESIGNER"] == (Decimal("15.75"), "2025-08-14")
        writes = world.writes()
        world.clock.forward(hours=2)
        await world.run()
        assert world.writes() == writes


async def test_a_row_of_the_same_employee_and_role_is_adopted_and_others_are_left_alone() -> None:
    async with an_office() as world:
        dora = ajera_employee(world, "Dora", "Dunn", "Designer")
        crm_employee(world, "00001", "Dora", "Dunn")
        ours, theirs = await a_job(world)
        mine = {"WBS1": theirs, "Employee": "00001"}
        world.crm.insert(
            "project_team", {**mine, "Role": "DESIGNER", "StartDate": "2026-01-15", "TeamStatus": "Active"}
        )
        world.crm.insert("project_team", {**mine, "Role": "SPECIFICAT", "CRMHours": 3})
        post(world, dora, ours, "4")
        await world.run()
        await world.run()
        assert team(world, theirs) == {
            ("00001", "DESIGNER"): (Decimal(4), "2026-01-15"),
            ("00001", "SPECIFICAT"): (Decimal(3), ""),
        }


async def test_a_role_the_crm_lacks_is_listed_with_what_to_do_and_the_rest_goes_through() -> None:
    async with an_office() as world:
        ian = ajera_employee(world, "Ian", "Intern", "Intern")
        dora = ajera_employee(world, "Dora", "Dunn", "Designer")
        for number, last in (("00001", "Intern"), ("00002", "Dunn")):
            crm_employee(world, number, {"Intern": "Ian", "Dunn": "Dora"}[last], last)
        ours, theirs = await a_job(world)
        post(world, ian, ours, "4")
        post(world, dora, ours, "5")
        await world.run()
        await world.run()
        assert team(world, theirs).keys() == {("00002", "DESIGNER")}
        (refusal,) = [r for r in world.service.refusals() if r.field == "team"]
        assert "Intern" in refusal.reason
        assert "add it there" in refusal.reason


async def test_a_lead_without_the_needed_flag_is_left_out_and_listed() -> None:
    async with an_office() as world:
        dora = ajera_employee(world, "Dora", "Dunn", "Designer")
        crm_employee(world, "00001", "Dora", "Dunn")
        ours, theirs = await a_job(world)
        await world.run()
        world.crm_edit("project", theirs, ProjMgr="00001", ProjectType="CIVIC")
        await world.run()
        held = world.ajera.get("projects", ours)
        assert held["ProjectManager"] is None
        assert held["ProjectTypeKey"] == type_key(world, "project_types", "Civic")
        (refusal,) = [r for r in world.service.refusals() if r.field == "manager"]
        assert "not marked as a project manager" in refusal.reason
        world.ajera_edit("employees", dora, IsProjectManager=True)
        world.crm_edit("project", theirs, Memo="moved")
        await world.run()
        assert world.ajera.get("projects", ours)["ProjectManager"]["EmployeeKey"] == dora
