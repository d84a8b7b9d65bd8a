"""Situations for the planner, said shortly: records, links, bases, ticks.

Records are made agreed or apart by the fields given; `World.link` takes what both sides hold at that
moment as the base, so a later `World.edit` is a change by a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from core.model.link import Choice, Decision, Link, Links, LinkState, Mark, Pair
from core.model.plan import Action, Direction, Mode, Op, Plan
from core.model.record import Record
from core.model.values import KIND_ORDER, Kind, Ref, Side, Value
from core.policy import Policy
from core.ports import Connection
from core.reconcile.planner import plan
from core.reconcile.situation import Situation

AJERA, CRM = Side.AJERA, Side.CRM
FIRM, CONTACT, PROJECT, EMPLOYEE = Kind.FIRM, Kind.CONTACT, Kind.PROJECT, Kind.EMPLOYEE
NOW = "2026-03-02T15:00:00Z"
TWO_WAY = Mode(Direction.TWO_WAY, "8.10", "Ajera 8.10")
ONE_WAY = Mode(Direction.TO_AJERA, "8.08", "Ajera 8.08 is before 8.09")
CRM_COLUMNS = frozenset({"firm", "contact", "project", "project_contact", "template"})
STUDY = "Study"


def crm_connection(**over: Any) -> Connection:
    return Connection(CRM, **{"mark_columns": CRM_COLUMNS, **over})


def ajera_connection(**over: Any) -> Connection:
    return Connection(
        AJERA, **{"version": "8.10", "templates": (STUDY,), "mark_columns": frozenset({"project"}), **over}
    )


@dataclass
class World:
    """One moment, built step by step."""

    mode: Mode = TWO_WAY
    policy: Policy = field(default_factory=Policy)
    records: dict[tuple[Kind, Side], dict[str, Record]] = field(default_factory=dict)
    links: list[Link] = field(default_factory=list)
    bases: dict[str, dict[str, Pair]] = field(default_factory=dict)
    marks: list[Mark] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    rest: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for kind in Kind:
            for side in Side:
                self.records.setdefault((kind, side), {})

    # -- records -----------------------------------------------------------------------------------

    def put(self, record: Record) -> Record:
        self.records[record.kind, record.side][record.key] = record
        return record

    def record(self, kind: Kind, side: Side, key: str) -> Record:
        return self.records[kind, side][key]

    def firm(self, side: Side, key: str, name: str, *, ticked: bool | None = None, **fields: Value) -> Record:
        values: dict[str, Value] = {"name": name, "status": _active(side), **fields}
        return self.put(Record(FIRM, side, key, name, fields=values, marked=ticked))

    def contact(
        self, side: Side, key: str, first: str, last: str, *, firm: str | None = None,
        ticked: bool | None = None, extra: Mapping[str, str] | None = None, **fields: Value,
    ) -> Record:  # fmt: skip
        values: dict[str, Value] = {"first_name": first, "last_name": last, "status": _active(side), **fields}
        if firm is not None:
            values["firm"] = Ref(FIRM, side, firm)
        return self.put(Record(CONTACT, side, key, f"{last}, {first}", fields=values, marked=ticked, extra=extra or {}))

    def project(
        self, side: Side, key: str, number: str, name: str, *, client: str | None = None, **rest: Any
    ) -> Record:
        own = {each: rest.pop(each) for each in list(rest) if each in Record.__dataclass_fields__}
        if "ticked" in rest:
            own["marked"] = rest.pop("ticked")
        values: dict[str, Value] = {"number": number, "name": name, "status": _active(side), **rest}
        if client is not None:
            values["client"] = Ref(FIRM, side, client)
        return self.put(Record(PROJECT, side, key, name, number=number, fields=values, **own))

    def employee(self, side: Side, key: str, first: str, last: str, **fields: Value) -> Record:
        extra = fields.pop("extra", {})
        values: dict[str, Value] = {"first_name": first, "last_name": last, "status": _active(side), **fields}
        return self.put(Record(EMPLOYEE, side, key, f"{last}, {first}", fields=values, extra=extra))  # type: ignore[arg-type] # given as a dict of text

    def edit(self, kind: Kind, side: Side, key: str, **fields: Value) -> None:
        record = self.record(kind, side, key)
        self.put(replace(record, fields={**record.fields, **fields}))

    def change(self, kind: Kind, side: Side, key: str, **attributes: Any) -> None:
        """Other attributes than fields: `marked`, `contacts`, `team`, `extra`, …"""
        self.put(replace(self.record(kind, side, key), **attributes))

    def drop(self, kind: Kind, side: Side, key: str, *, confirmed: bool = True) -> None:
        """Deleted there; `confirmed` as a sweep finds it out."""
        del self.records[kind, side][key]
        if confirmed:
            self.rest["gone"] = frozenset({*self.rest.get("gone", ()), (kind, side, key)})

    # -- memory ------------------------------------------------------------------------------------

    def link(self, kind: Kind, ajera: str, crm: str, state: LinkState = LinkState.ACTIVE, **rest: Any) -> Link:
        """Linked, and agreed on everything both sides hold now; `base={}` for a link that is new."""
        base = rest.pop("base", None)
        link = Link(kind, ajera, crm, state, **rest)
        self.links.append(link)
        self.bases[link.id] = self.agreed(kind, ajera, crm) if base is None else dict(base)
        return link

    def agreed(self, kind: Kind, ajera: str, crm: str) -> dict[str, Pair]:
        ours = self.records[kind, AJERA].get(ajera)
        theirs = self.records[kind, CRM].get(crm)
        if ours is None or theirs is None:
            return {}
        return {name: Pair(ours.fields[name], theirs.fields[name]) for name in ours.fields if name in theirs.fields}

    def mark(self, kind: Kind, key: str, on: bool = True, *, side: Side = CRM, **rest: Any) -> None:
        self.marks.append(Mark(kind, side, key, on, **rest))

    def decide(
        self, kind: Kind, side: Side, key: str, choice: Choice, partner: str | None = None, at: str = ""
    ) -> None:
        self._answer(Decision(kind, side, key, choice, partner, at=at))

    def resolve(
        self, kind: Kind, ajera: str, crm: str, name: str, *, take: Side | None = None, value: Value = None
    ) -> None:
        """A person's answer to what both sides hold now."""
        seen = (self.record(kind, AJERA, ajera).fields[name], self.record(kind, CRM, crm).fields[name])
        self._answer(Decision(kind, CRM, crm, field=name, take=take, value=value, seen=seen))

    def _answer(self, decision: Decision) -> None:
        """A later answer to the same question replaces the earlier one, as in the store."""
        self.decisions = [*(each for each in self.decisions if each.id != decision.id), decision]

    # -- the plan ----------------------------------------------------------------------------------

    def situation(self, **over: Any) -> Situation:
        given: dict[str, Any] = {
            "ajera": ajera_connection(),
            "crm": crm_connection(),
            "whole": frozenset((kind, side) for kind in Kind for side in Side),
            "previous_mode": self.mode,
            **self.rest,
            **over,
        }
        return Situation(
            mode=self.mode,
            policy=self.policy,
            now=NOW,
            records=self.records,
            links=Links(
                {(link.kind, link.ajera_key): link for link in self.links},
                {(link.kind, link.crm_key): link for link in self.links},
            ),
            bases=self.bases,
            marks={mark.id: mark for mark in self.marks},
            decisions={decision.id: decision for decision in self.decisions},
            **given,
        )

    def plan(self, **over: Any) -> Plan:
        return plan(self.situation(**over))


