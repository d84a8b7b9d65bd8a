"""One plan from one situation: the whole of what a run decides.

Kinds go in order (employees, firms, contacts, projects), since a later kind names records of an
earlier one: what is linked or created in this plan counts for what follows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from core.model.link import Base, Link, Links, LinkState, Mark, Pair
from core.model.plan import Action, Candidate, Change, Item, Op, Plan, Refusal, make_plan
from core.model.record import Record
from core.model.values import FieldType, Kind, Side, Value
from core.policy import STATUS_WORDS, FieldSpec
from core.reconcile import guard
from core.reconcile.accounting import NO_BUDGET, NOTE, takes_money
from core.reconcile.carry import CannotCarry, agree, carry
from core.reconcile.creates import ASKED, creation_of, same_name_twice
from core.reconcile.entries import contact_entries
from core.reconcile.match import Found, Maybe, NotProven, find_partner, ruled_out
from core.reconcile.merge import (
    ACCOUNTING_GROUPS,
    SYNC_TO_CRM,
    UNDONE,
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
from core.reconcile.team import team_changes
from core.reconcile.ticks import Ticks, ticks_in_effect

CLOSED, WAKE = "closed", "wake"


@dataclass
class _Parts:
    """The plan while it is being made."""

    actions: list[Action] = field(default_factory=list)
    items: dict[str, list[Item]] = field(default_factory=lambda: defaultdict(list))
    candidates: list[Candidate] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    coming: dict[tuple[Kind, Side, str], str] = field(default_factory=dict)


def plan(s: Situation) -> Plan:
    """What a run would do now. Pure: the same situation gives the same plan (law 1)."""
    ticks = ticks_in_effect(s)
    parts = _Parts()
    parts.actions += _mark_pushes(s)
    parts.refused += _over_the_cap(ticks)
    for kind in Kind:
        _unlinked(s, ticks, kind, parts)
        s = replace(s, links=_with_links(s.links, parts.actions, kind))
        for link in _links_of(s, kind):
            _linked(s, ticks, link, parts)
        s = replace(s, links=_without_gone(s.links, parts.actions, kind))
    parts.actions += contact_entries(s, ticks, parts.coming)
    made = make_plan(
        s.mode,
        s.now,
        parts.actions,
        conflicts=_dated(s, parts.items["conflict"]),
        differences=_dated(s, parts.items["difference"]),
        drift=_dated(s, parts.items["drift"]),
        candidates=tuple(replace(each, since=s.since.get(each.id, s.now)) for each in _best_first(parts.candidates)),
        refused=tuple(dict.fromkeys(parts.refused)),
    )
    return replace(made, guards=guard.tripped(s, made))


def _best_first(candidates: list[Candidate]) -> list[Candidate]:
    pairs: dict[str, Candidate] = {}
    for each in candidates:
        pairs.setdefault(each.id, each)  # a pair that waits on both sides is one question
    return sorted(pairs.values(), key=lambda each: (each.kind, each.label, each.key, -each.score))


def _dated(s: Situation, items: list[Item]) -> tuple[Item, ...]:
    dated = (replace(item, since=s.since.get(item.id, s.now)) for item in items)
    return tuple(sorted(dated, key=lambda item: (item.kind, item.label, item.field, item.id)))


# -- ticks ---------------------------------------------------------------------------------------


def _mark_pushes(s: Situation) -> Iterable[Action]:
    """Ticks made here that the CRM does not hold yet (the only writes to it in one-way mode)."""
    for mark in s.marks.values():
        if not mark.local and not mark.pushed and mark.side is Side.CRM:
            action = _mark_push(s, mark)
            if action is not None:
                yield action


def _mark_push(s: Situation, mark: Mark) -> Action | None:
    kind, key = (Kind.PROJECT, mark.project) if mark.project else (mark.kind, mark.key)
    record = s.record(kind, Side.CRM, key)
    if record is None:
        return None
    changes: dict[str, Change] = {}
    if mark.project:
        now = any(entry.key == mark.key and entry.marked for entry in record.contacts or ())
        if now != mark.on:
            changes[f"mark:{mark.key}"] = Change(now, mark.on, "ticked here")
    else:
        if bool(record.marked) != mark.on:
            changes["mark"] = Change(bool(record.marked), mark.on, "ticked here")
        if mark.template and mark.template != record.template:
            changes["template"] = Change(record.template, mark.template, "chosen here")
    if not changes:
        return None
    return Action(
        op=Op.UPDATE,
        kind=kind,
        side=Side.CRM,
        ajera_key=s.links.partner(kind, Side.CRM, key),
        crm_key=key,
        label=record.label,
        fields=changes,
        group=_mark_group(mark, record),
        reason="tick made here",
    )


def _mark_group(mark: Mark, record: Record) -> str:
    """A tick that the CRM refuses on a promotional project (dps-api 14) is another write once the project is won."""
    if mark.project:
        return f"marks:{mark.key}"
    return "marks" if record.kind is not Kind.PROJECT or takes_money(record) else "marks:promotional"


def _over_the_cap(ticks: Ticks) -> Iterable[Refusal]:
    for record, where, cap in ticks.over:
        reason = f"{where} has more than {cap} ticked contacts; this one waits: untick another or this one"
        yield Refusal(Kind.CONTACT, Side.CRM, record.key, record.label, reason)


# -- records without a link ----------------------------------------------------------------------


def _unlinked(s: Situation, ticks: Ticks, kind: Kind, parts: _Parts) -> None:
    creates: list[Action] = []
    for record, reason in _wanting(s, ticks, kind):
        if s.links.of(kind, record.side, record.key) is not None or record.id in parts.coming:
            continue  # linked, or by this plan from the other side
        if record.id in s.unsettled:
            parts.refused.append(_waits(record, "an earlier write of it has no known outcome yet"))
            continue
        _seek(s, ticks, record, reason, parts, creates)
    kept, waiting = same_name_twice(creates)
    for action in kept:
        parts.actions.append(action)
        _announce(parts, action)
    for action, first in waiting:
        parts.candidates.append(_namesake(action, first))


def _seek(s: Situation, ticks: Ticks, record: Record, reason: str, parts: _Parts, creates: list[Action]) -> None:
    """Link it, hold it, or have it created."""
    if ruled_out(s, record):
        return  # an operator said never
    match find_partner(s, record):
        case Found(partner, _) if partner.id in parts.coming:  # links are one to one
            parts.refused.append(_waits(record, f"{partner.label} is linked with another record by this plan"))
        case Found(partner, why):
            action = _link(record, partner, why)
            parts.actions.append(action)
            _announce(parts, action)
        case Maybe(candidates):
            parts.candidates += candidates
        case NotProven(why):
            parts.refused.append(_waits(record, why))
        case unknown:
            if not _may_create(s, record):
                return
            creation = creation_of(s, record, ticks, parts.coming, ASKED if unknown.asked else reason)
            parts.refused += creation.refused
            if creation.action is not None:
                creates.append(creation.action)


def _may_create(s: Situation, record: Record) -> bool:
    if record.side is Side.AJERA:
        return not s.mode.one_way
    return record.kind is not Kind.EMPLOYEE


def _waits(record: Record, reason: str) -> Refusal:
    return Refusal(record.kind, record.side, record.key, record.label, reason)


def _announce(parts: _Parts, action: Action) -> None:
    for side in Side:
        key = action.key(side)
        if key:
            parts.coming[action.kind, side, key] = action.id


def _namesake(action: Action, first: Action) -> Candidate:
    assert action.side is not None
    return Candidate(
        action.kind,
        action.side.other,
        action.label,
        action.ajera_key,
        action.crm_key,
        0.8,
        (f"same name or number as {first.label} ({first.key(action.side.other)}), which this plan creates",),
    )


def _wanting(s: Situation, ticks: Ticks, kind: Kind) -> Iterable[tuple[Record, str]]:
    """Unlinked records that take part, with the reason."""
    crm = s.of(kind, Side.CRM)
    if kind is Kind.EMPLOYEE:
        yield from _employees(s)
        return
    for key in sorted(ticks.of(kind)):
        yield crm[key], "ticked for sync"
    for key in sorted(key for of_kind, key in ticks.brought if of_kind is kind and key not in ticks.of(kind)):
        yield crm[key], f"with project {ticks.brought[kind, key]}"
    ajera = s.of(kind, Side.AJERA)
    for key in sorted(key for of_kind, key in ticks.to_crm if of_kind is kind and key in ajera):
        yield ajera[key], "ticked for the CRM"


def _employees(s: Situation) -> Iterable[tuple[Record, str]]:
    """Ajera's employees go to the CRM from 8.09; before, they are only matched (sync-rules 1)."""
    for key in sorted(s.of(Kind.EMPLOYEE, Side.AJERA)):
        record = s.of(Kind.EMPLOYEE, Side.AJERA)[key]
        if record.fields.get("status") == "Active":
            yield record, "an active employee of Ajera"


