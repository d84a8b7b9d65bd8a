"""A program that stays open for weeks keeps nothing of the dialogs that were opened meanwhile."""

from __future__ import annotations

import gc
from pathlib import Path

from textual._styles_cache import StylesCache

from tests.tui.kit import Stage, stage
from tui.paint_memory import release


def kept() -> int:
    release()
    gc.collect()
    return sum(isinstance(each, StylesCache) for each in gc.get_objects())


async def open_and_close_help(scene: Stage, times: int) -> None:
    for _ in range(times):
        await scene.press("question_mark")
        await scene.press("escape")


async def test_dialogs_that_were_closed_leave_nothing_behind(tmp_path: Path) -> None:
    async with stage(tmp_path) as scene:
        await open_and_close_help(scene, 2)
        before = kept()
        await open_and_close_help(scene, 4)
        assert kept() <= before
