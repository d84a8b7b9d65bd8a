"""ListClients, GetClients, UpdateClients (contract 7)."""

from __future__ import annotations

from core.sandbox.ajera import filters
from core.sandbox.ajera.call import Call, Content, Method, Refused
from core.sandbox.ajera.contacts import check_entries
from core.sandbox.ajera.data import Record
from core.sandbox.ajera.gets import fetch
from core.sandbox.ajera.render import custom_v1, flat, present
from core.sandbox.ajera.updates import Batch, Entity, check_status, required, update
from core.sandbox.ajera.vocabulary import STATUSES

FILTERS: dict[str, filters.Filter] = {
    "FilterByCompany": filters.key_in("CompanyKey", absent_matches=True),
    "FilterByStatus": filters.one_of("Status"),
    "FilterByNameLike": filters.like("Description"),
    "FilterByNameEquals": filters.equals("Description"),
    "FilterByClientType": filters.key_in("ClientTypeKey"),
    **filters.modified("clients"),
}


def list_clients(call: Call) -> Content:
    rows = filters.select(call, "clients", FILTERS)
    return {"Clients": [{"ClientKey": key, "Description": r["Description"]} for key, r in rows]}


def show(call: Call, key: int) -> Record:
    """The full record of contract 7.2."""
    stored = call.data.tables["clients"][key]
    return present({**flat(call.data, "clients", stored, call.quirks), **custom_v1(stored)}, call.quirks)


def get_clients(call: Call) -> Content:
    return {"Clients": fetch(call, "RequestedClients", "clients", show)}


def _check(call: Call, record: Record, key: int | None, batch: Batch) -> None:
    required(record, "Description")
    check_status(record, STATUSES)
    check_entries(call, record, batch)
    name = record["Description"].casefold().strip()
    if call.quirks.duplicate_client_name == "error" and any(
        k != key and r["Description"].casefold().strip() == name for k, r in call.data.tables["clients"].items()
    ):
        raise Refused("A client with this description already exists.")


ENTITY = Entity("clients", "Clients", "Client", _check, show)


def update_clients(call: Call) -> Content:
    return update(call, ENTITY)


METHODS = {
    "ListClients": Method(list_clients),
    "GetClients": Method(get_clients),
    "UpdateClients": Method(update_clients, writes=True),
}
