"""Whatever goes wrong at whatever point: the next runs come to the end that was meant.

A sample of the points and kinds of faults runs with every test run; AJERASYNC_FAULTS=all runs every one of the fixed
programs, and AJERASYNC_FAULTS=N every N-th. Cases are the same in every run. `make faults CASES=…` runs as many as one
likes (longrun.py).
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from core.errors import StoreUnwritable
from core.model.values import Kind, Side
from tests.engine import longrun, quick, randoms
from tests.engine.faults import (
    DIE_AFTER,
    DIE_BEFORE,
    NAMES,
    REPLACED,
    Line,
    Program,
    Struck,
    case,
    cases,
    differences,
    fingerprint,
    learn,
    recover,
    start_again,
    strike,
    thawed,
    told,
)
from tests.engine.faultworld import Back, Call, QuickWorld, Serve, put_files, quickly
from tests.engine.kit import World
from tests.engine.programs import ONE_ACT, found, prepared, scratch

STEP = {"": 3, "all": 1}  # of all cases of the fixed programs
CHUNKS = 4  # of a program's cases, so that several processes can share them
RANDOM, OF_EACH, SHARES = 60, 20, 4  # random programs, cases of each, and tests that share them
ORDINARY = 5_000  # cases at least with every test run
LARGE, SMALL = ("first", "edits", "deletion"), tuple(act.__name__ for act in ONE_ACT)


def step() -> int:
    asked = os.environ.get("AJERASYNC_FAULTS", "")
    return STEP.get(asked) or int(asked)


@pytest.fixture(scope="module")
def root() -> Iterator[Path]:
    folder = Path(scratch())
    with quickly():
        yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def programs(root: Path) -> dict[str, Program]:
    return asyncio.run(prepared(root))


@pytest.fixture
async def learned(programs: dict[str, Program], root: Path) -> dict[str, Program]:
    """Programs are learned when they are first asked for: each process runs some of them."""
    for name in ("edits",):
        await known(programs[name], root)
    return programs


async def known(program: Program, root: Path) -> Program:
    if not program.points:
        await learn(program, root / "learn")
    return program


async def run_cases(program: Program, wanted: list[tuple[int, str]], root: Path) -> None:
    wrong = {}
    for at, kind in wanted:
        if bad := await case(program, at, kind, root / "case"):
            wrong[told(program, at, kind)] = bad
    assert wrong == {}


@pytest.mark.timeout(0)
@pytest.mark.parametrize("chunk", range(CHUNKS))
@pytest.mark.parametrize("name", LARGE)
async def test_after_a_fault_the_end_is_that_of_a_run_without(
    programs: dict[str, Program], root: Path, name: str, chunk: int
) -> None:
    program = await known(programs[name], root)
    await run_cases(program, cases(program)[chunk :: CHUNKS * step()], root)


@pytest.mark.timeout(0)
@pytest.mark.parametrize("name", SMALL)
async def test_after_a_fault_in_a_single_act_too(programs: dict[str, Program], root: Path, name: str) -> None:
    program = await known(programs[name], root)
    await run_cases(program, cases(program)[len(name) % step() :: step()], root)


@pytest.mark.timeout(0)
@pytest.mark.parametrize("share", range(SHARES))
async def test_after_a_fault_in_a_random_day_too(root: Path, share: int) -> None:
    at_rest = await randoms.office_in_step(root)
    for number in range(share, RANDOM, SHARES):
        program = await known(randoms.program(number, at_rest), root)
        await run_cases(program, randoms.some_cases(program, number, OF_EACH), root)


@pytest.mark.timeout(0)
async def test_an_entry_that_was_to_come_off_a_list_is_not_taken_for_gone(
    programs: dict[str, Program], root: Path
) -> None:
    """An edit of a list that only takes off had once "landed" because there was nothing in it to be added."""
    program = await known(programs["moves"], root)
    near = [(at, kind) for at, kind in cases(program) if kind in (DIE_BEFORE, DIE_AFTER) and at > 25]
    await run_cases(program, near, root)


async def test_the_programs_have_points_of_every_sort(programs: dict[str, Program], root: Path) -> None:
    all_of_them = [await known(program, root) for program in programs.values()]
    points = [point for program in all_of_them for point in program.points]
    assert {point.where for point in points} == {"ajera", "crm", "store"}
    assert len([point for point in points if point.write]) >= 30
    fixed = sum(len(cases(program)) for program in all_of_them)
    assert fixed > 12_000
    assert fixed // STEP[""] + RANDOM * OF_EACH >= ORDINARY


async def test_a_disk_too_full_for_the_runs_own_record_does_not_keep_the_next_run_from_starting(
    programs: dict[str, Program], root: Path
) -> None:
    """The same program goes on: it had once taken that run for one that is still going on, for ever."""
    program = await known(programs["crm_edit"], root)
    last = max(at for at, point in enumerate(program.points) if point.where == "store")
    world = thawed(program.start, root / "case", line := Line(at=last, kind="full"))
    await program.people(world)
    line.on = True
    with pytest.raises(StoreUnwritable):
        await world.run()
    line.heal()
    await recover(world)
    assert fingerprint(world) == program.end
    world.service.store.close()


def test_random_days_differ_and_stay_the_same() -> None:
    days = [randoms.drawn(number) for number in range(500)]
    assert days == [randoms.drawn(number) for number in range(500)]
    assert {act for day in days for act in day} == set(randoms.ACTS)
    assert len({tuple(act.__name__ for act in day) for day in days}) > 300


async def test_a_long_run_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    log = tmp_path / "faults.log"
    await longrun.one_worker(longrun.folder_logs(log, 60)[59], 60 * 20, 59, 60)  # no fixed program is this worker's
    first = longrun.folder_logs(log, 60)[59].read_bytes()
    await longrun.one_worker(longrun.folder_logs(log, 60)[59], 60 * 90, 59, 60)
    tally = longrun.Tally.of(longrun.folder_logs(log, 60))
    assert longrun.folder_logs(log, 60)[59].read_bytes().startswith(first)
    assert (tally.cases, tally.failed) == (90, [])
    assert "90 cases of 3 programs, 0 failed" in longrun.table(tally)


# -- the quick way is the way ---------------------------------------------------------------------------


async def test_without_httpx_in_between_a_server_is_sent_the_same_and_answers_the_same(
    programs: dict[str, Program], root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = []
    for httpx in (False, True):
        monkeypatch.setattr(QuickWorld, "httpx", httpx)
        with quick.as_it_is() if httpx else nullcontext():
            line = Heard()
            world = thawed(programs["edits"].start, root / "case", line)
            await programs["edits"].people(world)
            await world.run()
            await recover(world)
            ends.append((line.sent, fingerprint(world), world.service.runs()[0].requests))
            world.service.store.close()
    assert len(ends[0][0]) > 50
    assert ends[0] == ends[1]


class Heard(Line):
    """A line that keeps what a server is sent; tokens are random, and left out."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[tuple[object, ...]] = []

    def wire(self, side: Side, serve: Serve) -> Serve:
        call = super().wire(side, serve)

        async def listening(asked: Call) -> Back:
            content = re.sub(rb"[0-9a-f]{8}-[0-9a-f-]{27}|refresh_token=[^&]+", b"token", asked.content)
            headers = [asked.header(name) for name in (b"content-type", b"accept", b"dvp-postasget", b"host")]
            self.sent.append((side, asked.method, asked.path, asked.query, content, *headers))
            back: Back = await call(asked)
            return back

        return listening


