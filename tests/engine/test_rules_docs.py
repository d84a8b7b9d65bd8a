"""docs/rules.md and docs/deltek.md name tests that exist, in the modules they name."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| (?P<rule>.*?) \| `(?P<test>test_\w+)` \| `(?P<module>tests/[\w/]+\.py)` \|$")
SECTIONS = [str(number) for number in range(1, 11)]


def where_tests_are() -> dict[str, set[str]]:
    """Every test function and the modules that have one of that name."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                found[node.name].add(str(path.relative_to(ROOT)))
    return found


def test_every_row_of_the_table_of_rules_names_a_test_that_exists() -> None:
    known = where_tests_are()
    rows = [line for line in (ROOT / "docs/rules.md").read_text(encoding="utf-8").splitlines() if "`test_" in line]
    for row in rows:
        match = ROW.match(row)
        assert match, row
        assert match["module"] in known[match["test"]], row
    assert len(rows) > 150


def test_every_section_of_the_rules_has_tests() -> None:
    text = (ROOT / "docs/rules.md").read_text(encoding="utf-8")
    parts = re.split(r"^## (\d+)\.", text, flags=re.MULTILINE)[1:]
    sections = dict(zip(parts[::2], parts[1::2], strict=True))
    assert list(sections) == SECTIONS
    assert all(section.count("`test_") >= 5 for section in sections.values())


@pytest.mark.parametrize("page", ["deltek.md", "rules.md"])
def test_every_test_named_on_the_page_exists(page: str) -> None:
    known = where_tests_are()
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "docs" / page).read_text(encoding="utf-8")))
    assert named
    assert not named - known.keys()


def test_the_page_on_deltek_has_every_weakness_and_says_where_ours_cannot() -> None:
    text = (ROOT / "docs/deltek.md").read_text(encoding="utf-8")
    weaknesses = re.findall(r"^\| (\d+) \|", text, flags=re.MULTILINE)
    assert weaknesses == [str(number) for number in range(1, 22)]
    assert text.count("*Where ours cannot*") >= 7
