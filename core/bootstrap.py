"""The composition root: the one place that knows every room and puts them together.

Systems are built when they are first asked, so that what reads the store alone needs neither the
network nor a secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from core.deferred import Deferred
from core.errors import UsageError
from core.model.values import Kind, Side
from core.settings import Settings, SystemSection, load_settings

if TYPE_CHECKING:
    from core.engine.notify import Channel, Ping
    from core.engine.service import Service
    from core.http import Http
    from core.paths import Paths
    from core.ports import Shelf, Store, System
    from core.store import RunLog

CRM_CALLS_AT_ONCE = 2  # no limit is documented: a low default (dps-api 15)


def read_settings(paths: Paths) -> Settings:
    """The settings of a profile, the schedule checked too. Raises SettingsError with every mistake."""
    return load_settings(paths, cron_problem)


def cron_problem(expression: str, timezone: str) -> str | None:
    """What is wrong with a cron expression, in words."""
    from core.engine.schedule import Cron

    try:
        Cron(expression, timezone)
    except UsageError as error:
        return str(error)
    return None


def open_service(
    settings: Settings,
    *,
    readonly: bool = False,
    systems: Mapping[Side, System] | None = None,
    program: str = "ajerasync",
) -> Service:
    """The service both front ends use; `await service.close()` ends it.

    `systems` stands in for the real ones in tests. `program` is what others are told when it holds a
    lock. Raises StoreFailure; the systems are not contacted yet.
    """
    from core.aside import Aside
    from core.engine.clock import SystemClock
    from core.engine.offloop import OneThread
    from core.engine.service import Service
    from core.store import RunLog, TinyStore, run_lock, schedule_lease

    folder = settings.paths.make_state()
    store = TinyStore.open(folder)
    return Service(
        settings=settings,
        store=store,
        systems=systems or deferred_systems(settings, None if readonly else store),
        run_lock=run_lock(folder, program),
        lease=schedule_lease(folder, program),
        log=RunLog(folder),
        clock=SystemClock(),
        readonly=readonly,
        chosen_key=lambda kind, key: _chosen_key(settings, kind, key),
        channels=channels_of(settings),
        ping=ping_of(settings),
        checkups=Aside(settings),
        off_loop=OneThread(),
    )


def _chosen_key(settings: Settings, kind: Kind, ajera_key: str) -> str | None:
    """The CRM key of a record made from an Ajera one, where the CRM lets a client choose it."""
    from core.crm.keys import chosen_key

    if kind not in (Kind.FIRM, Kind.CONTACT) or settings.crm_quirks.client_keys != "accepted":
        return None
    return chosen_key(settings.crm.database, kind, ajera_key)


def channels_of(settings: Settings) -> list[Channel]:
    """Who is told, as `[notify]` says."""
    own = settings.notify
    if not (own.webhook or own.command or own.email):
        return []
    from core.http import Poster
    from core.notify import Command, Mail, Webhook

    found: list[Channel] = []
    if own.webhook is not None:
        found.append(Webhook(own.webhook, Poster()))
    if own.command:
        found.append(Command(own.command))
    if own.email is not None:
        mail = own.email
        found.append(Mail(mail.host, mail.port, mail.tls, mail.sender, mail.to, mail.username, mail.password))
    return found


def ping_of(settings: Settings) -> Ping | None:
    if settings.notify.ping is None:
        return None
    from core.http import Poster
    from core.notify import Heartbeat

    return Heartbeat(settings.notify.ping, Poster())


def deferred_systems(settings: Settings, store: Store | None = None) -> dict[Side, Any]:
    """Both systems, each built when it is first asked. With a store they keep there what hardly changes."""
    return {
        Side.AJERA: Deferred(Side.AJERA, lambda: ajera_system(settings, store)),
        Side.CRM: Deferred(Side.CRM, lambda: crm_system(settings, store)),
    }


def _shelf(store: Store | None, settings: Settings, section: SystemSection, database: str = "") -> Shelf | None:
    """The shelf of the very system these settings name; another address, user or field map finds it empty."""
    from hashlib import sha256

    from core.engine.clock import SystemClock
    from core.engine.shelf import StoreShelf
    from core.version import VERSION

    if store is None:
        return None
    named = repr((VERSION, section.url, section.username, database, sorted(settings.policy().fields)))
    return StoreShelf(store, SystemClock(), sha256(named.encode()).hexdigest()[:16])


def ajera_system(settings: Settings, store: Store | None = None) -> System:
    """Raises SettingsError where the password cannot be fetched."""
    from core.ajera.client import AjeraClient
    from core.ajera.system import AjeraOptions, AjeraSystem

    section = settings.ajera
    client = AjeraClient(_http(Side.AJERA, section), section.username, section.password.reveal())
    options = AjeraOptions(settings.sync.allow_flat_template, section.write_sync_flag, section.further_receipts)
    shelf = _shelf(store, settings, section)
    fields, quirks = settings.policy().fields, settings.ajera_quirks
    return AjeraSystem(client, fields=fields, quirks=quirks, options=options, shelf=shelf)


def crm_system(settings: Settings, store: Store | None = None) -> System:
    """Raises SettingsError where a secret cannot be fetched."""
    from core.crm.client import CrmClient
    from core.crm.options import CrmOptions
    from core.crm.session import Login, Session
    from core.crm.system import CrmSystem

    section = settings.crm
    password, client_secret = section.password.reveal(), section.client_secret.reveal()
    login = Login(
        section.database,
        section.username,
        password,
        section.client_id,
        client_secret,
        section.culture,
        section.integrated,
    )
    options = CrmOptions(
        database=section.database,
        mark_columns={str(tick): column for tick, column in section.mark_columns.items()},
        defaults={Kind(kind): dict(columns) for kind, columns in section.defaults.items()},
        quirks=settings.crm_quirks,
    )
    http = _http(Side.CRM, section, password, client_secret, concurrency=CRM_CALLS_AT_ONCE)
    shelf = _shelf(store, settings, section, section.database)
    return CrmSystem(CrmClient(http, Session(http, login)), settings.policy().fields, options, shelf=shelf)


def _http(side: Side, section: SystemSection, *secrets: str, concurrency: int = 4) -> Http:
    from core.http import Http, RateBudget

    return Http(
        side,
        section.url,
        timeout=section.timeout,
        budget=RateBudget(section.rate),
        concurrency=concurrency,
        ca_file=section.ca_file,
        allow_plain_http=section.allow_plain_http is not None,
        secrets=secrets,
    )


def open_log(paths: Paths) -> RunLog:
    """The run log of a profile, to be read; nothing is made where there is none."""
    from core.store import RunLog

    return RunLog(paths.state)
