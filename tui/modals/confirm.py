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
_WHERE: Final = {Side.AJERA: "In Ajera", Side.CRM: "In the CRM"}
_TO: Final = {Side.AJERA: "Ajera", Side.CRM: "the CRM"}
_WRITES: Final = (Op.CREATE, Op.UPDATE)
# A rebase only remembers that both sides agree: it is not counted here.
_DONE: Final = {Op.CREATE: "created", Op.UPDATE: "updated", Op.LINK: "linked", Op.UNLINK: "unlinked"}
_SIGN: Final = {Op.CREATE: "+", Op.UPDATE: "~", Op.LINK: "=", Op.UNLINK: "-", Op.REBASE: " "}


def summary(actions: Iterable[Action]) -> list[str]:
    """Counts per side and act: "In Ajera: 3 firms, 1 project created"; at last what is only kept here."""
    groups: dict[str, dict[str, Counter[Kind]]] = {}
    for action in actions:
        where = _WHERE.get(action.side) if action.side and action.op in _WRITES else "Here only"
        if action.op in _DONE and where:
            groups.setdefault(where, {}).setdefault(_DONE[action.op], Counter())[action.kind] += 1
    return [
        f"{where}: {_kinds(groups[where][done])} {done}"
        for where in (*_WHERE.values(), "Here only")
        for done in _DONE.values()
        if done in groups.get(where, {})
    ]


def _kinds(numbers: Counter[Kind]) -> str:
    return ", ".join(count(numbers[kind], kind.value) for kind in sorted(numbers, key=KIND_ORDER.__getitem__))


def action_line(action: Action) -> str:
    """One action: "+ firm Acme Supplies: created in Ajera", "~ firm Acme: website, phone in the CRM"."""
    head = f"{_SIGN[action.op]} {action.kind} {safe_line(action.label, 60)}"
    if action.op is Op.CREATE and action.side:
        tail = f" {glyphs().arrow} {_TO[action.side]}" + (f", template {action.template}" if action.template else "")
    elif action.op is Op.UPDATE and action.side:
        tail = f": {', '.join(_field(name) for name in sorted(action.fields))} {glyphs().arrow} {_TO[action.side]}"
    else:
        tail = f": {action.reason}" if action.reason else ""
    return safe_line(head + tail, 160)


def _field(name: str) -> str:
    """A field's name in words."""
    return {"mark": "tick"}.get(name, name.partition(":")[0].replace("_", " "))


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
        words = ", ".join(
            f"{number:,} {_WAITING[name].removesuffix('s' * (number == 1))}" for name, number in waiting.items()
        )
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
