"""The program with a place where it kills itself: `AJERASYNC_KILL_AT=PLACE:N python -m tests.engine.killseam run`.

PLACE is commit-before, commit-after, write-before, write-after (a write to either system), call-before or call-after; N
counts from 1. The signal is SIGKILL, so nothing of the program runs any more: no handler, no `finally`, no buffer.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

from core.http import Http
from core.store.storage import SqliteStorage

PLACES = ("commit-before", "commit-after", "write-before", "write-after", "call-before", "call-after")


class Seam:
    """Counts the passes of one place, and kills at the one asked for."""

    def __init__(self, wanted: str) -> None:
        self.place, _, number = wanted.partition(":")
        self.left = int(number)

    def at(self, place: str) -> None:
        if place == self.place:
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def install(self) -> None:
        opened: Callable[..., None] = SqliteStorage.__init__
        exchange: Callable[..., Any] = Http._exchange

        def hooked(storage: SqliteStorage, path: Any, **options: Any) -> None:
            options |= {"before_commit": lambda _: self.at("commit-before")}
            options |= {"after_commit": lambda _: self.at("commit-after")}
            opened(storage, path, **options)

        async def watched(http: Http, request: Any, built: Any) -> Any:
            write = "call" if request.reading else "write"
            self.at(f"{write}-before")
            answer = await exchange(http, request, built)
            self.at(f"{write}-after")
            return answer

        for target, name, instead in ((SqliteStorage, "__init__", hooked), (Http, "_exchange", watched)):
            setattr(target, name, instead)


if __name__ == "__main__":
    from tui.__main__ import main

    Seam(os.environ["AJERASYNC_KILL_AT"]).install()
    main()
