"""The ticks in effect as screens and figures need them, kept up to date record by record.

`ticks_in_effect` of the kernel goes over every record, which a tick on a screen must not wait for. Here the same rules
(its own functions) are applied to what moved since last time. Of each record only keys are kept, so that 50,000 cost
some megabytes, and the whole is handed to the next program (`state`, `take`) so that it need not read any record.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, KeysView, Mapping
from contextlib import suppress
from math import inf
from sys import intern
from typing import Any, Final

from core.engine.clock import iso
from core.engine.filed import FiledRecords
from core.engine.hubrows import numbers_in, numbers_out
from core.engine.lookups import LinksByKey
from core.model.link import Links, LinkState
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
        self.version = 0  # moves with anything here; 0 is as another program kept it
        self._updating = threading.RLock()  # rows are made in a thread
        self.brought: Mapping[Target, str] = Brought(self)
        self.kept: Callable[[], tuple[Mapping[str, Any], int] | None] = lambda: None  # what a program before knew
        self.unlabelled: set[str] = set()  # firms whose label has to be looked for
        self._clear()

    def _clear(self) -> None:
        self.firms: set[str] = set()
        self.firm_keys: set[str] = set()  # all there are
        self.labels: dict[str, str] = {}  # firm, there or not -> label of the first project that brings it
        self.moved_firms: set[str] | None = None  # whose bringing may be another one since `take_moved`; None for all
        self._label_of: dict[str, str] = {}  # firm -> key of that project
        self._wants: dict[str, str | tuple[str, ...]] = {}  # ticked project -> the firms it brings; one stands alone
        self._templates: dict[str, str] = {}  # ticked project -> its template, where it has one
        self._still: dict[str, str] = {}  # ticked project whose link is not active -> its Ajera key
        self._entries: dict[str, tuple[str, ...]] = {}  # project -> contacts ticked on it
        self._rows: dict[str, tuple[str, ...]] = {}  # project -> those of them that take part
        self._listed: Counter[str] = Counter()
        self._firm_of: dict[str, str] = {}  # ticked contact -> its firm, "" for none
        self._over: dict[str, frozenset[str]] = {}  # firm over the cap -> its contacts that wait

    @property
    def projects(self) -> KeysView[str]:
        """Keys of the ticked projects."""
        return self._wants.keys()

    def template(self, project: str) -> str | None:
        return self._templates.get(project)

    def count(self, kind: Kind) -> int:
        """How many records of a kind take part by a tick."""
        if kind is Kind.FIRM:
            return len(self.firms)
        if kind is Kind.PROJECT:
            return len(self._wants)
        within = len(self._firm_of) - sum(map(len, self._over.values()))
        return within + sum(not self._within_cap(contact) for contact in self._listed)

    def _within_cap(self, contact: str) -> bool:
        firm = self._firm_of.get(contact)
        return firm is not None and contact not in self._over.get(firm, ())

    def now(self) -> TickView:
        with self._updating:
            if self.seen is None:
                self._take_kept()
            number, moved = (0, None) if self.seen is None else self._store.moved(self.seen)
            if moved is None or len(moved) > MOST_MOVED:
                number, _ = self._store.moved(1 << 62)
                self._make()
            else:
                self._update(moved)
            self.seen = number
        return self

    def _take_kept(self) -> None:
        kept = self.kept()
        if kept is not None:
            with suppress(ValueError, LookupError, TypeError, AttributeError):
                self.take(*kept)

    def take_moved(self) -> set[str] | None:
        """Firms that another project may bring, or none any more, since this was asked last; None for any."""
        with self._updating:
            moved, self.moved_firms = self.moved_firms, set()
        return moved

    # -- everything anew ---------------------------------------------------------------------------

    def _make(self) -> None:
        self._clear()
        self.version += 1
        links = self._store.scan_links()
        still = {(link.kind, link.crm_key): link for link in links if link.state is not LinkState.ACTIVE}
        s, held = self._situation(Links(by_crm=still))  # the kernel's rule asks for no other
        for record in self._store.scan(Kind.FIRM, Side.CRM):
            self._firm(s, intern(record.key), record)
        for record in self._store.scan(Kind.CONTACT, Side.CRM):
            self._contact(s, intern(record.key), record)
        self._cap(s, [firm for firm, number in Counter(self._firm_of.values()).items() if number > self._cap_of_firm])
        for record in self._store.scan(Kind.PROJECT, Side.CRM):  # in the order of their keys
            held.hold(record)
            self._project(s, intern(record.key), record)

    @property
    def _cap_of_firm(self) -> float:
        return inf if self._policy.firm_cap is None else self._policy.firm_cap

    def _situation(self, links: Links) -> tuple[Situation, FiledRecords]:
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
        s, _ = self._situation(LinksByKey(self._store))
        for key in firms:
            self._firm(s, key, self._store.record(Kind.FIRM, Side.CRM, key))
        if contacts:
            groups = {
                group for key in contacts for group in self._contact(s, key, s.of(Kind.CONTACT, Side.CRM).get(key))
            }
            self._cap(s, groups)
            projects |= {key for key, listed in self._entries.items() if not contacts.isdisjoint(listed)}
        for key in projects:
            self._project(s, key, s.of(Kind.PROJECT, Side.CRM).get(key))

    # -- by kind -----------------------------------------------------------------------------------

    def _takes_part(self, s: Situation, kind: Kind, record: Record | None) -> bool:
        return (
            record is not None and record.why_not is None and ticked(record, s.marks.get(f"{kind}:crm:{record.key}:"))
        )

    def _firm(self, s: Situation, key: str, record: Record | None) -> None:
        (self.firms.add if self._takes_part(s, Kind.FIRM, record) else self.firms.discard)(key)
        if (record is not None) != (key in self.firm_keys):
            (self.firm_keys.discard if record is None else self.firm_keys.add)(key)
            if self.moved_firms is not None:
                self.moved_firms.add(key)

    def _contact(self, s: Situation, key: str, record: Record | None) -> set[str]:
        """The firms whose ticked contacts are others now."""
        before = self._firm_of.pop(key, None)
        groups = set() if before is None else {before}
        if record is not None and self._takes_part(s, Kind.CONTACT, record):
            firm = record.fields.get("firm")
            self._firm_of[key] = intern(firm.key) if isinstance(firm, Ref) else ""
            groups.add(self._firm_of[key])
        return groups

    def _cap(self, s: Situation, firms: Iterable[str]) -> None:
        """Which contacts of these firms wait, being more than the cap."""
        members: dict[str, list[str]] = {firm: [] for firm in firms if firm}
        for key, firm in self._firm_of.items() if members else ():
            if firm in members:
                members[firm].append(key)
        for firm, keys in members.items():
            self._over.pop(firm, None)
            if len(keys) > self._cap_of_firm:
                self._over[firm] = frozenset(keys) - frozenset(_capped_firm_contacts(s, keys, []))

    def _project(self, s: Situation, key: str, record: Record | None) -> None:
        before = self._drop_project(key)
        after: tuple[str, ...] = ()
        if record is not None and self._takes_part(s, Kind.PROJECT, record):
            after = self._take_project(s, key, record)
        for firm in {*before, *after}:
            if self.moved_firms is not None:
                self.moved_firms.add(firm)
            first = self._label_of.get(firm)
            if firm in after and record is not None and (first is None or key <= first):
                self.labels[firm], self._label_of[firm] = record.label, key
            elif first == key:
                self.unlabelled.add(firm)

    def _take_project(self, s: Situation, key: str, record: Record) -> tuple[str, ...]:
        template = template_of(record, s.marks.get(f"project:crm:{key}:"))
        if template is not None:
            self._templates[key] = intern(template)
        link = s.links.of(Kind.PROJECT, Side.CRM, key)
        if link is not None and link.state is not LinkState.ACTIVE:
            self._still[key] = link.ajera_key
        entries = tuple(entry.key for entry in ticked_entries(s, record))
        rows = _capped_project_contacts(s, key, []) if entries else ()
        if entries:
            self._entries[key] = entries
        if rows:
            self._rows[key] = rows
            self._listed.update(rows)
        firms = tuple({intern(firm): None for (_, firm), _ in _brought(s, {key: template}, {key: rows})})
        self._wants[key] = firms[0] if len(firms) == 1 else firms
        return firms

    def _drop_project(self, key: str) -> tuple[str, ...]:
        self._templates.pop(key, None)
        self._entries.pop(key, None)
        self._still.pop(key, None)
        for contact in self._rows.pop(key, ()):
            self._listed[contact] -= 1
            if not self._listed[contact]:
                del self._listed[contact]
        return _each(self._wants.pop(key, ()))

    def relabel(self) -> None:
        """Firms whose first project brings them no more: the next one does, if there is one. Goes over all projects,
        so it is done when somebody asks for such a firm."""
        with self._updating:
            lost, self.unlabelled = self.unlabelled, set()
            if lost:
                self._label_anew(lost)

    def _label_anew(self, lost: set[str]) -> None:
        first: dict[str, str] = {}
        for key, firms in self._wants.items():
            for firm in _each(firms):
                if firm in lost and key < first.get(firm, key + "."):
                    first[firm] = key
        for firm in lost:
            self.labels.pop(firm, None)
            self._label_of.pop(firm, None)
            if firm in first:
                found = self._store.record(Kind.PROJECT, Side.CRM, first[firm])
                self._label_of[firm] = first[firm]
                self.labels[firm] = found.label if found else first[firm]

    # -- for the next program ----------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """All that is known, as JSON; firms are told by their places in `names`."""
        self.relabel()
        places: dict[str, int] = {}

        def place(firm: str) -> int:
            return places.setdefault(firm, len(places))

        wants = [[place(firm) for firm in _each(firms)] for firms in self._wants.values()]
        of = [place(firm) for firm in self._firm_of.values()]
        there = [place(firm) for firm in self.firm_keys]
        return {
            "firms": numbers_out(map(place, self.firms)),
            "firm_keys": numbers_out(there),
            "labelled": numbers_out(map(place, self.labels)),
            "labels": list(self.labels.values()),
            "label_of": [self._label_of[firm] for firm in self.labels],
            "projects": list(self._wants),
            "wants": numbers_out(firms[0] if len(firms) == 1 else -1 for firms in wants),
            "several": [firms for firms in wants if len(firms) != 1],
            "contacts": list(self._firm_of),
            "firm_of": numbers_out(of),
            "over": {firm: list(keys) for firm, keys in self._over.items()},
            "templates": self._templates,
            "still": self._still,
            "entries": self._entries,
            "rows": self._rows,
            "names": list(places),
        }

    def take(self, state: Mapping[str, Any], seen: int) -> None:
        """What `state` gave to a program before, when the store was at that number; `now` makes up for what moved
        since. Raises what a damaged one trips over."""
        names: list[str] = state["names"]
        name = names.__getitem__
        self._clear()
        self.firms = set(map(name, numbers_in(state["firms"])))
        self.firm_keys = set(map(name, numbers_in(state["firm_keys"])))
        labelled = [name(place) for place in numbers_in(state["labelled"])]
        self.labels = dict(zip(labelled, state["labels"], strict=True))
        self._label_of = dict(zip(labelled, state["label_of"], strict=True))
        several = iter(state["several"])
        self._wants = {
            key: name(place) if place >= 0 else tuple(map(name, next(several)))
            for key, place in zip(state["projects"], numbers_in(state["wants"]), strict=True)
        }
        self._firm_of = dict(zip(state["contacts"], map(name, numbers_in(state["firm_of"])), strict=True))
        self._over = {firm: frozenset(keys) for firm, keys in state["over"].items()}
        self._templates, self._still = dict(state["templates"]), dict(state["still"])
        self._entries = {key: tuple(found) for key, found in state["entries"].items()}
        self._rows = {key: tuple(found) for key, found in state["rows"].items()}
        for rows in self._rows.values():
            self._listed.update(rows)
        self.moved_firms = set()
        self.seen = seen


class Brought(Mapping[Target, str]):
    """Which project brings a firm along: (kind, key) → its label. Only firms are brought, and only those there are."""

    def __init__(self, view: TickView) -> None:
        self._view = view

    def get(self, target: Target, default: Any = None) -> Any:
        kind, key = target
        view = self._view
        if kind is not Kind.FIRM or key not in view.firm_keys:
            return default
        if key in view.unlabelled:
            view.relabel()
        return view.labels.get(key, default)

    def __getitem__(self, target: Target) -> str:
        found: str | None = self.get(target)
        if found is None:
            raise KeyError(target)
        return found

    def __iter__(self) -> Iterator[Target]:
        self._view.relabel()
        return ((Kind.FIRM, key) for key in self._view.labels if key in self._view.firm_keys)

    def __len__(self) -> int:
        return sum(1 for _ in self)


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


def _each(firms: str | tuple[str, ...]) -> tuple[str, ...]:
    return (firms,) if isinstance(firms, str) else firms
