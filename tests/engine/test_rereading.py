"""A sweep tells rows alike by their bytes: what is the same is not read again, and nothing that moved is missed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from core.ajera.skim import print_of, skimmed
from core.ajera.system import AjeraSystem
from core.model.values import Kind, Side
from core.policy import Policy
from core.ports import Reread
from tests.engine.kit import EngineSettings, World, crm_firm, quiesce

SALT = b"salt"


class Read:
    """How many clients a sweep made records of."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.count, real = 0, AjeraSystem.reread

        async def reread(
            system: AjeraSystem, kind: Kind, keys: Sequence[str], known: Mapping[str, str], of: str
        ) -> Reread:
            found = await real(system, kind, keys, known, of)
            self.count += len(found.records) if kind is Kind.FIRM else 0
            return found

        patch.setattr(AjeraSystem, "reread", reread)

    async def by_sweep(self, world: World) -> int:
        await quiesce(world)
        self.count = 0
        await world.run(sweep=True)
        return self.count


async def test_a_sweep_reads_what_moved_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(tmp_path)
    keys = [crm_firm(world.crm, f"Firm {n}", AjeraSync="Y") for n in range(3)]
    read = Read(monkeypatch)
    assert await read.by_sweep(world) == 3  # made here: no row of theirs was seen by a sweep
    assert await read.by_sweep(world) == 0
    await world.restart()
    assert await read.by_sweep(world) == 0

    # A child row that moves no stamp is found.
    client = world.ajera.tables["clients"][world.link(Kind.FIRM, keys[1])]
    client["Website"] = "https://moved.example"
    assert await read.by_sweep(world) == 1
    assert world.crm.tables["firm"][keys[1]]["WebSite"] == "https://moved.example"
    assert await read.by_sweep(world) == 0

    # What changed the record here makes its print void; other rules make all of them void.
    world.crm_edit("firm", keys[2], WebSite="https://typed.example")
    assert await read.by_sweep(world) == 1
    world.settings.rules = replace(Policy(), totals_age_hours=world.settings.rules.totals_age_hours + 1)
    await world.restart()
    assert await read.by_sweep(world) == 3
    assert await read.by_sweep(world) == 0
    await world.close()


async def test_a_print_holds_for_the_record_it_was_noted_with(tmp_path: Path) -> None:
    world = World(tmp_path, settings=EngineSettings())
    crm_firm(world.crm, "Firm", AjeraSync="Y")
    await quiesce(world)
    await world.run(sweep=True)
    store = world.service.store
    (record,) = list(store.scan(Kind.FIRM, Side.AJERA))
    keys = [record.key, "999"]
    assert store.prints(Kind.FIRM, Side.AJERA, keys).keys() == {record.key}
    with store.transaction() as tx:
        tx.put_records([replace(record, name="Another")])
    assert not store.prints(Kind.FIRM, Side.AJERA, keys)
    with store.transaction() as tx:
        tx.put_records([record])
        tx.put_prints(Kind.FIRM, Side.AJERA, {record.key: "p", "999": "q"})
    assert store.prints(Kind.FIRM, Side.AJERA, keys) == {record.key: "p"}
    with store.transaction() as tx:
        tx.drop_record(Kind.FIRM, Side.AJERA, record.key)
    assert not store.prints(Kind.FIRM, Side.AJERA, keys)
    await world.close()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b'{"a":1.5}', b'{"a":1.25}'),
        (b'{"a":0.1}', b'{"a":0.10000000000000001}'),
        (b'{"a":12345678901234567.5}', b'{"a":12345678901234567.25}'),
        (b'{"a":1e-400}', b'{"a":2e-400}'),
        (b'{"a":[1.0000000000000001]}', b'{"a":[1.0]}'),
        (b'{"a":1}', b'{"a":"1"}'),
        (b'{"a":true}', b'{"a":1}'),
        (b'{"a":"\\ud800"}', b'{"a":"\\ud801"}'),
        (b'{"a":null}', b"{}"),
        (b'{"a":{"b":""}}', b'{"a":{"b":" "}}'),
    ],
)
def test_two_rows_that_differ_never_have_one_print(one: bytes, other: bytes) -> None:
    found = [skimmed(one), skimmed(other)]
    prints = {print_of(row, SALT) for row in found if row is not None}
    assert len(prints) == sum(row is not None for row in found)
    assert print_of({"a": 1}, b"x") != print_of({"a": 1}, b"y")
