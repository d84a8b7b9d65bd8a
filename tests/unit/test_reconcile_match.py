"""Matching a record without a link (sync-rules 4)."""

from __future__ import annotations

from typing import Any

import pytest

from core.engine.look import alike
from core.model.link import Choice, LinkState
from core.model.plan import Op, Plan
from core.model.values import Address, Kind, Ref, Side
from core.policy import Policy
from core.reconcile.situation import Pool
from tests.reconcile_kit import AJERA, CONTACT, CRM, FIRM, ONE_WAY, World, ops, reasons, writes


def firms(name: str = "Acme", other: str = "ACME", **shared: Any) -> World:
    world = World()
    world.firm(AJERA, "a1", name, **shared)
    world.firm(CRM, "c1", other, ticked=True, **shared)
    return world


def linked(made: Plan) -> list[tuple[str | None, str | None, str]]:
    return [(action.ajera_key, action.crm_key, action.reason) for action in ops(made, Op.LINK)]


def waiting(made: Plan) -> list[tuple[str | None, str | None]]:
    assert not ops(made, Op.LINK)
    assert not ops(made, Op.CREATE)
    return [(each.ajera_key, each.crm_key) for each in made.candidates]


@pytest.mark.parametrize(
    ("evidence", "said"),
    [
        ({"email": "info@acme.example"}, "e-mail"),
        ({"website": "www.acme.example"}, "web site"),
        ({"phone": "(312) 555-0100"}, "phone"),
        ({"address": Address(zip="60601")}, "postal code"),
    ],
)
def test_rule_4_2_firm_links_by_name_and_one_of_email_website_phone_zip(evidence: dict[str, Any], said: str) -> None:
    assert linked(firms(**evidence).plan()) == [("a1", "c1", f"same name and {said}")]


def test_rule_4_2_evidence_without_the_name_links_no_firm() -> None:
    made = firms("Acme", "Zenith", email="info@acme.example").plan()
    assert not ops(made, Op.LINK)


def test_rule_4_3_a_bare_name_is_a_candidate() -> None:
    made = firms().plan()
    assert waiting(made) == [("a1", "c1")]
    assert made.candidates[0].reasons == ("same name",)


def test_rule_4_3_a_similar_name_is_a_candidate_and_another_number_is_not() -> None:
    assert waiting(firms("Acme Suppliers", "Acme Supplier").plan(alike=alike)) == [("a1", "c1")]
    assert ops(firms("Acme Phase 1", "Acme Phase 2").plan(alike=alike), Op.CREATE)


def test_rule_4_3_similar_names_of_linked_records_are_no_candidates() -> None:
    world = firms("Acme Suppliers", "Acme Supplier")
    world.firm(CRM, "c9", "Acme Suppliers", ticked=True)
    world.link(FIRM, "a1", "c9")
    assert ops(world.plan(alike=alike), Op.CREATE)


def test_rule_4_2_two_hits_on_either_side_are_candidates_linked_ones_counted() -> None:
    world = firms(email="info@acme.example")
    world.firm(AJERA, "a2", "Acme", email="info@acme.example")
    assert waiting(world.plan()) == [("a1", "c1"), ("a2", "c1")]
    world = firms(email="info@acme.example")
    world.firm(CRM, "c2", "Acme", email="info@acme.example")
    assert waiting(world.plan()) == [("a1", "c1")]
    world = firms(email="info@acme.example")
    world.firm(CRM, "c2", "Acme", email="info@acme.example")
    world.link(FIRM, "a1", "c2")
    made = world.plan()
    assert waiting(made) == [("a1", "c1")]
    assert "already linked with another record" in made.candidates[0].reasons


@pytest.mark.parametrize("side", list(Side))
def test_rule_4_2_only_over_lists_that_are_provably_whole(side: Side) -> None:
    world = firms(email="info@acme.example")
    whole = frozenset((kind, each) for kind in Kind for each in Side) - {(FIRM, side)}
    made = world.plan(whole=whole)
    assert not made.actions
    assert reasons(made) == "the other side was not read completely yet"


def test_rule_4_1_an_unsettled_intent_is_settled_first() -> None:
    made = firms(email="info@acme.example").plan(unsettled=frozenset({(FIRM, CRM, "c1")}))
    assert not made.actions
    assert "no known outcome yet" in reasons(made)


