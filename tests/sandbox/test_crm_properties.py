"""What must hold for any value and any order of writes."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.sandbox.crm.data import CrmData
from core.sandbox.crm.schema import INDEXED, TABLES
from core.sandbox.crm.values import encode, to_stored
from tests.sandbox.crm_kit import Crm

MONEY = st.decimals(min_value=-(10**15) + 1, max_value=10**15 - 1, places=4, allow_nan=False, allow_infinity=False)


@given(MONEY)
def test_money_survives_json(amount: Decimal) -> None:
    stored = to_stored(TABLES["project"].columns["Fee"], amount)
    assert json.loads(encode({"Fee": stored}), parse_float=Decimal)["Fee"] == amount


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=80).map(lambda text: f"[b]{text}[/b]\u202e"))
@settings(max_examples=25)
async def test_any_text_comes_back_as_it_was_sent(text: str) -> None:
    crm = Crm()
    key = crm.contact()
    _, changed = await crm.call("PUT", f"contact/{key}", {"Memo": text * 100})
    assert changed[0]["Memo"] == text * 100
    assert (await crm.get(f"contact/{key}", fieldFilter="Memo"))[0]["Memo"] == text * 100


def _consistent(data: CrmData) -> None:
    for table, columns in INDEXED.items():
        for column in columns:
            values = {row[column].strip().lower() for row in data.tables[table].values()}
            for value in values:
                scanned = {k for k, row in data.tables[table].items() if row[column].strip().lower() == value}
                assert set(data._index[table, column][value]) == scanned


STEP = st.tuples(st.sampled_from(["insert", "edit", "delete", "rollback"]), st.integers(0, 5), st.sampled_from("xyz"))


@given(st.lists(STEP, max_size=30))
@settings(max_examples=60)
def test_indexes_follow_every_write(steps: list[tuple[str, int, str]]) -> None:
    data = Crm().data
    keys: list[str] = []
    for op, at, value in steps:
        key = keys[at % len(keys)] if keys else None
        if op == "insert":
            keys.append(data.insert("contact", {"LastName": "L", "ClientID": value}))
        elif key and op == "edit":
            data.edit("contact", key, {"ClientID": value})
        elif key and op == "delete":
            data.delete("contact", key)
            keys.remove(key)
        elif key:
            _roll_back(data, key, value)
        _consistent(data)
    assert set(keys) == set(data.tables["contact"])


def _roll_back(data: CrmData, key: str, value: str) -> None:
    before, written = data.to_json()["tables"], len(data.ledger)

    def fail() -> None:
        with data.transaction():
            data.edit("contact", key, {"ClientID": value, "Memo": "half"})
            data.insert("contact", {"LastName": "half"})
            data.delete("contact", key)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert data.to_json()["tables"] == before
    assert len(data.ledger) == written


@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b'{"Memo": "\\ud800"}', b'{"Memo": {"a": 1}}', b'{"HasPhoto": NaN, "Memo": NaN}', b"\xff"]
)
async def test_hostile_bodies_are_answered(body: bytes) -> None:
    crm = Crm()
    key = crm.contact()
    reply: Any = await crm.send("PUT", f"contact/{key}", content=body)
    assert reply.status_code in (200, 400)
    await crm.get(f"contact/{key}")


def test_wrong_names_in_seeds_are_told() -> None:
    data = Crm().data
    with pytest.raises(KeyError, match=r"firm\.Nmae"):
        data.insert("firm", {"Nmae": "x"})
    key = data.insert("firm", {"Name": "x"})
    with pytest.raises(KeyError):
        data.edit("firm", key, {"ClientID": "other"})
    with pytest.raises(KeyError):
        data.edit("firm", "none", {})
    with pytest.raises(ValueError, match="exists"):
        data.insert("firm", {"Name": "y"}, key=key)
