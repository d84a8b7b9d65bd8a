"""`completion`: the script a shell reads."""

from __future__ import annotations

import click

from core.cli.context import command
from core.cli.exits import OK


@command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion_command(ctx: click.Context, shell: str) -> int:
    """Print the completion script of a SHELL: eval "$(ajerasync completion bash)"."""
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None
    root = ctx.find_root()
    script = kind(root.command, {}, "ajerasync", "_AJERASYNC_COMPLETE")
    click.echo(script.source_template % script.source_vars())
    return OK
