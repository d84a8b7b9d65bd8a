"""The words of the header: what it says at which width. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo

from rich.cells import cell_len

from core.engine.clock import from_iso
from core.engine.views import Progress, Status
from core.model.plan import Mode
from core.ports import RunRecord
from core.text import safe_line
from tui.formatting import clock, count, countdown, cut, joined, wrap
from tui.glyphs import glyphs
from tui.session import Trouble
from tui.widgets.progress import progress_words

PROGRAM = "ajerasync"
_GAP = "   "


def mode_words(mode: Mode | None) -> str:
    """The direction and why: "two-way (Ajera 9.10)", "one-way, CRM to Ajera: Ajera 8.08 is before 8.09"."""
    if mode is None:
        return "not connected yet"
    if mode.one_way:
        return f"one-way, CRM to Ajera: {mode.reason}"
    return f"two-way ({mode.reason})"


def short_mode(mode: Mode | None) -> str:
    """The same in few cells."""
    if mode is None:
        return "not connected"
    return "one-way" if mode.one_way else "two-way"


def version_mode(mode: Mode | None) -> str:
    """The direction with the version that decides it: "one-way (Ajera 8.08.00)"."""
    version = f" (Ajera {mode.ajera_version})" if mode is not None and mode.ajera_version else ""
    return short_mode(mode) + version


def writes_of(run: RunRecord) -> int:
    """How many records a run wrote to the two systems."""
    return run.counts.get("create", 0) + run.counts.get("update", 0)


def last_words(run: RunRecord | None, now: datetime, zone: tzinfo | None = None) -> str:
    """ "last 10:30 ok, 14 writes"."""
    if run is None:
        return "no run yet"
    at = from_iso(run.finished)
    when = clock(at, zone)[:5] if (now - at).total_seconds() < 72_000 else f"{at.astimezone(zone):%d %b %H:%M}"
    return f"last {when} {run.outcome}, {count(writes_of(run), 'write')}"


def next_words(status: Status, now: datetime, zone: tzinfo | None = None) -> str:
    """ "next 10:45:00 (in 04:12)", or why there is none."""
    if not status.enabled:
        return "sync switched off"
    if not status.cron:
        return "no schedule"
    if status.paused:
        return "paused"
    due = next((at for text in status.next_runs if (at := from_iso(text)) > now), None)
    if due is None:
        return "no next run"
    near = (due - now).total_seconds() < 72_000
    when = clock(due, zone).removesuffix(":00") if near else f"{due.astimezone(zone):%a %d %b %H:%M}"
    return f"next {when} (in {countdown(due, now)})"


def header_line(
    status: Status, now: datetime, width: int, zone: tzinfo | None = None, *, readonly: bool = False
) -> str:
    """The first line: who and which way at the left, last and next run at the right, as much as fits."""
    company = safe_line(status.company, 40) or PROGRAM
    note = "read-only" if readonly else ""
    due = next_words(status, now, zone)
    last = last_words(status.last_run, now, zone)
    ended, when = last.partition(",")[0], due.partition(" (")[0]
    rights = (*(_GAP.join(pair) for pair in ((last, due), (ended, due), (ended, when))), due, when)
    program = PROGRAM if company == PROGRAM else f"{PROGRAM}  {company}"
    telling = tuple(
        joined((who, way, note))
        for way in dict.fromkeys((mode_words(status.mode), version_mode(status.mode)))
        for who in dict.fromkeys((program, company, cut(company, 16)))
    )
    brief = tuple(joined((who, short_mode(status.mode), note)) for who in (company, cut(company, 16), ""))
    return _fitting(telling, rights, width) or _fitting(brief, (*rights, ""), width) or f" {brief[-1]}"


def _fitting(lefts: Sequence[str], rights: Sequence[str], width: int) -> str:
    """Both halves as long as they can be; the left one is shortened before the right one. Empty: nothing fits."""
    for right in rights:
        for left in lefts:
            spare = width - 2 - cell_len(left) - cell_len(right)
            if spare >= (3 if right else 0):
                return f" {left}{' ' * spare}{right} "
    return ""


def progress_line(progress: Progress, doing: str, now: datetime) -> str:
    """The running work in words and numbers; empty when nothing goes on."""
    if progress.phase == "idle":
        return doing
    started = from_iso(progress.since) if progress.since else None
    if progress.phase == "applying" and progress.total:
        words = progress_words("writing", progress.done, progress.total, started, now)
        return joined((words, safe_line(progress.now, 60)))
    name = {"pulling": "reading both systems", "planning": "planning"}.get(progress.phase, progress.phase)
    return joined((name, safe_line(progress.now, 80) if progress.now not in (name, "planning") else ""))


def trouble_words(trouble: Trouble, now: datetime, width: int, zone: tzinfo | None = None) -> list[str]:
    """ "! since 10:42:07: Ajera cannot be reached at … · tried again by itself", in at most two lines."""
    same_day = (now - trouble.since).total_seconds() < 72_000
    since = clock(trouble.since, zone) if same_day else f"{trouble.since.astimezone(zone):%d %b %H:%M}"
    first, *more = wrap(joined((f"since {since}: {trouble.what}", trouble.brief)), width - 4, 2)
    return [f" {glyphs().flag('warning')} {first}", *(f"   {line}" for line in more)]


def header_lines(
    status: Status,
    progress: Progress,
    trouble: Trouble | None,
    doing: str,
    now: datetime,
    width: int,
    *,
    readonly: bool = False,
) -> str:
    """The header: one line, and one more for each thing that goes on or is wrong."""
    lines = [header_line(status, now, width, readonly=readonly)]
    if running := progress_line(progress, doing, now):
        lines.append(f" {glyphs().arrow} {running}   (x stops)")
    if trouble is not None:
        lines += trouble_words(trouble, now, width)
    elif status.stale:
        lines.append(f" {glyphs().flag('warning')} stale: {safe_line(status.stale_reason)}")
    return "\n".join(lines)
