"""Ticks: stored here at once, checked where they are made, undone and redone (sync-rules 2)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from core.engine.clock import iso
from core.engine.facts import Facts, column_of, remembered, template_refusal
from core.engine.filed import is_alive
from core.engine.lookups import LinksByKey
from core.engine.pull import note_dirty
from core.engine.views import Marked
from core.errors import UsageError
from core.model.link import Mark
from core.model.record import Record
from core.model.values import Kind, Ref, Side
from core.policy import Policy
from core.ports import Clock, Store, Transaction
from core.reconcile.entries import OURS
from core.reconcile.merge import UNDONE
from core.reconcile.ticks import ticked

MOST_UNDO = 200


@dataclass
class _Act:
    """One tick act: marks as they were before (None: there was none) and as they are after."""

    before: list[Mark | None]
    after: list[Mark | None]
    ids: list[str]


@dataclass
class Ticking:
    """Makes and takes back ticks. `contacts_of`: the CRM contacts of a firm, by whoever knows them without reading all."""

    store: Store
    policy: Policy
    clock: Clock
    _done: list[_Act] = field(default_factory=list)
    _undone: list[_Act] = field(default_factory=list)
    _together: list[_Act] | None = None

    def __post_init__(self) -> None:
        self.contacts_of: Callable[[str], Iterable[Record]] = self._all_contacts_of

    @contextmanager
    def one_act(self) -> Iterator[None]:
        """What is ticked within is taken back by one undo."""
        self._together = []
        try:
            yield
        finally:
            parts, self._together = self._together, None
            if parts:
                self._remember(_joined(parts))

    def mark(
        self,
        kind: Kind,
        keys: Sequence[str],
        on: bool,
        *,
        side: Side = Side.CRM,
        firm: str | None = None,
        project: str | None = None,
        template: str | None = None,
    ) -> Marked:
        """Tick or untick records. An unknown key is a UsageError; what may not be ticked is refused
        with the reason, and the others go through."""
        if kind is Kind.EMPLOYEE:
            raise UsageError("employees have no tick: from Ajera 8.09 they all go to the CRM")
        if template is not None:
            self._check_template(template)
        changed: list[Mark] = []
        refused: list[tuple[str, str]] = []
        facts = remembered(self.store)
        for key in keys:  # one after the other: there may be thousands, and none is kept
            record = self._known(kind, side, key)
            reason = self._refusal(record, on, firm, project, changed)
            if reason:
                refused.append((record.key, reason))
            else:
                changed.append(self._mark_of(record, on, project, template, facts))
        self._keep(changed)
        return Marked(tuple(mark.key for mark in changed), tuple(refused))

    def _known(self, kind: Kind, side: Side, key: str) -> Record:
        record = self.store.record(kind, side, key)
        if record is None:
            raise UsageError(f"there is no {kind} with the key {key!r} in {side}")
        return record

    def _check_template(self, template: str) -> None:
        facts = remembered(self.store)
        if facts.known and template not in facts.crm_templates:
            raise UsageError(
                f"the CRM's list of Ajera Project Templates has no {template!r}; it has: {', '.join(facts.crm_templates)}"
            )
        reason = template_refusal(facts, self.policy, template) if facts.known else None
        if reason:
            raise UsageError(f"the template {template!r} cannot be used: {reason}")

    def _mark_of(self, record: Record, on: bool, project: str | None, template: str | None, facts: Facts) -> Mark:
        local = record.side is Side.AJERA or (facts.known and column_of(record.kind, project) not in facts.columns)
        old = self.store.marks().get(f"{record.kind}:{record.side}:{record.key}:{project or ''}")
        chosen = template or (old.template if old else None)
        return Mark(record.kind, record.side, record.key, on, project, chosen, local=local, at=iso(self.clock.now()))

    # -- refusals ----------------------------------------------------------------------------------

    def refused(self, record: Record, on: bool) -> bool:
        """Whether `mark` would refuse this tick of a hub's row."""
        return self._refusal(record, on, None, None, []) is not None

    def _refusal(
        self, record: Record, on: bool, firm: str | None, project: str | None, so_far: list[Mark]
    ) -> str | None:
        if not on:
            return None
        if record.why_not is not None:
            return record.why_not
        if record.kind is Kind.PROJECT:
            return self._closed(record)
        if record.kind is Kind.CONTACT and record.side is Side.CRM:
            return self._contact_refusal(record, firm, project, so_far)
        return None

    def _closed(self, record: Record) -> str | None:
        if self.policy.closed_projects == "follow":
            return None
        ajera = record
        if record.side is Side.CRM:
            link = self.store.link(Kind.PROJECT, Side.CRM, record.key)
            found = self.store.record(Kind.PROJECT, Side.AJERA, link.ajera_key) if is_alive(link) and link else None
            if found is None:
                return None
            ajera = found
        if ajera.fields.get("status") == "Closed":
            return 'it is closed in Ajera ([sync] closed_projects = "follow" keeps its money fields fresh)'
        return None

    def _contact_refusal(self, record: Record, firm: str | None, project: str | None, so_far: list[Mark]) -> str | None:
        if project is not None:
            return self._project_contact_refusal(record, project, so_far)
        own = record.fields.get("firm")
        own_key = own.key if isinstance(own, Ref) else None
        if firm is not None and own_key != firm:
            return f"it does not belong to firm {firm} but to {own_key or 'none'}"
        if own_key is None or self.policy.firm_cap is None:
            return None
        there = self.ticked_of_firm(own_key) | {
            mark.key for mark in so_far if mark.on and self._firm(mark.key) == own_key
        }
        return self._over_cap(record, there, self.policy.firm_cap, Kind.FIRM, own_key)

    def _firm(self, contact: str) -> str | None:
        record = self.store.record(Kind.CONTACT, Side.CRM, contact)
        firm = record.fields.get("firm") if record else None
        return firm.key if isinstance(firm, Ref) else None

    def _project_contact_refusal(self, record: Record, project: str, so_far: list[Mark]) -> str | None:
        owner = self._known(Kind.PROJECT, Side.CRM, project)
        if owner.contacts is not None and record.key not in {entry.key for entry in owner.contacts}:
            return f"it is not a contact of project {owner.label}"
        cap = self.policy.project_cap
        if cap is None:
            return None
        there = self.ticked_of_project(project) | {mark.key for mark in so_far if mark.on and mark.project == project}
        return self._over_cap(record, there, cap, Kind.PROJECT, project)

    def _over_cap(self, record: Record, there: set[str], cap: int, kind: Kind, owner: str) -> str | None:
        others = there - {record.key}
        if len(others) < cap:
            return None
        found = (self.store.record(Kind.CONTACT, Side.CRM, key) for key in others)
        names = sorted(contact.label for contact in found if contact is not None)
        named = self.store.record(kind, Side.CRM, owner)
        where = named.label if named is not None else owner
        return f"{where} has {len(others)} of {cap} ticked contacts: {'; '.join(names)}. Untick one of them first"

    def ticked_of_firm(self, firm: str) -> set[str]:
        """The contacts of a firm whose tick is on, ticks made here included."""
        marks = self.store.marks()
        found = self.contacts_of(firm)
        return {record.key for record in found if ticked(record, marks.get(f"contact:crm:{record.key}:"))}

    def _all_contacts_of(self, firm: str) -> Iterable[Record]:
        for record in self.store.scan(Kind.CONTACT, Side.CRM):
            if isinstance(of := record.fields.get("firm"), Ref) and of.key == firm:
                yield record

    def ticked_of_project(self, project: str) -> set[str]:
        record = self._known(Kind.PROJECT, Side.CRM, project)
        marks = self.store.marks()
        found = set()
        for entry in record.contacts or ():
            mark = marks.get(f"contact:crm:{entry.key}:{project}")
            if mark.on if mark is not None else entry.marked:
                found.add(entry.key)
        return found

    # -- keeping, undo, redo ---------------------------------------------------------------------------

    def _keep(self, marks: list[Mark]) -> None:
        if not marks:
            return
        kept = self.store.marks()
        act = _Act([kept.get(mark.id) or self._as_held(mark) for mark in marks], list(marks), [m.id for m in marks])
        self._write(act.after, act.ids)
        if self._together is not None:
            self._together.append(act)
        else:
            self._remember(act)

    def _remember(self, act: _Act) -> None:
        self._done = [*self._done[-MOST_UNDO:], act]
        self._undone.clear()

    def _write(self, marks: list[Mark | None], ids: list[str]) -> None:
        """Store these marks; a tick that says what the system holds already needs no mark, unless a run
        may just be writing the opposite to it."""
        running = any(not run.finished for run in self.store.runs(1))
        moved: set[tuple[Kind, Side, str]] = set()
        with self.store.transaction() as tx:
            for mark, mark_id in zip(marks, ids, strict=True):
                if mark is None or (says_nothing(self.store, mark) and not running):
                    if mark_id in self.store.marks():
                        tx.drop_mark(mark_id)
                else:
                    tx.put_mark(mark)
                kind, side, key, project = mark_id.split(":", 3)
                moved |= {(Kind(kind), Side(side), key), *([(Kind.PROJECT, Side.CRM, project)] if project else [])}
                if mark is not None and mark.on:
                    forget_undone(self.store, tx, mark)
            note_dirty(tx, moved)

    def undo(self) -> Marked:
        """The last tick act taken back. What a run pushed meanwhile is ticked back as a new change."""
        if not self._done:
            raise UsageError("there is no tick to undo")
        act = self._done.pop()
        self._write(act.before, act.ids)
        self._undone.append(act)
        return Marked(tuple(mark_id.split(":", 3)[2] for mark_id in act.ids))

    def _as_held(self, mark: Mark) -> Mark | None:
        """The tick as the system holds it now, so that taking back restores exactly that."""
        if mark.local:
            return None
        if mark.project is not None:
            owner = self.store.record(Kind.PROJECT, Side.CRM, mark.project)
            rows = owner.contacts or () if owner else ()
            return replace(mark, on=any(e.key == mark.key and e.marked for e in rows), template=None)
        record = self._known(mark.kind, mark.side, mark.key)
        return replace(mark, on=bool(record.marked), template=record.template)

    def redo(self) -> Marked:
        if not self._undone:
            raise UsageError("there is no tick to redo")
        act = self._undone.pop()
        self._write(act.after, act.ids)
        self._done.append(act)
        return Marked(tuple(mark_id.split(":", 3)[2] for mark_id in act.ids))

    def take_template(self, project: str, template: str) -> Marked:
        """Choose the Ajera Project Template of a project; its tick stays as it is."""
        self._check_template(template)
        record = self._known(Kind.PROJECT, Side.CRM, project)
        mark = self.store.marks().get(f"project:crm:{project}:")
        on = ticked(record, mark)
        self._keep([self._mark_of(record, on, None, template, remembered(self.store))])
        return Marked((project,))


