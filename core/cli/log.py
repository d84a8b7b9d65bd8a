"""`log`: the run log, read from its file; neither settings nor systems are needed."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

import click

from core.cli import output
from core.cli.context import Env, command, pass_env
from core.cli.exits import OK

if TYPE_CHECKING:
    from core.store import RunLog

LEVELS: Final = ("debug", "info", "warning", "error")
POLL_SECONDS: Final = 0.5  # between two looks at the file


@command("log")
@click.option("-f", "--follow", is_flag=True, help="Go on with what is added, until Ctrl-C.")
@click.option("--level", type=click.Choice(LEVELS), default="info", show_default=True, help="This level or graver.")
@click.option("--text", metavar="TEXT", help="Only events that hold this text.")
@click.option("-n", "--lines", type=click.IntRange(0), default=1000, show_default=True, help="How many of the last.")
@click.option("--json", "as_json", is_flag=True, help="One event a line.")
@pass_env
def log_command(env: Env, follow: bool, level: str, text: str | None, lines: int, as_json: bool) -> int:
    """The run log, oldest first."""
    from core.bootstrap import open_log

    show = output.line if as_json else print_event
    log = open_log(env.paths())
    place = log.end()
    shown = log.tail(lines, level, text)
    for event in shown:
        show(event)
    if follow:
        _follow(log, place, shown, show, lambda event: grave_enough(event, level) and holds(event, text))
    return OK


def _follow(
    log: RunLog,
    place: str,
    shown: list[dict[str, Any]],
    show: Callable[[Mapping[str, Any]], None],
    wanted: Callable[[Mapping[str, Any]], bool],
) -> None:
    """For ever. What was added between the two first looks is not shown twice."""
    while True:
        events, place = log.poll(place)
        for event in events:
            if wanted(event) and event not in shown:
                show(event)
        if not events:
            shown = []
            time.sleep(POLL_SECONDS)


def grave_enough(event: Mapping[str, Any], level: str) -> bool:
    own = event.get("level")
    return LEVELS.index(own if own in LEVELS else "info") >= LEVELS.index(level)


def holds(event: Mapping[str, Any], text: str | None) -> bool:
    from core.text import fold

    return text is None or fold(text) in fold(" ".join(map(str, event.values())))


def print_event(event: Mapping[str, Any]) -> None:
    level = str(event.get("level", "info"))
    sign = "" if level in ("info", "debug") else f"{level}: "
    output.text(f"{event.get('ts', '')}  {sign}{event.get('text') or event.get('event', '')}")
