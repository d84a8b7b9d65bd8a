"""Notices: when they are told, and that each way out reaches a real receiver on this machine."""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.engine.notify import KINDS, Notice, Notifier
from core.errors import UsageError
from core.http import Poster
from core.notify import Command, Heartbeat, Mail, Webhook
from core.ports import RunRecord
from core.secret import Secret
from core.store import TinyStore

NOTICE = Notice("failure", "ajerasync: run failed", "Ajera did not answer", "2026-01-05T10:00:00.000Z", {"run": "r1"})


@dataclass
class Ear:
    """A channel that keeps what it was told."""

    told: list[Notice] = field(default_factory=list)
    name: str = "ear"
    broken: bool = False

    async def tell(self, notice: Notice) -> None:
        if self.broken:
            raise RuntimeError("no line")
        self.told.append(notice)

    @property
    def kinds(self) -> list[str]:
        return [notice.kind for notice in self.told]


@dataclass
class Hands:
    """A clock that is moved by hand."""

    at: datetime = datetime(2026, 1, 5, 10, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    async def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


def run(outcome: str, message: str = "") -> RunRecord:
    return RunRecord("r1", "2026-01-05T10:00:00.000Z", "2026-01-05T10:01:00.000Z", outcome=outcome, message=message)


@dataclass
class World:
    notifier: Notifier
    ear: Ear
    clock: Hands
    said: list[str]
    pings: list[int]


@pytest.fixture
def world(tmp_path: Path) -> Any:
    ear, clock, said, pings = Ear(), Hands(), [], []

    async def ping() -> None:
        pings.append(1)

    with TinyStore.open(tmp_path) as store:
        notifier = Notifier([ear], ping, frozenset(KINDS), store, clock, lambda text, _level: said.append(text))
        yield World(notifier, ear, clock, said, pings)


async def test_a_failure_is_told_once_then_daily_then_its_end(world: World) -> None:
    for _ in range(3):
        await world.notifier.after_run(run("failed", "Ajera did not answer"), {})
    assert world.ear.kinds == ["failure"]
    world.clock.at += timedelta(days=1)
    await world.notifier.after_run(run("failed", "Ajera did not answer"), {})
    assert world.ear.kinds == ["failure", "failure"]
    assert world.pings == []
    await world.notifier.after_run(run("ok"), {})
    await world.notifier.after_run(run("ok"), {})
    assert world.ear.kinds == ["failure", "failure", "recovery"]
    assert world.ear.told[-1].data["since"] == "2026-01-05T10:00:00.000Z"
    assert world.pings == [1, 1]


async def test_another_failure_is_told_at_once(world: World) -> None:
    await world.notifier.after_run(run("failed", "one"), {})
    await world.notifier.after_run(run("refused", "two"), {})
    assert [notice.text for notice in world.ear.told] == ["one", "two"]


async def test_what_newly_waits_is_told_and_not_again(world: World) -> None:
    await world.notifier.after_run(run("ok"), {"conflicts": 1, "errors": 0})
    await world.notifier.after_run(run("ok"), {"conflicts": 1, "errors": 0})
    await world.notifier.after_run(run("partial"), {"conflicts": 1, "errors": 2})
    assert [notice.text for notice in world.ear.told] == [
        "waiting for a person: 1 conflicts",
        "waiting for a person: 1 conflicts, 2 errors",
    ]


async def test_a_stale_schedule_is_told_daily(world: World) -> None:
    for hours in (0, 1, 23):
        world.clock.at += timedelta(hours=hours)
        await world.notifier.check_stale(True, "no good run since yesterday")
    assert world.ear.kinds == ["stale", "stale"]
    await world.notifier.check_stale(False, "")
    assert world.ear.kinds == ["stale", "stale"]


async def test_a_broken_channel_is_a_line_in_the_log(world: World) -> None:
    world.ear.broken = True
    await world.notifier.after_run(run("failed", "one"), {})
    assert world.said == ["the notification by ear failed: RuntimeError: no line"]


async def test_only_the_kinds_asked_for_are_told(world: World) -> None:
    world.notifier.kinds = frozenset({"recovery"})
    await world.notifier.after_run(run("failed", "one"), {"errors": 1})
    await world.notifier.after_run(run("ok"), {})
    assert world.ear.kinds == ["recovery"]


@asynccontextmanager
async def receiver(answer: bytes) -> Any:
    """A server on loopback that keeps each request whole; yields (port, requests)."""
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")), 0
        )
        heard.append(head + await reader.readexactly(length))
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], heard
    finally:
        server.close()
        await server.wait_closed()


OK = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"


async def test_the_webhook_gets_the_notice_as_json() -> None:
    async with receiver(OK) as (port, heard):
        url = Secret("notify.webhook", "plain", f"http://127.0.0.1:{port}/hook?token=T0P")
        await Webhook(url, Poster()).tell(NOTICE)
    head, _, body = heard[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /hook?token=T0P")
    assert json.loads(body)["text"] == "Ajera did not answer"


async def test_the_ping_is_a_get() -> None:
    async with receiver(OK) as (port, heard):
        await Heartbeat(Secret("notify.ping", "plain", f"http://127.0.0.1:{port}/p"), Poster())()
    assert heard[0].startswith(b"GET /p")


async def test_a_refused_webhook_never_tells_its_address() -> None:
    async with receiver(b"HTTP/1.1 500 Oops\r\nConnection: close\r\nContent-Length: 0\r\n\r\n") as (port, _):
        url = Secret("notify.webhook", "plain", f"http://127.0.0.1:{port}/T0P")
        with pytest.raises(RuntimeError) as caught:
            await Webhook(url, Poster()).tell(NOTICE)
    assert str(caught.value) == "answered with HTTP 500"


async def test_plain_http_is_for_this_machine_only() -> None:
    with pytest.raises(UsageError):
        await Poster().get("http://198.51.100.7/x")


async def test_the_command_gets_the_notice_on_its_input(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    script = tmp_path / "take.py"
    script.write_text(f"import sys, pathlib\npathlib.Path({str(out)!r}).write_text(sys.stdin.read())\n")
    await Command(f"{sys.executable} {script}").tell(NOTICE)
    assert json.loads(out.read_text())["kind"] == "failure"


async def test_a_command_that_fails_is_an_error(tmp_path: Path) -> None:
    script = tmp_path / "fail.py"
    script.write_text("import sys\nsys.stdin.read()\nsys.exit(3)\n")
    with pytest.raises(RuntimeError, match="it ended with 3"):
        await Command(f"{sys.executable} {script}").tell(NOTICE)


async def test_the_mail_reaches_a_mail_server() -> None:
    lines: list[bytes] = []

    async def smtp(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        in_data = False
        while line := await reader.readline():
            lines.append(line)
            if in_data:
                if line == b".\r\n":
                    in_data = False
                    writer.write(b"250 kept\r\n")
                continue
            verb = line[:4].upper()
            in_data = verb == b"DATA"
            writer.write(b"354 go\r\n" if in_data else b"221 bye\r\n" if verb == b"QUIT" else b"250 fine\r\n")
            if verb == b"QUIT":
                break
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(smtp, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    await Mail("127.0.0.1", port, "none", "sync@firm.example", ["ops@firm.example"]).tell(NOTICE)
    server.close()
    await server.wait_closed()
    whole = b"".join(lines)
    assert b"Subject: ajerasync: run failed" in whole
    assert b"Ajera did not answer" in whole
