"""What the server checks before it saves: required fields, code tables, related keys, money and caps."""

from __future__ import annotations

from collections.abc import Iterator, Set
from decimal import Decimal

from core.sandbox.crm.columns import Column
from core.sandbox.crm.data import CrmData
from core.sandbox.crm.replies import NO_OBJECT
from core.sandbox.crm.rows import Row
from core.sandbox.crm.schema import TABLES
from core.sandbox.crm.schema_project import FEE_COLUMNS
from core.sandbox.crm.tenant import Tenant

MONEY_BY_LEVEL = frozenset(
    f"{name}{twin}" for name in FEE_COLUMNS for twin in ("", "BillingCurrency", "FunctionalCurrency")
)
_RELATIONS = ("ClientInd", "VendorInd", "GovernmentAgency", "Competitor")


def check(tenant: Tenant, table: str, row: Row, changed: Set[str], *, designer: bool = True) -> list[str]:
    """Every reason why a row may not be saved. `changed` are the columns whose value is new.

    Required fields are checked whatever changed (contract section 3: an update fails because of old data);
    `designer` also those that an administrator has made required.
    """
    problems = [*_required(table, row), *_special(tenant, table, row, designer)]
    columns = tenant.data.columns(table)
    for name in columns:
        if name in changed and row[name]:
            problems += _value(tenant, columns[name], row)
    return problems + _caps(tenant, table, row, changed)


def _required(table: str, row: Row) -> Iterator[str]:
    spec = TABLES[table]
    for column in spec.columns.values():
        if column.required and not str(row[column.name]).strip() and not column.key:
            yield f"Please provide a {column.caption} for table {spec.label}"


def _special(tenant: Tenant, table: str, row: Row, designer: bool) -> Iterator[str]:
    if table == "firm":
        if not any(row[flag] == "Y" for flag in _RELATIONS):
            yield "Please provide a Relationship for table Firm"
        if designer and row["VendorInd"] == "Y" and not row["Category"]:
            yield "Please provide a Vendor Type for table Firm"
    elif table == "employee":
        if tenant.data.tables["organization"] and row["ConsultantInd"] != "Y" and not row["Org"]:
            yield "Organization is required."
    elif table == "project_team" and row["EndDate"] and row["StartDate"] and row["EndDate"] < row["StartDate"]:
        # The rule is documented (section 11.3), its sentence is not.
        yield "End Date must not be before Start Date"


def _value(tenant: Tenant, column: Column, row: Row) -> Iterator[str]:
    value = str(row[column.name]).strip()
    if column.refers_to and value and not known_reference(tenant.data, column.refers_to, value):
        yield NO_OBJECT
    elif column.code_table == "CFGStates":
        yield from _state(tenant.data, column, row)
    elif column.code_table and value:
        stored = tenant.dialect.stored_code_table(tenant.dialect.code_table_of(column))
        if not _coded(tenant.data, stored, value):
            # The sentence is the one seen for countries: "Country Code USA does not exist."
            yield f"{column.caption} Code {value} does not exist."


def known_reference(data: CrmData, table: str, key: str) -> bool:
    """Whether a related key exists. A tenant without organisations takes any."""
    return data.has(table, key) or (table == "organization" and not data.tables["organization"])


def _coded(data: CrmData, table: str, value: str) -> bool:
    rows = data.code_tables.get(table, [])
    wanted = value.lower()
    names = ("Code", "Description") if table == "CFGCountry" else ("Code",)
    return any(str(row[name]).lower() == wanted for row in rows for name in names)


def _state(data: CrmData, column: Column, row: Row) -> Iterator[str]:
    """A state must be one of the row's country; without a country it must be one of the United States (section 9)."""
    state, country = str(row[column.name]).lower(), str(row["Country"]) or "United States"
    names = {country.lower()}
    for entry in data.code_tables.get("CFGCountry", []):
        pair = {str(entry["Code"]).lower(), str(entry["Description"]).lower()}
        if pair & names:
            names |= pair
    for entry in data.code_tables.get("CFGStates", []):
        if str(entry["Code"]).lower() == state and str(entry.get("Country") or country).lower() in names:
            return
    yield f"{column.caption} Code {row[column.name]} does not exist."


def _caps(tenant: Tenant, table: str, row: Row, changed: Set[str]) -> list[str]:
    """The cap on flagged contacts; off by default, as nobody has seen the API enforce it (section 14)."""
    cap = tenant.quirks.contact_cap
    parents = {"contact": "ClientID", "project_contact": "WBS1"}
    if not cap or table not in parents or row["AjeraSync"] != "Y" or not changed & {"AjeraSync", parents[table]}:
        return []
    key = TABLES[table].keys[0]
    others = tenant.data.rows(table, parents[table], row[parents[table]]) if row[parents[table]] else []
    flagged = [r for r in others if r["AjeraSync"] == "Y" and r[key] != row[key]]
    return [f"No more than {cap} contacts can be synchronized with Ajera."] if len(flagged) >= cap else []


def money_out_of_level(row: Row, changed: Set[str]) -> set[str]:
    """The changed fee columns that this project row may not hold: only a regular one without phases may (section 11)."""
    allowed = row["SubLevel"] == "N" and row["ChargeType"] == "R"
    return set() if allowed else set(changed & MONEY_BY_LEVEL)


def ajera_out_of_type(tenant: Tenant, row: Row, changed: Set[str]) -> list[str]:
    """Ajera columns are not there on overhead and unlinked promotional projects (section 14)."""
    unlinked = row["ChargeType"] == "P" and not row["SiblingWBS1"]
    if not tenant.quirks.ajera_by_charge_type or not (row["ChargeType"] == "H" or unlinked):
        return []
    columns = tenant.data.columns("project")
    empty = ("", "N", Decimal(0))
    names = sorted(name for name in changed if columns[name].ajera and row[name] not in empty)
    return [f"{columns[name].caption} is not available for this Charge Type" for name in names]
