"""A terminal that is sent only what changed shows what one shows that is sent everything."""

from __future__ import annotations

from random import Random

import pyte
import pytest

from tui.frame_diff import SYNC_END, SYNC_START, FrameDiff

COLS, ROWS = 40, 8
STYLES = (
    "",
    "1",
    "38;2;1;2;3",
    "38;2;9;9;9;48;2;4;5;6",
    "1;38;2;9;9;9;48;2;4;5;6",
    "7;31",
    "4;38;5;9;48;5;200",
    "97;100",
    "1;4;38;2;9;9;9;48;2;4;5;6",
    "2;3;38;2;1;2;3",
    "38;2;255;255;255;48;2;95;135;215",
    "38;2;8;8;8;48;2;238;238;238",
)
WORDS = ("  ", "acme", "Ahlström & Söner", "✓ › …", "x" * 9, "漢字", "e\u0301te", "0", "1", "👷🏽", "          ")


class Shown:
    def __init__(self) -> None:
        self.screen = pyte.Screen(COLS, ROWS)
        self._stream = pyte.Stream(self.screen)

    def send(self, text: str) -> None:
        self._stream.feed(text.replace(SYNC_START, "").replace(SYNC_END, ""))

    @property
    def cells(self) -> list[list[pyte.screens.Char]]:
        """What is seen: the colour and weight of letters are not, where there is none."""
        return [[_seen(self.screen.buffer[row][col]) for col in range(COLS)] for row in range(ROWS)]


def _seen(cell: pyte.screens.Char) -> pyte.screens.Char:
    if cell.data != " " or cell.reverse or cell.underscore or cell.strikethrough:
        return cell
    return cell._replace(fg="default", bold=False, italics=False)


def line(chance: Random, words: tuple[str, ...]) -> str:
    """Segments that fill a row, as Rich writes them."""
    text, left = "", COLS // 2 if "👷🏽" in words else COLS - 2  # no terminal is to wrap it
    while left > 0:
        word = chance.choice(words)[:left]
        style = chance.choice(STYLES)
        text += f"\x1b[{style}m{word}\x1b[0m" if style else word
        left -= max(1, 2 * len(word))  # wide ones fit too
    return text


def frame(chance: Random, words: tuple[str, ...] = WORDS) -> str:
    parts = [f"\x1b[{chance.randint(1, ROWS)};1H{line(chance, words)}" for _ in range(chance.randint(1, 4))]
    top = chance.randint(1, ROWS - 2)
    block = "\n".join(f"\x1b[{top + n};1H{line(chance, words)}" for n in range(2))
    return f"{SYNC_START}{''.join(parts)}{block}\x1b[{chance.randint(1, 3)};2H{SYNC_END}"


@pytest.mark.parametrize("seed", range(40))
def test_what_is_left_out_stood_there(seed: int) -> None:
    chance = Random(seed)
    words = WORDS if seed % 2 else tuple(word for word in WORDS if word.isascii())
    whole, least, diff = Shown(), Shown(), FrameDiff()
    frames = [frame(chance, words) for _ in range(4)]
    for _ in range(60):
        each = chance.choice(frames) if chance.random() < 0.6 else frame(chance, words)
        whole.send(each)
        if chance.random() < 0.1:  # a frame that was dropped: the next one shows all it has
            diff.feed(frame(chance, words))
            diff.forget()
        sent = diff.feed(each)
        least.send(sent)
        assert len(sent) <= len(each)
        assert least.cells == whole.cells
        assert (least.screen.cursor.x, least.screen.cursor.y) == (whole.screen.cursor.x, whole.screen.cursor.y)


def test_a_digit_costs_a_digit_and_nothing_new_costs_nothing() -> None:
    diff = FrameDiff()

    def clock(left: str) -> str:
        text = f" ajerasync  Acme{' ' * 3}next 13:00 (in {left})".ljust(COLS)
        return diff.feed(f"{SYNC_START}\x1b[1;1H\x1b[38;2;230;230;230;48;2;39;45;52m{text}\x1b[0m\x1b[1;2H{SYNC_END}")

    assert len(clock("04:05")) > COLS
    assert clock("04:05") == ""
    assert clock("04:04") == "\x1b[1;39H\x1b[38;2;230;230;230;48;2;39;45;52m4\x1b[m\x1b[1;2H"


def test_a_hidden_cursor_is_moved_only_where_somebody_types() -> None:
    diff = FrameDiff()
    assert diff.feed("\x1b[1;1Habc\x1b[2;2H", typing=False) == "\x1b[1;1Habc"
    assert diff.feed("\x1b[1;1Habc\x1b[2;2H", typing=False) == ""
    assert diff.feed("\x1b[1;1Habc\x1b[2;2H") == "\x1b[2;2H"


def test_what_is_not_understood_is_sent_as_it_is_and_what_follows_whole() -> None:
    diff = FrameDiff()
    plain = f"{SYNC_START}\x1b[1;1Habc\x1b[1;2H{SYNC_END}"
    least = "\x1b[1;1Habc\x1b[1;2H"  # too short to be seen half done
    assert diff.feed(plain) == least
    assert diff.feed(plain) == ""
    linked = f"{SYNC_START}\x1b[1;1H\x1b]8;;https://a.example\x1b\\abc\x1b]8;;\x1b\\{SYNC_END}"
    assert diff.feed(linked) == linked
    assert diff.feed(plain) == least
