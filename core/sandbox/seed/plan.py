"""The order in which a world is made, so that it depends on the seed number and the counts alone."""

from __future__ import annotations

from datetime import date
from random import Random

from core.sandbox.seed.contacts import FULL_FIRM, ContactMaker
from core.sandbox.seed.employees import make_employees
from core.sandbox.seed.firms import FirmMaker
from core.sandbox.seed.projects import ProjectMaker
from core.sandbox.seed.world import World

#: Fewest contacts that hold a firm of six and a quarter of pairs.
LEAST_CONTACTS = FULL_FIRM + 2


def make_world(*, firms: int, contacts: int, projects: int, employees: int, seed: int, today: date) -> World:
    """All records as values. Counts from 1 to 7 contacts become 8, as one firm always has six; 0 stays 0."""
    world = World()
    if firms and contacts:
        contacts = max(contacts, LEAST_CONTACTS)
    world.employees = make_employees(Random(f"{seed}:employees"), employees, today)
    world.firms = FirmMaker(Random(f"{seed}:firms")).make(firms)
    world.contacts = ContactMaker(Random(f"{seed}:contacts"), world.firms).make(contacts)
    world.projects = ProjectMaker(Random(f"{seed}:projects"), world, today).make(projects)
    return world
