"""All widgets on one screen, to look at: python -m tests.tui.demo [--ascii] [--theme light]."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical

from tests.tui.hostile import HOSTILE
from tui.driver import PatientDriver, install_signal_handlers
from tui.formatting import clock, count, countdown, state_word, ticks_text
from tui.keys import OrderedKeysApp
from tui.themes import ansi_color_for, apply_theme, choose_glyphs, use_glyphs, wants_plain
from tui.widgets.ask import Ask, Choice
from tui.widgets.chart import Bar, BarChart
from tui.widgets.cron import CronAnswer, CronEditor
from tui.widgets.fields import FieldList, FieldRow
from tui.widgets.filter import FilterBar
from tui.widgets.help import HelpScreen
from tui.widgets.log_panel import LogLine, LogPanel
from tui.widgets.money_grid import MoneyGrid, MoneyRow
from tui.widgets.record_table import Column, RecordTable, Row
from tui.widgets.status_line import StatusLine
from tui.widgets.tabs import Place, PlaceTabs
from tui.widgets.toast import toast

STATES = ("in_step", "unmarked", "conflict", "pending", "error", "candidate")
PLACES = ("Firms", "Projects", "Employees", "Plan", "Inbox", "Runs", "Log", "Schedule", "Settings")
COLUMNS = (
    Column("name", "Firm", 16, flex=1),
    Column("number", "Number", 7, align="right"),
    Column("status", "Status", 7, priority=2),
    Column("state", "State", 10, priority=1),
)


def make_rows(number: int) -> list[Row]:
    names = [text for text in HOSTILE if len(text) < 60] + [f"Firm number {i}" for i in range(number)]
    return [
        Row(str(i), (name, str(10_000 + i), "Active", state_word(STATES[i % 6])), flag=STATES[i % 6])
        for i, name in enumerate(names)
    ]


def explain(expression: str) -> CronAnswer:
    start = datetime(2025, 3, 1, 7, tzinfo=UTC)
    if len(expression.split()) != 5:
        return CronAnswer(error="five fields are needed")
    return CronAnswer("every 15 minutes", [start + timedelta(minutes=15 * i) for i in range(5)])


class Demo(OrderedKeysApp[None]):
    CSS_PATH = "../../tui/styles/widgets.tcss"
    CSS = """
    RecordTable { width: 3fr; } #side { width: 2fr; } FieldList { height: 7; }
    LogPanel { height: 4; } #main { height: 1fr; } CronEditor { max-height: 3; }
    """
    BINDINGS = [
        Binding("slash", "filter", "Filter", id="demo.filter", tooltip="Filter the list"),
        Binding("p", "ask", "Plan", id="demo.plan", tooltip="Ask something"),
        Binding("question_mark", "help", "Help", id="demo.help", tooltip="What can be done here"),
        Binding("q", "quit", "Quit", id="demo.quit", tooltip="Leave"),
    ]

    def __init__(self, theme: str) -> None:
        plain = wants_plain()
        super().__init__(driver_class=PatientDriver, ansi_color=ansi_color_for(plain=plain))
        apply_theme(self, theme, plain=plain)
        self.ticks: set[str] = {"3"}
        self.table = RecordTable(COLUMNS, make_rows(5_000), ticks=self.ticks)
        self.bar = FilterBar(self.table.fields)
        self.next_run = datetime.now(UTC) + timedelta(minutes=4, seconds=12)

    def compose(self) -> ComposeResult:
        yield StatusLine(self.status)
        waiting = {"Inbox": 3}
        yield PlaceTabs([Place(p, str(i + 1), p, waiting.get(p, 0)) for i, p in enumerate(PLACES)], "Firms")
        yield self.bar
        with Horizontal(id="main"):
            yield self.table
            with Vertical(id="side"):
                yield FieldList([
                    FieldRow("name", "Name", "Acme Supplies", "Acme Supplies", "CRM", "in_step"),
                    FieldRow("web", "Website", "acme.example", "www.acme.example", "ask", "conflict"),
                    FieldRow("note", "Notes", HOSTILE[9], None, "CRM"),
                ])  # fmt: skip
                amount = Decimal("1234567.89")
                yield MoneyGrid(
                    ("Budget", "Spent"), [MoneyRow("Labor", (amount, -amount)), MoneyRow("Fee", (None, amount))]
                )
                yield BarChart([Bar("10:15", 14, "14 writes"), Bar("10:30", 3, "3 writes")])
                yield CronEditor(explain, "*/15 7-19 * * mon-fri", zone=UTC)
        yield LogPanel()

    def on_mount(self) -> None:
        install_signal_handlers(self)
        now = datetime.now(UTC)
        self.query_one(LogPanel).add(LogLine(now, "warning", text) for text in HOSTILE)
        self.table.focus()

    def status(self, now: datetime, width: int) -> str:
        ticks = ticks_text(len(self.ticks), len(self.table.ticked_outside()))
        return f"ajerasync demo {clock(now)}  next in {countdown(self.next_run, now)}  {ticks}"

    @on(FilterBar.Changed)
    def filtered(self, event: FilterBar.Changed) -> None:
        self.table.set_filter(event.query)
        self.bar.note(f"{count(self.table.line_count)} of {count(self.table.row_count)}")

    @on(FilterBar.Left)
    def back(self) -> None:
        self.table.focus()

    @on(RecordTable.TickRequested)
    def tick(self, event: RecordTable.TickRequested) -> None:
        for key in event.keys:
            want = key not in self.ticks if event.value is None else event.value
            (self.ticks.add if want else self.ticks.discard)(key)
        event.table.refresh_ticks(event.keys)
        self.query_one(StatusLine).refresh_words()

    def action_filter(self) -> None:
        self.bar.focus_line()

    def action_ask(self) -> None:
        lines = [f"{len(self.ticks)} ticked", *HOSTILE[:5]]
        self.push_screen(Ask("Apply the plan?", lines, [Choice("yes", "Apply", grave=True)]), self.answered)

    def answered(self, answer: str | None) -> None:
        toast(self, f"answer: {answer} {HOSTILE[0]}", "warning")

    def action_help(self) -> None:
        self.push_screen(HelpScreen.of(self.screen))


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--ascii", action="store_true")
    parser.add_argument("--theme", default="dark")
    chosen = parser.parse_args(arguments)
    use_glyphs(choose_glyphs(ascii_only=chosen.ascii))
    app = Demo(chosen.theme)
    app.run()
    return app.return_code or 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
