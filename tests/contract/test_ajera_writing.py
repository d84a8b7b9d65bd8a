"""Writing to Ajera through the adapter: twins, stale baselines, creates, templates, lost answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from core.ajera.system import AjeraOptions
from core.errors import AlreadyThere, NothingToChange, OutcomeUnknown, RecordRefused, Stale
from core.model.values import Address, EntryEdit, FieldType, Kind, Ref, Side
from core.policy import DEFAULT_FIELDS, FieldSpec, Owner
from core.ports import Draft
from tests.contract.ajera_kit import Rig, rig


def ref(kind: Kind, key: int) -> Ref:
    return Ref(kind, Side.AJERA, str(key))


def firm(**fields: Any) -> Draft:
    return Draft(Kind.FIRM, Side.AJERA, fields["name"], fields, number="C-77")


def person(**fields: Any) -> Draft:
    return Draft(Kind.CONTACT, Side.AJERA, fields["last_name"], fields)


def project(**fields: Any) -> Draft:
    known = {"name": "New Library", "client": ref(Kind.FIRM, 1), **fields}
    return Draft(Kind.PROJECT, Side.AJERA, "26-014 New Library", known, number="26-014", template="Standard building")


FLAT = AjeraOptions(allow_flat_template=True)
SECTOR = FieldSpec(
    Kind.PROJECT, "sector", "Sector", FieldType.TEXT, Owner.SHARED, "CustSector", "CF_Sector", custom=True
)
WITH_SECTOR = {**DEFAULT_FIELDS, Kind.PROJECT: (*DEFAULT_FIELDS[Kind.PROJECT], SECTOR)}


# -- updates ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("nulls", ["omit", "null", "empty"])
async def test_a_firm_is_updated_with_its_twin_and_nothing_else_moves(nulls: str) -> None:
    async with rig(null_properties=nulls) as r:
        r.data.edit("clients", 1, {"Notes": "keep", "AnnualPercentageRate": Decimal("1.10")})
        before = await r.one(Kind.FIRM, 1)
        stored = r.data.get("clients", 1)
        after = await r.system.update(
            before, {"website": "acme.example", "type": "government", "status": "Inactive", "email": "x@acme.example"}
        )
        assert (after.fields["website"], after.fields["type"], after.fields["status"]) == (
            "acme.example",
            "Government",
            "Inactive",
        )
        assert after.stamp != before.stamp
        now = r.data.get("clients", 1)
        moved = {name for name in now if now[name] != stored[name]}
        assert moved == {"Website", "ClientTypeKey", "Status", "Email", "LastModifiedDate"}


async def test_the_baseline_goes_back_as_it_was_read() -> None:
    async with rig() as r:
        r.data.edit("clients", 1, {"AnnualPercentageRate": Decimal("1.25"), "CF_Odd": {"Value": "a", "Values": ["a"]}})
        before = await r.one(Kind.FIRM, 1)
        r.forget()
        await r.system.update(before, {"website": "acme.example"})
        arguments = next(args for method, args in r.calls if method == "UpdateClients")
        (updated,), (unchanged,) = arguments["UpdatedClients"], arguments["UnchangedClients"]
        assert {**updated, "Website": unchanged.get("Website")} == {**unchanged, "Website": unchanged.get("Website")}
        assert unchanged["AnnualPercentageRate"] == 1.25
        assert unchanged["CF_Odd"] == {"Value": "a", "Values": ["a"]}


async def test_what_is_so_already_is_not_sent() -> None:
    async with rig() as r:
        before = await r.one(Kind.FIRM, 1)
        r.forget()
        with pytest.raises(NothingToChange):
            await r.system.update(before, {"name": "Acme Supplies", "email": ""})
        assert "UpdateClients" not in r.methods


@pytest.mark.parametrize("compare", ["both", "stamp", "values"])
@pytest.mark.parametrize("text", ["The record was modified by another user.", "Concurrency 17"])
async def test_a_record_changed_meanwhile_is_stale_whatever_the_words(compare: str, text: str) -> None:
    async with rig(stale_compare=compare, stale_error=text) as r:
        before = await r.one(Kind.FIRM, 1)
        r.data.edit("clients", 1, {"Notes": "somebody else"})
        with pytest.raises(Stale):
            await r.system.update(before, {"website": "acme.example"})
        hall = await r.one(Kind.PROJECT, 1)
        r.data.edit("projects", 1, {"Notes": "somebody else"})
        with pytest.raises(Stale):
            await r.system.update(hall, {"name": "Other"})


async def test_a_record_from_the_store_has_no_raw_form_and_is_read_first() -> None:
    async with rig() as r:
        before = replace(await r.one(Kind.FIRM, 1), raw=None)
        after = await r.system.update(before, {"website": "acme.example"})
        assert after.fields["website"] == "acme.example"
        with pytest.raises(Stale):
            await r.system.update(before, {"website": "again.example"})


async def test_a_refusal_of_an_unmoved_record_stays_a_refusal() -> None:
    async with rig() as r:
        before = await r.one(Kind.FIRM, 1)
        with pytest.raises(RecordRefused) as caught:
            await r.system.update(before, {"name": ""})
        assert not isinstance(caught.value, Stale)


@pytest.mark.parametrize("how", ["errors", "success", "silent", "all"])
async def test_a_refused_record_is_found_out_however_it_is_reported(how: str) -> None:
    async with rig(per_record_errors=how, generic_first_error="yes") as r:
        before = await r.one(Kind.FIRM, 1)
        with pytest.raises(RecordRefused) as caught:
            await r.system.update(before, {"name": ""})
        assert "An error has occurred" not in str(caught.value)


async def test_a_reply_with_the_old_stamp_is_read_again() -> None:
    async with rig(stamp_moves="no") as r:
        before = await r.one(Kind.FIRM, 1)
        after = await r.system.update(before, {"website": "acme.example"})
        assert after.stamp != before.stamp


async def test_the_mailing_address_follows_while_it_is_the_same() -> None:
    async with rig() as r:
        address = Address(("1 Main St", "Floor 2"), "Troy", "NY", "12180", "USA")
        for key, same in ((1, True), (2, False)):
            r.data.edit("clients", key, {"MailingAddressSameAsPrimary": same, "MailingAddressCity": "Old"})
            after = await r.system.update(await r.one(Kind.FIRM, key), {"address": address})
            assert after.fields["address"] == address
            stored = r.data.get("clients", key)
            assert (stored["PrimaryAddressLineTwo"], stored["PrimaryAddressLineThree"]) == ("Floor 2", "")
            assert stored["MailingAddressCity"] == ("Troy" if same else "Old")
        with pytest.raises(RecordRefused, match="4 lines"):
            await r.system.update(await r.one(Kind.FIRM, 1), {"address": Address(("a", "b", "c", "d"))})


async def test_contacts_of_a_client_are_edited_entry_by_entry() -> None:
    async with rig() as r:
        before = await r.one(Kind.FIRM, 1)
        edit = EntryEdit((ref(Kind.CONTACT, 3), ref(Kind.CONTACT, 2)), (ref(Kind.CONTACT, 1),), ("Billing", ""))
        after = await r.system.update(before, {"contacts": edit})
        assert [(entry.key, entry.role) for entry in after.contacts or ()] == [("2", "Owner"), ("3", "Billing")]
        assert r.data.get("clients", 1)["Contacts"][-1]["Order"] == 2
        with pytest.raises(NothingToChange):
            await r.system.update(after, {"contacts": EntryEdit((ref(Kind.CONTACT, 3),))})


@pytest.mark.parametrize("resources", ["sent", "missing"])
async def test_a_project_is_updated_by_its_changed_properties(resources: str) -> None:
    async with rig(resources_v2=resources, fields=WITH_SECTOR) as r:
        hall = await r.one(Kind.PROJECT, 1)
        assert hall.fields["sector"] == "Civic"
        changes: dict[str, Any] = {
            "name": "City Hall",
            "type": "Civic",
            "status": "Hold",
            "principal": ref(Kind.EMPLOYEE, 1),
            "sector": "Housing",
        }
        after = await r.system.update(hall, changes)
        assert {name: after.fields[name] for name in changes} == changes
        assert r.data.get("projects", 1)["CustomFields"]["Sector"]["Values"] == ["Civic", "Housing"]
        assert after.contacts == hall.contacts
        assert (await r.system.update(after, {"principal": None})).fields["principal"] is None


async def test_the_marks_of_a_project_are_written() -> None:
    async with rig() as r:
        house = await r.named(Kind.PROJECT, "Boat House")
        after = await r.system.update(house, {"mark": True, "create_in_crm": True})
        assert (after.marked, after.create_in_crm) == (True, True)
    async with rig(crm_flags="ignore") as r:
        with pytest.raises(RecordRefused):
            await r.system.update(await r.named(Kind.PROJECT, "Boat House"), {"mark": True})


async def test_contacts_of_a_project_go_through_version_1() -> None:
    edit = {"contacts": EntryEdit((ref(Kind.CONTACT, 1),))}
    async with rig() as r:
        after = await r.system.update(await r.one(Kind.PROJECT, 1), edit)
        assert {entry.key for entry in after.contacts or ()} == {"1", "3"}
    async with rig(project_contacts_v1="ignore", client_quirks={}) as r:
        with pytest.raises(RecordRefused):
            await r.system.update(await r.one(Kind.PROJECT, 1), edit)
    async with rig(project_contacts_v1="error") as r:
        before = await r.one(Kind.PROJECT, 1)
        r.forget()
        with pytest.raises(RecordRefused, match="project_contacts_v1"):
            await r.system.update(before, edit)
        assert "UpdateProjects" not in r.methods


async def test_what_ajera_does_not_keep_on_the_record_is_refused_before_sending() -> None:
    async with rig() as r:
        before = await r.one(Kind.PROJECT, 1)
        r.forget()
        for changes in ({"client": ref(Kind.FIRM, 2)}, {"compensation": Decimal(1)}, {"type": "Unheard of"}):
            with pytest.raises(RecordRefused):
                await r.system.update(before, changes)
        with pytest.raises(RecordRefused, match="employees"):
            await r.system.update(await r.one(Kind.EMPLOYEE, 1), {"title": "x"})
        assert not any(method.startswith("Update") for method in r.methods)


# -- creates ---------------------------------------------------------------------------------------


async def test_a_firm_is_made_and_read_back() -> None:
    async with rig() as r:
        address = Address(("1 Main St",), "Troy", "NY", "12180")
        made = await r.system.create(firm(name="Delta <b>Works</b>", type="Private", address=address, status="Active"))
        assert (made.name, made.number, made.fields["type"]) == ("Delta <b>Works</b>", "C-77", "Private")
        stored = r.data.get("clients", int(made.key))
        assert stored["MailingAddressSameAsPrimary"] is True
        assert stored["MailingAddressCity"] == "Troy"
        assert await r.system.namesakes(firm(name="delta <b>works</b>")) == [made]


async def test_a_contact_is_made_and_linked_by_an_edit_of_the_client() -> None:
    async with rig() as r:
        draft = person(first_name="Ola", last_name="Nord", email="o@x.example", firm=ref(Kind.FIRM, 2))
        made = await r.system.create(draft)
        assert made.fields["firm"] is None
        await r.system.update(await r.one(Kind.FIRM, 2), {"contacts": EntryEdit((ref(Kind.CONTACT, int(made.key)),))})
        assert (await r.one(Kind.CONTACT, int(made.key))).fields["firm"] == ref(Kind.FIRM, 2)
        assert [each.key for each in await r.system.namesakes(draft)] == [made.key]
        with pytest.raises(AlreadyThere):
            await r.system.create(draft)


async def test_a_create_that_is_silently_refused_is_no_success() -> None:
    async with rig(per_record_errors="silent") as r:
        draft = person(first_name="Mia", last_name="Stone")
        with pytest.raises((RecordRefused, OutcomeUnknown)):
            await r.system.create(draft)


async def test_a_project_is_made_from_its_template() -> None:
    async with rig(create_phases="nested") as r:
        draft = project(
            start_date=date(2026, 4, 1),
            estimated_completion=date(2027, 1, 31),
            manager=ref(Kind.EMPLOYEE, 1),
            type="Civic",
            status="Active",
        )
        made = await r.system.create(draft)
        assert made.label == "26-014 New Library"
        assert made.fields["client"] == ref(Kind.FIRM, 1)
        assert made.fields["start_date"] == date(2026, 4, 1)
        assert made.fields["estimated_completion"] == date(2027, 1, 31)
        assert made.fields["type"] == "Civic"
        (group,) = [g for g in r.data.tables["invoice_groups"].values() if g["ProjectKey"] == int(made.key)]
        assert group["InvoiceFormatKey"] == 1
        names = {p["Description"] for p in r.data.tables["phases"].values() if p["ProjectKey"] == int(made.key)}
        assert names == {"Design", "Sketch"}
        assert {each.key for each in await r.system.namesakes(draft)} == {made.key}


async def test_nested_phases_are_refused_or_left_out_by_setting() -> None:
    async with rig() as r:
        with pytest.raises(RecordRefused, match="nested phases"):
            await r.system.create(project())
    async with rig(options=FLAT) as r:
        made = await r.system.create(project())
        assert made.extra["unfinished"] == "without the phases Sketch"
    async with rig(client_quirks={"create_phases": "nested"}) as r:
        with pytest.raises(RecordRefused, match="without a ProjectKey"):
            await r.system.create(project())


async def test_what_create_leaves_aside_follows_as_an_update() -> None:
    options = AjeraOptions(allow_flat_template=True, write_sync_flag=True)
    async with rig(options=options, fields=WITH_SECTOR) as r:
        (template,) = r.data.tables["project_templates"]
        r.data.edit("project_templates", template, {"TotalContractAmount": Decimal("900.25"), "BillExpenseAsTE": True})
        draft = project()
        made = await r.system.create(draft)
        assert made.marked is False
        done = await r.system.after_create(made, draft)
        assert done is not None
        assert done.extra["TotalContractAmount"] == "900.25"
        assert done.extra["BillExpenseAsTE"] == "Y"
        assert done.fields["sector"] == "Civic"
        assert done.marked is True
        assert await r.system.after_create(done, draft) is None


def _with_phase_terms(r: Rig) -> None:
    ((key, template),) = r.data.tables["project_templates"].items()
    (design,) = template["InvoiceGroups"][0]["Phases"]
    design |= {"LaborContractAmount": Decimal("1200.50"), "HoursCostBudget": 40}
    design["Phases"][0] |= {"BillExpenseAsTE": True}
    r.data.edit("project_templates", key, {"TotalContractAmount": Decimal("900.25")})


async def test_the_phases_of_a_new_project_get_their_templates_terms() -> None:
    nested: dict[str, Any] = {"create_phases": "nested"}
    async with rig(**nested) as r:
        _with_phase_terms(r)
        made = await r.system.create(project())
        done = await r.system.after_create(made, project())
        assert done is not None
        assert done.extra["TotalContractAmount"] == "900.25"
        phases = {p["Description"]: p for p in r.data.tables["phases"].values() if p["ProjectKey"] == int(made.key)}
        assert phases["Design"]["LaborContractAmount"] == Decimal("1200.50")
        assert phases["Design"]["HoursCostBudget"] == 40
        assert phases["Sketch"]["BillExpenseAsTE"] is True
        assert await r.system.after_create(done, project()) is None


async def test_phases_that_somebody_filled_since_are_left_alone() -> None:
    async with rig(options=FLAT) as r:
        _with_phase_terms(r)
        made = await r.system.create(project())
        (phase,) = [k for k, p in r.data.tables["phases"].items() if p["ProjectKey"] == int(made.key)]
        r.data.edit("phases", phase, {"HoursCostBudget": 7})
        await r.system.after_create(await r.one(Kind.PROJECT, int(made.key)), project(), careful=True)
        assert r.data.tables["phases"][phase]["HoursCostBudget"] == 7
        assert r.data.tables["phases"][phase]["LaborContractAmount"] == Decimal("1200.50")


async def test_where_phases_are_refused_the_project_gets_its_own_terms_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with rig(options=FLAT) as r:
        _with_phase_terms(r)
        made = await r.system.create(project())

        async def refuse(*_: object) -> None:
            raise RecordRefused(Side.AJERA, "phases are not taken")

        monkeypatch.setattr(r.system.client, "update", refuse)
        done = await r.system.after_create(made, project())
        assert done is not None
        assert done.extra["TotalContractAmount"] == "900.25"
        assert "phases are not taken" in done.extra["unfinished"]


@pytest.mark.parametrize("template", [None, "", "Unheard of"])
async def test_a_template_that_is_not_there_is_a_refusal(template: str | None) -> None:
    async with rig() as r:
        with pytest.raises(RecordRefused, match="no project template"):
            await r.system.create(replace(project(), template=template))


async def test_a_project_needs_its_client_first() -> None:
    async with rig(options=FLAT) as r:
        with pytest.raises(RecordRefused, match="client"):
            await r.system.create(project(client=None))


# -- lost answers ----------------------------------------------------------------------------------


async def _count(r: Rig, method: str) -> int:
    return r.methods.count(method)


@pytest.mark.parametrize(
    ("method", "draft"),
    [
        ("UpdateClients", firm(name="Delta Works")),
        ("UpdateContacts", person(first_name="Ola", last_name="Nord")),
        ("CreateProjects", project()),
    ],
)
async def test_a_lost_answer_to_a_create_is_unknown_and_sent_once(method: str, draft: Draft) -> None:
    async with rig(lose={method}, options=FLAT) as r:
        with pytest.raises(OutcomeUnknown):
            await r.system.create(draft)
        assert await _count(r, method) == 1
        assert len(await r.system.namesakes(draft)) == 1


async def test_the_list_of_contacts_is_asked_for_once_a_minute() -> None:
    async with rig(dated=True) as r:
        for n in range(3):
            draft = person(first_name=f"Ana{n}", last_name="Moreau")
            assert await r.system.namesakes(draft) == []
            made = await r.system.create(draft)
            assert [record.key for record in await r.system.namesakes(draft)] == [made.key]
        assert r.methods.count("ListContacts") == 1
        r.clock.advance(minutes=1)
        await r.system.namesakes(person(first_name="Bo", last_name="Lind"))
        assert r.methods.count("ListContacts") == 2


async def test_a_contact_whose_answer_was_lost_is_found_although_the_list_was_just_asked_for() -> None:
    draft = person(first_name="Ana", last_name="Moreau")
    async with rig(lose={"UpdateContacts"}) as r:
        assert await r.system.namesakes(draft) == []
        with pytest.raises(OutcomeUnknown):
            await r.system.create(draft)
        assert len(await r.system.namesakes(draft)) == 1


async def test_a_lost_answer_to_an_update_is_unknown_and_sent_once() -> None:
    async with rig(lose={"UpdateClients"}) as r:
        with pytest.raises(OutcomeUnknown):
            await r.system.update(await r.one(Kind.FIRM, 1), {"website": "acme.example"})
        assert await _count(r, "UpdateClients") == 1


async def test_a_record_made_but_not_shown_is_unknown() -> None:
    async with rig(options=FLAT, lose={"GetProjects"}) as r:
        with pytest.raises(OutcomeUnknown):
            await r.system.create(project())


async def test_what_somebody_types_right_after_a_create_is_not_taken_for_ours() -> None:
    """A record read back would hold the edit, and the base with it: nobody would ever send it on."""
    async with rig(lose={"GetClients"}) as r:
        made = await r.system.create(firm(name="Delta Works"))
        assert made.fields["name"] == "Delta Works"
        assert await _count(r, "GetClients") == 0


async def test_what_somebody_types_between_a_projects_write_and_its_reading_back_is_not_taken_for_ours() -> None:
    async with rig() as r:
        before = await r.one(Kind.PROJECT, 1)
        r.then["UpdateProjects"] = lambda: r.data.edit("projects", 1, {"Description": "Typed by somebody"})
        after = await r.system.update(before, {"name": "Sent by us"})
        assert after.fields["name"] == "Sent by us"
        assert (await r.one(Kind.PROJECT, 1)).stamp != after.stamp


async def test_a_write_after_an_ended_session_is_done_once() -> None:
    async with rig() as r:
        before = await r.one(Kind.FIRM, 1)
        await r.system.connect()
        r.server.sessions.kill()
        await r.system.update(before, {"website": "acme.example"})
        assert r.data.get("clients", 1)["Website"] == "acme.example"
