"""The run log: harmless lines, bounded files, readers in other programs."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from core.errors import StoreUnwritable
from core.store import RunLog
from tests.store.helpers import HOSTILE, finish, modes, program


def numbers(events: list[dict[str, object]]) -> list[object]:
    return [event["n"] for event in events]


def test_events_come_back_in_order_with_time_and_level(tmp_path: Path) -> None:
    log = RunLog(tmp_path / "state")
    assert log.tail(5) == []
    assert log.poll("") == ([], "")
    for n in range(10):
        log.append({"event": "action_done", "n": n, "level": "warning" if n % 4 == 0 else "info"})
    assert numbers(log.tail(3)) == [7, 8, 9]
    assert numbers(log.tail(100, level="warning")) == [0, 4, 8]
    assert log.tail(5, level="error") == []
    assert log.tail(1)[0]["ts"].endswith("Z")
    assert modes(tmp_path / "state", ["run.log"]) == {"run.log": 0o600}
    log.close()


def test_text_is_found_in_any_value_without_case_and_accents(tmp_path: Path) -> None:
    log = RunLog(tmp_path)
    log.append({"n": 1, "label": "Ahlström"})
    log.append({"n": 2, "fields": {"name": ["x", "AHLSTROM ltd"]}})
    log.append({"n": 3, "ahlstrom": "a name is no value"})
    assert numbers(log.tail(9, text="ahlstrom")) == [1, 2]
    log.close()


def test_hostile_text_is_one_harmless_bounded_line(tmp_path: Path) -> None:
    log = RunLog(tmp_path)
    log.append({"label": HOSTILE, "a\x1b": [HOSTILE, {"x": "line\nbreak"}], "amount": Decimal("1.50")})
    log.append({f"k{n}": HOSTILE for n in range(200)})
    log.append({"deep": [[[[[[[[["x"]]]]]]]]], "big": 2**70})
    raw = (tmp_path / "run.log").read_bytes()
    lines = raw.splitlines()
    assert len(lines) == 4
    assert all(len(line) <= 8_000 for line in lines)
    for char in ("\x1b", "\u202e", "\\u001b", "\\u202e"):
        assert char not in raw.decode()
    first, cut, deep = log.tail(9)
    assert len(first["label"]) == 2_000
    assert first["amount"] == "1.50"
    assert cut["cut"] is True
    assert deep["big"] == str(2**70)
    log.close()


def test_an_own_cleaner_sees_every_string(tmp_path: Path) -> None:
    log = RunLog(tmp_path, lambda text: text.replace("secret", "•••"))
    log.append({"secret key": ["a secret", {"b": "secret"}]})
    assert "secret" not in (tmp_path / "run.log").read_text()
    log.close()


def test_files_are_turned_over_and_bounded(tmp_path: Path) -> None:
    log = RunLog(tmp_path, max_bytes=2_000, files=3)
    for n in range(200):
        log.append({"n": n})
    found = modes(tmp_path, ["run.log", "run.log.?"])
    assert found == {"run.log": 0o600, "run.log.1": 0o600, "run.log.2": 0o600}
    assert sum((tmp_path / name).stat().st_size for name in found) <= 6_000
    kept = numbers(log.tail(1_000))
    assert kept == list(range(200 - len(kept), 200))
    assert len(kept) > 60
    log.close()


def test_a_follower_keeps_its_place_over_turns(tmp_path: Path) -> None:
    log, reader = RunLog(tmp_path, max_bytes=1_500, files=5), RunLog(tmp_path, max_bytes=1_500, files=5)
    log.append({"n": -1})
    place = reader.end()
    seen: list[object] = []
    for n in range(100):
        log.append({"n": n})
        if n % 7 == 0:
            while True:
                events, place = reader.poll(place)
                seen += numbers(events)
                if not events:
                    break
    follower = reader.follow(place, lambda: False)
    seen += numbers(list(follower))
    assert seen == list(range(100))
    log.close()


def test_a_follower_left_behind_starts_with_the_oldest_kept(tmp_path: Path) -> None:
    log = RunLog(tmp_path, max_bytes=1_000, files=2)
    log.append({"n": 0})
    place = log.end()
    for n in range(1, 100):
        log.append({"n": n})
    assert numbers(list(log.follow(place, lambda: False))) == numbers(log.tail(1_000))
    log.close()


APPEND = """
import sys
from pathlib import Path
from core.store import RunLog
log = RunLog(Path(sys.argv[1]), max_bytes=20_000, files=9)
for n in range(200):
    log.append({"who": sys.argv[2], "n": n})
"""


def test_programs_append_at_once_without_tearing_lines(tmp_path: Path) -> None:
    finish(*(program(APPEND, tmp_path, who) for who in "ab"))
    log = RunLog(tmp_path, files=9)
    events = log.tail(1_000)
    for who in "ab":
        assert sorted(event["n"] for event in events if event["who"] == who) == list(range(200))
    for path in tmp_path.glob("run.log*[!k]"):
        for line in path.read_text().splitlines():
            json.loads(line)
    log.close()


def test_a_line_cut_short_by_a_crash_stays_alone(tmp_path: Path) -> None:
    log = RunLog(tmp_path)
    log.append({"n": 1})
    log.close()
    with (tmp_path / "run.log").open("ab") as file:
        file.write(b'{"n": 2, "la')
    place = log.end()
    log.append({"n": 3})
    assert numbers(log.tail(9)) == [1, 3]
    assert numbers(log.poll(place)[0]) == [3]
    log.close()


def test_a_log_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnwritable):
        RunLog(tmp_path / "file" / "state").append({})
