"""The people of the practice itself: principals, managers, designers; one left, one new, one in the CRM only."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

from core.sandbox.seed.names import NamePool, person, place
from core.sandbox.seed.places import home_address
from core.sandbox.seed.words import WORLD_NAMES
from core.sandbox.seed.world import Employee

DOMAIN = "cedarstone.example.com"
#: Employee types of Ajera = employee roles of the CRM, by description.
TYPES = (
    "Principal",
    "Project Manager",
    "Project Architect",
    "Structural Engineer",
    "Civil Engineer",
    "Landscape Architect",
    "Designer",
    "Drafter",
    "Interior Designer",
    "Administrative",
)
_STAFF = TYPES[2:]


def make_employees(rng: Random, count: int, today: date) -> list[Employee]:
    """``count`` employees; the first are principals, the next managers, and the last three are the odd ones."""
    pool = NamePool(rng)
    principals = max(1, count // 10)
    managers = max(1, count // 4)
    made: list[Employee] = []
    for index in range(count):
        kind = _type(index, principals, managers)
        made.append(_employee(rng, pool, index, kind, today))
        made[-1].supervisor = made[index % principals] if index >= principals else None
    _odd_ones(made, rng, today)
    return made


def _type(index: int, principals: int, managers: int) -> str:
    if index < principals:
        return "Principal"
    if index < principals + managers:
        return "Project Manager"
    return _STAFF[index % len(_STAFF)]


def _employee(rng: Random, pool: NamePool, index: int, kind: str, today: date) -> Employee:
    if index % 9 == 8:
        first, middle, last = WORLD_NAMES[(index // 9) % len(WORLD_NAMES)]
        pool.take(f"{first}|{middle}|{last}", on_ajera=True)
    else:
        first, middle, last = pool.draw(person, on_ajera=True).split("|")
    plain = "".join(c for c in f"{first[:1]}{last}".lower() if c.isascii() and c.isalpha()) or "staff"
    hired = today - timedelta(days=rng.randrange(120, 6000))
    title = "Senior " + kind if kind in _STAFF and rng.random() < 0.3 else kind
    made = Employee("both", first, middle, last, title, kind, f"{plain}{index}@{DOMAIN}", f"{index + 1:05}", hired)
    made.principal, made.manager = kind == "Principal", kind in {"Principal", "Project Manager"}
    made.address = home_address(rng, place(rng))
    return made


def _odd_ones(made: list[Employee], rng: Random, today: date) -> None:
    if len(made) < 6:
        return
    left, new, crm_only = made[-1], made[-2], made[-3]
    left.case, left.terminated = "terminated", today - timedelta(days=rng.randrange(20, 400))
    new.case, new.on_crm = "only in Ajera", False
    crm_only.case, crm_only.on_ajera = "only in the CRM", False
