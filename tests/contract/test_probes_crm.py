"""Every switch of the emulated CRM, set every allowed way, is found by its probe."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import httpx
import pytest

from core.crm.client import CrmClient
from core.crm.probe_ground import PROBES, SILENT
from core.crm.probes import probe
from core.crm.session import Login, Session
from core.http import Http
from core.model.values import Kind, Side
from core.quirks.crm import CrmQuirks
from core.quirks.probing import NEEDS_WRITING, ProbeReport
from core.sandbox.crm.data import Write
from tests.contract.crm_world import World, _Wire, filled

DEFAULTS = {Kind.PROJECT: {"BudgetedFlag": "N"}}
OTHERS: dict[str, tuple[object, ...]] = {
    "firm_contact_flag": ("AjeraSync", "AjeraContact", ""),
    "project_contact_flag": ("AjeraSync", "AjeraContact", ""),
    "template_field": ("ProjectTemplate", "CustTemplate", ""),
    "template_code_table": ("CFGAjeraProjectTemplate", "CFGTemplates"),
    "project_contact_array": ("PRCONTACTASSOC", "ProjectContacts", ""),
    "custom_marker": ("", "CustAjeraKey"),
    "team_employee_type": ("E", "EM"),
    "team_contact_type": ("C", "CT"),
    "team_contact_key": ("ContactID", "PersonKey", ""),
    "number_padding": (0, 5),
    "employee_length": (0, 6),
    "default_page_size": (2, 20),
    "max_page_size": (3, 25),
    "contact_cap": (0, 3, 5),
    "token_seconds": (300, 1799, 86_400),
}
BESIDE: dict[str, dict[str, Any]] = {
    "custom_stamp_moves": {"custom_marker": "CustAjeraKey"},
    "autonumber_clash": {"autonumber_override": False},
}
# Settings that look alike from outside, each with the reason; the probe must leave them open or say what is meant.
ALIKE: dict[tuple[str, object], str] = {
    ("employee_path", "company"): "the sandbox takes both forms of the key, so the first one works",
    ("default_page_size", 0): "no limit shows as all rows, as a default above their number does",
    ("max_page_size", 0): "no limit shows as all rows, as a limit above their number does",
}


def settings() -> Iterator[tuple[str, object]]:
    """Each switch with each value it may have."""
    for each in fields(CrmQuirks):
        if each.name in SILENT:
            continue
        closed = each.metadata.get("allowed", ())
        flags: tuple[object, ...] = (True, False) if closed == ("yes", "no") else closed
        for value in OTHERS.get(each.name) or flags:
            if (each.name, value) not in ALIKE:
                yield each.name, value


def world(**quirks: Any) -> World:
    """A tenant in which everything that reading can show is shown."""
    here = filled(**quirks)
    for n in range(30):
        here.data.insert("contact", {"FirstName": "Many", "LastName": f"Person {n:02d}", "ClientID": "A" * 32})
    return here


async def run(here: World, *, writing: bool, only: set[str] | None = None) -> ProbeReport:
    data = here.data
    http = Http(Side.CRM, "http://127.0.0.1/sandbox/api", transport=_Wire(here))
    login = Login(data.database, data.username, "sandbox", data.client_id, data.client_secret)
    client = CrmClient(http, Session(http, login))
    try:
        return await probe(client, defaults=DEFAULTS, writing=writing, only=only)
    finally:
        await client.close()


def sent(here: World) -> list[tuple[str, str, str, bytes]]:
    """The calls that are no reading."""
    return [call for call in here.wire if call[0] != "GET" and not call[1].startswith("/token")]


def by_api(here: World) -> list[Write]:
    """What was saved through the API."""
    return [write for write in here.data.ledger if write.via == "api"]


@pytest.mark.parametrize(("name", "value"), list(settings()))
async def test_each_probe_finds_each_setting(name: str, value: object) -> None:
    here = world(**{**BESIDE.get(name, {}), name: value})
    if name == "token_seconds":  # the clock of these tests moves with every look
        here.data.clock = lambda: here.clock.at
    report = await run(here, writing=PROBES.known[name].writes, only={name})
    found = {name: report.values.get(name)}
    assert found == {name: value}, report.findings
    assert bool(sent(here)) is PROBES.known[name].writes
    assert bool(by_api(here)) <= PROBES.known[name].writes


def test_every_switch_has_a_probe_or_a_reason() -> None:
    names = {each.name for each in fields(CrmQuirks)}
    assert set(PROBES.known) | set(SILENT) == names
    assert not set(PROBES.known) & set(SILENT)
    assert set(SILENT) == {"token_early_death"}


@pytest.mark.parametrize(("name", "value"), list(ALIKE), ids=str)
async def test_settings_that_look_alike(name: str, value: object) -> None:
    here = filled(**{name: value})
    report = await run(here, writing=False, only={name})
    assert report.values == ({"employee_path": "number"} if name == "employee_path" else {}), ALIKE[name, value]


async def test_reading_probes_write_nothing_and_say_what_they_cannot_tell() -> None:
    here = world()
    before = repr(here.data.tables)
    report = await run(here, writing=False)
    assert sent(here) == []
    assert by_api(here) == []
    assert repr(here.data.tables) == before
    by_name = {each.switch: each for each in report.findings}
    assert list(by_name) == [each.name for each in fields(CrmQuirks)]
    for name, one in PROBES.known.items():
        if one.writes:
            assert (by_name[name].value, by_name[name].how) == (None, NEEDS_WRITING)
        elif not name.endswith("page_size") and name != "token_seconds":
            assert by_name[name].value == getattr(CrmQuirks(), name), by_name[name]
    assert report.left == ()


async def test_all_probes_at_once_find_the_defaults_and_take_their_records_away() -> None:
    here = world()
    tables = ("firm", "contact", "project", "employee")
    before = {name: set(here.data.tables[name]) for name in tables}
    report = await run(here, writing=True)
    open_ = {"default_page_size", "max_page_size", "autonumber_clash", "custom_stamp_moves"}
    wanted = {name: getattr(CrmQuirks(), name) for name in PROBES.known if name not in open_}
    assert report.values == {**wanted, "token_seconds": 1798}  # a second of this clock went by
    assert {name: set(here.data.tables[name]) for name in tables} == before
    assert report.left == ()


async def test_what_cannot_be_deleted_is_set_inactive_and_named() -> None:
    here = world()
    here.answer = lambda request: httpx.Response(403, json={}) if request.method == "DELETE" else None
    report = await run(here, writing=True, only={"client_keys"})
    assert report.left
    assert all("it is inactive" in each for each in report.left)
    made = [row for key, row in here.data.tables["firm"].items() if str(row["Name"]).startswith("ajerasync probe")]
    assert [row["Status"] for row in made] == ["I"]


async def test_a_login_that_may_only_read() -> None:
    here = world(login_rights="read")
    report = await run(here, writing=True)
    values = report.values
    assert values["login_rights"] == "read"
    writing = {name for name, one in PROBES.known.items() if one.writes}
    assert writing & set(values) == {"login_rights"}
    assert by_api(here) == []


async def test_an_empty_tenant_leaves_open_what_needs_records() -> None:
    here = World()
    report = await run(here, writing=False)
    assert {"date_needs_type", "team_contact_key", "employee_path"} & set(report.values) == set()
    assert report.values["ajera_columns"] is True
    assert all(each.how for each in report.findings)


OTHER_WORLD = {"login_rights": "all", "token_shared": False, "autonumber_override": True}
HIDDEN = {  # what another switch of that world hides
    "autonumber_override": "firms are not numbered by the CRM",
    "autonumber_clash": "a number may be sent here",
    "token_early_death": SILENT["token_early_death"],
}


async def test_a_tenant_that_differs_in_everything() -> None:
    """No probe is misled by what another switch does."""
    quirks: dict[str, Any] = {}
    for each in fields(CrmQuirks):
        closed = each.metadata.get("allowed", ())
        values = (not each.default,) if closed == ("yes", "no") else OTHERS.get(each.name) or closed or (each.default,)
        quirks[each.name] = values[-1] if (each.name, values[-1]) not in ALIKE else values[0]
    names = ("firm_contact_flag", "project_contact_flag", "team_contact_key", "template_field", "project_contact_array")
    quirks |= {name: OTHERS[name][1] for name in names} | {"custom_marker": "CustAjeraKey", "ajera_columns": True}
    quirks |= OTHER_WORLD
    here = world(**quirks)
    here.data.clock = lambda: here.clock() if here.wire and not here.wire[-1][1].startswith("/token") else here.clock.at
    report = await run(here, writing=True)
    wanted = {name: value for name, value in quirks.items() if name not in HIDDEN}
    assert report.values == wanted
    assert {each.switch: each.how for each in report.findings if each.value is None} == HIDDEN


async def test_records_are_taken_away_when_the_probes_are_stopped_half_way() -> None:
    here = world()
    before = set(here.data.tables["firm"])
    asked = 0

    def answer(request: httpx.Request) -> httpx.Response | None:
        nonlocal asked
        asked += request.method == "PUT"
        if asked == 3 and request.method == "PUT":
            raise asyncio.CancelledError
        return None

    here.answer = answer
    with pytest.raises(asyncio.CancelledError):
        await run(here, writing=True)
    assert asked == 3
    assert set(here.data.tables["firm"]) == before
