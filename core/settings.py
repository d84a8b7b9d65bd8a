"""The settings: TOML in, typed values out, every mistake reported at once (interface.md 4).

`load_settings` is the only way in. The sections are strict pydantic models that take no unknown
key; what they cannot check alone (quirks, the field map, the cron expression) is in
`core.settings_checks`. Secrets stay references until `Secret.reveal()`.
"""

from __future__ import annotations

import ipaddress
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, ValidationError, ValidationInfo, field_validator

from core.errors import Problem, SettingsError
from core.paths import Paths
from core.policy import DEFAULT_FIELDS, PROFILE_CAPS, ConflictPolicy, FieldSpec, Guards, Policy
from core.quirks.ajera import AjeraQuirks
from core.quirks.crm import CrmQuirks
from core.secret import SOURCES, Secret
from core.settings_checks import extra_problems, field_changes, with_dotted_names
from core.settings_problems import problems_of

KindName = Literal["firm", "contact", "project", "employee"]
NoticeKind = Literal["failure", "recovery", "waiting", "stale"]
Tick = Literal["firm", "contact", "project", "project_contact", "template"]


class Section(BaseModel):
    """A table of the settings file: immutable, strict types, no unknown keys. Built with the whole, and not one by one."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, arbitrary_types_allowed=True, defer_build=True)


def _secret(section: str) -> Any:
    def read(value: object, info: ValidationInfo) -> Secret:
        where = f"{section}.{info.field_name}"
        folder = (info.context or {}).get("folder", Path())
        if isinstance(value, str) and value:
            return Secret(where, "plain", value, folder)
        if isinstance(value, dict) and len(value) == 1:
            ((source, target),) = value.items()
            if source in SOURCES and isinstance(target, str) and target:
                return Secret(where, source, target, folder)
        raise ValueError('must be text or a table with one of keyring, env, file, command, as { env = "NAME" }')

    return PlainValidator(read)


class SystemSection(Section):
    """What the connections to both systems have in common."""

    allow_plain_http: str | None = Field(default=None, description="the host that plain http is allowed for")
    url: str = Field(description="the address, exactly as the system's administrator gives it")
    username: str = Field(min_length=1, description="the user of the interface")
    timeout: float = Field(default=60.0, gt=0, le=600, description="seconds to wait for a reply")
    rate: float = Field(default=9.0, gt=0, le=1000, description="requests a second, at most")
    ca_file: str | None = Field(default=None, description="a PEM file of the certificate authority to trust")
    quirks: dict[str, str | int | bool] = Field(
        default_factory=dict, description="how this tenant answers where the contract is silent"
    )

    @field_validator("url")
    @classmethod
    def _reachable_safely(cls, url: str, info: ValidationInfo) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("https", "http") or not parts.hostname:
            raise ValueError("must be an address that starts with https://")
        if parts.scheme == "http" and not is_loopback(url) and parts.hostname != info.data.get("allow_plain_http"):
            raise ValueError(
                f"must use https: plain http would show the password to the network. To allow it for this host: "
                f'allow_plain_http = "{parts.hostname}"'
            )
        return url


class AjeraSection(SystemSection):
    password: Annotated[Secret, _secret("ajera")] = Field(description="the password, or where it is kept")
    write_sync_flag: bool = Field(default=False, description="set SyncToCRM; off while Deltek's own sync may be on")
    further_receipts: bool = Field(default=False, description="received with adjustments and credit memos")


class CrmSection(SystemSection):
    database: str = Field(min_length=1, description="the database to log in to")
    password: Annotated[Secret, _secret("crm")] = Field(description="the password, or where it is kept")
    client_id: str = Field(min_length=1, description="from API Authorization in the CRM")
    client_secret: Annotated[Secret, _secret("crm")] = Field(description="from API Authorization in the CRM")
    integrated: bool = Field(default=False, description="sign in with the Windows or Azure account")
    culture: str = Field(default="", description="the language of the login, where the CRM has one set")
    profile: Literal["dps1", "vantagepoint"] = Field(default="dps1", description="DPS 1.x or Vantagepoint")
    mark_columns: dict[Tick, str] = Field(default_factory=dict, description="columns of ticks; empty: none")
    defaults: dict[KindName, dict[str, str]] = Field(
        default_factory=dict, description="columns set when a record is created in the CRM"
    )


class FieldChange(Section):
    """A change of one row of the field map, or a new one (crm, ajera and type given)."""

    on: bool | None = Field(default=None, description="whether the field is kept in step")
    owner: Literal["shared", "ajera", "crm"] | None = Field(default=None, description="the side whose value counts")
    crm: str | None = Field(default=None, min_length=1, description="the CRM's column")
    ajera: str | None = Field(default=None, min_length=1, description="Ajera's property")
    kind: KindName | None = Field(default=None, description="for a name without a kind in front")
    type: Literal["text", "email", "phone", "url", "code", "date", "money", "number", "flag"] | None = Field(
        default=None, description="how values are compared"
    )
    label: str | None = Field(default=None, min_length=1, description="what screens call it")


_LIMITS = Guards()
Percent = Annotated[float, Field(ge=0, le=100)]
Count = Annotated[int, Field(ge=0)]


class GuardsSection(Section):
    """Limits of a plan; the defaults are those of core.policy.Guards."""

    few: Count = _LIMITS.few
    blank_percent: Percent = _LIMITS.blank_percent
    blank_records: Count = _LIMITS.blank_records
    zero_money_percent: Percent = _LIMITS.zero_money_percent
    zero_money_projects: Count = _LIMITS.zero_money_projects
    change_percent: Percent = _LIMITS.change_percent
    change_records: Count = _LIMITS.change_records
    scheduled_creates: Count = _LIMITS.scheduled_creates
    unlinks: Count = _LIMITS.unlinks
    short_percent: Percent = _LIMITS.short_percent


class SyncSection(Section):
    enabled: bool = Field(default=True, description="Enable Ajera Synchronization")
    direction: Literal["auto", "to-ajera"] = Field(default="auto", description="to-ajera forces one-way")
    default_template: str | None = Field(
        default=None, description="Ajera Project Template of projects without their own"
    )
    first_link: Literal["ask", "owner"] = Field(default="ask", description="owned fields that differ on a new link")
    drift: dict[str, Literal["list", "restore"]] = Field(default_factory=dict, description="per kind or kind.field")
    new_from_ajera: Literal["ask", "all"] = Field(default="ask", description="records that are in Ajera only")
    auto_link_names: bool = Field(default=False, description="link unique equal names without asking")
    closed_projects: Literal["dormant", "follow"] = Field(default="dormant", description="projects closed in Ajera")
    deleted: dict[KindName, Literal["unlink", "inactive"]] = Field(
        default_factory=dict, description="when a side's record is gone"
    )
    allow_flat_template: bool = Field(
        default=False, description="create projects without phases where they are refused"
    )
    project_contacts: bool = Field(default=True, description="keep the contacts of projects in step")
    contact_roles: bool = Field(default=False, description="a contact put on a project's list takes its role along")
    budget_source: Literal["contract", "cost"] = Field(default="contract", description="amounts of Budget & Revenue")
    unsplit: Literal["refuse", "labor"] = Field(default="refuse", description="a total without parts")
    totals_age_hours: int = Field(default=24, ge=1, le=24 * 31, description="totals older than that are read again")
    team_since_weeks: int = Field(default=52, ge=0, le=2000, description="how far back timesheets are read")
    conflicts: dict[str, Literal["ask", "ajera", "crm", "newest"]] = Field(
        default_factory=dict, description="per kind or kind.field"
    )
    fields: dict[str, FieldChange] = Field(default_factory=dict, description="changes to the field map")
    guards: GuardsSection = Field(default_factory=GuardsSection, description="limits of a plan")


class ScheduleSection(Section):
    cron: str = Field(default="", description="five fields, a sixth for seconds, or @hourly; empty: no schedule")
    timezone: str = Field(default="UTC", description='a name as "America/Chicago"')
    jitter: float = Field(default=0.0, ge=0, le=3600, description="seconds that a start may be put off by chance")


class EmailSection(Section):
    """Where notices are mailed to."""

    host: str = Field(min_length=1, description="the mail server")
    port: int = Field(default=587, ge=1, le=65535, description="its port")
    tls: Literal["starttls", "tls", "none"] = Field(default="starttls", description="how the connection is encrypted")
    sender: str = Field(min_length=3, description="the address it comes from")
    to: list[str] = Field(min_length=1, description="the addresses it goes to")
    username: str = Field(default="", description="empty: no login")
    password: Annotated[Secret | None, _secret("notify.email")] = Field(default=None, description="or where it is kept")


class NotifySection(Section):
    """Who is told when runs fail, recover, wait for a person, or do not come."""

    on: list[NoticeKind] = Field(default=["failure", "recovery", "waiting", "stale"], description="what is told")
    webhook: Annotated[Secret | None, _secret("notify")] = Field(default=None, description="gets the notice as JSON")
    ping: Annotated[Secret | None, _secret("notify")] = Field(
        default=None, description="asked for after each good run: a dead man's switch"
    )
    command: str = Field(default="", description="a program that gets the notice as JSON on standard input")
    email: EmailSection | None = Field(default=None, description="where it is mailed to")


class UiSection(Section):
    theme: str | None = Field(default=None, description="the name of a theme")
    hangup: Literal["end", "headless"] = Field(default="end", description="what a lost terminal does to the program")
    bell: bool = Field(default=True, description="ring when a run fails or none ends well any more")
    title: bool = Field(default=True, description="say so in the terminal's title too")
    filters: dict[str, str] = Field(default_factory=dict, description="saved filters, by name")
    keys: dict[str, str] = Field(default_factory=dict, description="own keys, by the name of what they do")


class Document(Section):
    """The whole file."""

    ajera: AjeraSection = Field(description="the connection to Ajera")
    crm: CrmSection = Field(description="the connection to the CRM")
    sync: SyncSection = Field(default_factory=SyncSection)
    schedule: ScheduleSection = Field(default_factory=ScheduleSection)
    notify: NotifySection = Field(default_factory=NotifySection)
    ui: UiSection = Field(default_factory=UiSection)


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one profile, checked; what was not given has its default."""

    paths: Paths
    ajera: AjeraSection
    crm: CrmSection
    sync: SyncSection
    schedule: ScheduleSection
    notify: NotifySection
    ui: UiSection
    ajera_quirks: AjeraQuirks
    crm_quirks: CrmQuirks

    def policy(self) -> Policy:
        """What the kernel reads."""
        sync, caps = self.sync, PROFILE_CAPS[self.crm.profile]
        given = {name: change.model_dump(exclude_none=True) for name, change in sync.fields.items()}
        fields, _problems = field_changes(given)
        return Policy(
            fields=fields,
            conflicts={name: ConflictPolicy(value) for name, value in sync.conflicts.items()},
            first_link=sync.first_link,
            drift=dict(sync.drift),
            new_from_ajera=sync.new_from_ajera,
            auto_link_names=sync.auto_link_names,
            closed_projects=sync.closed_projects,
            deleted={kind: sync.deleted[kind.value] for kind in DEFAULT_FIELDS if kind.value in sync.deleted},
            default_template=sync.default_template or None,
            allow_flat_template=sync.allow_flat_template,
            project_contacts=sync.project_contacts,
            contact_roles=sync.contact_roles,
            budget_source=sync.budget_source,
            unsplit=sync.unsplit,
            totals_age_hours=sync.totals_age_hours,
            team_since_weeks=sync.team_since_weeks,
            firm_cap=caps[0],
            project_cap=caps[1],
            guards=Guards(**sync.guards.model_dump()),
            caps_profile=self.crm.profile,
        )

    def spec(self, name: str) -> FieldSpec | None:
        """The field `kind.name` of the map as the settings leave it."""
        kind, _, field = name.partition(".")
        return next(
            (s for k, specs in self.policy().fields.items() if k == kind for s in specs if s.name == field), None
        )


