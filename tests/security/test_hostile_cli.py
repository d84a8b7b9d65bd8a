"""Hostile record data through the command line, the log, JSON, CSV, addresses and filters, end to end over real HTTP."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.text import csv_cell, safe_line
from tests.security import hostile
from tests.security.hostile import TEXTS, acting
from tests.unit.cli_kit import Said, World, open_world, state_home

__all__ = ["state_home"]

KINDS = ("firm", "contact", "project", "employee")


@pytest.fixture(scope="module")
def world(state_home: Path) -> Iterator[World]:
    for opened in open_world(state_home, firms=14, contacts=28, projects=12, employees=5):
        hostile.fill(opened.sandbox)
        yield opened


@pytest.fixture(scope="module")
def done(world: World) -> World:
    """After runs with ticks on everything that can be ticked."""
    world.call("plan")
    for kind in ("firm", "project", "contact"):
        for row in world.rows(kind)[:12]:
            if row["crm_key"]:
                more = ["--firm", row["firm_key"]] if kind == "contact" and row.get("firm_key") else []
                harmless(world.call("mark", kind, row["crm_key"], *more))
    harmless(world.call("run"))
    return world


def harmless(said: Said) -> Said:
    assert not acting(said.out), said.out[:500]
    assert not acting(said.err), said.err[:500]
    return said


def test_nothing_in_any_output_acts_in_a_terminal(done: World) -> None:
    for words in (
        ["plan"], ["plan", "--full"], ["run"], ["status"], ["links"], ["conflicts"], ["match", "list"], ["errors"],
        ["history"], ["log"], ["doctor"], ["info"], *(["list", kind] for kind in KINDS),
    ):  # fmt: skip
        said = harmless(done.call(*words))
        assert said.code in (0, 1, 4), (words, said.err)
    for run in done.call("history", "--json").json:
        harmless(done.call("history", run["id"]))


def test_every_record_can_be_shown(done: World) -> None:
    for kind in KINDS:
        for row in done.rows(kind):
            key, side = (row["crm_key"], "crm") if row["crm_key"] else (row["ajera_key"], "ajera")
            said = harmless(done.call("show", kind, key, "--side", side))
            assert said.code == 0, said.err


def test_json_is_ascii_and_gives_back_what_the_systems_hold(done: World) -> None:
    firms = {key: row["Name"] for key, row in done.sandbox.crm.tables["firm"].items()}
    said = done.call("list", "firm", "--json")
    assert said.out.isascii()
    assert not acting(said.out)
    for words in (["plan"], ["list", "contact"], ["list", "project"], ["history"], ["errors"], ["conflicts"], ["match", "list"]):  # fmt: skip
        told = done.call(*words, "--json")
        assert told.out.isascii()
        json.loads(told.out)
    shown = 0
    for row in said.json:
        if row["crm_key"]:
            document = done.call("show", "firm", row["crm_key"], "--json")
            assert document.out.isascii()
            assert not acting(document.out)
            name = document.json["fields"]["name"]["crm"]
            assert (name or "").strip() == firms[row["crm_key"]].strip()
            shown += 1
    assert shown > 8
    for line in done.call("run", "--json").out.splitlines():
        assert line.isascii()
        json.loads(line)


def test_the_log_file_holds_lines_that_act_nowhere(done: World, state_home: Path) -> None:
    logs = [path for path in (state_home / "state").rglob("run.log*") if path.suffix != ".lock"]
    assert logs
    for path in logs:
        for line in path.read_text(encoding="utf-8").split("\n"):
            assert len(line) <= 8_000
            if line:
                event = json.loads(line)
                assert not acting("".join(map(str, _leaves(event)))), line[:300]


def _leaves(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        for name, each in value.items():
            yield name
            yield from _leaves(each)
    elif isinstance(value, list):
        for each in value:
            yield from _leaves(each)
    else:
        yield value


def test_a_list_of_links_runs_no_formula_and_comes_back(done: World, tmp_path: Path) -> None:
    target = tmp_path / "links.csv"
    harmless(done.call("links", "export", str(target)))
    rows = list(csv.reader(io.StringIO(target.read_text(encoding="utf-8"))))
    assert len(rows) > 1
    for cell in (cell for row in rows for cell in row):
        assert not cell.startswith(tuple("=+-@\t\r"))
        assert not acting(cell)
    assert harmless(done.call("links", "import", str(target))).code in (0, 2)


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: ascii(text[:30]))
def test_a_cell_of_a_spreadsheet_is_text(text: str) -> None:
    cell = csv_cell(text)
    assert not acting(cell)
    assert not cell.lstrip().startswith(tuple("=+-@＝＋－＠\t\r"))


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: ascii(text[:30]))
def test_a_line_for_the_terminal_is_seen_and_does_not_act(text: str) -> None:
    line = safe_line(text)
    assert not acting(line)
    assert "\n" not in line
    assert len(line) <= 500
    assert safe_line(line) == line


@pytest.mark.parametrize(
    "words",
    [["show", "firm"], ["mark", "firm"], ["match", "never"], ["resolve", "--take=crm"], ["history"], ["retry"],
     ["run", "--plan"], ["list", "firm", "--filter"], ["links", "import"], ["undo"], ["list"], ["links", "rm", "firm"]],
    ids=lambda words: " ".join(words),
)  # fmt: skip
def test_what_is_typed_or_piped_in_acts_nowhere(done: World, words: list[str]) -> None:
    for typed in TEXTS:
        text = typed.replace("\x00", "")[:5000]  # an operating system hands over neither NUL nor more
        said = harmless(done.call(*words, text))
        assert "Traceback" not in said.err
        assert "Unexpected" not in said.err, (text, said.err)


NAMES = ("R&D = 50% #1 + a;b", "O'Neil \"Q\" <x>", "a%26b%3Dc", "x&filterHash[9][name]=Status", "C:\\new\\table", "50%", "a+b c", "né & Söhne", "[x](y)")  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_name_of_signs_arrives_as_it_is_and_is_found_again(done: World, name: str) -> None:
    """Into Ajera and back out of it, and through the CRM's filters: once, under exactly this name."""
    row = next(r for r in done.rows("firm") if r["crm_key"] and r["linked"])
    done.sandbox.crm.edit("firm", row["crm_key"], {"Name": name})
    said = done.call("run", "--json")
    held = done.sandbox.ajera.get("clients", int(row["ajera_key"]))["Description"]
    shown = done.call("show", "firm", row["crm_key"], "--json").json["fields"]["name"]
    assert shown["crm"] == name, said.out[-500:]
    assert held == name, (shown, said.out[-1500:])
    assert [r["crm_key"] for r in done.rows("firm", "--filter", f'label:="{name}"')] == [row["crm_key"]] or '"' in name


@pytest.mark.parametrize("place", ["actions", "digest", "mode", "conflicts", "guards"])
@pytest.mark.parametrize("value", [None, 3, [{}], "[" * 50, {"x": "\x1b[2J"}])
def test_a_plan_file_that_was_tampered_with_ends_with_2(done: World, tmp_path: Path, place: str, value: object) -> None:
    path = tmp_path / "plan.json"
    done.call("plan", "--out", str(path))
    plan = json.loads(path.read_text())
    assert plan[place] != value
    plan[place] = value
    path.write_text(json.dumps(plan))
    said = harmless(done.call("run", "--plan", str(path), "--json"))
    assert (said.code, said.out) == (2, "")
    assert "is not a plan" in said.err
