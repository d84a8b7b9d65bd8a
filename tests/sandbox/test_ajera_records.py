"""Lists, filters, Gets and Updates of clients, contacts, employees and vendors."""

from __future__ import annotations

from typing import Any

import pytest

from core.sandbox.ajera.call import INVALID_DATA
from tests.sandbox.ajera_books import Ajera, Clock, books, running


async def names(ajera: Ajera, **filters: Any) -> list[str]:
    return [c["Description"] for c in (await ajera.content("ListClients", filters))["Clients"]]


async def test_list_rows_carry_no_stamp() -> None:
    async with running() as ajera:
        rows = (await ajera.content("ListClients"))["Clients"]
        assert rows[0] == {"ClientKey": 1, "Description": "Acme Supplies"}
        row = (await ajera.content("ListEmployees"))["Employees"][0]
        assert set(row) == {
            *("EmployeeKey", "FirstName", "MiddleName", "LastName", "Company", "Department"),
            *("RestrictToOwnCompany", "RestrictToOwnDepartment"),
        }


async def test_filters_of_clients() -> None:
    async with running() as ajera:
        assert await names(ajera, FilterByStatus=["inactive"]) == ["Closed Mill"]
        assert await names(ajera, FilterByNameLike="supp") == ["Acme Supplies"]
        assert await names(ajera, FilterByNameEquals="acme supplies") == ["Acme Supplies"]
        assert await names(ajera, FilterByClientType=[2, None]) == ["Borough of Kent", "Closed Mill"]
        assert await names(ajera, FilterByClientType=[1], FilterByStatus=["Inactive"]) == []
        assert len(await names(ajera, FilterByCompany=[1])) == 3
        assert len(await names(ajera, FilterByNothing="x")) == 3
        assert await ajera.refusal("ListClients", {"FilterByStatus": "Active"}) == INVALID_DATA
    async with running(unknown_filter="error") as ajera:
        assert await ajera.refusal("ListClients", {"FilterByNothing": "x"}) == INVALID_DATA
    async with running(null_type_filter="nothing") as ajera:
        assert await names(ajera, FilterByClientType=[None]) == []


async def modified(clock: Clock, **quirks: object) -> Any:
    """Which of three clients, saved on 3, 4 and 5 March at 10:00 server time, pass a window."""
    data = books(clock)
    for key in (1, 2, 3):
        clock.advance(days=1)
        data.edit("clients", key, {"Notes": "moved"})

    async def keys(earliest: str | None, latest: str | None = None) -> list[int] | str:
        async with running(data, **quirks) as ajera:
            args = {"FilterByEarliestModifiedDate": earliest, "FilterByLatestModifiedDate": latest}
            reply = await ajera.call("ListClients", args)
            return [c["ClientKey"] for c in reply["Content"]["Clients"]] if reply["Content"] else reply["Message"]

    return keys


async def test_modified_date_filters_in_their_forms() -> None:
    keys = await modified(Clock())
    assert await keys("2026-03-04") == [2, 3]
    assert await keys("2026-03-04", "2026-03-04") == [2]
    assert await keys("2026-03-04 10:00:00.000 GMT-0500") == [2, 3]
    assert await keys("2026-03-04 10:00:00.001 GMT-0500") == [3]
    assert await keys("2026-03-04 10:00:00.000 GMT-05:00 (Eastern Standard Time)") == [2, 3]
    assert await keys(None, "2026-03-04 15:00:00.000 GMT+0000") == [1, 2]
    assert await keys("03/04/2026") == INVALID_DATA
    assert await keys("2026-02-30") == INVALID_DATA


async def test_modified_date_filters_by_quirk() -> None:
    keys = await modified(Clock(), date_filter="day")
    assert await keys("2026-03-04 23:00:00.000 GMT-0500") == [2, 3]
    keys = await modified(Clock(), date_bounds="exclusive", date_latest_day="midnight")
    assert await keys("2026-03-04 10:00:00.000 GMT-0500") == [3]
    assert await keys(None, "2026-03-04") == [1]
    keys = await modified(Clock(), date_unreadable="ignore", date_returned_form="ignore")
    assert await keys("nonsense") == [1, 2, 3]
    assert await keys("2026-03-05 10:00:00.000 GMT-05:00 (Eastern Standard Time)") == [1, 2, 3]
    keys = await modified(Clock(), date_returned_form="error")
    assert await keys("2026-03-05 10:00:00.000 GMT-05:00 (Eastern Standard Time)") == INVALID_DATA


