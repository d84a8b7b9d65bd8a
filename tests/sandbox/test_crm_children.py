"""Rows below a record: addresses, team, project contacts, associations."""

from __future__ import annotations

import pytest

from tests.sandbox.crm_kit import Crm

NO_OBJECT = "Object reference not set to an instance of an object."


async def test_the_primary_address_is_flattened_into_the_firm() -> None:
    crm = Crm()
    firm = crm.firm()
    body = {"Address": "Main", "Address1": "1 Elm", "City": "Austin", "State": "TX", "FAX": "5", "Email": "a@b.example"}
    status, made = await crm.call("POST", f"firm/{firm}/address", body)
    assert status == 201
    assert made[0]["PrimaryInd"] == "Y"
    assert made[0]["StateDescription"] == "Texas"
    record = (await crm.get(f"firm/{firm}"))[0]
    assert (record["PrimaryAddress1"], record["PrimaryFax"], record["PrimaryEmail"]) == ("1 Elm", "5", "a@b.example")
    assert record["BillingCity"] == ""
    contact = crm.contact(ClientID=firm)
    assert (await crm.get(f"contact/{contact}"))[0]["FirmCity"] == "Austin"


async def test_a_firm_has_one_primary_address() -> None:
    crm = Crm()
    firm = crm.firm()
    for label in ("Main", "Branch"):
        await crm.call("POST", f"firm/{firm}/address", {"Address": label, "PrimaryInd": "true"})
    rows = await crm.get(f"firm/{firm}/address")
    assert [(row["Address"], row["PrimaryInd"]) for row in rows] == [("Main", "N"), ("Branch", "Y")]
    change = {"CLAddressID": rows[1]["CLAddressID"], "ClientID": firm, "Address": "Branch", "PrimaryInd": "N"}
    assert (await crm.call("PUT", f"firm/{firm}", {"CLAddress": [change]}))[0] == 200
    assert [row["PrimaryInd"] for row in await crm.get(f"firm/{firm}/address")] == ["N", "Y"]


async def test_an_address_is_changed_through_its_firm() -> None:
    crm = Crm()
    firm = crm.firm()
    _, made = await crm.call("POST", f"firm/{firm}/address", {"Address": "Main"})
    crm.clock.forward(minutes=1)
    change = {"CLAddressID": made[0]["CLAddressID"], "ClientID": firm, "Address": "Main", "City": "Waco"}
    _, record = await crm.call("PUT", f"firm/{firm}", {"CLAddress": [change]})
    assert record[0]["PrimaryCity"] == "Waco"
    assert record[0]["ModDate"] == "2026-03-02T09:00:00.000"
    _, document = await crm.call("PUT", f"firm/{firm}", {"Memo": "m", "CLAddress": [{**change, "City": "x" * 31}]})
    assert "truncated in table 'Sandbox.dbo.CLAddress', column 'City'" in document["Message"]
    assert crm.data.get("firm", firm)["Memo"] == ""
    unique = Crm(address_label_unique=True, parent_stamp_moves=True)
    firm = unique.firm()
    unique.clock.forward(minutes=1)
    assert (await unique.call("POST", f"firm/{firm}/address", {"Address": "Main"}))[0] == 201
    assert unique.data.get("firm", firm)["ModDate"] == "2026-03-02T09:01:00.000"
    assert (await unique.call("POST", f"firm/{firm}/address", {"Address": "Main"}))[0] == 400


@pytest.mark.parametrize("mode", ["ignored", "address", "error"])
async def test_writing_flattened_fields(mode: str) -> None:
    crm = Crm(flattened_writes=mode)
    firm = crm.firm()
    status, _ = await crm.call("PUT", f"firm/{firm}", {"PrimaryEmail": "a@b.example", "PrimaryFax": "5"})
    emails = [row["Email"] for row in await crm.get(f"firm/{firm}/address")]
    assert (status, emails) == {"ignored": (200, []), "address": (200, ["a@b.example"]), "error": (400, [])}[mode]


