"""How the set-up dialogue asks: one plain line a question, on standard error, so that a screen reader, a slow line and
a script of a test all get the same. A refusal says what to do and asks again."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import click

from core.cli.exits import say
from core.errors import UsageError
from core.text import safe_line

T = TypeVar("T")


def tell(text: object) -> None:
    """Says it in lines as wide as the terminal, broken at spaces, the later ones set in like the first."""
    for line in str(text).splitlines() or [""]:
        lead = line[: len(line) - len(line.lstrip())]
        words = safe_line(line.strip(), 2000)
        width = max(20, shutil.get_terminal_size().columns - 1)
        wrapped = textwrap.wrap(
            words, width, initial_indent=lead, subsequent_indent=lead, break_long_words=False, break_on_hyphens=False
        )
        for part in wrapped or [""]:
            say(part)


def ask(text: str, default: str | None = None, *, shown: bool | None = True) -> str:
    """A line; an empty one takes the default, which is not shown where it is long or tells too much (None: where the
    text says it already)."""
    if default is not None and shown is False:
        text = f"{text} [as it was]"
    return str(click.prompt(text, default=default, show_default=bool(shown), err=True)).strip()


def ask_hidden(text: str) -> str:
    """A line that is not shown while it is typed."""
    return str(click.prompt(f"{text} (not shown)", hide_input=True, err=True))


def ask_yes(text: str, *, default: bool = False) -> bool:
    """y or n; an empty line takes the default."""
    while True:
        given = ask(f"{text} [{'Y/n' if default else 'y/N'}]", "y" if default else "n", shown=None).casefold()
        if given in ("y", "yes", "n", "no"):
            return given.startswith("y")
        tell("  Type y or n.")


def choose(text: str, choices: Sequence[str], default: str | None = None, *, told: bool = False) -> str:
    """One of the words, or the beginning of just one of them. `told`: they stand above the question."""
    named = ", ".join(choices)
    shown = text if told else f"{text} ({named})"
    while True:
        given = ask(shown, default).casefold()
        found = [word for word in choices if word == given] or [word for word in choices if word.startswith(given)]
        if given and len(found) == 1:
            return found[0]
        tell(f"  Type one of: {named}.")


def choose_name(text: str, names: Sequence[str], default: str) -> str:
    """One of a numbered list, by its number or its name; `default` may be no member ("none")."""
    for place, name in enumerate(names, 1):
        tell(f"  {place}. {name}")
    folded = {name.casefold(): name for name in (*names, default)}
    while True:
        given = ask(f"{text}: number or name", default)
        if given.isdecimal() and given.casefold() not in folded and 1 <= int(given) <= len(names):
            return names[int(given) - 1]
        if given.casefold() in folded:
            return folded[given.casefold()]
        tell(f"There is no {given!r} in the list. Type a number from 1 to {len(names)}, or one of the names.")


def choose_code(text: str, choices: Sequence[tuple[str, str]], default: str | None, none: str, most: int = 20) -> str:
    """A code, chosen by its place in the list, itself or its description, or `none`; a long list is shown in part.
    Without a list whatever is typed."""
    if not choices:
        return ask(text, default)
    for place, (code, words) in enumerate(choices[:most], 1):
        tell(f"    {place}. {code}" + (f"  {words}" if words and words != code else ""))
    if len(choices) > most:
        tell(f"    and {len(choices) - most} more: type the code, or its description")
    known = {word.casefold(): code for code, words in reversed(choices) for word in (words, code) if word}
    known.setdefault(none, none)
    while True:
        given = ask(f"{text}: number, code or description", default)
        if given.casefold() in known:
            return known[given.casefold()]
        if given.isdecimal() and 1 <= int(given) <= len(choices):
            return choices[int(given) - 1][0]
        tell(f"  There is no {given!r} in the list. Type a number from 1 to {len(choices)}, a code or a description.")


def ask_until(text: str, read: Callable[[str], T], default: str | None = None, *, shown: bool = True) -> T:
    """Asks until `read` takes the answer; its UsageError is said."""
    while True:
        try:
            return read(ask(text, default, shown=shown))
        except UsageError as error:
            tell(f"  {str(error).strip()}")


def list_pairs(pairs: Mapping[str, object]) -> None:
    """What was found, one line each."""
    for name, value in pairs.items():
        tell(f"  {name}: {value}")
