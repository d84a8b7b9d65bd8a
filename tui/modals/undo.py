"""What taking back a run would write, field by field, and what it cannot take back; nothing is done before the answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from textual.app import ComposeResult

from tui.formatting import count
from tui.widgets.ask import Ask, Choice
from tui.widgets.text_lines import Line, TextLines

MANY: Final = 100  # so many writes are only begun after their number was typed


class UndoAsk(Ask):
    """Answers "undo", or None. `tell` makes the lines; `writes` is how many writes they are, 0 leaves only Close."""

    HELP = "This is what the undo writes. w does it; escape leaves everything as it is. Page keys and arrows scroll."
    DEFAULT_CSS = """
    UndoAsk > #ask { width: 100; }
    UndoAsk #ask-body { height: 60vh; max-height: 60vh; }
    UndoAsk.-retyping #ask-body { height: 44vh; max-height: 44vh; }
    UndoAsk TextLines { height: 100%; }
    """

    def __init__(self, title: str, tell: Callable[[int], Sequence[Line]], writes: int) -> None:
        choice = Choice("undo", f"Take back: {count(writes, 'change')}", key="w", does="takes it back")
        super().__init__(
            title,
            (),
            (choice,) if writes else (),
            cancel="Cancel" if writes else "Close",
            retype=str(writes) if writes > MANY else "",
        )
        self._tell = tell

    def compose_body(self) -> ComposeResult:
        yield TextLines(self._tell, empty="Nothing is left to take back.", id="undo-lines")

    def _foot(self) -> str:
        return f"{super()._foot()}   page keys scroll"

    def action_scroll_body(self, pages: int) -> None:
        """A page of the lines up or down."""
        self.query_one(TextLines).action_page(pages)