def _link(record: Record, partner: Record, reason: str) -> Action:
    ajera, crm = (record, partner) if record.side is Side.AJERA else (partner, record)
    return Action(
        op=Op.LINK,
        kind=record.kind,
        side=None,
        ajera_key=ajera.key,
        crm_key=crm.key,
        label=crm.label,
        reason=reason,
    )


def _with_links(links: Links, actions: list[Action], kind: Kind) -> Links:
    """The links as they will be: what this plan links counts for the kinds that follow."""
    new = [a for a in actions if a.op is Op.LINK and a.kind is kind and a.ajera_key and a.crm_key]
    if not new:
        return links
    by_ajera, by_crm = dict(links.by_ajera), dict(links.by_crm)
    for action in new:
        assert action.ajera_key is not None
        assert action.crm_key is not None
        link = Link(kind, action.ajera_key, action.crm_key, reason=action.reason)
        by_ajera[kind, link.ajera_key] = by_crm[kind, link.crm_key] = link
    return Links(by_ajera, by_crm)


def _without_gone(links: Links, actions: list[Action], kind: Kind) -> Links:
    """The links as they will be: what this plan unlinks is named by no later action of it."""
    gone = [a for a in actions if a.op is Op.UNLINK and a.kind is kind]
    if not gone:
        return links
    by_ajera, by_crm = dict(links.by_ajera), dict(links.by_crm)
    for action in gone:
        link = replace(links.by_ajera[kind, action.ajera_key or ""], state=LinkState.GONE, gone_side=action.side)
        by_ajera[kind, link.ajera_key] = by_crm[kind, link.crm_key] = link
    return Links(by_ajera, by_crm)


