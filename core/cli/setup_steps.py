"""The parts of the set-up dialogue: each asks, tries at once what was answered, and shows what it found."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit

from core.cli.setup_ask import ask, ask_until, ask_yes, choose, choose_code, choose_name, list_pairs, tell
from core.cli.setup_secrets import EXPLAINED, Kept, ask_secret
from core.errors import AjerasyncError, LoginRefused, UsageError

if TYPE_CHECKING:
    from core.paths import Paths
    from core.settings import Settings
    from core.tryout import AjeraFound, CrmFound, Need

F = TypeVar("F")
PROFILES: Final = ("dps1", "vantagepoint")
CRON: Final = "*/15 7-19 * * mon-fri"
NONE: Final = "none"


@dataclass
class Draft:
    """What was answered so far. `before` is the document of the file that is changed, `secrets` what is to be stored."""

    paths: Paths
    before: Mapping[str, Any] = field(default_factory=dict)
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    secrets: dict[str, Kept] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)
    ajera: AjeraFound | None = None
    crm: CrmFound | None = None

    def old(self, section: str, key: str) -> str | None:
        """The text that stands in the file now."""
        value = self.answers.get(section, {}).get(key, self.before.get(section, {}).get(key))
        return value if isinstance(value, str) and value else None

    def put(self, section: str, key: str, value: Any) -> None:
        self.answers.setdefault(section, {})[key] = value

    def ask(self, section: str, key: str, text: str) -> None:
        self.put(section, key, ask(f"  {text}", self.old(section, key)))

    def ask_secret(self, section: str, key: str, text: str) -> None:
        if not self.secrets:
            tell(EXPLAINED)
        kept = ask_secret(f"{section}.{key}", text, self.paths)
        self.secrets[kept.where] = kept
        self.put(section, key, kept.for_now())

    def document(self) -> dict[str, Any]:
        """All sections, as far as they are known."""
        names = [*self.before, *(name for name in self.answers if name not in self.before)]
        merged = {name: {**self.before.get(name, {}), **self.answers.get(name, {})} for name in names}
        return {name: {key: value for key, value in body.items() if value is not None} for name, body in merged.items()}

    def settings(self) -> Settings:
        """Raises SettingsError with every mistake."""
        from core.tryout import settings_for

        return settings_for(self.document(), self.paths)


def try_until(
    draft: Draft,
    section: str,
    again: Mapping[str, Callable[[], None]],
    attempt: Callable[[Settings], Coroutine[Any, Any, F]],
) -> F | None:
    """Logs in until it works or the operator goes on without; None then, and the section is noted as failed."""
    while True:
        if any(kept.untold() for name, kept in draft.secrets.items() if name.startswith(f"{section}.")):
            draft.failed.add(section)
            return None
        tell("  Logging in and looking around ...")
        try:
            found = asyncio.run(attempt(draft.settings()))
        except AjerasyncError as error:
            for line in str(error).splitlines():
                tell(f"  {line}")
            tell(f"  Enter again one of: {', '.join(again)}." if again else "")
            tell("  Or retry, or go-on without this connection.")
            answer = choose("  What now", (*again, "retry", "go-on"), _guess(error, again), told=True)
            if answer == "go-on":
                draft.failed.add(section)
                return None
            if answer != "retry":
                again[answer]()
        else:
            draft.failed.discard(section)
            return found


def _guess(error: AjerasyncError, again: Mapping[str, object]) -> str:
    """What is most likely wrong."""
    likely = "password" if isinstance(error, LoginRefused) else "url"
    if "invalid_client" in str(error):  # the CRM's own word (dps-api 2)
        likely = "client_id"
    return likely if likely in again else "retry"


# -- Ajera -----------------------------------------------------------------------------------------


def ask_ajera(draft: Draft) -> None:
    """The connection to Ajera."""
    from core.tryout import try_ajera

    tell("Ajera")
    steps: dict[str, Callable[[], None]] = {
        "url": lambda: _ask_ajera_url(draft),
        "username": lambda: draft.ask("ajera", "username", "API user (in Ajera: the API User tab)"),
        "password": lambda: draft.ask_secret("ajera", "password", "password"),
    }
    for step in steps.values():
        step()
    draft.ajera = try_until(draft, "ajera", steps, try_ajera)
    if draft.ajera is not None:
        _show_ajera(draft.ajera)


def _ask_ajera_url(draft: Draft) -> None:
    from core.tryout import COPY_IT, AjeraAddress, ajera_address, refuse_plain_http

    def read(text: str) -> AjeraAddress:
        address = ajera_address(text)
        refuse_plain_http(address.url, draft.old("ajera", "allow_plain_http"))
        tell(f"  That is {address}")
        if not _answers(address.url):
            raise UsageError(f"  Then once more. {COPY_IT}")
        return address

    tell(
        "  Ajera gives its address under Utility > Setup Integrations > API Settings, Copy API URL. Paste it as it is."
    )
    address = ask_until("  address", read, draft.old("ajera", "url"), shown=False)
    draft.put("ajera", "url", address.url)


def _show_ajera(found: AjeraFound) -> None:
    list_pairs(
        {
            "connected": f"{found.company or 'a company without a name'}, Ajera {found.version or 'of unknown version'}",
            "project templates": "; ".join(found.templates) or NONE,
            "rights to read": f"missing for {', '.join(found.missing)}" if found.missing else "all that are needed",
        }
    )
    if found.missing:
        tell("  Tick them for the API user in Ajera; it may take ten minutes until they count.")


# -- the CRM ---------------------------------------------------------------------------------------


def ask_crm(draft: Draft) -> None:
    """The connection to the CRM."""
    from core.tryout import try_crm

    tell("CRM (DPS 1.x or Vantagepoint)")
    steps: dict[str, Callable[[], None]] = {
        "url": lambda: _ask_crm_url(draft),
        "database": lambda: draft.ask("crm", "database", "database"),
        "username": lambda: draft.ask("crm", "username", "user (a login of its own for the sync)"),
        "password": lambda: draft.ask_secret("crm", "password", "password"),
        "client_id": lambda: _ask_client_id(draft),
        "client_secret": lambda: draft.ask_secret("crm", "client_secret", "client secret"),
        "profile": lambda: draft.put(
            "crm", "profile", choose("  product", PROFILES, draft.old("crm", "profile") or PROFILES[0])
        ),
    }
    for step in steps.values():
        step()
    draft.crm = try_until(draft, "crm", steps, try_crm)
    if draft.crm is not None:
        _show_crm(draft.crm)
        _ask_contact_column(draft, steps)


def _ask_client_id(draft: Draft) -> None:
    tell("  The CRM shows client id and secret under Utilities > Integrations > API Authorization.")
    draft.ask("crm", "client_id", "client id")


def _ask_crm_url(draft: Draft) -> None:
    from core.tryout import crm_address, refuse_plain_http

    def read(text: str) -> str:
        url = crm_address(text)
        refuse_plain_http(url, draft.old("crm", "allow_plain_http"))
        tell(f"  Its API is at {url}")
        if not _answers(url):
            raise UsageError("  Then once more. Open the CRM in a browser and copy the address from there")
        return url

    tell("  Open the CRM in a browser and copy the address from there; any page will do.")
    url = ask_until("  address", read, draft.old("crm", "url"))
    draft.put("crm", "url", url)


def _show_crm(found: CrmFound) -> None:
    life = f"{found.seconds} seconds" if found.seconds else "a time that it does not tell"
    ticks = {f"tick of a {tick.replace('_', ' ')}": f"column {column}" for tick, column in found.marks.items()}
    list_pairs(
        {
            "connected": f"a login lasts {life} and is renewed by itself",
            **ticks,
            "Ajera project template": f"column {found.template}" if found.template else "no column",
            "its templates": "; ".join(found.templates) or NONE,
        }
    )
    for warning in found.warnings:
        tell(f"  note: {warning}")


def _ask_contact_column(draft: Draft, steps: Mapping[str, Callable[[], None]]) -> None:
    """No document names the contact tick's column; metadata shows it, or the operator does."""
    from core.tryout import try_crm

    while draft.crm is not None and "contact" not in draft.crm.marks:
        tell("  No column for the tick of a contact was found. Without one, ticks of contacts are kept here only.")
        name = ask("  name of that column in the CRM", NONE)
        if name == NONE:
            return
        columns = {**draft.document().get("crm", {}).get("mark_columns", {}), "contact": name}
        draft.put("crm", "mark_columns", columns)
        draft.crm = try_until(draft, "crm", steps, try_crm)
        if draft.crm is not None and "contact" not in draft.crm.marks:
            tell(f"  The CRM has no column {name!r} on contacts, or hides it from this user.")
            draft.put("crm", "mark_columns", {k: v for k, v in columns.items() if k != "contact"} or None)
        elif draft.crm is not None:
            tell(f"  tick of a contact: column {draft.crm.marks['contact']}")


