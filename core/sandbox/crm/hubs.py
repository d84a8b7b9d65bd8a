"""The hubs firm, contact, project and employee: list, one, create, update, delete (contract sections 3, 4, 9 to 12)."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

from starlette.responses import Response

from core.sandbox.crm.query import page
from core.sandbox.crm.replies import Refusal, json_reply
from core.sandbox.crm.rows import Row
from core.sandbox.crm.saving import create, delete, missing, update
from core.sandbox.crm.tenant import Call, Tenant
from core.sandbox.crm.views import shown


def list_hub(tenant: Tenant, table: str, call: Call) -> Response:
    """GET list: filtered, ordered, cut to a page; no total count is told."""
    quirks = tenant.quirks
    rows = tenant.selector(table).select(_candidates(tenant, table, call), call.query)
    cut = page(rows, call.query, quirks.default_page_size, quirks.max_page_size)
    return json_reply(shown(tenant.dialect, table, cut, call.query.fields))


def _candidates(tenant: Tenant, table: str, call: Call) -> Iterable[Row]:
    rows = tenant.data.tables[table].values()
    level = call.query.wbstype
    if table != "project" or not level:
        return rows
    if level not in ("wbs1", "wbs2", "wbs3"):
        raise Refusal(400, f"The value '{level}' is not valid for wbstype.")
    depth = int(level[-1])
    return (row for row in rows if _depth(row) == depth)


def _depth(row: Row) -> int:
    return 3 if row["WBS3"].strip() else 2 if row["WBS2"].strip() else 1


def hierarchy(tenant: Tenant, key: str, call: Call) -> Response:
    """GET /project/hierarchy/{key}: the rows right below a project or phase."""
    found = existing(tenant, "project", key)
    depth = found.count("|") + 2
    rows = tenant.data.rows("project", "WBS1", found.split("|", maxsplit=1)[0])
    below = [row for row in rows if _depth(row) == depth and _inside(row, found)]
    picked = tenant.selector("project").select(below, call.query)
    return json_reply(shown(tenant.dialect, "project", page(picked, call.query, 0, 0), call.query.fields))


def _inside(row: Row, parent: str) -> bool:
    return f"{row['WBS1']}|{row['WBS2'].strip()}|".startswith(f"{parent}|")


def existing(tenant: Tenant, table: str, key: str) -> str:
    """The stored key of an existing record. Refusal 404 if there is none."""
    try:
        return tenant.data.find_key(table, key)
    except KeyError as error:
        raise Refusal(404, f"Record {key} does not exist.") from error


def read_one(tenant: Tenant, table: str, key: str, call: Call) -> Response:
    """GET one: an array with one record."""
    if tenant.quirks.missing_get == "empty" and not tenant.data.has(table, key):
        return json_reply([])
    return _record(tenant, table, existing(tenant, table, key), call, always_array=True)


def create_one(tenant: Tenant, table: str, call: Call, at: str) -> Response:
    """POST: 201 with Location and the created record."""
    key = create(tenant, table, call, call.document())
    reply = _record(tenant, table, key, call, status=201, location=f"{at}/{quote(key, safe='')}")
    _workflow(tenant, table, key, call)
    return reply


def update_one(tenant: Tenant, table: str, key: str, call: Call, at: str) -> Response:
    """PUT: the sent fields change, the whole record comes back."""
    body = call.document()
    if not tenant.data.has(table, key):
        if tenant.quirks.put_missing == "create":
            return create_one(tenant, table, call, at)
        raise missing(tenant, key)
    found = tenant.data.find_key(table, key)
    update(tenant, table, found, call, body)
    return _record(tenant, table, found, call)


def delete_one(tenant: Tenant, table: str, key: str, call: Call) -> Response:
    """DELETE: 200; what the real body is was not found."""
    delete(tenant, table, existing(tenant, table, key), call)
    return json_reply([])


def _record(
    tenant: Tenant,
    table: str,
    key: str,
    call: Call,
    *,
    status: int = 200,
    location: str = "",
    always_array: bool = False,
) -> Response:
    rows = shown(tenant.dialect, table, [tenant.data.tables[table][key]], call.query.fields)
    as_array = always_array or tenant.quirks.write_reply == "array"
    return json_reply(rows if as_array else rows[0], status, {"Location": location} if location else None)


def _workflow(tenant: Tenant, table: str, key: str, call: Call) -> None:
    """What a tenant's workflows fill after the save, so that the POST reply does not show it yet (section 8)."""
    row = tenant.data.tables[table][key]
    if table == "firm" and not row["SortName"] and call.flag("startWorkflow"):
        tenant.data.edit(table, key, {"SortName": row["Name"]}, call.user, via="api")
