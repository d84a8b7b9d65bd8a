"""Every key of every place is pressed, and each of them shows that it was."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

import pytest

from tests.tui.kit import Stage
from tests.tui.places import make_conflicts, place_stage
from tui.places import present_places
from tui.screens.base import PlaceScreen
from tui.widgets.filter import FilterBar

LEAVES: Final = frozenset({"q", "ctrl+q", "ctrl+c"})  # tested where they end the program
# At the end of a list there is nowhere to go, and some lines have nothing to unfold.
QUIET: Final = ("list.", "hub.back", "outline.")
LONGEST: Final = 3.0


def signs(scene: Stage) -> tuple[object, ...]:
    """Everything by which a person can tell that something happened: signs, colours, notices, dialogs."""
    app = scene.app
    lines = tuple(tuple(strip) for strip in app.screen._compositor.render_strips())
    return (lines, tuple(notice.message for notice in app._notifications), app.screen.__class__.__name__)


async def home(scene: Stage, place: str) -> PlaceScreen:
    while not isinstance(scene.app.screen, PlaceScreen):
        await scene.pilot.press("escape")
        await scene.pilot.pause()
    await scene.until(lambda: not scene.app.session.busy)
    screen = scene.app.screen
    assert isinstance(screen, PlaceScreen)
    if place != screen.PLACE:
        scene.app.action_place(place)
        await scene.until(
            lambda: (
                isinstance(scene.app.screen, PlaceScreen)
                and place == scene.app.screen.PLACE
                and scene.app.screen.query("#keys")
            )
        )
        screen = scene.app.screen
        assert isinstance(screen, PlaceScreen)
        await scene.pilot.pause()
    for bar in screen.query(FilterBar):
        bar.set_value("")
    screen.focus_home()
    scene.app.clear_notifications()
    await scene.pilot.pause()
    return screen


async def shows(scene: Stage, before: tuple[object, ...]) -> bool:
    """Whether something is to be seen, at once or as soon as it is done."""
    end = asyncio.get_running_loop().time() + LONGEST
    while signs(scene) == before:
        if asyncio.get_running_loop().time() > end:
            return False
        await scene.pilot.pause(0.02)
    return True


async def silent_keys(scene: Stage, place: str) -> list[str]:
    screen = await home(scene, place)
    await scene.press("down")
    silent = []
    for key, active in list(screen.active_bindings.items()):
        name = active.binding.id or ""
        everywhere = name.startswith(("app.", "place.")) and place != "firms"  # the same on all: once is enough
        if key in LEAVES or not active.enabled or not name or name.startswith(QUIET) or everywhere:
            continue
        await home(scene, place)
        before = signs(scene)
        await scene.pilot.press(key)
        if name != f"place.{place}" and not await shows(scene, before):
            silent.append(f"{key} ({name})")
    return silent


@pytest.mark.parametrize("place", [place.id for place in present_places()])
async def test_every_key_shows_that_it_was_pressed(place: str, tmp_path: Path) -> None:
    async with place_stage(tmp_path, size=(100, 30)) as scene:
        await make_conflicts(scene)
        assert await silent_keys(scene, place) == []
        assert scene.app.is_running
