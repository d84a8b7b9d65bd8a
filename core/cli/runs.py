"""`plan` and `run`: what would happen, and making it happen."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from core.cli import output
from core.cli.context import Env, command, pass_env
from core.cli.exits import GUARDED, run_code, say, waiting
from core.cli.kinds import KIND, only_kinds
from core.cli.queues import print_items, text_of
from core.cli.standing import counted
from core.errors import UsageError
from core.model.plan import NO_PLAN, plan_from_json, plan_json
from core.private import write_private

if TYPE_CHECKING:
    from core.engine.events import Event
    from core.engine.service import Service
    from core.model.plan import Action, Plan
    from core.ports import RunRecord

TOLD: Final = frozenset({"run_started", "pulled", "planned", "action_done", "action_failed", "run_finished"})


@command("plan")
@click.option("--full", is_flag=True, help="Read everything, not only what changed.")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Keep it for `run --plan`."
)
@click.option("--json", "as_json", is_flag=True, help="One document.")
@pass_env
def plan_command(env: Env, full: bool, out: Path | None, as_json: bool) -> int:
    """Pull, and show what a run would do. Writes to neither system."""

    async def act(service: Service) -> int:
        plan = await service.make_plan(full=full)
        if out:
            _keep(plan, out)
        if as_json:
            from core.cli.shapes import waiting_json

            output.document(plan_json(plan) | waiting_json(service, plan.conflicts, plan.candidates))
        else:
            print_plan(plan)
        return plan_code(plan, len(service.errors()))

    return env.use(act)


def plan_code(plan: Plan, errors: int) -> int:
    """4 where a guard refuses it, 1 where something waits for a person, else 0."""
    queues = {
        "errors": errors,
        "conflicts": len(plan.conflicts),
        "candidates": len(plan.candidates),
        "differences": len(plan.differences),
    }
    return GUARDED if plan.guards else waiting(queues)


def _keep(plan: Plan, out: Path) -> None:
    try:
        write_private(out, json.dumps(plan_json(plan), indent=2))
    except OSError as error:
        raise UsageError(f"{out} cannot be written: {error.strerror}") from None


def print_plan(plan: Plan) -> None:
    output.pairs(
        [
            ("digest", plan.digest),
            ("mode", f"{plan.mode.direction.value} ({plan.mode.reason})"),
            ("plan", counted(plan.counts())),
        ]
    )
    if plan.actions:
        output.text()
        output.table(
            ("op", "to", "record", "changes"),
            ((a.op, a.side or "here", f"{a.kind.value} {a.label}", _changes(a)) for a in plan.actions),
        )
    for title, items in (("Conflicts", plan.conflicts), ("Differences", plan.differences), ("Drift", plan.drift)):
        if items:
            _section(title)
            print_items(items)
    if plan.candidates:
        _section("Candidates")
        output.table(
            ("record", "ajera", "crm", "score", "reasons"),
            (
                (f"{c.kind.value} {c.label}", c.ajera_key, c.crm_key, f"{c.score:.2f}", ", ".join(c.reasons))
                for c in plan.candidates
            ),
            right=(3,),
        )
    if plan.refused:
        _section("Refused")
        for refusal in plan.refused:
            output.text(f"{refusal.kind.value} {refusal.label}: {refusal.reason}")
    for guard in plan.guards:
        say(f"Guard {guard.name}: {guard.message} To apply it all the same: ajerasync run --approve {plan.digest}")


def _section(title: str) -> None:
    output.text()
    output.text(title)


def _changes(action: Action) -> str:
    if not action.fields:
        return action.reason
    return "; ".join(f"{name}: {text_of(c.frm)} → {text_of(c.to)}" for name, c in sorted(action.fields.items()))


@command("run")
@click.option("--plan", "stored", metavar="DIGEST|FILE", help="Apply a plan that was made before.")
@click.option("--approve", metavar="DIGEST", help="Plan anew; apply only if it is this plan, guards or not.")
@click.option("--full", is_flag=True, help="Read everything, not only what changed.")
@click.option("--sweep", is_flag=True, help="Look for deleted records too.")
@click.option("--only", multiple=True, type=KIND, help="Only this kind; may be given again.")
@click.option("--json", "as_json", is_flag=True, help="Events, one a line.")
@pass_env
def run_command(
    env: Env, stored: str | None, approve: str | None, full: bool, sweep: bool, only: tuple[str, ...], as_json: bool
) -> int:
    """One run. Ctrl-C stops it between two actions; a second one at once."""
    if stored and (approve or full or only):
        raise click.UsageError("--plan applies a plan as it is: no --approve, --full or --only beside it")

    async def act(service: Service) -> int:
        plan = stored_plan(service, stored) if stored else None
        end = service.bus.subscribe(_print_event if as_json else _say_event)
        try:
            with stopping(service):
                record = await service.run(
                    plan=plan, approve=approve, full=full, sweep=sweep, only=only_kinds(only), trigger="command"
                )
        finally:
            end()
        if not as_json:
            print_run(record)
        return run_code(record, service.queue_counts())

    return env.use(act)


def stored_plan(service: Service, name: str) -> Plan:
    """A plan from a file, else from the store by its digest."""
    path = Path(name)
    try:
        if not path.is_file():
            return service.stored_plan(name)
        return plan_from_json(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, *NO_PLAN) as error:
        reason = str(error) if isinstance(error, ValueError) else type(error).__name__
        raise UsageError(f"{path} is not a plan: {reason}") from None


def _print_event(event: Event) -> None:
    if event.event in TOLD:
        output.line(event.as_json())


def _say_event(event: Event) -> None:
    if event.event in TOLD and event.text:
        say(event.text)


def print_run(record: RunRecord) -> None:
    output.pairs(
        [
            ("run", record.id),
            ("outcome", record.outcome),
            ("done", counted(record.counts)),
            ("requests", counted(record.requests)),
            ("seconds", f"{record.seconds:.1f}"),
            *([("message", record.message)] if record.message else []),
        ]
    )


@contextmanager
def stopping(service: Service, signals: Sequence[signal.Signals] = (signal.SIGINT, signal.SIGTERM)) -> Iterator[None]:
    """While inside, the first signal cancels between actions; the next one ends the program at once."""
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    told: list[int] = []

    def stop() -> None:
        told.append(1)
        if len(told) == 1:
            say("Stopping after the action that is under way.")
            service.cancel()
        elif task is not None:
            task.cancel()

    with suppress(NotImplementedError):  # no signal handlers on this platform's loop
        for each in signals:
            loop.add_signal_handler(each, stop)
    try:
        yield
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    finally:
        for each in signals:
            with suppress(NotImplementedError):
                loop.remove_signal_handler(each)
