"""What waits for a person: `conflicts`, `resolve`, `errors`, `retry`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from core.cli import output
from core.cli.context import Env, command, pass_env
from core.cli.exits import OK, say
from core.model.values import Kind, Side, display

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.engine.service import Service
    from core.model.plan import Item


@command("conflicts")
@click.option("--json", "as_json", is_flag=True, help="An array, as in the plan.")
@pass_env
def conflicts_command(env: Env, as_json: bool) -> int:
    """Fields that changed on both sides; they wait until `resolve`."""

    def act(service: Service) -> int:
        if as_json:
            from core.cli.shapes import waiting_json

            output.document(waiting_json(service, service.conflicts(), ())["conflicts"])
        else:
            given = service.answers()
            print_items(service.conflicts(), given)
            for name, items in (("First-link differences", service.differences()), ("Drift", service.drift())):
                if items:
                    output.text()
                    output.text(name)
                    print_items(items, given)
        return OK

    return env.use(act)


def print_items(items: tuple[Item, ...], given: Mapping[str, str] | None = None) -> None:
    """`given`: the answers that wait for the next run, by the id of the item."""
    answers = given or {}
    output.table(
        ("id", "record", "field", "crm", "ajera", "since", *(["answered"] if answers else [])),
        (
            (
                *(i.id, f"{i.kind.value} {i.label}", i.field, text_of(i.crm), text_of(i.ajera), i.since),
                *([answers.get(i.id, "")] if answers else []),
            )
            for i in items
        ),
    )


def text_of(value: object) -> str:
    """A value in one line for a person."""
    if isinstance(value, str) or value is None:
        return value or ""
    shown = display(value)  # type: ignore[arg-type] # a value of the model, or None
    return str(value) if isinstance(shown, dict | list) else str(shown)


@command("resolve")
@click.argument("item_id", metavar="[ID]", required=False)
@click.option("--take", required=True, metavar="ajera|crm|VALUE", help="Whose value counts, or a value for both.")
@click.option("--all", "every", metavar="KIND.FIELD", help="All open items of a field; takes a side.")
@pass_env
def resolve_command(env: Env, item_id: str | None, take: str, every: str | None) -> int:
    """Settle a conflict, a first-link difference or drift; the next run writes it."""
    if bool(item_id) == bool(every):
        raise click.UsageError("Give either an ID or --all KIND.FIELD")
    side = Side(take) if take in set(Side) else None

    def act(service: Service) -> int:
        if item_id:
            say(service.resolve(item_id, side or take))
            return OK
        kind, field = _field(every or "")
        if side is None:
            raise click.UsageError("--all takes a side: --take ajera or --take crm")
        count = service.resolve_all(kind, field, side)
        say(f"{count} settled: {every} takes the value of {side.value}.")
        return OK

    return env.use(act)


def _field(name: str) -> tuple[Kind, str]:
    kind, dot, field = name.partition(".")
    if kind not in set(Kind) or not dot or not field:
        raise click.UsageError(f"--all: {name!r} is not KIND.FIELD, as firm.phone")
    return Kind(kind), field


@command("errors")
@click.option("--json", "as_json", is_flag=True, help="An array.")
@pass_env
def errors_command(env: Env, as_json: bool) -> int:
    """Actions that failed, how often, and when each is tried again."""

    def act(service: Service) -> int:
        errors = service.errors()
        if as_json:
            from core.cli.shapes import error_json

            given = service.answers()
            output.document([error_json(error) | {"answer": given.get(error.id, "")} for error in errors])
        else:
            output.table(
                ("id", "record", "op", "tries", "next try", "message"),
                (
                    (e.id, f"{e.kind.value} {e.label}", e.op, e.tries, e.next_try or "when told", e.message)
                    for e in errors
                ),
                right=(3,),
            )
        return OK

    return env.use(act)


@command("retry")
@click.argument("failure_id", metavar="ID|all")
@pass_env
def retry_command(env: Env, failure_id: str) -> int:
    """Try a failed action again with the next run, however often it failed."""

    def act(service: Service) -> int:
        count = service.retry(failure_id)
        say(f"{count} will be tried again with the next run.")
        return OK

    return env.use(act)
