"""`schedule`: when runs start by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from core.cli import output
from core.cli.context import Env, group, pass_env
from core.cli.exits import OK, say
from core.cli.standing import status_json

if TYPE_CHECKING:
    from core.engine.service import Service


@group("schedule")
def schedule_command() -> None:
    """The schedule: one cron expression in one time zone."""


@schedule_command.command("show")
@click.option("--json", "as_json", is_flag=True, help='As the "schedule" of status.')
@pass_env
def show(env: Env, as_json: bool) -> int:
    """The expression and the next times."""

    def act(service: Service) -> int:
        schedule = status_json(service.status())["schedule"]
        if as_json:
            output.document(schedule)
        else:
            print_schedule(schedule)
        return OK

    return env.use(act)


def print_schedule(schedule: dict[str, object]) -> None:
    coming = schedule["next"]
    assert isinstance(coming, list)
    output.pairs(
        [
            ("cron", schedule["cron"] or "none"),
            ("timezone", schedule["timezone"]),
            ("state", "paused" if schedule["paused"] else "on"),
            *(("next" if place == 0 else "", time) for place, time in enumerate(coming)),
        ]
    )


@schedule_command.command("set")
@click.argument("expression", metavar="EXPR")
@click.option("--timezone", metavar="NAME", help='As "America/Chicago".')
@pass_env
def set_(env: Env, expression: str, timezone: str | None) -> int:
    """Set the cron expression; checked, and kept with the state."""

    def act(service: Service) -> int:
        service.set_schedule(expression, timezone)
        print_schedule(status_json(service.status())["schedule"])
        return OK

    return env.use(act)


@schedule_command.command("pause")
@pass_env
def pause(env: Env) -> int:
    """No run starts by itself until `schedule resume`."""

    def act(service: Service) -> int:
        service.pause()
        say("The schedule is paused.")
        return OK

    return env.use(act)


@schedule_command.command("resume")
@pass_env
def resume(env: Env) -> int:
    """Let runs start by themselves again."""

    def act(service: Service) -> int:
        service.resume()
        say("The schedule goes on.")
        return OK

    return env.use(act)
