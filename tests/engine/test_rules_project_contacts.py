"""Contacts of a project both ways, over both sandboxes (sync-rules 5)."""

from __future__ import annotations

from core.model.values import Kind
from core.policy import Policy
from tests.engine.kit import TEMPLATE_CODE, EngineSettings, World, crm_contact, crm_firm, crm_project
from tests.engine.weekkit import an_office


async def test_a_contact_put_on_the_project_in_ajera_is_on_the_crms_list_once(world: World) -> None:
    firm = crm_firm(world.crm, "Acme Supplies", AjeraSync="Y")
    ann = crm_contact(world.crm, "Ann", "Lee", firm, AjeraSync="Y")
    project = crm_project(world.crm, "26-001", "Bridge", firm, AjeraSync="Y", ProjectTemplate=TEMPLATE_CODE)
    await world.run()
    await world.run()
    project_key = world.link(Kind.PROJECT, project)
    contact_key = world.link(Kind.CONTACT, ann)
    rows = [*world.ajera.get("projects", project_key).get("Contacts", []), {"ContactKey": contact_key, "Order": 9}]
    world.ajera_edit("projects", project_key, Contacts=rows)
    await world.run()
    listed = world.crm.rows("project_contact", "WBS1", project)
    assert [row["ContactID"] for row in listed] == [ann]
    await world.run()
    assert len(world.crm.rows("project_contact", "WBS1", project)) == 1


async def test_a_row_taken_off_in_the_crm_stays_off(world: World) -> None:
    await test_a_contact_put_on_the_project_in_ajera_is_on_the_crms_list_once(world)
    (row,) = world.crm.rows("project_contact", "WBS1", "26-001")
    world.crm.delete("project_contact", row["RecordID"])
    await world.run(sweep=True)
    await world.run()
    assert world.crm.rows("project_contact", "WBS1", "26-001") == []


async def test_roles_of_project_contacts_travel_by_setting_only() -> None:
    """Role of the CRM's row, Text of Ajera's entry; with a contact that is put on a list, and only then."""
    for on in (False, True):
        async with an_office(settings=EngineSettings(rules=Policy(contact_roles=on))) as world:
            firm = crm_firm(world.crm, "Acme Supplies", AjeraSync="Y")
            people = [
                crm_contact(world.crm, first, "Lee", firm, AjeraSync="Y") for first in ("Zoe", "Ann", "Bob", "Cy")
            ]
            project = crm_project(world.crm, "26-001", "Bridge", firm, AjeraSync="Y", ProjectTemplate=TEMPLATE_CODE)
            for contact, role in ((people[0], "OwnerRep"), (people[1], "")):
                row = {"WBS1": project, "ContactID": contact, "AjeraSync": "Y", "Role": role}
                world.crm.insert("project_contact", row)
            await world.run()
            await world.run()
            key = world.link(Kind.PROJECT, project)
            texts = {row["ContactKey"]: row.get("Text", "") for row in world.ajera.get("projects", key)["Contacts"]}
            zoe, ann, bob, cy = (world.link(Kind.CONTACT, contact) for contact in people)
            assert texts == {zoe: "Owner's Representative" if on else "", ann: ""}

            rows = [*world.ajera.get("projects", key)["Contacts"], {"ContactKey": bob, "Order": 8, "Text": "owner"},
                    {"ContactKey": cy, "Order": 9, "Text": "Nobody's role"}]  # fmt: skip
            world.ajera_edit("projects", key, Contacts=rows)
            await world.run()
            roles = {row["ContactID"]: row["Role"] for row in world.crm.rows("project_contact", "WBS1", project)}
            assert roles == {people[0]: "OwnerRep", people[1]: "", people[2]: "Owner" if on else "", people[3]: ""}
