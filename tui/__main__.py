"""The program's entry point. Textual is imported when the UI opens, and not before."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING

from core.cli.app import run
from core.private import guard_process

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.engine.service import Service


def open_ui(open_service: Callable[[], Service], /, *, readonly: bool, ascii: bool, plain: bool, mouse: bool) -> int:  # noqa: A002
    """Open the UI until it is closed; the exit code."""
    from tui.app import open_ui as open_app

    return open_app(open_service, readonly=readonly, ascii=ascii, plain=plain, mouse=mouse)


def main() -> None:
    guard_process()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without UTF-8 shows ? instead of ending the program
    sys.exit(run(open_ui=open_ui))


if __name__ == "__main__":
    main()
