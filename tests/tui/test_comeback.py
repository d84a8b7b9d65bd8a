"""What is wrong at the first open and later: told with its place and the way out, and right again by itself."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from core.bootstrap import open_service, read_settings
from core.engine.service import Service
from core.errors import StoreDamaged
from core.model.values import Side
from core.paths import Paths
from core.sandbox.serve import Sandbox, SandboxOptions
from tests.tui.kit import WAIT_SECONDS, Stage, service_of
from tests.tui.places import screen_text
from tui import app as program
from tui import comeback
from tui.app import AjerasyncApp
from tui.opening import OpeningApp, begun
from tui.widgets.text_lines import TextLines


def small(**rest: Any) -> Sandbox:
    return Sandbox(SandboxOptions(rate=0, firms=6, contacts=6, projects=4, employees=2, **rest))


@pytest.fixture(autouse=True)
def in_haste(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "COMEBACK_SECONDS", 0.02)
    monkeypatch.setattr(comeback, "WAITS", (0.05,))
    monkeypatch.setattr("tui.opening.AGAIN_SECONDS", 0.02)


@asynccontextmanager
async def on_stage(sandbox: Sandbox, service: Service) -> AsyncIterator[Stage]:
    app = AjerasyncApp(service)
    try:
        async with app.run_test(size=(80, 24), notifications=True) as pilot:
            yield Stage(app, pilot, sandbox)
    finally:
        await service.close()


async def test_an_unreachable_system_is_named_and_read_by_itself_when_it_is_there(tmp_path: Path) -> None:
    sandbox = small()
    await sandbox.start()
    service = service_of(sandbox, tmp_path)
    ajera, crm = (int(url.split(":")[2].split("/")[0]) for url in (sandbox.ajera_url, sandbox.crm_url))
    await sandbox.stop()
    async with on_stage(sandbox, service) as scene:
        await scene.until(lambda: "p tries now" in screen_text(scene))  # between two tries
        shown = screen_text(scene)
        assert f"127.0.0.1:{ajera}" in shown or f"127.0.0.1:{crm}" in shown
        assert "tried again by itself" in shown
        assert "p tries now" in shown
        back = small(ajera_port=ajera, crm_port=crm)
        await back.start()
        try:
            await scene.until(lambda: scene.hub.table.row_count > 0 and scene.app.session.trouble is None)
            await scene.until(lambda: "cannot be reached" not in screen_text(scene))
        finally:
            await back.stop()


async def test_a_refused_login_is_never_tried_again_but_changed_settings_open_anew(tmp_path: Path) -> None:
    async with small() as sandbox:
        text = sandbox.config_toml()
        config = tmp_path / "config.toml"
        config.write_text(text.replace('password = "sandbox"', 'password = "wrong"', 1), encoding="utf-8")
        service = open_service(read_settings(Paths("test", config, tmp_path / "state")))
        service.pause()
        tries = 0
        async with on_stage(sandbox, service) as scene:
            await scene.until(lambda: scene.app.session.trouble is not None)
            tries = service.runner.systems[Side.AJERA].requests
            for _ in range(10):
                await scene.pilot.pause(0.02)
            assert service.runner.systems[Side.AJERA].requests == tries
            shown = screen_text(scene)
            assert "Ajera refused the login of api.user" in shown
            assert str(config)[:30] in shown.replace("\n", "")
            assert not scene.app.open_anew
            config.write_text(text, encoding="utf-8")
            await scene.until(lambda: scene.app.open_anew)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_SECONDS):
        while not holds():
            await asyncio.sleep(0.01)


@asynccontextmanager
async def opening(open_it: Callable[[], Service]) -> AsyncIterator[tuple[OpeningApp, Callable[[], str]]]:
    app = OpeningApp(open_it, begun(open_it), plain=False)
    async with app.run_test(size=(80, 24)):
        yield app, lambda: f"{app.query_one('#title').render()}\n{app.query_one('#why', TextLines).text}"
    if app.service is not None:
        await app.service.close()


async def test_settings_with_a_mistake_are_told_with_the_place_and_taken_as_soon_as_they_are_right(
    tmp_path: Path,
) -> None:
    async with small() as sandbox:
        config = tmp_path / "config.toml"
        config.write_text(sandbox.config_toml().replace("[sync]", "[sync"), encoding="utf-8")
        paths = Paths("test", config, tmp_path / "state")
        async with opening(lambda: open_service(read_settings(paths))) as (app, shown):
            await until(lambda: app.error is not None)
            await until(lambda: "cannot be used" in shown())
            assert config.name in shown().replace("\n", "").replace(" ", "")  # a long path goes on in the next line
            assert "line" in shown()
            assert "goes on by itself" in shown()
            config.write_text(sandbox.config_toml(), encoding="utf-8")
            await until(lambda: app.service is not None)


async def test_a_store_that_another_program_holds_is_waited_for_in_words(tmp_path: Path) -> None:
    async with small() as sandbox:
        await service_of(sandbox, tmp_path).close()
        other = sqlite3.connect(tmp_path / "state" / "store.db", isolation_level=None)
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        async with opening(lambda: service_of(sandbox, tmp_path)) as (app, shown):
            assert "Waiting for the store" in shown()
            assert "Another program" in shown()
            assert app.service is None
            other.execute("ROLLBACK")
            other.close()
            await until(lambda: app.service is not None)


async def test_what_a_person_has_to_have_read_is_not_gone_past(tmp_path: Path) -> None:
    tries = 0

    def open_it() -> Service:
        nonlocal tries
        tries += 1
        raise StoreDamaged("The store was set aside as store-damaged.db.")

    async with opening(open_it) as (app, shown):
        await until(lambda: "set aside" in shown())
        await asyncio.sleep(0.1)
        assert tries == 1
        await until(lambda: app.attempt is None)
        app.action_again()
        await until(lambda: tries == 2)
        app.action_give_up()
    assert isinstance(app.error, StoreDamaged)
