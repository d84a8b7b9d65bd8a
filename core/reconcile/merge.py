"""One field of a linked record: what moved, who counts, what follows (sync-rules 5).

*Moved* compares a side with its own half of the base pair, so a side that shortens or reformats
what it was sent starts no ping-pong. Each branch names the event in real life.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core.model.link import Decision, Pair
from core.model.values import FieldType, Kind, Side, Value
from core.policy import ACCOUNTING_GROUPS, ConflictPolicy, FieldSpec, Owner
from core.reconcile.carry import SIDE_NAMES, CannotCarry
from core.reconcile.normalize import blank, canonical

ONE_WAY_DRIFT = "drift of one-way time"
UNDONE = "undone"
SYNC_TO_CRM = "sync_to_crm"  # base pair: Ajera's SyncToCRM was once seen true
TYPED = "typed by an operator, not yet in the CRM"

# Money and dates flow from Ajera only; the client belongs to Ajera's invoice groups, which this
# program sets at creation and never after (sync-rules 5 and 8).
NEVER_WRITTEN_IN_AJERA = {"client"}


def flows_to(spec: FieldSpec) -> frozenset[Side]:
    """The sides a field may ever be written to after creation."""
    if spec.create_only or spec.type is FieldType.ENTRIES:
        return frozenset()
    if spec.name in NEVER_WRITTEN_IN_AJERA or (spec.owner is Owner.AJERA and spec.group in ACCOUNTING_GROUPS):
        return frozenset({Side.CRM})
    return frozenset(Side)


@dataclass(frozen=True, slots=True)
class Case:
    """One field of one linked pair. `writable` are the sides that may be written in this run.

    `upgraded`: the last run was one-way and this one is not, so an edit in Ajera may be of that time.
    """

    spec: FieldSpec
    base: Pair | None
    ajera: Value
    crm: Value
    agree: bool
    owner: Owner
    policy: ConflictPolicy
    writable: frozenset[Side]
    one_way: bool
    upgraded: bool
    unsettled: bool
    first_link: str
    restore_drift: bool
    newest: Side | None
    decision: Decision | None
    carry: Callable[[Value, Side], Value | CannotCarry]

    def value(self, side: Side) -> Value:
        return self.ajera if side is Side.AJERA else self.crm

    def moved(self, side: Side) -> bool:
        assert self.base is not None
        return canonical(self.spec, side, self.value(side)) != canonical(self.spec, side, self.base.half(side))

    def blank(self, side: Side) -> bool:
        return blank(self.spec, side, self.value(side))


@dataclass(frozen=True, slots=True)
class Nothing:
    """Nothing moved that matters."""


@dataclass(frozen=True, slots=True)
class Rebase:
    """The sides agree (again): only the base catches up. `note` is kept with the pair."""

    note: str = ""


@dataclass(frozen=True, slots=True)
class Write:
    """`side` gets `to`; `rule` says why."""

    side: Side
    to: Value
    rule: str


@dataclass(frozen=True, slots=True)
class WriteBoth:
    """A person typed a third value: Ajera gets it first, then the CRM, each in its own spelling."""

    ajera: Value
    crm: Value


@dataclass(frozen=True, slots=True)
class Wait:
    """A person decides: `queue` is conflict, difference or drift. `note` marks the base pair."""

    queue: str
    reason: str
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Refuse:
    """The value cannot be written there; `side` is the one that would have been written."""

    side: Side
    reason: str


Outcome = Nothing | Rebase | Write | WriteBoth | Wait | Refuse
NOTHING = Nothing()


def merge(case: Case) -> Outcome:
    """What follows for one field."""
    decided = _decided(case)
    if decided is not None:
        return decided
    if case.base is None:
        return _first_link(case)
    ajera_moved, crm_moved = case.moved(Side.AJERA), case.moved(Side.CRM)
    if case.agree:  # edited alike on both sides, or put right by hand: the base catches up
        return Rebase() if ajera_moved or crm_moved or case.base.note else NOTHING
    if case.base.note == UNDONE:  # an undo put this back: nobody writes it until it is resolved
        return Wait("conflict", UNDONE)
    if case.base.note == TYPED:  # the second half of a typed answer, unless the CRM was edited without sight of it
        return _both_moved(case) if crm_moved else _write(case, Side.CRM, "resolved: typed")
    if not (ajera_moved or crm_moved):  # rewritten by a side: left alone until somebody moves
        return NOTHING
    if ajera_moved and crm_moved:
        return _both_moved(case)
    return _one_moved(case, Side.AJERA if ajera_moved else Side.CRM)


def _one_moved(case: Case, mover: Side) -> Outcome:
    owner = case.owner.side
    if owner is not None and mover is not owner:  # typed on the side that does not own the field
        return _drift(case, owner)
    if mover is Side.AJERA and _of_one_way_time(case):
        return _left_from_one_way_time()
    return _write(case, mover.other, f"{mover} changed it")


def _of_one_way_time(case: Case) -> bool:
    """Whether what Ajera holds was typed while nothing could reach the CRM (sync-rules 1).

    Employees and accounting were Ajera's in that time too, and wait for nobody.
    """
    if case.one_way or case.spec.kind is Kind.EMPLOYEE or case.spec.group in ACCOUNTING_GROUPS:
        return False
    return case.upgraded or (case.base is not None and case.base.note == ONE_WAY_DRIFT)


def _left_from_one_way_time() -> Wait:
    return Wait("conflict", "changed in Ajera while the sync was one-way", ONE_WAY_DRIFT)


def _both_moved(case: Case) -> Outcome:
    if case.unsettled:  # what landed is found out first, whatever the rule would be
        return Wait("conflict", "changed on both sides")
    if _of_one_way_time(case):
        return _left_from_one_way_time()
    owner = case.owner.side
    if owner is not None:  # both typed: the owner's word counts, the other's is kept in the history
        return _write(case, owner.other, f"both changed it, {owner} owns it")
    if case.policy is ConflictPolicy.ASK:
        return Wait("conflict", "changed on both sides")
    winner = case.newest if case.policy is ConflictPolicy.NEWEST else Side(case.policy.value)
    if winner is None:
        return Wait("conflict", "changed on both sides, and the clocks cannot tell which is newer")
    return _write(case, winner.other, f"both changed it, policy {case.policy}")


def _drift(case: Case, owner: Side) -> Outcome:
    if case.restore_drift and not case.unsettled and not case.one_way and not _nothing_to_restore(case):
        return _write(case, owner.other, f"drift put right, {owner} owns it")
    note = ONE_WAY_DRIFT if case.one_way else None
    way_out = "; change it on the invoice group in Ajera" if case.spec.name == "client" else ""
    return Wait("drift", f"changed in {SIDE_NAMES[owner.other]}, but {SIDE_NAMES[owner]} owns it{way_out}", note)


def _nothing_to_restore(case: Case) -> bool:
    """A blank or zero of Ajera's replaces the CRM's money or date only where Ajera's value stood before."""
    return case.spec.group in ACCOUNTING_GROUPS and case.blank(Side.AJERA)


