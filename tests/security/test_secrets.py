"""Passwords, client secrets, tokens, webhook addresses, social security numbers and pay are nowhere but where they belong.

Each command is run with every logger turned up; standard output and error, log lines, every byte of the state folder
and the error that ended it, with the locals of all its frames, are searched for canaries.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import HTMLResponse, JSONResponse, Response

from tests.security.kit import CANARY, Guarded, guarded

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
