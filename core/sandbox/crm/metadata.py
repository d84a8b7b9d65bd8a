"""``/metadata/...``: tables and fields with their attributes (contract section 13)."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from core.sandbox.crm.codes import find_table
from core.sandbox.crm.columns import Column
from core.sandbox.crm.replies import Refusal, json_reply
from core.sandbox.crm.schema import TABLES
from core.sandbox.crm.tenant import Call, Tenant

_HUB_TABLES = {
    "firm": ("firm", "address", "alias"),
    "contact": ("contact",),
    "project": ("project", "project_team", "project_contact", "project_firm"),
    "employee": ("employee",),
    "organization": ("organization",),
}
# Defaults that the server fills in, as the metadata names them (section 8).
_PLACEHOLDERS = {"RecordID": "[GUID]", "Company": "[CURRENTCOMPANY]"}


def metadata(tenant: Tenant, call: Call) -> Response:
    """GET /metadata/{hub} and /metadata/codeTable/{name}: an object keyed by table."""
    parts = [part.lower() for part in call.parts[1:]]
    if len(parts) == 2 and parts[0] == "codetable":
        find_table(tenant, call.parts[2])
        return json_reply({call.parts[2]: _code_table(call.parts[2])})
    if len(parts) != 1 or parts[0] not in _HUB_TABLES:
        raise Refusal(404, f"Metadata {'/'.join(call.parts[1:])} does not exist.")
    return json_reply({TABLES[name].db: _table(tenant, name) for name in _HUB_TABLES[parts[0]]})


def _table(tenant: Tenant, name: str) -> dict[str, Any]:
    spec = TABLES[name]
    fields = [_field(tenant, wire, column) for wire, column in tenant.dialect.columns(name).items()]
    return _shell(spec.db, list(spec.keys), fields)


def _shell(name: str, keys: list[str], fields: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "Keys": keys,
        "TableName": name,
        "CustomTable": False,
        "GridID": "",
        "Hidden": False,
        "Updateable": True,
        "Fields": fields,
    }


def _field(tenant: Tenant, wire: str, column: Column) -> dict[str, Any]:
    code_table = tenant.dialect.code_table_of(column)
    default = _PLACEHOLDERS.get(column.type, "") if column.key or column.type == "Company" else column.default
    return {
        "FieldName": wire,
        "FieldType": column.type,
        "Caption": column.caption,
        "DefaultValue": str(default).strip() if default else "",
        "Hidden": False,
        "Required": column.required,
        "BaseRequired": column.required,
        "Updateable": not column.readonly,
        "BaseUpdateable": not column.readonly,
        "CustomField": column.custom,
        "Searchable": not column.computed,
        "MaxLength": column.size,
        "Decimals": column.decimals,
        "CodeTable": code_table,
        "LimitToList": bool(code_table),
    }


def _code_table(name: str) -> dict[str, Any]:
    columns = (
        Column("Code", "String", 10, "Code", required=True, key=True),
        Column("Description", "String", 100, "Description", required=True),
        Column("Seq", "Numeric", 0, "Sequence", default=0),
        Column("Status", "String", 1, "Status", default="A"),
    )
    fields = [
        {
            "FieldName": c.name,
            "FieldType": c.type,
            "Caption": c.caption,
            "DefaultValue": str(c.default or ""),
            "Hidden": False,
            "Required": c.required,
            "BaseRequired": c.required,
            "Updateable": True,
            "BaseUpdateable": True,
            "CustomField": False,
            "Searchable": True,
            "MaxLength": c.size,
            "Decimals": 0,
            "CodeTable": "",
            "LimitToList": False,
        }
        for c in columns
    ]
    return _shell(name, ["Code"], fields)
