"""What people do in the CRM: marketing keeps firms and contacts, managers tick what accounting shall see."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.sandbox.crm.codetables import TEMPLATE_TABLE
from core.sandbox.life_desk import Act, Desk, Edit, told
from core.sandbox.seed.places import phone
from core.sandbox.seed.words import TITLES

Row = Mapping[str, Any]
#: DPS 1.x lets nobody tick a sixth contact of a firm.
MOST_TICKED = 5


def _firm(desk: Desk) -> str | None:
    return desk.pick(desk.crm.tables["firm"], lambda row: row["Status"] == "A" and row["ClientInd"] == "Y")


def _contact(desk: Desk) -> str | None:
    return desk.pick(desk.crm.tables["contact"], lambda row: bool(row["ContactStatus"] == "A"))


def _is_open(row: Row) -> bool:
    return bool(row["Status"] == "A" and not row["WBS2"].strip())


def rename_firm(desk: Desk) -> Edit | None:
    key = _firm(desk)
    return desk.edit_crm("firm", key, "renamed a firm", {"Name": desk.firm_name()}) if key else None


def firm_website(desk: Desk) -> Edit | None:
    changes = {"WebSite": f"https://www.site{desk.rng.randrange(10_000)}.example.com"}
    return desk.edit_crm("firm", _firm(desk), "changed a firm's web site", changes)


def firm_phone(desk: Desk) -> Edit | None:
    key = desk.pick(desk.crm.tables["address"], lambda row: bool(row["PrimaryInd"] == "Y"))
    return desk.edit_crm("address", key, "changed a firm's phone", {"Phone": phone(desk.rng, "617")})


def move_firm(desk: Desk) -> Edit | None:
    key = desk.pick(desk.crm.tables["address"], lambda row: bool(row["PrimaryInd"] == "Y"))
    at = desk.address()
    lines = dict(zip(("Address1", "Address2", "Address3", "Address4"), (*at.lines, "", "", ""), strict=False))
    changes = {**lines, "City": at.city, "State": at.state, "Zip": at.zip, "Country": at.country, "Phone": at.phone}
    return desk.edit_crm("address", key, "moved a firm", changes)


def new_firm(desk: Desk) -> Edit | None:
    at, user = desk.address(), desk.user()
    row = {"Name": desk.firm_name(), "Status": "A", "ClientInd": "Y", "Client": desk.crm.next_number("firm")}
    key = desk.crm.insert("firm", row, user=user)
    place = {"ClientID": key, "Address": "Main", "Address1": at.lines[0], "PrimaryInd": "Y"}
    more = {"City": at.city, "State": at.state, "Zip": at.zip, "Phone": at.phone}
    desk.crm.insert("address", {**place, **more}, user=user)
    return told("crm", "firm", key, "added a firm", row)


def new_contact(desk: Desk) -> Edit | None:
    firm = _firm(desk)
    if firm is None:
        return None
    first, middle, last = desk.person_name()
    row = {
        "ClientID": firm,
        "FirstName": first,
        "MiddleName": middle,
        "LastName": last,
        "Title": desk.rng.choice(TITLES),
        "Email": f"person{desk.rng.randrange(10**8)}@people.example.com",
    }
    key = desk.crm.insert("contact", row, user=desk.user())
    return told("crm", "contact", key, "added a contact", row)


def contact_title(desk: Desk) -> Edit | None:
    return desk.edit_crm("contact", _contact(desk), "promoted a contact", {"Title": desk.rng.choice(TITLES)})


def contact_phone(desk: Desk) -> Edit | None:
    changes = {desk.rng.choice(("Phone", "CellPhone")): phone(desk.rng, "774")}
    return desk.edit_crm("contact", _contact(desk), "changed a contact's phone", changes)


def contact_email(desk: Desk) -> Edit | None:
    changes = {"Email": f"person{desk.rng.randrange(10**8)}@people.example.com"}
    return desk.edit_crm("contact", _contact(desk), "changed a contact's e-mail", changes)


def contact_leaves(desk: Desk) -> Edit | None:
    return desk.edit_crm("contact", _contact(desk), "made a contact inactive", {"ContactStatus": "I"})


def new_project(desk: Desk) -> Edit | None:
    firm = _firm(desk)
    if firm is None:
        return None
    name = desk.project_name()
    row = {
        "WBS1": desk.project_number(),
        "Name": name[:40],
        "LongName": name if len(name) > 40 else "",
        "ChargeType": "R",
        "Status": "A",
        "ClientID": firm,
        "StartDate": desk.today.isoformat(),
    }
    key = desk.crm.insert("project", row, user=desk.user())
    return told("crm", "project", key, "added a project", row)


def rename_project(desk: Desk) -> Edit | None:
    key = desk.pick(desk.crm.tables["project"], _is_open)
    name = desk.project_name()
    changes = {"Name": name[:40], "LongName": name if len(name) > 40 else ""}
    return desk.edit_crm("project", key, "renamed a project", changes)


def project_manager(desk: Desk) -> Edit | None:
    key = desk.pick(desk.crm.tables["project"], _is_open)
    manager = desk.pick(desk.crm.tables["employee"], lambda row: bool(row["Status"] == "A"))
    return desk.edit_crm("project", key, "changed a project's manager", {"ProjMgr": manager}) if manager else None


def project_dormant(desk: Desk) -> Edit | None:
    key = desk.pick(desk.crm.tables["project"], _is_open)
    return desk.edit_crm("project", key, "made a project dormant", {"Status": "D"})


def tick_firm(desk: Desk) -> Edit | None:
    key = desk.pick(
        desk.crm.tables["firm"],
        lambda row: row["Status"] == "A" and row["ClientInd"] == "Y" and row["AjeraSync"] == "N",
    )
    return desk.edit_crm("firm", key, "ticked a firm", {"AjeraSync": "Y"})


def tick_contact(desk: Desk) -> Edit | None:
    """A contact of a ticked firm that has fewer than five."""

    def fits(row: Row) -> bool:
        if row["AjeraSync"] == "Y" or row["ContactStatus"] != "A" or not row["ClientID"]:
            return False
        mates = desk.crm.rows("contact", "ClientID", row["ClientID"])
        ticked = desk.crm.tables["firm"][row["ClientID"]]["AjeraSync"] == "Y"
        return bool(ticked) and sum(m["AjeraSync"] == "Y" for m in mates) < MOST_TICKED

    key = desk.pick(desk.crm.tables["contact"], fits)
    return desk.edit_crm("contact", key, "ticked a contact", {"AjeraSync": "Y"})


def tick_project(desk: Desk) -> Edit | None:
    """A project with a client, together with its template."""
    templates = [row["Code"] for row in desk.crm.code_tables.get(TEMPLATE_TABLE, ())]
    key = desk.pick(
        desk.crm.tables["project"], lambda row: _is_open(row) and row["AjeraSync"] == "N" and bool(row["ClientID"])
    )
    if not templates or key is None:
        return None
    template = desk.crm.tables["project"][key]["ProjectTemplate"] or desk.rng.choice(templates)
    return desk.edit_crm("project", key, "ticked a project", {"AjeraSync": "Y", "ProjectTemplate": template})


def untick_firm(desk: Desk) -> Edit | None:
    key = desk.pick(desk.crm.tables["firm"], lambda row: bool(row["AjeraSync"] == "Y"))
    return desk.edit_crm("firm", key, "unticked a firm", {"AjeraSync": "N"})


#: What is done, and how often among all.
CRM_ACTS: tuple[tuple[Act, int], ...] = (
    (contact_phone, 4),
    (contact_title, 3),
    (contact_email, 2),
    (firm_phone, 3),
    (firm_website, 2),
    (move_firm, 1),
    (rename_firm, 1),
    (rename_project, 2),
    (project_manager, 2),
    (project_dormant, 1),
    (new_firm, 1),
    (new_contact, 2),
    (new_project, 1),
    (tick_firm, 2),
    (tick_contact, 2),
    (tick_project, 2),
    (contact_leaves, 1),
    (untick_firm, 1),
)
