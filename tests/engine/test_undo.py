"""Undo of a run (sync-rules 7, law 12; oracle V19): checked against the two systems' own data and ledgers."""

from __future__ import annotations

from typing import Any

import pytest

from core.errors import RecordRefused, RunInProgress, UsageError
from core.model.link import LinkState
from core.model.plan import Op, Plan
from core.model.values import Kind, Side
from core.policy import Policy
from core.ports import RunRecord
from core.reconcile.merge import UNDONE
from tests.engine.conftest import Make
from tests.engine.kit import (
    TEMPLATE,
    TEMPLATE_CODE,
    EngineSettings,
    FakeLock,
    World,
    ajera_client,
    ajera_project,
    crm_contact,
    crm_firm,
    crm_project,
)


async def in_step(world: World, **more: Any) -> str:
    """A firm that is ticked, made in Ajera, and in step; its CRM key."""
    firm = crm_firm(world.crm, "Acme Supplies", WebSite="www.acme.example", AjeraSync="Y", **more)
    await world.run()
    await world.run()
    return firm


async def edited(world: World) -> tuple[str, int, RunRecord]:
    """A run that wrote a CRM edit to Ajera: the firm's keys and the run."""
    firm = await in_step(world)
    world.crm_edit("firm", firm, WebSite="www.new.example")
    run = await world.run()
    client = world.link(Kind.FIRM, firm)
    assert world.ajera.get("clients", client)["Website"] == "www.new.example"
    return firm, client, run


def mapped(world: World) -> dict[str, Any]:
    """What both systems hold, stamps and users aside."""
    stamps = {"LastModifiedDate", "ModDate", "ModUser", "CreateDate", "CreateUser"}
    ajera = {
        (table, key): {name: value for name, value in row.items() if name not in stamps}
        for table in ("clients", "contacts", "projects")
        for key, row in world.ajera.tables[table].items()
    }
    crm = {
        (table, key): {name: value for name, value in row.full().items() if name not in stamps}
        for table in ("firm", "contact", "project", "project_contact", "address")
        for key, row in world.crm.tables[table].items()
    }
    return {"ajera": ajera, "crm": crm}


async def writes_nothing(world: World) -> None:
    """Law 12: a run after an undo writes nothing, and neither does a full one."""
    before = world.writes()
    await world.run()
    await world.run(full=True)
    assert world.writes() == before


def reasons(plan: Plan) -> str:
    return "; ".join(f"{each.field or ''}: {each.reason}" for each in plan.refused)


# -- updates -------------------------------------------------------------------------------------


async def test_law_12_the_previous_value_goes_back_and_a_run_after_it_writes_nothing(world: World) -> None:
    firm, client, run = await edited(world)
    plan = await world.service.undo(run.id)
    assert [(a.op, a.side, set(a.fields)) for a in plan.actions] == [(Op.UPDATE, Side.AJERA, {"website"})]
    assert world.ajera.get("clients", client)["Website"] == "www.acme.example"
    assert world.crm.get("firm", firm)["WebSite"] == "www.new.example"
    await writes_nothing(world)


async def test_v19_records_nobody_touched_hold_their_values_from_before(world: World) -> None:
    firm = await in_step(world)
    world.crm_edit("firm", firm, WebSite="www.new.example", Name="Acme Supplies Ltd", Status="I")
    before = mapped(world)
    run = await world.run()
    assert mapped(world) != before
    await world.service.undo(run.id)
    assert mapped(world) == before


async def test_the_field_waits_as_the_conflict_undone_at_once_with_its_base_restored(world: World) -> None:
    firm, _, run = await edited(world)
    await world.service.undo(run.id)
    (conflict,) = world.service.conflicts()
    assert (conflict.kind, conflict.field, conflict.reason) == (Kind.FIRM, "website", UNDONE)
    assert (conflict.ajera, conflict.crm) == ("www.acme.example", "www.new.example")
    link = world.service.store.links().of(Kind.FIRM, Side.CRM, firm)
    assert link is not None
    pair = world.service.store.base(link)["website"]
    assert (pair.ajera, pair.crm, pair.note) == ("www.acme.example", "www.acme.example", UNDONE)


