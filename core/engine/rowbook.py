"""The hubs' rows kept from one moment of the store to the next: only the rows that something moved are made again.

The store says what was written since a number (`moved`). The rows themselves are kept in the store for the next program,
with that number, so that a list of 50,000 is on the screen without one record being read.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any, Final

from core.engine.hubrows import HubRows, Made
from core.engine.pull import RecordId
from core.engine.rows import RowMaker, named_in
from core.engine.tickview import TickView
from core.model.link import LinkState
from core.model.record import Record
from core.model.values import Kind, Side
from core.ports import Store

NAMED: Final = (Kind.EMPLOYEE, Kind.FIRM)  # kinds whose names stand in rows of other kinds
WAITING: Final = frozenset({"items", "failures"})
_MAKING: Final = WAITING | {"links", "marks"}
_OF_WAITING: Final = frozenset({"error", "conflict", "difference", "candidate", "refused", "changed"})
MOST_MOVED: Final = 5_000  # beyond this many changes making everything anew is quicker
FAR: Final = (
    500  # so many changes that concern no row: the number is noted, so that the next start need not look at them
)
FORMAT: Final = 1  # moves when kept rows are not to be read any more
Maker = Callable[[], RowMaker]


class RowBook:
    """`rows(kind, maker)` gives the whole hub, sorted by label; the maker makes one of the present moment.

    `stamp` is all that rows depend on beside the store: kept rows with another one are not used.
    """

    def __init__(self, store: Store, ticks: TickView, stamp: str) -> None:
        self._store = store
        self._ticks = ticks
        self._stamp = f"{FORMAT} {stamp}"
        self._hubs: dict[Kind, HubRows] = {}
        self._seen: dict[Kind, int] = {}
        self._kept: dict[Kind, HubRows] = {}  # as the store has them
        self._kept_ticks = 0  # version of the ticks in the store: 0 is how they were taken from there
        self._noted = 0  # number that was noted there last
        self._waiting: dict[Kind, Mapping[RecordId, object]] = {}
        self._told: dict[str, dict[str, Any]] | None = None
        ticks.kept = lambda: self._part("ticks")

    def rows(self, kind: Kind, maker: Maker, *, old_will_do: bool = False) -> HubRows:
        """`old_will_do`: where all rows would have to be made anew, those there are are good enough."""
        hub = self._hubs.get(kind) or self._opened(kind)
        number, moved = (0, None) if hub is None else self._store.moved(self._seen[kind])
        if hub is not None and moved is None and old_will_do:
            return hub
        if hub is None or moved is None or len(moved) > MOST_MOVED:
            number, _ = self._store.moved(1 << 62)
            hub = self._made_anew(kind, maker().over_all(kind))
        elif any(map(_concerns_rows, moved)):
            hub = self._renewed(kind, hub, moved, maker())
        self._hubs[kind], self._seen[kind] = hub, number
        return hub

    def old(self, kind: Kind) -> HubRows | None:
        """The rows as they were asked for last."""
        return self._hubs.get(kind)

    def at_hand(self, kind: Kind) -> bool:
        """Whether there are rows without going over all records: made before, here or by another program."""
        return kind in self._hubs or f"rows:{kind}" in self._parts()

    def _made_anew(self, kind: Kind, maker: RowMaker) -> HubRows:
        if kind is Kind.FIRM:
            self._ticks.take_moved()
        self._waiting[kind] = _of_kind(maker.waiting(), kind)
        return HubRows.of(kind, (_made(maker, record) for record in maker.records(kind)))

    # -- what may have moved -----------------------------------------------------------------------

    def _renewed(self, kind: Kind, hub: HubRows, moved: Iterable[tuple[str, str]], maker: RowMaker) -> HubRows:
        tables: dict[str, set[str]] = {}
        for table, doc_id in moved:
            tables.setdefault(table, set()).add(doc_id)
        stale = self._of_tables(kind, hub, tables) | self._of_waiting(kind, hub, tables, maker)
        if kind is Kind.FIRM:
            firms = self._ticks.take_moved()
            if firms is None:
                return self._made_anew(kind, maker.over_all(kind))
            stale |= {(Side.CRM, key) for key in firms}
        if len(stale) > MOST_MOVED:
            return self._made_anew(kind, maker.over_all(kind))
        return hub.changed(dict(self._remade(kind, stale, maker))) if stale else hub

    def _of_tables(self, kind: Kind, hub: HubRows, moved: Mapping[str, set[str]]) -> set[tuple[Side, str]]:
        found = {(side, key) for side in Side for key in moved.get(f"records:{kind}:{side}", ())}
        for mark in moved.get("marks", ()):
            of, side, key, _ = mark.split(":", 3)
            if of == kind:
                found.add((Side(side), key))
        lead = f"{kind}:"
        linked = {name.removeprefix(lead) for name in moved.get("links", ()) if name.startswith(lead)}
        if linked:
            found |= {(Side.AJERA, key) for key in linked}
            found |= _rows_where(hub, ("ajera_key", "partner"), linked.__contains__)
        named = {key for of in NAMED for side in Side for key in moved.get(f"records:{of}:{side}", ())}
        if named:
            found |= _rows_where(hub, ("named",), lambda keys: bool(keys) and not named.isdisjoint(keys.split("\n")))
        return found

    def _of_waiting(
        self, kind: Kind, hub: HubRows, moved: Mapping[str, set[str]], maker: RowMaker
    ) -> set[tuple[Side, str]]:
        """Rows whose state is made of queues, failures and what is dirty, as far as that is another one now."""
        before = self._waiting.get(kind)
        if before is not None and not (moved.keys() & WAITING or any(map(_is_dirty, moved.get("settings", ())))):
            return set()
        now = self._waiting[kind] = _of_kind(maker.waiting(), kind)
        if before is None:  # kept rows: what waited then is told by their state
            found = {(name[1], name[2]) for name in now}
            return found | _rows_where(hub, ("state",), _OF_WAITING.__contains__)
        names = {name for name in now.keys() | before.keys() if now.get(name) != before.get(name)}
        return {(name[1], name[2]) for name in names}

    # -- making them again -------------------------------------------------------------------------

    def _remade(
        self, kind: Kind, stale: Iterable[tuple[Side, str]], maker: RowMaker
    ) -> Iterable[tuple[str, Made | None]]:
        for side, key in {place for name in stale for place in self._places(kind, *name)}:
            record = self._store.record(kind, side, key)
            has_row = record is not None and maker.has_own_row(record)
            yield f"{'c' if side is Side.CRM else 'a'}:{key}", _made(maker, record) if record and has_row else None

    def _places(self, kind: Kind, side: Side, key: str) -> Iterable[tuple[Side, str]]:
        """Where the row of a record may stand: with its own key, or with its partner's."""
        yield side, key
        link = self._store.link(kind, side, key)
        if link is not None:
            yield side.other, link.key(side.other)

    # -- for the next program ----------------------------------------------------------------------

    def _parts(self) -> dict[str, dict[str, Any]]:
        """What the program before kept, by name: its mark, and the number it holds for. Looked up once."""
        if self._told is None:
            head = self._store.view("hubs")
            known = isinstance(head, dict) and head.get("stamp") == self._stamp
            self._told = head["parts"] if known else {}
        return self._told

    def _part(self, name: str) -> tuple[Mapping[str, Any], int] | None:
        """A part that was kept, and the number it holds for. One with another mark (another program kept it since)
        is as good as none."""
        told = self._parts().get(name)
        if told is None:
            return None
        found = self._store.view(name)
        if not isinstance(found, dict) or found.get("mark") != told["mark"]:
            return None
        return found["body"], int(told["seen"])

    def _opened(self, kind: Kind) -> HubRows | None:
        """Kept rows. Firms' tell which project brings them, so they must be of the same moment as the ticks."""
        parts = self._parts()
        part = self._part(f"rows:{kind}")
        if kind is Kind.FIRM and part is not None and part[1] != parts.get("ticks", {}).get("seen"):
            part = None
        if part is not None:
            with suppress(ValueError, LookupError, TypeError, AttributeError):
                self._hubs[kind] = self._kept[kind] = HubRows.from_state(kind, part[0])
                self._seen[kind] = part[1]
        return self._hubs.get(kind)

    def keep(self, maker: Maker) -> bool:
        """Put rows and ticks into the store as they are now, as far as those there are others; whether it did.
        Rows nobody asked for here stay there, with the number that they hold for."""
        ticks = self._ticks.now()
        hubs = {kind: self.rows(kind, maker) for kind in self._hubs}
        seen = ticks.seen
        if seen is None or not hubs or {*self._seen.values()} != {seen}:
            return False  # something was written between two of them: next time
        bodies: dict[str, Any] = {
            f"rows:{kind}": hub.state() for kind, hub in hubs.items() if self._kept.get(kind) is not hub
        }
        if ticks.version != self._kept_ticks:
            bodies["ticks"] = ticks.state()
        if not bodies and seen - self._noted < FAR:
            return False
        parts = {name: dict(told) for name, told in self._parts().items()}
        for name in ("ticks", *(f"rows:{kind}" for kind in hubs)):
            mark = uuid.uuid4().hex if name in bodies else parts[name]["mark"]
            parts[name] = {"mark": mark, "seen": seen}
        views: dict[str, Mapping[str, Any]] = {
            name: {"mark": parts[name]["mark"], "body": body} for name, body in bodies.items()
        }
        views["hubs"] = {"stamp": self._stamp, "parts": parts}
        self._store.put_views(views, min(told["seen"] for told in parts.values()))
        self._told, self._kept, self._kept_ticks, self._noted = parts, hubs, ticks.version, seen
        return True


def _made(maker: RowMaker, record: Record) -> Made:
    link = maker.link(record)
    gone = link is not None and link.state is LinkState.GONE and record.side is Side.CRM
    return Made(maker.row(record), named_in(record), link.ajera_key if gone and link is not None else None)


def _of_kind(waiting: Mapping[RecordId, object], kind: Kind) -> dict[RecordId, object]:
    return {name: value for name, value in waiting.items() if name[0] is kind}


def _rows_where(hub: HubRows, columns: Iterable[str], holds: Callable[[Any], bool]) -> set[tuple[Side, str]]:
    ids = hub.column("id")
    found = {ids[place] for name in columns for place, value in enumerate(hub.column(name)) if holds(value)}
    return {(Side.CRM if row_id[0] == "c" else Side.AJERA, row_id[2:]) for row_id in found}


def _concerns_rows(moved: tuple[str, str]) -> bool:
    table, doc_id = moved
    return table in _MAKING or table.startswith("records:") or (table == "settings" and _is_dirty(doc_id))


def _is_dirty(setting: str) -> bool:
    return setting in ("dirty", "dirty_all")
