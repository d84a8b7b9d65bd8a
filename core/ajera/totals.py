"""The fifteen Ajera Totals from a GetProjectTotals record (ajera-api 10.4, sync-rules 8). Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from core.ajera.wire import Raw, read_amount
from core.model.values import Value
from core.policy import TOTAL_FAMILIES, TOTAL_PARTS

HOURS_WORKED: Final = "Hours Worked"
_FURTHER: Final = ("Receipts Adjustments", "Receipts Credit Memo")
_PARTS: Final = ("", " Labor", " Expense", " Consultant")


def totals_of(raw: Raw, *, further_receipts: bool = False) -> dict[str, Value]:
    """Field name to amount. An absent total is 0 only if another one of its family came, else it is left out.

    `further_receipts` adds adjustments and credit memos to the received columns.
    """
    found: dict[str, Value] = {}
    for row, family in TOTAL_FAMILIES.items():
        if not any(read_amount(raw.get(family + part)) is not None for part in _PARTS):
            continue
        families = (family, *_FURTHER) if further_receipts and family == "Receipts" else (family,)
        for part, (_, ajera_part) in TOTAL_PARTS.items():
            amounts = (read_amount(raw.get(f"{each} {ajera_part}")) for each in families)
            found[f"{row}_{part}"] = sum((amount or Decimal(0) for amount in amounts), Decimal(0))
    return found


def hours_worked(raw: Raw) -> Decimal | None:
    """Hours to date as Ajera sums them, to compare with the timesheets."""
    return read_amount(raw.get(HOURS_WORKED))
