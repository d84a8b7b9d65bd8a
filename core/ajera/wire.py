"""What Ajera sends, as pydantic models that accept absent, null and "" for everything that may be so.

The models read; nothing is written from them. An update must return the baseline exactly as it was read
(ajera-api 6.5), so the raw dict stays beside the model, unknown properties and digits of numbers included.
Property names are Ajera's own. Money is Decimal, read from the JSON text (`Reply.json(exact=True)`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, ValidationError

from core.errors import BadReply
from core.model.values import Side
from core.secret import Hidden
from core.text import safe_line

Raw = dict[str, Any]

KEY_DIGITS = 19  # of a whole number of 64 bits
LARGEST_EXPONENT = 400  # a few letters as "1e999999999" would fill the memory once they are written out

_STAMP = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[ T](\d\d):(\d\d):(\d\d)(?:\.(\d{1,7}))?\s*(?:(?:GMT|UTC)?\s*([+-])(\d\d):?(\d\d)|(?:GMT|Z))"
)
_DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:$|[T ])")
_US_DAY = re.compile(r"(\d\d?)/(\d\d?)/(\d{4})(?:$| )")


def read_stamp(text: str) -> datetime | None:
    """A LastModifiedDate (`2023-09-27 09:57:49.607 GMT-04:00 (Eastern ...)`, 6.1) as a moment in UTC.

    None where it is in no known form or names no zone.
    """
    match = _STAMP.match(text.strip())
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(match[n]) for n in range(1, 7))
    micro = int((match[7] or "0").ljust(6, "0")[:6])
    away = timedelta(hours=int(match[9] or 0), minutes=int(match[10] or 0))
    try:
        zone = timezone(-away if match[8] == "-" else away)
        return datetime(year, month, day, hour, minute, second, micro, tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def read_day(value: object) -> date | None:
    """A plain date in any of the forms of 6.1; None for absent, blank, unreadable and year 1."""
    text = value.strip() if isinstance(value, str) else ""
    if match := _DAY.match(text):
        parts = int(match[1]), int(match[2]), int(match[3])
    elif match := _US_DAY.match(text):
        parts = int(match[3]), int(match[1]), int(match[2])
    else:
        return None
    try:
        return date(*parts) if parts[0] > 1 else None
    except ValueError:
        return None


def read_text(value: object) -> str:
    """Text as sent; null is ""; a pick list (6.6) is its value; a number or flag its own text."""
    if value is None:
        return ""
    if isinstance(value, dict):
        value = value.get("Value")
        return "" if value is None else read_text(_flat(value))
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | Decimal | float):
        return str(value)
    raise ValueError("not a text")


def _flat(value: object) -> object:
    if isinstance(value, dict | list):
        raise ValueError("not a text")
    return value


def read_key(value: object) -> int | None:
    """A key; null, "" and 0 are none."""
    if isinstance(value, bool):
        raise ValueError("not a key")
    if isinstance(value, str):
        value = int(value) if value.strip() else 0
    if value is None or value == 0:
        return None
    if isinstance(value, Decimal) and value.is_finite() and value.adjusted() < KEY_DIGITS and value == int(value):
        value = int(value)
    if isinstance(value, int) and abs(value) < 10**KEY_DIGITS:
        return value
    raise ValueError("not a key")


def read_flag(value: object) -> bool:
    if isinstance(value, str):
        return value.strip().casefold() in ("true", "y", "yes", "1")
    return bool(value)


def read_amount(value: object) -> Decimal | None:
    """A number without any binary float in between; None where there is none."""
    if value is None or isinstance(value, bool) or value == "":
        return None
    try:
        amount = Decimal(value if isinstance(value, int | Decimal) else str(value).strip().replace(",", ""))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and abs(amount.adjusted()) <= LARGEST_EXPONENT else None


def _list(value: object) -> object:
    """A list; null, "" and absent are empty, a single object is a list of one."""
    if value in (None, ""):
        return []
    return [value] if isinstance(value, dict) else value


def _object(value: object) -> object:
    return None if value == "" else value


Str = Annotated[str, BeforeValidator(read_text)]
Key = Annotated[int | None, BeforeValidator(read_key)]
Flag = Annotated[bool, BeforeValidator(read_flag)]
Amount = Annotated[Decimal | None, BeforeValidator(read_amount)]
Day = Annotated[date | None, BeforeValidator(read_day)]


class Wire(BaseModel):
    """Base: unknown properties are no error and are not kept here (the raw dict keeps them)."""

    model_config = ConfigDict(extra="ignore", frozen=True)


W = TypeVar("W", bound=Wire)


def validated(model: type[W], raw: Mapping[str, Any], method: str) -> W:
    """A wire model; a misfit is a BadReply that names properties, never values."""
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        places = sorted({safe_line(".".join(map(str, item["loc"])), 60) for item in error.errors(include_input=False)})
    raise BadReply(Side.AJERA, f"Ajera's answer to {method} has an unreadable {', '.join(places[:5])}")


class ErrorItem(Wire):
    ErrorID: Amount = None
    ErrorMessage: Str = ""


class Envelope(Wire):
    """Every answer (3.2). `Content` may be missing, null or "" on failure."""

    ResponseCode: Amount = None
    Message: Str = ""
    Errors: Annotated[list[ErrorItem], BeforeValidator(_list)] = []
    Content: Annotated[Any, BeforeValidator(lambda value: value if isinstance(value, dict) else {})] = {}
    UsageKey: Str = ""


class TimesheetRights(Wire):
    UserHasAccess: Flag = True
    TimeStartOfWeek: Str = ""


class SessionContent(Wire):
    """What is wanted of a session (2.1). ICRConfigFile holds other parties' secrets: never read."""

    SessionToken: Annotated[Hidden, PlainValidator(lambda value: Hidden(read_text(value)))] = Field(repr=False)
    SessionExpiration: Str = ""
    CompanyName: Str = ""
    AjeraVersion: Str = ""
    Timesheets: Annotated[TimesheetRights | None, BeforeValidator(_object)] = None


