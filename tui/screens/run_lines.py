"""Runs in words and lines: the list, the last day at a glance, what one run did field by field. Pure but for names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final

from core.engine.service import Service
from core.model.plan import Action, Op, Plan
from core.model.values import KIND_ORDER, EntryEdit
from core.ports import HistoryEntry, RunRecord
from tui.formatting import age, count, duration, joined
from tui.glyphs import glyphs
from tui.modals.confirm import summary
from tui.screens.plan_lines import WAITS, action_title, field_names
from tui.screens.values import BLANK, field_label, local, parsed, value_words
from tui.screens.words import writes_of
from tui.widgets.chart import Bar, spark, spark_words
from tui.widgets.columns import Column
from tui.widgets.outline import Entry, Line, Section
from tui.widgets.record_table import Row
from tui.widgets.text_lines import labelled, paragraph

COLUMNS: Final = (
    Column("started", "Started", 16),
    Column("outcome", "Outcome", 9),
    Column("trigger", "By", 8, priority=3),
    Column("writes", "Writes", 7, align="right"),
    Column("errors", "Errors", 6, align="right", priority=1),
    Column("requests", "Requests", 8, align="right", priority=4),
    Column("took", "Took", 10, align="right", priority=2),
    Column("message", "What was said", 14, flex=1, priority=5, sortable=False),
)
FIELDS: Final = ("started", "outcome", "trigger", "message", "id")
_STYLES: Final = {"failed": "bad", "refused": "bad", "partial": "warn", "cancelled": "warn"}
_FLAGS: Final = {"ok": "ok", "partial": "warning", "failed": "error", "refused": "refused", "cancelled": "warning"}
_TOLD: Final = (
    ("create", "created"), ("update", "updated"), ("link", "linked"), ("unlink", "unlinked"), ("failed", "failed"),
    ("skipped", "skipped"),
)  # fmt: skip
_ENTRY_COLUMNS: Final = (Column("label", "Record", 16, flex=2, most=40), Column("what", "What", 12, flex=3))
CHARTED: Final = 60


def run_row(run: RunRecord, undo: RunRecord | None = None) -> Row:
    """One run in the list. `undo` is the run that took it back."""
    requests, errors = sum(run.requests.values()), run.counts.get("failed", 0)
    took = duration(run.seconds) if run.finished else "running" if run.outcome == "running" else ""
    outcome = run.outcome if undo is None else "undone"
    said = run.message if undo is None else joined((undone_words(undo), run.message))
    cells = (local(run.started), outcome, run.trigger, f"{writes_of(run):,}", f"{errors:,}" if errors else "",
             f"{requests:,}", took, said)  # fmt: skip
    sort = (run.started, outcome, run.trigger, writes_of(run), errors, requests, run.seconds, said)
    return Row(run.id, cells, sort=sort, style="muted" if undo else _STYLES.get(run.outcome, ""),
               flag="dormant" if undo else _FLAGS.get(run.outcome, "changed"), tickable=False, data=run)  # fmt: skip


def undone_words(undo: RunRecord) -> str:
    """ "taken back 2026-03-02 10:31", and how that ended where it did not end well."""
    how = {"ok": "", "partial": "in part, "}.get(undo.outcome, f"{undo.outcome}, ")
    return f"taken back {how}{local(undo.started)}"


def day_words(runs: Sequence[RunRecord], now: datetime, last_good: str | None) -> str:
    """The last 24 hours in one sentence: "Last 24 h: 12 runs (11 ok, 1 failed), 34 records written, 2 errors"."""
    recent = [run for run in runs if (at := parsed(run.started)) and now - at <= timedelta(hours=24) and run.finished]
    good = parsed(last_good)
    last = f"last good run {age(good, now)}" if good else "no good run yet"
    if not recent:
        return joined(("No run in the last 24 hours", last))
    outcomes = ", ".join(
        f"{number:,} {outcome}" for outcome, number in Counter(run.outcome for run in recent).most_common()
    )
    written, errors = sum(map(writes_of, recent)), sum(run.counts.get("failed", 0) for run in recent)
    head = f"Last 24 h: {count(len(recent), 'run')} ({outcomes})"
    return joined((head, f"{count(written, 'record')} written", count(errors, "error"), last))


def spark_lines(runs: Sequence[RunRecord], width: int) -> list[str]:
    """Writes and seconds of the last runs as columns, with the numbers in words."""
    shown = [run for run in reversed(runs[:CHARTED]) if run.finished]
    if not shown:
        return []
    series = (
        ("writes", [float(writes_of(run)) for run in shown]),
        ("seconds", [round(run.seconds, 1) for run in shown]),
    )
    room = max(8, min(len(shown), width - 46))
    return [f"{name:<8} {spark(values, room)}  {spark_words(values)}" for name, values in series]


def run_bars(runs: Sequence[RunRecord], number: int) -> list[Bar]:
    """The last runs, newest first: writes as bars, with outcome, errors and time in words."""
    bars = []
    for run in [run for run in runs if run.finished][:number]:
        errors = run.counts.get("failed", 0)
        text = joined((count(writes_of(run), "write"), count(errors, "error") if errors else "", run.outcome))
        bars.append(Bar(local(run.started)[5:], float(writes_of(run)), text, _STYLES.get(run.outcome, "")))
    return bars


# -- one run ---------------------------------------------------------------------------------------------------


def run_facts(run: RunRecord, width: int, undo: RunRecord | None = None) -> list[Line]:
    """What the run's record says. `undo` is the run that took it back."""
    told = ", ".join(f"{run.counts[name]:,} {word}" for name, word in _TOLD if run.counts.get(name))
    left = ", ".join(count(run.counts[name], one, many) for name, one, many in WAITS if run.counts.get(name))
    requests = ", ".join(
        f"{number:,} to {'Ajera' if side == 'ajera' else 'the CRM'}" for side, number in run.requests.items()
    )
    took = f"{duration(run.seconds)}, ended {local(run.finished)}" if run.finished else "still running"
    lines = labelled("Outcome", run.outcome, width, style=_STYLES.get(run.outcome, ""))
    if undo is not None:
        lines += labelled("Undone", f"{undone_words(undo)}, by the run {undo.id}", width, style="warn")
    if run.message:
        lines += labelled("Said", run.message, width, style=_STYLES.get(run.outcome, ""))
    nothing = "nothing: both systems were in step" if run.outcome == "ok" else "nothing"
    lines += labelled("Done", told or (nothing if run.finished else "what is done so far stands below"), width)
    if left:
        lines += labelled("Left waiting", left, width)
    lines += labelled("Started", f"{local(run.started)} by {run.trigger}", width) + labelled("Took", took, width)
    lines += labelled("Requests", requests or ("none" if run.finished else "counted when it ends"), width)
    return lines + labelled(
        "Run", joined((run.id, run.mode, f"plan {run.digest[:12]}" if run.digest else "")), width, style="muted"
    )


