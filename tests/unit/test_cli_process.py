"""The program as a process: signals, the sandbox of the demo, what is left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.cli.demo import demo_folder, demo_paths, sandbox_flags, sandbox_process
from core.errors import AjerasyncError

ROOT = Path(__file__).parents[2]
SMALL = ["--firms=8", "--contacts=10", "--projects=6", "--employees=4"]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[dict[str, str]]:
    return {**os.environ, "XDG_STATE_HOME": str(tmp_path / "state"), "XDG_CONFIG_HOME": str(tmp_path / "config")}


def start(env: dict[str, str], *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tui", *words],
        cwd=ROOT,
        env=env,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_the_sandbox_says_where_it_is_and_ends_on_a_signal(home: dict[str, str], tmp_path: Path) -> None:
    config = tmp_path / "c.toml"
    process = start(home, "sandbox", *SMALL, "--config-out", str(config))
    assert process.stdout is not None
    ready = json.loads(process.stdout.readline())
    assert set(ready) == {"ajera_url", "crm_url", "config"}
    assert ready["config"] == str(config)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert process.returncode == 0


def test_the_demo_takes_its_sandbox_and_folder_along(tmp_path: Path) -> None:
    with demo_folder(None) as folder:
        with sandbox_process(folder, SMALL) as config:
            assert demo_paths(folder, config).state.parent == folder
            url = next(line.split('"')[1] for line in config.read_text().splitlines() if line.startswith("url"))
            with pytest.raises(urllib.error.HTTPError):
                urllib.request.urlopen(f"{url.split('/V')[0]}/nothing", timeout=10)  # it answers
        with pytest.raises(urllib.error.URLError):
            urllib.request.urlopen(url, timeout=10)
    assert not folder.exists()
    with demo_folder(tmp_path / "kept") as kept:
        assert kept.is_dir()
    assert kept.is_dir()


def test_the_demo_sandbox_ends_when_its_starter_is_gone(tmp_path: Path) -> None:
    """As after kill -9 of the program: the other end of its standard input closes."""
    process = subprocess.Popen(
        [sys.executable, "-m", "core.cli.demo_sandbox", *SMALL], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdin is not None
    json.loads(process.stdout.readline())
    process.stdin.close()
    assert process.wait(20) == 0
    process.stdout.close()


def test_a_sandbox_that_does_not_start_says_why(tmp_path: Path) -> None:
    with (
        pytest.raises(AjerasyncError, match="The sandbox did not start"),
        sandbox_process(tmp_path, ["--host=192.0.2.1"]),
    ):
        pass


def test_the_scale_multiplies(tmp_path: Path) -> None:
    assert "--firms=120" in sandbox_flags(2, 7, None)
    assert f"--data={tmp_path / 'data'}" in sandbox_flags(1, 7, tmp_path)


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_watch_ends_cleanly(home: dict[str, str], tmp_path: Path, sent: signal.Signals, code: int) -> None:
    with sandbox_process(tmp_path, SMALL) as config:
        process = start(home, "--config", str(config), "watch")
        assert process.stderr is not None
        assert process.stderr.readline().startswith("Watching; next run 2")
        process.send_signal(sent)
        process.communicate(timeout=20)
        assert process.returncode == code


def test_ctrl_c_stops_a_run_between_actions(home: dict[str, str], tmp_path: Path) -> None:
    with sandbox_process(tmp_path, [*SMALL, "--delay=50"]) as config:
        process = start(home, "--config", str(config), "run", "--json")
        assert process.stdout is not None
        events = []
        for line in process.stdout:
            events.append(json.loads(line))
            if events[-1]["event"] == "action_done":
                process.send_signal(signal.SIGINT)
                break
        rest, err = process.communicate(timeout=60)
        events += map(json.loads, rest.splitlines())
        assert process.returncode == 130, err
        assert events[-1]["event"] == "run_finished"
        assert events[-1]["outcome"] == "cancelled"
        assert not [line for line in err.splitlines() if "Traceback" in line]
