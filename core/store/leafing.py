"""Reading a table by key without keeping it: one document at a time, or a slice where keys are asked for in their order.

Planning everything asks for 50,000 records by their keys, most of the time in order, and some five times over. Slices
make that as quick as reading the table whole, and nothing but the slice is in memory.
"""

from __future__ import annotations

from typing import Final

from core.store import bodies
from core.store.storage import SqliteStorage

MOST: Final = 128  # documents of a slice: about 200 kB of the largest


class Leafing:
    """The bodies of one table, as they are in the file when they are read. Not for more than one thread at a time."""

    def __init__(self, storage: SqliteStorage, table: str) -> None:
        self._storage, self._table = storage, table
        self._slice: dict[str, bytes] = {}
        self._size = 1
        self._used = 0

    def body(self, doc_id: str) -> bytes | None:
        wanted = bodies.id_in(doc_id)
        found = self._slice.get(wanted)
        if found is None:
            # Twice as many while at least half of them are asked for; one key after another in no order: one or two.
            self._size = min(2 * self._size, MOST) if 2 * self._used >= self._size else 1
            self._slice, self._used = dict(self._storage.slice_from(self._table, wanted, self._size)), 0
            found = self._slice.get(wanted)
        self._used += 1
        return found
