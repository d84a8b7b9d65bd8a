"""Reading Ajera through the adapter: connect, records, cursors and their proof, totals, hours."""

from __future__ import annotations

import json
import logging
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from core.ajera.changes import Mark
from core.ajera.system import AjeraSystem
from core.errors import AccessRefused, ListNotTrusted, LoginRefused
from core.model.record import Entry
from core.model.values import Address, Kind, Ref, Side
from core.ports import Accounting, System
from core.sandbox.ajera import filters
from tests.contract.ajera_kit import Rig, rig
from tests.sandbox.ajera_books import books


async def test_it_is_a_system_and_the_accounting() -> None:
    async with rig() as r:
        system: System = r.system
        accounting: Accounting = r.system
        assert system.side is Side.AJERA
        assert accounting is r.system


async def test_connect_tells_version_codes_templates_and_limits() -> None:
    async with rig() as r:
        connection = await r.system.connect()
        assert (connection.version, connection.company) == ("9.10.00", r.data.company)
        assert connection.codes[Kind.FIRM, "type"] == ("Private", "Government")
        assert connection.codes[Kind.PROJECT, "type"] == ("Residential", "Civic")
        assert connection.templates == ("Standard building",)
        assert connection.flat_templates == {"Standard building"}
        assert connection.limits[Kind.PROJECT, "name"] == 80
        assert connection.mark_columns == {"project"}
        assert connection.warnings == ()
        r.forget()
        assert await r.system.connect() == connection
        assert r.methods == []
        r.clock.advance(hours=1)
        await r.system.connect()
        assert r.methods[:2] == ["CreateAPISession", "EndAPISession"]
        assert "ListClientTypes" in r.methods
        assert len(r.server.sessions.open) == 1


async def test_a_template_that_nests_is_whole_where_nesting_is_taken() -> None:
    async with rig(create_phases="nested") as r:
        assert (await r.system.connect()).flat_templates == frozenset()


async def test_a_list_that_may_not_be_read_costs_its_field_only() -> None:
    data = books()
    allowed = ["ListClients", "GetClients", "ListProjectTypes", "ListDepartments", "ListEmployeeTypes"]
    data.insert("users", {"Username": "small", "Password": "pw", "EmployeeKey": None, "Methods": allowed})
    data.username, data.password = "small", "pw"
    for quirk in ("error", "empty"):
        async with rig(data, unknown_method=quirk) as r:
            r.data.username = "someone else"
            connection = await r.system.connect()
            assert (Kind.FIRM, "type") not in connection.codes
            assert any("ListClientTypes" in warning for warning in connection.warnings)
            assert len((await r.system.pull(Kind.FIRM, None)).records) == 3
            with pytest.raises(AccessRefused, match="ListContacts"):
                await r.system.keys(Kind.CONTACT)
            r.data.username = "small"


async def test_a_wrong_password_is_a_refused_login() -> None:
    async with rig() as r:
        r.data.password = "changed"
        with pytest.raises(LoginRefused) as caught:
            await r.system.connect()
        assert "sandbox" not in str(caught.value)


@pytest.mark.parametrize("nulls", ["omit", "null", "empty"])
@pytest.mark.parametrize("code", ["200", "0"])
@pytest.mark.parametrize("zero", ["no", "yes"])
async def test_all_kinds_are_read_whatever_the_tenant_leaves_out(nulls: str, code: str, zero: str) -> None:
    async with rig(null_properties=nulls, success_code=code, zero_error_item=zero) as r:
        firms = {record.key: record for record in (await r.system.pull(Kind.FIRM, None)).records}
        acme = firms["1"]
        assert (acme.name, acme.label) == ("Acme Supplies", "Acme Supplies")
        assert acme.fields["type"] == "Private"
        assert acme.fields["address"] == Address()
        assert acme.fields["email"] == ""
        assert acme.contacts == (Entry("1", "Owner"), Entry("2", "Owner"))
        assert firms["3"].fields["status"] == "Inactive"
        contact = await r.one(Kind.CONTACT, 1)
        assert contact.name == "Stone, Mia"
        assert contact.fields["firm"] == Ref(Kind.FIRM, Side.AJERA, "1")
        assert (await r.one(Kind.CONTACT, 3)).fields["firm"] is None


