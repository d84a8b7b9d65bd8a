"""Plans that are refused before the first write (sync-rules 6).

A lying or empty answer must never cause writes on the other side. Percentages are of a kind's
linked records; below `few` of them they say nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

from core.model.link import LinkState
from core.model.plan import Action, Guard, Op, Plan
from core.model.values import FieldType, Kind, Side
from core.reconcile.normalize import canonical
from core.reconcile.situation import Situation

MOST_NAMED = 10


def tripped(s: Situation, plan: Plan) -> tuple[Guard, ...]:
    """The guards this plan trips, worst first; none for an ordinary plan."""
    return tuple(
        guard for check in (_direction, _blanks, _zero_money, _changes, _creates, _unlinks) for guard in check(s, plan)
    )


def _direction(s: Situation, plan: Plan) -> Iterable[Guard]:
    if s.mode.ajera_version is None and plan.writes:
        yield Guard("version", "Ajera did not say its version, so the direction is not known")
    before = s.previous_mode
    if before is not None and before.direction is not s.mode.direction and plan.writes:
        yield Guard(
            "direction", f"the direction changed from {before.direction} to {s.mode.direction}: {s.mode.reason}"
        )


def _linked(s: Situation, kind: Kind) -> int:
    return sum(1 for link in s.links.by_ajera.values() if link.kind is kind and link.state is not LinkState.GONE)


def _over(s: Situation, kind: Kind, count: int, percent: float) -> bool:
    linked = _linked(s, kind)
    return linked > s.policy.guards.few and count * 100 > percent * linked


def _named(actions: Iterable[Action]) -> tuple[str, ...]:
    return tuple(action.label for action in actions)[:MOST_NAMED]


def _blanks(s: Situation, plan: Plan) -> Iterable[Guard]:
    """A field going blank for many at once: more likely a lost right or column than people's work."""
    cleared: dict[tuple[Kind, Side, str], list[Action]] = defaultdict(list)
    for action, name, was, will in _changes_of(s, plan):
        # A figure that goes to zero has a guard of its own: a bill that is sent empties every WIP column.
        zeroed = isinstance(action.fields[name].to, Decimal)
        if was is not None and will is None and action.side is not None and not zeroed:
            cleared[action.kind, action.side, name].append(action)
    for (kind, side, name), actions in sorted(cleared.items()):
        guards = s.policy.guards
        if len(actions) > guards.blank_records and _over(s, kind, len(actions), guards.blank_percent):
            message = f"{name} would go blank in {len(actions)} {kind} records of {side}"
            yield Guard("blank", message, _named(actions))


def _changes_of(s: Situation, plan: Plan) -> Iterable[tuple[Action, str, object, object]]:
    for action in plan.actions:
        if action.op is not Op.UPDATE or action.side is None:
            continue
        for name, change in action.fields.items():
            spec = s.policy.spec(action.kind, name)
            if spec is not None:
                frm, to = (canonical(spec, action.side, value) for value in (change.frm, change.to))
                yield action, name, frm, to


def _zero_money(s: Situation, plan: Plan) -> Iterable[Guard]:
    zeroed: dict[str, list[Action]] = defaultdict(list)
    for action, name, was, will in _changes_of(s, plan):
        spec = s.policy.spec(action.kind, name)
        if spec is not None and spec.type is FieldType.MONEY and was is not None and will is None:
            zeroed[name].append(action)
    for name, actions in sorted(zeroed.items()):
        many = len(actions) > s.policy.guards.zero_money_projects
        if many and _over(s, Kind.PROJECT, len(actions), s.policy.guards.zero_money_percent):
            yield Guard("zero_money", f"{name} would go to zero in {len(actions)} projects", _named(actions))


# What people's ordinary work moves in every project at once: hours and the figures that follow from them have a
# guard of their own (a column going to zero); ticks and lists of contacts are an operator's acts.
NOT_A_MASS_CHANGE = ("money", "team", "contacts", "marks")


def _changes(s: Situation, plan: Plan) -> Iterable[Guard]:
    """Many records of a kind changing at once: a format change, an import, or an answer that lies."""
    changed: dict[tuple[Kind, Side], dict[str, Action]] = defaultdict(dict)
    for action in plan.actions:
        if action.op is Op.UPDATE and action.side is not None and _changes_agreed(s, action):
            changed[action.kind, action.side][action.key(action.side) or action.label] = action
    for (kind, side), actions in sorted(changed.items()):
        if kind in s.first:
            continue
        many = len(actions) > s.policy.guards.change_records
        if many and _over(s, kind, len(actions), s.policy.guards.change_percent):
            message = f"{len(actions)} {kind} records of {side} would change, of {_linked(s, kind)} linked"
            yield Guard("changes", message, _named(actions.values()))


def _changes_agreed(s: Situation, action: Action) -> bool:
    """Whether an update changes something the sides had agreed on; the first fill of a new link does not."""
    if action.group.startswith(NOT_A_MASS_CHANGE):
        return False
    base = s.bases.get(f"{action.kind}:{action.ajera_key}", {})
    return any(name in base for name in action.fields)


def _creates(s: Situation, plan: Plan) -> Iterable[Guard]:
    if not s.scheduled:
        return
    for kind in Kind:
        creates = [action for action in plan.actions if action.op is Op.CREATE and action.kind is kind]
        if kind not in s.first and len(creates) > s.policy.guards.scheduled_creates:
            yield Guard(
                "creates", f"{len(creates)} {kind} records would be created by a scheduled run", _named(creates)
            )


def _unlinks(s: Situation, plan: Plan) -> Iterable[Guard]:
    unlinks = [action for action in plan.actions if action.op is Op.UNLINK]
    if len(unlinks) > s.policy.guards.unlinks:
        yield Guard("unlinks", f"{len(unlinks)} records are gone", _named(unlinks))
