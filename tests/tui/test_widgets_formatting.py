"""Wording, cells, glyphs, themes and the filter language."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.app import App
from textual.color import Color

from core.filtering import Query, parse_query, search_string
from tests.tui.hostile import HOSTILE
from tui import formatting as f
from tui.glyphs import ASCII, UNICODE, choose_glyphs, use_glyphs
from tui.themes import DARK, PLAIN, THEMES, apply_theme, wants_plain

NOW = datetime(2025, 3, 1, 10, 42, 7, tzinfo=UTC)


@pytest.fixture
def ascii_glyphs() -> Iterator[None]:
    use_glyphs(ASCII)
    yield
    use_glyphs(UNICODE)


@pytest.mark.parametrize(
    ("amount", "text"),
    [("1234567.5", "1,234,567.50"), ("-0.005", "-0.01"), ("0", "0.00"), ("-1234", "-1,234.00"), ("NaN", "NaN"),
     ("-0.001", "0.00")],
)  # fmt: skip
def test_money(amount: str, text: str) -> None:
    assert f.money(Decimal(amount)) == text


def test_money_of_nothing_and_with_a_symbol() -> None:
    assert f.money(None) == ""
    assert f.money(Decimal(-3), "$") == "-$3.00"


def test_ages_countdowns_and_durations() -> None:
    assert f.age(None) == "never"
    assert [f.age(NOW - timedelta(seconds=s), NOW) for s in (3, 40, 200, 7_300, 200_000)] == [
        "just now", "40 s ago", "3 min ago", "2 h ago", "2 d ago",
    ]  # fmt: skip
    assert f.age(NOW + timedelta(minutes=3), NOW) == "in the future"
    assert [f.countdown(NOW + timedelta(seconds=s), NOW) for s in (252, 3_852, 97_200, -1)] == [
        "04:12", "1:04:12", "1 d 03:00", "due",
    ]  # fmt: skip
    assert [f.duration(s) for s in (0.44, 12, 245, 12_000, 187_200, 60)] == [
        "0.4 s", "12 s", "4 min 5 s", "3 h 20 min", "2 d 4 h", "1 min",
    ]  # fmt: skip


def test_counts_ticks_and_states() -> None:
    assert f.count(5012) == "5,012"
    assert (f.count(1, "firm"), f.count(3, "firm"), f.count(2, "entry", "entries")) == (
        "1 firm",
        "3 firms",
        "2 entries",
    )
    assert f.ticks_text(12, 7) == "ticked 12 (7 not in view)"
    assert f.state_text("conflict") == "! conflict"
    assert f.state_text("unmarked") == ""
    assert f.state_text("\x1b[31mnew_one").isprintable()


@given(st.text(max_size=60), st.integers(0, 40), st.sampled_from(["left", "right"]))
def test_a_cell_is_exactly_as_wide_as_asked(text: str, width: int, align: f.Align) -> None:
    shown = f.cell(text, width, align)
    assert cell_len(shown) == width
    assert shown.isprintable()


@given(st.text(alphabet="ab 日é", max_size=80), st.integers(2, 30))
def test_wrapped_lines_fit_and_lose_nothing(text: str, width: int) -> None:
    lines = f.wrap(text, width)
    assert all(cell_len(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_cutting_says_so_and_halves_no_wide_character() -> None:
    assert f.cut("日本語", 4) == "日…"
    assert f.cut("abcdef", 4) == "abc…"
    assert len(f.wrap("a b c d e f", 3, limit=2)) == 2


def test_ascii_glyphs(ascii_glyphs: None) -> None:
    assert f.cut("abcdef", 4) == "abc~"
    assert f.state_text("error") == "x error"
    every = "".join(str(getattr(ASCII, name)) for name in ("ticked", "unticked", "ellipsis", "arrow", "bars", "range"))
    assert (every + "".join(mark for _, mark in ASCII.flags)).isascii()


def test_glyphs_by_encoding() -> None:
    assert choose_glyphs(encoding="utf-8") is UNICODE
    assert choose_glyphs(encoding="utf-8", ascii_only=True) is ASCII
    latin = choose_glyphs(encoding="latin-1")
    assert latin == replace(ASCII, encoding="iso8859-1")
    assert latin.printable("Söner 日") == "Söner ?"
    assert choose_glyphs(encoding="no such").encoding == "ascii"


# -- themes ----------------------------------------------------------------------------------------------------


PAIRS = [
    (text, ground)
    for ground in ("background", "surface", "panel")
    for text in ("foreground", "primary", "warning", "error", "success", "accent", "secondary")
] + [("block-cursor-foreground", "block-cursor-background"),
     ("block-cursor-blurred-foreground", "block-cursor-blurred-background")]  # fmt: skip


@pytest.mark.parametrize("theme", [theme for theme in THEMES.values() if not theme.ansi], ids=lambda theme: theme.name)
def test_every_text_has_contrast_enough(theme: object) -> None:
    colours = theme.to_color_system().generate()  # type: ignore[attr-defined]
    poor = {}
    for text, ground in PAIRS:
        ratio = _contrast(Color.parse(colours[text]), Color.parse(colours[ground]))
        if ratio < 4.5:
            poor[text, ground] = round(ratio, 2)
    assert poor == {}


def _contrast(one: Color, other: Color) -> float:
    """By WCAG 2.1, from relative luminance."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: Color) -> float:
    parts = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in colour.normalized]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def test_all_themes_tell_the_cursor_by_its_text_style() -> None:
    for theme in THEMES.values():
        assert theme.variables["block-cursor-text-style"] != "none"


async def test_choosing_a_theme() -> None:
    app = App[None]()
    apply_theme(app, "light")
    assert app.theme == "ajerasync-light"
    apply_theme(app, "no such theme")
    assert app.theme == DARK.name
    apply_theme(app, "light", plain=True)
    assert app.theme == PLAIN.name
    assert wants_plain({"NO_COLOR": "1"})
    assert not wants_plain({"NO_COLOR": ""})
    assert wants_plain({}, plain=True)


# -- the filter as the widgets use it ---------------------------------------------------------------------------


def test_folded_search_and_narrowing() -> None:
    rows = ["Ahlström & Söner AB", "Acme Supplies", "Brown [draft]"]
    searches = [search_string([row]) for row in rows]

    def find(text: str) -> list[int]:
        return parse_query(text, ["name"]).select(range(3), searches, rows, {"name": str})

    assert find("ahlstrom") == [0]
    assert find('"acme sup"') == [1]
    assert find("!acme") == [0, 2]
    assert find("-name:brown") == [0, 1]
    assert find('name:="Acme Supplies"') == [1]
    assert find("name:=acme") == []
    assert find("[draft]") == [2]
    assert find("name:") == find("") == find("!") == [0, 1, 2]
    assert find('"acme') == [1]
    assert parse_query("acme su").narrows(parse_query("acme"))
    assert not parse_query("acm").narrows(parse_query("acme"))
    assert not parse_query("!acmes").narrows(parse_query("!acme"))
    assert parse_query("x").narrows(Query())


@pytest.mark.parametrize("text", HOSTILE)
def test_no_typed_text_breaks_the_filter(text: str) -> None:
    query = parse_query(text, ["name"])
    assert query.error.isprintable()
    query.select(range(1), [""], ["x"], {"name": str})


def test_a_mistake_is_explained() -> None:
    assert "did you mean owner:" in parse_query("ownr:x", ["owner", "state"]).error
    assert "owner, state" in parse_query("zzz:x", ["owner", "state"]).error
    assert not parse_query("10:30", ["owner"]).error
