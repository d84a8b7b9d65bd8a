"""The sandbox of `demo`: ends with the program that started it, however that one ends.

The starter holds the other end of standard input; when it is gone, reading here ends.
"""

from __future__ import annotations

import os
import signal
import sys
import threading


def main() -> int:
    threading.Thread(target=_end_with_starter, daemon=True).start()
    from core.sandbox.__main__ import main as sandbox

    return sandbox(sys.argv[1:])


def _end_with_starter() -> None:
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
