"""What the store learns from a write that landed: record, link, base and history in one transaction.

The base moves per write, not per record and not per run (sync-rules 7).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from core.engine.clock import iso
from core.engine.lookups import LinksByKey
from core.engine.pull import RecordId, gone_records, note_dirty, put_gone
from core.model.link import Base, Choice, Link, LinkState, Mark, Pair
from core.model.plan import Action, Op
from core.model.record import Record, names_of
from core.model.values import EntryEdit, Kind, Ref, Side, Value
from core.policy import Policy
from core.ports import Clock, HistoryEntry, Intent, Store, Transaction
from core.reconcile.entries import OURS, THEIRS, list_prefix
from core.reconcile.fields import settled_pair
from core.reconcile.linked import CLOSED, WAKE
from core.reconcile.merge import TYPED, UNDONE
from core.reconcile.normalize import blank

RESOLVED = "resolved"


@dataclass
class Landing:
    """Writes outcomes of one run into the store."""

    store: Store
    clock: Clock
    policy: Policy
    run: str
    moved: set[RecordId] = field(default_factory=set)  # changed since the plan saw them: planned again

    def now(self) -> str:
        return iso(self.clock.now())

    # -- creates ---------------------------------------------------------------------------------

    def following(self, action: Action, record: Record) -> Intent:
        """The journal entry of what follows a create. No plan holds it."""
        later = replace(action, op=Op.UPDATE, group="after_create").with_key(record.side, record.key)
        return Intent(later.id, self.run, later, self.now())

    def created(
        self,
        action: Action,
        record: Record,
        intent_id: str | None,
        *,
        adopted: bool = False,
        then: Intent | None = None,
    ) -> Link:
        """A record made by us (or found to have been made by us): link it, and agree on its fields. `then` is the
        journal entry of what follows, in the same transaction: a stop right after this one must not lose it."""
        ajera_key = record.key if record.side is Side.AJERA else action.ajera_key
        crm_key = record.key if record.side is Side.CRM else action.crm_key
        assert ajera_key is not None
        assert crm_key is not None
        reason = "found after a lost answer" if adopted else f"created in {record.side}: {action.reason}"
        link = Link(action.kind, ajera_key, crm_key, LinkState.ACTIVE, reason, self.now())
        with self.store.transaction() as tx:
            tx.put_records([record])
            tx.put_link(link)
            agreed = self._pairs(action, record)
            if adopted:  # what it holds otherwise by now may be a person's word: nothing is agreed on there
                agreed = {name: pair for name, pair in agreed.items() if not pair.note}
            tx.put_base(link, {**self._blank_pairs(action, record), **agreed})
            self._close(tx, action, intent_id)
            if then is not None:
                tx.put_intent(then)
            if record.side is Side.CRM and record.kind is not Kind.EMPLOYEE and not record.marked:
                # No column for the tick (or it was not taken): it is kept here, so that the record takes part.
                tx.put_mark(Mark(record.kind, Side.CRM, record.key, True, local=record.marked is None, at=self.now()))
            for decision in self.store.decisions().values():
                if decision.choice is Choice.CREATE and decision.key == action.key(record.side.other):
                    tx.drop_decision(decision.id)
            self._look_again(tx, link)
            tx.add_history([self._entry(replace(action, ajera_key=ajera_key, crm_key=crm_key), record)])
        return link

    def _look_again(self, tx: Transaction, link: Link) -> None:
        """A pair that is new is planned once more: what its creation left open, money and hours follow."""
        ids = [(link.kind, side, link.key(side)) for side in Side]
        self.moved.update(ids)
        note_dirty(tx, ids)

    # -- updates ---------------------------------------------------------------------------------

    def updated(self, action: Action, before: Record, after: Record, intent_id: str | None) -> None:
        link = LinksByKey(self.store).of(action.kind, after.side, after.key)
        known = self.store.record(after.kind, after.side, after.key)
        with self.store.transaction() as tx:
            tx.put_records([after])
            if (
                (known is not None and _moved_besides(action, known, after))
                or self._closes(link)
                or _names_others(known, after)
            ):
                self._look_again_at(tx, after)
            if action.group.startswith("marks"):
                self._mark_landed(tx, action)
            elif link is not None:
                if action.group == "contacts":
                    self._entries_landed(tx, link, action)
                else:
                    tx.put_base(link, self._pairs(action, after))
                if action.pairs:
                    self._undone(tx, link, action)
                self._drop_answers(tx, link, action)
            self._close(tx, action, intent_id)
            done = action.with_key(after.side, after.key)
            tx.add_history([self._entry(done, after, self._before(link, action), before)])

    def _closes(self, link: Link | None) -> bool:
        """Whether this may be the final update of a project closed in Ajera: the next plan finds out."""
        if link is None or link.kind is not Kind.PROJECT or link.state is not LinkState.ACTIVE:
            return False
        ajera = self.store.record(Kind.PROJECT, Side.AJERA, link.ajera_key)
        return ajera is not None and ajera.fields.get("status") == "Closed" and self.policy.closed_projects == "dormant"

    def read_again(self, record: Record) -> None:
        """A record that changed between plan and write, as it is now."""
        with self.store.transaction() as tx:
            tx.put_records([record])
            self._look_again_at(tx, record)

    def _look_again_at(self, tx: Transaction, record: Record) -> None:
        """What somebody else changed comes back with our own write, and no later pull shows it as a change."""
        self.moved.add(record.id)
        note_dirty(tx, [record.id])

    def _pairs(self, action: Action, held: Record) -> Base:
        pairs: dict[str, Pair] = {}
        for name, change in action.fields.items():
            spec = self.policy.spec(action.kind, name)
            if spec is None or name not in held.fields:
                continue
            source = action.source.get(name, change.to)
            pair = settled_pair(spec, held.side, _own(change.to, held), source, held.fields[name])
            if change.rule == "resolved: typed" and held.side is Side.AJERA and not pair.note:
                pair = pair._replace(note=TYPED)
            pairs[name] = pair
        return pairs

    def _blank_pairs(self, action: Action, made: Record) -> Base:
        """Fields that are blank on both sides are agreed on as well: a value typed later is a change,
        which the owner of the field decides, and no blank of a first link to be filled."""
        source = self.store.record(action.kind, made.side.other, action.key(made.side.other) or "")
        pairs: dict[str, Pair] = {}
        for spec in self.policy.active_fields(action.kind):
            if source is None or spec.name not in source.fields or spec.name not in made.fields:
                continue
            theirs, ours = source.fields[spec.name], made.fields[spec.name]
            if blank(spec, source.side, theirs) and blank(spec, made.side, ours):
                pairs[spec.name] = Pair(ours, theirs) if made.side is Side.AJERA else Pair(theirs, ours)
        return pairs

    def _mark_landed(self, tx: Transaction, action: Action) -> None:
        """The CRM holds the tick now; what was ticked here in the meantime stays to be pushed."""
        for mark in self.store.marks().values():
            of_record = (mark.project or mark.key) == action.crm_key
            if not of_record or mark.local or mark.side is not Side.CRM:
                continue
            name = f"mark:{mark.key}" if mark.project else "mark"
            change = action.fields.get(name)
            if change is not None and change.to != mark.on:
                continue
            if change is not None or "template" in action.fields:
                tx.drop_mark(mark.id)

    def _undone(self, tx: Transaction, link: Link, action: Action) -> None:
        """An undo put this back: its base is the one before, and it waits for a person (undo.py)."""
        fields = {
            name: pair
            for name, pair in action.pairs.items()
            if name in action.fields or name.startswith((OURS, THEIRS))
        }
        tx.put_base(link, fields)
        self._look_again(tx, link)

    def _entries_landed(self, tx: Transaction, link: Link, action: Action) -> None:
        edit = action.fields["contacts"].to
        assert isinstance(edit, EntryEdit)
        prefix = list_prefix(action.side or Side.AJERA)
        added = {f"{prefix}{key}": Pair("ours", "ours") for key in self.ajera_contacts(edit.add)}
        if added:
            tx.put_base(link, added)
        removed = [f"{prefix}{key}" for key in self.ajera_contacts(edit.remove)]
        if removed:
            tx.drop_base(link, removed)

    def ajera_contacts(self, refs: Iterable[Ref]) -> list[str]:
        links = LinksByKey(self.store)
        keys = [ref.key if ref.side is Side.AJERA else links.partner(Kind.CONTACT, Side.CRM, ref.key) for ref in refs]
        return [key for key in keys if key]

    def _drop_answers(self, tx: Transaction, link: Link, action: Action) -> None:
        for name, change in action.fields.items():
            decision = f"{link.kind}:crm:{link.crm_key}:{name}:"
            if change.rule.startswith(RESOLVED) and decision in self.store.decisions():
                tx.drop_decision(decision)

    # -- what writes to neither system -------------------------------------------------------------

    def linked(self, action: Action) -> None:
        assert action.ajera_key is not None
        assert action.crm_key is not None
        link = Link(action.kind, action.ajera_key, action.crm_key, LinkState.ACTIVE, action.reason, self.now())
        with self.store.transaction() as tx:
            old = LinksByKey(self.store).of(action.kind, Side.AJERA, action.ajera_key)
            if old is not None and old.crm_key == link.crm_key:
                tx.drop_link(old)
            tx.put_link(link)
            for decision in self.store.decisions().values():
                named = {decision.key, decision.partner}
                if decision.choice is Choice.LINK and named == {action.ajera_key, action.crm_key}:
                    tx.drop_decision(decision.id)
            self._look_again(tx, link)
            tx.add_history([self._entry(action, None)])

    def unlinked(self, action: Action) -> None:
        """The tombstone: the partner is never matched or created by itself again."""
        assert action.side is not None
        assert action.ajera_key is not None
        link = LinksByKey(self.store).of(action.kind, Side.AJERA, action.ajera_key)
        if link is None:
            return
        key = link.key(action.side)
        with self.store.transaction() as tx:
            tx.put_link(
                replace(link, state=LinkState.GONE, gone_side=action.side, reason=action.reason, since=self.now())
            )
            tx.drop_record(action.kind, action.side, key)
            put_gone(tx, gone_records(self.store) - {(action.kind, action.side, key)})
            tx.add_history([self._entry(action, None, self.store.base(link))])

    def rebased(self, action: Action) -> None:
        assert action.ajera_key is not None
        link = LinksByKey(self.store).of(action.kind, Side.AJERA, action.ajera_key)
        if link is None:
            return
        with self.store.transaction() as tx:
            if action.pairs:
                tx.put_base(link, action.pairs)
            if action.group in (CLOSED, UNDONE, WAKE):
                state = LinkState.ACTIVE if action.group == WAKE else LinkState.DORMANT
                reason = action.reason if action.group == WAKE else action.group
                tx.put_link(replace(link, state=state, reason=reason, since=self.now()))
                if state is LinkState.ACTIVE:  # the lists it belongs on
                    self._look_again(tx, link)
                tx.add_history([self._entry(action, None)])
            for name in action.pairs:
                decision = f"{link.kind}:crm:{link.crm_key}:{name}:"
                if decision in self.store.decisions():
                    tx.drop_decision(decision)

    # -- common ------------------------------------------------------------------------------------

    def _close(self, tx: Transaction, action: Action, intent_id: str | None) -> None:
        if intent_id is not None:
            tx.drop_intent(intent_id)
        written = {action.id, *(f"{action.id}.{name}" for name in action.fields)}
        for failure in written & self.store.failures().keys():
            tx.drop_failure(failure)

    def _before(self, link: Link | None, action: Action) -> Base:
        if link is None:
            return {}
        base = self.store.base(link)
        return {name: base[name] for name in action.fields if name in base}

    def _entry(
        self, action: Action, after: Record | None, bases: Base | None = None, before: Record | None = None
    ) -> HistoryEntry:
        fields: dict[str, tuple[Value, Value, str]] = {}
        lost: dict[str, Value] = {}
        for name, change in action.fields.items():
            was = before.fields.get(name, change.frm) if before is not None else change.frm
            held = after.fields.get(name, change.to) if after is not None else change.to
            fields[name] = (was, held, change.rule)
            if change.rule.startswith("both changed") or "policy" in change.rule:
                lost[name] = was
        return HistoryEntry(
            id=uuid.uuid4().hex,
            run=self.run,
            at=self.now(),
            op=action.op.value,
            kind=action.kind,
            side=action.side,
            ajera_key=action.ajera_key,
            crm_key=action.crm_key,
            label=action.label,
            fields=fields,
            lost=lost,
            bases=dict(bases or {}),
            message=action.reason,
        )

    def note(self, action: Action, outcome: str, message: str) -> None:
        """A failed or skipped action in the history, so that the run explains itself."""
        entry = replace(self._entry(action, None), outcome=outcome, message=message)
        with self.store.transaction() as tx:
            tx.add_history([entry])


def _moved_besides(action: Action, known: Record, after: Record) -> bool:
    """Whether a record read back differs from what was known of it in more than what was written."""
    both = (known.fields.keys() & after.fields.keys()) - action.fields.keys()
    if any(known.fields[name] != after.fields[name] for name in both):
        return True
    lists = ((known.contacts, after.contacts), (known.team, after.team))
    if action.group not in ("contacts", "team") and any(a is not None and b not in (None, a) for a, b in lists):
        return True
    ticks = ((known.marked, after.marked), (known.template, after.template))
    return not action.group.startswith("marks") and any(one != other for one, other in ticks)


def _names_others(known: Record | None, after: Record) -> bool:
    """Whether a project of the CRM names another client or contact by now: its tick brings them along."""
    ours = known is not None and (after.kind, after.side) == (Kind.PROJECT, Side.CRM)
    return ours and known is not None and names_of(known) != names_of(after)


def _own(value: Value, held: Record) -> Value:
    """A reference as the written side holds it; other values as they are."""
    if isinstance(value, Ref) and value.side is not held.side:
        found = next((v for v in held.fields.values() if isinstance(v, Ref) and v.kind is value.kind), None)
        return found or value
    return value
