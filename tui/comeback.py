"""What was wrong and may be right again without anybody pressing a key.

A system that could not be reached is read again, with longer and longer waits in between. A refused login is never
tried again by itself, since that could lock the account: there the settings and the secrets beside them are watched,
and when one of them changed the program opens anew with them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from tui.session import Session

WAITS: Final = (5.0, 10.0, 20.0, 40.0, 60.0)
Stamp = tuple[tuple[str, int, int], ...]


def stamp_of(config: Path | None) -> Stamp:
    """Names, sizes and times of the settings file and of the secrets beside it."""
    if config is None:
        return ()
    found = []
    for path in sorted({config, *config.parent.glob("*.secret")}):
        try:
            facts = path.stat()
        except OSError:  # gone, or just being put in place
            continue
        found.append((path.name, facts.st_size, facts.st_mtime_ns))
    return tuple(found)


class ComeBack:
    """`look` is called now and then; it asks `again` to read both systems, or `anew` to open with changed settings."""

    def __init__(self, session: Session, again: Callable[[], None], anew: Callable[[], None]) -> None:
        self.session, self._again, self._anew = session, again, anew
        self._tries = 0
        self._due: datetime | None = None
        self._config = getattr(getattr(session.service.settings, "paths", None), "config", None)
        self._stamp = stamp_of(self._config)

    def look(self, now: datetime | None = None) -> None:
        """Do what is due."""
        now = now or datetime.now(UTC)
        trouble = self.session.trouble
        if trouble is None or self.session.busy:
            self._tries, self._due = (0 if trouble is None else self._tries), None
        elif trouble.cause == "login":
            self._look_at_settings()
        elif trouble.cause == "unreachable":
            self._look_at_clock(now)

    def _look_at_settings(self) -> None:
        stamp = stamp_of(self._config)
        if stamp and stamp != self._stamp:
            self._stamp = stamp
            self._anew()

    def _look_at_clock(self, now: datetime) -> None:
        if self._due is None:
            self._due = now + timedelta(seconds=WAITS[min(self._tries, len(WAITS) - 1)])
        elif now >= self._due:
            self._tries, self._due = self._tries + 1, None
            self._again()
