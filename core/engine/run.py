"""One run: settle, pull, plan, guard, apply (gather → plan → apply).

Both front ends and the schedule start runs here, and only here. One at a time: the run lock is held
from the first request to the last store write.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import cast

from core.engine.apply import Applier, ChosenKey, Outcome
from core.engine.clock import from_iso, iso
from core.engine.events import Bus, Event
from core.engine.landing import Landing
from core.engine.look import keep_plan, policy_print, situation
from core.engine.money import NEVER, MoneyReader, moved_projects
from core.engine.offloop import OffLoop, at_once
from core.engine.pull import Puller, RecordId, Seen, dirty_now, forget_dirty, note_dirty
from core.engine.quiet import PLANNED, PROJECTS, said
from core.engine.settle import Settler
from core.engine.ticking import forget_moot_marks
from core.engine.tickview import TickView
from core.engine.undo import OF, Undoing, concerned, done_by, undoing
from core.engine.undo import TRIGGER as UNDO
from core.engine.views import Progress
from core.errors import (
    AccessRefused,
    AjerasyncError,
    BadReply,
    GuardTripped,
    ListNotTrusted,
    RecordRefused,
    RunInProgress,
    UsageError,
)
from core.model.plan import Action, Mode, Op, Plan, plan_from_json
from core.model.values import Kind, Side
from core.policy import Policy, mode_for
from core.ports import Accounting, Clock, Intent, Lock, RunRecord, Store, System, Transaction
from core.reconcile.backoff import hold_back, moot
from core.reconcile.planner import plan as plan_of
from core.text import safe_line

SWEEP_EVERY = timedelta(days=1)
WHOLE_PLAN_EVERY = timedelta(days=7)
MONEY = (*PROJECTS, "links", "marks")
NOTHING_DIRTY = Seen(0, {})
MOST_ROUNDS = 3  # a run's own consequences settle in two; the third is for what they bring


@dataclass
class Rules:
    """What the settings say about runs."""

    policy: Policy
    direction: str = "auto"
    sweep_every: timedelta = SWEEP_EVERY
    chosen_key: ChosenKey = lambda _kind, _key: None
    width: int = 12
    keep_runs: int = 500
    keep_days: int = 90
    off_loop: OffLoop = at_once


@dataclass
class Runner:
    """Makes plans and runs them. What waits for the disk or goes over many records is put aside, step by step as it
    stands here: whatever comes after it, comes after it."""

    systems: Mapping[Side, System]
    store: Store
    lock: Lock
    clock: Clock
    bus: Bus
    rules: Rules
    progress: Progress = field(default_factory=Progress)

    def __post_init__(self) -> None:
        self.off_loop = self.rules.off_loop
        self.puller = Puller(self.systems, self.store, self.clock, self.rules.policy, off_loop=self.off_loop)
        self._cancelled = False
        self._quiet = self.puller.quiet
        self.ticks = TickView(self.store, self.rules.policy, self.clock)
        self._policy_print = policy_print(self.rules.policy)
        self._mode: Mode | None = None
        self._seen, self._seen_by = NOTHING_DIRTY, ""
        self._looked_at_all = False
        self._new_pairs = False
        self._scheduled = False

    # -- events ------------------------------------------------------------------------------------

    def tell(self, event: str, text: str, *, level: str = "info", **data: object) -> None:
        run = self.progress.run
        self.bus.publish(Event(iso(self.clock.now()), event, level, safe_line(text), run, data))

    def _now_at(self, phase: str, now: str = "", done: int = 0, total: int = 0) -> None:
        self.progress = replace(self.progress, phase=phase, now=now, done=done, total=total)
        self.bus.publish(Event(iso(self.clock.now()), "progress", "debug", now, self.progress.run))

    def cancel(self) -> None:
        self._cancelled = True

    # -- planning ----------------------------------------------------------------------------------

    @property
    def mode(self) -> Mode | None:
        return self._mode

    async def make_plan(self, *, full: bool = False, only: Sequence[Kind] = ()) -> Plan:
        """Pull and plan under the run lock; writes to neither system."""
        with self._locked():
            self._begin("plan")
            try:
                return await self._gather_and_plan(full=full, sweep=False, only=only, scheduled=False)
            finally:
                self.progress = Progress()

    async def _gather_and_plan(self, *, full: bool, sweep: bool, only: Sequence[Kind], scheduled: bool) -> Plan:
        before = {side: self.systems[side].requests for side in Side}
        self._now_at("pulling", "connecting")
        await self.puller.connect(anew=full, by_hand=not scheduled)
        for connection in self.puller.connections.values():
            for warning in connection.warnings:
                self.tell("log", f"{connection.side}: {warning}", level="warning")
        self._mode = mode_for(self.puller.connections[Side.AJERA].version, self.rules.direction)
        await self._settle()
        self._now_at("pulling", "reading what changed on both sides")
        changed = await self.puller.pull(full=full, only=only)
        # An upgrade of Ajera ends its sessions, so the login made while pulling says what holds now.
        await self.puller.connect()
        self._mode = mode_for(self.puller.connections[Side.AJERA].version, self.rules.direction)
        await self.off_loop(forget_moot_marks, self.store)
        if sweep:
            self._now_at("pulling", "comparing complete lists")
            await self.puller.sweep(only)
        self.tell("pulled", f"{changed} records changed", changed=changed)
        if not self._mode.one_way and (not only or Kind.PROJECT in only):
            await self._read_money()
        self._now_at("planning", "planning")
        everything = full or (sweep and self._whole_plan_due())
        same = None if everything or only else self._same_plan()
        made = same or await self._plan(scheduled=scheduled, everything=everything)
        if only:
            made = _only(made, only)
        spent = {side.value: self.systems[side].requests - before[side] for side in Side}
        made = replace(made, requests=spent)
        if same is None:
            await self.off_loop(self._keep, made)
            if not (full or only or made.actions or made.guards):
                await self.off_loop(self._note_quiet, made)
        self.tell("planned", _counts_text(made.counts()), counts=made.counts(), digest=made.digest)
        return made

    def _note_quiet(self, made: Plan) -> None:
        self._quiet.note("plan", made.digest, PLANNED, *self._planned_from())

    def _planned_from(self) -> list[object]:
        """What a plan depends on beside the store's tables of records, links, marks and answers."""
        whole = [(kind.value, side.value, self.store.cursor(kind, side).whole) for kind in Kind for side in Side]
        settings = [self.store.setting(name) for name in ("dirty", "dirty_all", "gone", "mode", "policy")]
        return [whole, settings, self._mode, self._policy_print, said(self.puller.connections)]

    def _same_plan(self) -> Plan | None:
        """The last plan, where it had nothing to do and nothing that it was made from has moved since: the kernel is
        pure, so it would be the same. None while a write failed or has no outcome, since those are due by the clock."""
        if self.store.failures() or self.store.intents() or dirty_now(self.store) != NOTHING_DIRTY:
            return None
        digest = self._quiet.found("plan", PLANNED, *self._planned_from())
        if digest is None or digest != self.store.setting("last_plan"):
            return None
        body = self.store.plan(digest)
        self._seen, self._seen_by = NOTHING_DIRTY, digest
        self._looked_at_all = False
        return replace(plan_from_json(body), made_at=iso(self.clock.now())) if body else None

    def _keep(self, made: Plan) -> None:
        since = {item.id: item.since for item in self.store.items()}
        held = self.store.plan(made.digest) if self.store.setting("last_plan") == made.digest else None
        with self.store.transaction() as tx:
            keep_plan(tx, made, since, held)
            if self.store.setting("seen_mode") != _mode_body(made.mode):
                tx.put_setting("seen_mode", _mode_body(made.mode))

    async def _read_money(self) -> None:
        """Totals and hours, from 8.09 (sync-rules 1). A refusal here costs the money, not the run."""
        self._now_at("pulling", "reading totals and hours from Ajera")
        ajera = self.systems[Side.AJERA]
        if not hasattr(ajera, "totals"):
            return
        seen = self._quiet.number()
        until, moved_since = self._quiet.since("money", MONEY, self._policy_print) or ("", {})
        only = await self.off_loop(moved_projects, self.store, moved_since) if iso(self.clock.now()) < until else None
        if only is not None and not only:
            return
        if until == NEVER:  # there was none yet: hours were never read
            only = None
        reader = MoneyReader(cast(Accounting, ajera), self.store, self.clock, self.rules.policy, off_loop=self.off_loop)
        try:
            moved = await reader.read(only, until)
        except (AccessRefused, RecordRefused, ListNotTrusted, BadReply) as error:
            self.tell("log", f"totals and hours could not be read: {error}", level="warning")
            return
        if moved:
            self.tell("log", f"money or hours of {moved} projects moved")
        if reader.next_due:
            await self.off_loop(self._quiet.note_since, "money", reader.next_due, seen, self._policy_print)

    async def _plan(self, *, scheduled: bool, everything: bool) -> Plan:
        """The kernel, in a thread with all that it reads: planning never holds the loop."""
        assert self._mode is not None
        now = self.clock.now()
        self._seen = dirty_now(self.store)
        made, self._looked_at_all = await asyncio.to_thread(self._planned, self._mode, now, scheduled, everything)
        return await self.off_loop(self._held_back, made, iso(now))

    def _held_back(self, made: Plan, now: str) -> Plan:
        self._forget_failures(made)
        made = hold_back(made, self.store.failures(), now)
        self._seen_by = made.digest
        return made

    def _planned(self, mode: Mode, now: datetime, scheduled: bool, everything: bool) -> tuple[Plan, bool]:
        """The plan, and whether all was looked at. What a person ticks or answers meanwhile is seen or not; either way
        it is dirty since, and so planned again."""
        look = situation(
            self.store,
            self.rules.policy,
            mode,
            self.puller.connections,
            now,
            scheduled=scheduled,
            everything=everything,
        )
        try:
            return plan_of(look), look.touched is None
        finally:
            self.store.let_go()

    def _forget_failures(self, made: Plan) -> None:
        """Errors of writes that are not due any more: the sides agree by now, or something else is planned."""
        over = moot(made, self.store.failures(), {intent.id for intent in self.store.intents()})
        if over:
            with self.store.transaction() as tx:
                for failure_id in over:
                    tx.drop_failure(failure_id)

    def _replan(self, action: Action) -> list[Action]:
        """One record planned again, after it was read afresh."""
        assert self._mode is not None
        look = situation(self.store, self.rules.policy, self._mode, self.puller.connections, self.clock.now())
        named = frozenset((action.kind, side, key) for side in Side if (key := action.key(side)))
        made = plan_of(replace(look, touched=named))
        return [a for a in made.actions if {(a.kind, s, a.key(s)) for s in Side if a.key(s)} & set(named)]

    async def _settle(self) -> None:
        intents = self.store.intents()
        if not intents:
            return
        self._now_at("pulling", f"finding out what became of {len(intents)} interrupted writes")
        applier = self._applier("settle")

        def told(intent: Intent, what: str) -> None:
            action = intent.action
            self.tell("log", f"{action.kind} {action.label}: interrupted {action.op}: {what}", level="warning")

        run = self.progress.run or ""
        looking = self.store.run(run) is None  # a plan, an undo: what is found belongs to the run that sent it
        settler = Settler(
            self.systems,
            self.store,
            self.rules.policy,
            Landing(self.store, self.clock, self.rules.policy, "" if looking else run),
            applier.draft,
            None if looking else applier.finish,
            told,
        )
        await settler.settle()

    # -- running -----------------------------------------------------------------------------------

    async def run(
        self,
        *,
        plan: Plan | None = None,
        approve: str | None = None,
        full: bool = False,
        sweep: bool = False,
        only: Sequence[Kind] = (),
        follow: bool = False,
        trigger: str = "hand",
    ) -> RunRecord:
        """One run from end to end. `follow`: what follows from a chosen plan is done too. The record's outcome is ok, partial, refused, failed or cancelled;
        the exceptions that a caller must tell apart (a guard, a login) are raised after it is stored."""
        with self._locked():
            record = self._begin(trigger)
            started = self.clock.monotonic()
            error: AjerasyncError | None = None
            made: Plan | None = None
            outcome = Outcome()
            try:
                made = await self._plan_for(plan, full, sweep or self._sweep_due(), only, trigger == "schedule")
                self._check_guards(made, approve)
                outcome = await self._apply(made)
                if follow or (plan is None and approve is None and not only):
                    await self._follow_up(outcome)
            except AjerasyncError as caught:
                error = caught
            except asyncio.CancelledError:
                self._finish(record, made, outcome, "cancelled", started, "stopped")
                raise
            except Exception as caught:
                self._finish(record, made, outcome, "failed", started, f"{type(caught).__name__}")
                raise
            done = self._ended(record, made, outcome, _outcome(error, outcome), started, str(error or ""))
            await self.off_loop(self._put_ended, done)
            self._tell_ended(done)
            if error is not None:
                raise error
            return done

    async def _plan_for(
        self, plan: Plan | None, full: bool, sweep: bool, only: Sequence[Kind], scheduled: bool
    ) -> Plan:
        if plan is None:
            return await self._gather_and_plan(full=full, sweep=sweep, only=only, scheduled=scheduled)
        await self._contact()
        return plan

    async def _contact(self) -> Mode:
        self._now_at("pulling", "connecting")
        await self.puller.connect()
        self._mode = mode_for(self.puller.connections[Side.AJERA].version, self.rules.direction)
        await self._settle()
        return self._mode

    def _check_guards(self, made: Plan, approve: str | None) -> None:
        if approve is not None and approve != made.digest:
            raise GuardTripped(
                f"the plan is not the approved one any more: its digest is {made.digest} now. Look at it and approve again"
            )
        if made.guards and approve != made.digest:
            guard = made.guards[0]
            named = f" ({', '.join(guard.records[:5])})" if guard.records else ""
            raise GuardTripped(
                f"nothing was written: {guard.message}{named}. Look at the plan; to go on, approve {made.digest}"
            )

    async def _apply(self, made: Plan) -> Outcome:
        applier = self._applier(self.progress.run or "")
        total = len(made.actions)
        self._now_at("applying", "", 0, total)
        applier.outcome = outcome = Outcome()
        await applier.apply(made)
        self._new_pairs = bool(outcome.done[Op.CREATE.value] or outcome.done[Op.LINK.value])
        if not outcome.cancelled:
            await self.off_loop(self._note_applied, made, outcome, frozenset(applier.landing.moved))
        return outcome

    def _note_applied(self, made: Plan, outcome: Outcome, moved: frozenset[RecordId]) -> None:
        with self.store.transaction() as tx:
            # A part of the plan, or another one, says nothing about the rest of what was dirty.
            if not outcome.failed and not outcome.skipped and made.digest == self._seen_by:
                acted_on = {each: n for each, n in self._seen.records.items() if each not in moved}
                forget_dirty(tx, replace(self._seen, records=acted_on))
            if self._looked_at_all and made.digest == self._seen_by:
                tx.put_setting("planned_whole", iso(self.clock.now()))
            for name, value in (("policy", self._policy_print), ("mode", _mode_body(made.mode))):
                if self.store.setting(name) != value:
                    tx.put_setting(name, value)

    async def _follow_up(self, outcome: Outcome) -> None:
        """What follows from links and creates of this run: the lists that name them, money and hours.

        Not after a plan that a person chose: then exactly that plan is applied, and the rest is the next run's.
        """
        for _ in range(MOST_ROUNDS):
            if outcome.cancelled or not (self._new_pairs and dirty_now(self.store).records):
                return
            if self._mode is not None and not self._mode.one_way:
                await self._read_money()
            later = await self._plan(scheduled=self._scheduled, everything=False)
            await self.off_loop(self._keep, later)
            self._check_guards(later, None)
            self.tell(
                "planned", f"what follows: {_counts_text(later.counts())}", counts=later.counts(), digest=later.digest
            )
            done = await self._apply(later)
            outcome.add(done)

    # -- undo --------------------------------------------------------------------------------------

    async def undo(self, run_id: str, *, dry_run: bool = False, approve: str | None = None) -> Plan:
        """Take back what a run did (undo.py); the plan, with what is left alone among its refusals.

        A run of its own, with the trigger `undo`, unless there is nothing to take back. UsageError for a run
        that cannot be undone, and where the plan is not the approved one (its digest) any more.
        """
        with self._locked():
            started, record = self.clock.monotonic(), self._begin("plan")
            try:
                found = await self._undoing(run_id)
                if approve is not None and found.plan.digest != approve:
                    raise UsageError("something changed since the undo was shown: look at it again")
                if not dry_run and not found.nothing:
                    await self._take_back(replace(record, trigger=UNDO, message=f"{OF}{run_id}"), found, started)
                return found.plan
            finally:
                self.progress = Progress()

    async def _undoing(self, run_id: str) -> Undoing:
        entries = done_by(self.store, run_id)
        mode = await self._contact()
        self._now_at("pulling", "reading what the run wrote")
        missing = {
            (kind, side, key)
            for (kind, side), keys in concerned(entries).items()
            for key in await self.puller.read_now(kind, side, keys)
        }
        now = iso(self.clock.now())
        return undoing(self.store, self.rules.policy, mode, run_id, now, frozenset(missing))

    async def _take_back(self, record: RunRecord, found: Undoing, started: float) -> None:
        """Ticks come off here before anything is sent: a stop in between leaves nothing that a run would write."""
        with self.store.transaction() as tx:
            tx.put_run(record)
            for mark in found.marks:
                tx.put_mark(mark)
            note_dirty(tx, [(a.kind, s, key) for a in found.plan.actions for s in Side if (key := a.key(s))])
        self.tell("run_started", f"run {record.id} started ({record.trigger})", trigger=record.trigger)
        self._now_at("applying", "", 0, len(found.plan.actions))
        outcome, error = Outcome(), None
        result = "failed"
        try:
            # What moved since the plan was made is left alone, not merged again.
            applier = replace(self._applier(record.id), replan=lambda _action: [])
            applier.outcome = outcome
            await applier.apply(found.plan)
            later = await self._plan(scheduled=False, everything=False)
            await self.off_loop(self._keep, later)  # the queues show the conflicts at once
            result = _outcome(None, outcome)
        except AjerasyncError as caught:
            error = caught
            raise
        except asyncio.CancelledError:
            result = "cancelled"
            raise
        finally:
            said = f"{record.message}: {error}" if error else record.message
            self._finish(record, found.plan, outcome, result, started, said)

    def _applier(self, run: str) -> Applier:
        assert self._mode is not None
        return Applier(
            systems=self.systems,
            store=self.store,
            clock=self.clock,
            policy=self.rules.policy,
            mode=self._mode,
            run=run,
            replan=self._replan,
            chosen_key=self.rules.chosen_key,
            told=self._told,
            cancelled=lambda: self._cancelled,
            width=self.rules.width,
            off_loop=self.off_loop,
        )

    def _told(self, action: Action, what: str, message: str) -> None:
        done = self.progress.done + 1
        self._now_at("applying", action.label, done, self.progress.total)
        text = describe(action) + (f": {what}: {message}" if message else "")
        event = "action_done" if what == "done" else "action_failed"
        level = {"done": "info", "skipped": "warning", "failed": "error"}[what]
        body = {
            "id": action.id,
            "op": action.op,
            "kind": action.kind,
            "side": action.side,
            "label": safe_line(action.label),
        }
        self.tell(event, text, level=level, outcome=what, message=safe_line(message), **body)

    # -- the run record ----------------------------------------------------------------------------

    def _locked(self) -> _Held:
        if self.progress.phase != "idle" or not self.lock.acquire():
            raise RunInProgress(f"a run is going on in {self.lock.holder() or 'another program'}")
        return _Held(self)

    def _begin(self, trigger: str) -> RunRecord:
        self._cancelled = False
        self._scheduled = trigger == "schedule"
        now = iso(self.clock.now())
        record = RunRecord(
            id=f"{now[:19].replace(':', '').replace('-', '')}-{uuid.uuid4().hex[:6]}", started=now, trigger=trigger
        )
        self.progress = Progress("pulling", 0, 0, "starting", record.id, now)
        self._requests = {side: self.systems[side].requests for side in Side}
        if trigger != "plan":
            with self.store.transaction() as tx:
                self._close_broken_off(tx)
                tx.put_run(record)
            self.tell("run_started", f"run {record.id} started ({trigger})", trigger=trigger)
        return record

    def _close_broken_off(self, tx: Transaction) -> None:
        """We hold the run lock, so a run that is still told as going on belongs to a program that died."""
        for run in self.store.runs(20):
            if run.outcome == "running":
                message = "the program ended in the middle of this run; the next one went on from there"
                tx.put_run(replace(run, outcome="failed", message=message))

    def _finish(
        self, record: RunRecord, made: Plan | None, outcome: Outcome, result: str, started: float, message: str
    ) -> None:
        """At once: who is cancelled may not get another turn."""
        done = self._ended(record, made, outcome, result, started, message)
        self._put_ended(done)
        self._tell_ended(done)

    def _ended(
        self, record: RunRecord, made: Plan | None, outcome: Outcome, result: str, started: float, message: str
    ) -> RunRecord:
        now = iso(self.clock.now())
        counts = dict(made.counts()) if made else {}
        counts |= {op.value: outcome.done[op.value] for op in Op} | {
            "failed": outcome.failed,
            "skipped": outcome.skipped,
        }
        return replace(
            record,
            finished=now,
            outcome=result,
            counts=counts,
            requests={side.value: self.systems[side].requests - self._requests[side] for side in Side},
            seconds=round(self.clock.monotonic() - started, 3),
            digest=made.digest if made else "",
            message=safe_line(message, 2000),
            mode=made.mode.direction.value if made else "",
        )

    def _put_ended(self, record: RunRecord) -> None:
        with self.store.transaction() as tx:
            tx.put_run(record)
            if record.outcome in ("ok", "partial") and record.trigger != UNDO:
                tx.put_setting("last_good", record.finished)
        self.store.prune(self.rules.keep_runs, self.rules.keep_days, self.clock.now())

    def _tell_ended(self, record: RunRecord) -> None:
        level = {"ok": "info", "partial": "warning"}.get(record.outcome, "error")
        why = f" ({record.message})" if record.message else ""
        text = f"run {record.id} {record.outcome}: {_counts_text(record.counts)}{why}"
        body = {"outcome": record.outcome, "counts": record.counts, "requests": dict(record.requests)}
        self.tell("run_finished", text, level=level, seconds=record.seconds, **body)
        self.progress = Progress()

    def _whole_plan_due(self) -> bool:
        """Once a week all is planned, not only what moved: whatever was overlooked is found then."""
        last = self.store.setting("planned_whole", "")
        return not last or abs(self.clock.now() - from_iso(last)) >= WHOLE_PLAN_EVERY

    def _sweep_due(self) -> bool:
        """Once a day by default, and never before the first complete pull."""
        cursors = [self.store.cursor(kind, side) for kind in Kind for side in Side]
        if not all(cursor.whole for cursor in cursors):
            return False
        oldest = min(cursor.swept for cursor in cursors)
        if not oldest:
            first = min((run.started for run in self.store.runs()), default="")
            return bool(first) and self.clock.now() - from_iso(first) >= self.rules.sweep_every
        # One that was made in days to come was made by a wrong clock.
        return abs(self.clock.now() - from_iso(oldest)) >= self.rules.sweep_every


