"""Probes of child rows and rules in the CRM, for a test database only (doctor --probe --write)."""

from __future__ import annotations

from decimal import Decimal
from typing import Final
from uuid import uuid4

from core.crm.client import segment
from core.crm.probe_ground import PROBES, CrmGround, refused, words
from core.crm.probe_records import (
    a_contact,
    a_firm,
    a_project,
    a_word,
    an_address,
    held_now,
    must,
    new_firm,
    new_project,
)
from core.crm.wire import Row, flag_of, text_of
from core.http import Reply
from core.model.values import Kind
from core.quirks.probing import Answer, Undetermined

writes = PROBES.writes
ARRAYS: Final = ("PRCONTACTASSOC", "PRContactAssoc", "ProjectContacts", "PRCONTACTS")  # likely names (section 11.1)
HOURS: Final = Decimal("1.5")


# -- addresses and child rows (P3, P5) -------------------------------------------------------------


@writes("flattened_writes")
async def _flattened_writes(ground: CrmGround) -> Answer:
    firm, _ = await an_address(ground)
    city = uuid4().hex[:8]
    if refused(await ground.put(Kind.FIRM, firm, PrimaryCity=city)):
        return "error", "PUT of PrimaryCity"
    return "address" if await held_now(ground, "PrimaryCity") == city else "ignored", "PrimaryCity after a PUT"


async def _address_row(ground: CrmGround) -> Row:
    firm, address = await an_address(ground)
    rows = await ground.client.children("firm", firm, "address") or []
    row = next((row for row in rows if text_of(row.get("CLAddressID")) == address), None)
    if row is None:
        raise Undetermined("the address made for the probe is not shown")
    return row


async def _change_address(ground: CrmGround, city: str, was: str) -> Reply:
    firm, address = await an_address(ground)
    row: dict[str, object] = {"CLAddressID": address, "ClientID": firm, "City": city}
    row |= {"_transType": "U", "_originalValues": {"City": was}}
    return await ground.put(Kind.FIRM, firm, CLAddress=[row])


@writes("original_values")
async def _original_values(ground: CrmGround) -> Answer:
    city = uuid4().hex[:8]
    reply = await _change_address(ground, city, "never was")
    if refused(reply):
        await must(await _change_address(ground, city, text_of((await _address_row(ground)).get("City"))), "an address")
        return "enforced", f"an address whose _originalValues are wrong: {words(reply)}"
    if text_of((await _address_row(ground)).get("City")) != city:
        raise Undetermined("an address row is accepted without effect")
    return "ignored", "an address whose _originalValues are wrong is saved"


@writes("parent_stamp_moves")
async def _parent_stamp_moves(ground: CrmGround) -> Answer:
    await an_address(ground)
    before = await held_now(ground, "ModDate")
    await must(
        await _change_address(ground, uuid4().hex[:8], text_of((await _address_row(ground)).get("City"))), "an address"
    )
    return await held_now(ground, "ModDate") != before, "the firm's ModDate after a change of its address"


@writes("custom_stamp_moves")
async def _custom_stamp_moves(ground: CrmGround) -> Answer:
    table = (await ground.catalogue()).tables[Kind.FIRM].values()
    metas = (m for m in table if m.customfield and m.updateable and not m.codetable and m.fieldtype.lower() == "string")
    meta = next(metas, None)
    if meta is None:
        raise Undetermined("firms have no user-defined text")
    firm, before = await a_firm(ground), await held_now(ground, "ModDate")
    await must(await ground.put(Kind.FIRM, firm, **{meta.fieldname: uuid4().hex[:8]}), f"a change of {meta.fieldname}")
    return await held_now(ground, "ModDate") != before, f"the firm's ModDate after a change of {meta.fieldname}"


@writes("address_label_unique")
async def _address_label_unique(ground: CrmGround) -> Answer:
    firm, _ = await an_address(ground)
    reply = await ground.write("POST", f"firm/{segment(firm)}/address", {"Address": "Probe", "Address1": "2 Probe St"})
    return refused(reply), "a second address with the same label"


