"""Gathering: what changed on both sides since last time, kept in the store (sync-rules 3).

Cursor and observations are stored together, after the data. What moved and was not acted on yet is
remembered as *dirty*, so that a crash or a plan that was only looked at loses nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from types import MappingProxyType
from typing import cast

from core.engine.clock import iso
from core.engine.offloop import OffLoop, at_once
from core.engine.quiet import Quiet
from core.errors import ListNotTrusted
from core.model.record import Record
from core.model.values import Kind, Side
from core.policy import TOTAL_FIELDS, Guards, Policy
from core.ports import KNOWN_FOR, Children, Clock, Connection, Cursor, Listing, Rereading, Store, System, Transaction
from core.reconcile.accounting import with_budget
from core.reconcile.ticks import ticked

RecordId = tuple[Kind, Side, str]
CHUNK = 200  # rows a commit: others get their turn while a first pull is stored
WAITING_FOR = 300.0  # seconds that metadata and code tables are taken as known when a person waits for a refusal to end
SLICE = 1000  # records read again at a time
MOST_DIRTY = 2000  # beyond this, "everything" is cheaper to remember than the list
NONE: Mapping[str, str] = MappingProxyType({})
FEW = 4  # of so many known, none may be left
PROJECTS_OF_CRM = f"records:{Kind.PROJECT}:{Side.CRM}"
_TOTAL_NAMES = frozenset(spec.name for spec in TOTAL_FIELDS)
_KEPT_EXTRA = ("totals_at", "totals_stamp", "team_closed")  # what core/engine/money.py keeps with a project


@dataclass
class Puller:
    """Reads both systems into the store. One at a time; the run lock sees to that. What goes over many records, and
    each commit, is put `off_loop`."""

    systems: Mapping[Side, System]
    store: Store
    clock: Clock
    policy: Policy
    connections: dict[Side, Connection] = field(default_factory=dict)
    off_loop: OffLoop = at_once

    def __post_init__(self) -> None:
        self.quiet = Quiet(self.store)
        self._made_by = hashlib.sha256(repr(self.policy).encode()).hexdigest()  # figures are made by it (with_budget)

    async def connect(self, *, anew: bool = False, by_hand: bool = False) -> None:
        """Log in to both systems and read what the mappings need, as far as it is not known.

        When a person starts a run while something is refused or has failed, what is known is asked for again sooner:
        they may just have put the cause right there (a code that was missing, a column that was hidden).
        """
        waits = by_hand and bool(self.store.items("refused") or self.store.failures())
        max_age = 0.0 if anew else WAITING_FOR if waits else KNOWN_FOR
        asked = [await self.off_loop(getattr, self.systems[side], "connect") for side in Side]  # made now: it imports
        found = await asyncio.gather(*(connect(max_age) for connect in asked))
        self.connections = dict(zip(Side, found, strict=True))

    async def pull(self, *, full: bool = False, only: Sequence[Kind] = ()) -> int:
        """Everything that changed; the number of records that did. All kinds of both sides at once:
        the rate budget of each system is kept by its client."""
        kinds = tuple(only) or tuple(Kind)
        counts = await asyncio.gather(*(self._pull(side, kind, full) for side in Side for kind in kinds))
        if Kind.PROJECT in kinds:
            counts.append(await self.read_children())
        return sum(counts)

    async def _pull(self, side: Side, kind: Kind, full: bool) -> int:
        cursor = self.store.cursor(kind, side)
        since = None if full or not cursor.whole else cursor.value
        pulled = await self.systems[side].pull(kind, since)
        if pulled.whole:
            known = await self.off_loop(self.store.keys, kind, side)
            refuse_short_list(side, kind, len(pulled.records), len(known), self.policy.guards)
            await self._confirm_missing(side, kind, known - {record.key for record in pulled.records})
        moved = replace(cursor, value=pulled.cursor, whole=pulled.whole or cursor.whole)
        return await self._keep(pulled.records, moved)

    async def _keep(self, records: Iterable[Record], cursor: Cursor, prints: Mapping[str, str] = NONE) -> int:
        """Store what differs from what is known, then the cursor; the number of records that do. `prints` are of the
        rows that records were made from, by key."""
        count = 0
        for chunk in _chunks(records, CHUNK):
            count += await self.off_loop(self._keep_chunk, chunk, prints)
            await asyncio.sleep(0)
        if cursor != self.store.cursor(cursor.kind, cursor.side):
            await self.off_loop(self._put_cursor, cursor)
        return count

    def _keep_chunk(self, chunk: list[Record], prints: Mapping[str, str] = NONE) -> int:
        changed = [record for record in map(self._kept, chunk) if record is not None]
        made_from = {record.key: prints[record.key] for record in chunk if record.key in prints}
        if changed or made_from:
            with self.store.transaction() as tx:
                tx.put_records(changed)
                note_dirty(tx, [record.id for record in changed])
                if made_from:
                    tx.put_prints(chunk[0].kind, chunk[0].side, made_from)
        return len(changed)

    def _kept(self, new: Record) -> Record | None:
        """The record to store, None where it is what is known already (own writes, overlap rows)."""
        new = with_budget(new, self.policy)
        old = self.store.record(new.kind, new.side, new.key)
        if old is not None:
            new = carried_over(old, new)
        return None if old == new else new

    def _put_cursor(self, cursor: Cursor) -> None:
        with self.store.transaction() as tx:
            tx.put_cursor(cursor)

    # -- children --------------------------------------------------------------------------------

    async def read_children(self) -> int:
        """Contacts and team of ticked CRM projects whose lists were not read since they moved."""
        seen = self.quiet.number()
        moved = self._moved_projects()
        if moved is not None and not moved:
            return 0
        ticked_ones = await self.off_loop(self._ticked_of, moved)
        wanted = [key for key, unread in ticked_ones if unread]
        if not wanted:
            await self.off_loop(self.quiet.note_since, "children", True, seen)
        return await self.read_again(Kind.PROJECT, Side.CRM, wanted)

    def _moved_projects(self) -> frozenset[str] | None:
        """CRM projects that moved or were ticked since all children were last found read; None for all."""
        known = self.quiet.since("children", (PROJECTS_OF_CRM, "marks"))
        if known is None:
            return None
        tables = known[1]
        return frozenset(tables[PROJECTS_OF_CRM]) | {mark.split(":", 3)[2] for mark in tables["marks"]}

    def _ticked_of(self, keys: Iterable[str] | None = None) -> list[tuple[str, bool]]:
        """Key of each ticked project, and whether its lists were not read yet."""
        return [(record.key, record.contacts is None) for record in self._ticked_projects(keys)]

    def _ticked_projects(self, keys: Iterable[str] | None = None) -> Iterator[Record]:
        marks = self.store.marks()
        found = (self.store.record(Kind.PROJECT, Side.CRM, key) for key in keys) if keys is not None else None
        for record in found if found is not None else self.store.scan(Kind.PROJECT, Side.CRM):
            if (
                record is not None
                and record.why_not is None
                and ticked(record, marks.get(f"project:crm:{record.key}:"))
            ):
                yield record

    async def read_again(self, kind: Kind, side: Side, keys: Sequence[str]) -> int:
        """Read these records now, children included; the number that differ from what was known."""
        moved = 0
        for start in range(0, len(keys), SLICE):  # a sweep asks for tens of thousands: they are not held all at once
            fresh = await self.systems[side].get(kind, keys[start : start + SLICE])
            moved += await self._take(kind, side, fresh)
        return moved

    async def _reread(self, kind: Kind, side: Side, keys: Sequence[str]) -> None:
        """As `read_again`; a record whose row is the very one that it was made from is not looked at."""
        system = self.systems[side]
        if not hasattr(system, "reread"):
            await self.read_again(kind, side, keys)
            return
        for start in range(0, len(keys), SLICE):
            part = keys[start : start + SLICE]
            known = await self.off_loop(self.store.prints, kind, side, part)
            found = await cast(Rereading, system).reread(kind, part, known, self._made_by)
            await self._keep(found.records.values(), self.store.cursor(kind, side), found.prints)

    async def read_now(self, kind: Kind, side: Side, keys: Sequence[str]) -> frozenset[str]:
        """Read these records now, like `read_again`; the keys that are not there any more."""
        fresh = await self.systems[side].get(kind, keys)
        await self._take(kind, side, fresh)
        return frozenset(keys) - fresh.keys()

    async def _take(self, kind: Kind, side: Side, fresh: Mapping[str, Record]) -> int:
        return await self._keep(fresh.values(), self.store.cursor(kind, side))

    # -- sweep -----------------------------------------------------------------------------------

    async def sweep(self, only: Sequence[Kind] = ()) -> int:
        """Compare complete key lists with what is known; each absence is confirmed by its key."""
        kinds = tuple(only) or tuple(Kind)
        gone = await asyncio.gather(*(self._sweep(side, kind) for side in Side for kind in kinds))
        return sum(gone)

    async def _sweep(self, side: Side, kind: Kind) -> int:
        fresh: Mapping[str, Record] = {}
        if (kind, side) == (Kind.FIRM, Side.CRM):  # its addresses are read with it: a list holds all there is
            pulled = await self.systems[side].pull(kind, None)
            fresh = {record.key: record for record in pulled.records}
        keys = frozenset(fresh) or await self.systems[side].keys(kind)
        known = await self.off_loop(self.store.keys, kind, side)
        cursor = self.store.cursor(kind, side)
        refuse_short_list(side, kind, len(keys), max(len(known), cursor.counted or 0), self.policy.guards)
        await self.read_again(kind, side, sorted(keys - known))  # missed by a changed-since list
        gone = await self._confirm_missing(side, kind, known - keys)
        if kind is Kind.PROJECT and side is Side.CRM:
            await self._reread_ticked()
        elif fresh:
            await self._take(kind, side, {key: record for key, record in fresh.items() if key in known})
        elif kind in (Kind.FIRM, Kind.PROJECT):
            # A firm's addresses and contacts, a project's invoice groups and phases: child rows as well.
            linked = await self.off_loop(self._linked, kind, side)
            await self._reread(kind, side, sorted(linked & keys))
        swept = replace(self.store.cursor(kind, side), counted=len(keys), swept=iso(self.clock.now()))
        await self.off_loop(self._put_cursor, swept)
        return gone

    def _linked(self, kind: Kind, side: Side) -> frozenset[str]:
        return frozenset(link.key(side) for link in self.store.scan_links() if link.kind is kind)

    async def _reread_ticked(self) -> None:
        """Child rows may change without moving their parent's stamp (sync-rules 3)."""
        keys = [key for key, _ in await self.off_loop(self._ticked_of)]
        crm = cast(Listing, self.systems[Side.CRM])
        for start in range(0, len(keys), SLICE):
            found = await crm.children(keys[start : start + SLICE])
            await self._take(Kind.PROJECT, Side.CRM, await self.off_loop(self._with_lists, found))

    def _with_lists(self, found: Mapping[str, Children]) -> dict[str, Record]:
        known = ((self.store.record(Kind.PROJECT, Side.CRM, key), lists) for key, lists in found.items())
        return {
            record.key: replace(record, contacts=contacts, team=team)
            for record, (contacts, team) in known
            if record is not None
        }

    async def _confirm_missing(self, side: Side, kind: Kind, missing: Iterable[str]) -> int:
        """Each absence is asked for by key. Linked ones become *gone*; others are just forgotten."""
        keys = sorted(missing)
        if not keys:
            return 0
        there = await self.systems[side].get(kind, keys)
        gone = [key for key in keys if key not in there]
        if len(gone) >= 3 and len(gone) == len(self.store.keys(kind, side)):
            raise ListNotTrusted(side, f"none of the known {kind} records can be read in {side}: rights lost?")
        await self.off_loop(self._note_missing, side, kind, gone, frozenset(there))
        return len(gone)

    def _note_missing(self, side: Side, kind: Kind, gone: Sequence[str], there: frozenset[str]) -> None:
        with self.store.transaction() as tx:
            confirmed = set(gone_records(self.store))
            for key in gone:
                if self.store.link(kind, side, key) is None:
                    tx.drop_record(kind, side, key)
                else:
                    confirmed.add((kind, side, key))
            confirmed -= {(kind, side, key) for key in there}
            put_gone(tx, confirmed)
            note_dirty(tx, [(kind, side, key) for key in gone])


