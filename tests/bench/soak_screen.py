# ruff: noqa: T201
"""The open UI for hours: `python -m tests.bench.soak_screen [HOURS]` (two by default, in real time).

The installed program runs on a terminal of its own against a sandbox in which people keep typing (`--life`), all clients
of the CRM ticked, a run due every minute. A hand walks through the places, filters, opens records and turns pages; the
terminal changes its size now and then. Once a minute: memory, open files, sizes of the log and the store, bytes sent,
runs kept. It ends with 1 where a bound is broken: memory that grows by more than a fifth after the first quarter, files
that stay open, a log or a store past its bound, a run that was missed or failed.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

from tests.bench.bench_screen import cpu, resident
from tests.tui.pty import ROOT, Terminal

LIFE = 20  # edits a minute
EVERY = "* * * * *"
PACE = 4.0  # seconds between two strokes of the hand
STROKES = [
    b"1",
    b"\x1b[B",
    b"\x1b[B",
    b"\x1b[6~",
    b"/",
    b"al",
    b"\x1b",
    b"2",
    b"\x1b[6~",
    b"\x1b[6~",
    b"\r",
    b"\t",
    b"\x1b[C",
]
STROKES += [
    b"\x1b",
    b"3",
    b"\x1b[B",
    b"4",
    b"\x1b[B",
    b"5",
    b"6",
    b"\x1b[B",
    b"7",
    b"\x1b[B",
    b"?",
    b"\x1b",
    b"1",
    b"s",
    b"g",
]
SIZES = [(80, 24), (160, 50), (120, 40)]
LOG_BOUND, STORE_BOUND = 60.0, 60.0  # megabytes


@dataclass(frozen=True)
class Sample:
    """What was seen at one minute; sizes in megabytes."""

    seconds: float
    memory: float
    handles: int
    log: float
    store: float
    sent: float
    processor: float

    def line(self) -> str:
        return (
            f"{self.seconds / 60:7.1f} {self.memory:9.1f} {self.handles:8d} {self.log:8.2f} {self.store:8.2f}"
            f" {self.sent:9.2f} {self.processor:9.1f}"
        )


HEAD = f"{'minute':>7} {'memory MB':>9} {'handles':>8} {'log MB':>8} {'store MB':>8} {'sent MB':>9} {'CPU s':>9}"


@contextmanager
def systems(folder: Path) -> Iterator[Path]:
    """A sandbox with people in it; the settings that point at it."""
    settings = folder / "settings.toml"
    command = [sys.executable, "-m", "tui", "sandbox", "--life", str(LIFE), "--config-out", str(settings)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=ROOT) as sandbox:
        try:
            assert sandbox.stdout is not None
            json.loads(sandbox.stdout.readline())
            settings.write_text(settings.read_text().replace('cron = "*/15 * * * *"', f'cron = "{EVERY}"'))
            settings.chmod(0o600)
            yield settings
        finally:
            sandbox.send_signal(signal.SIGTERM)


def command(settings: Path, env: dict[str, str], *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "tui", "--config", str(settings), *words],
        env={**os.environ, **env}, cwd=ROOT, text=True, capture_output=True, check=False,
    )  # fmt: skip
    if done.returncode not in (0, 1):  # 1: something waits for a person
        raise SystemExit(f"{' '.join(words)} ended with {done.returncode}: {done.stderr}")
    return done.stdout


def sizes(state: Path) -> tuple[float, float]:
    """Megabytes of the log and of the store."""
    log = store = 0
    for file in state.rglob("*"):
        if file.is_file():
            if ".log" in file.name or file.suffix == ".jsonl":
                log += file.stat().st_size
            else:
                store += file.stat().st_size
    return log / 1e6, store / 1e6


def sample(terminal: Terminal, state: Path, began: float, sent: int) -> Sample:
    pid = terminal.process.pid
    log, store = sizes(state)
    handles = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    return Sample(time.monotonic() - began, resident(pid), handles, log, store, sent / 1e6, cpu(pid))


def watch(terminal: Terminal, state: Path, hours: float) -> list[Sample]:
    """Work at the program for so long; a sample a minute."""
    began, sent, minutes = time.monotonic(), 0, 0
    strokes, shapes = cycle(STROKES), cycle(SIZES)
    seen: list[Sample] = []
    while (passed := time.monotonic() - began) < hours * 3600:
        if terminal.process.poll() is not None:
            raise SystemExit(f"the program left after {passed / 60:.1f} minutes:\n{terminal.text}")
        terminal.send(next(strokes))
        until = time.monotonic() + PACE
        while (left := until - time.monotonic()) > 0:
            terminal.read(left)
        sent += len(terminal.out)
        terminal.out.clear()
        if passed >= minutes * 60:
            seen.append(sample(terminal, state, began, sent))
            print(seen[-1].line(), flush=True)
            minutes += 1
            if minutes % 10 == 0:
                terminal.resize(*next(shapes))
    return seen


def broken(seen: list[Sample], runs: list[dict[str, object]], hours: float) -> list[str]:
    """What went over a bound, in words."""
    settled, last = seen[len(seen) // 4], seen[-1]
    told = []
    if last.memory > settled.memory * 1.2:
        told.append(f"memory grew from {settled.memory:.1f} to {last.memory:.1f} MB")
    if last.handles > settled.handles + 3:
        told.append(f"open files grew from {settled.handles} to {last.handles}")
    if last.log > LOG_BOUND or last.store > STORE_BOUND:
        told.append(f"log {last.log:.1f} MB, store {last.store:.1f} MB")
    due = int(hours * 60) - 1
    if len(runs) < due:
        told.append(f"{len(runs)} runs were kept where {due} were due")
    # "partial": a record was edited between plan and write, and waits for the next run
    failed = [run for run in runs if run["outcome"] not in ("ok", "partial")]
    if failed:
        told.append(f"{len(failed)} runs did not end well, the last of them: {failed[0]}")
    return told


def scheduled(run: dict[str, object]) -> bool:
    return run["trigger"] == "schedule"


def main() -> int:
    hours = float(sys.argv[1]) if len(sys.argv) > 1 else 2.0
    with tempfile.TemporaryDirectory(prefix="ajerasync-soak-") as name, systems(folder := Path(name)) as settings:
        env = {"XDG_STATE_HOME": str(folder / "state"), "HOME": str(folder), "PYTHONUTF8": "1"}
        command(settings, env, "run")
        command(settings, env, "mark", "firm", "--filter", "status:active")
        command(settings, env, "run")
        print(f"{hours:g} hours, {LIFE} edits a minute, a run every minute\n{HEAD}")
        with Terminal("tui", "--config", str(settings), cols=120, rows=40, env=env) as terminal:
            terminal.see("ticked", 30)
            seen = watch(terminal, folder / "state", hours)
        runs = [
            run for run in json.loads(command(settings, env, "history", "--limit", "10000", "--json")) if scheduled(run)
        ]
    told = broken(seen, runs, hours)
    print("\n".join(told) or "every bound held")
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main())
