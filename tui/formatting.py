"""How values are written on the screen: money, times, ages, counts, states, and text cut to cells. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Final, Literal

from rich.cells import cell_len, set_cell_size

from core.text import safe_line
from tui.glyphs import glyphs

Align = Literal["left", "right"]

STATE_WORDS: Final[dict[str, str]] = {
    "unmarked": "",
    "pending": "to be sent",
    "in_step": "in step",
    "changed": "changed",
    "conflict": "conflict",
    "candidate": "candidate",
    "difference": "differs",
    "error": "error",
    "refused": "refused",
    "dormant": "dormant",
    "gone": "gone",
    "not_tickable": "not tickable",
}
_CENT: Final = Decimal("0.01")


def state_word(state: str) -> str:
    """The word of a record's state (interface, section 3); an unknown state is shown as it is."""
    return STATE_WORDS.get(state, safe_line(state.replace("_", " "), 40))


def state_text(state: str) -> str:
    """Symbol and word, as in "! conflict"; empty for unmarked records."""
    word = state_word(state)
    return f"{glyphs().flag(state)} {word}".strip() if word else ""


def money(amount: Decimal | None, symbol: str = "") -> str:
    """ "1,234.50", "-1,234.50", "$1,234.50"; nothing for None. Halves round away from zero as on invoices."""
    if amount is None:
        return ""
    if not amount.is_finite():
        return str(amount)
    rounded = amount.quantize(_CENT, ROUND_HALF_UP) if abs(amount) < Decimal(10) ** 24 else amount
    sign = "-" if rounded < 0 else ""
    return f"{sign}{symbol}{abs(rounded):,.2f}"


def count(number: int, noun: str = "", plural: str | None = None) -> str:
    """ "5,012", "1 firm", "3 firms"."""
    if not noun:
        return f"{number:,}"
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def day(value: date | None) -> str:
    """ "2025-03-01", the same for everyone."""
    return "" if value is None else f"{value:%Y-%m-%d}"


def moment(value: datetime | None, zone: tzinfo | None = None) -> str:
    """ "2025-03-01 10:42" in the given zone, else in the machine's."""
    return "" if value is None else f"{value.astimezone(zone):%Y-%m-%d %H:%M}"


def clock(value: datetime | None, zone: tzinfo | None = None) -> str:
    """ "10:42:07" in the given zone, else in the machine's."""
    return "" if value is None else f"{value.astimezone(zone):%H:%M:%S}"


def duration(seconds: float) -> str:
    """ "0.4 s", "12 s", "4 min 5 s", "3 h 20 min", "2 d 4 h"."""
    if seconds < 0:
        return f"-{duration(-seconds)}"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for unit, name, below, part in ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= unit:
            rest = whole % unit // below
            return f"{whole // unit} {name} {rest} {part}" if rest else f"{whole // unit} {name}"
    return f"{whole} s"


def age(then: datetime | None, now: datetime | None = None) -> str:
    """ "just now", "3 min ago", "2 h ago", "5 d ago"; "never" for None; "in the future" when clocks disagree."""
    if then is None:
        return "never"
    seconds = ((now or datetime.now(UTC)) - then).total_seconds()
    if seconds < -5:
        return "in the future"
    for unit, name in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= unit:
            return f"{int(seconds // unit)} {name} ago"
    return "just now" if seconds < 10 else f"{int(seconds)} s ago"


def countdown(until: datetime | None, now: datetime | None = None) -> str:
    """ "04:12", "1:04:12", "2 d 03:00", "due" once the time has come. From wall time, so a suspend does not lie."""
    if until is None:
        return ""
    left = until - (now or datetime.now(UTC))
    if left <= timedelta(0):
        return "due"
    whole = int(left.total_seconds())
    hours, rest = divmod(whole, 3_600)
    if hours >= 24:
        return f"{hours // 24} d {hours % 24:02d}:{rest // 60:02d}"
    tail = f"{rest // 60:02d}:{rest % 60:02d}"
    return f"{hours}:{tail}" if hours else tail


def joined(parts: Iterable[str], separator: str | None = None) -> str:
    """The parts that say something, with the set's dot between."""
    return (separator or f" {glyphs().dot} ").join(part for part in parts if part)


def ticks_text(ticked: int, outside: int) -> str:
    """What the status line always carries: "ticked 12 (7 not in view)"."""
    if not ticked:
        return "nothing ticked"
    return f"ticked {ticked:,} ({outside:,} not in view)" if outside else f"ticked {ticked:,}"


# -- cells -----------------------------------------------------------------------------------------------------


def cut(text: str, width: int) -> str:
    """The text in at most `width` cells; what was cut ends in the ellipsis. Wide characters are never halved."""
    if width <= 0:
        return ""
    if cell_len(text) <= width:
        return text
    mark = glyphs().ellipsis
    if width <= len(mark):
        return mark[:width]
    return set_cell_size(text, width - len(mark)).rstrip() + mark


def fit(text: str, width: int, align: Align = "left") -> str:
    """The text in exactly `width` cells: cut or padded."""
    if width <= 0:
        return ""
    shown = cut(text, width)
    pad = " " * (width - cell_len(shown))
    return pad + shown if align == "right" else shown + pad


@lru_cache(maxsize=4096)
def cell(text: str, width: int, align: Align = "left") -> str:
    """Record text, made safe, in exactly `width` cells. Cached: the same cells are painted again and again."""
    return fit(glyphs().printable(safe_line(text, 4 * max(width, 1) + 8)), width, align)


def wrap(text: str, width: int, limit: int = 0) -> list[str]:
    """The text in lines of at most `width` cells, broken at spaces where it can be; at most `limit` lines."""
    lines: list[str] = []
    rest = text
    while rest:
        head, rest = _break(rest, max(2, width))
        lines.append(head)
        if limit and len(lines) == limit and rest:
            lines[-1] = cut(f"{head} {rest}", width)
            break
    return lines or [""]


def _break(text: str, width: int) -> tuple[str, str]:
    if cell_len(text) <= width:
        return text, ""
    end, used = 0, 0
    for char in text:
        used += cell_len(char)
        if used > width:
            break
        end += 1
    space = text.rfind(" ", 0, end + 1)
    if space > 0:
        return text[:space], text[space + 1 :]
    end = max(1, end)
    return text[:end], text[end:]
