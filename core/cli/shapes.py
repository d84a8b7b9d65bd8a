"""Views as the JSON documents of interface.md 3."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from core.engine.views import ContactView, Detail, ErrorView, FieldView, PairView, Row, TeamView
from core.model.link import Link
from core.model.plan import Candidate, Item, candidate_json, item_json, refusal_json
from core.model.values import Kind, Side, Value, display
from core.ports import HistoryEntry

if TYPE_CHECKING:
    from core.engine.service import Service


def row_json(row: Row) -> dict[str, Any]:
    body: dict[str, Any] = {
        "kind": row.kind.value,
        "label": row.label,
        "ajera_key": row.ajera_key,
        "crm_key": row.crm_key,
        "marked": row.marked,
        "linked": row.linked,
        "state": row.state,
        "reason": row.reason,
        "last_error": row.last_error,
    }
    if row.kind is Kind.CONTACT:
        body["firm_key"] = row.firm_key
    return body


def detail_json(detail: Detail) -> dict[str, Any]:
    return row_json(detail.row) | {
        "fields": {field.name: _field_json(field) for field in detail.fields},
        "contacts": [_contact_json(contact) for contact in detail.contacts],
        "cap": detail.cap,
        "template": detail.template,
        "team": [_team_json(row) for row in detail.team],
        "ajera_flags": dict(detail.ajera_flags),
        "conflicts": [item_json(item) for item in detail.items],
        "candidates": [candidate_json(item) for item in detail.candidates],
        "refused": [refusal_json(item) | {"since": item.since} for item in detail.refusals],
        "history": [entry_json(entry) for entry in detail.history],
        "read_at": detail.read_at,
    }


def _field_json(field: FieldView) -> dict[str, Any]:
    base = {"ajera": display(field.base.ajera), "crm": display(field.base.crm)} if field.base else None
    return {
        "label": field.label,
        "tab": field.tab,
        "owner": field.owner,
        "ajera": display(field.ajera),
        "crm": display(field.crm),
        "base": base,
        "state": field.mark,
        "note": field.note,
    }


def _contact_json(contact: ContactView) -> dict[str, Any]:
    return {
        "label": contact.label,
        "ajera_key": contact.ajera_key,
        "crm_key": contact.crm_key,
        "title": contact.title,
        "email": contact.email,
        "phone": contact.phone,
        "role": contact.role,
        "primary": contact.primary,
        "marked": contact.marked,
        "state": contact.state,
        "reason": contact.reason,
        "refusal": contact.refusal,
    }


def _team_json(row: TeamView) -> dict[str, Any]:
    return {
        "employee": row.employee,
        "role": row.role,
        "ajera_hours": row.ajera_hours,
        "crm_hours": row.crm_hours,
        "start": row.start,
        "note": row.note,
    }


def error_json(error: ErrorView) -> dict[str, Any]:
    return {
        "id": error.id,
        "kind": error.kind.value,
        "side": error.side.value,
        "key": error.key,
        "label": error.label,
        "op": error.op,
        "message": error.message,
        "tries": error.tries,
        "next_try": error.next_try,
    }


def waiting_json(service: Service, conflicts: Iterable[Item], candidates: Iterable[Candidate]) -> dict[str, Any]:
    """Both queues as `conflicts`, `match list` and `plan` print them: the plan's items with the answer that waits for
    the next run, and of a field who last saved each side."""
    given = service.answers()
    return {
        "conflicts": [_waiting_item_json(service, item) | {"answer": given.get(item.id, "")} for item in conflicts],
        "candidates": [candidate_json(each) | {"answer": given.get(each.id, "")} for each in candidates],
    }


def _waiting_item_json(service: Service, item: Item) -> dict[str, Any]:
    saved = {
        side.value: asdict(service.last_saved(item.kind, side, key))
        for side, key in ((Side.AJERA, item.ajera_key), (Side.CRM, item.crm_key))
    }
    return item_json(item) | {"saved": saved}


def pair_json(pair: PairView) -> dict[str, Any]:
    return asdict(pair)


def entry_json(entry: HistoryEntry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "run": entry.run,
        "at": entry.at,
        "op": entry.op,
        "kind": entry.kind.value,
        "side": entry.side.value if entry.side else None,
        "ajera_key": entry.ajera_key,
        "crm_key": entry.crm_key,
        "label": entry.label,
        "fields": {name: _change(change) for name, change in entry.fields.items()},
        "lost": {name: display(value) for name, value in entry.lost.items()},
        "outcome": entry.outcome,
        "message": entry.message,
    }


def _change(change: tuple[Value, Value, str]) -> Mapping[str, Any]:
    frm, to, rule = change
    return {"from": display(frm), "to": display(to), "rule": rule}


def link_json(link: Link) -> dict[str, Any]:
    return {
        "kind": link.kind.value,
        "ajera_key": link.ajera_key,
        "crm_key": link.crm_key,
        "state": link.state.value,
        "reason": link.reason,
        "since": link.since,
    }
