"""Code tables: code to description and back, states and countries among them (contract section 13). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from core.crm.wire import CodeRow
from core.text import fold

# Spellings people use for a country whose row of CFGCountry is called otherwise.
_SAME_COUNTRY: Final = (
    ("us", "usa", "u.s.", "u.s.a.", "united states", "united states of america"),
    ("gb", "uk", "u.k.", "great britain", "united kingdom"),
)


class CodeTable:
    """One code table. Codes and descriptions are found without case, active rows before old ones."""

    def __init__(self, rows: Iterable[CodeRow]) -> None:
        self.rows = sorted(rows, key=lambda row: row.status.upper() == "I")  # stable: active first
        self._by_code = _index((row.code, row) for row in self.rows)
        self._by_text = _index((row.description, row) for row in self.rows)

    @property
    def descriptions(self) -> tuple[str, ...]:
        """What a field of this table may hold, inactive codes left out."""
        active = (row for row in self.rows if row.status.upper() != "I")
        return tuple(dict.fromkeys(row.description or row.code for row in active))

    def describe(self, code: str) -> str:
        """The description of a code; the code itself where the table does not know it or says nothing."""
        row = self._by_code.get(fold(code.strip()))
        return (row.description or row.code) if row else code

    def code_of(self, text: str) -> str | None:
        """The code of a description (or of a code); None where the table has neither."""
        wanted = fold(text.strip())
        row = self._by_text.get(wanted) or self._by_code.get(wanted)
        return row.code if row else None


class Places:
    """States and countries as the tables spell them, whatever spelling comes in."""

    def __init__(self, states: CodeTable | None, countries: CodeTable | None) -> None:
        self._states = states
        self._countries = countries

    def state(self, text: str) -> str | None:
        """The state's code ("TX"); None where the table does not know it. Without a table, as given."""
        return _found(self._states, text)

    def country_code(self, text: str) -> str | None:
        """The country's code; None where the table does not know it in any usual spelling."""
        if self._countries is None or not text.strip():
            return text.strip()
        for spelling in _spellings(text):
            code = self._countries.code_of(spelling)
            if code is not None:
                return code
        return None

    def country(self, text: str) -> str | None:
        """The country's name as the table has it ("United States")."""
        code = self.country_code(text)
        return self._countries.describe(code) if code and self._countries else code

    def spellings(self) -> tuple[Mapping[str, str], Mapping[str, str]]:
        """Every usual spelling of a state and of a country, folded, and the code it stands for."""
        countries = _spelled(self._countries)
        for group in _SAME_COUNTRY:
            code = next((countries[text] for text in group if text in countries), None)
            countries |= dict.fromkeys(group, code) if code else {}
        return _spelled(self._states), countries


def _spelled(table: CodeTable | None) -> dict[str, str]:
    rows = table.rows if table else ()
    return {fold(text.strip()): row.code for row in reversed(rows) for text in (row.code, row.description) if text}


def _found(table: CodeTable | None, text: str) -> str | None:
    return text.strip() if table is None or not text.strip() else table.code_of(text)


def _spellings(text: str) -> tuple[str, ...]:
    wanted = fold(text.strip())
    same = next((group for group in _SAME_COUNTRY if wanted in group), ())
    return (text, *same)


def _index(pairs: Iterable[tuple[str, CodeRow]]) -> dict[str, CodeRow]:
    index: dict[str, CodeRow] = {}
    for text, row in pairs:
        if text.strip():
            index.setdefault(fold(text.strip()), row)
    return index
