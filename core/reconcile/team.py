"""The Team tab: hours and first entry date of each employee and role, from timesheets (sync-rules 8).

A CRM row of the same employee and role is adopted and only its hours are written (its start date
only if blank); rows that people added are left alone.
"""

from __future__ import annotations

from decimal import Decimal

from core.model.link import Link
from core.model.plan import Action, Change, Op, Refusal
from core.model.record import Record, TeamRow
from core.model.values import Kind, Ref, Side, TeamEdit
from core.reconcile.creates import Coming
from core.reconcile.normalize import FOUR_PLACES, plain_text
from core.reconcile.situation import Situation


def team_changes(
    s: Situation, link: Link, ajera: Record, crm: Record, coming: Coming
) -> tuple[Action | None, list[Refusal]]:
    """The update of the CRM's team rows that is due, and what cannot be written."""
    if ajera.team is None or crm.team is None or (Kind.PROJECT, "team") in s.crm.stopped:
        return None, []
    changes: dict[str, Change] = {}
    refused: list[Refusal] = []
    for row in ajera.team:
        partner = s.links.partner(Kind.EMPLOYEE, Side.AJERA, row.employee)
        if partner is None and (Kind.EMPLOYEE, Side.AJERA, row.employee) not in coming:
            refused.append(_refusal(s, crm, row, "is not linked to an employee of the CRM"))
            continue
        role, problem = _role(s, row.role)
        if problem:
            refused.append(_refusal(s, crm, row, problem))
            continue
        there = next((each for each in crm.team if each.employee == partner and _same(each.role, role)), None)
        if there is not None and _hours(there) == _hours(row) and (there.start or row.start is None):
            continue
        edit = TeamEdit(
            Ref(Kind.EMPLOYEE, Side.AJERA, row.employee), role, _hours(row), row.start, there.row if there else None
        )
        changes[f"team:{row.employee}:{role}"] = Change(there.hours if there else None, edit, "hours of timesheets")
    if not changes:
        return None, refused
    action = Action(
        Op.UPDATE, Kind.PROJECT, Side.CRM, link.ajera_key, link.crm_key, crm.label, changes, group="team",
        reason="hours of timesheets",
    )  # fmt: skip
    return action, refused


def _hours(row: TeamRow) -> Decimal:
    return (row.hours or Decimal(0)).quantize(FOUR_PLACES)


def _same(a: str, b: str) -> bool:
    return plain_text(a).casefold() == plain_text(b).casefold()


def _role(s: Situation, role: str) -> tuple[str, str]:
    """The CRM's own spelling of a role, or the problem: the employee type must exist as a role there."""
    known = s.crm.codes.get((Kind.PROJECT, "team_role"))
    if known is None:
        return role, ""
    for each in known:
        if _same(each, role):
            return each, ""
    return role, f"has the role {role!r}, which the CRM's list of employee roles lacks: add it there"


def _refusal(s: Situation, crm: Record, row: TeamRow, why: str) -> Refusal:
    employee = s.record(Kind.EMPLOYEE, Side.AJERA, row.employee)
    named = employee.label if employee else f"employee {row.employee}"
    return Refusal(Kind.PROJECT, Side.CRM, crm.key, crm.label, f"{named} {why}", "team")
