"""Every table of the emulated CRM by name, and the rows' keys."""

from __future__ import annotations

from typing import Any

from core.sandbox.crm.columns import TableSpec, table
from core.sandbox.crm.schema_firm import ADDRESS, ALIAS, CONTACT, FIRM
from core.sandbox.crm.schema_project import PROJECT, PROJECT_CONTACT, PROJECT_FIRM, PROJECT_TEAM

# Replies of the employee hub contain pay rates and social security numbers (contract section 12): a client that
# forgets fieldFilter must meet them here too.
EMPLOYEE = table(
    "employee",
    "EM",
    "Employees",
    ("Employee",),
    """
Employee | Employee | 20 | Employee Number | key req
EmployeeCompany | Company | 14 | Company |
HomeCompany | Company | 14 | Home Company |
FirstName | String | 25 | First |
MiddleName | String | 50 | Middle |
LastName | String | 50 | Last | req
PreferredName | String | 25 | Preferred Name |
Salutation | Dropdown | 10 | Salutation | code=CFGPrefix
Suffix | Dropdown | 150 | Suffix | code=CFGSuffix
ProfessionalSuffix | String | 150 | Professional Suffix |
Title | String | 50 | Title |
Status | Dropdown | 1 | Status | req code=CFGEmployeeStatus
Type | Dropdown | 1 | Labor Posting Type | req code=CFGEmployeeType
Org | Org | 30 | Organization | fk=organization
Supervisor | Employee | 20 | Supervisor | fk=employee
SupervisorName | String | 0 | Supervisor Name | calc
EMail | String | 50 | Email |
WorkPhone | Phone | 24 | Work Phone |
WorkPhoneExt | String | 8 | Work Phone Extension |
MobilePhone | Phone | 24 | Mobile |
HomePhone | Phone | 24 | Home Phone |
FAX | Phone | 24 | Fax |
Address1 | String | 50 | Address 1 |
Address2 | String | 50 | Address 2 |
Address3 | String | 50 | Address 3 |
City | String | 30 | City |
State | Dropdown | 10 | State | code=CFGStates
ZIP | String | 10 | ZIP |
Country | Dropdown | 40 | Country | code=CFGCountry
HireDate | Date | 0 | Hire Date |
RaiseDate | Date | 0 | Raise Date |
TerminationDate | Date | 0 | Termination Date |
ConsultantInd | Checkbox | 1 | Firm |
ClientVendorInd | String | 1 | Client or Vendor |
Vendor | Vendor | 20 | Vendor |
ClientID | Firm | 32 | Firm | fk=firm
BillingCategory | Numeric | 0 | Billing Category |
BillingCategoryCode | String | 10 | Billing Category Code |
HoursPerDay | Numeric | 0 | Hours per Day | dec=4 def=8
UtilizationRatio | Numeric | 0 | Utilization Ratio | dec=4
TargetRatio | Numeric | 0 | Target Ratio | dec=4
YearsOtherFirms | Numeric | 0 | Years with Other Firms |
PriorYearsFirm | Numeric | 0 | Prior Years with Firm |
PayRate | Currency | 0 | Pay Rate | secret
PayType | String | 1 | Pay Type | secret def=H
JobCostRate | Currency | 0 | Job Cost Rate | secret
JobCostType | String | 1 | Job Cost Type | secret def=H
ProvCostRate | Currency | 0 | Provisional Cost Rate | secret
ProvBillRate | Currency | 0 | Provisional Billing Rate | secret
SSN | String | 15 | Social Security Number | secret
AvailableForCRM | Checkbox | 1 | Available to CRM Users | def=Y
ReadyForApproval | Checkbox | 1 | Available to Accounting Users | def=Y
ReadyForProcessing | Checkbox | 1 | Approved for Use in Processing | def=Y
Memo | Memo | 0 | Memo |
flName | String | 0 | Name | calc
HasPhoto | Numeric | 0 | Has Photo | ro
PhotoModDate | Datetime | 0 | Photo Modified | ro
""",
)

ORGANIZATION = table(
    "organization",
    "Organization",
    "Organizations",
    ("Org",),
    """
Org | Org | 30 | Organization | key req
Name | Name | 50 | Name | req
Status | Dropdown | 1 | Status | def=A
""",
)

TABLES: dict[str, TableSpec] = {
    spec.name: spec
    for spec in (
        FIRM,
        CONTACT,
        PROJECT,
        EMPLOYEE,
        ADDRESS,
        PROJECT_CONTACT,
        PROJECT_TEAM,
        PROJECT_FIRM,
        ALIAS,
        ORGANIZATION,
    )
}
HUBS = ("firm", "contact", "project", "employee")

# (table, column) pairs that are looked up by value; everything else is scanned.
INDEXED: dict[str, tuple[str, ...]] = {
    "firm": ("Client", "Vendor", "ParentID"),
    "contact": ("ClientID",),
    "project": ("WBS1", "ClientID"),
    "address": ("ClientID",),
    "alias": ("ClientID",),
    "project_contact": ("WBS1", "ContactID"),
    "project_team": ("WBS1", "Employee"),
    "project_firm": ("WBS1", "ClientID"),
}


def wbs_key(*parts: Any) -> str:
    """The key of a project row: its used WBS parts, trimmed, joined by ``|``. Unused levels hold a single blank."""
    return "|".join(str(part).strip() for part in parts).rstrip("|")


def row_key(name: str, row: dict[str, Any]) -> str:
    """The key under which a row of a table is kept."""
    if name == "project":
        return wbs_key(row["WBS1"], row.get("WBS2", ""), row.get("WBS3", ""))
    return str(row[TABLES[name].keys[0]])
