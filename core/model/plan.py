"""The plan as a value: what a run would do, what waits for a person, and why.

A plan can be shown, saved as JSON, compared and applied later. Its digest is that of the actions
alone (sync-rules 6), so that a new conflict elsewhere does not undo an approval.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import Any, Final

from core.model.link import Pair
from core.model.values import KIND_ORDER, JsonValue, Kind, Side, Value, display, from_json, to_json


class Op(StrEnum):
    """What an action does. `rebase` only moves the base: the sides agree already."""

    LINK = "link"
    UNLINK = "unlink"
    REBASE = "rebase"
    CREATE = "create"
    UPDATE = "update"


_OP_ORDER = {op: place for place, op in enumerate((Op.UNLINK, Op.LINK, Op.REBASE, Op.CREATE, Op.UPDATE))}


class Direction(StrEnum):
    TWO_WAY = "two-way"
    TO_AJERA = "to-ajera"


@dataclass(frozen=True, slots=True)
class Mode:
    """Which way data may flow in this run, and why (sync-rules 1)."""

    direction: Direction
    ajera_version: str | None
    reason: str

    @property
    def one_way(self) -> bool:
        return self.direction is Direction.TO_AJERA


@dataclass(frozen=True, slots=True)
class Change:
    """One field of one action: the target's value now, the value to be, and the rule that decided."""

    frm: Value
    to: Value
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Action:
    """One step of a plan. An `update` or `create` writes to `side`; the other ops write only here.

    `group` is the write group (identity, address, money, dates, team, marks, contacts): a record's
    writes are split by it. `pairs` are base pairs to store (link, rebase,
    and the pairs an undo goes back to). `source` holds, per
    written field, the value of the other side that the target will then agree with.
    """

    op: Op
    kind: Kind
    side: Side | None
    ajera_key: str | None
    crm_key: str | None
    label: str
    fields: Mapping[str, Change] = field(default_factory=dict)
    pairs: Mapping[str, Pair] = field(default_factory=dict)
    source: Mapping[str, Value] = field(default_factory=dict)
    group: str = "identity"
    reason: str = ""
    template: str | None = None
    number: str = ""

    @property
    def id(self) -> str:
        """Stable while the same step is due: from what is done to whom, not from the values."""
        # A tick is the same write before and after its record is linked.
        ajera_key = "" if self.group.startswith("marks") else self.ajera_key or ""
        parts = (self.op, self.kind, self.side or "", ajera_key, self.crm_key or "", self.group)
        return short_id(*parts)

    def key(self, side: Side) -> str | None:
        return self.ajera_key if side is Side.AJERA else self.crm_key

    def with_key(self, side: Side, key: str) -> Action:
        """This action, its record on `side` now known."""
        return replace(self, ajera_key=key) if side is Side.AJERA else replace(self, crm_key=key)

    @property
    def order(self) -> tuple[int, int, int, str, str, str]:
        """Unlinks, links and rebases first; then kinds in order, creates before updates; lists of
        contacts, team and money after the records they name (sync-rules 6)."""
        late = {"contacts": 1, "team": 2, "budget": 3, "money": 3}.get(self.group, 0)
        settles = self.op in (Op.UNLINK, Op.LINK, Op.REBASE)
        return (
            -1 if settles else late,
            KIND_ORDER[self.kind],
            _OP_ORDER[self.op],
            self.label,
            self.side or "",
            self.id,
        )


@dataclass(frozen=True, slots=True)
class Item:
    """A field that waits for a person: a conflict, a first-link difference, or drift.

    Values are as each system holds them. `base` is None where the sides never agreed.
    """

    kind: Kind
    field: str
    label: str
    ajera_key: str
    crm_key: str
    ajera: Value
    crm: Value
    base: Pair | None = None
    owner: str = "shared"
    reason: str = ""
    since: str = ""

    @property
    def id(self) -> str:
        return short_id("item", self.kind, self.ajera_key, self.crm_key, self.field)


