"""What is in force: every setting, the guards, the field map. The sync switch and the theme are changed here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget

from core.errors import AjerasyncError
from tui.modals.theme import ThemeChooser
from tui.screens.setting_lines import ENABLED, FIELDS, THEME, setting_detail, setting_sections
from tui.screens.split import SplitScreen
from tui.themes import THEMES
from tui.widgets.ask import Ask, Choice
from tui.widgets.filter import FilterBar
from tui.widgets.outline import Line, Outline
from tui.widgets.text_lines import TextLines
from tui.widgets.toast import toast

SETTINGS = Binding.Group("Settings")


class SettingsScreen(SplitScreen):
    """Place 9."""

    PLACE = "settings"
    FIELDS = FIELDS
    AUTO_FOCUS = "#settings"
    HELP = (
        "What is in force. Settings are changed in the settings file (8 shows where it is); the sync switch, the schedule "
        "and the theme here. Enter on a heading folds it; state:stopped in the filter shows the fields that were stopped."
    )
    FOOTER: ClassVar[Sequence[str]] = (
        "table.open", "hub.filter", "settings.enable", "settings.theme", "hub.back", "app.help", "outline.all", "app.plan",
        "app.log", "app.quit", "app.palette",
    )  # fmt: skip
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("E", "switch_sync", "Sync on/off", id="settings.enable", group=SETTINGS,
                tooltip="Enable Ajera Synchronization or switch it off; asks first"),
        Binding("T", "theme", "Theme", id="settings.theme", group=SETTINGS, tooltip="Choose a theme, shown at once"),
    ]  # fmt: skip

    def compose_list(self) -> Iterable[Widget]:
        yield Outline(empty="No settings.", id="settings")

    def compose_detail(self) -> Iterable[Widget]:
        yield TextLines(empty="Nothing chosen.", id="settings-detail")

    @property
    def outline(self) -> Outline:
        """The settings."""
        return self.query_one("#settings", Outline)

    @property
    def home(self) -> Widget:
        return self.outline

    # -- data ------------------------------------------------------------------------------------------------

    def reload(self) -> None:
        self.outline.set_sections(setting_sections(self.service, self.app.theme))
        self._show_note()
        self._show_detail()

    def _show_note(self) -> None:
        outline = self.outline
        self.query_one("#filter", FilterBar).note(f"{outline.shown_count:,} of {outline.entry_count:,}")

    def _show_detail(self) -> None:
        entry = self.outline.current
        data = entry.data if entry is not None else None

        def tell(width: int) -> Sequence[Line]:
            return setting_detail(self.service, data, width)

        self.query_one("#settings-detail", TextLines).show(tell)

    @on(Outline.Moved, "#settings")
    def _moved(self, event: Outline.Moved) -> None:
        event.stop()
        self._show_detail()

    @on(Outline.Chosen, "#settings")
    def _chosen(self, event: Outline.Chosen) -> None:
        event.stop()
        if event.entry.key == ENABLED:
            self.action_switch_sync()
        elif event.entry.key == THEME:
            self.action_theme()
        else:
            self.open_detail()

    @on(FilterBar.Changed, "#filter")
    def _filtered(self, event: FilterBar.Changed) -> None:
        event.stop()
        self.outline.set_filter(event.query)
        self._show_note()

    # -- acts ------------------------------------------------------------------------------------------------

    def action_switch_sync(self) -> None:
        """Ask, then switch the sync on or off."""
        on = not self.service.enabled
        if self.service.readonly:
            toast(self.app, "This program was started read-only.", "warning")
            return
        lines = (
            ["The schedule and R work again. Ticks and links are as they were."]
            if on
            else ["Nothing runs any more, by schedule or by hand, until it is switched on again.",
                  "A run that is going on ends. Ticks, links and history are kept."]
        )  # fmt: skip
        title = "Enable Ajera Synchronization?" if on else "Switch Ajera Synchronization off?"
        label = "Enable" if on else "Switch off"

        def answered(answer: str | None) -> None:
            if answer == "switch":
                self._switch(on)

        self.app.push_screen(Ask(title, lines, (Choice("switch", label, grave=not on),)), answered)

    def _switch(self, on: bool) -> None:
        try:
            self.service.set_enabled(on)
        except AjerasyncError as error:
            self.refused(error)
            return
        self.session.forget_status()
        self.refresh_header()
        self.reload()
        toast(self.app, "Ajera Synchronization is " + ("on." if on else "off: nothing runs."))

    def action_theme(self) -> None:
        """Choose a theme."""
        self.app.push_screen(ThemeChooser(tuple(THEMES), self.app.theme), self._theme_taken)

    def _theme_taken(self, name: str | None) -> None:
        if name is not None:
            self.app.choose_theme(name)  # type: ignore[attr-defined] # AjerasyncApp's own
        self.reload()

    def copy_text(self) -> tuple[str, str]:
        entry = self.outline.current
        return (entry.key, "the setting's name") if entry else ("", "")
