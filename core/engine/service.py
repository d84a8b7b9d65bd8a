"""The façade both front ends use: what they may ask, and what they may do.

Reads and acts are quick, from memory or in one short transaction; what talks to the systems is
async. A front end never reaches the store or a system past this class.

    facade.py    the ground: store, systems, clock, log, events; rows and details
    queues.py    what waits, what was done, ticks and answers
    standing.py  the schedule in force, status, health
    here         runs, and the loop that starts them when they are due
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from core.engine.clock import from_iso, iso
from core.engine.facts import remember
from core.engine.queues import Queues
from core.engine.schedule import Alarm, Cron
from core.engine.standing import Standing
from core.engine.views import Detail, Row
from core.errors import AjerasyncError, GuardTripped, RunInProgress, StoreFailure, UsageError
from core.model.plan import Plan
from core.model.values import Kind, Side
from core.policy import mode_for
from core.ports import RunRecord

FOLLOW_EVERY = 1.0  # seconds between looks at what another program wrote


class Service(Queues, Standing):
    """One program's engine over one profile's store."""

    # -- systems and runs ----------------------------------------------------------------------------

    async def connect(self) -> None:
        """Log in to both systems and remember what they said."""
        await self.runner.puller.connect()
        self._remember()

    def _remember(self) -> None:
        connections = self.runner.puller.connections
        mode = mode_for(connections[Side.AJERA].version, self.settings.sync.direction)
        body = {"direction": mode.direction.value, "ajera_version": mode.ajera_version, "reason": mode.reason}
        with self.store.transaction() as tx:
            remember(self.store, tx, connections)
            if self.store.setting("seen_mode") != body:
                tx.put_setting("seen_mode", body)

    async def refresh_detail(self, row: Row) -> Detail:
        """Read the record and its children from both systems now; nothing is written to them."""
        await self.connect()
        for side, key in ((Side.AJERA, row.ajera_key), (Side.CRM, row.crm_key)):
            if key:
                await self.runner.puller.read_again(row.kind, side, [key])
        self._forget()
        return self.detail(row)

    async def make_plan(self, *, full: bool = False, only: Sequence[Kind] = ()) -> Plan:
        self.store.refresh()
        made = await self.runner.make_plan(full=full, only=only)
        self._remember()
        self._forget()
        return made

    async def run(
        self,
        *,
        plan: Plan | None = None,
        approve: str | None = None,
        full: bool = False,
        sweep: bool = False,
        only: Sequence[Kind] = (),
        follow: bool = False,
        trigger: str = "hand",
    ) -> RunRecord:
        """One run. A chosen plan is applied exactly; with `follow` also what its links and creates bring along."""
        self._act()
        if not self.enabled:
            raise UsageError("Ajera synchronization is switched off: switch it on in the settings first")
        self.store.refresh()
        try:
            return await self.runner.run(
                plan=plan, approve=approve, full=full, sweep=sweep, only=only, follow=follow, trigger=trigger
            )
        except StoreFailure as error:
            await self.notifier.store_fails(str(error))
            raise
        finally:
            with suppress(StoreFailure):  # told already; what was not kept is kept by the next run
                if self.runner.puller.connections:
                    self._remember()
                await self._notify_of_last_run()
            self._forget()

    async def undo(self, run_id: str, *, dry_run: bool = False, approve: str | None = None) -> Plan:
        """Take back what a run did, as a run of its own with the trigger `undo`; the plan of it.

        What is left alone, and why, stands among the plan's refusals. `dry_run` makes the plan only; `approve` is the
        digest of the plan that was shown. UsageError for a run that is unknown, still goes on, or is an undo itself,
        and where the plan is another one by now.
        """
        if not dry_run:
            self._act()
        if not self.enabled:
            raise UsageError("Ajera synchronization is switched off: switch it on in the settings first")
        self.store.refresh()
        try:
            return await self.runner.undo(run_id, dry_run=dry_run, approve=approve)
        finally:
            if self.runner.puller.connections:
                self._remember()
            self._forget()

    async def _notify_of_last_run(self) -> None:
        last = next(iter(self.store.runs(1)), None)
        if last is not None and last.finished:
            await self.notifier.after_run(last, self._queue_counts())

    def cancel(self) -> None:
        self.runner.cancel()

    async def run_schedule(self) -> None:
        """The scheduler: runs when due, until its task is cancelled. Without the lease it follows the
        program that has it, and takes the schedule over when that one ends."""
        self._alarm = Alarm()
        try:
            while True:
                if self.readonly or not self._lease.acquire():
                    await self._follow()
                    continue
                try:
                    await self._wait_and_run()
                except StoreFailure as error:
                    await self._cannot_keep(error)
        finally:
            self._lease.release()
            self._alarm = None

    async def _cannot_keep(self, error: StoreFailure) -> None:
        """A full disk does not end the schedule: it is told, and there may be room again at the next look."""
        with suppress(StoreFailure):  # the log is on the same disk
            self._tell("log", f"the schedule waits: {error}", "error")
        await self.notifier.store_fails(str(error))
        assert self._alarm is not None
        await self._alarm.wait(FOLLOW_EVERY * 5)

    async def _follow(self) -> None:
        assert self._alarm is not None
        changed = self.store.refresh()
        if changed:
            self._tell("store_changed", "another program wrote", tables=sorted(changed))
        await asyncio.sleep(FOLLOW_EVERY)

    async def _wait_and_run(self) -> None:
        """One step of the schedule: a run if one is due or was missed, else a short wait."""
        assert self._alarm is not None
        if changed := self.store.refresh():
            self._tell("store_changed", "another program wrote", tables=sorted(changed))
        schedule, now = self.cron(), self.clock.now()
        await self.notifier.check_stale(*self._stale(schedule))
        if schedule is None or self.paused or not self.enabled:
            self._put_due(None)
            await self._alarm.wait(FOLLOW_EVERY * 5)
            return
        due = self._due(schedule, now)
        if due is None or due > now:
            await self._alarm.wait(min((due - now).total_seconds() if due else 60.0, FOLLOW_EVERY * 5))
            return
        self._put_due(schedule.first_after(now))
        await self._scheduled_run(due, now)

    def _due(self, schedule: Cron, now: datetime) -> datetime | None:
        """The next due time, kept so that one missed in sleep or a stop is made up by one run."""
        name = f"{schedule.expression} {schedule.timezone}"
        kept = self.store.setting("due") or {}
        if kept.get("schedule") == name and kept.get("at"):
            if not schedule.beyond(from_iso(kept["at"]), now):
                return from_iso(kept["at"])
            text = f"the next run was to be at {kept['at']}: the clock was set back, it is due anew"
            self._tell("log", text, "warning")
        due = schedule.first_after(now)
        self._put_due(due)
        return due

    def _put_due(self, due: datetime | None) -> None:
        schedule = self.cron()
        name = f"{schedule.expression} {schedule.timezone}" if schedule else ""
        body = {"schedule": name, "at": iso(due) if due else None}
        if self.store.setting("due") != body:
            self._put("due", body)

    async def _scheduled_run(self, due: datetime, now: datetime) -> None:
        if now - due > timedelta(minutes=1):
            self._tell("log", f"the run of {iso(due)} was missed: made up now", "warning")
        try:
            await self.run(trigger="schedule")
        except RunInProgress as error:
            self._tell("log", f"the run of {iso(due)} is skipped: {error}", "warning")
        except GuardTripped:
            pass  # told by the run itself
        except AjerasyncError as error:
            self._tell("log", f"the scheduled run failed: {error}", "error")

    async def close(self) -> None:
        """End: systems closed, lease and lock given back, store closed."""
        self.runner.cancel()
        await self.runner.off_loop(bool)  # what is being stored is stored
        for system in self.systems.values():
            with suppress(AjerasyncError):
                await system.close()
        self._lease.release()
        self.store.close()
