"""Silence is an alarm: the engine's own runs and schedule, told over real receivers on this machine.

Each way out (webhook, e-mail, command, the ping of a dead man's switch) hears each occasion (failure, its repetition by
day, recovery, what waits, no good run for too long, a store that cannot be written).
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from core.engine.notify import Channel, Notice, Notifier
from core.engine.service import Service
from core.errors import AjerasyncError, StoreUnwritable
from core.http import Poster
from core.model.values import Kind, Side
from core.notify import Command, Heartbeat, Mail, Webhook
from core.secret import Secret
from tests.engine.conftest import Make
from tests.engine.kit import World, ajera_client, crm_firm

TAKE = """
import pathlib, sys
with open(sys.argv[1], "a") as out:
    out.write(sys.stdin.read() + "\\n")
"""


@dataclass
class Receivers:
    """What each way out delivered."""

    folder: Path
    posted: list[dict[str, object]] = field(default_factory=list)
    mailed: list[str] = field(default_factory=list)
    pings: int = 0
    news: asyncio.Event = field(default_factory=asyncio.Event)  # something was delivered since it was cleared

    async def until(self, holds: Callable[[], bool], working: asyncio.Task[None]) -> None:
        """Wait for deliveries until this holds, as long as the program works."""
        while not holds():
            news = asyncio.create_task(self.news.wait())
            await asyncio.wait({news, working}, return_when=asyncio.FIRST_COMPLETED)
            assert not working.done()
            self.news.clear()

    @property
    def commanded(self) -> list[dict[str, object]]:
        out = self.folder / "told.jsonl"
        return [json.loads(line) for line in out.read_text().splitlines()] if out.exists() else []

    def heard(self) -> Counter[str]:
        """How often each kind was told, the same over all three; fails where they differ."""
        posted = [(each["kind"], each["subject"], each["text"]) for each in self.posted]
        assert [(each["kind"], each["subject"], each["text"]) for each in self.commanded] == posted
        assert self.mailed == [each["subject"] for each in self.posted]
        return Counter(str(each["kind"]) for each in self.posted)

    async def http(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        lines = [line.lower() for line in head.split(b"\r\n")]
        length = next((int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length")), 0)
        body = await reader.readexactly(length)
        if head.startswith(b"POST /hook"):
            self.posted.append(json.loads(body))
        elif head.startswith(b"GET /ping"):
            self.pings += 1
            self.news.set()
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    async def smtp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        in_data = False
        while line := await reader.readline():
            if in_data:
                if line.startswith(b"Subject: "):
                    self.mailed.append(line[9:].decode().strip())
                in_data = line != b".\r\n"
                writer.write(b"" if in_data else b"250 kept\r\n")
                continue
            verb = line[:4].upper()
            in_data = verb == b"DATA"
            writer.write(b"354 go\r\n" if in_data else b"221 bye\r\n" if verb == b"QUIT" else b"250 fine\r\n")
            if verb == b"QUIT":
                break
        await writer.drain()
        writer.close()


@dataclass(frozen=True)
class Told:
    """A way out that says when it has delivered."""

    way: Channel
    news: asyncio.Event

    @property
    def name(self) -> str:
        return self.way.name

    async def tell(self, notice: Notice) -> None:
        await self.way.tell(notice)
        self.news.set()


@asynccontextmanager
async def listening(folder: Path, program: Callable[[], Service]) -> AsyncIterator[Receivers]:
    """Receivers on this machine, and the program told to use them all."""
    receivers = Receivers(folder)
    web = await asyncio.start_server(receivers.http, "127.0.0.1", 0)
    post = await asyncio.start_server(receivers.smtp, "127.0.0.1", 0)
    at = f"http://127.0.0.1:{web.sockets[0].getsockname()[1]}"
    script = folder / "take.py"
    script.write_text(TAKE)
    ways: list[Channel] = [
        Webhook(Secret("notify.webhook", "plain", f"{at}/hook"), Poster()),
        Mail("127.0.0.1", post.sockets[0].getsockname()[1], "none", "sync@firm.example", ["ops@firm.example"]),
        Told(Command(f"{sys.executable} {script} {folder / 'told.jsonl'}"), receivers.news),
    ]
    notifier: Notifier = program().notifier
    notifier.channels = ways
    notifier.ping = Heartbeat(Secret("notify.ping", "plain", f"{at}/ping"), Poster())
    try:
        yield receivers
    finally:
        for server in (web, post):
            server.close()
            await server.wait_closed()


async def test_every_way_out_hears_of_failure_its_repetition_recovery_and_what_waits(
    make: Make, tmp_path: Path
) -> None:
    world = make()
    firm = crm_firm(world.crm, "Acme Supplies", AjeraSync="Y", WebSite="www.acme.example")
    async with listening(tmp_path, lambda: world.service) as receivers:
        await world.run()
        assert (receivers.heard(), receivers.pings) == (Counter(), 1)

        right, world.ajera.username = world.ajera.username, "somebody else"
        world.ajera_app.state.server.sessions.kill()
        for hours in (0, 1, 24):
            world.clock.forward(hours=hours)
            with pytest.raises(AjerasyncError):
                await world.run()
        assert (receivers.heard(), receivers.pings) == (Counter(failure=2), 1)  # once, and again after a day

        world.ajera.username = right
        await world.run()
        assert (receivers.heard(), receivers.pings) == (Counter(failure=2, recovery=1), 2)

        client = world.link(Kind.FIRM, firm)
        world.crm_edit("firm", firm, WebSite="crm.acme.example")
        world.ajera_edit("clients", client, Website="ajera.acme.example")
        ajera_client(world.ajera, "Bystander")
        await world.run()
        await world.run()
        assert receivers.heard() == Counter(failure=2, recovery=1, waiting=1)
        assert "1 conflicts" in str(receivers.posted[-1]["text"])
        assert receivers.pings == 4


async def test_every_way_out_hears_that_no_run_was_good_for_too_long(make: Make, tmp_path: Path) -> None:
    world = make()
    world.settings.schedule.cron = "0 * * * *"
    await world.restart()
    async with listening(tmp_path, lambda: world.service) as receivers:
        await world.run()
        for hours in (1, 2, 1, 24):
            world.clock.forward(hours=hours)
            await world.service.notifier.check_stale(*stale(world))
        assert receivers.heard() == Counter(stale=2)  # after twice the gap, and again after a day
        await world.run()
        assert receivers.heard() == Counter(stale=2, recovery=1)
        assert receivers.pings == 2


def stale(world: World) -> tuple[bool, str]:
    status = world.service.status()
    return status.stale, status.stale_reason


class FullDisk:
    """Commits are refused while there is no room."""

    full = False

    def __init__(self) -> None:
        self.tried: Callable[[], object] = lambda: None

    def __call__(self, _number: int) -> None:
        asyncio.get_running_loop().call_soon(self.tried)
        if self.full:
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error


async def test_a_store_that_cannot_be_written_is_told_and_does_not_end_the_schedule(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = FullDisk()
    world = make(hooks={"before_commit": disk})
    world.settings.schedule.cron = "0 * * * *"
    crm_firm(world.crm, "Acme Supplies", AjeraSync="Y")
    await world.restart()
    monkeypatch.setattr("core.engine.service.FOLLOW_EVERY", 0.002)
    async with listening(tmp_path, lambda: world.service) as receivers:
        disk.full = True
        with pytest.raises(StoreUnwritable):
            await world.run()
        assert receivers.heard() == Counter(failure=1)
        schedule = asyncio.create_task(world.service.run_schedule())
        try:
            world.clock.forward(hours=25)
            await receivers.until(lambda: len(receivers.commanded) == 2, schedule)
            disk.full, disk.tried = False, receivers.news.set
            await receivers.until(lambda: world.service.store.setting("due") is not None, schedule)
            world.clock.forward(hours=1)
            await receivers.until(lambda: receivers.pings > 0, schedule)  # after the first good run
        finally:
            schedule.cancel()
            await asyncio.gather(schedule, return_exceptions=True)
        assert receivers.heard() == Counter(failure=2, recovery=1)
    assert world.service.runs()[0].outcome == "ok"
    assert [client["Description"] for client in world.ajera.tables["clients"].values()] == ["Acme Supplies"]
    assert world.service.store.links().of(Kind.FIRM, Side.AJERA, str(min(world.ajera.tables["clients"])))
