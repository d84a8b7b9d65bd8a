"""The first minute: from what `make demo` shows to a record that is in step, with keys that stand on the screen."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.e2e.kit import Home
from tests.tui.pty import Terminal

MOST_KEYS = 12
DOWN = b"\x1b[B"


def unticked(terminal: Terminal) -> tuple[int, str]:
    """How many lines down the first firm is that is not ticked and has nothing to say about itself; its name."""
    for place, line in enumerate(terminal.text.split("\n")[4:-1]):
        row = line[:46] if terminal.screen.columns < 100 else line.split("│")[0]
        found = re.match(r"^[› ] {3,5}(\S.*?)\s{2,}\d{6}\s", row)
        if found and re.search(r"Active\s*$", line.split("│")[0].rstrip()):
            return place, found[1]
    raise AssertionError(f"no such firm:\n{terminal.text}")


@pytest.mark.parametrize(("cols", "rows"), [(80, 24), (160, 50)])
def test_from_the_opened_demo_to_a_synced_record(tmp_path: Path, cols: int, rows: int) -> None:
    home = Home(tmp_path)
    keys = 0
    with Terminal("tui", "demo", cols=cols, rows=rows, env=home.env) as terminal:
        terminal.see("space Tick", 60)
        terminal.see("only in Ajera: o", 60)
        terminal.until_quiet()
        down, name = unticked(terminal)
        for _ in range(down):
            terminal.send(DOWN)
            keys += 1
        terminal.send(b" ")
        keys += 1
        terminal.see("to be sent")
        terminal.see("R Run now")
        terminal.send(b"R")
        keys += 1
        terminal.see("w writes", 60)
        assert "Cancel" in terminal.text
        terminal.send(b"w")
        keys += 1
        terminal.see("Run ok", 120)
        terminal.see("last ", 30)
        line = next(line for line in terminal.text.split("\n") if name.rstrip("…")[:20] in line)
        assert "in step" in line, terminal.text
        assert keys <= MOST_KEYS
        terminal.send(b"q")
        terminal.see("Q quits")
        terminal.send(b"Q")
        assert terminal.left(30) == 0
