"""Canonical values to Ajera properties: what an update or a create sends. Pure.

Only the properties of the named fields are made; the caller lays them over the record exactly as read, so that
everything else goes back untouched (ajera-api 6.4, 6.5).
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final

from core.ajera.mapping import CUSTOM, LINES, custom_names
from core.ajera.names import ENTITIES
from core.ajera.wire import Phase, Project, Raw, ReferenceRow, read_amount, read_flag, read_key
from core.errors import RecordRefused
from core.model.values import Address, EntryEdit, FieldType, Kind, Ref, Side, Value
from core.policy import FieldSpec
from core.ports import Draft
from core.text import safe_line

NEW: Final = -1  # one record a call, so one negative number is enough (6.3)
_PARTS: Final = (*LINES, "City", "State", "Zip", "Country")
# What CreateProjects leaves aside or is not proven to take, and a following UpdateProjects sets (10.5).
CARRIED_OVER: Final = (
    "HoursCostBudget",
    "LaborCostBudget",
    "ExpenseCostBudget",
    "ConsultantCostBudget",
    "BudgetedOverheadRate",
    "TotalContractAmount",
    "LaborContractAmount",
    "ExpenseContractAmount",
    "ConsultantContractAmount",
    "BillLaborAsTE",
    "BillExpenseAsTE",
    "BillConsultantAsTE",
    "LockFee",
    "WageTableKey",
)


@dataclass(frozen=True)
class Writer:
    """What writing needs: the field map and the reference lists by key property."""

    fields: Mapping[Kind, tuple[FieldSpec, ...]]
    references: Mapping[str, Sequence[ReferenceRow]] = field(default_factory=dict)

    def spec(self, kind: Kind, name: str) -> FieldSpec:
        found = next((spec for spec in self.fields[kind] if spec.name == name), None)
        if found is None or not found.ajera:
            raise refused(f"{name} of a {kind} is not a field that can be written to Ajera")
        return found

    def properties(self, kind: Kind, changes: Mapping[str, Value], raw: Raw) -> Raw:
        """The properties that these fields stand for. `raw` is the record as read ({} for a new one)."""
        found: Raw = {}
        for name, value in changes.items():
            found |= self._property(self.spec(kind, name), value, raw)
        return found

    def _property(self, spec: FieldSpec, value: Value, raw: Raw) -> Raw:
        if spec.custom:
            return {custom_names(spec)[0]: _custom(spec, value, raw)}
        match spec.type:
            case FieldType.ADDRESS:
                return address_properties(value, spec, raw)
            case FieldType.CODE:
                return self._code(spec, value)
            case FieldType.REF:
                return _reference(spec, value)
        return {spec.ajera: plain(value)}

    def _code(self, spec: FieldSpec, value: Value) -> Raw:
        """A code by its description: the Key is written, the description is Ajera's to derive (7.3)."""
        name = key_property(spec)
        text = value.strip() if isinstance(value, str) else ""
        if not text:
            return {name: None}
        rows = [row for row in self.references.get(name, ()) if row.name.strip().casefold() == text.casefold()]
        rows.sort(key=lambda row: (not row.active, row.key))
        if not rows:
            raise refused(f"Ajera has no {spec.label} {safe_line(text, 80)!r}: add it there", spec.ajera)
        return {name: rows[0].key}


def refused(message: str, *columns: str) -> RecordRefused:
    return RecordRefused(Side.AJERA, message, (message,), columns)


def key_property(spec: FieldSpec) -> str:
    """`ClientTypeDescription` is written as `ClientTypeKey`."""
    return spec.ajera.removesuffix("Description") + "Key"


def plain(value: Value) -> Any:
    """A value as JSON: dates ISO, blank text "", a blank date or number null."""
    if isinstance(value, date):
        return value.isoformat()
    return value


