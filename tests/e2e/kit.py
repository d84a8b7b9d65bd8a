"""The installed program as a process, the sandbox as a process, and both systems spoken to over HTTP.

Nothing of the program is imported here: what these tests know comes from the interface page and the two API contracts.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

PROGRAM = str(Path(sys.executable).with_name("ajerasync"))
SMALL = ("--firms=24", "--contacts=60", "--projects=24", "--employees=8", "--rate=0")
PATIENCE = 60.0

Row = dict[str, Any]


@dataclass(frozen=True)
class Said:
    """What a command printed and ended with."""

    words: tuple[str, ...]
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        assert self.out.lstrip()[:1] in ("{", "["), f"{self.words}: {self.code} {self.out[:500]} {self.err}"
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]

    def ended(self, code: int) -> Said:
        assert self.code == code, f"{' '.join(self.words)}: {self.code}, not {code}\n{self.out[-2000:]}\n{self.err}"
        assert "Traceback" not in self.err, self.err
        assert "Unexpected" not in self.err, self.err
        return self


def _cares_about_its_line() -> None:
    """As from a shell, although these tests may have been started with nohup."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


class Running:
    """A program that goes on: its lines as they come, its end by a signal."""

    def __init__(self, words: tuple[str, ...], env: Mapping[str, str], cwd: Path | None = None) -> None:
        self.words = words
        self.process = subprocess.Popen(
            [PROGRAM, *words],
            env=dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            preexec_fn=_cares_about_its_line,  # no thread runs in a test that starts one
        )
        self._rest: dict[int, bytes] = {}

    def line(self, channel: str = "stdout", seconds: float = PATIENCE) -> str:
        """The next line of a channel; fails when none comes."""
        pipe = getattr(self.process, channel)
        number, end = pipe.fileno(), time.monotonic() + seconds
        while b"\n" not in self._rest.get(number, b""):
            ready, _, _ = select.select([number], [], [], max(0.0, end - time.monotonic()))
            assert ready, f"{self.words}: no line on {channel} in {seconds} s"
            piece = os.read(number, 65536)
            assert piece, f"{self.words} ended: {self.process.wait(10)} {self.tail('stderr')}"
            self._rest[number] = self._rest.get(number, b"") + piece
        line, _, self._rest[number] = self._rest[number].partition(b"\n")
        return line.decode()

    def tail(self, channel: str) -> str:
        pipe = getattr(self.process, channel)
        try:
            return (self._rest.pop(pipe.fileno(), b"") + (pipe.read() or b"")).decode()
        except ValueError:
            return ""

    def until(self, wanted: Callable[[str], bool], channel: str = "stdout") -> str:
        while True:
            line = self.line(channel)
            if wanted(line):
                return line

    def end(self, how: signal.Signals | None = signal.SIGTERM, seconds: float = PATIENCE) -> Said:
        if how is not None and self.process.poll() is None:
            self.process.send_signal(how)
        out, err = self.process.stdout, self.process.stderr
        assert out is not None
        assert err is not None
        begun = {pipe.fileno(): self._rest.pop(pipe.fileno(), b"") for pipe in (out, err)}
        numbers = out.fileno(), err.fileno()
        try:
            rest = self.process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            rest = self.process.communicate()
            raise AssertionError(f"{self.words} did not end: {rest}") from None
        texts = [(begun[number] + piece).decode() for number, piece in zip(numbers, rest, strict=True)]
        return Said(self.words, self.process.returncode, *texts)


