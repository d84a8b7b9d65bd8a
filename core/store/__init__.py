"""The program's memory on disk: TinyDB over a transactional file, locks, and the run log."""

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
