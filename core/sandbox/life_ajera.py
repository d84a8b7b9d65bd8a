"""What people do in Ajera: accounting renames clients, managers move projects along, everybody posts time."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from core.sandbox.life_desk import Act, Desk, Edit, told
from core.sandbox.seed.places import phone
from core.sandbox.seed.to_ajera import address
from core.sandbox.seed.words import TITLES

Row = Mapping[str, Any]
OPEN = ("Active", "Preliminary", "Hold")
NEXT_STATUS = {
    "Preliminary": ("Active",),
    "Marketing": ("Preliminary", "Active"),
    "Active": ("Hold", "BillingHold", "Closed"),
    "Hold": ("Active",),
    "WorkHold": ("Active",),
    "BillingHold": ("Active",),
    "Closed": ("Active",),
}


def _active(row: Row) -> bool:
    return bool(row["Status"] == "Active")


def _client(desk: Desk) -> int | None:
    return desk.pick(desk.ajera.tables["clients"], _active)


def _project(desk: Desk) -> int | None:
    return desk.pick(desk.ajera.tables["projects"], lambda row: row["Status"] in OPEN)


def rename_client(desk: Desk) -> Edit | None:
    key = _client(desk)
    return desk.edit_ajera("clients", key, "renamed a client", {"Description": desk.firm_name()}) if key else None


def client_phone(desk: Desk) -> Edit | None:
    changes = {"PrimaryPhoneNumber": phone(desk.rng, "617")}
    return desk.edit_ajera("clients", _client(desk), "changed a client's phone", changes)


def move_client(desk: Desk) -> Edit | None:
    at = desk.address()
    changes = {**address(at), **address(at, "Mailing"), "PrimaryPhoneNumber": at.phone}
    return desk.edit_ajera("clients", _client(desk), "moved a client", changes)


def new_client(desk: Desk) -> Edit | None:
    at = desk.address()
    record = {"Description": desk.firm_name(), **address(at), "PrimaryPhoneNumber": at.phone}
    key = desk.ajera.insert("clients", {**record, "MailingAddressSameAsPrimary": True})
    return told("ajera", "clients", key, "added a client", record)


def new_contact(desk: Desk) -> Edit | None:
    """A contact, entered in the client's list."""
    client = _client(desk)
    if client is None:
        return None
    first, middle, last = desk.person_name()
    held = desk.ajera.get("clients", client)
    record = {"FirstName": first, "MiddleName": middle, "LastName": last, "Title": desk.rng.choice(TITLES)}
    key = desk.ajera.insert("contacts", {**record, "Company": held["Description"]})
    entry = {"ContactKey": key, "Order": len(held["Contacts"]) + 1, "Text": ""}
    desk.ajera.edit("clients", client, {"Contacts": [*held["Contacts"], entry]})
    return told("ajera", "contacts", key, "added a contact", record)


def contact_title(desk: Desk) -> Edit | None:
    key = desk.pick(desk.ajera.tables["contacts"], _active)
    return desk.edit_ajera("contacts", key, "promoted a contact", {"Title": desk.rng.choice(TITLES)})


def contact_phone(desk: Desk) -> Edit | None:
    key = desk.pick(desk.ajera.tables["contacts"], _active)
    changes = {"PrimaryPhoneNumber": phone(desk.rng, "508")}
    return desk.edit_ajera("contacts", key, "changed a contact's phone", changes)


def new_project(desk: Desk) -> Edit | None:
    """A project with one phase; half of them are to be created in the CRM too."""
    client = _client(desk)
    if client is None:
        return None
    record = {
        "ID": desk.project_number(),
        "Description": desk.project_name()[:80],
        "BillingType": desk.rng.choice(("FixedFee", "TimeAndExpense")),
        "RateTableKey": min(desk.ajera.tables["rate_tables"], default=None),
        "EstimatedStartDate": desk.today.isoformat(),
        "CreateInCRM": desk.rng.random() < 0.5,
    }
    group = {"Description": "Invoice Group 1", "Client": {"ClientKey": client}}
    phases = [{"Description": "General Services", "BillingType": record["BillingType"]}]
    key = desk.ajera.insert("projects", {**record, "InvoiceGroups": [{**group, "Phases": phases}]})
    return told("ajera", "projects", key, "added a project", record)


