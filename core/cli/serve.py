"""`serve`: the same UI in a browser on this machine."""

from __future__ import annotations

import click

from core.cli.context import Env, UiFlags, command, pass_env, ui_options
from core.cli.exits import USAGE, say

PORT = 8000


@command("serve")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, metavar="P", help="0 picks a free one."
)
@ui_options
@pass_env
def serve_command(env: Env, /, port: int, **flags: bool) -> int:
    """Show the UI in a browser on this machine, until Ctrl-C.

    Listens on 127.0.0.1 only, and lets in who has the key of the address that it says. From another machine:
    ssh -L 8000:127.0.0.1:8000 HOST. Each page is a program of its own; all share one store and one schedule.
    """
    if env.serve_ui is None:
        say("This program was started without its UI.")
        return USAGE
    env.flags = UiFlags(**flags).or_(env.flags)
    env.settings()  # what is wrong with them is said here, and not on a page that stays empty
    return env.serve_ui(_words(env), port, say)


def _words(env: Env) -> list[str]:
    """The command line of each page's program."""
    words = [f"--config={env.config.absolute()}"] if env.config else []
    words += [f"--profile={env.profile}"] if env.profile else []
    flags = {"readonly": env.flags.readonly, "ascii": env.flags.ascii, "plain": env.flags.plain}
    words += [f"--{name}" for name, on in flags.items() if on]
    return [*words, "--no-mouse"] if env.flags.no_mouse else words
