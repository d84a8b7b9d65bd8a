"""The operator's own keys (`[ui.keys]`): which of them can be had, and what is wrong with the others. Pure but for
the reading of the bindings of our classes."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, NamedTuple

from textual.keys import KEY_NAME_REPLACEMENTS, Keys

if TYPE_CHECKING:
    from textual.dom import DOMNode

_NAMES = {key.value for key in Keys} | set(KEY_NAME_REPLACEMENTS.values()) | {"space"}


class Known(NamedTuple):
    """What can be bound: its keys as we ship them, and what it does."""

    keys: frozenset[str]
    does: str


def known_keys(owners: Iterable[type[DOMNode]]) -> dict[str, Known]:
    """By the name of what they do, over these classes of places and lists."""
    found: dict[str, Known] = {}
    for owner in owners:
        merged = owner._merged_bindings  # noqa: SLF001 - there is no public name for it
        for bindings in merged.key_to_bindings.values() if merged else ():
            for binding in bindings:
                if binding.id and not binding.system:
                    keys = found[binding.id].keys if binding.id in found else frozenset[str]()
                    found[binding.id] = Known(keys | {binding.key}, binding.description or binding.tooltip)
    return found


def own_keys(wanted: Mapping[str, str], known: Mapping[str, Known]) -> tuple[dict[str, str], list[str]]:
    """The map to be applied, and a sentence for each entry that was left as it was."""
    chosen: dict[str, str] = {}
    wrong: list[str] = []
    for name, text in wanted.items():
        keys = [key.strip() for key in text.split(",") if key.strip()]
        problem = _unknown(name, known) if name not in known else _unusable(keys)
        if problem:
            wrong.append(f"[ui.keys] {name}: {problem}")
        else:
            chosen[name] = ",".join(keys)
    while (clash := _clash(chosen, known)) is not None:  # what is left as it was may clash with another in turn
        name, key, other = clash
        wrong.append(f"[ui.keys] {name}: {key} is taken by {other} ({known[other].does}); left as it was")
        del chosen[name]
    return chosen, wrong


def _unknown(name: str, known: Mapping[str, Known]) -> str:
    near = get_close_matches(name, known, 1)
    return "there is nothing of this name" + (f"; near it: {near[0]}" if near else "")


def _unusable(keys: list[str]) -> str:
    if not keys:
        return "a key is needed"
    for key in keys:
        last = key.rpartition("+")[2] if len(key) > 1 else key
        if len(last) > 1 and last not in _NAMES and not _is_sign(last):
            return f"{key} is no key: f5, ctrl+r, question_mark, G are"
    return ""


def _is_sign(name: str) -> bool:
    """Whether it is a character's name, as in question_mark."""
    try:
        unicodedata.lookup(name.replace("_", " "))
    except KeyError:
        return False
    return True


def _clash(chosen: Mapping[str, str], known: Mapping[str, Known]) -> tuple[str, str, str] | None:
    """An entry of the map whose key does something else too: its name, the key, and the other's name."""
    holds: dict[str, list[str]] = {}
    for name, entry in known.items():
        for key in chosen[name].split(",") if name in chosen else entry.keys:
            holds.setdefault(_written(key), []).append(name)
    for name, keys in chosen.items():
        for key in keys.split(","):
            shipped = _written(key) in {_written(each) for each in known[name].keys}
            others = [other for other in holds[_written(key)] if other != name]
            if others and not shipped:
                return name, key, others[0]
    return None


_SIGNS = {"?": "question_mark", "/": "slash", "*": "asterisk", "[": "left_square_bracket", "]": "right_square_bracket",
          "=": "equals_sign", "+": "plus", "-": "minus"}  # fmt: skip


def _written(key: str) -> str:
    """One spelling for a key."""
    return _SIGNS.get(key, key)
