"""Probes of Ajera that make records of their own, for a test database only (doctor --probe --write).

What they make bears a word of its own. Clients and contacts end inactive and projects closed, since the API deletes
neither; `clean_up` says what stays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import uuid4

from core.ajera.names import ENTITIES, REFERENCES
from core.ajera.probe_ground import PROBES, AjeraGround, Reply
from core.ajera.wire import Raw, read_amount, read_key, read_text
from core.errors import SystemFailure
from core.model.values import Kind
from core.quirks.probing import Answer, Undetermined
from core.text import safe_line

writes = PROBES.writes
NEW_FLAG: Final = "SyncToCRM"
LONGEST: Final = 80  # characters of a project's Description (ajera-api 10.2)


def _word() -> str:
    """A name that nobody has."""
    return f"ajerasync probe {uuid4().hex[:8]}"


# -- records of the probes -------------------------------------------------------------------------


async def _update(ground: AjeraGround, kind: Kind, updated: Sequence[Raw], unchanged: Sequence[Raw]) -> Reply:
    entity = ENTITIES[kind]
    arguments = {entity.updated: list(updated), entity.unchanged: list(unchanged), "UseSingleTransaction": False}
    reply = await ground.ask(entity.update_method, arguments, reading=False)
    for row in reply.content.get(entity.plural) or []:
        _note(ground, kind, row)
    return reply


def _note(ground: AjeraGround, kind: Kind, row: Raw) -> None:
    """Remember a record of ours, to take it away again."""
    key = read_key(row.get(ENTITIES[kind].key))
    if key is not None and key > 0:
        ground.records.setdefault(kind, {})[key] = read_text(row.get("Description")) or read_text(row.get("LastName"))


async def _make(ground: AjeraGround, kind: Kind, **fields: Any) -> Raw:
    """A new client or contact as it is read back. Raises RecordRefused."""
    entity = ENTITIES[kind]
    reply = await _update(ground, kind, [{entity.key: -1, "Status": "Active", **fields}], [])
    rows = reply.content_or_refusal().get(entity.plural) or []
    key = read_key(rows[0].get(entity.key)) if rows else None
    if key is None:
        raise Undetermined(f"{entity.update_method} made nothing")
    return await _read(ground, kind, key)


async def _read(ground: AjeraGround, kind: Kind, key: int, version: int = 1) -> Raw:
    rows = await ground.get(kind, [key], version)
    if not rows:
        raise Undetermined(f"a {kind} made for the probe is not shown")
    return rows[0]


async def _client(ground: AjeraGround) -> Raw:
    """The client that most probes change, as it is now."""
    if "client" not in ground.made:
        ground.made["client"] = (await _make(ground, Kind.FIRM, Description=_word()))["ClientKey"]
    return await _read(ground, Kind.FIRM, ground.made["client"])


async def _change(ground: AjeraGround, record: Raw, **fields: Any) -> Reply:
    return await _update(ground, Kind.FIRM, [{**record, **fields}], [record])


async def _changed(ground: AjeraGround, record: Raw, **fields: Any) -> Raw:
    """The client after a change that must work."""
    (await _change(ground, record, **fields)).content_or_refusal()
    return await _client(ground)


# -- the update pattern ----------------------------------------------------------------------------


@writes("noop_update")
async def _noop_update(ground: AjeraGround) -> Answer:
    record = await _client(ground)
    reply = await _update(ground, Kind.FIRM, [record], [record])
    return "error" if reply.refused else "accept", "UpdateClients with twins that are the same"


@writes("stale_compare")
async def _stale_compare(ground: AjeraGround) -> Answer:
    """A baseline with yesterday's stamp and today's values, then one with today's stamp and other values."""
    before = await _client(ground)
    now = await _changed(ground, before, Notes=_word())
    if now.get("LastModifiedDate") == before.get("LastModifiedDate"):
        raise Undetermined("LastModifiedDate does not move with a change")
    by_stamp = await _change(ground, {**now, "LastModifiedDate": before["LastModifiedDate"]}, Website="a.example")
    now = await _client(ground)
    by_values = await _change(ground, {**now, "Notes": _word()}, Website="b.example")
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
    victim = await _make(ground, Kind.FIRM, Description=_word())
    reply = await _update(ground, Kind.FIRM, [], [victim])
    if reply.refused:
        return "reject", "a baseline without an updated twin"
    if await ground.get(Kind.FIRM, [victim["ClientKey"]]):
        raise Undetermined("a baseline without an updated twin is accepted without effect")
    del ground.records[Kind.FIRM][victim["ClientKey"]]
    return "delete", "a baseline without an updated twin: the client is gone"


