"""What is packed beside the program: the manual page and the systemd units."""

from __future__ import annotations

import configparser
import shutil
import subprocess
from pathlib import Path

import pytest

from core.cli.app import COMMANDS
from core.cli.manpage import page
from tests.docs.kit import ROOT, parsed

PACKAGING = ROOT / "packaging"
UNITS = sorted([*PACKAGING.glob("*.service"), *PACKAGING.glob("*.timer")])


def test_the_manual_page_is_the_one_of_these_commands() -> None:
    written = (PACKAGING / "ajerasync.1").read_text(encoding="utf-8")
    assert written == page(), "make it anew: python -m core.cli.manpage > packaging/ajerasync.1"
    assert [name for name in COMMANDS if f".SS ajerasync {name}" not in written] == []


if shutil.which("groff"):

    def test_roff_takes_the_manual_page() -> None:
        words = ["groff", "-man", "-ww", "-z", "-Kutf8", str(PACKAGING / "ajerasync.1")]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


def sections(path: Path) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(path, encoding="utf-8")
    return parser


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_a_unit_says_what_systemd_wants(unit: Path) -> None:
    found = sections(unit)
    assert found["Unit"]["Description"].startswith("ajerasync")
    if unit.suffix == ".service":
        assert found["Service"]["UMask"] == "0077"
        program, _, words = found["Service"]["ExecStart"].partition(" ")
        assert program == "/usr/local/bin/ajerasync"
        assert parsed(words.split()) is None
    else:
        assert unit.with_suffix(".service") in UNITS


if shutil.which("systemd-analyze"):

    def test_systemd_takes_the_units(tmp_path: Path) -> None:
        for unit in UNITS:
            text = unit.read_text(encoding="utf-8").replace("/usr/local/bin/ajerasync", "/bin/true")
            (tmp_path / unit.name).write_text(text.replace("User=ajerasync", "User=root"), encoding="utf-8")
        words = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no"]
        done = subprocess.run(
            [*words, *(str(tmp_path / unit.name) for unit in UNITS)], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
