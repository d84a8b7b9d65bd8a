"""`ajerasync sandbox`: one line, every flag, and what every seed promises."""

from __future__ import annotations

import json
import time
import tomllib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.e2e.kit import AjeraApi, CrmApi, Home, Row, world

TINY = ("--firms=8", "--contacts=12", "--projects=6", "--employees=4")


def plain(text: str) -> str:
    return " ".join(text.casefold().split())


def test_one_json_line_and_a_settings_file(tmp_path: Path) -> None:
    home = Home(tmp_path)
    config = tmp_path / "new.toml"
    running = home.start("sandbox", "--ajera-port", "0", "--crm-port", "0", "--config-out", str(config), *TINY)
    ready = json.loads(running.line())
    assert set(ready) == {"ajera_url", "crm_url", "config"}
    assert ready["config"] == str(config)
    settings = tomllib.loads(config.read_text())
    assert (settings["ajera"]["url"], settings["crm"]["url"]) == (ready["ajera_url"], ready["crm_url"])
    assert config.stat().st_mode & 0o077 == 0
    for url in ready["ajera_url"], ready["crm_url"]:
        assert url.startswith("http://127.0.0.1:")
        assert not url.startswith("http://127.0.0.1:0")
    said = running.end()
    assert said.code == 0
    assert said.out == ""
    with pytest.raises(httpx.ConnectError):
        httpx.post(ready["ajera_url"], json={})


def test_without_a_settings_file_the_line_says_null(tmp_path: Path) -> None:
    running = Home(tmp_path).start("sandbox", *TINY)
    assert json.loads(running.line())["config"] is None
    assert running.end().code == 0


@pytest.mark.parametrize(
    ("flag", "named"),
    [
        ("--quirk=thottle=429", "throttle"),
        ("--quirk=throttle=maybe", "throttle"),
        ("--quirk=novalue", "quirk"),
        ("--crm-profile=sap", "vantagepoint"),
        ("--ajera-version=new", "ajera version"),
        ("--firms=-3", "firms"),
    ],
)
def test_a_wrong_flag_is_told_with_what_is_known(tmp_path: Path, flag: str, named: str) -> None:
    said = Home(tmp_path).call("sandbox", flag).ended(2)
    assert said.out == ""
    assert named in said.err


def test_counts_version_profile_delay_and_quirks(tmp_path: Path) -> None:
    with world(tmp_path, "--firms=40", "--employees=11", "--ajera-version=8.08.00", "--crm-profile=vantagepoint",
               "--delay=150", "--quirk=success_code=0", "--quirk=firm_contact_flag=", "--seed=3") as w:  # fmt: skip
        assert w.ajera.login(1)["Content"]["AjeraVersion"] == "8.08.00"
        assert w.settings["crm"]["profile"] == "vantagepoint"
        began = time.monotonic()
        answer = w.ajera.call("ListClients")
        assert time.monotonic() - began >= 0.15
        assert answer["ResponseCode"] == 0
        names = {plain(row["Description"]) for row in answer["Content"]["Clients"]}
        crm = w.crm.all("firm").values()
        assert len(names | {plain(row["Name"]) for row in crm}) <= 40
        assert len(crm) > 20
        fields = [field["FieldName"] for field in w.crm.metadata("contact")["Contacts"]["Fields"]]
        assert "AjeraSync" not in fields
        assert "FirstName" in fields


def test_the_rate_limit_waits_or_refuses(tmp_path: Path) -> None:
    def burst(ajera: AjeraApi, number: int = 12) -> tuple[float, list[int]]:
        ajera.login(1)
        body = {"Method": "ListClientTypes", "SessionToken": ajera.tokens[1], "MethodArguments": {}}
        time_before = time.monotonic()
        with ThreadPoolExecutor(number) as pool:
            codes = [
                reply.status_code
                for reply in pool.map(lambda _: ajera.http.post(ajera.settings["url"], json=body), range(number))
            ]
        return time.monotonic() - time_before, codes

    with world(tmp_path / "wait", *TINY, "--rate=4") as w:
        seconds, codes = burst(w.ajera)
        assert set(codes) == {200}
        assert seconds > 1.0, "12 requests at 4 a second"
    with world(tmp_path / "refuse", *TINY, "--rate=4", "--quirk=throttle=429") as w:
        _, codes = burst(w.ajera)
        assert 429 in codes
        assert 200 in codes