@writes("missing_property")
async def _missing_property(ground: AjeraGround) -> Answer:
    record = await _changed(ground, await _client(ground), Notes=_word())
    short = {name: value for name, value in record.items() if name != "Notes"}
    reply = await _update(ground, Kind.FIRM, [{**short, "Website": f"{uuid4().hex[:6]}.example"}], [record])
    if reply.refused:
        return "error", "an updated record without its Notes"
    kept = read_text((await _client(ground)).get("Notes")) == record["Notes"]
    return "keep" if kept else "clear", "the Notes after an updated record without them"


@writes("unknown_property")
async def _unknown_property(ground: AjeraGround) -> Answer:
    reply = await _change(ground, await _client(ground), Website=f"{uuid4().hex[:6]}.example", AjerasyncProbe="x")
    return "error" if reply.refused else "ignore", "an updated record with a property that does not exist"


@writes("per_record_errors")
async def _per_record_errors(ground: AjeraGround) -> Answer:
    """Two clients in one call: the first is changed well, the second loses its name."""
    good, bad, word = await _client(ground), await _make(ground, Kind.FIRM, Description=_word()), _word()
    reply = await _update(ground, Kind.FIRM, [{**good, "Notes": word}, {**bad, "Description": ""}], [good, bad])
    applied = read_text((await _client(ground)).get("Notes")) == word
    if read_text((await _read(ground, Kind.FIRM, bad["ClientKey"])).get("Description")) != bad["Description"]:
        raise Undetermined("a client without a name is accepted")
    how = "two clients in one call, one of them without a name"
    if reply.good_code:
        return "success" if reply.errors else "silent", how
    return "errors" if applied else "all", how


@writes("stamp_moves")
async def _stamp_moves(ground: AjeraGround) -> Answer:
    record = await _client(ground)
    reply = await _change(ground, record, Notes=_word())
    told = [row.get("LastModifiedDate") for row in reply.content_or_refusal().get("Clients") or []]
    now = (await _client(ground)).get("LastModifiedDate")
    if now == record.get("LastModifiedDate") or len(told) != 1:
        raise Undetermined("LastModifiedDate does not move with a change")
    return "yes" if told == [now] else "no", "LastModifiedDate in the answer of an update and of a Get"


@writes("duplicate_client_name")
async def _duplicate_client_name(ground: AjeraGround) -> Answer:
    record = await _client(ground)
    new = {"ClientKey": -1, "Status": "Active", "Description": record["Description"]}
    reply = await _update(ground, Kind.FIRM, [new], [])
    return "error" if reply.refused else "accept", "a second client with the same Description"


# -- contacts --------------------------------------------------------------------------------------


async def _contact(ground: AjeraGround) -> Raw:
    if "contact" not in ground.made:
        made = await _make(ground, Kind.CONTACT, FirstName="Probe", MiddleName="A", LastName=_word())
        ground.made["contact"] = made["ContactKey"]
    return await _read(ground, Kind.CONTACT, ground.made["contact"])


def _new_contact(key: int, first: str, middle: str, last: str) -> Raw:
    return {"ContactKey": key, "Status": "Active", "FirstName": first, "MiddleName": middle, "LastName": last}


