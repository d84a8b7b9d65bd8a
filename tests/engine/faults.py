"""Every HTTP call and every store commit as a numbered point where something can go wrong.

A program of acts is run once without faults to learn its points and its end. Then, for a point and a kind of
fault, the same program runs into the fault, is started again over the same store and systems, and must come
to the same end; the oracle reads the two systems' own data only.
"""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import orjson

from core.errors import AjerasyncError
from core.model.values import Kind, Side
from core.policy import Policy
from core.sandbox.ajera.data import AjeraData
from core.sandbox.crm.data import CrmData
from tests.engine.kit import EngineSettings, FakeClock, World

DIE_BEFORE, DIE_AFTER = "die_before", "die_after"
STORE_KINDS = (DIE_BEFORE, DIE_AFTER)
WRITE_KINDS = (
    DIE_BEFORE,
    DIE_AFTER,
    "connect",
    "lost",
    "session_dies",
    "429",
    "429_wait",
    "500",
    "503_after",
    "html",
    "html_after",
    "truncated",
    "down",
)
READ_KINDS = (DIE_BEFORE, "connect", "lost", "session_dies", "429", "429_wait", "500", "html", "truncated", "down")
LIST_KINDS = ("empty", "half", "repeated")
LYING = frozenset(LIST_KINDS)


class Died(BaseException):
    """The process is gone: nothing of it may act any more. No handler of the program catches this."""


@dataclass
class Point:
    """One place: `where` is ajera, crm or store; `what` the call; `write` and `list` what kind of call."""

    where: str
    what: str
    write: bool = False
    listing: bool = False

    @property
    def kinds(self) -> tuple[str, ...]:
        if self.where == "store":
            return STORE_KINDS
        if self.write:
            return WRITE_KINDS
        return (*READ_KINDS, *LIST_KINDS) if self.listing else READ_KINDS


@dataclass
class Line:
    """The one seam. `at` is the point (from 0) where `kind` strikes; `points` are those passed."""

    at: int | None = None
    kind: str = ""
    points: list[Point] = field(default_factory=list)
    dead: bool = False
    down: str = ""
    on: bool = False
    sessions_die: Callable[[str], None] = lambda _where: None
    _committing: str = ""

    def passed(self, point: Point) -> str:
        """Count the point; the fault that strikes here, or nothing."""
        if self.dead:
            raise Died
        if not self.on:
            return ""
        self.points.append(point)
        return self.kind if self.at == len(self.points) - 1 else ""

    def die(self) -> None:
        self.dead = True
        raise Died

    # -- store -------------------------------------------------------------------------------------

    def before_commit(self, _number: int) -> None:
        self._committing = self.passed(Point("store", "commit"))
        if self._committing == DIE_BEFORE:
            self.die()

    def after_commit(self, _number: int) -> None:
        if self.dead or self._committing == DIE_AFTER:
            self.die()

    def hooks(self) -> dict[str, Callable[[int], None]]:
        return {"before_commit": self.before_commit, "after_commit": self.after_commit}

    # -- HTTP --------------------------------------------------------------------------------------

    def wrap(self, side: Side, inner: httpx.AsyncBaseTransport) -> httpx.AsyncBaseTransport:
        return _Wire(self, side.value, inner)


class _Wire(httpx.AsyncBaseTransport):
    """Between a client and its server."""

    def __init__(self, line: Line, where: str, inner: httpx.AsyncBaseTransport) -> None:
        self._line, self._where, self._inner = line, where, inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        line = self._line
        point = described(self._where, request)
        kind = line.passed(point)
        if line.down == self._where or kind == "down":
            line.down = self._where
            raise httpx.ConnectError("refused")
        instead = self._before(kind)
        if instead is not None:
            return instead
        response = await self._inner.handle_async_request(request)
        body = await response.aread()
        if line.dead or kind == DIE_AFTER:
            line.die()
        return _after(kind, response, body)

    def _before(self, kind: str) -> httpx.Response | None:
        match kind:
            case "die_before":
                self._line.die()
            case "connect":
                raise httpx.ConnectError("refused")
            case "session_dies":
                self._line.sessions_die(self._where)
            case "429":
                return httpx.Response(429)
            case "429_wait":
                return httpx.Response(429, headers={"Retry-After": "2"})
            case "500":
                return httpx.Response(500, content=b"An error has occurred.")
            case "html":
                return httpx.Response(200, headers={"Content-Type": "text/html"}, content=b"<html>sign in</html>")
        return None


