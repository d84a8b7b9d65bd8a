"""The installed program against the machine: kill -9 at chosen points, stopped, hung up, disks, stores that are not there.

The sandbox is a process of its own and both systems are spoken to over HTTP; the judge is what they hold at the end.
`AJERASYNC_FAULTS` adds kills at points by chance.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.e2e.kit import PROGRAM, Said, World, world
from tests.engine.killseam import PLACES

ROOT = Path(__file__).parents[2]
FEW = ("--firms=16", "--contacts=24", "--projects=10", "--employees=4", "--seed=9")
POINTS = [f"{place}:{number}" for place, numbers in (
    ("commit-before", (1, 6)), ("commit-after", (3, 9)), ("write-before", (1,)), ("write-after", (1, 2)), ("call-after", (5,)),
) for number in numbers]  # fmt: skip
CHANCE = 60


@pytest.fixture
def w(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path, *FEW) as made:
        made.home.run()
        yield made


class People:
    """What people do meanwhile, and what has to be there in the end."""

    def __init__(self, w: World) -> None:
        self.w, self.count = w, 0
        taken = {row["Description"].casefold() for row in w.ajera.all("client").values()}
        rows = w.crm.all("firm").values()
        self.fresh = [
            r for r in rows if r["AjeraSync"] != "Y" and r["ClientInd"] == "Y" and r["Name"].casefold() not in taken
        ]
        self.names = self.everybody()
        self.ticked: list[str] = []
        self.sites: dict[str, str] = {}

    def act(self) -> None:
        """A firm is ticked, and the one that was ticked before gets another web site."""
        self.count += 1
        if self.ticked:
            site = f"https://typed{self.count}.example"
            self.w.crm.edit("firm", self.ticked[-1], WebSite=site)
            self.sites[self.ticked[-1]] = site
        key = self.fresh.pop()["ClientID"]
        self.w.crm.edit("firm", key, AjeraSync="Y")
        self.ticked.append(key)

    def everybody(self) -> dict[str, Counter[str]]:
        """How often each name is there."""
        ajera, crm = self.w.ajera, self.w.crm
        return {
            "clients": Counter(row["Description"] for row in ajera.all("client").values()),
            "contacts": Counter(f"{row['FirstName']} {row['LastName']}" for row in ajera.all("contact").values()),
            "firms": Counter(row["Name"] for row in crm.all("firm").values()),
            "people": Counter(f"{row['FirstName']} {row['LastName']}" for row in crm.all("contact").values()),
        }

    def in_step(self, *, forgot: bool = False) -> None:
        """Each ticked firm is there once, with the last word typed; nobody is there more often than before. `forgot`: the
        store is older than the world, so two values that are apart may be asked about."""
        for table, names in self.everybody().items():
            twice = {name for name, count in names.items() if count > max(1, self.names[table][name])}
            assert not twice, f"{table}: {twice}"
        asked = {(item["kind"], item["field"], item["crm_key"]) for item in self.w.home.data("conflicts")}
        for key in self.ticked:
            firm = self.w.crm.one("firm", key)
            (client,) = self.w.ajera.named(firm["Name"])
            if key in self.sites:
                assert firm["WebSite"] == self.sites[key]
            if client["Website"] != firm["WebSite"]:
                assert forgot
                assert ("firm", "website", key) in asked


def killed(w: World, at: str, *words: str) -> Said:
    """A run that kills itself there; what it said."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.engine.killseam", *w.home.words(("run", "--json", *words))],
        env=w.home.env | {"AJERASYNC_KILL_AT": at, "PYTHONPATH": str(ROOT)},
        cwd=w.home.folder,
        text=True,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=120,
    )
    return Said(words, done.returncode, done.stdout, done.stderr)


def store_of(w: World) -> Path:
    (path,) = (w.home.folder / "state").rglob("store.db")
    return path


