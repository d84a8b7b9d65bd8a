"""Probes of the CRM that make records of their own, for a test database only (doctor --probe --write).

What they make bears a word of its own and is deleted afterwards, or set inactive where that is refused; `clean_up`
says what stays.
"""

from __future__ import annotations

import random
import re
from decimal import Decimal
from typing import Final
from uuid import uuid4

from core.crm.client import segment
from core.crm.hubs import FIRST_VALUES, HUBS
from core.crm.probe_ground import PROBES, CrmGround, good, key_of, refused, words
from core.crm.query import Query, equals
from core.crm.replies import rows_of
from core.crm.wire import Row, flag_of, text_of
from core.errors import AccessRefused, SystemFailure
from core.http import Reply
from core.model.values import Kind
from core.quirks.probing import Answer, Undetermined
from core.text import safe_line

writes = PROBES.writes
ARRAYS: Final = ("PRCONTACTASSOC", "PRContactAssoc", "ProjectContacts", "PRCONTACTS")  # likely names (section 11.1)
FORMAT = re.compile(r"correct format is (X+)", re.IGNORECASE)
BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
LONG_NUMBER: Final = "9" * 19
HOURS: Final = Decimal("1.5")


def _word() -> str:
    """A name that nobody has."""
    return f"ajerasync probe {uuid4().hex[:8]}"


def _web() -> str:
    return f"{uuid4().hex[:8]}.example"


# -- records of the probes -------------------------------------------------------------------------


def _new_firm() -> dict[str, object]:
    return {**FIRST_VALUES[Kind.FIRM], "Name": _word()}


async def _firm(ground: CrmGround) -> str:
    """The firm that most probes change."""
    if "firm" not in ground.made:
        ground.made["firm"] = await ground.make(Kind.FIRM, **_new_firm())
    return str(ground.made["firm"])


async def _address(ground: CrmGround) -> tuple[str, str]:
    """The keys of the firm and of its address row."""
    firm = await _firm(ground)
    if "address" not in ground.made:
        body = {"Address": "Probe", "Address1": "1 Probe St", "PrimaryInd": "Y"}
        rows = good(await ground.write("POST", f"firm/{segment(firm)}/address", body))
        ground.made["address"] = text_of(rows[0].get("CLAddressID")) if rows else ""
    return firm, str(ground.made["address"])


async def _contact(ground: CrmGround) -> str:
    if "contact" not in ground.made:
        ground.made["contact"] = await ground.make(
            Kind.CONTACT, FirstName="Probe", LastName=_word(), ClientID=await _firm(ground)
        )
    return str(ground.made["contact"])


def _new_project(**more: object) -> dict[str, object]:
    word = uuid4().hex[:8]
    return {**FIRST_VALUES[Kind.PROJECT], "WBS1": f"AP{word}", "Name": f"ajerasync probe {word}", **more}


async def _project(ground: CrmGround) -> str:
    if "project" not in ground.made:
        ground.made["project"] = await ground.make(Kind.PROJECT, **_new_project())
    return str(ground.made["project"])


async def _must(reply: Reply, what: str) -> None:
    """Raises Undetermined where a step of the probe was refused."""
    if refused(reply):
        raise Undetermined(f"{what} was refused: {words(reply)}")


# -- rights and replies ----------------------------------------------------------------------------


@writes("login_rights")
async def _login_rights(ground: CrmGround) -> Answer:
    try:
        await _firm(ground)
    except AccessRefused:
        return "read", "POST of a firm"
    return "all", "POST of a firm"


async def _a_refusal(ground: CrmGround) -> Reply:
    """A contact without a last name, which every tenant refuses (section 10)."""
    reply, row = await ground.post(Kind.CONTACT, {"FirstName": _word()})
    if row is not None or not refused(reply) or reply.status == 403:
        raise Undetermined(f"a contact without a last name is not refused by a rule: HTTP {reply.status}")
    return reply


