"""Text told in lines: made anew for the width there is, scrolled, never markup."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.strip import Strip

from core.text import safe_line
from tui.formatting import fit, wrap
from tui.glyphs import glyphs
from tui.widgets.line_view import LineView

Line = tuple[str, str]
"""Text, and a style of `LineView` ("" is plain)."""

Teller = Callable[[int], Sequence[Line]]
"""The lines for a width in cells."""

_VALUE_LINES = 8


def shown(text: object, limit: int = 2_000) -> str:
    """Outside text in one harmless line, as this terminal can show it."""
    return glyphs().printable(safe_line(text, limit))


def labelled(label: str, text: str, width: int, *, room: int = 14, style: str = "", indent: int = 1) -> list[Line]:
    """ "Label         text", the text wrapped under itself; the text is made harmless here."""
    lead = " " * indent + fit(shown(label, 60), room) + " "
    parts = wrap(shown(text), max(8, width - len(lead)), _VALUE_LINES)
    return [(lead + parts[0], style), *((" " * len(lead) + part, style) for part in parts[1:])]


def paragraph(text: str, width: int, *, style: str = "", indent: int = 1, limit: int = 12) -> list[Line]:
    """A sentence or more, wrapped; made harmless here."""
    return [(" " * indent + part, style) for part in wrap(shown(text, 4_000), max(8, width - indent), limit)]


class TextLines(LineView):
    """Shows what a teller tells."""

    HELP = "Up, down and the page keys scroll."

    def __init__(
        self,
        tell: Teller = lambda _width: (),
        *,
        empty: str = "",
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.empty = empty
        self._tell = tell
        self._lines: Sequence[Line] = ()

    @property
    def line_count(self) -> int:
        return len(self._lines)

    @property
    def text(self) -> str:
        """Everything, for those who read it elsewhere."""
        return "\n".join(text for text, _ in self._lines)

    def show(self, tell: Teller, *, keep_place: bool = False) -> None:
        """Tell something else, from the top."""
        self._tell = tell
        if not keep_place:
            self.scroll_now(0)
        self.retell()

    def retell(self) -> None:
        """Ask for the lines again; sends nothing when they are the same."""
        width = self.line_width
        lines = list(self._tell(width - 1)) if width > 0 else []  # a cell free at the right edge
        if lines != self._lines:
            self._lines = lines
            self.fit_lines()
            self.forget_painted()

    def on_mount(self) -> None:
        self.retell()

    def on_resize(self) -> None:
        self.retell()

    def paint(self, index: int, width: int) -> Strip:
        text, style = self._lines[index]
        return self.line(text, width, style)

    def paint_empty(self, y: int, width: int) -> Strip:
        return self.said(y, self.empty, width, 0)
