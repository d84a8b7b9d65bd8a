"""Ajera's own names per kind: methods, list keys, key properties, and how errors read (ajera-api 4, 7 to 12)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from core.model.values import Kind


@dataclass(frozen=True, slots=True)
class Entity:
    """What one kind is called on the wire. `batch` is how many keys one Get may ask for (5)."""

    plural: str
    key: str
    batch: int = 25

    @property
    def list_method(self) -> str:
        return f"List{self.plural}"

    @property
    def get_method(self) -> str:
        return f"Get{self.plural}"

    @property
    def update_method(self) -> str:
        return f"Update{self.plural}"

    @property
    def requested(self) -> str:
        return f"Requested{self.plural}"

    @property
    def updated(self) -> str:
        return f"Updated{self.plural}"

    @property
    def unchanged(self) -> str:
        return f"Unchanged{self.plural}"

    @property
    def counter(self) -> str:
        return f"NumberOf{self.plural}Updated"


ENTITIES: Final[dict[Kind, Entity]] = {
    Kind.FIRM: Entity("Clients", "ClientKey", 50),
    Kind.CONTACT: Entity("Contacts", "ContactKey", 50),
    Kind.EMPLOYEE: Entity("Employees", "EmployeeKey", 50),
    Kind.PROJECT: Entity("Projects", "ProjectKey", 25),
}


@dataclass(frozen=True, slots=True)
class Reference:
    """One reference list: method, Content property, key property, property of the name (11)."""

    method: str
    content: str
    key: str
    name: str = "Description"


REFERENCES: Final[dict[str, Reference]] = {
    "ClientTypeKey": Reference("ListClientTypes", "ClientTypes", "ClientTypeKey"),
    "ContactTypeKey": Reference("ListContactTypes", "ContactTypes", "ContactTypeKey"),
    "ProjectTypeKey": Reference("ListProjectTypes", "ProjectTypes", "ProjectTypeKey"),
    "EmployeeTypeKey": Reference("ListEmployeeTypes", "EmployeeTypes", "EmployeeTypeKey"),
    "DepartmentKey": Reference("ListDepartments", "Departments", "DepartmentKey", "Department"),
    "RateTableKey": Reference("ListRateTables", "RateTables", "RateTableKey"),
    "InvoiceFormatKey": Reference("ListInvoiceFormats", "InvoiceFormats", "InvoiceFormatKey"),
    "CompanyKey": Reference("ListCompanies", "Companies", "CompanyKey"),
}

# Texts are not published (16): these are the words that any wording of the meaning would hold.
SESSION_WORDS: Final = ("session",)
ACCESS_WORDS: Final = ("unauthorized method", "not authorized", "permission")
LOGIN_WORDS: Final = ("unable to authenticate", "invalid user", "invalid password")
RATE_WORDS: Final = ("too many requests", "rate limit", "throttl", "requests per second")
STALE_WORDS: Final = ("another user", "modified by", "has been modified", "was changed", "changed since", "out of date")
NOTHING_WORDS: Final = ("no change", "no difference", "nothing to update", "not changed", "no modification")
THERE_WORDS: Final = ("already exist", "duplicate", "must be unique", "already in use")
GENERIC_ERROR: Final = "An error has occurred."
AUTH_ERROR: Final = -150

SUCCESS_CODES: Final = frozenset({0, 200})
TIMESHEET_ROWS: Final = 500  # ListTimesheets cuts here without a word (5)
TIMESHEET_BATCH: Final = 10
TIMESHEET_DAYS: Final = 7
