"""`rehearse`: the next run, on a copy of both systems."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from core.cli import output
from core.cli.context import Env, command, pass_env
from core.cli.exits import run_code, say
from core.cli.runs import print_plan, print_run
from core.cli.shapes import error_json
from core.cli.standing import run_json
from core.errors import UsageError
from core.model.plan import plan_json

if TYPE_CHECKING:
    from core.rehearsal import Rehearsed


@command("rehearse")
@click.option(
    "--from-live",
    "kept",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Keep the copy here; where there is one already, use it and ask nobody.",
)
@click.option("--json", "as_json", is_flag=True, help="One document.")
@pass_env
def rehearse_command(env: Env, kept: Path | None, as_json: bool) -> int:
    """What the next run would do, tried on a copy of both live systems.

    They are only read. The copy is gone afterwards unless --from-live keeps it.
    """
    from core.rehearsal import rehearse
    from core.sandbox.folder import FolderError

    settings = env.settings()
    with tempfile.TemporaryDirectory(prefix="ajerasync-rehearsal-", ignore_cleanup_errors=True) as folder:
        work = Path(folder) / "work"
        work.mkdir(mode=0o700)
        say("Reading both systems; nothing is written to them.")
        try:
            found = asyncio.run(rehearse(settings, work, kept or Path(folder) / "copy", say))
        except (FolderError, OSError) as error:
            raise UsageError(str(error)) from None
    _show(found, as_json=as_json)
    return run_code(found.run, found.queues)


def _show(found: Rehearsed, *, as_json: bool) -> None:
    if as_json:
        output.document(
            {
                "copied_at": found.copied_at,
                "plan": plan_json(found.plan) if found.plan else None,
                "run": run_json(found.run),
                "errors": [error_json(error) for error in found.errors],
                "queues": dict(found.queues),
                "not_copied": list(found.not_copied),
            }
        )
        return
    if found.plan:
        print_plan(found.plan)
        output.text()
    print_run(found.run)
    if found.errors:
        output.text()
        output.text("Errors")
        for error in found.errors:
            output.text(f"{error.kind.value} {error.label}: {error.message}")
    output.text()
    output.text(f"Tried on a copy of {found.copied_at}. Not copied:")
    for each in found.not_copied:
        output.text(f"- {each}")
