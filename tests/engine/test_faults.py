"""Whatever goes wrong at whatever point: the next runs come to the end that was meant.

A sample of the points and kinds of faults runs with every test run; AJERASYNC_FAULTS=all runs every one, and
AJERASYNC_FAULTS=N every N-th. Cases are the same in every run.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.model.values import Kind
from tests.engine.faults import (
    DIE_AFTER,
    DIE_BEFORE,
    Line,
    Program,
    fingerprint,
    learn,
    no_deletes,
    recover,
    strike,
)
from tests.engine.kit import World
from tests.engine.programs import found, prepared, scratch

STEP = {"": 29, "all": 1}
CHUNKS = 4  # of a program's cases, so that several processes can share them
MOST_MORE_WRITES = 2  # the one in flight may be sent twice, and one that follows from it


def step() -> int:
    asked = os.environ.get("AJERASYNC_FAULTS", "")
    return STEP.get(asked) or int(asked)


@pytest.fixture(scope="module")
def root() -> Iterator[Path]:
    folder = Path(scratch())
    logging.disable(logging.CRITICAL)  # a log line of each refused connection
    yield folder
    logging.disable(logging.NOTSET)
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def programs(root: Path) -> dict[str, Program]:
    async def learned() -> dict[str, Program]:
        made = await prepared(root)
        for program in made.values():
            await learn(program, root / "learn")
        return made

    return asyncio.run(learned())


def cases(program: Program, kinds: frozenset[str] = frozenset()) -> list[tuple[int, str]]:
    return [
        (at, kind)
        for at, point in enumerate(program.points)
        for kind in point.kinds
        if not kinds or (kind in kinds and (point.write or point.where == "store"))
    ]


def differences(program: Program, world: World) -> dict[str, Any]:
    end = fingerprint(world)
    wrong = {name: (program.end[name], end[name]) for name in end if end[name] != program.end[name]}
    if not no_deletes(world):
        wrong["deletes"] = [write for write in world.crm_writes() if write.op == "delete"]
    if world.writes() > program.writes + MOST_MORE_WRITES:
        wrong["writes"] = (program.writes, world.writes())
    return wrong


def told(program: Program, at: int, kind: str) -> str:
    point = program.points[at]
    return f"{program.name}: {kind} at point {at}, {point.where} {point.what}"


@pytest.mark.timeout(0)
@pytest.mark.parametrize("chunk", range(CHUNKS))
@pytest.mark.parametrize("name", ["first", "edits", "deletion"])
async def test_after_a_fault_the_end_is_that_of_a_run_without(
    programs: dict[str, Program], root: Path, name: str, chunk: int
) -> None:
    program = programs[name]
    wrong = {}
    for at, kind in cases(program)[:: step()][chunk::CHUNKS]:
        world = await strike(program, at, kind, root / "case")
        try:
            if bad := differences(program, world):
                wrong[told(program, at, kind)] = bad
        finally:
            world.service.store.close()
            shutil.rmtree(root / "case")
    assert wrong == {}


async def test_the_programs_have_points_of_every_sort(programs: dict[str, Program]) -> None:
    points = [point for program in programs.values() for point in program.points]
    assert {point.where for point in points} == {"ajera", "crm", "store"}
    assert len([point for point in points if point.write]) >= 20
    assert sum(len(cases(program)) for program in programs.values()) > 2500


# -- people go on working before the program is started again ------------------------------------------

CRASHES = frozenset({DIE_BEFORE, DIE_AFTER, "lost", "truncated", "html_after"})


async def types_again(world: World) -> None:
    """The same person, on the same side, over her own words of before."""
    crm, ajera = world.crm, world.ajera
    world.clock.forward(minutes=1)
    crm.edit("firm", found(crm, "firm", Name="Acme Supply Co."), {"Name": "Acme Typed Later"})
    (person,) = [key for key, c in ajera.tables["contacts"].items() if c["LastName"] == "Archer"]
    ajera.edit("contacts", person, {"Title": "Typed Later"})


@pytest.mark.timeout(0)
async def test_words_typed_after_a_crash_travel_and_start_no_false_conflict(
    programs: dict[str, Program], root: Path
) -> None:
    program = programs["edits"]
    wrong = {}
    unreadable = [case for case in cases(program, frozenset({"truncated"})) if program.points[case[0]].where == "crm"]
    for at, kind in [*unreadable, *cases(program, CRASHES)[:: max(1, step() // 3)]]:
        world = await strike(program, at, kind, root / "case", types_again)
        try:
            firms = {row["Name"] for row in world.crm.tables["firm"].values()}
            clients = {row["Description"] for row in world.ajera.tables["clients"].values()}
            titles = {
                c["Title"] for c in (*world.ajera.tables["contacts"].values(), *world.crm.tables["contact"].values())
            }
            conflicts = [c.field for c in world.service.conflicts()]
            good = (
                "Acme Typed Later" in firms & clients
                and not {"Acme Supply Co.", "Acme Supplies"} & (firms | clients)
                and "Typed Later" in titles
                and "Director" not in titles
                and "Owner" not in titles
                and conflicts == ["website"]
            )
            if not good:
                wrong[told(program, at, kind)] = (sorted(firms), sorted(clients), sorted(titles), conflicts)
        finally:
            world.service.store.close()
            shutil.rmtree(root / "case")
    assert wrong == {}


class OtherSide:
    """A person types over the field that was being written, on the side it was being written to."""

    def __init__(self) -> None:
        self.saw = ""

    async def __call__(self, world: World) -> None:
        (key,) = [
            key
            for key, client in world.ajera.tables["clients"].items()
            if client["Description"] in ("Acme Supplies", "Acme Supply Co.")
        ]
        self.saw = world.ajera.tables["clients"][key]["Description"]
        world.clock.forward(minutes=1)
        world.ajera.edit("clients", key, {"Description": "Typed in Ajera"})


@pytest.mark.timeout(0)
async def test_words_typed_on_the_other_side_after_a_crash_lose_nothing(
    programs: dict[str, Program], root: Path
) -> None:
    program = programs["edits"]
    wrong = {}
    for at, kind in cases(program, CRASHES)[1 :: max(1, step() // 3)]:
        person = OtherSide()
        world = await strike(program, at, kind, root / "case", person)
        try:
            firms = {row["Name"] for row in world.crm.tables["firm"].values()}
            clients = {row["Description"] for row in world.ajera.tables["clients"].values()}
            asked = {(c.ajera, c.crm) for c in world.service.conflicts() if c.field == "name"}
            conflict = asked == {("Typed in Ajera", "Acme Supply Co.")}
            taken = "Typed in Ajera" in firms and person.saw == "Acme Supply Co."
            if "Typed in Ajera" not in clients or not (conflict or taken):
                wrong[told(program, at, kind)] = (person.saw, sorted(firms), sorted(clients), asked)
        finally:
            world.service.store.close()
            shutil.rmtree(root / "case")
    assert wrong == {}


# -- the store is older than the world -----------------------------------------------------------------


async def finished(program: Program, folder: Path) -> World:
    world = program.start.world(folder, Line())
    await program.people(world)
    await world.run()
    await recover(world)
    await world.close()
    return world


async def test_an_older_copy_of_the_store_leads_to_matches_and_never_to_duplicates(
    programs: dict[str, Program], root: Path
) -> None:
    program = programs["edits"]
    world = await finished(program, root / "case")
    shutil.rmtree(root / "case")
    shutil.copytree(program.start.store, root / "case")
    world.service = world.program()
    await recover(world)
    assert differences(program, world) == {}
    await world.close()
    shutil.rmtree(root / "case")


async def test_a_lost_store_is_rebuilt_from_both_systems(programs: dict[str, Program], root: Path) -> None:
    program = programs["edits"]
    world = await finished(program, root / "case")
    shutil.rmtree(root / "case")
    world.service = world.program()
    await recover(world)
    end = fingerprint(world)
    systems = [name for name in end if name.startswith(("ajera", "crm"))]
    assert {name: end[name] for name in systems} == {name: program.end[name] for name in systems}
    # Contacts that are not ticked any more are not looked for.
    assert set(program.end["links"]) - set(end["links"]) == {("contact", "Baker", "Baker")}
    assert end["conflicts"] == program.end["conflicts"]
    await world.close()
    shutil.rmtree(root / "case")


async def test_the_same_fault_gives_the_same_trace_twice(programs: dict[str, Program], root: Path) -> None:
    program = programs["edits"]
    at = next(n for n, point in enumerate(program.points) if point.write)
    ends = []
    for _ in range(2):
        world = await strike(program, at, "lost", root / "case")
        writes = [(w.table, w.key, w.op, dict(w.after)) for w in world.crm_writes()]
        calls = [(e.method, e.args) for e in world.ajera_app.state.ledger]
        ends.append((fingerprint(world), writes, calls))
        world.service.store.close()
        shutil.rmtree(root / "case")
    assert ends[0] == ends[1]


def test_kinds_of_record_are_all_in_the_oracle() -> None:
    from tests.engine.faults import NAMES

    assert set(NAMES) == set(Kind)
