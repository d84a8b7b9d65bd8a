"""Peers on the same kind of work: `python -m tests.bench.bench_peers [RECORDS] [--venv DIR]`.

A run with nothing changed over so many records that are in step, CPU of the whole program and what it starts, in turns:

    ajerasync run       both systems as the sandbox, over HTTP
    unison              as many small files in two folders (Debian: unison)
    rclone bisync       the same folders (Debian: rclone)
    vdirsyncer sync     as many contacts on two CardDAV servers (PyPI: vdirsyncer and radicale, in an environment at --venv)

A peer that is not installed is left out, and it is said. Files on one disk are the easier task: nobody is asked over HTTP.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.bench.table import head, middle, row
from tests.bench.world import world

ROUNDS = 5


def spent(command: list[str], env: dict[str, str] | None = None) -> float:
    """CPU seconds of a program and what it started."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, env={**os.environ, **(env or {})}, capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"{command[0]} ended with {done.returncode}: {done.stderr[-800:]}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


Idle = Callable[[], float]


@contextmanager
def ours(records: int, _home: Path, _venv: Path) -> Iterator[Idle]:
    with world(records) as place:
        command = [sys.executable, "-m", "tui", "run", "--config", str(place.config)]
        env = {"XDG_STATE_HOME": str(place.state_home)}
        for _ in range(3):
            spent(command, env)
        yield lambda: spent(command, env)


def card(n: int) -> tuple[str, str]:
    uid = str(uuid.UUID(int=n))
    lines = ("BEGIN:VCARD", "VERSION:3.0", f"UID:{uid}", f"FN:Ana Moreau {n}", f"N:Moreau {n};Ana;;;")
    return uid, "\r\n".join((*lines, f"EMAIL:ana{n}@people.example", f"TEL:+1 312 555 {n:05}", "END:VCARD", ""))


def files(folder: Path, records: int) -> None:
    folder.mkdir(parents=True)
    for n in range(records):
        (folder / f"{card(n)[0]}.vcf").write_text(card(n)[1], newline="")


@contextmanager
def unison(records: int, home: Path, _venv: Path) -> Iterator[Idle]:
    files(home / "one", records)
    shutil.copytree(home / "one", home / "two")
    command = ["unison", str(home / "one"), str(home / "two"), "-batch", "-silent", "-ui", "text"]
    env = {"UNISON": str(home / "archive")}
    spent(command, env)
    yield lambda: spent(command, env)


@contextmanager
def rclone(records: int, home: Path, _venv: Path) -> Iterator[Idle]:
    files(home / "one", records)
    shutil.copytree(home / "one", home / "two")
    command = ["rclone", "bisync", str(home / "one"), str(home / "two"), "--workdir", str(home / "work")]
    env = {"RCLONE_CONFIG": str(home / "rclone.conf")}
    (home / "rclone.conf").touch()
    spent([*command, "--resync"], env)
    yield lambda: spent(command, env)


@contextmanager
def radicale(home: Path, venv: Path, records: int) -> Iterator[str]:
    """A CardDAV server that holds the contacts already; its address."""
    book = home / "collections" / "collection-root" / "me" / "book"
    files(book, records)
    (book / ".Radicale.props").write_text('{"tag": "VADDRESSBOOK"}')
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = (
        "--server-hosts",
        f"127.0.0.1:{port}",
        "--auth-type",
        "none",
        "--storage-filesystem-folder",
        str(home / "collections"),
    )
    process = subprocess.Popen([str(venv / "bin" / "radicale"), *settings], stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with socket.socket() as asks:
                if not asks.connect_ex(("127.0.0.1", port)):
                    break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/me/"
    finally:
        process.terminate()
        process.wait()


VDIRSYNCER = """[general]
status_path = "{home}/status"
[pair book]
a = "one"
b = "two"
collections = ["book"]
[storage one]
type = "carddav"
url = "{one}"
username = "me"
password = "me"
[storage two]
type = "carddav"
url = "{two}"
username = "me"
password = "me"
"""


@contextmanager
def vdirsyncer(records: int, home: Path, venv: Path) -> Iterator[Idle]:
    with ExitStack() as stack:
        one, two = (stack.enter_context(radicale(home / side, venv, records)) for side in ("one", "two"))
        (home / "config").write_text(VDIRSYNCER.format(home=home, one=one, two=two))
        command = [str(venv / "bin" / "vdirsyncer"), "-c", str(home / "config")]
        spent([*command, "discover"])
        spent([*command, "sync"])
        yield lambda: spent([*command, "sync"])


def main() -> None:
    asks = argparse.ArgumentParser()
    asks.add_argument("records", type=int, nargs="?", default=10_000)
    asks.add_argument("--venv", type=Path, default=Path(tempfile.gettempdir()) / "peers")
    given = asks.parse_args()
    peers = {"unison": unison, "rclone": rclone, "vdirsyncer": vdirsyncer}
    there = {name: peer for name, peer in peers.items() if shutil.which(name) or (given.venv / "bin" / name).exists()}
    head(f"a run with nothing changed, {given.records:,} records, whole program, CPU")
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        idle: dict[str, Idle] = {}
        for peer, begin in {"ajerasync": ours, **there}.items():
            (Path(name) / peer).mkdir()
            idle[peer] = stack.enter_context(begin(given.records, Path(name) / peer, given.venv))
        taken: dict[str, list[float]] = {peer: [] for peer in idle}
        for _ in range(ROUNDS):
            for peer, act in idle.items():
                taken[peer].append(act())
    own = middle(taken["ajerasync"])
    row("ajerasync run", own, None, "s")
    for peer in there:
        row(peer, middle(taken[peer]), None, "s", f"{middle(taken[peer]) / own:.2f} times ours")
    for peer in peers.keys() - there.keys():
        row(f"{peer}: not installed here", 0)


if __name__ == "__main__":
    main()
