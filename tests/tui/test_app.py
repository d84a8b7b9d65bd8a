"""The program itself: troubles in words, the schedule, leaving, breaking."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from core.engine.events import Event
from core.errors import UsageError
from core.sandbox.serve import Sandbox, SandboxOptions
from tests.tui.kit import service_of, stage
from tui.all_keys import bindings_of
from tui.app import AjerasyncApp, _bound_classes, open_ui, quit_reasons
from tui.crash import report_text, write_report
from tui.modals.confirm import QuitAsk
from tui.modals.value import ValueAsk
from tui.screens.hub import HubScreen
from tui.screens.hub_rows import HubView
from tui.widgets.help import HelpScreen
from tui.widgets.log_panel import LogPanel

SECRET = "hunter2-and-more"


async def test_unreachable_is_said_in_words_until_it_is_not(tmp_path: Path) -> None:
    sandbox = Sandbox(SandboxOptions(rate=0, firms=8, contacts=10, projects=8, employees=3))
    await sandbox.start()
    service = service_of(sandbox, tmp_path)
    await sandbox.stop()
    app = AjerasyncApp(service)
    try:
        async with app.run_test(size=(120, 40)) as pilot:
            async with asyncio.timeout(60):
                while app.session.trouble is None:
                    await pilot.pause(0.05)
            await pilot.pause()
            hub = app.place_screen
            assert isinstance(hub, HubScreen)
            header = str(hub.query_one("#header").render())
            assert "cannot be reached" in header
            assert "since" in header
            app.hand_on()
            await pilot.pause()
            assert "cannot be reached" in hub.table.empty
            assert app.is_running
    finally:
        await service.close()


async def test_the_log_panel_opens_under_any_place_and_knows_what_was(tmp_path: Path) -> None:
    async with stage(tmp_path) as scene:
        await scene.press("l")
        panel = scene.hub.query_one(LogPanel)
        assert panel.display
        await scene.until(lambda: panel.kept_count > 0)
        await scene.press("2")
        await scene.until(lambda: scene.hub.PLACE == "projects" and scene.hub.query_one(LogPanel).kept_count > 0)
        assert scene.hub.query_one(LogPanel).display
        scene.service.bus.publish(Event("2026-01-02T03:04:05Z", "log", "warning", "something was said"))
        await scene.until(lambda: "something was said" in [line.text for line in scene.hub.query_one(LogPanel)._lines])


async def test_a_thousand_events_are_handed_on_in_few_batches(tmp_path: Path) -> None:
    async with stage(tmp_path) as scene:
        await scene.until(lambda: not scene.app._batch_due)
        handed = 0
        original = scene.app.hand_on

        def counted() -> None:
            nonlocal handed
            handed += 1
            original()

        scene.app.hand_on = counted  # type: ignore[method-assign]
        for i in range(1_000):
            scene.service.bus.publish(Event("2026-01-02T03:04:05Z", "log", "info", f"line {i}"))
        await scene.until(lambda: handed)
        assert handed <= 2
        assert scene.app.session.line_count >= 1_000


@pytest.mark.parametrize("key", ["q", "ctrl+q"])
async def test_quitting_with_nothing_at_stake_does_not_ask(tmp_path: Path, key: str) -> None:
    async with stage(tmp_path) as scene:
        scene.app.session.pending_ticks = lambda: 0  # type: ignore[method-assign] # no tick waits for a run
        assert quit_reasons(scene.app.session) == []
        await scene.press(key)
        await scene.until(lambda: not scene.app.is_running or scene.app._exit)


async def test_quitting_says_what_would_stop(tmp_path: Path) -> None:
    async with stage(tmp_path, cron="0 3 * * *") as scene:
        await scene.press("ctrl+c")
        assert scene.app.screen is scene.hub
        assert "ctrl+q leaves" in str([*scene.app._notifications][-1].message)
        await scene.press("ctrl+q", "ctrl+q")  # also over a dialog, and once
        assert isinstance(scene.app.screen, QuitAsk)
        await scene.press("escape")
        assert scene.app.screen is scene.hub
        await scene.press("q")
        assert isinstance(scene.app.screen, QuitAsk)
        told = " ".join(scene.app.screen.lines)
        assert "next run would have been" in told
        assert "ajerasync watch" in told
        await scene.press("escape")
        assert scene.app.is_running
        assert not scene.app._exit


async def test_the_schedule_runs_by_itself_while_the_screen_is_open(tmp_path: Path) -> None:
    async with stage(tmp_path, cron="* * * * * */1") as scene:
        await scene.until(lambda: any(run.finished and run.trigger == "schedule" for run in scene.service.runs()))
        scene.service.pause()


async def test_pause_and_resume(tmp_path: Path) -> None:
    async with stage(tmp_path, cron="0 3 * * *") as scene:
        await scene.press("P")
        assert scene.service.status().paused
        assert "paused" in str(scene.hub.query_one("#header").render()) or scene.app.session.status.paused
        await scene.press("P")
        assert not scene.service.status().paused


async def test_help_names_the_keys_of_the_place(tmp_path: Path) -> None:
    async with stage(tmp_path) as scene:
        await scene.press("question_mark")
        screen = scene.app.screen
        assert isinstance(screen, HelpScreen)
        assert {"Tick", "Filter", "Plan", "Run now", "Only in Ajera"} <= {key.does for key in screen.keys}


async def test_the_palette_has_every_action_with_its_key(tmp_path: Path) -> None:
    async with stage(tmp_path) as scene:
        titles = [command.title for command in scene.app.get_system_commands(scene.app.screen)]
        assert "Run now  (R)" in titles
        assert "Only in Ajera  (o)" in titles
        await scene.press("ctrl+p")
        await scene.type("only in aj")
        await scene.press("enter", "enter")
        await scene.until(lambda: len(scene.app.screen_stack) == 1)
        await scene.until(lambda: scene.hub.view is HubView.AJERA)


async def test_palette_and_help_hold_every_key_of_every_place(tmp_path: Path) -> None:
    async with stage(tmp_path, size=(80, 24)) as scene:
        titles = [command.title for command in scene.app.get_system_commands(scene.app.screen)]
        await scene.press("question_mark")
        screen = scene.app.screen
        assert isinstance(screen, HelpScreen)
        told = {key.does for key in screen.keys}
        assert "Keep switches" in told  # of the health dialog alone
        for owner in _bound_classes():
            for binding in bindings_of(owner):
                assert (binding.description or binding.tooltip) in told, binding
                moves = (binding.id or "").startswith("list.") or binding.id == "app.palette"
                assert moves or any(title.startswith(f"{binding.description}  (") for title in titles), binding
        await scene.press("escape", "ctrl+p")
        await scene.type("import pairs")
        await scene.press("enter", "enter")
        await scene.until(lambda: isinstance(scene.app.screen, ValueAsk))
        assert scene.app.current_mode == "inbox"


def broken() -> Exception:
    token = SECRET
    try:
        raise ValueError(f"bad token {token}")
    except ValueError as error:
        return error


def test_a_report_holds_places_and_no_values(tmp_path: Path) -> None:
    path = write_report(broken(), tmp_path)
    assert path is not None
    assert path.stat().st_mode & 0o777 == 0o600
    text = path.read_text(encoding="utf-8")
    assert "ValueError" in text
    assert "in broken" in text
    assert SECRET not in text
    for _ in range(12):
        write_report(broken(), tmp_path)
    assert len(list(tmp_path.glob("crash-*.txt"))) == 10


def test_own_errors_keep_their_words() -> None:
    from datetime import UTC, datetime

    assert "no such plan" in report_text(UsageError("no such plan"), datetime(2026, 1, 1, tzinfo=UTC))


async def test_a_crash_leaves_one_sentence_and_a_report(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):  # noqa: PT012 - the app ends inside
        async with stage(tmp_path) as scene:
            app = scene.app

            def burst() -> None:
                password = SECRET
                _ = len(password) / 0

            app.call_later(burst)
            await scene.pilot.pause()
            await scene.pilot.pause()
    assert app.return_code == 1
    told = " ".join(str(each) for each in app._exit_renderables)
    assert SECRET not in told
    reports = list((tmp_path / "state").glob("crash-*.txt"))
    assert len(reports) == 1
    assert SECRET not in reports[0].read_text(encoding="utf-8")


def test_without_a_terminal_it_refuses_and_names_the_commands(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class NoTerminal:
        def isatty(self) -> bool:
            return False

    monkeypatch.setattr(sys, "__stdin__", NoTerminal())

    def never() -> None:
        raise AssertionError("the service must not be opened")

    code = open_ui(never, readonly=False, ascii=False, plain=False, mouse=True)  # type: ignore[arg-type]
    assert code == 2
    told = capsys.readouterr().err
    assert "ajerasync status" in told
    assert "ajerasync run" in told
