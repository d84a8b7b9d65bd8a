"""The store's tables as a plan of what moved asks them: by key, one at a time from the file.

A table that is gone over is read whole, as ever (matching a new record needs the names of all). Nothing of these is a
snapshot: records, links and bases are written by runs alone, one at a time, and what a person does in between is checked
again before anything is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from core.model.link import Base, Link, Links
from core.model.record import Record
from core.model.values import Kind, Side
from core.ports import Store


class RecordsByKey(Mapping[str, Record]):
    """The records of one kind and side. What was asked for is held, so that a plan sees one and the same."""

    def __init__(self, store: Store, kind: Kind, side: Side) -> None:
        self._store, self._kind, self._side = store, kind, side
        self._held: dict[str, Record | None] = {}
        self._whole: Mapping[str, Record] | None = None

    def get(self, key: str, default: Any = None) -> Any:
        if self._whole is not None:
            return self._whole.get(key, default)
        if key not in self._held:
            self._held[key] = self._store.record(self._kind, self._side, key)
        found = self._held[key]
        return default if found is None else found

    def __getitem__(self, key: str) -> Record:
        found = self.get(key)
        if found is None:
            raise KeyError(key)
        return cast(Record, found)

    def __contains__(self, key: object) -> bool:
        return self.get(cast(str, key)) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def _all(self) -> Mapping[str, Record]:
        if self._whole is None:
            self._whole = self._store.records(self._kind, self._side)
        return self._whole


class LinksByKey(Links):
    """The links; whole only where somebody goes over them."""

    def __init__(self, store: Store) -> None:  # what the class holds is asked of the store instead
        object.__setattr__(self, "_store", store)

    def of(self, kind: Kind, side: Side, key: str) -> Link | None:
        return self._of.link(kind, side, key)

    @property
    def _of(self) -> Store:
        return cast(Store, self._store)  # type: ignore[attr-defined] # set above: the class is frozen

    @property
    def by_ajera(self) -> Mapping[tuple[Kind, str], Link]:  # a field of Links
        return self._of.links().by_ajera

    @property
    def by_crm(self) -> Mapping[tuple[Kind, str], Link]:  # a field of Links
        return self._of.links().by_crm


class BasesByKey(Mapping[str, Base]):
    """The bases of all kinds by link id (`KIND:…`)."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __getitem__(self, link_id: str) -> Base:
        kind, _, key = link_id.partition(":")
        return self._store.base(Link(Kind(kind), key, ""))  # empty where there is none, as for a new link

    def __iter__(self) -> Iterator[str]:
        return (link_id for kind in Kind for link_id in self._store.bases(kind))

    def __len__(self) -> int:
        return sum(len(self._store.bases(kind)) for kind in Kind)
