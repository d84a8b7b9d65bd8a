"""Cursors, intents, failures, queue items, runs and history as stored documents."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from core.model.plan import action_from_json, action_json
from core.model.values import Kind, Side, from_json, to_json
from core.ports import Cursor, Failure, HistoryEntry, Intent, OpenItem, RunRecord
from core.store import bodies
from core.store.codec_link import base_in, base_out
from core.store.codec_record import values_in, values_out


def write_cursor(cursor: Cursor) -> bytes:
    return bodies.dump(asdict(cursor))


def read_cursor(_id: str, body: bytes) -> Cursor:
    return Cursor(**_with_kind_and_side(bodies.load(body)))


def write_failure(failure: Failure) -> bytes:
    return bodies.dump(asdict(failure))


def read_failure(_id: str, body: bytes) -> Failure:
    return Failure(**_with_kind_and_side(bodies.load(body)))


def write_intent(intent: Intent) -> bytes:
    return bodies.dump(
        {
            "id": intent.id,
            "run": intent.run,
            "action": action_json(intent.action),
            "at": intent.at,
            "namesakes": list(intent.namesakes),
            "draft_key": intent.draft_key,
        }
    )


def read_intent(_id: str, body: bytes) -> Intent:
    stored = bodies.load(body)
    action, namesakes = action_from_json(stored["action"]), tuple(stored["namesakes"])
    return Intent(stored["id"], stored["run"], action, stored["at"], namesakes, stored["draft_key"])


def write_item(item: OpenItem) -> bytes:
    return bodies.dump({"id": item.id, "queue": item.queue, "body": dict(item.body), "since": item.since})


def read_item(_id: str, body: bytes) -> OpenItem:
    return OpenItem(**bodies.load(body))


def write_run(run: RunRecord) -> bytes:
    return bodies.dump(
        {
            "id": run.id,
            "started": run.started,
            "finished": run.finished,
            "trigger": run.trigger,
            "outcome": run.outcome,
            "counts": dict(run.counts),
            "requests": dict(run.requests),
            "seconds": run.seconds,
            "digest": run.digest,
            "message": run.message,
            "mode": run.mode,
        }
    )


def read_run(_id: str, body: bytes) -> RunRecord:
    return RunRecord(**bodies.load(body))


def write_history(entry: HistoryEntry) -> bytes:
    return bodies.dump(
        {
            "id": entry.id,
            "run": entry.run,
            "at": entry.at,
            "op": entry.op,
            "kind": entry.kind,
            "side": entry.side,
            "ajera_key": entry.ajera_key,
            "crm_key": entry.crm_key,
            "label": entry.label,
            "fields": {name: [to_json(a), to_json(b), rule] for name, (a, b, rule) in entry.fields.items()},
            "lost": values_out(entry.lost),
            "bases": base_out(entry.bases),
            "outcome": entry.outcome,
            "message": entry.message,
        }
    )


def read_history(_id: str, body: bytes) -> HistoryEntry:
    stored = bodies.load(body)
    fields = {name: (from_json(a), from_json(b), rule) for name, (a, b, rule) in stored["fields"].items()}
    rest: dict[str, Any] = {"fields": fields, "lost": values_in(stored["lost"]), "bases": base_in(stored["bases"])}
    return HistoryEntry(**(_with_kind_and_side(stored) | rest))


def record_term(kind: Kind, side: Side, key: str) -> str:
    return f"record:{kind}:{side}:{key}"


def run_term(run_id: str) -> str:
    return f"run:{run_id}"


def history_terms(entry: HistoryEntry) -> list[str]:
    """What an entry is found by: its run, and the record on each side that has a key."""
    keys = ((Side.AJERA, entry.ajera_key), (Side.CRM, entry.crm_key))
    return [run_term(entry.run), *(record_term(entry.kind, side, key) for side, key in keys if key)]


def _with_kind_and_side(stored: dict[str, Any]) -> dict[str, Any]:
    side = stored["side"]
    return stored | {"kind": Kind(stored["kind"]), "side": None if side is None else Side(side)}


def write_setting(value: Any) -> bytes:
    return bodies.dump({"value": value})


def read_setting(_id: str, body: bytes) -> Any:
    return bodies.load(body)["value"]


def read_plan(_id: str, body: bytes) -> dict[str, Any]:
    return bodies.load(body)
