"""The whole program on a terminal with many records: `python -m tests.bench.bench_screen [SIZE...]`.

The installed program runs on a pty of 120x40 that answers as a terminal does. Times are from the key to the last byte
it sent for it (what follows a cursor at rest, as the record's tabs, is counted in the bytes, not in the time).
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.table import head, middle, row
from tests.bench.world import World, world
from tests.tui.pty import Terminal

COLS, ROWS = 120, 40
DOWN, PAGE_DOWN = b"\x1b[B", b"\x1b[6~"
AGAIN = 12
STILL = 0.04  # seconds without a byte that end the answer to a key
REST = 0.35  # after that the tabs have followed the cursor


@contextmanager
def opened(place: World) -> Iterator[tuple[Terminal, float, int]]:
    """The program on its terminal; seconds and bytes of the first frame with the list in it."""
    env = {"XDG_STATE_HOME": str(place.state_home), "HOME": str(place.state_home)}
    began = time.perf_counter()
    with Terminal("tui", "--config", str(place.config), cols=COLS, rows=ROWS, env=env) as terminal:
        while "ticked" not in terminal.text:
            terminal.read(0.01)
        first = time.perf_counter() - began, len(terminal.out)
        terminal.until_quiet(REST, 10)
        yield terminal, *first


def answer(terminal: Terminal, keys: bytes) -> tuple[float, int]:
    """Milliseconds from the key to the last byte of its answer, and the bytes."""
    start, size = time.perf_counter(), len(terminal.out)
    terminal.send(keys)
    last = start
    while terminal.read(STILL if last > start else 1.0):
        last = time.perf_counter()
    return (last - start) * 1000, len(terminal.out) - size


def measured(terminal: Terminal, press: Callable[[], bytes], times: int = AGAIN) -> tuple[list[float], list[int]]:
    taken, sizes = [], []
    for _ in range(times):
        milliseconds, size = answer(terminal, press())
        taken.append(milliseconds)
        sizes.append(size)
        terminal.until_quiet(REST, 3)
    return taken, sizes


def idle(terminal: Terminal, seconds: float = 8.0) -> tuple[float, float]:
    """Bytes a second and share of a processor while nobody does anything."""
    terminal.until_quiet(REST, 3)
    began, size, used = time.perf_counter(), len(terminal.out), cpu(terminal.process.pid)
    while time.perf_counter() - began < seconds:
        terminal.read(0.2)
    passed = time.perf_counter() - began
    return (len(terminal.out) - size) / passed, (cpu(terminal.process.pid) - used) / passed


def cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(pid: int) -> float:
    """Megabytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


def show(name: str, result: tuple[list[float], list[int]], milliseconds: float | None, size: float | None) -> None:
    taken, sizes = result
    row(f"{name}, key to last byte", middle(taken), milliseconds, "ms", f"worst {max(taken):.0f}")
    row(f"{name}, bytes", middle(sizes), size, "B")


def measure(size: int) -> None:
    head(f"the screen at {COLS}x{ROWS}, {size:,} linked records")
    with world(size) as place, opened(place) as (terminal, seconds, first):
        row("program started to first list on the screen", seconds, None, "s")
        row("first paint, bytes", first, 30_000, "B")
        terminal.send(b"2")
        terminal.see("[2 Projects]")
        terminal.until_quiet(REST, 10)
        show("arrow down", measured(terminal, lambda: DOWN), 6, 450)
        show("page down", measured(terminal, lambda: PAGE_DOWN), None, 8_500)
        answer(terminal, b"g")  # a tick at the bottom scrolls too
        show("tick", measured(terminal, lambda: b" "), 5, 250)
        letters = iter(b"/library")
        answer(terminal, bytes([next(letters)]))
        show("filter, one more letter", measured(terminal, lambda: bytes([next(letters)]), 6), 40, None)
        answer(terminal, b"\x15\r")
        terminal.until_quiet(REST, 3)
        show("sort", measured(terminal, lambda: b"s", 5), 70, None)
        show("tick all", measured(terminal, lambda: b"a", 1), 25, None)
        bytes_second, share = idle(terminal)
        row("idle with a running countdown, bytes a second", bytes_second, 150, "B/s")
        row("idle, share of a processor", share * 100, 0.5, "%")
        row("memory", resident(terminal.process.pid), 120, "MB")


if __name__ == "__main__":
    for given in [int(word) for word in sys.argv[1:]] or [50_000]:
        measure(given)
