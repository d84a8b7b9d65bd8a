"""A value typed by hand: both systems' values in sight, mistakes explained where they were typed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tui.glyphs import glyphs
from tui.widgets.filter import QuietInput
from tui.widgets.text_lines import shown


class ValueAsk(ModalScreen[str | None]):
    """Asks for a value and hands it to `attempt`, which answers what is wrong with it, or nothing.

    Dismissed with the value that was taken, or None. Enter is the only key that takes it.
    """

    HELP = "Type the value, enter takes it, escape leaves everything as it is."
    AUTO_FOCUS = "#value"
    DEFAULT_CSS = """
    ValueAsk { align: center middle; background: $background 60%; }
    ValueAsk:ansi { background: ansi_default; }
    ValueAsk > #value-ask { width: 76; max-width: 96%; height: auto; max-height: 92%; background: $surface; border: solid $primary; padding: 0 1; }
    ValueAsk.-ascii > #value-ask { border: ascii $primary; }
    ValueAsk Static { height: auto; }
    ValueAsk #value-title { text-style: bold; margin-bottom: 1; }
    ValueAsk QuietInput { background: $panel; margin-top: 1; }
    ValueAsk #value-wrong { color: $error; text-style: bold; margin-top: 1; display: none; }
    ValueAsk #value-foot { color: $foreground 80%; margin-top: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", id="value.cancel", tooltip="Leave it as it is"),
    ]

    def __init__(self, title: str, lines: Sequence[str], start: str, attempt: Callable[[str], str]) -> None:
        super().__init__()
        self.title_text, self.lines, self.start, self.attempt = title, tuple(lines), start, attempt
        self.set_class(glyphs().name == "ascii", "-ascii")

    def compose(self) -> ComposeResult:
        with Vertical(id="value-ask"):
            yield Static(Content(shown(self.title_text)), id="value-title", markup=False)
            for line in self.lines:
                yield Static(Content(shown(line)), markup=False)
            yield QuietInput(self.start, id="value")
            yield Static("", id="value-wrong", markup=False)
            yield Static(Content("enter takes it   escape cancels"), id="value-foot", markup=False)

    @on(Input.Submitted, "#value")
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        wrong = self.attempt(event.value)
        if not wrong:
            self.dismiss(event.value)
            return
        told = self.query_one("#value-wrong", Static)
        told.update(Content(shown(wrong)))
        told.display = True

    def action_cancel(self) -> None:
        """Leave it as it is."""
        self.dismiss(None)
