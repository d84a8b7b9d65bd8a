"""Laws that compare two worlds: sides swapped, answers shuffled, clocks set wrong, a run taken back."""

from __future__ import annotations

import asyncio
import random
import shutil
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from core.engine.offloop import OneThread
from core.model.values import Kind, Side
from core.policy import ConflictPolicy, Policy
from tests.engine.faults import FAST, Line, Program, fingerprint, learn, recover, thawed, with_rows
from tests.engine.faultworld import Back, QuickWorld, Serve, quickly
from tests.engine.kit import EngineSettings, FakeClock, World
from tests.engine.programs import people, prepared, scratch

# -- V14: swapping the two systems mirrors the result ------------------------------------------------------

#: A shared field as both systems call it: (kind, Ajera's table and column, the CRM's).
SHARED = {
    "name": (Kind.FIRM, "clients", "Description", "firm", "Name"),
    "website": (Kind.FIRM, "clients", "Website", "firm", "WebSite"),
    "title": (Kind.CONTACT, "contacts", "Title", "contact", "Title"),
    "mail": (Kind.CONTACT, "contacts", "Email", "contact", "Email"),
    "middle": (Kind.CONTACT, "contacts", "MiddleName", "contact", "MiddleName"),
}
MIRROR = {ConflictPolicy.AJERA: ConflictPolicy.CRM, ConflictPolicy.CRM: ConflictPolicy.AJERA}
Step = tuple[str, Side, str]


@pytest.fixture(scope="module")
def root() -> Iterator[Path]:
    folder = Path(scratch())
    with quickly():
        yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def programs(root: Path) -> dict[str, Program]:
    return asyncio.run(prepared(root))


def _script(rng: random.Random) -> list[list[Step]]:
    """Two days of edits: which field, on which side, what."""
    values = ("one", "two", "three", "")
    return [
        [
            (name, rng.choice(list(Side)), f"{value}.example" if value else ("x" if name == "name" else ""))
            for name in rng.sample(sorted(SHARED), rng.randint(1, 4))
            for value in rng.sample(values, rng.randint(1, 2))
        ]
        for _ in range(2)
    ]


def _edit(world: World, step: Step) -> None:
    name, side, value = step
    _, ours, column, theirs, crm_column = SHARED[name]
    link = next(each for each in world.service.links() if each.kind is SHARED[name][0])
    if side is Side.AJERA:
        world.ajera_edit(ours, int(link.ajera_key), **{column: value})
    else:
        world.crm_edit(theirs, link.crm_key, **{crm_column: value})


def _held(world: World) -> dict[Side, dict[str, str]]:
    found: dict[Side, dict[str, str]] = {Side.AJERA: {}, Side.CRM: {}}
    for name, (kind, ours, column, theirs, crm_column) in SHARED.items():
        link = next(each for each in world.service.links() if each.kind is kind)
        found[Side.AJERA][name] = world.ajera.tables[ours][int(link.ajera_key)][column]
        found[Side.CRM][name] = world.crm.get(theirs, link.crm_key)[crm_column]
    return found


async def _played(
    program: Program, folder: Path, script: list[list[Step]], policy: ConflictPolicy
) -> tuple[dict[Side, dict[str, str]], list[Any]]:
    rules = Policy(team_since_weeks=1, conflicts={"default": policy})
    world = thawed(program.start, folder, Line(), settings=EngineSettings(rules))
    for day in script:
        for step in day:
            _edit(world, step)
        await world.run()
    await recover(world)
    conflicts = sorted((item.field, item.ajera, item.crm) for item in world.service.conflicts())
    held = _held(world)
    world.service.store.close()
    return held, conflicts


@pytest.mark.parametrize("policy", [ConflictPolicy.ASK, ConflictPolicy.AJERA, ConflictPolicy.CRM])
async def test_swapping_the_two_systems_mirrors_the_result(
    programs: dict[str, Program], root: Path, policy: ConflictPolicy
) -> None:
    rng = random.Random(14)
    for _ in range(12):
        script = _script(rng)
        swapped = [[(name, side.other, value) for name, side, value in day] for day in script]
        held, conflicts = await _played(programs["crm_edit"], root / "case", script, policy)
        mirrored, reflected = await _played(programs["crm_edit"], root / "case", swapped, MIRROR.get(policy, policy))
        assert mirrored == {side: held[side.other] for side in Side}, script
        assert reflected == sorted((name, crm, ajera) for name, ajera, crm in conflicts), script


# -- V15: order decides nothing ----------------------------------------------------------------------------


