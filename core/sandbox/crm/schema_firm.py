"""Columns of firms, their addresses and aliases, and of contacts (contract sections 9 and 10)."""

from __future__ import annotations

from core.sandbox.crm.columns import table

_BLOCK = {"Primary": "PrimaryInd", "Billing": "Billing", "Payment": "Payment"}
_BLOCK_PARTS = (
    "Address1",
    "Address2",
    "Address3",
    "Address4",
    "City",
    "State",
    "Zip",
    "Country",
    "Phone",
    "Fax",
    "Email",
)


def flattened() -> dict[str, tuple[str, str]]:
    """Flattened column -> (address flag, address column), e.g. PrimaryFax -> (PrimaryInd, FAX)."""
    return {
        f"{block}{part}": (flag, "FAX" if part == "Fax" else part)
        for block, flag in _BLOCK.items()
        for part in _BLOCK_PARTS
    }


_FLATTENED_TEXT = "\n".join(f"{name} | String | 0 | {name} | calc" for name in flattened())

FIRM = table(
    "firm",
    "Clendor",
    "Firm",
    ("ClientID",),
    """
ClientID | RecordID | 32 | Firm ID | key def=
Client | Uppercase | 20 | Firm Number |
Name | Name | 100 | Firm Name | req
SortName | String | 100 | Sort Name |
Status | Dropdown | 30 | Status | req code=CFGClientStatus
ClientInd | Checkbox | 1 | Client |
VendorInd | Checkbox | 1 | Vendor |
GovernmentAgency | Checkbox | 1 | Government Agency |
Competitor | Checkbox | 1 | Competitor |
Type | Dropdown | 10 | Market | code=CFGClientType
CurrentStatus | Dropdown | 50 | Relationship | code=CFGClientCurrentStatus
Category | Dropdown | 30 | Vendor Type | code=CFGVendorType
Vendor | Vendor | 20 | Vendor Number |
WebSite | String | 255 | Website |
Memo | Memo | 0 | Description |
Owner | Employee | 20 | Owner | fk=employee
Org | Org | 30 | Organization | fk=organization
ParentID | Firm | 32 | Parent | fk=firm
ParentName | String | 100 | Parent Name | calc
ParentLevel1 | Firm | 32 | Parent Level 1 | ro
ParentLevel2 | Firm | 32 | Parent Level 2 | ro
ParentLevel3 | Firm | 32 | Parent Level 3 | ro
ParentLevel4 | Firm | 32 | Parent Level 4 | ro
HasHierarchy | Numeric | 0 | Has Hierarchy | calc
FedID | String | 20 | Federal ID | secret
TypeOfTIN | String | 1 | Type of TIN | secret
Employees | Numeric | 0 | Employees |
AnnualRevenue | Currency | 0 | Annual Revenue |
ExportInd | Checkbox | 1 | Export |
PriorWork | Checkbox | 1 | Prior Work |
Recommend | Checkbox | 1 | Recommended |
DisadvBusiness | Checkbox | 1 | Disadvantaged Business |
MinorityBusiness | Checkbox | 1 | Minority Business |
SmallBusiness | Checkbox | 1 | Small Business |
WomanOwned | Checkbox | 1 | Woman Owned |
VetOwnedSmallBusiness | Checkbox | 1 | Veteran Owned Small Business |
DisabledVetOwnedSmallBusiness | Checkbox | 1 | Disabled Veteran Owned Small Business |
AlaskaNative | Checkbox | 1 | Alaska Native |
HBCU | Checkbox | 1 | HBCU |
HUBZone | Checkbox | 1 | HUBZone |
EightA | Checkbox | 1 | 8(a) |
Incumbent | Checkbox | 1 | Incumbent |
SpecialtyType | String | 20 | Specialty Type |
Specialty | String | 255 | Specialty |
AvailableForCRM | Checkbox | 1 | Available to CRM Users | def=Y
ReadyForApproval | Checkbox | 1 | Available to Accounting Users | def=Y
ReadyForProcessing | Checkbox | 1 | Approved for Use in Processing |
CustomCurrencyCode | Dropdown | 3 | Currency | code=FW_CFGCurrency
AjeraSync | Checkbox | 1 | Sync to Ajera | ajera
QBOID | String | 50 | QBOID | ro
QBOLastUpdated | Datetime | 0 | QBOLastUpdated | ro
SFID | String | 50 | SFID | ro
SFLastModifiedDate | Datetime | 0 | SFLastModifiedDate | ro
TLInternalKey | String | 50 | TLInternalKey | ro
TLSyncModDate | Datetime | 0 | TLSyncModDate | ro
IQID | String | 50 | IQID | ro
HasPhoto | Numeric | 0 | Has Photo | ro
PhotoModDate | Datetime | 0 | Photo Modified | ro
"""
    + _FLATTENED_TEXT,
)

