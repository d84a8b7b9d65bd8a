"""Records from the wire → stored form, with every property checked; and what makes two values the same."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from core.sandbox.ajera.call import INVALID_DATA, Call, Refused, is_int, is_number
from core.sandbox.ajera.data import Record
from core.sandbox.ajera.render import DERIVED, scaled_in
from core.sandbox.ajera.schema import BOOL, DATE, KEY, LIST, NUM, PERSON, TABLES, TEXT, default_of
from core.sandbox.ajera.stamps import is_day

# What an entry of each nested array may hold; the first name is its key. The rest of a contact entry is derived.
_ENTRIES: dict[str, dict[str, str]] = {
    "Contacts": {
        "ContactKey": KEY,
        "Order": NUM,
        "Text": TEXT,
        **dict.fromkeys(("FirstName", "MiddleName", "LastName", "Title", "Company"), TEXT),
        "IsHourly": BOOL,
    },
    "PayRates": {
        "PayRateKey": KEY,
        "StartDate": DATE,
        "PayPeriod": TEXT,
        "IsHourly": BOOL,
        **dict.fromkeys(("Salary", "PayRate", "OvertimeMarkup", "DoubleTimeMarkup", "OtherTimeMarkup"), NUM),
        **dict.fromkeys(
            ("IncludeOvertimeInSalary", "IncludeDoubleTimeInSalary", "IncludeOtherTimeMarkupInSalary"), BOOL
        ),
    },
    "CreditCards": {"BankAccountKey": KEY, "Order": NUM, "CardholderName": TEXT, "Description": TEXT},
}
_CONTACT_LINK = ("ContactKey", "Order", "Text")
_PERSON = {"EmployeeKey", "FirstName", "MiddleName", "LastName"}
_BILLING_CONTACT = {"ContactKey", "FirstName", "MiddleName", "LastName", "Company"}
# Key properties that point at a record which must exist, beside those of render.DERIVED.
_POINTERS = {"CompanyKey": "companies", "SupervisorKey": "employees", "OverheadGroupKey": "overhead_groups"}


def read_record(call: Call, table: str, record: Any, custom: set[str]) -> Record:
    """The stored form of a record from the wire: derived properties dropped, custom fields gathered, kinds checked.

    `custom` are the custom fields this record may carry. Raises Refused with INVALID_DATA for an unknown property or a
    value of the wrong kind.
    """
    if not isinstance(record, dict):
        raise Refused(INVALID_DATA)
    spec = TABLES[table]
    read: Record = {}
    fields: Record = {}
    for name, value in record.items():
        if name == spec.key:
            continue
        if name == "CustomFields" and call.version == 2 and isinstance(value, dict):
            fields.update(value)
        elif name.startswith("CF_") and call.version == 1:
            fields[name[3:]] = value
        elif name not in spec.kinds or name in spec.internal:
            _unknown(call)
        elif name not in spec.derived:
            read[name] = read_value(call, name, spec.kinds[name], value)
    for name in fields:
        if name not in custom:
            _unknown(call)
    known = {name: value for name, value in fields.items() if name in custom}
    if known:
        read["CustomFields"] = known
    return read


def read_value(call: Call, name: str, kind: str, value: Any) -> Any:
    """One value in stored form. Absent, null and "" are alike (contract 3.2)."""
    if value is None or value == "":
        return default_of(kind)
    if name == "ReportedPercentComplete" and is_number(value):
        return scaled_in(value, call.quirks)
    if kind == PERSON:
        return _reference(value, _PERSON, "EmployeeKey")
    if name == "BillingContact":
        return _reference(value, _BILLING_CONTACT, "ContactKey")
    if kind == LIST:
        return _entries(call, name, value)
    checks = {
        TEXT: isinstance(value, str),
        BOOL: isinstance(value, bool),
        NUM: is_number(value),
        KEY: is_int(value),
        DATE: is_day(value),
    }
    if not checks.get(kind, True):
        raise Refused(INVALID_DATA)
    return value


def check_pointers(call: Call, table: str, changed: Record) -> None:
    """Keys and people that are set must exist."""
    targets = {key: target for key, target, _ in DERIVED.get(table, {}).values()} | _POINTERS
    for name, value in changed.items():
        if value is None:
            continue
        target = "employees" if TABLES[table].kinds.get(name) == PERSON else targets.get(name)
        key = value.get("EmployeeKey") if isinstance(value, dict) else value
        if target is not None and key not in call.data.tables[target]:
            raise Refused(INVALID_DATA)


def same(name: str, left: Any, right: Any) -> bool:
    """Whether two stored values are one and the same: numbers by amount, texts exactly, entries by what is stored."""
    return bool(_canonical(name, left) == _canonical(name, right))


def custom_names(call: Call, table: str, stored: Record | None) -> set[str]:
    """The custom fields of a table: the record's own and, as only filled ones are sent, those of the others."""
    own = set((stored or {}).get("CustomFields") or {})
    return own | {name for r in call.data.tables[table].values() for name in r.get("CustomFields") or ()}


