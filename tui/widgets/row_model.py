"""What a table of records shows: lines made when somebody looks, and columns for what filters and sorts.

A table of some hundred rows is given `Row` objects (`ListModel`). A hub of 50,000 gives a model of its own over the
engine's columns (tui/screens/hub_lines.py), which makes a `Row` only for the lines on the screen.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

from core.filtering import search_string
from core.text import fold


class Row(NamedTuple):
    """A record as the table shows it. `cells` are plain text, one per column, made safe when painted.

    `search`: folded text to search (made of the cells if empty). `sort`: one comparable value per column (else the
    folded cells). `style`: "", muted, good, warn, bad, strong. `flag`: a state whose symbol leads the line.
    `data`: anything of the screen's own, for its filter fields.
    """

    key: str
    cells: tuple[str, ...]
    search: str = ""
    sort: tuple[Any, ...] = ()
    style: str = ""
    flag: str = ""
    tickable: bool = True
    data: Any = None


class RowModel(ABC):
    """Rows by place, 0 to `len`."""

    def __init__(self) -> None:
        self._searches: list[str] = []
        self._orders: dict[int, Sequence[int]] = {}

    # -- what a subclass gives -------------------------------------------------------------------------------

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def row(self, place: int) -> Row:
        """The row at a place."""

    @abstractmethod
    def key(self, place: int) -> str:
        """Its key."""

    @abstractmethod
    def place(self, key: str) -> int | None:
        """The place of the row with this key."""

    @abstractmethod
    def tickable(self, place: int) -> bool:
        """Whether its tick can be set."""

    @abstractmethod
    def getter(self, field: str) -> Callable[[int], str]:
        """What a filter field says of the row at a place."""

    @abstractmethod
    def put(self, place: int, row: Row) -> None:
        """Another row with the same key at this place."""

    @abstractmethod
    def make_searches(self) -> list[str]:
        """A folded string a row."""

    @abstractmethod
    def sort_values(self, column: int) -> list[Any]:
        """What a column is sorted by, a value a row."""

    # -- what the table asks ---------------------------------------------------------------------------------

    def searches(self) -> list[str]:
        """A folded string a row, made once."""
        if not self._searches and len(self):
            self._searches = self.make_searches()
        return self._searches

    def order(self, column: int) -> Sequence[int]:
        """The places in the order of a column, made once."""
        if column not in self._orders:
            values = self.sort_values(column)
            try:
                order = sorted(range(len(values)), key=values.__getitem__)
            except TypeError:  # values of different kinds, as data may have them: compare what they look like
                order = sorted(range(len(values)), key=lambda place: str(values[place]))
            self._orders[column] = order
        return self._orders[column]

    def changed(self, place: int, row: Row) -> None:
        """For subclasses: what is remembered of this row is not right any more."""
        self._orders = {}
        if self._searches:
            self._searches[place] = row.search or search_string(row.cells)

    def keys(self, places: Sequence[int]) -> list[str]:
        """The keys of these rows."""
        return list(map(self.key, places))

    def tickable_keys(self, places: Sequence[int]) -> list[str]:
        """The keys of those of these rows whose tick can be set."""
        return [self.key(place) for place in places if self.tickable(place)]

    def ticked(self, ticks: Collection[str], places: Sequence[int]) -> int:
        """How many of these rows are ticked."""
        key = self.key
        return sum(key(place) in ticks for place in places)


class ListModel(RowModel):
    """Rows that are there already. `fields` are the filter's."""

    def __init__(self, rows: Sequence[Row], fields: Mapping[str, Callable[[Row], str]]) -> None:
        super().__init__()
        self._rows = list(rows)
        self._fields = fields
        self._index = {row.key: place for place, row in enumerate(self._rows)}

    def __len__(self) -> int:
        return len(self._rows)

    def row(self, place: int) -> Row:
        return self._rows[place]

    def key(self, place: int) -> str:
        return self._rows[place].key

    def place(self, key: str) -> int | None:
        return self._index.get(key)

    def tickable(self, place: int) -> bool:
        return self._rows[place].tickable

    def getter(self, field: str) -> Callable[[int], str]:
        rows, read = self._rows, self._fields[field]
        return lambda place: read(rows[place])

    def put(self, place: int, row: Row) -> None:
        self._rows[place] = row
        self.changed(place, row)

    def make_searches(self) -> list[str]:
        return [row.search or search_string(row.cells) for row in self._rows]

    def sort_values(self, column: int) -> list[Any]:
        return [row.sort[column] if row.sort else fold(row.cells[column]) for row in self._rows]
