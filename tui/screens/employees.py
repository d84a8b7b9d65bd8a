"""The Employees hub."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from core.model.values import Kind
from tui.screens.hub import HubScreen


class EmployeesScreen(HubScreen):
    """Employees; they have no ticks: from Ajera 8.09 on they all go to the CRM."""

    PLACE = "employees"
    KIND = Kind.EMPLOYEE
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
