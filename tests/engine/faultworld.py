"""A world that is quick enough to be run thousands of times: what the fault layer strikes.

Two things are left out that no fault strikes: httpx between a client and its server (what a server gets and what a
client makes of an answer stay; `test_faults.py` compares both ways), and threads for work that takes a millisecond.
A world at rest is kept as bytes and thawed, not built anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import pickle
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import httpx
import orjson

from core.ajera.client import AjeraClient
from core.ajera.system import AjeraOptions, AjeraSystem
from core.crm.options import CrmOptions
from core.crm.session import Login, Session
from core.crm.system import SHELF, CrmSystem
from core.crm.tenant import Answers
from core.engine.clock import from_iso
from core.engine.service import Service
from core.engine.shelf import StoreShelf
from core.http import Http, Reply, Request, _Trouble, encode
from core.model.values import Kind, Side
from core.ports import Store, System
from core.sandbox.ajera.app import _Cut
from core.sandbox.ajera.data import AjeraData
from core.sandbox.crm.data import CrmData
from core.store import TinyStore
from tests.engine import quick
from tests.engine.kit import FakeLock, ListLog, World


class Call(NamedTuple):
    """One request as it goes over the wire."""

    method: str
    path: str
    query: bytes
    headers: list[tuple[bytes, bytes]]
    content: bytes

    def header(self, name: bytes) -> str:
        return next((value.decode() for each, value in self.headers if each == name), "")


class Back(NamedTuple):
    """One answer as it comes over the wire; names of headers in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


Serve = Callable[[Call], Any]  # an awaitable of Back; raises what httpx raises where a connection breaks


class Asked:
    """What the sandbox's endpoints use of Starlette's `Request`."""

    def __init__(self, call: Call) -> None:
        self.method, self._body = call.method, call.content
        self.headers = {name.decode(): value.decode("latin-1") for name, value in call.headers}
        self.scope = {"raw_path": call.path.encode()}
        self.url = Address(call.path, call.query.decode("latin-1"), self.headers["host"])

    async def body(self) -> bytes:
        return self._body


class Address(NamedTuple):
    """An address in parts, as Starlette's `URL`."""

    path: str
    query: str
    netloc: str
    scheme: str = "http"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.netloc}{self.path}" + (f"?{self.query}" if self.query else "")


def server_of(app: Any) -> Serve:
    """The sandbox's own endpoint: what ASGI adds costs more than the endpoint does."""
    endpoint = app.state.server.endpoint

    async def serve(call: Call) -> Back:
        answer = await endpoint(Asked(call))
        if isinstance(answer, _Cut):
            raise answer.error
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in answer.raw_headers}
        return Back(answer.status_code, headers, bytes(answer.body))

    return serve


class Wire(httpx.AsyncBaseTransport):
    """The same for httpx: how the program sends outside of these tests."""

    def __init__(self, serve: Serve) -> None:
        self._serve = serve

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        headers = [(name.lower(), value) for name, value in request.headers.raw]
        path, _, query = request.url.raw_path.decode().partition("?")
        back = await self._serve(Call(request.method, path, query.encode(), headers, await request.aread()))
        left_out = ("content-length", "transfer-encoding")
        kept = {name: value for name, value in back.headers.items() if name not in left_out}
        return httpx.Response(back.status, headers=kept, content=back.body)


@lru_cache(maxsize=4096)
def _place(url: str) -> tuple[str, str, bytes]:
    found = httpx.URL(url)
    path, _, query = found.raw_path.decode().partition("?")
    host = found.host if found.port is None else f"{found.host}:{found.port}"
    return path, query, host.encode()


class QuickHttp(Http):
    """`Http` with its retries, its rules and its errors, but without httpx."""

    serve: Serve

    def _build(self, request: Request) -> Any:
        content = b""
        headers = [(b"accept", b"application/json")]
        headers += [(name.lower().encode(), value.encode()) for name, value in request.headers.items()]
        if request.json is not None:
            content = encode(self.side, request.json, request.name)
            headers.append((b"content-type", b"application/json"))
        elif request.form is not None:
            content = quick.encoded(tuple(request.form.items())).encode()
            headers.append((b"content-type", b"application/x-www-form-urlencoded"))
        base = str(self._base)
        if request.url:
            base = request.url if "://" in request.url else f"{base.partition('?')[0].rstrip('/')}/{request.url}"
        path, query, host = _place(base)
        headers.append((b"host", host))
        if request.params:
            query = quick.encoded(tuple(request.params))
        return Call(request.method, path, query.encode(), headers, content)

    async def _exchange(self, request: Request, built: Any) -> Any:
        try:
            back: Back = await self.serve(built)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            return _Trouble(f"no connection ({self._words(error)})", sent=False)
        except httpx.HTTPError as error:
            return _Trouble(f"the connection broke ({self._words(error)})", sent=True)
        date = _date(back.headers.get("date"))
        return Reply(back.status, back.headers, back.body, date, self.side, request.name, self.redact)


@lru_cache(maxsize=4096)
def _date(text: str | None) -> Any:
    from core.http import _http_date

    return _http_date(text)


class QuickCrm(CrmSystem):
    """Metadata is a megabyte and the same for every case: read off the shelf once for each text of it."""

    store: Store

    def _from_shelf(self, max_age: float) -> tuple[Answers, float] | None:
        kept = self.store.setting(f"shelf:{SHELF}") or {}
        text = str(kept.get("body"))
        if text not in _ANSWERS:
            found = super()._from_shelf(max_age)
            if found is not None:
                _ANSWERS[text] = quick.known(found[0])
            return found
        age = (self._now() - from_iso(kept["at"])).total_seconds()
        return (_ANSWERS[text], age) if 0 <= age < max_age else None


