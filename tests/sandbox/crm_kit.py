"""A small emulated CRM and a client for it, in process."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from core.quirks.crm import CrmQuirks
from core.sandbox.crm.app import crm_app
from core.sandbox.crm.data import CrmData

BASE = "http://sandbox.test/sandbox/api"


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **parts: float) -> None:
        self.now += timedelta(**parts)


class Crm:
    """One tenant with a logged-in client; `call` returns (status, document)."""

    def __init__(self, profile: str = "dps1", faults: Any = None, **quirks: Any) -> None:
        self.clock = Clock()
        self.data = CrmData(self.clock, profile=profile)
        self.app = crm_app(self.data, CrmQuirks(**quirks), faults=faults)
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app=self.app), base_url=BASE)
        self.token = ""

    def login_form(self, **changes: str) -> dict[str, str]:
        form = {
            "Username": self.data.username,
            "Password": self.data.password,
            "grant_type": "password",
            "Integrated": "N",
            "database": self.data.database,
            "Client_Id": self.data.client_id,
            "client_secret": self.data.client_secret,
        }
        return {**form, **changes}

    async def login(self) -> dict[str, Any]:
        reply = await self.http.post(f"{BASE}/token", data=self.login_form())
        assert reply.status_code == 200, reply.text
        self.token = reply.json()["access_token"]
        return reply.json()

    async def send(self, method: str, path: str, **more: Any) -> httpx.Response:
        if not self.token:
            await self.login()
        headers = {"Authorization": f"Bearer {self.token}", **more.pop("headers", {})}
        return await self.http.request(method, f"{BASE}/{path}", headers=headers, **more)

    async def call(self, method: str, path: str, body: Any = None, **params: Any) -> tuple[int, Any]:
        more: dict[str, Any] = {"params": params} if params else {}
        if body is not None:
            more["json"] = body
        reply = await self.send(method, path, **more)
        return reply.status_code, reply.json()

    async def get(self, path: str, **params: Any) -> Any:
        status, document = await self.call("GET", path, **params)
        assert status == 200, document
        return document

    def firm(self, name: str = "Acme Supplies", **more: Any) -> str:
        return self.data.insert("firm", {"Name": name, "Status": "A", "ClientInd": "Y", **more})

    def contact(self, last: str = "Ortiz", **more: Any) -> str:
        return self.data.insert("contact", {"LastName": last, "FirstName": "Ana", **more})

    def project(self, number: str = "2026001", **more: Any) -> str:
        values = {"WBS1": number, "Name": "Bridge", "ChargeType": "R", "Status": "A"}
        return self.data.insert("project", {**values, **more})

    def employee(self, number: str = "00007", **more: Any) -> str:
        values = {"Employee": number, "LastName": "Reed", "FirstName": "Sam", "Status": "A", "Type": "E"}
        return self.data.insert("employee", {**values, **more})


def clauses(*filters: dict[str, str]) -> dict[str, str]:
    """filterHash parameters of clauses."""
    return {f"filterHash[{n}][{key}]": value for n, clause in enumerate(filters) for key, value in clause.items()}
