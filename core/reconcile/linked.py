"""Linked records: ended where one is gone, woken, merged, put to sleep (sync-rules 5 and 6)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from core.model.link import Base, Link, LinkState
from core.model.plan import Action, Change, Op, Refusal
from core.model.record import Record
from core.model.values import Kind, Side
from core.policy import STATUS_WORDS
from core.reconcile.accounting import NO_BUDGET, NOTE, takes_money
from core.reconcile.fields import merge_fields
from core.reconcile.merge import (
    SYNC_TO_CRM,
    UNDONE,
)
from core.reconcile.normalize import canonical
from core.reconcile.parts import Parts
from core.reconcile.scope import Scope
from core.reconcile.situation import Situation
from core.reconcile.team import team_changes
from core.reconcile.ticks import Ticks
from core.reconcile.unlinked import link_action

CLOSED, WAKE = "closed", "wake"


def links_of(s: Situation, scope: Scope, kind: Kind) -> Iterable[Link]:
    """The links to follow, in order; left out are those of which it is plain that nothing follows."""
    if scope.everything:
        found: Iterable[Link] = (link for (of, _), link in s.links.by_ajera.items() if of is kind)
    else:
        linked = (s.links.of(*each) for each in scope.decided if each[0] is kind)
        found = {link.id: link for link in linked if link is not None}.values()
    # A project has more than its fields: hours, notes, and a status that puts it to sleep.
    followed = found if kind is Kind.PROJECT else _not_in_step(s, kind, found)
    return sorted(followed, key=lambda link: link.ajera_key)


def _not_in_step(s: Situation, kind: Kind, links: Iterable[Link]) -> Iterable[Link]:
    ajera, crm = s.of(kind, Side.AJERA), s.of(kind, Side.CRM)
    bases, in_step, active, prefix = s.bases, s.in_step[kind], LinkState.ACTIVE, f"{kind}:"
    gone = {(side, key) for of, side, key in s.gone if of is kind}
    for link in links:
        ours, theirs = ajera.get(link.ajera_key), crm.get(link.crm_key)
        if (
            ours is None
            or theirs is None
            or link.state is not active
            or (gone and not gone.isdisjoint(((Side.AJERA, ours.key), (Side.CRM, theirs.key))))
            or not in_step(bases.get(prefix + link.ajera_key, {}), ours.fields, theirs.fields)
        ):
            yield link


def follow_link(s: Situation, ticks: Ticks, link: Link, parts: Parts) -> None:
    ajera = s.record(link.kind, Side.AJERA, link.ajera_key)
    crm = s.record(link.kind, Side.CRM, link.crm_key)
    missing = [side for side in Side if (link.kind, side, link.key(side)) in s.gone]
    if link.state is LinkState.GONE:
        if ajera and crm and not missing:  # the key came back
            parts.actions.append(replace(link_action(ajera, crm, "came back"), pairs={}))
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


def _merge_pair(s: Situation, ticks: Ticks, link: Link, ajera: Record, crm: Record, parts: Parts) -> None:
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
    result = merge_fields(s, link, ajera, crm, base, writable, parts.coming)
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


def _project_extras(s: Situation, link: Link, ajera: Record, crm: Record, parts: Parts) -> bool:
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
