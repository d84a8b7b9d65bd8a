"""TinyDB's storage over one SQLite file in WAL mode: transactional, writing only what changed.

Stock TinyDB works on it as on any storage (`read` and `write` of everything); the tables of
core/store/table.py use the row methods, whose cost does not grow with the store. Measured before: stock
TinyDB rewrites the whole file on every write (1.6 s at 50,000 documents) and a process killed in the
middle leaves it broken.

Each document is one row with a global sequence number that only grows, so that a second process finds
what is new by one index look-up. A deletion is a row without a body until it is pruned.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

from tinydb.storages import Storage

from core.errors import StoreFailure, StoreUnwritable
from core.store import bodies, sqlite_file

CommitHook = Callable[[int], None]
_PRUNED: Final = "pruned_seq"

_PUT = (
    "INSERT INTO docs (seq, name, id, body) VALUES (?, ?, ?, ?) ON CONFLICT (name, id) DO UPDATE"
    " SET seq = excluded.seq, body = excluded.body WHERE body IS NOT excluded.body"
)
_ROWS = "SELECT id, body FROM docs WHERE name = ? AND body IS NOT NULL"
_BY_TERM = (
    "SELECT docs.id, docs.body FROM terms JOIN docs ON docs.name = terms.name AND docs.id = terms.id"
    " WHERE terms.name = ? AND terms.term = ? ORDER BY docs.seq "
)
_DELETE = "UPDATE docs SET seq = ?, body = NULL WHERE name = ? AND id = ? AND body IS NOT NULL"


class Change(NamedTuple):
    """One document as it is now; `body` is None when it was deleted."""

    table: str
    id: str
    body: bytes | None


class SqliteStorage(Storage):
    """One open store file.

    Writes happen inside `transaction()` by one thread at a time; reads of committed documents go
    through a connection of their own and see nothing of a transaction that is under way, except in
    the thread that wrote it. `before_commit` and `after_commit` are called with a running number
    around each commit that writes something, for tests that die there.

    Raises StoreDamaged, StoreTooNew and StoreUnwritable (core/errors.py).
    """

    def __init__(
        self,
        path: str | Path,
        *,
        readonly: bool = False,
        migrations: Sequence[sqlite_file.Migration] = sqlite_file.MIGRATIONS,
        before_commit: CommitHook | None = None,
        after_commit: CommitHook | None = None,
    ) -> None:
        self.path = Path(path)
        self.readonly = readonly
        self._known = len(migrations)
        self._before_commit, self._after_commit = before_commit, after_commit
        self._writer = None if readonly else sqlite_file.prepare(self.path, migrations)
        self._reader: sqlite3.Connection | None = None
        self._reading = threading.RLock()
        self._writing = threading.Lock()
        self._owner: int | None = None  # the thread inside a transaction
        self._commits = 0
        self._wrote = False
        self._next_seq = 0
        self._closed = False
        self._open_reader()

    # -- TinyDB's storage interface --------------------------------------------------------------

    def read(self) -> dict[str, dict[str, Any]] | None:
        """Everything, as stock TinyDB wants it; None for an empty store."""
        tables: dict[str, dict[str, Any]] = {}
        for name, doc_id, body in self._select("SELECT name, id, body FROM docs WHERE body IS NOT NULL ORDER BY n"):
            tables.setdefault(name, {})[bodies.id_out(doc_id)] = bodies.load(body)
        return tables or None

    def write(self, data: dict[str, dict[str, Any]]) -> None:
        """Make the store hold exactly this, touching only the documents that differ."""
        with self.transaction():
            wanted = {(name, str(doc_id)) for name, table in data.items() for doc_id in table}
            held = self._select("SELECT name, id FROM docs WHERE body IS NOT NULL")
            gone = ((name, bodies.id_out(doc_id), None) for name, doc_id in held)
            self.put(Change(*row) for row in gone if row[:2] not in wanted)
            self.put(
                Change(name, str(doc_id), bodies.dump(document))
                for name, table in data.items()
                for doc_id, document in table.items()
            )

    def close(self) -> None:
        """Close both connections; the log is copied back into the file by the last one to leave."""
        mine = self.in_transaction or not self._writing.acquire(timeout=sqlite_file.BUSY_SECONDS)  # what lands, lands
        with self._reading:
            self._closed = True
            for connection in (self._reader, self._writer):
                if connection is not None:
                    with suppress(sqlite3.Error):  # nothing committed depends on it
                        connection.close()
            self._reader = self._writer = None
        if not mine:
            self._writing.release()

    # -- reading ---------------------------------------------------------------------------------

    def rows(self, table: str) -> list[tuple[str, bytes]]:
        """Id and body of every document of a table, in the order they were first put."""
        found = self._select(_ROWS + " ORDER BY n", (table,))
        return [(bodies.id_out(doc_id) if doc_id[:1] == "\x00" else doc_id, body) for doc_id, body in found]

    def committed_rows(self, table: str) -> list[tuple[str, bytes]]:
        """As `rows`, but never what the transaction under way wrote."""
        found = self._select(_ROWS, (table,), writer=False)
        return [(bodies.id_out(doc_id) if doc_id[:1] == "\x00" else doc_id, body) for doc_id, body in found]

    def committed_ids(self, table: str) -> list[str]:
        found = self._select("SELECT id FROM docs WHERE name = ? AND body IS NOT NULL", (table,), writer=False)
        return [bodies.id_out(row[0]) for row in found]

    def row(self, table: str, doc_id: str) -> bytes | None:
        found = self._select("SELECT body FROM docs WHERE name = ? AND id = ?", (table, bodies.id_in(doc_id)))
        return found[0][0] if found else None

    def committed_row(self, table: str, doc_id: str) -> bytes | None:
        """As `row`, but never what the transaction under way wrote."""
        sql = "SELECT body FROM docs WHERE name = ? AND id = ?"
        found = self._select(sql, (table, bodies.id_in(doc_id)), writer=False)
        return found[0][0] if found else None

    def any_from(self, table: str, start: str) -> bool:
        """Whether a committed document's id begins so."""
        sql = "SELECT 1 FROM docs WHERE name = ? AND id >= ? AND id < ? AND body IS NOT NULL LIMIT 1"
        return bool(self._select(sql, (table, start, start + "\U0010ffff"), writer=False))

    def count(self, table: str) -> int:
        found = self._select("SELECT count(*) FROM docs WHERE name = ? AND body IS NOT NULL", (table,))
        return int(found[0][0]) if found else 0

    def newest(self, table: str, limit: int) -> list[tuple[str, bytes]]:
        """The documents written last, newest first."""
        sql = "SELECT id, body FROM docs WHERE name = ? AND body IS NOT NULL ORDER BY seq DESC LIMIT ?"
        return [(bodies.id_out(doc_id), body) for doc_id, body in self._select(sql, (table, limit))]

    def last_by_id(self, table: str, limit: int) -> list[tuple[str, bytes]]:
        """The committed documents with the highest ids, from the highest down."""
        sql = "SELECT id, body FROM docs WHERE name = ? AND body IS NOT NULL ORDER BY id DESC LIMIT ?"
        return [(bodies.id_out(doc_id), body) for doc_id, body in self._select(sql, (table, limit), writer=False)]

    def oldest(self, table: str, but: int) -> list[str]:
        """Ids of the documents of a table but those written last."""
        sql = "SELECT id FROM docs WHERE name = ? AND body IS NOT NULL ORDER BY seq DESC LIMIT -1 OFFSET ?"
        return [bodies.id_out(row[0]) for row in self._select(sql, (table, but))]

    def revision(self, tables: Iterable[str]) -> str:
        """The last sequence number of each table. Pruned deletions count too: without them a table might seem to be
        as it was before a document was taken away."""
        names = list(tables)
        each = ", ".join(["(SELECT max(seq) FROM docs WHERE name = ?)"] * len(names))
        sql = f"SELECT (SELECT value FROM facts WHERE name = ?), {each}"  # noqa: S608 # question marks only
        found = self._select(sql, (_PRUNED, *names), writer=False)
        return repr(found[0]) if found else ""

    def by_term(self, table: str, term: str, limit: int = -1, *, newest: bool = False) -> list[tuple[str, bytes]]:
        """The documents stored with this index term, in the order they were written."""
        found = self._select(_BY_TERM + ("DESC" if newest else "ASC") + " LIMIT ?", (table, bodies.id_in(term), limit))
        return [(bodies.id_out(doc_id), body) for doc_id, body in found]

    def next_number(self, table: str) -> int:
        """One more than the highest id of a table that is a number, deleted ones counted."""
        sql = "SELECT max(CAST(id AS INTEGER)) FROM docs WHERE name = ? AND id GLOB '[0-9]*'"
        found = self._select(sql, (table,))
        return int(found[0][0] or 0) + 1 if found else 1

    def last_seq(self) -> int:
        found = self._select("SELECT max(seq) FROM docs")
        return int(found[0][0] or 0) if found else 0

    def version(self) -> int:
        """A number that moves whenever anybody committed; asking costs some microseconds."""
        found = self._select("PRAGMA data_version", writer=False)
        return int(found[0][0]) if found else -1

    def changes(self, since: int) -> tuple[int, list[Change] | None]:
        """The last sequence number and what was written after `since`; None instead of a list when
        deletions after `since` were pruned, so that everything has to be read again."""
        pruned = self._select("SELECT value FROM facts WHERE name = ?", (_PRUNED,))
        if pruned and pruned[0][0] > since:
            return self.last_seq(), None
        found = self._select("SELECT seq, name, id, body FROM docs WHERE seq > ? ORDER BY seq", (since,))
        last = found[-1][0] if found else since
        return last, [Change(name, bodies.id_out(doc_id), body) for _, name, doc_id, body in found]

    def moved(self, since: int) -> tuple[int, list[tuple[str, str]] | None]:
        """As `changes`, but only the table and id of each, committed ones only."""
        pruned = self._select("SELECT value FROM facts WHERE name = ?", (_PRUNED,), writer=False)
        last = self._select("SELECT max(seq) FROM docs", writer=False)
        newest = int(last[0][0] or 0) if last else 0
        if newest < since or (pruned and pruned[0][0] > since):
            return newest, None
        found = self._select("SELECT seq, name, id FROM docs WHERE seq > ? ORDER BY seq", (since,), writer=False)
        return found[-1][0] if found else since, [(name, bodies.id_out(doc_id)) for _, name, doc_id in found]

    def slices(self, table: str, size: int) -> Iterator[list[tuple[str, bytes]]]:
        """Committed documents of a table, some at a time, by id; what changes meanwhile may show or not."""
        sql = "SELECT id, body FROM docs WHERE name = ? AND id > ? AND body IS NOT NULL ORDER BY id LIMIT ?"
        last = ""
        while found := self._select(sql, (table, last, size), writer=False):
            last = found[-1][0]
            yield [(bodies.id_out(doc_id), body) for doc_id, body in found]

    def slice_from(self, table: str, stored_id: str, size: int) -> list[tuple[str, bytes]]:
        """The first `size` committed documents from this id on, by id; ids as they stand in the file (bodies.id_in)."""
        sql = "SELECT id, body FROM docs WHERE name = ? AND id >= ? AND body IS NOT NULL ORDER BY id LIMIT ?"
        return self._select(sql, (table, stored_id, size), writer=False)

    def link_of_crm(self, kind: str, key: str) -> tuple[str, bytes] | None:
        """Id and body of the committed link of a CRM key."""
        sql = f"SELECT id, body FROM docs WHERE name = 'links' AND body IS NOT NULL AND {sqlite_file.LINK_CRM_KEY} = ?"  # noqa: S608
        found = self._select(sql, (key,), writer=False)
        named = ((bodies.id_out(doc_id), body) for doc_id, body in found)
        return next((each for each in named if each[0].partition(":")[0] == kind), None)

    def prints(self, table: str, doc_ids: Sequence[str]) -> dict[str, str]:
        """The prints put with these committed documents, of those that are as they were then."""
        sql = (
            "SELECT p.id, p.print FROM prints p JOIN docs d ON d.name = p.name AND d.id = p.id AND d.seq = p.seq"
            " WHERE p.name = ? AND p.id IN (SELECT value FROM json_each(?)) AND d.body IS NOT NULL"
        )
        asked = {bodies.id_in(doc_id): doc_id for doc_id in doc_ids}
        found = self._select(sql, (table, json.dumps(list(asked))), writer=False)
        return {asked[stored]: text for stored, text in found if stored in asked}

    def view(self, name: str) -> bytes | None:
        """What was kept under that name by `put_view`."""
        found = self._select("SELECT body FROM views WHERE name = ?", (name,), writer=False)
        self.let_go()
        return found[0][0] if found else None

    def let_go(self) -> None:
        """Give back the memory that SQLite keeps for pages which were read: after going over much of the file."""
        with self._reading, sqlite_file.translated(self.path):
            for connection in (self._reader, self._writer):
                if connection is not None and not connection.in_transaction:
                    connection.execute("PRAGMA shrink_memory")

    def fact(self, name: str) -> int | None:
        """A number noted by `note_fact`."""
        found = self._select("SELECT value FROM facts WHERE name = ?", (name,), writer=False)
        return int(found[0][0]) if found else None

    # -- writing ---------------------------------------------------------------------------------

    @contextmanager
    def transaction(self, landed: Callable[[], None] | None = None) -> Iterator[None]:
        """Everything put inside lands together, or nothing does. `landed` runs right after the commit.

        Waits for another program's transaction. One inside another is refused.
        """
        if self.in_transaction:
            raise RuntimeError("a transaction is open already")
        with self._writing:
            self._owner = threading.get_ident()
            try:
                self._begin()
                try:
                    yield
                    with sqlite_file.translated(self.path):
                        self._commit(landed)
                finally:
                    self._roll_back()
            finally:
                self._owner = None

    @property
    def written_seq(self) -> int:
        """The last sequence number in the file as of the last transaction."""
        return self._next_seq

    @property
    def in_transaction(self) -> bool:
        """Whether this thread is inside a transaction."""
        return self._owner == threading.get_ident()

    def put(self, changes: Iterable[Change]) -> None:
        """Write or delete documents; one that is the same already keeps its sequence number."""
        writer = self._inside()
        rows = list(self._numbered(changes))
        with sqlite_file.translated(self.path):
            before = writer.total_changes
            writer.executemany(_PUT, (row for row in rows if row[3] is not None))
            writer.executemany(_DELETE, (row[:3] for row in rows if row[3] is None))
            self._wrote = self._wrote or writer.total_changes > before

    def put_terms(self, table: str, terms: Iterable[tuple[str, str]]) -> None:
        """Index terms of documents: pairs of term and id."""
        writer = self._inside()
        with sqlite_file.translated(self.path):
            writer.executemany(
                "INSERT OR IGNORE INTO terms (name, term, id) VALUES (?, ?, ?)",
                ((table, bodies.id_in(term), bodies.id_in(doc_id)) for term, doc_id in terms),
            )

    def put_view(self, name: str, body: bytes) -> None:
        """Keep something derived, without a sequence number: no program has to take it in."""
        writer = self._inside()
        with sqlite_file.translated(self.path):
            writer.execute("INSERT OR REPLACE INTO views (name, body) VALUES (?, ?)", (name, body))
        self._wrote = True

    def put_prints(self, table: str, prints: Iterable[tuple[str, str]]) -> None:
        """Note pairs of id and print with the documents as they are; without a sequence number, like a view."""
        writer = self._inside()
        rows = [(text, table, bodies.id_in(doc_id)) for doc_id, text in prints]
        with sqlite_file.translated(self.path):
            writer.executemany(
                "INSERT OR REPLACE INTO prints (name, id, seq, print) SELECT name, id, seq, ? FROM docs"
                " WHERE name = ? AND id = ? AND body IS NOT NULL",
                rows,
            )
        self._wrote = self._wrote or bool(rows)

    def note_fact(self, name: str, value: int) -> None:
        writer = self._inside()
        with sqlite_file.translated(self.path):
            writer.execute("INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)", (name, value))
        self._wrote = True

    def erase(self, table: str, ids_and_terms: Iterable[tuple[str, Sequence[str]]]) -> None:
        """Take documents and their terms away without a trace, for tables nobody keeps in memory."""
        writer = self._inside()
        last = self.last_seq()
        with sqlite_file.translated(self.path):
            for doc_id, terms in ids_and_terms:
                key = bodies.id_in(doc_id)
                # The last sequence number stays taken, or the next document would hide behind it.
                writer.execute("DELETE FROM docs WHERE name = ? AND id = ? AND seq < ?", (table, key, last))
                writer.execute("UPDATE docs SET body = NULL WHERE name = ? AND id = ?", (table, key))
                for term in terms:
                    writer.execute(
                        "DELETE FROM terms WHERE name = ? AND term = ? AND id = ?", (table, bodies.id_in(term), key)
                    )
                self._wrote = True

    def prune_deleted(self, upto: int) -> None:
        """Forget deletions up to a sequence number; programs that had not seen them read all anew."""
        writer = self._inside()
        with sqlite_file.translated(self.path):
            last = self.last_seq()
            gone = writer.execute("DELETE FROM docs WHERE body IS NULL AND seq <= ? AND seq < ?", (upto, last))
            if gone.rowcount > 0:
                writer.execute("INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)", (_PRUNED, min(upto, last)))
                writer.execute(
                    "DELETE FROM prints WHERE NOT EXISTS"
                    " (SELECT 1 FROM docs WHERE docs.name = prints.name AND docs.id = prints.id)"
                )
                self._wrote = True

    # -- inside ----------------------------------------------------------------------------------

    def _numbered(self, changes: Iterable[Change]) -> Iterator[tuple[int, str, str, bytes | None]]:
        for table, doc_id, body in changes:
            self._next_seq += 1
            yield self._next_seq, table, bodies.id_in(doc_id), body

    def _inside(self) -> sqlite3.Connection:
        assert self.in_transaction, "writes belong into a transaction"
        assert self._writer is not None
        return self._writer

    def _begin(self) -> None:
        if self.readonly:
            raise StoreUnwritable(f"The store {self.path} was opened for reading only.")
        if self._writer is None:
            raise StoreFailure(f"The store {self.path} is closed.")
        with sqlite_file.translated(self.path):
            self._writer.execute("BEGIN IMMEDIATE")
        self._wrote = False
        self._next_seq = self.last_seq()

    def _commit(self, landed: Callable[[], None] | None) -> None:
        writer = self._inside()
        if self._wrote:
            self._commits += 1
            if self._before_commit:
                self._before_commit(self._commits)
        self._next_seq = self.last_seq()  # numbers given to documents that were the same already are free again
        writer.execute("COMMIT")  # waits for the disk: readers go on meanwhile
        with self._reading:
            if landed:
                landed()
        if self._wrote and self._after_commit:
            self._after_commit(self._commits)

    def _roll_back(self) -> None:
        if self._writer is not None and self._writer.in_transaction:
            with suppress(sqlite3.Error):  # a full disk may have rolled back by itself
                self._writer.execute("ROLLBACK")

    @property
    def lock(self) -> threading.RLock:
        """Held while something is read, and while memory takes in what was committed. A commit may show in the file a
        moment before."""
        return self._reading

    def _select(self, sql: str, values: Sequence[Any] = (), *, writer: bool = True) -> list[Any]:
        with self._reading, sqlite_file.translated(self.path):
            if writer and self.in_transaction and self._writer is not None:
                return self._writer.execute(sql, values).fetchall()
            connection = self._open_reader()
            return connection.execute(sql, values).fetchall() if connection else []

    def _open_reader(self) -> sqlite3.Connection | None:
        """The reading connection; None while a store opened for reading is not there yet."""
        if self._reader is None:
            if self._closed:
                raise StoreFailure(f"The store {self.path} is closed.")
            with sqlite_file.translated(self.path):
                self._reader = sqlite_file.reading(self.path, self._known)
        return self._reader
