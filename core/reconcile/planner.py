"""One plan from one situation: the whole of what a run decides.

Kinds go in order (employees, firms, contacts, projects), since a later kind names records of an
earlier one: what is linked or created in this plan counts for what follows.
"""

from __future__ import annotations

from dataclasses import replace

from core.model.plan import Candidate, Item, Plan, make_plan
from core.model.values import Kind
from core.reconcile import guard
from core.reconcile.entries import contact_entries
from core.reconcile.linked import follow_link, links_of
from core.reconcile.parts import Parts
from core.reconcile.pushes import mark_pushes, over_the_cap
from core.reconcile.scope import scope_of
from core.reconcile.situation import Situation
from core.reconcile.ticks import ticks_in_effect
from core.reconcile.unlinked import place_unlinked, with_links, without_gone


def plan(s: Situation) -> Plan:
    """What a run would do now. Pure: the same situation gives the same plan (law 1)."""
    scope = scope_of(s)
    ticks = ticks_in_effect(s, scope)
    parts = Parts()
    parts.actions += mark_pushes(s)
    parts.refused += over_the_cap(ticks)
    for kind in Kind:
        place_unlinked(s, ticks, scope, kind, parts)
        s = replace(s, links=with_links(s.links, parts.actions, kind))
        for link in links_of(s, scope, kind):
            follow_link(s, ticks, link, parts)
        s = replace(s, links=without_gone(s.links, parts.actions, kind))
    parts.actions += contact_entries(s, ticks, scope, parts.coming)
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
