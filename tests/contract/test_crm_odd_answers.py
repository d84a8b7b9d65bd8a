"""Answers that are short, late, refused or wrong: what the system makes of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import pytest

from core.crm.options import CrmOptions
from core.errors import BadReply, ListNotTrusted, OutcomeUnknown, RecordRefused, SystemFailure
from core.model.values import EntryEdit, FieldType, Kind, Ref, Side, TeamEdit
from core.policy import DEFAULT_FIELDS, FieldSpec, Owner
from core.ports import Draft
from tests.contract.crm_world import ACME, ANN, BOB, World, filled

Answer = Callable[[httpx.Request], httpx.Response | None]


def draft(**fields: Any) -> Draft:
    return Draft(Kind.CONTACT, Side.CRM, "x", fields)


def after_write(then: httpx.Response) -> Answer:
    """Every read after the first write gets this answer instead."""
    written: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response | None:
        if request.method in ("PUT", "POST") and not request.url.path.endswith("/token"):
            written.append(request.method)
            return None
        return then if written else None

    return answer


def to(method: str, ending: str, *replies: httpx.Response) -> Answer:
    """These answers, in turn, to one kind of request."""
    left = list(replies)

    def answer(request: httpx.Request) -> httpx.Response | None:
        asked = request.method == method and request.url.path.endswith(ending) and left
        return left.pop(0) if asked else None

    return answer


async def connected(world: World) -> Any:
    system = world.system()
    await system.connect()
    return system


# -- after a write ----------------------------------------------------------------------------------


async def test_a_new_record_that_cannot_be_read_back_is_what_the_reply_said() -> None:
    world = filled()
    system = await connected(world)
    world.answer = after_write(httpx.Response(403, json={"Message": "no"}))
    assert (await system.create(draft(last_name="Made"))).name == "Made"


async def test_a_changed_record_that_cannot_be_read_back_is_what_the_reply_said() -> None:
    world = filled(empty_clears=False)
    world.data.edit("contact", BOB, {"Title": "Boss"})
    system = await connected(world)
    bob = (await system.get(Kind.CONTACT, [BOB]))[BOB]
    world.answer = after_write(httpx.Response(403, json={"Message": "no"}))
    # Another value than meant came back, so it is read again; that fails, so the reply counts.
    assert (await system.update(bob, {"title": ""})).fields["title"] == "Boss"
    assert world.wire[-1][0] == "GET"


@pytest.mark.parametrize("body", [b"", b"[]", b'[{"ContactID": "%s"}]' % BOB.encode(), b"done"])
async def test_a_change_that_nobody_can_see_is_unknown(body: bytes) -> None:
    world = filled()
    system = await connected(world)
    bob = (await system.get(Kind.CONTACT, [BOB]))[BOB]
    put = to("PUT", BOB, httpx.Response(200, content=body))
    world.answer = lambda request: put(request) or httpx.Response(403)
    with pytest.raises((OutcomeUnknown, BadReply)):
        await system.update(bob, {"title": "x"})


async def test_a_new_record_is_found_by_its_location() -> None:
    world = filled()
    system = await connected(world)
    at = {"Location": f"http://127.0.0.1/sandbox/api/contact/{ANN}"}
    world.answer = to("POST", "/contact", httpx.Response(201, headers=at))
    assert (await system.create(draft(last_name="Archer"))).key == ANN


@pytest.mark.parametrize("reply", [httpx.Response(201), httpx.Response(201, json=[{"ContactID": "F" * 32}])])
async def test_a_new_record_that_cannot_be_found_is_unknown(reply: httpx.Response) -> None:
    world = filled()
    system = await connected(world)
    world.answer = to("POST", "/contact", reply)
    with pytest.raises(OutcomeUnknown):
        await system.create(draft(last_name="Nobody"))


async def test_an_address_whose_post_fails_is_told_with_the_firm() -> None:
    world = filled()
    system = await connected(world)
    post = to("POST", "/firm", httpx.Response(400, json={"Message": "Field CLAddress does not exist"}))
    address = to("POST", "/address", httpx.Response(400, json={"Message": "Address is closed"}))
    world.answer = lambda request: post(request) or address(request)
    made = await system.create(Draft(Kind.FIRM, Side.CRM, "x", {"name": "D", "phone": "1"}, key="D" * 32))
    assert "Address is closed" in made.extra["address_refused"]
    assert "phone" not in made.fields


# -- what a tenant lacks ----------------------------------------------------------------------------


async def test_a_missing_code_table_stops_its_field() -> None:
    world = filled()
    world.answer = to("GET", "/codeTable/ProjectType", httpx.Response(404, json={"Message": "none"}))
    connection = await world.system().connect()
    assert "cannot be read" in connection.stopped[Kind.PROJECT, "type"]
    assert "The CRM has no code table ProjectType" in connection.warnings


async def test_metadata_that_is_none_is_a_bad_reply() -> None:
    world = filled()
    world.answer = to("GET", "/metadata/firm", httpx.Response(200, json="sorry"))
    with pytest.raises(BadReply, match="metadata"):
        await world.system().connect()


async def test_a_hub_that_is_hidden_stops_its_fields() -> None:
    world = filled()
    world.answer = to("GET", "/metadata/contact", httpx.Response(200, json={}))
    connection = await world.system().connect()
    stopped = {name for kind, name in connection.stopped if kind is Kind.CONTACT}
    assert stopped == {spec.name for spec in DEFAULT_FIELDS[Kind.CONTACT]}
    assert "does not describe the contact hub" in connection.stopped[Kind.CONTACT, "email"]


async def test_address_rows_that_are_hidden_stop_the_address() -> None:
    world = filled()
    table = {"Fields": [{"FieldName": name} for name in ("ClientID", "Name", "ModDate", "PrimaryPhone")]}
    world.answer = to("GET", "/metadata/firm", httpx.Response(200, json={"Clendor": table}))
    connection = await world.system().connect()
    assert "address rows" in connection.stopped[Kind.FIRM, "address"]
    assert "have no Phone" in connection.stopped[Kind.FIRM, "phone"]


async def test_ticks_and_lists_without_a_place_are_refused_before_sending() -> None:
    world = filled(project_contact_array="", template_field="", project_contact_flag="")
    system = await connected(world)
    project = (await system.get(Kind.PROJECT, ["2026.01"]))["2026.01"]
    bob = Ref(Kind.CONTACT, Side.CRM, BOB)
    for change in ({"template": "x"}, {f"mark:{ANN}": True}, {"contacts": EntryEdit(add=(bob,))}):
        with pytest.raises(RecordRefused):
            await system.update(project, change)
    assert not world.asked("PUT", "/")


# -- lists that lie ---------------------------------------------------------------------------------


async def test_a_page_that_is_sent_again_is_not_believed() -> None:
    world = filled()
    system = world.system(page_size=2)
    await system.connect()
    row = {"ContactID": ANN, "ModDate": "2026-01-01T00:00:00.000"}
    other = row | {"ContactID": BOB}
    pages = [httpx.Response(200, json=[row, other]), httpx.Response(200, json=[other, row])]
    world.answer = to("GET", "/contact", *pages * 3)
    with pytest.raises(ListNotTrusted):
        await system.keys(Kind.CONTACT)


async def test_an_empty_answer_is_checked_against_the_newest_row() -> None:
    world = filled()
    system = await connected(world)
    real = world.data.get("contact", BOB)["ModDate"]

    def empty(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(200, json=[]) if b"filterHash" in request.url.query else None

    world.answer = empty
    with pytest.raises(ListNotTrusted, match="but one did"):
        await system.pull(Kind.CONTACT, f"{real}|")


async def test_a_long_list_is_mapped_like_a_short_one() -> None:
    world = filled()
    for number in range(250):
        world.data.insert("firm", {"Name": f"F{number}", "ClientInd": "Y", "Status": "A"})
    pulled = await world.system().pull(Kind.FIRM, None)
    assert len(pulled.records) == 253
    assert next(record for record in pulled.records if record.key == ACME).fields["phone"] == "512-555-0100"


# -- less usual values ------------------------------------------------------------------------------


async def test_custom_flags_and_numbers_are_written() -> None:
    world = filled()
    world.data.declare("firm", "CustVip | Checkbox | 1 | VIP")
    world.data.declare("firm", "CustRank | Numeric | 0 | Rank | dec=2")
    vip = FieldSpec(Kind.FIRM, "vip", "VIP", FieldType.FLAG, Owner.SHARED, "custvip", "CF_1", custom=True)
    rank = replace(vip, name="rank", type=FieldType.NUMBER, crm="CustRank")
    fields = {**DEFAULT_FIELDS, Kind.FIRM: (*DEFAULT_FIELDS[Kind.FIRM], vip, rank)}
    system = world.system(fields=fields)
    firm = (await system.get(Kind.FIRM, [ACME]))[ACME]
    after = await system.update(firm, {"vip": True, "rank": Decimal("2.50"), "type": ""})
    assert (after.fields["vip"], after.fields["rank"], after.fields["type"]) == (True, Decimal("2.5"), "")
    assert world.data.get("firm", ACME)["CustVip"] == "Y"


async def test_the_first_date_of_a_team_row_is_filled_when_it_is_blank() -> None:
    world = filled()
    row = world.data.rows("project_team", "Employee", "00002")[0]
    world.data.edit("project_team", row["RecordID"], {"StartDate": ""})
    system = await connected(world)
    project = (await system.get(Kind.PROJECT, ["2026.01"]))["2026.01"]
    edit = TeamEdit(Ref(Kind.EMPLOYEE, Side.CRM, "00002"), "principal", Decimal(8), date(2026, 1, 5))
    after = await system.update(project, {"team:0": edit})
    member = next(one for one in after.team if one.employee == "00002")
    assert (member.hours, member.start) == (Decimal(8), date(2026, 1, 5))


async def test_the_path_of_an_employee_may_want_the_company() -> None:
    world = filled(employee_path="company")
    world.data.edit("employee", "00001", {"EmployeeCompany": "AU", "HomeCompany": "AU"})
    system = await connected(world)
    mary = (await system.get(Kind.EMPLOYEE, ["00001"]))["00001"]
    assert (await system.update(mary, {"title": "Architect"})).fields["title"] == "Architect"
    assert world.asked("PUT", "/employee")[0][1] == "/employee/00001|AU"


async def test_nothing_personal_is_in_what_a_refusal_says_to_the_log() -> None:
    world = filled()
    system = world.system(CrmOptions(quirks=world.quirks))
    firm = (await system.get(Kind.FIRM, [ACME]))[ACME]
    with pytest.raises(SystemFailure) as refused:
        await system.update(firm, {"type": "\x1b]0;owned\x07" + "x" * 5000})
    assert "\x1b" not in str(refused.value)
    assert len(str(refused.value)) < 600
