"""Doctor, probes and rehearsal from the Schedule place: asked, watched, left alone, stopped, kept, copied."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.engine.checkups import Report, Tell
from core.errors import UsageError
from tests.tui.hostile import HOSTILE
from tests.tui.kit import Stage
from tests.tui.places import go, place_stage, screen_text
from tui.checkup import Checkup
from tui.modals.health import HealthScreen
from tui.modals.value import ValueAsk
from tui.screens.checkup_lines import brief_words, checkup_lines
from tui.screens.schedule import ScheduleScreen
from tui.widgets.ask import Ask
from tui.widgets.pick import Pick
from tui.widgets.text_lines import TextLines

DOCTOR = [
    {"check": "settings", "state": "ok", "message": "/c.toml", "way_out": ""},
    {"check": "template X", "state": "warn", "message": "Ajera has no such template", "way_out": "Give it the name"},
    {"check": "CRM, connection", "state": "fail", "message": "refused", "way_out": "Check the user"},
]
SWITCHES = [
    {"side": "ajera", "switch": "throttle", "value": None, "how": "could lock the user out"},
    {"side": "ajera", "switch": "success_code", "value": "200", "how": "ListCompanies"},
]
PROBE = {"switches": SWITCHES, "left": [], "failed": {}, "toml": '[ajera.quirks]\nsuccess_code = "200"\n'}


@dataclass
class Checks:
    """Stands in for the process: holds until told."""

    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    asked: list[tuple[Any, ...]] = field(default_factory=list)
    saved: Sequence[Mapping[str, Any]] = ()

    async def doctor(self, tell: Tell) -> Report:
        self.asked.append(("doctor",))
        tell("asking both systems")
        await self.go_on.wait()
        return Report(DOCTOR, 3)

    async def probe(self, tell: Tell, databases: Collection[str] = ()) -> Report:
        self.asked.append(("probe", *databases))
        return Report(PROBE, 0)

    async def rehearse(self, tell: Tell, keep: Path | None = None) -> Report:
        self.asked.append(("rehearse", keep))
        raise UsageError("a run is going on in ajerasync watch")

    def may_write(self, databases: Collection[str]) -> str:
        if list(databases) != ["TESTDB"]:
            raise UsageError("--database with the name of the CRM's test database")
        return "TESTDB and the Ajera of the settings"

    def save_switches(self, found: Sequence[Mapping[str, Any]]) -> Path:
        self.saved = found
        return Path("/c.toml")


def report_text(scene: Stage) -> str:
    assert isinstance(scene.app.screen, HealthScreen)
    return scene.app.screen.query_one(TextLines).text


async def test_a_check_goes_on_when_left_and_tells_what_is_wrong_first(tmp_path: Path) -> None:
    async with place_stage(tmp_path, size=(80, 24), empty=True) as scene:
        checks = Checks()
        scene.service._checkups = checks
        screen = await go(scene, ScheduleScreen)
        assert "H checks" in screen_text(scene)
        await scene.press("H")
        await scene.until(lambda: "asking both systems" in screen_text(scene))
        assert "x stops" in screen_text(scene)
        await scene.press("H", "M", "W")  # one at a time
        assert checks.asked == [("doctor",)]
        await scene.press("escape")
        await scene.until(lambda: scene.app.screen is screen)
        assert "going on" in " ".join(screen_text(scene).split())
        checks.go_on.set()
        await scene.until(lambda: "1 failure, 1 warning" in " ".join(str(n.message) for n in scene.app._notifications))
        await scene.press("H")  # the report that was not seen yet, not another check
        await scene.until(lambda: isinstance(scene.app.screen, HealthScreen))
        await scene.pilot.pause()
        text = report_text(scene)
        assert text.index("Wrong (1)") < text.index("To look at (1)") < text.index("In order (1)")
        assert "→ Check the user" in text
        assert checks.asked == [("doctor",)]
        await scene.press("c")
        assert "→ Check the user" in (scene.app.report_folder / "copied.txt").read_text(encoding="utf-8")
        checks.go_on.clear()
        await scene.press("H")
        await scene.until(lambda: len(checks.asked) == 2)
        await scene.press("x")
        await scene.until(lambda: "Stopped." in screen_text(scene))
        await scene.press("H")
        await scene.until(lambda: len(checks.asked) == 3)
        await scene.press("escape")
        await scene.until(lambda: scene.app.screen is screen)
        await scene.press("x")  # the same key where the dialog is closed
        await scene.until(lambda: not scene.app.session.checking)


async def test_probes_write_only_where_a_test_database_is_named_and_confirmed(tmp_path: Path) -> None:
    async with place_stage(tmp_path, size=(80, 24), empty=True) as scene:
        checks = Checks()
        scene.service._checkups = checks
        await go(scene, ScheduleScreen)
        await scene.press("M")
        await scene.until(lambda: isinstance(scene.app.screen, Pick))
        await scene.press("down", "enter")
        await scene.until(lambda: isinstance(scene.app.screen, ValueAsk))
        await scene.type("LIVEDB")
        await scene.press("enter")
        assert "test database" in screen_text(scene)
        await scene.press("ctrl+u")
        await scene.type("TESTDB")
        await scene.press("enter")
        await scene.until(lambda: isinstance(scene.app.screen, Ask))
        await scene.press("enter")  # Cancel has the focus
        await scene.until(lambda: isinstance(scene.app.screen, HealthScreen))
        assert checks.asked == []

        await scene.press("M", "enter")
        await scene.until(lambda: checks.asked == [("probe",)] and "Found (1)" in report_text(scene))
        assert "could lock the user out" in report_text(scene)
        await scene.press("K")
        await scene.until(lambda: isinstance(scene.app.screen, Ask))
        await scene.press("w")
        await scene.until(lambda: bool(checks.saved))
        assert [each["switch"] for each in checks.saved] == ["success_code"]

        await scene.press("W")
        await scene.until(lambda: isinstance(scene.app.screen, ValueAsk))
        await scene.type("nowhere/at/all")
        await scene.press("enter")
        assert "there is no folder" in screen_text(scene)
        await scene.press("ctrl+u", "enter")
        await scene.until(lambda: "a run is going on in ajerasync watch" in report_text(scene))
        assert checks.asked[-1] == ("rehearse", None)


def test_hostile_reports_are_told_in_harmless_lines() -> None:
    now = datetime.now(UTC)
    for text in HOSTILE:
        checks = [{"check": text, "state": "fail", "message": text, "way_out": text}]
        switch = {"side": text, "switch": text, "value": text, "how": text}
        probe = {"switches": [switch], "left": [text], "failed": {"crm": text}, "toml": text}
        run = {"outcome": text, "message": text, "counts": {"create": 1}}
        rehearsal = {"run": run, "copied_at": text, "queues": {text: 1}, "plan": None, "not_copied": [text],
                     "errors": [{"kind": text, "label": text, "message": text}]}  # fmt: skip
        for what, document in (
            ("doctor", checks),
            ("probe", probe),
            ("rehearse", rehearsal),
            ("doctor", {"odd": text}),
        ):
            checkup = Checkup(what, now)
            checkup.tell(text)
            lines = checkup_lines(checkup, 60)
            checkup.end(report=Report(document, 0))
            for line, _ in (*lines, *checkup_lines(checkup, 60)):
                assert line.isprintable(), repr(line)
            assert brief_words(checkup)
