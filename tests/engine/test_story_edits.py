"""Edits travel, meet, and wait for a person: what a linked record goes through."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from core.errors import GuardTripped, UsageError
from core.model.link import LinkState
from core.model.plan import plan_from_json, plan_json
from core.model.values import Kind, Side
from core.policy import ConflictPolicy, Policy
from tests.engine.conftest import Make
from tests.engine.kit import (
    TEMPLATE_CODE,
    EngineSettings,
    World,
    ajera_client,
    ajera_project,
    crm_contact,
    crm_firm,
    crm_project,
)


@dataclass
class Pair:
    """A world with one firm, one contact and one project in step on both sides."""

    world: World
    firm: str
    contact: str
    project: str

    @property
    def client(self) -> int:
        return self.world.link(Kind.FIRM, self.firm)

    @property
    def person(self) -> int:
        return self.world.link(Kind.CONTACT, self.contact)

    @property
    def job(self) -> int:
        return self.world.link(Kind.PROJECT, self.project)

    def in_ajera(self, name: str) -> Any:
        return self.world.ajera.tables["clients"][self.client][name]

    def in_crm(self, name: str) -> Any:
        return self.world.crm.get("firm", self.firm)[name]


async def in_step(world: World) -> Pair:
    firm = crm_firm(world.crm, "Acme Supplies", AjeraSync="Y", WebSite="www.acme.example")
    contact = crm_contact(world.crm, "Ann", "Archer", firm, AjeraSync="Y", Title="Owner")
    project = crm_project(world.crm, "2026.01", "Town Hall", firm, AjeraSync="Y", ProjectTemplate=TEMPLATE_CODE)
    await world.run()
    await world.run()
    return Pair(world, firm, contact, project)


@pytest_asyncio.fixture
async def pair(make: Make) -> Pair:
    return await in_step(make())


async def test_an_edit_in_the_crm_travels(pair: Pair) -> None:
    world = pair.world
    world.crm_edit("firm", pair.firm, WebSite="new.acme.example", Name="Acme Supply Co.")
    world.crm_edit("contact", pair.contact, Title="Director")
    await world.run()
    assert (pair.in_ajera("Website"), pair.in_ajera("Description")) == ("new.acme.example", "Acme Supply Co.")
    assert world.ajera.tables["contacts"][pair.person]["Title"] == "Director"


async def test_an_edit_in_ajera_travels(pair: Pair) -> None:
    world = pair.world
    world.ajera_edit("clients", pair.client, Website="new.acme.example", PrimaryAddressCity="Dallas")
    world.ajera_edit("contacts", pair.person, Title="Director")
    world.ajera_edit("projects", pair.job, Description="Town Hall and Square")
    await world.run()
    assert pair.in_crm("WebSite") == "new.acme.example"
    (address,) = world.crm.rows("address", "ClientID", pair.firm)
    assert address["City"] == "Dallas"
    assert world.crm.get("contact", pair.contact)["Title"] == "Director"
    assert world.crm.get("project", pair.project)["Name"] == "Town Hall and Square"
    writes = world.writes()
    await world.run()
    await world.run()
    assert world.writes() == writes


async def test_different_fields_on_both_sides_both_travel(pair: Pair) -> None:
    world = pair.world
    world.crm_edit("firm", pair.firm, Name="Acme Supply Co.")
    world.ajera_edit("clients", pair.client, Website="new.acme.example")
    await world.run()
    assert (pair.in_ajera("Description"), pair.in_crm("WebSite")) == ("Acme Supply Co.", "new.acme.example")
    assert (pair.in_crm("Name"), pair.in_ajera("Website")) == ("Acme Supply Co.", "new.acme.example")
    assert world.service.conflicts() == ()


async def test_the_same_field_on_both_sides_is_a_conflict_that_stays(pair: Pair) -> None:
    world = pair.world
    world.crm_edit("firm", pair.firm, WebSite="crm.acme.example", Name="Acme Supply Co.")
    world.ajera_edit("clients", pair.client, Website="ajera.acme.example")
    await world.run()
    (conflict,) = world.service.conflicts()
    assert (conflict.field, conflict.ajera, conflict.crm) == ("website", "ajera.acme.example", "crm.acme.example")
    assert (pair.in_ajera("Website"), pair.in_crm("WebSite")) == ("ajera.acme.example", "crm.acme.example")
    assert pair.in_ajera("Description") == "Acme Supply Co."
    await world.run()
    assert [item.id for item in world.service.conflicts()] == [conflict.id]
    assert world.service.conflicts()[0].since == conflict.since


@pytest.mark.parametrize(
    ("take", "expected"),
    [("ajera", "ajera.acme.example"), ("crm", "crm.acme.example"), ("typed.acme.example", "typed.acme.example")],
)
async def test_an_answer_takes_effect_with_the_next_run(pair: Pair, take: str, expected: str) -> None:
    world = pair.world
    world.crm_edit("firm", pair.firm, WebSite="crm.acme.example")
    world.ajera_edit("clients", pair.client, Website="ajera.acme.example")
    await world.run()
    (conflict,) = world.service.conflicts()
    world.service.resolve(conflict.id, take)
    await world.run()
    await world.run()
    assert (pair.in_ajera("Website"), pair.in_crm("WebSite")) == (expected, expected)
    assert world.service.conflicts() == ()
    assert not world.service.store.decisions()
    writes = world.writes()
    await world.run()
    assert world.writes() == writes


async def test_an_answer_to_other_values_than_now_is_void(pair: Pair) -> None:
    world = pair.world
    world.crm_edit("firm", pair.firm, WebSite="crm.acme.example")
    world.ajera_edit("clients", pair.client, Website="ajera.acme.example")
    await world.run()
    (conflict,) = world.service.conflicts()
    world.service.resolve(conflict.id, "crm")
    world.ajera_edit("clients", pair.client, Website="later.acme.example")
    await world.run()
    assert pair.in_ajera("Website") == "later.acme.example"
    assert [item.ajera for item in world.service.conflicts()] == ["later.acme.example"]


async def test_many_conflicts_of_one_field_are_answered_at_once(make: Make) -> None:
    world = make()
    firms = [crm_firm(world.crm, f"Firm {word}", AjeraSync="Y") for word in ("Alpha", "Bravo", "Delta")]
    await world.run()
    for firm in firms:
        world.crm_edit("firm", firm, WebSite="crm.example")
        world.ajera_edit("clients", world.link(Kind.FIRM, firm), Website="ajera.example")
    await world.run()
    assert world.service.resolve_all(Kind.FIRM, "website", Side.CRM) == 3
    await world.run()
    assert {c["Website"] for c in world.ajera.tables["clients"].values()} == {"crm.example"}


async def test_a_policy_settles_conflicts_and_keeps_the_losing_value(make: Make) -> None:
    rules = Policy(conflicts={"firm.website": ConflictPolicy.CRM})
    pair = await in_step(make(settings=EngineSettings(rules)))
    world = pair.world
    world.crm_edit("firm", pair.firm, WebSite="crm.acme.example")
    world.ajera_edit("clients", pair.client, Website="ajera.acme.example")
    run = await world.run()
    assert pair.in_ajera("Website") == "crm.acme.example"
    lost = [entry.lost for entry in world.service.run_history(run.id) if entry.lost]
    assert lost == [{"website": "ajera.acme.example"}]


async def test_edited_alike_on_both_sides_nothing_is_written(pair: Pair) -> None:
    world = pair.world
    world.crm_edit("firm", pair.firm, WebSite="same.acme.example")
    world.ajera_edit("clients", pair.client, Website="same.acme.example ")
    writes = world.writes()
    await world.run()
    assert world.writes() == writes
    assert world.service.conflicts() == ()


async def test_a_cleared_value_travels(pair: Pair) -> None:
    world = pair.world
    world.crm_edit("contact", pair.contact, Title="")
    await world.run()
    assert not world.ajera.tables["contacts"][pair.person]["Title"]


async def test_unticking_stops_all_writing_and_ticking_again_sees_conflicts(pair: Pair) -> None:
    world = pair.world
    for kind, key in ((Kind.FIRM, pair.firm), (Kind.PROJECT, pair.project)):
        world.service.mark(kind, [key], False)
    await world.run()
    assert (pair.in_crm("AjeraSync"), world.crm.get("project", pair.project)["AjeraSync"]) == ("N", "N")
    world.crm_edit("firm", pair.firm, WebSite="crm.acme.example", Name="Acme Supply Co.")
    world.ajera_edit("clients", pair.client, Website="ajera.acme.example")
    writes = world.writes()
    await world.run()
    assert world.writes() == writes
    assert pair.in_ajera("Description") == "Acme Supplies"
    world.service.mark(Kind.FIRM, [pair.firm], True)
    await world.run()
    assert len(world.ajera.tables["clients"]) == 1
    assert [item.field for item in world.service.conflicts()] == ["website"]
    assert pair.in_ajera("Description") == "Acme Supply Co."


async def test_sync_to_crm_going_off_stops_ajera_to_crm(pair: Pair) -> None:
    world = pair.world
    world.ajera_edit("projects", pair.job, SyncToCRM=True)
    await world.run()
    world.ajera_edit("projects", pair.job, SyncToCRM=False, Description="Town Hall and Square")
    world.crm_edit("project", pair.project, ProjectType="")
    await world.run()
    assert world.crm.get("project", pair.project)["Name"] == "Town Hall"
    assert world.ajera.tables["projects"][pair.job]["SyncToCRM"] is False


# -- one-way time ------------------------------------------------------------------------------------


async def test_before_8_09_nothing_but_ticks_is_written_to_the_crm(make: Make) -> None:
    world = make(version="8.08.00")
    firm = crm_firm(world.crm, "Acme Supplies")
    project = crm_project(world.crm, "2026.01", "Town Hall", firm)
    lone = ajera_client(world.ajera, "Borough of Kent")
    ajera_project(world.ajera, "26-100", "Ferry Landing", lone, CreateInCRM=True, SyncToCRM=True)
    await world.first_pull()
    world.service.mark(Kind.FIRM, [firm], True)
    world.service.mark(Kind.FIRM, [str(lone)], True, side=Side.AJERA)
    world.service.mark(Kind.PROJECT, [project], True, template="Study")
    await world.run()
    client = world.link(Kind.FIRM, firm)
    world.ajera_edit("clients", client, Website="ajera.acme.example")
    world.crm_edit("firm", firm, Name="Acme Supply Co.")
    await world.run()
    await world.run()
    written = {(write.table, name) for write in world.crm_writes() for name in write.after}
    stamps = {"ModUser", "ModDate"}
    assert {name for _, name in written} - stamps <= {"AjeraSync", "ProjectTemplate"}
    assert {w.op for w in world.crm_writes()} == {"edit"}
    assert world.ajera.tables["clients"][client]["Description"] == "Acme Supply Co."
    assert world.ajera.tables["clients"][client]["Website"] == "ajera.acme.example"
    assert [item.field for item in world.service.drift()] == ["website"]
    (drift,) = world.service.drift()
    with pytest.raises(UsageError, match="one-way"):
        world.service.resolve(drift.id, "ajera")


async def test_an_upgrade_is_a_guard_and_one_way_drift_becomes_a_conflict(make: Make) -> None:
    world = make(version="8.08.00")
    firm = crm_firm(world.crm, "Acme Supplies", AjeraSync="Y")
    await world.run()
    client = world.link(Kind.FIRM, firm)
    world.ajera_edit("clients", client, Website="ajera.acme.example")
    await world.run()
    assert [item.field for item in world.service.drift()] == ["website"]
    world.ajera.version = "9.10.00"
    await world.restart()
    world.crm_edit("firm", firm, Name="Acme Supply Co.")
    writes = world.writes()
    with pytest.raises(GuardTripped, match="direction changed"):
        await world.run()
    assert world.writes() == writes
    plan = await world.service.make_plan()
    assert [guard.name for guard in plan.guards] == ["direction"]
    await world.run(approve=plan.digest)
    assert world.ajera.tables["clients"][client]["Description"] == "Acme Supply Co."
    assert world.crm.get("firm", firm)["WebSite"] == ""
    assert [item.field for item in world.service.conflicts()] == ["website"]
    await world.run()
    assert world.crm.get("firm", firm)["WebSite"] == ""


async def test_a_crm_value_that_moves_on_overwrites_ajeras_in_one_way_time(make: Make) -> None:
    world = make(version="8.08.00")
    firm = crm_firm(world.crm, "Acme Supplies", AjeraSync="Y", WebSite="one.example")
    await world.run()
    client = world.link(Kind.FIRM, firm)
    world.ajera_edit("clients", client, Website="ajera.example")
    await world.run()
    world.crm_edit("firm", firm, WebSite="two.example")
    run = await world.run()
    assert world.ajera.tables["clients"][client]["Website"] == "two.example"
    lost = [entry.lost for entry in world.service.run_history(run.id) if entry.lost]
    assert lost == [{"website": "ajera.example"}]


# -- deletions ---------------------------------------------------------------------------------------


async def test_a_deletion_is_found_by_the_sweep_and_leaves_a_tombstone(pair: Pair) -> None:
    world = pair.world
    gone = pair.person
    world.ajera.delete("contacts", gone)
    for client in list(world.ajera.tables["clients"].values()):
        world.ajera.edit("clients", client["ClientKey"], {"Contacts": []})
    await world.run()
    assert world.service.store.links().of(Kind.CONTACT, Side.CRM, pair.contact).state is LinkState.ACTIVE  # type: ignore[union-attr]
    await world.run(sweep=True)
    link = world.service.store.links().of(Kind.CONTACT, Side.CRM, pair.contact)
    assert link is not None
    assert (link.state, link.gone_side) == (LinkState.GONE, Side.AJERA)
    assert world.service.row(Kind.CONTACT, pair.contact).state == "gone"
    await world.run()
    await world.run(sweep=True)
    assert not world.ajera.tables["contacts"]
    assert world.crm.has("contact", pair.contact)


async def test_a_tombstone_may_be_created_anew_or_linked_again(pair: Pair) -> None:
    world = pair.world
    world.ajera.delete("contacts", pair.person)
    await world.run(sweep=True)
    world.service.match_create(pair.contact, Kind.CONTACT)
    await world.run()
    assert [p["LastName"] for p in world.ajera.tables["contacts"].values()] == ["Archer"]


async def test_a_key_that_reappears_is_linked_again(pair: Pair) -> None:
    world = pair.world
    person = pair.person
    kept = world.ajera.get("contacts", person)
    world.ajera.delete("contacts", person)
    await world.run(sweep=True)
    world.clock.forward(minutes=5)
    del kept["LastModifiedDate"]
    world.ajera.insert("contacts", kept, key=person)
    await world.run()
    link = world.service.store.links().of(Kind.CONTACT, Side.CRM, pair.contact)
    assert link is not None
    assert (link.state, link.ajera_key) == (LinkState.ACTIVE, str(person))
    assert len(world.ajera.tables["contacts"]) == 1


async def test_nothing_is_ever_deleted(pair: Pair) -> None:
    world = pair.world
    world.crm.delete("contact", pair.contact)
    await world.run(sweep=True)
    await world.run()
    assert world.ajera.tables["contacts"]
    assert not [w for w in world.crm_writes() if w.op == "delete"]
    assert not [c for e in world.ajera_writes() for c in e.changes if c.after is None]


async def test_the_sweep_comes_by_itself_once_a_day(pair: Pair) -> None:
    world = pair.world
    world.ajera.delete("contacts", pair.person)
    world.clock.forward(hours=25)
    await world.run()
    assert world.service.row(Kind.CONTACT, pair.contact).state == "gone"


# -- closed projects ---------------------------------------------------------------------------------


async def test_a_project_closed_in_ajera_goes_dormant_and_wakes_again(pair: Pair) -> None:
    world = pair.world
    world.ajera_edit("projects", pair.job, Status="Closed", Description="Town Hall, done")
    await world.run()
    await world.run()
    held = world.crm.get("project", pair.project)
    assert (held["Status"], held["Name"]) == ("I", "Town Hall, done")
    link = world.service.store.links().of(Kind.PROJECT, Side.CRM, pair.project)
    assert link is not None
    assert (link.state, link.reason) == (LinkState.DORMANT, "closed")
    ((_, reason),) = world.service.mark(Kind.PROJECT, [pair.project], True).refused
    assert "closed" in reason
    world.ajera_edit("projects", pair.job, Status="Active", Description="Town Hall, again")
    await world.run()
    await world.run()
    held = world.crm.get("project", pair.project)
    assert (held["Status"], held["Name"]) == ("A", "Town Hall, again")


# -- refusals ------------------------------------------------------------------------------------------


async def test_a_refused_field_is_dropped_and_the_rest_goes_through(pair: Pair) -> None:
    world = pair.world
    world.ajera_edit("clients", pair.client, Description="", Website="new.acme.example")
    run = await world.run()
    assert pair.in_crm("Name") == "Acme Supplies"
    assert pair.in_crm("WebSite") == "new.acme.example"
    assert run.outcome == "partial"
    writes = world.writes()
    again = await world.run()
    assert world.writes() == writes
    assert again.outcome == "ok"
    assert world.service.errors() or world.service.refusals()
    world.ajera_edit("clients", pair.client, Description="Acme Supply Co.")
    await world.run()
    assert pair.in_crm("Name") == "Acme Supply Co."
    assert world.service.errors() == ()


async def test_an_error_ends_when_the_reason_for_the_write_ends(pair: Pair) -> None:
    world = pair.world
    world.ajera_edit("clients", pair.client, Description="")
    await world.run()
    assert len(world.service.errors()) == 1
    world.ajera_edit("clients", pair.client, Description="Acme Supplies")
    await world.run()
    assert world.service.errors() == ()
    assert not [r for r in world.service.refusals() if r.kind is Kind.FIRM]


async def test_a_poison_record_holds_up_nobody_else(make: Make) -> None:
    world = make()
    firm = crm_firm(world.crm, "Acme Supplies", AjeraSync="Y")
    crm_contact(world.crm, "Ann", "Archer", firm, AjeraSync="Y")
    ajera_namesake = {"FirstName": "Ann", "LastName": "Archer", "Email": "other@else.example"}
    world.ajera.insert("contacts", ajera_namesake)
    good = crm_contact(world.crm, "Bob", "Baker", firm, AjeraSync="Y")
    await world.run()
    assert world.link(Kind.CONTACT, good)
    assert len(world.ajera_named("contacts", LastName="Archer")) == 1
    assert world.ajera_named("clients", Description="Acme Supplies")
    writes = world.writes()
    await world.run()
    assert world.writes() == writes


# -- guards and stored plans -----------------------------------------------------------------------------


async def test_a_guard_refuses_and_an_approved_digest_passes(make: Make) -> None:
    rules = Policy(guards=replace(Policy().guards, few=2, change_records=2, change_percent=20))
    world = make(settings=EngineSettings(rules))
    firms = [crm_firm(world.crm, f"Firm {word}", AjeraSync="Y") for word in ("Alpha", "Bravo", "Delta", "Golf")]
    await world.run()
    await world.run()
    for firm in firms:
        world.crm_edit("firm", firm, WebSite="all.example")
    writes = world.writes()
    with pytest.raises(GuardTripped, match="would change"):
        await world.run()
    assert world.writes() == writes
    assert world.service.runs()[0].outcome == "refused"
    plan = world.service.plan()
    assert plan is not None
    with pytest.raises(GuardTripped, match="not the approved one"):
        await world.run(approve="0" * 32)
    await world.run(approve=plan.digest)
    assert {c["Website"] for c in world.ajera.tables["clients"].values()} == {"all.example"}


async def test_a_list_that_is_suddenly_short_stops_the_run(make: Make) -> None:
    world = make()
    for word in ("Alpha", "Bravo", "Delta", "Golf", "Hotel", "India"):
        crm_firm(world.crm, f"Firm {word}", AjeraSync="Y")
    await world.run()
    kept, world.crm.tables["firm"] = world.crm.tables["firm"], {}
    writes = world.writes()
    from core.errors import ListNotTrusted

    with pytest.raises(ListNotTrusted):
        await world.run(sweep=True)
    assert world.writes() == writes
    world.crm.tables["firm"] = kept
    await world.run(sweep=True)
    assert world.writes() == writes
    assert all(link.state is LinkState.ACTIVE for link in world.service.links())


async def test_a_stored_plan_is_applied_and_each_record_is_looked_at_again(pair: Pair, tmp_path: Path) -> None:
    world = pair.world
    world.crm_edit("firm", pair.firm, WebSite="planned.example")
    world.crm_edit("contact", pair.contact, Title="Planned")
    plan = plan_from_json(plan_json(await world.service.make_plan()))
    world.ajera_edit("clients", pair.client, Website="meanwhile.example")
    await world.run(plan=plan)
    assert world.ajera.tables["contacts"][pair.person]["Title"] == "Planned"
    assert pair.in_ajera("Website") == "meanwhile.example"
    await world.run()
    assert [item.field for item in world.service.conflicts()] == ["website"]


async def test_a_record_that_was_unticked_since_the_plan_is_not_written_any_more(pair: Pair) -> None:
    world = pair.world
    world.ajera_edit("contacts", pair.person, Title="Planned")
    plan = plan_from_json(plan_json(await world.service.make_plan()))
    world.crm_edit("contact", pair.contact, AjeraSync="N")
    before = world.crm.get("contact", pair.contact)["Title"]
    await world.run(plan=plan)
    assert world.crm.get("contact", pair.contact)["Title"] == before != "Planned"


async def test_a_plan_writes_to_neither_system(pair: Pair) -> None:
    world = pair.world
    world.crm_edit("firm", pair.firm, WebSite="planned.example")
    writes = world.writes()
    plan = await world.service.make_plan()
    assert world.writes() == writes
    again = await world.service.make_plan()
    assert again.digest == plan.digest
    world.service = await world.restart()
    await world.run(plan=world.service.stored_plan(plan.digest))
    assert pair.in_ajera("Website") == "planned.example"


# -- cancelling, marks during a run ------------------------------------------------------------------


async def test_a_run_cancelled_between_actions_goes_on_next_time(make: Make) -> None:
    world = make()
    for word in ("Alpha", "Bravo", "Delta", "Golf"):
        crm_firm(world.crm, f"Firm {word}", AjeraSync="Y")

    def cancel(event: object) -> None:
        if getattr(event, "event", "") == "action_done":
            world.service.cancel()

    end = world.service.bus.subscribe(cancel)  # type: ignore[arg-type]
    run = await world.run()
    assert run.outcome == "cancelled"
    assert len(world.ajera.tables["clients"]) == 1
    end()
    await world.run()
    assert len(world.ajera.tables["clients"]) == 4


async def test_ticks_made_during_a_run_are_not_lost(make: Make) -> None:
    world = make()
    first = crm_firm(world.crm, "Firm Alpha")
    second = crm_firm(world.crm, "Firm Bravo")
    await world.first_pull()
    world.service.mark(Kind.FIRM, [first], True)
    done = []

    def tick(event: object) -> None:
        if getattr(event, "event", "") == "action_done" and not done:
            done.append(event)
            world.service.mark(Kind.FIRM, [second], True)
            world.service.mark(Kind.FIRM, [first], False)

    world.service.bus.subscribe(tick)  # type: ignore[arg-type]
    await world.run()
    assert world.service.row(Kind.FIRM, second).marked
    assert not world.service.row(Kind.FIRM, first).marked
    await world.run()
    assert (world.crm.get("firm", first)["AjeraSync"], world.crm.get("firm", second)["AjeraSync"]) == ("N", "Y")
    assert world.ajera_named("clients", Description="Firm Bravo")


async def test_what_was_edited_before_a_tick_made_during_a_run_travels_with_the_next(make: Make) -> None:
    world = make()
    first = crm_firm(world.crm, "Firm Alpha", AjeraSync="Y")
    second = crm_firm(world.crm, "Firm Bravo", AjeraSync="Y")
    await world.run()
    world.service.mark(Kind.FIRM, [second], False)
    await world.run()
    world.crm_edit("firm", first, WebSite="alpha.example")
    world.crm_edit("firm", second, WebSite="bravo.example")

    def tick(event: object) -> None:
        if getattr(event, "event", "") == "action_done":
            world.service.mark(Kind.FIRM, [second], True)

    end = world.service.bus.subscribe(tick)  # type: ignore[arg-type]
    await world.run()
    end()
    await world.run()
    await world.run()
    assert world.ajera.tables["clients"][world.link(Kind.FIRM, second)]["Website"] == "bravo.example"


async def test_a_projects_row_that_outlives_its_contact_stops_no_plan(pair: Pair) -> None:
    world = pair.world
    world.crm.insert("project_contact", {"WBS1": pair.project, "ContactID": pair.contact, "AjeraSync": "Y"})
    world.crm.touch("project", pair.project, "jsmith")
    await world.run()
    with world.service.store.transaction() as tx:
        tx.drop_record(Kind.CONTACT, Side.CRM, pair.contact)
    run = await world.run()
    assert run.outcome == "ok"


async def test_a_tick_that_somebody_made_in_the_crm_too_is_over(make: Make) -> None:
    world = make()
    firm = crm_firm(world.crm, "Firm Alpha")
    await world.first_pull()
    world.service.mark(Kind.FIRM, [firm], True)
    world.crm_edit("firm", firm, AjeraSync="Y")
    await world.run()
    assert not world.service.store.marks()
    world.crm_edit("firm", firm, AjeraSync="N")
    await world.run()
    assert world.crm.get("firm", firm)["AjeraSync"] == "N"


async def test_a_contact_that_moves_to_another_firm_moves_its_entry(make: Make) -> None:
    world = make()
    old = crm_firm(world.crm, "Acme Supplies", AjeraSync="Y")
    new = crm_firm(world.crm, "Beta Partners", AjeraSync="Y")
    contact = crm_contact(world.crm, "Ann", "Archer", old, AjeraSync="Y")
    await world.run()
    person = world.link(Kind.CONTACT, contact)
    stranger = world.ajera.insert("contacts", {"FirstName": "Zoe", "LastName": "Zimmer"})
    client = world.link(Kind.FIRM, old)
    entries = world.ajera.get("clients", client)["Contacts"]
    world.ajera_edit("clients", client, Contacts=[*entries, {"ContactKey": stranger, "Order": 9, "Text": ""}])
    await world.run()
    world.crm_edit("contact", contact, ClientID=new)
    await world.run()
    await world.run()
    lists = {k: [e["ContactKey"] for e in c["Contacts"]] for k, c in world.ajera.tables["clients"].items()}
    assert lists == {client: [stranger], world.link(Kind.FIRM, new): [person]}