async def test_team_rows_by_transaction_type() -> None:
    crm = Crm()
    project, employee = crm.project(), crm.employee()
    row = {"WBS1": project, "Employee": employee, "Role": "Eng", "CRMHours": 12.25, "_transType": "I"}
    status, _ = await crm.call("PUT", f"project/{project}", {"EMPROJECTASSOC": [row]})
    assert status == 200
    made = (await crm.get(f"project/{project}/employee"))[0]
    assert (made["CRMHours"], made["StartDate"]) == (12.25, "2026-03-02T00:00:00.000")
    change = {"RecordID": made["RecordID"], "RoleDescription": "new", "_transType": "U"}
    change["_originalValues"] = {"RoleDescription": "old"}
    await crm.call("PUT", f"project/{project}", {"EMPROJECTASSOC": [change]})
    assert (await crm.get(f"employee/{employee}/projects"))[0]["RoleDescription"] == "new"
    _, document = await crm.call("PUT", f"project/{project}", {"EMPROJECTASSOC": [row]})
    assert "already exists and cannot be added." in document["Message"]
    early = {**change, "EndDate": "2026-01-01"}
    assert (await crm.call("PUT", f"project/{project}", {"EMPROJECTASSOC": [early]}))[0] == 400
    gone = {"RecordID": made["RecordID"], "_transType": "D"}
    await crm.call("PUT", f"project/{project}", {"EMPROJECTASSOC": [gone]})
    assert await crm.get(f"project/{project}/employee") == []
    _, document = await crm.call("PUT", f"project/{project}", {"EMPROJECTASSOC": [gone]})
    assert document["Message"] == NO_OBJECT


async def test_stale_originals_where_enforced_and_hours_where_not_writable() -> None:
    crm = Crm(original_values="enforced", crm_hours="ignored")
    project, employee = crm.project(), crm.employee()
    record = crm.data.insert("project_team", {"WBS1": project, "Employee": employee, "RoleDescription": "now"})
    row = {"RecordID": record, "RoleDescription": "x", "CRMHours": 5, "_transType": "U"}
    stale = {**row, "_originalValues": {"RoleDescription": "then"}}
    assert (await crm.call("PUT", f"project/{project}", {"EMPROJECTASSOC": [stale]}))[0] == 400
    fresh = {**row, "_originalValues": {"RoleDescription": "now"}}
    assert (await crm.call("PUT", f"project/{project}", {"EMPROJECTASSOC": [fresh]}))[0] == 200
    assert crm.data.get("project_team", record)["CRMHours"] == 0
    refusing = Crm(crm_hours="refused")
    project, employee = refusing.project(), refusing.employee()
    row = {"Employee": employee, "CRMHours": 5}
    assert (await refusing.call("PUT", f"project/{project}", {"EMPROJECTASSOC": [row]}))[0] == 400


async def test_project_contacts_and_team_members_together() -> None:
    crm = Crm()
    firm = crm.firm()
    contact, project, employee = crm.contact(ClientID=firm), crm.project(), crm.employee()
    row = {"WBS1": project, "ContactID": contact, "Role": "Owner", "AjeraSync": "Y", "_transType": "I"}
    assert (await crm.call("PUT", f"project/{project}", {"PRCONTACTASSOC": [row]}))[0] == 200
    await crm.call("PUT", f"project/{project}", {"ProjMgr": employee})
    members = await crm.get(f"project/{project}/teammember")
    assert [(m["RecordType"], m["flName"], m["Role"]) for m in members] == [
        ("E", "Sam Reed", "sysPM"),
        ("C", "Ana Ortiz", "Owner"),
    ]
    assert members[1]["ContactID"] == contact
    assert members[1]["AjeraSync"] == "Y"
    assert members[1]["FirmName"] == "Acme Supplies"
    assert members[0]["CFGRoleDescription"] == "Project Manager"
    cleared = {"ContactID": contact, "AjeraSync": "N", "_transType": "U"}
    await crm.call("PUT", f"project/{project}", {"PRCONTACTASSOC": [cleared]})
    assert (await crm.get(f"project/{project}/teammember"))[1]["AjeraSync"] == "N"
    closed = Crm(project_contact_array="")
    project = closed.project()
    _, document = await closed.call("PUT", f"project/{project}", {"PRCONTACTASSOC": []})
    assert document["Message"] == "Field PRCONTACTASSOC does not exist"


async def test_leads_leave_the_team_by_their_status() -> None:
    crm = Crm()
    for number in ("1", "2"):
        crm.employee(number)
    project = crm.project()
    await crm.call("PUT", f"project/{project}", {"ProjMgr": "1", "Principal": "2"})
    rows = await crm.get(f"project/{project}/employee")
    crm.data.edit("project_team", rows[0]["RecordID"], {"TeamStatus": "Proposed"})
    await crm.call("PUT", f"project/{project}", {"ProjMgr": "", "Principal": ""})
    assert [(r["Employee"], r["Role"]) for r in await crm.get(f"project/{project}/employee")] in (
        [("2", "")],
        [("1", "")],
    )


