"""The line that filters the log panel under a place: as it is typed; enter keeps it, escape takes it away."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widgets import Input

from tui.widgets.filter import QuietInput
from tui.widgets.log_panel import LogPanel


class LogFind(QuietInput):
    """Stands over its panel while it is typed in or holds something."""

    HELP = "Words, level:error, !word for without. Enter keeps the filter and goes to the log, escape takes it away."
    DEFAULT_CSS = """
    LogFind, LogFind:focus { display: none; background: $panel; }
    LogFind.-shown, LogFind.-shown:focus { display: block; }
    LogFind.-wrong { color: $error; text-style: bold; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "drop", "Show all", show=False, id="log.find-drop", tooltip="Take the filter away"),
        Binding("down", "keep", "Keep", show=False, id="log.find-keep", tooltip="Keep the filter, go to the log"),
    ]

    def __init__(self, panel: LogPanel, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(placeholder="filter the log: words, level:error", id=id)
        self._panel = panel

    def open(self) -> None:
        """Show the line, the cursor in it."""
        self.add_class("-shown")
        self.screen.set_focus(self)

    def follow_panel(self) -> None:
        """Shown where the panel is and something stands in the line."""
        self.set_class(self._panel.display and bool(self.value), "-shown")

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self.set_class(not self._panel.set_filter(event.value), "-wrong")

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_keep()

    def action_keep(self) -> None:
        """Keep the filter, go to the log."""
        self.screen.set_focus(self._panel)
        self.follow_panel()

    def action_drop(self) -> None:
        """Take the filter away, go to the log."""
        self.value = ""
        self._panel.set_filter("")
        self.action_keep()
