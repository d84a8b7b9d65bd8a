"""A glimpse of the store: a few of its documents, read without its tables and the library above them.

For a command that must cost next to nothing. There is an answer only where the file is as this version leaves it. No
store yet, another schema, a lock, damage, a folder that others may use: all that is None, and opening the store says it.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final, NamedTuple

from core.errors import StoreFailure
from core.private import is_private
from core.store import bodies, sqlite_file

PATIENCE_MS: Final = 100  # opening the store waits longer


class Glimpse(NamedTuple):
    """Documents as they are stored: settings by name, runs newest first (their ids begin with the time). `waiting`: how
    many items each queue holds. `revision` moves with any document of the tables that were asked about."""

    settings: Mapping[str, Any]
    runs: Sequence[Mapping[str, Any]]
    waiting: Mapping[str, int]
    failures: int
    revision: str


def glimpse(path: Path, runs: int, tables: Sequence[str]) -> Glimpse | None:
    """What the file at `path` holds, its newest `runs`, and where `tables` stand; all of one moment."""
    try:
        if not (is_private(path.parent, folder=True) and is_private(path)) or sqlite_file.is_condemned(path):
            return None
        with closing(sqlite_file.connect(path)) as connection:
            connection.execute(f"PRAGMA busy_timeout = {PATIENCE_MS}")
            known = len(sqlite_file.MIGRATIONS)
            connection.execute("BEGIN")
            if sqlite_file.check_schema(connection, path, known) != known:
                return None
            return _read(connection, runs, tables)
    except (OSError, sqlite3.Error, StoreFailure, ValueError, LookupError):
        return None


def _read(connection: sqlite3.Connection, runs: int, tables: Sequence[str]) -> Glimpse:
    def rows(sql: str, *values: object) -> list[Any]:
        return connection.execute(sql, values).fetchall()

    there = "FROM docs WHERE name = ? AND body IS NOT NULL"
    each = ", ".join(["(SELECT max(seq) FROM docs WHERE name = ?)"] * len(tables))
    return Glimpse(
        settings={name: bodies.load(body)["value"] for name, body in rows(f"SELECT id, body {there}", "settings")},
        runs=[bodies.load(body) for (body,) in rows(f"SELECT body {there} ORDER BY id DESC LIMIT ?", "runs", runs)],
        waiting=Counter(bodies.id_out(name).partition(":")[0] for (name,) in rows(f"SELECT id {there}", "items")),
        failures=rows(f"SELECT count(*) {there}", "failures")[0][0],
        revision=repr(rows(f"SELECT (SELECT value FROM facts WHERE name = 'pruned_seq'), {each}", *tables)[0]),  # noqa: S608
    )
