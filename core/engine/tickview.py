"""The ticks in effect as screens and figures need them, kept up to date record by record.

`ticks_in_effect` of the kernel goes over every record, which a tick on a screen must not wait for. Here the same rules
(its own functions) are applied to what moved since last time: the store hands out snapshots that tell. After some
hundred changes a snapshot cannot tell any more, and everything is gone over once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from core.engine.clock import iso
from core.model.plan import Direction, Mode
from core.model.values import Kind, Ref, Side
from core.policy import Policy
from core.ports import Clock, Connection, Store
from core.reconcile.situation import Situation
from core.reconcile.ticks import _brought, _capped_firm_contacts, _capped_project_contacts, template_of, ticked

Target = tuple[Kind, str]
_TICKED = (Kind.FIRM, Kind.CONTACT, Kind.PROJECT)


class TickView:
    """`now()` brings it up to date; the mappings are then as of that moment, and only to be read."""

    def __init__(self, store: Store, policy: Policy, clock: Clock) -> None:
        self._store, self._policy, self._clock = store, policy, clock
        self._seen: dict[str, Mapping[Any, Any]] = {}
        self._clear()

    def _clear(self) -> None:
        self.firms: set[str] = set()
        self.projects: dict[str, str | None] = {}
        self.brought: dict[Target, str] = {}
        self._kept: dict[str, tuple[str, ...]] = {}  # firm ("" for none) -> its contacts within the cap
        self._members: dict[str, dict[str, None]] = {}  # the same, all that are ticked
        self._firm_of: dict[str, str] = {}
        self._rows: dict[str, tuple[str, ...]] = {}  # project -> contacts on its rows
        self._listed: Counter[str] = Counter()
        self._bringers: dict[Target, dict[str, str]] = {}
        self._brings: dict[str, tuple[Target, ...]] = {}

    def count(self, kind: Kind) -> int:
        """How many records of a kind take part by a tick."""
        if kind is Kind.FIRM:
            return len(self.firms)
        if kind is Kind.PROJECT:
            return len(self.projects)
        return len({key for keys in self._kept.values() for key in keys} | self._listed.keys())

    def now(self) -> TickView:
        store = self._store
        new: dict[str, Mapping[Any, Any]] = {kind.value: store.records(kind, Side.CRM) for kind in _TICKED}
        new |= {"marks": store.marks(), "links": store.links().by_crm}
        old, self._seen = self._seen, new
        if all(old.get(name) is each for name, each in new.items()):
            return self
        moved = {name: moved_keys(each, old.get(name)) for name, each in new.items()}
        s = self._situation()
        known = {name: keys for name, keys in moved.items() if keys is not None}
        if len(known) < len(moved) or not self._update(s, known):
            self._clear()
            self._contacts(s, s.of(Kind.CONTACT, Side.CRM))
            self._firms(s, s.of(Kind.FIRM, Side.CRM))
            self._projects(s, s.of(Kind.PROJECT, Side.CRM))
        return self

    def _situation(self) -> Situation:
        store, side = self._store, Connection
        records = {(kind, Side.CRM): store.records(kind, Side.CRM) for kind in _TICKED}
        mode = Mode(Direction.TWO_WAY, None, "")
        now = iso(self._clock.now())
        made = Situation(mode, self._policy, now, side(Side.AJERA), side(Side.CRM), records)
        object.__setattr__(made, "links", store.links())
        object.__setattr__(made, "marks", store.marks())
        return made

    def _update(self, s: Situation, moved: Mapping[str, set[Any]]) -> bool:
        """Whether what moved could be told apart; a firm that came or went may concern any project."""
        firms, contacts, projects = (set(moved[kind.value]) for kind in _TICKED)
        crm_firms = s.of(Kind.FIRM, Side.CRM)
        if any((key in crm_firms) != (key in self._known_firms) for key in firms):
            return False
        for mark in moved["marks"]:
            kind, side, key, project = mark.split(":", 3)
            if side == Side.CRM:
                named = {Kind.FIRM: firms, Kind.CONTACT: contacts, Kind.PROJECT: projects}[Kind(kind)]
                (projects if project else named).add(project or key)
        projects |= {key for kind, key in moved["links"] if kind is Kind.PROJECT}
        crm_projects = s.of(Kind.PROJECT, Side.CRM)
        if contacts - self._firm_of.keys() or any(self._listed[key] for key in contacts):
            # A contact that was not ticked may stand on rows too: ticked ones are looked through.
            projects |= {key for key in self.projects if self._names(crm_projects.get(key), contacts)}
        self._contacts(s, contacts)
        self._firms(s, firms)
        self._projects(s, projects)
        return True

    @staticmethod
    def _names(project: Any, contacts: set[str]) -> bool:
        return project is not None and any(entry.key in contacts for entry in project.contacts or ())

    # -- by kind -----------------------------------------------------------------------------------

    def _firms(self, s: Situation, keys: Iterable[str]) -> None:
        for key in keys:
            (self.firms.add if self._is_ticked(s, Kind.FIRM, key) else self.firms.discard)(key)
        self._known_firms = s.of(Kind.FIRM, Side.CRM)

    def _is_ticked(self, s: Situation, kind: Kind, key: str) -> bool:
        record = s.record(kind, Side.CRM, key)
        return record is not None and record.why_not is None and ticked(record, s.marks.get(f"{kind}:crm:{key}:"))

    def _contacts(self, s: Situation, keys: Iterable[str]) -> None:
        groups: set[str] = set()
        for key in keys:
            before = self._firm_of.pop(key, None)
            if before is not None:
                self._members[before].pop(key, None)
                groups.add(before)
            if self._is_ticked(s, Kind.CONTACT, key):
                firm = s.of(Kind.CONTACT, Side.CRM)[key].fields.get("firm")
                group = firm.key if isinstance(firm, Ref) else ""
                self._firm_of[key] = group
                self._members.setdefault(group, {})[key] = None
                groups.add(group)
        for group in groups:
            self._kept[group] = tuple(_capped_firm_contacts(s, list(self._members[group]), []))

    def _projects(self, s: Situation, keys: Iterable[str]) -> None:
        for key in keys:
            self._drop_project(key)
            if not self._is_ticked(s, Kind.PROJECT, key):
                continue
            record = s.of(Kind.PROJECT, Side.CRM)[key]
            template = template_of(record, s.marks.get(f"project:crm:{key}:"))
            rows = _capped_project_contacts(s, key, []) if record.contacts else ()
            brought = dict(_brought(s, {key: template}, {key: rows}))
            self.projects[key] = template
            if rows:
                self._rows[key] = rows
                self._listed.update(rows)
            self._brings[key] = tuple(brought)
            for target, label in brought.items():
                self._bringers.setdefault(target, {})[key] = label
                self.brought[target] = label

    def _drop_project(self, key: str) -> None:
        self.projects.pop(key, None)
        for contact in self._rows.pop(key, ()):
            self._listed[contact] -= 1
            if not self._listed[contact]:
                del self._listed[contact]
        for target in self._brings.pop(key, ()):
            others = self._bringers[target]
            others.pop(key, None)
            if others:
                self.brought[target] = next(reversed(others.values()))
            else:
                del self._bringers[target]
                self.brought.pop(target, None)


def moved_keys(new: Mapping[Any, Any], old: Mapping[Any, Any] | None) -> set[Any] | None:
    """Keys of a table whose value may have moved since an older snapshot; None where that cannot be told."""
    if new is old:
        return set()
    tell = getattr(new, "moved_since", None)
    found: set[Any] | None = tell(old) if tell is not None and old is not None else None
    return found
