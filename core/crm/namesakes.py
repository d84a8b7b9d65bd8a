"""How to find records that bear a draft's name or number, before it is made (sync-rules 7). Pure."""

from __future__ import annotations

from core.crm.mapping import cut
from core.crm.wire import text_of
from core.model.values import Kind
from core.ports import Draft

Question = tuple[tuple[str, str], ...]
"""Columns and values that must all be equal."""


def questions(draft: Draft, short_name: int) -> list[Question]:
    """The list filters that find every namesake: each question is one call."""
    match draft.kind:
        case Kind.FIRM:
            asked = [_all(draft, ("Name", "name")), _number(draft, "Client")]
        case Kind.CONTACT:
            asked = [_all(draft, ("LastName", "last_name"), ("FirstName", "first_name"))]
        case Kind.PROJECT:
            name = text_of(draft.fields.get("name")).strip()
            asked = [_one("LongName", name), _one("Name", cut(name, short_name)), _number(draft, "WBS1")]
        case Kind.EMPLOYEE:
            asked = [
                _all(draft, ("LastName", "last_name"), ("FirstName", "first_name")),
                _all(draft, ("EMail", "email")),
                _number(draft, "Employee"),
            ]
    return [question for question in asked if question]


def _all(draft: Draft, *pairs: tuple[str, str]) -> Question:
    """Nothing to ask where the first value is blank."""
    values = tuple((column, text_of(draft.fields.get(name)).strip()) for column, name in pairs)
    return values if values[0][1] else ()


def _one(column: str, value: str) -> Question:
    return ((column, value),) if value else ()


def _number(draft: Draft, column: str) -> Question:
    return _one(column, number_of_draft(draft))


def number_of_draft(draft: Draft) -> str:
    """The visible number a draft carries, empty where the CRM is to give one."""
    return draft.number.strip() or text_of(draft.fields.get("number")).strip()
