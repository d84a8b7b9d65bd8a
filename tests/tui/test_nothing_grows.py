"""A week of the open screen in seconds: the header's countdown, the log, reloads and scheduled runs leave nothing behind."""

from __future__ import annotations

import gc
import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path

from core.engine.clock import iso
from core.engine.events import Event
from core.model.values import Kind
from tests.tui.kit import stage
from tui.widgets.log_panel import LogPanel
from tui.widgets.status_line import StatusLine

WEEK_RUNS = 7 * 24 * 4  # one each quarter of an hour
ROUNDS = 4
GROWTH = 150_000  # bytes in three quarters of a week: its 1,500 lines of the log alone would be more


async def test_a_week_of_countdowns_runs_and_lines_leaves_nothing(tmp_path: Path) -> None:
    async with stage(tmp_path) as scene:
        session, service = scene.app.session, scene.service
        header = scene.hub.query_one("#header", StatusLine)
        panel = scene.hub.query_one(LogPanel)
        panel._kept = 500
        session.show_log = True
        scene.hub.show_log(True)
        now = [datetime(2026, 3, 2, tzinfo=UTC)]
        header._now = lambda: now[0]

        async def quarter(number: int) -> None:
            now[0] += timedelta(minutes=15)
            for text in ("reading", "planned: nothing to do", "run finished"):
                service.bus.publish(Event(iso(now[0]), "log", "info", f"{text} {number}", None, {}))
            service.bus.publish(Event(iso(now[0]), "planned", "info", "planned", None, {}))
            scene.app.hand_on()
            header.refresh_words()
            session.forget_status()
            panel.show_waiting()
            service.rows(Kind.FIRM)
            if number % 24 == 0:
                await scene.pilot.pause()

        async def part() -> int:
            for number in range(WEEK_RUNS // ROUNDS):
                await quarter(number)
            await scene.pilot.pause()
            gc.collect()
            return tracemalloc.get_traced_memory()[0]

        tracemalloc.start(1)
        try:
            for line in range(2_500):  # until the rings of the log are full
                service.bus.publish(Event(iso(now[0]), "log", "info", f"line {line}", None, {}))
            scene.app.hand_on()
            panel.show_waiting()
            first = await part()
            sizes = [await part() for _ in range(ROUNDS - 1)]
        finally:
            tracemalloc.stop()
        assert max(sizes) - first < GROWTH, (first, sizes)
        assert panel.kept_count <= 500
