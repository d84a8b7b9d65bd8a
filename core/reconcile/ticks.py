"""Who takes part: ticks in effect, what they pull along, and the caps (sync-rules 2)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from core.model.link import Mark
from core.model.record import Entry, Record
from core.model.values import Kind, Ref, Side
from core.reconcile.scope import EVERYTHING, Scope
from core.reconcile.situation import Situation


@dataclass(frozen=True)
class Ticks:
    """The ticks in effect, by key.

    `projects` maps a ticked CRM project to its template text. `brought` says which project brings a
    firm or contact along. `over` lists contacts beyond the cap, which wait. `to_crm` are records
    that are only in Ajera and were ticked for the CRM.
    """

    firms: frozenset[str] = frozenset()
    contacts: frozenset[str] = frozenset()
    projects: Mapping[str, str | None] = field(default_factory=dict)
    project_contacts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    to_crm: frozenset[tuple[Kind, str]] = frozenset()
    brought: Mapping[tuple[Kind, str], str] = field(default_factory=dict)
    over: tuple[tuple[Record, str, int], ...] = ()

    def live(self, kind: Kind, crm_key: str) -> bool:
        """Whether a CRM record takes part: ticked itself or brought along by a ticked project."""
        if kind is Kind.EMPLOYEE:
            return True
        # Asked once a link: `of` would copy all keys of the projects each time.
        keys = self.projects if kind is Kind.PROJECT else self.of(kind)
        return crm_key in keys or (kind, crm_key) in self.brought

    def of(self, kind: Kind) -> frozenset[str]:
        if kind is Kind.FIRM:
            return self.firms
        return self.contacts if kind is Kind.CONTACT else frozenset(self.projects)


def ticked(record: Record, mark: Mark | None) -> bool:
    """A tick made here and not yet pushed, or kept here only, wins; else the CRM's own column."""
    if mark is not None:
        return mark.on
    return bool(record.marked)


def ticks_in_effect(s: Situation, scope: Scope = EVERYTHING) -> Ticks:
    """The ticks of whoever is in scope; of others there may be some, and not all."""
    firms = frozenset(record.key for record, _ in _ticked_records(s, scope, Kind.FIRM))
    over: list[tuple[Record, str, int]] = []
    contacts = (record.key for record, _ in _ticked_records(s, scope, Kind.CONTACT))
    firm_contacts = _capped_firm_contacts(s, contacts, over)
    projects: dict[str, str | None] = {}
    rows: dict[str, tuple[str, ...]] = {}
    brought: dict[tuple[Kind, str], str] = {}
    for record, mark in _ticked_records(s, scope, Kind.PROJECT):  # all about one, then the next: each is read once
        projects[record.key] = template_of(record, mark)
        if found := _capped_project_contacts(s, record.key, over):
            rows[record.key] = found
        for firm, project in _brought(s, (record.key,), rows):
            brought.setdefault(firm, project)
    listed = {contact for keys in rows.values() for contact in keys}
    return Ticks(
        firms=firms,
        contacts=frozenset(firm_contacts) | listed,
        projects=projects,
        project_contacts=rows,
        to_crm=frozenset(_to_crm(s, scope)),
        brought=brought,
        over=tuple(over),
    )


def template_of(record: Record, mark: Mark | None) -> str | None:
    if mark is not None and mark.template:
        return mark.template
    return record.template


def _ticked_records(s: Situation, scope: Scope, kind: Kind) -> Iterable[tuple[Record, Mark | None]]:
    marks, records = s.marks, s.of(kind, Side.CRM)
    for key in scope.keys(s, kind, Side.CRM):
        record = records[key]
        mark = marks.get(f"{kind}:crm:{key}:") if marks else None  # there is none, as a rule
        if record.why_not is None and ticked(record, mark):
            yield record, mark


