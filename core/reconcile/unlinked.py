"""Records that take part and have no link: linked, held for a person, or created (sync-rules 4)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial

from core.model.link import Link, Links, LinkState
from core.model.plan import Action, Candidate, Op, Refusal
from core.model.record import Record
from core.model.values import Kind, Side
from core.reconcile.creates import ASKED, creation_of, same_name_twice
from core.reconcile.match import Found, Maybe, NotProven, find_partner, ruled_out
from core.reconcile.parts import Parts
from core.reconcile.scope import Scope
from core.reconcile.situation import Situation
from core.reconcile.ticks import Ticks


def place_unlinked(s: Situation, ticks: Ticks, scope: Scope, kind: Kind, parts: Parts) -> None:
    creates: list[Action] = []
    for side, key, reason in _wanting(s, ticks, scope, kind):
        if (kind, side, key) in parts.coming:
            continue  # linked by this plan from the other side
        if not scope.has(kind, side, key):
            continue  # decided before
        record = s.of(kind, side)[key]
        if record.id in s.unsettled:
            parts.refused.append(_waits(record, "an earlier write of it has no known outcome yet"))
            continue
        _seek(s, ticks, record, reason, parts, creates)
    kept, waiting = same_name_twice(creates)
    for action in kept:
        parts.actions.append(action)
        announce(parts, action)
    for action, first in waiting:
        parts.candidates.append(_namesake(action, first))


def _seek(s: Situation, ticks: Ticks, record: Record, reason: str, parts: Parts, creates: list[Action]) -> None:
    """Link it, hold it, or have it created."""
    if ruled_out(s, record):
        return  # an operator said never
    match find_partner(s, record):
        case Found(partner, _) if partner.id in parts.coming:  # links are one to one
            parts.refused.append(_waits(record, f"{partner.label} is linked with another record by this plan"))
        case Found(partner, why):
            action = link_action(record, partner, why)
            parts.actions.append(action)
            announce(parts, action)
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


def announce(parts: Parts, action: Action) -> None:
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


def _wanting(s: Situation, ticks: Ticks, scope: Scope, kind: Kind) -> Iterable[tuple[Side, str, str]]:
    """Unlinked records that take part, with the reason: side, key, reason."""
    unlinked = partial(s.links.unlinked, kind)
    if kind is Kind.EMPLOYEE:
        # They go to the CRM from 8.09; before, they are only matched (sync-rules 1).
        for key in unlinked(Side.AJERA, scope.keys(s, kind, Side.AJERA)):
            if s.of(kind, Side.AJERA)[key].fields.get("status") == "Active":
                yield Side.AJERA, key, "an active employee of Ajera"
        return
    ticked = ticks.of(kind)
    for key in unlinked(Side.CRM, ticked):
        yield Side.CRM, key, "ticked for sync"
    for key in unlinked(Side.CRM, (key for of, key in ticks.brought if of is kind and key not in ticked)):
        yield Side.CRM, key, f"with project {ticks.brought[kind, key]}"
    for key in unlinked(Side.AJERA, (key for of, key in ticks.to_crm if of is kind)):
        if key in s.of(kind, Side.AJERA):
            yield Side.AJERA, key, "ticked for the CRM"


def link_action(record: Record, partner: Record, reason: str) -> Action:
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


def with_links(links: Links, actions: list[Action], kind: Kind) -> Links:
    """The links as they will be: what this plan links counts for the kinds that follow."""
    new = (a for a in actions if a.op is Op.LINK and a.kind is kind)
    return links.with_(Link(kind, a.ajera_key, a.crm_key, reason=a.reason) for a in new if a.ajera_key and a.crm_key)


def without_gone(links: Links, actions: list[Action], kind: Kind) -> Links:
    """The links as they will be: what this plan unlinks is named by no later action of it."""
    gone = ((a, links.of(kind, Side.AJERA, a.ajera_key or "")) for a in actions if a.op is Op.UNLINK and a.kind is kind)
    return links.with_(replace(link, state=LinkState.GONE, gone_side=a.side) for a, link in gone if link is not None)
