"""Every switch of the emulated tenant, one at a time, on records like a real firm's: the system reads everything,
writes, and fails only in the ways that the switch means."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import pytest

from core.crm.system import CrmSystem
from core.errors import AccessRefused, RecordRefused
from core.model.record import Record
from core.model.values import Kind, Side
from core.ports import Draft
from core.quirks.crm import CrmQuirks
from core.sandbox.ajera.data import AjeraData
from core.sandbox.seed import seed
from tests.contract.crm_world import World


def values() -> Iterator[tuple[str, Any]]:
    """Each switch with each value that is not its default; numbers with one that bites."""
    bites = {
        "employee_length": 5,
        "default_page_size": 7,
        "max_page_size": 30,
        "contact_cap": 5,
        "token_seconds": 300,
        "token_early_death": 5,
    }
    names = {"custom_marker": "CustAjeraKey"}
    for switch in fields(CrmQuirks):
        allowed = switch.metadata.get("allowed", ())
        if isinstance(switch.default, bool):
            yield switch.name, not switch.default
        elif allowed:
            yield from ((switch.name, value) for value in allowed if value != switch.default)
        elif switch.name in bites:
            yield switch.name, bites[switch.name]
        else:
            yield switch.name, names.get(switch.name, "")


async def settle(system: CrmSystem, record: Record, **changes: Any) -> Record | RecordRefused:
    try:
        return await system.update(record, changes)
    except RecordRefused as refused:
        return refused


@pytest.mark.parametrize(("name", "value"), list(values()))
async def test_one_switch(name: str, value: Any) -> None:
    world = World(**{name: value})
    seed(AjeraData(world.clock), world.data, firms=40, contacts=70, projects=30, employees=12)
    system = world.system()
    await system.connect()
    hubs = {kind: {record.key: record for record in (await system.pull(kind, None)).records} for kind in Kind}
    tables = {kind: world.data.tables[kind.value] for kind in Kind}
    projects = {key for key in tables[Kind.PROJECT] if "|" not in key}
    for kind in Kind:
        assert set(hubs[kind]) == (projects if kind is Kind.PROJECT else set(tables[kind]))
        assert await system.keys(kind) == set(hubs[kind])
    cursor = (await system.pull(Kind.FIRM, None)).cursor
    assert not (await system.pull(Kind.FIRM, cursor)).whole

    firm = next(record for record in hubs[Kind.FIRM].values() if record.why_not is None and record.fields["address"])
    if (name, value) == ("login_rights", "read"):
        with pytest.raises(AccessRefused):
            await system.update(firm, {"name": "Renamed"})
        return
    named = await system.update(firm, {"name": "Renamed", "phone": "555-0001"})
    assert (named.fields["name"], named.fields["phone"]) == ("Renamed", "555-0001")
    contact = next(iter(hubs[Kind.CONTACT].values()))
    cleared = await system.update(contact, {"title": ""})
    assert cleared.fields["title"] == "" or name == "empty_clears"
    draft = Draft(Kind.CONTACT, Side.CRM, "x", {"last_name": "Made"}, key="D" * 32)
    made = await system.create(draft)
    assert made.name == "Made"
    assert (await system.get(Kind.CONTACT, [made.key]))[made.key].fields["last_name"] == "Made"

    first = min(projects)
    project = (await system.get(Kind.PROJECT, [first]))[first]
    marked = await settle(system, project, mark=not project.marked)
    assert (
        isinstance(marked, Record)
        or name in ("ajera_columns", "ajera_by_charge_type")
        or project.extra["ChargeType"] != "R"
    )
    assert await system.get(Kind.PROJECT, ["no such project"]) == {}
    assert made.key in {record.key for record in await system.namesakes(draft)}
