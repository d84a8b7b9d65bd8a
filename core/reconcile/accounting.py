"""Money rules: what of Ajera's amounts stands in which CRM column (sync-rules 8, sync-behaviour 3.8).

Amounts are Decimals from end to end. Where the parts do not add up to the project's total, nothing
of the tab is written and the reason is told: a wrong figure is worse than none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation

from core.model.record import Record
from core.model.values import Kind, Side, Value
from core.policy import Policy

BUDGET_FIELDS = (
    "percent_complete",
    "overhead_rate",
    "compensation",
    "direct_labor",
    "direct_expense",
    "direct_consultant",
    "reimbursable",
    "reimbursable_expense",
    "reimbursable_consultant",
)
NO_BUDGET = ("Nonbillable", "Marketing", "Overhead")
NOTE = "budget_note"
# Property names per budget_source: labor, expense, consultant, and the total they must add up to.
SOURCES: dict[str, tuple[str, str, str, str | None]] = {
    "contract": ("LaborContractAmount", "ExpenseContractAmount", "ConsultantContractAmount", "TotalContractAmount"),
    "cost": ("LaborCostBudget", "ExpenseCostBudget", "ConsultantCostBudget", None),
}
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Terms:
    """How a project is billed: `expense_te`, `consultant_te`, whether those bill as time and expense."""

    labor: Decimal
    expense: Decimal
    consultant: Decimal
    total: Decimal | None
    expense_te: bool
    consultant_te: bool


def with_budget(record: Record, policy: Policy) -> Record:
    """An Ajera project with the fields of the CRM's Budget & Revenue tab, or with `budget_note` saying
    why nothing of that tab is written. Other records come back as they are."""
    if record.kind is not Kind.PROJECT or record.side is not Side.AJERA or "BillingType" not in record.extra:
        return record
    note = _why_not(record, policy)
    kept = {name: value for name, value in record.fields.items() if name not in BUDGET_FIELDS}
    if note:
        return replace(record, fields=kept, extra={**record.extra, NOTE: note})
    budget = budget_of(terms_of(record, policy))
    own = {name: record.fields[name] for name in ("percent_complete", "overhead_rate") if name in record.fields}
    return replace(record, fields={**kept, **own, **budget})


def _why_not(record: Record, policy: Policy) -> str:
    extra = record.extra
    if extra["BillingType"] in NO_BUDGET:
        return f"its billing type is {extra['BillingType']}: it has no budget in the CRM"
    if extra.get("PhaseTerms") == "differ":
        return (
            "its phases are billed otherwise than the project: nothing of Budget & Revenue is written until it is "
            "known whether the project's amounts include its phases'"
        )
    terms = terms_of(record, policy)
    parts = terms.labor + terms.expense + terms.consultant
    if terms.total is not None and parts != terms.total:
        return (
            f"its labor, expense and consultant amounts add up to {parts:,.2f}, its total is {terms.total:,.2f}: "
            'nothing of Budget & Revenue is written ([sync] unsplit = "labor" puts an unsplit total into labor)'
        )
    return ""


def terms_of(record: Record, policy: Policy) -> Terms:
    """The amounts and billing rules of an Ajera project, from what its mapping kept in `extra`."""
    extra = record.extra
    labor_name, expense_name, consultant_name, total_name = SOURCES[policy.budget_source]
    labor, expense, consultant = (_amount(extra, name) for name in (labor_name, expense_name, consultant_name))
    total = _amount(extra, total_name) if total_name else None
    if policy.unsplit == "labor" and total and not (labor or expense or consultant):
        labor = total
    everything = extra["BillingType"] == "TimeAndExpense"
    return Terms(
        labor,
        expense,
        consultant,
        total,
        everything or extra.get("BillExpenseAsTE") == "Y",
        everything or extra.get("BillConsultantAsTE") == "Y",
    )


def budget_of(terms: Terms) -> Mapping[str, Value]:
    """The seven amounts. Fee + ConsultFee + ReimbAllow is always the whole expected fee."""
    direct_expense = ZERO if terms.expense_te else terms.expense
    direct_consultant = ZERO if terms.consultant_te else terms.consultant
    reimbursable_expense = terms.expense - direct_expense
    reimbursable_consultant = terms.consultant - direct_consultant
    return {
        "direct_labor": terms.labor,
        "direct_expense": direct_expense,
        "direct_consultant": direct_consultant,
        "compensation": terms.labor + direct_expense,
        "reimbursable_expense": reimbursable_expense,
        "reimbursable_consultant": reimbursable_consultant,
        "reimbursable": reimbursable_expense + reimbursable_consultant,
    }


def _amount(extra: Mapping[str, str], name: str) -> Decimal:
    try:
        return Decimal(extra.get(name, "0") or "0")
    except InvalidOperation:
        return ZERO


def takes_money(crm: Record) -> bool:
    """Whether the CRM has money columns for this project: none on an overhead project or a
    promotional one without a regular one beside it (dps-api 14)."""
    charge = crm.extra.get("ChargeType", "R")
    return charge == "R" or (charge == "P" and bool(crm.extra.get("SiblingWBS1")))
