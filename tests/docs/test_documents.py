"""What the documents say is there: every command and option, every link, every path."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from core.cli.app import COMMANDS
from tests.docs.kit import DOCUMENTS, ROOT, commands_of, parsed, prose_and_blocks, spans, words_of

NAMES = [path.relative_to(ROOT).as_posix() for path in DOCUMENTS]
FOLDERS = ("core/", "tui/", "tests/", "docs/", "packaging/", ".ci/")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+\s+(.*)$", re.MULTILINE)


@pytest.fixture
def somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files that examples name."""
    for name in ("x.toml", "pairs.csv", "links.csv", "answers.toml"):
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", NAMES)
def test_the_command_line_takes_every_command(name: str, somewhere: Path) -> None:
    wrong = {command: problem for command in commands_of(ROOT / name) if (problem := parsed(words_of(command)))}
    assert wrong == {}


def test_every_command_is_in_the_handbook() -> None:
    told = {command.split()[0] for command in commands_of(ROOT / "docs/commands.md") if command}
    assert [name for name in COMMANDS if name not in told] == []


def anchors(path: Path) -> set[str]:
    """The anchors of a page, as a forge makes them of its headings."""
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in _HEADING.findall(path.read_text(encoding="utf-8")))
    return {heading.strip().replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("name", NAMES)
def test_every_link_leads_somewhere(name: str) -> None:
    page = ROOT / name
    for target in _LINK.findall(prose_and_blocks(page.read_text(encoding="utf-8"))[0]):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path) if path else page
        assert there.exists(), f"{name}: {target}"
        assert not anchor or anchor in anchors(there), f"{name}: {target}"


@pytest.mark.parametrize("name", NAMES)
def test_every_path_that_is_named_is_there(name: str) -> None:
    for span in spans((ROOT / name).read_text(encoding="utf-8")):
        path = span.split("::")[0].rstrip("/")
        if span.startswith(FOLDERS) and not re.search(r"[\s<>{}]", path):
            assert any(ROOT.glob(path)), f"{name}: {span}"


@pytest.mark.parametrize("name", NAMES)
def test_every_make_target_is_there(name: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    prose, lines = prose_and_blocks((ROOT / name).read_text(encoding="utf-8"))
    said = [text for text in (*spans(prose), *lines) if text.startswith("make ")]
    missing = [text for text in said if not re.search(rf"^{re.escape(text.split()[1])}:", makefile, re.MULTILINE)]
    assert missing == []
