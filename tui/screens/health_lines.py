"""Is it healthy? Schedule, mode, last good run, both systems, stopped fields, locks and paths, in lines. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Any, Final

from core.engine.views import Status
from core.text import safe_line
from tui.formatting import age, count, countdown, joined, moment
from tui.glyphs import glyphs
from tui.screens.cron_words import cron_words
from tui.screens.values import local, parsed
from tui.screens.words import mode_words
from tui.widgets.text_lines import Line, labelled, paragraph

_ROOM: Final = 16


def schedule_lines(status: Status, now: datetime, zone: tzinfo | None, *, readonly: bool, width: int) -> list[Line]:
    """The schedule in force: whether it runs, when next, who holds it, the last good run."""
    lines: list[Line] = [(" Schedule in force", "strong")]
    if not status.enabled:
        lines += labelled(
            "State",
            "stands still: Ajera Synchronization is switched off (9 Settings, E)",
            width,
            room=_ROOM,
            style="warn",
        )
    elif not status.cron:
        lines += labelled("State", "none: e types one. Runs are started by hand (R).", width, room=_ROOM, style="warn")
    elif status.paused:
        lines += labelled("State", "paused: P resumes it", width, room=_ROOM, style="warn")
    else:
        lines += labelled("State", f"{glyphs().flag('ok')} on", width, room=_ROOM, style="good")
    if status.cron:
        lines += labelled("Runs", joined((cron_words(status.cron), status.cron, status.timezone)), width, room=_ROOM)
    due = next((at for text in status.next_runs if (at := parsed(text)) and at > now), None)
    if due is not None and status.enabled and not status.paused:
        lines += labelled(
            "Next", f"{due.astimezone(zone):%a} {moment(due, zone)} (in {countdown(due, now)})", width, room=_ROOM
        )
    holder = status.held_by or ("nobody: this program only looks" if readonly else "nobody yet")
    lines += labelled("Held by", holder, width, room=_ROOM)
    return lines + _good_lines(status, now, width)


def _good_lines(status: Status, now: datetime, width: int) -> list[Line]:
    good, run = parsed(status.last_good), status.last_run
    told = f"{local(status.last_good)} ({age(good, now)})" if good else "none yet"
    lines = labelled("Last good run", told, width, room=_ROOM, style="" if good else "warn")
    if status.stale:
        mark = glyphs().flag("warning")
        lines += labelled(
            "Alarm", f"{mark} {status.stale_reason}: look at the log (7), then R", width, room=_ROOM, style="bad"
        )
    if run is not None:
        style = "" if run.outcome == "ok" else "warn" if run.outcome in ("partial", "cancelled") else "bad"
        lines += labelled(
            "Last run", joined((f"{local(run.finished)} {run.outcome}", run.message)), width, room=_ROOM, style=style
        )
    return lines


def health_lines(status: Status, paths: Any, *, readonly: bool, width: int) -> list[Line]:
    """Both systems, what was stopped or warned of, interrupted writes, locks, records, paths."""
    health = status.health
    lines: list[Line] = [("", ""), (" Systems", "strong")]
    lines += labelled("Direction", mode_words(status.mode), width, room=_ROOM, style="" if status.mode else "warn")
    if status.company:
        lines += labelled("Company", status.company, width, room=_ROOM)
    requests = health.get("requests", {})
    told = joined(
        (f"Ajera {requests.get('ajera', 0):,}", f"CRM {requests.get('crm', 0):,}", "since this program started")
    )
    lines += labelled("Requests", told, width, room=_ROOM)
    intents = int(health.get("intents", 0))
    if intents:
        words = f"{count(intents, 'write')} interrupted: the next run finds out first what became of them"
        lines += labelled("Interrupted", words, width, room=_ROOM, style="warn")
    else:
        lines += labelled("Interrupted", "no write", width, room=_ROOM)
    lines += labelled("Run lock", str(health.get("run_lock") or "free"), width, room=_ROOM)
    lines += labelled(
        "Started as", "read-only: nothing can be changed here" if readonly else "able to write", width, room=_ROOM
    )
    lines += _list("Warnings", health.get("warnings", ()), "none", width)
    stopped = [f"{name}: {why}" for name, why in sorted(dict(health.get("stopped_fields", {})).items())]
    lines += _list("Stopped fields", stopped, "none: every mapped field can be used", width)
    lines += _record_lines(status, width)
    return lines + _path_lines(status, paths, width)


def _list(title: str, items: Sequence[str], none: str, width: int) -> list[Line]:
    if not items:
        return labelled(title, none, width, room=_ROOM)
    lines: list[Line] = [(f" {title} ({len(items):,})", "warn")]
    for item in items:
        lines += paragraph(f"{glyphs().flag('warning')} {safe_line(item, 1_000)}", width, indent=3, limit=4)
    return lines


def _record_lines(status: Status, width: int) -> list[Line]:
    lines: list[Line] = [("", ""), (" Records", "strong")]
    for kind, numbers in status.counts.items():
        told = joined(
            (
                f"{numbers.get('marked', 0):,} ticked" if kind != "employee" else "",
                f"{numbers.get('linked', 0):,} linked",
            )
        )
        lines += labelled(f"{kind.capitalize()}s", told, width, room=_ROOM)
    waiting = ", ".join(
        count(number, queue.removesuffix("s"), queue) for queue, number in status.queues.items() if number
    )
    return lines + labelled("Waiting, key 5", waiting or "nothing", width, room=_ROOM)


def _path_lines(status: Status, paths: Any, width: int) -> list[Line]:
    lines: list[Line] = [("", ""), (" This program", "strong"), *labelled("Version", status.version, width, room=_ROOM)]
    if paths is not None:
        for label, name in (("Settings", "config"), ("Store", "store"), ("Log", "log"), ("State folder", "state")):
            if (path := getattr(paths, name, None)) is not None:
                lines += labelled(label, str(path), width, room=_ROOM)
    return lines
