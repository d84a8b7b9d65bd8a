"""The fields of a POST or PUT body: names, types, sizes, empties (contract section 3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.sandbox.crm.columns import Column
from core.sandbox.crm.schema import TABLES
from core.sandbox.crm.schema_firm import flattened
from core.sandbox.crm.tenant import Tenant
from core.sandbox.crm.values import to_stored

_FLATTENED = flattened()


@dataclass
class Incoming:
    """`values` by stored name; `nested` child rows by child table; `address` flattened fields; `problems` sentences."""

    values: dict[str, Any] = field(default_factory=dict)
    nested: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    address: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def read_fields(tenant: Tenant, table: str, body: Mapping[str, Any], arrays: Mapping[str, str]) -> Incoming:
    """Sort out a body. `arrays` maps lower-case names of nested arrays to child tables."""
    found = Incoming()
    for name, value in body.items():
        if name in ("_transType", "_originalValues"):
            continue
        if name.lower() in arrays:
            _take_rows(found, name, arrays[name.lower()], value)
            continue
        column = _column(tenant, table, name, found.problems)
        if column is not None:
            _take(tenant, table, column, value, found)
    return found


def _take_rows(found: Incoming, name: str, child: str, value: Any) -> None:
    if isinstance(value, list) and all(isinstance(row, dict) for row in value):
        found.nested[child] = value
    else:
        found.problems.append(f"{name} is not an array of rows")


def _column(tenant: Tenant, table: str, name: str, problems: list[str]) -> Column | None:
    columns = tenant.dialect.columns(table)
    if name in columns:
        return columns[name]
    if name.startswith("desc_") and name.removeprefix("desc_") in columns:
        return None
    other = tenant.dialect.find(table, name)
    if other is not None and tenant.quirks.name_case != "error":
        return other if tenant.quirks.name_case == "insensitive" else None
    if other is not None or tenant.quirks.unknown_field == "error":
        problems.append(f"Field {name} does not exist")
    return None


def _take(tenant: Tenant, table: str, column: Column, value: Any, found: Incoming) -> None:
    quirks = tenant.quirks
    if table == "firm" and column.name in _FLATTENED:
        if quirks.flattened_writes == "error":
            found.problems.append(f"Field {column.name} cannot be updated")
        elif quirks.flattened_writes == "address":
            found.address[column.name] = value
        return
    if column.readonly:
        return
    if value is None:
        if quirks.null_value == "ignored":
            return
        if quirks.null_value == "error" or column.not_null:
            found.problems.append(f"Cannot insert NULL into {column.name}")
            return
        value = ""
    elif value == "":
        if column.not_null:
            found.problems.append(f"Cannot insert NULL into {column.name}")
            return
        if not quirks.empty_clears:
            return
    _store(tenant, table, column, value, found)


def _store(tenant: Tenant, table: str, column: Column, value: Any, found: Incoming) -> None:
    if isinstance(value, dict | list):
        found.problems.append(f"The value of {column.name} is not valid.")
        return
    try:
        stored = to_stored(column, value)
    except ValueError as error:
        found.problems.append(str(error))
        return
    if column.size and isinstance(stored, str) and len(stored) > column.size and not column.flag:
        place = f"{tenant.data.database}.dbo.{TABLES[table].db}"
        found.problems.append(f"String or binary data would be truncated in table '{place}', column '{column.name}'.")
        return
    found.values[column.name] = stored
