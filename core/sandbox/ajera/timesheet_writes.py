"""CreateTimesheet, UpdateTimesheets, SubmitTimesheets, EndTimesheetSessions (contract 12.3)."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from core.sandbox.ajera.call import INVALID_DATA, Call, Content, Method, Refused, is_int, is_number
from core.sandbox.ajera.data import Record
from core.sandbox.ajera.gets import requested
from core.sandbox.ajera.timebooks import OVERHEAD_DETAILS, find_timesheet, move_totals, new_row, open_timesheet, week_of
from core.sandbox.ajera.timesheets import V2, days_of, need_access, show, unchanged_data

_CREATE = {
    "EmployeeKey",
    "TimesheetDate",
    "PrefillRecent",
    "PrefillScheduled",
    "CopyFromTimesheetKey",
    "ActivityKey",
    "AllowPast90Days",
}
_CELL = re.compile(r"^D([1-7]) (Regular|Notes)$")
_PROJECT_EDIT = {"Timesheet Project Key", "Employee Type Key"}
_PROJECT_NEW = {"IsNewRow", "Project Key", "Phase Key", "Activity Key", "Employee Type Key"}
_OVERHEAD_EDIT = {"Timesheet Overhead Group Detail Key"}


def create_timesheet(call: Call) -> Content:
    """A week for one employee. Older than 90 days is refused without AllowPast90Days."""
    need_access(call)
    wanted = call.args.get("Timesheet")
    if not isinstance(wanted, dict) or set(wanted) - _CREATE or wanted.get("EmployeeKey") not in _people(call):
        raise Refused(INVALID_DATA)
    day = _day(wanted.get("TimesheetDate"))
    if day < call.data.clock().date() - timedelta(days=90) and not wanted.get("AllowPast90Days"):
        raise Refused("A timesheet older than 90 days cannot be created.")
    employee, week = wanted["EmployeeKey"], week_of(day, call.data.week_start)
    if find_timesheet(call.data, employee, week) is not None:
        raise Refused("A timesheet for this employee and week already exists.")
    rows = _prefilled(call, wanted, employee)
    key = open_timesheet(call.data, employee, week)
    if rows:
        call.data.edit("timesheets", key, {"Project": rows})
    return {"Timesheets": [show(call, key)]}


def _people(call: Call) -> dict[int, Record]:
    return call.data.tables["employees"]


def _day(value: Any) -> date:
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        raise Refused(INVALID_DATA) from None


def _prefilled(call: Call, wanted: Record, employee: int) -> list[Record]:
    """The rows of another timesheet without their hours."""
    sheets = call.data.tables["timesheets"]
    source = wanted.get("CopyFromTimesheetKey")
    if source is not None and source not in sheets:
        raise Refused(INVALID_DATA)
    if source is None and (wanted.get("PrefillRecent") or wanted.get("PrefillScheduled")):
        mine = [k for k, s in sheets.items() if s["EmployeeKey"] == employee]
        source = max(mine, key=lambda k: str(sheets[k]["WeekStart"]), default=None)
    if source is None:
        return []
    rows = sheets[source]["Project"]
    return [new_row(call.data, r["ProjectKey"], r["PhaseKey"], r["ActivityKey"]) for r in rows]


def update_timesheets(call: Call) -> Content:
    """Hours and notes of single days; a new project row says IsNewRow. Overtime cannot be edited."""
    need_access(call)
    updates = call.args.get("Timesheets")
    if not isinstance(updates, list) or not updates or not all(isinstance(u, dict) for u in updates):
        raise Refused(INVALID_DATA)
    for update in updates:
        _check(call, update)
    for update in updates:
        _apply(call, update)
    return {"Timesheets": [show(call, update["TimesheetKey"]) for update in updates]}


def _check(call: Call, update: Record) -> None:
    sheet = call.data.tables["timesheets"].get(update.get("TimesheetKey", 0))
    if sheet is None or set(update) - {"TimesheetKey", "UpdatedOverheads", "UpdatedProjects", "UnchangedData"}:
        raise Refused(INVALID_DATA)
    if update.get("UnchangedData") != unchanged_data(sheet):
        raise Refused(call.quirks.stale_error)
    if sheet["Submitted"]:
        raise Refused("A submitted timesheet cannot be changed.")
    overheads, projects = update.get("UpdatedOverheads") or [], update.get("UpdatedProjects") or []
    if not overheads and not projects:
        raise Refused("No changes were made to the timesheet.")
    for row in overheads:
        _check_cells(row, _OVERHEAD_EDIT)
        if row.get("Timesheet Overhead Group Detail Key") not in OVERHEAD_DETAILS:
            raise Refused(INVALID_DATA)
    for row in projects:
        _check_project_row(call, sheet, row)


def _check_project_row(call: Call, sheet: Record, row: Any) -> None:
    if isinstance(row, dict) and row.get("IsNewRow"):
        _check_cells(row, _PROJECT_NEW)
        phase = call.data.tables["phases"].get(row.get("Phase Key", 0))
        if phase is None or phase["ProjectKey"] != row.get("Project Key") or not is_int(row.get("Activity Key")):
            raise Refused(INVALID_DATA)
        return
    _check_cells(row, _PROJECT_EDIT)
    if row.get("Timesheet Project Key") not in [r["Key"] for r in sheet["Project"]]:
        raise Refused(INVALID_DATA)


def _check_cells(row: Any, others: set[str]) -> None:
    if not isinstance(row, dict):
        raise Refused(INVALID_DATA)
    for name, value in row.items():
        match = _CELL.match(name)
        if name not in others and match is None:
            raise Refused(INVALID_DATA)
        if match and not (is_number(value) if match[2] == "Regular" else isinstance(value, str)):
            raise Refused(INVALID_DATA)


def _apply(call: Call, update: Record) -> None:
    sheet = call.data.get("timesheets", update["TimesheetKey"])
    days = days_of(sheet)
    for edit in update.get("UpdatedOverheads") or []:
        detail = edit["Timesheet Overhead Group Detail Key"]
        row = next((r for r in sheet["Overhead"] if r["Detail"] == detail), None)
        if row is None:
            row = {"Key": call.data.take_key("timesheet_overheads"), "Detail": detail, "Hours": {}}
            sheet["Overhead"].append(row)
        _set_cells(row, edit, days)
    for edit in update.get("UpdatedProjects") or []:
        row = _project_row(call, sheet, edit)
        added = _set_cells(row, edit, days)
        if added:
            move_totals(call.data, sheet["EmployeeKey"], row["ProjectKey"], row["PhaseKey"], added)
    rows = {"Overhead": sheet["Overhead"], "Project": sheet["Project"]}
    call.data.edit("timesheets", update["TimesheetKey"], rows)


def _project_row(call: Call, sheet: Record, edit: Record) -> Record:
    if edit.get("IsNewRow"):
        row = new_row(call.data, edit["Project Key"], edit["Phase Key"], edit["Activity Key"])
        sheet["Project"].append(row)
    else:
        row = next(r for r in sheet["Project"] if r["Key"] == edit["Timesheet Project Key"])
    if is_int(edit.get("Employee Type Key")):
        row["EmployeeTypeKey"] = edit["Employee Type Key"]
    return row


def _set_cells(row: Record, edit: Record, days: list[str]) -> Decimal:
    """Set the named days; answers the hours that came on top."""
    added = Decimal(0)
    for name, value in edit.items():
        match = _CELL.match(name)
        if match is None:
            continue
        cell = row["Hours"].setdefault(days[int(match[1]) - 1], {})
        if match[2] == "Notes":
            cell["Notes"] = value
            continue
        hours = Decimal(str(value))
        added += hours - Decimal(str(cell.get("Regular") or 0))
        cell["Regular"] = hours
    return added


def submit_timesheets(call: Call) -> Content:
    need_access(call)
    keys = requested(call, "RequestedTimesheets", "timesheets")
    undo = call.flag("Unsubmit")
    today = call.data.clock().date().isoformat()
    for key in keys:
        sheet = call.data.tables["timesheets"][key]
        by = call.session.employee_key or sheet["EmployeeKey"]
        changes: Record = {"Submitted": False, "SubmittedDate": None, "SubmittedBy": None, "Status": "Unsubmitted"}
        if not undo:
            changes = {"Submitted": True, "SubmittedDate": today, "SubmittedBy": by, "Status": "Submitted"}
        call.data.edit("timesheets", key, changes)
    return {"Timesheets": [show(call, key) for key in keys]}


def end_timesheet_sessions(call: Call) -> Content:
    """The name is in the permission list; its arguments and answer were not found, so it accepts any and says little."""
    need_access(call)
    return {}


METHODS = {
    "CreateTimesheet": Method(create_timesheet, V2, writes=True),
    "UpdateTimesheets": Method(update_timesheets, V2, writes=True),
    "SubmitTimesheets": Method(submit_timesheets, V2, writes=True),
    "EndTimesheetSessions": Method(end_timesheet_sessions, V2, writes=True),
}
