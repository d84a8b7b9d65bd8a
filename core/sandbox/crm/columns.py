"""What a column of the emulated CRM is, and a compact notation to write three hundred of them down.

One line of the notation is ``Name | FieldType | size | caption | options``. Field types are those of the metadata
reference (contract section 13). Options: ``req`` system-required, ``ro`` not writable, ``calc`` computed on reading,
``code=TABLE`` checked against a code table, ``def=VALUE`` default, ``fk=TABLE`` names a row of another table,
``vp`` / ``dps`` present in one profile only, ``ajera`` present only while the Ajera integration is enabled,
``key`` part of the key, ``dec=N`` decimals, ``secret`` personal data.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

NUMERIC_TYPES = frozenset({"Numeric", "Currency"})
DATE_TYPES = frozenset({"Date", "Datetime"})
STAMPS = """
CreateUser | String | 20 | Created By | ro
CreateDate | Datetime | 0 | Created | ro
ModUser | String | 20 | Modified By | ro
ModDate | Datetime | 0 | Modified | ro
"""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, metadata type, size (0 = not limited), caption and rules."""

    name: str
    type: str
    size: int = 0
    caption: str = ""
    required: bool = False
    readonly: bool = False
    computed: bool = False
    key: bool = False
    code_table: str = ""
    refers_to: str = ""
    default: Any = ""
    decimals: int = 0
    profile: str = ""
    ajera: bool = False
    custom: bool = False
    secret: bool = False

    @property
    def numeric(self) -> bool:
        return self.type in NUMERIC_TYPES

    @property
    def date(self) -> bool:
        return self.type in DATE_TYPES

    @property
    def flag(self) -> bool:
        return self.type == "Checkbox"

    @property
    def not_null(self) -> bool:
        """Flags and numbers are NOT NULL columns: an empty string is refused (contract section 3)."""
        return self.flag or self.numeric


@dataclass(frozen=True, slots=True)
class TableSpec:
    """One table: the name used here, the database's name, the name error texts use, its key columns and columns."""

    name: str
    db: str
    label: str
    keys: tuple[str, ...]
    columns: dict[str, Column] = field(repr=False)

    @property
    def defaults(self) -> dict[str, Any]:
        return {c.name: c.default for c in self.columns.values() if not c.computed}


def _default(kind: str, raw: str | None, decimals: int) -> Any:
    if kind == "Checkbox":
        return raw or "N"
    if kind in NUMERIC_TYPES:
        return Decimal(raw or 0) if decimals else int(raw or 0)
    return raw or ""


def parse_column(line: str, *, custom: bool = False) -> Column:
    """One line of the notation as a Column."""
    name, kind, size, caption, options = [part.strip() for part in f"{line} | | | |".split("|")[:5]]
    words = options.split()
    given = dict(word.split("=", 1) for word in words if "=" in word)
    default = given.get("def")
    decimals = int(given.get("dec", "4" if kind == "Currency" else "0"))
    return Column(
        name=name,
        type=kind,
        size=int(size or 0),
        caption=caption or name,
        required="req" in words,
        readonly="ro" in words or "calc" in words,
        computed="calc" in words,
        key="key" in words,
        code_table=given.get("code", ""),
        refers_to=given.get("fk", ""),
        default=_default(kind, default.replace("_", " ") if default else default, decimals),
        decimals=decimals,
        profile="vantagepoint" if "vp" in words else "dps1" if "dps" in words else "",
        ajera="ajera" in words,
        custom=custom,
        secret="secret" in words,
    )


def parse_columns(text: str) -> Iterable[Column]:
    """Every non-empty line of the notation."""
    return (parse_column(line) for line in text.splitlines() if line.strip())


def table(name: str, db: str, label: str, keys: tuple[str, ...], text: str) -> TableSpec:
    """A table from its columns in the notation; the four stamps are added (contract section 6)."""
    return TableSpec(name, db, label, keys, {c.name: c for c in parse_columns(text + STAMPS)})
