"""The firms of a seed: clean ones, pairs with strong evidence, and one hard case after the other."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from random import Random

from core.sandbox.seed.names import FIRM_FORMS, NamePool, place
from core.sandbox.seed.places import Address, foreign_address, four_line_address, home_address, phone
from core.sandbox.seed.words import HOSTILE, WORLD_FIRMS
from core.sandbox.seed.world import CLEAN, HARD, STRONG, Firm, shares

Case = Callable[["FirmMaker"], Firm]


class FirmMaker:
    """Makes the firms of one seed in turn; names of the Ajera side are made before the clean ones (see ``names``)."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.pool = NamePool(rng)
        self.made: list[Firm] = []
        self._strong: list[Firm] = []
        self._cycle: dict[str, int] = {}

    def make(self, count: int) -> list[Firm]:
        """``count`` firms, shuffled."""
        clean, strong, hard = shares(count)
        for index in range(strong):
            self._strong.append(self._add(self.strong(marked=index % 6 == 5)))
        for index in range(hard):
            self._add(CASES[index % len(CASES)](self))
        for _ in range(clean):
            self._add(self.firm(CLEAN, "clean", apart=True))
        self.rng.shuffle(self.made)
        return self.made

    def _add(self, firm: Firm) -> Firm:
        self.made.append(firm)
        return firm

    def turn(self, name: str) -> int:
        """How often ``name`` was asked for before; picks the next of a list of examples."""
        self._cycle[name] = self._cycle.get(name, -1) + 1
        return self._cycle[name]

    def name(self, kind: str, *, on_ajera: bool, apart: bool = False) -> str:
        return self.pool.draw(FIRM_FORMS[kind], on_ajera=on_ajera, apart=apart)

    def firm(self, part: str, case: str, *, name: str = "", on_ajera: bool = False, apart: bool = False) -> Firm:
        """A firm that is complete and active on the sides it is on; both sides say the same."""
        kind = self.rng.choice(tuple(FIRM_FORMS))
        name = self.pool.take(name, on_ajera=on_ajera) if name else self.name(kind, on_ajera=on_ajera, apart=apart)
        address = home_address(self.rng, place(self.rng))
        domain = domain_of(name, len(self.made))
        firm = Firm(part, case, name, kind, f"{len(self.made) + 1001:06}", address)
        firm.email, firm.website = f"info@{domain}", f"https://www.{domain}"
        firm.fax = phone(self.rng, "800") if self.rng.random() < 0.3 else ""
        firm.on_ajera = on_ajera
        firm.ajera_name, firm.ajera_address = name, address
        firm.ajera_email, firm.ajera_website = firm.email, firm.website
        return firm

    def strong(self, *, marked: bool = False, case: str = "strong") -> Firm:
        """A pair: equal name, and one of e-mail, web site, phone and postcode equal; now and then a gap on one side."""
        firm = self.firm(STRONG, case, on_ajera=True)
        firm.marked = marked
        gap = self.turn("gap") % 5
        if gap == 1:
            firm.ajera_email = ""
        elif gap == 2:
            firm.website = ""
        elif gap == 3:
            firm.ajera_website, firm.fax = "", ""
        return firm

    def some_strong(self) -> Firm | None:
        """A firm that is on both sides, or None in the smallest seeds."""
        return self.rng.choice(self._strong) if self._strong else None


