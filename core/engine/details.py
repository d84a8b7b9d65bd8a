"""Everything the tabs of one record show, both systems side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from core.engine.clock import iso
from core.engine.facts import Facts, template_refusal
from core.engine.hubrows import HubRows
from core.engine.lookups import LinksByKey
from core.engine.rows import RowMaker, records_of
from core.engine.ticking import Ticking
from core.engine.views import ContactView, Detail, FieldView, Row, TeamView, TemplateChoice
from core.engine.wording import ref_text, value_text
from core.model.link import Base
from core.model.plan import Candidate, Item, Mode, Refusal, candidate_from_json, item_from_json, refusal_from_json
from core.model.record import Entry, Record, TeamRow
from core.model.values import Kind, Ref, Side
from core.policy import FieldSpec, Policy
from core.ports import Connection, OpenItem, Store
from core.reconcile.carry import agree
from core.reconcile.situation import Situation


@dataclass
class DetailMaker:
    """Makes one record's detail over one moment of the store."""

    store: Store
    policy: Policy
    facts: Facts
    rows: RowMaker
    ticking: Ticking
    look: Situation
    hub: Callable[[Kind], HubRows]

    def detail(self, row: Row) -> Detail:
        crm = self.store.record(row.kind, Side.CRM, row.crm_key) if row.crm_key else None
        ajera = self.store.record(row.kind, Side.AJERA, row.ajera_key) if row.ajera_key else None
        link = self.store.link(row.kind, row.side, row.key)
        base = self.store.base(link) if link is not None else {}
        items = self._items(row)
        waiting = {item.field: queue for queue, item in items}
        project = row.kind is Kind.PROJECT
        return Detail(
            row=row,
            fields=tuple(self._field(spec, crm, ajera, base, waiting) for spec in self._specs(row.kind)),
            contacts=tuple(self._contacts(row, crm)),
            cap=self.policy.project_cap if project else self.policy.firm_cap,
            template=row.extra.get("template") if project else None,
            templates=self.templates() if project else (),
            default_template=self.policy.default_template if project else None,
            team=tuple(self._team(crm, ajera)) if project else (),
            projects=tuple(self._projects_of(row)) if row.kind in (Kind.EMPLOYEE, Kind.FIRM) else (),
            ajera_flags=_flags(ajera) if project and ajera else {},
            brought_by=(brought,) if (brought := self.rows.brought.get((row.kind, row.crm_key or ""))) else (),
            items=tuple(item for _, item in items),
            candidates=tuple(self._candidates(row)),
            refusals=tuple(self._refusals(row)),
            history=tuple(self.store.history_of(row.kind, row.side, row.key)),
            kept_here=self.facts.known and row.kind.value not in self.facts.columns,
        )

    def templates(self) -> tuple[TemplateChoice, ...]:
        return tuple(
            TemplateChoice(text, template_refusal(self.facts, self.policy, text)) for text in self.facts.crm_templates
        )

    # -- fields --------------------------------------------------------------------------------------

    def _specs(self, kind: Kind) -> tuple[FieldSpec, ...]:
        return self.policy.active_fields(kind)

    def _field(
        self, spec: FieldSpec, crm: Record | None, ajera: Record | None, base: Base, waiting: dict[str, str]
    ) -> FieldView:
        theirs = crm.fields.get(spec.name) if crm else None
        ours = ajera.fields.get(spec.name) if ajera else None
        pair = base.get(spec.name)
        mark, note = self._mark(spec, crm, ajera, waiting)
        return FieldView(
            name=spec.name,
            label=self.facts.captions.get(f"{spec.kind}.{spec.name}", spec.label),
            tab=spec.tab,
            owner=spec.owner.value,
            type=spec.type.value,
            crm=theirs,
            ajera=ours,
            crm_text=value_text(self.store, spec, theirs),
            ajera_text=value_text(self.store, spec, ours),
            mark=mark,
            base=pair,
            note=note or (pair.note if pair else ""),
        )

    def _mark(
        self, spec: FieldSpec, crm: Record | None, ajera: Record | None, waiting: dict[str, str]
    ) -> tuple[str, str]:
        for side in Side:
            reason = self.facts.stopped.get(f"{side}:{spec.kind}.{spec.name}")
            if reason:
                return "stopped", reason
        if spec.name in waiting:
            return waiting[spec.name], ""
        if crm is None or ajera is None:
            return "one_side", ""
        if spec.name not in crm.fields or spec.name not in ajera.fields:
            return "same", "not read"
        same = agree(self.look, spec, ajera.fields[spec.name], crm.fields[spec.name])
        return ("same" if same else "differs"), ""

    # -- contacts ------------------------------------------------------------------------------------

    def _contacts(self, row: Row, crm: Record | None) -> Iterable[ContactView]:
        if row.kind is Kind.FIRM and crm is not None:
            yield from self._firm_contacts(crm)
        if row.kind is Kind.PROJECT and crm is not None:
            for entry in crm.contacts or ():
                yield self._project_contact(crm, entry)

    def _firm_contacts(self, firm: Record) -> Iterable[ContactView]:
        found = contacts_of(self.store, self.hub(Kind.CONTACT), firm.key)
        for record in sorted(found, key=lambda each: (each.name, each.key)):
            yield self._contact(record, "", record.extra.get("primary") == "Y", None)

    def _project_contact(self, project: Record, entry: Entry) -> ContactView:
        record = self.store.record(Kind.CONTACT, Side.CRM, entry.key)
        if record is None:
            record = Record(Kind.CONTACT, Side.CRM, entry.key, entry.key, why_not="the contact itself cannot be read")
        return self._contact(record, entry.role, entry.primary, project)

    def _contact(self, record: Record, role: str, primary: bool, project: Record | None) -> ContactView:
        row = self.rows.row(record)
        if project is None:
            marked, column = row.marked, "contact"
        else:
            marked, column = record.key in self.ticking.ticked_of_project(project.key), "project_contact"
        return ContactView(
            crm_key=record.key,
            ajera_key=row.ajera_key,
            label=record.label,
            title=row.extra.get("title", ""),
            email=row.extra.get("email", ""),
            phone=row.extra.get("phone", ""),
            role=role,
            primary=primary,
            marked=marked,
            state=row.state,
            reason=row.reason,
            refusal=record.why_not,
            kept_here=self.facts.known and column not in self.facts.columns,
        )

    # -- team and projects -----------------------------------------------------------------------------

    def _team(self, crm: Record | None, ajera: Record | None) -> Iterable[TeamView]:
        """Hours as each side has them, one line an employee and role."""
        ours = {self._team_key(row, Side.AJERA): row for row in (ajera.team or () if ajera else ())}
        for row in crm.team or () if crm else ():
            there = ours.pop(self._team_key(row, Side.CRM), None)
            yield self._team_view(row, there, row)
        for row in ours.values():
            yield self._team_view(row, row, None)

    def _team_key(self, row: TeamRow, side: Side) -> tuple[str, str]:
        employee = row.employee
        if side is Side.CRM:
            employee = self.look.links.partner(Kind.EMPLOYEE, Side.CRM, row.employee) or f"crm:{row.employee}"
        return employee, row.role.casefold()

    def _team_view(self, row: TeamRow, ajera: TeamRow | None, crm: TeamRow | None) -> TeamView:
        side = Side.CRM if crm is not None else Side.AJERA
        start = (crm.start if crm else None) or (ajera.start if ajera else None)
        return TeamView(
            employee=ref_text(self.store, Ref(Kind.EMPLOYEE, side, row.employee)),
            role=row.role,
            crm_hours=_hours(crm.hours if crm else None),
            ajera_hours=_hours(ajera.hours if ajera else None),
            start=start.isoformat() if start else "",
            note="" if ajera is not None else "added in the CRM",
        )

    def _projects_of(self, row: Row) -> Iterable[tuple[str, str]]:
        """The CRM projects that name this firm or employee, with its part in them."""
        parts = (
            {"client": "Primary Client"}
            if row.kind is Kind.FIRM
            else {"manager": "Project Manager", "principal": "Principal"}
        )
        for project in self._projects_naming(row.crm_key or ""):
            for name, part in parts.items():
                ref = project.fields.get(name)
                if isinstance(ref, Ref) and ref.key == row.crm_key:
                    yield project.label, part
            for member in project.team or ():
                if row.kind is Kind.EMPLOYEE and member.employee == row.crm_key:
                    yield project.label, member.role

    def _projects_naming(self, key: str) -> Iterable[Record]:
        """The CRM projects in whose row or team a firm or employee stands, in the order of their labels."""
        hub = self.hub(Kind.PROJECT)
        ids, named = hub.column("id"), hub.column("named")
        keys = [ids[place][2:] for place, keys in enumerate(named) if keys and key in keys and ids[place][0] == "c"]
        found = (self.store.record(Kind.PROJECT, Side.CRM, each) for each in keys)
        return sorted((project for project in found if project is not None), key=lambda each: each.label)

    # -- queues --------------------------------------------------------------------------------------

    def _open(self, row: Row) -> Iterable[OpenItem]:
        named = {(row.kind, side, key) for side, key in ((Side.AJERA, row.ajera_key), (Side.CRM, row.crm_key)) if key}
        for item in self.store.items():
            if named & set(records_of(item)):
                yield item

    def _items(self, row: Row) -> list[tuple[str, Item]]:
        fielded = ("conflict", "difference", "drift")
        return [(item.queue, item_from_json(item.body)) for item in self._open(row) if item.queue in fielded]

    def _candidates(self, row: Row) -> Iterable[Candidate]:
        return (candidate_from_json(item.body) for item in self._open(row) if item.queue == "candidate")

    def _refusals(self, row: Row) -> Iterable[Refusal]:
        return (
            replace(refusal_from_json(item.body), since=item.since)
            for item in self._open(row)
            if item.queue == "refused"
        )


def contacts_of(store: Store, hub: HubRows, firm: str) -> list[Record]:
    """The CRM contacts of a firm; `hub` tells which to read."""
    ids = hub.column("id")
    keys = [ids[place][2:] for place, key in enumerate(hub.column("firm_key")) if key == firm and ids[place][0] == "c"]
    found = (store.record(Kind.CONTACT, Side.CRM, key) for key in keys)
    return [record for record in found if record is not None]


def quick_look(
    store: Store, policy: Policy, mode: Mode, connections: Mapping[Side, Connection], now: datetime
) -> Situation:
    """What the kernel's comparisons need: links and code tables, and no record."""
    made = Situation(mode, policy, iso(now), connections[Side.AJERA], connections[Side.CRM], {})
    return replace(made, links=LinksByKey(store))


def _flags(ajera: Record) -> dict[str, bool]:
    return {"SyncToCRM": bool(ajera.marked), "CreateInCRM": ajera.create_in_crm}


def _hours(value: Decimal | None) -> str:
    return "" if value is None else f"{value:,.2f}"
