"""What the store costs: `python -m tests.bench.bench_store [LINKS...]`.

Beside it, measured in the same run: the bare commit of SQLite on this disk, and one update of stock TinyDB at a
smaller size (its cost grows with the store).
"""

from __future__ import annotations

import os
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from tinydb import TinyDB

from core.model.link import Link, Mark, Pair
from core.model.record import Record
from core.model.values import Address, Kind, Side, Value
from core.ports import RunRecord
from core.store import TinyStore
from tests.bench.bench_screen import resident
from tests.bench.table import head, middle, row

STOCK = 2_000


def fields(n: int) -> dict[str, Value]:
    return {
        "name": f"Firm number {n}",
        "phone": f"+1 312 555 {n % 10_000:04}",
        "email": f"office@firm{n}.example",
        "website": f"https://firm{n}.example",
        "address": Address((f"{n} Main Street", "Suite 4"), "Chicago", "IL", "60601", "US"),
        "amount": Decimal(n) + Decimal("0.25"),
        **{f"text{i}": f"value {i} of {n}" for i in range(14)},
    }


def record(n: int, side: Side = Side.AJERA, stamp: str = "1") -> Record:
    return Record(Kind.FIRM, side, str(n), f"Firm number {n}", stamp=stamp, fields=fields(n))


def link(n: int) -> Link:
    return Link(Kind.FIRM, str(n), f"CRM{n:06}", since="2026-01-01T00:00:00Z")


def fill(store: TinyStore, links: int) -> None:
    for start in range(0, links, 5_000):
        with store.transaction() as transaction:
            for n in range(start, min(start + 5_000, links)):
                transaction.put_link(link(n))
                transaction.put_base(link(n), {name: Pair(value, value) for name, value in fields(n).items()})
                transaction.put_records([record(n), record(n, Side.CRM)])


def timed(act: Callable[[int], object], rounds: int) -> list[float]:
    """Milliseconds of each round."""
    taken = []
    for n in range(rounds):
        start = time.perf_counter()
        act(n)
        taken.append((time.perf_counter() - start) * 1_000)
    return taken


def show(name: str, taken: Sequence[float], goal: float | None = None, beside: float | None = None) -> None:
    """The middle of so many milliseconds, the worst of them, and how many bare commits that is."""
    note = f"worst {max(taken):.3g}" if len(taken) > 1 else ""
    row(
        name,
        middle(taken),
        goal,
        "ms",
        f"{note}, {middle(taken) / beside:.1f} times SQLite's commit" if beside else note,
    )


def bare_commit(folder: Path) -> float:
    connection = sqlite3.connect(folder / "bare.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, body BLOB)")
    taken = timed(lambda n: connection.execute("INSERT INTO t VALUES (?, ?)", (n, b"x" * 700)), 200)
    connection.close()
    show("SQLite alone: one commit", taken)
    return middle(taken)


def stock(folder: Path) -> None:
    with TinyDB(folder / "stock.json") as db:
        db.insert_multiple({"n": n, "name": f"Firm number {n}", "text": "x" * 650} for n in range(STOCK))
        show(f"stock TinyDB: one update at {STOCK:,}", timed(lambda n: db.update({"n": n}, doc_ids=[n + 1]), 10))


def measure(folder: Path, links: int, bare: float) -> None:
    head(f"the store, {links:,} links, as many bases, twice as many records")
    with TinyStore.open(folder) as store:
        fill(store, links)
    stores: list[TinyStore] = []
    show("open, the file checked whole", timed(lambda n: stores.append(TinyStore.open(folder)), 5), 400)
    show("all links, read when everything is planned", timed(lambda n: stores[n].links(), 5))
    for each in stores:
        each.close()
    store, other = TinyStore.open(folder), TinyStore.open(folder)
    show("records of one side, first asked", timed(lambda n: store.records(Kind.FIRM, Side.AJERA), 1))
    show("records of one side, all decoded", timed(lambda n: store.records(Kind.FIRM, Side.AJERA).values(), 1))
    show("bases, first asked", timed(lambda n: store.bases(Kind.FIRM), 1))
    show("snapshot taken again", timed(lambda n: store.records(Kind.FIRM, Side.AJERA), 1_000))

    def tick(n: int) -> None:
        with store.transaction() as transaction:
            transaction.put_mark(Mark(Kind.FIRM, Side.CRM, f"CRM{n:06}", on=True, at=datetime.now(UTC).isoformat()))

    def settle(n: int) -> None:
        with store.transaction() as transaction:
            transaction.put_records([record(n * 7 % links, stamp=f"s{n}")])
            transaction.put_base(link(n * 7 % links), {"name": Pair(f"new {n}", f"new {n}")})

    batches = [[record((n * 500 + i) * 7 % links, stamp=f"b{n}") for i in range(500)] for n in range(20)]

    def batch(n: int) -> None:
        with store.transaction() as transaction:
            transaction.put_records(batches[n])

    show("one commit: a tick", timed(tick, 200), 3, bare)
    show("one commit: a record and its base", timed(settle, 500), 3, bare)
    show("a batch of 500 records", timed(batch, 20), 30, bare)
    show("refresh, other program, after those", timed(lambda n: other.refresh(), 1))
    show("refresh, nothing new", timed(lambda n: other.refresh(), 1_000))
    show("a transaction that changes nothing", timed(lambda n: settle(499), 100))
    store.close()
    other.close()
    row("the file", (folder / "store.db").stat().st_size / 1e6, None, "MB")


def days_of_runs(folder: Path, days: int = 4) -> None:
    """What the program holds more after each day of a run a minute, the first left out: the list of runs grows in the file."""
    held, at = [], datetime(2026, 1, 1, tzinfo=UTC)
    with TinyStore.open(folder) as store:
        for _ in range(days):
            for _ in range(24 * 60):
                at += timedelta(minutes=1)
                run = RunRecord(f"{at:%Y%m%dT%H%M%S}-abcdef", at.isoformat(), at.isoformat(), "schedule", "ok")
                with store.transaction() as transaction:
                    transaction.put_run(run)
                store.prune(1_000, 90, at)
            held.append(resident(os.getpid()))
    row("held more after a day of a run a minute", (held[-1] - held[0]) / (days - 1), None, "MB")


def main() -> None:
    sizes = [int(size) for size in sys.argv[1:]] or [1_000, 50_000]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        head("beside the store")
        bare = bare_commit(folder)
        stock(folder)
        days_of_runs(folder / "days")
        for size in sizes:
            measure(folder / str(size), size, bare)


if __name__ == "__main__":
    main()
