"""Probes that make and change projects in Ajera, for a test database only (doctor --probe --write)."""

from __future__ import annotations

from typing import Final
from uuid import uuid4

from core.ajera.names import REFERENCES
from core.ajera.probe_ground import PROBES, AjeraGround, Reply
from core.ajera.probe_records import a_client, a_contact, a_word, bundle_of, change_project, note, read_one, update_both
from core.ajera.wire import Raw, read_amount, read_key, read_text
from core.model.values import Kind
from core.quirks.probing import Answer, Undetermined

writes = PROBES.writes
NEW_FLAG: Final = "SyncToCRM"
LONGEST: Final = 80  # characters of a project's Description (ajera-api 10.2)


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
        group = {"Description": "Probe", "ClientKey": (await a_client(ground))["ClientKey"]}
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
    note(ground, Kind.PROJECT, rows[0])
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
    names_made = [read_text(row.get("Description")) for row in (await bundle_of(ground, key)).get("Phases") or []]
    return "nested" if "Below" in names_made else "flat", "the phases of a project made with a phase below a phase"


@writes("create_extras")
async def _create_extras(ground: AjeraGround) -> Answer:
    request = await _request(ground)
    request["Project"]["TotalContractAmount"] = 123
    key = await _made_or_refused(ground, request)
    if key is None:
        return "error", "CreateProjects with a contract amount"
    (project,) = (await bundle_of(ground, key))["Projects"]
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
    (project,) = (await bundle_of(ground, await _project(ground)))["Projects"]
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
    (project,) = (await bundle_of(ground, key))["Projects"]
    return "auto" if read_text(project.get("ID")).strip() else "blank", "the ID of a project made without one"


@writes("long_text")
async def _long_text(ground: AjeraGround) -> Answer:
    key = await _project(ground)
    wanted = f"{a_word()} {'x' * LONGEST}"
    reply = await change_project(ground, {"ProjectKey": key, "Description": wanted}, await bundle_of(ground, key))
    if reply.refused:
        return "error", f"a Description of {len(wanted)} characters"
    (project,) = (await bundle_of(ground, key))["Projects"]
    if read_text(project.get("Description")) == wanted:
        raise Undetermined(f"a Description of {len(wanted)} characters is taken whole")
    return "cut", f"a Description of {len(wanted)} characters"


@writes("project_contacts_v1")
async def _project_contacts_v1(ground: AjeraGround) -> Answer:
    key, contact = await _project(ground), (await a_contact(ground))["ContactKey"]
    record = await read_one(ground, Kind.PROJECT, key)
    entries = [*(record.get("Contacts") or []), {"ContactKey": contact, "Order": 1, "Text": "Probe"}]
    twin = {**record, "Notes": a_word(), "Contacts": entries}
    if (await update_both(ground, Kind.PROJECT, [twin], [record])).refused:
        plain = await update_both(ground, Kind.PROJECT, [{**record, "Notes": a_word()}], [record])
        if plain.refused:
            raise Undetermined(f"UpdateProjects of version 1 is refused: {plain.words}")
        return "error", "Contacts in UpdateProjects of version 1"
    held = [
        read_key(entry.get("ContactKey")) for entry in (await read_one(ground, Kind.PROJECT, key)).get("Contacts") or []
    ]
    return "accept" if contact in held else "ignore", "the contacts of a project after UpdateProjects of version 1"


@writes("crm_flags")
async def _crm_flags(ground: AjeraGround) -> Answer:
    key = await _project(ground)
    bundle = await bundle_of(ground, key)
    wanted = not bundle["Projects"][0].get(NEW_FLAG)
    reply = await change_project(ground, {"ProjectKey": key, "Notes": a_word(), NEW_FLAG: wanted}, bundle)
    if reply.refused:
        return "error", f"{NEW_FLAG} in UpdateProjects"
    bundle = await bundle_of(ground, key)
    if bool(bundle["Projects"][0].get(NEW_FLAG)) is not wanted:
        return "ignore", f"{NEW_FLAG} after UpdateProjects"
    await change_project(ground, {"ProjectKey": key, NEW_FLAG: not wanted}, bundle)
    return "accept", f"{NEW_FLAG} after UpdateProjects"


async def _change_phase(ground: AjeraGround, key: int) -> tuple[Reply, str]:
    bundle, word = await bundle_of(ground, key), a_word()
    phases = bundle.get("Phases") or []
    if not phases:
        raise Undetermined("the project made for the probe has no phases")
    return await change_project(ground, {"PhaseKey": phases[0]["PhaseKey"], "Notes": word}, bundle), word


@writes("update_children_v2")
async def _update_children_v2(ground: AjeraGround) -> Answer:
    key = await _project(ground)
    reply, word = await _change_phase(ground, key)
    phases = (await bundle_of(ground, key)).get("Phases") or []
    if not reply.refused and not any(read_text(row.get("Notes")) == word for row in phases):
        raise Undetermined("a phase in UpdatedProjects is accepted without effect")
    return "error" if reply.refused else "accept", "a phase in UpdatedProjects of version 2"


@writes("child_moves_parent", "update_children_v2")
async def _child_moves_parent(ground: AjeraGround) -> Answer:
    if ground.found.get("update_children_v2") != "accept":
        raise Undetermined("a phase cannot be changed alone here: version 1 saves the whole project")
    key = await _project(ground)
    (before,) = (await bundle_of(ground, key))["Projects"]
    (await _change_phase(ground, key))[0].content_or_refusal()
    (after,) = (await bundle_of(ground, key))["Projects"]
    moved = before.get("LastModifiedDate") != after.get("LastModifiedDate")
    return "yes" if moved else "no", "the project's stamp after a change of its phase alone"
