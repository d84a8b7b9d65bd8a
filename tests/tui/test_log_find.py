"""The log panel under a place has a filter line of its own."""

from __future__ import annotations

from pathlib import Path

from tests.tui.kit import Stage
from tests.tui.places import place_stage, screen_text
from tui.places import present_places
from tui.widgets.log_find import LogFind
from tui.widgets.log_panel import LogPanel


async def panel_of(scene: Stage, place: str) -> tuple[LogPanel, LogFind]:
    """The place's panel, with lines in it, and its filter line."""
    await scene.until(lambda: scene.app.current_mode == place)
    screen = scene.app.place_screen
    assert screen is not None
    panel = screen.query_one("#log-panel", LogPanel)
    await scene.until(lambda: panel.line_count > 0)
    return panel, screen.query_one(LogFind)


async def test_slash_in_the_log_panel_filters_it_under_a_place(tmp_path: Path) -> None:
    async with place_stage(tmp_path, size=(80, 24), empty=True) as scene:
        await scene.press("l")
        for place in present_places():
            if place.id not in ("projects", "inbox", "schedule"):
                continue  # a hub, a list, a form: the others are made of the same
            await scene.press(place.key)
            panel, line = await panel_of(scene, place.id)
            assert not line.display
            panel.focus()
            await scene.press("slash")
            assert line.has_focus
            await scene.type("rec")
            assert 0 < panel.line_count < panel.kept_count
            await scene.press("enter")
            assert panel.has_focus
            assert "rec" in screen_text(scene).split("\n")[-10]
            await scene.press("slash", "escape")
            assert panel.line_count == panel.kept_count
            assert not line.display
            assert panel.has_focus
