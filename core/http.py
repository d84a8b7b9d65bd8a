"""The one module that knows httpx: time-outs, retry of reads, rate budget, size limits, redaction.

Sends a `Request`, answers a `Reply` for every status a client has to interpret (2xx, 4xx, and 500 on a
write), and raises one exception of core/errors.py for everything else:

    not sent (no connection)      Unreachable
    read: time-out, 5xx           Unreachable, after the retries
    429                           RateLimited: a read after the retries, a write at once
    write: answer lost, 502-504   OutcomeUnknown, never repeated here (sync-rules 7)
    redirect, too large, not JSON BadReply

Exceptions are raised outside of the handler that caught httpx's own, so that no request, header or body
hangs on to them as a context. The log (`ajerasync.http`) holds names, statuses, times and sizes only.
"""

from __future__ import annotations

import asyncio
import json as stdjson
import logging
import ssl
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from importlib.util import find_spec
from ipaddress import ip_address
from secrets import SystemRandom
from time import monotonic
from typing import Any, Final, Protocol

import httpx
import orjson

from core.errors import BadReply, OutcomeUnknown, RateLimited, RecordRefused, SystemFailure, Unreachable, UsageError
from core.model.values import Side
from core.text import safe_line

# -- the retry policy, every number of it ----------------------------------------------------------
TRIES: Final = 5  # of a read, the first one included
BACKOFF_FIRST: Final = 0.5  # seconds; doubles with each try
BACKOFF_LONGEST: Final = 8.0
JITTER: Final = 0.25  # part of a back-off that is random, so that callers do not return together
RETRY_AFTER_LONGEST: Final = 60.0  # a longer Retry-After is handed to the caller instead of waited for
PENALTY: Final = 1.0  # seconds all calls to a system pause after a 429 that does not say how long
CONNECT_TIMEOUT: Final = 15.0
OVERALL_FACTOR: Final = 3.0  # a reply that drips may take this many time-outs as a whole
KEEP_ALIVE: Final = 4.0  # below the usual idle limit of servers: a write must not meet a dying connection
MAX_BYTES: Final = 64 * 1024 * 1024
LARGEST_EXPONENT: Final = 400  # of a number in a reply: more than any server's own numbers hold
CODINGS: Final = frozenset({"", "identity", "gzip", "deflate"})  # one at most: a block of it grows a thousandfold
GIVEN: Final = 8  # secrets of the settings at most, known from the start
NEWEST_TOKENS: Final = 64  # those of ten hours and more; an older one opens nothing
REDACTED: Final = 32 * 1024  # bytes of it that are searched for secrets before: a token may be long
EXCERPT: Final = 60  # characters of an unreadable reply that a message may show

RETRIED: Final = frozenset({429, 500, 502, 503, 504})
ANSWER_LOST: Final = frozenset({502, 503, 504})  # on a write: a gateway answered, nobody knows for whom

log = logging.getLogger("ajerasync.http")

if find_spec("sniffio") is None:
    # The library below httpx asks for it eight times a request, in every folder: half a millisecond each request.
    sys.modules["sniffio"] = None  # type: ignore[assignment] # what Python itself notes for "not there"


