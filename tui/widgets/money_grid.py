"""A small table of money, as on the totals tab: right-aligned, never cut (a cut amount is a wrong one)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from rich.cells import cell_len
from textual.strip import Strip

from core.text import safe_line
from tui.formatting import fit, money
from tui.glyphs import glyphs
from tui.widgets.line_view import LineView

_LABEL: Final = 22
_SHORT_LABEL: Final = 10
_WHOLE_NOTE: Final = "whole amounts; cents where it is wider"
Line = tuple[str, str]


@dataclass(frozen=True, slots=True)
class MoneyRow:
    """A line of amounts; None is nothing known, shown blank. `strong` for totals, `short` the label where it is narrow."""

    label: str
    amounts: tuple[Decimal | None, ...]
    strong: bool = False
    short: str = ""
    style: str = ""

    @property
    def painted(self) -> str:
        """The style of its line."""
        return self.style or ("strong" if self.strong else "")


class MoneyGrid(LineView):
    """Columns of money: with cents where there is room, else in whole amounts, else one amount below the other."""

    HELP = "Amounts as Ajera computes them. They are read only."
    DEFAULT_CSS = "MoneyGrid { height: auto; max-height: 100%; }"

    def __init__(
        self,
        labels: Sequence[str],
        rows: Sequence[MoneyRow] = (),
        *,
        short: Sequence[str] = (),
        empty: str = "No totals.",
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        """`short`: the labels where it is narrow."""
        super().__init__(id=id, classes=classes)
        self.labels, self.empty = tuple(labels), empty
        self.short = tuple(short) or self.labels
        self._rows = tuple(rows)
        self._lines: list[Line] = []
        self._build(80)

    def set_rows(self, rows: Sequence[MoneyRow]) -> None:
        """Other amounts."""
        self._rows = tuple(rows)
        self._build(self.line_width or 80)
        self.fit_lines()
        self.forget_painted()

    @property
    def line_count(self) -> int:
        return len(self._lines)

    def on_resize(self) -> None:
        before = len(self._lines)
        self._build(self.line_width)
        self._strips.clear()
        if len(self._lines) != before:
            self.fit_lines()
        self.refresh()

    def _build(self, width: int) -> None:
        if not self._rows:
            self._lines = []
            return
        width -= 2  # a cell at each side
        self._lines = (
            self._table(width, self.labels, money, _LABEL, short=False)
            or self._table(width, self.short, money, _SHORT_LABEL, short=True)
            or self._table(width, self.short, whole, _SHORT_LABEL, short=True, note=_WHOLE_NOTE)
            or self._stack(width)
        )

    def _table(
        self,
        width: int,
        labels: Sequence[str],
        write: Callable[[Decimal | None], str],
        most: int,
        *,
        short: bool,
        note: str = "",
    ) -> list[Line]:
        """The grid, or nothing where it does not fit."""
        names = [_name(row, short=short) for row in self._rows]
        written = [[write(amount) for amount in row.amounts] for row in self._rows]
        widths = [
            max(cell_len(_safe(label)), *(len(line[i]) if i < len(line) else 0 for line in written))
            for i, label in enumerate(labels)
        ]
        label = min(most, max(map(cell_len, names)))
        gap = 2 if label + sum(widths) + 2 * len(widths) <= width else 1
        if label + sum(widths) + gap * len(widths) > width:
            return []
        between = " " * gap
        head = "".join(between + fit(_safe(text), w, "right") for text, w in zip(labels, widths, strict=True))
        lines = [(" " * label + head, "header")]
        for row, name, amounts in zip(self._rows, names, written, strict=True):
            cells = "".join(
                between + fit(amounts[i] if i < len(amounts) else "", w, "right") for i, w in enumerate(widths)
            )
            lines.append((fit(name, label) + cells, row.painted))
        return [*lines, ("", ""), (note, "muted")] if note else lines

    def _stack(self, width: int) -> list[Line]:
        """Each amount on a line of its own, all ending in the same cell."""
        lines: list[Line] = []
        labels = max(cell_len(_safe(label)) for label in self.labels)
        amounts = max((len(money(amount)) for row in self._rows for amount in row.amounts), default=0)
        for row in self._rows:
            lines.append((_name(row, short=False), row.painted))
            for i, label in enumerate(self.labels):
                amount = money(row.amounts[i]) if i < len(row.amounts) else ""
                lines.append((fit(f"  {fit(_safe(label), labels)}  {amount.rjust(amounts)}", width), ""))
        return lines

    def paint(self, index: int, width: int) -> Strip:
        text, style = self._lines[index]
        return self.line(f" {text}", width, style)

    def paint_empty(self, y: int, width: int) -> Strip:
        return self.said(y, self.empty, width, 0)


def whole(amount: Decimal | None) -> str:
    """Without cents: "1,235"; an amount below one keeps them, so that nothing looks like nought that is not."""
    if amount is None or not amount.is_finite() or 0 < abs(amount) < 1:
        return money(amount)
    return f"{amount.quantize(Decimal(1), ROUND_HALF_UP):,}"


def _safe(text: str) -> str:
    return glyphs().printable(safe_line(text, 30))


def _name(row: MoneyRow, *, short: bool) -> str:
    return glyphs().printable(safe_line(row.short or row.label if short else row.label, 60))
