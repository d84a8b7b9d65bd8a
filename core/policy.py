"""What is kept in step, who owns it, and the limits: the tables the kernel reads.

The default field map is the one of sync-rules 5, each row switchable, re-ownable and re-mappable by
the settings. Nothing here does I/O or knows a library.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from core.model.plan import Direction, Mode
from core.model.values import FieldType, Kind, Side


class Owner(StrEnum):
    """The side whose value of a field counts; `shared` fields follow a conflict policy."""

    SHARED = "shared"
    AJERA = "ajera"
    CRM = "crm"

    @property
    def side(self) -> Side | None:
        return None if self is Owner.SHARED else Side(self.value)


class ConflictPolicy(StrEnum):
    ASK = "ask"
    AJERA = "ajera"
    CRM = "crm"
    NEWEST = "newest"


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One row of the field map.

    `crm` and `ajera` are the systems' own names (a column, a property); names that stand for
    several (an address) are composed by the mappings. `create_only` fields are sent when the
    record is created and never after. `limit` bounds the length per side; metadata may lower it.
    """

    kind: Kind
    name: str
    label: str
    type: FieldType
    owner: Owner
    crm: str
    ajera: str
    tab: str = "Overview"
    group: str = "identity"
    ref: Kind | None = None
    create_only: bool = False
    on: bool = True
    custom: bool = False
    crm_limit: int | None = None
    ajera_limit: int | None = None

    def limit(self, side: Side) -> int | None:
        return self.crm_limit if side is Side.CRM else self.ajera_limit


ACCOUNTING_GROUPS = ("money", "budget", "dates")

_f = FieldSpec
_T, _S, _A, _C = FieldType, Owner.SHARED, Owner.AJERA, Owner.CRM

# Sizes: CRM from dps-api 9-12 (metadata is the word that counts), Ajera from ajera-api 10.2.
FIRM_FIELDS = (
    _f(Kind.FIRM, "name", "Name", _T.TEXT, _S, "Name", "Description", crm_limit=100),
    _f(Kind.FIRM, "number", "Number", _T.TEXT, _C, "Client", "AccountID", create_only=True, crm_limit=20),
    _f(Kind.FIRM, "status", "Status", _T.STATUS, _S, "Status", "Status"),
    _f(Kind.FIRM, "type", "Market", _T.CODE, _S, "Type", "ClientTypeDescription"),
    _f(Kind.FIRM, "website", "Website", _T.URL, _S, "WebSite", "Website", crm_limit=255),
    _f(Kind.FIRM, "address", "Address", _T.ADDRESS, _S, "CLAddress", "PrimaryAddress", group="address"),
    _f(Kind.FIRM, "phone", "Phone", _T.PHONE, _S, "PrimaryPhone", "PrimaryPhoneNumber", group="address", crm_limit=24),
    _f(Kind.FIRM, "fax", "Fax", _T.PHONE, _S, "PrimaryFax", "FaxNumber", group="address", crm_limit=24),
    _f(Kind.FIRM, "email", "E-mail", _T.EMAIL, _S, "PrimaryEmail", "Email", group="address", crm_limit=50),
    _f(Kind.FIRM, "memo", "Description", _T.TEXT, _S, "Memo", "Notes", on=False),
)

CONTACT_FIELDS = (
    _f(Kind.CONTACT, "first_name", "First Name", _T.TEXT, _S, "FirstName", "FirstName", crm_limit=25),
    _f(Kind.CONTACT, "middle_name", "Middle Name", _T.TEXT, _S, "MiddleName", "MiddleName", crm_limit=50),
    _f(Kind.CONTACT, "last_name", "Last Name", _T.TEXT, _S, "LastName", "LastName", crm_limit=50),
    _f(Kind.CONTACT, "title", "Title", _T.TEXT, _S, "Title", "Title", crm_limit=50),
    _f(Kind.CONTACT, "email", "E-mail", _T.EMAIL, _S, "Email", "Email"),
    _f(Kind.CONTACT, "phone", "Phone", _T.PHONE, _S, "Phone", "PrimaryPhoneNumber", crm_limit=24),
    _f(Kind.CONTACT, "cell", "Cell", _T.PHONE, _S, "CellPhone", "SecondaryPhoneNumber", crm_limit=24),
    _f(Kind.CONTACT, "fax", "Fax", _T.PHONE, _S, "Fax", "FaxNumber", crm_limit=24),
    # An entry in the client's list, not the contact's own ContactClientKey (ajera-api 7.3): see entries.py.
    _f(Kind.CONTACT, "firm", "Firm", _T.REF, _C, "ClientID", "ContactClientKey", group="contacts", ref=Kind.FIRM),
    _f(Kind.CONTACT, "status", "Status", _T.STATUS, _S, "ContactStatus", "Status"),
    _f(Kind.CONTACT, "address", "Address", _T.ADDRESS, _S, "Address", "PrimaryAddress", group="address"),
)

