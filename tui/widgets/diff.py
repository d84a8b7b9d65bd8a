"""From → to, field by field: what a plan would do, what a run did, what an undo would take back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.strip import Strip

from core.text import safe_line
from tui.formatting import fit, wrap
from tui.glyphs import glyphs
from tui.widgets.fields import BLANK
from tui.widgets.line_view import LineView

_VALUE_LINES = 6  # a long note is told in so many lines; the rest is cut with a mark
_LABEL = 22


@dataclass(frozen=True, slots=True)
class Difference:
    """One field before and after; None is blank."""

    label: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class DiffItem:
    """One record: a title, a state for its mark, its fields and perhaps a remark."""

    title: str
    differences: tuple[Difference, ...] = ()
    flag: str = ""
    style: str = "strong"
    remark: str = ""


class DiffView(LineView):
    """Items one below the other. Short values stand on one line, long ones are wrapped below each other."""

    HELP = "What changes, field by field: the value before, an arrow, the value after."

    def __init__(
        self,
        items: Sequence[DiffItem] = (),
        *,
        empty: str = "No differences.",
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.empty = empty
        self._items = tuple(items)
        self._lines: list[tuple[str, str]] = []
        self._width = -1

    def set_items(self, items: Sequence[DiffItem]) -> None:
        """Show these, from the top."""
        self._items = tuple(items)
        self._build(self._width)
        self.scroll_now(0)

    @property
    def line_count(self) -> int:
        return len(self._lines)

    def on_resize(self) -> None:
        if self.line_width != self._width:
            self._build(self.line_width)

    def _build(self, width: int) -> None:
        self._width = width
        self._lines = [line for item in self._items for line in _item_lines(item, width)] if width > 0 else []
        self.fit_lines()
        self.forget_painted()

    def paint(self, index: int, width: int) -> Strip:
        text, style = self._lines[index]
        return self.line(text, width, style)

    def paint_empty(self, y: int, width: int) -> Strip:
        return self.said(y, self.empty, width, 0)


def _shown(value: str | None) -> str:
    return glyphs().printable(safe_line(value, 2_000)) if value not in (None, "") else BLANK


def _item_lines(item: DiffItem, width: int) -> list[tuple[str, str]]:
    mark = glyphs().flag(item.flag)
    lines = [(f"{mark} {glyphs().printable(safe_line(item.title))}", item.style)]
    for difference in item.differences:
        lines += _difference_lines(difference, width)
    if item.remark:
        remark = glyphs().printable(safe_line(item.remark, 2_000))
        lines += [(f"    {part}", "muted") for part in wrap(remark, width - 4, _VALUE_LINES)]
    return lines


def _difference_lines(difference: Difference, width: int) -> list[tuple[str, str]]:
    before, after = _shown(difference.before), _shown(difference.after)
    label = fit(glyphs().printable(safe_line(difference.label, 60)), min(_LABEL, max(4, width // 3)))
    line = f"    {label} {before} {glyphs().arrow} {after}"
    if len(wrap(line, width)) == 1:
        return [(line, "")]
    room = width - 8
    return [
        (f"    {label.rstrip()}", ""),
        *((f"      - {part}", "muted") for part in wrap(before, room, _VALUE_LINES)),
        *((f"      + {part}", "") for part in wrap(after, room, _VALUE_LINES)),
    ]
