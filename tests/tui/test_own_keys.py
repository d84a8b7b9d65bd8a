"""Own keys, the alarm, and what a lost terminal does: settings of `[ui]`."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import Unreachable
from tests.tui.places import place_stage
from tui.alarm import TerminalAlarm
from tui.app import _bound_classes
from tui.own_keys import Known, known_keys, own_keys

KNOWN = {
    "app.plan": Known(frozenset({"p"}), "Plan"),
    "app.run": Known(frozenset({"R"}), "Run now"),
    "hub.undo": Known(frozenset({"u"}), "Undo"),
}


@pytest.mark.parametrize(
    ("wanted", "chosen", "words"),
    [
        ({"app.plan": "f5"}, {"app.plan": "f5"}, ""),
        ({"hub.undo": "u, backspace"}, {"hub.undo": "u,backspace"}, ""),
        ({"app.plan": "R"}, {}, "R is taken by app.run (Run now)"),
        ({"app.plan": "R", "app.run": "f9"}, {"app.plan": "R", "app.run": "f9"}, ""),
        ({"app.plan": "R", "app.run": "u"}, {}, "u is taken by hub.undo"),
        ({"app.plam": "f5"}, {}, "near it: app.plan"),
        ({"app.plan": "control x"}, {}, "control x is no key"),
        ({"app.plan": " , "}, {}, "a key is needed"),
    ],
)
def test_own_keys(wanted: dict[str, str], chosen: dict[str, str], words: str) -> None:
    found, wrong = own_keys(wanted, KNOWN)
    assert found == chosen
    assert words in " ".join(wrong)
    assert bool(wrong) is bool(words)


def test_everything_that_has_a_key_has_a_name() -> None:
    known = known_keys(_bound_classes())
    assert {"app.plan", "app.run", "hub.undo", "inbox.crm", "table.tick", "place.firms", "log.follow"} <= set(known)
    assert all(entry.does for name, entry in known.items() if not name.startswith("list."))


async def test_an_own_key_acts_and_stands_in_the_footer(tmp_path: Path) -> None:
    keys = {"app.log": "f6", "app.plan": "R"}
    async with place_stage(tmp_path, settings={"ui": {"keys": keys}}) as scene:
        before = scene.app.session.show_log
        await scene.press("f6")
        assert scene.app.session.show_log is not before
        told = " ".join(str(notice.message) for notice in scene.app._notifications)
        assert "R is taken by app.run" in told or "R is taken by plan.apply" in told
        assert any("[ui.keys] app.plan" in line["text"] for line in scene.service.log())


class Heard:
    """A driver that keeps what it is told."""

    def __init__(self) -> None:
        self.written: list[str] = []

    def write(self, text: str) -> None:
        self.written.append(text)


@pytest.mark.parametrize(("bell", "title"), [(True, True), (False, False)])
async def test_the_alarm_rings_once_and_the_title_comes_back(tmp_path: Path, bell: bool, title: bool) -> None:
    async with place_stage(tmp_path) as scene:
        heard, rung = Heard(), []
        app, real = scene.app, scene.app._driver
        app._driver = heard  # type: ignore[assignment]
        try:
            app.bell = lambda: rung.append(1)  # type: ignore[method-assign]
            alarm = TerminalAlarm(app, bell=bell, title=title)
            for words in ("no good run\x1b[2J", "no good run\x1b[2J", ""):
                alarm.tell(words)
        finally:
            app._driver = real
        assert len(rung) == bell
        assert len(heard.written) == (3 if title else 0)
        if title:
            assert heard.written[1].startswith("\x1b]2;! ajerasync: no good run")
            assert heard.written[1].count("\x1b") == 1  # record data cannot end the title and act
            assert heard.written[2] == "\x1b[23;0t"


async def test_a_failed_run_is_an_alarm_until_one_ends_well(tmp_path: Path) -> None:
    async with place_stage(tmp_path) as scene:
        scene.app.session.failed(Unreachable("ajera", "nobody answers"))
        scene.app._look_for_alarm()
        assert "Ajera cannot be reached at" in scene.app.alarm.wrong
        scene.app.session.trouble = None
        scene.app._look_for_alarm()
        assert scene.app.alarm.wrong == ""


@pytest.mark.parametrize(("way", "goes_on"), [("end", False), ("headless", True)])
async def test_a_lost_terminal_ends_the_program_or_not_by_setting(tmp_path: Path, way: str, goes_on: bool) -> None:
    async with place_stage(tmp_path, settings={"ui": {"hangup": way}}) as scene:
        ended: list[int] = []

        class Ending:
            def end(self, number: int) -> None:
                ended.append(number)

        scene.app.ending = Ending()  # type: ignore[assignment]
        scene.app._hung_up()
        assert ended == ([] if goes_on else [1])
        if goes_on:
            assert "goes on without a screen" in scene.service.log()[-1]["text"]
