"""While the disk takes a commit, others read; what they see is whole, before or after."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from core.model.values import Kind, Side
from core.store import TinyStore
from tests.store.helpers import firm


class SlowDisk:
    """The writing connection, with a commit that takes as long as somebody wants: before it counts, or right after."""

    def __init__(self, real: Any, *, after: bool) -> None:
        self._real, self._after = real, after
        self.reached, self.go = threading.Event(), threading.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def execute(self, sql: str, *values: Any) -> Any:
        if sql != "COMMIT":
            return self._real.execute(sql, *values)
        if self._after:
            self._real.execute(sql)
        self.reached.set()
        assert self.go.wait(10)
        return None if self._after else self._real.execute(sql)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[TinyStore]:
    with TinyStore.open(tmp_path / "state") as opened:
        yield opened


def within(seconds: float, work: Callable[[], Any]) -> Any:
    """What `work` gives; fails where it waits for somebody."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result(seconds)


def put(store: TinyStore, name: str) -> None:
    with store.transaction() as tx:
        tx.put_records([firm("1", name)])
        tx.put_setting("name", name)


def told(store: TinyStore) -> tuple[list[tuple[str, str]], Any, str | None]:
    moved = store.moved(0)[1]
    record = store.record(Kind.FIRM, Side.AJERA, "1")
    return list(moved or ()), store.setting("name"), record.name if record else None


@pytest.mark.parametrize("after", [False, True])
def test_nobody_waits_for_the_disk_to_read(store: TinyStore, after: bool) -> None:
    put(store, "Old")
    store.records(Kind.FIRM, Side.AJERA)
    storage = store._storage
    disk = SlowDisk(storage._writer, after=after)
    storage._writer = disk  # type: ignore[assignment] # stands for it
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(put, store, "New")
        try:
            assert disk.reached.wait(10)
            moved, setting, record = within(5, lambda: told(store))
        finally:
            disk.go.set()
        writing.result(10)
    storage._writer = disk._real
    # What the number tells of is what memory shows: a row made of it is not taken for newer than it is.
    wanted = "New" if after else "Old"
    assert (setting, record) == (wanted, wanted)
    assert {table for table, _ in moved} == {"records:firm:ajera", "settings"}
    assert told(store)[1:] == ("New", "New")


def test_what_another_program_wrote_right_after_stays(store: TinyStore, tmp_path: Path) -> None:
    storage = store._storage
    disk = SlowDisk(storage._writer, after=True)
    storage._writer = disk  # type: ignore[assignment] # stands for it
    put_of = threading.Thread(target=put, args=(store, "Ours"))
    put_of.start()
    assert disk.reached.wait(10)
    with TinyStore.open(tmp_path / "state") as other:
        put(other, "Theirs")
    assert within(5, lambda: told(store))[1:] == ("Theirs", "Theirs")
    disk.go.set()
    put_of.join(10)
    storage._writer = disk._real
    assert told(store)[1:] == ("Theirs", "Theirs")


def test_closing_waits_for_a_commit_under_way(store: TinyStore) -> None:
    storage = store._storage
    disk = SlowDisk(storage._writer, after=False)
    storage._writer = disk  # type: ignore[assignment] # stands for it
    with ThreadPoolExecutor(2) as pool:
        writing = pool.submit(put, store, "New")
        assert disk.reached.wait(10)
        closing = pool.submit(store.close)
        disk.go.set()
        writing.result(10)
        closing.result(10)
    with TinyStore.open(store.path.parent) as again:
        assert again.setting("name") == "New"
