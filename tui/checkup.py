"""A check of the whole (doctor, probes, rehearsal) while it goes on and after: what was asked, told and found.

It goes on when its dialog is closed, and ends with the program. Nothing of it runs on the loop: the service's
`checkups` do it in a process of their own.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from core.engine.checkups import Report
from core.engine.service import Service
from core.errors import AjerasyncError
from tui.formatting import duration

NAMES: Final = {"doctor": "Health check", "probe": "Probes", "rehearse": "Rehearsal"}
_KEPT: Final = 40
Tell = Callable[[str], None]


@dataclass
class Checkup:
    """One check. `version` grows with each news; `report` or `wrong` stands once it has `ended`; `seen`: its end was."""

    what: str
    began: datetime
    told: deque[str] = field(default_factory=lambda: deque(maxlen=_KEPT))
    report: Report | None = None
    wrong: str = ""
    ended: datetime | None = None
    version: int = 0
    seen: bool = False

    @property
    def name(self) -> str:
        """What it is called."""
        return NAMES[self.what]

    @property
    def going_on(self) -> bool:
        """Whether it has not ended yet."""
        return self.ended is None

    def tell(self, line: str) -> None:
        """A line of progress."""
        self.told.append(line)
        self.version += 1

    def end(self, *, report: Report | None = None, wrong: str = "") -> None:
        """It is over."""
        self.report, self.wrong, self.ended = report, wrong, datetime.now(UTC)
        self.version += 1

    def state_words(self, now: datetime) -> str:
        """ "going on for 12 s: reading every firm of Ajera", "done in 14 s", "did not get through"."""
        if self.ended is None:
            passed = duration(float(int((now - self.began).total_seconds())))
            return f"{self.name}: going on for {passed}" + (f": {self.told[-1]}" if self.told else "")
        took = duration((self.ended - self.began).total_seconds())
        return f"{self.name}: {'did not get through' if self.wrong else f'done in {took}'}"


async def carry_out(checkup: Checkup, ask: Callable[[Tell], Coroutine[Any, Any, Report]]) -> None:
    """Ask, and keep what came of it."""
    try:
        checkup.end(report=await ask(checkup.tell))
    except AjerasyncError as error:
        checkup.end(wrong=str(error))
    except asyncio.CancelledError:
        checkup.end(wrong="Stopped.")
        raise
    except OSError as error:
        checkup.end(wrong=f"It could not be started: {error.strerror}")


def asking(
    service: Service, what: str, databases: Sequence[str] = (), keep: Path | None = None
) -> Callable[[Tell], Coroutine[Any, Any, Report]]:
    """The call of one check. Raises UsageError where this program has none."""
    checks = service.checkups
    if what == "doctor":
        return checks.doctor
    if what == "probe":
        return lambda tell: checks.probe(tell, databases)
    return lambda tell: checks.rehearse(tell, keep)
