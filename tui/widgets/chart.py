"""Small charts of runs in text: a row of bars, with the numbers in words beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.strip import Strip

from core.text import safe_line
from tui.formatting import cell, count
from tui.glyphs import glyphs
from tui.widgets.line_view import LineView


@dataclass(frozen=True, slots=True)
class Bar:
    """A value with its label; `text` is what is written at the end (the number itself if empty)."""

    label: str
    value: float
    text: str = ""
    style: str = ""


def spark(values: Sequence[float], width: int) -> str:
    """The last `width` values as columns one character wide, from nothing to the highest."""
    shown = list(values)[-width:] if width > 0 else []
    steps = glyphs().bars
    highest = max(shown, default=0.0)
    return "".join(steps[_step(value, highest, len(steps) - 1)] for value in shown)


def _step(value: float, highest: float, steps: int) -> int:
    """Nothing is blank, anything at all is at least the lowest step."""
    if value <= 0 or highest <= 0:
        return 0
    return max(1, round(value / highest * steps))


def spark_words(values: Sequence[float], noun: str = "run") -> str:
    """The same for those who hear it: "30 runs, highest 14, last 2"."""
    if not values:
        return f"no {noun}s yet"
    return f"{count(len(values), noun)}, highest {max(values):g}, last {values[-1]:g}"


class BarChart(LineView):
    """Lying bars, a line each: label, bar, number."""

    DEFAULT_CSS = "BarChart { height: auto; max-height: 100%; }"

    def __init__(
        self,
        bars: Sequence[Bar] = (),
        *,
        empty: str = "Nothing to show yet.",
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.empty = empty
        self._bars = tuple(bars)

    def set_bars(self, bars: Sequence[Bar]) -> None:
        """Other values."""
        self._bars = tuple(bars)
        self.fit_lines()
        self.forget_painted()

    @property
    def line_count(self) -> int:
        return len(self._bars)

    def paint(self, index: int, width: int) -> Strip:
        bar = self._bars[index]
        label = min(20, max(len(b.label) for b in self._bars), max(4, width // 3))
        texts = [safe_line(b.text or f"{b.value:g}", 30) for b in self._bars]
        room = max(1, width - label - 2 - max(map(len, texts)))
        highest = max(b.value for b in self._bars)
        length = _step(bar.value, highest, room)
        text = f"{cell(bar.label, label)} {glyphs().bars[-1] * length} {texts[index]}"
        return self.line(text, width, bar.style)

    def paint_empty(self, y: int, width: int) -> Strip:
        return self.line(f" {self.empty}" if y == 0 else "", width, "muted")
