"""Probes of Ajera's update pattern, for a test database only (doctor --probe --write); projects are in probe_projects."""

from __future__ import annotations

from uuid import uuid4

from core.ajera.probe_ground import PROBES, AjeraGround
from core.ajera.probe_records import a_client, a_contact, a_word, change, changed, make, read_one, update_both
from core.ajera.wire import Raw, read_text
from core.model.values import Kind
from core.quirks.probing import Answer, Undetermined
from core.text import safe_line

writes = PROBES.writes


@writes("noop_update")
async def _noop_update(ground: AjeraGround) -> Answer:
    record = await a_client(ground)
    reply = await update_both(ground, Kind.FIRM, [record], [record])
    return "error" if reply.refused else "accept", "UpdateClients with twins that are the same"


@writes("stale_compare")
async def _stale_compare(ground: AjeraGround) -> Answer:
    """A baseline with yesterday's stamp and today's values, then one with today's stamp and other values."""
    before = await a_client(ground)
    now = await changed(ground, before, Notes=a_word())
    if now.get("LastModifiedDate") == before.get("LastModifiedDate"):
        raise Undetermined("LastModifiedDate does not move with a change")
    by_stamp = await change(ground, {**now, "LastModifiedDate": before["LastModifiedDate"]}, Website="a.example")
    now = await a_client(ground)
    by_values = await change(ground, {**now, "Notes": a_word()}, Website="b.example")
    refusals = [reply.words for reply in (by_stamp, by_values) if reply.refused]
    if not refusals:
        raise Undetermined("a stale baseline is accepted, by stamp and by values: nothing guards against lost edits")
    ground.made["stale"] = refusals[0]
    value = "both" if len(refusals) == 2 else "stamp" if by_stamp.refused else "values"
    return value, "baselines that are stale in one way only"


@writes("stale_error", "stale_compare")
async def _stale_error(ground: AjeraGround) -> Answer:
    if "stale" not in ground.made:
        raise Undetermined("no stale baseline was refused")
    return safe_line(ground.made["stale"], 200), "the refusal of a stale baseline"


@writes("delete_form")
async def _delete_form(ground: AjeraGround) -> Answer:
    victim = await make(ground, Kind.FIRM, Description=a_word())
    reply = await update_both(ground, Kind.FIRM, [], [victim])
    if reply.refused:
        return "reject", "a baseline without an updated twin"
    if victim["ClientKey"] in await ground.listed(Kind.FIRM):
        raise Undetermined("a baseline without an updated twin is accepted without effect")
    del ground.records[Kind.FIRM][victim["ClientKey"]]
    return "delete", "a baseline without an updated twin: the client is gone"


@writes("missing_property")
async def _missing_property(ground: AjeraGround) -> Answer:
    record = await changed(ground, await a_client(ground), Notes=a_word())
    short = {name: value for name, value in record.items() if name != "Notes"}
    reply = await update_both(ground, Kind.FIRM, [{**short, "Website": f"{uuid4().hex[:6]}.example"}], [record])
    if reply.refused:
        return "error", "an updated record without its Notes"
    kept = read_text((await a_client(ground)).get("Notes")) == record["Notes"]
    return "keep" if kept else "clear", "the Notes after an updated record without them"


@writes("unknown_property")
async def _unknown_property(ground: AjeraGround) -> Answer:
    reply = await change(ground, await a_client(ground), Website=f"{uuid4().hex[:6]}.example", AjerasyncProbe="x")
    return "error" if reply.refused else "ignore", "an updated record with a property that does not exist"


@writes("per_record_errors")
async def _per_record_errors(ground: AjeraGround) -> Answer:
    """Two clients in one call: the first is changed well, the second loses its name."""
    good, bad, word = await a_client(ground), await make(ground, Kind.FIRM, Description=a_word()), a_word()
    reply = await update_both(
        ground, Kind.FIRM, [{**good, "Notes": word}, {**bad, "Description": ""}], [good, bad], single=False
    )
    applied = read_text((await a_client(ground)).get("Notes")) == word
    if read_text((await read_one(ground, Kind.FIRM, bad["ClientKey"])).get("Description")) != bad["Description"]:
        raise Undetermined("a client without a name is accepted")
    how = "two clients in one call, one of them without a name"
    if reply.good_code:
        return "success" if reply.errors else "silent", how
    return "errors" if applied else "all", how


@writes("stamp_moves")
async def _stamp_moves(ground: AjeraGround) -> Answer:
    record = await a_client(ground)
    reply = await change(ground, record, Notes=a_word())
    told = [row.get("LastModifiedDate") for row in reply.content_or_refusal().get("Clients") or []]
    now = (await a_client(ground)).get("LastModifiedDate")
    if now == record.get("LastModifiedDate") or len(told) != 1:
        raise Undetermined("LastModifiedDate does not move with a change")
    return "yes" if told == [now] else "no", "LastModifiedDate in the answer of an update and of a Get"


@writes("duplicate_client_name")
async def _duplicate_client_name(ground: AjeraGround) -> Answer:
    record = await a_client(ground)
    new = {"ClientKey": -1, "Status": "Active", "Description": record["Description"]}
    reply = await update_both(ground, Kind.FIRM, [new], [])
    return "error" if reply.refused else "accept", "a second client with the same Description"


# -- contacts --------------------------------------------------------------------------------------


def _new_contact(key: int, first: str, middle: str, last: str) -> Raw:
    return {"ContactKey": key, "Status": "Active", "FirstName": first, "MiddleName": middle, "LastName": last}


@writes("new_contacts_per_call")
async def _new_contacts_per_call(ground: AjeraGround) -> Answer:
    new = [_new_contact(-1, "Probe", "", a_word()), _new_contact(-2, "Probe", "", a_word())]
    reply = await update_both(ground, Kind.CONTACT, new, [])
    return "one" if reply.refused else "many", "two new contacts in one call"


@writes("duplicate_contact_name")
async def _duplicate_contact_name(ground: AjeraGround) -> Answer:
    last = (await a_contact(ground))["LastName"]
    reply = await update_both(ground, Kind.CONTACT, [_new_contact(-1, "Probe", "A", last)], [])
    return "error" if reply.refused else "accept", "a second contact with the same name"


@writes("contact_name_parts", "duplicate_contact_name")
async def _contact_name_parts(ground: AjeraGround) -> Answer:
    if ground.found.get("duplicate_contact_name") != "error":
        raise Undetermined("contacts may have the same name here")
    last = (await a_contact(ground))["LastName"]
    reply = await update_both(ground, Kind.CONTACT, [_new_contact(-1, "Probe", "B", last)], [])
    return "first_last" if reply.refused else "full", "a second contact that differs in the middle name"
