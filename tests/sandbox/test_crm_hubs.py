"""The hubs: verbs, replies, partial update, refusals."""

from __future__ import annotations

import json

import httpx

from tests.sandbox.crm_kit import BASE, Crm


async def test_a_firm_is_created_read_changed_and_deleted() -> None:
    crm = Crm()
    body = {"Name": "Acme", "Status": "A", "ClientInd": "Y", "Type": "COM"}
    reply = await crm.send("POST", "firm", json=body)
    made = reply.json()[0]
    assert reply.status_code == 201
    assert reply.headers["location"] == f"{BASE}/firm/{made['ClientID']}"
    assert len(made["ClientID"]) == 32
    assert made["Client"] == "00001"
    assert made["ModUser"] == "sync"
    assert made["ModDate"] == "2026-03-02T09:00:00.000"
    assert made["AjeraSync"] == "N"
    assert reply.headers["date"] == "Mon, 02 Mar 2026 09:00:00 GMT"

    crm.clock.forward(minutes=1)
    status, changed = await crm.call("PUT", f"firm/{made['ClientID']}", {"WebSite": "https://acme.example"})
    assert status == 200
    assert changed[0]["WebSite"] == "https://acme.example"
    assert changed[0]["Name"] == "Acme"
    assert changed[0]["ModDate"] == "2026-03-02T09:01:00.000"
    assert changed[0]["CreateDate"] == "2026-03-02T09:00:00.000"

    assert (await crm.call("DELETE", f"firm/{made['ClientID']}"))[0] == 200
    assert (await crm.call("GET", f"firm/{made['ClientID']}"))[0] == 404


async def test_every_refusal_of_a_create_is_told_at_once() -> None:
    crm = Crm()
    status, document = await crm.call("POST", "firm", {"VendorInd": "Y", "Status": "A", "Nonsense": 1})
    assert status == 400
    assert document["Message"] == (
        "Field Nonsense does not exist<BR/>Please provide a Firm Name for table Firm"
        "<BR/>Please provide a Vendor Type for table Firm"
    )
    _, document = await crm.call("POST", "firm", {"Name": "X", "Status": "A"})
    assert document["Message"] == "Please provide a Relationship for table Firm"
    _, document = await crm.call("POST", "contact", {"FirstName": "Ana"})
    assert document["Message"] == "Please provide a Last for table Contacts"
    assert not crm.data.tables["firm"]
    assert not crm.data.ledger


async def test_an_update_fails_because_of_old_data() -> None:
    crm = Crm()
    key = crm.firm(VendorInd="Y")
    status, document = await crm.call("PUT", f"firm/{key}", {"WebSite": "x"})
    assert (status, document["Message"]) == (400, "Please provide a Vendor Type for table Firm")
    status, _ = await crm.call("PUT", f"firm/{key}?requiredFieldValidation=N", {"WebSite": "x"})
    assert status == 200


async def test_a_missing_record() -> None:
    crm = Crm()
    assert (await crm.call("GET", "contact/nobody"))[0] == 404
    assert (await crm.call("PUT", "contact/nobody", {"LastName": "x"}))[0] == 404
    empty = Crm(missing_get="empty", put_missing="create")
    assert await empty.get("contact/nobody") == []
    assert (await empty.call("PUT", "contact/nobody", {"LastName": "x"}))[0] == 201


async def test_client_chosen_keys_and_duplicates() -> None:
    crm = Crm()
    body = {"ContactID": "0" * 32, "LastName": "Ortiz"}
    status, made = await crm.call("POST", "contact", body)
    assert (status, made[0]["ContactID"]) == (201, "0" * 32)
    status, document = await crm.call("POST", "contact", body)
    assert (status, document["Message"]) == (400, f"Record {'0' * 32} already exists and cannot be added.")
    crm.firm(Client="00009")
    _, document = await crm.call("POST", "firm", {"Name": "B", "Status": "A", "ClientInd": True, "Client": "00009"})
    assert document["Message"] == "Firm Number already exists: 00009"
    ignoring = Crm(client_keys="ignored")
    _, made = await ignoring.call("POST", "contact", body)
    assert made[0]["ContactID"] != "0" * 32


async def test_numbers_against_the_override_rule() -> None:
    crm = Crm(autonumber_override=False)
    body = {"Name": "B", "Status": "A", "ClientInd": "Y", "Client": "77"}
    _, document = await crm.call("POST", "firm", body)
    assert document["Message"] == "Firm Number value ignored, autonumber enabled and override is not allowed"
    lenient = Crm(autonumber_override=False, autonumber_clash="ignored")
    _, made = await lenient.call("POST", "firm", body)
    assert made[0]["Client"] == "00001"
    strict = Crm(autonumber_employee=False, employee_length=5)
    body = {"LastName": "Reed", "Status": "A", "Type": "E", "Employee": "12"}
    _, document = await strict.call("POST", "employee", body)
    assert document["Message"] == '"12" is invalid. The correct format is XXXXX'
    del body["Employee"]
    _, document = await strict.call("POST", "employee", body)
    assert document["Message"] == "Please provide a Employee Number for table Employees"


