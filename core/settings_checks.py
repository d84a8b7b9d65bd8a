"""What a section of the settings cannot check alone: quirks, the field map, names of fields, the schedule.

Works on the parsed document, whatever else is wrong with it, so that all mistakes come at once.
"""

from __future__ import annotations

import difflib
import zoneinfo
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from core.errors import Problem
from core.model.values import FieldType, Kind
from core.policy import DEFAULT_FIELDS, FieldSpec, Owner
from core.quirks.ajera import AjeraQuirks, QuirkError
from core.quirks.crm import CrmQuirks
from core.settings_problems import nearest
from core.text import safe_line

Fields = dict[Kind, tuple[FieldSpec, ...]]
_KINDS: Final = tuple(kind.value for kind in Kind)


def extra_problems(raw: Mapping[str, Any], file: str, cron_check: Callable[[str, str], str | None]) -> list[Problem]:
    """Every mistake of the document that is not one section's own."""
    sync = _table(raw, "sync")
    fields, found = field_changes(_table(sync, "fields"))
    for part in ("conflicts", "drift"):
        found += _name_problems(f"sync.{part}", _table(sync, part), fields, default=part == "conflicts")
    found += _quirk_problems("ajera", _table(_table(raw, "ajera"), "quirks"), AjeraQuirks)
    found += _quirk_problems("crm", _table(_table(raw, "crm"), "quirks"), CrmQuirks)
    found += _schedule_problems(_table(raw, "schedule"), cron_check)
    return [replace(problem, where=f"{file}: {problem.where}") for problem in found]


def with_dotted_names(raw: Mapping[str, Any]) -> dict[str, Any]:
    """`firm.name = …` without quotes is a table in TOML; both spellings mean the same."""
    result = dict(raw)
    sync, ui = raw.get("sync"), raw.get("ui")
    if isinstance(sync, Mapping):
        tables = {name: _flat(sync[name]) for name in ("fields", "conflicts", "drift") if name in sync}
        result["sync"] = {**sync, **tables}
    if isinstance(ui, Mapping) and isinstance(ui.get("keys"), Mapping):
        result["ui"] = {**ui, "keys": _flat_keys(ui["keys"])}
    return result


def _flat_keys(keys: Mapping[str, Any]) -> dict[str, Any]:
    """{"app": {"plan": x}} as {"app.plan": x}."""
    flat: dict[str, Any] = {}
    for name, body in keys.items():
        flat.update(
            {f"{name}.{inner}": each for inner, each in body.items()} if isinstance(body, Mapping) else {name: body}
        )
    return flat


def _flat(value: Any) -> Any:
    """{"firm": {"name": x}} as {"firm.name": x}; anything else as it is."""
    if not isinstance(value, Mapping):
        return value
    result: dict[str, Any] = {}
    for name, body in value.items():
        if name in _KINDS and isinstance(body, Mapping):
            result.update({f"{name}.{inner}": each for inner, each in body.items()})
        else:
            result[name] = body
    return result


def field_changes(changes: Mapping[str, Any]) -> tuple[Fields, list[Problem]]:
    """The default field map with the settings' changes, and what is wrong with them."""
    fields: Fields = dict(DEFAULT_FIELDS)
    problems: list[Problem] = []
    for name, change in changes.items():
        if not isinstance(change, Mapping):
            continue  # the section says so itself
        outcome = _changed(str(name), change, fields)
        if isinstance(outcome, Problem):
            problems.append(outcome)
        else:
            _put(fields, outcome)
    return fields, problems


def _changed(name: str, change: Mapping[str, Any], fields: Fields) -> FieldSpec | Problem:
    where = f"sync.fields.{name}"
    kind_name, _, field = name.rpartition(".")
    kind_name = kind_name or str(change.get("kind", ""))
    if kind_name not in _KINDS:
        return Problem(where, f"found no kind in {name!r}", f'Write "kind.field", kind being {", ".join(_KINDS)}')
    if change.get("kind", kind_name) != kind_name:
        return Problem(where, f"found kind = {change['kind']!r}", f"Allowed: {kind_name}, as in the name")
    kind = Kind(kind_name)
    spec = next((each for each in fields[kind] if each.name == field), None)
    return _new_field(where, kind, field, change, fields) if spec is None else _with(spec, change)


