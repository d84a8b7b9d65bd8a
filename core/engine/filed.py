"""Tables of the store as the kernel's rules and the screens ask them, read record by record.

Planning reads tables whole, and they stay in memory while it needs them. A screen asks for a few records of 100,000: it
gets them one at a time from the file. What was read is kept for the moment only, so that the next look sees what moved.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from core.engine.lookups import RecordsByKey
from core.model.link import Link, Links, LinkState
from core.model.record import Record
from core.model.values import Kind
from core.ports import Store

HELD: Final = 256


class FiledRecords(RecordsByKey):
    """The records of one kind and side at one moment; only the last few that were read are held, and nothing is read whole."""

    def get(self, key: str, default: Any = None) -> Any:
        if key not in self._held:
            self._keep(key, self._store.record(self._kind, self._side, key))
        found = self._held[key]
        return default if found is None else found

    def hold(self, record: Record) -> None:
        """Take a record that was just read."""
        self._keep(record.key, record)

    def _keep(self, key: str, record: Record | None) -> None:
        if len(self._held) >= HELD:
            self._held.clear()
        self._held[key] = record

    def __iter__(self) -> Iterator[str]:
        return (record.key for record in self._store.scan(self._kind, self._side))

    def __len__(self) -> int:
        return sum(1 for _ in self)


class ScannedLinks(Links):
    """The links of one kind, read once, for going over all its records; let go afterwards."""

    def __init__(self, store: Store, kind: Kind) -> None:
        links = [link for link in store.scan_links() if link.kind is kind]
        super().__init__(
            {(kind, link.ajera_key): link for link in links}, {(kind, link.crm_key): link for link in links}
        )


def is_alive(link: Link | None) -> bool:
    """Whether both records of a link are there."""
    return link is not None and link.state is not LinkState.GONE
