# ruff: noqa: T201
"""The first sync under Ajera's limit: `python -m tests.bench.bench_first [RECORDS] [--rate 9] [--delay MS]`.

All records are in the CRM only and ticked, in the shares of an ordinary firm. Told: which part of the allowed rate was
used from the first request to Ajera to the last, and how many there were beside the fewest that Ajera's contract allows
(`fewest`): one record a write; a project's figures one a call; whatever is read before or after a write in full batches
(25 projects, 50 others); namesakes looked for in one list a kind; logins, code tables, templates and timesheets once.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections import Counter
from pathlib import Path

from core.engine.service import Service
from core.model.plan import Op
from core.model.values import Kind, Side
from core.sandbox import folder as data_folder
from core.sandbox.ajera.data import AjeraData
from core.sandbox.crm.data import CrmData
from core.sandbox.seed import seed
from tests.bench.table import head, row
from tests.bench.world import NOW, _crm_contact, _stamp, counted, counts, servers, service_of

WRITES = ("UpdateClients", "UpdateContacts", "CreateProjects", "UpdateProjects")
ALONE = ("GetProjectTotals", "ListTimesheets", "GetTimesheets")  # one project a call; windows of a week; ten a call
ONCE = (
    "CreateAPISession",
    "ListProjectTemplates",
    "GetProjectTemplates",
    "ListEmployees",
    "ListClients",
    "ListContacts",
    "ListProjects",
)
BATCH = {"GetProjects": 25, "GetClients": 50}


def fewest(sent: Counter[str], made: Counter[str]) -> int:
    """The fewest requests that do the same. `made`: creates by kind, each an Update of that kind or a CreateProjects."""
    read = {
        "GetProjects": sent["CreateProjects"] + sent["UpdateProjects"],
        "GetClients": sent["UpdateClients"] - made["firm"],
    }
    tables = sum(many > 0 for name, many in sent.items() if name.startswith("List") and name not in (*ONCE, *ALONE))
    return (
        sum(sent[name] for name in (*WRITES, *ALONE))
        + sum(-(-many // BATCH[name]) for name, many in read.items())
        + sum(sent[name] > 0 for name in ONCE)
        + 3  # the lists of the first pull, beside those that namesakes are looked for in
        + tables
    )


def fill(crm: CrmData, size: int) -> None:
    many = counts(size)
    firms = []
    for n in range(many[Kind.FIRM]):
        given = {"Name": f"Firm {n} Associates", "ClientInd": "Y", "Status": "A", "AjeraSync": "Y"}
        firms.append(crm.insert("firm", given, stamp=_stamp(n), user="jsmith"))
    for n in range(many[Kind.CONTACT]):
        _crm_contact(crm, n, firms[n % len(firms)])
    template = crm.code_tables["CFGAjeraProjectTemplate"][0]["Code"]
    for n in range(many[Kind.PROJECT]):
        given = {"WBS1": f"{20_000 + n}.00", "Name": f"Library wing {n}", "ChargeType": "R", "Status": "A"}
        more = {"ClientID": firms[n % len(firms)], "Org": "NE:AR", "AjeraSync": "Y", "ProjectTemplate": template}
        crm.insert("project", {**given, **more}, stamp=_stamp(n), user="jsmith")


async def sync(service: Service, rate: float) -> None:
    first: list[float] = []

    def note(event: object) -> None:
        if getattr(event, "event", "") == "planned" and not first:
            first.append(time.perf_counter())

    service.bus.subscribe(note)
    with counted() as sent:
        began = time.perf_counter()
        cpu = time.process_time()
        done = await service.run()
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    at = [moment for moment, (side, _) in zip(sent.times, sent, strict=True) if side is Side.AJERA]
    ajera = Counter(name for side, name in sent if side is Side.AJERA)
    crm = Counter(name for side, name in sent if side is Side.CRM)
    made = Counter(entry.kind.value for entry in service.store.history_of_run(done.id) if entry.op == Op.CREATE)
    least = fewest(ajera, made)
    print("  outcome", done.outcome, {k: v for k, v in done.counts.items() if v}, f"{seconds:.1f} s")
    print("  ajera", dict(ajera))
    print("  crm", dict(crm))
    used = (len(at) - 1) / (at[-1] - at[0]) / rate * 100
    row(
        "Ajera: part of the allowed rate used",
        used,
        95,
        "%",
        f"{len(at) / seconds / rate * 100:.1f} % of the whole run",
        more=True,
    )
    row("Ajera: requests beside the fewest", len(at) / least, 1.1, "", f"{len(at)} of {least}")
    row("own CPU a request", cpu / len(sent) * 1000, None, "ms")
    with counted() as sent:
        await service.run()
    row("requests of the run after it", len(sent))


def main() -> None:
    asks = argparse.ArgumentParser()
    asks.add_argument("records", type=int, nargs="?", default=100)
    asks.add_argument("--rate", type=float, default=9.0)
    asks.add_argument("--delay", type=int, default=0)
    given = asks.parse_args()
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        ajera, crm = AjeraData(lambda: NOW, zone="America/Chicago"), CrmData(lambda: NOW, "dps1")
        seed(ajera, crm, firms=0, contacts=0, projects=0, employees=0)
        fill(crm, given.records)
        data_folder.save(place / "data", ajera, crm)
        (place / "state").mkdir()
        head(f"first sync of {given.records} records, {given.rate:g} requests a second, {given.delay} ms a request")
        with servers(place / "data", place / "config.toml", rate=given.rate, delay=given.delay) as running:

            async def run() -> None:
                service = service_of(running.config, place / "state")
                await sync(service, given.rate)
                await service.close()

            asyncio.run(run())


if __name__ == "__main__":
    main()
