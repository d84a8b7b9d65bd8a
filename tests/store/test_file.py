"""The store's file: modes, damage, schema, disks that refuse, other programs, deaths in the middle."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import StoreDamaged, StoreFailure, StoreTooNew, StoreUnwritable
from core.model.link import Mark
from core.model.values import Kind, Side
from core.store import SqliteStorage, TinyStore, sqlite_file
from tests.store.helpers import end, finish, firm, link, modes, pair, program


def filled(folder: Path, firms: int = 300) -> TinyStore:
    store = TinyStore.open(folder)
    with store.transaction() as tx:
        tx.put_link(link(1))
        tx.put_records(firm(str(n), "x" * 200) for n in range(firms))
    return store


def test_only_this_user_may_read_it_even_under_a_lax_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        store = filled(tmp_path / "a" / "state")
    finally:
        os.umask(before)
    found = modes(store.path.parent)
    assert set(found) == {"store.db", "store.db-wal", "store.db-shm"}
    assert set(found.values()) == {0o600}
    assert store.path.parent.stat().st_mode & 0o777 == 0o700
    store.close()
    store.path.chmod(0o644)
    store.path.parent.chmod(0o755)
    TinyStore.open(store.path.parent).close()
    assert modes(store.path.parent) == {"store.db": 0o600}
    assert store.path.parent.stat().st_mode & 0o777 == 0o700


def spoil_head(path: Path) -> None:
    path.write_bytes(b"[]" + path.read_bytes()[2:])


def spoil_pages(path: Path) -> None:
    body = bytearray(path.read_bytes())
    for page in range(1, len(body) // 4096):
        body[page * 4096 : page * 4096 + 64] = b"\xff" * 64
    path.write_bytes(body)


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def make_tiny(path: Path) -> None:
    path.write_bytes(b"not a store")


@pytest.mark.parametrize("spoil", [spoil_head, spoil_pages, cut_short, make_tiny])
def test_a_damaged_file_is_set_aside_whole_and_the_next_start_is_empty(tmp_path: Path, spoil: object) -> None:
    assert callable(spoil)
    store = filled(tmp_path)
    store.close()
    spoil(store.path)
    damaged = store.path.read_bytes()
    with pytest.raises(StoreDamaged, match="set aside") as caught:
        TinyStore.open(tmp_path)
    (aside,) = tmp_path.glob("store-damaged-*.db")
    assert aside.read_bytes() == damaged
    assert str(aside) in str(caught.value)
    assert "links import" in str(caught.value)
    with TinyStore.open(tmp_path) as fresh:
        assert not fresh.links().by_ajera


def test_a_document_that_cannot_be_read_sets_the_file_aside_at_the_next_start(tmp_path: Path) -> None:
    store = filled(tmp_path)
    store.close()
    raw = sqlite3.connect(store.path)
    raw.execute("UPDATE docs SET body = ? WHERE name = 'links'", (b'{"kind": "firm", ',))
    raw.commit()
    raw.close()
    with TinyStore.open(tmp_path) as opened, pytest.raises(StoreDamaged, match="table links"):
        opened.links()
    with pytest.raises(StoreDamaged, match="set aside"):
        TinyStore.open(tmp_path)
    with TinyStore.open(tmp_path) as fresh:
        assert not fresh.links().by_ajera
    assert not list(tmp_path.glob("*.condemned"))


def test_reading_only_moves_nothing(tmp_path: Path) -> None:
    store = filled(tmp_path)
    store.close()
    spoil_head(store.path)
    with pytest.raises(StoreDamaged):
        TinyStore.open(tmp_path, readonly=True)
    assert modes(tmp_path).keys() == {"store.db"}


def test_a_later_schema_is_refused_and_left_alone(tmp_path: Path) -> None:
    store = filled(tmp_path)
    store.close()
    raw = sqlite3.connect(store.path)
    raw.execute("PRAGMA user_version = 99")
    raw.close()
    before = store.path.read_bytes()
    for readonly in (False, True):
        with pytest.raises(StoreTooNew, match="schema 99"):
            TinyStore.open(tmp_path, readonly=readonly)
    assert store.path.read_bytes() == before
    assert not list(tmp_path.glob("*damaged*"))


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    raw = sqlite3.connect(tmp_path / "store.db")
    raw.execute("CREATE TABLE cookies (a)")
    raw.commit()
    raw.close()
    with pytest.raises(StoreFailure, match="another program"):
        TinyStore.open(tmp_path)
    assert list(modes(tmp_path)) == ["store.db"]


def add_column(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE docs ADD COLUMN note TEXT")
    connection.execute("UPDATE docs SET note = 'seen'")


def fail_midway(connection: sqlite3.Connection) -> None:
    connection.execute("DELETE FROM docs")
    raise ZeroDivisionError


def test_a_store_is_brought_up_to_date_and_copied_before(tmp_path: Path) -> None:
    filled(tmp_path).close()
    steps: Sequence[sqlite_file.Migration] = (*sqlite_file.MIGRATIONS, add_column)
    storage = SqliteStorage(tmp_path / "store.db", migrations=steps)
    assert storage.count("links") == 1
    assert storage._select("SELECT DISTINCT note FROM docs") == [("seen",)]
    storage.close()
    (copy,) = tmp_path.glob(f"store-schema{len(sqlite_file.MIGRATIONS)}-*.db")
    assert modes(tmp_path)[copy.name] == 0o600
    raw = sqlite3.connect(copy)
    assert raw.execute("PRAGMA user_version").fetchone() == (len(sqlite_file.MIGRATIONS),)
    assert raw.execute("SELECT count(*) FROM docs").fetchone() == (301,)
    raw.close()
    with pytest.raises(StoreTooNew):
        TinyStore.open(tmp_path)
    copy.replace(tmp_path / "store.db")  # going back, as the handbook says it
    old = TinyStore.open(tmp_path)
    assert list(old.links().by_ajera.values()) == [link(1)]
    old.close()


def test_a_store_of_the_day_before_opens_with_all_it_held(tmp_path: Path) -> None:
    old = SqliteStorage(tmp_path / "store.db", migrations=sqlite_file.MIGRATIONS[:3])
    before = filled(tmp_path / "new")
    with old.transaction():
        old.put(before._storage.changes(0)[1] or ())
    old.close()
    with TinyStore.open(tmp_path) as store:
        assert store.records(Kind.FIRM, Side.AJERA) == before.records(Kind.FIRM, Side.AJERA)
        assert not store.prints(Kind.FIRM, Side.AJERA, ["1"])
        with store.transaction() as tx:
            tx.put_prints(Kind.FIRM, Side.AJERA, {"1": "print"})
        assert store.prints(Kind.FIRM, Side.AJERA, ["1", "2"]) == {"1": "print"}
    before.close()
    assert len(list(tmp_path.glob("store-schema3-*.db"))) == 1


def test_a_migration_that_fails_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    filled(tmp_path).close()
    with pytest.raises(ZeroDivisionError):
        SqliteStorage(tmp_path / "store.db", migrations=(*sqlite_file.MIGRATIONS, add_column, fail_midway))
    storage = SqliteStorage(tmp_path / "store.db", migrations=(*sqlite_file.MIGRATIONS, add_column))
    assert storage.count("links") == 1
    storage.close()


def put_much(store: TinyStore) -> None:
    with store.transaction() as tx:
        tx.put_link(link(2))
        tx.put_records(firm(f"n{n}", "y" * 2_000) for n in range(200))


def test_a_full_disk_leaves_file_and_memory_as_they_were(tmp_path: Path) -> None:
    store = filled(tmp_path)
    assert store._storage._writer is not None
    store._storage._writer.execute("PRAGMA max_page_count = 60")
    with pytest.raises(StoreUnwritable, match=r"store\.db.*full"):
        put_much(store)
    assert list(store.links().by_ajera.values()) == [link(1)]
    assert len(store.records(Kind.FIRM, Side.AJERA)) == 300
    store._storage._writer.execute("PRAGMA max_page_count = 100000")
    with store.transaction() as tx:
        tx.put_link(link(2))
    store.close()
    with TinyStore.open(tmp_path) as again:
        assert len(again.links().by_crm) == 2


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnwritable, match="file/state"):
        TinyStore.open(tmp_path / "file" / "state")


READ_ONLY = """
import os, sys
from pathlib import Path
from core.store import TinyStore
from core.errors import StoreUnwritable
from core.model.values import Kind
import core.store.tinystore, encodings.unicode_escape
if os.getuid() == 0:
    os.setuid(65534)