@writes("new_contacts_per_call")
async def _new_contacts_per_call(ground: AjeraGround) -> Answer:
    new = [_new_contact(-1, "Probe", "", _word()), _new_contact(-2, "Probe", "", _word())]
    reply = await _update(ground, Kind.CONTACT, new, [])
    return "one" if reply.refused else "many", "two new contacts in one call"


@writes("duplicate_contact_name")
async def _duplicate_contact_name(ground: AjeraGround) -> Answer:
    last = (await _contact(ground))["LastName"]
    reply = await _update(ground, Kind.CONTACT, [_new_contact(-1, "Probe", "A", last)], [])
    return "error" if reply.refused else "accept", "a second contact with the same name"


@writes("contact_name_parts", "duplicate_contact_name")
async def _contact_name_parts(ground: AjeraGround) -> Answer:
    if ground.found.get("duplicate_contact_name") != "error":
        raise Undetermined("contacts may have the same name here")
    last = (await _contact(ground))["LastName"]
    reply = await _update(ground, Kind.CONTACT, [_new_contact(-1, "Probe", "B", last)], [])
    return "first_last" if reply.refused else "full", "a second contact that differs in the middle name"


# -- projects --------------------------------------------------------------------------------------


async def _first(ground: AjeraGround, name: str) -> int | None:
    rows = await ground.client.reference(REFERENCES[name])
    return next((row.key for row in rows if row.active), None)


async def _request(ground: AjeraGround) -> Raw:
    """A CreateProjects request of the form that is known to work (ajera-api 10.5)."""
    if "request" not in ground.made:
        company, department = await _first(ground, "CompanyKey"), await _first(ground, "DepartmentKey")
        given = {
            "RateTableKey": await _first(ground, "RateTableKey"),
            "CompanyKey": company,
            "DepartmentKey": department,
        }
        project = {"BillingType": "TimeAndExpense", **{name: key for name, key in given.items() if key}}
        formats = await _first(ground, "InvoiceFormatKey")
        group = {"Description": "Probe", "ClientKey": (await _client(ground))["ClientKey"]}
        group |= {"InvoiceFormatKey": formats} if formats else {}
        ground.made["request"] = {"CreateType": "Project", "Project": project, "InvoiceGroups": [group]}
    request: Raw = ground.made["request"]
    tag = uuid4().hex[:10]
    project = {**request["Project"], "ID": f"AP-{tag}", "Description": f"ajerasync probe {tag}"}
    return {**request, "Project": project, "Phases": [{"Description": "Probe", "BillingType": "TimeAndExpense"}]}


async def _create(ground: AjeraGround, request: Raw) -> tuple[Reply, int | None]:
    """The answer of CreateProjects, and the key of what it made."""
    reply = await ground.ask("CreateProjects", request, version=2, reading=False)
    rows = [] if reply.refused else reply.content.get("Projects") or []
    key = read_key(rows[0].get("ProjectKey")) if rows else None
    if key is None or key <= 0:
        return reply, None
    _note(ground, Kind.PROJECT, rows[0])
    return reply, key


async def _project(ground: AjeraGround) -> int:
    """The key of the project that most probes change."""
    if "project" not in ground.made:
        reply, key = await _create(ground, await _request(ground))
        if key is None:
            words = reply.words if reply.refused else "an example came back"
            raise Undetermined(f"no project could be made for the probe: {words}")
        ground.made["project"] = key
    key = ground.made["project"]
    assert isinstance(key, int)
    return key


async def _bundle(ground: AjeraGround, key: int) -> Raw:
    return await ground.content("GetProjects", {"RequestedProjects": [key]}, version=2)


async def _change_project(ground: AjeraGround, changes: Mapping[str, Any], bundle: Raw) -> Reply:
    arguments = {"UpdatedProjects": [dict(changes)], "UnchangedProjects": bundle}
    return await ground.ask("UpdateProjects", arguments, version=2, reading=False)


async def _made_or_refused(ground: AjeraGround, request: Raw) -> int | None:
    """The key of a project; None where it was refused in words. An example that comes back says neither."""
    reply, key = await _create(ground, request)
    if key is None and not reply.refused:
        raise Undetermined("CreateProjects answered with an example and made nothing")
    return key