class ContactEntry(Wire):
    ContactKey: Key = None
    Order: Amount = None
    Text: Str = ""


Entries = Annotated[list[ContactEntry], BeforeValidator(_list)]


class Person(Wire):
    EmployeeKey: Key = None


People = Annotated[Person | None, BeforeValidator(_object)]


class Client(Wire):
    """7.2, what the mapping needs by name; mapped fields are read from the raw dict."""

    ClientKey: Key
    LastModifiedDate: Str = ""
    Description: Str = ""
    AccountID: Str = ""
    Contacts: Entries = []
    MailingAddressSameAsPrimary: Flag = False


class Contact(Wire):
    """8.2."""

    ContactKey: Key
    LastModifiedDate: Str = ""
    FirstName: Str = ""
    MiddleName: Str = ""
    LastName: Str = ""
    Company: Str = ""
    ContactClientKey: Key = None
    ContactTypeDescription: Str = ""


class Employee(Wire):
    """9.2 after the sensitive properties were dropped (mapping.harmless_employee)."""

    EmployeeKey: Key
    LastModifiedDate: Str = ""
    FirstName: Str = ""
    LastName: Str = ""
    IsProjectManager: Flag = False
    IsPrincipal: Flag = False
    EmployeeTypeKey: Key = None
    EmployeeTypeDescription: Str = ""
    DateRehired: Day = None
    DateTerminated: Day = None
    Status: Str = ""


class Billed(Wire):
    """How work is billed: the same on projects and phases (10.2)."""

    Description: Str = ""
    BillingType: Str = ""
    BillLaborAsTE: Flag = False
    BillExpenseAsTE: Flag = False
    BillConsultantAsTE: Flag = False

    @property
    def terms(self) -> tuple[str, bool, bool, bool]:
        return (self.BillingType, self.BillLaborAsTE, self.BillExpenseAsTE, self.BillConsultantAsTE)


class Phase(Billed):
    PhaseKey: Key = None
    DepartmentKey: Key = None
    Phases: Annotated[list[Phase], BeforeValidator(_list)] = []


class GroupClient(Wire):
    ClientKey: Key = None


class InvoiceGroup(Wire):
    """v1 nests `Client`, v2 has a flat `ClientKey` (10.2); templates may have none."""

    InvoiceGroupKey: Key = None
    Description: Str = ""
    Client: Annotated[GroupClient | None, BeforeValidator(_object)] = None
    ClientKey: Key = None
    InvoiceFormatKey: Key = None
    Phases: Annotated[list[Phase], BeforeValidator(_list)] = []

    @property
    def client(self) -> int | None:
        return (self.Client.ClientKey if self.Client else None) or self.ClientKey


class Project(Billed):
    """10.2, version 1: nested. Also the shape of a template (10.7), which has no ProjectKey."""

    ProjectKey: Key = None
    ProjectTemplateKey: Key = None
    LastModifiedDate: Str = ""
    ID: Str = ""
    Status: Str = ""
    SyncToCRM: Flag = False
    CreateInCRM: Flag = False
    CRMFinalSync: Flag = False
    CompanyKey: Key = None
    DepartmentKey: Key = None
    ProjectTypeKey: Key = None
    RateTableKey: Key = None
    Notes: Str = ""
    ProjectManager: People = None
    PrincipalInCharge: People = None
    EstimatedStartDate: Day = None
    ActualStartDate: Day = None
    Contacts: Entries = []
    InvoiceGroups: Annotated[list[InvoiceGroup], BeforeValidator(_list)] = []
    Phases: Annotated[list[Phase], BeforeValidator(_list)] = []

    @property
    def top_phases(self) -> list[Phase]:
        """Phases of all invoice groups (templates may hold them directly)."""
        return [phase for group in self.InvoiceGroups for phase in group.Phases] + list(self.Phases)


class ReferenceRow(Wire):
    """A row of a reference list (11); `key` and `name` are filled by the reader from the list's own names."""

    key: int
    name: Str = ""
    Status: Str = "Active"
    OverheadPercent: Amount = None

    @property
    def active(self) -> bool:
        return self.Status.casefold() in ("", "active")


class SheetRow(Wire):
    """A row of ListTimesheets; names with spaces (12.1)."""

    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True)
    key: Key = Field(alias="Timesheet Key")
    day: Day = Field(default=None, alias="Timesheet Date")
    employee: Key = Field(default=None, alias="Employee Key")


class SheetPart(Wire):
    Detail: Annotated[list[Raw], BeforeValidator(_list)] = []


class Timesheet(Wire):
    """12.2; day values are read from the rows by name."""

    TimesheetKey: Key
    TimesheetDate: Day = None
    EmployeeKey: Key = None
    Project: Annotated[SheetPart | None, BeforeValidator(_object)] = None
