"""Lists: filters with their traps, order, paging, columns."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from core.sandbox.crm.data import CrmData
from tests.sandbox.crm_kit import Crm, clauses

SINCE = {"name": "ModDate", "value": "2026-03-02T09:00:30.000Z", "type": "datetime", "opp": ">="}


async def names(crm: Crm, **params: Any) -> list[str]:
    return [row["Name"] for row in await crm.get("firm", fieldFilter="Name", **params)]


@pytest.fixture
def crm() -> Crm:
    made = Crm()
    for name in ("Acme", "Birch", "Cedar"):
        made.firm(name, Memo=f"about {name}")
        made.clock.forward(minutes=1)
    return made


async def test_a_half_open_window_of_moddate(crm: Crm) -> None:
    until = {**SINCE, "value": "2026-03-02T09:02:00.000Z", "opp": "<", "condition": "AND", "seq": "1"}
    assert await names(crm, **clauses(SINCE)) == ["Birch", "Cedar"]
    assert await names(crm, **clauses(SINCE, until)) == ["Birch"]
    shifted = {**SINCE, "value": "2026-03-02T03:00:30-06:00"}
    assert await names(crm, **clauses(shifted)) == ["Birch", "Cedar"]


@pytest.mark.parametrize(
    ("change", "quirks"),
    [
        ({"type": ""}, {"date_needs_type": False}),
        ({"value": "2026-03-02T09:00:30.000"}, {"date_needs_zone": False}),
    ],
)
async def test_a_badly_formed_date_filter_finds_nothing(crm: Crm, change: dict[str, str], quirks: Any) -> None:
    assert await names(crm, **clauses({**SINCE, **change})) == []
    kinder = Crm(**quirks)
    kinder.clock.forward(minutes=5)
    kinder.firm("Late")
    assert await names(kinder, **clauses({**SINCE, **change})) == ["Late"]


async def test_an_unreadable_date_finds_nothing(crm: Crm) -> None:
    assert await names(crm, **clauses({**SINCE, "value": "yesterday at 10:00Z"})) == []


async def test_clauses_on_one_column(crm: Crm) -> None:
    both = clauses({"name": "Name", "value": "Acme"}, {"name": "Name", "value": "cedar"})
    assert await names(crm, **both) == ["Acme", "Cedar"]
    ordered = clauses({"name": "Name", "value": "Acme", "seq": "0"}, {"name": "Name", "value": "Cedar", "seq": "1"})
    assert await names(crm, **ordered) == []
    mixed = clauses({"name": "Name", "value": "Acme"}, {"name": "Status", "value": "I"})
    assert await names(crm, **mixed) == []


async def test_operators(crm: Crm) -> None:
    assert await names(crm, **clauses({"name": "Name", "value": "Acme", "opp": "!="})) == ["Birch", "Cedar"]
    assert await names(crm, **clauses({"name": "Name", "value": "birch", "opp": ">"})) == ["Cedar"]
    assert await names(crm, **clauses({"name": "Memo", "value": "OUT B", "opp": "like"})) == ["Birch"]
    assert await names(crm, **clauses({"name": "Memo", "value": "%about%ced%", "opp": "like"})) == ["Cedar"]
    assert await names(crm, **clauses({"name": "Name", "value": "Acme", "opp": "eq"})) == ["Acme"]
    status, document = await crm.call("GET", "firm", **clauses({"name": "Nope", "value": "1"}))
    assert (status, document["Message"]) == (400, "Field Nope does not exist")
    status, _ = await crm.call("GET", "firm", **clauses({"name": "Name", "value": "1", "opp": "~"}))
    assert status == 500
    silent = Crm(word_operators="empty")
    silent.firm()
    assert await names(silent, **clauses({"name": "Name", "value": "Acme Supplies", "opp": "eq"})) == []


async def test_numbers_compare_as_numbers() -> None:
    crm = Crm()
    for number, fee in (("1", "9"), ("2", "10.5"), ("3", "100")):
        crm.project(number, Fee=Decimal(fee))
    rows = await crm.get("project", fieldFilter="WBS1", **clauses({"name": "Fee", "value": "10.50", "opp": ">="}))
    assert [row["WBS1"] for row in rows] == ["2", "3"]


async def test_order_and_both_paging_forms(crm: Crm) -> None:
    assert await names(crm, order="ModDate_D") == ["Cedar", "Birch", "Acme"]
    assert await names(crm, order="Name", page=2, pageSize=2) == ["Cedar"]
    assert await names(crm, order="Name", offset=1, limit=1) == ["Birch"]
    assert await names(crm, order="Name", **{"limit": 2, "q.maxrows": 1}) == ["Acme"]
    for wrong in ({"pageSize": 0}, {"limit": "x"}, {"page": 0, "pageSize": 5}):
        assert (await crm.call("GET", "firm", **wrong))[0] == 400
    assert (await crm.call("GET", "firm", order="Nope"))[0] == 400


async def test_page_sizes_are_cut_silently() -> None:
    crm = Crm(default_page_size=2, max_page_size=3)
    for n in range(5):
        crm.firm(f"Firm {n}")
    assert len(await crm.get("firm")) == 2
    assert len(await crm.get("firm", pageSize=50)) == 3
    assert [row["Name"] for row in await crm.get("firm", page=3, order="Name")] == ["Firm 4"]
    assert [row["Name"] for row in await crm.get("firm", page=2, pageSize=4, order="Name")] == ["Firm 4"]
    assert len(await Crm(default_page_size=0, max_page_size=0).get("firm")) == 0


async def test_a_long_query_travels_in_the_body(crm: Crm) -> None:
    headers = {"dvp-postAsGet": "true"}
    reply = await crm.send("POST", "firm", data={"fieldFilter": "Name", **clauses(SINCE)}, headers=headers)
    assert (reply.status_code, [row["Name"] for row in reply.json()]) == (200, ["Birch", "Cedar"])


async def test_columns_are_those_asked_for(crm: Crm) -> None:
    row = (await crm.get("firm", fieldFilter="ClientID, moddate,Nope"))[0]
    assert set(row) == {"ClientID", "ModDate"}
    key = row["ClientID"]
    assert set((await crm.get(f"firm/{key}", fieldFilter="Name"))[0]) == {"Name"}
    status, changed = await crm.call("PUT", f"firm/{key}?fieldFilter=Name", {"Memo": "x"})
    assert (status, changed) == (200, [{"Name": "Acme"}])
    strict = Crm(unknown_column="error")
    assert (await strict.call("GET", "firm", fieldFilter="Nope"))[0] == 400


async def test_child_lists_are_filtered_too() -> None:
    crm = Crm()
    project = crm.project()
    for n in range(3):
        crm.data.insert("project_team", {"WBS1": project, "Employee": crm.employee(f"{n}"), "CRMHours": n * 10})
    path = f"project/{project}/teammember"
    found = await crm.get(
        path, fieldFilter="Employee", order="Hours_D", **clauses({"name": "Hours", "value": "5", "opp": ">"})
    )
    assert found == [{"Employee": "2"}, {"Employee": "1"}]
    listed = clauses({"name": "Employee", "value": "0, 2", "opp": "in"})
    assert len(await crm.get(f"project/{project}/employee", **listed)) == 2
    assert (await crm.call("GET", path, **clauses({"name": "Nope", "value": "1"})))[0] == 400
    firm = crm.firm()
    assert await crm.get(f"firm/{firm}/project", **clauses({"name": "PRName", "value": "x"})) == []


async def test_computed_columns_can_be_filtered_and_sorted() -> None:
    crm = Crm()
    for name, city in (("Acme", "Waco"), ("Birch", "Austin")):
        key = crm.firm(name)
        crm.data.insert("address", {"ClientID": key, "Address": "Main", "City": city, "PrimaryInd": "Y"})
    assert await names(crm, order="PrimaryCity") == ["Birch", "Acme"]
    assert await names(crm, **clauses({"name": "PrimaryCity", "value": "waco"})) == ["Acme"]


async def test_levels_of_projects() -> None:
    crm = Crm()
    crm.project("P1")
    crm.project("P1", WBS2="01", Name="Phase")
    crm.project("P1", WBS2="01", WBS3="A", Name="Task")
    everything = await crm.get("project", fieldFilter="WBS1,WBS2,WBS3")
    assert [(row["WBS2"], row["WBS3"]) for row in everything] == [(" ", " "), ("01", " "), ("01", "A")]
    assert [r["Name"] for r in await crm.get("project", wbstype="wbs2")] == ["Phase"]
    assert [r["Name"] for r in await crm.get("project", **clauses({"name": "WBS2", "value": ""}))] == ["Bridge"]
    assert [r["Name"] for r in await crm.get("project/hierarchy/P1")] == ["Phase"]
    assert [r["Name"] for r in await crm.get("project/P1%7C01%7CA")] == ["Task"]
    assert crm.data.get("project", "P1")["SubLevel"] == "Y"
    assert (await crm.call("GET", "project", wbstype="wbs9"))[0] == 400


async def test_fifty_thousand_rows_are_filtered_quickly() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    crm = Crm()
    crm.data.recording = False
    for n in range(50_000):
        crm.data.insert("contact", {"LastName": f"L{n}", "ClientID": str(n % 999)}, stamp=start + timedelta(minutes=n))
    since = {**SINCE, "value": (start + timedelta(minutes=49_000)).isoformat()}
    until = {**SINCE, "value": (start + timedelta(minutes=49_500)).isoformat(), "opp": "<"}
    await crm.login()
    before = time.process_time()
    rows = await crm.get(
        "contact", fieldFilter="ContactID,LastName,ModDate", order="ContactID", pageSize=500, **clauses(since, until)
    )
    spent = time.process_time() - before
    assert len(rows) == 500
    assert spent < 0.5, spent


def test_data_can_be_saved_and_loaded() -> None:
    crm = Crm()
    firm = crm.firm(CustRegion="West", AnnualRevenue="1234.5600")
    crm.project(ClientID=firm, Fee=Decimal("99999999999999.1234"))
    crm.project("2026001", WBS2="01", Name="Phase")
    again = CrmData.from_json(crm.data.to_json(), crm.clock)
    assert again.to_json() == crm.data.to_json()
    assert again.get("project", "2026001") == crm.data.get("project", "2026001")
    assert again.rows("project", "ClientID", firm)[0]["Fee"] == Decimal("99999999999999.1234")
    assert again.columns("firm")["CustRegion"].custom
    with pytest.raises(ValueError, match="another version"):
        CrmData.from_json({"version": 2})
