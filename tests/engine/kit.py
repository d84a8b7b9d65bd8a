"""The real engine in one process: both sandboxes behind the real clients, a real store, a clock that tests move.

Nothing here trusts the engine: what a test compares is read from the two sandboxes' own data and ledgers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from starlette.requests import Request

from core.ajera.client import AjeraClient
from core.ajera.system import AjeraOptions, AjeraSystem
from core.crm.client import CrmClient
from core.crm.keys import chosen_key
from core.crm.options import CrmOptions
from core.crm.session import Login, Session
from core.crm.system import CrmSystem
from core.engine.events import Event
from core.engine.service import Service
from core.errors import AjerasyncError
from core.http import Http
from core.model.values import Kind, Side
from core.policy import Policy
from core.ports import Lock, RunRecord, System
from core.quirks.ajera import AjeraQuirks
from core.quirks.crm import CrmQuirks
from core.sandbox.ajera.app import _Cut, ajera_app, url_path
from core.sandbox.ajera.data import AjeraData
from core.sandbox.crm.app import PREFIX, crm_app
from core.sandbox.crm.data import CrmData, Write
from core.sandbox.seed import seed
from core.store import TinyStore

START = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
TEMPLATE, TEMPLATE_CODE = "Study", "STUDY"
TEMPLATE_PHASES = ["Data Collection", "Analysis", "Report"]


class FakeClock:
    """Time that stands still until a test moves it; a wait is over at once and moves it.

    The two servers read it too, as `server`: each look is 5 ms later, so that their stamps differ. `skew` is by how much
    the program's own clock is wrong.
    """

    def __init__(self, at: datetime = START) -> None:
        self.at, self.skew = at, timedelta()

    def now(self) -> datetime:
        return self.at + self.skew

    def monotonic(self) -> float:
        return self.at.timestamp()

    async def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=max(0.0, seconds))
        await asyncio.sleep(0)

    def server(self) -> datetime:
        self.at += timedelta(milliseconds=5)
        return self.at

    def forward(self, **by: float) -> None:
        self.at += timedelta(**by)


class FakeLock:
    """A lock of this process: `held_by` is shared by all locks made from one `Locks`."""

    def __init__(self, table: dict[str, object], name: str) -> None:
        self._table, self._name = table, name

    def acquire(self) -> bool:
        return self._table.setdefault(self._name, self) is self

    def release(self) -> None:
        if self.held():
            del self._table[self._name]

    def held(self) -> bool:
        return self._table.get(self._name) is self

    def holder(self) -> str | None:
        return "another program" if self._name in self._table else None


class ListLog:
    """The run log as a list."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def append(self, event: Mapping[str, Any]) -> None:
        self.events.append(dict(event))

    def tail(self, n: int, level: str | None = None, text: str | None = None) -> list[dict[str, Any]]:
        return self.events[-n:]


@dataclass
class ScheduleSection:
    cron: str = ""
    timezone: str = "UTC"
    jitter: float = 0.0


@dataclass
class SyncSection:
    enabled: bool = True
    direction: str = "auto"


@dataclass
class EngineSettings:
    """What core.engine reads of the settings."""

    rules: Policy = field(default_factory=Policy)
    schedule: ScheduleSection = field(default_factory=ScheduleSection)
    sync: SyncSection = field(default_factory=SyncSection)

    def policy(self) -> Policy:
        return self.rules


class Direct(httpx.AsyncBaseTransport):
    """A request handed to the sandbox's endpoint itself: what ASGI adds costs more than the endpoint does."""

    def __init__(self, server: Any) -> None:
        self._server = server

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url, body = request.url, await request.aread()
        scope = {
            "type": "http",
            "method": request.method,
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
            "path": url.path,
            "raw_path": url.raw_path.split(b"?")[0],
            "query_string": url.query,
            "scheme": url.scheme,
            "server": (url.host, url.port),
            "root_path": "",
        }

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        answer = await self._server.endpoint(Request(scope, receive))
        if isinstance(answer, _Cut):
            raise answer.error
        return httpx.Response(answer.status_code, headers=answer.raw_headers, content=answer.body)


Wrap = Callable[[Side, httpx.AsyncBaseTransport], httpx.AsyncBaseTransport]


