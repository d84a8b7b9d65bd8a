"""ListProjectTemplates and GetProjectTemplates (contract 10.7)."""

from __future__ import annotations

from core.sandbox.ajera import filters
from core.sandbox.ajera.call import Call, Content, Method
from core.sandbox.ajera.data import Record
from core.sandbox.ajera.gets import fetch
from core.sandbox.ajera.project_shapes import group_v1, phase_v1
from core.sandbox.ajera.projects import filters_of
from core.sandbox.ajera.render import custom_v1, flat, present

_FILTERS = filters_of("project_templates")


def list_project_templates(call: Call) -> Content:
    rows = filters.select(call, "project_templates", _FILTERS)
    return {
        "ProjectTemplates": [{"ProjectTemplateKey": k, "ID": r["ID"], "Description": r["Description"]} for k, r in rows]
    }


def show(call: Call, key: int) -> Record:
    """The nested version 1 project shape with ProjectTemplateKey and no ProjectKey."""
    stored = call.data.tables["project_templates"][key]
    record = flat(call.data, "project_templates", stored, call.quirks)
    record["InvoiceGroups"] = [_group(call, group, stored["LastModifiedDate"]) for group in stored["InvoiceGroups"]]
    return present({**record, **custom_v1(stored)}, call.quirks)


def _group(call: Call, group: Record, stamp: str) -> Record:
    return {**group_v1(call, group), "Phases": [_phase(call, phase, stamp) for phase in group["Phases"]]}


def _phase(call: Call, phase: Record, stamp: str) -> Record:
    """A template is saved as a whole, so its phases carry its stamp."""
    below = [_phase(call, each, stamp) for each in phase["Phases"]]
    return {**phase_v1(call, phase), "LastModifiedDate": stamp, "Phases": below}


def get_project_templates(call: Call) -> Content:
    """The argument is RequestedProjects, not RequestedProjectTemplates; the keys are template keys."""
    return {"ProjectTemplates": fetch(call, "RequestedProjects", "project_templates", show)}


METHODS = {
    "ListProjectTemplates": Method(list_project_templates),
    "GetProjectTemplates": Method(get_project_templates),
}
