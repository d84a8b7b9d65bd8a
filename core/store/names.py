"""Who of a table of records names which firm or contact, kept up to date change by change."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from core.model.values import Kind
from core.store.codec_record import names_read
from core.store.snapshot import Snapshot

Named = tuple[Kind, str]


class Names:
    """`groups` is a snapshot: named firm or contact → keys of the records that name it.

    Made from the bytes of the file, so that no record is made for it: a tenth of the time.
    """

    def __init__(self, documents: Iterable[tuple[str, bytes]]) -> None:
        self._of: dict[str, tuple[Named, ...]] = {}
        groups: dict[Named, list[str]] = {}
        for key, body in documents:
            if named := tuple(names_read(body)):
                self._of[key] = named
                for each in named:
                    groups.setdefault(each, []).append(key)
        self.groups: Snapshot[Named, tuple[str, ...]] = Snapshot({each: tuple(keys) for each, keys in groups.items()})

    def take(self, changes: Iterable[tuple[str, bytes | None]]) -> None:
        """Documents as they are now; None for one that is gone."""
        moved: dict[Named, Any] = {}
        for key, body in changes:
            was, now = set(self._of.pop(key, ())), names_read(body) if body is not None else set()
            if now:
                self._of[key] = tuple(now)
            for each in was - now:
                moved[each] = tuple(one for one in moved.get(each, self.groups.get(each, ())) if one != key)
            for each in now - was:
                moved[each] = (*moved.get(each, self.groups.get(each, ())), key)
        if moved:
            self.groups = self.groups.changed(moved)
