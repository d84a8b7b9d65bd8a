"""`status` at a glance: the same answer as the service's, in a fraction of the time, as long as little has moved.

What takes long is taken from the last full answer, which leaves it in the state folder: the part of the settings that
counts here, with a mark of the very file; due times, cut before clocks change; how many records are ticked and linked,
with the revision of all that is counted. Runs, queues, switches and locks are read anew each time. Where anything of it
does not hold any more there is no glance, and the service answers.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from core.engine.clock import iso
from core.engine.silence import COMING, longest_wait, silent
from core.model.queues import QUEUES
from core.private import write_private
from core.store.glimpse import Glimpse, glimpse
from core.version import VERSION

if TYPE_CHECKING:
    from core.engine.service import Service
    from core.paths import Paths

COUNTED: Final = ("links", "marks", "records:firm:crm", "records:contact:crm", "records:project:crm")
"""The tables that ticks and links in effect are made of."""
NEXT_SHOWN, RUNS_SHOWN, RUNS_KNOWN = 5, 50, 200  # as the service's status looks at them
DUE_KEPT: Final = 100
FILE: Final = "glance.json"


class Schedule(NamedTuple):
    cron: str
    timezone: str


class Seen(NamedTuple):
    """As core.engine.views.Status, without what no command prints."""

    version: str
    mode: Any
    enabled: bool
    cron: str
    timezone: str
    paused: bool
    next_runs: Sequence[str]
    running: Any
    last_run: Any
    last_good: str | None
    stale: bool
    stale_reason: str
    queues: Mapping[str, int]
    counts: Mapping[str, Mapping[str, int]]
    held_by: str | None


def look(paths: Paths) -> Glimpse | None:
    """The store as it is now."""
    return glimpse(paths.store, RUNS_KNOWN, COUNTED)


def status_of(paths: Paths, seen: Glimpse | None, now: datetime | None = None) -> Seen | None:
    """The status, or None where only the service can tell it."""
    if seen is None:
        return None
    with suppress(OSError, ValueError, LookupError, TypeError, AttributeError):
        kept = json.loads(_file(paths).read_bytes())
        if kept["for"] == _mark(paths) and kept["counted"] == seen.revision:
            return _status(paths, kept, seen, now or datetime.now(UTC))
    return None


def keep(paths: Paths, service: Service, counts: Mapping[str, Mapping[str, int]], seen: Glimpse | None) -> None:
    """Leave what the next glance needs. `seen` is older than `counts`: what was written meanwhile moves its revision."""
    if seen is None or service.readonly:
        return
    schedule, now = service.cron(), service.clock.now()
    own = service.settings.schedule
    body = {
        "for": _mark(paths),
        "enabled": service.settings.sync.enabled,
        "schedule": [own.cron, own.timezone],
        "counted": seen.revision,
        "counts": {kind: dict(figures) for kind, figures in counts.items()},
        "due_of": [schedule.expression, schedule.timezone] if schedule else None,
        "due_from": iso(now),
        "due": [iso(due) for due in schedule.steady(now, DUE_KEPT)] if schedule else [],
    }
    with suppress(OSError):  # the disk is full: the next one is answered by the service too
        write_private(_file(paths), json.dumps(body))


def _file(paths: Paths) -> Any:
    return paths.state / FILE


def _mark(paths: Paths) -> str:
    """This very settings file, read by this version. A checksum, since a digest of a file that holds a secret could
    tell whether a guess is right; the time of its last change makes up for what that may miss."""
    with paths.config.open("rb") as file:
        facts = os.fstat(file.fileno())
        return f"{VERSION} {facts.st_ino} {facts.st_mtime_ns} {facts.st_size} {zlib.crc32(file.read())} {paths.config}"


def _status(paths: Paths, kept: Mapping[str, Any], seen: Glimpse, now: datetime) -> Seen | None:
    stored, mode = seen.settings, seen.settings.get("seen_mode")
    schedule = _schedule(kept, stored)
    coming = _coming(kept, schedule, now) if schedule.cron else ()
    if coming is None:
        return None
    runs = sorted(seen.runs, key=lambda run: (run["started"], run["id"]), reverse=True)
    enabled, paused = bool(stored.get("enabled", kept["enabled"])), bool(stored.get("paused", False))
    stale = (False, "")
    if schedule.cron and enabled and not paused:
        first = min((run["started"] for run in runs), default=None)
        gap = longest_wait([datetime.fromisoformat(due) for due in coming])
        stale = silent(gap, stored.get("last_good"), first, now)
    ended = next((run for run in runs[:RUNS_SHOWN] if run["finished"]), None)
    running, held_by = _locks(paths, runs)
    return Seen(
        version=VERSION,
        mode=SimpleNamespace(**mode) if mode else None,
        enabled=enabled,
        cron=schedule.cron,
        timezone=schedule.timezone,
        paused=paused,
        next_runs=coming[:NEXT_SHOWN],
        running=running,
        last_run=SimpleNamespace(**ended) if ended else None,
        last_good=stored.get("last_good"),
        stale=stale[0],
        stale_reason=stale[1],
        queues={"errors": seen.failures} | {name: seen.waiting.get(queue, 0) for name, queue in QUEUES.items()},
        counts=kept["counts"],
        held_by=held_by,
    )


def _schedule(kept: Mapping[str, Any], stored: Mapping[str, Any]) -> Schedule:
    """The one in force: set here, else the settings'."""
    own, here = Schedule(*kept["schedule"]), stored.get("schedule")
    in_force = Schedule(here["cron"], here["timezone"]) if here else own
    return in_force if in_force.cron else Schedule("", own.timezone)


def _coming(kept: Mapping[str, Any], schedule: Schedule, now: datetime) -> list[str] | None:
    """The next due times of those that were kept; None where they are another schedule's, or nearly used up."""
    moment = iso(now)
    if kept["due_of"] != list(schedule) or moment < kept["due_from"]:
        return None
    coming: list[str] = [due for due in kept["due"] if due > moment][:COMING]
    return coming if len(coming) == COMING else None


def _locks(paths: Paths, runs: Sequence[Mapping[str, Any]]) -> tuple[Any, str | None]:
    """The run of another program, and who holds the schedule."""
    from core.store.lock import run_lock, schedule_lease

    running = None
    if run_lock(paths.state).holder() is not None:
        newest = next((run for run in runs[:1] if not run["finished"]), None)  # a plan leaves no record
        told = {"run": newest["id"], "since": newest["started"]} if newest else {"run": None, "since": ""}
        running = SimpleNamespace(phase="elsewhere", done=0, total=0, **told)
    return running, schedule_lease(paths.state).holder()
