"""The app on a real service over a small sandbox in the same loop."""

from __future__ import annotations

import asyncio
import tomllib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from core.bootstrap import open_service
from core.engine.service import Service
from core.engine.views import Row
from core.model.values import Kind
from core.paths import Paths
from core.sandbox.serve import Sandbox, SandboxOptions
from core.settings import settings_from
from tui.app import AjerasyncApp
from tui.screens.hub import HubScreen
from tui.widgets.filter import FilterBar

WAIT_SECONDS = 30.0


@dataclass
class Stage:
    """A running app, the one who presses its keys, and the sandbox behind it."""

    app: AjerasyncApp
    pilot: Pilot[None]
    sandbox: Sandbox

    @property
    def service(self) -> Service:
        return self.app.service

    @property
    def hub(self) -> HubScreen:
        screen = self.app.place_screen
        assert isinstance(screen, HubScreen)
        return screen

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def type(self, text: str) -> None:
        await self.press(*(_KEYS.get(char, char) for char in text))

    async def until(self, holds: Callable[[], Any]) -> None:
        """Wait for what is to become true; the loop runs meanwhile."""
        async with asyncio.timeout(WAIT_SECONDS):
            while not holds():
                await self.pilot.pause(0.02)

    async def filled(self) -> None:
        """The first reading is done and shown."""
        await self.until(lambda: not self.app.session.busy and self.hub.table.row_count > 0)

    async def filter(self, text: str) -> None:
        """Put a filter into the line, as fast as pasting it, and go to the list."""
        bar = self.hub.query_one("#filter", FilterBar)
        bar.focus_line()
        bar.set_value(text)
        await self.pilot.pause()
        await self.press("enter")

    async def stand_on(self, row: Row) -> None:
        """Filter so that the cursor is on this row."""
        await self.filter(f"crm_key:={row.crm_key}")
        current = self.hub.current
        assert current is not None
        assert current.id == row.id

    def rows(self, kind: Kind) -> list[Row]:
        return list(self.service.rows(kind))


_KEYS = {":": "colon", "=": "equals_sign", " ": "space", "!": "exclamation_mark", "-": "minus", '"': "quotation_mark"}


@asynccontextmanager
async def stage(
    folder: Path, *, size: tuple[int, int] = (120, 40), readonly: bool = False, cron: str = "", **options: Any
) -> AsyncIterator[Stage]:
    """Sandbox, service and app; the first reading has been done."""
    counts = {"firms": 16, "contacts": 40, "projects": 16, "employees": 6} | options
    async with Sandbox(SandboxOptions(rate=0, **counts)) as sandbox:
        service = service_of(sandbox, folder, readonly=readonly, cron=cron)
        app = AjerasyncApp(service)
        try:
            async with app.run_test(size=size, notifications=True) as pilot:
                found = Stage(app, pilot, sandbox)
                await found.filled()
                yield found
        finally:
            await service.close()


def service_of(sandbox: Sandbox, folder: Path, *, readonly: bool = False, cron: str = "") -> Service:
    """The program's service with its state in `folder`."""
    raw = tomllib.loads(sandbox.config_toml())
    raw["ajera"]["rate"] = raw["crm"]["rate"] = 1000.0
    raw["schedule"]["cron"] = cron
    settings = settings_from(raw, Paths("test", folder / "config.toml", folder / "state"))
    return open_service(settings, readonly=readonly)