# -- people go on working before the program is started again ------------------------------------------

CRASHES = frozenset({DIE_BEFORE, DIE_AFTER, "lost", "truncated", "html_after"})


def crashes(program: Program, kinds: frozenset[str] = CRASHES) -> list[tuple[int, str]]:
    """Around writes and commits only."""
    return [
        (at, kind)
        for at, kind in cases(program)
        if kind in kinds and (program.points[at].write or program.points[at].where == "store")
    ]


async def types_again(world: World) -> None:
    """The same person, on the same side, over her own words of before."""
    crm, ajera = world.crm, world.ajera
    world.clock.forward(minutes=1)
    crm.edit("firm", found(crm, "firm", Name="Acme Supply Co."), {"Name": "Acme Typed Later"})
    (person,) = [key for key, c in ajera.tables["contacts"].items() if c["LastName"] == "Archer"]
    ajera.edit("contacts", person, {"Title": "Typed Later"})


def typed_again_is_there(world: World) -> object:
    firms = {row["Name"] for row in world.crm.tables["firm"].values()}
    clients = {row["Description"] for row in world.ajera.tables["clients"].values()}
    titles = {c["Title"] for c in (*world.ajera.tables["contacts"].values(), *world.crm.tables["contact"].values())}
    conflicts = [c.field for c in world.service.conflicts()]
    good = (
        "Acme Typed Later" in firms & clients
        and not {"Acme Supply Co.", "Acme Supplies"} & (firms | clients)
        and "Typed Later" in titles
        and "Director" not in titles
        and "Owner" not in titles
        and conflicts == ["website"]
    )
    return None if good else (sorted(firms), sorted(clients), sorted(titles), conflicts)


