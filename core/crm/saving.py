"""Creating and changing records: one write, checked against what was meant, read back (contract sections 3, 7, 8)."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol, TypeVar
from urllib.parse import unquote

from core.crm.client import CrmClient, segment
from core.crm.hubs import FIRST_VALUES, HUBS
from core.crm.mapping import cell
from core.crm.namesakes import number_of_draft
from core.crm.options import CrmOptions
from core.crm.refusals import explained
from core.crm.replies import SIDE, rows_of
from core.crm.tenant import Tenant
from core.crm.wire import Row, flag_of, text_of
from core.crm.writing import ADDRESS_LABEL, Body, Draught, refusal
from core.errors import BadReply, OutcomeUnknown, RecordMissing, RecordRefused, SystemFailure
from core.http import Reply
from core.model.record import NO_FIELDS, Record
from core.model.values import EntryEdit, Kind, TeamEdit, Value
from core.ports import Draft

T = TypeVar("T")
log = logging.getLogger("ajerasync.crm")


class Getter(Protocol):
    def __call__(self, kind: Kind, keys: Sequence[str]) -> Awaitable[dict[str, Record]]: ...


class Saver:
    """Writes of one tenant. `get` reads a record as the system holds it."""

    def __init__(self, client: CrmClient, tenant: Tenant, options: CrmOptions, get: Getter) -> None:
        self._client = client
        self._tenant = tenant
        self._options = options
        self._get = get

    # -- creating ----------------------------------------------------------------------------------

    async def create(self, draft: Draft) -> Record:
        """POST, then GET: a workflow may fill columns after the reply (section 8)."""
        draught = self._new(draft)
        address = {name: value for name, value in draught.address.items() if value != ""}
        reply, refused = await self._post(draft, draught, address)
        key = self._key_of(draft, reply) if reply else draft.key or ""
        record = _as_left(await self._created(draft.kind, key, reply), self._told(draft.kind, reply), _filled(draft))
        if address and not refused and not self._holds_address(draft, record):
            refused = await self._add_address(key, address)
            record = record if refused else await self._created(draft.kind, key, reply)
        return _without_address(record, refused, self._tenant) if refused else record

    async def _post(self, draft: Draft, draught: Draught, address: Body) -> tuple[Reply | None, str]:
        """The reply of the POST, and why a firm was made without its address, if it was.

        The address goes into the same call, so that no stop leaves a firm without it. That POST takes nested rows as
        PUT does is not documented: a tenant that refuses them, or this address, gets the firm alone, provided that
        its key tells whether the first call made it after all. The reply is None where it did.
        """
        if not address:
            return await self._send_new(draft.kind, draught, {}), ""
        row = {"Address": ADDRESS_LABEL, "PrimaryInd": "Y", **address, "_transType": "I"}
        try:
            return await self._send_new(draft.kind, draught, {"CLAddress": [row]}), ""
        except RecordRefused as error:
            if not self._about_the_address(error) or HUBS[draft.kind].key not in draught.columns:
                raise
            refused = error
        untaken = any("claddress" in problem.lower() for problem in refused.problems)
        there = await self._get(draft.kind, [draft.key or ""])
        reply = None if there else await self._send_new(draft.kind, draught, {})
        return reply, "" if untaken else str(refused)

    async def _send_new(self, kind: Kind, draught: Draught, rows: Body) -> Reply:
        path, fields = HUBS[kind].path, self._tenant.mapper.wanted(kind)
        body = {**draught.columns, **rows}
        return await self._explained(kind, draught, lambda: self._client.post(path, body, fields, f"create {path}"))

    def _about_the_address(self, error: RecordRefused) -> bool:
        """Whether a refusal names nothing but parts of the address."""
        columns = {column.lower() for column in error.columns}
        mapped = [spec for spec in self._tenant.specs[Kind.FIRM] if spec.crm.lower() in columns]
        named = "claddress" in columns or any("claddress" in problem.lower() for problem in error.problems)
        return (named or bool(mapped)) and all(spec.group == "address" for spec in mapped)

    def _holds_address(self, draft: Draft, record: Record) -> bool:
        """Whether every address field of the draft is filled in the record."""
        names = [spec.name for spec in self._tenant.specs[Kind.FIRM] if spec.group == "address"]
        return all(record.fields.get(name) for name in names if draft.fields.get(name))

    def _new(self, draft: Draft) -> Draught:
        tenant, kind = self._tenant, draft.kind
        first = {**FIRST_VALUES[kind], **self._options.defaults.get(kind, {})}
        draught = Draught({tenant.catalogue.exact(kind, name): value for name, value in first.items() if value})
        for spec in tenant.specs[kind]:
            value = draft.fields.get(spec.name)
            if value is not None and value != "" and not spec.create_only:
                tenant.writer.put(draught, spec, value, {})
        draught.columns |= self._identity(draft)
        # A firm made here is in the sync from the start (sync-rules 2); others where the draft says so.
        if draft.fields.get("mark", kind is Kind.FIRM) and kind.value in tenant.catalogue.marks:
            draught.columns |= tenant.writer.mark(kind, True)
        if draft.template and tenant.catalogue.template:
            draught.columns |= tenant.writer.template(draft.template)
        return draught

    def _identity(self, draft: Draft) -> Body:
        """The key this program chooses, where the tenant takes one, and the visible number, if it is known."""
        hub, quirks = HUBS[draft.kind], self._options.quirks
        body: Body = {}
        if draft.kind in (Kind.FIRM, Kind.CONTACT) and draft.key and quirks.client_keys != "refused":
            body[hub.key] = draft.key
        number = number_of_draft(draft)
        numbered = {Kind.FIRM: quirks.autonumber_firm, Kind.PROJECT: quirks.autonumber_project}
        # A number sent against the override rule makes the CRM refuse the record (section 8).
        given = numbered.get(draft.kind, quirks.autonumber_employee) and not quirks.autonumber_override
        if hub.number and number and not given:
            body[hub.number] = number
        return body

    def _key_of(self, draft: Draft, reply: Reply) -> str:
        """The new record's key: of the reply's row, its Location, else the one that was sent."""
        rows = _rows(reply)
        key = self._tenant.mapper.key(draft.kind, rows[0]) if rows else ""
        located = unquote(reply.headers.get("location", "").rstrip("/").rpartition("/")[2])
        located = located.partition("|")[0] if draft.kind is Kind.EMPLOYEE else located  # Employee|EmployeeCompany
        sent = number_of_draft(draft) if draft.kind in (Kind.PROJECT, Kind.EMPLOYEE) else draft.key
        found = key or located or sent or ""
        if not found:
            raise OutcomeUnknown(SIDE, f"The CRM made the {draft.kind}, but did not say its key")
        return found

    async def _created(self, kind: Kind, key: str, reply: Reply | None) -> Record:
        try:
            record = (await self._get(kind, [key])).get(key)
        except SystemFailure:
            record = self._told(kind, reply)
        if record is None:
            raise OutcomeUnknown(SIDE, f"The CRM said that it made the {kind}, but it cannot be read")
        return record

    def _told(self, kind: Kind, reply: Reply | None) -> Record | None:
        return self._from_rows(kind, _rows(reply)) if reply else None

    async def _add_address(self, key: str, parts: Body) -> str:
        """Give a new firm the address that its POST did not. The firm is made, so a refusal is told, not raised."""
        try:
            await self._save_address(key, parts)
        except SystemFailure as error:
            log.warning("The CRM did not take the address of a new firm: %s", type(error).__name__)
            return str(error)
        return ""

    # -- changing ----------------------------------------------------------------------------------

    async def update(self, before: Record, changes: Mapping[str, Value]) -> Record:
        """PUT of the changed columns and rows; nothing is sent where nothing is left to change."""
        before = await self._as_read(before, changes)
        draught = Draught()
        for name, value in changes.items():
            self._put(draught, before, name, value)
        rows: list[Row] = []
        if draught.address:
            rows = await self._explained(before.kind, draught, lambda: self._update_firm(before, draught))
        elif draught.columns or draught.rows:
            body = {**draught.columns, **draught.rows}
            rows = await self._explained(before.kind, draught, lambda: self._put_hub(before, body))
        return await self._after(before, changes, rows, draught)

    async def _as_read(self, before: Record, changes: Mapping[str, Value]) -> Record:
        """The record with what the rules look at: its row, and its lists where one of them changes."""
        lists = any(":" in name or isinstance(value, EntryEdit) for name, value in changes.items())
        if isinstance(before.raw, Mapping) and not (lists and (before.contacts is None or before.team is None)):
            return before
        found = (await self._get(before.kind, [before.key])).get(before.key)
        if found is None:
            raise RecordMissing(SIDE, f"The CRM has no such {before.kind} any more")
        return found

    def _put(self, draught: Draught, before: Record, name: str, value: Value) -> None:
        writer = self._tenant.writer
        kind, _, rest = name.partition(":")
        if name == "mark":
            draught.columns |= writer.mark(before.kind, bool(value))
        elif name == "template":
            draught.columns |= writer.template(value)
        elif kind == "mark":
            writer.contact_mark(draught, before, rest, bool(value))
        elif isinstance(value, EntryEdit):
            writer.contacts(draught, before, value)
        elif isinstance(value, TeamEdit):
            writer.team(draught, before, value)
        else:
            self._put_field(draught, before, name, value)

    def _put_field(self, draught: Draught, before: Record, name: str, value: Value) -> None:
        spec = self._tenant.spec(before.kind, name)
        if spec is None:
            why = self._tenant.stopped.get((before.kind, name), f"The field {name} of a {before.kind} is not mapped")
            raise refusal(why, name)
        row = _raw(before)
        if name == "address" and before.kind is Kind.CONTACT and text_of(row.get("CLAddress")).strip():
            raise refusal(f"{spec.label}: this contact uses its firm's address, which is never written here", spec.crm)
        self._tenant.writer.put(draught, spec, value, row)

    async def _put_hub(self, before: Record, body: Mapping[str, object]) -> list[Row]:
        hub = HUBS[before.kind]
        path = f"{hub.path}/{segment(self._path_key(before))}"
        return await self._client.put(path, body, self._tenant.mapper.wanted(before.kind), f"change {hub.path}")

    def _path_key(self, before: Record) -> str:
        """The key in the path: an employee's may want its company (section 12: both forms were seen)."""
        company = text_of(cell(_raw(before), "EmployeeCompany", "")).strip()
        with_company = self._options.quirks.employee_path == "company" and before.kind is Kind.EMPLOYEE
        return f"{before.key}|{company}" if with_company and company else before.key

    async def _update_firm(self, before: Record, draught: Draught) -> list[Row]:
        """A firm's columns and its primary address row, in one PUT where the row is there."""
        row = await self._address_row(before.key)
        if row is not None:
            return await self._put_hub(before, {**draught.columns, "CLAddress": [_address_body(row, draught.address)]})
        await self._new_address(before.key, draught.address)
        return await self._put_hub(before, draught.columns) if draught.columns else []

    async def _save_address(self, key: str, parts: Body) -> None:
        row = await self._address_row(key)
        if row is None:
            await self._new_address(key, parts)
            return
        body = {"CLAddress": [_address_body(row, parts)]}
        await self._client.put(f"firm/{segment(key)}", body, self._tenant.mapper.wanted(Kind.FIRM), "change firm")

    async def _address_row(self, key: str) -> Row | None:
        """The firm's primary address row as it is now, else the one this program labelled."""
        rows = await self._client.children("firm", key, "address")
        if rows is None:
            raise RecordMissing(SIDE, "The CRM has no such firm any more")
        primary = (row for row in rows if flag_of(cell(row, "PrimaryInd", "")))
        labelled = (row for row in rows if text_of(cell(row, "Address", "")).strip() == ADDRESS_LABEL)
        return next(primary, None) or next(labelled, None)

    async def _new_address(self, key: str, parts: Body) -> None:
        """A new primary row; posting twice makes two, so it was looked for first (section 8)."""
        filled = {name: value for name, value in parts.items() if value != ""}
        if not filled:
            return
        body = {"ClientID": key, "Address": ADDRESS_LABEL, "PrimaryInd": "Y", **filled}
        await self._client.post(f"firm/{segment(key)}/address", body, (), "create firm address")

    async def _after(
        self, before: Record, changes: Mapping[str, Value], rows: Sequence[Row], draught: Draught
    ) -> Record:
        """The record as held: of the reply where it is complete and says what was meant, else read again."""
        record = self._from_rows(before.kind, rows)
        if record is not None and not draught.rows and _says(record, changes):
            return replace(record, contacts=before.contacts, team=before.team)
        try:
            found = (await self._get(before.kind, [before.key])).get(before.key)
        except SystemFailure:
            if record is None or draught.rows:
                found_out = OutcomeUnknown(SIDE, f"The {before.kind} was written, but could not be read back")
                raise found_out from None
            found = replace(record, contacts=before.contacts, team=before.team)
        if found is None:
            raise RecordMissing(SIDE, f"The CRM has no such {before.kind} any more")
        return _as_left(found, record, changes, before.fields)

    def _from_rows(self, kind: Kind, rows: Sequence[Row]) -> Record | None:
        mapper = self._tenant.mapper
        return mapper.record(kind, rows[0]) if rows and mapper.complete(kind, rows[0]) else None

    async def _explained(self, kind: Kind, draught: Draught, call: Callable[[], Awaitable[T]]) -> T:
        """The call's answer; a refusal with the columns of the field map that it is about."""
        try:
            return await call()
        except RecordRefused as error:
            sent = (*draught.columns, *draught.address)
            problem = explained(error, self._tenant.catalogue, kind, self._tenant.specs[kind], sent)
        raise problem


