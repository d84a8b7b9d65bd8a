"""An independent checker: compares linked pairs field by field, straight from the tables of the two sandboxes.

Written from the contracts and from sync-rules 5 and 8 alone. Of the engine it takes nothing but which records are
linked, and what it says of itself (history, queues) where a law speaks of that.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

from core.model.values import Kind, Side, display
from tests.engine.kit import World
from tests.engine.weekkit import Edit

Row = Mapping[str, Any]


@dataclass(frozen=True, order=True)
class Difference:
    """One field that the two records of a pair do not agree on."""

    kind: Kind
    label: str
    field: str
    ajera: str
    crm: str


# -- plain forms ---------------------------------------------------------------------------------


@lru_cache(maxsize=10_000)
def _normal(said: str) -> str:
    return unicodedata.normalize("NFC", said).strip()


def text(value: object) -> str:
    return _normal(str(value or ""))


def folded(value: object) -> str:
    return text(value).casefold()


def digits(value: object) -> str:
    return re.sub(r"[^0-9a-z+]", "", folded(value))


def money(value: object) -> Decimal:
    return Decimal(str(value or 0)).quantize(Decimal("0.0001"))


def day(value: object) -> str:
    return text(value)[:10]


# -- fields of each kind: label, Ajera's value, the CRM's value ----------------------------------

Fields = Iterator[tuple[str, object, object]]


class Checker:
    """Reads both sandboxes' own tables."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.a, self.c = world.ajera.tables, world.crm
        self.links = world.service.store.links()
        self.states, self.countries = (
            {folded(row["Description"]): row["Code"] for row in self.c.code_tables[table]}
            for table in ("CFGStates", "CFGCountry")
        )

    def differences(self) -> list[Difference]:
        found: list[Difference] = []
        for (kind, ajera_key), link in sorted(self.links.by_ajera.items()):
            tables = {
                Kind.FIRM: ("clients", "firm", self.firm),
                Kind.CONTACT: ("contacts", "contact", self.contact),
                Kind.PROJECT: ("projects", "project", self.project),
                Kind.EMPLOYEE: ("employees", "employee", self.employee),
            }
            ours, theirs, fields = tables[kind]
            there, here = int(ajera_key) in self.a[ours], self.c.has(theirs, link.crm_key)
            if not (there and here):
                label = _label(kind, self.c.get(theirs, link.crm_key)) if here else self.ajera_label(kind, ajera_key)
                found.append(Difference(kind, label, "gone", "there" if there else "gone", "there" if here else "gone"))
                continue
            ajera, crm = self.a[ours][int(ajera_key)], self.c.get(theirs, link.crm_key)
            found += [
                Difference(kind, _label(kind, crm), name, str(one), str(other))
                for name, one, other in fields(ajera, crm)
                if one != other
            ]
        return sorted(found)

    def ajera_label(self, kind: Kind, key: str) -> str:
        table = {Kind.FIRM: "clients", Kind.CONTACT: "contacts", Kind.PROJECT: "projects", Kind.EMPLOYEE: "employees"}
        row = self.a[table[kind]].get(int(key))
        return f"Ajera {kind} {row.get('Description') or row.get('LastName') if row else 'gone'}"

    def label_of(self, kind: Kind, crm_key: str) -> str:
        """How differences name a record of the CRM."""
        return _label(kind, self.c.get(kind.value, crm_key)) if self.c.has(kind.value, crm_key) else ""

    def code(self, table: str, code: object) -> str:
        return folded(next((r["Description"] for r in self.c.code_tables[table] if r["Code"] == code), code))

    def listed(self, table: str, key: object) -> str:
        row = self.a[table].get(key)  # type: ignore[call-overload] # the key may be None
        return folded(row["Description"]) if row else ""

    def partner(self, kind: Kind, crm_key: object) -> str:
        return self.links.partner(kind, Side.CRM, str(crm_key)) or f"unlinked {crm_key}" if crm_key else ""

    # -- firms and contacts ----------------------------------------------------------------------

    def firm(self, ajera: Row, crm: Row) -> Fields:
        yield "name", text(ajera["Description"]), text(crm["Name"])
        yield "status", ajera["Status"] == "Active", crm["Status"] == "A"
        yield (
            "type",
            self.listed("client_types", ajera["ClientTypeKey"]),
            self.code("CFGClientType", crm["Type"]) if crm["Type"] else "",
        )
        yield "website", text(ajera["Website"]), text(crm["WebSite"])
        rows = [row for row in self.c.rows("address", "ClientID", crm["ClientID"]) if row["PrimaryInd"] == "Y"]
        row: Row = rows[0] if rows else {}
        yield "address", self.ajera_address(ajera), self.crm_address(row)
        yield "phone", digits(ajera["PrimaryPhoneNumber"]), digits(row.get("Phone"))
        yield "fax", digits(ajera["FaxNumber"]), digits(row.get("FAX"))
        yield "email", text(ajera["Email"]), text(row.get("Email"))
        if ajera["MailingAddressSameAsPrimary"] and self.ajera_address(ajera, "Mailing"):
            yield "mailing address", self.ajera_address(ajera, "Mailing"), self.ajera_address(ajera)

    def ajera_address(self, row: Row, which: str = "Primary") -> tuple[str, ...]:
        lines = [text(row[f"{which}Address{part}"]) for part in ("LineOne", "LineTwo", "LineThree")]
        rest = [text(row[f"{which}Address{part}"]) for part in ("City", "State", "Zip", "Country")]
        return self._address(lines, rest)

    def crm_address(self, row: Row) -> tuple[str, ...]:
        lines = [text(row.get(f"Address{n}")) for n in (1, 2, 3, 4)]
        return self._address(lines, [text(row.get(part)) for part in ("City", "State", "Zip", "Country")])

    def _address(self, lines: list[str], rest: list[str]) -> tuple[str, ...]:
        city, state, zip_, country = rest
        state = self.states.get(folded(state), state)
        country = self.countries.get(folded(country), country)
        found = (*(line for line in lines if line), city, folded(state), zip_, folded(country))
        return found if any(found) else ()

    def contact(self, ajera: Row, crm: Row) -> Fields:
        pairs = {"FirstName": "FirstName", "MiddleName": "MiddleName", "LastName": "LastName", "Title": "Title"}
        for ours, theirs in {**pairs, "Email": "Email"}.items():
            yield ours, text(ajera[ours]), text(crm[theirs])
        phones = {"PrimaryPhoneNumber": "Phone", "SecondaryPhoneNumber": "CellPhone", "FaxNumber": "Fax"}
        for ours, theirs in phones.items():
            yield theirs, digits(ajera[ours]), digits(crm[theirs])
        yield "status", ajera["Status"] == "Active", crm["ContactStatus"] == "A"
        if not crm["CLAddress"]:
            yield "address", self.ajera_address(ajera), self.crm_address(crm)
        if crm["ClientID"]:
            owners = {str(k) for k, r in self.a["clients"].items() if _listed(r, ajera["ContactKey"])}
            firm = self.partner(Kind.FIRM, crm["ClientID"])
            yield "firm", firm in owners or sorted(owners), True

    # -- employees -------------------------------------------------------------------------------

    def employee(self, ajera: Row, crm: Row) -> Fields:
        pairs = {"FirstName": "FirstName", "MiddleName": "MiddleName", "LastName": "LastName", "Title": "Title"}
        for ours, theirs in {**pairs, "Email": "EMail"}.items():
            yield ours, text(ajera[ours]), text(crm[theirs])
        yield "phone", digits(ajera["PrimaryPhoneNumber"]), digits(crm["WorkPhone"])
        yield "mobile", digits(ajera["SecondaryPhoneNumber"]), digits(crm["MobilePhone"])
        yield "hired", day(ajera["DateHired"]), day(crm["HireDate"])
        yield "left", day(ajera["DateTerminated"]), day(crm["TerminationDate"])
        past = bool(ajera["DateTerminated"]) and day(ajera["DateTerminated"]) < self.world.clock.at.date().isoformat()
        wanted = "T" if past else "A" if ajera["Status"] == "Active" else "I"
        yield "status", wanted, "I" if (wanted, crm["Status"]) == ("I", "T") else crm["Status"]

    # -- projects --------------------------------------------------------------------------------

    def project(self, ajera: Row, crm: Row) -> Fields:
        key = ajera["ProjectKey"]
        yield "number", text(ajera["ID"]), text(crm["WBS1"])
        short, long = text(crm["Name"]), text(crm["LongName"])
        yield "name", text(ajera["Description"]), long if long and short in ("", long[:40].strip()) else short
        groups = [g for g in self.a["invoice_groups"].values() if g["ProjectKey"] == key]
        clients = {str(g["ClientKey"]) for g in groups}
        yield "client", clients, {self.partner(Kind.FIRM, crm["ClientID"])}
        for ours, theirs in (("ProjectManager", "ProjMgr"), ("PrincipalInCharge", "Principal")):
            yield theirs, str((ajera[ours] or {}).get("EmployeeKey") or ""), self.partner(Kind.EMPLOYEE, crm[theirs])
        kind = self.code("ProjectType", crm["ProjectType"]) if crm["ProjectType"] else ""
        yield "type", self.listed("project_types", ajera["ProjectTypeKey"]), kind
        yield "status", _STATUS[ajera["Status"]], crm["Status"]
        yield from self.dates(ajera, crm)
        if crm["ChargeType"] == "R":
            yield from self.money(ajera, crm)
        yield from self.team(key, crm)
        yield from self.project_contacts(ajera, crm)

    def dates(self, ajera: Row, crm: Row) -> Fields:
        """A blank of Ajera never wipes a date of the CRM that Ajera did not give."""
        start = ajera["ActualStartDate"] or ajera["EstimatedStartDate"]
        both = {"EstCompletionDate": "EstimatedCompletionDate", "ActCompletionDate": "ActualCompletionDate"}
        for theirs, ours in (("StartDate", start), *((k, ajera[v]) for k, v in both.items())):
            if ours:
                yield theirs, day(ours), day(crm[theirs])

    def money(self, ajera: Row, crm: Row) -> Fields:
        totals = self.world.ajera.totals_of(ajera["ProjectKey"])
        for row, family in _FAMILIES.items():
            for theirs, ours in (("Labor", "Labor"), ("Reimbursable", "Expense"), ("Consultant", "Consultant")):
                column = f"Ajera{row}{theirs}"
                yield column, money(totals[f"{family} {ours}"]), money(crm[column])
        if ajera["BillingType"] in ("Nonbillable", "Marketing", "Overhead"):
            return
        te = ajera["BillingType"] == "TimeAndExpense"
        labor, expense, consultant = (money(ajera[f"{p}ContractAmount"]) for p in ("Labor", "Expense", "Consultant"))
        expense_te, consultant_te = te or ajera["BillExpenseAsTE"], te or ajera["BillConsultantAsTE"]
        zero = money(0)
        expected = {
            "FeeDirLab": labor,
            "FeeDirExp": zero if expense_te else expense,
            "ConsultFee": zero if consultant_te else consultant,
            "Fee": labor + (zero if expense_te else expense),
            "ReimbAllowExp": expense if expense_te else zero,
            "ReimbAllowCons": consultant if consultant_te else zero,
            "ReimbAllow": (expense if expense_te else zero) + (consultant if consultant_te else zero),
            "PctComp": money(ajera["ReportedPercentComplete"]),
            "BudOHRate": money(ajera["BudgetedOverheadRate"] or self._overhead(ajera)),
        }
        for column, amount in expected.items():
            yield column, amount, money(crm[column])

    def _overhead(self, ajera: Row) -> object:
        return self.a["departments"].get(ajera["DepartmentKey"], {}).get("OverheadPercent")

    def team(self, project: int, crm: Row) -> Fields:
        """Hours of every employee by what the timesheets themselves hold."""
        worked: Counter[int] = Counter()
        first: dict[int, date] = {}
        for sheet in self.a["timesheets"].values():
            for row in sheet["Project"]:
                for when, cell in row["Hours"].items() if row["ProjectKey"] == project else ():
                    hours = sum(Decimal(str(cell.get(kind) or 0)) for kind in ("Regular", "Overtime"))
                    worked[sheet["EmployeeKey"]] += hours  # type: ignore[assignment] # Counter of Decimal
                    first[sheet["EmployeeKey"]] = min(
                        first.get(sheet["EmployeeKey"], date.max), date.fromisoformat(when)
                    )
        rows = self.c.rows("project_team", "WBS1", crm["WBS1"])
        for employee, hours in worked.items():
            partner = self.links.partner(Kind.EMPLOYEE, Side.AJERA, str(employee)) or "unlinked"
            role = self.listed("employee_types", self.a["employees"][employee]["EmployeeTypeKey"])
            own = [r for r in rows if r["Employee"] == partner and self.code("CFGEmployeeRole", r["Role"]) == role]
            name = f"hours of {self.a['employees'][employee]['LastName']}"
            yield name, (money(hours), 1), (money(sum(money(r["CRMHours"]) for r in own)), len(own))
            for row in own:
                if not day(row["StartDate"]):
                    yield f"{name}, first day", first[employee].isoformat(), ""

    def project_contacts(self, ajera: Row, crm: Row) -> Fields:
        held = {str(entry["ContactKey"]) for entry in ajera["Contacts"]}
        for row in self.c.rows("project_contact", "WBS1", crm["WBS1"]):
            if row["AjeraSync"] == "Y":
                partner = self.partner(Kind.CONTACT, row["ContactID"])
                yield f"contact {partner}", partner in held, True

    # -- laws ------------------------------------------------------------------------------------

    def duplicates(self) -> list[str]:
        """Names and numbers that stand twice in one system."""
        firms = {"Ajera clients": [r["Description"] for r in self.a["clients"].values()]}
        firms["CRM firms"] = [r["Name"] for r in self.c.tables["firm"].values()]
        people = {
            "Ajera contacts": [_person(r) for r in self.a["contacts"].values()],
            "CRM contacts": [_person(r) for r in self.c.tables["contact"].values()],
            "Ajera employees": [_person(r) for r in self.a["employees"].values()],
            "CRM employees": [_person(r) for r in self.c.tables["employee"].values()],
        }
        projects = {"Ajera projects": [r["ID"] for r in self.a["projects"].values()]}
        found = []
        for where, names in {**firms, **people, **projects}.items():
            counted = Counter(folded(name) for name in names)
            found += [f"{where}: {name}" for name, count in sorted(counted.items()) if count > 1]
        team = Counter(
            (r["WBS1"], r["Employee"], r["Role"]) for r in self.c.tables["project_team"].values() if r["Role"]
        )
        return found + [f"CRM team: {key}" for key, count in team.items() if count > 1]

    def deletions(self) -> list[str]:
        """What the program deleted: the law says nothing, ever."""
        crm = [f"{w.table} {w.key}" for w in self.world.crm_writes() if w.op == "delete"]
        ajera = [f"{c.table} {c.key}" for entry in self.world.ajera_writes() for c in entry.changes if c.after is None]
        return crm + ajera

    def lost(self, edits: Iterable[Edit]) -> list[str]:
        """Edits whose value nobody can find any more: overwritten by the program and not in its history.

        A value that a later edit by a person replaced is no loss.
        """
        latest: dict[tuple[Side, str, str, str], tuple[Edit, Any]] = {}
        for edit in edits:
            for name, value in edit.values.items():
                if name in TICKS:  # the operator's tick, made here later, is meant to win
                    continue
                latest[edit.side, edit.table, edit.key, name] = (edit, value)
        history = self._history()
        found = []
        for (side, table, key, name), (edit, value) in latest.items():
            now = self._now(side, table, key, name)
            if now is None or _plain(now) == _plain(value) or _plain(value) in history:
                continue
            found.append(f"edit {edit.number} ({edit.what}): {side} {table} {key} {name}: {value!r}, now {now!r}")
        return found

    def _now(self, side: Side, table: str, key: str, name: str) -> Any:
        if side is Side.CRM:
            return self.c.get(table, key).get(name) if table in self.c.tables and self.c.has(table, key) else None
        row = self.a.get(table, {}).get(int(key)) if key.isdigit() else None
        return row.get(name) if row else None

    def _history(self) -> set[str]:
        """Every old and new value the program's history holds, and the words that a status or a code stands for."""
        service, found = self.world.service, set()
        for run in service.runs(10_000):
            for entry in service.run_history(run.id):
                for was, held, _ in entry.fields.values():
                    for value in (was, held):
                        found |= {_plain(value), _plain(display(value))}
        return found


