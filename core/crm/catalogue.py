"""What a tenant's metadata and code tables say: exact names, sizes, ticks, what cannot be used. Pure.

Contents of metadata vary with modules, settings and role (contract section 13), so nothing is written to a
column that was not seen here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from core.crm.codes import CodeTable, Places
from core.crm.hubs import ADDRESS_PARTS, ADDRESSES, FIRST_VALUES, HUBS, PRIMARY, PROJECT_CONTACTS, ROW_COLUMNS, STAMPS
from core.crm.wire import FieldMeta, TableMeta
from core.model.values import FieldType, Kind
from core.policy import FieldSpec, Owner

MARK_CAPTIONS: Final = frozenset({"ajera sync", "sync to ajera"})
TEMPLATE_CAPTION: Final = "ajera project template"
TEMPLATE_COLUMN: Final = "projecttemplate"  # the column's likely name (section 14)
SHORTEST_TEXT: Final = 10  # a text field mapped to a shorter column is a mistake of the map
STATES, COUNTRIES, EMPLOYEE_ROLES, CONTACT_ROLES = "CFGStates", "CFGCountry", "CFGEmployeeRole", "CFGContactRole"
# Code tables of coded columns where metadata does not name one (sections 9, 13).
_USUAL_TABLES: Final = {"type": "CFGClientType", "projecttype": "ProjectType"}
_TEXTS: Final = frozenset({FieldType.TEXT, FieldType.EMAIL, FieldType.PHONE, FieldType.URL})
# Columns of a contact that metadata may not list and every live client read (section 10); the same of a firm.
_UNLISTED: Final = frozenset(name.lower() for name in (*PRIMARY, *ROW_COLUMNS, *STAMPS))

Metadata = Mapping[Kind, Mapping[str, TableMeta]]


@dataclass(frozen=True)
class Catalogue:
    """One tenant's columns. `marks` maps a tick (firm, contact, project, project_contact) to its column;
    `template` is the column of the Ajera Project Template. Build with `catalogue_of`."""

    tables: Mapping[Kind, TableMeta]
    rows: Mapping[str, TableMeta]  # child tables by lower-case name
    marks: Mapping[str, str]
    template: str | None
    codes: Mapping[str, CodeTable] = field(default_factory=dict)

    @cached_property
    def places(self) -> Places:
        return Places(self.codes.get(STATES), self.codes.get(COUNTRIES))

    def column(self, kind: Kind, name: str) -> FieldMeta | None:
        """The field of a column name in any case."""
        return self.tables[kind].get(name.lower())

    def exact(self, kind: Kind, name: str) -> str:
        """The column's exact name: another case is silently ignored (section 3)."""
        found = self.column(kind, name)
        return found.fieldname if found else name

    def child_column(self, table: str, name: str) -> FieldMeta | None:
        return self.rows.get(table, {}).get(name.lower())

    def size(self, kind: Kind, name: str) -> int | None:
        """The longest text of a column; None where it is not limited or not said."""
        found = self.column(kind, name)
        return (found.maxlength or None) if found else None

    def table_of(self, spec: FieldSpec) -> str:
        """The name of the code table behind a coded field, empty where none is known."""
        found = self.column(spec.kind, spec.crm)
        return (found.codetable if found else "") or _USUAL_TABLES.get(spec.crm.lower(), "")

    def template_table(self) -> str:
        found = self.column(Kind.PROJECT, self.template) if self.template else None
        return found.codetable if found else ""

    def wanted(self, kind: Kind, specs: Iterable[FieldSpec]) -> tuple[str, ...]:
        """The columns to ask for, by exact name: those of the mapped fields, the ticks and the rules."""
        hub = HUBS[kind]
        names = [hub.key, *STAMPS, *hub.name, *hub.extra, hub.number, self.marks.get(kind.value, "")]
        names += [column for spec in specs for column in columns_of(spec)]
        if kind is Kind.PROJECT:
            names.append(self.template or "")
        known = (self.exact(kind, name) for name in names if name and self._may_ask(kind, name))
        return tuple(dict.fromkeys(known))

    def _may_ask(self, kind: Kind, name: str) -> bool:
        key = HUBS[kind].key.lower()
        return self.column(kind, name) is not None or name.lower() in _UNLISTED or name.lower() == key


def columns_of(spec: FieldSpec) -> tuple[str, ...]:
    """The columns a field is read from."""
    if spec.type is FieldType.ADDRESS:
        return PRIMARY if spec.kind is Kind.FIRM else ADDRESS_PARTS
    if is_project_name(spec):
        return ("Name", "LongName")
    return (spec.crm,)


