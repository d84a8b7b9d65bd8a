"""`undo`: what a run did, taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from core.cli import output
from core.cli.context import Env, command, pass_env
from core.cli.exits import OK, WAITING, run_code
from core.cli.runs import print_plan, print_run, stopping
from core.cli.standing import run_json
from core.model.plan import plan_json

if TYPE_CHECKING:
    from core.engine.service import Service
    from core.model.plan import Plan
    from core.ports import RunRecord


@command("undo")
@click.argument("run")
@click.option("--dry-run", is_flag=True, help="Show what would be taken back; write nothing.")
@click.option("--json", "as_json", is_flag=True, help="One document.")
@pass_env
def undo_command(env: Env, run: str, dry_run: bool, as_json: bool) -> int:
    """Take back what RUN did: values go back and wait as conflicts, created records become inactive.

    What changed since is listed and left alone.
    """

    async def act(service: Service) -> int:
        before = newest(service)
        with stopping(service):
            plan = await service.undo(run, dry_run=dry_run)
        record = newest(service)
        record = None if before and record and record.id == before.id else record
        _show(plan, record, as_json=as_json)
        if record is not None:
            return run_code(record, service.status().queues)
        return WAITING if plan.refused else OK

    return env.use(act)


def newest(service: Service) -> RunRecord | None:
    return next(iter(service.runs(1)), None)


def _show(plan: Plan, record: RunRecord | None, *, as_json: bool) -> None:
    if as_json:
        output.document({"plan": plan_json(plan), "run": run_json(record) if record else None})
        return
    print_plan(plan)
    if record is not None:
        output.text()
        print_run(record)
