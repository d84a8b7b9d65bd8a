"""What a person or a prompt waits for: `python -m tests.bench.bench_commands [SIZE...]`.

`--version`, `--help`, a completion as the shell asks for it, and `status` over so many linked records, each as a whole
program, the installed one (its modules compiled): seconds and CPU. In turns, so that a busy minute is everybody's.
`status` is told at a glance while no tick, link or CRM record moved (core/glance.py), else by the service.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

from core import glance
from tests.bench.bench_peers import Spent, spent
from tests.bench.bench_screen import INSTALLED
from tests.bench.table import head, middle, row
from tests.bench.world import World, world

ROUNDS = 11
COMPLETING = {"_AJERASYNC_COMPLETE": "bash_complete", "COMP_WORDS": "ajerasync sta", "COMP_CWORD": "1"}
SERVICE, BARE = "status, after something moved", "python -c pass"
PROGRAM = [sys.executable, "-m", "tui"]


def commands(place: World) -> dict[str, tuple[list[str], dict[str, str]]]:
    """Words and environment of each."""
    own = {"XDG_STATE_HOME": str(place.state_home), **INSTALLED}
    return {
        "--version": ([*PROGRAM, "--version"], own),
        "--help": ([*PROGRAM, "--help"], own),
        "completion of a word": (PROGRAM, {**own, **COMPLETING}),
        "status": ([*PROGRAM, "status", "--config", str(place.config)], own),
        SERVICE: ([*PROGRAM, "status", "--config", str(place.config)], own),
        "status --json": ([*PROGRAM, "status", "--json", "--config", str(place.config)], own),
        BARE: ([sys.executable, "-c", "pass"], own),
    }


def measure(place: World) -> None:
    run = [*PROGRAM, "run", "--config", str(place.config)]
    subprocess.run(run, env={**os.environ, "XDG_STATE_HOME": str(place.state_home)}, capture_output=True, check=True)
    asked = commands(place)
    taken: dict[str, list[Spent]] = {name: [] for name in asked}
    for n in range(ROUNDS + 2):
        for name, (words, env) in asked.items():
            if name == SERVICE:
                (place.state / glance.FILE).unlink(missing_ok=True)
            one = spent(words, env)
            if n >= 2:  # the first ones compile
                taken[name].append(one)
    for name, rounds in taken.items():
        goal = None if name in (SERVICE, BARE) else 80
        row(f"{name}, CPU", middle([each.cpu for each in rounds]) * 1000, goal, "ms")
        row(f"{name}, until it has ended", middle([each.clock for each in rounds]) * 1000, None, "ms")


def main() -> None:
    asks = argparse.ArgumentParser()
    asks.add_argument("sizes", type=int, nargs="*", default=[1_000, 50_000])
    given = asks.parse_args()
    for size in given.sizes:
        head(f"short commands, {size:,} linked records")
        with world(size) as place:
            measure(place)


if __name__ == "__main__":
    main()