@pytest.mark.timeout(0)
def test_killed_at_points_of_every_sort_it_opens_again_and_ends_in_step(w: World) -> None:
    people = People(w)
    rng = random.Random(5)
    by_chance = [f"{rng.choice(PLACES)}:{rng.randint(1, 14)}" for _ in range(CHANCE)]
    died = begun = 0
    for at in (*POINTS, *(by_chance if os.environ.get("AJERASYNC_FAULTS") else ())):
        if people.fresh:
            people.act()
        said = killed(w, at)
        assert said.code in (-signal.SIGKILL, 0, 1), f"{at}: {said}"
        if said.code == -signal.SIGKILL:
            died += 1
            left = w.home.data("history")[0]  # as it stands before anybody opens the store to write
            begun += left["outcome"] in ("running", "failed") and f"run {left['id']} started" in said.out
    assert died >= len(POINTS) - 1  # the last write of a run may not be there any more
    w.home.settle()
    people.in_step()
    outcomes = Counter(run["outcome"] for run in w.home.data("history"))
    assert outcomes["running"] == 0
    assert outcomes["failed"] >= begun > died // 2


@pytest.mark.timeout(0)
def test_a_stopped_run_keeps_others_out_and_goes_on_when_it_is_let(tmp_path: Path) -> None:
    with world(tmp_path, *FEW, "--delay=4") as w:
        w.home.run()
        people = People(w)
        people.act()
        people.act()
        run = w.home.start("run", "--json")
        run.until(lambda line: json.loads(line)["event"] == "action_done")
        run.process.send_signal(signal.SIGSTOP)
        try:
            said = w.home.call("run", "--json").ended(5)
            assert "going on" in said.err
            assert w.home.call("status", "--json").json["running"] is not None
        finally:
            run.process.send_signal(signal.SIGCONT)
        assert run.end(None).lines[-1]["event"] == "run_finished"
        w.home.settle()
        people.in_step()


@pytest.mark.timeout(0)
def test_a_lost_line_ends_the_watch_between_two_actions_unless_it_was_started_not_to_care(tmp_path: Path) -> None:
    with world(tmp_path, *FEW, "--delay=4") as w:
        w.home.run()
        people = People(w)
        people.act()
        people.act()
        w.home.ok("schedule", "set", "* * * * * */1")
        watch = w.home.start("watch")
        watch.until(lambda line: "started" in line, "stderr")
        said = watch.end(signal.SIGHUP)
        assert said.code == 128 + signal.SIGHUP
        assert "Traceback" not in said.err
        assert w.home.data("history")[0]["outcome"] in ("cancelled", "ok", "partial")

        ignoring = [sys.executable, "-c", IGNORING, PROGRAM, *w.home.words(("watch",))]
        careless = subprocess.Popen(ignoring, env=w.home.env, stderr=subprocess.PIPE, text=True, start_new_session=True)
        assert careless.stderr is not None
        try:
            assert "Watching" in careless.stderr.readline()
            careless.send_signal(signal.SIGHUP)
            while "started" not in (line := careless.stderr.readline()):
                assert line, "it ended"
        finally:
            careless.send_signal(signal.SIGTERM)
            careless.communicate(timeout=60)
        assert careless.returncode == 0
        w.home.ok("schedule", "pause")
        w.home.settle()
        people.in_step()


IGNORING = """
import os, signal, sys
signal.signal(signal.SIGHUP, signal.SIG_IGN)
os.execv(sys.argv[1], sys.argv[1:])
"""