def _after(kind: str, response: httpx.Response, body: bytes) -> httpx.Response:
    """The reply as the client gets it, after the server acted."""
    headers = {n: v for n, v in response.headers.items() if n.lower() not in ("content-length", "transfer-encoding")}
    match kind:
        case "lost":
            raise httpx.ReadError("connection reset")
        case "503_after":
            return httpx.Response(503, content=b"gateway")
        case "html_after":
            return httpx.Response(200, headers={"Content-Type": "text/html"}, content=b"<html>sign in</html>")
        case "truncated":
            return httpx.Response(response.status_code, headers=headers, content=body[: len(body) // 2])
        case "empty" | "half" | "repeated":
            return httpx.Response(response.status_code, headers=headers, content=_lied(kind, body))
    return httpx.Response(response.status_code, headers=headers, content=body)


def _lied(kind: str, body: bytes) -> bytes:
    data = orjson.loads(body)
    rows = _rows(data)
    if rows is not None:
        half = len(rows) // 2
        rows[:] = {"empty": [], "half": rows[:half], "repeated": [*rows, *rows[half:]]}[kind]
    return orjson.dumps(data)


def _rows(data: Any) -> list[Any] | None:
    if isinstance(data, dict):
        content = data.get("Content")
        data = next((v for v in content.values() if isinstance(v, list)), None) if isinstance(content, dict) else None
    return data if isinstance(data, list) else None


def described(where: str, request: httpx.Request) -> Point:
    """What a call is, by the systems' own protocol."""
    if where == "ajera":
        method = str(orjson.loads(request.content).get("Method"))
        write = method.startswith(("Update", "Create")) and method != "CreateAPISession"
        return Point(where, method, write, method.startswith("List"))
    path = request.url.path.removeprefix("/sandbox/api/")
    write = request.method != "GET" and not path.startswith("token") and "dvp-postasget" not in request.headers
    listing = not write and "/" not in path and path in ("firm", "contact", "project", "employee")
    return Point(where, f"{request.method} {path}", write, listing)


# -- programs ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Snapshot:
    """A world at rest: both systems as JSON, the store's folder, the clock."""

    ajera: bytes
    crm: bytes
    store: Path
    at: Any

    @classmethod
    def of(cls, world: World, folder: Path) -> Snapshot:
        """Taken of a closed world."""
        shutil.copytree(world.folder, folder, dirs_exist_ok=True)
        plain = {"default": str}
        ajera, crm = orjson.dumps(world.ajera.to_json(), **plain), orjson.dumps(world.crm.to_json(), **plain)  # type: ignore[call-overload]
        return cls(ajera, crm, folder, world.clock.at)

    def world(self, folder: Path, line: Line) -> World:
        clock = FakeClock(self.at)
        if self.store.exists():
            shutil.copytree(self.store, folder, dirs_exist_ok=True)
        data = (
            AjeraData.from_json(orjson.loads(self.ajera), clock.server),
            CrmData.from_json(orjson.loads(self.crm), clock.server),
        )
        world = World(folder, data=data, clock=clock, wrap=line.wrap, hooks=line.hooks(), settings=EngineSettings(FAST))
        line.sessions_die = lambda where: _kill_sessions(world, where)
        return world


def _kill_sessions(world: World, where: str) -> None:
    if where == "ajera":
        world.ajera_app.state.server.sessions.kill()
    else:
        world.crm.kill_sessions()


FAST = Policy(team_since_weeks=1)  # a year of time sheets is read in fifty calls that are all alike
Act = Callable[[World], Awaitable[None]]


@dataclass
class Program:
    """`start` is the world at rest, `people` what they do then, `runs` where the faults strike. `sweep`:
    the runs compare complete lists, and so do those after a fault."""

    name: str
    start: Snapshot
    people: Act
    sweep: bool = False
    points: list[Point] = field(default_factory=list)
    end: Mapping[str, Any] = field(default_factory=dict)
    writes: int = 0


async def learn(program: Program, folder: Path) -> None:
    """The program without a fault: its points, its end, and how many writes it took."""
    line = Line()
    world = program.start.world(folder, line)
    await program.people(world)
    line.on = True
    await world.run(sweep=program.sweep)
    line.on = False
    await recover(world)
    program.points = line.points
    program.end = fingerprint(world)
    program.writes = world.writes()
    await world.close()
    shutil.rmtree(folder)


async def strike(program: Program, at: int, kind: str, folder: Path, meanwhile: Act | None = None) -> World:
    """The program with one fault at one point, then started again and run until nothing is left to do."""
    line = Line(at=at, kind=kind)
    world = program.start.world(folder, line)
    await program.people(world)
    line.on = True
    with suppress(Died, AjerasyncError):
        await world.run(sweep=program.sweep)
    line.on, line.dead, line.down = False, False, ""
    world.service.store.close()
    world.locks.clear()
    if meanwhile is not None:
        await meanwhile(world)
    world.service = world.program()
    await recover(world, sweep=program.sweep or kind in LYING)
    return world


async def recover(world: World, *, sweep: bool = False) -> None:
    """Runs until one writes nothing (at most four), with an operator's *retry* for what was refused."""
    for number in range(4):
        world.clock.forward(minutes=30)
        if number and world.service.errors():
            world.service.retry("all")
        before = world.writes()
        await world.service.run(full=sweep and number == 0, sweep=sweep and number == 0)
        if world.writes() == before and (number or not world.service.errors()):
            return
    raise AssertionError(f"still writing after four runs: {world.service.runs()[0].counts}")


# -- the oracle --------------------------------------------------------------------------------------


def fingerprint(world: World) -> dict[str, Any]:
    """What both systems hold, by names and not by keys; every record once for each time it is there."""
    return {
        **_ajera(world.ajera),
        **_crm(world.crm),
        "links": sorted(_links(world)),
        "conflicts": sorted((c.kind, c.label, c.field, str(c.ajera), str(c.crm)) for c in world.service.conflicts()),
        "candidates": sorted((c.kind, c.label) for c in world.service.candidates()),
        "intents": len(world.service.store.intents()),
        "marks": sorted(world.service.store.marks()),
        "gone": sorted(f"{link.kind} {link.crm_key}" for link in world.service.links() if link.state == "gone"),
        "errors": sorted((e.kind, e.label, e.op) for e in world.service.errors()),
    }


def _ajera(data: AjeraData) -> dict[str, Any]:
    people = {key: f"{c['FirstName']} {c['LastName']}" for key, c in data.tables["contacts"].items()}
    clients = {key: c["Description"] for key, c in data.tables["clients"].items()}

    def listed(record: Mapping[str, Any]) -> list[str]:
        return sorted(people.get(entry["ContactKey"], "?") for entry in record["Contacts"])

    groups: dict[int, list[Any]] = {}
    for group in data.tables["invoice_groups"].values():
        groups.setdefault(group["ProjectKey"], []).append(clients.get(group["ClientKey"]))
    phases: dict[int, list[str]] = {}
    for phase in data.tables["phases"].values():
        phases.setdefault(phase["ProjectKey"], []).append(phase["Description"])
    return {
        "ajera clients": sorted(
            (c["Description"], c["Website"], c["PrimaryAddressCity"], c["Status"], listed(c))
            for c in data.tables["clients"].values()
        ),
        "ajera contacts": sorted(
            (people[key], c["Title"], c["Email"], c["Status"]) for key, c in data.tables["contacts"].items()
        ),
        "ajera projects": sorted(
            (p["ID"], p["Description"], p["Status"], groups.get(key), phases.get(key), listed(p))
            for key, p in data.tables["projects"].items()
        ),
    }


def _crm(data: CrmData) -> dict[str, Any]:
    firms = {key: row["Name"] for key, row in data.tables["firm"].items()}
    people = {key: f"{row['FirstName']} {row['LastName']}" for key, row in data.tables["contact"].items()}
    return {
        "crm firms": sorted(
            (
                row["Name"],
                row["WebSite"],
                row["Status"],
                row["AjeraSync"],
                sorted(str(at["City"]) for at in data.rows("address", "ClientID", key)),
            )
            for key, row in data.tables["firm"].items()
        ),
        "crm contacts": sorted(
            (people[key], row["Title"], row["Email"], row["AjeraSync"], firms.get(row["ClientID"], ""))
            for key, row in data.tables["contact"].items()
        ),
        "crm projects": sorted(
            (
                key,
                row["Name"],
                row["LongName"],
                row["Status"],
                row["AjeraSync"],
                row["ProjectTemplate"],
                firms.get(row["ClientID"], ""),
                sorted((people.get(r["ContactID"], "?"), r["AjeraSync"]) for r in _contact_rows(data, key)),
            )
            for key, row in data.tables["project"].items()
        ),
    }


def _contact_rows(data: CrmData, project: str) -> list[Any]:
    return list(data.rows("project_contact", "WBS1", project))


NAMES: dict[Kind, tuple[str, Callable[[Mapping[str, Any]], str], str, Callable[[Mapping[str, Any]], str]]] = {
    Kind.FIRM: ("clients", lambda r: r["Description"], "firm", lambda r: r["Name"]),
    Kind.CONTACT: ("contacts", lambda r: r["LastName"], "contact", lambda r: r["LastName"]),
    Kind.PROJECT: ("projects", lambda r: r["ID"], "project", lambda r: r["WBS1"]),
    Kind.EMPLOYEE: ("employees", lambda r: r["LastName"], "employee", lambda r: r["LastName"]),
}


def _links(world: World) -> list[tuple[str, str, str]]:
    found = []
    for link in world.service.links():
        table, ours, crm_table, theirs = NAMES[link.kind]
        ajera = world.ajera.tables[table].get(int(link.ajera_key))
        crm = world.crm.tables[crm_table].get(link.crm_key)
        found.append((link.kind.value, ours(ajera) if ajera else "-", theirs(crm) if crm else "-"))
    return found


def no_deletes(world: World) -> bool:
    """The engine never deletes (V5)."""
    return not [w for w in world.crm_writes() if w.op == "delete" and not w.table.startswith("project_")] and not [
        change for entry in world.ajera_writes() for change in entry.changes if change.after is None
    ]
