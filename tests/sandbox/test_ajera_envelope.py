"""Address, session, envelope, paging, rate, faults: everything around the methods."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import httpx
import orjson
import pytest

from core.quirks.ajera import AjeraQuirks
from core.sandbox.ajera.app import ajera_app, url_path
from core.sandbox.ajera.call import Method
from core.sandbox.ajera.methods import METHODS
from core.sandbox.ajera.throttle import Throttle
from tests.sandbox.ajera_books import Clock, books, listening, running


async def test_a_session_tells_all_that_live_clients_saw() -> None:
    async with running() as ajera:
        reply = await ajera.login()
        assert (reply["ResponseCode"], reply["Message"], reply["Errors"]) == (200, "Success", [])
        content = reply["Content"]
        assert content["SessionExpiration"] == "2026-03-02T10:20:00.0000000-05:00"
        assert content["AjeraVersion"] == "9.10.00"
        assert content["Timesheets"]["TimeStartOfWeek"] == "Monday"
        assert "EmployeeKey" not in content


async def test_a_user_with_an_employee_sees_only_permitted_methods() -> None:
    data = books()
    data.insert("users", {"Username": "ro", "Password": "pw", "EmployeeKey": 1, "Methods": ["ListClients"]})
    async with running(data) as ajera:
        reply = await ajera.login(Username="ro", Password="pw")
        assert reply["Content"]["EmployeeName"] == "Ana Ruiz"
        assert (await ajera.content("ListClients"))["Clients"]
        assert await ajera.refusal("GetClients", {"RequestedClients": [1]}) == "Unauthorized method: GetClients"


@pytest.mark.parametrize("wrong", [{"Username": "x"}, {"Password": "x"}, {"Password": None}])
async def test_bad_credentials(wrong: dict[str, Any]) -> None:
    async with running() as ajera:
        reply = await ajera.login(**wrong)
        assert reply["ResponseCode"] == -150
        assert reply["Message"] == "Unable to authenticate user"
        assert reply["Content"] == {}


async def test_a_version_other_than_1_or_2_is_refused() -> None:
    async with running() as ajera:
        assert (await ajera.login(APIVersion=3))["ResponseCode"] == -100


@pytest.mark.parametrize(
    "query",
    [
        "",
        "id=XXXX",
        "%%%",
        base64.b64encode(json.dumps({"ClientID": 1, "DatabaseID": 7, "IsSampleData": True}).encode()).decode(),
        base64.b64encode(b"not json").decode(),
    ],
)
async def test_a_wrong_address_is_refused_inside_the_envelope(query: str) -> None:
    async with running() as ajera:
        reply = await ajera.http.post(f"/AjeraAPI.ashx?{query}", json={"Method": "CreateAPISession"})
        assert reply.status_code == 200
        assert reply.json()["ResponseCode"] == -150


async def test_the_address_has_the_hosted_form_and_both_paths_answer() -> None:
    data = books()
    path = url_path(data)
    assert path.startswith("/V0040123/AjeraAPI.ashx?")
    assert path.endswith("%3d")
    async with running(data) as ajera:
        ajera.path = path[len("/V0040123") :]
        assert (await ajera.login())["ResponseCode"] == 200


async def test_sessions_are_bound_to_a_version_and_independent() -> None:
    async with running() as ajera:
        await ajera.login(1)
        first = ajera.tokens[1]
        await ajera.login(1)
        assert first != ajera.tokens[1]
        ajera.tokens[1] = first
        assert await ajera.content("ListClients")
        text = await ajera.refusal("CreateProjects", {})
        assert text == "Unauthorized method CreateProjects for api version 1 but is supported with api version 2"
        text = await ajera.refusal("ListClients", {}, 2)
        assert text.endswith("but is supported with api version 1")


async def test_v1_methods_on_a_v2_session_by_quirk() -> None:
    async with running(v1_on_v2="accept") as ajera:
        assert await ajera.content("ListClients", {}, 2)


async def test_a_session_slides_and_ends() -> None:
    clock = Clock()
    async with running(books(clock)) as ajera:
        await ajera.content("ListClients")
        clock.advance(minutes=19)
        await ajera.content("ListClients")
        clock.advance(minutes=19)
        await ajera.content("ListClients")
        clock.advance(minutes=20)
        assert await ajera.refusal("ListClients") == "Invalid Session"


async def test_a_restart_of_the_service_ends_all_sessions() -> None:
    async with running() as ajera:
        await ajera.content("ListClients")
        ajera.server.sessions.kill()
        assert await ajera.refusal("ListClients") == "Invalid Session"


async def test_the_delay_is_added_to_every_reply() -> None:
    data = books()
    app = ajera_app(data, rate=0, delay_ms=30)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://ajera.test") as http:
        start = time.monotonic()
        await http.post(url_path(data), json={"Method": "CreateAPISession"})
        assert time.monotonic() - start >= 0.03


async def test_a_bug_of_the_sandbox_is_told_without_record_data(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_call: Any) -> Any:
        raise KeyError("SECRET-NAME")

    monkeypatch.setitem(METHODS, "ListClients", Method(broken))
    async with running() as ajera:
        reply = await ajera.call("ListClients")
        assert (reply["ResponseCode"], reply["Message"]) == (-100, "An error has occurred.")
    assert "KeyError at broken" in caplog.text
    assert "SECRET-NAME" not in caplog.text


async def test_a_session_that_does_not_slide() -> None:
    clock = Clock()
    async with running(books(clock), session_sliding="no", invalid_session_text="The session is over") as ajera:
        await ajera.content("ListClients")
        clock.advance(minutes=19)
        await ajera.content("ListClients")
        clock.advance(minutes=2)
        assert await ajera.refusal("ListClients") == "The session is over"


async def test_end_of_a_session() -> None:
    async with running() as ajera:
        await ajera.login()
        ended = (await ajera.post({"Method": "EndAPISession", "SessionToken": ajera.tokens[1]})).json()
        assert (ended["ResponseCode"], ended["Content"]) == (200, {})
        assert await ajera.refusal("ListClients") == "Invalid Session"


async def test_unquoted_names_are_read_and_strings_stay_whole() -> None:
    async with running() as ajera:
        await ajera.login()
        arguments = '{FilterByNameLike: "{a: \\"b\\", c: 1}"}'
        body = f'{{Method: "ListClients", SessionToken: "{ajera.tokens[1]}", MethodArguments: {arguments}}}'
        assert (await ajera.post(body.encode())).json()["Content"] == {"Clients": []}


async def test_strict_json_by_quirk() -> None:
    async with running(lenient_json="no") as ajera:
        assert (await ajera.post(b'{Method: "ListClients"}')).json()["ResponseCode"] == -100


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"Method": 5}', b"\xff\xfe"])
async def test_nonsense_gets_an_envelope(body: bytes) -> None:
    async with running() as ajera:
        reply = await ajera.post(body)
        assert (reply.status_code, reply.json()["ResponseCode"]) == (200, -100)


async def test_method_arguments_must_be_there() -> None:
    async with running() as ajera:
        await ajera.login()
        body = {"Method": "ListClients", "SessionToken": ajera.tokens[1]}
        assert (await ajera.post(body)).json()["ResponseCode"] == -100
    async with running(method_arguments="optional") as ajera:
        await ajera.login()
        body = {"Method": "ListClients", "SessionToken": ajera.tokens[1]}
        assert (await ajera.post(body)).json()["ResponseCode"] == 200


async def test_unknown_methods() -> None:
    async with running() as ajera:
        assert await ajera.refusal("GetEmployee", {}) == "Unauthorized method: GetEmployee"
    async with running(unknown_method="empty") as ajera:
        assert await ajera.content("GetEmployee") == {}


async def test_success_code_zero_for_all_but_the_session() -> None:
    async with running(success_code="0") as ajera:
        assert (await ajera.login())["ResponseCode"] == 200
        assert (await ajera.call("ListClients"))["ResponseCode"] == 0


async def test_error_forms_by_quirk() -> None:
    async with running(generic_first_error="yes") as ajera:
        reply = await ajera.call("Nope")
        assert [e["ErrorMessage"] for e in reply["Errors"]] == ["An error has occurred.", "Unauthorized method: Nope"]
    async with running(zero_error_item="yes") as ajera:
        assert (await ajera.call("ListClients"))["Errors"][0]["ErrorID"] == 0


async def test_paging_properties_are_siblings_of_the_method() -> None:
    async with running() as ajera:
        reply = await ajera.call("ListClients", {}, PageResults=True, PageNumber=2, PageSize=2)
        assert [c["ClientKey"] for c in reply["Content"]["Clients"]] == [3]
        assert (reply["PageNumber"], reply["PageSize"], reply["PageCount"]) == (2, 2, 2)
        inside = await ajera.call("ListClients", {"PageResults": True, "PageSize": 1})
        assert len(inside["Content"]["Clients"]) == 3
        assert "PageCount" not in inside


def test_the_throttle_spaces_calls() -> None:
    now = [0.0]
    throttle = Throttle(2, lambda: now[0])
    assert [throttle.take() for _ in range(5)] == [0, 0, 1, 1, 2]
    now[0] = 10
    assert throttle.take() == 0
    assert Throttle(0).take() == 0


@pytest.mark.parametrize(("mode", "status", "code"), [("429", 429, None), ("error", 200, -100)])
async def test_over_the_rate(mode: str, status: int, code: int | None) -> None:
    async with running(rate=1, throttle=mode) as ajera:
        await ajera.login()
        reply = await ajera.post({"Method": "ListClients"})
        assert reply.status_code == status
        assert code is None or reply.json()["ResponseCode"] == code


class Faults:
    """Loses the answer of one call, or stops it before it runs."""

    def __init__(self) -> None:
        self.before_reply: dict[str, Any] | None = None
        self.lose = ""
        self.seen: list[tuple[int, str]] = []

    async def before(self, call_no: int, method: str, args: Any) -> Any:
        self.seen.append((call_no, method))
        return self.before_reply

    async def after(self, call_no: int, method: str, args: Any, response: Any) -> Any:
        if method == self.lose:
            raise ConnectionResetError


async def test_faults_before_and_after_a_call() -> None:
    faults = Faults()
    async with running(faults=faults) as ajera:
        await ajera.login()
        faults.lose = "UpdateContacts"
        new = {"ContactKey": -1, "FirstName": "Lost", "LastName": "Answer"}
        args = {"UpdatedContacts": [new], "UnchangedContacts": []}
        with pytest.raises(ConnectionResetError):
            await ajera.call("UpdateContacts", args)
        assert len(ajera.data.tables["contacts"]) == 4, "it was done, only the answer was lost"
        faults.before_reply = {"ResponseCode": -1, "Message": "stopped", "Errors": [], "Content": {}}
        assert (await ajera.call("UpdateContacts", args))["Message"] == "stopped"
        assert faults.seen == [(1, "CreateAPISession"), (2, "UpdateContacts"), (3, "UpdateContacts")]


async def test_a_raising_fault_breaks_the_connection_on_a_real_socket() -> None:
    faults = Faults()
    faults.lose = "CreateAPISession"
    data = books()
    async with listening(ajera_app(data, faults=faults)) as root, httpx.AsyncClient() as http:
        with pytest.raises(httpx.RemoteProtocolError):
            await http.post(root + url_path(data), json={"Method": "CreateAPISession"})


async def test_the_ledger_holds_before_and_after_of_every_write() -> None:
    async with running() as ajera:
        before = await ajera.one("Clients", 2)
        await ajera.update("Clients", {**before, "Notes": "new"}, before)
        read, write = ajera.server.ledger
        assert (read.method, read.writes, read.changes) == ("GetClients", False, ())
        change = write.changes[0]
        assert (change.table, change.key) == ("clients", 2)
        assert change.before is not None
        assert change.after is not None
        assert (change.before["Notes"], change.after["Notes"]) == ("", "new")
        assert (write.user, write.code, write.args["UpdatedClients"]) == ("api.user", 200, "1 entries")


async def test_a_refused_write_leaves_a_line_without_changes() -> None:
    async with running() as ajera:
        before = await ajera.one("Clients", 2)
        await ajera.update("Clients", before, before)
        assert (ajera.server.ledger[-1].code, ajera.server.ledger[-1].changes) == (-100, ())


async def test_every_method_of_the_permission_list_is_known() -> None:
    names = [
        "ListAccountGroups",
        "ListActivities",
        "ListAttachmentCategories",
        "ListBankAccounts",
        "ListChargeablePhases",
        "ListClients",
        "GetClients",
        "UpdateClients",
        "ListClientTypes",
        "ListCompanies",
        "ListContacts",
        "GetContacts",
        "UpdateContacts",
        "ListContactTypes",
        "ListDeductions",
        "ListDepartments",
        "ListEmployeeTypes",
        "ListEmployees",
        "GetEmployees",
        "UpdateEmployees",
        "ListExpenseReports",
        "GetExpenseReports",
        "DownloadExpenseReports",
        "UpdateExpenseReports",
        "UploadExpenseReports",
        "ListFringes",
        "ListGLAccounts",
        "GetGLAccounts",
        "ListInvoiceFormats",
        "ListMarketingFinalDispositions",
        "ListMarketingStages",
        "ListOverheadGroups",
        "ListPayrollTaxes",
        "ListPays",
        "ListProjectTemplates",
        "GetProjectTemplates",
        "GetProjectTotals",
        "ListProjectTypes",
        "ListProjects",
        "GetProjects",
        "CreateProjects",
        "UpdateProjects",
        "GetProjectsWithResources",
        "UpdateProjectsWithResources",
        "ListRateTables",
        "ListTimesheets",
        "GetTimesheets",
        "ListTimesheetNonWorkDays",
        "CreateTimesheet",
        "UpdateTimesheets",
        "SubmitTimesheets",
        "EndTimesheetSessions",
        "ListVendorInvoices",
        "GetVendorInvoices",
        "DownloadVendorInvoices",
        "CreateVendorInvoices",
        "UpdateVendorInvoices",
        "DeleteVendorInvoices",
        "UploadVendorInvoices",
        "ListVendorTypes",
        "ListVendors",
        "GetVendors",
        "UpdateVendors",
        "ListWageTables",
    ]
    assert set(names) == set(METHODS)


async def test_every_list_answers_rows_and_hostile_arguments_get_a_refusal() -> None:
    nasty: list[Any] = ["x" * 10_000, {"a": [1]}, [{}], -1, 1e300, True, ["\u202e<b>"]]
    async with running() as ajera:
        for name, method in METHODS.items():
            version = min(method.versions)
            if name.startswith("List"):
                args = {"ProjectKey": 1} if name == "ListChargeablePhases" else {}
                content = await ajera.content(name, args, version)
                assert next(iter(content.values())), name
            for value in nasty:
                keys = ("FilterByStatus", "FilterByEarliestModifiedDate", f"Requested{name[3:]}", f"Updated{name[6:]}")
                reply = await ajera.call(
                    name, dict.fromkeys(keys, value) | {"Project": value, "Phases": value}, version
                )
                assert isinstance(reply["ResponseCode"], int)
                assert reply["Message"] != "An error has occurred.", (name, value)


async def test_100_000_records_answer_fast() -> None:
    data = books()
    for n in range(50_000):
        data.insert("clients", {"Description": f"Client {n}"})
    async with running(data) as ajera:
        await ajera.login()
        body = {
            "Method": "ListClients",
            "SessionToken": ajera.tokens[1],
            "MethodArguments": {"FilterByStatus": ["Active"]},
        }
        start = time.process_time()
        reply = await ajera.post(body)
        spent = time.process_time() - start
        assert len(orjson.loads(reply.content)["Content"]["Clients"]) == 50_002
        assert spent < 1.0, spent


def test_no_loop_is_needed_to_build_the_app() -> None:
    app = ajera_app(books(), AjeraQuirks())
    assert isinstance(httpx.ASGITransport(app=app), httpx.ASGITransport)
    assert app.state.ledger == []
