"""A record: one entity of one side, as last seen there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from types import MappingProxyType

from core.model.values import Kind, Ref, Side, Value

NO_FIELDS: Mapping[str, Value] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Entry:
    """One contact in a list of contacts (client's, project's).

    `key` is the contact's key on the record's own side, `row` the key of the list's row where the
    system has one (CRM RecordID), `marked` the Ajera Sync tick of a CRM project row.
    """

    key: str
    role: str = ""
    primary: bool = False
    marked: bool = False
    row: str | None = None


@dataclass(frozen=True, slots=True)
class TeamRow:
    """One employee and role on a project's team; `row` is the CRM's RecordID, None in Ajera."""

    employee: str
    role: str
    hours: Decimal | None
    start: date | None
    row: str | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """One entity of one side.

    `key` is the side's own key as text, `stamp` the side's own change mark exactly as received
    (never compared with the other side's), `user` who changed it last where the side says so.
    `fields` holds the mapped fields by name: a name that is missing was *not read* and decides
    nothing, None or "" is blank. `marked` is the tick this side holds (CRM AjeraSync; in Ajera
    SyncToCRM), None where the side has no such column. `why_not` says why a record cannot be
    ticked ("not a client"), None where it can. `name` is what lists and matching call the record.
    `raw` is the record exactly as it was read, for the adapter that read it, and is never stored.
    """

    kind: Kind
    side: Side
    key: str
    name: str
    stamp: str = ""
    user: str | None = None
    fields: Mapping[str, Value] = field(default_factory=lambda: NO_FIELDS)
    marked: bool | None = None
    template: str | None = None
    create_in_crm: bool = False
    number: str = ""
    why_not: str | None = None
    contacts: tuple[Entry, ...] | None = None
    team: tuple[TeamRow, ...] | None = None
    extra: Mapping[str, str] = field(default_factory=dict)
    raw: object = field(default=None, compare=False, repr=False)

    @property
    def label(self) -> str:
        """How a person names it: a contact `Last, First`, a project `number name`, else its name."""
        if self.kind is Kind.PROJECT:
            return f"{self.number} {self.name}".strip()
        return self.name or self.key

    @property
    def id(self) -> tuple[Kind, Side, str]:
        return (self.kind, self.side, self.key)


Naming = Mapping[tuple[Kind, str], tuple[str, ...]]
"""Which records of one kind and side name a firm or contact of their side: (kind, key) → their keys."""


def names_of(record: Record) -> set[tuple[Kind, str]]:
    """The firms that a record's fields refer to, and the contacts on its list."""
    refs = {(v.kind, v.key) for v in record.fields.values() if isinstance(v, Ref) and v.kind is Kind.FIRM}
    return refs | {(Kind.CONTACT, entry.key) for entry in record.contacts or ()}
