"""Metadata, code tables, organisations, and the switches."""

from __future__ import annotations

from dataclasses import fields

import pytest

from core.quirks.ajera import AjeraQuirks
from core.quirks.crm import CrmQuirks, QuirkError
from tests.sandbox.crm_kit import Crm


async def field_of(crm: Crm, hub: str, table: str, caption: str) -> dict[str, object] | None:
    document = await crm.get(f"metadata/{hub}")
    return next((f for f in document[table]["Fields"] if f["Caption"] == caption), None)


async def test_captions_lead_to_the_ajera_columns() -> None:
    crm = Crm()
    assert (await field_of(crm, "firm", "Clendor", "Sync to Ajera"))["FieldName"] == "AjeraSync"
    assert (await field_of(crm, "contact", "Contacts", "Ajera Sync"))["FieldName"] == "AjeraSync"
    assert (await field_of(crm, "project", "PRContactAssoc", "Ajera Sync"))["FieldName"] == "AjeraSync"
    template = await field_of(crm, "project", "PR", "Ajera Project Template")
    assert (template["FieldName"], template["CodeTable"], template["MaxLength"]) == (
        "ProjectTemplate",
        "CFGAjeraProjectTemplate",
        10,
    )


async def test_every_attribute_of_a_field() -> None:
    crm = Crm()
    document = await crm.get("metadata/firm")
    assert {"Keys", "TableName", "CustomTable", "GridID", "Hidden", "Updateable", "Fields"} == set(document["Clendor"])
    name = await field_of(crm, "firm", "Clendor", "Firm Name")
    assert name == {
        "FieldName": "Name",
        "FieldType": "Name",
        "Caption": "Firm Name",
        "DefaultValue": "",
        "Hidden": False,
        "Required": True,
        "BaseRequired": True,
        "Updateable": True,
        "BaseUpdateable": True,
        "CustomField": False,
        "Searchable": True,
        "MaxLength": 100,
        "Decimals": 0,
        "CodeTable": "",
        "LimitToList": False,
    }
    assert (await field_of(crm, "firm", "CLAddress", "City"))["MaxLength"] == 30
    assert (await field_of(crm, "contact", "Contacts", "Contact ID"))["DefaultValue"] == "[GUID]"


async def test_other_names_for_flags_and_template() -> None:
    crm = Crm(
        firm_contact_flag="SyncAjera",
        project_contact_flag="",
        template_field="AjeraTemplate",
        template_code_table="CFGTemplates",
        custom_marker="CustAjeraKey",
    )
    crm.data.code_tables["CFGAjeraProjectTemplate"].append(
        {"Code": "ARCH", "Description": "Architecture", "Seq": 1, "Status": "A"}
    )
    assert (await crm.get("codeTable/CFGTemplates"))[0]["Description"] == "Architecture"
    assert (await crm.call("GET", "codeTable/CFGAjeraProjectTemplate"))[0] == 404
    contact, project = crm.contact(), crm.project()
    _, changed = await crm.call("PUT", f"contact/{contact}", {"SyncAjera": "Y", "CustAjeraKey": "17"})
    assert (changed[0]["SyncAjera"], changed[0]["CustAjeraKey"]) == ("Y", "17")
    assert crm.data.get("contact", contact)["AjeraSync"] == "Y"
    assert (await crm.call("PUT", f"contact/{contact}", {"AjeraSync": "Y"}))[0] == 400
    assert (await crm.call("PUT", f"project/{project}", {"AjeraTemplate": "ARCH"}))[0] == 200
    assert (await crm.call("PUT", f"project/{project}", {"AjeraTemplate": "NOPE"}))[0] == 400
    assert await field_of(crm, "project", "PRContactAssoc", "Ajera Sync") is None


async def test_profiles_and_the_ajera_switch() -> None:
    dps, vantagepoint = Crm(), Crm(profile="vantagepoint")
    keys = [set((await crm.get("metadata/project"))["PR"]) for crm in (dps, vantagepoint)]
    assert keys[0] == keys[1]
    assert await field_of(dps, "project", "PR", "Stage") is None
    assert await field_of(vantagepoint, "project", "PR", "Stage") is not None
    assert await field_of(vantagepoint, "project", "PR", "Opportunity") is None
    without = Crm(ajera_columns=False)
    key = without.project()
    assert not any("Ajera" in name for name in (await without.get(f"project/{key}"))[0])


