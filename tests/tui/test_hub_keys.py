"""The hubs at the keys: ticks and their undo, filters that are terms, tabs, narrow screens, refusals."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from core.errors import StoreUnwritable
from core.model.values import Kind
from tests.tui.kit import Stage, stage
from tui.app import AjerasyncApp
from tui.places import present_places
from tui.screens.hub_rows import toggled_term
from tui.screens.record_pane import TabLine
from tui.widgets.filter import FilterBar
from tui.widgets.key_line import KeyLine


def tickable(scene: Stage, kind: Kind = Kind.FIRM) -> list[str]:
    return [row.id for row in scene.rows(kind) if row.state == "unmarked" and row.crm_key]


async def test_tick_undo_redo(tmp_path: Path) -> None:
    async with stage(tmp_path) as scene:
        row = scene.hub.rows[tickable(scene)[0]]
        await scene.stand_on(row)
        await scene.press("space")
        assert row.id in scene.hub.ticks
        await scene.press("u")
        assert row.id not in scene.hub.ticks
        assert not scene.service.row(row.kind, row.key).marked
        await scene.press("U")
        assert row.id in scene.hub.ticks


def line(scene: Stage, row_id: str) -> object:
    """All that is shown of a row's tick."""
    return scene.hub.table.row(row_id), row_id in scene.hub.ticks, len(scene.hub.ticks), note(scene)


async def test_a_tick_is_shown_as_it_will_be_before_it_is_stored(tmp_path: Path) -> None:
    async with stage(tmp_path) as scene:
        hub = scene.hub
        row = hub.rows[tickable(scene)[0]]
        await scene.stand_on(row)
        shown: list[object] = []

        def stored(*given: Any, **more: Any) -> Any:
            shown.append(line(scene, row.id))
            return real(*given, **more)

        real, scene.service.mark = scene.service.mark, stored  # type: ignore[method-assign]
        count = len(hub.ticks)
        await scene.press("space")
        assert shown == [line(scene, row.id)]
        assert f"ticked {count + 1}" in note(scene)
        assert scene.service.row(row.kind, row.key).state == "pending"


async def test_a_tick_that_cannot_be_stored_is_taken_back_on_the_screen(tmp_path: Path) -> None:
    async with stage(tmp_path) as scene:
        hub = scene.hub
        row = hub.rows[tickable(scene)[0]]
        await scene.stand_on(row)
        before = line(scene, row.id)

        def full(*given: Any, **more: Any) -> Any:
            raise StoreUnwritable("the disk is full")

        scene.service.mark = full  # type: ignore[method-assign]
        await scene.press("space")
        assert line(scene, row.id) == before
        await scene.until(lambda: any("the disk is full" in toast.message for toast in scene.app._notifications))


async def test_what_is_told_in_a_thread_is_handed_on(tmp_path: Path) -> None:
    async with stage(tmp_path) as scene:
        await asyncio.to_thread(scene.service.note, "told elsewhere")
        await scene.until(lambda: any(line.text == "told elsewhere" for line in scene.app.session.lines))


async def test_all_in_the_view_and_the_hidden_ones_counted(tmp_path: Path) -> None:
    async with stage(tmp_path) as scene:
        before = set(scene.hub.ticks)
        await scene.filter("state:unmarked side:crm")
        shown = set(scene.hub.table.view_keys())
        await scene.press("a")
        assert shown <= scene.hub.ticks
        await scene.filter("nothing-is-called-this")
        note = str(scene.hub.query_one(".filter--note").render())
        assert f"{len(scene.hub.ticks)} not in view" in note
        assert len(scene.hub.ticked_out_of_view()) == len(scene.hub.ticks)
        await scene.press("u")
        assert scene.hub.ticks == before


async def test_a_filter_acts_as_it_is_typed(tmp_path: Path) -> None:
    async with stage(tmp_path) as scene:
        row = scene.hub.rows[tickable(scene)[0]]
        await scene.press("slash")
        await scene.type(f"number:={row.number}")
        await scene.until(lambda: 0 < scene.hub.table.line_count < scene.hub.table.row_count)
        assert row.id in scene.hub.table.view_keys()
        await scene.type(" nofield:x")
        await scene.until(lambda: "no field" in str(scene.hub.query_one(".filter--note").render()))
        await scene.press("escape")
        assert scene.app.focused is scene.hub.table