_ANSWERS: dict[str, Answers] = {}


class QuickWorld(World):
    """A world whose program keeps what hardly changes in its store, as the real one does (core/bootstrap.py)."""

    httpx = False  # as outside of these tests
    wire: Callable[[Side, Serve], Serve]

    def program(self, *, readonly: bool = False, cron: str | None = None) -> Service:
        store = TinyStore.open(self.folder, **self.hooks)
        service = Service(
            settings=self.settings,
            store=store,
            systems=self.systems(store),
            run_lock=FakeLock(self.locks, "run"),
            lease=FakeLock(self.locks, "lease"),
            log=ListLog(),
            clock=self.clock,
            readonly=readonly,
            chosen_key=self._chosen,
            width=self.width,
        )
        service.bus.subscribe(self.events.append)
        return service

    def systems(self, store: Store | None = None) -> dict[Side, System]:
        assert store is not None
        data, fields = self.crm, self.settings.rules.fields
        shelf = StoreShelf(store, self.clock, "sandbox")
        client = AjeraClient(self._line(Side.AJERA), self.ajera.username, self.ajera.password)
        quirks, options = self.quirks[0], AjeraOptions()
        ajera = AjeraSystem(client, fields=fields, quirks=quirks, options=options, clock=self.clock, shelf=shelf)
        login = Login(data.database, data.username, data.password, data.client_id, data.client_secret)
        own = CrmOptions(database=data.database, quirks=self.quirks[1], defaults={Kind.PROJECT: {"Org": "NE:AR"}})
        http = self._line(Side.CRM)
        now, monotonic = self.clock.now, self.clock.monotonic
        crm = QuickCrm(quick.Client(http, Session(http, login)), fields, own, now=now, monotonic=monotonic, shelf=shelf)
        crm.store = store
        return {Side.AJERA: ajera, Side.CRM: crm}

    def _line(self, side: Side) -> Http:
        from core.sandbox.ajera.app import url_path
        from core.sandbox.crm.app import PREFIX

        app = self.ajera_app if side is Side.AJERA else self.crm_app
        url = f"http://localhost{url_path(self.ajera) if side is Side.AJERA else PREFIX}"
        serve = self.wire(side, server_of(app))
        common: dict[str, Any] = {"clock": self.clock, "chance": lambda: 0.5}
        if self.httpx:
            return Http(side, url, transport=Wire(serve), **common)
        http = QuickHttp(side, url, transport=_NOBODY, **common)
        http.serve = serve
        return http


class _Nobody(httpx.AsyncBaseTransport):
    """No client of httpx is asked: one without a pool costs nothing to make."""


_NOBODY = _Nobody()


# -- worlds at rest ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Frozen:
    """Both systems and the store's files, as bytes."""

    systems: bytes
    store: dict[str, bytes]
    at: Any

    @classmethod
    def of(cls, world: World) -> Frozen:
        """Taken of a closed world. Logins end, as over a night."""
        ajera, crm = dict(vars(world.ajera)), dict(vars(world.crm))
        for state in (ajera, crm):
            del state["clock"]
        crm |= {"sessions": {}, "refresh_tokens": {}, "ledger": []}
        ajera["children"] = {name: dict(rows) for name, rows in ajera["children"].items()}
        ajera["owners"] = {name: dict(rows) for name, rows in ajera["owners"].items()}
        return cls(pickle.dumps((ajera, crm), 5), files(world.folder), world.clock.at)

    def data(self, clock: Callable[[], Any]) -> tuple[AjeraData, CrmData]:
        from collections import defaultdict

        ajera_state, crm_state = pickle.loads(self.systems)  # our own
        for name in ("children", "owners"):
            ajera_state[name] = {table: defaultdict(list, rows) for table, rows in ajera_state[name].items()}
        ajera, crm = AjeraData.__new__(AjeraData), CrmData.__new__(CrmData)
        vars(ajera).update(ajera_state, clock=clock)
        vars(crm).update(crm_state, clock=clock)
        return ajera, crm


def files(folder: Path) -> dict[str, bytes]:
    """The store's files as they stand."""
    if not folder.is_dir():
        return {}
    return {each.name: each.read_bytes() for each in sorted(folder.iterdir()) if each.is_file()}


def put_files(folder: Path, kept: dict[str, bytes]) -> None:
    """The folder holds exactly these files."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    for name, body in kept.items():
        (folder / name).write_bytes(body)


@contextlib.contextmanager
def quickly() -> Iterator[None]:
    """Work for a thread is done at once (it is a millisecond's work, a hundred times a case), what the same question
    means is worked out once (quick.py), and memory is searched for cycles seldom."""

    async def at_once(work: Callable[..., Any], /, *args: Any, **named: Any) -> Any:
        return work(*args, **named)

    level, often = logging.root.manager.disable, gc.get_threshold()
    logging.disable(logging.CRITICAL)  # a log line of each refused connection
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    with mock.patch.object(asyncio, "to_thread", at_once), quick.known_answers():
        try:
            yield
        finally:
            logging.disable(level)
            gc.set_threshold(*often)
            gc.unfreeze()


def body_of(content: bytes) -> Any:
    try:
        return orjson.loads(content)
    except ValueError:
        return None
