"""Who bears a draft's name or number now: which lists to ask, and which of their rows count. Pure."""

from __future__ import annotations

from collections.abc import Callable

from core.ajera.wire import Raw, read_text
from core.model.values import Kind
from core.ports import Draft

Search = tuple[dict[str, str], Callable[[Raw], bool]]


def searches(draft: Draft) -> list[Search]:
    """Filters and a test for each list to ask. A filter that is ignored only makes the list longer."""
    fields = {name: value for name, value in draft.fields.items() if isinstance(value, str) and value.strip()}
    if draft.kind is Kind.FIRM:
        return [_by("FilterByNameEquals", "Description", fields.get("name", draft.label))]
    if draft.kind is Kind.PROJECT:
        # There is no FilterByIDEquals: Like, then compare (ajera-api 10.1).
        wanted = (
            ("FilterByDescriptionEquals", "Description", fields.get("name", "")),
            ("FilterByIDLike", "ID", fields.get("number", draft.number)),
        )
        return [_by(*each) for each in wanted if each[2].strip()]
    # No documented filter finds a person by full name (8.1), so the whole list is compared.
    name = full_name(fields.get("first_name"), fields.get("middle_name"), fields.get("last_name"))
    return [({}, lambda row: full_name(*(row.get(part) for part in ("FirstName", "MiddleName", "LastName"))) == name)]


def _by(filter_name: str, property_: str, text: str) -> Search:
    return {filter_name: text.strip()}, lambda row: same_text(row.get(property_), text)


def same_text(text: object, wanted: str) -> bool:
    return read_text(text).strip().casefold() == wanted.strip().casefold()


def full_name(*parts: object) -> str:
    """A name as Ajera compares it: parts joined by one space, whatever the case."""
    return " ".join(" ".join(read_text(part).split()) for part in parts if read_text(part).strip()).casefold()
