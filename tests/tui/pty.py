"""A program in a real pseudo-terminal whose other end we hold: read it, type, resize, stop reading, hang up.

Facts the program wants to tell come over a pipe (its number in the environment as FACTS), one line each, so tests
wait for events and never for time.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from pty import openpty

import pyte

ROOT = Path(__file__).parents[2]
# The child opens its terminal once as session leader: so the terminal becomes the controlling one (SIGHUP on close).
_BOOT = "import os, sys; os.close(os.open(os.ttyname(0), os.O_RDWR)); os.execv(sys.argv[1], sys.argv[1:])"


class Terminal:
    """One program on one terminal. Use as a context manager: the program never outlives the test."""

    def __init__(
        self, module: str, *arguments: str, cols: int = 80, rows: int = 24, env: Mapping[str, str] | None = None
    ) -> None:
        self.master, slave = openpty()
        self.facts, told = os.pipe()
        self.out = bytearray()
        self.screen = pyte.Screen(cols, rows)
        self._stream = pyte.ByteStream(self.screen)
        self._told = b""
        self.resize(cols, rows)
        environ = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "PYTHONUTF8": "1"}
        for name in ("NO_COLOR", "TMUX", "COLUMNS", "LINES"):
            environ.pop(name, None)
        environ |= {"FACTS": str(told), **(env or {})}
        command: Sequence[str] = [sys.executable, "-c", _BOOT, sys.executable, "-m", module, *arguments]
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True, pass_fds=(told,), env=environ,
            cwd=ROOT,
        )  # fmt: skip
        os.close(slave)
        os.close(told)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(5)
        self.hang_up()
        with contextlib.suppress(OSError):
            os.close(self.facts)

    def resize(self, cols: int, rows: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))
        self.screen.resize(rows, cols)

    def send(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def hang_up(self) -> None:
        if self.master >= 0:
            os.close(self.master)
            self.master = -1

    def read(self, timeout: float) -> bytes:
        """One read, answering the queries a terminal answers; b"" when nothing came or the program left."""
        if self.master < 0 or not select.select([self.master], [], [], timeout)[0]:
            return b""
        try:
            data = os.read(self.master, 65_536)
        except OSError:
            return b""
        self.out += data
        # pyte 0.8 takes ESC [ > … u and ESC [ < u for printable text: the keyboard mode is not the screen's business
        self._stream.feed(data.replace(b"\x1b[>25u", b"").replace(b"\x1b[<u", b""))
        if b"\x1b[?2026$p" in data:
            with contextlib.suppress(OSError):
                self.send(b"\x1b[?2026;2$y")
        return data

    def fact(self, wanted: str, limit: float = 15) -> str:
        """The next fact that starts so; the terminal is not read meanwhile. Fails after `limit` seconds."""
        end = time.monotonic() + limit
        while True:
            while b"\n" in self._told:
                line, self._told = self._told.split(b"\n", 1)
                if line.decode().startswith(wanted):
                    return line.decode()
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.facts], [], [], left)[0]:
                raise AssertionError(f"{wanted!r} was not told within {limit} s; screen:\n{self.text}")
            data = os.read(self.facts, 65_536)
            if not data:
                raise AssertionError(f"the program left before telling {wanted!r}: {bytes(self.out[-2000:])!r}")
            self._told += data

    def see(self, wanted: str, limit: float = 15) -> None:
        """Read until the screen shows this."""
        end = time.monotonic() + limit
        while wanted not in self.text:
            if time.monotonic() > end:
                raise AssertionError(f"{wanted!r} was not shown within {limit} s; screen:\n{self.text}")
            if not self.read(0.1) and self.process.poll() is not None:
                raise AssertionError(f"the program left: {bytes(self.out[-2000:])!r}")

    def until_quiet(self, quiet: float = 0.15, limit: float = 5) -> int:
        """Bytes read until nothing came for `quiet` seconds."""
        start, end = len(self.out), time.monotonic() + limit
        while time.monotonic() < end and self.read(quiet):
            pass
        return len(self.out) - start

    def left(self, limit: float = 10) -> int:
        """The exit code, reading what is still said."""
        end = time.monotonic() + limit
        while self.process.poll() is None and time.monotonic() < end:
            self.read(0.05)
        code = self.process.wait(max(0.1, end - time.monotonic()))
        while self.read(0.05):
            pass
        return code

    @property
    def text(self) -> str:
        return "\n".join(self.screen.display)


RESTORING = (b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?1003l", b"\x1b[?2004l", b"\x1b[<u")
SIGNALS = {signal.SIGTERM: 143, signal.SIGHUP: 129}
