"""The four hubs: paths, keys, and the columns a sync reads of each (contract sections 9 to 12)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from core.model.values import Kind

STAMPS: Final = ("ModDate", "ModUser")
ADDRESS_PARTS: Final = ("Address1", "Address2", "Address3", "Address4", "City", "State", "Zip", "Country")
PRIMARY: Final = tuple(f"Primary{part}" for part in ADDRESS_PARTS)

# Flattened column of a firm -> column of its primary address row. Writing the flattened one may do nothing (section 9).
ROW_COLUMNS: Final[Mapping[str, str]] = {"PrimaryPhone": "Phone", "PrimaryFax": "FAX", "PrimaryEmail": "Email"}


@dataclass(frozen=True, slots=True)
class Hub:
    """One hub. `tables` are the names its table has in metadata, the likeliest first; `extra` columns are read for
    rules and screens beside the mapped ones. Nothing of an employee's pay or person is ever asked for."""

    kind: Kind
    path: str
    key: str
    tables: tuple[str, ...]
    number: str = ""
    name: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()


HUBS: Final[Mapping[Kind, Hub]] = {
    Kind.FIRM: Hub(
        Kind.FIRM,
        "firm",
        "ClientID",
        ("clendor", "firm", "cl"),
        "Client",
        ("Name",),
        ("ClientInd", "VendorInd", "Status", "Owner"),
    ),
    Kind.CONTACT: Hub(
        Kind.CONTACT,
        "contact",
        "ContactID",
        ("contacts", "contact", "co"),
        "",
        ("FirstName", "MiddleName", "LastName"),
        ("ClientID", "CLAddress", "PrimaryInd", "QualifiedStatus"),
    ),
    Kind.PROJECT: Hub(
        Kind.PROJECT,
        "project",
        "WBS1",
        ("pr", "project", "projects"),
        "WBS1",
        ("Name", "LongName"),
        ("WBS2", "WBS3", "ChargeType", "SubLevel", "Status", "SiblingWBS1", "Stage", "Org"),
    ),
    Kind.EMPLOYEE: Hub(
        Kind.EMPLOYEE,
        "employee",
        "Employee",
        ("em", "employee", "emmain"),
        "Employee",
        ("FirstName", "LastName"),
        ("EmployeeCompany", "HomeCompany", "Status", "Type"),
    ),
}
PROJECT_CONTACTS: Final = "prcontactassoc"
ADDRESSES: Final = "claddress"
TEAM: Final = "emprojectassoc"

# What a new record always says; the settings' defaults and the draft's fields come on top (sync-rules 5).
# E is the documented code of an employee's Labor Posting Type (section 12), which tenants require.
FIRST_VALUES: Final[Mapping[Kind, Mapping[str, str]]] = {
    Kind.FIRM: {"ClientInd": "Y", "Status": "A"},
    Kind.CONTACT: {},
    Kind.PROJECT: {"ChargeType": "R", "Status": "A"},
    Kind.EMPLOYEE: {"Status": "A", "Type": "E"},
}
