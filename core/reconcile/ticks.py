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
    marks = s.marks
    firms = frozenset(_ticked_keys(s, scope, Kind.FIRM))
    contacts = list(_ticked_keys(s, scope, Kind.CONTACT))
    projects = {
        key: template_of(s.of(Kind.PROJECT, Side.CRM)[key], marks.get(f"project:crm:{key}:"))
        for key in _ticked_keys(s, scope, Kind.PROJECT)
    }
    over: list[tuple[Record, str, int]] = []
    firm_contacts = _capped_firm_contacts(s, contacts, over)
    rows = {key: _capped_project_contacts(s, key, over) for key in projects}
    rows = {key: found for key, found in rows.items() if found}
    listed = {contact for keys in rows.values() for contact in keys}
    brought: dict[tuple[Kind, str], str] = {}
    for firm, project in _brought(s, projects, rows):
        brought.setdefault(firm, project)
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


def _ticked_keys(s: Situation, scope: Scope, kind: Kind) -> Iterable[str]:
    marks, records = s.marks, s.of(kind, Side.CRM)
    for key in scope.keys(s, kind, Side.CRM):
        record = records[key]
        mark = marks.get(f"{kind}:crm:{key}:") if marks else None  # there is none, as a rule
        if record.why_not is None and ticked(record, mark):
            yield key


def _capped_firm_contacts(s: Situation, keys: list[str], over: list[tuple[Record, str, int]]) -> list[str]:
    """At most `firm_cap` ticked contacts a firm: primary first, then by name; the rest wait."""
    cap = s.policy.firm_cap
    if cap is None:
        return keys
    of_firm: dict[str, list[Record]] = defaultdict(list)
    kept: list[str] = []
    contacts = s.of(Kind.CONTACT, Side.CRM)
    for key in keys:
        firm = contacts[key].fields.get("firm")
        if isinstance(firm, Ref):
            of_firm[firm.key].append(contacts[key])
        else:
            kept.append(key)
    for firm_key, records in of_firm.items():
        firm_record = s.record(Kind.FIRM, Side.CRM, firm_key)
        where = firm_record.label if firm_record else firm_key
        records.sort(key=lambda record: (record.extra.get("primary") != "Y", record.name, record.key))
        kept += [record.key for record in records[:cap]]
        over += [(record, where, cap) for record in records[cap:]]
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
    s: Situation, projects: Mapping[str, str | None], rows: Mapping[str, tuple[str, ...]]
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
