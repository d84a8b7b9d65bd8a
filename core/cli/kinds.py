"""Kinds, rows and keys as the command line names them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

import click

from core.errors import UsageError
from core.filtering import parse_query, search_string
from core.model.values import Kind, Side

if TYPE_CHECKING:
    from core.engine.service import Service
    from core.engine.views import Row

KIND: Final = click.Choice([kind.value for kind in (Kind.FIRM, Kind.CONTACT, Kind.PROJECT, Kind.EMPLOYEE)])
SIDE: Final = click.Choice([side.value for side in Side])
FIELDS: Final = ("kind", "label", "number", "ajera_key", "crm_key", "marked", "linked", "state", "reason", "error")


def chosen(rows: Sequence[Row], expression: str | None) -> list[Row]:
    """The rows a filter lets pass: the language of the UI (words, "phrases", field:value, !not)."""
    if not expression:
        return list(rows)
    extras = {name for row in rows for name in row.extra}
    names = (*FIELDS, *sorted(extras - set(FIELDS)))
    query = parse_query(expression, names)
    if query.error:
        raise UsageError(f"--filter: {query.error}")
    searches = [search_string((row.label, row.number, row.ajera_key, row.crm_key, *row.extra.values())) for row in rows]
    fields = {name: (lambda row, name=name: value_of(row, name)) for name in names}
    return [rows[i] for i in query.select(range(len(rows)), searches, rows, fields)]


def value_of(row: Row, name: str) -> str:
    """One field of a row as text; what is on or off is yes or no."""
    if name not in FIELDS:
        return row.extra.get(name, "")
    value = getattr(row, "last_error" if name == "error" else name)
    return ("yes" if value else "no") if isinstance(value, bool) else str(value or "")


def find_row(service: Service, kind: Kind, key: str, side: Side | None = None) -> Row:
    """The row of a key: the CRM's, else Ajera's. Raises UsageError for a key of neither."""
    if side is not None:
        return service.row(kind, key, side)
    try:
        return service.row(kind, key, Side.CRM)
    except UsageError:
        return service.row(kind, key, Side.AJERA)


def words(count: int, kind: Kind) -> str:
    """ "1 firm", "3 firms"."""
    return f"{count} {kind.value}{'' if count == 1 else 's'}"


def only_kinds(names: Iterable[str]) -> tuple[Kind, ...]:
    return tuple(Kind(name) for name in dict.fromkeys(names))
