"""What a hub shows: the rows of one kind, which of them, in which order and columns, and the chosen record."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import ClassVar, Final

from textual import on
from textual.containers import Horizontal, Vertical
from textual.timer import Timer
from textual.widget import Widget

from core.engine import views
from core.engine.events import Event
from core.engine.giveback import set_apart
from core.engine.hubrows import HubRows
from core.errors import AjerasyncError
from core.model.values import Kind
from tui.formatting import clock, ticks_text
from tui.modals.columns import ColumnChooser
from tui.screens.base import PlaceScreen
from tui.screens.hub_lines import HubLines, RowsById
from tui.screens.hub_rows import FIELDS, SHAPES, HubView, notes_by_width, view_note
from tui.screens.record_pane import RecordPane
from tui.widgets.filter import FilterBar
from tui.widgets.record_table import RecordTable

BIG_HUB: Final = 2_000  # above it the rows are made in a thread
DETAIL_SECONDS: Final = 0.08  # the cursor rests that long before the tabs follow it
KEEP_SECONDS: Final = 5.0  # after the last change
WARM_SECONDS: Final = 0.3  # after the first rows: what the first filter needs is made ready


class HubTable(RecordTable):
    """A hub's list. What it asks for goes to its screen at once, not by way of all that is around it: so the answer is
    in the same frame as the cursor's move."""

    def ask_ticks(self, asked: RecordTable.TickRequested) -> None:
        self.screen.post_message(asked)


