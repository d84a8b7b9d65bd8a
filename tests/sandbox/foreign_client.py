"""Drives the published typed client `ajera` against a running sandbox, unchanged.

Run by an interpreter that has that package (it needs Python 3.12): foreign_client.py URL USERNAME PASSWORD. Prints one
JSON object with what it saw; any surprise is an exception and exit code 1.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from ajera import AjeraClient, AsyncAjeraClient, TimesheetOverheadEdit, TimesheetProjectEdit, TimesheetProjectRowCreate
from ajera.operations.generic import Operation
from ajera.schemas.contact import ContactDetails, UpdateContacts, UpdateContactsArguments, UpdateContactsResponse
from ajera.schemas.vendor_invoice import VendorInvoiceLineItemCreate

LISTS = (
    "employees",
    "employee_types",
    "deductions",
    "fringes",
    "clients",
    "client_types",
    "contacts",
    "contact_types",
    "vendors",
    "vendor_types",
    "projects",
    "project_types",
    "project_templates",
    "ledger_accounts",
    "account_groups",
    "activities",
    "bank_accounts",
    "companies",
    "departments",
    "invoice_formats",
    "payroll_taxes",
    "pays",
    "rate_tables",
    "wage_tables",
    "timesheets",
    "vendor_invoices",
)


def need(truth: object, what: str) -> None:
    if not truth:
        raise AssertionError(what)


def refused(call: Any, what: str) -> str:
    try:
        call()
    except Exception as error:
        return str(error)
    raise AssertionError(f"{what} was not refused")


def read_lists(client: AjeraClient) -> dict[str, int]:
    counts = {name: len(getattr(client, f"list_{name}")()) for name in LISTS}
    empty = [name for name, count in counts.items() if not count]
    need(not empty, f"empty lists: {empty}")
    return counts


def read_records(client: AjeraClient) -> None:
    client_key = client.list_clients()[0].client_key
    need(client.get_clients([client_key])[0].description, "a client has a name")
    contact = client.get_contacts([client.list_contacts()[0].contact_key])[0]
    need(contact.first_name or contact.last_name, "a contact has a name")
    employees = client.get_employees([e.employee_key for e in client.list_employees()][:50])
    need(any(e.is_project_manager for e in employees), "somebody manages projects")
    vendor = client.get_vendors([client.list_vendors()[0].vendor_key])[0]
    need(vendor.name, "a vendor has a name")
    template = client.get_project_templates([client.list_project_templates()[0].project_template_key])[0]
    need(template.invoice_groups[0].phases, "a template has phases")
    need(client.get_ledger_accounts(as_of_date="01/31/2026"), "ledger accounts")
    invoice = client.list_vendor_invoices(with_payment_status=True)[0]
    need(client.get_vendor_invoices([invoice.vendor_invoice_key]).vendor_invoices, "a vendor invoice")


def read_projects(client: AjeraClient) -> None:
    project = client.list_projects()[0]
    bundle = client.get_projects([project.project_key])
    need(bundle.projects[0].project_key == project.project_key, "the project asked for")
    need(bundle.invoice_groups[0].client_key, "an invoice group has a client")
    need(bundle.phases[0].parent_key == project.project_key, "a top phase hangs on the project")
    totals = client.get_project_totals(project.project_key)
    need("Cost Labor + Premium Burdened" in totals.totals, "totals with their odd names")
    need(client.get_project_summary(project.project_key).phases, "the summary of bundle and totals")
    need(client.list_chargeable_phases(project.project_key)[0].level == 0, "level 0 is the project")


def write_client(client: AjeraClient) -> None:
    key = client.list_clients()[0].client_key
    before = client.get_clients([key])[0]
    after = client.update_client(key, notes="seen by a foreign client", email="office@example.test")
    need(after.notes == "seen by a foreign client", "the update comes back")
    need(after.last_modified_date != before.last_modified_date, "the stamp moved")
    need(after.contacts == before.contacts, "the contacts stayed")
    same = client.update_client(key, notes="seen by a foreign client")
    need(same.notes == after.notes, "an update without a change is answered from the baseline")


def write_contact(client: AjeraClient) -> int:
    new = ContactDetails(ContactKey=-1, FirstName="Foreign", LastName="Client", Status="Active")
    arguments = UpdateContactsArguments(UpdatedContacts=[new], UnchangedContacts=[])

    def create() -> Any:
        return client._run(
            Operation(UpdateContacts(MethodArguments=arguments), 1, UpdateContactsResponse.model_validate)
        )

    made = create().content.contacts[0]
    need(made.original_contact_key == -1 and made.contact_key > 0, "the real key and the original one")
    need("already exists" in refused(create, "a second contact of the same name"), "the reason is told")
    updated = client.update_contact(made.contact_key, title="Engineer", company="Elsewhere")
    need((updated.title, updated.company) == ("Engineer", "Elsewhere"), "the contact was updated")
    return int(made.contact_key)


def write_others(client: AjeraClient) -> None:
    employee = client.list_employees()[0]
    need(client.update_employee(employee.employee_key, title="Associate").title == "Associate", "employee updated")
    vendor = client.list_vendors()[0]
    need(client.update_vendor(vendor.vendor_key, notes="paid late").notes == "paid late", "vendor updated")
    lines = [VendorInvoiceLineItemCreate(CostAmount=12.5)]
    bundle = client.create_vendor_invoice(
        vendor_key=vendor.vendor_key, company_key=1, amount=12.5, line_items=lines, number="F-1"
    )
    need(bundle.vendor_invoices[0].vendor_invoice_key, "a vendor invoice was made")


def write_project(client: AjeraClient) -> int:
    bundle = client.create_project(
        "Foreign bridge",
        billing_type="TimeAndExpense",
        rate_table_key=client.list_rate_tables()[0].rate_table_key,
        client_key=client.list_clients()[0].client_key,
        invoice_format_key=client.list_invoice_formats()[0].invoice_format_key,
        company_key=client.list_companies()[0].company_key,
    )
    key = bundle.projects[0].project_key
    need(key and bundle.phases[0].description == "Foreign bridge", "project with its phase")
    updated = client.update_project(key, notes="over the river", project_id="F-77", location="Kent")
    need((updated.projects[0].notes, updated.projects[0].id) == ("over the river", "F-77"), "project updated")
    need(any(p.project_key == key for p in client.list_projects(filter_by_id_like="F-77")), "found by its number")
    return int(key)


def write_timesheet(client: AjeraClient, project_key: int) -> None:
    phase = next(p for p in client.list_chargeable_phases(project_key) if p.level == 1)
    activity = client.list_activities()[0].activity_key
    sheet = client.create_timesheet(client.list_employees()[-1].employee_key, "2024-01-03", allow_past_90_days=True)
    row = TimesheetProjectRowCreate(
        project_key=project_key, phase_key=phase.key, activity_key=activity, d3_regular=4, d3_notes="Site visit"
    )
    office = TimesheetOverheadEdit(overhead_group_detail_key=4, d1_regular=1.5)
    sheet = client.update_timesheet(sheet.timesheet_key, overheads=[office], projects=[row])
    entry = sheet.project.detail[0]
    need((entry.d3_regular, entry.d3_notes) == (4, "Site visit"), "hours on the third day")
    edit = TimesheetProjectEdit(timesheet_project_key=entry.timesheet_project_key, d4_regular=2)
    sheet = client.update_timesheet(sheet.timesheet_key, projects=[edit])
    need(sheet.project.detail[0].d4_regular == 2 and sheet.project.detail[0].d3_regular == 4, "only the named day")
    need(client.get_project_totals(project_key).totals["Hours Worked"] == 6, "the hours reached the totals")
    client.submit_timesheets([sheet.timesheet_key])
    rows = client.list_timesheets(filter_by_submitted=True)
    need(any(r.timesheet_key == sheet.timesheet_key for r in rows), "listed as submitted")


async def share_a_token(url: str, username: str, password: str) -> int:
    async with AsyncAjeraClient(url=url, username=username, password=password) as client:
        projects = await client.list_projects()
        totals = await asyncio.gather(*(client.get_project_totals(p.project_key) for p in projects[:4]))
        return len(totals)


def main(url: str, username: str, password: str) -> None:
    with AjeraClient(url=url, username=username, password=password) as client:
        need(client.get_session_info(1).ajera_version, "the session tells the version")
        counts = read_lists(client)
        read_records(client)
        read_projects(client)
        write_client(client)
        contact = write_contact(client)
        write_others(client)
        project = write_project(client)
        write_timesheet(client, project)
        too_many = refused(lambda: client.get_employees(list(range(1, 52))), "51 employees in one call")
        need("-100" in too_many, "more than 50 employees are refused with -100")
    shared = asyncio.run(share_a_token(url, username, password))
    seen = {"lists": counts, "contact": contact, "project": project, "shared": shared}
    sys.stdout.write(json.dumps(seen))


if __name__ == "__main__":
    main(*sys.argv[1:4])
