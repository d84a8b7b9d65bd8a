"""What doctor looks at beyond what connecting tells, in the emulated systems."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.ajera.client import AjeraClient
from core.ajera.survey import survey
from core.crm.survey import recent_saves
from core.model.values import Kind
from tests.contract.ajera_kit import rig
from tests.contract.crm_world import filled
from tests.sandbox.ajera_books import Clock, books


async def test_every_method_of_a_full_user_can_be_read_and_nothing_is_written() -> None:
    async with rig() as here:
        look = await survey(here.system.client, here.clock())
        assert set(look.rights.values()) == {""}
        assert {"ListClients", "GetEmployees", "GetProjects (version 2)", "GetProjectTotals"} <= set(look.rights)
        assert look.offset == timedelta(hours=-5)
        assert look.employee_types == ("Senior",)
        assert look.final_syncs == 0
        assert not [entry for entry in here.server.ledger if entry.writes]


@pytest.mark.parametrize("unknown_method", ["error", "empty"])
async def test_a_missing_right_is_named(unknown_method: str) -> None:
    clock = Clock()
    data = books(clock)
    allowed = ["ListClients", "GetClients", "ListContacts", "ListProjects", "GetProjects", "ListEmployees"]
    data.insert("users", {"Username": "half", "Password": "pass-word-1", "Methods": allowed})
    async with rig(data, unknown_method=unknown_method) as here:
        client = AjeraClient(here.system.client.http, "half", "pass-word-1")
        look = await survey(client, clock())
        assert all(not look.rights[method] for method in allowed)
        for method in ("GetContacts", "GetEmployees", "ListProjectTemplates", "ListTimesheets", "ListEmployeeTypes"):
            assert look.rights[method], method


async def test_projects_with_a_last_update_are_counted() -> None:
    clock = Clock()
    data = books(clock)
    data.edit("projects", next(iter(data.tables["projects"])), {"CRMFinalSync": True})
    async with rig(data) as here:
        assert (await survey(here.system.client, clock())).final_syncs == 1
        assert (await survey(here.system.client, clock() + timedelta(days=60))).final_syncs == 0


async def test_who_saved_what_in_the_crm() -> None:
    here = filled()
    before = len(here.data.ledger)
    here.data.edit("firm", "A" * 32, {"Name": "Acme"}, "DELTEK")
    system = here.system()
    saves = await recent_saves(system.client)
    await system.close()
    assert len(here.data.ledger) == before + 1
    assert ("DELTEK", Kind.FIRM) in {(save.user, save.kind) for save in saves}
    assert {save.kind for save in saves} == set(Kind)
