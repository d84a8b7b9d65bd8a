"""The books of the emulated Ajera: tables in memory, stamps, links between records, and posting of time.

Changes through this class are what a person (or the API) saves: they move stamps. Every number is kept as given; money
may be int, float or Decimal. All moments are aware; stamps are cut to milliseconds because the wire carries no more.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from core.quirks.ajera import AjeraQuirks
from core.sandbox.ajera import timebooks
from core.sandbox.ajera.schema import TABLES
from core.sandbox.ajera.stamps import millisecond, stamp_text
from core.sandbox.ajera.vocabulary import TOTALS

Record = dict[str, Any]

# Child table → (property that names the parent, parent table). Ajera's own tree (contract 10.2).
_PARENTS = {
    "invoice_groups": ("ProjectKey", "projects"),
    "phases": ("ProjectKey", "projects"),
    "resources": ("PhaseKey", "phases"),
}
_TICK = timedelta(milliseconds=1)


@dataclass(frozen=True)
class Change:
    """One saved record: `before` is None for a new one, `after` None for a deleted one."""

    table: str
    key: int
    before: Record | None
    after: Record | None


class AjeraData:
    """One database: `tables[name][key]` is the stored record.

    `clock` gives the present (aware). `zone` is the server's zone, in which stamps are written. `quirks` is set by
    `ajera_app`; it decides only whether child records and transactions move a project's stamp.
    """

    def __init__(
        self,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        version: str = "9.10.00",
        company: str = "Cedar & Stone Architects, Inc.",
        username: str = "api.user",
        password: str = "sandbox",  # noqa: S107  a made-up firm's, printed by the sandbox itself
        *,
        zone: str = "America/New_York",
        client_id: int = 40123,
        database_id: int = 7,
        is_sample: bool = True,
        week_start: int = 0,
    ) -> None:
        self.clock = clock
        self.version = version
        self.company = company
        self.username = username
        self.password = password
        self.zone = zone
        self.identity = {"ClientID": client_id, "DatabaseID": database_id, "IsSampleData": is_sample}
        self.week_start = week_start
        self.quirks = AjeraQuirks()
        self.tables: dict[str, dict[int, Record]] = {name: {} for name in TABLES}
        self.tables["totals"] = {}
        self.stamps: dict[str, dict[int, datetime]] = {name: {} for name, t in TABLES.items() if t.stamped}
        self.children: dict[str, dict[int, list[int]]] = {name: defaultdict(list) for name in _PARENTS}
        self.owners: dict[str, dict[int, list[int]]] = {"clients": defaultdict(list), "vendors": defaultdict(list)}
        self._next: dict[str, int] = {}
        self._journals: list[list[Change]] = []

    # -- what people and the API do -----------------------------------------------------------------------------------

    def insert(self, table: str, record: Record, *, key: int | None = None, stamp: datetime | None = None) -> int:
        """Add a record, filled up with every documented property; answers its key.

        A project or template may carry nested `InvoiceGroups` with `Phases`; a project's are stored in their own
        tables. A timesheet may carry `TimesheetDate`: any day of its week. Raises ValueError for a key in use and for
        a property the table does not have.
        """
        if table == "totals":
            return self._insert_totals(record, key)
        spec = TABLES[table]
        record = copy.deepcopy(record)
        nested = record.pop("InvoiceGroups", []) if table == "projects" else []
        key = self._claim(table, record.pop(spec.key, None) if key is None else key)
        record.pop(spec.key, None)
        stored = spec.blank()
        stored[spec.key] = key
        stored.update(self._clean(table, record))
        if table == "project_templates":
            timebooks.complete_template(self, stored)
        self.tables[table][key] = stored
        self._index(table, key, stored)
        self._stamp(table, key, stamp)
        if self._journals:  # a seed of 100,000 records spent half its time on copies nobody asked for
            self._note(table, key, None, stored)
        if stamp is None:
            self._move_parent(table, stored)
        for group in nested:
            self._insert_group(key, group, stamp)
        return key

    def edit(self, table: str, key: int, changes: Record) -> None:
        """Save changes as a person would: the stamp moves; saving a project stamps its phases too.

        Raises KeyError for a record that is not there, ValueError for an unknown property.
        """
        if table == "totals":
            self.tables["totals"].setdefault(key, dict.fromkeys(TOTALS, 0)).update(changes)
            return
        stored = self.tables[table][key]
        before = copy.deepcopy(stored)
        stored.update(self._clean(table, copy.deepcopy(changes), stored))
        stored[TABLES[table].key] = key
        link = "Contacts" if table in self.owners else _PARENTS.get(table, ("",))[0]
        if before.get(link) != stored.get(link):
            # Only then: a child that stays where it is must keep its place among the others.
            self._unindex(table, key, before)
            self._index(table, key, stored)
        self._stamp(table, key, None)
        self._move_parent(table, stored)
        self._note(table, key, before, stored)

    def delete(self, table: str, key: int) -> None:
        """Remove a record and its children. Raises KeyError when it is not there."""
        stored = self.tables[table].pop(key)
        if table == "projects":
            for child in ("phases", "invoice_groups"):
                for each in list(self.children[child].get(key, ())):
                    self.delete(child, each)
        if table == "phases":
            for each in list(self.children["resources"].get(key, ())):
                self.delete("resources", each)
        if table in ("projects", "phases"):
            self.tables["totals"].pop(key, None)
        if table in TABLES:
            self._unindex(table, key, stored)
        self.stamps.get(table, {}).pop(key, None)
        self._note(table, key, stored, None)

    def get(self, table: str, key: int) -> Record:
        """A copy of the record as stored, with every property. Raises KeyError when it is not there."""
        return copy.deepcopy(self.tables[table][key])

    def totals_of(self, key: int) -> Record:
        """The running totals of a project or a phase (they share one key sequence), by their spaced names."""
        return dict(self.tables["totals"].get(key) or dict.fromkeys(TOTALS, 0))

    def post_time(
        self,
        employee_key: int,
        project_key: int,
        phase_key: int,
        day: date,
        hours: Decimal,
        activity_key: int | None = None,
    ) -> None:
        """Book hours on the employee's timesheet of that week and move the totals of phase and project.

        The project's LastModifiedDate stays, unless the quirk transactions_move_stamp says otherwise (contract 13).
        """
        timebooks.post(self, employee_key, project_key, phase_key, day, hours, activity_key)
        if self.quirks.transactions_move_stamp == "yes":
            self._stamp("projects", project_key, None)

    @contextmanager
    def recording(self) -> Iterator[list[Change]]:
        """Collect the changes made inside the block."""
        journal: list[Change] = []
        self._journals.append(journal)
        try:
            yield journal
        finally:
            self._journals.pop()

    # -- the data folder ----------------------------------------------------------------------------------------------

    def to_json(self) -> Record:
        """Everything that `from_json` needs, as plain JSON values (numbers as float, stamps as text)."""
        return {
            "format": 1,
            "version": self.version,
            "company": self.company,
            "username": self.username,
            "password": self.password,
            "zone": self.zone,
            "identity": self.identity,
            "week_start": self.week_start,
            "next": self._next,
            "stamps": {t: {str(k): s.isoformat() for k, s in rows.items()} for t, rows in self.stamps.items()},
            "tables": {t: {str(k): _plain(r) for k, r in rows.items()} for t, rows in self.tables.items()},
        }

    @classmethod
    def from_json(cls, saved: Record, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> AjeraData:
        """The database that `to_json` wrote. Raises KeyError or ValueError for a file of another form."""
        if saved["format"] != 1:
            raise ValueError(f"unknown format of Ajera data: {saved['format']!r}")
        data = cls(clock, saved["version"], saved["company"], saved["username"], saved["password"], zone=saved["zone"])
        data.identity = dict(saved["identity"])
        data.week_start = int(saved["week_start"])
        data._next = {name: int(value) for name, value in saved["next"].items()}
        for table, rows in saved["tables"].items():
            data.tables[table] = {int(k): dict(r) for k, r in rows.items()}
            for key, record in data.tables[table].items():
                data._index(table, key, record)
        for table, stamps in saved["stamps"].items():
            data.stamps[table] = {int(k): datetime.fromisoformat(s) for k, s in stamps.items()}
        return data

    # -- inside -------------------------------------------------------------------------------------------------------

    def take_key(self, sequence: str) -> int:
        """The next number of a key sequence."""
        self._next[sequence] = self._next.get(sequence, 0) + 1
        return self._next[sequence]

    def _claim(self, table: str, key: int | None) -> int:
        sequence = TABLES[table].sequence_name
        if key is None:
            return self.take_key(sequence)
        shared = [t for t in TABLES.values() if t.sequence_name == sequence]
        if any(key in self.tables[t.name] for t in shared):
            raise ValueError(f"{table}: key {key} is in use (projects, phases and templates share one sequence)")
        self._next[sequence] = max(self._next.get(sequence, 0), key)
        return key

    def _clean(self, table: str, record: Record, stored: Record | None = None) -> Record:
        """Known, stored properties only; CF_ properties and CustomFields end up in CustomFields."""
        spec = TABLES[table]
        custom = {k[3:]: record.pop(k) for k in [k for k in record if k.startswith("CF_")]}
        custom = {**(record.pop("CustomFields", None) or {}), **custom}
        if custom and not spec.custom:
            raise ValueError(f"{table} has no custom fields")
        if table == "timesheets" and "TimesheetDate" in record:
            record["WeekStart"] = timebooks.week_of(
                date.fromisoformat(record.pop("TimesheetDate")[:10]), self.week_start
            )
        record.pop("LastModifiedDate", None)
        unknown = [name for name in record if name not in spec.kinds]
        if unknown:
            raise ValueError(f"{table}: unknown properties {sorted(unknown)}")
        clean = {name: value for name, value in record.items() if name not in spec.derived}
        if custom:
            clean["CustomFields"] = {**((stored or {}).get("CustomFields") or {}), **custom}
        return clean

    def _insert_totals(self, record: Record, key: int | None) -> int:
        if key is None:
            raise ValueError("totals need the key of their project or phase")
        self.tables["totals"][key] = {**dict.fromkeys(TOTALS, 0), **record}
        return key

    def _insert_group(self, project_key: int, group: Record, stamp: datetime | None) -> None:
        phases = group.pop("Phases", [])
        client = group.pop("Client", None)
        if client:
            group["ClientKey"] = client["ClientKey"]
        group_key = self.insert("invoice_groups", {**group, "ProjectKey": project_key}, stamp=stamp)
        for phase in phases:
            self._insert_phase(project_key, group_key, None, phase, stamp)

    def _insert_phase(
        self, project_key: int, group_key: int, parent: int | None, phase: Record, stamp: datetime | None
    ) -> None:
        below = phase.pop("Phases", [])
        resources = phase.pop("Resources", None) or []
        place = {"ProjectKey": project_key, "InvoiceGroupKey": group_key, "ParentKey": parent}
        key = self.insert("phases", {**phase, **place}, stamp=stamp)
        for resource in resources:
            self.insert("resources", {**resource, "PhaseKey": key})
        for each in below:
            self._insert_phase(project_key, group_key, key, each, stamp)

    def _index(self, table: str, key: int, record: Record) -> None:
        if table in _PARENTS and record[_PARENTS[table][0]] is not None:
            self.children[table][record[_PARENTS[table][0]]].append(key)
        if table in self.owners:
            for entry in record["Contacts"]:
                self.owners[table][entry["ContactKey"]].append(key)

    def _unindex(self, table: str, key: int, record: Record) -> None:
        if table in _PARENTS and key in self.children[table].get(record[_PARENTS[table][0]], ()):
            self.children[table][record[_PARENTS[table][0]]].remove(key)
        if table in self.owners:
            for entry in record["Contacts"]:
                if key in self.owners[table].get(entry["ContactKey"], ()):
                    self.owners[table][entry["ContactKey"]].remove(key)

    def _stamp(self, table: str, key: int, stamp: datetime | None) -> None:
        """Strictly increasing for each record; saving a project gives its phases the same stamp (contract 14)."""
        if table not in self.stamps:
            return
        marked = [(table, key)]
        if table == "projects":
            marked += [("phases", phase) for phase in self.children["phases"].get(key, ())]
        moment = millisecond(stamp or self.clock())
        last = max((s for t, k in marked if (s := self.stamps[t].get(k)) is not None), default=None)
        if last is not None and moment <= last:
            moment = last + _TICK
        text = stamp_text(moment, self.zone)
        for each, which in marked:
            self.stamps[each][which] = moment
            self.tables[each][which]["LastModifiedDate"] = text

    def _move_parent(self, table: str, record: Record) -> None:
        if self.quirks.child_moves_parent == "no" or table not in _PARENTS:
            return
        name, parent = _PARENTS[table]
        if record[name] in self.tables[parent] and parent == "projects":
            self._stamp(parent, record[name], None)

    def _note(self, table: str, key: int, before: Record | None, after: Record | None) -> None:
        if self._journals:
            change = Change(table, key, copy.deepcopy(before), copy.deepcopy(after))
            for journal in self._journals:
                journal.append(change)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    return value.isoformat() if isinstance(value, date) else value
