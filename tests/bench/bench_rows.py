"""Rows, ticks and one changed record: `python -m tests.bench.bench_rows [SIZE...] [--profile]`.

In the open program, after a first run. The seconds of a changed record count our own CPU and leave the systems out.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import pstats
import time
from collections.abc import Callable

from core.engine.service import Service
from core.model.values import Kind, Side
from tests.bench.table import head, middle, row
from tests.bench.world import World, counted, world

KINDS = (Kind.FIRM, Kind.CONTACT, Kind.PROJECT, Kind.EMPLOYEE)


def timed(act: Callable[[], object], rounds: int = 1) -> float:
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        act()
        taken.append((time.perf_counter() - began) * 1000)
    return middle(taken)


def every_row(service: Service) -> None:
    for kind in KINDS:
        service.rows(kind)


async def measure(place: World, profile: bool) -> None:
    service = place.service()
    await service.run()
    row("rows of all hubs, first time (store read and decoded)", timed(lambda: every_row(service)), None, "ms")
    service._forget()
    row("rows of all hubs, asked again", timed(lambda: every_row(service), 20), None, "ms")
    keys = [each.crm_key or "" for each in service.rows(Kind.PROJECT)[:40]]
    on = [False]

    def tick() -> None:
        service.mark(Kind.PROJECT, [keys[len(on) % 40]], on[-1])
        on.append(not on[-1] if len(on) % 40 == 0 else on[-1])
        service.row(Kind.PROJECT, keys[(len(on) - 1) % 40])

    row("tick a project, its row made again", timed(tick, 20), 5, "ms")
    row("rows of its hub after a tick", timed(lambda: (tick(), service.rows(Kind.PROJECT)), 10), None, "ms")
    row("detail of one record", timed(lambda: service.detail(service.row(Kind.PROJECT, keys[5])), 5), None, "ms")
    row("status", timed(lambda: service.status(), 5), None, "ms")
    while on[-1] is False or service.store.marks():  # as it was
        service.mark(Kind.PROJECT, keys, True)
        on.append(True)
    await service.run()
    await changed(service, profile)
    await service.close()


async def changed(service: Service, profile: bool) -> None:
    """One record edited in the CRM, by its own API as somebody else's program would, then one run."""
    system = service.systems[Side.CRM]
    tool = cProfile.Profile()
    taken, requests = [], []
    for n in range(3):
        key = service.rows(Kind.FIRM)[n].crm_key or ""
        before = (await system.get(Kind.FIRM, [key]))[key]
        await system.update(before, {"website": f"https://changed{n}{time.time_ns()}.example"})
        with counted() as sent:
            if profile:
                tool.enable()
            began = time.process_time()
            done = await service.run()
            taken.append((time.process_time() - began) * 1000)
            tool.disable()
        assert done.counts["update"] == 1, done
        requests.append(len(sent))
    if profile:
        pstats.Stats(tool).sort_stats("cumulative").print_stats(50)
    row("one changed record: own CPU of its run", middle(taken), 50, "ms")
    row("one changed record: requests of its run", middle(requests))


def main() -> None:
    asks = argparse.ArgumentParser()
    asks.add_argument("sizes", type=int, nargs="*", default=[1_000, 50_000])
    asks.add_argument("--profile", action="store_true")
    given = asks.parse_args()
    for size in given.sizes:
        head(f"rows and ticks, {size:,} linked records")
        with world(size) as place:
            asyncio.run(measure(place, given.profile))


if __name__ == "__main__":
    main()
