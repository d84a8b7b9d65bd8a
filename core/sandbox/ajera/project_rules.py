"""What a saved project or phase must keep to, for create and update alike (contract 10)."""

from __future__ import annotations

from core.sandbox.ajera.call import INVALID_DATA, Call, Refused
from core.sandbox.ajera.data import Record
from core.sandbox.ajera.vocabulary import BILLING_TYPES, PROJECT_STATUSES

MAX_DESCRIPTION = 80
MAX_ID = 30
CRM_FLAGS = ("SyncToCRM", "CreateInCRM", "CRMFinalSync")
_ROLES = {"ProjectManager": "IsProjectManager", "PrincipalInCharge": "IsPrincipal"}


def check_work(call: Call, record: Record) -> None:
    """Text lengths, values of closed sets, and people in their roles. Long texts may be cut in place (quirk)."""
    _length(call, record, "Description", MAX_DESCRIPTION)
    _length(call, record, "ID", MAX_ID)
    if "Description" in record and not record["Description"].strip():
        raise Refused("Description is required.")
    if record.get("Status", "Active") not in PROJECT_STATUSES:
        raise Refused(INVALID_DATA)
    if record.get("BillingType", "TimeAndExpense") not in BILLING_TYPES:
        raise Refused(INVALID_DATA)
    for role, flag in _ROLES.items():
        check_role(call, record.get(role), flag, role)


def check_role(call: Call, reference: Record | None, flag: str, role: str) -> None:
    """Manager and principal must carry the flag on their employee record (contract 10.5, live)."""
    if reference is None:
        return
    employee = call.data.tables["employees"].get(reference["EmployeeKey"])
    if employee is None:
        raise Refused(INVALID_DATA)
    if not employee[flag]:
        raise Refused(f"The employee is not allowed as {role}.")


def check_unique(call: Call, record: Record, key: int | None) -> None:
    """Duplicate ID and name, where the quirks refuse them (contract 10.5: not found)."""
    for name, switch in (("ID", call.quirks.duplicate_project_id), ("Description", call.quirks.duplicate_project_name)):
        text = record.get(name)
        if switch == "error" and text and _taken(call, name, text.casefold(), key):
            raise Refused(f"A project with this {name} already exists.")


def _taken(call: Call, name: str, text: str, key: int | None) -> bool:
    return any(k != key and r[name].casefold() == text for k, r in call.data.tables["projects"].items())


def _length(call: Call, record: Record, name: str, limit: int) -> None:
    if len(record.get(name) or "") <= limit:
        return
    if call.quirks.long_text == "error":
        raise Refused(f"{name} is too long.")
    record[name] = record[name][:limit]