# -- contacts, projects, employees -----------------------------------------------------------------


def contacts(**both: Any) -> World:
    world = World()
    world.contact(AJERA, "b1", "Ann", "Lee", **both)
    world.contact(CRM, "k1", "Ann", "Lee", ticked=True, **both)
    return world


def test_rule_4_2_contact_links_by_email_and_last_name() -> None:
    assert linked(contacts(email="Ann@X.example").plan()) == [("b1", "k1", "same e-mail and last name")]
    world = contacts(email="office@x.example")
    world.edit(CONTACT, CRM, "k1", last_name="Moss", first_name="Bob")
    made = world.plan()
    assert waiting(made) == [("b1", "k1")]
    assert set(made.candidates[0].reasons) == {"same name", "same e-mail"}


def test_rule_4_2_contact_links_by_full_name_and_linked_firm() -> None:
    world = contacts(middle_name="Q")
    world.firm(AJERA, "a1", "Acme")
    world.firm(CRM, "c1", "Acme", ticked=True)
    world.edit(CONTACT, AJERA, "b1", firm=Ref(FIRM, AJERA, "a1"))
    world.edit(CONTACT, CRM, "k1", firm=Ref(FIRM, CRM, "c1"))
    world.link(FIRM, "a1", "c1")
    assert linked(world.plan()) == [("b1", "k1", "same full name, firms linked")]
    world.edit(CONTACT, CRM, "k1", middle_name="R")
    made = world.plan()
    assert not ops(made, Op.LINK)
    assert ops(made, Op.CREATE)  # two middle names tell two people of one name apart


def test_rule_4_2_a_firm_linked_in_the_same_plan_counts_for_its_contacts() -> None:
    world = contacts()
    world.firm(AJERA, "a1", "Acme", phone="5550100")
    world.firm(CRM, "c1", "Acme", ticked=True, phone="5550100")
    world.edit(CONTACT, AJERA, "b1", firm=Ref(FIRM, AJERA, "a1"))
    world.edit(CONTACT, CRM, "k1", firm=Ref(FIRM, CRM, "c1"))
    assert [reason for *_, reason in linked(world.plan())] == ["same name and phone", "same full name, firms linked"]


def projects(number: str = "100", name: str = "Bridge", clients: bool = False) -> World:
    world = World()
    world.firm(AJERA, "a1", "Acme")
    world.firm(CRM, "c1", "Acme", ticked=True)
    world.link(FIRM, "a1", "c1")
    world.project(AJERA, "p1", "100", "Bridge", client="a1")
    world.project(CRM, "q1", number, name, client="c1" if clients else None, ticked=True, template="Study")
    return world


def test_rule_4_2_project_links_by_number_and_name_or_linked_clients() -> None:
    assert linked(projects().plan()) == [("p1", "q1", "same number and name")]
    assert linked(projects(name="Other", clients=True).plan()) == [("p1", "q1", "same number and client")]


def test_rule_4_2_a_projects_number_alone_is_a_candidate() -> None:
    made = projects(name="Other").plan()
    assert waiting(made) == [("p1", "q1")]
    assert made.candidates[0].reasons == ("same number",)


def test_rule_4_2_employee_links_by_an_email_that_is_unique_on_both_sides() -> None:
    world = World()
    world.employee(AJERA, "e1", "Ann", "Lee", email="ann@x.example")
    world.employee(CRM, "E1", "Annie", "Leigh", email="ANN@x.example")
    assert linked(world.plan()) == [("e1", "E1", "same e-mail")]
    world.employee(CRM, "E2", "Ann", "Lee", email="ann@x.example")
    assert waiting(world.plan()) == [("e1", "E1"), ("e1", "E2")]


def test_a_pool_knows_which_names_there_are_and_asks_for_records_as_somebody_looks() -> None:
    asked: list[str] = []

    class Told(dict[str, Any]):
        def __getitem__(self, key: str) -> Any:
            asked.append(key)
            return super().__getitem__(key)

    names = Pool(Told(firms().records[FIRM, CRM])).by_name
    asked.clear()
    assert ("acme" in names, "nobody" in names, len(names), names["nobody"]) == (True, False, 1, ())
    assert asked == []
    assert [record.key for record in names["acme"]] == asked == ["c1"]