def _active(side: Side) -> str:
    return "A" if side is CRM else "Active"


def linked_firms(world: World, **fields: Value) -> World:
    """A ticked firm, linked and agreed: Ajera "a1", CRM "c1", with `fields` on both sides."""
    world.firm(AJERA, "a1", "Acme", **fields)
    world.firm(CRM, "c1", "Acme", ticked=True, **fields)
    world.link(FIRM, "a1", "c1")
    return world


def linked_projects(world: World, *, client: bool = True, **fields: Value) -> World:
    """`linked_firms`, and a ticked project of that client: Ajera "p1", CRM "q1"."""
    linked_firms(world)
    world.project(AJERA, "p1", "100", "Bridge", client="a1" if client else None, **fields)
    world.project(CRM, "q1", "100", "Bridge", client="c1" if client else None, ticked=True, **fields)
    world.link(PROJECT, "p1", "q1")
    return world


def writes(made: Plan) -> list[tuple[Side, str, Value]]:
    """Every field that a plan's updates write: (side, field, value)."""
    return [
        (action.side, name, change.to)
        for action in made.actions
        if action.op is Op.UPDATE and action.side is not None
        for name, change in sorted(action.fields.items())
    ]


def ops(made: Plan, op: Op) -> list[Action]:
    return [action for action in made.actions if action.op is op]


def reasons(made: Plan) -> str:
    return "\n".join(refusal.reason for refusal in made.refused)


def kinds_in_order() -> list[Kind]:
    return sorted(Kind, key=lambda kind: KIND_ORDER[kind])
