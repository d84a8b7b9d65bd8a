"""Progress in words and numbers: "writing 12 of 80 (15 %), about 40 s left". No spinner, no moving bar."""

from __future__ import annotations

from datetime import datetime

from textual.content import Content
from textual.widgets import Static

from core.text import safe_line
from tui.formatting import duration
from tui.glyphs import glyphs


def progress_words(what: str, done: int, total: int | None, started: datetime | None, now: datetime) -> str:
    """What is being done and how far it is; the time left once there is something to reckon with."""
    words = safe_line(what, 60)
    passed = (now - started).total_seconds() if started is not None else 0.0
    if not total:
        return f"{words} {done:,}" + (f", {duration(passed)} so far" if started is not None else "")
    words += f" {done:,} of {total:,} ({100 * min(done, total) // total} %)"
    if done >= total:
        return words + (f", took {duration(passed)}" if started is not None else "")
    if done > 0 and passed >= 2:
        words += f", about {duration(round(passed / done * (total - done)))} left"
    return words


class ProgressLine(Static):
    """One line, empty when nothing goes on; sends nothing unless the words changed."""

    DEFAULT_CSS = "ProgressLine { height: 1; color: $foreground; }"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__("", markup=False, id=id, classes=classes)
        self.shown = ""

    def show(self, words: str) -> None:
        """Show these words, or nothing."""
        line = glyphs().printable(safe_line(words))
        if line != self.shown:
            self.shown = line
            self.update(Content(line), layout=False)
