"""Rows and ticks that are kept up to date say what making them anew says, whatever moved."""

from __future__ import annotations

from random import Random

import pytest

from core.engine.facts import remembered
from core.engine.look import situation
from core.engine.rows import RowMaker
from core.engine.tickview import TickView
from core.model.link import LinkState, Mark
from core.model.values import Kind, Side
from core.ports import Connection
from core.reconcile.ticks import ticks_in_effect
from tests.engine.conftest import Make
from tests.engine.kit import TEMPLATE_CODE, World, ajera_client, ajera_project, crm_contact, crm_firm, crm_project


def fresh_rows(world: World, kind: Kind) -> list[object]:
    service = world.service
    view = TickView(service.store, service.policy, world.clock).now()
    made = RowMaker(service.store, view.brought).over_all(kind).all(kind)
    return sorted(made, key=lambda row: (row.label.casefold(), row.id))


def check(world: World) -> None:
    service = world.service
    for kind in Kind:
        assert list(service.rows(kind)) == fresh_rows(world, kind)
    look = situation(
        service.store, service.policy, service.mode, {side: Connection(side) for side in Side}, world.clock.now()
    )
    whole, view = ticks_in_effect(look), service.runner.ticks.now()
    assert view.firms == whole.firms
    assert {key: view.template(key) for key in view.projects} == whole.projects
    assert view.brought.keys() == whole.brought.keys()
    assert view.count(Kind.CONTACT) == len(whole.contacts)


async def busy(make: Make) -> World:
    world = make()
    firms = [crm_firm(world.crm, f"Firm {n}", AjeraSync="Y" if n % 2 else "N") for n in range(6)]
    for n in range(14):
        crm_contact(world.crm, f"Ana{n}", f"Moreau{n}", firms[n % 2], AjeraSync="Y" if n % 3 else "N")
    for n in range(6):
        more = {"AjeraSync": "Y" if n % 2 else "N", "ProjectTemplate": TEMPLATE_CODE}
        key = crm_project(world.crm, f"2026-{n:03}", f"Wing {n}", firms[n % 4], **more)
        contact = list(world.crm.tables["contact"])[n]
        world.crm.insert("project_contact", {"WBS1": key, "ContactID": contact, "AjeraSync": "Y"})
    for n in range(3):
        ajera_project(world.ajera, f"2025-{n}", f"Old wing {n}", ajera_client(world.ajera, f"Client {n}"))
    await world.run()
    return world


@pytest.mark.parametrize("seed", range(4))
async def test_kept_rows_are_those_made_anew(make: Make, seed: int) -> None:
    world = await busy(make)
    check(world)
    chance, service = Random(seed), world.service
    firms, contacts, projects = (list(world.crm.tables[name]) for name in ("firm", "contact", "project"))
    for step in range(12):
        match chance.randrange(6):
            case 0:
                service.mark(Kind.FIRM, [chance.choice(firms)], chance.random() < 0.5)
            case 1:
                service.mark(Kind.PROJECT, [chance.choice(projects)], chance.random() < 0.5)
            case 2:
                service.mark(Kind.CONTACT, [chance.choice(contacts)], chance.random() < 0.5)
            case 3:
                world.crm_edit("firm", chance.choice(firms), Name=f"Renamed {step}")
                await service.make_plan()
            case 4:
                world.crm_edit("contact", chance.choice(contacts), ClientID=chance.choice(firms))
                await world.run()
            case _:
                service.mark(
                    Kind.FIRM,
                    [row.ajera_key for row in service.rows(Kind.FIRM) if not row.crm_key],
                    True,
                    side=Side.AJERA,
                )  # type: ignore[misc] # an Ajera row has a key
        check(world)


async def test_only_the_ticked_row_is_made_again(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    world = await busy(make)
    service = world.service
    before = service.rows(Kind.FIRM)
    key = next(row.crm_key for row in before if row.crm_key and not row.marked)
    made: list[str] = []
    real = RowMaker.row
    monkeypatch.setattr(RowMaker, "row", lambda self, record: made.append(record.key) or real(self, record))
    service.mark(Kind.FIRM, [key], True)
    after = service.rows(Kind.FIRM)
    assert made == [key]
    assert [new.id for new, old in zip(after, before, strict=True) if new != old] == [f"c:{key}"]
    assert after.column("label") is before.column("label")  # what stayed is shared


@pytest.mark.parametrize("seed", range(3))
async def test_the_next_program_has_the_rows_without_reading_records(make: Make, seed: int) -> None:
    world = await busy(make)
    chance, service = Random(seed), world.service
    check(world)
    service.keep_rows()
    firms, contacts, projects = (list(world.crm.tables[name]) for name in ("firm", "contact", "project"))
    for step in range(chance.randrange(4)):  # what is written after they were kept is made up for
        service.mark(Kind.FIRM, [chance.choice(firms)], chance.random() < 0.5)
        service.mark(Kind.PROJECT, [chance.choice(projects)], chance.random() < 0.5)
        world.crm_edit("contact", chance.choice(contacts), ClientID=chance.choice(firms))
        world.crm_edit("firm", chance.choice(firms), Name=f"Renamed {step}")
        await world.run()
        service.store.prune(1, 0, world.clock.now())
    other = world.program()
    assert all(other.rows_at_hand(kind) for kind in Kind)
    row = other.rows(Kind.FIRM)[0]
    other.detail(row)
    other.mark(Kind.FIRM, [row.key], not row.marked, side=row.side)
    for kind in Kind:
        assert list(other.rows(kind)) == fresh_rows(world, kind)
    assert not [name for name in other.store._memory._tables if name.startswith(("records", "bases"))]  # type: ignore[attr-defined]
    other.store.close()


async def test_kept_rows_of_other_settings_are_not_used(make: Make) -> None:
    world = await busy(make)
    check(world)
    world.service.keep_rows()
    other = world.program()
    other._book._stamp += " other"
    assert not other.rows_at_hand(Kind.FIRM)
    other.store.close()


async def test_a_link_that_goes_and_a_mark_by_another_program(make: Make) -> None:
    world = await busy(make)
    check(world)
    service = world.service
    link = next(iter(service.store.links().by_ajera.values()))
    assert link.state is LinkState.ACTIVE
    service.drop_link(link.kind, link.crm_key)
    check(world)
    other = world.program()
    with other.store.transaction() as tx:
        tx.put_mark(Mark(Kind.FIRM, Side.CRM, next(iter(world.crm.tables["firm"])), True, at="2026-03-02T15:00:00Z"))
    other.store.close()
    service.store.refresh()
    service._forget()
    check(world)
    assert remembered(service.store).known