def _joined(parts: Sequence[_Act]) -> _Act:
    """Several acts as one: each mark as it was before the first, and as it is after the last."""
    before: dict[str, Mark | None] = {}
    after: dict[str, Mark | None] = {}
    for part in parts:
        for mark_id, old, new in zip(part.ids, part.before, part.after, strict=True):
            before.setdefault(mark_id, old)
            after[mark_id] = new
    return _Act(list(before.values()), [after[mark_id] for mark_id in before], list(before))


def forget_undone(store: Store, tx: Transaction, mark: Mark) -> None:
    """A contact ticked again takes part again in the lists that an undo took it off (undo.py)."""
    if mark.kind is not Kind.CONTACT or mark.side is not Side.CRM:
        return
    partner = LinksByKey(store).partner(Kind.CONTACT, Side.CRM, mark.key)
    if partner is None:
        return
    record = store.record(Kind.CONTACT, Side.CRM, mark.key)
    firm = record.fields.get("firm") if record else None
    lists = [store.link(Kind.PROJECT, Side.CRM, mark.project)] if mark.project else []
    lists += [store.link(Kind.FIRM, Side.CRM, firm.key)] if isinstance(firm, Ref) else []
    name = f"{OURS}{partner}"
    for link in lists:
        if link is not None and (pair := store.base(link).get(name)) is not None and pair.note == UNDONE:
            tx.drop_base(link, [name])


def says_nothing(store: Store, mark: Mark) -> bool:
    """Whether the system that owns the tick holds it so already."""
    if mark.local:
        return False
    if mark.project is not None:
        owner = store.record(Kind.PROJECT, Side.CRM, mark.project)
        rows = owner.contacts or () if owner else ()
        return any(entry.key == mark.key and entry.marked == mark.on for entry in rows)
    record = store.record(mark.kind, mark.side, mark.key)
    if record is None or record.marked is None:
        return False
    return record.marked == mark.on and mark.template in (None, record.template)


def forget_moot_marks(store: Store) -> None:
    """Drop the ticks that the systems hold by now, as somebody made the same one there: kept, an old tick
    would win over what people do there later."""
    moot = [mark.id for mark in store.marks().values() if says_nothing(store, mark)]
    if moot:
        with store.transaction() as tx:
            for mark_id in moot:
                tx.drop_mark(mark_id)