_BUDGET, _DATES, _TOTALS = "Budget & Revenue", "Dates & Costs", "Ajera Totals"


def _money(name: str, label: str, crm: str, ajera: str, tab: str, type_: FieldType = FieldType.MONEY) -> FieldSpec:
    group = "money" if tab == _TOTALS else "budget"  # a refusal of one tab never holds up the other
    return _f(Kind.PROJECT, name, label, type_, Owner.AJERA, crm, ajera, tab=tab, group=group)


def _date(name: str, label: str, crm: str, ajera: str) -> FieldSpec:
    return _f(Kind.PROJECT, name, label, FieldType.DATE, Owner.AJERA, crm, ajera, tab=_DATES, group="dates")


# Row of the Ajera Totals tab -> the family of GetProjectTotals properties it comes from (sync-rules 8).
TOTAL_FAMILIES: dict[str, str] = {
    "spent": "Spent",
    "cost": "Cost",
    "wip": "WIP",
    "billed": "Billed",
    "received": "Receipts",
}
TOTAL_PARTS: dict[str, tuple[str, str]] = {
    "labor": ("Labor", "Labor"),
    "reimbursable": ("Reimbursable", "Expense"),
    "consultant": ("Consultant", "Consultant"),
}
_ROW_LABELS = {"spent": "Spent", "cost": "Cost", "wip": "WIP", "billed": "Billed", "received": "Received"}

TOTAL_FIELDS = tuple(
    _money(
        f"{row}_{part}",
        f"{_ROW_LABELS[row]} - {crm_part}",
        f"Ajera{_ROW_LABELS[row]}{crm_part}",
        f"{family} {ajera_part}",
        _TOTALS,
    )
    for row, family in TOTAL_FAMILIES.items()
    for part, (crm_part, ajera_part) in TOTAL_PARTS.items()
)

PROJECT_FIELDS = (
    _f(
        Kind.PROJECT,
        "number",
        "Project Number",
        _T.TEXT,
        _C,
        "WBS1",
        "ID",
        create_only=True,
        crm_limit=30,
        ajera_limit=30,
    ),
    _f(Kind.PROJECT, "name", "Name", _T.TEXT, _S, "LongName", "Description", crm_limit=255, ajera_limit=80),
    # The client belongs to the invoice group in Ajera (ajera-api 10.2): set there on create, then Ajera's.
    _f(Kind.PROJECT, "client", "Primary Client", _T.REF, _A, "ClientID", "ClientKey", ref=Kind.FIRM),
    _f(Kind.PROJECT, "manager", "Project Manager", _T.REF, _S, "ProjMgr", "ProjectManager", ref=Kind.EMPLOYEE),
    _f(Kind.PROJECT, "principal", "Principal", _T.REF, _S, "Principal", "PrincipalInCharge", ref=Kind.EMPLOYEE),
    _f(Kind.PROJECT, "type", "Project Type", _T.CODE, _S, "ProjectType", "ProjectTypeDescription"),
    _f(Kind.PROJECT, "status", "Status", _T.STATUS, _A, "Status", "Status"),
    _money("percent_complete", "Percent Complete", "PctComp", "ReportedPercentComplete", _BUDGET, _T.NUMBER),
    _money("overhead_rate", "Budgeted OH Rate", "BudOHRate", "BudgetedOverheadRate", _BUDGET, _T.NUMBER),
    _money("compensation", "Compensation", "Fee", "", _BUDGET),
    _money("direct_labor", "Direct Labor", "FeeDirLab", "", _BUDGET),
    _money("direct_expense", "Direct Expense", "FeeDirExp", "", _BUDGET),
    _money("direct_consultant", "Direct Consultant", "ConsultFee", "", _BUDGET),
    _money("reimbursable", "Reimbursable Allowance", "ReimbAllow", "", _BUDGET),
    _money("reimbursable_expense", "Reimbursable Expense", "ReimbAllowExp", "", _BUDGET),
    _money("reimbursable_consultant", "Reimbursable Consultant", "ReimbAllowCons", "", _BUDGET),
    _date("start_date", "Contract Start", "StartDate", "ActualStartDate"),
    _date("estimated_completion", "Estimated Completion", "EstCompletionDate", "EstimatedCompletionDate"),
    _date("actual_completion", "Actual Completion", "ActCompletionDate", "ActualCompletionDate"),
    replace(
        _money("total_cost", "Total Project Cost", "TotalProjectCost", "ConstructionCost", _DATES),
        on=False,
        group="dates",
    ),
    *TOTAL_FIELDS,
)

