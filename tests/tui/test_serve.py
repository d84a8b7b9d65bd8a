"""`ajerasync serve`: who is let in; and, where there is a Chromium, the UI in a real browser."""

from __future__ import annotations

import asyncio
import base64
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pyte
import pytest

from core.sandbox.serve import SandboxOptions, SandboxThread
from tests.unit.cli_kit import call

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PATIENCE = 40.0


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("serve")
    with SandboxThread(SandboxOptions(firms=8, contacts=8, projects=6, employees=3, rate=0)) as sandbox:
        path = folder / "config.toml"
        path.write_text(sandbox.config_toml(), encoding="utf-8")
        path.chmod(0o600)
        yield path


@contextmanager
def serving(config: Path, *words: str) -> Iterator[str]:
    """The address that a running `serve` says. It must end well when it is told to end."""
    env = {**os.environ, "XDG_STATE_HOME": str(config.parent / "state")}
    process = subprocess.Popen(
        [sys.executable, "-m", "tui", "--config", str(config), "serve", "--port", "0", *words],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=env,
    )
    assert process.stderr is not None
    try:
        yield process.stderr.readline().split()[-1]
    finally:
        process.send_signal(signal.SIGINT)
        rest = process.communicate(timeout=20)[1]
    assert process.returncode == 0, rest
    assert "Traceback" not in rest


@pytest.fixture(scope="module")
def address(config: Path) -> Iterator[str]:
    with serving(config) as found:
        yield found


async def status(url: str, **headers: str) -> int:
    async with aiohttp.ClientSession() as client, client.get(url, headers=headers, allow_redirects=False) as reply:
        return reply.status


async def test_only_the_key_opens_the_door(address: str) -> None:
    root = address.split("?", maxsplit=1)[0]
    host = urlsplit(root).netloc
    key = parse_qs(urlsplit(address).query)["key"][0]
    cookie = f"ajerasync_{urlsplit(root).port}={key}"
    assert await status(root) == 403
    assert await status(f"{root}?key=wrong") == 403
    assert await status(f"{root}ws") == 403
    assert await status(f"{root}static/js/textual.js") == 403
    assert await status(address) == 303
    assert await status(root, Cookie=cookie) == 200
    assert await status(root, Cookie=cookie, Host="evil.example:80") == 403
    assert await status(f"{root}ws", Cookie=cookie, Origin="http://evil.example") == 403
    assert await status(f"{root}ws", Cookie=cookie, Origin=f"http://{host}") == 400  # let in, but no websocket


async def test_it_listens_on_this_machine_only(address: str) -> None:
    root = urlsplit(address)
    assert root.hostname == "127.0.0.1"
    with socket.socket() as other, pytest.raises(ConnectionRefusedError):
        other.connect(("127.0.0.2", root.port))


