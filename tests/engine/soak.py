"""Simulated weeks without a pause: people edit both systems, the schedule runs around the clock, the machine sleeps.

`python -m tests.engine.soak [days]` (30 by default) prints what was measured and ends with 1 where a bound is broken.
A small one runs with every test run (test_soak.py).
"""

from __future__ import annotations

import asyncio
import gc
import os
import shutil
import sys
import time
import tracemalloc
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from unittest import mock

from core.engine.schedule import Alarm
from core.engine.service import Service
from core.errors import AjerasyncError
from core.model.values import Side
from core.sandbox.ajera.data import AjeraData
from core.sandbox.crm.data import CrmData
from core.sandbox.life import Life
from core.sandbox.seed import seed
from core.store import RunLog
from tests.engine.faults import FAST, untold
from tests.engine.faultworld import QuickWorld, Serve, quickly
from tests.engine.kit import EngineSettings, FakeClock
from tests.engine.programs import scratch

EVERY = timedelta(minutes=30)
ZONE = "America/Chicago"
SPRING = datetime(2026, 2, 24, 12, 0, tzinfo=UTC)  # clocks go forward on 8 March
AUTUMN = datetime(2026, 10, 31, 12, 0, tzinfo=UTC)  # and back on 1 November
LOG_BYTES, LOG_FILES = 100_000, 3
KEEP_RUNS, KEEP_DAYS = 50, 2


class Plain(QuickWorld):
    """Nothing between a client and its server."""

    def wire(self, _side: Side, serve: Serve) -> Serve:  # type: ignore[override]
        return serve

    def program(self, *, readonly: bool = False, cron: str | None = None) -> Service:
        service = super().program(readonly=readonly, cron=cron)
        service._log = RunLog(self.folder, max_bytes=LOG_BYTES, files=LOG_FILES)  # as outside, turned over
        service.runner.rules.keep_runs, service.runner.rules.keep_days = KEEP_RUNS, KEEP_DAYS
        return service


@dataclass
class Day:
    """What was measured at the end of a simulated day."""

    memory: int
    handles: int
    log: int
    store: int


