"""The theme: a list whose chosen line is shown at once; escape puts the old one back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tui.glyphs import glyphs
from tui.widgets.text_lines import shown


class ThemeChooser(ModalScreen[str | None]):
    """Answers the theme's name, or None after the old one was put back."""

    HELP = "Up and down show a theme at once, enter keeps it, escape puts the old one back."
    DEFAULT_CSS = """
    ThemeChooser { align: center middle; background: $background 40%; }
    ThemeChooser:ansi { background: ansi_default; }
    ThemeChooser > #themes { width: 44; max-width: 96%; height: auto; background: $surface; border: solid $primary; padding: 0 1; }
    ThemeChooser.-ascii > #themes { border: ascii $primary; }
    ThemeChooser .theme-title { text-style: bold; margin-bottom: 1; height: 1; }
    ThemeChooser OptionList { height: auto; max-height: 16; border: none; background: $surface; padding: 0; }
    ThemeChooser OptionList:focus { border: none; }
    ThemeChooser .theme-foot { color: $foreground 80%; margin-top: 1; height: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", id="theme.cancel", tooltip="Put the old theme back"),
    ]

    def __init__(self, names: Sequence[str], now: str) -> None:
        super().__init__()
        self.names, self.before = tuple(names), now
        self.set_class(glyphs().name == "ascii", "-ascii")

    def compose(self) -> ComposeResult:
        with Vertical(id="themes"):
            yield Static(Content("Theme"), classes="theme-title", markup=False)
            yield OptionList(
                *(Option(Content(shown(name.removeprefix("ajerasync-")))) for name in self.names), markup=False
            )
            yield Static(Content("enter keeps it   escape cancels"), classes="theme-foot", markup=False)

    def on_mount(self) -> None:
        if self.before in self.names:
            self.query_one(OptionList).highlighted = self.names.index(self.before)

    @on(OptionList.OptionHighlighted)
    def _highlighted(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        self.app.theme = self.names[event.option_index]

    @on(OptionList.OptionSelected)
    def _taken(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.dismiss(self.names[event.option_index])

    def action_cancel(self) -> None:
        """Put the old theme back."""
        self.app.theme = self.before
        self.dismiss(None)