async def test_no_edit_is_written_before_the_conflict_is_resolved_and_then_the_answer_is(world: World) -> None:
    firm, client, run = await edited(world)
    await world.service.undo(run.id)
    world.crm_edit("firm", firm, WebSite="www.third.example")
    await world.run()
    assert world.ajera.get("clients", client)["Website"] == "www.acme.example"
    (conflict,) = world.service.conflicts()
    world.service.resolve(conflict.id, "crm")
    await world.run()
    assert world.ajera.get("clients", client)["Website"] == "www.third.example"
    assert not world.service.conflicts()
    world.crm_edit("firm", firm, WebSite="www.fourth.example")
    await world.run()
    assert world.ajera.get("clients", client)["Website"] == "www.fourth.example"


async def test_a_dry_run_shows_the_plan_and_does_nothing(world: World) -> None:
    _, _, run = await edited(world)
    before, runs = world.writes(), len(world.service.runs())
    plan = await world.service.undo(run.id, dry_run=True)
    assert [a.fields["website"].to for a in plan.actions] == ["www.acme.example"]
    assert world.writes() == before
    assert len(world.service.runs()) == runs
    assert not world.service.conflicts()
    assert (await world.service.undo(run.id)).digest == plan.digest


async def test_undoing_twice_does_nothing_more(world: World) -> None:
    _, _, run = await edited(world)
    await world.service.undo(run.id)
    before, runs = world.writes(), len(world.service.runs())
    again = await world.service.undo(run.id)
    assert (again.actions, again.refused) == ((), ())
    assert world.writes() == before
    assert len(world.service.runs()) == runs


async def test_what_changed_since_is_listed_and_left_and_the_rest_goes_back(world: World) -> None:
    firm = await in_step(world)
    world.crm_edit("firm", firm, WebSite="www.new.example", Name="Acme Supplies Ltd")
    run = await world.run()
    client = world.link(Kind.FIRM, firm)
    world.ajera_edit("clients", client, Website="www.by.hand.example")
    plan = await world.service.undo(run.id)
    assert [(each.field, each.label) for each in plan.refused] == [("website", "Acme Supplies Ltd")]
    held = world.ajera.get("clients", client)
    assert (held["Website"], held["Description"]) == ("www.by.hand.example", "Acme Supplies")


async def test_what_a_later_run_wrote_is_left_alone(world: World) -> None:
    firm, client, run = await edited(world)
    world.crm_edit("firm", firm, WebSite="www.newer.example")
    await world.run()
    world.crm_edit("firm", firm, WebSite="www.new.example")
    await world.run()
    plan = await world.service.undo(run.id)
    assert not plan.actions
    assert "website: changed since" in reasons(plan)
    assert world.ajera.get("clients", client)["Website"] == "www.new.example"


async def test_an_undo_is_a_run_of_its_own_with_history(world: World) -> None:
    _, _, run = await edited(world)
    await world.service.undo(run.id)
    undo = world.service.runs()[0]
    assert (undo.trigger, undo.outcome) == ("undo", "ok")
    (entry,) = world.service.run_history(undo.id)
    assert entry.fields["website"] == ("www.new.example", "www.acme.example", f"undo of run {run.id}")
    assert entry.bases["website"].crm == "www.new.example"
    assert not world.service.store.intents()
    with pytest.raises(UsageError, match="is an undo itself"):
        await world.service.undo(undo.id)


async def test_undo_takes_the_run_lock_and_knows_its_runs(world: World) -> None:
    _, _, run = await edited(world)
    with pytest.raises(UsageError, match="there is no run 'nonsense'"):
        await world.service.undo("nonsense")
    other = FakeLock(world.locks, "run")
    assert other.acquire()
    with pytest.raises(RunInProgress):
        await world.service.undo(run.id)
    other.release()
    await world.service.undo(run.id)


