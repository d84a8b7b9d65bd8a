"""`match`: records that may be the same, and what a person says about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from core.cli import output
from core.cli.context import Env, group, pass_env
from core.cli.exits import OK, say
from core.cli.kinds import KIND
from core.model.values import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.engine.service import Service

_kind = click.option("--kind", type=KIND, help="Where a key is in use by more than one kind.")


@group("match")
def match_command() -> None:
    """Candidates: records that may be the same. Nothing is linked or created until you say so."""


@match_command.command("list")
@click.option("--json", "as_json", is_flag=True, help="An array, as in the plan.")
@pass_env
def list_(env: Env, as_json: bool) -> int:
    """The candidates, best first."""

    def act(service: Service) -> int:
        candidates = service.candidates()
        if as_json:
            from core.cli.shapes import waiting_json

            output.document(waiting_json(service, (), candidates)["candidates"])
            return OK
        output.table(
            ("record", "ajera", "crm", "score", "reasons"),
            (
                (f"{c.kind.value} {c.label}", c.ajera_key, c.crm_key, f"{c.score:.2f}", ", ".join(c.reasons))
                for c in candidates
            ),
            right=(3,),
        )
        return OK

    return env.use(act)


@match_command.command("link")
@click.argument("ajera_key")
@click.argument("crm_key")
@_kind
@pass_env
def link(env: Env, ajera_key: str, crm_key: str, kind: str | None) -> int:
    """The two are the same: keep them in step."""
    return _say(env, lambda service: service.match_link(ajera_key, crm_key, _named(kind)))


@match_command.command("create")
@click.argument("key")
@_kind
@pass_env
def create(env: Env, key: str, kind: str | None) -> int:
    """None of the candidates is the same: make a new record on the other side."""
    return _say(env, lambda service: service.match_create(key, _named(kind)))


@match_command.command("never")
@click.argument("key")
@click.option("--partner", metavar="KEY", help="Only this pair is not the same.")
@_kind
@pass_env
def never(env: Env, key: str, partner: str | None, kind: str | None) -> int:
    """Do not ask again, and create nothing."""
    return _say(env, lambda service: service.match_never(key, _named(kind), partner))


def _named(kind: str | None) -> Kind | None:
    return Kind(kind) if kind else None


def _say(env: Env, ask: Callable[[Service], str]) -> int:
    def act(service: Service) -> int:
        say(ask(service))
        return OK

    return env.use(act)