@dataclass(frozen=True, slots=True)
class Candidate:
    """Two records that may be the same; nothing happens until a person says so.

    `side`/`key` is the record that waits, `ajera_key`/`crm_key` the pair. `score` is 0..1.
    """

    kind: Kind
    side: Side
    label: str
    ajera_key: str | None
    crm_key: str | None
    score: float
    reasons: tuple[str, ...]
    since: str = ""

    @property
    def key(self) -> str:
        own = self.ajera_key if self.side is Side.AJERA else self.crm_key
        return own or ""

    @property
    def id(self) -> str:
        return short_id("candidate", self.kind, self.ajera_key or "", self.crm_key or "")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something that will not be done, and the way out. `field` is None for the whole record. `since` is told of those
    that wait in the queue."""

    kind: Kind
    side: Side
    key: str
    label: str
    reason: str
    field: str | None = None
    since: str = ""

    @property
    def id(self) -> str:
        return short_id("refusal", self.kind, self.side, self.key, self.field or "", self.reason)


@dataclass(frozen=True, slots=True)
class Guard:
    """Why a plan is refused before its first write, and which records did it."""

    name: str
    message: str
    records: tuple[str, ...] = ()


@dataclass(frozen=True)  # without slots: the digest is worked out once
class Plan:
    """What a run would do. Build it with `make_plan`, which sorts the actions."""

    mode: Mode
    made_at: str
    actions: tuple[Action, ...] = ()
    conflicts: tuple[Item, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    differences: tuple[Item, ...] = ()
    drift: tuple[Item, ...] = ()
    refused: tuple[Refusal, ...] = ()
    guards: tuple[Guard, ...] = ()
    requests: Mapping[str, int] = field(default_factory=dict)
    cursors: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def digest(self) -> str:
        body = json.dumps([_action_json(action) for action in self.actions], sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(body.encode()).hexdigest()[:32]

    @property
    def writes(self) -> tuple[Action, ...]:
        """The actions that write to one of the two systems."""
        return tuple(action for action in self.actions if action.op in (Op.CREATE, Op.UPDATE))

    @property
    def waiting(self) -> bool:
        return bool(self.conflicts or self.candidates or self.differences or self.drift or self.refused)

    def counts(self) -> dict[str, int]:
        counts = {op.value: 0 for op in (Op.CREATE, Op.UPDATE, Op.LINK, Op.UNLINK, Op.REBASE)}
        for action in self.actions:
            counts[action.op.value] += 1
        return counts | {
            "conflict": len(self.conflicts),
            "candidate": len(self.candidates),
            "difference": len(self.differences),
            "drift": len(self.drift),
            "refused": len(self.refused),
        }


def short_id(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:12]


def make_plan(mode: Mode, made_at: str, actions: Iterable[Action], **rest: Any) -> Plan:
    """A plan with its actions in the order they are applied."""
    return Plan(mode, made_at, tuple(sorted(actions, key=lambda action: action.order)), **rest)


# -- JSON ------------------------------------------------------------------------------------
# `plan_json` is the document other programs read (interface.md 3); `stored` keys carry what is
# needed to apply the same plan later.


def plan_json(plan: Plan) -> dict[str, Any]:
    guard = plan.guards[0] if plan.guards else None
    return {
        "digest": plan.digest,
        "made_at": plan.made_at,
        "mode": {
            "direction": plan.mode.direction.value,
            "ajera_version": plan.mode.ajera_version,
            "reason": plan.mode.reason,
        },
        "counts": plan.counts(),
        "actions": [_action_json(action) for action in plan.actions],
        "conflicts": [item_json(item) for item in plan.conflicts],
        "candidates": [candidate_json(item) for item in plan.candidates],
        "differences": [item_json(item) for item in plan.differences],
        "drift": [item_json(item) for item in plan.drift],
        "refused": [refusal_json(item) for item in plan.refused],
        "guard": _guard_json(guard) if guard else None,
        "guards": [_guard_json(each) for each in plan.guards],
        "requests": dict(plan.requests),
        "cursors": dict(plan.cursors),
    }


def _guard_json(guard: Guard) -> dict[str, Any]:
    return {"name": guard.name, "message": guard.message, "records": list(guard.records)}


def _action_json(action: Action) -> dict[str, Any]:
    return {
        "id": action.id,
        "op": action.op.value,
        "kind": action.kind.value,
        "side": action.side.value if action.side else None,
        "ajera_key": action.ajera_key,
        "crm_key": action.crm_key,
        "label": action.label,
        "fields": {
            name: {"from": display(change.frm), "to": display(change.to), "rule": change.rule}
            for name, change in sorted(action.fields.items())
        },
        "group": action.group,
        "reason": action.reason,
        "template": action.template,
        "number": action.number,
        "stored": _stored(action),
    }


def _stored(action: Action) -> dict[str, JsonValue]:
    return {
        "fields": {name: [to_json(c.frm), to_json(c.to)] for name, c in sorted(action.fields.items())},
        "pairs": {name: [to_json(p.ajera), to_json(p.crm), p.note] for name, p in sorted(action.pairs.items())},
        "source": {name: to_json(value) for name, value in sorted(action.source.items())},
    }


def item_json(item: Item) -> dict[str, Any]:
    base = {"ajera": display(item.base.ajera), "crm": display(item.base.crm)} if item.base else None
    return {
        "id": item.id,
        "kind": item.kind.value,
        "field": item.field,
        "label": item.label,
        "ajera_key": item.ajera_key,
        "crm_key": item.crm_key,
        "base": base,
        "ajera": display(item.ajera),
        "crm": display(item.crm),
        "owner": item.owner,
        "reason": item.reason,
        "since": item.since,
        "stored": {
            "base": [to_json(item.base.ajera), to_json(item.base.crm), item.base.note] if item.base else None,
            "ajera": to_json(item.ajera),
            "crm": to_json(item.crm),
        },
    }


def candidate_json(item: Candidate) -> dict[str, Any]:
    return {
        "id": item.id,
        "kind": item.kind.value,
        "side": item.side.value,
        "label": item.label,
        "ajera_key": item.ajera_key,
        "crm_key": item.crm_key,
        "score": item.score,
        "reasons": list(item.reasons),
        "since": item.since,
    }


def refusal_json(item: Refusal) -> dict[str, Any]:
    return {
        "id": item.id,
        "kind": item.kind.value,
        "side": item.side.value,
        "key": item.key,
        "label": item.label,
        "field": item.field,
        "reason": item.reason,
    }


NO_PLAN: Final = (ValueError, LookupError, TypeError, AttributeError, AssertionError, ArithmeticError, RecursionError)
"""What reading something else as a plan may raise."""


def plan_from_json(data: Mapping[str, Any]) -> Plan:
    """The plan `plan_json` wrote. Raises one of NO_PLAN on anything else."""
    mode = data["mode"]
    plan = make_plan(
        Mode(Direction(mode["direction"]), mode["ajera_version"], mode["reason"]),
        data["made_at"],
        [action_from_json(each) for each in data["actions"]],
        conflicts=_items(data["conflicts"]),
        candidates=tuple(candidate_from_json(each) for each in data["candidates"]),
        differences=_items(data["differences"]),
        drift=_items(data["drift"]),
        refused=tuple(refusal_from_json(each) for each in data["refused"]),
        guards=tuple(Guard(g["name"], g["message"], tuple(g["records"])) for g in data["guards"]),
        requests=data["requests"],
        cursors=data.get("cursors", {}),
    )
    if plan.digest != data["digest"]:
        raise ValueError("the plan's digest does not match its actions")
    return plan


def action_from_json(data: Mapping[str, Any]) -> Action:
    stored = data["stored"]
    rules = {name: body.get("rule", "") for name, body in data["fields"].items()}
    return Action(
        op=Op(data["op"]),
        kind=Kind(data["kind"]),
        side=Side(data["side"]) if data["side"] else None,
        ajera_key=data["ajera_key"],
        crm_key=data["crm_key"],
        label=data["label"],
        fields={
            name: Change(from_json(frm), from_json(to), rules.get(name, ""))
            for name, (frm, to) in stored["fields"].items()
        },
        pairs={name: Pair(from_json(a), from_json(c), note) for name, (a, c, note) in stored["pairs"].items()},
        source={name: from_json(value) for name, value in stored["source"].items()},
        group=data["group"],
        reason=data["reason"],
        template=data["template"],
        number=data["number"],
    )


def item_from_json(data: Mapping[str, Any]) -> Item:
    stored = data["stored"]
    base = stored["base"]
    return Item(
        kind=Kind(data["kind"]),
        field=data["field"],
        label=data["label"],
        ajera_key=data["ajera_key"],
        crm_key=data["crm_key"],
        ajera=from_json(stored["ajera"]),
        crm=from_json(stored["crm"]),
        base=Pair(from_json(base[0]), from_json(base[1]), base[2]) if base else None,
        owner=data["owner"],
        reason=data["reason"],
        since=data["since"],
    )


def candidate_from_json(data: Mapping[str, Any]) -> Candidate:
    return Candidate(
        Kind(data["kind"]),
        Side(data["side"]),
        data["label"],
        data["ajera_key"],
        data["crm_key"],
        data["score"],
        tuple(data["reasons"]),
        data["since"],
    )


def refusal_from_json(data: Mapping[str, Any]) -> Refusal:
    return Refusal(
        Kind(data["kind"]), Side(data["side"]), data["key"], data["label"], data["reason"], data.get("field")
    )


def _items(data: Sequence[Mapping[str, Any]]) -> tuple[Item, ...]:
    return tuple(item_from_json(each) for each in data)


def action_json(action: Action) -> dict[str, Any]:
    """One action as the journal and the history keep it; `action_from_json` turns it back."""
    return _action_json(action)
