"""Lists below a record: addresses, aliases, teams, associations (contract sections 9 to 12)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from starlette.responses import Response

from core.sandbox.crm.columns import Column
from core.sandbox.crm.effects import OWNER_ROLE
from core.sandbox.crm.query import Selector, page
from core.sandbox.crm.replies import json_reply
from core.sandbox.crm.rows import Row
from core.sandbox.crm.schema import TABLES
from core.sandbox.crm.tenant import Call, Tenant
from core.sandbox.crm.views import address_of, full_name, last_first, name_of, shown

Plain = dict[str, Any]
_STAMPS = ("CreateUser", "CreateDate", "ModUser", "ModDate")
_PLACE = ("RecordID", "WBS1", "WBS2", "WBS3")


def table_reply(tenant: Tenant, table: str, rows: Iterable[Row], call: Call) -> Response:
    """Rows of one table, through the query; child lists have no default size."""
    picked = tenant.selector(table).select(rows, call.query)
    return json_reply(shown(tenant.dialect, table, page(picked, call.query, 0, 0), call.query.fields))


def plain_reply(tenant: Tenant, rows: Iterable[Plain], call: Call) -> Response:
    """Composed rows, through the query."""
    found = list(rows)
    columns = {name.lower(): Column(name, _type(name)) for row in found for name in row}
    selector: Selector[Plain] = Selector(
        tenant.quirks,
        # An empty list has no columns to tell a wrong name by.
        lambda name: columns.get(name.lower()) or (None if found else Column(name, _type(name))),
        lambda column: lambda row: row.get(column.name, ""),
    )
    picked = page(selector.select(found, call.query), call.query, 0, 0)
    only = {name.lower() for name in call.query.fields}
    return json_reply([{n: v for n, v in row.items() if n.lower() in only} if only else row for row in picked])


def _type(name: str) -> str:
    return "Datetime" if name.endswith("Date") else "Numeric" if name in ("Hours", "CostAmount", "PKey") else "String"


def described(tenant: Tenant, table: str, code: str) -> str:
    """The description of a code, empty when it is not listed."""
    rows = tenant.data.code_tables.get(table, [])
    return next((str(row["Description"]) for row in rows if row["Code"] == code), "")


def _pick(row: Row, *names: str) -> Plain:
    return {name: row[name] for name in names}


def firm_projects(tenant: Tenant, key: str) -> list[Plain]:
    """GET /firm/{id}/project: projects it takes part in, and those whose primary client it is."""
    data = tenant.data
    rows = [_firm_project(tenant, row) for row in data.rows("project_firm", "ClientID", key)]
    listed = {row["WBS1"] for row in rows}
    owned = [p for p in data.rows("project", "ClientID", key) if not p["WBS2"].strip() and p["WBS1"] not in listed]
    return rows + [_firm_project(tenant, _implied(project)) for project in owned]


def _implied(project: Row) -> Row:
    """The association that PR.ClientID stands for, where no row says it."""
    stamps = {**_pick(project, *_STAMPS), "RecordID": "", "PKey": 0, "Role": OWNER_ROLE}
    values = {**stamps, **_pick(project, "WBS1", "ClientID"), "PrimaryInd": "Y", "IsClient": "Y"}
    return Row(TABLES["project_firm"].defaults, values)


def _firm_project(tenant: Tenant, row: Row) -> Plain:
    data = tenant.data
    project = data.tables["project"].get(row["WBS1"], Row(TABLES["project"].defaults, {}))
    return {
        **_pick(row, "ClientID", "WBS1", "Role", "RoleDescription"),
        "RoleName": described(tenant, "CFGClientRole", row["Role"]),
        "ClientInd": row["IsClient"],
        "VendorInd": row["IsSubconsultant"],
        "PRName": project["Name"],
        "PRClientID": project["ClientID"],
        "PRClientName": name_of(data, "firm", project["ClientID"]),
        "PRContactID": project["ContactID"],
        "PRContactName": full_name(data.tables["contact"].get(project["ContactID"])),
        "PRStatus": project["Status"],
        **_pick(row, *_STAMPS),
    }


def firm_employees(tenant: Tenant, key: str) -> list[Plain]:
    """GET /firm/{id}/employee: the owner is the one relationship kept here (hub page, summary pane)."""
    owner = tenant.data.tables["employee"].get(tenant.data.tables["firm"][key]["Owner"])
    if owner is None:
        return []
    person = shown(tenant.dialect, "employee", [owner])[0]
    more = {"ClientID": key, "Name": last_first(owner), "EmployeeName": full_name(owner)}
    return [{**person, **more, "Relationship": "Owner", "RelationshipDesc": "Owner"}]


def project_firms(tenant: Tenant, key: str) -> list[Plain]:
    """GET /project/{wbs}/firmClient."""
    project = tenant.data.tables["project"][key]
    rows = [row for row in tenant.data.rows("project_firm", "WBS1", project["WBS1"]) if _same_level(row, project)]
    if project["ClientID"] and not any(row["ClientID"] == project["ClientID"] for row in rows):
        rows.append(_implied(project))
    return [_project_firm(tenant, row) for row in rows]


def _project_firm(tenant: Tenant, row: Row) -> Plain:
    data = tenant.data
    firm = data.tables["firm"].get(row["ClientID"], Row(TABLES["firm"].defaults, {}))
    rows = data.rows("address", "ClientID", row["ClientID"])
    used = next((a for a in rows if row["Address"] and a["Address"] == row["Address"]), None)
    used = used or address_of(data, row["ClientID"], "PrimaryInd") or Row(TABLES["address"].defaults, {})
    return {
        **_pick(row, "PKey", "ClientID", "WBS1", "WBS2", "WBS3", "Role", "RoleDescription", "TeamStatus", "PrimaryInd"),
        "RoleName": described(tenant, "CFGClientRole", row["Role"]),
        **_pick(row, "IsClient", "IsSubconsultant", "ClientConfidential", "CostAmount"),
        **_pick(firm, "ClientInd", "VendorInd", "WebSite"),
        "ClientName": firm["Name"],
        **_pick(used, "Address", "Address1", "Address2", "City", "State", "Country"),
        "ZIP": used["Zip"],
        "AddressPhone": used["Phone"],
        **_pick(row, *_STAMPS),
    }


def _same_level(row: Row, project: Row) -> bool:
    return all(row[name].strip() == project[name].strip() for name in ("WBS2", "WBS3"))


def team_rows(tenant: Tenant, key: str) -> list[Row]:
    """The team of a project, phase or task; people of lower levels appear above too (hub page, Team tab)."""
    project = tenant.data.tables["project"][key]
    rows = tenant.data.rows("project_team", "WBS1", project["WBS1"])
    wanted = [project[name].strip() for name in ("WBS2", "WBS3")]
    return [
        row for row in rows if all(not w or row[n].strip() == w for n, w in zip(("WBS2", "WBS3"), wanted, strict=True))
    ]


def team_members(tenant: Tenant, key: str) -> list[Plain]:
    """GET /project/{wbs}/teammember: employees and contacts together, told apart by RecordType."""
    project = tenant.data.tables["project"][key]
    people = [_employee_member(tenant, row) for row in team_rows(tenant, key)]
    if project["WBS2"].strip():
        return people
    contacts = tenant.data.rows("project_contact", "WBS1", project["WBS1"])
    return people + [_contact_member(tenant, row) for row in contacts]


def _member(tenant: Tenant, row: Row, kind: str, person: Row, role_table: str) -> Plain:
    return {
        **_pick(row, *_PLACE, "Role", "RoleDescription"),
        "CFGRoleDescription": described(tenant, role_table, row["Role"]),
        "RecordType": kind,
        "lfName": last_first(person),
        "flName": full_name(person),
        **_pick(person, "Title", "Address1", "City", "State"),
        "TeamStatus": row["TeamStatus"],
        **_pick(row, *_STAMPS),
    }


def _employee_member(tenant: Tenant, row: Row) -> Plain:
    person = tenant.data.tables["employee"].get(row["Employee"], Row(TABLES["employee"].defaults, {}))
    return {
        **_member(tenant, row, tenant.quirks.team_employee_type, person, "CFGEmployeeRole"),
        "PrimaryInd": "N",
        "ctName": "",
        "FirmName": "",
        "FirmID": "",
        "Phone": person["WorkPhone"],
        "Zip": person["ZIP"],
        "email": person["EMail"],
        **_pick(row, "Employee", "StartDate", "EndDate"),
        "Hours": row["CRMHours"],
    }


def _contact_member(tenant: Tenant, row: Row) -> Plain:
    data, quirks = tenant.data, tenant.quirks
    person = data.tables["contact"].get(row["ContactID"], Row(TABLES["contact"].defaults, {}))
    member = {
        **_member(tenant, row, quirks.team_contact_type, person, "CFGContactRole"),
        "PrimaryInd": row["PrimaryInd"],
        "ctName": full_name(person),
        "FirmName": name_of(data, "firm", person["ClientID"]),
        "FirmID": person["ClientID"],
        "Phone": person["Phone"],
        "Zip": person["Zip"],
        "email": person["Email"],
        "Employee": "",
        "StartDate": "",
        "EndDate": "",
        "Hours": 0,
    }
    if quirks.team_contact_key:
        member[quirks.team_contact_key] = row["ContactID"]
    if quirks.team_shows_flag and quirks.project_contact_flag and quirks.ajera_columns:
        member[quirks.project_contact_flag] = row["AjeraSync"]
    return member


def employee_projects(tenant: Tenant, key: str) -> list[Plain]:
    """GET /employee/{key}/projects."""
    names = (*_PLACE, "Employee", "Role", "RoleDescription", "StartDate", "EndDate")
    return [_pick(row, *names) for row in tenant.data.rows("project_team", "Employee", key)]


def qualification(tenant: Tenant, key: str) -> Plain:
    """GET /contact/{id}/qualifiedContact: one object, not an array."""
    row = tenant.data.tables["contact"][key]
    names = ("ContactID", "LastName", "FirstName", "QualifiedStatus", "ClientID", "StatusDate")
    return {**_pick(row, *names), "ClientName": name_of(tenant.data, "firm", row["ClientID"])}


def _table_rows(table: str, column: str) -> Callable[[Tenant, str, Call], Response]:
    return lambda tenant, key, call: table_reply(tenant, table, tenant.data.rows(table, column, key), call)


def _plain_rows(make: Callable[[Tenant, str], list[Plain]]) -> Callable[[Tenant, str, Call], Response]:
    return lambda tenant, key, call: plain_reply(tenant, make(tenant, key), call)


def _nothing(_tenant: Tenant, _key: str, _call: Call) -> Response:
    """Children that the sync never uses: a tenant without any."""
    return json_reply([])


# (hub, lower-case path part) -> the list below one record
LISTS: dict[tuple[str, str], Callable[[Tenant, str, Call], Response]] = {
    ("firm", "address"): _table_rows("address", "ClientID"),
    ("firm", "alias"): _table_rows("alias", "ClientID"),
    ("firm", "project"): _plain_rows(firm_projects),
    ("firm", "employee"): _plain_rows(firm_employees),
    ("project", "employee"): lambda tenant, key, call: table_reply(
        tenant, "project_team", team_rows(tenant, key), call
    ),
    ("project", "teammember"): _plain_rows(team_members),
    ("project", "firmclient"): _plain_rows(project_firms),
    ("employee", "projects"): _plain_rows(employee_projects),
    ("contact", "qualifiedcontact"): lambda tenant, key, _call: json_reply(qualification(tenant, key)),
    **{("firm", name): _nothing for name in ("links", "files", "customtable", "vendoraccountinginfo")},
    **{("contact", name): _nothing for name in ("links", "files", "campaign", "category", "customtable")},
    **{
        ("project", name): _nothing
        for name in (
            "revenue",
            "award",
            "contract",
            "contractdetail",
            "proposal",
            "milestone",
            "competition",
            "links",
            "files",
            "customtable",
        )
    },
}
# POST /contact/{id}/...: what the contact's QualifiedStatus becomes. The values are not documented.
QUALIFY = {"qualify": "Qualified", "disqualify": "Disqualified", "reverttolead": "Lead"}
