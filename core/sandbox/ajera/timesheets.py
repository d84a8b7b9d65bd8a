"""ListTimesheets, GetTimesheets and ListTimesheetNonWorkDays, version 2 (contract 12.1, 12.2)."""

from __future__ import annotations

import base64
import hashlib
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import orjson

from core.sandbox.ajera import filters
from core.sandbox.ajera.call import AUTH_ERROR, INVALID_DATA, Call, Content, Method, Refused
from core.sandbox.ajera.data import Record
from core.sandbox.ajera.gets import fetch
from core.sandbox.ajera.stamps import is_day
from core.sandbox.ajera.timebooks import OVERHEAD_DETAILS

MAX_ROWS = 500
V2 = frozenset({2})


def need_access(call: Call) -> None:
    """All timesheet methods need an active authorizing employee (contract 1, 12)."""
    if call.quirks.authorizing_employee == "no":
        raise Refused("The API user has no active authorizing employee.", AUTH_ERROR)


def days_of(sheet: Record) -> list[str]:
    """The dates of D1 to D7. The week is the same under both readings; only what names it differs."""
    start = date.fromisoformat(sheet["WeekStart"])
    return [(start + timedelta(days=n)).isoformat() for n in range(7)]


def date_of(call: Call, sheet: Record) -> str:
    """TimesheetDate: the week's last or first day, as the quirk says (contract 12.2)."""
    days = days_of(sheet)
    return days[6] if call.quirks.timesheet_day_one == "ends" else days[0]


# -- list -------------------------------------------------------------------------------------------------------------


def _state(prop: str, wanted: bool) -> filters.Filter:
    def make(_call: Call, value: Any) -> filters.Test | None:
        if not isinstance(value, bool):
            raise Refused(INVALID_DATA)
        return (lambda _key, sheet: sheet[prop] is wanted) if value else None

    return make


def _window(sign: int) -> filters.Filter:
    def make(call: Call, value: Any) -> filters.Test:
        if not is_day(value):
            raise Refused(INVALID_DATA)
        if sign > 0:
            return lambda _key, sheet: date_of(call, sheet) >= value
        return lambda _key, sheet: date_of(call, sheet) <= value

    return make


def _of_employee(inner: filters.Filter) -> filters.Filter:
    def make(call: Call, value: Any) -> filters.Test | None:
        test = inner(call, value)
        people = call.data.tables["employees"]
        assert test is not None
        return lambda _key, sheet: sheet["EmployeeKey"] in people and test(0, people[sheet["EmployeeKey"]])

    return make


FILTERS: dict[str, filters.Filter] = {
    "FilterByCompany": _of_employee(filters.key_in("CompanyKey")),
    "FilterByEmployee": filters.key_in("EmployeeKey"),
    "FilterByNameLike": _of_employee(filters.like_name("FirstName", "MiddleName", "LastName")),
    "FilterByPaid": _state("Paid", True),
    "FilterByUnpaid": _state("Paid", False),
    "FilterBySubmitted": _state("Submitted", True),
    "FilterByUnsubmitted": _state("Submitted", False),
    "FilterByRejected": _state("Rejected", True),
    "FilterByEarliestTimesheetDate": _window(1),
    "FilterByLatestTimesheetDate": _window(-1),
}


def list_timesheets(call: Call) -> Content:
    """At most 500 rows, cut without a word (contract 5)."""
    need_access(call)
    found = list(filters.select(call, "timesheets", FILTERS))[:MAX_ROWS]
    return {"Timesheets": [_row(call, key, sheet) for key, sheet in found]}


