"""The CRM as one of the two systems (core.ports.System)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from time import monotonic
from typing import Final

from core.crm.client import CrmClient
from core.crm.cursor import ROUNDING, Answer, Seen, answer_of, at_start, capped, read_cursor
from core.crm.hubs import HUBS
from core.crm.mapping import own_rows, row_id
from core.crm.namesakes import questions
from core.crm.options import CrmOptions
from core.crm.query import Query, any_of, changed_since, equals, moment_of
from core.crm.replies import SIDE
from core.crm.saving import Saver
from core.crm.tenant import Answers, Tenant, ask_tenant, connection_of, probe_date_filter, tenant_of
from core.crm.wire import Row, text_of
from core.errors import ListNotTrusted
from core.model.record import Record
from core.model.values import Kind, Side, Value
from core.policy import FieldSpec
from core.ports import KNOWN_FOR, Children, Connection, Draft, Pulled, Shelf

SHELF: Final = "tenant"
MANY_ROWS: Final = 200  # mapping more than this takes longer than the event loop should wait


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _mapped(tenant: Tenant, kind: Kind, rows: Sequence[Row]) -> tuple[tuple[Record, ...], Answer]:
    """The records of rows with a key, and the answer in short."""
    mapper = tenant.mapper
    keyed = [(mapper.key(kind, row), row) for row in own_rows(kind, rows)]
    answer = answer_of((text_of(row.get("ModDate")), key) for key, row in keyed if key)
    return tuple(mapper.record(kind, row) for key, row in keyed if key), answer


@dataclass(frozen=True)
class _Known:
    """A tenant, what its code tables lack, how far its clock is ahead, and when its metadata was read."""

    tenant: Tenant
    missing: tuple[str, ...]
    offset: float | None
    at: float


class CrmSystem:
    """One CRM tenant: reads, proves its lists, writes, reads back. Connects itself where nobody has."""

    side = Side.CRM

    def __init__(
        self,
        client: CrmClient,
        fields: Mapping[Kind, Sequence[FieldSpec]],
        options: CrmOptions | None = None,
        *,
        now: Callable[[], datetime] = _utc_now,
        monotonic: Callable[[], float] = monotonic,
        shelf: Shelf | None = None,
    ) -> None:
        self._client = client
        self._fields = fields
        self._options = options or CrmOptions()
        self._now = now
        self._monotonic = monotonic
        self._shelf = shelf
        self._known: _Known | None = None
        self._connecting = asyncio.Lock()

    @property
    def client(self) -> CrmClient:
        return self._client

    @property
    def requests(self) -> int:
        return self._client.requests

    async def close(self) -> None:
        await self._client.close()

    # -- connecting --------------------------------------------------------------------------------

    async def connect(self, max_age: float = KNOWN_FOR) -> Connection:
        """A token, metadata and code tables, and the proof of the date filter, as far as they are not known.

        Raises LoginRefused, ListNotTrusted. Metadata younger than `max_age` seconds is not asked for again, whether
        this program read it or, by the shelf, the one before; the token is kept until it ends.
        """
        await self._client.log_in()
        if self._known is None or self._monotonic() - self._known.at >= max_age:
            self._known = await self._find(max_age)
        known = self._known
        return connection_of(known.tenant, self._options, known.missing, known.offset)

    async def _find(self, max_age: float) -> _Known:
        """The tenant by the shelf, where it is young enough, else by asking. The date filter is proved in any case."""
        now, kept = self._monotonic(), self._from_shelf(max_age)
        if kept is None:
            answers = await ask_tenant(self._client, self._fields, self._options)
            if self._shelf:
                self._shelf.put(SHELF, answers.as_json())
            kept = answers, 0.0
        answers, age = kept
        found = tenant_of(answers, self._fields, self._options)
        assert found is not None
        asked = self._now()
        date = await probe_date_filter(self._client, asked)
        return _Known(*found, (date - asked).total_seconds() if date else None, now - age)

    def _from_shelf(self, max_age: float) -> tuple[Answers, float] | None:
        kept = self._shelf.get(SHELF) if self._shelf else None
        if kept is None or kept[1] >= max_age:
            return None
        try:
            answers = Answers.from_json(kept[0])
            usable = tenant_of(answers, self._fields, self._options) is not None
        except (KeyError, TypeError, ValueError, AttributeError):  # of another version of this program
            return None
        return (answers, kept[1]) if usable else None

    async def _ready(self) -> Tenant:
        async with self._connecting:
            if self._known is None:
                await self.connect()
        assert self._known is not None
        return self._known.tenant

    # -- reading lists -----------------------------------------------------------------------------

    async def pull(self, kind: Kind, cursor: str | None) -> Pulled:
        """Rows changed since the cursor with two minutes of overlap, or all of them; one request when nothing did."""
        tenant = await self._ready()
        seen = read_cursor(cursor)
        query = self._list(kind, tenant.mapper.wanted(kind))
        if seen:
            query = query.where(changed_since(seen.bound))
        scan = await self._client.scan(HUBS[kind].path, query, lambda row: row_id(kind, row))
        if len(scan.rows) > MANY_ROWS:
            records, answer = await asyncio.to_thread(_mapped, tenant, kind, scan.rows)
        else:
            records, answer = _mapped(tenant, kind, scan.rows)
        last = await self._proved(kind, seen, answer) if seen else answer.newest
        cursor = str(capped(last or at_start(scan.date), scan.date))
        return Pulled(kind, SIDE, records, cursor, whole=seen is None)

    def _list(self, kind: Kind, fields: Sequence[str]) -> Query:
        """A query over the whole hub in key order; of projects only the top level (contract section 5)."""
        query = Query(tuple(fields), order=HUBS[kind].key)
        return query.where(equals("WBS2", "")) if kind is Kind.PROJECT else query

    async def _proved(self, kind: Kind, seen: Seen, answer: Answer) -> Seen:
        """The newest row of a believable answer. Raises ListNotTrusted.

        A filter that was ignored brings rows from before the bound. A malformed one answers empty without an error
        (section 5): the newest row seen before must be in the answer, unless it was deleted since.
        """
        if answer.oldest and answer.oldest < seen.bound - ROUNDING:
            raise ListNotTrusted(SIDE, f"The CRM ignored the date filter of its {kind} list")
        if answer.newest and seen.key in answer.keys:
            return answer.newest
        if seen.key and await self._is_within(kind, seen):
            raise ListNotTrusted(
                SIDE, f"The CRM's list of changed {kind}s lacks a record that is known to have changed since"
            )
        return answer.newest or await self._newest_of_all(kind, seen)

    async def _is_within(self, kind: Kind, seen: Seen) -> bool:
        """Whether the newest row seen still exists with a stamp the filter should have selected."""
        row = await self._client.one(HUBS[kind].path, seen.key, (HUBS[kind].key, "ModDate"))
        moment = moment_of(text_of(row.get("ModDate"))) if row else None
        return moment is not None and moment >= seen.bound + ROUNDING

    async def _newest_of_all(self, kind: Kind, seen: Seen) -> Seen:
        """The newest row of the hub without a date filter: one that the filter should have selected proves it false."""
        hub = HUBS[kind]
        query = replace(self._list(kind, (hub.key, "ModDate")), order="ModDate_D")
        rows, _ = await self._client.some(hub.path, query, 1)
        last = answer_of((text_of(row.get("ModDate")), text_of(row.get(hub.key)).strip()) for row in rows).newest
        if last and last.moment >= seen.bound + ROUNDING:
            raise ListNotTrusted(SIDE, f"The CRM answered that no {kind} changed, but one did")
        return last or seen

    async def keys(self, kind: Kind) -> frozenset[str]:
        """All keys of a kind. Raises ListNotTrusted where the list does not stand still."""
        tenant = await self._ready()
        hub = HUBS[kind]
        extra = {Kind.PROJECT: ("WBS2", "WBS3"), Kind.EMPLOYEE: ("EmployeeCompany",)}.get(kind, ())
        names = [tenant.catalogue.exact(kind, name) for name in (hub.key, *extra) if self._exists(tenant, kind, name)]
        query = self._list(kind, (*names, "ModDate"))
        scan = await self._client.scan(hub.path, query, lambda row: row_id(kind, row))
        return frozenset(tenant.mapper.key(kind, row) for row in own_rows(kind, scan.rows)) - {""}

    def _exists(self, tenant: Tenant, kind: Kind, name: str) -> bool:
        return name == HUBS[kind].key or tenant.catalogue.column(kind, name) is not None

    # -- reading records ---------------------------------------------------------------------------

    async def get(self, kind: Kind, keys: Sequence[str]) -> dict[str, Record]:
        """The records of these keys; projects with their contacts and team. Missing keys are left out."""
        tenant = await self._ready()
        wanted = tuple(dict.fromkeys(key for key in keys if key.strip()))
        rows = await self._rows(tenant, kind, wanted)
        records = {key: tenant.mapper.record(kind, row) for key, row in rows.items()}
        return await self._with_children(records) if kind is Kind.PROJECT else records

    async def children(self, keys: Sequence[str]) -> dict[str, Children]:
        """Contacts and team of projects: one call each, so for marked projects only (sync-rules 3)."""
        tenant = await self._ready()
        rows = await asyncio.gather(*(self._client.children("project", key, "teammember") for key in keys))
        found = zip(keys, rows, strict=True)
        return {key: tenant.mapper.team(members) for key, members in found if members is not None}

    async def _rows(self, tenant: Tenant, kind: Kind, keys: Sequence[str]) -> dict[str, Row]:
        """Rows by the keys asked for. Several keys go into one call; one that is not in the answer is asked for
        alone, so that nothing counts as deleted because a filter was not understood."""
        found: dict[str, Row] = {}
        if len(keys) > 1 or kind is Kind.EMPLOYEE:  # an employee's path may want the company too (section 12)
            size = max(1, self._options.batch)
            parts = [keys[start : start + size] for start in range(0, len(keys), size)]
            for rows in await asyncio.gather(*(self._batch(tenant, kind, part) for part in parts)):
                found |= rows
        rest = [key for key in keys if key not in found]
        fields = tenant.mapper.wanted(kind)
        single = await asyncio.gather(*(self._client.one(HUBS[kind].path, key, fields) for key in rest))
        return found | {key: row for key, row in zip(rest, single, strict=True) if row is not None}

    async def _batch(self, tenant: Tenant, kind: Kind, keys: Sequence[str]) -> dict[str, Row]:
        """One page of the rows of some keys (phases of projects come along): what it lacks is asked for alone."""
        hub = HUBS[kind]
        query = Query(tenant.mapper.wanted(kind), any_of(hub.key, keys), hub.key)
        found, _ = await self._client.some(hub.path, query, self._client.page_size)
        asked = {key.casefold(): key for key in keys}
        rows = ((tenant.mapper.key(kind, row).casefold(), row) for row in own_rows(kind, found))
        return {asked[key]: row for key, row in rows if key in asked}

    async def _with_children(self, records: Mapping[str, Record]) -> dict[str, Record]:
        found = await self.children(tuple(records))
        return {key: replace(records[key], contacts=contacts, team=team) for key, (contacts, team) in found.items()}

    async def namesakes(self, draft: Draft) -> list[Record]:
        """Records that bear the draft's key, name or number now."""
        tenant = await self._ready()
        asked = questions(draft, tenant.mapper.short_name_size())
        rows = await asyncio.gather(*(self._matching(tenant, draft.kind, clauses) for clauses in asked))
        found = {key: record for part in rows for key, record in part.items()}
        if draft.key and draft.key not in found:
            rows_by_key = await self._rows(tenant, draft.kind, [draft.key])
            found |= {key: tenant.mapper.record(draft.kind, row) for key, row in rows_by_key.items()}
        return [found[key] for key in sorted(found)]

    async def _matching(self, tenant: Tenant, kind: Kind, clauses: Iterable[tuple[str, str]]) -> dict[str, Record]:
        hub = HUBS[kind]
        filters = tuple(equals(tenant.catalogue.exact(kind, name), value) for name, value in clauses)
        query = Query(tenant.mapper.wanted(kind), filters, hub.key)
        scan = await self._client.scan(hub.path, query, lambda row: row_id(kind, row))
        return {tenant.mapper.key(kind, row): tenant.mapper.record(kind, row) for row in own_rows(kind, scan.rows)}

    # -- writing -----------------------------------------------------------------------------------

    async def create(self, draft: Draft) -> Record:
        """Make the record and read it back. Raises RecordRefused, AlreadyThere, OutcomeUnknown."""
        tenant = await self._ready()
        return await Saver(self._client, tenant, self._options, self.get).create(draft)

    async def update(self, before: Record, changes: Mapping[str, Value]) -> Record:
        """Write only these fields; the record as the CRM holds it then. Raises RecordRefused, RecordMissing."""
        tenant = await self._ready()
        return await Saver(self._client, tenant, self._options, self.get).update(before, changes)
