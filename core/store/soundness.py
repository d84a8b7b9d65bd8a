"""SQLite's own check of the store's file. It may begin before the store is opened: in a thread, beside the imports of what
opens it (120 ms for 170 MB, which SQLite spends without the interpreter's lock)."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Final

from core.private import is_private
from core.store import sqlite_file

PATIENCE_MS: Final = 100  # opening the store waits longer


class _Check(threading.Thread):
    def __init__(self, path: Path) -> None:
        super().__init__(name="store-check", daemon=True)
        self.path = path
        self.found: list[str] | None = None

    def run(self) -> None:
        try:
            with closing(sqlite_file.connect(self.path)) as connection:
                connection.execute(f"PRAGMA busy_timeout = {PATIENCE_MS}")
                found = _findings(connection)
        except (sqlite3.Error, OSError):
            return  # opening the store says what is wrong
        self.found = found


_begun: Final[dict[Path, _Check]] = {}


def begin(path: Path) -> None:
    """Start checking a store that is there and nobody else's; `damage` then takes what came of it."""
    if is_private(path.parent, folder=True) and is_private(path):
        check = _begun[path] = _Check(path)
        check.start()


def damage(connection: sqlite3.Connection, path: Path) -> str | None:
    """What is wrong inside the file, None where nothing is."""
    check = _begun.pop(path, None)
    if check is not None:
        check.join()
    found = check.found if check is not None and check.found is not None else _findings(connection)
    return None if found == ["ok"] else "; ".join(found)[:200]


def _findings(connection: sqlite3.Connection) -> list[str]:
    return [str(row[0]) for row in connection.execute("PRAGMA quick_check(3)")]
