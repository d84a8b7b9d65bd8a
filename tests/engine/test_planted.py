"""Bugs planted on purpose are caught: some with every test run, all of them in the table of docs/planted.md."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.faultworld import quickly
from tests.engine.planted import BUGS, PAGE, Bench
from tests.engine.programs import scratch

#: Caught within a second or two each; the others take the command.
QUICK = (
    "base before the write", "base at the end of the run", "base is one side's whole record", "silent winner",
    "conflict dropped", "delete beats edit", "no canonical form", "lists trusted", "guard off", "first error ends the run",
    "stale list after a delete", "greedy match on a shared e-mail", "match without a whole list", "base per record",
    "base is what was sent", "own writes are news", "dirty cleared at planning", "tick made here lost", "cap ignored",
    "one-way writes to the CRM", "blank overwrites", "zero money overwrites", "undone field written",
    "undo forgets the base", "refusals forgotten", "conflicts not kept", "what follows a create dropped",
    "typed into a new record taken for ours", "a plan finishes what a run began",
)  # fmt: skip


@pytest.fixture
def root() -> Iterator[Path]:
    folder = Path(scratch())
    with quickly():
        yield folder
    shutil.rmtree(folder)


@pytest.mark.timeout(600)
async def test_planted_bugs_are_caught(root: Path) -> None:
    bench = Bench(root, laws=20, faults=600)
    await bench.prepare()
    living = []
    for bug in BUGS:
        if bug.name in QUICK:
            kill = await bench.hunt(bug)
            living += [] if kill.by else [bug.name]
    assert living == []


def test_every_bug_is_in_the_table_and_caught_or_explained() -> None:
    rows = dict(re.findall(r"^\| ([^|]+) \| [^|]+ \| ([^|]+) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    assert {bug.name for bug in BUGS} <= rows.keys()
    assert set(QUICK) <= {bug.name for bug in BUGS}
    assert len(BUGS) >= 26
    for bug in BUGS:
        assert rows[bug.name] != "nothing" or bug.harmless, bug.name