async def test_a_bare_date_is_read_in_the_zone_of_the_quirk() -> None:
    clock = Clock()
    data = books(clock)
    clock.advance(hours=12)  # 03:00 UTC on the 3rd, 22:00 of the 2nd at the server
    data.edit("clients", 1, {"Notes": "late"})
    for zone, found in (("server", 0), ("utc", 1)):
        async with running(data, date_zone=zone) as ajera:
            assert len(await names(ajera, FilterByEarliestModifiedDate="2026-03-03")) == found


async def test_the_stamp_has_its_odd_form_in_summer_too() -> None:
    clock = Clock()
    data = books(clock)
    clock.advance(days=120, milliseconds=607)
    data.edit("clients", 1, {"Notes": "summer"})
    stamp = data.get("clients", 1)["LastModifiedDate"]
    assert stamp == "2026-06-30 11:00:00.607 GMT-04:00 (Eastern Daylight Time)"


def test_stamps_of_a_record_rise_even_when_the_clock_stands() -> None:
    data = books()
    stamps = []
    for n in range(3):
        data.edit("clients", 1, {"Notes": str(n)})
        stamps.append(data.stamps["clients"][1])
    assert stamps == sorted(set(stamps))


async def test_gets_leave_out_missing_keys_and_empty_properties() -> None:
    async with running() as ajera:
        found = (await ajera.content("GetClients", {"RequestedClients": [3, 99, 1, 1]}))["Clients"]
        assert [c["ClientKey"] for c in found] == [3, 1]
        closed = found[0]
        assert "ClientTypeKey" not in closed
        assert "DateEstablished" not in closed
        assert closed["ClientTypeDescription"] == closed["Notes"] == ""
        assert "CompanyKey" not in closed
        assert found[1]["Contacts"][0]["LastName"] == "Stone"
        assert await ajera.refusal("GetClients", {"RequestedClients": 1}) == INVALID_DATA
    for mode, value in (("null", None), ("empty", "")):
        async with running(null_properties=mode) as ajera:
            assert (await ajera.one("Clients", 3))["ClientTypeKey"] == value
    async with running(missing_key="error") as ajera:
        assert "do not exist" in await ajera.refusal("GetClients", {"RequestedClients": [99]})


async def test_contacts_show_their_client_and_explicit_null_types() -> None:
    async with running() as ajera:
        contact = await ajera.one("Contacts", 1)
        assert (contact["ContactClientKey"], contact["ContactClientDescription"]) == (1, "Acme Supplies")
        assert contact["ContactTypeDescription"] is None
        assert "ContactVendorKey" not in contact
        rows = (await ajera.content("ListContacts", {"FilterByText": "mia st"}))["Contacts"]
        assert rows == [
            {
                "ContactKey": 1,
                "FirstName": "Mia",
                "MiddleName": "",
                "LastName": "Stone",
                "Company": "Acme",
                "ContactClientKey": 1,
            }
        ]
        assert len((await ajera.content("ListContacts", {"FilterByClient": [1]}))["Contacts"]) == 3
    async with running(contact_extra_filters="accept", contact_link_rows="no", untyped_contact="omit") as ajera:
        rows = (await ajera.content("ListContacts", {"FilterByClient": [1]}))["Contacts"]
        assert [r["ContactKey"] for r in rows] == [1, 2]
        assert "ContactClientKey" not in rows[0]
        assert "ContactTypeDescription" not in await ajera.one("Contacts", 1)


async def test_employees_carry_what_a_client_must_drop_and_stop_at_50() -> None:
    async with running() as ajera:
        employee = await ajera.one("Employees", 1)
        assert employee["SocialSecurityNumber"] == "900-11-2222"
        assert employee["PayRates"][0]["PayRate"] == 60
        reply = await ajera.call("GetEmployees", {"RequestedEmployees": list(range(1, 52))})
        assert (reply["ResponseCode"], reply["Content"]) == (-100, {})
        assert len((await ajera.content("GetEmployees", {"RequestedEmployees": list(range(1, 51))}))["Employees"]) == 2
        assert await ajera.content("GetClients", {"RequestedClients": list(range(1, 200))})
    async with running(batch_limits="all") as ajera:
        await ajera.refusal("GetClients", {"RequestedClients": list(range(1, 52))})


async def test_untyped_vendors_leave_their_type_out() -> None:
    async with running() as ajera:
        typed, untyped = (await ajera.content("GetVendors", {"RequestedVendors": [1, 2]}))["Vendors"]
        assert (typed["VendorTypeDescription"], typed["VendorTypeIsConsultant"]) == ("Consultant", True)
        assert "VendorTypeDescription" not in untyped
        assert "BuisnessTypeW9" in typed


