"""Tables of the store as the kernel's rules and the screens ask them, read record by record.

Planning reads tables whole, and they stay in memory while it needs them. A screen asks for a few records of 100,000: it
gets them one at a time from the file. What was read is kept for the moment only, so that the next look sees what moved.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from core.model.link import Base, Link, Links, LinkState
from core.model.record import Record
from core.model.values import Kind, Side
from core.ports import Store

HELD: Final = 256


class FiledRecords(Mapping[str, Record]):
    """The records of one kind and side at one moment; the last few that were read are held."""

    def __init__(self, store: Store, kind: Kind, side: Side) -> None:
        self._store, self._kind, self._side = store, kind, side
        self._held: dict[str, Record | None] = {}

    def get(self, key: str, default: Any = None) -> Any:
        held = self._held
        if key in held:
            found = held[key]
        else:
            found = self._store.record(self._kind, self._side, key)
            self._keep(key, found)
        return default if found is None else found

    def hold(self, record: Record) -> None:
        """Take a record that was just read."""
        self._keep(record.key, record)

    def _keep(self, key: str, record: Record | None) -> None:
        if len(self._held) >= HELD:
            self._held.clear()
        self._held[key] = record

    def __getitem__(self, key: str) -> Record:
        found = self.get(key)
        if found is None:
            raise KeyError(key)
        return cast(Record, found)

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self.get(key) is not None

    def __iter__(self) -> Iterator[str]:
        return (record.key for record in self._store.scan(self._kind, self._side))

    def __len__(self) -> int:
        return sum(1 for _ in self)


class FiledLinks(Links):
    """Links asked for one by one."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        object.__setattr__(self, "_store", store)

    def of(self, kind: Kind, side: Side, key: str) -> Link | None:
        store: Store = self._store  # type: ignore[attr-defined] # set above: the class is frozen
        return store.link(kind, side, key)


class ScannedLinks(Links):
    """The links of one kind, read once, for going over all its records; let go afterwards."""

    def __init__(self, store: Store, kind: Kind) -> None:
        links = [link for link in store.scan_links() if link.kind is kind]
        super().__init__(
            {(kind, link.ajera_key): link for link in links}, {(kind, link.crm_key): link for link in links}
        )


class FiledBases(Mapping[str, Base]):
    """Bases are asked of the store by link; the rules that screens use ask for none."""

    def __getitem__(self, link_id: str) -> Base:
        raise KeyError(link_id)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def is_alive(link: Link | None) -> bool:
    """Whether both records of a link are there."""
    return link is not None and link.state is not LinkState.GONE
