"""Contacts of a project both ways, over both sandboxes (sync-rules 5)."""

from __future__ import annotations

from core.model.values import Kind
from tests.engine.kit import TEMPLATE_CODE, World, crm_contact, crm_firm, crm_project


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
