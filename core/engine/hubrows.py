"""A hub's rows as columns: 50,000 of them in some megabytes, and a row only where somebody looks.

A row as an object costs over a kilobyte, mostly for words that thousands of rows share. Here each column is a list, equal
words are one object, and `Row` is made when it is asked for. What was handed out never changes: a change makes a new
`HubRows` that shares the columns that stayed.
"""

from __future__ import annotations

import sys
from array import array
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from sys import intern
from typing import Any, Final, overload

from core.engine.views import Row
from core.model.values import Kind

Column = Sequence[Any]
FEW: Final = 64  # rows put in one by one; more of them are sorted in
_OWN: Final = (
    "id", "label", "ajera_key", "marked", "linked", "state", "reason", "last_error", "firm_key", "number",
)  # fmt: skip
_HIDDEN: Final = ("named", "partner")
EXTRA: Final = (
    "status", "side", "type", "title", "email", "phone", "website", "client", "manager", "principal", "firm", "city",
    "template", "owner",
)  # fmt: skip
NAMES: Final = (*_OWN, *_HIDDEN, *EXTRA)


@dataclass(frozen=True, slots=True)
class Made:
    """A row with what the book needs to find it again: keys of records named in it (a line each), and the Ajera key
    of a link whose record is gone."""

    row: Row
    named: str = ""
    partner: str | None = None

    def values(self) -> tuple[Any, ...]:
        """One value a column, in the order of NAMES."""
        row, extra = self.row, self.row.extra
        own = (row.id, row.label, row.ajera_key, row.marked, row.linked, row.state, row.reason, row.last_error,
               row.firm_key, row.number)  # fmt: skip
        return (*own, self.named, self.partner, *(extra.get(name) for name in EXTRA))


