"""What the CRM may send, read as the contract says it may look."""

from __future__ import annotations

import pytest

from core.crm.replies import failure_of, rows_of
from core.crm.wire import CodeRow, TokenReply, code_rows, columns_named, flag_of, metadata_tables, problems_of
from core.errors import AccessRefused, AlreadyThere, BadReply, LoginRefused, RecordMissing, RecordRefused
from core.http import Reply


def reply(status: int, body: bytes) -> Reply:
    return Reply(status, {"content-type": "application/json"}, body, name="list firm")


@pytest.mark.parametrize("value", ["Y", "y", "Yes", "true", "TRUE", True, 1, "1", "-1"])
def test_flags_that_are_on(value: object) -> None:
    assert flag_of(value)


@pytest.mark.parametrize("value", ["N", "", None, False, 0, "no", "false", " "])
def test_flags_that_are_off(value: object) -> None:
    assert not flag_of(value)


def test_token_names_in_any_case_and_the_life_as_text() -> None:
    pair = TokenReply.model_validate({"Access_Token": "a", "REFRESH_TOKEN": None, "expires_in": "1799", "x": 1})
    assert (pair.accesstoken, pair.refreshtoken, pair.expiresin) == ("a", "", 1799)


def test_metadata_with_nulls_texts_and_other_names() -> None:
    table = {
        "TableName": "Clendor",
        "Fields": [
            {"FieldName": "Name", "MaxLength": "100", "Updateable": "Y", "Caption": None, "CodeTable": None},
            {"fieldname": "QBOID", "maxlength": None, "updateable": False},
            {"Caption": "no name"},
            "rubbish",
        ],
    }
    tables = metadata_tables([{"Firm": table, "Version": 3}])
    assert tables["clendor"] == tables["firm"]
    assert (tables["firm"]["name"].maxlength, tables["firm"]["name"].updateable) == (100, True)
    assert (tables["firm"]["qboid"].maxlength, tables["firm"]["qboid"].updateable) == (0, False)
    assert set(tables["firm"]) == {"name", "qboid"}
    with pytest.raises(ValueError, match="not an object"):
        metadata_tables("<html>")


def test_code_rows_without_a_code_are_left_out() -> None:
    rows = code_rows([{"Code": 1, "Description": None}, {"Code": ""}, None, {"Description": "x"}])
    assert rows == (CodeRow(code="1"),)


def test_sentences_are_split_and_each_told_once() -> None:
    body = {"MESSAGE": "Please provide a Last for table Contacts<BR/>Field X does not exist<br>Field X does not exist"}
    assert problems_of(body) == ("Please provide a Last for table Contacts", "Field X does not exist")
    assert problems_of([{"message": "a", "Detail": "b"}]) == ("a", "b")
    assert problems_of({"error": "invalid_grant", "error_description": "No."}) == ("No.", "invalid_grant")
    assert problems_of(None) == ()
    assert problems_of({"Message": "\x1b[2Jgone"}) == ("␛[2Jgone",)


@pytest.mark.parametrize(
    ("sentence", "column"),
    [
        ("Field EMial does not exist", "EMial"),
        ("Column:BillingAddress does not exist", "BillingAddress"),
        ("Cannot insert NULL into AvailableForCRM", "AvailableForCRM"),
        ("String or binary data would be truncated in table 'T.dbo.CL', column 'Zip'.", "Zip"),
    ],
)
def test_columns_that_sentences_name(sentence: str, column: str) -> None:
    assert columns_named([sentence, sentence]) == (column,)


def test_rows_are_arrays_objects_or_nothing() -> None:
    assert rows_of(reply(200, b'[{"Fee": 0.10}]'))[0]["Fee"].as_tuple().exponent == -2
    assert rows_of(reply(200, b'{"a": 1}')) == [{"a": 1}]
    assert rows_of(reply(200, b" ")) == []
    for body in (b"[1]", b'"x"', b"<html>"):
        with pytest.raises(BadReply):
            rows_of(reply(200, body))


@pytest.mark.parametrize(
    ("status", "body", "reading", "error"),
    [
        (401, b'{"Message":"Session is invalid or timed out"}', True, LoginRefused),
        (403, b"", False, AccessRefused),
        (404, b"<html>", True, RecordMissing),
        (400, b'{"Message":"bad filter"}', True, BadReply),
        (409, b'{"Message":"Firm Number already exists: 7"}', False, AlreadyThere),
        (400, b'{"Message":"Record X does not exist."}', False, RecordMissing),
        (400, b'{"Message":"Country Code USA does not exist."}', False, RecordRefused),
    ],
)
def test_failures_mean_one_thing_each(status: int, body: bytes, reading: bool, error: type[Exception]) -> None:
    assert type(failure_of(reply(status, body), "x", reading=reading)) is error


def test_a_good_answer_is_no_failure() -> None:
    assert failure_of(reply(201, b""), "x", reading=False) is None
