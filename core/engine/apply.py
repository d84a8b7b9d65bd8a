"""Carrying out a plan, action by action (sync-rules 7).

Intent into the journal → read the record and compare with what the plan saw → write → read back →
keys, stamps and the new base in one transaction → outcome. One failing record never stops the
others; cancelling takes effect between actions.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby

from core.engine.clock import iso
from core.engine.landing import Landing
from core.engine.lookups import LinksByKey
from core.engine.offloop import OffLoop, at_once
from core.engine.pull import carried_over
from core.errors import (
    ActionRefused,
    LoginRefused,
    NothingToChange,
    OutcomeUnknown,
    RecordMissing,
    RecordRefused,
    Stale,
    SystemFailure,
    Unreachable,
)
from core.model.plan import Action, Mode, Op, Plan
from core.model.record import Record
from core.model.values import EntryEdit, Kind, Ref, Side, TeamEdit, Value
from core.policy import Policy
from core.ports import UNFINISHED, Clock, Draft, Failure, Intent, Store, System
from core.reconcile.accounting import with_budget
from core.reconcile.backoff import content_of, next_try
from core.reconcile.normalize import canonical

MOST_CONNECTION_FAILURES = 20


@dataclass
class Outcome:
    """What applying a plan came to."""

    done: Counter[str] = field(default_factory=Counter)
    failed: int = 0
    skipped: int = 0
    cancelled: bool = False

    def add(self, later: Outcome) -> None:
        """Count a later round of the same run in."""
        self.done += later.done
        self.failed += later.failed
        self.skipped += later.skipped
        self.cancelled = self.cancelled or later.cancelled


ChosenKey = Callable[[Kind, str], str | None]
Told = Callable[[Action, str, str], None]


@dataclass
class Applier:
    """Applies one plan in one run.

    `replan` plans one linked record again after it was read afresh and returns its actions.
    `chosen_key` gives the key a client may choose for a record made from an Ajera one.
    `told` hears of each action: (action, "done" | "failed" | "skipped", message).
    `off_loop` is where commits go: each is awaited, so that an intent is kept before anything is sent, and what landed
    before anything else happens to that record.
    """

    systems: Mapping[Side, System]
    store: Store
    clock: Clock
    policy: Policy
    mode: Mode
    run: str
    replan: Callable[[Action], list[Action]]
    chosen_key: ChosenKey
    told: Told
    cancelled: Callable[[], bool]
    width: int = 12
    off_loop: OffLoop = at_once

    def __post_init__(self) -> None:
        self.landing = Landing(self.store, self.clock, self.policy, self.run)
        self.outcome = Outcome()
        self._unreachable = 0
        self._failed_records: set[tuple[Kind, str]] = set()
        self._remarks: dict[str, str] = {}  # by action: what a record went without, for the log
        self._fatal: SystemFailure | None = None

    async def apply(self, plan: Plan) -> Outcome:
        """Everything of `plan`, in order; records of one step side by side. Raises LoginRefused or
        Unreachable where going on makes no sense; what was done is in the store by then."""
        for _, wave in groupby(plan.actions, key=lambda action: action.order[:3]):
            await self._wave(list(wave))
            if self._fatal is not None:
                raise self._fatal
            if self.outcome.cancelled:
                break
        return self.outcome

    async def _wave(self, actions: list[Action]) -> None:
        """Actions of one step; those of one record stay in their order."""
        by_record: dict[tuple[Kind, str], list[Action]] = {}
        for action in actions:
            by_record.setdefault(_record_of(action), []).append(action)
        queue = iter(by_record.values())

        async def work() -> None:
            for group in queue:
                for action in group:
                    if self._stop():
                        return
                    await self._one(action)

        if self.width == 1:
            await work()
        else:
            await asyncio.gather(*(work() for _ in range(min(self.width, len(by_record)))))

    def _stop(self) -> bool:
        if self.cancelled():
            self.outcome.cancelled = True
        return self.outcome.cancelled or self._fatal is not None

    async def _one(self, action: Action) -> None:
        if _record_of(action) in self._failed_records and action.op is Op.UPDATE and _needs_the_first(action):
            await self._skipped(action, "an earlier step of this record failed")
            return
        try:
            await self._do(action)
        except LoginRefused as error:
            self._fatal = error
        except ActionRefused as refusal:
            await self._skipped(action, str(refusal))
        except SystemFailure as error:
            await self._failed(action, error)
        else:
            self._unreachable = 0
            self.outcome.done[action.op.value] += 1
            self.told(action, "done", self._remarks.pop(action.id, ""))

    async def _do(self, action: Action) -> None:
        if self.mode.one_way and action.side is Side.CRM and not _may_write_one_way(action):
            raise ActionRefused("the sync is one-way: nothing but ticks is written to the CRM")
        match action.op:
            case Op.LINK:
                await self.off_loop(self.landing.linked, action)
            case Op.UNLINK:
                await self.off_loop(self.landing.unlinked, action)
            case Op.REBASE:
                await self.off_loop(self.landing.rebased, action)
            case Op.CREATE:
                await self._create(action)
            case Op.UPDATE:
                await self._update(action)

    # -- create ------------------------------------------------------------------------------------

    async def _create(self, action: Action) -> None:
        side = action.side
        assert side is not None
        if LinksByKey(self.store).of(action.kind, side.other, action.key(side.other) or "") is not None:
            raise ActionRefused("it is linked already")
        system, draft = self.systems[side], self.draft(action)
        there = await system.namesakes(draft)
        await self.off_loop(self._refuse_new_namesakes, action, there)
        intent = Intent(action.id, self.run, action, iso(self.clock.now()), tuple(r.key for r in there), draft.key)
        await self.off_loop(self._put_intent, intent)
        try:
            record = await system.create(draft)
        except OutcomeUnknown:
            raise  # the intent stays: the next run finds out what landed before anything else
        except SystemFailure:
            await self.off_loop(self._drop_intent, intent)
            raise
        later = self.landing.following(action, record) if hasattr(system, "after_create") else None
        await self.off_loop(self._created, action, record, intent, later)
        self._remark(action, record)
        if later is not None:  # what the create call ignores is sent after it, with a journal entry of its own
            after = await self.finish(later, draft, record)
            self._remark(action, after or record)

    def _created(self, action: Action, record: Record, intent: Intent, later: Intent | None) -> None:
        self.landing.created(action, self._as_stored(record), intent.id, then=later)

    def _put_intent(self, intent: Intent) -> None:
        with self.store.transaction() as tx:
            tx.put_intent(intent)

    def _drop_intent(self, intent: Intent) -> None:
        with self.store.transaction() as tx:
            tx.drop_intent(intent.id)

    def _remark(self, action: Action, record: Record) -> None:
        if (words := record.extra.get(UNFINISHED, "")) not in self._remarks.get(action.id, ""):
            said = self._remarks.get(action.id)
            self._remarks[action.id] = f"{said}; {words}" if said else words

    def draft(self, action: Action) -> Draft:
        side = action.side
        assert side is not None
        source = action.key(side.other) or ""
        return Draft(
            kind=action.kind,
            side=side,
            label=action.label,
            fields={name: self._resolved(change.to, side) for name, change in action.fields.items()},
            number=action.number,
            template=action.template,
            key=self.chosen_key(action.kind, source) if side is Side.CRM else None,
            source=(side.other, source),
        )

    def _refuse_new_namesakes(self, action: Action, there: list[Record]) -> None:
        """A record of that name that the plan did not know is a candidate, not an adoption."""
        side = action.side or Side.AJERA
        new = [record for record in there if self.store.record(action.kind, side, record.key) is None]
        if new:
            with self.store.transaction() as tx:
                tx.put_records(new)
            raise ActionRefused("a record of that name or number appeared meanwhile: it is a candidate now")

    async def finish(self, intent: Intent, draft: Draft, record: Record, *, careful: bool = False) -> Record | None:
        """What follows a create; the record after it. No plan holds it: where it fails, the intent stays for the next
        run's settling.

        `careful`: some time went by since, and only what is empty yet is filled.
        """
        finish: Callable[..., Awaitable[Record | None]] = self.systems[record.side].after_create  # type: ignore[attr-defined] # Ajera's only, asked for before
        try:
            after = await finish(record, draft, careful=careful)
        except SystemFailure as error:
            await self._failed(intent.action, error)
            return None
        await self.off_loop(self._finished, intent, after)
        return after

    def _finished(self, intent: Intent, after: Record | None) -> None:
        with self.store.transaction() as tx:
            tx.drop_intent(intent.id)
            if intent.id in self.store.failures():
                tx.drop_failure(intent.id)
            if after is not None:
                tx.put_records([self._as_stored(after)])

    # -- update ------------------------------------------------------------------------------------

    async def _update(self, action: Action, *, again: bool = False) -> None:
        side, key = action.side, self._key_of(action)
        assert side is not None
        fresh = await self._fresh(action.kind, side, key)
        if self._moved_since(action, fresh):
            await self._merge_again(action, fresh, again)
            return
        changes = self._changes(action, side, fresh)
        if not changes:  # somebody put it right meanwhile
            await self.off_loop(self.landing.updated, action, fresh, fresh, None)
            return
        await self._write(action, fresh, changes, again)

    async def _write(self, action: Action, fresh: Record, changes: Mapping[str, Value], again: bool) -> None:
        intent = Intent(action.id, self.run, action, iso(self.clock.now()))
        await self.off_loop(self._put_intent, intent)
        try:
            after = await self.systems[fresh.side].update(fresh, changes)
        except OutcomeUnknown:
            raise
        except SystemFailure as error:
            await self.off_loop(self._drop_intent, intent)
            await self._after_refusal(action, fresh, error, again)
            return
        await self.off_loop(self._updated, action, fresh, after, intent)

    def _updated(self, action: Action, before: Record, after: Record, intent: Intent) -> None:
        self.landing.updated(action, before, self._as_stored(after), intent.id)

    async def _after_refusal(self, action: Action, fresh: Record, error: SystemFailure, again: bool) -> None:
        if isinstance(error, NothingToChange):
            await self.off_loop(self.landing.updated, action, fresh, fresh, None)
        elif isinstance(error, Stale) and not again:
            now = await self._fresh(action.kind, fresh.side, fresh.key)
            if now.stamp == fresh.stamp and now.fields == fresh.fields:
                raise error  # not stale: a refusal like any other
            await self._merge_again(action, now, again)
        elif isinstance(error, RecordRefused) and not again:
            await self._without_the_refused(action, error)
        else:
            raise error

    async def _without_the_refused(self, action: Action, error: RecordRefused) -> None:
        """A refusal that names a field drops that field and sends the rest once."""
        named = self._named_fields(action, error)
        rest = {name: change for name, change in action.fields.items() if name not in named}
        if not named or not rest:
            raise error
        for name in sorted(named):
            only = replace(action, fields={name: action.fields[name]})
            await self._failed(only, error, suffix=f".{name}")
        await self._update(replace(action, fields=rest), again=True)

    def _named_fields(self, action: Action, error: RecordRefused) -> set[str]:
        columns = {column.casefold() for column in error.columns}
        found = set()
        for name in action.fields:
            spec = self.policy.spec(action.kind, name)
            if spec is not None and {spec.crm.casefold(), spec.ajera.casefold(), spec.name.casefold()} & columns:
                found.add(name)
        return found

    async def _merge_again(self, action: Action, fresh: Record, again: bool) -> None:
        """The record changed since the plan: read again, merge again, try once more."""
        await self.off_loop(self.landing.read_again, fresh)
        if again:
            raise ActionRefused("it keeps changing: left for the next run")
        for later in await self.off_loop(self.replan, action):
            if (later.op, later.side, later.group) == (action.op, action.side, action.group):
                await self._update(later, again=True)
                return
        raise ActionRefused("it changed meanwhile: merged again, nothing left to write")

    async def _fresh(self, kind: Kind, side: Side, key: str) -> Record:
        found = await self.systems[side].get(kind, [key])
        if key not in found:
            raise RecordMissing(side, f"{kind} {key} is not there any more")
        return self._as_stored(found[key])

    def _as_stored(self, record: Record) -> Record:
        """A record just read, with what only other calls read (totals, budget, lists)."""
        known = self.store.record(record.kind, record.side, record.key)
        record = with_budget(record, self.policy)
        return carried_over(known, record) if known is not None else record

    def _moved_since(self, action: Action, fresh: Record) -> bool:
        if "mark" not in action.fields and self._was_unticked(fresh):
            return True
        for name, change in action.fields.items():
            spec = self.policy.spec(action.kind, name)
            if spec is None or name not in fresh.fields or spec.type.value == "entries":
                continue
            now = canonical(spec, fresh.side, fresh.fields[name])
            meant = canonical(spec, fresh.side, self._resolved(change.to, fresh.side))
            if now not in (canonical(spec, fresh.side, change.frm), meant):
                return True
        return False

    def _was_unticked(self, fresh: Record) -> bool:
        """A tick taken off in the CRM after its list was read, or hidden by a list that lacked the record: what the
        plan meant for a record that takes part is not written to one that does not (V13)."""
        known = self.store.record(fresh.kind, fresh.side, fresh.key)
        return fresh.side is Side.CRM and known is not None and known.marked is True and fresh.marked is False

    def _changes(self, action: Action, side: Side, fresh: Record) -> dict[str, Value]:
        """The values still to be written, references as `side`'s own keys."""
        changes: dict[str, Value] = {}
        for name, change in action.fields.items():
            value = self._resolved(change.to, side)
            spec = self.policy.spec(action.kind, name)
            if name == "mark" and fresh.marked == value:
                continue
            held = canonical(spec, side, fresh.fields[name]) if spec and name in fresh.fields else ()
            if spec is not None and held == canonical(spec, side, value):
                continue
            if isinstance(value, EntryEdit):
                value = _still_due(value, fresh)
                if not value.add and not value.remove:
                    continue
            changes[name] = value
        return changes

    # -- references --------------------------------------------------------------------------------

    def _key_of(self, action: Action) -> str:
        assert action.side is not None
        key = action.key(action.side)
        if key is None:
            other = action.key(action.side.other) or ""
            key = LinksByKey(self.store).partner(action.kind, action.side.other, other)
        if key is None:
            raise ActionRefused(f"{action.label} is not in {action.side} (its creation failed or waits)")
        return key

    def _resolved(self, value: Value, side: Side) -> Value:
        if isinstance(value, Ref):
            return self._ref(value, side)
        if isinstance(value, EntryEdit):
            known = value.only(lambda ref: self._known(ref, side), lambda ref: self._known(ref, side))
            return replace(
                known,
                add=tuple(self._ref(ref, side) for ref in known.add),
                remove=tuple(self._ref(ref, side) for ref in known.remove),
            )
        if isinstance(value, TeamEdit):
            return replace(value, employee=self._ref(value.employee, side))
        return value

    def _known(self, ref: Ref, side: Side) -> bool:
        return ref.side is side or LinksByKey(self.store).partner(ref.kind, ref.side, ref.key) is not None

    def _ref(self, ref: Ref, side: Side) -> Ref:
        if ref.side is side:
            return ref
        key = LinksByKey(self.store).partner(ref.kind, ref.side, ref.key)
        if key is None:
            raise ActionRefused(f"waits for {ref.kind} {ref.key}, which is not in {side} yet")
        return Ref(ref.kind, side, key)

    # -- failures ----------------------------------------------------------------------------------

    async def _skipped(self, action: Action, reason: str) -> None:
        self.outcome.skipped += 1
        self._failed_records.add(_record_of(action))
        await self.off_loop(self.landing.note, action, "skipped", reason)
        self.told(action, "skipped", reason)

    async def _failed(self, action: Action, error: SystemFailure, suffix: str = "") -> None:
        self.outcome.failed += 1
        self._failed_records.add(_record_of(action))
        if isinstance(error, Unreachable):
            self._unreachable += 1
            if self._unreachable >= MOST_CONNECTION_FAILURES:
                self._fatal = error
        await self.off_loop(self._keep_failure, action, error, suffix)
        await self.off_loop(self.landing.note, action, "failed", str(error))
        self.told(action, "failed", str(error))

    def _keep_failure(self, action: Action, error: SystemFailure, suffix: str) -> None:
        now = self.clock.now()
        failure_id = action.id + suffix
        old = self.store.failures().get(failure_id)
        tries = (old.tries if old is not None and old.content == content_of(action) else 0) + 1
        due = None if isinstance(error, RecordRefused) and not isinstance(error, Stale) else next_try(tries, now)
        side = action.side or Side.AJERA
        at = side.other if action.op is Op.CREATE else side
        failure = Failure(
            id=failure_id,
            kind=action.kind,
            side=at,
            key=action.key(at) or action.key(at.other) or "",
            label=action.label,
            op=action.op.value,
            group=action.group,
            message=str(error),
            tries=tries,
            next_try=iso(due) if due else None,
            content=content_of(action),
            at=iso(now),
        )
        with self.store.transaction() as tx:
            tx.put_failure(failure)


def _needs_the_first(action: Action) -> bool:
    """Whether an update makes no sense after an earlier step of its record failed: a typed answer goes to Ajera
    first, and the CRM alone would look like an edit that Ajera then takes back."""
    return action.group == "identity" or any(change.rule == "resolved: typed" for change in action.fields.values())


def _record_of(action: Action) -> tuple[Kind, str]:
    return (action.kind, action.crm_key or f"ajera:{action.ajera_key}")


def _may_write_one_way(action: Action) -> bool:
    return action.op in (Op.LINK, Op.UNLINK, Op.REBASE) or action.group.startswith("marks")


def _still_due(edit: EntryEdit, fresh: Record) -> EntryEdit:
    there = {entry.key for entry in fresh.contacts or ()}
    return edit.only(lambda ref: ref.key not in there, lambda ref: ref.key in there)