class HubRows(Sequence[Row]):
    """Immutable, sorted by label. `column` gives one value a row; a blank column is None throughout."""

    def __init__(self, kind: Kind, columns: Mapping[str, Column], size: int) -> None:
        self.kind = kind
        self._columns = {name: column for name, column in columns.items() if any(column)}
        self._blank = _Blank(size)
        self._size = size

    @classmethod
    def of(cls, kind: Kind, made: Iterable[Made]) -> HubRows:
        """Rows in any order."""
        shared: dict[Any, Any] = {}
        keep = shared.setdefault
        table = [tuple(keep(value, value) for value in each.values()) for each in made]
        table.sort(key=lambda values: (values[1].casefold(), values[0]))
        columns = dict(zip(NAMES, (list(column) for column in zip(*table, strict=True)), strict=False)) if table else {}
        return cls(kind, columns, len(table))

    # -- reading -----------------------------------------------------------------------------------

    def column(self, name: str) -> Column:
        """One value a row: a field of `Row`, or one of its `extra` (None where it has none)."""
        return self._columns.get(name, self._blank)

    @cached_property
    def places(self) -> Mapping[str, int]:
        """The place of each row by its id."""
        return {name: place for place, name in enumerate(self.column("id"))}

    def place(self, row_id: str) -> int | None:
        return self.places.get(row_id)

    def at(self, place: int) -> Row:
        """The row at a place."""
        columns, blank = self._columns, self._blank

        def of(name: str) -> Any:
            return columns.get(name, blank)[place]

        row_id = of("id")
        extra = {"status": of("status") or "", "side": of("side") or ""}
        extra |= {name: value for name in EXTRA[2:] if (value := of(name)) is not None}
        return Row(
            kind=self.kind,
            label=of("label") or "",
            ajera_key=of("ajera_key"),
            crm_key=row_id[2:] if row_id[0] == "c" else None,
            marked=bool(of("marked")),
            linked=bool(of("linked")),
            state=of("state"),
            reason=of("reason") or "",
            last_error=of("last_error"),
            firm_key=of("firm_key"),
            number=of("number") or "",
            extra=extra,
        )

    def __len__(self) -> int:
        return self._size

    @overload
    def __getitem__(self, place: int) -> Row: ...
    @overload
    def __getitem__(self, place: slice) -> list[Row]: ...
    def __getitem__(self, place: int | slice) -> Row | list[Row]:
        if isinstance(place, slice):
            return [self.at(each) for each in range(*place.indices(self._size))]
        if not -self._size <= place < self._size:
            raise IndexError(place)
        return self.at(place)

    def __iter__(self) -> Iterator[Row]:
        return map(self.at, range(self._size))

    def moved_since(self, older: HubRows) -> list[int] | None:
        """Places whose row is not that of `older`; None where rows came or went, or stand in another order. Costs what
        is not shared."""
        if self.column("id") is not older.column("id"):
            return None
        found: set[int] = set()
        for name in {*self._columns, *older._columns}:  # its own class
            new, old = self.column(name), older.column(name)
            if new is not old:
                found.update(place for place, (a, b) in enumerate(zip(new, old, strict=True)) if a is not b and a != b)
        return sorted(found)

    # -- changing ----------------------------------------------------------------------------------

    def changed(self, moved: Mapping[str, Made | None]) -> HubRows:
        """With these rows by id; None takes one away. What stays is shared."""
        places = self.places
        moved = {name: made for name, made in moved.items() if made is not None or name in places}
        stay = {places[name]: made for name, made in moved.items() if made is not None and self._stays(name, made)}
        other = {name: made for name, made in moved.items() if places.get(name, -1) not in stay}
        found = self._with(stay) if stay else self
        return found._ordered(other) if other else found  # noqa: SLF001 # its own class

    def _stays(self, name: str, made: Made) -> bool:
        place = self.places.get(name)
        return place is not None and self.column("label")[place] == made.row.label

    def _with(self, stay: Mapping[int, Made]) -> HubRows:
        columns = dict(self._columns)
        copied: set[str] = set()
        for place, made in stay.items():
            for name, value in zip(NAMES, made.values(), strict=True):
                column = columns.get(name, self._blank)
                if column[place] == value or (name not in columns and not value):
                    continue
                if name not in copied:
                    copied.add(name)
                    columns[name] = column = list(column)
                column[place] = intern(value) if type(value) is str else value  # type: ignore[index] # a list
        found = HubRows.__new__(HubRows)
        found.kind, found._columns, found._blank, found._size = self.kind, columns, self._blank, self._size  # noqa: SLF001
        found.__dict__["places"] = self.places
        return found

    def _ordered(self, moved: Mapping[str, Made | None]) -> HubRows:
        """Rows that come, go, or are called otherwise."""
        gone = {place for name in moved if (place := self.places.get(name)) is not None}
        fresh = [made for made in moved.values() if made is not None]
        keep = [place for place in range(self._size) if place not in gone]
        table = {name: [column[place] for place in keep] for name, column in self._columns.items()}
        if fresh:
            for name in NAMES:
                table.setdefault(name, [None] * len(keep))
            for made in fresh:
                for name, value in zip(NAMES, made.values(), strict=True):
                    table[name].append(intern(value) if type(value) is str else value)
            labels, ids = table["label"], table["id"]
            order = sorted(range(len(ids)), key=lambda place: (labels[place].casefold(), ids[place]))
            table = {name: [column[place] for place in order] for name, column in table.items()}
        return HubRows(self.kind, table, len(keep) + len(fresh))

    # -- keeping -----------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """As JSON; words that stand in many rows stand there once."""
        return {"size": self._size, "columns": {name: _packed(column) for name, column in self._columns.items()}}

    @classmethod
    def from_state(cls, kind: Kind, state: Mapping[str, Any]) -> HubRows:
        """What `state` gave. Raises what a damaged one trips over."""
        size = int(state["size"])
        columns = {name: _unpacked(packed) for name, packed in state["columns"].items() if name in NAMES}
        if any(len(column) != size for column in columns.values()) or (size and "id" not in columns):
            raise ValueError("rows of different lengths")
        return cls(kind, columns, size)


class _Blank(Sequence[None]):
    """A column that says nothing."""

    def __init__(self, size: int) -> None:
        self._size = size

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, place: Any) -> Any:
        return None

    def __iter__(self) -> Iterator[None]:
        return (None for _ in range(self._size))


def _packed(column: Column) -> Any:
    values = list(dict.fromkeys(column))
    if len(values) * 2 > len(column):
        return list(column)
    number: Callable[[Any], int] = {value: place for place, value in enumerate(values)}.__getitem__
    return {"values": values, "places": numbers_out(map(number, column))}


def _unpacked(packed: Any) -> list[Any]:
    if isinstance(packed, list):
        return packed
    return list(map(packed["values"].__getitem__, numbers_in(packed["places"])))


def numbers_out(numbers: Iterable[int]) -> str:
    """Numbers as a text for JSON: as a list each would be an object, and their memory does not come back."""
    found = array("l", numbers)
    return b64encode(_ordered_bytes(found).tobytes()).decode("ascii")


def numbers_in(text: str) -> Sequence[int]:
    """What `numbers_out` wrote. Raises ValueError."""
    found = array("l")
    found.frombytes(b64decode(text))
    return _ordered_bytes(found)


def _ordered_bytes(numbers: array[int]) -> array[int]:
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers
