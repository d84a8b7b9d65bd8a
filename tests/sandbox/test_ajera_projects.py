"""Projects, templates and totals of the emulated Ajera."""

from __future__ import annotations

import copy
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from core.sandbox.ajera.call import INVALID_DATA
from core.sandbox.ajera.vocabulary import TOTALS
from tests.sandbox.ajera_books import Ajera, Clock, books, running

PROJECT = {"Description": "New pier", "BillingType": "TimeAndExpense", "RateTableKey": 1, "CompanyKey": 1}


def wanted(**project: Any) -> dict[str, Any]:
    return {
        "CreateType": "Project",
        "Project": {**PROJECT, **project},
        "InvoiceGroups": [{"Description": "Invoice Group 1", "ClientKey": 2, "InvoiceFormatKey": 1}],
        "Phases": [{"Description": "General"}, {"Description": "Build", "BillingType": "FixedFee"}],
    }


async def listed(ajera: Ajera, **filters: Any) -> list[str]:
    return [p["ID"] for p in (await ajera.content("ListProjects", filters))["Projects"]]


async def test_filters_of_projects() -> None:
    data = books()
    data.edit("projects", 5, {"Status": "Closed"})
    async with running(data) as ajera:
        assert await listed(ajera) == ["26-001", "26-002"]
        assert await listed(ajera, FilterByStatus=["Active", "Preliminary"]) == ["26-001"]
        assert await listed(ajera, FilterBySyncToCRM=[True]) == ["26-001"]
        assert await listed(ajera, FilterByNameLike="002") == ["26-002"]
        assert await listed(ajera, FilterByDescriptionLike="002") == []
        assert await listed(ajera, FilterByDescriptionEquals="town hall") == ["26-001"]
        assert await listed(ajera, FilterByIDLike="26-") == ["26-001", "26-002"]
        assert await listed(ajera, FilterByIDEquals="26-001") == ["26-001", "26-002"]
        assert await ajera.refusal("ListProjects", {"FilterBySyncToCRM": True}) == INVALID_DATA
    async with running(data, project_status_filter="active") as ajera:
        assert await listed(ajera, FilterByStatus=["Closed"]) == ["26-001"]


async def test_version_1_is_nested() -> None:
    async with running() as ajera:
        project = await ajera.one("Projects", 1)
        group = project["InvoiceGroups"][0]
        assert group["Client"] == {"ClientKey": 1, "Description": "Acme Supplies"}
        design, build = group["Phases"]
        assert [p["Description"] for p in design["Phases"]] == ["Sketch"]
        assert build["CF_Stage"] == "late"
        assert "ParentKey" not in design
        assert "ProjectKey" not in group
        assert "Resources" not in design
        assert project["CF_Sector"]["Value"] == "Civic"
        assert project["ProjectManager"]["LastName"] == "Ruiz"
        assert project["Contacts"][0]["FirstName"] == "Zoë"
        assert "EstimatedStartDate" not in project
        assert project["LastModifiedDate"] == design["LastModifiedDate"]
        full = (await ajera.content("GetProjectsWithResources", {"RequestedProjects": [1]}))["Projects"][0]
        resource = full["InvoiceGroups"][0]["Phases"][0]["Resources"][0]
        assert (resource["EmployeeKey"], resource["Units"]) == (1, 40)


async def test_version_2_has_four_flat_arrays() -> None:
    async with running() as ajera:
        content = await ajera.content("GetProjects", {"RequestedProjects": [1, 5]}, 2)
        assert set(content) == {"Projects", "InvoiceGroups", "Phases", "Resources"}
        project = content["Projects"][0]
        assert project["CustomFields"]["Sector"]["Value"] == "Civic"
        assert "Contacts" not in project
        assert "InvoiceGroups" not in project
        group = content["InvoiceGroups"][0]
        assert (group["ProjectKey"], group["ClientKey"], group["ClientDescription"]) == (1, 1, "Acme Supplies")
        design, sketch, build = content["Phases"][:3]
        assert (design["ParentKey"], sketch["ParentKey"]) == (1, design["PhaseKey"])
        assert "CustomFields" not in design
        assert build["CustomFields"] == {"Stage": "late"}
        resource = content["Resources"][0]
        assert resource["Employee"] == {"FirstName": "Ana", "MiddleName": "", "LastName": "Ruiz"}
        assert resource["PhaseKey"] == resource["ParentKey"] == design["PhaseKey"]
        assert "EmployeeKey" not in resource
    async with running(resource_link="ParentKey") as ajera:
        content = await ajera.content("GetProjects", {"RequestedProjects": [1]}, 2)
        assert "PhaseKey" not in content["Resources"][0]
    async with running(resources_v2="missing") as ajera:
        assert "Resources" not in await ajera.content("GetProjects", {"RequestedProjects": [1]}, 2)


async def test_totals_take_a_scalar_and_have_odd_names() -> None:
    async with running() as ajera:
        record = (await ajera.content("GetProjectTotals", {"RequestedProjectTotals": 1}))["ProjectTotals"]
        assert set(TOTALS) <= set(record)
        assert (record["Hours Worked"], record["Cost"], record["Spent"], record["Cost Burdened"]) == (
            8,
            480,
            1200,
            1200,
        )
        design, build = record["InvoiceGroups"][0]["Phases"]
        assert (design["Hours Worked"], build["Hours Worked"]) == (8, 0)
        assert "Hours Worked" not in record["InvoiceGroups"][0]
        assert await ajera.refusal("GetProjectTotals", {"RequestedProjectTotals": [1]}) == INVALID_DATA
        assert await ajera.content("GetProjectTotals", {"RequestedProjectTotals": 999}) == {}
    for shape, name in (("array", "ProjectTotals"), ("projects", "Projects")):
        async with running(totals_shape=shape) as ajera:
            content = await ajera.content("GetProjectTotals", {"RequestedProjectTotals": 1})
            assert content[name][0]["Hours Worked"] == 8


@pytest.mark.parametrize(("quirk", "moved"), [("no", False), ("yes", True)])
async def test_posted_time_and_the_stamp(quirk: str, moved: bool) -> None:
    clock = Clock()
    async with running(books(clock), transactions_move_stamp=quirk) as ajera:
        before = await ajera.one("Projects", 1)
        clock.advance(minutes=5)
        ajera.data.post_time(2, 1, 3, date(2026, 3, 2), Decimal("7.5"))
        assert ((await ajera.one("Projects", 1))["LastModifiedDate"] != before["LastModifiedDate"]) is moved
        assert ajera.data.totals_of(1)["Hours Worked"] == Decimal("15.5")
        assert ajera.data.totals_of(2)["Hours Worked"] == Decimal("15.5"), "the phase above takes part"


@pytest.mark.parametrize(("quirk", "moved"), [("no", False), ("yes", True)])
async def test_a_changed_phase_and_the_stamp_of_its_project(quirk: str, moved: bool) -> None:
    clock = Clock()
    async with running(books(clock), child_moves_parent=quirk) as ajera:
        clock.advance(hours=1)
        before = ajera.data.stamps["projects"][1]
        ajera.data.edit("phases", 2, {"Notes": "x"})
        assert (ajera.data.stamps["projects"][1] != before) is moved


def test_saving_a_project_stamps_its_phases() -> None:
    data = books()
    data.edit("projects", 1, {"Notes": "x"})
    assert {data.stamps["phases"][k] for k in (2, 3, 4)} == {data.stamps["projects"][1]}


async def test_templates_are_nested_with_their_own_keys() -> None:
    async with running() as ajera:
        rows = await ajera.content("ListProjectTemplates", {"FilterByDescriptionEquals": "standard building"})
        key = rows["ProjectTemplates"][0]["ProjectTemplateKey"]
        found = (await ajera.content("GetProjectTemplates", {"RequestedProjects": [key]}))["ProjectTemplates"][0]
        assert "ProjectKey" not in found
        assert found["CF_Sector"] == "Civic"
        phase = found["InvoiceGroups"][0]["Phases"][0]
        assert phase["Phases"][0]["Description"] == "Sketch"
        assert phase["LastModifiedDate"] == found["LastModifiedDate"]
        assert await ajera.refusal("GetProjectTemplates", {"RequestedProjectTemplates": [key]}) == INVALID_DATA


async def test_chargeable_phases_are_flat_with_levels() -> None:
    async with running() as ajera:
        for version in (1, 2):
            rows = (await ajera.content("ListChargeablePhases", {"ProjectKey": 1}, version))["ChargeablePhases"]
            assert [(r["Level"], r["Description"]) for r in rows] == [
                (0, "Town Hall"),
                (1, "Design"),
                (2, "Sketch"),
                (1, "Build"),
            ]
        assert await ajera.refusal("ListChargeablePhases", {"ProjectKey": [1]}) == INVALID_DATA


async def test_percent_complete_in_both_scales() -> None:
    async with running(percent_scale="one") as ajera:
        before = await ajera.one("Projects", 1)
        assert before["ReportedPercentComplete"] == 0.4
        reply = await ajera.update("Projects", {**before, "ReportedPercentComplete": 0.5}, before)
        assert reply["Content"]["Projects"][0]["ReportedPercentComplete"] == 0.5
        assert ajera.data.get("projects", 1)["ReportedPercentComplete"] == 50


# -- create -----------------------------------------------------------------------------------------------------------


async def test_a_project_is_created_with_the_proven_properties() -> None:
    async with running() as ajera:
        args = wanted(
            ID="26-014", DepartmentKey=1, ProjectTypeKey=2, Status="Preliminary", ProjectManager={"EmployeeKey": 1},
            PrincipalInCharge={"EmployeeKey": 1}, EstimatedStartDate="2026-01-05", Notes="n",
        )  # fmt: skip
        content = await ajera.content("CreateProjects", args, 2)
        project = content["Projects"][0]
        assert (project["ID"], project["Status"], project["EstimatedStartDate"]) == (
            "26-014",
            "Preliminary",
            "2026-01-05",
        )
        assert project["ProjectManager"]["FirstName"] == "Ana"
        assert [p["Description"] for p in content["Phases"]] == ["General", "Build"]
        assert {p["ParentKey"] for p in content["Phases"]} == {project["ProjectKey"]}
        assert [p["BillingType"] for p in content["Phases"]] == ["TimeAndExpense", "FixedFee"]
        assert content["Phases"][0]["LaborEntry"] is True
        assert content["InvoiceGroups"][0]["ClientKey"] == 2
        assert (await ajera.one("Projects", project["ProjectKey"]))["Notes"] == "n"


def badly_shaped() -> dict[str, dict[str, Any]]:
    good = wanted()
    return {
        "wrapped": {"Projects": [good["Project"]], "InvoiceGroups": good["InvoiceGroups"], "Phases": good["Phases"]},
        "no type": {k: v for k, v in good.items() if k != "CreateType"},
        "other type": {**good, "CreateType": "Phase"},
        "no phases": {**good, "Phases": []},
        "groups as object": {**good, "InvoiceGroups": good["InvoiceGroups"][0]},
        "a key of its own": {**good, "Project": {**PROJECT, "ProjectKey": -1}},
        "unknown property": {**good, "Project": {**PROJECT, "Name": "x"}},
        "nested phases": {**good, "Phases": [{"Description": "A", "Phases": [{"Description": "B"}]}]},
    }


@pytest.mark.parametrize("case", list(badly_shaped()))
async def test_a_badly_shaped_create_is_a_success_that_makes_nothing(case: str) -> None:
    async with running() as ajera:
        content = await ajera.content("CreateProjects", badly_shaped()[case], 2)
        assert "ProjectKey" not in content["Projects"][0]
        assert len(ajera.data.tables["projects"]) == 2
        assert ajera.server.ledger[-1].changes == ()


@pytest.mark.parametrize(
    "wrong",
    [
        {"Description": ""},
        {"Description": "x" * 81},
        {"ID": "x" * 31},
        {"BillingType": "Free"},
        {"RateTableKey": 99},
        {"RateTableKey": None},
        {"Status": "Done"},
        {"ProjectManager": {"EmployeeKey": 2}},
        {"PrincipalInCharge": {"EmployeeKey": 2}},
        {"ProjectManager": {"EmployeeKey": 99}},
        {"EstimatedStartDate": "01/05/2026"},
    ],
)
async def test_values_that_are_refused_on_create(wrong: dict[str, Any]) -> None:
    async with running() as ajera:
        await ajera.refusal("CreateProjects", wanted(**wrong), 2)
        assert len(ajera.data.tables["projects"]) == 2


async def test_a_group_needs_a_client_that_exists() -> None:
    async with running() as ajera:
        for client in (None, 99):
            args = wanted() | {"InvoiceGroups": [{"Description": "g", "ClientKey": client}]}
            assert await ajera.refusal("CreateProjects", args, 2) == INVALID_DATA
        assert await ajera.content("CreateProjects", wanted() | {"InvoiceGroups": [{"ClientKey": 1}]}, 2)
    async with running(create_invoice_format="required") as ajera:
        await ajera.refusal("CreateProjects", wanted() | {"InvoiceGroups": [{"ClientKey": 1}]}, 2)


async def test_what_create_ignores() -> None:
    extras = {"SyncToCRM": True, "TotalContractAmount": 5, "HoursCostBudget": 9, "Contacts": [{"ContactKey": 1}]}
    async with running() as ajera:
        made = await ajera.content(
            "CreateProjects", wanted(**extras, CF_Sector="Civic", CustomFields={"Sector": "x"}), 2
        )
        project = made["Projects"][0]
        assert (project["SyncToCRM"], project["TotalContractAmount"], project["HoursCostBudget"]) == (False, 0, 0)
        assert "CustomFields" not in project
    async with running(create_extras="accept") as ajera:
        made = await ajera.content("CreateProjects", wanted(**extras), 2)
        assert (made["Projects"][0]["SyncToCRM"], made["Projects"][0]["TotalContractAmount"]) == (True, 5)
    async with running(create_extras="error") as ajera:
        await ajera.refusal("CreateProjects", wanted(**extras), 2)


async def test_quirks_of_create() -> None:
    async with running(create_phases="nested") as ajera:
        made = await ajera.content("CreateProjects", badly_shaped()["nested phases"], 2)
        a, b = made["Phases"]
        assert b["ParentKey"] == a["PhaseKey"]
    async with running() as ajera:
        assert (await ajera.content("CreateProjects", wanted(ID="26-001"), 2))["Projects"][0]["ProjectKey"]
        assert (await ajera.content("CreateProjects", wanted(), 2))["Projects"][0]["ID"] == ""
    async with running(duplicate_project_id="error", duplicate_project_name="error") as ajera:
        assert "ID" in await ajera.refusal("CreateProjects", wanted(ID="26-001"), 2)
        assert "Description" in await ajera.refusal("CreateProjects", wanted(Description="town hall"), 2)
    async with running(long_text="cut", blank_project_id="auto") as ajera:
        project = (await ajera.content("CreateProjects", wanted(Description="x" * 99), 2))["Projects"][0]
        assert (len(project["Description"]), project["ID"]) == (80, "26-001")


# -- update -----------------------------------------------------------------------------------------------------------


async def test_version_1_takes_the_whole_project_with_its_original() -> None:
    async with running() as ajera:
        before = await ajera.one("Projects", 1)
        after = copy.deepcopy(before)
        after["Notes"] = "seen"
        after["CF_Sector"]["Value"] = "Housing"
        after["InvoiceGroups"][0]["Client"] = {"ClientKey": 2}
        after["InvoiceGroups"][0]["Phases"][0]["Phases"][0]["Description"] = "Sketches"
        after["Contacts"] = [*after["Contacts"], {"ContactKey": 1, "Order": 2, "Text": ""}]
        content = (await ajera.update("Projects", after, before))["Content"]
        assert content["NumberOfProjectsUpdated"] == 1
        project = content["Projects"][0]
        assert project == await ajera.one("Projects", 1)
        assert (project["Notes"], project["CF_Sector"]["Value"]) == ("seen", "Housing")
        group = project["InvoiceGroups"][0]
        assert group["Client"]["Description"] == "Borough of Kent"
        assert group["Phases"][0]["Phases"][0]["Description"] == "Sketches"
        assert [c["ContactKey"] for c in project["Contacts"]] == [3, 1]
        assert project["LastModifiedDate"] == group["Phases"][1]["LastModifiedDate"] != before["LastModifiedDate"]


async def test_version_1_refuses_stale_no_op_unknown_and_lost_children() -> None:
    async with running() as ajera:
        before = await ajera.one("Projects", 1)
        assert "No changes" in (await ajera.update("Projects", before, before))["Message"]
        assert (await ajera.update("Projects", {**before, "Spent": 5}, before))["Message"] == INVALID_DATA
        fewer = copy.deepcopy(before)
        fewer["InvoiceGroups"][0]["Phases"].pop()
        assert (await ajera.update("Projects", fewer, before))["ResponseCode"] == -100
        await ajera.refusal("UpdateProjects", {"UpdatedProjects": [], "UnchangedProjects": [before]})
        await ajera.refusal("UpdateProjects", {"UpdatedProjects": [before], "UnchangedProjects": []})
        too_long = {**before, "Description": "x" * 81}
        assert "too long" in (await ajera.update("Projects", too_long, before))["Message"]
        ajera.data.edit("phases", 4, {"Notes": "someone"})
        reply = await ajera.update("Projects", {**before, "Notes": "x"}, before)
        assert reply["Message"] == "The record was modified by another user."
    async with running(delete_form="delete") as ajera:
        assert (await ajera.update("Projects", fewer, await ajera.one("Projects", 1)))["ResponseCode"] == 200
        assert 4 not in ajera.data.tables["phases"]


