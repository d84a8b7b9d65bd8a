"""What is not an error and yet not true: wrong bases, values that a server writes otherwise, pages that move."""

from __future__ import annotations

import asyncio
import random
import shutil
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import orjson
import pytest

from core.engine.pull import refuse_short_list
from core.errors import ListNotTrusted
from core.model.link import Pair
from core.model.values import Kind, Side
from core.policy import Guards
from tests.engine.faults import (
    Line,
    Point,
    Program,
    fingerprint,
    learn,
    no_deletes,
    nothing_lost,
    recover,
    thawed,
    watched,
    with_rows,
)
from tests.engine.faultworld import Back, Call, Serve, quickly
from tests.engine.kit import World, crm_firm
from tests.engine.programs import found, prepared, scratch


@pytest.fixture(scope="module")
def root() -> Iterator[Path]:
    folder = Path(scratch())
    with quickly():
        yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def programs(root: Path) -> dict[str, Program]:
    return asyncio.run(prepared(root))


# -- V16: a base that is wrong, or not there ---------------------------------------------------------------


def spoil(world: World, rng: random.Random) -> int:
    """Some pairs are dropped, some changed to what nobody typed, some swapped; how many."""
    store, spoilt = world.service.store, 0
    with store.transaction() as tx:
        for kind in Kind:
            for link in [each for each in store.links().by_ajera.values() if each.kind is kind]:
                for name, pair in store.base(link).items():
                    if not isinstance(pair.ajera, str) or rng.random() < 0.3:
                        continue
                    spoilt += 1
                    wrong = rng.choice([Pair("never typed", pair.crm), Pair(pair.ajera, "never typed"), None])
                    if wrong is None:
                        tx.drop_base(link, [name])
                    else:
                        tx.put_base(link, {name: pair._replace(ajera=wrong.ajera, crm=wrong.crm)})
    return spoilt


@pytest.mark.parametrize("name", ["edits", "crossed", "conflict", "project_edit"])
@pytest.mark.parametrize("seed", range(4))
async def test_wrong_bases_lead_to_questions_and_never_to_a_lost_value(
    programs: dict[str, Program], root: Path, name: str, seed: int
) -> None:
    program = programs[name]
    if not program.points:
        await learn(program, root / "learn")
    world = thawed(program.start, root / "case", Line())
    with watched(world, world.typed):
        await program.people(world)
    assert spoil(world, random.Random(seed)) > 3
    await world.run()
    await recover(world, sweep=True)
    assert nothing_lost(program, world) == {}
    assert no_deletes(world)
    world.service.store.close()


# -- a server that writes something else than it was sent --------------------------------------------------


def rewriting(world: World, change: Any) -> None:
    """The CRM's own rules for what comes through its API."""
    data, columns = world.crm, ("Name", "WebSite", "Title")
    insert, edit = data.insert, data.edit

    def ruled(row: dict[str, Any], via: str) -> dict[str, Any]:
        if via != "api":
            return row
        return {name: change(value) if name in columns and value else value for name, value in row.items()}

    data.insert = lambda table, row, **how: insert(table, ruled(row, how.get("via", "")), **how)  # type: ignore[method-assign]
    data.edit = lambda table, key, row, user="jsmith", *, via="person": edit(table, key, ruled(row, via), user, via=via)  # type: ignore[method-assign]


@pytest.mark.parametrize("change", [str.upper, lambda text: text[:6], lambda text: f" {text} ", lambda text: "default"])
@pytest.mark.parametrize("name", ["ajera_edit", "edits", "to_crm"])
async def test_a_value_that_the_crm_rewrites_is_not_sent_again_and_not_sent_back(
    programs: dict[str, Program], root: Path, name: str, change: Any
) -> None:
    world = thawed(programs[name].start, root / "case", Line())
    rewriting(world, change)
    await programs[name].people(world)
    sites = {row["Website"] for row in world.ajera.tables["clients"].values()}
    await world.run()
    await recover(world)
    writes = world.writes()
    for _ in range(3):
        await world.run()
    assert world.writes() == writes, "ping-pong"
    assert {row["Website"] for row in world.ajera.tables["clients"].values()} >= sites - {""}, "sent back"
    world.service.store.close()


# -- a list that moves while it is read ----------------------------------------------------------------------


class Pages(Line):
    """Somebody deletes the first record of a list, and adds one, between its pages."""

    act: Any = None

    def wire(self, side: Side, serve: Serve) -> Serve:
        inner = super().wire(side, serve)

        async def call(sent: Call) -> Back:
            back = await inner(sent)
            if side is Side.CRM and sent.method == "GET" and sent.path.endswith("/firm") and self.act is not None:
                act, self.act = self.act, None
                act()
            return back

        return call


