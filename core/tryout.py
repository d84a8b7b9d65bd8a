"""What the set-up wizard finds out while it asks: addresses read, logins tried, what each system says of itself.

Part of the composition root, as core.doctor: it builds the two systems and may look inside them. Reads only.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import socket
import zoneinfo
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from core.errors import UsageError
from core.model.values import Kind
from core.text import safe_line

if TYPE_CHECKING:
    from core.crm.catalogue import Catalogue
    from core.crm.client import CrmClient
    from core.paths import Paths
    from core.settings import Settings

# -- addresses -------------------------------------------------------------------------------------

AJERA_PAGE: Final = "/ajeraapi.ashx"
COPY_IT: Final = "Copy it in Ajera: Utility > Setup Integrations > API Settings, Copy API URL"


@dataclass(frozen=True, slots=True)
class AjeraAddress:
    """An Ajera address, exactly as given, and what its id says (ajera-api 1)."""

    url: str
    identity: Mapping[str, Any]

    def __str__(self) -> str:
        told = [f"{name} {safe_line(self.identity[name], 60)}" for name in _NAMED if name in self.identity]
        sample = self.identity.get("IsSampleData")
        if isinstance(sample, bool):
            told.append("sample data" if sample else "not sample data: a database that people work in")
        else:
            told.append("it does not say whether this is sample data")
        return ", ".join(told)


_NAMED: Final = ("ClientID", "DatabaseID", "DatabaseName")


def ajera_address(text: str) -> AjeraAddress:
    """Reads a pasted address; changes nothing in it but spaces around it. Raises UsageError with what to do."""
    url = text.strip().strip("<>\"'")
    parts = _checked_parts(url, COPY_IT)
    if not parts.path.casefold().endswith(AJERA_PAGE):
        raise UsageError(f"Ajera's address ends with AjeraAPI.ashx?… and this one does not. {COPY_IT}")
    if not parts.query:
        raise UsageError(f"The part after the question mark is missing: it names the database. {COPY_IT}")
    return AjeraAddress(url, _identity(parts.query))


def _identity(query: str) -> dict[str, Any]:
    """The JSON object in the id. Raises UsageError: what cannot be read was cut or changed on its way here."""
    cut = f"The part after the question mark is cut short or changed, so it names no database. {COPY_IT}"
    try:
        document = json.loads(base64.b64decode(unquote(query), validate=True))
    except (binascii.Error, ValueError):
        raise UsageError(cut) from None
    if not isinstance(document, dict) or not any(document.get(name) not in (None, "") for name in _NAMED):
        raise UsageError(cut)
    return document


def crm_address(text: str) -> str:
    """The address of the CRM's API from what was pasted: `https://host/instance/api` (dps-api 1).

    A page of the CRM in a browser, an address without /api or with a call behind it all name the same place.
    """
    url = text.strip().strip("<>\"'")
    url = url if "://" in url else f"https://{url}"
    parts = _checked_parts(url, "It looks like https://<host>/<instance>/api")
    steps = [step for step in parts.path.split("/") if step]
    names = [step.casefold() for step in steps]
    for end in ("api", "app", "vision"):
        if end in names:
            steps = steps[: names.index(end)]
            break
    host = (parts.hostname or "").split(".")
    if not steps and len(host) > 2 and host[-2:] == ["deltekfirst", "com"]:
        steps = [host[0]]  # the hosted form names the tenant twice
    return urlunsplit((parts.scheme, parts.netloc, "/".join(["", *steps, "api"]), "", ""))


def _checked_parts(url: str, hint: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - reading it is what checks it
    except ValueError:
        raise UsageError(f"This is not an address. {hint}") from None
    if parts.scheme not in ("https", "http") or not parts.hostname or re.search(r"\s", url):
        raise UsageError(f"An address begins with https:// and has no spaces in it. {hint}")
    if parts.username or parts.password:
        raise UsageError("Leave user and password out of the address; they are asked for next")
    return parts


async def no_answer(url: str, seconds: float = 5.0) -> str:
    """Why nothing answers at the host of an address; empty where something does. Only a connection is made."""
    import asyncio

    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        async with asyncio.timeout(seconds):
            _reader, writer = await asyncio.open_connection(parts.hostname, port)
    except TimeoutError:
        return f"nothing answered within {seconds:.0f} seconds"
    except OSError as error:
        return "there is no machine of this name" if isinstance(error, socket.gaierror) else "the connection is refused"
    writer.close()
    return ""


def refuse_plain_http(url: str, allowed: str | None) -> None:
    """Raises UsageError for http to another machine, unless the settings allow it for that host."""
    from core.settings import is_loopback

    parts = urlsplit(url)
    if parts.scheme == "http" and not is_loopback(url) and parts.hostname != allowed:
        raise UsageError(
            "Begin it with https://: plain http would show the password to the network. Where there is no other way, "
            f'write allow_plain_http = "{parts.hostname}" into the settings by hand'
        )


# -- logins ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AjeraFound:
    """What Ajera said. `missing` are methods the API user may not call; `offset` is the office's, from its stamps."""

    company: str
    version: str
    templates: tuple[str, ...]
    missing: tuple[str, ...] = ()
    offset: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Need:
    """A column that each new record of a kind must have in the CRM and that nobody fills yet. `choices` are code and
    description; none where the CRM lists none."""

    kind: Kind
    column: str
    caption: str
    choices: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class CrmFound:
    """What the CRM said. `seconds`: the life of its login (0: not told). `marks`: tick to column.
    `template`: the column of the Ajera Project Template. `warnings` are sentences."""

    seconds: int
    marks: Mapping[str, str] = field(default_factory=dict)
    template: str = ""
    templates: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    needs: tuple[Need, ...] = ()


