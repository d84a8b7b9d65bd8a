"""`mark` and `unmark`: ticks from the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from core.cli.context import Env, command, pass_env
from core.cli.exits import OK, USAGE, say
from core.cli.kinds import KIND, chosen, words
from core.cli.records import fill, read_contacts
from core.errors import UsageError
from core.model.values import Kind, Side

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.engine.service import Service
    from core.engine.views import Marked


def _command(name: str, *, on: bool) -> Callable[[Callable[..., int]], click.Command]:
    def decorate(body: Callable[..., int]) -> click.Command:
        for option in reversed(_options(on=on)):
            body = option(body)
        made: click.Command = command(name)(body)
        return made

    return decorate


def _options(*, on: bool) -> list[Callable[[Callable[..., int]], Callable[..., int]]]:
    options = [
        click.argument("kind", type=KIND),
        click.argument("keys", nargs=-1, metavar="KEY..."),
        click.option("--firm", metavar="KEY", help="The firm (CRM key) on whose row the contact is meant."),
        click.option("--project", metavar="KEY", help="The project (CRM key) on whose row the contact is meant."),
        click.option(
            "--contact", multiple=True, metavar="KEY", help="Contacts of the one firm or project KEY instead."
        ),
        click.option("--ajera", is_flag=True, help="The keys are Ajera's: records that go from Ajera to the CRM."),
        click.option("--filter", "expression", metavar="EXPR", help="All records of a filter that can be ticked."),
    ]
    if on:
        options.append(click.option("--template", metavar="NAME", help="The Ajera Project Template of a project."))
    return [*options, pass_env]


@_command("mark", on=True)
def mark_command(env: Env, /, **asked: object) -> int:
    """Tick records of a KIND: they are kept in step from the next run on."""
    return _act(env, on=True, **asked)  # type: ignore[arg-type] # click's parameters, by name


@_command("unmark", on=False)
def unmark_command(env: Env, /, **asked: object) -> int:
    """Untick records of a KIND: nothing is written for them any more; the link stays, dormant."""
    return _act(env, on=False, template=None, **asked)  # type: ignore[arg-type] # click's parameters, by name


def _act(
    env: Env,
    *,
    on: bool,
    kind: str,
    keys: tuple[str, ...],
    firm: str | None,
    project: str | None,
    contact: tuple[str, ...],
    ajera: bool,
    expression: str | None,
    template: str | None,
) -> int:
    if bool(keys) == bool(expression):
        raise click.UsageError("Give either KEYs or --filter")
    if template and kind != Kind.PROJECT:
        raise click.UsageError("--template is for projects")
    if contact:
        kind, keys, firm, project = _contacts_of(kind, keys, contact)
    if (firm or project) and kind != Kind.CONTACT:
        raise click.UsageError("--firm and --project are for contacts")
    side = Side.AJERA if ajera else Side.CRM

    async def act(service: Service) -> int:
        await fill(service)
        if project:
            await read_contacts(service, project)
        wanted = keys or _filtered(service, Kind(kind), side, expression, firm, project)
        marked = service.mark(Kind(kind), wanted, on, side=side, firm=firm, project=project, template=template)
        return told(marked, Kind(kind), on=on)

    return env.use(act)


def _contacts_of(
    kind: str, keys: tuple[str, ...], contact: tuple[str, ...]
) -> tuple[str, tuple[str, ...], str | None, str | None]:
    """`mark firm F --contact K` says the same as `mark contact K --firm F`."""
    if kind not in (Kind.FIRM, Kind.PROJECT) or len(keys) != 1:
        raise click.UsageError("--contact goes with one firm or one project")
    firm, project = (keys[0], None) if kind == Kind.FIRM else (None, keys[0])
    return Kind.CONTACT.value, contact, firm, project


def _filtered(
    service: Service, kind: Kind, side: Side, expression: str | None, firm: str | None, project: str | None
) -> list[str]:
    rows = service.contact_rows(firm=firm, project=project) if firm or project else service.rows(kind)
    hits = chosen(rows, expression)
    keys = [
        key for row in hits if row.state != "not_tickable" for key in [_key(row.ajera_key, row.crm_key, side)] if key
    ]
    if not keys:
        raise UsageError("--filter: no record of it can be ticked")
    return keys


def _key(ajera_key: str | None, crm_key: str | None, side: Side) -> str | None:
    if side is Side.CRM:
        return crm_key
    return ajera_key if crm_key is None else None


def told(marked: Marked, kind: Kind, *, on: bool) -> int:
    """Say what changed and what was refused; the exit code."""
    say(f"{words(len(marked.changed), kind)} {'ticked' if on else 'unticked'}.")
    for key, reason in marked.refused:
        say(f"{kind.value} {key}: {reason}")
    return USAGE if marked.refused else OK
