"""The small programs that the fault layer runs: a first run, a day of edits on both sides, a deletion."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from core.model.values import Kind
from core.sandbox.crm.data import CrmData
from tests.engine.faults import FAST, Line, Program, Snapshot
from tests.engine.kit import (
    TEMPLATE_CODE,
    EngineSettings,
    World,
    ajera_client,
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


async def prepared(root: Path) -> dict[str, Program]:
    """The programs with the worlds they start from."""
    world = World(root / "seed", settings=EngineSettings(FAST))
    people(world)
    await world.close()
    (root / "seed" / "store.db").unlink()
    empty = Snapshot.of(world, root / "empty")
    programs = {"first": Program("first", empty, nothing)}
    line = Line()
    world = empty.world(root / "synced", line)
    for _ in range(3):
        await world.run()
    await world.close()
    synced = Snapshot.of(world, root / "rest")
    programs["edits"] = Program("edits", synced, edits)
    programs["deletion"] = Program("deletion", synced, deletion, sweep=True)
    return programs


def scratch() -> str:
    return tempfile.mkdtemp(dir="/dev/shm" if Path("/dev/shm").is_dir() else None)
