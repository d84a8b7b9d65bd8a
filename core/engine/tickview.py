"""The ticks in effect as screens and figures need them, kept up to date record by record.

`ticks_in_effect` of the kernel goes over every record, which a tick on a screen must not wait for. Here the same rules
(its own functions) are applied to what moved since last time. Of each record only keys are kept, so that 50,000 cost
some megabytes, and the whole is handed to the next program (`state`, `take`) so that it need not read any record.
"""

from __future__ import annotations

import threading
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from sys import intern
from typing import Any, Final

from core.engine.clock import iso
from core.engine.filed import FiledLinks, FiledRecords
from core.model.link import Link, LinkState
from core.model.plan import Direction, Mode
from core.model.record import Record
from core.model.values import Kind, Ref, Side
from core.policy import Policy
from core.ports import Clock, Connection, Store
from core.reconcile.situation import Situation
from core.reconcile.ticks import (
    _brought,
    _capped_firm_contacts,
    _capped_project_contacts,
    template_of,
    ticked,
    ticked_entries,
)

Target = tuple[Kind, str]
_TICKED: Final = (Kind.FIRM, Kind.CONTACT, Kind.PROJECT)
_TABLES: Final = {f"records:{kind}:{Side.CRM}": kind for kind in _TICKED}
MOST_MOVED: Final = 5_000  # beyond this many changes going over everything is quicker


