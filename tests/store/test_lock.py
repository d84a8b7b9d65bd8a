"""Locks of real programs: taken once, said by name, gone when the program is, not when it stands still."""

from __future__ import annotations

import os
import signal
import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.errors import StoreUnwritable
from core.store import ProcessLock, run_lock, schedule_lease
from tests.store.helpers import end, modes, program

HOLD = """
import sys
from pathlib import Path
from core.store import run_lock
lock = run_lock(Path(sys.argv[1]), "ajerasync watch")
for line in sys.stdin:
    match line.strip():
        case "take": print(lock.acquire(), flush=True)
        case "give": lock.release(); print("given", flush=True)
        case "who": print(lock.holder(), flush=True)
"""


def tell(running: object, word: str) -> str:
    running.stdin.write(word + "\n")  # type: ignore[attr-defined]
    running.stdin.flush()  # type: ignore[attr-defined]
    return str(running.stdout.readline().strip())  # type: ignore[attr-defined]


def test_one_object_holds_it_and_says_who(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    lock = ProcessLock(folder / "run.lock", "ajerasync\x1b[2J", now=lambda: datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    other = run_lock(folder)
    assert lock.holder() is None
    assert lock.acquire()
    assert lock.acquire()
    assert lock.held()
    assert not other.acquire()
    assert not other.held()
    wanted = f"ajerasync␛[2J (pid {os.getpid()} on {socket.gethostname()}, since 2026-01-02T03:04:05Z)"
    assert lock.holder() == other.holder() == wanted
    assert set(modes(folder).values()) == {0o600}
    other.release()  # not its own: nothing happens
    assert lock.held()
    lock.release()
    assert lock.holder() is other.holder() is None
    assert other.acquire()
    other.release()


def test_the_two_locks_are_two(tmp_path: Path) -> None:
    run, lease = run_lock(tmp_path), schedule_lease(tmp_path)
    assert run.acquire()
    assert lease.acquire()
    run.release()
    assert lease.held()
    lease.release()


def test_another_program_holds_it_until_it_is_killed(tmp_path: Path) -> None:
    holder = program(HOLD, tmp_path)
    lock = run_lock(tmp_path)
    assert tell(holder, "take") == "True"
    for _ in range(20):  # asking and trying never disturb the holder
        assert not lock.acquire()
        assert (lock.holder() or "").startswith(f"ajerasync watch (pid {holder.pid} on ")
    holder.send_signal(signal.SIGKILL)
    holder.wait(30)
    assert lock.holder() is None  # its note is still there, and is not believed
    assert list(tmp_path.glob("*.holder"))
    assert lock.acquire()
    assert str(os.getpid()) in (lock.holder() or "")
    lock.release()
    end(holder)


def test_a_stopped_program_keeps_it(tmp_path: Path) -> None:
    holder = program(HOLD, tmp_path)
    lock = run_lock(tmp_path)
    assert tell(holder, "take") == "True"
    holder.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, holder.pid, os.WSTOPPED)
    assert not lock.acquire()
    assert str(holder.pid) in (lock.holder() or "")
    holder.send_signal(signal.SIGCONT)
    assert tell(holder, "give") == "given"
    assert lock.acquire()
    assert tell(holder, "take") == "False"
    assert str(os.getpid()) in tell(holder, "who")
    lock.release()
    assert tell(holder, "take") == "True"
    end(holder)


def test_the_file_stays_where_it_is(tmp_path: Path) -> None:
    lock = run_lock(tmp_path)
    lock.acquire()
    inode = lock.path.stat().st_ino
    lock.release()
    lock.acquire()
    assert lock.path.stat().st_ino == inode
    lock.release()


def test_a_damaged_note_is_another_program(tmp_path: Path) -> None:
    lock = run_lock(tmp_path)
    lock.acquire()
    for note in ("", "[]", '{"pid": "x"}', '{"pid": 999999999, "host": "%s", "program": "p", "since": "s"}'):
        (tmp_path / "run.holder").write_text(note.replace("%s", socket.gethostname()))
        assert run_lock(tmp_path).holder() == "another program"
    lock.release()


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnwritable):
        run_lock(tmp_path / "file" / "state").acquire()
