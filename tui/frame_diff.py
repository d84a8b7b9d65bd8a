"""Only what changed goes to the terminal: a frame is compared with what the terminal shows, cell by cell.

Textual sends whole lines of a widget when anything in it changed, and all lines of a scroll bar: six kilobytes for an
arrow key that moves the record beside the list, 140 bytes a second for a countdown whose last digit changed. Here each
frame is read back (its grammar is small: positions, styles, text, line ends), and what stands there already is left out.

What is not understood is sent as it is, and what the terminal shows counts as unknown from then on. So it does after a
frame that was dropped, after a resize and after anything that is not a frame. Rows that once held characters of another
width than one are always sent as they come: terminals disagree about such widths, and what is sent again heals.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from rich.cells import cell_len

SYNC_START: Final = "\x1b[?2026h"
SYNC_END: Final = "\x1b[?2026l"
_TOKEN: Final = re.compile(
    r"\x1b\[(?:(?P<row>\d+);(?P<col>\d+)H|(?P<style>[\d;]*)m)|(?P<line>\r?\n)|(?P<text>[^\x00-\x1f\x7f-\x9f]+)"
)
_MERGE: Final = 5  # equal cells between two changes that cost less than a jump over them
_ONE_READ: Final = 1_000  # characters that a terminal takes in at once: marks around a frame are for longer ones
_MOST: Final = 1_000  # rows and columns: beyond it nothing is compared

_RGB: Final = re.compile(r"\b([34])8;2;(\d+);(\d+);(\d+)\b")
_LEVELS: Final = {0: 0, 95: 1, 135: 2, 175: 3, 215: 4, 255: 5}  # xterm's cube of 6 by 6 by 6, numbers 16 to 231
_WEIGHTS: Final = frozenset({"1", "2"})
_ENDS: Final = {"1": "22", "2": "22", "3": "23", "4": "24", "7": "27", "9": "29", "38": "39", "48": "49"}
_LINED: Final = frozenset({"4", "5", "6", "7", "8", "9", "21", "51", "52", "53", "58"})  # what is seen of a blank too

Run = tuple[int, str, str]
"""Column, style and text of a stretch on one row."""


class _Row:
    """What one row of the terminal shows: a character and a style for each cell. `None` is unknown."""

    __slots__ = ("chars", "odd", "styles")

    def __init__(self) -> None:
        self.chars: list[str | None] = []
        self.styles: list[str | None] = []
        self.odd = False  # has held characters that are not one cell wide

    def reach(self, width: int) -> None:
        missing = width - len(self.chars)
        if missing > 0:
            self.chars += [None] * missing
            self.styles += [None] * missing


class FrameDiff:
    """Feed it the frames in order; what it answers is to be sent instead."""

    def __init__(self) -> None:
        self._rows: dict[int, _Row] = {}
        self._cursor: tuple[int, int] | None = None

    def forget(self) -> None:
        """What the terminal shows is not known any more."""
        self._rows.clear()
        self._cursor = None

    def feed(self, frame: str, *, typing: bool = True) -> str:
        """The least that makes the terminal show this frame; empty when it shows it already. The terminal's cursor, which
        is not shown, is put where the frame has it only while somebody types there (for input methods)."""
        body = frame
        synced = frame.startswith(SYNC_START) and frame.endswith(SYNC_END)
        if synced:
            body = frame[len(SYNC_START) : -len(SYNC_END)]
        found = self._read(body)
        if found is None:
            self.forget()
            return frame
        lines, cursor = found
        changes = [(row, runs) for row, whole in sorted(lines.items()) if (runs := self._changed(row, whole))]
        if not changes and (cursor == self._cursor or not typing):
            return ""
        self._cursor = cursor if typing else None
        sent = _written(changes)
        if typing and cursor is not None:
            sent += f"\x1b[{cursor[0]};{cursor[1]}H"
        return f"{SYNC_START}{sent}{SYNC_END}" if synced and len(sent) > _ONE_READ else sent

    def _read(self, body: str) -> tuple[dict[int, list[Run]], tuple[int, int] | None] | None:
        """The frame's rows, and where the cursor stands after it; None for what is no such frame."""
        lines: dict[int, list[Run]] = {}
        row, col, style, end = 0, 0, "", 0
        cursor = None
        for token in _TOKEN.finditer(body):
            if token.start() != end:
                return None
            end = token.end()
            text = token["text"]
            if text is not None:
                if not row:  # nobody said where
                    return None
                lines.setdefault(row, []).append((col, style, text))
                col += len(text) if text.isascii() else cell_len(text)
                cursor = None
            elif token["style"] is not None:
                style = "" if token["style"] in ("", "0") else _short(token["style"])
            elif token["line"] is not None:
                row, col = row + 1, 1
            else:
                row, col = int(token["row"]), int(token["col"])
                cursor = (row, col)
            if row > _MOST or col > _MOST:
                return None
        return (lines, cursor) if end == len(body) else None

    def _changed(self, number: int, runs: list[Run]) -> list[Run]:
        """The stretches of a row that differ from what is shown; it counts as shown afterwards."""
        row = self._rows.get(number)
        if row is None:
            row = self._rows[number] = _Row()
        found: list[Run] = []
        for col, style, text in runs:
            cells: list[str] = list(text) if text.isascii() else _cells(text)
            row.odd = row.odd or any(len(cell) != 1 for cell in cells)
            start, stop = col - 1, col - 1 + len(cells)
            row.reach(stop)
            if row.chars[start:stop] == cells and row.styles[start:stop] == [style] * len(cells):
                continue
            found += _stretches(row, start, style, cells)
            row.chars[start:stop] = cells
            row.styles[start:stop] = [style] * len(cells)
        return runs if row.odd else found


