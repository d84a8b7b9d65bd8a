"""The Employees hub."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from core.model.values import Kind
from tui.screens.hub import HubScreen
from tui.screens.hub_rows import HubView


class EmployeesScreen(HubScreen):
    """Employees; they have no ticks: from Ajera 8.09 on they all go to the CRM."""

    PLACE = "employees"
    KIND = Kind.EMPLOYEE
    START_VIEW = HubView.ALL
    EMPTY = "No employees yet.\n\np reads both systems; Ajera's active employees go to the CRM by themselves."
    ONE_WAY = "No employees are kept in step.\n\nBefore Ajera 8.09 data goes one way, from the CRM to Ajera: firms, contacts, projects."
    HELP = "Employees of both systems. They are not ticked: Ajera's employees go to the CRM by themselves."
    FOOTER: ClassVar[Sequence[str]] = (
        "hub.filter",
        "table.open",
        "hub.back",
        "app.plan",
        "app.run",
        "app.log",
        "app.help",
        "app.quit",
        "app.palette",
    )

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """All employees show, and they have no ticks."""
        if action in ("next_view", "undo", "redo", "term"):
            return False
        return super().check_action(action, parameters)

    def _empty_words(self) -> str:
        words = super()._empty_words()
        mode = self.session.status.mode
        return self.ONE_WAY if words == self.EMPTY and mode is not None and mode.one_way else words
