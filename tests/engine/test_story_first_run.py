"""The main job: tick, run, and find it in Ajera, exactly once, with the right values."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.errors import UsageError
from core.model.values import Kind, Side
from core.policy import Policy
from tests.engine.conftest import Make
from tests.engine.kit import (
    TEMPLATE,
    TEMPLATE_CODE,
    TEMPLATE_PHASES,
    EngineSettings,
    World,
    ajera_client,
    ajera_project,
    crm_contact,
    crm_firm,
    crm_project,
)

NAMES = ("Ann", "Bob", "Cid", "Dee", "Eve", "Fay")


class Office:
    """A firm with six contacts and a project, in the CRM only."""

    def __init__(self, world: World) -> None:
        self.firm = crm_firm(world.crm, "Acme Supplies", WebSite="www.acme.example")
        self.people = [crm_contact(world.crm, name, f"{name}son", self.firm) for name in NAMES]
        self.project = crm_project(world.crm, "2026.01", "Town Hall", self.firm)
        for person in self.people[:2]:
            world.crm.insert("project_contact", {"WBS1": self.project, "ContactID": person, "Role": "Owner"})


async def ticked(world: World) -> Office:
    office = Office(world)
    await world.first_pull()
    world.service.mark(Kind.FIRM, [office.firm], True)
    world.service.mark(Kind.CONTACT, office.people[:5], True, firm=office.firm)
    world.service.mark(Kind.PROJECT, [office.project], True, template=TEMPLATE)
    world.service.mark(Kind.CONTACT, office.people[:2], True, project=office.project)
    return office


async def test_from_an_empty_store_everything_lands_once_with_the_right_values(world: World) -> None:
    await ticked(world)
    run = await world.run()
    assert run.outcome == "ok"
    (client,) = world.ajera_named("clients", Description="Acme Supplies")
    assert client["Website"] == "www.acme.example"
    assert client["Status"] == "Active"
    assert (client["PrimaryAddressLineOne"], client["PrimaryAddressCity"]) == ("1 High St", "Austin")
    (project,) = world.ajera_named("projects", Description="Town Hall")
    assert project["ID"] == "2026.01"
    assert project["EstimatedStartDate"] == "2026-03-01"
    assert project["EstimatedCompletionDate"] == "2026-12-31"
    phases = [
        p["Description"] for p in world.ajera.tables["phases"].values() if p["ProjectKey"] == project["ProjectKey"]
    ]
    assert phases == TEMPLATE_PHASES
    (group,) = [g for g in world.ajera.tables["invoice_groups"].values() if g["ProjectKey"] == project["ProjectKey"]]
    assert group["ClientKey"] == client["ClientKey"]


async def test_contacts_land_in_the_clients_and_the_projects_lists(world: World) -> None:
    office = await ticked(world)
    await world.run()
    people = world.ajera.tables["contacts"].values()
    assert sorted(p["FirstName"] for p in people) == sorted(NAMES[:5])
    keys = {p["FirstName"]: p["ContactKey"] for p in people}
    (client,) = world.ajera_named("clients", Description="Acme Supplies")
    assert {entry["ContactKey"] for entry in client["Contacts"]} == set(keys.values())
    (project,) = world.ajera_named("projects", Description="Town Hall")
    await world.run()
    held = world.ajera.tables["projects"][project["ProjectKey"]]["Contacts"]
    assert {entry["ContactKey"] for entry in held} == {keys["Ann"], keys["Bob"]}
    assert {world.link(Kind.CONTACT, key) for key in office.people[:5]} == set(keys.values())


async def test_the_ticks_stand_in_the_crm_after_the_run(world: World) -> None:
    office = await ticked(world)
    await world.run()
    assert world.crm.get("firm", office.firm)["AjeraSync"] == "Y"
    assert [world.crm.get("contact", key)["AjeraSync"] for key in office.people] == [*"YYYYYN"]
    project = world.crm.get("project", office.project)
    assert (project["AjeraSync"], project["ProjectTemplate"]) == ("Y", TEMPLATE_CODE)
    rows = world.crm.rows("project_contact", "WBS1", office.project)
    assert [row["AjeraSync"] for row in rows] == ["Y", "Y"]
    assert not world.service.store.marks()


async def test_the_sixth_contact_is_refused_with_the_names_of_the_five(world: World) -> None:
    office = await ticked(world)
    marked = world.service.mark(Kind.CONTACT, [office.people[5]], True, firm=office.firm)
    assert marked.changed == ()
    ((key, reason),) = marked.refused
    assert key == office.people[5]
    for name in NAMES[:5]:
        assert f"{name}son, {name}" in reason
    await world.run()
    assert not world.ajera_named("contacts", FirstName="Fay")


async def test_a_cap_that_the_crm_itself_breaks_takes_primary_first_then_by_name(world: World) -> None:
    firm = crm_firm(world.crm, "Acme Supplies", AjeraSync="Y")
    for name in NAMES:
        primary = "Y" if name == "Fay" else "N"
        crm_contact(world.crm, name, f"{name}son", firm, AjeraSync="Y", PrimaryInd=primary)
    await world.run()
    there = {p["FirstName"] for p in world.ajera.tables["contacts"].values()}
    assert there == {"Fay", "Ann", "Bob", "Cid", "Dee"}
    (waiting,) = [r for r in world.service.refusals() if r.kind is Kind.CONTACT]
    assert waiting.label == "Eveson, Eve"
    assert all(row["AjeraSync"] == "Y" for row in world.crm.tables["contact"].values())


async def test_the_second_run_writes_nothing_and_asks_little(world: World) -> None:
    await ticked(world)
    await world.run()
    writes = world.writes()
    second = await world.run()
    assert second.outcome == "ok"
    assert world.writes() == writes
    third = await world.run()
    fourth = await world.run()
    assert world.writes() == writes
    assert third.requests["crm"] == fourth.requests["crm"] <= 20
    assert fourth.requests["ajera"] <= third.requests["ajera"] <= 20


async def test_a_run_without_news_stores_its_own_record_and_no_more(world: World) -> None:
    await ticked(world)
    for _ in range(3):
        await world.run()
    store = world.service.store
    before = {(row["name"], row["id"]): row["body"] for row in rows_of(store)}
    run = await world.run()
    after = {(row["name"], row["id"]): row["body"] for row in rows_of(store)}
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    assert changed == {("runs", run.id), ("settings", "last_good")}


def rows_of(store: object) -> list[dict[str, object]]:
    sql = "SELECT name, id, body FROM docs WHERE body IS NOT NULL"
    found = store._storage._select(sql)  # type: ignore[attr-defined] # what the file holds, past the store's own memory
    return [{"name": name, "id": doc_id, "body": body} for name, doc_id, body in found]


async def test_a_ticked_project_brings_its_client_and_its_contacts_firms(world: World) -> None:
    client = crm_firm(world.crm, "Borough of Kent")
    other = crm_firm(world.crm, "Steel Engineers")
    person = crm_contact(world.crm, "Ann", "Archer", other)
    project = crm_project(world.crm, "2026.02", "Boat House", client, AjeraSync="Y", ProjectTemplate=TEMPLATE_CODE)
    world.crm.insert("project_contact", {"WBS1": project, "ContactID": person, "AjeraSync": "Y"})
    crm_firm(world.crm, "Somebody Else")
    await world.run()
    names = {c["Description"] for c in world.ajera.tables["clients"].values()}
    assert names == {"Borough of Kent", "Steel Engineers"}
    assert world.crm.get("firm", client)["AjeraSync"] == "N"
    assert world.ajera_named("projects", ID="2026.02")
    world.crm_edit("firm", client, WebSite="www.kent.example")
    await world.run()
    (kent,) = world.ajera_named("clients", Description="Borough of Kent")
    assert kent["Website"] == "www.kent.example"


async def test_an_unknown_template_is_refused_with_the_nearest_names(world: World) -> None:
    client = crm_firm(world.crm, "Borough of Kent")
    crm_project(world.crm, "2026.02", "Boat House", client, AjeraSync="Y", ProjectTemplate="OLDAE")
    await world.run()
    assert not world.ajera.tables["projects"]
    reasons = [r.reason for r in world.service.refusals() if r.kind is Kind.PROJECT]
    assert any("Standard A/E" in reason for reason in reasons)


async def test_the_default_template_is_used_where_none_was_chosen(make: Make) -> None:
    world = make(settings=EngineSettings(Policy(default_template=TEMPLATE)))
    client = crm_firm(world.crm, "Borough of Kent")
    crm_project(world.crm, "2026.02", "Boat House", client, AjeraSync="Y")
    await world.run()
    (project,) = world.ajera_named("projects", ID="2026.02")
    phases = [p["Description"] for p in world.ajera.tables["phases"].values()]
    assert phases == TEMPLATE_PHASES
    assert project["Status"] == "Active"


async def test_strong_evidence_links_and_makes_no_second_record(world: World) -> None:
    firm = crm_firm(world.crm, "Acme Supplies", AjeraSync="Y", WebSite="https://www.acme.example/")
    key = ajera_client(world.ajera, "Acme  supplies", Website="www.acme.example")
    await world.run()
    assert world.link(Kind.FIRM, firm) == key
    assert len(world.ajera.tables["clients"]) == 1
    assert world.ajera.tables["clients"][key]["PrimaryAddressCity"] == "Austin"  # a blank was filled


async def test_a_bare_name_is_a_candidate_until_an_operator_decides(world: World) -> None:
    acme = crm_firm(world.crm, "Acme Supplies", AjeraSync="Y")
    beta = crm_firm(world.crm, "Beta Partners", AjeraSync="Y")
    gamma = crm_firm(world.crm, "Gamma Works", AjeraSync="Y")
    keys = {n: ajera_client(world.ajera, n) for n in ("Acme Supplies", "Beta Partners", "Gamma Works")}
    await world.run()
    assert world.writes() == 0
    assert {c.crm_key for c in world.service.candidates()} == {acme, beta, gamma}
    world.service.match_link(str(keys["Acme Supplies"]), acme, Kind.FIRM)
    world.service.match_create(beta, Kind.FIRM)
    world.service.match_never(gamma, Kind.FIRM)
    await world.run()
    assert world.link(Kind.FIRM, acme) == keys["Acme Supplies"]
    assert len(world.ajera_named("clients", Description="Beta Partners")) == 2
    assert world.link(Kind.FIRM, beta) != keys["Beta Partners"]
    assert len(world.ajera_named("clients", Description="Gamma Works")) == 1
    assert world.service.store.links().of(Kind.FIRM, Side.CRM, gamma) is None
    assert world.service.candidates() == ()
    writes = world.writes()
    await world.run()
    assert world.writes() == writes


async def test_two_of_one_name_in_one_plan_the_second_waits(world: World) -> None:
    crm_firm(world.crm, "Acme Supplies", AjeraSync="Y", address={"City": "Austin"})
    crm_firm(world.crm, "Acme Supplies", AjeraSync="Y", address={"City": "Dallas"})
    await world.run()
    assert len(world.ajera.tables["clients"]) == 1
    assert len(world.service.candidates()) == 1


async def test_create_in_crm_brings_its_client_and_acts_once(world: World) -> None:
    client = ajera_client(world.ajera, "Borough of Kent", Email="town@kent.example")
    key = ajera_project(world.ajera, "26-100", "Ferry Landing", client, CreateInCRM=True)
    await world.run()
    (firm,) = world.crm.tables["firm"].values()
    assert (firm["Name"], firm["ClientInd"], firm["AjeraSync"]) == ("Borough of Kent", "Y", "Y")
    (project,) = world.crm.tables["project"].values()
    assert (project["WBS1"], project["ClientID"], project["ChargeType"]) == ("26-100", firm["ClientID"], "R")
    assert world.link(Kind.PROJECT, "26-100") == key
    writes = world.writes()
    await world.run()
    await world.run()
    assert world.writes() == writes
    assert len(world.crm.tables["project"]) == 1


async def test_a_client_only_in_ajera_goes_to_the_crm_when_ticked(world: World) -> None:
    key = ajera_client(world.ajera, "Borough of Kent", Email="town@kent.example", PrimaryAddressCity="Austin")
    ajera_client(world.ajera, "Closed Mill")
    await world.run()
    assert not world.crm.tables["firm"]
    world.service.mark(Kind.FIRM, [str(key)], True, side=Side.AJERA)
    await world.run()
    (firm,) = world.crm.tables["firm"].values()
    assert (firm["Name"], firm["ClientInd"], firm["AjeraSync"]) == ("Borough of Kent", "Y", "Y")
    (address,) = world.crm.tables["address"].values()
    assert (address["City"], address["Email"]) == ("Austin", "town@kent.example")


async def test_what_may_not_be_ticked_says_why(world: World) -> None:
    vendor = world.crm.insert("firm", {"Name": "Nuts", "VendorInd": "Y", "ClientInd": "N", "Status": "A"})
    await world.first_pull()
    ((_, reason),) = world.service.mark(Kind.FIRM, [vendor], True).refused
    assert "client" in reason
    with pytest.raises(UsageError, match="no firm with the key"):
        world.service.mark(Kind.FIRM, ["nosuch"], True)
    with pytest.raises(UsageError, match="employees"):
        world.service.mark(Kind.EMPLOYEE, ["1"], True)


async def test_undo_and_redo_of_ticks_before_and_after_a_run(world: World) -> None:
    firm = crm_firm(world.crm, "Acme Supplies")
    await world.first_pull()
    service = world.service
    service.mark(Kind.FIRM, [firm], True)
    service.undo_marks()
    assert not service.row(Kind.FIRM, firm).marked
    service.redo_marks()
    assert service.row(Kind.FIRM, firm).marked
    await world.run()
    assert world.crm.get("firm", firm)["AjeraSync"] == "Y"
    service.undo_marks()
    assert not service.row(Kind.FIRM, firm).marked
    await world.run()
    assert world.crm.get("firm", firm)["AjeraSync"] == "N"
    service.redo_marks()
    await world.run()
    assert world.crm.get("firm", firm)["AjeraSync"] == "Y"
    with pytest.raises(UsageError):
        service.redo_marks()


async def test_a_tick_made_by_somebody_in_the_crm_shows_after_the_next_pull(world: World) -> None:
    firm = crm_firm(world.crm, "Acme Supplies")
    await world.run()
    world.crm_edit("firm", firm, AjeraSync="Y")
    await world.run()
    assert world.ajera_named("clients", Description="Acme Supplies")


async def test_switched_off_nothing_runs(make: Make) -> None:
    world = make()
    crm_firm(world.crm, "Acme Supplies", AjeraSync="Y")
    world.service.set_enabled(False)
    with pytest.raises(UsageError, match="switched off"):
        await world.run()
    assert world.writes() == 0
    world.service.set_enabled(True)
    await world.run()
    assert world.ajera.tables["clients"]


async def test_a_value_longer_than_the_field_is_refused_and_never_cut(world: World) -> None:
    client = crm_firm(world.crm, "Borough of Kent")
    name = "A very long project name that no system should ever cut without saying so " * 2
    crm_project(world.crm, "2026.03", name.strip(), client, AjeraSync="Y", ProjectTemplate=TEMPLATE_CODE)
    await world.run()
    assert not [p for p in world.ajera.tables["projects"].values() if p["Description"] in name]
    assert [r.field for r in world.service.refusals() if r.kind is Kind.PROJECT and r.field == "name"]


async def test_a_settings_change_looks_at_everything_once_more(world: World) -> None:
    firm = crm_firm(world.crm, "Acme Supplies", AjeraSync="Y", Memo="Pays late")
    await world.run()
    await world.run()
    fields = dict(world.settings.rules.fields)
    fields[Kind.FIRM] = tuple(replace(s, on=True) if s.name == "memo" else s for s in fields[Kind.FIRM])
    world.settings.rules = replace(world.settings.rules, fields=fields)
    await world.restart()
    await world.run(full=True)
    assert world.ajera.tables["clients"][world.link(Kind.FIRM, firm)]["Notes"] == "Pays late"
