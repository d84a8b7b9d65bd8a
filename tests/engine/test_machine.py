"""The stateful machine: a few dozen stories with every test run, more by `make laws`."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.engine.faultworld import quickly
from tests.engine.machine import Machine

EXAMPLES = int(os.environ.get("AJERASYNC_STORIES", "1500" if os.environ.get("AJERASYNC_FAULTS") else "60"))


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
            stateful_step_count=14,
            deadline=None,
            derandomize=not os.environ.get("AJERASYNC_FAULTS"),
            suppress_health_check=list(HealthCheck),
            print_blob=False,
        ),
    )
