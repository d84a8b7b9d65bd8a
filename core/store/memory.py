"""The tables of the store in memory: loaded when first asked for, replaced whole by each change.

Table names: `links`, `marks`, `decisions`, `items`, `cursors`, `intents`, `failures`, `runs`,
`settings`, and one per kind (and side): `bases:firm`, `records:firm:ajera`. `history` and `plans` are
never kept here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any, Final

from core.errors import StoreDamaged
from core.model.link import Link, Links
from core.model.values import Kind, Side
from core.store import codec_link, codec_run, sqlite_file
from core.store.codec_record import record_reader
from core.store.names import Names
from core.store.snapshot import GONE, Snapshot, uncollected
from core.store.storage import Change, SqliteStorage

SLICE: Final = 500  # documents read at a time where all are gone over
UNREADABLE: Final = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    AssertionError,
    RecursionError,
)
"""What reading a damaged document may raise."""

Reader = Callable[[str, bytes], Any]

_READERS: Final[dict[str, Reader]] = {
    "links": codec_link.read_link,
    "marks": codec_link.read_mark,
    "decisions": codec_link.read_decision,
    "items": codec_run.read_item,
    "cursors": codec_run.read_cursor,
    "intents": codec_run.read_intent,
    "failures": codec_run.read_failure,
    "runs": codec_run.read_run,
    "history": codec_run.read_history,
    "plans": codec_run.read_plan,
    "settings": codec_run.read_setting,
}
NAMES: Final = frozenset({*_READERS, "bases", "records"})


def records_table(kind: Kind, side: Side) -> str:
    return f"records:{kind}:{side}"


def bases_table(kind: Kind) -> str:
    return f"bases:{kind}"


def reader_of(table: str) -> Reader:
    """What turns id and body of that table into its value."""
    name, _, rest = table.partition(":")
    if name == "records":
        kind, _, side = rest.partition(":")
        return record_reader(Kind(kind), Side(side))
    return codec_link.read_base if name == "bases" else _READERS[name]


class Memory:
    """What was read of one storage so far. Changing it needs the storage's lock; reading does not."""

    def __init__(self, storage: SqliteStorage) -> None:
        self._storage = storage
        self._tables: dict[str, Snapshot[str, Any]] = {}
        self._links: Links | None = None
        self._names: dict[str, Names] = {}
        self._naming = threading.Lock()  # held by who makes names
        self._landed: dict[str, list[tuple[str, bytes | None]]] = {}  # by table whose names are being made

    def table(self, name: str) -> Snapshot[str, Any]:
        """The table as it is now; loads it at first."""
        found = self._tables.get(name)
        if found is None:
            with self._storage.lock:  # a commit must not slip in between reading and keeping
                found = self._tables.get(name)
                if found is None:
                    found = Snapshot(dict(self._storage.committed_rows(name)), self._guarded(name))
                    self._tables[name] = found
        return found

    def links(self) -> Links:
        found = self._links
        if found is None:
            with self._storage.lock:
                found = self._links
                if found is None:
                    found = self._links = self._load_links()
        return found

    def names(self, table: str) -> Snapshot[tuple[Kind, str], tuple[str, ...]]:
        """Who of a table of records names whom (core.model.record.Naming); the table itself stays unread."""
        found = self._names.get(table)
        if found is None:
            with self._naming:
                found = self._names.get(table) or self._load_names(table)
        return found.groups

    def _load_names(self, table: str) -> Names:
        """Goes over all records, and others read meanwhile; what lands in between is taken in after it."""
        while True:
            landed: list[tuple[str, bytes | None]] = []
            with self._storage.lock:
                self._landed[table] = landed
            try:
                found = Names(chain.from_iterable(self._storage.slices(table, SLICE)))
            except UNREADABLE as error:
                raise self._damaged(table) from error
            with self._storage.lock:
                if self._landed.pop(table, None) is landed:  # else all was forgotten meanwhile
                    found.take(landed)
                    self._names[table] = found
                    return found

    def read(self, table: str, doc_id: str, body: bytes) -> Any:
        """The value of one document that is not kept here. Raises StoreDamaged."""
        return self._guarded(table)(doc_id, body)

    def loaded(self, name: str) -> bool:
        return name in self._tables

    @property
    def links_loaded(self) -> bool:
        return self._links is not None

    def let_go(self) -> None:
        """Forget the large tables; they are read again when asked for whole."""
        with self._storage.lock:
            self._tables = {name: held for name, held in self._tables.items() if ":" not in name}
            self._links = None

    def forget(self) -> None:
        """Read everything anew when next asked."""
        self._tables, self._links, self._names, self._landed = {}, None, {}, {}

    def apply(self, changes: Iterable[Change]) -> None:
        """Take in what was committed; tables nobody asked for yet stay unread."""
        moved: dict[str, dict[str, Any]] = {}
        named: dict[str, list[tuple[str, bytes | None]]] = {}
        for table, doc_id, body in changes:
            if table in self._landed:
                self._landed[table].append((doc_id, body))
            if table in self._names:
                named.setdefault(table, []).append((doc_id, body))
            if table in self._tables or (table == "links" and self._links is not None):
                moved.setdefault(table, {})[doc_id] = GONE if body is None else body
        for table, documents in named.items():
            self._names[table].take(documents)
        links = moved.pop("links", None)
        if links and self._links is not None:
            self._links = self._changed_links(self._links, links)
        for table, values in moved.items():
            self._tables[table] = self._tables[table].changed(values)

    def _load_links(self) -> Links:
        read = self._guarded("links")
        with uncollected():
            # By id: what goes over all links asks for records and bases in the order of their keys (leafing.py).
            links: list[Link] = [read(doc_id, body) for doc_id, body in sorted(self._storage.committed_rows("links"))]
            return Links(
                Snapshot({(link.kind, link.ajera_key): link for link in links}),
                Snapshot({(link.kind, link.crm_key): link for link in links}),
            )

    def _changed_links(self, links: Links, moved: dict[str, Any]) -> Links:
        read = self._guarded("links")
        by_ajera: dict[tuple[Kind, str], Any] = {}
        by_crm: dict[tuple[Kind, str], Any] = {}
        fresh = [read(doc_id, body) for doc_id, body in moved.items() if body is not GONE]
        for doc_id in moved:
            kind, _, key = doc_id.partition(":")
            old = links.by_ajera.get((Kind(kind), key))
            if old is not None:
                by_ajera[old.kind, old.ajera_key] = by_crm[old.kind, old.crm_key] = GONE
        for link in fresh:  # after all that went, since one may take over the other's key
            by_ajera[link.kind, link.ajera_key] = by_crm[link.kind, link.crm_key] = link
        assert isinstance(links.by_ajera, Snapshot)
        assert isinstance(links.by_crm, Snapshot)
        return Links(links.by_ajera.changed(by_ajera), links.by_crm.changed(by_crm))

    def _guarded(self, table: str) -> Reader:
        read = reader_of(table)

        def guarded(doc_id: str, body: bytes) -> Any:
            try:
                return read(doc_id, body)
            except UNREADABLE as error:
                raise self._damaged(table) from error

        return guarded

    def _damaged(self, table: str) -> StoreDamaged:
        path = self._storage.path
        if not self._storage.readonly:
            sqlite_file.condemn(path, f"a document of its table {table} cannot be read")
        return StoreDamaged(
            f"The store {path} is damaged: a document of its table {table} cannot be read."
            " Start the program again: it sets the file aside and says how to go on."
        )
