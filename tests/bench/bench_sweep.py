"""The full sweep: `python -m tests.bench.bench_sweep [SIZE...] [--profile] [--process]`.

Complete lists of all kinds compared with what is known, child rows of what takes part read again, everything planned.
Our own CPU alone; with `--process` the command `ajerasync run --sweep`, with its greatest size.
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
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from core.crm.client import CrmClient
from tests.bench.table import head, row
from tests.bench.world import World, counted, world


@contextmanager
def childless() -> Iterator[None]:
    """Without the one call for each ticked CRM project: no list of these rows over many projects is documented."""
    real = CrmClient.children

    async def none(*_: object) -> list[Any]:
        return []

    CrmClient.children = none  # type: ignore[method-assign, assignment] # for the length of the block
    try:
        yield
    finally:
        CrmClient.children = real  # type: ignore[method-assign] # as it was


async def inside(place: World, profile: bool, what: str) -> None:
    service = place.service()
    tool = cProfile.Profile()
    with counted() as sent:
        if profile:
            tool.enable()
        began, clock = time.process_time(), time.perf_counter()
        done = await service.run(sweep=True)
        taken, seconds = time.process_time() - began, time.perf_counter() - clock
        tool.disable()
    assert done.outcome == "ok", done
    assert not done.counts["update"], done
    await service.close()
    row(f"{what}: greatest size of this process", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 200, "MB")
    if profile:
        pstats.Stats(tool).sort_stats("tottime").print_stats(45)
    names = Counter(f"{side} {name}" for side, name in sent)
    row(f"{what}: own CPU", taken, 6, "s", f"{seconds:.0f} s in all")
    row(f"{what}: requests", len(sent), None, "", ", ".join(f"{many} {name}" for name, many in names.most_common(6)))
    row(f"{what}: own CPU a request", taken / len(sent) * 1000, None, "ms")


def process(place: World) -> None:
    command = [sys.executable, "-m", "tui", "run", "--config", str(place.config)]
    env = {**os.environ, "XDG_STATE_HOME": str(place.state_home)}
    quiet = {"env": env, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run(command, check=True, **quiet)  # type: ignore[call-overload] # its options
    child = subprocess.Popen([*command, "--sweep"], **quiet)  # type: ignore[call-overload] # its options
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    assert not child.returncode, child.returncode
    row("`ajerasync run --sweep`, CPU", used.ru_utime + used.ru_stime, None, "s")
    row("`ajerasync run --sweep`, greatest size", used.ru_maxrss / 1024, 200, "MB")


def main() -> None:
    asks = argparse.ArgumentParser()
    asks.add_argument("sizes", type=int, nargs="*", default=[1_000, 50_000])
    asks.add_argument("--profile", action="store_true")
    asks.add_argument("--process", action="store_true")
    asks.add_argument("--children", action="store_true", help="the rows below CRM projects too: a call for each")
    given = asks.parse_args()
    for size in given.sizes:
        head(f"full sweep, {size:,} linked records")
        with world(size) as place:
            if given.process and given.children:
                process(place)
            command = [sys.executable, "-m", "tui", "run", "--config", str(place.config)]
            env = {**os.environ, "XDG_STATE_HOME": str(place.state_home)}
            subprocess.run(command, check=True, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            with childless():
                what = "sweep but for rows below CRM projects"
                asyncio.run(inside(place, False, f"{what}, the first after an update"))  # no print of a row holds
                asyncio.run(inside(place, given.profile, what))
            if given.children:
                asyncio.run(inside(place, False, "full sweep"))


if __name__ == "__main__":
    main()
