"""The program with lines pouring into its log: `python -m tests.bench.pouring LINES_A_SECOND PROGRAM_ARGUMENTS...`.

Each line is told as a run tells its own (`Service.note`): it is published on the bus in the loop, written to the run log,
and shown as the screen shows what it is told. Nothing of the screen knows of it. SIGUSR1 starts and ends it.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import time

from tui import __main__ as program
from tui.app import AjerasyncApp

LINE = "firm Firm {n} Associates: website written to Ajera: https://moved{n}.example (was https://firm{n}.example)"


async def pour(app: AjerasyncApp, rate: float, open_: asyncio.Event) -> None:
    """So many lines a second, however late the loop is."""
    told = 0
    while True:
        await open_.wait()
        began, first = time.perf_counter(), told
        while open_.is_set():
            while told - first < (time.perf_counter() - began) * rate:
                told += 1
                app.service.note(LINE.format(n=told))
            await asyncio.sleep(0.5 / rate)


def main() -> None:
    rate = float(sys.argv.pop(1))
    mounted = AjerasyncApp.on_mount

    def on_mount(app: AjerasyncApp) -> None:
        mounted(app)
        gate = asyncio.Event()
        turn = lambda: gate.clear() if gate.is_set() else gate.set()  # noqa: E731
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, turn)
        app.run_worker(pour(app, rate, gate), group="pour", exit_on_error=True)

    AjerasyncApp.on_mount = on_mount  # type: ignore[assignment, method-assign] # for this program
    program.main()


if __name__ == "__main__":
    main()
