"""The permission screen: every method name of contract 11, who answers it and on which session version."""

from __future__ import annotations

from core.sandbox.ajera import (
    accounting,
    clients,
    contacts,
    employees,
    lists,
    project_create,
    project_update,
    projects,
    templates,
    timesheet_writes,
    timesheets,
    totals,
    vendors,
)
from core.sandbox.ajera.call import INVALID_DATA, Call, Content, Method, Refused


def _shape_not_known(_call: Call) -> Content:
    """The name is in the permission list, but no source shows its arguments: whatever comes is invalid data."""
    raise Refused(INVALID_DATA)


_V1, _V2 = frozenset({1}), frozenset({2})
_NAMES_ONLY = {
    "UpdateProjectsWithResources": _V1,
    "DownloadExpenseReports": _V1,
    "UpdateExpenseReports": _V1,
    "UploadExpenseReports": _V1,
    "DownloadVendorInvoices": _V2,
    "UpdateVendorInvoices": _V2,
    "DeleteVendorInvoices": _V2,
    "UploadVendorInvoices": _V2,
}

METHODS: dict[str, Method] = {
    **{name: Method(_shape_not_known, versions, writes=True) for name, versions in _NAMES_ONLY.items()},
    **lists.METHODS,
    **clients.METHODS,
    **contacts.METHODS,
    **employees.METHODS,
    **vendors.METHODS,
    **projects.METHODS,
    **project_create.METHODS,
    **project_update.METHODS,
    **templates.METHODS,
    **totals.METHODS,
    **timesheets.METHODS,
    **timesheet_writes.METHODS,
    **accounting.METHODS,
}
