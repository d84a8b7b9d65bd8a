"""Which columns a list shows: space shows or hides one, enter keeps the choice."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from core.text import safe_line
from tui.glyphs import glyphs
from tui.widgets.columns import Column


class ColumnChooser(ModalScreen[tuple[str, ...] | None]):
    """Answers the ids of the hidden columns, or None. The first column names the record and stays."""

    HELP = "Space shows or hides the column under the cursor, enter keeps the choice, escape leaves it as it was."
    DEFAULT_CSS = """
    ColumnChooser { align: center middle; background: $background 60%; }
    ColumnChooser:ansi { background: ansi_default; }
    ColumnChooser > #columns { width: 52; max-width: 96%; height: auto; background: $surface; border: solid $primary; padding: 0 1; }
    ColumnChooser.-ascii > #columns { border: ascii $primary; }
    ColumnChooser .columns-title { text-style: bold; margin-bottom: 1; height: 1; }
    ColumnChooser OptionList, ColumnChooser OptionList:focus { height: auto; border: none; background: $surface; padding: 0; }
    ColumnChooser .columns-foot { color: $foreground 80%; margin-top: 1; height: auto; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "turn", "Show/hide", id="columns.turn", tooltip="Show or hide this column"),
        Binding("enter", "keep", "Keep", id="columns.keep", priority=True, tooltip="Keep this choice"),
        Binding("escape", "cancel", "Cancel", id="columns.cancel", tooltip="Leave it as it was"),
    ]

    def __init__(self, columns: Sequence[Column], hidden: Collection[str]) -> None:
        super().__init__()
        self.columns, self.hidden = tuple(columns), set(hidden)
        self.set_class(glyphs().name == "ascii", "-ascii")

    def compose(self) -> ComposeResult:
        with Vertical(id="columns"):
            yield Static(Content("Columns"), classes="columns-title", markup=False)
            yield OptionList(*(Option(self._text(place)) for place in range(len(self.columns))), markup=False)
            foot = "space shows or hides   enter keeps   escape cancels"
            yield Static(Content(foot), classes="columns-foot", markup=False)

    def _text(self, place: int) -> Content:
        column = self.columns[place]
        box = "[x]" if column.id not in self.hidden else "[ ]"
        always = "  (always shown)" if place == 0 else ""
        return Content(glyphs().printable(f"{box} {safe_line(column.label, 30)}{always}"))

    def action_turn(self) -> None:
        """Show or hide the column under the cursor."""
        options = self.query_one(OptionList)
        place = options.highlighted
        if place:  # not the first one
            self.hidden ^= {self.columns[place].id}
            options.replace_option_prompt_at_index(place, self._text(place))

    def action_keep(self) -> None:
        """Keep this choice."""
        self.dismiss(tuple(column.id for column in self.columns if column.id in self.hidden))

    def action_cancel(self) -> None:
        """Leave it as it was."""
        self.dismiss(None)
