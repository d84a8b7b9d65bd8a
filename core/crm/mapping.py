"""From a hub row to a record: pure, by the tables of core/policy.py.

Values stay as the CRM holds them, codes turned into their descriptions; a column that did not come is a
field that was not read. Only the columns asked for are kept, so that nothing else of a person is stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import Any, Final

from core.crm.catalogue import CONTACT_ROLES, EMPLOYEE_ROLES, Catalogue, is_project_name
from core.crm.hubs import ADDRESS_PARTS, HUBS, PRIMARY
from core.crm.query import moment_of
from core.crm.wire import Row, flag_of, text_of
from core.model.record import Entry, Record, TeamRow
from core.model.values import Address, FieldType, Kind, Ref, Side
from core.policy import FieldSpec
from core.quirks.crm import CrmQuirks

SHORT_NAME: Final = 40  # PR.Name where metadata does not say (contract section 11)
QUALIFIED: Final = frozenset({"", "qualified", "q", "y", "yes"})  # the values are not documented (section 10)
_SKIP_EXTRA: Final = frozenset({"WBS2", "WBS3"})
_MISSING: Final = object()
_LARGEST_EXPONENT: Final = 400  # "1e999999999" would fill the memory once it is written out


@dataclass(frozen=True)
class Mapper:
    """Reads rows of one tenant. `specs` are the fields that can be used, per kind."""

    catalogue: Catalogue
    specs: Mapping[Kind, Sequence[FieldSpec]]
    quirks: CrmQuirks

    def wanted(self, kind: Kind) -> tuple[str, ...]:
        """The columns to ask for."""
        return self._wanted[kind]

    @cached_property
    def _wanted(self) -> Mapping[Kind, tuple[str, ...]]:
        return {kind: self.catalogue.wanted(kind, specs) for kind, specs in self.specs.items()}

    def complete(self, kind: Kind, row: Row) -> bool:
        """Whether a reply's row holds every column asked for."""
        return all(name in row for name in self.wanted(kind))

    def key(self, kind: Kind, row: Row) -> str:
        return text_of(cell(row, HUBS[kind].key, "")).strip()

    def record(self, kind: Kind, row: Row) -> Record:
        """The record of a row. `raw` holds the columns asked for and no other."""
        kept = {name: value for name in self.wanted(kind) if (value := cell(row, name)) is not _MISSING}
        fields = {spec.name: value for spec in self.specs[kind] if (value := self._value(spec, kept)) is not _MISSING}
        mark = self.catalogue.marks.get(kind.value)
        return Record(
            kind,
            Side.CRM,
            self.key(kind, kept),
            self._name(kind, kept),
            stamp=text_of(kept.get("ModDate")),
            user=text_of(kept.get("ModUser")) or None,
            fields=fields,
            marked=flag_of(kept[mark]) if mark and mark in kept else None,
            template=self._template(kept) if kind is Kind.PROJECT else None,
            number=text_of(cell(kept, HUBS[kind].number, "")).strip() if HUBS[kind].number else "",
            why_not=_why_not(kind, kept),
            extra=self._extra(kind, kept),
            raw=kept,
        )

    def _name(self, kind: Kind, row: Row) -> str:
        if kind is Kind.FIRM:
            return text_of(row.get("Name"))
        if kind is Kind.PROJECT:
            return project_name(row, self.short_name_size())
        last, first = text_of(row.get("LastName")).strip(), text_of(row.get("FirstName")).strip()
        return ", ".join(part for part in (last, first) if part)

    def short_name_size(self) -> int:
        return self.catalogue.size(Kind.PROJECT, "Name") or SHORT_NAME

    def _template(self, row: Row) -> str | None:
        name = self.catalogue.template
        if name is None or name not in row:
            return None
        table = self.catalogue.codes.get(self.catalogue.template_table())
        code = text_of(row[name]).strip()
        return (table.describe(code) if table and code else code) or None

    def _extra(self, kind: Kind, row: Row) -> dict[str, str]:
        """What rules and screens need beside the mapped fields, by column name; and `changed_at` (ISO), a contact's
        `primary` (Y or N), a firm's `owner`."""
        names = [*HUBS[kind].extra, *(HUBS[kind].name if kind is Kind.PROJECT else ())]
        found = {name: text_of(row[name]).strip() for name in names if name in row and name not in _SKIP_EXTRA}
        changed = moment_of(text_of(row.get("ModDate")))
        if changed:
            found["changed_at"] = changed.isoformat()
        if kind is Kind.CONTACT:
            found["primary"] = "Y" if flag_of(row.get("PrimaryInd")) else "N"
        if kind is Kind.FIRM and "Owner" in row:
            found["owner"] = text_of(row["Owner"]).strip()
        template = self.catalogue.template
        if kind is Kind.PROJECT and template and template in row:
            found["ProjectTemplate"] = text_of(row[template]).strip()
        return found

    # -- fields ------------------------------------------------------------------------------------

    def _value(self, spec: FieldSpec, row: Row) -> Any:
        """The field's value, or _MISSING where it was not read."""
        if spec.type is FieldType.ADDRESS:
            return self._address(spec, row)
        if is_project_name(spec):
            return project_name(row, self.short_name_size()) if "Name" in row else _MISSING
        raw = cell(row, spec.crm)
        if raw is _MISSING:
            return _MISSING
        return self._typed(spec, raw)

    def _typed(self, spec: FieldSpec, raw: object) -> Any:
        match spec.type:
            case FieldType.MONEY | FieldType.NUMBER:
                return number_of(raw)
            case FieldType.DATE:
                return date_of(raw)
            case FieldType.FLAG:
                return flag_of(raw)
            case FieldType.REF:
                key = text_of(raw).strip()
                return Ref(spec.ref, Side.CRM, key) if key and spec.ref else None
            case FieldType.CODE:
                table = self.catalogue.codes.get(self.catalogue.table_of(spec))
                code = text_of(raw).strip()
                return table.describe(code) if table and code else code
            case FieldType.STATUS:
                return text_of(raw).strip()
            case _:
                # A project number ends where its padding begins; other text is kept as it is.
                return text_of(raw).strip() if spec.crm in ("WBS1", "Employee") else text_of(raw)

    def _address(self, spec: FieldSpec, row: Row) -> Any:
        """One postal address from its columns. A contact that uses its firm's address has none of its own."""
        if spec.kind is Kind.CONTACT and text_of(row.get("CLAddress")).strip():
            return _MISSING
        names = PRIMARY if spec.kind is Kind.FIRM else ADDRESS_PARTS
        if not any(name in row for name in names):
            return _MISSING
        parts = [text_of(row.get(name)).strip() for name in names]
        places = self.catalogue.places
        lines = tuple(line for line in parts[:4] if line)
        city, state, zip_code, country = parts[4:]
        return Address(lines, city, places.state(state) or state, zip_code, places.country(country) or country)

    # -- children ----------------------------------------------------------------------------------

    def team(self, rows: Iterable[Row]) -> tuple[tuple[Entry, ...] | None, tuple[TeamRow, ...]]:
        """Contacts and team of a project from its /teammember rows (section 11.1).

        Contacts are None where their rows do not say which contact they are.
        """
        entries: list[Entry] = []
        team: list[TeamRow] = []
        unnamed = False
        for row in rows:
            if self._is_contact(row):
                entry = self._entry(row)
                unnamed = unnamed or not entry.key
                entries.append(entry)
            elif text_of(cell(row, "Employee", "")).strip() and not text_of(cell(row, "WBS2", "")).strip():
                team.append(self._team_row(row))
        return (None if unnamed else tuple(sorted(entries, key=lambda entry: entry.key))), tuple(team)

    def _is_contact(self, row: Row) -> bool:
        """The values of RecordType are not documented: where they are others, the filled key decides."""
        kind = text_of(cell(row, "RecordType", "")).strip().upper()
        if kind in (self.quirks.team_contact_type.upper(), self.quirks.team_employee_type.upper()):
            return kind == self.quirks.team_contact_type.upper()
        return not text_of(cell(row, "Employee", "")).strip()

    def _entry(self, row: Row) -> Entry:
        flag = self.catalogue.marks.get("project_contact", "")
        return Entry(
            text_of(cell(row, self.quirks.team_contact_key or "ContactID", "")).strip(),
            self._described(CONTACT_ROLES, row),
            flag_of(cell(row, "PrimaryInd", "")),
            flag_of(cell(row, flag, "")) if flag else False,
            text_of(cell(row, "RecordID", "")) or None,
        )

    def _team_row(self, row: Row) -> TeamRow:
        hours = number_of(cell(row, "Hours", cell(row, "CRMHours", None)))
        started = date_of(cell(row, "StartDate", ""))
        return TeamRow(
            text_of(cell(row, "Employee", "")).strip(),
            self._described(EMPLOYEE_ROLES, row),
            hours if isinstance(hours, Decimal) else None,
            started if isinstance(started, date) else None,
            text_of(cell(row, "RecordID", "")) or None,
        )

    def _described(self, table: str, row: Row) -> str:
        code = text_of(cell(row, "Role", "")).strip()
        codes = self.catalogue.codes.get(table)
        return codes.describe(code) if codes and code else code


