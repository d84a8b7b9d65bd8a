"""The manual page, made from the command tree: `python -m core.cli.manpage > packaging/ajerasync.1`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Final

import click

from core.cli.app import COMMANDS, cli
from core.version import VERSION

EXIT_CODES: Final = (
    (0, "done, nothing left over"),
    (1, "done, but something waits for a person; status: also a stale last good run"),
    (2, "wrong usage or settings, or an act that is refused"),
    (3, "a system could not be reached or refused the login"),
    (4, "refused by a guard"),
    (5, "a run is going on in another program"),
    (130, "stopped by Ctrl-C"),
)
FILES: Final = (
    ("$XDG_CONFIG_HOME/ajerasync/config.toml", "the settings; config.NAME.toml with --profile NAME"),
    ("$XDG_STATE_HOME/ajerasync/PROFILE/", "the store, the run log and both locks"),
)


def page() -> str:
    """The whole page as roff."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    context = click.Context(cli, info_name="ajerasync", **cli.context_settings)
    yield '.\\" Made by python -m core.cli.manpage; do not edit.'
    yield f'.TH AJERASYNC 1 "" "ajerasync {VERSION}" "User Commands"'
    yield from (".SH NAME", r"ajerasync \- keeps Deltek Ajera and Deltek's CRM in step")
    yield from (".SH SYNOPSIS", ".B ajerasync", r"[\fIOPTIONS\fR] [\fICOMMAND\fR [\fIARGS\fR]...]")
    yield from (".SH DESCRIPTION", _text(cli.help or ""), ".PP")
    yield "Data goes to standard output, messages to standard error. --json gives one document, or one event a line."
    yield ".SH OPTIONS"
    yield from _options(cli, context)
    yield ".SH COMMANDS"
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        yield from _command(command, click.Context(command, info_name=name, parent=context))
    yield ".SH EXIT STATUS"
    for code, words in EXIT_CODES:
        yield from (".TP", f".B {code}", _text(words))
    yield ".SH FILES"
    for path, words in FILES:
        yield from (".TP", f".I {_text(path)}", _text(words))


def _command(command: click.Command, context: click.Context) -> Iterator[str]:
    usage = " ".join(command.collect_usage_pieces(context))
    yield f".SS {_text(f'{context.command_path} {usage}')}"
    paragraphs = [" ".join(part.split()) for part in (command.help or "").split("\n\n")]
    yield from (line for part in paragraphs for line in (_text(part), ".PP"))
    yield from _options(command, context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None
            yield from _command(child, click.Context(child, info_name=name, parent=context))


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    """Its options; those for all stand with the program's own."""
    for parameter in command.get_params(context):
        if command is not cli and parameter.name in ("config", "profile", "help"):
            continue
        record = parameter.get_help_record(context)
        if record is not None:
            yield from (".TP", f".B {_text(record[0])}", _text(record[1]))


def _text(text: str) -> str:
    r"""Text that roff takes as text: a hyphen is one that can be copied, and no line begins with a request."""
    safe = text.replace("\\", r"\e").replace("-", r"\-").replace("\n", " ")
    return f"\\&{safe}" if safe.startswith((".", "'")) else safe


if __name__ == "__main__":
    sys.stdout.write(page())