async def test_version_1_adds_groups_and_phases_with_negative_keys() -> None:
    async with running() as ajera:
        before = await ajera.one("Projects", 1)
        after = copy.deepcopy(before)
        below = {"PhaseKey": -3, "Description": "Below"}
        after["InvoiceGroups"].append(
            {
                "InvoiceGroupKey": -1,
                "Description": "Second",
                "Client": {"ClientKey": 1},
                "Phases": [{"PhaseKey": -2, "Description": "Extra", "Phases": [below]}],
            }
        )
        reply = await ajera.update("Projects", after, before)
        group = reply["Content"]["Projects"][0]["InvoiceGroups"][1]
        assert group["OriginalInvoiceGroupKey"] == -1
        assert group["Phases"][0]["OriginalPhaseKey"] == -2
        assert group["Phases"][0]["Phases"][0]["OriginalPhaseKey"] == -3


@pytest.mark.parametrize(
    ("mode", "flags", "contacts"), [("accept", True, 2), ("ignore", False, 1), ("error", False, 1)]
)
async def test_contacts_and_flags_in_version_1_by_quirk(mode: str, flags: bool, contacts: int) -> None:
    async with running(project_contacts_v1=mode, crm_flags=mode) as ajera:
        before = await ajera.one("Projects", 5)
        links = [*before["Contacts"], {"ContactKey": 1, "Order": 2, "Text": ""}]
        reply = await ajera.update("Projects", {**before, "SyncToCRM": True, "Contacts": links, "Notes": "n"}, before)
        assert (reply["ResponseCode"] == 200) is (mode != "error")
        now = ajera.data.get("projects", 5)
        assert (now["SyncToCRM"], len(now["Contacts"])) == (flags, contacts)


async def v2(ajera: Ajera, change: dict[str, Any], base: dict[str, Any] | None = None) -> dict[str, Any]:
    base = base or await ajera.content("GetProjects", {"RequestedProjects": [1]}, 2)
    return await ajera.call("UpdateProjects", {"UpdatedProjects": [change], "UnchangedProjects": base}, 2)


async def test_version_2_takes_only_what_changed_with_the_whole_bundle() -> None:
    async with running() as ajera:
        reply = await v2(ajera, {"ProjectKey": 1, "Notes": "new text", "TotalContractAmount": 99.5})
        assert reply["Content"]["Projects"][0]["Notes"] == "new text"
        assert reply["Content"]["Projects"][0]["TotalContractAmount"] == 99.5
        assert len(reply["Content"]["Phases"]) == 3
        assert ajera.data.get("projects", 1)["Description"] == "Town Hall"
        sector = {"Value": "Housing", "AllowEdit": False, "Values": ["Civic", "Housing"]}
        reply = await v2(ajera, {"ProjectKey": 1, "CustomFields": {"Sector": sector}})
        assert reply["Content"]["Projects"][0]["CustomFields"]["Sector"]["Value"] == "Housing"


async def test_version_2_refuses_stale_no_op_unknown_and_children() -> None:
    async with running() as ajera:
        base = await ajera.content("GetProjects", {"RequestedProjects": [1]}, 2)
        assert "No changes" in (await v2(ajera, {"ProjectKey": 1, "Notes": ""}, base))["Message"]
        for wrong in ({"Contacts": []}, {"Nick": "x"}, {"CF_Sector": "x"}, {"CustomFields": {"None": "x"}}):
            assert (await v2(ajera, {"ProjectKey": 1, **wrong}, base))["Message"] == INVALID_DATA
        assert (await v2(ajera, {"PhaseKey": 2, "Notes": "x"}, base))["Message"] == INVALID_DATA
        assert (await v2(ajera, {"ProjectKey": 5, "Notes": "x"}, base))["Message"] == INVALID_DATA
        ajera.data.edit("projects", 1, {"Location": "moved"})
        assert "another user" in (await v2(ajera, {"ProjectKey": 1, "Notes": "x"}, base))["Message"]
    async with running(update_children_v2="accept") as ajera:
        reply = await v2(ajera, {"PhaseKey": 2, "Notes": "phase note"})
        assert reply["Content"]["Phases"][0]["Notes"] == "phase note"


