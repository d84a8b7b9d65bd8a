"""The fault layer at length: `python -m tests.engine.longrun --cases 500000` (or `make faults CASES=500000`).

Every case of the fixed programs first, then cases of random programs until there are enough; the same number asks for
the same cases. Programs are shared out over `--workers`, and each program that is done is a line of `--log`: a run that
was stopped goes on from there, and several logs make one table (`--table LOG…`). Exit code 1 where a case failed.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from tests.engine import randoms
from tests.engine.faults import Case, Program, case, cases, learn, told
from tests.engine.faultworld import quickly
from tests.engine.programs import prepared, scratch

OF_EACH = 60  # cases of one random program
FIXED = "fixed"


@dataclass
class Tally:
    """What was run so far."""

    done: set[str] = field(default_factory=set)
    kinds: Counter[tuple[str, str]] = field(default_factory=Counter)  # (program or `random`, kind of fault)
    failed: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def add(self, line: dict[str, Any]) -> None:
        if line["program"] in self.done:
            return
        self.done.add(line["program"])
        family = line["program"] if line["family"] == FIXED else line["family"]
        for kind, count in line["kinds"].items():
            self.kinds[family, kind] += count
        self.failed += line["failed"]
        self.seconds += line["seconds"]

    @property
    def cases(self) -> int:
        return sum(self.kinds.values())

    @classmethod
    def of(cls, logs: list[Path]) -> Tally:
        found = cls()
        for log in logs:
            for line in log.read_bytes().splitlines() if log.exists() else []:
                try:
                    found.add(orjson.loads(line))
                except ValueError:  # the last line of a run that was killed
                    continue
        return found


class Worker:
    """Runs every `of`-th program, from `mine` on."""

    def __init__(self, root: Path, log: Path, mine: int, of: int) -> None:
        self.root, self.log, self.mine, self.of = root, log, mine, of

    async def work(self, wanted: int) -> None:
        """Until this worker's part of `wanted` cases is done."""
        tally, left = Tally.of([self.log]), -(-wanted // self.of)
        left -= tally.cases
        fixed = await prepared(self.root)
        for name, program in list(fixed.items())[self.mine :: self.of]:
            if left <= 0 or name in tally.done:
                continue
            await learn(program, self.root / "learn")
            left -= await self._program(program, FIXED, cases(program)[: max(left, 1)])
        at_rest = await randoms.office_in_step(self.root)
        for number in self._numbers():
            if left <= 0:
                return
            program = randoms.program(number, at_rest)
            if program.name in tally.done:
                continue
            await learn(program, self.root / "learn")
            left -= await self._program(program, "random", randoms.some_cases(program, number, min(OF_EACH, left)))

    def _numbers(self) -> Iterator[int]:
        number = self.mine
        while True:
            yield number
            number += self.of

    async def _program(self, program: Program, family: str, wanted: list[Case]) -> int:
        kinds: Counter[str] = Counter()
        failed, started = [], time.monotonic()
        for at, kind in wanted:
            kinds[kind] += 1
            try:
                wrong = await case(program, at, kind, self.root / "case")
            except Exception as error:
                wrong = {"error": f"{type(error).__name__}: {error}"}
            if wrong:
                failed.append(f"{told(program, at, kind)}: {wrong}"[:2000])
        line = {
            "program": program.name,
            "family": family,
            "kinds": dict(kinds),
            "failed": failed,
            "seconds": round(time.monotonic() - started, 2),
        }
        with self.log.open("ab") as log:
            log.write(orjson.dumps(line) + b"\n")
        return len(wanted)


def table(tally: Tally) -> str:
    """Cases per program and kind of fault."""
    families = list(dict.fromkeys(family for family, _ in tally.kinds))
    kinds = sorted({kind for _, kind in tally.kinds})
    rows = ["| fault | " + " | ".join(families) + " | all |", "| --- |" + " ---: |" * (len(families) + 1)]
    for kind in kinds:
        counts = [tally.kinds[family, kind] for family in families]
        rows.append(f"| {kind} | " + " | ".join(map(str, counts)) + f" | {sum(counts)} |")
    sums = [sum(count for (each, _), count in tally.kinds.items() if each == family) for family in families]
    rows.append("| all | " + " | ".join(map(str, sums)) + f" | {tally.cases} |")
    pace = tally.cases / tally.seconds if tally.seconds else 0
    told_of = f"{tally.cases} cases of {len(tally.done)} programs, {len(tally.failed)} failed, {pace:.0f} a second and process."
    return "\n".join([*rows, "", told_of, *tally.failed[:20], ""])


def folder_logs(log: Path, workers: int) -> list[Path]:
    return [log.with_name(f"{log.name}.{number}") for number in range(workers)]


async def one_worker(log: Path, wanted: int, mine: int, of: int) -> None:
    root = Path(scratch())
    try:
        with quickly():
            await Worker(root, log, mine, of).work(wanted)
    finally:
        shutil.rmtree(root, ignore_errors=True)


def all_workers(log: Path, wanted: int, workers: int) -> None:
    command = [
        sys.executable,
        "-m",
        "tests.engine.longrun",
        f"--cases={wanted}",
        f"--workers={workers}",
        f"--log={log}",
    ]
    running = [subprocess.Popen([*command, f"--worker={number}"]) for number in range(workers)]
    for process in running:
        process.wait()


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.engine.longrun", description=__doc__)
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--worker", type=int, help="run this part alone, from 0 on")
    parser.add_argument("--log", type=Path, default=Path("faults.log"))
    parser.add_argument("--table", type=Path, nargs="+", metavar="LOG", help="print the table of these logs")
    asked = parser.parse_args(words)
    logs = asked.table or folder_logs(asked.log, asked.workers)
    if not asked.table:
        if asked.worker is not None:
            asyncio.run(one_worker(logs[asked.worker], asked.cases, asked.worker, asked.workers))
            return 0
        all_workers(asked.log, asked.cases, asked.workers)
    tally = Tally.of(logs)
    sys.stdout.write(table(tally))
    return 1 if tally.failed or (not asked.table and tally.cases < asked.cases) else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
