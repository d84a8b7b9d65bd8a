"""The few symbols drawn beside words, in Unicode or in ASCII, chosen once at start.

Every symbol stands beside a word or can be read aloud in its ASCII form: none carries meaning alone.
"""

from __future__ import annotations

import codecs
import sys
from dataclasses import dataclass, replace
from typing import Final


@dataclass(frozen=True, slots=True)
class Glyphs:
    """One set of symbols. `encoding` is what the terminal takes; text it cannot show becomes question marks."""

    name: str
    encoding: str
    ticked: str
    unticked: str
    blocked: str
    ellipsis: str
    arrow: str
    ascending: str
    descending: str
    range: str
    cursor: str
    separator: str
    dot: str
    bars: str
    flags: tuple[tuple[str, str], ...]
    unfolded: str
    folded: str
    gap: str = " "

    def flag(self, name: str) -> str:
        """The symbol of a state, or a space: `conflict`, `error`, `in_step`…"""
        return dict(self.flags).get(name, " ")

    def printable(self, text: str) -> str:
        """The text as this terminal can show it, one character for one."""
        if text.isascii() or self.encoding == "utf-8":
            return text
        return text.encode(self.encoding, "replace").decode(self.encoding)


_FLAGS: Final = (
    ("conflict", "!"), ("error", "✗"), ("refused", "⊘"), ("candidate", "?"), ("difference", "≠"), ("changed", "~"),
    ("pending", "+"), ("in_step", "="), ("dormant", "z"), ("gone", "-"), ("ok", "✓"), ("warning", "!"),
)  # fmt: skip
UNICODE: Final = Glyphs(
    name="unicode", encoding="utf-8", ticked="✓", unticked=" ", blocked="·", ellipsis="…", arrow="→", ascending="▲",
    descending="▼", range="▌", cursor="›", separator="│", dot="·", bars=" ▁▂▃▄▅▆▇█", flags=_FLAGS,
    unfolded="▾", folded="▸",
)  # fmt: skip
ASCII: Final = Glyphs(
    name="ascii", encoding="utf-8", ticked="[x]", unticked="[ ]", blocked=" - ", ellipsis="~", arrow="->",
    ascending="^", descending="v", range="|", cursor=">", separator="|", dot="-", bars=" .:-=+*#@",
    unfolded="-", folded="+",
    flags=tuple((name, {"✗": "x", "⊘": "/", "≠": "#", "✓": "*"}.get(mark, mark)) for name, mark in _FLAGS),
)  # fmt: skip

_current: list[Glyphs] = [UNICODE]


def glyphs() -> Glyphs:
    """The set in use."""
    return _current[0]


def use_glyphs(chosen: Glyphs) -> None:
    """Choose the set for this process, before the app is built."""
    _current[0] = chosen


def choose_glyphs(*, ascii_only: bool = False, encoding: str | None = None) -> Glyphs:
    """The set that suits a terminal: ASCII when asked for or when its encoding is not UTF-8.

    Textual paints to standard error; in another encoding it writes escapes like `\\u2502` that break the layout.
    """
    found = encoding if encoding is not None else getattr(sys.__stderr__, "encoding", None)
    try:
        name = codecs.lookup(found or "ascii").name
    except LookupError:
        name = "ascii"
    if name != "utf-8":
        return replace(ASCII, encoding=name)
    return ASCII if ascii_only else UNICODE
