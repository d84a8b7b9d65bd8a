"""core/http.py: what a caller gets for each thing a server or a network can do."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import httpx
import pytest

from core import http as http_module
from core.errors import BadReply, OutcomeUnknown, RateLimited, RecordRefused, SystemFailure, Unreachable, UsageError
from core.http import Http, RateBudget, Reply, Request, is_loopback
from core.model.values import Side

SECRET = "hunter2-very-secret"


class FakeClock:
    """Time that only moves when somebody sleeps."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.slept: list[float] = []

    def now(self) -> datetime:
        return datetime(2026, 1, 5, 12, tzinfo=UTC) + timedelta(seconds=self.time - 1000)

    def monotonic(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds
        await asyncio.sleep(0)


Handler = Callable[[httpx.Request], httpx.Response]


class Server:
    """Answers from a list, one a request; an exception in it is raised by the transport."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.seen: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def make(handler: Handler, clock: FakeClock | None = None, **more: object) -> Http:
    return Http(
        Side.CRM,
        "https://crm.example/api",
        transport=httpx.MockTransport(handler),
        clock=clock or FakeClock(),
        chance=lambda: 0.5,
        secrets=[SECRET],
        **more,  # type: ignore[arg-type]
    )


READ = Request("GET", "/firm", name="GetFirms", reading=True)
WRITE = Request("PUT", "/firm/1", json={"Name": SECRET}, name="PutFirm", reading=False)


async def test_reply_holds_status_lower_case_headers_date_and_json() -> None:
    server = Server(httpx.Response(200, json=[1], headers={"Date": "Mon, 05 Jan 2026 12:00:00 GMT", "X-A": "b"}))
    reply = await make(server).send(READ)
    assert (reply.status, reply.headers["x-a"], reply.json()) == (200, "b", [1])
    assert reply.date == datetime(2026, 1, 5, 12, tzinfo=UTC)
    assert str(server.seen[0].url) == "https://crm.example/api/firm"


async def test_the_base_address_is_used_exactly_as_given() -> None:
    server = Server(httpx.Response(200, json={}))
    address = "https://ajera.example/V1/AjeraAPI.ashx?eyJEYXRh+c2U/fQ%3d%3d"
    http = Http(Side.AJERA, address, transport=httpx.MockTransport(server), clock=FakeClock())
    await http.send(Request("POST", "", json={"a": Decimal("1.10")}, name="X", reading=True))
    assert str(server.seen[0].url) == address
    assert server.seen[0].content == b'{"a":1.10}'
    assert server.seen[0].headers["content-type"] == "application/json"


async def test_parameters_and_forms_are_encoded() -> None:
    server = Server(httpx.Response(200, json={}))
    http = make(server)
    await http.send(Request("GET", "/a", params=[("f", "x & y"), ("f", "z")], name="X", reading=True))
    await http.send(Request("POST", "/token", form={"password": "p&q"}, name="Login", reading=True))
    assert server.seen[0].url.params.get_list("f") == ["x & y", "z"]
    assert server.seen[1].content == b"password=p%26q"


@pytest.mark.parametrize("status", [500, 502, 503, 504, 429])
async def test_a_read_is_tried_again_with_growing_pauses(status: int) -> None:
    clock = FakeClock()
    server = Server(httpx.Response(status), httpx.Response(status), httpx.Response(200, json={}))
    http = make(server, clock)
    assert (await http.send(READ)).status == 200
    assert clock.slept == [0.5, 1.0]
    assert http.requests == 3


async def test_a_read_gives_up_after_the_named_number_of_tries() -> None:
    server = Server(httpx.ReadTimeout("slow"))
    with pytest.raises(Unreachable, match="GetFirms"):
        await make(server).send(READ)
    assert len(server.seen) == http_module.TRIES


async def test_retry_after_is_honoured_as_seconds_and_as_date() -> None:
    clock = FakeClock()
    dated = {"Retry-After": "Mon, 05 Jan 2026 12:00:09 GMT", "Date": "Mon, 05 Jan 2026 12:00:02 GMT"}
    server = Server(
        httpx.Response(429, headers={"Retry-After": "3"}), httpx.Response(503, headers=dated), httpx.Response(200)
    )
    await make(server, clock).send(READ)
    assert clock.slept == [3.0, 7.0]


async def test_a_long_retry_after_is_handed_on() -> None:
    server = Server(httpx.Response(429, headers={"Retry-After": "3600"}))
    with pytest.raises(RateLimited) as caught:
        await make(server).send(READ)
    assert caught.value.wait == 3600
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    "answer",
    [
        httpx.ReadTimeout("x"),
        httpx.WriteTimeout("x"),
        httpx.ReadError("x"),
        httpx.RemoteProtocolError("peer closed connection without sending complete message body"),
        httpx.Response(502),
        httpx.Response(503),
        httpx.Response(504),
        httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(b"not gzip")),
    ],
)
async def test_a_write_whose_answer_is_lost_is_unknown_and_never_repeated(answer: httpx.Response | Exception) -> None:
    server = Server(answer)
    with pytest.raises(OutcomeUnknown, match="PutFirm") as caught:
        await make(server).send(WRITE)
    assert len(server.seen) == 1
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("error", [httpx.ConnectError("x"), httpx.ConnectTimeout("x"), httpx.PoolTimeout("x")])
async def test_a_write_that_never_left_is_unreachable(error: Exception) -> None:
    server = Server(error)
    with pytest.raises(Unreachable):
        await make(server).send(WRITE)
    assert len(server.seen) == 1


async def test_a_write_that_is_throttled_is_rate_limited_and_not_repeated() -> None:
    server = Server(httpx.Response(429, headers={"Retry-After": "2"}))
    with pytest.raises(RateLimited) as caught:
        await make(server).send(WRITE)
    assert caught.value.wait == 2
    assert len(server.seen) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409])
async def test_what_a_client_must_interpret_comes_back(status: int) -> None:
    assert (await make(Server(httpx.Response(status))).send(READ)).status == status
    assert (await make(Server(httpx.Response(status))).send(WRITE)).status == status


async def test_a_500_on_a_write_comes_back_for_the_client_to_read() -> None:
    assert (await make(Server(httpx.Response(500, text="why"))).send(WRITE)).body == b"why"


async def test_redirects_are_not_followed() -> None:
    server = Server(httpx.Response(302, headers={"Location": "https://evil.example/steal?t=" + SECRET}))
    with pytest.raises(BadReply, match=r"evil\.example") as caught:
        await make(server).send(READ)
    assert len(server.seen) == 1
    assert SECRET not in str(caught.value)


async def test_an_address_on_another_host_is_not_sent() -> None:
    server = Server(httpx.Response(200))
    for address in ("https://evil.example/api", "http://crm.example/api", "https://crm.example:8443/api"):
        with pytest.raises(BadReply, match="another host"):
            await make(server).send(Request("GET", address, name="X", reading=True))
    assert server.seen == []


async def test_a_reply_may_not_grow_beyond_its_bound_even_unpacked() -> None:
    bomb = gzip.compress(b"0" * 1_000_000)
    answer = httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(bomb))
    with pytest.raises(BadReply, match="larger"):
        await make(Server(answer), max_bytes=100_000).send(READ)


async def test_a_reply_that_is_not_json_is_named_and_harmless() -> None:
    body = f"<html>\x1b[31m{SECRET} proxy login".encode()
    reply = await make(Server(httpx.Response(200, content=body, headers={"Content-Type": "text/html"}))).send(READ)
    with pytest.raises(BadReply, match="text/html") as caught:
        reply.json()
    text = str(caught.value)
    assert "GetFirms" in text
    assert "the CRM" in text
    assert SECRET not in text
    assert "\x1b" not in text
    assert caught.value.__context__ is None


def test_json_reads_money_exactly_and_refuses_what_is_no_number() -> None:
    reply = Reply(200, {}, b'{"a": 0.10000000000000000001}')
    assert reply.json(exact=True) == {"a": Decimal("0.10000000000000000001")}
    with pytest.raises(BadReply):
        Reply(200, {}, b'{"a": NaN}').json(exact=True)
    with pytest.raises(BadReply, match="empty"):
        Reply(200, {}, b"").json()
    with pytest.raises(BadReply):
        Reply(200, {}, b"[" * 200_000).json(exact=True)


async def test_text_that_is_no_unicode_is_refused_before_sending() -> None:
    server = Server(httpx.Response(200))
    with pytest.raises(RecordRefused):
        await make(server).send(Request("PUT", "/a", json={"Name": "\ud800"}, name="PutFirm", reading=False))
    assert server.seen == []


async def test_no_exception_holds_a_request_or_secret() -> None:
    for answer in (httpx.ConnectError(f"no route {SECRET}"), httpx.ReadError(SECRET), httpx.Response(302)):
        with pytest.raises(SystemFailure) as caught:
            await make(Server(answer)).send(WRITE)
        assert caught.value.__context__ is None
        assert caught.value.__cause__ is None
        assert SECRET not in str(caught.value)


async def test_the_log_holds_names_and_sizes_only(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    http = make(Server(httpx.Response(200, json={"SSN": "123-45-6789"})))
    http.add_secret("tok-123")
    await http.send(
        Request("POST", "/a", headers={"Authorization": "tok-123"}, json={"n": "Doe"}, name="X", reading=True)
    )
    text = "\n".join(record.getMessage() for record in caplog.records)
    assert "crm X 200" in text
    for private in ("tok-123", "Doe", "123-45-6789", "crm.example"):
        assert private not in text
    assert http.redact("a tok-123 b") == "a [secret] b"


def test_plain_http_is_for_this_machine_or_by_name() -> None:
    with pytest.raises(UsageError, match="plain http"):
        Http(Side.CRM, "http://crm.example/api")
    with pytest.raises(UsageError):
        Http(Side.CRM, "crm.example")
    Http(Side.CRM, "http://crm.example/api", allow_plain_http=True)
    Http(Side.CRM, "http://127.0.0.1:8080/api")
    assert is_loopback("::1")
    assert is_loopback("localhost")
    assert not is_loopback("127.0.0.1.evil.example")


async def test_the_budget_paces_evenly_and_uses_the_rate() -> None:
    clock = FakeClock()
    budget = RateBudget(9, clock)
    starts = []
    for _ in range(91):
        await budget.take()
        starts.append(clock.time)
    assert starts[-1] - starts[0] == pytest.approx(10.0)
    gaps = [b - a for a, b in itertools.pairwise(starts)]
    assert min(gaps) == pytest.approx(1 / 9)


async def test_a_late_caller_gets_no_burst_unless_allowed() -> None:
    for burst, free in ((1, 1), (3, 3)):
        clock = FakeClock()
        budget = RateBudget(10, clock, burst=burst)
        clock.time += 100
        for _ in range(burst + 1):
            await budget.take()
        assert len(clock.slept) == burst + 1 - free


async def test_a_429_makes_all_calls_pause() -> None:
    clock = FakeClock()
    budget = RateBudget(10, clock)
    server = Server(httpx.Response(429, headers={"Retry-After": "5"}), httpx.Response(200))
    http = make(server, clock, budget=budget)
    with pytest.raises(RateLimited):
        await http.send(WRITE)
    await http.send(READ)
    assert clock.time >= 1005


async def test_a_penalty_reaches_those_already_waiting() -> None:
    clock = FakeClock()
    budget = RateBudget(1, clock)
    await budget.take()
    waiting = asyncio.create_task(budget.take())
    await asyncio.sleep(0)
    budget.penalty(30)
    await waiting
    assert clock.time >= 1030


async def test_no_more_requests_in_flight_than_allowed() -> None:
    running = peak = 0

    async def handler(request: httpx.Request) -> httpx.Response:
        nonlocal running, peak
        running += 1
        peak = max(peak, running)
        await asyncio.sleep(0)
        running -= 1
        return httpx.Response(200)

    http = Http(
        Side.CRM, "https://crm.example", transport=httpx.MockTransport(handler), clock=FakeClock(), concurrency=3
    )
    await asyncio.gather(*(http.send(READ) for _ in range(12)))
    await http.close()
    assert peak == 3


async def test_a_pause_asked_for_inside_a_reply_holds_all_calls() -> None:
    for budget_of in (lambda clock: RateBudget(10, clock), lambda _clock: None):
        clock = FakeClock()
        http = make(Server(httpx.Response(200)), clock, budget=budget_of(clock))
        await http.pause(3)
        await http.send(READ)
        assert clock.time >= 1003


def test_tokens_of_weeks_are_not_all_kept_and_what_was_given_is() -> None:
    """Three tokens an hour and side (found by `make soak-week`): each of them was looked for in each message."""
    http = Http(Side.CRM, "https://crm.example/", secrets=("the password",))
    for n in range(500):
        http.add_secret(f"token {n} of many")
    assert http.redact("the password, token 499 of many") == "[secret], [secret]"
    assert len(http._secrets) < 100
