"""`info` and `status`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from core.cli import output
from core.cli.context import Env, command, pass_env
from core.cli.exits import OK, WAITING, waiting
from core.cli.standing import print_status, status_json
from core.version import VERSION

if TYPE_CHECKING:
    from core.engine.service import Service
    from core.engine.views import Status
    from core.glance import Seen


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

    from core import glance

    paths = env.paths()
    seen = glance.status_of(paths, glance.look(paths))
    if seen is not None:
        return _told(seen, as_json=as_json)

    def act(service: Service) -> int:
        before, status = glance.look(paths), service.status()
        code = _told(status, as_json=as_json)
        glance.keep(paths, service, status.counts, before)
        return code

    return env.use(act)


def _told(status: Status | Seen, *, as_json: bool) -> int:
    if as_json:
        output.document(status_json(status))
    else:
        print_status(status)
    return WAITING if status.stale else waiting(status.queues)
