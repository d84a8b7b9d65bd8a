# ruff: noqa: T201
"""The whole program on a terminal with many records: `python -m tests.bench.bench_screen [SIZE...] [--peer]`.

The installed program runs on a pty of 120x40 that answers as a terminal does. Times are from the key to the last byte
it sent for it (what follows a cursor at rest, as the record's tabs, is counted in the bytes, not in the time).

`--peer`: Textual's own DataTable with the same rows, keys and terminal (tests/bench/peer_table.py), and htop where it is
installed, in the same minute on the same machine.

`--run [EDITS]`: only the keys during a run that writes so many records, without and with the loop watched: what holds
it is told (tests/bench/holds.py; watching costs the keys some milliseconds).

`--keys`: only what a key, a tick and ticking all take. `--pour [LINES]`: only the keys while so many lines a second come
into the log, which is open (tests/bench/pouring.py).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from core.model.values import Kind, Side
from tests.bench import holds
from tests.bench.table import head, middle, row
from tests.bench.world import ROOT, World, world
from tests.tui.pty import Terminal

COLS, ROWS = 120, 40
DOWN, UP, PAGE_DOWN = b"\x1b[B", b"\x1b[A", b"\x1b[6~"
CURSOR = "›".encode()  # what leads the line under the cursor
INSTALLED = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(ROOT / "pycache")}  # compiled once, as installed
AGAIN = 12
STILL = 0.04  # seconds without a byte that end the answer to a key
KEY_EVERY = 0.1  # seconds between keys while something else goes on
REST = 0.35  # after that the tabs have followed the cursor


@contextmanager
def opened(place: World, *program: str) -> Iterator[tuple[Terminal, float, int]]:
    """The program on its terminal; seconds to the first frame with the list in it, bytes until all is painted."""
    env = {"XDG_STATE_HOME": str(place.state_home), "HOME": str(place.state_home), **INSTALLED}
    began = time.perf_counter()
    command = (*(program or ("tui",)), "--config", str(place.config))
    with Terminal(*command, cols=COLS, rows=ROWS, env=env) as terminal:
        while "ticked" not in terminal.text:
            terminal.read(0.01)
        first = time.perf_counter() - began
        terminal.until_quiet(REST, 20)
        yield terminal, first, len(terminal.out)


def made_ready(place: World) -> None:
    """What the program does once after an update: rows of an old store, kept for the next start."""

    async def make() -> None:
        service = place.service()
        began = time.perf_counter()
        for kind in Kind:
            service.rows(kind)
        row("rows of a store that has none, in a thread, once", time.perf_counter() - began, None, "s")
        service.keep_rows()
        await service.close()

    asyncio.run(make())


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


def keys_while(terminal: Terminal, seconds: float, going: Callable[[], bool]) -> tuple[list[float], float, float]:
    """Arrow keys down and up, ten a second, while something goes on: milliseconds until the cursor stands on the other
    line; bytes a second, of everything; how long it went on."""
    taken: list[float] = []
    began, size = time.perf_counter(), len(terminal.out)
    while time.perf_counter() - began < seconds and going():
        place, start = len(terminal.out), time.perf_counter()
        terminal.send(UP if len(taken) % 2 else DOWN)
        while CURSOR not in terminal.out[place:] and time.perf_counter() - start < 1:
            terminal.read(0.001)
        taken.append((time.perf_counter() - start) * 1000)
        while (left := start + KEY_EVERY - time.perf_counter()) > 0:
            terminal.read(left)
    passed = time.perf_counter() - began
    return taken, (len(terminal.out) - size) / passed, passed


def worst_of_twenty(taken: Sequence[float]) -> float:
    return sorted(taken)[int(len(taken) * 0.95)] if taken else float("nan")


async def edit_many(place: World, number: int) -> None:
    """Firms edited in the CRM by somebody else."""
    service = place.service()
    system = service.systems[Side.CRM]
    await service.connect()
    keys = [each.crm_key or "" for each in service.rows(Kind.FIRM)[:number]]
    records = await system.get(Kind.FIRM, keys)
    for n, key in enumerate(keys):
        await system.update(records[key], {"website": f"https://moved{n}-{time.time_ns()}.example"})
    await service.close()


def during_a_run(place: World, terminal: Terminal, edits: int) -> None:
    """A run that writes `edits` records, the log open: each record it writes is a line of the log."""
    asyncio.run(edit_many(place, edits))
    terminal.send(b"l")
    terminal.until_quiet(REST, 3)
    terminal.send(b"R")
    terminal.see("Write", 60)
    terminal.until_quiet(REST, 5)
    terminal.send(b"w")
    end = time.perf_counter() + 2
    while "Write to both" in terminal.text and time.perf_counter() < end:
        terminal.read(0.02)
    terminal.until_quiet(0.05, 0.5)  # the list is on the screen again: it is its keys that are measured
    taken, rate, passed = keys_while(terminal, 60, lambda: "Run ok" not in terminal.text)
    worst = ", ".join(f"{each:.0f}" for each in sorted(taken)[-3:])
    note = f"{len(taken)} keys in {passed:.1f} s, middle {middle(taken):.0f}, worst {worst}; first {taken[0]:.0f}"
    row("arrow down during a run, p95", worst_of_twenty(taken), 25, "ms", note)
    row("bytes a second during it, keys and log", rate, 4_000, "B/s")
    row("lines of the log a second during it", edits / passed, None, "/s")
    terminal.send(b"l")
    terminal.until_quiet(REST, 5)


def run_alone(place: World, edits: int) -> None:
    """The keys during a run, and what held the loop meanwhile, in a program of its own each."""
    with opened(place) as (terminal, _, _):
        during_a_run(place, terminal, edits)
        row("memory after the run", resident(terminal.process.pid), None, "MB")
    told = place.state_home / "turns"
    with opened(place, "tests.bench.holds", str(told)) as (terminal, _, _):
        told.write_text("")
        print("  watched:")
        during_a_run(place, terminal, edits)
        holds.tell(holds.turns_of(told))


def log_alone(place: World, lines: int) -> None:
    """Keys and bytes while lines pour into the log: the panel under a hub, then the Log place."""
    with opened(place, "tests.bench.pouring", str(lines)) as (terminal, _, _):
        for key, where in ((b"l", "the panel under a hub"), (b"7", "the Log place")):
            terminal.send(key)
            terminal.until_quiet(3 * REST, 5)
            os.kill(terminal.process.pid, signal.SIGUSR1)
            terminal.see("moved", 5)
            number = poured(terminal)
            began, size = time.perf_counter(), len(terminal.out)
            if key == b"l":
                taken, rate, passed = keys_while(terminal, 20, lambda: True)
                row(
                    f"{where}: arrow down, p95",
                    worst_of_twenty(taken),
                    25,
                    "ms",
                    f"{len(taken)} keys, middle {middle(taken):.1f}, worst {max(taken):.0f}",
                )
                row(f"{where}: bytes a second, keys too", rate, 4_000, "B/s")
                began, size = time.perf_counter(), len(terminal.out)
                number = poured(terminal)
            shown = looks = 0
            while time.perf_counter() - began < 10:
                if terminal.read(0.05):
                    looks, shown = looks + (poured(terminal) != shown), poured(terminal)
            passed = time.perf_counter() - began
            row(f"{where}: bytes a second, no key", (len(terminal.out) - size) / passed, 4_000, "B/s")
            row(
                f"{where}: lines that came a second",
                (poured(terminal) - number) / passed,
                None,
                "/s",
                f"shown anew {looks / passed:.1f} times a second",
            )
            os.kill(terminal.process.pid, signal.SIGUSR1)
            terminal.until_quiet(3 * REST, 5)


def poured(terminal: Terminal) -> int:
    """The number of the newest line on the screen."""
    return max((int(found) for found in re.findall(r"Firm (\d+) Associates: website", terminal.text)), default=0)


def measure(size: int) -> None:
    head(f"the screen at {COLS}x{ROWS}, {size:,} linked records")
    with world(size) as place:
        made_ready(place)
        firsts, used = [], []
        for n in range(6):
            with opened(place) as (terminal, seconds, _):
                if n:  # the first one compiles
                    firsts.append(seconds)
                    used.append(cpu(terminal.process.pid))
        row("program started to first list on the screen", middle(firsts), 0.5, "s", f"best {min(firsts):.2f}")
        row("processor time until all is painted", middle(used), None, "s")
        with opened(place) as (terminal, _, first):
            row("first paint, bytes", first, 30_000, "B")
            row("memory, started", resident(terminal.process.pid), 120, "MB")
            keys_of(terminal, size)
            bytes_second, share = idle(terminal)
            row("idle with a running countdown, bytes a second", bytes_second, 150, "B/s")
            row("idle, share of a processor", share * 100, 0.5, "%")
            row("memory", resident(terminal.process.pid), 120, "MB")
            during_a_run(place, terminal, min(300, size // 20))
            row("memory after the run", resident(terminal.process.pid), None, "MB")


def keys_of(terminal: Terminal, size: int) -> None:
    terminal.send(b"2")
    terminal.see("[2 Projects]")
    terminal.until_quiet(2 * REST, 10)
    show("arrow down", measured(terminal, lambda: DOWN), 6, 450)
    show("page down", measured(terminal, lambda: PAGE_DOWN), None, 8_500)
    answer(terminal, b"g")  # a tick at the bottom scrolls too
    show("untick", measured(terminal, lambda: b" "), 5, 250)
    answer(terminal, b"g")
    show("tick", measured(terminal, lambda: b" "), 5, 250)
    answer(terminal, b"g")
    letters = iter(b"/library")
    answer(terminal, bytes([next(letters)]))
    show("filter, one more letter", measured(terminal, lambda: bytes([next(letters)]), 6), 40, None)
    answer(terminal, b"\x15\r")
    terminal.until_quiet(REST, 3)
    show("sort", measured(terminal, lambda: b"s", 5), 70, None)
    number = 6_000 * size // 13_120
    for key, what in ((b"A", "untick"), (b"a", "tick")):
        show(f"{what} all {number:,} of the hub", measured(terminal, lambda key=key: key, 1), 25, None)  # type: ignore[misc]
        terminal.until_quiet(3.0, 30)  # they are stored


def peer(size: int) -> None:
    """Textual's DataTable with the projects of such a world, on the same terminal."""
    number = 6_000 * size // 13_120
    head(f"Textual's DataTable at {COLS}x{ROWS}, {number:,} rows")
    began = time.perf_counter()
    with Terminal("tests.bench.peer_table", str(number), cols=COLS, rows=ROWS, env=INSTALLED) as terminal:
        while "Library wing" not in terminal.text:
            terminal.read(0.01)
        row("program started to first list on the screen", time.perf_counter() - began, None, "s")
        terminal.until_quiet(1.0, 60)
        row("first paint, bytes", len(terminal.out), None, "B")
        show("arrow down", measured(terminal, lambda: DOWN), None, None)
        show("page down", measured(terminal, lambda: PAGE_DOWN), None, None)
        show("tick", measured(terminal, lambda: b" ", 5), None, None)
        show("sort", measured(terminal, lambda: b"s", 3), None, None)
        show("tick all", measured(terminal, lambda: b"a", 1), None, None)
        show("filter to a tenth", measured(terminal, lambda: b"f", 1), None, None)
        bytes_second, share = idle(terminal)
        row("idle with a clock, bytes a second", bytes_second, None, "B/s")
        row("idle, share of a processor", share * 100, None, "%")
        row("memory", resident(terminal.process.pid), None, "MB")