@writes("business_status")
async def _business_status(ground: CrmGround) -> Answer:
    reply = await _a_refusal(ground)
    if reply.status not in (400, 500):
        raise Undetermined(f"a contact without a last name is refused with HTTP {reply.status}")
    return str(reply.status), "a contact without a last name"


@writes("messages_repeat")
async def _messages_repeat(ground: CrmGround) -> Answer:
    reply = await _a_refusal(ground)
    document = reply.json()
    values = document.values() if isinstance(document, dict) else [document]
    sentences = [part.strip() for value in values if isinstance(value, str) for part in BREAK.split(value)]
    if not sentences:
        raise Undetermined("a refusal comes without a sentence")
    return len(set(sentences)) < len(sentences), "the sentences of a contact without a last name"


@writes("write_reply")
async def _write_reply(ground: CrmGround) -> Answer:
    reply = await ground.put(Kind.FIRM, await _firm(ground), WebSite=_web())
    good(reply)
    return "array" if isinstance(reply.json(), list) else "object", "the body of the reply to a PUT"


# -- keys and numbers (P1, P2) ---------------------------------------------------------------------


@writes("client_keys")
async def _client_keys(ground: CrmGround) -> Answer:
    key, firm = uuid4().hex, await _firm(ground)
    body = {**ground.defaults.get(Kind.CONTACT, {}), "FirstName": "Probe", "LastName": _word(), "ClientID": firm}
    reply, row = await ground.post(Kind.CONTACT, {**body, "ContactID": key})
    how = "POST of a contact with a ContactID of ours"
    if row is not None:
        return "accepted" if key_of(Kind.CONTACT, row).lower() == key else "ignored", how
    await _must((await ground.post(Kind.CONTACT, body))[0], "a contact without ContactID")
    return "refused", f"{how}: {words(reply)}"


@writes("put_missing")
async def _put_missing(ground: CrmGround) -> Answer:
    await _firm(ground)
    key = uuid4().hex
    body = {**ground.defaults.get(Kind.FIRM, {}), **_new_firm()}
    reply = await ground.write("PUT", f"firm/{key}", body)
    if not refused(reply):
        made = [key_of(Kind.FIRM, row) for row in rows_of(reply)] or [key]
        ground.records += [(Kind.FIRM, each) for each in made if each]
        return "create", "PUT of a firm that does not exist"
    if reply.status not in (400, 404, 500):
        raise Undetermined(f"PUT of a firm that does not exist: HTTP {reply.status}")
    return str(reply.status), f"PUT of a firm that does not exist: {words(reply)}"


@writes("autonumber_firm")
async def _autonumber_firm(ground: CrmGround) -> Answer:
    row = await ground.one(Kind.FIRM, await _firm(ground), "ClientID", "Client")
    return bool(text_of(row.get("Client")).strip()), "the number of a firm made without one"


async def _number_of(ground: CrmGround, sent: str) -> tuple[Reply, str]:
    """The reply to a firm with a number, and the number it has then."""
    reply, row = await ground.post(Kind.FIRM, {**ground.defaults.get(Kind.FIRM, {}), **_new_firm(), "Client": sent})
    if row is None:
        return reply, ""
    held = await ground.one(Kind.FIRM, key_of(Kind.FIRM, row), "ClientID", "Client")
    return reply, text_of(held.get("Client")).strip()


async def _override(ground: CrmGround) -> tuple[Reply, str, str]:
    if not ground.found.get("autonumber_firm"):
        raise Undetermined("firms are not numbered by the CRM")
    if "override" not in ground.made:
        sent = f"P{uuid4().hex[:6].upper()}"
        ground.made["override"] = (*await _number_of(ground, sent), sent)
    found: tuple[Reply, str, str] = ground.made["override"]
    return found


@writes("autonumber_override", "autonumber_firm")
async def _autonumber_override(ground: CrmGround) -> Answer:
    reply, held, sent = await _override(ground)
    said = f": {words(reply)}" if refused(reply) else ""
    return held.upper() == sent, f"POST of a firm with a number, though they are handed out{said}"


