"""What all screens share: the service, its status kept for a moment, what went wrong, the log's last lines.

The engine's events arrive here on the loop. They are kept until the app hands them on in a batch, so that a
thousand actions a second repaint nothing more than four times.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from core.engine.clock import from_iso
from core.engine.events import Event
from core.engine.hubrows import HubRows
from core.engine.service import Service
from core.engine.views import Progress, Status
from core.errors import AjerasyncError, LoginRefused, Unreachable
from core.model.values import Kind
from core.text import safe_line
from tui.checkup import Checkup
from tui.formatting import moment
from tui.messages import CHANGING
from tui.widgets.log_panel import LogLine

KEPT_LINES: Final = 2_000
STATUS_SECONDS: Final = 15.0  # staleness and the lease change without an event
_SAYING: Final = frozenset({"progress", "log"})  # these change nothing
_SILENT: Final = frozenset({"progress", "mark_changed", "store_changed"})


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong, in few words; why, as the error says it; the way out; and its cause: "unreachable" (tried again by
    itself), "login" (never), or nothing of that kind. `brief` is the way out in the header's few words."""

    what: str
    why: str = ""
    way_out: str = ""
    cause: str = ""
    brief: str = ""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that is wrong until it is not: since when, what, and the way out. Fields as in `Wrong`."""

    since: datetime
    what: str
    way_out: str = ""
    why: str = ""
    cause: str = ""
    brief: str = ""

    @property
    def lines(self) -> list[str]:
        """All of it, for where there is room."""
        return [line for line in (f"{self.what}.", self.why, self.way_out) if line]


_NOT_REACHED: Final = re.compile(r"(Ajera|The CRM) (could not be reached|did not answer)")


@dataclass
class Session:
    """One per program. `generation` grows whenever rows, queues or runs may have changed."""

    service: Service
    wake: Callable[[], None] = lambda: None
    generation: int = 0
    trouble: Trouble | None = None
    doing: str = ""
    show_log: bool = False
    checkup: Checkup | None = None
    lines: deque[LogLine] = field(default_factory=lambda: deque(maxlen=KEPT_LINES))
    line_count: int = 0
    _status: Status | None = None
    _status_at: datetime | None = None
    _events: list[Event] = field(default_factory=list)
    _end: Callable[[], None] | None = None

    def open(self) -> None:
        """Listen to the engine and take the log's last lines."""
        self._end = self.service.bus.subscribe(self._told)
        self._keep_lines(line_of(entry) for entry in self.service.log(500))

    def close(self) -> None:
        """Listen no more."""
        if self._end is not None:
            self._end()
            self._end = None

    # -- events --------------------------------------------------------------------------------------------

    def _told(self, event: Event) -> None:
        if event.event in CHANGING or event.event == "mark_changed":
            self.generation += 1
        if event.event not in _SAYING:
            self._status = None
        self._notice_trouble(event)
        self._events.append(event)
        self.wake()

    def _notice_trouble(self, event: Event) -> None:
        outcome = event.data.get("outcome") if event.event == "run_finished" else None
        if event.event == "pulled" or outcome in ("ok", "partial"):
            self.trouble = None
        elif outcome in ("failed", "refused"):
            self._still_wrong(from_iso(event.ts), wrong_of_run(event.text, self.service))

    def failed(self, error: AjerasyncError, now: datetime | None = None) -> None:
        """Work that was asked for here failed: keep it in sight until something works again."""
        self._still_wrong(now or datetime.now(UTC), words_of(error, self.service))

    def _still_wrong(self, at: datetime, wrong: Wrong) -> None:
        since = self.trouble.since if self.trouble else at
        if not wrong.way_out and self.trouble is not None:
            return  # the words we have say more
        self.trouble = Trouble(since, wrong.what, wrong.way_out, wrong.why, wrong.cause, wrong.brief)

    def take(self) -> Sequence[Event]:
        """The events since the last call."""
        events, self._events = self._events, []
        self._keep_lines(
            LogLine(from_iso(event.ts), event.level, event.text)
            for event in events
            if event.event not in _SILENT and event.text
        )
        return events

    def _keep_lines(self, lines: Any) -> None:
        for line in lines:
            self.lines.append(line)
            self.line_count += 1

    def lines_since(self, number: int) -> list[LogLine]:
        """The kept log lines from that number on; a screen that was away takes up where it was."""
        missed = min(self.line_count - number, len(self.lines))
        return list(self.lines)[len(self.lines) - missed :] if missed > 0 else []

    # -- status --------------------------------------------------------------------------------------------

    @property
    def status(self) -> Status:
        """The service's status; made anew after an event and now and then."""
        now = datetime.now(UTC)
        old = self._status_at is None or (now - self._status_at).total_seconds() > STATUS_SECONDS
        if self._status is None or old:
            self._status, self._status_at = self.service.status(), now
        return self._status

    def forget_status(self) -> None:
        """Something changed that no event told of."""
        self._status = None

    def pending_ticks(self) -> int:
        """Ticked records that the next run would send, as the hubs show them."""
        kinds = (Kind.FIRM, Kind.CONTACT, Kind.PROJECT)
        return sum(map(_pending, map(self.service.rows, kinds)))

    def next_run_text(self) -> str:
        """When the schedule would run next, on this machine's clock."""
        due = next(iter(self.status.next_runs), None)
        return moment(from_iso(due)) if due else ""

    @property
    def progress(self) -> Progress:
        """Where the running run is."""
        return self.service.progress

    @property
    def checking(self) -> bool:
        """Whether a check of the whole (tui/checkup.py) goes on beside this program."""
        return self.checkup is not None and self.checkup.going_on

    @property
    def busy(self) -> bool:
        """Whether a plan or a run is going on in this program."""
        return self.progress.phase != "idle" or bool(self.doing)


