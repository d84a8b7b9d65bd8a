"""What a copy of an Ajera database needs beside its records: reference lists and project templates, as read."""

from __future__ import annotations

from core.ajera.client import AjeraClient, rows_of, together
from core.ajera.names import REFERENCES
from core.ajera.wire import Raw, read_key
from core.errors import AccessRefused


async def lists_of(client: AjeraClient) -> dict[str, list[Raw]]:
    """Rows by key property (`ClientTypeKey`), templates under `ProjectTemplateKey`. A list that the API user may not
    read is empty. Reads only."""
    rows = await together(_reference(client, name) for name in REFERENCES)
    found = dict(zip(REFERENCES, rows, strict=True))
    return {**found, "ProjectTemplateKey": await _templates(client)}


async def _reference(client: AjeraClient, name: str) -> list[Raw]:
    reference = REFERENCES[name]
    try:
        answer = await client.call(reference.method, {}, reading=True)
        return rows_of(answer.content, reference.content, reference.method)
    except AccessRefused:
        return []


async def _templates(client: AjeraClient) -> list[Raw]:
    try:
        rows = await client.list_templates()
        keys = [key for row in rows if (key := read_key(row.get("ProjectTemplateKey")))]
        return await client.get_templates(keys) if keys else []
    except AccessRefused:
        return []
