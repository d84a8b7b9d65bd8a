"""Every HTTP call and every store commit as a numbered point where something can go wrong.

A program of acts is run once without faults to learn its points and its end. Then, for a point and a kind of
fault, the same program runs into the fault, is started again over the same store and systems, and must come
to the same end; the oracle reads the two systems' own data only.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import orjson

from core.ajera.writing import CARRIED_OVER
from core.errors import AjerasyncError, StoreDamaged
from core.model.link import LinkState
from core.model.values import Kind, Side
from core.policy import Policy
from core.reconcile.entries import OURS
from core.reconcile.merge import UNDONE
from core.sandbox.ajera.data import AjeraData
from core.sandbox.crm.data import CrmData
from tests.engine.faultworld import Back, Call, Frozen, QuickWorld, Serve, body_of, files, put_files
from tests.engine.kit import EngineSettings, FakeClock, World
from tests.engine.weekcheck import Checker

DIE_BEFORE, DIE_AFTER = "die_before", "die_after"
TORN, TORN_LOG, OLDER, LOST_STORE = "torn", "torn_log", "older", "lost_store"
# The store as it is found after the crash: a prefix of its bytes, yesterday's copy, nothing.
REPLACED = frozenset({TORN, TORN_LOG, OLDER, LOST_STORE})
STORE_KINDS = (DIE_BEFORE, DIE_AFTER, "full", TORN, TORN_LOG, OLDER, LOST_STORE)
COMMON_KINDS = (
    DIE_BEFORE, "connect", "lost", "session_dies", "429", "429_wait", "500", "html", "truncated", "down", "403", "404",
)  # fmt: skip
WRITE_KINDS = (*COMMON_KINDS, DIE_AFTER, "503_after", "html_after", "409", "stale")
LIST_KINDS = ("empty", "half", "repeated", "one_missing")
LYING = frozenset(LIST_KINDS)
LOGINS = frozenset({"CreateAPISession", "POST token"})
# The program is gone then; after any other fault it may as well go on, as the open UI and the headless watch do.
ENDS = frozenset({DIE_BEFORE, DIE_AFTER}) | REPLACED
# A person saves the record in the middle of a run, in the one system or the other.
RACES = ("race_ajera", "race_crm")


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
            # The CRM takes no version with a write: between our last look and the write somebody's word is overwritten
            # (docs/promises.md says so). Ajera refuses a twin that is not what it holds.
            return (*WRITE_KINDS, *(race for race in RACES if not race.endswith(self.where) or self.where == "ajera"))
        return (*COMMON_KINDS, *(LIST_KINDS if self.listing else ()), *RACES)


@dataclass
class Line:
    """The one seam. `at` is the point (from 0) where `kind` strikes; `points` are those passed."""

    at: int | None = None
    kind: str = ""
    points: list[Point] = field(default_factory=list)
    dead: bool = False
    down: str = ""
    on: bool = False
    full: bool = False
    nth_write: int = 0  # strike this write, wherever it is; 1 is the first
    every_write: bool = False  # strike each write
    lists: str = ""  # every list lies
    sessions_die: Callable[[str], None] = lambda _where: None
    race: Callable[[str], None] = lambda _kind: None
    altered: Callable[[Point, Back], Back] = lambda _point, back: back
    _committing: str = ""
    _read: dict[bytes, Back] = field(default_factory=dict)
    _stale: dict[bytes, Back] = field(default_factory=dict)

    def passed(self, point: Point) -> str:
        """Count the point; the fault that strikes here, or nothing."""
        if self.dead:
            raise Died
        if not self.on:
            return ""
        self.points.append(point)
        if point.write:
            self.nth_write -= 1
            if self.every_write or self.nth_write == 0:
                return self.kind
        if point.listing and self.lists:
            return self.lists
        return self.kind if self.at == len(self.points) - 1 else ""

    def die(self) -> None:
        self.dead = True
        raise Died

    # -- store -------------------------------------------------------------------------------------

    def before_commit(self, _number: int) -> None:
        self._committing = self.passed(Point("store", "commit"))
        if self._committing == DIE_BEFORE:
            self.die()
        if self._committing == "full" or self.full:
            self.full = True  # and stays so until somebody makes room
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error

    def after_commit(self, _number: int) -> None:
        if self.dead or self._committing == DIE_AFTER or self._committing in REPLACED:
            self.die()

    def hooks(self) -> dict[str, Callable[[int], None]]:
        return {"before_commit": self.before_commit, "after_commit": self.after_commit}

    def heal(self) -> None:
        """The trouble is over."""
        self.on, self.dead, self.down, self.full = False, False, "", False
        self._stale = {}

    # -- HTTP --------------------------------------------------------------------------------------

    def wire(self, side: Side, serve: Serve) -> Serve:
        """What a client calls instead of its server."""
        where = side.value

        async def call(sent: Call) -> Back:
            point, read = described(where, sent)
            kind = self.passed(point)
            if self.down == where or kind == "down":
                self.down = where
                raise httpx.ConnectError("refused")
            instead = self._before(where, kind)
            if instead is not None:
                return instead
            if read in self._stale:  # a reading that does not know of our own write yet
                return self._stale.pop(read)
            back: Back = await serve(sent)
            if self.dead or kind == DIE_AFTER:
                self.die()
            if point.write:
                self._stale = dict(self._read) if kind == "stale" else {}
            elif point.what not in LOGINS:  # the answer to a login is no reading
                self._read[read] = back
            return self.altered(point, _after(kind, back))

        return call

    def _before(self, where: str, kind: str) -> Back | None:
        plain = {"content-type": "text/plain"}
        match kind:
            case "die_before":
                self.die()
            case "connect":
                raise httpx.ConnectError("refused")
            case "session_dies":
                self.sessions_die(where)
            case "429":
                return Back(429, plain, b"")
            case "429_wait":
                return Back(429, {**plain, "retry-after": "2"}, b"")
            case "500":
                return Back(500, plain, b"An error has occurred.")
            case "403" | "404" | "409":
                return Back(int(kind), plain, b"refused")
            case "html":
                return HTML
            case "race_ajera" | "race_crm":
                self.race(kind)
        return None


HTML = Back(200, {"content-type": "text/html"}, b"<html>sign in</html>")


def _after(kind: str, back: Back) -> Back:
    """The reply as the client gets it, after the server acted."""
    match kind:
        case "lost":
            raise httpx.ReadError("connection reset")
        case "503_after":
            return Back(503, {"content-type": "text/plain"}, b"gateway")
        case "html_after":
            return HTML
        case "truncated":
            return back._replace(body=back.body[: len(back.body) // 2])
        case "empty" | "half" | "repeated" | "one_missing":
            return with_rows(back, lambda rows: _lied(kind, rows))
    return back


def _lied(kind: str, rows: list[Any]) -> list[Any]:
    half = len(rows) // 2
    lies = {"empty": [], "half": rows[:half], "repeated": [*rows, *rows[half:]], "one_missing": rows[1:]}
    return lies[kind]


def with_rows(back: Back, change: Callable[[list[Any]], list[Any]]) -> Back:
    """An answer with other rows, where it is a list."""
    data = orjson.loads(back.body)
    rows = data
    if isinstance(data, dict):
        content = data.get("Content")
        rows = next((v for v in content.values() if isinstance(v, list)), None) if isinstance(content, dict) else None
    if not isinstance(rows, list):
        return back
    rows[:] = change(list(rows))
    return back._replace(body=orjson.dumps(data))


def described(where: str, sent: Call) -> tuple[Point, bytes]:
    """What a call is, by the systems' own protocol, and what is the same whenever the same is asked."""
    if where == "ajera":
        body = body_of(sent.content)
        method = str(body.get("Method"))
        write = method.startswith(("Update", "Create")) and method != "CreateAPISession"
        same = orjson.dumps([method, body.get("MethodArguments")])
        return Point(where, method, write, method.startswith("List")), same
    path = sent.path.removeprefix("/sandbox/api/")
    as_get = bool(sent.header(b"dvp-postasget"))
    write = sent.method != "GET" and not path.startswith("token") and not as_get
    listing = not write and "/" not in path and path in ("firm", "contact", "project", "employee")
    return Point(where, f"{sent.method} {path}", write, listing), b" ".join((path.encode(), sent.query, sent.content))


