"""An architect's office at work: people of both systems, each of whose edits is counted and remembered.

What a person did is told in the words of the two systems' own tables, never in the engine's.
"""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from core.crm.client import CrmClient
from core.crm.options import CrmOptions
from core.crm.session import Login, Session
from core.crm.system import CrmSystem
from core.model.values import Kind, Side
from core.ports import RunRecord
from core.sandbox.ajera.vocabulary import TOTALS
from core.sandbox.crm.app import PREFIX
from tests.engine.kit import World, ajera_project, crm_project

SSN, PAY_RATE = "912-34-5678", "41.3729"
ORG = "NE:AR"
DEFAULTS = {Kind.PROJECT: {"Org": ORG}, Kind.EMPLOYEE: {"Org": ORG, "Type": "E"}}


class Office(World):
    """A world whose settings name the organization of new employees too, as `doctor` asks for."""

    def _crm_system(self) -> CrmSystem:
        http = self._http(Side.CRM, f"http://localhost{PREFIX}", self.crm_app)
        data = self.crm
        login = Login(data.database, data.username, data.password, data.client_id, data.client_secret)
        options = CrmOptions(
            database=data.database, quirks=self.quirks[1], defaults=DEFAULTS, mark_columns=self.mark_columns
        )
        return CrmSystem(CrmClient(http, Session(http, login)), self.settings.rules.fields, options, now=self.clock.now)

    mark_columns: Mapping[str, str] = {}


@dataclass(frozen=True)
class Edit:
    """What one person saved: the table's own column names and values."""

    number: int
    side: Side
    table: str
    key: str
    what: str
    values: Mapping[str, Any] = field(default_factory=dict)


class People:
    """Everybody who edits in either system, a few minutes apart; `edits` is what they did, in order."""

    def __init__(self, world: World, pace: float = 4) -> None:
        self.world, self.pace = world, pace
        self.edits: list[Edit] = []

    def note(self, side: Side, table: str, key: object, what: str, values: Mapping[str, Any] | None = None) -> None:
        self.edits.append(Edit(len(self.edits) + 1, side, table, str(key), what, dict(values or {})))

    def _wait(self) -> None:
        self.world.clock.forward(minutes=self.pace)

    # -- any record ------------------------------------------------------------------------------

    def crm(self, what: str, table: str, key: str, **values: Any) -> None:
        self._wait()
        self.world.crm.edit(table, key, values)
        self.note(Side.CRM, table, key, what, values)

    def crm_new(self, what: str, table: str, **values: Any) -> str:
        self._wait()
        key = self.world.crm.insert(table, values)
        self.note(Side.CRM, table, key, what, values)
        return key

    def crm_gone(self, what: str, table: str, key: str) -> None:
        self._wait()
        self.world.crm.delete(table, key)
        self.note(Side.CRM, table, key, what)

    def ajera(self, what: str, table: str, key: int, **values: Any) -> None:
        self._wait()
        self.world.ajera.edit(table, key, values)
        self.note(Side.AJERA, table, key, what, values)

    def ajera_new(self, what: str, table: str, **values: Any) -> int:
        self._wait()
        key = self.world.ajera.insert(table, values)
        self.note(Side.AJERA, table, key, what, values)
        return key

    def ajera_gone(self, what: str, table: str, key: int) -> None:
        self._wait()
        self.world.ajera.delete(table, key)
        self.note(Side.AJERA, table, key, what)

    # -- what takes more than one row ------------------------------------------------------------

    def crm_firm(self, name: str, address: Mapping[str, str] | None = None, **values: Any) -> str:
        row = {"Name": name, "ClientInd": "Y", "Status": "A", "AjeraSync": "N", **values}
        key = self.crm_new("a new firm", "firm", **row)
        at = {"Address1": "1 High St", "City": "Austin", "State": "TX", "Zip": "78701", **(address or {})}
        crm_address(self.world, key, **at)
        return key

    def crm_contact(self, first: str, last: str, firm: str, **values: Any) -> str:
        row = {"FirstName": first, "LastName": last, "ClientID": firm, "ContactStatus": "A", **values}
        return self.crm_new("a new contact", "contact", **row)

    def crm_project(self, number: str, name: str, client: str, **values: Any) -> str:
        self._wait()
        key = crm_project(self.world.crm, number, name, client, **values)
        self.note(Side.CRM, "project", key, "a new project", values)
        return key

    def ajera_project(self, number: str, name: str, client: int, **values: Any) -> int:
        self._wait()
        key = ajera_project(self.world.ajera, number, name, client, **values)
        self.note(Side.AJERA, "projects", key, "a new project", values)
        return key

    def ajera_contact(self, first: str, last: str, client: int, **values: Any) -> int:
        key = self.ajera_new("a new contact", "contacts", FirstName=first, LastName=last, **values)
        self.into_list(client, key)
        return key

    def into_list(self, client: int, contact: int) -> None:
        held = self.world.ajera.tables["clients"][client]["Contacts"]
        entry = {"ContactKey": contact, "Order": len(held) + 1, "Text": ""}
        self.world.ajera.edit("clients", client, {"Contacts": [*held, entry]})

    def address(self, firm: str, what: str, **values: Any) -> None:
        (row,) = [r for r in self.world.crm.rows("address", "ClientID", firm) if r["PrimaryInd"] == "Y"]
        self.crm(what, "address", row["CLAddressID"], **values)

    # -- Ajera's books ---------------------------------------------------------------------------

    def time(self, employee: int, project: int, hours: str) -> None:
        """Somebody posts time of today on the project's first phase."""
        self._wait()
        data = self.world.ajera
        data.post_time(
            employee,
            project,
            data.children["phases"][project][0],
            self.today,
            Decimal(hours),
            min(data.tables["activities"]),
        )
        self.note(Side.AJERA, "timesheets", employee, f"posted {hours} h on {project}")

    def invoice(self, project: int, **amounts: str) -> None:
        """Accounting bills: unbilled work becomes billed. The project's own stamp does not move."""
        self._wait()
        add_totals(self.world, project, **amounts)
        self.note(Side.AJERA, "totals", project, "an invoice")

    def receipt(self, project: int, **amounts: str) -> None:
        self._wait()
        add_totals(self.world, project, **amounts)
        self.note(Side.AJERA, "totals", project, "a receipt")

    @property
    def today(self) -> date:
        return (self.world.clock.at - timedelta(hours=6)).date()

    # -- the operator of this program ------------------------------------------------------------

    def tick(self, kind: Kind, *keys: str, on: bool = True, **where: Any) -> None:
        self._wait()
        marked = self.world.service.mark(kind, list(keys), on, **where)
        assert not marked.refused, marked.refused
        for key in keys:
            self.note(Side.CRM, f"tick of a {kind}", key, "ticked" if on else "unticked")

    async def run(self) -> RunRecord:
        """A run of the schedule."""
        self._wait()
        return await self.world.service.run(trigger="schedule")


