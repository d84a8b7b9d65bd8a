"""A command run by another program of ours (core/aside.py): which one, and for whom, stands on standard input.

Ends, as by Ctrl-C, when its starter goes: then that input ends.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.app import cli
from core.cli.context import Env

if TYPE_CHECKING:
    from core.paths import Paths
    from core.private import guard_process

    guard_process()


@dataclass
class BesideEnv(Env):
    """An invocation whose paths are those of the program that started it."""

    given: Paths | None = None

    def paths(self) -> Paths:
        assert self.given is not None
        return self.given


def main() -> int:
    from core.paths import Paths

    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have it ignored
    order = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_starter, daemon=True).start()
    env = BesideEnv(given=Paths(order["profile"], Path(order["config"]), Path(order["state"])))
    code: int = cli.main(args=order["words"], standalone_mode=False, obj=env)
    return code


def _end_with_starter() -> None:
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os.kill(os.getpid(), signal.SIGINT)


if __name__ == "__main__":
    sys.exit(main())