def cell(row: Row, name: str, default: object = _MISSING) -> Any:
    """A column of a row, its name matched without case where the exact one is not there."""
    if name in row:
        return row[name]
    wanted = name.lower()
    return next((value for key, value in row.items() if key.lower() == wanted), default)


def number_of(raw: object) -> Any:
    """An exact Decimal; None for empty; _MISSING for what is no number."""
    if isinstance(raw, Decimal):
        return raw if raw.is_finite() and abs(raw.adjusted()) <= _LARGEST_EXPONENT else _MISSING
    text = text_of(raw).strip()
    if not text:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        return _MISSING
    return number if number.is_finite() and abs(number.adjusted()) <= _LARGEST_EXPONENT else _MISSING


def date_of(raw: object) -> Any:
    """The day of `YYYY-MM-DD` with or without a time; None for empty; _MISSING for what is no date."""
    text = text_of(raw).strip()
    if not text:
        return None
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return _MISSING


def project_name(row: Row, size: int) -> str:
    """LongName where Name is blank or its cut, else Name (sync-rules 5)."""
    short, long = text_of(row.get("Name")).strip(), text_of(row.get("LongName")).strip()
    return long if long and (not short or short == cut(long, size)) else short


def cut(text: str, size: int) -> str:
    """A long name as the short one holds it."""
    return text[:size].strip()


