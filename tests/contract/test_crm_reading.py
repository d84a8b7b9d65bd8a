"""The CRM system against the emulated tenant: connecting, pulling, proving lists, reading records."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from urllib.parse import parse_qs, unquote

import httpx
import pytest

from core.crm.options import CrmOptions
from core.errors import AccessRefused, ListNotTrusted, LoginRefused
from core.model.values import Address, FieldType, Kind, Ref, Side
from core.policy import DEFAULT_FIELDS, FieldSpec, Owner
from core.sandbox.crm.values import encode
from tests.contract.crm_world import ACME, ANN, BETA, BOB, LEAD, VENDOR, filled, raw_of


async def test_connect_says_what_the_tenant_has() -> None:
    world = filled()
    connection = await world.system().connect()
    assert connection.mark_columns == {"firm", "contact", "project", "project_contact", "template"}
    assert connection.templates == ("Standard fixed fee", "Time and expense")
    assert connection.limits[Kind.FIRM, "name"] == 100
    assert connection.limits[Kind.FIRM, "phone"] == 24
    assert connection.captions[Kind.PROJECT, "estimated_completion"] == "Estimated"
    assert "Commercial" in connection.codes[Kind.FIRM, "type"]
    assert "Project Manager" in connection.codes[Kind.PROJECT, "team_role"]
    assert connection.stopped == {}
    assert connection.warnings == ()
    assert connection.clock_offset is not None
    assert abs(connection.clock_offset) < 60


async def test_a_tenant_without_ajera_columns_is_told() -> None:
    connection = await filled(ajera_columns=False).system().connect()
    assert connection.mark_columns == frozenset()
    assert any("not enabled in the CRM" in warning for warning in connection.warnings)
    assert "no column AjeraSpentLabor" in connection.stopped[Kind.PROJECT, "spent_labor"]


async def test_tick_columns_of_other_names_are_found_by_caption() -> None:
    world = filled(firm_contact_flag="AjSyn", project_contact_flag="AjSyn2", template_field="AjTpl")
    system = world.system()
    connection = await system.connect()
    assert connection.mark_columns == {"firm", "contact", "project", "project_contact", "template"}
    assert (await system.get(Kind.CONTACT, [ANN]))[ANN].marked is True
    project = (await system.get(Kind.PROJECT, ["2026.01"]))["2026.01"]
    assert project.template == "Standard fixed fee"
    assert project.contacts is not None
    assert project.contacts[0].marked


async def test_the_settings_may_say_that_there_is_no_column() -> None:
    world = filled()
    options = CrmOptions(quirks=world.quirks, mark_columns={"contact": "", "template": "ProjectTemplate"})
    system = world.system(options)
    connection = await system.connect()
    assert "contact" not in connection.mark_columns
    assert "template" in connection.mark_columns
    assert (await system.get(Kind.CONTACT, [ANN]))[ANN].marked is None


async def test_a_wrong_password_is_refused_once_and_not_shown() -> None:
    world = filled()
    with pytest.raises(LoginRefused) as refused:
        await world.system(password="letmein").connect()
    assert "letmein" not in str(refused.value)
    assert len(world.wire) == 1


async def test_firms_become_records() -> None:
    pulled = await filled().system().pull(Kind.FIRM, None)
    records = {record.key: record for record in pulled.records}
    assert pulled.whole
    acme, beta, vendor = records[ACME], records[BETA], records[VENDOR]
    assert acme.label == "Acme Supplies"
    assert (acme.marked, beta.marked, acme.number) == (True, False, "C100")
    assert acme.fields["type"] == "Commercial"
    assert acme.fields["address"] == Address(("1 High St", "Suite 4"), "Austin", "TX", "78701", "United States")
    assert (acme.fields["phone"], acme.fields["fax"]) == ("512-555-0100", "512-555-0101")
    assert beta.fields["status"] == "D"
    assert beta.why_not is None
    assert vendor.why_not == "not a client"
    assert acme.user == "ADMIN"
    assert acme.stamp.startswith("2026-03-02T09:00:")


async def test_contacts_become_records() -> None:
    records = await filled().system().get(Kind.CONTACT, [ANN, BOB, LEAD])
    ann, bob = records[ANN], records[BOB]
    assert ann.label == "Archer, Ann"
    assert ann.fields["firm"] == Ref(Kind.FIRM, Side.CRM, ACME)
    assert "address" not in ann.fields  # it uses its firm's
    assert ann.extra["CLAddress"] == "Main"
    assert bob.fields["address"] == Address(("2 Low Rd",), "Toronto", "ON", "", "Canada")
    assert records[LEAD].why_not == "not a qualified contact (New)"
    assert records[LEAD].fields["firm"] is None


async def test_projects_become_records_with_exact_money() -> None:
    records = await filled().system().get(Kind.PROJECT, ["2026.01", "2026.02", "2026.99"])
    assert set(records) == {"2026.01", "2026.02"}
    project = records["2026.01"]
    assert project.fields["name"] == "Acme headquarters, renovation of the north wing and its two stairs"
    assert project.fields["spent_labor"] == Decimal("98765432101234.5678")
    assert project.fields["compensation"] == Decimal("12345.6789")
    assert project.fields["start_date"] == date(2026, 1, 15)
    assert project.fields["actual_completion"] is None
    assert project.fields["manager"] == Ref(Kind.EMPLOYEE, Side.CRM, "00001")
    assert project.fields["type"] == "Architecture"
    assert (project.template, project.extra["ChargeType"], project.extra["SubLevel"]) == (
        "Standard fixed fee",
        "R",
        "Y",
    )
    assert project.extra["ProjectTemplate"] == "T1"
    assert records["2026.02"].label == "2026.02 Barn"


async def test_a_projects_contacts_and_team_come_with_it() -> None:
    system = filled().system()
    contacts, team = (await system.children(["2026.01"]))["2026.01"]
    assert contacts is not None
    (entry,) = contacts
    assert (entry.key, entry.role, entry.marked) == (ANN, "Owner", True)
    principal = next(row for row in team if row.employee == "00002")
    assert (principal.role, principal.hours) == ("Principal", Decimal("7.5"))


@pytest.mark.parametrize("quirk", [{"team_contact_type": "Contact", "team_employee_type": "Emp"}, {}])
async def test_record_types_of_team_rows_may_be_unknown(quirk: dict[str, str]) -> None:
    world = filled(**quirk)
    system = world.system(CrmOptions(quirks=filled().quirks))
    project = (await system.get(Kind.PROJECT, ["2026.01"]))["2026.01"]
    assert project.contacts is not None
    assert [entry.key for entry in project.contacts] == [ANN]
    assert project.team


async def test_contacts_whose_key_is_not_told_are_not_read() -> None:
    project = (await filled(team_contact_key="").system().get(Kind.PROJECT, ["2026.01"]))["2026.01"]
    assert project.contacts is None


async def test_phases_are_no_records() -> None:
    world = filled()
    pulled = await world.system().pull(Kind.PROJECT, None)
    assert [record.key for record in pulled.records] == ["2026.01", "2026.02"]
    assert await world.system().keys(Kind.PROJECT) == {"2026.01", "2026.02"}


async def test_personal_data_of_employees_is_neither_asked_for_nor_kept() -> None:
    world = filled()
    system = world.system()
    pulled = await system.pull(Kind.EMPLOYEE, None)
    await system.get(Kind.EMPLOYEE, ["00001"])
    assert {record.name for record in pulled.records} == {"Major, Mary", "Prince, Paul"}
    assert "SSN" not in str([raw_of(record) for record in pulled.records])
    for call in world.asked("GET", "/employee"):
        columns = parse_qs(call[2])["fieldFilter"][0].split(",")
        assert not {"SSN", "PayRate", "JobCostRate"} & set(columns)


async def test_a_reply_that_ignores_field_filter_is_trimmed() -> None:
    world = filled()

    def all_columns(request: httpx.Request) -> httpx.Response | None:
        if request.url.path.endswith("/employee/00001"):
            return httpx.Response(200, content=encode([world.data.get("employee", "00001") | {"ZIP": None}]))
        return None

    world.answer = all_columns
    record = (await world.system().get(Kind.EMPLOYEE, ["00001"]))["00001"]
    assert "078-05-1120" not in str(record.raw)
    assert record.fields["hire_date"] == date(2019, 5, 1)


# -- cursors and proofs -----------------------------------------------------------------------------


async def test_nothing_changed_costs_one_request() -> None:
    world = filled()
    system = world.system()
    first = await system.pull(Kind.CONTACT, None)
    world.clock.at += timedelta(minutes=20)
    before = system.requests
    second = await system.pull(Kind.CONTACT, first.cursor)
    assert system.requests - before == 1
    assert not second.whole
    assert second.cursor == first.cursor
    query = unquote(world.wire[-1][2])
    assert "[type]=datetime" in query
    assert "[opp]=>=" in query
    assert query.split("filterHash[0][value]=")[1].split("&")[0].endswith("Z")


async def test_a_change_is_pulled_and_moves_the_cursor() -> None:
    world = filled()
    system = world.system()
    first = await system.pull(Kind.FIRM, None)
    world.clock.at += timedelta(minutes=20)
    world.data.edit("firm", BETA, {"Name": "Beta & Sons"})
    second = await system.pull(Kind.FIRM, first.cursor)
    assert "Beta & Sons" in {record.name for record in second.records}
    assert second.cursor > first.cursor
    assert second.cursor.endswith(f"|{BETA}")


async def test_projects_are_narrowed_to_the_top_in_a_delta() -> None:
    world = filled()
    system = world.system()
    first = await system.pull(Kind.PROJECT, None)
    world.data.edit("project", "2026.01|10", {"Name": "Groundwork"})
    second = await system.pull(Kind.PROJECT, first.cursor)
    assert {record.key for record in second.records} <= {"2026.01", "2026.02"}


async def test_a_stamp_of_the_future_does_not_move_the_cursor_past_the_servers_clock() -> None:
    world = filled()
    system = world.system()
    at = world.clock.at
    world.clock.at = at.replace(year=2030)
    world.data.edit("firm", BETA, {"Name": "Tomorrow Inc"})
    world.clock.at = at
    pulled = await system.pull(Kind.FIRM, None)
    assert pulled.cursor.startswith("2026-03-02")
    again = await system.pull(Kind.FIRM, pulled.cursor)
    assert BETA in {record.key for record in again.records}


async def test_an_empty_answer_to_a_filter_that_was_not_understood_is_not_believed() -> None:
    world = filled()
    system = world.system()
    first = await system.pull(Kind.FIRM, None)
    await system.pull(Kind.FIRM, first.cursor)

    def empty(request: httpx.Request) -> httpx.Response | None:
        asks = b"filterHash" in request.url.query and request.url.path.endswith("/firm")
        return httpx.Response(200, json=[]) if asks else None

    world.answer = empty
    with pytest.raises(ListNotTrusted):
        await system.pull(Kind.FIRM, first.cursor)


async def test_a_filter_that_is_ignored_is_not_believed() -> None:
    world = filled()
    system = world.system()
    await system.pull(Kind.FIRM, None)

    def unfiltered(request: httpx.Request) -> httpx.Response | None:
        rows = [{"ClientID": ACME, "ModDate": "2020-01-01T00:00:00.000"}]
        return httpx.Response(200, json=rows) if request.url.path.endswith("/firm") else None

    world.answer = unfiltered
    with pytest.raises(ListNotTrusted):
        await system.pull(Kind.FIRM, "2026-03-02T09:00:00.000|" + ACME)
    with pytest.raises(ListNotTrusted):
        await system.connect(max_age=0)


async def test_the_newest_row_may_have_been_deleted_since() -> None:
    world = filled()
    system = world.system()
    world.clock.at += timedelta(minutes=20)
    world.data.edit("contact", LEAD, {"Title": "x"})
    first = await system.pull(Kind.CONTACT, None)
    world.data.delete("contact", LEAD)
    second = await system.pull(Kind.CONTACT, first.cursor)
    assert second.records == ()
    third = await system.pull(Kind.CONTACT, second.cursor)
    assert {record.key for record in third.records} <= {ANN, BOB}


async def test_an_empty_hub_is_an_answer() -> None:
    world = filled()
    for key in (ANN, BOB, LEAD):
        world.data.delete("contact", key)
    system = world.system()
    first = await system.pull(Kind.CONTACT, None)
    assert first.records == ()
    assert first.whole
    again = await system.pull(Kind.CONTACT, first.cursor)
    assert again.records == ()
    world.data.insert("contact", {"LastName": "New"})
    assert len((await system.pull(Kind.CONTACT, again.cursor)).records) == 1


# -- paging -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("cap", "page_size"), [(0, 7), (1000, 10), (30, 500), (0, 500)])
async def test_every_row_of_a_long_list_is_read_whatever_the_page(cap: int, page_size: int) -> None:
    world = filled(max_page_size=cap)
    for number in range(100):
        world.data.insert("contact", {"LastName": f"N{number}"})
    system = world.system(page_size=page_size)
    assert len((await system.pull(Kind.CONTACT, None)).records) == 103
    assert len(await system.keys(Kind.CONTACT)) == 103


async def test_a_list_that_moves_while_it_is_read_is_read_again() -> None:
    world = filled()
    keys = sorted(world.data.insert("contact", {"LastName": f"N{number}"}) for number in range(40))
    system = world.system(page_size=10)
    await system.connect()
    gone: list[str] = []

    def shrink(request: httpx.Request) -> httpx.Response | None:
        if "offset=9" in request.url.query.decode() and not gone:
            gone.append(keys[0])
            world.data.delete("contact", keys[0])
        return None

    world.answer = shrink
    found = await system.keys(Kind.CONTACT)
    assert found == {ANN, BOB, LEAD, *keys[1:]}


async def test_a_server_that_ignores_the_offset_is_not_believed() -> None:
    world = filled()
    for number in range(30):
        world.data.insert("contact", {"LastName": f"N{number}"})
    system = world.system(page_size=10)
    await system.connect()
    rows = [{"ContactID": f"{number:032}", "ModDate": "2026-01-01T00:00:00.000"} for number in range(10)]
    world.answer = lambda request: httpx.Response(200, json=rows) if request.url.path.endswith("/contact") else None
    with pytest.raises(ListNotTrusted):
        await system.keys(Kind.CONTACT)


async def test_many_keys_go_into_few_calls_and_the_missing_are_asked_for_alone() -> None:
    world = filled()
    keys = [world.data.insert("contact", {"LastName": f"N{number}"}) for number in range(60)]
    system = world.system()
    await system.connect()
    before = system.requests
    found = await system.get(Kind.CONTACT, [*keys, "F" * 32])
    assert set(found) == set(keys)
    assert system.requests - before == 4
    assert world.asked("POST", "/contact")  # a query this long is sent as a form


async def test_rows_that_an_or_filter_hides_are_not_taken_for_deleted() -> None:
    world = filled()
    system = world.system()
    await system.connect()

    def nothing(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(200, json=[]) if b"filterHash" in request.url.query else None

    world.answer = nothing
    assert set(await system.get(Kind.CONTACT, [ANN, BOB])) == {ANN, BOB}


@pytest.mark.parametrize("missing_get", ["404", "empty"])
async def test_a_missing_record_is_missing_either_way(missing_get: str) -> None:
    assert await filled(missing_get=missing_get).system().get(Kind.FIRM, ["F" * 32]) == {}


async def test_a_key_of_odd_characters_is_one_path_segment() -> None:
    world = filled()
    world.data.insert("project", {"Name": "Odd", "ChargeType": "R", "Status": "A"}, key="a/b ?#%.ü")
    system = world.system()
    assert (await system.get(Kind.PROJECT, ["a/b ?#%.ü"]))["a/b ?#%.ü"].fields["name"] == "Odd"
    assert await system.get(Kind.PROJECT, [".."]) == {}


# -- session ----------------------------------------------------------------------------------------


async def test_a_session_that_dies_early_is_renewed() -> None:
    world = filled(token_early_death=3)
    system = world.system()
    await system.connect()
    assert len((await system.pull(Kind.FIRM, None)).records) == 3
    assert len(world.asked("POST", "/token")) > 2


async def test_a_right_that_is_missing_is_its_own_error() -> None:
    world = filled()
    system = world.system()
    await system.connect()
    world.answer = lambda request: httpx.Response(403, json={"message": "No access"})
    with pytest.raises(AccessRefused, match="No access"):
        await system.get(Kind.FIRM, [ACME])


# -- field map --------------------------------------------------------------------------------------


async def test_custom_fields_are_read_by_their_type() -> None:
    world = filled()
    world.data.declare("firm", "CustRating | Numeric | 0 | Rating | dec=2")
    world.data.edit("firm", ACME, {"CustRating": "4.25", "CustNote": "  kept as is "})
    rating = FieldSpec(Kind.FIRM, "rating", "Rating", FieldType.NUMBER, Owner.CRM, "CustRating", "CF_1", custom=True)
    note = replace(rating, name="note", type=FieldType.TEXT, crm="custnote")
    fields = {**DEFAULT_FIELDS, Kind.FIRM: (*DEFAULT_FIELDS[Kind.FIRM], rating, note)}
    acme = (await world.system(fields=fields).get(Kind.FIRM, [ACME]))[ACME]
    assert (acme.fields["rating"], acme.fields["note"]) == (Decimal("4.25"), "  kept as is ")


async def test_a_field_that_the_tenant_lacks_is_stopped_with_a_sentence() -> None:
    extra = FieldSpec(Kind.FIRM, "x", "Extra", FieldType.TEXT, Owner.SHARED, "CustNone", "CF_1", custom=True)
    short = replace(extra, name="y", crm="Competitor")
    fixed = replace(extra, name="z", crm="QBOID")
    fields = {**DEFAULT_FIELDS, Kind.FIRM: (*DEFAULT_FIELDS[Kind.FIRM], extra, short, fixed)}
    system = filled().system(fields=fields)
    stopped = (await system.connect()).stopped
    assert "no column CustNone" in stopped[Kind.FIRM, "x"]
    assert "holds only 1 characters" in stopped[Kind.FIRM, "y"]
    assert "read-only" in stopped[Kind.FIRM, "z"]
    assert not {"x", "y", "z"} & set((await system.get(Kind.FIRM, [ACME]))[ACME].fields)


async def test_what_would_make_creates_fail_is_told() -> None:
    world = filled()
    columns = world.data.columns("firm")
    world.data.custom["firm"]["CustRegion"] = replace(
        columns["Name"], name="CustRegion", caption="Region", required=True, custom=True
    )
    world.data.custom["firm"]["CustSize"] = replace(columns["Name"], name="CustSize", required=True, default="S")
    options = CrmOptions(quirks=world.quirks, defaults={Kind.PROJECT: {"Orgg": "AU"}})
    warnings = (await world.system(options).connect()).warnings
    assert "New firms in the CRM need Region (CustRegion): set it under [crm.defaults.firm]" in warnings
    assert "[crm.defaults.project] Orgg: the CRM has no such column" in warnings
    assert len(warnings) == 2
