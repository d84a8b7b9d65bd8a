"""Weekly timesheets and running totals: what happens to the books when hours are posted."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from core.sandbox.ajera.schema import INVOICE_GROUPS, PHASES
from core.sandbox.ajera.vocabulary import TOTALS

if TYPE_CHECKING:
    from core.sandbox.ajera.data import AjeraData

# The overhead rows that every timesheet offers (contract 12.2 names the columns, the rows are the firm's own).
OVERHEAD_DETAILS = {1: "Holiday", 2: "Vacation", 3: "Sick", 4: "Office"}

_COST_RATE = Decimal(50)
_MULTIPLIER = Decimal(3)


def week_of(day: date, week_start: int) -> str:
    """The first day of the week that holds `day`, as text; `week_start` 0 = Monday."""
    return (day - timedelta(days=(day.weekday() - week_start) % 7)).isoformat()


def find_timesheet(data: AjeraData, employee_key: int, week: str) -> int | None:
    """The key of the employee's timesheet of that week."""
    rows = data.tables["timesheets"].items()
    return next((k for k, r in rows if r["EmployeeKey"] == employee_key and r["WeekStart"] == week), None)


def open_timesheet(data: AjeraData, employee_key: int, week: str) -> int:
    """A new, empty timesheet with the overhead rows every timesheet has."""
    overhead = [
        {"Key": data.take_key("timesheet_overheads"), "Detail": detail, "Hours": {}} for detail in OVERHEAD_DETAILS
    ]
    return data.insert("timesheets", {"EmployeeKey": employee_key, "WeekStart": week, "Overhead": overhead})


def new_row(data: AjeraData, project_key: int, phase_key: int, activity_key: int | None) -> dict[str, Any]:
    """A project row without hours. Hours are kept by date: {"2026-01-05": {"Regular": 8, "Notes": "..."}}."""
    return {
        "Key": data.take_key("timesheet_projects"),
        "ProjectKey": project_key,
        "PhaseKey": phase_key,
        "ActivityKey": activity_key,
        "EmployeeTypeKey": None,
        "Hours": {},
    }


def post(
    data: AjeraData,
    employee_key: int,
    project_key: int,
    phase_key: int,
    day: date,
    hours: Decimal,
    activity_key: int | None,
) -> None:
    """Add hours to the row of that phase and activity, then to the totals."""
    if employee_key not in data.tables["employees"] or project_key not in data.tables["projects"]:
        raise KeyError(f"no such employee or project: {employee_key}, {project_key}")
    week = week_of(day, data.week_start)
    key = find_timesheet(data, employee_key, week) or open_timesheet(data, employee_key, week)
    sheet = data.tables["timesheets"][key]
    row = next((r for r in sheet["Project"] if (r["PhaseKey"], r["ActivityKey"]) == (phase_key, activity_key)), None)
    if row is None:
        row = new_row(data, project_key, phase_key, activity_key)
        sheet["Project"].append(row)
    cell = row["Hours"].setdefault(day.isoformat(), {})
    cell["Regular"] = Decimal(str(cell.get("Regular", 0))) + hours
    move_totals(data, employee_key, project_key, phase_key, hours)


def move_totals(data: AjeraData, employee_key: int, project_key: int, phase_key: int, hours: Decimal) -> None:
    """Hours, cost, spent and WIP of the project, the phase and the phases above it."""
    cost = (hours * _cost_rate(data, employee_key)).quantize(Decimal("0.01"))
    burdened = (cost * (1 + _overhead(data, project_key) / 100)).quantize(Decimal("0.01"))
    spent = (hours * _bill_rate(data, employee_key)).quantize(Decimal("0.01"))
    added = {
        **dict.fromkeys(("Hours Worked", "Regular Hours Worked", "WIP Hours"), hours),
        **dict.fromkeys(("Cost", "Cost Labor", "Cost + Premium", "Cost Labor + Premium"), cost),
        **dict.fromkeys(
            ("Cost Burdened", "Cost Labor Burdened", "Cost + Premium Burdened", "Cost Labor + Premium Burdened"),
            burdened,
        ),
        **dict.fromkeys(("Spent", "Spent Labor", "WIP", "WIP Labor"), spent),
    }
    for key in [project_key, *_phase_path(data, phase_key)]:
        totals = data.tables["totals"].setdefault(key, dict.fromkeys(TOTALS, 0))
        for name, amount in added.items():
            totals[name] = Decimal(str(totals[name])) + amount


def _phase_path(data: AjeraData, phase_key: int | None) -> list[int]:
    path: list[int] = []
    while phase_key in data.tables["phases"] and phase_key not in path:
        assert phase_key is not None
        path.append(phase_key)
        phase_key = data.tables["phases"][phase_key]["ParentKey"]
    return path


def _cost_rate(data: AjeraData, employee_key: int) -> Decimal:
    rates = data.tables["employees"][employee_key]["PayRates"]
    return Decimal(str(rates[-1].get("PayRate") or _COST_RATE)) if rates else _COST_RATE


def _bill_rate(data: AjeraData, employee_key: int) -> Decimal:
    kind = data.tables["employee_types"].get(data.tables["employees"][employee_key]["EmployeeTypeKey"], {})
    rate = Decimal(str(kind.get("BudgetBillRate") or 0))
    return rate or _cost_rate(data, employee_key) * _MULTIPLIER


def _overhead(data: AjeraData, project_key: int) -> Decimal:
    department = data.tables["departments"].get(data.tables["projects"][project_key]["DepartmentKey"], {})
    return Decimal(str(department.get("OverheadPercent") or 0))


def complete_template(data: AjeraData, template: dict[str, Any]) -> None:
    """Fill up a template's own invoice groups and phases, which it keeps nested in version 1 form."""
    template["InvoiceGroups"] = [_complete_group(data, group) for group in template["InvoiceGroups"]]


def _complete_group(data: AjeraData, group: dict[str, Any]) -> dict[str, Any]:
    phases = [_complete_phase(data, phase) for phase in group.pop("Phases", [])]
    client = group.pop("Client", None) or {}
    full = {**INVOICE_GROUPS.blank(), "ClientKey": client.get("ClientKey"), **group}
    full["InvoiceGroupKey"] = full["InvoiceGroupKey"] or data.take_key("invoice_groups")
    full.pop("ProjectKey")
    return {**full, "Phases": phases}


def _complete_phase(data: AjeraData, phase: dict[str, Any]) -> dict[str, Any]:
    below = [_complete_phase(data, each) for each in phase.pop("Phases", [])]
    custom = {k[3:]: phase.pop(k) for k in [k for k in phase if k.startswith("CF_")]}
    full = {**PHASES.blank(), **phase}
    full["PhaseKey"] = full["PhaseKey"] or data.take_key("work")
    for name in ("ProjectKey", "ParentKey", "InvoiceGroupKey"):
        full.pop(name)
    if custom:
        full["CustomFields"] = {**(full.get("CustomFields") or {}), **custom}
    return {**full, "Phases": below}
