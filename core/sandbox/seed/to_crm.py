"""Writes a world into the tables of the emulated CRM."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import Any

from core.sandbox.crm.codetables import TEMPLATE_TABLE
from core.sandbox.crm.data import CrmData
from core.sandbox.seed.codes import CODE_OF, CRM_TABLES
from core.sandbox.seed.places import FOREIGN_STATES, Address
from core.sandbox.seed.world import Contact, Employee, Firm, Phase, Project, World

Row = dict[str, Any]
USERS = ("jsmith", "mlopez", "kchen", "ADMIN")
ORGANIZATIONS = (("NE:AR", "Northeast Architecture"), ("NE:EN", "Northeast Engineering"))


def flag(value: object) -> str:
    """``Y`` or ``N``."""
    return "Y" if value else "N"


class CrmWriter:
    """One pass over a world; keys are noted on the world's records."""

    def __init__(self, data: CrmData, rng: Random, now: datetime) -> None:
        self.data, self.rng, self.now = data, rng, now

    def write(self, world: World) -> None:
        """Lists, employees, firms (parents first), contacts, projects with what hangs on them."""
        self.write_lists()
        for employee in world.employees:
            if employee.on_crm:
                self.write_employee(employee)
        for firm in sorted(world.firms, key=lambda f: f.parent is not None):
            if firm.on_crm:
                self.write_firm(firm)
        for contact in world.contacts:
            if contact.on_crm:
                self.write_contact(contact)
        for project in world.projects:
            if project.on_crm:
                self.write_project(project)

    def insert(self, table: str, row: Row) -> str:
        """Insert with a moment in the last two years and somebody of the office as its maker."""
        stamp = self.now - timedelta(seconds=self.rng.randrange(3600, 2 * 365 * 86400))
        return self.data.insert(table, row, stamp=stamp, user=self.rng.choice(USERS))

    def write_lists(self) -> None:
        """The lists that have a twin in Ajera replace those of an empty tenant; foreign states are added."""
        for table, rows in CRM_TABLES.items():
            self.data.code_tables[table] = [
                {"Code": code, "Description": text, "Seq": seq, "Status": "A"}
                for seq, (code, text) in enumerate(rows.items(), 1)
            ]
        states = self.data.code_tables["CFGStates"]
        known = {row["Code"] for row in states}
        for code, (name, country) in FOREIGN_STATES.items():
            if code not in known:
                more = {"Seq": len(states) + 1, "Status": "A", "Country": country}
                states.append({"Code": code, "Description": name, **more})
        for code, name in ORGANIZATIONS:
            self.data.insert("organization", {"Org": code, "Name": name})

    def write_employee(self, employee: Employee) -> None:
        row: Row = {
            "Employee": employee.number,
            "FirstName": employee.first,
            "MiddleName": employee.middle,
            "LastName": employee.last,
            "Title": employee.title,
            "Status": "T" if employee.terminated else "A",
            "Type": "P" if employee.principal else "E",
            "Org": self.rng.choice(ORGANIZATIONS)[0],
            "EMail": employee.email,
            "HireDate": employee.hired.isoformat(),
            "TerminationDate": employee.terminated.isoformat() if employee.terminated else "",
            "PayRate": self.rng.randrange(28, 95),
            "SSN": f"{self.rng.randrange(900, 999)}-{self.rng.randrange(10, 99)}-{self.rng.randrange(1000, 9999)}",
        }
        if employee.supervisor and employee.supervisor.crm_key:
            row["Supervisor"] = employee.supervisor.crm_key
        if employee.address:
            row["WorkPhone"] = employee.address.phone
        employee.crm_key = self.insert("employee", row)

    def write_firm(self, firm: Firm) -> None:
        row: Row = {
            "Client": firm.number,
            "Name": firm.name,
            "SortName": firm.name[:40],
            "Status": firm.crm_status,
            "ClientInd": flag(firm.client),
            "VendorInd": flag(firm.vendor),
            "GovernmentAgency": flag(firm.type == "Municipal"),
            "Type": CODE_OF["CFGClientType"][firm.type],
            "CurrentStatus": "Existing" if firm.on_ajera else "Prospect",
            "WebSite": firm.website,
            "Memo": firm.memo,
            "AjeraSync": flag(firm.marked),
            "ParentID": firm.parent.crm_key if firm.parent else "",
        }
        if firm.vendor:
            row |= {"Category": "C", "Vendor": f"V{firm.number}"}
        firm.crm_key = self.insert("firm", row)
        if firm.address:
            self._write_address(firm, firm.address)
        if firm.case == "similar name":
            self.insert("alias", {"ClientID": firm.crm_key, "Alias": firm.ajera_name})

    def _write_address(self, firm: Firm, at: Address) -> None:
        lines = {f"Address{n}": line for n, line in enumerate(at.lines, 1)}
        self.insert(
            "address",
            {
                "ClientID": firm.crm_key,
                "Address": "Main",
                **lines,
                "City": at.city,
                "State": at.state,
                "Zip": at.zip,
                "Country": at.country,
                "Phone": at.phone,
                "FAX": firm.fax,
                "Email": firm.email,
                "PrimaryInd": "Y",
                "Billing": "Y",
            },
        )

    def write_contact(self, contact: Contact) -> None:
        row: Row = {
            "ClientID": contact.firm.crm_key if contact.firm else "",
            "CLAddress": "Main" if contact.firm and contact.firm.address and self.rng.random() < 0.5 else "",
            "FirstName": contact.first,
            "MiddleName": contact.middle,
            "LastName": contact.last,
            "Title": contact.title,
            "Email": contact.email,
            "Phone": contact.phone,
            "CellPhone": contact.cell,
            "ContactStatus": contact.crm_status,
            "PrimaryInd": flag(contact.primary),
            "AjeraSync": flag(contact.marked),
        }
        if not contact.qualified:
            row["QualifiedStatus"] = "New"
        contact.crm_key = self.insert("contact", row)

    def write_project(self, project: Project) -> None:
        client = project.client.crm_key if project.client else ""
        at = project.client.address if project.client else None
        row: Row = {
            "WBS1": project.number,
            "Name": project.name[:40],
            "LongName": project.name if len(project.name) > 40 else "",
            "ChargeType": project.charge,
            "Status": project.crm_status,
            "Principal": project.principal.crm_key if project.principal else "",
            "ProjMgr": project.manager.crm_key if project.manager else "",
            "ClientID": client,
            "ContactID": project.contacts[0].crm_key if project.contacts else "",
            "CLAddress": "Main" if at else "",
            "Org": self.rng.choice(ORGANIZATIONS)[0],
            "ProjectType": CODE_OF["ProjectType"][project.type],
            "City": at.city if at else "",
            "State": at.state if at else "",
            "StartDate": project.started.isoformat(),
            "EstCompletionDate": project.due.isoformat(),
            "ContractDate": (project.started - timedelta(days=14)).isoformat(),
            "ProjectTemplate": CODE_OF[TEMPLATE_TABLE].get(project.template, ""),
            "AjeraSync": flag(project.marked),
        }
        project.crm_key = self.insert("project", row)
        for index, contact in enumerate(c for c in project.contacts if c.crm_key):
            self._write_project_contact(project, contact, index)
        for person, role in ((project.manager, "sysPM"), (project.principal, "sysPR")):
            if person and person.crm_key:
                self.insert("project_team", {"WBS1": project.crm_key, "Employee": person.crm_key, "Role": role})
        if client:
            link = {"WBS1": project.crm_key, "ClientID": client, "Role": "sysOwner", "IsClient": "Y", "PrimaryInd": "Y"}
            self.insert("project_firm", link)
        if project.sublevels:
            self._write_phases(project, project.phases)

    def _write_project_contact(self, project: Project, contact: Contact, index: int) -> None:
        row = {
            "WBS1": project.crm_key,
            "ContactID": contact.crm_key,
            "Role": ("Owner", "OwnerRep", "Tech", "Bill", "AP")[index % 5],
            "PrimaryInd": flag(index == 0),
            "AjeraSync": flag(index < project.marked_contacts),
        }
        self.insert("project_contact", row)

    def _write_phases(self, project: Project, phases: tuple[Phase, ...]) -> None:
        for number, phase in enumerate(phases, 1):
            row = {
                "WBS1": project.number,
                "WBS2": f"{number:02}",
                "Name": phase.name[:40],
                "ChargeType": project.charge,
                "Status": project.crm_status,
            }
            self.insert("project", row)
