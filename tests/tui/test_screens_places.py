"""The six places at the keys, over a real service and a real sandbox."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.model.values import Kind
from tests.tui.hostile import HOSTILE
from tests.tui.kit import Stage
from tests.tui.places import PLACES, filter_list, go, make_conflicts, place_stage, run_now, screen_text, tick_some
from tui.modals.confirm import RunAsk
from tui.modals.theme import ThemeChooser
from tui.modals.value import ValueAsk
from tui.screens.base import PlaceScreen
from tui.screens.inbox import InboxScreen
from tui.screens.log import LogScreen
from tui.screens.plan import PlanScreen
from tui.screens.runs import RunsScreen
from tui.screens.schedule import ScheduleScreen
from tui.screens.settings import SettingsScreen
from tui.widgets.ask import Ask
from tui.widgets.cron import CronEditor
from tui.widgets.filter import FilterBar, QuietInput
from tui.widgets.outline import Outline

SCREENS: tuple[type[PlaceScreen], ...] = (
    PlanScreen, InboxScreen, RunsScreen, LogScreen, ScheduleScreen, SettingsScreen,
)  # fmt: skip
SIZES = [(80, 24), (160, 50)]
_KEYS = {" ": "space", "*": "asterisk", "-": "minus"}


# -- plan --------------------------------------------------------------------------------------------------------


async def test_a_plan_unfolds_is_filtered_and_applied_exactly(tmp_path: Path) -> None:
    async with place_stage(tmp_path) as scene:
        await tick_some(scene)
        await scene.press("p")
        await scene.until(lambda: not scene.app.session.busy and isinstance(scene.app.screen, PlanScreen))
        screen = await go(scene, PlanScreen)
        plan = screen.plan
        assert plan is not None
        assert plan.actions
        head = "\n".join(screen.head_words(scene.service.clock.now(), 160))
        assert plan.digest in head
        assert "to create" in head
        assert "two-way" in head

        await scene.press("right")
        entry = screen.outline.current
        assert entry is not None
        assert entry.key in screen.outline.open
        assert entry.data.crm_key in screen_text(scene)
        await scene.press("left")
        assert not screen.outline.open
        await scene.press("z")
        assert len(screen.outline.open) == screen.outline.entry_count
        await scene.press("z")

        await filter_list(scene, "kind:firm op:create")
        assert 0 < screen.outline.shown_count < screen.outline.entry_count
        await scene.press("escape")
        assert screen.outline.shown_count == screen.outline.entry_count

        await scene.press("R")
        await scene.until(lambda: isinstance(scene.app.screen, RunAsk))
        assert scene.app.focused is not None
        assert scene.app.focused.id == "cancel"
        await scene.press("escape")
        assert not scene.service.runs()
        await run_now(scene)
        assert scene.service.runs()[0].digest == plan.digest
        await scene.until(lambda: any(outcome[0] == "ok" for outcome in screen.outcomes.values()))
        assert "applied" in "\n".join(screen.head_words(scene.service.clock.now(), 160))
        await scene.press("R")
        await scene.until(lambda: "applied already" in screen_text(scene))


async def test_every_field_of_an_update_tells_both_sides_the_base_and_the_rule(tmp_path: Path) -> None:
    async with place_stage(tmp_path, size=(160, 50)) as scene:
        await tick_some(scene)
        await scene.service.run()
        row = next(row for row in scene.rows(Kind.FIRM) if row.linked and row.marked and row.crm_key)
        scene.sandbox.crm.edit("firm", row.crm_key or "", {"WebSite": "www.new.example"})
        await scene.service.make_plan()
        screen = await go(scene, PlanScreen)
        await filter_list(scene, f'op:update field:website "{row.label}"')
        detail = screen.query_one("#plan-detail")
        text = detail.text  # type: ignore[attr-defined]
        assert "→ www.new.example" in text
        assert "CRM www.new.example" in text
        assert "agreed before:" in text
        assert "changed it" in text  # the rule that decided


async def test_a_guarded_plan_says_why_and_wants_its_count_typed(tmp_path: Path) -> None:
    guards = {"few": 0, "change_percent": 0, "change_records": 0}
    async with place_stage(tmp_path, settings={"sync": {"guards": guards}}) as scene:
        await tick_some(scene, 6)
        await scene.service.run(approve=(await scene.service.make_plan()).digest)
        rows = [row for row in scene.rows(Kind.FIRM) if row.linked and row.marked and row.crm_key]
        for row in rows:
            scene.sandbox.crm.edit("firm", row.crm_key or "", {"WebSite": "www.guarded.example"})
        await scene.service.make_plan()
        screen = await go(scene, PlanScreen)
        plan = screen.plan
        assert plan is not None
        assert plan.guards
        words = "\n".join(screen.guard_words())
        assert "Held back by a guard" in words
        assert plan.digest[:12] in words
        assert plan.guards[0].message[:20] in words
        assert "Held back by a guard" in screen_text(scene)
        runs = len(scene.service.runs())
        await scene.press("R")
        await scene.until(lambda: isinstance(scene.app.screen, RunAsk))
        await scene.press("right", "enter")
        assert isinstance(scene.app.screen, RunAsk)
        assert len(scene.service.runs()) == runs
        scene.app.screen.set_focus(scene.app.screen.query_one("#ask-typed"))
        await scene.type(str(len(plan.actions)))
        await scene.press("tab", "tab", "enter")
        await scene.until(lambda: len(scene.service.runs()) > runs and not scene.app.session.busy)
        assert scene.service.runs()[0].digest == plan.digest


async def test_in_step_and_out_of_reach_are_said_in_words(tmp_path: Path) -> None:
    async with place_stage(tmp_path, empty=True, size=(80, 24)) as scene:
        screen = await go(scene, PlanScreen)
        if not screen.outline.entry_count:
            assert "both systems are in step" in screen_text(scene)
        for kind in SCREENS:
            await go(scene, kind)
        assert "Nothing waits for you" in screen_text(await _on(scene, InboxScreen))
        assert "No run yet" in screen_text(await _on(scene, RunsScreen))
        await scene.sandbox.stop()
        await scene.press("p")
        await scene.until(lambda: not scene.app.session.busy and scene.app.session.trouble is not None)
        await scene.until(lambda: "cannot be reached" in screen_text(scene))


async def _on(scene: Stage, kind: type[PlaceScreen]) -> Stage:
    await go(scene, kind)
    return scene


# -- inbox -------------------------------------------------------------------------------------------------------


async def test_conflicts_are_answered_in_place(tmp_path: Path) -> None:
    async with place_stage(tmp_path, size=(160, 50)) as scene:
        await make_conflicts(scene)
        screen = await go(scene, InboxScreen)
        conflicts = [each for each in screen.found.values() if each.type == "conflict"]
        assert len(conflicts) >= 3
        text = screen_text(scene)
        assert "ajera.example" in text
        assert "crm.example" in text
        assert "Agreed before" in text

        first = screen.current
        assert first is not None
        assert first.type == "conflict"
        await scene.press("C")
        assert "goes to Ajera with the next run" in screen.answers[first.fingerprint]
        assert "answered:" in screen_text(scene)
        await scene.press("J")
        assert "goes to the CRM with the next run" in screen.answers[first.fingerprint]

        await scene.press("down", "e")
        await scene.until(lambda: isinstance(scene.app.screen, ValueAsk))
        second = screen.current
        assert second is not None
        await scene.press("ctrl+u")
        await scene.type("crm")
        await scene.press("enter")
        assert isinstance(scene.app.screen, ValueAsk)
        assert "C takes it" in screen_text(scene)
        await scene.press("ctrl+u")
        await scene.type("www.typed.example")
        await scene.press("enter")
        await scene.until(lambda: scene.app.screen is screen)
        assert "Ajera and the CRM" in screen.answers[second.fingerprint]

        await scene.press("down", "F")
        await scene.until(lambda: isinstance(scene.app.screen, Ask))
        await scene.press("right", "enter")
        await scene.until(lambda: scene.app.screen is screen)
        assert len(screen.answers) >= len([each for each in conflicts if each.field == "website"])

        await scene.service.run()
        await scene.until(lambda: not [each for each in screen.found.values() if each.type == "conflict"])
        assert not screen.answers


async def test_candidates_stand_side_by_side_and_are_linked(tmp_path: Path) -> None:
    async with place_stage(tmp_path, size=(160, 50)) as scene:
        await tick_some(scene, 12)
        await scene.service.make_plan()
        await scene.until(lambda: bool(scene.service.candidates()))
        screen = await go(scene, InboxScreen)
        await filter_list(scene, "type:candidate kind:firm")
        each = screen.current
        assert each is not None
        assert each.type == "candidate"
        text = screen_text(scene)
        assert "% alike" in text
        assert "= Name" in text.replace("= Firm Name", "= Name")
        await scene.press("minus")
        assert "left alone" in screen.answers[each.fingerprint]
        await scene.press("plus")
        assert "new firm is created" in screen.answers[each.fingerprint]
        await scene.press("equals_sign")
        assert "linked with the next run" in screen.answers[each.fingerprint]
        ajera, crm = each.data.ajera_key, each.data.crm_key  # type: ignore[union-attr]
        await scene.service.run()
        assert any((link.ajera_key, link.crm_key) == (ajera, crm) for link in scene.service.links())


async def test_keys_that_do_not_answer_this_line_do_nothing(tmp_path: Path) -> None:
    async with place_stage(tmp_path) as scene:
        await make_conflicts(scene)
        screen = await go(scene, InboxScreen)
        await filter_list(scene, "type:conflict")
        await scene.press("equals_sign", "plus", "minus", "y", "Y")
        assert not screen.answers
        enabled = {active.binding.id: active.enabled for active in screen.active_bindings.values()}
        assert enabled["inbox.crm"]
        assert not enabled["inbox.link"]
        assert not enabled["inbox.retry"]


# -- runs, log ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
async def test_runs_tell_what_they_did(tmp_path: Path, size: tuple[int, int]) -> None:
    async with place_stage(tmp_path, size=size) as scene:
        await tick_some(scene)
        screen = await go(scene, RunsScreen)
        assert "No run yet" in screen_text(scene)
        await run_now(scene)
        await scene.until(lambda: screen.table.row_count == 1)
        assert "Last 24 h: 1 run (1 ok)" in screen_text(scene)
        await scene.press("enter")
        await scene.until(lambda: scene.app.focused is screen.outline and screen.outline.entry_count > 1)
        assert "Outcome" in screen_text(scene)
        await scene.press("down")
        while screen.outline.current is None or screen.outline.current.key.startswith("run-"):
            await scene.press("down")
        await scene.press("enter")
        assert screen.outline.current.key in screen.outline.open
        await scene.press("escape")
        assert scene.app.focused is screen.table


async def test_the_log_follows_and_is_filtered(tmp_path: Path) -> None:
    async with place_stage(tmp_path, size=(80, 24)) as scene:
        screen = await go(scene, LogScreen)
        await scene.until(lambda: screen.panel.line_count > 0)
        assert "records changed" in screen_text(scene)
        await filter_list(scene, "records")
        assert 0 < screen.panel.line_count < screen.panel.kept_count
        await scene.press("escape")
        assert screen.panel.line_count == screen.panel.kept_count
        await scene.press("L", "L")
        assert screen.panel.level == "warning"
        await scene.press("L", "L", "h")
        assert screen.panel.held
        assert "held" in screen_text(scene)
        await scene.press("h", "f")
        assert not screen.panel.following


# -- schedule, settings --------------------------------------------------------------------------------------------


async def test_the_schedule_is_typed_explained_and_saved(tmp_path: Path) -> None:
    async with place_stage(tmp_path, size=(80, 24)) as scene:
        screen = await go(scene, ScheduleScreen)
        assert "none: e types one" in screen_text(scene)
        await scene.press("e", *"0 6 x")
        assert screen.editor.answer.error
        assert "Not a schedule" in screen_text(scene)
        await scene.press("enter")
        assert not scene.service.status().cron
        await scene.press("ctrl+u")
        await scene.press(*(_KEYS.get(char, char) for char in "0 6 * * mon-fri"))
        assert not screen.editor.answer.error
        assert len(screen.editor.answer.times) == 5
        assert "At 06:00, Monday to Friday" in screen_text(scene)
        await scene.press("tab", "ctrl+u", *"Nowhere")
        assert "not a time zone" in screen.editor.answer.error
        await scene.press("ctrl+u", *"Asia", "slash", *"Tokyo", "enter")
        await scene.until(lambda: scene.service.status().cron == "0 6 * * mon-fri")
        assert scene.service.status().timezone == "Asia/Tokyo"
        assert " 06:00" in "\n".join(screen.editor.lines()[1:])
        await scene.press("P")
        assert scene.service.status().paused
        await scene.until(lambda: "paused: P resumes it" in screen_text(scene))
        await scene.press("e", "ctrl+u", *"1 2", "escape")
        assert screen.query_one(CronEditor).expression == "0 6 * * mon-fri"
        assert not screen.unsaved


async def test_settings_tell_no_secret_and_switch_the_sync(tmp_path: Path) -> None:
    async with place_stage(tmp_path, size=(160, 50)) as scene:
        screen = await go(scene, SettingsScreen)
        await scene.press("z", "z")
        texts = " ".join(" ".join(entry.cells) for section in screen.outline._sections for entry in section.entries)
        assert scene.sandbox.crm.client_secret not in texts
        for key in ("ajera.password", "crm.password", "crm.client_secret"):
            entry = screen.outline.entry(key)
            assert entry is not None
            assert entry.cells[1] == "secret, kept in the settings file itself"
        assert "PrimaryPhoneNumber" in texts
        assert "secret, kept in the settings file itself" in texts

        await scene.press("E")
        await scene.until(lambda: isinstance(scene.app.screen, Ask))
        await scene.press("enter")
        assert scene.service.enabled
        await scene.press("E")
        await scene.until(lambda: isinstance(scene.app.screen, Ask))
        await scene.press("right", "enter")
        await scene.until(lambda: not scene.service.enabled)
        assert "sync switched off" in screen_text(scene)
        await scene.press("E")
        await scene.until(lambda: isinstance(scene.app.screen, Ask))
        await scene.press("right", "enter")
        await scene.until(lambda: scene.service.enabled)

        await scene.press("T")
        await scene.until(lambda: isinstance(scene.app.screen, ThemeChooser))
        for name in ("light", "safe", "plain"):
            await scene.press("down")
            assert scene.app.theme == f"ajerasync-{name}"
        await scene.press("escape")
        assert scene.app.theme == "ajerasync-dark"
        await scene.press("T", "down", "enter")
        assert scene.app.theme == "ajerasync-light"


# -- all of them -----------------------------------------------------------------------------------------------------

SKIPPED = frozenset({"app.quit", "app.palette", "app.run", "app.plan", "app.dry-run", "app.help", "runs.undo"})


def _to_press(name: str, *, moves: bool) -> bool:
    if name == "place.copy":
        return True
    return (
        bool(name) and name not in SKIPPED and not name.startswith("place.") and (moves or not name.startswith("list."))
    )


async def press_everything(scene: Stage, kind: type[PlaceScreen], *, moves: bool) -> int:
    """Every key that works on this place, each from its home; dialogs are left by escape."""
    screen = await go(scene, kind)
    pressed = 0
    keys = [key for key, active in screen.active_bindings.items() if _to_press(active.binding.id or "", moves=moves)]
    for key in keys:
        await scene.pilot.press(key)
        pressed += 1
        while scene.app.screen is not screen and not isinstance(scene.app.screen, PlaceScreen):
            await scene.pilot.press("escape")
        if isinstance(scene.app.focused, QuietInput):
            await scene.pilot.press("escape")
        assert scene.app.screen is screen
    screen.focus_home()
    return pressed


async def test_every_key_of_every_place_without_a_record(tmp_path: Path) -> None:
    """With records: tests/tui/test_every_key.py."""
    async with place_stage(tmp_path, size=(80, 24), empty=True) as scene:
        for kind in SCREENS:
            assert await press_everything(scene, kind, moves=False) > 4


async def test_hostile_records_do_no_harm(tmp_path: Path) -> None:
    async with place_stage(tmp_path, size=(80, 24)) as scene:
        rows = [row for row in scene.rows(Kind.FIRM) if row.crm_key and row.state == "unmarked"]
        texts = [text for text in HOSTILE if text.strip() and "\ud800" not in text]
        for row, name in zip(rows, texts, strict=False):
            scene.sandbox.crm.edit("firm", row.crm_key or "", {"Name": name[:90], "WebSite": name[:90]})
        scene.service.mark(Kind.FIRM, [row.key for row in rows], True)
        await scene.service.make_plan()
        await scene.service.run()
        for kind in SCREENS:
            screen = await go(scene, kind)
            for outline in screen.query(Outline):
                outline.action_fold_all()
            await scene.press("G", "g", "down")
            for width, height in ((160, 50), (80, 24)):
                await scene.pilot.resize_terminal(width, height)
                await scene.pilot.pause()
                for line in screen_text(scene).split("\n"):
                    assert line.isprintable(), repr(line)


def test_no_key_means_two_things() -> None:
    """A key has one binding id wherever it is bound on these places, but for enter, escape and the arrows."""
    found: dict[str, set[str]] = {}
    for kind in SCREENS:
        for bindings in (kind._merged_bindings, Outline._merged_bindings):
            for key, many in bindings.key_to_bindings.items() if bindings else ():
                found.setdefault(key, set()).update(binding.description for binding in many if binding.id)
    mixed = {
        key: names for key, names in found.items() if len(names) > 1 and key not in ("enter", "escape", "left", "right")
    }
    assert mixed == {"e": {"Type value", "Edit schedule"}}, mixed  # both mean: type another value


def test_every_place_has_its_key() -> None:
    assert {kind.PLACE for kind in SCREENS} == set(PLACES)
    assert all(FilterBar.BINDINGS for _ in SCREENS)
