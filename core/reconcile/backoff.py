"""What failed before and waits: not tried again until it is due, or its content changes (sync-rules 7)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Set
from dataclasses import replace
from datetime import datetime, timedelta

from core.model.plan import Action, Op, Plan, Refusal, make_plan
from core.model.values import EntryEdit, Ref, Side, TeamEdit, Value, to_json
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
            continue
        rest, refused = _without_refused_fields(action, failures, now)
        held += refused
        if rest is not None:
            due.append(rest)
    if not held:
        return plan
    while True:  # what waits for a record that waits, waits too
        due, waiting = _without_waiting(due, plan)
        held += waiting
        if not waiting:
            break
    made = make_plan(plan.mode, plan.made_at, due)
    return replace(plan, actions=made.actions, refused=(*plan.refused, *held))


def moot(plan: Plan, failures: Mapping[str, Failure], unsettled: Set[str]) -> list[str]:
    """The failures whose write is in no plan any more. `plan` is one before anything was held back.

    What follows a create is in no plan, and stays; so does what an intent without outcome names.
    """
    due = {action.id for action in plan.actions}
    due |= {f"{action.id}.{name}" for action in plan.actions for name in action.fields}
    kept = due | unsettled
    return [name for name, failure in failures.items() if name not in kept and failure.group != "after_create"]


def _without_refused_fields(
    action: Action, failures: Mapping[str, Failure], now: str
) -> tuple[Action | None, list[Refusal]]:
    """An update without the fields that were refused by name and wait alone; None where none is left."""
    if action.op is not Op.UPDATE:
        return action, []
    held: list[Refusal] = []
    fields = dict(action.fields)
    for name, change in action.fields.items():
        failure = failures.get(f"{action.id}.{name}")
        only = replace(action, fields={name: change})
        if failure is not None and waits(failure, only, now):
            held.append(replace(_held(only, failure), field=name))
            del fields[name]
    if not held:
        return action, []
    return (replace(action, fields=fields) if fields else None), held


def _without_waiting(due: list[Action], plan: Plan) -> tuple[list[Action], list[Refusal]]:
    """The actions without what names a record whose creation is held back: it waits with it."""
    kept_ids = {action.id for action in due}
    missing = {
        Ref(action.kind, action.side.other, action.key(action.side.other) or ""): action.label
        for action in plan.actions
        if action.op is Op.CREATE and action.side is not None and action.id not in kept_ids
    }
    left: list[Action] = []
    waiting: list[Refusal] = []
    for action in due:
        if _cannot_be_alone(action, missing):
            waiting.append(_waiting(action, action.label))
            continue
        fields = {
            name: replace(change, to=_without(change.to, missing))
            for name, change in action.fields.items()
            if not _waits_for(change.to, missing)
        }
        if fields.keys() == action.fields.keys():
            left.append(replace(action, fields=fields) if fields != action.fields else action)
            continue
        waiting.append(_waiting(action, ", ".join(sorted(action.fields.keys() - fields.keys()))))
        if fields:
            left.append(replace(action, fields=fields))
    return left, waiting


def _cannot_be_alone(action: Action, missing: Mapping[Ref, str]) -> bool:
    """Whether all of an action waits: its own record is not there, or it would make a project without a client."""
    if action.side is None:
        return False
    if action.op is Op.CREATE:
        client = action.fields.get("client")
        return client is not None and _waits_for(client.to, missing)
    own = Ref(action.kind, action.side.other, action.key(action.side.other) or "")
    return action.key(action.side) is None and own in missing


def _waiting(action: Action, what: str) -> Refusal:
    side = action.side or Side.AJERA
    reason = f"{what}: waits for a record whose creation failed"
    return Refusal(action.kind, side, action.key(side) or action.key(side.other) or "", action.label, reason)


def _waits_for(value: Value, missing: Mapping[Ref, str]) -> bool:
    """Whether nothing of `value` can be written before a missing record is there."""
    match value:
        case Ref():
            return value in missing
        case TeamEdit():
            return value.employee in missing
        case EntryEdit():
            return not value.remove and all(ref in missing for ref in value.add)
        case _:
            return False


def _without(value: Value, missing: Mapping[Ref, str]) -> Value:
    """A list's change without the entries that name missing records."""
    if isinstance(value, EntryEdit):
        return replace(value, add=tuple(ref for ref in value.add if ref not in missing))
    return value


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
