"""A list in sections whose entries unfold: headings, entries in columns, and under an unfolded entry its lines.

Only the lines on the screen are painted; an entry's own lines are made when it is unfolded. A filter is asked of the
entries; a section without a match goes with its heading.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip

from core.filtering import Query, search_string
from tui.formatting import cell
from tui.glyphs import glyphs
from tui.widgets.columns import Column, Placed, lay_out
from tui.widgets.line_view import CursorView
from tui.widgets.text_lines import Line, Teller

__all__ = ["Entry", "Line", "Outline", "Section", "Teller"]

LIST = Binding.Group("List")
_LEAD = 4  # cursor, fold mark, state symbol, space
_INDENT = 4


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a section. `cells` are outside text, one per column. `fields` are what `name:value` asks of.

    `lines` makes what stands under it when it is unfolded; None: it does not unfold.
    """

    key: str
    cells: tuple[str, ...]
    flag: str = ""
    style: str = ""
    lines: Teller | None = None
    fields: dict[str, str] = field(default_factory=dict)
    search: str = ""
    data: Any = None


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and its entries. `note` stands behind the title; a `folded` section starts closed."""

    key: str
    title: str
    columns: Sequence[Column]
    entries: Sequence[Entry]
    note: str = ""
    style: str = "strong"
    folded: bool = False


@dataclass(frozen=True, slots=True)
class _At:
    """What a line shows: a section's heading (no entry), an entry, or a line under it."""

    section: Section
    entry: Entry | None = None
    text: str = ""
    style: str = ""
    under: bool = False


