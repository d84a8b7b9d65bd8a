"""GL accounts, vendor invoices and expense reports: small, realistic, read-only but for CreateVendorInvoices.

Row shapes of GL accounts and vendor invoices follow the typed client (contract C1); those of expense reports were not
found in public documentation and are kept plain.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from core.sandbox.ajera import filters
from core.sandbox.ajera.call import INVALID_DATA, Call, Content, Method, Refused, is_int, is_number
from core.sandbox.ajera.data import Record
from core.sandbox.ajera.gets import requested
from core.sandbox.ajera.render import flat, present
from core.sandbox.ajera.stamps import is_day

_AS_OF = re.compile(r"^\d{2}/\d{2}/\d{4}$")
_GL_FILTERS: dict[str, filters.Filter] = {
    "FilterByAccountGroup": filters.key_in("AccountGroupKey"),
    "FilterByStatus": filters.one_of("Status"),
    "FilterByType": filters.one_of("AccountType"),
}
_GL_ROW = ("GLAccountKey", "ID", "Description", "AccountType", "Order", "Status")


def list_gl_accounts(call: Call) -> Content:
    rows = filters.select(call, "gl_accounts", _GL_FILTERS)
    return {"GLAccounts": [{n: r[n] for n in _GL_ROW} | {"AccountGroup": _group(call, r)} for _, r in rows]}


def get_gl_accounts(call: Call) -> Content:
    """Keys or the list's filters; AsOfDate is MM/DD/YYYY here and nowhere else (contract 6.1)."""
    as_of = call.args.get("AsOfDate")
    if as_of is not None and not (isinstance(as_of, str) and _AS_OF.match(as_of)):
        raise Refused(INVALID_DATA)
    call.flag("ExcludeCloseYearEntries")
    if call.args.get("RequestedGLAccounts") is not None:
        keys = requested(call, "RequestedGLAccounts", "gl_accounts")
    else:
        keys = [key for key, _ in filters.select(call, "gl_accounts", _GL_FILTERS)]
    return {"GLAccounts": [_gl_account(call, key) for key in keys]}


def _gl_account(call: Call, key: int) -> Record:
    stored = call.data.tables["gl_accounts"][key]
    group = call.data.tables["account_groups"].get(stored["AccountGroupKey"] or 0, {})
    record = flat(call.data, "gl_accounts", stored, call.quirks)
    del record["AccountGroupKey"]
    shown = {
        "AccountGroup": group.get("Description", ""),
        "AccountGroupOrder": stored["AccountGroupKey"] or 0,
        "AccountGroupStatus": group.get("Status", ""),
    }
    return present({**record, **shown}, call.quirks)


def _group(call: Call, record: Record) -> str:
    group = call.data.tables["account_groups"].get(record["AccountGroupKey"] or 0, {})
    return str(group.get("Description", ""))


def _compare(prop: str, kind: Callable[[Any], bool], test: Callable[[Any, Any], bool]) -> filters.Filter:
    def make(_call: Call, value: Any) -> filters.Test:
        if not kind(value):
            raise Refused(INVALID_DATA)
        return lambda _key, record: record[prop] is not None and test(record[prop], value)

    return make


def _vendor_type(call: Call, value: Any) -> filters.Test:
    if not is_int(value):
        raise Refused(INVALID_DATA)
    vendors = call.data.tables["vendors"]
    return lambda _key, r: r["VendorKey"] in vendors and vendors[r["VendorKey"]]["VendorTypeKey"] == value


def _flag(test: Callable[[Record], bool]) -> filters.Filter:
    def make(_call: Call, value: Any) -> filters.Test | None:
        if not isinstance(value, bool):
            raise Refused(INVALID_DATA)
        return (lambda _key, record: test(record)) if value else None

    return make


def _span(prop: str, first: str, last: str) -> dict[str, filters.Filter]:
    return {
        first: _compare(prop, is_day, lambda held, value: bool(held >= value)),
        last: _compare(prop, is_day, lambda held, value: bool(held <= value)),
    }


_INVOICE_FILTERS: dict[str, filters.Filter] = {
    "FilterByVendor": filters.key_in("VendorKey"),
    "FilterByCompany": _compare("CompanyKey", is_int, lambda held, value: bool(held == value)),
    "FilterByVendorType": _vendor_type,
    "FilterByPaid": _flag(lambda r: bool(r["Paid"]) and r["Status"] != "Voided"),
    "FilterByUnpaid": _flag(lambda r: not r["Paid"] and r["Status"] != "Voided"),
    "FilterByVoided": _flag(lambda r: bool(r["Status"] == "Voided")),
    **_span("Date", "FilterByEarliestInvoiceDate", "FilterByLatestInvoiceDate"),
    **_span("AccountingDate", "FilterByEarliestAccountingDate", "FilterByLatestAccountingDate"),
    **_span("DateToPay", "FilterByEarliestInvoiceDatetoPay", "FilterByLatestDatetoPay"),
    "FilterByGreaterThanAmount": _compare("Amount", is_number, lambda held, value: bool(held > value)),
    "FilterByLessThanAmount": _compare("Amount", is_number, lambda held, value: bool(held < value)),
    "FilterByEqualToAmount": _compare("Amount", is_number, lambda held, value: bool(float(held) == value)),
}


def list_vendor_invoices(call: Call) -> Content:
    """The details array comes empty with the list (contract C1)."""
    rows = filters.select(call, "vendor_invoices", _INVOICE_FILTERS)
    return {"VendorInvoices": [_invoice(call, record) for _, record in rows], "VendorInvoicesDetails": []}


