"""Tokens: grants, refusals, expiry, early death."""

from __future__ import annotations

from tests.sandbox.crm_kit import BASE, Crm

DEAD = {"Message": "Session is invalid or timed out"}


async def test_fields_in_either_case() -> None:
    crm = Crm()
    document = await crm.login()
    assert document["token_type"] == "bearer"
    assert document["expires_in"] == 1799
    lower = {name.lower(): value for name, value in crm.login_form().items() if name != "Integrated"}
    assert (await crm.http.post(f"{BASE}/token", data=lower)).status_code == 200


async def test_a_bad_login_says_why() -> None:
    crm = Crm()
    for change, error in (
        ({"Password": "x"}, "invalid_grant"),
        ({"database": "x"}, "invalid_grant"),
        ({"Integrated": "Y"}, "invalid_grant"),
        ({"client_secret": "x"}, "invalid_client"),
        ({"grant_type": "x"}, "unsupported_grant_type"),
    ):
        reply = await crm.http.post(f"{BASE}/token", data=crm.login_form(**change))
        assert (reply.status_code, reply.json()["error"]) == (400, error)
    assert (await crm.http.get(f"{BASE}/token")).status_code == 405


async def test_sessions_end() -> None:
    crm = Crm()
    assert await crm.get("firm") == []
    crm.clock.forward(seconds=1799)
    assert await crm.call("GET", "firm") == (401, DEAD)
    await crm.login()
    crm.data.kill_sessions()
    assert await crm.call("GET", "firm") == (401, DEAD)
    assert (await crm.http.get(f"{BASE}/firm")).status_code == 401
    short = Crm(token_early_death=2)
    assert [(await short.call("GET", "firm"))[0] for _ in range(3)] == [200, 200, 401]


async def test_refresh() -> None:
    for reuse, expected in ((False, 400), (True, 200)):
        crm = Crm(refresh_reuse=reuse)
        old = await crm.login()
        form = crm.login_form(grant_type="refresh_token", refresh_token=old["refresh_token"])
        reply = await crm.http.post(f"{BASE}/token", data=form)
        assert reply.status_code == 200
        assert reply.json()["access_token"] != old["access_token"]
        assert reply.json()["refresh_token"] != old["refresh_token"]
        assert (await crm.http.post(f"{BASE}/token", data=form)).status_code == expected


async def test_parallel_and_shared_tokens() -> None:
    for quirks, first_lives in (({}, True), ({"token_parallel": False}, False)):
        crm = Crm(**quirks)
        first = (await crm.login())["access_token"]
        await crm.login()
        crm.token = first
        assert ((await crm.call("GET", "firm"))[0] == 200) is first_lives
    crm = Crm(token_shared=True)
    first = await crm.login()
    crm.clock.forward(seconds=100)
    second = await crm.login()
    assert second["access_token"] == first["access_token"]
    assert second["expires_in"] == 1699
