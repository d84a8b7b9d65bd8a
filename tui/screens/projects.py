"""The Projects hub."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from core.model.values import Kind
from tui.screens.hub import RECORD, HubScreen


class ProjectsScreen(HubScreen):
    """Projects, with contacts, team, budget, dates and Ajera's totals."""

    PLACE = "projects"
    KIND = Kind.PROJECT
    EMPTY = (
        "No projects in the CRM yet.\n\nMake one there, then p reads both systems. What is only in Ajera is shown by o."
    )
    HELP = (
        "Projects of both systems. Space ticks a project, t chooses the Ajera template it is created from. Its client "
        "goes along. Enter opens the tabs."
    )
    FOOTER: ClassVar[Sequence[str]] = (
        *HubScreen.FOOTER[:3], "hub.template", *HubScreen.FOOTER[3:],
    )  # fmt: skip
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "template", "Template", id="hub.template", group=RECORD,
                tooltip="Choose the Ajera Project Template of this project"),
    ]  # fmt: skip

    def action_template(self) -> None:
        """Choose the template."""
        self.ask_template()
