"""A tmux of our own: a server on its own socket, one window, ended with the test."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

TMUX = shutil.which("tmux")


class Tmux:
    """Use as a context manager. Keys go in by name, the screen is read as text."""

    def __init__(self, folder: Path, cols: int, rows: int, env: Mapping[str, str]) -> None:
        self.socket, self.cols, self.rows = folder / "tmux", cols, rows
        self.env = {**env, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
        for name in ("TMUX", "COLUMNS", "LINES"):  # the last two would be believed instead of the terminal
            self.env.pop(name, None)

    def __enter__(self) -> Tmux:
        return self

    def __exit__(self, *_: object) -> None:
        self.call("kill-server", check=False)

    def call(self, *words: str, check: bool = True) -> str:
        assert TMUX is not None
        done = subprocess.run(
            [TMUX, "-S", str(self.socket), "-f", "/dev/null", *words],
            env=self.env, capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
        assert done.returncode == 0 or not check, f"{words}: {done.stderr}"
        return done.stdout

    def open(self, *command: str) -> None:
        """A window with this program; the window stays when the program ends."""
        size = ("-x", str(self.cols), "-y", str(self.rows))
        self.call("new-session", "-d", "-s", "story", *size, f"exec {shlex.join(command)}")
        self.call("set-option", "-t", "story", "remain-on-exit", "on")

    def open_again(self, *command: str) -> None:
        """The same window with the program anew."""
        self.call("respawn-pane", "-k", "-t", "story", f"exec {shlex.join(command)}")

    def press(self, *keys: str) -> None:
        self.call("send-keys", "-t", "story", *keys)

    def type(self, text: str) -> None:
        self.call("send-keys", "-t", "story", "-l", text)

    @property
    def text(self) -> str:
        return self.call("capture-pane", "-p", "-t", "story")

    def see(self, wanted: str, limit: float = 60) -> str:
        """Ask until the screen shows this: tmux tells nobody when it changes."""
        end = time.monotonic() + limit
        while wanted not in (shown := self.text):
            assert time.monotonic() < end, f"{wanted!r} was not shown within {limit} s; screen:\n{shown}"
            time.sleep(0.05)
        return shown

    def gone(self, unwanted: str, limit: float = 60) -> str:
        """Ask until the screen shows this no more."""
        end = time.monotonic() + limit
        while unwanted in (shown := self.text):
            assert time.monotonic() < end, f"{unwanted!r} stayed for {limit} s; screen:\n{shown}"
            time.sleep(0.05)
        return shown

    def until(self, holds: Callable[[str], bool], limit: float = 60) -> str:
        """Ask until this is true of the screen."""
        end = time.monotonic() + limit
        while not holds(shown := self.text):
            assert time.monotonic() < end, f"it did not come true within {limit} s; screen:\n{shown}"
            time.sleep(0.05)
        return shown

    @property
    def pid(self) -> int:
        return int(self.call("display-message", "-p", "-t", "story", "#{pane_pid}"))

    def kill_program(self) -> None:
        """kill -9, and its end awaited."""
        os.kill(self.pid, signal.SIGKILL)
        end = time.monotonic() + 10
        while self.call("display-message", "-p", "-t", "story", "#{pane_dead}").strip() != "1":
            assert time.monotonic() < end
            time.sleep(0.05)

    @property
    def ended(self) -> bool:
        """Whether the program has ended; its window stays."""
        return self.call("display-message", "-p", "-t", "story", "#{pane_dead}").strip() == "1"

    def resize(self, cols: int, rows: int) -> None:
        self.call("resize-window", "-t", "story", "-x", str(cols), "-y", str(rows))
