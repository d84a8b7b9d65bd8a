"""From changes to the bodies of writes: pure (contract sections 3, 8 to 12).

Columns are named exactly as metadata names them. A value that does not fit, or a code no table has, is refused
here, before anything is sent: nothing is ever cut.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final

from core.crm.catalogue import CONTACT_ROLES, EMPLOYEE_ROLES, Catalogue, is_project_name
from core.crm.codes import CodeTable
from core.crm.hubs import ADDRESS_PARTS, ADDRESSES, ROW_COLUMNS
from core.crm.mapping import Mapper, cut
from core.crm.replies import SIDE
from core.crm.wire import FieldMeta, Row, text_of
from core.errors import RecordRefused
from core.model.record import Record
from core.model.values import Address, EntryEdit, FieldType, Kind, Ref, Side, TeamEdit, Value
from core.policy import FieldSpec
from core.text import safe_line

Body = dict[str, Any]
ADDRESS_LABEL: Final = "Ajera"
STREET_LINES: Final = 4


@dataclass
class Draught:
    """What one write sends: hub columns, columns of the firm's address row, rows of nested arrays by array name."""

    columns: Body = field(default_factory=dict)
    address: Body = field(default_factory=dict)
    rows: dict[str, list[Body]] = field(default_factory=dict)

    def add_row(self, array: str, row: Body) -> None:
        self.rows.setdefault(array, []).append(row)


