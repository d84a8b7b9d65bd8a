"""What a reader sees of a row: stored columns, plus those computed from other rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from core.sandbox.crm.columns import Column
from core.sandbox.crm.data import CrmData
from core.sandbox.crm.dialect import Dialect
from core.sandbox.crm.rows import Row
from core.sandbox.crm.schema import wbs_key
from core.sandbox.crm.schema_firm import flattened

_FLATTENED = flattened()
_FIRM_BLOCK = ("Address1", "Address2", "Address3", "Address4", "City", "State", "Zip", "Country", "Phone")


def address_of(data: CrmData, client_id: str, flag: str) -> Row | None:
    """The first address row of a firm that carries a flag (PrimaryInd, Billing, Payment)."""
    return next((row for row in data.rows("address", "ClientID", client_id) if row[flag] == "Y"), None)


def name_of(data: CrmData, table: str, key: str) -> str:
    """The Name of a row, empty when there is none."""
    row = data.tables[table].get(key)
    return "" if row is None else str(row["Name"])


def full_name(row: Row | None) -> str:
    """``First Last`` of a contact or employee; the preferred name counts before the first."""
    if row is None:
        return ""
    return f"{row['PreferredName'] or row['FirstName']} {row['LastName']}".strip()


def last_first(row: Row) -> str:
    """``Last, First`` of a contact or employee."""
    first = row["PreferredName"] or row["FirstName"]
    return f"{row['LastName']}, {first}" if first else str(row["LastName"])


def _firm(data: CrmData, row: Row) -> dict[str, Any]:
    blocks = {flag: address_of(data, row["ClientID"], flag) for flag in ("PrimaryInd", "Billing", "Payment")}
    found = {name: blocks[flag][part] if blocks[flag] else "" for name, (flag, part) in _FLATTENED.items()}  # type: ignore[index] # the row of that flag is there
    found["ParentName"] = name_of(data, "firm", row["ParentID"])
    found["HasHierarchy"] = int(bool(row["ParentID"] or data.rows("firm", "ParentID", row["ClientID"])))
    return found


def _contact(data: CrmData, row: Row) -> dict[str, Any]:
    rows = data.rows("address", "ClientID", row["ClientID"]) if row["ClientID"] else []
    used = next((a for a in rows if a["Address"] == row["CLAddress"]), None) if row["CLAddress"] else None
    used = used or (address_of(data, row["ClientID"], "PrimaryInd") if row["ClientID"] else None)
    found = {f"Firm{part}": used[part] if used else "" for part in _FIRM_BLOCK}
    found["FirmFax"] = used["FAX"] if used else ""
    found["FirmAddressDescription"] = used["Address"] if used else ""
    return {
        **found,
        "ClientName": name_of(data, "firm", row["ClientID"]),
        "VName": next((str(f["Name"]) for f in data.rows("firm", "Vendor", row["Vendor"])), "")
        if row["Vendor"]
        else "",
        "flName": full_name(row),
    }


def _project(data: CrmData, row: Row) -> dict[str, Any]:
    number = wbs_key(row["WBS1"], row["WBS2"], row["WBS3"])
    return {"ClientName": name_of(data, "firm", row["ClientID"]), "WBSNumber": number}


def _employee(data: CrmData, row: Row) -> dict[str, Any]:
    return {"flName": full_name(row), "SupervisorName": full_name(data.tables["employee"].get(row["Supervisor"]))}


def _address(data: CrmData, row: Row) -> dict[str, Any]:
    states = data.code_tables.get("CFGStates", [])
    return {"StateDescription": next((s["Description"] for s in states if s["Code"] == row["State"]), "")}


_COMPUTED: dict[str, Callable[[CrmData, Row], dict[str, Any]]] = {
    "firm": _firm,
    "contact": _contact,
    "project": _project,
    "employee": _employee,
    "address": _address,
}


def computed(data: CrmData, table: str, row: Row) -> dict[str, Any]:
    """The computed columns of a row by stored name."""
    maker = _COMPUTED.get(table)
    return maker(data, row) if maker else {}


def reader(data: CrmData, table: str, column: Column) -> Callable[[Row], Any]:
    """A function that reads one column of a row; stored columns are read without a Python-level call."""
    name = column.name
    if column.computed:
        return lambda row: computed(data, table, row)[name]
    default, plain = column.default, dict.get
    return lambda row: plain(row, name, default)


def shown(dialect: Dialect, table: str, rows: Iterable[Row], only: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Rows as the wire shows them: every column, or those of `only` that exist."""
    columns = dialect.columns(table)
    wanted = _wanted(dialect, table, only) if only else columns
    makes = any(column.computed for column in wanted.values())
    picks = [(wire, column.name, column.default, column.computed) for wire, column in wanted.items()]
    out = []
    for row in rows:
        made = computed(dialect.data, table, row) if makes else {}
        out.append({w: made[n] if c else dict.get(row, n, d) for w, n, d, c in picks})
    return out


def _wanted(dialect: Dialect, table: str, only: Sequence[str]) -> dict[str, Column]:
    wires = {wire.lower(): wire for wire in dialect.columns(table)}
    names = [wires[name.lower()] for name in only if name.lower() in wires]
    return {name: dialect.columns(table)[name] for name in names}