def run_sections(
    service: Service, run: RunRecord, history: Sequence[HistoryEntry], undo: RunRecord | None = None
) -> list[Section]:
    """The run's record, then what it did, grouped; failures first. `undo` is the run that took it back."""
    outcome = joined((run.outcome, "undone" if undo else "", count(writes_of(run), "write")))
    head = Entry(f"run-{run.id}", (f"Run of {local(run.started)}", outcome),
                 flag=_FLAGS.get(run.outcome, ""), style=_STYLES.get(run.outcome, ""), lines=lambda width: run_facts(run, width, undo))  # fmt: skip
    sections = [Section("run", "Run", _ENTRY_COLUMNS, [head])]
    wrong = [entry for entry in history if entry.outcome != "done"]
    if wrong:
        entries = [history_entry(service, entry) for entry in wrong]
        sections.append(Section("wrong", "Not done", _ENTRY_COLUMNS, entries, note=f"{len(wrong):,}", style="bad"))
    done = [entry for entry in history if entry.outcome == "done"]
    for title, members in _grouped(done):
        entries = [history_entry(service, entry) for entry in members]
        sections.append(Section(title, title, _ENTRY_COLUMNS, entries, note=f"{len(members):,}"))
    return sections


def _grouped(entries: Sequence[HistoryEntry]) -> list[tuple[str, list[HistoryEntry]]]:
    def title(entry: HistoryEntry) -> str:
        try:
            return action_title(Op(entry.op), entry.side, entry.kind)
        except ValueError:  # an older or newer program's word: shown as it is
            return f"{entry.op.capitalize()}: {entry.kind}"

    def order(entry: HistoryEntry) -> tuple[int, str, int, str]:
        ops = ("create", "update", "link", "unlink", "rebase")
        place = ops.index(entry.op) if entry.op in ops else len(ops)
        return place, entry.side or "", KIND_ORDER[entry.kind], title(entry)

    return [(name, list(members)) for name, members in groupby(sorted(entries, key=order), key=title)]


