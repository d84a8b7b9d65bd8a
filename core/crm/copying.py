"""What a copy of a CRM tenant needs beside its records: the code tables behind the mapped columns."""

from __future__ import annotations

from dataclasses import dataclass

from core.crm.catalogue import CONTACT_ROLES, COUNTRIES, EMPLOYEE_ROLES, STATES
from core.crm.system import CrmSystem
from core.model.values import FieldType, Kind


@dataclass(frozen=True)
class Codes:
    """Rows (Code, Description, Status, Country) by what they are for: a table of the vendor by its name, a mapped
    column by kind and column, the list of Ajera Project Templates by itself."""

    tables: dict[str, list[dict[str, str]]]
    columns: dict[tuple[Kind, str], list[dict[str, str]]]
    templates: list[dict[str, str]]


async def codes_of(system: CrmSystem) -> Codes:
    """The tenant's codes. Reads only, and nothing that connecting has not read."""
    tenant = await system._ready()  # noqa: SLF001  one room
    catalogue = tenant.catalogue
    rows = {
        name: [
            {"Code": row.code, "Description": row.description, "Status": row.status or "A", "Country": row.country}
            for row in table.rows
        ]
        for name, table in catalogue.codes.items()
    }
    vendor = {name: rows[name] for name in (STATES, COUNTRIES, EMPLOYEE_ROLES, CONTACT_ROLES) if name in rows}
    coded = [spec for specs in tenant.specs.values() for spec in specs if spec.type is FieldType.CODE]
    columns = {(spec.kind, spec.crm): rows.get(catalogue.table_of(spec), []) for spec in coded}
    return Codes(vendor, columns, rows.get(catalogue.template_table(), []))
