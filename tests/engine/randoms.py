"""Random programs for the fault layer: what people do in a day, drawn by a number. The same number, the same day.

What they type holds a counter and never the name of the record, so that a value from the wrong record, or an older
one of the same, is seen.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.model.values import Kind, Side
from tests.engine.faults import Case, Program, cases
from tests.engine.faultworld import Frozen
from tests.engine.kit import (
    TEMPLATE_CODE,
    World,
    ajera_client,
    ajera_project,
    crm_contact,
    crm_firm,
    crm_project,
)
from tests.engine.programs import at_rest


def office(world: World) -> None:
    """Two firms in step with a contact each, a project, a firm to be ticked, one that Ajera alone has; bystanders."""
    crm, ajera = world.crm, world.ajera
    acme = crm_firm(crm, "Acme Supplies", AjeraSync="Y", WebSite="www.acme.example")
    kent = crm_firm(crm, "Borough of Kent", AjeraSync="Y")
    crm_contact(crm, "Ann", "Archer", acme, AjeraSync="Y", Title="Owner")
    crm_contact(crm, "Cid", "Cole", kent, AjeraSync="Y")
    crm_contact(crm, "Nil", "Nobody", kent)
    crm_project(crm, "2026.01", "Town Hall", acme, AjeraSync="Y", ProjectTemplate=TEMPLATE_CODE)
    crm_firm(crm, "Fresh Firm")
    ajera_client(ajera, "Only in Ajera", Website="www.only.example")


class Day:
    """One day's acts. Each finds its records by what they are called on this day."""

    def __init__(self, world: World, rng: random.Random) -> None:
        self.world, self.rng, self.count = world, rng, 0

    def typed(self, what: str = "typed") -> str:
        self.count += 1
        return f"{what} {self.count}"

    def site(self) -> str:
        return f"{self.typed().replace(' ', '')}.example"

    # -- whom it is about: what both sides have at the start of the day ------------------------------------

    def firm(self) -> tuple[int, str]:
        """Keys in Ajera and the CRM."""
        links = self.world.service.store.links()
        ours = sorted(key for kind, key in links.by_ajera if kind is Kind.FIRM)
        key = self.rng.choice(ours)
        return int(key), str(links.partner(Kind.FIRM, Side.AJERA, key))

    def person(self) -> tuple[int, str] | None:
        """As `firm`; a contact that nobody deleted today."""
        links = self.world.service.store.links()
        pairs = [
            (int(a), str(links.partner(kind, Side.AJERA, a))) for kind, a in links.by_ajera if kind is Kind.CONTACT
        ]
        there = sorted(pair for pair in pairs if self.world.crm.has("contact", pair[1]))
        return self.rng.choice(there) if there else None

    # -- what they do --------------------------------------------------------------------------------------

    def firm_in_crm(self) -> None:
        self.world.crm.edit("firm", self.firm()[1], {"WebSite": self.site()})

    def name_in_crm(self) -> None:
        """Still found by its first word, as the races want it."""
        crm = self.firm()[1]
        first = str(self.world.crm.tables["firm"][crm]["Name"]).split()[0]
        self.world.crm.edit("firm", crm, {"Name": f"{first} {self.typed()}"})

    def firm_in_ajera(self) -> None:
        site, city = self.site(), self.typed()
        change = self.rng.choice(
            [{"Website": site}, {"PrimaryAddressCity": city}, {"Email": f"{city.replace(' ', '')}@mail.example"}]
        )
        self.world.ajera.edit("clients", self.firm()[0], change)

    def firm_on_both(self) -> None:
        ajera, crm = self.firm()
        self.world.crm.edit("firm", crm, {"WebSite": self.site()})
        self.world.ajera.edit("clients", ajera, {"Website": self.site()})

    def same_on_both(self) -> None:
        (ajera, crm), site = self.firm(), self.site()
        self.world.crm.edit("firm", crm, {"WebSite": site})
        self.world.ajera.edit("clients", ajera, {"Website": site})

    def retired(self) -> None:
        self.world.ajera.edit("clients", self.firm()[0], {"Status": "Inactive"})

    def title_in_crm(self) -> None:
        if who := self.person():
            self.world.crm.edit("contact", who[1], {"Title": self.rng.choice(["", self.typed()])})

    def title_in_ajera(self) -> None:
        if who := self.person():
            self.world.ajera.edit("contacts", who[0], {"Title": self.typed()})

    def crossed(self) -> None:
        if who := self.person():
            self.world.crm.edit("contact", who[1], {"Title": self.typed()})
            self.world.ajera.edit("contacts", who[0], {"Email": f"{self.site()[:-8]}@mail.example"})

    def unticked(self) -> None:
        if who := self.person():
            self.world.crm.edit("contact", who[1], {"AjeraSync": "N"})

    def hired(self) -> None:
        crm_contact(self.world.crm, "Bob", self.typed("Baker"), self.firm()[1], AjeraSync="Y", Title=self.typed())

    def new_client(self) -> None:
        crm_firm(self.world.crm, self.typed("Client"), AjeraSync="Y", WebSite=self.site())

    def fresh(self) -> None:
        keys = [key for key, row in self.world.crm.tables["firm"].items() if row["Name"] == "Fresh Firm"]
        if self.rng.random() < 0.5:
            self.world.service.mark(Kind.FIRM, keys, True)
        else:
            self.world.crm.edit("firm", keys[0], {"AjeraSync": "Y"})

    def only_in_ajera(self) -> None:
        keys = [k for k, row in self.world.ajera.tables["clients"].items() if row["Description"] == "Only in Ajera"]
        self.world.service.mark(Kind.FIRM, [str(keys[0])], True, side=Side.AJERA)

    def job(self) -> None:
        number = f"2026.1{self.count}"
        self.count += 1
        crm_project(
            self.world.crm, number, self.typed("Job"), self.firm()[1], AjeraSync="Y", ProjectTemplate=TEMPLATE_CODE
        )

    def job_from_ajera(self) -> None:
        number = f"2026.2{self.count}"
        self.count += 1
        ajera_project(self.world.ajera, number, self.typed("Bridge"), self.firm()[0], CreateInCRM=True)

    def job_renamed(self) -> None:
        key = min(self.world.ajera.tables["projects"])
        self.world.ajera.edit("projects", key, {"Description": self.typed("Hall")})

    def invoiced(self) -> None:
        key = min(self.world.ajera.tables["projects"])
        amounts = {"Billed Labor": self.rng.randint(1, 9000), "WIP Labor": self.rng.randint(1, 9000)}
        self.world.ajera.edit("totals", key, amounts)
        self.world.ajera.edit("projects", key, {"ReportedPercentComplete": self.rng.randint(1, 99)})

    def employed(self) -> None:
        name = self.typed("Engel")
        who = {"FirstName": "Eve", "LastName": name, "Email": f"{self.site()[:-8]}@office.example", "Status": "Active"}
        self.world.ajera.insert("employees", who)

    def deleted(self) -> None:
        if who := self.person():
            self.world.crm.delete("contact", who[1])


