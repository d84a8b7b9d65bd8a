"""Code tables and project templates: read at once, taken as known for ten minutes (ajera-api 10.7, 11)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from core.ajera.client import AjeraClient, together
from core.ajera.names import REFERENCES
from core.ajera.wire import Project, Raw, ReferenceRow, read_key, read_text, validated
from core.ajera.writing import key_property, nests
from core.errors import AccessRefused
from core.http import Clock
from core.model.values import FieldType, Kind
from core.policy import FieldSpec

REFERENCE_AGE: Final = 600.0  # seconds


@dataclass(frozen=True)
class Tables:
    """Reference lists by key property (`ClientTypeKey`), and templates in full by key."""

    references: Mapping[str, Sequence[ReferenceRow]]
    templates: Mapping[int, Raw]
    read_at: float
    warnings: tuple[str, ...] = ()

    @property
    def overhead(self) -> dict[int, Decimal]:
        """Overhead percent by department."""
        rows = self.references.get("DepartmentKey", ())
        return {row.key: row.OverheadPercent for row in rows if row.OverheadPercent is not None}

    @property
    def template_names(self) -> tuple[str, ...]:
        return tuple(read_text(raw.get("Description")) for raw in self.templates.values())

    @property
    def nesting_templates(self) -> frozenset[str]:
        """Templates that lose phases where CreateProjects takes top phases only."""
        shaped = (validated(Project, raw, "GetProjectTemplates") for raw in self.templates.values())
        return frozenset(template.Description for template in shaped if nests(template))

    def codes(self, fields: Mapping[Kind, Sequence[FieldSpec]]) -> dict[tuple[Kind, str], tuple[str, ...]]:
        """Descriptions a coded field may be given: those of active rows."""
        found = {}
        for spec in (spec for specs in fields.values() for spec in specs if spec.on and spec.type is FieldType.CODE):
            rows = self.references.get(key_property(spec))
            if rows is not None:
                found[spec.kind, spec.name] = tuple(row.name for row in rows if row.active and row.name)
        return found


class TableReader:
    """Reads the tables when they are wanted and older than REFERENCE_AGE."""

    def __init__(self, client: AjeraClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._tables: Tables | None = None
        self._lock = asyncio.Lock()

    async def known(self) -> Tables:
        async with self._lock:
            now = self._clock.monotonic()
            if self._tables is None or now - self._tables.read_at > REFERENCE_AGE:
                self._tables = await self._read(now)
            return self._tables

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

    async def _templates(self, warnings: list[str]) -> dict[int, Raw]:
        try:
            rows = await self._client.list_templates()
            keys = [key for row in rows if (key := read_key(row.get("ProjectTemplateKey")))]
            raws = await self._client.get_templates(keys) if keys else []
        except AccessRefused as error:
            warnings.append(str(error))
            return {}
        return {key: raw for raw in raws if (key := read_key(raw.get("ProjectTemplateKey")))}
