"""JSON in and out: the lenient reader, the base64 id of the address, the envelope (contract 1 and 3)."""

from __future__ import annotations

import base64
import binascii
import re
import uuid
from decimal import Decimal
from typing import Any
from urllib.parse import quote, unquote

import orjson

from core.quirks.ajera import AjeraQuirks
from core.sandbox.ajera.call import Refused
from core.sandbox.ajera.data import AjeraData

# A quoted string is passed over whole, so that its content is never taken for a property name.
_NAMES = re.compile(r'("(?:\\.|[^"\\])*")|([{,]\s*)([A-Za-z_]\w*)(\s*:)')


def read_body(body: bytes, quirks: AjeraQuirks) -> dict[str, Any] | None:
    """The request object; unquoted property names are taken too, as official samples send them. None if unreadable."""
    value: Any = None
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        if quirks.lenient_json == "yes":
            value = _read_leniently(body)
    return value if isinstance(value, dict) else None


def _read_leniently(body: bytes) -> Any:
    def quoted(match: re.Match[str]) -> str:
        return match[1] or f'{match[2]}"{match[3]}"{match[4]}'

    try:
        return orjson.loads(_NAMES.sub(quoted, body.decode("utf-8")))
    except (orjson.JSONDecodeError, UnicodeDecodeError):
        return None


def url_path(data: AjeraData) -> str:
    """Path and query as a hosted address has them: `/V<digits>/AjeraAPI.ashx?<base64>`, with = as %3d."""
    text = base64.b64encode(orjson.dumps(data.identity)).decode()
    return f"/V{data.identity.get('ClientID', 0):07d}/AjeraAPI.ashx?{quote(text, safe='/+').replace('%3D', '%3d')}"


def names_this_database(query: bytes, data: AjeraData) -> bool:
    """Whether the whole query string is the base64 id of this database."""
    try:
        text = unquote(query.decode("ascii"))
        value = orjson.loads(base64.b64decode(text, validate=True))
    except (UnicodeDecodeError, binascii.Error, ValueError):
        return False
    return bool(value == data.identity)


def success(content: dict[str, Any], quirks: AjeraQuirks, *, login: bool = False) -> dict[str, Any]:
    """The envelope of a call that worked (contract 3.2)."""
    code = 200 if login or quirks.success_code == "200" else 0
    errors = [{"ErrorID": 0, "ErrorMessage": "Success"}] if quirks.zero_error_item == "yes" else []
    return {"ResponseCode": code, "Message": "Success", "Errors": errors, "Content": content, "UsageKey": _usage()}


def failure(refusals: list[Refused], quirks: AjeraQuirks, content: dict[str, Any] | None = None) -> dict[str, Any]:
    """The envelope of a refusal: still HTTP 200, code and message of the first error (contract 4 and 14)."""
    items = [{"ErrorID": r.code, "ErrorMessage": r.text} for r in refusals]
    if quirks.generic_first_error == "yes":
        items.insert(0, {"ErrorID": refusals[0].code, "ErrorMessage": "An error has occurred."})
    return {
        "ResponseCode": refusals[0].code,
        "Message": items[0]["ErrorMessage"],
        "Errors": items,
        "Content": content or {},
        "UsageKey": _usage(),
    }


def dump(reply: dict[str, Any]) -> bytes:
    return orjson.dumps(reply, default=_number, option=orjson.OPT_NON_STR_KEYS)


def _usage() -> str:
    return str(uuid.uuid4())


def _number(value: object) -> object:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(type(value).__name__)