async def test_a_project_with_its_people_client_amounts_and_flags() -> None:
    async with rig() as r:
        hall = await r.one(Kind.PROJECT, 1)
        assert hall.label == "26-001 Town Hall"
        assert (hall.number, hall.marked, hall.create_in_crm) == ("26-001", True, False)
        assert hall.fields["client"] == Ref(Kind.FIRM, Side.AJERA, "1")
        assert hall.fields["manager"] == Ref(Kind.EMPLOYEE, Side.AJERA, "1")
        assert hall.fields["principal"] is None
        assert hall.fields["type"] == "Residential"
        assert hall.fields["percent_complete"] == 40
        assert hall.fields["overhead_rate"] == 150
        assert hall.extra["TotalContractAmount"] == "125000.5"
        assert hall.extra["DepartmentOverheadPercent"] == "150"
        assert (hall.extra["BillingType"], hall.extra["BillExpenseAsTE"]) == ("TimeAndExpense", "N")
        assert hall.extra["PhaseTerms"] == "same"
        assert hall.contacts == (Entry("3", "Owner"),)
        assert not any(name.startswith(("spent", "cost", "billed")) for name in hall.fields)
        assert "compensation" not in hall.fields


async def test_groups_that_name_different_clients_leave_the_client_unread() -> None:
    async with rig() as r:
        r.data.insert("invoice_groups", {"ProjectKey": 1, "Description": "Two", "ClientKey": 2})
        hall = await r.one(Kind.PROJECT, 1)
        assert "client" not in hall.fields
        assert "2 different clients" in hall.extra["client_note"]


async def test_percent_scale_is_told_by_a_quirk() -> None:
    async with rig(percent_scale="one") as r:
        hall = await r.one(Kind.PROJECT, 1)
        assert hall.fields["percent_complete"] == 40


