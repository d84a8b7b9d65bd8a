"""kill -9: the program as a process against a sandbox as a process, killed in the middle and started again.

What an exception cannot show: nothing is finished, nothing is closed, no handler runs.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from core.sandbox import folder

ROOT = Path(__file__).parents[2]
SMALL = ("--firms=16", "--contacts=40", "--projects=10", "--employees=5", "--rate=0", "--delay=20")
#: The line of `run --json` after which the process is killed, and how many such lines it may print before.
MOMENTS = [("planned", 1), ("action_done", 1), ("action_done", 3)]
MORE = [("run_started", 1), ("pulled", 1), ("action_done", 2)]


@dataclass
class Machine:
    """One machine: settings, state, and a sandbox that saves its data when it ends."""

    env: dict[str, str]
    config: Path
    data: Path
    sandbox: subprocess.Popen[str]

    def stop(self) -> None:
        """End the sandbox, which saves its data then."""
        self.sandbox.terminate()
        self.sandbox.wait(20)

    def start(self, *words: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tui", "--config", str(self.config), *words]
        return subprocess.Popen(
            command, cwd=ROOT, env=self.env, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )

    def call(self, *words: str) -> Any:
        process = self.start(*words)
        out, _ = process.communicate(timeout=60)
        return json.loads(out) if out.startswith(("[", "{")) and "\n{" not in out else out

    def killed(self, event: str, count: int) -> None:
        """A run that is killed right after so many lines of an event."""
        process = self.start("run", "--json")
        assert process.stdout is not None
        told: list[dict[str, Any]] = []
        left = count
        for line in process.stdout:
            told.append(json.loads(line))
            left -= told[-1]["event"] == event
            if left == 0:
                process.kill()
                break
        process.wait(20)
        process.stdout.close()
        assert process.returncode == -signal.SIGKILL, f"the run ended before {count} × {event}: {told}"


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    config, data = tmp_path / "config.toml", tmp_path / "data"
    env = {**os.environ, "XDG_STATE_HOME": str(tmp_path / "state"), "XDG_CONFIG_HOME": str(tmp_path / "etc")}
    command = [sys.executable, "-m", "tui", "sandbox", *SMALL, "--config-out", str(config), "--data", str(data)]
    sandbox = subprocess.Popen(command, cwd=ROOT, env=env, text=True, stdout=subprocess.PIPE)
    assert sandbox.stdout is not None
    json.loads(sandbox.stdout.readline())
    quick = config.read_text(encoding="utf-8").replace("rate = 50.0", "rate = 1000.0")
    config.write_text(quick, encoding="utf-8")
    made = Machine(env, config, data, sandbox)
    try:
        yield made
    finally:
        made.stop()
        sandbox.stdout.close()


def names(machine: Machine) -> dict[str, Counter[str]]:
    """How often each name stands on each side, as the sandbox saved it."""
    ajera, crm = folder.load(machine.data, lambda: datetime.now(UTC))
    return {
        "clients": Counter(c["Description"] for c in ajera.tables["clients"].values()),
        "contacts": Counter(f"{c['FirstName']} {c['LastName']}" for c in ajera.tables["contacts"].values()),
        "projects": Counter(p["ID"] for p in ajera.tables["projects"].values()),
        "crm firms": Counter(f["Name"] for f in crm.tables["firm"].values()),
        "crm contacts": Counter(f"{c['FirstName']} {c['LastName']}" for c in crm.tables["contact"].values()),
    }


@pytest.mark.timeout(180)
def test_killed_again_and_again_nothing_is_lost_and_nothing_is_there_twice(machine: Machine) -> None:
    before = names(machine)
    machine.call("run", "--json")
    unticked = [row for row in machine.call("list", "firm", "--json") if row["state"] == "unmarked" and row["crm_key"]]
    contacts = machine.call("list", "contact", "--json")
    of_firm = Counter(row["firm_key"] for row in contacts)
    firm = max((row for row in unticked if not row["ajera_key"]), key=lambda row: of_firm[row["crm_key"]])
    people = [row for row in contacts if row["firm_key"] == firm["crm_key"] and not row["ajera_key"]][:5]
    others = [row for row in unticked if row is not firm and not row["ajera_key"]]
    machine.call("mark", "firm", *(row["crm_key"] for row in (firm, *others)))
    machine.call("mark", "contact", *(row["crm_key"] for row in people), "--firm", firm["crm_key"])
    for event, count in (*MOMENTS, *(MORE if os.environ.get("AJERASYNC_FAULTS") else ())):
        machine.killed(event, count)
    machine.call("run", "--json")
    last = machine.call("run", "--json")
    events = [json.loads(line) for line in last.splitlines()]
    assert events[-1]["event"] == "run_finished"
    assert not [event for event in events if event["event"] == "action_done"], "the second run wrote"
    rows = {row["crm_key"]: row for row in machine.call("list", "contact", "--json")}
    assert all(rows[row["crm_key"]]["ajera_key"] for row in people)
    machine.stop()
    after = names(machine)
    for row in people:
        first_name_last = " ".join(reversed(row["label"].split(", ")))
        assert after["contacts"][first_name_last] == 1
    assert after["clients"][firm["label"]] == 1
    for table, counted in after.items():
        twice = {name for name, count in counted.items() if count > max(1, before[table][name])}
        assert not twice, f"{table}: {twice}"
