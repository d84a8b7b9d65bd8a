"""`doctor` put together: asks both systems and the store, and checks the settings; core.engine.doctor judges.

Part of the composition root: it builds the two systems as core.bootstrap does and may look inside them.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

from core.engine.doctor import OK, WARN, Answers, Check, Facts, StoreFacts, checks, exit_code
from core.errors import AjerasyncError, SystemFailure, UsageError
from core.model.values import Kind, Side
from core.ports import Connection
from core.settings import Settings, is_loopback

if TYPE_CHECKING:
    from core.paths import Paths
    from core.quirks.probing import ProbeReport
    from core.secret import Secret

__all__ = ["Check", "ask_both", "examine", "exit_code", "may_write", "probe", "save_quirks"]

_CAPS: Final = {"dps1": 5, "vantagepoint": 20}  # ticked contacts of a firm (sync-behaviour 3.2)


# -- checks ----------------------------------------------------------------------------------------


async def examine(settings: Settings) -> tuple[list[Check], int]:
    """All findings and the exit code. Reads only."""
    from core.bootstrap import deferred_systems

    systems = deferred_systems(settings)
    facts = Facts(
        answers={},
        now=datetime.now(UTC),
        policy=settings.policy(),
        direction=settings.sync.direction,
        crm_user=settings.crm.username,
        cron=settings.schedule.cron,
        timezone=settings.schedule.timezone,
    )
    try:
        facts = await _with_systems(facts, systems)
    finally:
        for system in systems.values():
            await system.close()
    facts = replace(facts, store=await store_facts(settings))
    found = [*settings_checks(settings), *checks(facts)]
    return found, exit_code(found, facts.answers)


async def ask_both(settings: Settings) -> Answers:
    """What each system says of itself, or why it says nothing."""
    from core.bootstrap import deferred_systems

    systems = deferred_systems(settings)
    try:
        return await _connected(systems)
    finally:
        for system in systems.values():
            await system.close()


async def _connected(systems: Mapping[Side, Any]) -> Answers:
    async def ask(side: Side) -> Connection | AjerasyncError:
        try:
            connection: Connection = await systems[side].connect()
        except AjerasyncError as error:
            return error
        return connection

    answers = await asyncio.gather(*(ask(side) for side in systems))
    return dict(zip(systems, answers, strict=True))


async def _with_systems(facts: Facts, systems: Mapping[Side, Any]) -> Facts:
    from core.ajera.survey import survey
    from core.crm.survey import recent_saves

    facts = replace(facts, answers=await _connected(systems))
    trouble: dict[Side, str] = {}
    looks = {Side.AJERA: ("ajera", survey, (facts.now,)), Side.CRM: ("saves", recent_saves, ())}
    for side, (name, look, more) in looks.items():
        if isinstance(facts.answers[side], Connection):
            try:
                facts = replace(facts, **{name: await look(systems[side].client, *more)})  # type: ignore[operator] # one question or the other, each with its own arguments
            except SystemFailure as error:
                trouble[side] = str(error)
    return replace(facts, trouble=trouble)


async def store_facts(settings: Settings) -> StoreFacts:
    """The store, the locks and the schedule of this profile; nothing is made where there is none."""
    from core.bootstrap import open_service

    if not settings.paths.store.exists():
        return StoreFacts()
    try:
        service = open_service(settings, readonly=True, program="ajerasync doctor")
    except AjerasyncError as error:
        return StoreFacts(there=True, problem=str(error))
    try:
        status = service.status()
        known = sum(len(service.store.records(kind, side)) for kind in Kind for side in Side)
        from core.store import run_lock

        return StoreFacts(
            there=True,
            records=known,
            stale=status.stale_reason if status.stale else "",
            last_good=status.last_good or "",
            waiting=status.queues,
            running=run_lock(settings.paths.state, "ajerasync doctor").holder() or "",
            lease=status.held_by or "",
            paused=status.paused,
            next_run=status.next_runs[0] if status.next_runs else "",
        )
    finally:
        await service.close()


def settings_checks(settings: Settings) -> Iterator[Check]:
    """The settings file and its secrets."""
    yield Check("settings", OK, str(settings.paths.config))
    plain = False
    for section in (settings.ajera, settings.crm):
        for secret in _secrets(section):
            if secret.source == "plain" and not is_loopback(section.url):
                plain = True
                way_out = "Keep it in the keyring, a file, a command or the environment"
                yield Check(f"settings, {secret.where}", WARN, "stands in the settings file as text", way_out)
            if secret.source == "file":
                yield from _open_file(f"settings, {secret.where}", secret.folder / secret.target)
    if plain:
        yield from _open_file("settings, file mode", settings.paths.config)


def _secrets(section: object) -> list[Secret]:
    names = ("password", "client_secret")
    return [getattr(section, name) for name in names if hasattr(section, name)]


def _open_file(name: str, path: Path) -> Iterator[Check]:
    try:
        mode = path.expanduser().stat().st_mode
    except OSError:
        return  # reading it says so
    if mode & 0o077:
        yield Check(name, WARN, f"{path} can be read by others (mode {mode & 0o777:o})", f"chmod 600 {path}")


# -- probes ----------------------------------------------------------------------------------------


async def probe(
    settings: Settings, *, writing: bool = False, left: dict[Side, list[str]] | None = None
) -> dict[Side, ProbeReport | AjerasyncError]:
    """Both sides' switches as the tenants show them. With `writing` records are made: ask `may_write` first.

    `left` takes the names of records that stay, also where the probes are stopped half way.
    """
    from core.ajera import probes as ajera_probes
    from core.bootstrap import deferred_systems
    from core.crm import probes as crm_probes

    systems = deferred_systems(settings)
    defaults = {Kind(kind): dict(columns) for kind, columns in settings.crm.defaults.items()}
    cap = _CAPS[settings.crm.profile]
    stay = {} if left is None else left

    async def ask(side: Side) -> ProbeReport | AjerasyncError:
        mine = stay.setdefault(side, [])
        try:
            client = systems[side].client
            if side is Side.AJERA:
                return await ajera_probes.probe(client, now=lambda: datetime.now(UTC), writing=writing, left=mine)
            return await crm_probes.probe(client, defaults=defaults, contact_cap=cap, writing=writing, left=mine)
        except AjerasyncError as error:
            return error

    try:
        reports = await asyncio.gather(*(ask(side) for side in systems))
    finally:
        for system in systems.values():
            await system.close()
    return dict(zip(systems, reports, strict=True))


def may_write(settings: Settings, named: Collection[str]) -> None:
    """Raises UsageError unless the operator names the databases of both sides as test databases.

    The CRM's is that of the settings. Ajera's is taken where its address says that it holds sample data; else its
    DatabaseID or DatabaseName (ajera-api 1) must be named too.
    """
    names = {name.strip().casefold() for name in named}
    if settings.crm.database.casefold() not in names:
        raise UsageError(
            f"Probes that write need the name of the CRM's test database (--database): the settings connect to "
            f"{settings.crm.database!r}"
        )
    identity = _ajera_identity(settings.ajera.url)
    if identity.get("IsSampleData") is True:
        return
    told = [str(identity[name]) for name in ("DatabaseID", "DatabaseName") if identity.get(name) not in (None, "")]
    if not any(name.casefold() in names for name in told):
        which = f"its own, {told[0]!r}" if told else "nothing, for its address does not say which it is"
        raise UsageError(
            "Ajera's address does not say that its database holds sample data, so --database must name it too: "
            f"{which}. Never name one that people work in"
        )


def _ajera_identity(url: str) -> dict[str, Any]:
    """What the id of an Ajera address holds; empty where it cannot be read."""
    try:
        document = json.loads(base64.b64decode(unquote(urlsplit(url).query), validate=True))
    except (binascii.Error, ValueError, UnicodeDecodeError):
        return {}
    return document if isinstance(document, dict) else {}


def quirks_toml(reports: Mapping[Side, ProbeReport]) -> str:
    """The switches that were found, as they stand in the settings file."""
    import tomlkit

    body = tomlkit.document()
    for side, report in reports.items():
        if report.values:
            quirks = tomlkit.table()
            quirks.update(report.values)
            body[side.value] = tomlkit.table(is_super_table=True).append("quirks", quirks)
    return tomlkit.dumps(body)


def save_quirks(paths: Paths, reports: Mapping[Side, ProbeReport]) -> None:
    """Set the switches that were found in the settings file; all else in it stays, comments too.

    Raises SettingsError where the file would not be right then, UsageError where it cannot be written.
    """
    import tomlkit

    from core.settings import settings_from

    body: Any = tomlkit.parse(paths.config.read_text(encoding="utf-8"))
    for side, report in reports.items():
        if report.values:
            section = body.setdefault(side.value, tomlkit.table())
            new = "quirks" not in section
            if new:
                section["quirks"] = tomlkit.table()
            for name, value in report.values.items():
                section["quirks"][name] = value
            if new:
                section["quirks"].add(tomlkit.nl())
    text = tomlkit.dumps(body)
    settings_from(tomlkit.parse(text).unwrap(), paths)
    _replace_file(paths.config, text)


def _replace_file(path: Path, text: str) -> None:
    """The new text in the file's place at once, with the mode it had."""
    fresh = path.with_name(f"{path.name}.new")
    try:
        mode = path.stat().st_mode & 0o777
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as stream:
            stream.write(text)
        fresh.chmod(mode)
        fresh.replace(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from None
