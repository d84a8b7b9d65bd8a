"""The alarm: the terminal's bell and title when runs fail or none ends well any more. Off by setting."""

from __future__ import annotations

from typing import Any

from textual.app import App

from core.text import safe_line

# Kept and put back with the title stack of xterm; a terminal without one ignores it.
_KEEP, _PUT_BACK = "\x1b[22;0t", "\x1b[23;0t"


class TerminalAlarm:
    """Rings once when it begins to be wrong, and again when something else is wrong."""

    def __init__(self, app: App[Any], *, bell: bool, title: bool) -> None:
        self._app, self._bell, self._title = app, bell, title
        self.wrong = ""

    def tell(self, wrong: str) -> None:
        """What is wrong now, in words; empty when nothing is."""
        if wrong == self.wrong:
            return
        before, self.wrong = self.wrong, wrong
        if wrong and self._bell:
            self._app.bell()
        if self._title:
            self._set_title(before, wrong)

    def _set_title(self, before: str, wrong: str) -> None:
        driver = self._app._driver  # noqa: SLF001 - there is no public name for it
        if driver is None:
            return
        if not wrong:
            driver.write(_PUT_BACK)
            return
        if not before:
            driver.write(_KEEP)
        driver.write(f"\x1b]2;{safe_line(f'! ajerasync: {wrong}', 120)}\x07")
