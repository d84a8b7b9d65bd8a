"""Many firms on one host: `python -m tests.bench.bench_hosts [PROGRAMS] [--size RECORDS] [--seconds S]`.

One program each (`ajerasync watch`, with a schedule of its own), all on the same pair of sandboxes, since a pair each
would measure the sandboxes. Told: memory as the kernel shares it out (PSS) and as each program seems to have it (RSS),
CPU and requests while nothing changes.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from core.paths import APP, _profile_of
from tests.bench.table import head, row
from tests.bench.world import World, world

TICKS = os.sysconf("SC_CLK_TCK")


def start(place: World, n: int, every: int) -> subprocess.Popen[bytes]:
    """A program with a settings file and a store of its own."""
    folder = place.state_home / f"firm{n}"
    config = folder / "config.toml"
    shutil.copytree(place.state, folder / APP / _profile_of(config))
    text = re.sub(r"(?ms)^\[schedule\].*?(?=^\[|\Z)", "", place.config.read_text())
    config.write_text(text + f'\n[schedule]\ncron = "* * * * * {n % every}/{every}"\n')
    env = {**os.environ, "XDG_STATE_HOME": str(folder)}
    command = [sys.executable, "-m", "tui", "watch", "--config", str(config)]
    return subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=(folder / "err").open("wb"))


def memory(pid: int, name: str) -> float:
    """MB of one kind of memory of a process (smaps_rollup)."""
    found = re.search(rf"^{name}:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) / 1024


def cpu(pid: int) -> float:
    parts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(parts[11]) + int(parts[12])) / TICKS


def runs(place: World, many: int) -> int:
    """How many runs the programs have stored."""
    import sqlite3

    found = 0
    for n in range(many):
        (file,) = (place.state_home / f"firm{n}").rglob("store.db")
        with sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True) as store:
            found += store.execute("SELECT count(*) FROM docs WHERE name = 'runs' AND body IS NOT NULL").fetchone()[0]
    return found


async def settled(place: World) -> None:
    """The store that all get a copy of, with nothing left to find out."""
    service = place.service()
    for _ in range(3):
        await service.run()
    await service.close()


def measure(place: World, many: int, seconds: int, every: int) -> None:
    asyncio.run(settled(place))
    children = [start(place, n, every) for n in range(many)]
    try:
        time.sleep(seconds)  # all have started and run twice
        pids = [child.pid for child in children if child.poll() is None]
        assert len(pids) == many, f"{many - len(pids)} programs ended"
        before, began, first = sum(map(cpu, pids)), time.perf_counter(), runs(place, many)
        time.sleep(seconds)
        taken, passed = sum(map(cpu, pids)) - before, time.perf_counter() - began
        done = runs(place, many) - first
        pss = sorted(memory(pid, "Pss") for pid in pids)
        rss = sorted(memory(pid, "Rss") for pid in pids)
    finally:
        for child in children:
            child.send_signal(signal.SIGTERM)
        for child in children:
            child.wait()
    row(f"{many} programs: memory, shared out (PSS), in all", sum(pss), None, "MB", f"{pss[many // 2]:.0f} MB each")
    row(f"{many} programs: memory as each has it (RSS), in all", sum(rss), None, "MB", f"{rss[many // 2]:.0f} MB each")
    row(f"{many} programs: CPU of one core", taken / passed * 100, None, "%", f"{done} runs in {passed:.0f} s")
    row("CPU of a run with nothing changed, all there is included", taken / max(done, 1) * 1000, None, "ms")


def main() -> None:
    asks = argparse.ArgumentParser()
    asks.add_argument("programs", type=int, nargs="?", default=50)
    asks.add_argument("--size", type=int, default=1_000)
    asks.add_argument("--seconds", type=int, default=60)
    asks.add_argument("--every", type=int, default=30, help="seconds between two runs of one program")
    given = asks.parse_args()
    head(f"{given.programs} firms of {given.size:,} records on one host, a run each every {given.every} s")
    with world(given.size) as place:
        measure(place, given.programs, given.seconds, given.every)


if __name__ == "__main__":
    main()