def is_project_name(spec: FieldSpec) -> bool:
    """The one field that stands for two columns, LongName and Name (sync-rules 5)."""
    return spec.kind is Kind.PROJECT and spec.crm == "LongName"


def catalogue_of(metadata: Metadata, named: Mapping[str, str], codes: Mapping[str, CodeTable]) -> Catalogue:
    """The catalogue of one tenant. `named` are the columns the settings name for ticks and template."""
    tables = {kind: hub_table(kind, metadata.get(kind, {})) for kind in HUBS}
    rows = {**metadata.get(Kind.PROJECT, {}), ADDRESSES: metadata.get(Kind.FIRM, {}).get(ADDRESSES, {})}
    places = {kind.value: tables[kind] for kind in (Kind.FIRM, Kind.CONTACT, Kind.PROJECT)}
    places["project_contact"] = rows.get(PROJECT_CONTACTS, {})
    marks = {tick: name for tick, table in places.items() if (name := _mark_column(table, named.get(tick)))}
    return Catalogue(tables, rows, marks, _template_column(tables[Kind.PROJECT], named.get("template")), codes)


def hub_table(kind: Kind, tables: Mapping[str, TableMeta]) -> TableMeta:
    """The hub's own table among those of its metadata: by name, else the one with the key and the stamps."""
    hub = HUBS[kind]
    for name in hub.tables:
        if name in tables:
            return tables[name]
    needed = {hub.key.lower(), *(name.lower() for name in hub.name)}
    return next((table for table in tables.values() if needed <= set(table)), {})


def _mark_column(table: TableMeta, named: str | None) -> str | None:
    """The tick's column: as the settings say, by name, by caption, else a check box that begins with Ajera."""
    if named is not None:
        found = table.get(named.lower())
        return found.fieldname if found else None
    if "ajerasync" in table:
        return table["ajerasync"].fieldname
    for one in table.values():
        if one.caption.strip().lower() in MARK_CAPTIONS:
            return one.fieldname
    boxes = (f for f in table.values() if f.fieldname.lower().startswith("ajera") and f.fieldtype.lower() == "checkbox")
    return next((one.fieldname for one in boxes), None)


def _template_column(table: TableMeta, named: str | None) -> str | None:
    if named is not None:
        found = table.get(named.lower())
        return found.fieldname if found else None
    for one in table.values():
        if one.caption.strip().lower() == TEMPLATE_CAPTION:
            return one.fieldname
    return table[TEMPLATE_COLUMN].fieldname if TEMPLATE_COLUMN in table else None


# -- what the connection says ------------------------------------------------------------------------


def needed_code_tables(catalogue: Catalogue, specs: Iterable[FieldSpec]) -> tuple[str, ...]:
    """The names of the code tables that mapping needs."""
    coded = [catalogue.table_of(spec) for spec in specs if spec.type is FieldType.CODE]
    names = [STATES, COUNTRIES, EMPLOYEE_ROLES, CONTACT_ROLES, catalogue.template_table(), *coded]
    return tuple(dict.fromkeys(name for name in names if name))


def stopped_fields(catalogue: Catalogue, specs: Sequence[FieldSpec]) -> dict[tuple[Kind, str], str]:
    """Fields that cannot be used in this tenant, each with a sentence why."""
    found = ((spec, _why_stopped(catalogue, spec)) for spec in specs)
    return {(spec.kind, spec.name): why for spec, why in found if why}


def _why_stopped(catalogue: Catalogue, spec: FieldSpec) -> str:
    if not catalogue.tables[spec.kind]:
        return f"{spec.label}: the CRM's metadata does not describe the {spec.kind} hub to this user"
    if spec.type is FieldType.ADDRESS or spec.crm in ROW_COLUMNS:
        return _why_no_address(catalogue, spec)
    metas = [(name, catalogue.column(spec.kind, name)) for name in columns_of(spec)]
    missing = [name for name, meta in metas if meta is None]
    if missing:
        return f"{spec.label}: the CRM has no column {missing[0]}, or hides it from this user"
    writes = spec.owner is not Owner.CRM and not spec.create_only
    fixed = [name for name, meta in metas if meta and not meta.updateable]
    if writes and fixed:
        return f"{spec.label}: the column {fixed[0]} is read-only in the CRM"
    return _why_unfit(catalogue, spec, [meta for _, meta in metas if meta])