async def test_primary_contact_and_client_join_the_lists() -> None:
    crm = Crm()
    firm = crm.firm()
    contact = crm.contact(ClientID=firm)
    body = {"WBS1": "P1", "Name": "Hall", "ChargeType": "R", "Status": "A", "ClientID": firm, "ContactID": contact}
    status, made = await crm.call("POST", "project", body)
    assert status == 201, made
    assert made[0]["ClientName"] == "Acme Supplies"
    assert (await crm.get("project/P1/teammember"))[0]["PrimaryInd"] == "Y"
    client = (await crm.get("project/P1/firmClient"))[0]
    assert (client["ClientID"], client["Role"], client["IsClient"]) == (firm, "sysOwner", "Y")
    assert (await crm.get(f"firm/{firm}/project"))[0]["PRName"] == "Hall"
    assert await crm.get("project/P1/award") == []


async def test_a_phase_needs_its_project_and_money_its_level() -> None:
    crm = Crm()
    body = {"WBS1": "P1", "Name": "Hall", "ChargeType": "R", "Status": "A", "Fee": 10}
    phase = {**body, "WBS2": "01"}
    _, document = await crm.call("POST", "project", phase)
    assert document["Message"] == NO_OBJECT
    assert (await crm.call("POST", "project", body))[0] == 201
    assert (await crm.call("POST", "project", phase))[0] == 201
    _, document = await crm.call("PUT", "project/P1", {"Fee": 11})
    assert document["Message"] == "Compensation cannot be entered at this level"
    assert (await crm.call("PUT", "project/P1", {"Fee": 10, "AjeraWIPLabor": 3}))[0] == 200
    assert (await crm.call("PUT", "project/P1%7C01", {"Fee": 11}))[0] == 200
    ignoring = Crm(fee_on_phased="ignored")
    ignoring.project("P1")
    ignoring.project("P1", WBS2="01")
    _, changed = await ignoring.call("PUT", "project/P1", {"Fee": 11, "Memo": "m"})
    assert (changed[0]["Fee"], changed[0]["Memo"]) == (0, "m")
    accepting = Crm(fee_on_phased="accepted")
    accepting.project("P1")
    accepting.project("P1", WBS2="01")
    assert (await accepting.call("PUT", "project/P1", {"Fee": 11}))[1][0]["Fee"] == 11


async def test_ajera_columns_are_not_there_on_overhead() -> None:
    crm = Crm()
    key = crm.project(ChargeType="H")
    _, document = await crm.call("PUT", f"project/{key}", {"AjeraSync": "Y"})
    assert document["Message"] == "Sync to Ajera is not available for this Charge Type"
    free = Crm(ajera_by_charge_type=False)
    key = free.project(ChargeType="H")
    assert (await free.call("PUT", f"project/{key}", {"AjeraSync": "Y"}))[0] == 200


async def test_the_cap_is_enforced_only_where_the_quirk_says_so() -> None:
    for cap, expected in ((0, 200), (2, 400)):
        crm = Crm(contact_cap=cap)
        firm = crm.firm()
        keys = [crm.contact(f"C{n}", ClientID=firm) for n in range(3)]
        statuses = [(await crm.call("PUT", f"contact/{key}", {"AjeraSync": "Y"}))[0] for key in keys]
        assert statuses == [200, 200, expected]


async def test_deletes_take_what_cannot_live_alone() -> None:
    crm = Crm(delete_firm_in_use="accepted")
    firm = crm.firm()
    contact = crm.contact(ClientID=firm)
    await crm.call("POST", f"firm/{firm}/address", {"Address": "Main"})
    await crm.call("DELETE", f"firm/{firm}")
    assert not crm.data.tables["address"]
    assert crm.data.get("contact", contact)["ClientID"] == ""
    crm.project("P1")
    crm.project("P1", WBS2="01")
    crm.data.insert("project_contact", {"WBS1": "P1", "ContactID": contact})
    await crm.call("DELETE", "project/P1")
    assert not crm.data.tables["project"]
    assert not crm.data.tables["project_contact"]


async def test_contacts_are_qualified() -> None:
    crm = Crm()
    key = crm.contact()
    await crm.send("POST", f"contact/{key}/revertToLead")
    assert (await crm.get(f"contact/{key}/qualifiedContact"))["QualifiedStatus"] == "Lead"


