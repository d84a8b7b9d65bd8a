"""A stored row: only what differs from the column's default is kept, yet every column can be read.

A firm has about 95 columns and a project 120; a full dict for each of 100,000 records would take most of a gigabyte.
"""

from __future__ import annotations

from typing import Any


class Row(dict[str, Any]):
    """A row of one table. ``row[name]`` and ``row.get(name)`` fall back on the table's defaults."""

    __slots__ = ("defaults",)

    def __init__(self, defaults: dict[str, Any], values: dict[str, Any]) -> None:
        self.defaults = defaults
        super().__init__((name, value) for name, value in values.items() if defaults.get(name) != value)

    def __missing__(self, name: str) -> Any:
        return self.defaults[name]

    def get(self, name: str, default: Any = None) -> Any:
        return self[name] if name in self.defaults or name in self else default

    def full(self) -> dict[str, Any]:
        """Every stored column with its value."""
        return {**self.defaults, **self}

    def with_changes(self, changes: dict[str, Any]) -> Row:
        """A new row with some values replaced."""
        return Row(self.defaults, {**self, **changes})
