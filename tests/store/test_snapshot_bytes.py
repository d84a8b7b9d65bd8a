"""A snapshot that was gone over whole still decodes what is added to it later as bytes."""

from __future__ import annotations

from core.store.snapshot import Snapshot


def test_bytes_added_after_going_over_all_values_are_decoded() -> None:
    first: Snapshot[str, str] = Snapshot({"a": b"1"}, lambda _key, body: body.decode())
    assert list(first.values()) == ["1"]
    later = first.changed({"b": b"2"})
    assert sorted(later.values()) == ["1", "2"]
    assert sorted(value for _, value in later.items()) == ["1", "2"]
