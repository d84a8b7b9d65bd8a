"""Two simulated days around the end of daylight saving, with a machine that sleeps: the small soak."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.engine.faultworld import quickly
from tests.engine.programs import scratch
from tests.engine.soak import AUTUMN, Soak


@pytest.mark.timeout(300)
async def test_two_days_of_a_busy_schedule_miss_no_run_and_end_in_step() -> None:
    root = Path(scratch())
    try:
        with quickly():
            soak = Soak(root / "state", AUTUMN, 2, pace=1, sleeps={6: 5})
            await soak.go()
            problems = soak.problems()
            await soak.world.close()
    finally:
        shutil.rmtree(root, ignore_errors=True)
    assert problems == []
    assert soak.edits > 60
    assert 80 <= soak.runs <= 90  # 48 a day, less the five hours asleep
    assert len(soak.slept) == 1
