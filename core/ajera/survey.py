"""What doctor looks at in Ajera beyond what connecting tells: rights per method, the office's zone, traces of Deltek's
own synchronisation. Reads only."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeVar

from core.ajera.client import AjeraClient
from core.ajera.names import ENTITIES, REFERENCES
from core.ajera.wire import Raw, read_flag, read_key, read_stamp, read_text
from core.errors import AccessRefused, RecordRefused
from core.model.values import Kind

T = TypeVar("T")
RECENT: Final = timedelta(days=30)
LOOKED_AT: Final = 50  # records of a kind
WRITES: Final = ("UpdateClients", "UpdateContacts", "UpdateProjects", "CreateProjects")


@dataclass(frozen=True, slots=True)
class AjeraSurvey:
    """`rights`: method to why it cannot be used, empty where it can. `offset`: of the stamps Ajera writes.
    `final_syncs`: projects that changed lately and carry CRMFinalSync. `employee_types`: their names."""

    rights: Mapping[str, str]
    offset: timedelta | None = None
    final_syncs: int = 0
    employee_types: tuple[str, ...] = ()
    untried: tuple[str, ...] = WRITES


async def survey(client: AjeraClient, now: datetime) -> AjeraSurvey:
    """Raises Unreachable and LoginRefused; what the user may not do is in `rights`."""
    rights: dict[str, str] = {}
    recent = f"{(now - RECENT).date()}"
    samples: dict[Kind, list[Raw]] = {}
    for kind, entity in ENTITIES.items():
        listed = await _tried(rights, entity.list_method, client.rows(kind, {"FilterByEarliestModifiedDate": recent}))
        keys = [key for row in (listed[0] if listed else []) if (key := read_key(row.get(entity.key)))]
        wanted = keys[-LOOKED_AT:] or [1]  # a key that is not there is left out, or refused: both show the right
        rows = await _tried(rights, entity.get_method, client.records(kind, wanted)) or []
        samples[kind] = rows if keys else []
    types = await _tried(rights, "ListEmployeeTypes", client.reference(REFERENCES["EmployeeTypeKey"])) or []
    await _others(client, rights, samples[Kind.PROJECT], now)
    final = [row for row in samples[Kind.PROJECT] if read_flag(row.get("CRMFinalSync"))]
    names = tuple(row.name for row in types if row.active and row.name)
    return AjeraSurvey(rights, _offset(samples), len(final), names)


async def _others(client: AjeraClient, rights: dict[str, str], projects: list[Raw], now: datetime) -> None:
    for reference in REFERENCES.values():
        if reference.method not in rights:
            await _tried(rights, reference.method, client.reference(reference))
    rows = await _tried(rights, "ListProjectTemplates", client.list_templates()) or []
    template = next((key for row in rows if (key := read_key(row.get("ProjectTemplateKey")))), 1)
    await _tried(rights, "GetProjectTemplates", client.get_templates([template]))
    key = next((key for row in projects if (key := read_key(row.get("ProjectKey")))), 1)
    await _tried(rights, "GetProjectTotals", client.project_totals(key))
    await _tried(rights, "GetProjects (version 2)", client.project_bundle(key))
    day = now.date().isoformat()
    window = {"FilterByEarliestTimesheetDate": day, "FilterByLatestTimesheetDate": day}
    await _tried(rights, "ListTimesheets", client.list_timesheets(window))


async def _tried(rights: dict[str, str], method: str, call: Awaitable[T]) -> T | None:
    """The answer; None where it was refused. Only a missing right is noted: a rule's refusal shows that it exists."""
    rights[method] = ""
    try:
        return await call
    except AccessRefused as error:
        rights[method] = str(error)
    except RecordRefused:
        pass
    return None


def _offset(samples: Mapping[Kind, list[Raw]]) -> timedelta | None:
    """The offset from UTC of the newest stamp among clients and projects."""
    texts = [read_text(row.get("LastModifiedDate")) for kind in (Kind.FIRM, Kind.PROJECT) for row in samples[kind]]
    moments = sorted((moment, text) for text in texts if (moment := read_stamp(text)))
    if not moments:
        return None
    moment, text = moments[-1]
    try:
        local = datetime.fromisoformat(text.strip()[:19].replace(" ", "T"))
    except ValueError:
        return None
    return local - moment.replace(microsecond=0, tzinfo=None)