# -- linked records ------------------------------------------------------------------------------


def _links_of(s: Situation, kind: Kind) -> Iterable[Link]:
    return sorted(
        (link for (of_kind, _), link in s.links.by_ajera.items() if of_kind is kind), key=lambda link: link.ajera_key
    )


def _linked(s: Situation, ticks: Ticks, link: Link, parts: _Parts) -> None:
    if not (s.is_touched(link.kind, Side.AJERA, link.ajera_key) or s.is_touched(link.kind, Side.CRM, link.crm_key)):
        return
    ajera = s.record(link.kind, Side.AJERA, link.ajera_key)
    crm = s.record(link.kind, Side.CRM, link.crm_key)
    missing = [side for side in Side if (link.kind, side, link.key(side)) in s.gone]
    if link.state is LinkState.GONE:
        if ajera and crm and not missing:  # the key came back
            parts.actions.append(replace(_link(ajera, crm, "came back"), pairs={}))
        return
    if missing:
        parts.actions += _unlink(s, ticks, link, missing, ajera if missing[0] is Side.CRM else crm)
        return
    if ajera is None or crm is None:
        return  # not looked at: an absence proves nothing
    _merge_pair(s, ticks, link, ajera, crm, parts)


def _unlink(s: Situation, ticks: Ticks, link: Link, gone: list[Side], partner: Record | None) -> Iterable[Action]:
    """The record is gone from one side: the link ends, nothing is deleted on the other."""
    missing = gone[0]
    label = partner.label if partner else link.key(missing.other)
    action = Action(
        op=Op.UNLINK,
        kind=link.kind,
        side=missing,
        ajera_key=link.ajera_key,
        crm_key=link.crm_key,
        label=label,
        reason=f"gone from {missing}",
    )
    yield action
    if partner is None or len(gone) > 1 or s.policy.deleted.get(link.kind) != "inactive":
        return
    change = _set_inactive(s, ticks, link, partner)
    if change is not None:
        yield replace(action, op=Op.UPDATE, side=partner.side, fields={"status": change}, group="status")


def _set_inactive(s: Situation, ticks: Ticks, link: Link, partner: Record) -> Change | None:
    """The partner's status by policy: only of a record that takes part, and never a T or D into an I."""
    spec = s.policy.spec(link.kind, "status")
    word = STATUS_WORDS.get((link.kind, partner.side), {}).get("inactive")
    if spec is None or word is None or link.state is not LinkState.ACTIVE:
        return None
    held = partner.fields.get("status")
    if canonical(spec, partner.side, held) in ("inactive", "terminated"):
        return None
    if partner.side not in _writable(s, ticks, link, None, stopped=False):
        return None
    return Change(held, word, f"gone from {partner.side.other}, set inactive by policy")