def address_properties(value: Value, spec: FieldSpec, raw: Raw) -> Raw:
    """All seven properties; the mailing address follows while it is the same as the primary one (sync-rules 5)."""
    address = value if isinstance(value, Address) else Address()
    if len(address.lines) > len(LINES):
        raise refused(f"the address has {len(address.lines)} lines, Ajera takes {len(LINES)}", spec.ajera)
    lines = (*address.lines, *("",) * (len(LINES) - len(address.lines)))
    values = dict(zip(_PARTS, (*lines, address.city, address.state, address.zip, address.country), strict=True))
    found: Raw = {spec.ajera + part: text for part, text in values.items()}
    if spec.ajera == "PrimaryAddress" and (not raw or read_flag(raw.get("MailingAddressSameAsPrimary"))):
        found |= {f"MailingAddress{part}": text for part, text in values.items()}
        found["MailingAddressSameAsPrimary"] = True
    return found


def _reference(spec: FieldSpec, value: Value) -> Raw:
    if spec.kind is not Kind.PROJECT or spec.ref is not Kind.EMPLOYEE:
        where = "the client's list of contacts" if spec.kind is Kind.CONTACT else "the invoice group in Ajera"
        raise refused(f"{spec.label} is not a property of the {spec.kind}: it is changed on {where}", spec.ajera)
    return {spec.ajera: {"EmployeeKey": int_key(value)} if isinstance(value, Ref) and value.key else None}


def _custom(spec: FieldSpec, value: Value, raw: Raw) -> Any:
    """A pick list goes back as the object it came as, with another value (6.6)."""
    held = raw.get(custom_names(spec)[0])
    if isinstance(held, dict):
        return {**held, "Value": plain(value)}
    return plain(value)


def int_key(value: Value) -> int:
    """The key of a reference as Ajera's integer."""
    key = value.key if isinstance(value, Ref) else ""
    if not isinstance(value, Ref) or value.side is not Side.AJERA or not key.isdecimal():
        raise refused(f"a reference to {safe_line(value, 60)} is not a key of Ajera")
    return int(key)


# -- updates ---------------------------------------------------------------------------------------


def twin(raw: Raw, properties: Raw) -> Raw:
    """The updated record: the record as read with these properties laid over it."""
    return {**copy.deepcopy(raw), **properties}


def differs(raw: Raw, properties: Raw) -> Raw:
    """The properties that are not so already; absent, null and "" are alike (3.2)."""
    return {name: value for name, value in properties.items() if _canonical(raw.get(name)) != _canonical(value)}


def _canonical(value: object) -> object:
    if value in (None, "", [], {}):
        return None
    if isinstance(value, dict) and "EmployeeKey" in value:
        return read_key(value["EmployeeKey"])
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return Decimal(value)
    return value


def edited_contacts(raw: Raw, edit: EntryEdit) -> list[Raw]:
    """The Contacts array after the edit: entries not named stay as they are, new ones come last."""
    gone = {int_key(ref) for ref in edit.remove}
    entries = [
        copy.deepcopy(entry) for entry in raw.get("Contacts") or [] if read_key(entry.get("ContactKey")) not in gone
    ]
    held = {read_key(entry.get("ContactKey")) for entry in entries}
    order = max((read_amount(entry.get("Order")) or Decimal(0) for entry in entries), default=Decimal(0))
    for place, ref in enumerate(edit.add):
        key = int_key(ref)
        if key not in held:
            order += 1
            held.add(key)
            entries.append({"ContactKey": key, "Order": int(order), "Text": edit.role(place)})
    return entries


def v2_properties(properties: Raw, project: Raw) -> Raw:
    """Properties of version 1 as version 2 wants them: custom fields in their object (6.6)."""
    found = {name: value for name, value in properties.items() if not name.startswith(CUSTOM)}
    custom = {name.removeprefix(CUSTOM): value for name, value in properties.items() if name.startswith(CUSTOM)}
    if custom:
        held = project.get("CustomFields")
        found["CustomFields"] = {**(held if isinstance(held, dict) else {}), **custom}
    return found


# -- creates ---------------------------------------------------------------------------------------


