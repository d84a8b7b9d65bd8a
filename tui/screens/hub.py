"""A hub: the records of one kind at the left, the chosen one's tabs at the right (as a page of its own when narrow)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import ClassVar, Final

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.timer import Timer
from textual.widget import Widget

from core.engine import views
from core.engine.events import Event
from core.errors import AjerasyncError
from core.model.values import Kind, Side
from core.text import safe_line
from tui.formatting import clock, ticks_text
from tui.modals.columns import ColumnChooser
from tui.modals.templates import TemplateChooser
from tui.screens import record_tabs
from tui.screens.base import PlaceScreen
from tui.screens.hub_rows import FIELDS, SHAPES, HubView, notes_by_width, toggled_term, view_note
from tui.screens.record_pane import RecordPane
from tui.widgets.filter import FilterBar
from tui.widgets.record_table import RecordTable, Row
from tui.widgets.toast import toast

BIG_HUB: Final = 2_000  # above it the rows are made in a thread
MANY: Final = 300  # more changed rows than this are read anew at once
DETAIL_SECONDS: Final = 0.08  # the cursor rests that long before the tabs follow it

TICK = Binding.Group("Tick")
LIST = Binding.Group("List")
RECORD = Binding.Group("Record")


class HubScreen(PlaceScreen):
    """Base of Firms, Projects and Employees: subclasses name the kind and the words of an empty list."""

    KIND: ClassVar[Kind]
    START_VIEW: ClassVar[HubView] = HubView.CRM
    EMPTY: ClassVar[str] = "No records yet: p reads both systems."
    FOOTER: ClassVar[Sequence[str]] = (
        "table.tick", "record.tick", "hub.filter", "table.open", "hub.back", "app.plan", "app.run", "app.help", "hub.undo",
        "table.tick-all", "hub.only-ajera", "hub.next-tab", "filter.saved", "app.log", "app.quit", "app.palette",
    )  # fmt: skip
    AUTO_FOCUS = "#records"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter", id="hub.filter", key_display="/", group=LIST,
                tooltip='Filter as you type: words, or field:value as in state:pending city:"san jose" !draft'),
        Binding("asterisk", "term('marked:yes')", "Ticked only", id="hub.ticked", key_display="*", group=LIST,
                tooltip="Show ticked records only, or all again"),
        Binding("o", "next_view", "Only in Ajera", id="hub.only-ajera", group=LIST,
                tooltip="Show what is in the CRM, what is only in Ajera, or all; linked pairs always show"),
        Binding("V", "columns", "Columns", id="hub.columns", group=LIST,
                tooltip="Choose the columns of this list; the choice is kept"),
        Binding("c", "copy", "Copy", id="place.copy", group=LIST, tooltip="Copy the record's name and keys"),
        Binding("u", "undo", "Undo", id="hub.undo", tooltip="Take the last change of ticks back", group=TICK),
        Binding("U", "redo", "Redo", id="hub.redo", tooltip="Make the change again that was taken back", group=TICK),
        Binding("right_square_bracket,right", "tab(1)", "Next tab", id="hub.next-tab", key_display="]", group=RECORD,
                tooltip="The record's next tab"),
        Binding("left_square_bracket,left", "tab(-1)", "Tab before", id="hub.previous-tab", key_display="[", group=RECORD,
                tooltip="The record's tab before"),
        Binding("r", "read_again", "Read again", id="hub.refresh", group=RECORD,
                tooltip="Read this record from both systems now"),
        Binding("escape", "back", "Back", id="hub.back", tooltip="Back to the list; there: clear the filter", group=LIST),
    ]  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self.shape = SHAPES[self.KIND]
        self.view = self.START_VIEW
        self.hidden: tuple[str, ...] = ()
        self.ticks: set[str] = set()
        self.rows: dict[str, views.Row] = {}
        self._read_at: dict[str, datetime] = {}
        self._detail_timer: Timer | None = None
        self._loaded = False

    def compose_body(self) -> Iterable[Widget]:
        yield FilterBar(FIELDS, id="filter")
        with Horizontal(id="hub"):
            with Vertical(id="hub-list"):
                yield RecordTable(
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
        self.table.set_columns(self.shape.columns, self.shape.lines(self._in_view()))

    def action_next_view(self) -> None:
        """The CRM's records, those only in Ajera, or all."""
        self.action_back_to_list()
        self.view = self.view.next
        self.table.set_rows(self.shape.lines(self._in_view()))
        self._keep_choices()
        self._show_detail()

    def _in_view(self) -> list[views.Row]:
        return [row for row in self.rows.values() if self.view.holds(row)]

    # -- rows ------------------------------------------------------------------------------------------------

    def reload(self) -> None:
        """Rows anew from the service: at once when they are few, in a thread when they are many."""
        if len(self.rows) > BIG_HUB:
            self.run_worker(self._reload_in_thread(), group=f"rows-{self.PLACE}", exclusive=True, exit_on_error=False)
        else:
            self._take_rows(self.service.rows(self.KIND))

    async def _reload_in_thread(self) -> None:
        rows = await asyncio.to_thread(self.service.rows, self.KIND)
        shape, view = self.shape, self.view
        lines: list[Row] | None = await asyncio.to_thread(lambda: shape.lines([row for row in rows if view.holds(row)]))
        if (shape, view) != (self.shape, self.view):  # chosen anew meanwhile
            lines = None
        self._take_rows(rows, lines)

    def _take_rows(self, rows: Sequence[views.Row], lines: list[Row] | None = None) -> None:
        self.rows = {row.id: row for row in rows}
        self._loaded = True
        self.ticks.clear()
        self.ticks |= {row.id for row in rows if row.marked}
        self.table.empty = self._empty_words()
        self.table.set_rows(self.shape.lines(self._in_view()) if lines is None else lines)
        self._note()
        self._show_detail()

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
        ticks = "" if table.ticks is None else ticks_text(len(self.ticks), len(table.ticked_outside()))
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
        if self._detail_timer is not None:
            self._detail_timer.stop()
        self._detail_timer = self.set_timer(DETAIL_SECONDS, self._show_detail)

    def _show_detail(self) -> None:
        """The tabs of the record under the cursor. When narrow they are made only while they can be seen."""
        row = self.current
        if self.has_class("-narrow") and not self.has_class("-record-open"):
            return
        try:
            self.pane.show(self.service.detail(row) if row else None, self._as_of(row))
        except AjerasyncError as error:  # the record went away meanwhile
            self.pane.show(None)
            self.pane.refuse(str(error))

    def _as_of(self, row: views.Row | None) -> str:
        if row is None:
            return ""
        read = self._read_at.get(row.id)
        if read is not None:
            return clock(read)
        run = self.session.status.last_run
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
            self._keep_choices()

    def on_resize(self) -> None:
        self.call_after_refresh(self._show_detail)

    # -- ticks -----------------------------------------------------------------------------------------------

    @on(RecordTable.TickRequested, "#records")
    def _ticks_wanted(self, event: RecordTable.TickRequested) -> None:
        event.stop()
        if event.value is None:
            on_keys = [key for key in event.keys if key not in self.ticks]
            with self.service.one_act():
                self._tick([key for key in event.keys if key in self.ticks], on=False)
                self._tick(on_keys, on=True)
        else:
            with self.service.one_act():
                self._tick([key for key in event.keys if (key in self.ticks) != event.value], on=event.value)

    @on(RecordTable.TickRefused, "#records")
    def _tick_refused(self, event: RecordTable.TickRefused) -> None:
        event.stop()
        row = self.rows.get(event.key)
        if row is not None:
            toast(self.app, f"{row.label} cannot be ticked: {row.reason or 'not a record to be sent'}", "warning")

    @on(RecordPane.RecordTick)
    def _tick_this(self, event: RecordPane.RecordTick) -> None:
        event.stop()
        row = self.current
        if row is None or self.KIND is Kind.EMPLOYEE:
            return
        if row.state == "not_tickable":
            self.pane.refuse(f"{row.label} cannot be ticked: {row.reason}")
        else:
            self._tick([row.id], on=not row.marked)

    def _tick(self, ids: Sequence[str], *, on: bool) -> None:
        """Ask the service for these ticks, side by side, and show what became of them."""
        refused: list[tuple[str, str]] = []
        changed: list[str] = []
        for side in Side:
            keys = [self.rows[each].key for each in ids if each in self.rows and self.rows[each].side is side]
            if not keys:
                continue
            try:
                done = self.service.mark(self.KIND, keys, on, side=side)
            except AjerasyncError as error:
                toast(self.app, str(error), "warning")
                continue
            self._own_change(done)
            lead = "c:" if side is Side.CRM else "a:"
            changed += [lead + key for key in done.changed]
            refused += [(lead + key, reason) for key, reason in done.refused]
        self._rows_changed(changed)
        if refused:
            self._say_refused(refused)
        elif on and len(changed) == 1:
            self._ask_for_template(changed[0])

    def _say_refused(self, refused: Sequence[tuple[str, str]]) -> None:
        names = {key: self.rows[key].label for key, _ in refused if key in self.rows}
        words = record_tabs.refusal_note(refused, names)
        self.pane.refuse(words)
        toast(self.app, words, "warning")

    def _ask_for_template(self, key: str) -> None:
        """A project that is to be created needs a template: say so where it was ticked."""
        row = self.rows[key]
        if self.KIND is Kind.PROJECT and row.crm_key and not row.linked and not row.extra.get("template"):
            default = self.service.detail(row).default_template
            if not default:
                toast(self.app, f"{row.label} has no Ajera Project Template yet: t chooses one.")

    def _own_change(self, done: views.Marked) -> None:
        """What was done here is shown here at once; only the other places have to read again."""
        if done.changed or not done.refused:
            self._seen_generation += 1

    def _rows_changed(self, ids: Sequence[str]) -> None:
        """Read these rows again and show them where they stand."""
        if len(ids) > MANY:
            self.reload()
            return
        for key in ids:
            old = self.rows.get(key)
            if old is None:
                continue
            row = self.service.row(old.kind, old.key, old.side)
            self.rows[key] = row
            (self.ticks.add if row.marked else self.ticks.discard)(key)
            line = self.shape.line(row)
            self.table.update_row(key, line.cells, style=line.style, flag=line.flag, data=row)
        if ids:
            self._after_ticks()

    def _after_ticks(self) -> None:
        self.session.forget_status()
        self._note()
        self._show_detail()

    @on(RecordPane.ContactTicks)
    def _contact_ticks(self, event: RecordPane.ContactTicks) -> None:
        event.stop()
        row = self.current
        if row is None:
            return
        ticked = self.pane.contact_ticks
        if event.value is None:
            off = [key for key in event.keys if key in ticked]
            with self.service.one_act():
                self._tick_contacts(row, off, on=False)
                self._tick_contacts(row, [key for key in event.keys if key not in off], on=True)
        else:
            self._tick_contacts(row, [key for key in event.keys if (key in ticked) != event.value], on=event.value)

    def _tick_contacts(self, row: views.Row, keys: Sequence[str], *, on: bool) -> None:
        if not keys:
            return
        project = row.key if self.KIND is Kind.PROJECT else None
        try:
            done = self.service.mark(Kind.CONTACT, keys, on, firm=None if project else row.key, project=project)
        except AjerasyncError as error:
            self.pane.refuse(str(error))
            return
        self._own_change(done)
        self._rows_changed([row.id])
        if done.refused and self.pane.detail is not None:
            names = {contact.crm_key or "": contact.label for contact in self.pane.detail.contacts}
            self.pane.refuse(record_tabs.refusal_note(done.refused, names))

    def action_undo(self) -> None:
        """Take the last change of ticks back."""
        self._travel(self.service.undo_marks, "Taken back")

    def action_redo(self) -> None:
        """Make it again."""
        self._travel(self.service.redo_marks, "Made again")

    def _travel(self, act: Callable[[], views.Marked], words: str) -> None:
        try:
            done = act()
        except AjerasyncError as error:
            toast(self.app, f"{str(error).capitalize()}.", "warning")
            return
        self._own_change(done)
        ids = {row.id for key in done.changed for row in self._rows_with(key)}
        self._rows_changed(sorted(ids))
        if not ids:
            self._after_ticks()
        toast(self.app, f"{words}: {len(done.changed)} {'tick' if len(done.changed) == 1 else 'ticks'}.")

    def _rows_with(self, key: str) -> list[views.Row]:
        return [row for each in (f"c:{key}", f"a:{key}") if (row := self.rows.get(each)) is not None]

    # -- keys ------------------------------------------------------------------------------------------------

    def action_filter(self) -> None:
        """Go to the filter line."""
        self.remove_class("-record-open")
        self.query_one("#filter", FilterBar).focus_line()

    @on(FilterBar.Changed)
    def _filter_changed(self, event: FilterBar.Changed) -> None:
        event.stop()
        self.table.set_filter(event.query)
        self.refresh_bindings()

    @on(FilterBar.Left)
    def _filter_left(self, event: FilterBar.Left) -> None:
        event.stop()
        self.set_focus(self.table)

    def action_term(self, term: str) -> None:
        """Add a term to the filter, or take it away."""
        self.action_back_to_list()
        bar = self.query_one("#filter", FilterBar)
        bar.set_value(toggled_term(bar.value, term))

    def action_tab(self, by: int) -> None:
        """Another tab of the record."""
        self.pane.step(by)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Back is offered where there is something to go back from."""
        if action == "back" and self.is_mounted and not self._in_record():
            return bool(self.query_one("#filter", FilterBar).value)
        return super().check_action(action, parameters)

    def _in_record(self) -> bool:
        return self.pane.has_focus_within or self.has_class("-record-open")

    def action_back(self) -> None:
        """From the record to the list; in the list, the filter goes."""
        if self._in_record():
            self.action_back_to_list()
        else:
            self.query_one("#filter", FilterBar).set_value("")

    def action_back_to_list(self) -> None:
        """The list again, with the focus."""
        self.remove_class("-record-open")
        self.set_focus(self.table)

    def focus_home(self) -> None:
        self.set_focus(self.table)

    def action_copy(self) -> None:
        """Copy the record's name and keys."""
        row = self.current
        if row is None:
            toast(self.app, "Nothing to copy here.")
            return
        keys = [f"CRM {row.crm_key}" if row.crm_key else "", f"Ajera {row.ajera_key}" if row.ajera_key else ""]
        self.copy_out(safe_line("\t".join([row.label, *filter(None, keys)]), 400), self.KIND.value)

    def action_read_again(self) -> None:
        """Read this record from both systems now."""
        row = self.current
        if row is not None:
            self.run_worker(self._read_again(row), group="read-again", exclusive=True, exit_on_error=False)

    async def _read_again(self, row: views.Row) -> None:
        try:
            await self.service.refresh_detail(row)
        except AjerasyncError as error:
            self.app.told_off(error)  # type: ignore[attr-defined]
            return
        self._read_at[row.id] = datetime.now(UTC)
        self._rows_changed([row.id])
        toast(self.app, f"{row.label}: read from both systems just now.")

    # -- templates -------------------------------------------------------------------------------------------

    def ask_template(self) -> None:
        """Choose the Ajera Project Template of the project under the cursor."""
        row = self.current
        if row is None or not row.crm_key:
            toast(self.app, "A project that is only in Ajera has its phases already.", "warning")
            return
        detail = self.service.detail(row)
        chooser = TemplateChooser(row.label, detail.templates, detail.template, detail.default_template)
        self.app.push_screen(chooser, lambda text: self._template_taken(row, text))

    def _template_taken(self, row: views.Row, text: str | None) -> None:
        if text is None:
            return
        try:
            self._own_change(self.service.set_template(row.key, text))
        except AjerasyncError as error:
            toast(self.app, str(error), "warning")
            return
        self._rows_changed([row.id])
        toast(self.app, f"{row.label}: template {text}.")
