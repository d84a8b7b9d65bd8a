"""The date forms of contract 6.1: how stamps are written and how filters are read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

ZONE_NAMES = {
    "America/New_York": ("Eastern Standard Time", "Eastern Daylight Time"),
    "America/Chicago": ("Central Standard Time", "Central Daylight Time"),
    "America/Denver": ("Mountain Standard Time", "Mountain Daylight Time"),
    "America/Phoenix": ("Mountain Standard Time", "Mountain Standard Time"),
    "America/Los_Angeles": ("Pacific Standard Time", "Pacific Daylight Time"),
    "UTC": ("Coordinated Universal Time", "Coordinated Universal Time"),
}

_FULL = re.compile(
    r"^(\d{4})-(\d{2})-(\d{2})[ T](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,7}))?"
    r"(?: GMT([+-])(\d{2})(:?)(\d{2}))?( \([^)]*\))?$"
)
_DAY = re.compile(r"^\d{4}-\d{2}-\d{2}$")


def millisecond(moment: datetime) -> datetime:
    """The same moment in UTC, cut to what the text form can carry."""
    utc = moment.astimezone(UTC)
    return utc.replace(microsecond=utc.microsecond // 1000 * 1000)


def stamp_text(moment: datetime, zone: str) -> str:
    """`2023-09-27 09:57:49.607 GMT-04:00 (Eastern Daylight Time)`: as LastModifiedDate is returned."""
    local = moment.astimezone(ZoneInfo(zone))
    offset = local.strftime("%z")
    names = ZONE_NAMES.get(zone, (zone, zone))
    name = names[1 if local.dst() else 0]
    return f"{local:%Y-%m-%d %H:%M:%S}.{local.microsecond // 1000:03d} GMT{offset[:3]}:{offset[3:5]} ({name})"


def round_trip_text(moment: datetime, zone: str) -> str:
    """`2023-10-08T13:20:48.3275167-04:00`: the .NET round-trip form of SessionExpiration."""
    local = moment.astimezone(ZoneInfo(zone))
    offset = local.strftime("%z")
    return f"{local:%Y-%m-%dT%H:%M:%S}.{local.microsecond:06d}0{offset[:3]}:{offset[3:5]}"


@dataclass(frozen=True)
class FilterDate:
    """A modified-date filter as read: the moment (UTC), whether only a day was given, whether in the returned form."""

    moment: datetime
    day_only: bool
    returned_form: bool


def read_filter_date(text: str, zone: str) -> FilterDate | None:
    """`YYYY-MM-DD`, `2015-03-11 16:22:54.229 GMT-0700` or the returned form; None when it is none of them."""
    try:
        if _DAY.match(text):
            day = datetime.combine(date.fromisoformat(text), time(), ZoneInfo(zone))
            return FilterDate(day.astimezone(UTC), day_only=True, returned_form=False)
        match = _FULL.match(text)
        return None if match is None else _from_match(match, zone)
    except (ValueError, OverflowError):
        return None


def _from_match(match: re.Match[str], zone: str) -> FilterDate:
    year, month, day, hour, minute, second = (int(match[n]) for n in range(1, 7))
    micro = int((match[7] or "0").ljust(6, "0")[:6])
    local: tzinfo = ZoneInfo(zone)
    if match[8]:
        away = timedelta(hours=int(match[9]), minutes=int(match[11]))
        moment = datetime(year, month, day, hour, minute, second, micro, tzinfo=UTC) - (
            away if match[8] == "+" else -away
        )
    else:
        moment = datetime(year, month, day, hour, minute, second, micro, tzinfo=local).astimezone(UTC)
    return FilterDate(moment, day_only=False, returned_form=bool(match[10]) or bool(match[12]))


def is_day(value: object) -> bool:
    """Whether a value is a plain `YYYY-MM-DD` date, the form of dates on records."""
    if not isinstance(value, str) or not _DAY.match(value):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True