def check_fields(held: Record, fields: Record) -> None:
    """A pick-list is an object in both versions; its Value must be one of its Values unless AllowEdit (contract 6.6)."""
    for name, value in fields.items():
        known = held.get(name)
        if not isinstance(known, dict) or "Values" not in known or value is None:
            continue
        if not isinstance(value, dict) or set(value) != set(known):
            raise Refused(INVALID_DATA)
        free = bool(known.get("AllowEdit")) or not value["Value"]
        if not free and value["Value"] not in known["Values"]:
            raise Refused(INVALID_DATA)


def has_custom(record: Any) -> bool:
    return isinstance(record, dict) and ("CustomFields" in record or any(name.startswith("CF_") for name in record))


def _unknown(call: Call) -> None:
    if call.quirks.unknown_property == "error":
        raise Refused(INVALID_DATA)


def _reference(value: Any, allowed: set[str], key: str) -> Record | None:
    if not isinstance(value, dict) or set(value) - allowed:
        raise Refused(INVALID_DATA)
    if value.get(key) is None:
        return None
    if not is_int(value[key]):
        raise Refused(INVALID_DATA)
    return {key: value[key]}


def _entries(call: Call, name: str, value: Any) -> list[Record]:
    kinds = _ENTRIES.get(name, {})
    entries = [value] if isinstance(value, dict) else value
    if not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
        raise Refused(INVALID_DATA)
    read: list[Record] = []
    for entry in entries:
        if set(entry) - set(kinds):
            _unknown(call)
        read.append({k: read_value(call, k, kinds[k], v) for k, v in entry.items() if k in kinds})
    key = next(iter(kinds), "")
    if not all(is_int(entry.get(key)) for entry in read):
        raise Refused(INVALID_DATA)
    return [entry if name != "Contacts" or entry["ContactKey"] < 0 else _link(entry) for entry in read]


def _link(entry: Record) -> Record:
    return {"ContactKey": entry["ContactKey"], "Order": entry.get("Order") or 0, "Text": entry.get("Text") or ""}


def _canonical(name: str, value: Any) -> Any:
    if value is None or value == "" or value == {}:
        return None
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float | Decimal):
        return Decimal(str(value)).normalize()
    if isinstance(value, list):
        return [_canonical_entry(name, entry) for entry in value]
    if isinstance(value, dict):
        for key in ("EmployeeKey", "ContactKey"):
            if key in value and name != "CustomFields":
                return value[key]
        return {k: c for k, v in value.items() if (c := _canonical(k, v)) is not None}
    return value


def _canonical_entry(name: str, entry: Any) -> Any:
    if not isinstance(entry, dict):
        return _canonical(name, entry)
    if name == "Contacts":
        entry = {k: entry.get(k) for k in _CONTACT_LINK} if entry.get("ContactKey", 0) > 0 else entry
        return {**entry, "Order": Decimal(str(entry.get("Order") or 0)), "Text": entry.get("Text") or ""}
    return {k: c for k, v in entry.items() if (c := _canonical(k, v)) not in (None, False, 0)}
