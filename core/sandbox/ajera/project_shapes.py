"""Projects on the wire: nested in version 1, four flat arrays in version 2 (contract 10.2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from core.sandbox.ajera.call import Call
from core.sandbox.ajera.data import AjeraData, Record
from core.sandbox.ajera.render import billing_contact, custom_v1, custom_v2, flat, person, present

_PLACE = ("ProjectKey", "ParentKey", "InvoiceGroupKey")
Extra = Callable[[int], Record]


def groups_of(data: AjeraData, project_key: int) -> list[Record]:
    return [data.tables["invoice_groups"][k] for k in data.children["invoice_groups"].get(project_key, ())]


def phases_of(data: AjeraData, project_key: int) -> list[Record]:
    return [data.tables["phases"][k] for k in data.children["phases"].get(project_key, ())]


def resources_of(data: AjeraData, phase_key: int) -> list[Record]:
    return [data.tables["resources"][k] for k in data.children["resources"].get(phase_key, ())]


def nothing(_key: int) -> Record:
    return {}


def nested(call: Call, key: int, *, resources: bool = False, extra: Extra = nothing) -> Record:
    """One version 1 project; `extra` adds properties (totals) to the project and to each phase by key."""
    data, stored = call.data, call.data.tables["projects"][key]
    project = present({**flat(data, "projects", stored, call.quirks), **custom_v1(stored)}, call.quirks)
    phases = phases_of(data, key)
    project["InvoiceGroups"] = [
        {**_group_v1(call, group), "Phases": _phases_v1(call, _top(phases, group), phases, resources, extra)}
        for group in groups_of(data, key)
    ]
    if resources:
        project["Resources"] = []
    return {**project, **extra(key)}


def _top(phases: list[Record], group: Record) -> list[Record]:
    mine = group["InvoiceGroupKey"]
    return [p for p in phases if p["InvoiceGroupKey"] == mine and not _has_parent(p)]


def _has_parent(phase: Record) -> bool:
    return phase["ParentKey"] not in (None, phase["ProjectKey"])


def _phases_v1(call: Call, rows: list[Record], phases: list[Record], resources: bool, extra: Extra) -> list[Record]:
    shown: list[Record] = []
    for stored in rows:
        record = phase_v1(call, stored)
        if resources:
            mine = resources_of(call.data, stored["PhaseKey"])
            record["Resources"] = [present(_resource_v1(call, r), call.quirks) for r in mine]
        below = [p for p in phases if p["ParentKey"] == stored["PhaseKey"]]
        record["Phases"] = _phases_v1(call, below, phases, resources, extra)
        shown.append({**record, **extra(stored["PhaseKey"])})
    return shown


def phase_v1(call: Call, stored: Record) -> Record:
    record = {**flat(call.data, "phases", stored, call.quirks), **custom_v1(stored)}
    return present({k: v for k, v in record.items() if k not in _PLACE}, call.quirks)


def _group_v1(call: Call, stored: Record) -> Record:
    return group_v1(call, {k: v for k, v in stored.items() if k != "ProjectKey"})


def group_v1(call: Call, stored: Record) -> Record:
    """An invoice group with its client as an object."""
    record = flat(call.data, "invoice_groups", stored, call.quirks)
    client = {"ClientKey": record.pop("ClientKey"), "Description": record.pop("ClientDescription")}
    record["Client"] = client if client["ClientKey"] is not None else None
    record["BillingContact"] = billing_contact(call.data, stored["BillingContact"])
    return present(record, call.quirks)


def _resource_v1(call: Call, stored: Record) -> Record:
    record = flat(call.data, "resources", stored, call.quirks)
    del record["PhaseKey"]
    return record


def bundle(call: Call, keys: list[int]) -> dict[str, Any]:
    """The version 2 Content: Projects, InvoiceGroups, Phases, Resources."""
    data, quirks = call.data, call.quirks
    content: dict[str, Any] = {"Projects": [], "InvoiceGroups": [], "Phases": [], "Resources": []}
    for key in keys:
        content["Projects"].append(_project_v2(call, data.tables["projects"][key]))
        content["InvoiceGroups"] += [present(_group_v2(call, g), quirks) for g in groups_of(data, key)]
        for phase in phases_of(data, key):
            content["Phases"].append(phase_v2(call, phase))
            mine = resources_of(data, phase["PhaseKey"])
            content["Resources"] += [present(_resource_v2(call, r), quirks) for r in mine]
    if quirks.resources_v2 == "missing":
        del content["Resources"]
    return content


def _project_v2(call: Call, stored: Record) -> Record:
    record = flat(call.data, "projects", stored, call.quirks)
    del record["Contacts"]
    return {**present(record, call.quirks), **custom_v2(stored)}


def phase_v2(call: Call, stored: Record) -> Record:
    record = flat(call.data, "phases", stored, call.quirks)
    record["ParentKey"] = stored["ParentKey"] or stored["ProjectKey"]
    return {**present(record, call.quirks), **custom_v2(stored)}


def _group_v2(call: Call, stored: Record) -> Record:
    record = flat(call.data, "invoice_groups", stored, call.quirks)
    record["BillingContact"] = billing_contact(call.data, stored["BillingContact"])
    return record


def _resource_v2(call: Call, stored: Record) -> Record:
    """`Employee` with names and no key; the phase under the name the quirk gives (contract 10.2)."""
    record = flat(call.data, "resources", stored, call.quirks)
    for name in ("EmployeeKey", "EmployeeTypeKey", "ActivityKey", "VendorKey", "VendorTypeKey"):
        del record[name]
    for name in [n for n in record if n.endswith("Date")]:
        del record[name]
    phase = record.pop("PhaseKey")
    links = ("PhaseKey", "ParentKey") if call.quirks.resource_link == "both" else (call.quirks.resource_link,)
    employee = person(call.data, {"EmployeeKey": stored["EmployeeKey"]})
    names = {k: v for k, v in (employee or {}).items() if k != "EmployeeKey"}
    return {**dict.fromkeys(links, phase), **record, "Employee": names or None}
