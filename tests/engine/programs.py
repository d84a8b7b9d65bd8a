"""The programs that the fault layer runs: a first run, a day of edits on both sides, a deletion; and one act each."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.model.values import Kind, Side
from core.sandbox.crm.data import CrmData
from tests.engine.faults import FAST, Line, Program, thawed
from tests.engine.faultworld import Frozen
from tests.engine.kit import (
    TEMPLATE_CODE,
    EngineSettings,
    World,
    ajera_client,
    ajera_project,
    crm_contact,
    crm_firm,
    crm_project,
)


def found(data: CrmData, table: str, **values: Any) -> str:
    (key,) = [k for k, row in data.tables[table].items() if all(row[name] == value for name, value in values.items())]
    return key


def people(world: World) -> None:
    """Two ticked firms (one of them in Ajera already), contacts, a project; bystanders; a poison record."""
    crm, ajera = world.crm, world.ajera
    acme = crm_firm(crm, "Acme Supplies", AjeraSync="Y", WebSite="www.acme.example")
    kent = crm_firm(crm, "Borough of Kent", AjeraSync="Y", WebSite="www.kent.example")
    ajera_client(ajera, "Borough of Kent", Website="www.kent.example")
    crm_firm(crm, "Bystander of the CRM")
    crm_firm(crm, "Fresh Firm")
    ajera_client(ajera, "Bystander of Ajera")
    ann = crm_contact(crm, "Ann", "Archer", acme, AjeraSync="Y", Title="Owner")
    crm_contact(crm, "Bob", "Baker", acme, AjeraSync="Y")
    crm_contact(crm, "Cid", "Cole", kent, AjeraSync="Y")
    crm_contact(crm, "Pat", "Poison", kent, AjeraSync="Y")
    ajera.insert("contacts", {"FirstName": "Pat", "LastName": "Poison", "Email": "another@else.example"})
    project = crm_project(crm, "2026.01", "Town Hall", kent, AjeraSync="Y", ProjectTemplate=TEMPLATE_CODE)
    crm.insert("project_contact", {"WBS1": project, "ContactID": ann, "AjeraSync": "Y"})


async def nothing(_world: World) -> None:
    """Everything stands in the CRM already."""


async def edits(world: World) -> None:
    """A day's work: edits of different fields, of the same field, new records, ticks, a typed answer."""
    crm, ajera = world.crm, world.ajera
    acme, kent = found(crm, "firm", Name="Acme Supplies"), found(crm, "firm", Name="Borough of Kent")
    ann = found(crm, "contact", LastName="Archer")
    bob = found(crm, "contact", LastName="Baker")
    clients = {c["Description"]: key for key, c in ajera.tables["clients"].items()}
    contacts = {c["LastName"]: key for key, c in ajera.tables["contacts"].items()}
    (job,) = ajera.tables["projects"]
    crm.edit("firm", acme, {"Name": "Acme Supply Co.", "WebSite": "crm.acme.example"})
    ajera.edit("clients", clients["Acme Supplies"], {"Website": "ajera.acme.example", "PrimaryAddressCity": "Dallas"})
    ajera.edit("clients", clients["Borough of Kent"], {"Website": "new.kent.example"})
    ajera.edit("contacts", contacts["Archer"], {"Title": "Director"})
    crm.edit("contact", ann, {"Email": "ann@new.example"})
    ajera.edit("projects", job, {"Description": "Town Hall and Square"})
    crm_contact(crm, "Dee", "Drew", kent, AjeraSync="Y")
    crm.edit("contact", bob, {"AjeraSync": "N", "Title": "Nobody"})
    world.service.mark(Kind.FIRM, [found(crm, "firm", Name="Fresh Firm")], True)


async def deletion(world: World) -> None:
    """A person deletes a linked contact in the CRM; the sweep finds it."""
    world.crm.delete("contact", found(world.crm, "contact", LastName="Archer"))
    world.crm.edit("firm", found(world.crm, "firm", Name="Acme Supplies"), {"WebSite": "later.acme.example"})


# -- one act each: few points, so that every fault at every point is run ------------------------------------


def small(world: World) -> None:
    """A firm, its contact and its project, in step on both sides, and bystanders."""
    crm, ajera = world.crm, world.ajera
    acme = crm_firm(crm, "Acme Supplies", AjeraSync="Y", WebSite="www.acme.example")
    crm_contact(crm, "Ann", "Archer", acme, AjeraSync="Y", Title="Owner")
    crm_project(crm, "2026.01", "Town Hall", acme, AjeraSync="Y", ProjectTemplate=TEMPLATE_CODE)
    crm_firm(crm, "Fresh Firm")
    ajera_client(ajera, "Only in Ajera", Website="www.only.example")


def _acme(world: World) -> tuple[int, str]:
    (ajera,) = [key for key, c in world.ajera.tables["clients"].items() if c["Description"] == "Acme Supplies"]
    return ajera, found(world.crm, "firm", Name="Acme Supplies")


async def crm_edit(world: World) -> None:
    world.crm.edit("firm", _acme(world)[1], {"Name": "Acme Supply Co.", "WebSite": "crm.acme.example"})


async def ajera_edit(world: World) -> None:
    changes = {"Website": "ajera.acme.example", "PrimaryAddressCity": "Dallas", "Email": "a@acme.example"}
    world.ajera.edit("clients", _acme(world)[0], changes)