def history_entry(service: Service, entry: HistoryEntry) -> Entry:
    """One thing done to one record."""
    names = field_names(service, entry.kind, entry.fields)
    wrong = entry.outcome != "done"
    what = joined((f"{entry.outcome}: {entry.message}", names)) if wrong else joined((names, entry.message))
    if len(entry.fields) == 1 and not wrong and entry.op == "update":
        ((name, (before, after, _)),) = entry.fields.items()
        old, new = (value_words(service, entry.kind, name, value) or BLANK for value in (before, after))
        what = f"{names}: {old} {glyphs().arrow} {new}"
    flag = "ok" if not wrong else "warning" if entry.outcome == "skipped" else "error"
    return Entry(entry.id, (entry.label, what), flag=flag, style="bad" if flag == "error" else "",
                 lines=lambda width: history_lines(service, entry, width))  # fmt: skip


def history_lines(service: Service, entry: HistoryEntry, width: int) -> list[Line]:
    """From → to and the rule of each field; what was lost by an automatic choice; keys and time."""
    lines: list[Line] = []
    for name, (before, after, rule) in sorted(entry.fields.items()):
        old, new = (value_words(service, entry.kind, name, value) or BLANK for value in (before, after))
        told = new if entry.op == "create" else f"{old} {glyphs().arrow} {new}"
        lines += labelled(field_label(service, entry.kind, name), told, width, room=20)
        if rule and rule != entry.message:
            lines += labelled("", f"rule: {rule}", width, room=20, style="muted")
        if name in entry.lost:
            lost = value_words(service, entry.kind, name, entry.lost[name]) or BLANK
            lines += labelled("", f"overwritten: {lost}", width, room=20, style="warn")
    if entry.message:
        lines += labelled(
            "Why" if entry.outcome == "done" else entry.outcome, entry.message, width, room=20, style="muted"
        )
    keys = joined((f"CRM {entry.crm_key}" if entry.crm_key else "", f"Ajera {entry.ajera_key}" if entry.ajera_key else "",
                   local(entry.at)))  # fmt: skip
    return [*lines, *labelled("Keys, time", keys, width, room=20, style="muted")]


# -- taking a run back -----------------------------------------------------------------------------------------


_SLEEPS: Final = "Link sleeps"


def undo_lines(service: Service, run: RunRecord, plan: Plan, width: int) -> list[Line]:
    """Everything an undo would write, record by record and field by field; then what it leaves alone, and why."""
    lines: list[Line] = []
    for line in summary(plan.actions):
        lines += paragraph(line, width, style="strong")
    if plan.actions:
        told = (
            "Fields that go back wait as conflicts in the Inbox (key 5): no side writes them until you settle them. What the "
            "run created or linked is unticked, and its link sleeps; what it created becomes inactive."
        )
        lines += [*paragraph(told, width, style="muted"), ("", "")]
    else:
        lines += [*paragraph("Nothing is left to take back.", width, style="strong"), ("", "")]
    for title, actions in _actions_by_title(plan):
        lines.append((f" {title} ({len(actions):,})", "strong"))
        for action in actions:
            lines += _undo_action(service, action, width)
        lines.append(("", ""))
    if plan.refused:
        lines.append((f" Cannot be taken back, left as it is ({len(plan.refused):,})", "warn"))
        for refusal in plan.refused:
            field = field_label(service, refusal.kind, refusal.field) if refusal.field else ""
            name = joined((f"{refusal.kind} {refusal.label or refusal.key}", field), ": ")
            lines += paragraph(name, width, indent=3)
            lines += paragraph(refusal.reason, width, indent=5, style="muted")
        lines.append(("", ""))
    return lines + labelled("Run", joined((run.id, local(run.started))), width, style="muted")


def _actions_by_title(plan: Plan) -> list[tuple[str, list[Action]]]:
    grouped: dict[str, list[Action]] = {}
    for action in plan.actions:
        title = _SLEEPS if action.op is Op.REBASE else action_title(action.op, action.side, action.kind)
        grouped.setdefault(title, []).append(action)
    return sorted(grouped.items(), key=lambda one: one[0] == _SLEEPS)  # what is written comes first


def _undo_action(service: Service, action: Action, width: int) -> list[Line]:
    keys = joined(
        (f"CRM {action.crm_key}" if action.crm_key else "", f"Ajera {action.ajera_key}" if action.ajera_key else "")
    )
    lines = paragraph(f"{action.kind} {action.label}  ({keys})", width, indent=3)
    for name, change in sorted(action.fields.items()):
        before, after = (value_words(service, action.kind, name, each) or BLANK for each in (change.frm, change.to))
        told = after if isinstance(change.to, EntryEdit) else f"{before} {glyphs().arrow} {after}"
        lines += labelled(field_label(service, action.kind, name), told, width, room=20, indent=5)
    return lines
