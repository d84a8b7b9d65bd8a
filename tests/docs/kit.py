"""The documents, the commands in them, and whether the command line takes a command."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click

from core.cli.app import cli
from core.cli.context import Env

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])

# What stands for something in a document, and something that it may stand for.
_SAMPLES = """
FILE x.toml|DIR x|NAME Study|KIND firm|KEY k1|EXPR state:pending|RUN r1|DIGEST d1|ID i1|VALUE v|N 1|P 8000|A k1|B k2
LEVEL error|PART crm|AJERA_KEY 1|CRM_KEY k2|SIDE crm|FIRM k1|PROJECT k3|CONTACT k4|KIND.FIELD firm.name|COMMAND run
"""
SAMPLES = dict(pair.split(" ", 1) for line in _SAMPLES.split("\n") for pair in line.split("|") if pair)
# The name of the records that probes make, and the program's name on a picture of its screen.
NO_COMMANDS = re.compile(r"probe …|.*·")
_SPAN = re.compile(r"(`+)(.+?)\1", re.DOTALL)
_PROGRAM = re.compile(r"(?:[\w./~]*/)?ajerasync(?:\s+|$)")


def prose_and_blocks(text: str) -> tuple[str, list[str]]:
    """A document without its code blocks, and the lines of the blocks (fenced or indented)."""
    prose: list[str] = []
    lines: list[str] = []
    fenced = False
    for line in text.splitlines():
        if line.startswith("```"):
            fenced = not fenced
        elif fenced or line.startswith("    "):
            lines.append(line.strip())
        else:
            prose.append(line)
    return "\n".join(prose), lines


def spans(prose: str) -> list[str]:
    """The inline code of a document."""
    return [" ".join(match.group(2).split()) for match in _SPAN.finditer(prose)]


def commands_of(path: Path) -> list[str]:
    """Every `ajerasync …` that a document names, without prompt and comment."""
    prose, lines = prose_and_blocks(path.read_text(encoding="utf-8"))
    found = []
    for text in (*spans(prose), *lines):
        text = re.split(r"\s+#\s", text.removeprefix("$ "), maxsplit=1)[0].strip()
        match = _PROGRAM.match(text)
        if match and not NO_COMMANDS.match(text, match.end()):
            found.append(text[match.end() :].strip())
    return sorted(set(found))


def words_of(command: str) -> list[str]:
    """A command of a document as words, samples in the place of what stands for something."""
    text = re.sub(r"[\[\]…]|\.\.\.", "", re.split(r"\s[|>&]\s", command)[0])
    return [_sampled(word) for word in shlex.split(text)]


def _sampled(word: str) -> str:
    name, equals, value = word.partition("=")
    if equals and name.startswith("-"):
        return f"{name}={SAMPLES.get(value, value)}"
    return SAMPLES.get(word, word)


def parsed(words: list[str]) -> str | None:
    """What the command line has against these words; None where it takes them. Nothing is run."""
    try:
        with cli.make_context("ajerasync", list(words), obj=Env()) as context:
            _resolve(context)
    except click.exceptions.Exit:  # --help and --version
        return None
    except click.ClickException as error:
        return error.format_message()
    return None


def _resolve(context: click.Context) -> None:
    """Parse the rest of the words with the command they belong to. A bare name of a command is one that is talked of."""
    group = context.command
    rest = [*context._protected_args, *context.args]
    if not isinstance(group, click.Group) or not rest:
        return
    name, command, args = group.resolve_command(context, rest)
    assert command is not None
    if not args:
        return
    with command.make_context(name, args, parent=context) as inner:
        _resolve(inner)
