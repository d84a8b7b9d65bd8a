"""A small firm's books for the tests of the emulated Ajera, and a client that speaks raw envelopes."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import uvicorn
from starlette.applications import Starlette

from core.quirks.ajera import AjeraQuirks
from core.sandbox.ajera.app import AjeraServer, ajera_app, url_path
from core.sandbox.ajera.data import AjeraData

START = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)


class Clock:
    """A clock that tests move by hand."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


def books(clock: Clock | None = None) -> AjeraData:
    data = AjeraData(clock or Clock())
    _reference(data)
    _people(data)
    _work(data)
    return data


def _reference(data: AjeraData) -> None:
    for table, texts in {
        "companies": ["Main company"],
        "client_types": ["Private", "Government"],
        "contact_types": ["Owner"],
        "project_types": ["Residential", "Civic"],
        "rate_tables": ["Standard"],
        "wage_tables": ["Davis-Bacon"],
        "invoice_formats": ["Summary"],
        "activities": ["Design", "Drafting"],
        "pays": ["Regular"],
        "payroll_taxes": ["FICA"],
        "deductions": ["401k"],
        "fringes": ["Health"],
        "bank_accounts": ["Checking"],
        "account_groups": ["Assets"],
        "marketing_stages": ["Lead"],
        "marketing_final_dispositions": ["Won"],
        "overhead_groups": ["Standard"],
        "attachment_categories": ["Receipt"],
    }.items():
        for text in texts:
            data.insert(table, {"Description": text})
    data.insert("departments", {"Department": "Architecture", "OverheadPercent": 150})
    data.insert("employee_types", {"Description": "Senior", "BudgetBillRate": 150, "BudgetCostRate": 50})
    data.insert("vendor_types", {"Description": "Consultant", "IsConsultant": True})
    data.insert("gl_accounts", {"ID": "1000", "Description": "Cash", "AccountGroupKey": 1, "AccountType": "Asset"})
    data.insert("non_work_days", {"Date": "2026-12-25", "Description": "Christmas"})


def _people(data: AjeraData) -> None:
    data.insert(
        "employees",
        {
            "FirstName": "Ana",
            "LastName": "Ruiz",
            "IsPrincipal": True,
            "IsProjectManager": True,
            "EmployeeTypeKey": 1,
            "SocialSecurityNumber": "900-11-2222",
            "PayRates": [{"PayRateKey": 1, "StartDate": "2020-01-01", "IsHourly": True, "PayRate": 60}],
        },
    )
    data.insert("employees", {"FirstName": "Bo", "LastName": "Lind", "EmployeeTypeKey": 1})
    for first, last in (("Mia", "Stone"), ("Noah", "Berg"), ("Zoë", "Ng")):
        data.insert("contacts", {"FirstName": first, "LastName": last, "Company": "Acme"})
    data.insert("clients", {"Description": "Acme Supplies", "ClientTypeKey": 1, "Contacts": [_link(1), _link(2)]})
    data.insert("clients", {"Description": "Borough of Kent", "ClientTypeKey": 2})
    data.insert("clients", {"Description": "Closed Mill", "Status": "Inactive"})
    data.insert("vendors", {"Name": "Steel Engineers", "VendorTypeKey": 1})
    data.insert("vendors", {"Name": "Paper Shop"})
    data.insert("vendor_invoices", {"VendorKey": 1, "Amount": 100, "Number": "A1", "Date": "2026-02-01", "Paid": True})
    data.insert("expense_reports", {"EmployeeKey": 1, "Description": "Trip"})


def _link(key: int) -> dict[str, Any]:
    return {"ContactKey": key, "Order": 1, "Text": "Owner"}


def _work(data: AjeraData) -> None:
    data.insert("projects", _project("26-001", "Town Hall", sync=True))
    data.insert("projects", _project("26-002", "Boat House", sync=False))
    data.insert(
        "project_templates",
        {
            "ID": "T-1",
            "Description": "Standard building",
            "RateTableKey": 1,
            "CF_Sector": "Civic",
            "InvoiceGroups": [
                {
                    "Description": "Invoice Group 1",
                    "Phases": [{"Description": "Design", "Phases": [{"Description": "Sketch"}]}],
                }
            ],
        },
    )
    data.post_time(1, 1, 2, date(2026, 2, 24), Decimal(8), 1)


