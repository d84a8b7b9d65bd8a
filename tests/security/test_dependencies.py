"""What is installed is what was locked: each file by its hash, and the locks hold what pyproject.toml asks for."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
LOCKS = {
    "requirements.lock": [*PROJECT["dependencies"], *EXTRAS["build"]],
    "requirements-dev.lock": [*PROJECT["dependencies"], *EXTRAS["build"], *EXTRAS["dev"]],
}


def entries(lock: str) -> dict[str, tuple[list[str], str]]:
    """Name to versions (markers may ask for several) and the text of the entries."""
    found: dict[str, tuple[list[str], str]] = {}
    text = (ROOT / lock).read_text(encoding="utf-8")
    for entry in re.split(r"\n(?=[A-Za-z0-9])", text):
        match = re.match(r"([A-Za-z0-9._-]+)(?:\[[a-z0-9,-]+\])?==([^ \\;]+)", entry)
        assert match, f"{lock}: not a locked version: {entry[:80]}"
        versions, before = found.get(canonicalize_name(match[1]), ([], ""))
        found[canonicalize_name(match[1])] = ([*versions, match[2]], before + entry)
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", entry), f"{lock}: {match[1]} has no hash"
    return found


@pytest.mark.parametrize("lock", list(LOCKS))
def test_each_entry_is_one_version_with_hashes_from_the_usual_place(lock: str) -> None:
    assert len(entries(lock)) > 20
    text = (ROOT / lock).read_text(encoding="utf-8")
    for line in text.splitlines():
        assert not line.lstrip().startswith(
            ("-i", "--index", "--extra-index", "--find-links", "--trusted", "-e", "git+")
        )
        assert "://" not in line


@pytest.mark.parametrize("lock", list(LOCKS))
def test_the_lock_holds_what_the_project_asks_for(lock: str) -> None:
    held = entries(lock)
    for text in LOCKS[lock]:
        wanted = Requirement(text)
        versions, _ = held.get(canonicalize_name(wanted.name), ([], ""))
        assert versions, f"{lock} has no {wanted.name}: make lock"
        assert all(wanted.specifier.contains(Version(each), prereleases=True) for each in versions), (text, versions)


@pytest.mark.parametrize("lock", list(LOCKS))
def test_the_lock_holds_nothing_that_nobody_asks_for(lock: str) -> None:
    """Each entry says via whom it came: a library that is in the lock, or the project itself."""
    held = entries(lock)
    for name, (_, text) in held.items():
        via = re.findall(r"^ +#(?: via)? +(.+)$", text, re.MULTILINE)
        asked = {re.split(r"[ \[]", each)[0] for each in via if each != "via"}
        assert asked, f"{lock}: nobody asks for {name}"
        for each in asked:
            assert each == "ajerasync" or canonicalize_name(each) in held, (name, each)


def test_both_locks_agree() -> None:
    run, dev = entries("requirements.lock"), entries("requirements-dev.lock")
    assert {name: dev[name][0] for name in run} == {name: versions for name, (versions, _) in run.items()}


def test_the_makefile_installs_by_hash_only() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    installs = [line for line in text.splitlines() if "$(PIP) install" in line]
    assert installs
    for line in installs:
        assert "--require-hashes" in line or "--no-deps --no-build-isolation -e ." in line, line


def test_the_audit_takes_an_unanswered_question_for_a_failure() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(r"^audit:", text, re.MULTILINE)
    assert "pip-audit --strict --require-hashes" in text
    assert all(f"$(AUDIT) -r {lock}" in text for lock in LOCKS)
