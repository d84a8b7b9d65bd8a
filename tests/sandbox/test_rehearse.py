"""Rehearsal: one sandbox plays the live systems, and nothing is written to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.sandbox.ajera.data import Change
from core.sandbox.folder import documents
from tests.unit.cli_kit import World, open_world


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    yield from open_world(tmp_path, employees=4, firms=12, contacts=24, projects=12)


def held(world: World) -> Any:
    """Everything both live systems hold."""
    files = documents(world.sandbox.ajera, world.sandbox.crm)
    return {name: document["data"] for name, document in files.items()}


def creates(plan: Any) -> list[tuple[str, str]]:
    return sorted((a["kind"], a["label"]) for a in plan["actions"] if a["op"] == "create")


def waiting_firms(world: World, count: int = 2) -> list[str]:
    """Firms that are in the CRM only and were ticked here."""
    assert world.call("plan", "--json").code in (0, 1)
    rows = [row for row in world.rows("firm") if row["ajera_key"] is None and row["state"] == "unmarked"]
    keys = [row["crm_key"] for row in rows[:count]]
    assert world.call("mark", "firm", *keys).code == 0
    return keys


def test_it_tells_what_the_next_run_would_do_and_writes_nothing_to_the_live_systems(world: World) -> None:
    waiting_firms(world)
    real = creates(world.call("plan", "--json").json)
    before, ledger = held(world), len(world.sandbox.crm.ledger)
    journal: list[Change]
    with world.sandbox.ajera.recording() as journal:
        said = world.call("rehearse", "--json")
    assert said.code in (0, 1), said.err
    assert held(world) == before
    assert (journal, len(world.sandbox.crm.ledger)) == ([], ledger)
    assert creates(said.json["plan"]) == real != []
    assert said.json["run"]["outcome"] in ("ok", "partial")
    assert said.json["run"]["counts"]["create"] >= len(real)


def test_the_rehearsed_run_is_the_one_that_follows(world: World) -> None:
    waiting_firms(world)
    assert world.call("run").code in (0, 1)
    waiting_firms(world)
    rehearsed = world.call("rehearse", "--json").json
    real = world.call("plan", "--json").json

    def said(plan: Any) -> list[Any]:
        return sorted((a["op"], a["kind"], a["side"] or "", a["label"], sorted(a["fields"])) for a in plan["actions"])

    assert said(rehearsed["plan"]) == said(real)
    assert creates(real)


def test_what_this_program_remembers_stays_as_it_is(world: World) -> None:
    waiting_firms(world)
    runs, rows = world.call("history", "--json").json, world.rows("firm")
    world.call("rehearse")
    assert world.call("history", "--json").json == runs
    assert world.rows("firm") == rows


def test_everything_mapped_is_the_same_in_the_copy_and_what_is_not_copied_is_said(world: World) -> None:
    said = world.call("rehearse", "--json")
    notes = said.json["not_copied"]
    assert [note for note in notes if "differs in the copy" in note] == []
    assert any("timesheets" in note for note in notes)
    assert any("not mapped" in note for note in notes)
    assert "Not copied:" in world.call("rehearse").out


def test_a_kept_copy_is_used_again_without_asking_the_live_systems(world: World, tmp_path: Path) -> None:
    waiting_firms(world)
    kept = tmp_path / "kept"
    first = world.call("rehearse", "--from-live", str(kept), "--json")
    assert first.code in (0, 1), first.err
    copied = {path.name: path.read_bytes() for path in (kept / "data").iterdir()}
    world.sandbox.crm.kill_sessions()
    world.sandbox.ajera.password = world.sandbox.crm.password = "changed"  # whoever asks now is refused
    again = world.call("rehearse", "--from-live", str(kept), "--json")
    assert again.code == first.code, again.err
    assert again.json["copied_at"] == first.json["copied_at"]
    assert again.json["plan"]["digest"] == first.json["plan"]["digest"]
    assert {path.name: path.read_bytes() for path in (kept / "data").iterdir()} == copied
    assert world.call("rehearse").code == 3


def test_the_copy_is_private_and_holds_no_pay_and_no_social_security_number(world: World, tmp_path: Path) -> None:
    secrets = {str(row["SocialSecurityNumber"]) for row in world.sandbox.ajera.tables["employees"].values()} - {""}
    assert secrets
    kept = tmp_path / "kept"
    world.call("rehearse", "--from-live", str(kept))
    assert (kept / "data").stat().st_mode & 0o777 == 0o700
    for path in kept.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path
        if path.is_file():
            text = path.read_bytes().decode("utf-8", "replace")
            assert not any(secret in text for secret in secrets), path
            assert world.sandbox.crm.client_secret == "sandbox-secret" or world.sandbox.crm.client_secret not in text


def test_a_folder_of_something_else_is_refused(world: World, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "letter.txt").write_text("dear")
    said = world.call("rehearse", "--from-live", str(other))
    assert said.code == 2
    assert "is not empty" in said.err
    assert [path.name for path in other.iterdir()] == ["letter.txt"]