async def try_ajera(settings: Settings) -> AjeraFound:
    """Log in and look around. Raises SystemFailure, SettingsError (a secret cannot be fetched)."""
    from core.ajera.survey import survey
    from core.ajera.system import AjeraSystem
    from core.bootstrap import ajera_system

    system = ajera_system(settings)
    assert isinstance(system, AjeraSystem)
    try:
        connection = await system.connect(0.0)
        seen = await survey(system.client, datetime.now(UTC))
    finally:
        await system.close()
    missing = tuple(method for method, why in seen.rights.items() if why)
    return AjeraFound(connection.company, connection.version or "", connection.templates, missing, seen.offset)


async def try_crm(settings: Settings) -> CrmFound:
    """Log in and read metadata. Raises SystemFailure, SettingsError (a secret cannot be fetched)."""
    from core.bootstrap import crm_system
    from core.crm.catalogue import catalogue_of
    from core.crm.hubs import HUBS
    from core.crm.system import CrmSystem

    system = crm_system(settings)
    assert isinstance(system, CrmSystem)
    try:
        grant = await system.client.session.another()
        connection = await system.connect(0.0)
        metadata = {kind: await system.client.metadata(hub.path) for kind, hub in HUBS.items()}
        named = {str(tick): column for tick, column in settings.crm.mark_columns.items()}
        catalogue = catalogue_of(metadata, named, {})
        needs = await _needs(system.client, catalogue, settings)
    finally:
        await system.close()
    marks, template = dict(catalogue.marks), catalogue.template or ""
    return CrmFound(grant.seconds, marks, template, connection.templates, connection.warnings, needs)


async def _needs(client: CrmClient, catalogue: Catalogue, settings: Settings) -> tuple[Need, ...]:
    """What new records need, whatever stands under [crm.defaults] now: it is asked for again with that as the answer."""
    from core.crm.catalogue import unfilled

    policy = settings.policy()
    specs = [spec for kind in Kind for spec in policy.active_fields(kind)]
    needs = []
    for kind, columns in unfilled(catalogue, specs, {}).items():
        for meta in columns:
            rows = await client.code_table(meta.codetable) if meta.codetable else ()
            choices = tuple((row.code, row.description) for row in rows or () if row.status.upper() != "I")
            needs.append(Need(kind, meta.fieldname, meta.caption or meta.fieldname, choices))
    return (*needs, *await _organizations(client, catalogue, {(need.kind, need.column) for need in needs}))


