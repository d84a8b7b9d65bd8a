"""One changed record: `python -m tests.bench.bench_change [SIZE...] [--profile] [--process]`.

In the open program, from due time to written on the other side, our own CPU alone; and with `--process` the command
`ajerasync run` of a program that has just started.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import os
import pstats
import subprocess
import sys
import time

from core.engine.service import Service
from core.model.values import Kind, Side
from tests.bench.table import head, middle, row
from tests.bench.world import World, counted, world

ROUNDS = 9


async def edit(service: Service, n: int) -> None:
    """A web site typed in the CRM by somebody else."""
    system = service.systems[Side.CRM]
    keys = sorted(service.store.names(Kind.CONTACT, Side.CRM), key=lambda named: named[1])
    key = keys[n % len(keys)][1]
    before = (await system.get(Kind.FIRM, [key]))[key]
    await system.update(before, {"website": f"https://changed{n}{time.time_ns()}.example"})


async def warm(place: World, profile: bool) -> None:
    service = place.service()
    await service.run()
    await service.run()
    tool = cProfile.Profile()
    taken, seconds, requests = [], [], []
    for n in range(ROUNDS):
        await edit(service, n)
        if profile and n:
            tool.enable()
        with counted() as sent:
            began, clock = time.process_time(), time.perf_counter()
            done = await service.run()
            taken.append((time.process_time() - began) * 1000)
            seconds.append((time.perf_counter() - clock) * 1000)
        tool.disable()
        assert done.counts["update"] == 1, done
        requests.append(len(sent))
    await service.close()
    if profile:
        pstats.Stats(tool).sort_stats("tottime").print_stats(45)
    note = f"least {min(taken):.0f}, the first one {taken[0]:.0f}"
    row("one changed record: own CPU of its run", middle(taken[1:]), 50, "ms", note)
    row("from due time to the end of its run", middle(seconds[1:]), None, "ms")
    row("its requests", middle(requests), None, "", f"{sent_names(sent)}")


def sent_names(sent: list[tuple[Side, str]]) -> str:
    extra = [f"{side} {name}" for side, name in sent if not name.startswith(("List", "list"))]
    return "8 lists and " + ", ".join(extra)


def process(place: World) -> None:
    """The whole command with one changed record: seconds, CPU and greatest size of a program of its own."""
    command = [sys.executable, "-m", "tui", "run", "--config", str(place.config)]
    env = {**os.environ, "XDG_STATE_HOME": str(place.state_home)}
    seconds, cpus, sizes = [], [], []
    for n in range(6):
        asyncio.run(apart(place, n))
        began = time.perf_counter()
        child = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        assert not child.returncode, child.returncode
        if n >= 2:
            seconds.append(time.perf_counter() - began)
            cpus.append(used.ru_utime + used.ru_stime)
            sizes.append(used.ru_maxrss / 1024)
    row("`ajerasync run`, one changed record, seconds", middle(seconds), None, "s")
    row("`ajerasync run`, one changed record, CPU", middle(cpus), None, "s", f"least {min(cpus):.2f}")
    row("`ajerasync run`, one changed record, greatest size", middle(sizes), None, "MB")


async def apart(place: World, n: int) -> None:
    service = place.service()
    await service.connect()
    await edit(service, n)
    await service.close()


def main() -> None:
    asks = argparse.ArgumentParser()
    asks.add_argument("sizes", type=int, nargs="*", default=[1_000, 50_000])
    asks.add_argument("--profile", action="store_true")
    asks.add_argument("--process", action="store_true")
    asks.add_argument("--delay", type=int, default=0, help="milliseconds added to each reply of both systems")
    given = asks.parse_args()
    for size in given.sizes:
        slow = f", {given.delay} ms added to each reply" if given.delay else ""
        head(f"one changed record, {size:,} linked records{slow}")
        with world(size, delay=given.delay) as place:
            if given.process:
                process(place)
            asyncio.run(warm(place, given.profile))


if __name__ == "__main__":
    main()
