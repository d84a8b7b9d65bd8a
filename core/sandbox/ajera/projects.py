"""ListProjects, GetProjects, GetProjectsWithResources, ListChargeablePhases (contract 10)."""

from __future__ import annotations

from typing import Any

from core.sandbox.ajera import filters
from core.sandbox.ajera.call import INVALID_DATA, Call, Content, Method, Refused, is_int
from core.sandbox.ajera.data import Record
from core.sandbox.ajera.gets import fetch, requested
from core.sandbox.ajera.project_shapes import bundle, nested, phases_of

_BOTH = frozenset({1, 2})


def _status(call: Call, value: Any) -> filters.Test:
    """Honoured, or narrowed to Active as one team saw it (contract 6.2)."""
    if call.quirks.project_status_filter == "active":
        return lambda _key, record: bool(record["Status"] == "Active")
    test = filters.one_of("Status")(call, value)
    assert test is not None
    return test


def filters_of(table: str) -> dict[str, filters.Filter]:
    """The filters of ListProjects, which ListProjectTemplates shares."""
    return {
        "FilterByStatus": _status,
        "FilterByCompany": filters.key_in("CompanyKey", absent_matches=True),
        "FilterByNameLike": filters.like("Description", "ID"),
        "FilterByDescriptionLike": filters.like("Description"),
        "FilterByDescriptionEquals": filters.equals("Description"),
        "FilterByIDLike": filters.like("ID"),
        "FilterByProjectType": filters.key_in("ProjectTypeKey"),
        "FilterBySyncToCRM": filters.flag_in("SyncToCRM"),
        **filters.modified(table),
    }


_FILTERS = filters_of("projects")


def list_projects(call: Call) -> Content:
    rows = filters.select(call, "projects", _FILTERS)
    return {"Projects": [{"ProjectKey": k, "ID": r["ID"], "Description": r["Description"]} for k, r in rows]}


def get_projects(call: Call) -> Content:
    """Nested on a version 1 session, four flat arrays on a version 2 one."""
    if call.version == 1:
        return {"Projects": fetch(call, "RequestedProjects", "projects", nested)}
    return bundle(call, requested(call, "RequestedProjects", "projects"))


def get_projects_with_resources(call: Call) -> Content:
    keys = requested(call, "RequestedProjects", "projects")
    return {"Projects": [nested(call, key, resources=True) for key in keys]}


def list_chargeable_phases(call: Call) -> Content:
    """Flat, Level 0 = the project, 1 and more = phases; ProjectKey is a required scalar (contract 10.9)."""
    key = call.args.get("ProjectKey")
    if not is_int(key):
        raise Refused(INVALID_DATA)
    project = call.data.tables["projects"].get(key)
    if project is None:
        return {"ChargeablePhases": []}
    rows = [_chargeable(project, key, 0, str(project["ID"]), enabled=False)]
    rows += _below(phases_of(call.data, key), None, key, 1, str(project["ID"]))
    return {"ChargeablePhases": rows}


def _below(phases: list[Record], parent: int | None, project_key: int, level: int, path: str) -> list[Record]:
    rows: list[Record] = []
    here = [p for p in phases if p["ParentKey"] == parent or (parent is None and p["ParentKey"] == project_key)]
    for number, phase in enumerate(here, 1):
        wbs = f"{path}.{phase['ID'] or number}"
        chargeable = bool(phase["LaborEntry"]) and phase["Status"] == "Active"
        rows.append(_chargeable(phase, phase["PhaseKey"], level, wbs, enabled=chargeable))
        rows += _below(phases, phase["PhaseKey"], project_key, level + 1, wbs)
    return rows


def _chargeable(record: Record, key: int, level: int, wbs: str, *, enabled: bool) -> Record:
    return {
        "Key": key,
        "Description": record["Description"],
        "Level": level,
        "Enabled": enabled,
        "WBS": wbs,
        "RequireNotes": record["RequireTimesheetNotes"],
    }


METHODS = {
    "ListProjects": Method(list_projects, _BOTH),
    "GetProjects": Method(get_projects, _BOTH),
    "GetProjectsWithResources": Method(get_projects_with_resources),
    "ListChargeablePhases": Method(list_chargeable_phases, _BOTH),
}
