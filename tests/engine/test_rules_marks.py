"""Marks, what they pull along, caps and profiles (sync-rules 1 and 2); project contacts (sync-rules 5)."""

from __future__ import annotations

from dataclasses import replace

from core.model.values import Kind, Side
from core.policy import PROFILE_CAPS, Policy
from tests.engine.kit import (
    TEMPLATE_CODE,
    EngineSettings,
    World,
    ajera_client,
    ajera_project,
    crm_contact,
    crm_firm,
    crm_project,
)
from tests.engine.weekkit import Office, add_totals, an_office


def project_row(world: World, project: str, contact: str, **more: str) -> str:
    return world.crm.insert("project_contact", {"WBS1": project, "ContactID": contact, "AjeraSync": "Y", **more})


async def ticked_job(world: World) -> tuple[str, str]:
    firm = crm_firm(world.crm, "Acme Supplies", AjeraSync="Y")
    project = crm_project(world.crm, "26-01", "Town Hall", firm, AjeraSync="Y", ProjectTemplate=TEMPLATE_CODE)
    await world.run()
    return firm, project


# -- Ajera's side ------------------------------------------------------------------------------------


async def test_create_in_crm_acts_once_per_project_even_if_the_crms_is_deleted() -> None:
    async with an_office() as world:
        client = ajera_client(world.ajera, "Lake Utility")
        ours = ajera_project(world.ajera, "26-07", "Pump House", client, CreateInCRM=True, SyncToCRM=True)
        await world.run()
        assert world.crm.get("project", "26-07")["ClientID"]
        assert (world.crm.get("project", "26-07")["ChargeType"], world.crm.get("project", "26-07")["Org"]) == (
            "R",
            "NE:AR",
        )
        world.clock.forward(hours=1)
        world.crm.delete("project", "26-07")
        await world.run(sweep=True)
        world.ajera_edit("projects", ours, Description="Pump House and Weir")
        await world.run()
        assert not world.crm.has("project", "26-07")


async def test_a_blank_id_is_refused_unless_the_crm_numbers_projects_itself() -> None:
    async with an_office() as world:
        client = ajera_client(world.ajera, "Lake Utility")
        ajera_project(world.ajera, "", "Pump House", client, CreateInCRM=True)
        await world.run()
        assert not world.crm.tables["project"]
        (refusal,) = [r for r in world.service.refusals() if r.kind is Kind.PROJECT]
        assert "no Project ID" in refusal.reason
    async with an_office(crm_quirks={"autonumber_project": "true"}) as world:
        client = ajera_client(world.ajera, "Lake Utility")
        ours = ajera_project(world.ajera, "", "Pump House", client, CreateInCRM=True)
        await world.run()
        (row,) = world.crm.tables["project"].values()
        partner = world.service.store.links().partner(Kind.PROJECT, Side.AJERA, str(ours))
        assert partner == row["WBS1"] != ""
        assert world.ajera.get("projects", ours)["ID"] == "", "a number is set on create, never after"


async def test_sync_to_crm_alone_keeps_ajeras_direction_alive_on_an_unticked_project() -> None:
    async with an_office() as world:
        _, project = await ticked_job(world)
        ours = world.link(Kind.PROJECT, project)
        world.ajera_edit("projects", ours, SyncToCRM=True)
        await world.run()
        world.crm_edit("project", project, AjeraSync="N")
        world.ajera_edit("projects", ours, Description="Town Hall and Square")
        world.crm_edit("project", project, ProjectType="CIVIC")
        await world.run()
        assert world.crm.get("project", project)["Name"] == "Town Hall and Square"
        assert world.ajera.get("projects", ours)["ProjectTypeKey"] is None
        assert world.crm.get("project", project)["AjeraSync"] == "N", "no run ticks it again"


async def test_no_run_sets_sync_to_crm_in_ajera_by_itself() -> None:
    async with an_office() as world:
        _, project = await ticked_job(world)
        ours = world.link(Kind.PROJECT, project)
        await world.run()
        held = world.ajera.get("projects", ours)
        assert (held["SyncToCRM"], held["CreateInCRM"]) == (False, False)


# -- what a project brings along ---------------------------------------------------------------------


async def test_an_unticked_client_is_kept_in_step_while_a_ticked_project_names_it() -> None:
    async with an_office() as world:
        firm = crm_firm(world.crm, "Acme Supplies")
        project = crm_project(world.crm, "26-01", "Town Hall", firm, AjeraSync="Y", ProjectTemplate=TEMPLATE_CODE)
        await world.run()
        client = world.link(Kind.FIRM, firm)
        world.crm_edit("firm", firm, Name="Acme Supply Co.")
        await world.run()
        assert world.ajera.get("clients", client)["Description"] == "Acme Supply Co."
        row = world.service.row(Kind.FIRM, firm)
        assert not row.marked
        assert "26-01" in (row.reason or "")
        world.crm_edit("project", project, AjeraSync="N")
        world.crm_edit("firm", firm, Name="Acme Again")
        await world.run()
        assert world.ajera.get("clients", client)["Description"] == "Acme Supply Co."


async def test_a_project_contact_brings_its_firm_and_itself() -> None:
    async with an_office() as world:
        _, project = await ticked_job(world)
        other = crm_firm(world.crm, "Brown Consultants")
        person = crm_contact(world.crm, "Ann", "Archer", other)
        world.clock.forward(hours=1)
        project_row(world, project, person)
        world.crm.edit("project", project, {"Memo": "a contact was added"})
        await world.run()
        await world.run()
        contact = world.link(Kind.CONTACT, person)
        client = world.link(Kind.FIRM, other)
        assert {e["ContactKey"] for e in world.ajera.get("clients", client)["Contacts"]} == {contact}
        held = world.ajera.get("projects", world.link(Kind.PROJECT, project))
        assert {e["ContactKey"] for e in held["Contacts"]} == {contact}


