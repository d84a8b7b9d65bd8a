"""What the CRM sends, as the contract says it may look: missing, null, empty, in either case.

Names are compared without case where clients have seen both (token and error bodies, sections 2 and 15);
flags come as Y/N, true/false or 1/0 (section 3).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, ValidationError, model_validator

from core.secret import Hidden
from core.text import safe_line

Row = Mapping[str, Any]
"""One record as the CRM sent it: column -> value."""


def text_of(value: object) -> str:
    """A value as text: null is empty, a number its digits."""
    return "" if value is None else value if isinstance(value, str) else str(value)


def flag_of(value: object) -> bool:
    """Y, yes, true, 1 and -1 are on, in any case; all else is off."""
    return text_of(value).strip().lower() in {"y", "yes", "true", "1", "-1"}


def _count(value: object) -> int:
    text = text_of(value).strip()
    return int(text) if text.isdecimal() else 0


Text = Annotated[str, BeforeValidator(text_of)]
Flag = Annotated[bool, BeforeValidator(flag_of)]
Token = Annotated[Hidden, PlainValidator(lambda value: Hidden(text_of(value)))]
Count = Annotated[int, BeforeValidator(_count)]


class Loose(BaseModel):
    """A model whose names are matched without case; what it does not know is left alone."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _fold_names(cls, data: object) -> object:
        if not isinstance(data, Mapping):
            return data
        return {str(name).replace("_", "").lower(): value for name, value in data.items()}


class TokenReply(Loose):
    """The answer of POST /token (section 2). `expiresin` is seconds, 0 where it was not said."""

    accesstoken: Token = Field(repr=False)
    refreshtoken: Token = Field(default=Hidden(), repr=False)
    expiresin: Count = 0


class FieldMeta(Loose):
    """One field of /metadata (section 13). `maxlength` 0 is not limited or not said."""

    fieldname: Text
    fieldtype: Text = ""
    caption: Text = ""
    maxlength: Count = 0
    codetable: Text = ""
    updateable: Flag = True
    hidden: Flag = False
    customfield: Flag = False
    required: Flag = False
    defaultvalue: Text = ""


class CodeRow(Loose):
    """One row of a code table. `status` I is a code kept for old records only."""

    code: Text
    description: Text = ""
    status: Text = ""
    country: Text = ""


M = TypeVar("M", bound=Loose)

TableMeta = Mapping[str, FieldMeta]
"""The fields of one table by name in lower case."""


def metadata_tables(document: object) -> dict[str, TableMeta]:
    """The tables of a /metadata answer by name in lower case (as keyed, and as TableName says).

    The answer is an object keyed by table; an array around it is taken off. Fields that cannot be read are
    left out. Raises ValueError when it is something else.
    """
    body = document[0] if isinstance(document, list) and len(document) == 1 else document
    if not isinstance(body, Mapping):
        raise ValueError("metadata is not an object of tables")
    tables: dict[str, TableMeta] = {}
    for name, table in body.items():
        if not isinstance(table, Mapping):
            continue
        parts = {str(key).lower(): value for key, value in table.items()}
        fields = _fields(parts.get("fields"))
        tables.setdefault(text_of(parts.get("tablename")).lower() or name.lower(), fields)
        tables[str(name).lower()] = fields
    return tables


def _fields(items: object) -> TableMeta:
    rows = items if isinstance(items, list) else list(items.values()) if isinstance(items, Mapping) else []
    read = (_read(FieldMeta, item) for item in rows)
    return {field.fieldname.lower(): field for field in read if field is not None and field.fieldname}


def code_rows(document: object) -> tuple[CodeRow, ...]:
    """The rows of a code table; those without a code are left out."""
    rows = document if isinstance(document, list) else [document]
    read = (_read(CodeRow, row) for row in rows)
    return tuple(row for row in read if row is not None and row.code.strip())


def _read(model: type[M], item: object) -> M | None:
    try:
        return model.model_validate(item)
    except ValidationError:
        return None


# -- error bodies (section 15) -----------------------------------------------------------------------

_BREAK = re.compile(r"<br\s*/?>|\r?\n", re.IGNORECASE)
_MESSAGE_KEYS = ("message", "error_description", "detail", "exceptionmessage", "error")
_NAMED_COLUMNS = (
    re.compile(r"\bField\s+'?(\w+)'?\s+(?:does not exist|cannot be)", re.IGNORECASE),
    re.compile(r"\bColumn\s*:?\s*'?(\w+)'?", re.IGNORECASE),
    re.compile(r"\bNULL into\s+(?:the\s+)?(?:column\s+)?'?(\w+)", re.IGNORECASE),
    re.compile(r"\bvalue of\s+'?(\w+)'?", re.IGNORECASE),
)
NESTED_ERRORS = 4  # lists in lists that are looked into
MISSING_RECORD = re.compile(r"^Record .* does not exist\.?$", re.IGNORECASE)
TAKEN = re.compile(r"already exists", re.IGNORECASE)
CHANGED = re.compile(r"changed by another user|has been (?:changed|modified|updated)", re.IGNORECASE)


def problems_of(document: object, depth: int = 0) -> tuple[str, ...]:
    """The sentences of an error body, each once: several are joined by <BR/>. Empty when it says nothing."""
    if isinstance(document, str):
        return _sentences(document)
    if isinstance(document, list):
        items = document if depth < NESTED_ERRORS else []
        return tuple(dict.fromkeys(problem for item in items for problem in problems_of(item, depth + 1)))
    if not isinstance(document, Mapping):
        return ()
    parts = {str(name).lower(): value for name, value in document.items()}
    found = [_sentences(parts[key]) for key in _MESSAGE_KEYS if isinstance(parts.get(key), str)]
    return tuple(dict.fromkeys(sentence for sentences in found for sentence in sentences))


def _sentences(text: str) -> tuple[str, ...]:
    lines = (safe_line(part).strip() for part in _BREAK.split(text))
    return tuple(dict.fromkeys(line for line in lines if line))


def columns_named(problems: Iterable[str]) -> tuple[str, ...]:
    """The columns that error sentences name, each once, in order."""
    found = (match for problem in problems for pattern in _NAMED_COLUMNS for match in pattern.findall(problem))
    return tuple(dict.fromkeys(found))
