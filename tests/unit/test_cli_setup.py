"""The set-up dialogue: what is asked, tested and written, and where secrets go."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

import keyring.errors
import pytest

from tests.unit.cli_kit import Said, World, call, open_world, state_home

__all__ = ["state_home"]


@pytest.fixture(scope="module")
def world(state_home: Path) -> Iterator[World]:
    yield from open_world(state_home, firms=8, contacts=10, projects=6, employees=4)


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.cli.setup.need_terminal", lambda: None)


def set_up(world: World, config: Path, place: str = "file", password: str | None = None, more: str = "") -> Said:
    ajera, crm = world.sandbox.ajera, world.sandbox.crm
    lines = [
        *(world.sandbox.ajera_url, ajera.username, place, password or ajera.password),
        *(world.sandbox.crm_url, crm.database, crm.username, place, crm.password),
        *(crm.client_id, place, crm.client_secret, "dps1", "America/Chicago"),
    ]
    return call("--config", str(config), "setup", stdin="\n".join(lines) + f"\n{more}")


def test_it_asks_connects_and_writes(world: World, tmp_path: Path) -> None:
    config = tmp_path / "conf/config.toml"
    said = set_up(world, config)
    assert said.code == 0, said.err
    assert said.out == ""
    assert "ajera: connected" in said.err
    assert "crm: connected" in said.err
    written = tomllib.loads(config.read_text(encoding="utf-8"))
    assert written["ajera"]["password"] == {"file": "ajera.password.secret"}
    assert written["schedule"]["timezone"] == "America/Chicago"
    for path in config.parent.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600, path
    assert f'"{world.sandbox.ajera.password}"' not in config.read_text(encoding="utf-8")
    assert call("--config", str(config), "doctor").code <= 1


def test_secrets_go_to_the_keyring(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: dict[tuple[str, str], str] = {}
    monkeypatch.setattr("keyring.set_password", lambda service, name, value: kept.update({(service, name): value}))
    monkeypatch.setattr("keyring.get_password", lambda service, name: kept.get((service, name)))
    config = tmp_path / "config.toml"
    said = set_up(world, config, "keyring")
    assert said.code == 0, said.err
    assert {name for _service, name in kept} == {"ajera.password", "crm.password", "crm.client_secret"}
    assert set(tomllib.loads(config.read_text(encoding="utf-8"))["crm"]["client_secret"]) == {"keyring"}


def test_without_a_keyring_it_asks_again(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(service: str, name: str, value: str) -> None:
        raise keyring.errors.NoKeyringError

    monkeypatch.setattr("keyring.set_password", none)
    ajera, crm = world.sandbox.ajera, world.sandbox.crm
    lines = [
        *(world.sandbox.ajera_url, ajera.username, "keyring", ajera.password, "file", ajera.password),
        *(world.sandbox.crm_url, crm.database, crm.username, "file", crm.password),
        *(crm.client_id, "plain", crm.client_secret, "dps1", "UTC"),
    ]
    said = call("--config", str(tmp_path / "c.toml"), "setup", stdin="\n".join(lines) + "\n")
    assert said.code == 0, said.err
    assert "NoKeyringError" in said.err


def test_a_connection_that_fails_is_told_and_nothing_is_written_unasked(world: World, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    said = set_up(world, config, password="wrong", more="n\n")
    assert said.code == 1
    assert not config.exists()
    assert "wrong" not in said.err
    assert set_up(world, config, password="wrong", more="y\n").code == 1
    assert config.exists()
    kept = config.read_bytes()
    assert call("--config", str(config), "setup", stdin="n\n").code == 0
    assert config.read_bytes() == kept