class HubBase(PlaceScreen):
    """Rows, columns, views and the record beside them. Subclasses name the kind and the words of an empty list."""

    KIND: ClassVar[Kind]
    START_VIEW: ClassVar[HubView] = HubView.CRM
    EMPTY: ClassVar[str] = "No records yet: p reads both systems."
    AUTO_FOCUS = "#records"

    def __init__(self) -> None:
        super().__init__()
        self.shape = SHAPES[self.KIND]
        self.view = self.START_VIEW
        self.hidden: tuple[str, ...] = ()
        self.ticks: set[str] = set()
        self.rows = RowsById(HubRows(self.KIND, {}, 0))
        self._read_at: dict[str, datetime] = {}
        self._detail_timer: Timer | None = None
        self._keep_timer: Timer | None = None
        self._loaded = self._apart = False
        self._complete = True  # everything that the record beside the list asks for was made
        self._lines = HubLines(self.rows.all, self.shape, self.view)

    def compose_body(self) -> Iterable[Widget]:
        yield FilterBar(FIELDS, id="filter")
        with Horizontal(id="hub"):
            with Vertical(id="hub-list"):
                yield HubTable(
                    self.shape.columns,
                    ticks=None if self.KIND is Kind.EMPLOYEE else self.ticks,
                    fields=FIELDS,
                    empty=self.EMPTY,
                    id="records",
                )
            with Vertical(id="hub-record"):
                yield RecordPane(self.KIND, id="pane")

    @property
    def table(self) -> RecordTable:
        """The records."""
        return self.query_one("#records", RecordTable)

    @property
    def pane(self) -> RecordPane:
        """The chosen record's tabs."""
        return self.query_one("#pane", RecordPane)

    @property
    def current(self) -> views.Row | None:
        """The record under the cursor."""
        key = self.table.cursor_key
        return self.rows.get(key) if key is not None else None

    # -- how it was left ---------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        self._take_choices()
        super().on_mount()

    def _take_choices(self) -> None:
        """Order, columns and view as they were left."""
        kept = self.service.ui_choice(self.PLACE)
        if not isinstance(kept, dict):
            return
        known = {column.id for column in SHAPES[self.KIND].columns}
        self._show_columns([name for name in kept.get("hidden", ()) if name in known])
        if kept.get("sort") in known - set(self.hidden):
            self.table.sort_by(kept["sort"], reverse=bool(kept.get("reversed")))
        if self.KIND is not Kind.EMPLOYEE and kept.get("view") in [view.value for view in HubView]:
            self.view = HubView(kept["view"])

    def _keep_choices(self) -> None:
        table = self.table
        chosen = {"sort": table.sort_column, "reversed": table.sort_reversed, "hidden": list(self.hidden),
                  "view": self.view.value}  # fmt: skip
        if chosen != {"sort": None, "reversed": False, "hidden": [], "view": self.START_VIEW.value}:
            self.service.keep_ui_choice(self.PLACE, chosen)
        elif self.service.ui_choice(self.PLACE) is not None:
            self.service.keep_ui_choice(self.PLACE, None)

    def action_columns(self) -> None:
        """Choose the columns."""
        self.app.push_screen(ColumnChooser(SHAPES[self.KIND].columns, self.hidden), self._columns_taken)

    def _columns_taken(self, hidden: tuple[str, ...] | None) -> None:
        if hidden is not None and hidden != self.hidden:
            sort, turned = self.table.sort_column, self.table.sort_reversed
            self._show_columns(hidden)
            if sort is not None and sort not in hidden:
                self.table.sort_by(sort, reverse=turned)
            self._keep_choices()

    def _show_columns(self, hidden: Sequence[str]) -> None:
        self.hidden = tuple(hidden)
        self.shape = SHAPES[self.KIND].without(self.hidden)
        self.table.set_columns(self.shape.columns, self._new_lines())

    def action_next_view(self) -> None:
        """The CRM's records, those only in Ajera, or all."""
        self.action_back_to_list()
        self.view = self.view.next
        self.table.set_rows(self._new_lines())
        self._keep_choices()
        self._show_detail()

    def _new_lines(self) -> HubLines:
        self._lines = HubLines(self.rows.all, self.shape, self.view)
        return self._lines

    # -- rows ------------------------------------------------------------------------------------------------

    def reload(self) -> None:
        """Rows anew from the service: at once when they are few or kept ready, in a thread when they are many."""
        if self._quick():
            self._take_rows(self.service.rows(self.KIND))
            self.set_timer(WARM_SECONDS, self._warm)
        else:
            self.run_worker(self._reload_in_thread(), group=f"rows-{self.PLACE}", exclusive=True, exit_on_error=False)

    def _quick(self) -> bool:
        if self._loaded:
            return len(self.rows) <= BIG_HUB
        return self.service.rows_at_hand(self.KIND) or not self.service.is_big

    async def _reload_in_thread(self) -> None:
        first = not self._loaded
        rows = await asyncio.to_thread(self.service.rows, self.KIND)
        self._complete = not first
        self._take_rows(rows)
        if first:  # the record beside the list asks for contacts and projects, which takes as long again
            await asyncio.to_thread(self._make_the_others)
            self._complete = True
            self._show_detail()
        self.set_timer(WARM_SECONDS, self._warm)

    def _make_the_others(self) -> None:
        for kind in Kind:
            self.service.rows(kind)

    def _warm(self) -> None:
        """Make the folded strings that a filter looks through, in a thread; what a keystroke then finds missing it
        makes itself."""
        if not self._apart:  # once: garbage that is set apart stays
            self._apart = True
            set_apart()
        if len(self.rows) > BIG_HUB:
            threading.Thread(target=self._lines.searches, name="search-strings", daemon=True).start()

    def _keep_soon(self) -> None:
        """Once nothing has moved for a while, keep the rows for the next start."""
        if self._keep_timer is not None:
            self._keep_timer.stop()
        self._keep_timer = self.set_timer(KEEP_SECONDS, self._keep_rows)

    def _keep_rows(self) -> None:
        if self.session.busy:
            self._keep_soon()
        else:
            threading.Thread(target=self._kept, name="keep-rows", daemon=True).start()

    def _kept(self) -> None:
        with suppress(AjerasyncError):  # a store that cannot be written tells of itself elsewhere
            self.service.keep_rows()

    def on_unmount(self) -> None:
        if self._keep_timer is not None:
            self._kept()

    def _take_rows(self, rows: HubRows) -> None:
        """Show these rows. Where only values moved, the lines stay and those are painted anew."""
        first = not self._loaded
        moved = None if first else rows.moved_since(self.rows.all)
        self.rows = RowsById(rows)
        if moved is None:
            self._loaded = True
            self._take_ticks(rows, None)
            self.table.empty = self._empty_words()
            self.table.set_rows(self._new_lines())
        elif moved:
            self._take_ticks(rows, moved)
            lines = self._lines.renew(rows, moved)
            if self.table.query_now.empty and self.table.sort_column is None:
                self.table.rows_moved(lines)
            else:
                self.table.refresh_view()
        if moved != []:
            self._keep_soon()
        self._note()
        if first:  # the list first, then what stands beside it
            self._show_detail_soon()
        else:
            self._show_detail()

    def _take_ticks(self, rows: HubRows, places: Iterable[int] | None) -> None:
        ids, marked = rows.column("id"), rows.column("marked")
        if places is None:
            self.ticks.clear()
            self.ticks.update(row_id for row_id, on in zip(ids, marked, strict=True) if on)
        else:
            for place in places:
                (self.ticks.add if marked[place] else self.ticks.discard)(ids[place])

    def _empty_words(self) -> str:
        trouble = self.session.trouble
        if self.session.busy:
            return "Reading both systems. The list fills when that is done."
        if trouble is not None:
            return "\n".join(("Nothing could be read yet.", *trouble.lines))
        return self.EMPTY

    def engine_told(self, events: Sequence[Event]) -> None:  # noqa: ARG002
        words = self._empty_words()
        if not self.rows and words != self.table.empty:
            self.table.empty = words
            self.table.refresh()

    def _note(self) -> None:
        table = self.table
        elsewhere = len(self.rows) - table.row_count if self.view is HubView.CRM else 0
        if self.KIND is Kind.EMPLOYEE:
            words = f"{table.line_count:,} of {table.row_count:,}"
        else:
            words = view_note(self.view, table.line_count, table.row_count, elsewhere)
        ticks = "" if table.ticks is None else ticks_text(len(self.ticks), table.ticks_outside)
        table.no_match = "Nothing matches the filter: escape clears it."
        if elsewhere:
            table.no_match += f"\n{elsewhere:,} records that are only in Ajera are not in this view: o shows them."
        self.query_one("#filter", FilterBar).note(*notes_by_width(words, ticks))

    def ticked_out_of_view(self) -> Sequence[str]:
        return [self.rows[key].label for key in self.table.ticked_outside() if key in self.rows]

    # -- the record ------------------------------------------------------------------------------------------

    @on(RecordTable.RowHighlighted, "#records")
    def _moved(self, event: RecordTable.RowHighlighted) -> None:
        event.stop()
        self._show_detail_soon()

    def _show_detail_soon(self) -> None:
        if self._detail_timer is not None:
            self._detail_timer.stop()
        self._detail_timer = self.set_timer(DETAIL_SECONDS, self._show_detail)

    def _show_detail(self) -> None:
        """The tabs of the record under the cursor. When narrow they are made only while they can be seen."""
        if self._detail_timer is not None:
            self._detail_timer.stop()
            self._detail_timer = None
        row = self.current
        if not self._complete:
            return
        if self.has_class("-narrow") and not self.has_class("-record-open"):
            return
        if row is not None and len(self.rows) > BIG_HUB:
            self.run_worker(
                self._detail_in_thread(row), group=f"detail-{self.PLACE}", exclusive=True, exit_on_error=False
            )
        else:
            self._show_now(row, lambda: self.service.detail(row) if row else None)

    async def _detail_in_thread(self, row: views.Row) -> None:
        """Contacts and projects are looked for among all rows: keys are read meanwhile."""
        found = await asyncio.gather(asyncio.to_thread(self.service.detail, row), return_exceptions=True)
        if self.current is not None and self.current.id == row.id:
            self._show_now(row, lambda: _or_raise(found[0]))

    def _show_now(self, row: views.Row | None, detail: Callable[[], views.Detail | None]) -> None:
        try:
            self.pane.show(detail(), self._as_of(row))
        except AjerasyncError as error:  # the record went away meanwhile
            self.pane.show(None)
            self.pane.refuse(str(error))

    def _as_of(self, row: views.Row | None) -> str:
        if row is None:
            return ""
        read = self._read_at.get(row.id)
        if read is not None:
            return clock(read)
        run = next((run for run in self.service.runs(10) if run.finished), None)
        return run.finished.replace("T", " ")[:16] + " UTC" if run else "the first reading"

    @on(RecordTable.RowSelected, "#records")
    def _opened(self, event: RecordTable.RowSelected) -> None:
        event.stop()
        self.add_class("-record-open")
        self._show_detail()
        self.call_after_refresh(self.pane.focus_body)

    @on(RecordTable.ViewChanged, "#records")
    def _view_changed(self, event: RecordTable.ViewChanged) -> None:
        event.stop()
        self._note()
        if self._loaded:
            self.call_after_refresh(self._keep_choices)

    def on_resize(self) -> None:
        self._show_detail_soon()

    def action_back_to_list(self) -> None:
        """The list again, with the focus."""
        self.remove_class("-record-open")
        self.set_focus(self.table)


def _or_raise(found: views.Detail | BaseException) -> views.Detail:
    if isinstance(found, BaseException):
        raise found
    return found
