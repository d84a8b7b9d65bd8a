"""Values between Python, the stored row and JSON.

Stored rows hold what the API sends, but for money: text, ``Y``/``N``, integers, ``Decimal`` (decimal(19,4) columns)
and zoneless UTC date-times ``YYYY-MM-DDThh:mm:ss.fff``. Empty is ``""``, never None (contract section 3).
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

import orjson

from core.sandbox.crm.columns import Column

_YES = frozenset({"y", "yes", "true", "1", "-1"})
_NO = frozenset({"n", "no", "false", "0", ""})
_MOST = Decimal(10) ** 15


def stamp_text(moment: datetime) -> str:
    """``YYYY-MM-DDThh:mm:ss.fff`` in UTC without a zone; a naive moment is taken as UTC."""
    utc = moment.astimezone(UTC) if moment.tzinfo else moment
    return utc.strftime("%Y-%m-%dT%H:%M:%S.") + f"{utc.microsecond // 1000:03d}"


def moment_of(text: str) -> datetime:
    """The moment of a date or date-time in ISO 8601; without a zone it is UTC. ValueError if it is neither."""
    moment = datetime.fromisoformat(text.strip())
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def to_stored(column: Column, value: Any) -> Any:
    """The stored form of a value for a column.

    Raises ValueError with the database's own sentence when the value does not fit the column's type. Sizes and code
    tables are not checked here.
    """
    if column.flag:
        return _flag(value)
    if column.numeric:
        return _number(column, value)
    if column.date:
        return _date(column, value)
    if isinstance(value, bool):
        return "Y" if value else "N"
    text = "" if value is None else value if isinstance(value, str) else str(value)
    if not text.isascii() and any("\ud800" <= c <= "\udfff" for c in text):
        raise ValueError("The text holds half a surrogate pair.")
    return " " if column.name in ("WBS2", "WBS3") and not text.strip() else text


def _flag(value: Any) -> str:
    text = str(value).strip().lower()
    if text in _YES:
        return "Y"
    if text in _NO or value is None:
        return "N"
    raise ValueError("String was not recognized as a valid Boolean.")


def _number(column: Column, value: Any) -> Decimal | int:
    if value is None or value == "":
        return Decimal(0) if column.decimals else 0
    try:
        number = Decimal(int(value)) if isinstance(value, bool) else Decimal(str(value).strip())
    except InvalidOperation as error:
        raise ValueError("Error converting data type varchar to numeric.") from error
    if not number.is_finite() or abs(number) >= _MOST:
        raise ValueError("Arithmetic overflow error converting numeric to data type numeric.")
    rounded = number.quantize(Decimal(1).scaleb(-column.decimals), rounding=ROUND_HALF_UP)
    return rounded if column.decimals else int(rounded)


def _date(column: Column, value: Any) -> str:
    if value is None or value == "":
        return ""
    try:
        moment = _as_moment(value)
    except (ValueError, TypeError, OverflowError) as error:
        raise ValueError("Conversion failed when converting date and/or time from character string.") from error
    text = stamp_text(moment)
    return f"{text[:10]}T00:00:00.000" if column.type == "Date" else text


def _as_moment(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    return moment_of(str(value))


def _plain(value: Any) -> Any:
    """Decimals as JSON numbers with every digit kept: a float would round the 16th."""
    if isinstance(value, Decimal):
        text = format(value, "f")
        text = text.rstrip("0") if "." in text else f"{text}."
        return orjson.Fragment(f"{text}0" if text.endswith(".") else text)
    raise TypeError(type(value).__name__)


def encode(document: Any) -> bytes:
    """JSON bytes; Decimals keep their digits."""
    return orjson.dumps(document, default=_plain)


def decode(body: bytes) -> Any:
    """The JSON document of a request body, numbers with a fraction as Decimal. ValueError if it is not JSON."""
    try:
        return json.loads(body, parse_float=Decimal)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