def test_a_port_that_is_taken_is_told(config: Path, address: str) -> None:
    port = str(urlsplit(address).port)
    done = subprocess.run(
        [sys.executable, "-m", "tui", "--config", str(config), "serve", "--port", port],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "Name another with --port" in done.stderr


def test_without_the_package_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from core.errors import UsageError
    from tui import serve

    monkeypatch.setattr(serve, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"pipx install '\.\[serve\]'"):
        serve.serve_ui([], 0, print)


def test_flags_and_settings_go_to_every_page(config: Path) -> None:
    from core.cli.app import cli
    from core.cli.context import Env

    asked: list[Any] = []

    def serve_ui(words: Any, port: int, say: Any) -> int:
        asked.append((list(words), port))
        return 0

    words = ["--config", str(config), "--profile", "x", "serve", "--port", "1234", "--readonly", "--ascii"]
    assert cli.main(words, standalone_mode=False, obj=Env(serve_ui=serve_ui)) == 0
    assert asked == [([f"--config={config}", "--profile=x", "--readonly", "--ascii"], 1234)]


def test_wrong_settings_are_told_before_it_serves(tmp_path: Path) -> None:
    said = call("--config", str(tmp_path / "none.toml"), "serve")
    assert said.code == 2


# -- a real browser ----------------------------------------------------------------------------------------------------


class Browser:
    """One page of a headless Chromium over its DevTools protocol; what the page's program paints, as text."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.session = ""
        self.sent = 0
        self.screen = pyte.Screen(80, 24)
        self.stream = pyte.ByteStream(self.screen)
        self.hosts: set[str] = set()

    async def ask(self, method: str, **params: Any) -> Any:
        """One command and its result; what comes meanwhile is taken in."""
        self.sent += 1
        number = self.sent
        body: dict[str, Any] = {"id": number, "method": method, "params": params}
        await self.socket.send_json(body | ({"sessionId": self.session} if self.session else {}))
        while True:
            message = await self.next()
            if message.get("id") == number:
                assert "error" not in message, message
                return message["result"]

    async def next(self) -> dict[str, Any]:
        message: dict[str, Any] = await self.socket.receive_json(timeout=PATIENCE)
        method, params = message.get("method"), message.get("params", {})
        if method == "Network.webSocketCreated":
            size = parse_qs(urlsplit(params["url"]).query)
            self.screen.resize(int(size["height"][0]), int(size["width"][0]))
        elif method == "Network.webSocketFrameReceived" and params["response"]["opcode"] == 2:
            self.stream.feed(base64.b64decode(params["response"]["payloadData"]))
        elif method == "Network.responseReceived":
            self.hosts.add(urlsplit(params["response"]["url"]).netloc)
        return message

    @property
    def text(self) -> str:
        return "\n".join(self.screen.display)

    async def until(self, words: str) -> None:
        async with asyncio.timeout(PATIENCE):
            while words not in self.text:
                await self.next()

    async def press(self, key: str) -> None:
        await self.ask("Runtime.evaluate", expression="document.querySelector('textarea').focus()")
        await self.ask("Input.dispatchKeyEvent", type="keyDown", key=key, text=key)
        await self.ask("Input.dispatchKeyEvent", type="keyUp", key=key)

    async def value(self, expression: str) -> Any:
        return (await self.ask("Runtime.evaluate", expression=expression))["result"].get("value")


@asynccontextmanager
async def browser(folder: Path) -> AsyncIterator[Browser]:
    words = ["--headless", "--no-sandbox", "--disable-gpu", "--window-size=1200,800", "--remote-debugging-port=0"]
    process = await asyncio.create_subprocess_exec(
        str(CHROMIUM), *words, f"--user-data-dir={folder}", "about:blank", stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    try:
        line = b""
        while b"DevTools listening on" not in line:
            line = await asyncio.wait_for(process.stderr.readline(), PATIENCE)
            assert line, "Chromium ended"
        async with (
            aiohttp.ClientSession() as client,
            client.ws_connect(line.split()[-1].decode(), max_msg_size=0) as ws,
        ):
            page = Browser(ws)
            target = await page.ask("Target.createTarget", url="about:blank")
            attached = await page.ask("Target.attachToTarget", targetId=target["targetId"], flatten=True)
            page.session = attached["sessionId"]
            for domain in ("Network", "Page", "Runtime"):
                await page.ask(f"{domain}.enable")
            yield page
    finally:
        process.terminate()
        await asyncio.wait_for(process.communicate(), 20)


if CHROMIUM:

    async def test_the_ui_lives_in_a_browser(config: Path, tmp_path: Path) -> None:
        with serving(config, "--readonly") as address:
            async with browser(tmp_path) as page:
                await page.ask("Page.navigate", url=address)
                await page.until("Firms")
                assert await page.value("location.search") == ""
                assert await page.value("document.cookie") == ""
                before = page.text
                await page.press("?")
                await page.until("type to search")
                assert page.text != before
                assert "-first-byte" in await page.value("document.body.className")
                assert page.hosts == {urlsplit(address).netloc}
                shot = await page.ask("Page.captureScreenshot")
                if "AJERASYNC_SHOT" in os.environ:
                    Path(os.environ["AJERASYNC_SHOT"]).write_bytes(base64.b64decode(shot["data"]))
