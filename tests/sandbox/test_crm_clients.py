"""Two clients that others wrote for the real system, retold: what they send must work here unchanged."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import pytest
from starlette.types import ASGIApp

from tests.sandbox.crm_kit import BASE, Crm


class CompiledClient:
    """Lower-case token form without Integrated, both limits at once, word operators, messages read in lower case."""

    def __init__(self, app: ASGIApp) -> None:
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app=app))
        self.tokens: dict[str, Any] = {}

    async def token(self, **form: str) -> None:
        body = urlencode({"database": "Sandbox", "client_id": "sandbox/client+id=", **form})
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        reply = await self.http.post(f"{BASE}/token", content=body, headers=headers)
        assert reply.status_code == 200
        self.tokens = reply.json()

    async def get(self, path: str, query: dict[str, str] | None = None) -> Any:
        url = f"{BASE}/{path}" + (f"?{urlencode(query)}" if query else "")
        headers = {"Authorization": f"Bearer {self.tokens['access_token']}", "Accept": "application/json"}
        reply = await self.http.get(url, headers=headers)
        if reply.status_code >= 300:
            error = {name.lower(): value for name, value in reply.json().items()}
            raise LookupError(reply.status_code, error["message"])
        return reply.json()

    def query(self, limit: int, fields: str, *filters: tuple[str, str, str]) -> dict[str, str]:
        found = {"limit": str(limit), "q.maxrows": str(limit), "fieldFilter": fields}
        for n, (name, opp, value) in enumerate(filters):
            parts = {"name": name, "value": value, "opp": opp}
            found |= {f"filterHash[{n}][{key}]": part for key, part in parts.items()}
        return found


async def test_the_compiled_client() -> None:
    crm = Crm()
    firm = crm.firm("Sewer Alliance")
    crm.firm("Other")
    crm.project("20-000001", ClientID=firm)
    crm.project("20-000001", WBS2="01", Name="Phase")
    employee = crm.employee("JDOE")
    crm.data.edit("project", "20-000001", {"ProjMgr": employee})
    client = CompiledClient(crm.app)
    await client.token(grant_type="password", username="sync", password="sandbox", client_secret="sandbox-secret")
    await client.token(
        grant_type="refresh_token", refresh_token=client.tokens["refresh_token"], client_secret="sandbox-secret"
    )
    found = await client.get(
        "firm", client.query(50, "ClientID,Name,Status", ("Name", "like", "Alliance"), ("Status", "eq", "A"))
    )
    assert found == [{"ClientID": firm, "Name": "Sewer Alliance", "Status": "A"}]
    phases = await client.get("project", {"wbstype": "wbs2", **client.query(5, "Name", ("WBS1", "eq", "20-000001"))})
    assert phases == [{"Name": "Phase"}]
    assert (await client.get("project/20-000001"))[0]["ProjMgr"] == "JDOE"
    assert (await client.get("project/20-000001/teammember"))[0]["Employee"] == "JDOE"
    assert isinstance((await client.get("project/20-000001/firmClient"))[0]["PKey"], int)
    for path in ("codeTable/CFGStates", "organization", "metadata/contact", f"firm/{firm}/links", f"firm/{firm}/alias"):
        await client.get(path)
    with pytest.raises(LookupError) as caught:
        await client.get("project/nothing")
    assert caught.value.args == (404, "Record nothing does not exist.")


class ScriptClient:
    """Upper-case token form, pages by page and pageSize, own 32-digit keys, PUT and on failure POST."""

    def __init__(self, app: ASGIApp) -> None:
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), timeout=120)
        self.headers: dict[str, str] = {}

    async def login(self) -> None:
        client_id = quote("sandbox/client+id=", safe="")
        body = (
            "Username=sync&Password=sandbox&grant_type=password&Integrated=N&database=Sandbox"
            f"&Client_Id={client_id}&client_secret=sandbox-secret"
        )
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        token = (await self.http.post(f"{BASE}/token", content=body, headers=headers)).json()
        self.headers = {"Authorization": f"{token['token_type']} {token['access_token']}"}

    async def pages(self, path: str, size: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while True:
            params = {"page": len(found) // size + 1, "pageSize": size, "order": "ModDate_D"}
            rows = (await self.http.get(f"{BASE}/{path}", params=params, headers=self.headers)).json()
            found += rows
            if len(rows) < size:
                return found

    async def upsert(self, hub: str, key: str, body: dict[str, Any]) -> dict[str, Any]:
        reply = await self.http.put(f"{BASE}/{hub}/{quote(key, safe='')}", json=body, headers=self.headers)
        if reply.status_code != 200:
            reply = await self.http.post(f"{BASE}/{hub}", json=body, headers=self.headers)
        assert reply.status_code in (200, 201), reply.text
        record: dict[str, Any] = reply.json()[0]
        return record


async def test_the_script_client() -> None:
    crm = Crm()
    client = ScriptClient(crm.app)
    await client.login()
    key = uuid.UUID(int=7).hex
    body = {"ClientID": key, "Name": "Müller & Sons", "ClientInd": True, "VendorInd": False, "Status": "A"}
    assert (await client.upsert("firm", key, body))["ClientID"] == key
    assert (await client.upsert("firm", key, {**body, "WebSite": "w"}))["WebSite"] == "w"
    assert len(crm.data.tables["firm"]) == 1
    address = {"ClientID": key, "Address": "Office", "Address1": "1 Elm", "PrimaryInd": "true", "Payment": "Y"}
    reply = await client.http.post(f"{BASE}/firm/{key}/address", json=address, headers=client.headers)
    assert reply.json()[0]["PrimaryInd"] == "Y"
    person = {"Employee": "00012", "LastName": "Reed", "Status": "A", "Type": "E", "EMail": "r@e.example"}
    assert (await client.upsert("employee", "00012|", person))["EMail"] == "r@e.example"
    project = {
        "WBS1": "2026/17",
        "Name": "Hall",
        "ChargeType": "R",
        "Status": "A",
        "BudgetedFlag": "N",
        "BudgetSource": "N",
        "StartDate": "2026-03-01",
        "ClientID": key,
    }
    assert (await client.upsert("project", "2026/17", project))["StartDate"] == "2026-03-01T00:00:00.000"
    assert (await client.upsert("project", "2026/17", {"LongName": "The Hall"}))["LongName"] == "The Hall"
    for n in range(7):
        crm.contact(f"C{n}", ClientID=key)
    assert len(await client.pages("contact", 3)) == 7
