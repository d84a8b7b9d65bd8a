"""The pure parts of the Ajera adapter: wire forms, envelope rule, cursor arithmetic, search, totals."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from core.ajera.changes import OVERLAP, Mark, advanced, filter_text, with_members
from core.ajera.client import SessionEnded, read_envelope, rows_of
from core.ajera.hours import windows
from core.ajera.mapping import SENSITIVE, Reader, harmless_employee
from core.ajera.search import searches
from core.ajera.totals import totals_of
from core.ajera.wire import Client, read_amount, read_day, read_flag, read_key, read_stamp, validated
from core.ajera.writing import Writer, differs, edited_contacts
from core.errors import (
    AccessRefused,
    AlreadyThere,
    BadReply,
    LoginRefused,
    NothingToChange,
    OutcomeUnknown,
    RateLimited,
    RecordRefused,
    Stale,
    SystemFailure,
)
from core.model.values import EntryEdit, FieldType, Kind, Ref, Side
from core.policy import DEFAULT_FIELDS, FieldSpec, Owner
from core.ports import Draft
from core.quirks.ajera import AjeraQuirks

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2023-09-27 09:57:49.607 GMT-04:00 (Eastern Daylight Time)", datetime(2023, 9, 27, 13, 57, 49, 607000, UTC)),
        ("2015-03-11 16:22:54.229 GMT-0700", datetime(2015, 3, 11, 23, 22, 54, 229000, UTC)),
        ("2026-01-01T00:00:00+05:30", datetime(2025, 12, 31, 18, 30, tzinfo=UTC)),
        ("2023-09-27 09:57:49.607", None),
        ("2023-13-27 09:57:49 GMT+00:00", None),
        ("", None),
    ],
)
def test_stamps_in_their_odd_forms(text: str, moment: datetime | None) -> None:
    assert read_stamp(text) == moment


@pytest.mark.parametrize(
    ("value", "day"),
    [
        ("2026-02-03", date(2026, 2, 3)),
        ("2012-09-09T00:00:00", date(2012, 9, 9)),
        ("02/03/2026", date(2026, 2, 3)),
        ("2026-02-30", None),
        ("0001-01-01", None),
        ("", None),
        (None, None),
        (7, None),
    ],
)
def test_days_in_their_odd_forms(value: object, day: date | None) -> None:
    assert read_day(value) == day


def test_keys_flags_and_amounts() -> None:
    assert [read_key(value) for value in (None, "", 0, 7, "7", Decimal(7))] == [None, None, None, 7, 7, 7]
    for bad in (True, "x", Decimal("1.5"), [1]):
        with pytest.raises(ValueError):
            read_key(bad)
    assert [read_flag(value) for value in (None, "", False, "N", True, "true", "Y", 1)] == [False] * 4 + [True] * 4
    assert [read_amount(value) for value in (None, "", "x", True)] == [None] * 4
    assert str(read_amount(Decimal("12.3400"))) == "12.3400"
    assert read_amount("1,250.5") == Decimal("1250.5")


def test_an_unreadable_record_names_the_property_and_never_the_value() -> None:
    with pytest.raises(BadReply, match="Description") as caught:
        validated(Client, {"ClientKey": 1, "Description": ["private"]}, "GetClients")
    assert "private" not in str(caught.value)
    assert caught.value.__context__ is None


def _failed(code: int, *texts: str, number: int = -100) -> dict[str, Any]:
    errors = [{"ErrorID": number, "ErrorMessage": text} for text in texts]
    return {"ResponseCode": code, "Message": texts[0] if texts else "", "Errors": errors}


@pytest.mark.parametrize(
    ("method", "data", "meaning"),
    [
        ("GetClients", _failed(-100, "Invalid Session"), SessionEnded),
        ("GetClients", _failed(0, "Your session has expired"), SessionEnded),
        ("GetClients", _failed(-150, "x", number=-150), AccessRefused),
        ("GetClients", _failed(-150, "Unauthorized method: GetClients"), AccessRefused),
        ("CreateAPISession", _failed(-150, "Unable to authenticate user", number=-150), LoginRefused),
        ("GetClients", _failed(-100, "Too many requests."), RateLimited),
        ("UpdateClients", _failed(-100, "The record was modified by another user."), Stale),
        ("UpdateClients", _failed(-100, "No changes were made to ClientKey 1."), NothingToChange),
        ("UpdateContacts", _failed(-100, "A contact with this name already exists."), AlreadyThere),
        ("UpdateClients", _failed(200, "Something else"), RecordRefused),
        ("UpdateClients", _failed(-100), RecordRefused),
    ],
)
def test_an_envelope_is_one_exception_per_meaning(method: str, data: object, meaning: type[SystemFailure]) -> None:
    with pytest.raises(SystemFailure) as caught:
        read_envelope(data, method, reading=True)
    assert type(caught.value) is meaning


def test_success_is_0_or_200_without_a_real_error() -> None:
    for code in (0, 200):
        for errors in ([], None, "", [{"ErrorID": 0, "ErrorMessage": "Success"}], [{"ErrorMessage": "note"}]):
            data = {"ResponseCode": code, "Errors": errors, "Content": {"Clients": []}}
            assert read_envelope(data, "ListClients", reading=True) == {"Clients": []}


def test_the_generic_error_hides_behind_the_specific_one() -> None:
    with pytest.raises(RecordRefused) as caught:
        read_envelope(_failed(-100, "An error has occurred.", "ID is too\x1b[2J long."), "UpdateClients", reading=False)
    assert caught.value.problems == ("ID is too␛[2J long.",)


@pytest.mark.parametrize("data", [None, [], "x", {}, {"Content": {}}, {"ResponseCode": 200, "Errors": [7]}])
def test_what_is_no_envelope_is_a_bad_reply_or_an_unknown_write(data: object) -> None:
    with pytest.raises(BadReply):
        read_envelope(data, "GetClients", reading=True)
    with pytest.raises(OutcomeUnknown):
        read_envelope(data, "UpdateClients", reading=False)


def test_a_success_without_its_list_is_a_missing_right_and_never_nothing() -> None:
    with pytest.raises(AccessRefused):
        rows_of({}, "Clients", "ListClients")
    with pytest.raises(BadReply):
        rows_of({"Clients": ["x"]}, "Clients", "ListClients")


# -- cursors ---------------------------------------------------------------------------------------


def test_the_mark_is_the_newest_stamp_but_never_past_the_list() -> None:
    stamps = {1: NOON, 2: NOON + timedelta(minutes=9)}
    assert advanced(None, {}, NOON) is None
    assert advanced(None, stamps, None) == Mark(NOON + timedelta(minutes=9), 2)
    assert advanced(None, stamps, NOON + timedelta(minutes=5)) == Mark(NOON + timedelta(minutes=5), 2)
    mark = Mark(NOON + timedelta(hours=1), 7, "abc")
    assert advanced(mark, stamps, None) == mark


def test_a_mark_survives_its_text_and_foreign_texts_are_no_mark() -> None:
    mark = with_members(Mark(NOON, 2), {1: NOON - OVERLAP, 2: NOON, 3: NOON - timedelta(hours=1)})
    assert Mark.parse(str(mark)) == mark
    assert mark.digest == with_members(Mark(NOON, 2), {2: NOON, 1: NOON}).digest
    for text in (None, "", "x", "2026-03-02T12:00:00|2|", "nonsense|2|", "2026-03-02T12:00:00+00:00|x|"):
        assert Mark.parse(text) is None


def test_the_filter_is_written_in_the_documented_long_form_or_as_a_day() -> None:
    moment = NOON + timedelta(milliseconds=7)
    assert filter_text(moment, AjeraQuirks()) == "2026-03-02 12:00:00.007 GMT+0000"
    assert filter_text(moment, AjeraQuirks(date_filter="day")) == "2026-03-02"


def test_windows_are_a_week_at_most_and_hold_every_sheet_of_the_span() -> None:
    for days in (0, 3, 40):
        since, until = date(2026, 2, 4), date(2026, 2, 4) + timedelta(days=days)
        found = windows(since, until)
        assert found[0][0] == since - timedelta(days=6)
        assert found[-1][1] == until + timedelta(days=6)
        assert all(end - start <= timedelta(days=6) for start, end in found)
        assert all(b[0] == a[1] + timedelta(days=1) for a, b in itertools.pairwise(found))


# -- records ---------------------------------------------------------------------------------------


def test_sensitive_properties_stay_out_even_if_a_field_map_asks_for_them() -> None:
    nosy = FieldSpec(
        Kind.EMPLOYEE, "ssn", "SSN", FieldType.TEXT, Owner.AJERA, "CustX", "SocialSecurityNumber", custom=True
    )
    custom = FieldSpec(Kind.EMPLOYEE, "desk", "Desk", FieldType.TEXT, Owner.AJERA, "CustDesk", "CF_Desk", custom=True)
    raw = dict.fromkeys(SENSITIVE, "secret") | {"EmployeeKey": 1, "CF_Desk": "12", "CF_Other": "x", "New": "y"}
    assert harmless_employee(raw, (nosy, custom)) == {"EmployeeKey": 1, "CF_Desk": "12"}
    reader = Reader({**DEFAULT_FIELDS, Kind.EMPLOYEE: (nosy, custom)}, AjeraQuirks(), date(2026, 1, 1))
    record = reader.record(Kind.EMPLOYEE, raw)
    assert "secret" not in repr(record) + repr(record.raw)
    assert record.fields["desk"] == "12"


@pytest.mark.parametrize("kind", list(Kind))
def test_a_record_with_nothing_but_its_key_can_be_read(kind: Kind) -> None:
    key = {Kind.FIRM: "ClientKey", Kind.CONTACT: "ContactKey", Kind.EMPLOYEE: "EmployeeKey"}.get(kind, "ProjectKey")
    reader = Reader(DEFAULT_FIELDS, AjeraQuirks(), date(2026, 1, 1))
    record = reader.record(kind, {key: 5})
    assert record.key == "5"
    assert not any(value for value in record.fields.values())


def test_start_is_the_actual_date_else_the_estimated_one() -> None:
    reader = Reader(DEFAULT_FIELDS, AjeraQuirks(), date(2026, 1, 1))
    raw = {"ProjectKey": 1, "EstimatedStartDate": "2026-01-02"}
    assert reader.record(Kind.PROJECT, raw).fields["start_date"] == date(2026, 1, 2)
    raw["ActualStartDate"] = "2026-01-09"
    assert reader.record(Kind.PROJECT, raw).fields["start_date"] == date(2026, 1, 9)


def test_phases_billed_otherwise_are_told() -> None:
    reader = Reader(DEFAULT_FIELDS, AjeraQuirks(), date(2026, 1, 1))
    deep = {"BillingType": "FixedFee", "Phases": [{"BillingType": "FixedFee", "BillExpenseAsTE": True}]}
    raw = {"ProjectKey": 1, "BillingType": "FixedFee", "InvoiceGroups": [{"Phases": [deep]}]}
    assert reader.record(Kind.PROJECT, raw).extra["PhaseTerms"] == "differ"
    deep["Phases"] = []
    assert reader.record(Kind.PROJECT, raw).extra["PhaseTerms"] == "same"


def test_an_absent_total_is_zero_only_with_one_of_its_family() -> None:
    raw = {"Spent Labor": Decimal("10.10"), "Cost + Premium": Decimal(5), "Receipts Labor": Decimal(7)}
    assert totals_of(raw) == {
        "spent_labor": Decimal("10.10"),
        "spent_reimbursable": Decimal(0),
        "spent_consultant": Decimal(0),
        "received_labor": Decimal(7),
        "received_reimbursable": Decimal(0),
        "received_consultant": Decimal(0),
    }
    raw["Receipts Credit Memo Labor"] = Decimal(-2)
    assert totals_of(raw, further_receipts=True)["received_labor"] == Decimal(5)


def test_blank_is_blank_however_it_is_written() -> None:
    held = {
        "Email": None,
        "ClientTypeKey": 3,
        "Rate": Decimal("1.50"),
        "ProjectManager": {"EmployeeKey": 4, "LastName": "x"},
    }
    same = {
        "Email": "",
        "Website": "",
        "ClientTypeKey": 3,
        "Rate": Decimal("1.5"),
        "ProjectManager": {"EmployeeKey": 4},
    }
    assert differs(held, same) == {}
    assert differs(held, {"ClientTypeKey": None, "Flag": False}) == {"ClientTypeKey": None, "Flag": False}


def test_an_edit_of_contacts_needs_keys_of_ajera() -> None:
    for bad in (Ref(Kind.CONTACT, Side.CRM, "5"), Ref(Kind.CONTACT, Side.AJERA, "abc")):
        with pytest.raises(RecordRefused):
            edited_contacts({}, EntryEdit((bad,)))


def test_a_code_prefers_the_active_row_of_its_name() -> None:
    from core.ajera.wire import ReferenceRow

    rows = [ReferenceRow(key=1, name="Civic", Status="Inactive"), ReferenceRow(key=2, name="civic ")]
    writer = Writer(DEFAULT_FIELDS, {"ProjectTypeKey": rows})
    assert writer.properties(Kind.PROJECT, {"type": "CIVIC"}, {}) == {"ProjectTypeKey": 2}
    assert writer.properties(Kind.PROJECT, {"type": ""}, {}) == {"ProjectTypeKey": None}


def test_searches_compare_exactly_whatever_the_filter_answers() -> None:
    draft = Draft(Kind.PROJECT, Side.AJERA, "x", {"name": "Town Hall"}, number="26-001")
    (_, by_name), (filters, by_number) = searches(draft)
    assert filters == {"FilterByIDLike": "26-001"}
    assert by_name({"Description": " town hall"})
    assert not by_name({"Description": "Town Hall Annex"})
    assert not by_number({"ID": "26-0011"})
    ((_, by_person),) = searches(
        replace(draft, kind=Kind.CONTACT, fields={"first_name": "Mia", "middle_name": "", "last_name": "Stone"})
    )
    assert by_person({"FirstName": "MIA", "LastName": "stone"})
    assert not by_person({"FirstName": "Mia", "MiddleName": "B", "LastName": "Stone"})
