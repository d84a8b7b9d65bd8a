"""`undo` on the command line, over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.cli_kit import World, open_world


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    yield from open_world(tmp_path, employees=0, firms=16, contacts=0, projects=0)


def run_that_made_firms(world: World) -> str:
    world.call("plan")
    waiting = [row for row in world.rows("firm") if row["ajera_key"] is None and row["state"] == "unmarked"]
    assert world.call("mark", "firm", *(row["crm_key"] for row in waiting)).code == 0
    assert world.call("run").code in (0, 1)
    run = world.call("history", "--json").json[0]
    assert run["counts"]["create"] >= 1
    return str(run["id"])


def test_a_dry_run_then_the_undo_then_nothing_left(world: World) -> None:
    run = run_that_made_firms(world)
    clients = dict(world.sandbox.ajera.tables["clients"])
    dry = world.call("undo", run, "--dry-run", "--json")
    assert dry.code == 0, dry.err
    assert dry.json["run"] is None
    made = [a["ajera_key"] for a in dry.json["plan"]["actions"] if a["group"] == "status"]
    assert made
    assert all(clients[int(key)]["Status"] == "Active" for key in made)
    done = world.call("undo", run, "--json")
    assert done.code in (0, 1), done.err
    assert (done.json["run"]["trigger"], done.json["run"]["outcome"]) == ("undo", "ok")
    assert done.json["plan"]["digest"] == dry.json["plan"]["digest"]
    assert all(world.sandbox.ajera.tables["clients"][int(key)]["Status"] == "Inactive" for key in made)
    again = world.call("undo", run, "--json")
    assert again.json["plan"]["actions"] == []
    assert again.json["run"] is None


def test_what_is_printed_names_the_records_and_the_run(world: World) -> None:
    run = run_that_made_firms(world)
    said = world.call("undo", run)
    assert "Active → Inactive" in said.out
    assert "outcome" in said.out
    assert f"undo of run {run}" in world.call("history", world.call("history", "--json").json[0]["id"]).out


def test_an_unknown_run_is_wrong_usage(world: World) -> None:
    said = world.call("undo", "nonsense")
    assert said.code == 2
    assert "there is no run 'nonsense'" in said.err
