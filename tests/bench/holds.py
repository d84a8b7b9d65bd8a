# ruff: noqa: T201
"""What holds the loop: each turn of it that takes longer than some milliseconds, and what was going on in it.

A *turn* is the time from one look at what came in to the next one: so long nothing else can happen, no key is read and
no reply. `watched(loop)` notes turns as they end; a thread looks at the stack of a callback that takes long. Of a turn
are told: milliseconds of the clock and of the processor, how long it could have run and got no processor (other programs
had them), how much was the garbage collector, its longest callback and where that was when it was looked at. What is
missing was spent waiting: for the disk, for a lock, or for the interpreter's while another thread had it.

`python -m tests.bench.holds FILE ARGUMENTS...` runs the program so, and appends each turn to the file as a line of JSON.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from itertools import takewhile
from pathlib import Path
from types import FrameType
from typing import Any

from tests.bench.table import row

LIMIT = 0.005  # seconds; shorter turns are not told
LOOK = 0.003  # seconds between looks at a callback
OWN = (f"{os.sep}core{os.sep}", f"{os.sep}tui{os.sep}", f"{os.sep}textual{os.sep}")


@dataclass
class Turn:
    """One turn of the loop; `at` is on the clock of `time.perf_counter`, which all programs of a machine share."""

    at: float
    milliseconds: float
    cpu: float
    starved: float
    gc: float
    longest: float
    callbacks: int
    what: str
    where: str = ""


@dataclass
class Watch:
    """Notes turns of the loop of this thread until it is taken off."""

    told: Callable[[Turn], object]
    limit: float = LIMIT
    thread: int = field(default_factory=threading.get_ident)

    def __post_init__(self) -> None:
        self._turn, self._turn_cpu, self._turn_starved = time.perf_counter(), time.thread_time(), 0.0
        self._stat = _schedstat()
        self._gc, self._gc_since = 0.0, 0.0
        self._began = 0.0  # of the callback that runs now; 0 between callbacks
        self._seen: dict[float, list[list[str]]] = {}  # by the begin of a callback: where it was at each look
        self._longest, self._name, self._callbacks, self._longest_at = 0.0, "", 0, 0.0
        self._on = True
        threading.Thread(target=self._look, name="holds", daemon=True).start()

    def turned(self) -> None:
        """Before the loop waits for something to come in."""
        took = time.perf_counter() - self._turn
        if took >= self.limit:
            cpu = time.thread_time() - self._turn_cpu
            starved = self._starved() - self._turn_starved
            self.told(
                Turn(
                    self._turn,
                    round(took * 1000, 2),
                    round(cpu * 1000, 2),
                    round(starved * 1000, 2),
                    round(self._gc * 1000, 2),
                    round(self._longest * 1000, 2),
                    self._callbacks,
                    self._name,
                    where_of(self._seen.get(self._longest_at, [])),
                )
            )

    def again(self) -> None:
        """After it has waited."""
        self._turn, self._turn_cpu, self._turn_starved = time.perf_counter(), time.thread_time(), self._starved()
        self._gc, self._longest, self._name, self._callbacks = 0.0, 0.0, "", 0
        self._seen.clear()

    def _starved(self) -> float:
        """Seconds that this thread could have run and had no processor."""
        return int(os.pread(self._stat, 100, 0).split()[1]) / 1e9 if self._stat >= 0 else 0.0

    def ran(self, handle: asyncio.Handle, real: Callable[[asyncio.Handle], None]) -> None:
        began = self._began = time.perf_counter()
        try:
            real(handle)
        finally:
            took = time.perf_counter() - began
            self._began = 0.0
            self._callbacks += 1
            if took > self._longest:
                self._longest, self._longest_at, self._name = took, began, name_of(handle)

    def collected(self, phase: str, _info: dict[str, Any]) -> None:
        if threading.get_ident() != self.thread:
            return
        now = time.perf_counter()
        if phase == "start":
            self._gc_since = now
        else:
            self._gc += now - self._gc_since

    def _look(self) -> None:
        while self._on:
            time.sleep(LOOK)
            began = self._began
            if began and time.perf_counter() - began > LOOK:
                frame = sys._current_frames().get(self.thread)
                if frame is not None and self._began == began:
                    self._seen.setdefault(began, []).append(stack_of(frame))

    def off(self) -> None:
        self._on = False


def _schedstat() -> int:
    """Open file of what the kernel counts of this thread; -1 where it does not."""
    try:
        return os.open(f"/proc/self/task/{threading.get_native_id()}/schedstat", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return -1


def name_of(handle: asyncio.Handle) -> str:
    """The coroutine of a task's step, or the callback."""
    callback: Any = handle._callback  # type: ignore[attr-defined]
    task = getattr(callback, "__self__", None)
    if isinstance(task, asyncio.Task):
        return str(getattr(task.get_coro(), "__qualname__", task))
    return str(getattr(callback, "__qualname__", callback))


