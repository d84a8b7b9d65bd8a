"""Everything the program writes is this user's alone, whatever the umask; what others may have written is refused."""

from __future__ import annotations

import os
import resource
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.cli.setup_file import write_settings
from core.errors import StoreUnwritable
from core.paths import Paths
from core.private import private_folder, write_private
from core.sandbox import folder as data_folder
from core.sandbox.folder import FolderError
from core.sandbox.serve import SandboxOptions, SandboxThread
from core.store import RunLog, TinyStore
from core.store.lock import run_lock
from tests.unit.cli_kit import call

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def lax() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def open_to_others(folder: Path) -> list[str]:
    """The files and folders below that others may read or write."""
    return [
        f"{path.relative_to(folder)} {stat.S_IMODE(path.lstat().st_mode):o}"
        for path in folder.rglob("*")
        if path.lstat().st_mode & 0o077
    ]


def test_a_whole_story_leaves_nothing_that_others_may_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("state", "config"):
        monkeypatch.setenv(f"XDG_{name.upper()}_HOME", str(tmp_path / "made" / "xdg" / name))
    made = tmp_path / "made"
    config = made / "deep" / "below" / "config.toml"
    options = SandboxOptions(
        rate=0, firms=8, contacts=12, projects=6, employees=3, data=made / "data" / "here", config_out=config
    )
    monkeypatch.chdir(tmp_path)
    with SandboxThread(options):
        made.chmod(0o700)
        words = ("--config", str(config))
        row = next(r for r in call(*words, "list", "firm", "--json").json if r["crm_key"] and r["state"] == "unmarked")
        call(*words, "mark", "firm", row["crm_key"])
        assert call(*words, "plan", "--out", str(made / "plan.json")).code in (0, 1)
        assert call(*words, "run").code in (0, 1)
        assert call(*words, "links", "export", str(made / "links.csv")).code == 0
        assert call(*words, "status").code in (0, 1)
        assert call(*words, "rehearse", "--from-live", str(made / "copies" / "one")).code in (0, 1)
        names = {path.name for path in made.rglob("*")}
        assert {"plan.json", "links.csv", "store.db", "run.log", "run.lock", "config.toml", "ajera.json"} <= names
        assert "glance.json" in names
        assert not open_to_others(made)


def test_the_files_of_an_open_store_are_private(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b" / "state"
    store = TinyStore.open(folder)
    lock = run_lock(folder)
    assert lock.acquire()
    RunLog(folder).append({"event": "x"})
    try:
        names = {path.name for path in folder.iterdir()}
        assert {"store.db", "store.db-wal", "store.db-shm", "run.lock", "run.holder", "run.log"} <= names
        assert not open_to_others(tmp_path / "a")
        assert folder.stat().st_mode & 0o777 == 0o700
    finally:
        lock.release()
        store.close()


def test_settings_are_private_and_so_is_what_they_replace(tmp_path: Path) -> None:
    path = tmp_path / "x" / "y" / "config.toml"
    write_settings(path, "a = 1")
    assert not open_to_others(tmp_path)
    path.chmod(0o666)
    write_settings(path, "a = 2")
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_plan_replaces_a_readable_file_and_follows_no_link(tmp_path: Path) -> None:
    target, link = tmp_path / "somebody's", tmp_path / "plan.json"
    target.write_text("theirs")
    link.symlink_to(target)
    write_private(link, "ours")
    assert target.read_text() == "theirs"
    assert link.read_text() == "ours"
    assert stat.S_IMODE(link.lstat().st_mode) == 0o600
    assert list(tmp_path.glob(".plan*")) == []


def test_a_file_that_cannot_be_put_in_place_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="directory"):
        write_private(tmp_path, "x")
    assert list(tmp_path.iterdir()) == []


def test_a_link_in_place_of_the_state_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "state").symlink_to(tmp_path / "real")
    for opened in (TinyStore.open, lambda folder: Paths("p", folder / "c", folder).make_state()):
        with pytest.raises(StoreUnwritable, match="symbolic link"):
            opened(tmp_path / "state")
    assert list((tmp_path / "real").iterdir()) == []


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o770, 0o702])
def test_a_folder_that_others_could_write_to_is_refused_unless_empty(tmp_path: Path, mode: int) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    folder.chmod(mode)
    private_folder(folder)
    assert folder.stat().st_mode & 0o777 == 0o700
    (folder / "store.db").write_bytes(b"planted")
    folder.chmod(mode)
    with pytest.raises(StoreUnwritable, match="chmod 700"):
        TinyStore.open(folder)
    assert (folder / "store.db").read_bytes() == b"planted"
    with pytest.raises(FolderError, match="chmod 700"):
        data_folder.take(folder)


def test_somebody_elses_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 4711)
    with pytest.raises(StoreUnwritable, match="another user"):
        private_folder(tmp_path)


def test_the_program_leaves_no_core_file_and_opens_no_file_to_others() -> None:
    """Memory holds tokens: the limit is nil before anything else happens, soft and hard."""
    for module in ("tui.__main__", "core.sandbox.__main__"):
        code = (
            f"import resource, os, sys\nsys.argv = ['x', '--help']\nimport {module} as m\n"
            "try:\n    m.main()\nexcept SystemExit:\n    pass\n"
            "print(resource.getrlimit(resource.RLIMIT_CORE), oct(os.umask(0)))"
        )
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
        assert done.stdout.splitlines()[-1] == "(0, 0) 0o77", done.stderr
    assert resource.RLIMIT_CORE is not None
