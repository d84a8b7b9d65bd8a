"""A rehearsal: both live systems read into a sandbox, and the real settings run there.

A second composition root, for the command line only. The live systems are asked through the same clients as in a run
and only with reading calls; this program's own memory (links, bases, ticks) is copied with them, under the run lock,
so that the run over the copy decides what the next real run would decide.

    folder/data     the copy of both systems, as it was read; never run on, so that it can be used again
    folder/state    the copy of this program's memory
    folder/copy.json  what could not be copied
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from core.bootstrap import ajera_system, crm_system, deferred_systems, open_service
from core.engine.clock import SystemClock, iso
from core.errors import AjerasyncError, GuardTripped, RunInProgress, UsageError
from core.model.link import LinkState
from core.model.plan import Plan
from core.model.record import Record
from core.model.values import Kind, Side
from core.paths import Paths
from core.ports import Connection, RunRecord, System
from core.private import private_folder
from core.sandbox import folder as data_folder
from core.sandbox.copy import Live, ajera_copy, crm_copy, missing_columns
from core.sandbox.options import SandboxOptions
from core.sandbox.serve import Sandbox
from core.secret import Secret
from core.settings import NotifySection, Settings
from core.store import TinyStore, run_lock

if TYPE_CHECKING:
    from core.ajera.system import AjeraSystem
    from core.crm.system import CrmSystem
    from core.engine.service import Service

ALWAYS = (
    "fields that are not mapped are blank in the copy, and rules and workflows of the CRM's own are not in it",
    "timesheets are not copied: the hours of teams are those last read",
    "the Ajera Totals of projects that are not linked yet are 0 in the copy",
    "of a firm's addresses only the primary one is copied",
    "lists of contacts and teams are copied of ticked projects only",
)


_NAMES = {Side.AJERA: "Ajera", Side.CRM: "the CRM"}
_TOLD = frozenset({"pulled", "planned", "run_finished"})


@dataclass(frozen=True)
class Rehearsed:
    """What happened on the copy: the plan, the run, what waits, and what could not be copied."""

    plan: Plan | None
    run: RunRecord
    errors: tuple[Any, ...]
    queues: Mapping[str, int]
    not_copied: tuple[str, ...]
    copied_at: str


Tell = Callable[[str], None]
"""Takes what is being done, as it begins."""


def _silent(_words: str) -> None:
    """Nobody listens."""


async def rehearse(settings: Settings, work: Path, kept: Path, tell: Tell = _silent) -> Rehearsed:
    """Copy both live systems into `kept`, unless it holds a copy already, and run on a copy of that in `work`.

    Raises SystemFailure where a live system cannot be read, RunInProgress while a run goes on, UsageError for a
    folder that holds something else.
    """
    if not (kept / "copy.json").exists():
        await make_copy(settings, kept, tell)
    notes = _notes(kept)
    tell(f"running with your settings on the copy of {notes['copied_at']}")
    shutil.copytree(kept / "data", work / "data")
    if (kept / "state").exists():
        shutil.copytree(kept / "state", work / "state")
    async with _stage(settings, work, notes["quirks"]) as staged:
        service = open_service(staged, program="ajerasync rehearse")
        try:
            end = service.bus.subscribe(
                lambda event: tell(f"on the copy: {event.text}") if event.event in _TOLD else None
            )
            try:
                return await _run(service, notes)
            finally:
                end()
        finally:
            await service.close()


async def _run(service: Service, notes: Mapping[str, Any]) -> Rehearsed:
    service.set_enabled(True)
    with service.store.transaction() as tx:
        tx.put_setting("hours_at", iso(service.clock.now()))  # no timesheets in the copy: not to be read as none worked
    with suppress(GuardTripped):
        await service.run(full=True, trigger="rehearsal")
    run = next(iter(service.runs(1)))
    stored = service.store.plan(run.digest) if run.digest else None
    plan = service.stored_plan(run.digest) if stored is not None else None
    return Rehearsed(
        plan, run, tuple(service.errors()), service.status().queues, tuple(notes["not_copied"]), notes["copied_at"]
    )


def _notes(kept: Path) -> dict[str, Any]:
    try:
        notes = json.loads((kept / "copy.json").read_text(encoding="utf-8"))
        return {name: notes[name] for name in ("copied_at", "not_copied", "quirks")}
    except (OSError, ValueError, KeyError, TypeError):
        raise UsageError(f"{kept} does not hold a copy that `rehearse` made") from None


# -- copying ---------------------------------------------------------------------------------------


async def make_copy(settings: Settings, kept: Path, tell: Tell = _silent) -> None:
    """Read both live systems and this program's memory into an empty folder."""
    _take_empty(kept)
    try:
        await _copy(settings, kept, tell)
    except BaseException:
        for name in ("data", "state"):  # half a copy is not a copy
            shutil.rmtree(kept / name, ignore_errors=True)
        raise


