"""The bugs themselves: each a name, what it breaks, and what is put in the place of what.

The first eighteen are those of the prototype of this oracle; the others are mistakes this program could have made.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from core.ajera.system import AjeraSystem
from core.engine import apply, look, pull, run, ticking
from core.engine.apply import Applier
from core.engine.landing import Landing
from core.engine.pull import Puller
from core.engine.run import Runner
from core.engine.settle import Settler
from core.errors import RecordMissing, SystemFailure
from core.http import Http
from core.model.link import Links, LinkState, Pair
from core.model.plan import Op
from core.model.values import Kind, Side
from core.reconcile import backoff, fields, guard, linked, match, merge, normalize, ticks, unlinked
from core.reconcile.situation import Situation, email_key
from core.store.transaction import TinyTransaction

Patch = tuple[Any, str, Any]


@dataclass(frozen=True)
class Bug:
    """`patches` are made anew for each hunt: (where, name, what instead)."""

    name: str
    breaks: str
    patches: Callable[[], list[Patch]]
    harmless: str = ""


def everywhere(function: Any, instead: Any) -> list[Patch]:
    """In every module of the program that holds this very function: it may have been imported by name."""
    name = function.__name__
    held = [module for path, module in sorted(sys.modules.items()) if path.startswith("core.")]
    return [(module, name, instead) for module in held if vars(module).get(name) is function]


# -- intents and creates -------------------------------------------------------------------------------


def _without_intent() -> list[Patch]:
    kept = TinyTransaction.put_intent

    def put(self: Any, intent: Any) -> None:
        if intent.action.op is not Op.CREATE:
            kept(self, intent)

    return [(TinyTransaction, "put_intent", put)]


def _intent_after() -> list[Patch]:
    """Kept back until the answer of the create is there."""
    put, created = TinyTransaction.put_intent, Landing.created
    waiting: list[Any] = []

    def later(self: Any, intent: Any) -> None:
        if intent.action.op is Op.CREATE:
            waiting.append(intent)
        else:
            put(self, intent)

    def now(self: Any, *args: Any, **named: Any) -> Any:
        with self.store.transaction() as tx:
            for intent in waiting:
                put(tx, intent)
        waiting.clear()
        return created(self, *args, **named)

    return [(TinyTransaction, "put_intent", later), (Landing, "created", now)]


def _blind_retry() -> list[Patch]:
    kept = Http.send

    async def send(self: Any, request: Any) -> Any:
        return await kept(self, replace(request, reading=True))

    return [(Http, "send", send)]


def _settle_nothing() -> list[Patch]:
    async def settle_(self: Any) -> None:
        for intent in self.store.intents():
            self._drop(intent, "forgotten")

    return [(Settler, "settle", settle_)]


# -- the base --------------------------------------------------------------------------------------------


def _base_before() -> list[Patch]:
    kept = Applier._write

    async def write(self: Any, action: Any, fresh: Any, changes: Any, again: bool) -> None:
        link = self.store.links().of(action.kind, fresh.side, fresh.key)
        if link is not None and not action.group.startswith("marks") and action.group != "contacts":
            as_meant = replace(fresh, fields={**fresh.fields, **changes})
            with self.store.transaction() as tx:
                tx.put_base(link, self.landing._pairs(action, as_meant))
        await kept(self, action, fresh, changes, again)

    return [(Applier, "_write", write)]


def _base_at_end() -> list[Patch]:
    put, finish = TinyTransaction.put_base, Runner._finish
    waiting: list[tuple[Any, Any]] = []

    def later(self: Any, link: Any, base: Any) -> None:
        waiting.append((link, base))

    def flush(self: Any, *args: Any, **named: Any) -> Any:
        with self.store.transaction() as tx:
            for link, base in waiting:
                put(tx, link, base)
        waiting.clear()
        return finish(self, *args, **named)

    return [(TinyTransaction, "put_base", later), (Runner, "_finish", flush)]


def _base_per_record() -> list[Patch]:
    """The base of a record moves only when all of its writes went well."""
    put, wave, failed = TinyTransaction.put_base, Applier._wave, Applier._failed
    waiting: list[tuple[Any, Any]] = []
    bad: list[bool] = []

    def later(self: Any, link: Any, base: Any) -> None:
        waiting.append((link, base))

    async def one_by_one(self: Any, actions: list[Any]) -> None:
        groups: dict[Any, list[Any]] = {}
        for action in actions:
            groups.setdefault(apply._record_of(action), []).append(action)
        for group in groups.values():
            bad.clear()
            await wave(self, group)
            with self.store.transaction() as tx:
                for link, base in waiting if not bad else []:
                    put(tx, link, base)
            waiting.clear()

    async def noted(self: Any, *args: Any, **named: Any) -> None:
        bad.append(True)
        await failed(self, *args, **named)

    return [
        (TinyTransaction, "put_base", later),
        (Applier, "_wave", one_by_one),
        (Applier, "_failed", noted),
    ]


def _base_whole_record() -> list[Patch]:
    kept = Landing._pairs

    def pairs(self: Any, action: Any, held: Any) -> Any:
        found = dict(kept(self, action, held))
        link = self.store.links().of(action.kind, held.side, held.key)
        other = self.store.record(action.kind, held.side.other, link.key(held.side.other)) if link else None
        for name, value in held.fields.items() if other else ():
            if name not in found and name in other.fields:
                two = (value, other.fields[name])
                found[name] = Pair(*(two if held.side is Side.AJERA else reversed(two)))
        return found

    return [(Landing, "_pairs", pairs)]


def _one_sided_base() -> list[Patch]:
    """What was sent is taken for what the other side holds."""

    def pair(spec: Any, side: Side, meant: Any, source: Any, held: Any) -> Pair:
        return Pair(meant, meant)

    return everywhere(fields.settled_pair, pair)


# -- conflicts ---------------------------------------------------------------------------------------------


def _silent_winner() -> list[Patch]:
    return [(merge, "_both_moved", lambda case: merge._write(case, Side.AJERA, "crm changed it"))]


def _conflict_dropped() -> list[Patch]:
    return [(merge, "_both_moved", lambda case: merge.Rebase())]


def _no_canonical_form() -> list[Patch]:
    return [(normalize, "_canonical_text", lambda spec, side, value: value or None)]


def _undone_is_written() -> list[Patch]:
    return [(merge, "UNDONE", "never noted")]


def _blank_overwrites() -> list[Patch]:
    return [(merge, "_fill", lambda case, side: merge._write(case, side.other, "first link"))]


def _zero_overwrites() -> list[Patch]:
    return [(merge, "_nothing_to_restore", lambda case: False)]


def _undo_forgets_the_base() -> list[Patch]:
    return [(Landing, "_undone", lambda *_: None)]


# -- reading before writing ------------------------------------------------------------------------------


def _no_version_check() -> list[Patch]:
    async def known(self: Any, kind: Kind, side: Side, key: str) -> Any:
        found = self.store.record(kind, side, key)
        if found is None:
            raise RecordMissing(side, "unknown")
        return found

    return [(Applier, "_moved_since", lambda self, action, fresh: False), (Applier, "_fresh", known)]


def _lists_trusted() -> list[Patch]:
    async def gone_all(self: Any, side: Side, kind: Kind, missing: Any) -> int:
        links, keys = self.store.links(), sorted(missing)
        with self.store.transaction() as tx:
            confirmed = set(pull.gone_records(self.store))
            for key in keys:
                if links.of(kind, side, key) is None:
                    tx.drop_record(kind, side, key)
                else:
                    confirmed.add((kind, side, key))
            pull.put_gone(tx, confirmed)
            pull.note_dirty(tx, [(kind, side, key) for key in keys])
        return len(keys)

    return [(Puller, "_confirm_missing", gone_all), *everywhere(pull.refuse_short_list, lambda *_: None)]


def _cursor_first() -> list[Patch]:
    kept = Puller._keep

    async def keep(self: Any, records: Any, cursor: Any) -> None:
        with self.store.transaction() as tx:
            tx.put_cursor(cursor)
        await kept(self, records, cursor)

    return [(Puller, "_keep", keep)]


def _own_writes_are_news() -> list[Patch]:
    """What a list brings again (its overlap, our own writes) is taken for a change."""

    def kept(self: Any, new: Any) -> Any:
        old = self.store.record(new.kind, new.side, new.key)
        return pull.carried_over(old, pull.with_budget(new, self.policy)) if old else new

    return [(Puller, "_kept", kept)]


def _children_forgotten() -> list[Patch]:
    """A record read back after a write loses the lists that only another call reads."""
    return everywhere(pull.carried_over, lambda old, new: new)


# -- deletes ---------------------------------------------------------------------------------------------


def _delete_beats_edit() -> list[Patch]:
    kept = linked._unlink

    def unlink(s: Situation, *rest: Any) -> Any:
        return kept(replace(s, policy=replace(s.policy, deleted=dict.fromkeys(Kind, "inactive"))), *rest)

    return everywhere(kept, unlink)


def _stale_list_after_delete() -> list[Patch]:
    """The link ends, and nothing remembers it."""

    def unlinked(self: Any, action: Any) -> None:
        link = self.store.links().of(action.kind, Side.AJERA, action.ajera_key)
        if link is not None:
            with self.store.transaction() as tx:
                tx.drop_link(link)
                pull.put_gone(tx, pull.gone_records(self.store) - {(action.kind, action.side, link.key(action.side))})
                pull.note_dirty(tx, [(action.kind, side, link.key(side)) for side in Side])

    return [(Landing, "unlinked", unlinked)]


def _tombstone_ignored() -> list[Patch]:
    kept = unlinked.place_unlinked

    def place(s: Situation, *rest: Any) -> Any:
        def alive(index: Any) -> dict[Any, Any]:
            return {key: link for key, link in index.items() if link.state is not LinkState.GONE}

        return kept(replace(s, links=Links(alive(s.links.by_ajera), alive(s.links.by_crm))), *rest)

    return everywhere(kept, place)


# -- matching --------------------------------------------------------------------------------------------


def _greedy_match() -> list[Patch]:
    kept = match.find_partner

    def find(s: Situation, record: Any) -> Any:
        pool = s.pools[record.kind, record.side.other]
        shared = pool.by_email.get(email_key(record), ()) if email_key(record) else ()
        for other in shared:
            if match._is_free(s, other):
                return match.Found(other, "same e-mail")
        return kept(s, record)

    return everywhere(kept, find)


def _unproven_match() -> list[Patch]:
    kept = match.find_partner
    whole = frozenset((kind, side) for kind in Kind for side in Side)
    return everywhere(kept, lambda s, record: kept(replace(s, whole=whole), record))


# -- runs ------------------------------------------------------------------------------------------------


def _first_error_ends() -> list[Patch]:
    kept = Applier._failed

    async def failed(self: Any, action: Any, error: SystemFailure, suffix: str = "") -> None:
        await kept(self, action, error, suffix)
        self._fatal = error

    return [(Applier, "_failed", failed)]


def _dirty_cleared_early() -> list[Patch]:
    kept = Runner._plan

    async def plan(self: Any, **how: Any) -> Any:
        made = await kept(self, **how)
        with self.store.transaction() as tx:
            pull.forget_dirty(tx, self._seen)
        return made

    return [(Runner, "_plan", plan)]


def _moved_during_a_run() -> list[Patch]:
    """What a person changed while a run wrote another field is forgotten with the rest."""
    return [(Landing, "_look_again_at", lambda *_: None)]


def _mark_lost() -> list[Patch]:
    def forget(store: Any) -> None:
        with store.transaction() as tx, suppress(KeyError):
            for mark in store.marks().values():
                tx.drop_mark(mark.id)

    return everywhere(ticking.forget_moot_marks, forget)


def _refusals_forgotten() -> list[Patch]:
    return everywhere(backoff.hold_back, lambda plan, failures, now: plan)


def _cap_ignored() -> list[Patch]:
    kept = ticks._capped_firm_contacts
    uncapped: Any = lambda s, keys, over: kept(replace(s, policy=replace(s.policy, firm_cap=None)), keys, over)  # noqa: E731
    return everywhere(kept, uncapped)


def _one_way_writes() -> list[Patch]:
    kept = linked._writable

    def writable(s: Situation, t: Any, link: Any, *rest: Any, **named: Any) -> Any:
        found = kept(s, t, link, *rest, **named)
        return found | {Side.CRM} if found else found

    return [*everywhere(kept, writable), *everywhere(apply._may_write_one_way, lambda action: True)]


def _unticked_is_written() -> list[Patch]:
    return everywhere(linked._writable, lambda s, t, link, *rest, **named: frozenset(Side))


def _queue_not_kept() -> list[Patch]:
    kept = look.keep_plan

    def keep(tx: Any, made: Any, *rest: Any) -> None:
        kept(tx, replace(made, conflicts=()), *rest)

    return everywhere(kept, keep)


def _after_create_dropped() -> list[Patch]:
    async def nothing(self: Any, *_: Any, **_named: Any) -> None:
        return None

    return [(AjeraSystem, "after_create", nothing)]


def _adopts_anything() -> list[Patch]:
    """After a lost answer any record of that name is taken for ours."""
    return [
        (Settler, "_is_new", lambda self, intent, record: True),
        (Settler, "_equals", lambda self, action, record: True),
    ]


def _adopted_as_meant() -> list[Patch]:
    created: Callable[..., Any] = Landing.created
    return [(Landing, "created", lambda self, *args, adopted=False, **named: created(self, *args, **named))]


def _plan_finishes() -> list[Patch]:
    settler: Callable[..., Settler] = Settler

    def always(*parts: Any) -> Settler:
        draft, finish = parts[4], parts[5]
        return settler(*parts[:5], finish or draft.__self__.finish, parts[6])

    return [(run, "Settler", always)]


def _run_stays() -> list[Patch]:
    return [(run._Held, "__exit__", lambda self, *_: self._runner.lock.release())]


BUGS: tuple[Bug, ...] = (
    Bug("create without intent", "a create whose answer is lost leaves no trace", _without_intent),
    Bug("intent after the create", "the same, when the program dies in between", _intent_after),
    Bug("create retried blindly", "a write is sent again after a time-out", _blind_retry),
    Bug("base before the write", "a write that fails counts as done", _base_before),
    Bug("base at the end of the run", "a crash makes false conflicts of what was written", _base_at_end),
    Bug("base is one side's whole record", "an edit of another field is swallowed", _base_whole_record),
    Bug("silent winner", "of two edits one is overwritten and nobody is asked", _silent_winner),
    Bug("conflict dropped", "two values stay apart and nobody is told", _conflict_dropped),
    Bug("write without a version check", "an edit made during the run is overwritten", _no_version_check),
    Bug("delete beats edit", "a deletion on one side changes the other", _delete_beats_edit),
    Bug("no canonical form", "the same value written differently is a change", _no_canonical_form),
    Bug("lists trusted", "what a list lacks is taken for deleted", _lists_trusted),
    Bug("guard off", "a plan that blanks forty records runs", lambda: [(guard, "tripped", lambda s, plan: ())]),
    Bug("first error ends the run", "one refused record holds up the others", _first_error_ends),
    Bug("stale list after a delete", "a deleted record's partner brings it back", _stale_list_after_delete),
    Bug("greedy match on a shared e-mail", "two people are linked as one", _greedy_match),
    Bug("match without a whole list", "linked or created although a page may be missing", _unproven_match),
    Bug("base per record", "one refused group takes the others' base with it", _base_per_record),
    Bug("intents dropped unsettled", "what landed is not found out", _settle_nothing),
    Bug("adopts any namesake", "a record that was there before is linked as if made by us", _adopts_anything),
    Bug("base is what was sent", "one half of the pair is taken for both", _one_sided_base),
    Bug("cursor before the data", "a crash between the two loses what had changed", _cursor_first),
    Bug("own writes are news", "an idle run works all over again", _own_writes_are_news),
    Bug("lists forgotten on reading back", "contacts, team and money of a record are lost from the store", _children_forgotten),
    Bug("dirty cleared at planning", "a plan that was only looked at counts as done", _dirty_cleared_early),
    Bug("edit during a run forgotten", "what came back with our own write is not planned", _moved_during_a_run),
    Bug("tick made here lost", "a tick never reaches the CRM", _mark_lost),
    Bug("tombstone ignored", "a record whose partner was deleted is created again", _tombstone_ignored),
    Bug("cap ignored", "a sixth contact of a firm is sent", _cap_ignored),
    Bug("one-way writes to the CRM", "before 8.09 the CRM is changed", _one_way_writes),
    Bug("unticked is written", "a record that was unticked is still kept in step", _unticked_is_written),
    Bug("blank overwrites", "a blank of a new link empties the other side", _blank_overwrites),
    Bug("zero money overwrites", "a figure that Ajera does not give becomes 0", _zero_overwrites),
    Bug("undone field written", "what was taken back is sent again", _undone_is_written),
    Bug("undo forgets the base", "the run after an undo does it all again", _undo_forgets_the_base),
    Bug("refusals forgotten", "a refused write is sent with every run", _refusals_forgotten),
    Bug("conflicts not kept", "the queue of conflicts is empty", _queue_not_kept),
    Bug("what follows a create dropped", "a new project stays half made", _after_create_dropped),
    Bug("typed into a new record taken for ours", "a word typed before a creation is found out is not asked about", _adopted_as_meant),
    Bug("a plan finishes what a run began", "looking writes", _plan_finishes),
    Bug("a full disk leaves the run going", "the same program never runs again", _run_stays),
)  # fmt: skip

__all__ = ["BUGS", "Bug"]
