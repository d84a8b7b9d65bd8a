"""Addresses and phone numbers: mostly of one American state's surroundings, some abroad."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from core.sandbox.seed.words import STREET_KINDS, STREETS

STATES = {
    "MA": ("Massachusetts", "01", "617"),
    "NY": ("New York", "12", "518"),
    "CT": ("Connecticut", "06", "860"),
    "IL": ("Illinois", "60", "312"),
    "TX": ("Texas", "75", "214"),
    "CO": ("Colorado", "80", "303"),
    "WA": ("Washington", "98", "206"),
    "OR": ("Oregon", "97", "503"),
    "NC": ("North Carolina", "27", "919"),
    "MN": ("Minnesota", "55", "612"),
}
#: Foreign states the CRM's master list must know: code -> name and the code of the country.
FOREIGN_STATES = {"ON": ("Ontario", "CA"), "QC": ("Quebec", "CA"), "BY": ("Bayern", "DE"), "13": ("Tokyo", "JP")}

FOREIGN = (
    (("200 Rue Saint-Jacques Ouest", "Bureau 1400", ""), "Montréal", "QC", "H2Y 1M1", "Canada", "+1 514 555 0142"),
    (("Leopoldstraße 12", "", ""), "München", "BY", "80802", "Germany", "+49 89 5550199"),
    (("丸の内1-2-3", "第二ビル7階", ""), "千代田区", "13", "100-0005", "Japan", "+81 3-5550-0123"),
    (("88 Queens Quay West", "Suite 2700", ""), "Toronto", "ON", "M5J 0B6", "Canada", "+1 416 555 0177"),
)


@dataclass(frozen=True, slots=True)
class Address:
    """Lines (up to four), city, state code, zip, country name as the CRM's master list spells it, and the phone there."""

    lines: tuple[str, ...]
    city: str
    state: str
    zip: str
    country: str
    phone: str


def phone(rng: Random, area: str) -> str:
    """A phone number in one of the ways people write them; the exchange 555 is never a real one's."""
    line = rng.randrange(10_000)
    form = rng.randrange(10)
    if form < 6:
        return f"({area}) 555-{line:04}"
    if form < 9:
        return f"{area}-555-{line:04}"
    return f"{area}.555.{line:04} x{rng.randrange(100, 999)}"


def home_address(rng: Random, city: str) -> Address:
    """An address in one of the states the practice works in."""
    state = rng.choice(tuple(STATES))
    _, zip_head, area = STATES[state]
    street = f"{rng.randrange(1, 2400)} {rng.choice(STREETS)} {rng.choice(STREET_KINDS)}"
    second = f"Suite {rng.randrange(100, 900)}" if rng.random() < 0.35 else ""
    postcode = f"{zip_head}{rng.randrange(1000):03}"
    country = "United States" if rng.random() < 0.7 else ""
    return Address(tuple(x for x in (street, second) if x), city, state, postcode, country, phone(rng, area))


def foreign_address(index: int) -> Address:
    """One of the addresses abroad."""
    lines, city, state, postcode, country, number = FOREIGN[index % len(FOREIGN)]
    return Address(tuple(x for x in lines if x), city, state, postcode, country, number)


def four_line_address(rng: Random, city: str) -> Address:
    """An address with one line more than Ajera can hold."""
    base = home_address(rng, city)
    lines = ("Office of the Comptroller", "Annex B, Third Floor", base.lines[0], "Mail Stop 4-117")
    return Address(lines, base.city, base.state, base.zip, base.country, base.phone)
