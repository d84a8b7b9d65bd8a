"""The run log: one JSON document a line, in a file that is turned over by size.

`run.log` is written to; `run.log.1` is the one before, and so on up to a fixed number. Several
programs may append and others follow at the same time. Each file begins with a line that names it,
so that a follower keeps its place when the files are turned over (inode numbers come back).
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import orjson

from core.store import sqlite_file
from core.text import fold, safe_line

LEVELS: Final = ("debug", "info", "warning", "error")
MAX_LINE: Final = 8_000  # bytes
MAX_TEXT: Final = 2_000  # characters of one string
_BLOCK: Final = 64_000
_READ: Final = 512_000  # bytes a follower takes at once, so that it never holds anything up
_NAME: Final = "log"

Clean = Callable[[str], str]


def _clean(text: str) -> str:
    return safe_line(text, MAX_TEXT)


class RunLog:
    """The log of a state folder. `clean` makes a string harmless; every one passes through it.

    Raises StoreUnwritable when the disk refuses a line.
    """

    def __init__(
        self, folder: Path, clean: Clean = _clean, *, max_bytes: int = 2_000_000, files: int = 6, name: str = "run.log"
    ) -> None:
        self.path = folder / name
        self._clean = clean
        self._max_bytes = max_bytes
        self._files = max(2, files)
        self._lock_path = folder / f"{name}.lock"
        self._writing = threading.Lock()
        self._handle: int | None = None

    def append(self, event: Mapping[str, Any]) -> None:
        """Add one event; `ts` (UTC, ISO) and `level` ("info") are filled in when they are missing."""
        line = self._line(event)
        with self._writing, sqlite_file.translated(self.path):
            handle = self._current(len(line))
            os.write(handle, line)

    def tail(self, n: int, level: str | None = None, text: str | None = None) -> list[dict[str, Any]]:
        """The last `n` events, oldest first: of that level or graver, holding that text in any value
        (accents and case do not count)."""
        wanted = fold(text) if text else None
        found: list[dict[str, Any]] = []
        for path in self._paths():
            for line in _lines_backwards(path):
                if len(found) >= n:
                    return found[::-1]
                event = _event(line)
                if event is not None and _grave(event, level) and _holds(event, wanted):
                    found.append(event)
        return found[::-1]

    def end(self) -> str:
        """The place after the last event, for `poll` and `follow`."""
        name = _name_of(self.path)
        return f"{name}:{self.path.stat().st_size}" if name else ""

    def poll(self, since: str) -> tuple[list[dict[str, Any]], str]:
        """Events after that place, and the place to ask for next. An empty place, or one whose file is
        gone by now, is the beginning of all that is kept. A long list comes in parts: ask until it is empty."""
        wanted, _, offset = since.partition(":")
        named = [(name, path) for path in self._paths() if (name := _name_of(path))]
        ahead = next((place for place, (name, _) in enumerate(named) if name == wanted), None)
        start = int(offset) if ahead is not None else 0
        for name, path in reversed(named if ahead is None else named[: ahead + 1]):
            found = _read_from(path, name, start)
            if found is None:  # turned over this very moment: ask again
                return [], since
            events, end = found
            since = f"{name}:{end}"
            if events:
                return events, since
            start = 0
        return [], since

    def follow(self, since: str, pause: Callable[[], bool]) -> Iterator[dict[str, Any]]:
        """Events after that place, for ever: `pause` is called when there are none, and ends it by False."""
        while True:
            events, since = self.poll(since)
            yield from events
            if not events and not pause():
                return

    def close(self) -> None:
        with self._writing:
            self._leave()

    # -- inside ----------------------------------------------------------------------------------

    def _line(self, event: Mapping[str, Any]) -> bytes:
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        whole = {"ts": now, "level": "info", **{str(name): value for name, value in event.items()}}
        line = _encoded(self._harmless(whole))
        if len(line) <= MAX_LINE:
            return line
        short = {name: safe_line(value, 200) for name, value in whole.items() if isinstance(value, str)}
        line = _encoded(self._harmless(dict(list(short.items())[:12]) | {"cut": True}))
        return line if len(line) <= MAX_LINE else _encoded({"ts": now, "level": "warning", "cut": True})

    def _harmless(self, value: Any, depth: int = 0) -> Any:
        """The value as JSON of strings that passed `clean`; anything odd becomes its text."""
        if value is None or isinstance(value, bool | int | float):
            return value if not isinstance(value, int) or abs(value) < 2**53 else str(value)
        if isinstance(value, str):
            return self._clean(str(value))
        if depth < 6 and isinstance(value, Mapping):
            return {self._clean(str(name)): self._harmless(each, depth + 1) for name, each in value.items()}
        if depth < 6 and isinstance(value, list | tuple | set | frozenset):
            return [self._harmless(each, depth + 1) for each in value]
        return self._clean(str(value))

    def _current(self, more: int) -> int:
        """The open file to append to, turned over first when it would grow too long."""
        if self._handle is not None:
            size = self._size_if_ours()
            if size is not None and size + more <= self._max_bytes:
                return self._handle
            self._leave()
        from filelock import FileLock  # late: it brings asyncio, and readers of the log do without

        sqlite_file.private_folder(self.path.parent)
        with FileLock(self._lock_path, timeout=5, mode=0o600, thread_local=False):
            if self.path.exists() and self.path.stat().st_size + more > self._max_bytes:
                self._turn_over()
            self._handle = self._enter()
        return self._handle

    def _size_if_ours(self) -> int | None:
        """The size of the file, or None when another program has turned it over."""
        assert self._handle is not None
        ours = os.fstat(self._handle)
        try:
            there = self.path.stat()
        except FileNotFoundError:
            return None
        return there.st_size if (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino) else None

    def _turn_over(self) -> None:
        for place in range(self._files - 1, 0, -1):
            older = self._place(place)
            newer = self._place(place - 1)
            if newer.exists():
                newer.replace(older)

    def _enter(self) -> int:
        sqlite_file.private_file(self.path)
        handle = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        size = os.fstat(handle).st_size
        if size == 0:
            os.write(handle, _encoded({_NAME: os.urandom(8).hex()}))
        elif os.pread(handle, 1, size - 1) != b"\n":
            os.write(handle, b"\n")  # a line a crash cut short stays alone
        return handle

    def _leave(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def _place(self, place: int) -> Path:
        return self.path if place == 0 else self.path.with_name(f"{self.path.name}.{place}")

    def _paths(self) -> list[Path]:
        """The files there are, newest first."""
        return [path for place in range(self._files) if (path := self._place(place)).exists()]


def _encoded(document: Mapping[str, Any]) -> bytes:
    return orjson.dumps(document) + b"\n"


def _event(line: bytes) -> dict[str, Any] | None:
    """The event of a line; None for a file's name and for what a crash left."""
    try:
        event = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return event if isinstance(event, dict) and event.keys() != {_NAME} else None


