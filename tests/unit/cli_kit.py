"""The command line in this process, on a small sandbox with real sockets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from core.cli.app import cli
from core.sandbox.serve import Sandbox, SandboxOptions, SandboxThread


@dataclass(frozen=True)
class Said:
    """What a command printed and ended with."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


def call(*words: str, stdin: str | None = None) -> Said:
    result = CliRunner().invoke(cli, list(words), input=stdin, env={"COLUMNS": "200"}, catch_exceptions=False)
    return Said(result.exit_code, result.stdout, result.stderr)


@dataclass(frozen=True)
class World:
    """A sandbox and a settings file that points at it."""

    sandbox: Sandbox
    config: Path

    def call(self, *words: str, stdin: str | None = None) -> Said:
        return call("--config", str(self.config), *words, stdin=stdin)

    def rows(self, kind: str, *words: str) -> list[dict[str, Any]]:
        said = self.call("list", kind, "--json", *words)
        assert said.code == 0, said.err
        rows: list[dict[str, Any]] = said.json
        return rows


def open_world(folder: Path, **options: Any) -> Iterator[World]:
    counts = {"firms": 16, "contacts": 36, "projects": 16, "employees": 6} | options
    with SandboxThread(SandboxOptions(rate=0, **counts)) as sandbox:
        config = folder / "config.toml"
        quick = sandbox.config_toml().replace("rate = 50.0", "rate = 1000.0")
        config.write_text(quick, encoding="utf-8")
        config.chmod(0o600)
        yield World(sandbox, config)


@pytest.fixture(scope="module")
def state_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Settings and state of these tests, away from the developer's own."""
    home = tmp_path_factory.mktemp("xdg")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(home / "state"))
        patch.setenv("XDG_CONFIG_HOME", str(home / "config"))
        yield home
