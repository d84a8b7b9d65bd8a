"""Resized at any moment, on every place: lines are as wide as the terminal, the footer is one line, nothing is left over."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from rich.cells import cell_len

from tests.tui.places import place_stage, screen_text
from tui.places import present_places
from tui.screens.base import PlaceScreen

SIZES: Final = ((300, 100), (80, 24), (99, 40))


async def test_every_place_at_every_size(tmp_path: Path) -> None:
    async with place_stage(tmp_path, size=(120, 40)) as scene:
        for place in present_places():
            scene.app.action_place(place.id)
            await scene.pilot.pause()
            for width, height in SIZES:
                await scene.pilot.resize_terminal(width, height)
                await scene.pilot.pause()
                screen = scene.app.screen
                assert isinstance(screen, PlaceScreen)
                assert place.id == screen.PLACE
                lines = screen_text(scene).split("\n")
                assert len(lines) == height
                assert {cell_len(line) for line in lines} == {width}, (place.id, width)
                at = (place.id, width, height)
                assert screen.query_one("#header").size.height == 1, at
                assert screen.query_one("#places").region.y == 1, at
                keys = screen.query_one("#keys")
                assert (keys.region.y, keys.region.height) == (height - 1, 1), at
                assert "Help" in lines[-1], at