# -- programs ----------------------------------------------------------------------------------------


def thawed(start: Frozen, folder: Path, line: Line, *, settings: EngineSettings | None = None) -> Struck:
    """A world at rest comes to life, with a line between it and its servers."""
    clock = FakeClock(start.at)
    put_files(folder, start.store)
    world = Struck.__new__(Struck)
    world.wire = line.wire
    settings = settings or EngineSettings(FAST)
    world.__init__(folder, data=start.data(clock.server), clock=clock, hooks=line.hooks(), settings=settings)  # type: ignore[misc]
    line.sessions_die = lambda where: _kill_sessions(world, where)
    return world


class Struck(QuickWorld):
    """The world of one case."""

    typed: Typed

    def __init__(self, *args: Any, **named: Any) -> None:
        self.typed = Typed()
        super().__init__(*args, **named)


def _kill_sessions(world: World, where: str) -> None:
    if where == "ajera":
        world.ajera_app.state.server.sessions.kill()
    else:
        world.crm.kill_sessions()


TRIGGER = "schedule"  # by hand, what waits has its metadata read again: forty calls more a case
FAST = Policy(team_since_weeks=1)  # a year of time sheets is read in fifty calls that are all alike
Act = Callable[[World], Awaitable[None]]


@dataclass
class Program:
    """`start` is the world at rest, `people` what they do then, `runs` where the faults strike. `sweep`:
    the runs compare complete lists, and so do those after a fault."""

    name: str
    start: Frozen
    people: Act
    sweep: bool = False
    begin: Mapping[str, Any] = field(default_factory=dict)
    points: list[Point] = field(default_factory=list)
    end: Mapping[str, Any] = field(default_factory=dict)
    writes: int = 0