def _take_empty(kept: Path) -> None:
    if kept.exists() and any(kept.iterdir()):
        raise UsageError(f"{kept} is not empty and does not hold a copy that `rehearse` made")
    private_folder(kept)


async def _copy(settings: Settings, kept: Path, tell: Tell) -> None:
    state = settings.paths.make_state()
    lock = run_lock(state, "ajerasync rehearse")
    if not lock.acquire():
        raise RunInProgress(f"a run is going on in {lock.holder() or 'another program'}")
    try:
        _copy_memory(state, kept / "state")
        live = await _read_live(settings, tell)
    finally:
        lock.release()
    quirks = (*_quirks(settings), *missing_columns(live.crm))
    clock = SystemClock()
    ajera, crm = ajera_copy(live, clock.now, settings.ajera_quirks), crm_copy(live, clock.now)
    tell("comparing the copy with what was read")
    data_folder.save(kept / "data", ajera, crm)
    lost = await _differences(settings, live, kept, quirks)
    notes = {"copied_at": iso(clock.now()), "quirks": list(quirks), "not_copied": [*ALWAYS, *lost]}
    data_folder.write_private(kept / "copy.json", json.dumps(notes, indent=2))


def _copy_memory(state: Path, to: Path) -> None:
    """The store as of one moment, whatever another program writes meanwhile."""
    source = state / "store.db"
    to.mkdir(mode=0o700)
    if source.exists():
        target = to / "store.db"
        target.touch(mode=0o600)
        with (
            closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as old,
            closing(sqlite3.connect(target)) as new,
        ):
            old.backup(new)


async def _read_live(settings: Settings, tell: Tell) -> Live:
    from core.ajera.copying import lists_of
    from core.crm.copying import codes_of

    ajera, crm = cast("AjeraSystem", ajera_system(settings)), cast("CrmSystem", crm_system(settings))
    systems: dict[Side, System] = {Side.AJERA: ajera, Side.CRM: crm}
    try:
        connections: dict[Side, Connection] = {side: await system.connect() for side, system in systems.items()}
        records = {}
        for kind, side in product(Kind, Side):
            tell(f"reading every {kind} of {_NAMES[side]}")
            records[kind, side] = (await systems[side].pull(kind, None)).records
        tell("reading lists of contacts, codes and totals")
        records[Kind.PROJECT, Side.CRM] = await _with_lists(crm, settings, records[Kind.PROJECT, Side.CRM])
        codes = await codes_of(crm)
        return Live(
            connections[Side.AJERA],
            connections[Side.CRM],
            records,
            {key: await ajera.totals(key) for key in _linked(settings)},
            await lists_of(ajera.client),
            codes.tables,
            codes.columns,
            codes.templates,
            settings.crm.profile,
            settings.crm.database,
            frozenset(columns["Org"] for columns in settings.crm.defaults.values() if "Org" in columns),
        )
    finally:
        for system in systems.values():
            with suppress(AjerasyncError):
                await system.close()