async def test_an_unticked_project_contact_leaves_the_list_and_peoples_own_entries_stay() -> None:
    async with an_office() as world:
        firm, project = await ticked_job(world)
        person = crm_contact(world.crm, "Ann", "Archer", firm, AjeraSync="Y")
        row = project_row(world, project, person)
        world.crm_edit("project", project, Memo="a contact was added")
        await world.run()
        await world.run()
        ours = world.link(Kind.PROJECT, project)
        own = world.ajera.insert("contacts", {"FirstName": "Own", "LastName": "Entry"})
        held = world.ajera.get("projects", ours)["Contacts"]
        world.ajera_edit("projects", ours, Contacts=[*held, {"ContactKey": own, "Order": 2, "Text": "Inspector"}])
        world.crm_edit("project_contact", row, AjeraSync="N")
        world.crm_edit("project", project, Memo="a tick was taken off")
        await world.run()
        await world.run()
        (entry,) = world.ajera.get("projects", ours)["Contacts"]
        assert (entry["ContactKey"], entry["Text"]) == (own, "Inspector")


# -- caps and profiles ---------------------------------------------------------------------------------


async def test_vantagepoint_has_no_cap_per_firm_and_twenty_per_project() -> None:
    firm_cap, project_cap = PROFILE_CAPS["vantagepoint"]
    rules = replace(Policy(), firm_cap=firm_cap, project_cap=project_cap, caps_profile="vantagepoint")
    async with an_office(profile="vantagepoint", settings=EngineSettings(rules)) as world:
        firm = crm_firm(world.crm, "Acme Supplies", AjeraSync="Y")
        people = [crm_contact(world.crm, f"P{n:02}", "Person", firm) for n in range(22)]
        project = crm_project(world.crm, "26-01", "Town Hall", firm, AjeraSync="Y", ProjectTemplate=TEMPLATE_CODE)
        for person in people:
            project_row(world, project, person, AjeraSync="N")
        await world.first_pull()
        assert not world.service.mark(Kind.CONTACT, people, True, firm=firm).refused
        marked = world.service.mark(Kind.CONTACT, people, True, project=project)
        assert len(marked.changed) == 20
        assert [key for key, _ in marked.refused] == people[20:]
        await world.run()
        await world.run()
        client = world.link(Kind.FIRM, firm)
        assert len(world.ajera.get("clients", client)["Contacts"]) == 22
        held = world.ajera.get("projects", world.link(Kind.PROJECT, project))
        assert len(held["Contacts"]) == 20
        writes = world.writes()
        await world.run()
        assert world.writes() == writes


async def test_dps_has_five_per_project() -> None:
    async with an_office() as world:
        firm, project = await ticked_job(world)
        people = [crm_contact(world.crm, f"P{n}", "Person", firm) for n in range(6)]
        for person in people:
            project_row(world, project, person, AjeraSync="N")
        world.crm_edit("project", project, Memo="contacts")
        await world.run()
        marked = world.service.mark(Kind.CONTACT, people, True, project=project)
        assert [key for key, _ in marked.refused] == people[5:]
        assert all(f"Person, P{n}" in marked.refused[0][1] for n in range(5))


async def test_tick_columns_of_other_names_are_used_as_the_settings_say_and_kept_here_where_there_is_none() -> None:
    quirks = {"firm_contact_flag": "CustAjera"}
    async with an_office(crm_quirks=quirks, columns={"project_contact": ""}) as world:
        firm = crm_firm(world.crm, "Acme Supplies", AjeraSync="Y")
        person = crm_contact(world.crm, "Ann", "Archer", firm)
        project = crm_project(world.crm, "26-01", "Town Hall", firm, AjeraSync="Y", ProjectTemplate=TEMPLATE_CODE)
        row = project_row(world, project, person, AjeraSync="N")
        await world.first_pull()
        world.service.mark(Kind.CONTACT, [person], True, project=project)
        await world.run()
        await world.run()
        held = world.ajera.get("projects", world.link(Kind.PROJECT, project))
        assert len(held["Contacts"]) == 1
        assert world.crm.get("project_contact", row)["AjeraSync"] == "N"
        assert [mark.local for mark in world.service.store.marks().values()] == [True]


# -- a company that is client and vendor -----------------------------------------------------------------


async def test_a_firm_that_is_client_and_vendor_is_one_firm_and_a_vendor_alone_is_not_tickable() -> None:
    async with an_office() as world:
        both = crm_firm(world.crm, "Geo Borings", VendorInd="Y", Category="C")
        vendor = crm_firm(world.crm, "Paper Co", ClientInd="N", VendorInd="Y", Category="C")
        await world.first_pull()
        marked = world.service.mark(Kind.FIRM, [both, vendor], True)
        assert marked.changed == (both,)
        assert marked.refused == ((vendor, "not a client"),)
        await world.run()
        world.crm_edit("firm", both, WebSite="geo.example")
        await world.run()
        held = world.ajera.get("clients", world.link(Kind.FIRM, both))
        assert held["Website"] == "geo.example"
        assert world.crm.get("firm", both)["VendorInd"] == "Y"


async def totals_of_an_unticked_project_are_not_asked_for(world: Office) -> None:
    _, project = await ticked_job(world)
    world.crm_edit("project", project, AjeraSync="N")
    add_totals(world, world.link(Kind.PROJECT, project), Spent_Labor="10")
    world.clock.forward(hours=26)
    await world.run()
    assert world.crm.get("project", project)["AjeraSpentLabor"] == 0


async def test_unticked_projects_take_part_in_nothing() -> None:
    async with an_office() as world:
        await totals_of_an_unticked_project_are_not_asked_for(world)
