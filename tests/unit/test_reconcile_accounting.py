"""Budget & Revenue (sync-rules 8): which of Ajera's amounts stands in which CRM column, or why none."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from core.model.record import Record
from core.policy import Policy
from core.reconcile.accounting import NOTE, takes_money, with_budget
from tests.reconcile_kit import AJERA, CRM, FIRM, PROJECT

AMOUNTS = {
    "LaborContractAmount": "100.25", "ExpenseContractAmount": "20", "ConsultantContractAmount": "30",
    "TotalContractAmount": "150.25", "LaborCostBudget": "1", "ExpenseCostBudget": "2", "ConsultantCostBudget": "3",
}  # fmt: skip


def project(billing: str = "FixedFee", **extra: str) -> Record:
    fields: dict[str, Any] = {"percent_complete": Decimal(40), "compensation": Decimal(999)}
    return Record(PROJECT, AJERA, "p1", "Bridge", fields=fields, extra={"BillingType": billing, **AMOUNTS, **extra})


def amounts(record: Record, policy: Policy | None = None) -> dict[str, Decimal]:
    made = with_budget(record, policy or Policy())
    assert NOTE not in made.extra
    return {name: value for name, value in made.fields.items() if isinstance(value, Decimal)}


@pytest.mark.parametrize(
    ("record", "direct", "reimbursable"),
    [
        (project(), (20, 30), (0, 0)),
        (project(BillExpenseAsTE="Y"), (0, 30), (20, 0)),
        (project(BillConsultantAsTE="Y"), (20, 0), (0, 30)),
        (project("TimeAndExpense"), (0, 0), (20, 30)),
    ],
)
def test_rule_8_amounts_go_to_the_fee_or_to_the_allowance(
    record: Record, direct: tuple[int, int], reimbursable: tuple[int, int]
) -> None:
    labor = Decimal("100.25")
    assert amounts(record) == {
        "percent_complete": Decimal(40),
        "direct_labor": labor,
        "direct_expense": direct[0],
        "direct_consultant": direct[1],
        "compensation": labor + direct[0],
        "reimbursable_expense": reimbursable[0],
        "reimbursable_consultant": reimbursable[1],
        "reimbursable": sum(reimbursable),
    }
    whole = amounts(record)
    assert whole["compensation"] + whole["direct_consultant"] + whole["reimbursable"] == Decimal("150.25")


def test_rule_8_cost_budgets_instead_of_contract_amounts() -> None:
    assert amounts(project(), Policy(budget_source="cost"))["compensation"] == 3


def test_rule_8_an_unsplit_total_is_refused_or_put_into_labor() -> None:
    bare = project(**{name: "" for name in AMOUNTS if "Contract" in name} | {"TotalContractAmount": "80"})
    made = with_budget(bare, Policy())
    assert "add up to 0.00, its total is 80.00" in made.extra[NOTE]
    assert "compensation" not in made.fields
    assert amounts(bare, Policy(unsplit="labor"))["direct_labor"] == 80
    assert NOTE in with_budget(project(TotalContractAmount="1"), Policy(unsplit="labor")).extra


@pytest.mark.parametrize("billing", ["Nonbillable", "Marketing", "Overhead"])
def test_rule_8_what_is_not_billed_has_no_budget(billing: str) -> None:
    assert billing in with_budget(project(billing), Policy()).extra[NOTE]


def test_rule_8_phases_that_are_billed_otherwise_are_refused() -> None:
    assert "its phases are billed otherwise" in with_budget(project(PhaseTerms="differ"), Policy()).extra[NOTE]


def test_rule_8_an_amount_that_is_none_counts_as_nothing() -> None:
    assert NOTE in with_budget(project(LaborContractAmount="a lot"), Policy()).extra


def test_rule_8_other_records_come_back_as_they_are() -> None:
    crm = Record(PROJECT, CRM, "q1", "Bridge", extra={"BillingType": "FixedFee"})
    firm = Record(FIRM, AJERA, "a1", "Acme", extra={"BillingType": "FixedFee"})
    unread = Record(PROJECT, AJERA, "p1", "Bridge")
    assert [with_budget(each, Policy()) for each in (crm, firm, unread)] == [crm, firm, unread]


@pytest.mark.parametrize(
    ("extra", "takes"),
    [({}, True), ({"ChargeType": "R"}, True), ({"ChargeType": "H"}, False), ({"ChargeType": "P"}, False),
     ({"ChargeType": "P", "SiblingWBS1": "200"}, True)],
)  # fmt: skip
def test_rule_8_overhead_and_unlinked_promotional_projects_take_no_money(extra: dict[str, str], takes: bool) -> None:
    assert takes_money(Record(PROJECT, CRM, "q1", "Bridge", extra=extra)) is takes
