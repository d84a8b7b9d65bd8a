"""The peer of bench_screen: Textual's DataTable with as many rows, columns and the same keys. `python -m … ROWS`."""

from __future__ import annotations

import sys
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import DataTable, Header

COLUMNS = (("tick", 2), ("number", 12), ("name", 30), ("client", 24), ("status", 8), ("state", 12))
Line = tuple[str, ...]


class PeerApp(App[None]):
    """Arrow keys move, space ticks, s sorts by the next column, a ticks all, f shows a tenth."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "tick", "", priority=True), Binding("s", "sort", ""), Binding("a", "all", ""),
        Binding("f", "filter", ""),
    ]  # fmt: skip

    def __init__(self, number: int) -> None:
        super().__init__()
        self.animation_level = "none"
        self.lines: list[Line] = [
            ("✓", f"{20_000 + n}.00", f"Library wing {n}", f"Firm {n % 7_000} Associates", "Active", "in step")
            for n in range(number)
        ]
        self._sorted = 0

    def compose(self) -> ComposeResult:
        yield Header(show_clock=True)
        yield DataTable(cursor_type="row")

    def on_mount(self) -> None:
        table = self.query_one(DataTable)
        for name, width in COLUMNS:
            table.add_column(name, width=width, key=name)
        self._fill(self.lines)
        table.focus()

    def _fill(self, lines: list[Line]) -> None:
        table = self.query_one(DataTable)
        table.clear()
        for line in lines:
            table.add_row(*line, key=line[1])

    def action_tick(self) -> None:
        table = self.query_one(DataTable)
        row = table.cursor_row
        table.update_cell_at(table.cursor_coordinate, " " if table.get_row_at(row)[0] == "✓" else "✓")
        table.move_cursor(row=row + 1)

    def action_sort(self) -> None:
        self._sorted = (self._sorted + 1) % len(COLUMNS)
        self.query_one(DataTable).sort(COLUMNS[self._sorted][0])

    def action_all(self) -> None:
        table = self.query_one(DataTable)
        for line in self.lines:
            table.update_cell(line[1], "tick", "+")

    def action_filter(self) -> None:
        self._fill(self.lines[::10])


if __name__ == "__main__":
    PeerApp(int(sys.argv[1])).run()
