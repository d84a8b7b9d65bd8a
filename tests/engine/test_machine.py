"""The stateful machine: a few dozen stories with every test run, more by `make laws`."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.engine.faultworld import quickly
from tests.engine.machine import Machine

LONG = bool(os.environ.get("AJERASYNC_FAULTS"))
EXAMPLES = int(os.environ.get("AJERASYNC_STORIES", "1500" if LONG else "60"))


@pytest.fixture(autouse=True)
def quick() -> Iterator[None]:
    with quickly():
        yield


@pytest.mark.timeout(0)
def test_whatever_people_and_faults_do_nothing_is_lost_and_nothing_is_doubled() -> None:
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=20,
            deadline=None,
            derandomize=not LONG,
            suppress_health_check=list(HealthCheck),
            print_blob=False,
            database=None,
            # Making a failing story smaller takes minutes: by `make laws` only.
            phases=list(Phase) if LONG else [Phase.generate],
        ),
    )