def _row(call: Call, key: int, sheet: Record) -> Record:
    employee = call.data.tables["employees"].get(sheet["EmployeeKey"], {})
    company = call.data.tables["companies"].get(employee.get("CompanyKey", 0), {})
    billable, total = _sum(sheet["Project"]), _sum(sheet["Project"]) + _sum(sheet["Overhead"])
    names = [employee.get(n, "") for n in ("FirstName", "MiddleName", "LastName")]
    row = {
        "Timesheet Key": key,
        "Company Key": employee.get("CompanyKey", 0),
        "Company Name": company.get("Description", ""),
        "Employee Key": sheet["EmployeeKey"],
        "Employee": " ".join(n for n in names if n),
        "Employee Status": employee.get("Status", ""),
        "First Name": names[0],
        "Middle Name": names[1],
        "Last Name": names[2],
        "My Employee": False,
        "Multilevel Employee": False,
        "Timesheet Date": date_of(call, sheet),
        "Timesheet Total": total,
        "Target Billable Percent": employee.get("BillablePercent", 0),
        "Actual Billable Percent": round(billable / total * 100, 2) if total else 0,
        "Submitted": sheet["Submitted"],
        "Billed": sheet["Billed"],
        "Paid": sheet["Paid"],
        "Paid Value": int(sheet["Paid"]),
    }
    return {**row, **_approvals(call, sheet)}


def _approvals(call: Call, sheet: Record) -> Record:
    """Approval properties are absent until acted on (contract 12.1, live)."""
    shown: Record = {}
    for prop, name in (("Submitted", "Submitted"), ("SupervisorApproved", "Supervisor Approved")):
        _approval(call, shown, sheet, prop, name)
    _approval(call, shown, sheet, "AccountingApproved", "Accounting Approved")
    if sheet["ProjectManagerApproved"]:
        shown.update({"Project Manager Approved": True, "Project Manager Approved Value": 1})
    if sheet["Rejected"]:
        shown.update({"Rejected": True, "Rejected Value": 1})
    return shown


def _approval(call: Call, shown: Record, sheet: Record, prop: str, name: str) -> None:
    if sheet[prop]:
        by = call.data.tables["employees"].get(sheet[f"{prop}By"] or 0, {})
        shown[name] = True
        shown[f"{name} Date"] = sheet[f"{prop}Date"]
        shown[f"{name} By"] = f"{by.get('FirstName', '')} {by.get('LastName', '')}".strip()


def _sum(rows: list[Record]) -> Decimal:
    return sum(
        (Decimal(str(cell.get(kind) or 0)) for r in rows for cell in r["Hours"].values() for kind in _KINDS), Decimal(0)
    )


_KINDS = ("Regular", "Overtime")


# -- get --------------------------------------------------------------------------------------------------------------


def get_timesheets(call: Call) -> Content:
    need_access(call)
    return {"Timesheets": fetch(call, "RequestedTimesheets", "timesheets", show)}


def show(call: Call, key: int) -> Record:
    """One week: TimesheetDate with a time part, overhead and project rows, the opaque baseline."""
    sheet = call.data.tables["timesheets"][key]
    days = days_of(sheet)
    record = {
        "TimesheetKey": key,
        "TimesheetDate": f"{date_of(call, sheet)}T00:00:00",
        "EmployeeKey": sheet["EmployeeKey"],
        "Status": sheet["Status"],
        "Overhead": {
            "Totals": _overhead_totals(sheet, days),
            "Detail": [_overhead_row(sheet, row, days) for row in sheet["Overhead"]],
        },
        "Project": {
            "Totals": _project_totals(sheet, days),
            "Detail": [_project_row(call, row, days) for row in sheet["Project"]],
        },
        "UnchangedData": unchanged_data(sheet),
    }
    if sheet["Submitted"]:
        record["SubmittedDateTime"] = f"{sheet['SubmittedDate']}T00:00:00"
        record["SubmittedBy"] = sheet["SubmittedBy"]
    return record


def unchanged_data(sheet: Record) -> Record:
    """The opaque pair an update must send back: it changes whenever the rows do (contract 6.5)."""
    return {part: _opaque(sheet[part]) for part in ("Overhead", "Project")}


def _opaque(rows: list[Record]) -> str:
    text = orjson.dumps(rows, default=lambda v: str(Decimal(v).normalize()), option=orjson.OPT_SORT_KEYS)
    return base64.b64encode(hashlib.sha256(text).digest()).decode()