@dataclass
class Soak:
    """One soak. `sleeps` are hours of the soak at which the machine sleeps, and for how long."""

    folder: Path
    start: datetime
    days: float
    pace: int = 2  # edits between two runs
    sleeps: dict[int, int] = field(default_factory=dict)
    measured: list[Day] = field(default_factory=list)
    slept: list[tuple[datetime, datetime]] = field(default_factory=list)
    due: list[datetime] = field(default_factory=list)
    edits: int = 0
    runs: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    started: list[datetime] = field(default_factory=list)

    async def go(self) -> None:
        self.world = world = self._world()
        await world.run()
        await self._approve()
        self.life = Life(world.ajera, world.crm, 0, seed=3, clock=world.clock.server)
        self.rng = Random(5)
        self.end = world.clock.at + timedelta(days=self.days)
        world.service.bus.subscribe(self._hear)
        over = asyncio.Event()
        with mock.patch("core.engine.service.Alarm", _alarm(self, over)):
            task = asyncio.create_task(world.service.run_schedule())
            await asyncio.wait({task, asyncio.create_task(over.wait())}, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                task.result()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await self._rest()

    def _world(self) -> Plain:
        clock = FakeClock(self.start)
        ajera, crm = AjeraData(clock.server, "9.10.00", zone=ZONE), CrmData(clock.server, "dps1")
        seed(ajera, crm, firms=16, contacts=30, projects=14, employees=6)
        for table in ("firm", "contact", "project"):
            for key in list(crm.tables[table])[::2]:
                crm.edit(table, key, {"AjeraSync": "Y"})
        settings = EngineSettings(FAST)
        settings.schedule.cron, settings.schedule.timezone = "*/30 * * * *", ZONE
        return Plain(self.folder, data=(ajera, crm), clock=clock, settings=settings)

    def _hear(self, event: Any) -> None:
        if event.event == "run_started" and event.data["trigger"] == "schedule":
            self.started.append(datetime.fromisoformat(event.ts))
        if event.event == "run_finished":
            self.outcomes[str(event.data["outcome"])] += 1

    # -- while it goes on --------------------------------------------------------------------------

    def pass_time(self) -> bool:
        """To the next due time, or past it where the machine sleeps; people work meanwhile. False at the end."""
        clock = self.world.clock
        now = clock.at
        if now >= self.end:
            return False
        due = datetime.fromisoformat(self.world.service.store.setting("due")["at"])
        hour = int((now - self.start).total_seconds() // 3600)
        if hour in self.sleeps:
            clock.at = now + timedelta(hours=self.sleeps.pop(hour))
            self.slept.append((now, clock.at))
            return True
        for _ in range(self.pace):
            if self.life.step() is not None:
                self.edits += 1
        if self.rng.random() < 0.2:
            self._tick()
        clock.at = max(clock.at, due)
        self.due.append(due)
        if len(self.due) % 48 == 0:
            self._measure()
        return True

    def _tick(self) -> None:
        crm = self.world.crm
        table = self.rng.choice(("firm", "contact", "project"))
        key = self.rng.choice(list(crm.tables[table]))
        crm.edit(table, key, {"AjeraSync": self.rng.choice("YYN")})

    def _measure(self) -> None:
        self.world.events.clear()
        self.world.crm.ledger.clear()  # the sandboxes' own, and not the program's
        self.world.ajera_app.state.server.ledger.clear()
        gc.collect()
        store = sum(each.stat().st_size for each in self.folder.glob("store.db*"))
        log = sum(each.stat().st_size for each in self.folder.glob("run.log*"))
        memory = tracemalloc.get_traced_memory()[0] if tracemalloc.is_tracing() else resident()
        self.measured.append(Day(memory, len(list(Path("/proc/self/fd").iterdir())), log, store))

    async def _approve(self) -> None:
        """An operator looks at a plan that a guard holds, and lets it go."""
        for _ in range(3):
            plan = self.world.service.plan()
            if plan is None or not plan.guards:
                return
            await self.world.service.run(approve=plan.digest)

    async def _rest(self) -> None:
        """Nobody edits any more: the runs come to rest."""
        world = self.world
        for number in range(6):
            world.clock.forward(minutes=20)
            before = world.writes()
            try:
                await world.service.run(full=number == 0, sweep=number == 0)
            except AjerasyncError:
                await self._approve()
                continue
            if number and world.writes() == before:
                return
        raise AssertionError("still writing after six runs")

    # -- what must hold ----------------------------------------------------------------------------

    def problems(self) -> list[str]:
        return [*self._schedule_problems(), *self._bound_problems(), *self._step_problems()]

    def _schedule_problems(self) -> list[str]:
        """Each half hour has its run, once; of those that were slept through one is made up. Half hours are counted
        in UTC: an office's clock that jumps by an hour moves none of them."""
        first = self.started[0] if self.started else self.start
        wanted, moment = [], _next_half_hour(first - timedelta(seconds=1))
        while moment < self.end:
            wanted.append(moment)
            moment += EVERY
        awake = [due for due in wanted if not any(a <= due < b for a, b in self.slept)]
        left = sorted(self.started)
        missed = []
        for due in awake:
            hits = [at for at in left if due <= at < due + timedelta(minutes=1)]
            if len(hits) != 1:
                missed.append(f"{len(hits)} runs at {due.isoformat()}")
            for hit in hits:
                left.remove(hit)
        left = [at for at in left if at < self.end]  # one more may begin at the very end
        made_up = len(left)
        naps = len([1 for a, b in self.slept if any(a <= due < b for due in wanted)])
        self.runs = len(self.started)
        problems = missed[:5]
        if made_up > naps:
            beside = ", ".join(at.isoformat() for at in left)
            problems.append(f"{made_up} runs beside the schedule after {naps} sleeps: {beside}; {self.slept}")
        return problems

    def _bound_problems(self) -> list[str]:
        found = []
        if any(day.log > LOG_BYTES * (LOG_FILES + 1) for day in self.measured):
            found.append("the log outgrew its rotation")
        if len(self.measured) < 8:
            return found
        third = len(self.measured) // 3
        early, late = self.measured[third], self.measured[-1]
        if late.handles > early.handles + 2:
            found.append(f"handles {early.handles} → {late.handles}")
        if late.memory > early.memory * 1.25 + 4_000_000:
            found.append(f"memory {early.memory} → {late.memory}")
        if late.store > early.store * 1.6:
            found.append(f"store {early.store} → {late.store}")
        return found

    def _step_problems(self) -> list[str]:
        """Every difference is one that the program tells of."""
        return untold(self.world)[:10]


def _next_half_hour(moment: datetime) -> datetime:
    whole = moment.replace(minute=0, second=0, microsecond=0)
    while whole <= moment:
        whole += EVERY
    return whole


def _alarm(soak: Soak, over: asyncio.Event) -> type[Alarm]:
    class Quick(Alarm):
        """A wait that is over at once."""

        async def wait(self, seconds: float) -> bool:
            if not soak.pass_time():
                over.set()
                await asyncio.Event().wait()  # until it is cancelled
            await asyncio.sleep(0)
            return False

    return Quick


def resident() -> int:
    """Bytes of this process in memory."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


async def main(days: float) -> int:
    root, began = Path(scratch()), time.monotonic()
    try:
        with quickly():
            soak = Soak(root / "state", SPRING, days, sleeps={30: 9, 200: 60, 400: 3})
            await soak.go()
            problems = soak.problems()
            await soak.world.close()
    finally:
        shutil.rmtree(root, ignore_errors=True)
    first, last = soak.measured[len(soak.measured) // 3], soak.measured[-1]
    lines = [
        f"{days:g} days, {soak.edits} edits, {soak.runs} runs by the schedule {dict(soak.outcomes)}, {len(soak.slept)} sleeps",
        f"memory {first.memory / 1e6:.1f} MB after a third, {last.memory / 1e6:.1f} MB at the end",
        f"handles {first.handles} → {last.handles}, log {last.log} bytes, store {first.store} → {last.store} bytes",
        f"{time.monotonic() - began:.0f} s",
        *problems,
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    return 1 if problems else 0


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main(float(sys.argv[1]) if len(sys.argv) > 1 else 30)))
