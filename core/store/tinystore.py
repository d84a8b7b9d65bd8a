"""The program's memory: core.ports.Store over TinyDB's API and one SQLite file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from core.model.link import Base, Decision, Link, Links, Mark
from core.model.record import Naming, Record
from core.model.values import Kind, Side
from core.ports import Cursor, Failure, HistoryEntry, Intent, OpenItem, RunRecord
from core.store import bodies, codec_run, memory
from core.store.memory import Memory, bases_table, records_table
from core.store.sparing import SparingReads
from core.store.storage import Change, CommitHook, SqliteStorage
from core.store.table import SqliteDB
from core.store.transaction import TinyTransaction

FILE_NAME: Final = "store.db"
KEEP_PLANS: Final = 20  # plans nobody approved yet; `run --plan` names a recent one
IN_ONE_SECOND: Final = 32  # far more runs than start within one second: their ids alone do not tell which was first


class TinyStore(SparingReads):
    """Implements core.ports.Store. Every mapping it returns is an immutable snapshot: it stays as it
    is whatever is written later, costs nothing to take, and may be read in any thread.

    One thread at a time is inside a transaction; others wait, and so do other programs. Keep
    transactions short and never wait for a system inside one. Reads inside a transaction show the
    state before it.
    """

    def __init__(self, db: SqliteDB) -> None:
        self.db = db
        storage = db.storage
        assert isinstance(storage, SqliteStorage)
        self._storage = storage
        self._memory = Memory(storage)
        self._moved: set[str] = set()
        self._version = storage.version()
        self._seen = storage.last_seq()

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        readonly: bool = False,
        before_commit: CommitHook | None = None,
        after_commit: CommitHook | None = None,
    ) -> TinyStore:
        """The store of a state folder, made if missing (not when `readonly`: then it is empty).

        Raises StoreDamaged after setting a damaged file aside, StoreTooNew, StoreUnwritable. The hooks
        are called with a running number before and after each commit.
        """
        path = folder / FILE_NAME
        return cls(SqliteDB(path, readonly=readonly, before_commit=before_commit, after_commit=after_commit))

    @property
    def path(self) -> Path:
        return self._storage.path

    @contextmanager
    def transaction(self) -> Iterator[TinyTransaction]:
        """Writes that land together or not at all. An exception inside undoes all of them.

        What another program wrote before is taken in first, so that checks are made against it.
        Raises StoreUnwritable when the disk refuses; memory is then as it was.
        """
        changes: list[Change] = []
        with self._storage.transaction(lambda: self._landed(changes)):
            self._take_in()
            transaction = TinyTransaction(self._storage, self._memory)
            yield transaction
            changes.extend(transaction.flush())

    def refresh(self) -> frozenset[str]:
        """Take in what another program wrote; the names of the tables that changed since the last
        call: links, records, bases, marks, decisions, items, cursors, intents, failures, runs,
        history, settings, plans. Without news this costs some microseconds."""
        with self._storage.lock:
            self._take_in()
            moved, self._moved = frozenset(self._moved), set()
        return moved

    # -- reading ---------------------------------------------------------------------------------

    def records(self, kind: Kind, side: Side) -> Mapping[str, Record]:
        return self._memory.table(records_table(kind, side))

    def names(self, kind: Kind, side: Side) -> Naming:
        """Which of these records name a firm or contact."""
        return self._memory.names(records_table(kind, side))

    def revision(self, tables: Iterable[str]) -> str:
        return self._storage.revision(tables)

    def links(self) -> Links:
        return self._memory.links()

    def let_go(self) -> None:
        """Give back the memory of records, bases and links that were read whole. What was handed out stays as it is."""
        self._memory.let_go()

    def linked_kinds(self) -> frozenset[Kind]:
        return frozenset(kind for kind in Kind if self._storage.any_from("links", f"{kind}:"))

    def base(self, link: Link) -> Base:
        """The base of one link, empty if the sides never agreed; reads no other link's."""
        table = bases_table(link.kind)
        found: Base | None = None
        if self._memory.loaded(table):
            found = self._memory.table(table).get(link.id)
        elif body := self._storage.committed_row(table, link.id):
            found = self._memory.read(table, link.id, body)
        return found or {}

    def bases(self, kind: Kind) -> Mapping[str, Base]:
        return self._memory.table(bases_table(kind))

    def marks(self) -> Mapping[str, Mark]:
        return self._memory.table("marks")

    def decisions(self) -> Mapping[str, Decision]:
        return self._memory.table("decisions")

    def items(self, queue: str | None = None) -> Sequence[OpenItem]:
        """Oldest first."""
        found = [item for item in self._memory.table("items").values() if queue in (None, item.queue)]
        return sorted(found, key=lambda item: (item.since, item.queue, item.id))

    def cursor(self, kind: Kind, side: Side) -> Cursor:
        fresh = Cursor(side, kind)
        found: Cursor = self._memory.table("cursors").get(fresh.id, fresh)
        return found

    def intents(self) -> Sequence[Intent]:
        """Oldest first."""
        return sorted(self._memory.table("intents").values(), key=lambda intent: (intent.at, intent.id))

    def failures(self) -> Mapping[str, Failure]:
        return self._memory.table("failures")

    def runs(self, limit: int = 200) -> Sequence[RunRecord]:
        """Read from the file each time: a run a minute are 130,000 of them before the first one is dropped. Their ids
        begin with the second that they started in."""
        found = self._storage.last_by_id("runs", limit + IN_ONE_SECOND)
        runs = [self._memory.read("runs", run_id, body) for run_id, body in found]
        return sorted(runs, key=lambda run: (run.started, run.id), reverse=True)[:limit]

    def run(self, run_id: str) -> RunRecord | None:
        body = self._storage.committed_row("runs", run_id)
        found: RunRecord | None = self._memory.read("runs", run_id, body) if body else None
        return found

    def history_of_run(self, run_id: str) -> Sequence[HistoryEntry]:
        """In the order they were done."""
        found = self._storage.by_term("history", codec_run.run_term(run_id))
        return [self._memory.read("history", doc_id, body) for doc_id, body in found]

    def history_of(self, kind: Kind, side: Side, key: str, limit: int = 200) -> Sequence[HistoryEntry]:
        found = self._storage.by_term("history", codec_run.record_term(kind, side, key), limit, newest=True)
        return [self._memory.read("history", doc_id, body) for doc_id, body in found]

    def setting(self, name: str, default: Any = None) -> Any:
        """The JSON value put under that name; the caller may change what it gets."""
        found = self._memory.table("settings").get(name, default)
        return bodies.load(bodies.dump(found)) if isinstance(found, dict) else deepcopy(found)

    def plan(self, digest: str) -> Mapping[str, Any] | None:
        body = self._storage.committed_row("plans", digest)
        found: Mapping[str, Any] | None = self._memory.read("plans", digest, body) if body else None
        return found

    # -- upkeep ----------------------------------------------------------------------------------

    def prune(self, keep_runs: int, keep_days: int, now: datetime) -> int:
        """Drop runs that are neither among the newest `keep_runs` nor younger than `keep_days`, with
        their history; runs with an unsettled intent stay. Also plans but the newest, and traces of
        deletions. The number of runs dropped."""
        oldest = (now - timedelta(days=keep_days)).isoformat()
        unsettled = {intent.run for intent in self.intents()}
        dropped = [run_id for run_id in self._old_runs(keep_runs, oldest) if run_id not in unsettled]
        stale = self._storage.oldest("plans", KEEP_PLANS)
        with self.transaction() as transaction:
            self._storage.prune_deleted(self._forgettable())
            for run_id in dropped:
                transaction.drop_run(run_id)
            for digest in stale:
                transaction.drop_plan(digest)
        self._storage.let_go()  # pages of the list of runs, which grows with each: what was looked through is not held
        return len(dropped)

    def close(self) -> None:
        self.db.close()

    def __enter__(self) -> TinyStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- inside ----------------------------------------------------------------------------------

    def _old_runs(self, keep_runs: int, oldest: str) -> list[str]:
        """Runs that started before `oldest`, but for the newest `keep_runs` of all."""
        found: list[str] = []
        for part in self._storage.slices("runs", IN_ONE_SECOND):
            old = [run_id for run_id, body in part if self._memory.read("runs", run_id, body).started < oldest]
            found += old
            if len(old) < len(part):
                break
        return found[: max(0, self._storage.count("runs") - keep_runs)] if found else []

    def _landed(self, changes: list[Change]) -> None:
        written = self._storage.written_seq
        self._memory.apply(changes)
        if self._seen > written:  # what another program wrote right after it was taken in already: it is the newer
            _, later = self._storage.changes(written)
            if later is None:
                self._memory.forget()
            else:
                self._memory.apply(later)
        self._seen = max(self._seen, written)

    def _take_in(self) -> None:
        version = self._storage.version()
        if version == self._version:
            return
        if self._storage.in_transaction and self._storage.written_seq == self._seen:
            self._version = version  # it was our own commit that moved it
            return
        last, changes = self._storage.changes(self._seen)
        if changes is None:
            self._memory.forget()
            self._moved.update(memory.NAMES)
        else:
            self._memory.apply(changes)
            self._moved.update(change.table.partition(":")[0] for change in changes)
        self._seen, self._version = last, version
