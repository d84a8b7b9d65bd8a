"""Money and dates (sync-rules 8, sync-behaviour 3.7 to 3.9): from Ajera to the CRM, exact to the fourth place."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import httpx
import pytest

from core.model.values import Kind, Side
from core.policy import TOTAL_FIELDS, Policy
from core.sandbox.crm.schema_project import AJERA_AMOUNTS
from tests.engine.kit import EngineSettings, World, ajera_client, ajera_project, crm_firm, crm_project
from tests.engine.weekkit import add_totals, ajera_employee, an_office, crm_employee

FAMILIES = {"Spent": "Spent", "Cost": "Cost", "WIP": "WIP", "Billed": "Billed", "Received": "Receipts"}
PARTS = {"Labor": "Labor", "Reimbursable": "Expense", "Consultant": "Consultant"}
AMOUNTS = {
    "TotalContractAmount": "111111.1111",
    "LaborContractAmount": "100000.0001",
    "ExpenseContractAmount": "10000.0010",
    "ConsultantContractAmount": "1111.1100",
}
FEES = ("FeeDirLab", "FeeDirExp", "ConsultFee", "Fee", "ReimbAllowExp", "ReimbAllowCons", "ReimbAllow")


async def job(
    world: World, crm: Mapping[str, Any] | None = None, phase: Mapping[str, Any] | None = None, **ajera: Any
) -> tuple[int, str]:
    """A linked, ticked project; its one phase is billed as the project is, unless `phase` says otherwise."""
    client = ajera_client(world.ajera, "Acme Supplies", Website="acme.example")
    firm = crm_firm(world.crm, "Acme Supplies", WebSite="acme.example", AjeraSync="Y", address=None)
    terms = {name: value for name, value in ajera.items() if name.startswith("Bill")}
    group = {
        "Description": "Group",
        "Client": {"ClientKey": client},
        "Phases": [{"Description": "P", **terms, **(phase or {})}],
    }
    ours = ajera_project(world.ajera, "26-01", "Town Hall", client, **ajera, InvoiceGroups=[group])
    theirs = crm_project(world.crm, "26-01", "Town Hall", firm, AjeraSync="Y", **(crm or {}))
    await world.run()
    await world.run()
    assert world.link(Kind.PROJECT, theirs) == ours
    return ours, theirs


async def later(world: World) -> None:
    world.clock.forward(hours=25)
    await world.run()


# -- the fifteen totals ------------------------------------------------------------------------------


async def test_all_fifteen_totals_arrive_exactly_to_the_fourth_place() -> None:
    async with an_office() as world:
        ours, theirs = await job(world)
        wanted = {}
        for number, (row, part) in enumerate(itertools.product(FAMILIES, PARTS)):
            amount = Decimal("1234567.8901") + number * Decimal("1000000.0001")
            add_totals(world, ours, **{f"{FAMILIES[row]}_{PARTS[part]}": str(amount)})
            wanted[f"Ajera{row}{part}"] = amount
        await later(world)
        held = world.crm.get("project", theirs)
        assert set(wanted) == set(AJERA_AMOUNTS)
        assert {column: held[column] for column in AJERA_AMOUNTS} == wanted
        stored = world.service.store.records(Kind.PROJECT, Side.CRM)[theirs]
        assert all(isinstance(stored.fields[spec.name], Decimal) for spec in TOTAL_FIELDS)


async def test_totals_are_read_by_age_since_posting_moves_no_stamp() -> None:
    async with an_office() as world:
        ours, theirs = await job(world)
        add_totals(world, ours, Billed_Labor="500")
        world.clock.forward(hours=23)
        await world.run()
        assert world.crm.get("project", theirs)["AjeraBilledLabor"] == 0
        world.clock.forward(hours=1)
        await world.run()
        assert world.crm.get("project", theirs)["AjeraBilledLabor"] == 500


async def test_hours_that_moved_bring_their_totals_at_once() -> None:
    async with an_office() as world:
        dora = ajera_employee(world, "Dora", "Dunn", "Designer")
        crm_employee(world, "00001", "Dora", "Dunn")
        ours, theirs = await job(world)
        data = world.ajera
        data.post_time(dora, ours, data.children["phases"][ours][0], world.clock.at.date(), Decimal("2.5"))
        world.clock.forward(hours=2)
        await world.run()
        held = world.crm.get("project", theirs)
        assert held["AjeraSpentLabor"] == Decimal(str(data.totals_of(ours)["Spent Labor"])) > 0


async def test_what_somebody_types_into_the_totals_is_put_right() -> None:
    async with an_office() as world:
        ours, theirs = await job(world)
        add_totals(world, ours, Cost_Labor="77.7777")
        await later(world)
        world.crm_edit("project", theirs, AjeraCostLabor=1)
        await world.run()
        assert world.crm.get("project", theirs)["AjeraCostLabor"] == Decimal("77.7777")


async def test_a_zero_of_ajera_replaces_no_figure_that_ajera_did_not_give() -> None:
    async with an_office() as world:
        ours, theirs = await job(world, crm={"AjeraBilledLabor": Decimal("123.45"), "Fee": Decimal(99)})
        await later(world)
        assert world.crm.get("project", theirs)["AjeraBilledLabor"] == Decimal("123.45")
        add_totals(world, ours, Billed_Labor="10")
        await later(world)
        assert world.crm.get("project", theirs)["AjeraBilledLabor"] == 10
        add_totals(world, ours, Billed_Labor="-10")
        await later(world)
        assert world.crm.get("project", theirs)["AjeraBilledLabor"] == 0


@pytest.mark.parametrize("charge", ["H", "P"])
async def test_overhead_and_unlinked_promotional_projects_are_skipped(charge: str) -> None:
    async with an_office() as world:
        ours, theirs = await job(world, crm={"ChargeType": charge}, BillingType="FixedFee", **AMOUNTS)
        add_totals(world, ours, Spent_Labor="10")
        await later(world)
        calls = [entry.method for entry in world.ajera_app.state.ledger]
        assert "GetProjectTotals" not in calls
        held = world.crm.get("project", theirs)
        assert {held[name] for name in (*AJERA_AMOUNTS, *FEES)} == {0}


# -- Budget & Revenue ----------------------------------------------------------------------------------

L, E, C = Decimal("100000.0001"), Decimal("10000.0010"), Decimal("1111.1100")
ZERO = Decimal(0)
BY_TERMS = {
    # expenses and consultants bill: inside the fee, as time and expense each, both
    (False, False): (L, E, C, L + E, ZERO, ZERO, ZERO),
    (True, False): (L, ZERO, C, L, E, ZERO, E),
    (False, True): (L, E, ZERO, L + E, ZERO, C, C),
    (True, True): (L, ZERO, ZERO, L, E, C, E + C),
}


@pytest.mark.parametrize("terms", list(BY_TERMS))
@pytest.mark.parametrize("billing", ["FixedFee", "PercentComplete", "UnitPrice", "PercentofConstructionCost"])
async def test_budget_by_billing_type(billing: str, terms: tuple[bool, bool]) -> None:
    async with an_office() as world:
        flags = {"BillExpenseAsTE": terms[0], "BillConsultantAsTE": terms[1]}
        _, theirs = await job(world, BillingType=billing, **flags, **AMOUNTS)
        held = world.crm.get("project", theirs)
        assert tuple(held[name] for name in FEES) == BY_TERMS[terms]
        assert held["Fee"] + held["ConsultFee"] + held["ReimbAllow"] == Decimal(AMOUNTS["TotalContractAmount"])


async def test_time_and_expense_bills_both_so_whatever_the_flags_say() -> None:
    async with an_office() as world:
        _, theirs = await job(world, BillingType="TimeAndExpense", **AMOUNTS)
        held = world.crm.get("project", theirs)
        assert tuple(held[name] for name in FEES) == BY_TERMS[True, True]


@pytest.mark.parametrize("billing", ["Nonbillable", "Marketing", "Overhead"])
async def test_unbilled_projects_have_no_budget_and_no_complaint(billing: str) -> None:
    async with an_office() as world:
        _, theirs = await job(world, BillingType=billing, **AMOUNTS)
        held = world.crm.get("project", theirs)
        assert {held[name] for name in FEES} == {0}
        assert world.service.refusals() == ()


async def test_parts_that_do_not_add_up_write_nothing_of_the_tab_and_say_why() -> None:
    async with an_office() as world:
        wrong = {**AMOUNTS, "TotalContractAmount": "111111.1112"}
        ours, theirs = await job(world, BillingType="FixedFee", **wrong)
        held = world.crm.get("project", theirs)
        assert {held[name] for name in FEES} == {0}
        (refusal,) = [r for r in world.service.refusals() if r.kind is Kind.PROJECT]
        assert "add up to" in refusal.reason
        world.ajera_edit("projects", ours, **{k: Decimal(v) for k, v in AMOUNTS.items()})
        await world.run()
        assert world.crm.get("project", theirs)["FeeDirLab"] == L
        assert world.service.refusals() == ()


async def test_an_unsplit_total_goes_into_labor_where_the_settings_say_so() -> None:
    async with an_office(settings=EngineSettings(Policy(unsplit="labor"))) as world:
        _, theirs = await job(world, BillingType="FixedFee", TotalContractAmount="5000.5")
        held = world.crm.get("project", theirs)
        assert (held["FeeDirLab"], held["Fee"], held["ReimbAllow"]) == (Decimal("5000.5"), Decimal("5000.5"), 0)


async def test_cost_budgets_instead_of_contract_amounts() -> None:
    async with an_office(settings=EngineSettings(Policy(budget_source="cost"))) as world:
        budgets = {"LaborCostBudget": 70, "ExpenseCostBudget": 20, "ConsultantCostBudget": 10}
        _, theirs = await job(world, BillingType="FixedFee", **AMOUNTS, **budgets)
        held = world.crm.get("project", theirs)
        assert (held["FeeDirLab"], held["FeeDirExp"], held["ConsultFee"], held["Fee"]) == (70, 20, 10, 90)


async def test_phases_billed_otherwise_are_refused_until_they_are_alike() -> None:
    async with an_office() as world:
        ours, theirs = await job(world, phase={"BillingType": "TimeAndExpense"}, BillingType="FixedFee", **AMOUNTS)
        assert world.crm.get("project", theirs)["Fee"] == 0
        (refusal,) = world.service.refusals()
        assert "phases are billed otherwise" in refusal.reason
        phase = world.ajera.children["phases"][ours][0]
        world.ajera_edit("phases", phase, BillingType="FixedFee")
        world.ajera_edit("projects", ours, Notes="phases put right")
        await world.run()
        assert world.crm.get("project", theirs)["Fee"] == L + E


async def test_percent_and_overhead_rate_from_the_project_else_its_department() -> None:
    async with an_office() as world:
        ours, theirs = await job(world, BillingType="FixedFee", ReportedPercentComplete="33.3333", DepartmentKey=1)
        held = world.crm.get("project", theirs)
        department = world.ajera.tables["departments"][1]["OverheadPercent"]
        assert (held["PctComp"], held["BudOHRate"]) == (Decimal("33.3333"), Decimal(department))
        world.ajera_edit("projects", ours, BudgetedOverheadRate="171.25")
        await world.run()
        assert world.crm.get("project", theirs)["BudOHRate"] == Decimal("171.25")


async def test_amounts_that_phases_own_are_refused_by_the_crm_explained_and_not_sent_again() -> None:
    puts: list[str] = []

    def wrap(side: Side, transport: httpx.AsyncBaseTransport) -> httpx.AsyncBaseTransport:
        return Counted(transport, puts) if side is Side.CRM else transport

    async with an_office(crm_quirks={"fee_on_phased": "refused"}, wrap=wrap) as world:
        client = ajera_client(world.ajera, "Acme Supplies", Website="acme.example")
        firm = crm_firm(world.crm, "Acme Supplies", WebSite="acme.example", AjeraSync="Y", address=None)
        ours = ajera_project(world.ajera, "26-01", "Town Hall", client, BillingType="FixedFee", **AMOUNTS)
        phase = world.ajera.children["phases"][ours][0]
        world.ajera.edit("phases", phase, {"BillingType": "FixedFee"})
        theirs = crm_project(world.crm, "26-01", "Town Hall", firm, AjeraSync="Y")
        world.crm.insert("project", {"WBS1": "26-01", "WBS2": "1", "Name": "Design", "ChargeType": "R", "Status": "A"})
        add_totals(world, ours, Spent_Labor="10")
        await world.run()
        await world.run()
        held = world.crm.get("project", theirs)
        assert held["Fee"] == 0
        assert held["AjeraSpentLabor"] == 10, "a refusal of one tab holds up no other"
        (error,) = world.service.errors()
        assert "cannot be entered at this level" in error.message
        assert error.next_try is None
        sent = len(puts)
        for _ in range(3):
            world.clock.forward(hours=13)
            await world.run()
        assert len(puts) == sent, "it is not sent again"
        assert world.service.errors()[0].tries == 1
        assert any("waits for a change" in r.reason for r in world.service.refusals())
        world.service.retry(error.id)
        await world.run()
        assert len(puts) == sent + 1


class Counted(httpx.AsyncBaseTransport):
    """Notes the address of each write that is sent."""

    def __init__(self, inner: httpx.AsyncBaseTransport, puts: list[str]) -> None:
        self.inner, self.puts = inner, puts

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "PUT":
            self.puts.append(str(request.url))
        return await self.inner.handle_async_request(request)


# -- Dates & Costs -------------------------------------------------------------------------------------


async def test_dates_come_from_ajera_actual_before_estimated_and_a_blank_wipes_nothing() -> None:
    async with an_office() as world:
        ours, theirs = await job(
            world, crm={"StartDate": "2026-03-01", "EstCompletionDate": "2026-12-31"}, EstimatedStartDate="2026-03-01"
        )
        world.ajera_edit("projects", ours, EstimatedStartDate="2026-03-09")
        await world.run()
        assert world.crm.get("project", theirs)["StartDate"][:10] == "2026-03-09"
        world.ajera_edit("projects", ours, ActualStartDate="2026-03-10", ActualCompletionDate="2026-11-01")
        await world.run()
        held = world.crm.get("project", theirs)
        assert (held["StartDate"][:10], held["ActCompletionDate"][:10]) == ("2026-03-10", "2026-11-01")
        assert held["EstCompletionDate"][:10] == "2026-12-31"


async def test_total_project_cost_is_off_by_default_and_can_be_switched_on() -> None:
    for on, expected in ((False, 0), (True, 4_000_000)):
        rules = Policy()
        specs = tuple(replace(s, on=on) if s.name == "total_cost" else s for s in rules.fields[Kind.PROJECT])
        rules = replace(rules, fields={**rules.fields, Kind.PROJECT: specs})
        async with an_office(settings=EngineSettings(rules)) as world:
            _, theirs = await job(world, ConstructionCost=4_000_000)
            assert world.crm.get("project", theirs)["TotalProjectCost"] == expected
