"""Child rows: nested arrays of a PUT with _transType and _originalValues, and single posts (sections 7, 9, 11)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.sandbox.crm.effects import one_primary_address
from core.sandbox.crm.incoming import read_fields
from core.sandbox.crm.replies import NO_OBJECT
from core.sandbox.crm.rows import Row
from core.sandbox.crm.rules import check
from core.sandbox.crm.schema import TABLES, wbs_key
from core.sandbox.crm.schema_firm import flattened
from core.sandbox.crm.tenant import Call, Tenant
from core.sandbox.crm.values import to_stored
from core.sandbox.crm.views import address_of

# What makes a child row the same row, beside its RecordID (contract 11.1, 11.3).
_NATURAL = {
    "project_contact": ("WBS1", "ContactID"),
    "project_team": ("WBS1", "WBS2", "WBS3", "Employee", "Role"),
    "address": (),
}


def arrays_of(tenant: Tenant, table: str) -> dict[str, str]:
    """Lower-case name of each nested array that a PUT of a hub takes -> child table."""
    if table == "firm":
        return {"claddress": "address"}
    if table == "project":
        found = {"emprojectassoc": "project_team"}
        if tenant.quirks.project_contact_array:
            found[tenant.quirks.project_contact_array.lower()] = "project_contact"
        return found
    return {}


def save_nested(tenant: Tenant, key: str, child: str, rows: list[dict[str, Any]], call: Call) -> None:
    """Insert, update or delete child rows of one parent."""
    for row in rows:
        kind = str(row.get("_transType", "")).upper() or ("U" if _find(tenant, key, child, row) else "I")
        if kind == "I":
            add_row(tenant, key, child, row, call)
            continue
        found = _find(tenant, key, child, row)
        if found is None or kind not in ("U", "D"):
            tenant.refuse([NO_OBJECT])
            continue
        _stale(tenant, child, found, row)
        if kind == "D":
            tenant.data.delete(child, found[TABLES[child].keys[0]], call.user, via="api")
        else:
            _change(tenant, child, found, row, call)


def add_row(tenant: Tenant, parent_key: str, child: str, body: Mapping[str, Any], call: Call) -> str:
    """Add one child row to a parent and return its key; the server chooses it (section 8)."""
    incoming = read_fields(tenant, child, body, {})
    place, found = _place(tenant, child, parent_key, incoming.values)
    values = {**incoming.values, **place}
    values.pop(TABLES[child].keys[0], None)
    problems = [*incoming.problems, *_hours(tenant, child, values), *([] if found else [NO_OBJECT])]
    data = tenant.data
    if child == "project_team" and "StartDate" not in values and "StartDate" not in body:
        # A row added by hand gets today (section 11.3); that the API does the same is a guess.
        values["StartDate"] = to_stored(TABLES[child].columns["StartDate"], data.clock().date())
    row = Row(TABLES[child].defaults, values)
    problems += check(tenant, child, row, set(values))
    problems += _taken(tenant, child, row)
    tenant.refuse(problems)
    with data.transaction():
        key = data.insert(child, values, user=call.user, via="api")
        if child == "address":
            one_primary_address(data, data.tables[child][key], call.user, "api")
    return key


def write_flattened(tenant: Tenant, key: str, fields: dict[str, Any], call: Call) -> None:
    """Write flattened firm fields through to the address rows they come from."""
    by_flag: dict[str, dict[str, Any]] = {}
    for name, value in fields.items():
        flag, column = flattened()[name]
        by_flag.setdefault(flag, {})[column] = value
    for flag, body in by_flag.items():
        row = address_of(tenant.data, key, flag)
        if row is None:
            add_row(tenant, key, "address", {"Address": "Main", flag: "Y", **body}, call)
        else:
            _change(tenant, "address", row, body, call)


def _change(tenant: Tenant, child: str, row: Row, body: Mapping[str, Any], call: Call) -> None:
    incoming = read_fields(tenant, child, body, {})
    own = {TABLES[child].keys[0], "ClientID", "WBS1", "WBS2", "WBS3"}
    values = {name: value for name, value in incoming.values.items() if name not in own}
    problems = incoming.problems + _hours(tenant, child, values)
    changed = {name for name, value in values.items() if value != row[name]}
    new = row.with_changes(values)
    problems += check(tenant, child, new, changed)
    problems += _taken(tenant, child, new)
    tenant.refuse(problems)
    if values:
        tenant.data.edit(child, row[TABLES[child].keys[0]], values, call.user, via="api")


def _place(tenant: Tenant, child: str, parent_key: str, sent: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """The columns that tie a new row to its parent, and whether the place exists.

    A team row may name a phase or task below the project that is put (section 11.3); contacts attach at project level
    only (section 11.1).
    """
    if child == "address":
        return {"ClientID": parent_key}, True
    project = tenant.data.tables["project"][parent_key]
    if child == "project_contact":
        return {"WBS1": project["WBS1"], "WBS2": " ", "WBS3": " "}, True
    lower = {name: sent[name] for name in ("WBS2", "WBS3") if str(sent.get(name, "")).strip()}
    place = {**{name: project[name] for name in ("WBS1", "WBS2", "WBS3")}, **lower}
    return place, tenant.data.has("project", wbs_key(place["WBS1"], place["WBS2"], place["WBS3"]))


def _find(tenant: Tenant, parent_key: str, child: str, body: Mapping[str, Any]) -> Row | None:
    """The parent's row that a body means: by its key, else by its natural key."""
    name = TABLES[child].keys[0]
    column = "ClientID" if child == "address" else "WBS1"
    rows = tenant.data.rows(child, column, parent_key.split("|", maxsplit=1)[0])
    if body.get(name):
        return next((row for row in rows if row[name] == body[name]), None)
    natural = [part for part in _NATURAL[child] if part in body and part != "WBS1"]
    if not set(natural) & {"ContactID", "Employee"}:
        return None
    return next((row for row in rows if all(row[p].strip() == str(body[p]).strip() for p in natural)), None)


def _stale(tenant: Tenant, child: str, row: Row, body: Mapping[str, Any]) -> None:
    """Refuse a row whose _originalValues are no longer true, where the tenant enforces them (probe P5)."""
    originals = body.get("_originalValues")
    if tenant.quirks.original_values != "enforced" or not isinstance(originals, dict):
        return
    for name, value in originals.items():
        column = tenant.dialect.find(child, name)
        if column is None or column.computed:
            continue
        try:
            same = to_stored(column, value) == row[column.name]
        except ValueError:
            same = False
        if not same:
            # The sentence is not known.
            tenant.refuse([f"The value of {name} was changed by another user."])


def _hours(tenant: Tenant, child: str, values: dict[str, Any]) -> list[str]:
    if child != "project_team" or "CRMHours" not in values or tenant.quirks.crm_hours == "writable":
        return []
    values.pop("CRMHours")
    return ["Field CRMHours cannot be updated"] if tenant.quirks.crm_hours == "refused" else []


def _taken(tenant: Tenant, child: str, row: Row) -> list[str]:
    """A second row with the same natural key, or a second address with the same label where that is refused."""
    parts = _NATURAL[child]
    if child == "address":
        parts = ("ClientID", "Address") if tenant.quirks.address_label_unique else ()
    if not parts:
        return []
    own = TABLES[child].keys[0]
    rows = tenant.data.rows(child, parts[0], row[parts[0]])
    same = [r for r in rows if r[own] != row[own] and all(r[p].strip() == row[p].strip() for p in parts)]
    return [f"Record {row[parts[-1]] or row[parts[-2]]} already exists and cannot be added."] if same else []
