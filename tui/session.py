"""What all screens share: the service, its status kept for a moment, what went wrong, the log's last lines.

The engine's events arrive here on the loop. They are kept until the app hands them on in a batch, so that a
thousand actions a second repaint nothing more than four times.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from core.engine.clock import from_iso
from core.engine.events import Event
from core.engine.service import Service
from core.engine.views import Progress, Status
from core.errors import AjerasyncError, LoginRefused, Unreachable
from core.model.values import Kind
from core.text import safe_line
from tui.formatting import moment
from tui.messages import CHANGING
from tui.widgets.log_panel import LogLine

KEPT_LINES: Final = 2_000
STATUS_SECONDS: Final = 15.0  # staleness and the lease change without an event
_SILENT: Final = frozenset({"progress", "mark_changed", "store_changed"})


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that is wrong until it is not: since when, what, and the way out."""

    since: datetime
    what: str
    way_out: str = ""


@dataclass
class Session:
    """One per program. `generation` grows whenever rows, queues or runs may have changed."""

    service: Service
    wake: Callable[[], None] = lambda: None
    generation: int = 0
    trouble: Trouble | None = None
    doing: str = ""
    show_log: bool = False
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
        if event.event != "progress":
            self._status = None
        self._notice_trouble(event)
        self._events.append(event)
        self.wake()

    def _notice_trouble(self, event: Event) -> None:
        outcome = event.data.get("outcome") if event.event == "run_finished" else None
        if event.event == "pulled" or outcome in ("ok", "partial"):
            self.trouble = None
        elif outcome in ("failed", "refused"):
            self._still_wrong(from_iso(event.ts), event.text, "")

    def failed(self, error: AjerasyncError, now: datetime | None = None) -> None:
        """Work that was asked for here failed: keep it in sight until something works again."""
        self._still_wrong(now or datetime.now(UTC), *words_of(error, self.service))

    def _still_wrong(self, at: datetime, what: str, way_out: str) -> None:
        since = self.trouble.since if self.trouble else at
        if not way_out and self.trouble is not None:
            return  # the words we have say more
        self.trouble = Trouble(since, what, way_out)

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
        return sum(row.marked and row.state == "pending" for kind in kinds for row in self.service.rows(kind))

    def next_run_text(self) -> str:
        """When the schedule would run next, on this machine's clock."""
        due = next(iter(self.status.next_runs), None)
        return moment(from_iso(due)) if due else ""

    @property
    def progress(self) -> Progress:
        """Where the running run is."""
        return self.service.progress

    @property
    def busy(self) -> bool:
        """Whether a plan or a run is going on in this program."""
        return self.progress.phase != "idle" or bool(self.doing)


def line_of(entry: Mapping[str, Any]) -> LogLine:
    """A line of the run log as the panel shows it."""
    try:
        at = from_iso(str(entry.get("ts", "")))
    except ValueError:
        at = datetime.now(UTC)
    return LogLine(at, str(entry.get("level", "info")), str(entry.get("text", "")))


def words_of(error: AjerasyncError, service: Service) -> tuple[str, str]:
    """What went wrong, and what to do: two sentences for the operator."""
    config = getattr(getattr(service.settings, "paths", None), "config", None)
    where = f" in {config}" if config else ""
    match error:
        case Unreachable():
            return f"{_side(error.side)} cannot be reached: {error}", "R tries again; `ajerasync doctor` looks closer"
        case LoginRefused():
            return f"{_side(error.side)} refused the login: {error}", f"check user name and password{where}"
        case _:
            return safe_line(str(error), 600), ""


def _side(side: str) -> str:
    return {"ajera": "Ajera", "crm": "The CRM"}.get(side, side)