def _cells(row: Record, days: list[str], names: dict[str, str]) -> Record:
    """`Dn <name>` for each day that has a value; days with no data are left out (contract 3.2, live)."""
    shown: Record = {}
    for n, day in enumerate(days, 1):
        cell = row["Hours"].get(day, {})
        shown.update({f"D{n} {name}": cell[kind] for kind, name in names.items() if cell.get(kind) not in (None, "")})
    return shown


def _overhead_row(sheet: Record, row: Record, days: list[str]) -> Record:
    return {
        "Locked": sheet["Submitted"],
        "Timesheet Overhead Key": row["Key"],
        "Employee Key": sheet["EmployeeKey"],
        "Timesheet Overhead Group Detail Key": row["Detail"],
        "Timesheet Overhead Group Detail": OVERHEAD_DETAILS.get(row["Detail"], ""),
        **_cells(row, days, {"Regular": "Regular", "Notes": "Notes"}),
    }


def _project_row(call: Call, row: Record, days: list[str]) -> Record:
    project = call.data.tables["projects"].get(row["ProjectKey"], {})
    phase = call.data.tables["phases"].get(row["PhaseKey"] or 0, {})
    activity = call.data.tables["activities"].get(row["ActivityKey"] or 0, {})
    shown = {
        "Timesheet Project Key": row["Key"],
        "Project Key": row["ProjectKey"],
        "Project Description": project.get("Description", ""),
        "Project Status": project.get("Status", ""),
        "Phase Key": row["PhaseKey"],
        "Phase Description": phase.get("Description", ""),
        "Phase Status": phase.get("Status", ""),
        "Activity Key": row["ActivityKey"],
        "Activity": activity.get("Description", ""),
        "Employee Type Key": row["EmployeeTypeKey"],
    }
    kinds = {"Regular": "Regular", "Overtime": "Overtime", "Notes": "Notes", "OTNotes": "OT Notes"}
    return {k: v for k, v in shown.items() if v is not None} | _cells(row, days, kinds)


def _day_sums(rows: list[Record], days: list[str], kind: str) -> list[Decimal]:
    return [sum((Decimal(str(r["Hours"].get(d, {}).get(kind) or 0)) for r in rows), Decimal(0)) for d in days]


def _overhead_totals(sheet: Record, days: list[str]) -> Record:
    hours = _day_sums(sheet["Overhead"], days, "Regular")
    shown: Record = {"Timesheet Overhead Group Detail": "Totals"}
    shown.update({f"D{n}": h for n, h in enumerate(hours, 1)})
    shown.update({f"D{n} Regular": h for n, h in enumerate(hours, 1)})
    return {**shown, "Regular Hours": sum(hours), "OT Hours": 0, "Total Hours": sum(hours)}


def _project_totals(sheet: Record, days: list[str]) -> Record:
    shown: Record = {"Project Description": "Totals", "Phase Description": "", "Activity": ""}
    for kind in _KINDS:
        shown.update({f"D{n} {kind}": h for n, h in enumerate(_day_sums(sheet["Project"], days, kind), 1)})
    return shown


def _day_window(sign: int) -> filters.Filter:
    def make(_call: Call, value: Any) -> filters.Test:
        if not is_day(value):
            raise Refused(INVALID_DATA)
        return lambda _key, record: record["Date"] >= value if sign > 0 else record["Date"] <= value

    return make


_DAY_FILTERS = {"FilterByEarliestDate": _day_window(1), "FilterByLatestDate": _day_window(-1)}


def list_non_work_days(call: Call) -> Content:
    need_access(call)
    rows = filters.select(call, "non_work_days", _DAY_FILTERS)
    return {"NonWorkDays": [{"Date": r["Date"], "Description": r["Description"]} for _, r in rows]}


METHODS = {
    "ListTimesheets": Method(list_timesheets, V2),
    "GetTimesheets": Method(get_timesheets, V2),
    "ListTimesheetNonWorkDays": Method(list_non_work_days, V2),
}
