"""`links`: which keys are the same entity; taken over from elsewhere and given away as CSV."""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from core.cli import output
from core.cli.context import Env, Group, pass_env
from core.cli.exits import OK, USAGE, say
from core.cli.kinds import KIND
from core.cli.shapes import link_json
from core.errors import UsageError
from core.model.values import Kind
from core.private import write_private
from core.text import csv_cell

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from core.engine.service import Service
    from core.model.link import Link

HEADERS = ("kind", "ajera_key", "crm_key")


@click.group("links", cls=Group, invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="An array of links.")
@click.pass_context
def links_command(ctx: click.Context, as_json: bool) -> int | None:
    """The links: an Ajera key and a CRM key that are the same entity."""
    if ctx.invoked_subcommand is not None:
        return None

    def act(service: Service) -> int:
        links = service.links()
        if as_json:
            output.document([link_json(link) for link in links])
        else:
            output.table(
                ("kind", "ajera", "crm", "state", "since", "reason"),
                ((link.kind, link.ajera_key, link.crm_key, link.state, link.since, link.reason) for link in links),
            )
        return OK

    return ctx.ensure_object(Env).use(act)


@links_command.command("export")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@pass_env
def export(env: Env, file: Path) -> int:
    """Write the links to a CSV FILE (- for standard output)."""

    def act(service: Service) -> int:
        links = service.links()
        if str(file) == "-":
            _write(sys.stdout, links)
        else:
            try:
                text = io.StringIO(newline="")
                _write(text, links)
                write_private(file, text.getvalue())
            except OSError as error:
                raise UsageError(f"{file} cannot be written: {error.strerror}") from None
        say(f"{len(links)} links written.")
        return OK

    return env.use(act)


def _write(stream: object, links: Sequence[Link]) -> None:
    writer = csv.writer(stream)  # type: ignore[arg-type]
    writer.writerow(HEADERS)
    writer.writerows((link.kind.value, csv_cell(link.ajera_key), csv_cell(link.crm_key)) for link in links)


@links_command.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@pass_env
def import_(env: Env, file: Path) -> int:
    """Take over the pairs of a CSV FILE with the columns kind, ajera_key, crm_key."""
    rows = read_rows(file)

    def act(service: Service) -> int:
        marked = service.import_links(rows)
        say(f"{len(marked.changed)} links taken over.")
        for name, reason in marked.refused:
            say(f"{name}: {reason}")
        return USAGE if marked.refused else OK

    return env.use(act)


def read_rows(file: Path) -> list[tuple[str, str, str]]:
    """The rows of the file; a UsageError names every line that is not one."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            lines = list(csv.reader(stream))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{file} cannot be read as CSV: {type(error).__name__}") from None
    body = lines[1:] if lines and tuple(cell.strip().lower() for cell in lines[0]) == HEADERS else lines
    first = len(lines) - len(body) + 1
    problems = list(_problems(body, first))
    if problems:
        raise UsageError("\n".join(f"{file}, {problem}" for problem in problems))
    return [(row[0].strip(), _key(row[1]), _key(row[2])) for row in body if any(row)]


def _problems(rows: Iterable[Sequence[str]], first: int) -> Iterable[str]:
    kinds = ", ".join(kind.value for kind in Kind)
    for number, row in enumerate(rows, first):
        if not any(row):
            continue
        if len(row) != len(HEADERS):
            yield f"line {number}: found {len(row)} columns; allowed: {', '.join(HEADERS)}"
        elif row[0].strip() not in set(Kind):
            yield f"line {number}: found kind {row[0]!r}; allowed: {kinds}"
        elif not _key(row[1]) or not _key(row[2]):
            yield f"line {number}: a key is blank"


def _key(cell: str) -> str:
    return cell.strip().removeprefix("'")


@links_command.command("rm")
@click.argument("kind", type=KIND)
@click.argument("key")
@pass_env
def remove(env: Env, kind: str, key: str) -> int:
    """Forget the link of KEY (either side's); both records stay as they are."""

    def act(service: Service) -> int:
        say(service.drop_link(Kind(kind), key))
        return OK

    return env.use(act)
