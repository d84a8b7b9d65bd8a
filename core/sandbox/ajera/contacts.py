"""ListContacts, GetContacts, UpdateContacts (contract 8)."""

from __future__ import annotations

from typing import Any

from core.sandbox.ajera import filters
from core.sandbox.ajera.call import INVALID_DATA, Call, Content, Method, Refused, is_int
from core.sandbox.ajera.data import Record
from core.sandbox.ajera.gets import fetch
from core.sandbox.ajera.render import custom_v1, flat, links_of, present
from core.sandbox.ajera.updates import Batch, Entity, check_status, has_any, update
from core.sandbox.ajera.vocabulary import STATUSES

_NAME = ("FirstName", "MiddleName", "LastName")
_TYPE_TEXTS = ("ContactTypeDescription", "ContactTypeNotes")
FILTERS: dict[str, filters.Filter] = {
    "FilterByCompany": filters.key_in("CompanyKey", absent_matches=True),
    "FilterByStatus": filters.one_of("Status"),
    "FilterByText": filters.like_name(*_NAME, "Company"),
    "FilterByContactType": filters.key_in("ContactTypeKey"),
    **filters.modified("contacts"),
}


def _by_client(call: Call, value: Any) -> filters.Test:
    if not isinstance(value, list) or not all(is_int(v) for v in value):
        raise Refused(INVALID_DATA)
    wanted = set(value)
    return lambda key, _record: not wanted.isdisjoint(call.data.owners["clients"].get(key, ()))


# Not on the official page; ignored unless the quirk says otherwise (contract 8.1).
EXTRA: dict[str, filters.Filter] = {"FilterByNameLike": filters.like_name(*_NAME), "FilterByClient": _by_client}


def list_contacts(call: Call) -> Content:
    known = FILTERS | (EXTRA if call.quirks.contact_extra_filters == "accept" else {})
    return {"Contacts": [_row(call, key, record) for key, record in filters.select(call, "contacts", known)]}


def _row(call: Call, key: int, record: Record) -> Record:
    row = {
        "ContactKey": key,
        "FirstName": record["FirstName"],
        "MiddleName": record["MiddleName"],
        "LastName": record["LastName"],
        "Company": record["Company"],
    }
    if call.quirks.contact_link_rows == "yes":
        row.update({name: value for name, value in links_of(call.data, key).items() if value is not None})
    return row


def show(call: Call, key: int) -> Record:
    """The full record of contract 8.2; the type texts of an untyped contact are explicit nulls (contract 3.2)."""
    stored = call.data.tables["contacts"][key]
    record = {**flat(call.data, "contacts", stored, call.quirks), **custom_v1(stored)}
    return present(record, call.quirks, _TYPE_TEXTS if call.quirks.untyped_contact == "null" else ())


def get_contacts(call: Call) -> Content:
    return {"Contacts": fetch(call, "RequestedContacts", "contacts", show)}


def check_name(call: Call, record: Record, key: int | None, batch: Batch) -> None:
    """The person's name must be unique over all contacts (contract 8.3), those of the same call included."""
    if call.quirks.duplicate_contact_name == "accept":
        return
    parts = _NAME if call.quirks.contact_name_parts == "full" else ("FirstName", "LastName")
    name = tuple((record.get(p) or "").strip().casefold() for p in parts)
    taken = name in batch.names or any(
        k != key and tuple(r[p].strip().casefold() for p in parts) == name
        for k, r in call.data.tables["contacts"].items()
    )
    if taken:
        raise Refused("A contact with this name already exists.")
    batch.names.add(name)


def check_entries(call: Call, record: Record, batch: Batch) -> None:
    """Contacts named in another record exist, or are new with a name of their own (negative keys, contract 6.3)."""
    for entry in record["Contacts"]:
        if entry["ContactKey"] < 0:
            if not has_any(entry, *_NAME):
                raise Refused(INVALID_DATA)
            check_name(call, entry, None, batch)
        elif entry["ContactKey"] not in call.data.tables["contacts"]:
            raise Refused(INVALID_DATA)


def _check(call: Call, record: Record, key: int | None, batch: Batch) -> None:
    if not has_any(record, *_NAME):
        raise Refused("A name is required.")
    check_status(record, STATUSES)
    check_name(call, record, key, batch)


ENTITY = Entity(
    "contacts",
    "Contacts",
    "Contact",
    _check,
    show,
    lambda call: 1 if call.quirks.new_contacts_per_call == "one" else None,
)


def update_contacts(call: Call) -> Content:
    return update(call, ENTITY)


METHODS = {
    "ListContacts": Method(list_contacts),
    "GetContacts": Method(get_contacts),
    "UpdateContacts": Method(update_contacts, writes=True),
}
