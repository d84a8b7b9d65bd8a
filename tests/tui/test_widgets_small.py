"""The smaller widgets, with ordinary and hostile text."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Button
from textual.widgets._toast import Toast

from tests.tui.hostile import HOSTILE
from tui.widgets.ask import Ask, Choice
from tui.widgets.chart import Bar, BarChart, spark, spark_words
from tui.widgets.cron import CronAnswer, CronEditor
from tui.widgets.fields import FieldList, FieldRow
from tui.widgets.filter import FilterBar, QuietInput
from tui.widgets.help import HelpLines, HelpScreen
from tui.widgets.line_view import LineView
from tui.widgets.money_grid import MoneyGrid, MoneyRow
from tui.widgets.progress import ProgressLine, progress_words
from tui.widgets.record_table import Column, RecordTable
from tui.widgets.status_line import StatusLine
from tui.widgets.tabs import Place, PlaceTabs
from tui.widgets.toast import toast

NOW = datetime(2025, 3, 1, 10, 42, 7, tzinfo=UTC)


class OneApp(App[None]):
    CSS_PATH = "../../tui/styles/widgets.tcss"

    def __init__(self, *widgets: Widget) -> None:
        super().__init__()
        self.shown = widgets
        self.seen: asyncio.Queue[Message] = asyncio.Queue()

    def compose(self) -> ComposeResult:
        yield from self.shown

    def note(self, message: Message) -> None:
        self.seen.put_nowait(message)

    on_filter_bar_changed = on_filter_bar_left = on_cron_editor_changed = on_cron_editor_submitted = note
    on_place_tabs_chosen = on_field_list_field_highlighted = on_field_list_field_chosen = note


def lines(view: LineView) -> list[str]:
    return [view.render_line(y).text.rstrip() for y in range(view.size.height)]


def assert_harmless(view: LineView) -> None:
    for y in range(view.size.height):
        strip = view.render_line(y)
        assert strip.text.isprintable()
        assert strip.cell_length == view.line_width


# -- filter line -----------------------------------------------------------------------------------------------


async def test_the_filter_line_compiles_as_one_types() -> None:
    bar = FilterBar(["owner", "state"])
    app = OneApp(bar)
    async with app.run_test(size=(80, 10)) as pilot:
        bar.focus_line()
        await pilot.press(*"acme")
        event = await asyncio.wait_for(app.seen.get(), 5)
        while isinstance(event, FilterBar.Changed) and event.query.source != "acme":
            event = await asyncio.wait_for(app.seen.get(), 5)
        assert isinstance(event, FilterBar.Changed)
        bar.set_value("onwer:jones")
        while not bar.current.error:
            await pilot.pause(0.02)
        assert bar.has_class("-wrong")
        assert app.seen.empty()
        bar.set_value("owner:jones")
        await pilot.press("enter")
        assert isinstance(await asyncio.wait_for(app.seen.get(), 5), FilterBar.Changed)
        assert isinstance(await asyncio.wait_for(app.seen.get(), 5), FilterBar.Left)
        bar.note("214 of 5,012")
        await pilot.press("escape")
        assert bar.value == "owner:jones"
        assert not bar.query_one(QuietInput).cursor_blink


# -- status line, tabs, progress -------------------------------------------------------------------------------


async def test_the_status_line_tells_the_time_and_never_acts_on_text() -> None:
    asked: list[int] = []

    def words(now: datetime, width: int) -> str:
        asked.append(width)
        return f"{now:%H:%M:%S} [/x] \x1b[2J {'long ' * 40}\nsecond"

    line = StatusLine(words, now=lambda: NOW)
    app = OneApp(line)
    async with app.run_test(size=(40, 10)):
        assert line.shown.startswith("10:42:07 [/x] ␛[2J")
        assert [len(part) <= 40 for part in line.shown.split("\n")] == [True, True]
        assert line.size.height == 2


async def test_the_tabs_show_keys_and_what_waits() -> None:
    tabs = PlaceTabs([Place("firms", "1", "Firms"), Place("inbox", "5", "Inbox [x]", 3)], "firms")
    app = OneApp(tabs)
    async with app.run_test(size=(40, 10)) as pilot:
        assert tabs.render_line(0).text.rstrip() == "[1 Firms] 5 Inbox [x](3)"
        await pilot.click(tabs, offset=(12, 0))
        event = await asyncio.wait_for(app.seen.get(), 5)
        assert isinstance(event, PlaceTabs.Chosen)
        assert event.place == "inbox"
        tabs.set_present("inbox")
        tabs.set_waiting("inbox", 0)
        assert "[5 Inbox [x]]" in tabs.render_line(0).text
        await pilot.resize_terminal(14, 10)
        await pilot.pause()
        assert tabs.render_line(0).text.startswith(" 1 [5 Inbox")


def test_progress_in_words() -> None:
    start = NOW - timedelta(seconds=10)
    assert progress_words("writing", 12, 80, start, NOW) == "writing 12 of 80 (15 %), about 57 s left"
    assert progress_words("reading", 1200, None, start, NOW) == "reading 1,200, 10 s so far"
    assert progress_words("writing", 80, 80, start, NOW) == "writing 80 of 80 (100 %), took 10 s"
    assert progress_words("writing", 0, 80, None, NOW) == "writing 0 of 80 (0 %)"


async def test_the_progress_line_shows_hostile_words() -> None:
    line = ProgressLine()
    app = OneApp(line)
    async with app.run_test():
        for text in HOSTILE:
            line.show(text)
            assert line.shown.isprintable()


# -- fields, differences ---------------------------------------------------------------------------------------


async def test_fields_show_the_other_side_only_where_it_differs() -> None:
    rows = [
        FieldRow("h", "Identity", heading=True),
        FieldRow("name", "Name", "Acme Supplies", "Acme Supplies", "CRM"),
        FieldRow("web", "Website", "acme.example", "www.acme.example", "ask", flag="conflict"),
        FieldRow("fax", "Fax", "", "555", "Ajera"),
        FieldRow("memo", "Memo", "only here", None),
    ]
    fields = FieldList(rows)
    app = OneApp(fields)
    async with app.run_test(size=(80, 12)) as pilot:
        fields.focus()
        shown = lines(fields)
        assert shown[2].count("Acme Supplies") == 1
        assert "www.acme.example" in shown[3]
        assert shown[3].lstrip().startswith("!")
        assert "(blank)" in shown[4]
        assert "555" in shown[4]
        await pilot.press("down", "down", "enter")
        await pilot.pause()
        seen = drained(app.seen)
        assert isinstance(seen[-2], FieldList.FieldHighlighted)
        assert isinstance(seen[-1], FieldList.FieldChosen)
        assert seen[-1].row.key == "web"
        fields.set_rows(rows[2:])
        assert fields.current is not None
        assert fields.current.key == "web"
        fields.set_rows([])
        assert "No record chosen" in lines(fields)[2]


@pytest.mark.parametrize("width", [100, 40, 8, 2])
async def test_hostile_fields(width: int) -> None:
    fields = FieldList([FieldRow(str(i), t, t, f"{t}2", t, flag=t) for i, t in enumerate(HOSTILE)])
    app = OneApp(fields)
    async with app.run_test(size=(width, 40)) as pilot:
        await pilot.pause()
        assert_harmless(fields)


# -- cron, money, charts ---------------------------------------------------------------------------------------


def explain(expression: str) -> CronAnswer:
    if expression.count(" ") != 4:
        return CronAnswer(error=f"five fields are needed, not {expression!r}")
    return CronAnswer("every 15 minutes", [NOW + timedelta(minutes=15 * i) for i in range(9)])


async def test_the_cron_editor_explains_and_shows_five_times() -> None:
    editor = CronEditor(explain, "*/15 * * * *", zone=UTC)
    app = OneApp(editor)
    async with app.run_test(size=(60, 20)) as pilot:
        assert len(editor.lines()) == 6
        assert "Sat 2025-03-01 10:42" in editor.lines()[1]
        editor.set_expression("[/x]")
        await pilot.pause()
        assert editor.lines() == ["Not a schedule: five fields are needed, not '[/x]'"]
        editor.query_one(QuietInput).focus()
        await pilot.press("enter")
        assert not any(isinstance(m, CronEditor.Submitted) for m in drained(app.seen))
        editor.set_expression("0  7 * * mon")
        await pilot.press("enter")
        last = drained(app.seen)[-1]
        assert isinstance(last, CronEditor.Submitted)
        assert last.expression == "0 7 * * mon"


def drained(queue: asyncio.Queue[Message]) -> list[Message]:
    return [queue.get_nowait() for _ in range(queue.qsize())]


async def test_money_is_right_aligned_and_never_cut() -> None:
    amounts = tuple(Decimal(n) for n in ("1234567.5", "-3", "0", "99999999999.99"))
    rows = [MoneyRow("Labor [/x]", amounts), MoneyRow("Total", amounts, strong=True), MoneyRow("Blank", (None,))]
    grid = MoneyGrid(("Budget", "Spent", "Billed", "Due"), rows)
    app = OneApp(grid)
    async with app.run_test(size=(90, 40)) as pilot:
        await pilot.pause()
        shown = lines(grid)
        assert shown[1].endswith("99,999,999,999.99")
        assert shown[0].index("Budget") + len("Budget") == shown[1].index("1,234,567.50") + len("1,234,567.50")
        await pilot.resize_terminal(30, 40)
        await pilot.pause()
        stacked = [line for line in lines(grid) if line.startswith("  ") and line.strip()]
        assert any("Due" in line and line.rstrip().endswith("99,999,999,999.99") for line in stacked)
        assert len({len(line.rstrip()) for line in stacked if line.rstrip()[-1].isdigit()}) == 1
        grid.set_rows([])
        await pilot.pause()
        assert grid.line_count == 0


@pytest.mark.parametrize("width", [44, 47, 50])
async def test_five_by_four_amounts_stay_a_grid_where_it_is_narrow(width: int) -> None:
    amounts = tuple(Decimal(n) for n in ("123456.5", "-0.45", "87123", "210579.05"))
    rows = [MoneyRow(f"{name} (Ajera)", amounts, short=name) for name in ("Spent", "Cost", "WIP", "Billed", "Received")]
    grid = MoneyGrid(
        ("Labor", "Reimbursable", "Consultant", "Total"), rows, short=("Labor", "Reimb.", "Cons.", "Total")
    )
    app = OneApp(grid)
    async with app.run_test(size=(width, 30)) as pilot:
        await pilot.pause()
        head, *shown = [line.rstrip() for line in lines(grid)[:6]]
        assert len({len(line) for line in [head, *shown]}) == 1  # right-aligned
        for line, row in zip(shown, rows, strict=True):
            assert line.startswith(f" {row.short}")
            assert "-0.45" in line  # what is below one is never shown as nought


async def test_charts() -> None:
    assert spark([0, 1, 2, 8, 4], 4) == "▁▂█▄"
    assert spark([0, 0], 4) == "  "
    assert spark_words([1, 14, 2]) == "3 runs, highest 14, last 2"
    chart = BarChart([Bar("10:15", 14, "14 writes"), Bar("[/x]", 0), Bar("\x1b[2J", 7)])
    app = OneApp(chart)
    async with app.run_test(size=(40, 20)) as pilot:
        await pilot.pause()
        assert_harmless(chart)
        bars = [line.count("█") for line in lines(chart)]
        assert bars[1] == 0
        assert bars[0] == 2 * bars[2] or abs(bars[0] - 2 * bars[2]) <= 1
        chart.set_bars([])


# -- questions, help, toasts -----------------------------------------------------------------------------------


async def ask(keys: Iterable[str], question: Ask) -> Any:
    app = OneApp()
    answers: list[Any] = []
    async with app.run_test(size=(60, 20)) as pilot:
        app.push_screen(question, answers.append)
        await pilot.pause()
        await pilot.press(*keys)
        await pilot.pause()
    return answers[0] if answers else "open"


async def test_a_question_starts_on_cancel_and_no_letter_answers() -> None:
    assert await ask(["enter"], Ask("Send [/x]?", HOSTILE)) is None
    assert await ask(["escape"], Ask("Send?")) is None
    assert await ask(["y", "s", "p", "d"], Ask("Send?")) == "open"
    assert await ask(["tab", "enter"], Ask("Send?", ["12 firms"])) == "yes"
    two = [Choice("ajera", "Take Ajera's"), Choice("crm", "Take the CRM's", grave=True)]
    assert await ask(["right", "right", "enter"], Ask("Which?", choices=two)) == "crm"
    assert await ask(["pagedown", "pageup", "left", "enter"], Ask("Which?", ["x"] * 100, two)) == "crm"


async def test_what_cannot_be_undone_wants_the_count_typed() -> None:
    assert await ask(["tab", "tab", "enter"], Ask("Delete?", retype="12")) in (None, "open")
    question = Ask("Delete?", retype="12")
    app = OneApp()
    answers: list[str | None] = []
    async with app.run_test(size=(60, 20)) as pilot:
        app.push_screen(question, answers.append)
        await pilot.pause()
        assert question.query_one("#choice-yes", Button).disabled
        question.query_one("#ask-typed", QuietInput).value = "12"
        await pilot.pause()
        question.query_one("#choice-yes", Button).focus()
        await pilot.press("enter")
        await pilot.pause()
    assert answers == ["yes"]


class HelpApp(OneApp):
    BINDINGS = [Binding("p", "bell", "Plan", tooltip="Make a plan and show it"), Binding("Z", "bell2", "", show=False)]


async def test_help_is_made_of_the_bindings_and_can_be_searched() -> None:
    app = HelpApp(RecordTable([Column("a", "A")], ticks=set()))
    async with app.run_test(size=(80, 24)) as pilot:
        screen = HelpScreen.of(app.screen)
        keys = {key.does for key in screen.keys}
        assert {"Plan", "Tick", "All here", "Sort", "Down"} <= keys
        app.push_screen(screen)
        await pilot.pause()
        view = screen.query_one(HelpLines)
        everything = view.line_count
        assert "list of records" in lines(view)[0]
        await pilot.press(*"untick all")
        await pilot.pause()
        assert 0 < view.line_count < everything
        assert any("None here" in line for line in lines(view))
        await pilot.press(*"zzz")
        assert "No key does that." in lines(view)[0]
        for _ in range(13):
            await pilot.press("backspace")
        await pilot.press("pagedown", "down", "up")
        assert view.scroll_offset.y > 0
        await pilot.press("escape")
        assert app.screen is not screen


def test_every_table_binding_has_an_id_and_an_explanation() -> None:
    for widget in (RecordTable, LineView):
        for binding in widget.BINDINGS:
            assert isinstance(binding, Binding)
            assert binding.id
            assert binding.description
            assert binding.tooltip


@pytest.mark.parametrize("text", HOSTILE)
async def test_toasts_show_hostile_text(text: str) -> None:
    app = OneApp()
    async with app.run_test(notifications=True, size=(60, 20)) as pilot:
        toast(app, f"failed: {text}", "error")
        await pilot.pause()
        assert len(app.screen.query("Toast")) == 1
        assert len(app._notifications) == 1


async def test_a_toast_whose_time_is_up_as_it_is_made_holds_nothing_up() -> None:
    """Textual would start a timer with less than nothing, which goes round without end."""
    app = OneApp()
    async with app.run_test(notifications=True, size=(60, 20)) as pilot:
        toast(app, "just in time")
        await pilot.pause()
        (told,) = app._notifications
        told.raised_at -= told.timeout
        assert told.has_expired
        late = Toast(told)
        assert late._timeout > 0
        await app.screen.mount(late)
        async with asyncio.timeout(10):
            while late.is_attached:
                await pilot.pause()
