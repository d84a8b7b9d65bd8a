"""What a plan of what moved looks at (the proof that it is enough: tests/property/test_scope.py)."""

from __future__ import annotations

from core.model.plan import Op
from core.model.record import Entry
from core.model.values import Kind, Side
from core.reconcile.scope import scope_of
from core.reconcile.ticks import ticks_in_effect
from tests.reconcile_kit import AJERA, CONTACT, CRM, FIRM, PROJECT, World, ops

RecordId = tuple[Kind, Side, str]


def office() -> World:
    """Forty ticked firms with a contact each; nothing is linked."""
    world = World()
    for n in range(40):
        world.firm(CRM, f"c{n}", f"Firm {n}", ticked=True)
        world.contact(CRM, f"k{n}", "Pat", f"Name {n}", firm=f"c{n}", ticked=True)
    return world


def touching(*ids: RecordId) -> frozenset[RecordId]:
    return frozenset(ids)


def test_ticks_of_a_scope_leave_out_what_nobody_asked_for() -> None:
    s = office().situation(touched=touching((CONTACT, CRM, "k7")))
    ticks = ticks_in_effect(s, scope_of(s))
    assert (ticks.firms, ticks.contacts) == (frozenset({"c7"}), frozenset({"k7"}))


def test_only_what_is_in_scope_is_created() -> None:
    world = office()
    world.contact(CRM, "k99", "Kim", "Other", firm="c7", ticked=True)  # decided before: it waits for nothing new
    made = world.plan(touched=touching((CONTACT, CRM, "k7")))
    assert {action.crm_key for action in ops(made, Op.CREATE)} == {"c7", "k7"}


def test_a_project_brings_its_rows_and_their_firms_into_scope() -> None:
    world = office()
    world.project(
        CRM, "q1", "100", "Bridge", ticked=True, contacts=(Entry("k3", marked=True), Entry("gone", marked=True))
    )
    decided = scope_of(world.situation(touched=touching((PROJECT, CRM, "q1")))).decided
    assert decided == {(PROJECT, CRM, "q1"), (CONTACT, CRM, "k3"), (CONTACT, CRM, "gone"), (FIRM, CRM, "c3")}


def test_a_record_that_is_not_there_has_no_neighbours() -> None:
    ids = touching((PROJECT, AJERA, "p1"), (CONTACT, AJERA, "b1"), (FIRM, AJERA, "a1"))
    scope = scope_of(office().situation(touched=ids))
    assert (scope.decided, scope.around) == (ids, ids)
