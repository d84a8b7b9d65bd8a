"""The switches of an Ajera tenant: names, values, and every mistake at once."""

from __future__ import annotations

from dataclasses import fields

import pytest

from core.quirks.ajera import AjeraQuirks, QuirkError


def test_the_defaults_are_those_of_the_contract() -> None:
    quirks = AjeraQuirks()
    assert (quirks.success_code, quirks.stale_compare, quirks.delete_form) == ("200", "both", "reject")
    assert (quirks.session_minutes, quirks.session_sliding, quirks.null_properties) == (20, "yes", "omit")


def test_every_quirk_is_described_and_its_default_is_allowed() -> None:
    assert len(AjeraQuirks.describe()) == len(fields(AjeraQuirks))
    for name, default, allowed, about in AjeraQuirks.describe():
        assert "(contract " in about, name
        assert AjeraQuirks.from_pairs({name: default}) == AjeraQuirks()
        assert allowed


def test_every_listed_value_is_taken() -> None:
    for f in fields(AjeraQuirks):
        for value in f.metadata.get("allowed", ()):
            assert getattr(AjeraQuirks.from_pairs({f.name: value}), f.name) == value


def test_numbers_texts_and_booleans() -> None:
    quirks = AjeraQuirks.from_pairs({"session_minutes": "5", "stale_error": "Gone stale", "session_sliding": False})
    assert (quirks.session_minutes, quirks.stale_error, quirks.session_sliding) == (5, "Gone stale", "no")


def test_all_mistakes_come_at_once_with_the_nearest_name() -> None:
    with pytest.raises(QuirkError) as caught:
        AjeraQuirks.from_pairs({"throtle": "wait", "success_code": "201", "session_minutes": "0", "zzz": "1"})
    problems = caught.value.problems
    assert len(problems) == 4
    assert "throttle" in problems[0]
    assert "200, 0" in problems[1]
    assert "1 to 10080" in problems[2]
    assert "nearest" not in problems[3]
