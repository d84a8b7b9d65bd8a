"""The closed sets of the wire: names of running totals, statuses, billing types (contract 10)."""

from __future__ import annotations

_SPLIT = ("", " Labor", " Expense", " Consultant")
_OUTSIDE = ("", " Expense", " Consultant")

# The property names of contract 10.4, with their spaces and plus signs.
TOTALS: tuple[str, ...] = (
    "Hours Worked",
    "Regular Hours Worked",
    "Premium 1 Hours Worked",
    "Premium 2 Hours Worked",
    "Premium 3 Hours Worked",
    "Billed Hours",
    "WIP Hours",
    "Written off Hours",
    "Resource Hours",
    "Scheduled Hours",
    "Scheduled Dollars",
    *(f"Cost{s}" for s in _SPLIT),
    "Cost Burdened",
    "Cost Labor Burdened",
    "Cost + Premium",
    "Cost + Premium Burdened",
    "Cost Labor + Premium",
    "Cost Labor + Premium Burdened",
    *(f"Spent{s}" for s in _SPLIT),
    *(f"Billed{s}" for s in _SPLIT),
    "Billed Sales Tax",
    *(f"Billed Adjustments{s}" for s in _SPLIT),
    "Billed Amount By Accounting Date",
    "Labor Billed by Accounting Date",
    "Expense Billed by Accounting Date",
    "Consultant Billed by Accounting Date",
    *(f"WIP{s}" for s in _SPLIT),
    *(f"Written off{s}" for s in _SPLIT),
    *(f"Receipts{s}" for s in _SPLIT),
    "Receipts Sales Tax",
    *(f"Receipts Adjustments{s}" for s in _SPLIT),
    *(f"Receipts Credit Memo{s}" for s in _SPLIT),
    "Receivable Balance",
    *(f"Vendor Invoiced{s}" for s in _OUTSIDE),
    *(f"Payments{s}" for s in _OUTSIDE),
    "Payable Balance",
)

STATUSES = ("Active", "Inactive")
PROJECT_STATUSES = ("Preliminary", "Active", "Hold", "WorkHold", "BillingHold", "Closed", "Marketing")
BILLING_TYPES = (
    "TimeAndExpense",
    "FixedFee",
    "PercentComplete",
    "UnitPrice",
    "PercentofConstructionCost",
    "Nonbillable",
    "Marketing",
    "Overhead",
)