folder = Path(sys.argv[1])
try:
    TinyStore.open(folder / "new")
except StoreUnwritable as error:
    print("refused", str(folder / "new") in str(error))
with TinyStore.open(folder, readonly=True) as store:
    print(len(store.links().by_ajera))
"""


def test_a_read_only_folder_can_be_read_but_not_written() -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        filled(folder).close()
        (folder / "store.db").chmod(0o444)
        folder.chmod(0o555)
        assert finish(program(READ_ONLY, folder)) == ["refused True\n1\n"]
    finally:
        folder.chmod(0o700)
        shutil.rmtree(folder)


OPEN_AND_ADD = """
import sys
from pathlib import Path
from core.model.link import Link
from core.model.values import Kind
from core.store import TinyStore
sys.stdin.readline()
with TinyStore.open(Path(sys.argv[1])) as store:
    for n in range(20):
        with store.transaction() as tx:
            tx.put_link(Link(Kind.FIRM, f"{sys.argv[2]}-{n}", f"c{sys.argv[2]}-{n}"))
"""


def test_programs_that_start_at_once_share_one_store(tmp_path: Path) -> None:
    running = [program(OPEN_AND_ADD, tmp_path / "state", name) for name in "abc"]
    for each in running:
        assert each.stdin
        each.stdin.write("go\n")
        each.stdin.flush()
    finish(*running)
    with TinyStore.open(tmp_path / "state") as store:
        assert len(store.links().by_ajera) == len(store.links().by_crm) == 60


WRITE_FOR_EVER = """
import sys
from pathlib import Path
from core.store import TinyStore
from tests.store.helpers import link, pair, firm
store = TinyStore.open(Path(sys.argv[1]), after_commit=lambda n: print(n, flush=True))
for n in range(1_000_000):
    with store.transaction() as tx:
        tx.put_link(link(n))
        tx.put_base(link(n), {"name": pair(str(n))})
