"""The program's entry point. Textual is imported when the UI opens, and not before."""

from __future__ import annotations

import gc
import io
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from core.engine.service import Service


class _Ahead:
    """Opens the service while Textual is imported: what SQLite checks in the store takes another processor. The first
    call gives what came of it, or raises it; later ones open anew."""

    def __init__(self, open_service: Callable[[], Service]) -> None:
        self._open = open_service
        self._opened: list[Service] = []
        self._failed: list[Exception] = []
        self._thread: threading.Thread | None = threading.Thread(target=self._work, name="opening-ahead", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        try:
            self._opened.append(self._open())
        except Exception as error:
            self._failed.append(error)

    def __call__(self) -> Service:
        thread, self._thread = self._thread, None
        if thread is None:
            return self._open()
        thread.join()
        if self._failed:
            raise self._failed[0]
        return self._opened[0]


def open_ui(open_service: Callable[[], Service], /, *, readonly: bool, ascii: bool, plain: bool, mouse: bool) -> int:  # noqa: A002
    """Open the UI until it is closed; the exit code."""
    ahead = (
        _Ahead(open_service) if sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty() else open_service
    )
    from tui.app import open_ui as open_app

    return open_app(ahead, readonly=readonly, ascii=ascii, plain=plain, mouse=mouse)


def serve_ui(words: Sequence[str], port: int, say: Callable[[object], None]) -> int:
    """Show the UI in a browser until it is stopped; the exit code."""
    from tui.serve import serve_ui as serve

    return serve(words, port, say)


def open_page(open_service: Callable[[], Service], /, *, readonly: bool, ascii: bool, plain: bool, mouse: bool) -> int:  # noqa: A002
    """Open the UI of one page of `serve` until it is closed; the exit code."""
    from tui.serve import open_page as open_it

    return open_it(open_service, readonly=readonly, ascii=ascii, plain=plain, mouse=mouse)


def main() -> None:
    gc.set_threshold(20_000)  # what imports make stays: going over it each 700 objects was a tenth of a short command
    from core.cli.app import run
    from core.private import guard_process

    guard_process()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without UTF-8 shows ? instead of ending the program
    if sys.argv[1:2] == ["--served-page"]:  # the program of one page of `serve`, on the server's pipe
        sys.exit(run(sys.argv[2:], open_ui=open_page, piped=True))
    sys.exit(run(open_ui=open_ui, serve_ui=serve_ui))


if __name__ == "__main__":
    main()
