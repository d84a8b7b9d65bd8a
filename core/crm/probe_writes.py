"""Probes of keys, numbers and fields in the CRM, for a test database only (doctor --probe --write)."""

from __future__ import annotations

import random
import re
from typing import Final
from uuid import uuid4

from core.crm.hubs import FIRST_VALUES
from core.crm.probe_ground import PROBES, CrmGround, good, key_of, refused, words
from core.crm.probe_records import a_firm, a_project, a_web_site, a_word, held_now, must, new_firm, new_project
from core.crm.query import Query, equals
from core.crm.replies import rows_of
from core.crm.wire import text_of
from core.errors import AccessRefused
from core.http import Reply
from core.model.values import Kind
from core.quirks.probing import Answer, Undetermined

writes = PROBES.writes
FORMAT = re.compile(r"correct format is (X+)", re.IGNORECASE)
BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
LONG_NUMBER: Final = "9" * 19


# -- rights and replies ----------------------------------------------------------------------------


@writes("login_rights")
async def _login_rights(ground: CrmGround) -> Answer:
    try:
        await a_firm(ground)
    except AccessRefused:
        return "read", "POST of a firm"
    return "all", "POST of a firm"


async def _a_refusal(ground: CrmGround) -> Reply:
    """A contact without a last name, which every tenant refuses (section 10)."""
    reply, row = await ground.post(Kind.CONTACT, {"FirstName": a_word()})
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
    reply = await ground.put(Kind.FIRM, await a_firm(ground), WebSite=a_web_site())
    good(reply)
    return "array" if isinstance(reply.json(), list) else "object", "the body of the reply to a PUT"


# -- keys and numbers (P1, P2) ---------------------------------------------------------------------


@writes("client_keys")
async def _client_keys(ground: CrmGround) -> Answer:
    key, firm = uuid4().hex, await a_firm(ground)
    body = {**ground.defaults.get(Kind.CONTACT, {}), "FirstName": "Probe", "LastName": a_word(), "ClientID": firm}
    reply, row = await ground.post(Kind.CONTACT, {**body, "ContactID": key})
    how = "POST of a contact with a ContactID of ours"
    if row is not None:
        return "accepted" if key_of(Kind.CONTACT, row).lower() == key else "ignored", how
    await must((await ground.post(Kind.CONTACT, body))[0], "a contact without ContactID")
    return "refused", f"{how}: {words(reply)}"


@writes("put_missing")
async def _put_missing(ground: CrmGround) -> Answer:
    await a_firm(ground)
    key = uuid4().hex
    body = {**ground.defaults.get(Kind.FIRM, {}), **new_firm()}
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
    row = await ground.one(Kind.FIRM, await a_firm(ground), "ClientID", "Client")
    return bool(text_of(row.get("Client")).strip()), "the number of a firm made without one"


async def _number_of(ground: CrmGround, sent: str) -> tuple[Reply, str]:
    """The reply to a firm with a number, and the number it has then."""
    reply, row = await ground.post(Kind.FIRM, {**ground.defaults.get(Kind.FIRM, {}), **new_firm(), "Client": sent})
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
    await a_project(ground)  # with a number it works
    body = {**ground.defaults.get(Kind.PROJECT, {}), **new_project()}
    reply, row = await ground.post(Kind.PROJECT, {name: value for name, value in body.items() if name != "WBS1"})
    return row is not None, f"POST of a project without a number{f': {words(reply)}' if row is None else ''}"


@writes("employee_length")
async def _employee_length(ground: CrmGround) -> Answer:
    """An employee that cannot be made: without a last name. The refusal says the format too, where there is one."""
    await a_firm(ground)
    reply, row = await ground.post(Kind.EMPLOYEE, {"FirstName": a_word(), "Employee": LONG_NUMBER})
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
    firm, web = await a_firm(ground), a_web_site()
    await must(await ground.put(Kind.FIRM, firm, WebSite=web), "a change of WebSite")
    return firm, web


@writes("unknown_field")
async def _unknown_field(ground: CrmGround) -> Answer:
    reply = await ground.put(Kind.FIRM, await a_firm(ground), WebSite=a_web_site(), AjerasyncProbe="x")
    return "error" if refused(reply) else "ignored", "PUT of a firm with a field that does not exist"


@writes("name_case")
async def _name_case(ground: CrmGround) -> Answer:
    firm, before = await _website(ground)
    reply = await ground.put(Kind.FIRM, firm, wEBsITE=a_web_site())
    if refused(reply):
        return "error", "PUT of a firm with wEBsITE"
    return "ignored" if await held_now(ground) == before else "insensitive", "PUT of a firm with wEBsITE"


@writes("empty_clears")
async def _empty_clears(ground: CrmGround) -> Answer:
    firm, _ = await _website(ground)
    await must(await ground.put(Kind.FIRM, firm, WebSite=""), "an empty text")
    return not await held_now(ground), "WebSite after an empty text"


@writes("null_value")
async def _null_value(ground: CrmGround) -> Answer:
    firm, _ = await _website(ground)
    if refused(await ground.put(Kind.FIRM, firm, WebSite=None)):
        return "error", "PUT of WebSite with null"
    return "ignored" if await held_now(ground) else "clears", "WebSite after null"