def domain_of(name: str, number: int) -> str:
    """A domain under the reserved ``example`` names: the letters of the name that a domain may have."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    letters = "".join(c for c in plain if c.isalnum())[:18] or "firm"
    return f"{letters}{number}.example.com"


def _apart(maker: FirmMaker, firm: Firm) -> Firm:
    """Nothing but the name is the same on the two sides."""
    other: Address = home_address(maker.rng, place(maker.rng))
    while firm.address and (other.zip, other.phone) == (firm.address.zip, firm.address.phone):
        other = home_address(maker.rng, place(maker.rng))
    if firm.address and other.zip == firm.address.zip:
        other = Address(other.lines, other.city, other.state, "", other.country, other.phone)
    firm.ajera_address, firm.ajera_email, firm.ajera_website = other, "", ""
    return firm


def _same_name_only(maker: FirmMaker) -> Firm:
    return _apart(maker, maker.firm(HARD, "same name only", on_ajera=True))


def _similar_name(maker: FirmMaker) -> Firm:
    firm = _apart(maker, maker.firm(HARD, "similar name", on_ajera=True))
    stem = firm.name.removesuffix(" Inc.").removesuffix(" LLC").removesuffix(", P.C.")
    crm, ajera = (("{}, Inc.", "The {} Co."), ("{} & Sons", "{} and Sons"), ("{} Group", "{} Grp."))[
        maker.turn("similar") % 3
    ]
    firm.name = maker.pool.take(crm.format(stem), on_ajera=False)
    firm.ajera_name = maker.pool.take(ajera.format(stem), on_ajera=True)
    return firm


def _ajera_only(maker: FirmMaker) -> Firm:
    firm = maker.firm(HARD, "only in Ajera", on_ajera=True)
    firm.on_crm = False
    return firm


def _ajera_only_inactive(maker: FirmMaker) -> Firm:
    firm = _ajera_only(maker)
    firm.case, firm.ajera_active = "only in Ajera, inactive", False
    return firm


def _dormant(maker: FirmMaker) -> Firm:
    firm = maker.firm(HARD, "dormant in the CRM")
    firm.crm_status = "D"
    return firm


def _inactive(maker: FirmMaker) -> Firm:
    firm = maker.firm(HARD, "inactive in the CRM", on_ajera=True)
    firm.crm_status = "I"
    return firm


def _namesake(maker: FirmMaker) -> Firm:
    """A second firm of one name in the CRM, in another town."""
    twins = [f for f in maker.made if f.part == HARD and f.on_crm and not f.on_ajera]
    name = maker.rng.choice(twins).name if twins else ""
    return maker.firm(HARD, "namesake in the CRM", name=name)


def _ajera_namesake(maker: FirmMaker) -> Firm:
    """A second client of one name in Ajera: the CRM's firm of that name has several hits."""
    twins = [f for f in maker.made if f.case == "same name only"]
    firm = maker.firm(HARD, "namesake in Ajera", name=maker.rng.choice(twins).name if twins else "", on_ajera=True)
    firm.on_crm = False
    return firm


def _subsidiary(maker: FirmMaker) -> Firm:
    parent = maker.some_strong()
    name = f"{parent.name} - {place(maker.rng)} Division" if parent else ""
    firm = maker.firm(HARD, "subsidiary", name=name)
    firm.parent = parent
    return firm


def _vendor_and_client(maker: FirmMaker) -> Firm:
    firm = maker.firm(HARD, "vendor that is a client", on_ajera=True)
    firm.vendor, firm.type = True, "Design Firm"
    return firm


def _vendor_only(maker: FirmMaker) -> Firm:
    firm = maker.firm(HARD, "vendor only")
    firm.vendor, firm.client, firm.type = True, False, "Design Firm"
    return firm


def _long_name(maker: FirmMaker) -> Firm:
    base = maker.name("Municipal", on_ajera=False)
    tails = (
        " Department of Planning, Building and Code",
        " Joint Regional Authority for the Maintenance of Bridges, Ferries and Culverts",
    )
    return maker.firm(HARD, "long name", name=(base + tails[maker.turn("long") % 2])[:100])


def _hostile(maker: FirmMaker) -> Firm:
    base = maker.name("Commercial", on_ajera=False)
    text = HOSTILE[maker.turn("hostile") % len(HOSTILE)].format(name=base)
    return maker.firm(HARD, "hostile name", name=text[:100])


def _world(maker: FirmMaker) -> Firm:
    turn = maker.turn("world")
    name = WORLD_FIRMS[turn % len(WORLD_FIRMS)]
    name = name if turn < len(WORLD_FIRMS) else f"{name} {turn}"
    firm = maker.firm(HARD, "name in another script", name=name, on_ajera=turn % 3 == 2)
    firm.address = firm.ajera_address = foreign_address(maker.turn("foreign"))
    return firm


def _no_address(maker: FirmMaker) -> Firm:
    firm = maker.firm(HARD, "no address")
    firm.address = None
    return firm


def _four_lines(maker: FirmMaker) -> Firm:
    firm = maker.firm(HARD, "four address lines")
    firm.address = four_line_address(maker.rng, place(maker.rng))
    return firm


def _foreign(maker: FirmMaker) -> Firm:
    firm = maker.firm(HARD, "foreign address", on_ajera=maker.turn("foreign-side") % 2 == 1)
    firm.address = firm.ajera_address = foreign_address(maker.turn("foreign"))
    return firm


def _marked(maker: FirmMaker) -> Firm:
    firm = maker.firm(HARD, "ticked in the CRM")
    firm.marked = True
    return firm


def _type_drifts(maker: FirmMaker) -> Firm:
    firm = maker.firm(HARD, "type known to the CRM only", on_ajera=True)
    firm.type = "Non-Profit"
    return firm


CASES: tuple[Case, ...] = (
    _same_name_only,
    _ajera_only,
    _dormant,
    _marked,
    _similar_name,
    _subsidiary,
    _vendor_and_client,
    _hostile,
    _world,
    _namesake,
    _no_address,
    _four_lines,
    _long_name,
    _ajera_only_inactive,
    _foreign,
    _inactive,
    _ajera_namesake,
    _vendor_only,
    _type_drifts,
    _ajera_only,
    _world,
    _hostile,
    _long_name,
)
