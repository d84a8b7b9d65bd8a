"""Code tables and organisations (contract section 13)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from core.sandbox.crm.children import plain_reply, table_reply
from core.sandbox.crm.replies import Refusal, json_reply
from core.sandbox.crm.tenant import Call, Tenant

_FIELDS = ("Code", "Description", "Seq", "Status")


def code_table(tenant: Tenant, call: Call, at: str) -> Response:
    """Every call under /codeTable; a table or code that is not there is a 404."""
    parts, method = call.parts[1:], call.method
    body = call.document() if method in ("POST", "PUT") else {}
    # One client posts to /codeTable itself and names the table in the body.
    name = parts[0] if parts else str(body.get("TableName", ""))
    stored, rows = find_table(tenant, name)
    if method == "GET":
        wanted = rows if len(parts) < 2 else [_row(rows, parts[1])]
        return plain_reply(tenant, [_shown(row) for row in wanted], call)
    if method == "POST":
        row = _create(tenant, stored, rows, body, call)
        location = f"{at}/{quote(name, safe='')}/{quote(str(row['Code']), safe='')}"
        return json_reply([_shown(row)], 201, {"Location": location})
    row = _row(rows, parts[1] if len(parts) > 1 else "")
    if method == "DELETE":
        rows.remove(row)
        tenant.data.note_code(call.user, "delete", stored, str(row["Code"]), dict(row), {})
        return json_reply([])
    return json_reply([_shown(_change(tenant, stored, row, body, call))])


def find_table(tenant: Tenant, name: str) -> tuple[str, list[dict[str, Any]]]:
    wanted = tenant.dialect.stored_code_table(name)
    names = {known.lower(): known for known in tenant.data.code_tables}
    if wanted == name == "CFGAjeraProjectTemplate" != tenant.quirks.template_code_table:
        # Known here under that name, on the wire only under the tenant's own.
        names.pop(name.lower(), None)
    if wanted.lower() not in names:
        raise Refusal(404, f"Code table {name} does not exist.")
    stored = names[wanted.lower()]
    return stored, tenant.data.code_tables[stored]


def _row(rows: list[dict[str, Any]], code: str) -> dict[str, Any]:
    found = next((row for row in rows if str(row["Code"]).lower() == code.lower()), None)
    if found is None:
        raise Refusal(404, f"Record {code} does not exist.")
    return found


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row.get(name, "") for name in _FIELDS}


def _create(tenant: Tenant, name: str, rows: list[dict[str, Any]], body: dict[str, Any], call: Call) -> dict[str, Any]:
    code, text = str(body.get("Code", "")).strip(), str(body.get("Description", "")).strip()
    tenant.refuse(
        [f"Please provide a {n} for table {name}" for n, v in (("Code", code), ("Description", text)) if not v]
    )
    if any(str(row["Code"]).lower() == code.lower() for row in rows):
        tenant.refuse([f"Record {code} already exists and cannot be added."])
    seq = max((int(row.get("Seq") or 0) for row in rows), default=0) + 1
    row = {"Code": code, "Description": text, "Seq": body.get("Seq", seq), "Status": body.get("Status") or "A"}
    rows.append(row)
    tenant.data.note_code(call.user, "insert", name, code, {}, dict(row))
    return row


def _change(tenant: Tenant, name: str, row: dict[str, Any], body: dict[str, Any], call: Call) -> dict[str, Any]:
    changes: dict[str, Any] = {field: body[field] for field in ("Description", "Seq", "Status") if field in body}
    before: dict[str, Any] = {field: row.get(field, "") for field in changes}
    row.update(changes)
    tenant.data.note_code(call.user, "edit", name, str(row["Code"]), before, changes)
    return row


def organizations(tenant: Tenant, call: Call) -> Response:
    """GET /organization and /organization/{org}; read-only."""
    rows = tenant.data.tables["organization"]
    if len(call.parts) == 1:
        return table_reply(tenant, "organization", rows.values(), call)
    if call.parts[1] not in rows:
        raise Refusal(404, f"Record {call.parts[1]} does not exist.")
    return table_reply(tenant, "organization", [rows[call.parts[1]]], call)