"""


def test_a_killed_writer_loses_nothing_it_said_was_saved(tmp_path: Path) -> None:
    for _ in range(3):
        running = program(WRITE_FOR_EVER, tmp_path)
        assert running.stdout
        said = 0
        while said < 40:
            said = int(running.stdout.readline())
        running.send_signal(signal.SIGKILL)
        said = max([said, *map(int, running.stdout.read().split())])
        end(running)
        with TinyStore.open(tmp_path) as store:
            kept = store.links()
            assert len(kept.by_ajera) >= said
            assert {each.id for each in kept.by_crm.values()} == set(store.bases(Kind.FIRM))
        shutil.rmtree(tmp_path)


class Died(Exception):
    pass


def die(_n: int) -> None:
    raise Died


@pytest.mark.parametrize(("hook", "landed"), [("before_commit", False), ("after_commit", True)])
def test_dying_around_a_commit(tmp_path: Path, hook: str, landed: bool) -> None:
    store = TinyStore.open(tmp_path, **{hook: die})  # type: ignore[arg-type]
    with pytest.raises(Died), store.transaction() as tx:
        tx.put_link(link(1))
    assert bool(store.links().by_ajera) is landed
    store.close()
    with TinyStore.open(tmp_path) as again:
        assert bool(again.links().by_ajera) is landed


def test_a_torn_log_is_a_state_that_was_committed(tmp_path: Path) -> None:
    """Any prefix of the log is the store after some of its commits, and a bit turned in it is no more."""
    store = TinyStore.open(tmp_path / "a")
    for n in range(12):
        with store.transaction() as tx:
            tx.put_link(link(n))
            tx.put_base(link(n), {"name": pair(str(n))})
    whole, log = store.path.read_bytes(), store.path.with_name("store.db-wal").read_bytes()
    store.close()
    chance = random.Random(5)
    seen = set()
    for place in range(16):
        folder = tmp_path / f"torn{place}"
        folder.mkdir()
        (folder / "store.db").write_bytes(whole)
        cut = chance.randrange(len(log) // 2, len(log))
        torn = log[:cut] if place % 2 else log[:cut] + bytes([log[cut] ^ 0xFF]) + log[cut + 1 :]
        (folder / "store.db-wal").write_bytes(torn)
        with TinyStore.open(folder) as again:
            count = len(again.links().by_ajera)
            assert set(again.links().by_ajera) == {(Kind.FIRM, str(n)) for n in range(count)}
            assert len(again.bases(Kind.FIRM)) == count
            seen.add(count)
    assert len(seen) > 3


def test_a_replaced_older_copy_is_just_an_older_state(tmp_path: Path) -> None:
    store = filled(tmp_path)
    store.close()
    copy = store.path.read_bytes()
    with TinyStore.open(tmp_path) as later, later.transaction() as tx:
        tx.put_link(link(2))
    store.path.write_bytes(copy)
    with TinyStore.open(tmp_path) as again:
        assert list(again.links().by_ajera.values()) == [link(1)]


FOLLOW = """
import sys
from pathlib import Path
from core.model.values import Kind
from core.store import TinyStore
with TinyStore.open(Path(sys.argv[1])) as store:
    store.links(), store.bases(Kind.FIRM), store.marks()
    for line in sys.stdin:
        names = sorted(store.refresh())
        links = sorted(link.crm_key for link in store.links().by_ajera.values())
        bases = {name: dict(base)["n"].ajera for name, base in sorted(store.bases(Kind.FIRM).items())}
        print(names, links, bases, flush=True)
