"""A hub's rows as its table wants them: over the engine's columns, a line made only where it is painted."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from core.engine import views
from core.engine.hubrows import HubRows
from core.model.values import Kind
from core.text import fold
from tui.screens.hub_rows import HubShape, HubView, reading_of
from tui.widgets.row_model import Row, RowModel

FEW: Final = 100  # lines that are looked at one by one


class HubLines(RowModel):
    """The rows that a view shows, in the hub's order. `places` gives the place among all rows for each line."""

    def __init__(self, rows: HubRows, shape: HubShape, view: HubView) -> None:
        super().__init__()
        self.shape, self.view = shape, view
        self.ahead: dict[int, views.Row] = {}  # by line: rows as they will be, shown before they are stored
        self.all_ahead = False  # ticks of any rows are shown that the rows do not hold yet
        self._take(rows)
        self._places = view.places(rows)
        self._all = isinstance(self._places, range)
        self._place_of = {} if self._all else {place: line for line, place in enumerate(self._places)}

    def _take(self, rows: HubRows) -> None:
        self.rows = rows
        self._ids = rows.column("id")
        self._states = rows.column("state")
        self._marked = rows.column("marked")
        self._held: int | None = None  # how many are ticked, once it was asked
        self._columns: dict[str, Sequence[str]] = {}

    def renew(self, rows: HubRows, moved: Iterable[int]) -> list[int]:
        """Take rows of which only values moved, at these places; the lines that show them, and what was shown ahead."""
        self._take(rows)
        lines = [line for place in moved if (line := place if self._all else self._place_of.get(place)) is not None]
        if self.ahead:
            lines = [*{*lines, *self.ahead}]
            self.ahead = {}
        for line in lines:
            self.changed(line, self.row(line))
        return lines

    def __len__(self) -> int:
        return len(self._places)

    def key(self, place: int) -> str:
        return str(self._ids[self._places[place]])

    def place(self, key: str) -> int | None:
        place = self.rows.place(key)
        if place is None or self._all:
            return place
        return self._place_of.get(place)

    def row(self, place: int) -> Row:
        return self.shape.line(self.ahead.get(place) or self.rows.at(self._places[place]))

    def show_ahead(self, row: views.Row) -> int | None:
        """Show a row as it will be, until `renew`; its line, if it has one here."""
        line = self.place(row.id)
        if line is not None:
            self.ahead[line] = row
        return line

    def tickable(self, place: int) -> bool:
        return self.rows.kind is not Kind.EMPLOYEE and self._states[self._places[place]] != "not_tickable"

    def getter(self, field: str) -> Callable[[int], str]:
        column = self._columns.get(field)
        if column is None:
            column = self._columns[field] = self._read(field)
        return column.__getitem__

    def _read(self, field: str) -> Sequence[str]:
        return self._of_view(reading_of(self.rows.kind, field).column(self.rows))

    def _of_view(self, column: Sequence[Any]) -> Sequence[Any]:
        return column if self._all else [column[place] for place in self._places]

    def put(self, place: int, row: Row) -> None:
        """Values are the engine's: they come with `renew`. Here only what was made of them is made again."""
        self.changed(place, row)

    def make_searches(self) -> list[str]:
        columns = [self._of_view(reading.column(self.rows)) for reading in self.shape.cells]
        return list(map(fold, map("\x1f".join, map(_said, zip(*columns, strict=True)))))

    def sort_values(self, column: int) -> list[Any]:
        return list(map(fold, self._of_view(self.shape.cells[column].column(self.rows))))

    def keys(self, places: Sequence[int]) -> list[str]:
        ids, of = self._ids, self._places
        if self._all:
            return list(ids) if _is_whole(places, len(ids)) else [ids[place] for place in places]
        return [ids[of[place]] for place in places]

    def tickable_keys(self, places: Sequence[int]) -> list[str]:
        if self.rows.kind is Kind.EMPLOYEE or len(places) < FEW:
            return super().tickable_keys(places)
        states = self._of_view(self._states)
        keys = self.keys(places)
        if "not_tickable" not in states:
            return keys
        return [key for key, place in zip(keys, places, strict=True) if states[place] != "not_tickable"]

    def ticked(self, ticks: Collection[str], places: Sequence[int]) -> int:
        if self.all_ahead:
            return sum(map(ticks.__contains__, self.keys(places)))
        marked, of = self._marked, self._places
        if len(places) == len(of):
            if self._held is None:
                self._held = sum(map(bool, self._of_view(marked)))
            held = self._held
        else:
            held = sum(bool(marked[of[place]]) for place in places)
        return held + sum(row.marked - bool(marked[of[line]]) for line, row in self.ahead.items() if line in places)


def _is_whole(places: Sequence[int], size: int) -> bool:
    return isinstance(places, range) and places == range(size)


def _said(texts: tuple[str, ...]) -> Iterator[str]:
    return filter(None, texts)


class RowsById(Mapping[str, views.Row]):
    """The engine's rows by their ids, each made when it is asked for."""

    def __init__(self, rows: HubRows) -> None:
        self.all = rows

    def __getitem__(self, row_id: str) -> views.Row:
        place = self.all.place(row_id)
        if place is None:
            raise KeyError(row_id)
        return self.all.at(place)

    def __contains__(self, row_id: object) -> bool:
        return isinstance(row_id, str) and self.all.place(row_id) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self.all.column("id"))

    def __len__(self) -> int:
        return len(self.all)
