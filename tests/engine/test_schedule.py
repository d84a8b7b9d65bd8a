"""The schedule: due times, clocks that change, missed times, two programs, and no waiting for real."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from typing import Any

import pytest

from core.engine.events import Event
from core.engine.schedule import Alarm, Cron
from core.engine.service import Service
from core.errors import UsageError
from core.model.values import Kind, Side
from tests.engine.conftest import Make
from tests.engine.kit import FakeClock, World, crm_firm

HOURLY = "0 * * * *"


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]


# -- due times -------------------------------------------------------------------------------------------


def local(cron: Cron, start: datetime, n: int) -> list[str]:
    from zoneinfo import ZoneInfo

    return [due.astimezone(ZoneInfo(cron.timezone)).strftime("%a %d %H:%M%z") for due in islice(cron.after(start), n)]


def test_weekdays_in_the_zone_of_the_office() -> None:
    cron = Cron("*/15 7-8 * * mon-fri", "America/Chicago")
    times = local(cron, utc(2026, 3, 6, 14, 40), 4)  # a Friday, 08:40 in Chicago
    assert times == ["Fri 06 08:45-0600", "Mon 09 07:00-0500", "Mon 09 07:15-0500", "Mon 09 07:30-0500"]


def test_clocks_go_forward_and_a_time_that_is_not_there_is_not_due_twice() -> None:
    cron = Cron("30 2 * * *", "America/Chicago")
    times = local(cron, utc(2026, 3, 7, 12), 3)  # 02:30 does not exist on 8 March 2026
    days = [text.split()[1] for text in times]
    assert len(set(days)) == 3
    assert all(later > earlier for earlier, later in pairwise(days))


def test_clocks_go_back_and_a_daily_time_is_due_once() -> None:
    cron = Cron("30 1 * * *", "America/Chicago")
    times = local(cron, utc(2026, 10, 31, 12), 3)  # 01:30 comes twice on 1 November 2026
    assert [text.split()[1] for text in times] == ["01", "02", "03"]
    assert times[0].startswith("Sun 01 01:30")


def test_clocks_go_back_and_a_quarter_hourly_job_goes_on_every_quarter() -> None:
    cron = Cron("*/15 * * * *", "America/Chicago")
    times = list(islice(cron.after(utc(2026, 11, 1, 5, 50)), 12))
    assert {later - earlier for earlier, later in pairwise(times)} == {timedelta(minutes=15)}


def test_an_hourly_job_misses_no_hour_when_clocks_change() -> None:
    for start in (utc(2026, 3, 8, 5, 30), utc(2026, 11, 1, 4, 30)):
        times = list(islice(Cron(HOURLY, "America/Chicago").after(start), 6))
        gaps = {later - earlier for earlier, later in pairwise(times)}
        assert gaps <= {timedelta(hours=1), timedelta(hours=2)}, gaps
        assert all(due > start for due in times)


def test_seconds_names_and_words() -> None:
    assert local(Cron("0 0 * * * 30", "UTC"), utc(2026, 1, 1), 1) == ["Thu 01 00:00+0000"]
    assert local(Cron("@hourly"), utc(2026, 1, 1, 0, 1), 1) == ["Thu 01 01:00+0000"]
    assert local(Cron("0 6 * jan mon"), utc(2026, 1, 1), 1) == ["Mon 05 06:00+0000"]


@pytest.mark.parametrize("bad", ["", "* * *", "61 * * * *", "every day", "* * * * * * *", "0 0 31 2 *x"])
def test_a_bad_expression_is_a_usage_error(bad: str) -> None:
    with pytest.raises(UsageError):
        Cron(bad)


def test_a_bad_zone_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="not a time zone"):
        Cron(HOURLY, "Mars/Base")


def test_a_schedule_that_is_never_due_ends() -> None:
    assert Cron("0 0 31 2 *").next(utc(2026, 1, 1)) == ()


# -- the task --------------------------------------------------------------------------------------------


class QuickAlarm(Alarm):
    """Waits by moving the clock."""

    clock: FakeClock
    waits: int

    async def wait(self, seconds: float) -> bool:
        QuickAlarm.waits += 1
        rung = self._changed.is_set()
        self._changed.clear()
        if not rung:
            self.clock.forward(seconds=60)
        await asyncio.sleep(0)
        return rung


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    QuickAlarm.waits = 0
    monkeypatch.setattr("core.engine.service.Alarm", QuickAlarm)
    monkeypatch.setattr("core.engine.service.FOLLOW_EVERY", 0.0)


@asynccontextmanager
async def scheduled(world: World, service: Service | None = None) -> Any:
    QuickAlarm.clock = world.clock
    task = asyncio.create_task((service or world.service).run_schedule())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(world: World, wanted: Callable[[Event], bool], count: int = 1) -> list[Event]:
    """Wait until so many events of a kind were told."""
    seen: list[Event] = []
    done = asyncio.Event()

    def hear(event: Event) -> None:
        if wanted(event):
            seen.append(event)
            if len(seen) >= count:
                done.set()

    for service in (world.service, *getattr(world, "others", ())):
        service.bus.subscribe(hear)
    await asyncio.wait_for(done.wait(), 20)
    return seen


def finished(event: Event) -> bool:
    return event.event == "run_finished"


async def waited(times: int) -> None:
    """Until the scheduler has waited so often."""
    goal = QuickAlarm.waits + times
    while QuickAlarm.waits < goal:
        await asyncio.sleep(0)


def scheduled_runs(world: World) -> list[str]:
    return [run.started[11:16] for run in reversed(world.service.runs()) if run.trigger == "schedule"]


@pytest.fixture
def hourly(make: Make) -> World:
    world = make()
    world.settings.schedule.cron = HOURLY
    world.clock.at = utc(2026, 3, 2, 15, 20)
    crm_firm(world.crm, "Acme Supplies", AjeraSync="Y")
    return world


async def test_runs_start_when_they_are_due(hourly: World) -> None:
    async with scheduled(hourly):
        await until(hourly, finished, 3)
    assert scheduled_runs(hourly) == ["16:00", "17:00", "18:00"]
    assert hourly.ajera.tables["clients"]


async def test_times_missed_during_a_stop_are_made_up_by_one_run(hourly: World) -> None:
    async with scheduled(hourly):
        await until(hourly, finished)
    hourly.clock.at = utc(2026, 3, 2, 22, 30)
    await hourly.restart()
    async with scheduled(hourly):
        told = await until(hourly, lambda e: finished(e) or "missed" in e.text, 3)
    assert scheduled_runs(hourly) == ["16:00", "22:30", "23:00"]
    assert "made up now" in told[0].text


async def test_a_run_that_is_due_while_another_runs_is_skipped(hourly: World) -> None:
    hourly.locks["run"] = other = object()
    async with scheduled(hourly):
        await until(hourly, lambda event: "is skipped" in event.text)
        assert hourly.locks.pop("run") is other
        await until(hourly, finished)
    assert scheduled_runs(hourly) == ["17:00"]


async def test_pause_and_resume(hourly: World) -> None:
    hourly.service.pause()
    async with scheduled(hourly):
        await waited(2000)
        assert hourly.clock.at > utc(2026, 3, 2, 17)
        assert scheduled_runs(hourly) == []
        assert hourly.service.status().paused
        hourly.service.resume()
        resumed = hourly.clock.at
        await until(hourly, finished)
    (run,) = [run for run in hourly.service.runs() if run.trigger == "schedule"]
    assert datetime.fromisoformat(run.started) > resumed  # what was due in the pause is not made up
    assert run.started[14:16] == "00"


async def test_a_changed_schedule_counts_at_once(hourly: World) -> None:
    async with scheduled(hourly):
        await waited(3)
        hourly.service.set_schedule("30 * * * *")
        await until(hourly, finished)
    assert scheduled_runs(hourly) == ["15:30"]


async def test_a_failed_run_does_not_end_the_schedule(hourly: World) -> None:
    password, hourly.ajera.password = hourly.ajera.password, "changed"
    async with scheduled(hourly):
        await until(hourly, finished)
        hourly.ajera.password = password
        await until(hourly, finished)
    assert [run.outcome for run in reversed(hourly.service.runs())] == ["failed", "ok"]


async def test_a_guarded_scheduled_run_is_refused_and_the_next_one_comes(make: Make) -> None:
    world = make()
    world.settings.schedule.cron = HOURLY
    crm_firm(world.crm, "Acme Supplies", AjeraSync="Y")
    await world.run()
    for number in range(26):
        crm_firm(world.crm, f"Firm {chr(65 + number) * 4}", AjeraSync="Y")
    async with scheduled(world):
        await until(world, finished, 2)
    assert [run.outcome for run in world.service.runs() if run.trigger == "schedule"] == ["refused", "refused"]
    assert len(world.ajera.tables["clients"]) == 1


async def test_a_second_program_follows_and_takes_the_schedule_over(hourly: World) -> None:
    second = hourly.program()
    heard: list[Event] = []
    second.bus.subscribe(heard.append)
    async with scheduled(hourly, second) as following:
        async with scheduled(hourly):
            # The first to ask got the lease; whoever follows sees the other's runs.
            await until_either(hourly, second)
        leader = hourly.service if any(r.trigger == "schedule" for r in hourly.service.runs()) else second
        assert leader.runs()
        before = len([run for run in second.runs() if run.trigger == "schedule"])
        await until_one(second)
        assert len([run for run in second.runs() if run.trigger == "schedule"]) == before + 1
        assert not following.done()
    await second.close()
    hourly.service.store.refresh()
    starts = scheduled_runs(hourly)
    assert len(starts) == len(set(starts)) == before + 1


async def until_either(world: World, second: Service) -> None:
    done = asyncio.Event()
    for service in (world.service, second):
        service.bus.subscribe(lambda event: done.set() if finished(event) else None)
    await asyncio.wait_for(done.wait(), 20)


async def until_one(service: Service) -> None:
    done = asyncio.Event()
    service.bus.subscribe(lambda event: done.set() if finished(event) else None)
    await asyncio.wait_for(done.wait(), 20)


async def test_the_follower_is_told_what_the_first_program_wrote(hourly: World) -> None:
    second = hourly.program()
    heard: list[Event] = []
    second.bus.subscribe(heard.append)
    async with scheduled(hourly):
        await waited(2)
        assert hourly.service.status().held_by
        async with scheduled(hourly, second):
            await until(hourly, finished)
            await waited(20)
    assert any(event.event == "store_changed" for event in heard)
    assert not [event for event in heard if event.event == "run_started"]
    assert [run.outcome for run in second.runs()][:1] == ["ok"]
    await second.close()


async def test_a_readonly_program_never_runs_the_schedule(hourly: World) -> None:
    reader = hourly.program(readonly=True)
    async with scheduled(hourly, reader):
        for _ in range(200):
            await asyncio.sleep(0)
            hourly.clock.forward(minutes=5)
    assert reader.runs() == []
    assert "lease" not in hourly.locks
    await reader.close()


async def test_silence_is_an_alarm(hourly: World) -> None:
    async with scheduled(hourly):
        await until(hourly, finished)
    assert not hourly.service.status().stale
    hourly.clock.forward(hours=2, minutes=5)
    status = hourly.service.status()
    assert status.stale
    assert "no good run since" in status.stale_reason
    hourly.service.pause()
    assert not hourly.service.status().stale


# -- clocks that jump ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("falls_asleep", "wakes", "made_up", "then"),
    [
        # Chicago: clocks go forward on 8 March 2026 at 02:00, which is 08:00 UTC, and back on 1 November at 07:00 UTC.
        ((2026, 3, 8, 6, 40), (2026, 3, 8, 10, 20), "10:20", "11:00"),
        ((2026, 11, 1, 5, 40), (2026, 11, 1, 9, 20), "09:20", "10:00"),
    ],
)
async def test_asleep_while_clocks_change_one_run_is_made_up_and_none_is_doubled(
    hourly: World, falls_asleep: tuple[int, ...], wakes: tuple[int, ...], made_up: str, then: str
) -> None:
    hourly.settings.schedule.timezone = "America/Chicago"
    hourly.clock.at = utc(*falls_asleep)
    await hourly.restart()
    async with scheduled(hourly):
        await until(hourly, finished)
        hourly.clock.at = utc(*wakes)
        await until(hourly, finished, 2)
    first = f"{falls_asleep[3] + 1:02}:00"
    assert scheduled_runs(hourly) == [first, made_up, then]


async def test_a_clock_that_was_years_ahead_does_not_silence_the_schedule(hourly: World) -> None:
    """The due time had been kept, so that nothing ran until that year came again."""
    right = hourly.clock.at
    hourly.clock.at = utc(2031, 3, 2, 15, 20)
    async with scheduled(hourly):
        await until(hourly, finished)
        hourly.clock.at = right
        assert "set back" in hourly.service.status().stale_reason
        told = await until(hourly, lambda event: finished(event) or "set back" in event.text, 3)
    assert [event.event for event in told] == ["log", "run_finished", "run_finished"]
    assert not hourly.service.status().stale
    assert {run.started[:13] for run in hourly.service.runs()} >= {"2026-03-02T16", "2026-03-02T17", "2031-03-02T16"}


async def test_a_clock_set_back_by_less_than_a_period_doubles_no_run(hourly: World) -> None:
    async with scheduled(hourly):
        await until(hourly, finished)
        hourly.clock.at = utc(2026, 3, 2, 15, 40)
        await until(hourly, finished)
    assert scheduled_runs(hourly) == ["16:00", "17:00"]


async def test_a_sweep_that_was_made_by_a_wrong_clock_does_not_put_off_the_next_for_years(hourly: World) -> None:
    hourly.clock.at = utc(2031, 3, 2, 15, 20)
    await hourly.run()
    await hourly.run(sweep=True)
    hourly.clock.at = utc(2026, 3, 2, 15, 20)
    await hourly.run()
    swept = {hourly.service.store.cursor(kind, side).swept[:4] for kind in Kind for side in Side}
    assert swept == {"2026"}