def _cells(text: str) -> list[str]:
    """One entry a cell: wide characters are followed by an empty one, marks belong to the character before."""
    if cell_len(text) == len(text) and all(cell_len(char) == 1 for char in text):
        return list(text)
    cells: list[str] = []
    for char in text:
        width = cell_len(char)
        if width == 0 and cells:
            cells[-1 if cells[-1] else -2] += char
        else:
            cells += [char, *[""] * (width - 1)] if width else [char]
    return cells


def _stretches(row: _Row, start: int, style: str, cells: list[str]) -> list[Run]:
    """The parts of one run that are shown otherwise; those close to each other are one."""
    chars, styles = row.chars, row.styles
    blank = _of_blank(style)
    moved = [
        i
        for i, char in enumerate(cells)
        if chars[start + i] != char
        or ((old := styles[start + i]) != style and (char != " " or old is None or _of_blank(old) != blank))
    ]
    found: list[list[int]] = []
    for i in moved:
        if found and i - found[-1][1] <= _MERGE:
            found[-1][1] = i + 1
        else:
            found.append([i, i + 1])
    return [(start + first + 1, style, "".join(cells[first:last])) for first, last in found]


def _written(changes: list[tuple[int, list[Run]]]) -> str:
    """Positions, styles and text, each style told by what differs from the one before."""
    parts: list[str] = []
    at: tuple[int, int] | None = None
    now = ""
    for row, runs in changes:
        for col, style, text in runs:
            if at is not None and (row, col) == (at[0] + 1, 1):
                parts.append("\r\n")
            elif at is not None and row == at[0] and col != at[1]:
                parts.append(f"\x1b[{col}G")
            elif at != (row, col):
                parts.append(f"\x1b[{row};{col}H")
            if style != now:
                parts.append(_switch(now, style))
                now = style
            parts.append(text)
            at = (row, col + (len(text) if text.isascii() else cell_len(text)))
    if now:
        parts.append("\x1b[m")
    return "".join(parts)


@lru_cache(maxsize=1024)
def _short(style: str) -> str:
    """Colours that are exactly one of the 256 by its number: half as long."""
    return _RGB.sub(_by_number, style)


def _by_number(found: re.Match[str]) -> str:
    red, green, blue = map(int, found.groups()[1:])
    if red == green == blue and red % 10 == 8 and red <= 238:
        return f"{found[1]}8;5;{232 + red // 10}"
    if {red, green, blue} <= _LEVELS.keys():
        return f"{found[1]}8;5;{16 + 36 * _LEVELS[red] + 6 * _LEVELS[green] + _LEVELS[blue]}"
    return found[0]


@lru_cache(maxsize=1024)
def _switch(old: str, new: str) -> str:
    """From one style to another: what has to end and what differs, or all of it anew where that is shorter."""
    if not new:
        return "\x1b[m"
    if not old:
        return f"\x1b[{new}m"
    before, after = _of_style(old), _of_style(new)
    anew = f"\x1b[0;{new}m"
    ended = before.keys() - after.keys()
    if not ended <= _ENDS.keys():
        return anew
    ends = sorted({_ENDS[name] for name in ended})
    lost = _WEIGHTS if "22" in ends else frozenset()  # bold and dim end together
    codes = [*ends, *(codes for name, codes in after.items() if before.get(name) != codes or name in lost)]
    return min(f"\x1b[{';'.join(codes)}m", anew, key=len) if codes else ""


@lru_cache(maxsize=1024)
def _of_blank(style: str) -> tuple[str, ...]:
    """What of a style a blank shows: neither the colour of letters nor their weight, unless it is reversed or lined."""
    found = _of_style(style)
    if found.keys() & _LINED:
        return (style,)
    return (found.get("48", ""),)


@lru_cache(maxsize=1024)
def _of_style(style: str) -> dict[str, str]:
    """Foreground, background and each attribute of a style."""
    found: dict[str, str] = {}
    codes = style.split(";")
    place = 0
    while place < len(codes):
        code = codes[place]
        if code in ("38", "48"):
            size = 5 if codes[place + 1 : place + 2] == ["2"] else 3
            found[code] = ";".join(codes[place : place + size])
            place += size
            continue
        number = int(code or "0")
        name = (
            "38"
            if 30 <= number <= 39 or 90 <= number <= 97
            else "48"
            if 40 <= number <= 49 or 100 <= number <= 107
            else code
        )
        found[name] = code
        place += 1
    return found
