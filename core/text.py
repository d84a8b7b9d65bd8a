"""Text from records is hostile until it has passed through here.

A firm's name may hold escape sequences, line breaks, direction marks or ten thousand characters.
`safe_line` makes one harmless line of it for the terminal and the log; `csv_cell` also keeps a
spreadsheet from running it as a formula; `fold` is what comparing and searching by eye means.
Pure: nothing but the standard library.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

LINE_LIMIT: Final = 500
MARKS_PER_LETTER: Final = 4  # Vietnamese needs two, Hebrew and Indic scripts up to four
ELLIPSIS: Final = "…"
_REPLACEMENT: Final = "\ufffd"
_DOTTED_CIRCLE: Final = "\u25cc"

# Characters that act instead of being seen: controls, direction marks, zero width, fillers, tags, lone surrogates.
_ACTING = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e0fff]"
)
_DIRECTION: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_SHOWN: Final = {"\t": " ", "\n": "↵", "\x7f": "\u2421", "\u2028": "↵", "\u2029": "↵", "\xad": "-"}

_FORMULA_STARTS: Final = tuple("=+-@\t\r＝＋－＠")
_PLAIN_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?\Z", re.ASCII)


def safe_line(text: object, limit: int | None = LINE_LIMIT) -> str:
    """One harmless line: nothing in it moves a cursor, turns the direction, hides or floods.

    None becomes the empty string, other objects their `str`. Control characters become visible symbols (a tab a
    space), direction marks a replacement character, zero-width ones go; at most four combining marks stay on a
    letter. With a limit the result is at most that many characters long, the last one an ellipsis when cut.
    Idempotent.
    """
    line = "" if text is None else text if isinstance(text, str) else str(text)
    overlong = False
    if limit is not None and len(line) > limit * (MARKS_PER_LETTER + 1):
        line, overlong = line[: limit * (MARKS_PER_LETTER + 1)], True  # bounds the work below
    if not line.isascii() or not line.isprintable():
        line = _ACTING.sub(_seen, line)
        if not line.isprintable():
            line = "".join(char if char.isprintable() else _unprintable(char) for char in line)
        line = _bounded_marks(line)
    if limit is None:
        return line
    if len(line) > limit or overlong:
        return (line[: max(0, limit - 1)].removesuffix(ELLIPSIS) + ELLIPSIS)[: max(0, limit)]
    return line


def _seen(match: re.Match[str]) -> str:
    char = match.group()
    if char in _SHOWN:
        return _SHOWN[char]
    code = ord(char)
    if code < 0x20:
        return chr(0x2400 + code)  # the Unicode pictures of control characters
    if code < 0xA0 or 0xD800 <= code <= 0xDFFF or char in _DIRECTION:
        return _REPLACEMENT
    return ""


def _unprintable(char: str) -> str:
    """The rest a terminal may draw in any width or not at all: odd spaces, formats, private use, unassigned."""
    return " " if unicodedata.category(char) == "Zs" else _REPLACEMENT


def _is_mark(char: str) -> bool:
    return char > "\u02ff" and unicodedata.category(char) in {"Mn", "Me", "Mc"}


def _bounded_marks(line: str) -> str:
    """Combining marks bounded per letter; a line that starts with one gets a dotted circle to stand on."""
    if not any(map(_is_mark, line)):
        return line
    kept: list[str] = [_DOTTED_CIRCLE] if _is_mark(line[0]) else []
    run = 0
    for char in line:
        run = run + 1 if _is_mark(char) else 0
        if run <= MARKS_PER_LETTER:
            kept.append(char)
    return "".join(kept)


def csv_cell(text: object) -> str:
    """A safe line that a spreadsheet takes as text: what would start a formula gets an apostrophe in front.

    Plain numbers stay numbers ("-12.50" is an amount, not a formula).
    """
    raw = "" if text is None else str(text)
    line = safe_line(raw, None)
    if _PLAIN_NUMBER.match(line):
        return line
    starts = raw.startswith(_FORMULA_STARTS) or line.lstrip().startswith(_FORMULA_STARTS)
    return f"'{line}" if starts else line


def fold(text: str) -> str:
    """Lower case without accents, for searching as people type: "Ahlström" and "ahlstrom" are one."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char)).casefold()
