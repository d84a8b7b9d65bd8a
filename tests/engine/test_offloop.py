"""Commits in a thread of their own: the order stays, and a stop in the middle loses nothing of what was sent."""

from __future__ import annotations

import asyncio
import threading

import pytest

from core.engine.offloop import OneThread
from core.model.values import Kind, Side
from tests.engine.conftest import Make
from tests.engine.kit import World, crm_firm


def threaded(world: World) -> World:
    """As the installed program has it (core/bootstrap.py)."""
    world.service.runner.off_loop = world.service.runner.puller.off_loop = OneThread()
    return world


async def test_work_is_done_in_the_order_it_was_asked_for_and_its_mistakes_arrive() -> None:
    aside, done, go = OneThread(), [], threading.Event()

    def first() -> None:
        go.wait()
        done.append(1)

    waiting = [asyncio.ensure_future(aside(work)) for work in (first, lambda: done.append(2), lambda: 1 / 0)]
    await asyncio.sleep(0)
    assert not done
    go.set()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert done == [1, 2]
    assert isinstance(results[2], ZeroDivisionError)


class Gate:
    """Stops the commit of the first write that landed, until it is let."""

    def __init__(self) -> None:
        self.reached, self.go = asyncio.Event(), threading.Event()
        self.loop = asyncio.get_running_loop()
        self.world: World | None = None

    def __call__(self, _number: int) -> None:
        if self.world is not None and self.world.service.store.intents() and not self.reached.is_set():
            self.loop.call_soon_threadsafe(self.reached.set)
            self.go.wait(10)


async def test_a_run_stopped_while_it_keeps_what_landed_keeps_it(make: Make) -> None:
    gate = Gate()
    world = threaded(make(hooks={"before_commit": gate}))
    for word in ("Alpha", "Bravo"):
        crm_firm(world.crm, f"Firm {word}", AjeraSync="Y")
    gate.world = world
    run = asyncio.create_task(world.run())
    await gate.reached.wait()
    run.cancel()
    await asyncio.sleep(0)
    assert not run.done()  # it waits for what it keeps
    gate.go.set()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert len(world.ajera.tables["clients"]) == 1
    store = world.service.store
    assert [intent.action.group for intent in store.intents()] == ["after_create"]  # what the next run goes on with
    assert store.runs()[0].outcome == "cancelled"
    assert [entry.label for entry in store.history_of_run(store.runs()[0].id)] == ["Firm Alpha"]
    threaded(world)
    assert (await world.run()).outcome == "ok"
    assert sorted(each["Description"] for each in world.ajera.tables["clients"].values()) == [
        "Firm Alpha",
        "Firm Bravo",
    ]


async def test_the_screen_is_read_while_the_disk_keeps_a_commit(make: Make) -> None:
    """A reader does not wait for a commit that the disk has not taken yet; it sees what was there before."""
    gate = Gate()
    world = threaded(make(hooks={"before_commit": gate}))
    key = crm_firm(world.crm, "Firm Alpha", AjeraSync="Y")
    gate.world = world
    run = asyncio.create_task(world.run())
    await gate.reached.wait()
    store = world.service.store
    assert store.links().of(Kind.FIRM, Side.CRM, key) is None
    gate.go.set()
    await run