def _why_unfit(catalogue: Catalogue, spec: FieldSpec, metas: Sequence[FieldMeta]) -> str:
    short = [meta for meta in metas if 0 < meta.maxlength < SHORTEST_TEXT]
    if spec.type in _TEXTS and short:
        return f"{spec.label}: the column {short[0].fieldname} holds only {short[0].maxlength} characters"
    if spec.type is FieldType.CODE and catalogue.table_of(spec) not in catalogue.codes:
        return f"{spec.label}: the list of codes behind {spec.crm} cannot be read"
    return ""


def _why_no_address(catalogue: Catalogue, spec: FieldSpec) -> str:
    """A firm's address stands in rows of its own, a contact's in its own columns."""
    if spec.kind is Kind.FIRM:
        table, place = catalogue.rows.get(ADDRESSES, {}), "address rows (CLAddress)"
    else:
        table, place = catalogue.tables[spec.kind], "columns"
    needed = [ROW_COLUMNS[spec.crm]] if spec.crm in ROW_COLUMNS else ["Address1", "City", "State", "Zip", "Country"]
    missing = [name for name in needed if name.lower() not in table]
    if missing:
        return f"{spec.label}: the CRM's {place} have no {missing[0]}, or hide it from this user"
    fixed = [name for name in needed if not table[name.lower()].updateable]
    return f"{spec.label}: {fixed[0]} is read-only in the CRM" if fixed else ""


def limits_of(catalogue: Catalogue, specs: Iterable[FieldSpec]) -> dict[tuple[Kind, str], int]:
    """The longest text of each field, by metadata."""
    found: dict[tuple[Kind, str], int] = {}
    for spec in specs:
        if spec.crm in ROW_COLUMNS:
            meta = catalogue.child_column(ADDRESSES, ROW_COLUMNS[spec.crm])
        else:
            meta = catalogue.column(spec.kind, spec.crm)
        if spec.type in _TEXTS and meta and meta.maxlength:
            found[spec.kind, spec.name] = meta.maxlength
    return found


def captions_of(catalogue: Catalogue, specs: Iterable[FieldSpec]) -> dict[tuple[Kind, str], str]:
    """The tenant's own label of each field that is a column; a caption that only repeats the column's name is none."""
    found = {}
    for spec in specs:
        meta = catalogue.column(spec.kind, spec.crm)
        caption = meta.caption.strip() if meta else ""
        if meta and caption and caption.casefold() != meta.fieldname.casefold():
            found[spec.kind, spec.name] = caption
    return found


def create_warnings(
    catalogue: Catalogue, specs: Iterable[FieldSpec], defaults: Mapping[Kind, Mapping[str, str]]
) -> list[str]:
    """What would make the CRM refuse new records: defaults of unknown columns, required columns nobody fills."""
    found: list[str] = []
    nobody = unfilled(catalogue, specs, defaults)
    for kind in HUBS:
        table = catalogue.tables[kind]
        found += [
            f"[crm.defaults.{kind}] {name}: the CRM has no such column"
            for name in _unknown(table, defaults.get(kind, {}))
        ]
        lacking = [f"{meta.caption or meta.fieldname} ({meta.fieldname})" for meta in nobody[kind]]
        if lacking:
            found.append(f"New {kind}s in the CRM need {', '.join(lacking)}: set it under [crm.defaults.{kind}]")
    return found


def unfilled(
    catalogue: Catalogue, specs: Iterable[FieldSpec], defaults: Mapping[Kind, Mapping[str, str]]
) -> dict[Kind, list[FieldMeta]]:
    """The required columns of each hub that a new record would not have: neither mapped, nor set by us, by the
    settings or by the CRM itself (section 13: Required, DefaultValue)."""
    mapped = {(spec.kind, column.lower()) for spec in specs for column in columns_of(spec)}
    found: dict[Kind, list[FieldMeta]] = {}
    for kind, hub in HUBS.items():
        filled = {name.lower() for name in (hub.key, hub.number, *FIRST_VALUES[kind], *defaults.get(kind, {}))}
        found[kind] = [
            meta
            for name, meta in catalogue.tables[kind].items()
            if meta.required and not meta.defaultvalue and name not in filled and (kind, name) not in mapped
        ]
    return found


def _unknown(table: TableMeta, given: Iterable[str]) -> list[str]:
    return [name for name in given if table and name.lower() not in table]
