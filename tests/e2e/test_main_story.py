"""The main job from the command line: tick, run, and find it on the other side exactly once, with the right values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.kit import Row, World, changes, world

STAMPS = {"LastModifiedDate", "ModDate", "ModUser"}


@pytest.fixture
def w(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        yield made


def plain(text: str) -> str:
    return " ".join(text.casefold().split())


def fresh_firm(w: World, contacts: int = 6) -> tuple[Row, list[Row]]:
    """A CRM-only firm, unticked, of a unique name, with so many contacts that can be ticked."""
    people = Counter[str]()
    by_firm: dict[str, list[Row]] = {}
    names = Counter(
        plain(f"{row['FirstName']} {row['MiddleName']} {row['LastName']}") for row in w.crm.all("contact").values()
    ) + Counter(
        plain(f"{row['FirstName']} {row.get('MiddleName', '')} {row['LastName']}")
        for row in w.ajera.all("contact").values()
    )
    for row in w.crm.all("contact").values():
        name = plain(f"{row['FirstName']} {row['MiddleName']} {row['LastName']}")
        if row["ContactStatus"] == "A" and row["QualifiedStatus"] in ("", "Q", "Qualified") and names[name] == 1:
            people[row["ClientID"]] += 1
            by_firm.setdefault(row["ClientID"], []).append(row)
    ajera = {plain(row["Description"]) for row in w.ajera.all("client").values()}
    for firm in w.crm.all("firm").values():
        good = firm["AjeraSync"] != "Y" and firm["ClientInd"] == "Y" and firm["Status"] == "A"
        if good and plain(firm["Name"]) not in ajera and people[firm["ClientID"]] >= contacts:
            return firm, by_firm[firm["ClientID"]]
    raise AssertionError("no such firm")


def fresh_project(w: World, client: str | None = None) -> Row:
    """A CRM-only project, unticked, with a client and a number that Ajera does not know."""
    numbers = {row["ID"] for row in w.ajera.all("project").values()}
    names = {plain(row["Description"]) for row in w.ajera.all("project").values()}
    firms = w.crm.all("firm")
    for row in w.crm.all("project").values():
        if row["AjeraSync"] == "Y" or row["ChargeType"] != "R" or row["Status"] != "A" or not row["ClientID"]:
            continue
        if client is not None and row["ClientID"] != client:
            continue
        if client is None and firms[row["ClientID"]]["AjeraSync"] == "Y":
            continue
        if row["WBS1"] not in numbers and plain(row["Name"]) not in names:
            return row
    raise AssertionError("no such project")


def address_of_crm(firm: Row) -> tuple[Any, ...]:
    lines = [firm[f"PrimaryAddress{n}"] for n in (1, 2, 3, 4) if firm[f"PrimaryAddress{n}"]]
    return (lines, firm["PrimaryCity"], firm["PrimaryState"], firm["PrimaryZip"])


def address_of_ajera(client: Row, block: str = "Primary") -> tuple[Any, ...]:
    lines = [client.get(f"{block}AddressLine{n}") or "" for n in ("One", "Two", "Three")]
    rest = [client.get(f"{block}Address{n}") or "" for n in ("City", "State", "Zip")]
    return ([line for line in lines if line], *rest)


def digits(text: str) -> str:
    return "".join(sign for sign in text if sign.isalnum()).lower()


def same_firm(w: World, firm: Row) -> Row:
    """The one client of this firm in Ajera, its values compared."""
    clients = w.ajera.named(firm["Name"])
    assert len(clients) == 1
    client = clients[0]
    assert client["Status"] == "Active"
    assert client.get("AccountID", "") == firm["Client"]
    assert client.get("Website", "") == firm["WebSite"]
    assert client.get("Email", "") == firm["PrimaryEmail"]
    assert digits(client.get("PrimaryPhoneNumber", "")) == digits(firm["PrimaryPhone"])
    assert address_of_ajera(client) == address_of_crm(firm)
    assert address_of_ajera(client, "Mailing") == address_of_crm(firm) or not client["MailingAddressSameAsPrimary"]
    market = {row["Code"]: row["Description"] for row in w.crm.get("/codeTable/CFGClientType")}.get(firm["Type"], "")
    assert client.get("ClientTypeDescription", "") == market
    return client


def same_contact(contact: Row, person: Row) -> None:
    pairs = {
        "FirstName": "FirstName",
        "MiddleName": "MiddleName",
        "LastName": "LastName",
        "Title": "Title",
        "Email": "Email",
    }
    for ours, theirs in pairs.items():
        assert (person.get(theirs) or "") == contact[ours], ours
    for ours, theirs in {"Phone": "PrimaryPhone", "CellPhone": "SecondaryPhone", "Fax": "Fax"}.items():
        assert digits(person.get(f"{theirs}Number") or "") == digits(contact[ours]), ours
    assert person["Status"] == "Active"


def same_project(w: World, project: Row, template: str, client: Row) -> Row:
    found = [row for row in w.ajera.all("project").values() if row["ID"] == project["WBS1"]]
    assert len(found) == 1
    made = found[0]
    assert made["Description"] == (project.get("LongName") or project["Name"])
    assert made["Status"] == "Active"
    assert [group["Client"]["ClientKey"] for group in made["InvoiceGroups"]] == [client["ClientKey"]]
    staff = w.crm.all("employee")
    for ours, theirs in {"ProjMgr": "ProjectManager", "Principal": "PrincipalInCharge"}.items():
        employee = staff[project[ours]]
        assert made[theirs]["LastName"] == employee["LastName"]
        assert made[theirs]["FirstName"] == employee["FirstName"]
    assert (made.get("EstimatedStartDate") or made.get("ActualStartDate") or "") == project["StartDate"][:10]
    assert made.get("EstimatedCompletionDate", "") == project["EstCompletionDate"][:10]
    listed = w.ajera.content("ListProjectTemplates")["ProjectTemplates"]
    key = next(row["ProjectTemplateKey"] for row in listed if row["Description"] == template)
    wanted = w.ajera.content("GetProjectTemplates", RequestedProjects=[key])["ProjectTemplates"][0]
    names = [phase["Description"] for group in wanted["InvoiceGroups"] for phase in group["Phases"]]
    assert names
    assert [phase["Description"] for group in made["InvoiceGroups"] for phase in group["Phases"]] == names
    assert made["BillingType"] == wanted["BillingType"]
    types = {row["Code"]: row["Description"] for row in w.crm.get("/codeTable/ProjectType")}
    assert made["ProjectTypeDescription"] == types[project["ProjectType"]]
    return made


def test_ticked_records_are_in_ajera_once_and_a_second_run_writes_nothing(w: World) -> None:
    home = w.home
    firm, people = fresh_firm(w)
    key, five = firm["ClientID"], [row["ContactID"] for row in people[:5]]
    home.ok("mark", "firm", key)
    home.ok("mark", "contact", *five, "--firm", key)
    sixth = home.call("mark", "contact", people[5]["ContactID"], "--firm", key).ended(2)
    assert sixth.out == ""
    for row in people[:5]:
        assert row["LastName"] in sixth.err
    project = fresh_project(w)
    number = project["WBS1"]
    home.ok("mark", "project", number, "--template", "Standard A/E")
    before = w.books()
    plan = home.call("plan", "--json").json
    assert changes(before, w.books()) == [], "plan writes nothing"

    events = home.run()
    assert events[-1]["outcome"] in ("ok", "partial")
    done = Counter(event["op"] for event in events if event["event"] == "action_done")
    assert {name: count for name, count in events[-1]["counts"].items() if count and name in done} == dict(done)
    planned = Counter((a["op"], a["kind"], a["label"]) for a in plan["actions"])
    assert planned[("create", "firm", firm["Name"])] == 1

    client = same_firm(w, firm)
    by_name = {plain(f"{p['FirstName']} {p['LastName']}"): p for p in w.ajera.all("contact").values()}
    linked = {entry["ContactKey"] for entry in client["Contacts"]}
    for row in people[:5]:
        person = by_name[plain(f"{row['FirstName']} {row['LastName']}")]
        same_contact(row, person)
        assert person["ContactKey"] in linked
    assert len(linked) == 5
    assert plain(f"{people[5]['FirstName']} {people[5]['LastName']}") not in by_name
    owner = same_firm(w, w.crm.one("firm", project["ClientID"])) if project["ClientID"] != key else client
    same_project(w, project, "Standard A/E", owner)
    assert w.crm.one("firm", key)["AjeraSync"] == "Y"
    assert w.crm.one("project", number)["AjeraSync"] == "Y"
    assert [w.crm.one("contact", each)["AjeraSync"] for each in five] == ["Y"] * 5
    codes = {row["Code"]: row["Description"] for row in w.crm.get("/codeTable/CFGAjeraProjectTemplate")}
    assert codes[w.crm.one("project", number)["ProjectTemplate"]] == "Standard A/E"

    home.settle()
    still = w.books()
    last = home.run()[-1]
    assert sum(last["counts"].get(op, 0) for op in ("create", "update", "link", "unlink", "rebase")) == 0
    assert changes(still, w.books()) == []
    row = next(row for row in home.rows("firm") if row["crm_key"] == key)
    assert (row["marked"], row["linked"], row["state"]) == (True, True, "in_step")
    assert row["ajera_key"] == str(client["ClientKey"])


def test_edits_travel_both_ways_and_a_conflict_is_kept(w: World) -> None:
    home = w.home
    firm, people = fresh_firm(w, 3)
    key, contact = firm["ClientID"], people[0]["ContactID"]
    home.ok("mark", "firm", key)
    home.ok("mark", "contact", contact, people[1]["ContactID"], "--firm", key)
    home.run()
    client = w.ajera.named(firm["Name"])[0]["ClientKey"]
    person = next(
        e["ContactKey"] for e in w.ajera.one("client", client)["Contacts"] if e["LastName"] == people[0]["LastName"]
    )

    w.crm.edit("firm", key, WebSite="https://new.example.com")
    w.ajera.edit("client", client, Email="billing@new.example.com", PrimaryAddressCity="Elsewhere")
    w.ajera.edit("contact", person, Title="Chief of Everything")
    home.run()
    assert w.ajera.one("client", client)["Website"] == "https://new.example.com"
    now = w.crm.one("firm", key)
    assert (now["PrimaryEmail"], now["PrimaryCity"]) == ("billing@new.example.com", "Elsewhere")
    assert now["PrimaryAddress1"] == firm["PrimaryAddress1"]
    assert w.crm.one("contact", contact)["Title"] == "Chief of Everything"

    other = people[1]["ContactID"]
    second = next(
        e["ContactKey"] for e in w.ajera.one("client", client)["Contacts"] if e["LastName"] == people[1]["LastName"]
    )
    w.crm.edit("contact", contact, Title="Of the CRM", Email="moved@example.com")
    w.ajera.edit("contact", person, Title="Of Ajera")
    w.crm.edit("contact", other, Title="C2")
    w.ajera.edit("contact", second, Title="A2")
    assert home.run(code=1)[-1]["counts"]["conflict"] >= 2
    assert w.ajera.one("contact", person)["Email"] == "moved@example.com", "the other fields still travel"
    assert w.ajera.one("contact", person)["Title"] == "Of Ajera"
    assert w.crm.one("contact", contact)["Title"] == "Of the CRM"
    item = next(i for i in home.data("conflicts") if i["crm_key"] == contact)
    wanted = {"id", "kind", "field", "label", "ajera_key", "crm_key", "base", "ajera", "crm", "since"}
    assert wanted <= item.keys()
    assert (item["kind"], item["field"]) == ("contact", "title")
    assert (item["ajera"], item["crm"]) == ("Of Ajera", "Of the CRM")
    assert item["base"] == {"ajera": "Chief of Everything", "crm": "Chief of Everything"}
    assert item["label"] == f"{people[0]['LastName']}, {people[0]['FirstName']}"
    home.run(code=1)
    assert next(i for i in home.data("conflicts") if i["crm_key"] == contact)["id"] == item["id"]
    row = next(row for row in home.rows("contact") if row["crm_key"] == contact)
    assert row["state"] == "conflict"

    home.call("resolve", "nonsense", "--take", "crm").ended(2)
    home.ok("resolve", item["id"], "--take", "crm")
    two = next(i for i in home.data("conflicts") if i["crm_key"] == other)
    home.ok("resolve", two["id"], "--take", "A third title")
    home.run()
    assert w.ajera.one("contact", person)["Title"] == "Of the CRM"
    assert w.crm.one("contact", contact)["Title"] == "Of the CRM"
    assert w.ajera.one("contact", second)["Title"] == "A third title" == w.crm.one("contact", other)["Title"]
    assert not [i for i in home.data("conflicts") if i["crm_key"] in (contact, other)]

    for number, (ours, theirs) in enumerate(((contact, person), (other, second))):
        w.crm.edit("contact", ours, Title=f"crm {number}")
        w.ajera.edit("contact", theirs, Title=f"ajera {number}")
    home.run(code=1)
    home.ok("resolve", "--all", "contact.title", "--take", "ajera")
    home.run()
    assert [w.crm.one("contact", each)["Title"] for each in (contact, other)] == ["ajera 0", "ajera 1"]


def test_unticking_stops_everything_and_ticking_again_makes_no_duplicate(w: World) -> None:
    home = w.home
    firm, _ = fresh_firm(w, 0)
    key = firm["ClientID"]
    home.ok("mark", "firm", key)
    home.run()
    client = w.ajera.named(firm["Name"])[0]
    home.ok("unmark", "firm", key)
    home.settle()
    assert w.crm.one("firm", key)["AjeraSync"] == "N"
    w.crm.edit("firm", key, WebSite="https://asleep.example.com")
    w.ajera.edit("client", client["ClientKey"], Email="asleep@example.com")
    still = w.books()
    home.settle()
    assert changes(still, w.books()) == []
    row = next(row for row in home.rows("firm") if row["crm_key"] == key)
    assert (row["marked"], row["state"]) == (False, "dormant")

    home.ok("mark", "firm", key)
    home.run()
    assert [each["ClientKey"] for each in w.ajera.named(firm["Name"])] == [client["ClientKey"]]
    assert w.ajera.one("client", client["ClientKey"])["Website"] == "https://asleep.example.com"
    assert w.crm.one("firm", key)["PrimaryEmail"] == "asleep@example.com"


def test_records_of_ajera_go_to_the_crm_when_ticked(w: World) -> None:
    home = w.home
    ours = {plain(row["Name"]) for row in w.crm.all("firm").values()}
    client = next(
        row
        for row in w.ajera.all("client").values()
        if plain(row["Description"]) not in ours and row["Status"] == "Active"
    )
    home.ok("mark", "firm", "--ajera", str(client["ClientKey"]))
    numbers = w.crm.all("project")
    names = {plain(row["LongName"] or row["Name"]) for row in numbers.values()}
    clients = w.ajera.all("client")
    project = next(
        row
        for row in w.ajera.all("project").values()
        if row["ID"] not in numbers
        and plain(row["Description"]) not in names
        and row["Status"] == "Active"
        and not row["CreateInCRM"]
    )
    home.ok("mark", "project", "--ajera", str(project["ProjectKey"]))
    home.settle()
    made = [row for row in w.crm.all("firm").values() if row["Name"] == client["Description"]]
    assert len(made) == 1
    assert (made[0]["ClientInd"], made[0]["AjeraSync"], made[0]["Status"]) == ("Y", "Y", "A")
    assert address_of_crm(made[0]) == address_of_ajera(client)
    assert made[0]["PrimaryEmail"] == client.get("Email", "")
    there = w.crm.one("project", project["ID"])
    assert (there["ChargeType"], there["AjeraSync"]) == ("R", "Y")
    assert project["Description"] in (there["Name"], there["LongName"])
    owner = w.crm.one("firm", there["ClientID"])["Name"]
    assert owner == clients[project["InvoiceGroups"][0]["Client"]["ClientKey"]]["Description"]
    still = w.books()
    home.run()
    assert changes(still, w.books()) == []
