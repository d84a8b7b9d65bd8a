"""Columns of projects (one table for project, phase and task) and of what hangs on them (contract sections 11, 14)."""

from __future__ import annotations

from core.sandbox.crm.columns import table

FEE_COLUMNS = (
    "Fee",
    "FeeDirLab",
    "FeeDirExp",
    "ConsultFee",
    "ReimbAllow",
    "ReimbAllowExp",
    "ReimbAllowCons",
)
AJERA_AMOUNTS = tuple(
    f"Ajera{group}{part}"
    for group in ("Spent", "Cost", "WIP", "Billed", "Received")
    for part in ("Labor", "Reimbursable", "Consultant")
)
_FEES = {
    "Fee": "Compensation",
    "FeeDirLab": "Direct Labor",
    "FeeDirExp": "Direct Expense",
    "ConsultFee": "Direct Consultant",
    "ReimbAllow": "Reimbursable Allowance",
    "ReimbAllowExp": "Reimbursable Expense",
    "ReimbAllowCons": "Reimbursable Consultant",
}


def _fee_lines() -> str:
    lines = [f"{name} | Currency | 0 | {caption} |" for name, caption in _FEES.items()]
    for twin in ("BillingCurrency", "FunctionalCurrency"):
        lines += [f"{name}{twin} | Currency | 0 | {caption} ({twin}) |" for name, caption in _FEES.items()]
    return "\n".join(lines)


def _ajera_lines() -> str:
    return "\n".join(f"{name} | Currency | 0 | {_spaced(name)} | ajera" for name in AJERA_AMOUNTS)


def _spaced(name: str) -> str:
    for group in ("Spent", "Cost", "WIP", "Billed", "Received"):
        if name.startswith(f"Ajera{group}"):
            return f"{group} - {name.removeprefix(f'Ajera{group}')}"
    return name


PROJECT = table(
    "project",
    "PR",
    "Projects",
    ("WBS1", "WBS2", "WBS3"),
    """
WBS1 | WBS1 | 30 | Project Number | key req
WBS2 | WBS2 | 7 | Phase | key def=_
WBS3 | WBS3 | 7 | Task | key def=_
WBSNumber | String | 0 | WBS Number | calc
Name | Name | 40 | Short Name | req
LongName | String | 255 | Long Name |
ChargeType | Dropdown | 1 | Charge Type | req code=CFGChargeType
SubLevel | Checkbox | 1 | Sub Level | ro
Status | Dropdown | 1 | Status | req code=CFGProjectStatus
Principal | Employee | 20 | Principal | fk=employee
ProjMgr | Employee | 20 | Project Manager | fk=employee
Supervisor | Employee | 20 | Supervisor | fk=employee
ClientID | Firm | 32 | Primary Client | fk=firm
ClientName | String | 100 | Primary Client Name | calc
ContactID | Contact | 32 | Primary Contact | fk=contact
CLAddress | String | 20 | Client Address |
CLBillingAddr | String | 20 | Billing Address |
BillingClientID | Firm | 32 | Billing Client | fk=firm
BillingContactID | Contact | 32 | Billing Contact | fk=contact
Org | Org | 30 | Organization | fk=organization
ProjectType | Dropdown | 10 | Project Type | code=ProjectType
Responsibility | String | 20 | Responsibility |
Address1 | String | 50 | Address 1 |
Address2 | String | 50 | Address 2 |
Address3 | String | 50 | Address 3 |
City | String | 30 | City |
State | Dropdown | 10 | State | code=CFGStates
Zip | String | 10 | ZIP |
County | String | 50 | County |
Country | Dropdown | 2 | Country | code=CFGCountry
Phone | Phone | 24 | Phone |
Fax | Phone | 24 | Fax |
EMail | String | 50 | Email |
Memo | Memo | 0 | Memo |
Description | String | 255 | Description |
StartDate | Date | 0 | Contract Start |
EndDate | Date | 0 | End |
EstCompletionDate | Date | 0 | Estimated |
ActCompletionDate | Date | 0 | Actual |
ContractDate | Date | 0 | Contract Awarded |
BidDate | Date | 0 | Bid Submitted |
ProfServicesComplDate | Date | 0 | Professional Services |
ConstComplDate | Date | 0 | Construction |
ComplDateComment | String | 20 | Comment |
FirmCost | Currency | 0 | Firm Cost |
FirmCostComment | String | 20 | Firm Cost Comment |
TotalProjectCost | Currency | 0 | Total Project Cost |
TotalCostComment | String | 20 | Total Project Cost Comment |
PctComp | Numeric | 0 | Percent Complete | dec=4
LabPctComp | Numeric | 0 | Labor Percent Complete | dec=4
ExpPctComp | Numeric | 0 | Expense Percent Complete | dec=4
BudOHRate | Numeric | 0 | Budgeted OH Rate | dec=4
ProjectCurrencyCode | Dropdown | 3 | Project Currency | code=FW_CFGCurrency
BillingCurrencyCode | Dropdown | 3 | Billing Currency | code=FW_CFGCurrency
RevType | String | 10 | Revenue Method |
MultAmt | Numeric | 0 | Multiplier | dec=4
UnitTable | UnitTable | 30 | Unit Table |
BudgetedFlag | String | 1 | Budgeted | def=N
BudgetSource | String | 1 | Budget Source | def=N
BudgetLevel | String | 1 | Budget Level |
VersionID | Numeric | 0 | Version | ro
AvailableForCRM | Checkbox | 1 | Available to CRM Users | def=Y
ReadyForApproval | Checkbox | 1 | Available to Accounting Users | def=Y
ReadyForProcessing | Checkbox | 1 | Approved for Use in Processing |
WBS1ReadyForProcessing | Checkbox | 1 | Project Approved for Use in Processing | vp
FederalInd | Checkbox | 1 | Federal |
Referable | Checkbox | 1 | Referable |
ClientConfidential | Checkbox | 1 | Client Confidential |
ClientAlias | String | 255 | Client Alias |
ProposalWBS1 | WBS1 | 30 | Proposal Project |
OpportunityID | Opportunity | 32 | Opportunity | dps
Stage | Dropdown | 10 | Stage | vp code=CFGProjectStage
Probability | Numeric | 0 | Probability | vp
Revenue | Currency | 0 | Revenue | vp
Source | String | 50 | Source | vp
EstStartDate | Date | 0 | Estimated Start | vp
PlanStartDate | Date | 0 | Plan Start | vp
PlanEndDate | Date | 0 | Plan End | vp
BusinessDeveloperLead | Employee | 20 | Business Developer Lead | vp fk=employee
SiblingWBS1 | WBS1 | 30 | Sibling Project | vp
AjeraSync | Checkbox | 1 | Sync to Ajera | ajera
ProjectTemplate | Dropdown | 10 | Ajera Project Template | ajera code=@template
"""
    + _fee_lines()
    + "\n"
    + _ajera_lines(),
)