async def test_a_write_to_the_crm_goes_back_too(world: World) -> None:
    firm = await in_step(world)
    client = world.link(Kind.FIRM, firm)
    world.ajera_edit("clients", client, Website="www.ajera.example")
    run = await world.run()
    assert world.crm.get("firm", firm)["WebSite"] == "www.ajera.example"
    await world.service.undo(run.id)
    assert world.crm.get("firm", firm)["WebSite"] == "www.acme.example"
    await writes_nothing(world)


async def test_a_record_changed_between_plan_and_write_is_left_alone(world: World, monkeypatch: Any) -> None:
    _, client, run = await edited(world)
    get, asked = world.service.systems[Side.AJERA].get, []

    async def edited_before_the_second_look(kind: Kind, keys: Any) -> Any:
        asked.append(kind)
        if len(asked) == 2:
            world.ajera_edit("clients", client, Website="www.by.hand.example")
        return await get(kind, keys)

    monkeypatch.setattr(world.service.systems[Side.AJERA], "get", edited_before_the_second_look)
    await world.service.undo(run.id)
    assert world.ajera.get("clients", client)["Website"] == "www.by.hand.example"
    assert world.service.runs()[0].outcome == "partial"


# -- creates, links, lists -----------------------------------------------------------------------


async def office(world: World) -> tuple[RunRecord, str, list[str], str]:
    """A run that made a firm, two contacts and a project in Ajera."""
    firm = crm_firm(world.crm, "Acme Supplies")
    people = [crm_contact(world.crm, name, f"{name}son", firm) for name in ("Ann", "Bob")]
    project = crm_project(world.crm, "2026.01", "Town Hall", firm)
    world.crm.insert("project_contact", {"WBS1": project, "ContactID": people[0], "Role": "Owner"})
    await world.first_pull()
    world.service.mark(Kind.FIRM, [firm], True)
    world.service.mark(Kind.CONTACT, people, True, firm=firm)
    world.service.mark(Kind.PROJECT, [project], True, template=TEMPLATE)
    world.service.mark(Kind.CONTACT, people[:1], True, project=project)
    run = await world.run()
    assert run.outcome == "ok"
    return run, firm, people, project


async def test_created_records_become_inactive_their_links_sleep_their_sources_are_unticked(world: World) -> None:
    run, firm, people, project = await office(world)
    plan = await world.service.undo(run.id)
    assert not plan.refused, reasons(plan)
    assert world.service.runs()[0].outcome == "ok", [
        e.message for e in world.service.run_history(world.service.runs()[0].id)
    ]
    assert world.ajera.get("clients", world.link(Kind.FIRM, firm))["Status"] == "Inactive"
    for person in people:
        assert world.ajera.get("contacts", world.link(Kind.CONTACT, person))["Status"] == "Inactive"
        assert world.crm.get("contact", person)["AjeraSync"] == "N"
    assert world.ajera.get("projects", world.link(Kind.PROJECT, project))["Status"] == "Hold"
    assert world.crm.get("firm", firm)["AjeraSync"] == "N"
    assert world.crm.get("project", project)["AjeraSync"] == "N"
    assert not world.crm.get("project", project)["ProjectTemplate"].strip()
    assert [row["AjeraSync"] for row in world.crm.rows("project_contact", "WBS1", project)] == ["N"]
    links = world.service.store.links().by_ajera.values()
    assert {(link.state, link.reason) for link in links} == {(LinkState.DORMANT, UNDONE)}
    assert not world.service.store.marks()
    await writes_nothing(world)


async def test_created_and_undone_twice_does_nothing_more(world: World) -> None:
    run, *_ = await office(world)
    await world.service.undo(run.id)
    before = world.writes()
    again = await world.service.undo(run.id)
    assert not again.actions
    assert world.writes() == before