def add_totals(world: World, project: int, **amounts: str) -> None:
    """Add to running totals; `Billed_Labor` is `Billed Labor`."""
    held = world.ajera.tables["totals"].setdefault(project, dict.fromkeys(TOTALS, 0))
    for name, amount in amounts.items():
        spaced = name.replace("_", " ")
        assert spaced in TOTALS
        held[spaced] = Decimal(str(held[spaced])) + Decimal(amount)


def crm_address(world: World, firm: str, **values: str) -> str:
    row = {"ClientID": firm, "Address": "Main", "Country": "US", "PrimaryInd": "Y", **values}
    return world.crm.insert("address", row)


def ajera_employee(world: World, first: str, last: str, type_: str, **values: Any) -> int:
    """An employee with all that nobody else may see."""
    types = world.ajera.tables["employee_types"]
    kind = next(key for key, row in types.items() if row["Description"] == type_)
    record = {
        "FirstName": first,
        "LastName": last,
        "Title": type_,
        "EmployeeTypeKey": kind,
        "Email": f"{first}.{last}@cedarstone.example".lower(),
        "PrimaryPhoneNumber": "617-555-0100",
        "DateHired": "2019-04-01",
        "SocialSecurityNumber": SSN,
        "PayRates": [{"PayRate": float(PAY_RATE), "EffectiveDate": "2024-01-01"}],
        "BirthDate": "1980-02-29",
        **values,
    }
    return world.ajera.insert("employees", record)


def crm_employee(world: World, number: str, first: str, last: str, **values: Any) -> str:
    row = {
        "Employee": number,
        "FirstName": first,
        "LastName": last,
        "Status": "A",
        "Type": "E",
        "Org": ORG,
        "EMail": f"{first}.{last}@cedarstone.example".lower(),
        "HireDate": "2019-04-01",
        "SSN": SSN,
        **values,
    }
    return world.crm.insert("employee", row)


def type_key(world: World, table: str, text: str) -> int:
    """The key of a row of one of Ajera's lists."""
    return next(key for key, row in world.ajera.tables[table].items() if row["Description"] == text)


@asynccontextmanager
async def an_office(**options: Any) -> AsyncIterator[Office]:
    """An office over a store of its own, closed afterwards. `columns` names tick columns of the CRM."""
    columns = options.pop("columns", {})
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as root:
        Office.mark_columns = columns
        world = Office(Path(root) / "state", **options)
        try:
            yield world
        finally:
            Office.mark_columns = {}
            await world.close()