async def learn(program: Program, folder: Path) -> None:
    """The program without a fault: its points, its end, and how many writes it took."""
    line = Line()
    world = thawed(program.start, folder, line)
    program.begin = fingerprint(world)
    await program.people(world)
    line.on = True
    await world.run(sweep=program.sweep, trigger=TRIGGER)
    line.on = False
    await recover(world)
    program.points = line.points
    program.end = fingerprint(world)
    program.writes = world.writes()
    world.service.store.close()


async def strike(program: Program, at: int, kind: str, folder: Path, meanwhile: Act | None = None) -> Struck:
    """The program with one fault at one point, then run until nothing is left to do: started again after what ends a
    program, and at every other point after what does not."""
    line = Line(at=at, kind=kind)
    world = thawed(program.start, folder, line)
    line.race = lambda which: _race(world, which)
    with watched(world, world.typed):
        await program.people(world)
    line.on = True
    with suppress(Died, AjerasyncError):
        await world.run(sweep=program.sweep, trigger=TRIGGER)
    await bury()
    line.heal()
    if kind in ENDS or at % 2 == 0 or meanwhile is not None:
        left = files(folder)  # as a kill leaves them: nothing is copied back into the file
        world.service.store.close()
        put_files(folder, found_again(kind, left, program.start.store))
        world.locks.clear()
        if meanwhile is not None:
            await meanwhile(world)
        start_again(world)
    if kind == "404":
        world.clock.forward(hours=1)  # what a system says it does not have is asked for again after that
    await recover(world, sweep=program.sweep or kind in LYING)
    return world