@dataclass(frozen=True)
class Writer:
    """Makes bodies for one tenant."""

    catalogue: Catalogue
    mapper: Mapper
    contact_array: str = "PRCONTACTASSOC"
    team_array: str = "EMPROJECTASSOC"

    def put(self, draught: Draught, spec: FieldSpec, value: Value, before: Row) -> None:
        """Add one mapped field. Raises RecordRefused that names the column."""
        if spec.type is FieldType.ADDRESS:
            target = draught.address if spec.kind is Kind.FIRM else draught.columns
            target.update(self._address(spec, value))
        elif spec.crm in ROW_COLUMNS:
            name = ROW_COLUMNS[spec.crm]
            draught.address[name] = self._text(self.catalogue.child_column(ADDRESSES, name), spec, value)
        elif is_project_name(spec):
            draught.columns.update(self._project_name(spec, value, before))
        else:
            draught.columns[self.catalogue.exact(spec.kind, spec.crm)] = self._plain(spec, value)

    def _plain(self, spec: FieldSpec, value: Value) -> object:
        meta = self.catalogue.column(spec.kind, spec.crm)
        match spec.type:
            case FieldType.MONEY | FieldType.NUMBER:
                # Number columns are NOT NULL: an empty text is refused (section 3).
                return value if isinstance(value, Decimal) else Decimal(text_of(value).strip() or 0)
            case FieldType.FLAG:
                return "Y" if value else "N"
            case FieldType.DATE:
                return value.isoformat() if isinstance(value, date) else text_of(value)
            case FieldType.REF:
                return self._text(meta, spec, own_key(value))
            case FieldType.CODE:
                return self.code(self.catalogue.table_of(spec), spec.label, spec.crm, text_of(value))
            case _:
                return self._text(meta, spec, value)

    def _text(self, meta: FieldMeta | None, spec: FieldSpec, value: Value) -> str:
        return fitting(meta, spec.label, spec.crm, text_of(value))

    def code(self, table: str, label: str, column: str, text: str) -> str:
        """The code of a description; blank stays blank."""
        if not text.strip():
            return ""
        codes = self.catalogue.codes.get(table)
        if codes is None:
            raise refusal(f"{label}: the CRM's list of codes ({table or 'unnamed'}) cannot be read", column)
        code = codes.code_of(text)
        if code is None:
            raise refusal(f"{label}: the CRM has no code for “{text}”{_nearest(codes, text)}", column)
        return code

    def template(self, text: Value) -> Body:
        """The template column. Raises RecordRefused where the tenant has none or not this one."""
        name = self.catalogue.template
        if name is None:
            raise refusal("The CRM has no column for the Ajera Project Template", "ProjectTemplate")
        return {name: self.code(self.catalogue.template_table(), "Ajera Project Template", name, text_of(text))}

    def mark(self, kind: Kind, on: bool) -> Body:
        """The tick's column. Raises RecordRefused where the tenant has none."""
        name = self.catalogue.marks.get(kind.value)
        if name is None:
            raise refusal(f"The CRM has no Ajera Sync column for a {kind}", "AjeraSync")
        return {name: "Y" if on else "N"}

    # -- composed fields ----------------------------------------------------------------------------

    def _address(self, spec: FieldSpec, value: Value) -> Body:
        address = value if isinstance(value, Address) else Address()
        if len(address.lines) > STREET_LINES:
            raise refusal(f"{spec.label}: {len(address.lines)} street lines, the CRM holds {STREET_LINES}", spec.crm)
        places = self.catalogue.places
        lines = [*address.lines, *[""] * (STREET_LINES - len(address.lines))]
        state = self._place(spec, "state", address.state, places.state(address.state))
        country = self._country(spec, address.country)
        parts = dict(zip(ADDRESS_PARTS, [*lines, address.city, state, address.zip, country], strict=True))
        return {name: fitting(meta, spec.label, spec.crm, text) for name, (meta, text) in self._known(spec, parts)}

    def _known(self, spec: FieldSpec, parts: Mapping[str, str]) -> list[tuple[str, tuple[FieldMeta | None, str]]]:
        """The address columns that the tenant has, by exact name; a filled one it has not is refused."""
        found: list[tuple[str, tuple[FieldMeta | None, str]]] = []
        for name, text in parts.items():
            meta = self._address_column(spec, name)
            if meta is not None:
                found.append((meta.fieldname, (meta, text)))
            elif text:
                raise refusal(f"{spec.label}: the CRM has no column {name} for “{text}”", spec.crm)
        return found

    def _address_column(self, spec: FieldSpec, name: str) -> FieldMeta | None:
        if spec.kind is Kind.FIRM:
            return self.catalogue.child_column(ADDRESSES, name)
        return self.catalogue.column(spec.kind, name)

    def _country(self, spec: FieldSpec, text: str) -> str:
        """The country's name where it fits (`United States` is known to be taken, section 3), else its code."""
        places = self.catalogue.places
        name = self._place(spec, "country", text, places.country(text))
        meta = self._address_column(spec, "Country")
        too_long = meta is not None and 0 < meta.maxlength < len(name)
        return (places.country_code(text) or "") if too_long else name

    def _place(self, spec: FieldSpec, what: str, text: str, found: str | None) -> str:
        if text.strip() and found is None:
            raise refusal(f"{spec.label}: the CRM's list has no {what} “{text}”", spec.crm)
        return found or ""

    def _project_name(self, spec: FieldSpec, value: Value, before: Row) -> Body:
        """Name follows LongName while it is its cut; a Name of its own is written and LongName left alone."""
        text, size = text_of(value).strip(), self.mapper.short_name_size()
        short, long = text_of(before.get("Name")).strip(), text_of(before.get("LongName")).strip()
        fitting(self.catalogue.column(Kind.PROJECT, "LongName"), spec.label, spec.crm, text)
        if short and long and short != cut(long, size):
            return {"Name": fitting(self.catalogue.column(Kind.PROJECT, "Name"), spec.label, "Name", text)}
        return {"Name": cut(text, size), "LongName": text}

    # -- nested rows --------------------------------------------------------------------------------

    def contacts(self, draught: Draught, before: Record, edit: EntryEdit) -> None:
        """Insert and delete rows of the project's contact list; entries not named stay as they are."""
        rows = {entry.key: entry for entry in before.contacts or ()}
        for place, ref in enumerate(edit.add):
            key = own_key(ref)
            if key not in rows:
                draught.add_row(self._contacts_name(), self._new_contact(before, key, edit.role(place)))
        for ref in edit.remove:
            entry = rows.get(own_key(ref))
            if entry is not None:
                draught.add_row(self._contacts_name(), self._contact_row(before, entry.key, entry.row, "D"))

    def contact_mark(self, draught: Draught, before: Record, key: str, on: bool) -> None:
        """Tick or untick a contact's row of the project."""
        flag = self.catalogue.marks.get("project_contact")
        entry = next((one for one in before.contacts or () if one.key == key), None)
        if flag is None:
            raise refusal("The CRM has no Ajera Sync column for a project's contacts", "AjeraSync")
        if entry is None:
            raise refusal("The contact is no longer on the project's contact list", self._contacts_name())
        row = self._contact_row(before, key, entry.row, "U")
        row |= {flag: "Y" if on else "N", "_originalValues": {flag: "Y" if entry.marked else "N"}}
        draught.add_row(self._contacts_name(), row)

    def _contacts_name(self) -> str:
        if not self.contact_array:
            raise refusal("This CRM takes no change of a project's contact list", "PRContactAssoc")
        return self.contact_array

    def _new_contact(self, before: Record, key: str, role: str) -> Body:
        row = self._contact_row(before, key, None, "I")
        if role.strip():
            row["Role"] = self.code(CONTACT_ROLES, "Role", "Role", role)
        return row

    def _contact_row(self, before: Record, key: str, row_key: str | None, change: str) -> Body:
        return {**_place_of(before), **_row_id(row_key), "ContactID": key, "_transType": change}

    def team(self, draught: Draught, before: Record, edit: TeamEdit) -> None:
        """Hours of one employee and role: the row that is there is adopted, its date set only if blank."""
        employee = own_key(edit.employee)
        row = next((one for one in before.team or () if _is_row(one.row, edit.row, one, employee, edit.role)), None)
        body: Body = {**_place_of(before), "Employee": employee, "CRMHours": edit.hours}
        if row is None:
            body["Role"] = self.code(EMPLOYEE_ROLES, "Role", "Role", edit.role)
            body["StartDate"] = edit.first.isoformat() if edit.first else ""
            draught.add_row(self.team_array, {**body, "_transType": "I"})
            return
        originals: Body = {"CRMHours": row.hours if row.hours is not None else Decimal(0)}
        if row.start is None and edit.first is not None:
            body["StartDate"] = edit.first.isoformat()
            originals["StartDate"] = ""
        body |= {**_row_id(row.row), "_originalValues": originals, "_transType": "U"}
        draught.add_row(self.team_array, body)