def test_the_data_folder_is_loaded_again_after_a_restart(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with world(tmp_path / "one", *TINY, "--data", str(folder)) as w:
        key = w.ajera.keys("client")[0]
        w.ajera.edit("client", key, Website="https://kept.example.com")
        firm = next(iter(w.crm.all("firm")))
        w.crm.edit("firm", firm, WebSite="https://kept.example.net")
        made = w.crm.make("firm", Name="Made by Hand", ClientInd="Y", Status="A")
        before = w.books()
    with world(tmp_path / "two", "--data", str(folder)) as w:
        assert w.ajera.one("client", key)["Website"] == "https://kept.example.com"
        assert w.crm.one("firm", firm)["WebSite"] == "https://kept.example.net"
        assert w.crm.one("firm", made["ClientID"])["Name"] == "Made by Hand"
        assert w.books() == before


def test_life_edits_both_sides(tmp_path: Path) -> None:
    with world(tmp_path, *TINY, "--life=600", "--verbose") as w:
        seen = set[str]()
        while len(seen) < 2:
            line = w.sandbox.line("stderr").lower()
            seen |= {side for side in ("ajera", "crm") if side in line}
    with world(tmp_path / "quiet", *TINY) as w:
        one = w.books()
        assert w.books() == one


def complete_firm(row: Row) -> bool:
    return row["ClientInd"] == "Y" and row["Status"] == "A" and bool(row["Name"])


@pytest.mark.parametrize("seed", [2, 11, 4711])
def test_every_seed_keeps_its_promises(tmp_path: Path, seed: int) -> None:
    with world(tmp_path, f"--seed={seed}") as w:
        check_firms(w.ajera, w.crm)
        check_contacts(w.ajera, w.crm)
        check_projects(w.ajera, w.crm)


def check_firms(ajera: AjeraApi, crm: CrmApi) -> None:
    theirs = Counter(plain(row["Description"]) for row in ajera.all("client").values())
    firms = crm.all("firm")
    ours = Counter(plain(row["Name"]) for row in firms.values())
    free = [
        row
        for row in firms.values()
        if row["AjeraSync"] != "Y"
        and complete_firm(row)
        and ours[plain(row["Name"])] == 1
        and not theirs[plain(row["Name"])]
    ]
    assert len(free) * 4 >= len(firms)
    clients = ajera.all("client").values()
    strong = 0
    for row in firms.values():
        partner = [client for client in clients if plain(client["Description"]) == plain(row["Name"])]
        evidence = {row["PrimaryEmail"].lower(), row["WebSite"].lower().rstrip("/"), row["PrimaryZip"]} - {""}
        strong += len(partner) == 1 and bool(
            evidence
            & {(partner[0].get(name) or "").lower().rstrip("/") for name in ("Email", "Website", "PrimaryAddressZip")}
        )
    assert strong * 4 >= len(firms)
    people = Counter(row["ClientID"] for row in crm.all("contact").values())
    assert people.most_common(1)[0][1] >= 6


def person(row: Row) -> str:
    return plain(" ".join((row["FirstName"], row.get("MiddleName") or "", row["LastName"])))


def check_contacts(ajera: AjeraApi, crm: CrmApi) -> None:
    theirs = Counter(map(person, ajera.all("contact").values()))
    contacts = crm.all("contact")
    ours = Counter(map(person, contacts.values()))
    free = [
        row
        for row in contacts.values()
        if row["AjeraSync"] != "Y"
        and row["ContactStatus"] == "A"
        and ours[person(row)] == 1
        and not theirs[person(row)]
    ]
    assert len(free) * 4 >= len(contacts)
    emails = {(row["LastName"].lower(), (row.get("Email") or "").lower()) for row in ajera.all("contact").values()}
    strong = [
        row for row in contacts.values() if row["Email"] and (row["LastName"].lower(), row["Email"].lower()) in emails
    ]
    assert len(strong) * 4 >= len(contacts)


def check_projects(ajera: AjeraApi, crm: CrmApi) -> None:
    books = ajera.all("project").values()
    theirs = {row["ID"]: plain(row["Description"]) for row in books}
    names = set(theirs.values())
    projects = crm.all("project")
    templates = {row["Description"] for row in ajera.content("ListProjectTemplates")["ProjectTemplates"]}
    codes = {row["Code"]: row["Description"] for row in crm.get("/codeTable/CFGAjeraProjectTemplate")}
    assert templates & set(codes.values())
    free = [
        row
        for row in projects.values()
        if row["AjeraSync"] != "Y" and row["Status"] == "A" and row["ClientID"]
        and row["WBS1"] not in theirs and plain(row["LongName"] or row["Name"]) not in names
    ]  # fmt: skip
    assert len(free) * 4 >= len(projects)
    strong = [row for row in projects.values() if theirs.get(row["WBS1"]) == plain(row["LongName"] or row["Name"])]
    assert len(strong) * 4 >= len(projects)
