"""Ticks made here that the CRM does not hold yet, and ticked contacts beyond a cap (sync-rules 2)."""

from __future__ import annotations

from collections.abc import Iterable

from core.model.link import Mark
from core.model.plan import Action, Change, Op, Refusal
from core.model.record import Record
from core.model.values import Kind, Side
from core.reconcile.accounting import takes_money
from core.reconcile.situation import Situation
from core.reconcile.ticks import Ticks


def mark_pushes(s: Situation) -> Iterable[Action]:
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


def over_the_cap(ticks: Ticks) -> Iterable[Refusal]:
    for record, where, cap in ticks.over:
        reason = f"{where} has more than {cap} ticked contacts; this one waits: untick another or this one"
        yield Refusal(Kind.CONTACT, Side.CRM, record.key, record.label, reason)
