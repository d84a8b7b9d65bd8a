"""Become another program on this terminal: `python -m tests.bench.peer_exec PROGRAM [ARGUMENT...]`."""

from __future__ import annotations

import os
import sys

if __name__ == "__main__":
    os.execvp(sys.argv[1], sys.argv[1:])  # a measurement of a program that is installed