class _Held:
    """The run lock while a run goes on. Whatever ends the run, a disk too full for its record included, the program can
    start the next one."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        self._runner.progress = Progress()
        self._runner.lock.release()


def _outcome(error: AjerasyncError | None, outcome: Outcome) -> str:
    if isinstance(error, GuardTripped):
        return "refused"
    if error is not None:
        return "failed"
    if outcome.cancelled:
        return "cancelled"
    if outcome.failed or outcome.skipped:
        return "partial"
    return "ok"


def _only(made: Plan, only: Sequence[Kind]) -> Plan:
    """The part of a plan that concerns these kinds."""
    return replace(made, actions=tuple(action for action in made.actions if action.kind in only))


def _mode_body(mode: Mode) -> dict[str, str | None]:
    return {"direction": mode.direction.value, "ajera_version": mode.ajera_version, "reason": mode.reason}


def _counts_text(counts: Mapping[str, int]) -> str:
    parts = [f"{count} {name}" for name, count in counts.items() if count]
    return ", ".join(parts) or "nothing to do"


def describe(action: Action) -> str:
    """One action as one line: firm Acme Supplies: website written to Ajera (was blank)."""
    names = {Side.AJERA: "Ajera", Side.CRM: "the CRM"}
    head = f"{action.kind} {action.label}"
    match action.op:
        case Op.CREATE:
            assert action.side is not None
            return f"{head}: created in {names[action.side]}"
        case Op.UPDATE:
            assert action.side is not None
            return f"{head}: {', '.join(sorted(action.fields))} written to {names[action.side]}"
        case Op.LINK:
            return f"{head}: linked ({action.reason})"
        case Op.UNLINK:
            return f"{head}: unlinked ({action.reason})"
        case Op.REBASE:
            return f"{head}: {action.reason}"
