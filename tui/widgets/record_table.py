"""The table of records: 100,000 rows, ticks kept elsewhere, a cursor that stays on its record.

The widget keeps no ticks. It is given something that can be asked `key in ticks`, posts `TickRequested`, and is told
the outcome with `update_row` or `refresh_ticks`. A filter is a list of indexes; so is a sort order.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from core.filtering import Query, parse_query
from tui.formatting import cell, fit
from tui.glyphs import glyphs
from tui.widgets.columns import Column, Placed, lay_out
from tui.widgets.line_view import CursorView
from tui.widgets.row_model import ListModel, Row, RowModel
from tui.widgets.toast import toast

__all__ = ["Column", "RecordTable", "Row", "RowModel"]

TICK = Binding.Group("Tick")
LIST = Binding.Group("List")


class RecordTable(CursorView):
    """A table over a sequence of `Row`. See the module."""

    HELP = (
        "A list of records. Space ticks the record under the cursor; with v or shift and the arrows a range is chosen "
        "first. a ticks all in this view, A none, i the other way round. s sorts by the next column, S reverses."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "tick", "Tick", id="table.tick", tooltip="Tick or untick, and move down", group=TICK),
        Binding("v", "range", "Range", show=False, id="table.range", tooltip="Start or end a range", group=TICK),
        Binding("shift+down", "extend(1)", "Range down", show=False, id="table.extend-down", group=TICK,
                tooltip="Take one more row into the range"),
        Binding("shift+up", "extend(-1)", "Range up", show=False, id="table.extend-up", group=TICK,
                tooltip="Take one more row into the range, upwards"),
        Binding("a", "tick_view(True)", "All here", id="table.tick-all", tooltip="Tick all in this view", group=TICK),
        Binding("A", "tick_view(False)", "None here", show=False, id="table.tick-none", group=TICK,
                tooltip="Untick all in this view"),
        Binding("i", "invert", "Invert", show=False, id="table.invert", tooltip="Invert the ticks of this view", group=TICK),
        Binding("s", "sort_next", "Sort", show=False, id="table.sort", tooltip="Sort by the next column", group=LIST),
        Binding("S", "sort_reverse", "Reverse", show=False, id="table.reverse", tooltip="Reverse the order", group=LIST),
        Binding("enter", "select", "Open", show=False, id="table.open", tooltip="Open the record", group=LIST),
    ]  # fmt: skip
    header_lines = 1
    ranging: reactive[bool] = reactive(False, repaint=False)

    class RowHighlighted(Message):
        """The cursor stands on another record; None when there is none."""

        def __init__(self, table: RecordTable, key: str | None) -> None:
            super().__init__()
            self.table, self.key = table, key

        @property
        def control(self) -> RecordTable:
            return self.table

    class RowSelected(Message):
        """Enter or a double click on a record."""

        def __init__(self, table: RecordTable, key: str) -> None:
            super().__init__()
            self.table, self.key = table, key

        @property
        def control(self) -> RecordTable:
            return self.table

    class TickRequested(Message):
        """Ticks wanted: `value` True to set, False to clear, None to turn each one round. All keys are tickable."""

        def __init__(self, table: RecordTable, keys: tuple[str, ...], value: bool | None) -> None:
            super().__init__()
            self.table, self.keys, self.value = table, keys, value

        @property
        def control(self) -> RecordTable:
            return self.table

    class TickRefused(Message):
        """A tick was wanted on a record that cannot be ticked; the screen says why."""

        def __init__(self, table: RecordTable, key: str) -> None:
            super().__init__()
            self.table, self.key = table, key

        @property
        def control(self) -> RecordTable:
            return self.table

    class ViewChanged(Message):
        """Another filter, order or set of rows."""

        def __init__(self, table: RecordTable) -> None:
            super().__init__()
            self.table = table

        @property
        def control(self) -> RecordTable:
            return self.table

    def __init__(
        self,
        columns: Sequence[Column],
        rows: Sequence[Row] = (),
        *,
        ticks: Collection[str] | None = None,
        fields: Mapping[str, Callable[[Row], str]] | None = None,
        empty: str = "Nothing here.",
        no_match: str = "Nothing matches the filter: escape clears it.",
        name: str | None = None,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        """`ticks` None means a table without ticks. `fields` are the filter's, besides the columns themselves."""
        super().__init__(name=name, id=id, classes=classes)
        self.columns = tuple(columns)
        self.ticks = ticks
        self.empty, self.no_match = empty, no_match
        self.fields = {column.id: _cell_getter(i) for i, column in enumerate(self.columns)} | dict(fields or {})
        self.query_now = Query()
        self.sort_column: str | None = None
        self.sort_reversed = False
        self._anchor: int | None = None
        self._placed: tuple[int, list[Placed]] = (-1, [])
        self._take(rows)

    def _take(self, rows: Sequence[Row] | RowModel) -> None:
        self._rows: RowModel = rows if isinstance(rows, RowModel) else ListModel(rows, self.fields)
        self._view: Sequence[int] = self._filtered()

    # -- what screens ask and tell ---------------------------------------------------------------------------

    @property
    def line_count(self) -> int:
        return len(self._view)

    @property
    def row_count(self) -> int:
        """All rows, in view or not."""
        return len(self._rows)

    @property
    def cursor_key(self) -> str | None:
        """The key of the record under the cursor."""
        return self._rows.key(self._view[self.cursor]) if self.cursor < len(self._view) else None

    def row(self, key: str) -> Row | None:
        """The row with this key."""
        place = self._rows.place(key)
        return None if place is None else self._rows.row(place)

    def view_keys(self) -> list[str]:
        """The keys in view, in the order shown."""
        return self._rows.keys(self._view)

    def ticked_outside(self) -> list[str]:
        """Ticked records that the filter hides, in the rows' order: to be counted and named before any action.

        A tick on a record that is not among the rows at all counts as hidden too.
        """
        if not self.ticks:
            return []
        place = self._rows.place
        places = {key: place(key) for key in self.ticks}
        if self.query_now.empty:
            return sorted(key for key, found in places.items() if found is None)
        inside = set(self._view)
        hidden = [key for key, found in places.items() if found not in inside]
        last = len(self._rows)
        return sorted(hidden, key=lambda key: last if (found := places[key]) is None else found)

    @property
    def ticks_outside(self) -> int:
        """How many ticked records are not in view: the number of `ticked_outside`, without their names."""
        return len(self.ticks) - self._rows.ticked(self.ticks, self._view) if self.ticks else 0

    def set_rows(self, rows: Sequence[Row] | RowModel) -> None:
        """Other data. Cursor and scroll stay with the record; filter and order stay."""
        key, offset = self.cursor_key, self.cursor - self.scroll_offset.y
        self._take(rows)
        self._show(key, offset)

    def set_columns(self, columns: Sequence[Column], rows: Sequence[Row] | RowModel) -> None:
        """Other columns and the rows that go with them."""
        extra = {name: get for name, get in self.fields.items() if name not in {column.id for column in self.columns}}
        self.columns = tuple(columns)
        self.fields = {column.id: _cell_getter(i) for i, column in enumerate(self.columns)} | extra
        self.sort_column, self.sort_reversed, self._placed = None, False, (-1, [])
        self.set_rows(rows)

    def update_row(self, key: str, cells: tuple[str, ...] | None = None, **changes: Any) -> None:
        """Change one row where it stands, at once; it stays in view until the next filter or sort.

        `changes` are other parts of `Row`. Unknown keys are ignored (the record may have gone meanwhile).
        """
        place = self._rows.place(key)
        if place is None:
            return
        if cells is not None:
            changes["cells"] = cells
        if changes:
            self._rows.put(place, self._rows.row(place)._replace(**changes))
        self.repaint_place(place)

    def rows_moved(self, places: Iterable[int]) -> None:
        """The model holds other values at these places: those in view are painted anew. Filter and order stay."""
        moved = set(places)
        if not moved:
            return
        if len(moved) > self.page:
            self._strips.clear()
            self.refresh()
            return
        for place in moved:
            self.repaint_place(place)

    def refresh_ticks(self, keys: Iterable[str] | None = None) -> None:
        """Ticks changed: of these records, or of any. Only lines whose look changes are sent."""
        if keys is None:
            self.refresh()
            return
        changed = set(keys)
        top = self.scroll_offset.y
        for position in range(top, min(top + self.page, len(self._view))):
            if self._rows.key(self._view[position]) in changed:
                self.refresh_index(position)

    def set_filter(self, query: Query | str) -> bool:
        """Show what matches. A query with an error changes nothing; the answer says whether it was applied."""
        if isinstance(query, str):
            query = parse_query(query, self.fields)
        if query.error:
            return False
        key, offset = self.cursor_key, self.cursor - self.scroll_offset.y
        earlier, self.query_now = self.query_now, query
        if earlier.terms and query.narrows(earlier):
            self._view = self._selected(self._view)
        else:
            self._view = self._filtered()
        self._show(key, offset)
        return True

    def refresh_view(self) -> None:
        """Filter and sort again, after rows were updated in place."""
        key, offset = self.cursor_key, self.cursor - self.scroll_offset.y
        self._view = self._filtered()
        self._show(key, offset)

    def sort_by(self, column: str | None, *, reverse: bool = False) -> None:
        """Order by a column's sort values; None is the order the rows came in."""
        if column is not None and column not in {c.id for c in self.columns}:
            raise ValueError(f"no column {column!r}")
        self.sort_column, self.sort_reversed = column, reverse
        self.refresh_view()

    def move_to(self, key: str) -> bool:
        """Put the cursor on a record, if it is in view."""
        position = self._position(key)
        if position is None:
            return False
        self.cursor = position
        return True

    def chosen_keys(self) -> tuple[str, ...]:
        """The range, or the record under the cursor."""
        return tuple(self._rows.keys(self._chosen()))

    # -- view ------------------------------------------------------------------------------------------------

    def _selected(self, order: Sequence[int]) -> list[int]:
        """Those of these places that the filter lets through."""
        query, rows = self.query_now, self._rows
        searches = rows.searches() if any(term.field is None for term in query.terms) else ()
        fields = {term.field: rows.getter(term.field) for term in query.terms if term.field is not None}
        return query.select(order, searches, range(len(rows)), fields)

    def _filtered(self) -> Sequence[int]:
        order = self._order(self.sort_column)
        if self.sort_reversed:
            order = order[::-1]
        return order if self.query_now.empty else self._selected(order)

    def _order(self, column: str | None) -> Sequence[int]:
        if column is None:
            return range(len(self._rows))
        return self._rows.order(next(i for i, c in enumerate(self.columns) if c.id == column))

    def _position(self, key: str | None) -> int | None:
        index = self._rows.place(key) if key is not None else None
        if index is None:
            return None
        try:
            return self._view.index(index)
        except ValueError:
            return None

    def _show(self, key: str | None, offset: int) -> None:
        """After any change of the view: cursor back on its record, at the same height of the screen if possible."""
        self._strips.clear()
        self._anchor = None
        self.ranging = False
        self.fit_lines()
        position = self._position(key)
        self.set_reactive(CursorView.cursor, self.validate_cursor(self.cursor if position is None else position))
        if position is not None:
            self.scroll_now(max(0, position - max(0, min(offset, self.page - 1))))
        self.keep_in_sight()
        self.refresh()
        if self.cursor_key != key:
            self.post_message(self.RowHighlighted(self, self.cursor_key))
        self.post_message(self.ViewChanged(self))

    def repaint_place(self, index: int) -> None:
        """Repaint one record if it is on the screen: looks at the visible lines only."""
        top = self.scroll_offset.y
        for position in range(top, min(top + self.page, len(self._view))):
            if self._view[position] == index:
                self._strips.pop(position, None)
                self.refresh_index(position)
                return
        self._strips = {place: kept for place, kept in self._strips.items() if self._view[place] != index}

    # -- painting --------------------------------------------------------------------------------------------

    @property
    def _lead(self) -> int:
        """Cells before the first column: cursor or range, tick, state symbol."""
        tick = 0 if self.ticks is None else len(glyphs().ticked) + 1
        return 1 + tick + 2

    def _places(self, width: int) -> list[Placed]:
        if self._placed[0] != width:
            lead = self._lead
            self._placed = (width, lay_out(self.columns, width - lead, lead))
        return self._placed[1]

    def _in_range(self, index: int) -> bool:
        if self._anchor is None:
            return False
        return min(self._anchor, self.cursor) <= index <= max(self._anchor, self.cursor)

    def variant(self, index: int) -> object:
        key = self._rows.key(self._view[index])
        return (
            index == self.cursor,
            self._in_range(index),
            self.ticks is not None and key in self.ticks,
            self.has_focus,
        )

    def paint(self, index: int, width: int) -> Strip:
        row = self._rows.row(self._view[index])
        in_range = self._in_range(index)
        text = self._lead_text(row, index == self.cursor, in_range)
        places = self._places(width)
        text += " ".join(
            cell(row.cells[p.index] if p.index < len(row.cells) else "", p.width, self.columns[p.index].align)
            for p in places
        )
        style = "cursor" if index == self.cursor else "range" if in_range else row.style
        return self.line(text, width, style)

    def _lead_text(self, row: Row, under_cursor: bool, in_range: bool) -> str:
        marks = glyphs()
        gutter = marks.cursor if under_cursor else marks.range if in_range else " "
        tick = ""
        if self.ticks is not None:
            ticked = row.key in self.ticks
            tick = (marks.ticked if ticked else marks.unticked if row.tickable else marks.blocked) + " "
        return f"{gutter}{tick}{marks.flag(row.flag)} "

    def paint_header(self, y: int, width: int) -> Strip:  # noqa: ARG002
        lead = " " if self.ticks is None else f" {glyphs().ticked} "
        text = fit(lead, self._lead) + " ".join(self._label(place) for place in self._places(width))
        return self.line(text, width, "header")

    def _label(self, place: Placed) -> str:
        column = self.columns[place.index]
        if column.id != self.sort_column:
            return cell(column.label, place.width, column.align)
        mark = glyphs().descending if self.sort_reversed else glyphs().ascending
        return fit(f"{cell(column.label, min(len(column.label), place.width - 1))}{mark}", place.width, column.align)

    def paint_empty(self, y: int, width: int) -> Strip:
        return self.said(y, self.no_match if len(self._rows) else self.empty, width)

    # -- keys and mouse --------------------------------------------------------------------------------------

    def cursor_moved(self, old: int) -> None:
        if self._anchor is not None and not self.ranging and abs(old - self.cursor) != 1:
            self._drop_range()
        if self._anchor is not None:  # a range changes by just the lines the cursor went over
            for index in range(min(old, self.cursor), max(old, self.cursor) + 1):
                self.refresh_index(index)
        self.post_message(self.RowHighlighted(self, self.cursor_key))

    def action_move(self, delta: int) -> None:
        if not self.ranging:
            self._drop_range()
        super().action_move(delta)

    def action_extend(self, delta: int) -> None:
        """Take the next row into the range."""
        if self._anchor is None and self._view:
            self._anchor = self.cursor
        self.cursor += delta

    def action_range(self) -> None:
        """Start a range here, or end it."""
        if self.ranging or self._anchor is not None:
            self._drop_range()
        elif self._view:
            self._anchor, self.ranging = self.cursor, True
            self.refresh_index(self.cursor)
            toast(self.app, "A range begins here: move to its end, then space ticks it. v ends it.")

    def _drop_range(self) -> None:
        self.ranging = False
        if self._anchor is not None:
            self._anchor = None
            self.refresh()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Without ticks their keys are free for what is around the table."""
        if self.ticks is None and action in ("tick", "tick_view", "invert", "range", "extend"):
            return False
        return super().check_action(action, parameters)

    def action_tick(self) -> None:
        """Tick the range or the record under the cursor; then one down."""
        if self.ticks is None:
            return
        ranged = self._anchor is not None
        places = self._chosen()
        self._request(places, any(map(self._can_gain, places)))
        self._drop_range()
        if not ranged:
            self.cursor += 1

    def _chosen(self) -> Sequence[int]:
        low, high = sorted((self.cursor if self._anchor is None else self._anchor, self.cursor))
        return self._view[low : high + 1]

    def _can_gain(self, place: int) -> bool:
        return self._rows.tickable(place) and self.ticks is not None and self._rows.key(place) not in self.ticks

    def _request(self, places: Sequence[int], value: bool | None) -> None:
        wanted = tuple(self._rows.tickable_keys(places))
        if wanted:
            self.ask_ticks(self.TickRequested(self, wanted, value))
        elif len(places):
            self.post_message(self.TickRefused(self, self._rows.key(places[0])))

    def ask_ticks(self, asked: TickRequested) -> None:
        """Ask whoever keeps the ticks."""
        self.post_message(asked)

    def action_tick_view(self, value: bool) -> None:
        """Tick all in this view, or none."""
        if self.ticks is not None:
            self._request(self._view, value)

    def action_invert(self) -> None:
        """Turn the ticks of this view round."""
        if self.ticks is not None:
            self._request(self._view, None)

    def action_sort_next(self) -> None:
        """Sort by the next column that can be sorted, after the last as the rows came."""
        names: list[str | None] = [None, *(column.id for column in self.columns if column.sortable)]
        place = names.index(self.sort_column) if self.sort_column in names else 0
        self.sort_by(names[(place + 1) % len(names)])

    def action_sort_reverse(self) -> None:
        """Reverse the order."""
        self.sort_by(self.sort_column, reverse=not self.sort_reversed)

    def action_select(self) -> None:
        """Open the record under the cursor."""
        if self.cursor_key is not None:
            self.post_message(self.RowSelected(self, self.cursor_key))

    def on_click(self, event: events.Click) -> None:
        """The header sorts, the tick column ticks, elsewhere the cursor moves; a double click opens."""
        if event.y < self.header_lines:
            self._sort_at(event.x)
            return
        index = self.index_at(event)
        if index is None:
            return
        self._drop_range()
        self.cursor = index
        key = self._rows.key(self._view[index])
        if self.ticks is not None and 1 <= event.x <= len(glyphs().ticked):
            self._request((self._view[index],), key not in self.ticks)
        elif event.chain == 2:
            self.post_message(self.RowSelected(self, key))

    def _sort_at(self, x: int) -> None:
        for place in self._places(self.line_width):
            if place.start <= x < place.start + place.width and self.columns[place.index].sortable:
                column = self.columns[place.index].id
                self.sort_by(column, reverse=column == self.sort_column and not self.sort_reversed)


def _cell_getter(place: int) -> Callable[[Row], str]:
    def get(row: Row) -> str:
        return row.cells[place] if place < len(row.cells) else ""

    return get