async def conflict(world: World) -> None:
    world.crm.edit("firm", _acme(world)[1], {"WebSite": "crm.acme.example"})
    world.ajera.edit("clients", _acme(world)[0], {"Website": "ajera.acme.example"})


async def crossed(world: World) -> None:
    """Both sides of one record, each another field."""
    world.crm.edit("contact", found(world.crm, "contact", LastName="Archer"), {"Title": "Director"})
    (ann,) = world.ajera.tables["contacts"]
    world.ajera.edit("contacts", ann, {"Email": "ann@ajera.example"})


async def new_firm(world: World) -> None:
    world.crm.edit("firm", found(world.crm, "firm", Name="Fresh Firm"), {"AjeraSync": "Y"})


async def bare_firm(world: World) -> None:
    """A firm of which nothing but the name is known: no second look could tell it from another."""
    crm_firm(world.crm, "Bare Name", address=None, AjeraSync="Y")


async def tick_here(world: World) -> None:
    world.service.mark(Kind.FIRM, [found(world.crm, "firm", Name="Fresh Firm")], True)


async def new_contact(world: World) -> None:
    crm_contact(world.crm, "Bob", "Baker", _acme(world)[1], AjeraSync="Y", Title="Clerk")


async def new_project(world: World) -> None:
    crm_project(world.crm, "2026.02", "Library", _acme(world)[1], AjeraSync="Y", ProjectTemplate=TEMPLATE_CODE)


async def to_crm(world: World) -> None:
    """A client that Ajera alone has is ticked for the CRM."""
    (key,) = [key for key, c in world.ajera.tables["clients"].items() if c["Description"] == "Only in Ajera"]
    world.service.mark(Kind.FIRM, [str(key)], True, side=Side.AJERA)


async def project_to_crm(world: World) -> None:
    """A project made in Ajera and sent to the CRM by Ajera's own tick."""
    ajera_project(world.ajera, "2026.03", "Bridge", _acme(world)[0], CreateInCRM=True)


async def project_edit(world: World) -> None:
    (job,) = world.ajera.tables["projects"]
    world.ajera.edit("projects", job, {"Description": "Town Hall and Square", "EstimatedCompletionDate": "2027-01-31"})


async def invoice(world: World) -> None:
    """Money moves in Ajera."""
    (job,) = world.ajera.tables["projects"]
    world.ajera.edit("totals", job, {"Billed Labor": 1500.25, "WIP Labor": 300})
    world.ajera.edit("projects", job, {"ReportedPercentComplete": 40})


async def untick(world: World) -> None:
    crm = world.crm
    crm.edit("contact", found(crm, "contact", LastName="Archer"), {"AjeraSync": "N", "Title": "Nobody"})


async def clear(world: World) -> None:
    """A value is taken away on purpose."""
    world.crm.edit("contact", found(world.crm, "contact", LastName="Archer"), {"Title": ""})


async def gone(world: World) -> None:
    world.crm.delete("contact", found(world.crm, "contact", LastName="Archer"))


async def employee(world: World) -> None:
    """Somebody new works for the firm: Ajera's employees go to the CRM."""
    who = {"FirstName": "Eve", "LastName": "Engel", "Email": "eve@office.example", "Status": "Active"}
    world.ajera.insert("employees", who)


async def moves(world: World) -> None:
    """A contact goes to another firm, which is ticked on the same day."""
    fresh = found(world.crm, "firm", Name="Fresh Firm")
    world.crm.edit("firm", fresh, {"AjeraSync": "Y"})
    world.crm.edit("contact", found(world.crm, "contact", LastName="Archer"), {"ClientID": fresh})


async def apart(world: World) -> None:
    """Two records, further apart than what a list is read again for."""
    world.crm.edit("firm", _acme(world)[1], {"WebSite": "early.acme.example"})
    world.clock.forward(minutes=10)
    world.crm.edit("firm", found(world.crm, "firm", Name="Fresh Firm"), {"WebSite": "late.fresh.example"})


async def retired(world: World) -> None:
    world.crm.edit("firm", _acme(world)[1], {"Status": "I"})


ONE_ACT = (
    crm_edit, ajera_edit, conflict, crossed, new_firm, bare_firm, tick_here, new_contact, new_project, to_crm, project_to_crm,
    project_edit, invoice, untick, clear, gone, employee, moves, apart, retired,
)  # fmt: skip


async def at_rest(root: Path, name: str, fill: Callable[[World], None]) -> tuple[Frozen, Frozen]:
    """A world before its first run, and in step after it."""
    world = World(root / name, settings=EngineSettings(FAST))
    fill(world)
    await world.close()
    (root / name / "store.db").unlink()
    empty = Frozen.of(world)
    world = thawed(empty, root / f"{name}-synced", Line())
    for _ in range(3):
        await world.run()
    await world.close()
    return empty, Frozen.of(world)


async def prepared(root: Path) -> dict[str, Program]:
    """The programs with the worlds they start from."""
    empty, synced = await at_rest(root, "seed", people)
    programs = [
        Program("first", empty, nothing),
        Program("edits", synced, edits),
        Program("deletion", synced, deletion, sweep=True),
    ]
    _, rest = await at_rest(root, "small", small)
    programs += [Program(act.__name__, rest, act, sweep=act is gone) for act in ONE_ACT]
    return {program.name: program for program in programs}


def scratch() -> str:
    return tempfile.mkdtemp(dir="/dev/shm" if Path("/dev/shm").is_dir() else None)
