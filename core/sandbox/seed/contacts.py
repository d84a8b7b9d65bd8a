"""The contacts of a seed: people at the firms, with the cases that make matching people hard."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from random import Random

from core.sandbox.seed.names import NamePool, person
from core.sandbox.seed.places import phone
from core.sandbox.seed.words import HOSTILE, LAST_NAMES, TITLES, WORLD_NAMES
from core.sandbox.seed.world import CLEAN, HARD, STRONG, Contact, Firm, shares

Case = Callable[["ContactMaker"], Contact]
#: One clean firm has this many clean contacts, one more than DPS 1.x lets an operator tick.
FULL_FIRM = 6
NICKNAMES = {"Robert": "Bob", "William": "Bill", "Katherine": "Kate", "Elizabeth": "Liz", "Michael": "Mike"}


class ContactMaker:
    """Makes the contacts of one seed; ``firms`` are those they work at."""

    def __init__(self, rng: Random, firms: list[Firm]) -> None:
        self.rng = rng
        self.pool = NamePool(rng)
        self.made: list[Contact] = []
        self.clean_firms = [f for f in firms if f.part == CLEAN]
        self.strong_firms = [f for f in firms if f.part == STRONG]
        self.hard_firms = [f for f in firms if f.part == HARD and f.on_crm and f.crm_status == "A" and f.client]
        self._mails: set[str] = set()
        self._cycle: dict[str, int] = {}

    def make(self, count: int) -> list[Contact]:
        """``count`` contacts, shuffled."""
        clean, strong, _ = shares(count)
        if self.clean_firms and count >= FULL_FIRM:
            clean = max(clean, FULL_FIRM)
        strong = min(strong, count - clean)
        for index in range(strong):
            self._add(self.contact(STRONG, "strong", self.one_of(self.strong_firms), on_ajera=True))
            self._vary(self.made[-1], index)
        for index in range(count - clean - strong):
            self._add(CASES[index % len(CASES)](self))
        for index in range(clean):
            self._add(self.contact(CLEAN, "clean", self._clean_firm(index), apart=True))
        self.rng.shuffle(self.made)
        return self.made

    def turn(self, name: str) -> int:
        """How often ``name`` was asked for before."""
        self._cycle[name] = self._cycle.get(name, -1) + 1
        return self._cycle[name]

    def one_of(self, firms: list[Firm]) -> Firm | None:
        """One of ``firms``; of any usable ones where there are none."""
        choice = firms or self.strong_firms or self.clean_firms or self.hard_firms
        return self.rng.choice(choice) if choice else None

    def contact(
        self,
        part: str,
        case: str,
        firm: Firm | None,
        *,
        name: tuple[str, str, str] | None = None,
        on_ajera: bool = False,
        apart: bool = False,
    ) -> Contact:
        """A contact with an address of their own at the firm; both sides say the same."""
        if name:
            first, middle, last = name
            self.pool.take("|".join(name), on_ajera=on_ajera)
        else:
            first, middle, last = self.pool.draw(person, on_ajera=on_ajera, apart=apart).split("|")
        number, cell = phone(self.rng, "617"), phone(self.rng, "774") if self.rng.random() < 0.6 else ""
        title = self.rng.choice(TITLES)
        made = Contact(part, case, first, middle, last, title, self._email(first, last, firm), number, cell, firm)
        made.on_ajera = on_ajera
        made.ajera_first, made.ajera_middle, made.ajera_last = first, middle, last
        made.ajera_email, made.ajera_phone, made.ajera_title = made.email, made.phone, made.title
        return made

    def _add(self, contact: Contact) -> None:
        self.made.append(contact)
        if contact.firm:
            contact.primary = contact.on_crm and not contact.firm.contacts
            contact.firm.contacts.append(contact)

    def _clean_firm(self, index: int) -> Firm | None:
        if index < FULL_FIRM and self.clean_firms:
            return self.clean_firms[0]
        return self.one_of(self.clean_firms + self.strong_firms)

    def _vary(self, contact: Contact, index: int) -> None:
        """Small differences of a strong pair: one ticked, one title gone stale, one phone missing."""
        contact.marked = index % 7 == 3 and bool(contact.firm and contact.firm.marked)
        if index % 5 == 1:
            contact.ajera_phone = ""
        elif index % 5 == 2:
            contact.ajera_title = self.rng.choice(TITLES)

    def _email(self, first: str, last: str, firm: Firm | None) -> str:
        domain = firm.email.partition("@")[2] if firm and firm.email else "mail.example.org"
        local = f"{_ascii(first)[:1]}{_ascii(last)}"[:12] or "post"
        email, number = f"{local}@{domain}", 2
        while email in self._mails:
            email, number = f"{local}{number}@{domain}", number + 1
        self._mails.add(email)
        return email


def _ascii(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return "".join(c for c in plain if c.isalnum())


def _name_only(maker: ContactMaker) -> Contact:
    """On both sides, no e-mail anywhere: only the name speaks for it."""
    made = maker.contact(HARD, "same name only", maker.one_of(maker.hard_firms), on_ajera=True)
    made.email = made.ajera_email = ""
    made.ajera_phone = phone(maker.rng, "508")
    return made


def _ajera_only(maker: ContactMaker) -> Contact:
    made = maker.contact(HARD, "only in Ajera", maker.one_of(maker.strong_firms), on_ajera=True)
    made.on_crm = False
    return made


def _ajera_vendor(maker: ContactMaker) -> Contact:
    made = maker.contact(HARD, "only in Ajera, of a vendor", None, on_ajera=True)
    made.on_crm, made.ajera_vendor = False, True
    return made


def _namesake(maker: ContactMaker) -> Contact:
    """A second person of one name in the CRM, at another firm."""
    twins = [c for c in maker.made if c.part == HARD and c.on_crm and not c.on_ajera]
    twin = maker.rng.choice(twins) if twins else None
    name = (twin.first, twin.middle, twin.last) if twin else None
    return maker.contact(HARD, "namesake in the CRM", maker.one_of(maker.hard_firms), name=name)


def _other_person(maker: ContactMaker) -> Contact:
    """One name on both sides with two e-mail addresses: perhaps two people."""
    made = maker.contact(HARD, "same name, other e-mail", maker.one_of(maker.strong_firms), on_ajera=True)
    made.ajera_email = f"{_ascii(made.first)}.{_ascii(made.last)}.{maker.turn('other')}@elsewhere.example.net"
    return made


def _nickname(maker: ContactMaker) -> Contact:
    long, short = list(NICKNAMES.items())[maker.turn("nick") % len(NICKNAMES)]
    _, middle, last = maker.pool.draw(person, on_ajera=True).split("|")
    while not maker.pool.is_free(f"{long}|{middle}|{last}", f"{short}|{middle}|{last}"):
        _, middle, last = maker.pool.draw(person, on_ajera=True).split("|")
    maker.pool.take(f"{short}|{middle}|{last}", on_ajera=True)
    name = (long, middle, last)
    made = maker.contact(HARD, "similar name", maker.one_of(maker.strong_firms), name=name, on_ajera=True)
    made.ajera_first, made.ajera_email = short, ""
    return made


def _inactive(maker: ContactMaker) -> Contact:
    made = maker.contact(HARD, "inactive in the CRM", maker.one_of(maker.hard_firms))
    made.crm_status = "I"
    return made


def _ajera_inactive(maker: ContactMaker) -> Contact:
    made = maker.contact(HARD, "inactive in Ajera", maker.one_of(maker.strong_firms), on_ajera=True)
    made.ajera_active = False
    return made


def _world(maker: ContactMaker) -> Contact:
    turn = maker.turn("world")
    first, middle, last = WORLD_NAMES[turn % len(WORLD_NAMES)]
    middle = middle if turn < len(WORLD_NAMES) else f"{middle}{turn}"
    made = maker.contact(
        HARD,
        "name in another script",
        maker.one_of(maker.hard_firms),
        name=(first, middle, last),
        on_ajera=turn % 2 == 1,
    )
    made.email = made.ajera_email = made.email.replace("post@", f"post{turn}@")
    return made


def _hostile(maker: ContactMaker) -> Contact:
    first, middle, last = maker.pool.draw(person, on_ajera=False).split("|")
    text = HOSTILE[maker.turn("hostile") % len(HOSTILE)].format(name=last)
    return maker.contact(HARD, "hostile name", maker.one_of(maker.hard_firms), name=(first, middle, text[:50]))


def _long_name(maker: ContactMaker) -> Contact:
    first, _, last = maker.pool.draw(person, on_ajera=False).split("|")
    name = (f"{first}-Maximiliana"[:25], "Wilhelmina Theodora", f"{last}-Featherstonehaugh-Cholmondeley"[:50])
    return maker.contact(HARD, "long name", maker.one_of(maker.hard_firms), name=name)


def _marked(maker: ContactMaker) -> Contact:
    ticked = [f for f in maker.hard_firms + maker.strong_firms if f.marked]
    made = maker.contact(HARD, "ticked in the CRM", maker.one_of(ticked))
    made.marked = made.firm is not None and sum(c.marked for c in made.firm.contacts) < FULL_FIRM - 1
    return made


def _no_firm(maker: ContactMaker) -> Contact:
    return maker.contact(HARD, "without a firm", None)


def _no_email(maker: ContactMaker) -> Contact:
    made = maker.contact(HARD, "without e-mail", maker.one_of(maker.hard_firms))
    made.email = ""
    return made


def _married(maker: ContactMaker) -> Contact:
    """One e-mail, two last names."""
    made = maker.contact(HARD, "same e-mail, other last name", maker.one_of(maker.strong_firms), on_ajera=True)
    last = maker.rng.choice(LAST_NAMES)
    while not maker.pool.is_free(f"{made.first}|{made.middle}|{last}"):
        last = f"{last}-{maker.rng.choice(LAST_NAMES)}"
    maker.pool.take(f"{made.first}|{made.middle}|{last}", on_ajera=True)
    made.ajera_last = last
    return made


def _shared_mailbox(maker: ContactMaker) -> Contact:
    made = maker.contact(HARD, "shared mailbox", maker.one_of(maker.strong_firms))
    made.email = made.firm.email if made.firm else ""
    return made


def _lead(maker: ContactMaker) -> Contact:
    made = maker.contact(HARD, "lead, not qualified", maker.one_of(maker.hard_firms))
    made.qualified = False
    return made


CASES: tuple[Case, ...] = (
    _name_only,
    _ajera_only,
    _no_email,
    _marked,
    _other_person,
    _inactive,
    _namesake,
    _world,
    _hostile,
    _nickname,
    _long_name,
    _no_firm,
    _ajera_inactive,
    _married,
    _shared_mailbox,
    _ajera_vendor,
    _lead,
    _world,
    _ajera_only,
    _no_email,
)