EMPLOYEE_FIELDS = (
    _f(Kind.EMPLOYEE, "first_name", "First Name", _T.TEXT, _A, "FirstName", "FirstName", crm_limit=25),
    _f(Kind.EMPLOYEE, "middle_name", "Middle Name", _T.TEXT, _A, "MiddleName", "MiddleName", crm_limit=50),
    _f(Kind.EMPLOYEE, "last_name", "Last Name", _T.TEXT, _A, "LastName", "LastName", crm_limit=50),
    _f(Kind.EMPLOYEE, "title", "Title", _T.TEXT, _A, "Title", "Title", crm_limit=50),
    _f(Kind.EMPLOYEE, "email", "E-mail", _T.EMAIL, _A, "EMail", "Email"),
    _f(Kind.EMPLOYEE, "phone", "Work Phone", _T.PHONE, _A, "WorkPhone", "PrimaryPhoneNumber", crm_limit=24),
    _f(Kind.EMPLOYEE, "mobile", "Mobile", _T.PHONE, _A, "MobilePhone", "SecondaryPhoneNumber", crm_limit=24),
    _f(Kind.EMPLOYEE, "hire_date", "Hire Date", _T.DATE, _A, "HireDate", "DateHired"),
    _f(Kind.EMPLOYEE, "termination_date", "Termination Date", _T.DATE, _A, "TerminationDate", "DateTerminated"),
    _f(Kind.EMPLOYEE, "status", "Status", _T.STATUS, _A, "Status", "Status"),
)

DEFAULT_FIELDS: dict[Kind, tuple[FieldSpec, ...]] = {
    Kind.EMPLOYEE: EMPLOYEE_FIELDS,
    Kind.FIRM: FIRM_FIELDS,
    Kind.CONTACT: CONTACT_FIELDS,
    Kind.PROJECT: PROJECT_FIELDS,
}

# -- status (sync-rules 5) -----------------------------------------------------------------------
# A side's own word -> the group that is compared. I and D are both "inactive" for a firm, so a D is
# never turned into an I: nothing differs.
STATUS_GROUPS: dict[tuple[Kind, Side], dict[str, str]] = {
    (Kind.FIRM, Side.CRM): {"A": "active", "I": "inactive", "D": "inactive"},
    (Kind.FIRM, Side.AJERA): {"Active": "active", "Inactive": "inactive"},
    (Kind.CONTACT, Side.CRM): {"A": "active", "I": "inactive"},
    (Kind.CONTACT, Side.AJERA): {"Active": "active", "Inactive": "inactive"},
    (Kind.PROJECT, Side.CRM): {"A": "active", "D": "hold", "I": "closed"},
    (Kind.PROJECT, Side.AJERA): {
        "Active": "active",
        "Preliminary": "active",
        "Marketing": "active",
        "Hold": "hold",
        "WorkHold": "hold",
        "BillingHold": "hold",
        "Closed": "closed",
    },
    (Kind.EMPLOYEE, Side.CRM): {"A": "active", "I": "inactive", "T": "terminated"},
    (Kind.EMPLOYEE, Side.AJERA): {"Active": "active", "Inactive": "inactive", "Terminated": "terminated"},
}
# A group -> the word written on that side; a group that is missing is never written there
# (a project is never closed in Ajera by itself).
STATUS_WORDS: dict[tuple[Kind, Side], dict[str, str]] = {
    (Kind.FIRM, Side.CRM): {"active": "A", "inactive": "I"},
    (Kind.FIRM, Side.AJERA): {"active": "Active", "inactive": "Inactive"},
    (Kind.CONTACT, Side.CRM): {"active": "A", "inactive": "I"},
    (Kind.CONTACT, Side.AJERA): {"active": "Active", "inactive": "Inactive"},
    (Kind.PROJECT, Side.CRM): {"active": "A", "hold": "D", "closed": "I"},
    (Kind.PROJECT, Side.AJERA): {"active": "Active", "hold": "Hold"},
    (Kind.EMPLOYEE, Side.CRM): {"active": "A", "inactive": "I", "terminated": "T"},
}

