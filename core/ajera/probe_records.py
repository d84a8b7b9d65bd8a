"""Records that the probes of Ajera make: clients, contacts and changes of projects, and how they are put away.

Clients and contacts end inactive and projects closed, since the API deletes neither; `clean_up` says what stays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from core.ajera.names import ENTITIES
from core.ajera.probe_ground import AjeraGround, Reply
from core.ajera.wire import Raw, read_key, read_text
from core.errors import SystemFailure
from core.model.values import Kind
from core.quirks.probing import Undetermined
from core.text import safe_line


def a_word() -> str:
    """A name that nobody has."""
    return f"ajerasync probe {uuid4().hex[:8]}"


async def update_both(
    ground: AjeraGround, kind: Kind, updated: Sequence[Raw], unchanged: Sequence[Raw], *, single: bool = True
) -> Reply:
    """The pair of 6.4. In a single transaction a refusal cannot be silent."""
    entity = ENTITIES[kind]
    arguments = {entity.updated: list(updated), entity.unchanged: list(unchanged), "UseSingleTransaction": single}
    reply = await ground.ask(entity.update_method, arguments, reading=False)
    for row in reply.content.get(entity.plural) or []:
        note(ground, kind, row)
    return reply


def note(ground: AjeraGround, kind: Kind, row: Raw) -> None:
    """Remember a record of ours, to take it away again."""
    key = read_key(row.get(ENTITIES[kind].key))
    if key is not None and key > 0:
        ground.records.setdefault(kind, {})[key] = read_text(row.get("Description")) or read_text(row.get("LastName"))


async def make(ground: AjeraGround, kind: Kind, **fields: Any) -> Raw:
    """A new client or contact as it is read back. Raises RecordRefused."""
    entity = ENTITIES[kind]
    reply = await update_both(ground, kind, [{entity.key: -1, "Status": "Active", **fields}], [])
    rows = reply.content_or_refusal().get(entity.plural) or []
    key = read_key(rows[0].get(entity.key)) if rows else None
    if key is None:
        raise Undetermined(f"{entity.update_method} made nothing")
    return await read_one(ground, kind, key)


async def read_one(ground: AjeraGround, kind: Kind, key: int, version: int = 1) -> Raw:
    rows = await ground.get(kind, [key], version)
    if not rows:
        raise Undetermined(f"a {kind} made for the probe is not shown")
    return rows[0]


async def a_client(ground: AjeraGround) -> Raw:
    """The client that most probes change, as it is now."""
    if "client" not in ground.made:
        ground.made["client"] = (await make(ground, Kind.FIRM, Description=a_word()))["ClientKey"]
    return await read_one(ground, Kind.FIRM, ground.made["client"])


async def change(ground: AjeraGround, record: Raw, **fields: Any) -> Reply:
    return await update_both(ground, Kind.FIRM, [{**record, **fields}], [record])


async def changed(ground: AjeraGround, record: Raw, **fields: Any) -> Raw:
    """The client after a change that must work."""
    (await change(ground, record, **fields)).content_or_refusal()
    return await a_client(ground)


async def a_contact(ground: AjeraGround) -> Raw:
    if "contact" not in ground.made:
        made = await make(ground, Kind.CONTACT, FirstName="Probe", MiddleName="A", LastName=a_word())
        ground.made["contact"] = made["ContactKey"]
    return await read_one(ground, Kind.CONTACT, ground.made["contact"])


async def bundle_of(ground: AjeraGround, key: int) -> Raw:
    return await ground.content("GetProjects", {"RequestedProjects": [key]}, version=2)


async def change_project(ground: AjeraGround, changes: Mapping[str, Any], bundle: Raw) -> Reply:
    arguments = {"UpdatedProjects": [dict(changes)], "UnchangedProjects": bundle}
    return await ground.ask("UpdateProjects", arguments, version=2, reading=False)


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
            reply = await change_project(ground, {"ProjectKey": key, "Status": status}, await bundle_of(ground, key))
        else:
            record = await read_one(ground, kind, key)
            reply = await update_both(ground, kind, [{**record, "Status": status}], [record])
        state = f"could not be set to {status}: {reply.words}" if reply.refused else f"stays, {status.casefold()}"
    except (SystemFailure, Undetermined) as error:
        state = f"could not be set to {status}: {error}"
    ground.left.append(safe_line(f"{name} {state}", 300))
