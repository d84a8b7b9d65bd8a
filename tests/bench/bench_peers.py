"""Peers on the same kind of work: `python -m tests.bench.bench_peers [RECORDS] [--venv DIR]`.

A run with nothing changed over so many records that are in step, in turns: seconds and CPU of the whole program and what
it starts. The servers of both systems, and the two of CardDAV, are other programs and are not counted.

    ajerasync run       both systems as the sandbox, over HTTP
    unison              as many small files in two folders (Debian: unison)
    rclone bisync       the same folders (Debian: rclone)
    vdirsyncer sync     as many contacts on two CardDAV servers (PyPI: vdirsyncer and radicale, in an environment at --venv)

    apt-get install unison rclone
    python3 -m venv /tmp/peers && /tmp/peers/bin/pip install vdirsyncer radicale

The same contacts lie in both folders and both address books before the first sync, which therefore has only to match
them. A peer that is not installed, or fails, is left out, and it is said. Files on one disk are the easier task: nobody
is asked over HTTP.
"""

from __future__ import annotations

import argparse
import base64
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.table import absent, head, middle, row
from tests.bench.world import world

ROUNDS = 5


class PeerFailed(Exception):
    """A program ended with an error; its last words."""


@dataclass(frozen=True)
class Spent:
    """Seconds of one round: on the clock, and of processors."""

    clock: float
    cpu: float


def spent(command: list[str], env: dict[str, str] | None = None) -> Spent:
    """What a program and all that it started took."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, env={**os.environ, **(env or {})}, capture_output=True, text=True, check=False)
    clock, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise PeerFailed(f"{Path(command[0]).name} ended with {done.returncode}: {done.stderr[-300:]}")
    return Spent(clock, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


Idle = Callable[[], Spent]


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
    """A CardDAV server that holds the contacts already, and has read them once; its address."""
    book = home / "collections" / "collection-root" / "me" / "book"
    files(book, records)
    (book / ".Radicale.props").write_text('{"tag": "VADDRESSBOOK"}')
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    where = ("--server-hosts", f"127.0.0.1:{port}", "--storage-filesystem-folder", str(home / "collections"))
    process = subprocess.Popen(
        [str(venv / "bin" / "radicale"), *where, "--auth-type", "none"], stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(100):
            with socket.socket() as asks:
                if not asks.connect_ex(("127.0.0.1", port)):
                    break
            time.sleep(0.1)
        address = f"http://127.0.0.1:{port}/me/"
        all_read(address + "book/")
        yield address
    finally:
        process.terminate()
        process.wait()


def all_read(book: str) -> None:
    """Radicale parses each file once and keeps what it found, 17 seconds for 10,000: a client's request for all of them
    would run into its time limit before."""
    body = b'<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>'
    headers = {"Depth": "1", "Authorization": "Basic " + base64.b64encode(b"me:me").decode()}
    request = urllib.request.Request(book, body, headers, method="PROPFIND")
    with urllib.request.urlopen(request, timeout=1_800) as answer:
        answer.read()


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


PEERS = {"unison": unison, "rclone": rclone, "vdirsyncer": vdirsyncer}
NEEDS = {"unison": ("unison",), "rclone": ("rclone",), "vdirsyncer": ("vdirsyncer", "radicale")}


def missing(peer: str, venv: Path) -> list[str]:
    """What would have to be installed."""
    in_venv = peer == "vdirsyncer"
    return [name for name in NEEDS[peer] if not ((venv / "bin" / name).exists() if in_venv else shutil.which(name))]


def measured(idle: dict[str, Idle], rounds: int, failed: dict[str, str]) -> dict[str, list[Spent]]:
    """All in turns, so that a busy minute is everybody's."""
    taken: dict[str, list[Spent]] = {peer: [] for peer in idle}
    for _ in range(rounds):
        for peer in [each for each in idle if each not in failed]:
            try:
                taken[peer].append(idle[peer]())
            except PeerFailed as error:
                failed[peer] = str(error)
    return taken


def show(taken: dict[str, list[Spent]], failed: dict[str, str]) -> None:
    ours_clock, ours_cpu = (
        middle([getattr(each, what) for each in taken["ajerasync run"]]) for what in ("clock", "cpu")
    )
    for peer, rounds in taken.items():
        if peer in failed:
            continue
        for what, own in (("clock", ours_clock), ("cpu", ours_cpu)):
            value = middle([getattr(each, what) for each in rounds])
            note = "" if peer == "ajerasync run" else f"{value / own:.2f} times ours"
            row(f"{peer}, {'seconds' if what == 'clock' else 'CPU'}", value, None, "s", note)
    for peer, why in failed.items():
        absent(peer, why)


def main() -> None:
    asks = argparse.ArgumentParser()
    asks.add_argument("records", type=int, nargs="?", default=10_000)
    asks.add_argument("--venv", type=Path, default=Path(tempfile.gettempdir()) / "peers")
    asks.add_argument("--rounds", type=int, default=ROUNDS)
    given = asks.parse_args()
    head(f"a run with nothing changed, {given.records:,} records, whole program, {given.rounds} rounds in turns")
    failed: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        idle = {"ajerasync run": stack.enter_context(ours(given.records, Path(name), given.venv))}
        for peer, begin in PEERS.items():
            if lacks := missing(peer, given.venv):
                failed[peer] = f"not installed here: {', '.join(lacks)}"
                continue
            (Path(name) / peer).mkdir()
            try:
                idle[peer] = stack.enter_context(begin(given.records, Path(name) / peer, given.venv))
            except (PeerFailed, OSError) as error:
                failed[peer] = str(error)
        taken = measured(idle, given.rounds, failed)
    if "ajerasync run" in failed:
        raise SystemExit(failed["ajerasync run"])
    show(taken, failed)


if __name__ == "__main__":
    main()
