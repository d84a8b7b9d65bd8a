"""docs/promises.md: every promise has tests that exist, and the long run's table adds up."""

from __future__ import annotations

import re
from pathlib import Path

from tests.engine.faults import COMMON_KINDS, LIST_KINDS, RACES, STORE_KINDS, WRITE_KINDS
from tests.engine.test_rules_docs import where_tests_are

PAGE = (Path(__file__).parents[2] / "docs/promises.md").read_text(encoding="utf-8")
KINDS = {*COMMON_KINDS, *LIST_KINDS, *RACES, *STORE_KINDS, *WRITE_KINDS}


def test_every_promise_has_tests_and_all_of_them_exist() -> None:
    promises = re.findall(r"^\| (V\d+) \| (.+?) \| (.+) \|$", PAGE, re.MULTILINE)
    assert [name for name, _, _ in promises] == [f"V{number}" for number in range(1, 20)]
    assert all("`test_" in tests for _, _, tests in promises)
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    assert not named - where_tests_are().keys()


def test_the_table_of_the_long_run_has_every_kind_of_fault_and_adds_up() -> None:
    rows = re.findall(r"^\| `?([\w ]+?)`? \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \|$", PAGE, re.MULTILINE)
    counted = {kind: [int(number.replace(",", "")) for number in numbers] for kind, *numbers in rows}
    *_, (fixed, chance, everything) = [counted.pop("all")]
    assert counted.keys() == KINDS
    assert [sum(column) for column in zip(*counted.values(), strict=True)] == [fixed, chance, everything]
    assert all(numbers[0] + numbers[1] == numbers[2] for numbers in counted.values())
