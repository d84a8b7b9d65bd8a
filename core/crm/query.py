"""List queries: filterHash, order and the columns wanted (contract sections 4 and 5). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Clause:
    """One filterHash. Without `op` it is bare: bare clauses on one column combine as OR, others as AND."""

    name: str
    value: str
    op: str = ""
    type: str = ""


@dataclass(frozen=True, slots=True)
class Query:
    """What a list call asks for. Scans always name their columns: a firm row has 120 (section 4)."""

    fields: tuple[str, ...]
    clauses: tuple[Clause, ...] = ()
    order: str = ""

    def where(self, *clauses: Clause) -> Query:
        return replace(self, clauses=(*self.clauses, *clauses))


def equals(name: str, value: str) -> Clause:
    return Clause(name, value, "=")


def any_of(name: str, values: Iterable[str]) -> tuple[Clause, ...]:
    """Clauses that select any of the values: same column, name and value only (section 5)."""
    return tuple(Clause(name, value) for value in values)


def changed_since(moment: datetime, name: str = "ModDate") -> Clause:
    """ModDate at or after a moment. Type and zone are always there: without them the server answers an
    empty list and no error (section 5)."""
    return Clause(name, zulu(moment), ">=", "datetime")


def zulu(moment: datetime) -> str:
    """`YYYY-MM-DDThh:mm:ss.fffZ`, rounded down to the millisecond."""
    utc = moment.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"


def moment_of(text: str) -> datetime | None:
    """The moment of a stamp; one without a zone is UTC (section 6). None for what is no stamp."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def parameters(query: Query, limit: int | None = None, offset: int = 0) -> list[tuple[str, str]]:
    """The query as name and value pairs, not yet encoded."""
    pairs = [("fieldFilter", ",".join(query.fields))] if query.fields else []
    if query.order:
        pairs.append(("order", query.order))
    if limit is not None:
        pairs += [("limit", str(limit)), ("offset", str(offset))]
    return pairs + _filters(query.clauses)


def _filters(clauses: Sequence[Clause]) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for n, clause in enumerate(clauses):
        parts = {"name": clause.name, "value": clause.value}
        if clause.type:
            parts["type"] = clause.type
        if clause.op:
            parts |= {"opp": clause.op, "condition": "AND", "seq": str(n)}
        pairs += [(f"filterHash[{n}][{part}]", value) for part, value in parts.items()]
    return pairs