async def _organizations(client: CrmClient, catalogue: Catalogue, asked: set[tuple[Kind, str]]) -> list[Need]:
    """Where organizations are used, a new project and a new employee need one, and metadata does not say so
    (dps-api, project and employee)."""
    from core.errors import SystemFailure

    columns = {kind: catalogue.column(kind, "Org") for kind in (Kind.PROJECT, Kind.EMPLOYEE)}
    if not any(columns.values()):
        return []
    try:
        rows = (await client.read("organization", (), "organizations")).json()
    except (SystemFailure, ValueError):
        return []  # no right to read them, or no such list: doctor and the first refusal name the column
    found = tuple(
        (str(row["Org"]), str(row.get("Name") or row.get("OrgName") or ""))
        for row in (rows if isinstance(rows, list) else [])
        if isinstance(row, dict) and row.get("Org") and str(row.get("Status") or "A").upper() != "I"
    )
    return [
        Need(kind, meta.fieldname, meta.caption or meta.fieldname, found)
        for kind, meta in columns.items()
        if found and meta is not None and (kind, meta.fieldname) not in asked
    ]


# -- time zones ------------------------------------------------------------------------------------

# Deltek sells Ajera in North America; of the zones with an offset, these are looked at first.
USUAL_ZONES: Final = (
    *("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles", "America/Phoenix"),
    *("America/Anchorage", "Pacific/Honolulu", "America/Halifax", "America/St_Johns", "Europe/London", "UTC"),
)


def local_zone() -> str:
    """This machine's zone where it says one by name."""
    link = Path("/etc/localtime")
    _, found, name = str(link.resolve()).partition("zoneinfo/") if link.is_symlink() else ("", "", "")
    return name if found and name in zoneinfo.available_timezones() else "UTC"


def zones_at(offset: timedelta, now: datetime, first: Sequence[str] = USUAL_ZONES) -> list[str]:
    """The usual zones that are at this offset now."""
    return [name for name in first if now.astimezone(zoneinfo.ZoneInfo(name)).utcoffset() == offset]


def likely_zone(offset: timedelta | None, now: datetime) -> str:
    """This machine's zone, unless Ajera's stamps say that its office is elsewhere."""
    mine = local_zone()
    if offset is None or now.astimezone(zoneinfo.ZoneInfo(mine)).utcoffset() == offset:
        return mine
    return next(iter(zones_at(offset, now)), mine)


def settings_for(document: Mapping[str, Any], paths: Paths) -> Settings:
    """Settings from what was answered so far; what is not answered yet is filled with what is never sent."""
    from core.settings import settings_from

    blank = {"username": "-", "password": "-"}
    ajera = {"url": "https://ajera.invalid", **blank}
    crm = {"url": "https://crm.invalid/api", "database": "-", "client_id": "-", "client_secret": "-", **blank}
    filled = {"ajera": ajera, "crm": crm, **{name: body for name, body in document.items() if body}}
    return settings_from(filled, paths)


def zone_problem(name: str) -> str:
    """What is wrong with the name of a time zone; empty where nothing is."""
    import difflib

    known = zoneinfo.available_timezones()
    if name in known:
        return ""
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    return f"{safe_line(name, 60)!r} is not a time zone; " + (
        f"did you mean {' or '.join(near)}?" if near else "an example is America/Chicago"
    )


def cron_times(expression: str, zone: str, now: datetime) -> list[datetime]:
    """The next five times, in that zone. Raises UsageError where it is no schedule."""
    from core.engine.schedule import Cron

    return [due.astimezone(zoneinfo.ZoneInfo(zone)) for due in Cron(expression, zone).next(now)]
