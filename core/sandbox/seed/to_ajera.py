"""Writes a world into the books of the emulated Ajera, with the lists and the small read-only sets around it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from core.sandbox.ajera.data import AjeraData
from core.sandbox.seed import codes
from core.sandbox.seed.places import Address
from core.sandbox.seed.templates import TEMPLATES
from core.sandbox.seed.world import Contact, Employee, Firm, Phase, Project, World

Record = dict[str, Any]
CENT = Decimal("0.01")


class AjeraWriter:
    """One pass over a world; keys are noted on the world's records."""

    def __init__(self, data: AjeraData, rng: Random, now: datetime) -> None:
        self.data, self.rng, self.now = data, rng, now
        self.lists: dict[str, dict[str, int]] = {}
        self.vendors: dict[str, int] = {}

    def write(self, world: World) -> None:
        """Lists, people, clients, vendors, templates, projects; timesheets and totals are written by ``books``."""
        self.write_lists()
        for employee in world.employees:
            if employee.on_ajera:
                self.write_employee(employee)
        for contact in world.contacts:
            if contact.on_ajera:
                self.write_contact(contact)
        for firm in world.firms:
            if firm.on_ajera:
                self.write_client(firm)
        self.write_vendors(world)
        self.write_templates(world)
        for project in world.projects:
            if project.on_ajera:
                self.write_project(project)
        self.write_invoices(world)
        self.write_expense_reports(world)

    def stamp(self) -> datetime:
        """A moment in the last two years, never later than now."""
        return self.now - timedelta(seconds=self.rng.randrange(3600, 2 * 365 * 86400))

    def write_lists(self) -> None:
        """Every list another record refers to, and those nobody refers to."""
        lists = {"companies": (self.data.company,), **codes.AJERA_LISTS}
        for table, descriptions in lists.items():
            self.lists[table] = {text: self.data.insert(table, {"Description": text}) for text in descriptions}
        self.lists["departments"] = {
            name: self.data.insert("departments", {"Department": name, "OverheadPercent": percent})
            for name, percent in codes.DEPARTMENTS
        }
        types = [*codes.EMPLOYEE_TYPE_RATES.items(), (codes.AJERA_ONLY_EMPLOYEE_TYPE, 60)]
        self.lists["employee_types"] = {
            name: self.data.insert(
                "employee_types", {"Description": name, "BudgetBillRate": rate, "BillablePercent": 80}
            )
            for name, rate in types
        }
        for name, unit, expense in codes.ACTIVITIES:
            record = {"Description": name, "UnitBased": unit, "ICRExpense": expense}
            self.lists.setdefault("activities", {})[name] = self.data.insert("activities", record)
        for name, consultant in (("Consultant", True), ("Supplier", False)):
            record = {"Description": name, "IsConsultant": consultant}
            self.lists.setdefault("vendor_types", {})[name] = self.data.insert("vendor_types", record)
        for number, name, kind, group in codes.GL_ACCOUNTS:
            record = {"ID": number, "Description": name, "AccountType": kind, "AccountGroupKey": group}
            self.data.insert("gl_accounts", record)
        for month, day, name in ((1, 1, "New Year's Day"), (7, 4, "Independence Day"), (12, 25, "Christmas Day")):
            self.data.insert("non_work_days", {"Date": f"{self.now.year}-{month:02}-{day:02}", "Description": name})

    def write_employee(self, employee: Employee) -> None:
        salary = self.rng.randrange(28, 95)
        record = {
            "FirstName": employee.first,
            "MiddleName": employee.middle,
            "LastName": employee.last,
            "Title": employee.title,
            "Status": "Inactive" if employee.terminated else "Active",
            "EmployeeTypeKey": self.lists["employee_types"][employee.type],
            "DepartmentKey": self.rng.choice(list(self.lists["departments"].values())),
            "SupervisorKey": (employee.supervisor.ajera_key or None) if employee.supervisor else None,
            "IsPrincipal": employee.principal,
            "IsProjectManager": employee.manager,
            "IsSupervisor": employee.principal or employee.manager,
            "Email": employee.email,
            "DateHired": employee.hired.isoformat(),
            "DateTerminated": employee.terminated.isoformat() if employee.terminated else None,
            "BirthDate": (employee.hired - timedelta(days=9500)).isoformat(),
            "SocialSecurityNumber": f"{self.rng.randrange(900, 999)}-{self.rng.randrange(10, 99)}-"
            f"{self.rng.randrange(1000, 9999)}",
            "PayRates": [
                {"PayRateKey": 1, "StartDate": employee.hired.isoformat(), "IsHourly": True, "PayRate": salary}
            ],
            **(address(employee.address) if employee.address else {}),
        }
        if employee.address:
            record["PrimaryPhoneNumber"] = employee.address.phone
        employee.ajera_key = self.data.insert("employees", record, stamp=self.stamp())

    def write_contact(self, contact: Contact) -> None:
        record = {
            "FirstName": contact.ajera_first,
            "MiddleName": contact.ajera_middle,
            "LastName": contact.ajera_last,
            "Title": contact.ajera_title,
            "Company": contact.firm.ajera_name if contact.firm else "",
            "Email": contact.ajera_email,
            "PrimaryPhoneNumber": contact.ajera_phone,
            "SecondaryPhoneNumber": contact.cell,
            "Status": "Active" if contact.ajera_active else "Inactive",
            "ContactTypeKey": self.rng.choice([*self.lists["contact_types"].values(), None]),
        }
        contact.ajera_key = self.data.insert("contacts", record, stamp=self.stamp())

    def write_client(self, firm: Firm) -> None:
        record = {
            "Description": firm.ajera_name,
            "AccountID": firm.number,
            "Status": "Active" if firm.ajera_active else "Inactive",
            "ClientTypeKey": self.lists["client_types"].get(firm.type),
            "Email": firm.ajera_email,
            "Website": firm.ajera_website,
            "FaxNumber": firm.fax,
            "DateEstablished": (self.now.date() - timedelta(days=self.rng.randrange(100, 8000))).isoformat(),
            "MailingAddressSameAsPrimary": True,
            "Contacts": [
                {"ContactKey": c.ajera_key, "Order": order, "Text": ""}
                for order, c in enumerate((c for c in firm.contacts if c.on_ajera and not c.ajera_vendor), 1)
            ],
        }
        if firm.ajera_address:
            record |= address(firm.ajera_address) | address(firm.ajera_address, "Mailing")
            record["PrimaryPhoneNumber"] = firm.ajera_address.phone
        firm.ajera_key = self.data.insert("clients", record, stamp=self.stamp())

    def write_vendors(self, world: World) -> None:
        """Vendors that are clients too, and two that are not."""
        for firm in world.firms:
            if firm.vendor and firm.on_ajera:
                self.vendors[firm.ajera_name] = self._vendor(firm.ajera_name, "Consultant", firm.ajera_email)
        people = [c.ajera_key for c in world.contacts if c.on_ajera and c.ajera_vendor]
        for name, kind in (("Office Supply Depot", "Supplier"), ("Geotechnical Borings Co.", "Consultant")):
            self.vendors[name] = self._vendor(name, kind, "", people if kind == "Consultant" else [])

    def _vendor(self, name: str, kind: str, email: str, contacts: list[int] | None = None) -> int:
        record = {
            "Name": name,
            "VendorTypeKey": self.lists["vendor_types"][kind],
            "Email": email,
            "Contacts": [{"ContactKey": key, "Order": n, "Text": ""} for n, key in enumerate(contacts or [], 1)],
        }
        return self.data.insert("vendors", record, stamp=self.stamp())

    def write_invoices(self, world: World) -> None:
        """An invoice of each vendor; a consultant's is for a project, where there is one."""
        consultants = set(self.lists["vendor_types"].values()) - {self.lists["vendor_types"]["Supplier"]}
        projects = [p for p in world.projects if p.on_ajera and p.ajera_status == "Active"]
        for number, (name, key) in enumerate(self.vendors.items()):
            amount = Decimal(self.rng.randrange(10_000, 900_000)) / 100
            line: Record = {"TransactionKey": self.data.take_key("transactions"), "CostAmount": amount}
            if projects and self.data.tables["vendors"][key]["VendorTypeKey"] in consultants:
                project = projects[number % len(projects)].ajera_key
                phase = next(iter(self.data.children["phases"].get(project, ())), None)
                line |= {"ProjectKey": project, "PhaseKey": phase, "Notes": "Consultant services"}
                bills = dict.fromkeys(("Vendor Invoiced", "Vendor Invoiced Consultant", "Payable Balance"), amount)
                held = self.data.totals_of(project)
                self.data.edit("totals", project, {n: Decimal(str(held[n])) + bill for n, bill in bills.items()})
            day = (self.now.date() - timedelta(days=self.rng.randrange(5, 90))).isoformat()
            record = {"VendorKey": key, "Description": f"Services, {name}", "Number": f"INV-{key:04}", "Date": day}
            self.data.insert("vendor_invoices", {**record, "AccountingDate": day, "Amount": amount, "Details": [line]})

    def write_expense_reports(self, world: World) -> None:
        """One report of each of the first three employees: a drive to a site."""
        project = next((p.ajera_key for p in world.projects if p.on_ajera and p.ajera_status == "Active"), None)
        for employee in [e for e in world.employees if e.on_ajera and not e.terminated][:3]:
            amount = Decimal(self.rng.randrange(800, 20_000)) / 100
            day = (self.now.date() - timedelta(days=self.rng.randrange(3, 40))).isoformat()
            detail = {"Date": day, "Description": "Mileage", "ProjectKey": project, "Amount": amount}
            detail["ActivityKey"] = self.lists["activities"]["Mileage"]
            record = {"EmployeeKey": employee.ajera_key, "Description": "Site visit", "Date": day, "Amount": amount}
            self.data.insert("expense_reports", {**record, "Details": [detail]}, stamp=self.stamp())

    def write_templates(self, world: World) -> None:
        """The templates; their people are the practice's, their client is whoever comes first, as Ajera needs one."""
        client = next((f.ajera_key for f in world.firms if f.on_ajera and f.ajera_active), None)
        for template in TEMPLATES:
            record = self._terms(template.billing) | {
                "ID": f"T-{template.code}",
                "Description": template.name,
                "InvoiceGroups": [
                    {
                        "Description": "Invoice Group 1",
                        "Client": {"ClientKey": client} if client else None,
                        "InvoiceFormatKey": self.lists["invoice_formats"]["Standard"],
                        "Phases": [self._template_phase(p, template.billing) for p in template.phases],
                    }
                ],
            }
            self.data.insert("project_templates", record, stamp=self.stamp())

    def _template_phase(self, phase: Phase, billing: str) -> Record:
        return self._terms(phase.billing or billing) | {
            "Description": phase.name,
            "PercentDistribution": phase.share,
            "Phases": [self._template_phase(p, billing) for p in phase.children],
        }

    def _terms(self, billing: str) -> Record:
        return {
            "BillingType": billing,
            "Status": "Marketing" if billing == "Marketing" else "Active",
            "RateTableKey": self.lists["rate_tables"]["Standard Rates"],
            "DepartmentKey": self.lists["departments"]["Architecture"],
            "BillExpenseAsTE": True,
        }

    def write_project(self, project: Project) -> None:
        """The project with its invoice groups and, under the first of them, its phases."""
        manager, principal = person(project.manager), person(project.principal)
        record = (
            self._terms(project.billing)
            | self._money(project, Decimal(1))
            | {
                "ID": project.ajera_number,
                "Description": project.ajera_name[:80],
                "Status": project.ajera_status,
                "ProjectTypeKey": self.lists["project_types"].get(project.type),
                "ProjectManager": manager,
                "PrincipalInCharge": principal,
                "EstimatedStartDate": project.started.isoformat(),
                "EstimatedCompletionDate": project.due.isoformat(),
                "ActualStartDate": project.started.isoformat() if project.percent else None,
                "ActualCompletionDate": project.completed.isoformat() if project.completed else None,
                "SyncToCRM": project.sync_to_crm,
                "CreateInCRM": project.create_in_crm,
                "ReportedPercentComplete": project.percent,
                "ReportedPercentCompleteDate": self.now.date().isoformat() if project.percent else None,
                "BudgetedOverheadRate": self.rng.choice((0, 0, Decimal("152.50"))),
                "Location": project.client.address.city if project.client and project.client.address else "",
                "Contacts": [
                    {"ContactKey": c.ajera_key, "Order": n, "Text": ""}
                    for n, c in enumerate((c for c in project.contacts if c.on_ajera), 1)
                ],
                "InvoiceGroups": self._groups(project),
            }
        )
        project.ajera_key = self.data.insert("projects", record, stamp=self.stamp())

    def _groups(self, project: Project) -> list[Record]:
        groups: list[Record] = [
            {
                "Description": f"Invoice Group {n}",
                "Client": {"ClientKey": firm.ajera_key},
                "InvoiceFormatKey": self.lists["invoice_formats"]["Standard"],
                "BillingManager": person(project.manager),
            }
            for n, firm in enumerate(project.groups, 1)
        ] or [{"Description": "Invoice Group 1"}]
        groups[0]["Phases"] = [self._phase(project, p) for p in project.phases]
        return groups

    def _phase(self, project: Project, phase: Phase) -> Record:
        return (
            self._terms(phase.billing or project.billing)
            | self._money(project, Decimal(phase.share) / 100)
            | {
                "Description": phase.name,
                "Status": project.ajera_status,
                "ProjectManager": person(project.manager),
                "Phases": [self._phase(project, p) for p in phase.children],
            }
        )

    def _money(self, project: Project, share: Decimal) -> Record:
        """Contract amounts and cost budgets of a project, or of the share of it that a phase is."""
        labor, expense, consultant = (
            (amount * share).quantize(CENT) for amount in (project.labor, project.expense, project.consultant)
        )
        return {
            "TotalContractAmount": labor + expense + consultant,
            "LaborContractAmount": 0 if project.case == "amount not split" else labor,
            "ExpenseContractAmount": expense,
            "ConsultantContractAmount": consultant,
            "LaborCostBudget": (labor / 3).quantize(CENT),
            "ExpenseCostBudget": expense,
            "ConsultantCostBudget": (consultant * 9 / 10).quantize(CENT),
            "HoursCostBudget": int(labor / 150),
            "BillExpenseAsTE": project.expense_te,
            "BillConsultantAsTE": project.consultant_te,
        }


def address(at: Address, which: str = "Primary") -> Record:
    """The properties of an address; a fourth line does not fit and is left out."""
    lines = (*at.lines, "", "", "")
    return {
        f"{which}AddressLineOne": lines[0],
        f"{which}AddressLineTwo": lines[1],
        f"{which}AddressLineThree": lines[2],
        f"{which}AddressCity": at.city,
        f"{which}AddressState": at.state,
        f"{which}AddressZip": at.zip,
        f"{which}AddressCountry": at.country,
    }


def person(employee: Employee | None) -> Record | None:
    """An employee as projects name them."""
    if employee is None or not employee.ajera_key:
        return None
    names = {"FirstName": employee.first, "MiddleName": employee.middle, "LastName": employee.last}
    return {"EmployeeKey": employee.ajera_key, **names}


def workday(rng: Random, today: date, weeks: int) -> date:
    """A weekday in the last ``weeks`` weeks."""
    day = today - timedelta(days=rng.randrange(1, weeks * 7))
    return day - timedelta(days=max(0, day.weekday() - 4))
