"""Answers of a system that hardly change, kept in the store for the next program (core.ports.Shelf)."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from core.engine.clock import from_iso, iso
from core.ports import Clock, Store


class StoreShelf:
    """The shelf of one side. `owner` names the very system (address, database, user, settings): what another one
    answered is never given back."""

    def __init__(self, store: Store, clock: Clock, owner: str) -> None:
        self._store = store
        self._clock = clock
        self._owner = owner

    def get(self, name: str) -> tuple[Any, float] | None:
        kept = self._store.setting(f"shelf:{name}")
        if not isinstance(kept, dict) or kept.get("owner") != self._owner:
            return None
        with suppress(KeyError, TypeError, ValueError):
            age = (self._clock.now() - from_iso(kept["at"])).total_seconds()
            if age >= 0:  # a clock that was put back makes it as if unknown
                return json.loads(kept["body"]), age
        return None

    def put(self, name: str, value: Any) -> None:
        # As text: settings are copied when they are read, and there may be a megabyte of metadata.
        body = {"owner": self._owner, "at": iso(self._clock.now()), "body": json.dumps(value, separators=(",", ":"))}
        with self._store.transaction() as tx:
            tx.put_setting(f"shelf:{name}", body)
