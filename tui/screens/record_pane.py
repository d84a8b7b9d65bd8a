"""The chosen record: its name, its tabs, and what stands on the present one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import ContentSwitcher, Static

from core.engine.views import Detail
from core.model.values import Kind
from core.text import safe_line
from tui.formatting import cell
from tui.glyphs import glyphs
from tui.screens import record_tabs as made
from tui.widgets.fields import FieldList, FieldRow
from tui.widgets.money_grid import MoneyGrid
from tui.widgets.record_table import RecordTable, Row

RECORD = Binding.Group("Record")
_BODIES = {
    made.CONTACTS: "contacts", made.TEAM: "team", made.PROJECTS: "projects", made.TOTALS: "totals-box",
}  # fmt: skip


class TabLine(Widget):
    """Two lines: the record's name, and its tabs with the present one in brackets."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {"tab--present", "tab--name"}
    DEFAULT_CSS = """
    TabLine { height: 2; background: $surface; color: $foreground 85%; }
    TabLine > .tab--present { text-style: bold; color: $accent; }
    TabLine > .tab--name { text-style: bold; color: $foreground; }
    TabLine:ansi > .tab--present { color: ansi_default; text-style: bold underline; }
    """

    class Chosen(Message):
        """A tab was clicked."""

        def __init__(self, tab: str) -> None:
            super().__init__()
            self.tab = tab

    def __init__(self, tabs: Sequence[str], *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.tabs, self.present = tuple(tabs), tabs[0]
        self.name_shown = ""
        self._labels = {tab: tab for tab in tabs}

    def show(self, name: str, present: str, labels: dict[str, str]) -> None:
        """Another record, tab or count."""
        if (name, present, labels) != (self.name_shown, self.present, self._labels):
            self.name_shown, self.present, self._labels = name, present, labels
            self.refresh()

    def _texts(self) -> list[tuple[str, str]]:
        """Each tab with its text: whole, short, short and close together, and at last only as many as fit."""
        room = self.size.width - 1
        for label, close in ((self._labels.get, False), (self._short, False), (self._short, True)):
            texts = [(tab, self._text(tab, label(tab) or tab, close=close)) for tab in self.tabs]
            if sum(cell_len(text) for _, text in texts) <= room + close:
                return texts
        return self._around_present(texts, room)

    def _around_present(self, texts: list[tuple[str, str]], room: int) -> list[tuple[str, str]]:
        """A stretch of the tabs with the present one in it; an arrow at each end says that there are more."""
        place = first = self.tabs.index(self.present)
        last, used = place + 1, cell_len(texts[place][1]) + 4
        while True:
            if last < len(texts) and used + cell_len(texts[last][1]) <= room:
                used += cell_len(texts[last][1])
                last += 1
            elif first > 0 and used + cell_len(texts[first - 1][1]) <= room:
                first -= 1
                used += cell_len(texts[first][1])
            else:
                break
        before = [(self.tabs[first - 1], "< ")] if first else []
        after = [(self.tabs[last], " >")] if last < len(texts) else []
        return [*before, *texts[first:last], *after]

    def _short(self, tab: str) -> str:
        return made.SHORT_TABS.get(tab, tab) + self._labels[tab][len(tab) :]

    def _text(self, tab: str, label: str, *, close: bool = False) -> str:
        if close:
            return f" [{label}]" if tab == self.present else f" {label}"
        return f"[{label}]" if tab == self.present else f" {label} "

    def render_line(self, y: int) -> Strip:
        width, plain = self.size.width, self.visual_style.rich_style
        if y == 0:
            name = cell(f" {self.name_shown}", width)
            return Strip([Segment(name, self.get_component_rich_style("tab--name"))], width)
        present = self.get_component_rich_style("tab--present")
        segments = [Segment(text, present if tab == self.present else plain) for tab, text in self._texts()]
        return Strip(segments).crop_extend(0, width, plain)

    def on_click(self, event: events.Click) -> None:
        if event.y != 1:
            return
        x = event.x
        for tab, text in self._texts():
            x -= cell_len(text)
            if x < 0:
                self.post_message(self.Chosen(tab))
                return


class InnerTable(RecordTable):
    """A table on a tab: there is nothing below its rows to be opened."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "select":
            return False
        return super().check_action(action, parameters)


class RecordPane(Vertical):
    """The tabs of one record. It shows; the hub acts on what it posts."""

    HELP = (
        "The chosen record. [ and ] (or left and right) go from tab to tab, space ticks: the record itself, or the "
        "contact under the cursor on the Contacts tab. t chooses a project's Ajera template, r reads it anew."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "tick_record", "Tick", show=False, id="record.tick", tooltip="Tick or untick this record",
                group=RECORD),
    ]  # fmt: skip

    class ContactTicks(Message):
        """Contacts to be ticked (True), unticked (False) or turned round (None)."""

        def __init__(self, keys: tuple[str, ...], value: bool | None) -> None:
            super().__init__()
            self.keys, self.value = keys, value

    class RecordTick(Message):
        """The record itself is to be ticked or unticked."""

    def __init__(self, kind: Kind, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.kind = kind
        self.tabs = made.TABS[kind]
        self.tab = self.tabs[0]
        self.detail: Detail | None = None
        self.contact_ticks: set[str] = set()
        self._as_of = ""
        self._refused = ""

    def compose(self) -> ComposeResult:
        yield TabLine(self.tabs, id="tab-line")
        with ContentSwitcher(initial="fields", id="pane-bodies"):
            yield FieldList(id="fields")
            if made.CONTACTS in self.tabs:
                yield InnerTable(made.CONTACT_COLUMNS, ticks=self.contact_ticks, id="contacts")
            if made.TEAM in self.tabs:
                yield InnerTable(made.TEAM_COLUMNS, id="team")
            if made.PROJECTS in self.tabs:
                yield InnerTable(made.PROJECT_COLUMNS, id="projects")
            if made.TOTALS in self.tabs:
                with Vertical(id="totals-box"):
                    yield MoneyGrid(made.TOTAL_LABELS, short=made.SHORT_TOTAL_LABELS, id="totals")
        yield Static("", id="pane-note", markup=False)

    # -- what the hub tells ------------------------------------------------------------------------------------

    def show(self, detail: Detail | None, as_of: str = "") -> None:
        """Show a record, or none; the tab stays."""
        other = detail is None or self.detail is None or detail.row.id != self.detail.row.id
        self.detail, self._as_of = detail, as_of
        if other:
            self._refused = ""
        self._fill()

    def refuse(self, words: str) -> None:
        """Keep in sight why a tick was refused, until something else is done here."""
        self._refused = words
        self._show_note()

    def choose(self, tab: str) -> None:
        """Go to a tab."""
        if tab in self.tabs and tab != self.tab:
            had = self.has_focus_within
            self.tab = tab
            self._refused = ""
            self._fill()
            self.query_one("#pane-bodies", ContentSwitcher).current = self._body_id
            if had:
                self.focus_body()

    def step(self, by: int) -> None:
        """To the tab before or after; round at the ends."""
        self.choose(self.tabs[(self.tabs.index(self.tab) + by) % len(self.tabs)])

    @property
    def _one_way(self) -> bool:
        session = getattr(self.screen, "session", None)
        mode = session.status.mode if session is not None else None
        return mode is not None and mode.one_way

    @property
    def _body_id(self) -> str:
        return _BODIES.get(self.tab, "fields")

    def focus_body(self) -> None:
        """Put the focus on what the tab shows."""
        body = "totals" if self._body_id == "totals-box" else self._body_id
        self.screen.set_focus(self.query_one(f"#{body}"))

    # -- filling -------------------------------------------------------------------------------------------------

    def _fill(self) -> None:
        detail = self.detail
        name = detail.row.label if detail else ""
        labels = {tab: made.tab_label(tab, detail) for tab in self.tabs}
        self.query_one(TabLine).show(name, self.tab, labels)
        body = "totals" if self.tab == made.TOTALS else self._body_id
        shown = self.query_one(f"#{body}")
        assert isinstance(shown, (FieldList, RecordTable, MoneyGrid))
        words = made.empty_words(self.tab, detail, one_way=self._one_way)
        if shown.empty != words:
            shown.empty = words
            shown.refresh()
        if self.tab in made.FIELD_TABS:
            self.query_one("#fields", FieldList).set_rows(self._field_rows(detail))
        elif self.tab == made.TOTALS:
            self.query_one("#totals", MoneyGrid).set_rows(made.totals(detail) if detail else ())
        else:
            self._fill_table(detail)
        self._show_note()

    def _field_rows(self, detail: Detail | None) -> list[FieldRow]:
        if detail is None:
            return []
        return made.overview(detail) if self.tab == made.OVERVIEW else made.field_rows(detail, self.tab)

    def _fill_table(self, detail: Detail | None) -> None:
        makers: dict[str, Callable[[Detail], list[Row]]] = {
            made.CONTACTS: made.contact_lines, made.TEAM: made.team_lines, made.PROJECTS: made.project_lines,
        }  # fmt: skip
        table = self.query_one(f"#{self._body_id}", RecordTable)
        if self.tab == made.CONTACTS:
            self.contact_ticks.clear()
            self.contact_ticks |= made.ticked_contacts(detail) if detail else set()
        table.set_rows(makers[self.tab](detail) if detail else ())

    def _note(self) -> str:
        detail = self.detail
        if self._refused or detail is None:
            return self._refused
        if self.tab == made.CONTACTS:
            return made.contacts_note(detail)
        if self.tab in made.FIELD_TABS:
            row = self.query_one("#fields", FieldList).current
            return self._field_words(detail, row) if row is not None else ""
        return f"as of {self._as_of}, amounts as Ajera computes them" if self.tab == made.TOTALS and self._as_of else ""

    def _field_words(self, detail: Detail, row: FieldRow) -> str:
        return made.field_note(detail, row.key) or (f"{row.label}: {row.value}" if cell_len(row.value) > 20 else "")

    def _show_note(self) -> None:
        words = self._note()
        words = glyphs().printable(safe_line(words, 1_000))
        note = self.query_one("#pane-note", Static)
        line = bool(words) and note.display and note.size.height == 1 and cell_len(words) <= note.content_size.width
        note.display = bool(words)
        note.set_class(bool(self._refused), "-wrong")
        note.update(Content(words), layout=not line)  # one line instead of another: all stays where it is

    # -- messages ------------------------------------------------------------------------------------------------

    @on(TabLine.Chosen)
    def _tab_chosen(self, event: TabLine.Chosen) -> None:
        event.stop()
        self.choose(event.tab)

    @on(FieldList.FieldHighlighted)
    def _field_highlighted(self, event: FieldList.FieldHighlighted) -> None:
        event.stop()
        self._refused = ""
        self._show_note()

    @on(RecordTable.TickRequested, "#contacts")
    def _contact_ticks(self, event: RecordTable.TickRequested) -> None:
        event.stop()
        self.post_message(self.ContactTicks(event.keys, event.value))

    @on(RecordTable.TickRefused, "#contacts")
    def _contact_refused(self, event: RecordTable.TickRefused) -> None:
        event.stop()
        row = event.table.row(event.key)
        if row is not None:
            self.refuse(f"{row.cells[0]} cannot be ticked: {row.data.refusal or 'it is in Ajera only'}")

    @on(RecordTable.RowHighlighted)
    @on(RecordTable.ViewChanged)
    @on(RecordTable.RowSelected)
    def _of_inner_table(self, event: Message) -> None:
        event.stop()  # the hub listens to its own table only

    def action_tick_record(self) -> None:
        """Tick the record itself."""
        self.post_message(self.RecordTick())