def test_rule_4_employees_without_an_email_are_candidates_by_name_and_inactive_ones_stay() -> None:
    world = World()
    world.employee(AJERA, "e1", "Ann", "Lee")
    world.employee(CRM, "E1", "Ann", "Lee")
    world.employee(AJERA, "e2", "Old", "Hand", status="Inactive")
    assert waiting(world.plan()) == [("e1", "E1")]


def test_rule_1_employees_are_matched_but_not_created_before_8_09() -> None:
    world = World(mode=ONE_WAY)
    world.employee(AJERA, "e1", "Ann", "Lee", email="ann@x.example")
    world.employee(CRM, "E1", "Ann", "Lee", email="ann@x.example")
    world.employee(AJERA, "e2", "New", "Hand", email="new@x.example")
    made = world.plan()
    assert [action.op for action in made.actions] == [Op.LINK]


# -- what a person says ----------------------------------------------------------------------------


def test_rule_4_3_an_operator_links_from_either_side() -> None:
    for side, key, partner in ((CRM, "c1", "a1"), (AJERA, "a1", "c1")):
        world = firms()
        world.decide(FIRM, side, key, Choice.LINK, partner)
        assert linked(world.plan()) == [("a1", "c1", "linked by an operator")]


def test_rule_4_3_a_link_to_a_taken_or_missing_record_is_not_made() -> None:
    world = firms()
    world.decide(FIRM, CRM, "c1", Choice.LINK, "a9")
    assert waiting(world.plan()) == [("a1", "c1")]
    world = firms()
    world.firm(CRM, "c2", "Taken")
    world.link(FIRM, "a1", "c2")
    world.decide(FIRM, CRM, "c1", Choice.LINK, "a1")
    assert waiting(world.plan()) == [("a1", "c1")]


def test_rule_4_3_an_operator_creates_a_new_one_in_spite_of_candidates() -> None:
    world = firms()
    world.decide(FIRM, CRM, "c1", Choice.CREATE)
    (create,) = ops(world.plan(), Op.CREATE)
    assert create.reason == "an operator asked for a new one"
    world = firms()
    world.decide(FIRM, AJERA, "a1", Choice.CREATE)  # about the other record: says nothing of this one
    assert waiting(world.plan()) == [("a1", "c1")]


def test_rule_4_3_never_rules_out_one_partner_or_the_record() -> None:
    world = firms(email="info@acme.example")
    world.decide(FIRM, CRM, "c1", Choice.NEVER, "a1")
    assert ops(world.plan(), Op.CREATE)
    world.policy = Policy(auto_link_names=True)
    assert ops(world.plan(), Op.CREATE)
    world = firms(email="info@acme.example")
    world.decide(FIRM, AJERA, "a1", Choice.NEVER, "c1")
    assert ops(world.plan(), Op.CREATE)
    world = firms()
    world.decide(FIRM, CRM, "c1", Choice.NEVER)
    made = world.plan()
    assert not made.actions
    assert not made.waiting


def test_rule_4_3_the_newest_answer_counts() -> None:
    world = firms()
    world.decide(FIRM, CRM, "c1", Choice.CREATE, at="2026-01-01")
    world.decide(FIRM, CRM, "c1", Choice.LINK, "a1", at="2026-01-02")
    assert linked(world.plan())
    world.decisions.reverse()
    assert linked(world.plan())


def test_rule_4_decisions_about_fields_and_other_kinds_say_nothing_of_matching() -> None:
    world = firms()
    world.decide(CONTACT, CRM, "c1", Choice.CREATE)
    world.resolve(FIRM, "a1", "c1", "name", take=AJERA)
    assert waiting(world.plan()) == [("a1", "c1")]


# -- the setting that links names ------------------------------------------------------------------


def test_rule_4_3_a_setting_links_unique_exact_names() -> None:
    world = firms("Acme", "Acme")
    world.policy = Policy(auto_link_names=True)
    assert linked(world.plan()) == [("a1", "c1", "same name, the only one on both sides")]


