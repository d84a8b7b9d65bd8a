"""`info` and `status`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from core.cli import output
from core.cli.context import Env, command, pass_env
from core.cli.exits import OK, WAITING, waiting
from core.cli.history import counted
from core.version import VERSION

if TYPE_CHECKING:
    from core.engine.service import Service
    from core.engine.views import Status


@command("info")
@click.option("--json", "as_json", is_flag=True, help="One document.")
@pass_env
def info_command(env: Env, as_json: bool) -> int:
    """Version and every path: settings, state, log, locks."""
    import platform

    paths = env.paths()
    facts = {
        "version": VERSION,
        "python": platform.python_version(),
        "profile": paths.profile,
        "settings": str(paths.config),
        "state": str(paths.state),
        "store": str(paths.store),
        "log": str(paths.log),
        "run_lock": str(paths.run_lock),
        "schedule_lock": str(paths.lease),
    }
    if as_json:
        output.document(facts | {"settings_exist": paths.config.is_file()})
    else:
        missing = "" if paths.config.is_file() else " (not there yet)"
        output.pairs(
            (name.replace("_", " "), value + (missing if name == "settings" else "")) for name, value in facts.items()
        )
    return OK


@command("status")
@click.option("--json", "as_json", is_flag=True, help="One document.")
@pass_env
def status_command(env: Env, as_json: bool) -> int:
    """Mode, last and next run, queues. Ends with 1 where something waits or the last good run is stale."""

    def act(service: Service) -> int:
        status = service.status()
        if as_json:
            from core.cli.shapes import status_json

            output.document(status_json(status))
        else:
            print_status(status)
        return WAITING if status.stale else waiting(status.queues)

    return env.use(act)


def print_status(status: Status) -> None:
    mode, last = status.mode, status.last_run
    output.pairs(
        [
            ("version", status.version),
            ("mode", f"{mode.direction.value} ({mode.reason})" if mode else "not connected yet"),
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


def _schedule(status: Status) -> str:
    if not status.cron:
        return "none"
    return f"{status.cron} {status.timezone}{', paused' if status.paused else ''}"
