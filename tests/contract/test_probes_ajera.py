"""Every switch of the emulated Ajera, set every allowed way, is found by its probe."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import pytest

from core.ajera.client import AjeraClient
from core.ajera.probe_ground import PROBES, SILENT, AjeraGround
from core.ajera.probes import probe
from core.model.values import Kind
from core.quirks.ajera import AjeraQuirks
from core.quirks.probing import NEEDS_WRITING, ProbeReport
from core.sandbox.ajera.data import AjeraData
from tests.contract.ajera_kit import Rig, rig
from tests.sandbox.ajera_books import Clock, books

OTHER_TEXTS = {"invalid_session_text": "Session expired, log in", "stale_error": "Record changed since it was read"}
OTHER_NUMBERS = {"session_minutes": (1, 45, 10_080)}
BESIDE: dict[str, dict[str, Any]] = {"child_moves_parent": {"update_children_v2": "accept"}}


def settings() -> Iterator[tuple[str, object]]:
    """Each switch with each value it may have."""
    for each in fields(AjeraQuirks):
        values = each.metadata.get("allowed") or OTHER_NUMBERS.get(each.name) or (each.default, OTHER_TEXTS[each.name])
        yield from ((each.name, value) for value in values)


def firm(clock: Clock) -> AjeraData:
    """Books in which everything that reading can show is shown."""
    data = books(clock)
    for n in range(52):
        data.insert("clients", {"Description": f"Client {n:02d}"})
    boat = next(key for key, row in data.tables["projects"].items() if row["Description"] == "Boat House")
    data.edit("projects", boat, {"Status": "Closed", "ProjectTypeKey": None})
    clock.advance(hours=11)  # 9 p.m. in New York, the next day in UTC
    data.insert("clients", {"Description": "Night Owl"})
    clock.advance(hours=10)
    return data


async def run(here: Rig, *, writing: bool, only: set[str] | None = None) -> ProbeReport:
    client: AjeraClient = here.system.client
    return await probe(client, now=here.clock, writing=writing, only=only)


def written(here: Rig) -> list[str]:
    return [entry.method for entry in here.server.ledger if entry.writes]


@pytest.mark.parametrize(("name", "value"), [each for each in settings() if each[0] not in SILENT])
async def test_each_probe_finds_each_setting(name: str, value: object) -> None:
    clock = Clock()
    quirks: dict[str, Any] = {**BESIDE.get(name, {}), name: value}
    async with rig(firm(clock), **quirks) as here:
        here.clock.now = clock.now
        writes = PROBES.known[name].writes
        report = await run(here, writing=writes, only={name})
        assert report.values == {name: value}, report.findings
        assert bool(written(here)) is writes


def test_every_switch_has_a_probe_or_a_reason() -> None:
    names = {each.name for each in fields(AjeraQuirks)}
    assert set(PROBES.known) | set(SILENT) == names
    assert not set(PROBES.known) & set(SILENT)
    assert set(SILENT) == {"throttle", "session_sliding", "transactions_move_stamp"}


async def test_reading_probes_write_nothing_and_say_what_they_cannot_tell() -> None:
    clock = Clock()
    async with rig(firm(clock)) as here:
        before = repr(here.data.tables)
        report = await run(here, writing=False)
        assert repr(here.data.tables) == before
        assert written(here) == []
    by_name = {each.switch: each for each in report.findings}
    assert list(by_name) == [each.name for each in fields(AjeraQuirks)]
    assert report.left == ()
    for name, probe_ in PROBES.known.items():
        if probe_.writes:
            assert (by_name[name].value, by_name[name].how) == (None, NEEDS_WRITING)
        else:
            assert by_name[name].value == getattr(AjeraQuirks(), name), by_name[name]
    for name, reason in SILENT.items():
        assert by_name[name].how == reason


async def test_all_probes_at_once_find_the_defaults_and_put_their_records_away() -> None:
    clock = Clock()
    async with rig(firm(clock)) as here:
        clients, projects = len(here.data.tables["clients"]), len(here.data.tables["projects"])
        report = await run(here, writing=True)
        found, default = report.values, AjeraQuirks()
        assert {name: found.get(name) for name in PROBES.known if name != "child_moves_parent"} == {
            name: getattr(default, name) for name in PROBES.known if name != "child_moves_parent"
        }
        ours = [row for row in here.data.tables["clients"].values() if "ajerasync probe" in row["Description"]]
        assert len(ours) == len(here.data.tables["clients"]) - clients > 0
        assert {row["Status"] for row in ours} == {"Inactive"}
        made = [row for row in here.data.tables["projects"].values() if row["ID"].startswith("AP-") or not row["ID"]]
        assert len(made) == len(here.data.tables["projects"]) - projects > 0
        assert {row["Status"] for row in made} == {"Closed"}
        assert len(report.left) == len(ours) + len(made) + 2  # two contacts
        assert all("stays" in each for each in report.left)


async def test_an_empty_ajera_leaves_open_what_needs_records() -> None:
    clock = Clock()
    async with rig(AjeraData(clock)) as here:
        report = await run(here, writing=True)
        found = report.values
        assert found["success_code"] == "200"
        assert {"date_filter", "totals_shape", "create_phases"} & set(found) == set()
        assert all(each.how for each in report.findings)


async def test_employees_are_never_asked_for() -> None:
    async with rig() as here:
        ground = AjeraGround(here.system.client, here.clock)
        with pytest.raises(ValueError, match="employees"):
            await ground.get(Kind.EMPLOYEE, [1])
        await run(here, writing=True)
        assert not {"GetEmployees", "UpdateEmployees"} & set(here.methods)


HIDDEN = {  # what another switch of those worlds hides
    "untyped_contact": {"null_properties": "null"},
    "date_bounds": {"date_filter": "day"},
    "date_latest_day": {"date_filter": "day"},
    "contact_name_parts": {"duplicate_contact_name": "accept"},
    "timesheet_day_one": {"authorizing_employee": "no"},
    "resource_link": {"resources_v2": "missing"},
}


@pytest.mark.parametrize("place", [1, 2, 3])
async def test_a_tenant_that_differs_in_everything(place: int) -> None:
    """No probe is misled by what another switch does."""
    quirks: dict[str, Any] = {}
    for each in fields(AjeraQuirks):
        allowed = each.metadata.get("allowed")
        if allowed and each.name != "throttle":
            quirks[each.name] = allowed[min(place, len(allowed) - 1)]
    clock = Clock()
    async with rig(firm(clock), **quirks) as here:
        here.clock.now = clock.now
        report = await run(here, writing=True)
    hidden = {name for name, by in HIDDEN.items() if by.items() <= quirks.items()} | set(SILENT)
    wanted = {each.name: quirks.get(each.name, each.default) for each in fields(AjeraQuirks) if each.name not in hidden}
    assert {name: value for name, value in report.values.items() if name not in hidden} == wanted