class Shuffled(Line):
    """A line on which every list comes in another order."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.rng = random.Random(seed)

    def wire(self, side: Side, serve: Serve) -> Serve:
        inner = super().wire(side, serve)
        if side is Side.CRM:  # asked for by key, and read page by page: an order of its own is a fault, not a freedom
            return inner

        async def call(sent: Any) -> Back:
            back = await inner(sent)
            return with_rows(back, lambda rows: self.rng.sample(rows, len(rows)))

        return call


@pytest.mark.parametrize("name", ["first", "edits", "crossed", "new_project"])
@pytest.mark.parametrize("seed", range(3))
async def test_the_order_of_lists_decides_nothing(
    programs: dict[str, Program], root: Path, name: str, seed: int
) -> None:
    program = programs[name]
    if not program.points:
        await learn(program, root / "learn")
    world = thawed(program.start, root / "case", Shuffled(seed))
    world.width = 1 + seed  # how many records are written side by side
    world.service.runner.rules.width = world.width
    if seed == 2:  # as the installed program: what is stored is stored in a thread, and others go on meanwhile
        world.service.runner.off_loop = world.service.runner.puller.off_loop = OneThread()
    await program.people(world)
    await world.run()
    await recover(world)
    assert fingerprint(world) == program.end
    world.service.store.close()


# -- V18: the servers' clocks may be wrong by any constant ---------------------------------------------------


class Skewed(FakeClock):
    """Ajera, the CRM and this machine each live at another time."""

    def __init__(self, ajera: timedelta, crm: timedelta) -> None:
        super().__init__()
        self.off = {Side.AJERA: ajera, Side.CRM: crm}

    def of(self, side: Side) -> Any:
        return lambda: self.server() + self.off[side]


class SkewedWorld(World):
    """Both servers by their own clocks."""

    def serve(self) -> None:
        from core.sandbox.ajera.app import ajera_app
        from core.sandbox.crm.app import crm_app

        assert isinstance(self.clock, Skewed)
        clocks: Mapping[Side, Any] = {side: self.clock.of(side) for side in Side}
        self.ajera.clock, self.crm.clock = clocks[Side.AJERA], clocks[Side.CRM]
        self.ajera_app = ajera_app(self.ajera, self.quirks[0], rate=0, clock=clocks[Side.AJERA])
        self.crm_app = crm_app(self.crm, self.quirks[1], clock=clocks[Side.CRM])


SKEWS = [(0, 0), (3 * 86400, 0), (0, -5 * 3600), (-400, 400), (90 * 86400, -90 * 86400), (-3600, 7)]


async def test_a_server_whose_clock_is_wrong_by_a_constant_changes_nothing(root: Path) -> None:
    from tests.engine.programs import edits

    ends = []
    for place, (ajera, crm) in enumerate(SKEWS):
        clock = Skewed(timedelta(seconds=ajera), timedelta(seconds=crm))
        world = SkewedWorld(root / f"skew{place}", settings=EngineSettings(FAST), clock=clock)
        people(world)
        for _ in range(3):
            await world.run()
        await edits(world)
        await world.run()
        await recover(world)
        ends.append(fingerprint(world))
        await world.close()
    for skew, end in zip(SKEWS, ends, strict=True):
        assert end == ends[0], skew


# -- V19: a run taken back -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["crm_edit", "ajera_edit", "crossed", "project_edit", "clear", "retired", "edits"])
async def test_after_an_undo_what_nobody_touched_is_as_before_and_nothing_is_written(
    programs: dict[str, Program], root: Path, name: str
) -> None:
    """Values that the run wrote are those from before; what people typed stands where they typed it."""
    world = thawed(programs[name].start, root / "case", Line())
    await programs[name].people(world)
    typed = fingerprint(world)
    done = await world.run()
    assert world.writes()
    await world.service.undo(done.id)
    after = fingerprint(world)
    if name != "edits":  # there records were made, which an undo sets inactive
        assert _systems(after) == _systems(typed)
    writes = world.writes()
    for _ in range(3):
        await world.run()
    assert world.writes() == writes
    world.service.store.close()


def _systems(end: Mapping[str, Any]) -> dict[str, Any]:
    """What both systems hold. A project's name stands in LongName, or in Name where that is blank."""
    found = {part: end[part] for part in end if part.startswith(("ajera", "crm"))}
    found["crm projects"] = [(key, long or name, *rest) for key, name, long, *rest in end["crm projects"]]
    return found


def test_the_quick_world_is_a_world() -> None:
    assert issubclass(QuickWorld, World)
