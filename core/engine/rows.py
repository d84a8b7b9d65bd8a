"""The hubs' rows: one line a linked pair or a record on one side, each with its state and the reason."""

from __future__ import annotations

from collections import ChainMap, defaultdict
from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import dataclass, field, replace

from core.engine.filed import ScannedLinks
from core.engine.lookups import LinksByKey
from core.engine.pull import RecordId, dirty_records
from core.engine.views import Row
from core.engine.wording import ref_text, status_text
from core.model.link import Link, Links, LinkState, Mark
from core.model.record import Record
from core.model.values import Address, Kind, Ref, Side
from core.ports import Failure, OpenItem, Store
from core.reconcile.ticks import ticked

QUEUE_STATES = {"conflict": "conflict", "candidate": "candidate", "difference": "difference", "refused": "refused"}
_NAMING = ("client", "manager", "principal", "firm")
_ORDER = ("conflict", "difference", "candidate", "refused")


@dataclass
class RowMaker:
    """Makes rows over one moment of the store; make a new one when the store has changed.

    Records and links are read one by one, so that a row costs no more than its own. `links`: all of them, where all
    rows are made. `names` then keeps what other records are called.
    """

    store: Store
    brought: Mapping[tuple[Kind, str], str] = field(default_factory=dict)
    links: Links | None = None
    names: dict[Ref, str] | None = None

    def __post_init__(self) -> None:
        self._links = self.links if self.links is not None else LinksByKey(self.store)
        self.marks: Mapping[str, Mark] = self.store.marks()
        self.dirty = dirty_records(self.store) or frozenset()
        self._items: dict[RecordId, list[OpenItem]] = defaultdict(list)
        for item in self.store.items():
            for named in records_of(item):
                self._items[named].append(item)
        self._failures: dict[RecordId, Failure] = {
            (failure.kind, failure.side, failure.key): failure for failure in self.store.failures().values()
        }

    def all(self, kind: Kind) -> Iterable[Row]:
        """The rows of a kind, in no order; every record is read once and let go."""
        return (self.row(record) for record in self.records(kind))

    def records(self, kind: Kind) -> Iterable[Record]:
        """The records of a kind that have a row."""
        for side in (Side.CRM, Side.AJERA):
            for record in self.store.scan(kind, side):
                if self.has_own_row(record):
                    yield record

    def over_all(self, kind: Kind) -> RowMaker:
        """The same for going over a whole kind: its links are read at once, names are kept."""
        return RowMaker(self.store, self.brought, ScannedLinks(self.store, kind), {})

    def link(self, record: Record) -> Link | None:
        return self._links.of(record.kind, record.side, record.key)

    def has_own_row(self, record: Record) -> bool:
        """A CRM record has one; an Ajera record while it is there only."""
        if record.side is Side.CRM:
            return True
        link = self.link(record)
        return link is None or (link.state is LinkState.GONE and link.gone_side is Side.CRM)

    def waiting(self) -> Mapping[RecordId, object]:
        """What beside the record itself decides its row's state: to be compared with that of another moment."""
        found: dict[RecordId, object] = dict.fromkeys(self.dirty, "dirty")
        for name, items in self._items.items():
            found[name] = (found.get(name), [(item.queue, item.body) for item in items])
        for name, failure in self._failures.items():
            found[name] = (found.get(name), failure)
        return found

    def row(self, record: Record) -> Row:
        link = self.link(record)
        ids = [record.id]
        if link is not None and link.state is not LinkState.GONE:
            ids = [(record.kind, side, link.key(side)) for side in Side]
        marked = self.marked(record)
        failure = next((found for name in ids if (found := self._failures.get(name))), None)
        state, reason = self._state(record, link, ids, marked, failure)
        alive = link if link is not None and link.state is not LinkState.GONE else None
        firm = record.fields.get("firm")
        return Row(
            kind=record.kind,
            label=record.label,
            ajera_key=record.key if record.side is Side.AJERA else (alive.ajera_key if alive else None),
            crm_key=record.key if record.side is Side.CRM else (alive.crm_key if alive else None),
            marked=marked,
            linked=alive is not None,
            state=state,
            reason=reason,
            last_error=failure.message if failure else None,
            firm_key=firm.key if isinstance(firm, Ref) else None,
            number=record.number,
            extra=self._extra(record),
        )

    def as_if_ticked(self, record: Record, on: bool) -> Row:
        """The record's row as it will be when this tick is stored, so that it can be shown before."""
        mark = Mark(record.kind, record.side, record.key, on)
        if old := self.marks.get(mark.id):
            mark = replace(old, on=on)
        other = copy(self)
        other.marks, other.dirty = ChainMap({mark.id: mark}, self.marks), frozenset({record.id})  # type: ignore[arg-type] # only read
        return other.row(record)

    def marked(self, record: Record) -> bool:
        mark = self.marks.get(f"{record.kind}:{record.side}:{record.key}:")
        if record.side is Side.AJERA:
            return mark.on if mark is not None else record.create_in_crm
        return ticked(record, mark)

    def _state(
        self, record: Record, link: Link | None, ids: list[RecordId], marked: bool, failure: Failure | None
    ) -> tuple[str, str]:
        if link is not None and link.state is LinkState.GONE:
            return "gone", link.reason
        if failure is not None:
            return "error", failure.message
        items = [item for name in ids for item in self._items.get(name, ())]
        for queue in _ORDER:
            for item in items:
                if item.queue == queue:
                    return QUEUE_STATES[queue], str(item.body.get("reason") or "; ".join(item.body.get("reasons", ())))
        if link is not None:
            return self._linked_state(record, link, ids, marked)
        if record.why_not is not None:
            return "not_tickable", record.why_not
        if marked or (record.kind, record.key) in self.brought:
            return "pending", self._pending_reason(record, marked)
        return "unmarked", "only in Ajera" if record.side is Side.AJERA else "not ticked"

    def _pending_reason(self, record: Record, marked: bool) -> str:
        if not marked:
            return f"with project {self.brought[record.kind, record.key]}"
        return (
            "ticked; goes to the CRM with the next run"
            if record.side is Side.AJERA
            else "ticked; goes to Ajera with the next run"
        )

    def _linked_state(self, record: Record, link: Link, ids: list[RecordId], marked: bool) -> tuple[str, str]:
        if link.state is LinkState.DORMANT:
            return "dormant", link.reason
        brought = self.brought.get((record.kind, link.crm_key))
        if record.kind is not Kind.EMPLOYEE and not marked and brought is None and not self._kept_by_ajera(link):
            return "dormant", "unticked: nothing is written"
        if any(name in self.dirty for name in ids) or f"{record.kind}:crm:{link.crm_key}:" in self.marks:
            return "changed", "moved since the last run"
        return "in_step", f"with project {brought}" if brought and not marked else link.reason

    def _kept_by_ajera(self, link: Link) -> bool:
        if link.kind is not Kind.PROJECT:
            return False
        record = self.store.record(link.kind, Side.AJERA, link.ajera_key)
        return record is not None and bool(record.marked)

    def _name(self, ref: Ref) -> str:
        if self.names is None:
            return ref_text(self.store, ref)
        found = self.names.get(ref)
        if found is None:
            found = self.names[ref] = ref_text(self.store, ref)
        return found

    def _extra(self, record: Record) -> Mapping[str, str]:
        fields = record.fields
        extra = {"status": status_text(record), "side": record.side.value}
        for name in ("type", "title", "email", "phone", "website"):
            value = fields.get(name)
            if isinstance(value, str) and value:
                extra[name] = value
        for name in _NAMING:
            value = fields.get(name)
            if isinstance(value, Ref):
                extra[name] = self._name(value)
        address = fields.get("address")
        if isinstance(address, Address) and address.city:
            extra["city"] = address.city
        mark = self.marks.get(f"{record.kind}:{record.side}:{record.key}:")
        template = (mark.template if mark else None) or record.template
        if template:
            extra["template"] = template
        if owner := record.extra.get("owner"):
            extra["owner"] = owner
        return extra


def named_in(record: Record) -> str:
    """Keys of the records whose names stand in this one's row or on whose tabs it stands, a line each."""
    refs = [value.key for name in _NAMING if isinstance(value := record.fields.get(name), Ref)]
    refs += [member.employee for member in record.team or ()]
    return "\n".join(dict.fromkeys(refs))


def records_of(item: OpenItem) -> Iterable[RecordId]:
    """The records an open item is about. A candidate is about the record that waits."""
    body = item.body
    kind = Kind(body["kind"])
    if item.queue in ("conflict", "difference", "drift"):
        yield kind, Side.AJERA, str(body["ajera_key"])
        yield kind, Side.CRM, str(body["crm_key"])
        return
    side = Side(body["side"])
    key = body.get("key") if item.queue == "refused" else body.get(f"{side}_key")
    if key:
        yield kind, side, str(key)
