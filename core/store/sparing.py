"""Reads of a store that keep nothing in memory, and what is kept ready for screens.

The tables of core/store/memory.py are read whole and stay. A screen needs a few records of 100,000, or all of them once:
those are read from the file. What screens show is made from records once and kept as *views*, with the number up to
which it holds, so that the next program reads no record at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from core.model.link import Base, Link
from core.model.record import Record
from core.model.stored import StoredPairs, StoredValues
from core.model.values import Kind, Side
from core.store import bodies, memory
from core.store.codec_record import record_reader
from core.store.leafing import Leafing
from core.store.memory import Memory, bases_table, records_table
from core.store.storage import SqliteStorage

VIEWS_SEEN: Final = "views_seen"
LONG_AGO: Final = 20_000  # changes
JUST_NOW: Final = 2_000  # changes that `moved` always tells of, deletions too
SLICE: Final = 500  # documents read at a time where all are gone over


_READERS: Final = {(kind, side): record_reader(kind, side, StoredValues) for kind in Kind for side in Side}


class SparingReads:
    """The part of the store that screens read. See the module."""

    _storage: SqliteStorage
    _memory: Memory
    _seen: int
    _version: int

    def scan(self, kind: Kind, side: Side) -> Iterator[Record]:
        """All records of a kind and side, by key; each is read and let go, nothing is kept in memory."""
        read = self._reader(kind, side)
        for found in self._storage.slices(records_table(kind, side), SLICE):
            for doc_id, body in found:
                yield read(doc_id, body)

    def record(self, kind: Kind, side: Side, key: str) -> Record | None:
        """One record; while its table was not asked for, from the file, so that it stays unread."""
        table = records_table(kind, side)
        if self._memory.loaded(table):
            found: Record | None = self._memory.table(table).get(key)
            return found
        body = self._storage.committed_row(table, key)
        return self._reader(kind, side)(key, body) if body else None

    def leafing(self, kind: Kind, side: Side) -> Callable[[str], Record | None]:
        """What reads one record after the other by key (core/store/leafing.py); nothing is kept in memory."""
        leaves, read = Leafing(self._storage, records_table(kind, side)), self._reader(kind, side)

        def one(key: str) -> Record | None:
            body = leaves.body(key)
            return None if body is None else read(key, body)

        return one

    def leafing_bases(self, kind: Kind) -> Callable[[str], Base]:
        """What reads one base after the other by the link's id, empty where the sides never agreed."""
        table = bases_table(kind)
        leaves = Leafing(self._storage, table)

        def one(link_id: str) -> Base:
            body = leaves.body(link_id)
            return {} if body is None else self._stored_base(table, link_id, body)

        return one

    def _stored_base(self, table: str, link_id: str, body: bytes) -> Base:
        with suppress(ValueError):
            return StoredPairs(bodies.load(body))
        damaged: Base = self._memory.read(table, link_id, body)  # says what is wrong
        return damaged

    def _reader(self, kind: Kind, side: Side) -> Callable[[str, bytes], Record]:
        read = _READERS[kind, side]

        def guarded(key: str, body: bytes) -> Record:
            try:
                return read(key, body)
            except memory.UNREADABLE:
                record: Record = self._memory.read(records_table(kind, side), key, body)  # says what is wrong
                return record

        return guarded

    def keys(self, kind: Kind, side: Side) -> frozenset[str]:
        """The keys of all records of a kind and side; reads no record."""
        return frozenset(self._storage.committed_ids(records_table(kind, side)))

    def prints(self, kind: Kind, side: Side, keys: Sequence[str]) -> Mapping[str, str]:
        """By key, the print of the row that a record was made from, where nothing has changed the record since."""
        return self._storage.prints(records_table(kind, side), keys)

    def link(self, kind: Kind, side: Side, key: str) -> Link | None:
        """The link of one key; while links were not asked for, from the file, so that they stay unread."""
        if self._memory.links_loaded:
            return self._memory.links().of(kind, side, key)
        if side is Side.AJERA:
            link_id = f"{kind}:{key}"
            body = self._storage.committed_row("links", link_id)
            found = (link_id, body) if body else None
        else:
            if "\0" in key or not _is_text(key):  # SQLite's JSON functions do not give such a key back whole
                return self._memory.links().of(kind, side, key)
            found = self._storage.link_of_crm(kind.value, key)
        if found is None:
            return None
        link: Link = self._memory.read("links", *found)
        return link

    def scan_links(self) -> Iterator[Link]:
        """All links, by id; nothing is kept in memory."""
        for found in self._storage.slices("links", SLICE):
            for doc_id, body in found:
                link: Link = self._memory.read("links", doc_id, body)
                yield link

    def moved(self, since: int) -> tuple[int, Sequence[tuple[str, str]] | None]:
        """A number to ask with next time, and table and id of what was put or taken away after `since`; None where
        that cannot be told. What other programs wrote is taken in first, so that reading shows it."""
        with self._storage.lock:
            while True:
                self._take_in()
                found = self._storage.moved(since)
                if self._storage.version() == self._version:  # else something landed in between: it is taken in first
                    return found

    def count(self) -> int:
        """How many records of both systems there are."""
        return sum(self._storage.count(records_table(kind, side)) for kind in Kind for side in Side)

    def view(self, name: str) -> Any:
        """The JSON object kept by `put_view`, or None. It is derived from the rest and may be missing at any time."""
        body = self._storage.view(name)
        with suppress(ValueError):
            return bodies.load(body) if body else None
        return None

    def put_views(self, views: Mapping[str, Mapping[str, Any]], seen: int) -> None:
        """Keep JSON objects that are made from the rest, so that the next program has them ready. They hold for the
        number `seen` of `moved`: deletions after it are not forgotten for a while."""
        made = {name: bodies.dump(body) for name, body in views.items()}
        with self._storage.transaction():
            for name, body in made.items():
                self._storage.put_view(name, body)
            self._storage.note_fact(VIEWS_SEEN, seen)

    def _forgettable(self) -> int:
        """The last number whose deletions nobody asks for: those that came after what is kept for screens are told to
        the next screen, unless that is long ago."""
        seen = self._storage.fact(VIEWS_SEEN)
        old = self._seen - JUST_NOW
        return old if seen is None or self._seen - seen > LONG_AGO else min(old, seen)

    def _take_in(self) -> None:
        """Take in what other programs wrote."""
        raise NotImplementedError


def _is_text(key: str) -> bool:
    try:
        key.encode()
    except UnicodeEncodeError:  # a lone surrogate
        return False
    return True
