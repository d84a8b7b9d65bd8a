"""A CRM tenant in memory with one of everything, and the system under test connected to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from core.crm.client import CrmClient
from core.crm.options import CrmOptions
from core.crm.session import Login, Session
from core.crm.system import CrmSystem
from core.http import Http
from core.model.record import Record
from core.model.values import Kind, Side
from core.policy import DEFAULT_FIELDS, FieldSpec
from core.quirks.crm import CrmQuirks
from core.sandbox.crm.app import crm_app
from core.sandbox.crm.data import CrmData

ACME, BETA, VENDOR = "A" * 32, "B" * 32, "C" * 32
ANN, BOB, LEAD = "1" * 32, "2" * 32, "3" * 32


class Clock:
    """The tenant's clock: a second passes with every look, so that stamps differ."""

    def __init__(self) -> None:
        self.at = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at


class World:
    """`data` is the tenant; `wire` what was sent, as (method, path, query, body)."""

    def __init__(self, **quirks: Any) -> None:
        self.clock = Clock()
        self.data = CrmData(clock=self.clock)
        self.quirks = replace(CrmQuirks(), **quirks)
        self.wire: list[tuple[str, str, str, bytes]] = []
        self.answer: Callable[[httpx.Request], httpx.Response | None] = lambda request: None
        self.app = crm_app(self.data, self.quirks)

    def system(
        self,
        options: CrmOptions | None = None,
        fields: Mapping[Kind, tuple[FieldSpec, ...]] = DEFAULT_FIELDS,
        page_size: int = 500,
        password: str = "sandbox",
    ) -> CrmSystem:
        http = Http(Side.CRM, "http://127.0.0.1/sandbox/api", transport=_Wire(self))
        data = self.data
        login = Login(data.database, data.username, password, data.client_id, data.client_secret)
        client = CrmClient(http, Session(http, login), page_size=page_size)
        options = options or CrmOptions(database=data.database, quirks=self.quirks, defaults=DEFAULTS)
        return CrmSystem(client, fields, options, now=lambda: self.clock.at)

    def asked(self, method: str, start: str) -> list[tuple[str, str, str, bytes]]:
        return [call for call in self.wire if call[0] == method and call[1].startswith(start)]


DEFAULTS: dict[Kind, dict[str, str]] = {Kind.PROJECT: {"BudgetedFlag": "N"}}


class _Wire(httpx.AsyncBaseTransport):
    def __init__(self, world: World) -> None:
        self._world = world
        self._asgi = httpx.ASGITransport(world.app)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/sandbox/api")
        self._world.wire.append((request.method, path, request.url.query.decode(), request.content))
        replaced = self._world.answer(request)
        return replaced if replaced is not None else await self._asgi.handle_async_request(request)


def filled(**quirks: Any) -> World:
    """Three firms (one a vendor), three contacts (one a lead), two projects and a phase, two employees."""
    world = World(**quirks)
    data = world.data
    data.insert(
        "employee",
        {
            "FirstName": "Mary",
            "LastName": "Major",
            "EMail": "mary@us.example",
            "SSN": "078-05-1120",
            "PayRate": "88.1234",
            "Type": "E",
            "Status": "A",
            "HireDate": "2019-05-01",
        },
        key="00001",
    )
    data.insert("employee", {"FirstName": "Paul", "LastName": "Prince", "Type": "P", "Status": "A"}, key="00002")
    data.insert(
        "firm",
        {
            "Name": "Acme Supplies",
            "Client": "C100",
            "ClientInd": "Y",
            "Status": "A",
            "Type": "COM",
            "WebSite": "www.acme.example",
            "AjeraSync": "Y",
        },
        key=ACME,
    )
    data.insert(
        "address",
        {
            "ClientID": ACME,
            "Address": "Main",
            "Address1": "1 High St",
            "Address3": "Suite 4",
            "City": "Austin",
            "State": "TX",
            "Zip": "78701",
            "Country": "US",
            "Phone": "512-555-0100",
            "FAX": "512-555-0101",
            "Email": "office@acme.example",
            "PrimaryInd": "Y",
        },
    )
    data.insert("firm", {"Name": "Beta Partners", "ClientInd": "Y", "Status": "D"}, key=BETA)
    data.insert("firm", {"Name": "Nuts & Bolts", "VendorInd": "Y", "Category": "T", "Status": "A"}, key=VENDOR)
    data.insert(
        "contact",
        {
            "FirstName": "Ann",
            "LastName": "Archer",
            "ClientID": ACME,
            "CLAddress": "Main",
            "Email": "ann@acme.example",
            "AjeraSync": "Y",
            "PrimaryInd": "Y",
        },
        key=ANN,
    )
    data.insert(
        "contact",
        {
            "FirstName": "Bob",
            "LastName": "Baker",
            "ClientID": BETA,
            "Address1": "2 Low Rd",
            "City": "Toronto",
            "State": "ON",
            "Country": "CA",
        },
        key=BOB,
    )
    data.insert("contact", {"FirstName": "Lee", "LastName": "Lead", "QualifiedStatus": "New"}, key=LEAD)
    data.code_tables["CFGAjeraProjectTemplate"] = [
        {"Code": "T1", "Description": "Standard fixed fee", "Seq": 1, "Status": "A"},
        {"Code": "T2", "Description": "Time and expense", "Seq": 2, "Status": "A"},
    ]
    long = "Acme headquarters, renovation of the north wing and its two stairs"
    data.insert(
        "project",
        {
            "Name": long[:40].strip(),
            "LongName": long,
            "ChargeType": "R",
            "Status": "A",
            "ClientID": ACME,
            "ProjMgr": "00001",
            "ProjectType": "ARCH",
            "AjeraSync": "Y",
            "ProjectTemplate": "T1",
            "Fee": "12345.6789",
            "AjeraSpentLabor": "98765432101234.5678",
            "StartDate": "2026-01-15",
        },
        key="2026.01",
    )
    data.insert("project", {"Name": "Foundations", "ChargeType": "R", "Status": "A"}, key="2026.01|10")
    data.insert("project", {"Name": "Barn", "ChargeType": "H", "Status": "D"}, key="2026.02")
    data.insert("project_contact", {"WBS1": "2026.01", "ContactID": ANN, "Role": "Owner", "AjeraSync": "Y"})
    data.insert("project_team", {"WBS1": "2026.01", "Employee": "00002", "Role": "sysPR", "CRMHours": "7.5"})
    return world


def raw_of(record: Record) -> dict[str, Any]:
    assert isinstance(record.raw, dict)
    return record.raw
