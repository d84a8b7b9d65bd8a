"""The part of the façade about how things stand: the schedule in force, the status, health."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from core.engine.clock import iso
from core.engine.facade import Facade
from core.engine.schedule import Cron
from core.engine.silence import silent
from core.engine.views import Later, Progress, Status
from core.model.queues import QUEUES
from core.model.values import Kind, Side
from core.ports import RunRecord
from core.version import VERSION


class Standing(Facade):
    """Schedule, status, health."""

    _due_times: tuple[str, datetime, tuple[datetime, ...]] = ("", datetime.min.replace(tzinfo=UTC), ())

    def cron(self) -> Cron | None:
        """The schedule in force: the one set here, else the settings'. None where there is none."""
        kept = self.store.setting("schedule")
        own = self.settings.schedule
        expression = kept["cron"] if kept else own.cron
        timezone = kept["timezone"] if kept else own.timezone
        return Cron(expression, timezone, own.jitter) if expression else None

    def next_runs(self, cron: str | None = None, n: int = 5, timezone: str | None = None) -> tuple[datetime, ...]:
        """The next due times of the schedule in force, or of the one given. UsageError for a bad one."""
        schedule = self.cron() if cron is None else Cron(cron, timezone or self.timezone())
        return schedule.next(self.clock.now(), n) if schedule else ()

    def timezone(self) -> str:
        schedule = self.cron()
        return schedule.timezone if schedule else str(self.settings.schedule.timezone)

    def status(self) -> Status:
        schedule, runs = self.cron(), self.store.runs(50)
        finished = [run for run in runs if run.finished]
        stale, why = self._stale(schedule)
        seen = self.store.setting("seen_mode")
        return Status(
            version=VERSION,
            mode=self.mode if seen else None,
            enabled=self.enabled,
            cron=schedule.expression if schedule else "",
            timezone=self.timezone(),
            paused=self.paused,
            next_runs=self._next_runs(schedule) if schedule else (),
            running=self._running(runs),
            last_run=finished[0] if finished else None,
            last_good=self.store.setting("last_good"),
            stale=stale,
            stale_reason=why,
            queues=self._queue_counts(),
            counts=self._kind_counts(),
            held_by=self._lease.holder(),
            company=self.facts.company,
            health=self._health(),
        )

    def _next_runs(self, schedule: Cron) -> tuple[str, ...]:
        """The next due times, worked out once until the first of them has come: it takes some milliseconds."""
        name, now = f"{schedule.expression} {schedule.timezone}", self.clock.now()
        known, asked, due = self._due_times
        if known != name or not due or not asked <= now < due[0]:
            self._due_times = (name, now, schedule.next(now))
        return tuple(map(iso, self._due_times[2]))

    def _running(self, runs: Sequence[RunRecord]) -> Progress | None:
        """The run of this program, else that of another one which holds the run lock."""
        if self.progress.phase != "idle":
            return self.progress
        holder = self._run_lock.holder()
        if holder is None:
            return None
        newest = next((run for run in runs[:1] if not run.finished), None)  # a plan leaves no record
        run, since = (newest.id, newest.started) if newest else (None, "")
        return Progress("elsewhere", now=holder, run=run, since=since)

    def _stale(self, schedule: Cron | None) -> tuple[bool, str]:
        """Silence is an alarm: no good run for twice the schedule's gap (sync-rules 9)."""
        if schedule is None or self.paused or not self.enabled:
            return False, ""
        now, last = self.clock.now(), self.store.setting("last_good")
        first = None if last else min((run.started for run in self.store.runs()), default=None)
        return silent(schedule.gap(now), last, first, now)

    def queue_counts(self) -> dict[str, int]:
        """How many wait for a person, by queue: the quick part of `status`."""
        return self._queue_counts()

    def _queue_counts(self) -> dict[str, int]:
        counts = {"errors": len(self.store.failures())}
        for name, queue in QUEUES.items():
            counts[name] = len(self.store.items(queue))
        return counts

    def _kind_counts(self) -> Mapping[str, Mapping[str, int]]:
        """How many are ticked and linked; worked out when somebody looks, since it goes over all links."""
        return Later(self._counted)

    def _counted(self) -> dict[str, dict[str, int]]:
        ticks = self.runner.ticks.now()
        linked = Counter(link.kind for link in self.store.scan_links() if link.state != "gone")
        return {
            kind.value: {"marked": ticks.count(kind) if kind is not Kind.EMPLOYEE else 0, "linked": linked[kind]}
            for kind in Kind
        }

    def _health(self) -> dict[str, Any]:
        return {
            "requests": {side.value: self.systems[side].requests for side in Side},
            "run_lock": self._run_lock.holder(),
            "stopped_fields": dict(self.facts.stopped),
            "warnings": list(self.facts.warnings),
            "intents": len(self.store.intents()),
        }

    # -- schedule ------------------------------------------------------------------------------------

    def set_schedule(self, cron: str, timezone: str | None = None) -> None:
        self._act()
        schedule = Cron(cron, timezone or self.timezone())
        self._put("schedule", {"cron": schedule.expression, "timezone": schedule.timezone})
        self._rescheduled(f"schedule set to {cron}")

    def pause(self) -> None:
        self._act()
        self._put("paused", True)
        self._rescheduled("schedule paused")

    def resume(self) -> None:
        self._act()
        self._put("paused", False)
        self._rescheduled("schedule resumed")

    def set_enabled(self, on: bool) -> None:
        self._act()
        self._put("enabled", on)
        self._rescheduled("Ajera synchronization switched " + ("on" if on else "off"))

    def _rescheduled(self, text: str) -> None:
        self._tell("schedule_changed", text)
        if self._alarm is not None:
            self._alarm.ring()