def _capped_firm_contacts(s: Situation, keys: Iterable[str], over: list[tuple[Record, str, int]]) -> list[str]:
    """At most `firm_cap` ticked contacts a firm: primary first, then by name; the rest wait."""
    cap = s.policy.firm_cap
    if cap is None:
        return list(keys)
    of_firm: dict[str, list[tuple[bool, str, str]]] = defaultdict(list)
    kept: list[str] = []
    contacts = s.of(Kind.CONTACT, Side.CRM)
    for key in keys:
        record = contacts[key]
        firm = record.fields.get("firm")
        if isinstance(firm, Ref):
            of_firm[firm.key].append((record.extra.get("primary") != "Y", record.name, key))
        else:
            kept.append(key)
    for firm_key, places in of_firm.items():
        in_order = [key for *_, key in sorted(places)]
        kept += in_order[:cap]
        if len(in_order) > cap:
            firm_record = s.record(Kind.FIRM, Side.CRM, firm_key)
            where = firm_record.label if firm_record else firm_key
            over += [(contacts[key], where, cap) for key in in_order[cap:]]
    return kept


def ticked_entries(s: Situation, project: Record) -> list[Entry]:
    """The contact rows of a project whose Ajera Sync is on, ticks made here included."""
    found = []
    for entry in project.contacts or ():
        mark = s.marks.get(f"contact:crm:{entry.key}:{project.key}")
        if mark.on if mark is not None else entry.marked:
            found.append(entry)
    return found


def _capped_project_contacts(s: Situation, key: str, over: list[tuple[Record, str, int]]) -> tuple[str, ...]:
    project = s.of(Kind.PROJECT, Side.CRM)[key]
    contacts = s.of(Kind.CONTACT, Side.CRM)

    def place(entry: Entry) -> tuple[bool, str, str]:
        record = contacts.get(entry.key)
        return (not entry.primary, record.name if record else "", entry.key)

    # A row may outlive its contact in what was read: a project's list is read again only when it moved.
    rows = sorted((entry for entry in ticked_entries(s, project) if entry.key in contacts), key=place)
    cap = s.policy.project_cap
    if cap is not None:
        over += [(contacts[row.key], project.label, cap) for row in rows[cap:] if row.key in contacts]
        rows = rows[:cap]
    return tuple(row.key for row in rows)


def _brought(
    s: Situation, projects: Iterable[str], rows: Mapping[str, tuple[str, ...]]
) -> Iterable[tuple[tuple[Kind, str], str]]:
    """A ticked project brings its primary client and its ticked contacts' firms (sync-rules 2)."""
    contacts = s.of(Kind.CONTACT, Side.CRM)
    for key in projects:
        project = s.of(Kind.PROJECT, Side.CRM)[key]
        link = s.links.of(Kind.PROJECT, Side.CRM, key)
        if link is not None and link.state != "active":
            continue
        firms = [project.fields.get("client")]
        firms += [contacts[contact].fields.get("firm") for contact in rows.get(key, ()) if contact in contacts]
        for firm in firms:
            if isinstance(firm, Ref) and firm.key in s.of(Kind.FIRM, Side.CRM):
                yield (Kind.FIRM, firm.key), project.label


def _to_crm(s: Situation, scope: Scope) -> Iterable[tuple[Kind, str]]:
    """Records only in Ajera that go to the CRM: ticked one by one, or all by setting."""
    new = s.policy.new_from_ajera == "all"
    for kind in (Kind.FIRM, Kind.CONTACT) if new or s.marks else ():
        for key in scope.keys(s, kind, Side.AJERA):
            mark = s.marks.get(f"{kind}:ajera:{key}:")
            if mark.on if mark is not None else new:
                yield kind, key
    projects = s.of(Kind.PROJECT, Side.AJERA)
    for key in scope.keys(s, Kind.PROJECT, Side.AJERA):
        record, mark = projects[key], s.marks.get(f"project:ajera:{key}:")
        if mark.on if mark is not None else record.create_in_crm:
            yield Kind.PROJECT, key
            client = record.fields.get("client")  # it brings its client along
            if isinstance(client, Ref):
                yield Kind.FIRM, client.key
