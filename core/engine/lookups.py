"""The store's tables as a plan asks them: by key, from the file, and let go again.

A record is made when it is asked for, and its values when they are; the last few are held. What goes over everything asks
in the order of the keys, which the store reads in slices. Nothing of these is a snapshot: records, links and bases are
written by runs alone, one at a time, and what a person does in between is checked again before anything is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, cast

from core.model.link import Base, Link, Links
from core.model.record import Record
from core.model.values import Kind, Side
from core.ports import Store

HELD: Final = 256  # of a table: what one pair or one firm's contacts need, many times over


class RecordsByKey(Mapping[str, Record]):
    """The records of one kind and side, in the order of their keys."""

    def __init__(self, store: Store, kind: Kind, side: Side) -> None:
        self._store, self._kind, self._side = store, kind, side
        self._held: dict[str, Record | None] = {}
        self._reading: Callable[[str], Record | None] | None = None
        self._keys: frozenset[str] | None = None

    def get(self, key: str, default: Any = None) -> Any:
        if key not in self._held:
            self._keep(key, self._read(key))
        found = self._held[key]
        return default if found is None else found

    def _read(self, key: str) -> Record | None:
        if self._reading is None:
            self._reading = self._store.leafing(self._kind, self._side)
        return self._reading(key)

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
        return key in self._keys if self._keys is not None else self.get(cast(str, key)) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._all_keys()))

    def __len__(self) -> int:
        return len(self._all_keys())

    def _all_keys(self) -> frozenset[str]:
        if self._keys is None:
            self._keys = self._store.keys(self._kind, self._side)
        return self._keys


class LinksByKey(Links):
    """The links; whole only where somebody goes over them."""

    def __init__(self, store: Store, over: Iterable[Link] = ()) -> None:
        """`over` are links as a plan will leave them. What the class holds is asked of the store instead."""
        object.__setattr__(self, "_store", store)
        object.__setattr__(self, "_over", Links().with_(over))

    def of(self, kind: Kind, side: Side, key: str) -> Link | None:
        return self._changed.of(kind, side, key) or self._of.link(kind, side, key)

    def unlinked(self, kind: Kind, side: Side, keys: Iterable[str]) -> list[str]:
        return sorted(key for key in keys if self.of(kind, side, key) is None)

    def with_(self, links: Iterable[Link]) -> Links:
        return LinksByKey(self._of, (*self._changed.by_ajera.values(), *links))

    @property
    def _changed(self) -> Links:
        return cast(Links, self._over)  # type: ignore[attr-defined] # set above: the class is frozen

    @property
    def _of(self) -> Store:
        return cast(Store, self._store)  # type: ignore[attr-defined] # set above: the class is frozen

    @property
    def by_ajera(self) -> Mapping[tuple[Kind, str], Link]:  # a field of Links
        return self._of.links().with_(self._changed.by_ajera.values()).by_ajera

    @property
    def by_crm(self) -> Mapping[tuple[Kind, str], Link]:  # a field of Links
        return self._of.links().with_(self._changed.by_ajera.values()).by_crm


class BasesByKey(Mapping[str, Base]):
    """The bases of all kinds by link id (`KIND:…`)."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._reading: dict[str, Callable[[str], Base]] = {}
        self._last: tuple[str, Base] = ("", {})

    def __getitem__(self, link_id: str) -> Base:
        if link_id != self._last[0]:  # asked for again and again while a pair is decided
            kind = link_id.partition(":")[0]
            if kind not in self._reading:
                self._reading[kind] = self._store.leafing_bases(Kind(kind))
            self._last = link_id, self._reading[kind](link_id)  # empty where there is none, as for a new link
        return self._last[1]

    def get(self, link_id: str, _default: Any = None) -> Base:
        return self[link_id]

    def __iter__(self) -> Iterator[str]:
        return (link_id for kind in Kind for link_id in self._store.bases(kind))

    def __len__(self) -> int:
        return sum(len(self._store.bases(kind)) for kind in Kind)
