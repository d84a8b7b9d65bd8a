"""Edits as people make them: real, told truthfully, the same for the same seed, never against the systems' rules."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from core.sandbox.ajera.data import AjeraData
from core.sandbox.crm.data import CrmData
from core.sandbox.life import Edit, Life
from core.sandbox.seed import seed

NOW = datetime(2026, 3, 4, 15, 30, tzinfo=UTC)


class Ticking:
    """A clock that moves by a second each time it is read."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


def lively(number: int = 1, **counts: int) -> tuple[AjeraData, CrmData, Life]:
    clock = Ticking()
    ajera, crm = AjeraData(clock), CrmData(clock)
    seed(ajera, crm, **counts)
    return ajera, crm, Life(ajera, crm, 60, number, clock)


def test_same_seed_same_edits() -> None:
    first, second, other = lively(4), lively(4), lively(5)
    edits = [[world[2].step() for _ in range(120)] for world in (first, second, other)]
    assert edits[0] == edits[1]
    assert edits[0] != edits[2]
    assert json.dumps(first[0].to_json()) == json.dumps(second[0].to_json())
    assert json.dumps(first[1].to_json()) == json.dumps(second[1].to_json())


def test_every_edit_is_told_as_it_was_made() -> None:
    ajera, crm, life = lively()
    seen: Counter[str] = Counter()
    for _ in range(400):
        edit = life.step()
        assert edit is not None
        json.dumps(edit)
        seen[f"{edit['side']}: {edit['what']}"] += 1
        if edit["what"] == "posted time":
            continue
        data = (
            ajera.get(edit["table"], int(edit["key"]))
            if edit["side"] == "ajera"
            else crm.get(edit["table"], edit["key"])
        )
        for name, value in edit["changes"].items():
            stored = data[name]
            assert str(stored)[:10] == value if "Date" in name else stored == value or str(stored) == value, (
                edit,
                name,
            )
    for what in (
        "ajera: posted time",
        "ajera: renamed a client",
        "ajera: added a project",
        "ajera: changed a project's status",
        "crm: ticked a firm",
        "crm: ticked a project",
        "crm: added a contact",
        "crm: moved a firm",
    ):
        assert seen[what], what


def test_an_edit_moves_the_stamp_but_posting_time_does_not() -> None:
    ajera, crm, life = lively()
    for _ in range(200):
        stamps = {k: p["LastModifiedDate"] for k, p in ajera.tables["projects"].items()}
        edit = life.step()
        assert edit is not None
        if edit["side"] == "ajera" and edit["table"] == "projects":
            key = int(edit["key"])
            moved = ajera.tables["projects"][key]["LastModifiedDate"] != stamps.get(key)
            assert moved is (edit["what"] != "posted time")
        elif edit["side"] == "crm":
            assert crm.get(edit["table"], edit["key"])["ModDate"].startswith("2026-03-04T")


def test_the_rules_of_both_systems_hold_after_many_edits() -> None:
    ajera, crm, life = lively(firms=20, contacts=60, projects=20, employees=6)
    for _ in range(600):
        life.step()
    people = Counter(
        f"{c['FirstName']}|{c['MiddleName']}|{c['LastName']}".casefold() for c in ajera.tables["contacts"].values()
    )
    assert max(people.values()) == 1
    ticked = Counter(c["ClientID"] for c in crm.tables["contact"].values() if c["AjeraSync"] == "Y")
    assert max(ticked.values()) <= 5
    assert all(len(p["Description"]) <= 80 for p in ajera.tables["projects"].values())
    for table in ("firm", "contact", "project", "address"):
        columns = crm.columns(table)
        for row in crm.tables[table].values():
            assert not [n for n, v in row.items() if columns[n].size and len(str(v)) > columns[n].size]


def test_empty_systems_get_their_first_records() -> None:
    _, _, life = lively(firms=0, contacts=0, projects=0, employees=0)
    assert all(life.step() for _ in range(20))


async def test_run_keeps_its_pace_until_cancelled() -> None:
    _, _, life = lively()
    waits: list[float] = []
    seen: list[Edit] = []
    enough = asyncio.Event()

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(seen) >= 50:
            enough.set()
        await asyncio.sleep(0)

    task = asyncio.create_task(life.run(seen.append, sleep))
    await asyncio.wait_for(enough.wait(), 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert life.steps == len(seen) >= 50
    assert all(0.8 <= wait <= 1.2 for wait in waits)


async def test_no_pace_no_life() -> None:
    ajera, crm, _ = lively(firms=4, contacts=8, projects=4, employees=3)
    life = Life(ajera, crm, 0)
    await life.run()
    assert life.steps == 0
