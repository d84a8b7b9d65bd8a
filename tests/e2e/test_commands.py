"""Every command's JSON and exit codes, to the letter of the interface page. The world is shared and never run."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.kit import Home, World, changes, world

UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
STATES = {
    "unmarked", "pending", "in_step", "changed", "conflict", "candidate", "difference", "error", "refused", "dormant", "gone",
    "not_tickable",
}  # fmt: skip
COUNTS = ["create", "update", "link", "unlink", "rebase", "conflict", "candidate", "difference", "drift", "refused"]
KINDS = ("firm", "contact", "project", "employee")


@pytest.fixture(scope="module")
def w(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("commands"), "--seed=5", "--firms=36", "--contacts=80") as made:
        assert made.home.call("plan").code in (0, 1)
        yield made


def times_and_keys(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Every named value of a document."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from times_and_keys(each, key)
    elif isinstance(value, list):
        for each in value:
            yield from times_and_keys(each, name)
    else:
        yield name, value


def proper(document: Any) -> None:
    """Keys are strings, times are UTC."""
    for name, value in times_and_keys(document):
        if name.endswith("_key") or name == "key":
            assert value is None or isinstance(value, str), (name, value)
        if name in ("made_at", "since", "ts", "started", "finished", "last_good", "next", "next_try", "at"):
            assert value is None or UTC.fullmatch(value), (name, value)


def test_the_plan_is_the_document_of_the_page(w: World) -> None:
    before = w.books()
    said = w.home.call("plan", "--json")
    plan = said.json
    assert changes(before, w.books()) == []
    assert {
        "digest", "made_at", "mode", "counts", "actions", "conflicts", "candidates", "differences", "drift", "refused", "guard",
        "requests",
    } <= plan.keys()  # fmt: skip
    assert plan["mode"]["direction"] == "two-way"
    assert plan["mode"]["ajera_version"] == "9.10.00"
    assert list(plan["counts"])[:10] == COUNTS
    assert plan["guard"] is None
    assert {"ajera", "crm"} <= plan["requests"].keys()
    assert all(isinstance(number, int) for number in plan["requests"].values())
    ops = [action["op"] for action in plan["actions"]]
    for op in COUNTS[:5]:
        assert plan["counts"][op] == ops.count(op), op
    for one, many in (
        ("conflict", "conflicts"),
        ("candidate", "candidates"),
        ("difference", "differences"),
        ("drift", "drift"),
        ("refused", "refused"),
    ):
        assert plan["counts"][one] == len(plan[many])
    for action in plan["actions"]:
        assert {"id", "op", "kind", "side", "ajera_key", "crm_key", "label", "fields"} <= action.keys()
        assert action["kind"] in KINDS
        assert action["side"] in ("ajera", "crm", None)
        for field in action["fields"].values():
            assert {"from", "to"} <= field.keys()
        if action["op"] == "create":
            assert action[f"{action['side']}_key"] is None
            assert action["crm_key" if action["side"] == "ajera" else "ajera_key"]
    assert len({action["id"] for action in plan["actions"]}) == len(ops)
    for item in plan["conflicts"] + plan["differences"]:
        assert {"id", "kind", "field", "label", "ajera_key", "crm_key", "base", "ajera", "crm", "since"} <= item.keys()
    for item in plan["candidates"]:
        assert {"id", "kind", "label", "ajera_key", "crm_key", "score", "reasons"} <= item.keys()
        assert 0 < item["score"] <= 1
        assert isinstance(item["reasons"], list)
    for item in plan["refused"]:
        assert {"kind", "key", "reason"} <= item.keys()
    proper(plan)
    waits = plan["conflicts"] or plan["candidates"] or plan["differences"]
    assert said.code == (1 if waits else 0)


def test_plan_out_is_the_same_plan_and_the_digest_is_stable(w: World, tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    said = w.home.call("plan", "--json", "--out", str(file))
    written, shown = json.loads(file.read_text()), said.json
    assert written["digest"] == shown["digest"]
    assert written["actions"] == shown["actions"]
    again = w.home.call("plan", "--json").json
    assert again["digest"] == shown["digest"]
    assert [a["id"] for a in again["actions"]] == [a["id"] for a in shown["actions"]]
    for name in ("conflicts", "candidates", "differences"):
        assert [i["id"] for i in again[name]] == [i["id"] for i in shown[name]]
    assert w.home.call("plan", "--out", str(tmp_path / "no" / "such" / "plan.json")).code == 2


@pytest.mark.parametrize("kind", KINDS)
def test_list_is_an_array_of_rows(w: World, kind: str) -> None:
    rows = w.home.rows(kind)
    names = {"kind", "label", "ajera_key", "crm_key", "marked", "linked", "state", "reason", "last_error"}
    for row in rows:
        assert row.keys() == names | ({"firm_key"} if kind == "contact" else set())
        assert row["kind"] == kind
        assert row["state"] in STATES
        assert isinstance(row["marked"], bool)
        assert isinstance(row["linked"], bool)
        assert row["ajera_key"] or row["crm_key"]
        assert row["linked"] == bool(row["ajera_key"] and row["crm_key"])
    proper(rows)
    hub = w.crm.all(kind)
    books = w.ajera.all("client" if kind == "firm" else kind)
    assert {row["crm_key"] for row in rows if row["crm_key"]} == set(hub)
    assert {row["ajera_key"] for row in rows if row["ajera_key"]} == set(map(str, books))
    for row in rows:
        if row["crm_key"]:
            record = hub[row["crm_key"]]
            label = {
                "firm": lambda r: r["Name"],
                "project": lambda r: f"{r['WBS1']} {r['LongName'] or r['Name']}",
                "contact": lambda r: f"{r['LastName']}, {r['FirstName']}",
                "employee": lambda r: f"{r['LastName']}, {r['FirstName']}",
            }[kind](record)
            assert row["label"].split() == label.split() or record.get("FirstName") == "" or record.get("MiddleName")


def test_list_narrows(w: World) -> None:
    firms = w.home.rows("firm")
    word = firms[0]["label"].split()[0]
    hits = w.home.rows("firm", "--filter", word)
    assert firms[0]["label"] in [row["label"] for row in hits]
    assert len(hits) < len(firms)
    pending = w.home.rows("firm", "--filter", "state:pending")
    assert [row["state"] for row in pending] == ["pending"] * len(pending)
    assert len(pending) == sum(row["state"] == "pending" for row in firms)
    contacts = w.home.rows("contact")
    firm = next(row["firm_key"] for row in contacts if row["crm_key"] and row["firm_key"])
    narrowed = w.home.rows("contact", "--firm", firm)
    assert narrowed
    of_crm = {key for key, row in w.crm.all("contact").items() if row["ClientID"] == firm}
    assert {row["crm_key"] for row in narrowed if row["crm_key"]} == of_crm
    number = next(key for key in w.crm.all("project") if w.crm.people(key))
    assert {row["crm_key"] for row in w.home.rows("contact", "--project", number)} == {
        row["ContactID"] for row in w.crm.people(number)
    }
    w.home.call("list", "firm", "--firm", firm).ended(2)
    w.home.call("list", "contact", "--firm", "NOSUCHKEY").ended(2)
    w.home.call("list", "contact", "--project", "NOSUCHKEY").ended(2)
    w.home.call("list", "firm", "--filter", "statee:pending").ended(2)


def test_show_is_one_record(w: World) -> None:
    row = next(row for row in w.home.rows("firm") if row["crm_key"])
    shown = w.home.data("show", "firm", row["crm_key"])
    assert {name: shown[name] for name in row} == row
    assert {"fields", "history"} <= shown.keys()
    assert {"ajera", "crm", "base"} <= shown["fields"]["name"].keys()
    assert shown["fields"]["name"]["crm"] == row["label"]
    proper(shown)
    other = next(row for row in w.home.rows("firm") if row["crm_key"] is None)
    assert w.home.data("show", "firm", other["ajera_key"])["label"] == other["label"]
    plain = w.home.ok("show", "firm", row["crm_key"])
    assert row["label"] in plain.out
    assert "\x1b" not in plain.out


@pytest.mark.parametrize(
    "words",
    [
        ("show", "firm", "NOSUCHKEY"),
        ("mark", "firm", "NOSUCHKEY"),
        ("mark", "firm", "--ajera", "999999"),
        ("mark", "project", "NOSUCHKEY", "--template", "Standard A/E"),
        ("mark", "firm"),
        ("mark", "firm", "--filter", "zzzz-no-such-record"),
        ("match", "link", "1", "NOSUCHKEY"),
        ("match", "never", "NOSUCHKEY"),
        ("links", "rm", "firm", "NOSUCHKEY"),
        ("links", "import", "no-such-file.csv"),
        ("resolve", "NOSUCHID", "--take", "crm"),
        ("resolve", "--all", "firm.nonsense", "--take", "crm"),
        ("resolve", "--all", "contact.title", "--take", "a value"),
        ("retry", "NOSUCHID"),
        ("history", "NOSUCHRUN"),
        ("undo", "NOSUCHRUN"),
        ("run", "--plan", "NOSUCHDIGEST"),
        ("schedule", "set", "* * *"),
        ("nosuchcommand",),
    ],
)
def test_what_is_not_known_is_refused_with_2(w: World, words: tuple[str, ...]) -> None:
    said = w.home.call(*words).ended(2)
    assert said.out == ""
    assert said.err.strip()


def test_the_error_of_a_schedule_explains(w: World) -> None:
    said = w.home.call("schedule", "set", "61 * * * *").ended(2)
    assert "61" in said.err
    assert "range" in said.err


def test_a_project_needs_a_template_that_exists(w: World) -> None:
    number = next(row["crm_key"] for row in w.home.rows("project", "--filter", "state:unmarked") if row["crm_key"])
    said = w.home.call("mark", "project", number, "--template", "Standrd A/E").ended(2)
    assert "Standard A/E" in said.err
    assert not next(row for row in w.home.rows("project") if row["crm_key"] == number)["marked"]


def test_marks_from_the_command_line(w: World) -> None:
    home = w.home
    keys = [row["crm_key"] for row in home.rows("firm") if row["crm_key"] and row["state"] == "unmarked"][:3]
    home.ok("mark", "firm", *keys)
    marked = {row["crm_key"] for row in home.rows("firm") if row["marked"]}
    assert set(keys) <= marked
    home.ok("unmark", "firm", *keys)
    marked = {row["crm_key"] for row in home.rows("firm") if row["marked"]}
    assert not set(keys) & marked
    label = next(row for row in home.rows("firm") if row["crm_key"] == keys[0])["label"]
    home.ok("mark", "firm", "--filter", f'"{label}"')
    assert next(row for row in home.rows("firm") if row["crm_key"] == keys[0])["marked"]
    home.ok("unmark", "firm", "--filter", f'"{label}"')
    only = next(row for row in home.rows("firm") if row["crm_key"] is None)
    home.ok("mark", "firm", "--ajera", only["ajera_key"])
    assert next(row for row in home.rows("firm") if row["ajera_key"] == only["ajera_key"])["marked"]
    home.ok("unmark", "firm", "--ajera", only["ajera_key"])
    assert not next(row for row in home.rows("firm") if row["ajera_key"] == only["ajera_key"])["marked"]


def test_links_are_imported_exported_and_removed(w: World, tmp_path: Path) -> None:
    ours = [row["crm_key"] for row in w.home.rows("employee") if row["crm_key"]]
    theirs = [row["ajera_key"] for row in w.home.rows("employee") if row["ajera_key"] and not row["crm_key"]]
    file = tmp_path / "pairs.csv"
    file.write_text(f"kind,ajera_key,crm_key\nemployee,{theirs[-1]},{ours[-1]}\n")
    w.home.ok("links", "import", str(file))
    links = w.home.data("links")
    assert [link for link in links if link["kind"] == "employee" and link["ajera_key"] == theirs[-1]]
    out = tmp_path / "out.csv"
    w.home.ok("links", "export", str(out))
    with out.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {"kind": "employee", "ajera_key": theirs[-1], "crm_key": ours[-1]} in rows
    file.write_text(f"kind,ajera_key,crm_key\nemployee,{theirs[-1]},{ours[0]}\n")
    w.home.call("links", "import", str(file)).ended(2)
    file.write_text("kind,ajera_key,crm_key\nplanet,1,2\n")
    assert "line 2" in w.home.call("links", "import", str(file)).ended(2).err
    w.home.ok("links", "rm", "employee", ours[-1])
    assert not [link for link in w.home.data("links") if link["ajera_key"] == theirs[-1] and link["kind"] == "employee"]


def test_status_is_the_document_of_the_page(w: World) -> None:
    said = w.home.call("status", "--json")
    status = said.json
    assert {
        "version", "mode", "enabled", "schedule", "running", "last_run", "last_good", "stale", "queues", "counts", "lease",
    } <= status.keys()  # fmt: skip
    assert {"direction", "reason", "ajera_version"} <= status["mode"].keys()
    assert {"cron", "timezone", "paused", "next"} <= status["schedule"].keys()
    assert len(status["schedule"]["next"]) == 5
    assert {"errors", "conflicts", "candidates", "differences", "refused"} <= status["queues"].keys()
    assert set(KINDS) <= status["counts"].keys()
    for counts in status["counts"].values():
        assert {"marked", "linked"} <= counts.keys()
    assert status["enabled"] is True
    assert "held_by" in status["lease"]
    proper(status)
    waits = any(status["queues"][name] for name in ("errors", "conflicts", "candidates", "differences"))
    assert said.code == (1 if waits or status["stale"] else 0)


def test_the_schedule_is_set_paused_and_resumed(w: World) -> None:
    home = w.home
    home.ok("schedule", "set", "0 5 * * mon")
    shown = home.data("schedule", "show")
    assert (shown["cron"], shown["paused"], len(shown["next"])) == ("0 5 * * mon", False, 5)
    home.ok("schedule", "pause")
    assert home.data("schedule", "show")["paused"] is True
    home.ok("schedule", "resume")
    assert home.data("schedule", "show")["paused"] is False
    home.call("schedule", "set", "99 * * * *").ended(2)
    assert home.data("schedule", "show")["cron"] == "0 5 * * mon"
    home.ok("schedule", "set", "@hourly")
    home.ok("schedule", "set", "*/15 * * * *")


def test_queues_are_arrays(w: World) -> None:
    plan = w.home.call("plan", "--json").json
    assert w.home.data("conflicts") == plan["conflicts"]
    assert w.home.data("match", "list") == plan["candidates"]
    assert w.home.data("errors") == []
    assert isinstance(w.home.data("history"), list)


def test_nothing_but_data_on_standard_output_and_no_colour(w: World) -> None:
    for words in (
        ("list", "firm"),
        ("status",),
        ("conflicts",),
        ("plan",),
        ("history",),
        ("schedule", "show"),
        ("--help",),
    ):
        said = w.home.call(*words)
        assert "\x1b" not in said.out + said.err, words
        assert said.code in (0, 1)
    for shell in ("bash", "zsh", "fish"):
        assert "ajerasync" in w.home.ok("completion", shell).out
    assert w.home.ok("--version").out.strip()


def test_doctor_and_info(w: World) -> None:
    said = w.home.call("doctor", "--json")
    assert said.code in (0, 1), said.err
    assert {check["state"] for check in said.json} <= {"ok", "warn", "fail"}
    for check in said.json:
        assert check["check"]
        assert check["message"]
        assert check["state"] == "ok" or check["way_out"], check
    assert said.code == (0 if {check["state"] for check in said.json} == {"ok"} else 1)
    info = w.home.ok("info").out
    assert str(w.home.config) in info
    assert str(w.home.folder / "state") in info


def test_no_prompt_without_a_terminal(tmp_path: Path) -> None:
    home = Home(tmp_path)
    for words in (("setup",), (), ("plan",), ("status",), ("list", "firm"), ("run",), ("watch",)):
        said = home.call(*words).ended(2)
        assert said.out == "", words
        assert said.err.strip()


def test_settings_mistakes_come_all_at_once(w: World, tmp_path: Path) -> None:
    assert w.home.config is not None
    text = w.home.config.read_text()
    bad = tmp_path / "bad.toml"
    bad.write_text(
        text.replace("username", "usernme").replace('direction = "auto"', "") + '\n[sync.conflicts]\nfirm = "maybe"\n'
    )
    bad.chmod(0o600)
    home = Home(tmp_path, bad)
    said = home.call("plan").ended(2)
    assert str(bad) in said.err
    assert said.err.count("usernme") >= 2
    assert "username" in said.err
    assert "sync.conflicts" in said.err
    assert "newest" in said.err


def test_the_state_is_private(w: World) -> None:
    folder = w.home.folder / "state" / "ajerasync"
    for path in folder.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path
    assert [path.name for path in folder.iterdir()]
