"""What the settings say about one CRM tenant, as far as this room needs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.model.values import Kind
from core.quirks.crm import CrmQuirks


@dataclass(frozen=True, slots=True)
class CrmOptions:
    """`database` names the tenant. `mark_columns` names columns where metadata does not tell them: "contact",
    "project_contact", "template", "firm", "project"; an empty name says there is none. `defaults` are columns
    set on create, per kind (Org, Type, BudgetedFlag...). `batch` is how many keys one call reads."""

    database: str = ""
    mark_columns: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[Kind, Mapping[str, str]] = field(default_factory=dict)
    quirks: CrmQuirks = field(default_factory=CrmQuirks)
    batch: int = 25
