"""Raw Ajera records to canonical records. Pure: no I/O, no clock (today is given).

`Reader` turns one raw dict into a `Record` after the field map of core/policy.py. What a property may look
like is in wire.py, what each means in ajera-api 7 to 10. Writing is core/ajera/writing.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final

from core.ajera.names import ENTITIES
from core.ajera.wire import (
    Client,
    Contact,
    ContactEntry,
    Employee,
    Phase,
    Project,
    Raw,
    read_amount,
    read_day,
    read_flag,
    read_key,
    read_stamp,
    read_text,
    validated,
)
from core.errors import BadReply
from core.model.record import Entry, Record
from core.model.values import Address, FieldType, Kind, Ref, Side, Value
from core.policy import TOTAL_FIELDS, FieldSpec
from core.quirks.ajera import AjeraQuirks
from core.version import VERSION

MAPPING: Final = 1  # moves when a row is made into another record than before
LINES: Final = ("LineOne", "LineTwo", "LineThree")
CUSTOM: Final = "CF_"

# The only employee properties that get past the parser (sync-rules 3): pay, social security number, birth
# date, gender, home address, credit cards and free text are not among them, and neither is anything unknown.
HARMLESS: Final = frozenset(
    [
        "EmployeeKey",
        "LastModifiedDate",
        "FirstName",
        "MiddleName",
        "LastName",
        "Title",
        "Status",
        "CompanyKey",
        "DepartmentKey",
        "SupervisorKey",
        "IsPrincipal",
        "IsSupervisor",
        "IsProjectManager",
        "IsMarketingContact",
        "EmployeeTypeKey",
        "EmployeeTypeDescription",
        "Email",
        "PrimaryPhoneNumber",
        "SecondaryPhoneNumber",
        "FaxNumber",
        "DateHired",
        "DateRehired",
        "DateTerminated",
    ]
)
# Never, even if a field map asks for them.
SENSITIVE: Final = frozenset(
    [
        "SocialSecurityNumber",
        "PayRates",
        "BirthDate",
        "Gender",
        "PayrollServiceID",
        "CreditCards",
        "Contacts",
        "BillablePercent",
        "OverheadGroupKey",
    ]
)
# Inputs of the CRM's Budget & Revenue tab (sync-rules 8), computed elsewhere from Record.extra by these names.
BUDGET_AMOUNTS: Final = (
    "TotalContractAmount",
    "LaborContractAmount",
    "ExpenseContractAmount",
    "ConsultantContractAmount",
    "HoursCostBudget",
    "LaborCostBudget",
    "ExpenseCostBudget",
    "ConsultantCostBudget",
    "BudgetedOverheadRate",
    "ReportedPercentComplete",
    "ConstructionCost",
)
BUDGET_FLAGS: Final = ("BillLaborAsTE", "BillExpenseAsTE", "BillConsultantAsTE")
_ELSEWHERE: Final = frozenset(spec.name for spec in TOTAL_FIELDS)  # GetProjectTotals, not the record
_HUNDRED: Final = Decimal(100)


@dataclass(frozen=True)
class Reader:
    """What reading needs besides the raw record: the field map, the quirks, today, the departments' overhead."""

    fields: Mapping[Kind, tuple[FieldSpec, ...]]
    quirks: AjeraQuirks
    today: date
    overhead: Mapping[int, Decimal] = field(default_factory=dict)

    def record(self, kind: Kind, raw: Raw) -> Record:
        """The record of a raw dict. Raises BadReply (names of properties only) where it cannot be read."""
        try:
            return _READERS[kind](self, raw)
        except (ValueError, OverflowError):
            problem = BadReply(Side.AJERA, f"Ajera's answer holds an unreadable {kind.value}")
        raise problem

    def records(self, kind: Kind, raws: Iterable[Raw]) -> list[Record]:
        return [self.record(kind, raw) for raw in raws]

    def depends_on(self, kind: Kind) -> str:
        """What a record is made from besides its row, as text: another text, and the same row may be another record."""
        return repr((MAPPING, VERSION, self.fields[kind], self.quirks, sorted(self.overhead.items())))

    def specs(self, kind: Kind) -> list[FieldSpec]:
        """The fields that are read from the record's own properties."""
        return [spec for spec in self.fields[kind] if spec.on and spec.ajera and spec.name not in _ELSEWHERE]

    def plain(self, kind: Kind, raw: Raw) -> dict[str, Value]:
        """Every mapped field that one property (or one address) holds; references and special cases are added."""
        return {
            spec.name: read_value(spec, raw)
            for spec in self.specs(kind)
            if spec.type not in (FieldType.REF, FieldType.ENTRIES)
        }

    def has(self, kind: Kind, name: str) -> bool:
        return any(spec.name == name for spec in self.specs(kind))


