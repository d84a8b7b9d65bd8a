"""The projects of a seed: clean ones, equal pairs, and the cases, in every status of both systems."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from core.sandbox.seed.names import NamePool, project
from core.sandbox.seed.templates import DRIFTED_TEMPLATE, TEMPLATES, Template
from core.sandbox.seed.words import HOSTILE
from core.sandbox.seed.world import CLEAN, HARD, STRONG, Contact, Employee, Firm, Phase, Project, World, shares

Case = Callable[["ProjectMaker"], Project]
PROJECT_TYPES = (
    "Civic",
    "Education",
    "Healthcare",
    "Housing",
    "Infrastructure",
    "Interiors",
    "Landscape",
    "Workplace",
    "Study",
)
AJERA_STATUSES = ("Preliminary", "Active", "Hold", "WorkHold", "BillingHold", "Closed", "Marketing")
BILLINGS = ("FixedFee", "TimeAndExpense", "PercentComplete", "FixedFee", "PercentComplete")
MARKED_CONTACTS = 5


class ProjectMaker:
    """Makes the projects of one seed for the firms and people of ``world``."""

    def __init__(self, rng: Random, world: World, today: date) -> None:
        self.rng, self.today = rng, today
        self.pool = NamePool(rng)
        self.made: list[Project] = []
        usable = [f for f in world.firms if f.client and f.crm_status == "A" and f.on_crm]
        self.open_clients = [f for f in usable if f.part in {CLEAN, STRONG}]
        self.strong_clients = [f for f in usable if f.part == STRONG]
        self.hard_clients = [f for f in world.firms if f.client and f.part == HARD and f.on_crm]
        self.ajera_clients = [f for f in world.firms if f.on_ajera]
        staff = [e for e in world.employees if e.on_ajera and e.on_crm and not e.terminated]
        self.managers = [e for e in staff if e.manager]
        self.principals = [e for e in staff if e.principal]
        self._cycle: dict[str, int] = {}
        self._count = 0

    def make(self, count: int) -> list[Project]:
        """``count`` projects, shuffled; those of Ajera are named first (see ``names``)."""
        clean, strong, hard = shares(count)
        self._count = count
        for index in range(strong):
            self.made.append(self.strong(index))
        for index in range(hard):
            self.made.append(CASES[index % len(CASES)](self))
        for index in range(clean):
            self.made.append(self.clean(index, math.ceil(count / 4)))
        self.rng.shuffle(self.made)
        return self.made

    def turn(self, name: str) -> int:
        """How often ``name`` was asked for before."""
        self._cycle[name] = self._cycle.get(name, -1) + 1
        return self._cycle[name]

    def pick(self, firms: list[Firm]) -> Firm | None:
        """One of ``firms``, or None."""
        return self.rng.choice(firms) if firms else None

    def project(
        self,
        part: str,
        case: str,
        client: Firm | None,
        *,
        name: str = "",
        on_ajera: bool = False,
        on_crm: bool = True,
        apart: bool = False,
    ) -> Project:
        """An active project with a manager, dates and money; both sides say the same."""
        name = self.pool.take(name, on_ajera=on_ajera) if name else self._name(on_ajera=on_ajera, apart=apart)
        started = self.today - timedelta(days=self.rng.randrange(10, 700))
        due = started + timedelta(days=self.rng.randrange(90, 900))
        number = self.new_number(started.year)
        manager, principal = self._choose(self.managers), self._choose(self.principals)
        made = Project(
            part, case, number, name, self.rng.choice(PROJECT_TYPES), client, manager, principal, started, due
        )
        made.on_ajera, made.on_crm = on_ajera, on_crm
        made.ajera_number, made.ajera_name = number, name
        made.groups = [client] if client and client.on_ajera else []
        if on_ajera and not made.groups and self.ajera_clients:
            made.groups = [self.rng.choice(self.ajera_clients)]
        self._fill(made)
        return made

    def clean(self, index: int, templated: int) -> Project:
        """In the CRM only, with a client; the first ``templated`` have their template chosen already."""
        client = self.fullest_client() if index == 0 else self.pick(self.open_clients)
        made = self.project(CLEAN, "clean", client, apart=True)
        if index < templated:
            made.template = self.rng.choice([t.name for t in TEMPLATES if not t.nested and t.billing != "Marketing"])
        self.add_people(made, ticked=0, most=None if index == 0 else MARKED_CONTACTS)
        return made

    def fullest_client(self) -> Firm | None:
        """The clean firm with the most contacts: all six of them are on its project, one more than can be ticked."""
        clean = [f for f in self.open_clients if f.part == CLEAN]
        return max(clean, key=lambda f: len(f.contacts), default=None) or self.pick(self.open_clients)

    def strong(self, index: int) -> Project:
        made = self.project(STRONG, "strong", self.pick(self.strong_clients), on_ajera=True)
        made.sync_to_crm = index % 3 != 2
        made.marked = index % 6 == 5
        made.ajera_status = ("Active", "Active", "Preliminary", "Active")[index % 4]
        self.add_people(made, ticked=2 if made.marked else 0)
        return made

    def _name(self, *, on_ajera: bool, apart: bool) -> str:
        return self.pool.draw(project, on_ajera=on_ajera, apart=apart)

    def new_number(self, year: int) -> str:
        """``YYYY-NNN``, never twice; more digits in large seeds."""
        width = max(3, len(str(self._count)))
        return f"{year}-{self.turn('number') + 1:0{width}}"

    def _choose(self, people: list[Employee]) -> Employee | None:
        return self.rng.choice(people) if people else None

    def _fill(self, made: Project) -> None:
        """Billing, amounts in cents, percent complete, phases."""
        made.billing = self.rng.choice(BILLINGS)
        template = self.rng.choice([t for t in TEMPLATES if t.billing == made.billing] or list(TEMPLATES))
        made.phases = _phases(template, self.rng)
        made.labor = cents(self.rng, 4_000, 900_000)
        made.expense = cents(self.rng, 0, 25_000)
        made.consultant = cents(self.rng, 0, 120_000) if self.rng.random() < 0.6 else Decimal(0)
        made.expense_te, made.consultant_te = self.rng.random() < 0.7, self.rng.random() < 0.3
        done = (self.today - made.started).days / max(1, (made.due - made.started).days)
        made.percent = max(0, min(100, round(done * 100) - self.rng.randrange(0, 15)))

    def add_people(self, made: Project, *, ticked: int, most: int | None = MARKED_CONTACTS) -> None:
        """The client's contacts on the project, the first ``ticked`` of them with Ajera Sync."""
        staff = [c for c in made.client.contacts if _usable(c)] if made.client else []
        made.contacts = staff[:most]
        made.marked_contacts = min(ticked, len(made.contacts), MARKED_CONTACTS)


