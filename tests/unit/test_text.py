"""Record text made harmless."""

from __future__ import annotations

import unicodedata
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.text import MARKS_PER_LETTER, csv_cell, fold, safe_line

ANY_TEXT = st.text(alphabet=st.characters(), max_size=300)


@given(ANY_TEXT)
def test_nothing_in_a_safe_line_acts(text: str) -> None:
    line = safe_line(text)
    assert line.isprintable()
    line.encode("utf-8")


@given(ANY_TEXT, st.one_of(st.none(), st.integers(1, 80)))
def test_it_is_idempotent_and_bounded(text: str, limit: int | None) -> None:
    line = safe_line(text, limit)
    assert safe_line(line, limit) == line
    assert limit is None or len(line) <= limit


@given(st.text(alphabet=st.characters(categories=["Mn", "Me"]), min_size=1, max_size=2000))
def test_a_flood_of_combining_marks_is_bounded(marks: str) -> None:
    for line in (safe_line("a" + marks, None), safe_line(marks, None)):
        longest = run = 0
        for char in line:
            run = run + 1 if unicodedata.category(char) in {"Mn", "Me", "Mc"} else 0
            longest = max(longest, run)
        assert longest <= MARKS_PER_LETTER
        assert not line or unicodedata.category(line[0]) not in {"Mn", "Me", "Mc"}


@given(st.text(alphabet=st.characters(min_codepoint=0x20, max_codepoint=0x7E)))
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert safe_line(text, None) == text


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (None, ""),
        (Decimal("12.50"), "12.50"),
        ("a\tb", "a b"),
        ("a\nb", "a↵b"),
        ("\x1b[2J", "␛[2J"),
        ("nul\x00", "nul␀"),
        ("\x9b31m", "\ufffd31m"),
        ("evil\u202ecod.exe", "evil\ufffdcod.exe"),
        ("A\u200bcme\ufeff", "Acme"),
        ("Ahlström", "Ahlström"),
        ("日本", "日本"),
        ("a\u00a0b", "a b"),
        ("\ue000\U000e0041", "\ufffd"),
        ("\ud800x", "\ufffdx"),
        ("\u0301x", "◌\u0301x"),
    ],
)
def test_what_becomes_of(text: object, line: str) -> None:
    assert safe_line(text) == line


def test_a_cut_line_says_so() -> None:
    assert safe_line("x" * 10_000) == "x" * 499 + "…"
    assert safe_line("abc", 2) == "a…"
    assert safe_line("a\n", 1) == "…"


@pytest.mark.parametrize("start", [*"=+-@", "\t", "\r", "＝", " ="])
def test_a_formula_is_disarmed(start: str) -> None:
    assert csv_cell(f"{start}cmd|' /C calc'!A0").startswith("'")


@given(ANY_TEXT)
def test_no_csv_cell_starts_a_formula(text: str) -> None:
    cell = csv_cell(text)
    number = cell.lstrip("+-").replace(".", "", 1)
    assert not cell.startswith(("=", "@", "+", "-")) or (number.isascii() and number.isdigit())


@pytest.mark.parametrize("number", ["-12.50", "+3", "0", "10042"])
def test_numbers_stay_numbers_in_csv(number: str) -> None:
    assert csv_cell(number) == number


def test_folding_ignores_case_and_accents() -> None:
    assert fold("Ahlström & SÖNER") == "ahlstrom & soner"
    assert fold("STRASSE") == fold("straße")
