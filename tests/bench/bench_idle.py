# ruff: noqa: T201
"""A run with nothing changed: `python -m tests.bench.bench_idle [SIZE...] [--profile] [--process]`.

Requests, own CPU (this process alone: both systems run in another one) and seconds of the loop's longest hold, warm
(in the open program) and cold (just opened); with `--process` the whole command `ajerasync run` too.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import os
import pstats
import resource
import subprocess
import sys
import time
from collections import Counter

from core.model.values import Side
from tests.bench.table import head, middle, row
from tests.bench.world import World, counted, world

ROUNDS = 7


async def idle(place: World, profile: bool) -> tuple[list[tuple[Side, str]], list[tuple[Side, str]]]:
    service = place.service()
    with counted() as first:
        await service.run()
    await service.run()
    await service.close()
    service = place.service()
    with counted() as cold:
        began = time.process_time()
        await service.run()
        cold_cpu = time.process_time() - began
    await service.run()
    taken, holds, seconds = [], [], []
    for _ in range(ROUNDS):
        with counted() as warm:
            began, clock = time.process_time(), time.perf_counter()
            done = await service.run()
            taken.append(time.process_time() - began)
            seconds.append(time.perf_counter() - clock)
            assert done.outcome == "ok", done
    for _ in range(ROUNDS):  # apart, since whoever watches the loop keeps it busy
        watch = asyncio.create_task(longest_hold())
        await asyncio.sleep(0)
        await service.run()
        watch.cancel()
        holds.append(await watch)
    if profile:
        tool = cProfile.Profile()
        tool.enable()
        for _ in range(3):
            await service.run()
        tool.disable()
        pstats.Stats(tool).sort_stats("cumulative").print_stats(55)
    row("requests, cold, metadata never read before", len(first))
    row("requests, cold", len(cold), 20)
    row("requests, warm", len(warm), 8)
    row("own CPU, cold (both sides' clients made)", cold_cpu, None, "s")
    row("own CPU, warm", middle(taken), 0.15, "s", f"worst {max(taken):.3f}")
    row("seconds, warm", middle(seconds), None, "s")
    row("longest hold of the loop, warm", middle(holds) * 1000, 10, "ms", f"worst {max(holds) * 1000:.1f}")
    await service.close()
    return cold, warm


async def longest_hold() -> float:
    """Until cancelled: the longest time that the loop did not come back to us."""
    worst, last = 0.0, time.perf_counter()
    try:
        while True:
            await asyncio.sleep(0)
            now = time.perf_counter()
            worst, last = max(worst, now - last), now
    except asyncio.CancelledError:
        return worst


def process(place: World) -> None:
    """`ajerasync run` as a whole: seconds and the greatest resident size."""
    command = [sys.executable, "-m", "tui", "run", "--config", str(place.config)]
    env = {**os.environ, "XDG_STATE_HOME": str(place.state_home)}
    taken, sizes, cpus = [], [], []
    for n in range(ROUNDS + 3):
        began = time.perf_counter()
        child = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        _, status, used = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        if n >= 3:  # the first ones read metadata, and what was found to be quiet is kept
            taken.append(seconds)
            cpus.append(used.ru_utime + used.ru_stime)
            sizes.append(used.ru_maxrss / 1024)
        if child.returncode:
            assert child.stderr is not None
            raise SystemExit(child.stderr.read().decode())
    row("`ajerasync run`, seconds", middle(taken), 1.2, "s", f"worst {max(taken):.2f}")
    row("`ajerasync run`, CPU", middle(cpus), None, "s")
    row("`ajerasync run`, greatest size", middle(sizes), 120, "MB")


def main() -> None:
    asks = argparse.ArgumentParser()
    asks.add_argument("sizes", type=int, nargs="*", default=[1_000, 50_000])
    asks.add_argument("--profile", action="store_true")
    asks.add_argument("--process", action="store_true")
    asks.add_argument("--delay", type=int, default=0, help="milliseconds added to each reply of both systems")
    asks.add_argument("--requests", action="store_true", help="name each request")
    given = asks.parse_args()
    for size in given.sizes:
        slow = f", {given.delay} ms added to each reply" if given.delay else ""
        head(f"nothing changed, {size:,} linked records{slow}")
        with world(size, delay=given.delay) as place:
            if given.process:  # first: a child's greatest size counts what this process had before it became itself
                process(place)
            cold, warm = asyncio.run(idle(place, given.profile))
            if given.requests:
                for name, sent in (("cold", cold), ("warm", warm)):
                    print(name, dict(Counter(f"{side}: {what}" for side, what in sent)))
    row("this process, greatest size", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, None, "MB")


if __name__ == "__main__":
    main()
