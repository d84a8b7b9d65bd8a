"""What the practice knows, before either system holds it: firms, people and projects with what each side says of them.

Everything is made here first, as plain values, and written to the two systems afterwards (``to_ajera``, ``to_crm``).
So a case (*same name, other e-mail*) is told in one place for both sides.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from core.sandbox.seed.places import Address

#: The parts of a seed. ``clean``: in the CRM only, unticked, uniquely named, active, complete. ``strong``: on both
#: sides with strong evidence (sync-rules 4), not linked. ``hard``: everything else, see ``case``.
CLEAN, STRONG, HARD = "clean", "strong", "hard"


@dataclass(slots=True, eq=False)
class Firm:
    """A client, vendor or both. ``ajera_name`` differs from ``name`` only where the case is about that."""

    part: str
    case: str
    name: str
    type: str
    number: str
    address: Address | None
    email: str = ""
    website: str = ""
    fax: str = ""
    memo: str = ""
    on_ajera: bool = False
    on_crm: bool = True
    ajera_name: str = ""
    ajera_address: Address | None = None
    ajera_email: str = ""
    ajera_website: str = ""
    ajera_active: bool = True
    crm_status: str = "A"
    client: bool = True
    vendor: bool = False
    marked: bool = False
    parent: Firm | None = None
    ajera_key: int = 0
    crm_key: str = ""
    contacts: list[Contact] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Contact:
    """A person at a firm. ``ajera_*`` values differ from the CRM's only where the case is about that."""

    part: str
    case: str
    first: str
    middle: str
    last: str
    title: str
    email: str
    phone: str
    cell: str
    firm: Firm | None
    on_ajera: bool = False
    on_crm: bool = True
    ajera_first: str = ""
    ajera_middle: str = ""
    ajera_last: str = ""
    ajera_email: str = ""
    ajera_phone: str = ""
    ajera_title: str = ""
    ajera_active: bool = True
    ajera_vendor: bool = False
    crm_status: str = "A"
    qualified: bool = True
    marked: bool = False
    primary: bool = False
    ajera_key: int = 0
    crm_key: str = ""

    @property
    def full(self) -> str:
        """First, middle and last as one text."""
        return " ".join(x for x in (self.first, self.middle, self.last) if x)


@dataclass(slots=True, eq=False)
class Employee:
    """Someone of the practice; ``type`` is the description of Ajera's employee type and the CRM's role."""

    case: str
    first: str
    middle: str
    last: str
    title: str
    type: str
    email: str
    number: str
    hired: date
    terminated: date | None = None
    principal: bool = False
    manager: bool = False
    supervisor: Employee | None = None
    on_ajera: bool = True
    on_crm: bool = True
    address: Address | None = None
    ajera_key: int = 0
    crm_key: str = ""


@dataclass(slots=True, eq=False)
class Phase:
    """A phase of a project or template, with its share of the money and the phases below it."""

    name: str
    share: int
    billing: str = ""
    children: tuple[Phase, ...] = ()


@dataclass(slots=True, eq=False)
class Project:
    """A project; ``client`` is the CRM's primary client, ``groups`` the clients of Ajera's invoice groups, in order."""

    part: str
    case: str
    number: str
    name: str
    type: str
    client: Firm | None
    manager: Employee | None
    principal: Employee | None
    started: date
    due: date
    on_ajera: bool = False
    on_crm: bool = True
    ajera_number: str = ""
    ajera_name: str = ""
    ajera_status: str = "Active"
    crm_status: str = "A"
    charge: str = "R"
    billing: str = "FixedFee"
    expense_te: bool = True
    consultant_te: bool = True
    labor: Decimal = Decimal(0)
    expense: Decimal = Decimal(0)
    consultant: Decimal = Decimal(0)
    percent: int = 0
    groups: list[Firm] = field(default_factory=list)
    phases: tuple[Phase, ...] = ()
    template: str = ""
    marked: bool = False
    sync_to_crm: bool = False
    create_in_crm: bool = False
    completed: date | None = None
    contacts: list[Contact] = field(default_factory=list)
    marked_contacts: int = 0
    sublevels: bool = False
    ajera_key: int = 0
    crm_key: str = ""


@dataclass(slots=True)
class World:
    """The whole of a seed, as values."""

    firms: list[Firm] = field(default_factory=list)
    contacts: list[Contact] = field(default_factory=list)
    projects: list[Project] = field(default_factory=list)
    employees: list[Employee] = field(default_factory=list)


def shares(count: int) -> tuple[int, int, int]:
    """How many of ``count`` are clean, strong and hard: at least a quarter clean and a quarter strong.

    Clean is set well above a quarter, so that it is still a quarter when an unlinked pair counts as two rows.
    """
    quarter = math.ceil(count / 4)
    clean = min(count, max(quarter, round(count * 0.38)))
    strong = min(count - clean, max(quarter, round(count * 0.26)))
    return clean, strong, count - clean - strong
