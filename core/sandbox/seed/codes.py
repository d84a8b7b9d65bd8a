"""The lists of types on both sides. They agree by description, but for a few entries that only one side has."""

from __future__ import annotations

from core.sandbox.crm.codetables import TEMPLATE_TABLE
from core.sandbox.seed.employees import TYPES as EMPLOYEE_TYPES
from core.sandbox.seed.names import FIRM_FORMS
from core.sandbox.seed.projects import PROJECT_TYPES
from core.sandbox.seed.templates import DRIFTED_CODE, DRIFTED_TEMPLATE, TEMPLATES

#: Entries that only one of the systems has.
AJERA_ONLY_CLIENT_TYPE, CRM_ONLY_CLIENT_TYPE = "Religious", "Non-Profit"
AJERA_ONLY_PROJECT_TYPE, CRM_ONLY_PROJECT_TYPE = "Forensics", "Sustainability"
AJERA_ONLY_EMPLOYEE_TYPE, CRM_ONLY_ROLE = "Intern", "Specifications Writer"

AJERA_LISTS: dict[str, tuple[str, ...]] = {
    "client_types": (*FIRM_FORMS, AJERA_ONLY_CLIENT_TYPE),
    "project_types": (*PROJECT_TYPES, AJERA_ONLY_PROJECT_TYPE),
    "contact_types": ("Client", "Billing", "Technical", "Consultant"),
    "rate_tables": ("Standard Rates", "Government Rates", "On-Call Rates"),
    "wage_tables": ("Standard Wages",),
    "invoice_formats": ("Standard", "Detailed with Backup", "AIA Style"),
    "pays": ("Regular", "Overtime", "Vacation", "Holiday"),
    "payroll_taxes": ("Federal Income Tax", "Social Security", "Medicare", "State Income Tax"),
    "deductions": ("401(k)", "Health Insurance", "Parking"),
    "fringes": ("401(k) Match", "Health Insurance - Employer"),
    "bank_accounts": ("Operating Account", "Payroll Account"),
    "account_groups": ("Current Assets", "Fixed Assets", "Liabilities", "Revenue", "Direct Costs", "Overhead"),
    "marketing_stages": ("Lead", "Proposal", "Interview", "Negotiation"),
    "marketing_final_dispositions": ("Won", "Lost", "Declined"),
    "overhead_groups": ("Standard",),
    "attachment_categories": ("Contract", "Invoice", "Receipt"),
}
DEPARTMENTS = (("Architecture", 152), ("Engineering", 147), ("Landscape", 140), ("Administration", 0))
ACTIVITIES = (
    ("Design", False, False),
    ("Drafting", False, False),
    ("Meetings", False, False),
    ("Site Visit", False, False),
    ("Mileage", True, True),
    ("Printing", True, True),
    ("Structural Consultant", False, False),
)
GL_ACCOUNTS = (
    ("1000", "Operating Account", "Asset", 1),
    ("1200", "Accounts Receivable", "Asset", 1),
    ("1500", "Furniture and Equipment", "Asset", 2),
    ("2000", "Accounts Payable", "Liability", 3),
    ("4000", "Fees - Labor", "Income", 4),
    ("4100", "Fees - Consultants", "Income", 4),
    ("5000", "Direct Labor", "Expense", 5),
    ("5100", "Consultant Costs", "Expense", 5),
    ("6000", "Rent", "Expense", 6),
    ("6100", "Insurance", "Expense", 6),
)


def short_code(description: str) -> str:
    """A code of at most ten characters, as administrators make them."""
    return "".join(c for c in description.upper() if c.isalnum())[:10]


#: Codes that the CRM itself gives to two of the roles.
SYSTEM_ROLES = {"Principal": "sysPR", "Project Manager": "sysPM"}


def _by_name(*descriptions: str) -> dict[str, str]:
    return {SYSTEM_ROLES.get(text, short_code(text)): text for text in descriptions}


#: The CRM's lists that have a twin in Ajera, and the list of Ajera's templates: code -> description, in order.
CRM_TABLES: dict[str, dict[str, str]] = {
    "CFGClientType": _by_name(*FIRM_FORMS, CRM_ONLY_CLIENT_TYPE),
    "ProjectType": _by_name(*PROJECT_TYPES, CRM_ONLY_PROJECT_TYPE),
    "CFGEmployeeRole": _by_name(*EMPLOYEE_TYPES, CRM_ONLY_ROLE),
    TEMPLATE_TABLE: {t.code: t.name for t in TEMPLATES} | {DRIFTED_CODE: DRIFTED_TEMPLATE},
}
#: Table -> description -> code.
CODE_OF: dict[str, dict[str, str]] = {
    table: {text: code for code, text in rows.items()} for table, rows in CRM_TABLES.items()
}
EMPLOYEE_TYPE_RATES = dict(zip(EMPLOYEE_TYPES, (245, 195, 165, 170, 168, 150, 125, 105, 135, 85), strict=True))