def harmless_employee(raw: Raw, fields: tuple[FieldSpec, ...] = ()) -> Raw:
    """An employee without anything sensitive: a white list, plus custom fields that the field map names."""
    wanted = HARMLESS | {name for spec in fields if spec.on and spec.custom for name in custom_names(spec)}
    return {name: value for name, value in raw.items() if name in wanted and name not in SENSITIVE}


# -- one value -------------------------------------------------------------------------------------


def read_value(spec: FieldSpec, raw: Raw) -> Value:
    """One field of a raw record. Absent, null and "" are all blank (3.2)."""
    if spec.type is FieldType.ADDRESS:
        return read_address(raw, spec.ajera)
    value = custom_value(spec, raw) if spec.custom else raw.get(spec.ajera)
    return _TYPES.get(spec.type, read_text)(value)


_TYPES: Final[Mapping[FieldType, Callable[[object], Value]]] = {
    FieldType.DATE: read_day,
    FieldType.MONEY: read_amount,
    FieldType.NUMBER: read_amount,
    FieldType.FLAG: read_flag,
}


def custom_names(spec: FieldSpec) -> tuple[str, str]:
    """A custom field's property in version 1 and its name in version 2 (6.6)."""
    name = spec.ajera.removeprefix(CUSTOM)
    return CUSTOM + name, name


def custom_value(spec: FieldSpec, raw: Raw) -> object:
    """A custom field's value; a pick list is an object that holds it."""
    property_, name = custom_names(spec)
    found = raw.get(property_)
    if found is None and isinstance(raw.get("CustomFields"), dict):
        found = raw["CustomFields"].get(name)
    return found.get("Value") if isinstance(found, dict) else found


def read_address(raw: Raw, prefix: str) -> Address:
    """`PrimaryAddressLineOne` and its six sisters as one value."""
    lines = tuple(text for part in LINES if (text := read_text(raw.get(prefix + part))).strip())
    city, state, zip_, country = (read_text(raw.get(prefix + part)) for part in ("City", "State", "Zip", "Country"))
    return Address(lines, city, state, zip_, country)


def changed_at(stamp: str) -> dict[str, str]:
    """The stamp as a moment (ISO), for screens and for `newest`; left out where it names none."""
    moment = read_stamp(stamp)
    return {"changed_at": moment.isoformat()} if moment else {}


def person_name(last: str, first: str) -> str:
    return ", ".join(part for part in (last, first) if part.strip())


def entries_of(entries: list[ContactEntry]) -> tuple[Entry, ...]:
    """A Contacts array in its own order."""
    ordered = sorted(enumerate(entries), key=lambda pair: (pair[1].Order or Decimal(0), pair[0]))
    return tuple(Entry(str(entry.ContactKey), entry.Text) for _, entry in ordered if entry.ContactKey)


def _ref(kind: Kind, key: int | None) -> Ref | None:
    return Ref(kind, Side.AJERA, str(key)) if key else None


# -- kinds -----------------------------------------------------------------------------------------


def _firm(reader: Reader, raw: Raw) -> Record:
    wire = validated(Client, raw, "GetClients")
    return Record(
        Kind.FIRM,
        Side.AJERA,
        str(wire.ClientKey),
        wire.Description,
        wire.LastModifiedDate,
        fields=reader.plain(Kind.FIRM, raw),
        number=wire.AccountID,
        contacts=entries_of(wire.Contacts),
        extra=changed_at(wire.LastModifiedDate),
        raw=raw,
    )


def _contact(reader: Reader, raw: Raw) -> Record:
    wire = validated(Contact, raw, "GetContacts")
    fields = reader.plain(Kind.CONTACT, raw)
    if reader.has(Kind.CONTACT, "firm"):
        fields["firm"] = _ref(Kind.FIRM, wire.ContactClientKey)
    extra = {"company": wire.Company, "type": wire.ContactTypeDescription, **changed_at(wire.LastModifiedDate)}
    return Record(
        Kind.CONTACT,
        Side.AJERA,
        str(wire.ContactKey),
        person_name(wire.LastName, wire.FirstName) or wire.Company,
        wire.LastModifiedDate,
        fields=fields,
        extra=extra,
        raw=raw,
    )


def _employee(reader: Reader, raw: Raw) -> Record:
    raw = harmless_employee(raw, reader.fields[Kind.EMPLOYEE])
    wire = validated(Employee, raw, "GetEmployees")
    fields = reader.plain(Kind.EMPLOYEE, raw)
    if "status" in fields and terminated(wire, reader.today):
        fields["status"] = "Terminated"
    extra = {
        "is_project_manager": "Y" if wire.IsProjectManager else "N",
        "is_principal": "Y" if wire.IsPrincipal else "N",
        "type": wire.EmployeeTypeDescription,
        **changed_at(wire.LastModifiedDate),
    }
    return Record(
        Kind.EMPLOYEE,
        Side.AJERA,
        str(wire.EmployeeKey),
        person_name(wire.LastName, wire.FirstName),
        wire.LastModifiedDate,
        fields=fields,
        extra=extra,
        raw=raw,
    )


