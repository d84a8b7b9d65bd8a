"""Stored records → the wire: derived texts, people, custom fields, and what has no value left out (contract 3.2)."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from typing import Any

from core.quirks.ajera import AjeraQuirks
from core.sandbox.ajera.data import AjeraData, Record
from core.sandbox.ajera.schema import NUM, PERSON, TABLES

# derived property: (key property, table it points to, property there)
_WORK = {
    "ProjectTypeDescription": ("ProjectTypeKey", "project_types", "Description"),
    "DepartmentDescription": ("DepartmentKey", "departments", "Department"),
    "WageTableDescription": ("WageTableKey", "wage_tables", "Description"),
    "RateTableDescription": ("RateTableKey", "rate_tables", "Description"),
}
_PROJECT = {**_WORK, "CompanyDescription": ("CompanyKey", "companies", "Description")}
DERIVED: dict[str, dict[str, tuple[str, str, str]]] = {
    "clients": {
        "ClientTypeDescription": ("ClientTypeKey", "client_types", "Description"),
        "ClientTypeNotes": ("ClientTypeKey", "client_types", "Notes"),
    },
    "contacts": {
        "ContactTypeDescription": ("ContactTypeKey", "contact_types", "Description"),
        "ContactTypeNotes": ("ContactTypeKey", "contact_types", "Notes"),
        "ContactClientDescription": ("ContactClientKey", "clients", "Description"),
        "ContactVendorDescription": ("ContactVendorKey", "vendors", "Name"),
    },
    "employees": {
        "EmployeeTypeDescription": ("EmployeeTypeKey", "employee_types", "Description"),
        "EmployeeTypeNotes": ("EmployeeTypeKey", "employee_types", "Notes"),
    },
    "vendors": {
        "DepartmentDescription": ("DepartmentKey", "departments", "Department"),
        "AccountDescription": ("AccountKey", "gl_accounts", "Description"),
        "AccountID": ("AccountKey", "gl_accounts", "ID"),
        "VendorTypeDescription": ("VendorTypeKey", "vendor_types", "Description"),
        "VendorTypeNotes": ("VendorTypeKey", "vendor_types", "Notes"),
        "VendorTypeIsConsultant": ("VendorTypeKey", "vendor_types", "IsConsultant"),
        "VendorTypeIsCreditCard": ("VendorTypeKey", "vendor_types", "IsCreditCard"),
    },
    "projects": _PROJECT,
    "project_templates": _PROJECT,
    "phases": _WORK,
    "invoice_groups": {
        "InvoiceFormatDescription": ("InvoiceFormatKey", "invoice_formats", "Description"),
        "ClientDescription": ("ClientKey", "clients", "Description"),
    },
}
# Where an absent reference leaves the derived texts out instead of sending "" (contract 3.2, seen on vendors).
_ABSENT_WITHOUT_KEY = {"contacts", "vendors"}
_PERCENT = "ReportedPercentComplete"


def flat(data: AjeraData, table: str, stored: Record, quirks: AjeraQuirks) -> Record:
    """Every documented property of one record, before custom fields and before empty ones are left out."""
    spec = TABLES[table]
    record: Record = {}
    links = links_of(data, stored["ContactKey"]) if table == "contacts" else {}
    for name, kind in spec.kinds.items():
        if name in spec.internal or (name not in stored and name not in spec.derived):
            continue
        if name in links:
            record[name] = links[name]
        elif name in spec.derived:
            record[name] = _derive(data, table, name, {**stored, **links})
        elif kind == PERSON:
            record[name] = person(data, stored[name])
        elif name == "Contacts":
            record[name] = [contact_entry(data, entry) for entry in stored[name]]
        elif kind == NUM and name == _PERCENT:
            record[name] = scaled_out(stored[name], quirks)
        else:
            record[name] = stored[name]
    return record


def present(record: Record, quirks: AjeraQuirks, keep_null: Collection[str] = ()) -> Record:
    """The record as sent: a property without value is left out, null or "" as the quirk says."""
    if quirks.null_properties == "null":
        return record
    if quirks.null_properties == "empty":
        return {k: "" if v is None else v for k, v in record.items()}
    return {k: v for k, v in record.items() if v is not None or k in keep_null}


def custom_v1(stored: Record) -> Record:
    """Version 1: each custom field is a property CF_<name> (contract 6.6)."""
    return {f"CF_{name}": value for name, value in (stored.get("CustomFields") or {}).items()}


def custom_v2(stored: Record) -> Record:
    """Version 2: one object, left out when there are none (contract 6.6)."""
    fields = {name: value for name, value in (stored.get("CustomFields") or {}).items() if value is not None}
    return {"CustomFields": fields} if fields else {}


def links_of(data: AjeraData, contact_key: int) -> Record:
    """The client and vendor whose Contacts arrays hold this contact: the read side of the link (contract 8.2)."""
    client = data.owners["clients"].get(contact_key)
    vendor = data.owners["vendors"].get(contact_key)
    return {"ContactClientKey": client[0] if client else None, "ContactVendorKey": vendor[0] if vendor else None}


def person(data: AjeraData, reference: Record | None) -> Record | None:
    """An employee reference with its names; None when nobody is set."""
    employee = data.tables["employees"].get((reference or {}).get("EmployeeKey") or 0)
    if employee is None:
        return None
    return {"EmployeeKey": employee["EmployeeKey"], **_names(employee)}


def contact_entry(data: AjeraData, entry: Record) -> Record:
    """An entry of a Contacts array: the link plus the contact's names, title and company."""
    contact = data.tables["contacts"].get(entry["ContactKey"])
    shown = {"ContactKey": entry["ContactKey"], "Order": entry.get("Order", 1), "Text": entry.get("Text", "")}
    if contact is None:
        return shown
    return {**shown, **_names(contact), "Title": contact["Title"], "Company": contact["Company"]}


def billing_contact(data: AjeraData, reference: Record | None) -> Record | None:
    contact = data.tables["contacts"].get((reference or {}).get("ContactKey") or 0)
    if contact is None:
        return None
    return {"ContactKey": contact["ContactKey"], **_names(contact), "Company": contact["Company"]}


def scaled_out(value: Any, quirks: AjeraQuirks) -> Any:
    """Stored 0 to 100; shown 0 to 1 when the quirk says so."""
    return value if quirks.percent_scale == "hundred" else Decimal(str(value)) / 100


def scaled_in(value: Any, quirks: AjeraQuirks) -> Any:
    return value if quirks.percent_scale == "hundred" else Decimal(str(value)) * 100


def _names(record: Record) -> Record:
    return {name: record[name] for name in ("FirstName", "MiddleName", "LastName")}


def _derive(data: AjeraData, table: str, name: str, stored: Record) -> Any:
    if name not in DERIVED.get(table, {}):
        return ""
    key_name, target, source = DERIVED[table][name]
    found = data.tables[target].get(stored.get(key_name) or 0)
    if found is None:
        return None if table in _ABSENT_WITHOUT_KEY else ""
    return found[source]
