"""The log panel: batches, the ring, levels, text, following and holding."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from textual.app import App, ComposeResult
from textual.pilot import Pilot

from tests.tui.hostile import HOSTILE
from tui.widgets.log_panel import BATCH_SECONDS, POUR_SECONDS, LogLine, LogPanel

START = datetime(2025, 3, 1, 10, 42, 7, tzinfo=UTC)


def make_lines(count: int, start: int = 0) -> list[LogLine]:
    levels = ("info", "info", "debug", "info", "warning", "info", "info", "info", "info", "error")
    return [LogLine(START + timedelta(seconds=i), levels[i % 10], f"line {i}") for i in range(start, start + count)]


class LogApp(App[None]):
    CSS = "LogPanel { height: 10; }"

    def __init__(self, kept: int = 1_000) -> None:
        super().__init__()
        self.panel = LogPanel(kept, zone=UTC)

    def compose(self) -> ComposeResult:
        yield self.panel


def shown(panel: LogPanel) -> list[str]:
    return [panel.render_line(y).text.rstrip() for y in range(panel.size.height)]


async def add(pilot: Pilot[None], panel: LogPanel, lines: list[LogLine]) -> None:
    panel.add(lines)
    panel.show_waiting()
    await pilot.pause()


async def test_it_follows_the_end_until_told_to_stay() -> None:
    app = LogApp()
    async with app.run_test(size=(60, 20)) as pilot:
        app.panel.focus()
        assert "No log lines yet" in shown(app.panel)[0]
        await add(pilot, app.panel, make_lines(50))
        assert shown(app.panel)[-1] == "10:42:56 error   line 49"
        await pilot.press("k")
        assert not app.panel.following
        top = shown(app.panel)[0]
        await add(pilot, app.panel, make_lines(50, 50))
        assert shown(app.panel)[0] == top
        await pilot.press("f")
        assert "line 99" in shown(app.panel)[-1]
        await pilot.press("g")
        assert "line 0" in shown(app.panel)[0]
        await pilot.press("G")
        assert app.panel.following


async def test_the_ring_is_bounded_and_what_is_read_stays() -> None:
    app = LogApp(kept=100)
    async with app.run_test(size=(60, 20)) as pilot:
        app.panel.focus()
        await add(pilot, app.panel, make_lines(100))
        await pilot.press("k")
        for _ in range(4):
            await pilot.press("pageup")
        top = shown(app.panel)[0]
        await add(pilot, app.panel, make_lines(20, 100))
        assert app.panel.kept_count == 100
        assert shown(app.panel)[0] == top
        app.panel.set_filter("line 1")
        app.panel.set_level("warning")
        await add(pilot, app.panel, make_lines(200, 120))
        assert app.panel.kept_count == 100


async def test_lines_come_in_batches() -> None:
    app = LogApp()
    async with app.run_test(size=(60, 20)) as pilot:
        for line in make_lines(200):
            app.panel.add([line])
        assert app.panel.repaints == 0
        assert app.panel.waiting_count == 200
        while app.panel.waiting_count:
            await pilot.pause(0.05)
        assert app.panel.repaints == 1
        assert app.panel.kept_count == 200


async def test_lines_that_pour_in_are_shown_less_often_and_the_last_of_them_soon() -> None:
    app = LogApp()
    async with app.run_test(size=(60, 20)) as pilot:
        await add(pilot, app.panel, make_lines(3))
        assert app.panel.pause == BATCH_SECONDS
        poured = [line._replace(text=line.text + " of many" * 8) for line in make_lines(50)]
        await add(pilot, app.panel, poured)
        assert BATCH_SECONDS < app.panel.pause <= POUR_SECONDS
        app.panel.following = False  # what is read stays: nothing is sent
        await add(pilot, app.panel, poured)
        assert app.panel.pause == BATCH_SECONDS


async def test_levels_and_text() -> None:
    app = LogApp()
    async with app.run_test(size=(60, 20)) as pilot:
        app.panel.focus()
        await add(pilot, app.panel, make_lines(50))
        await pilot.press("L", "L")
        assert app.panel.level == "warning"
        assert app.panel.line_count == 10
        await pilot.press("L")
        assert app.panel.line_count == 5
        assert "errors only" in app.panel.state_text
        await pilot.press("L")
        assert app.panel.line_count == 50
        assert app.panel.set_filter('"line 4"')
        assert app.panel.line_count == 11
        assert not app.panel.set_filter("nolevel:x")
        await add(pilot, app.panel, make_lines(10, 400))
        assert app.panel.line_count == 21
        app.panel.set_filter("level:error !9")
        assert "No line matches." in shown(app.panel)[0]


async def test_holding_keeps_lines_back() -> None:
    app = LogApp()
    async with app.run_test(size=(60, 20)) as pilot:
        app.panel.focus()
        await add(pilot, app.panel, make_lines(5))
        await pilot.press("h")
        await add(pilot, app.panel, make_lines(7, 5))
        assert app.panel.line_count == 5
        assert "held, 7 more came" in app.panel.state_text
        await pilot.press("h")
        assert app.panel.line_count == 12


async def test_to_the_next_trouble() -> None:
    app = LogApp()
    async with app.run_test(size=(60, 20)) as pilot:
        app.panel.focus()
        await add(pilot, app.panel, make_lines(100))
        await pilot.press("g", "n")
        assert "line 4" in shown(app.panel)[0]
        await pilot.press("n")
        assert "line 9" in shown(app.panel)[0]
        await pilot.press("N")
        assert "line 4" in shown(app.panel)[0]


async def test_hostile_lines() -> None:
    app = LogApp()
    async with app.run_test(size=(40, 24)) as pilot:
        await add(pilot, app.panel, [LogLine(START, text, text) for text in HOSTILE])
        app.panel.action_jump(0)
        for y in range(app.panel.size.height):
            strip = app.panel.render_line(y)
            assert strip.text.isprintable()
            assert strip.cell_length == app.panel.line_width