def new_record(writer: Writer, draft: Draft) -> Raw:
    """A client or contact for its Update method, under a negative key (6.3).

    A contact's firm is not part of it: the link is an entry of the client's list, an update of its own (7.3).
    """
    fields = {name: value for name, value in draft.fields.items() if name != "firm" and value not in (None, "")}
    number = draft.number.strip()
    if draft.kind is Kind.FIRM and number:
        fields.setdefault("number", number)
    properties = writer.properties(draft.kind, fields, {})
    return {ENTITIES[draft.kind].key: NEW, "Status": "Active", **properties}


@dataclass(frozen=True)
class NewProject:
    """The three parts of CreateProjects, and the phases a flat create leaves out."""

    project: Raw
    group: Raw
    phases: tuple[Raw, ...]
    left_out: tuple[str, ...]


def new_project(
    writer: Writer, draft: Draft, template: Project, raw: Raw, *, nested: bool, allow_flat: bool
) -> NewProject:
    """CreateProjects with the properties that are proven to work, the rest of them from the template (10.5)."""
    phases, left_out = _phases(template, nested)
    if left_out and not allow_flat:
        raise refused(
            f"the template {safe_line(template.Description, 80)!r} has nested phases, which this Ajera is not known "
            "to take on create: choose another, or set allow_flat_template"
        )
    if not phases:
        raise refused(f"the template {safe_line(template.Description, 80)!r} has no phase; Ajera wants one at least")
    project = _from_template(writer, template, raw) | _from_draft(writer, draft)
    _require(project)
    return NewProject(project, _group(writer, draft, template), phases, left_out)


def _from_template(writer: Writer, template: Project, raw: Raw) -> Raw:
    found: Raw = {"BillingType": template.BillingType, "Status": "Active"}
    for name in ("CompanyKey", "DepartmentKey", "ProjectTypeKey", "RateTableKey"):
        if (key := read_key(raw.get(name))) is not None:
            found[name] = key
    for name in ("RateTableKey", "CompanyKey"):  # both are needed; a tenant that has but one leaves no choice
        rows = writer.references.get(name, ())
        if name not in found and len(rows) == 1:
            found[name] = rows[0].key
    for name, person in (
        ("ProjectManager", template.ProjectManager),
        ("PrincipalInCharge", template.PrincipalInCharge),
    ):
        if person and person.EmployeeKey:
            found[name] = {"EmployeeKey": person.EmployeeKey}
    return found | ({"Notes": template.Notes} if template.Notes else {})


_ON_CREATE: Final[Mapping[str, str]] = {
    "start_date": "EstimatedStartDate",
    "estimated_completion": "EstimatedCompletionDate",
}
_PROVEN: Final = frozenset({"name", "manager", "principal", "type", "status"})


def _from_draft(writer: Writer, draft: Draft) -> Raw:
    filled = {name: value for name, value in draft.fields.items() if value not in (None, "")}
    found = writer.properties(Kind.PROJECT, {n: v for n, v in filled.items() if n in _PROVEN}, {})
    found |= {prop: plain(filled[name]) for name, prop in _ON_CREATE.items() if isinstance(filled.get(name), date)}
    number = str(filled.get("number") or draft.number).strip()
    return found | ({"ID": number} if number else {})


def _require(project: Raw) -> None:
    missing = [name for name in ("Description", "BillingType", "RateTableKey") if not project.get(name)]
    if missing:
        raise refused(f"Ajera needs {', '.join(missing)} for a new project and the template has none", *missing)


def _group(writer: Writer, draft: Draft, template: Project) -> Raw:
    client = draft.fields.get("client")
    if not isinstance(client, Ref):
        raise refused("a new project needs its client in Ajera first", "ClientKey")
    groups = sorted(template.InvoiceGroups, key=lambda group: group.InvoiceGroupKey or 0)
    first = groups[0] if groups else None
    found: Raw = {
        "Description": (first.Description if first else "") or "Invoice Group 1",
        "ClientKey": int_key(client),
    }
    formats = [row.key for row in writer.references.get("InvoiceFormatKey", ()) if row.active]
    format_key = (first.InvoiceFormatKey if first else None) or (formats[0] if len(formats) == 1 else None)
    return found | ({"InvoiceFormatKey": format_key} if format_key else {})


