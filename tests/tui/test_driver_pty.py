"""A real terminal: one that stops reading, one that goes away, and the signals that end a program."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.tui.pty import RESTORING, SIGNALS, Terminal

APP = "tests.tui.pty_app"


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize("number", list(SIGNALS))
def test_an_end_signal_restores_the_terminal_and_says_so_in_the_exit_code(number: signal.Signals) -> None:
    with Terminal(APP, "calm") as terminal:
        terminal.see("waiting")
        terminal.signal(number)
        assert terminal.left() == SIGNALS[number]
        assert terminal.fact("unmounted")
        assert all(sequence in terminal.out for sequence in RESTORING)


def test_quitting_restores_the_terminal() -> None:
    with Terminal(APP, "calm") as terminal:
        terminal.see("waiting")
        terminal.send(b"q")
        assert terminal.left() == 0
        assert all(sequence in terminal.out for sequence in RESTORING)


def test_the_loop_beats_on_while_the_terminal_does_not_read_and_all_is_painted_anew_after() -> None:
    with Terminal(APP, "busy") as terminal:
        terminal.fact("dropped")
        first = int(terminal.fact("beat").split()[1])
        start = time.monotonic()
        last = first
        while last < first + 50:
            last = int(terminal.fact("beat").split()[1])
        assert time.monotonic() - start < 10  # 50 beats of 20 ms; blocked, there would be none
        wanted = last
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:  # it reads again: what is shown gets past what was when it did not
            terminal.read(0.1)
            shown = [line[:6] for line in terminal.screen.display[:20]]
            if all(part.isdigit() and int(part) > wanted for part in shown):
                break
        else:
            pytest.fail(f"not painted anew:\n{terminal.text}")
        terminal.signal(signal.SIGTERM)
        assert terminal.left() == 143


def test_a_terminal_that_does_not_read_holds_up_no_exit() -> None:
    with Terminal(APP, "busy") as terminal:
        terminal.fact("dropped")
        terminal.signal(signal.SIGTERM)
        assert terminal.process.wait(3) == 143


def test_a_stuck_loop_is_ended_by_force_with_the_terminal_restored() -> None:
    with Terminal(APP, "stuck") as terminal:
        terminal.see("waiting")
        terminal.send(b"x")
        terminal.fact("stuck")
        terminal.signal(signal.SIGTERM)
        assert terminal.left() == 143
        assert all(sequence in terminal.out for sequence in RESTORING)


def test_a_closed_terminal_ends_the_program() -> None:
    with Terminal(APP, "calm") as terminal:
        terminal.see("waiting")
        terminal.hang_up()
        assert terminal.process.wait(5) == 129
        assert terminal.fact("unmounted")


def test_a_program_may_go_on_without_its_terminal_and_does_not_spin() -> None:
    with Terminal(APP, "stay") as terminal:
        terminal.see("waiting")
        terminal.hang_up()
        terminal.fact("hung up")
        before = cpu_seconds(terminal.process.pid)
        start = last = int(terminal.fact("beat").split()[1])
        while last < start + 50:
            last = int(terminal.fact("beat").split()[1])
        assert cpu_seconds(terminal.process.pid) - before < 0.6  # of at least a second
        terminal.signal(signal.SIGTERM)
        assert terminal.process.wait(5) == 143


def test_a_key_sequence_that_breaks_the_parser_is_dropped() -> None:
    with Terminal(APP, "table", cols=120, rows=40) as terminal:
        terminal.see("firm number 30")
        terminal.send(b"\x1b[97:65;2;65u")
        terminal.send(b"\xff\xfe")
        terminal.send(b"\x1b[6~")
        terminal.see("firm number 39")
        terminal.send(b"q")
        assert terminal.left() == 0


@pytest.mark.parametrize("keys", [b"A", b"\x1b[97;2;65u"], ids=["plain", "kitty"])
def test_capital_letters_of_both_keyboard_modes(keys: bytes) -> None:
    with Terminal(APP, "table", cols=120, rows=40) as terminal:
        terminal.see("firm number 30")
        terminal.send(b"a")
        terminal.see(" ✓ = firm number 38")
        terminal.send(keys)
        terminal.see("   = firm number 38")
        terminal.send(b"q")
        assert terminal.left() == 0


def test_keys_that_arrive_in_a_clump_act_where_the_focus_has_gone() -> None:
    with Terminal("tests.tui.demo", cols=120, rows=40) as terminal:
        terminal.see("next in")
        terminal.send(b"/aisa number 12")
        terminal.see("/ aisa number 12")
        assert "ticked 1 " in terminal.text
        terminal.send(b"\r")
        terminal.until_quiet()
        terminal.send(b"pa")  # a question, and a letter that answers nothing and reaches no list
        terminal.see("Apply the plan?")
        terminal.until_quiet()
        terminal.send(b"\r")
        terminal.see("answer: None")
        assert "ticked 1 " in terminal.text
        terminal.send(b"q")
        assert terminal.left() == 0


def test_byte_budgets_of_the_table() -> None:
    with Terminal(APP, "table", cols=120, rows=40) as terminal:
        terminal.see("firm number 30")
        terminal.until_quiet()
        terminal.send(b"j")
        assert 0 < terminal.until_quiet() < 600
        terminal.send(b" ")
        terminal.see("✓ =")
        terminal.until_quiet()
        terminal.send(b"\x1b[6~")
        assert 0 < terminal.until_quiet() < 10_000
        terminal.send(b"G")
        terminal.see("firm number 49999")
        terminal.until_quiet()
        terminal.send(b" ")  # nothing to move to: the tick alone
        assert 0 < terminal.until_quiet() < 300
        terminal.send(b"q")
        assert terminal.left() == 0


def test_no_color_sends_no_colour_and_shows_the_cursor() -> None:
    with Terminal(APP, "table", env={"NO_COLOR": "1"}) as terminal:
        terminal.see("firm number 10")
        terminal.until_quiet()
        assert b"\x1b[38;" not in terminal.out
        assert b"48;2;" not in terminal.out
        assert b"38;2;" not in terminal.out
        reverse = [terminal.screen.buffer[1][x].reverse for x in range(10, 20)]
        assert all(reverse)


def test_control_l_paints_everything_anew() -> None:
    with Terminal(APP, "calm") as terminal:
        terminal.see("waiting")
        terminal.until_quiet()
        place = len(terminal.out)
        terminal.send(b"\x0c")
        deadline = time.monotonic() + 10
        while b"waiting" not in terminal.out[place:] and time.monotonic() < deadline:
            terminal.read(0.1)
        assert b"waiting" in terminal.out[place:]
