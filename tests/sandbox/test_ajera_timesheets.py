"""Timesheets and the accounting lists of the emulated Ajera."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from core.sandbox.ajera.call import INVALID_DATA
from tests.sandbox.ajera_books import Ajera, books, running


async def sheet(ajera: Ajera, key: int = 1) -> dict[str, Any]:
    found: list[dict[str, Any]] = (await ajera.content("GetTimesheets", {"RequestedTimesheets": [key]}, 2))[
        "Timesheets"
    ]
    return found[0]


async def test_rows_have_spaced_names_and_approvals_only_once_acted_on() -> None:
    async with running() as ajera:
        row = (await ajera.content("ListTimesheets", {}, 2))["Timesheets"][0]
        assert (row["Timesheet Key"], row["Employee"], row["Timesheet Total"]) == (1, "Ana Ruiz", 8)
        assert "Supervisor Approved" not in row
        assert "Rejected" not in row
        ajera.data.edit("timesheets", 1, {"SupervisorApproved": True, "SupervisorApprovedBy": 2, "Rejected": True})
        row = (await ajera.content("ListTimesheets", {}, 2))["Timesheets"][0]
        assert (row["Supervisor Approved By"], row["Rejected Value"]) == ("Bo Lind", 1)


@pytest.mark.parametrize(("quirk", "day"), [("ends", "2026-03-01"), ("starts", "2026-02-23")])
async def test_the_date_names_the_last_or_the_first_day(quirk: str, day: str) -> None:
    async with running(timesheet_day_one=quirk) as ajera:
        found = await sheet(ajera)
        assert found["TimesheetDate"] == f"{day}T00:00:00"
        row = found["Project"]["Detail"][0]
        assert row["D2 Regular"] == 8, "24 February 2026 is the second day of its week either way"
        assert "D1 Regular" not in row
        window = {"FilterByEarliestTimesheetDate": day, "FilterByLatestTimesheetDate": day}
        assert (await ajera.content("ListTimesheets", window, 2))["Timesheets"][0]["Timesheet Date"] == day


async def test_filters() -> None:
    data = books()
    data.post_time(2, 1, 2, date(2026, 3, 3), Decimal(4))
    data.edit("timesheets", 2, {"Submitted": True, "SubmittedDate": "2026-03-08", "SubmittedBy": 2})
    async with running(data) as ajera:

        async def keys(**filters: Any) -> list[int]:
            return [r["Timesheet Key"] for r in (await ajera.content("ListTimesheets", filters, 2))["Timesheets"]]

        assert await keys(FilterBySubmitted=True) == [2]
        assert await keys(FilterByUnsubmitted=True) == [1]
        assert await keys(FilterBySubmitted=False) == [1, 2]
        assert await keys(FilterByEmployee=[1], FilterByCompany=[1]) == [1]
        assert await keys(FilterByNameLike="lind") == [2]
        assert await keys(FilterByPaid=True) == []
        assert await ajera.refusal("ListTimesheets", {"FilterByLatestTimesheetDate": "2026"}, 2) == INVALID_DATA


async def test_the_list_is_cut_at_500_without_a_word() -> None:
    data = books()
    for week in range(600):
        data.post_time(1, 1, 2, date(2010, 1, 4) + timedelta(weeks=week), Decimal(1))
    async with running(data) as ajera:
        reply = await ajera.call("ListTimesheets", {}, 2)
        assert len(reply["Content"]["Timesheets"]) == 500
        assert (reply["Message"], reply["Errors"]) == ("Success", [])


async def test_timesheets_need_version_2_and_an_authorizing_employee() -> None:
    async with running() as ajera:
        assert "supported with api version 2" in await ajera.refusal("ListTimesheets", {}, 1)
    async with running(authorizing_employee="no") as ajera:
        assert (await ajera.login(2))["Content"]["Timesheets"]["UserHasAccess"] is False
        assert (await ajera.call("ListTimesheets", {}, 2))["ResponseCode"] == -150
        assert (await ajera.call("ListAccountGroups"))["ResponseCode"] == -150


async def create(ajera: Ajera, **more: Any) -> dict[str, Any]:
    args = {"Timesheet": {"EmployeeKey": 2, "TimesheetDate": "2026-03-04", **more}}
    return await ajera.call("CreateTimesheet", args, 2)


async def test_a_timesheet_is_created_once_a_week_and_not_long_ago() -> None:
    async with running() as ajera:
        made = (await create(ajera))["Content"]["Timesheets"][0]
        assert made["TimesheetDate"] == "2026-03-08T00:00:00"
        assert "already exists" in (await create(ajera))["Message"]
        assert "90 days" in (await create(ajera, TimesheetDate="2025-06-01"))["Message"]
        assert (await create(ajera, TimesheetDate="2025-06-01", AllowPast90Days=True))["ResponseCode"] == 200
        assert (await create(ajera, EmployeeKey=99))["Message"] == INVALID_DATA
        copied = await create(ajera, TimesheetDate="2026-03-11", CopyFromTimesheetKey=1)
        rows = copied["Content"]["Timesheets"][0]["Project"]["Detail"]
        assert [r["Phase Description"] for r in rows] == ["Design"]


async def update(ajera: Ajera, before: dict[str, Any], **rows: Any) -> dict[str, Any]:
    one = {"TimesheetKey": before["TimesheetKey"], "UnchangedData": before["UnchangedData"], **rows}
    return await ajera.call("UpdateTimesheets", {"Timesheets": [one]}, 2)


async def test_hours_are_changed_by_day_and_reach_the_totals() -> None:
    async with running() as ajera:
        before = await sheet(ajera)
        row = {"Timesheet Project Key": before["Project"]["Detail"][0]["Timesheet Project Key"], "D2 Regular": 5.5}
        new = {
            "IsNewRow": True,
            "Project Key": 1,
            "Phase Key": 4,
            "Activity Key": 2,
            "D3 Regular": 2,
            "D3 Notes": "on site",
        }
        office = {"Timesheet Overhead Group Detail Key": 4, "D1 Regular": 1}
        reply = await update(ajera, before, UpdatedProjects=[row, new], UpdatedOverheads=[office])
        after = reply["Content"]["Timesheets"][0]
        first, second = after["Project"]["Detail"]
        assert (first["D2 Regular"], second["D3 Regular"], second["D3 Notes"]) == (5.5, 2, "on site")
        assert after["Overhead"]["Totals"]["Total Hours"] == 1
        assert ajera.data.totals_of(1)["Hours Worked"] == Decimal("7.5")
        assert ajera.data.totals_of(4)["Hours Worked"] == 2
        again = await update(ajera, before, UpdatedProjects=[row])
        assert "another user" in again["Message"]


async def test_what_a_timesheet_update_refuses() -> None:
    async with running() as ajera:
        before = await sheet(ajera)
        key = before["Project"]["Detail"][0]["Timesheet Project Key"]
        for wrong in (
            {"Timesheet Project Key": key, "D2 Overtime": 1},
            {"Timesheet Project Key": key, "D8 Regular": 1},
            {"Timesheet Project Key": key, "D2 Regular": "8"},
            {"Timesheet Project Key": 99, "D2 Regular": 8},
            {"IsNewRow": True, "Project Key": 5, "Phase Key": 2, "Activity Key": 1},
        ):
            assert (await update(ajera, before, UpdatedProjects=[wrong]))["Message"] == INVALID_DATA
        assert "No changes" in (await update(ajera, before))["Message"]


async def test_submit_and_withdraw() -> None:
    async with running() as ajera:
        done = await ajera.content("SubmitTimesheets", {"RequestedTimesheets": [1]}, 2)
        assert (done["Timesheets"][0]["Status"], done["Timesheets"][0]["SubmittedBy"]) == ("Submitted", 1)
        before = await sheet(ajera)
        assert before["Overhead"]["Detail"][0]["Locked"] is True
        office = {"Timesheet Overhead Group Detail Key": 4, "D1 Regular": 1}
        assert "submitted" in (await update(ajera, before, UpdatedOverheads=[office]))["Message"]
        back = await ajera.content("SubmitTimesheets", {"RequestedTimesheets": [1], "Unsubmit": True}, 2)
        assert back["Timesheets"][0]["Status"] == "Unsubmitted"
        assert "SubmittedBy" not in back["Timesheets"][0]


async def test_non_work_days() -> None:
    async with running() as ajera:
        args = {"FilterByEarliestDate": "2026-12-01", "FilterByLatestDate": "2026-12-31"}
        days = (await ajera.content("ListTimesheetNonWorkDays", args, 2))["NonWorkDays"]
        assert days == [{"Date": "2026-12-25", "Description": "Christmas"}]


async def test_gl_accounts_and_their_own_date_form() -> None:
    async with running() as ajera:
        row = (await ajera.content("ListGLAccounts", {"FilterByType": ["asset"]}))["GLAccounts"][0]
        assert (row["ID"], row["AccountGroup"]) == ("1000", "Assets")
        args = {"RequestedGLAccounts": [1], "AsOfDate": "01/31/2026"}
        assert (await ajera.content("GetGLAccounts", args))["GLAccounts"][0]["AccountGroupStatus"] == "Active"
        assert await ajera.refusal("GetGLAccounts", {"AsOfDate": "2026-01-31"}) == INVALID_DATA


async def test_vendor_invoices() -> None:
    async with running() as ajera:
        line = {"CostAmount": 40.25, "ProjectKey": 1, "PhaseKey": 2}
        new = {"VendorKey": 2, "CompanyKey": 1, "Amount": 40.25, "LineItems": [line], "Number": "B7"}
        made = await ajera.content("CreateVendorInvoices", {"VendorInvoices": [new]}, 2)
        assert made["VendorInvoicesDetails"][0]["PhaseDescription"] == "Design"
        key = made["VendorInvoices"][0]["VendorInvoiceKey"]

        async def keys(**filters: Any) -> list[int]:
            content = await ajera.content("ListVendorInvoices", filters, 2)
            assert content["VendorInvoicesDetails"] == []
            return [i["VendorInvoiceKey"] for i in content["VendorInvoices"]]

        assert await keys(FilterByPaid=True) == [1]
        assert await keys(FilterByUnpaid=True) == [key]
        assert await keys(FilterByVendorType=1) == [1]
        assert await keys(FilterByGreaterThanAmount=50) == [1]
        assert await keys(FilterByEqualToAmount=40.25) == [key]
        assert await keys(FilterByLatestInvoiceDate="2026-02-01") == [1]
        bad = {"VendorInvoices": [{**new, "Amount": 41}]}
        assert "add up" in await ajera.refusal("CreateVendorInvoices", bad, 2)


async def test_methods_whose_shape_is_not_known_refuse() -> None:
    async with running() as ajera:
        assert await ajera.refusal("UpdateProjectsWithResources", {"UpdatedProjects": []}) == INVALID_DATA
        assert await ajera.content("EndTimesheetSessions", {}, 2) == {}


async def test_timesheet_writes_are_in_the_ledger() -> None:
    async with running() as ajera:
        before = await sheet(ajera)
        office = {"Timesheet Overhead Group Detail Key": 4, "D1 Regular": 1}
        await update(ajera, before, UpdatedOverheads=[office])
        change = ajera.server.ledger[-1].changes[0]
        assert (change.table, change.key) == ("timesheets", 1)
        assert change.before != change.after
