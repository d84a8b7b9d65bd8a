"""The CRM system against the emulated tenant: creating, changing, refusals, lost answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import pytest

from core.crm.keys import chosen_key
from core.crm.options import CrmOptions
from core.crm.system import CrmSystem
from core.errors import AlreadyThere, OutcomeUnknown, RecordMissing, RecordRefused, Stale
from core.model.record import Record
from core.model.values import Address, EntryEdit, Kind, Ref, Side, TeamEdit, Value
from core.ports import Draft
from core.sandbox.crm.values import encode
from tests.contract.crm_world import ACME, ANN, BETA, BOB, VENDOR, World, filled

AUSTIN = Address(("9 Elm St",), "Austin", "TX", "78702", "USA")


def crm(kind: Kind, key: str) -> Ref:
    return Ref(kind, Side.CRM, key)


def draft(kind: Kind, **more: Any) -> Draft:
    more.setdefault("fields", {})
    return Draft(kind, Side.CRM, "x", **more)


async def one(system: CrmSystem, kind: Kind, key: str) -> Record:
    return (await system.get(kind, [key]))[key]


def bodies(world: World, method: str, start: str) -> list[dict[str, Any]]:
    return [json.loads(call[3]) for call in world.asked(method, start) if call[3]]


# -- creating ---------------------------------------------------------------------------------------


async def test_a_firm_is_made_under_the_chosen_key_with_its_address() -> None:
    world = filled()
    key = chosen_key("Sandbox", Kind.FIRM, "17")
    fields: dict[str, Value] = {
        "name": "Delta Engineers", "type": "Education", "website": None, "address": AUSTIN, "phone": "+1 512 555 0199",
        "email": "hi@delta.example", "mark": True,
    }  # fmt: skip
    made = await world.system().create(draft(Kind.FIRM, key=key, fields=fields))
    assert made.key == key
    assert (made.marked, made.fields["type"], made.fields["phone"]) == (True, "Education", "+1 512 555 0199")
    assert made.fields["address"] == replace(AUSTIN, country="United States")
    assert made.extra["ClientInd"] == "Y"
    (address,) = world.data.rows("address", "ClientID", key)
    assert (address["Address"], address["PrimaryInd"]) == ("Ajera", "Y")
    assert "WebSite" not in bodies(world, "POST", "/firm")[0]


@pytest.mark.parametrize("client_keys", ["ignored", "refused"])
async def test_a_tenant_may_choose_the_key_itself(client_keys: str) -> None:
    made = (
        await filled(client_keys=client_keys)
        .system()
        .create(draft(Kind.FIRM, key="D" * 32, fields={"name": "Delta", "address": AUSTIN}))
    )
    assert made.key != "D" * 32
    assert made.fields["address"]


async def test_a_chosen_key_that_is_taken_is_already_there() -> None:
    with pytest.raises(AlreadyThere):
        await filled().system().create(draft(Kind.FIRM, key=ACME, fields={"name": "Acme"}))


async def test_a_firm_and_its_address_are_one_call() -> None:
    world = filled()
    await world.system().create(draft(Kind.FIRM, key="D" * 32, fields={"name": "Delta", "address": AUSTIN}))
    assert [call[1] for call in world.wire if call[0] == "POST"] == ["/token", "/firm"]


def without_nested(world: World, how: str) -> None:
    """A tenant whose POST knows no nested rows: it ignores them, or refuses them."""

    def answer(request: httpx.Request) -> httpx.Response | None:
        if request.method != "POST" or not request.url.path.endswith("/firm") or b"CLAddress" not in request.content:
            return None
        if how == "refused":
            return httpx.Response(400, json={"Message": "Field CLAddress does not exist"})
        body = json.loads(request.content)
        key = world.data.insert("firm", {"Name": body["Name"], "ClientInd": "Y", "Status": "A"}, key=body["ClientID"])
        return httpx.Response(201, content=encode([{"ClientID": key}]))

    world.answer = answer


@pytest.mark.parametrize("how", ["ignored", "refused"])
async def test_an_address_that_the_post_does_not_take_is_posted_after_it(how: str) -> None:
    world = filled()
    without_nested(world, how)
    made = await world.system().create(draft(Kind.FIRM, key="D" * 32, fields={"name": "Delta", "address": AUSTIN}))
    assert made.fields["address"] == replace(AUSTIN, country="United States")
    assert "address_refused" not in made.extra
    assert len(world.data.rows("address", "ClientID", "D" * 32)) == 1


async def test_an_address_that_is_refused_does_not_lose_the_firm() -> None:
    world = filled()
    address = Address(("1",), "Toronto", "ON", "", "US")
    fields: dict[str, Value] = {"name": "Delta", "address": address, "phone": "1"}
    made = await world.system().create(draft(Kind.FIRM, key="D" * 32, fields=fields))
    assert (made.key, made.name) == ("D" * 32, "Delta")
    assert not {"address", "phone"} & set(made.fields)  # not read: they are tried again
    assert "State Code ON" in made.extra["address_refused"]
    assert len(world.asked("POST", "/firm")) == 2


async def test_an_address_refused_after_the_firm_was_made_does_not_make_it_twice() -> None:
    world = filled()

    def made_but_refused(request: httpx.Request) -> httpx.Response | None:
        if request.method == "POST" and b"CLAddress" in request.content:
            world.data.insert("firm", {"Name": "Delta", "ClientInd": "Y", "Status": "A"}, key="D" * 32)
            return httpx.Response(400, json={"Message": "State Code ZZ does not exist."})
        return None

    world.answer = made_but_refused
    made = await world.system().create(draft(Kind.FIRM, key="D" * 32, fields={"name": "Delta", "address": AUSTIN}))
    assert made.key == "D" * 32
    assert len(world.asked("POST", "/firm")) == 1


async def test_without_a_key_to_look_for_a_refused_address_refuses_the_firm() -> None:
    world = filled(client_keys="refused")
    address = Address(("1",), "Toronto", "ON", "", "US")
    with pytest.raises(RecordRefused, match="State Code ON"):
        await world.system().create(draft(Kind.FIRM, key="D" * 32, fields={"name": "Delta", "address": address}))
    assert len(world.asked("POST", "/firm")) == 1


async def test_another_refusal_is_the_records_own() -> None:
    world = filled()
    address = Address(("1",), "Toronto", "ON", "", "US")
    with pytest.raises(RecordRefused) as refused:
        await world.system().create(draft(Kind.FIRM, key="D" * 32, fields={"name": "", "address": address}))
    assert "Please provide a Firm Name for table Firm" in refused.value.problems
    assert len(world.asked("POST", "/firm")) == 1


async def test_a_contact_is_made_at_its_firm() -> None:
    made = await filled().system().create(
        draft(Kind.CONTACT, key="D" * 32, fields={
            "first_name": "Zoë", "last_name": "O'Neil", "email": "zoe@acme.example", "firm": crm(Kind.FIRM, ACME),
            "status": "A", "address": AUSTIN, "mark": True,
        })
    )  # fmt: skip
    assert (made.key, made.label, made.marked) == ("D" * 32, "O'Neil, Zoë", True)
    assert made.fields["firm"] == crm(Kind.FIRM, ACME)
    assert made.fields["address"] == replace(AUSTIN, country="United States")


async def test_a_project_is_made_with_charge_type_dates_and_template() -> None:
    world = filled()
    name = "A very long project name that the short one cannot hold"
    fields: dict[str, Value] = {
        "name": name, "client": crm(Kind.FIRM, ACME), "manager": crm(Kind.EMPLOYEE, "00001"), "status": "A",
        "start_date": date(2026, 4, 1), "compensation": Decimal("1000.1000"), "mark": True,
    }  # fmt: skip
    made = await world.system().create(
        draft(Kind.PROJECT, number="2026.07", template="Time and expense", fields=fields)
    )
    row = world.data.get("project", "2026.07")
    assert made.key == made.number == "2026.07"
    assert (row["LongName"], row["Name"]) == (name, name[:40].strip())
    assert (row["ChargeType"], row["ProjectTemplate"], row["AjeraSync"]) == ("R", "T2", "Y")
    assert made.fields["start_date"] == date(2026, 4, 1)
    assert made.fields["compensation"] == Decimal("1000.1")
    assert made.contacts == ()
    assert made.team is not None
    assert [member.employee for member in made.team] == ["00001"]


async def test_an_employee_gets_a_number_and_the_settings_type() -> None:
    world = filled()
    made = await world.system().create(draft(Kind.EMPLOYEE, fields={"first_name": "New", "last_name": "Hire"}))
    assert made.key == made.number == "00003"
    assert "Employee" not in bodies(world, "POST", "/employee")[0]
    assert made.extra["Type"] == "E"


async def test_what_the_crm_refuses_is_told_sentence_by_sentence() -> None:
    world = filled()
    world.data.insert("organization", {"Name": "Austin"}, key="AU")
    with pytest.raises(RecordRefused) as refused:
        await world.system().create(draft(Kind.EMPLOYEE, fields={"first_name": "No Last"}))
    assert refused.value.problems == ("Please provide a Last for table Employees", "Organization is required.")
    assert {"LastName"} <= set(refused.value.columns)
    options = CrmOptions(defaults={Kind.EMPLOYEE: {"org": "AU", "Type": "P"}})
    made = await world.system(options).create(draft(Kind.EMPLOYEE, fields={"last_name": "Hire"}))
    assert (made.extra["Type"], world.data.get("employee", made.key)["Org"]) == ("P", "AU")


@pytest.mark.parametrize("status", ["400", "500"])
async def test_a_business_rule_is_a_refusal_whatever_its_status(status: str) -> None:
    system = filled(business_status=status).system()
    with pytest.raises(RecordRefused) as refused:
        await system.update(await one(system, Kind.PROJECT, "2026.01"), {"compensation": Decimal(5)})
    assert "Fee" in refused.value.columns


async def test_a_write_whose_answer_is_lost_is_unknown_and_never_repeated() -> None:
    world = filled()
    system = world.system()
    await system.connect()

    def lost(request: httpx.Request) -> httpx.Response | None:
        if request.method == "POST" and request.url.path.endswith("/firm"):
            raise httpx.ReadError("gone")
        return None

    world.answer = lost
    with pytest.raises(OutcomeUnknown):
        await system.create(draft(Kind.FIRM, key="D" * 32, fields={"name": "Delta"}))
    assert len(world.asked("POST", "/firm")) == 1


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (httpx.Response(500, text="<html>oops</html>"), OutcomeUnknown),
        (httpx.Response(500, json={"message": "Please provide a Name for table Firm"}), RecordRefused),
        (httpx.Response(400, text=""), RecordRefused),
        (httpx.Response(404, json={"Message": "none"}), RecordMissing),
        (httpx.Response(400, json={"MESSAGE": "Record Acme already exists and cannot be added."}), AlreadyThere),
        (httpx.Response(503, json={"Message": "busy"}), OutcomeUnknown),
    ],
)
async def test_answers_to_a_write_mean_one_thing_each(reply: httpx.Response, error: type[Exception]) -> None:
    world = filled()
    system = world.system()
    firm = await one(system, Kind.FIRM, ACME)
    world.answer = lambda request: reply if request.method == "PUT" else None
    with pytest.raises(error) as raised:
        await system.update(firm, {"name": "New"})
    assert type(raised.value) is error


async def test_a_new_record_whose_reply_cannot_be_read_is_looked_up() -> None:
    world = filled()
    real = world.system()
    await real.connect()
    inserted: list[str] = []

    def silent(request: httpx.Request) -> httpx.Response | None:
        if request.method == "POST" and request.url.path.endswith("/contact"):
            body = json.loads(request.content)
            inserted.append(world.data.insert("contact", {"LastName": body["LastName"]}, key=body["ContactID"]))
            return httpx.Response(201, text="created")
        return None

    world.answer = silent
    made = await real.create(draft(Kind.CONTACT, key="D" * 32, fields={"last_name": "Quiet"}))
    assert made.key == inserted[0] == "D" * 32


# -- namesakes --------------------------------------------------------------------------------------


async def test_namesakes_are_found_by_key_name_and_number() -> None:
    world = filled()
    world.data.insert("firm", {"Name": "ACME supplies", "VendorInd": "Y", "Category": "T"}, key="E" * 32)
    system = world.system()
    found = await system.namesakes(draft(Kind.FIRM, key=BETA, number="C100", fields={"name": "Acme Supplies"}))
    assert {record.key for record in found} == {ACME, BETA, "E" * 32}
    people = await system.namesakes(draft(Kind.CONTACT, fields={"first_name": "Bob", "last_name": "Baker"}))
    assert [record.key for record in people] == [BOB]
    name = "Acme headquarters, renovation of the north wing and its two stairs"
    projects = await system.namesakes(draft(Kind.PROJECT, number="2026.02", fields={"name": name}))
    assert [record.key for record in projects] == ["2026.01", "2026.02"]
    staff = await system.namesakes(draft(Kind.EMPLOYEE, fields={"last_name": "X", "email": "mary@us.example"}))
    assert [record.key for record in staff] == ["00001"]
    assert await system.namesakes(draft(Kind.FIRM, fields={})) == []


# -- changing ---------------------------------------------------------------------------------------


async def test_only_the_changed_columns_are_sent() -> None:
    world = filled()
    system = world.system()
    after = await system.update(await one(system, Kind.FIRM, ACME), {"name": "Acme", "type": "Education"})
    assert bodies(world, "PUT", "/firm") == [{"Name": "Acme", "Type": "EDU"}]
    assert (after.fields["name"], after.fields["type"]) == ("Acme", "Education")
    assert after.user == "sync"


async def test_a_firms_address_goes_into_its_primary_row() -> None:
    world = filled()
    system = world.system()
    firm = await one(system, Kind.FIRM, ACME)
    after = await system.update(firm, {"address": AUSTIN, "phone": "1", "fax": "", "email": "x@y.example"})
    (body,) = bodies(world, "PUT", "/firm")
    (row,) = world.data.rows("address", "ClientID", ACME)
    assert body["CLAddress"][0]["CLAddressID"] == row["CLAddressID"]
    assert (row["Address"], row["Address1"], row["Address3"], row["FAX"]) == ("Main", "9 Elm St", "", "")
    assert after.fields["address"] == replace(AUSTIN, country="United States")
    assert after.fields["email"] == "x@y.example"


async def test_part_of_an_address_row_leaves_the_rest_alone() -> None:
    world = filled()
    system = world.system()
    after = await system.update(await one(system, Kind.FIRM, ACME), {"phone": "512-555-7777"})
    assert after.fields["phone"] == "512-555-7777"
    assert isinstance(after.fields["address"], Address)
    assert after.fields["address"].lines == ("1 High St", "Suite 4")


async def test_a_firm_without_address_gets_a_row_labelled_ajera() -> None:
    world = filled()
    system = world.system()
    beta = await one(system, Kind.FIRM, BETA)
    await system.update(beta, {"address": None})
    assert world.data.rows("address", "ClientID", BETA) == []
    after = await system.update(beta, {"address": AUSTIN, "name": "Beta"})
    assert after.fields["address"] == replace(AUSTIN, country="United States")
    assert after.name == "Beta"
    await system.update(after, {"phone": "7"})
    (row,) = world.data.rows("address", "ClientID", BETA)
    assert (row["Address"], row["Phone"]) == ("Ajera", "7")


@pytest.mark.parametrize(
    ("address", "why"),
    [
        (Address(("1", "2", "3", "4", "5")), "5 street lines"),
        (Address(("x" * 51,)), "holds 50"),
        (Address(("1",), "", "Bavaria-ish", "", ""), "no state"),
        (Address(("1",), "", "", "", "Atlantis"), "no country"),
    ],
)
async def test_an_address_that_does_not_fit_is_refused_before_sending(address: Address, why: str) -> None:
    world = filled()
    system = world.system()
    firm = await one(system, Kind.FIRM, ACME)
    with pytest.raises(RecordRefused, match=why) as refused:
        await system.update(firm, {"address": address})
    assert refused.value.columns == ("CLAddress",)
    assert world.asked("PUT", "/") == []


async def test_a_state_the_crm_refuses_names_the_address_field() -> None:
    world = filled()
    system = world.system()
    address = Address(("1",), "Toronto", "ON", "", "US")
    with pytest.raises(RecordRefused) as refused:
        await system.update(await one(system, Kind.FIRM, ACME), {"address": address})
    assert {"State", "CLAddress"} <= set(refused.value.columns)


async def test_texts_and_codes_that_do_not_fit_are_refused_before_sending() -> None:
    world = filled()
    system = world.system()
    firm = await one(system, Kind.FIRM, ACME)
    with pytest.raises(RecordRefused, match="101 characters") as refused:
        await system.update(firm, {"name": "x" * 101})
    assert refused.value.columns == ("Name",)
    with pytest.raises(RecordRefused, match="nearest: Commercial"):
        await system.update(firm, {"type": "Comercial"})
    with pytest.raises(RecordRefused, match="not mapped"):
        await system.update(firm, {"nonsense": "x"})
    assert world.asked("PUT", "/") == []


async def test_a_contact_that_uses_its_firms_address_has_none_to_write() -> None:
    system = filled().system()
    with pytest.raises(RecordRefused, match="firm's address"):
        await system.update(await one(system, Kind.CONTACT, ANN), {"address": AUSTIN})
    after = await system.update(await one(system, Kind.CONTACT, BOB), {"address": AUSTIN, "firm": None})
    assert after.fields["address"] == replace(AUSTIN, country="United States")
    assert after.fields["firm"] is None


async def test_project_names_follow_the_rule_both_ways() -> None:
    world = filled()
    system = world.system()
    long = "Another name for the building that is longer than forty characters"
    after = await system.update(await one(system, Kind.PROJECT, "2026.01"), {"name": long})
    row = world.data.get("project", "2026.01")
    assert (row["Name"], row["LongName"], after.name) == (long[:40].strip(), long, long)
    world.data.edit("project", "2026.02", {"Name": "Shed", "LongName": "The old barn"})
    shed = await one(system, Kind.PROJECT, "2026.02")
    assert shed.name == "Shed"
    await system.update(shed, {"name": "Hut"})
    row = world.data.get("project", "2026.02")
    assert (row["Name"], row["LongName"]) == ("Hut", "The old barn")
    with pytest.raises(RecordRefused, match="Name holds 40"):
        await system.update(await one(system, Kind.PROJECT, "2026.02"), {"name": long})


async def test_money_dates_and_references_keep_every_digit() -> None:
    world = filled()
    system = world.system()
    after = await system.update(
        await one(system, Kind.PROJECT, "2026.01"),
        {
            "spent_labor": Decimal("12345678901234.5678"),
            "percent_complete": None,
            "actual_completion": date(2026, 2, 28),
            "start_date": None,
            "principal": crm(Kind.EMPLOYEE, "00002"),
        },
    )
    assert b"12345678901234.5678" in world.asked("PUT", "/project")[-1][3]
    assert after.fields["spent_labor"] == Decimal("12345678901234.5678")
    assert after.fields["percent_complete"] == 0
    assert (after.fields["actual_completion"], after.fields["start_date"]) == (date(2026, 2, 28), None)
    assert after.fields["principal"] == crm(Kind.EMPLOYEE, "00002")


async def test_marks_and_templates_are_written() -> None:
    world = filled()
    system = world.system()
    assert (await system.update(await one(system, Kind.FIRM, BETA), {"mark": True})).marked is True
    assert (await system.update(await one(system, Kind.CONTACT, ANN), {"mark": False})).marked is False
    project = await one(system, Kind.PROJECT, "2026.01")
    after = await system.update(project, {"mark": False, "template": "Time and expense"})
    assert (after.marked, after.template) == (False, "Time and expense")
    with pytest.raises(RecordRefused, match="nearest: Standard fixed fee"):
        await system.update(after, {"template": "Standard fixed fees"})


async def test_a_mark_without_a_column_is_refused_before_sending() -> None:
    system = filled(ajera_columns=False).system()
    with pytest.raises(RecordRefused, match="no Ajera Sync column"):
        await system.update(await one(system, Kind.FIRM, ACME), {"mark": True})


async def test_project_contacts_are_added_removed_and_ticked() -> None:
    world = filled()
    system = world.system()
    project = await one(system, Kind.PROJECT, "2026.01")
    edit = EntryEdit(add=(crm(Kind.CONTACT, BOB), crm(Kind.CONTACT, ANN)), roles=("Architect", ""))
    after = await system.update(project, {"contacts": edit})
    assert after.contacts is not None
    assert {(entry.key, entry.role, entry.marked) for entry in after.contacts} == {
        (ANN, "Owner", True),
        (BOB, "Architect", False),
    }
    after = await system.update(after, {f"mark:{BOB}": True, f"mark:{ANN}": False})
    assert after.contacts is not None
    assert {entry.key: entry.marked for entry in after.contacts} == {ANN: False, BOB: True}
    after = await system.update(after, {"contacts": EntryEdit(remove=(crm(Kind.CONTACT, ANN),))})
    assert after.contacts is not None
    assert [entry.key for entry in after.contacts] == [BOB]
    with pytest.raises(RecordRefused, match="no longer on"):
        await system.update(after, {f"mark:{ANN}": True})


async def test_a_row_that_somebody_changed_since_is_stale_where_the_tenant_checks() -> None:
    world = filled(original_values="enforced")
    system = world.system()
    project = await one(system, Kind.PROJECT, "2026.01")
    row = world.data.rows("project_contact", "WBS1", "2026.01")[0]
    world.data.edit("project_contact", row["RecordID"], {"AjeraSync": "N"})
    with pytest.raises(Stale):
        await system.update(project, {f"mark:{ANN}": False})


async def test_team_hours_are_added_and_existing_rows_adopted() -> None:
    world = filled()
    system = world.system()
    project = await one(system, Kind.PROJECT, "2026.01")
    assert project.team is not None
    row = next(member for member in project.team if member.employee == "00002").row
    assert row is not None
    world.data.edit("project_team", row, {"StartDate": "2025-01-01"})
    project = await one(system, Kind.PROJECT, "2026.01")
    first = date(2026, 1, 20)
    after = await system.update(
        project,
        {
            "team:0": TeamEdit(crm(Kind.EMPLOYEE, "00002"), "Principal", Decimal("12.25"), first, row),
            "team:1": TeamEdit(crm(Kind.EMPLOYEE, "00001"), "Engineer", Decimal("3.5"), first),
        },
    )
    assert after.team is not None
    found = {(member.employee, member.role): (member.hours, member.start) for member in after.team}
    assert found["00002", "Principal"] == (Decimal("12.25"), date(2025, 1, 1))
    assert found["00001", "Engineer"] == (Decimal("3.5"), first)
    with pytest.raises(RecordRefused, match="no code for “Juggler”"):
        await system.update(after, {"team:0": TeamEdit(crm(Kind.EMPLOYEE, "00001"), "Juggler", Decimal(1), first)})
    edit = TeamEdit(Ref(Kind.EMPLOYEE, Side.AJERA, "5"), "Engineer", Decimal(1), first)
    with pytest.raises(RecordRefused, match="no partner"):
        await system.update(after, {"team:0": edit})


async def test_hours_that_the_tenant_ignores_come_back_as_they_are() -> None:
    world = filled(crm_hours="ignored")
    system = world.system()
    project = await one(system, Kind.PROJECT, "2026.01")
    edit = TeamEdit(crm(Kind.EMPLOYEE, "00002"), "Principal", Decimal(99), None)
    after = await system.update(project, {"team:0": edit})
    assert after.team is not None
    assert {member.employee: member.hours for member in after.team}["00002"] == Decimal("7.5")


@pytest.mark.parametrize("write_reply", ["array", "object"])
async def test_replies_may_be_arrays_or_objects(write_reply: str) -> None:
    system = filled(write_reply=write_reply).system()
    after = await system.update(await one(system, Kind.CONTACT, BOB), {"title": "Chief", "middle_name": ""})
    assert after.fields["title"] == "Chief"
    made = await system.create(draft(Kind.CONTACT, key="D" * 32, fields={"last_name": "X"}))
    assert made.key == "D" * 32


async def test_a_reply_that_lacks_columns_is_read_back() -> None:
    world = filled()
    system = world.system()
    bob = await one(system, Kind.CONTACT, BOB)

    def short(request: httpx.Request) -> httpx.Response | None:
        if request.method == "PUT":
            world.data.edit("contact", BOB, {"Title": "Chief of staff"})  # a workflow adds to it
            return httpx.Response(200, json=[{"ContactID": BOB}])
        return None

    world.answer = short
    after = await system.update(bob, {"title": "Chief"})
    assert after.fields["title"] == "Chief of staff"


async def test_an_update_of_nothing_sends_no_write() -> None:
    world = filled()
    system = world.system()
    bob = await one(system, Kind.CONTACT, BOB)
    assert (await system.update(bob, {})).fields == bob.fields
    assert world.asked("PUT", "/") == []


async def test_a_record_that_is_gone_is_missing() -> None:
    world = filled()
    system = world.system()
    contact, firm = await one(system, Kind.CONTACT, BOB), await one(system, Kind.FIRM, VENDOR)
    world.data.delete("contact", BOB)
    world.data.delete("firm", VENDOR)
    with pytest.raises(RecordMissing):
        await system.update(contact, {"title": "x"})
    with pytest.raises(RecordMissing):
        await system.update(firm, {"phone": "1"})


async def test_an_update_refused_for_old_data_names_the_column_behind_it() -> None:
    world = filled()
    world.data.insert("firm", {"Name": "Old", "VendorInd": "Y", "ClientInd": "Y", "Status": "A"}, key="E" * 32)
    system = world.system()
    with pytest.raises(RecordRefused) as refused:
        await system.update(await one(system, Kind.FIRM, "E" * 32), {"name": "Older"})
    assert refused.value.problems == ("Please provide a Vendor Type for table Firm",)
    assert refused.value.columns == ("Category",)


async def test_hostile_texts_travel_unchanged() -> None:
    system = filled().system()
    text = "\x1b[31m<b>\u202e\"'; DROP -- [red]"
    after = await system.update(await one(system, Kind.CONTACT, BOB), {"title": text})
    assert after.fields["title"] == text


async def test_a_record_that_was_kept_without_its_row_is_read_before_it_is_changed() -> None:
    world = filled()
    world.data.edit("project", "2026.02", {"Name": "Shed", "LongName": "The old barn"})
    system = world.system()
    stored = replace(await one(system, Kind.PROJECT, "2026.02"), raw=None, contacts=None)
    await system.update(stored, {"name": "Hut"})
    assert world.data.get("project", "2026.02")["LongName"] == "The old barn"
    pulled = {record.key: record for record in (await system.pull(Kind.PROJECT, None)).records}["2026.01"]
    assert pulled.contacts is None
    after = await system.update(pulled, {f"mark:{ANN}": False})
    assert after.contacts is not None
    assert not after.contacts[0].marked
    world.data.delete("project", "2026.02")
    with pytest.raises(RecordMissing):
        await system.update(stored, {"name": "Hut"})


def test_chosen_keys_are_stable_and_apart() -> None:
    key = chosen_key("Tenant", Kind.FIRM, "17")
    assert key == chosen_key("tenant", Kind.FIRM, "17")
    assert len(key) == 32
    assert int(key, 16)
    others = {
        chosen_key("Tenant", Kind.CONTACT, "17"),
        chosen_key("Tenant", Kind.FIRM, "18"),
        chosen_key("T", Kind.FIRM, "17"),
    }
    assert len(others | {key}) == 4


# -- somebody types between our write and its reading back -----------------------------------------


def _typing(method: str, edit: Callable[[], object]) -> Callable[[httpx.Request], None]:
    """Somebody types before the first GET that follows a write."""
    wrote: list[str] = []

    def answer(request: httpx.Request) -> None:
        if request.method == "GET" and wrote == [method]:
            wrote.append("typed")
            edit()
        elif request.method == method:
            wrote.append(method)

    return answer


async def test_what_somebody_types_right_after_a_create_is_not_taken_for_ours() -> None:
    world, key = filled(), "D" * 32
    system = world.system()
    await system.connect()
    world.answer = _typing("POST", lambda: world.data.edit("firm", key, {"WebSite": "typed.example"}))
    made = await system.create(draft(Kind.FIRM, key=key, fields={"name": "Delta", "website": "sent.example"}))
    assert made.fields["website"] == "sent.example"
    held = (await system.get(Kind.FIRM, [key]))[key]
    assert held.fields["website"] == "typed.example"
    assert held.stamp != made.stamp


async def test_what_somebody_types_right_after_an_address_was_written_is_not_taken_for_ours() -> None:
    world = filled()
    system = world.system()
    before = (await system.get(Kind.FIRM, [ACME]))[ACME]
    row = next(key for key, each in world.data.tables["address"].items() if each["ClientID"] == ACME)

    def typed() -> None:
        world.data.edit("address", row, {"City": "Typedville"})
        world.data.touch("firm", ACME, "PERSON")  # as the hub does where it saves both

    world.answer = _typing("PUT", typed)
    after = await system.update(before, {"address": AUSTIN})
    assert isinstance(after.fields["address"], Address)
    assert after.fields["address"].city == "Austin"
    assert (await system.get(Kind.FIRM, [ACME]))[ACME].stamp != after.stamp
