"""Silence is an alarm (sync-rules 9): no good run for twice the schedule's gap. On plain values, and light to import."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

COMING: Final = 8  # due times whose longest wait is the gap


def longest_wait(times: Sequence[datetime]) -> timedelta | None:
    """The longest wait between due times that follow each other; None for fewer than two."""
    return max((later - earlier for earlier, later in pairwise(times)), default=None)


def silent(gap: timedelta | None, last_good: str | None, first_run: str | None, now: datetime) -> tuple[bool, str]:
    """Whether it has been silent for too long, and how that is said. Moments as the store keeps them; the first run
    counts where none has ended well yet."""
    since = last_good or first_run
    if gap is None or since is None:
        return False, ""
    age = now - datetime.fromisoformat(since)
    if age < -2 * gap:
        return True, f"the last good run is told for {since}, which is still to come: was the clock set back?"
    if age <= 2 * gap:
        return False, ""
    return True, f"no good run since {since}" if last_good else "no run has ended well yet"