class TickView:
    """`now()` brings it up to date; what it holds is then as of that moment, and only to be read."""

    def __init__(self, store: Store, policy: Policy, clock: Clock) -> None:
        self._store, self._policy, self._clock = store, policy, clock
        self.seen: int | None = None  # the store's number that this holds for
        self.version = 0  # moves with anything here
        self._updating = threading.RLock()  # rows are made in a thread
        self.brought: Mapping[Target, str] = Brought(self)
        self._clear()

    def _clear(self) -> None:
        self.firms: set[str] = set()
        self.projects: dict[str, str | None] = {}
        self.firm_keys: set[str] = set()  # all there are
        self.labels: dict[str, str] = {}  # firm, there or not -> label of the first project that brings it
        self._label_of: dict[str, str] = {}  # firm -> key of that project
        self.moved_firms: set[str] | None = None  # whose bringing may be another one since `take_moved`; None for all
        self._firm_of: dict[str, str] = {}  # ticked contact -> its firm, "" for none
        self._members: dict[str, list[str]] = {}  # the other way round
        self._kept: dict[str, tuple[str, ...]] = {}  # firm over the cap -> those within it
        self._entries: dict[str, tuple[str, ...]] = {}  # project -> contacts ticked on it
        self._rows: dict[str, tuple[str, ...]] = {}  # project -> those of them that take part
        self._listed: Counter[str] = Counter()
        self._still: dict[str, str] = {}  # ticked project whose link is not active -> its Ajera key
        self._wants: dict[str, tuple[str, ...]] = {}  # project -> firms it brings
        self._bringers: dict[str, list[str]] = {}  # the other way round, in order

    def count(self, kind: Kind) -> int:
        """How many records of a kind take part by a tick."""
        if kind is Kind.FIRM:
            return len(self.firms)
        if kind is Kind.PROJECT:
            return len(self.projects)
        over = sum(len(self._members[firm]) - len(kept) for firm, kept in self._kept.items())
        within = len(self._firm_of) - over
        return within + sum(not self._within_cap(contact) for contact in self._listed)

    def _within_cap(self, contact: str) -> bool:
        firm = self._firm_of.get(contact)
        return firm is not None and (firm not in self._kept or contact in self._kept[firm])

    def now(self) -> TickView:
        with self._updating:
            seen = self.seen
            number, moved = (0, None) if seen is None else self._store.moved(seen)
            if moved is None or len(moved) > MOST_MOVED:
                number, _ = self._store.moved(1 << 62)
                self._make()
            else:
                self._update(moved)
            self.seen = number
        return self

    def take_moved(self) -> set[str] | None:
        """Firms that another project may bring, or none any more, since this was asked last; None for any."""
        with self._updating:
            moved, self.moved_firms = self.moved_firms, set()
        return moved

    # -- everything anew ---------------------------------------------------------------------------

    def _make(self) -> None:
        self._clear()
        self.version += 1
        still = {link.crm_key: link for link in self._store.scan_links() if link.state is not LinkState.ACTIVE}
        s, held = self._situation(_ScannedLinks(still))
        for record in self._store.scan(Kind.FIRM, Side.CRM):
            self._firm(s, intern(record.key), record)
        for record in self._store.scan(Kind.CONTACT, Side.CRM):
            self._contact(s, intern(record.key), record)
        for firm in self._members:
            self._cap(s, firm)
        for record in self._store.scan(Kind.PROJECT, Side.CRM):  # in the order of their keys
            held.hold(record)
            self._project(s, intern(record.key), record)

    def _situation(self, links: object) -> tuple[Situation, FiledRecords]:
        """What the kernel's rules ask: records by key, read one by one; its projects' table, to hand records to."""
        store = self._store
        projects = FiledRecords(store, Kind.PROJECT, Side.CRM)
        records: dict[tuple[Kind, Side], Mapping[str, Record]] = {
            (Kind.CONTACT, Side.CRM): FiledRecords(store, Kind.CONTACT, Side.CRM),
            (Kind.PROJECT, Side.CRM): projects,
            (Kind.FIRM, Side.CRM): _Any(),
        }
        mode, now = Mode(Direction.TWO_WAY, None, ""), iso(self._clock.now())
        made = Situation(mode, self._policy, now, Connection(Side.AJERA), Connection(Side.CRM), records)
        object.__setattr__(made, "links", links)
        object.__setattr__(made, "marks", store.marks())
        return made, projects

    # -- what moved --------------------------------------------------------------------------------

    def _update(self, moved: Iterable[tuple[str, str]]) -> None:
        named: dict[Kind, set[str]] = {kind: set() for kind in _TICKED}
        for table, doc_id in moved:
            if table in _TABLES:
                named[_TABLES[table]].add(intern(doc_id))
            elif table == "marks":
                kind, side, key, project = doc_id.split(":", 3)
                if side == Side.CRM and Kind(kind) in named:
                    named[Kind.PROJECT if project else Kind(kind)].add(intern(project or key))
            elif table == "links" and doc_id.startswith("project:"):
                named[Kind.PROJECT] |= self._of_link(doc_id.partition(":")[2])
        if any(named.values()):
            self.version += 1
            self._renew(*(named[kind] for kind in _TICKED))

    def _of_link(self, ajera_key: str) -> set[str]:
        """The CRM projects whose link with that Ajera project moved: the one of now, and one that a link kept still."""
        link = self._store.link(Kind.PROJECT, Side.AJERA, ajera_key)
        had = {key for key, partner in self._still.items() if partner == ajera_key}
        return had | ({intern(link.crm_key)} if link else set())

    def _renew(self, firms: set[str], contacts: set[str], projects: set[str]) -> None:
        s, _ = self._situation(FiledLinks(self._store))
        for key in firms:
            self._firm(s, key, self._store.record(Kind.FIRM, Side.CRM, key))
        if contacts:
            groups = {
                group for key in contacts for group in self._contact(s, key, s.of(Kind.CONTACT, Side.CRM).get(key))
            }
            for group in groups:
                self._cap(s, group)
            projects |= {key for key, listed in self._entries.items() if not contacts.isdisjoint(listed)}
        for key in projects:
            self._project(s, key, s.of(Kind.PROJECT, Side.CRM).get(key))

    def _note_firm(self, key: str) -> None:
        if self.moved_firms is not None:
            self.moved_firms.add(key)

    # -- by kind -----------------------------------------------------------------------------------

    def _takes_part(self, s: Situation, kind: Kind, record: Record | None) -> bool:
        return (
            record is not None and record.why_not is None and ticked(record, s.marks.get(f"{kind}:crm:{record.key}:"))
        )

    def _firm(self, s: Situation, key: str, record: Record | None) -> None:
        (self.firms.add if self._takes_part(s, Kind.FIRM, record) else self.firms.discard)(key)
        if (record is not None) != (key in self.firm_keys):
            (self.firm_keys.discard if record is None else self.firm_keys.add)(key)
            self._note_firm(key)

    def _contact(self, s: Situation, key: str, record: Record | None) -> set[str]:
        """The firms whose ticked contacts are others now."""
        groups: set[str] = set()
        before = self._firm_of.pop(key, None)
        if before is not None:
            self._members[before].remove(key)
            groups.add(before)
        if record is not None and self._takes_part(s, Kind.CONTACT, record):
            firm = record.fields.get("firm")
            group = intern(firm.key) if isinstance(firm, Ref) else ""
            self._firm_of[key] = group
            self._members.setdefault(group, []).append(key)
            groups.add(group)
        return groups

    def _cap(self, s: Situation, firm: str) -> None:
        members = self._members[firm]
        cap = self._policy.firm_cap
        if firm and cap is not None and len(members) > cap:
            self._kept[firm] = tuple(_capped_firm_contacts(s, list(members), []))
        else:
            self._kept.pop(firm, None)
            if not members:
                del self._members[firm]

    def _project(self, s: Situation, key: str, record: Record | None) -> None:
        before = self._drop_project(key)
        after: tuple[str, ...] = ()
        if record is not None and self._takes_part(s, Kind.PROJECT, record):
            after = self._take_project(s, key, record)
        for firm in {*before, *after}:
            self._note_firm(firm)
            self._label(firm, record)

    def _take_project(self, s: Situation, key: str, record: Record) -> tuple[str, ...]:
        template = template_of(record, s.marks.get(f"project:crm:{key}:"))
        self.projects[key] = template if template is None else intern(template)
        entries = tuple(entry.key for entry in ticked_entries(s, record))
        rows = _capped_project_contacts(s, key, []) if entries else ()
        link = s.links.of(Kind.PROJECT, Side.CRM, key)
        if link is not None and link.state is not LinkState.ACTIVE:
            self._still[key] = link.ajera_key
        if entries:
            self._entries[key] = entries
        if rows:
            self._rows[key] = rows
            self._listed.update(rows)
        firms = tuple({intern(firm): None for (_, firm), _ in _brought(s, {key: template}, {key: rows})})
        if firms:
            self._wants[key] = firms
        for firm in firms:
            insort(self._bringers.setdefault(firm, []), key)
        return firms

    def _drop_project(self, key: str) -> tuple[str, ...]:
        self.projects.pop(key, None)
        self._entries.pop(key, None)
        self._still.pop(key, None)
        for contact in self._rows.pop(key, ()):
            self._listed[contact] -= 1
            if not self._listed[contact]:
                del self._listed[contact]
        firms = self._wants.pop(key, ())
        for firm in firms:
            others = self._bringers[firm]
            del others[bisect_left(others, key)]
            if not others:
                del self._bringers[firm]
        return firms

    def _label(self, firm: str, project: Record | None) -> None:
        """The label of the project that brings the firm: of several the first, as the kernel says."""
        first = self._bringers.get(firm, [""])[0]
        if not first:
            self.labels.pop(firm, None)
            self._label_of.pop(firm, None)
            return
        if first == self._label_of.get(firm) and (project is None or project.key != first):
            return
        named = project if project is not None and project.key == first else None
        named = named or self._store.record(Kind.PROJECT, Side.CRM, first)
        self.labels[firm], self._label_of[firm] = named.label if named else first, first

    # -- for the next program ----------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """All that is known, as JSON."""
        return {
            "firms": list(self.firms),
            "firm_keys": list(self.firm_keys),
            "labels": self.labels,
            "label_of": self._label_of,
            "still": self._still,
            "firm_of": self._firm_of,
            "kept": self._kept,
            "projects": self.projects,
            "entries": self._entries,
            "rows": self._rows,
            "wants": self._wants,
        }

    def take(self, state: Mapping[str, Any], seen: int) -> None:
        """What `state` gave to a program before, when the store was at that number; `now` makes up for what moved
        since. Raises what a damaged one trips over."""
        with self._updating:
            self._clear()
            self.firms, self.firm_keys = _shared(state["firms"]), _shared(state["firm_keys"])
            self.labels = {intern(firm): label for firm, label in state["labels"].items()}
            self._label_of = {intern(firm): intern(key) for firm, key in state["label_of"].items()}
            self._still = dict(state["still"])
            self._firm_of = {intern(key): intern(firm) for key, firm in state["firm_of"].items()}
            for key, firm in self._firm_of.items():
                self._members.setdefault(firm, []).append(key)
            self._kept = _tuples(state["kept"])
            self.projects = {intern(key): text and intern(text) for key, text in state["projects"].items()}
            self._entries, self._rows = _tuples(state["entries"]), _tuples(state["rows"])
            for rows in self._rows.values():
                self._listed.update(rows)
            self._wants = _tuples(state["wants"])
            for key, firms in self._wants.items():
                for firm in firms:
                    self._bringers.setdefault(firm, []).append(key)
            for others in self._bringers.values():
                others.sort()
            self.moved_firms = set()
            self.seen = seen