class SmallDisk:
    """The state folder on a disk of its own, where this machine lets us; else a limit on the size of files."""

    def __init__(self, at: Path) -> None:
        self.at = at
        at.mkdir(mode=0o700, exist_ok=True)
        mounting = ["mount", "-t", "tmpfs", "-o", "size=8m,mode=0700", "tmpfs", str(at)]
        with suppress(OSError):
            self.real = subprocess.run(mounting, capture_output=True).returncode == 0

    real = False

    def fill(self, but: int) -> None:
        """Nothing but so many bytes is left."""
        free = shutil.disk_usage(self.at).free
        (self.at / "filler").write_bytes(b"\0" * max(0, free - but))

    def empty(self) -> None:
        (self.at / "filler").unlink()

    def writable(self, on: bool) -> None:
        subprocess.run(["mount", "-o", f"remount,{'rw' if on else 'ro'}", str(self.at)], check=True)

    def gone(self) -> None:
        if self.real:
            subprocess.run(["umount", "-l", str(self.at)], check=False)


LIMITED = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
os.execv(sys.argv[2], sys.argv[2:])
"""


@pytest.mark.timeout(0)
def test_a_full_disk_is_said_loses_nothing_and_is_over_when_there_is_room(tmp_path: Path) -> None:
    disk = SmallDisk(tmp_path / "state")
    try:
        with world(tmp_path, *FEW) as w:
            w.home.run()
            people = People(w)
            for left in (0, 12_000, 40_000):
                people.act()
                people.act()
                if disk.real:
                    disk.fill(left)
                    said = w.home.call("run", "--json")
                    disk.empty()
                else:
                    size = store_of(w).stat().st_size + left
                    words = [sys.executable, "-c", LIMITED, str(size), PROGRAM, *w.home.words(("run", "--json"))]
                    done = subprocess.run(words, env=w.home.env, capture_output=True, text=True, timeout=120)
                    said = Said(("run",), done.returncode, done.stdout, done.stderr)
                assert said.code != -signal.SIGKILL
                assert "Traceback" not in said.err, said.err
                assert "Unexpected" not in said.err, said.err
                if left == 0:
                    assert said.code not in (0, 1), said
                    assert "cannot be written" in said.err, said.err
            w.home.settle()
            people.in_step()
    finally:
        disk.gone()


@pytest.mark.timeout(0)
def test_a_read_only_state_folder_is_said_and_nothing_is_written_anywhere(tmp_path: Path) -> None:
    disk = SmallDisk(tmp_path / "state")
    try:
        with world(tmp_path, *FEW) as w:
            w.home.run()
            people = People(w)
            people.act()
            still = w.books()
            folder = store_of(w).parent
            if disk.real:
                disk.writable(False)
            else:
                folder.chmod(0o500)
            said = w.home.call("run", "--json")
            assert said.code not in (0, 1, 3), said
            assert "Traceback" not in said.err
            assert str(folder) in said.err or "read-only" in said.err.lower(), said.err
            assert w.books() == still
            disk.writable(True) if disk.real else folder.chmod(0o700)
            w.home.settle()
            people.in_step()
    finally:
        disk.gone()


def torn(store: Path, _kept: dict[str, bytes]) -> None:
    store.write_bytes(store.read_bytes()[: store.stat().st_size // 2])


def gone(store: Path, _kept: dict[str, bytes]) -> None:
    for part in store.parent.glob("store.db*"):
        part.unlink()


def yesterdays(store: Path, kept: dict[str, bytes]) -> None:
    gone(store, kept)
    for name, body in kept.items():
        (store.parent / name).write_bytes(body)


@pytest.mark.timeout(0)
def test_a_store_that_is_torn_gone_or_yesterdays_copy_ends_in_step_again(w: World) -> None:
    people = People(w)
    store = store_of(w)
    for spoil in (yesterdays, torn, gone):
        kept = {part.name: part.read_bytes() for part in store.parent.glob("store.db*")}
        people.act()
        w.home.run()
        people.act()
        spoil(store, kept)
        first = w.home.call("run", "--json")
        if spoil is torn:
            assert first.code not in (0, 1)
            assert "set aside" in first.err or "damaged" in first.err, first.err
            assert "Traceback" not in first.err
        w.home.settle()
        people.in_step(forgot=True)
        w.home.ok("resolve", "--all", "firm.website", "--take", "crm")
        w.home.settle()
        people.in_step()
