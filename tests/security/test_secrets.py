"""Passwords, client secrets, tokens, webhook addresses, social security numbers and pay are nowhere but where they belong.

Each command is run with every logger turned up; standard output and error, log lines, every byte of the state folder
and the error that ended it, with the locals of all its frames, are searched for canaries.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import HTMLResponse, JSONResponse, Response

from core.errors import SettingsError
from core.http import Poster
from core.paths import Paths
from core.secret import Hidden, Secret
from core.settings import load_settings
from tests.security.kit import CANARY, Guarded, found, guarded, with_locals
from tui.crash import write_report

ROOT = Path(__file__).parents[2]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Guarded]:
    with guarded(tmp_path, monkeypatch) as opened:
        import core.cli.app as app

        real = app.report

        def keep(error: Exception) -> int:
            opened.errors.append(error)
            return real(error)

        monkeypatch.setattr(app, "report", keep)
        yield opened


def tick(world: Guarded) -> None:
    for row in [r for r in world.call("list", "firm", "--json").json if r["crm_key"] and r["state"] == "unmarked"][:3]:
        assert world.call("mark", "firm", row["crm_key"]).code in (0, 2)


def test_nothing_leaks_when_all_goes_well(world: Guarded) -> None:
    assert "connected" not in world.call("info").out
    doctor = world.call("doctor", "--json")
    assert not any(check["state"] == "fail" for check in doctor.json if "login" in str(check)), doctor.out
    tick(world)
    assert world.call("plan", "--json").json["counts"]["create"]
    assert world.call("run", "--json").events[-1]["counts"]["create"]
    for words in (
        ["status", "--json"], ["info", "--json"], ["doctor"], ["log", "--level", "debug"], ["history", "--json"],
        ["list", "employee", "--json"], ["run", "--full", "--sweep"], ["errors", "--json"], ["links", "export", "-"],
    ):  # fmt: skip
        world.call(*words)
    for row in world.call("list", "employee", "--json").json:
        if row["ajera_key"]:
            world.call("show", "employee", row["ajera_key"], "--side", "ajera", "--json")


@pytest.mark.parametrize("words", [["plan"], ["run", "--json"], ["doctor"], ["doctor", "--json"]])
def test_nothing_leaks_when_the_login_is_refused(world: Guarded, words: list[str]) -> None:
    world.sandbox.ajera.password = world.sandbox.crm.password = "changed"
    assert world.call(*words).code == 3 or words[0] == "doctor"


SECRETS = {"ajera": f"{CANARY}-ajera-password", "crm": f"{CANARY}-crm-password {CANARY}-client-secret"}


def _said_back(side: str) -> JSONResponse:
    errors = [{"ErrorID": 1, "ErrorMessage": SECRETS[side]}]
    document = {"ResponseCode": 9, "Message": SECRETS[side], "Errors": errors, "error_description": SECRETS[side]}
    return JSONResponse(document, 200 if side == "ajera" else 400)


ODD_ANSWERS: dict[str, Any] = {
    "html": lambda _side: HTMLResponse("<html>Please sign in</html>"),
    "html that says secrets back": lambda side: HTMLResponse(f"<p>{SECRETS[side]}</p>"),
    "broken": lambda _side: Response(b"{", headers={"Content-Length": "9"}),
    "cut in the token": lambda _side: Response(b'{"Content": {"SessionToken": "' + CANARY.encode()),
    "cut in a long token": lambda _side: Response(b'{"access_token": "' + CANARY.encode() * 200),
    "a refusal that says secrets back": _said_back,
}


@pytest.mark.parametrize("name", list(ODD_ANSWERS))
def test_nothing_leaks_when_answers_are_odd(world: Guarded, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr("core.http.BACKOFF_FIRST", 0.001)
    world.odd.answer = ODD_ANSWERS[name]
    for words in (["plan"], ["run", "--json"], ["doctor"]):
        world.call(*words)


@pytest.mark.parametrize("silent", [True, False], ids=["time-out", "no connection"])
def test_nothing_leaks_when_nobody_answers(world: Guarded, monkeypatch: pytest.MonkeyPatch, silent: bool) -> None:
    """An Ajera address carries a key of its own: it is not shown either."""
    monkeypatch.setattr("core.http.BACKOFF_FIRST", 0.001)
    with socket.create_server(("127.0.0.1", 0)) as listening:  # takes connections and never answers
        port = listening.getsockname()[1] if silent else 9
        text = world.config.read_text()
        for url in (world.sandbox.ajera_url, world.sandbox.crm_url):
            text = text.replace(f'"{url}"', f'"http://127.0.0.1:{port}/api?{CANARY}-key"\ntimeout = 0.1')
        world.config.write_text(text)
        for words in (["plan"], ["run", "--json"], ["doctor", "--json"], ["status"], ["log", "--json"]):
            said = world.call(*words)
            assert said.code == 3 or words[0] in ("doctor", "status", "log"), said


def test_a_crash_inside_an_action_says_where_and_not_what(world: Guarded, monkeypatch: pytest.MonkeyPatch) -> None:
    tick(world)

    async def broken(*_given: object, **_more: object) -> None:
        raise RuntimeError(f"broken with {CANARY}-ajera-password in its words")

    monkeypatch.setattr("core.ajera.client.AjeraClient.update", broken)
    said = world.call("run", "--json", own_words=True)
    assert said.code != 0
    assert "RuntimeError" in said.err
    world.call("status", "--json")
    world.call("errors", "--json")
    world.call("log", "--json", "--level", "debug")


def test_a_crash_report_holds_no_values(tmp_path: Path) -> None:
    password = f"{CANARY}-password"

    def inner() -> None:
        raise ValueError(f"no such thing: {password}")

    try:
        try:
            inner()
        except ValueError as first:
            raise RuntimeError(password) from first
    except RuntimeError as error:
        path = write_report(error, tmp_path / "reports")
    assert path is not None
    text = path.read_text()
    assert not found(text)
    assert "in inner" in text
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


SECRET_MISTAKES = [
    'password = ["CaNaRy"]',
    'password = { kyering = "CaNaRy" }',
    'password = { env = "A", file = "CaNaRy" }',
    'password = [{ file = "CaNaRy" }]',
    'pasword = "CaNaRy"',
    'password = "CaNaRy\n',
    "password = 12\nclient_secret = { plain = 'CaNaRy' }",
    'url = "https://user:CaNaRy@host:bad/"',
    'url = "ftp://user:CaNaRy@host/"',
    'url = "http://user:CaNaRy@host/"',
    'url = "http://host/?CaNaRy"',
]


@pytest.mark.parametrize("mistake", SECRET_MISTAKES)
@pytest.mark.parametrize("section", ["ajera", "crm"])
def test_a_mistake_in_the_settings_is_told_without_the_secret(tmp_path: Path, section: str, mistake: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(f'[{section}]\n{mistake}\n[notify]\nwebhook = ["CaNaRy"]\nping = 3\n')
    with pytest.raises(SettingsError) as caught:
        load_settings(Paths("p", path, tmp_path / "state"))
    assert not found(str(caught.value)), str(caught.value)
    assert not found(repr(caught.value.problems))


@pytest.mark.parametrize(
    "source",
    [
        {"command": "sh -c 'echo CaNaRy >&2; echo CaNaRy; exit 3'"},
        {"file": "folder"},
        {"file": "binary"},
    ],
)
def test_a_secret_that_cannot_be_fetched_is_not_quoted(tmp_path: Path, source: dict[str, str]) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "binary").write_bytes(b"\xffCaNaRy")
    ((kind, target),) = source.items()
    with pytest.raises(SettingsError) as caught:
        Secret("ajera.password", kind, target, tmp_path).reveal()
    assert not found(str(caught.value))


def test_a_secret_is_text_that_no_repr_shows() -> None:
    secret = Secret("ajera.password", "plain", f"{CANARY}-password")
    value = secret.reveal()
    assert value == f"{CANARY}-password"
    assert not found(f"{secret!r} {secret} {value!r} {[value]} { ({'Password': value}) }")


def test_neither_command_line_nor_environment_of_a_running_program_holds_a_secret(world: Guarded) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "tui", "watch", "--config", str(world.config)],
        cwd=ROOT,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        assert "Watching" in process.stderr.readline()
        for name in ("cmdline", "environ"):
            assert not found(Path(f"/proc/{process.pid}/{name}").read_bytes()), name
        limits = Path(f"/proc/{process.pid}/limits").read_text()
        assert next(line for line in limits.splitlines() if "core file" in line).split()[4:6] == ["0", "0"]
        assert "Umask:\t0077" in Path(f"/proc/{process.pid}/status").read_text()
    finally:
        process.terminate()
        out, err = process.communicate(timeout=20)
    assert not found(out + err)
    world.nothing_left()


async def test_a_webhook_that_fails_does_not_show_its_address() -> None:
    with pytest.raises(RuntimeError) as caught:
        await Poster().post(Hidden(f"http://127.0.0.1:9/{CANARY}-hook"), {"a": 1})
    assert not found(with_locals(caught.value))
    assert caught.value.__context__ is None
