"""ListVendors, GetVendors, UpdateVendors, ListVendorTypes (contract 11)."""

from __future__ import annotations

from core.sandbox.ajera import filters
from core.sandbox.ajera.call import Call, Content, Method
from core.sandbox.ajera.contacts import check_entries
from core.sandbox.ajera.data import Record
from core.sandbox.ajera.gets import fetch
from core.sandbox.ajera.render import flat, present
from core.sandbox.ajera.updates import Batch, Entity, check_status, required, update
from core.sandbox.ajera.vocabulary import STATUSES

FILTERS: dict[str, filters.Filter] = {
    "FilterByCompany": filters.key_in("CompanyKey", absent_matches=True),
    "FilterByStatus": filters.one_of("Status"),
    "FilterByNameLike": filters.like("Name"),
    "FilterByVendorType": filters.key_in("VendorTypeKey"),
    **filters.modified("vendors"),
}
TYPE_FILTERS: dict[str, filters.Filter] = {
    "FilterByStatus": filters.one_of("Status"),
    "FilterByIsCreditCard": filters.flag_in("IsCreditCard"),
    "FilterByIsConsultant": filters.flag_in("IsConsultant"),
}


def list_vendors(call: Call) -> Content:
    rows = filters.select(call, "vendors", FILTERS)
    return {"Vendors": [{"VendorKey": key, "Name": record["Name"]} for key, record in rows]}


def show(call: Call, key: int) -> Record:
    """The full record; an untyped vendor has no type properties at all (contract 3.2)."""
    return present(flat(call.data, "vendors", call.data.tables["vendors"][key], call.quirks), call.quirks)


def get_vendors(call: Call) -> Content:
    return {"Vendors": fetch(call, "RequestedVendors", "vendors", show)}


def list_vendor_types(call: Call) -> Content:
    rows = filters.select(call, "vendor_types", TYPE_FILTERS)
    names = ("VendorTypeKey", "Description", "Status", "Notes")
    return {"VendorTypes": [{name: record[name] for name in names} for _, record in rows]}


def _check(call: Call, record: Record, _key: int | None, batch: Batch) -> None:
    required(record, "Name")
    check_status(record, STATUSES)
    check_entries(call, record, batch)


ENTITY = Entity("vendors", "Vendors", "Vendor", _check, show)


def update_vendors(call: Call) -> Content:
    return update(call, ENTITY)


METHODS = {
    "ListVendors": Method(list_vendors),
    "GetVendors": Method(get_vendors),
    "UpdateVendors": Method(update_vendors, writes=True),
    "ListVendorTypes": Method(list_vendor_types),
}
