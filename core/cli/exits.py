"""How the program ends: one place that turns exceptions and outcomes into messages and exit codes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from core.errors import AjerasyncError
from core.text import safe_line

if TYPE_CHECKING:
    from core.ports import RunRecord

OK: Final = 0
WAITING: Final = 1
USAGE: Final = 2
UNREACHED: Final = 3
GUARDED: Final = 4
STOPPED: Final = 130

ASKING_QUEUES: Final = ("errors", "conflicts", "candidates", "differences")
_OUTCOMES: Final = {"partial": WAITING, "refused": GUARDED, "failed": UNREACHED, "cancelled": STOPPED}


def report(error: Exception) -> int:
    """Say on standard error what happened; the exit code."""
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, click.Abort | KeyboardInterrupt):
        say("Stopped.")
        return STOPPED
    if isinstance(error, click.ClickException):
        _show(error)
        return error.exit_code
    if isinstance(error, AjerasyncError):
        for line in str(error).splitlines() or [type(error).__name__]:
            say(line)
        return error.exit_code
    say(f"Unexpected {type(error).__name__} at {_place(error)}{_reason(error)}")
    return WAITING


def _show(error: click.ClickException) -> None:
    """As click does it, but what was typed (a key out of a list, say) cannot act in the terminal."""
    ctx = error.ctx if isinstance(error, click.UsageError) else None
    if ctx is not None:
        click.echo(ctx.get_usage(), err=True)
        if ctx.command.get_help_option(ctx) is not None:
            click.echo(f"Try '{ctx.command_path} {ctx.help_option_names[-1]}' for help.\n", err=True)
    for line in f"Error: {error.format_message()}".splitlines():
        say(line)


def _reason(error: Exception) -> str:
    """The words of the operating system's errors; those of others may hold a secret or a record's values."""
    return f": {error.strerror}" if isinstance(error, OSError) and error.strerror else ""


def _place(error: Exception) -> str:
    """Where in the program it was: enough to report it, and no record's values as a traceback's locals."""
    import traceback  # late: nearly every start needs none

    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "core" in Path(frame.filename).parts] or frames
    return f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else "start"


def say(text: object) -> None:
    """A message for the person: one harmless line on standard error."""
    click.echo(safe_line(text, 2000), err=True)


def waiting(queues: Mapping[str, int]) -> int:
    """0, or 1 where something waits for a person."""
    return WAITING if any(queues.get(name) for name in ASKING_QUEUES) else OK


def run_code(record: RunRecord, queues: Mapping[str, int]) -> int:
    """The exit code of a run that ended."""
    return _OUTCOMES.get(record.outcome, waiting(queues))