def terminated(wire: Employee, today: date) -> bool:
    """Terminated when DateTerminated is past, unless rehired since (sync-rules 5)."""
    gone = wire.DateTerminated
    if gone is None or gone >= today:
        return False
    return wire.DateRehired is None or wire.DateRehired <= gone


def _project(reader: Reader, raw: Raw) -> Record:
    wire = validated(Project, raw, "GetProjects")
    fields = reader.plain(Kind.PROJECT, raw)
    extra = {**budget_inputs(reader, wire, raw), **changed_at(wire.LastModifiedDate)}
    _people(reader, wire, fields)
    _client(reader, wire, fields, extra)
    if "start_date" in fields:  # ActualStartDate, else EstimatedStartDate (sync-rules 8)
        fields["start_date"] = wire.ActualStartDate or wire.EstimatedStartDate
    if "percent_complete" in fields:
        fields["percent_complete"] = percent(raw.get("ReportedPercentComplete"), reader.quirks)
    if "overhead_rate" in fields:
        fields["overhead_rate"] = read_amount(raw.get("BudgetedOverheadRate")) or reader.overhead.get(
            wire.DepartmentKey or 0
        )
    return Record(
        Kind.PROJECT,
        Side.AJERA,
        str(wire.ProjectKey),
        wire.Description,
        wire.LastModifiedDate,
        fields=fields,
        marked=wire.SyncToCRM,
        create_in_crm=wire.CreateInCRM,
        number=wire.ID,
        contacts=entries_of(wire.Contacts),
        extra=extra,
        raw=raw,
    )


def _people(reader: Reader, wire: Project, fields: dict[str, Value]) -> None:
    for name, person in (("manager", wire.ProjectManager), ("principal", wire.PrincipalInCharge)):
        if reader.has(Kind.PROJECT, name):
            fields[name] = _ref(Kind.EMPLOYEE, person.EmployeeKey if person else None)


def _client(reader: Reader, wire: Project, fields: dict[str, Value], extra: dict[str, str]) -> None:
    """The client of the invoice group with the lowest key; groups that disagree decide nothing (sync-rules 5)."""
    groups = sorted(wire.InvoiceGroups, key=lambda group: group.InvoiceGroupKey or 0)
    clients = {group.client for group in groups}
    if len(clients) > 1:
        extra["client_note"] = f"its {len(groups)} invoice groups name {len(clients)} different clients"
    elif reader.has(Kind.PROJECT, "client"):
        fields["client"] = _ref(Kind.FIRM, groups[0].client if groups else None)


def budget_inputs(reader: Reader, wire: Project, raw: Raw) -> dict[str, str]:
    """What Budget & Revenue is computed from, by Ajera's names: amounts as text, flags Y or N.

    An absent amount is left out. `ReportedPercentComplete` is on the scale 0 to 100. `PhaseTerms` is "differ"
    where a phase is billed otherwise than its project, else "same".
    """
    found = {"BillingType": wire.BillingType, "Status": wire.Status}
    found |= {name: "Y" if read_flag(raw.get(name)) else "N" for name in BUDGET_FLAGS}
    for name in BUDGET_AMOUNTS:
        amount = read_amount(raw.get(name))
        if name == "ReportedPercentComplete":
            amount = percent(raw.get(name), reader.quirks)
        if amount is not None:
            found[name] = str(amount)
    overhead = reader.overhead.get(wire.DepartmentKey or 0)
    if overhead is not None:
        found["DepartmentOverheadPercent"] = str(overhead)
    same = all(phase.terms == wire.terms for phase in all_phases(wire) if phase.BillingType)
    found["PhaseTerms"] = "same" if same else "differ"
    return found


def percent(value: object, quirks: AjeraQuirks) -> Decimal | None:
    """Percent complete from 0 to 100, whatever scale this tenant uses."""
    amount = read_amount(value)
    if amount is None or quirks.percent_scale == "hundred":
        return amount
    return amount * _HUNDRED


def all_phases(wire: Project) -> list[Phase]:
    """Phases of every level, parents before children."""
    found: list[Phase] = []
    waiting = list(wire.top_phases)
    while waiting:
        phase = waiting.pop(0)
        found.append(phase)
        waiting = list(phase.Phases) + waiting
    return found


_READERS: Final[Mapping[Kind, Callable[[Reader, Raw], Record]]] = {
    Kind.FIRM: _firm,
    Kind.CONTACT: _contact,
    Kind.EMPLOYEE: _employee,
    Kind.PROJECT: _project,
}


def key_of(kind: Kind, raw: Mapping[str, Any]) -> int | None:
    """The key of a row or record; None where it has none."""
    return read_key(raw.get(ENTITIES[kind].key))