def refuse_short_list(side: Side, kind: Kind, found: int, known: int, guards: Guards) -> None:
    """A full list that is empty or far shorter than before is an error before any action. Of few records each absence
    is confirmed by its key alone."""
    empty = known > FEW and not found
    short = known > guards.few and found * 100 < known * guards.short_percent
    if empty or short:
        raise ListNotTrusted(
            side,
            f"the list of {kind} records of {side} is suddenly {'empty' if not found else 'short'}: "
            f"{found} where {known} were known. Check the API user's rights",
        )


def carried_over(old: Record, new: Record) -> Record:
    """`new` with what only another call reads: a project's money, and lists that were not asked for.

    A list is forgotten where the record itself moved, so that it is read again.
    """
    totals = {name: old.fields[name] for name in _TOTAL_NAMES if name in old.fields and name not in new.fields}
    kept = {name: old.extra[name] for name in _KEPT_EXTRA if name in old.extra}
    if totals or kept:
        new = replace(new, fields={**new.fields, **totals}, extra={**new.extra, **kept})
    if new.side is Side.AJERA and new.team is None:
        new = replace(new, team=old.team)
    if new.contacts is None and old.stamp == new.stamp:
        new = replace(new, contacts=old.contacts, team=new.team if new.team is not None else old.team)
    return new


