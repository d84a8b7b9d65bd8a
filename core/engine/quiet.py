"""What was found to need nothing, so that a run without news does not work it out again.

A finding is kept with the revision of all that it depends on (core.ports.Store.revision and whatever else is given).
It holds until that moves; what is lost of it costs a second look, nothing else. Findings outlive the program, so that
`ajerasync run` from a timer is as quick as the open one and reads no table of the store whole.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from core.model.values import Kind, Side
from core.ports import Connection, Store

PROJECTS = (f"records:{Kind.PROJECT}:{Side.AJERA}", f"records:{Kind.PROJECT}:{Side.CRM}")
RECORDS = tuple(f"records:{kind}:{side}" for kind in Kind for side in Side)
PLANNED = (*RECORDS, *(f"bases:{kind}" for kind in Kind), "links", "marks", "decisions", "intents", "failures")


MOST_MOVED = 2000  # beyond this going over everything is no dearer


class Quiet:
    """The findings of one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def found(self, name: str, tables: Iterable[str], *more: object) -> Any:
        """What was found for exactly this state; None where there is nothing, or something moved."""
        kept = self._store.setting(f"quiet:{name}")
        if not isinstance(kept, dict) or kept.get("of") != self._print(tables, more):
            return None
        return kept.get("found")

    def note(self, name: str, found: object, tables: Iterable[str], *more: object) -> None:
        """Keep a JSON value that was found for the state as it is."""
        body = {"of": self._print(tables, more), "found": found}
        if self._store.setting(f"quiet:{name}") != body:
            with self._store.transaction() as tx:
                tx.put_setting(f"quiet:{name}", body)

    def number(self) -> int:
        """How far the store has come: what moves from now on has a higher one."""
        return self._store.moved(sys.maxsize)[0]

    def since(self, name: str, tables: Iterable[str], *more: object) -> tuple[Any, Mapping[str, set[str]]] | None:
        """What was found, and the documents of these tables that moved after it; None where everything has to be gone
        over."""
        kept = self._store.setting(f"quiet:{name}")
        if not isinstance(kept, dict) or kept.get("of") != repr(more):
            return None
        _, moved = self._store.moved(kept["seen"])
        if moved is None or len(moved) > MOST_MOVED:
            return None
        found: dict[str, set[str]] = {table: set() for table in tables}
        for table, key in moved:
            if table in found:
                found[table].add(key)
        return kept.get("found"), found

    def note_since(self, name: str, found: object, seen: int, *more: object) -> None:
        """Keep a JSON value that holds for the number `seen`."""
        with self._store.transaction() as tx:
            tx.put_setting(f"quiet:{name}", {"of": repr(more), "found": found, "seen": seen})

    def _print(self, tables: Iterable[str], more: tuple[object, ...]) -> str:
        return hashlib.sha256(repr((self._store.revision(tables), more)).encode()).hexdigest()[:32]


def said(connections: Mapping[Side, Connection]) -> list[object]:
    """What of the connections a plan depends on, in a form whose `repr` is the same each time. Clocks are left out:
    two records that they could not order stay so until one of them moves."""
    return [
        (
            side.value,
            each.version,
            sorted(each.mark_columns),
            sorted(each.limits.items()),
            sorted(each.stopped.items()),
            sorted(each.codes.items()),
            each.templates,
            sorted(each.flat_templates),
            sorted(each.autonumbers),
        )
        for side, each in connections.items()
    ]