async def bury() -> None:
    """What a dead program was doing beside ends before the line is whole again: nothing of it may act any more."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


def found_again(kind: str, left: dict[str, bytes], before: dict[str, bytes]) -> dict[str, bytes]:
    """The store's files as the next program finds them."""
    left = {name: body for name, body in left.items() if not name.endswith("-shm")}
    match kind:
        case "torn":
            return {name: body[: len(body) // 2] for name, body in left.items()}
        case "torn_log":  # the disk said it had kept what it had not
            return {name: body[: len(body) * 2 // 3] if name.endswith("-wal") else body for name, body in left.items()}
        case "older":
            return before
        case "lost_store":
            return {}
    return left


def start_again(world: World) -> None:
    """Another program over the same store; a damaged one is set aside and says so, and the next start goes on."""
    try:
        world.service = world.program()
    except StoreDamaged:
        world.service = world.program()


async def recover(world: World, *, sweep: bool = False) -> None:
    """Runs until one writes nothing (at most four), with an operator's *retry* for what was refused."""
    for number in range(4):
        world.clock.forward(minutes=3)
        if number and world.service.errors():
            world.service.retry("all")
        before = world.writes()
        await world.service.run(full=sweep and number == 0, sweep=sweep and number == 0, trigger=TRIGGER)
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


def traced(world: World) -> list[str]:
    """V9: what a server was sent and no action of any run's history names. Child rows count as their record's."""
    store = world.service.store
    known = {
        (entry.kind, side, entry.ajera_key if side is Side.AJERA else entry.crm_key)
        for run in store.runs(10_000)
        for entry in store.history_of_run(run.id)
        for side in Side
    }
    sent = {
        (AJERA_KINDS[change.table], Side.AJERA, str(_project_of(change) or change.key))
        for entry in world.ajera_writes()
        for change in entry.changes
    }
    for write in world.crm_writes():
        row = {**world.crm.tables[write.table].get(write.key, {}), **write.before, **write.after}
        kind, column = CRM_KINDS[write.table]
        sent.add((kind, Side.CRM, str(row.get(column) or write.key) if column else write.key))
    return sorted(f"{kind} {side} {key}" for kind, side, key in sent - known)


AJERA_KINDS = {
    "clients": Kind.FIRM, "contacts": Kind.CONTACT, "projects": Kind.PROJECT, "invoice_groups": Kind.PROJECT,
    "phases": Kind.PROJECT, "resources": Kind.PROJECT, "employees": Kind.EMPLOYEE,
}  # fmt: skip
CRM_KINDS = {
    "firm": (Kind.FIRM, ""), "contact": (Kind.CONTACT, ""), "project": (Kind.PROJECT, ""), "employee": (Kind.EMPLOYEE, ""),
    "address": (Kind.FIRM, "ClientID"), "project_contact": (Kind.PROJECT, "WBS1"), "project_firm": (Kind.PROJECT, "WBS1"), "project_team": (Kind.PROJECT, "WBS1"),
}  # fmt: skip


def _project_of(change: Any) -> int | None:
    row = change.after or change.before or {}
    return row.get("ProjectKey") if change.table in ("phases", "invoice_groups", "resources") else None


@dataclass
class Typed:
    """What people typed into either system, and what they typed over: text only."""

    values: list[str] = field(default_factory=list)
    over: set[str] = field(default_factory=set)

    def alive(self, world: World) -> list[str]:
        """The typed values that neither system holds any more."""
        held = {
            text
            for tables in (world.ajera.tables, world.crm.tables)
            for rows in tables.values()
            for row in rows.values()
            for text in row.values()
            if isinstance(text, str)
        }
        return [text for text in self.values if text not in held and text not in self.over]


@contextmanager
def watched(world: World, typed: Typed) -> Iterator[None]:
    """Note what people type meanwhile."""
    mark = len(world.crm.ledger)
    with world.ajera.recording() as journal:
        yield
    edits = [(write.before, write.after) for write in world.crm.ledger[mark:] if write.op == "edit"]
    edits += [(change.before, change.after) for change in journal if change.before and change.after]
    for write in world.crm.ledger[mark:]:
        if write.op == "delete":  # what a person takes away with a record is not lost
            typed.over |= {str(value) for value in write.before.values()}
    for before, after in edits:
        for name, value in after.items():
            if isinstance(value, str) and value != before.get(name) and name in TEXTS:
                typed.over.add(str(before.get(name)))
                typed.values += [value] if value else []  # emptied: what stood there is typed over all the same


def _race(world: Struck, kind: str) -> None:
    """Somebody types a web site over what stands there now."""
    with watched(world, world.typed):
        if kind == "race_crm":
            keys = [key for key, row in world.crm.tables["firm"].items() if row["Name"].startswith("Acme")]
            world.crm.edit("firm", keys[0], {"WebSite": "race.crm.example"})
        else:
            rows = world.ajera.tables["clients"].items()
            for key in [key for key, row in rows if row["Description"].startswith("Acme")][:1]:
                world.ajera.edit("clients", key, {"Website": "race.ajera.example"})


TEXTS = frozenset({"Name", "WebSite", "Title", "Email", "Description", "Website", "PrimaryAddressCity"})


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
        "ajera project amounts": sorted(
            (p["ID"], *(str(p.get(name)) for name in CARRIED_OVER)) for p in data.tables["projects"].values()
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


def untold(world: World) -> list[str]:
    """V1: what the two records of a pair do not agree on, and the program does not tell of. A record that sleeps, is
    gone or is not ticked is not kept in step."""
    checker = Checker(world)
    apart = [each for each in checker.differences() if each.field not in NOT_OURS]
    if not apart:
        return []
    service = world.service
    queues = (service.conflicts(), service.differences(), service.drift(), service.refusals(), service.errors())
    told = {(item.kind, _short(item.kind, item.label)) for queue in queues for item in queue}
    resting = {(link.kind, link.crm_key) for link in service.links() if link.state is not LinkState.ACTIVE}
    resting |= {
        (kind, row.crm_key)
        for kind in (Kind.FIRM, Kind.CONTACT, Kind.PROJECT)
        for row in service.rows(kind)
        if row.crm_key and row.state in ("unmarked", "dormant", "gone", "not_tickable")
    }
    records = ((kind, service.store.record(kind, Side.CRM, key)) for kind, key in resting)
    told |= {(kind, _short(kind, record.label)) for kind, record in records if record is not None}
    # A firm that rests lists nobody, and what becomes of its list is told with the firm.
    of_resting = {
        (Kind.CONTACT, checker.label_of(Kind.CONTACT, key))
        for key, row in world.crm.tables["contact"].items()
        if (Kind.FIRM, row["ClientID"]) in resting or (Kind.FIRM, checker.label_of(Kind.FIRM, row["ClientID"])) in told
    }
    of_resting |= {(Kind.CONTACT, checker.label_of(Kind.CONTACT, key)) for key in taken_off(world)}
    found = (each for each in apart if (each.kind, each.label) not in told)
    return [str(each) for each in found if each.field != "firm" or (each.kind, each.label) not in of_resting]


def taken_off(world: World) -> set[str]:
    """Contacts that an undo took off a firm's list: they stay off, and are not told of (docs/promises.md says so)."""
    links, store = world.service.store.links(), world.service.store
    notes = [name for base in store.bases(Kind.FIRM).values() for name, pair in base.items() if pair.note == UNDONE]
    keys = (name.removeprefix(OURS) for name in notes if name.startswith(OURS))
    return {crm for key in keys if (crm := links.partner(Kind.CONTACT, Side.AJERA, key))}


# A record that is gone has its tombstone; the mailing address of Ajera is not in the field map, and people who edit the
# first address by the tables alone leave it behind.
NOT_OURS = ("gone", "mailing address")


def _short(kind: Kind, label: str) -> str:
    """As the checker calls a record: a project by its number."""
    return label.split(maxsplit=1)[0] if kind is Kind.PROJECT and label else label


MOST_MORE_WRITES = 2  # the one in flight may be sent twice, and one that follows from it


def differences(program: Program, world: Struck, kind: str = "") -> dict[str, Any]:
    """What is not as it was meant after a fault; empty where all is well."""
    end = fingerprint(world)
    if kind in REPLACED or kind in RACES:
        wrong = nothing_lost(program, world)
    else:
        wrong = {name: (program.end[name], end[name]) for name in end if end[name] != program.end[name]}
    if apart := untold(world):
        wrong["apart"] = apart
    if not no_deletes(world):
        wrong["deletes"] = [write for write in world.crm_writes() if write.op == "delete"]
    if kind not in REPLACED:
        if kind not in RACES and world.writes() > program.writes + MOST_MORE_WRITES:
            wrong["writes"] = (program.writes, world.writes())
        if strangers := traced(world):
            wrong["untraced"] = strangers
    return wrong


def nothing_lost(program: Program, world: Struck) -> dict[str, Any]:
    """V16: what the store forgot leads to matches and questions, never to a second record or a lost value."""
    wrong: dict[str, Any] = {}
    end = fingerprint(world)
    for table in (name for name in end if name.startswith(("ajera", "crm"))):
        most = Counter(row[0] for row in program.begin[table]) | Counter(row[0] for row in program.end[table])
        twice = Counter(row[0] for row in end[table]) - most
        if twice:
            wrong[table] = dict(twice)
    if lost := world.typed.alive(world):
        wrong["lost"] = lost
    if end["intents"]:
        wrong["intents"] = end["intents"]
    return wrong


def told(program: Program, at: int, kind: str) -> str:
    point = program.points[at]
    return f"{program.name}: {kind} at point {at}, {point.where} {point.what}"


Case = tuple[int, str]  # a point, and the kind of fault that strikes there


def cases(program: Program) -> list[Case]:
    """Every kind of fault at every point."""
    return [(at, kind) for at, point in enumerate(program.points) for kind in point.kinds]


async def case(program: Program, at: int, kind: str, folder: Path, meanwhile: Act | None = None) -> dict[str, Any]:
    """One case from end to end; what is wrong."""
    try:
        world = await strike(program, at, kind, folder, meanwhile)
    except AssertionError as error:
        return {"rest": str(error)}
    try:
        return differences(program, world, kind)
    finally:
        world.service.store.close()
