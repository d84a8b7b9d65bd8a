"""The engine's rows as lines of a hub's table: columns, cells, filter fields. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from core.engine import views
from core.model.values import Kind
from tui.formatting import joined, state_word
from tui.widgets.columns import Column
from tui.widgets.record_table import Row

_STYLES: Final = {
    "conflict": "warn", "candidate": "warn", "difference": "warn", "refused": "warn", "error": "bad",
    "not_tickable": "muted", "gone": "muted", "dormant": "muted",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class HubShape:
    """A hub's columns and how each is read from a row of the engine."""

    columns: tuple[Column, ...]
    cells: tuple[Callable[[views.Row], str], ...]

    def line(self, row: views.Row) -> Row:
        """The row as the table shows it."""
        return Row(
            row.id,
            tuple(read(row) for read in self.cells),
            style=_STYLES.get(row.state, ""),
            flag=row.state,
            tickable=row.state != "not_tickable" and row.kind is not Kind.EMPLOYEE,
            data=row,
        )

    def lines(self, rows: Sequence[views.Row]) -> list[Row]:
        """All rows."""
        return [self.line(row) for row in rows]

    def without(self, hidden: Collection[str]) -> HubShape:
        """The same hub with fewer columns; the first one always stays."""
        kept = [place for place, column in enumerate(self.columns) if place == 0 or column.id not in hidden]
        return HubShape(tuple(self.columns[i] for i in kept), tuple(self.cells[i] for i in kept))


def _extra(name: str) -> Callable[[views.Row], str]:
    return lambda row: row.extra.get(name, "")


def name_of(row: views.Row) -> str:
    """The label without the number in front."""
    return row.label.removeprefix(row.number).strip() if row.number and row.kind is Kind.PROJECT else row.label


def number_of(row: views.Row) -> str:
    """The record's number; a firm or employee without one shows its key."""
    return row.number


def state_cell(row: views.Row) -> str:
    """The state in words; a record that is only in Ajera and not ticked says so."""
    if row.state == "unmarked" and not row.crm_key:
        return "only in Ajera"
    return state_word(row.state)


def side_of(row: views.Row) -> str:
    """ "both", "crm" or "ajera": where the record is."""
    if row.linked or (row.crm_key and row.ajera_key):
        return "both"
    return "crm" if row.crm_key else "ajera"


class HubView(Enum):
    """Which records a hub shows: what the CRM has (linked pairs among them), what is in Ajera only, or all."""

    CRM = "crm"
    AJERA = "ajera"
    ALL = "all"

    def holds(self, row: views.Row) -> bool:
        """Whether this view shows the record."""
        if self is HubView.ALL:
            return True
        return (row.crm_key is None) is (self is HubView.AJERA)

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
        (name_of, number_of, _extra("city"), _extra("status"), state_cell),
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
        (number_of, name_of, _extra("client"), _extra("manager"), _extra("status"), state_cell),
    ),
    Kind.EMPLOYEE: HubShape(
        (
            Column("name", "Employee", 20, flex=2),
            Column("number", "Number", 8, priority=4),
            Column("title", "Title", 12, most=28, flex=1, priority=3),
            Column("status", "Status", 10, priority=2),
            _STATE,
        ),
        (name_of, number_of, _extra("title"), _extra("status"), state_cell),
    ),
}


def _of(read: Callable[[views.Row], str]) -> Callable[[Row], str]:
    return lambda row: read(row.data)


FIELDS: Final[Mapping[str, Callable[[Row], str]]] = {
    "label": _of(lambda row: row.label),
    "name": _of(name_of),
    "number": _of(number_of),
    "state": _of(lambda row: row.state),
    "reason": _of(lambda row: row.reason),
    "error": _of(lambda row: row.last_error or ""),
    "marked": _of(lambda row: "yes" if row.marked else "no"),
    "linked": _of(lambda row: "yes" if row.linked else "no"),
    "side": _of(side_of),
    "ajera_key": _of(lambda row: row.ajera_key or ""),
    "crm_key": _of(lambda row: row.crm_key or ""),
    **{
        name: _of(_extra(name))
        for name in (
            "status", "city", "type", "client", "manager", "principal", "owner", "title", "email", "phone", "website",
            "template",
        )
    },
}  # fmt: skip


def toggled_term(text: str, term: str) -> str:
    """A filter with this term added, or without it where it stood; other values of its field go."""
    field = term.partition(":")[0] + ":"
    words = [word for word in text.split() if not word.startswith(field)]
    if term not in text.split():
        words.append(term)
    return " ".join(words)