def _project(number: str, name: str, *, sync: bool) -> dict[str, Any]:
    return {
        "ID": number,
        "Description": name,
        "SyncToCRM": sync,
        "ProjectTypeKey": 1,
        "DepartmentKey": 1,
        "RateTableKey": 1,
        "ProjectManager": {"EmployeeKey": 1},
        "TotalContractAmount": Decimal("125000.50"),
        "ReportedPercentComplete": 40,
        "Contacts": [_link(3)],
        "CF_Sector": {"Value": "Civic", "AllowEdit": False, "Values": ["Civic", "Housing"]},
        "InvoiceGroups": [
            {
                "Description": "Invoice Group 1",
                "Client": {"ClientKey": 1},
                "InvoiceFormatKey": 1,
                "Phases": [
                    {
                        "Description": "Design",
                        "Phases": [{"Description": "Sketch"}],
                        "Resources": [{"Description": "Lead", "EmployeeKey": 1, "Units": 40}],
                    },
                    {"Description": "Build", "CF_Stage": "late"},
                ],
            }
        ],
    }


class Ajera:
    """A raw client: `call` answers the whole envelope, `content` asserts success and answers Content."""

    def __init__(self, http: httpx.AsyncClient, server: AjeraServer, path: str) -> None:
        self.http = http
        self.server = server
        self.data = server.data
        self.path = path
        self.tokens: dict[int, str] = {}

    async def post(self, body: dict[str, Any] | bytes) -> httpx.Response:
        if isinstance(body, bytes):
            return await self.http.post(self.path, content=body)
        return await self.http.post(self.path, json=body)

    async def login(self, version: int = 1, **override: Any) -> dict[str, Any]:
        body = {
            "Method": "CreateAPISession",
            "Username": self.data.username,
            "Password": self.data.password,
            "APIVersion": version,
            "UseSessionCookie": False,
            **override,
        }
        reply: dict[str, Any] = (await self.post(body)).json()
        if reply["ResponseCode"] == 200:
            self.tokens[version] = reply["Content"]["SessionToken"]
        return reply

    async def call(self, method: str, args: Any = None, version: int = 1, **beside: Any) -> dict[str, Any]:
        if version not in self.tokens:
            await self.login(version)
        body = {"Method": method, "SessionToken": self.tokens[version], "MethodArguments": args or {}, **beside}
        reply: dict[str, Any] = (await self.post(body)).json()
        return reply

    async def content(self, method: str, args: Any = None, version: int = 1, **beside: Any) -> dict[str, Any]:
        reply = await self.call(method, args, version, **beside)
        assert reply["ResponseCode"] in (0, 200), reply
        assert reply["Errors"] == [], reply
        answer: dict[str, Any] = reply["Content"]
        return answer

    async def refusal(self, method: str, args: Any = None, version: int = 1) -> str:
        reply = await self.call(method, args, version)
        assert reply["ResponseCode"] < 0, reply
        assert reply["Errors"][0]["ErrorID"] == reply["ResponseCode"]
        return str(reply["Message"])

    async def one(self, plural: str, key: int) -> dict[str, Any]:
        found: list[dict[str, Any]] = (await self.content(f"Get{plural}", {f"Requested{plural}": [key]}))[plural]
        return found[0]

    async def update(self, plural: str, changed: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
        return await self.call(f"Update{plural}", {f"Updated{plural}": [changed], f"Unchanged{plural}": [before]})


@asynccontextmanager
async def running(
    data: AjeraData | None = None, *, rate: float = 0, faults: Any = None, **quirks: object
) -> AsyncIterator[Ajera]:
    data = data or books()
    app = ajera_app(data, AjeraQuirks.from_pairs(quirks), rate=rate, faults=faults)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://ajera.test") as http:
        yield Ajera(http, app.state.server, url_path(data))


class _Server(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()


@asynccontextmanager
async def listening(app: Starlette) -> AsyncIterator[str]:
    """The application on a real socket of 127.0.0.1; answers the root of its address."""
    server = _Server(uvicorn.Config(app, port=0, log_level="critical", lifespan="off"))
    task = asyncio.create_task(server.serve())
    await server.listening.wait()
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
