"""Code tables and project templates: read at once, taken as known for an hour (ajera-api 10.7, 11).

A project is made from its template as it is then; what is kept here only names the templates that can be chosen.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from core.ajera.client import AjeraClient, together
from core.ajera.names import REFERENCES
from core.ajera.wire import Project, ReferenceRow, read_key, validated
from core.ajera.writing import key_property, nests
from core.errors import AccessRefused
from core.http import Clock
from core.model.values import FieldType, Kind
from core.policy import FieldSpec
from core.ports import KNOWN_FOR, Shelf

SHELF: Final = "tables"


@dataclass(frozen=True)
class Tables:
    """Reference lists by key property (`ClientTypeKey`). `templates` maps a template's description to whether it
    loses phases where CreateProjects takes top phases only. `read_at` is the clock's monotonic time."""

    references: Mapping[str, Sequence[ReferenceRow]]
    templates: Sequence[tuple[str, bool]]
    read_at: float
    warnings: tuple[str, ...] = ()

    @property
    def overhead(self) -> dict[int, Decimal]:
        """Overhead percent by department."""
        rows = self.references.get("DepartmentKey", ())
        return {row.key: row.OverheadPercent for row in rows if row.OverheadPercent is not None}

    @property
    def template_names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.templates)

    @property
    def nesting_templates(self) -> frozenset[str]:
        """Templates that lose phases where CreateProjects takes top phases only."""
        return frozenset(name for name, nesting in self.templates if nesting)

    def codes(self, fields: Mapping[Kind, Sequence[FieldSpec]]) -> dict[tuple[Kind, str], tuple[str, ...]]:
        """Descriptions a coded field may be given: those of active rows."""
        found = {}
        for spec in (spec for specs in fields.values() for spec in specs if spec.on and spec.type is FieldType.CODE):
            rows = self.references.get(key_property(spec))
            if rows is not None:
                found[spec.kind, spec.name] = tuple(row.name for row in rows if row.active and row.name)
        return found


class TableReader:
    """Reads the tables when they are wanted and not known, or too old."""

    def __init__(self, client: AjeraClient, clock: Clock, shelf: Shelf | None = None) -> None:
        self._client = client
        self._clock = clock
        self._shelf = shelf
        self._tables: Tables | None = None
        self._lock = asyncio.Lock()

    async def known(self, max_age: float = KNOWN_FOR) -> Tables:
        async with self._lock:
            now = self._clock.monotonic()
            if self._tables is None:
                self._tables = self._from_shelf(now)
            if self._tables is None or now - self._tables.read_at >= max_age:
                self._tables = await self._read(now)
                self._to_shelf(self._tables)
            return self._tables

    def _from_shelf(self, now: float) -> Tables | None:
        kept = self._shelf.get(SHELF) if self._shelf else None
        if kept is None:
            return None
        try:
            body, age = kept
            references = {
                name: [ReferenceRow.model_validate(row) for row in rows] for name, rows in body["references"].items()
            }
            templates = [(str(name), bool(nesting)) for name, nesting in body["templates"]]
            return Tables(references, templates, now - age, tuple(body["warnings"]))
        except (
            KeyError,
            TypeError,
            ValueError,
            AttributeError,
        ):  # written by another version of this program: asked for again
            return None

    def _to_shelf(self, tables: Tables) -> None:
        if self._shelf is None:
            return
        names = ("key", "name", "Status", "OverheadPercent")
        rows = {
            name: [{each: _plain(getattr(row, each)) for each in names} for row in found]
            for name, found in tables.references.items()
        }
        templates = [list(template) for template in tables.templates]
        self._shelf.put(SHELF, {"references": rows, "templates": templates, "warnings": list(tables.warnings)})

    async def _read(self, now: float) -> Tables:
        """All reference lists at once. One that the API user may not read costs its field, not the run."""
        warnings: list[str] = []
        found = await together(self._reference(name, warnings) for name in REFERENCES)
        templates = await self._templates(warnings)
        references = {name: rows for name, rows in zip(REFERENCES, found, strict=True) if rows is not None}
        return Tables(references, templates, now, tuple(warnings))

    async def _reference(self, name: str, warnings: list[str]) -> list[ReferenceRow] | None:
        try:
            return await self._client.reference(REFERENCES[name])
        except AccessRefused as error:
            warnings.append(str(error))
            return None

    async def _templates(self, warnings: list[str]) -> list[tuple[str, bool]]:
        try:
            rows = await self._client.list_templates()
            keys = [key for row in rows if (key := read_key(row.get("ProjectTemplateKey")))]
            raws = await self._client.get_templates(keys) if keys else []
        except AccessRefused as error:
            warnings.append(str(error))
            return []
        shaped = (validated(Project, raw, "GetProjectTemplates") for raw in raws)
        return [(template.Description, nests(template)) for template in shaped]


def _plain(value: object) -> object:
    return str(value) if isinstance(value, Decimal) else value
