"""Lines that tell the time: one timer for all clocks and countdowns, and nothing sent when nothing changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from textual.content import Content
from textual.widgets import Static

from core.text import safe_line
from tui.formatting import cut
from tui.glyphs import glyphs


def utc_now() -> datetime:
    """The time, aware."""
    return datetime.now(UTC)


class StatusLine(Static):
    """Lines of words made anew each second from the wall clock, so that a suspend does not make them lie.

    `words` gets the time and the width and answers one line, or several with line breaks. It is asked again by the
    timer, after a resize and by `refresh_words`, and must be quick.
    """

    DEFAULT_CSS = "StatusLine { height: auto; background: $panel; color: $foreground; }"

    def __init__(
        self,
        words: Callable[[datetime, int], str],
        *,
        now: Callable[[], datetime] = utc_now,
        every: float = 1.0,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        super().__init__("", markup=False, id=id, classes=classes)
        self._words, self._now, self._every = words, now, every
        self.shown = ""

    def on_mount(self) -> None:
        self.set_interval(self._every, self.refresh_words)
        self.refresh_words()

    def on_resize(self) -> None:
        self.refresh_words(resized=True)

    def refresh_words(self, *, resized: bool = False) -> None:
        """Ask for the words and show them if they changed. In a new width the old ones may have been wrapped, so the
        height is worked out anew."""
        width = self.size.width or self.app.size.width
        told = self._words(self._now(), width).split("\n")
        lines = "\n".join(cut(glyphs().printable(safe_line(line)), width) for line in told)
        if lines != self.shown:
            taller = lines.count("\n") != self.shown.count("\n")
            self.shown = lines
            self.update(Content(lines), layout=taller or resized)