def _with(spec: FieldSpec, change: Mapping[str, Any]) -> FieldSpec:
    new: dict[str, Any] = {key: change[key] for key in ("on", "crm", "ajera", "label") if change.get(key) is not None}
    if change.get("owner") in set(Owner):
        new["owner"] = Owner(change["owner"])
    if change.get("type") in set(FieldType):
        new["type"] = FieldType(change["type"])
    return replace(spec, **new)


def _new_field(where: str, kind: Kind, name: str, change: Mapping[str, Any], fields: Fields) -> FieldSpec | Problem:
    missing = [key for key in ("crm", "ajera", "type") if not change.get(key)]
    if missing:
        known = [spec.name for spec in fields[kind]]
        return Problem(
            where,
            f"{name!r} is not a field of {kind.value}",
            f"{nearest(name, known)}. A new field needs {', '.join(missing)}",
        )
    crm, ajera = str(change["crm"]), str(change["ajera"])
    if not crm.startswith("Cust") or not ajera.startswith("CF_"):
        return Problem(
            where,
            f"found crm = {safe_line(crm, 60)!r}, ajera = {safe_line(ajera, 60)!r}",
            "A new field joins a user-defined column (Cust…) and a custom field (CF_…)",
        )
    type_ = change["type"] if change["type"] in set(FieldType) else FieldType.TEXT
    label = str(change.get("label") or name.replace("_", " ").title())
    blank = FieldSpec(kind, name, label, FieldType(type_), Owner.SHARED, crm, ajera, custom=True)
    return _with(blank, change)


def _put(fields: Fields, spec: FieldSpec) -> None:
    kept = tuple(spec if each.name == spec.name else each for each in fields[spec.kind])
    fields[spec.kind] = kept if spec in kept else (*kept, spec)


def _name_problems(where: str, table: Mapping[str, Any], fields: Fields, *, default: bool) -> list[Problem]:
    known = set(_KINDS) | {f"{kind.value}.{spec.name}" for kind, specs in fields.items() for spec in specs}
    if default:
        known.add("default")
    return [
        Problem(f"{where}.{name}", "is not a known kind or kind.field", _near_name(name, known))
        for name in table
        if name not in known
    ]


def _near_name(name: str, known: set[str]) -> str:
    near = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.5)
    return f"Nearest known key: {near[0]}" if near else f"Kinds are {', '.join(_KINDS)}"


def _quirk_problems(
    system: str, pairs: Mapping[str, Any], quirks: type[AjeraQuirks] | type[CrmQuirks]
) -> list[Problem]:
    simple = {name: value for name, value in pairs.items() if isinstance(value, str | int | bool)}
    try:
        quirks.from_pairs(simple)
    except QuirkError as error:
        return [Problem(f"{system}.quirks", text, "") for text in error.problems]
    return []


def _schedule_problems(table: Mapping[str, Any], cron_check: Callable[[str, str], str | None]) -> list[Problem]:
    zone, cron = table.get("timezone", "UTC"), table.get("cron", "")
    if isinstance(zone, str) and not _is_zone(zone):
        near = difflib.get_close_matches(zone, zoneinfo.available_timezones(), n=1, cutoff=0.5)
        hint = f"Did you mean {near[0]}" if near else 'Allowed: a name as "America/Chicago"'
        return [Problem("schedule.timezone", f"found {safe_line(zone, 60)!r}", hint)]
    if isinstance(cron, str) and cron and isinstance(zone, str):
        wrong = cron_check(cron, zone)
        if wrong:
            return [Problem("schedule.cron", f"found {safe_line(cron, 60)!r}", wrong)]
    return []


def _is_zone(name: str) -> bool:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _table(raw: Any, name: str) -> Mapping[str, Any]:
    body = raw.get(name) if isinstance(raw, Mapping) else None
    return body if isinstance(body, Mapping) else {}
