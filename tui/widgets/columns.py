"""Which columns fit, and how wide: pure arithmetic over cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tui.formatting import Align


@dataclass(frozen=True, slots=True)
class Column:
    """A column: at least `width` cells, growing by its share `flex` up to `most`.

    When it is narrow the column with the highest `priority` goes first; those of priority 0 stay (cut if they must).
    """

    id: str
    label: str
    width: int = 8
    most: int | None = None
    flex: int = 0
    align: Align = "left"
    priority: int = 0
    sortable: bool = True


@dataclass(frozen=True, slots=True)
class Placed:
    """A column on the screen: its index, first cell and width."""

    index: int
    start: int
    width: int


def lay_out(columns: Sequence[Column], available: int, start: int = 0, gap: int = 1) -> list[Placed]:
    """The columns shown in `available` cells, from cell `start` on, `gap` cells between them."""
    shown = _that_fit(columns, available, gap)
    widths = {index: columns[index].width for index in shown}
    spare = available - _needed(columns, shown, gap)
    if spare > 0:
        _grow(columns, widths, spare)
    elif spare < 0:
        _shrink(widths, -spare)
    placed = []
    for index in shown:
        if widths[index] > 0:
            placed.append(Placed(index, start, widths[index]))
            start += widths[index] + gap
    return placed


def _needed(columns: Sequence[Column], shown: Sequence[int], gap: int) -> int:
    return sum(columns[index].width for index in shown) + gap * max(0, len(shown) - 1)


def _that_fit(columns: Sequence[Column], available: int, gap: int) -> list[int]:
    shown = list(range(len(columns)))
    while _needed(columns, shown, gap) > available:
        # of equals the one farther right goes first
        worst = max(shown, key=lambda index: (columns[index].priority, index), default=None)
        if worst is None or columns[worst].priority == 0:
            break
        shown.remove(worst)
    return shown


def _grow(columns: Sequence[Column], widths: dict[int, int], spare: int) -> None:
    while spare > 0:
        open_ones = [i for i in widths if columns[i].flex and (columns[i].most or 10_000) > widths[i]]
        shares = sum(columns[i].flex for i in open_ones)
        if not shares:
            return
        round_of = spare
        for index in open_ones:
            room = (columns[index].most or 10_000) - widths[index]
            more = min(room, max(1, round_of * columns[index].flex // shares), spare)
            widths[index] += more
            spare -= more


def _shrink(widths: dict[int, int], excess: int) -> None:
    while excess > 0 and any(widths.values()):
        widest = max(widths, key=lambda index: (widths[index], index))
        widths[widest] -= 1
        excess -= 1
