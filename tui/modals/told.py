"""A question with more to read than fits: lines that scroll between the title and the answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from tui.widgets.ask import Ask, Choice
from tui.widgets.text_lines import Teller, TextLines


class ToldAsk(Ask):
    """Answers as `Ask` does. `tell` makes the lines for the width there is; `empty` stands where there are none."""

    DEFAULT_CSS = """
    ToldAsk > #ask { width: 110; }
    ToldAsk #ask-body { height: 60vh; max-height: 60vh; }
    ToldAsk.-retyping #ask-body { height: 44vh; max-height: 44vh; }
    ToldAsk TextLines { height: 100%; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "scroll_line(1)", "Down", show=False, id="ask.down"),
        Binding("up", "scroll_line(-1)", "Up", show=False, id="ask.up"),
    ]

    def __init__(
        self, title: str, tell: Teller, choices: Sequence[Choice], *, empty: str = "", cancel: str, retype: str = ""
    ) -> None:
        super().__init__(title, (), choices, cancel=cancel, retype=retype)
        self._tell, self._empty = tell, empty

    def compose_body(self) -> ComposeResult:
        lines = TextLines(self._tell, empty=self._empty, id="told-lines")
        lines.can_focus = False  # tab goes from answer to answer
        yield lines

    def _foot(self) -> str:
        return f"{super()._foot()}   page keys scroll"

    def action_scroll_body(self, pages: int) -> None:
        """A page of the lines up or down."""
        self.query_one(TextLines).action_page(pages)

    def action_scroll_line(self, lines: int) -> None:
        """A line up or down."""
        self.query_one(TextLines).action_move(lines)