@writes("autonumber_clash", "autonumber_override")
async def _autonumber_clash(ground: CrmGround) -> Answer:
    if ground.found.get("autonumber_override", True):
        raise Undetermined("a number may be sent here")
    reply, _, _ = await _override(ground)
    return "refused" if refused(reply) else "ignored", "POST of a firm with a number against the rule"


@writes("number_padding", "autonumber_override")
async def _number_padding(ground: CrmGround) -> Answer:
    if ground.found.get("autonumber_firm") and not ground.found.get("autonumber_override"):
        raise Undetermined("no number may be sent for a firm")
    for sent in map(str, random.SystemRandom().sample(range(1, 10), 9)):
        if await ground.rows(Kind.FIRM, Query(("ClientID",), (equals("Client", sent),)), 1):
            continue
        reply, held = await _number_of(ground, sent)
        if not refused(reply):
            return len(held) if held.lstrip(
                "0"
            ) == sent and held != sent else 0, "the number of a firm sent as one digit"
    raise Undetermined("no number of one digit is free")


@writes("autonumber_project")
async def _autonumber_project(ground: CrmGround) -> Answer:
    await _project(ground)  # with a number it works
    body = {**ground.defaults.get(Kind.PROJECT, {}), **_new_project()}
    reply, row = await ground.post(Kind.PROJECT, {name: value for name, value in body.items() if name != "WBS1"})
    return row is not None, f"POST of a project without a number{f': {words(reply)}' if row is None else ''}"


@writes("employee_length")
async def _employee_length(ground: CrmGround) -> Answer:
    """An employee that cannot be made: without a last name. The refusal says the format too, where there is one."""
    await _firm(ground)
    reply, row = await ground.post(Kind.EMPLOYEE, {"FirstName": _word(), "Employee": LONG_NUMBER})
    if row is not None:
        return 0, f"an employee number of {len(LONG_NUMBER)} digits is taken"
    format_ = FORMAT.search(words(reply))
    if format_ is None and "autonumber" in words(reply).lower():
        raise Undetermined(f"no number may be sent for an employee: {words(reply)}")
    return len(format_[1]) if format_ else 0, f"an employee number of {len(LONG_NUMBER)} digits: {words(reply)}"


@writes("autonumber_employee", "employee_length")
async def _autonumber_employee(ground: CrmGround) -> Answer:
    body: dict[str, object] = {**FIRST_VALUES[Kind.EMPLOYEE], "FirstName": "Probe", "LastName": uuid4().hex[:8]}
    body |= ground.defaults.get(Kind.EMPLOYEE, {})
    reply, row = await ground.post(Kind.EMPLOYEE, body)
    if row is not None:
        return True, "POST of an employee without a number"
    length = int(ground.found.get("employee_length") or 8)
    other, numbered = await ground.post(Kind.EMPLOYEE, {**body, "Employee": str(uuid4().int)[-length:]})
    if numbered is None:
        raise Undetermined(f"no employee could be made, with a number or without: {words(other)}")
    return False, f"POST of an employee without a number: {words(reply)}"


# -- fields of a body (P12) ------------------------------------------------------------------------


async def _website(ground: CrmGround) -> tuple[str, str]:
    """The firm and its web site, just set to something."""
    firm, web = await _firm(ground), _web()
    await _must(await ground.put(Kind.FIRM, firm, WebSite=web), "a change of WebSite")
    return firm, web


async def _held(ground: CrmGround, name: str = "WebSite") -> str:
    return text_of((await ground.one(Kind.FIRM, await _firm(ground), "ClientID", name)).get(name))


@writes("unknown_field")
async def _unknown_field(ground: CrmGround) -> Answer:
    reply = await ground.put(Kind.FIRM, await _firm(ground), WebSite=_web(), AjerasyncProbe="x")
    return "error" if refused(reply) else "ignored", "PUT of a firm with a field that does not exist"


