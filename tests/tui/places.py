"""Bringing the app to a place, with something to show there; what the six places' tests share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from core.bootstrap import open_service
from core.engine.service import Service
from core.model.values import Kind
from core.paths import Paths
from core.sandbox.serve import Sandbox, SandboxOptions
from core.settings import settings_from
from tests.tui.kit import Stage
from tui.app import AjerasyncApp
from tui.screens.base import PlaceScreen
from tui.widgets.ask import Ask
from tui.widgets.filter import FilterBar

import tomllib  # isort: skip

PLACES = {"plan": "4", "inbox": "5", "runs": "6", "log": "7", "schedule": "8", "settings": "9"}
SCREEN = TypeVar("SCREEN", bound=PlaceScreen)


def service_with(sandbox: Sandbox, folder: Path, *, readonly: bool = False, **sections: dict[str, Any]) -> Service:
    """A service over the sandbox; `sections` are laid over the settings."""
    raw = tomllib.loads(sandbox.config_toml())
    raw["ajera"]["rate"] = raw["crm"]["rate"] = 1000.0
    for name, section in sections.items():
        raw.setdefault(name, {}).update(section)
    raw["schedule"]["cron"] = ""  # no run but those a test starts
    return open_service(settings_from(raw, Paths("test", folder / "config.toml", folder / "state")), readonly=readonly)


@asynccontextmanager
async def place_stage(
    folder: Path,
    *,
    size: tuple[int, int] = (120, 40),
    readonly: bool = False,
    empty: bool = False,
    settings: dict[str, dict[str, Any]] | None = None,
) -> AsyncIterator[Stage]:
    """App, service and sandbox; the first reading is done. `empty`: two systems without a record."""
    firms, contacts, projects, employees = (0, 0, 0, 0) if empty else (12, 24, 10, 4)
    options = SandboxOptions(rate=0, firms=firms, contacts=contacts, projects=projects, employees=employees)
    async with Sandbox(options) as sandbox:
        service = service_with(sandbox, folder, readonly=readonly, **(settings or {}))
        app = AjerasyncApp(service)
        try:
            async with app.run_test(size=size, notifications=True) as pilot:
                scene = Stage(app, pilot, sandbox)
                await scene.until(lambda: not app.session.busy and service.plan() is not None)
                yield scene
        finally:
            await service.close()


async def go(scene: Stage, kind: type[SCREEN]) -> SCREEN:
    """To a place; its screen."""
    await scene.press(PLACES[kind.PLACE])
    await scene.until(lambda: isinstance(scene.app.screen, kind))
    await scene.pilot.pause()
    screen = scene.app.screen
    assert isinstance(screen, kind)
    return screen


async def filter_list(scene: Stage, text: str) -> None:
    """Type a filter and go to the list."""
    bar = scene.app.screen.query_one("#filter", FilterBar)
    await scene.press("slash", "ctrl+u")
    bar.set_value(text)
    await scene.press("enter")


async def tick_some(scene: Stage, number: int = 4) -> None:
    """Tick a few firms that are in the CRM."""
    rows = [row for row in scene.rows(Kind.FIRM) if row.crm_key and row.state == "unmarked"][:number]
    scene.service.mark(Kind.FIRM, [row.key for row in rows], True)


async def run_now(scene: Stage) -> None:
    """R, the dialog, and the run to its end."""
    before = len(scene.service.runs())
    await scene.press("R")
    await scene.until(lambda: isinstance(scene.app.screen, Ask))
    await scene.press("right", "enter")
    await scene.until(lambda: len(scene.service.runs()) > before and not scene.app.session.busy)
    await scene.pilot.pause()


async def make_conflicts(scene: Stage) -> None:
    """Run, edit the web site of each firm in step on both sides, and plan: the Inbox has conflicts."""
    await tick_some(scene)
    await scene.service.run()
    for place, row in enumerate(row for row in scene.rows(Kind.FIRM) if row.linked and row.marked):
        assert row.ajera_key
        assert row.crm_key
        scene.sandbox.ajera.edit("clients", int(row.ajera_key), {"Website": f"www.{place}.ajera.example"})
        scene.sandbox.crm.edit("firm", row.crm_key, {"WebSite": f"www.{place}.crm.example"})
    await scene.service.make_plan()
    await scene.until(lambda: not scene.app.session.busy)


def screen_text(scene: Stage) -> str:
    """What the terminal shows now."""
    strips = scene.app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)
