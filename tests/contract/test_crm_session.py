"""The token: renewed in time, after an early death, by refresh or by password; cookies are sent back."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qs

import httpx
import pytest

from core.crm.session import Login, Session
from core.errors import BadReply, LoginRefused, Unreachable
from core.http import Http, SystemClock
from core.model.values import Kind, Side
from tests.contract.crm_world import ACME, World, filled


class Ticking:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


def session(handler: httpx.MockTransport, clock: Ticking | None = None, **login: str) -> Session:
    http = Http(Side.CRM, "http://127.0.0.1/api", transport=handler)
    fields = {
        "database": "DB",
        "username": "u",
        "password": "p&=ß",
        "client_id": "a/b+c=",
        "client_secret": "s",
        **login,
    }
    return Session(http, Login(**fields), clock=clock or Ticking())


def forms(seen: list[dict[str, list[str]]], replies: list[httpx.Response]) -> httpx.MockTransport:
    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(parse_qs(request.content.decode()))
        return replies.pop(0)

    return httpx.MockTransport(answer)


def pair(name: str, life: object = 1799) -> httpx.Response:
    return httpx.Response(200, json={"access_token": name, "refresh_token": f"r-{name}", "expires_in": life})


async def test_the_login_sends_what_the_vendor_asks_for() -> None:
    seen: list[dict[str, list[str]]] = []
    asked = session(forms(seen, [pair("one")]), culture="en-US")
    assert await asked.token() == await asked.token() == "one"
    assert seen == [
        {
            "Username": ["u"],
            "Password": ["p&=ß"],
            "grant_type": ["password"],
            "Integrated": ["N"],
            "database": ["DB"],
            "Client_Id": ["a/b+c="],
            "client_secret": ["s"],
            "culture": ["en-US"],
        }
    ]


async def test_a_token_is_refreshed_before_it_ends_and_by_password_where_that_is_refused() -> None:
    seen: list[dict[str, list[str]]] = []
    clock = Ticking()
    refused = httpx.Response(400, json={"error": "invalid_grant"})
    asked = session(forms(seen, [pair("one"), pair("two", 100), refused, pair("three")]), clock)
    assert await asked.token() == "one"
    clock.at = 1740.0
    assert await asked.token() == "two"
    assert (seen[1]["grant_type"], seen[1]["refresh_token"]) == (["refresh_token"], ["r-one"])
    clock.at += 91
    assert await asked.token() == "three"
    assert seen[-1]["grant_type"] == ["password"]


async def test_whoever_comes_second_gets_the_first_ones_token() -> None:
    seen: list[dict[str, list[str]]] = []
    asked = session(forms(seen, [pair("one"), pair("two")]))
    dead = await asked.token()
    assert set(await asyncio.gather(*(asked.renew(dead) for _ in range(5)))) == {"two"}
    assert len(seen) == 2


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (httpx.Response(400, json={"error": "invalid_grant", "error_description": "Wrong p&=ß"}), LoginRefused),
        (httpx.Response(401, text="<html>"), LoginRefused),
        (httpx.Response(404, text="nothing here"), BadReply),
        (httpx.Response(200, json={"token": "x"}), BadReply),
        (httpx.Response(200, text="<html>"), BadReply),
    ],
)
async def test_a_login_that_fails_says_why(reply: httpx.Response, error: type[Exception]) -> None:
    with pytest.raises(error):
        await session(forms([], [reply])).token()


async def test_secrets_stay_out_of_what_is_shown() -> None:
    login = Login("DB", "u", "pass-1", "id-2", "secret-3")
    assert not any(secret in repr(login) for secret in ("pass-1", "id-2", "secret-3"))
    http = Http(Side.CRM, "http://127.0.0.1/api", transport=forms([], [pair("tok-4")]), secrets=("pass-1",))
    await Session(http, login).token()
    assert http.redact("tok-4 r-tok-4 pass-1") == "[secret] r-[secret] [secret]"


@pytest.mark.parametrize(
    "quirks",
    [
        {"token_early_death": 1},
        {"token_seconds": 60},
        {"token_parallel": False, "token_early_death": 4},
        {"token_shared": True},
        {"refresh_reuse": True, "token_seconds": 90},
    ],
)
async def test_a_run_goes_on_whatever_tokens_do(quirks: dict[str, object]) -> None:
    system = filled(**quirks).system()
    await system.connect()
    for _ in range(3):
        pulled = await asyncio.gather(*(system.pull(kind, None) for kind in Kind))
        assert all(part.records for part in pulled)


async def test_a_server_restart_is_survived() -> None:
    world = filled()
    system = world.system()
    firm = (await system.get(Kind.FIRM, [ACME]))[ACME]
    world.data.kill_sessions()
    assert (await system.update(firm, {"name": "Acme"})).name == "Acme"
    assert len(world.asked("PUT", "/firm")) == 2  # the first was refused before it did anything


async def test_cookies_of_the_load_balancer_are_sent_back() -> None:
    world = World()
    cookies: list[str] = []

    def sticky(request: httpx.Request) -> httpx.Response | None:
        cookies.append(request.headers.get("cookie", ""))
        if request.url.path.endswith("/metadata/firm"):
            return httpx.Response(200, json={}, headers={"Set-Cookie": "AWSELB=node7; path=/"})
        return None

    world.answer = sticky
    await world.system().connect()
    assert cookies[-1] == "AWSELB=node7"


class Instant(SystemClock):
    """Waits for nothing."""

    async def sleep(self, seconds: float) -> None: ...


async def test_a_crm_that_cannot_be_reached_is_told_so() -> None:
    def nobody(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    http = Http(Side.CRM, "http://127.0.0.1/api", transport=httpx.MockTransport(nobody), clock=Instant())
    with pytest.raises(Unreachable):
        await Session(http, Login("DB", "u", "p", "c", "s")).token()
