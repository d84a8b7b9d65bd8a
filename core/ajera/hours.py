"""Hours from timesheets, version 2 (ajera-api 12): windows of a week, the silent cut at 500 rows, D1 to D7."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Protocol

from core.ajera.client import together
from core.ajera.names import TIMESHEET_DAYS, TIMESHEET_ROWS
from core.ajera.wire import Raw, SheetRow, Timesheet, read_amount, read_key, validated
from core.errors import BadReply, ListNotTrusted
from core.model.values import Side
from core.ports import Hours

WEEK = timedelta(days=TIMESHEET_DAYS)
KINDS = ("Regular", "Overtime")


class Sheets(Protocol):
    """The two timesheet calls and what to split by when a list is cut."""

    async def list_timesheets(self, filters: Mapping[str, object]) -> list[Raw]: ...
    async def get_timesheets(self, keys: Sequence[int]) -> list[Raw]: ...


@dataclass(frozen=True)
class Booked:
    """Hours of one row on one day. `role` is the row's employee type, None where it has none."""

    project: int
    employee: int
    role: int | None
    day: date
    hours: Decimal


def windows(since: date, until: date) -> list[tuple[date, date]]:
    """Windows of at most 7 days over the dates that a timesheet holding a day of the span may bear."""
    start, last = since - WEEK + timedelta(days=1), until + WEEK - timedelta(days=1)
    found = []
    while start <= last:
        end = min(start + WEEK - timedelta(days=1), last)
        found.append((start, end))
        start = end + timedelta(days=1)
    return found


async def sheet_keys(sheets: Sheets, window: tuple[date, date], employees: Sequence[int] | None) -> list[int]:
    """Keys of all timesheets of a window. A list of 500 rows may be cut: it is split by employee until none is.

    `employees` is None for all, asked for by the caller with `Cut` when the split needs them.
    """
    filters: dict[str, object] = {
        "FilterByEarliestTimesheetDate": window[0].isoformat(),
        "FilterByLatestTimesheetDate": window[1].isoformat(),
    }
    if employees is not None:
        filters["FilterByEmployee"] = list(employees)
    rows = [validated(SheetRow, raw, "ListTimesheets") for raw in await sheets.list_timesheets(filters)]
    _believe(rows, window, employees)
    if len(rows) < TIMESHEET_ROWS:
        return [row.key for row in rows if row.key]
    if employees is None:
        raise Cut
    if len(employees) == 1:
        raise ListNotTrusted(Side.AJERA, f"Ajera lists {len(rows)} timesheets of one employee within a week")
    half = len(employees) // 2
    parts = await together(sheet_keys(sheets, window, part) for part in (employees[:half], employees[half:]))
    return [key for part in parts for key in part]


class Cut(Exception):
    """A list of all employees came cut at 500 rows."""


def _believe(rows: Iterable[SheetRow], window: tuple[date, date], employees: Sequence[int] | None) -> None:
    wanted = None if employees is None else set(employees)
    for row in rows:
        if row.day is not None and not window[0] <= row.day <= window[1]:
            raise ListNotTrusted(Side.AJERA, "Ajera's list of timesheets ignores its date filter")
        if wanted is not None and row.employee is not None and row.employee not in wanted:
            raise ListNotTrusted(Side.AJERA, "Ajera's list of timesheets ignores its employee filter")


def booked(raw: Raw, ends: bool) -> Iterator[Booked]:
    """Every day's hours of every project row. `ends`: TimesheetDate is the week's last day (D7), else its first."""
    sheet = validated(Timesheet, raw, "GetTimesheets")
    try:
        yield from _rows(sheet, ends)
    except (ValueError, OverflowError):
        problem = BadReply(Side.AJERA, "Ajera's answer to GetTimesheets has an unreadable row")
    else:
        return
    raise problem


def _rows(sheet: Timesheet, ends: bool) -> Iterator[Booked]:
    if sheet.TimesheetDate is None or not sheet.EmployeeKey or sheet.Project is None:
        return
    first = sheet.TimesheetDate - WEEK + timedelta(days=1) if ends else sheet.TimesheetDate
    for row in sheet.Project.Detail:
        project = read_key(row.get("Project Key"))
        if project is None:
            continue
        role = read_key(row.get("Employee Type Key"))
        for place in range(TIMESHEET_DAYS):
            hours = sum((read_amount(row.get(f"D{place + 1} {kind}")) or Decimal(0) for kind in KINDS), Decimal(0))
            if hours:
                yield Booked(project, sheet.EmployeeKey, role, first + timedelta(days=place), hours)


def summed(
    rows: Iterable[Booked], since: date, until: date, roles: Mapping[int | None, str], own: Mapping[int, str]
) -> list[Hours]:
    """One entry per project, employee and role. A row without employee type counts under the employee's `own`."""
    totals: dict[tuple[int, int, str], tuple[Decimal, date]] = {}
    for row in rows:
        if since <= row.day <= until:
            key = (row.project, row.employee, roles.get(row.role) or own.get(row.employee, ""))
            hours, first = totals.get(key, (Decimal(0), row.day))
            totals[key] = (hours + row.hours, min(first, row.day))
    return [
        Hours(str(project), str(employee), role, hours, first)
        for (project, employee, role), (hours, first) in sorted(totals.items())
    ]
