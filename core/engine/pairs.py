"""Pairs of keys taken over from elsewhere and given away as CSV: read, judged row by row, shown before anything is done."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from core.engine.views import PairView
from core.engine.wording import side_name
from core.errors import UsageError
from core.model.link import Link
from core.model.values import Kind, Side
from core.ports import Store
from core.private import write_private
from core.text import csv_cell

HEADERS: Final = ("kind", "ajera_key", "crm_key")
Pair = tuple[str, str, str]
"""A row of the file: kind, Ajera key, CRM key, as text."""


# -- the file --------------------------------------------------------------------------------------


def pairs_csv(links: Iterable[Link]) -> str:
    """The links as CSV; a cell that a spreadsheet would run is quoted."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(HEADERS)
    writer.writerows((link.kind.value, csv_cell(link.ajera_key), csv_cell(link.crm_key)) for link in links)
    return text.getvalue()


def write_pairs(file: Path, links: Sequence[Link]) -> int:
    """Write them to a file of mode 0600; how many. Raises UsageError where it cannot be written."""
    try:
        write_private(file, pairs_csv(links))
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror}") from None
    return len(links)


def read_pairs(file: Path) -> list[Pair]:
    """The rows of the file; a UsageError names every line that is not one."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            lines = list(csv.reader(stream))
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{file} cannot be read as CSV: {type(error).__name__}") from None
    body = lines[1:] if lines and tuple(cell.strip().lower() for cell in lines[0]) == HEADERS else lines
    first = len(lines) - len(body) + 1
    problems = list(_problems(body, first))
    if problems:
        raise UsageError("\n".join(f"{file}, {problem}" for problem in problems))
    return [(row[0].strip(), _key(row[1]), _key(row[2])) for row in body if any(row)]


def _problems(rows: Iterable[Sequence[str]], first: int) -> Iterable[str]:
    kinds = ", ".join(kind.value for kind in Kind)
    for number, row in enumerate(rows, first):
        if not any(row):
            continue
        if len(row) != len(HEADERS):
            yield f"line {number}: found {len(row)} columns; allowed: {', '.join(HEADERS)}"
        elif row[0].strip() not in set(Kind):
            yield f"line {number}: found kind {row[0]!r}; allowed: {kinds}"
        elif not _key(row[1]) or not _key(row[2]):
            yield f"line {number}: a key is blank"


def _key(cell: str) -> str:
    return cell.strip().removeprefix("'")


# -- what each row would do ------------------------------------------------------------------------


@dataclass
class Judge:
    """Judges rows in their order: one that contradicts a link, or a row before it, is refused."""

    store: Store
    _taken: dict[tuple[Kind, Side, str], str] = field(default_factory=dict)

    def judge(self, rows: Iterable[Pair]) -> list[PairView]:
        self._links = self.store.links()
        return [self._one(kind, ajera.strip(), crm.strip()) for kind, ajera, crm in rows]

    def _one(self, kind_text: str, ajera_key: str, crm_key: str) -> PairView:
        try:
            kind = Kind(kind_text.strip().casefold())
        except ValueError:
            why = f"{kind_text!r} is not a kind: firm, contact, project or employee"
            return PairView(kind_text, ajera_key, crm_key, state="refused", reason=why)
        keys = {Side.AJERA: ajera_key, Side.CRM: crm_key}
        names = {side: self._label(kind, side, key) for side, key in keys.items()}
        state, reason = self._state(kind, keys)
        if state == "new":
            for side, key in keys.items():
                self._taken[kind, side, key] = keys[side.other]
        return PairView(kind.value, ajera_key, crm_key, names[Side.AJERA], names[Side.CRM], state, reason)

    def _label(self, kind: Kind, side: Side, key: str) -> str:
        record = self.store.records(kind, side).get(key)
        return record.label if record else ""

    def _state(self, kind: Kind, keys: dict[Side, str]) -> tuple[str, str]:
        unread = []
        for side, key in keys.items():
            there, earlier = self._links.of(kind, side, key), self._taken.get((kind, side, key))
            partner = there.key(side.other) if there is not None else earlier
            if partner == keys[side.other]:
                return "known", "linked already" if there is not None else "stands in the file twice"
            if partner is not None:
                where = "already" if there is not None else "by an earlier row"
                return "refused", f"{key} of {side_name(side)} is linked with {partner} {where}"
            if key not in self.store.records(kind, side):
                if self.store.cursor(kind, side).whole:
                    return "refused", f"there is no {kind} {key!r} in {side_name(side)}"
                unread.append(side_name(side))
        return "new", f"not checked: {' and '.join(unread)} was not read whole yet" if unread else ""