async def test_a_login_that_may_only_read() -> None:
    crm = Crm(login_rights="read")
    key = crm.firm()
    assert (await crm.call("GET", f"firm/{key}"))[0] == 200
    for method, path in (("POST", "firm"), ("PUT", f"firm/{key}"), ("DELETE", f"firm/{key}")):
        assert (await crm.call(method, path, {"Memo": "x"}))[0] == 403
    assert crm.data.get("firm", key)["Memo"] == ""


async def test_code_tables_are_read_and_written() -> None:
    crm = Crm()
    rows = await crm.get("codeTable/CFGClientStatus")
    assert rows[0] == {"Code": "A", "Description": "Active", "Seq": 1, "Status": "A"}
    assert (await crm.get("codeTable/CFGClientStatus/I"))[0]["Description"] == "Inactive"
    status, made = await crm.call("POST", "codeTable/ProjectType", {"Code": "NEW", "Description": "New"})
    assert (status, made[0]["Seq"]) == (201, 9)
    assert (await crm.call("POST", "codeTable/ProjectType", {"Code": "NEW", "Description": "New"}))[0] == 400
    assert (await crm.call("POST", "codeTable/ProjectType", {"Code": "X"}))[0] == 400
    body = {"TableName": "ProjectType", "Code": "OTHER", "Description": "Other"}
    assert (await crm.call("POST", "codeTable", body))[0] == 201
    await crm.call("PUT", "codeTable/ProjectType/NEW", {"Description": "Newer"})
    assert (await crm.get("codeTable/ProjectType/NEW"))[0]["Description"] == "Newer"
    assert (await crm.call("DELETE", "codeTable/ProjectType/NEW"))[0] == 200
    assert (await crm.call("GET", "codeTable/ProjectType/NEW"))[0] == 404
    assert (await crm.call("GET", "codeTable/Nope"))[0] == 404
    assert "ProjectType" in await crm.get("metadata/codeTable/ProjectType")
    assert (await crm.call("GET", "metadata/nope"))[0] == 404


async def test_organizations() -> None:
    crm = Crm()
    crm.data.insert("organization", {"Org": "AP:00", "Name": "Main"})
    assert (await crm.get("organization"))[0]["Name"] == "Main"
    assert (await crm.get("organization/AP%3A00"))[0]["Org"] == "AP:00"
    assert (await crm.call("GET", "organization/x"))[0] == 404
    assert (await crm.call("POST", "organization", {}))[0] == 405


def test_switches_are_read_from_text() -> None:
    quirks = CrmQuirks.from_pairs({"contact_cap": "5", "date_needs_type": "no", "put_missing": "create"})
    assert (quirks.contact_cap, quirks.date_needs_type, quirks.put_missing) == (5, False, "create")
    assert CrmQuirks.from_pairs({"contact_cap": 7, "ajera_columns": False, "firm_contact_flag": ""}) == CrmQuirks(
        contact_cap=7, ajera_columns=False, firm_contact_flag=""
    )


def test_every_mistake_is_told_at_once() -> None:
    pairs = {
        "contact_kap": "1",
        "put_missing": "405",
        "contact_cap": "many",
        "refresh_reuse": "so",
        "custom_marker": "a b",
    }
    with pytest.raises(QuirkError) as caught:
        CrmQuirks.from_pairs(pairs)
    assert len(caught.value.problems) == 5
    assert "contact_cap" in caught.value.problems[0]
    assert "did you mean" in caught.value.problems[1]


def test_every_switch_is_described_and_none_clashes() -> None:
    rows = CrmQuirks.describe()
    assert all(all(row) or row[0] == "custom_marker" for row in rows)
    assert not {f.name for f in fields(CrmQuirks)} & {f.name for f in fields(AjeraQuirks)}
