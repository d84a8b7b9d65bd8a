"""Rows of a Get told alike by their bytes, so that what did not change is not read again.

A sweep asks for every linked project, and nearly all are as they were. The answer is taken apart by the quick parser,
which makes binary floats of numbers; it serves for telling rows alike only, and only where no two numbers of the answer
can become the same float. Whatever differs is read from the same answer by the exact one.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any, Final

import orjson

# Up to 15 digits a decimal fraction has a float of its own, unless it is too small for one.
_DIGITS: Final = bytes.maketrans(b"123456789.E", b"0000000000e")
_TOO_LONG, _TOO_SMALL = b"0" * 17, b"0e-000"
_NUMBER: Final = re.compile(rb"[:,\[]\s*-?(?:[0-9.]{17}|[0-9.]+[eE]-[0-9]{3})")


def skimmed(body: bytes) -> Any:
    """The answer by the quick parser; None where it cannot tell numbers apart, or does not take it at all."""
    if _may_be_too_fine(body):
        return None
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def _may_be_too_fine(body: bytes) -> bool:
    digits = body.translate(_DIGITS)
    return (_TOO_LONG in digits or _TOO_SMALL in digits) and _NUMBER.search(body) is not None


def print_of(row: Any, of: bytes) -> str:
    """The print of a skimmed row, together with what its record depends on besides."""
    return hashlib.sha256(of + orjson.dumps(row)).hexdigest()[:32]