def _name_of(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return _name_in(file.readline(200))
    except OSError:
        return None


def _name_in(line: bytes) -> str | None:
    try:
        head = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    name = head.get(_NAME) if isinstance(head, dict) else None
    return name if isinstance(name, str) else None


def _read_from(path: Path, name: str, start: int) -> tuple[list[dict[str, Any]], int] | None:
    """Events of whole lines from there on, and where they end; None if the path is another file by now."""
    try:
        with path.open("rb") as file:
            if _name_in(file.readline(200)) != name:
                return None
            file.seek(start)
            block = file.read(_READ)
    except FileNotFoundError:
        return None
    whole = block[: block.rfind(b"\n") + 1]
    events = [event for line in whole.splitlines() if (event := _event(line)) is not None]
    return events, start + len(whole)


def _lines_backwards(path: Path) -> Iterator[bytes]:
    """The lines of a file, last first, read in blocks from its end."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    with file:
        place = file.seek(0, os.SEEK_END)
        rest = b""
        while place > 0:
            step = min(_BLOCK, place)
            place -= step
            file.seek(place)
            first, *lines = (file.read(step) + rest).split(b"\n")
            yield from (line for line in reversed(lines) if line)
            rest = first
        if rest:
            yield rest


def _grave(event: Mapping[str, Any], level: str | None) -> bool:
    if level is None:
        return True
    own = event.get("level")
    return LEVELS.index(own if own in LEVELS else "info") >= LEVELS.index(level)


def _holds(event: Any, wanted: str | None) -> bool:
    if wanted is None:
        return True
    if isinstance(event, dict):
        return any(_holds(value, wanted) for value in event.values())
    if isinstance(event, list):
        return any(_holds(value, wanted) for value in event)
    return event is not None and wanted in fold(str(event))
