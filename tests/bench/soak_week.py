# ruff: noqa: T201
"""A week of the open UI in minutes: `python -m tests.bench.soak_week [DAYS]` (seven by default).

The installed program on a terminal of its own, a run due every minute, both systems as the sandbox in another process.
Nobody types and nobody edits. Time passes as soon as nobody works (tests/bench/warped.py): each second's countdown, each
of 10,080 runs with its requests, the hourly logins and the daily sweeps are done as they would be in a week, in their
order; what is left out is the waiting. At the end of each day: memory, open files, threads, sizes of the log and the
store, bytes sent, processor time. It ends with 1 where a bound is broken: files or threads that grow, memory that
grows by more than a third of a megabyte a day once the log panel's 10,000 lines are full, a run that was missed or
failed, a countdown that stood still.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.bench_screen import cpu, resident
from tests.bench.soak_screen import EVERY, command, sizes
from tests.bench.warped import Ahead
from tests.tui.pty import ROOT, Terminal

GROWTH = 0.3  # megabytes a day
FULL = 4  # from the end of this day on: the log panel's 10,000 lines are there
RUNS_A_DAY, SECONDS_A_DAY = 1_440, 86_400
HEAD = (
    f"{'day':>4} {'memory MB':>10} {'files':>6} {'threads':>8} {'log MB':>7} {'store MB':>9} {'sent MB':>8} {'CPU s':>7}"
    f" {'runs':>7} {'refreshes':>10} {'minutes':>8}"
)


@dataclass(frozen=True)
class Day:
    """What was seen at the end of a day; sizes in megabytes."""

    day: int
    memory: float
    handles: int
    threads: int
    log: float
    store: float
    sent: float
    processor: float
    done: dict[str, int]
    minutes: float

    @property
    def runs(self) -> int:
        return sum(many for name, many in self.done.items() if name.startswith("runs "))

    def line(self) -> str:
        return (
            f"{self.day:>4} {self.memory:>10.1f} {self.handles:>6} {self.threads:>8} {self.log:>7.2f} {self.store:>9.2f}"
            f" {self.sent:>8.2f} {self.processor:>7.0f} {self.runs:>7,} {self.done['refreshes']:>10,} {self.minutes:>8.1f}"
        )


@contextmanager
def systems(folder: Path, clock: Path) -> Iterator[Path]:
    """Both systems, with the clock of that world; the settings that point at them."""
    settings = folder / "settings.toml"
    words = [sys.executable, "-m", "tests.bench.warped", str(clock), "core.sandbox", "--rate", "0"]
    with subprocess.Popen([*words, "--config-out", str(settings)], stdout=subprocess.PIPE, cwd=ROOT) as sandbox:
        try:
            assert sandbox.stdout is not None
            json.loads(sandbox.stdout.readline())
            settings.write_text(settings.read_text().replace('cron = "*/15 * * * *"', f'cron = "{EVERY}"'))
            settings.chmod(0o600)
            yield settings
        finally:
            sandbox.send_signal(signal.SIGTERM)


def watch(terminal: Terminal, state: Path, days: int) -> list[Day]:
    """Read what the program sends until it has told of so many days. Nothing of it is kept, so that we are quick."""
    began, sent, told, seen = time.monotonic(), len(terminal.out), b"", list[Day]()
    while len(seen) < days:
        ready, _, _ = select.select([terminal.master, terminal.facts], [], [], 60)
        if not ready or terminal.process.poll() is not None:
            raise SystemExit(f"the program left or stood still on day {len(seen) + 1}")
        if terminal.master in ready:
            sent += len(os.read(terminal.master, 65_536))
        if terminal.facts in ready:
            told += os.read(terminal.facts, 65_536)
            while b"\n" in told:
                line, told = told.split(b"\n", 1)
                seen.append(day_of(json.loads(line), terminal, state, sent, (time.monotonic() - began) / 60))
                print(seen[-1].line(), flush=True)
    return seen


def day_of(fact: dict[str, Any], terminal: Terminal, state: Path, sent: int, minutes: float) -> Day:
    pid = terminal.process.pid
    log, store = sizes(state)
    seen = (fact["day"], resident(pid), fact["handles"], fact["threads"], log, store, sent / 1e6, cpu(pid))
    return Day(*seen, done=fact["done"], minutes=minutes)


def broken(seen: list[Day]) -> list[str]:
    """What went over a bound, in words."""
    first, last = seen[min(FULL, len(seen)) - 1], seen[-1]
    told = []
    if last.memory > first.memory + GROWTH * max(1, last.day - first.day):
        told.append(f"memory grew from {first.memory:.1f} to {last.memory:.1f} MB")
    if last.handles > first.handles + 2:
        told.append(f"open files grew from {first.handles} to {last.handles}")
    if last.threads > first.threads + 1:
        told.append(f"threads grew from {first.threads} to {last.threads}")
    if abs(last.runs - last.day * RUNS_A_DAY) > 2:
        told.append(f"{last.runs} runs where {last.day * RUNS_A_DAY} were due")
    if last.done["refreshes"] < last.day * SECONDS_A_DAY * 0.99:
        told.append(f"the header was refreshed {last.done['refreshes']} times")
    if wrong := {name: many for name, many in last.done.items() if name.startswith("runs ") and name != "runs ok"}:
        told.append(f"not every run ended well: {wrong}")
    return told


def main() -> int:
    days = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    with tempfile.TemporaryDirectory(prefix="ajerasync-week-") as name:
        folder = Path(name)
        clock = folder / "clock"
        Ahead.make(clock)
        env = {"XDG_STATE_HOME": str(folder / "state"), "HOME": str(folder), "PYTHONUTF8": "1"}
        with systems(folder, clock) as settings:
            command(settings, env, "run")
            command(settings, env, "mark", "firm", "--filter", "status:active")
            command(settings, env, "run")
            print(f"{days} days, a run every minute\n{HEAD}")
            drive = (str(clock), "--drives", str(days), "tui", "--config", str(settings))
            with Terminal("tests.bench.warped", *drive, cols=120, rows=40, env=env) as terminal:
                terminal.see("ticked", 60)
                seen = watch(terminal, folder / "state", days)
    told = broken(seen)
    print("\n".join(told) or "every bound held")
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main())
