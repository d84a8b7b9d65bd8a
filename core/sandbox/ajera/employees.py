"""ListEmployees, GetEmployees, UpdateEmployees (contract 9). The full record carries SSN and pay, as the real one."""

from __future__ import annotations

from core.sandbox.ajera import filters
from core.sandbox.ajera.call import Call, Content, Method
from core.sandbox.ajera.contacts import check_entries
from core.sandbox.ajera.data import Record
from core.sandbox.ajera.gets import fetch
from core.sandbox.ajera.render import custom_v1, flat, present
from core.sandbox.ajera.updates import Batch, Entity, check_status, required, update
from core.sandbox.ajera.vocabulary import STATUSES

FILTERS: dict[str, filters.Filter] = {
    "FilterByDepartment": filters.key_in("DepartmentKey"),
    "FilterByCompany": filters.key_in("CompanyKey", absent_matches=True),
    "FilterBySupervisor": filters.key_in("SupervisorKey"),
    "FilterByStatus": filters.one_of("Status"),
    "FilterByNameLike": filters.like_name("FirstName", "MiddleName", "LastName"),
    "FilterByEmployeeType": filters.key_in("EmployeeTypeKey"),
    **filters.modified("employees"),
}


def list_employees(call: Call) -> Content:
    return {"Employees": [_row(key, record) for key, record in filters.select(call, "employees", FILTERS)]}


def _row(key: int, record: Record) -> Record:
    """Company and Department are keys here, not names (contract 9.1). No e-mail."""
    return {
        "EmployeeKey": key,
        "FirstName": record["FirstName"],
        "MiddleName": record["MiddleName"],
        "LastName": record["LastName"],
        "Company": record["CompanyKey"],
        "Department": record["DepartmentKey"],
        "RestrictToOwnCompany": record["RestrictToOwnCompany"],
        "RestrictToOwnDepartment": record["RestrictToOwnDepartment"],
    }


def show(call: Call, key: int) -> Record:
    stored = call.data.tables["employees"][key]
    return present({**flat(call.data, "employees", stored, call.quirks), **custom_v1(stored)}, call.quirks)


def get_employees(call: Call) -> Content:
    """At most 50 keys, else ResponseCode -100 and no data (contract 5)."""
    return {"Employees": fetch(call, "RequestedEmployees", "employees", show, limited=True)}


def _check(call: Call, record: Record, _key: int | None, batch: Batch) -> None:
    required(record, "LastName")
    check_status(record, STATUSES)
    check_entries(call, record, batch)


ENTITY = Entity("employees", "Employees", "Employee", _check, show)


def update_employees(call: Call) -> Content:
    return update(call, ENTITY)


METHODS = {
    "ListEmployees": Method(list_employees),
    "GetEmployees": Method(get_employees),
    "UpdateEmployees": Method(update_employees, writes=True),
}
