"""The Ajera adapter over the emulated Ajera, in one process, for the contract tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.utils import format_datetime
from typing import Any

import httpx

from core.ajera.client import AjeraClient
from core.ajera.system import AjeraOptions, AjeraSystem
from core.http import Http, SystemClock
from core.model.record import Record
from core.model.values import Kind, Side
from core.policy import DEFAULT_FIELDS
from core.quirks.ajera import AjeraQuirks
from core.sandbox.ajera.app import AjeraServer, ajera_app, url_path
from core.sandbox.ajera.data import AjeraData
from tests.sandbox.ajera_books import Clock, books


@dataclass
class Rig:
    """`system` under test, `data` behind it (an edit there is a person's), `methods` it called since `forget`, `then` what
    people do right after a method ran."""

    system: AjeraSystem
    data: AjeraData
    server: AjeraServer
    clock: Clock
    calls: list[tuple[str, dict[str, Any]]]
    then: dict[str, Callable[[], object]]

    @property
    def methods(self) -> list[str]:
        return [method for method, _ in self.calls]

    def forget(self) -> None:
        self.calls.clear()

    async def one(self, kind: Kind, key: int) -> Record:
        return (await self.system.get(kind, [str(key)]))[str(key)]

    async def named(self, kind: Kind, name: str) -> Record:
        (found,) = [record for record in (await self.system.pull(kind, None)).records if record.name == name]
        return found


class NoWait(SystemClock):
    """Real time, moved on with the rig's clock; nobody waits between the tries of a read."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock

    def monotonic(self) -> float:
        return super().monotonic() + (self._clock().timestamp() if self._clock else 0.0)

    async def sleep(self, seconds: float) -> None:
        return None


class Watch:
    """Notes every call; `lose` answers to methods are replaced after the method ran."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.lose: set[str] = set()
        self.then: dict[str, Callable[[], object]] = {}  # what people do right after a method ran

    async def before(self, call_no: int, method: str, args: Any) -> None:
        self.calls.append((method, dict(args)))

    async def after(self, call_no: int, method: str, args: Any, response: Any) -> None:
        if method in self.then:
            self.then.pop(method)()
        if method in self.lose:
            raise httpx.ReadError("the answer is lost")


class Dated(httpx.ASGITransport):
    """The server with a Date of the rig's clock in its replies, as a web server sends one."""

    def __init__(self, app: Any, clock: Clock) -> None:
        super().__init__(app=app)
        self._clock = clock

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        response.headers["Date"] = format_datetime(self._clock(), usegmt=True)
        return response


@asynccontextmanager
async def rig(
    data: AjeraData | None = None,
    *,
    options: AjeraOptions | None = None,
    fields: Any = None,
    lose: set[str] = frozenset(),  # type: ignore[assignment]
    client_quirks: dict[str, object] | None = None,
    dated: bool = False,
    **quirks: object,
) -> AsyncIterator[Rig]:
    """`quirks` hold for the server; the client is told them too unless `client_quirks` says otherwise."""
    clock = Clock()
    data = data or books(clock)
    watch = Watch()
    watch.lose = set(lose)
    app = ajera_app(data, AjeraQuirks.from_pairs(quirks), rate=0, faults=watch, clock=clock)
    http = Http(
        Side.AJERA,
        f"http://localhost{url_path(data)}",
        transport=Dated(app, clock) if dated else httpx.ASGITransport(app=app),
        clock=NoWait(clock),
    )
    client = AjeraClient(http, data.username, data.password)
    system = AjeraSystem(
        client,
        quirks=AjeraQuirks.from_pairs(quirks if client_quirks is None else client_quirks),
        options=options,
        fields=fields or DEFAULT_FIELDS,
        clock=NoWait(clock),
    )
    try:
        yield Rig(system, data, app.state.server, clock, watch.calls, watch.then)
    finally:
        await system.close()