@writes("create_phases")
async def _create_phases(ground: AjeraGround) -> Answer:
    request = await _request(ground)
    request["Phases"] = [{**request["Phases"][0], "Phases": [{"Description": "Below"}]}]
    _, key = await _create(ground, request)
    if key is None:
        await _project(ground)  # without the nested phase it works
        return "flat", "CreateProjects with a phase below a phase makes nothing"
    names_made = [read_text(row.get("Description")) for row in (await _bundle(ground, key)).get("Phases") or []]
    return "nested" if "Below" in names_made else "flat", "the phases of a project made with a phase below a phase"


@writes("create_extras")
async def _create_extras(ground: AjeraGround) -> Answer:
    request = await _request(ground)
    request["Project"]["TotalContractAmount"] = 123
    key = await _made_or_refused(ground, request)
    if key is None:
        return "error", "CreateProjects with a contract amount"
    (project,) = (await _bundle(ground, key))["Projects"]
    taken = read_amount(project.get("TotalContractAmount")) == 123
    return "accept" if taken else "ignore", "the contract amount of a project made with one"


@writes("create_invoice_format")
async def _create_invoice_format(ground: AjeraGround) -> Answer:
    request = await _request(ground)
    group = {name: value for name, value in request["InvoiceGroups"][0].items() if name != "InvoiceFormatKey"}
    key = await _made_or_refused(ground, {**request, "InvoiceGroups": [group]})
    return "required" if key is None else "optional", "CreateProjects without InvoiceFormatKey"


@writes("duplicate_project_id")
async def _duplicate_project_id(ground: AjeraGround) -> Answer:
    return await _duplicate(ground, "ID")


@writes("duplicate_project_name")
async def _duplicate_project_name(ground: AjeraGround) -> Answer:
    return await _duplicate(ground, "Description")


async def _duplicate(ground: AjeraGround, name: str) -> Answer:
    (project,) = (await _bundle(ground, await _project(ground)))["Projects"]
    request = await _request(ground)
    request["Project"][name] = project[name]
    key = await _made_or_refused(ground, request)
    return "error" if key is None else "accept", f"a second project with the same {name}"


@writes("blank_project_id")
async def _blank_project_id(ground: AjeraGround) -> Answer:
    request = await _request(ground)
    del request["Project"]["ID"]
    key = await _made_or_refused(ground, request)
    if key is None:
        raise Undetermined("a project without ID is refused")
    (project,) = (await _bundle(ground, key))["Projects"]
    return "auto" if read_text(project.get("ID")).strip() else "blank", "the ID of a project made without one"


@writes("long_text")
async def _long_text(ground: AjeraGround) -> Answer:
    key = await _project(ground)
    wanted = f"{_word()} {'x' * LONGEST}"
    reply = await _change_project(ground, {"ProjectKey": key, "Description": wanted}, await _bundle(ground, key))
    if reply.refused:
        return "error", f"a Description of {len(wanted)} characters"
    (project,) = (await _bundle(ground, key))["Projects"]
    if read_text(project.get("Description")) == wanted:
        raise Undetermined(f"a Description of {len(wanted)} characters is taken whole")
    return "cut", f"a Description of {len(wanted)} characters"


@writes("project_contacts_v1")
async def _project_contacts_v1(ground: AjeraGround) -> Answer:
    key, contact = await _project(ground), (await _contact(ground))["ContactKey"]
    record = await _read(ground, Kind.PROJECT, key)
    entries = [*(record.get("Contacts") or []), {"ContactKey": contact, "Order": 1, "Text": "Probe"}]
    twin = {**record, "Notes": _word(), "Contacts": entries}
    if (await _update(ground, Kind.PROJECT, [twin], [record])).refused:
        plain = await _update(ground, Kind.PROJECT, [{**record, "Notes": _word()}], [record])
        if plain.refused:
            raise Undetermined(f"UpdateProjects of version 1 is refused: {plain.words}")
        return "error", "Contacts in UpdateProjects of version 1"
    held = [
        read_key(entry.get("ContactKey")) for entry in (await _read(ground, Kind.PROJECT, key)).get("Contacts") or []
    ]
    return "accept" if contact in held else "ignore", "the contacts of a project after UpdateProjects of version 1"