async def test_a_child_moves_its_parent_only_where_the_quirk_says_so() -> None:
    for moves in (False, True):
        crm = Crm(parent_stamp_moves=moves)
        project, contact = crm.project(), crm.contact()
        crm.clock.forward(minutes=1)
        key = crm.data.insert("project_contact", {"WBS1": project, "ContactID": contact})
        crm.data.edit("project_contact", key, {"Role": "Owner"})
        assert (crm.data.get("project", project)["ModDate"] == "2026-03-02T09:01:00.000") is moves
        crm.clock.forward(minutes=1)
        crm.data.delete("project_contact", key)
        assert (crm.data.get("project", project)["ModDate"] == "2026-03-02T09:02:00.000") is moves


async def test_a_user_defined_column_alone_moves_the_stamp_only_where_the_quirk_says_so() -> None:
    for moves in (False, True):
        crm = Crm(custom_stamp_moves=moves, custom_marker="CustAjeraKey")
        key = crm.firm()
        crm.clock.forward(minutes=1)
        _, changed = await crm.call("PUT", f"firm/{key}", {"CustAjeraKey": "17"})
        assert (changed[0]["CustAjeraKey"], changed[0]["ModDate"] > changed[0]["CreateDate"]) == ("17", moves)


async def test_when_the_primary_address_goes_another_takes_its_place() -> None:
    crm = Crm()
    firm = crm.firm()
    for label in ("Main", "Branch"):
        await crm.call("POST", f"firm/{firm}/address", {"Address": label})
    rows = await crm.get(f"firm/{firm}/address")
    gone = {"CLAddressID": rows[0]["CLAddressID"], "_transType": "D"}
    assert (await crm.call("PUT", f"firm/{firm}", {"CLAddress": [gone]}))[0] == 200
    assert [(r["Address"], r["PrimaryInd"]) for r in await crm.get(f"firm/{firm}/address")] == [("Branch", "Y")]


async def test_a_team_row_may_name_a_phase() -> None:
    crm = Crm()
    crm.project("P1")
    crm.project("P1", WBS2="01")
    row = {"WBS1": "P1", "WBS2": "01", "WBS3": " ", "Employee": crm.employee(), "_transType": "I"}
    assert (await crm.call("PUT", "project/P1", {"EMPROJECTASSOC": [row]}))[0] == 200
    assert [r["WBS2"] for r in await crm.get("project/P1%7C01/employee")] == ["01"]
    assert len(await crm.get("project/P1/employee")) == 1
    _, document = await crm.call("PUT", "project/P1", {"EMPROJECTASSOC": [{**row, "WBS2": "99"}]})
    assert document["Message"] == NO_OBJECT


async def test_the_primary_contact_and_client_of_a_project_change() -> None:
    crm = Crm()
    firms = [crm.firm("A"), crm.firm("B")]
    contacts = [crm.contact(f"C{n}", ClientID=firms[n]) for n in range(2)]
    project = crm.project()
    for n in (0, 1):
        body = {"ContactID": contacts[n], "ClientID": firms[n]}
        assert (await crm.call("PUT", f"project/{project}", body))[0] == 200
    members = await crm.get(f"project/{project}/teammember")
    assert [(m["ContactID"], m["PrimaryInd"]) for m in members] == [(contacts[0], "N"), (contacts[1], "Y")]
    clients = await crm.get(f"project/{project}/firmClient")
    assert [(c["ClientName"], c["PrimaryInd"]) for c in clients] == [("A", "N"), ("B", "Y")]


async def test_a_client_without_a_row_of_its_own_is_listed() -> None:
    crm = Crm()
    firm = crm.firm()
    crm.data.insert("address", {"ClientID": firm, "Address": "Main", "Phone": "555", "PrimaryInd": "Y"})
    project = crm.project(ClientID=firm)
    client = (await crm.get(f"project/{project}/firmClient"))[0]
    assert (client["ClientName"], client["AddressPhone"], client["RoleName"]) == ("Acme Supplies", "555", "Owner")
    assert [row["WBS1"] for row in await crm.get(f"firm/{firm}/project")] == [project]


async def test_the_owner_is_an_employee_of_the_firm() -> None:
    crm = Crm()
    firm = crm.firm(Owner=crm.employee())
    people = await crm.get(f"firm/{firm}/employee")
    assert [(p["Employee"], p["Relationship"], p["Name"]) for p in people] == [("00007", "Owner", "Reed, Sam")]
    assert await crm.get(f"firm/{crm.firm('Other')}/employee") == []
