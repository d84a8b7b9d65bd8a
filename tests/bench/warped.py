"""A program for whom time passes as soon as nobody works: `python -m tests.bench.warped CLOCK MODULE [ARGUMENT...]`.

CLOCK is a file that all programs of one world share: by how many seconds their clocks are ahead of the real one. The
program that is given `--drives DAYS` first moves it: whenever its loop would sleep until the next timer, with no request
on its way, no thread at work for it and what it painted taken by the terminal, that time has passed at once. So each timer fires, in
its order and at its moment, and a week takes as long as the work of a week. At the end of each day a line of JSON is told
over the pipe FACTS; after the last one time passes as ever.

What is replaced, before anything of the program is imported: `datetime.now`, `time.time` and `time.monotonic`, the
selector of asyncio, and counters around three functions. Nothing of the program itself.
"""

from __future__ import annotations

import asyncio
import concurrent.futures.thread
import datetime as dt
import json
import mmap
import os
import queue
import runpy
import selectors
import struct
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any
from unittest import mock

REAL_TIME = (concurrent.futures.thread, queue, subprocess, threading)  # imported first: they keep the real clock
REAL = dt.datetime
DAY = 86_400.0
BEHIND = 8 * 1024  # far below what the program drops frames for


class Ahead:
    """Seconds that the clocks of this world are ahead, in a file that several processes map."""

    def __init__(self, file: Path) -> None:
        with file.open("r+b") as opened:
            self._shared = mmap.mmap(opened.fileno(), 8)

    @staticmethod
    def make(file: Path) -> None:
        file.write_bytes(struct.pack("d", 0.0))

    @property
    def seconds(self) -> float:
        found: float = struct.unpack_from("d", self._shared)[0]
        return found

    def pass_time(self, seconds: float) -> None:
        struct.pack_into("d", self._shared, 0, self.seconds + seconds)


def replace_clocks(ahead: Ahead) -> None:
    wall, steady = time.time, time.monotonic

    class Meta(type):
        def __instancecheck__(cls, value: object) -> bool:
            return isinstance(value, REAL)

        def __subclasscheck__(cls, other: type) -> bool:
            return issubclass(other, REAL)

    class Warped(REAL, metaclass=Meta):
        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> Warped:
            return cls.fromtimestamp(now(), tz)

    def now() -> float:
        return wall() + ahead.seconds

    def passed() -> float:
        return steady() + ahead.seconds

    mock.patch.object(dt, "datetime", Warped).start()  # for this process
    mock.patch.object(time, "time", now).start()
    mock.patch.object(time, "monotonic", passed).start()


class Work:
    """What goes on in the program besides its timers, and what has been done."""

    def __init__(self) -> None:
        self.requests = self.jobs = 0
        self.writers: list[Any] = []
        self.done: Counter[str] = Counter()

    @property
    def rests(self) -> bool:
        return not self.requests and not self.jobs

    @property
    def unsent(self) -> int:
        """Bytes that the terminal has not taken yet."""
        return sum(each._unsent for each in self.writers)

    def follow(self) -> None:
        """Count requests, jobs of threads, what is painted, refreshed headers and runs."""
        from core.engine.service import Service
        from core.http import Http
        from tui.driver import PatientWriter
        from tui.widgets.status_line import StatusLine

        exchange, start, words, run = Http._exchange, PatientWriter.start, StatusLine.refresh_words, Service.run
        thread = asyncio.BaseEventLoop.run_in_executor

        async def exchanged(http: Http, *given: Any) -> Any:
            self.requests += 1
            try:
                return await exchange(http, *given)
            finally:
                self.requests -= 1

        def begun(loop: Any, *given: Any) -> Any:
            self.jobs += 1
            job = thread(loop, *given)
            job.add_done_callback(lambda _: setattr(self, "jobs", self.jobs - 1))
            return job

        def started(writer: PatientWriter) -> None:
            self.writers.append(writer)
            start(writer)

        def told(line: StatusLine, **given: Any) -> None:
            self.done["refreshes"] += 1
            words(line, **given)

        async def ran(service: Service, *given: Any, **more: Any) -> Any:
            done = await run(service, *given, **more)
            self.done[f"runs {done.outcome}"] += 1
            return done

        for owner, name, counting in (
            (Http, "_exchange", exchanged),
            (PatientWriter, "start", started),
            (StatusLine, "refresh_words", told),
            (Service, "run", ran),
            (asyncio.BaseEventLoop, "run_in_executor", begun),
        ):
            mock.patch.object(owner, name, counting).start()  # for this process


def replace_selector(ahead: Ahead, work: Work, days: float) -> None:
    facts = int(os.environ["FACTS"])
    told, began = [0], time.monotonic()

    def tell() -> None:
        told[0] += 1
        line = {
            "day": told[0],
            "handles": len(list(Path("/proc/self/fd").iterdir())),
            "threads": threading.active_count(),
        }
        os.write(facts, (json.dumps({**line, "done": work.done}) + "\n").encode())

    class Hasty(selectors.EpollSelector):
        def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
            if timeout is None or timeout <= 0 or not work.writers or told[0] >= days:
                return super().select(timeout)
            if ready := super().select(0):
                return ready
            if not work.rests:
                return super().select(timeout)  # what ends it wakes the loop
            if work.unsent > BEHIND:
                return super().select(0.001)
            ahead.pass_time(timeout)
            if time.monotonic() - began >= (told[0] + 1) * DAY:  # what work took has passed too
                tell()
            return []

    mock.patch.object(selectors, "DefaultSelector", Hasty).start()  # asyncio makes its loop with it


def main() -> None:
    clock, *rest = sys.argv[1:]
    days = 0.0
    if rest[0] == "--drives":
        days, rest = float(rest[1]), rest[2:]
    ahead = Ahead(Path(clock))
    replace_clocks(ahead)
    if days:
        work = Work()
        replace_selector(ahead, work, days)
        work.follow()
    sys.argv = rest
    runpy.run_module(rest[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
