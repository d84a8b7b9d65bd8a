"""Short stories that each hold one promise which no single field and no single fault shows.

Each is a coroutine over a folder; it raises AssertionError where the promise is broken.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from core.model.link import LinkState
from core.model.plan import Op
from core.model.values import Kind, Side
from core.policy import Policy
from core.store import TinyStore
from tests.engine.faults import (
    FAST,
    TRIGGER,
    Line,
    Program,
    fingerprint,
    recover,
    start_again,
    strike,
    thawed,
    traced,
)
from tests.engine.kit import EngineSettings, World
from tests.engine.programs import found
from tests.engine.test_lies import rewriting
from tests.reconcile_kit import AJERA, CONTACT, CRM, FIRM, ONE_WAY, ops
from tests.reconcile_kit import World as Moment

TABLES = (
    *(f"records:{kind}:{side}" for kind in Kind for side in Side), *(f"bases:{kind}" for kind in Kind),
    "links", "marks", "decisions", "items", "cursors", "intents", "failures", "plans",
)  # fmt: skip


async def refused_record(program: Program, folder: Path) -> None:
    """V11: the record that one side refuses changes nothing for the others in the same run."""
    line = Line()
    world = thawed(program.start, folder, line)
    crm = world.crm
    crm.edit("firm", found(crm, "firm", Name="Acme Supplies"), {"WebSite": "one.example"})
    crm.edit("contact", found(crm, "contact", LastName="Archer"), {"Title": "Director"})
    line.on, line.kind = True, "409"
    line.nth_write = 1
    await world.run(trigger=TRIGGER)
    titles = {row["Title"] for row in world.ajera.tables["contacts"].values()}
    sites = {row["Website"] for row in world.ajera.tables["clients"].values()}
    assert "one.example" not in sites, "the fault struck another write"
    assert "Director" in titles, "a refusal of one record kept another from being written"
    world.service.store.close()


async def refused_group(program: Program, folder: Path) -> None:
    """V8: of a record's two groups of fields one is refused. The other is agreed on: its next edit is no conflict."""
    line = Line()
    world = thawed(program.start, folder, line)
    await program.people(world)
    line.on, line.kind, line.nth_write = True, "409", 2
    await world.run(trigger=TRIGGER)
    line.heal()
    (key,) = [key for key, row in world.ajera.tables["clients"].items() if row["Description"] == "Acme Supplies"]
    world.ajera_edit("clients", key, Website="again.acme.example", PrimaryAddressCity="El Paso")
    await recover(world)
    assert world.service.conflicts() == (), world.service.conflicts()
    assert {row["WebSite"] for row in world.crm.tables["firm"].values()} >= {"again.acme.example"}
    world.service.store.close()


async def rewritten(program: Program, folder: Path) -> None:
    """A value that the CRM writes otherwise than it was sent is neither sent again nor sent back."""
    world = thawed(program.start, folder, Line())
    rewriting(world, lambda text: text[:9])
    await program.people(world)
    sites = {row["Website"] for row in world.ajera.tables["clients"].values()}
    await world.run(trigger=TRIGGER)
    await recover(world)
    writes = world.writes()
    await world.run(trigger=TRIGGER, full=True, sweep=True)  # every record is looked at again
    await world.run(trigger=TRIGGER)
    assert world.writes() == writes, "ping-pong"
    assert {row["Website"] for row in world.ajera.tables["clients"].values()} == sites, "sent back"
    world.service.store.close()


async def idle(program: Program, folder: Path) -> None:
    """V2: one more run writes nothing to either system, and nothing but its own record to the store."""
    line = Line()
    world = thawed(program.start, folder, line)
    await program.people(world)
    await world.run(trigger=TRIGGER)
    await recover(world)
    store = world.service.store
    assert isinstance(store, TinyStore)
    world.clock.forward(minutes=5)
    await world.service.run(trigger=TRIGGER)
    before, writes = store.revision(TABLES), world.writes()
    world.clock.forward(minutes=1)
    line.on = True
    record = await world.service.run(trigger=TRIGGER)
    commits = [point for point in line.points if point.where == "store"]
    assert len(commits) <= 2, f"an idle run stored {len(commits)} times"  # that it began, and how it ended
    assert world.writes() == writes, "an idle run wrote"
    assert store.revision(TABLES) == before, "an idle run changed the store"
    assert sum(record.requests.values()) <= 16, f"an idle run asked {record.requests}"
    store.close()


