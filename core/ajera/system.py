"""Ajera as the engine sees it: core.ports.System and core.ports.Accounting.

Reading goes through client.py (protocol), changes.py (cursors), mapping.py (records), totals.py and hours.py;
writing through writing.py (properties). What is here is the order of the calls and the proof that a write did
what it was meant to do.

Settings that decide what is asked for, beside the field map:

    allow_flat_template   create a project although the template's nested phases are left out
    write_sync_flag       set SyncToCRM on projects made here (sync-rules 2: off until Deltek's own sync is off)
    further_receipts      received columns with adjustments and credit memos
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from core.ajera import hours as timesheets
from core.ajera import totals as money
from core.ajera import writing
from core.ajera.changes import Mark, Puller
from core.ajera.client import AjeraClient, rows_of, together
from core.ajera.gathering import Gathering
from core.ajera.mapping import Reader, key_of
from core.ajera.namelists import AGE, UNFILTERED_AGE, NameLists
from core.ajera.names import ENTITIES, GENERIC_ERROR
from core.ajera.search import same_text, searches
from core.ajera.skim import print_of
from core.ajera.tables import TableReader
from core.ajera.wire import Project, Raw, SessionContent, read_amount, read_key, read_text, validated
from core.ajera.writing import Writer, refused
from core.errors import (
    NothingToChange,
    OutcomeUnknown,
    RecordMissing,
    RecordRefused,
    Stale,
    SystemFailure,
)
from core.http import Clock, SystemClock
from core.model.record import NO_FIELDS, Record
from core.model.values import EntryEdit, Kind, Side, Value
from core.policy import DEFAULT_FIELDS, FieldSpec
from core.ports import KNOWN_FOR, UNFINISHED, Connection, Draft, Hours, Pulled, Reread, Shelf
from core.quirks.ajera import AjeraQuirks
from core.text import safe_line

TEMPLATE_AGE: Final = 600.0  # seconds that a template is taken as read
NAME_LIMIT, NUMBER_LIMIT = 80, 30  # ajera-api 10.2
MARK, CREATE_IN_CRM, CONTACTS = "mark", "create_in_crm", "contacts"
_FLAGS: Final = {MARK: "SyncToCRM", CREATE_IN_CRM: "CreateInCRM"}


@dataclass(frozen=True)
class AjeraOptions:
    """The settings of this side (see the top of the module)."""

    allow_flat_template: bool = False
    write_sync_flag: bool = False
    further_receipts: bool = False


class AjeraSystem:
    """One Ajera database. Implements core.ports.System and core.ports.Accounting."""

    side = Side.AJERA

    def __init__(
        self,
        client: AjeraClient,
        *,
        fields: Mapping[Kind, tuple[FieldSpec, ...]] | None = None,
        quirks: AjeraQuirks | None = None,
        options: AjeraOptions | None = None,
        clock: Clock | None = None,
        shelf: Shelf | None = None,
    ) -> None:
        self.client = client
        self.quirks = quirks or AjeraQuirks()
        self.options = options or AjeraOptions()
        self._fields = fields or DEFAULT_FIELDS
        client.employee_fields = self._fields[Kind.EMPLOYEE]
        self._clock = clock or SystemClock()
        self._puller = Puller(self, self.quirks, lambda kind: ENTITIES[kind].batch, self._clock.monotonic)
        self._tables = TableReader(client, self._clock, shelf)
        self._session_at = 0.0
        self._template_raws: dict[str, tuple[Raw | None, float]] = {}
        self._lists = NameLists(self._every_row, self._clock)
        self._template_turn = asyncio.Lock()
        self._gathering = Gathering(self._read, lambda kind: ENTITIES[kind].batch)
        self._hours_worked: dict[str, Decimal] = {}
        self._roles: dict[int, str] = {}

    @property
    def _nested(self) -> bool:
        """Whether CreateProjects takes nested phases here."""
        return self.quirks.create_phases == "nested"

    @property
    def requests(self) -> int:
        return self.client.http.requests

    async def close(self) -> None:
        await self.client.close()

    # -- connect ---------------------------------------------------------------------------------

    async def connect(self, max_age: float = KNOWN_FOR) -> Connection:
        """What Ajera says of itself. A login and code tables that are older than `max_age` seconds are made anew:
        the version may have changed since, although an upgrade is thought to end the sessions too."""
        session = await self._session(max_age)
        tables = await self._tables.known(max_age)
        return Connection(
            side=Side.AJERA,
            version=session.AjeraVersion or None,
            company=session.CompanyName,
            mark_columns=frozenset({"project"}),
            limits={(Kind.PROJECT, "name"): NAME_LIMIT, (Kind.PROJECT, "number"): NUMBER_LIMIT},
            codes=tables.codes(self._fields),
            templates=tables.template_names,
            flat_templates=frozenset() if self._nested else tables.nesting_templates,
            clock_offset=self._clock_offset(),
            warnings=(*tables.warnings, *_session_warnings(session)),
        )

    async def _session(self, max_age: float) -> SessionContent:
        now = self._clock.monotonic()
        if self.client.connected and now - self._session_at < max_age:
            return await self.client.session()
        session = await self.client.fresh_session()
        self._session_at = now
        return session

    def _clock_offset(self) -> float | None:
        return (self.client.date - self._clock.now()).total_seconds() if self.client.date else None

    # -- reading ---------------------------------------------------------------------------------

    async def pull(self, kind: Kind, cursor: str | None) -> Pulled:
        """What changed since the cursor, or everything. Requests: see changes.py."""
        mark = Mark.parse(cursor)
        if mark is None:
            records, after = await self._puller.everything(kind)
        else:
            records, after = await self._puller.since(kind, mark)
        return Pulled(kind, Side.AJERA, tuple(records), str(after) if after else "", mark is None)

    async def keys(self, kind: Kind) -> frozenset[str]:
        """Lists are not paged unless that is asked for (ajera-api 3.1), so one answer is the whole list."""
        keys, _ = await self.listed(kind, {})
        return frozenset(map(str, keys))

    async def get(self, kind: Kind, keys: Sequence[str]) -> dict[str, Record]:
        wanted = [int(key) for key in keys if key.isdecimal()]
        return {record.key: record for record in await self.read(kind, wanted)}

    async def reread(self, kind: Kind, keys: Sequence[str], known: Mapping[str, str], of: str) -> Reread:
        """The records whose rows differ from what they were made of (core.ports.Rereading). Not for employees, whose rows
        are cut down before anything is made of them."""
        if kind is Kind.EMPLOYEE:
            return Reread(await self.get(kind, keys), {})
        reader = await self._reader()
        salt = hashlib.sha256(f"{of} {reader.depends_on(kind)}".encode()).digest()
        prints: dict[str, str] = {}

        def same(row: Raw) -> bool:
            key = str(row.get(ENTITIES[kind].key))
            prints[key] = print_of(row, salt)
            return known.get(key) == prints[key]

        raws = await self.client.records(kind, [int(key) for key in keys if key.isdecimal()], same)
        found = await asyncio.to_thread(lambda: {record.key: record for record in reader.records(kind, raws)})
        return Reread(found, {key: prints[key] for key in found.keys() & prints.keys()})

    async def listed(self, kind: Kind, filters: Mapping[str, str]) -> tuple[list[int], datetime | None]:
        """Keys of a list, and when it was sent."""
        rows, sent = await self.client.rows(kind, filters)
        return [key for row in rows if (key := key_of(kind, row))], sent

    async def read(self, kind: Kind, keys: Iterable[int]) -> list[Record]:
        """Records by key; parsed in a thread, since many nested projects take a while."""
        wanted = list(keys)
        if len(wanted) == 1:
            return await self._gathering.one(kind, wanted[0])
        return await self._read(kind, wanted) if wanted else []

    async def _read(self, kind: Kind, keys: Sequence[int]) -> list[Record]:
        raws = await self.client.records(kind, keys)
        reader = await self._reader()
        return await asyncio.to_thread(reader.records, kind, raws)

    async def _reader(self) -> Reader:
        overhead = (await self._tables.known()).overhead
        return Reader(self._fields, self.quirks, self._clock.now().date(), overhead)

    async def _writer(self) -> Writer:
        return Writer(self._fields, (await self._tables.known()).references)

    async def _one(self, kind: Kind, key: str) -> Record:
        found = await self.read(kind, [int(key)])
        if not found:
            raise RecordMissing(Side.AJERA, f"Ajera has no {kind} with key {key}")
        return found[0]

    async def namesakes(self, draft: Draft) -> list[Record]:
        """Records that bear the draft's name or number now, by exact text whatever the case.

        A list without a filter (contacts: none is documented that finds a person) is taken as it was up to a minute
        ago, with what was made here since: a first sync would else ask for all of it once a contact. Firms and projects
        are asked for by name while they are few; many in a row are looked for in one list that is seconds old.
        """
        many = self._lists.are_many(draft.kind)
        keys: list[int] = []
        for filters, matches in searches(draft):
            if not filters or many:
                rows = await self._lists.rows(draft.kind, UNFILTERED_AGE if not filters else AGE)
            else:
                rows, _ = await self.client.rows(draft.kind, filters)
            keys += [key for row in rows if matches(row) and (key := key_of(draft.kind, row))]
        return await self.read(draft.kind, dict.fromkeys(keys))

    async def _every_row(self, kind: Kind) -> list[Raw]:
        return (await self.client.rows(kind, {}))[0]

    # -- creating --------------------------------------------------------------------------------

    async def create(self, draft: Draft) -> Record:
        """A client or contact through its Update method, a project through CreateProjects, read back.

        Raises OutcomeUnknown where the answer was lost or does not say what became of it.
        """
        if draft.kind is Kind.PROJECT:
            return await self._create_project(draft)
        if draft.kind is Kind.EMPLOYEE:
            raise refused("employees are Ajera's: none is made from the CRM")
        entity = ENTITIES[draft.kind]
        raw = writing.new_record(await self._writer(), draft)
        try:
            content = await _clearly(entity.update_method, self.client.update(draft.kind, raw, None))
        except BaseException:
            self._lists.distrust(draft.kind)  # it may have been made: whoever looks for it must see it
            raise
        made = [row for row in _rows(content, entity.plural) if (key_of(draft.kind, row) or 0) > 0]
        if len(made) == 1:
            self._lists.made(draft.kind, made[0])
            return await self._as_made(draft.kind, made[0])
        if read_amount(content.get(entity.counter)) == 0:
            raise refused(f"Ajera answered {entity.update_method} with success, but made nothing")
        self._lists.distrust(draft.kind)
        raise OutcomeUnknown(Side.AJERA, f"Ajera's answer to {entity.update_method} does not hold the new record")

    async def _as_made(self, kind: Kind, row: Raw) -> Record:
        """A new record as the reply holds it (6.4: the resulting full record). Read back instead, somebody's edit since
        would be taken for what Ajera made of our write; a reply without a stamp is not the whole record."""
        if _stamp(row):
            with suppress(SystemFailure):  # the code tables may have to be asked for
                return (await self._reader()).record(kind, row)
        return await self._read_back(kind, str(key_of(kind, row)))

    async def _read_back(self, kind: Kind, key: str) -> Record:
        """A record just written. It exists, so whatever keeps it from being read is an unknown outcome."""
        try:
            found = await self.read(kind, [int(key)])
            words = "it is not shown"
        except SystemFailure as error:
            found, words = [], str(error)
        if not found:
            raise OutcomeUnknown(Side.AJERA, f"{kind} {key} was written to Ajera, but cannot be read back: {words}")
        return found[0]

    async def _create_project(self, draft: Draft) -> Record:
        raw = await self._template(draft.template)
        template = validated(Project, raw, "GetProjectTemplates")
        new = writing.new_project(
            await self._writer(),
            draft,
            template,
            raw,
            nested=self._nested,
            allow_flat=self.options.allow_flat_template,
        )
        try:
            content = await _clearly("CreateProjects", self.client.create_project(new.project, new.group, new.phases))
        except BaseException:
            self._lists.distrust(Kind.PROJECT)
            raise
        made = _rows(content, "Projects")
        key = read_key(made[0].get("ProjectKey")) if made else None
        if key is None or key <= 0:  # a badly shaped request answers success and an example (10.5)
            self._lists.distrust(Kind.PROJECT)
            raise refused("Ajera answered CreateProjects with success but without a ProjectKey: nothing was made")
        self._lists.made(
            Kind.PROJECT,
            {**made[0], "ProjectKey": key, "ID": draft.number, "Description": draft.fields.get("name", draft.label)},
        )
        record = await self._read_back(Kind.PROJECT, str(key))
        return _noted(_as_left(record, made[0], draft.fields), new.left_out)

    async def _template(self, name: str | None) -> Raw:
        """The template of this description as it was within ten minutes. Raises RecordRefused where there is none or
        more than one."""
        wanted = (name or "").strip()
        async with self._template_turn:
            raw, at = self._template_raws.get(wanted, (None, 0.0))
            if raw is None or self._clock.monotonic() - at >= TEMPLATE_AGE:
                raw = await self._template_now(wanted)
                self._template_raws[wanted] = raw, self._clock.monotonic()
            return raw

    async def _template_now(self, wanted: str) -> Raw:
        rows = await self.client.list_templates()
        keys = [read_key(row.get("ProjectTemplateKey")) for row in rows if same_text(row.get("Description"), wanted)]
        if not wanted or len(keys) != 1 or keys[0] is None:
            count = "no project template" if not keys else f"{len(keys)} project templates"
            raise refused(f"Ajera has {count} of the name {wanted[:80]!r}")
        raws = await self.client.get_templates([keys[0]])
        if len(raws) != 1:
            raise refused(f"Ajera lists the project template {wanted[:80]!r} but does not show it")
        return raws[0]

    async def after_create(self, before: Record, draft: Draft, *, careful: bool = False) -> Record | None:
        """What CreateProjects leaves aside, as an update of its own; None when nothing is left to write.

        `careful` fills only what is empty yet: somebody may have typed amounts since the project was made.
        """
        if draft.kind is not Kind.PROJECT:
            return None
        template = await self._template(draft.template)
        current = await self._current(before)
        raw = _raw(current)
        wanted = writing.finishing(await self._writer(), draft, template, raw, sync_to_crm=self.options.write_sync_flag)
        if careful:
            wanted = {name: value for name, value in wanted.items() if raw.get(name) in (None, "", 0, False)}
        groups = writing.finished_groups(template, raw, careful=careful)
        if groups is None:
            return await self._update_project(current, wanted) if wanted else None
        return await self._finish_whole(current, wanted, groups)

    async def _finish_whole(self, current: Record, wanted: Raw, groups: list[Raw]) -> Record | None:
        """The project and its phases in one update of version 1: how version 2 takes phases is not public (10.6), and
        version 1 takes the whole record by the general rule (6.4). An Ajera that refuses it gets the project's own
        terms the proven way, and the record says what it went without."""
        try:
            return await self._update_whole(current, {**wanted, "InvoiceGroups": groups})
        except Stale:
            raise
        except RecordRefused as refusal:
            left = f"the phases' own terms of the template were refused ({safe_line(str(refusal), 120)})"
            after = await self._update_project(current, wanted) if wanted else current
        return replace(after, extra={**after.extra, UNFINISHED: left})

    # -- updating --------------------------------------------------------------------------------

    async def update(self, before: Record, changes: Mapping[str, Value]) -> Record:
        """Only these fields, over the record as just read; the record as Ajera holds it then.

        Raises Stale where the record changed meanwhile: any refusal may mean that (ajera-api 14), so the record
        is read again before a refusal is believed. NothingToChange is raised before anything is sent.
        """
        if before.kind is Kind.EMPLOYEE:
            raise refused("employees are Ajera's: they are not written from here")
        current = await self._current(before)
        try:
            return await self._write(current, changes)
        except (Stale, NothingToChange, OutcomeUnknown):
            raise
        except RecordRefused as error:
            problem: RecordRefused = error
        if problem.columns or await self._unmoved(current):
            raise problem
        raise Stale(Side.AJERA, f"{current.kind} {current.key} changed in Ajera since it was read", problem.problems)

    async def _current(self, before: Record) -> Record:
        """The record with its raw form: one that comes from the store was kept without it, so it is read."""
        if isinstance(before.raw, dict):
            return before
        current = await self._one(before.kind, before.key)
        if before.stamp and current.stamp != before.stamp:
            raise Stale(Side.AJERA, f"{before.kind} {before.key} changed in Ajera since it was read")
        return current

    async def _unmoved(self, before: Record) -> bool:
        found = await self.read(before.kind, [int(before.key)])
        return bool(found) and found[0].stamp == before.stamp

    async def _write(self, before: Record, changes: Mapping[str, Value]) -> Record:
        edit = changes.get(CONTACTS)
        fields = {name: value for name, value in changes.items() if name not in (*_FLAGS, CONTACTS)}
        raw = _raw(before)
        properties = (await self._writer()).properties(before.kind, fields, raw)
        if before.kind is Kind.PROJECT:
            properties |= {_FLAGS[name]: bool(value) for name, value in changes.items() if name in _FLAGS}
        if isinstance(edit, EntryEdit):
            properties["Contacts"] = writing.edited_contacts(raw, edit)
        properties = writing.differs(raw, properties)
        if not properties:
            raise NothingToChange(Side.AJERA, f"{before.kind} {before.key} is so in Ajera already")
        if before.kind is Kind.PROJECT and "Contacts" not in properties:
            return await self._update_project(before, properties, fields)
        if before.kind is Kind.PROJECT and self.quirks.project_contacts_v1 != "accept":
            raise refused(
                "this Ajera does not take contacts of a project ([ajera.quirks] project_contacts_v1)", CONTACTS
            )
        return await self._update_whole(before, properties)

    async def _update_whole(self, before: Record, properties: Raw) -> Record:
        """Version 1: the whole record and the record exactly as read, always together (6.4)."""
        raw = _raw(before)
        reader = await self._reader()  # before the write: it may have to ask for the code tables
        content = await self.client.update(before.kind, writing.twin(raw, properties), raw)
        rows = [
            row for row in _rows(content, ENTITIES[before.kind].plural) if str(key_of(before.kind, row)) == before.key
        ]
        # A reply without the record, or with its old stamp, does not show what Ajera holds now.
        if len(rows) == 1 and before.kind is not Kind.PROJECT and _stamp(rows[0]) != before.stamp:
            return reader.record(before.kind, rows[0])
        after = await self._after(before)
        if "Contacts" in properties and before.kind is Kind.PROJECT:
            _contacts_landed(after, properties["Contacts"])
        return after

    async def _update_project(
        self, before: Record, properties: Raw, written: Mapping[str, Value] = NO_FIELDS
    ) -> Record:
        """Version 2: key and changed properties with the whole bundle as baseline (10.6), then read back."""
        key = int(before.key)
        bundle = await self.client.project_bundle(key)
        rows = [row for row in rows_of(bundle, "Projects", "GetProjects") if read_key(row.get("ProjectKey")) == key]
        if not rows:
            raise RecordMissing(Side.AJERA, f"Ajera has no project with key {key}")
        if before.stamp and _stamp(rows[0]) != before.stamp:
            raise Stale(Side.AJERA, f"project {key} changed in Ajera since it was read")
        content = await self.client.update_project(key, writing.v2_properties(properties, rows[0]), bundle)
        after = await self._after(before)
        left = [row for row in _rows(content, "Projects") if str(read_key(row.get("ProjectKey"))) == before.key]
        return _as_left(after, left[0], written) if left and _stamp(left[0]) != before.stamp else after

    async def _after(self, before: Record) -> Record:
        """The record read back. An unmoved stamp after a success means that nothing was written (14)."""
        after = await self._read_back(before.kind, before.key)
        if after.stamp == before.stamp and before.stamp:
            raise refused("Ajera answered the update with success, but changed nothing")
        return after

    # -- accounting ------------------------------------------------------------------------------

    async def totals(self, key: str) -> Mapping[str, Value]:
        """The fifteen totals by field name; empty where Ajera shows none (an overhead project)."""
        raw = await self.client.project_totals(int(key))
        if raw is None:
            return {}
        worked = money.hours_worked(raw)
        if worked is not None:
            self._hours_worked[key] = worked
        return money.totals_of(raw, further_receipts=self.options.further_receipts)

    def hours_worked(self, key: str) -> Decimal | None:
        """Hours to date as Ajera summed them when the project's totals were last read."""
        return self._hours_worked.get(key)

    async def hours(self, since: date, until: date) -> list[Hours]:
        """Hours per project, employee and role; regular and overtime, submitted or not."""
        parts = await together(self._sheet_keys(window) for window in timesheets.windows(since, until))
        raws = await self.client.get_timesheets(sorted({key for part in parts for key in part}))
        ends = self.quirks.timesheet_day_one == "ends"
        rows = [row for raw in raws for row in timesheets.booked(raw, ends)]
        known = await self._tables.known()
        roles: dict[int | None, str] = {row.key: row.name for row in known.references.get("EmployeeTypeKey", ())}
        own = await self._own_roles(row.employee for row in rows if not roles.get(row.role))
        return timesheets.summed(rows, since, until, roles, own)

    async def _sheet_keys(self, window: tuple[date, date]) -> list[int]:
        try:
            return await timesheets.sheet_keys(self.client, window, None)
        except timesheets.Cut:
            employees, _ = await self.listed(Kind.EMPLOYEE, {})
        return await timesheets.sheet_keys(self.client, window, employees)

    async def _own_roles(self, employees: Iterable[int]) -> Mapping[int, str]:
        """Employee types by employee, read once in the life of the program."""
        missing = sorted({key for key in employees if key not in self._roles})
        for record in await self.read(Kind.EMPLOYEE, missing):
            self._roles[int(record.key)] = record.extra.get("type", "")
        return self._roles


