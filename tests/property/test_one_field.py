"""Every state of one field, against a table written from sync-rules 5 and not from the code.

One field has so few states that all are looked at: what both sides and the base hold, who owns it, the
policies, one-way mode, what was noted with the base, and whether an earlier write is unsettled.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import product

import pytest

from core.model.link import Pair
from core.model.values import Kind, Side, Value
from core.policy import ConflictPolicy, FieldSpec, Owner, Policy
from core.reconcile.merge import (
    ONE_WAY_DRIFT,
    TYPED,
    UNDONE,
    Case,
    Nothing,
    Outcome,
    Rebase,
    Refuse,
    Wait,
    Write,
    merge,
)

AJERA, CRM = Side.AJERA, Side.CRM
NAME = Policy().spec(Kind.FIRM, "name")
MONEY = Policy().spec(Kind.PROJECT, "spent_labor")
FEE = Policy().spec(Kind.PROJECT, "compensation")
assert NAME
assert MONEY
assert FEE
BLANK = (None, "", Decimal(0))


@dataclass(frozen=True)
class State:
    base: Pair | None
    ajera: Value
    crm: Value
    owner: Owner
    policy: ConflictPolicy
    one_way: bool
    first_link: str
    restore: bool
    unsettled: bool
    newest: Side | None
    upgraded: bool = False

    def case(self, spec: FieldSpec) -> Case:
        # In one-way mode the CRM owns each of these fields and is never written (sync-rules 1).
        return Case(
            spec=spec,
            base=self.base,
            ajera=self.ajera,
            crm=self.crm,
            agree=_same(self.ajera, self.crm),
            owner=Owner.CRM if self.one_way else self.owner,
            policy=self.policy,
            writable=frozenset({AJERA}) if self.one_way else frozenset(Side),
            one_way=self.one_way,
            upgraded=self.upgraded,
            unsettled=self.unsettled,
            first_link=self.first_link,
            restore_drift=self.restore,
            newest=self.newest,
            decision=None,
            carry=lambda value, _side: value,
        )


def _same(a: Value, b: Value) -> bool:
    return a == b or (a in BLANK and b in BLANK)


def told(outcome: Outcome) -> str:
    match outcome:
        case Nothing():
            return "nothing"
        case Rebase():
            return "rebase"
        case Write(side, _, _):
            return f"write {side}"
        case Wait(queue, _, _):
            return queue
        case _:
            raise AssertionError(outcome)


# The table of sync-rules 5: (ajera moved, crm moved) -> owner -> what follows.
LINKED = {
    (False, False): {"shared": "nothing", "ajera": "nothing", "crm": "nothing"},
    (True, False): {"shared": "write crm", "ajera": "write crm", "crm": "drift"},
    (False, True): {"shared": "write ajera", "ajera": "drift", "crm": "write ajera"},
    (True, True): {"shared": "policy", "ajera": "write crm", "crm": "write ajera"},
}


def expected(state: State) -> str:
    """What the page says follows."""
    owner = "crm" if state.one_way else state.owner.value
    if state.base is None:
        return _possible(_expected_first(state, owner), state)
    moved = (not _same(state.ajera, state.base.ajera), not _same(state.crm, state.base.crm))
    if _same(state.ajera, state.crm):
        return "rebase" if any(moved) or state.base.note else "nothing"
    if state.base.note == UNDONE:
        return "conflict"
    if state.base.note == TYPED:
        moved = (True, moved[1])  # the answer reached Ajera and is still on its way to the CRM
        owner = "shared" if not moved[1] else owner
    left = (state.upgraded or state.base.note == ONE_WAY_DRIFT) and not state.one_way
    if moved == (True, True) and state.unsettled:
        return "conflict"
    if moved[0] and left and (moved[1] or owner != "crm"):
        return "conflict" if state.base.note != TYPED or moved[1] else _possible("write crm", state)
    follows = LINKED[moved][owner]
    if follows == "policy":
        follows = _by_policy(state)
    if follows == "drift" and state.restore and not state.unsettled and not state.one_way:
        follows = f"write {'crm' if owner == 'ajera' else 'ajera'}"
    return _possible(follows, state)


def _expected_first(state: State, owner: str) -> str:
    if _same(state.ajera, state.crm):
        return "rebase"
    if state.ajera in BLANK or state.crm in BLANK:
        return "write ajera" if state.ajera in BLANK else "write crm"
    if owner == "shared":
        return "conflict" if state.unsettled else _by_policy(state)
    if state.first_link == "owner" and not state.unsettled:
        return "write crm" if owner == "ajera" else "write ajera"
    return "difference"


def _by_policy(state: State) -> str:
    winner = state.newest if state.policy is ConflictPolicy.NEWEST else None
    if state.policy in (ConflictPolicy.AJERA, ConflictPolicy.CRM):
        winner = Side(state.policy.value)
    return f"write {winner.other}" if winner else "conflict"


def _possible(follows: str, state: State) -> str:
    return "nothing" if follows == "write crm" and state.one_way else follows


def bases(values: tuple[Value, ...]) -> Iterator[Pair | None]:
    yield None
    for value in values:
        yield Pair(value, value)
    for note in (UNDONE, TYPED, ONE_WAY_DRIFT, "rewritten by crm"):
        yield Pair(values[1], values[1], note)
        yield Pair(values[1], values[2], note)


def states(values: tuple[Value, ...]) -> Iterator[State]:
    policies = [
        *((policy, None) for policy in ConflictPolicy if policy is not ConflictPolicy.NEWEST),
        *((ConflictPolicy.NEWEST, side) for side in (None, AJERA, CRM)),
    ]
    for base, a, c, owner, (policy, newest) in product(bases(values), values, values, Owner, policies):
        for one_way, first_link, restore, unsettled in product(
            (False, True), ("ask", "owner"), (False, True), (False, True)
        ):
            if first_link == "owner" and base is not None:
                continue  # it is only looked at where there is no base
            yield State(base, a, c, owner, policy, one_way, first_link, restore, unsettled, newest)


TEXTS: tuple[Value, ...] = ("", "A", "B", "C")
AMOUNTS: tuple[Value, ...] = (Decimal(0), Decimal(1), Decimal(2), Decimal(3))


def test_rule_5_every_state_of_a_field_follows_the_table() -> None:
    wrong = [
        (state, said, told(merge(state.case(NAME))))
        for state in states(TEXTS)
        if told(merge(state.case(NAME))) != (said := expected(state))
    ]
    assert wrong[:3] == []


def test_rule_1_every_state_after_an_upgrade_follows_the_table() -> None:
    for state in states(TEXTS):
        if not (state.one_way or state.base is None):
            upgraded = State(**{**vars(state), "upgraded": True})
            assert told(merge(upgraded.case(NAME))) == expected(upgraded), upgraded


def test_law_8_no_state_loses_a_value_that_somebody_typed() -> None:
    """What a write replaces was seen by the one who typed the new value, or a rule that the history keeps says so."""
    for state in states(TEXTS):
        outcome = merge(state.case(NAME))
        if not isinstance(outcome, Write):
            continue
        target = state.case(NAME).value(outcome.side)
        assert outcome.to == state.case(NAME).value(outcome.side.other)
        if state.base is None:
            assert target in BLANK or "first link" in outcome.rule
        elif not _same(target, state.base.half(outcome.side)):  # typed there, and not seen by the other
            assert "both changed" in outcome.rule or "drift put right" in outcome.rule, state


def test_law_8_values_that_stay_apart_are_seen_or_were_agreed_to_stay_apart() -> None:
    """Sides that differ and that nothing will change: as they were agreed, or the one-way mode's CRM."""
    for state in states(TEXTS):
        if _same(state.ajera, state.crm) or not isinstance(merge(state.case(NAME)), Nothing):
            continue
        if state.base is not None and not state.one_way:
            assert _same(state.ajera, state.base.ajera), state
            assert _same(state.crm, state.base.crm), state