def _chunks(records: Iterable[Record], size: int) -> Iterator[list[Record]]:
    walk = iter(records)
    while chunk := list(islice(walk, size)):
        yield chunk


# -- what is remembered between runs ---------------------------------------------------------------


def dirty_records(store: Store) -> frozenset[RecordId] | None:
    """What moved and was not planned and applied yet; None means everything."""
    if store.setting("dirty_all", 0):
        return None
    return frozenset(_dirty_list(store))


def _dirty_list(of: Store | Transaction) -> dict[RecordId, int]:
    """Records that moved, each with how often it was noted, so that a move during a run is told from the one before."""
    held = of.setting("dirty", [])
    return {(Kind(kind), Side(side), key): times[0] if times else 0 for kind, side, key, *times in held}


def _put_dirty(tx: Transaction, dirty: Mapping[RecordId, int]) -> None:
    tx.put_setting("dirty", sorted([kind.value, side.value, key, times] for (kind, side, key), times in dirty.items()))


def note_dirty(tx: Transaction, ids: Iterable[RecordId]) -> None:
    """These records moved. Too many to list: everything is dirty (a counter, so that what moves
    during a run is not forgotten at its end)."""
    new = set(ids)
    if not new:
        return
    held = _dirty_list(tx)
    merged = held | {each: held.get(each, 0) + 1 for each in new}
    if len(merged) > MOST_DIRTY:
        tx.put_setting("dirty_all", tx.setting("dirty_all", 0) + 1)
        merged = {}
    _put_dirty(tx, merged)


@dataclass(frozen=True)
class Seen:
    """What was dirty when a plan was made."""

    everything: int
    records: Mapping[RecordId, int]


def dirty_now(store: Store) -> Seen:
    return Seen(store.setting("dirty_all", 0), _dirty_list(store))


def forget_dirty(tx: Transaction, seen: Seen) -> None:
    """What the plan saw was acted on; what moved since stays dirty."""
    if seen.everything and tx.setting("dirty_all", 0) == seen.everything:
        tx.put_setting("dirty_all", 0)
    held = _dirty_list(tx)
    left = {each: times for each, times in held.items() if times != seen.records.get(each)}
    if left != held:
        _put_dirty(tx, left)


def gone_records(store: Store) -> frozenset[RecordId]:
    found: set[RecordId] = set()
    with suppress(ValueError):
        found = {(Kind(kind), Side(side), key) for kind, side, key in store.setting("gone", [])}
    return frozenset(found)


def put_gone(tx: Transaction, ids: Iterable[RecordId]) -> None:
    body = sorted([kind.value, side.value, key] for kind, side, key in ids)
    tx.put_setting("gone", body)
