"""Plain values: sides, kinds, field types, and what a field may hold.

A field's value is kept *as the system holds it* (trimmed of nothing, codes already turned into
their descriptions): what is compared is its canonical form (core/reconcile/normalize.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any


class Side(StrEnum):
    """The two systems. Never source and target: either may be right."""

    AJERA = "ajera"
    CRM = "crm"

    @property
    def other(self) -> Side:
        return Side.CRM if self is Side.AJERA else Side.AJERA


class Kind(StrEnum):
    """The kinds of record; also the order in which a plan writes them (employees first)."""

    EMPLOYEE = "employee"
    FIRM = "firm"
    CONTACT = "contact"
    PROJECT = "project"


KIND_ORDER: dict[Kind, int] = {kind: place for place, kind in enumerate(Kind)}


class FieldType(StrEnum):
    """How a field's values are compared (core/reconcile/normalize.py) and stored."""

    TEXT = "text"
    EMAIL = "email"
    PHONE = "phone"
    URL = "url"
    CODE = "code"  # by description; must exist on both sides
    STATUS = "status"  # by group, core/policy.py
    DATE = "date"
    MONEY = "money"  # Decimal, four places
    NUMBER = "number"  # Decimal
    FLAG = "flag"
    ADDRESS = "address"
    REF = "ref"  # another record, through its link
    ENTRIES = "entries"  # rows of a list, one by one (core/reconcile/entries.py)


@dataclass(frozen=True, slots=True)
class Address:
    """One postal address as a value. `lines` are the non-blank street lines, in order."""

    lines: tuple[str, ...] = ()
    city: str = ""
    state: str = ""
    zip: str = ""
    country: str = ""

    def __bool__(self) -> bool:
        return bool(self.lines or self.city or self.state or self.zip or self.country)

    def __str__(self) -> str:
        town = " ".join(part for part in (self.state, self.zip) if part)
        return ", ".join(part for part in (*self.lines, self.city, town, self.country) if part)


@dataclass(frozen=True, slots=True)
class Ref:
    """Another record, named by the key it has on `side`."""

    kind: Kind
    side: Side
    key: str

    def __str__(self) -> str:
        return f"{self.side} {self.kind} {self.key}"


@dataclass(frozen=True, slots=True)
class EntryEdit:
    """A change of a list of contacts, entry by entry; entries not named stay as they are.

    `add` and `remove` name contacts; `roles` gives the role text of added ones where there is one.
    """

    add: tuple[Ref, ...] = ()
    remove: tuple[Ref, ...] = ()
    roles: tuple[str, ...] = ()

    def role(self, place: int) -> str:
        """The role of the contact that is added at that place; blank for none."""
        return self.roles[place] if place < len(self.roles) else ""

    def only(self, add: Callable[[Ref], bool], remove: Callable[[Ref], bool]) -> EntryEdit:
        """The part of it that concerns these contacts; each keeps its role."""
        kept = [(ref, self.role(place)) for place, ref in enumerate(self.add) if add(ref)]
        roles = tuple(role for _, role in kept) if self.roles else ()
        return EntryEdit(tuple(ref for ref, _ in kept), tuple(ref for ref in self.remove if remove(ref)), roles)

    def __str__(self) -> str:
        parts = [f"add {ref.key}" + (f" as {self.role(n)}" if self.role(n) else "") for n, ref in enumerate(self.add)]
        return ", ".join([*parts, *(f"remove {ref.key}" for ref in self.remove)])


@dataclass(frozen=True, slots=True)
class TeamEdit:
    """Hours of one employee and role on a project's team.

    `employee` is the Ajera employee; `row` the CRM row that is adopted, or None to add one.
    """

    employee: Ref
    role: str
    hours: Decimal
    first: date | None
    row: str | None = None

    def __str__(self) -> str:
        return f"{self.role}: {self.hours} h"


Value = str | Decimal | date | bool | Address | Ref | EntryEdit | TeamEdit | None

JsonValue = str | int | float | bool | None | list["JsonValue"] | dict[str, "JsonValue"]


def to_json(value: Value) -> JsonValue:
    """A value as JSON that `from_json` turns back; Decimals and dates keep every digit as text."""
    match value:
        case None | str() | bool():
            return value
        case Decimal():
            return {"decimal": str(value)}
        case date():
            return {"date": value.isoformat()}
        case Address():
            return {
                "address": {
                    "lines": list(value.lines),
                    "city": value.city,
                    "state": value.state,
                    "zip": value.zip,
                    "country": value.country,
                }
            }
        case Ref():
            return {"ref": [value.kind.value, value.side.value, value.key]}
        case EntryEdit():
            return {
                "entries": {
                    "add": [to_json(ref) for ref in value.add],
                    "remove": [to_json(ref) for ref in value.remove],
                    "roles": list(value.roles),
                }
            }
        case TeamEdit():
            return {
                "team": [
                    to_json(value.employee),
                    value.role,
                    str(value.hours),
                    value.first.isoformat() if value.first else None,
                    value.row,
                ]
            }


def from_json(data: object) -> Value:
    """The value `to_json` wrote. Raises ValueError on anything else."""
    if data is None or isinstance(data, str | bool):
        return data
    if isinstance(data, dict) and len(data) == 1:
        ((tag, body),) = data.items()
        reader = _READERS.get(tag)
        if reader is not None:
            return reader(body)
    raise ValueError(f"not a stored value: {type(data).__name__}")


def _address(body: dict[str, object]) -> Address:
    lines = body["lines"]
    assert isinstance(lines, list)
    return Address(
        tuple(map(str, lines)), str(body["city"]), str(body["state"]), str(body["zip"]), str(body["country"])
    )


def _ref(body: list[str]) -> Ref:
    return Ref(Kind(body[0]), Side(body[1]), body[2])


def _entries(body: dict[str, list[object]]) -> EntryEdit:
    add = tuple(ref for ref in map(from_json, body["add"]) if isinstance(ref, Ref))
    remove = tuple(ref for ref in map(from_json, body["remove"]) if isinstance(ref, Ref))
    return EntryEdit(add, remove, tuple(map(str, body["roles"])))


def _team(body: list[object]) -> TeamEdit:
    employee = from_json(body[0])
    assert isinstance(employee, Ref)
    first = date.fromisoformat(str(body[3])) if body[3] else None
    return TeamEdit(employee, str(body[1]), Decimal(str(body[2])), first, str(body[4]) if body[4] else None)


_READERS: Mapping[str, Callable[[Any], Value]] = {
    "decimal": Decimal,
    "date": date.fromisoformat,
    "address": _address,
    "ref": _ref,
    "entries": _entries,
    "team": _team,
}


def display(value: Value) -> JsonValue:
    """A value as plain JSON for people and other programs: text, numbers, an address as an object."""
    match value:
        case None | str() | bool():
            return value
        case Decimal():
            return str(value)
        case date():
            return value.isoformat()
        case Address():
            return {
                "lines": list(value.lines),
                "city": value.city,
                "state": value.state,
                "zip": value.zip,
                "country": value.country,
            }
        case Ref():
            return value.key
        case _:
            return str(value)