async def undo(program: Program, folder: Path) -> None:
    """V19: what nobody touched since holds its value from before, and the run after an undo writes nothing."""
    world = thawed(program.start, folder, Line())
    await program.people(world)
    written = await world.run(trigger=TRIGGER)
    before = {row["Website"] for row in world.ajera.tables["clients"].values()}
    assert "crm.acme.example" in before
    await world.service.undo(written.id)
    after = {row["Website"] for row in world.ajera.tables["clients"].values()}
    assert "crm.acme.example" not in after, "not taken back"
    assert "www.acme.example" in after, "the value from before is not back"
    writes = world.writes()
    await world.run(trigger=TRIGGER)
    await world.run(trigger=TRIGGER)
    assert world.writes() == writes, "a run after an undo wrote"
    world.service.store.close()


async def poison(program: Program, folder: Path) -> None:
    """V1: a record that Ajera refuses for its content is left alone until the content changes."""
    line = Line()
    world = thawed(program.start, folder, line)
    await program.people(world)
    line.on, line.kind, line.every_write = True, "409", True
    for _ in range(12):
        world.clock.forward(minutes=7)
        await world.service.run(trigger=TRIGGER)
    tried = len([point for point in line.points if point.write])
    assert tried <= 8, f"a refused write was sent {tried} times in 84 minutes"
    world.service.store.close()


async def lying_list(program: Program, folder: Path) -> None:
    """V13: a list that is suddenly empty causes no write and no unlink."""
    line = Line()
    world = thawed(program.start, folder, line)
    line.on, line.lists = True, "empty"
    for _ in range(2):
        world.clock.forward(minutes=5)
        try:
            await world.service.run(full=True, sweep=True)
        except Exception as error:  # told to the operator
            assert "list" in str(error).lower(), error  # noqa: PT017 # any error is right that names the list
    line.heal()
    line.lists = ""
    assert not [link for link in world.service.links() if link.state is LinkState.GONE], "an empty list unlinked"
    assert world.writes() == 0
    await recover(world, sweep=True)
    assert not [link for link in world.service.links() if link.state is LinkState.GONE]
    world.service.store.close()


async def every_write_is_named(program: Program, folder: Path) -> None:
    """V9 and V12: nothing is sent that no action of a plan names."""
    world = thawed(program.start, folder, Line())
    await program.people(world)
    await world.run(trigger=TRIGGER)
    await recover(world)
    assert traced(world) == []
    world.service.store.close()


async def plan_writes_nothing(program: Program, folder: Path) -> None:
    """V12: a plan that is only looked at writes to neither system, and the run after it does all of it."""
    world = thawed(program.start, folder, Line())
    await program.people(world)
    for _ in range(2):
        world.clock.forward(minutes=1)
        await world.service.make_plan()
    assert world.writes() == 0, "a plan wrote"
    await world.run(trigger=TRIGGER)
    await recover(world)
    end = fingerprint(world)
    assert end == program.end, {name: (end[name], program.end[name]) for name in end if end[name] != program.end[name]}
    world.service.store.close()


async def typed_into_a_new_record(program: Program, folder: Path) -> None:
    """V7: somebody writes in a record whose creation was not answered yet: both words stand, and a person is asked."""

    async def types(world: World) -> None:
        world.crm.edit("firm", found(world.crm, "firm", Name="Only in Ajera"), {"WebSite": "typed.later.example"})

    (at,) = [at for at, point in enumerate(program.points) if point.write and point.what == "POST firm"]
    world = await strike(program, at, "lost", folder, types)
    asked = [(item.field, item.ajera, item.crm) for item in world.service.conflicts()]
    assert asked == [("website", "www.only.example", "typed.later.example")], f"nobody was asked: {asked}"
    world.service.store.close()


async def plan_after_a_crash(program: Program, folder: Path) -> None:
    """V12: a plan that finds out what an interrupted run left sends nothing either."""

    async def looks(world: World) -> None:
        start_again(world)
        before = world.writes()
        await world.service.make_plan()
        assert world.writes() == before, "a plan wrote"

    at = next(at for at, point in enumerate(program.points) if point.what == "CreateProjects")
    world = await strike(program, at, "die_after", folder, looks)
    world.service.store.close()


