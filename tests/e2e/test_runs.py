"""Runs: their events, exit codes, guards, stops, locks, the watch and the log."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.kit import Row, World, changes, world

UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
EVENTS = {"run_started", "pulled", "planned", "action_done", "action_failed", "run_finished"}
FEW = ("--firms=16", "--contacts=30", "--projects=12", "--employees=5")


@pytest.fixture
def w(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path, *FEW, "--seed=9") as made:
        yield made


def free_firms(w: World, number: int) -> list[str]:
    names = {row["Description"].casefold() for row in w.ajera.all("client").values()}
    firms = w.crm.all("firm").values()
    free = [
        row["ClientID"]
        for row in firms
        if row["AjeraSync"] != "Y" and row["ClientInd"] == "Y" and row["Name"].casefold() not in names
    ]
    assert len(free) >= number
    return free[:number]


def once_each(w: World) -> None:
    """No create made a second record: every key of the links once, names of linked clients once."""
    links = w.home.data("links")
    for side in "ajera_key", "crm_key":
        keys = [(link["kind"], link[side]) for link in links]
        assert len(keys) == len(set(keys))
    linked = {link["ajera_key"] for link in links if link["kind"] == "firm"}
    clients = w.ajera.all("client")
    names = [clients[int(key)]["Description"] for key in linked]
    assert all(sum(row["Description"] == name for row in clients.values()) == 1 for name in names)


def test_the_events_of_a_run_and_what_is_kept_of_it(w: World) -> None:
    home = w.home
    key = free_firms(w, 1)[0]
    home.ok("mark", "firm", key)
    plan = home.call("plan", "--json").json
    said = home.call("run", "--json", "--approve", plan["digest"])
    assert said.code in (0, 1)
    events = said.lines
    for event in events:
        assert {"ts", "run", "event"} <= event.keys()
        assert UTC.fullmatch(event["ts"])
        assert event["event"] in EVENTS
    assert len({event["run"] for event in events}) == 1
    assert [event["event"] for event in events[:3]] == ["run_started", "pulled", "planned"]
    last = events[-1]
    assert last["event"] == "run_finished"
    assert last["outcome"] == "ok"
    assert {"counts", "requests", "seconds"} <= last.keys()
    assert {"ajera", "crm"} <= last["requests"].keys()
    assert isinstance(last["seconds"], int | float)

    run = events[0]["run"]
    newest = home.data("history")[0]
    assert (newest["id"], newest["outcome"], newest["counts"]) == (run, "ok", last["counts"])
    entries = home.data("history", run)
    made = next(e for e in entries if e["op"] == "create" and e["crm_key"] == key)
    assert made["fields"]["name"]["to"] == w.crm.one("firm", key)["Name"]
    assert made["fields"]["name"]["from"] in (None, "")
    status = home.call("status", "--json").json
    assert status["last_run"]["id"] == run
    assert status["last_good"] == newest["finished"]
    assert status["running"] is None
    logged = [line for line in home.call("log", "--json").lines if line["run"] == run]
    assert {line["event"] for line in logged} >= {"run_started", "planned", "run_finished"}
    shown = home.data("show", "firm", key)
    assert shown["fields"]["name"]["base"] == {"ajera": shown["label"], "crm": shown["label"]}
    assert run in {entry["run"] for entry in shown["history"]}

    client = int(shown["ajera_key"])
    home.ok("undo", run, "--dry-run")
    assert w.ajera.one("client", client)["Status"] == "Active"
    assert home.call("undo", run).code in (0, 1)
    assert w.ajera.one("client", client)["Status"] == "Inactive"
    still = w.books()
    home.run()
    after = [each for each in changes(still, w.books()) if each[0] != "crm employee"]
    assert [each for each in after if not each[2] <= {"AjeraSync", "ModDate", "ModUser"}] == []


def test_a_stored_plan_is_applied_and_an_outdated_approval_is_refused(w: World, tmp_path: Path) -> None:
    home = w.home
    one, two, three = free_firms(w, 3)
    file = tmp_path / "plan.json"
    home.ok("mark", "firm", one)
    home.call("plan", "--json", "--out", str(file))
    digest = json.loads(file.read_text())["digest"]
    home.ok("mark", "firm", two)
    still = w.books()
    refused = home.call("run", "--json", "--approve", digest).ended(4)
    assert refused.lines[-1]["outcome"] == "refused"
    assert changes(still, w.books()) == []
    home.run("--plan", str(file))
    assert len(w.ajera.named(w.crm.one("firm", one)["Name"])) == 1
    assert w.ajera.named(w.crm.one("firm", two)["Name"]) == []
    digest = home.call("plan", "--json").json["digest"]
    home.run("--plan", digest)
    assert len(w.ajera.named(w.crm.one("firm", two)["Name"])) == 1
    home.ok("mark", "firm", three)
    home.run("--only", "employee")
    assert w.ajera.named(w.crm.one("firm", three)["Name"]) == []
    home.run("--only", "firm")
    assert len(w.ajera.named(w.crm.one("firm", three)["Name"])) == 1
    (tmp_path / "no.json").write_text("{}")
    home.call("run", "--plan", str(tmp_path / "no.json")).ended(2)


def test_the_digest_is_that_of_the_actions_alone(w: World) -> None:
    home = w.home
    one, two = free_firms(w, 2)
    home.ok("mark", "firm", one)
    home.run()
    client = w.ajera.named(w.crm.one("firm", one)["Name"])[0]["ClientKey"]
    home.ok("mark", "firm", two)
    before = home.call("plan", "--json").json
    w.crm.edit("firm", one, WebSite="https://crm.example.com")
    w.ajera.edit("client", client, Website="https://ajera.example.com")
    after = home.call("plan", "--json").json
    assert after["counts"]["conflict"] == before["counts"]["conflict"] + 1
    assert after["digest"] == before["digest"]
    assert home.call("run", "--approve", before["digest"]).code == 1
    assert len(w.ajera.named(w.crm.one("firm", two)["Name"])) == 1


def test_ctrl_c_and_the_run_after_it(tmp_path: Path) -> None:
    with world(tmp_path, *FEW, "--seed=9", "--delay=25") as w:
        home = w.home
        home.ok("mark", "firm", *free_firms(w, 3))
        run = home.start("run", "--json")
        seen = list[Row]()
        while not seen or seen[-1]["event"] != "action_done" or seen[-1]["op"] != "create":
            seen.append(json.loads(run.line()))
        busy = home.call("run", "--json").ended(5)
        assert busy.out == ""
        going = home.call("status", "--json").json["running"]
        assert going is not None
        assert going["run"] == seen[0]["run"]
        said = run.end(signal.SIGINT)
        assert said.code == 130, said
        assert said.lines[-1]["outcome"] == "cancelled"
        assert home.data("history")[0]["outcome"] == "cancelled"

        second = home.start("run", "--json")
        while json.loads(second.line())["event"] != "action_done":
            pass
        second.end(signal.SIGKILL)
        home.settle()
        once_each(w)
        outcomes = {run["outcome"] for run in home.data("history")}
        assert outcomes <= {"ok", "partial", "refused", "failed", "cancelled"}, outcomes
        assert home.rows("firm", "--filter", "state:pending") == []
        still = w.books()
        home.run()
        assert changes(still, w.books()) == []


def test_a_system_that_is_down_or_refuses_the_login_is_3(w: World, tmp_path: Path) -> None:
    home = w.home
    assert home.config is not None
    text = home.config.read_text()
    home.config.write_text(text.replace('password = "sandbox"', 'password = "wrong"'))
    for words in (("plan",), ("run",)):
        said = home.call(*words).ended(3)
        assert "wrong" not in said.out + said.err
    home.config.write_text(re.sub(r"http://127\.0\.0\.1:\d+", "http://127.0.0.1:9", text))
    home.call("plan").ended(3)
    said = home.call("run", "--json").ended(3)
    assert said.lines[-1]["outcome"] == "failed"
    assert home.call("status", "--json").json["last_run"]["outcome"] == "failed"
    home.config.write_text(text)
    home.run()


def test_watch_runs_by_cron_while_it_holds_the_lease(w: World) -> None:
    home = w.home
    key = free_firms(w, 1)[0]
    home.ok("mark", "firm", key)
    home.ok("schedule", "set", "* * * * * */2")
    follow = home.start("log", "-f", "--json")
    watch = home.start("watch")
    assert "next run" in watch.line("stderr").lower()
    follow.until(lambda line: json.loads(line)["event"] == "run_finished")
    assert home.call("status", "--json").json["lease"]["held_by"]
    follow.until(lambda line: json.loads(line)["event"] == "run_finished")
    said = watch.end(signal.SIGTERM)
    assert said.code == 0
    assert said.out == ""
    assert follow.end(signal.SIGINT).code in (0, 130)
    assert home.data("history")[0]["trigger"] == "schedule"
    assert len(w.ajera.named(w.crm.one("firm", key)["Name"])) == 1
    status = home.call("status", "--json").json
    assert status["lease"]["held_by"] is None


def test_a_stale_last_good_run_is_told(w: World) -> None:
    home = w.home
    home.run()
    home.ok("schedule", "set", "* * * * * *")

    def stale() -> bool:
        said = home.call("status", "--json")
        assert said.code == 1 or not said.json["stale"]
        return bool(said.json["stale"])

    assert any(stale() for _ in range(40))
    home.ok("schedule", "pause")


def test_a_deleted_firm_is_found_by_the_sweep_and_nothing_is_deleted(w: World) -> None:
    home = w.home
    key = next(k for k in free_firms(w, 6) if not any(p["ClientID"] == k for p in w.crm.all("project").values()))
    name = w.crm.one("firm", key)["Name"]
    home.ok("mark", "firm", key)
    home.run()
    client = w.ajera.named(name)[0]
    for contact, row in w.crm.all("contact").items():
        if row["ClientID"] == key:
            w.crm.delete("contact", contact)
    w.crm.delete("firm", key)
    home.run()
    assert w.ajera.one("client", client["ClientKey"])["Status"] == "Active"
    home.run("--sweep")
    assert w.ajera.one("client", client["ClientKey"]) == client
    rows = [row for row in home.rows("firm") if row["ajera_key"] == str(client["ClientKey"]) or row["crm_key"] == key]
    assert "gone" in {row["state"] for row in rows}, rows
