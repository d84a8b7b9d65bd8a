"""Who names whom, kept by the store from the bytes of its file: the same as going over all records."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.errors import StoreDamaged
from core.model.record import Entry, Record
from core.model.values import Kind, Ref, Side
from core.reconcile.situation import naming_of
from core.store import TinyStore

ODD = ("f1", 'quo"te', "back\\slash", "täg", "\ud800", "\x00nul", '["firm","crm","f1"]')


def contact(key: str, firm: str | None, title: str = "") -> Record:
    fields = {"title": title, "firm": Ref(Kind.FIRM, Side.CRM, firm) if firm is not None else None}
    return Record(Kind.CONTACT, Side.CRM, key, f"Name {key}", fields=fields)


def project(key: str, client: str, *contacts: str) -> Record:
    refs = {"client": Ref(Kind.FIRM, Side.CRM, client), "manager": Ref(Kind.EMPLOYEE, Side.CRM, client)}
    return Record(Kind.PROJECT, Side.CRM, key, key, fields=refs, contacts=tuple(Entry(each) for each in contacts))


def same(store: TinyStore, kind: Kind) -> bool:
    names = {named: sorted(keys) for named, keys in store.names(kind, Side.CRM).items() if keys}
    records = store.records(kind, Side.CRM).values()
    return names == {named: sorted(keys) for named, keys in naming_of(records).items()}


@pytest.mark.parametrize("asked_first", [True, False])
def test_names_are_those_of_the_records_however_odd_their_keys(tmp_path: Path, asked_first: bool) -> None:
    with TinyStore.open(tmp_path) as store, TinyStore.open(tmp_path) as other:
        if asked_first:
            assert not store.names(Kind.CONTACT, Side.CRM)
            assert not other.names(Kind.PROJECT, Side.CRM)
        with store.transaction() as tx:
            tx.put_records([contact(f"k{n}", key, title=f'"ref":["firm","crm","{n}"]') for n, key in enumerate(ODD)])
            tx.put_records([project(f"p{n}", key, *ODD[: n + 1]) for n, key in enumerate(ODD)])
        assert same(store, Kind.CONTACT)
        with store.transaction() as tx:
            tx.put_records([contact("k0", "f2"), contact("k1", None), project("p0", "f2", "täg")])
            tx.drop_record(Kind.CONTACT, Side.CRM, "k2")
            tx.drop_record(Kind.PROJECT, Side.CRM, "p6")
        other.refresh()
        for each in (store, other):
            assert same(each, Kind.CONTACT)
            assert same(each, Kind.PROJECT)
        assert store.names(Kind.CONTACT, Side.CRM)[Kind.FIRM, "f2"] == ("k0",)
        assert store.keys(Kind.CONTACT, Side.CRM) == store.records(Kind.CONTACT, Side.CRM).keys()


def test_what_was_handed_out_stays_as_it_was(tmp_path: Path) -> None:
    with TinyStore.open(tmp_path) as store:
        with store.transaction() as tx:
            tx.put_records([contact("k1", "f1")])
        before = store.names(Kind.CONTACT, Side.CRM)
        with store.transaction() as tx:
            tx.put_records([contact("k1", "f2")])
        assert (before[Kind.FIRM, "f1"], before.get((Kind.FIRM, "f2"), ())) == (("k1",), ())


def test_a_damaged_record_is_told(tmp_path: Path) -> None:
    with TinyStore.open(tmp_path) as store:
        with store.transaction() as tx:
            tx.put_records([project("p1", "f1", "k1")])
        store._storage._writer.execute("UPDATE docs SET body = X'22636f6e7461637473223a5b5b' WHERE id = 'p1'")  # type: ignore[union-attr] # open
        with pytest.raises(StoreDamaged):
            store.names(Kind.PROJECT, Side.CRM)


def test_what_lands_while_names_are_made_is_in_them_and_nobody_waits(tmp_path: Path) -> None:
    """The storage hands out slices; in the middle of them another thread reads and writes."""
    store = TinyStore.open(tmp_path)
    put(store, *(project(str(n), "1") for n in range(3)))
    slices = store._storage.slices

    def slow(table: str, size: int) -> Iterator[list[tuple[str, bytes]]]:
        for found in slices(table, size // size):
            yield found
            with ThreadPoolExecutor(1) as pool:
                pool.submit(put, store, project("0", "2"), project("9", "3")).result(10)

    store._storage.slices = slow  # type: ignore[method-assign] # for this test
    names = store.names(Kind.PROJECT, Side.CRM)
    store.close()
    firms = {key: set(keys) for (kind, key), keys in names.items() if kind is Kind.FIRM and keys}
    assert firms == {"1": {"1", "2"}, "2": {"0"}, "3": {"9"}}


def put(store: TinyStore, *records: Record) -> None:
    with store.transaction() as tx:
        tx.put_records(records)
