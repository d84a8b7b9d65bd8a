"""What waits for a person: candidates, errors; ticks made by others; project contacts; colour and terminals."""

from __future__ import annotations

import os
import pty
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.kit import PROGRAM, Home, Row, World, changes, world

FEW = ("--firms=16", "--contacts=36", "--projects=14", "--employees=5", "--seed=8")


@pytest.fixture
def w(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path, *FEW) as made:
        yield made


def namesakes(w: World, number: int) -> list[tuple[Row, Row]]:
    """CRM firms beside an Ajera client of the same name and nothing else in common."""
    pairs = []
    for index in range(number):
        name = f"Namesake {index} of Nowhere"
        firm = w.crm.make("firm", Name=name, ClientInd="Y", Status="A", AjeraSync="Y")
        client = {"ClientKey": -1, "Description": name, "Status": "Active"}
        made = w.ajera.content(
            "UpdateClients", UpdatedClients=[client], UnchangedClients=[], UseSingleTransaction=False
        )
        pairs.append((firm, dict(made["Clients"][0])))
    return pairs


def test_candidates_wait_until_a_person_says_link_create_or_never(w: World) -> None:
    home = w.home
    (a, client_a), (b, _), (c, client_c) = namesakes(w, 3)
    home.run(code=1)
    assert [len(w.ajera.named(row["Name"])) for row in (a, b, c)] == [1, 1, 1], "nothing is made by a bare name"
    items = {item["crm_key"]: item for item in home.data("match", "list") if item["kind"] == "firm"}
    assert items[a["ClientID"]]["ajera_key"] == str(client_a["ClientKey"])
    assert "same name" in items[a["ClientID"]]["reasons"]
    assert 0 < items[a["ClientID"]]["score"] <= 1
    rows = {row["crm_key"]: row for row in home.rows("firm") if row["crm_key"]}
    assert {rows[each["ClientID"]]["state"] for each in (a, b, c)} == {"candidate"}
    home.ok("match", "link", str(client_a["ClientKey"]), a["ClientID"])
    home.ok("match", "create", b["ClientID"])
    home.ok("match", "never", c["ClientID"])
    home.settle()
    assert [len(w.ajera.named(row["Name"])) for row in (a, b, c)] == [1, 2, 1]
    linked = {row["crm_key"]: row["ajera_key"] for row in home.rows("firm") if row["linked"]}
    assert linked[a["ClientID"]] == str(client_a["ClientKey"])
    assert b["ClientID"] in linked
    assert c["ClientID"] not in linked
    assert w.ajera.one("client", client_c["ClientKey"]) == {
        k: v for k, v in client_c.items() if k != "OriginalClientKey"
    }
    assert not {a["ClientID"], b["ClientID"], c["ClientID"]} & {i["crm_key"] for i in home.data("match", "list")}
    home.call("match", "link", str(client_a["ClientKey"]), c["ClientID"]).ended(2)
    still = w.books()
    home.run()
    assert changes(still, w.books()) == []


def test_an_error_is_kept_told_and_tried_again(tmp_path: Path) -> None:
    with world(tmp_path, *FEW, "--quirk=duplicate_client_name=error") as w:
        home = w.home
        ((firm, client),) = namesakes(w, 1)
        home.run(code=1)
        home.ok("match", "create", firm["ClientID"])
        events = home.run(code=1)
        failed = [event for event in events if event["event"] == "action_failed"]
        assert failed
        assert events[-1]["outcome"] == "partial"
        errors = home.data("errors")
        mine = next(error for error in errors if error["key"] == firm["ClientID"])
        assert {"id", "kind", "key", "label", "op", "message", "tries", "next_try"} <= mine.keys()
        assert (mine["kind"], mine["label"], mine["op"], mine["tries"]) == ("firm", firm["Name"], "create", 1)
        assert mine["message"]
        row = next(row for row in home.rows("firm") if row["crm_key"] == firm["ClientID"])
        assert row["state"] == "error"
        assert row["last_error"]
        assert home.call("status", "--json").ended(1).json["queues"]["errors"] == len(errors)
        w.ajera.edit("client", client["ClientKey"], Description="Another name")
        home.ok("retry", mine["id"])
        home.run()
        assert firm["ClientID"] not in {error["key"] for error in home.data("errors")}
        assert len(w.ajera.named(firm["Name"])) == 1


