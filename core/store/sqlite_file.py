"""The store's file on disk: its folder, its modes, its schema number, and what is wrong with it.

A store is one SQLite file in WAL mode. Everything SQLite may say about the file is turned into one
of three errors here; nothing else of the room names an error code.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from core import private
from core.errors import StoreDamaged, StoreFailure, StoreTooNew, StoreUnwritable

APPLICATION_ID: Final = 0x616A7379  # "ajsy": tells our file from any other program's
BUSY_SECONDS: Final = 10.0
CHECKPOINT_PAGES: Final = 4_000  # 16 MB of log: a run's commits rarely pay for copying it back
CACHE_KB: Final = 16_000

Migration = Callable[[sqlite3.Connection], None]


def _first_schema(connection: sqlite3.Connection) -> None:
    """Documents with a global sequence number (how a second program sees what is new), deletions as
    rows without a body, and index terms of documents that are looked up by something else than their id."""
    connection.execute(
        "CREATE TABLE docs (n INTEGER PRIMARY KEY, seq INTEGER NOT NULL, name TEXT NOT NULL, id TEXT NOT NULL, body BLOB)"
    )
    connection.execute("CREATE UNIQUE INDEX docs_id ON docs (name, id)")
    connection.execute("CREATE UNIQUE INDEX docs_seq ON docs (seq)")
    connection.execute(
        "CREATE TABLE terms (name TEXT NOT NULL, term TEXT NOT NULL, id TEXT NOT NULL,"
        " PRIMARY KEY (name, term, id)) WITHOUT ROWID"
    )
    connection.execute("CREATE TABLE facts (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID")


def _quick_questions(connection: sqlite3.Connection) -> None:
    """When a table was last changed, and which deletions are left, without going over all documents."""
    connection.execute("CREATE INDEX docs_moved ON docs (name, seq)")
    connection.execute("CREATE INDEX docs_gone ON docs (seq) WHERE body IS NULL")


LINK_CRM_KEY: Final = "CASE WHEN json_valid(CAST(body AS TEXT)) THEN json_extract(CAST(body AS TEXT), '$.crm_key') END"


def _for_screens(connection: sqlite3.Connection) -> None:
    """What screens show, kept ready (derived: nothing is lost with it), and links by the CRM's key, so that one
    link is found without reading all. Bodies are bytes, which SQLite's JSON functions do not take as they are."""
    connection.execute("CREATE TABLE views (name TEXT PRIMARY KEY, body BLOB NOT NULL)")
    connection.execute(f"CREATE INDEX links_by_crm ON docs ({LINK_CRM_KEY}) WHERE name = 'links' AND body IS NOT NULL")


def _prints_of_rows(connection: sqlite3.Connection) -> None:
    """The print of the row that a record was made from (derived: a sweep makes them anew). It holds while the record's
    document has the number that it had then."""
    connection.execute(
        "CREATE TABLE prints (name TEXT NOT NULL, id TEXT NOT NULL, seq INTEGER NOT NULL, print TEXT NOT NULL,"
        " PRIMARY KEY (name, id)) WITHOUT ROWID"
    )


MIGRATIONS: Final[tuple[Migration, ...]] = (_first_schema, _quick_questions, _for_screens, _prints_of_rows)
"""Step i brings a file from schema i to i + 1. Steps are added, never changed."""


def failure(path: Path, error: Exception) -> StoreFailure:
    """What an SQLite or operating system error means for the operator."""
    if isinstance(error, OSError):
        return StoreUnwritable(f"The store {path} cannot be written: {error.strerror or error}. {_WAY_OUT}")
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return StoreDamaged(
            f"The store {path} is damaged ({error}). Start the program again: it sets the file aside and says how to go on."
        )
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreUnwritable(
            f"The store {path} stayed locked by another program for {BUSY_SECONDS:.0f} s. Try again."
        )
    if code in _UNWRITABLE:
        return StoreUnwritable(f"The store {path} cannot be written: {error}. {_WAY_OUT}")
    return StoreFailure(f"The store {path} failed: {error}.")


