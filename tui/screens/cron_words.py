"""A cron expression in words: "every 15 minutes from 07:00 to 19:45, Monday to Friday". Pure.

Says what is sure. An expression it has no sentence for is told part by part; the next five times stand beside it anyway.
"""

from __future__ import annotations

import re
from typing import Final

_DAYS: Final = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS: Final = (
    "", "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_MACROS: Final = {
    "@hourly": "every hour, on the hour", "@daily": "every day at 00:00", "@midnight": "every day at 00:00",
    "@weekly": "every Sunday at 00:00", "@monthly": "on day 1 of every month at 00:00",
    "@yearly": "every year on 1 January at 00:00", "@annually": "every year on 1 January at 00:00",
}  # fmt: skip
_STEP: Final = re.compile(r"(\*|\d+-\d+)/(\d+)")
_NAMES: Final = {name[:3].casefold(): str(i) for i, name in enumerate(_DAYS[:7])}
_MONTH_NAMES: Final = {name[:3].casefold(): str(i) for i, name in enumerate(_MONTHS) if name}


def cron_words(expression: str) -> str:
    """What the expression means. For one that is a schedule; of another it says what it can."""
    text = " ".join(expression.split()).casefold()
    if text in _MACROS:
        return _MACROS[text]
    fields = text.split()
    if len(fields) not in (5, 6):
        return ""
    minute, hour, day, month, weekday = fields[:5]
    seconds = fields[5] if len(fields) == 6 else "0"
    days = _days(day, weekday)
    time = _time(minute, hour)
    fixed = minute.isdigit() and _plain_list(hour)
    parts = [time, days or ("every day" if fixed else ""), _months(month), _seconds(seconds)]
    return ", ".join(part for part in parts if part)


def _time(minute: str, hour: str) -> str:
    if minute.isdigit() and _plain_list(hour):
        return "at " + _join([f"{int(each):02d}:{int(minute):02d}" for each in hour.split(",")])
    return _minutes(minute) + _hours(hour, minute)


def _minutes(minute: str) -> str:
    if minute == "*":
        return "every minute"
    if step := _STEP.fullmatch(minute):
        span = "" if step[1] == "*" else f" of minutes {step[1].replace('-', ' to ')}"
        return f"every {step[2]} minutes{span}" if step[2] != "1" else f"every minute{span}"
    if minute == "0":
        return "every hour, on the hour"
    if _plain_list(minute):
        return "at minute " + _join(minute.split(","))
    return f"at minutes {minute.replace('-', ' to ')}"


def _hours(hour: str, minute: str) -> str:
    if hour == "*":
        return "" if not _plain_list(minute) or minute == "0" else " of every hour"
    if span := re.fullmatch(r"(\d+)-(\d+)", hour):
        return f" from {int(span[1]):02d}:{_first(minute):02d} to {int(span[2]):02d}:{_last(minute):02d}"
    if step := _STEP.fullmatch(hour):
        within = "" if step[1] == "*" else f" from {step[1].replace('-', ' to ')} o'clock"
        return f" of every {_ordinal(int(step[2]))} hour{within}"
    return f" in the {'hours' if ',' in hour else 'hour'} {_join(hour.split(','))}"


def _first(minute: str) -> int:
    return min(_minutes_of(minute))


def _last(minute: str) -> int:
    return max(_minutes_of(minute))


def _minutes_of(minute: str) -> list[int]:
    found: list[int] = []
    for part in minute.split(","):
        head, _, step = part.partition("/")
        low, _, high = ("0", "-", "59") if head == "*" else head.partition("-")
        if low.isdigit() and (high or low).isdigit():
            found += range(int(low), int(high or low) + 1, max(1, int(step) if step.isdigit() else 1))
    return found or [0, 59]


def _days(day: str, weekday: str) -> str:
    by_week = "" if weekday in ("*", "?") else _named(weekday, _NAMES, _DAYS)
    by_month = (
        "" if day in ("*", "?") else "on " + ("the last day" if day == "l" else f"day {_spoken(day)}") + " of the month"
    )
    if by_week and by_month:
        return f"{by_month} or {by_week}"  # cron takes either when both are given
    return by_week or by_month


def _months(month: str) -> str:
    return "" if month == "*" else "in " + _named(month, _MONTH_NAMES, _MONTHS)


def _named(field: str, numbers: dict[str, str], names: tuple[str, ...]) -> str:
    def one(text: str) -> str:
        text = numbers.get(text, text)
        return names[int(text)] if text.isdigit() and int(text) < len(names) else text

    told = []
    for part in field.split(","):
        low, dash, high = part.partition("-")
        told.append(f"{one(low)} to {one(high)}" if dash else one(part))
    return _join(told)


def _seconds(seconds: str) -> str:
    if seconds == "0":
        return ""
    if step := _STEP.fullmatch(seconds):
        return f"every {step[2]} seconds of it"
    return "every second of it" if seconds == "*" else f"at second {_spoken(seconds)}"


def _spoken(field: str) -> str:
    return _join([part.replace("-", " to ") for part in field.split(",")])


def _plain_list(field: str) -> bool:
    return all(part.isdigit() for part in field.split(","))


def _join(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