async def test_a_project_is_put_on_hold_and_never_closed_and_the_plan_says_so(world: World) -> None:
    run, *_ = await office(world)
    plan = await world.service.undo(run.id, dry_run=True)
    (hold,) = [a for a in plan.actions if a.kind is Kind.PROJECT and "status" in a.fields]
    assert hold.fields["status"].to == "Hold"
    assert "never closed" in hold.reason


async def test_ticking_again_makes_no_duplicate_and_asks_before_it_writes(world: World) -> None:
    run, firm, _, _ = await office(world)
    await world.service.undo(run.id)
    await world.run()
    clients, before = len(world.ajera.tables["clients"]), world.ajera.get("clients", world.link(Kind.FIRM, firm))
    world.service.mark(Kind.FIRM, [firm], True)
    await world.run()
    await world.run()
    assert len(world.ajera.tables["clients"]) == clients
    assert world.ajera.get("clients", world.link(Kind.FIRM, firm))["Status"] == before["Status"] == "Inactive"
    assert world.crm.get("firm", firm)["Status"] == "A"
    (conflict,) = [each for each in world.service.conflicts() if each.kind is Kind.FIRM]
    assert (conflict.field, conflict.reason) == ("status", UNDONE)
    world.service.resolve(conflict.id, "crm")
    await world.run()
    assert world.ajera.get("clients", world.link(Kind.FIRM, firm))["Status"] == "Active"


async def test_a_tick_made_in_the_crm_wakes_the_link_as_well(world: World) -> None:
    run, firm, _, _ = await office(world)
    await world.service.undo(run.id)
    await world.run()
    world.crm_edit("firm", firm, AjeraSync="Y")
    await world.run()
    link = world.service.store.links().of(Kind.FIRM, Side.CRM, firm)
    assert link is not None
    assert link.state is LinkState.ACTIVE


async def test_a_created_record_that_somebody_changed_is_left_as_it_is(world: World) -> None:
    firm = crm_firm(world.crm, "Acme Supplies", AjeraSync="Y")
    run = await world.run()
    client = world.link(Kind.FIRM, firm)
    world.ajera_edit("clients", client, Website="www.by.hand.example")
    plan = await world.service.undo(run.id)
    assert not plan.actions
    assert "changed since (website)" in reasons(plan)
    assert world.ajera.get("clients", client)["Status"] == "Active"
    assert world.crm.get("firm", firm)["AjeraSync"] == "Y"


async def test_a_record_made_in_the_crm_becomes_inactive_there(world: World) -> None:
    client = ajera_client(world.ajera, "Binder Partners")
    await world.first_pull()
    world.service.mark(Kind.FIRM, [str(client)], True, side=Side.AJERA)
    run = await world.run()
    firm = world.service.store.links().partner(Kind.FIRM, Side.AJERA, str(client))
    assert firm is not None
    await world.service.undo(run.id)
    row = world.crm.get("firm", firm)
    assert (row["Status"], row["AjeraSync"]) == ("I", "N")
    assert world.ajera.get("clients", client)["Status"] == "Active"
    await writes_nothing(world)


async def test_a_link_that_the_run_made_sleeps_and_what_it_filled_is_blank_again(world: World) -> None:
    client = ajera_client(world.ajera, "Acme Supplies", PrimaryAddressZip="78701", Website="")
    firm = crm_firm(world.crm, "Acme Supplies", WebSite="www.acme.example", AjeraSync="Y")
    before = mapped(world)
    run = await world.run()
    assert world.ajera.get("clients", client)["Website"] == "www.acme.example"
    await world.service.undo(run.id)
    after = mapped(world)
    assert after["ajera"] == before["ajera"]
    link = world.service.store.links().of(Kind.FIRM, Side.CRM, firm)
    assert link is not None
    assert (link.state, link.reason) == (LinkState.DORMANT, UNDONE)
    assert world.crm.get("firm", firm)["AjeraSync"] == "N"
    await writes_nothing(world)


