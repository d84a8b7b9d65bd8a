"""Contacts of an Ajera project on the CRM's list (sync-rules 5: back where the CRM accepts it)."""

from __future__ import annotations

from typing import Any

import pytest

from core.model.link import LinkState, Pair
from core.model.plan import Action, Op
from core.model.record import Entry
from core.model.values import EntryEdit, Ref
from tests.reconcile_kit import AJERA, CONTACT, CRM, PROJECT, World, crm_connection, linked_projects, ops


def world_with(*, crm_has: bool = False, **attributes: Any) -> World:
    """A linked, ticked project whose Ajera list holds a linked contact."""
    world = linked_projects(World())
    world.contact(AJERA, "k1", "Ann", "Lee")
    world.contact(CRM, "p1", "Ann", "Lee")
    world.link(CONTACT, "k1", "p1")
    (link,) = [link for (kind, _), link in world.situation().links.by_ajera.items() if kind is PROJECT]
    world.change(PROJECT, AJERA, link.ajera_key, contacts=(Entry("k1"),), **attributes)
    world.change(PROJECT, CRM, link.crm_key, contacts=(Entry("p1"),) if crm_has else ())
    return world


def rows(world: World) -> list[Action]:
    made = world.plan(crm=crm_connection(takes_project_contacts=True))
    return [action for action in ops(made, Op.UPDATE) if action.group == "contacts" and action.side is CRM]


def test_rule_5_a_contact_of_the_ajera_project_goes_on_the_crm_list() -> None:
    (action,) = rows(world_with())
    assert action.fields["contacts"].to == EntryEdit((Ref(CONTACT, AJERA, "k1"),))


def test_rule_5_only_where_the_crm_takes_rows() -> None:
    made = world_with().plan(crm=crm_connection(takes_project_contacts=False))
    assert [a for a in ops(made, Op.UPDATE) if a.group == "contacts" and a.side is CRM] == []


def test_rule_5_what_both_lists_hold_is_remembered() -> None:
    world = world_with(crm_has=True)
    assert rows(world) == []
    made = world.plan(crm=crm_connection(takes_project_contacts=True))
    (remembered,) = [
        action for action in ops(made, Op.REBASE) if any(n.startswith("crm-contact:") for n in action.pairs)
    ]
    assert remembered.pairs == {"crm-contact:k1": Pair("both", "both")}


@pytest.mark.parametrize("name", ["crm-contact:k1", "contact:k1"])
def test_rule_5_a_row_that_a_person_took_off_does_not_come_back(name: str) -> None:
    world = world_with()
    (link,) = [link for (kind, _), link in world.situation().links.by_ajera.items() if kind is PROJECT]
    world.bases[link.id] = {**world.bases.get(link.id, {}), name: Pair("ours", "ours")}
    assert rows(world) == []


def test_rule_5_an_unlinked_contact_is_not_brought() -> None:
    world = world_with()
    world.contact(AJERA, "k2", "Bob", "Ray")
    (link,) = [link for (kind, _), link in world.situation().links.by_ajera.items() if kind is PROJECT]
    world.change(PROJECT, AJERA, link.ajera_key, contacts=(Entry("k1"), Entry("k2")))
    (action,) = rows(world)
    assert action.fields["contacts"].to == EntryEdit((Ref(CONTACT, AJERA, "k1"),))


def test_rule_2_sync_to_crm_taken_off_stops_the_rows() -> None:
    world = world_with(marked=False)
    (link,) = [link for (kind, _), link in world.situation().links.by_ajera.items() if kind is PROJECT]
    world.bases[link.id] = {**world.bases.get(link.id, {}), "sync_to_crm": Pair(True, None)}
    assert rows(world) == []


def test_rule_5_lists_that_were_not_read_and_sleeping_links_decide_nothing() -> None:
    world = world_with()
    (link,) = [link for (kind, _), link in world.situation().links.by_ajera.items() if kind is PROJECT]
    world.change(PROJECT, CRM, link.crm_key, contacts=None)
    assert rows(world) == []
    world = world_with()
    world.link(PROJECT, link.ajera_key, link.crm_key, LinkState.DORMANT)
    assert rows(world) == []