def htop() -> None:
    """Another program that people leave open over SSH."""
    if shutil.which("htop") is None:
        return
    head(f"htop at {COLS}x{ROWS}")
    with Terminal("tests.bench.peer_exec", "htop", cols=COLS, rows=ROWS) as terminal:
        terminal.until_quiet(0.5, 3)
        bytes_second, share = idle(terminal)
        row("bytes a second", bytes_second, None, "B/s")
        row("share of a processor", share * 100, None, "%")


def main() -> None:
    asks = argparse.ArgumentParser()
    asks.add_argument("sizes", type=int, nargs="*", default=[50_000])
    asks.add_argument("--peer", action="store_true")
    asks.add_argument("--run", type=int, nargs="?", const=300, metavar="EDITS")
    asks.add_argument("--keys", action="store_true")
    asks.add_argument("--pour", type=int, nargs="?", const=200, metavar="LINES")
    given = asks.parse_args()
    for size in given.sizes:
        if given.keys or given.pour:
            head(f"the screen at {COLS}x{ROWS}, {size:,} linked records")
            with world(size) as place:
                made_ready(place)
                if given.keys:
                    with opened(place) as (terminal, _, _):
                        keys_of(terminal, size)
                if given.pour:
                    log_alone(place, given.pour)
            continue
        if given.run:
            head(f"a run that writes {given.run} of {size:,} linked records")
            with world(size) as place:
                made_ready(place)
                run_alone(place, given.run)
            continue
        measure(size)
        if given.peer:
            peer(size)
    if given.peer:
        htop()


if __name__ == "__main__":
    main()