# -- of the kernel alone -----------------------------------------------------------------------------------


def many_blanks() -> None:
    """Guards stand on the plan, before the first write."""
    moment = Moment()
    for place in range(40):
        moment.firm(AJERA, f"a{place}", f"Firm {place}", website=f"w{place}.example")
        moment.firm(CRM, f"c{place}", f"Firm {place}", ticked=True, website=f"w{place}.example")
        moment.link(FIRM, f"a{place}", f"c{place}")
        moment.edit(FIRM, CRM, f"c{place}", website="")
    assert moment.plan().guards, "forty web sites went blank and no guard stood up"


def shared_mailbox() -> None:
    """V10: an e-mail that several people share proves nothing."""
    moment = Moment()
    moment.firm(AJERA, "a1", "Acme")
    moment.firm(CRM, "c1", "Acme", ticked=True)
    moment.link(FIRM, "a1", "c1")
    moment.contact(AJERA, "ak1", "Ann", "Archer", firm="a1", email="office@acme.example")
    moment.contact(AJERA, "ak2", "Bob", "Baker", firm="a1", email="office@acme.example")
    moment.contact(CRM, "ck1", "Cid", "Cole", firm="c1", ticked=True, email="office@acme.example")
    assert not ops(moment.plan(), Op.LINK), "linked by a shared e-mail"
    moment.contact(CRM, "ck2", "Bob", "Baker", firm="c1", ticked=True, email="bob@acme.example")
    assert {(a.ajera_key, a.crm_key) for a in ops(moment.plan(), Op.LINK)} == {("ak2", "ck2")}


def unproven_list() -> None:
    """V10: over a list that may lack a page nothing is linked and nothing created."""
    moment = Moment()
    moment.firm(AJERA, "a1", "Acme", website="www.acme.example")
    moment.firm(CRM, "c1", "Acme", ticked=True, website="www.acme.example")
    moment.firm(CRM, "c2", "Birch", ticked=True, website="www.birch.example")
    whole = frozenset((kind, side) for kind in Kind for side in Side if (kind, side) != (FIRM, AJERA))
    made = moment.plan(whole=whole)
    assert not made.actions, "matched over a list that may lack a page"
    assert moment.plan().actions


def one_way_leaves_the_crm_alone() -> None:
    """Law 9, for what a first link would fill."""
    moment = Moment(mode=ONE_WAY)
    moment.firm(AJERA, "a1", "Acme", website="www.acme.example", phone="555")
    moment.firm(CRM, "c1", "Acme", ticked=True, website="", phone="555")
    moment.link(FIRM, "a1", "c1", base={})
    moment.edit(FIRM, AJERA, "a1", phone="777")
    assert not [action for action in moment.plan().writes if action.side is CRM], "one-way wrote to the CRM"


def the_sixth_contact_waits() -> None:
    """The cap of ticked contacts of a firm."""
    moment = Moment(policy=replace(Policy(), firm_cap=5))
    moment.firm(AJERA, "a1", "Acme")
    moment.firm(CRM, "c1", "Acme", ticked=True)
    moment.link(FIRM, "a1", "c1")
    for place in range(7):
        moment.contact(CRM, f"ck{place}", "Pat", f"Name {place}", firm="c1", ticked=True, email=f"p{place}@x.example")
    assert len([action for action in ops(moment.plan(), Op.CREATE) if action.kind is CONTACT]) == 5


async def one_way_runs(program: Program, folder: Path) -> None:
    """Law 9 with the real engine: a run before 8.09 sends the CRM nothing but ticks."""
    settings = EngineSettings(FAST)
    settings.sync.direction = "to-ajera"
    world = thawed(program.start, folder, Line(), settings=settings)
    await program.people(world)
    try:
        await world.run(trigger=TRIGGER)
    except Exception:
        plan = world.service.plan()
        assert plan is not None
        await world.service.run(approve=plan.digest)
    sent = [write for write in world.crm_writes() if set(write.after) - {"AjeraSync", "ModUser", "ModDate"}]
    assert not sent, sent
    world.service.store.close()


KERNEL = (many_blanks, shared_mailbox, unproven_list, one_way_leaves_the_crm_alone, the_sixth_contact_waits)
"""Stories of the kernel: plain functions."""
