"""Reading what only Ajera has: totals of projects and hours of timesheets (sync-rules 8).

Posting time may not move a project's stamp, so totals are asked again when the stamp or the hours
moved, and by age; reading by age is spread over the day's runs.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from core.engine.clock import from_iso, iso
from core.engine.offloop import OffLoop, at_once
from core.engine.pull import note_dirty
from core.model.link import Link, LinkState
from core.model.record import Record, TeamRow
from core.model.values import Kind, Side, Value
from core.policy import Policy
from core.ports import Accounting, Clock, Hours, Store
from core.reconcile.accounting import takes_money
from core.reconcile.ticks import ticked

MOST_BY_AGE = 40  # projects a run reads again only because their figures are old
RECENT = timedelta(days=35)  # timesheets are corrected for about five weeks
HOURS_EVERY = timedelta(minutes=60)
CHUNK = timedelta(weeks=8)  # history is read in pieces that survive a stop
NEVER = "9999-12-31T00:00:00Z"
AT, STAMP, CLOSED = "totals_at", "totals_stamp", "team_closed"


@dataclass
class MoneyReader:
    """Reads totals and hours of linked, ticked projects into the store's Ajera records."""

    ajera: Accounting
    store: Store
    clock: Clock
    policy: Policy
    next_due: str = ""  # when figures come due by age alone, known after `read`
    off_loop: OffLoop = at_once

    async def read(self, only: Collection[str] | None = None, until: str = "") -> int:
        """Everything that is due; the number of projects whose figures moved. `only`: the Ajera projects that may be
        due, where nothing else comes due (by age, or the hours) before `until`."""
        if only is not None:
            moved = await self._read(self._due(self._of_keys(only), frozenset()))
            self.next_due = min(until, iso(self.clock.now() + timedelta(hours=self.policy.totals_age_hours)))
            return sum(moved)
        projects = await self.off_loop(self._all_projects)
        if not projects:
            self.next_due = NEVER
            return 0
        worked = await self._hours_if_due()
        due = self._due(projects, worked)
        moved = await self._read(due)
        if not due:
            self.next_due = self._next_due(projects)
        return len(worked) + sum(moved)

    def _all_projects(self) -> list[Record]:
        return list(self._of_links(link for link in self.store.scan_links() if link.kind is Kind.PROJECT))

    async def _read(self, keys: Iterable[str]) -> list[bool]:
        return await asyncio.gather(*(self._totals(key) for key in keys))

    def _of_keys(self, keys: Iterable[str]) -> Iterator[Record]:
        links = (self.store.link(Kind.PROJECT, Side.AJERA, key) for key in sorted(keys))
        return self._of_links(link for link in links if link is not None)

    def _of_links(self, links: Iterable[Link]) -> Iterator[Record]:
        """Ajera records of linked projects that take part and have money columns in the CRM."""
        marks = self.store.marks()
        for link in links:
            record = self.store.record(Kind.PROJECT, Side.AJERA, link.ajera_key)
            partner = self.store.record(Kind.PROJECT, Side.CRM, link.crm_key)
            if link.state is not LinkState.ACTIVE or record is None or partner is None:
                continue
            live = partner.why_not is None and ticked(partner, marks.get(f"project:crm:{partner.key}:"))
            if (live or record.marked) and takes_money(partner):
                yield record

    # -- totals ------------------------------------------------------------------------------------

    def _due(self, projects: Iterable[Record], worked: frozenset[str]) -> list[str]:
        now = self.clock.now()
        age = timedelta(hours=self.policy.totals_age_hours)
        moved: list[str] = []
        old: list[tuple[str, str]] = []
        for record in projects:
            at = record.extra.get(AT, "")
            if not at or record.extra.get(STAMP) != record.stamp or record.key in worked:
                moved.append(record.key)
            elif abs(now - from_iso(at)) >= age:  # read in days to come: the clock was wrong
                old.append((at, record.key))
        return moved + [key for _, key in sorted(old)[:MOST_BY_AGE]]

    def _next_due(self, projects: Iterable[Record]) -> str:
        oldest = min(record.extra[AT] for record in projects)
        figures = from_iso(oldest) + timedelta(hours=self.policy.totals_age_hours)
        return iso(min(figures, from_iso(self.store.setting("hours_at") or oldest) + HOURS_EVERY))

    async def _totals(self, key: str) -> bool:
        """Read one project's totals; whether a figure moved."""
        totals = await self.ajera.totals(key)
        return await self.off_loop(self._keep_totals, key, totals)

    def _keep_totals(self, key: str, totals: Mapping[str, Value]) -> bool:
        record = self.store.record(Kind.PROJECT, Side.AJERA, key)
        assert record is not None
        new = replace(
            record,
            fields={**record.fields, **totals},
            extra={**record.extra, AT: iso(self.clock.now()), STAMP: record.stamp},
        )
        moved = dict(new.fields) != dict(record.fields)
        with self.store.transaction() as tx:
            tx.put_records([new])
            if moved:
                note_dirty(tx, [new.id])
        return moved

    # -- hours -------------------------------------------------------------------------------------

    async def _hours_if_due(self) -> frozenset[str]:
        """Projects whose hours moved, when the timesheets were due to be read."""
        now = self.clock.now()
        last = self.store.setting("hours_at")
        if last and now - from_iso(last) < HOURS_EVERY:
            return frozenset()
        today = now.date()
        await self._history(today - RECENT)
        recent = await self.ajera.hours(today - RECENT + timedelta(days=1), today)
        return await self.off_loop(self._keep_team, recent, iso(now))

    async def _history(self, until: date) -> None:
        """Hours before the recent weeks, read once; a stop in the middle goes on where it was."""
        kept = self.store.setting("hours_closed_until")
        done = date.fromisoformat(kept) if kept else until - timedelta(weeks=self.policy.team_since_weeks)
        while done < until:
            end = min(done + CHUNK, until)
            rows = await self.ajera.hours(done + timedelta(days=1), end)
            await self.off_loop(self._close, rows, end)
            done = end

    def _close(self, rows: Sequence[Hours], until: date) -> None:
        """Add a finished window to the closed hours of each project."""
        changed = []
        for key, of_project in _by_project(rows).items():
            record = self.store.record(Kind.PROJECT, Side.AJERA, key)
            if record is not None:
                closed = _added(closed_team(record), of_project)
                changed.append(replace(record, extra={**record.extra, CLOSED: _closed_text(closed)}))
        with self.store.transaction() as tx:
            tx.put_records(changed)
            tx.put_setting("hours_closed_until", until.isoformat())

    def _keep_team(self, recent: Sequence[Hours], now: str) -> frozenset[str]:
        """The team rows of every project by closed and recent hours; the projects that moved."""
        by_project = _by_project(recent)
        changed = []
        for record in self.store.scan(Kind.PROJECT, Side.AJERA):
            closed = closed_team(record)
            team = tuple(_added(closed, by_project.get(record.key, ())).values())
            team = tuple(sorted(team, key=lambda row: (row.employee, row.role)))
            if team != (record.team or ()) or record.team is None:
                changed.append(replace(record, team=team))
        moved = [record for record in changed if record.team]
        with self.store.transaction() as tx:
            tx.put_records(changed)
            note_dirty(tx, [record.id for record in moved])
            tx.put_setting("hours_at", now)
        return frozenset(record.key for record in moved)


