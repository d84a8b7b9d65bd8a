"""What every Get method shares: the keys asked for, and what becomes of those that do not exist."""

from __future__ import annotations

from collections.abc import Callable

from core.sandbox.ajera.call import Call, Refused
from core.sandbox.ajera.data import Record

MAX_KEYS = 50


def requested(call: Call, argument: str, table: str, *, limited: bool = False) -> list[int]:
    """The keys that exist, in the order asked for, each once. A missing one is left out (contract 14).

    Raises Refused for more than 50 keys where the method has that limit (contract 5).
    """
    keys = list(dict.fromkeys(call.keys(argument)))
    if len(keys) > MAX_KEYS and (limited or call.quirks.batch_limits == "all"):
        raise Refused(f"No more than {MAX_KEYS} records can be requested at a time.")
    found = [key for key in keys if key in call.data.tables[table]]
    if len(found) != len(keys) and call.quirks.missing_key == "error":
        raise Refused("One or more of the requested records do not exist.")
    return found


def fetch(
    call: Call, argument: str, table: str, show: Callable[[Call, int], Record], *, limited: bool = False
) -> list[Record]:
    return [show(call, key) for key in requested(call, argument, table, limited=limited)]