class Outline(CursorView):
    """See the module."""

    HELP = "Enter or right unfolds a line, left folds it, z folds or unfolds all. / filters as you type."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "Open", show=False, id="table.open", tooltip="Open or close this line", group=LIST),
        Binding("right", "unfold", "Unfold", show=False, id="outline.unfold", tooltip="Show what is inside", group=LIST),
        Binding("left", "fold", "Fold", show=False, id="outline.fold", tooltip="Hide it again", group=LIST),
        Binding("z", "fold_all", "Fold all", show=False, id="outline.all", tooltip="Fold or unfold everything", group=LIST),
    ]  # fmt: skip

    class Moved(Message):
        """The cursor stands on another entry (None: on a heading, or there is nothing)."""

        def __init__(self, outline: Outline, entry: Entry | None) -> None:
            super().__init__()
            self.outline, self.entry = outline, entry

        @property
        def control(self) -> Outline:
            return self.outline

    class Chosen(Message):
        """Enter or a double click on an entry that does not unfold."""

        def __init__(self, outline: Outline, entry: Entry) -> None:
            super().__init__()
            self.outline, self.entry = outline, entry

        @property
        def control(self) -> Outline:
            return self.outline

    def __init__(
        self,
        sections: Sequence[Section] = (),
        *,
        empty: str = "Nothing here.",
        no_match: str = "Nothing matches the filter: escape clears it.",
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.empty, self.no_match = empty, no_match
        self.query_now = Query()
        self.open: set[str] = set()
        self._shut: set[str] = set()
        self._sections: tuple[Section, ...] = ()
        self._lines: list[_At] = []
        self._made_for = -1
        self._folds_known: set[str] = set()
        self._take(sections)

    # -- content -----------------------------------------------------------------------------------------------

    def _take(self, sections: Sequence[Section]) -> None:
        self._sections = tuple(sections)
        for section in self._sections:
            if section.key not in self._folds_known:
                self._folds_known.add(section.key)
                if section.folded:
                    self._shut.add(section.key)
        self._make()

    def set_sections(self, sections: Sequence[Section]) -> None:
        """Other content; the cursor stays on its entry if that is still there."""
        self._keep_place(lambda: self._take(sections))

    def set_filter(self, query: Query) -> bool:
        """Show what matches. A query with an error changes nothing."""
        if query.error:
            return False
        self.query_now = query
        self._keep_place(self._make)
        return True

    @property
    def entry_count(self) -> int:
        """All entries, in view or not."""
        return sum(len(section.entries) for section in self._sections)

    @property
    def shown_count(self) -> int:
        """Entries that pass the filter."""
        return sum(len(self._passing(section)) for section in self._sections)

    @property
    def current(self) -> Entry | None:
        """The entry the cursor is on or in."""
        return self._lines[self.cursor].entry if self.cursor < len(self._lines) else None

    def entry(self, key: str) -> Entry | None:
        """The entry with this key."""
        return next((e for section in self._sections for e in section.entries if e.key == key), None)

    def _first(self) -> int:
        """The first entry in view; the top where there is none."""
        return next((i for i, at in enumerate(self._lines) if at.entry), 0)

    def to_first(self) -> None:
        """The cursor on the first entry, its heading in sight."""
        self.cursor = self._first()
        self.scroll_now(0)

    def move_to(self, key: str) -> bool:
        """Put the cursor on an entry, if it is in view."""
        place = next((i for i, at in enumerate(self._lines) if at.entry and at.entry.key == key), None)
        if place is None:
            return False
        self.cursor = place
        return True

    # -- lines -------------------------------------------------------------------------------------------------

    @property
    def line_count(self) -> int:
        return len(self._lines)

    def _passing(self, section: Section) -> Sequence[Entry]:
        query = self.query_now
        if query.empty:
            return section.entries
        entries = section.entries
        searches = [entry.search or search_string((section.title, *entry.cells)) for entry in entries]
        names = {term.field for term in query.terms if term.field}
        fields = {name: _field_getter(name) for name in names}
        return [entries[i] for i in query.select(range(len(entries)), searches, entries, fields)]

    def _make(self) -> None:
        self._made_for = self.line_width if self.is_attached else 0
        self._lines = []
        for section in self._sections:
            entries = self._passing(section)
            if section.entries and not entries:
                continue
            self._lines.append(_At(section))
            if section.key in self._shut:
                continue
            for entry in entries:
                self._lines.append(_At(section, entry))
                if entry.key in self.open:
                    self._lines += self._under(section, entry)

    def _under(self, section: Section, entry: Entry) -> list[_At]:
        if entry.lines is None:
            return []
        room = max(20, self._made_for - _INDENT - 1)
        return [_At(section, entry, " " * _INDENT + text, style, True) for text, style in entry.lines(room)]

    def _keep_place(self, change: Callable[[], None]) -> None:
        at = self._lines[self.cursor] if self.cursor < len(self._lines) else None
        key = at.entry.key if at and at.entry else at.section.key if at else None
        offset = self.cursor - self.scroll_offset.y
        change()
        self._strips.clear()
        self.fit_lines()
        place = next((i for i, each in enumerate(self._lines) if _key(each) == key), None)
        if at is None:
            self.set_reactive(CursorView.cursor, self._first())
        self.set_reactive(CursorView.cursor, self.validate_cursor(self.cursor if place is None else place))
        if place is not None:
            self.scroll_now(max(0, place - max(0, min(offset, self.page - 1))))
        self.keep_in_sight()
        self.refresh()
        self.post_message(self.Moved(self, self.current))

    def on_resize(self) -> None:
        if self.line_width != self._made_for:
            self._keep_place(self._make)
        super().on_resize()

    # -- painting ----------------------------------------------------------------------------------------------

    def variant(self, index: int) -> object:
        at = self._lines[index]
        return index == self.cursor, self.has_focus, at.entry is not None and at.entry.key in self.open

    def _places(self, section: Section, width: int) -> list[Placed]:
        return lay_out(section.columns, width - _LEAD, _LEAD)

    def paint(self, index: int, width: int) -> Strip:
        at, here = self._lines[index], index == self.cursor
        gutter = glyphs().cursor if here else " "
        if at.entry is None:
            text = f"{gutter}{self._mark(at.section.key not in self._shut)} {at.section.title}"
            note = at.section.note
            return self.line(f"{text}  {note}" if note else text, width, "cursor" if here else at.section.style)
        if at.under:
            return self.line(gutter + at.text[1:], width, "cursor" if here else at.style)
        entry = at.entry
        mark = self._mark(entry.key in self.open) if entry.lines else " "
        body = " ".join(
            cell(entry.cells[p.index] if p.index < len(entry.cells) else "", p.width, at.section.columns[p.index].align)
            for p in self._places(at.section, width)
        )
        text = f"{gutter}{mark}{glyphs().flag(entry.flag)} {body}"
        return self.line(text, width, "cursor" if here else entry.style)

    def _mark(self, unfolded: bool) -> str:
        return glyphs().unfolded if unfolded else glyphs().folded

    def paint_empty(self, y: int, width: int) -> Strip:
        return self.said(y, self.no_match if self.entry_count else self.empty, width)

    # -- keys and mouse ----------------------------------------------------------------------------------------

    def cursor_moved(self, old: int) -> None:
        before = self._lines[old].entry if old < len(self._lines) else None
        if before is not self.current:
            self.post_message(self.Moved(self, self.current))

    def _set_open(self, at: _At, unfolded: bool) -> None:
        if at.entry is None:
            (self._shut.discard if unfolded else self._shut.add)(at.section.key)
        else:
            (self.open.add if unfolded else self.open.discard)(at.entry.key)
        self._keep_place(self._make)

    def _is_open(self, at: _At) -> bool:
        return at.section.key not in self._shut if at.entry is None else at.entry.key in self.open

    def action_choose(self) -> None:
        """Open or close this line."""
        if self.cursor >= len(self._lines):
            return
        at = self._lines[self.cursor]
        if at.entry is not None and at.entry.lines is None:
            self.post_message(self.Chosen(self, at.entry))
        else:
            self._set_open(at, not self._is_open(at))

    def action_unfold(self) -> None:
        """Show what is inside."""
        if self.cursor < len(self._lines) and not self._is_open(self._lines[self.cursor]):
            at = self._lines[self.cursor]
            if at.entry is None or at.entry.lines is not None:
                self._set_open(at, True)

    def action_fold(self) -> None:
        """Hide it; on a closed entry go to the heading."""
        if self.cursor >= len(self._lines):
            return
        at = self._lines[self.cursor]
        if self._is_open(at):
            self._set_open(at, False)
        elif at.entry is not None:
            self.cursor = next(i for i, each in enumerate(self._lines) if each.section is at.section)

    def action_fold_all(self) -> None:
        """Unfold everything in view, or fold it all; where no entry unfolds, the sections."""
        keys = {entry.key for section in self._sections for entry in self._passing(section) if entry.lines}
        if self._shut or (keys and not keys <= self.open):
            self.open |= keys
            self._shut.clear()
        elif keys:
            self.open.clear()
        else:
            self._shut = {section.key for section in self._sections}
        self._keep_place(self._make)

    def on_click(self, event: events.Click) -> None:
        """The cursor goes there; the fold mark or a double click opens."""
        index = self.index_at(event)
        if index is not None:
            self.cursor = index
            if event.chain == 2 or event.x == 1:
                self.action_choose()


def _key(at: _At) -> str:
    return at.section.key if at.entry is None else at.entry.key


def _field_getter(name: str) -> Callable[[Entry], str]:
    def get(entry: Entry) -> str:
        return entry.fields.get(name, "")

    return get
