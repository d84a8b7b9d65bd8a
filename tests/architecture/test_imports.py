"""What is imported when, in a fresh interpreter each: the arrows of docs/architecture.md, kept at run time too."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

from core.cli.app import COMMANDS
from core.version import VERSION

ROOT = Path(__file__).parents[2]
HEAVY = {"httpx", "pydantic", "textual", "rich", "tinydb", "croniter", "keyring", "starlette", "uvicorn", "tomlkit"}


@cache
def modules_after(code: str) -> frozenset[str]:
    """The top-level names of everything a fresh interpreter has imported after `code`."""
    script = f"{code}\nimport sys, json\nsys.stderr.write(json.dumps(sorted({{m.split('.')[0] for m in sys.modules}})))"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "COLUMNS": "80"},
    )
    return frozenset(json.loads(done.stderr))


def after_command(*words: str) -> frozenset[str]:
    return modules_after(f"from core.cli.app import run\nrun({list(words)!r})")


@pytest.mark.parametrize("words", [("--version",), ("--help",), ("completion", "bash"), ("info",)])
def test_what_needs_nothing_imports_nothing(words: tuple[str, ...]) -> None:
    assert not after_command(*words) & HEAVY


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_help_of_a_command_imports_no_client_and_no_ui(command: str) -> None:
    assert not after_command(command, "--help") & HEAVY


def test_the_entry_point_imports_no_ui() -> None:
    assert not modules_after("import tui.__main__") & HEAVY


CORE_MODULES = sorted(
    str(path.relative_to(ROOT).with_suffix("")).replace("/", ".").removesuffix(".__init__")
    for path in (ROOT / "core").rglob("*.py")
    if path.name != "__main__.py"
)


def test_all_of_core_runs_without_the_ui() -> None:
    code = "import importlib\n" + "\n".join(f"importlib.import_module({name!r})" for name in CORE_MODULES)
    # rich comes with httpx's own command line where it is installed; that core never asks for it is tested below.
    assert not modules_after(code) & {"textual", "tui"}


@pytest.mark.parametrize("room", ["core.reconcile", "core.model", "core.policy", "core.errors", "core.filtering"])
def test_the_kernel_stands_on_the_standard_library(room: str) -> None:
    names = [name for name in CORE_MODULES if name == room or name.startswith(f"{room}.")]
    code = "import importlib\n" + "\n".join(f"importlib.import_module({name!r})" for name in names)
    assert not modules_after(code) & (HEAVY | {"click", "rapidfuzz", "orjson", "filelock", "sqlite3", "asyncio"})


ONLY_IN = {
    "httpx": "core/http.py",
    "tinydb": "core/store/",
    "croniter": "core/engine/schedule.py",
    "textual": "tui/",
    "rich": "tui/",
}


@pytest.mark.parametrize(("library", "place"), ONLY_IN.items())
def test_a_library_has_one_place(library: str, place: str) -> None:
    users = {str(path.relative_to(ROOT)) for path in sources() if library in imports_of(path)}
    assert all(user.startswith(place) for user in users), users


def sources() -> list[Path]:
    return [path for folder in ("core", "tui") for path in (ROOT / folder).rglob("*.py")]


def imports_of(path: Path) -> set[str]:
    """Top-level names a file imports anywhere, also inside functions."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names


def test_the_version_is_said_once() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == VERSION


def test_every_library_is_explained() -> None:
    """docs/libraries.md has a line for each dependency of pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    text = (ROOT / "docs/libraries.md").read_text(encoding="utf-8")
    names = [
        line.split(">")[0].split("[")[0]
        for line in (*project["dependencies"], *project["optional-dependencies"]["dev"])
    ]
    assert [name for name in names if f"| {name} |" not in text] == []


def test_the_readme_lists_every_command() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [name for name in COMMANDS if f"ajerasync {name}" not in text] == []