class World:
    """Two systems, a store folder, and the program over them. `start` is the program, `stop` ends it.

    `wrap` may put something between a client and its server; `hooks` are the store's commit hooks.
    """

    def __init__(
        self,
        folder: Path,
        *,
        version: str = "9.10.00",
        profile: str = "dps1",
        ajera_quirks: Mapping[str, object] | None = None,
        crm_quirks: Mapping[str, object] | None = None,
        settings: EngineSettings | None = None,
        data: tuple[AjeraData, CrmData] | None = None,
        clock: FakeClock | None = None,
        wrap: Wrap | None = None,
        hooks: Mapping[str, Callable[[int], None]] | None = None,
        width: int = 1,
    ) -> None:
        self.folder = folder
        self.clock = clock or FakeClock()
        self.settings = settings or EngineSettings()
        self.ajera, self.crm = data or empty(self.clock, version, profile)
        self.quirks = (AjeraQuirks.from_pairs(ajera_quirks or {}), CrmQuirks.from_pairs(crm_quirks or {}))
        self.wrap: Wrap = wrap or (lambda _side, transport: transport)
        self.hooks = dict(hooks or {})
        self.width = width
        self.events: list[Event] = []
        self.locks: dict[str, object] = {}
        self.serve()
        self.service: Service = self.program()

    # -- the two servers -------------------------------------------------------------------------

    def serve(self) -> None:
        clock = self.clock.server
        self.ajera_app = ajera_app(self.ajera, self.quirks[0], rate=0, clock=clock)
        self.crm_app = crm_app(self.crm, self.quirks[1], clock=clock)

    # -- the program -----------------------------------------------------------------------------

    def program(self, *, readonly: bool = False, cron: str | None = None) -> Service:
        """A program over the same store and systems, as another process would be."""
        if cron is not None:
            self.settings.schedule.cron = cron
        service = Service(
            settings=self.settings,
            store=TinyStore.open(self.folder, **self.hooks),
            systems=self.systems(),
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

    def systems(self) -> dict[Side, System]:
        return {Side.AJERA: self._ajera_system(), Side.CRM: self._crm_system()}

    def _chosen(self, kind: Kind, ajera_key: str) -> str | None:
        if kind not in (Kind.FIRM, Kind.CONTACT) or self.quirks[1].client_keys != "accepted":
            return None
        return chosen_key(self.crm.database, kind, ajera_key)

    def _http(self, side: Side, url: str, app: Any) -> Http:
        transport = self.wrap(side, Direct(app.state.server))
        return Http(side, url, transport=transport, clock=self.clock, chance=lambda: 0.5)

    def _ajera_system(self) -> AjeraSystem:
        http = self._http(Side.AJERA, f"http://localhost{url_path(self.ajera)}", self.ajera_app)
        client = AjeraClient(http, self.ajera.username, self.ajera.password)
        fields, clock = self.settings.rules.fields, self.clock
        return AjeraSystem(client, fields=fields, quirks=self.quirks[0], options=AjeraOptions(), clock=clock)

    def _crm_system(self) -> CrmSystem:
        http = self._http(Side.CRM, f"http://localhost{PREFIX}", self.crm_app)
        data = self.crm
        login = Login(data.database, data.username, data.password, data.client_id, data.client_secret)
        options = CrmOptions(database=data.database, quirks=self.quirks[1], defaults={Kind.PROJECT: {"Org": "NE:AR"}})
        client = CrmClient(http, Session(http, login))
        now, monotonic = self.clock.now, self.clock.monotonic
        return CrmSystem(client, self.settings.rules.fields, options, now=now, monotonic=monotonic)

    async def restart(self) -> Service:
        """End the program and start it again over the same store."""
        await self.service.close()
        self.service = self.program()
        return self.service

    async def run(self, **how: Any) -> RunRecord:
        """One run; a minute goes by first, as between the edits and the press of the key."""
        self.clock.forward(minutes=1)
        return await self.service.run(**how)

    async def first_pull(self) -> None:
        await self.service.make_plan()

    # -- people ----------------------------------------------------------------------------------

    def ajera_edit(self, table: str, key: int, **changes: Any) -> None:
        """A person saves a record in Ajera."""
        self.clock.forward(minutes=1)
        self.ajera.edit(table, key, changes)

    def crm_edit(self, table: str, key: str, **changes: Any) -> None:
        """A person saves a record in the CRM."""
        self.clock.forward(minutes=1)
        self.crm.edit(table, key, changes)

    # -- what the systems hold, past the engine --------------------------------------------------

    def link(self, kind: Kind, crm_key: str) -> int:
        """The Ajera key of a CRM record, by the link the program made."""
        partner = self.service.store.links().partner(kind, Side.CRM, crm_key)
        assert partner is not None, f"{kind} {crm_key} is not linked"
        return int(partner)

    def ajera_named(self, table: str, **values: Any) -> list[dict[str, Any]]:
        """Ajera's records that hold these values."""
        rows = self.ajera.tables[table].values()
        return [dict(row) for row in rows if all(row.get(name) == value for name, value in values.items())]

    def ajera_writes(self) -> list[Any]:
        """What was saved through Ajera's API, oldest first."""
        return [entry for entry in self.ajera_app.state.ledger if entry.changes]

    def crm_writes(self) -> list[Write]:
        """What was saved through the CRM's API, oldest first."""
        return [write for write in self.crm.ledger if write.via == "api"]

    def writes(self) -> int:
        return len(self.ajera_writes()) + len(self.crm_writes())

    def queue(self, name: str) -> list[Any]:
        return list(getattr(self.service, name)())

    async def close(self) -> None:
        await self.service.close()


def empty(clock: FakeClock, version: str = "9.10.00", profile: str = "dps1") -> tuple[AjeraData, CrmData]:
    """Two systems with lists, code tables and templates, and nobody in them."""
    ajera = AjeraData(clock.server, version, zone="America/Chicago")
    crm = CrmData(clock.server, profile)
    seed(ajera, crm, firms=0, contacts=0, projects=0, employees=0)
    return ajera, crm


# -- records as people make them -------------------------------------------------------------------


def crm_firm(crm: CrmData, name: str, **more: Any) -> str:
    """A client firm with its address row."""
    where = more.pop("address", {"Address1": "1 High St", "City": "Austin", "State": "TX", "Zip": "78701"})
    row = {"Name": name, "ClientInd": "Y", "Status": "A", "AjeraSync": "N", **more}
    key = crm.insert("firm", row)
    if where is not None:
        crm.insert("address", {"ClientID": key, "Address": "Main", "Country": "US", "PrimaryInd": "Y", **where})
    return key


def crm_contact(crm: CrmData, first: str, last: str, firm: str, **more: Any) -> str:
    mail = f"{first}.{last}@example.test".lower()
    row = {"FirstName": first, "LastName": last, "ClientID": firm, "Email": mail, "ContactStatus": "A", **more}
    return crm.insert("contact", row)


def crm_project(crm: CrmData, number: str, name: str, client: str, **more: Any) -> str:
    row = {
        "WBS1": number,
        "Name": name[:40],
        "LongName": name if len(name) > 40 else "",
        "ChargeType": "R",
        "Status": "A",
        "ClientID": client,
        "ProjectType": more.pop("ProjectType", ""),
        "StartDate": "2026-03-01",
        "EstCompletionDate": "2026-12-31",
        "Org": "NE:AR",
        **more,
    }
    return crm.insert("project", row)


def ajera_client(ajera: AjeraData, name: str, **more: Any) -> int:
    return ajera.insert(
        "clients", {"Description": name, "Status": "Active", "MailingAddressSameAsPrimary": True, **more}
    )


def ajera_project(ajera: AjeraData, number: str, name: str, client: int, **more: Any) -> int:
    record = {
        "ID": number,
        "Description": name,
        "Status": "Active",
        "InvoiceGroups": [
            {
                "Description": "Invoice Group 1",
                "Client": {"ClientKey": client},
                "Phases": [{"Description": "Design", "Status": "Active"}],
            }
        ],
        **more,
    }
    return ajera.insert("projects", record)


async def quiesce(world: World, most: int = 3) -> list[RunRecord]:
    """Runs until one writes nothing, at most `most`."""
    runs = []
    for _ in range(most):
        before = world.writes()
        try:
            runs.append(await world.run())
        except AjerasyncError:
            continue
        if world.writes() == before:
            break
    return runs


__all__ = [
    "START",
    "TEMPLATE",
    "TEMPLATE_CODE",
    "TEMPLATE_PHASES",
    "EngineSettings",
    "FakeClock",
    "FakeLock",
    "Lock",
    "ScheduleSection",
    "SyncSection",
    "World",
    "ajera_client",
    "ajera_project",
    "crm_contact",
    "crm_firm",
    "crm_project",
    "empty",
    "quiesce",
]
