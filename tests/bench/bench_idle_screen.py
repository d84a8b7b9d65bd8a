"""Screens that are left open, beside each other: `python -m tests.bench.bench_idle_screen [SIZE] [--seconds S]`.

The program with its countdown, Textual's own DataTable with a clock and as many rows as that list has, and htop where it
is installed (Debian: htop), each on a terminal of its own of 120x40, all open at the same time and watched for the same
seconds: bytes sent, share of a processor, memory. Nobody presses a key, and no run is due meanwhile.
"""

from __future__ import annotations

import argparse
import re
import shutil
import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.bench_screen import COLS, INSTALLED, ROWS, cpu, made_ready, resident
from tests.bench.table import absent, head, row
from tests.bench.world import counts, world
from tests.tui.pty import Terminal

SETTLED = 8.0  # seconds until what follows the first paint is over
GOALS = (150, 0.5, 120)


@dataclass
class Watched:
    """One program, and what it had sent and used when the watch began."""

    name: str
    terminal: Terminal
    sent: int = 0
    used: float = 0.0

    @property
    def pid(self) -> int:
        return self.terminal.process.pid

    def begin(self) -> None:
        self.sent, self.used = len(self.terminal.out), cpu(self.pid)

    def show(self, seconds: float, goals: tuple[float | None, float | None, float | None]) -> None:
        row(f"{self.name}: bytes a second", (len(self.terminal.out) - self.sent) / seconds, goals[0], "B/s")
        row(f"{self.name}: share of a processor", (cpu(self.pid) - self.used) / seconds * 100, goals[1], "%")
        row(f"{self.name}: memory", resident(self.pid), goals[2], "MB")


def not_due_soon(config: Path) -> None:
    """A run is due in about 20 minutes, so that the countdown tells minutes and seconds and none begins."""
    text = re.sub(r"(?ms)^\[schedule\].*?(?=^\[|\Z)", "", config.read_text())
    config.write_text(text + f'\n[schedule]\ncron = "{(datetime.now(UTC).minute + 20) % 60} * * * *"\n')


def watch(watched: list[Watched], seconds: float) -> float:
    """Read all of them for so long; how long it was."""
    for each in watched:
        each.begin()
    began = time.perf_counter()
    while (passed := time.perf_counter() - began) < seconds:
        for each in watched:
            each.terminal.read(0.05)
    return passed


def measure(size: int, seconds: float) -> None:
    head(f"left open at {COLS}x{ROWS} for {seconds:g} s, {size:,} linked records")
    rows = counts(size)
    with world(size) as place, ExitStack() as stack:
        not_due_soon(place.config)
        made_ready(place)
        home = {"XDG_STATE_HOME": str(place.state_home), "HOME": str(place.state_home), **INSTALLED}

        def opened(name: str, wanted: str, *command: str) -> Watched:
            terminal = stack.enter_context(Terminal(*command, cols=COLS, rows=ROWS, env=home))
            terminal.see(wanted, 60)
            return Watched(name, terminal)

        watched = [opened("ajerasync with its countdown", "ticked", "tui", "--config", str(place.config))]
        table = ("tests.bench.peer_table", str(max(rows.values())))
        watched.append(opened("DataTable with a clock", "Library wing", *table))
        if shutil.which("htop"):
            watched.append(opened("htop", "Load average", "tests.bench.peer_exec", "htop"))
        watch(watched, SETTLED)
        passed = watch(watched, seconds)
        for each in watched:
            each.show(passed, GOALS if each is watched[0] else (None, None, None))
    if len(watched) < 3:
        absent("htop", "not installed here")


def main() -> None:
    asks = argparse.ArgumentParser()
    asks.add_argument("size", type=int, nargs="?", default=50_000)
    asks.add_argument("--seconds", type=float, default=60)
    given = asks.parse_args()
    measure(given.size, given.seconds)


if __name__ == "__main__":
    main()
