"""The Inbox: pairs from a file and into one; answers, ages and who saved what, from the store and not from the screen."""

from __future__ import annotations

from pathlib import Path

from core.bootstrap import open_service
from core.model.link import Choice, Decision
from core.model.plan import Item
from core.model.values import Kind, Side
from tests.tui.hostile import HOSTILE
from tests.tui.kit import Stage
from tests.tui.places import filter_list, go, make_conflicts, place_stage, screen_text, tick_some
from tui.modals.pairs import PairsAsk
from tui.modals.value import ValueAsk
from tui.screens.inbox import InboxScreen
from tui.widgets.ask import Ask
from tui.widgets.text_lines import TextLines


async def name_file(scene: Stage, key: str, file: Path) -> None:
    await scene.press(key)
    await scene.until(lambda: isinstance(scene.app.screen, ValueAsk))
    ask = scene.app.screen
    assert isinstance(ask, ValueAsk)
    ask.query_one("#value").value = str(file)  # type: ignore[attr-defined]
    await scene.press("enter")


async def test_pairs_of_a_file_are_shown_before_they_are_linked(tmp_path: Path) -> None:
    async with place_stage(tmp_path, size=(80, 24)) as scene:
        ajera = [row for row in scene.rows(Kind.FIRM) if row.crm_key is None]
        crm = [row for row in scene.rows(Kind.FIRM) if row.ajera_key is None]
        texts = [text for text in HOSTILE if text.strip() and "\ud800" not in text]
        for row, name in zip(crm, texts, strict=False):
            scene.sandbox.crm.edit("firm", row.key, {"Name": name[:90]})
        await scene.service.make_plan()
        one, two = ajera[0].ajera_key, crm[0].crm_key
        rows = [("firm", one, two), ("firm", one, crm[1].crm_key), ("firm", "999999", crm[2].crm_key)]
        file, bad = tmp_path / "pairs.csv", tmp_path / "bad.csv"
        file.write_text("kind,ajera_key,crm_key\n" + "".join(f"{a},{b},{c}\n" for a, b, c in rows), encoding="utf-8")
        bad.write_text("person,1,[/x]\n", encoding="utf-8")
        screen = await go(scene, InboxScreen)

        await name_file(scene, "I", bad)
        await scene.until(lambda: isinstance(scene.app.screen, Ask))
        assert "line 1: found kind 'person'" in screen_text(scene)
        await scene.press("escape")

        await name_file(scene, "I", file)
        await scene.until(lambda: isinstance(scene.app.screen, PairsAsk))
        await scene.pilot.pause()
        text = " ".join(scene.app.screen.query_one(TextLines).text.split())
        assert "3 rows: 1 to be linked, 2 refused" in text
        assert f"{one} of Ajera is linked with {two} by an earlier row" in text
        assert "there is no firm '999999' in Ajera" in text
        for line in screen_text(scene).split("\n"):
            assert line.isprintable(), repr(line)
        await scene.press("enter")  # Cancel has the focus
        await scene.until(lambda: scene.app.screen is screen)
        assert (one, two) not in {(link.ajera_key, link.crm_key) for link in scene.service.links()}

        await name_file(scene, "I", file)
        await scene.until(lambda: isinstance(scene.app.screen, PairsAsk))
        await scene.press("w")
        await scene.until(lambda: (one, two) in {(link.ajera_key, link.crm_key) for link in scene.service.links()})

        out = tmp_path / "out.csv"
        await name_file(scene, "O", out)
        await scene.until(lambda: scene.app.screen is screen)
        assert f"firm,{one},{two}" in out.read_text(encoding="utf-8")
        assert out.stat().st_mode & 0o777 == 0o600
        await name_file(scene, "O", out)
        assert "is there already" in screen_text(scene)


async def test_answers_ages_and_who_saved_it_outlive_the_screen(tmp_path: Path) -> None:
    async with place_stage(tmp_path, size=(160, 50)) as scene:
        await make_conflicts(scene)
        screen = await go(scene, InboxScreen)
        await filter_list(scene, "type:conflict")
        each = screen.current
        assert each is not None
        text = " ".join(screen_text(scene).split())
        saved = each.saved
        assert saved is not None
        assert saved[0].by
        assert saved[0].at
        assert saved[1].at
        assert "Saved last" in text
        assert "Record saved" in text
        await scene.press("C")
        assert "goes to Ajera" in screen.answers[each.fingerprint]

        another = open_service(scene.service.settings)  # type: ignore[arg-type] # as after a restart
        try:
            assert "goes to Ajera with the next run" in another.answers()[each.id]
        finally:
            await another.close()
        assert isinstance(each.data, Item)
        scene.sandbox.crm.edit("firm", each.data.crm_key, {"WebSite": "www.moved.on.example"})
        await scene.service.make_plan()
        assert each.id not in scene.service.answers()  # it was an answer to other values

        await tick_some(scene, 12)
        await scene.service.make_plan()
        refused = scene.service.refusals()
        assert all(refusal.since for refusal in refused)
        candidate = next(each for each in scene.service.candidates() if each.ajera_key and each.crm_key)
        scene.service.match_link(candidate.ajera_key or "", candidate.crm_key or "", candidate.kind)
        given = scene.service.answers()
        assert "linked with the next run" in given[candidate.id]
        kept = [d for d in scene.service.store.decisions().values() if d.choice is Choice.LINK]
        assert [(d.kind, d.side, d.partner) for d in kept] == [(candidate.kind, Side.CRM, candidate.ajera_key)]
        assert isinstance(kept[0], Decision)
