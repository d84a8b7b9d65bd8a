"""`links`: which keys are the same entity; taken over from elsewhere and given away as CSV."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from core.cli import output
from core.cli.context import Env, Group, pass_env
from core.cli.exits import OK, USAGE, say
from core.cli.kinds import KIND
from core.cli.shapes import link_json, pair_json
from core.model.values import Kind

if TYPE_CHECKING:
    from core.engine.service import Service
    from core.engine.views import PairView


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
@click.option("--json", "as_json", is_flag=True, help="One document: the file and how many.")
@pass_env
def export(env: Env, file: Path, as_json: bool) -> int:
    """Write the links to a CSV FILE (- for standard output)."""
    from core.engine.pairs import pairs_csv, write_pairs

    def act(service: Service) -> int:
        links = service.links()
        if str(file) == "-":
            sys.stdout.write(pairs_csv(links))
        else:
            write_pairs(file, links)
            if as_json:
                output.document({"file": str(file), "links": len(links)})
        say(f"{len(links)} links written.")
        return OK

    return env.use(act)


@links_command.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--dry-run", is_flag=True, help="Show what each row would do; link nothing.")
@click.option("--json", "as_json", is_flag=True, help="One document: every row with what became of it, and why.")
@pass_env
def import_(env: Env, file: Path, dry_run: bool, as_json: bool) -> int:
    """Take over the pairs of a CSV FILE with the columns kind, ajera_key, crm_key."""
    from core.engine.pairs import read_pairs

    rows = read_pairs(file)

    def act(service: Service) -> int:
        found = service.judge_links(rows)
        if not dry_run:
            service.import_links(rows)
        if as_json:
            output.document({"dry_run": dry_run, "rows": [pair_json(each) for each in found]})
        elif dry_run:
            output.table(("row", "ajera", "crm", "why"), (_pair_cells(each) for each in found))
        done = sum(each.state != "refused" for each in found)
        say(f"{done} links {'would be ' if dry_run else ''}taken over.")
        refused = [each for each in found if each.state == "refused"]
        if not (dry_run or as_json):
            for each in refused:
                say(f"{each.kind} {each.ajera_key} {each.crm_key}: {each.reason}")
        return USAGE if refused else OK

    return env.use(act)


def _pair_cells(each: PairView) -> tuple[str, ...]:
    return (
        f"{each.state} {each.kind}",
        f"{each.ajera_key} {each.ajera}".strip(),
        f"{each.crm_key} {each.crm}".strip(),
        each.reason,
    )


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
