"""What doctor looks at in the CRM beyond what connecting tells: who saved records lately. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from core.crm.client import CrmClient
from core.crm.hubs import HUBS
from core.crm.query import Query, moment_of
from core.crm.wire import text_of
from core.model.values import Kind

LOOKED_AT: Final = 200  # newest records of a hub


@dataclass(frozen=True, slots=True)
class Save:
    """The last save of one record: by whom, when (UTC)."""

    kind: Kind
    user: str
    at: datetime


async def recent_saves(client: CrmClient) -> tuple[Save, ...]:
    """The last save of the newest firms, contacts, projects and employees."""
    found: list[Save] = []
    for kind, hub in HUBS.items():
        query = Query((hub.key, "ModDate", "ModUser"), order="ModDate_D")
        rows, _ = await client.some(hub.path, query, LOOKED_AT)
        for row in rows:
            moment = moment_of(text_of(row.get("ModDate")))
            if moment is not None:
                found.append(Save(kind, text_of(row.get("ModUser")).strip(), moment))
    return tuple(found)