# -- small parts -----------------------------------------------------------------------------------


def _session_warnings(session: SessionContent) -> tuple[str, ...]:
    rights = session.Timesheets
    if rights is not None and not rights.UserHasAccess:
        return ("Ajera's API user has no active authorizing employee: hours cannot be read",)
    return ()


def _raw(record: Record) -> Raw:
    assert isinstance(record.raw, dict)
    return record.raw


async def _clearly(method: str, create: Awaitable[Raw]) -> Raw:
    """The answer of a create. "An error has occurred." alone does not say that nothing was made."""
    try:
        return await create
    except RecordRefused as error:
        if error.problems != (GENERIC_ERROR,):
            raise
    raise OutcomeUnknown(Side.AJERA, f"Ajera had an error of its own in {method}: the record may have been made")


def _rows(content: Raw, name: str) -> list[Raw]:
    """Rows of a write's answer; [] where it holds none."""
    rows = content.get(name)
    rows = [rows] if isinstance(rows, dict) else rows
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _stamp(row: Raw) -> str:
    return read_text(row.get("LastModifiedDate"))


def _as_left(read: Record, reply: Raw, written: Mapping[str, Value]) -> Record:
    """A project as our write left it. A stamp that moved between the reply and the reading back is somebody's edit: the
    fields written are told as they were sent, and the next pull brings what was typed as the change it is."""
    if not _stamp(reply) or _stamp(reply) == read.stamp:
        return read
    sent = {name: value for name, value in written.items() if name in read.fields}
    return replace(read, stamp=_stamp(reply), fields={**read.fields, **sent})


def _noted(record: Record, left_out: Sequence[str]) -> Record:
    """The record with the names of the template's phases that were left out, for the log and the screen."""
    if not left_out:
        return record
    return replace(record, extra={**record.extra, UNFINISHED: f"without the phases {', '.join(left_out)}"})


def _contacts_landed(after: Record, wanted: Sequence[Raw]) -> None:
    """Whether a project's contacts are as sent: writing them is not documented (10.6)."""
    held = {entry.key for entry in after.contacts or ()}
    if held != {str(read_key(entry.get("ContactKey"))) for entry in wanted}:
        raise refused("Ajera took the update but did not keep the project's contacts", CONTACTS)
