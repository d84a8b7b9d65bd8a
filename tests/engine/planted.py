"""Bugs planted on purpose, one at a time, to see that the tests catch them.

`python -m tests.engine.planted` plants each, runs the quick suites until one of them finds it, prints the table and
writes docs/planted.md. Names given as words plant those alone. A test keeps the table whole (test_planted.py).
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

from tests.engine import plantstories as stories
from tests.engine.faults import RACES, Program, case, cases, learn, strike, told
from tests.engine.faultworld import quickly
from tests.engine.plantbugs import BUGS, Bug
from tests.engine.programs import prepared, scratch
from tests.engine.test_faults import crashes, typed_again_is_there, types_again
from tests.property import test_one_field as one_field
from tests.property.test_programs import holds

PAGE = Path(__file__).parents[2] / "docs" / "planted.md"
LAWS, FAULTS = 100, 1200  # cases before a suite gives up
STORIES: tuple[tuple[Callable[..., Any], str], ...] = (
    (stories.idle, "edits"), (stories.undo, "crm_edit"), (stories.refused_record, "crm_edit"),
    (stories.poison, "new_firm"), (stories.lying_list, "edits"), (stories.every_write_is_named, "edits"),
    (stories.plan_writes_nothing, "edits"), (stories.one_way_runs, "ajera_edit"),
    (stories.refused_group, "ajera_edit"), (stories.rewritten, "ajera_edit"),
    (stories.typed_into_a_new_record, "to_crm"), (stories.plan_after_a_crash, "new_project"),
)  # fmt: skip
FIELD = (
    one_field.test_rule_5_every_state_of_a_field_follows_the_table,
    one_field.test_law_8_no_state_loses_a_value_that_somebody_typed,
    one_field.test_law_9_one_way_never_writes_the_crm,
    partial(one_field.test_rule_5_blank_money_replaces_a_value_only_where_ajeras_stood_before, one_field.MONEY),
)


@dataclass
class Kill:
    """What became of a bug: the suite that caught it, or nothing."""

    bug: Bug
    by: str = ""
    case: str = ""
    cases: int = 0
    seconds: float = 0.0


@dataclass
class Bench:
    """The programs as they end without a bug, and the order in which suites look."""

    root: Path
    programs: dict[str, Program] = field(default_factory=dict)
    numbers: list[list[int]] = field(default_factory=list)  # random programs that hold without a bug
    faults: int = FAULTS
    laws: int = LAWS

    async def prepare(self) -> None:
        self.programs = await prepared(self.root)
        rng = random.Random(7)
        drawn = [[rng.randrange(1 << 16) for _ in range(rng.randint(2, 10))] for _ in range(self.laws)]
        self.numbers = [numbers for numbers in drawn if not _of(holds, numbers)]
        for program in self.programs.values():
            await learn(program, self.root / "learn")
            bad = await case(program, -1, "", self.root / "case")
            assert not bad, f"{program.name} fails without a bug: {bad}"

    async def hunt(self, bug: Bug) -> Kill:
        kill, started = Kill(bug), time.monotonic()
        with ExitStack() as stack:
            patches = bug.patches()
            for target, name, instead in patches:
                stack.enter_context(mock.patch.object(target, name, instead))
            inside = any(_module(target).startswith("core.reconcile") for target, _, _ in patches)
            kernel = (self._kernel,) if inside else ()  # it sees nothing of the rest
            for suite in (*kernel, self._clean, self._stories, self._typed_after, self._faults):
                async for what in suite(bug):
                    kill.cases += 1
                    if what:
                        kill.by, kill.case = suite.__name__.strip("_").replace("_", " "), what
                        kill.seconds = time.monotonic() - started
                        return kill
        kill.seconds = time.monotonic() - started
        return kill

    # -- suites: each yields "" for a case that passed, else what failed ---------------------------------

    async def _kernel(self, _bug: Bug) -> Any:
        for test in (*FIELD, *stories.KERNEL):
            yield _of(test)
        for numbers in self.numbers:
            yield _of(holds, numbers)

    async def _clean(self, _bug: Bug) -> Any:
        for program in self.programs.values():
            yield await self._case(program, -1, "")

    async def _stories(self, _bug: Bug) -> Any:
        for story, name in STORIES:
            try:
                await story(self.programs[name], self.root / "story")
            except Exception as error:
                yield f"{story.__name__}: {error}"[:120]
            else:
                yield ""

    async def _typed_after(self, _bug: Bug) -> Any:
        """A crash, and people who go on typing before the program is started again."""
        program = self.programs["edits"]
        crashed = crashes(program)
        for at, kind in random.Random(3).sample(crashed, min(len(crashed), max(10, self.faults // 24))):
            try:
                world = await strike(program, at, kind, self.root / "case", types_again)
                wrong = typed_again_is_there(world)
                world.service.store.close()
            except Exception as error:
                wrong = error
            yield f"{told(program, at, kind)}, and words typed after it" if wrong else ""

    async def _faults(self, bug: Bug) -> Any:
        """Every program in turn, its cases in an order by chance (the same for every bug)."""
        rng = random.Random(11)
        for at, kind, program in _mixed(rng, list(self.programs.values()), self.faults):
            yield await self._case(program, at, kind)

    async def _case(self, program: Program, at: int, kind: str) -> str:
        try:
            wrong = await case(program, at, kind, self.root / "case")
        except Exception as error:
            wrong = {"error": f"{type(error).__name__} {error}"}
        what = told(program, at, kind) if kind else f"{program.name} without a fault"
        return f"{what}: {', '.join(wrong)}" if wrong else ""


def _module(target: Any) -> str:
    return str(getattr(target, "__module__", None) or target.__name__)


def _of(test: Callable[..., Any], *given: Any) -> str:
    try:
        test(*given)
    except Exception as error:
        text = str(error).splitlines()[0][:60] if str(error) else type(error).__name__
        name = test.func.__name__ if isinstance(test, partial) else test.__name__
        return f"{name.removeprefix('test_')}: {text}"
    return ""


def _mixed(rng: random.Random, programs: list[Program], most: int) -> Iterator[tuple[int, str, Program]]:
    """Crashes around writes and commits early, since half of the mistakes are made there; the programs in turn."""
    piles = []
    for program in programs:
        scored = [(rng.random() * _weight(program, at, kind), at, kind) for at, kind in cases(program)]
        piles.append([(at, kind) for _, at, kind in sorted(scored)])
    count = 0
    while any(piles) and count < most:
        for program, pile in zip(programs, piles, strict=True):
            if pile and count < most:
                count += 1
                yield (*pile.pop(), program)


def _weight(program: Program, at: int, kind: str) -> int:
    points = program.points[max(0, at - 1) : at + 3]
    near = any(point.write for point in points)
    if (kind in CRASHES and (near or program.points[at].where == "store")) or (kind in RACES and near):
        return 4
    return 2 if kind in RACES else 1


CRASHES = frozenset({"die_before", "die_after", "lost", "html_after"})


# -- the table ---------------------------------------------------------------------------------------------

HEAD = """# Planted bugs

