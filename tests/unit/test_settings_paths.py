"""Paths of a profile: XDG honoured, folders private, sandboxes and real systems apart."""

from __future__ import annotations

from pathlib import Path

import pytest
from platformdirs import PlatformDirs

from core.errors import SettingsError
from core.paths import paths_for


@pytest.fixture(autouse=True)
def xdg(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def test_the_usual_places(tmp_path: Path) -> None:
    paths = paths_for()
    assert paths.config == tmp_path / "config/ajerasync/config.toml"
    assert paths.state == tmp_path / "state/ajerasync/default"
    other = paths_for(profile="north")
    assert other.config == tmp_path / "config/ajerasync/config.north.toml"
    assert other.state == tmp_path / "state/ajerasync/north"


@pytest.mark.parametrize("config", [None, "", "relative", "/else/where"])
@pytest.mark.parametrize("home", [None, "", "relative", "/home/somebody"])
def test_the_usual_places_are_those_of_other_programs(
    home: str | None, config: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("HOME", home), ("XDG_CONFIG_HOME", config), ("XDG_STATE_HOME", config)):
        monkeypatch.delenv(name) if value is None else monkeypatch.setenv(name, value)
    dirs, paths = PlatformDirs("ajerasync", appauthor=False), paths_for()
    assert str(paths.config.parent) == dirs.user_config_dir
    assert str(paths.state.parent) == dirs.user_state_dir


def test_a_file_named_by_hand_has_a_state_of_its_own(tmp_path: Path) -> None:
    one, two = paths_for(tmp_path / "a/sandbox.toml"), paths_for(tmp_path / "b/sandbox.toml")
    assert len({one.state, two.state, paths_for().state}) == 3
    assert paths_for(tmp_path / "a/sandbox.toml") == one
    assert paths_for(tmp_path / "a/sandbox.toml", "north").state == tmp_path / "state/ajerasync/north"
    assert paths_for(paths_for().config) == paths_for()


def test_the_state_folder_is_private() -> None:
    paths = paths_for()
    assert paths.make_state().stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "x" * 65])
def test_a_profile_is_a_plain_name(name: str) -> None:
    if name:
        with pytest.raises(SettingsError, match="--profile"):
            paths_for(profile=name)
    else:
        assert paths_for(profile=name).profile == "default"
