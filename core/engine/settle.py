"""Intents without an outcome: what landed is found out before anything else (sync-rules 7).

Neither system has an idempotency key. After a lost answer or a stop only a *new, unlinked* record
that equals the intent is adopted; with none, the action is planned anew; several are candidates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, assert_never

from core.engine.landing import Landing
from core.engine.lookups import LinksByKey
from core.errors import ActionRefused
from core.model.link import LinkState
from core.model.plan import Action, Op
from core.model.record import Record
from core.model.values import EntryEdit, Kind, Ref, Side
from core.policy import Policy
from core.ports import Draft, Intent, Store, System
from core.reconcile.backoff import waits
from core.reconcile.normalize import canonical

Told = Callable[[Intent, str], None]


class Finish(Protocol):
    """Applier.finish."""

    async def __call__(self, intent: Intent, draft: Draft, record: Record, *, careful: bool) -> Record | None: ...


@dataclass
class Settler:
    """Settles every open intent of earlier runs. Raises SystemFailure where a system cannot be asked:
    then nothing is planned, for nothing is known. Without `finish` nothing is sent: what follows a create waits for a run."""

    systems: Mapping[Side, System]
    store: Store
    policy: Policy
    landing: Landing
    draft: Callable[[Action], Draft]
    finish: Finish | None
    told: Told

    async def settle(self) -> None:
        at_hand = self.landing.run
        for intent in self.store.intents():
            self.landing = replace(self.landing, run=at_hand or intent.run)
            match intent.action.op:
                case Op.CREATE:
                    await self._create(intent)
                case Op.UPDATE:
                    await self._update(intent)
                case Op.LINK | Op.UNLINK | Op.REBASE:
                    self._drop(intent, "wrote to neither system")
                case _ as never:
                    assert_never(never)

    # -- creates -----------------------------------------------------------------------------------

    async def _create(self, intent: Intent) -> None:
        action = intent.action
        side = action.side
        assert side is not None
        source = action.key(side.other) or ""
        if LinksByKey(self.store).of(action.kind, side.other, source) is not None:
            self._drop(intent, "it was linked before the stop")
            return
        try:
            draft = self.draft(action)
        except ActionRefused:
            return  # a record it names is not linked any more: it stays, and nothing is created for it
        there = await self.systems[side].namesakes(draft)
        new = [record for record in there if self._is_new(intent, record)]
        same = [record for record in new if record.key == intent.draft_key or self._equals(action, record)]
        if len(same) == 1:
            later = self.landing.following(action, same[0]) if hasattr(self.systems[side], "after_create") else None
            self.landing.created(action, same[0], intent.id, adopted=True, then=later)
            self.told(intent, f"found as {side} {same[0].key} and linked")
            if later is not None and self.finish is not None:
                await self.finish(later, draft, same[0], careful=True)
            return
        with self.store.transaction() as tx:
            tx.put_records(new)  # those that do not equal it are candidates of the coming plan
        self._drop(intent, "nothing had landed" if not new else f"{len(new)} records of that name: candidates now")

    def _is_new(self, intent: Intent, record: Record) -> bool:
        linked = LinksByKey(self.store).of(record.kind, record.side, record.key) is not None
        return not linked and (record.key not in intent.namesakes or record.key == intent.draft_key)

    def _equals(self, action: Action, record: Record) -> bool:
        for name, change in action.fields.items():
            spec = self.policy.spec(action.kind, name)
            if spec is None or name not in record.fields or isinstance(change.to, Ref):
                continue
            if canonical(spec, record.side, record.fields[name]) != canonical(spec, record.side, change.to):
                return False
        return True

    # -- updates -----------------------------------------------------------------------------------

    async def _update(self, intent: Intent) -> None:
        """The target is read: as meant, it landed; as before, it did not; anything else was typed by a
        person since, and the intent stays until the sides agree (no rule decides for them)."""
        action = intent.action
        side = action.side
        assert side is not None
        key = action.key(side) or LinksByKey(self.store).partner(action.kind, side.other, action.key(side.other) or "")
        found = await self.systems[side].get(action.kind, [key]) if key else {}
        record = found.get(key or "")
        if record is None:
            self._drop(intent, "sent again if it is still due")
        elif action.group == "after_create":
            await self._after_create(intent, record)
        elif action.group.startswith("marks"):
            self._drop(intent, "compared with the tick again")
        elif isinstance(change := next(iter(action.fields.values())).to, EntryEdit):
            self._entries(intent, record, change)
        elif self._equals(action, record):
            self.landing.updated(action, record, record, intent.id)
            self.told(intent, "it had landed")
        elif self._as_before(action, record):
            self._drop(intent, "nothing had landed")
        elif self._agreed(action):
            self._drop(intent, "the sides agree by now")

    async def _after_create(self, intent: Intent, record: Record) -> None:
        """Sent again only while nobody touched the new record: its stamp moved if it landed, or a person edited it."""
        known = self.store.record(record.kind, record.side, record.key)
        if known is None or known.stamp != record.stamp:
            self._drop(intent, "it landed, or somebody edited the record since")
            return
        failure = self.store.failures().get(intent.id)
        waiting = failure is not None and waits(failure, intent.action, self.landing.now())
        if self.finish is not None and not waiting:
            await self.finish(intent, self.draft(intent.action), record, careful=True)

    def _entries(self, intent: Intent, record: Record, edit: EntryEdit) -> None:
        there = {entry.key for entry in record.contacts or ()}
        added, removed = (self._own_keys(record.side, refs) for refs in (edit.add, edit.remove))
        if all(key in there for key in added) and not any(key in there for key in removed):
            self.landing.updated(intent.action, record, record, intent.id)
            self.told(intent, "it had landed")
        else:
            self._drop(intent, "sent again if it is still due")

    def _own_keys(self, side: Side, refs: Iterable[Ref]) -> Sequence[str | None]:
        """The contacts of an edit by `side`'s keys."""
        keys: Sequence[str | None] = self.landing.ajera_contacts(refs)
        if side is Side.AJERA:
            return keys
        return [LinksByKey(self.store).partner(Kind.CONTACT, Side.AJERA, key) for key in keys if key]

    def _as_before(self, action: Action, record: Record) -> bool:
        return all(
            canonical(spec, record.side, record.fields[name]) == canonical(spec, record.side, change.frm)
            for name, change in action.fields.items()
            if (spec := self.policy.spec(action.kind, name)) is not None and name in record.fields
        )

    def _agreed(self, action: Action) -> bool:
        """Whether every field of the intent has a base that both sides stand at, or there are no two sides any more."""
        link = LinksByKey(self.store).of(action.kind, Side.AJERA, action.ajera_key or "")
        if link is None or link.state is LinkState.GONE:
            return True
        base = self.store.base(link)
        for name in action.fields:
            spec = self.policy.spec(action.kind, name)
            pair = base.get(name)
            for side in Side:
                record = self.store.record(action.kind, side, link.key(side))
                if spec is None or record is None or name not in record.fields:
                    continue
                if pair is None or canonical(spec, side, record.fields[name]) != canonical(spec, side, pair.half(side)):
                    return False
        return True

    def _drop(self, intent: Intent, what: str) -> None:
        with self.store.transaction() as tx:
            tx.drop_intent(intent.id)
            if intent.id in self.store.failures():
                tx.drop_failure(intent.id)
        self.told(intent, what)
