"""Which mapped fields a refusal is about, so that the rest can be sent without them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from core.crm.catalogue import Catalogue, columns_of
from core.crm.hubs import ADDRESS_PARTS, ADDRESSES, ROW_COLUMNS
from core.crm.replies import SIDE
from core.crm.wire import FieldMeta
from core.errors import RecordRefused
from core.model.values import FieldType, Kind
from core.policy import FieldSpec

_BY_CAPTION = (
    re.compile(r"Please provide an? (.+?) for table", re.IGNORECASE),  # contract section 10
    re.compile(r"^(.+?) Code .+ does not exist", re.IGNORECASE),  # section 3
)


def explained(
    error: RecordRefused, catalogue: Catalogue, kind: Kind, specs: Sequence[FieldSpec], sent: Iterable[str]
) -> RecordRefused:
    """The same refusal with its columns completed: those its sentences name by caption, and the field map's own
    names for columns that are part of a composed field (State of an address: CLAddress)."""
    metas = [*catalogue.tables[kind].values()]
    if kind is Kind.FIRM:
        metas += catalogue.rows.get(ADDRESSES, {}).values()
    named = {column.lower() for column in error.columns}
    for problem in error.problems:
        named |= _captioned(problem, metas, {name.lower() for name in sent})
    exact = {meta.fieldname.lower(): meta.fieldname for meta in metas}
    columns = [*error.columns, *(exact.get(name, name) for name in sorted(named))]
    columns += [spec.crm for spec in specs if named & _parts(spec)]
    return type(error)(SIDE, str(error), error.problems, tuple(dict.fromkeys(columns)))


def _captioned(problem: str, metas: Iterable[FieldMeta], sent: set[str]) -> set[str]:
    """Columns that a sentence calls by their caption: in the known patterns, or, of those sent, at its start."""
    phrases = {match.strip().lower() for pattern in _BY_CAPTION for match in pattern.findall(problem)}
    text = problem.lower()
    found: set[str] = set()
    for meta in metas:
        caption, name = meta.caption.strip().lower(), meta.fieldname.lower()
        if caption and (caption in phrases or (name in sent and text.startswith(f"{caption} "))):
            found.add(name)
    return found


def _parts(spec: FieldSpec) -> set[str]:
    if spec.type is FieldType.ADDRESS:
        return {name.lower() for name in ADDRESS_PARTS}
    if spec.crm in ROW_COLUMNS:
        return {ROW_COLUMNS[spec.crm].lower()}
    return {name.lower() for name in columns_of(spec)}