async def test_an_entry_of_a_list_comes_off_and_stays_off_until_the_contact_is_ticked_again(world: World) -> None:
    first, second = crm_firm(world.crm, "Acme", AjeraSync="Y"), crm_firm(world.crm, "Binder", AjeraSync="Y")
    ann = crm_contact(world.crm, "Ann", "Annson", first, AjeraSync="Y")
    await world.run()
    await world.run()
    key = world.link(Kind.CONTACT, ann)
    acme, binder = (world.link(Kind.FIRM, each) for each in (first, second))
    world.crm_edit("contact", ann, ClientID=second)
    run = await world.run()

    def lists() -> list[list[int]]:
        return [[e["ContactKey"] for e in world.ajera.get("clients", each)["Contacts"]] for each in (acme, binder)]

    assert lists() == [[], [key]]
    await world.service.undo(run.id)
    assert lists() == [[key], []]
    await writes_nothing(world)
    world.service.mark(Kind.CONTACT, [ann], True)
    await world.run()
    assert lists() == [[key], [key]]


async def test_money_that_a_run_wrote_goes_back_and_is_not_written_again(world: World) -> None:
    firm = crm_firm(world.crm, "Acme Supplies", AjeraSync="Y")
    crm_project(world.crm, "P1", "Town Hall", firm, AjeraSync="Y")
    world.crm.edit("project", "P1", {"ProjectTemplate": "STUDY"})
    await world.run()
    await world.run()
    project = world.link(Kind.PROJECT, "P1")
    world.ajera.edit("totals", project, {"Billed Labor": 1234.5})
    world.clock.forward(hours=25)
    run = await world.run()
    assert float(world.crm.get("project", "P1")["AjeraBilledLabor"]) == 1234.5
    await world.service.undo(run.id)
    assert float(world.crm.get("project", "P1")["AjeraBilledLabor"] or 0) == 0
    await writes_nothing(world)
    assert {each.reason for each in world.service.conflicts()} == {UNDONE}


async def test_a_project_made_in_the_crm_takes_part_no_more(world: World) -> None:
    client = ajera_client(world.ajera, "Acme Supplies")
    project = ajera_project(world.ajera, "2026.07", "Library", client, CreateInCRM=True)
    run = await world.run()
    wbs = world.service.store.links().partner(Kind.PROJECT, Side.AJERA, str(project))
    assert wbs is not None
    await world.service.undo(run.id)
    assert world.crm.get("project", wbs)["Status"] == "I"
    assert world.ajera.get("projects", project)["Status"] == "Active"
    await writes_nothing(world)


async def test_an_employee_made_in_the_crm_becomes_inactive_and_is_not_made_again(world: World) -> None:
    key = world.ajera.insert("employees", {"FirstName": "Ann", "LastName": "Annson", "Email": "ann@example.test"})
    world.service.systems[Side.CRM]._options.defaults[Kind.EMPLOYEE] = {"Org": "NE:AR"}  # type: ignore[attr-defined]
    run = await world.run()
    employee = world.service.store.links().partner(Kind.EMPLOYEE, Side.AJERA, str(key))
    assert employee is not None
    await world.service.undo(run.id)
    assert world.crm.get("employee", employee)["Status"] == "I"
    await writes_nothing(world)
    world.ajera_edit("employees", key, Title="Principal")
    await writes_nothing(world)
    assert len(world.crm.tables["employee"]) == 1


async def test_a_brought_along_firm_sleeps_although_its_project_stays_ticked(world: World) -> None:
    first, second = crm_firm(world.crm, "Acme", AjeraSync="Y"), crm_firm(world.crm, "Binder")
    project = crm_project(world.crm, "P1", "Town Hall", first, AjeraSync="Y")
    world.crm.edit("project", project, {"ProjectTemplate": TEMPLATE_CODE})
    await world.run()
    await world.run()
    world.crm_edit("project", project, ClientID=second)
    run = await world.run()
    binder = world.link(Kind.FIRM, second)
    await world.service.undo(run.id)
    assert world.ajera.get("clients", binder)["Status"] == "Inactive"
    assert world.crm.get("project", project)["AjeraSync"] == "Y"
    await writes_nothing(world)
    link = world.service.store.links().of(Kind.FIRM, Side.CRM, second)
    assert link is not None
    assert (link.state, link.reason) == (LinkState.DORMANT, UNDONE)