def _grave(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING


# Their own lines hold URLs and headers. Filters, not levels: who turns everything up does not mean these.
for _noisy in (
    "httpx",
    "httpcore",
    *(f"httpcore.{part}" for part in ("connection", "http11", "http2", "proxy", "socks")),
):
    logging.getLogger(_noisy).setLevel(logging.WARNING)
    logging.getLogger(_noisy).addFilter(_grave)

SIDE_NAMES: Final = {Side.AJERA: "Ajera", Side.CRM: "the CRM"}


class Clock(Protocol):
    """The part of core.ports.Clock that is needed here."""

    def now(self) -> datetime: ...
    def monotonic(self) -> float: ...
    async def sleep(self, seconds: float) -> None: ...


class SystemClock:
    """The machine's own clock and asyncio's sleep."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@dataclass(frozen=True)
class Request:
    """One call. `url` is absolute or relative to the base; "" is the base itself, exactly as given.

    `name` is what log and messages call it ("GetClients"). `reading` says that repeating it is harmless:
    logins and lists are, whatever their HTTP method.
    """

    method: str
    url: str
    params: Sequence[tuple[str, str]] = field(default=(), kw_only=True, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, kw_only=True, repr=False)
    json: object = field(default=None, kw_only=True, repr=False)
    form: Mapping[str, str] | None = field(default=None, kw_only=True, repr=False)
    name: str = field(kw_only=True)
    reading: bool = field(kw_only=True)


@dataclass(frozen=True)
class Reply:
    """An answer: `headers` by lower-case name, `date` from the Date header (aware, UTC)."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    date: datetime | None = None
    side: Side = Side.CRM
    name: str = ""
    redact: Callable[[str], str] = field(default=str, repr=False, compare=False)

    def json(self, *, exact: bool = False) -> Any:
        """The body as JSON. With `exact`, numbers with a point become Decimals of their very digits.

        Raises BadReply that names side, request, content type and the first harmless characters.
        """
        try:
            if exact:
                return stdjson.loads(self.body, parse_float=_decimal, parse_constant=_no_constant)
            return orjson.loads(self.body)
        except (ValueError, RecursionError):
            problem = self._unreadable()
        raise problem

    def _unreadable(self) -> BadReply:
        kind = safe_line(self.headers.get("content-type") or "no content type", 60)
        text = self.redact(self.body[:REDACTED].decode("utf-8", "replace")).strip()
        shown = f"it begins: {safe_line(text, EXCERPT)}" if text else "it is empty"
        if text.startswith(("{", "[", '"')):  # a record or a token that nobody knows as a secret yet
            shown = "it is cut off or damaged"
        where = f"{SIDE_NAMES[self.side]} answered {self.name} (HTTP {self.status})"
        return BadReply(self.side, f"{where} with something that is not JSON ({kind}); {shown}")


def _decimal(text: str) -> Decimal:
    """The number with its digits. A few letters as 1e999999999 would fill the memory once it is written out."""
    try:
        number = Decimal(text)
    except ArithmeticError:
        number = Decimal("Infinity")
    if not number.is_finite() or abs(number.adjusted()) > LARGEST_EXPONENT:
        raise ValueError("a number out of range")
    return number


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def encode(side: Side, body: object, name: str) -> bytes:
    """JSON bytes; Decimals keep every digit. Text that is no valid Unicode is refused before it is sent."""
    try:
        return orjson.dumps(body, default=_number)
    except (TypeError, orjson.JSONEncodeError):
        problem = RecordRefused(side, f"{name} was not sent: a value in it cannot be written as JSON text")
    raise problem


def _number(value: object) -> orjson.Fragment:
    if isinstance(value, Decimal) and value.is_finite():
        return orjson.Fragment(str(value).encode())
    raise TypeError


# -- pacing ----------------------------------------------------------------------------------------


class RateBudget:
    """At most `per_second` starts a second, evenly spaced, for all calls to one system.

    Slots are absolute times, so a late wake-up is not paid twice: steady callers use the whole rate.
    `burst` slots may be taken at once after a pause.
    """

    def __init__(self, per_second: float, clock: Clock | None = None, burst: int = 1) -> None:
        if per_second <= 0 or burst < 1:
            raise ValueError("a rate budget needs a rate above 0 and a burst of 1 or more")
        self._clock = clock or SystemClock()
        self._gap = 1.0 / per_second
        self._credit = (burst - 1) * self._gap
        self._next = self._clock.monotonic() - self._credit
        self._blocked_until = 0.0

    async def take(self) -> None:
        """Wait for a slot, and for the end of a penalty that was set while waiting."""
        while True:
            now = self._clock.monotonic()
            slot = max(self._next, now - self._credit, self._blocked_until)
            self._next = slot + self._gap
            if slot > now:
                await self._clock.sleep(slot - now)
            if slot >= self._blocked_until:
                return

    def penalty(self, seconds: float) -> None:
        """Nobody starts for so long; those already waiting queue up again behind it."""
        self._blocked_until = max(self._blocked_until, self._clock.monotonic() + seconds)
        self._next = max(self._next, self._blocked_until)


# -- sending ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Trouble:
    """Why an attempt gave no reply. `sent` is False where it provably never left."""

    words: str
    sent: bool
    lasting: bool = False  # trying again cannot help


class _TooLarge(Exception):
    pass


class Http:
    """One system over HTTP. Shared by all calls to it; safe for concurrent use on one event loop.

    `timeout` is seconds without progress. `secrets` are never shown in any message; add_secret adds one that
    came later (a token). `transport` and `clock` are for tests and for a server in the same process.
    Raises UsageError when the address is plain http and not loopback.
    """

    def __init__(
        self,
        side: Side,
        base_url: str,
        *,
        timeout: float = 60,
        budget: RateBudget | None = None,
        concurrency: int = 4,
        transport: httpx.AsyncBaseTransport | None = None,
        ca_file: str | None = None,
        allow_plain_http: bool = False,
        secrets: Sequence[str] = (),
        clock: Clock | None = None,
        max_bytes: int = MAX_BYTES,
        chance: Callable[[], float] | None = None,
    ) -> None:
        self.side = side
        self.requests = 0
        self._base = _checked(side, base_url, allow_plain_http)
        self._clock = clock or SystemClock()
        self._budget = budget
        self._places = asyncio.Semaphore(concurrency)
        self._secrets = [secret for secret in secrets if secret]
        self._max_bytes = max_bytes
        self._chance = chance or SystemRandom().random
        self._overall = timeout * OVERALL_FACTOR
        self._client = httpx.AsyncClient(
            transport=transport,
            verify=_tls(ca_file),
            timeout=httpx.Timeout(timeout, connect=min(CONNECT_TIMEOUT, timeout)),
            limits=httpx.Limits(max_connections=concurrency, keepalive_expiry=KEEP_ALIVE),
            follow_redirects=False,
            trust_env=not is_loopback(self._base.host),  # a proxy of the environment is not for loopback
        )

    def add_secret(self, secret: str) -> None:
        """Never show this text from now on (a token that was just issued). What the program was given comes first and
        stays; of tokens, several an hour for weeks, the newest are known."""
        if secret and secret not in self._secrets:
            self._secrets.append(secret)
            del self._secrets[GIVEN:-NEWEST_TOKENS]

    def redact(self, text: str) -> str:
        """The text with every known secret replaced."""
        for secret in self._secrets:
            text = text.replace(secret, "[secret]")
        return text

    async def pause(self, attempt: int) -> None:
        """Let all calls to this system rest: it asked for that inside a reply. Grows with each attempt."""
        seconds = PENALTY * attempt
        if self._budget:
            self._budget.penalty(seconds)
        else:
            await self._clock.sleep(seconds)

    async def close(self) -> None:
        await self._client.aclose()

    async def send(self, request: Request) -> Reply:
        """The reply, or the one exception its failure means (see the top of this module)."""
        return self._settle(request, await self._tried(request))

    async def _tried(self, request: Request) -> Reply | _Trouble:
        """What the last attempt came to. The built request is known in here only: it names the whole address."""
        built = self._build(request)
        tries = TRIES if request.reading else 1
        for attempt in range(1, tries + 1):
            result = await self._attempt(request, built)
            if not self._worth_another(request, result):
                break
            wait = self._wait(attempt, result)
            if attempt == tries or wait > RETRY_AFTER_LONGEST:
                break
            log.info("%s %s: trying again in %.1f s (%d of %d)", self.side, request.name, wait, attempt, tries)
            await self._clock.sleep(wait)
        return result

    def _build(self, request: Request) -> httpx.Request:
        try:
            return self._built(request)
        except (httpx.InvalidURL, UnicodeError, ValueError):
            problem: SystemFailure = BadReply(
                self.side, f"{request.name} was not sent: its address or a header is not valid"
            )
        except SystemFailure as failure:
            problem = failure.with_traceback(None)  # its frames hold what was to be sent
        raise problem

    def _built(self, request: Request) -> httpx.Request:
        content = None if request.json is None else encode(self.side, request.json, request.name)
        headers = {"Accept": "application/json", "Accept-Encoding": "gzip, deflate", **request.headers}
        if content is not None:
            headers.setdefault("Content-Type", "application/json")
        # An empty list of parameters would strip the query of the address.
        params = httpx.QueryParams(list(request.params)) if request.params else None
        form = None if request.form is None else dict(request.form)
        url = self._url(request)
        return self._client.build_request(
            request.method, url, params=params, headers=headers, content=content, data=form
        )

    def _url(self, request: Request) -> httpx.URL:
        if not request.url:
            return self._base
        if "://" not in request.url:
            root = str(self._base.copy_with(query=None, fragment=None)).rstrip("/")
            return httpx.URL(f"{root}/{request.url.lstrip('/')}")
        url = httpx.URL(request.url)
        if (url.scheme, url.host, url.port) != (self._base.scheme, self._base.host, self._base.port):
            raise BadReply(self.side, f"{request.name} was not sent: its address names another host")
        return url

    async def _attempt(self, request: Request, built: httpx.Request) -> Reply | _Trouble:
        async with self._places:
            if self._budget:
                await self._budget.take()
            self.requests += 1
            started = self._clock.monotonic()
            result = await self._exchange(request, built)
            self._note(request, result, self._clock.monotonic() - started)
        if isinstance(result, Reply) and result.status == 429 and self._budget:
            self._budget.penalty(min(self._retry_after(result) or PENALTY, RETRY_AFTER_LONGEST))
        return result

    async def _exchange(self, request: Request, built: httpx.Request) -> Reply | _Trouble:
        """One exchange; every exception of httpx ends here."""
        try:
            async with asyncio.timeout(self._overall):
                response = await self._client.send(built, stream=True)
                try:
                    body = await self._body(response)
                finally:
                    await response.aclose()
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            return _Trouble(f"no connection ({self._words(error)})", sent=False)
        except (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.ProxyError, httpx.InvalidURL) as error:
            return _Trouble(f"it could not be sent ({self._words(error)})", sent=False, lasting=True)
        except (httpx.TimeoutException, TimeoutError):
            return _Trouble("no answer in time", sent=True)
        except _TooLarge:
            return _Trouble(f"the answer is larger than {self._max_bytes // 1024} KiB", sent=True, lasting=True)
        except httpx.DecodingError:
            return _Trouble("the answer cannot be decompressed", sent=True, lasting=True)
        except (httpx.HTTPError, httpx.StreamError) as error:
            return _Trouble(f"the connection broke ({self._words(error)})", sent=True)
        return self._reply(request, response, body)

    async def _body(self, response: httpx.Response) -> bytes:
        """The decompressed body, given up as soon as it grows too large."""
        if response.headers.get("content-encoding", "identity").strip().lower() not in CODINGS:
            raise httpx.DecodingError("unknown or nested coding")
        parts: list[bytes] = []
        size = 0
        async for part in response.aiter_bytes():
            size += len(part)
            if size > self._max_bytes:
                raise _TooLarge
            parts.append(part)
        return b"".join(parts)

    def _reply(self, request: Request, response: httpx.Response, body: bytes) -> Reply:
        headers = {name.lower(): value for name, value in response.headers.items()}
        date = _http_date(headers.get("date"))
        return Reply(response.status_code, headers, body, date, self.side, request.name, self.redact)

    def _words(self, error: Exception) -> str:
        return self.redact(safe_line(str(error) or type(error).__name__, 120))

    def _note(self, request: Request, result: Reply | _Trouble, seconds: float) -> None:
        ms = round(seconds * 1000)
        if isinstance(result, Reply):
            log.debug("%s %s %d %d ms %d bytes", self.side, request.name, result.status, ms, len(result.body))
        else:
            log.warning("%s %s: %s, %d ms", self.side, request.name, result.words, ms)

    def _worth_another(self, request: Request, result: Reply | _Trouble) -> bool:
        if not request.reading:
            return False
        return not result.lasting if isinstance(result, _Trouble) else result.status in RETRIED

    def _wait(self, attempt: int, result: Reply | _Trouble) -> float:
        asked = self._retry_after(result) if isinstance(result, Reply) else None
        backoff = min(BACKOFF_FIRST * 2 ** (attempt - 1), BACKOFF_LONGEST)
        spread = backoff * (1 - JITTER + 2 * JITTER * self._chance())
        return spread if asked is None else max(asked, 0.0)

    def _retry_after(self, reply: Reply) -> float | None:
        """Seconds from a Retry-After header, given as seconds or as a date."""
        text = reply.headers.get("retry-after", "").strip()
        if text.isdecimal():
            return float(text)
        until = _http_date(text)
        if until is None:
            return None
        return max(0.0, (until - (reply.date or self._clock.now())).total_seconds())

    def _settle(self, request: Request, result: Reply | _Trouble) -> Reply:
        """The reply, where it is one for the client to interpret."""
        problem = self._lost(request, result) if isinstance(result, _Trouble) else self._bad_status(request, result)
        if problem is not None:
            raise problem
        assert isinstance(result, Reply)
        return result

    def _lost(self, request: Request, trouble: _Trouble) -> SystemFailure:
        who = SIDE_NAMES[self.side]
        if not trouble.sent:
            return Unreachable(self.side, f"{who} could not be reached for {request.name}: {trouble.words}")
        if not request.reading:
            return self._unknown(request, trouble.words)
        if trouble.lasting:
            return BadReply(self.side, f"{who}, {request.name}: {trouble.words}")
        return Unreachable(self.side, f"{who} did not answer {request.name}: {trouble.words}")

    def _bad_status(self, request: Request, reply: Reply) -> SystemFailure | None:
        who = SIDE_NAMES[self.side]
        if reply.status == 429:
            return RateLimited(self.side, f"{who} asked to slow down at {request.name}", self._retry_after(reply))
        if 300 <= reply.status < 400:
            return BadReply(self.side, f"{who} redirected {request.name}{_target(reply)}; redirects are not followed")
        if request.reading and reply.status >= 500:
            return Unreachable(self.side, f"{who} answered {request.name} with HTTP {reply.status}")
        if not request.reading and reply.status in ANSWER_LOST:
            return self._unknown(request, f"HTTP {reply.status}")
        return None

    def _unknown(self, request: Request, why: str) -> OutcomeUnknown:
        who = SIDE_NAMES[self.side]
        return OutcomeUnknown(
            self.side,
            f"The answer of {who} to {request.name} was lost ({why}): it may have been done. "
            "The next run finds out before anything is sent again.",
        )


class Poster:
    """Notices to an address that a person named: one try, a short time-out, no redirect followed.

    Raises UsageError for an address that is not https (plain http is for this machine only), and
    RuntimeError that names the status or the kind of failure, never the address: it may hold a token.
    """

    TIMEOUT = 15.0

    def __init__(self, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._transport = transport

    async def post(self, url: str, body: Mapping[str, Any]) -> None:
        await self._send("POST", url, orjson.dumps(dict(body), default=str))

    async def get(self, url: str) -> None:
        await self._send("GET", url, None)

    async def _send(self, method: str, url: str, content: bytes | None) -> None:
        if not _for_notices(url):
            raise UsageError("the address of a notification begins with https:// (plain http: this machine only)")
        headers = {"Content-Type": "application/json"} if content is not None else {}
        try:
            async with asyncio.timeout(self.TIMEOUT * OVERALL_FACTOR):
                # What it answers is not wanted, and not read: only its status counts.
                async with (
                    httpx.AsyncClient(timeout=self.TIMEOUT, transport=self._transport) as client,
                    client.stream(method, url, content=content, headers=headers) as response,
                ):
                    status = response.status_code
        except (httpx.HTTPError, TimeoutError) as error:
            failed = type(error).__name__
        else:
            failed = f"answered with HTTP {status}" if status >= 300 else ""
        if failed:
            raise RuntimeError(failed)


def _for_notices(url: str) -> bool:
    try:
        target = httpx.URL(url)
    except (httpx.InvalidURL, TypeError):
        return False
    return bool(target.host) and (target.scheme == "https" or (target.scheme == "http" and is_loopback(target.host)))


# -- small parts -----------------------------------------------------------------------------------


def is_loopback(host: str) -> bool:
    """Whether a host is this machine: localhost, 127.x.x.x or ::1."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _checked(side: Side, base_url: str, allow_plain_http: bool) -> httpx.URL:
    try:
        url = httpx.URL(base_url)
    except (httpx.InvalidURL, TypeError):
        url = httpx.URL("")
    who = SIDE_NAMES[side]
    if url.scheme not in ("http", "https") or not url.host:
        raise UsageError(f"The address of {who} is not a web address that begins with https://")
    if url.scheme == "http" and not allow_plain_http and not is_loopback(url.host):
        raise UsageError(f"The address of {who} is plain http; that is accepted for this machine only, or by setting")
    return url


def _tls(ca_file: str | None) -> ssl.SSLContext | bool:
    return True if ca_file is None else ssl.create_default_context(cafile=ca_file)


def _http_date(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _target(reply: Reply) -> str:
    """Where a redirect points, by host only: the rest may hold a token."""
    try:
        host = httpx.URL(reply.headers.get("location", "")).host
    except httpx.InvalidURL:
        host = ""
    return f" to {safe_line(host, 80)}" if host else ""