@writes("name_case")
async def _name_case(ground: CrmGround) -> Answer:
    firm, before = await _website(ground)
    reply = await ground.put(Kind.FIRM, firm, wEBsITE=_web())
    if refused(reply):
        return "error", "PUT of a firm with wEBsITE"
    return "ignored" if await _held(ground) == before else "insensitive", "PUT of a firm with wEBsITE"


@writes("empty_clears")
async def _empty_clears(ground: CrmGround) -> Answer:
    firm, _ = await _website(ground)
    await _must(await ground.put(Kind.FIRM, firm, WebSite=""), "an empty text")
    return not await _held(ground), "WebSite after an empty text"


@writes("null_value")
async def _null_value(ground: CrmGround) -> Answer:
    firm, _ = await _website(ground)
    if refused(await ground.put(Kind.FIRM, firm, WebSite=None)):
        return "error", "PUT of WebSite with null"
    return "ignored" if await _held(ground) else "clears", "WebSite after null"


# -- addresses and child rows (P3, P5) -------------------------------------------------------------


@writes("flattened_writes")
async def _flattened_writes(ground: CrmGround) -> Answer:
    firm, _ = await _address(ground)
    city = uuid4().hex[:8]
    if refused(await ground.put(Kind.FIRM, firm, PrimaryCity=city)):
        return "error", "PUT of PrimaryCity"
    return "address" if await _held(ground, "PrimaryCity") == city else "ignored", "PrimaryCity after a PUT"


async def _address_row(ground: CrmGround) -> Row:
    firm, address = await _address(ground)
    rows = await ground.client.children("firm", firm, "address") or []
    row = next((row for row in rows if text_of(row.get("CLAddressID")) == address), None)
    if row is None:
        raise Undetermined("the address made for the probe is not shown")
    return row


async def _change_address(ground: CrmGround, city: str, was: str) -> Reply:
    firm, address = await _address(ground)
    row: dict[str, object] = {"CLAddressID": address, "ClientID": firm, "City": city}
    row |= {"_transType": "U", "_originalValues": {"City": was}}
    return await ground.put(Kind.FIRM, firm, CLAddress=[row])


@writes("original_values")
async def _original_values(ground: CrmGround) -> Answer:
    city = uuid4().hex[:8]
    reply = await _change_address(ground, city, "never was")
    if refused(reply):
        await _must(
            await _change_address(ground, city, text_of((await _address_row(ground)).get("City"))), "an address"
        )
        return "enforced", f"an address whose _originalValues are wrong: {words(reply)}"
    if text_of((await _address_row(ground)).get("City")) != city:
        raise Undetermined("an address row is accepted without effect")
    return "ignored", "an address whose _originalValues are wrong is saved"


@writes("parent_stamp_moves")
async def _parent_stamp_moves(ground: CrmGround) -> Answer:
    await _address(ground)
    before = await _held(ground, "ModDate")
    await _must(
        await _change_address(ground, uuid4().hex[:8], text_of((await _address_row(ground)).get("City"))), "an address"
    )
    return await _held(ground, "ModDate") != before, "the firm's ModDate after a change of its address"


@writes("custom_stamp_moves")
async def _custom_stamp_moves(ground: CrmGround) -> Answer:
    table = (await ground.catalogue()).tables[Kind.FIRM].values()
    metas = (m for m in table if m.customfield and m.updateable and not m.codetable and m.fieldtype.lower() == "string")
    meta = next(metas, None)
    if meta is None:
        raise Undetermined("firms have no user-defined text")
    firm, before = await _firm(ground), await _held(ground, "ModDate")
    await _must(await ground.put(Kind.FIRM, firm, **{meta.fieldname: uuid4().hex[:8]}), f"a change of {meta.fieldname}")
    return await _held(ground, "ModDate") != before, f"the firm's ModDate after a change of {meta.fieldname}"


@writes("address_label_unique")
async def _address_label_unique(ground: CrmGround) -> Answer:
    firm, _ = await _address(ground)
    reply = await ground.write("POST", f"firm/{segment(firm)}/address", {"Address": "Probe", "Address1": "2 Probe St"})
    return refused(reply), "a second address with the same label"


