"""The command line without systems: options, exit codes, messages, completion."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import click
import pytest

from core.cli import exits, output
from core.cli.app import COMMANDS
from core.errors import (
    AjerasyncError,
    GuardTripped,
    LoginRefused,
    RunInProgress,
    SettingsError,
    StoreDamaged,
    Unreachable,
    UsageError,
)
from core.ports import RunRecord
from core.version import VERSION
from tests.unit.cli_kit import call, state_home

__all__ = ["state_home"]
pytestmark = pytest.mark.usefixtures("state_home")

DEAD = """
[ajera]
url = "http://127.0.0.1:{port}/x"
username = "u"
password = "p"
timeout = 2
[crm]
url = "http://127.0.0.1:{port}/y"
database = "d"
username = "u"
password = "hunter2"
client_id = "c"
client_secret = "s"
"""


def test_version_and_help() -> None:
    assert call("--version").out == f"ajerasync {VERSION}\n"
    listed = call("--help").out
    assert all(f"  {name} " in listed for name in COMMANDS)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_listed_command_is_there_and_takes_the_common_options(name: str) -> None:
    said = call(name, "--help")
    assert said.code == 0
    assert "--config" in said.out
    assert "--profile" in said.out


def test_an_unknown_command_is_wrong_usage() -> None:
    said = call("rnu")
    assert (said.code, said.out) == (2, "")
    assert "rnu" in said.err


def test_without_a_terminal_the_ui_is_not_opened() -> None:
    for words in ((), ("demo",), ("setup",)):
        said = call(*words)
        assert said.code == 2
        assert "terminal" in said.err


def test_options_for_all_stand_before_or_after(tmp_path: Path) -> None:
    file = str(tmp_path / "x.toml")
    before = json.loads(call("--config", file, "info", "--json").out)
    after = json.loads(call("info", "--config", file, "--json").out)
    assert before == after
    assert before["settings"] == file
    assert json.loads(call("--profile", "north", "info", "--json").out)["settings"].endswith("config.north.toml")


def test_settings_that_are_wrong_end_with_2_and_every_mistake(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_text(
        '[ajera]\nurl = "https://x"\n[sync]\ndirecton = 1\n[schedule]\ncron = "every day"\n', encoding="utf-8"
    )
    said = call("--config", str(file), "status")
    assert (said.code, said.out) == (2, "")
    for part in ("ajera.username", "sync.directon", "schedule.cron", "has 2 fields"):
        assert part in said.err


def test_systems_that_cannot_be_reached_end_with_3(
    tmp_path: Path, unused_tcp_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.http.TRIES", 1)
    file = tmp_path / "x.toml"
    file.write_text(DEAD.format(port=unused_tcp_port), encoding="utf-8")
    said = call("--config", str(file), "doctor", "--json")
    assert said.code == 3
    levels = {check["check"]: check["state"] for check in json.loads(said.out)}
    assert levels["Ajera, connection"] == levels["CRM, connection"] == "fail"
    assert "hunter2" not in said.out + said.err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("x"), 2),
        (SettingsError([]), 2),
        (StoreDamaged("x"), 2),
        (Unreachable("crm", "x"), 3),
        (LoginRefused("crm", "x"), 3),
        (GuardTripped("x"), 4),
        (RunInProgress("x"), 5),
        (AjerasyncError("x"), 1),
        (click.Abort(), 130),
        (click.UsageError("x"), 2),
        (OSError(errno.ENOSPC, "disk full"), 1),
    ],
)
def test_every_exception_has_its_code(error: Exception, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert exits.report(error) == code
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err


@pytest.mark.parametrize(
    ("outcome", "queues", "code"),
    [
        ("ok", {}, 0),
        ("ok", {"conflicts": 1}, 1),
        ("ok", {"drift": 4, "refused": 2}, 0),
        ("partial", {}, 1),
        ("refused", {}, 4),
        ("failed", {}, 3),
        ("cancelled", {}, 130),
    ],
)
def test_every_outcome_has_its_code(outcome: str, queues: dict[str, int], code: int) -> None:
    assert exits.run_code(RunRecord("r", "2026-01-01T00:00:00Z", outcome=outcome), queues) == code


def test_tables_are_aligned_and_harmless(capsys: pytest.CaptureFixture[str]) -> None:
    output.table(("name", "n"), [("東京", 1), ("\x1b[31mred\n\u202egnol", 22), ("a" * 10_000, 333)], right=(1,))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert len({output.width(line) for line in lines}) == 1
    assert "\x1b" not in "".join(lines)
    assert "\u202e" not in "".join(lines)


def test_json_is_ascii(capsys: pytest.CaptureFixture[str]) -> None:
    output.document({"name": "\u202e東\x9b31m"})
    said = capsys.readouterr().out
    assert said.isascii()
    assert json.loads(said) == {"name": "\u202e東\x9b31m"}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell: str) -> None:
    said = call("completion", shell)
    assert said.code == 0
    assert "_AJERASYNC_COMPLETE" in said.out


def test_the_sandbox_names_every_mistake() -> None:
    said = call("sandbox", "--host", "192.0.2.1", "--quirk", "nosuch=1")
    assert said.code == 2
    assert "192.0.2.1" in said.err
    assert "nosuch" in said.err
    assert "throttle" in call("sandbox", "--list-quirks").out
