"""Canonical forms: what counts as equal (sync-rules 5).

Declared per field type and tested; never learned from a reply, which may be lost. A format-only
edit of a phone number is equal by declaration. Two blanks of any kind are equal.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Hashable
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache

from core.model.values import Address, FieldType, Ref, Side, Value
from core.policy import STATUS_GROUPS, FieldSpec

FOUR_PLACES = Decimal("0.0001")
_MOST_DIGITS = 22  # with four places still within Decimal's 28
_EXTENSION = re.compile(r"\s*(?:extension|ext\.?|x|#)\s*:?\s*(\d+)\s*$", re.IGNORECASE)


def canonical(spec: FieldSpec, side: Side, value: Value) -> Hashable:
    """The form in which a side's value is compared; None for every kind of blank.

    A value of another type than the field's is compared as it is, so that a surprise shows as a
    difference rather than being lost.
    """
    match value:
        case None:
            return None
        case str():
            return _canonical_text(spec, side, value)
        case bool():
            return value
        case Decimal():
            return _canonical_number(value)
        case datetime():
            return value.date()
        case date():
            return value
        case Address():
            return _canonical_address(value)
        case Ref():
            return value.key or None
        case _:
            return str(value)


def _canonical_number(value: Decimal) -> Hashable:
    """Four places; what is no amount at all (NaN, thirty digits) as its text, so that it equals itself."""
    if not value.is_finite() or value.adjusted() > _MOST_DIGITS:
        return str(value)
    return value.quantize(FOUR_PLACES) or None


def _canonical_text(spec: FieldSpec, side: Side, value: str) -> str | None:
    text = plain_text(value)
    match spec.type:
        case FieldType.PHONE:
            return phone(text)
        case FieldType.STATUS:
            return STATUS_GROUPS.get((spec.kind, side), {}).get(text, text) or None
        case FieldType.CODE:
            return text.casefold() or None
        case _:
            return text or None


def _canonical_address(value: Address) -> tuple[object, ...] | None:
    lines = tuple(text for text in map(plain_text, value.lines) if text)
    rest = (
        plain_text(value.city),
        plain_text(value.state).casefold(),
        plain_text(value.zip),
        plain_text(value.country).casefold(),
    )
    return (lines, *rest) if lines or any(rest) else None


@lru_cache(maxsize=65536)
def plain_text(value: str) -> str:
    """Trimmed, Unicode NFC, one kind of line end."""
    return unicodedata.normalize("NFC", value.replace("\r\n", "\n").replace("\r", "\n")).strip()


@lru_cache(maxsize=65536)
def phone(text: str) -> str | None:
    """Digits, letters, a leading + and the extension: "(312) 555-0100 ext. 7" -> "3125550100x7"."""
    extension = _EXTENSION.search(text)
    main = text[: extension.start()] if extension else text
    kept = "".join(char for char in main.casefold() if char.isalnum())
    if main.lstrip().startswith("+"):
        kept = "+" + kept
    if extension:
        kept += "x" + extension.group(1)
    return kept or None


def blank(spec: FieldSpec, side: Side, value: Value) -> bool:
    return canonical(spec, side, value) is None


# -- names, for matching only --------------------------------------------------------------------


@lru_cache(maxsize=131072)
def name_key(text: str) -> str:
    """A name without case, accents, punctuation and extra spaces; "&" is "and".

    Legal forms stay: "Acme Inc" and "Acme LLC" are two companies.
    """
    folded = unicodedata.normalize("NFKD", text.replace("&", " and ")).casefold()
    kept = "".join(" " if not (char.isalnum()) else char for char in folded if not unicodedata.combining(char))
    return " ".join(kept.split())


def numbers_in(text: str) -> tuple[str, ...]:
    """The numbers a name holds: "Phase 2" and "Phase 3" are never the same project."""
    return tuple(re.findall(r"\d+", text))


@lru_cache(maxsize=65536)
def host_of(url: str) -> str:
    """The host of a web address without "www.": what makes two web sites the same."""
    text = plain_text(url).casefold()
    text = re.sub(r"^[a-z]+://", "", text)
    host = re.split(r"[/?#]", text, maxsplit=1)[0]
    return host.removeprefix("www.")
