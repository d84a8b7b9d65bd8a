"""Copying over SSH: the terminal is asked to (OSC 52), and a file holds it where the terminal does not."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

from textual.app import App

from core.text import safe_line
from tui.widgets.toast import toast

FILE: Final = "copied.txt"


def copy_out(app: App[Any], text: str, what: str, folder: Path) -> None:
    """Copy and say what was copied, where it also stands, and what the terminal must be able to do."""
    app.copy_to_clipboard(text)
    told = f"Copied: {what} {safe_line(text, 60)}."
    try:
        path = _written(folder, text)
    except OSError as error:
        toast(app, f"{told} The terminal must support it (OSC 52). No file: {error.strerror}.", seconds=12)
        return
    toast(app, f"{told} The terminal must support it (OSC 52); it is also in {path}", seconds=12)


def _written(folder: Path, text: str) -> Path:
    path = folder / FILE
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text + "\n")
    return path
