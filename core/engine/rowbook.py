"""The hubs' rows kept from one moment of the store to the next: only the rows that something moved are made again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.engine.pull import RecordId
from core.engine.rows import RowMaker
from core.engine.tickview import moved_keys
from core.engine.views import Row
from core.model.values import Kind, Side
from core.ports import Store

NAMED = (Kind.EMPLOYEE, Kind.FIRM)  # kinds whose names stand in rows of other kinds


@dataclass
class _Hub:
    """One kind: its rows by id, their order, and what they were made from."""

    rows: dict[str, Row]
    order: tuple[Row, ...]
    place: dict[str, int]
    tables: Mapping[str, Mapping[Any, Any]]
    waiting: Mapping[RecordId, object]
    brought: Mapping[tuple[Kind, str], str] = field(default_factory=dict)


class RowBook:
    """`rows(kind, maker)` gives the whole hub, sorted by label; the maker is of the present moment."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._hubs: dict[Kind, _Hub] = {}

    def rows(self, kind: Kind, maker: RowMaker) -> tuple[Row, ...]:
        hub = self._hubs.get(kind)
        tables = self._tables(kind, maker)
        stale = self._stale(kind, hub, tables, maker) if hub is not None else None
        brought = {target: label for target, label in maker.brought.items() if target[0] is kind}
        if hub is None or stale is None:
            made = {row.id: row for row in maker.all(kind)}
            self._hubs[kind] = hub = _Hub({}, (), {}, {}, {})
            hub.rows = made
            self._sort(hub)
        elif stale:
            self._renew(kind, hub, stale, maker)
        hub.tables, hub.waiting, hub.brought = tables, maker.waiting(), brought
        return hub.order

    def _tables(self, kind: Kind, maker: RowMaker) -> dict[str, Mapping[Any, Any]]:
        store = self._store
        found: dict[str, Mapping[Any, Any]] = {side.value: store.records(kind, side) for side in Side}
        found |= {f"{of}:{side}": store.records(of, side) for of in NAMED for side in Side}
        return found | {"by_crm": maker.links.by_crm, "by_ajera": maker.links.by_ajera, "marks": maker.marks}

    # -- what may have moved -----------------------------------------------------------------------

    def _stale(
        self, kind: Kind, hub: _Hub, tables: Mapping[str, Mapping[Any, Any]], maker: RowMaker
    ) -> set[RecordId] | None:
        """Records whose rows are to be made again; None for all."""
        moved = {name: moved_keys(table, hub.tables.get(name)) for name, table in tables.items()}
        known = {name: keys for name, keys in moved.items() if keys is not None}
        if len(known) < len(moved) or self._renamed(hub, tables, known):
            return None
        found: set[RecordId] = {(kind, side, key) for side in Side for key in known[side.value]}
        found |= {(kind, Side.CRM, key) for of, key in known["by_crm"] if of is kind}
        found |= {(kind, Side.AJERA, key) for of, key in known["by_ajera"] if of is kind}
        for mark in known["marks"]:
            of, side, key, _ = mark.split(":", 3)
            found.add((Kind(of), Side(side), key))
        waiting = maker.waiting()
        found |= {name for name in waiting.keys() | hub.waiting.keys() if waiting.get(name) != hub.waiting.get(name)}
        brought = {target: label for target, label in maker.brought.items() if target[0] is kind}
        found |= {(kind, Side.CRM, key) for (_, key), _ in brought.items() ^ hub.brought.items()}
        return {name for name in found if name[0] is kind}

    def _renamed(self, hub: _Hub, tables: Mapping[str, Mapping[Any, Any]], known: Mapping[str, set[Any]]) -> bool:
        for name in (f"{kind}:{side}" for kind in NAMED for side in Side):
            for key in known[name]:
                old, new = hub.tables[name].get(key), tables[name].get(key)
                if getattr(old, "name", None) != getattr(new, "name", None):
                    return True
        return False

    # -- making them again -------------------------------------------------------------------------

    def _renew(self, kind: Kind, hub: _Hub, stale: Iterable[RecordId], maker: RowMaker) -> None:
        order: list[Row] | None = list(hub.order)
        for side, key in {place for name in stale for place in self._places(name, maker)}:
            record = self._store.record(kind, side, key)
            row = maker.row(record) if record is not None and maker.has_own_row(record) else None
            row_id = f"{'c' if side is Side.CRM else 'a'}:{key}"
            old = hub.rows.pop(row_id, None) if row is None else hub.rows.get(row_id)
            if row is not None:
                hub.rows[row_id] = row
            if (row is None) != (old is None) or (row is not None and old is not None and row.label != old.label):
                order = None
            elif order is not None and row is not None:
                order[hub.place[row_id]] = row
        if order is None:
            self._sort(hub)
        else:
            hub.order = tuple(order)

    def _places(self, name: RecordId, maker: RowMaker) -> Iterable[tuple[Side, str]]:
        """Where the row of a record may stand: with its own key, or with its partner's."""
        kind, side, key = name
        yield side, key
        link = maker.links.of(kind, side, key)
        if link is not None:
            yield side.other, link.key(side.other)

    def _sort(self, hub: _Hub) -> None:
        hub.order = tuple(sorted(hub.rows.values(), key=lambda row: (row.label.casefold(), row.id)))
        hub.place = {row.id: place for place, row in enumerate(hub.order)}
