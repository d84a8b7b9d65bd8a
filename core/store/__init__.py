"""The program's memory on disk: TinyDB over a transactional file, locks, and the run log.

What is named here is imported when it is asked for: `status` looks at the file and at the locks, and needs no more.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from core.store.lock import ProcessLock, run_lock, schedule_lease
    from core.store.runlog import RunLog
    from core.store.storage import SqliteStorage
    from core.store.table import SqliteDB, SqliteTable
    from core.store.tinystore import TinyStore

__all__ = [
    "ProcessLock",
    "RunLog",
    "SqliteDB",
    "SqliteStorage",
    "SqliteTable",
    "TinyStore",
    "run_lock",
    "schedule_lease",
]

_HOMES: Final = {
    "ProcessLock": "lock",
    "run_lock": "lock",
    "schedule_lease": "lock",
    "RunLog": "runlog",
    "SqliteStorage": "storage",
    "SqliteDB": "table",
    "SqliteTable": "table",
    "TinyStore": "tinystore",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
