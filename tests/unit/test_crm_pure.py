"""The pure parts of the CRM room: queries, codes, cursors, names, columns of metadata."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.crm.catalogue import catalogue_of, hub_table
from core.crm.client import segment
from core.crm.codes import CodeTable, Places
from core.crm.cursor import OVERLAP, answer_of, at_start, capped, read_cursor
from core.crm.mapping import cut, date_of, number_of, own_rows, project_name
from core.crm.query import Query, any_of, changed_since, equals, moment_of, parameters, zulu
from core.crm.refusals import explained
from core.crm.wire import CodeRow, FieldMeta, TableMeta
from core.errors import RecordRefused
from core.model.values import Kind
from core.policy import FIRM_FIELDS

NOON = datetime(2026, 5, 1, 12, 0, 0, 123999, tzinfo=UTC)


def test_a_date_filter_always_has_type_zone_and_a_symbol() -> None:
    query = Query(("ClientID",), (changed_since(NOON), equals("WBS2", "")), "ClientID")
    assert parameters(query, 500, 7) == [
        ("fieldFilter", "ClientID"),
        ("order", "ClientID"),
        ("limit", "500"),
        ("offset", "7"),
        ("filterHash[0][name]", "ModDate"),
        ("filterHash[0][value]", "2026-05-01T12:00:00.123Z"),
        ("filterHash[0][type]", "datetime"),
        ("filterHash[0][opp]", ">="),
        ("filterHash[0][condition]", "AND"),
        ("filterHash[0][seq]", "0"),
        ("filterHash[1][name]", "WBS2"),
        ("filterHash[1][value]", ""),
        ("filterHash[1][opp]", "="),
        ("filterHash[1][condition]", "AND"),
        ("filterHash[1][seq]", "1"),
    ]


def test_clauses_meant_as_or_have_name_and_value_only() -> None:
    assert parameters(Query((), any_of("WBS1", ["a", "b"]))) == [
        ("filterHash[0][name]", "WBS1"),
        ("filterHash[0][value]", "a"),
        ("filterHash[1][name]", "WBS1"),
        ("filterHash[1][value]", "b"),
    ]


def test_moments_without_a_zone_are_utc() -> None:
    assert moment_of("2026-05-01T12:00:00.123") == NOON.replace(microsecond=123000)
    assert moment_of("2026-05-01") == datetime(2026, 5, 1, tzinfo=UTC)
    assert moment_of("yesterday") is None
    assert zulu(NOON.astimezone(timezone(timedelta(hours=-5)))) == "2026-05-01T12:00:00.123Z"


# -- cursors ----------------------------------------------------------------------------------------


def test_a_cursor_survives_being_text() -> None:
    seen = read_cursor("2026-05-01T12:00:00.123|P|1")
    assert seen is not None
    assert (str(seen), seen.key) == ("2026-05-01T12:00:00.123|P|1", "P|1")
    assert seen.moment - seen.bound == OVERLAP
    for text in (None, "", "rubbish", "|key"):
        assert read_cursor(text) is None


@given(st.permutations([("2026-05-01T00:00:00.001", "b"), ("2026-05-01T00:00:00.001", "a"), ("", "c"), ("x", "d")]))
def test_the_newest_row_is_the_same_in_any_order(rows: list[tuple[str, str]]) -> None:
    answer = answer_of(rows)
    assert answer.newest is not None
    assert answer.newest.key == "a"
    assert answer.keys == {"a", "b", "c", "d"}


def test_a_cursor_never_passes_the_servers_clock() -> None:
    seen = read_cursor("2030-01-01T00:00:00.000|k")
    assert seen is not None
    assert str(capped(seen, NOON)) == "2026-05-01T12:00:00.123|k"
    assert capped(seen, None) is seen
    assert str(at_start(NOON)) == "2026-05-01T12:00:00.123|"
    assert read_cursor(str(at_start(None))) is not None


# -- codes ------------------------------------------------------------------------------------------


def codes(*pairs: tuple[str, str], status: str = "A") -> CodeTable:
    return CodeTable([CodeRow(code=code, description=text, status=status) for code, text in pairs])


def test_codes_and_descriptions_are_found_without_case_and_accents() -> None:
    table = codes(("EDU", "Éducation"), ("COM", ""))
    assert table.describe("edu ") == "Éducation"
    assert table.describe("COM") == "COM"
    assert table.describe("OLD") == "OLD"
    assert table.code_of("education") == table.code_of("EDU") == "EDU"
    assert table.code_of("nothing") is None


def test_inactive_codes_are_read_but_not_offered() -> None:
    table = CodeTable([CodeRow(code="O", description="Same", status="I"), CodeRow(code="N", description="Same")])
    assert table.code_of("same") == "N"
    assert table.describe("O") == "Same"
    assert table.descriptions == ("Same",)
    assert codes(("O", "Old"), status="I").descriptions == ()


def test_places_in_every_spelling() -> None:
    places = Places(codes(("TX", "Texas")), codes(("US", "United States"), ("DE", "Germany")))
    assert [places.state(text) for text in ("tx", "Texas", "", "Narnia")] == ["TX", "TX", "", None]
    assert {places.country(text) for text in ("US", "usa", "U.S.A.", "united states of america")} == {"United States"}
    assert (places.country("Germany"), places.country_code("germany"), places.country("")) == ("Germany", "DE", "")
    assert places.country("Atlantis") is None
    assert Places(None, None).country("Anywhere ") == "Anywhere"
    assert Places(None, codes(("United States", ""))).country("USA") == "United States"


# -- values -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "name"),
    [
        ({"Name": "", "LongName": "Long"}, "Long"),
        ({"Name": "Short", "LongName": ""}, "Short"),
        ({"Name": "Own", "LongName": "Another"}, "Own"),
        ({"Name": "Exactly te", "LongName": "Exactly ten and more"}, "Exactly ten and more"),
        ({"Name": None, "LongName": None}, ""),
        ({"Name": "Ends with", "LongName": "Ends with a blank"}, "Ends with a blank"),
    ],
)
def test_the_name_of_a_project(row: dict[str, str | None], name: str) -> None:
    assert project_name(row, 10) == name


@given(st.text(max_size=60), st.integers(min_value=1, max_value=50))
def test_a_cut_name_is_recognised_as_its_cut(text: str, size: int) -> None:
    long = text.strip()
    assert project_name({"Name": cut(long, size), "LongName": long}, size) == long


def test_numbers_and_dates() -> None:
    assert number_of(3) == Decimal(3)
    assert number_of("1.10") == Decimal("1.10")
    assert number_of("") is None
    assert date_of("2026-02-03T00:00:00.000") == date_of("2026-02-03")
    assert date_of(None) is None
    # What is neither is not read at all, rather than blank.
    assert number_of("NaN") is number_of("abc") is date_of("soon")


def test_one_row_per_employee_that_of_the_home_company() -> None:
    rows = [
        {"Employee": "1", "EmployeeCompany": "B", "HomeCompany": "A"},
        {"Employee": "1", "EmployeeCompany": "A", "HomeCompany": "A"},
        {"Employee": "1", "EmployeeCompany": "C", "HomeCompany": "A"},
        {"Employee": "2"},
    ]
    assert own_rows(Kind.EMPLOYEE, rows) == [rows[1], rows[3]]


@pytest.mark.parametrize(
    ("key", "path"),
    [("a/b?#%", "a%2Fb%3F%23%25"), ("..", "%2E%2E"), (".", "%2E"), ("2026.01", "2026.01"), ("E|C", "E%7CC")],
)
def test_a_key_is_one_segment(key: str, path: str) -> None:
    assert segment(key) == path


# -- metadata ---------------------------------------------------------------------------------------


def table(**captions: str) -> TableMeta:
    return {name.lower(): FieldMeta(fieldname=name, caption=caption) for name, caption in captions.items()}


def test_a_hub_table_of_an_unknown_name_is_known_by_its_columns() -> None:
    tables = {"other": table(ClientID=""), "thing": table(ClientID="", Name="")}
    assert hub_table(Kind.FIRM, tables) is tables["thing"]
    assert hub_table(Kind.FIRM, {"cl": tables["other"]}) is tables["other"]
    assert hub_table(Kind.FIRM, {}) == {}


def test_ticks_are_found_by_name_caption_or_check_box() -> None:
    box = {"ajeraflag": FieldMeta(fieldname="AjeraFlag", fieldtype="Checkbox"), **table(AjeraSpentLabor="Spent")}
    metadata = {
        Kind.FIRM: {"cl": table(ClientID="", Flag=" sync to ajera ")},
        Kind.CONTACT: {"co": table(ContactID="", Other="x")},
        Kind.PROJECT: {"pr": {**box, **table(Tpl="Ajera Project Template")}, "prcontactassoc": table(AjeraSync="")},
    }
    found = catalogue_of(metadata, {}, {})
    assert found.marks == {"firm": "Flag", "project": "AjeraFlag", "project_contact": "AjeraSync"}
    assert found.template == "Tpl"
    named = catalogue_of(metadata, {"contact": "OTHER", "firm": "", "template": "none"}, {})
    assert named.marks["contact"] == "Other"
    assert "firm" not in named.marks
    assert named.template is None


def test_a_refusal_names_the_fields_of_the_map() -> None:
    address = table(State="State", Phone="Phone")
    metadata = {Kind.FIRM: {"cl": table(ClientID="", Name="Firm Name", WebSite="Website"), "claddress": address}}
    catalogue = catalogue_of(metadata, {}, {})

    def columns(sentence: str, *sent: str) -> tuple[str, ...]:
        error = RecordRefused("crm", sentence, (sentence,))
        return explained(error, catalogue, Kind.FIRM, FIRM_FIELDS, sent).columns

    assert columns("State Code ZZ does not exist.") == ("State", "CLAddress")
    assert columns("Please provide a Firm Name for table Firm") == ("Name",)
    assert columns("Website is not a web address", "WebSite") == ("WebSite",)
    assert columns("Website is not a web address") == ()
    assert columns("Phone is odd", "Phone") == ("Phone", "PrimaryPhone")
