"""The engine's rows as lines of a hub's table: columns, cells, filter fields. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from core.engine import views
from core.engine.hubrows import EXTRA, HubRows
from core.model.values import Kind
from tui.formatting import joined, state_word
from tui.widgets.columns import Column
from tui.widgets.row_model import Row

_STYLES: Final = {
    "conflict": "warn", "candidate": "warn", "difference": "warn", "refused": "warn", "error": "bad",
    "not_tickable": "muted", "gone": "muted", "dormant": "muted",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reading:
    """How a text is read from a row of the engine, for one row or for all: `read` gets the values named in `of`."""

    of: tuple[str, ...]
    read: Callable[..., str]

    def row(self, row: views.Row) -> str:
        """Of one row."""
        return self.read(*(_value(row, name) for name in self.of))

    def column(self, rows: HubRows) -> Sequence[str]:
        """Of all rows, in their order."""
        return list(map(self.read, *map(rows.column, self.of)))


def _value(row: views.Row, name: str) -> Any:
    return row.extra.get(name) if name in EXTRA else getattr(row, name)


def _text(value: str | None) -> str:
    return value or ""


def _yes(value: bool | None) -> str:
    return "yes" if value else "no"


def _extra(name: str) -> Reading:
    return Reading((name,), _text)


def _name(label: str | None, number: str | None) -> str:
    """A project's label without the number in front."""
    return _text(label).removeprefix(number).strip() if number else _text(label)


def _state(state: str, row_id: str) -> str:
    """The state in words; a record that is only in Ajera and not ticked says so."""
    return "only in Ajera" if state == "unmarked" and row_id[0] == "a" else state_word(state)


def _side(linked: bool | None, row_id: str, ajera_key: str | None) -> str:
    """ "both", "crm" or "ajera": where the record is."""
    if linked or (row_id[0] == "c" and ajera_key):
        return "both"
    return "crm" if row_id[0] == "c" else "ajera"


def side_of(row: views.Row) -> str:
    """ "both", "crm" or "ajera": where the record is."""
    return _side(row.linked, row.id, row.ajera_key)


LABEL: Final = Reading(("label",), _text)
NUMBER: Final = Reading(("number",), _text)
STATE: Final = Reading(("state", "id"), _state)
PROJECT_NAME: Final = Reading(("label", "number"), _name)


@dataclass(frozen=True, slots=True)
class HubShape:
    """A hub's columns and how each is read from a row of the engine."""

    columns: tuple[Column, ...]
    cells: tuple[Reading, ...]

    def line(self, row: views.Row) -> Row:
        """The row as the table shows it."""
        return Row(
            row.id,
            tuple(reading.row(row) for reading in self.cells),
            style=_STYLES.get(row.state, ""),
            flag=row.state,
            tickable=row.state != "not_tickable" and row.kind is not Kind.EMPLOYEE,
            data=row,
        )

    def without(self, hidden: Collection[str]) -> HubShape:
        """The same hub with fewer columns; the first one always stays."""
        kept = [place for place, column in enumerate(self.columns) if place == 0 or column.id not in hidden]
        return HubShape(tuple(self.columns[i] for i in kept), tuple(self.cells[i] for i in kept))


class HubView(Enum):
    """Which records a hub shows: what the CRM has (linked pairs among them), what is in Ajera only, or all."""

    CRM = "crm"
    AJERA = "ajera"
    ALL = "all"

    def places(self, rows: HubRows) -> Sequence[int]:
        """The places of the records that this view shows."""
        if self is HubView.ALL:
            return range(len(rows))
        lead = "a" if self is HubView.AJERA else "c"
        found = [place for place, row_id in enumerate(rows.column("id")) if row_id[0] == lead]
        return range(len(rows)) if len(found) == len(rows) else found

    @property
    def next(self) -> HubView:
        """The view after this one."""
        order = list(HubView)
        return order[(order.index(self) + 1) % len(order)]


