"""One ASGI application on one listening socket, inside the loop that is running."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Generator
from typing import Any

import uvicorn

from core.sandbox.options import SandboxError

GRACE_SECONDS = 2


class _Server(uvicorn.Server):
    """Uvicorn that leaves signals to the program and tells when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.listening.set()


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 picks one. SandboxError if the port is taken or the host is not ours."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        raise SandboxError([f"cannot listen on {host}:{port}: {error.strerror or error}"]) from error


def origin(sock: socket.socket, host: str) -> str:
    """``http://host:port`` of a listening socket."""
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{sock.getsockname()[1]}"


class AppServer:
    """A running application; ``start`` returns when it accepts requests.

    The Date header is the application's own: an emulated system has a clock of its own.
    """

    def __init__(self, app: Any, sock: socket.socket) -> None:
        config = uvicorn.Config(
            app,
            log_config=None,
            log_level="warning",
            access_log=False,
            date_header=False,
            server_header=False,
            ws="none",
            timeout_graceful_shutdown=GRACE_SECONDS,
            timeout_keep_alive=75,
        )
        self._server, self._sock = _Server(config), sock
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to serve. Whatever keeps the server from starting is raised."""
        self._task = asyncio.create_task(self._server.serve(sockets=[self._sock]))
        listening = asyncio.create_task(self._server.listening.wait())
        try:
            await asyncio.wait({self._task, listening}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            listening.cancel()
        if self._task.done():
            self._task.result()
            raise SandboxError(["the server ended before it listened"])

    async def stop(self) -> None:
        """Finish what is being answered, then close."""
        if self._task is not None:
            self._server.should_exit = True
            await self._task
        self._sock.close()
