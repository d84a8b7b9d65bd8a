"""`doctor --probe` as a command, over real sockets: what it prints, what it refuses, what it sets."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from core.quirks.ajera import AjeraQuirks
from core.quirks.crm import CrmQuirks
from tests.unit.cli_kit import World, open_world, state_home

__all__ = ["state_home"]

QUIRKS = (
    "date_filter=day",
    "success_code=0",
    "null_properties=null",
    "missing_get=empty",
    "number_padding=6",
    "crm_hours=ignored",
)


@pytest.fixture(scope="module")
def world(state_home: Path) -> Iterator[World]:
    yield from open_world(state_home, firms=12, contacts=24, projects=8, employees=4, quirks=QUIRKS)


def held(world: World) -> tuple[str, int]:
    """All that Ajera holds, and how much was saved through the CRM's API so far."""
    return repr(world.sandbox.ajera.tables), sum(write.via == "api" for write in world.sandbox.crm.ledger)


def without_quirks(world: World, folder: Path) -> World:
    """The same sandbox, with settings that do not know its switches."""
    document = world.config.read_text(encoding="utf-8")
    for side in ("ajera", "crm"):
        head, _, rest = document.partition(f"[{side}.quirks]")
        document = head + "[" + rest.partition("\n[")[2] if rest else document
    config = folder / "config.toml"
    config.write_text(document, encoding="utf-8")
    config.chmod(0o600)
    assert "quirks" not in document
    return World(world.sandbox, config)


def test_reading_finds_what_it_can_and_writes_nothing(world: World, tmp_path: Path) -> None:
    here, before = without_quirks(world, tmp_path), held(world)
    text = here.config.read_text(encoding="utf-8")
    said = here.call("doctor", "--probe", "--json")
    assert (said.code, said.json["left"], said.json["failed"]) == (0, [], {})
    values = {(each["side"], each["switch"]): each["value"] for each in said.json["switches"]}
    assert len(values) == len(fields(AjeraQuirks)) + len(fields(CrmQuirks))
    assert values["ajera", "date_filter"] == "day"
    assert values["ajera", "null_properties"] == "null"
    assert values["crm", "missing_get"] == "empty"
    assert values["crm", "crm_hours"] is None
    assert all(each["how"] for each in said.json["switches"])
    assert tomllib.loads(said.json["toml"])["ajera"]["quirks"]["success_code"] == "0"
    assert held(world) == before
    assert here.config.read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--save",), "--probe"),
        (("--write",), "--probe"),
        (("--probe", "--yes"), "--write"),
        (("--probe", "--database", "Sandbox"), "--write"),
        (("--probe", "--write", "--yes"), "'Sandbox'"),
        (("--probe", "--write", "--yes", "--database", "Production"), "'Sandbox'"),
        (("--probe", "--write", "--database", "Sandbox"), "terminal"),
    ],
)
def test_writing_is_refused_without_all_that_it_needs(world: World, words: tuple[str, ...], says: str) -> None:
    before = held(world)
    said = world.call("doctor", *words)
    assert said.code == 2
    assert says in said.err
    assert held(world) == before


def test_it_asks_before_it_writes_and_takes_no_for_an_answer(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.cli.ui.need_terminal", lambda: None)
    before = held(world)
    said = world.call("doctor", "--probe", "--write", "--database", "Sandbox", stdin="n\n")
    assert "Make and change records in Sandbox" in said.err
    assert said.code == 130
    assert held(world) == before


def test_writing_finds_the_rest_and_save_sets_it(world: World, tmp_path: Path) -> None:
    here = without_quirks(world, tmp_path)
    firms = len(world.sandbox.crm.tables["firm"])
    said = here.call("doctor", "--probe", "--write", "--database", "Sandbox", "--yes", "--save", "--json")
    assert said.code == 1  # what Ajera does not delete stays, and is named
    assert all(name.startswith("Ajera") for name in said.json["left"])
    assert len(world.sandbox.crm.tables["firm"]) == firms
    document = tomllib.loads(here.config.read_text(encoding="utf-8"))
    ajera = AjeraQuirks.from_pairs(document["ajera"]["quirks"])
    crm = CrmQuirks.from_pairs(document["crm"]["quirks"])
    assert ajera == AjeraQuirks(date_filter="day", success_code="0", null_properties="null")
    assert crm == CrmQuirks(missing_get="empty", number_padding=6, crm_hours="ignored", token_seconds=crm.token_seconds)
    assert here.call("doctor").code == 1


def test_a_system_that_is_not_there_ends_with_3_after_the_other_was_asked(
    world: World, tmp_path: Path, unused_tcp_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.http.TRIES", 1)
    here = without_quirks(world, tmp_path)
    document = tomllib.loads(here.config.read_text(encoding="utf-8"))
    dead = here.config.read_text(encoding="utf-8").replace(
        document["crm"]["url"], f"http://127.0.0.1:{unused_tcp_port}/api"
    )
    here.config.write_text(dead, encoding="utf-8")
    said = here.call("doctor", "--probe", "--save")
    assert said.code == 3
    assert "crm: " in said.err
    assert "[ajera.quirks]" in said.out
    assert "not determinable read-only" in said.out
    assert "crm." not in said.out
    assert here.config.read_text(encoding="utf-8") == dead
