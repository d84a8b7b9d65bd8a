"""Opening the UI: with the settings found, or an offer of what to do without them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from core.cli.context import Env
from core.cli.exits import OK, USAGE, say
from core.cli.setup_ask import choose

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.engine.service import Service


_WELCOME = """\
ajerasync keeps Deltek Ajera and Deltek's CRM in step.
There are no settings yet ({config}).

  demo   try it on two emulated systems; nothing can be harmed, nothing is left
  setup  connect your own systems; each answer is tried at once, nothing is
         written to them
  quit   leave
"""


def open_found(env: Env, ctx: click.Context) -> int:
    """`ajerasync` alone."""
    if env.piped:
        return open_with(env, env.service)
    if not _terminal():
        say("The UI needs a terminal. `ajerasync --help` lists the commands that do not.")
        return USAGE
    if env.paths().config.is_file():
        return open_with(env, env.service)
    for line in _WELCOME.format(config=env.paths().config).splitlines():
        say(line)
    choice = choose("demo, setup or quit", ["demo", "setup", "quit"], "demo", told=True)
    if choice == "quit":
        return OK
    root = ctx.find_root().command
    assert isinstance(root, click.Group)
    chosen = root.get_command(ctx, choice)
    assert chosen is not None
    code = int(ctx.invoke(chosen))
    if choice == "demo" or code or not click.confirm("Open the UI now?", default=True, err=True):
        return code
    return open_with(env, env.service)


def open_with(env: Env, open_service: Callable[[], Service]) -> int:
    """Hand over to the UI that the entry point gave us."""
    if env.open_ui is None:
        say("This program was started without its UI.")
        return USAGE
    flags = env.flags
    return env.open_ui(
        open_service, readonly=flags.readonly, ascii=flags.ascii, plain=flags.plain, mouse=not flags.no_mouse
    )


def _terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def need_terminal() -> None:
    """Raises a usage error where nobody can be asked."""
    if not _terminal():
        raise click.UsageError("this asks questions and needs a terminal")