def moved_projects(store: Store, moved: Mapping[str, Iterable[str]]) -> frozenset[str]:
    """The Ajera projects that documents of these tables are about."""
    found: set[str] = set()
    for table, keys in moved.items():
        for key in keys:
            found |= _ajera_projects(store, table, key)
    return frozenset(found)


def _ajera_projects(store: Store, table: str, key: str) -> set[str]:
    kind, _, rest = key.partition(":")
    side = Side.CRM
    if table == "links":
        return {rest} if kind == Kind.PROJECT else set()
    if table == "marks":
        if kind != Kind.PROJECT:
            return set()
        of, _, key = rest.partition(":")
        side, key = Side(of), key.removesuffix(":")
    elif table.endswith(f":{Side.AJERA}"):
        side = Side.AJERA
    link = store.link(Kind.PROJECT, side, key)
    return set() if link is None else {link.ajera_key}


Team = dict[tuple[str, str], TeamRow]


def _by_project(rows: Sequence[Hours]) -> Mapping[str, list[Hours]]:
    found: dict[str, list[Hours]] = defaultdict(list)
    for row in rows:
        found[row.project].append(row)
    return found


def _added(team: Team, rows: Iterable[Hours]) -> Team:
    """`team` with these hours added; the first day is the earliest."""
    found = dict(team)
    for row in rows:
        key = (row.employee, row.role)
        old = found.get(key)
        hours = (old.hours or Decimal(0) if old else Decimal(0)) + row.hours
        start = min(old.start, row.first) if old and old.start else row.first
        found[key] = TeamRow(row.employee, row.role, hours, start)
    return found


def closed_team(record: Record) -> Team:
    """The hours of weeks that are not read again, kept with the record."""
    rows = json.loads(record.extra.get(CLOSED, "[]"))
    return {
        (employee, role): TeamRow(employee, role, Decimal(hours), date.fromisoformat(first))
        for employee, role, hours, first in rows
    }


def _closed_text(team: Team) -> str:
    rows = [[row.employee, row.role, str(row.hours), (row.start or date.min).isoformat()] for row in team.values()]
    return json.dumps(sorted(rows), ensure_ascii=False)