@dataclass
class Home:
    """Settings and state of one operator, away from everybody else's."""

    folder: Path
    config: Path | None = None
    extra: dict[str, str] = field(default_factory=dict)
    started: list[Running] = field(default_factory=list)

    @property
    def env(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "AJERASYNC", "COV_"))}
        own = {
            "HOME": str(self.folder),
            "XDG_STATE_HOME": str(self.folder / "state"),
            "XDG_CONFIG_HOME": str(self.folder / "config"),
            "XDG_CACHE_HOME": str(self.folder / "cache"),
        }
        return kept | own | self.extra

    def words(self, words: tuple[str, ...]) -> tuple[str, ...]:
        return words if self.config is None else ("--config", str(self.config), *words)

    def call(self, *words: str, stdin: str | None = None) -> Said:
        done = subprocess.run(
            [PROGRAM, *self.words(words)],
            env=self.env,
            cwd=self.folder,
            text=True,
            capture_output=True,
            timeout=PATIENCE * 2,
            **({"stdin": subprocess.DEVNULL} if stdin is None else {"input": stdin}),  # type: ignore[call-overload]
        )
        return Said(words, done.returncode, done.stdout, done.stderr)

    def start(self, *words: str) -> Running:
        running = Running(self.words(words), self.env, self.folder)
        self.started.append(running)
        return running

    def kill(self) -> None:
        """What a failed test left running."""
        for running in self.started:
            if running.process.poll() is None:
                running.process.kill()
                running.process.communicate()

    def ok(self, *words: str) -> Said:
        """A command that must end with 0."""
        return self.call(*words).ended(0)

    def data(self, *words: str, code: int = 0) -> Any:
        """The JSON document of a command."""
        said = self.call(*words, "--json").ended(code)
        return said.json

    def rows(self, kind: str, *words: str) -> list[Row]:
        rows: list[Row] = self.data("list", kind, *words)
        return rows

    def run(self, *words: str, code: int | tuple[int, ...] = (0, 1)) -> list[Row]:
        """The events of a run."""
        said = self.call("run", "--json", *words)
        assert said.code in ((code,) if isinstance(code, int) else code), f"{said.code} {said.out[-3000:]} {said.err}"
        return said.lines

    def settle(self, *words: str) -> list[Row]:
        """Runs until one writes nothing: its events."""
        for _ in range(4):
            events = self.run(*words)
            if not any(event["event"].startswith("action_") for event in events):
                return events
        raise AssertionError([event for event in events if event["event"].startswith("action_")])


class AjeraApi:
    """Ajera as its contract tells it, for a person's edits and for looking."""

    KINDS = {"client": "Clients", "contact": "Contacts", "employee": "Employees", "project": "Projects"}

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self.settings, self.http, self.tokens = settings, httpx.Client(timeout=60), dict[int, str]()

    def login(self, version: int) -> Row:
        body = {"Method": "CreateAPISession", "Username": self.settings["username"], "APIVersion": version}
        answer = self.post(body | {"Password": self.settings["password"], "UseSessionCookie": False})
        self.tokens[version] = answer["Content"]["SessionToken"]
        return answer

    def post(self, body: Row) -> Row:
        reply = self.http.post(self.settings["url"], json=body)
        assert reply.status_code == 200, reply.text
        return dict(reply.json())

    def call(self, method: str, version: int = 1, **arguments: Any) -> Row:
        """The whole envelope."""
        if version not in self.tokens:
            self.login(version)
        return self.post({"Method": method, "SessionToken": self.tokens[version], "MethodArguments": arguments})

    def content(self, method: str, version: int = 1, **arguments: Any) -> Row:
        answer = self.call(method, version, **arguments)
        assert answer["ResponseCode"] in (0, 200), answer
        assert not answer["Errors"], answer
        return dict(answer["Content"])

    def keys(self, kind: str, **filters: Any) -> list[int]:
        name = self.KINDS[kind]
        return [row[f"{kind.title()}Key"] for row in self.content(f"List{name}", **filters)[name]]

    def get(self, kind: str, keys: list[int]) -> dict[int, Row]:
        name, found = self.KINDS[kind], dict[int, Row]()
        for start in range(0, len(keys), 20):
            rows = self.content(f"Get{name}", **{f"Requested{name}": keys[start : start + 20]})[name]
            found |= {row[f"{kind.title()}Key"]: row for row in rows}
        return found

    def one(self, kind: str, key: int | str) -> Row:
        return self.get(kind, [int(key)])[int(key)]

    def all(self, kind: str) -> dict[int, Row]:
        return self.get(kind, self.keys(kind))

    def named(self, name: str) -> list[Row]:
        """Clients of exactly this name."""
        keys = self.keys("client", FilterByNameEquals=name)
        return [row for row in self.get("client", keys).values() if row["Description"] == name]

    def edit(self, kind: str, key: int | str, **changes: Any) -> Row:
        """A person's edit in Ajera: the record as read, and as it shall be."""
        name, before = self.KINDS[kind], self.one(kind, key)
        if kind == "project":
            bundle = self.content("GetProjects", 2, RequestedProjects=[int(key)])
            self.content(
                "UpdateProjects",
                2,
                UpdatedProjects=[{"ProjectKey": int(key), **changes}],
                UnchangedProjects=bundle,
            )
            return self.one(kind, key)
        arguments = {f"Updated{name}": [before | changes], f"Unchanged{name}": [before], "UseSingleTransaction": False}
        return dict(self.content(f"Update{name}", **arguments)[name][0])

    def totals(self, key: int | str) -> Row:
        return dict(self.content("GetProjectTotals", RequestedProjectTotals=int(key))["ProjectTotals"])