def _first_link(case: Case) -> Outcome:
    """A new link has no base (sync-rules 4): equal is agreed, a blank is filled, the rest is asked."""
    if case.agree:
        return Rebase()
    for side in Side:
        if case.blank(side):
            return _fill(case, side)
    owner = case.owner.side
    if owner is None:
        if case.policy is ConflictPolicy.ASK or case.unsettled:
            return Wait("conflict", "different when the records were linked")
        winner = case.newest if case.policy is ConflictPolicy.NEWEST else Side(case.policy.value)
        if winner is None:
            return Wait("conflict", "different when the records were linked")
        return _write(case, winner.other, f"first link, policy {case.policy}")
    if not case.unsettled and (case.first_link == "owner" or case.spec.tab == "Ajera Totals"):
        return _write(case, owner.other, f"first link, {owner} owns it")
    return Wait("difference", f"different when the records were linked; {owner} owns it")


def _fill(case: Case, side: Side) -> Outcome:
    """A blank is filled from the other side, whoever owns the field; a blank never overwrites."""
    if side not in case.writable or case.spec.create_only:
        return NOTHING
    return _write(case, side, "first link, blank filled")


def _decided(case: Case) -> Outcome | None:
    """A person's answer to exactly these two values; void when either has changed since."""
    decision = case.decision
    if decision is None or decision.seen is None:
        return None
    seen_ajera, seen_crm = decision.seen
    same = canonical(case.spec, Side.AJERA, seen_ajera) == canonical(case.spec, Side.AJERA, case.ajera) and canonical(
        case.spec, Side.CRM, seen_crm
    ) == canonical(case.spec, Side.CRM, case.crm)
    if not same or case.agree:
        return None
    if decision.take is not None:
        return _write(case, decision.take.other, f"resolved: {decision.take}", asked=True)
    return _typed(case, decision.value)


def _typed(case: Case, value: Value) -> Outcome:
    """A typed answer goes to both sides; where one has it already, that side is taken."""
    for side in Side:
        if canonical(case.spec, side, value) == canonical(case.spec, side, case.value(side)):
            return _write(case, side.other, "resolved: typed", asked=True)
    carried: dict[Side, Value] = {}
    for side in Side:
        if side not in case.writable:
            return Refuse(side, _not_written(case, side))
        fitting = case.carry(value, side)
        if isinstance(fitting, CannotCarry):
            return Refuse(side, fitting.reason)
        carried[side] = fitting
    return WriteBoth(carried[Side.AJERA], carried[Side.CRM])


def _write(case: Case, side: Side, rule: str, *, asked: bool = False) -> Outcome:
    if side not in case.writable:
        return Refuse(side, _not_written(case, side)) if asked else NOTHING
    value = case.carry(case.value(side.other), side)
    if isinstance(value, CannotCarry):
        return Refuse(side, value.reason)
    return Write(side, value, rule)


def _not_written(case: Case, side: Side) -> str:
    if case.spec.name == "client":
        return "the client of a project is changed on its invoice group in Ajera"
    if case.one_way and side is Side.CRM:
        return f"{case.spec.label} is not written to the CRM while the sync is one-way: change it there"
    return f"{case.spec.label} is never written in {SIDE_NAMES[side]}: change it there"