def _usable(contact: Contact) -> bool:
    return contact.on_crm and contact.crm_status == "A" and contact.qualified


def _phases(template: Template, rng: Random) -> tuple[Phase, ...]:
    if len(template.phases) > 3 and rng.random() < 0.3:
        return template.phases[: rng.randrange(3, len(template.phases) + 1)]
    return template.phases


def cents(rng: Random, low: int, high: int) -> Decimal:
    """An amount between two whole amounts, mostly round as fees are, always in cents."""
    whole = Decimal(rng.randrange(low, high))
    if rng.random() < 0.6:
        return (whole // 500 * 500).quantize(Decimal("0.01"))
    return (whole + Decimal(rng.randrange(100)) / 100).quantize(Decimal("0.01"))


def _ajera_only(maker: ProjectMaker) -> Project:
    return maker.project(HARD, "only in Ajera", maker.pick(maker.ajera_clients), on_ajera=True, on_crm=False)


def _create_in_crm(maker: ProjectMaker) -> Project:
    made = maker.project(
        HARD, "to be created in the CRM", maker.pick(maker.strong_clients), on_ajera=True, on_crm=False
    )
    made.create_in_crm = made.sync_to_crm = True
    if maker.turn("blank") % 3 == 1:
        made.case, made.ajera_number = "to be created in the CRM, without a number", ""
    return made


def _each_status(maker: ProjectMaker) -> Project:
    status = AJERA_STATUSES[maker.turn("status") % len(AJERA_STATUSES)]
    made = maker.project(HARD, f"{status} in Ajera", maker.pick(maker.strong_clients), on_ajera=True)
    made.ajera_status, made.sync_to_crm = status, True
    made.crm_status = {"Hold": "D", "WorkHold": "D", "BillingHold": "D", "Closed": "I"}.get(status, "A")
    made.completed = made.due if status == "Closed" else None
    if status == "Marketing":
        made.billing, made.charge = "Marketing", "P"
    return made


def _same_number(maker: ProjectMaker) -> Project:
    made = maker.project(HARD, "same number, other name", maker.pick(maker.strong_clients), on_ajera=True)
    made.ajera_name = maker.pool.draw(project, on_ajera=True)
    made.groups = [f for f in maker.ajera_clients if f is not made.client][:1]
    return made


def _same_name(maker: ProjectMaker) -> Project:
    made = maker.project(HARD, "same name, other number", maker.pick(maker.strong_clients), on_ajera=True)
    made.ajera_number = maker.new_number(made.started.year)
    return made


def _crm_dormant(maker: ProjectMaker) -> Project:
    made = maker.project(HARD, "dormant in the CRM", maker.pick(maker.open_clients))
    made.crm_status = "D"
    return made


def _crm_inactive(maker: ProjectMaker) -> Project:
    made = maker.project(HARD, "inactive in the CRM", maker.pick(maker.open_clients))
    made.crm_status = "I"
    return made


def _overhead(maker: ProjectMaker) -> Project:
    name = "General Overhead" if maker.turn("overhead") == 0 else ""
    made = maker.project(HARD, "overhead", None, name=name, on_ajera=True)
    made.billing, made.charge, made.labor, made.percent = "Overhead", "H", Decimal(0), 0
    made.expense = made.consultant = Decimal(0)
    return made


def _nonbillable(maker: ProjectMaker) -> Project:
    made = maker.project(HARD, "not billable", maker.pick(maker.strong_clients), on_ajera=True)
    made.billing, made.labor, made.expense, made.consultant = "Nonbillable", Decimal(0), Decimal(0), Decimal(0)
    return made


def _promotional(maker: ProjectMaker) -> Project:
    made = maker.project(HARD, "promotional in the CRM", maker.pick(maker.open_clients))
    made.charge, made.template = "P", "Marketing"
    return made


def _no_client(maker: ProjectMaker) -> Project:
    return maker.project(HARD, "without a client", None)


def _drifted_template(maker: ProjectMaker) -> Project:
    made = maker.project(HARD, "template unknown to Ajera", maker.pick(maker.open_clients))
    made.template, made.marked = DRIFTED_TEMPLATE, True
    return made


def _marked(maker: ProjectMaker) -> Project:
    made = maker.project(HARD, "ticked in the CRM", maker.pick(maker.open_clients))
    made.template, made.marked = TEMPLATES[0].name, True
    maker.add_people(made, ticked=3)
    return made


def _two_clients(maker: ProjectMaker) -> Project:
    made = maker.project(HARD, "invoice groups of two clients", maker.pick(maker.strong_clients), on_ajera=True)
    others = [f for f in maker.ajera_clients if f not in made.groups]
    made.groups = [*made.groups, *others[:1]]
    return made


def _two_groups(maker: ProjectMaker) -> Project:
    made = maker.project(HARD, "two invoice groups of one client", maker.pick(maker.strong_clients), on_ajera=True)
    made.groups = made.groups * 2
    made.ajera_name = made.name
    return made


def _sublevels(maker: ProjectMaker) -> Project:
    made = maker.project(HARD, "with phases in the CRM", maker.pick(maker.open_clients))
    made.sublevels = True
    return made


def _long_name(maker: ProjectMaker) -> Project:
    base = maker.pool.draw(project, on_ajera=False)
    long = maker.turn("long") % 2 == 1
    tail = ", Including Site Utilities, Parking and Landscape" + (" at the Former Railroad Yard" if long else "")
    return maker.project(HARD, "long name", maker.pick(maker.open_clients), name=(base + tail)[: 120 if long else 80])


def _hostile(maker: ProjectMaker) -> Project:
    base = maker.pool.draw(project, on_ajera=False)
    text = HOSTILE[maker.turn("hostile") % len(HOSTILE)].format(name=base)
    return maker.project(HARD, "hostile name", maker.pick(maker.open_clients), name=text)


def _hard_client(maker: ProjectMaker) -> Project:
    return maker.project(HARD, "client is a hard case", maker.pick(maker.hard_clients or maker.open_clients))


def _unsplit(maker: ProjectMaker) -> Project:
    """Only a total is known: no split into labor, expense and consultant."""
    made = maker.project(HARD, "amount not split", maker.pick(maker.strong_clients), on_ajera=True)
    made.sync_to_crm, made.expense, made.consultant = True, Decimal(0), Decimal(0)
    return made


CASES: tuple[Case, ...] = (
    _each_status,
    _create_in_crm,
    _same_number,
    _marked,
    _each_status,
    _ajera_only,
    _drifted_template,
    _same_name,
    _each_status,
    _two_clients,
    _no_client,
    _hostile,
    _each_status,
    _crm_dormant,
    _create_in_crm,
    _overhead,
    _each_status,
    _sublevels,
    _long_name,
    _nonbillable,
    _each_status,
    _crm_inactive,
    _promotional,
    _two_groups,
    _each_status,
    _hard_client,
    _unsplit,
    _long_name,
    _ajera_only,
)