def _phases(template: Project, nested: bool) -> tuple[tuple[Raw, ...], tuple[str, ...]]:
    """Phases with their proven properties, and the names of those below the top that a flat create leaves out."""
    if nested:
        return tuple(map(_deep, template.top_phases)), ()
    left_out = tuple(name for phase in template.top_phases for name in _below(phase))
    return tuple(map(_shallow, template.top_phases)), left_out


def _shallow(phase: Phase) -> Raw:
    found: Raw = {"Description": phase.Description}
    if phase.DepartmentKey:
        found["DepartmentKey"] = phase.DepartmentKey
    return found | ({"BillingType": phase.BillingType} if phase.BillingType else {})


def _deep(phase: Phase) -> Raw:
    below = [_deep(each) for each in phase.Phases]
    return _shallow(phase) | ({"Phases": below} if below else {})


def _below(phase: Phase) -> list[str]:
    return [name for each in phase.Phases for name in (each.Description, *_below(each))]


def nests(template: Project) -> bool:
    return any(phase.Phases for phase in template.top_phases)


def finishing(writer: Writer, draft: Draft, template: Raw, project: Raw, *, sync_to_crm: bool) -> Raw:
    """What the new project still lacks: the template's amounts, flags and custom fields, and the draft's own."""
    wanted: Raw = {name: template[name] for name in CARRIED_OVER if template.get(name) not in (None, "")}
    wanted |= {name: value for name, value in template.items() if name.startswith(CUSTOM) and value not in (None, "")}
    custom = {spec.name for spec in writer.fields[Kind.PROJECT] if spec.on and spec.custom}
    own = {name: value for name, value in draft.fields.items() if name in custom and value not in (None, "")}
    wanted |= writer.properties(Kind.PROJECT, own, template)
    if sync_to_crm:
        wanted["SyncToCRM"] = True
    return {name: value for name, value in differs(project, wanted).items() if not _nothing(value, project.get(name))}


PHASE_TERMS: Final = (*CARRIED_OVER, "RateTableKey", "PercentDistribution")


def finished_groups(template: Raw, project: Raw, *, careful: bool = False) -> list[Raw] | None:
    """The new project's invoice groups with its phases as the template has them; None where nothing is to be written.

    A phase is its template's by its place: the same description, below the same phase. `careful` fills only what is
    empty yet. CreateProjects is proven for a phase's description, department and billing type alone (10.5).
    """
    groups: list[Raw] = copy.deepcopy(project.get("InvoiceGroups") or [])
    asked = [phase for group in template.get("InvoiceGroups") or [] for phase in group.get("Phases") or []]
    made = [phase for group in groups for phase in group.get("Phases") or []]
    return groups if _finish_phases(asked, made, careful) else None


def _finish_phases(asked: Sequence[Raw], made: Sequence[Raw], careful: bool) -> bool:
    """Whether anything moved. Of several phases of one name the first is the first."""
    moved, free = False, list(made)
    for wanted in asked:
        phase = next((each for each in free if each.get("Description") == wanted.get("Description")), None)
        if phase is None:
            continue
        free.remove(phase)
        terms = {name: wanted[name] for name in PHASE_TERMS if wanted.get(name) not in (None, "")}
        terms |= {name: v for name, v in wanted.items() if name.startswith(CUSTOM) and v not in (None, "")}
        new = {name: v for name, v in differs(phase, terms).items() if not _nothing(v, phase.get(name))}
        if careful:
            new = {name: value for name, value in new.items() if phase.get(name) in (None, "", 0, False)}
        phase.update(new)
        below = _finish_phases(wanted.get("Phases") or [], phase.get("Phases") or [], careful)
        moved = moved or bool(new) or below
    return moved


def _nothing(value: object, held: object) -> bool:
    """A zero or No where the project has nothing is no difference."""
    return held in (None, "") and value in (0, False)
