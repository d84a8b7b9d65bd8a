"""core.ports.Store as TinyStore keeps it: what is put is what is read, also after opening again."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from core.errors import ActionRefused, StoreFailure, StoreUnwritable
from core.model.link import Choice, Decision, Link, LinkState, Mark
from core.model.values import Kind, Side
from core.ports import Cursor, Failure, Intent, OpenItem
from core.store import TinyStore
from tests.store.helpers import FULL, HOSTILE, action, entry, firm, link, pair, run


@pytest.fixture
def store(tmp_path: Path) -> Iterator[TinyStore]:
    with TinyStore.open(tmp_path / "state") as opened:
        yield opened


def again(store: TinyStore) -> TinyStore:
    return TinyStore.open(store.path.parent)


MARK = Mark(Kind.PROJECT, Side.CRM, "P1", True, "P9", "Standard", True, True, "now")
DECISION = Decision(
    Kind.FIRM, Side.CRM, "C1", Choice.LINK, "1", "name", Side.AJERA, Decimal("2.50"), ("a", None), "now"
)
CURSOR = Cursor(Side.CRM, Kind.FIRM, "2026", True, 5, "then")
FAILURE = Failure("f1", Kind.FIRM, Side.CRM, "C1", "Acme", "update", "money", "No.", 3, None, "abc", "now")
INTENT = Intent("i1", "r1", action(), "now", ("a", "b"), "chosen")
ITEM = OpenItem("x1", "conflict", {"kind": "firm", "list": [1, None, {"a": "b"}]}, "2026")
GONE = replace(link(3), state=LinkState.GONE, reason="deleted", since="now", gone_side=Side.CRM)


def test_everything_put_is_read_back_by_a_store_opened_later(store: TinyStore) -> None:
    with store.transaction() as tx:
        tx.put_records([FULL, replace(FULL, key=HOSTILE, raw=object())])
        tx.put_link(link(1))
        tx.put_link(GONE)
        tx.put_base(link(1), {"name": pair("a"), "money": pair(HOSTILE)})
        tx.put_mark(MARK)
        tx.put_decision(DECISION)
        tx.replace_items("conflict", [ITEM])
        tx.put_cursor(CURSOR)
        tx.put_intent(INTENT)
        tx.put_failure(FAILURE)
        tx.put_run(run("r1", counts={"create": 1}, seconds=1.5))
        tx.add_history([entry("h1", "r1")])
        tx.put_setting("theme", {"name": "dark"})
        tx.put_plan("d1", {"digest": "d1", "actions": []})
    for each in (store, again(store)):
        records = each.records(Kind.PROJECT, Side.CRM)
        assert dict(records) == {"P1": FULL, HOSTILE: replace(FULL, key=HOSTILE)}
        assert records[HOSTILE].raw is None
        assert each.links().of(Kind.FIRM, Side.CRM, "C1") == link(1)
        assert each.links().of(Kind.FIRM, Side.AJERA, "3") == GONE
        assert each.base(link(1)) == {"name": pair("a"), "money": pair(HOSTILE)}
        assert each.bases(Kind.FIRM) == {link(1).id: each.base(link(1))}
        assert each.marks() == {MARK.id: MARK}
        assert each.decisions() == {DECISION.id: DECISION}
        assert each.items() == each.items("conflict") == [ITEM]
        assert each.items("drift") == []
        assert each.cursor(Kind.FIRM, Side.CRM) == CURSOR
        assert each.cursor(Kind.FIRM, Side.AJERA) == Cursor(Side.AJERA, Kind.FIRM)
        assert each.intents() == [INTENT]
        assert each.failures() == {"f1": FAILURE}
        assert each.run("r1") == run("r1", counts={"create": 1}, seconds=1.5)
        assert each.run("r2") is None
        assert each.history_of_run("r1") == [entry("h1", "r1")]
        assert each.setting("theme") == {"name": "dark"}
        assert each.setting("none", 5) == 5
        assert each.plan("d1") == {"digest": "d1", "actions": []}
        assert each.plan("d2") is None
        if each is not store:
            each.close()


def test_dropped_things_are_gone_after_opening_again(store: TinyStore) -> None:
    with store.transaction() as tx:
        tx.put_records([firm("1"), firm("2")])
        tx.put_link(link(1))
        tx.put_base(link(1), {"name": pair("a")})
        tx.put_mark(MARK)
        tx.put_decision(DECISION)
        tx.put_intent(INTENT)
        tx.put_failure(FAILURE)
    with store.transaction() as tx:
        tx.drop_record(Kind.FIRM, Side.AJERA, "1")
        tx.drop_record(Kind.FIRM, Side.AJERA, "never there")
        tx.drop_link(link(1))
        tx.drop_mark(MARK.id)
        tx.drop_decision(DECISION.id)
        tx.drop_intent("i1")
        tx.drop_failure("f1")
    with again(store) as other:
        for each in (store, other):
            assert list(each.records(Kind.FIRM, Side.AJERA)) == ["2"]
            assert not each.links().by_ajera
            assert not each.links().by_crm
            assert each.base(link(1)) == {}
            assert not any((each.marks(), each.decisions(), each.intents(), each.failures()))


def fail_inside(store: TinyStore) -> None:
    with store.transaction() as tx:
        tx.drop_link(link(1))
        tx.put_link(link(2))
        tx.put_records([firm("1")])
        raise ZeroDivisionError


def test_an_exception_inside_undoes_everything(store: TinyStore) -> None:
    with store.transaction() as tx:
        tx.put_link(link(1))
    with pytest.raises(ZeroDivisionError):
        fail_inside(store)
    with again(store) as other:
        for each in (store, other):
            assert list(each.links().by_ajera.values()) == [link(1)]
            assert not each.records(Kind.FIRM, Side.AJERA)


@pytest.mark.parametrize("loaded", [True, False])
def test_a_base_is_merged_field_by_field(store: TinyStore, loaded: bool) -> None:
    if loaded:
        store.bases(Kind.FIRM)
    with store.transaction() as tx:
        tx.put_base(link(1), {"a": pair("1"), "b": pair("1")})
        tx.put_base(link(1), {"b": pair("2")})
    with store.transaction() as tx:
        tx.put_base(link(1), {"c": pair("3")})
        tx.drop_base(link(1), ["a", "unknown"])
    assert store.base(link(1)) == {"b": pair("2"), "c": pair("3")}
    with store.transaction() as tx:
        tx.drop_base(link(1), ["b", "c"])
    assert store.base(link(1)) == {}
    assert link(1).id not in store.bases(Kind.FIRM)


def take_and_take_back(store: TinyStore, second: Link) -> None:
    with store.transaction() as tx:
        tx.drop_link(link(1))
        tx.put_link(second)
        tx.put_link(link(1))


@pytest.mark.parametrize("second", [link(1, "other"), link(2, "C1")])
@pytest.mark.parametrize("state", list(LinkState))
def test_a_key_has_one_link(store: TinyStore, second: Link, state: LinkState) -> None:
    with store.transaction() as tx:
        tx.put_link(replace(link(1), state=state))
    with pytest.raises(ActionRefused, match="linked to"), store.transaction() as tx:
        tx.put_link(second)
    with pytest.raises(ActionRefused):
        take_and_take_back(store, second)
    with store.transaction() as tx:  # free again once it is dropped, in the same transaction too
        tx.drop_link(link(1))
        tx.put_link(second)
    assert list(store.links().by_ajera.values()) == list(store.links().by_crm.values()) == [second]


def test_a_link_changes_its_state_in_place_and_a_foreign_pair_drops_nothing(store: TinyStore) -> None:
    with store.transaction() as tx:
        tx.put_link(link(1))
        tx.put_link(replace(link(1), state=LinkState.DORMANT))
        tx.drop_link(link(1, "other"))
    assert store.links().of(Kind.FIRM, Side.CRM, "C1") == replace(link(1), state=LinkState.DORMANT)


def test_two_links_swap_their_partners(store: TinyStore) -> None:
    with store.transaction() as tx:
        tx.put_link(link(1))
        tx.put_link(link(2))
    with store.transaction() as tx:
        tx.drop_link(link(1))
        tx.drop_link(link(2))
        tx.put_link(link(1, "C2"))
        tx.put_link(link(2, "C1"))
    with again(store) as other:
        for each in (store, other):
            assert each.links().partner(Kind.FIRM, Side.CRM, "C1") == "2"
            assert each.links().partner(Kind.FIRM, Side.AJERA, "1") == "C2"


def test_a_queue_is_replaced_and_others_stay(store: TinyStore) -> None:
    drift = replace(ITEM, queue="drift")
    with store.transaction() as tx:
        tx.replace_items("conflict", [ITEM, replace(ITEM, id="x2")])
        tx.replace_items("drift", [drift])
    with store.transaction() as tx:
        tx.replace_items("conflict", [replace(ITEM, id="x3"), replace(ITEM, id="x4")])
        tx.replace_items("conflict", [replace(ITEM, id="x4")])
    assert [item.id for item in store.items("conflict")] == ["x4"]
    assert store.items("drift") == [drift]


def test_a_snapshot_stays_as_it_was(store: TinyStore) -> None:
    with store.transaction() as tx:
        tx.put_records(firm(str(n)) for n in range(1_000))
    before, links = store.records(Kind.FIRM, Side.AJERA), store.links()
    for n in range(600):
        with store.transaction() as tx:
            tx.drop_record(Kind.FIRM, Side.AJERA, str(n))
            tx.put_records([firm(f"new{n}"), firm("999", f"Name {n}")])
            tx.put_link(link(n))
    after = store.records(Kind.FIRM, Side.AJERA)
    assert before == {str(n): firm(str(n)) for n in range(1_000)}
    assert len(links.by_ajera) == 0
    assert after["999"].name == "Name 599"
    assert len(after) == len(list(after)) == len(dict(after.items())) == 1_000
    assert set(after) == {str(n) for n in range(600, 1_000)} | {f"new{n}" for n in range(600)}
    assert len(store.links().by_crm) == 600


def test_one_change_copies_little(store: TinyStore) -> None:
    """Nothing that grows with the table: the big part is shared by the snapshots before and after."""
    with store.transaction() as tx:
        tx.put_records(firm(str(n)) for n in range(5_000))
    before: Any = store.records(Kind.FIRM, Side.AJERA)
    with store.transaction() as tx:
        tx.put_records([firm("1", "New")])
    after: Any = store.records(Kind.FIRM, Side.AJERA)
    assert after._base is before._base
    assert len(after._over) == 1


def test_writing_the_same_again_writes_nothing(store: TinyStore) -> None:
    commits: list[int] = []
    store.close()
    with TinyStore.open(store.path.parent, before_commit=commits.append) as counted:
        for _ in range(2):
            with counted.transaction() as tx:
                tx.put_records([FULL])
                tx.put_link(link(1))
                tx.replace_items("conflict", [ITEM])
                tx.drop_mark("never there")
        with counted.transaction():
            pass
    assert commits == [1]


def test_reading_inside_a_transaction_shows_the_state_before(store: TinyStore) -> None:
    with store.transaction() as tx:
        tx.put_records([firm("1", "Old")])
        tx.put_plan("d", {"n": 1})
        assert not store.records(Kind.FIRM, Side.AJERA)
        assert store.plan("d") is None
    assert store.records(Kind.FIRM, Side.AJERA)["1"].name == "Old"


def test_a_transaction_inside_another_is_refused(store: TinyStore) -> None:
    with store.transaction(), pytest.raises(RuntimeError, match="open already"), store.transaction():
        pass


def test_settings_handed_out_may_be_changed(store: TinyStore) -> None:
    with store.transaction() as tx:
        tx.put_setting("list", [1])
        tx.put_setting("none", None)
    store.setting("list").append(2)
    assert store.setting("list") == [1]
    assert store.setting("none", "default") is None


def test_history_is_found_by_record_newest_first(store: TinyStore) -> None:
    with store.transaction() as tx:
        tx.add_history(entry(f"h{n}", f"r{n % 3}", key="1" if n % 2 else "2", crm="C1") for n in range(20))
    by_record = store.history_of(Kind.FIRM, Side.AJERA, "1", limit=3)
    assert [each.id for each in by_record] == ["h19", "h17", "h15"]
    assert len(store.history_of(Kind.FIRM, Side.CRM, "C1")) == 20
    assert store.history_of(Kind.PROJECT, Side.CRM, "C1") == []
    assert [each.id for each in store.history_of_run("r0")] == [f"h{n}" for n in range(0, 20, 3)]


def test_history_is_never_scanned(store: TinyStore) -> None:
    """By the query plan, so that it holds however long the history gets."""
    from core.store import storage

    reader = store._storage._open_reader()
    assert reader is not None
    plan = reader.execute("EXPLAIN QUERY PLAN " + storage._BY_TERM + "DESC LIMIT ?", ("history", "x", 5)).fetchall()
    steps = [row[3] for row in plan]
    assert not [step for step in steps if step.startswith("SCAN")], steps
    assert any("term=?" in step for step in steps)


def test_prune_keeps_the_newest_the_young_and_the_unsettled(store: TinyStore) -> None:
    now = datetime(2026, 6, 1, tzinfo=UTC)
    with store.transaction() as tx:
        for month in range(1, 6):
            tx.put_run(run(f"r{month}", f"2026-0{month}-01T00:00:00Z"))
            tx.add_history([entry(f"h{month}", f"r{month}"), entry(f"g{month}", f"r{month}", key="2")])
        tx.put_intent(replace(INTENT, run="r1"))
        for n in range(30):
            tx.put_plan(f"d{n:02}", {"n": n})
    assert store.prune(1, 70, now) == 2
    with again(store) as other:
        for each in (store, other):
            assert [each.id for each in each.runs()] == ["r5", "r4", "r1"]
            assert [each.id for each in each.history_of(Kind.FIRM, Side.AJERA, "1")] == ["h5", "h4", "h1"]
            assert each.history_of_run("r2") == []
    assert store.plan("d05") is None
    assert store.plan("d29") == {"n": 29}
    assert store.prune(1, 70, now) == 0
    assert store.runs(limit=1)[0].id == "r5"


def test_what_is_written_after_a_prune_is_seen_by_all(store: TinyStore) -> None:
    """The last sequence number is never given out twice, even if its document was erased."""
    with again(store) as other:
        with store.transaction() as tx:
            tx.put_run(run("r1", "2020-01-01T00:00:00Z"))
            tx.add_history([entry("h1", "r1")])
        other.refresh()
        assert store.prune(0, 0, datetime(2026, 1, 1, tzinfo=UTC)) == 1
        with store.transaction() as tx:
            tx.put_mark(MARK)
        assert other.refresh() >= {"runs", "marks"}
        assert other.runs() == []
        assert other.marks() == {MARK.id: MARK}


def test_threads_read_whole_transactions_while_one_writes(store: TinyStore) -> None:
    stop, torn = threading.Event(), []

    def read() -> None:
        while not stop.is_set():
            records = store.records(Kind.FIRM, Side.AJERA)
            names = {record.name for record in records.values()}
            if len(names) > 1 or len(records) not in (0, 50):
                torn.append(names)

    readers = [threading.Thread(target=read) for _ in range(1)]
    for thread in readers:
        thread.start()
    for n in range(25):
        with store.transaction() as tx:
            tx.put_records(firm(str(key), f"Name {n}") for key in range(50))
    stop.set()
    for thread in readers:
        thread.join()
    assert not torn


def test_writing_threads_take_turns(store: TinyStore) -> None:
    def add(start: int) -> None:
        for n in range(start, start + 25):
            with store.transaction() as tx:
                tx.put_link(link(n))

    threads = [threading.Thread(target=add, args=(start,)) for start in (0, 100, 200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.links().by_ajera) == 75


def test_a_closed_store_says_so(store: TinyStore) -> None:
    store.close()
    with pytest.raises(StoreFailure, match="closed"), store.transaction():
        pass
    with pytest.raises(StoreFailure, match="closed"):
        store.marks()


def test_opened_for_reading_it_follows_but_never_writes(store: TinyStore, tmp_path: Path) -> None:
    folder = tmp_path / "later"
    with TinyStore.open(folder, readonly=True) as reader:
        assert not reader.marks()
        assert not folder.exists()
        with TinyStore.open(folder) as writer, writer.transaction() as tx:
            tx.put_mark(MARK)
        assert reader.refresh() == {"marks"}
        assert reader.marks() == {MARK.id: MARK}
        with pytest.raises(StoreUnwritable, match="reading only"), reader.transaction():
            pass


def test_it_is_a_store() -> None:
    from core import ports

    def as_port(opened: TinyStore) -> ports.Store:
        return opened

    wanted = {name for name in vars(ports.Store) if not name.startswith("_")}
    assert wanted <= set(dir(TinyStore))
    assert callable(as_port)


def test_runs_are_read_from_the_file_and_never_held(tmp_path: Path) -> None:
    """A run a minute for 90 days: what a program holds does not grow with them (found by `make soak-week`)."""
    with TinyStore.open(tmp_path) as store:
        with store.transaction() as tx:
            for n in range(300):
                tx.put_run(run(f"20260101T{n:06}-{n % 7}", f"2026-01-01T00:00:{n:06}Z"))
        assert [each.id[9:15] for each in store.runs(3)] == ["000299", "000298", "000297"]
        assert store.run("20260101T000007-0") is not None
        assert store.run("20260101T000007-1") is None
        assert not store._memory.loaded("runs")


def test_of_runs_within_one_second_the_later_one_is_first(tmp_path: Path) -> None:
    with TinyStore.open(tmp_path) as store:
        with store.transaction() as tx:
            tx.put_run(run("20260101T000000-f", "2026-01-01T00:00:00.100Z"))
            tx.put_run(run("20260101T000000-a", "2026-01-01T00:00:00.200Z"))
        assert [each.id[-1] for each in store.runs(1)] == ["a"]