PROJECT_CONTACT = table(
    "project_contact",
    "PRContactAssoc",
    "Project Contacts",
    ("RecordID",),
    """
RecordID | RecordID | 32 | Record | key
WBS1 | WBS1 | 30 | Project | fk=project
WBS2 | WBS2 | 7 | Phase | def=_
WBS3 | WBS3 | 7 | Task | def=_
ContactID | Contact | 32 | Contact | req fk=contact
Role | Dropdown | 10 | Role | code=CFGContactRole
RoleDescription | Memo | 0 | Role Description |
PrimaryInd | Checkbox | 1 | Primary |
TeamStatus | String | 20 | Team Status | def=Active
AjeraSync | Checkbox | 1 | Ajera Sync | ajera
""",
)

PROJECT_TEAM = table(
    "project_team",
    "EMProjectAssoc",
    "Project Team",
    ("RecordID",),
    """
RecordID | RecordID | 32 | Record | key
WBS1 | WBS1 | 30 | Project | fk=project
WBS2 | WBS2 | 7 | Phase | def=_
WBS3 | WBS3 | 7 | Task | def=_
Employee | Employee | 20 | Employee | req fk=employee
Role | Dropdown | 10 | Role | code=CFGEmployeeRole
RoleDescription | Memo | 0 | Role Description |
TeamStatus | String | 20 | Team Status | def=Active
StartDate | Date | 0 | Start Date |
EndDate | Date | 0 | End Date |
CRMHours | Numeric | 0 | Hours | dec=4
""",
)

PROJECT_FIRM = table(
    "project_firm",
    "ClendorProjectAssoc",
    "Project Firms",
    ("RecordID",),
    """
RecordID | RecordID | 32 | Record | key
PKey | Numeric | 0 | Key | ro
WBS1 | WBS1 | 30 | Project | fk=project
WBS2 | WBS2 | 7 | Phase | def=_
WBS3 | WBS3 | 7 | Task | def=_
ClientID | Firm | 32 | Firm | req fk=firm
Role | Dropdown | 10 | Role | code=CFGClientRole
RoleDescription | Memo | 0 | Role Description |
TeamStatus | String | 20 | Team Status | def=Active
PrimaryInd | Checkbox | 1 | Primary |
IsClient | Checkbox | 1 | Client |
IsSubconsultant | Checkbox | 1 | Vendor |
Address | String | 20 | Address |
ClientConfidential | Checkbox | 1 | Client Confidential |
CostAmount | Currency | 0 | Cost Amount |
""",
)