def get_vendor_invoices(call: Call) -> Content:
    return _invoices(call, requested(call, "RequestedVendorInvoices", "vendor_invoices"))


def _invoices(call: Call, keys: list[int]) -> Content:
    held = [call.data.tables["vendor_invoices"][key] for key in keys]
    details = [_detail(call, record, line) for record in held for line in record["Details"]]
    return {"VendorInvoices": [_invoice(call, record) for record in held], "VendorInvoicesDetails": details}


def _invoice(call: Call, stored: Record) -> Record:
    vendor = call.data.tables["vendors"].get(stored["VendorKey"] or 0, {})
    kind = call.data.tables["vendor_types"].get(vendor.get("VendorTypeKey") or 0, {})
    company = call.data.tables["companies"].get(stored["CompanyKey"] or 0, {})
    shown = {
        **flat(call.data, "vendor_invoices", stored, call.quirks),
        "VendorDescription": vendor.get("Name", ""),
        "VendorTypeKey": vendor.get("VendorTypeKey"),
        "VendorTypeDescription": kind.get("Description"),
        "CompanyDescription": company.get("Description", ""),
    }
    return present(shown, call.quirks)


def _detail(call: Call, invoice: Record, line: Record) -> Record:
    project = call.data.tables["projects"].get(line.get("ProjectKey") or 0, {})
    phase = call.data.tables["phases"].get(line.get("PhaseKey") or 0, {})
    account = call.data.tables["gl_accounts"].get(line.get("AccountKey") or 0, {})
    shown = {
        "VendorInvoiceKey": invoice["VendorInvoiceKey"],
        **line,
        "ProjectDescription": project.get("Description"),
        "ProjectID": project.get("ID"),
        "PhaseDescription": phase.get("Description"),
        "AccountDescription": account.get("Description"),
    }
    return present(shown, call.quirks)


_LINE = {
    "CostAmount",
    "AccountKey",
    "ProjectKey",
    "PhaseKey",
    "ActivityKey",
    "CompanyKey",
    "DepartmentKey",
    "Units",
    "CostRate",
    "Hold",
    "Non_1099",
    "Notes",
}
_INVOICE = {
    "VendorKey",
    "CompanyKey",
    "Amount",
    "LineItems",
    "Number",
    "Description",
    "Date",
    "AccountingDate",
    "Notes",
}


def create_vendor_invoices(call: Call) -> Content:
    """The lines must add up to the amount; answers the bundle of the new invoices (contract C1)."""
    wanted = call.args.get("VendorInvoices")
    if not isinstance(wanted, list) or not wanted:
        raise Refused(INVALID_DATA)
    for invoice in wanted:
        _check_invoice(call, invoice)
    return _invoices(call, [_save_invoice(call, invoice) for invoice in wanted])


def _check_invoice(call: Call, invoice: Any) -> None:
    if not isinstance(invoice, dict) or set(invoice) - _INVOICE or not is_number(invoice.get("Amount")):
        raise Refused(INVALID_DATA)
    if invoice.get("VendorKey") not in call.data.tables["vendors"]:
        raise Refused(INVALID_DATA)
    lines = invoice.get("LineItems")
    if not isinstance(lines, list) or not lines:
        raise Refused(INVALID_DATA)
    if not all(isinstance(x, dict) and not set(x) - _LINE and is_number(x.get("CostAmount")) for x in lines):
        raise Refused(INVALID_DATA)
    if round(sum(line["CostAmount"] for line in lines) - invoice["Amount"], 2):
        raise Refused("The line items do not add up to the amount of the invoice.")


def _save_invoice(call: Call, invoice: Record) -> int:
    today = call.data.clock().date().isoformat()
    lines = [{**line, "TransactionKey": call.data.take_key("transactions")} for line in invoice["LineItems"]]
    record = {k: v for k, v in invoice.items() if k != "LineItems"}
    return call.data.insert("vendor_invoices", {"Date": today, "AccountingDate": today, **record, "Details": lines})


_REPORT_FILTERS: dict[str, filters.Filter] = {
    "FilterByEmployee": filters.key_in("EmployeeKey"),
    "FilterByCompany": filters.key_in("CompanyKey"),
    "FilterByStatus": filters.one_of("Status"),
    **filters.modified("expense_reports"),
}


def list_expense_reports(call: Call) -> Content:
    rows = filters.select(call, "expense_reports", _REPORT_FILTERS)
    names = ("ExpenseReportKey", "EmployeeKey", "Description", "Date", "Status")
    return {"ExpenseReports": [present({n: r[n] for n in names}, call.quirks) for _, r in rows]}


def get_expense_reports(call: Call) -> Content:
    keys = requested(call, "RequestedExpenseReports", "expense_reports")
    held = [call.data.tables["expense_reports"][key] for key in keys]
    shown = [
        present(flat(call.data, "expense_reports", r, call.quirks) | {"Details": r["Details"]}, call.quirks)
        for r in held
    ]
    return {"ExpenseReports": shown}


_V2 = frozenset({2})
METHODS = {
    "ListGLAccounts": Method(list_gl_accounts),
    "GetGLAccounts": Method(get_gl_accounts),
    "ListVendorInvoices": Method(list_vendor_invoices, _V2),
    "GetVendorInvoices": Method(get_vendor_invoices, _V2),
    "CreateVendorInvoices": Method(create_vendor_invoices, _V2, writes=True),
    "ListExpenseReports": Method(list_expense_reports),
    "GetExpenseReports": Method(get_expense_reports),
}
