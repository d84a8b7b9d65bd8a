"""One tenant as it was found at connect time: catalogue, mapper, writer, and what the engine is told."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from core.crm.catalogue import (
    CONTACT_ROLES,
    EMPLOYEE_ROLES,
    Catalogue,
    Metadata,
    captions_of,
    catalogue_of,
    create_warnings,
    limits_of,
    needed_code_tables,
    stopped_fields,
)
from core.crm.client import CrmClient
from core.crm.codes import CodeTable
from core.crm.hubs import HUBS
from core.crm.mapping import Mapper
from core.crm.options import CrmOptions
from core.crm.query import Query, changed_since
from core.crm.replies import SIDE
from core.crm.wire import CodeRow, FieldMeta
from core.crm.writing import Writer
from core.errors import ListNotTrusted
from core.model.values import FieldType, Kind
from core.policy import FieldSpec
from core.ports import Connection

FAR_FUTURE: Final = timedelta(days=3650)
NOT_ENABLED: Final = (
    "Ajera synchronisation is not enabled in the CRM: it has no {missing}. "
    "Turn it on in the CRM under Utilities, Integrations, Ajera, or let this user see the Ajera fields"
)
_TICKS: Final = {"firm": "Sync to Ajera on firms", "project": "Sync to Ajera on projects"}


@dataclass(frozen=True)
class Tenant:
    """What calls need after connecting. `stopped` fields are not read and not written."""

    catalogue: Catalogue
    mapper: Mapper
    writer: Writer
    specs: Mapping[Kind, Sequence[FieldSpec]]
    stopped: Mapping[tuple[Kind, str], str]

    def spec(self, kind: Kind, name: str) -> FieldSpec | None:
        return next((spec for spec in self.specs[kind] if spec.name == name), None)


@dataclass(frozen=True)
class Answers:
    """What metadata and code tables answered; a code table that is not there is None."""

    metadata: Metadata
    codes: Mapping[str, tuple[CodeRow, ...] | None]

    def as_json(self) -> dict[str, Any]:
        """For the shelf: one program asks, the next ones need not."""
        return {
            "metadata": {
                kind.value: {
                    name: [[getattr(meta, each) for each in _META] for meta in table.values()]
                    for name, table in tables.items()
                }
                for kind, tables in self.metadata.items()
            },
            "codes": {
                name: None if rows is None else [[getattr(row, each) for each in _CODE] for row in rows]
                for name, rows in self.codes.items()
            },
        }

    @classmethod
    def from_json(cls, body: Any) -> Answers:
        """Raises KeyError, TypeError or ValueError for what another version of this program wrote."""
        metadata = {kind: {n: _table(rows) for n, rows in body["metadata"][kind.value].items()} for kind in HUBS}
        codes = {
            str(name): None
            if rows is None
            else tuple(CodeRow.model_construct(**dict(zip(_CODE, row, strict=True))) for row in rows)
            for name, rows in body["codes"].items()
        }
        return cls(metadata, codes)


_META: Final = tuple(FieldMeta.model_fields)
_CODE: Final = tuple(CodeRow.model_fields)


def _table(rows: Iterable[Sequence[Any]]) -> dict[str, FieldMeta]:
    # Built without being checked again: it was when it was read, and there are some thousand fields.
    fields = (FieldMeta.model_construct(**dict(zip(_META, row, strict=True))) for row in rows)
    return {meta.fieldname.lower(): meta for meta in fields}


async def ask_tenant(client: CrmClient, fields: Mapping[Kind, Sequence[FieldSpec]], options: CrmOptions) -> Answers:
    """Read metadata and the code tables that mapping needs."""
    tables = await asyncio.gather(*(client.metadata(hub.path) for hub in HUBS.values()))
    metadata = dict(zip(HUBS, tables, strict=True))
    names = _code_tables(metadata, fields, options)
    read = await asyncio.gather(*(client.code_table(name) for name in names))
    return Answers(metadata, dict(zip(names, read, strict=True)))


def tenant_of(
    answers: Answers, fields: Mapping[Kind, Sequence[FieldSpec]], options: CrmOptions
) -> tuple[Tenant, tuple[str, ...]] | None:
    """The tenant and sentences about code tables that are missing; None where the answers lack a table that the
    field map wants by now."""
    names = _code_tables(answers.metadata, fields, options)
    if not set(names) <= answers.codes.keys():
        return None
    codes = {name: CodeTable(rows) for name in names if (rows := answers.codes[name]) is not None}
    catalogue = catalogue_of(answers.metadata, options.mark_columns, codes)
    missing = tuple(f"The CRM has no code table {name}" for name in names if name not in codes)
    return _tenant(catalogue, _specs(fields), options), missing


def _specs(fields: Mapping[Kind, Sequence[FieldSpec]]) -> list[FieldSpec]:
    return [spec for kind in HUBS for spec in fields.get(kind, ()) if spec.on]


def _code_tables(
    metadata: Metadata, fields: Mapping[Kind, Sequence[FieldSpec]], options: CrmOptions
) -> tuple[str, ...]:
    return needed_code_tables(catalogue_of(metadata, options.mark_columns, {}), _specs(fields))


def _tenant(catalogue: Catalogue, specs: Sequence[FieldSpec], options: CrmOptions) -> Tenant:
    stopped = stopped_fields(catalogue, specs)
    usable = {
        kind: tuple(spec for spec in specs if spec.kind is kind and (kind, spec.name) not in stopped) for kind in HUBS
    }
    mapper = Mapper(catalogue, usable, options.quirks)
    return Tenant(catalogue, mapper, Writer(catalogue, mapper, options.quirks.project_contact_array), usable, stopped)


def connection_of(
    tenant: Tenant, options: CrmOptions, warnings: Sequence[str], clock_offset: float | None
) -> Connection:
    """What the engine is told of this tenant."""
    catalogue = tenant.catalogue
    specs = [spec for kind in HUBS for spec in tenant.specs[kind]]
    templates = catalogue.codes.get(catalogue.template_table())
    states, countries = catalogue.places.spellings()
    return Connection(
        SIDE,
        company=options.database,
        mark_columns=frozenset(_ticks(catalogue, options)),
        limits=limits_of(catalogue, specs),
        stopped=tenant.stopped,
        codes=_codes(tenant, specs),
        templates=templates.descriptions if templates else (),
        captions=captions_of(catalogue, specs),
        autonumbers=_autonumbers(options),
        takes_project_contacts=bool(options.quirks.team_contact_key and options.quirks.project_contact_array),
        clock_offset=clock_offset,
        warnings=(*_not_enabled(catalogue), *warnings, *create_warnings(catalogue, specs, options.defaults)),
        states=states,
        countries=countries,
    )


def _autonumbers(options: CrmOptions) -> frozenset[Kind]:
    """Kinds that the CRM numbers itself: a setting of the tenant that no call tells."""
    quirks = options.quirks
    numbered = {
        Kind.FIRM: quirks.autonumber_firm,
        Kind.PROJECT: quirks.autonumber_project,
        Kind.EMPLOYEE: quirks.autonumber_employee,
    }
    return frozenset(kind for kind, on in numbered.items() if on)


def _ticks(catalogue: Catalogue, options: CrmOptions) -> list[str]:
    """Ticks that the CRM keeps. A project contact's counts only where its row can be read and written."""
    quirks = options.quirks
    kept = [tick for tick in catalogue.marks if tick != "project_contact"]
    row = quirks.team_contact_key and quirks.team_shows_flag and quirks.project_contact_array
    if "project_contact" in catalogue.marks and row:
        kept.append("project_contact")
    return [*kept, "template"] if catalogue.template else kept


