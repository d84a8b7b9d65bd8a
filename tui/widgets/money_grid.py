"""A small table of money, as on the totals tab: right-aligned, two places, never cut (a cut amount is a wrong one)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from rich.cells import cell_len
from textual.strip import Strip

from core.text import safe_line
from tui.formatting import fit, money
from tui.glyphs import glyphs
from tui.widgets.line_view import LineView

_LABEL = 22
_GAP = "  "


@dataclass(frozen=True, slots=True)
class MoneyRow:
    """A line of amounts; None is nothing known, shown blank. `strong` for totals."""

    label: str
    amounts: tuple[Decimal | None, ...]
    strong: bool = False


class MoneyGrid(LineView):
    """Columns of money; where they do not fit side by side each amount gets a line of its own."""

    HELP = "Amounts as Ajera computes them. They are read only."
    DEFAULT_CSS = "MoneyGrid { height: auto; max-height: 100%; }"

    def __init__(
        self,
        labels: Sequence[str],
        rows: Sequence[MoneyRow] = (),
        *,
        empty: str = "No totals.",
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.labels, self.empty = tuple(labels), empty
        self._rows = tuple(rows)
        self._lines: list[tuple[str, str]] = []
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
        widths = [
            max(cell_len(safe_line(label, 30)), *(len(_amount(row, place)) for row in self._rows))
            for place, label in enumerate(self.labels)
        ]
        side_by_side = sum(widths) + len(_GAP) * len(widths) + 8 <= width
        self._lines = self._table(widths, width) if side_by_side else self._stack()

    def _table(self, widths: Sequence[int], width: int) -> list[tuple[str, str]]:
        label = min(_LABEL, width - sum(widths) - len(_GAP) * len(widths))
        head = "".join(_GAP + fit(safe_line(text, 30), w, "right") for text, w in zip(self.labels, widths, strict=True))
        lines = [(" " * label + head, "header")]
        for row in self._rows:
            amounts = "".join(_GAP + fit(_amount(row, place), w, "right") for place, w in enumerate(widths))
            text = glyphs().printable(safe_line(row.label, 60))
            lines.append((fit(text, label) + amounts, "strong" if row.strong else ""))
        return lines

    def _stack(self) -> list[tuple[str, str]]:
        lines: list[tuple[str, str]] = []
        for row in self._rows:
            lines.append((glyphs().printable(safe_line(row.label, 60)), "strong"))
            lines += [(f"  {_amount(row, i)} {safe_line(label, 30)}", "") for i, label in enumerate(self.labels)]
        return lines

    def paint(self, index: int, width: int) -> Strip:
        text, style = self._lines[index]
        return self.line(text, width, style)

    def paint_empty(self, y: int, width: int) -> Strip:
        return self.line(f" {self.empty}" if y == 0 else "", width, "muted")


def _amount(row: MoneyRow, place: int) -> str:
    return money(row.amounts[place]) if place < len(row.amounts) else ""
