"""What every edit of the life simulator needs: the two systems, a way to choose a record, fresh names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from random import Random
from typing import Any, TypeVar

from core.sandbox.ajera.data import AjeraData
from core.sandbox.crm.data import CrmData
from core.sandbox.seed.names import FIRM_FORMS, person, place, project
from core.sandbox.seed.places import Address, home_address

Edit = dict[str, Any]
Key = TypeVar("Key", int, str)
CRM_USERS = ("jsmith", "mlopez", "kchen")


class Desk:
    """Where people sit: chooses records in a fixed order, so that a seed number decides everything."""

    def __init__(self, ajera: AjeraData, crm: CrmData, rng: Random, clock: Callable[[], datetime]) -> None:
        self.ajera, self.crm, self.rng, self._clock = ajera, crm, rng, clock

    @property
    def today(self) -> date:
        return self._clock().date()

    def pick(self, rows: Mapping[Key, Mapping[str, Any]], fits: Callable[[Mapping[str, Any]], bool]) -> Key | None:
        """The key of a record that fits, or None. A few draws first: a large table is not read for one edit."""
        keys = list(rows)
        for key in (self.rng.choice(keys) for _ in range(8 if keys else 0)):
            if fits(rows[key]):
                return key
        fitting = [key for key in keys if fits(rows[key])]
        return self.rng.choice(fitting) if fitting else None

    def edit_ajera(self, table: str, key: int | None, what: str, changes: dict[str, Any]) -> Edit | None:
        """Save changes in Ajera."""
        if key is None:
            return None
        self.ajera.edit(table, key, changes)
        return told("ajera", table, key, what, changes)

    def edit_crm(self, table: str, key: str | None, what: str, changes: dict[str, Any]) -> Edit | None:
        """Save changes in the CRM as one of its users."""
        if key is None:
            return None
        self.crm.edit(table, key, changes, self.user())
        return told("crm", table, key, what, changes)

    def user(self) -> str:
        return self.rng.choice(CRM_USERS)

    def address(self) -> Address:
        return home_address(self.rng, place(self.rng))

    def firm_name(self) -> str:
        """A name that no firm of either system has."""
        taken = {row["Name"].casefold() for row in self.crm.tables["firm"].values()}
        taken |= {row["Description"].casefold() for row in self.ajera.tables["clients"].values()}
        return self._fresh(lambda rng: FIRM_FORMS[rng.choice(tuple(FIRM_FORMS))](rng), taken)

    def project_name(self) -> str:
        """A name that no project of either system has."""
        taken = {(row["LongName"] or row["Name"]).casefold() for row in self.crm.tables["project"].values()}
        taken |= {row["Description"].casefold() for row in self.ajera.tables["projects"].values()}
        return self._fresh(project, taken)

    def person_name(self) -> tuple[str, str, str]:
        """First, middle and last name that nobody has in either system; Ajera insists on that."""
        people: list[Mapping[str, Any]] = [
            *self.crm.tables["contact"].values(),
            *self.ajera.tables["contacts"].values(),
        ]
        taken = {f"{p['FirstName']}|{p['MiddleName']}|{p['LastName']}".casefold() for p in people}
        first, middle, last = self._fresh(person, taken).split("|")
        return first, middle, last

    def project_number(self) -> str:
        """``YYYY-NNN``, one above the highest of this year in either system."""
        year = self.today.year
        numbers = (*self.crm.tables["project"], *(p["ID"] for p in self.ajera.tables["projects"].values()))
        return f"{year}-{highest(numbers, f'{year}-') + 1:03}"

    def _fresh(self, draw: Callable[[Random], str], taken: set[str]) -> str:
        name = draw(self.rng)
        while name.casefold() in taken:
            name = f"{name} {self.rng.randrange(2, 1000)}" if self.rng.random() < 0.2 else draw(self.rng)
        return name


Act = Callable[[Desk], Edit | None]


def told(side: str, table: str, key: int | str, what: str, changes: Mapping[str, Any]) -> Edit:
    """An edit in plain JSON values; money and hours as text."""
    plain = {name: str(value) if isinstance(value, Decimal) else value for name, value in changes.items()}
    return {"side": side, "table": table, "key": str(key), "what": what, "changes": plain}


def highest(numbers: Iterable[str], prefix: str) -> int:
    """The highest number after a prefix, 0 if none."""
    tails = (n.removeprefix(prefix) for n in numbers if n.startswith(prefix))
    return max((int(t) for t in tails if t.isascii() and t.isdigit()), default=0)