def _codes(tenant: Tenant, specs: Sequence[FieldSpec]) -> dict[tuple[Kind, str], tuple[str, ...]]:
    """Descriptions per coded field; `team_role` and `contact_role` are those of a project's lists."""
    codes = tenant.catalogue.codes
    found = {
        (spec.kind, spec.name): codes[tenant.catalogue.table_of(spec)].descriptions
        for spec in specs
        if spec.type is FieldType.CODE
    }
    roles = (("team_role", EMPLOYEE_ROLES), ("contact_role", CONTACT_ROLES))
    return found | {(Kind.PROJECT, name): codes[table].descriptions for name, table in roles if table in codes}


def _not_enabled(catalogue: Catalogue) -> list[str]:
    missing = [label for tick, label in _TICKS.items() if tick not in catalogue.marks]
    missing += [] if any(map(_is_total, catalogue.tables[Kind.PROJECT].values())) else ["Ajera Totals columns"]
    return [NOT_ENABLED.format(missing=", no ".join(missing))] if missing else []


def _is_total(meta: FieldMeta) -> bool:
    return meta.fieldname.lower().startswith("ajera") and meta.fieldtype.lower() != "checkbox"


async def probe_date_filter(client: CrmClient, now: datetime) -> datetime | None:
    """A far-future date must select nothing; the server's clock. Raises ListNotTrusted where the filter is ignored."""
    hub = HUBS[Kind.FIRM]
    query = Query((hub.key,), (changed_since(now + FAR_FUTURE),))
    rows, date = await client.some(hub.path, query, 1)
    if rows:
        raise ListNotTrusted(
            SIDE, "The CRM ignored the date filter: asked for firms changed after ten years from now, it sent some"
        )
    return date
