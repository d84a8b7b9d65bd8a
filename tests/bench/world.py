# ruff: noqa: T201
"""Large worlds for the measurements: both systems in another process, and a store in which all is linked and in step.

A world of N linked records has the shares of an ordinary firm (2,000 firms, 5,000 contacts, 6,000 projects and 120
employees of 13,120). It is built once into a folder under the temporary folder and copied for each measurement:
the systems' records by direct insertion, the store by the program's own first pull, links and bases by direct
writing of what that pull brought. A copy's sweeps, figures and hours are dated as it is made, so that no run asks for them.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from core.engine.look import policy_print
from core.engine.service import Service
from core.http import Http, Request
from core.model.link import Link, Pair
from core.model.record import Record
from core.model.values import Kind, Side, Value
from core.paths import APP, Paths, _profile_of
from core.sandbox import folder as data_folder
from core.sandbox.ajera.data import AjeraData
from core.sandbox.crm.data import CrmData
from core.sandbox.seed import seed
from core.settings import Settings
from core.store import TinyStore

ROOT = Path(os.environ.get("AJERASYNC_BENCH", Path(tempfile.gettempdir()) / "ajerasync-bench"))
FORMAT = 3  # moves when a world is built otherwise
SHARES = {Kind.FIRM: 2_000, Kind.CONTACT: 5_000, Kind.PROJECT: 6_000, Kind.EMPLOYEE: 120}
AHEAD = "2099-01-01T00:00:00Z"
BATCH = 2_000
NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)


def counts(size: int) -> dict[Kind, int]:
    """How many of each kind make `size` linked records."""
    whole = sum(SHARES.values())
    found = {kind: max(1, size * share // whole) for kind, share in SHARES.items()}
    found[Kind.PROJECT] += size - sum(found.values())
    return found


# -- the two systems -------------------------------------------------------------------------------


def fill(ajera: AjeraData, crm: CrmData, size: int) -> None:
    """The same records on both sides, each saved at a moment of its own."""
    seed(ajera, crm, firms=0, contacts=0, projects=0, employees=0)
    many = counts(size)
    for n in range(many[Kind.EMPLOYEE]):
        _employee(ajera, crm, n)
    people: dict[int, list[int]] = defaultdict(list)
    for n in range(many[Kind.CONTACT]):
        people[n % many[Kind.FIRM]].append(_ajera_contact(ajera, n))
    firms = [_firm(ajera, crm, n, people[n]) for n in range(many[Kind.FIRM])]
    for n in range(many[Kind.CONTACT]):
        _crm_contact(crm, n, firms[n % len(firms)][1])
    for n in range(many[Kind.PROJECT]):
        _project(ajera, crm, n, *firms[n % len(firms)])
    crm.ledger.clear()


def _stamp(n: int) -> datetime:
    return NOW - timedelta(days=300) + timedelta(seconds=251 * n % 25_000_000, milliseconds=n % 1000)


def _employee(ajera: AjeraData, crm: CrmData, n: int) -> None:
    first, last, mail = f"Fay{n}", f"Nguyen{n}", f"fay{n}@staff.example"
    record = {"FirstName": first, "LastName": last, "Status": "Active", "Email": mail, "Title": "Architect"}
    ajera.insert("employees", record, stamp=_stamp(n))
    row = {"Employee": f"E{n:05}", "FirstName": first, "LastName": last, "Status": "A", "Title": "Architect"}
    crm.insert("employee", {**row, "EMail": mail, "Org": "NE:AR"}, stamp=_stamp(n), user="jsmith")


def _firm(ajera: AjeraData, crm: CrmData, n: int, people: list[int]) -> tuple[int, str]:
    name, web = f"Firm {n} Associates", f"https://firm{n}.example"
    entries = [{"ContactKey": key, "Order": order, "Text": ""} for order, key in enumerate(people, 1)]
    record = {"Description": name, "Status": "Active", "Website": web, "MailingAddressSameAsPrimary": True}
    key = ajera.insert("clients", {**record, "Contacts": entries}, stamp=_stamp(n))
    row = {"Name": name, "ClientInd": "Y", "Status": "A", "WebSite": web, "AjeraSync": "Y"}
    return key, crm.insert("firm", row, stamp=_stamp(n), user="jsmith")


def _person(n: int) -> dict[str, str]:
    return {"FirstName": f"Ana{n}", "LastName": f"Moreau{n}", "Email": f"ana{n}@people.example"}


def _ajera_contact(ajera: AjeraData, n: int) -> int:
    return ajera.insert("contacts", {**_person(n), "Status": "Active"}, stamp=_stamp(n))


def _crm_contact(crm: CrmData, n: int, firm: str) -> None:
    row = {**_person(n), "ClientID": firm, "ContactStatus": "A", "AjeraSync": "Y"}
    crm.insert("contact", row, stamp=_stamp(n), user="jsmith")


def _project(ajera: AjeraData, crm: CrmData, n: int, client: int, firm: str) -> None:
    number, name = f"{20_000 + n}.00", f"Library wing {n}"
    phases = [{"Description": text, "Status": "Active"} for text in ("Design", "Documents")]
    group = {"Description": "Invoice Group 1", "Client": {"ClientKey": client}, "Phases": phases}
    ajera.insert(
        "projects",
        {"ID": number, "Description": name, "Status": "Active", "InvoiceGroups": [group]},
        stamp=_stamp(n),
    )
    row = {"WBS1": number, "Name": name, "ChargeType": "R", "Status": "A", "ClientID": firm, "Org": "NE:AR"}
    crm.insert("project", {**row, "AjeraSync": "Y", "StartDate": "2026-03-01"}, stamp=_stamp(n), user="jsmith")


@dataclass
class Servers:
    """Both systems in a process of their own; `config` is the settings file that points at them."""

    process: subprocess.Popen[str]
    config: Path


@contextmanager
def servers(data: Path, config: Path, *, rate: float = 0, delay: int = 0) -> Iterator[Servers]:
    command = [sys.executable, "-m", "core.sandbox", "--data", str(data), "--rate", str(rate), "--delay", str(delay)]
    process = subprocess.Popen([*command, "--config-out", str(config)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        if not process.stdout.readline():
            raise SystemExit("the sandbox did not start")
        config.write_text(config.read_text().replace("rate = 50.0", "rate = 1000.0"))  # nothing but the servers slow us
        yield Servers(process, config)
    finally:
        process.send_signal(signal.SIGKILL)  # nothing of what it did is kept: the folder is a copy
        process.wait()


# -- the store -------------------------------------------------------------------------------------


def settings_of(config: Path, state: Path) -> Settings:
    from core.settings import load_settings

    return load_settings(Paths("bench", config, state))


def service_of(config: Path, state: Path) -> Service:
    from core.bootstrap import open_service

    return open_service(settings_of(config, state))


async def link_all(service: Service) -> None:
    """The store after the first pull, with everything linked, agreed on and planned."""
    puller = service.runner.puller
    await service.connect()
    await asyncio.gather(*(puller._pull(side, kind, False) for side in Side for kind in Kind))
    for kind in Kind:
        _link_kind(service, kind)
    store = service.store
    with store.transaction() as tx:
        settings = {
            "dirty": [],
            "dirty_all": 0,
            "policy": policy_print(service.policy),
            "mode": store.setting("seen_mode"),
            "hours_at": AHEAD,
            "hours_closed_until": "2099-01-01",
        }
        for name, value in settings.items():
            tx.put_setting(name, value)
        for kind in Kind:
            for side in Side:
                cursor = store.cursor(kind, side)
                tx.put_cursor(replace(cursor, swept=AHEAD, counted=len(store.records(kind, side))))


def _link_kind(service: Service, kind: Kind) -> None:
    store = service.store
    ajera, crm = store.records(kind, Side.AJERA), store.records(kind, Side.CRM)
    by_name = {_name(record): record for record in ajera.values()}
    pairs = [(by_name[name], record) for record in crm.values() if (name := _name(record)) in by_name]
    for start in range(0, len(pairs), BATCH):
        with store.transaction() as tx:
            for ours, theirs in pairs[start : start + BATCH]:
                link = Link(kind, ours.key, theirs.key, since="2026-01-01T00:00:00Z")
                tx.put_link(link)
                tx.put_base(link, _base(ours, theirs))
                if kind is Kind.PROJECT:
                    dated = {**ours.extra, "totals_at": AHEAD, "totals_stamp": ours.stamp}
                    tx.put_records([replace(ours, extra=dated, team=()), replace(theirs, contacts=(), team=())])


def _name(record: Record) -> str:
    return record.number if record.kind is Kind.PROJECT else str(record.fields.get("email") or record.name)


def _base(ajera: Record, crm: Record) -> dict[str, Pair]:
    names = ajera.fields.keys() & crm.fields.keys()
    values: dict[str, tuple[Value, Value]] = {name: (ajera.fields[name], crm.fields[name]) for name in names}
    return {name: Pair(*pair, note="") for name, pair in values.items()}


# -- a world, built once and copied ----------------------------------------------------------------


def built(size: int) -> Path:
    """The folder of a world of this size: `data` (both systems) and `state` (the store)."""
    place = ROOT / f"world{FORMAT}-{size}"
    if (place / "ready").exists():
        return place
    began = time.perf_counter()
    shutil.rmtree(place, ignore_errors=True)
    (place / "state").mkdir(parents=True)
    ajera, crm = AjeraData(lambda: NOW, zone="America/Chicago"), CrmData(lambda: NOW, "dps1")
    fill(ajera, crm, size)
    data_folder.save(place / "data", ajera, crm)
    with servers(place / "data", place / "config.toml") as running:

        async def link() -> None:
            service = service_of(running.config, place / "state")
            await link_all(service)
            await service.close()

        asyncio.run(link())
    (place / "ready").write_text(json.dumps({"seconds": round(time.perf_counter() - began, 1)}))
    print(f"# built a world of {size:,} in {time.perf_counter() - began:.0f} s: {place}", file=sys.stderr)
    return place


@dataclass
class World:
    """A running copy of a world."""

    size: int
    config: Path
    state: Path
    state_home: Path

    def service(self) -> Service:
        return service_of(self.config, self.state)


def date(state: Path) -> None:
    """Sweeps, figures and hours as of now: none is due for an hour, and none is of days to come."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    with TinyStore.open(state) as store:
        for at in range(0, len(keys := sorted(store.keys(Kind.PROJECT, Side.AJERA))), BATCH):
            found = (store.record(Kind.PROJECT, Side.AJERA, key) for key in keys[at : at + BATCH])
            dated = [replace(each, extra={**each.extra, "totals_at": now}) for each in found if each is not None]
            with store.transaction() as tx:
                tx.put_records(dated)
        with store.transaction() as tx:
            tx.put_setting("hours_at", now)
            tx.put_setting("hours_closed_until", now[:10])
            for kind in Kind:
                for side in Side:
                    tx.put_cursor(replace(store.cursor(kind, side), swept=now))