# -- updates ----------------------------------------------------------------------------------------------------------


async def test_an_update_answers_the_whole_record_with_a_new_stamp() -> None:
    async with running() as ajera:
        before = await ajera.one("Clients", 1)
        reply = await ajera.update("Clients", {**before, "Notes": "called", "ClientTypeKey": 2}, before)
        content = reply["Content"]
        assert content["NumberOfClientsUpdated"] == 1
        after = content["Clients"][0]
        assert (after["Notes"], after["ClientTypeDescription"]) == ("called", "Government")
        assert after["LastModifiedDate"] != before["LastModifiedDate"]
        assert after == await ajera.one("Clients", 1)
        assert "OriginalClientKey" not in after


async def test_a_stale_baseline_is_refused() -> None:
    async with running() as ajera:
        before = await ajera.one("Clients", 1)
        ajera.data.edit("clients", 1, {"Notes": "somebody else"})
        reply = await ajera.update("Clients", {**before, "Email": "a@b.test"}, before)
        assert reply["Message"] == "The record was modified by another user."
        assert ajera.data.get("clients", 1)["Email"] == ""


async def test_what_makes_a_baseline_stale_is_a_quirk() -> None:
    for mode, touched, fresh in (
        ("stamp", "Notes", True),
        ("values", "LastModifiedDate", True),
        ("both", "Notes", False),
    ):
        async with running(stale_compare=mode, stale_error="Too late") as ajera:
            before = await ajera.one("Clients", 1)
            odd = {**before, touched: "other"}
            reply = await ajera.update("Clients", {**odd, "Email": "a@b.test"}, odd)
            assert (reply["ResponseCode"] == 200) is fresh
            assert fresh or reply["Message"] == "Too late"


async def test_no_op_and_unknown_properties_and_wrong_kinds() -> None:
    async with running() as ajera:
        before = await ajera.one("Clients", 1)
        assert (await ajera.update("Clients", before, before))["ResponseCode"] == -100
        for wrong in ({"Nickname": "x"}, {"Notes": 5}, {"SendStatements": "yes"}, {"DateEstablished": "1/2/2026"}):
            assert (await ajera.update("Clients", {**before, **wrong}, before))["Message"] == INVALID_DATA
        for wrong in ({"ClientTypeKey": 99}, {"Status": "Gone"}, {"Contacts": [{"ContactKey": 99}]}, {"CF_X": "1"}):
            assert (await ajera.update("Clients", {**before, **wrong}, before))["Message"] == INVALID_DATA
        assert (await ajera.update("Clients", {**before, "Description": " "}, before))["ResponseCode"] == -100
        derived = {**before, "ClientTypeDescription": "renamed"}
        assert "No changes" in (await ajera.update("Clients", derived, before))["Message"]
    async with running(noop_update="accept", unknown_property="ignore") as ajera:
        before = await ajera.one("Clients", 1)
        assert (await ajera.update("Clients", before, before))["ResponseCode"] == 200
        assert (await ajera.update("Clients", {**before, "Nickname": "x"}, before))["ResponseCode"] == 200


async def test_the_arrays_must_stand_directly_in_method_arguments() -> None:
    async with running() as ajera:
        before = await ajera.one("Clients", 1)
        arrays = {"UpdatedClients": [{**before, "Notes": "x"}], "UnchangedClients": [before]}
        assert await ajera.refusal("UpdateClients", {"Content": arrays}) == INVALID_DATA
        assert await ajera.refusal("UpdateClients", {"UpdatedClients": arrays["UpdatedClients"]}) == INVALID_DATA
        assert await ajera.refusal("UpdateClients", {"UpdatedClients": [], "UnchangedClients": []}) == INVALID_DATA


async def test_a_missing_property_is_cleared_kept_or_refused() -> None:
    for mode, notes in (("clear", ""), ("keep", "held"), ("error", "held")):
        data = books()
        data.edit("clients", 1, {"Notes": "held"})
        async with running(data, missing_property=mode) as ajera:
            before = await ajera.one("Clients", 1)
            changed = {k: v for k, v in before.items() if k != "Notes"} | {"Email": "a@b.test"}
            reply = await ajera.update("Clients", changed, before)
            assert (reply["ResponseCode"] == 200) is (mode != "error")
            assert data.get("clients", 1)["Notes"] == notes


