"""Edits people make, from the command line: they travel, they conflict, a guard stops them, another program runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.store import run_lock
from tests.unit.cli_kit import World, open_world, state_home

__all__ = ["state_home"]


@pytest.fixture(scope="module")
def world(state_home: Path) -> Iterator[World]:
    for world in open_world(state_home, seed=3):
        world.call("list", "firm")
        world.call("mark", "firm", "--filter", "state:unmarked")
        world.call("run")
        world.call("run")
        yield world


def linked_firm(world: World, skip: int = 0) -> dict[str, Any]:
    """A firm that is in step, the `skip`-th one."""
    return world.rows("firm", "--filter", "state:in_step linked:yes")[skip]


def edit_crm(world: World, firm: dict[str, Any], website: str) -> None:
    world.sandbox.crm.edit("firm", firm["crm_key"], {"WebSite": website})


def edit_ajera(world: World, firm: dict[str, Any], website: str) -> None:
    world.sandbox.ajera.edit("clients", int(firm["ajera_key"]), {"Website": website})


def websites(world: World, firm: dict[str, Any]) -> tuple[str, str]:
    fields = world.call("show", "firm", firm["crm_key"], "--json").json["fields"]
    return fields["website"]["ajera"], fields["website"]["crm"]


def test_an_edit_travels_each_way(world: World) -> None:
    firm = linked_firm(world)
    edit_crm(world, firm, "https://one.example.com")
    world.call("run")
    assert websites(world, firm) == ("https://one.example.com", "https://one.example.com")
    edit_ajera(world, firm, "https://two.example.com")
    world.call("run")
    assert websites(world, firm) == ("https://two.example.com", "https://two.example.com")


def test_a_conflict_waits_and_is_settled(world: World) -> None:
    firm = linked_firm(world)
    edit_crm(world, firm, "https://crm.example.com")
    edit_ajera(world, firm, "https://ajera.example.com")
    assert world.call("run").code == 1
    found = world.call("conflicts", "--json").json
    mine = next(item for item in found if (item["crm_key"], item["field"]) == (firm["crm_key"], "website"))
    assert (mine["ajera"], mine["crm"]) == ("https://ajera.example.com", "https://crm.example.com")
    assert mine["since"]
    assert world.call("status").code == 1
    said = world.call("resolve", mine["id"], "--take", "ajera")
    assert (said.code, said.out) == (0, "")
    world.call("run")
    assert websites(world, firm) == ("https://ajera.example.com", "https://ajera.example.com")
    assert mine["id"] not in [item["id"] for item in world.call("conflicts", "--json").json]


def test_many_conflicts_of_a_field_are_settled_at_once(world: World) -> None:
    firms = [linked_firm(world, skip) for skip in (0, 1)]
    for firm in firms:
        edit_crm(world, firm, f"https://crm{firm['ajera_key']}.example.com")
        edit_ajera(world, firm, f"https://ajera{firm['ajera_key']}.example.com")
    world.call("run")
    assert world.call("resolve", "--all", "firm.website", "--take", "https://x").code == 2
    assert world.call("resolve", "--all", "firm", "--take", "crm").code == 2
    assert world.call("resolve", "--all", "firm.website", "--take", "crm").code == 0
    world.call("run")
    for firm in firms:
        assert websites(world, firm) == (f"https://crm{firm['ajera_key']}.example.com",) * 2


def test_a_guard_refuses_and_exactly_that_plan_can_be_approved(world: World) -> None:
    firm = linked_firm(world)
    careful = world.config.with_name("careful.toml")
    text = world.config.read_text(encoding="utf-8")
    careful.write_text(f"{text}\n[sync.guards]\nfew = 0\nchange_percent = 0\nchange_records = 0\n", encoding="utf-8")
    profile = world.call("info", "--json").json["profile"]
    strict = ("--config", str(careful), "--profile", profile)
    edit_crm(world, firm, "https://guarded.example.com")
    said = world.call("plan", "--json", *strict)
    assert said.code == 4
    assert said.json["guard"]["name"] == "changes"
    assert world.call("run", *strict).code == 4
    assert websites(world, firm)[0] != "https://guarded.example.com"
    assert world.call("run", "--approve", "0" * 32, *strict).code in (2, 4)
    assert websites(world, firm)[0] != "https://guarded.example.com"
    world.call("run", "--approve", said.json["digest"], *strict)
    assert websites(world, firm)[0] == "https://guarded.example.com"


def test_a_run_of_another_program_ends_with_5(world: World) -> None:
    lock = run_lock(Path(world.call("info", "--json").json["state"]), "somebody else")
    assert lock.acquire()
    try:
        said = world.call("run")
    finally:
        lock.release()
    assert said.code == 5
    assert "somebody else" in said.err
    assert world.call("list", "firm").code == 0


def test_readonly_changes_nothing(world: World) -> None:
    firm = linked_firm(world)
    said = world.call("--readonly", "unmark", "firm", firm["crm_key"])
    assert said.code == 2
    assert "read-only" in said.err
