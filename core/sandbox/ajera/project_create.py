"""CreateProjects, version 2 only (contract 10.5)."""

from __future__ import annotations

from typing import Any

from core.sandbox.ajera.call import INVALID_DATA, Call, Content, Method, Refused, is_int
from core.sandbox.ajera.data import Record
from core.sandbox.ajera.inward import check_pointers, read_value
from core.sandbox.ajera.project_rules import CRM_FLAGS, check_unique, check_work
from core.sandbox.ajera.project_shapes import bundle
from core.sandbox.ajera.schema import INVOICE_GROUPS, PHASES, PROJECTS, TABLES

# Neither proven nor found to work on create; what becomes of them is a quirk.
_EXTRAS = frozenset(
    {
        "Contacts",
        *CRM_FLAGS,
        *(f"{k}CostBudget" for k in ("Hours", "Labor", "Expense", "Consultant")),
        *(f"{k}ContractAmount" for k in ("Total", "Labor", "Expense", "Consultant")),
    }
)
_ARGUMENTS = {"CreateType", "Project", "InvoiceGroups", "Phases", "Resources"}
_PLACE = {"ProjectKey", "ParentKey", "InvoiceGroupKey", "PhaseKey", "LastModifiedDate"}


def create_projects(call: Call) -> Content:
    """One project with its invoice groups and phases; a badly shaped request is a success that makes nothing."""
    if not _well_shaped(call):
        return _skeleton()
    project = _read(call, "projects", call.args["Project"])
    groups = [_read(call, "invoice_groups", group) for group in call.args["InvoiceGroups"]]
    phases = [_read_phase(call, phase) for phase in call.args["Phases"]]
    _check(call, project, groups, phases)
    return bundle(call, [_save(call, project, groups, phases)])


def _well_shaped(call: Call) -> bool:
    args = call.args
    if args.get("CreateType") != "Project" or set(args) - _ARGUMENTS or not isinstance(args.get("Project"), dict):
        return False
    if not _known("projects", args["Project"]):
        return False
    for name, table in (("InvoiceGroups", "invoice_groups"), ("Phases", "phases")):
        rows = args.get(name)
        if not isinstance(rows, list) or not rows:
            return False
        if not all(_row_shaped(call, table, row) for row in rows):
            return False
    return True


def _row_shaped(call: Call, table: str, row: Any) -> bool:
    if not isinstance(row, dict):
        return False
    below = row.get("Phases", [])
    if table == "phases" and "Phases" in row:
        if call.quirks.create_phases == "flat" or not isinstance(below, list):
            return False
        return _known(table, row) and all(_row_shaped(call, table, each) for each in below)
    return _known(table, row)


def _known(table: str, row: Record) -> bool:
    """Only documented properties and no keys of its own: working requests carry none (contract 6.3)."""
    allowed = (set(TABLES[table].kinds) - {TABLES[table].key} - _PLACE) | {"CustomFields"}
    if table == "phases":
        allowed |= {"Phases"}
    return all(name in allowed or name.startswith("CF_") for name in row)


def _read(call: Call, table: str, row: Record) -> Record:
    """The properties that are taken. Custom fields are always ignored (live), the extras as the quirk says."""
    spec = TABLES[table]
    if call.quirks.create_extras == "error" and _EXTRAS & row.keys():
        raise Refused(INVALID_DATA)
    dropped = _EXTRAS if call.quirks.create_extras == "ignore" and table != "invoice_groups" else frozenset()
    return {
        name: read_value(call, name, spec.kinds[name], value)
        for name, value in row.items()
        if name in spec.kinds and name not in spec.derived and name not in dropped and value not in (None, "")
    }


def _read_phase(call: Call, row: Record) -> Record:
    read = _read(call, "phases", row)
    below = row.get("Phases") or []
    return {**read, "Phases": [_read_phase(call, each) for each in below]} if below else read


def _check(call: Call, project: Record, groups: list[Record], phases: list[Record]) -> None:
    for name in ("Description", "BillingType", "RateTableKey"):
        if not project.get(name):
            raise Refused(INVALID_DATA)
    if "CompanyKey" not in project and len(call.data.tables["companies"]) > 1:
        raise Refused(INVALID_DATA)
    check_work(call, project)
    check_pointers(call, "projects", project)
    check_unique(call, project, None)
    for group in groups:
        if not is_int(group.get("ClientKey")):
            raise Refused(INVALID_DATA)
        if call.quirks.create_invoice_format == "required" and "InvoiceFormatKey" not in group:
            raise Refused(INVALID_DATA)
        check_pointers(call, "invoice_groups", group)
    for phase in phases:
        _check_phase(call, phase)


def _check_phase(call: Call, phase: Record) -> None:
    if not phase.get("Description"):
        raise Refused(INVALID_DATA)
    check_work(call, phase)
    check_pointers(call, "phases", {k: v for k, v in phase.items() if k != "Phases"})
    for each in phase.get("Phases", ()):
        _check_phase(call, each)


def _save(call: Call, project: Record, groups: list[Record], phases: list[Record]) -> int:
    """Phases belong to the first invoice group: the flat request does not link them."""
    if not project.get("ID") and call.quirks.blank_project_id == "auto":
        project["ID"] = f"{call.data.clock().year % 100:02d}-{call.data.take_key('project_ids'):03d}"
    inherited = {n: project[n] for n in ("BillingType", "DepartmentKey", "RateTableKey") if n in project}
    tops = [{**inherited, **phase} for phase in phases]
    nested = [{**group, "Phases": tops if n == 0 else []} for n, group in enumerate(groups)]
    return call.data.insert("projects", {**project, "InvoiceGroups": nested})


def _skeleton() -> Content:
    """The example that the server echoes when it did not understand: no keys, nothing made (contract 4, live)."""
    return {
        "Projects": [{k: v for k, v in PROJECTS.blank().items() if v is not None and k != "Contacts"}],
        "InvoiceGroups": [{k: v for k, v in INVOICE_GROUPS.blank().items() if v is not None}],
        "Phases": [{k: v for k, v in PHASES.blank().items() if v is not None}],
        "Resources": [],
    }


METHODS = {"CreateProjects": Method(create_projects, frozenset({2}), writes=True)}