async def test_a_baseline_without_its_twin_is_refused_or_deletes() -> None:
    async with running() as ajera:
        before = await ajera.one("Clients", 2)
        await ajera.refusal("UpdateClients", {"UpdatedClients": [], "UnchangedClients": [before]})
        assert 2 in ajera.data.tables["clients"]
        other = await ajera.one("Clients", 1)
        text = await ajera.refusal("UpdateClients", {"UpdatedClients": [before], "UnchangedClients": [other]})
        assert text == "Client 2 has no unchanged record."
    async with running(delete_form="delete") as ajera:
        before = await ajera.one("Clients", 2)
        gone = await ajera.content("UpdateClients", {"UpdatedClients": [], "UnchangedClients": [before]})
        assert gone["Clients"][0]["Deleted"] is True
        assert 2 not in ajera.data.tables["clients"]


async def two(ajera: Ajera, **more: Any) -> dict[str, Any]:
    """One good and one stale record in a call."""
    first, second = await ajera.one("Clients", 1), await ajera.one("Clients", 2)
    ajera.data.edit("clients", 2, {"Notes": "moved"})
    changed = [{**first, "Email": "good@b.test"}, {**second, "Email": "stale@b.test"}]
    return await ajera.call("UpdateClients", {"UpdatedClients": changed, "UnchangedClients": [first, second], **more})


@pytest.mark.parametrize(
    ("mode", "code", "errors", "updated"),
    [("errors", -100, 1, 1), ("success", 200, 1, 1), ("silent", 200, 0, 1), ("all", -100, 1, 0)],
)
async def test_partial_success(mode: str, code: int, errors: int, updated: int) -> None:
    async with running(per_record_errors=mode) as ajera:
        reply = await two(ajera)
        assert (reply["ResponseCode"], len(reply["Errors"])) == (code, errors)
        assert reply["Content"].get("NumberOfClientsUpdated", 0) == updated
        assert (ajera.data.get("clients", 1)["Email"] != "") is bool(updated)


async def test_a_single_transaction_saves_all_or_nothing() -> None:
    async with running() as ajera:
        reply = await two(ajera, UseSingleTransaction=True)
        assert (reply["ResponseCode"], reply["Content"]) == (-100, {})
        assert ajera.data.get("clients", 1)["Email"] == ""


async def create(ajera: Ajera, *people: dict[str, Any]) -> dict[str, Any]:
    new = [{"ContactKey": -1 - n, **p} for n, p in enumerate(people)]
    return await ajera.call("UpdateContacts", {"UpdatedContacts": new, "UnchangedContacts": []})


async def test_a_contact_is_created_with_a_negative_key() -> None:
    async with running() as ajera:
        reply = await create(ajera, {"FirstName": "Ivy", "LastName": "Moss", "ContactTypeKey": 1})
        made = reply["Content"]["Contacts"][0]
        assert (made["OriginalContactKey"], made["ContactKey"], made["Status"]) == (-1, 4, "Active")
        assert made["ContactTypeDescription"] == "Owner"
        assert "OriginalContactKey" not in await ajera.one("Contacts", 4)


async def test_names_of_contacts_are_unique_and_one_comes_per_call() -> None:
    async with running() as ajera:
        assert "already exists" in (await create(ajera, {"FirstName": "mia", "LastName": "STONE"}))["Message"]
        assert (await create(ajera, {"FirstName": "Mia", "MiddleName": "B", "LastName": "Stone"}))[
            "ResponseCode"
        ] == 200
        assert "Only 1" in (await create(ajera, {"LastName": "A"}, {"LastName": "B"}))["Message"]
        assert (await create(ajera, {"Company": "Nobody"}))["ResponseCode"] == -100
        before = await ajera.one("Contacts", 2)
        renamed = {**before, "FirstName": "Mia", "LastName": "Stone"}
        assert "already exists" in (await ajera.update("Contacts", renamed, before))["Message"]
    async with running(contact_name_parts="first_last") as ajera:
        assert (await create(ajera, {"FirstName": "Mia", "MiddleName": "B", "LastName": "Stone"}))[
            "ResponseCode"
        ] == -100
    async with running(duplicate_contact_name="accept", new_contacts_per_call="many") as ajera:
        same = {"FirstName": "Mia", "LastName": "Stone"}
        assert (await create(ajera, same, same))["Content"]["NumberOfContactsUpdated"] == 2


async def test_negative_keys_must_differ_and_never_be_zero() -> None:
    async with running(new_contacts_per_call="many") as ajera:
        for keys in ((-1, -1), (0,)):
            new = [{"ContactKey": k, "LastName": f"N{n}"} for n, k in enumerate(keys)]
            await ajera.refusal("UpdateContacts", {"UpdatedContacts": new, "UnchangedContacts": []})


