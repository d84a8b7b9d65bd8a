"""`history`: the runs, and what each of them did."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from core.cli import output
from core.cli.context import Env, command, pass_env
from core.cli.exits import OK
from core.cli.queues import text_of
from core.cli.shapes import entry_json
from core.cli.standing import counted, run_json

if TYPE_CHECKING:
    from core.engine.service import Service
    from core.ports import HistoryEntry


@command("history")
@click.argument("run", required=False)
@click.option("--limit", type=click.IntRange(1), default=200, show_default=True, help="Runs to list, newest first.")
@click.option("--json", "as_json", is_flag=True, help="An array.")
@pass_env
def history_command(env: Env, run: str | None, limit: int, as_json: bool) -> int:
    """The runs, or the actions of one RUN with old and new values."""

    def act(service: Service) -> int:
        if run:
            _one(service, run, as_json=as_json)
        else:
            _all(service, limit, as_json=as_json)
        return OK

    return env.use(act)


def _all(service: Service, limit: int, *, as_json: bool) -> None:
    runs = service.runs(limit)
    if as_json:
        undone = service.undone()
        output.document(
            [run_json(run) | {"undone_by": undone[run.id].id if run.id in undone else None} for run in runs]
        )
        return
    output.table(
        ("run", "started", "trigger", "outcome", "seconds", "done", "message"),
        ((r.id, r.started, r.trigger, r.outcome, f"{r.seconds:.1f}", counted(r.counts), r.message) for r in runs),
        right=(4,),
    )


def _one(service: Service, run: str, *, as_json: bool) -> None:
    entries = service.run_history(run)
    if as_json:
        output.document([entry_json(entry) for entry in entries])
        return
    output.table(
        ("time", "op", "record", "side", "changes", "outcome"),
        ((e.at, e.op, f"{e.kind.value} {e.label}", e.side, _changes(e), e.message or e.outcome) for e in entries),
    )


def _changes(entry: HistoryEntry) -> str:
    return "; ".join(f"{name}: {text_of(frm)} → {text_of(to)}" for name, (frm, to, _rule) in entry.fields.items())