def _answers(url: str) -> bool:
    """Whether something answers there, or the operator keeps the address all the same (a proxy, say)."""
    from core.tryout import no_answer

    why = asyncio.run(no_answer(url))
    if not why:
        return True
    tell(f"  {urlsplit(url).netloc.rpartition('@')[2]} does not answer here: {why}.")
    return ask_yes("  Keep this address all the same?")


# -- what new records need ---------------------------------------------------------------------------


def ask_defaults(draft: Draft) -> None:
    """What the CRM wants of each new record and neither system's fields tell: an organization, say."""
    from core.policy import mode_for
    from core.tryout import try_crm

    tell("New records in the CRM")
    mode = mode_for(draft.ajera.version, draft.old("sync", "direction") or "auto") if draft.ajera else None
    if mode is not None and mode.one_way:
        tell(f"  None are made, so nothing is asked: {mode.reason}, data goes from the CRM to Ajera.")
        return
    if draft.crm is None and "crm" not in draft.failed:
        draft.crm = try_until(draft, "crm", {}, try_crm)
    if draft.crm is None:
        tell("  It is not known yet what they need. Later: ajerasync setup defaults")
        return
    if not draft.crm.needs:
        tell("  They need nothing more than what is kept in step.")
    else:
        _ask_needs(draft, draft.crm.needs)


