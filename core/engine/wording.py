"""Values as a person reads them, the same on screens and in tables."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from core.model.record import Record
from core.model.values import Address, FieldType, Kind, Ref, Side, Value
from core.policy import FieldSpec
from core.ports import Store

STATUS_TEXT: dict[tuple[Kind, str], str] = {
    (Kind.FIRM, "A"): "Active",
    (Kind.FIRM, "I"): "Inactive",
    (Kind.FIRM, "D"): "Dormant",
    (Kind.CONTACT, "A"): "Active",
    (Kind.CONTACT, "I"): "Inactive",
    (Kind.PROJECT, "A"): "Active",
    (Kind.PROJECT, "I"): "Inactive",
    (Kind.PROJECT, "D"): "Dormant",
    (Kind.EMPLOYEE, "A"): "Active",
    (Kind.EMPLOYEE, "I"): "Inactive",
    (Kind.EMPLOYEE, "T"): "Terminated",
}


def value_text(store: Store, spec: FieldSpec, value: Value) -> str:
    """One value in words: a status by name, a reference by the record's name, money with two places."""
    match value:
        case None:
            return ""
        case Ref():
            return ref_text(store, value)
        case bool():
            return "yes" if value else "no"
        case Decimal():
            return f"{value:,.2f}" if spec.type is FieldType.MONEY else f"{value.normalize():f}"
        case date():
            return value.isoformat()
        case Address():
            return str(value)
        case str() if spec.type is FieldType.STATUS:
            return STATUS_TEXT.get((spec.kind, value), value)
        case _:
            return str(value)


def ref_text(store: Store, ref: Ref) -> str:
    record = store.record(ref.kind, ref.side, ref.key)
    return record.label if record else ref.key


def status_text(record: Record) -> str:
    value = record.fields.get("status")
    return STATUS_TEXT.get((record.kind, str(value)), str(value or ""))


def side_name(side: Side) -> str:
    return "Ajera" if side is Side.AJERA else "the CRM"
