"""Where the probes of the CRM stand: calls as they are answered, what metadata says, and records of the probes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote

from core.crm.catalogue import Catalogue, catalogue_of
from core.crm.client import CrmClient, segment
from core.crm.hubs import HUBS
from core.crm.query import Query, parameters
from core.crm.replies import failure_of, rows_of
from core.crm.wire import Row, problems_of, text_of
from core.errors import BadReply
from core.http import Reply
from core.model.values import Kind
from core.quirks.crm import CrmQuirks
from core.quirks.probing import Probes, Undetermined, Value

SILENT: Final = {
    "token_early_death": "it would take calling until a session dies; the client logs in again and repeats the call",
}


@dataclass
class CrmGround:
    """One tenant under the probes. `defaults` are columns that new records need here, per kind. `records` are those
    made here, newest last, as (kind, key); `left` says which stay, `made` is what one probe leaves for the next."""

    client: CrmClient
    defaults: Mapping[Kind, Mapping[str, str]]
    contact_cap: int = 5
    found: dict[str, Value] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    records: list[tuple[Kind, str]] = field(default_factory=list)
    made: dict[str, Any] = field(default_factory=dict)
    _catalogue: Catalogue | None = None

    async def catalogue(self) -> Catalogue:
        """The columns of this tenant, read once, whatever the settings name."""
        if self._catalogue is None:
            tables = await asyncio.gather(*(self.client.metadata(hub.path) for hub in HUBS.values()))
            self._catalogue = catalogue_of(dict(zip(HUBS, tables, strict=True)), {}, {})
        return self._catalogue

    async def ask(self, path: str, params: Sequence[tuple[str, str]] = ()) -> Reply:
        return await self.client.raw("GET", path, params=params)

    async def rows(self, kind: Kind, query: Query, limit: int | None = None) -> list[Row]:
        """Rows of a list in one call. Raises SystemFailure."""
        return good(await self.ask(HUBS[kind].path, parameters(query, limit)))

    async def some(self, kind: Kind, *columns: str, limit: int = 25) -> list[Row]:
        """The newest rows of a hub; phases and tasks of projects are left out."""
        hub = HUBS[kind]
        level = ("WBS2",) if kind is Kind.PROJECT else ()
        query = Query((hub.key, *level, "ModDate", *columns), order="ModDate_D")
        found = await self.rows(kind, query, limit)
        return [row for row in found if not text_of(row.get("WBS2")).strip() and text_of(row.get(hub.key)).strip()]

    async def one(self, kind: Kind, key: str, *columns: str) -> Row:
        """One record as it is now. Raises Undetermined where it is not shown."""
        row = await self.client.one(HUBS[kind].path, key, columns)
        if row is None:
            raise Undetermined(f"a {kind} of the probe is not shown")
        return row

    async def write(self, method: str, path: str, body: Mapping[str, object] | None) -> Reply:
        return await self.client.raw(method, path, body=body)

    async def put(self, kind: Kind, key: str, **fields: object) -> Reply:
        return await self.write("PUT", f"{HUBS[kind].path}/{segment(key)}", fields)

    async def post(self, kind: Kind, body: Mapping[str, object]) -> tuple[Reply, Row | None]:
        """The reply to a POST, and the record it made."""
        reply = await self.write("POST", HUBS[kind].path, body)
        rows = rows_of(reply) if reply.status < 300 else []
        key = key_of(kind, rows[0]) if rows else ""
        if not key:
            place = reply.headers.get("location", "").rstrip("/").rpartition("/")[2] if reply.status < 300 else ""
            self.records += [(kind, unquote(place))] if place else []  # made all the same: to be taken away
            return reply, None
        self.records.append((kind, key))
        return reply, rows[0]

    async def make(self, kind: Kind, **fields: object) -> str:
        """The key of a new record. Raises what its refusal means."""
        reply, row = await self.post(kind, {**self.defaults.get(kind, {}), **fields})
        if row is None:
            good(reply)
            raise Undetermined(f"a {kind} was made, but the answer does not hold it")
        return key_of(kind, row)


def key_of(kind: Kind, row: Row) -> str:
    """The path key of a row: a phase is WBS1|WBS2 (dps-api 11)."""
    parts = [text_of(row.get(HUBS[kind].key)).strip()]
    if kind is Kind.PROJECT:
        parts += [part for name in ("WBS2", "WBS3") if (part := text_of(row.get(name)).strip())]
    return "|".join(parts)


def good(reply: Reply) -> list[Row]:
    """The rows of a good reply. Raises the exception another one means."""
    problem = failure_of(reply, reply.name, reading=False)
    if problem:
        raise problem
    return rows_of(reply)


def refused(reply: Reply) -> bool:
    return reply.status >= 300


def words(reply: Reply) -> str:
    """What a refusal says, for a person."""
    try:
        said = "; ".join(problems_of(reply.json()))
    except BadReply:
        said = ""
    return reply.redact(said) or f"HTTP {reply.status}"


PROBES: Final[Probes[CrmGround]] = Probes(CrmQuirks, SILENT)
