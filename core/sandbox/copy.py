"""Two live systems as sandbox data: records as they were read, under their own keys and stamps.

Only what the program reads of a live system is there: mapped fields, ticks, lists of contacts and teams. What a
system does by itself (workflows, rules of a tenant, other people's columns) is not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from core.model.record import Record
from core.model.values import Kind, Side, Value
from core.policy import TOTAL_FIELDS
from core.ports import Connection
from core.quirks.ajera import AjeraQuirks
from core.sandbox.ajera import schema
from core.sandbox.ajera.data import AjeraData
from core.sandbox.ajera.render import scaled_in
from core.sandbox.ajera.stamps import ZONE_NAMES, read_filter_date
from core.sandbox.crm.codetables import TEMPLATE_TABLE
from core.sandbox.crm.columns import Column
from core.sandbox.crm.data import CrmData
from core.sandbox.crm.schema_firm import flattened
from core.sandbox.crm.values import to_stored

Raw = Mapping[str, Any]
Clock = Callable[[], datetime]
AJERA_TABLES = {Kind.FIRM: "clients", Kind.CONTACT: "contacts", Kind.PROJECT: "projects", Kind.EMPLOYEE: "employees"}
LIST_TABLES = {table.key: table.name for table in schema.REFERENCE}
ORG, ADDRESS_LABEL = "Org", "Main"


@dataclass(frozen=True)
class Live:
    """What was read of the two live systems. `ajera_lists` are rows by key property, `code_columns` the codes of a
    mapped column, `totals` the Ajera Totals of a project by field name, `orgs` organizations that settings name."""

    ajera: Connection
    crm: Connection
    records: Mapping[tuple[Kind, Side], Sequence[Record]]
    totals: Mapping[str, Mapping[str, Value]]
    ajera_lists: Mapping[str, Sequence[Raw]]
    code_tables: Mapping[str, Sequence[Raw]]
    code_columns: Mapping[tuple[Kind, str], Sequence[Raw]]
    templates: Sequence[Raw]
    profile: str
    database: str
    orgs: frozenset[str] = frozenset()

    def of(self, kind: Kind, side: Side) -> Sequence[Record]:
        return self.records.get((kind, side), ())


# -- Ajera -----------------------------------------------------------------------------------------


def ajera_copy(live: Live, clock: Clock, quirks: AjeraQuirks) -> AjeraData:
    """Ajera's records, lists, templates and totals. Pay and persons' data were never read."""
    data = AjeraData(clock, live.ajera.version or "", live.ajera.company, zone=_zone(live))
    for name, rows in live.ajera_lists.items():
        table = "project_templates" if name == "ProjectTemplateKey" else LIST_TABLES[name]
        for row in rows:
            _insert(data, table, _stored(table, row, quirks), row)
    for kind in (Kind.EMPLOYEE, Kind.CONTACT, Kind.FIRM, Kind.PROJECT):
        table = AJERA_TABLES[kind]
        for record in live.of(kind, Side.AJERA):
            if isinstance(record.raw, Mapping):
                _insert(data, table, _stored(table, record.raw, quirks), record.raw)
    names = {spec.name: spec.ajera for spec in TOTAL_FIELDS}
    for key, totals in live.totals.items():
        found = {names[name]: value for name, value in totals.items() if name in names}
        if found:
            data.insert("totals", found, key=int(key))
    return data


def _zone(live: Live) -> str:
    """The zone whose name the stamps bear, so that they are written again as they were read."""
    for records in live.records.values():
        for record in records:
            for zone, names in ZONE_NAMES.items():
                if record.side is Side.AJERA and any(f"({name})" in record.stamp for name in names):
                    return zone
    return "UTC"


def _insert(data: AjeraData, table: str, record: dict[str, Any], raw: Raw) -> None:
    spec = schema.TABLES[table]
    key = raw.get(spec.key)
    seen = read_filter_date(str(raw.get("LastModifiedDate") or ""), data.zone)
    if key is not None and int(key) not in data.tables[table]:
        data.insert(table, record, key=int(key), stamp=seen.moment if seen else None)


def _stored(table: str, raw: Raw, quirks: AjeraQuirks) -> dict[str, Any]:
    """The properties that the sandbox keeps of a record from the wire."""
    spec = schema.TABLES[table]
    kept = {
        name: _property(name, spec.kinds[name], value, quirks)
        for name, value in raw.items()
        if name in spec.kinds and name not in (*spec.derived, "LastModifiedDate", spec.key) and value is not None
    }
    if spec.custom:
        kept |= {name: value for name, value in raw.items() if name.startswith("CF_")}
    if table == "projects":
        kept["InvoiceGroups"] = [_group(group, quirks) for group in _list(raw.get("InvoiceGroups"))]
    return kept


def _property(name: str, kind: str, value: Any, quirks: AjeraQuirks) -> Any:
    if kind == schema.PERSON:
        return {"EmployeeKey": value["EmployeeKey"]} if isinstance(value, Mapping) and "EmployeeKey" in value else None
    if kind == schema.LIST and name == "Contacts":
        return [{each: row.get(each) for each in ("ContactKey", "Order", "Text")} for row in _list(value)]
    if name == "ReportedPercentComplete" and isinstance(value, int | float | Decimal):
        return scaled_in(value, quirks)
    return None if value == "" and kind in (schema.KEY, schema.DATE) else value


def _group(raw: Raw, quirks: AjeraQuirks) -> dict[str, Any]:
    group = {**_stored("invoice_groups", raw, quirks), **_key(raw, "InvoiceGroupKey")}
    client, billed = raw.get("Client"), raw.get("BillingContact")
    if isinstance(client, Mapping) and client.get("ClientKey"):
        group["Client"] = {"ClientKey": client["ClientKey"]}
    if isinstance(billed, Mapping):
        group["BillingContact"] = {"ContactKey": billed.get("ContactKey")}
    group["Phases"] = [_phase(phase, quirks) for phase in _list(raw.get("Phases"))]
    return group


def _phase(raw: Raw, quirks: AjeraQuirks) -> dict[str, Any]:
    below = [_phase(phase, quirks) for phase in _list(raw.get("Phases"))]
    return {**_stored("phases", raw, quirks), **_key(raw, "PhaseKey"), "Phases": below}


def _key(raw: Raw, name: str) -> dict[str, Any]:
    return {name: int(raw[name])} if raw.get(name) is not None else {}


def _list(value: Any) -> list[Raw]:
    rows = value if isinstance(value, list) else [value]
    return [row for row in rows if isinstance(row, Mapping)]


# -- the CRM ---------------------------------------------------------------------------------------


def crm_copy(live: Live, clock: Clock) -> CrmData:
    """The CRM's records with their ticks, a firm's primary address, lists of the projects that take part, codes."""
    data = CrmData(clock, live.profile, live.database)
    _codes(data, live)
    used = {
        str(r.raw[ORG]).strip()
        for rs in live.records.values()
        for r in rs
        if isinstance(r.raw, dict) and r.raw.get(ORG)
    }
    for org in sorted((used | live.orgs) - {""}):
        data.insert("organization", {"Org": org, "Name": org}, key=org)
    for kind in (Kind.EMPLOYEE, Kind.FIRM, Kind.CONTACT, Kind.PROJECT):
        for record in live.of(kind, Side.CRM):
            _crm_record(data, record)
    labels = _labels(live.of(Kind.CONTACT, Side.CRM))
    for record in live.of(Kind.FIRM, Side.CRM):
        _address(data, record, labels.get(record.key, ADDRESS_LABEL))
    for record in live.of(Kind.PROJECT, Side.CRM):
        _members(data, record)
    return data


def _codes(data: CrmData, live: Live) -> None:
    data.code_tables |= {name: _rows(rows) for name, rows in live.code_tables.items()}
    data.code_tables[TEMPLATE_TABLE] = _rows(live.templates)
    for (kind, name), rows in live.code_columns.items():
        column = data.columns(kind.value).get(name)
        if column is not None and column.code_table and rows:
            data.code_tables[column.code_table] = _rows(rows)


def _rows(rows: Iterable[Raw]) -> list[dict[str, Any]]:
    return [{**row, "Seq": number} for number, row in enumerate(rows, 1)]


def _crm_record(data: CrmData, record: Record) -> None:
    raw = record.raw if isinstance(record.raw, Mapping) else {}
    table = record.kind.value
    columns = data.columns(table)
    row = {
        name: value
        for name, value in raw.items()
        if name.startswith("Cust") or (name in columns and _fits(columns[name], value))
    }
    if record.marked is not None and "AjeraSync" in columns:
        row["AjeraSync"] = record.marked
    if record.kind is Kind.PROJECT:
        row["ProjectTemplate"] = record.extra.get("ProjectTemplate", "")
    data.insert(table, row, key=record.key)


def _fits(column: Column, value: Any) -> bool:
    if column.computed or value is None:
        return False
    with suppress(ValueError):
        to_stored(column, value)
        return True
    return False


def _labels(contacts: Iterable[Record]) -> dict[str, str]:
    """What contacts call their firm's address."""
    found: dict[str, str] = {}
    for record in contacts:
        raw = record.raw if isinstance(record.raw, Mapping) else {}
        if raw.get("ClientID") and str(raw.get("CLAddress") or "").strip():
            found.setdefault(str(raw["ClientID"]), str(raw["CLAddress"]))
    return found