def _ask_needs(draft: Draft, needs: Sequence[Need]) -> None:
    """All needs, each with what stands in the settings, what was chosen just before, or the only choice there is."""
    tell("  The CRM refuses a new record without these. Existing records are not touched.")
    given = draft.document().get("crm", {}).get("defaults", {})
    chosen = {kind: dict(columns) for kind, columns in given.items()}
    before: dict[str, str] = {}
    for need in needs:
        codes = [code for code, _ in need.choices]
        old = chosen.get(need.kind.value, {}).get(need.column) or before.get(need.column)
        default = old if old in codes or (old and not codes) else codes[0] if len(codes) == 1 else None
        tell(f"  {need.caption} of a new {need.kind} (column {need.column}; {NONE}: left out, and doctor warns)")
        answer = choose_code(f"  {need.caption}", need.choices, default, NONE)
        columns = chosen.setdefault(need.kind.value, {})
        if answer == NONE:
            columns.pop(need.column, None)
        else:
            columns[need.column] = before[need.column] = answer
    draft.put("crm", "defaults", {kind: columns for kind, columns in chosen.items() if columns} or None)


# -- what and when ---------------------------------------------------------------------------------


def ask_template(draft: Draft) -> None:
    """The Ajera Project Template of projects without their own."""
    from core.tryout import try_ajera

    tell("Project template")
    if draft.ajera is None and "ajera" not in draft.failed:
        draft.ajera = try_until(draft, "ajera", {}, try_ajera)
    names = draft.ajera.templates if draft.ajera else ()
    draft.answers.setdefault("sync", {}).setdefault("enabled", draft.before.get("sync", {}).get("enabled", True))
    if not names:
        tell("  No template is known, so none is chosen. Later: ajerasync setup template")
        return
    here = draft.old("sync", "default_template")
    chosen = choose_name("  default template of new projects", names, here if here in names else NONE)
    draft.put("sync", "default_template", None if chosen == NONE else chosen)
    if draft.crm is not None and draft.crm.template and chosen not in (NONE, *draft.crm.templates):
        tell(f"  note: the CRM's list of templates has no {chosen}; doctor lists what differs.")


def ask_schedule(draft: Draft) -> None:
    """Time zone and cron expression, with the next five times."""
    tell("Schedule")
    zone = ask_until("  time zone", _zone, draft.old("schedule", "timezone") or _suggested(draft))
    tell("  When runs start: minute hour day month weekday.")
    tell("    */15 7-19 * * mon-fri  each quarter of an hour from 7 to 19, Monday to Friday")
    tell("    0 6 * * *              each day at 6")
    while True:
        cron = ask_until(
            "  cron expression (none: no schedule)",
            lambda text: _cron(text, zone),
            draft.old("schedule", "cron") or CRON,
        )
        if not cron or ask_yes("  Are these the times?", default=True):
            break
    draft.put("schedule", "cron", cron)
    draft.put("schedule", "timezone", zone)
    if draft.paths.store.exists():
        tell(
            "  A schedule set in the UI or with `ajerasync schedule set` is kept with the state and counts before this."
        )


def _suggested(draft: Draft) -> str:
    from core.tryout import likely_zone, local_zone

    now = datetime.now(UTC)
    offset = draft.ajera.offset if draft.ajera else None
    zone = likely_zone(offset, now)
    if offset is not None:
        hours = offset.total_seconds() / 3600
        tell(f"  Ajera's stamps are {hours:+g} hours from UTC; this machine is set to {local_zone()}.")
    return zone


def _zone(text: str) -> str:
    from core.tryout import zone_problem

    problem = zone_problem(text)
    if problem:
        raise UsageError(problem)
    return text


def _cron(text: str, zone: str) -> str:
    from core.tryout import cron_times

    if text == NONE:
        return ""
    times = cron_times(text, zone, datetime.now(UTC))
    if not times:
        raise UsageError("This schedule is never due. An example is */15 7-19 * * mon-fri")
    for time in times:
        tell(f"  next: {time:%a %Y-%m-%d %H:%M:%S %Z}")
    return text


PARTS: Final[Mapping[str, Callable[[Draft], None]]] = {
    "ajera": ask_ajera,
    "crm": ask_crm,
    "defaults": ask_defaults,
    "template": ask_template,
    "schedule": ask_schedule,
}