@pytest.mark.parametrize("why", ["case", "two there", "two here", "taken", "middle names", "employee"])
def test_rule_4_3_the_setting_links_nothing_else(why: str) -> None:
    world = firms("Acme", "ACME" if why == "case" else "Acme")
    if why == "two there":
        world.firm(AJERA, "a2", "acme")
    if why == "two here":
        world.firm(CRM, "c2", "acme")
    if why == "taken":
        world.firm(CRM, "c2", "Other")
        world.link(FIRM, "a1", "c2")
    if why == "middle names":
        world = contacts()
        world.edit(CONTACT, AJERA, "b1", middle_name="Q")
        world.edit(CONTACT, CRM, "k1", middle_name="R")
    if why == "employee":
        world = World()
        world.employee(AJERA, "e1", "Ann", "Lee")
        world.employee(CRM, "E1", "Ann", "Lee")
    world.policy = Policy(auto_link_names=True)
    assert not ops(world.plan(), Op.LINK)


# -- one to one ------------------------------------------------------------------------------------


def test_law_11_a_pair_ticked_on_both_sides_is_linked_once_and_asked_about_once() -> None:
    world = firms(email="info@acme.example")
    world.mark(FIRM, "a1", side=AJERA)
    made = world.plan()
    assert len(linked(made)) == 1
    assert not made.refused
    world = firms()
    world.mark(FIRM, "a1", side=AJERA)
    (candidate,) = world.plan().candidates
    assert candidate.side is CRM


def test_law_11_one_record_is_not_linked_with_two() -> None:
    world = firms()
    world.firm(CRM, "c2", "Zenith", ticked=True)
    world.decide(FIRM, CRM, "c1", Choice.LINK, "a1")
    world.decide(FIRM, CRM, "c2", Choice.LINK, "a1")
    made = world.plan()
    assert linked(made) == [("a1", "c1", "linked by an operator")]
    assert reasons(made) == "Acme is linked with another record by this plan"


def test_rule_4_matching_never_changes_an_existing_link() -> None:
    world = firms("Acme", "Zenith")
    world.firm(AJERA, "a2", "Zenith", email="z@x.example")
    world.edit(FIRM, CRM, "c1", email="z@x.example")
    world.link(FIRM, "a1", "c1")
    assert not ops(world.plan(), Op.LINK)


def test_rule_6_a_tombstone_is_a_candidate_at_most() -> None:
    world = firms(email="info@acme.example")
    world.link(FIRM, "a1", "c9", LinkState.GONE, gone_side=CRM)
    made = world.plan()
    assert waiting(made) == [("a1", "c1")]
    assert "already gone with another record" in made.candidates[0].reasons
    world = firms(email="info@acme.example")
    world.link(FIRM, "a9", "c1", LinkState.GONE, gone_side=AJERA)
    assert not world.plan().actions


def test_rule_4_a_new_link_is_merged_in_the_same_plan() -> None:
    world = firms("Acme", "Acme", email="info@acme.example")
    world.edit(FIRM, AJERA, "a1", phone="555 0100")
    world.edit(FIRM, CRM, "c1", phone=None)
    assert writes(world.plan()) == [(CRM, "phone", "555 0100")]


def test_candidates_are_ranked_best_first_and_at_most_five() -> None:
    world = World()
    world.contact(CRM, "k1", "Ann", "Lee", ticked=True, email="ann@x.example")
    for place in range(7):
        world.contact(AJERA, f"b{place}", "Other", f"Person {place}", email="ann@x.example")
    world.contact(AJERA, "b9", "Ann", "Lee")
    made = world.plan()
    assert [each.ajera_key for each in made.candidates] == ["b9", "b0", "b1", "b2", "b3"]


def test_rule_4_3_what_an_operator_wants_anew_is_linked_from_the_other_side_by_nobody() -> None:
    world = firms(email="info@acme.example")
    world.mark(FIRM, "a1", side=AJERA)
    world.decide(FIRM, CRM, "c1", Choice.CREATE)
    made = world.plan()
    assert not ops(made, Op.LINK)
    assert [action.crm_key for action in ops(made, Op.CREATE)] == ["c1"]
    assert [(each.ajera_key, each.crm_key) for each in made.candidates] == [("a1", "c1")]