"""


def ask(running: subprocess.Popen[str]) -> str:
    assert running.stdin
    assert running.stdout
    running.stdin.write("\n")
    running.stdin.flush()
    return running.stdout.readline().strip()


def test_a_second_program_sees_exactly_what_changed(tmp_path: Path) -> None:
    with TinyStore.open(tmp_path) as store:
        other = program(FOLLOW, tmp_path)
        assert ask(other) == "[] [] {}"
        with store.transaction() as tx:
            tx.put_link(link(1))
            tx.put_link(link(2))
            tx.put_base(link(1), {"n": pair("1")})
        assert ask(other) == "['bases', 'links'] ['C1', 'C2'] {'firm:1': '1'}"
        assert ask(other) == "[] ['C1', 'C2'] {'firm:1': '1'}"
        with store.transaction() as tx:  # nothing of it shows before it is committed
            tx.drop_link(link(1))
            tx.put_link(link(1, "C9"))
            assert ask(other) == "[] ['C1', 'C2'] {'firm:1': '1'}"
        assert ask(other) == "['bases', 'links'] ['C2', 'C9'] {}"
        with store.transaction() as tx:
            tx.put_mark(Mark(Kind.FIRM, Side.CRM, "C1", True))
            tx.put_plan("d", {})
        assert ask(other) == "['marks', 'plans'] ['C2', 'C9'] {}"
        end(other)


def test_a_deletion_pruned_before_it_was_seen_is_taken_in_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datetime import UTC, datetime

    monkeypatch.setattr("core.store.sparing.JUST_NOW", 0)

    with filled(tmp_path) as store, TinyStore.open(tmp_path) as other:
        assert len(other.links().by_ajera) == 1
        with store.transaction() as tx:
            tx.drop_link(link(1))
        with store.transaction() as tx:
            tx.put_link(link(2))
        store.prune(10, 10, datetime(2026, 1, 1, tzinfo=UTC))
        assert store._storage._select("SELECT count(*) FROM docs WHERE body IS NULL") == [(0,)]
        other.refresh()
        assert list(other.links().by_ajera.values()) == [link(2)]


def test_a_check_is_made_against_what_another_program_wrote(tmp_path: Path) -> None:
    from core.errors import ActionRefused

    with TinyStore.open(tmp_path) as store, TinyStore.open(tmp_path) as other:
        store.links()
        with other.transaction() as tx:
            tx.put_link(link(1))
        with pytest.raises(ActionRefused), store.transaction() as tx:
            tx.put_link(link(2, "C1"))
        with store.transaction() as tx:
            tx.put_base(link(1), {"a": pair("1")})
        with other.transaction() as tx:
            tx.put_base(link(1), {"b": pair("2")})
        store.refresh()
        assert store.base(link(1)) == other.base(link(1)) == {"a": pair("1"), "b": pair("2")}


Step = tuple[str, int, int]
STEPS = st.lists(
    st.tuples(st.sampled_from(["link", "unlink", "base", "record", "drop"]), st.integers(0, 5), st.integers(0, 5)),
    max_size=8,
)


class Model:
    """The same as two plain dictionaries."""

    def __init__(self) -> None:
        self.links: dict[str, str] = {}
        self.bases: dict[str, dict[str, str]] = {}
        self.records: dict[str, str] = {}

    def copy(self) -> Model:
        other = Model()
        other.links, other.records = dict(self.links), dict(self.records)
        other.bases = {key: dict(base) for key, base in self.bases.items()}
        return other

    def allowed(self, key: str, partner: str) -> bool:
        taken = {crm: ajera for ajera, crm in self.links.items()}
        return self.links.get(key, partner) == partner and taken.get(partner, key) == key


def play(steps: list[Step], model: Model, tx: object) -> None:
    from core.errors import ActionRefused
    from core.store.transaction import TinyTransaction

    assert isinstance(tx, TinyTransaction)
    for step, a, b in steps:
        key, partner = str(a), f"C{b}"
        if step == "link":
            if model.allowed(key, partner):
                tx.put_link(link(key, partner))
                model.links[key] = partner
            else:
                with pytest.raises(ActionRefused):
                    tx.put_link(link(key, partner))
        elif step == "unlink":
            tx.drop_link(link(key, partner))
            if model.links.get(key) == partner:
                del model.links[key]
                model.bases.pop(key, None)
        elif step == "base":
            tx.put_base(link(key), {f"f{b}": pair(str(b)), "last": pair(partner)})
            model.bases.setdefault(key, {}).update({f"f{b}": str(b), "last": partner})
        elif step == "record":
            tx.put_records([firm(key, partner)])
            model.records[key] = partner
        else:
            tx.drop_record(Kind.FIRM, Side.AJERA, key)
            model.records.pop(key, None)


def same(store: TinyStore, model: Model) -> None:
    assert {each.ajera_key: each.crm_key for each in store.links().by_ajera.values()} == model.links
    assert {each.ajera_key: each.crm_key for each in store.links().by_crm.values()} == model.links
    bases = store.bases(Kind.FIRM)
    assert {k[5:]: {f: p.ajera for f, p in base.items()} for k, base in bases.items()} == model.bases
    assert {k: record.name for k, record in store.records(Kind.FIRM, Side.AJERA).items()} == model.records


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(STEPS, st.sampled_from(["", "inside", "commit"]), st.integers(0, 1)), max_size=10))
def test_two_stores_and_a_dictionary_agree(transactions: list[tuple[list[Step], str, int]]) -> None:
    """Random transactions with random aborts by either of two programs; then opened again."""
    fail = {"now": False}

    def before(_n: int) -> None:
        if fail["now"]:
            raise Died

    with tempfile.TemporaryDirectory() as name:
        stores = [TinyStore.open(Path(name), before_commit=before) for _ in range(2)]
        model = Model()
        for steps, abort, who in transactions:
            tried = model.copy()
            fail["now"] = abort == "commit"
            try:
                with stores[who].transaction() as tx:
                    play(steps, tried, tx)
                    if abort == "inside":
                        raise Died
            except Died:
                pass
            else:
                model = tried
            for store in stores:
                store.refresh()
                same(store, model)
        for store in stores:
            store.close()
        with TinyStore.open(Path(name)) as again:
            same(again, model)
