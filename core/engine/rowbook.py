"""The hubs' rows kept from one moment of the store to the next: only the rows that something moved are made again.

The store says what was written since a number (`moved`). The rows themselves are kept in the store for the next program,
with that number, so that a list of 50,000 is on the screen without one record being read.
"""

from __future__ import annotations

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
        self._kept_at = (0, -1)  # their number, and the ticks' own
        self._waiting: dict[Kind, Mapping[RecordId, object]] = {}
        self._opened = False

    def rows(self, kind: Kind, maker: Maker, *, old_will_do: bool = False) -> HubRows:
        """`old_will_do`: where all rows would have to be made anew, those there are are good enough."""
        self._open()
        hub = self._hubs.get(kind)
        number, moved = (0, None) if hub is None else self._store.moved(self._seen[kind])
        if hub is not None and moved is None and old_will_do:
            return hub
        if hub is None or moved is None or len(moved) > MOST_MOVED:
            number, _ = self._store.moved(1 << 62)
            hub = self._made_anew(kind, maker().over_all(kind))
        elif moved or kind not in self._waiting:
            hub = self._renewed(kind, hub, moved, maker())
        self._hubs[kind], self._seen[kind] = hub, number
        return hub

    def old(self, kind: Kind) -> HubRows | None:
        """The rows as they were asked for last."""
        return self._hubs.get(kind)

    @property
    def at_hand(self) -> bool:
        """Whether there are rows without going over all records: made before, here or by another program."""
        self._open()
        return bool(self._hubs)

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

    def _open(self) -> None:
        """What the program before kept, once: rows and ticks together, since they are of one moment."""
        if self._opened:
            return
        self._opened = True
        head = self._store.view("hubs")
        if not isinstance(head, dict) or head.get("stamp") != self._stamp:
            return
        with suppress(ValueError, LookupError, TypeError, AttributeError):
            hubs = {
                Kind(kind): HubRows.from_state(Kind(kind), self._store.view(f"rows:{kind}")) for kind in head["kinds"]
            }
            self._ticks.take(self._store.view("ticks"), head["seen"])
            self._hubs, self._kept = hubs, dict(hubs)
            self._seen = {kind: int(head["seen"]) for kind in hubs}
            self._kept_at = int(head["seen"]), self._ticks.version

    def keep(self, maker: Maker) -> bool:
        """Put rows and ticks into the store as they are now, as far as those there are others; whether it did."""
        ticks = self._ticks.now()
        hubs = {kind: self.rows(kind, maker) for kind in self._hubs}
        numbers = {ticks.seen, *self._seen.values()}
        if len(numbers) != 1 or not hubs:  # something was written between two of them: next time
            return False
        seen = next(iter(self._seen.values()))
        views: dict[str, Mapping[str, Any]] = {
            f"rows:{kind}": hub.state() for kind, hub in hubs.items() if self._kept.get(kind) is not hub
        }
        if ticks.version != self._kept_at[1]:
            views["ticks"] = ticks.state()
        if not views and seen - self._kept_at[0] < FAR:
            return False
        views["hubs"] = {"stamp": self._stamp, "seen": seen, "kinds": [kind.value for kind in hubs]}
        self._store.put_views(views, seen)
        self._kept, self._kept_at = hubs, (seen, ticks.version)
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


def _is_dirty(setting: str) -> bool:
    return setting in ("dirty", "dirty_all")
