"""Questions before what cannot be taken back: a run, leaving while something goes on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from core.model.plan import Action, Op, Plan
from core.model.values import KIND_ORDER, Kind, Side
from core.text import safe_line
from tui.formatting import count
from tui.glyphs import glyphs
from tui.widgets.ask import Ask, Choice

SHOWN_ACTIONS: Final = 12
SHOWN_UNSEEN: Final = 8
_WHERE: Final = {Side.AJERA: "in Ajera", Side.CRM: "in the CRM"}
_SIGN: Final = {Op.CREATE: "+", Op.UPDATE: "~", Op.LINK: "=", Op.UNLINK: "-", Op.REBASE: " "}


def summary(actions: Iterable[Action]) -> list[str]:
    """Counts per operation, kind and side: "3 firms created in Ajera", "2 contacts linked"."""
    groups = Counter((action.side, action.op, action.kind) for action in actions)
    lines = []
    for (side, op, kind), number in sorted(groups.items(), key=_writes_first):
        done = {Op.CREATE: "created", Op.UPDATE: "updated", Op.LINK: "linked", Op.UNLINK: "unlinked"}.get(op)
        if done is None:
            continue  # a rebase only remembers that both sides agree
        where = _WHERE.get(side, "") if side and op in (Op.CREATE, Op.UPDATE) else "here only"
        lines.append(f"{count(number, kind.value)} {done} {where}")
    return lines


def _writes_first(item: tuple[tuple[Side | None, Op, Kind], int]) -> tuple[bool, str, str, int]:
    (side, op, kind), _ = item
    writes = op in (Op.CREATE, Op.UPDATE)
    return not writes, str(side or ""), op.value, KIND_ORDER[kind]


def action_line(action: Action) -> str:
    """One action: "+ firm Acme Supplies: created in Ajera", "~ firm Acme: website, phone in the CRM"."""
    head = f"{_SIGN[action.op]} {action.kind} {safe_line(action.label, 60)}"
    if action.op is Op.CREATE and action.side:
        tail = f" {glyphs().arrow} {action.side.value}" + (f", template {action.template}" if action.template else "")
    elif action.op is Op.UPDATE and action.side:
        tail = f": {', '.join(sorted(action.fields))} {glyphs().arrow} {action.side.value}"
    else:
        tail = f": {action.reason}" if action.reason else ""
    return safe_line(head + tail, 160)


def plan_lines(plan: Plan, unseen: Sequence[str] = ()) -> list[str]:
    """What a dialog says of a plan: counts, guards, the first actions, what waits, ticks out of view by name."""
    lines = summary(plan.actions) or ["Nothing would be written: both systems are in step."]
    if not plan.guards and any(action.op in (Op.CREATE, Op.LINK) for action in plan.actions):
        lines.append("then what follows from new pairs: hours, money and lists of contacts")
    for guard in plan.guards:
        lines += ["", f"{glyphs().flag('warning')} Guard: {guard.message}"]
        lines += [f"    {safe_line(record, 70)}" for record in guard.records[:SHOWN_UNSEEN]]
    shown = [*plan.writes, *(action for action in plan.actions if action.op in (Op.LINK, Op.UNLINK))]
    if shown:
        lines += ["", *(action_line(action) for action in shown[:SHOWN_ACTIONS])]
        if len(shown) > SHOWN_ACTIONS:
            lines.append(f"  {glyphs().ellipsis} and {count(len(shown) - SHOWN_ACTIONS, 'more action')}")
    waiting = {name: number for name, number in plan.counts().items() if name in _WAITING and number}
    if waiting:
        words = ", ".join(f"{number} {_WAITING[name]}" for name, number in waiting.items())
        lines += ["", f"Waiting for a person, not touched: {words}."]
    if unseen:
        more = f" and {len(unseen) - SHOWN_UNSEEN} more" if len(unseen) > SHOWN_UNSEEN else ""
        names = "; ".join(safe_line(name, 40) for name in unseen[:SHOWN_UNSEEN])
        lines += ["", f"Ticked but not in view: {names}{more}."]
    return lines


_WAITING: Final = {
    "conflict": "conflicts", "candidate": "candidates", "difference": "differences", "drift": "drifted fields",
    "refused": "refused",
}  # fmt: skip


class RunAsk(Ask):
    """What a run would write; it begins only after Cancel was left and the answer taken."""

    HELP = "This is what the run writes. w writes it; escape leaves everything as it is. Page keys scroll."

    def __init__(self, plan: Plan, unseen: Sequence[str] = ()) -> None:
        writes = len(plan.writes)
        title = f"Write to both systems? {count(writes, 'record change')}" if writes else "Remember the new links?"
        super().__init__(
            title,
            plan_lines(plan, unseen),
            (
                Choice(
                    "run",
                    f"Write {count(writes, 'change')}" if writes else "Remember",
                    grave=bool(plan.guards),
                    key="w",
                    does="writes" if writes else "remembers them",
                ),
            ),
            retype=str(len(plan.actions)) if plan.guards else "",
        )


class QuitAsk(Ask):
    """What would stop."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__("Quit?", [line for reason in reasons for line in (reason, "")][:-1],
                         (Choice("quit", "Quit", key="Q", does="quits"),), cancel="Stay")  # fmt: skip
