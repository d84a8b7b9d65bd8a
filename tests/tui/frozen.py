"""A day that never ends: the same sandbox, the same clock and the same zone in every run, for the snapshots."""

from __future__ import annotations

import importlib
import pkgutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, tzinfo

import pytest

import tui

AT = datetime(2026, 3, 4, 15, 30, 12, tzinfo=UTC)


class _Meta(type):
    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, datetime)


class FrozenDatetime(datetime, metaclass=_Meta):
    """The class as ever, but for the present."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        return AT.astimezone(tz) if tz is not None else AT.replace(tzinfo=None)


def at() -> datetime:
    return AT


@contextmanager
def frozen(patch: pytest.MonkeyPatch) -> Iterator[None]:
    """The program's clocks stand still, in UTC. Timers go on."""
    for found in pkgutil.walk_packages(tui.__path__, "tui."):
        if not found.name.endswith("__main__"):
            importlib.import_module(found.name)
    for name, module in list(sys.modules.items()):
        ours = name.startswith(("tui.", "core.")) and not name.startswith("core.sandbox")
        if ours and module.__dict__.get("datetime") is datetime:
            patch.setattr(module, "datetime", FrozenDatetime)
    patch.setenv("TZ", "UTC")
    time.tzset()
    try:
        yield
    finally:
        patch.undo()
        time.tzset()