async def test_o_goes_from_the_crm_to_only_in_ajera_to_all(tmp_path: Path) -> None:
    async with stage(tmp_path) as scene:
        table = scene.hub.table
        only = [row.id for row in scene.rows(Kind.FIRM) if row.crm_key is None]
        assert only
        assert not set(only) & set(table.view_keys())
        assert all(row.id in table.view_keys() for row in scene.rows(Kind.FIRM) if row.linked)
        assert f"{len(only)} only in Ajera: o" in note(scene)
        await scene.press("o")
        assert sorted(table.view_keys()) == sorted(only)
        assert "only in Ajera" in note(scene)
        await scene.press("o")
        assert len(table.view_keys()) == len(scene.hub.rows)
        assert "both systems" in note(scene)
        await scene.press("o")
        assert not set(only) & set(table.view_keys())


async def test_ticked_only_is_a_term_of_the_filter(tmp_path: Path) -> None:
    async with stage(tmp_path) as scene:
        await scene.press("asterisk")
        await scene.until(lambda: set(scene.hub.table.view_keys()) == scene.hub.ticks)
        await scene.press("escape")
        await scene.until(lambda: scene.hub.table.line_count == scene.hub.table.row_count)


async def test_inverting_is_taken_back_by_one_undo(tmp_path: Path) -> None:
    async with stage(tmp_path) as scene:
        before = set(scene.hub.ticks)
        await scene.filter("state:unmarked")
        await scene.press("space", "home", "i")
        assert scene.hub.ticks != before
        await scene.press("u")
        assert len(scene.hub.ticks - before) == 1
        await scene.press("u")
        assert scene.hub.ticks == before


async def test_order_columns_and_view_are_found_as_they_were_left(tmp_path: Path) -> None:
    async with stage(tmp_path) as scene:
        await scene.press("s", "s", "S", "o", "V")
        await scene.press("down", "space", "enter")
        table = scene.hub.table
        assert "number" not in [column.id for column in table.columns]
        kept = scene.service.ui_choice("firms")
        fresh = type(scene.hub)()
        await scene.app.push_screen(fresh)
        assert kept["hidden"] == ["number"]
        assert (fresh.view, fresh.hidden) == (scene.hub.view, ("number",))
        assert fresh.table.sort_column == table.sort_column
        assert fresh.table.sort_reversed == table.sort_reversed


async def test_filters_are_saved_chosen_and_forgotten(tmp_path: Path) -> None:
    async with stage(tmp_path) as scene:
        bar = scene.hub.query_one("#filter", FilterBar)
        await scene.filter("state:pending")
        await scene.press("B", "ctrl+u")
        await scene.type("waiting")
        await scene.press("enter")
        await scene.press("escape")
        assert bar.value == ""
        await scene.press("b", "enter")
        assert bar.value == "state:pending"
        assert scene.app.focused is scene.hub.table
        await scene.press("b", "delete")
        await scene.press("b")
        assert scene.app.screen is scene.hub
        assert "B saves" in " ".join(str(notice.message) for notice in scene.app._notifications)


async def test_a_copy_says_what_and_where(tmp_path: Path) -> None:
    async with stage(tmp_path) as scene:
        row = scene.hub.current
        assert row is not None
        await scene.press("c")
        file = scene.app.report_folder / "copied.txt"
        assert row.label in file.read_text(encoding="utf-8")
        assert file.stat().st_mode & 0o777 == 0o600
        told = " ".join(str(notice.message) for notice in scene.app._notifications)
        assert row.label[:20] in told
        assert "OSC 52" in told
        assert str(file) in told
        assert row.label in scene.app.clipboard


def note(scene: Stage) -> str:
    return str(scene.hub.query_one(".filter--note").render())


def test_a_term_is_added_replaced_and_taken_away() -> None:
    assert toggled_term("acme", "marked:yes") == "acme marked:yes"
    assert toggled_term("acme marked:yes", "marked:yes") == "acme"
    assert toggled_term("marked:no acme", "marked:yes") == "acme marked:yes"


async def test_records_only_in_ajera_are_ticked_too(tmp_path: Path) -> None:
    async with stage(tmp_path) as scene:
        await scene.press("o")
        row = scene.hub.current
        assert row is not None
        assert row.crm_key is None
        await scene.press("space")
        assert scene.hub.rows[row.id].marked
        assert scene.hub.rows[row.id].state == "pending"


async def test_what_cannot_be_ticked_says_why(tmp_path: Path) -> None:
    async with stage(tmp_path, firms=60) as scene:
        row = next(row for row in scene.rows(Kind.FIRM) if row.state == "not_tickable")
        await scene.stand_on(row)
        await scene.press("space")
        assert row.id not in scene.hub.ticks
        assert row.reason in " ".join(str(notice.message) for notice in scene.app._notifications)