class CrmApi:
    """The CRM as its contract tells it."""

    HUBS = {"firm": "ClientID", "contact": "ContactID", "project": "WBS1", "employee": "Employee"}

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self.settings, self.http = settings, httpx.Client(timeout=60)
        form = {"Username": settings["username"], "Password": settings["password"], "grant_type": "password"}
        form |= {"Integrated": "N", "database": settings["database"], "Client_Id": settings["client_id"]}
        reply = self.http.post(f"{settings['url']}/token", data=form | {"client_secret": settings["client_secret"]})
        assert reply.status_code == 200, reply.text
        self.http.headers["Authorization"] = f"Bearer {reply.json()['access_token']}"

    def get(self, path: str, **query: Any) -> list[Row]:
        reply = self.http.get(self.settings["url"] + path, params=query)
        assert reply.status_code == 200, f"{path}: {reply.status_code} {reply.text}"
        return list(reply.json())

    def all(self, hub: str) -> dict[str, Row]:
        """Every record of a hub by its key; projects at the top level only."""
        rows, page = list[Row](), 1
        while True:
            more = self.get(f"/{hub}", page=page, pageSize=200, order=self.HUBS[hub])
            rows, page = rows + more, page + 1
            if len(more) < 200:
                break
        return {row[self.HUBS[hub]]: row for row in rows if hub != "project" or not row["WBS2"].strip()}

    def one(self, hub: str, key: str) -> Row:
        return self.get(f"/{hub}/{key}")[0]

    def edit(self, hub: str, key: str, **changes: Any) -> Row:
        reply = self.http.put(f"{self.settings['url']}/{hub}/{key}", json=changes)
        assert reply.status_code == 200, reply.text
        return dict(reply.json()[0])

    def make(self, hub: str, **values: Any) -> Row:
        reply = self.http.post(f"{self.settings['url']}/{hub}", json=values)
        assert reply.status_code == 201, reply.text
        return dict(reply.json()[0])

    def delete(self, hub: str, key: str) -> None:
        reply = self.http.delete(f"{self.settings['url']}/{hub}/{key}")
        assert reply.status_code == 200, reply.text

    def metadata(self, hub: str) -> Row:
        reply = self.http.get(f"{self.settings['url']}/metadata/{hub}")
        assert reply.status_code == 200, reply.text
        return dict(reply.json())

    def team(self, project: str) -> list[Row]:
        return self.get(f"/project/{project}/employee")

    def people(self, project: str) -> list[Row]:
        """Contacts on a project's team list."""
        return [row for row in self.get(f"/project/{project}/teammember") if row["RecordType"] != "E"]


@dataclass
class World:
    """One sandbox, one operator, both APIs."""

    home: Home
    sandbox: Running
    ready: Row
    settings: Row
    ajera: AjeraApi
    crm: CrmApi

    def books(self) -> dict[str, dict[Any, Row]]:
        """Every record of the eight lists, whole."""
        ajera = {f"ajera {kind}": self.ajera.all(kind) for kind in AjeraApi.KINDS}
        crm: dict[str, dict[Any, Row]] = {f"crm {hub}": dict(self.crm.all(hub)) for hub in CrmApi.HUBS}
        for key, row in crm["crm project"].items():
            row["(team)"] = self.crm.get(f"/project/{key}/teammember")
        return ajera | crm


def changes(before: dict[str, dict[Any, Row]], after: dict[str, dict[Any, Row]]) -> list[tuple[str, Any, set[str]]]:
    """What differs between two pictures of both systems: book, key, names of properties."""
    found = []
    for book, records in before.items():
        for key in records.keys() | after[book].keys():
            old, new = records.get(key, {}), after[book].get(key, {})
            names = {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
            if names:
                found.append((book, key, names))
    return found


def quick(config: Path) -> Row:
    """The settings of `--config-out`, without the client's own brake."""
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace("rate = 50.0", "rate = 1000.0"), encoding="utf-8")
    return tomllib.loads(text)


@contextmanager
def world(folder: Path, *flags: str) -> Iterator[World]:
    """A sandbox on free ports and an operator whose settings point at it."""
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "config.toml"
    home = Home(folder)
    sandbox = home.start("sandbox", "--config-out", str(config), *SMALL, *flags)
    with ExitStack() as clients:
        try:
            ready = json.loads(sandbox.line())
            settings = quick(config)
            home.config = config
            ajera, crm = AjeraApi(settings["ajera"]), CrmApi(settings["crm"])
            clients.callback(ajera.http.close)
            clients.callback(crm.http.close)
            yield World(home, sandbox, ready, settings, ajera, crm)
        finally:
            said = sandbox.end()
            home.kill()
    assert said.code == 0, said
    assert said.out == "", said.out