def _address(data: CrmData, record: Record, label: str) -> None:
    """The flattened columns as the row they come from."""
    raw = record.raw if isinstance(record.raw, Mapping) else {}
    parts = {part: raw[name] for name, (flag, part) in flattened().items() if flag == "PrimaryInd" and raw.get(name)}
    if parts:
        data.insert("address", {"ClientID": record.key, "Address": label, "PrimaryInd": "Y", **parts})


def _members(data: CrmData, record: Record) -> None:
    for entry in record.contacts or ():
        row = {"WBS1": record.key, "ContactID": entry.key, "PrimaryInd": entry.primary, "AjeraSync": entry.marked}
        role = _code(data, "CFGContactRole", entry.role)
        data.insert("project_contact", {**row, "Role": role}, key=entry.row)
    for member in record.team or ():
        row = {"WBS1": record.key, "Employee": member.employee, "Role": _code(data, "CFGEmployeeRole", member.role)}
        hours = {} if member.hours is None else {"CRMHours": member.hours}
        start = {} if member.start is None else {"StartDate": member.start.isoformat()}
        data.insert("project_team", {**row, **hours, **start}, key=member.row)


def _code(data: CrmData, table: str, text: str) -> str:
    rows = data.code_tables.get(table, [])
    return next((str(row["Code"]) for row in rows if text in (row["Description"], row["Code"])), text)


def missing_columns(crm: Connection) -> tuple[str, ...]:
    """Quirks of a sandbox that lacks the columns the live CRM lacks."""
    names = {"contact": "firm_contact_flag", "project_contact": "project_contact_flag", "template": "template_field"}
    lacking = tuple(f"crm.{quirk}=" for tick, quirk in names.items() if tick not in crm.mark_columns)
    return (*lacking, *(() if "firm" in crm.mark_columns else ("crm.ajera_columns=no",)))
