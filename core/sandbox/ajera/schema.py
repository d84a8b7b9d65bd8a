"""The tables: every documented property with its kind, its default and who derives it (contract 7 to 12)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

TEXT, BOOL, NUM, KEY, DATE, PERSON, LIST, ANY = "text", "bool", "num", "key", "date", "person", "list", "any"

_DEFAULTS: dict[str, Any] = {TEXT: "", BOOL: False, NUM: 0, KEY: None, DATE: None, PERSON: None, ANY: None}


def default_of(kind: str) -> Any:
    """The value of a property nobody set. Text is "" and keys and dates are absent (contract 3.2)."""
    return [] if kind == LIST else _DEFAULTS[kind]


@dataclass(frozen=True)
class Table:
    """One table: its key property, its properties with kinds, those that the server derives, the key sequence."""

    name: str
    key: str
    kinds: dict[str, str]
    derived: frozenset[str] = frozenset()
    stamped: bool = False
    sequence: str = ""
    custom: bool = False
    # Held for filters and for the server's own rules, never on the wire.
    internal: frozenset[str] = frozenset()
    defaults: dict[str, Any] = field(default_factory=dict)

    def blank(self) -> dict[str, Any]:
        """A new record with every stored property at its default."""
        record = {name: default_of(kind) for name, kind in self.kinds.items() if name not in self.derived}
        record.update(self.defaults)
        return record

    @property
    def sequence_name(self) -> str:
        return self.sequence or self.name


def _kinds(**groups: str) -> dict[str, str]:
    return {name: kind for kind, names in groups.items() for name in names.split()}


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PHONES = " ".join(f"{p}Phone{s}" for p in ("Primary", "Secondary", "Tertiary") for s in ("Number", "Description"))
_ADDRESS = " ".join(
    f"{which}Address{part}"
    for which in ("Primary", "Mailing")
    for part in ("LineOne", "LineTwo", "LineThree", "City", "Zip", "State", "Country")
)
_REACH = f"{_PHONES} FaxNumber FaxDescription Email Website {_ADDRESS}"

CLIENTS = Table(
    "clients",
    "ClientKey",
    _kinds(
        key="ClientKey EmailStatementTemplateKey ClientTypeKey CompanyKey",
        text=f"LastModifiedDate Status Description AccountID {_REACH} EmailStatementTemplateDescription "
        "ClientTypeDescription ClientTypeNotes InvoiceDeliveryPreference Notes",
        date="DateEstablished",
        bool="SendStatements CreateFinanceCharge MailingAddressSameAsPrimary",
        num="AnnualPercentageRate PrePaymentBeginningBalance",
        list="Contacts",
    ),
    frozenset({"EmailStatementTemplateDescription", "ClientTypeDescription", "ClientTypeNotes"}),
    stamped=True,
    custom=True,
    internal=frozenset({"CompanyKey"}),
    defaults={"Status": "Active", "InvoiceDeliveryPreference": "Printed"},
)

CONTACTS = Table(
    "contacts",
    "ContactKey",
    _kinds(
        key="ContactKey ContactTypeKey ContactClientKey ContactVendorKey CompanyKey",
        text=f"LastModifiedDate Status FirstName MiddleName LastName Title Company {_REACH} Notes "
        "ContactTypeDescription ContactTypeNotes ContactClientDescription ContactVendorDescription",
        bool="MailingAddressSameAsPrimary",
    ),
    frozenset(
        {
            "ContactTypeDescription",
            "ContactTypeNotes",
            "ContactClientKey",
            "ContactClientDescription",
            "ContactVendorKey",
            "ContactVendorDescription",
        }
    ),
    stamped=True,
    custom=True,
    internal=frozenset({"CompanyKey"}),
    defaults={"Status": "Active"},
)

EMPLOYEES = Table(
    "employees",
    "EmployeeKey",
    _kinds(
        key="EmployeeKey CompanyKey DepartmentKey SupervisorKey EmployeeTypeKey OverheadGroupKey",
        text=f"LastModifiedDate FirstName MiddleName LastName Title Status {_REACH} EmployeeTypeDescription "
        "EmployeeTypeNotes Gender PayrollServiceID SocialSecurityNumber Text Notes CalculatePaymentDateMethod",
        bool="IsPrincipal IsSupervisor IsProjectManager IsAccountingManager IsMarketingContact "
        "MailingAddressSameAsPrimary AllowChangesAfterProcessed UseEmployees RestrictToOwnCompany "
        "RestrictToOwnDepartment",
        date="BirthDate DateHired DateRehired DateTerminated",
        num="BillablePercent NumberOfDaysFromInvoiceDate DayOfTheMonthToPay",
        list="PayRates Contacts CreditCards",
    ),
    frozenset({"EmployeeTypeDescription", "EmployeeTypeNotes"}),
    stamped=True,
    custom=True,
    internal=frozenset({"RestrictToOwnCompany", "RestrictToOwnDepartment"}),
    defaults={"Status": "Active", "CompanyKey": 1, "DepartmentKey": 1},
)

VENDORS = Table(
    "vendors",
    "VendorKey",
    _kinds(
        key="VendorKey DepartmentKey AccountKey VendorTypeKey CompanyKey",
        text=f"LastModifiedDate Name Status FormType1099 RecipientID1099 RecipientName1099 BuisnessTypeW9 "
        f"OtherDescriptionW9 DepartmentDescription AccountDescription AccountID VendorAccountID RemittanceContact "
        f"RemittanceContactEmail CalculatePaymentDateMethod {_REACH} Notes VendorTypeDescription VendorTypeNotes",
        bool="Receives1099Form ReceivesW9Form MailingAddressSameAsPrimary VendorTypeIsConsultant "
        "VendorTypeIsCreditCard",
        date="DateEstablished",
        num="ReportedAmount1099 FederalTaxWitheld NumberOfDaysFromInvoiceDate DayOfTheMonthToPay",
        list="Contacts",
    ),
    _names(
        "DepartmentDescription AccountDescription AccountID VendorTypeDescription VendorTypeNotes "
        "VendorTypeIsConsultant VendorTypeIsCreditCard"
    ),
    stamped=True,
    internal=frozenset({"CompanyKey"}),
    defaults={"Status": "Active", "CalculatePaymentDateMethod": "NumberOfDaysFromInvoiceDate"},
)

# What a project and a phase have in common (contract 10.2).
_WORK = _kinds(
    key="ProjectTypeKey DepartmentKey WageTableKey RateTableKey TaxLocalKey",
    text="LastModifiedDate ID Description Status BillingDescription Notes BillingType SalesTaxCode TaxState "
    "ProjectTypeDescription DepartmentDescription WageTableDescription RateTableDescription TaxLocalDescription",
    bool="SyncToCRM CreateInCRM CRMFinalSync IsFinalBudget BillLaborAsTE BillExpenseAsTE BillConsultantAsTE LockFee "
    "SummarizeBillingGroup IsCertified RestrictTimeEntryToResourcesOnly RequireTimesheetNotes ApplySalesTax "
    "LaborEntry ExpenseConsultantEntry",
    date="EstimatedStartDate EstimatedCompletionDate ActualStartDate ActualCompletionDate ReportedPercentCompleteDate",
    num="HoursCostBudget LaborCostBudget ExpenseCostBudget ConsultantCostBudget PercentDistribution "
    "BudgetedOverheadRate TotalContractAmount LaborContractAmount ExpenseContractAmount ConsultantContractAmount "
    "SalesTaxRate ReportedPercentComplete",
    person="ProjectManager PrincipalInCharge MarketingContact",
)
_WORK_DERIVED = _names(
    "ProjectTypeDescription DepartmentDescription WageTableDescription RateTableDescription TaxLocalDescription"
)

PROJECTS = Table(
    "projects",
    "ProjectKey",
    _kinds(
        key="ProjectKey CompanyKey",
        text="CompanyDescription Location",
        num="ConstructionCost PercentOfConstructionCost",
        list="Contacts",
    )
    | _WORK,
    _WORK_DERIVED | {"CompanyDescription"},
    stamped=True,
    sequence="work",
    custom=True,
    defaults={"Status": "Active", "CompanyKey": 1, "BillingType": "TimeAndExpense"},
)

PHASES = Table(
    "phases",
    "PhaseKey",
    _kinds(
        key="PhaseKey ProjectKey ParentKey InvoiceGroupKey",
        text="PhaseInvoiceText LaborInvoiceText ExpenseInvoiceText ConsultantInvoiceText",
        bool="IsBillingGroup",
    )
    | _WORK,
    _WORK_DERIVED,
    stamped=True,
    sequence="work",
    custom=True,
    # "Phases made this way are top level and open for time at once" (contract 10.5).
    defaults={
        "Status": "Active",
        "BillingType": "TimeAndExpense",
        "LaborEntry": True,
        "ExpenseConsultantEntry": True,
    },
)

INVOICE_GROUPS = Table(
    "invoice_groups",
    "InvoiceGroupKey",
    _kinds(
        key="InvoiceGroupKey ProjectKey ClientKey InvoiceFormatKey EmailInvoiceTemplateKey "
        "EmailClientStatementTemplateKey",
        text="Description InvoiceFormatDescription EmailInvoiceTemplateDescription "
        "EmailClientStatementTemplateDescription InvoiceHeaderText InvoiceFooterText InvoiceScope Notes "
        "ClientDescription",
        bool="PrintBackup EmailIncludeBackup",
        person="BillingManager",
        any="BillingContact",
    ),
    _names(
        "InvoiceFormatDescription EmailInvoiceTemplateDescription EmailClientStatementTemplateDescription "
        "ClientDescription"
    ),
)

RESOURCES = Table(
    "resources",
    "ResourceKey",
    _kinds(
        key="ResourceKey PhaseKey EmployeeKey EmployeeTypeKey ActivityKey VendorKey VendorTypeKey",
        text="Status Priority Description Notes ActivityType Reference",
        bool="IsTask",
        num="PercentDistribution Units CostRate CostAmount FeeRate FeeAmount MarkupRate BeginBalanceCostAmount "
        "BeginBalanceFeeAmount",
        date="EstimatedStartDate EstimatedCompletionDate ActualStartDate ActualCompletionDate",
    ),
    defaults={"Status": "Active", "ActivityType": "Labor", "Priority": "Normal"},
)

TEMPLATES = Table(
    "project_templates",
    "ProjectTemplateKey",
    {
        "ProjectTemplateKey": KEY,
        "InvoiceGroups": LIST,
        **{k: v for k, v in PROJECTS.kinds.items() if k != "ProjectKey"},
    },
    PROJECTS.derived,
    stamped=True,
    sequence="work",
    custom=True,
    defaults={"Status": "Active", "CompanyKey": 1, "BillingType": "TimeAndExpense"},
)

TIMESHEETS = Table(
    "timesheets",
    "TimesheetKey",
    {
        "TimesheetKey": KEY,
        "EmployeeKey": KEY,
        # Kept as the week's first day and hours per date: TimesheetDate and Dn follow from the quirk timesheet_day_one.
        "WeekStart": DATE,
        "Overhead": LIST,
        "Project": LIST,
        "Status": TEXT,
        **_kinds(
            bool="Submitted SupervisorApproved AccountingApproved ProjectManagerApproved Rejected Billed Paid",
            date="SubmittedDate SupervisorApprovedDate AccountingApprovedDate",
            key="SubmittedBy SupervisorApprovedBy AccountingApprovedBy",
        ),
    },
    defaults={"Status": "Unsubmitted"},
)


def _reference(name: str, key: str, **extra: str) -> Table:
    kinds = {key: KEY, "Description": TEXT, "Status": TEXT, "Notes": TEXT, **_kinds(**extra)}
    return Table(name, key, kinds, defaults={"Status": "Active"})


REFERENCE = (
    _reference("client_types", "ClientTypeKey"),
    _reference("contact_types", "ContactTypeKey"),
    _reference("employee_types", "EmployeeTypeKey", num="BillablePercent BudgetCostRate BudgetBillRate"),
    _reference("project_types", "ProjectTypeKey"),
    _reference("companies", "CompanyKey"),
    Table(
        "departments",
        "DepartmentKey",
        _kinds(key="DepartmentKey", text="Department Status Notes", num="DPEPercent OverheadPercent"),
        defaults={"Status": "Active"},
    ),
    _reference("activities", "ActivityKey", bool="UnitBased ICRExpense", text="UnitDescription", num="UnitCostRate"),
    _reference("rate_tables", "RateTableKey"),
    _reference("wage_tables", "WageTableKey"),
    _reference("invoice_formats", "InvoiceFormatKey"),
    _reference("pays", "PayKey"),
    _reference("payroll_taxes", "PayrollTaxKey"),
    _reference("deductions", "DeductionKey"),
    _reference("fringes", "FringeKey"),
    _reference("bank_accounts", "BankAccountKey"),
    _reference("account_groups", "AccountGroupKey"),
    _reference("marketing_stages", "MarketingStageKey"),
    _reference("marketing_final_dispositions", "MarketingFinalDispositionKey"),
    _reference("overhead_groups", "OverheadGroupKey"),
    _reference("vendor_types", "VendorTypeKey", bool="IsConsultant IsCreditCard"),
    _reference("attachment_categories", "AttachmentCategoryKey"),
)

GL_ACCOUNTS = Table(
    "gl_accounts",
    "GLAccountKey",
    _kinds(
        key="GLAccountKey AccountGroupKey",
        text="ID Description AccountType IntercompanyAccountType Notes Status",
        num="AccountTypeValue IntercompanyAccountTypeValue Order Amount GLBalance GLBudget GLCashBasisBalance "
        "GLCashBasisBudget",
        bool="Allocated AllowJournalEntries IntercompanyAccount NormalDebitBalance PrintNetProfitAfterGroup "
        "SummarizeGroupOnFS",
    ),
    defaults={"Status": "Active"},
)

VENDOR_INVOICES = Table(
    "vendor_invoices",
    "VendorInvoiceKey",
    _kinds(
        key="VendorInvoiceKey VendorKey CompanyKey",
        text="Description Status Type Number Notes",
        date="Date AccountingDate DateToPay",
        num="Amount",
        bool="OnHold PartiallyOnHold Paid",
        list="Details",
    ),
    internal=frozenset({"Paid", "Details"}),
    defaults={"Status": "Open", "Type": "Invoice", "CompanyKey": 1},
)

EXPENSE_REPORTS = Table(
    "expense_reports",
    "ExpenseReportKey",
    _kinds(
        key="ExpenseReportKey EmployeeKey CompanyKey",
        text="Description Status Notes",
        date="Date SubmittedDate",
        num="Amount",
        bool="Submitted Approved Paid",
        list="Details",
    ),
    stamped=True,
    internal=frozenset({"Details"}),
    defaults={"Status": "Unsubmitted", "CompanyKey": 1},
)

NON_WORK_DAYS = Table("non_work_days", "NonWorkDayKey", _kinds(key="NonWorkDayKey", date="Date", text="Description"))

# API users beside the main one. Methods is the list of permitted method names, None for all (contract 1).
USERS = Table("users", "UserKey", _kinds(key="UserKey EmployeeKey", text="Username Password", any="Methods"))

TABLES: dict[str, Table] = {
    t.name: t
    for t in (
        CLIENTS,
        CONTACTS,
        EMPLOYEES,
        PROJECTS,
        INVOICE_GROUPS,
        PHASES,
        RESOURCES,
        TEMPLATES,
        TIMESHEETS,
        VENDORS,
        VENDOR_INVOICES,
        EXPENSE_REPORTS,
        GL_ACCOUNTS,
        NON_WORK_DAYS,
        USERS,
        *REFERENCE,
    )
}
