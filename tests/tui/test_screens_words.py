"""Words of the places, as plain functions: cron in words, the last day, secrets never told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from core.engine.clock import iso
from core.engine.views import Status
from core.ports import RunRecord
from tests.tui.hostile import HOSTILE
from tui.screens.cron_words import cron_words
from tui.screens.health_lines import health_lines, schedule_lines
from tui.screens.inbox_items import beside
from tui.screens.run_lines import day_words, run_bars, run_row, spark_lines
from tui.screens.setting_lines import value_text
from tui.widgets.text_lines import labelled, paragraph

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("*/15 7-19 * * mon-fri", "every 15 minutes from 07:00 to 19:45, Monday to Friday"),
        ("0 6 * * *", "at 06:00, every day"),
        ("30 6,18 * * 1,3", "at 06:30 and 18:30, Monday and Wednesday"),
        ("@hourly", "every hour, on the hour"),
        ("5 * * * *", "at minute 5 of every hour"),
        ("* * * * *", "every minute"),
        ("0 7-19 * * *", "every hour, on the hour from 07:00 to 19:00"),
        ("0 0 1 * *", "at 00:00, on day 1 of the month"),
        ("0 0 1 1 0", "at 00:00, on day 1 of the month or Sunday, in January"),
        ("*/5 * * * * */10", "every 5 minutes, every 10 seconds of it"),
        ("not a schedule", ""),
    ],
)
def test_cron_in_words(expression: str, words: str) -> None:
    assert cron_words(expression) == words


def a_run(hours_ago: float, outcome: str = "ok", **counts: int) -> RunRecord:
    at = NOW - timedelta(hours=hours_ago)
    return RunRecord(
        f"r{hours_ago}", iso(at), iso(at + timedelta(seconds=3)), "schedule", outcome, counts, {"ajera": 4}, 3.0
    )


def test_the_last_day_in_one_sentence() -> None:
    runs = [a_run(1, create=2, update=3), a_run(2, "failed", failed=1), a_run(30, update=50)]
    words = day_words(runs, NOW, runs[0].finished)
    assert words.startswith(
        "Last 24 h: 2 runs (1 ok, 1 failed) · 5 records written · 1 error · last good run 59 min ago"
    )
    assert day_words([], NOW, None) == "No run in the last 24 hours · no good run yet"


def test_runs_as_rows_and_charts() -> None:
    runs = [a_run(1, create=2), a_run(2, "failed", failed=1)]
    row = run_row(runs[1])
    assert row.cells[1:6] == ("failed", "schedule", "0", "1", "4")
    assert row.flag == "error"
    assert row.style == "bad"
    assert [bar.value for bar in run_bars(runs, 10)] == [2.0, 0.0]
    assert "failed" in run_bars(runs, 10)[1].text
    assert spark_lines(runs, 80)[0].endswith("2 runs, highest 2, last 2")
    assert spark_lines([], 80) == []


@dataclass
class Kept:
    source: str

    def reveal(self) -> str:
        raise AssertionError("never asked for")


def test_secrets_and_addresses_are_told_without_their_content() -> None:
    for source in ("plain", "env", "file", "command", "keyring"):
        assert value_text(Kept(source)).startswith("secret, kept ")
    assert value_text("https://u:p@ajera.example:8443/api.ashx?ew0KcGFzcw==") == "https://ajera.example:8443/api.ashx?…"
    assert value_text({"a": True}) == "a = yes"
    assert value_text("") == value_text(None) == "not set"


def a_status(**changes: object) -> Status:
    parts: dict[str, object] = {
        "version": "1", "mode": None, "enabled": True, "cron": "0 6 * * *", "timezone": "UTC", "paused": False,
        "next_runs": (iso(NOW + timedelta(minutes=4)),), "running": None, "last_run": None, "last_good": None, "stale": False,
        "stale_reason": "", "queues": {"conflicts": 2}, "counts": {"firm": {"marked": 1, "linked": 2}}, "held_by": None,
        "health": {"requests": {"ajera": 1, "crm": 2}, "stopped_fields": {"crm:firm.fax": "missing"}, "intents": 1,
                   "warnings": ["[/x] odd"], "run_lock": None},
    }  # fmt: skip
    return Status(**(parts | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, "(in 04:00)"),
        ({"paused": True}, "paused: P resumes it"),
        ({"enabled": False}, "switched off"),
        ({"cron": "", "next_runs": ()}, "none: e types one"),
        ({"stale": True, "stale_reason": "no good run since noon"}, "! no good run since noon"),
        ({"held_by": "ajerasync watch (pid 1)"}, "ajerasync watch (pid 1)"),
        ({"last_run": a_run(1, "failed")}, "failed"),
    ],
)
def test_the_schedule_in_force_is_told(changes: dict[str, object], told: str) -> None:
    lines = schedule_lines(a_status(**changes), NOW, UTC, readonly=False, width=90)
    assert told in "\n".join(text for text, _ in lines)


def test_health_tells_warnings_stopped_fields_interrupted_writes_and_paths() -> None:
    paths = SimpleNamespace(config="/c", store="/s", log="/l", state="/st")
    text = "\n".join(line for line, _ in health_lines(a_status(), paths, readonly=True, width=90))
    for told in ("[/x] odd", "crm:firm.fax: missing", "1 write interrupted", "/s", "read-only", "2 conflicts"):
        assert told in text


@pytest.mark.parametrize("text", HOSTILE)
def test_outside_text_is_one_harmless_line_of_the_right_width(text: str) -> None:
    for line, _ in (*labelled("Name", text, 40), *paragraph(text, 40), *beside("Name", text, text, 60)):
        assert line.isprintable()