async def test_a_failed_step_of_an_undo_is_told_and_can_be_tried_again(world: World, monkeypatch: Any) -> None:
    _, client, run = await edited(world)
    ajera = world.service.systems[Side.AJERA]

    async def refuses(before: Any, changes: Any) -> Any:
        raise RecordRefused(Side.AJERA, "not today")

    with monkeypatch.context() as patch:
        patch.setattr(ajera, "update", refuses)
        await world.service.undo(run.id)
    assert world.service.runs()[0].outcome == "partial"
    assert not world.service.errors()  # no run will try it again: whoever undoes will
    assert world.ajera.get("clients", client)["Website"] == "www.new.example"
    await writes_nothing(world)
    await world.service.undo(run.id)
    assert world.ajera.get("clients", client)["Website"] == "www.acme.example"


# -- one way -------------------------------------------------------------------------------------


async def test_law_9_one_way_writes_nothing_but_ticks_to_the_crm_and_says_so(make: Make) -> None:
    world = make()
    firm = await in_step(world)
    world.ajera_edit("clients", world.link(Kind.FIRM, firm), Website="www.ajera.example")
    run = await world.run()
    world.ajera.version = "8.08.00"
    world.clock.forward(hours=2)
    before = len(world.crm_writes())
    plan = await world.service.undo(run.id)
    assert not plan.actions
    assert "one-way" in reasons(plan)
    assert len(world.crm_writes()) == before
    assert world.crm.get("firm", firm)["WebSite"] == "www.ajera.example"


async def test_law_9_one_way_a_create_in_ajera_is_undone_and_its_tick_taken_off(make: Make) -> None:
    world = make(version="8.08.00", settings=EngineSettings(rules=Policy()))
    firm = crm_firm(world.crm, "Acme Supplies")
    await world.first_pull()
    world.service.mark(Kind.FIRM, [firm], True)
    run = await world.run()
    await world.service.undo(run.id)
    assert world.ajera.get("clients", world.link(Kind.FIRM, firm))["Status"] == "Inactive"
    assert world.crm.get("firm", firm)["AjeraSync"] == "N"
    allowed = {"AjeraSync", "ProjectTemplate"}
    assert all(set(write.after) <= allowed for write in world.crm_writes())
    await writes_nothing(world)


# -- stops ---------------------------------------------------------------------------------------


class Stopped(Exception):
    """The program ended here."""


async def test_law_7_a_stop_in_an_undo_loses_nothing_and_the_undo_can_be_finished(make: Make) -> None:
    world = make()
    run, firm, people, project = await office(world)
    ajera = world.service.systems[Side.AJERA]
    update, sent = ajera.update, []

    async def stops(before: Any, changes: Any) -> Any:
        sent.append(changes)
        after = await update(before, changes)
        if len(sent) == 2:
            raise Stopped
        return after

    ajera.update = stops  # type: ignore[method-assign]
    with pytest.raises(Stopped):
        await world.service.undo(run.id)
    await world.restart()
    before = len(world.ajera_writes())
    await world.run()
    assert len(world.ajera_writes()) == before  # nothing is written back by a run
    await world.service.undo(run.id)
    assert world.ajera.get("projects", world.link(Kind.PROJECT, project))["Status"] == "Hold"
    assert {world.ajera.get("contacts", world.link(Kind.CONTACT, p))["Status"] for p in people} == {"Inactive"}
    assert world.ajera.get("clients", world.link(Kind.FIRM, firm))["Status"] == "Inactive"
    await writes_nothing(world)


async def test_a_read_only_program_may_look_and_not_undo(world: World) -> None:
    _, _, run = await edited(world)
    looker = world.program(readonly=True)
    assert (await looker.undo(run.id, dry_run=True)).actions
    with pytest.raises(UsageError, match="read-only"):
        await looker.undo(run.id)
    await looker.close()
