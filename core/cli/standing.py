"""How things stand, as `status` and others tell it: JSON documents of interface.md 3, and lines for people.

Imports nothing of the engine, so that a status at a glance (core/glance.py) costs no more than it reads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.cli import output

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.engine.views import Progress, Status
    from core.glance import Seen
    from core.ports import RunRecord


def status_json(status: Status | Seen) -> dict[str, Any]:
    mode = status.mode
    return {
        "version": status.version,
        "mode": {
            "direction": str(mode.direction) if mode else None,
            "reason": mode.reason if mode else "not connected yet",
            "ajera_version": mode.ajera_version if mode else None,
        },
        "enabled": status.enabled,
        "schedule": {
            "cron": status.cron,
            "timezone": status.timezone,
            "paused": status.paused,
            "next": list(status.next_runs),
        },
        "running": _progress_json(status.running),
        "last_run": run_json(status.last_run) if status.last_run else None,
        "last_good": status.last_good,
        "stale": status.stale,
        "stale_reason": status.stale_reason,
        "queues": dict(status.queues),
        "counts": {str(kind): dict(counts) for kind, counts in status.counts.items()},
        "lease": {"held_by": status.held_by},
    }


def _progress_json(progress: Progress | None) -> dict[str, Any] | None:
    if progress is None or progress.phase == "idle":
        return None
    return {
        "run": progress.run,
        "phase": progress.phase,
        "done": progress.done,
        "total": progress.total,
        "since": progress.since,
    }


def run_json(run: RunRecord) -> dict[str, Any]:
    return {
        "id": run.id,
        "started": run.started,
        "finished": run.finished or None,
        "trigger": run.trigger,
        "outcome": run.outcome,
        "counts": dict(run.counts),
        "requests": dict(run.requests),
        "seconds": run.seconds,
        "digest": run.digest,
        "mode": run.mode,
        "message": run.message,
    }


def counted(counts: Mapping[str, int]) -> str:
    """ "3 create, 1 conflict"; what is zero is left out."""
    told = (f"{count} {name.removesuffix('s') if count == 1 else name}" for name, count in counts.items() if count)
    return ", ".join(told) or "nothing"


def print_status(status: Status | Seen) -> None:
    mode, last = status.mode, status.last_run
    output.pairs(
        [
            ("version", status.version),
            ("mode", f"{mode.direction} ({mode.reason})" if mode else "not connected yet"),
            ("sync", "on" if status.enabled else "off"),
            ("schedule", _schedule(status)),
            ("next run", status.next_runs[0] if status.next_runs else "none"),
            ("last run", f"{last.started} {last.outcome}: {counted(last.counts)}" if last else "none"),
            ("last good run", status.last_good or "none"),
            *([("stale", status.stale_reason or "yes")] if status.stale else []),
            ("waiting", counted(status.queues)),
            ("held by", status.held_by or "nobody"),
        ]
    )
    output.text()
    output.table(
        ("kind", "marked", "linked"),
        ((kind, counts.get("marked", 0), counts.get("linked", 0)) for kind, counts in status.counts.items()),
        right=(1, 2),
    )


def _schedule(status: Status | Seen) -> str:
    if not status.cron:
        return "none"
    return f"{status.cron} {status.timezone}{', paused' if status.paused else ''}"
