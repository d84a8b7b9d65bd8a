"""TinyDB's own API on the transactional file, with its stock table class and with ours."""

from __future__ import annotations

from pathlib import Path

import pytest
from tinydb import TinyDB, where
from tinydb.storages import Storage
from tinydb.table import Document

from core.store import SqliteDB, SqliteStorage


def seqs(storage: Storage) -> dict[str, int]:
    assert isinstance(storage, SqliteStorage)
    return dict(storage._select("SELECT id, seq FROM docs WHERE body IS NOT NULL"))


def test_stock_tinydb_works_on_the_storage(tmp_path: Path) -> None:
    with TinyDB(tmp_path / "t.db", storage=SqliteStorage) as db:
        table = db.table("firms")
        assert table.insert_multiple([{"n": n} for n in range(5)]) == [1, 2, 3, 4, 5]
        before = seqs(db.storage)
        table.update({"n": 20}, doc_ids=[2])
        after = seqs(db.storage)
        assert {key for key in before if before[key] != after[key]} == {"2"}  # only what changed was written
        table.remove(where("n") == 3)
        db.table("other").insert({"a": None})
    with TinyDB(tmp_path / "t.db", storage=SqliteStorage) as db:
        assert [document["n"] for document in db.table("firms")] == [0, 20, 2, 4]
        assert db.tables() == {"firms", "other"}
        db.drop_table("firms")
        assert db.tables() == {"other"}


def test_our_table_inserts_finds_changes_and_removes(tmp_path: Path) -> None:
    with SqliteDB(tmp_path / "t.db") as db:
        table = db.table("firms")
        assert table.insert({"name": "a"}) == "1"
        assert table.insert(Document({"name": "b"}, "K\ud800:ü")) == "K\ud800:ü"  # type: ignore[arg-type]
        assert table.insert_multiple([{"name": "c"}, {"name": "d"}]) == ["2", "3"]
        with pytest.raises(ValueError, match="already exists"):
            table.insert(Document({}, "1"))  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="Mapping"):
            table.insert([])
        assert len(table) == 4
        assert table.get(doc_id="K\ud800:ü") == {"name": "b"}
        assert table.get(doc_ids=["2", "1", "9"]) == [{"name": "c"}, {"name": "a"}]
        found = table.get(where("name") == "d")
        assert found is not None
        assert found.doc_id == "3"
        assert table.contains(where("name") == "a")
        assert not table.contains(doc_id="9")
        assert table.update({"seen": True}, where("name").one_of(["a", "b"])) == ["1", "K\ud800:ü"]
        assert table.count(where("seen") == True) == 2  # noqa: E712
        assert table.update(lambda document: document.pop("seen"), doc_ids=["1"]) == ["1"]
        assert table.upsert({"name": "a", "x": 1}, where("name") == "a") == ["1"]
        assert table.upsert(Document({"name": "new"}, "N")) == ["N"]  # type: ignore[arg-type]
        assert table.update_multiple([({"x": 2}, where("name") == "a"), ({"x": 3}, where("x") == 2)]) == ["1", "1"]
        assert table.search(where("x") == 3) == [{"name": "a", "x": 3}]
        assert table.remove(where("name") == "c") == ["2"]
        assert table.remove(doc_ids=["3", "9"]) == ["3"]
        for call in (table.get, table.remove):
            with pytest.raises(RuntimeError):
                call()
        with pytest.raises(ValueError, match="needs an id"):
            table.upsert({})
    with SqliteDB(tmp_path / "t.db") as db:
        assert [document["name"] for document in db.table("firms").all()] == ["a", "b", "new"]
        assert db.table("firms").insert({}) == "4"  # numbers of removed ones are not used again
        db.table("firms").truncate()
        assert len(db.table("firms")) == 0


def test_one_change_writes_one_row(tmp_path: Path) -> None:
    with SqliteDB(tmp_path / "t.db") as db:
        table, storage = db.table("t"), db.storage
        assert isinstance(storage, SqliteStorage)
        table.insert_multiple({"n": n} for n in range(50))
        before = seqs(storage)
        table.update({"n": -1}, doc_ids=["7"])
        table.update({"n": 8}, doc_ids=["9"])  # the same already
        after = seqs(storage)
        assert {key for key in after if after[key] != before[key]} == {"7"}


def test_calls_inside_a_transaction_land_together(tmp_path: Path) -> None:
    with SqliteDB(tmp_path / "t.db") as db:
        table, storage = db.table("t"), db.storage
        assert isinstance(storage, SqliteStorage)
        with pytest.raises(ZeroDivisionError), storage.transaction():
            table.insert({"n": 1 // len(table.insert_multiple([{}, {}]) and [])})
        assert len(table) == 0
        with storage.transaction():
            table.insert({"n": 1})
            assert table.update({"n": 2}) == ["1"]
        assert table.all() == [{"n": 2}]
