"""The emulated REST API as an ASGI application under ``/sandbox/api``.

Run it with ``date_header=False`` on servers that add their own Date header: this one sends the tenant's clock.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Protocol
from urllib.parse import quote, unquote

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.quirks.crm import CrmQuirks
from core.sandbox.crm.children import LISTS, QUALIFY
from core.sandbox.crm.codes import code_table, organizations
from core.sandbox.crm.data import CrmData
from core.sandbox.crm.dialect import Dialect
from core.sandbox.crm.hubs import create_one, delete_one, existing, hierarchy, list_hub, read_one, update_one
from core.sandbox.crm.metadata import metadata
from core.sandbox.crm.nested import add_row
from core.sandbox.crm.replies import Refusal, json_reply, refusal_reply
from core.sandbox.crm.schema import HUBS
from core.sandbox.crm.tenant import Call, Tenant, make_call
from core.sandbox.crm.tokens import TokenDesk
from core.sandbox.crm.views import shown

PREFIX = "/sandbox/api"
_METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH"]


class Faults(Protocol):
    """The numbered fault seam. Either method may raise, or return a Response that is sent instead.

    A reply from `before` means that the server never acted; one from `after` replaces the reply of an act that was done.
    """

    async def before(self, call_no: int, method: str, path: str, body: bytes) -> Response | None: ...

    async def after(
        self, call_no: int, method: str, path: str, body: bytes, status: int, response: Response
    ) -> Response | None: ...


class CrmServer:
    """Answers requests for one tenant and counts them."""

    def __init__(self, data: CrmData, quirks: CrmQuirks, delay_ms: int, faults: Faults | None) -> None:
        self.tenant = Tenant(data, quirks, Dialect(data, quirks))
        self.desk = TokenDesk(data, quirks)
        self.delay_ms, self.faults = delay_ms, faults
        self.calls = 0
        data.recording = True
        data.parent_stamp_moves, data.custom_stamp_moves = quirks.parent_stamp_moves, quirks.custom_stamp_moves

    async def endpoint(self, request: Request) -> Response:
        """One request, through the delay and the fault seam."""
        self.calls += 1
        number, method, body = self.calls, request.method, await request.body()
        path = f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
        if self.delay_ms:
            await asyncio.sleep(self.delay_ms / 1000)
        if self.faults is not None:
            replaced = await self.faults.before(number, method, path, body)
            if replaced is not None:
                return replaced
        response = self.answer(request, body)
        if self.faults is not None:
            replaced = await self.faults.after(number, method, path, body, response.status_code, response)
            response = response if replaced is None else replaced
        return response

    def answer(self, request: Request, body: bytes) -> Response:
        """The reply of the emulated server, with the Date of its own clock."""
        try:
            response = self._route(request, body)
        except Refusal as refusal:
            response = refusal_reply(refusal)
        response.headers["Date"] = format_datetime(self.tenant.data.clock().astimezone(UTC), usegmt=True)
        return response

    def _route(self, request: Request, body: bytes) -> Response:
        parts = _parts(request)
        if parts and parts[0].lower() == "token":
            if request.method != "POST":
                raise Refusal(405, f"The requested resource does not support http method '{request.method}'.")
            return self.desk.grant(body)
        user = self.desk.check(request.headers.get("authorization", ""))
        as_get = request.headers.get("dvp-postasget", "").lower() == "true"
        call = make_call(request.method, parts, request.url.query, body, as_get, user)
        if call.method != "GET" and self.tenant.quirks.login_rights == "read":
            raise Refusal(403, "You do not have the rights to perform this action.")
        return dispatch(self.tenant, call, _base(request))


def _parts(request: Request) -> tuple[str, ...]:
    """Path parts below the base, each decoded by itself so that a key may hold a slash."""
    raw = request.scope.get("raw_path") or quote(request.url.path).encode()
    path = raw.split(b"?", 1)[0].decode("ascii", "replace")[len(PREFIX) :]
    return tuple(unquote(part) for part in path.split("/") if part)


def _base(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}{PREFIX}"


def dispatch(tenant: Tenant, call: Call, base: str) -> Response:
    """The reply to an authorised call. Refusal 404 for a path, 405 for a method that the API does not have."""
    head = call.parts[0].lower() if call.parts else ""
    if head in HUBS:
        return _hub(tenant, head, call, f"{base}/{head}")
    if head == "codetable" and call.method in ("GET", "POST", "PUT", "DELETE"):
        return code_table(tenant, call, f"{base}/codeTable")
    readers: dict[str, Callable[[Tenant, Call], Response]] = {"metadata": metadata, "organization": organizations}
    if head in readers and call.method == "GET":
        return readers[head](tenant, call)
    raise _no_such(call) if head not in readers else _no_method(call)


def _hub(tenant: Tenant, hub: str, call: Call, at: str) -> Response:
    method, parts = call.method, call.parts
    if len(parts) == 1:
        if method == "GET":
            return list_hub(tenant, hub, call)
        if method == "POST":
            return create_one(tenant, hub, call, at)
        raise _no_method(call)
    if len(parts) == 2:
        return _one(tenant, hub, call, at)
    if hub == "project" and parts[1].lower() == "hierarchy" and method == "GET":
        return hierarchy(tenant, parts[2], call)
    return _below(tenant, hub, call, at)


def _one(tenant: Tenant, hub: str, call: Call, at: str) -> Response:
    key = call.parts[1]
    if call.method == "GET":
        return read_one(tenant, hub, key, call)
    if call.method == "PUT":
        return update_one(tenant, hub, key, call, at)
    if call.method == "DELETE":
        return delete_one(tenant, hub, key, call)
    raise _no_method(call)


def _below(tenant: Tenant, hub: str, call: Call, at: str) -> Response:
    name, key = call.parts[2].lower(), existing(tenant, hub, call.parts[1])
    if call.method == "GET" and (hub, name) in LISTS:
        return LISTS[hub, name](tenant, key, call)
    if call.method == "POST" and (hub, name) == ("firm", "address"):
        return _add_address(tenant, key, call, f"{at}/{quote(key, safe='')}/address")
    if call.method == "POST" and hub == "contact" and name in QUALIFY:
        changes = {"QualifiedStatus": QUALIFY[name], "StatusDate": tenant.data.clock()}
        tenant.data.edit("contact", key, changes, call.user, via="api")
        return read_one(tenant, hub, key, call)
    raise _no_method(call) if (hub, name) in LISTS else _no_such(call)


def _add_address(tenant: Tenant, key: str, call: Call, at: str) -> Response:
    made = add_row(tenant, key, "address", call.document(), call)
    rows: list[dict[str, Any]] = shown(
        tenant.dialect, "address", [tenant.data.tables["address"][made]], call.query.fields
    )
    return json_reply(rows, 201, {"Location": f"{at}/{made}"})


def _no_such(call: Call) -> Refusal:
    return Refusal(404, f"No HTTP resource was found that matches the request URI '{'/'.join(call.parts)}'.")


def _no_method(call: Call) -> Refusal:
    return Refusal(405, f"The requested resource does not support http method '{call.method}'.")


def crm_app(
    data: CrmData,
    quirks: CrmQuirks | None = None,
    *,
    delay_ms: int = 0,
    clock: Callable[[], datetime] | None = None,
    faults: Faults | None = None,
) -> Starlette:
    """The ASGI application. `clock` replaces the data's; `app.state.server` counts calls, `app.state.data` is the data.

    From here on every write is recorded in `data.ledger`.
    """
    if clock is not None:
        data.clock = clock
    server = CrmServer(data, quirks or CrmQuirks(), delay_ms, faults)
    app = Starlette(routes=[Route(PREFIX + "/{rest:path}", server.endpoint, methods=_METHODS)])
    app.state.server, app.state.data, app.state.ledger = server, data, data.ledger
    return app
