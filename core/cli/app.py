"""The command line as a whole: the group, its lazily loaded commands, and how everything ends.

Nothing here imports what a command needs: `--help` and `--version` cost no more than click.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from typing import Any, Final

import click

from core.cli.context import Env, OpenUi, ServeUi, UiFlags, global_options, ui_options
from core.cli.exits import report
from core.version import VERSION

COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "demo": ("core.cli.demo", "Try it: both systems as a sandbox, and the UI on them."),
    "sandbox": ("core.cli.sandbox", "Run the two sandbox servers alone."),
    "setup": ("core.cli.setup", "Ask for both connections, test them, write the settings."),
    "serve": ("core.cli.serve", "The UI in a browser on this machine."),
    "info": ("core.cli.state", "Version and every path."),
    "doctor": ("core.cli.doctor", "Check connections, versions, metadata and the field map; writes nothing."),
    "status": ("core.cli.state", "Mode, last and next run, queues, who holds the lock."),
    "plan": ("core.cli.runs", "Pull and show what a run would do; writes to neither system."),
    "run": ("core.cli.runs", "One run."),
    "watch": ("core.cli.watch", "The schedule without a UI."),
    "mark": ("core.cli.marks", "Tick records."),
    "unmark": ("core.cli.marks", "Untick records."),
    "list": ("core.cli.records", "Records of a kind with mark, link and state."),
    "show": ("core.cli.records", "One record: both sides, base, history."),
    "links": ("core.cli.links", "The links; import, export, remove."),
    "match": ("core.cli.match", "Candidates: link, create, never."),
    "conflicts": ("core.cli.queues", "Fields changed on both sides."),
    "resolve": ("core.cli.queues", "Settle a conflict, a difference or drift."),
    "errors": ("core.cli.queues", "What failed, how often, and when it is tried again."),
    "retry": ("core.cli.queues", "Try a failed action again with the next run."),
    "history": ("core.cli.history", "The runs, or what one of them did."),
    "undo": ("core.cli.undo", "Take back what a run did."),
    "rehearse": ("core.cli.rehearse", "Try the next run on a copy of both systems."),
    "log": ("core.cli.log", "The run log."),
    "schedule": ("core.cli.schedule", "Show, set, pause or resume the schedule."),
    "completion": ("core.cli.completion", "Completion for bash, zsh or fish."),
}


class Program(click.Group):
    """Loads a command's module when the command is asked for; help is printed from COMMANDS."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(COMMANDS[cmd_name][0])
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_module, text) in COMMANDS.items()])

    def main(self, args: Sequence[str] | None = None, *, standalone_mode: bool = True, **extra: Any) -> Any:  # type: ignore[override] # click overloads it by standalone_mode
        """What a command returns is its exit code; every exception becomes a message and a code."""
        extra.setdefault("prog_name", "ajerasync")
        try:
            code = super().main(args, standalone_mode=False, **extra)
        except Exception as error:
            code = report(error)
        code = code if isinstance(code, int) else 0
        if standalone_mode:
            sys.exit(code)
        return code


@click.group(
    cls=Program,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    params=global_options(),
)
@click.version_option(VERSION, message="ajerasync %(version)s")
@ui_options
@click.pass_context
def cli(ctx: click.Context, /, **flags: bool) -> int | None:
    """Keeps Deltek Ajera and Deltek's CRM in step. Without a command: the terminal UI."""
    env = ctx.ensure_object(Env)
    env.flags = UiFlags(**flags)
    if ctx.invoked_subcommand is not None:
        return None
    from core.cli.ui import open_found

    return open_found(env, ctx)


def run(
    argv: Sequence[str] | None = None,
    open_ui: OpenUi | None = None,
    serve_ui: ServeUi | None = None,
    *,
    piped: bool = False,
) -> int:
    """The whole program: the exit code. The UI is handed in, since core never reaches it."""
    env = Env(open_ui=open_ui, serve_ui=serve_ui, piped=piped)
    code: int = cli.main(args=argv, standalone_mode=False, obj=env)
    return code
