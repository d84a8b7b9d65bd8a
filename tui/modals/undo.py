"""What taking back a run would write, field by field, and what it cannot take back; nothing is done before the answer."""

from __future__ import annotations

from typing import Final

from tui.formatting import count
from tui.modals.told import ToldAsk
from tui.widgets.ask import Choice
from tui.widgets.text_lines import Teller

MANY: Final = 100  # so many are only begun after their number was typed


class UndoAsk(ToldAsk):
    """Answers "undo", or None. `changes` is how many there are, 0 leaves only Close."""

    HELP = "This is what the undo writes. w does it; escape leaves everything as it is. Arrows and page keys scroll."

    def __init__(self, title: str, tell: Teller, changes: int) -> None:
        choice = Choice("undo", f"Take back: {count(changes, 'change')}", key="w", does="takes it back")
        super().__init__(
            title,
            tell,
            (choice,) if changes else (),
            empty="Nothing is left to take back.",
            cancel="Cancel" if changes else "Close",
            retype=str(changes) if changes > MANY else "",
        )