def _is_row(row_key: str | None, wanted: str | None, row: Any, employee: str, role: str) -> bool:
    if wanted is not None:
        return row_key == wanted
    return bool(row.employee == employee and row.role.casefold() == role.casefold())


def _place_of(before: Record) -> Body:
    return {"WBS1": before.key, "WBS2": " ", "WBS3": " "}


def _row_id(row_key: str | None) -> Body:
    return {"RecordID": row_key} if row_key else {}


def own_key(value: Value) -> str:
    """The CRM's own key of a reference. Raises RecordRefused for a record of the other side."""
    if not isinstance(value, Ref):
        return text_of(value).strip()
    if value.side is not Side.CRM:
        raise refusal(f"The {value.kind} {value.key} of Ajera has no partner in the CRM", str(value.kind))
    return value.key


def fitting(meta: FieldMeta | None, label: str, column: str, text: str) -> str:
    """The text, if its column can hold it."""
    if meta is not None and 0 < meta.maxlength < len(text):
        what = f"{label}: {len(text)} characters, the CRM's {meta.fieldname} holds {meta.maxlength}"
        raise refusal(what, column)
    return text


def refusal(sentence: str, column: str) -> RecordRefused:
    """A refusal of our own. The sentence may quote a record, so it is made harmless."""
    sentence = safe_line(sentence)
    return RecordRefused(SIDE, f"Not sent to the CRM. {sentence}", (sentence,), (column,))


def _nearest(codes: CodeTable, text: str) -> str:
    near = difflib.get_close_matches(text[:100], codes.descriptions[:2000], n=3, cutoff=0.5)
    return f"; nearest: {', '.join(near)}" if near else ""
