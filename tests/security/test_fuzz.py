"""Everything that reads what others wrote: whatever comes, only the declared exceptions leave, and soon.

Replies of both systems, settings, filters, plans, lists of links, log lines, stored documents.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.ajera.client import read_envelope, rows_of
from core.ajera.hours import booked
from core.ajera.mapping import Reader, harmless_employee, key_of
from core.ajera.wire import SessionContent, read_amount, read_day, read_key, read_stamp, read_text, validated
from core.cli.runs import stored_plan
from core.crm.catalogue import catalogue_of
from core.crm.mapping import Mapper, date_of, number_of
from core.crm.query import moment_of
from core.crm.replies import failure_of
from core.crm.replies import rows_of as crm_rows
from core.crm.session import Login, Session
from core.crm.wire import code_rows, columns_named, metadata_tables, problems_of
from core.engine.pairs import read_pairs
from core.errors import SettingsError, SystemFailure, UsageError
from core.filtering import parse_query
from core.http import Reply
from core.model.plan import plan_from_json
from core.model.values import Kind, from_json
from core.paths import Paths
from core.policy import DEFAULT_FIELDS
from core.quirks.ajera import AjeraQuirks
from core.quirks.crm import CrmQuirks
from core.settings import load_settings
from core.store import RunLog, bodies, codec_link, codec_record, codec_run
from core.store.memory import UNREADABLE
from core.text import csv_cell, fold, safe_line

few = settings(max_examples=25, deadline=5000, suppress_health_check=list(HealthCheck), derandomize=True)
quick = settings(max_examples=120, deadline=2000, suppress_health_check=list(HealthCheck), derandomize=True)

NUMBERS = ("0", "-1", "1e400", "1e-400", "1e999999999", "NaN", "sNaN", "Infinity", "9" * 40, "1.5", "007", "1e99999999999999999999", "٣")  # fmt: skip
DATES = ("0001-01-01", "9999-12-31", "2026-02-30", "2026-13-01", "99/99/9999", "2023-09-27 09:57:49.607 GMT-04:00 (E)",
         "2023-09-27 09:57:49 GMT-99:99", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999-23:59", "٢٠٢٦-٠١-٠١")  # fmt: skip
odd_text = st.one_of(
    st.text(max_size=30), st.sampled_from((*NUMBERS, *DATES, "\ud800", "\x00", "x" * 20_000, "Y", "1", ""))
)
scalar = st.one_of(
    st.none(), st.booleans(), st.integers(), st.sampled_from((10**30, -(10**18), 2**63)), odd_text,
    st.sampled_from([Decimal(text) for text in ("0", "1.50", "1E+300", "-1E-300", "12345678901234567890.5")]),
)  # fmt: skip
value = st.recursive(
    scalar,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(("Value", "ClientKey", "Contacts", "Detail", "message")), inner, max_size=3),
    ),
    max_leaves=8,
)


def records(names: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.sampled_from(names), value, max_size=12)


def _well_told(error: Exception) -> None:
    """A message of an exception that a reply or a file brought about: short, and nothing in it acts."""
    assert len(str(error)) < 4000
    assert safe_line(str(error), None) == str(error)


# -- Ajera -------------------------------------------------------------------------------------------

AJERA = Reader(DEFAULT_FIELDS, AjeraQuirks(), date(2026, 1, 1))
AJERA_NAMES = sorted(
    {spec.ajera for specs in DEFAULT_FIELDS.values() for spec in specs if spec.ajera}
    | {"ClientKey", "ContactKey", "EmployeeKey", "ProjectKey", "LastModifiedDate", "Description", "FirstName", "LastName", "Contacts", "Phases", "InvoiceGroups", "Status", "DateTerminated", "DateRehired", "ContactClientKey", "ProjectManager", "SyncToCRM", "CF_Size", "CustomFields", "TotalContractAmount", "LaborContractAmount", "BillingType", "PrimaryAddressLineOne", "PrimaryAddressCity", "AccountID", "ID"}
)  # fmt: skip


@quick
@given(st.sampled_from([Kind.FIRM, Kind.CONTACT, Kind.EMPLOYEE, Kind.PROJECT]), records(AJERA_NAMES))
def test_a_record_of_ajera_is_read_or_refused(kind: Kind, raw: dict[str, Any]) -> None:
    with suppress(ValueError):
        key_of(kind, raw)
    try:
        AJERA.record(kind, harmless_employee(raw) if kind is Kind.EMPLOYEE else raw)
    except SystemFailure as refused:
        _well_told(refused)


@quick
@given(
    value,
    st.booleans(),
    records(["ResponseCode", "Message", "Errors", "Content", "UsageKey", "ErrorID", "ErrorMessage"]),
)
def test_an_envelope_is_read_or_refused(other: Any, reading: bool, document: dict[str, Any]) -> None:
    for data in (other, document, [document], {**document, "ResponseCode": 200}):
        try:
            content = read_envelope(data, "GetClients", reading)
            rows_of(content, "Clients", "GetClients")
            validated(SessionContent, content, "CreateAPISession")
        except SystemFailure as refused:
            _well_told(refused)


@quick
@given(
    st.sampled_from(("2026-03-02", "9999-12-31", "0002-01-01", "9999-12-28")),
    records(["TimesheetKey", "TimesheetDate", "EmployeeKey", "Project"]),
    records(["Project Key", "Employee Type Key", "D1 Regular", "D7 Overtime"]),
    st.booleans(),
)
def test_a_timesheet_is_read_or_refused(day: str, sheet: dict[str, Any], row: dict[str, Any], ends: bool) -> None:
    for raw in (
        sheet,
        {**sheet, "TimesheetKey": 1, "EmployeeKey": 2, "TimesheetDate": day, "Project": {"Detail": [row]}},
    ):
        with suppress(SystemFailure):
            list(booked(raw, ends))


@quick
@given(value, odd_text)
def test_single_values_are_read_or_refused(data: Any, text: str) -> None:
    read_stamp(text)
    read_day(data)
    amount = read_amount(data)
    assert amount is None or len(f"{amount:f}") < 1000
    for read in (read_text, read_key):
        with suppress(ValueError):
            read(data)


@quick
@given(
    st.binary(max_size=200),
    st.sampled_from(
        [b"", b"[" * 5000, b'{"a":' * 5000, b'{"Value":' * 900 + b"1" + b"}" * 900, b"[1e99999999999999]", b"9" * 6000]
    ),
)
def test_a_body_is_json_or_a_bad_reply(body: bytes, start: bytes) -> None:
    for each in (body, start, start + body):
        reply = Reply(200, {}, each, name="GetClients")
        for exact in (True, False):
            try:
                data = reply.json(exact=exact)
                read_envelope(data, "GetClients", True)
                problems_of(data)
                if isinstance(data, dict):
                    AJERA.record(Kind.FIRM, {"ClientKey": 1, "Description": data})
            except SystemFailure as refused:
                _well_told(refused)


# -- the CRM -----------------------------------------------------------------------------------------

CRM_NAMES = sorted(
    {spec.crm for specs in DEFAULT_FIELDS.values() for spec in specs if spec.crm}
    | {"ClientID", "ContactID", "WBS1", "WBS2", "WBS3", "Name", "LongName", "ModDate", "ModUser", "FirstName", "LastName", "Status", "ClientInd", "Employee", "PrimaryInd", "Owner", "AjeraSync", "Stage"}
)  # fmt: skip
FIELDS = {name: {"FieldName": name, "FieldType": "string", "Caption": name} for name in CRM_NAMES}
METADATA = {kind: metadata_tables({table: {"Fields": FIELDS} for table in tables}) for kind, tables in {
    Kind.FIRM: ("CL", "CLAddress"), Kind.CONTACT: ("Contacts",), Kind.PROJECT: ("PR",), Kind.EMPLOYEE: ("EM",)
}.items()}  # fmt: skip
MAPPER = Mapper(catalogue_of(METADATA, {}, {}), DEFAULT_FIELDS, CrmQuirks())


@quick
@given(st.sampled_from(list(Kind)), records(CRM_NAMES))
def test_a_row_of_the_crm_is_read(kind: Kind, row: dict[str, Any]) -> None:
    with suppress(SystemFailure):
        MAPPER.record(kind, row)


@quick
@given(
    value,
    records(
        ["FieldName", "FieldType", "Caption", "MaxLength", "CodeTable", "Updateable", "Fields", "TableName", "Code"]
    ),
)
def test_metadata_and_codes_are_read_or_refused(other: Any, table: dict[str, Any]) -> None:
    for document in (other, {"PR": table}, [{"PR": {"Fields": [table, other]}}], {"PR": {"Fields": {"A": table}}}):
        with suppress(ValueError):
            catalogue_of({kind: metadata_tables(document) for kind in Kind}, {}, {})
        code_rows(document)
        code_rows([table, other])


@quick
@given(
    st.sampled_from([200, 400, 401, 403, 404, 500, 503]),
    value,
    records(
        ["message", "error", "error_description", "ExceptionMessage", "access_token", "expires_in", "refresh_token"]
    ),
    st.booleans(),
)
def test_an_answer_of_the_crm_is_read_or_refused(
    status: int, other: Any, document: dict[str, Any], reading: bool
) -> None:
    for data in (other, document, [document]):
        body = json.dumps(data, default=str).encode()
        reply = Reply(status, {}, body, name="list firm")
        try:
            columns_named(problems_of(data))
            failure_of(reply, "list firm", reading=reading)
            crm_rows(reply)
        except SystemFailure as refused:
            _well_told(refused)
        session = Session(_Silent(), Login("d", "u", "p", "c", "s"))  # type: ignore[arg-type]
        with suppress(SystemFailure):
            session._taken(reply)


class _Silent:
    def add_secret(self, secret: str) -> None:
        assert isinstance(secret, str)


@quick
@given(value)
def test_single_values_of_the_crm_are_read(data: Any) -> None:
    number, _ = number_of(data), date_of(data)
    assert not isinstance(number, Decimal) or len(f"{number:f}") < 1000
    moment_of(data if isinstance(data, str) else "")


@pytest.mark.parametrize(
    "document",
    [{"message": "x" * 200_000}, {"message": "<br/>" * 50_000}, "value of " * 20_000, "Please provide a " * 10_000],
)
def test_long_error_sentences_take_no_long_time(document: Any) -> None:
    from time import perf_counter

    started = perf_counter()
    columns_named(problems_of(document))
    assert perf_counter() - started < 2


def test_deep_answers_are_refused_and_not_followed() -> None:
    deep: Any = "x"
    for _ in range(20_000):
        deep = [deep]
    assert problems_of(deep) == ()
    with pytest.raises(ValueError, match="text"):
        read_text({"Value": {"Value": deep}})


# -- files and what is typed -------------------------------------------------------------------------


@few
@given(
    st.one_of(st.text(max_size=200), records(["ajera", "crm", "sync", "schedule", "notify", "ui"])),
    records(
        ["url", "password", "quirks", "fields", "conflicts", "guards", "cron", "timezone", "rate", "webhook", "email"]
    ),
)
def test_settings_are_read_or_every_mistake_is_told(raw: Any, section: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.toml"
        text = raw if isinstance(raw, str) else _toml({**raw, "ajera": section, "sync": section, "schedule": section})
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        with pytest.raises(SettingsError) as told:
            load_settings(Paths("p", path, Path(folder)))
        assert told.value.problems


def _toml(document: dict[str, Any]) -> str:
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        return tomlkit.dumps(
            json.loads(
                json.dumps(document, default=str), object_hook=lambda d: {k: v for k, v in d.items() if v is not None}
            )
        )
    except (TOMLKitError, ValueError, TypeError):
        return json.dumps(document, default=str)


@quick
@given(st.text(alphabet=st.sampled_from(list('ab:=!-"\\ \t\x00\x1bé\u202e_1')), max_size=40), st.text(max_size=30))
def test_a_filter_is_a_query_or_an_error_in_words(typed: str, other: str) -> None:
    for text in (typed, other):
        query = parse_query(text, ["state", "owner"])
        assert safe_line(query.error, None) == query.error
        assert query.select(range(1), [fold(text)], [text], {"state": str, "owner": str}) in ([], [0])


def test_a_long_filter_takes_no_long_time() -> None:
    from time import perf_counter

    started = perf_counter()
    for text in ('"' * 20_000, "!" * 20_000, "a:" * 10_000, "-" * 20_000, "a" * 100_000, "a:=" * 9_000):
        parse_query(text, ["a"])
    assert perf_counter() - started < 3


@few
@given(st.lists(st.lists(odd_text, max_size=4), max_size=4), st.binary(max_size=80))
def test_a_list_of_links_is_read_or_each_line_is_told(rows: list[list[str]], other: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "links.csv"
        text = "\r\n".join(",".join(csv_cell(cell) for cell in row) for row in rows)
        for content in (text.encode("utf-8", "replace"), other, b"firm,1,2\n" + other):
            path.write_bytes(content)
            with suppress(UsageError):
                for kind, ajera, crm in read_pairs(path):
                    assert kind in set(Kind)
                    assert ajera
                    assert crm


@few
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=60),
            records(["ts", "level", "text", "event"]).map(lambda d: json.dumps(d, default=str).encode()),
        )
    ),
    value,
)
def test_log_lines_are_read_or_passed_over(lines: list[bytes], event: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        log = RunLog(Path(folder))
        (Path(folder) / "run.log").write_bytes(b'{"log":"a"}\n' + b"\n".join(lines) + b"\n")
        (Path(folder) / "run.log").chmod(0o600)
        log.append({"event": event, "text": event, **({"more": event} if event else {})})
        for level in (None, "error"):
            assert all(isinstance(each, dict) for each in log.tail(50, level, "x"))
        log.poll(log.end())
        log._leave()


READERS: list[Callable[[str, bytes], Any]] = [
    codec_link.read_link, codec_link.read_base, codec_link.read_mark, codec_link.read_decision, codec_run.read_cursor,
    codec_run.read_failure, codec_run.read_intent, codec_run.read_item, codec_run.read_run, codec_run.read_history,
    codec_run.read_setting, codec_run.read_plan, codec_record.record_reader(Kind.FIRM, "ajera"),  # type: ignore[arg-type]
]  # fmt: skip


@quick
@given(
    st.sampled_from(READERS),
    st.binary(max_size=60),
    records(["name", "fields", "kind", "side", "stored", "action", "contacts", "team", "state", "id"]),
)
def test_stored_documents_are_read_or_known_as_damaged(
    read: Callable[[str, bytes], Any], body: bytes, document: dict[str, Any]
) -> None:
    """What the store takes for damage and turns into StoreDamaged (core/store/memory.py)."""
    for each in (body, json.dumps(document, default=str).encode()):
        with suppress(*UNREADABLE):
            read("id", each)


@quick
@given(odd_text)
def test_ids_come_back_from_the_store(text: str) -> None:
    assert bodies.id_out(bodies.id_in(text)) == text


@quick
@given(
    st.dictionaries(st.sampled_from(["decimal", "date", "address", "ref", "entries", "team", "x"]), value, max_size=2)
)
def test_stored_values_are_read_or_refused(data: Any) -> None:
    with suppress(*UNREADABLE):
        from_json(data)


# -- plans -------------------------------------------------------------------------------------------


class _NoStore:
    def stored_plan(self, digest: str) -> Any:
        raise UsageError(f"no stored plan has the digest {digest!r}")


def good_plan() -> dict[str, Any]:
    from core.model.plan import Action, Change, Direction, Mode, Op, make_plan, plan_json
    from core.model.values import Side

    action = Action(op=Op.UPDATE, kind=Kind.FIRM, side=Side.AJERA, ajera_key="1", crm_key="A", label="Acme",
                    fields={"name": Change("a", "b", "shared")})  # fmt: skip
    return plan_json(make_plan(Mode(Direction.TWO_WAY, "9.10.00", "x"), "2026-01-01T00:00:00Z", [action]))


@few
@given(st.data())
def test_a_plan_that_was_tampered_with_is_refused(data: st.DataObject) -> None:
    plan = json.loads(json.dumps(good_plan()))
    here: Any = plan
    for _ in range(data.draw(st.integers(1, 6))):
        if not isinstance(here, dict | list) or not here:
            break
        names = list(here) if isinstance(here, dict) else list(range(len(here)))
        name = data.draw(st.sampled_from(names))
        if isinstance(here[name], dict | list) and here[name] and data.draw(st.booleans()):
            here = here[name]
            continue
        here[name] = json.loads(json.dumps(data.draw(value), default=str))
        break
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plan.json"
        path.write_text(json.dumps(plan))
        try:
            read = stored_plan(_NoStore(), str(path))  # type: ignore[arg-type]
        except UsageError as refused:
            _well_told(refused)
        else:
            assert read.digest == good_plan()["digest"]  # what is written was not touched


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "3", '"x"', "[" * 100_000, '{"a":' * 100_000, "\ud800", '{"actions": []}']
)
def test_what_is_no_plan_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "plan.json"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(UsageError, match="is not a plan"):
        stored_plan(_NoStore(), str(path))  # type: ignore[arg-type]


def test_a_changed_action_under_the_old_digest_is_refused(tmp_path: Path) -> None:
    plan = good_plan()
    plan["actions"][0]["stored"]["fields"]["name"][1] = "tampered"
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(plan))
    with pytest.raises(UsageError, match="is not a plan"):
        stored_plan(_NoStore(), str(path))  # type: ignore[arg-type]
    assert plan_from_json(good_plan()).actions[0].fields["name"].to == "b"
