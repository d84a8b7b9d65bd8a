"""The fields of one linked pair, one by one, as actions and waiting items (sync-rules 5)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from core.model.link import Base, Link, Pair
from core.model.plan import Action, Change, Item, Op, Refusal
from core.model.record import Record
from core.model.values import FieldType, Kind, Side, Value
from core.policy import FieldSpec
from core.reconcile.accounting import takes_money
from core.reconcile.carry import CannotCarry, agree, carry
from core.reconcile.merge import (
    SYNC_TO_CRM,
    Case,
    Rebase,
    Refuse,
    Wait,
    Write,
    WriteBoth,
    flows_to,
    merge,
)
from core.reconcile.normalize import canonical
from core.reconcile.situation import Situation


@dataclass
class MergedFields:
    """What the fields of one pair come to."""

    writes: dict[tuple[Side, str], dict[str, tuple[Change, Value]]] = field(default_factory=lambda: defaultdict(dict))
    pairs: dict[str, Pair] = field(default_factory=dict)
    items: dict[str, list[Item]] = field(default_factory=lambda: defaultdict(list))
    refused: list[Refusal] = field(default_factory=list)

    @property
    def open(self) -> bool:
        """Whether anything is still due or waits for a person: a closed project may not sleep over it."""
        return bool(self.writes or self.items or self.refused)

    def actions(self, link: Link, label: str) -> Iterable[Action]:
        common = {"kind": link.kind, "ajera_key": link.ajera_key, "crm_key": link.crm_key, "label": label}
        if self.pairs:
            yield Action(op=Op.REBASE, side=None, pairs=self.pairs, reason="the sides agree", **common)  # type: ignore[arg-type] # Action's own fields
        for (side, group), fields in sorted(self.writes.items()):
            yield Action(
                op=Op.UPDATE,
                side=side,
                fields={name: change for name, (change, _) in fields.items()},
                source={name: source for name, (_, source) in fields.items()},
                group=group,
                reason="; ".join(sorted({change.rule for change, _ in fields.values()})),
                **common,  # type: ignore[arg-type] # Action's own fields
            )


def merge_fields(
    s: Situation,
    link: Link,
    ajera: Record,
    crm: Record,
    base: Base,
    writable: frozenset[Side],
    coming: Mapping[tuple[Kind, Side, str], str],
) -> MergedFields:
    merged = MergedFields()
    if link.kind is Kind.PROJECT and ajera.marked and SYNC_TO_CRM not in base:
        merged.pairs[SYNC_TO_CRM] = Pair(True, None)
    if s.in_step[link.kind](base, ajera.fields, crm.fields):
        return merged
    for spec in s.merged_fields[link.kind]:
        if spec.name not in ajera.fields or spec.name not in crm.fields:
            continue  # not read: decides nothing
        if spec.group in ("money", "budget") and not takes_money(crm):
            continue
        pair = base.get(spec.name)
        if pair is not None and _unmoved(spec, pair, ajera, crm):
            continue
        _one_field(s, link, spec, pair, ajera, crm, writable, coming, merged)
    return merged


def _unmoved(spec: FieldSpec, pair: Pair, ajera: Record, crm: Record) -> bool:
    """The common case, told apart without building anything: both sides exactly as agreed."""
    return (
        not pair.note
        and pair.ajera == ajera.fields[spec.name]
        and pair.crm == crm.fields[spec.name]
        and type(pair.ajera) is type(ajera.fields[spec.name])
    )


def _one_field(
    s: Situation,
    link: Link,
    spec: FieldSpec,
    pair: Pair | None,
    ajera: Record,
    crm: Record,
    writable: frozenset[Side],
    coming: Mapping[tuple[Kind, Side, str], str],
    merged: MergedFields,
) -> None:
    case = _case(s, link, spec, pair, ajera, crm, writable, coming)
    outcome = merge(case)
    match outcome:
        case Write(side, to, rule):
            merged.writes[side, spec.group][spec.name] = (Change(case.value(side), to, rule), case.value(side.other))
        case WriteBoth(ours, theirs):
            for side, to, source in ((Side.AJERA, ours, case.crm), (Side.CRM, theirs, ours)):
                merged.writes[side, spec.group][spec.name] = (Change(case.value(side), to, "resolved: typed"), source)
        case Rebase(note):
            merged.pairs[spec.name] = Pair(case.ajera, case.crm, note)
        case Wait(queue, reason, note):
            item = Item(
                link.kind, spec.name, crm.label, link.ajera_key, link.crm_key,
                case.ajera, case.crm, pair, case.owner.value, reason,
            )  # fmt: skip
            merged.items[queue].append(item)
            if note is not None and pair is not None and pair.note != note:
                merged.pairs[spec.name] = pair._replace(note=note)
        case Refuse(side, reason):
            merged.refused.append(Refusal(link.kind, side, link.key(side), crm.label, reason, spec.name))


def _case(
    s: Situation,
    link: Link,
    spec: FieldSpec,
    pair: Pair | None,
    ajera: Record,
    crm: Record,
    writable: frozenset[Side],
    coming: Mapping[tuple[Kind, Side, str], str],
) -> Case:
    def carried(value: Value, to: Side) -> Value | CannotCarry:
        return carry(s, spec, value, to, coming)

    ours, theirs = ajera.fields[spec.name], crm.fields[spec.name]
    return Case(
        spec=spec,
        base=pair,
        ajera=ours,
        crm=theirs,
        agree=agree(s, spec, ours, theirs),
        owner=s.policy.owner(spec, s.mode),
        policy=s.policy.conflict_policy(spec),
        writable=writable & flows_to(spec),
        one_way=s.mode.one_way,
        upgraded=s.previous_mode is not None and s.previous_mode.one_way and not s.mode.one_way,
        unsettled=ajera.id in s.unsettled or crm.id in s.unsettled,
        first_link=s.policy.first_link,
        restore_drift=s.policy.restores_drift(spec),
        newest=s.newest(ajera, crm),
        decision=s.decisions.get(f"{link.kind}:crm:{link.crm_key}:{spec.name}:"),
        carry=carried,
    )


def settled_pair(spec: FieldSpec, side: Side, meant: Value, source: Value, held: Value) -> Pair:
    """The base pair after a write: what the other side has and what this side holds now.

    A side that keeps another value than was meant has rewritten it: the pair is stored as it is,
    and nothing is sent again until a person moves either half (sync-rules 5).
    """
    rewritten = canonical(spec, side, held) != canonical(spec, side, meant)
    note = f"rewritten by {side}" if rewritten and spec.type is not FieldType.REF else ""
    return Pair(held, source, note) if side is Side.AJERA else Pair(source, held, note)