def _pending(rows: HubRows) -> int:
    return sum(
        state == "pending" and bool(on) for state, on in zip(rows.column("state"), rows.column("marked"), strict=True)
    )


def line_of(entry: Mapping[str, Any]) -> LogLine:
    """A line of the run log as the panel shows it."""
    try:
        at = from_iso(str(entry.get("ts", "")))
    except ValueError:
        at = datetime.now(UTC)
    return LogLine(at, str(entry.get("level", "info")), str(entry.get("text", "")))


def words_of(error: AjerasyncError, service: Service) -> Wrong:
    """What went wrong, and what to do, in the operator's words; the place is always named."""
    match error:
        case Unreachable():
            return _unreachable(error.side, str(error), service)
        case LoginRefused():
            config = getattr(getattr(service.settings, "paths", None), "config", None)
            where = f" in {config}" if config else ""
            section = getattr(service.settings, error.side, None)
            user = safe_line(getattr(section, "username", ""), 60)
            return Wrong(
                f"{_side(error.side)} refused the login of {user}"
                if user
                else f"{_side(error.side)} refused the login",
                safe_line(str(error), 600),
                f"Correct the user or the password{where}, by hand or with `ajerasync setup {error.side}`: this goes on "
                "by itself when the file has changed. p tries the same login once more.",
                "login",
                f"correct it{where}",
            )
        case _:
            return Wrong(safe_line(str(error), 600))


def wrong_of_run(text: str, service: Service) -> Wrong:
    """The same of a run that failed in the background, of which only the words are known."""
    found = _NOT_REACHED.search(text)
    if found is None:
        return Wrong(text)
    return _unreachable("ajera" if found[1] == "Ajera" else "crm", text, service)


def _unreachable(side: str, why: str, service: Service) -> Wrong:
    url = str(getattr(getattr(service.settings, side, None), "url", ""))
    place = safe_line(urlsplit(url).netloc.rpartition("@")[2], 80)
    return Wrong(
        f"{_side(side)} cannot be reached" + (f" at {place}" if place else ""),
        safe_line(why, 600),
        "It is tried again by itself; p tries now. `ajerasync doctor` looks closer. What was read before is kept, and "
        "ticks count when it is back.",
        "unreachable",
        "tried again by itself",
    )


def _side(side: str) -> str:
    return {"ajera": "Ajera", "crm": "The CRM"}.get(side, side)
