"""The schedule: when runs are due, and the task that starts them (sync-rules 9).

The only module that knows croniter. Due times come from the schedule, not from when the last run
ended; times missed during sleep or a stop are made up by one run.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from croniter import CroniterBadDateError, croniter

from core.engine.silence import COMING, longest_wait
from core.errors import UsageError

HORIZON = timedelta(days=366 * 5)


@dataclass(frozen=True, slots=True)
class Cron:
    """One cron expression in a time zone. Five fields; a sixth, last, is seconds; names and @hourly."""

    expression: str
    timezone: str = "UTC"
    jitter: float = 0.0

    def __post_init__(self) -> None:
        zone_of(self.timezone)
        fields = self.expression.split()
        if not self.expression.strip().startswith("@") and len(fields) not in (5, 6):
            raise UsageError(
                f"{self.expression!r} has {len(fields)} fields; a schedule has five (minute hour day month weekday), "
                "a sixth is seconds"
            )
        try:
            croniter(self.expression, datetime(2026, 1, 1, tzinfo=UTC))
        except (ValueError, KeyError) as error:
            raise UsageError(f"{self.expression!r} is not a schedule: {error}") from None

    @property
    def finer_than_hourly(self) -> bool:
        """Whether it may be due more than once in an hour."""
        expanded = croniter(self.expression, datetime(2026, 1, 1, tzinfo=UTC)).expanded
        minutes, seconds = expanded[0], expanded[5] if len(expanded) > 5 else [0]
        return len(minutes) > 1 or minutes == ["*"] or len(seconds) > 1 or seconds == ["*"]

    def after(self, moment: datetime) -> Iterator[datetime]:
        """Due times after `moment`, in UTC, ascending; ends after five years.

        croniter yields 01:30 twice when clocks go back; for jobs not finer than hourly the second
        one, the same by local wall time, is left out.
        """
        zone, seen = zone_of(self.timezone), None
        walk = croniter(self.expression, moment.astimezone(zone), ret_type=datetime)
        once_an_hour = not self.finer_than_hourly
        end = moment + HORIZON
        while (local := _following(walk)) is not None and local <= end:
            wall = local.replace(tzinfo=None)
            due = local.astimezone(UTC)
            if due <= moment or (once_an_hour and wall == seen):
                continue
            seen = wall
            yield due

    def next(self, moment: datetime, n: int = 5) -> tuple[datetime, ...]:
        """The next `n` due times, in UTC."""
        times = self.after(moment)
        return tuple(due for due, _ in zip(times, range(n), strict=False))

    def first_after(self, moment: datetime) -> datetime | None:
        """The next due time, jitter included."""
        due = next(self.after(moment), None)
        return due + timedelta(seconds=random.uniform(0, self.jitter)) if due and self.jitter else due  # noqa: S311 # spreading, not secrecy

    def beyond(self, due: datetime, now: datetime) -> bool:
        """Whether a due time is further off than the second from now: then the clock was set back since it was worked
        out. By less than one period, waiting for it doubles no run and misses none."""
        times = self.next(now, 2)
        return bool(times) and due > times[-1] + timedelta(seconds=self.jitter)

    def gap(self, moment: datetime) -> timedelta | None:
        """The longest wait among the next few due times: what "twice the schedule's gap" means."""
        return longest_wait(self.next(moment, COMING))

    def steady(self, moment: datetime, n: int) -> tuple[datetime, ...]:
        """The next `n` due times at most, cut before the zone's clocks change: asked from any moment among them,
        `next` tells the same."""
        zone = zone_of(self.timezone)
        offset = moment.astimezone(zone).utcoffset()
        return tuple(takewhile(lambda due: due.astimezone(zone).utcoffset() == offset, self.next(moment, n)))


def _following(walk: croniter[datetime]) -> datetime | None:
    """The next local time, None where the calendar has none (31 February)."""
    try:
        found: datetime = walk.get_next(datetime)
    except CroniterBadDateError:
        return None
    return found


def zone_of(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UsageError(f"{name!r} is not a time zone; an example is America/Chicago") from None


class Alarm:
    """Waits until a moment, in steps short enough to notice a changed schedule and a slept machine."""

    STEP = 20.0

    def __init__(self) -> None:
        self._changed = asyncio.Event()

    def ring(self) -> None:
        """The schedule changed: wake up and look again."""
        self._changed.set()

    async def wait(self, seconds: float) -> bool:
        """True when it was rung, False when the time (at most one step) went by."""
        try:
            # Not wait_for: in Python 3.11 it swallows a cancellation that comes together with the ring.
            async with asyncio.timeout(max(0.0, min(seconds, self.STEP))):
                await self._changed.wait()
        except TimeoutError:
            return False
        self._changed.clear()
        return True
