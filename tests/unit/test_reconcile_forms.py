"""Canonical forms (sync-rules 5): what counts as equal."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from core.model.values import Address, EntryEdit, Kind, Ref, Side, Value
from core.policy import FieldSpec, Policy
from core.reconcile.normalize import blank, canonical, host_of, name_key, numbers_in, phone, plain_text
from core.reconcile.situation import equal_only, evidence
from tests.reconcile_kit import AJERA, CRM, World

POLICY = Policy()


def spec(kind: Kind, name: str) -> FieldSpec:
    found = POLICY.spec(kind, name)
    assert found is not None
    return found


NAME, PHONE, STATUS = (spec(Kind.FIRM, name) for name in ("name", "phone", "status"))
MARKET, ADDRESS = spec(Kind.FIRM, "type"), spec(Kind.FIRM, "address")
MONEY, HIRED, CLIENT = (
    spec(Kind.PROJECT, "spent_labor"),
    spec(Kind.EMPLOYEE, "hire_date"),
    spec(Kind.PROJECT, "client"),
)


@pytest.mark.parametrize(
    ("field", "a", "b"),
    [
        (NAME, " Acme ", "Acme"),
        (NAME, "Cafe\u0301", "Caf\u00e9"),
        (NAME, "two\r\nlines", "two\nlines"),
        (NAME, "two\rlines", "two\nlines"),
        (PHONE, "(312) 555-0100 ext. 7", "312.555.0100 x7"),
        (PHONE, "+1 312 555 0100", "+13125550100"),
        (PHONE, "1-800-flowers", "1800FLOWERS"),
        (MARKET, "Education", "EDUCATION"),
        (MONEY, Decimal(5), Decimal("5.00001")),
        (MONEY, Decimal("1e30"), Decimal("1e30")),
        (MONEY, Decimal("NaN"), Decimal("NaN")),
        (HIRED, date(2026, 3, 1), datetime(2026, 3, 1, 12, tzinfo=UTC)),
        (ADDRESS, Address(("1 Main St", " "), "Town", "il", "60601", "USA"), Address((" 1 Main St",), "Town", "IL", "60601", "usa")),
    ],
)  # fmt: skip
def test_rule_5_canonical_forms_make_equal(field: FieldSpec, a: Value, b: Value) -> None:
    assert canonical(field, AJERA, a) == canonical(field, AJERA, b)
    assert canonical(field, AJERA, a) is not None


@pytest.mark.parametrize(
    ("field", "a", "b"),
    [
        (NAME, "Acme", "acme"),
        (PHONE, "312 555 0100", "+312 555 0100"),
        (PHONE, "312 555 0100 x7", "312 555 0100 x8"),
        (MONEY, Decimal(5), Decimal("5.0001")),
        (MONEY, Decimal("1e30"), Decimal("2e30")),
        (MONEY, Decimal(5), "5"),
        (ADDRESS, Address(("a", "b"), "Town"), Address(("b", "a"), "Town")),
        (ADDRESS, Address(("a",), "Town"), Address((), "Town")),
    ],
)
def test_rule_5_canonical_forms_keep_apart(field: FieldSpec, a: Value, b: Value) -> None:
    assert canonical(field, AJERA, a) != canonical(field, AJERA, b)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (NAME, None), (NAME, ""), (NAME, " \t "), (PHONE, " - "), (MARKET, ""), (STATUS, ""), (MONEY, Decimal(0)),
        (MONEY, Decimal("-0.00")), (MONEY, Decimal("0.00001")), (ADDRESS, Address(("  ",), " ")), (CLIENT, Ref(Kind.FIRM, AJERA, "")),
    ],
)  # fmt: skip
def test_rule_5_one_kind_of_blank(field: FieldSpec, value: Value) -> None:
    assert blank(field, AJERA, value)


def test_rule_5_a_false_flag_is_no_blank() -> None:
    assert canonical(NAME, AJERA, False) is False
    assert not blank(NAME, AJERA, False)


def test_rule_5_a_list_edit_is_compared_by_what_it_says() -> None:
    edit = EntryEdit((Ref(Kind.CONTACT, CRM, "k"),))
    assert canonical(CLIENT, AJERA, edit) == "add k"


@pytest.mark.parametrize(
    ("kind", "side", "word", "group"),
    [
        (Kind.FIRM, CRM, "D", "inactive"),
        (Kind.FIRM, AJERA, "Inactive", "inactive"),
        (Kind.PROJECT, AJERA, "Preliminary", "active"),
        (Kind.PROJECT, AJERA, "BillingHold", "hold"),
        (Kind.PROJECT, CRM, "I", "closed"),
        (Kind.EMPLOYEE, CRM, "T", "terminated"),
        (Kind.FIRM, CRM, "Z", "Z"),
    ],
)
def test_rule_5_statuses_are_compared_by_group(kind: Kind, side: Side, word: str, group: str) -> None:
    assert canonical(spec(kind, "status"), side, word) == group


def test_rule_4_names_are_normalised_but_legal_forms_stay() -> None:
    assert name_key("  Smith & Sons,  Café ") == name_key("SMITH and sons cafe")
    assert name_key("Acme Inc") != name_key("Acme LLC")


def test_rule_4_numbers_of_names_and_hosts_of_web_sites() -> None:
    assert numbers_in("Phase 2 of 10") == ("2", "10")
    assert host_of("HTTPS://www.Acme.example/about?x#y") == host_of("acme.example") == "acme.example"


def test_phones_without_any_digit_are_blank_and_extensions_stand_alone() -> None:
    assert phone("()") is None
    assert phone("x12") == "x12"


def test_hostile_text_is_only_text() -> None:
    hostile = "[red]\x1b[31m\u202e" + "A" * 10_000
    assert plain_text(hostile) == hostile
    assert canonical(NAME, CRM, hostile) == hostile


def test_evidence_leaves_blank_parts_out() -> None:
    firm = World().firm(AJERA, "a1", "Acme", email="Info@Acme.example", website="", address=Address(zip="60601"))
    assert evidence(firm) == {"e-mail": "info@acme.example", "postal code": "60601"}
    assert evidence(World().firm(AJERA, "a2", "Bare")) == {}


def test_without_a_fuzzy_matcher_only_equal_names_are_alike() -> None:
    assert list(equal_only("acme", ("acme", "acmé", "other"), 0.9)) == [("acme", 1.0)]
