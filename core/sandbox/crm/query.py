"""Lists: filterHash, order, both paging forms and fieldFilter (contract sections 4 and 5), traps included."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Generic, TypeVar

from core.quirks.crm import CrmQuirks
from core.sandbox.crm.columns import Column
from core.sandbox.crm.replies import Refusal
from core.sandbox.crm.values import moment_of, stamp_text

R = TypeVar("R")
Read = Callable[[R], Any]
Test = Callable[[R], bool]

_FILTER = re.compile(r"^filterHash\[(\d+)\]\[(\w+)\]$", re.IGNORECASE)
_ZONE = re.compile(r"\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+\- ]\d\d:?\d\d)$", re.IGNORECASE)
_WORDS = {"eq": "=", "ne": "!=", "gt": ">", "lt": "<", "ge": ">=", "le": "<="}
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
    "<>": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


@dataclass(frozen=True, slots=True)
class Clause:
    """One ``filterHash[n]``; `bare` clauses have only a name and a value."""

    name: str
    value: str = ""
    opp: str = "="
    type: str = ""
    tablename: str = ""
    bare: bool = True


@dataclass(frozen=True, slots=True)
class Query:
    """What a list call asks for. `size` and `start` are rows, `page` counts from 1; None and 0 = not asked."""

    fields: tuple[str, ...] = ()
    clauses: tuple[Clause, ...] = ()
    order: tuple[tuple[str, bool], ...] = ()
    size: int | None = None
    start: int = 0
    page: int = 0
    wbstype: str = ""
    flags: dict[str, str] = field(default_factory=dict)


class SelectsNothingError(Exception):
    """A filter that the real server answers with an empty list and no error."""


def parse_query(pairs: Iterable[tuple[str, str]]) -> Query:
    """The query of decoded name-value pairs. Refusal 400 for sizes that are not whole numbers above zero."""
    hashes: dict[int, dict[str, str]] = {}
    plain: dict[str, str] = {}
    for name, value in pairs:
        match = _FILTER.match(name)
        if match:
            hashes.setdefault(int(match[1]), {})[match[2].lower()] = value
        else:
            plain[name.lower()] = value
    size, start, number = _window(plain)
    return Query(
        fields=tuple(part.strip() for part in plain.get("fieldfilter", "").split(",") if part.strip()),
        clauses=tuple(_clause(hashes[n]) for n in sorted(hashes)),
        order=tuple(_order(part.strip()) for part in plain.get("order", "").split(",") if part.strip()),
        size=size,
        start=start,
        page=number,
        wbstype=plain.get("wbstype", "").lower(),
        flags=plain,
    )


def _clause(parts: dict[str, str]) -> Clause:
    if not parts.get("name"):
        raise Refusal(400, "filterHash needs a name")
    return Clause(
        name=parts["name"],
        value=parts.get("value", ""),
        opp=parts.get("opp", "=").strip().lower() or "=",
        type=parts.get("type", "").lower(),
        tablename=parts.get("tablename", ""),
        bare=not set(parts) - {"name", "value"},
    )


def _order(part: str) -> tuple[str, bool]:
    """(column, descending): the suffix _D descends, a bare name ascends."""
    return (part[:-2], True) if part.endswith("_D") else (part, False)


def _window(plain: dict[str, str]) -> tuple[int | None, int, int]:
    """(rows asked, first row, page): page with pageSize, or offset with limit; q.maxrows is a cap on top."""
    sizes = {name: _whole(name, plain[name], 1) for name in ("pagesize", "limit", "q.maxrows") if name in plain}
    number = _whole("page", plain["page"], 1) if "page" in plain else 0
    offset = _whole("offset", plain["offset"], 0) if "offset" in plain else 0
    size, cap = sizes.get("pagesize", sizes.get("limit")), sizes.get("q.maxrows")
    if cap is not None:
        size = cap if size is None else min(size, cap)
    return size, offset, number


def _whole(name: str, text: str, least: int) -> int:
    if not text.strip().isdecimal() or int(text) < least:
        raise Refusal(400, f"The value '{text}' is not valid for {name}.")
    return int(text)


@dataclass(frozen=True)
class Selector(Generic[R]):
    """Applies a query to rows of one shape. `find` gives the column of a name, `read` a function that reads it."""

    quirks: CrmQuirks
    find: Callable[[str], Column | None]
    read: Callable[[Column], Read[R]]

    def select(self, rows: Iterable[R], query: Query) -> list[R]:
        """The rows that pass every filter, in order, not yet cut to a page."""
        self._check_fields(query)
        try:
            tests = [self._test(group) for group in _groups(query.clauses)]
        except SelectsNothingError:
            return []
        found = list(rows)
        for test in tests:
            found = [row for row in found if test(row)]
        return self._sorted(found, query.order)

    def _check_fields(self, query: Query) -> None:
        if self.quirks.unknown_column == "error":
            for name in query.fields:
                self._column(name)

    def _column(self, name: str) -> Column:
        column = self.find(name)
        if column is None:
            raise Refusal(int(self.quirks.business_status), f"Field {name} does not exist")
        return column

    def _sorted(self, rows: list[R], order: Sequence[tuple[str, bool]]) -> list[R]:
        for name, descending in reversed(order):
            # A column whose own name ends in _D is meant when there is no column without the suffix.
            column = self.find(name) or (self._column(f"{name}_D") if descending else self._column(name))
            read = self.read(column)
            rows.sort(key=lambda row, read=read: _sortable(read(row)), reverse=descending)  # type: ignore[misc] # a default binds the loop's value
        return rows

    def _test(self, group: Sequence[Clause]) -> Test[R]:
        if len(group) == 1:
            return self._single(group[0])
        column = self._column(group[0].name)
        if column.date:
            raise SelectsNothingError
        read = self.read(column)
        wanted = {_comparable(column, clause.value) for clause in group}
        return lambda row: _folded(read(row)) in wanted

    def _single(self, clause: Clause) -> Test[R]:
        column = self._column(clause.name)
        read, opp = self.read(column), self._operator(clause.opp)
        if column.date and clause.value:
            bound, compare = self._moment(clause), self._comparison(opp)
            return lambda row: bool(value := read(row)) and compare(value, bound)
        if opp == "like":
            return self._like(read, clause.value)
        if opp == "in":
            wanted = {_comparable(column, part.strip()) for part in clause.value.split(",")}
            return lambda row: _folded(read(row)) in wanted
        compare, bound = self._comparison(opp), _comparable(column, clause.value)
        if type(bound) is str and not column.numeric:
            return lambda row: compare(read(row).rstrip().lower(), bound)
        return lambda row: compare(_folded(read(row)), bound)

    def _operator(self, opp: str) -> str:
        if opp in _WORDS or opp == "in":
            if self.quirks.word_operators == "empty":
                raise SelectsNothingError
            if self.quirks.word_operators == "error":
                raise Refusal(500, f"Incorrect syntax near '{opp}'.")
        return _WORDS.get(opp, opp)

    def _comparison(self, opp: str) -> Callable[[Any, Any], bool]:
        if opp not in _COMPARE:
            raise Refusal(500, f"Incorrect syntax near '{opp}'.")
        return _COMPARE[opp]

    def _moment(self, clause: Clause) -> str:
        """The bound of a date filter as stored; without type or zone the server finds nothing (contract section 5)."""
        if self.quirks.date_needs_type and clause.type != "datetime":
            raise SelectsNothingError
        if self.quirks.date_needs_zone and not _ZONE.search(clause.value.strip()):
            raise SelectsNothingError
        try:
            # A plus sign that was not encoded arrives as a blank.
            moment: datetime = moment_of(re.sub(r" (\d\d:?\d\d)$", r"+\1", clause.value.strip()))
        except ValueError as error:
            raise SelectsNothingError from error
        return stamp_text(moment)

    def _like(self, read: Read[R], value: str) -> Test[R]:
        wanted = value.lower()
        if self.quirks.like_percent == "literal" or "%" not in wanted:
            return lambda row: wanted in str(read(row)).lower()
        # Still a substring match: the percent signs are gaps inside it, at its ends they say nothing new.
        pattern = re.compile(".*".join(re.escape(part) for part in wanted.strip("%").split("%")), re.DOTALL)
        return lambda row: pattern.search(str(read(row)).lower()) is not None


def _groups(clauses: Sequence[Clause]) -> list[list[Clause]]:
    """Clauses on one column with only a name and a value belong together as OR; all else combines as AND."""
    groups: dict[Any, list[Clause]] = {}
    for n, clause in enumerate(clauses):
        groups.setdefault(clause.name.lower() if clause.bare else n, []).append(clause)
    return list(groups.values())


def _comparable(column: Column, text: str) -> Any:
    if column.numeric and text.strip():
        try:
            return Decimal(text.strip())
        except InvalidOperation as error:
            raise Refusal(500, "Error converting data type varchar to numeric.") from error
    return text.rstrip().lower()


def _folded(value: Any) -> Any:
    """Text compares as the database's collation does: case and trailing blanks do not count."""
    return value.rstrip().lower() if isinstance(value, str) else value


def _sortable(value: Any) -> tuple[int, Any]:
    return (0, value.lower()) if isinstance(value, str) else (1, value)


def page(rows: list[R], query: Query, default: int, most: int) -> list[R]:
    """The rows of the asked window; `default` and `most` as the quirks say, 0 = no limit.

    Pages are stepped by the size that was asked for, also where fewer rows than asked are sent: a client that asks
    for more than the most loses rows, which is the trap of an unknown maximum.
    """
    asked = query.size if query.size is not None else default or None
    start = (query.page - 1) * asked if query.page and asked else query.start
    size = most if most and (asked is None or asked > most) else asked
    return rows[start:] if size is None else rows[start : start + size]
