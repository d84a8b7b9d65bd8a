"""The UI in a browser on this machine: Textual's own server, on loopback only, behind tui.serve_guard."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import socket
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from core.engine.service import Service
    from tui.serve_guard import GuardedServer

HOST: Final = "127.0.0.1"
PAGE: Final = "--served-page"  # how a page's program is started; its arguments follow
MISSING: Final = (
    "`ajerasync serve` needs the package textual-serve, which is not installed here. Install the program with it: "
    "pipx install '.[serve]', uv tool install '.[serve]', or pipx inject ajerasync textual-serve"
)


def serve_ui(words: Sequence[str], port: int, say: Callable[[object], None]) -> int:
    """Serve until SIGINT or SIGTERM; the exit code. Raises UsageError where it cannot begin.

    `words` are the arguments of each page's program. The address is said once the server answers.
    """
    if find_spec("textual_serve") is None:
        raise UsageError(MISSING)
    from tui.serve_guard import GuardedServer

    listening = _listen(port)
    try:
        server = GuardedServer(shlex.join([sys.executable, "-m", "tui", PAGE, *words]), listening)
        asyncio.run(_until_stopped(server, listening, say))
    finally:
        listening.close()
    return 0


def _listen(port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, port))
    except OSError as error:
        listening.close()
        raise UsageError(f"Port {port} of {HOST} cannot be used: {error.strerror}. Name another with --port") from None
    return listening


async def _until_stopped(server: GuardedServer, listening: socket.socket, say: Callable[[object], None]) -> None:
    from aiohttp import web

    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stopped.set)
    runner = web.AppRunner(await server.application(), access_log=None, shutdown_timeout=5.0)
    await runner.setup()
    try:
        await web.SockSite(runner, listening).start()
        say(f"The UI is at {server.address}")
        say("Whoever has this address can do what you can. Ctrl-C ends it.")
        await stopped.wait()
    finally:
        await server.end_pages()
        await runner.cleanup()


# -- the program of one page -------------------------------------------------------------------------------------------


def open_page(open_service: Callable[[], Service], /, *, readonly: bool, ascii: bool, plain: bool, mouse: bool) -> int:  # noqa: A002, ARG001
    """Open the UI on the server's pipe until the page is closed; the exit code."""
    from textual.drivers.web_driver import WebDriver

    from tui.app import AjerasyncApp
    from tui.themes import choose_glyphs, use_glyphs, wants_plain

    use_glyphs(choose_glyphs(ascii_only=ascii, encoding="utf-8"))
    if plain:
        os.environ["NO_COLOR"] = "1"

    async def until_closed() -> int:
        service = open_service()
        try:
            app = AjerasyncApp(service, plain=wants_plain(plain=plain), driver_class=WebDriver)
            await app.run_async(mouse=mouse)
            return app.return_code or 0
        finally:
            await service.close()

    return asyncio.run(until_closed())
