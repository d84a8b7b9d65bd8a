"""GetProjectTotals: the running totals, current values and no history (contract 10.4)."""

from __future__ import annotations

from core.sandbox.ajera.call import INVALID_DATA, Call, Content, Method, Refused, is_int
from core.sandbox.ajera.project_shapes import nested


def get_project_totals(call: Call) -> Content:
    """One project per call: RequestedProjectTotals is a scalar, an array is refused.

    The record is the version 1 project with the totals as extra properties, spaces and plus signs in their names, on
    the project and on every phase.
    """
    key = call.args.get("RequestedProjectTotals")
    if not is_int(key):
        raise Refused(INVALID_DATA)
    found = key in call.data.tables["projects"]
    record = nested(call, key, extra=call.data.totals_of) if found else {}
    if call.quirks.totals_shape == "object":
        return {"ProjectTotals": record} if found else {}
    name = "ProjectTotals" if call.quirks.totals_shape == "array" else "Projects"
    return {name: [record] if found else []}


METHODS = {"GetProjectTotals": Method(get_project_totals)}
