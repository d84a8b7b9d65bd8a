"""The emulated Ajera as an ASGI application: one endpoint, HTTP 200 and an envelope for everything (contract 1 to 5)."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from core.quirks.ajera import AjeraQuirks
from core.sandbox.ajera.call import AUTH_ERROR, INVALID_DATA, Call, Method, Refused, Session, is_int
from core.sandbox.ajera.data import AjeraData
from core.sandbox.ajera.ledger import Entry, keep, summary
from core.sandbox.ajera.methods import METHODS
from core.sandbox.ajera.sessions import Sessions
from core.sandbox.ajera.throttle import Throttle
from core.sandbox.ajera.wire import dump, failure, names_this_database, read_body, success, url_path

log = logging.getLogger(__name__)

Reply = dict[str, Any]


class FaultHook(Protocol):
    """The seam for tests and rehearsals; calls are numbered from 1 in the order they arrive.

    `before` runs before the method has done anything, `after` once it is done. Either may return a reply object or a
    Starlette Response that is sent instead (from `before`: the method never runs; from `after`: it ran and its answer
    is lost), return None to let the call go on, or raise: the connection breaks without an answer.
    """

    async def before(self, call_no: int, method: str, args: Mapping[str, Any]) -> Reply | Response | None: ...

    async def after(
        self, call_no: int, method: str, args: Mapping[str, Any], response: Reply
    ) -> Reply | Response | None: ...


class AjeraServer:
    """Everything between the socket and the books: address, rate, session, dispatch, paging, ledger."""

    def __init__(
        self,
        data: AjeraData,
        quirks: AjeraQuirks,
        rate: float,
        delay_ms: int,
        clock: Callable[[], datetime],
        faults: FaultHook | None,
    ) -> None:
        data.quirks = quirks
        self.data = data
        self.quirks = quirks
        self.sessions = Sessions(data, quirks, clock)
        self.throttle = Throttle(rate)
        self.delay = delay_ms / 1000
        self.faults = faults
        self.ledger: list[Entry] = []
        self.calls = 0

    async def endpoint(self, request: Request) -> Response:
        self.calls += 1
        number = self.calls
        refused = await self._pass_throttle()
        if refused is not None:
            return refused
        if not names_this_database(request.url.query.encode(), self.data):
            return _answer(failure([Refused("Unable to authenticate user", AUTH_ERROR)], self.quirks))
        body = read_body(await request.body(), self.quirks)
        if body is None or not isinstance(body.get("Method"), str):
            return _answer(failure([Refused(INVALID_DATA)], self.quirks))
        return await self._answer_call(number, body, str(request.url))

    async def _pass_throttle(self) -> Response | None:
        if self.quirks.throttle == "wait" or not self.throttle.wait_needed():
            await self.throttle.enter()
            return None
        if self.quirks.throttle == "429":
            return Response(status_code=429, headers={"Retry-After": "1"})
        return _answer(failure([Refused("Too many requests.")], self.quirks))

    async def _answer_call(self, number: int, body: Reply, url: str) -> Response:
        method = body["Method"]
        args = body.get("MethodArguments")
        seen: Mapping[str, Any] = args if isinstance(args, dict) else {}
        try:
            instead = await self.faults.before(number, method, seen) if self.faults else None
            if instead is None:
                if self.delay:
                    await asyncio.sleep(self.delay)
                reply = self._reply(number, body, url)
                instead = await self.faults.after(number, method, seen, reply) if self.faults else None
                instead = reply if instead is None else instead
        except Exception as error:
            return _Cut(error)
        return _answer(instead)

    def _reply(self, number: int, body: Reply, url: str) -> Reply:
        method = body["Method"]
        try:
            if method == "CreateAPISession":
                return success(self.sessions.create(body, url), self.quirks, login=True)
            if method == "EndAPISession":
                return success(self.sessions.end(body.get("SessionToken")), self.quirks)
            session = self.sessions.find(body.get("SessionToken"))
            found = self._method(method, session)
            if found is None:
                return success({}, self.quirks)
            return self._run(number, found, self._call(body, session), body)
        except Refused as refused:
            return failure([refused], self.quirks)
        except Exception as error:
            # A bug of the sandbox must not look like a broken network: answer as a server in trouble, and say so.
            # Only kind and place are logged: the message may hold record data, and a rehearsal holds real records.
            place = traceback.extract_tb(error.__traceback__)[-1]
            log.error("the emulated Ajera failed: %s at %s:%s", type(error).__name__, place.name, place.lineno)
            return failure([Refused("An error has occurred.")], self.quirks)

    def _method(self, name: str, session: Session) -> Method | None:
        """The method, if this user may call it on this version. None: the instance answers with empty Content."""
        found = METHODS.get(name)
        if found is None or (session.methods is not None and name not in session.methods):
            if self.quirks.unknown_method == "empty":
                return None
            raise Refused(f"Unauthorized method: {name}", AUTH_ERROR)
        accepted = session.version == 2 and self.quirks.v1_on_v2 == "accept"
        if session.version not in found.versions and not accepted:
            other = 3 - session.version
            raise Refused(
                f"Unauthorized method {name} for api version {session.version} but is supported with api "
                f"version {other}",
                AUTH_ERROR,
            )
        return found

    def _call(self, body: Reply, session: Session) -> Call:
        args = body.get("MethodArguments")
        if args is None and self.quirks.method_arguments == "optional":
            args = {}
        if not isinstance(args, dict):
            raise Refused(INVALID_DATA)
        return Call(self.data, self.quirks, session, body["Method"], args)

    def _run(self, number: int, method: Method, call: Call, body: Reply) -> Reply:
        with self.data.recording() as changes:
            try:
                content = method.handler(call)
            except Refused as refused:
                call.errors.append(refused)
                content = {}
        reply = self._envelope(call, content)
        if call.method.startswith("List") and not call.errors:
            _page(reply, body)
        keep(
            self.ledger,
            Entry(
                number,
                call.session.user,
                call.version,
                call.method,
                summary(call.args),
                method.writes,
                reply["ResponseCode"],
                tuple(changes),
            ),
        )
        return reply

    def _envelope(self, call: Call, content: Reply) -> Reply:
        if not call.errors:
            return success(content, self.quirks)
        if self.quirks.per_record_errors == "success" and content:
            reply = success(content, self.quirks)
            return {**reply, "Errors": failure(call.errors, self.quirks)["Errors"]}
        return failure(call.errors, self.quirks, content)


def _page(reply: Reply, body: Reply) -> None:
    """Paging properties sit beside Method, and PageSize, PageNumber, PageCount come back there (contract 3.1, 3.2)."""
    if body.get("PageResults") is not True:
        return
    number, size = body.get("PageNumber", 1), body.get("PageSize", 10)
    rows = next((n for n, v in reply["Content"].items() if isinstance(v, list)), None)
    if rows is None or not is_int(number) or not is_int(size) or number < 1 or size < 1:
        return
    everything = reply["Content"][rows]
    reply["Content"][rows] = everything[(number - 1) * size : number * size]
    reply.update({"PageSize": size, "PageNumber": number, "PageCount": -(-len(everything) // size)})


class _Cut(Response):
    """A connection that breaks after the first bytes: the server closes it, in process the error reaches the caller."""

    def __init__(self, error: Exception) -> None:
        super().__init__(headers={"content-length": "64"})
        self.error = error

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  Starlette's shape
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        raise self.error


def _answer(reply: Reply | Response) -> Response:
    if isinstance(reply, Response):
        return reply
    return Response(dump(reply), media_type="application/json")


def ajera_app(
    data: AjeraData,
    quirks: AjeraQuirks | None = None,
    *,
    rate: float = 9.0,
    delay_ms: int = 0,
    clock: Callable[[], datetime] | None = None,
    faults: FaultHook | None = None,
) -> Starlette:
    """The application. `app.state.server` is the AjeraServer; `app.state.ledger` and `app.state.data` are its parts.

    `rate` is calls a second (0: no limit), `delay_ms` is added to every reply, `clock` (default: the data's) decides
    when sessions end.
    """
    server = AjeraServer(data, quirks or AjeraQuirks(), rate, delay_ms, clock or data.clock, faults)
    app = Starlette(
        routes=[
            Route("/AjeraAPI.ashx", server.endpoint, methods=["POST"]),
            Route("/V{version:int}/AjeraAPI.ashx", server.endpoint, methods=["POST"]),
        ]
    )
    app.state.server = server
    app.state.ledger = server.ledger
    app.state.data = data
    return app


__all__ = ["AjeraServer", "FaultHook", "ajera_app", "url_path"]
