"""Silence is an alarm (sync-rules 9): who is told when runs fail, wait for a person, or do not come.

An alarm is told when it begins, again each day while it lasts, and once when it is over. Telling
never fails a run: what goes wrong here is a line in the log.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from core.engine.clock import from_iso, iso
from core.ports import Clock, RunRecord, Store
from core.text import safe_line

AGAIN_AFTER = timedelta(days=1)
KINDS = ("failure", "recovery", "waiting", "stale")


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing told: `kind` of KINDS, a subject and a text for people, `data` for programs."""

    kind: str
    subject: str
    text: str
    at: str
    data: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        return {
            "program": "ajerasync",
            "kind": self.kind,
            "subject": self.subject,
            "text": self.text,
            "at": self.at,
            **self.data,
        }


class Channel(Protocol):
    """A way to tell. `name` is what the log calls it; `tell` raises on failure."""

    @property
    def name(self) -> str: ...

    async def tell(self, notice: Notice) -> None: ...


Ping = Callable[[], Awaitable[None]]
Say = Callable[[str, str], None]


@dataclass
class Notifier:
    """Decides what is worth telling. `say` is the run log: (text, level)."""

    channels: Sequence[Channel]
    ping: Ping | None
    kinds: frozenset[str]
    store: Store
    clock: Clock
    say: Say
    _unkept: datetime | None = field(default=None, init=False)

    @property
    def on(self) -> bool:
        return bool(self.channels) or self.ping is not None

    async def after_run(self, run: RunRecord, queues: Mapping[str, int]) -> None:
        """A run ended: tell of a failure, of the recovery after one, and of what newly waits."""
        if not self.on:
            return
        if run.outcome in ("failed", "refused"):
            text = run.message or f"the run ended as {run.outcome}"
            await self._raise("failure", f"run {run.outcome}", text, {"run": run.id, "outcome": run.outcome})
            return
        if run.outcome in ("ok", "partial"):
            await self._clear(run)
            await self._pinged()
        await self._waiting(queues)

    async def check_stale(self, stale: bool, reason: str) -> None:
        """Called between runs: no good run for too long."""
        if self.on and stale:
            await self._raise("stale", "no good run", reason, {})

    async def store_fails(self, text: str) -> None:
        """The store cannot be written, nor can the alarm: kept in memory, told at once and again each day."""
        now = self.clock.now()
        if self.on and (self._unkept is None or now - self._unkept >= AGAIN_AFTER):
            self._unkept = now
            await self._tell("failure", "the store cannot be written", text, {})

    # -- alarms ------------------------------------------------------------------------------------

    def _alarm(self) -> dict[str, str]:
        kept = self.store.setting("alarm")
        return dict(kept) if kept else {}

    def _put(self, name: str, value: Any) -> None:
        if self.store.setting(name) != value:
            with self.store.transaction() as tx:
                tx.put_setting(name, value)

    async def _raise(self, kind: str, subject: str, text: str, data: Mapping[str, Any]) -> None:
        """Begin an alarm, or say it again when a day went by or it is another one."""
        now, alarm = self.clock.now(), self._alarm()
        same = alarm.get("kind") == kind and alarm.get("text") == text
        if same and now - from_iso(alarm["told"]) < AGAIN_AFTER:
            return
        since = alarm.get("since", iso(now))
        self._put("alarm", {"kind": kind, "text": text, "since": since, "told": iso(now)})
        await self._tell(kind, subject, text, {**data, "since": since})

    async def _clear(self, run: RunRecord) -> None:
        alarm, unkept = self._alarm(), self._unkept
        self._unkept = None
        if not alarm and unkept:
            alarm = {"since": iso(unkept), "text": "the store could not be written"}
        if not alarm:
            return
        self._put("alarm", None)
        text = f"runs are good again; the alarm was on since {alarm['since']}: {alarm['text']}"
        await self._tell("recovery", "recovered", text, {"run": run.id, "since": alarm["since"]})

    async def _waiting(self, queues: Mapping[str, int]) -> None:
        """More waits for a person than was last told."""
        told = self.store.setting("told_waiting") or {}
        more = {name: count for name, count in queues.items() if count > told.get(name, 0) and name != "drift"}
        self._put("told_waiting", {name: count for name, count in queues.items() if count})
        if more:
            text = "waiting for a person: " + ", ".join(f"{count} {name}" for name, count in queues.items() if count)
            await self._tell("waiting", "something waits for you", text, {"queues": dict(queues)})

    # -- telling -----------------------------------------------------------------------------------

    async def _tell(self, kind: str, subject: str, text: str, data: Mapping[str, Any]) -> None:
        if kind not in self.kinds:
            return
        notice = Notice(
            kind, f"ajerasync: {safe_line(subject, 120)}", safe_line(text, 2000), iso(self.clock.now()), data
        )
        for channel in self.channels:
            await self._guarded(channel.name, channel.tell(notice))

    async def _pinged(self) -> None:
        if self.ping is not None:
            await self._guarded("ping", self.ping())

    async def _guarded(self, name: str, work: Awaitable[None]) -> None:
        try:
            await work
        except Exception as error:  # whatever a channel does, a run is never worse for it
            self.say(f"the notification by {name} failed: {type(error).__name__}: {safe_line(error, 200)}", "warning")
