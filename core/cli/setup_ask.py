"""How the set-up dialogue asks: one plain line a question, on standard error, so that a screen reader, a slow line and
a script of a test all get the same. A refusal says what to do and asks again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import click

from core.cli.exits import say
from core.errors import UsageError

T = TypeVar("T")


def ask(text: str, default: str | None = None, *, shown: bool = True) -> str:
    """A line; an empty one takes the default, which is not shown where it is long or tells too much."""
    if default is not None and not shown:
        text = f"{text} [as it was]"
    return str(click.prompt(text, default=default, show_default=shown, err=True)).strip()


def ask_hidden(text: str) -> str:
    """A line that is not shown while it is typed."""
    return str(click.prompt(f"{text} (not shown)", hide_input=True, err=True))


def ask_yes(text: str, *, default: bool = False) -> bool:
    return click.confirm(text, default=default, err=True)


def choose(text: str, choices: Sequence[str], default: str | None = None) -> str:
    """One of the words."""
    return str(click.prompt(text, type=click.Choice(list(choices), case_sensitive=False), default=default, err=True))


def choose_name(text: str, names: Sequence[str], default: str) -> str:
    """One of a numbered list, by its number or its name; `default` may be no member ("none")."""
    for place, name in enumerate(names, 1):
        say(f"  {place}. {name}")
    folded = {name.casefold(): name for name in (*names, default)}
    while True:
        given = ask(f"{text}: number or name", default)
        if given.isdecimal() and given.casefold() not in folded and 1 <= int(given) <= len(names):
            return names[int(given) - 1]
        if given.casefold() in folded:
            return folded[given.casefold()]
        say(f"There is no {given!r} in the list. Type a number from 1 to {len(names)}, or one of the names.")


def ask_until(text: str, read: Callable[[str], T], default: str | None = None, *, shown: bool = True) -> T:
    """Asks until `read` takes the answer; its UsageError is said."""
    while True:
        try:
            return read(ask(text, default, shown=shown))
        except UsageError as error:
            say(error)


def list_pairs(pairs: Mapping[str, object]) -> None:
    """What was found, one line each."""
    for name, value in pairs.items():
        say(f"  {name}: {value}")
