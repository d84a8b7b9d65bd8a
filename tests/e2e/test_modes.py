"""Versions, profiles, money, budget, dates and team, seen from outside."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tests.e2e.kit import AjeraApi, Row, World, changes, world

FEW = ("--firms=16", "--contacts=40", "--projects=16", "--employees=6", "--seed=6")
COLUMNS = {
    "Spent": "Spent",
    "Cost": "Cost",
    "WIP": "WIP",
    "Billed": "Billed",
    "Received": "Receipts",
}
PARTS = {"Labor": "Labor", "Reimbursable": "Expense", "Consultant": "Consultant"}
MARK_NAMES = {"AjeraSync", "ProjectTemplate", "ModDate", "ModUser", "(team)"}


@pytest.fixture
def w(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path, *FEW) as made:
        yield made


def money(value: object) -> Decimal:
    return Decimal(str(value or 0)).quantize(Decimal("0.01"))


def team_without_marks(row: Row) -> list[Row]:
    return [{k: v for k, v in each.items() if k not in ("AjeraSync", "ModDate", "ModUser")} for each in row["(team)"]]


def test_an_old_ajera_gets_everything_and_the_crm_nothing_but_ticks(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with world(tmp_path / "old", *FEW, "--ajera-version=8.08.00", "--data", str(data)) as w:
        home = w.home
        before = w.books()
        names = {row["Description"].casefold() for row in w.ajera.all("client").values()}
        key = next(
            k
            for k, row in w.crm.all("firm").items()
            if row["AjeraSync"] != "Y" and row["ClientInd"] == "Y" and row["Name"].casefold() not in names
        )
        home.ok("mark", "firm", key)
        home.run()
        client = w.ajera.named(w.crm.one("firm", key)["Name"])[0]["ClientKey"]
        w.ajera.edit("client", client, Website="https://only-in-ajera.example.com")
        home.run()
        status = home.call("status", "--json").json
        assert (status["mode"]["direction"], status["mode"]["ajera_version"]) == ("to-ajera", "8.08.00")
        assert "8.08" in status["mode"]["reason"]
        plan = home.call("plan", "--json").json
        assert plan["counts"]["drift"] >= 1
        assert next(i for i in plan["drift"] if i["crm_key"] == key)["field"] == "website"
        after = w.books()
        for book, record, fields in changes(before, after):
            if book.startswith("crm"):
                assert fields <= MARK_NAMES, (book, record, fields)
                if "(team)" in fields:
                    assert team_without_marks(before[book][record]) == team_without_marks(after[book][record])
        assert before["crm employee"] == after["crm employee"]
        shutil.copytree(home.folder / "state", tmp_path / "new" / "state")
        shutil.copy(home.config or "", tmp_path / "new" / "config.toml")
    with world(tmp_path / "new", "--data", str(data), "--ajera-version=9.10.00") as w:
        still = w.books()
        profile = next((tmp_path / "new" / "state" / "ajerasync").iterdir()).name
        said = w.home.call("--profile", profile, "plan", "--json")
        assert said.code == 4, said
        assert said.json["guard"]
        assert "direction" in str(said.json["guard"]).lower()
        assert w.home.call("--profile", profile, "run", "--json").ended(4).lines[-1]["outcome"] == "refused"
        assert changes(still, w.books()) == []
        assert w.home.call("--profile", profile, "run", "--approve", said.json["digest"]).code in (0, 1)
        items = w.home.call("--profile", profile, "plan", "--json").json["conflicts"]
        assert [i for i in items if i["crm_key"] == key and i["field"] == "website"], (
            "drift of that time is a conflict now"
        )
        assert w.crm.one("firm", key)["WebSite"] == still["crm firm"][key]["WebSite"]


def linked_project(w: World) -> tuple[int, str]:
    """A project on both sides by number and name, which Ajera has money for."""
    for key, row in w.ajera.all("project").items():
        there = w.crm.all("project").get(row["ID"])
        if (
            there
            and there["ChargeType"] == "R"
            and row["Status"] == "Active"
            and row["BillingType"] not in ("Marketing", "Overhead", "Nonbillable")
        ):
            same = row["Description"] in (there["Name"], there["LongName"])
            if same and w.ajera.totals(key).get("Spent Labor"):
                return key, row["ID"]
    raise AssertionError("no such project")


def test_the_fifteen_columns_dates_and_hours_are_those_of_ajera(w: World) -> None:
    key, number = linked_project(w)
    w.home.ok("mark", "project", number)
    w.home.settle()
    there, totals = w.crm.one("project", number), w.ajera.totals(key)
    assert w.home.data("show", "project", number)["linked"]
    seen = 0
    for column, family in COLUMNS.items():
        for part, name in PARTS.items():
            assert money(there[f"Ajera{column}{part}"]) == money(totals.get(f"{family} {name}")), (column, part)
            seen += bool(money(totals.get(f"{family} {name}")))
    assert seen >= 5

    project = w.ajera.one("project", key)
    start = project.get("ActualStartDate") or project.get("EstimatedStartDate") or ""
    assert there["StartDate"][:10] == start
    assert there["EstCompletionDate"][:10] == project.get("EstimatedCompletionDate", "")
    flags = {
        part: project["BillingType"] == "TimeAndExpense" or project[f"Bill{part}AsTE"]
        for part in ("Expense", "Consultant")
    }
    amounts = {part: money(project[f"{part}ContractAmount"]) for part in ("Labor", "Expense", "Consultant")}
    if (
        sum(amounts.values()) == money(project["TotalContractAmount"])
        and not w.crm.get("/project", **{"filterHash[0][name]": "WBS1", "filterHash[0][value]": number})[1:]
    ):
        assert money(there["FeeDirLab"]) == amounts["Labor"]
        assert money(there["FeeDirExp"]) == (0 if flags["Expense"] else amounts["Expense"])
        assert money(there["ConsultFee"]) == (0 if flags["Consultant"] else amounts["Consultant"])
        assert money(there["Fee"]) == money(there["FeeDirLab"]) + money(there["FeeDirExp"])
        assert money(there["ReimbAllowExp"]) == (amounts["Expense"] if flags["Expense"] else 0)
        assert money(there["ReimbAllowCons"]) == (amounts["Consultant"] if flags["Consultant"] else 0)
        assert money(there["ReimbAllow"]) == money(there["ReimbAllowExp"]) + money(there["ReimbAllowCons"])
    check_team(w, key, number)
    still = w.books()
    w.home.run()
    assert changes(still, w.books()) == []


def check_team(w: World, key: int, number: str) -> None:
    hours = hours_of(w.ajera, key)
    emails = {k: (row.get("Email") or "").lower() for k, row in w.ajera.all("employee").items()}
    people = {row["EMail"].lower(): k for k, row in w.crm.all("employee").items() if row["EMail"]}
    shown = Counter[str]()
    for row in w.crm.team(number):
        shown[row["Employee"]] += Decimal(str(row["CRMHours"]))  # type: ignore[assignment]
    assert hours
    for (employee, _), worked in hours.items():
        if emails[employee] in people:
            total = sum(h for (each, _), h in hours.items() if each == employee)
            assert money(shown[people[emails[employee]]]) == money(total), (employee, worked)


def hours_of(ajera: AjeraApi, project: int) -> dict[tuple[int, str], Decimal]:
    """Hours to date by employee and role, out of all timesheets, in windows of a week."""
    found: dict[tuple[int, str], Decimal] = {}
    employees = sorted(ajera.all("employee"))
    keys = list[int]()
    first = date.today() - timedelta(days=365 * 3)
    for employee in employees:
        for year in range(4):
            begin = first + timedelta(days=365 * year)
            rows = ajera.content(
                "ListTimesheets", 2, FilterByEmployee=[employee], FilterByEarliestTimesheetDate=str(begin),
                FilterByLatestTimesheetDate=str(begin + timedelta(days=364)),
            )["Timesheets"]  # fmt: skip
            assert len(rows) < 500
            keys += [row["Timesheet Key"] for row in rows]
    for start in range(0, len(keys), 10):
        sheets = ajera.content("GetTimesheets", 2, RequestedTimesheets=keys[start : start + 10])["Timesheets"]
        for sheet in sheets:
            for row in sheet["Project"]["Detail"]:
                if row["Project Key"] == project:
                    worked = sum(
                        Decimal(str(row.get(f"D{n} {kind}") or 0))
                        for n in range(1, 8)
                        for kind in ("Regular", "Overtime")
                    )
                    role = (sheet["EmployeeKey"], str(row.get("Employee Type Key")))
                    found[role] = found.get(role, Decimal(0)) + worked
    return {role: worked for role, worked in found.items() if worked}


def test_vantagepoint_has_no_firm_cap_and_twenty_per_project(tmp_path: Path) -> None:
    with world(tmp_path, *FEW, "--crm-profile=vantagepoint") as w:
        home = w.home
        people = w.crm.all("contact")
        tickable = {row["crm_key"] for row in home.rows("contact") if row["crm_key"] and row["state"] == "unmarked"}
        by_firm = Counter(row["ClientID"] for key, row in people.items() if key in tickable)
        firm, number = by_firm.most_common(1)[0]
        assert number >= 6
        six = [key for key, row in people.items() if row["ClientID"] == firm and key in tickable]
        home.ok("mark", "contact", *six, "--firm", firm)
        assert {row["crm_key"] for row in home.rows("contact", "--firm", firm) if row["marked"]} >= set(six)
        assert home.data("show", "firm", firm)["cap"] is None
        project = next(
            k for k, row in w.crm.all("project").items() if row["ChargeType"] == "R" and row["Status"] == "A"
        )
        assert home.data("show", "project", project)["cap"] == 20


def test_a_project_takes_five_contacts_and_refuses_the_sixth(w: World) -> None:
    home = w.home
    for number in w.crm.all("project"):
        people = [row for row in w.crm.people(number) if row["AjeraSync"] != "Y"]
        tickable = home.data("show", "project", number)["contacts"] if len(people) >= 2 else []
        keys = [each["crm_key"] for each in tickable if each["refusal"] is None and not each["marked"]]
        if len(keys) >= 2:
            break
    else:
        raise AssertionError("no such project")
    home.ok("mark", "contact", keys[0], "--project", number)
    home.ok("mark", "project", number, "--contact", keys[1])
    marked = {row["crm_key"] for row in home.rows("contact", "--project", number) if row["marked"]}
    assert set(keys[:2]) <= marked
    home.ok("unmark", "project", number, "--contact", keys[1])
    assert keys[1] not in {row["crm_key"] for row in home.rows("contact", "--project", number) if row["marked"]}
