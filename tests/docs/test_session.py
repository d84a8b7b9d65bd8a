"""The chapter "An hour with it" of docs/commands.md, run line by line on a sandbox."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.kit import ROOT
from tests.unit.cli_kit import World, open_world, state_home

__all__ = ["state_home"]

LINES = re.findall(r"^\$ ajerasync (.*)$", (ROOT / "docs/commands.md").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.fixture(scope="module")
def world(state_home: Path) -> Iterator[World]:
    yield from open_world(state_home, firms=12, contacts=30, projects=12, employees=4)


def keys(world: World) -> dict[str, str]:
    """What the placeholders of the page stand for: a firm with a contact, and a project; none of them in Ajera."""
    firms = {row["crm_key"] for row in world.rows("firm") if row["state"] == "unmarked" and not row["ajera_key"]}
    people = [row for row in world.rows("contact") if row["firm_key"] in firms and not row["ajera_key"]]
    projects = [row for row in world.rows("project") if row["state"] == "unmarked" and not row["ajera_key"]]
    return {"FIRM": people[0]["firm_key"], "CONTACT": people[0]["crm_key"], "PROJECT": projects[0]["crm_key"]}


def test_every_line_of_the_session_works(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("core.http.RateBudget.take", no_wait)
    known: dict[str, str] = {}
    for line in LINES:
        if "FIRM" in line and not known:
            known = keys(world)
        if "RUN" in line:
            known["RUN"] = world.call("history", "--json").json[-2 if "undo" in line else 0]["id"]
        words = [known.get(word, word) for word in shlex.split(line)]
        said = world.call(*words)
        assert said.code in (0, 1), (line, said.code, said.out[-800:], said.err)
        assert "Unexpected" not in said.err, (line, said.err)
    linked = {row["crm_key"] for kind in ("firm", "contact", "project") for row in world.rows(kind) if row["linked"]}
    assert {known["FIRM"], known["CONTACT"]} <= linked
    assert len(LINES) > 25


async def no_wait(_budget: object) -> None:
    """The rate limit of the real systems; a test need not keep it."""
