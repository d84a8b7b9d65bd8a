"""The FilterBy... arguments of the List methods (contract 6.2)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from core.sandbox.ajera.call import INVALID_DATA, Call, Refused, is_int
from core.sandbox.ajera.data import Record
from core.sandbox.ajera.stamps import FilterDate, read_filter_date

Test = Callable[[int, Record], bool]
Filter = Callable[[Call, Any], Test | None]


def select(call: Call, table: str, filters: Mapping[str, Filter]) -> Iterable[tuple[int, Record]]:
    """The records that pass every filter of the call (AND). Unknown filter names have no effect (contract 3.1)."""
    tests = build(call, filters)
    rows = call.data.tables[table].items()
    if not tests:
        return rows
    return [(key, record) for key, record in rows if all(test(key, record) for test in tests)]


def build(call: Call, filters: Mapping[str, Filter]) -> list[Test]:
    tests: list[Test] = []
    for name, value in call.args.items():
        if name not in filters:
            if call.quirks.unknown_filter == "error":
                raise Refused(INVALID_DATA)
            continue
        test = None if value is None else filters[name](call, value)
        if test is not None:
            tests.append(test)
    return tests


def one_of(prop: str) -> Filter:
    """A text array such as FilterByStatus; the case does not count (contract 6.2)."""

    def make(_call: Call, value: Any) -> Test:
        wanted = {text.casefold() for text in _array(value, str)}
        return lambda _key, record: record[prop].casefold() in wanted

    return make


def key_in(prop: str, *, absent_matches: bool = False) -> Filter:
    """An int array; null in it selects records without the key when the quirk says so.

    `absent_matches`: a record without company belongs to every company.
    """

    def make(call: Call, value: Any) -> Test:
        if not isinstance(value, list) or not all(v is None or is_int(v) for v in value):
            raise Refused(INVALID_DATA)
        wanted = set(value)
        if call.quirks.null_type_filter == "nothing":
            wanted.discard(None)
        if absent_matches:
            wanted.add(None)
        return lambda _key, record: record[prop] in wanted

    return make


def flag_in(prop: str) -> Filter:
    """A bool array such as FilterBySyncToCRM."""

    def make(_call: Call, value: Any) -> Test:
        wanted = set(_array(value, bool))
        return lambda _key, record: record[prop] in wanted

    return make


def like(*props: str) -> Filter:
    """LIKE: a substring of one of the properties, whatever its case."""

    def make(_call: Call, value: Any) -> Test:
        text = _text(value).casefold()
        return lambda _key, record: any(text in record[prop].casefold() for prop in props)

    return make


def like_name(*parts: str) -> Filter:
    """LIKE on the parts of a name joined by spaces."""

    def make(_call: Call, value: Any) -> Test:
        text = " ".join(_text(value).casefold().split())
        return lambda _key, record: text in " ".join(record[p] for p in parts if record[p]).casefold()

    return make


def equals(prop: str) -> Filter:
    """Equality as a database with its usual collation sees it: the case does not count."""

    def make(_call: Call, value: Any) -> Test:
        text = _text(value).casefold()
        return lambda _key, record: record[prop].casefold() == text

    return make


def earliest(table: str) -> Filter:
    """FilterByEarliestModifiedDate."""

    def make(call: Call, value: Any) -> Test | None:
        read = _read(call, value)
        if read is None:
            return None
        bound = _day_start(call, read.moment) if call.quirks.date_filter == "day" else read.moment
        stamps = call.data.stamps[table]
        if call.quirks.date_bounds == "inclusive":
            return lambda key, _record: stamps[key] >= bound
        return lambda key, _record: stamps[key] > bound

    return make


def latest(table: str) -> Filter:
    """FilterByLatestModifiedDate; a bare date means the whole day, or its first moment, as the quirk says."""

    def make(call: Call, value: Any) -> Test | None:
        read = _read(call, value)
        if read is None:
            return None
        stamps = call.data.stamps[table]
        day_wise = call.quirks.date_filter == "day"
        if day_wise or (read.day_only and call.quirks.date_latest_day == "whole"):
            after = _day_start(call, read.moment, days=1)
            return lambda key, _record: stamps[key] < after
        bound = read.moment
        if call.quirks.date_bounds == "inclusive":
            return lambda key, _record: stamps[key] <= bound
        return lambda key, _record: stamps[key] < bound

    return make


def modified(table: str) -> dict[str, Filter]:
    return {"FilterByEarliestModifiedDate": earliest(table), "FilterByLatestModifiedDate": latest(table)}


def _read(call: Call, value: Any) -> FilterDate | None:
    read = read_filter_date(_text(value), _zone(call))
    if read is None:
        if call.quirks.date_unreadable == "error":
            raise Refused(INVALID_DATA)
        return None
    if read.returned_form and call.quirks.date_returned_form != "accept":
        if call.quirks.date_returned_form == "error":
            raise Refused(INVALID_DATA)
        return None
    return read


def _zone(call: Call) -> str:
    return call.data.zone if call.quirks.date_zone == "server" else "UTC"


def _day_start(call: Call, moment: datetime, days: int = 0) -> datetime:
    local = moment.astimezone(ZoneInfo(_zone(call))).replace(hour=0, minute=0, second=0, microsecond=0)
    return (local + timedelta(days=days)).astimezone(UTC)


def _array(value: Any, kind: type) -> list[Any]:
    if not isinstance(value, list) or not all(isinstance(v, kind) for v in value):
        raise Refused(INVALID_DATA)
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise Refused(INVALID_DATA)
    return value