def _address_body(row: Row, parts: Body) -> Body:
    """One row of CLAddress as a PUT takes it (section 9); nothing but what changes is sent beside its identity."""
    identity = {name: cell(row, name, "") for name in ("CLAddressID", "ClientID", "Address")}
    primary = {} if flag_of(cell(row, "PrimaryInd", "")) else {"PrimaryInd": "Y"}
    return {**identity, **primary, **parts}


def _as_left(
    read: Record, reply: Record | None, written: Mapping[str, Value], before: Mapping[str, Value] = NO_FIELDS
) -> Record:
    """A record as our write left it. What was written, came back in the reply and is another when read back was typed
    by somebody in between: it is told as the reply has it, with the reply's stamp, and the next pull brings what was
    typed as the change it is. What the reply did not show yet (rows saved after it, a workflow) is told as read."""
    if reply is None or not reply.stamp or reply.stamp == read.stamp:
        return read
    left: dict[str, Value] = {}
    for name, value in written.items():
        told = reply.fields.get(name)
        shown = told not in (None, "", before.get(name)) or (told == value and told != before.get(name))
        if shown and name in read.fields and told != read.fields[name]:
            left[name] = told
    return replace(read, stamp=reply.stamp, fields={**read.fields, **left}) if left else read


def _filled(draft: Draft) -> Mapping[str, Value]:
    return {name: value for name, value in draft.fields.items() if value not in (None, "")}


def _rows(reply: Reply) -> list[Row]:
    try:
        return rows_of(reply)
    except BadReply:
        return []


def _raw(record: Record) -> Row:
    return record.raw if isinstance(record.raw, Mapping) else {}


def _says(record: Record, changes: Mapping[str, Value]) -> bool:
    """Whether a record holds what was written."""
    for name, value in changes.items():
        if name == "mark":
            same = record.marked is bool(value)
        elif name == "template":
            same = (record.template or "") == text_of(value)
        else:
            held = record.fields.get(name)
            same = held == value or (not held and not value)
        if not same:
            return False
    return True


def _without_address(record: Record, why: str, tenant: Tenant) -> Record:
    """The record of a firm whose address was not taken: those fields count as not read, so they are tried again."""
    lost = {spec.name for spec in tenant.specs[Kind.FIRM] if spec.group == "address"}
    fields = {name: value for name, value in record.fields.items() if name not in lost}
    return replace(record, fields=fields, extra={**record.extra, "address_refused": why})
