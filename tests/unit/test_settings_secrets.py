"""Secrets as references: each source, and what is said when it has nothing."""

from __future__ import annotations

import sys
from pathlib import Path

import keyring.errors
import pytest

from core.errors import SettingsError
from core.secret import Secret


def secret(source: str, target: str, folder: Path = Path()) -> Secret:
    return Secret("ajera.password", source, target, folder)


def test_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AJERA_PASSWORD", "pw")
    assert secret("env", "AJERA_PASSWORD").reveal() == "pw"
    monkeypatch.delenv("AJERA_PASSWORD")
    with pytest.raises(SettingsError, match=r"ajera.password: the environment variable AJERA_PASSWORD is not set"):
        secret("env", "AJERA_PASSWORD").reveal()


def test_from_a_file_beside_the_settings(tmp_path: Path) -> None:
    (tmp_path / "pw").write_text("p w \n")
    assert secret("file", "pw", tmp_path).reveal() == "p w "
    assert secret("file", str(tmp_path / "pw")).reveal() == "p w "
    (tmp_path / "empty").write_text("\n")
    with pytest.raises(SettingsError, match="is empty"):
        secret("file", "empty", tmp_path).reveal()
    with pytest.raises(SettingsError, match="No such file"):
        secret("file", "none", tmp_path).reveal()


def test_from_a_command_asked_once(tmp_path: Path) -> None:
    script = tmp_path / "ask.py"
    script.write_text(
        f"import pathlib\np = pathlib.Path({str(tmp_path / 'n')!r})\np.write_text(p.read_text() + 'x' if p.exists() else 'x')\nprint('pw')\n"
    )
    kept = secret("command", f"{sys.executable} {script}")
    assert (kept.reveal(), kept.reveal()) == ("pw", "pw")
    assert (tmp_path / "n").read_text() == "x"


@pytest.mark.parametrize(
    ("command", "says"),
    [("false", "ended with code 1"), ("true", "printed nothing"), ("no-such-program-here", "could not be run")],
)
def test_a_command_that_fails(command: str, says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        secret("command", command).reveal()


def test_a_failing_command_tells_nothing_it_printed() -> None:
    with pytest.raises(SettingsError) as caught:
        secret("command", "sh -c 'echo hunter2; echo hunter2 >&2; exit 3'").reveal()
    assert "hunter2" not in str(caught.value)


def test_from_the_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = {("ajerasync", "ajera.password"): "pw"}
    monkeypatch.setattr("keyring.get_password", lambda service, user: entries.get((service, user)))
    assert secret("keyring", "ajerasync").reveal() == "pw"
    with pytest.raises(SettingsError, match=r"keyring set other ajera\.password"):
        secret("keyring", "other").reveal()

    def locked(service: str, user: str) -> str:
        raise keyring.errors.KeyringLocked

    monkeypatch.setattr("keyring.get_password", locked)
    with pytest.raises(SettingsError, match="did not answer"):
        secret("keyring", "ajerasync").reveal()