def test_an_edited_phase_keeps_its_place_and_follows_its_parent() -> None:
    data = books()
    data.edit("phases", 2, {"Notes": "x"})
    assert data.children["phases"][1] == [2, 3, 4]
    data.edit("phases", 2, {"ProjectKey": 5})
    assert data.children["phases"][1] == [3, 4]
    assert data.children["phases"][5][-1] == 2


def test_deleting_a_project_takes_its_children_along() -> None:
    data = books()
    data.delete("projects", 1)
    assert list(data.tables["phases"]) == [6, 7, 8]
    assert list(data.tables["invoice_groups"]) == [2]
    assert len(data.tables["resources"]) == 1
    assert 1 not in data.tables["totals"]


async def test_version_1_moves_a_phase_by_its_place_in_the_tree() -> None:
    async with running() as ajera:
        before = await ajera.one("Projects", 1)
        after = copy.deepcopy(before)
        design, build = after["InvoiceGroups"][0]["Phases"]
        build["Phases"] = [design["Phases"].pop()]
        group = {"InvoiceGroupKey": -1, "Description": "Second", "Client": {"ClientKey": 1}, "Phases": [design]}
        after["InvoiceGroups"][0]["Phases"] = [build]
        after["InvoiceGroups"].append(group)
        first, second = (await ajera.update("Projects", after, before))["Content"]["Projects"][0]["InvoiceGroups"]
        assert [p["Description"] for p in first["Phases"]] == ["Build"]
        assert [p["Description"] for p in first["Phases"][0]["Phases"]] == ["Sketch"]
        assert [p["Description"] for p in second["Phases"]] == ["Design"]


async def test_a_pick_list_takes_its_own_values_only() -> None:
    async with running() as ajera:
        before = await ajera.one("Projects", 1)
        for wrong in ("Housing", {**before["CF_Sector"], "Value": "Else"}, {"Value": "Housing"}):
            assert (await ajera.update("Projects", {**before, "CF_Sector": wrong}, before))["Message"] == INVALID_DATA
        cleared = await ajera.update("Projects", {**before, "CF_Sector": None}, before)
        assert "CF_Sector" not in cleared["Content"]["Projects"][0]
        phases = await ajera.one("Projects", 1)
        phases["InvoiceGroups"][0]["Phases"][1]["CF_Stage"] = "early"
        reply = await ajera.update("Projects", phases, await ajera.one("Projects", 1))
        assert reply["Content"]["Projects"][0]["InvoiceGroups"][0]["Phases"][1]["CF_Stage"] == "early"


@pytest.mark.parametrize("single", [True, False])
async def test_partial_success_of_projects(single: bool) -> None:
    async with running() as ajera:
        first, second = await ajera.one("Projects", 1), await ajera.one("Projects", 5)
        changed = [{**first, "Notes": "a"}, {**second, "Status": "Done"}]
        args = {"UpdatedProjects": changed, "UnchangedProjects": [first, second], "UseSingleTransaction": single}
        reply = await ajera.call("UpdateProjects", args)
        assert (reply["ResponseCode"], len(reply["Errors"])) == (-100, 1)
        assert reply["Content"].get("NumberOfProjectsUpdated", 0) == (0 if single else 1)
        assert ajera.data.get("projects", 1)["Notes"] == ("" if single else "a")


@pytest.mark.parametrize(
    "broken",
    [
        {"InvoiceGroups": "x"},
        {"InvoiceGroups": [{"Phases": []}]},
        {"InvoiceGroups": [{"InvoiceGroupKey": 77, "Phases": []}]},
        {"InvoiceGroups": [{"InvoiceGroupKey": -1, "Phases": [{"PhaseKey": -2}]}]},
        {"ProjectManager": {"EmployeeKey": 2}},
        {"ProjectManager": 1},
        {"Contacts": [{"ContactKey": -1, "LastName": "New"}]},
    ],
)
async def test_broken_project_updates_change_nothing(broken: dict[str, Any]) -> None:
    async with running() as ajera:
        before = await ajera.one("Projects", 1)
        assert (await ajera.update("Projects", {**before, **broken}, before))["ResponseCode"] == -100
        assert await ajera.one("Projects", 1) == before
        assert ajera.server.ledger[-2].changes == ()
