"""What was called and what it changed: the sandbox's own memory, from which tests judge a client."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.sandbox.ajera.data import Change

MAX_ENTRIES = 100_000


@dataclass(frozen=True)
class Entry:
    """One call. `changes` holds every record it saved, with the values before and after; empty for a read.

    `args` is a summary: scalars as they are, arrays of more than 20 entries as their length. `code` is the answer's
    ResponseCode.
    """

    call_no: int
    user: str
    version: int
    method: str
    args: dict[str, Any]
    writes: bool
    code: int
    changes: tuple[Change, ...] = field(default=())


def summary(args: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _short(value) for name, value in args.items()}


def _short(value: Any) -> Any:
    if isinstance(value, list) and (len(value) > 20 or any(isinstance(v, dict) for v in value)):
        return f"{len(value)} entries"
    if isinstance(value, dict):
        return f"{len(value)} properties"
    return value


def keep(ledger: list[Entry], entry: Entry) -> None:
    """Append; a sandbox that runs for days forgets the oldest half when full."""
    if len(ledger) >= MAX_ENTRIES:
        del ledger[: MAX_ENTRIES // 2]
    ledger.append(entry)
