"""Textual's own server for who has the key of the address.

As it comes, that server lets every local user and every web page that the browser has open drive the program (it asks
for no login and looks at no Origin), and its page fetches a font from elsewhere. Here a key that is made at the start
is asked for once and kept as a cookie, Host and Origin must be ours, and the page may load nothing from anywhere else.
Imported only where the optional packages aiohttp and textual-serve are there.
"""

from __future__ import annotations

import contextlib
import hmac
import secrets
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from aiohttp import web
from textual_serve.server import Server

if TYPE_CHECKING:
    import socket

    from textual_serve.app_service import AppService

HOST: Final = "127.0.0.1"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class GuardedServer(Server):
    """`command` is the program of each page. `address` is what the operator is told."""

    def __init__(self, command: str, listening: socket.socket) -> None:
        port = listening.getsockname()[1]
        super().__init__(command, host=HOST, port=port, title="ajerasync", public_url=f"http://{HOST}:{port}")
        self.key = secrets.token_urlsafe(24)
        self.cookie = f"ajerasync_{port}"
        self._pages: set[web.WebSocketResponse] = set()

    @property
    def address(self) -> str:
        return f"{self.public_url}/?key={self.key}"

    async def application(self) -> web.Application:
        """Textual's pages, each request guarded."""

        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self._guard(request, handler)

        app = await self._make_app()
        app.middlewares.append(guard)
        app.on_response_prepare.append(self._add_headers)
        return app

    async def on_startup(self, app: web.Application) -> None:
        """It would print a banner."""

    async def end_pages(self) -> None:
        """Close every page, which ends its program."""
        for page in list(self._pages):
            with contextlib.suppress(ConnectionError):
                await page.close()

    async def _process_messages(self, websocket: web.WebSocketResponse, app_service: AppService) -> None:
        self._pages.add(websocket)
        try:
            await super()._process_messages(websocket, app_service)
        finally:
            self._pages.discard(websocket)

    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.headers.get("Host") != f"{HOST}:{self.port}":
            return _refused("Open the address as it was said.")
        if request.path == "/" and self._is_key(request.query.get("key")):
            return self._let_in()
        if not self._is_key(request.cookies.get(self.cookie)):
            return _refused("Open the whole address that `ajerasync serve` said, its key included.")
        if request.headers.get("Origin", self.public_url) != self.public_url:
            return _refused("Another page may not drive this program.")
        if request.path == "/ws" and request.headers.get("Upgrade", "").lower() != "websocket":
            return web.Response(status=400, text="This is for the page's own use.\n")
        return await handler(request)

    def _is_key(self, given: str | None) -> bool:
        return given is not None and hmac.compare_digest(given.encode(), self.key.encode())

    def _let_in(self) -> web.Response:
        """The key becomes a cookie, so that it stays neither in the address bar nor in the history."""
        response = web.Response(status=303, headers={"Location": "/"})
        response.set_cookie(self.cookie, self.key, httponly=True, samesite="Strict")
        return response

    async def _add_headers(self, _request: web.Request, response: web.StreamResponse) -> None:
        response.headers["Content-Security-Policy"] = (
            "default-src 'self'; style-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline'; "
            f"img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' ws://{HOST}:{self.port}; "
            "frame-ancestors 'none'; form-action 'none'; base-uri 'none'"
        )
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Cache-Control"] = "no-store"


def _refused(words: str) -> web.Response:
    return web.Response(status=403, text=f"{words}\n")