TICKS = ("AjeraSync", "ProjectTemplate")
_STATUS = {
    "Active": "A",
    "Preliminary": "A",
    "Marketing": "A",
    "Hold": "D",
    "WorkHold": "D",
    "BillingHold": "D",
    "Closed": "I",
}
_FAMILIES = {"Spent": "Spent", "Cost": "Cost", "WIP": "WIP", "Billed": "Billed", "Received": "Receipts"}


def _label(kind: Kind, crm: Row) -> str:
    if kind is Kind.FIRM:
        return text(crm["Name"])
    if kind is Kind.PROJECT:
        return text(crm["WBS1"])
    return f"{text(crm['LastName'])}, {text(crm['FirstName'])}"


def _person(row: Row) -> str:
    return " ".join(part for part in (row["FirstName"], row["MiddleName"], row["LastName"]) if part)


def _listed(client: Row, contact: int) -> bool:
    return any(entry["ContactKey"] == contact for entry in client["Contacts"])


def _plain(value: object) -> str:
    if isinstance(value, Decimal | int | float) and not isinstance(value, bool):
        return str(money(value))
    return folded(value)


def by_reason(
    differences: Iterable[Difference], intended: Mapping[tuple[Kind, str, str], str]
) -> tuple[dict[str, list[Difference]], list[Difference], list[tuple[Kind, str, str]]]:
    """The differences by the reason the story gives, those it does not know, and what it promised in vain."""
    explained: dict[str, list[Difference]] = defaultdict(list)
    strange: list[Difference] = []
    used: set[tuple[Kind, str, str]] = set()
    for each in differences:
        key = (each.kind, each.label, each.field)
        if key in intended:
            explained[intended[key]].append(each)
            used.add(key)
        else:
            strange.append(each)
    return explained, strange, [key for key in intended if key not in used]


__all__ = ["Checker", "Difference", "by_reason"]