_WAY_OUT: Final = "Free space on the disk, or make the folder writable for this user; nothing that was saved is lost."
_UNWRITABLE: Final = frozenset(
    {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_AUTH,
    }
)


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """SQLite's and the system's errors leave as StoreFailure and its children."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise failure(path, error) from error


def private_folder(folder: Path) -> None:
    """The folder, made if missing, and open to this user only (0700). Raises StoreUnwritable."""
    try:
        private.private_folder(folder)
    except OSError as error:
        raise failure(folder, error) from error


def private_file(path: Path) -> None:
    """The file, made empty if missing, with mode 0600 whatever the umask is.

    SQLite gives its -wal and -shm files the mode of the main file, so this is enough for all three.
    A file that is there is never opened here: closing it would drop the locks this process may hold on
    it through another connection (sqlite.org/howtocorrupt.html, 2.2).
    """
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)


def parts(path: Path) -> tuple[Path, ...]:
    """The files one store consists of."""
    return tuple(path.with_name(path.name + ending) for ending in ("", "-wal", "-shm"))


def connect(path: Path, *, readonly: bool = False) -> sqlite3.Connection:
    """A connection in autocommit mode; transactions are begun by name."""
    mode = "ro" if readonly else "rw"
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )


def prepare(path: Path, migrations: Sequence[Migration] = MIGRATIONS) -> sqlite3.Connection:
    """Open for writing: make the file if missing, check it, bring its schema up to date.

    Raises StoreDamaged after setting the file aside, StoreTooNew, StoreUnwritable, or StoreFailure
    for another program's database.
    """
    private_folder(path.parent)
    with translated(path):
        private_file(path)
    with translated(path):
        condemned = _condemned(path)
        connection, damage = (None, condemned) if condemned else _opened(path, migrations)
    if connection is not None:
        return connection
    raise set_aside(path, damage or "unreadable")


def _opened(path: Path, migrations: Sequence[Migration]) -> tuple[sqlite3.Connection | None, str | None]:
    """The connection, or what is damaged."""
    from core.store import soundness  # late: it connects by this module

    connection = connect(path)
    try:
        check_schema(connection, path, len(migrations))
        damage = soundness.damage(connection, path)
        if damage is None:
            _write_ahead(connection)
            connection.execute(f"PRAGMA cache_size = -{CACHE_KB}")
            connection.execute("PRAGMA synchronous = FULL")  # a commit that returned survives a power cut
            connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
            _migrate(connection, path, migrations)
            return connection, None
    except sqlite3.DatabaseError as error:
        connection.close()
        if isinstance(failure(path, error), StoreDamaged):
            return None, str(error)
        raise
    except BaseException:
        connection.close()
        raise
    connection.close()
    return None, damage


def schema_of(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def check_schema(connection: sqlite3.Connection, path: Path, known: int) -> int:
    """The file's schema number, 0 for an empty file. Raises StoreTooNew for a later schema, StoreFailure for a file of another program."""
    schema = schema_of(connection)
    # In this order: a program that starts at the same moment signs the file as it fills it.
    used = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    owner = int(connection.execute("PRAGMA application_id").fetchone()[0])
    if used and owner != APPLICATION_ID:
        raise StoreFailure(f"The file {path} belongs to another program. Choose another state folder, or move it away.")
    if schema > known:
        raise StoreTooNew(
            f"The store {path} was written by a later version of ajerasync (schema {schema}, this version knows {known})."
            " Update the program, or choose another profile."
        )
    return schema


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switch to WAL. SQLite does not wait here by itself while another program does the same."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _migrate(connection: sqlite3.Connection, path: Path, migrations: Sequence[Migration]) -> None:
    """Each step lands whole or not at all; a filled store is copied beside itself before the first."""
    schema = schema_of(connection)
    if 0 < schema < len(migrations):
        _copy_before(connection, path, schema)
    while schema_of(connection) < len(migrations):
        connection.execute("BEGIN IMMEDIATE")
        try:
            schema = schema_of(connection)  # another program may have done this step meanwhile
            if schema < len(migrations):
                migrations[schema](connection)
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {schema + 1}")
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise


def _copy_before(connection: sqlite3.Connection, path: Path, schema: int) -> None:
    copy = path.with_name(f"{path.stem}-schema{schema}-{_time_stamp()}{path.suffix}")
    private_file(copy)
    connection.execute("VACUUM INTO ?", (str(copy),))


def set_aside(path: Path, damage: str) -> StoreDamaged:
    """Rename the damaged file, and what belongs to it, out of the way; the error to raise."""
    stamp = _time_stamp()
    aside = path.with_name(f"{path.stem}-damaged-{stamp}{path.suffix}")
    with translated(path):
        for old, new in zip(parts(path), parts(aside), strict=True):
            with suppress(FileNotFoundError):
                old.rename(new)
    return StoreDamaged(
        f"The store {path} is damaged ({damage}). It was set aside as {aside}; nothing was thrown away."
        " Start again to go on with an empty store: the records are read anew from both systems,"
        " and a saved list of links comes back with 'ajerasync links import FILE'."
    )


def condemn(path: Path, damage: str) -> None:
    """Note that the open store holds something unreadable, so that the next start sets it aside."""
    with suppress(OSError):
        note = path.with_suffix(".condemned")
        private_file(note)
        note.write_text(damage, encoding="utf-8")


def is_condemned(path: Path) -> bool:
    """Whether the next start sets the store aside."""
    return path.with_suffix(".condemned").exists()


def _condemned(path: Path) -> str | None:
    note = path.with_suffix(".condemned")
    if not is_condemned(path):
        return None
    damage = note.read_text(encoding="utf-8") or "a document cannot be read"
    note.unlink()
    return damage


def _time_stamp() -> str:
    return datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")


def reading(path: Path, known: int = len(MIGRATIONS)) -> sqlite3.Connection | None:
    """A connection that only reads; None when there is no store yet (or one without a schema).

    In a folder this user may not write to, SQLite cannot share a log; a store that was closed
    properly is then read as it stands.
    """
    if not path.exists():
        return None
    connection = connect(path, readonly=True)
    try:
        schema = check_schema(connection, path, known)
    except sqlite3.OperationalError:
        connection.close()
        if parts(path)[1].exists():
            raise
        connection = _connect_to_still(path)
        schema = check_schema(connection, path, known)
    except BaseException:
        connection.close()
        raise
    if schema == 0:
        connection.close()
        return None
    connection.execute(f"PRAGMA cache_size = -{CACHE_KB}")
    return connection


def _connect_to_still(path: Path) -> sqlite3.Connection:
    """To a file that nobody changes, without a log and its locks."""
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True, isolation_level=None, check_same_thread=False
    )