def _merge_pair(s: Situation, ticks: Ticks, link: Link, ajera: Record, crm: Record, parts: _Parts) -> None:
    base = s.bases.get(link.id, {})
    stopped = _stopped(base, ajera)
    if link.state is LinkState.DORMANT:
        reason = _wakes(s, ticks, link, ajera)
        if reason is None:
            return
        parts.actions.append(_state_change(link, crm, WAKE, reason))
    writable = _writable(s, ticks, link, ajera, stopped)
    if not writable:
        return  # dormant: unticked on both sides
    result = _merge_fields(s, link, ajera, crm, base, writable, parts.coming)
    parts.actions += result.actions(link, crm.label)
    for queue, items in result.items.items():
        parts.items[queue] += items
    parts.refused += result.refused
    if link.kind is Kind.PROJECT and Side.CRM in writable:
        team_due = _project_extras(s, link, ajera, crm, parts)
    else:
        team_due = False
    if _closes(s, link, ajera) and not (result.open or team_due):
        parts.actions.append(_state_change(link, crm, CLOSED, "closed in Ajera; its final update is done"))


def _wakes(s: Situation, ticks: Ticks, link: Link, ajera: Record) -> str | None:
    """Why a dormant link is live again; None where it sleeps on."""
    if link.reason == CLOSED and ajera.fields.get("status") != "Closed":
        return "no longer closed in Ajera"
    if link.reason == CLOSED and s.policy.closed_projects == "follow":
        return "closed projects are followed by now"
    # An undo took its tick off: one that is there now was made since. Being brought along is no such act.
    if link.reason == UNDONE and link.kind is not Kind.EMPLOYEE and link.crm_key in ticks.of(link.kind):
        return "ticked again after an undo"
    return None


def _project_extras(s: Situation, link: Link, ajera: Record, crm: Record, parts: _Parts) -> bool:
    """Team hours, and why a tab's money is not written; whether hours are due."""
    action, refused = team_changes(s, link, ajera, crm, parts.coming)
    parts.actions += [action] if action else []
    parts.refused += refused
    note = ajera.extra.get(NOTE)
    if note and takes_money(crm) and ajera.extra.get("BillingType") not in NO_BUDGET:
        parts.refused.append(Refusal(link.kind, Side.CRM, link.crm_key, crm.label, note, "compensation"))
    return action is not None


def _stopped(base: Base, ajera: Record) -> bool:
    """SyncToCRM going from true to false stops Ajera → CRM (sync-rules 2)."""
    return SYNC_TO_CRM in base and ajera.marked is False


def _writable(s: Situation, ticks: Ticks, link: Link, ajera: Record | None, stopped: bool) -> frozenset[Side]:
    live = ticks.live(link.kind, link.crm_key)
    sides = set()
    if live and link.kind is not Kind.EMPLOYEE:
        sides.add(Side.AJERA)
    if not s.mode.one_way and not stopped and (live or bool(ajera and ajera.kind is Kind.PROJECT and ajera.marked)):
        sides.add(Side.CRM)
    return frozenset(sides)


def _closes(s: Situation, link: Link, ajera: Record) -> bool:
    return (
        link.kind is Kind.PROJECT
        and s.policy.closed_projects == "dormant"
        and ajera.fields.get("status") == "Closed"
        and link.state is LinkState.ACTIVE
    )


def _state_change(link: Link, crm: Record, group: str, reason: str) -> Action:
    return Action(Op.REBASE, link.kind, None, link.ajera_key, link.crm_key, crm.label, group=group, reason=reason)


# -- fields --------------------------------------------------------------------------------------


@dataclass
class _Merged:
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


def _merge_fields(
    s: Situation,
    link: Link,
    ajera: Record,
    crm: Record,
    base: Base,
    writable: frozenset[Side],
    coming: Mapping[tuple[Kind, Side, str], str],
) -> _Merged:
    merged = _Merged()
    if link.kind is Kind.PROJECT and ajera.marked and SYNC_TO_CRM not in base:
        merged.pairs[SYNC_TO_CRM] = Pair(True, None)
    for spec in s.policy.active_fields(link.kind):
        if spec.name not in ajera.fields or spec.name not in crm.fields or spec.name == "firm":
            continue  # not read: decides nothing; the firm goes by the client's list (entries.py)
        if s.mode.one_way and spec.kind is Kind.PROJECT and spec.group in ACCOUNTING_GROUPS:
            continue  # money and dates are off before 8.09 (sync-rules 1)
        if spec.create_only or (spec.group in ("money", "budget") and not takes_money(crm)):
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
    merged: _Merged,
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
                merged.pairs[spec.name] = replace(pair, note=note)
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


__all__ = ["CLOSED", "SYNC_TO_CRM", "WAKE", "plan", "settled_pair"]