@writes("project_contact_array")
async def _project_contact_array(ground: CrmGround) -> Answer:
    project, contact = await _project(ground), await _contact(ground)
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
    project, people = await _project(ground), await ground.some(Kind.EMPLOYEE, limit=1)
    if not people:
        raise Undetermined("there are no employees")
    row = {"WBS1": project, "Employee": people[0]["Employee"], "_transType": "I"}
    reply = await ground.put(Kind.PROJECT, project, EMPROJECTASSOC=[{**row, "CRMHours": HOURS}])
    if refused(reply):
        await _must(await ground.put(Kind.PROJECT, project, EMPROJECTASSOC=[row]), "a team row without hours")
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
    key = await ground.make(Kind.PROJECT, **_new_project(ChargeType="H"))
    reply = await ground.put(Kind.PROJECT, key, **{mark: "Y"})
    return refused(reply), f"{mark} on an overhead project{f': {words(reply)}' if refused(reply) else ''}"


@writes("fee_on_phased")
async def _fee_on_phased(ground: CrmGround) -> Answer:
    key = await ground.make(Kind.PROJECT, **_new_project())
    await ground.make(Kind.PROJECT, **_new_project(WBS1=key, WBS2="01"))
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
    firm = await ground.make(Kind.FIRM, **_new_firm())
    for ticked in range(ground.contact_cap + 1):
        key = await ground.make(Kind.CONTACT, FirstName="Probe", LastName=_word(), ClientID=firm)
        reply = await ground.put(Kind.CONTACT, key, **{mark: "Y"})
        if refused(reply) and ticked == 0:
            raise Undetermined(f"no contact can be ticked: {words(reply)}")
        if refused(reply) or not flag_of((await ground.one(Kind.CONTACT, key, "ContactID", mark)).get(mark)):
            return ticked, f"the tick of contact {ticked + 1} of a firm is not taken"
    return 0, f"{ground.contact_cap + 1} contacts of a firm are ticked"


@writes("delete_firm_in_use")
async def _delete_firm_in_use(ground: CrmGround) -> Answer:
    firm = await ground.make(Kind.FIRM, **_new_firm())
    await ground.make(Kind.PROJECT, **_new_project(ClientID=firm))
    reply = await ground.write("DELETE", f"firm/{segment(firm)}", None)
    if not refused(reply):
        ground.records.remove((Kind.FIRM, firm))
        return "accepted", "DELETE of a firm with a project"
    return "refused", f"DELETE of a firm with a project: {words(reply)}"


# -- afterwards ------------------------------------------------------------------------------------

_PUT_AWAY: Final = {
    Kind.FIRM: {"Status": "I"},
    Kind.CONTACT: {"ContactStatus": "I"},
    Kind.PROJECT: {"Status": "D"},
    Kind.EMPLOYEE: {"Status": "T"},
}


async def clean_up(ground: CrmGround) -> None:
    """Delete what the probes made, newest first, projects before the firms they name."""
    order = {Kind.PROJECT: 0, Kind.EMPLOYEE: 1, Kind.CONTACT: 2, Kind.FIRM: 3}
    newest_first = list(reversed(ground.records))
    for kind, key in sorted(newest_first, key=lambda record: order[record[0]]):
        state = await _take_away(ground, kind, key)
        if state:
            ground.left.append(safe_line(f"CRM {kind} {key} {state}", 300))


async def _take_away(ground: CrmGround, kind: Kind, key: str) -> str:
    """What stays of a record, in words; empty where it is gone."""
    path = f"{HUBS[kind].path}/{segment(key)}"
    try:
        reply = await ground.write("DELETE", path, None)
        if not refused(reply) or reply.status == 404:
            return ""
        inactive = await ground.put(kind, key, **_PUT_AWAY[kind])
        return f"could not be deleted ({words(reply)}); it is {'as it was' if refused(inactive) else 'inactive'}"
    except SystemFailure as error:
        return f"could not be deleted: {error}"