def stack_of(frame: FrameType | None) -> list[str]:
    """Frames of the program and its screen library, outermost first, and the innermost one of all."""
    found: list[str] = []
    while frame is not None:
        code = frame.f_code
        if any(part in code.co_filename for part in OWN) or not found:
            found.append(f"{Path(code.co_filename).stem}:{code.co_name}:{frame.f_lineno}")
        frame = frame.f_back
    return found[::-1]


def where_of(looks: Sequence[list[str]]) -> str:
    """What all looks have in common, its last frames; and the innermost frame that was seen most often."""
    if not looks:
        return ""
    alike = takewhile(lambda frames: len(set(frames)) == 1, zip(*looks, strict=False))
    common = [frames[0] for frames in alike]
    often, times = Counter(look[-1] for look in looks).most_common(1)[0]
    return f"{' > '.join(common[-9:])} | {often} ({times} of {len(looks)})"


@contextmanager
def watched(loop: asyncio.AbstractEventLoop, told: Callable[[Turn], object], limit: float = LIMIT) -> Iterator[Watch]:
    """Inside the block, turns of this thread's loop that take at least `limit` seconds are told."""
    watch = Watch(told, limit)
    selector = loop._selector  # type: ignore[attr-defined]
    kind: Any = asyncio.Handle
    select, run = selector.select, kind._run

    def selecting(timeout: float | None = None) -> Any:
        watch.turned()
        found = select(timeout)
        watch.again()
        return found

    def running(handle: asyncio.Handle) -> None:
        if threading.get_ident() == watch.thread:
            watch.ran(handle, run)
        else:
            run(handle)

    selector.select = selecting
    kind._run = running
    gc.callbacks.append(watch.collected)
    watch.again()
    try:
        yield watch
    finally:
        watch.off()
        selector.select = select
        kind._run = run
        gc.callbacks.remove(watch.collected)


def tell(turns: Sequence[Turn], most: int = 25) -> None:
    """How many turns were long, and the longest ones."""
    longest = max((turn.milliseconds for turn in turns), default=0.0)
    over = sum(turn.milliseconds > 10 for turn in turns)
    row("longest hold of the loop", longest, 10, "ms", f"{over} turns over 10 ms, {len(turns)} over {LIMIT * 1000:g}")
    own = [turn.milliseconds - turn.starved for turn in turns]
    over = sum(each > 10 for each in own)
    row("the same without what other programs took", max(own, default=0.0), 10, "ms", f"{over} turns over 10 ms")
    for turn in sorted(turns, key=lambda turn: -turn.milliseconds)[:most]:
        print(
            f"    {turn.milliseconds:7.1f} ms, {turn.cpu:6.1f} of the processor, {turn.starved:6.1f} without one,"
            f" {turn.gc:5.1f} collecting;"
            f" {turn.callbacks} callbacks, {turn.longest:.1f} in {turn.what}: {turn.where}"
        )


def as_line(turn: Turn) -> str:
    return json.dumps(asdict(turn)) + "\n"


def turns_of(file: Path) -> list[Turn]:
    return [Turn(**json.loads(line)) for line in file.read_text().splitlines() if line.endswith("}")]


class _Loop(asyncio.SelectorEventLoop):
    """A loop that is watched from its first turn to its last."""

    file = Path()

    def run_forever(self) -> None:
        with self.file.open("a", buffering=1) as out, watched(self, lambda turn: out.write(as_line(turn))):
            super().run_forever()


class _Policy(asyncio.DefaultEventLoopPolicy):
    def new_event_loop(self) -> asyncio.AbstractEventLoop:
        return _Loop()


def main() -> None:
    _Loop.file = Path(sys.argv[1])
    del sys.argv[1]
    asyncio.set_event_loop_policy(_Policy())
    from tui.__main__ import main as program

    program()


if __name__ == "__main__":
    main()