@pytest.mark.parametrize("deletes", [True, False])
async def test_a_record_that_moves_between_pages_is_neither_missed_nor_unlinked(
    programs: dict[str, Program], root: Path, deletes: bool
) -> None:
    line = Pages()
    world = thawed(programs["crm_edit"].start, root / "case", line)
    names = [f"Firm {place}" for place in range(9)]
    for name in names:
        crm_firm(world.crm, name, WebSite=f"www.{name[-1]}.example", AjeraSync="Y")
    world.service.systems[Side.CRM]._client.page_size = 4  # type: ignore[attr-defined]
    first = min(world.crm.tables["firm"])
    spare = found(world.crm, "firm", Name="Fresh Firm")

    def meanwhile() -> None:
        if deletes:
            world.crm.delete("firm", spare)
        else:
            world.crm.insert("firm", {"Name": "Came Between", "ClientInd": "Y", "Status": "A"}, key="0" * 32)
        world.crm.edit("firm", first, {"WebSite": "first.example"})

    line.act = meanwhile
    await world.service.run(full=True, sweep=True)
    await recover(world, sweep=True)
    clients = [row["Description"] for row in world.ajera.tables["clients"].values()]
    assert [clients.count(name) for name in names] == [1] * 9
    assert clients.count("Acme Supplies") == 1
    assert not [link for link in world.service.links() if link.state == "gone"]
    world.service.store.close()


@pytest.mark.parametrize(
    ("found", "known", "short_percent", "refused"),
    [
        (0, 5, 50, True),  # empty is empty, whatever the setting
        (0, 5000, 0, True),
        (2, 5, 50, False),  # few: each absence is confirmed by its key
        (4, 11, 50, True),
        (6, 11, 50, False),
        (400, 1000, 50, True),
        (400, 1000, 30, False),  # after a great clean-up
        (1, 1000, 0, False),
    ],
)
def test_a_short_list_is_refused_by_a_share_that_can_be_set_and_of_few_by_their_keys_alone(
    found: int, known: int, short_percent: float, refused: bool
) -> None:
    guards = Guards(short_percent=short_percent)
    with pytest.raises(ListNotTrusted) if refused else nullcontext():
        refuse_short_list(Side.CRM, Kind.FIRM, found, known, guards)


# -- what a system shows less of than before ---------------------------------------------------------------


def without_website(point: Point, back: Back) -> Back:
    """As a CRM whose firms have no web site any more: neither in metadata nor in a record."""
    if point.where != "crm" or "firm" not in point.what:
        return back
    data = orjson.loads(back.body)
    if point.what.startswith("GET metadata"):
        for each in data.values():
            each["Fields"] = [field for field in each["Fields"] if field["FieldName"] != "WebSite"]
    else:
        for row in data if isinstance(data, list) else [data]:
            row.pop("WebSite", None)
    return back._replace(body=orjson.dumps(data))


async def test_a_field_that_vanishes_from_metadata_stops_that_field_alone_and_empties_nothing(
    programs: dict[str, Program], root: Path
) -> None:
    program, line = programs["crm_edit"], Line()
    await learn(program, root / "learn")
    world = thawed(program.start, root / "case", line)
    line.altered = without_website
    await program.people(world)
    await world.run(full=True)
    (client,) = [c for c in world.ajera.tables["clients"].values() if c["Description"] == "Acme Supply Co."]
    assert client["Website"] == "www.acme.example"
    assert "website" in str(world.service.status().health)
    line.altered = lambda _point, back: back
    await world.run(full=True)
    await recover(world)
    assert fingerprint(world) == program.end
    world.service.store.close()


@pytest.mark.parametrize("where", ["ajera", "crm"])
async def test_a_role_that_may_not_read_a_kind_any_more_ends_the_run_before_anything_is_written(
    programs: dict[str, Program], root: Path, where: str
) -> None:
    """Nothing is refused: the lists and the records by their keys are just empty."""
    program, line = programs["edits"], Line()
    world = thawed(program.start, root / "case", line)
    names = ("ListContacts", "GetContacts") if where == "ajera" else ("GET contact",)
    line.altered = lambda point, back: (
        with_rows(back, lambda _: []) if point.where == where and point.what.startswith(names) else back
    )
    await program.people(world)
    before = world.writes()
    with pytest.raises(ListNotTrusted):
        await world.run(sweep=True)
    assert world.writes() == before
    line.altered = lambda _point, back: back
    await recover(world, sweep=True)
    await learn(program, root / "learn")
    assert fingerprint(world) == program.end
    world.service.store.close()
