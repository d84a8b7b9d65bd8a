"""The field map, code tables, matching by import, and the direction (sync-rules 1, 4 and 5)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from core.errors import GuardTripped, UsageError
from core.model.link import LinkState
from core.model.values import FieldType, Kind, Side
from core.policy import FieldSpec, Owner, Policy
from tests.engine.kit import (
    TEMPLATE_CODE,
    EngineSettings,
    World,
    ajera_client,
    crm_contact,
    crm_firm,
    crm_project,
)
from tests.engine.weekkit import an_office


def mapped(kind: Kind, name: str, **changes: Any) -> EngineSettings:
    """The default field map with one row changed."""
    rules = Policy()
    rows = tuple(replace(spec, **changes) if spec.name == name else spec for spec in rules.fields[kind])
    return EngineSettings(replace(rules, fields={**rules.fields, kind: rows}))


def added(*specs: FieldSpec) -> EngineSettings:
    rules = Policy()
    fields = dict(rules.fields)
    for spec in specs:
        fields[spec.kind] = (*fields[spec.kind], spec)
    return EngineSettings(replace(rules, fields=fields))


async def pair(world: World) -> tuple[int, str]:
    firm = crm_firm(world.crm, "Acme Supplies", AjeraSync="Y", WebSite="acme.example", Memo="from the CRM")
    await world.run()
    return world.link(Kind.FIRM, firm), firm


async def test_a_row_switched_off_is_left_alone_and_one_switched_on_travels() -> None:
    async with an_office(settings=mapped(Kind.FIRM, "website", on=False)) as world:
        client, firm = await pair(world)
        assert world.ajera.get("clients", client)["Website"] == ""
        assert world.ajera.get("clients", client)["Notes"] == ""
    async with an_office(settings=mapped(Kind.FIRM, "memo", on=True)) as world:
        client, firm = await pair(world)
        assert world.ajera.get("clients", client)["Notes"] == "from the CRM"
        world.ajera_edit("clients", client, Notes="from Ajera")
        await world.run()
        assert world.crm.get("firm", firm)["Memo"] == "from Ajera"


@pytest.mark.parametrize("owner", [Owner.AJERA, Owner.CRM])
async def test_a_row_owned_by_one_side_lists_the_others_edits_as_drift(owner: Owner) -> None:
    async with an_office(settings=mapped(Kind.FIRM, "website", owner=owner)) as world:
        client, firm = await pair(world)
        if owner is Owner.AJERA:
            world.crm_edit("firm", firm, WebSite="other.example")
        else:
            world.ajera_edit("clients", client, Website="other.example")
        await world.run()
        (item,) = world.service.drift()
        assert (item.field, item.owner) == ("website", owner.value)
        held = {world.ajera.get("clients", client)["Website"], world.crm.get("firm", firm)["WebSite"]}
        assert held == {"acme.example", "other.example"}
        world.service.resolve(item.id, owner.value)
        await world.run()
        held = {world.ajera.get("clients", client)["Website"], world.crm.get("firm", firm)["WebSite"]}
        assert held == {"acme.example"}


async def test_drift_is_put_right_where_the_settings_say_so() -> None:
    settings = mapped(Kind.FIRM, "website", owner=Owner.AJERA)
    settings.rules = replace(settings.rules, drift={"firm.website": "restore"})
    async with an_office(settings=settings) as world:
        _, firm = await pair(world)
        world.crm_edit("firm", firm, WebSite="other.example")
        run = await world.run()
        assert world.crm.get("firm", firm)["WebSite"] == "acme.example"
        rules = [rule for e in world.service.run_history(run.id) for *_, rule in e.fields.values()]
        assert rules == ["drift put right, ajera owns it"]


async def test_a_row_may_be_mapped_to_another_column() -> None:
    async with an_office(settings=mapped(Kind.FIRM, "website", ajera="TertiaryPhoneDescription")) as world:
        client, _ = await pair(world)
        assert world.ajera.get("clients", client)["TertiaryPhoneDescription"] == "acme.example"
        assert world.ajera.get("clients", client)["Website"] == ""


async def test_custom_fields_travel_both_ways() -> None:
    spec = FieldSpec(
        Kind.FIRM, "segment", "Segment", FieldType.TEXT, Owner.SHARED, "CustSegment", "CF_Segment", custom=True
    )
    async with an_office(settings=added(spec)) as world:
        world.crm.declare("firm", "CustSegment | String | 40 | Segment")
        firm = crm_firm(world.crm, "Acme Supplies", AjeraSync="Y", CustSegment="Rail")
        ajera_client(world.ajera, "Other", CF_Segment="none")
        await world.run()
        client = world.link(Kind.FIRM, firm)
        await world.run()
        assert world.ajera.get("clients", client)["CustomFields"]["Segment"] == "Rail"
        world.ajera_edit("clients", client, CF_Segment="Ports")
        await world.run()
        assert world.crm.get("firm", firm)["CustSegment"] == "Ports"


async def test_a_mapped_column_that_the_crm_lacks_stops_that_field_with_a_sentence_and_not_the_run() -> None:
    spec = FieldSpec(
        Kind.FIRM, "segment", "Segment", FieldType.TEXT, Owner.SHARED, "CustMissing", "CF_Segment", custom=True
    )
    async with an_office(settings=added(spec)) as world:
        firm = crm_firm(world.crm, "Acme Supplies", AjeraSync="Y", WebSite="acme.example")
        run = await world.run()
        assert run.outcome == "ok"
        assert world.ajera.get("clients", world.link(Kind.FIRM, firm))["Website"] == "acme.example"
        stopped = world.service.runner.puller.connections[Side.CRM].stopped
        assert "CustMissing" in stopped[Kind.FIRM, "segment"]


async def test_a_code_must_exist_on_both_sides_and_the_refusal_names_the_nearest() -> None:
    async with an_office() as world:
        firm = crm_firm(world.crm, "Acme Supplies", AjeraSync="Y", Type="NONPROFIT", WebSite="acme.example")
        await world.run()
        client = world.link(Kind.FIRM, firm)
        assert world.ajera.get("clients", client)["ClientTypeKey"] is None
        assert world.ajera.get("clients", client)["Website"] == "acme.example"
        (refusal,) = world.service.refusals()
        assert (refusal.field, "'Non-Profit' does not exist in Ajera" in refusal.reason) == ("type", True)
        await world.run()
        assert len(world.service.refusals()) == 1
        world.ajera.insert("client_types", {"Description": "Non-Profit", "Status": "Active"})
        world.clock.forward(hours=2)
        world.crm_edit("firm", firm, SortName="moved")
        await world.run()
        assert world.ajera.get("clients", client)["ClientTypeKey"] is not None
        assert world.service.refusals() == ()


# -- pairs by hand -----------------------------------------------------------------------------------


async def test_imported_pairs_link_whatever_they_are_called_and_contradictions_are_refused() -> None:
    async with an_office() as world:
        one, two = ajera_client(world.ajera, "ACME (old)"), ajera_client(world.ajera, "Brown")
        acme, brown = crm_firm(world.crm, "Acme Supplies", AjeraSync="Y"), crm_firm(world.crm, "Brown Bros")
        await world.first_pull()
        marked = world.service.import_links(
            [("firm", str(one), acme), ("firm", str(one), brown), ("firm", "999", brown), ("thing", "1", "2")]
        )
        assert len(marked.changed) == 1
        assert len(marked.refused) == 3
        await world.run()
        assert len(world.ajera.tables["clients"]) == 2
        assert world.link(Kind.FIRM, acme) == one
        (conflict,) = [item for item in world.service.conflicts() if item.field == "name"]
        assert (conflict.ajera, conflict.crm) == ("ACME (old)", "Acme Supplies")
        exported = [(link.kind.value, link.ajera_key, link.crm_key) for link in world.service.links()]
        assert exported == [("firm", str(one), acme)]
        world.service.drop_link(Kind.FIRM, acme)
        assert list(world.service.links()) == []
        assert not world.service.import_links(exported).refused
        assert [(link.ajera_key, link.state) for link in world.service.links()] == [(str(one), LinkState.ACTIVE)]
        del two


async def test_never_keeps_a_pair_apart_for_good() -> None:
    async with an_office() as world:
        client = ajera_client(world.ajera, "Acme Supplies")
        firm = crm_firm(world.crm, "Acme Supplies", AjeraSync="Y")
        await world.run()
        (candidate,) = world.service.candidates()
        assert candidate.reasons == ("same name",)
        world.service.match_never(firm, Kind.FIRM)
        for _ in range(2):
            await world.run()
        assert world.service.candidates() == ()
        assert list(world.service.links()) == []
        assert list(world.ajera.tables["clients"]) == [client]


async def test_a_second_person_of_a_name_is_told_the_way_out_and_a_middle_name_is_it() -> None:
    async with an_office() as world:
        firm = crm_firm(world.crm, "Acme Supplies", AjeraSync="Y")
        other = crm_firm(world.crm, "Brown Bros", AjeraSync="Y")
        crm_contact(world.crm, "Ann", "Archer", firm, AjeraSync="Y")
        await world.run()
        second = crm_contact(world.crm, "Ann", "Archer", other, AjeraSync="Y", Email="ann@brown.example")
        world.clock.forward(minutes=5)
        await world.run()
        (candidate,) = world.service.candidates()
        world.service.match_create(second, Kind.CONTACT)
        await world.run()
        (refusal,) = [r for r in world.service.refusals() if r.kind is Kind.CONTACT]
        assert "middle name" in refusal.reason
        assert candidate.crm_key == second
        world.crm_edit("contact", second, MiddleName="B.")
        await world.run()
        assert {p["MiddleName"] for p in world.ajera.tables["contacts"].values()} == {"", "B."}


# -- direction ---------------------------------------------------------------------------------------


async def test_a_setting_can_force_one_way_and_none_can_force_two_way() -> None:
    settings = EngineSettings()
    settings.sync.direction = "to-ajera"
    async with an_office(settings=settings) as world:
        client, firm = await pair(world)
        world.ajera_edit("clients", client, Website="ajera.example")
        await world.run()
        assert world.crm.get("firm", firm)["WebSite"] == "acme.example"
        (item,) = world.service.drift()
        with pytest.raises(UsageError, match="one-way"):
            world.service.resolve(item.id, "ajera")
    settings = EngineSettings()
    settings.sync.direction = "two-way"
    async with an_office(settings=settings, version="8.08.00") as world:
        client, firm = await pair(world)
        world.ajera_edit("clients", client, Website="ajera.example")
        await world.run()
        assert world.crm.get("firm", firm)["WebSite"] == "acme.example"


@pytest.mark.parametrize(("version", "two_way"), [("8.08.00", False), ("8.09.00", True), ("8.10.00", True)])
async def test_versions_are_compared_as_numbers(version: str, two_way: bool) -> None:
    async with an_office(version=version) as world:
        client, firm = await pair(world)
        world.ajera_edit("clients", client, Website="ajera.example")
        await world.run()
        assert (world.crm.get("firm", firm)["WebSite"] == "ajera.example") is two_way


async def test_a_downgrade_is_a_guard_too() -> None:
    async with an_office() as world:
        client, firm = await pair(world)
        world.ajera.version = "8.08.00"
        world.crm_edit("firm", firm, WebSite="crm.example")
        with pytest.raises(GuardTripped, match="direction changed"):
            await world.run()
        assert world.ajera.get("clients", client)["Website"] == "acme.example"


# -- sweep -------------------------------------------------------------------------------------------


async def test_a_deleted_firm_may_set_its_partner_inactive_by_setting_and_nothing_is_deleted() -> None:
    rules = Policy(deleted={Kind.FIRM: "inactive"})
    async with an_office(settings=EngineSettings(rules)) as world:
        client, firm = await pair(world)
        world.crm.delete("firm", firm)
        world.clock.forward(minutes=5)
        await world.run(sweep=True)
        assert world.ajera.get("clients", client)["Status"] == "Inactive"
        assert world.service.links()[0].state is LinkState.GONE


async def test_a_namesake_of_a_tombstone_is_a_candidate_and_never_adopted() -> None:
    async with an_office() as world:
        client, firm = await pair(world)
        world.crm.delete("firm", firm)
        world.clock.forward(minutes=5)
        await world.run(sweep=True)
        again = crm_firm(world.crm, "Acme Supplies", AjeraSync="Y", WebSite="acme.example")
        world.clock.forward(minutes=5)
        await world.run()
        assert list(world.ajera.tables["clients"]) == [client]
        (candidate,) = world.service.candidates()
        assert candidate.crm_key == again
        world.service.match_link(str(client), again, Kind.FIRM)
        await world.run()
        assert world.link(Kind.FIRM, again) == client


async def test_a_merger_of_two_clients_unlinks_the_vanished_pair_and_repoints_what_belonged_to_it() -> None:
    async with an_office() as world:
        keeps, goes = (crm_firm(world.crm, name, AjeraSync="Y") for name in ("Mill Holdings", "Mill Developers"))
        person = crm_contact(world.crm, "Dee", "Dorn", goes, AjeraSync="Y")
        project = crm_project(world.crm, "26-01", "Lofts", goes, AjeraSync="Y", ProjectTemplate=TEMPLATE_CODE)
        await world.run()
        await world.run()
        old, new = world.link(Kind.FIRM, goes), world.link(Kind.FIRM, keeps)
        contact, ours = world.link(Kind.CONTACT, person), world.link(Kind.PROJECT, project)
        world.clock.forward(hours=1)
        (group,) = world.ajera.tables["invoice_groups"]
        world.ajera.edit("invoice_groups", group, {"ClientKey": new})
        world.ajera.edit("clients", new, {"Contacts": [{"ContactKey": contact, "Order": 1, "Text": ""}]})
        world.ajera.delete("clients", old)
        world.crm.edit("contact", person, {"ClientID": keeps})
        world.crm.edit("project", project, {"ClientID": keeps})
        world.crm.delete("firm", goes)
        await world.run(sweep=True)
        await world.run()
        states = {(link.kind, link.ajera_key): link.state for link in world.service.links()}
        assert states == {
            (Kind.FIRM, str(old)): LinkState.GONE,
            (Kind.FIRM, str(new)): LinkState.ACTIVE,
            (Kind.CONTACT, str(contact)): LinkState.ACTIVE,
            (Kind.PROJECT, str(ours)): LinkState.ACTIVE,
        }
        assert world.service.drift() == ()
        assert world.service.conflicts() == ()
        assert len(world.ajera.tables["clients"]) == 1
        writes = world.writes()
        await world.run()
        assert world.writes() == writes
