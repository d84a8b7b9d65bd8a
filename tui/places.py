"""The places of the program, one key each. A place appears when its module is there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from tui.screens.base import PlaceScreen


@dataclass(frozen=True, slots=True)
class PlaceEntry:
    """A place: its id (also the name of its mode), its key, its label (`short` where room is scarce), its module and class, the queues it shows.

    `queues` are names of `Status.queues`; their sum is the number behind the label.
    """

    id: str
    key: str
    label: str
    module: str
    screen: str
    queues: tuple[str, ...] = ()
    short: str = ""
    about: str = ""

    @property
    def present(self) -> bool:
        """Whether its module is there."""
        return find_spec(self.module) is not None

    def make(self) -> PlaceScreen:
        """A screen of this place; the module is imported now, not at the start of the program."""
        made = cast("Callable[[], PlaceScreen]", getattr(import_module(self.module), self.screen))
        return made()


PLACES: Final = (
    PlaceEntry(
        "firms",
        "1",
        "Firms",
        "tui.screens.firms",
        "FirmsScreen",
        about="The firms and their contacts: tick them, look at both sides",
    ),
    PlaceEntry(
        "projects",
        "2",
        "Projects",
        "tui.screens.projects",
        "ProjectsScreen",
        short="Proj",
        about="The projects: tick them, choose templates, see team and money",
    ),
    PlaceEntry(
        "employees",
        "3",
        "Employees",
        "tui.screens.employees",
        "EmployeesScreen",
        short="Empl",
        about="The employees of both systems",
    ),
    PlaceEntry("plan", "4", "Plan", "tui.screens.plan", "PlanScreen", about="What a run would do, field by field"),
    PlaceEntry(
        "inbox",
        "5",
        "Inbox",
        "tui.screens.inbox",
        "InboxScreen",
        ("conflicts", "candidates", "differences", "drift", "errors", "refused"),
        about="What waits for an answer: conflicts, possible twins, errors",
    ),
    PlaceEntry("runs", "6", "Runs", "tui.screens.runs", "RunsScreen", about="The runs and what each of them did"),
    PlaceEntry("log", "7", "Log", "tui.screens.log", "LogScreen", about="The run log, followed as it is written"),
    PlaceEntry(
        "schedule",
        "8",
        "Schedule",
        "tui.screens.schedule",
        "ScheduleScreen",
        short="Sched",
        about="When runs are due, and the health of everything",
    ),
    PlaceEntry(
        "settings",
        "9",
        "Settings",
        "tui.screens.settings",
        "SettingsScreen",
        short="Set",
        about="What is in force and where it comes from",
    ),
)


@cache
def present_places() -> tuple[PlaceEntry, ...]:
    """The places whose modules are there."""
    return tuple(place for place in PLACES if place.present)
