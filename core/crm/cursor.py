"""How far a hub was read: the newest ModDate seen and whose it was, as text `moddate|key`. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from core.crm.query import moment_of, zulu

OVERLAP: Final = timedelta(minutes=2)  # a transaction may commit late with an earlier stamp (contract section 6)
ROUNDING: Final = timedelta(seconds=1)  # databases round stamps
BEGINNING: Final = datetime(1900, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Seen:
    """The newest row seen: its stamp as received, its moment, its key ("" where there was no row)."""

    stamp: str
    key: str
    moment: datetime

    def __str__(self) -> str:
        return f"{self.stamp}|{self.key}"

    @property
    def bound(self) -> datetime:
        """Where the next pull begins."""
        return self.moment - OVERLAP if self.moment > BEGINNING + OVERLAP else self.moment


def read_cursor(text: str | None) -> Seen | None:
    """The cursor of a text; None where there is none or it cannot be read, which means: read everything."""
    stamp, _, key = (text or "").partition("|")
    moment = moment_of(stamp)
    return Seen(stamp, key, moment) if moment else None


@dataclass(frozen=True, slots=True)
class Answer:
    """A list in short: its oldest moment, its newest row, its keys."""

    oldest: datetime | None
    newest: Seen | None
    keys: frozenset[str]


def answer_of(rows: Iterable[tuple[str, str]]) -> Answer:
    """The answer in short, of (stamp, key) pairs. Of equally new rows the first by key, the same each time."""
    pairs = list(rows)
    seen = [Seen(stamp, key, moment) for stamp, key in pairs if (moment := moment_of(stamp))]
    last = min(seen, key=lambda one: (-one.moment.timestamp(), one.key), default=None)
    first = min((one.moment for one in seen), default=None)
    return Answer(first, last, frozenset(key for _, key in pairs))


def capped(seen: Seen, date: datetime | None) -> Seen:
    """Never past the server's own clock at the time of the reply: a stamp of the future must not hide changes."""
    if date is None or seen.moment <= date:
        return seen
    return Seen(zulu(date).removesuffix("Z"), seen.key, date)


def at_start(date: datetime | None) -> Seen:
    """The cursor of a hub without any row."""
    moment = date or BEGINNING
    return Seen(zulu(moment).removesuffix("Z"), "", moment)
