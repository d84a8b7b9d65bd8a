"""`status` at a glance says what the service says, and says nothing where it could not know."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core import glance
from core.engine.schedule import Cron
from core.model.link import Link, LinkState, Mark
from core.model.record import Record
from core.model.values import Kind, Side
from core.paths import Paths, paths_for
from core.ports import Failure, OpenItem, RunRecord
from core.store import SqliteStorage, TinyStore, run_lock, schedule_lease, sqlite_file
from tests.architecture.test_imports import HEAVY, after_command
from tests.unit.cli_kit import Said, call

SETTINGS = """\
[ajera]
url = "https://ajera.example/AjeraAPI.ashx?x"
username = "u"
password = "open-sesame"
[crm]
url = "https://crm.example/api"
database = "d"
username = "u"
password = "open-sesame"
client_id = "c"
client_secret = "open-sesame"
[schedule]
cron = "0 0 1 * *"
"""
NOW = datetime.now(UTC)
Change = Callable[[Path], None]


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    """A profile with some records, links and ticks, never looked at."""
    for name in ("state", "config"):
        monkeypatch.setenv(f"XDG_{name.upper()}_HOME", str(tmp_path / name))
    found = paths_for()
    found.config.parent.mkdir(parents=True)
    found.config.write_text(SETTINGS)
    with TinyStore.open(found.make_state()) as store, store.transaction() as tx:
        tx.put_records(Record(Kind.FIRM, Side.CRM, f"C{n}", "Acme", marked=n % 2 == 0) for n in range(5))
        tx.put_link(Link(Kind.FIRM, "1", "C1"))
        tx.put_link(Link(Kind.FIRM, "2", "C2", state=LinkState.GONE))
        tx.put_mark(Mark(Kind.FIRM, Side.CRM, "C1", on=True))
    return found


def run_of(started: datetime, outcome: str = "ok") -> RunRecord:
    at = started.strftime("%Y-%m-%dT%H:%M:%S.123Z")
    finished = "" if outcome == "running" else at
    name = f"{at[:19].replace(':', '').replace('-', '')}-abcdef"
    return RunRecord(name, at, finished, outcome=outcome, counts={"create": 2, "update": 0}, requests={"crm": 4})


def written(paths: Paths, **settings: Any) -> None:
    with TinyStore.open(paths.state) as store, store.transaction() as tx:
        for name, value in settings.items():
            tx.put_setting(name, value)


def put(paths: Paths, *runs: RunRecord) -> None:
    with TinyStore.open(paths.state) as store, store.transaction() as tx:
        for each in runs:
            tx.put_run(each)


def connected(paths: Paths) -> None:
    written(paths, seen_mode={"direction": "two-way", "ajera_version": "9.10.00", "reason": "Ajera 9.10.00"})


def after_runs(paths: Paths) -> None:
    put(paths, *(run_of(NOW - timedelta(minutes=5 * n), "partial") for n in range(3)))
    written(paths, last_good=run_of(NOW).started)


def silent(paths: Paths) -> None:
    """No good run, and the first one is long ago."""
    put(paths, run_of(NOW - timedelta(days=300), "failed"), run_of(NOW, "failed"))


def set_back(paths: Paths) -> None:
    written(paths, last_good="2199-01-01T00:00:00.000Z")


def waiting(paths: Paths) -> None:
    items = [OpenItem(f"{n}\ud800", "conflict", {"n": n}, "2026-01-01T00:00:00.000Z") for n in range(3)]
    drift = [OpenItem("x", "drift", {}, "2026-01-01T00:00:00.000Z")]
    failure = Failure("f", Kind.FIRM, Side.CRM, "C1", "Acme", "update", "g", "no", 1, None, "c", NOW.isoformat())
    with TinyStore.open(paths.state) as store, store.transaction() as tx:
        tx.replace_items("conflict", items)
        tx.replace_items("drift", drift)
        tx.put_failure(failure)


def own_schedule(paths: Paths) -> None:
    written(paths, schedule={"cron": "0 6 1 * *", "timezone": "Asia/Tokyo"})


def without_schedule(paths: Paths) -> None:
    paths.config.write_text(SETTINGS.replace('"0 0 1 * *"', '""').replace("[schedule]", "[schedule]\ntimezone = 'UTC'"))


@contextmanager
def held(paths: Paths) -> Iterator[None]:
    """Another program runs, and has the schedule."""
    put(paths, run_of(NOW, "running"))
    with ExitStack() as stack:
        for lock in (run_lock(paths.state, "ajerasync watch"), schedule_lease(paths.state, "ajerasync watch")):
            assert lock.acquire()
            stack.callback(lock.release)
        yield


def seen(paths: Paths) -> Any:
    return glance.status_of(paths, glance.look(paths))


def by_the_service(*words: str) -> Said:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(glance, "status_of", lambda *_: None)
        return call(*words)


def both(*words: str) -> tuple[Said, Said]:
    return by_the_service(*words), call(*words)


STATES: dict[str, Callable[[Paths], Any]] = {
    "fresh": lambda _: None,
    "connected": connected,
    "after runs": after_runs,
    "silent": silent,
    "the clock was set back": set_back,
    "much waits": waiting,
    "switched off": lambda paths: written(paths, enabled=False),
    "paused": lambda paths: written(paths, paused=True),
    "a schedule set here": own_schedule,
    "no schedule": without_schedule,
    "another program runs": held,
}


@pytest.mark.parametrize("state", STATES)
def test_a_glance_says_what_the_service_says(paths: Paths, state: str) -> None:
    with ExitStack() as stack:
        made = STATES[state](paths)
        if made is not None:
            stack.enter_context(made)
        by_the_service("status")
        assert seen(paths) is not None
        for words in (("status",), ("status", "--json")):
            whole, quick = both(*words)
            assert quick == whole
        counts = json.loads(quick.out)["counts"]
        assert counts["firm"] == {"marked": 4, "linked": 1}
    assert b"sesame" not in (paths.state / glance.FILE).read_bytes()
    assert (paths.state / glance.FILE).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("state", ["connected", "after runs", "much waits", "paused", "another program runs"])
def test_what_a_run_writes_is_seen_at_a_glance(paths: Paths, state: str) -> None:
    """As above, but it came after the last answer of the service."""
    by_the_service("status")
    with ExitStack() as stack:
        made = STATES[state](paths)
        if made is not None:
            stack.enter_context(made)
        assert seen(paths) is not None
        whole, quick = both("status", "--json")
        assert quick == whole


def other_settings(paths: Paths) -> None:
    paths.config.write_text(SETTINGS.replace("0 0 1", "5 0 1"))


def ticked_more(paths: Paths) -> None:
    with TinyStore.open(paths.state) as store, store.transaction() as tx:
        tx.put_mark(Mark(Kind.FIRM, Side.CRM, "C3", on=True))


def linked_less(paths: Paths) -> None:
    with TinyStore.open(paths.state) as store, store.transaction() as tx:
        tx.put_link(Link(Kind.FIRM, "1", "C1", state=LinkState.GONE))


def of_schema_two(paths: Paths) -> None:
    """As an earlier version left it."""
    paths.store.unlink()
    SqliteStorage(paths.store, migrations=sqlite_file.MIGRATIONS[:2]).close()


def gone(paths: Paths) -> None:
    paths.store.unlink()


def open_to_others(paths: Paths) -> None:
    paths.state.chmod(0o750)


def kept_part_damaged(paths: Paths) -> None:
    (paths.state / glance.FILE).write_text('{"for": ')


@pytest.mark.parametrize(
    "change", [other_settings, ticked_more, linked_less, of_schema_two, gone, open_to_others, kept_part_damaged]
)
def test_what_moved_is_told_by_the_service_once(paths: Paths, change: Callable[[Paths], None]) -> None:
    call("status")
    change(paths)
    assert seen(paths) is None
    whole, again = call("status", "--json"), call("status", "--json")
    assert whole == by_the_service("status", "--json")
    assert again == whole
    assert seen(paths) is not None


def broken_settings(paths: Paths) -> None:
    paths.config.write_text(SETTINGS + "[shedule]\n")


def no_settings(paths: Paths) -> None:
    paths.config.unlink()


def condemned(paths: Paths) -> None:
    paths.store.with_suffix(".condemned").write_text("a document cannot be read")


def too_new(paths: Paths) -> None:
    with sqlite3.connect(paths.store) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()


def no_database(paths: Paths) -> None:
    paths.store.write_bytes(b"no database at all" * 400)


@pytest.mark.parametrize("change", [broken_settings, no_settings, condemned, too_new, no_database])
def test_what_is_wrong_is_said_in_full(paths: Paths, change: Callable[[Paths], None]) -> None:
    call("status")
    change(paths)
    assert seen(paths) is None
    said = call("status")
    assert said.code == 2
    assert said.err
    assert said.out == ""


def test_a_store_that_another_program_locks_gives_no_glance(paths: Paths) -> None:
    call("status")
    other = sqlite3.connect(paths.store, isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    try:
        assert glance.look(paths) is None
    finally:
        other.close()
    assert seen(paths) is not None


def test_due_times_are_kept_until_few_are_left_or_time_goes_back(paths: Paths) -> None:
    paths.config.write_text(SETTINGS.replace("0 0 1 * *", "*/15 * * * *"))
    call("status")
    found = glance.look(paths)
    kept = json.loads((paths.state / glance.FILE).read_text())["due"]
    last = datetime.fromisoformat(kept[-8])
    schedule = Cron("*/15 * * * *")
    for moment in (last - timedelta(seconds=1), last - timedelta(minutes=15)):
        status = glance.status_of(paths, found, moment)
        assert status is not None
        assert [datetime.fromisoformat(due) for due in status.next_runs] == list(schedule.next(moment))
    for moment in (last, NOW - timedelta(days=1)):
        assert glance.status_of(paths, found, moment) is None


@pytest.mark.parametrize("expression", ["30 1 * * *", "*/20 * * * *", "30 2 * * sun", "0 0 31 2 *"])
def test_steady_times_are_those_that_any_moment_among_them_tells(expression: str) -> None:
    """Around the hour that comes twice in Chicago, and the one that does not come."""
    cron = Cron(expression, "America/Chicago")
    for start in (datetime(2026, 10, 29, 5, tzinfo=UTC), datetime(2027, 3, 12, 5, tzinfo=UTC)):
        steady = cron.steady(start, 60)
        for place, moment in enumerate(steady):
            rest = steady[place + 1 :]
            assert cron.next(moment, len(rest)) == rest


def test_a_read_only_program_keeps_nothing(paths: Paths) -> None:
    assert call("--readonly", "status").code == call("status").code
    (paths.state / glance.FILE).unlink()
    call("--readonly", "status")
    assert not (paths.state / glance.FILE).exists()


def test_a_glance_leaves_the_store_as_it_was(paths: Paths) -> None:
    call("status")
    before = {path.name: (path.stat().st_mtime_ns, path.stat().st_size) for path in paths.state.iterdir()}
    call("status")
    assert {path.name: (path.stat().st_mtime_ns, path.stat().st_size) for path in paths.state.iterdir()} == before


def test_the_newest_run_is_the_one_that_started_last(paths: Paths) -> None:
    """Whatever order they were written in, and however many there are."""
    runs = [run_of(NOW - timedelta(minutes=n)) for n in range(250)]
    put(paths, *runs[100:], *runs[:100])
    put(paths, replace(runs[3], message="seen again"))
    whole, quick = both("status", "--json")
    assert quick == whole
    assert quick.json["last_run"]["id"] == runs[0].id
    os.utime(paths.config)  # another time stamp is another file until it was read
    assert seen(paths) is None


@pytest.mark.parametrize("words", [("status",), ("status", "--json")])
def test_a_glance_imports_no_library_that_it_does_not_need(paths: Paths, words: tuple[str, ...]) -> None:
    call("status")
    assert not after_command(*words) & (HEAVY | {"asyncio", "socket", "rapidfuzz", "filelock", "zoneinfo", "tomllib"})