def rename_project(desk: Desk) -> Edit | None:
    key = _project(desk)
    changes = {"Description": desk.project_name()[:80]} if key else {}
    return desk.edit_ajera("projects", key, "renamed a project", changes)


def project_status(desk: Desk) -> Edit | None:
    key = desk.pick(desk.ajera.tables["projects"], lambda row: row["Status"] in NEXT_STATUS)
    if key is None:
        return None
    after = desk.rng.choice(NEXT_STATUS[desk.ajera.tables["projects"][key]["Status"]])
    changes: dict[str, Any] = {"Status": after}
    if after == "Closed":
        changes["ActualCompletionDate"] = desk.today.isoformat()
    return desk.edit_ajera("projects", key, "changed a project's status", changes)


def report_percent(desk: Desk) -> Edit | None:
    key = desk.pick(desk.ajera.tables["projects"], lambda row: row["Status"] == "Active")
    changes = {
        "ReportedPercentComplete": desk.rng.randrange(1, 101),
        "ReportedPercentCompleteDate": desk.today.isoformat(),
    }
    return desk.edit_ajera("projects", key, "reported percent complete", changes)


def amend_contract(desk: Desk) -> Edit | None:
    """An additional service: labor and total grow by the same amount."""
    key = desk.pick(desk.ajera.tables["projects"], lambda row: row["Status"] == "Active" and row["LaborContractAmount"])
    if key is None:
        return None
    held, more = desk.ajera.tables["projects"][key], Decimal(desk.rng.randrange(1_000, 40_000))
    changes = {n: Decimal(str(held[n])) + more for n in ("LaborContractAmount", "TotalContractAmount")}
    return desk.edit_ajera("projects", key, "amended a contract", changes)


def tick_project(desk: Desk) -> Edit | None:
    flag = desk.rng.choice(("CreateInCRM", "SyncToCRM"))
    key = desk.pick(desk.ajera.tables["projects"], lambda row: row["Status"] in OPEN and not row[flag])
    return desk.edit_ajera("projects", key, f"ticked {flag}", {flag: True})


def employee_title(desk: Desk) -> Edit | None:
    key = desk.pick(desk.ajera.tables["employees"], _active)
    title = desk.rng.choice(("Associate", "Senior Associate", "Studio Lead", "Technical Director"))
    return desk.edit_ajera("employees", key, "promoted an employee", {"Title": title})


def post_time(desk: Desk) -> Edit | None:
    """Today's hours of somebody on some phase; the project's stamp does not move."""
    employee = desk.pick(desk.ajera.tables["employees"], _active)
    project = desk.pick(desk.ajera.tables["projects"], lambda row: row["Status"] == "Active")
    phases = desk.ajera.children["phases"].get(project or 0)
    if employee is None or project is None or not phases:
        return None
    hours, phase = Decimal(desk.rng.randrange(1, 33)) / 4, desk.rng.choice(phases)
    activity = min(desk.ajera.tables["activities"], default=None)
    desk.ajera.post_time(employee, project, phase, desk.today, hours, activity)
    changes = {"EmployeeKey": employee, "PhaseKey": phase, "Date": desk.today.isoformat(), "Hours": hours}
    return told("ajera", "projects", project, "posted time", changes)


#: What is done, and how often among all.
AJERA_ACTS: tuple[tuple[Act, int], ...] = (
    (post_time, 10),
    (client_phone, 3),
    (contact_phone, 3),
    (contact_title, 2),
    (project_status, 2),
    (report_percent, 3),
    (amend_contract, 2),
    (rename_client, 1),
    (rename_project, 1),
    (move_client, 1),
    (new_client, 1),
    (new_contact, 1),
    (new_project, 1),
    (tick_project, 1),
    (employee_title, 1),
)
