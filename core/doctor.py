"""What `doctor` finds: the settings held against what both systems say of themselves. Pure; the caller connects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from core.errors import AjerasyncError, SystemFailure
from core.model.values import FieldType, Kind, Side
from core.policy import ConflictPolicy, Policy, mode_for
from core.ports import Connection

if TYPE_CHECKING:
    from pathlib import Path

    from core.secret import Secret
    from core.settings import Settings

OK, WARN, FAIL = "ok", "warn", "fail"
SKEW: Final = 120.0  # seconds: the overlap of the cursors
SHOWN: Final = 5
NAMES: Final = {Side.AJERA: "Ajera", Side.CRM: "CRM"}

Answers = Mapping[Side, Connection | AjerasyncError]


@dataclass(frozen=True, slots=True)
class Check:
    """One finding: what was looked at, `level` ok, warn or fail, what was found, what to do."""

    name: str
    level: str
    found: str
    todo: str = ""
    side: Side | None = None


def checks(settings: Settings, answers: Answers) -> list[Check]:
    """All findings, in the order a person would look."""
    found = list(_settings_checks(settings))
    for side, answer in answers.items():
        if isinstance(answer, Connection):
            found += _connection_checks(side, answer, settings)
        else:
            found.append(_failure(side, answer))
    ajera, crm = answers.get(Side.AJERA), answers.get(Side.CRM)
    policy = settings.policy()
    if isinstance(ajera, Connection):
        found.append(_version_check(ajera, settings))
        found += _template_checks(ajera, policy)
    if isinstance(crm, Connection):
        found += _mark_checks(crm)
    if isinstance(ajera, Connection) and isinstance(crm, Connection):
        found += _code_checks(ajera, crm, policy)
    return found


def exit_code(found: Iterable[Check], answers: Answers) -> int:
    """3 where a system could not be reached or refused the login, 1 where something else fails, else 0."""
    for answer in answers.values():
        if isinstance(answer, AjerasyncError) and answer.exit_code > 1:
            return answer.exit_code
    return 1 if any(check.level == FAIL for check in found) else 0


def _settings_checks(settings: Settings) -> Iterator[Check]:
    from core.settings import is_loopback

    yield Check("settings", OK, str(settings.paths.config))
    plain = False
    for section in (settings.ajera, settings.crm):
        for secret in _secrets(section):
            if secret.source == "plain" and not is_loopback(section.url):
                plain = True
                todo = "Keep it in the keyring, a file, a command or the environment"
                yield Check(f"settings, {secret.where}", WARN, "stands in the settings file as text", todo)
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


def _failure(side: Side, error: AjerasyncError) -> Check:
    todo = "Check address, user and network" if isinstance(error, SystemFailure) else "Check the settings"
    return Check(f"{NAMES[side]}, connection", FAIL, str(error), todo, side)


def _connection_checks(side: Side, connection: Connection, settings: Settings) -> Iterator[Check]:
    name = NAMES[side]
    told = ", ".join(part for part in (connection.company, connection.version) if part)
    yield Check(f"{name}, connection", OK, f"connected{f': {told}' if told else ''}", "", side)
    for text in connection.warnings:
        yield Check(f"{name}, warning", WARN, text, "", side)
    yield _clock_check(side, connection.clock_offset, settings)
    for (kind, field), reason in sorted(connection.stopped.items()):
        yield Check(f"{name}, field {kind.value}.{field}", WARN, reason, _field_todo(kind, field), side)
    if not connection.stopped:
        yield Check(f"{name}, field map", OK, "every mapped field can be used", "", side)


def _field_todo(kind: Kind, field: str) -> str:
    return f'Map it or switch it off: [sync.fields] "{kind.value}.{field}" = {{ on = false }}'


def _clock_check(side: Side, offset: float | None, settings: Settings) -> Check:
    name = f"{NAMES[side]}, clock"
    if offset is None:
        newest = ConflictPolicy.NEWEST in settings.policy().conflicts.values()
        todo = 'Conflicts that take the "newest" value will ask instead' if newest else ""
        return Check(name, WARN if newest else OK, "the server does not tell its time", todo, side)
    found = f"{abs(offset):.0f} s {'ahead of' if offset > 0 else 'behind'} this machine"
    if abs(offset) > SKEW:
        return Check(name, WARN, found, "Set the clock of this machine or of the server", side)
    return Check(name, OK, found, "", side)


def _version_check(ajera: Connection, settings: Settings) -> Check:
    mode = mode_for(ajera.version, settings.sync.direction)
    if ajera.version is None:
        return Check("direction", WARN, f"{mode.direction.value}: {mode.reason}", "Both ways need Ajera 8.09 or later")
    return Check("direction", OK, f"{mode.direction.value}: {mode.reason}")


def _template_checks(ajera: Connection, policy: Policy) -> Iterator[Check]:
    count = len(ajera.templates)
    if not count:
        yield Check("templates", WARN, "Ajera has no project templates", "Projects cannot be created in Ajera")
        return
    yield Check("templates", OK, f"{count} in Ajera")
    if policy.default_template and policy.default_template not in ajera.templates:
        known = ", ".join(sorted(ajera.templates)[:SHOWN])
        found = f"Ajera has no template {policy.default_template!r}"
        yield Check("default template", FAIL, found, f"Set [sync] default_template to one of: {known}")


def _mark_checks(crm: Connection) -> Iterator[Check]:
    if not {"firm", "project"} & crm.mark_columns:
        todo = "Enable Ajera synchronisation in the CRM, or name the columns under [crm.mark_columns]"
        yield Check("ticks", WARN, "not enabled in the CRM: it has no column for the ticks; they are kept here", todo)
        return
    missing = {"firm", "contact", "project", "project_contact", "template"} - crm.mark_columns
    if missing:
        names = ", ".join(sorted(missing)).replace("_", " ")
        todo = "They are kept here only; name the columns under [crm.mark_columns] if there are any"
        yield Check("ticks", WARN, f"no column in the CRM for: {names}", todo)
    else:
        yield Check("ticks", OK, "the CRM has a column for each")


def _code_checks(ajera: Connection, crm: Connection, policy: Policy) -> Iterator[Check]:
    """Coded fields travel by description, which must be there on both sides."""
    for kind in Kind:
        for spec in policy.active_fields(kind):
            key = (kind, spec.name)
            if spec.type is not FieldType.CODE or key not in ajera.codes or key not in crm.codes:
                continue
            ours, theirs = set(ajera.codes[key]), set(crm.codes[key])
            lonely = sorted((ours | theirs) - (ours & theirs))
            name = f"codes of {kind.value}.{spec.name}"
            if lonely:
                shown = ", ".join(lonely[:SHOWN]) + (f" and {len(lonely) - SHOWN} more" if len(lonely) > SHOWN else "")
                yield Check(name, WARN, f"on one side only: {shown}", "Add them on the other side, or they are refused")
            else:
                yield Check(name, OK, f"{len(ours)} on both sides")
