"""The settings in force as sections: every key with its value and what it is for, and the field map. Pure.

Secrets are told by where they are kept, never by their value; of an address only the part before its query.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from core.engine.service import Service
from core.model.values import KIND_ORDER
from core.policy import FieldSpec, Owner
from core.text import safe_line
from tui.formatting import joined
from tui.glyphs import glyphs
from tui.screens.plan_lines import PLURALS
from tui.screens.values import field_label
from tui.themes import THEMES
from tui.widgets.columns import Column
from tui.widgets.outline import Entry, Line, Section
from tui.widgets.text_lines import labelled, paragraph

FIELDS: Final = ("section", "key", "value", "kind", "owner", "state")
ENABLED: Final = "sync.enabled"
THEME: Final = "ui.theme"
_COLUMNS: Final = (Column("label", "Setting", 22, most=30, flex=1), Column("value", "Value", 16, flex=3))
_MAP_COLUMNS: Final = (
    Column("label", "Field", 16, flex=2, most=26),
    Column("owner", "Owner", 7),
    Column("crm", "CRM", 10, flex=2, most=24),
    Column("ajera", "Ajera", 10, flex=2, most=28),
    Column("state", "State", 8, flex=1),
)
_SECTIONS: Final = (
    ("ajera", "Connection to Ajera"), ("crm", "Connection to the CRM"), ("sync", "What is kept in step"),
    ("schedule", "Schedule as the file has it (8 shows the one in force)"), ("ui", "Look"),
)  # fmt: skip
_ELSEWHERE: Final = frozenset({("sync", "enabled"), ("sync", "guards"), ("sync", "fields"), ("ui", "theme")})
_GUARD_WORDS: Final = {
    "few": "percentages need more linked records than this",
    "blank_percent": "a field going blank in more than this part of a kind, in %",
    "blank_records": "and in more records than this",
    "zero_money_percent": "a money column going to zero in more than this part, in %",
    "zero_money_projects": "and in more than this many projects",
    "change_percent": "more than this part of a kind changing, in %",
    "change_records": "and more than this many records of it",
    "scheduled_creates": "more creates of a kind than this in a scheduled run",
    "unlinks": "more unlinks by deletion than this",
}  # fmt: skip


def value_text(value: object) -> str:
    """A setting as text: a secret by its source, a table by its pairs, an address without its query."""
    if hasattr(value, "reveal"):
        source = str(getattr(value, "source", ""))
        kept = {"plain": "in the settings file itself", "env": "in an environment variable", "file": "in a file of its own",
                "command": "given by a command", "keyring": "in the system's keyring"}.get(source, source)  # fmt: skip
        return f"secret, kept {kept}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or value in ("", {}, ()):
        return "not set"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} = {value_text(each)}" for key, each in value.items())
    text = str(value)
    if "://" in text:
        parts = urlsplit(text)
        host = parts.netloc.rpartition("@")[2]
        return f"{parts.scheme}://{host}{parts.path}" + (f"?{glyphs().ellipsis}" if parts.query else "")
    return text


def _described(section: object) -> list[tuple[str, object, str]]:
    """Name, value and description of each key of a settings section, however it is made."""
    model_fields = getattr(type(section), "model_fields", None)
    if isinstance(model_fields, Mapping):
        return [
            (name, getattr(section, name), getattr(field, "description", "") or "")
            for name, field in model_fields.items()
        ]
    if dataclasses.is_dataclass(section):
        return [(each.name, getattr(section, each.name), "") for each in dataclasses.fields(section)]
    return []


def _entry(key: str, label: str, value: str, about: str, section: str, style: str = "") -> Entry:
    return Entry(
        key, (label, value), style=style,
        fields={"section": section, "key": key, "value": value, "state": value},
        data=(key, label, value, about),
    )  # fmt: skip


# -- sections --------------------------------------------------------------------------------------------------


def setting_sections(service: Service, theme: str) -> list[Section]:
    """Everything in force."""
    settings = service.settings
    sections = [_main(service, theme)]
    for name, title in _SECTIONS:
        section = getattr(settings, name, None)
        entries = [
            _entry(f"{name}.{key}", key.replace("_", " "), value_text(value), about, name)
            for key, value, about in _described(section)
            if (name, key) not in _ELSEWHERE
        ]
        if entries:
            sections.append(Section(name, title, _COLUMNS, entries, note=f"[{name}]"))
    return [*sections, _policy(service), _guards(service), *_field_map(service)]


def _main(service: Service, theme: str) -> Section:
    """What can be changed here, and what decides most."""
    policy, mode = service.policy, service.mode
    on = "on" if service.enabled else "off: nothing runs, the schedule stands still"
    caps = joined((f"firm {policy.firm_cap or 'none'}", f"project {policy.project_cap or 'none'}"))
    entries = [
        _entry(ENABLED, "Ajera Synchronization", f"{on}   (E switches it)", "Enable Ajera Synchronization. Off: ticks are "
               "kept, nothing runs. E asks and switches it, at once and for every program on this profile.", "sync",
               "" if service.enabled else "warn"),
        _entry(THEME, "Theme", f"{theme.removeprefix('ajerasync-')}   (T chooses)", _theme_words(service), "ui"),
        _entry("mode", "Direction", f"{mode.direction.value}: {mode.reason}", "Decided by Ajera's version at each contact; "
               'the setting [sync] direction = "to-ajera" forces one way.', "sync"),
        _entry("profile", "CRM profile", policy.caps_profile, "DPS 1.x or Vantagepoint: [crm] profile.", "crm"),
        _entry("caps", "Ajera Sync contacts", caps, "How many contacts of a firm and of a project may be ticked. It goes "
               "with the CRM profile.", "crm"),
        _entry("default_template", "Default template", policy.default_template or "none",
               "The Ajera project template of projects that have none of their own: [sync] default_template.", "sync"),
    ]  # fmt: skip
    return Section("main", "In force", _COLUMNS, entries)


def _theme_words(service: Service) -> str:
    config = getattr(getattr(service.settings, "paths", None), "config", None)
    where = f" of {config}" if config else ""
    names = ", ".join(name.removeprefix("ajerasync-") for name in THEMES)
    return f"T chooses one of {names}, at once. To keep it, write theme under [ui]{where}."


def _policy(service: Service) -> Section:
    """Conflict policy and drift, the default first."""
    policy = service.policy
    told: dict[str, str] = {"default": "ask"} | {name: str(value) for name, value in policy.conflicts.items()}
    about = "What happens when both sides changed a shared field: ask, ajera, crm or newest. [sync.conflicts], by kind or kind.field."
    entries = [_entry(f"conflicts.{name}", name, value, about, "conflicts") for name, value in told.items()]
    entries += [
        _entry(
            f"drift.{name}", f"drift of {name}", value, "list tells it, restore puts it right: [sync] drift.", "drift"
        )
        for name, value in policy.drift.items()
    ]
    return Section("conflicts", "Conflict policy", _COLUMNS, entries, note="[sync.conflicts]")


def _guards(service: Service) -> Section:
    entries = [
        _entry(f"guards.{each.name}", each.name.replace("_", " "), f"{getattr(service.policy.guards, each.name):g}",
               f"A plan is held back at {_GUARD_WORDS.get(each.name, each.name)}.", "guards")
        for each in dataclasses.fields(service.policy.guards)
    ]  # fmt: skip
    return Section("guards", "Guards: a plan beyond these is held back", _COLUMNS, entries, note="[sync.guards]")


def _field_map(service: Service) -> list[Section]:
    stopped = _stopped(service.facts.stopped)
    sections = []
    for kind in sorted(service.policy.fields, key=KIND_ORDER.__getitem__):
        entries = [
            _field(service, spec, stopped.get(f"{kind}.{spec.name}", "")) for spec in service.policy.fields[kind]
        ]
        on = sum(spec.on for spec in service.policy.fields[kind])
        title = f"Field map: {PLURALS[kind]}"
        sections.append(
            Section(f"map-{kind}", title, _MAP_COLUMNS, entries, note=f"{on} of {len(entries)} on", folded=True)
        )
    return sections


def _stopped(stopped: Mapping[str, str]) -> dict[str, str]:
    """`side:kind.name` → why, by `kind.name`."""
    found: dict[str, list[str]] = {}
    for name, why in stopped.items():
        side, _, field = name.partition(":")
        found.setdefault(field, []).append(f"{'Ajera' if side == 'ajera' else 'CRM'}: {why}")
    return {field: "; ".join(reasons) for field, reasons in found.items()}


def _field(service: Service, spec: FieldSpec, stopped: str) -> Entry:
    label = field_label(service, spec.kind, spec.name)
    state = "stopped" if stopped and spec.on else "on" if spec.on else "off"
    key = f"{spec.kind}.{spec.name}"
    return Entry(
        key,
        (label, spec.owner.value, spec.crm, spec.ajera or "(reckoned)", joined((state, stopped))),
        flag="warning" if state == "stopped" else "",
        style={"off": "muted", "stopped": "warn"}.get(state, ""),
        fields={"section": "map", "key": key, "kind": spec.kind.value, "owner": spec.owner.value, "state": state,
                "value": f"{spec.crm} {spec.ajera}"},
        data=(spec, stopped),
    )  # fmt: skip


# -- what stands beside the list ---------------------------------------------------------------------------------


def setting_detail(service: Service, data: Any, width: int) -> Sequence[Line]:
    """The chosen setting whole, with what it is for and where it is changed."""
    match data:
        case (FieldSpec() as spec, str() as stopped):
            return _field_detail(service, spec, stopped, width)
        case (str() as key, str() as label, str() as value, str() as about):
            lines = [
                (f" {safe_line(label)}", "strong"),
                ("", ""),
                *labelled("Value", value, width),
                *labelled("Key", key, width),
            ]
            return [*lines, ("", ""), *paragraph(about, width)] if about else lines
        case _:
            return ()


def _field_detail(service: Service, spec: FieldSpec, stopped: str, width: int) -> list[Line]:
    policy = service.policy
    limits = joined(
        (f"CRM {spec.crm_limit}" if spec.crm_limit else "", f"Ajera {spec.ajera_limit}" if spec.ajera_limit else "")
    )
    rows: Iterable[tuple[str, str]] = (
        ("Kind", spec.kind.value), ("Tab", spec.tab), ("Type", spec.type.value), ("CRM column", spec.crm),
        ("Ajera", spec.ajera or "reckoned from several properties"), ("Owner", _owner_words(service, spec)),
        ("If both changed", policy.conflict_policy(spec).value if spec.owner is Owner.SHARED else ""),
        ("Drift", ("put right by itself" if policy.restores_drift(spec) else "listed") if spec.owner is not Owner.SHARED else ""),
        ("Longest text", limits), ("When", "on create only" if spec.create_only else ""), ("State", "on" if spec.on else "off"),
    )  # fmt: skip
    lines: list[Line] = [(f" {safe_line(field_label(service, spec.kind, spec.name))}", "strong"), ("", "")]
    for label, value in rows:
        if value:
            lines += labelled(label, value, width, room=16)
    if stopped:
        lines += labelled("Stopped", stopped, width, room=16, style="warn")
    way = f'Changed in the settings file: [sync.fields."{spec.kind}.{spec.name}"] on, owner, crm, ajera.'
    return [*lines, ("", ""), *paragraph(way, width, style="muted")]


def _owner_words(service: Service, spec: FieldSpec) -> str:
    now = service.policy.owner(spec, service.mode)
    return spec.owner.value if now is spec.owner else f"{spec.owner.value}; {now.value} while the sync is one-way"