PROFILE_CAPS: dict[str, tuple[int | None, int | None]] = {"dps1": (5, 5), "vantagepoint": (None, 20)}
"""Ajera Sync contacts per firm and per project (sync-behaviour 3.2); None is no cap."""


@dataclass(frozen=True, slots=True)
class Guards:
    """Limits of a plan (sync-rules 6). Percentages are of a kind's linked records, 0 to 100, and
    need more than `few` of them."""

    few: int = 10
    blank_percent: float = 5
    blank_records: int = 2  # one cleared field of eleven records is a person's work, not a lost column
    zero_money_percent: float = 5
    zero_money_projects: int = 10
    change_percent: float = 20
    change_records: int = 50
    scheduled_creates: int = 25
    unlinks: int = 5
    short_percent: float = 50  # of what was known, in a complete list; checked before anything is planned


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything a person may set about what a run decides."""

    fields: Mapping[Kind, tuple[FieldSpec, ...]] = field(default_factory=lambda: dict(DEFAULT_FIELDS))
    conflicts: Mapping[str, ConflictPolicy] = field(default_factory=dict)
    first_link: str = "ask"  # or "owner"
    drift: Mapping[str, str] = field(default_factory=dict)  # "list" or "restore", per kind.field
    new_from_ajera: str = "ask"  # or "all"
    auto_link_names: bool = False
    closed_projects: str = "dormant"  # or "follow"
    deleted: Mapping[Kind, str] = field(default_factory=dict)  # "unlink" or "inactive"
    default_template: str | None = None
    allow_flat_template: bool = False
    project_contacts: bool = True
    contact_roles: bool = False  # with a contact that is put on a project's list; never changed afterwards
    budget_source: str = "contract"  # or "cost"; which of the two the CRM means is not documented
    unsplit: str = "refuse"  # or "labor": a total without parts goes into labor
    totals_age_hours: int = 24
    team_since_weeks: int = 52
    firm_cap: int | None = 5
    project_cap: int | None = 5
    guards: Guards = Guards()
    caps_profile: str = "dps1"

    def active_fields(self, kind: Kind) -> tuple[FieldSpec, ...]:
        return tuple(spec for spec in self.fields[kind] if spec.on)

    def spec(self, kind: Kind, name: str) -> FieldSpec | None:
        return next((spec for spec in self.fields[kind] if spec.name == name), None)

    def conflict_policy(self, spec: FieldSpec) -> ConflictPolicy:
        for name in (f"{spec.kind}.{spec.name}", spec.kind.value, "default"):
            if name in self.conflicts:
                return self.conflicts[name]
        return ConflictPolicy.ASK

    def restores_drift(self, spec: FieldSpec) -> bool:
        """Drift is put right by itself where the setting says so; by default for the Ajera Totals."""
        default = "restore" if spec.tab == _TOTALS else "list"
        return self.drift.get(f"{spec.kind}.{spec.name}", self.drift.get(spec.kind.value, default)) == "restore"

    def owner(self, spec: FieldSpec, mode: Mode) -> Owner:
        """In one-way mode the CRM owns every firm, contact and project field (sync-rules 1)."""
        if mode.one_way and spec.kind is not Kind.EMPLOYEE:
            return Owner.CRM
        return spec.owner


# -- versions (sync-rules 1) ---------------------------------------------------------------------
TWO_WAY_SINCE = (8, 9)


def version_numbers(text: str | None) -> tuple[int, ...] | None:
    """ "8.10.00" -> (8, 10, 0): compared as numbers, 8.10 is later than 8.09. None if unreadable."""
    if not text or not re.fullmatch(r"\s*\d+(\.\d+)*\s*", text):
        return None
    return tuple(int(part) for part in text.strip().split("."))


def mode_for(ajera_version: str | None, setting: str = "auto") -> Mode:
    """The direction of a run. A setting can force one-way; none can force two-way on an old version."""
    numbers = version_numbers(ajera_version)
    if numbers is None:
        return Mode(Direction.TO_AJERA, ajera_version, "Ajera did not say its version")
    if numbers < TWO_WAY_SINCE:
        return Mode(Direction.TO_AJERA, ajera_version, f"Ajera {ajera_version} is before 8.09")
    if setting == Direction.TO_AJERA:
        return Mode(Direction.TO_AJERA, ajera_version, "set by [sync] direction")
    return Mode(Direction.TWO_WAY, ajera_version, f"Ajera {ajera_version}")