async def test_an_employee_needs_a_posting_type_and_an_organization() -> None:
    crm = Crm()
    crm.data.insert("organization", {"Org": "MAIN", "Name": "Main"})
    _, document = await crm.call("POST", "employee", {"LastName": "Reed", "Status": "A"})
    assert document["Message"] == (
        "Please provide a Labor Posting Type for table Employees<BR/>Organization is required."
    )
    status, made = await crm.call("POST", "employee", {"LastName": "Reed", "Status": "A", "Type": "E", "Org": "MAIN"})
    assert (status, made[0]["Employee"]) == (201, "00001")
    assert {"SSN", "PayRate"} <= set(made[0])
    assert (await crm.get("employee/00001%7C"))[0]["LastName"] == "Reed"


async def test_sizes_codes_and_countries_are_checked() -> None:
    crm = Crm()
    key = crm.firm()
    _, document = await crm.call("PUT", f"firm/{key}", {"Name": "x" * 101})
    assert document["Message"] == (
        "String or binary data would be truncated in table 'Sandbox.dbo.Clendor', column 'Name'."
    )
    _, document = await crm.call("PUT", f"firm/{key}", {"Type": "NOPE"})
    assert document["Message"] == "Market Code NOPE does not exist."
    address = {"Address": "Main", "Country": "USA", "State": "TX"}
    _, document = await crm.call("POST", f"firm/{key}/address", address)
    assert document["Message"].endswith("Country Code USA does not exist.")
    status, _ = await crm.call("POST", f"firm/{key}/address", {**address, "Country": "United States"})
    assert status == 201
    _, document = await crm.call("POST", f"firm/{key}/address", {"Address": "B", "State": "ON"})
    assert document["Message"] == "State Code ON does not exist."
    assert (await crm.call("POST", f"firm/{key}/address", {"Address": "B", "State": "ON", "Country": "CA"}))[0] == 201
    _, document = await crm.call("PUT", f"firm/{key}", {"Owner": "99999"})
    assert document["Message"] == "Object reference not set to an instance of an object."
    status, _ = await Crm(business_status="500").call("POST", "contact", {})
    assert status == 500


async def test_empty_and_null() -> None:
    crm = Crm()
    key = crm.contact(Title="Owner")
    _, document = await crm.call("PUT", f"contact/{key}", {"Title": None})
    assert document["Message"] == "Cannot insert NULL into Title"
    _, changed = await crm.call("PUT", f"contact/{key}", {"Title": ""})
    assert changed[0]["Title"] == ""
    _, document = await crm.call("PUT", f"contact/{key}", {"PrimaryInd": ""})
    assert document["Message"] == "Cannot insert NULL into PrimaryInd"
    clearing = Crm(null_value="clears", empty_clears=False)
    key = clearing.contact(Title="Owner")
    _, changed = await clearing.call("PUT", f"contact/{key}", {"Title": ""})
    assert changed[0]["Title"] == "Owner"
    _, changed = await clearing.call("PUT", f"contact/{key}", {"Title": None})
    assert changed[0]["Title"] == ""


async def test_names_in_another_case() -> None:
    for case, expected in (("ignored", (200, "")), ("insensitive", (200, "z")), ("error", (400, ""))):
        crm = Crm(name_case=case)
        key = crm.employee()
        status, _ = await crm.call("PUT", f"employee/{key}", {"Zip": "z"})
        assert (status, crm.data.get("employee", key)["ZIP"]) == expected


async def test_money_keeps_every_digit() -> None:
    crm = Crm()
    key = crm.project()
    text = '{"Fee": 12345678901234.5678, "FeeDirLab": 0.1, "ConsultFee": "19.99999"}'
    headers = {"Content-Type": "application/json"}
    reply = await crm.send("PUT", f"project/{key}", content=text, headers=headers)
    assert reply.status_code == 200, reply.text
    found = json.loads(reply.text, parse_float=str)[0]
    assert found["Fee"] == "12345678901234.5678"
    assert found["FeeDirLab"] == "0.1"
    assert found["ConsultFee"] == "20.0"
    assert found["AjeraWIPLabor"] == "0.0"
    _, document = await crm.call("PUT", f"project/{key}", {"Fee": 1e16})
    assert "overflow" in document["Message"]


