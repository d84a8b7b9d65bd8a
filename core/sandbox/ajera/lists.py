"""The reference lists, all alike (contract 7.4, 8.4, 9.4, 10.8, 11)."""

from __future__ import annotations

from core.sandbox.ajera import filters
from core.sandbox.ajera.call import AUTH_ERROR, Call, Content, Handler, Method, Refused
from core.sandbox.ajera.schema import TABLES

_STATUS: dict[str, filters.Filter] = {"FilterByStatus": filters.one_of("Status")}
_LIKE: dict[str, filters.Filter] = {"FilterByDescriptionLike": filters.like("Description")}

_LISTS = {
    "ListClientTypes": ("ClientTypes", "client_types"),
    "ListContactTypes": ("ContactTypes", "contact_types"),
    "ListEmployeeTypes": ("EmployeeTypes", "employee_types"),
    "ListProjectTypes": ("ProjectTypes", "project_types"),
    "ListCompanies": ("Companies", "companies"),
    "ListDepartments": ("Departments", "departments"),
    "ListActivities": ("Activities", "activities"),
    "ListRateTables": ("RateTables", "rate_tables"),
    "ListWageTables": ("WageTables", "wage_tables"),
    "ListInvoiceFormats": ("InvoiceFormats", "invoice_formats"),
    "ListPays": ("Pays", "pays"),
    "ListPayrollTaxes": ("PayrollTaxes", "payroll_taxes"),
    "ListDeductions": ("Deductions", "deductions"),
    "ListFringes": ("Fringes", "fringes"),
    "ListBankAccounts": ("BankAccounts", "bank_accounts"),
    "ListAccountGroups": ("AccountGroups", "account_groups"),
    "ListMarketingStages": ("MarketingStages", "marketing_stages"),
    "ListMarketingFinalDispositions": ("MarketingFinalDispositions", "marketing_final_dispositions"),
    "ListOverheadGroups": ("OverheadGroups", "overhead_groups"),
    "ListAttachmentCategories": ("AttachmentCategories", "attachment_categories"),
}


def _list(name: str, content_key: str, table: str) -> Handler:
    known = _STATUS | (_LIKE if name == "ListActivities" else {})
    columns = tuple(TABLES[table].kinds)

    def handler(call: Call) -> Content:
        if name == "ListAccountGroups" and call.quirks.authorizing_employee == "no":
            raise Refused("The API user has no authorizing employee.", AUTH_ERROR)
        rows = filters.select(call, table, known)
        return {content_key: [{column: record[column] for column in columns} for _, record in rows]}

    return handler


METHODS = {name: Method(_list(name, *target)) for name, target in _LISTS.items()}
