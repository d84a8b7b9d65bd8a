"""The app the pty tests run: a clock that paints a lot, a heartbeat told over a pipe, and ways to be hung.

python -m tests.tui.pty_app calm | busy | stuck | stay | table
"""

from __future__ import annotations

import os
import sys
import time

from textual import on
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.widgets import Static

from tui.driver import PatientDriver, install_signal_handlers
from tui.themes import ansi_color_for, apply_theme, wants_plain
from tui.widgets.record_table import Column, RecordTable, Row

FACTS = int(os.environ["FACTS"])


def tell(fact: str) -> None:
    os.write(FACTS, f"{fact}\n".encode())


class PtyApp(App[None]):
    CSS = "Static { height: 1fr; } RecordTable { height: 1fr; }"
    BINDINGS = [Binding("q", "quit", "Quit"), Binding("x", "stick", "Stick")]

    def __init__(self, way: str) -> None:
        plain = wants_plain()
        super().__init__(driver_class=PatientDriver, ansi_color=ansi_color_for(plain=plain))
        apply_theme(self, "dark", plain=plain)
        self.way, self.beats, self.ticks = way, 0, set[str]()
        self.told_dropped = False

    def compose(self) -> ComposeResult:
        if self.way == "table":
            rows = [
                Row(str(i), (f"firm number {i}", str(i), "Active", "in step"), flag="in_step") for i in range(50_000)
            ]
            columns = [Column("name", "Firm", 20, flex=1), Column("number", "Number", 8), Column("status", "Status", 8),
                       Column("state", "State", 10)]  # fmt: skip
            yield RecordTable(columns, rows, ticks=self.ticks)
        else:
            yield Static("waiting")

    def on_mount(self) -> None:
        on_hangup = (lambda: tell("hung up")) if self.way == "stay" else None
        self.ending = install_signal_handlers(self, on_hangup, seconds=0.5 if self.way == "stuck" else 3)
        self.set_interval(0.02, self.beat)
        self.call_after_refresh(tell, "ready")

    def beat(self) -> None:
        self.beats += 1
        if self.way == "busy":
            fill = chr(ord("a") + self.beats % 26)
            self.query_one(Static).update("\n".join(f"{self.beats:06d} {fill * 60}" for _ in range(20)))
        driver = self._driver
        assert isinstance(driver, PatientDriver)
        if driver.dropped_frames and not self.told_dropped:
            self.told_dropped = True
            tell("dropped")
        if self.told_dropped or self.way != "busy":
            tell(f"beat {self.beats}")

    def action_stick(self) -> None:
        tell("stuck")
        while True:
            time.sleep(1)

    @on(RecordTable.TickRequested)
    def tick(self, event: RecordTable.TickRequested) -> None:
        if event.value:
            self.ticks.update(event.keys)
        else:
            self.ticks.difference_update(event.keys)
        event.table.refresh_ticks(event.keys)

    def on_unmount(self) -> None:
        tell("unmounted")


if __name__ == "__main__":
    app = PtyApp(sys.argv[1])
    app.run()
    sys.exit(app.return_code or 0)
