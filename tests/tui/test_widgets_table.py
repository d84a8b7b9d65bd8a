"""The record table: keys, ticks kept outside, filter, order, cursor by key, hostile text, budgets."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator

import pytest
from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.message import Message
from textual.pilot import Pilot

from tests.tui.hostile import HOSTILE
from tui.glyphs import ASCII, UNICODE, use_glyphs
from tui.widgets.columns import lay_out
from tui.widgets.record_table import Column, RecordTable, Row

COLUMNS = (
    Column("name", "Firm", 12, flex=1),
    Column("number", "Number", 8, align="right"),
    Column("status", "Status", 8, priority=2),
    Column("state", "State", 10, priority=1),
)


def make_rows(count: int) -> list[Row]:
    return [
        Row(
            f"k{i}",
            (f"Firm {i:05d}", str(i), "Active" if i % 2 else "Closed", "in step"),
            sort=(f"{i:05d}", i, i % 2, 0),
        )
        for i in range(count)
    ]


class TableApp(App[None]):
    CSS = "RecordTable { height: 1fr; }"

    def __init__(self, rows: list[Row], columns: tuple[Column, ...] = COLUMNS) -> None:
        super().__init__()
        self.ticks: set[str] = set()
        self.seen: list[Message] = []
        self.table = RecordTable(columns, rows, ticks=self.ticks, fields={"ticked": self.is_ticked})

    def is_ticked(self, row: Row) -> str:
        return "yes" if row.key in self.ticks else "no"

    def compose(self) -> ComposeResult:
        yield self.table

    def on_record_table_tick_requested(self, event: RecordTable.TickRequested) -> None:
        self.seen.append(event)
        for key in event.keys:
            want = (key not in self.ticks) if event.value is None else event.value
            (self.ticks.add if want else self.ticks.discard)(key)
        event.table.refresh_ticks(event.keys)

    def on_record_table_tick_refused(self, event: RecordTable.TickRefused) -> None:
        self.seen.append(event)

    def on_record_table_row_selected(self, event: RecordTable.RowSelected) -> None:
        self.seen.append(event)

    def on_record_table_row_highlighted(self, event: RecordTable.RowHighlighted) -> None:
        self.seen.append(event)


@pytest.fixture
def ascii_glyphs() -> Iterator[None]:
    use_glyphs(ASCII)
    yield
    use_glyphs(UNICODE)


def lines(table: RecordTable) -> list[str]:
    return [table.render_line(y).text for y in range(table.size.height)]


async def test_moving_and_ticking() -> None:
    app = TableApp(make_rows(100))
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.press("j", "down", "k")
        assert app.table.cursor_key == "k1"
        await pilot.press("space", "space")
        assert app.ticks == {"k1", "k2"}
        assert app.table.cursor_key == "k3"
        assert " ✓ " in lines(app.table)[2][:4]
        await pilot.press("up", "space")
        assert app.ticks == {"k1"}
        await pilot.press("G")
        assert app.table.cursor_key == "k99"
        assert "Firm 00099" in lines(app.table)[-1]
        await pilot.press("pageup")
        assert app.table.cursor_key == "k80"
        await pilot.press("g", "pagedown", "home", "end", "g", "enter")
        assert [m.key for m in app.seen if isinstance(m, RecordTable.RowSelected)] == ["k0"]


async def test_a_range_is_ticked_at_once() -> None:
    app = TableApp(make_rows(20))
    async with app.run_test(size=(60, 24)) as pilot:
        await pilot.press("down", "shift+down", "shift+down")
        assert app.table.chosen_keys() == ("k1", "k2", "k3")
        assert lines(app.table)[2].startswith("▌")
        await pilot.press("space")
        assert app.ticks == {"k1", "k2", "k3"}
        assert app.table.cursor_key == "k3"
        await pilot.press("v", "j", "j", "space")
        assert app.ticks == {"k1", "k2", "k3", "k4", "k5"}  # some were not ticked, so all are set
        await pilot.press("v", "k", "space")
        assert app.ticks == {"k1", "k2", "k3"}
        await pilot.press("shift+up", "j")
        assert len(app.table.chosen_keys()) == 1  # a plain move drops a range made with shift
        await pilot.press("v", "j", "v")
        assert len(app.table.chosen_keys()) == 1


async def test_all_none_and_invert_act_on_the_view_only() -> None:
    app = TableApp(make_rows(20))
    async with app.run_test(size=(60, 24)) as pilot:
        app.ticks.add("k0")
        app.table.set_filter("status:active")
        await pilot.press("a")
        assert app.ticks == {"k0"} | {f"k{i}" for i in range(1, 20, 2)}
        assert app.table.ticked_outside() == ["k0"]
        app.ticks.remove("k1")
        await pilot.press("i")
        assert app.ticks == {"k0", "k1"}
        await pilot.press("A")
        assert app.ticks == {"k0"}


async def test_a_row_that_cannot_be_ticked_is_refused_and_left_out() -> None:
    rows = [*make_rows(3), Row("no", ("Blocked", "9", "", ""), tickable=False)]
    app = TableApp(rows)
    async with app.run_test(size=(60, 24)) as pilot:
        await pilot.press("a")
        assert app.ticks == {"k0", "k1", "k2"}
        await pilot.press("G", "space")
        assert [m.key for m in app.seen if isinstance(m, RecordTable.TickRefused)] == ["no"]


async def test_cursor_and_screen_place_stay_with_the_record() -> None:
    rows = make_rows(200)
    app = TableApp(rows)
    async with app.run_test(size=(60, 20)) as pilot:
        app.table.move_to("k51")
        await pilot.pause()
        app.table.set_filter("status:active")
        await pilot.pause()
        assert app.table.cursor_key == "k51"
        app.table.set_rows([row for row in rows if row.key != "k10"])
        await pilot.pause()
        assert app.table.cursor_key == "k51"
        assert any("Firm 00051" in line for line in lines(app.table))
        app.table.set_rows([row for row in rows if row.key != "k51"])
        await pilot.pause()
        assert app.table.cursor_key == "k53"  # what moved up into its place
        app.table.set_rows([])
        await pilot.pause()
        assert app.table.cursor_key is None
        assert isinstance(app.seen[-1], RecordTable.RowHighlighted)
        assert "Nothing here." in lines(app.table)[2]
        await pilot.press("j", "space", "a", "i", "v", "shift+down", "enter", "s", "S", "G", "pagedown", "A")
        assert app.ticks == set()


async def test_sorting_by_key_and_header() -> None:
    app = TableApp(make_rows(30))
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.press("s", "s")
        assert app.table.sort_column == "number"
        await pilot.press("S")
        assert app.table.view_keys()[:2] == ["k29", "k28"]
        assert "Number▼" in lines(app.table)[0]
        await pilot.click(app.table, offset=(8, 0))
        assert app.table.sort_column == "name"
        assert not app.table.sort_reversed
        await pilot.click(app.table, offset=(8, 0))
        assert app.table.sort_reversed
        app.table.sort_by(None)
        assert app.table.view_keys()[0] == "k0"


async def test_values_that_do_not_compare_are_sorted_by_their_looks() -> None:
    rows = [Row("a", ("a", "", "", ""), sort=(1, None, 0, 0)), Row("b", ("b", "", "", ""), sort=("x", 2, 0, 0))]
    app = TableApp(rows)
    async with app.run_test(size=(60, 20)):
        app.table.sort_by("name")
        app.table.sort_by("number")
        assert set(app.table.view_keys()) == {"a", "b"}


async def test_mouse() -> None:
    app = TableApp(make_rows(30))
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.click(app.table, offset=(10, 5))
        assert app.table.cursor_key == "k4"
        assert app.ticks == set()
        await pilot.click(app.table, offset=(1, 3))
        assert app.ticks == {"k2"}
        await pilot.click(app.table, offset=(10, 6), times=2)
        assert [m.key for m in app.seen if isinstance(m, RecordTable.RowSelected)] == ["k5"]


async def test_a_row_is_updated_in_place() -> None:
    app = TableApp(make_rows(30))
    async with app.run_test(size=(60, 20)) as pilot:
        app.table.set_filter("firm")
        app.table.update_row("k3", ("Renamed", "3", "Active", "conflict"), flag="conflict", style="bad")
        await pilot.pause()
        assert "! Renamed" in lines(app.table)[4]
        app.table.set_filter("renamed")
        assert app.table.view_keys() == ["k3"]
        app.table.update_row("gone", ("x", "", "", ""))


async def test_a_filter_that_is_wrong_leaves_the_view() -> None:
    app = TableApp(make_rows(30))
    async with app.run_test(size=(60, 20)):
        assert app.table.set_filter("number:=7")
        assert not app.table.set_filter("nummer:7")
        assert app.table.view_keys() == ["k7"]
        app.ticks.add("k2")
        app.table.set_filter("ticked:yes")
        assert app.table.view_keys() == ["k2"]
        app.table.set_filter("nothing like this")
        assert "Nothing matches" in lines(app.table)[2]


@pytest.mark.parametrize("width", [200, 60, 30, 12, 3, 1])
async def test_hostile_text_stays_in_its_line(width: int) -> None:
    rows = [Row(str(i), (text, text, text, text), style="warn") for i, text in enumerate(HOSTILE)]
    app = TableApp(rows)
    async with app.run_test(size=(width, 24)) as pilot:
        for word in HOSTILE:
            app.table.set_filter(word)
        app.table.set_filter("")
        await pilot.press("s", "space")
        for y in range(app.table.size.height):
            strip = app.table.render_line(y)
            assert strip.cell_length == app.table.line_width == cell_len(strip.text)
            assert strip.text.isprintable()
        if width == 60:
            shown = "\n".join(lines(app.table))
            assert "Roads [/2024]" in shown
            assert ":house:" in shown


async def test_ascii(ascii_glyphs: None) -> None:
    app = TableApp(make_rows(5))
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.press("space")
        assert "[x]" in lines(app.table)[1]
        assert "[ ]" in lines(app.table)[2]
        assert all(line.isascii() for line in lines(app.table))


def test_columns_hide_by_priority_and_grow_by_share() -> None:
    assert [p.index for p in lay_out(COLUMNS, 60)] == [0, 1, 2, 3]
    assert lay_out(COLUMNS, 60)[0].width == 60 - 8 - 8 - 10 - 3
    assert [p.index for p in lay_out(COLUMNS, 35)] == [0, 1, 3]
    assert [p.index for p in lay_out(COLUMNS, 25)] == [0, 1]
    narrow = lay_out(COLUMNS, 10)
    assert sum(p.width for p in narrow) + len(narrow) - 1 <= 10
    capped = lay_out((Column("a", "A", 5, most=8, flex=1), Column("b", "B", 5, flex=1)), 40)
    assert [p.width for p in capped] == [8, 31]


def cpu_ms(call: object) -> float:
    gc.collect()
    start = time.process_time()
    call()  # type: ignore[operator]
    return (time.process_time() - start) * 1000


async def settled(pilot: Pilot[None], call: object) -> float:
    """CPU milliseconds of a call and of the repaint it causes."""
    gc.collect()
    start = time.process_time()
    call()  # type: ignore[operator]
    await pilot.pause()
    table = pilot.app.query_one(RecordTable)
    for y in range(table.size.height):
        table.render_line(y)
    return (time.process_time() - start) * 1000


async def test_budgets_with_50_000_rows() -> None:
    rows = [row._replace(search=f"firm {i:05d}\x1f{i}") for i, row in enumerate(make_rows(50_000))]
    assert cpu_ms(lambda: RecordTable(COLUMNS, rows, ticks=set())) < 150
    app = TableApp(rows)
    async with app.run_test(size=(120, 40)) as pilot:
        table = app.table
        best = {
            "filter": min([await settled(pilot, lambda w=w: table.set_filter(w)) for w in ("9", "firm 1", "77")]),
            "clear": min([await settled(pilot, lambda: table.set_filter("")) for _ in range(3)]),
            "sort": await settled(pilot, lambda: table.sort_by("number", reverse=True)),
            "tick all": await settled(pilot, lambda: table.action_tick_view(True)),
            "update": min([await settled(pilot, lambda: table.update_row("k5", flag="error")) for _ in range(3)]),
            "down": min([await settled(pilot, lambda: table.action_move(1)) for _ in range(3)]),
        }
        budgets = {"filter": 80, "clear": 80, "sort": 70, "tick all": 100, "update": 20, "down": 20}
        assert {name: ms for name, ms in best.items() if ms > budgets[name]} == {}
        assert len(app.ticks) == 50_000
