"""Documents as bytes, and ids as text that SQLite takes, whatever a record's data holds.

orjson refuses lone surrogates, which a JSON reply may well hold (`"\\ud800"`); the standard library's
encoder takes over then, so that one odd character never stops the saving of a record.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

import orjson

_ESCAPED = "\x00"


def dump(document: Mapping[str, Any]) -> bytes:
    """JSON with sorted nothing and no spaces: equal documents built alike are equal bytes."""
    try:
        return orjson.dumps(document)
    except TypeError:
        return json.dumps(document, separators=(",", ":"), ensure_ascii=True).encode()


def load(body: bytes) -> dict[str, Any]:
    """The document `dump` wrote. Raises ValueError if it is damaged."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        document = json.loads(body)
    if not isinstance(document, dict):
        raise ValueError("not a stored document")
    return cast(dict[str, Any], document)


def id_in(doc_id: str) -> str:
    """The id as it stands in the file: itself, but for lone surrogates and a leading NUL."""
    if doc_id.isascii() and not doc_id.startswith(_ESCAPED):
        return doc_id
    try:
        doc_id.encode()
    except UnicodeEncodeError:
        pass
    else:
        if not doc_id.startswith(_ESCAPED):
            return doc_id
    return _ESCAPED + doc_id.encode("unicode_escape").decode("ascii")


def id_out(stored: str) -> str:
    """The id that `id_in` stored."""
    if not stored.startswith(_ESCAPED):
        return stored
    return stored[1:].encode("ascii").decode("unicode_escape")
