"""`watch`: the schedule without a UI, for systemd and the like."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from core.cli.context import Env, command, pass_env
from core.cli.exits import OK, STOPPED, say
from core.cli.runs import TOLD

if TYPE_CHECKING:
    from core.engine.events import Event
    from core.engine.service import Service


@command("watch")
@pass_env
def watch_command(env: Env) -> int:
    """Run on schedule until a signal; same store, same lock as the UI. SIGTERM ends it with 0, a lost line (SIGHUP) with
    129; under nohup it goes on without the line."""
    return env.use(_watch)


async def _watch(service: Service) -> int:
    stop = _Stop()
    end = service.bus.subscribe(_say_event)
    scheduler = asyncio.create_task(service.run_schedule())
    waiting = asyncio.create_task(stop.asked.wait())
    status = service.status()
    say(f"Watching; next run {status.next_runs[0] if status.next_runs else 'none: no schedule is set'}.")
    try:
        await asyncio.wait({scheduler, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if scheduler.done():
            scheduler.result()
            return OK
        await _finish_run(service)
    finally:
        end()
        waiting.cancel()
        scheduler.cancel()
        with suppress(asyncio.CancelledError):
            await scheduler
        stop.close()
    return CODES.get(stop.signal, OK) if stop.signal else OK


async def _finish_run(service: Service) -> None:
    """A run that is under way ends between two actions, not in the middle of one."""
    if service.progress.phase == "idle":
        return
    finished = asyncio.Event()
    end = service.bus.subscribe(lambda event: finished.set() if event.event == "run_finished" else None)
    say("Stopping after the action that is under way.")
    service.cancel()
    if service.progress.phase != "idle":
        await finished.wait()
    end()


CODES: Final = {signal.SIGINT: STOPPED, signal.SIGHUP: 128 + signal.SIGHUP}


class _Stop:
    """The first SIGINT, SIGTERM or SIGHUP; one that was ignored when the program was started (nohup) stays so."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.signal: signal.Signals | None = None
        self._loop = asyncio.get_running_loop()
        wanted = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        self._heard = [each for each in wanted if signal.getsignal(each) is not signal.SIG_IGN]
        for each in self._heard:
            self._loop.add_signal_handler(each, self._take, each)

    def _take(self, which: signal.Signals) -> None:
        self.signal = self.signal or which
        self.asked.set()

    def close(self) -> None:
        for each in self._heard:
            self._loop.remove_signal_handler(each)


def _say_event(event: Event) -> None:
    if event.event in TOLD and event.text:
        say(f"{event.ts} {event.text}")