async def test_a_client_is_created_with_a_nested_new_contact() -> None:
    async with running() as ajera:
        entry = {"ContactKey": -2, "Order": 1, "Text": "Owner", "FirstName": "Lea", "LastName": "Fox"}
        new = {"ClientKey": -1, "Description": "Fox & Sons", "Contacts": [entry, {"ContactKey": 3, "Order": 2}]}
        content = await ajera.content("UpdateClients", {"UpdatedClients": [new], "UnchangedClients": []})
        made = content["Clients"][0]
        assert made["OriginalClientKey"] == -1
        assert made["Contacts"][0]["OriginalContactKey"] == -2
        assert made["Contacts"][0]["LastName"] == "Fox"
        contact = await ajera.one("Contacts", made["Contacts"][0]["ContactKey"])
        assert contact["ContactClientKey"] == made["ClientKey"]


async def test_linking_goes_through_the_clients_array() -> None:
    async with running() as ajera:
        contact = await ajera.one("Contacts", 3)
        denied = await ajera.update("Contacts", {**contact, "ContactClientKey": 2}, contact)
        assert "No changes" in denied["Message"]
        before = await ajera.one("Clients", 2)
        await ajera.update("Clients", {**before, "Contacts": [{"ContactKey": 3, "Order": 1, "Text": ""}]}, before)
        assert (await ajera.one("Contacts", 3))["ContactClientKey"] == 2


async def test_duplicate_client_names_by_quirk() -> None:
    new = {"UpdatedClients": [{"ClientKey": -1, "Description": "acme supplies"}], "UnchangedClients": []}
    async with running() as ajera:
        assert (await ajera.content("UpdateClients", new))["NumberOfClientsUpdated"] == 1
    async with running(duplicate_client_name="error") as ajera:
        assert "already exists" in await ajera.refusal("UpdateClients", new)


async def test_employees_and_vendors_are_updated_whole() -> None:
    async with running() as ajera:
        before = await ajera.one("Employees", 1)
        rates = [*before["PayRates"], {"PayRateKey": -5, "StartDate": "2026-01-01", "PayRate": 70}]
        reply = await ajera.update("Employees", {**before, "PayRates": rates}, before)
        assert [r["PayRateKey"] > 0 for r in reply["Content"]["Employees"][0]["PayRates"]] == [True, True]
        wrong = [{**before["PayRates"][0], "AnnualSalary": 1}]
        now = await ajera.one("Employees", 1)
        assert (await ajera.update("Employees", {**now, "PayRates": wrong}, now))["Message"] == INVALID_DATA
        vendor = await ajera.one("Vendors", 2)
        reply = await ajera.update("Vendors", {**vendor, "VendorTypeKey": 1}, vendor)
        assert reply["Content"]["Vendors"][0]["VendorTypeDescription"] == "Consultant"


async def test_an_update_whose_answer_has_the_old_stamp_by_quirk() -> None:
    async with running(stamp_moves="no") as ajera:
        before = await ajera.one("Clients", 1)
        reply = await ajera.update("Clients", {**before, "Notes": "x"}, before)
        assert reply["Content"]["Clients"][0]["LastModifiedDate"] == before["LastModifiedDate"]
        assert (await ajera.one("Clients", 1))["LastModifiedDate"] != before["LastModifiedDate"]


async def test_hostile_values_travel_unharmed() -> None:
    async with running() as ajera:
        text = "\u202e<script>[red]\x1b[2J\x00" + "é" * 10_000
        before = await ajera.one("Clients", 1)
        await ajera.update("Clients", {**before, "Notes": text}, before)
        assert (await ajera.one("Clients", 1))["Notes"] == text


def test_the_books_survive_their_folder() -> None:
    import orjson

    from core.sandbox.ajera.data import AjeraData

    data = books()
    again = AjeraData.from_json(orjson.loads(orjson.dumps(data.to_json())), data.clock)
    assert again.to_json() == data.to_json()
    assert again.insert("clients", {"Description": "next"}) == 4
    assert again.owners["clients"][1] == [1]


def test_books_refuse_unknown_properties_and_used_keys() -> None:
    data = books()
    with pytest.raises(ValueError, match="Nick"):
        data.insert("clients", {"Nick": "x"})
    with pytest.raises(ValueError, match="in use"):
        data.insert("phases", {"Description": "x"}, key=1)
    with pytest.raises(KeyError):
        data.edit("clients", 99, {})
