"""Records as stored documents. Kind, side and key stand in the table's name and the id; `raw` is never stored."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final

from core.model.record import NO_FIELDS, Entry, Record, TeamRow
from core.model.values import Kind, Side, Value, from_json, to_json
from core.store import bodies


def values_out(fields: Mapping[str, Value]) -> dict[str, Any]:
    """Field values as JSON; text, the usual case, goes through untouched."""
    return {name: value if type(value) is str else to_json(value) for name, value in fields.items()}


def values_in(stored: Mapping[str, Any]) -> dict[str, Value]:
    return {name: value if type(value) is str else from_json(value) for name, value in stored.items()}


def write_record(record: Record) -> bytes:
    """Only what differs from the defaults, so that 50,000 of them stay small."""
    document: dict[str, Any] = {"name": record.name}
    if record.fields:
        document["fields"] = values_out(record.fields)
    for name in ("stamp", "number"):
        if text := getattr(record, name):
            document[name] = text
    for name in ("user", "marked", "template", "why_not"):
        if (value := getattr(record, name)) is not None:
            document[name] = value
    if record.create_in_crm:
        document["create_in_crm"] = True
    if record.contacts is not None:
        document["contacts"] = [[e.key, e.role, e.primary, e.marked, e.row] for e in record.contacts]
    if record.team is not None:
        document["team"] = [_team_out(row) for row in record.team]
    if record.extra:
        document["extra"] = dict(record.extra)
    return bodies.dump(document)


def record_reader(
    kind: Kind, side: Side, values: Callable[[Mapping[str, Any]], Mapping[str, Value]] = values_in
) -> Callable[[str, bytes], Record]:
    """What turns key and body of that kind and side back into a record; `values` makes its fields."""

    def read(key: str, body: bytes) -> Record:
        stored = bodies.load(body)
        get = stored.get
        contacts, team, fields = get("contacts"), get("team"), get("fields")
        return Record(
            kind,
            side,
            key,
            stored["name"],
            get("stamp", ""),
            get("user"),
            NO_FIELDS if fields is None else values(fields),
            get("marked"),
            get("template"),
            get("create_in_crm", False),
            get("number", ""),
            get("why_not"),
            None if contacts is None else tuple(Entry(*entry) for entry in contacts),
            None if team is None else tuple(_team_in(row) for row in team),
            get("extra") or {},
        )

    return read


_FIRM: Final = re.compile(rb'"ref":\["firm","[a-z]+","((?:[^"\\]|\\.)*)"')


def names_read(body: bytes) -> set[tuple[Kind, str]]:
    """`core.model.record.names_of` of a stored record, without making the record: most name a firm and nobody else."""
    found = {(Kind.FIRM, _text(key)) for key in _FIRM.findall(body)}
    if b'"contacts":[[' in body:
        found |= {(Kind.CONTACT, entry[0]) for entry in bodies.load(body)["contacts"]}
    return found


def _text(key: bytes) -> str:
    if b"\\" not in key:
        return key.decode()
    found: str = json.loads(b'"%s"' % key)
    return found


def _team_out(row: TeamRow) -> list[Any]:
    hours = None if row.hours is None else str(row.hours)
    return [row.employee, row.role, hours, row.start.isoformat() if row.start else None, row.row]


def _team_in(stored: list[Any]) -> TeamRow:
    employee, role, hours, start, row = stored
    return TeamRow(
        employee, role, None if hours is None else Decimal(hours), date.fromisoformat(start) if start else None, row
    )