def view_note(view: HubView, shown: int, of: int, elsewhere: int) -> str:
    """Which view it is, how much of it the filter shows, and what `o` shows next."""
    match view:
        case HubView.CRM:
            return f"{shown:,} of {of:,}" + (f" · {elsewhere:,} only in Ajera: o" if elsewhere else "")
        case HubView.AJERA:
            return f"{shown:,} of {of:,} only in Ajera · all: o"
        case HubView.ALL:
            return f"{shown:,} of {of:,} in both systems · CRM: o"


def notes_by_width(view: str, ticks: str) -> tuple[str, ...]:
    """The same, shorter and shorter: how much is ticked and not seen goes last."""
    numbers = view.partition(" ·")[0].partition(" in both")[0]
    brief = view.replace(" only in Ajera: o", " in Ajera: o").replace(" in both systems", "")
    least = ticks.replace("ticked ", "").replace(" not in view", " hidden")
    return tuple(joined(pair) for pair in ((view, ticks), (brief, ticks), (numbers, ticks), (numbers, least)))


_STATE: Final = Column("state", "State", 13, priority=1)
SHAPES: Final[Mapping[Kind, HubShape]] = {
    Kind.FIRM: HubShape(
        (
            Column("name", "Firm", 24, flex=3),
            Column("number", "Number", 8, most=10, flex=1, priority=3),
            Column("city", "City", 10, most=18, flex=1, priority=4),
            Column("status", "Status", 8, priority=2),
            _STATE,
        ),
        (LABEL, NUMBER, _extra("city"), _extra("status"), STATE),
    ),
    Kind.PROJECT: HubShape(
        (
            Column("number", "Number", 10, most=14, flex=1),
            Column("name", "Project", 24, flex=3),
            Column("client", "Client", 12, most=28, flex=2, priority=3),
            Column("manager", "Manager", 10, most=18, flex=1, priority=5),
            Column("status", "Status", 8, most=12, flex=1, priority=4),
            _STATE,
        ),
        (NUMBER, PROJECT_NAME, _extra("client"), _extra("manager"), _extra("status"), STATE),
    ),
    Kind.EMPLOYEE: HubShape(
        (
            Column("name", "Employee", 20, flex=2),
            Column("number", "Number", 8, priority=4),
            Column("title", "Title", 12, most=28, flex=1, priority=3),
            Column("status", "Status", 10, priority=2),
            _STATE,
        ),
        (LABEL, NUMBER, _extra("title"), _extra("status"), STATE),
    ),
}


READINGS: Final[Mapping[str, Reading]] = {
    "label": LABEL,
    "name": LABEL,
    "number": NUMBER,
    "state": Reading(("state",), _text),
    "reason": Reading(("reason",), _text),
    "error": Reading(("last_error",), _text),
    "marked": Reading(("marked",), _yes),
    "linked": Reading(("linked",), _yes),
    "side": Reading(("linked", "id", "ajera_key"), _side),
    "ajera_key": Reading(("ajera_key",), _text),
    "crm_key": Reading(("id",), lambda row_id: row_id[2:] if row_id[0] == "c" else ""),
    **{
        name: _extra(name)
        for name in (
            "status", "city", "type", "client", "manager", "principal", "owner", "title", "email", "phone", "website",
            "template",
        )
    },
}  # fmt: skip
"""What the filter can ask, besides the columns. A project's `name` is without its number."""


def reading_of(kind: Kind, field: str) -> Reading:
    """How a filter field of a hub is read."""
    return PROJECT_NAME if field == "name" and kind is Kind.PROJECT else READINGS[field]


def _field(name: str) -> Callable[[Row], str]:
    return lambda row: reading_of(row.data.kind, name).row(row.data)


FIELDS: Final[Mapping[str, Callable[[Row], str]]] = {name: _field(name) for name in READINGS}


def toggled_term(text: str, term: str) -> str:
    """A filter with this term added, or without it where it stood; other values of its field go."""
    field = term.partition(":")[0] + ":"
    words = [word for word in text.split() if not word.startswith(field)]
    if term not in text.split():
        words.append(term)
    return " ".join(words)
