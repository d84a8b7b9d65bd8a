"""The columns of one tenant as they are named on the wire: profile, Ajera integration and quirks decide."""

from __future__ import annotations

from core.quirks.crm import CrmQuirks
from core.sandbox.crm.codetables import TEMPLATE_TABLE
from core.sandbox.crm.columns import Column
from core.sandbox.crm.data import CrmData

_CODED_TEMPLATE = "@template"


class Dialect:
    """Wire name -> column, per table. A column's own `name` is the one it is stored under."""

    def __init__(self, data: CrmData, quirks: CrmQuirks) -> None:
        self.data, self.quirks = data, quirks
        self._renamed = {
            ("contact", "AjeraSync"): quirks.firm_contact_flag,
            ("project_contact", "AjeraSync"): quirks.project_contact_flag,
            ("project", "ProjectTemplate"): quirks.template_field,
        }
        self._cache: dict[str, tuple[int, dict[str, Column]]] = {}
        if quirks.custom_marker:
            for table in ("firm", "contact", "project"):
                data.declare(table, f"{quirks.custom_marker} | String | 50 | Ajera Key")

    def columns(self, table: str) -> dict[str, Column]:
        """The columns that exist in this tenant, by wire name, in the table's order."""
        customs = len(self.data.custom[table])
        cached = self._cache.get(table)
        if cached is None or cached[0] != customs:
            found = {self.wire_name(table, c): c for c in self.data.columns(table).values() if self._exists(c)}
            found.pop("", None)
            cached = self._cache[table] = (customs, found)
        return cached[1]

    def wire_name(self, table: str, column: Column) -> str:
        """The name on the wire; empty when the tenant has no such column."""
        return self._renamed.get((table, column.name), column.name)

    def find(self, table: str, name: str) -> Column | None:
        """The column of a wire name in any case: names in queries are not case-sensitive."""
        columns = self.columns(table)
        if name in columns:
            return columns[name]
        wanted = name.lower()
        return next((column for wire, column in columns.items() if wire.lower() == wanted), None)

    def code_table_of(self, column: Column) -> str:
        """The code table of a column as metadata names it."""
        return self.quirks.template_code_table if column.code_table == _CODED_TEMPLATE else column.code_table

    def stored_code_table(self, wire: str) -> str:
        """The name under which a code table is kept."""
        return TEMPLATE_TABLE if wire == self.quirks.template_code_table else wire

    def _exists(self, column: Column) -> bool:
        if column.ajera and not self.quirks.ajera_columns:
            return False
        return column.profile in ("", self.data.profile)