@pytest.mark.timeout(0)
async def test_words_typed_after_a_crash_travel_and_start_no_false_conflict(
    learned: dict[str, Program], root: Path
) -> None:
    program = learned["edits"]
    wrong = {}
    unreadable = [each for each in crashes(program, frozenset({"truncated"})) if program.points[each[0]].where == "crm"]
    for at, kind in [*unreadable, *crashes(program)[:: max(1, step() // 2)]]:
        world = await strike(program, at, kind, root / "case", types_again)
        if bad := typed_again_is_there(world):
            wrong[told(program, at, kind)] = bad
        world.service.store.close()
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
    learned: dict[str, Program], root: Path
) -> None:
    program = learned["edits"]
    wrong = {}
    for at, kind in crashes(program)[1 :: max(1, step() // 2)]:
        person = OtherSide()
        world = await strike(program, at, kind, root / "case", person)
        firms = {row["Name"] for row in world.crm.tables["firm"].values()}
        clients = {row["Description"] for row in world.ajera.tables["clients"].values()}
        asked = {(c.ajera, c.crm) for c in world.service.conflicts() if c.field == "name"}
        conflict = asked == {("Typed in Ajera", "Acme Supply Co.")}
        taken = "Typed in Ajera" in firms and person.saw == "Acme Supply Co."
        if "Typed in Ajera" not in clients or not (conflict or taken):
            wrong[told(program, at, kind)] = (person.saw, sorted(firms), sorted(clients), asked)
        world.service.store.close()
    assert wrong == {}


@pytest.mark.timeout(0)
async def test_words_typed_into_a_new_record_whose_answer_was_lost_are_not_taken_for_the_systems_own(
    programs: dict[str, Program], root: Path
) -> None:
    """They had stood as "rewritten by crm": apart for good, and nobody was told."""
    program = await known(programs["to_crm"], root)

    async def types(world: World) -> None:
        world.crm.edit("firm", found(world.crm, "firm", Name="Only in Ajera"), {"WebSite": "typed.later.example"})

    (at,) = [at for at, point in enumerate(program.points) if point.write and point.what == "POST firm"]
    for kind in ("lost", DIE_AFTER):
        world = await strike(program, at, kind, root / "case", types)
        told_of = [(item.field, item.ajera, item.crm) for item in world.service.conflicts()]
        assert told_of == [("website", "www.only.example", "typed.later.example")]
        world.service.store.close()


@pytest.mark.timeout(0)
async def test_a_plan_after_a_crash_sends_nothing_and_the_run_after_it_ends_what_was_begun(
    programs: dict[str, Program], root: Path
) -> None:
    """What follows a project's creation had been sent by the plan that found it."""
    program = await known(programs["new_project"], root)
    at = next(at for at, point in enumerate(program.points) if point.what == "CreateProjects")

    async def looks(world: World) -> None:
        start_again(world)
        before = world.writes()
        await world.service.make_plan()
        assert world.writes() == before

    for kind in (DIE_AFTER, "lost"):
        world = await strike(program, at, kind, root / "case", looks)
        assert differences(program, world, kind) == {}
        world.service.store.close()


@pytest.mark.timeout(0)
async def test_what_a_look_finds_out_about_an_interrupted_write_stands_with_the_run_that_sent_it(
    programs: dict[str, Program], root: Path
) -> None:
    """A plan settles what an earlier run left open: it had stood in the history of a run that there never was."""
    program = await known(programs["new_contact"], root)
    at = next(at for at, point in enumerate(program.points) if point.write)

    async def looks(world: World) -> None:
        start_again(world)
        await world.service.make_plan()

    world = await strike(program, at, DIE_AFTER, root / "case", looks)
    assert differences(program, world, DIE_AFTER) == {}
    world.service.store.close()


@pytest.mark.timeout(0)
async def test_an_interrupted_write_to_a_pair_of_which_one_is_gone_is_let_go(
    programs: dict[str, Program], root: Path
) -> None:
    """It had been asked about with every run from then on."""
    program = await known(programs["crossed"], root)
    at = next(at for at, point in enumerate(program.points) if point.what == "UpdateContacts")

    async def goes(world: World) -> None:
        (person,) = world.ajera.tables["contacts"]
        world.ajera.edit("contacts", person, {"Title": "Typed Later"})
        world.crm.delete("contact", found(world.crm, "contact", LastName="Archer"))

    world = await strike(program, at, DIE_AFTER, root / "case", goes)
    await recover(world, sweep=True)
    await recover(world)
    assert not world.service.store.intents()
    assert world.ajera.tables["contacts"][min(world.ajera.tables["contacts"])]["Title"] == "Typed Later"
    world.service.store.close()


# -- the store is older than the world -----------------------------------------------------------------


async def finished(program: Program, folder: Path) -> Struck:
    world = thawed(program.start, folder, Line())
    await program.people(world)
    await world.run()
    await recover(world)
    await world.close()
    return world


async def test_an_older_copy_of_the_store_leads_to_matches_and_never_to_duplicates(
    learned: dict[str, Program], root: Path
) -> None:
    program = learned["edits"]
    world = await finished(program, root / "case")
    put_files(root / "case", program.start.store)
    world.service = world.program()
    await recover(world)
    end = fingerprint(world)
    assert {name: end[name] for name in end if end[name] != program.end[name]} == {}
    world.service.store.close()


async def test_a_lost_store_is_rebuilt_from_both_systems(learned: dict[str, Program], root: Path) -> None:
    program = learned["edits"]
    world = await finished(program, root / "case")
    put_files(root / "case", {})
    world.service = world.program()
    await recover(world)
    end = fingerprint(world)
    systems = [name for name in end if name.startswith(("ajera", "crm"))]
    assert {name: end[name] for name in systems} == {name: program.end[name] for name in systems}
    # Contacts that are not ticked any more are not looked for.
    assert set(program.end["links"]) - set(end["links"]) == {("contact", "Baker", "Baker")}
    assert end["conflicts"] == program.end["conflicts"]
    world.service.store.close()


async def test_the_same_fault_gives_the_same_trace_twice(learned: dict[str, Program], root: Path) -> None:
    program = learned["edits"]
    at = next(n for n, point in enumerate(program.points) if point.write)
    ends = []
    for _ in range(2):
        world = await strike(program, at, "lost", root / "case")
        writes = [(w.table, w.key, w.op, dict(w.after)) for w in world.crm_writes()]
        calls = [(e.method, e.args) for e in world.ajera_app.state.ledger]
        ends.append((fingerprint(world), writes, calls))
        world.service.store.close()
    assert ends[0] == ends[1]


def test_kinds_of_record_and_of_loss_are_all_in_the_oracle() -> None:
    assert set(NAMES) == set(Kind)
    assert {"torn", "torn_log", "older", "lost_store"} == REPLACED