@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
async def test_tabs_open_and_close(tmp_path: Path, size: tuple[int, int]) -> None:
    async with stage(tmp_path, size=size) as scene:
        await scene.press("2")
        await scene.until(lambda: scene.hub.PLACE == "projects" and scene.hub.table.row_count)
        narrow = size[0] < 100
        assert scene.hub.query_one("#hub-record").display is not narrow
        await scene.press("enter")
        assert scene.hub.pane.has_focus_within
        assert scene.hub.query_one("#hub-list").display is not narrow
        for tab in (*scene.hub.pane.tabs[1:], scene.hub.pane.tabs[0]):
            await scene.press("right_square_bracket")
            assert scene.hub.pane.tab == tab
            assert scene.hub.pane.has_focus_within
            assert scene.hub.query_one(TabLine).present == tab
        await scene.press("left")
        assert scene.hub.pane.tab == scene.hub.pane.tabs[-1]
        await scene.press("escape")
        assert scene.app.focused is scene.hub.table


EVERYWHERE = [("2", "", False), ("2", "", True), ("1", "nothing-is-called-this", False), ("3", "", True)]


@pytest.mark.parametrize(("place", "text", "opened"), EVERYWHERE)
async def test_every_key_of_a_hub_can_be_pressed(tmp_path: Path, place: str, text: str, opened: bool) -> None:
    """With a full list and with an empty one, in the list and in the record: nothing breaks."""
    skip = {"q", "R", "p", "D", "r", "ctrl+p", "question_mark", "ctrl+q", "ctrl+c", *"123456789"}
    async with stage(tmp_path) as scene:
        await scene.press(place)
        await scene.filter(text)
        if opened:
            await scene.press("enter")
        home = scene.app.screen
        for key in [key for key in scene.app.screen.active_bindings if key not in skip]:
            await scene.pilot.press(key)
            while scene.app.screen is not home:
                await scene.pilot.press("escape")
        assert scene.app.is_running
        assert not scene.app._exit


# The Plan place runs the plan it shows; e edits what the place has to edit.
SAME = {"Run this plan": "Run now", "Type value": "Edit", "Edit schedule": "Edit"}


def test_no_key_means_two_things() -> None:
    """Over all places and what is on them: a key has one action, or one name."""
    meant: dict[str, str] = {}
    from tui.modals.health import HealthScreen
    from tui.screens.base import PlaceScreen
    from tui.screens.record_pane import RecordPane
    from tui.widgets.log_panel import LogPanel
    from tui.widgets.record_table import RecordTable

    owners: list[Any] = [
        AjerasyncApp,
        HealthScreen,
        RecordPane,
        LogPanel,
        RecordTable,
        *(type(place.make()) for place in present_places()),
    ]
    for owner in owners:
        for bindings in owner._merged_bindings.key_to_bindings.values() if owner._merged_bindings else ():
            for binding in bindings:
                if binding.id is None or binding.system or owner == PlaceScreen:
                    continue
                name = SAME.get(binding.description, binding.description)
                said = meant.setdefault(binding.key, name)
                assert said == name, f"{binding.key}: {said} and {binding.description} ({owner.__name__})"


async def test_the_footer_shows_whole_keys_only(tmp_path: Path) -> None:
    async with stage(tmp_path, size=(80, 24)) as scene:
        line = scene.hub.query_one(KeyLine)
        shown = line.render_line(0).text
        assert len(shown) == 80
        words = [f"{key} {name}" for key, name, _, _ in line._items()]
        assert len(words) >= 7
        for word in words:
            assert word in shown
        assert "? Help" in shown


async def test_a_readonly_program_refuses_to_tick_and_to_run(tmp_path: Path) -> None:
    async with stage(tmp_path, readonly=True) as scene:
        row = scene.hub.rows[tickable(scene)[0]]
        await scene.stand_on(row)
        await scene.press("space", "R")
        assert not scene.service.row(row.kind, row.key).marked
        assert "read-only" in str(scene.hub.query_one("#header").render())
        assert not scene.app.session.busy


async def test_read_again_shows_what_stands_there_now(tmp_path: Path) -> None:
    async with stage(tmp_path) as scene:
        row = next(
            scene.hub.rows[key] for key in tickable(scene) if scene.hub.rows[key].extra.get("status") == "Active"
        )
        await scene.stand_on(row)
        scene.sandbox.crm.tables["firm"][row.key]["Name"] = "Renamed Meanwhile"
        await scene.press("r")
        await scene.until(lambda: scene.hub.rows[row.id].label == "Renamed Meanwhile")
        line = scene.hub.table.row(row.id)
        assert line is not None
        assert line.cells[0] == "Renamed Meanwhile"
