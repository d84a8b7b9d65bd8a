"""Creating, changing and deleting hub records as the API does, each call one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.sandbox.crm.effects import after_project
from core.sandbox.crm.incoming import Incoming, read_fields
from core.sandbox.crm.nested import arrays_of, save_nested, write_flattened
from core.sandbox.crm.replies import NO_OBJECT, Refusal
from core.sandbox.crm.rows import Row
from core.sandbox.crm.rules import ajera_out_of_type, check, money_out_of_level
from core.sandbox.crm.schema import TABLES, row_key, wbs_key
from core.sandbox.crm.tenant import Call, Tenant

_NUMBERS = {"firm": "Client", "project": "WBS1", "employee": "Employee"}
_NUMBER_NAMES = {"firm": "Firm", "project": "Project", "employee": "Employee"}


def create(tenant: Tenant, table: str, call: Call, body: Mapping[str, Any]) -> str:
    """Create a record and return its key. Refusal with every reason why not."""
    incoming = read_fields(tenant, table, body, arrays_of(tenant, table))
    values = incoming.values
    problems = [*incoming.problems, *_keys(tenant, table, values)]
    row = _candidate(tenant, table, values)
    problems += check(tenant, table, row, set(values), designer=call.flag("requiredFieldValidation"))
    problems += _duplicates(tenant, table, row)
    if table == "project":
        problems += _project_problems(tenant, row, set(values), new=True)
    tenant.refuse(problems)
    with tenant.data.transaction():
        key = tenant.data.insert(table, values, user=call.user, via="api")
        if table == "project":
            after_project(tenant.data, None, tenant.data.tables[table][key], call.user, "api")
        _children(tenant, key, incoming, call)
    return key


def update(tenant: Tenant, table: str, key: str, call: Call, body: Mapping[str, Any]) -> None:
    """Change the sent fields of a record, nested rows with it. Refusal with every reason why not."""
    incoming = read_fields(tenant, table, body, arrays_of(tenant, table))
    old = tenant.data.tables[table][key]
    values = incoming.values
    problems = [*incoming.problems, *_key_change(table, old, values)]
    changed = {name for name, value in values.items() if value != old[name]}
    row = old.with_changes(values)
    if table == "project":
        # Dropped before the check of the rest: what is ignored must not be refused.
        for name in money_out_of_level(row, changed) if tenant.quirks.fee_on_phased == "ignored" else ():
            values.pop(name)
            changed.discard(name)
        problems += _project_problems(tenant, row, changed, new=False)
    problems += check(tenant, table, row, changed, designer=call.flag("requiredFieldValidation"))
    problems += [p for p in _duplicates(tenant, table, row) if changed & {"Client", "Vendor"}]
    tenant.refuse(problems)
    with tenant.data.transaction():
        if values:
            tenant.data.edit(table, key, values, call.user, via="api")
        _children(tenant, key, incoming, call)


def delete(tenant: Tenant, table: str, key: str, call: Call) -> None:
    """Delete a record. A firm that projects use is refused unless the quirk says otherwise (probe P14)."""
    data = tenant.data
    in_use = table == "firm" and (data.rows("project", "ClientID", key) or data.rows("project_firm", "ClientID", key))
    if in_use and tenant.quirks.delete_firm_in_use == "refused":
        # The real sentence is not known.
        tenant.refuse([f"Record {data.tables['firm'][key]['Name']} is in use and cannot be deleted."])
    with data.transaction():
        data.delete(table, key, call.user, via="api")


def _children(tenant: Tenant, key: str, incoming: Incoming, call: Call) -> None:
    for child, rows in incoming.nested.items():
        save_nested(tenant, key, child, rows, call)
    if incoming.address:
        write_flattened(tenant, key, incoming.address, call)


def _candidate(tenant: Tenant, table: str, values: dict[str, Any]) -> Row:
    defaults = {name: c.default for name, c in tenant.data.columns(table).items() if not c.computed}
    return Row(defaults, values)


def _keys(tenant: Tenant, table: str, values: dict[str, Any]) -> list[str]:
    """Settle the key and the visible number of a new record; sentences for what is wrong with them."""
    quirks, data = tenant.quirks, tenant.data
    problems: list[str] = []
    if table in ("firm", "contact"):
        key = TABLES[table].keys[0]
        if values.get(key) and quirks.client_keys == "refused":
            # The sentence is not known; nobody has seen a tenant that refuses (probe P1).
            problems.append(f"{key} cannot be set")
        if quirks.client_keys == "ignored" or not values.get(key):
            values[key] = data.new_id()
    if table in _NUMBERS and not values.get("WBS2", "").strip():
        problems += _number(tenant, table, values)
    return problems


def _number(tenant: Tenant, table: str, values: dict[str, Any]) -> list[str]:
    column, name, quirks = _NUMBERS[table], _NUMBER_NAMES[table], tenant.quirks
    auto = getattr(quirks, f"autonumber_{table}")
    sent = str(values.get(column, "")).strip()
    if auto and sent and not quirks.autonumber_override:
        if quirks.autonumber_clash == "refused":
            return [f"{name} Number value ignored, autonumber enabled and override is not allowed"]
        sent = ""
    if sent.isdecimal() and quirks.number_padding:
        # Stored identifiers may come back in another form than they were sent (section 8).
        sent = values[column] = sent.zfill(quirks.number_padding)
    if not sent and auto:
        values[column] = tenant.data.next_number(table)
    elif not sent and table != "firm":
        return [f"Please provide a {TABLES[table].columns[column].caption} for table {TABLES[table].label}"]
    elif table == "employee" and quirks.employee_length and len(sent) != quirks.employee_length:
        return [f'"{sent}" is invalid. The correct format is {"X" * quirks.employee_length}']
    return []


def _duplicates(tenant: Tenant, table: str, row: Row) -> list[str]:
    """Keys and visible numbers that are taken; meant for a row that is not in the table under its own key."""
    data, problems = tenant.data, []
    mine = row_key(table, row.full())
    known = data.tables[table].get(mine)
    if known is not None and known["CreateDate"] != row["CreateDate"]:
        problems.append(f"Record {row.full().get('Name') or mine} already exists and cannot be added.")
    if table == "firm":
        for column, name in (("Client", "Firm"), ("Vendor", "Vendor")):
            others = [r for r in data.rows("firm", column, row[column]) if r["ClientID"] != mine] if row[column] else []
            if others:
                problems.append(f"{name} Number already exists: {row[column]}")
    return problems


def _key_change(table: str, old: Row, values: dict[str, Any]) -> list[str]:
    """Keys cannot be changed by a PUT (section 8); the same key in the body is harmless."""
    sent = {name: str(values.pop(name)).strip() for name in TABLES[table].keys if name in values}
    # The sentence is not known.
    return [f"Field {name} cannot be updated" for name, value in sent.items() if value != old[name].strip()]


def _project_problems(tenant: Tenant, row: Row, changed: set[str], *, new: bool) -> list[str]:
    problems = ajera_out_of_type(tenant, row, changed)
    money = money_out_of_level(row, changed) if not new or row["ChargeType"] != "R" else set()
    money = {name for name in money if row[name]} if new else money
    if money and tenant.quirks.fee_on_phased == "refused":
        columns = tenant.data.columns("project")
        # The rule is documented (section 11), its sentence is not.
        problems += [f"{columns[name].caption} cannot be entered at this level" for name in sorted(money)]
    parts = wbs_key(row["WBS1"], row["WBS2"], row["WBS3"]).split("|")
    if new and len(parts) > 1 and (not all(parts) or not tenant.data.has("project", "|".join(parts[:-1]))):
        problems.append(NO_OBJECT)
    return problems


def missing(tenant: Tenant, key: str) -> Refusal:
    """The refusal for a PUT to a key that does not exist (probe P2)."""
    status = 404 if tenant.quirks.put_missing == "create" else int(tenant.quirks.put_missing)
    return Refusal(status, f"Record {key} does not exist.")