@writes("project_contact_array")
async def _project_contact_array(ground: CrmGround) -> Answer:
    project, contact = await a_project(ground), await a_contact(ground)
    for name in ARRAYS:
        reply = await ground.put(
            Kind.PROJECT, project, **{name: [{"WBS1": project, "ContactID": contact, "_transType": "I"}]}
        )
        members = [] if refused(reply) else await ground.client.children("project", project, "teammember") or []
        if any(not text_of(row.get("Employee")).strip() for row in members):
            return name, "PUT of a project with a contact in it"
    return "", f"none of {', '.join(ARRAYS)} is taken by PUT of a project"


@writes("crm_hours")
async def _crm_hours(ground: CrmGround) -> Answer:
    project, people = await a_project(ground), await ground.some(Kind.EMPLOYEE, limit=1)
    if not people:
        raise Undetermined("there are no employees")
    row = {"WBS1": project, "Employee": people[0]["Employee"], "_transType": "I"}
    reply = await ground.put(Kind.PROJECT, project, EMPROJECTASSOC=[{**row, "CRMHours": HOURS}])
    if refused(reply):
        await must(await ground.put(Kind.PROJECT, project, EMPROJECTASSOC=[row]), "a team row without hours")
        return "refused", f"a team row with CRMHours: {words(reply)}"
    rows = await ground.client.children("project", project, "employee") or []
    if not rows:
        raise Undetermined("a team row is accepted without effect")
    kept = any(text_of(each.get("CRMHours")).strip() and Decimal(text_of(each["CRMHours"])) == HOURS for each in rows)
    return "writable" if kept else "ignored", "CRMHours of a team row that was made with them"


# -- rules (P8, P11, P13, P14) ---------------------------------------------------------------------


@writes("ajera_by_charge_type")
async def _ajera_by_charge_type(ground: CrmGround) -> Answer:
    mark = (await ground.catalogue()).marks.get("project")
    if mark is None:
        raise Undetermined("projects have no Ajera columns here")
    key = await ground.make(Kind.PROJECT, **new_project(ChargeType="H"))
    reply = await ground.put(Kind.PROJECT, key, **{mark: "Y"})
    return refused(reply), f"{mark} on an overhead project{f': {words(reply)}' if refused(reply) else ''}"


@writes("fee_on_phased")
async def _fee_on_phased(ground: CrmGround) -> Answer:
    key = await ground.make(Kind.PROJECT, **new_project())
    await ground.make(Kind.PROJECT, **new_project(WBS1=key, WBS2="01"))
    reply = await ground.put(Kind.PROJECT, key, Fee=123)
    if refused(reply):
        return "refused", f"Fee on a project with a phase: {words(reply)}"
    held = text_of((await ground.one(Kind.PROJECT, key, "WBS1", "Fee")).get("Fee"))
    return "accepted" if held and Decimal(held) == 123 else "ignored", "Fee of a project with a phase after a PUT"


@writes("contact_cap")
async def _contact_cap(ground: CrmGround) -> Answer:
    """One more contact of a firm is ticked than the product's own limit (P13)."""
    mark = (await ground.catalogue()).marks.get("contact")
    if mark is None:
        raise Undetermined("contacts have no column for the tick here")
    firm = await ground.make(Kind.FIRM, **new_firm())
    for ticked in range(ground.contact_cap + 1):
        key = await ground.make(Kind.CONTACT, FirstName="Probe", LastName=a_word(), ClientID=firm)
        reply = await ground.put(Kind.CONTACT, key, **{mark: "Y"})
        if refused(reply) and ticked == 0:
            raise Undetermined(f"no contact can be ticked: {words(reply)}")
        if refused(reply) or not flag_of((await ground.one(Kind.CONTACT, key, "ContactID", mark)).get(mark)):
            return ticked, f"the tick of contact {ticked + 1} of a firm is not taken"
    return 0, f"{ground.contact_cap + 1} contacts of a firm are ticked"


@writes("delete_firm_in_use")
async def _delete_firm_in_use(ground: CrmGround) -> Answer:
    firm = await ground.make(Kind.FIRM, **new_firm())
    await ground.make(Kind.PROJECT, **new_project(ClientID=firm))
    reply = await ground.write("DELETE", f"firm/{segment(firm)}", None)
    if not refused(reply):
        ground.records.remove((Kind.FIRM, firm))
        return "accepted", "DELETE of a firm with a project"
    return "refused", f"DELETE of a firm with a project: {words(reply)}"