def test_law_4_what_moved_on_neither_side_is_never_written() -> None:
    for state in states(TEXTS):
        if state.base is None or state.base.note == TYPED:
            continue
        if _same(state.ajera, state.base.ajera) and _same(state.crm, state.base.crm):
            assert not isinstance(merge(state.case(NAME)), Write), state


def test_law_6_swapping_sides_and_owners_mirrors_the_outcome() -> None:
    mirror = {Owner.AJERA: Owner.CRM, Owner.CRM: Owner.AJERA, Owner.SHARED: Owner.SHARED}
    policies = {ConflictPolicy.AJERA: ConflictPolicy.CRM, ConflictPolicy.CRM: ConflictPolicy.AJERA}
    words = {"write ajera": "write crm", "write crm": "write ajera"}
    for state in states(TEXTS):
        if state.one_way or (state.base is not None and state.base.note in (TYPED, ONE_WAY_DRIFT)):
            continue  # rules that name a side
        base = state.base and Pair(state.base.crm, state.base.ajera, state.base.note)
        swapped = State(
            base, state.crm, state.ajera, mirror[state.owner], policies.get(state.policy, state.policy), False,
            state.first_link, state.restore, state.unsettled, state.newest and state.newest.other,
        )  # fmt: skip
        here, there = told(merge(state.case(NAME))), told(merge(swapped.case(NAME)))
        if state.base is None and state.ajera in BLANK and state.crm in BLANK:
            assert here == there == "rebase"
        else:
            assert there == words.get(here, here), state


def test_law_9_one_way_never_writes_the_crm() -> None:
    for state in states(TEXTS):
        if state.one_way:
            outcome = merge(state.case(NAME))
            assert not (isinstance(outcome, Write) and outcome.side is CRM), state


@pytest.mark.parametrize("spec", [MONEY, FEE])
def test_rule_5_blank_money_replaces_a_value_only_where_ajeras_stood_before(spec: FieldSpec) -> None:
    for state in states(AMOUNTS):
        if state.one_way or state.owner is not Owner.AJERA:
            continue
        case = state.case(spec)
        case = Case(**{**{name: getattr(case, name) for name in Case.__slots__}, "writable": frozenset({CRM})})
        outcome = merge(case)
        assert not isinstance(outcome, Refuse)
        if isinstance(outcome, Write):
            assert outcome.side is CRM
            if outcome.to in BLANK:
                assert state.base is not None
                assert state.base.ajera not in BLANK or state.base.note == TYPED, state
