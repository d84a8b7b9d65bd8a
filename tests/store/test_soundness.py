"""The check of the store's file that begins before the store is opened: same findings, made once."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from core.errors import StoreDamaged
from core.store import TinyStore, soundness
from tests.store.helpers import firm


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with TinyStore.open(tmp_path / "state") as store, store.transaction() as tx:
        tx.put_records(firm(str(n)) for n in range(500))
    return tmp_path / "state/store.db"


def spoilt(path: Path) -> None:
    """Pages in the middle overwritten; the head of the file is whole."""
    with path.open("r+b") as file:
        file.seek(8 * 4096)
        file.write(b"\xff" * 4096 * 4)


def test_what_was_found_beforehand_is_not_looked_for_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[sqlite3.Connection] = []
    find = soundness._findings

    def noted(connection: sqlite3.Connection) -> list[str]:
        looked.append(connection)
        return find(connection)

    monkeypatch.setattr(soundness, "_findings", noted)
    soundness.begin(path)
    TinyStore.open(path.parent).close()
    assert len(looked) == 1
    TinyStore.open(path.parent).close()
    assert len(looked) == 2


@pytest.mark.parametrize("ahead", [True, False])
def test_damage_is_told_and_the_file_set_aside_either_way(path: Path, ahead: bool) -> None:
    spoilt(path)
    if ahead:
        soundness.begin(path)
    with pytest.raises(StoreDamaged, match="set aside"):
        TinyStore.open(path.parent)
    assert not path.exists()
    assert len(list(path.parent.glob("store-damaged-*.db"))) == 1


def test_a_file_that_is_not_ours_alone_is_not_looked_into(path: Path, tmp_path: Path) -> None:
    soundness.begin(tmp_path / "nothing.db")
    path.chmod(0o644)
    soundness.begin(path)
    assert not {path, tmp_path / "nothing.db"} & soundness._begun.keys()


def test_a_check_that_could_not_be_made_is_made_when_the_store_is_opened(path: Path) -> None:
    path.write_bytes(b"no database" * 1000)
    soundness.begin(path)
    with pytest.raises(StoreDamaged):
        TinyStore.open(path.parent)