CronCheck = Callable[[str, str], str | None]
"""Takes a cron expression and a time zone; says what is wrong with it, or None."""


def _no_check(_cron: str, _timezone: str) -> str | None:
    return None


def load_settings(paths: Paths, cron_check: CronCheck = _no_check) -> Settings:
    """Read and check the settings file. Raises SettingsError with every mistake in it."""
    return settings_from(_read(paths.config), paths, cron_check)


def settings_from(raw: Mapping[str, Any], paths: Paths, cron_check: CronCheck = _no_check) -> Settings:
    """Settings from a parsed document (the wizard and tests have no file yet)."""
    problems: list[Problem] = []
    document: Document | None = None
    raw = with_dotted_names(raw)
    try:
        document = Document.model_validate(raw, context={"folder": paths.config.parent})
    except ValidationError as error:
        problems += problems_of(error, raw, Document, str(paths.config))
    problems += extra_problems(raw, str(paths.config), cron_check)
    if problems or document is None:
        raise SettingsError(problems)
    return Settings(
        paths,
        document.ajera,
        document.crm,
        document.sync,
        document.schedule,
        document.notify,
        document.ui,
        AjeraQuirks.from_pairs(document.ajera.quirks),
        CrmQuirks.from_pairs(document.crm.quirks),
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        found, hint = "there is no such file", "Run `ajerasync setup`, or try the program with `ajerasync demo`"
    except OSError as error:
        found, hint = f"cannot be read: {error.strerror}", "Check the file's owner and mode"
    except UnicodeDecodeError:
        found, hint = "is not UTF-8 text", "Save it as UTF-8"
    except tomllib.TOMLDecodeError as error:
        found, hint = f"is not TOML: {error}", "Texts stand in quotes, tables in [brackets]"
    raise SettingsError([Problem(str(path), found, hint)])


def is_loopback(url: str) -> bool:
    """Whether the address is this machine's own."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