def is_top_level(row: Row) -> bool:
    """Whether a project row is the project itself: unused WBS levels hold a single blank (section 11)."""
    return not text_of(cell(row, "WBS2", "")).strip() and not text_of(cell(row, "WBS3", "")).strip()


def _why_not(kind: Kind, row: Row) -> str | None:
    if kind is Kind.FIRM and "ClientInd" in row and not flag_of(row["ClientInd"]):
        return "not a client"
    if kind is Kind.CONTACT:
        status = text_of(row.get("QualifiedStatus")).strip()
        if status.lower() not in QUALIFIED:
            return f"not a qualified contact ({status})"
    return None


def row_id(kind: Kind, row: Row) -> str:
    """What makes a row of a hub list the same row: an employee has one per company, a project one per level."""
    names = {Kind.PROJECT: ("WBS1", "WBS2", "WBS3"), Kind.EMPLOYEE: ("Employee", "EmployeeCompany")}
    parts = names.get(kind, (HUBS[kind].key,))
    return "|".join(text_of(cell(row, name, "")).strip() for name in parts)


def own_rows(kind: Kind, rows: Iterable[Row]) -> list[Row]:
    """One row per record: top-level projects only; of an employee in several companies the home company's row."""
    if kind is Kind.PROJECT:
        return [row for row in rows if is_top_level(row)]
    if kind is not Kind.EMPLOYEE:
        return list(rows)
    found: dict[str, Row] = {}
    for row in rows:
        key = text_of(cell(row, "Employee", "")).strip()
        if key not in found or _at_home(row):
            found[key] = row
    return list(found.values())


def _at_home(row: Row) -> bool:
    company = text_of(cell(row, "EmployeeCompany", "")).strip()
    return bool(company) and company == text_of(cell(row, "HomeCompany", "")).strip()