ACTS: tuple[Callable[[Day], None], ...] = (
    Day.firm_in_crm, Day.name_in_crm, Day.firm_in_ajera, Day.firm_on_both, Day.same_on_both, Day.retired, Day.title_in_crm,
    Day.title_in_ajera, Day.crossed, Day.unticked, Day.hired, Day.new_client, Day.fresh, Day.only_in_ajera, Day.job,
    Day.job_from_ajera, Day.job_renamed, Day.invoiced, Day.employed, Day.deleted,
)  # fmt: skip
ONCE = frozenset({Day.fresh, Day.only_in_ajera, Day.deleted, Day.unticked})
MOST_ACTS = 3


def drawn(number: int) -> list[Callable[[Day], None]]:
    """The acts of the program of that number."""
    rng = random.Random(f"program {number}")
    acts: list[Callable[[Day], None]] = []
    for _ in range(rng.randint(1, MOST_ACTS)):
        acts += [act for act in [rng.choice(ACTS)] if not (act in ONCE and act in acts)]
    return acts


def program(number: int, office_at_rest: Frozen) -> Program:
    """A random program over an office in step."""
    acts = drawn(number)

    async def people(world: World) -> None:
        rng = random.Random(f"day {number}")
        day = Day(world, rng)
        for act in acts:
            act(day)
            world.clock.forward(minutes=rng.choice([0, 1, 7]))

    name = f"{number}: {', '.join(act.__name__ for act in acts)}"
    return Program(name, office_at_rest, people, sweep=Day.deleted in acts)


async def office_in_step(root: Path) -> Frozen:
    return (await at_rest(root, "office", office))[1]


def some_cases(given: Program, number: int, most: int) -> list[Case]:
    """Cases of a program that was learned, by chance but always the same, without one twice."""
    found = cases(given)
    rng = random.Random(f"cases {number}")
    return sorted(rng.sample(found, min(most, len(found))))


__all__: list[Any] = ["ACTS", "Day", "drawn", "office", "office_in_step", "program", "some_cases"]