@writes("crm_flags")
async def _crm_flags(ground: AjeraGround) -> Answer:
    key = await _project(ground)
    bundle = await _bundle(ground, key)
    wanted = not bundle["Projects"][0].get(NEW_FLAG)
    reply = await _change_project(ground, {"ProjectKey": key, "Notes": _word(), NEW_FLAG: wanted}, bundle)
    if reply.refused:
        return "error", f"{NEW_FLAG} in UpdateProjects"
    bundle = await _bundle(ground, key)
    if bool(bundle["Projects"][0].get(NEW_FLAG)) is not wanted:
        return "ignore", f"{NEW_FLAG} after UpdateProjects"
    await _change_project(ground, {"ProjectKey": key, NEW_FLAG: not wanted}, bundle)
    return "accept", f"{NEW_FLAG} after UpdateProjects"


async def _change_phase(ground: AjeraGround, key: int) -> tuple[Reply, str]:
    bundle, word = await _bundle(ground, key), _word()
    phases = bundle.get("Phases") or []
    if not phases:
        raise Undetermined("the project made for the probe has no phases")
    return await _change_project(ground, {"PhaseKey": phases[0]["PhaseKey"], "Notes": word}, bundle), word


@writes("update_children_v2")
async def _update_children_v2(ground: AjeraGround) -> Answer:
    key = await _project(ground)
    reply, word = await _change_phase(ground, key)
    phases = (await _bundle(ground, key)).get("Phases") or []
    if not reply.refused and not any(read_text(row.get("Notes")) == word for row in phases):
        raise Undetermined("a phase in UpdatedProjects is accepted without effect")
    return "error" if reply.refused else "accept", "a phase in UpdatedProjects of version 2"


@writes("child_moves_parent", "update_children_v2")
async def _child_moves_parent(ground: AjeraGround) -> Answer:
    if ground.found.get("update_children_v2") != "accept":
        raise Undetermined("a phase cannot be changed alone here: version 1 saves the whole project")
    key = await _project(ground)
    (before,) = (await _bundle(ground, key))["Projects"]
    (await _change_phase(ground, key))[0].content_or_refusal()
    (after,) = (await _bundle(ground, key))["Projects"]
    moved = before.get("LastModifiedDate") != after.get("LastModifiedDate")
    return "yes" if moved else "no", "the project's stamp after a change of its phase alone"


# -- afterwards ------------------------------------------------------------------------------------


async def clean_up(ground: AjeraGround) -> None:
    """Clients and contacts inactive, projects closed; what stays is named in `ground.left`."""
    for key, label in ground.records.get(Kind.PROJECT, {}).items():
        await _put_away(ground, Kind.PROJECT, key, label, "Closed")
    for kind in (Kind.CONTACT, Kind.FIRM):
        for key, label in ground.records.get(kind, {}).items():
            await _put_away(ground, kind, key, label, "Inactive")


async def _put_away(ground: AjeraGround, kind: Kind, key: int, label: str, status: str) -> None:
    name = f"Ajera {kind} {key} ({label})"
    try:
        if kind is Kind.PROJECT:
            reply = await _change_project(ground, {"ProjectKey": key, "Status": status}, await _bundle(ground, key))
        else:
            record = await _read(ground, kind, key)
            reply = await _update(ground, kind, [{**record, "Status": status}], [record])
        state = f"could not be set to {status}: {reply.words}" if reply.refused else f"stays, {status.casefold()}"
    except (SystemFailure, Undetermined) as error:
        state = f"could not be set to {status}: {error}"
    ground.left.append(safe_line(f"{name} {state}", 300))
