"""One choice of a list: enter takes it, escape leaves everything as it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from core.text import safe_line
from tui.formatting import fit
from tui.glyphs import glyphs
from tui.widgets.toast import toast

_NAME: int = 26


@dataclass(frozen=True, slots=True)
class Entry:
    """A line to choose: what is answered, its name, more about it; `wrong`: why it cannot be chosen."""

    id: str
    name: str
    more: str = ""
    wrong: str = ""


class Pick(ModalScreen[str | None]):
    """Answers the id of the line that was chosen, or None."""

    HELP = "Up and down choose a line, enter takes it, escape leaves everything as it is."
    DEFAULT_CSS = """
    Pick { align: center middle; background: $background 60%; }
    Pick:ansi { background: ansi_default; }
    Pick > #pick { width: 76; max-width: 96%; height: auto; max-height: 90%; background: $surface; border: solid $primary; padding: 0 1; }
    Pick.-ascii > #pick { border: ascii $primary; }
    Pick .pick-title { text-style: bold; margin-bottom: 1; height: auto; }
    Pick OptionList, Pick OptionList:focus { height: auto; max-height: 16; border: none; background: $surface; padding: 0; }
    Pick OptionList > .option-list--option-disabled { color: $foreground 75%; }
    Pick .pick-foot { color: $foreground 80%; margin-top: 1; height: auto; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", id="pick.cancel", tooltip="Leave everything as it is"),
        Binding("delete", "remove", "Forget", id="pick.remove", tooltip="Forget the line under the cursor"),
    ]

    def __init__(
        self, title: str, entries: Sequence[Entry], *, start: str = "", remove: Callable[[str], bool] | None = None
    ) -> None:
        """`remove` forgets a line for good and answers whether it could be."""
        super().__init__()
        self.title_text, self.entries, self.start, self._remove = title, list(entries), start, remove
        self.set_class(glyphs().name == "ascii", "-ascii")

    def compose(self) -> ComposeResult:
        with Vertical(id="pick"):
            yield Static(_plain(self.title_text), classes="pick-title", markup=False)
            yield OptionList(*(self._option(entry) for entry in self.entries), markup=False)
            foot = "enter takes it   escape cancels" + ("   delete forgets a saved one" if self._remove else "")
            yield Static(_plain(foot), classes="pick-foot", markup=False)

    def _option(self, entry: Entry) -> Option:
        more = entry.wrong or entry.more
        text = f"{fit(safe_line(entry.name, 60), _NAME)}  {safe_line(more, 200)}" if more else entry.name
        return Option(_plain(text), disabled=bool(entry.wrong))

    def on_mount(self) -> None:
        usable = [place for place, entry in enumerate(self.entries) if not entry.wrong]
        wanted = [place for place in usable if self.entries[place].id == self.start]
        if usable:
            self.query_one(OptionList).highlighted = (wanted or usable)[0]

    @on(OptionList.OptionSelected)
    def _taken(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.dismiss(self.entries[event.option_index].id)

    def action_remove(self) -> None:
        """Forget the line under the cursor."""
        options = self.query_one(OptionList)
        place = options.highlighted
        if place is None or self._remove is None:
            return
        if not self._remove(self.entries[place].id):
            toast(self.app, "This one is in the settings file: it is removed there.", "warning")
            return
        del self.entries[place]
        options.remove_option_at_index(place)
        if not self.entries:
            self.dismiss(None)

    def action_cancel(self) -> None:
        """Leave everything as it is."""
        self.dismiss(None)


def _plain(text: str) -> Content:
    return Content(glyphs().printable(safe_line(text, 400)))
