"""Reports of doctor, probes and rehearsal in lines, from their JSON documents. Pure. All of it is outside text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from core.model.plan import NO_PLAN, Op, Plan, plan_from_json
from tui.checkup import Checkup
from tui.formatting import count, joined
from tui.glyphs import glyphs
from tui.modals.confirm import action_line, summary
from tui.screens.values import local
from tui.widgets.text_lines import Line, labelled, paragraph

_STATES: Final = (
    ("fail", "Wrong", "bad", "error"),
    ("warn", "To look at", "warn", "warning"),
    ("ok", "In order", "good", "ok"),
)
_SHOWN: Final = 300  # actions of a rehearsed plan; all of them are in `ajerasync rehearse --json`


def checkup_lines(checkup: Checkup, width: int) -> list[Line]:
    """What a check found; while it goes on, what it said so far."""
    if checkup.report is None:
        lines = paragraph(checkup.wrong, width, style="bad", limit=40) if checkup.wrong else []
        if checkup.going_on and not checkup.told:
            return paragraph("At work beside this program; it says so when it is done.", width, style="muted")
        return [*lines, *(line for told in checkup.told for line in paragraph(told, width, style="muted"))]
    document = checkup.report.document
    try:
        if checkup.what == "doctor":
            return doctor_lines(document, width)
        return probe_lines(document, width) if checkup.what == "probe" else rehearsal_lines(document, width)
    except NO_PLAN as error:
        return paragraph(f"The report cannot be read ({type(error).__name__}).", width, style="bad")


def brief_words(checkup: Checkup) -> str:
    """The result in few words, for where there is little room."""
    if checkup.report is None:
        return checkup.wrong.partition("\n")[0]
    document = checkup.report.document
    try:
        if checkup.what == "doctor":
            states = [each["state"] for each in document]
            told = [count(states.count("fail"), "failure"), count(states.count("warn"), "warning")]
            return ", ".join(word for word in told if not word.startswith("0 ")) or "all in order"
        if checkup.what == "probe":
            return f"{sum(each['value'] is not None for each in document['switches'])} switches found"
        return f"{document['run']['outcome']}, {_done(document['run']['counts'])}"
    except (KeyError, TypeError, AttributeError):
        return "done"


# -- doctor ----------------------------------------------------------------------------------------------------


def doctor_lines(checks: Sequence[Mapping[str, Any]], width: int) -> list[Line]:
    """Wrong first, then what to look at, then what is in order; each with its way out."""
    lines: list[Line] = []
    for state, title, style, flag in _STATES:
        found = [each for each in checks if each["state"] == state]
        if found:
            lines.append((f" {title} ({len(found):,})", "strong"))
            for each in found:
                lines += _check(each, style, flag, width)
            lines.append(("", ""))
    return lines


def _check(each: Mapping[str, Any], style: str, flag: str, width: int) -> list[Line]:
    text = f"{glyphs().flag(flag)} {each['check']}: {each['message']}"
    lines = paragraph(text, width, style="" if style == "good" else style, indent=2)
    if each["way_out"]:
        lines += paragraph(f"{glyphs().arrow} {each['way_out']}", width, indent=6)
    return lines


# -- probes ----------------------------------------------------------------------------------------------------


def probe_lines(document: Mapping[str, Any], width: int) -> list[Line]:
    """What was found, then what could not be told and why, then the settings to be written."""
    lines: list[Line] = []
    for side, words in document["failed"].items():
        lines += paragraph(f"{side}: {words}", width, style="bad", indent=2)
    if document["left"]:
        lines.append((f" Could not be taken away again ({len(document['left']):,})", "warn"))
    for name in document["left"]:
        lines += paragraph(f"{glyphs().flag('warning')} {name}", width, style="warn", indent=2)
    switches = document["switches"]
    for title, known in (("Found", True), ("Not told by this tenant", False)):
        rows = [each for each in switches if (each["value"] is not None) is known]
        if rows:
            lines += [("", ""), (f" {title} ({len(rows):,})", "strong")]
            for each in rows:
                lines += _switch(each, width)
    if document["toml"].strip():
        lines += [("", ""), (" For the settings file (K writes it)", "strong")]
        lines += [line for text in document["toml"].splitlines() for line in paragraph(text, width, indent=3)]
    return lines


def _switch(each: Mapping[str, Any], width: int) -> list[Line]:
    value = "" if each["value"] is None else f" = {str(each['value']).lower()}"
    lines = paragraph(f"{each['side']}.{each['switch']}{value}", width, indent=3)
    return lines + paragraph(each["how"], width, style="muted", indent=6)


# -- rehearsal -------------------------------------------------------------------------------------------------


def rehearsal_lines(document: Mapping[str, Any], width: int) -> list[Line]:
    """What a run with these settings would write, what waits, what failed on the copy, and what is not in the copy."""
    run = document["run"]
    style = "" if run["outcome"] == "ok" else "warn" if run["outcome"] in ("partial", "cancelled") else "bad"
    lines = labelled("On a copy of", local(document["copied_at"]), width)
    lines += labelled("Outcome", joined((run["outcome"], run["message"])), width, style=style)
    lines += labelled("Done there", _done(run["counts"]), width)
    lines += labelled("Waiting", _waiting(document["queues"]), width)
    lines += paragraph("Nothing was written to either live system.", width, style="muted")
    if document["plan"]:
        lines += _plan_lines(plan_from_json(document["plan"]), width)
    if document["errors"]:
        lines += [("", ""), (f" Failed on the copy ({len(document['errors']):,})", "bad")]
        for each in document["errors"]:
            lines += paragraph(f"{each['kind']} {each['label']}: {each['message']}", width, indent=3)
    lines += [("", ""), (" Not in the copy", "strong")]
    return lines + [line for each in document["not_copied"] for line in paragraph(f"- {each}", width, indent=3)]


def _plan_lines(plan: Plan, width: int) -> list[Line]:
    lines: list[Line] = [("", ""), (" What the next run would write", "strong")]
    for text in summary(plan.actions) or ["Nothing: both systems are in step."]:
        lines += paragraph(text, width, indent=2)
    for guard in plan.guards:
        lines += paragraph(f"{glyphs().flag('warning')} Guard: {guard.message}", width, style="warn", indent=2)
    told = [*plan.writes, *(action for action in plan.actions if action.op in (Op.LINK, Op.UNLINK))]
    lines += [line for action in told[:_SHOWN] for line in paragraph(action_line(action), width, indent=3)]
    if len(told) > _SHOWN:
        lines += paragraph(f"and {len(told) - _SHOWN:,} more", width, indent=3, style="muted")
    if plan.refused:
        lines += [("", ""), (f" Refused ({len(plan.refused):,})", "strong")]
        for refusal in plan.refused[:_SHOWN]:
            lines += paragraph(f"{refusal.kind} {refusal.label}: {refusal.reason}", width, indent=3)
    return lines


def _done(counts: Mapping[str, Any]) -> str:
    told = [f"{counts[name]:,} {word}" for name, word in _DONE if counts.get(name)]
    return ", ".join(told) or "nothing to write"


_DONE: Final = (
    ("create", "created"),
    ("update", "updated"),
    ("link", "linked"),
    ("unlink", "unlinked"),
    ("failed", "failed"),
)


def _waiting(queues: Mapping[str, Any]) -> str:
    return ", ".join(f"{number:,} {name}" for name, number in queues.items() if number) or "nothing"