async def _with_lists(crm: System, settings: Settings, projects: Sequence[Record]) -> tuple[Record, ...]:
    """Projects with the lists of those that are ticked, here or there."""
    store = TinyStore.open(settings.paths.state, readonly=True)
    try:
        here = {mark.project or mark.key for mark in store.marks().values() if mark.side is Side.CRM}
    finally:
        store.close()
    wanted = [record.key for record in projects if record.marked or record.key in here]
    full = await crm.get(Kind.PROJECT, wanted) if wanted else {}
    return tuple(full.get(record.key, record) for record in projects)


def _linked(settings: Settings) -> list[str]:
    store = TinyStore.open(settings.paths.state, readonly=True)
    try:
        links = store.links().by_ajera
        return sorted(
            key for (kind, key), link in links.items() if kind is Kind.PROJECT and link.state is LinkState.ACTIVE
        )
    finally:
        store.close()


async def _differences(settings: Settings, live: Live, kept: Path, quirks: tuple[str, ...]) -> list[str]:
    """What the copy, read back through the same clients, says otherwise than the live systems: told, not guessed."""
    work = kept / ".check"
    shutil.copytree(kept / "data", work / "data")
    found: Counter[tuple[Side, Kind, str]] = Counter()
    try:
        async with _stage(settings, work, quirks) as staged:
            systems = deferred_systems(staged)
            for side in Side:
                for kind in Kind:
                    copies = {r.key: r for r in (await systems[side].pull(kind, None)).records}
                    for record in live.of(kind, side):
                        found.update((side, kind, name) for name in _lost(record, copies.get(record.key)))
            for system in systems.values():
                await system.close()
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return [
        f"{name} of {count} {kind} records of {_NAMES[side]} differs in the copy"
        for (side, kind, name), count in sorted(found.items())
    ]


def _lost(record: Record, copy: Record | None) -> list[str]:
    if copy is None:
        return ["everything"]
    lost = [name for name, value in record.fields.items() if copy.fields.get(name) != value]
    return [*lost, *(["the tick"] if record.marked != copy.marked else [])]


# -- the stage -------------------------------------------------------------------------------------


def _quirks(settings: Settings) -> tuple[str, ...]:
    sections = (("ajera", settings.ajera.quirks), ("crm", settings.crm.quirks))
    return tuple(
        f"{side}.{name}={('yes' if value else 'no') if isinstance(value, bool) else value}"
        for side, quirks in sections
        for name, value in quirks.items()
    )


@asynccontextmanager
async def _stage(settings: Settings, work: Path, quirks: Sequence[str]) -> AsyncIterator[Settings]:
    """A sandbox over the data in `work`, and the real settings with nothing changed but where they point."""
    sandbox = Sandbox(SandboxOptions(data=work / "data", rate=0, quirks=tuple(quirks)))
    async with sandbox:
        yield staged_settings(settings, sandbox, work)


def staged_settings(settings: Settings, sandbox: Sandbox, work: Path) -> Settings:
    ajera, crm = sandbox.ajera, sandbox.crm
    local = {"ca_file": None, "allow_plain_http": None, "rate": 1000.0}
    return replace(
        settings,
        paths=Paths("rehearsal", settings.paths.config, work / "state"),
        ajera=settings.ajera.model_copy(
            update={
                **local,
                "url": sandbox.ajera_url,
                "username": ajera.username,
                "password": Secret("ajera.password", "plain", ajera.password),
            }
        ),
        crm=settings.crm.model_copy(
            update={
                **local,
                "url": sandbox.crm_url,
                "database": crm.database,
                "username": crm.username,
                "password": Secret("crm.password", "plain", crm.password),
                "client_id": crm.client_id,
                "client_secret": Secret("crm.client_secret", "plain", crm.client_secret),
                "integrated": False,
                "mark_columns": {},
            }
        ),
        notify=NotifySection(),  # nobody is told of what did not happen
        ajera_quirks=sandbox.ajera_quirks,
        crm_quirks=sandbox.crm_quirks,
    )
