"""What commands print: aligned tables for people, JSON for programs. Record text is made harmless here."""

from __future__ import annotations

import json
import os
import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import click

from core.text import safe_line

GAP: Final = "  "
WIDEST_CELL: Final = 60
WIDEST_LAST: Final = 500


def document(value: Any) -> None:
    """One JSON document. ASCII only: nothing a record holds can act in a terminal."""
    click.echo(json.dumps(value, indent=2))


def line(value: Any) -> None:
    """One JSON value on one line, at once."""
    click.echo(json.dumps(value))
    sys.stdout.flush()


def text(value: object = "") -> None:
    click.echo(safe_line(value, 2000))


def table(headers: Sequence[str], rows: Iterable[Sequence[object]], *, right: Iterable[int] = ()) -> None:
    """Aligned columns; `right` are the numbers of columns that hold figures. Nothing for no rows.
    The last column may be as long as it is; on a terminal a line is cut at its edge."""
    last = len(headers) - 1
    cells = [
        [safe_line(_shown(c), WIDEST_LAST if i == last else WIDEST_CELL) for i, c in enumerate(row)] for row in rows
    ]
    if not cells:
        return
    widths = [max(map(width, column)) for column in zip(headers, *cells, strict=True)]
    figures = frozenset(right)
    click.echo(_styled(_row(headers, widths, figures)))
    for row in cells:
        click.echo(_row(row, widths, figures))


def pairs(items: Mapping[str, object] | Iterable[tuple[str, object]]) -> None:
    """Names and values in two columns."""
    rows = list(items.items() if isinstance(items, Mapping) else items)
    widest = max((width(name) for name, _value in rows), default=0)
    for name, value in rows:
        click.echo(f"{_styled(_pad(name, widest))}{GAP}{safe_line(_shown(value), 2000)}".rstrip())


def width(cell: str) -> int:
    """Columns that a text takes in a terminal."""
    if cell.isascii():
        return len(cell)
    return sum(0 if unicodedata.combining(char) else 2 if _wide(char) else 1 for char in cell)


def _wide(char: str) -> bool:
    return unicodedata.east_asian_width(char) in "WF"


def _shown(cell: object) -> object:
    return {True: "yes", False: "", None: ""}[cell] if cell is None or isinstance(cell, bool) else cell


def _row(cells: Sequence[str], widths: Sequence[int], figures: frozenset[int]) -> str:
    padded = (_pad(cell, widths[i], left=i in figures) for i, cell in enumerate(cells))
    line = GAP.join(padded).rstrip()
    if not sys.stdout.isatty():
        return line
    import shutil  # late: it brings archives along

    return _fit(line, shutil.get_terminal_size().columns)


def _pad(cell: str, size: int, *, left: bool = False) -> str:
    blank = " " * (size - width(cell))
    return blank + cell if left else cell + blank


def _fit(line: str, columns: int) -> str:
    """A line that does not wrap; what is cut ends in an ellipsis."""
    if width(line) <= columns:
        return line
    while width(line) >= columns:
        line = line[:-1]
    return line + "…"


def _styled(line: str) -> str:
    """Headings stand back a little, on a terminal that wants colour."""
    plain = bool(os.environ.get("NO_COLOR")) or not sys.stdout.isatty() or os.environ.get("TERM") == "dumb"
    return line if plain else click.style(line, bold=True)