Made by `python -m tests.engine.planted`; a test (`tests/engine/test_planted.py`) plants a part of them with every test run
and fails when one lives, or when this table lacks one. Each bug is one change to the program, in memory only. The suites
look in this order and stop at the first that finds it: *kernel* (for bugs of the planner: every state of one field,
{laws} random programs, stories of the planner), *clean* (the programs of the fault layer without a fault), *stories* (idle, undo, a refused
record, a lying list, a plan applied), *typed after*
(a crash, and people who type on before the program starts again), *faults* (up to {faults} cases of the fault layer, in an order by chance).

| bug | what it breaks | caught by | cases until caught | seconds |
| --- | --- | --- | ---: | ---: |
"""


def page(kills: list[Kill]) -> str:
    rows = [f"| {k.bug.name} | {k.bug.breaks} | {_by(k)} | {k.cases} | {k.seconds:.1f} |" for k in kills]
    caught = sum(1 for kill in kills if kill.by)
    living = [kill for kill in kills if not kill.by]
    text = HEAD.format(laws=LAWS, faults=FAULTS) + "\n".join(rows)
    text += f"\n\n{len(kills)} planted, {caught} caught, {len(living)} alive.\n"
    for kill in living:
        text += f"\n- **{kill.bug.name}** is harmless: {kill.bug.harmless or 'not explained'}\n"
    return text


def _by(kill: Kill) -> str:
    where = kill.case.replace("|", "/").replace("\n", " ")
    return f"{kill.by}: {where}" if kill.by else "nothing"


async def main(names: list[str]) -> int:
    root = Path(scratch())
    try:
        with quickly():
            bench = Bench(root)
            await bench.prepare()
            kills = []
            for bug in BUGS:
                if names and bug.name not in names:
                    continue
                kills.append(kill := await bench.hunt(bug))
                sys.stdout.write(f"{bug.name}: {_by(kill)} ({kill.cases} cases, {kill.seconds:.1f} s)\n")
                sys.stdout.flush()
    finally:
        shutil.rmtree(root, ignore_errors=True)
    if not names:
        PAGE.write_text(page(kills), encoding="utf-8")
    return 1 if [kill for kill in kills if not kill.by and not kill.bug.harmless] else 0


if __name__ == "__main__":
    os.environ.setdefault("AJERASYNC_PROGRAMS", "1")
    raise SystemExit(asyncio.run(main(sys.argv[1:])))
