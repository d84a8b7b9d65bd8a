"""The run lock and the schedule lease: locks of the operating system, gone when their process is.

A lock is `flock` on a file that stays where it is (unlinking one would split it in two). Who holds it
is written beside it, for people only: that note is believed only while the lock is taken.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from core.errors import StoreUnwritable
from core.store import bodies, sqlite_file
from core.text import safe_line

if TYPE_CHECKING:
    from filelock import BaseFileLock  # late at run time: it brings asyncio, and `status` only asks who holds a lock

RUN_LOCK: Final = "run.lock"
SCHEDULE_LEASE: Final = "schedule.lock"
_TRIES, _PAUSE = 4, 0.003  # another program's look at the holder takes the lock for some microseconds


def _now() -> datetime:
    return datetime.now(UTC)


class ProcessLock:
    """Implements core.ports.Lock over one file. `program` is what the holder is called ("ajerasync watch").

    Held by this object, not by the process: a second object on the same file is refused too. Raises
    StoreUnwritable where the folder cannot be written, or its file system has no such locks.
    """

    def __init__(self, path: Path, program: str = "ajerasync", now: Callable[[], datetime] = _now) -> None:
        self.path = path
        self._note = path.with_suffix(".holder")
        self._program = program
        self._now = now
        self._lock: BaseFileLock | None = None

    def acquire(self) -> bool:
        if self.held():
            return True
        sqlite_file.private_folder(self.path.parent)
        try:
            taken = self._try_some_times()
        except OSError as error:
            raise StoreUnwritable(f"The lock {self.path} cannot be taken: {error.strerror or error}.") from error
        if taken and self._lock is not None and _outlives_us(self._lock):
            self._lock.release(force=True)
            raise StoreUnwritable(
                f"The file system of {self.path.parent} has no locks. Choose a state folder on a local disk."
            )
        if taken:
            self._write_note()
        return taken

    def release(self) -> None:
        """Give it back; nothing happens if it is not ours."""
        if self._lock is not None and self._lock.is_locked:
            with contextlib.suppress(OSError):
                self._note.unlink()  # while the lock is still ours, or it could be the next holder's
            self._lock.release(force=True)

    def held(self) -> bool:
        return self._lock is not None and bool(self._lock.is_locked)

    def holder(self) -> str | None:
        if not self.held() and self._free():
            return None
        note = self._read_note()
        if note is None:
            return "another program"
        return safe_line("{program} (pid {pid} on {host}, since {since})".format_map(note), 200)

    def _try_some_times(self) -> bool:
        from filelock import FileLock, Timeout

        if self._lock is None:
            self._lock = FileLock(self.path, timeout=0, mode=0o600, thread_local=False)
        for attempt in range(_TRIES):
            try:
                self._lock.acquire(timeout=0)
            except Timeout:
                if attempt + 1 < _TRIES:
                    time.sleep(_PAUSE)
            else:
                return True
        return False

    def _free(self) -> bool:
        """Whether nobody holds it, asked with a shared lock so that askers never stand in each other's way."""
        try:
            handle = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return True
        except OSError:
            return False
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return False
        finally:
            os.close(handle)
        return True

    def _write_note(self) -> None:
        note = {
            "program": self._program,
            "pid": os.getpid(),
            "host": os.uname().nodename,
            "since": self._now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        fresh = self._note.with_suffix(f".{os.getpid()}")
        with contextlib.suppress(OSError):  # without it the lock holds all the same
            sqlite_file.private_file(fresh)
            fresh.write_bytes(bodies.dump(note))
            fresh.replace(self._note)

    def _read_note(self) -> dict[str, Any] | None:
        """The note, unless it is missing, damaged, or that of a process that is gone."""
        try:
            note = bodies.load(self._note.read_bytes())
            pid, host = int(note["pid"]), str(note["host"])
            known = all(isinstance(note[name], str) for name in ("program", "since"))
        except (OSError, ValueError, KeyError, TypeError):
            return None
        if not known or (host == os.uname().nodename and not _alive(pid)):
            return None
        return note


def run_lock(folder: Path, program: str = "ajerasync") -> ProcessLock:
    """Held during a run: only one program writes to the systems (sync-rules 9)."""
    return ProcessLock(folder / RUN_LOCK, program)


def schedule_lease(folder: Path, program: str = "ajerasync") -> ProcessLock:
    """Held by the program whose schedule counts; others follow it and take over when it ends."""
    return ProcessLock(folder / SCHEDULE_LEASE, program)


def _outlives_us(lock: object) -> bool:
    """Where there is no flock the library turns itself into a lock that a dead process keeps."""
    from filelock import SoftFileLock

    return isinstance(lock, SoftFileLock)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return pid < sys.maxsize
    return True