def test_ticks_made_in_the_crm_count_and_ticks_taken_there_stop(w: World) -> None:
    home = w.home
    names = {row["Description"].casefold() for row in w.ajera.all("client").values()}
    firm = next(
        row for row in w.crm.all("firm").values()
        if row["AjeraSync"] != "Y" and row["ClientInd"] == "Y" and row["Status"] == "A" and row["Name"].casefold() not in names
    )  # fmt: skip
    key = firm["ClientID"]
    home.call("plan")
    w.crm.edit("firm", key, AjeraSync="Y")
    home.run()
    client = w.ajera.named(firm["Name"])[0]["ClientKey"]
    w.crm.edit("firm", key, AjeraSync="N", WebSite="https://stopped.example.com")
    home.run()
    assert w.ajera.one("client", client).get("Website", "") == firm["WebSite"]
    assert w.crm.one("firm", key)["AjeraSync"] == "N"


def test_ticked_contacts_of_a_project_are_contacts_of_the_project_in_ajera(w: World) -> None:
    home = w.home
    known = {row["ID"]: row for row in w.ajera.all("project").values()}
    for number, row in w.crm.all("project").items():
        people = w.crm.people(number)
        if number not in known and row["ChargeType"] == "R" and row["Status"] == "A" and row["ClientID"] and people:
            rows = {each["crm_key"]: each for each in home.rows("contact", "--project", number)}
            free = [each for each in people if rows.get(each["ContactID"], {}).get("state") == "unmarked"]
            if free:
                break
    else:
        raise AssertionError("no such project")
    home.ok("mark", "project", number, "--template", "Study")
    home.ok("mark", "contact", free[0]["ContactID"], "--project", number)
    home.run()
    made = [each for each in w.ajera.all("project").values() if each["ID"] == number]
    assert len(made) == 1
    links = {link["crm_key"]: link["ajera_key"] for link in home.data("links") if link["kind"] == "contact"}
    assert free[0]["ContactID"] in links, home.call("plan").out
    assert int(links[free[0]["ContactID"]]) in [each["ContactKey"] for each in made[0].get("Contacts", [])]
    ticked = next(each for each in w.crm.people(number) if each["ContactID"] == free[0]["ContactID"])
    assert ticked["AjeraSync"] == "Y"


def test_marks_are_kept_here_where_the_crm_has_no_column(tmp_path: Path) -> None:
    with world(tmp_path, *FEW, "--quirk=firm_contact_flag=", "--quirk=project_contact_flag=") as w:
        home = w.home
        home.call("plan")
        row = next(
            row for row in home.rows("contact", "--filter", "state:unmarked")
            if row["crm_key"] and row["firm_key"] and not any(r["label"] == row["label"] and r["ajera_key"] for r in home.rows("contact"))
        )  # fmt: skip
        home.ok("mark", "contact", row["crm_key"], "--firm", row["firm_key"])
        home.ok("mark", "firm", row["firm_key"])
        home.run()
        assert "AjeraSync" not in w.crm.one("contact", row["crm_key"])
        assert next(r for r in home.rows("contact") if r["crm_key"] == row["crm_key"])["linked"]


def on_a_terminal(home: Home, *words: str, **extra: str) -> str:
    """What a command prints on a terminal of its own."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [PROGRAM, *home.words(words)],
        env=home.env | {"TERM": "xterm-256color"} | extra,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    out = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:
            break
        if not piece:
            break
        out += piece
    os.close(ours)
    assert process.wait(30) in (0, 1)
    return out.decode()


def test_no_colour_with_no_color(w: World) -> None:
    w.home.call("plan")
    for words in (("list", "firm"), ("status",), ("--help",)):
        assert "\x1b[3" not in on_a_terminal(w.home, *words, NO_COLOR="1")


def test_hostile_names_do_not_act(w: World) -> None:
    name = "Evil\x1b]0;owned\x07 \u202egnp.exe [red]x[/] $(id)"
    firm = w.crm.make("firm", Name=name, ClientInd="Y", Status="A", AjeraSync="Y")
    for words in (("plan",), ("run",), ("list", "firm"), ("show", "firm", firm["ClientID"]), ("log",), ("history",)):
        said = w.home.call(*words)
        assert said.code in (0, 1)
        assert "\x1b" not in said.out + said.err
        assert "\x07" not in said.out + said.err
        assert "\u202e" not in said.out + said.err
    assert len(w.ajera.named(w.crm.one("firm", firm["ClientID"])["Name"])) == 1


def test_rehearse_writes_to_neither_live_system(w: World) -> None:
    still = w.books()
    said = w.home.call("rehearse")
    assert said.code in (0, 1), said
    assert said.out.strip()
    assert changes(still, w.books()) == []


def test_the_ui_needs_a_terminal(w: World) -> None:
    for words in ((), ("--readonly",), ("--ascii",), ("--plain",), ("--no-mouse",), ("demo",)):
        said = w.home.call(*words).ended(2)
        assert said.out == ""
        assert "terminal" in said.err
