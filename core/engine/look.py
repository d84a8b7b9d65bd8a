"""From the store to a `Situation`, and from a `Plan` back to the store's queues."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import chain
from typing import Any

from core.engine.clock import iso
from core.engine.lookups import BasesByKey, LinksByKey, RecordsByKey
from core.engine.pull import dirty_records, gone_records
from core.model.plan import Action, Direction, Mode, Plan, candidate_json, item_json, plan_json, refusal_json
from core.model.queues import QUEUES
from core.model.record import Record
from core.model.values import Kind, Side
from core.policy import Policy
from core.ports import Connection, OpenItem, Store, Transaction
from core.reconcile.situation import RecordId, Situation


def alike(name: str, names: Sequence[str], floor: float) -> Iterable[tuple[str, float]]:
    """Names like `name`: the better of edit distance and Jaro-Winkler, the latter with a higher floor."""
    from rapidfuzz import process  # late: 47 modules, and most starts compare no name
    from rapidfuzz.distance import JaroWinkler, Levenshtein

    by_edits = process.extract_iter(name, names, scorer=Levenshtein.normalized_similarity, score_cutoff=floor)
    found = {text: score for text, score, _ in by_edits}
    for text, score, _ in process.extract_iter(name, names, scorer=JaroWinkler.similarity, score_cutoff=floor + 0.05):
        found[text] = max(found.get(text, 0.0), score - 0.05)
    return sorted(found.items())


def situation(
    store: Store,
    policy: Policy,
    mode: Mode,
    connections: Mapping[Side, Connection],
    now: datetime,
    *,
    scheduled: bool = False,
    everything: bool = False,
) -> Situation:
    """What the kernel looks at, read from the file as it is asked for (core/engine/lookups.py): safe to plan over in a
    thread, by a run alone."""
    intents = store.intents()
    previous = _previous_mode(store)
    moved = previous is None or previous.direction is not mode.direction or _policy_moved(store, policy)
    touched = None if everything or moved else _touched(store)
    return Situation(
        mode=mode,
        policy=policy,
        now=iso(now),
        ajera=connections[Side.AJERA],
        crm=connections[Side.CRM],
        records={(kind, side): RecordsByKey(store, kind, side) for kind in Kind for side in Side},
        links=store.links() if touched is None else LinksByKey(store),
        bases=BasesByKey(store),
        marks=store.marks(),
        decisions=store.decisions(),
        gone=gone_records(store),
        whole=frozenset((kind, side) for kind in Kind for side in Side if store.cursor(kind, side).whole),
        unsettled=frozenset(chain.from_iterable(_named(intent.action) for intent in intents)),
        touched=touched,
        scheduled=scheduled,
        first=_first_kinds(store, scheduled),
        previous_mode=previous,
        since={item.id: item.since for item in store.items()},
        alike=alike,
        newest=_newest(connections),
        names=store.names if touched is not None else None,
    )


def _named(action: Action) -> list[RecordId]:
    return [(action.kind, side, key) for side in Side if (key := action.key(side))]


def _touched(store: Store) -> frozenset[RecordId] | None:
    """What moved, and whatever waits for a person or a next try: those are looked at again."""
    dirty = dirty_records(store)
    if dirty is None:
        return None
    waiting: set[RecordId] = set()
    for item in store.items():
        kind = Kind(item.body["kind"])
        for side in Side:
            key = item.body.get(f"{side}_key") or (item.body.get("key") if item.body.get("side") == side else None)
            if key:
                waiting.add((kind, side, str(key)))
    for failure in store.failures().values():
        waiting.add((failure.kind, failure.side, failure.key))
    for decision in store.decisions().values():
        waiting.add((decision.kind, decision.side, decision.key))
    return dirty | waiting | gone_records(store)


KERNEL = 2  # moves when the kernel decides something in another way: everything is then looked at once more


def policy_print(policy: Policy) -> str:
    return hashlib.sha256(repr((KERNEL, policy)).encode()).hexdigest()[:16]


def _policy_moved(store: Store, policy: Policy) -> bool:
    """Other settings than the last run had: everything is looked at once more."""
    return bool(store.setting("policy", "") != policy_print(policy))


def _first_kinds(store: Store, scheduled: bool) -> frozenset[Kind]:
    """Kinds without a link yet: their first run, started by hand, may create and link many."""
    if scheduled:
        return frozenset()
    return frozenset(Kind) - store.linked_kinds()


def _previous_mode(store: Store) -> Mode | None:
    kept = store.setting("mode")
    return Mode(Direction(kept["direction"]), kept["ajera_version"], kept["reason"]) if kept else None


def _newest(connections: Mapping[Side, Connection]) -> Callable[[Record, Record], Side | None]:
    """Which record changed last: only told where both clocks' offsets were measured."""
    ours, theirs = connections[Side.AJERA].clock_offset, connections[Side.CRM].clock_offset

    def newest(ajera: Record, crm: Record) -> Side | None:
        if ours is None or theirs is None:
            return None
        a, c = moment_of(ajera), moment_of(crm)
        if a is None or c is None:
            return None
        gap = (a.timestamp() - ours) - (c.timestamp() - theirs)
        return None if abs(gap) < 1 else (Side.AJERA if gap > 0 else Side.CRM)

    return newest


def moment_of(record: Record) -> datetime | None:
    """The record's stamp as a moment, where the adapter gave one (`extra["changed_at"]`, ISO)."""
    text = record.extra.get("changed_at", "")
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None


# -- a plan into the queues --------------------------------------------------------------------------


def queues_of(plan: Plan, made_at: str) -> dict[str, list[OpenItem]]:
    """The open items of a plan by queue."""
    found: dict[str, list[OpenItem]] = {queue: [] for queue in QUEUES.values()}
    for queue, items in (("conflict", plan.conflicts), ("difference", plan.differences), ("drift", plan.drift)):
        found[queue] = [OpenItem(item.id, queue, item_json(item), item.since or made_at) for item in items]
    found["candidate"] = [OpenItem(c.id, "candidate", candidate_json(c), c.since or made_at) for c in plan.candidates]
    found["refused"] = [OpenItem(r.id, "refused", refusal_json(r), made_at) for r in plan.refused]
    return found


def keep_plan(tx: Transaction, plan: Plan, since: Mapping[str, str], held: Mapping[str, Any] | None = None) -> None:
    """Store the plan and replace the queues by what waits now.

    `held` is the last plan, where it has the same digest: one that says the same at another time is not
    stored again, so that a run without news writes nothing but its own record.
    """
    body = plan_json(plan)
    if held is None or _said(held) != _said(body):
        tx.put_plan(plan.digest, body)
    tx.put_setting("last_plan", plan.digest)
    for queue, items in queues_of(plan, plan.made_at).items():
        tx.replace_items(queue, [replace(item, since=since.get(item.id, item.since)) for item in items])


def _said(body: Mapping[str, Any]) -> dict[str, Any]:
    """A plan's JSON without when it was made and what making it cost."""
    return {name: value for name, value in body.items() if name not in ("made_at", "requests", "cursors")}
