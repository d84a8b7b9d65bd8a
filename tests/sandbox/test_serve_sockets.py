"""The two servers on real sockets: in a loop, in a thread, as a process; settings that point at them."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.paths import Paths
from core.sandbox.options import SandboxError, SandboxOptions, split_quirks
from core.sandbox.serve import Sandbox, SandboxThread, run_sandbox, write_config
from core.settings import load_settings

SMALL = SandboxOptions(firms=8, contacts=16, projects=8, employees=4)
ROOT = Path(__file__).parents[2]


async def ajera_call(http: httpx.AsyncClient, url: str, body: dict[str, Any]) -> dict[str, Any]:
    reply = await http.post(url, json=body)
    assert reply.status_code == 200
    answer: dict[str, Any] = reply.json()
    return answer


async def ajera_login(http: httpx.AsyncClient, settings: dict[str, Any]) -> str:
    body = {
        "Method": "CreateAPISession",
        "Username": settings["username"],
        "Password": settings["password"],
        "APIVersion": 1,
    }
    return str((await ajera_call(http, settings["url"], body))["Content"]["SessionToken"])


async def crm_login(http: httpx.AsyncClient, settings: dict[str, Any]) -> dict[str, str]:
    form = {
        "Username": settings["username"],
        "Password": settings["password"],
        "grant_type": "password",
        "Integrated": "N",
        "database": settings["database"],
        "Client_Id": settings["client_id"],
        "client_secret": settings["client_secret"],
    }
    reply = await http.post(f"{settings['url']}/token", data=form)
    assert reply.status_code == 200
    return {"Authorization": f"Bearer {reply.json()['access_token']}"}


async def test_both_systems_answer_with_the_login_of_the_settings() -> None:
    async with Sandbox(SMALL) as sandbox, httpx.AsyncClient() as http:
        settings = tomllib.loads(sandbox.config_toml())
        token = await ajera_login(http, settings["ajera"])
        body = {"Method": "ListClients", "SessionToken": token, "MethodArguments": {}}
        clients = (await ajera_call(http, sandbox.ajera_url, body))["Content"]["Clients"]
        assert len(clients) == len(sandbox.ajera.tables["clients"])
        bearer = await crm_login(http, settings["crm"])
        firms = await http.get(f"{sandbox.crm_url}/firm?fieldFilter=ClientID,Name&pageSize=500", headers=bearer)
        assert {f["Name"] for f in firms.json()} == {f["Name"] for f in sandbox.crm.tables["firm"].values()}
        assert firms.headers.get_list("date") != []


async def test_each_reply_has_one_date_and_it_is_that_of_the_sandbox() -> None:
    then = datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC)
    async with Sandbox(SMALL, clock=lambda: then) as sandbox, httpx.AsyncClient() as http:
        for reply in (await http.post(sandbox.ajera_url, json={}), await http.get(f"{sandbox.crm_url}/firm")):
            assert reply.headers.get_list("date") == ["Tue, 06 May 2031 07:08:09 GMT"]


async def test_the_settings_are_accepted_by_the_program(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    quirks = ("throttle=429", "business_status=500", "crm.template_field=")
    options = SandboxOptions(firms=4, contacts=0, projects=0, rate=0, quirks=quirks, config_out=config)
    async with Sandbox(options) as sandbox:
        loaded = load_settings(Paths("test", config, tmp_path / "state"))
        assert loaded.ajera.url == sandbox.ajera_url
        assert loaded.crm.client_secret.reveal() == sandbox.crm.client_secret
    assert loaded.ajera.quirks == {"throttle": "429"}
    assert loaded.crm.quirks == {"business_status": "500", "template_field": ""}
    assert stat.S_IMODE(config.stat().st_mode) == 0o600


async def test_two_thousand_records_start_in_under_two_seconds() -> None:
    options = SandboxOptions(firms=400, contacts=900, projects=600, employees=100)
    started = time.process_time()  # own CPU: what else the machine does is not counted
    async with Sandbox(options):
        assert time.process_time() - started < 2


async def test_stop_frees_the_ports_and_can_be_called_twice() -> None:
    sandbox = await Sandbox(SMALL).start()
    port = httpx.URL(sandbox.ajera_url).port
    await sandbox.stop()
    await sandbox.stop()
    with socket.create_server(("127.0.0.1", port or 0)):
        pass


async def test_a_taken_port_is_told_and_nothing_stays_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        options = SandboxOptions(firms=4, contacts=0, projects=0, crm_port=taken.getsockname()[1])
        with pytest.raises(SandboxError, match="cannot listen on"):
            await Sandbox(options).start()
    assert not [t for t in asyncio.all_tasks() if t is not asyncio.current_task()]


async def test_signal_handlers_are_left_alone() -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    async with Sandbox(SMALL):
        assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


async def test_version_and_profile_are_those_asked_for() -> None:
    options = SandboxOptions(firms=0, contacts=0, projects=0, ajera_version="8.08.00", crm_profile="vantagepoint")
    async with Sandbox(options) as sandbox:
        assert sandbox.ajera.version == "8.08.00"
        assert tomllib.loads(sandbox.config_toml())["crm"]["profile"] == "vantagepoint"


def test_the_thread_serves_while_its_caller_does_other_work() -> None:
    with SandboxThread(SMALL) as sandbox:
        assert httpx.get(f"{sandbox.crm_url}/firm").status_code == 401
    assert not [t for t in threading.enumerate() if t.name == "sandbox"]


def test_the_thread_hands_over_what_kept_it_from_starting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        thread = SandboxThread(SandboxOptions(firms=0, contacts=0, projects=0, ajera_port=taken.getsockname()[1]))
        with pytest.raises(SandboxError, match="cannot listen"):
            thread.start()


def test_wrong_options_are_told_all_at_once() -> None:
    wrong = SandboxOptions(host="0.0.0.0", firms=-1, ajera_port=70000, crm_profile="dps", quirks=("trottle=wait", "x"))
    with pytest.raises(SandboxError) as caught:
        wrong.check()
    told = "\n".join(caught.value.problems)
    for piece in ("0.0.0.0", "firms: -1", "70000", "'dps'", "nearest known name is throttle", "'x' is not NAME=VALUE"):
        assert piece in told


def test_another_host_needs_an_explicit_word() -> None:
    SandboxOptions(host="0.0.0.0", allow_remote=True).check()
    SandboxOptions(host="::1").check()
    SandboxOptions(host="localhost").check()
    with pytest.raises(SandboxError, match="not a loopback"):
        SandboxOptions(host="192.168.1.5").check()


def test_quirks_go_to_the_system_that_knows_them() -> None:
    ajera, crm, unknown = split_quirks(["throttle=429", "business_status=500", "crm.template_field=", "ajera.nope=1"])
    assert ajera == {"throttle": "429"}
    assert crm == {"business_status": "500", "template_field": ""}
    assert len(unknown) == 1
    ours, theirs = SandboxOptions(quirks=("throttle=429", "business_status=500")).check()
    assert (ours.throttle, str(theirs.business_status)) == ("429", "500")
    with pytest.raises(SandboxError, match="maybe"):
        SandboxOptions(quirks=("throttle=maybe",)).check()


def test_a_settings_file_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    theirs = tmp_path / "config.toml"
    theirs.write_text("[ajera]\n")
    with pytest.raises(SandboxError, match="left alone"):
        write_config(theirs, "x")
    assert theirs.read_text() == "[ajera]\n"


def test_the_foreground_command_prints_one_line_and_saves_on_a_signal(tmp_path: Path) -> None:
    flags = ["--firms", "5", "--contacts", "9", "--projects", "5", "--employees", "2", "--life", "600"]
    flags += ["--data", str(tmp_path / "data"), "--config-out", str(tmp_path / "config.toml")]
    program = subprocess.Popen(
        [sys.executable, "-m", "core.sandbox", *flags], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
    )
    assert program.stdout is not None
    ready = json.loads(program.stdout.readline())
    assert set(ready) == {"ajera_url", "crm_url", "config"}
    assert tomllib.loads(Path(ready["config"]).read_text())["ajera"]["url"] == ready["ajera_url"]
    assert httpx.get(f"{ready['crm_url']}/firm").status_code == 401
    before = (tmp_path / "data" / "crm.json").stat().st_mtime_ns
    program.send_signal(signal.SIGTERM)
    rest, errors = program.communicate(timeout=20)
    assert (program.returncode, rest, errors) == (0, b"", b"")
    assert (tmp_path / "data" / "crm.json").stat().st_mtime_ns > before


def test_wrong_flags_end_with_two(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "core.sandbox", "--quirk", "trottle=wait"]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=30)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "throttle" in ended.stderr


def test_run_sandbox_ends_at_once_when_told_before(monkeypatch: pytest.MonkeyPatch) -> None:
    class Telling(io.StringIO):
        def flush(self) -> None:
            if self.getvalue():
                os.kill(os.getpid(), signal.SIGTERM)

    out = Telling()
    assert run_sandbox(SMALL, out) == 0
    assert out.getvalue().count("\n") == 1
