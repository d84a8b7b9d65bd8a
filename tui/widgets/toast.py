"""Messages that come and go. Record text in them is never markup: such a toast would silently not be shown.

What matters must stand in the log or the status line too: toasts vanish.
"""

from __future__ import annotations

from typing import Any, Literal

from textual.app import App

from core.text import safe_line
from tui.glyphs import glyphs


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
    app.notify(f"{words}{shown}", severity=severity, timeout=seconds, markup=False)
