"""Names that are unique unless a record means to share one, and that stay apart from those of the other system.

A name given to a record that is to be *created* by a test or an operator must not look like a record of the other
system: any syncer worth its name would offer that as a candidate instead of creating. So clean names are drawn again
while they come close to a name in ``others``; above :data:`CLOSE_LIMIT` names that check is given up (names out of
finite word lists are then near each other whatever one does) and only equality is avoided.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from rapidfuzz import fuzz, process
from rapidfuzz.distance import JaroWinkler

from core.sandbox.seed import words

CLOSE_LIMIT = 1500
#: By letters in any order of words, and by how it begins: either is enough to look alike.
CLOSE_LETTERS, CLOSE_START = 80.0, 0.90
TRIES = 25
Draw = Callable[[Random], str]


def loosely(name: str) -> str:
    """A name without case; of a person without the middle name, which people leave out."""
    first, bar, rest = name.casefold().partition("|")
    return f"{first} {rest.rpartition('|')[2]}" if bar else first


class NamePool:
    """The names of one kind that are taken, compared without case; a person's is ``First|Middle|Last``."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._taken: set[str] = set()
        self._loose: set[str] = set()
        self.others: list[str] = []

    def take(self, name: str, *, on_ajera: bool) -> str:
        """Note a name that a record means to have, unique or not."""
        self._taken.add(name.casefold())
        self._loose.add(loosely(name))
        if on_ajera:
            self.others.append(loosely(name))
        return name

    def is_free(self, *names: str) -> bool:
        """Whether nobody has any of these names."""
        return not any(name.casefold() in self._taken for name in names)

    def draw(self, draw: Draw, *, on_ajera: bool, apart: bool = False) -> str:
        """A new unique name; ``apart`` also keeps it away from everything Ajera holds."""
        name = draw(self._rng)
        for attempt in range(TRIES * 8):
            taken = loosely(name) in self._loose if apart else name.casefold() in self._taken
            if not taken and not (apart and attempt < TRIES and self._is_close(name)):
                return self.take(name, on_ajera=on_ajera)
            name = draw(self._rng)
        return self.take(self._numbered(name), on_ajera=on_ajera)

    def _is_close(self, name: str) -> bool:
        if len(self.others) > CLOSE_LIMIT:
            return False
        own, others = loosely(name), self.others
        letters = process.extractOne(own, others, scorer=fuzz.token_sort_ratio, score_cutoff=CLOSE_LETTERS)
        start = process.extractOne(own, others, scorer=JaroWinkler.similarity, score_cutoff=CLOSE_START)
        return letters is not None or start is not None

    def _numbered(self, name: str) -> str:
        number = 2
        while f"{name} {number}".casefold() in self._taken:
            number += self._rng.randrange(1, 50)
        return f"{name} {number}"


def place(rng: Random) -> str:
    """A made-up town."""
    return rng.choice(words.PLACE_HEADS) + rng.choice(words.PLACE_TAILS)


def _city(rng: Random) -> str:
    form = rng.choice(("City of {}", "Town of {}", "{} County", "{} Public Works Department", "{} Port Authority"))
    return form.format(place(rng))


def _utility(rng: Random) -> str:
    form = rng.choice(("{} Water District", "{} Electric Cooperative", "{} Sanitary District", "{} Municipal Light"))
    return form.format(place(rng))


def _school(rng: Random) -> str:
    form = rng.choice(("{} Unified School District", "{} Public Schools", "{} Academy", "{} Charter School"))
    return form.format(place(rng))


def _college(rng: Random) -> str:
    form = rng.choice(("{} State University", "{} College", "University of {}", "{} Institute of Technology"))
    return form.format(place(rng))


def _health(rng: Random) -> str:
    form = rng.choice(("{} Medical Center", "{} Health System", "{} Community Hospital", "{} Children's Clinic"))
    return form.format(place(rng))


def _developer(rng: Random) -> str:
    form = rng.choice(("{a} {b} Development LLC", "{a} {c} Properties", "{b} {a} Partners", "{c} & {d} Realty Trust"))
    return _brand(form, rng)


def _commercial(rng: Random) -> str:
    form = rng.choice(("{a} {b} Inc.", "{a} Foods of {p}", "{c}, {d} & Co.", "{a} {b} Logistics", "{b} Bank of {p}"))
    return _brand(form, rng)


def _design(rng: Random) -> str:
    form = rng.choice(("{c} {d} Architects", "{a} {b} Engineers, P.C.", "{c} + {d} Studio", "{a} {c} Surveying"))
    return _brand(form, rng)


def _brand(form: str, rng: Random) -> str:
    a, b = rng.sample(words.BRAND_WORDS, 2)
    c, d = rng.sample(words.LAST_NAMES, 2)
    return form.format(a=a, b=b, c=c, d=d, p=place(rng))


#: How each type of client (its description, the same in both systems) is named.
FIRM_FORMS: dict[str, Draw] = {
    "Municipal": _city,
    "Utility": _utility,
    "K-12 Education": _school,
    "Higher Education": _college,
    "Healthcare": _health,
    "Developer": _developer,
    "Commercial": _commercial,
    "Design Firm": _design,
}


def person(rng: Random) -> str:
    """``First|Middle|Last``; about a quarter have a middle name or initial."""
    middle = ""
    if rng.random() < 0.25:
        middle = rng.choice((rng.choice("ABCDEFGHJKLMNPRSTW"), rng.choice(words.FIRST_NAMES)))
    return f"{rng.choice(words.FIRST_NAMES)}|{middle}|{rng.choice(words.LAST_NAMES)}"


def project(rng: Random) -> str:
    """A name of a project as practices write them; at most 80 characters."""
    return f"{place(rng)} {rng.choice(words.BUILDINGS)} {rng.choice(words.WORKS)}"
