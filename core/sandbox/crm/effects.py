"""What the server does by itself after a record is saved, by a person or by the API (contract sections 9 and 11)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.sandbox.crm.rows import Row

if TYPE_CHECKING:
    from core.sandbox.crm.data import CrmData

# Field of a project -> the role its holder gets on the team. The codes are Vantagepoint's own style (the owner's is
# sysOwner, contract 11.2); a tenant whose list lacks the code is searched by description.
LEAD_ROLES = {
    "Principal": ("sysPR", "Principal"),
    "ProjMgr": ("sysPM", "Project Manager"),
    "Supervisor": ("sysSP", "Supervisor"),
}
OWNER_ROLE = "sysOwner"


def after_edit(data: CrmData, table: str, old: Row, new: Row, user: str, via: str) -> None:
    """The consequences of a change to one record."""
    if table == "project":
        after_project(data, old, new, user, via)
    elif table == "address":
        one_primary_address(data, new, user, via)


def after_delete(data: CrmData, table: str, old: Row, user: str, via: str) -> None:
    """When the primary address goes, the firm's next one takes its place."""
    if table == "address" and old["PrimaryInd"] == "Y":
        rest = data.rows("address", "ClientID", old["ClientID"])
        if rest:
            data.edit("address", rest[0]["CLAddressID"], {"PrimaryInd": "Y"}, user, via=via)


def after_project(data: CrmData, old: Row | None, new: Row, user: str, via: str) -> None:
    """Leads join the team, a primary contact joins the contacts, a primary client the firms (section 11.1 to 11.3)."""
    for column, (code, text) in LEAD_ROLES.items():
        before = old[column] if old is not None else ""
        if new[column] != before:
            role = _role(data, code, text)
            _leave_team(data, new, before, role, user, via)
            _join_team(data, new, new[column], role, user, via)
    if new["WBS2"].strip():
        return
    if new["ContactID"] and (old is None or new["ContactID"] != old["ContactID"]):
        _join_contacts(data, new, user, via)
    if new["ClientID"] and (old is None or new["ClientID"] != old["ClientID"]):
        _join_firms(data, new, user, via)


def one_primary_address(data: CrmData, row: Row, user: str, via: str) -> None:
    """Exactly one primary address: a new one takes the flag from the others, the last one keeps it (section 9)."""
    rows = data.rows("address", "ClientID", row["ClientID"])
    others = [r for r in rows if r["PrimaryInd"] == "Y" and r["CLAddressID"] != row["CLAddressID"]]
    if row["PrimaryInd"] == "Y":
        for other in others:
            data.edit("address", other["CLAddressID"], {"PrimaryInd": "N"}, user, via=via)
    elif not others:
        data.edit("address", row["CLAddressID"], {"PrimaryInd": "Y"}, user, via=via)


def _role(data: CrmData, code: str, text: str) -> str:
    rows = data.code_tables.get("CFGEmployeeRole", [])
    if any(row["Code"] == code for row in rows):
        return code
    return next((str(row["Code"]) for row in rows if row["Description"] == text), code)


def _place(row: Row) -> dict[str, Any]:
    return {name: row[name] for name in ("WBS1", "WBS2", "WBS3")}


def _same_place(row: Row, other: Row) -> bool:
    return all(row[name].strip() == other[name].strip() for name in ("WBS1", "WBS2", "WBS3"))


def _team(data: CrmData, project: Row, employee: str, role: str) -> list[Row]:
    rows = data.rows("project_team", "WBS1", project["WBS1"])
    return [r for r in rows if _same_place(r, project) and r["Employee"] == employee and r["Role"] == role]


def _join_team(data: CrmData, project: Row, employee: str, role: str, user: str, via: str) -> None:
    if employee and not _team(data, project, employee, role):
        row = {**_place(project), "Employee": employee, "Role": role, "StartDate": data.clock().date()}
        data.insert("project_team", row, user=user, via=via)


def _leave_team(data: CrmData, project: Row, employee: str, role: str, user: str, via: str) -> None:
    """A proposed row goes, an active one only loses its role (hub page, Team tab)."""
    for row in _team(data, project, employee, role) if employee else []:
        if row["TeamStatus"] == "Proposed":
            data.delete("project_team", row["RecordID"], user, via=via)
        else:
            data.edit("project_team", row["RecordID"], {"Role": ""}, user, via=via)


def _join_contacts(data: CrmData, project: Row, user: str, via: str) -> None:
    rows = data.rows("project_contact", "WBS1", project["WBS1"])
    for row in rows:
        wanted = "Y" if row["ContactID"] == project["ContactID"] else "N"
        if row["PrimaryInd"] != wanted:
            data.edit("project_contact", row["RecordID"], {"PrimaryInd": wanted}, user, via=via)
    if not any(row["ContactID"] == project["ContactID"] for row in rows):
        values = {"WBS1": project["WBS1"], "ContactID": project["ContactID"], "PrimaryInd": "Y"}
        data.insert("project_contact", values, user=user, via=via)


def _join_firms(data: CrmData, project: Row, user: str, via: str) -> None:
    rows = data.rows("project_firm", "WBS1", project["WBS1"])
    for row in rows:
        wanted = "Y" if row["ClientID"] == project["ClientID"] else "N"
        if row["PrimaryInd"] != wanted:
            data.edit("project_firm", row["RecordID"], {"PrimaryInd": wanted}, user, via=via)
    if not any(row["ClientID"] == project["ClientID"] for row in rows):
        values = {"WBS1": project["WBS1"], "ClientID": project["ClientID"], "Role": OWNER_ROLE}
        data.insert("project_firm", {**values, "PrimaryInd": "Y", "IsClient": "Y"}, user=user, via=via)
