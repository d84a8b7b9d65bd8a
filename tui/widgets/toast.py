"""Messages that come and go. Record text in them is never markup: such a toast would silently not be shown.

What matters must stand in the log or the status line too: toasts vanish.
"""

from __future__ import annotations

from typing import Any, Final, Literal

from textual.app import App
from textual.notifications import Notification, Notify

from core.text import safe_line
from tui.glyphs import glyphs

LEAST_SECONDS: Final = 0.05


class Passing(Notification):
    """A message that is on the screen for a moment at least.

    Textual 8.2 looks whether a message is over, and asks for the time left when it makes the toast. Where the message ends
    between the two, as when another screen is opened just then, a timer starts with less than nothing, goes round without
    end, and the program answers no more.
    """

    @property
    def time_left(self) -> float:
        return max(LEAST_SECONDS, super().time_left)

    @property
    def has_expired(self) -> bool:
        return super().time_left <= 0


def toast(
    app: App[Any],
    text: object,
    severity: Literal["information", "warning", "error"] = "information",
    *,
    seconds: float | None = None,
) -> None:
    """Show a short message; line breaks of ours are kept, everything of a record's is made harmless."""
    lines = [glyphs().printable(safe_line(line, 300)) for line in str(text).split("\n")[:8]]
    shown = "\n".join(lines)
    words = {"warning": "warning: ", "error": "error: "}.get(severity, "")  # said, not only coloured
    lasts = app.NOTIFICATION_TIMEOUT if seconds is None else seconds
    app.post_message(Notify(Passing(f"{words}{shown}", severity=severity, timeout=lasts)))