ADDRESS = table(
    "address",
    "CLAddress",
    "CLAddress",
    ("CLAddressID",),
    """
ClientID | Firm | 32 | Firm | fk=firm
CLAddressID | RecordID | 32 | Address ID | key
Address | String | 20 | Firm Address | req
Addressee | String | 50 | Addressee |
Address1 | String | 50 | Address 1 |
Address2 | String | 50 | Address 2 |
Address3 | String | 50 | Address 3 |
Address4 | String | 50 | Address 4 |
City | String | 30 | City |
State | Dropdown | 10 | State | code=CFGStates
Zip | String | 10 | ZIP |
Country | Dropdown | 40 | Country | code=CFGCountry
Phone | Phone | 24 | Phone |
FAX | Phone | 24 | Fax |
Email | String | 50 | Email |
PhoneFormat | String | 24 | Phone Format |
FaxFormat | String | 24 | Fax Format |
PrimaryInd | Checkbox | 1 | Primary |
Billing | Checkbox | 1 | Billing |
Accounting | Checkbox | 1 | Accounting |
Payment | Checkbox | 1 | Payment |
TaxRegistrationNumber | String | 15 | Tax Registration Number |
TaxCountryCode | String | 2 | Tax Country Code |
StateDescription | String | 0 | State Description | calc
""",
)

ALIAS = table(
    "alias",
    "ClientAlias",
    "Firm Alias",
    ("PKey",),
    """
PKey | RecordID | 32 | Key | key
ClientID | Firm | 32 | Firm | fk=firm
Alias | String | 255 | Alias | req
""",
)

_FIRM_BLOCK = "\n".join(
    f"Firm{part} | String | 0 | Firm {part} | calc"
    for part in ("Address1", "Address2", "Address3", "Address4", "City", "State", "Zip", "Country", "Phone", "Fax")
)

CONTACT = table(
    "contact",
    "Contacts",
    "Contacts",
    ("ContactID",),
    """
ContactID | RecordID | 32 | Contact ID | key
ClientID | Firm | 32 | Firm | fk=firm
ClientName | String | 100 | Firm Name | calc
CLAddress | String | 20 | Firm Address |
Vendor | Vendor | 20 | Vendor |
VName | String | 100 | Vendor Name | calc
VEAddress | String | 20 | Vendor Address |
Salutation | Dropdown | 10 | Salutation | code=CFGPrefix
FirstName | String | 25 | First |
MiddleName | String | 50 | Middle |
LastName | String | 50 | Last | req
Suffix | Dropdown | 150 | Suffix | code=CFGSuffix
PreferredName | String | 25 | Preferred Name |
ProfessionalSuffix | String | 150 | Professional Suffix |
Title | String | 50 | Title |
Email | String | 50 | Email |
Phone | Phone | 24 | Business |
Fax | Phone | 24 | Fax |
CellPhone | Phone | 24 | Mobile |
HomePhone | Phone | 24 | Home |
Pager | Phone | 24 | Pager |
Address1 | String | 50 | Address 1 |
Address2 | String | 50 | Address 2 |
Address3 | String | 50 | Address 3 |
Address4 | String | 50 | Address 4 |
City | String | 30 | City |
State | Dropdown | 10 | State | code=CFGStates
Zip | String | 10 | ZIP |
Country | Dropdown | 40 | Country | code=CFGCountry
MailingAddress | String | 20 | Mailing Address |
FirmAddressDescription | String | 0 | Firm Address Description | calc
Company | String | 100 | Company |
ContactStatus | Dropdown | 1 | Status | code=CFGContactStatus def=A
PrimaryInd | Checkbox | 1 | Primary |
Billing | Checkbox | 1 | Billing |
Addressee | String | 50 | Addressee |
Type | Dropdown | 10 | Contact Type | code=CFGContactType
Source | String | 50 | Source |
Owner | Employee | 20 | Owner | fk=employee
Rating | String | 20 | Rating |
Market | String | 20 | Market |
Website | String | 255 | Website |
QualifiedStatus | String | 20 | Qualified Status | def=Qualified
StatusReason | String | 50 | Status Reason |
StatusDate | Datetime | 0 | Status Date |
CustomCurrencyCode | Dropdown | 3 | Currency | code=FW_CFGCurrency
Memo | Memo | 0 | Memo |
ProjectDescription | Memo | 0 | Project Description |
flName | String | 0 | Name | calc
AjeraSync | Checkbox | 1 | Ajera Sync | ajera
QBOID | String | 50 | QBOID | ro
SFID | String | 50 | SFID | ro
HasPhoto | Numeric | 0 | Has Photo | ro
PhotoModDate | Datetime | 0 | Photo Modified | ro
"""
    + _FIRM_BLOCK,
)