@contextmanager
def world(size: int, *, rate: float = 0, delay: int = 0) -> Iterator[World]:
    """A copy of a world that may be spoilt, with its servers running."""
    place = built(size)
    with tempfile.TemporaryDirectory(dir=ROOT) as name:
        copy = Path(name)
        state = copy / APP / _profile_of(copy / "config.toml")  # where the command line looks too
        shutil.copytree(place / "state", state)
        shutil.copytree(place / "data", copy / "data")
        # Apart, since what this process once held counts as the greatest size of each program that it starts.
        command = "import sys, pathlib, tests.bench.world as w; w.date(pathlib.Path(sys.argv[1]))"
        subprocess.run([sys.executable, "-c", command, str(state)], check=True)
        with servers(copy / "data", copy / "config.toml", rate=rate, delay=delay) as running:
            yield World(size, running.config, state, copy)


class Sent(list[tuple[Side, str]]):
    """Side and name of each request, and when it was sent."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[float] = []


@contextmanager
def counted() -> Iterator[Sent]:
    """The requests sent inside the block, repeated ones too, each with its side and name."""
    sent = Sent()
    real = Http._attempt

    async def noted(self: Http, request: Request, built: Any) -> Any:
        answer = await real(self, request, built)
        sent.append((self.side, request.name))
        sent.times.append(time.perf_counter())  # when it was answered: before, it waits for its place in the rate
        return answer

    Http._attempt = noted  # type: ignore[method-assign] # for the length of the block
    try:
        yield sent
    finally:
        Http._attempt = real  # type: ignore[method-assign]
