"""The run log as it is written: follows, filters by level and text, finds trouble, holds still."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from tui.screens.base import PlaceScreen
from tui.widgets.filter import FilterBar
from tui.widgets.log_panel import LogPanel

LIST = Binding.Group("List")


class LogScreen(PlaceScreen):
    """Place 7."""

    PLACE = "log"
    LOG_PANEL = False
    AUTO_FOCUS = "#log"
    FOOTER: ClassVar[Sequence[str]] = (
        "log.follow", "log.level", "hub.filter", "log.next", "log.hold", "app.help", "app.quit", "app.plan", "app.run",
        "app.palette",
    )  # fmt: skip
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter", id="hub.filter", key_display="/", group=LIST,
                tooltip="Filter as you type: words, level:error, !word for without"),
        Binding("escape", "back", "Back", id="hub.back", group=LIST, tooltip="Back to the lines; there: clear the filter"),
    ]  # fmt: skip
    DEFAULT_CSS = """
    LogScreen #log { height: 1fr; }
    LogScreen #log-state { height: 1; background: $panel; color: $foreground; padding: 0 1; }
    """

    def compose_body(self) -> Iterable[Widget]:
        yield FilterBar(("level",), id="filter")
        yield LogPanel(id="log")
        yield Static("", id="log-state", markup=False)

    @property
    def panel(self) -> LogPanel:
        """The lines."""
        return self.query_one("#log", LogPanel)

    def focus_home(self) -> None:
        self.set_focus(self.panel)

    def reload(self) -> None:
        if not self.panel.line_count:  # what is there already is shown at once, not with the next batch
            self.panel.show_waiting()
        self._show_state()

    @on(LogPanel.StateChanged, "#log")
    def _state_changed(self, event: LogPanel.StateChanged) -> None:
        event.stop()
        self._show_state()

    def _show_state(self) -> None:
        self.query_one("#log-state", Static).update(Content(self.panel.state_text), layout=False)

    @on(LogPanel.FindRequested, "#log")
    def _find(self, event: LogPanel.FindRequested) -> None:
        event.stop()
        self.action_filter()

    @on(FilterBar.Changed, "#filter")
    def _filtered(self, event: FilterBar.Changed) -> None:
        event.stop()
        self.panel.set_filter(event.query)

    @on(FilterBar.Left, "#filter")
    def _filter_left(self, event: FilterBar.Left) -> None:
        event.stop()
        self.focus_home()

    def action_filter(self) -> None:
        """To the filter line."""
        self.query_one("#filter", FilterBar).focus_line()

    def action_back(self) -> None:
        """To the lines; from there the filter is cleared."""
        bar = self.query_one("#filter", FilterBar)
        if self.focused is self.panel and bar.value:
            bar.set_value("")
        self.focus_home()
