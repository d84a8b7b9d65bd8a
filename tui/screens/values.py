"""Values of records as these places tell them: a status by its word, a reference by the record's name."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Final

from core.engine.clock import from_iso
from core.engine.service import Service
from core.engine.wording import STATUS_TEXT
from core.errors import UsageError
from core.model.values import EntryEdit, FieldType, Kind, Ref, Side, Value
from tui.formatting import moment

BLANK: Final = "(blank)"
SIDE_NAMES: Final = {Side.AJERA: "Ajera", Side.CRM: "CRM"}
_LABELS: Final = {
    "mark": "Sync to Ajera", "template": "Ajera Project Template", "contacts": "Contacts", "sync_to_crm": "SyncToCRM",
}  # fmt: skip


def field_label(service: Service, kind: Kind, name: str) -> str:
    """What a field is called: by the CRM's caption, by the field map, or its own name."""
    caption = service.facts.captions.get(f"{kind}.{name}")
    spec = service.policy.spec(kind, name)
    if caption or spec:
        return caption or (spec.label if spec else name)
    head = name.partition(":")[0]
    return _LABELS.get(head, {"team": "Team", "contact": "Contact"}.get(head, name))


def value_words(service: Service, kind: Kind, field: str, value: Value) -> str:
    """One value in words; blank is the empty string. Outside text: the widget makes it harmless."""
    spec = service.policy.spec(kind, field)
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case Ref():
            return _named(service, value)
        case EntryEdit():
            roles = [f" as {role}" if (role := value.role(place)) else "" for place in range(len(value.add))]
            parts = [f"add {_named(service, ref)}{role}" for ref, role in zip(value.add, roles, strict=True)]
            return ", ".join([*parts, *(f"remove {_named(service, ref)}" for ref in value.remove)])
        case Decimal():
            return f"{value:,.2f}" if spec and spec.type is FieldType.MONEY else f"{value.normalize():f}"
        case date():
            return value.isoformat()
        case str() if spec is not None and spec.type is FieldType.STATUS:
            return STATUS_TEXT.get((kind, value), value)
        case _:
            return str(value)


def _named(service: Service, ref: Ref) -> str:
    try:
        return service.row(ref.kind, ref.key, ref.side).label
    except UsageError:
        return ref.key


def parsed(text: str | None) -> datetime | None:
    """A stored time, or None for a blank or a broken one."""
    try:
        return from_iso(text) if text else None
    except ValueError:
        return None


def local(text: str | None) -> str:
    """A stored time on this machine's clock; as it stands if it cannot be read."""
    at = parsed(text)
    return moment(at) if at else text or ""
