"""One transaction of the store: writes gathered in memory, checked, and landed together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any

from core.errors import ActionRefused
from core.model.link import Base, Decision, Link, Mark
from core.model.record import Record
from core.model.values import Kind, Side
from core.ports import Cursor, Failure, HistoryEntry, Intent, OpenItem, RunRecord
from core.store import bodies, codec_link, codec_run
from core.store.codec_record import write_record
from core.store.memory import Memory, bases_table, records_table
from core.store.storage import Change, SqliteStorage
from core.text import safe_line


class TinyTransaction:
    """Implements core.ports.Transaction. The last write of a document counts; nothing reaches the
    file before `flush`, nothing other readers before the commit."""

    def __init__(self, storage: SqliteStorage, memory: Memory) -> None:
        self._storage = storage
        self._memory = memory
        self._pending: dict[str, dict[str, bytes | None]] = {}
        self._terms: list[tuple[str, str]] = []
        self._prints: dict[str, dict[str, str]] = {}
        self._by_ajera: dict[tuple[Kind, str], Link | None] = {}
        self._by_crm: dict[tuple[Kind, str], Link | None] = {}

    def put_records(self, records: Iterable[Record]) -> None:
        for record in records:
            self._put(records_table(record.kind, record.side), record.key, write_record(record))

    def put_prints(self, kind: Kind, side: Side, prints: Mapping[str, str]) -> None:
        """By key, the print of the row that each record was made from, as this transaction leaves it."""
        self._prints.setdefault(records_table(kind, side), {}).update(prints)

    def drop_record(self, kind: Kind, side: Side, key: str) -> None:
        self._put(records_table(kind, side), key, None)

    def put_link(self, link: Link) -> None:
        """Raises ActionRefused if either key already has another link, dormant and gone ones too."""
        for side in Side:
            other = self._link_of(link.kind, side, link.key(side))
            if other is not None and (other.ajera_key, other.crm_key) != (link.ajera_key, link.crm_key):
                raise ActionRefused(_taken(link, other, side))
        self._note_link(link, link)
        self._put("links", link.id, codec_link.write_link(link))

    def drop_link(self, link: Link) -> None:
        """Takes the link and its base away; a pair that is not linked is left as it is."""
        held = self._link_of(link.kind, Side.AJERA, link.ajera_key)
        if held is None or held.crm_key != link.crm_key:
            return
        self._note_link(link, None)
        self._put("links", link.id, None)
        self._put(bases_table(link.kind), link.id, None)

    def put_base(self, link: Link, base: Base) -> None:
        stored = self._stored_base(link)
        stored.update(codec_link.base_out(base))
        self._put(bases_table(link.kind), link.id, bodies.dump(stored))

    def drop_base(self, link: Link, fields: Iterable[str] | None = None) -> None:
        table = bases_table(link.kind)
        if fields is None:
            self._put(table, link.id, None)
            return
        stored = self._stored_base(link)
        for name in fields:
            stored.pop(name, None)
        self._put(table, link.id, bodies.dump(stored) if stored else None)

    def put_mark(self, mark: Mark) -> None:
        self._put("marks", mark.id, codec_link.write_mark(mark))

    def drop_mark(self, mark_id: str) -> None:
        self._put("marks", mark_id, None)

    def put_decision(self, decision: Decision) -> None:
        self._put("decisions", decision.id, codec_link.write_decision(decision))

    def drop_decision(self, decision_id: str) -> None:
        self._put("decisions", decision_id, None)

    def replace_items(self, queue: str, items: Iterable[OpenItem]) -> None:
        """The queue then holds exactly these; those that stay the same cost nothing."""
        prefix = f"{queue}:"
        fresh = {prefix + item.id: codec_run.write_item(item) for item in items}
        held = {*self._memory.table("items"), *self._pending.get("items", ())}
        for doc_id in held:
            if doc_id.startswith(prefix) and doc_id not in fresh:
                self._put("items", doc_id, None)
        for doc_id, body in fresh.items():
            self._put("items", doc_id, body)

    def put_cursor(self, cursor: Cursor) -> None:
        self._put("cursors", cursor.id, codec_run.write_cursor(cursor))

    def put_intent(self, intent: Intent) -> None:
        self._put("intents", intent.id, codec_run.write_intent(intent))

    def drop_intent(self, intent_id: str) -> None:
        self._put("intents", intent_id, None)

    def put_failure(self, failure: Failure) -> None:
        self._put("failures", failure.id, codec_run.write_failure(failure))

    def drop_failure(self, failure_id: str) -> None:
        self._put("failures", failure_id, None)

    def put_run(self, run: RunRecord) -> None:
        self._put("runs", run.id, codec_run.write_run(run))

    def add_history(self, entries: Iterable[HistoryEntry]) -> None:
        for entry in entries:
            self._put("history", entry.id, codec_run.write_history(entry))
            self._terms.extend((term, entry.id) for term in codec_run.history_terms(entry))

    def setting(self, name: str, default: Any = None) -> Any:
        """As this transaction leaves it, for what is added to step by step within one."""
        pending = self._pending.get("settings", {}).get(name)
        if pending is not None:
            return codec_run.read_setting(name, pending)
        return deepcopy(self._memory.table("settings").get(name, default))

    def put_setting(self, name: str, value: Any) -> None:
        """Any JSON value; None is one too."""
        self._put("settings", name, codec_run.write_setting(value))

    def put_plan(self, digest: str, body: Mapping[str, Any]) -> None:
        self._put("plans", digest, bodies.dump(dict(body)))

    def drop_run(self, run_id: str) -> None:
        """Forget a run with all its history (pruning)."""
        found = self._storage.by_term("history", codec_run.run_term(run_id))
        entries = (codec_run.read_history(doc_id, body) for doc_id, body in found)
        self._storage.erase("history", ((entry.id, codec_run.history_terms(entry)) for entry in entries))
        self._put("runs", run_id, None)

    def drop_plan(self, digest: str) -> None:
        self._put("plans", digest, None)

    def flush(self) -> list[Change]:
        """Hand everything to the file's transaction; what will have changed once it is committed."""
        changes = [Change(name, *row) for name, rows in self._pending.items() for row in rows.items()]
        if changes:
            self._storage.put(changes)
        if self._terms:
            self._storage.put_terms("history", self._terms)
        for table, prints in self._prints.items():
            self._storage.put_prints(table, prints.items())
        return changes

    def _put(self, table: str, doc_id: str, body: bytes | None) -> None:
        self._pending.setdefault(table, {})[doc_id] = body

    def _stored_base(self, link: Link) -> dict[str, Any]:
        table = bases_table(link.kind)
        pending = self._pending.get(table, {})
        body = pending[link.id] if link.id in pending else self._storage.row(table, link.id)
        return bodies.load(body) if body else {}

    def _link_of(self, kind: Kind, side: Side, key: str) -> Link | None:
        noted = self._by_ajera if side is Side.AJERA else self._by_crm
        if (kind, key) in noted:
            return noted[kind, key]
        return self._memory.links().of(kind, side, key)

    def _note_link(self, link: Link, now: Link | None) -> None:
        self._by_ajera[link.kind, link.ajera_key] = self._by_crm[link.kind, link.crm_key] = now


def _taken(link: Link, other: Link, side: Side) -> str:
    key, partner = safe_line(link.key(side), 80), safe_line(other.key(side.other), 80)
    state = "" if other.state == "active" else f" ({other.state})"
    return (
        f"{side} {link.kind} {key} is linked to {side.other} {link.kind} {partner}{state} already."
        f" Remove that link first: ajerasync links rm {link.kind} {key}"
    )
