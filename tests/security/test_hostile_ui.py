"""Hostile record data on every place of the UI at 80x24: nothing breaks, nothing acts, nothing links anywhere."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from core.errors import RecordRefused, UsageError
from core.model.values import Kind
from core.sandbox.serve import Sandbox, SandboxOptions
from tests.security import hostile
from tests.security.hostile import TEXTS, acting
from tests.tui.kit import Stage, service_of
from tui.app import AjerasyncApp
from tui.widgets.ask import Ask
from tui.widgets.toast import toast


@asynccontextmanager
async def hostile_stage(folder: Path) -> AsyncIterator[Stage]:
    options = SandboxOptions(rate=0, firms=14, contacts=28, projects=12, employees=5)
    async with Sandbox(options) as sandbox:
        hostile.fill(sandbox)
        service = service_of(sandbox, folder)
        app = AjerasyncApp(service)
        try:
            async with app.run_test(size=(80, 24), notifications=True) as pilot:
                scene = Stage(app, pilot, sandbox)
                await scene.filled()
                yield scene
        finally:
            await service.close()


def look(scene: Stage) -> str:
    """What the terminal is given now; it must hold nothing that acts and lead nowhere."""
    strips = scene.app.screen._compositor.render_strips()
    lines: list[str] = []
    for strip in strips:
        for segment in strip:
            assert segment.control is None
            if segment.style is not None:
                assert segment.style.link is None, segment
                clicks = str((segment.style.meta or {}).get("@click", ""))
                assert "quit" not in clicks, segment
                assert "exit" not in clicks, segment
        lines.append("".join(segment.text for segment in strip))
    text = "\n".join(lines)
    assert not [each for each in acting(text) if each != "marks"], text
    assert scene.app.is_running
    assert scene.app._exception is None
    return text


async def test_every_place_shows_hostile_records(tmp_path: Path) -> None:
    async with hostile_stage(tmp_path) as scene:
        for kind in (Kind.FIRM, Kind.PROJECT):
            keys = [row.key for row in scene.rows(kind) if row.crm_key][:6]
            for key in keys:
                scene.service.mark(kind, [key], True)
        for key in "123":  # the hubs: every row, every tab
            await scene.press(key)
            look(scene)
            for _ in range(min(6, scene.hub.table.row_count)):
                await scene.press("down")
                look(scene)
            for tab in ("right_square_bracket",) * 3:
                await scene.press(tab)
                look(scene)
        await scene.service.run()
        await scene.service.make_plan()
        for key in "456789":
            await scene.press(key)
            look(scene)
            for each in ("z", "down", "down", "right", "down", "down", "enter", "escape"):
                await scene.press(each)
                look(scene)
        assert scene.app.is_running


async def test_dialogs_toasts_palette_and_log_take_hostile_text(tmp_path: Path) -> None:
    async with hostile_stage(tmp_path) as scene:
        for text in TEXTS[::3]:
            toast(scene.app, text, "error", seconds=0.01)
            scene.app.told_off(UsageError(f"no {text} here"))
            scene.app.told_off(RecordRefused("crm", f"The CRM refused {text}", [text]))
        await scene.pilot.pause()
        look(scene)
        scene.app.push_screen(Ask("[@click=app.quit]x[/]", list(TEXTS[:12]), (), cancel="Close"))
        await scene.pilot.pause()
        look(scene)
        await scene.press("escape")
        for key in ("l", "question_mark", "escape", "ctrl+p"):
            await scene.press(key)
            look(scene)
        await scene.press("escape")
        await scene.filter("[/x] [@click=app.quit]")
        look(scene)


@pytest.mark.parametrize("place", [(10, 6), (60, 12)])
async def test_a_click_on_a_record_fires_no_action_of_its_text(tmp_path: Path, place: tuple[int, int]) -> None:
    async with hostile_stage(tmp_path) as scene:
        for key in list(scene.sandbox.crm.tables["firm"]):
            scene.sandbox.crm.edit("firm", key, {"Name": "[@click=app.quit]click me[/] " + key[:4]})
        await scene.service.make_plan(full=True)
        await scene.until(lambda: not scene.app.session.busy)
        await scene.pilot.click(offset=place)
        await scene.pilot.pause()
        look(scene)
        assert scene.app.return_value is None
