"""`sandbox`: the two emulated systems alone, in the foreground."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Any

import click

from core.cli.context import command
from core.errors import UsageError
from core.sandbox.options import DEFAULT_PROFILE, DEFAULT_VERSION, PROFILES, SandboxOptions

_DEFAULT = SandboxOptions()
_PORT = click.IntRange(0, 65535)


@command("sandbox")
@click.option("--host", default=_DEFAULT.host, show_default=True, help="Address to listen on.")
@click.option("--allow-remote", is_flag=True, help="Allow a host that is not loopback.")
@click.option("--ajera-port", type=_PORT, default=0, metavar="P", help="Port of Ajera; 0 picks one.")
@click.option("--crm-port", type=_PORT, default=0, metavar="P", help="Port of the CRM; 0 picks one.")
@click.option(
    "--seed", type=int, default=_DEFAULT.seed, show_default=True, metavar="N", help="Same seed, same records."
)
@click.option("--firms", type=int, default=_DEFAULT.firms, show_default=True, metavar="N")
@click.option("--contacts", type=int, default=_DEFAULT.contacts, show_default=True, metavar="N")
@click.option("--projects", type=int, default=_DEFAULT.projects, show_default=True, metavar="N")
@click.option("--employees", type=int, default=_DEFAULT.employees, show_default=True, metavar="N")
@click.option(
    "--ajera-version", metavar="VERSION", help=f"What Ajera says it is; {DEFAULT_VERSION} if nothing is saved."
)
@click.option("--crm-profile", type=click.Choice(PROFILES), help=f"Which CRM; {DEFAULT_PROFILE} if nothing is saved.")
@click.option("--rate", type=float, default=_DEFAULT.rate, show_default=True, help="Ajera's limit, requests a second.")
@click.option("--delay", "delay_ms", type=int, default=0, metavar="MS", help="Milliseconds added to each reply.")
@click.option("--life", type=float, default=0.0, metavar="N", help="Edits a minute on both sides, as people make them.")
@click.option("--quirk", "quirks", multiple=True, metavar="NAME=VALUE", help="A behaviour; may be given again.")
@click.option("--list-quirks", is_flag=True, help="List the behaviours that can be switched, and end.")
@click.option(
    "--data", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Folder to load and save."
)
@click.option(
    "--config-out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write settings that point at the two systems.",
)
@click.option("--verbose", is_flag=True, help="Tell of each edit of --life on standard error.")
def sandbox_command(*, list_quirks: bool, verbose: bool, **options: Any) -> int:
    """Both systems on loopback until a signal. Prints one JSON line when they accept requests."""
    if list_quirks:
        return _list_quirks()
    logging.basicConfig(level=logging.INFO if verbose else logging.WARNING, stream=sys.stderr)
    from core.sandbox.folder import FolderError
    from core.sandbox.serve import SandboxError, run_sandbox

    try:
        return run_sandbox(SandboxOptions(**options))
    except SandboxError as error:
        raise UsageError("\n".join(error.problems)) from None
    except (FolderError, OSError) as error:
        raise UsageError(str(error)) from None


def _list_quirks() -> int:
    from core.cli import output
    from core.quirks.ajera import AjeraQuirks
    from core.quirks.crm import CrmQuirks

    rows = [("ajera", *row) for row in AjeraQuirks.describe()] + [("crm", *row) for row in CrmQuirks.describe()]
    output.table(("system", "name", "default", "allowed", "about"), rows)
    return 0
