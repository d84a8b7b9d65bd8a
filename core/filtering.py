"""The filter language, as a value: text in, a query out, rows tested on strings folded once. Pure.

    acme supplies          both words somewhere in the record, whatever case and accents
    "acme supplies"        these words in a row
    owner:jones            the field holds it; owner:"j. jones" with spaces; owner:=jones is exactly it; owner:"" is blank
    !draft  -state:closed  not that

A query that only adds to another one narrows it, so the next letter tests the rows that were left.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from core.text import fold, safe_line

Row = TypeVar("Row")

_TOKEN: Final = re.compile(
    r'(?P<no>!|-(?=[^\W\d]\w*:))?(?:(?P<field>[^\W\d]\w*):)?(?P<exact>(?<=:)=)?(?:"(?P<quoted>[^"]*)(?P<closed>"?)|(?P<word>\S*))'
)


@dataclass(frozen=True, slots=True)
class Term:
    """One condition: folded text, the field it is asked of (None: anywhere), whether it must be absent."""

    text: str
    field: str | None = None
    negated: bool = False
    exact: bool = False

    def holds(self, value: str) -> bool:
        """Whether the condition is true of a folded value."""
        found = value == self.text if self.exact else self.text in value
        return found != self.negated

    def implies(self, other: Term) -> bool:
        """Whether every row that fulfils this one fulfils the other."""
        if self == other:
            return True
        if self.field != other.field or self.negated or other.negated or other.exact:
            return False
        return other.text in self.text


@dataclass(frozen=True, slots=True)
class Query:
    """A compiled filter. With an `error` (said in words) it must not be applied: the view stays as it was."""

    source: str = ""
    terms: tuple[Term, ...] = ()
    error: str = ""

    @property
    def empty(self) -> bool:
        """Whether every row passes."""
        return not self.terms

    def narrows(self, earlier: Query) -> bool:
        """Whether what this one finds is a part of what the earlier one found."""
        return all(any(mine.implies(theirs) for mine in self.terms) for theirs in earlier.terms)

    def select(
        self,
        order: Iterable[int],
        searches: Sequence[str],
        rows: Sequence[Row],
        fields: Mapping[str, Callable[[Row], str]],
    ) -> list[int]:
        """The indexes of `order` that pass, in that order. `searches[i]` is row i's folded string.

        Words first, over the folded strings, then fields of the rows that are left.
        """
        left: Iterable[int] = order
        for term in self.terms:
            if term.field is None:
                left = _by_word(left, searches, term)
        for term in self.terms:
            if term.field is not None:
                left = _by_field(left, rows, fields[term.field], term)
        return left if isinstance(left, list) else list(left)


def _by_word(order: Iterable[int], searches: Sequence[str], term: Term) -> list[int]:
    text = term.text
    if term.negated:
        return [i for i in order if text not in searches[i]]
    return [i for i in order if text in searches[i]]


def _by_field(order: Iterable[int], rows: Sequence[Row], get: Callable[[Row], str], term: Term) -> list[int]:
    known: dict[str, bool] = {}  # thousands of rows hold the same few words
    found = []
    for i in order:
        text = get(rows[i])
        passes = known.get(text)
        if passes is None:
            passes = known[text] = term.holds(fold(text))
        if passes:
            found.append(i)
    return found


def parse_query(text: str, fields: Iterable[str] = ()) -> Query:
    """Compile what was typed so far. Half-typed parts ("owner:", an open quote) are no errors."""
    known = list(fields)
    terms: list[Term] = []
    for match in _tokens(text):
        term = _term(match)
        if term is None:
            continue
        if term.field is not None and term.field not in known:
            return Query(text, (), _unknown_field(term.field, known))
        terms.append(term)
    return Query(text, tuple(terms))


def _tokens(text: str) -> Iterable[re.Match[str]]:
    place = 0
    while place < len(text):
        if text[place].isspace():
            place += 1
            continue
        match = _TOKEN.match(text, place)
        if match is None or match.end() == place:
            place += 1
            continue
        yield match
        place = match.end()


def _term(match: re.Match[str]) -> Term | None:
    """None for what says nothing yet: a lone "!", "owner:" before its value, an empty quote."""
    field = match["field"]
    quoted = match["quoted"]
    value = fold(quoted if quoted is not None else match["word"] or "")
    exact = bool(match["exact"]) or (field is not None and quoted == "" and bool(match["closed"]))
    if not value and not (exact and field is not None and quoted is not None):
        return None
    return Term(value, field.lower() if field else None, bool(match["no"]), exact)


def _unknown_field(name: str, known: list[str]) -> str:
    shown = safe_line(name, 30)
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}:" if near else f"fields are {', '.join(known)}" if known else "there are no fields"
    return f'no field "{shown}" here; {hint} (put the text in quotes to search for it)'


def search_string(parts: Iterable[object]) -> str:
    """One folded string of a record, made once when it is loaded; parts cannot match across their border."""
    return fold("\x1f".join(str(part) for part in parts if part not in (None, "")))
