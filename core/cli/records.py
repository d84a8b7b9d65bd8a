"""`list` and `show`: what the store knows; neither system is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from core.cli import output
from core.cli.context import Env, command, pass_env
from core.cli.exits import OK, say
from core.cli.kinds import KIND, SIDE, chosen, find_row
from core.errors import SystemFailure
from core.model.values import Kind, Side

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.engine.service import Service
    from core.engine.views import Detail, Row


@command("list")
@click.argument("kind", type=KIND)
@click.option("--firm", metavar="KEY", help="Only the contacts of this firm (CRM key).")
@click.option("--project", metavar="KEY", help="Only the contacts of this project (CRM key).")
@click.option("--filter", "expression", metavar="EXPR", help='As in the UI: acme, "acme inc", state:pending, !draft.')
@click.option("--json", "as_json", is_flag=True, help="An array of records.")
@pass_env
def list_command(
    env: Env, kind: str, firm: str | None, project: str | None, expression: str | None, as_json: bool
) -> int:
    """Records of a KIND with mark, link and state, from what was pulled last."""
    if (firm or project) and kind != Kind.CONTACT:
        raise click.UsageError("--firm and --project narrow contacts only")

    async def act(service: Service) -> int:
        await fill(service)
        if project:
            await read_contacts(service, project)
        rows = chosen(_rows(service, Kind(kind), firm, project), expression)
        if as_json:
            from core.cli.shapes import row_json

            output.document([row_json(row) for row in rows])
        else:
            print_rows(rows)
        return OK

    return env.use(act)


async def fill(service: Service) -> None:
    """The first time there is nothing to show yet: pull, and say so."""
    if not any(service.rows(kind) for kind in Kind):
        say("Nothing was pulled yet: reading both systems.")
        await service.make_plan()


async def read_contacts(service: Service, project: str) -> None:
    """A run reads the contact rows of ticked projects only: those of another one are read when it is looked at."""
    if not service.contact_rows(project=project):
        await service.refresh_detail(service.row(Kind.PROJECT, project))


def _rows(service: Service, kind: Kind, firm: str | None, project: str | None) -> Sequence[Row]:
    if firm or project:
        return service.contact_rows(firm=firm, project=project)
    return service.rows(kind)


def print_rows(rows: Sequence[Row]) -> None:
    output.table(
        ("", "name", "state", "ajera", "crm", "reason"),
        (
            ("x" if row.marked else "", row.label, row.state, row.ajera_key, row.crm_key, row.last_error or row.reason)
            for row in rows
        ),
    )


@command("show")
@click.argument("kind", type=KIND)
@click.argument("key")
@click.option("--side", type=SIDE, help="Whose key it is; the CRM's is tried first.")
@click.option("--json", "as_json", is_flag=True, help="One document.")
@pass_env
def show_command(env: Env, kind: str, key: str, side: str | None, as_json: bool) -> int:
    """One record: both sides, base and history."""

    async def act(service: Service) -> int:
        await fill(service)
        row = find_row(service, Kind(kind), key, Side(side) if side else None)
        if row.kind is Kind.PROJECT and row.crm_key:
            await _read_if_possible(service, row.crm_key)
        detail = service.detail(row)
        if as_json:
            from core.cli.shapes import detail_json

            output.document(detail_json(detail))
        else:
            print_detail(detail)
        return OK

    return env.use(act)


async def _read_if_possible(service: Service, project: str) -> None:
    try:
        await read_contacts(service, project)
    except SystemFailure as error:
        say(f"Its contacts were not read: {error}")


def print_detail(detail: Detail) -> None:
    row = detail.row
    output.text(f"{row.kind.value} {row.label}")
    output.pairs(
        [
            ("ajera key", row.ajera_key),
            ("crm key", row.crm_key),
            ("marked", "yes" if row.marked else "no"),
            ("state", f"{row.state}: {row.reason}" if row.reason else row.state),
            *([("template", detail.template)] if detail.template else []),
            *([("last error", row.last_error)] if row.last_error else []),
        ]
    )
    _section("Fields")
    output.table(
        ("field", "crm", "ajera", "owner", "state"),
        ((f.label, f.crm_text, f.ajera_text, f.owner, f.mark) for f in detail.fields),
    )
    if detail.contacts:
        ticked = sum(contact.marked for contact in detail.contacts)
        _section(f"Contacts ({ticked} of {detail.cap} ticked)" if detail.cap else f"Contacts ({ticked} ticked)")
        output.table(
            ("", "name", "title", "e-mail", "state", "crm"),
            (("x" if c.marked else "", c.label, c.title, c.email, c.state, c.crm_key) for c in detail.contacts),
        )
    if detail.history:
        _section("History")
        output.table(
            ("time", "run", "op", "side", "fields", "outcome"),
            ((h.at, h.run, h.op, h.side, ", ".join(h.fields), h.outcome) for h in detail.history),
        )


def _section(title: str) -> None:
    output.text()
    output.text(title)
