"""The wire: whom the program talks to, and what a server can do to it. Real sockets, real TLS."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from pathlib import Path
from typing import Any

import pytest

from core import http as http_module
from core.errors import BadReply, OutcomeUnknown, SettingsError, Unreachable, UsageError
from core.http import Http, Poster, Request
from core.model.values import Side
from core.paths import Paths
from core.sandbox.options import SandboxError, SandboxOptions
from core.sandbox.serve import Sandbox
from core.settings import settings_from
from tests.security.wire import answer, certificate, server
from tests.unit.cli_kit import call

READ = Request("GET", "", name="GetFirms", reading=True)
WRITE = Request("PUT", "/firm/1", json={"Name": "x"}, name="PutFirm", reading=False)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_module, "BACKOFF_FIRST", 0.001)


async def send(address: str, request: Request = READ, **more: Any) -> Any:
    http = Http(Side.CRM, address, timeout=more.pop("timeout", 5), **more)
    try:
        return (await http.send(request)).json()
    finally:
        await http.close()


# -- whom it talks to --------------------------------------------------------------------------------


async def test_a_certificate_nobody_vouches_for_is_refused_and_an_own_authority_is_taken(tmp_path: Path) -> None:
    cert, context = certificate(tmp_path)
    async with server(answer(b"[1]"), context) as port:
        address = f"https://127.0.0.1:{port}/api"
        with pytest.raises(Unreachable, match=r"(?i)certificate"):
            await send(address)
        assert await send(address, ca_file=str(cert)) == [1]
        with pytest.raises(RuntimeError, match="ConnectError"):
            await Poster().post(address, {})


async def test_a_certificate_of_another_host_is_refused(tmp_path: Path) -> None:
    cert, context = certificate(tmp_path, host="other.example")
    async with server(answer(b"[1]"), context) as port:
        with pytest.raises(Unreachable, match=r"(?i)certificate|mismatch"):
            await send(f"https://127.0.0.1:{port}/api", ca_file=str(cert))


async def test_tls_below_1_2_is_refused(tmp_path: Path) -> None:
    import ssl
    import warnings

    for ca_file in (None, str(certificate(tmp_path)[0])):
        context = Http(Side.CRM, "https://a.example/api", ca_file=ca_file)._client._transport._pool._ssl_context  # type: ignore[attr-defined]
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


async def test_a_redirect_to_another_host_is_not_followed_and_hears_nothing() -> None:
    heard: list[bytes] = []

    async def other(head: bytes, writer: asyncio.StreamWriter) -> None:
        heard.append(head)

    async with server(other) as theirs:
        moved = answer(b"", f"Location: http://localhost:{theirs}/api?token=abc", status="307 Temporary Redirect")
        async with server(moved) as port:
            for request in (READ, WRITE):
                with pytest.raises(BadReply, match="not followed") as caught:
                    await send(f"http://127.0.0.1:{port}/api", request)
                assert "abc" not in str(caught.value)
            with pytest.raises(RuntimeError, match="307"):
                await Poster().post(f"http://127.0.0.1:{port}/hook", {})
    assert heard == []


@pytest.mark.parametrize(
    "address",
    ["http://192.0.2.1/api", "http://localhost.example/api", "http://127.0.0.1.example/", "http://0.0.0.0/", "ftp://a/",
     "http://[::ffff:192.0.2.1]/api", "http://127.0.0.1@192.0.2.1/", "//a.example", "file:///etc/passwd"],
)  # fmt: skip
async def test_plain_http_beyond_this_machine_is_refused(tmp_path: Path, address: str) -> None:
    with pytest.raises(UsageError):
        Http(Side.CRM, address)
    with pytest.raises(UsageError):
        await Poster().post(address, {})
    system = {"url": address, "username": "u", "password": "p"}
    crm = system | {"database": "d", "client_id": "c", "client_secret": "s"}
    with pytest.raises(SettingsError) as caught:
        settings_from({"ajera": system, "crm": crm}, Paths("p", tmp_path / "c.toml", tmp_path))
    assert sum(problem.where.endswith(".url") for problem in caught.value.problems) == 2


def test_plain_http_is_allowed_for_one_named_host_only(tmp_path: Path) -> None:
    system = {"url": "http://a.example/", "username": "u", "password": "p", "allow_plain_http": "b.example"}
    with pytest.raises(SettingsError):
        settings_from({"ajera": system}, Paths("p", tmp_path / "c.toml", tmp_path))


# -- what a server can do to it ----------------------------------------------------------------------


def bomb(layers: int) -> bytes:
    """A few kilobytes that unpack to 64 MB."""
    body = b"\0" * (64 * 1024 * 1024)
    for _ in range(layers):
        body = gzip.compress(body, 9)
    return body


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
async def test_a_small_reply_that_unpacks_to_a_large_one_is_given_up(coding: str) -> None:
    body = zlib.compress(b"\0" * 64 * 1024 * 1024, 9) if coding == "deflate" else bomb(1)
    assert len(body) < 100_000
    async with server(answer(body, f"Content-Encoding: {coding}")) as port:
        with pytest.raises(BadReply, match="larger than"):
            await send(f"http://127.0.0.1:{port}/api", max_bytes=1_000_000)
        with pytest.raises(OutcomeUnknown, match="larger than"):
            await send(f"http://127.0.0.1:{port}/api", WRITE, max_bytes=1_000_000)
        await Poster().post(f"http://127.0.0.1:{port}/api", {})  # its answer is not read


@pytest.mark.parametrize("coding", ["gzip, gzip", "gzip,deflate", "br", "zstd", "gzip , gzip, gzip"])
async def test_codings_in_codings_are_not_unpacked_at_all(coding: str) -> None:
    """Each layer multiplies by a thousand, before any bound on the size is asked."""
    async with server(answer(bomb(2), f"Content-Encoding: {coding}")) as port:
        with pytest.raises(BadReply, match="decompressed"):
            await send(f"http://127.0.0.1:{port}/api")


async def test_a_flood_of_headers_is_given_up() -> None:
    async def flood(_head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while not writer.is_closing():
            writer.write(b"X-Flood: " + b"x" * 8000 + b"\r\n")
            await writer.drain()

    async with server(flood) as port:
        with pytest.raises(Unreachable):
            await send(f"http://127.0.0.1:{port}/api")


async def test_an_endless_reply_is_given_up() -> None:
    async def endless(_head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
            await writer.drain()

    async with server(endless) as port:
        with pytest.raises(BadReply, match="larger than"):
            await send(f"http://127.0.0.1:{port}/api", max_bytes=1_000_000)


@pytest.mark.parametrize("first", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n["])
async def test_a_reply_that_stops_times_out(first: bytes) -> None:
    gone = asyncio.Event()

    async def slow(_head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        await writer.drain()
        await gone.wait()

    async with server(slow) as port:
        with pytest.raises(OutcomeUnknown, match="in time"):
            await send(f"http://127.0.0.1:{port}/api", WRITE, timeout=0.2)
        with pytest.raises(Unreachable, match="did not answer"):
            await send(f"http://127.0.0.1:{port}/api", timeout=0.05)
        gone.set()


async def test_a_reply_that_drips_for_ever_times_out_as_a_whole() -> None:
    async def drip(_head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while not writer.is_closing():
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with server(drip) as port:
        with pytest.raises(OutcomeUnknown, match="in time"):
            await send(f"http://127.0.0.1:{port}/api", WRITE, timeout=0.15)


async def test_a_page_with_status_200_is_no_answer() -> None:
    page = answer(b"<html>sign in</html>", "Content-Type: text/html")
    async with server(page) as port:
        with pytest.raises(BadReply, match="text/html"):
            await send(f"http://127.0.0.1:{port}/api")


async def test_a_write_whose_answer_is_cut_off_may_have_landed() -> None:
    async with server(answer(b'{"a": ', length=100)) as port:
        with pytest.raises(OutcomeUnknown, match="may have been done"):
            await send(f"http://127.0.0.1:{port}/api", WRITE)


@pytest.mark.parametrize("text", ["1e999999999", "1e99999999999999999999", "-1E-999999999", "NaN", "Infinity"])
async def test_a_number_that_would_fill_the_memory_is_no_answer(text: str) -> None:
    async with server(answer(f'{{"a": [{text}]}}'.encode())) as port:
        http = Http(Side.CRM, f"http://127.0.0.1:{port}/api")
        reply = await http.send(READ)
        with pytest.raises(BadReply):
            reply.json(exact=True)
        await http.close()


# -- what listens ------------------------------------------------------------------------------------


async def test_the_sandbox_listens_on_this_machine_only() -> None:
    async with Sandbox(SandboxOptions(rate=0, firms=0, contacts=0, projects=0, employees=0)) as sandbox:
        hosts = {running._sock.getsockname()[0] for running in sandbox._servers}
    assert hosts == {"127.0.0.1"}


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "", "example.com"])
def test_the_sandbox_listens_elsewhere_only_when_told(host: str) -> None:
    with pytest.raises(SandboxError, match="not a loopback"):
        SandboxOptions(host=host).check()
    SandboxOptions(host=host, allow_remote=True).check()
    said = call("sandbox", "--host", host)
    assert said.code == 2
    assert "loopback" in said.err


def test_nothing_of_the_program_opens_a_listening_socket_elsewhere() -> None:
    """Whoever adds one has to come here: all servers are started by the sandbox's `listen` or `serve` (tests/tui/test_serve.py)."""
    root = Path(__file__).parents[2]
    words = ("create_server", "start_server", "bind((", "uvicorn", "HTTPServer", "textual_serve")
    places = {
        str(path.relative_to(root))
        for folder in ("core", "tui")
        for path in (root / folder).rglob("*.py")
        if any(word in path.read_text(encoding="utf-8") for word in words)
    }
    assert places <= {"core/sandbox/server.py", "tui/serve.py", "tui/serve_guard.py"}, places
    for name in places - {"core/sandbox/server.py"}:  # its own test is above
        assert 'HOST: Final = "127.0.0.1"' in (root / name).read_text(encoding="utf-8")