async def test_the_whole_record_can_be_put_back() -> None:
    crm = Crm()
    firm = crm.firm()
    keys = {
        "firm": firm,
        "contact": crm.contact(ClientID=firm),
        "project": crm.project(ClientID=firm),
        "employee": crm.employee(),
    }
    for hub, key in keys.items():
        record = (await crm.get(f"{hub}/{key}"))[0]
        status, back = await crm.call("PUT", f"{hub}/{key}", record)
        assert status == 200, back
        moved = {name for name in record if record[name] != back[0][name]}
        assert moved <= {"ModUser", "ModDate"}


async def test_a_firm_in_use_is_not_deleted() -> None:
    crm = Crm()
    firm = crm.firm()
    crm.project(ClientID=firm)
    assert (await crm.call("DELETE", f"firm/{firm}"))[0] == 400
    assert (await Crm().call("DELETE", "firm/none"))[0] == 404


async def test_post_save_workflow_is_not_in_the_reply() -> None:
    crm = Crm()
    _, made = await crm.call("POST", "firm", {"Name": "Acme", "Status": "A", "ClientInd": "Y"})
    assert made[0]["SortName"] == ""
    assert (await crm.get(f"firm/{made[0]['ClientID']}"))[0]["SortName"] == "Acme"
    _, made = await crm.call("POST", "firm?startWorkflow=N", {"Name": "Bcme", "Status": "A", "ClientInd": "Y"})
    assert (await crm.get(f"firm/{made[0]['ClientID']}"))[0]["SortName"] == ""


async def test_the_ledger_tells_who_changed_what() -> None:
    crm = Crm()
    key = crm.contact()
    crm.data.ledger.clear()
    await crm.call("PUT", f"contact/{key}", {"Phone": "555"})
    crm.data.edit("contact", key, {"Phone": "556"}, "jsmith")
    told = [(w.user, w.via, w.op, w.table, w.key, w.before, w.after) for w in crm.data.ledger]
    assert told == [
        ("sync", "api", "edit", "contact", key, {"Phone": ""}, {"Phone": "555"}),
        ("jsmith", "person", "edit", "contact", key, {"Phone": "555"}, {"Phone": "556"}),
    ]


async def test_the_fault_seam_numbers_calls_and_replaces_replies() -> None:
    from starlette.responses import Response

    class Lossy:
        seen: list[tuple[int, str, str]] = []

        async def before(self, call_no: int, method: str, path: str, body: bytes) -> Response | None:
            self.seen.append((call_no, method, path))
            return Response("<html>", 503) if call_no == 2 else None

        async def after(
            self, call_no: int, method: str, path: str, body: bytes, status: int, response: Response
        ) -> Response | None:
            if call_no == 3:
                raise httpx.ReadError("lost")
            return None

    crm = Crm(faults=Lossy())
    key = crm.contact()
    assert (await crm.send("PUT", f"contact/{key}", json={"Phone": "1"})).status_code == 503
    assert crm.data.get("contact", key)["Phone"] == ""
    try:
        await crm.send("PUT", f"contact/{key}", json={"Phone": "2"})
    except httpx.ReadError:
        assert crm.data.get("contact", key)["Phone"] == "2"
    else:
        raise AssertionError("the reply was not lost")
    assert [n for n, _, _ in Lossy.seen] == [1, 2, 3]


async def test_a_broken_body_and_a_wrong_path() -> None:
    crm = Crm()
    assert (await crm.send("POST", "firm", content=b"[1]")).status_code == 400
    assert (await crm.send("POST", "firm", content=b"{")).status_code == 400
    assert (await crm.call("GET", "nothing"))[0] == 404
    assert (await crm.call("PUT", "firm", {}))[0] == 405


async def test_numbers_are_padded_and_sentences_repeated_where_the_tenant_does_so() -> None:
    crm = Crm(number_padding=6, messages_repeat=True)
    body = {"Name": "B", "Status": "A", "ClientInd": "Y", "Client": "77"}
    _, made = await crm.call("POST", "firm", body)
    assert made[0]["Client"] == "000077"
    _, document = await crm.call("POST", "firm", {**body, "ClientInd": "N", "Client": "78"})
    assert document["Message"] == "<BR/>".join(["Please provide a Relationship for table Firm"] * 2)


async def test_every_refusal_has_one_message() -> None:
    crm = Crm()
    for path in ("firm?filterHash[0][value]=x", "contact/x", "firm/x/address", "project?wbstype=w"):
        reply = await crm.send("GET", path)
        assert reply.status_code in (400, 404)
        assert set(reply.json()) == {"Message"}
