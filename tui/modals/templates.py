"""The Ajera Project Template of a project: a list to choose from, those Ajera refuses shown with the reason."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from core.engine.views import TemplateChoice
from core.text import safe_line
from tui.formatting import fit, wrap
from tui.glyphs import glyphs

_NAME = 28


class TemplateChooser(ModalScreen[str | None]):
    """Answers the template's text, or None."""

    HELP = "Up and down choose a template, enter takes it, escape leaves the project as it is."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", id="template.cancel", tooltip="Leave it as it is"),
    ]

    def __init__(
        self, project: str, choices: Sequence[TemplateChoice], chosen: str | None, default: str | None
    ) -> None:
        super().__init__()
        self.project, self.choices = project, tuple(choices)
        self.chosen, self.default = chosen, default
        self.set_class(glyphs().name == "ascii", "-ascii")

    def compose(self) -> ComposeResult:
        with Vertical(id="chooser"):
            yield Static(_plain(f"Ajera Project Template of {self.project}"), classes="chooser-title", markup=False)
            yield OptionList(*(self._option(choice) for choice in self.choices), id="choices", markup=False)
            foot = "enter takes it   escape cancels" if self.choices else "The CRM's list of templates is empty."
            yield Static(Content(foot), classes="chooser-foot", markup=False)

    def _option(self, choice: TemplateChoice) -> Option:
        mark = glyphs().ticked if choice.text == self.chosen else glyphs().unticked
        note = choice.refusal or ("default" if choice.text == self.default else "")
        lead = f"{mark} {fit(safe_line(choice.text, 60), _NAME)}  "
        room = max(20, min(76, self.app.size.width * 96 // 100) - 6 - cell_len(lead))
        told = wrap(safe_line(note, 300), room) if note else [""]
        lines = [(lead if not place else " " * cell_len(lead)) + line for place, line in enumerate(told)]
        return Option(
            Content("\n".join(glyphs().printable(line) for line in lines)), disabled=choice.refusal is not None
        )

    def on_mount(self) -> None:
        choices = self.query_one(OptionList)
        usable = [i for i, choice in enumerate(self.choices) if choice.refusal is None]
        wanted = [i for i in usable if self.choices[i].text in (self.chosen, self.default)]
        if usable:
            choices.highlighted = (wanted or usable)[0]

    @on(OptionList.OptionSelected)
    def _taken(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.dismiss(self.choices[event.option_index].text)

    def action_cancel(self) -> None:
        """Leave it as it is."""
        self.dismiss(None)


def _plain(text: str) -> Content:
    return Content(glyphs().printable(safe_line(text)))
