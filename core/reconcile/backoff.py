"""What failed before and waits: not tried again until it is due, or its content changes (sync-rules 7)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from core.model.plan import Action, Op, Plan, Refusal, make_plan
from core.model.values import Side, to_json
from core.ports import Failure

MOST_TRIES = 8
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=5), timedelta(hours=12)


def content_of(action: Action) -> str:
    """What would be written, as one short text: a changed value is a new attempt."""
    body = {name: to_json(change.to) for name, change in sorted(action.fields.items())}
    text = json.dumps([body, action.template], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def next_try(tries: int, now: datetime) -> datetime | None:
    """When to try again after the `tries`-th failure; None: not before a change or a *retry*."""
    if tries >= MOST_TRIES:
        return None
    wait: timedelta = FIRST_WAIT * (2 ** (tries - 1))
    return now + min(wait, LONGEST_WAIT)


def waits(failure: Failure, action: Action, now: str) -> bool:
    if failure.content != content_of(action):
        return False
    return failure.next_try is None or failure.next_try > now


def hold_back(plan: Plan, failures: Mapping[str, Failure], now: str) -> Plan:
    """The plan without the actions that wait; each is listed among the refused with its last error."""
    if not failures:
        return plan
    due: list[Action] = []
    held: list[Refusal] = []
    for action in plan.actions:
        failure = failures.get(action.id)
        if failure is not None and action.op in (Op.CREATE, Op.UPDATE) and waits(failure, action, now):
            held.append(_held(action, failure))
        else:
            due.append(action)
    if not held:
        return plan
    made = make_plan(plan.mode, plan.made_at, due)
    return replace(plan, actions=made.actions, refused=(*plan.refused, *held))


def _held(action: Action, failure: Failure) -> Refusal:
    when = f"tried {failure.tries} times" + (f", next try {failure.next_try}" if failure.next_try else "")
    after = "" if failure.next_try else ": waits for a change or for retry"
    side = action.side or Side.AJERA
    # Keyed by the record that exists: the source of a create, the target of an update.
    at = side.other if action.op is Op.CREATE else side
    return Refusal(
        action.kind,
        at,
        action.key(at) or action.key(at.other) or "",
        action.label,
        f"{failure.message} ({when}{after})",
    )