async def test_nothing_sensitive_of_an_employee_gets_past_the_parser(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with rig() as r:
        r.data.edit("employees", 1, {"BirthDate": "1980-01-02", "Gender": "F", "PrimaryAddressCity": "Secretville"})
        await r.system.connect()
        pulled = await r.system.pull(Kind.EMPLOYEE, None)
        everything = repr(pulled) + json.dumps([record.raw for record in pulled.records], default=str) + caplog.text
        for private in ("900-11-2222", "PayRate", "1980-01-02", "Gender", "Secretville", "icr-secret-4711"):
            assert private not in everything
        ana = next(record for record in pulled.records if record.key == "1")
        assert (ana.extra["is_project_manager"], ana.extra["is_principal"]) == ("Y", "Y")
        assert ana.extra["type"] == "Senior"


async def test_an_employee_whose_last_day_is_past_is_terminated() -> None:
    async with rig() as r:
        r.data.edit("employees", 2, {"DateTerminated": "2020-01-31"})
        assert (await r.one(Kind.EMPLOYEE, 2)).fields["status"] == "Terminated"
        r.data.edit("employees", 2, {"DateRehired": "2021-01-31"})
        assert (await r.one(Kind.EMPLOYEE, 2)).fields["status"] == "Active"


# -- cursors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", list(Kind))
async def test_a_pull_without_changes_reads_the_overlap_until_it_is_past(kind: Kind) -> None:
    async with rig() as r:
        first = await r.system.pull(kind, None)
        assert first.whole
        second = await r.system.pull(kind, first.cursor)
        assert (second.cursor, second.whole) == (first.cursor, False)
        r.forget()
        third = await r.system.pull(kind, second.cursor)
        assert len(r.calls) == 2
        assert third.cursor == first.cursor


@pytest.mark.parametrize("kind", list(Kind))
async def test_once_nothing_can_come_late_a_pull_without_changes_is_one_request(kind: Kind) -> None:
    async with rig(dated=True, session_minutes=600) as r:
        cursor = (await r.system.pull(kind, None)).cursor
        r.clock.advance(minutes=3)
        cursor = (await r.system.pull(kind, cursor)).cursor
        assert cursor.endswith("!")
        for requests in (2, 1, 1):
            r.forget()
            assert (await r.system.pull(kind, cursor)).cursor == cursor
            assert len(r.calls) == requests
        r.clock.advance(hours=1)
        r.forget()
        await r.system.pull(kind, cursor)
        assert sum(method.startswith("List") for method in r.methods) == 2


async def settled(r: Rig) -> str:
    """A cursor that nothing can come before any more, proved a moment ago."""
    cursor = (await r.system.pull(Kind.FIRM, None)).cursor
    r.clock.advance(minutes=3)
    for _ in range(2):
        cursor = (await r.system.pull(Kind.FIRM, cursor)).cursor
    return cursor


async def test_a_second_edit_of_the_newest_record_is_seen_by_the_short_list() -> None:
    async with rig(dated=True) as r:
        cursor = await settled(r)
        mark = Mark.parse(cursor)
        assert mark is not None
        r.data.edit("clients", mark.key, {"Website": "again.example"})
        pulled = await r.system.pull(Kind.FIRM, cursor)
        assert [record.key for record in pulled.records] == [str(mark.key)]
        assert pulled.cursor > cursor


async def test_a_filter_that_begins_to_be_ignored_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig(date_unreadable="ignore", dated=True) as r:
        cursor = await settled(r)
        monkeypatch.setattr(filters, "read_filter_date", lambda *_: None)
        with pytest.raises(ListNotTrusted, match="ignores"):
            await r.system.pull(Kind.FIRM, cursor)


async def test_what_comes_late_within_two_minutes_is_read() -> None:
    async with rig() as r:
        r.data.edit("clients", 2, {"Website": "kent.example"})
        cursor = (await r.system.pull(Kind.FIRM, None)).cursor
        r.clock.advance(minutes=1)
        r.data.edit("clients", 3, {"Website": "late.example"})
        mark = Mark.parse(cursor)
        assert mark is not None
        r.data.stamps["clients"][3] = mark.moment - timedelta(seconds=30)  # saved before it, seen after it
        assert "3" in {record.key for record in (await r.system.pull(Kind.FIRM, cursor)).records}


async def test_code_tables_on_a_shelf_are_not_asked_for_by_the_next_program() -> None:
    class Kept(dict[str, Any]):
        def get(self, name: str) -> Any:  # type: ignore[override] # a shelf's get answers value and age
            return (json.loads(self[name]), 60.0) if name in self else None

        def put(self, name: str, value: Any) -> None:
            self[name] = json.dumps(value)

    shelf = Kept()
    async with rig() as r:
        first = AjeraSystem(r.system.client, shelf=shelf)
        connection = await first.connect()
        r.forget()
        again = await AjeraSystem(r.system.client, shelf=shelf).connect()
        assert set(r.methods) <= {"CreateAPISession", "EndAPISession"}
        assert (again.codes, again.templates, again.flat_templates) == (
            connection.codes,
            connection.templates,
            connection.flat_templates,
        )
        shelf["tables"] = '{"references": 7}'
        await AjeraSystem(r.system.client, shelf=shelf).connect()
        assert "ListClientTypes" in r.methods


async def test_only_what_changed_comes_and_the_cursor_moves() -> None:
    async with rig() as r:
        cursor = (await r.system.pull(Kind.FIRM, None)).cursor
        r.clock.advance(minutes=30)
        r.data.edit("clients", 2, {"Website": "kent.example"})
        pulled = await r.system.pull(Kind.FIRM, cursor)
        assert "2" in {record.key for record in pulled.records}
        r.clock.advance(minutes=30)
        r.data.edit("clients", 3, {"Website": "mill.example"})
        after = await r.system.pull(Kind.FIRM, pulled.cursor)
        assert [record.key for record in after.records] == ["2", "3"]  # Kent lies in the overlap
        assert [record.key for record in (await r.system.pull(Kind.FIRM, after.cursor)).records] == ["3"]
        assert after.cursor > pulled.cursor


async def test_a_large_overlap_is_not_read_again() -> None:
    async with rig() as r:
        for number in range(80):
            r.data.insert("clients", {"Description": f"Client {number}"})
        cursor = (await r.system.pull(Kind.FIRM, None)).cursor
        await r.system.pull(Kind.FIRM, cursor)
        r.forget()
        assert (await r.system.pull(Kind.FIRM, cursor)).records == ()
        assert r.methods == ["ListClients", "ListClients"]
        r.data.edit("clients", 5, {"Website": "five.example"})
        pulled = await r.system.pull(Kind.FIRM, cursor)
        assert "5" in {record.key for record in pulled.records}
        r.clock.advance(minutes=10)
        r.data.edit("clients", 6, {"Website": "six.example"})
        last = await r.system.pull(Kind.FIRM, pulled.cursor)
        assert "6" in {record.key for record in last.records}


async def test_an_ignored_filter_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig(date_unreadable="ignore") as r:
        cursor = (await r.system.pull(Kind.FIRM, None)).cursor
        monkeypatch.setattr(filters, "read_filter_date", lambda *_: None)
        with pytest.raises(ListNotTrusted, match="ignores"):
            await r.system.pull(Kind.FIRM, cursor)


async def test_a_filter_that_answers_empty_falsely_is_found_out() -> None:
    async with rig() as r:
        cursor = (await r.system.pull(Kind.FIRM, None)).cursor
        mark = Mark.parse(cursor)
        assert mark is not None
        ahead = Mark(mark.moment + timedelta(days=2), mark.key)
        with pytest.raises(ListNotTrusted, match="lacks"):
            await r.system.pull(Kind.FIRM, str(ahead))


async def test_a_newest_record_that_was_deleted_is_no_broken_filter() -> None:
    async with rig() as r:
        cursor = (await r.system.pull(Kind.FIRM, None)).cursor
        mark = Mark.parse(cursor)
        assert mark is not None
        r.data.delete("clients", mark.key)
        assert str(mark.key) not in {record.key for record in (await r.system.pull(Kind.FIRM, cursor)).records}


@pytest.mark.parametrize("quirks", [{"date_filter": "day"}, {"date_bounds": "exclusive"}, {"missing_key": "error"}])
async def test_cursors_work_with_each_reading_of_the_filter(quirks: dict[str, object]) -> None:
    async with rig(**quirks) as r:
        cursor = (await r.system.pull(Kind.FIRM, None)).cursor
        r.clock.advance(hours=1)
        r.data.edit("clients", 2, {"Website": "kent.example"})
        pulled = await r.system.pull(Kind.FIRM, cursor)
        assert "2" in {record.key for record in pulled.records}
        assert await r.system.get(Kind.FIRM, ["1", "999"]) == {"1": await r.one(Kind.FIRM, 1)}


async def test_keys_are_the_whole_list() -> None:
    async with rig() as r:
        assert await r.system.keys(Kind.FIRM) == {"1", "2", "3"}


async def test_gets_come_in_batches() -> None:
    data = books()
    for number in range(120):
        data.insert("employees", {"FirstName": "E", "LastName": f"Number {number}"})
    async with rig(data) as r:
        pulled = await r.system.pull(Kind.EMPLOYEE, None)
        assert len(pulled.records) == 122
        assert r.methods.count("GetEmployees") == 3


async def test_an_ended_session_is_renewed_once() -> None:
    async with rig() as r:
        await r.system.pull(Kind.FIRM, None)
        r.server.sessions.kill()
        assert len((await r.system.pull(Kind.FIRM, None)).records) == 3
        assert r.methods.count("CreateAPISession") == 2


async def test_refusals_for_rate_inside_the_envelope_are_waited_out(monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig(throttle="error") as r:
        waits = iter([1.0, 0.0])
        monkeypatch.setattr(r.server.throttle, "wait_needed", lambda: next(waits, 0.0))
        pauses: list[int] = []

        async def pause(attempt: int) -> None:
            pauses.append(attempt)

        monkeypatch.setattr(r.system.client.http, "pause", pause)
        await r.system.connect()
        assert pauses == [1]


# -- accounting ------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", ["object", "array", "projects"])
async def test_totals_in_every_shape(shape: str) -> None:
    async with rig(totals_shape=shape) as r:
        totals = await r.system.totals("1")
        assert len(totals) == 15
        assert totals["spent_labor"] == 1200
        assert totals["cost_labor"] == 480
        assert totals["billed_consultant"] == 0
        assert r.system.hours_worked("1") == 8


@pytest.mark.parametrize("day_one", ["ends", "starts"])
async def test_hours_by_project_employee_and_role(day_one: str) -> None:
    async with rig(timesheet_day_one=day_one) as r:
        r.data.post_time(1, 1, 2, date(2026, 2, 26), Decimal("1.5"), 1)
        (hours,) = await r.system.hours(date(2026, 2, 1), date(2026, 3, 1))
        assert (hours.project, hours.employee, hours.role) == ("1", "1", "Senior")
        assert (hours.hours, hours.first) == (Decimal("9.5"), date(2026, 2, 24))
        assert await r.system.hours(date(2026, 3, 1), date(2026, 3, 8)) == []
        (part,) = await r.system.hours(date(2026, 2, 25), date(2026, 2, 26))
        assert part.hours == Decimal("1.5")


async def test_a_list_of_timesheets_cut_at_500_is_split_by_employee() -> None:
    data = books()
    for number in range(600):
        key = data.insert("employees", {"FirstName": "E", "LastName": f"N{number}", "EmployeeTypeKey": 1})
        data.post_time(key, 1, 2, date(2026, 2, 24), Decimal(1), 1)
    async with rig(data) as r:
        hours = await r.system.hours(date(2026, 2, 24), date(2026, 2, 24))
        assert len(hours) == 601
        assert sum(each.hours for each in hours) == 608
