"""A run is taken back from the Runs place: shown field by field first, done after the answer, told in the list."""

from __future__ import annotations

from pathlib import Path

from core.model.values import Kind
from tests.tui.hostile import HOSTILE
from tests.tui.kit import Stage
from tests.tui.places import go, place_stage, screen_text, tick_some
from tui.modals.undo import UndoAsk
from tui.screens.runs import RunsScreen
from tui.widgets.text_lines import TextLines


async def opened(scene: Stage) -> UndoAsk:
    await scene.press("Z")
    await scene.until(lambda: isinstance(scene.app.screen, UndoAsk))
    await scene.pilot.pause()
    ask = scene.app.screen
    assert isinstance(ask, UndoAsk)
    return ask


async def test_an_undo_is_shown_field_by_field_then_done_and_told(tmp_path: Path) -> None:
    async with place_stage(tmp_path, size=(80, 24)) as scene:
        rows = [row for row in scene.rows(Kind.FIRM) if row.crm_key and row.state == "unmarked"][:8]
        texts = [text for text in HOSTILE if text.strip() and "\ud800" not in text]
        for row, name in zip(rows, texts, strict=False):
            scene.sandbox.crm.edit("firm", row.crm_key or "", {"Name": name[:90]})
        await tick_some(scene, 8)
        run = await scene.service.run()
        screen = await go(scene, RunsScreen)
        await scene.until(lambda: screen.current is not None)

        ask = await opened(scene)
        text = ask.query_one(TextLines).text
        assert "Update in Ajera: firms" in text
        assert "Active → Inactive" in text
        assert "Link sleeps" in text
        assert "no side writes them until you settle them" in " ".join(text.split())
        for line in screen_text(scene).split("\n"):
            assert line.isprintable(), repr(line)
        assert "w takes it back" in screen_text(scene)
        await scene.press("pagedown", "enter")  # Cancel has the focus
        await scene.until(lambda: scene.app.screen is screen and not scene.app.session.busy)
        assert [each.id for each in scene.service.runs()] == [run.id]

        await opened(scene)
        await scene.press("w")
        await scene.until(lambda: run.id in scene.service.undone() and not scene.app.session.busy)
        undo = scene.service.undone()[run.id]
        assert (undo.trigger, undo.outcome) == ("undo", "ok")
        await scene.until(lambda: screen.table.row_count == 2)
        listed = screen.table.row(run.id)
        assert listed is not None
        assert listed.cells[1] == "undone"
        made = [row for row in rows if (now := scene.service.row(Kind.FIRM, row.key)).linked and not now.marked]
        assert made
        await scene.press("home", "Z")  # an undo cannot be undone: the key is dead there
        assert scene.app.screen is screen
        await scene.press("down")
        await scene.until(lambda: screen.current is not None and screen.current.id == run.id)
        again = await opened(scene)
        assert "Nothing is left to take back" in again.query_one(TextLines).text
        assert not again.choices


async def test_what_changed_meanwhile_is_not_taken_back_unseen(tmp_path: Path) -> None:
    async with place_stage(tmp_path) as scene:
        await tick_some(scene)
        run = await scene.service.run()
        made = next(entry for entry in scene.service.run_history(run.id) if entry.op == "create" and entry.ajera_key)
        screen = await go(scene, RunsScreen)
        await scene.until(lambda: screen.current is not None)
        await opened(scene)
        scene.sandbox.ajera.edit("clients", int(made.ajera_key or ""), {"Website": "www.meanwhile.example"})
        await scene.press("w")
        await scene.until(lambda: scene.app.screen is screen and not scene.app.session.busy)
        assert len(scene.service.runs()) == 1
        assert "look at it again" in " ".join(str(notice.message) for notice in scene.app._notifications)
        ask = await opened(scene)
        text = " ".join(ask.query_one(TextLines).text.split())
        assert "Cannot be taken back, left as it is" in text
        assert "changed since" in text
