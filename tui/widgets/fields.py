"""The fields of a record: label, the CRM's value, Ajera's beside it where it differs, who owns it, a state mark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip

from tui.formatting import cell, fit
from tui.glyphs import glyphs
from tui.widgets.columns import Column, Placed, lay_out
from tui.widgets.line_view import CursorView

BLANK = "(blank)"


@dataclass(frozen=True, slots=True)
class FieldRow:
    """A field. `other` None: nothing to compare with (not mapped, or on one side only). `heading`: a title line."""

    key: str
    label: str
    value: str = ""
    other: str | None = None
    owner: str = ""
    flag: str = ""
    style: str = ""
    heading: bool = False

    @property
    def differs(self) -> bool:
        """Whether both sides have it and not the same."""
        return self.other is not None and self.other != self.value


class FieldList(CursorView):
    """Fields one below the other; values are cut to the line, the chosen one is told whole by `FieldHighlighted`."""

    HELP = "The fields of this record. Where both systems hold something else, the other one's value stands beside it."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "Open field", show=False, id="fields.open", tooltip="Act on this field"),
    ]
    header_lines = 1

    class FieldHighlighted(Message):
        """The cursor stands on another field."""

        def __init__(self, fields: FieldList, row: FieldRow) -> None:
            super().__init__()
            self.fields, self.row = fields, row

        @property
        def control(self) -> FieldList:
            return self.fields

    class FieldChosen(Message):
        """Enter or a double click."""

        def __init__(self, fields: FieldList, row: FieldRow) -> None:
            super().__init__()
            self.fields, self.row = fields, row

        @property
        def control(self) -> FieldList:
            return self.fields

    def __init__(
        self,
        rows: Sequence[FieldRow] = (),
        *,
        sides: tuple[str, str] = ("CRM", "Ajera"),
        empty: str = "No record chosen.",
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.sides, self.empty = sides, empty
        self._rows = tuple(rows)

    @property
    def line_count(self) -> int:
        return len(self._rows)

    @property
    def current(self) -> FieldRow | None:
        """The field under the cursor."""
        return self._rows[self.cursor] if self.cursor < len(self._rows) else None

    def set_rows(self, rows: Sequence[FieldRow]) -> None:
        """Another record, or the same one changed: the cursor stays on its field."""
        key = self.current.key if self.current else None
        self._rows = tuple(rows)
        place = next((i for i, row in enumerate(self._rows) if row.key == key), 0)
        self._strips.clear()
        self.fit_lines()
        self.set_reactive(CursorView.cursor, self.validate_cursor(place))
        self.keep_in_sight()
        self.refresh()

    def _columns(self) -> tuple[Column, ...]:
        longest = max((len(row.label) for row in self._rows), default=8)
        compared = any(row.differs for row in self._rows)
        owned = max((len(row.owner) for row in self._rows), default=0)
        return (
            Column("label", "Field", min(max(5, longest), 24), flex=0),
            Column("value", self.sides[0], 10, flex=3),
            Column(
                "other", self.sides[1], 10 if compared else 0, flex=2 if compared else 0, priority=0 if compared else 3
            ),
            Column("owner", "Owner" if owned else "", max(5, min(owned, 8)) if owned else 0, priority=2),
        )

    def _places(self, width: int) -> list[Placed]:
        return lay_out(self._columns(), width - 3, 3)

    def paint(self, index: int, width: int) -> Strip:
        row = self._rows[index]
        here = index == self.cursor
        lead = f"{glyphs().cursor if here else ' '}{glyphs().flag(row.flag)} "
        if row.heading:
            return self.line(lead + cell(row.label, max(0, width - 3)), width, "cursor" if here else "strong")
        other = (row.other or BLANK) if row.differs else ""
        value = (row.value or BLANK) if row.differs else row.value
        texts = (row.label, value, other, row.owner)
        body = " ".join(cell(texts[p.index], p.width) for p in self._places(width))
        return self.line(lead + body, width, "cursor" if here else row.style or ("warn" if row.differs else ""))

    def paint_header(self, y: int, width: int) -> Strip:  # noqa: ARG002
        labels = [column.label for column in self._columns()]
        body = " ".join(fit(labels[p.index], p.width) for p in self._places(width))
        return self.line(f"   {body}", width, "header")

    def paint_empty(self, y: int, width: int) -> Strip:
        return self.said(y, self.empty, width)

    def cursor_moved(self, old: int) -> None:  # noqa: ARG002
        if self.current is not None:
            self.post_message(self.FieldHighlighted(self, self.current))

    def action_choose(self) -> None:
        """Act on the field under the cursor."""
        if self.current is not None:
            self.post_message(self.FieldChosen(self, self.current))

    def on_click(self, event: events.Click) -> None:
        index = self.index_at(event)
        if index is not None:
            self.cursor = index
            if event.chain == 2:
                self.action_choose()