class Brought(Mapping[Target, str]):
    """Which project brings a firm along: (kind, key) → its label. Only firms are brought, and only those there are."""

    def __init__(self, view: TickView) -> None:
        self._view = view

    def get(self, target: Target, default: Any = None) -> Any:
        kind, key = target
        view = self._view
        return view.labels.get(key, default) if kind is Kind.FIRM and key in view.firm_keys else default

    def __getitem__(self, target: Target) -> str:
        found: str | None = self.get(target)
        if found is None:
            raise KeyError(target)
        return found

    def __iter__(self) -> Iterator[Target]:
        return ((Kind.FIRM, key) for key in self._view.labels if key in self._view.firm_keys)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class _ScannedLinks:
    """Links of CRM projects that are not active; the kernel's rule asks for no other."""

    def __init__(self, still: Mapping[str, Link]) -> None:
        self._still = still

    def of(self, kind: Kind, side: Side, key: str) -> Link | None:
        found = self._still.get(key) if side is Side.CRM else None
        return found if found is not None and found.kind is kind else None


class _Any(Mapping[str, Record]):
    """A table in which every key is found and no record: what is brought is asked of `firm_keys`."""

    def __contains__(self, key: object) -> bool:
        return True

    def __getitem__(self, key: str) -> Record:
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def _shared(keys: Collection[str]) -> set[str]:
    return {intern(key) for key in keys}


def _tuples(lists: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    return {intern(key): tuple(intern(each) for each in found) for key, found in lists.items()}
