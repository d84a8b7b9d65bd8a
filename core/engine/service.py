"""The façade both front ends use: what they may ask, and what they may do.

Reads and acts are quick, from memory or in one short transaction; what talks to the systems is
async. A front end never reaches the store or a system past this class.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from core.engine.answers import Answers
from core.engine.clock import from_iso, iso
from core.engine.details import DetailMaker
from core.engine.events import Bus, Event
from core.engine.facts import Facts, remember, remembered, template_refusal
from core.engine.look import situation
from core.engine.notify import KINDS, Channel, Notifier, Ping
from core.engine.rowbook import RowBook
from core.engine.rows import RowMaker
from core.engine.run import Rules, Runner
from core.engine.schedule import Alarm, Cron
from core.engine.ticking import Ticking
from core.engine.views import Detail, ErrorView, Marked, Progress, Row, Status, TemplateChoice
from core.errors import AjerasyncError, GuardTripped, RunInProgress, UsageError
from core.model.link import Link
from core.model.plan import (
    NO_PLAN,
    Candidate,
    Direction,
    Item,
    Mode,
    Plan,
    Refusal,
    plan_from_json,
    refusal_from_json,
)
from core.model.record import Record
from core.model.values import Kind, Ref, Side
from core.policy import Policy, mode_for
from core.ports import Clock, Connection, HistoryEntry, Lock, RunRecord, Store, System
from core.version import VERSION

FOLLOW_EVERY = 1.0  # seconds between looks at what another program wrote
QUEUES = ("conflict", "candidate", "difference", "drift", "refused")
QUEUE_NAMES = {"conflict": "conflicts", "candidate": "candidates", "difference": "differences", "refused": "refused"}


class Log(Protocol):
    """The run log of the store room."""

    def append(self, event: Mapping[str, Any]) -> None: ...
    def tail(self, n: int, level: str | None = None, text: str | None = None) -> list[dict[str, Any]]: ...


class ScheduleSettings(Protocol):
    cron: str
    timezone: str
    jitter: float


class SyncSettings(Protocol):
    enabled: bool
    direction: Any


class EngineSettings(Protocol):
    """The part of the settings that the engine reads."""

    @property
    def schedule(self) -> Any: ...
    @property
    def sync(self) -> Any: ...
    def policy(self) -> Policy: ...


class Service:
    """One program's engine over one profile's store."""

    def __init__(
        self,
        *,
        settings: EngineSettings,
        store: Store,
        systems: Mapping[Side, System],
        run_lock: Lock,
        lease: Lock,
        log: Log,
        clock: Clock,
        readonly: bool = False,
        chosen_key: Any = None,
        width: int = 4,
        channels: Sequence[Channel] = (),
        ping: Ping | None = None,
    ) -> None:
        self.settings = settings
        self.readonly = readonly
        self.store = store
        self.clock = clock
        self.bus = Bus()
        self._log = log
        self._lease = lease
        self._run_lock = run_lock
        self.policy = settings.policy()
        rules = Rules(self.policy, settings.sync.direction, width=width)
        if chosen_key is not None:
            rules.chosen_key = chosen_key
        self.runner = Runner(systems, store, run_lock, clock, self.bus, rules)
        self.systems = systems
        self._ticking = Ticking(store, self.policy, clock)
        self._answers = Answers(store, self.policy, clock)
        told = frozenset(getattr(getattr(settings, "notify", None), "on", KINDS))
        self.notifier = Notifier(channels, ping, told, store, clock, lambda text, level: self._tell("log", text, level))
        self._book = RowBook(store)
        self._making = threading.Lock()  # a hub's rows may be asked for in a thread
        self._maker: RowMaker | None = None
        self._alarm: Alarm | None = None
        self.bus.subscribe(self._write_log)
        self.bus.subscribe(self._forget_on_change)

    # -- events ------------------------------------------------------------------------------------

    def _write_log(self, event: Event) -> None:
        if event.event not in ("progress", "mark_changed", "store_changed"):
            self._log.append(event.as_json())

    def _forget_on_change(self, event: Event) -> None:
        if event.event in ("pulled", "planned", "action_done", "action_failed", "run_finished", "store_changed"):
            self._forget()

    def _forget(self) -> None:
        self._maker = None

    def _tell(self, event: str, text: str, level: str = "info", **data: Any) -> None:
        self.bus.publish(Event(iso(self.clock.now()), event, level, text, self.progress.run, data))

    @property
    def progress(self) -> Progress:
        return self.runner.progress

    # -- rows and details --------------------------------------------------------------------------

    def _row_maker(self) -> RowMaker:
        maker = self._maker
        if maker is None:
            maker = self._maker = RowMaker(self.store, self.runner.ticks.now().brought)
        return maker

    def rows(self, kind: Kind) -> Sequence[Row]:
        """The whole hub, sorted by label. Made whole once; afterwards only what moved is made again. May be asked in
        a thread."""
        with self._making:
            return self._book.rows(kind, self._row_maker())

    def contact_rows(self, *, firm: str | None = None, project: str | None = None) -> Sequence[Row]:
        """Contacts of a firm or of a project, by the CRM."""
        contacts = self.store.records(Kind.CONTACT, Side.CRM)
        if project is not None:
            owner = self._record(Kind.PROJECT, project, Side.CRM)
            ticked = self._ticking.ticked_of_project(project)
            found = [contacts[e.key] for e in owner.contacts or () if e.key in contacts]
            rows = [replace(self._row_maker().row(record), marked=record.key in ticked) for record in found]
        elif firm is not None:
            self._record(Kind.FIRM, firm, Side.CRM)
            rows = [
                self._row_maker().row(record)
                for record in contacts.values()
                if isinstance(of := record.fields.get("firm"), Ref) and of.key == firm
            ]
        else:
            return self.rows(Kind.CONTACT)
        return sorted(rows, key=lambda row: (row.label.casefold(), row.id))

    def _record(self, kind: Kind, key: str, side: Side) -> Record:
        record = self.store.records(kind, side).get(key)
        if record is None:
            raise UsageError(f"there is no {kind} with the key {key!r} in {side}")
        return record

    def row(self, kind: Kind, key: str, side: Side = Side.CRM) -> Row:
        return self._row_maker().row(self._record(kind, key, side))

    def detail(self, row: Row) -> Detail:
        return self._detail_maker().detail(self.row(row.kind, row.key, row.side))

    def _detail_maker(self) -> DetailMaker:
        connections = self.runner.puller.connections or {side: Connection(side) for side in Side}
        look = situation(self.store, self.policy, self.mode, connections, self.clock.now())
        return DetailMaker(self.store, self.policy, self.facts, self._row_maker(), self._ticking, look)

    async def refresh_detail(self, row: Row) -> Detail:
        """Read the record and its children from both systems now; nothing is written to them."""
        await self.connect()
        for side, key in ((Side.AJERA, row.ajera_key), (Side.CRM, row.crm_key)):
            if key:
                await self.runner.puller.read_again(row.kind, side, [key])
        self._forget()
        return self.detail(row)

    def templates(self) -> tuple[TemplateChoice, ...]:
        facts = self.facts
        return tuple(TemplateChoice(t, template_refusal(facts, self.policy, t)) for t in facts.crm_templates)

    @property
    def facts(self) -> Facts:
        return remembered(self.store)

    # -- queues and history ------------------------------------------------------------------------

    def plan(self) -> Plan | None:
        digest = self.store.setting("last_plan")
        return self.stored_plan(digest) if digest and self.store.plan(digest) else None

    def stored_plan(self, digest: str) -> Plan:
        body = self.store.plan(digest)
        if body is None:
            raise UsageError(f"no stored plan has the digest {digest!r}")
        try:
            return plan_from_json(body)
        except NO_PLAN as error:
            raise UsageError(f"the stored plan {digest!r} cannot be read: {type(error).__name__}") from None

    def conflicts(self) -> tuple[Item, ...]:
        return self._answers.items("conflict")

    def differences(self) -> tuple[Item, ...]:
        return self._answers.items("difference")

    def drift(self) -> tuple[Item, ...]:
        return self._answers.items("drift")

    def candidates(self) -> tuple[Candidate, ...]:
        return self._answers.candidates()

    def refusals(self) -> tuple[Refusal, ...]:
        return tuple(refusal_from_json(item.body) for item in self.store.items("refused"))

    def errors(self) -> tuple[ErrorView, ...]:
        return tuple(
            ErrorView(f.id, f.kind, f.side, f.key, f.label, f.op, f.message, f.tries, f.next_try, f.at)
            for f in sorted(self.store.failures().values(), key=lambda each: (each.at, each.id))
        )

    def runs(self, limit: int = 200) -> Sequence[RunRecord]:
        return self.store.runs(limit)

    def run_history(self, run_id: str) -> Sequence[HistoryEntry]:
        if self.store.run(run_id) is None:
            raise UsageError(f"there is no run {run_id!r}")
        return self.store.history_of_run(run_id)

    def log(self, n: int = 1000, *, level: str | None = None, text: str | None = None) -> list[dict[str, Any]]:
        return self._log.tail(n, level, text)

    # -- status ------------------------------------------------------------------------------------

    @property
    def mode(self) -> Mode:
        """The mode of the last contact; one-way until Ajera has said its version."""
        kept = self.store.setting("seen_mode")
        if kept:
            return Mode(Direction(kept["direction"]), kept["ajera_version"], kept["reason"])
        return mode_for(None)

    @property
    def enabled(self) -> bool:
        return bool(self.store.setting("enabled", self.settings.sync.enabled))

    @property
    def paused(self) -> bool:
        return bool(self.store.setting("paused", False))

    def cron(self) -> Cron | None:
        """The schedule in force: the one set here, else the settings'. None where there is none."""
        kept = self.store.setting("schedule")
        own = self.settings.schedule
        expression = kept["cron"] if kept else own.cron
        timezone = kept["timezone"] if kept else own.timezone
        return Cron(expression, timezone, own.jitter) if expression else None

    def next_runs(self, cron: str | None = None, n: int = 5, timezone: str | None = None) -> tuple[datetime, ...]:
        """The next due times of the schedule in force, or of the one given. UsageError for a bad one."""
        schedule = self.cron() if cron is None else Cron(cron, timezone or self.timezone())
        return schedule.next(self.clock.now(), n) if schedule else ()

    def timezone(self) -> str:
        schedule = self.cron()
        return schedule.timezone if schedule else str(self.settings.schedule.timezone)

    def status(self) -> Status:
        schedule, runs = self.cron(), self.store.runs(50)
        finished = [run for run in runs if run.finished]
        stale, why = self._stale(schedule)
        seen = self.store.setting("seen_mode")
        return Status(
            version=VERSION,
            mode=self.mode if seen else None,
            enabled=self.enabled,
            cron=schedule.expression if schedule else "",
            timezone=self.timezone(),
            paused=self.paused,
            next_runs=tuple(iso(due) for due in schedule.next(self.clock.now())) if schedule else (),
            running=self._running(runs),
            last_run=finished[0] if finished else None,
            last_good=self.store.setting("last_good"),
            stale=stale,
            stale_reason=why,
            queues=self._queue_counts(),
            counts=self._kind_counts(),
            held_by=self._lease.holder(),
            company=self.facts.company,
            health=self._health(),
        )

    def _running(self, runs: Sequence[RunRecord]) -> Progress | None:
        """The run of this program, else that of another one which holds the run lock."""
        if self.progress.phase != "idle":
            return self.progress
        holder = self._run_lock.holder()
        if holder is None:
            return None
        newest = next((run for run in runs[:1] if not run.finished), None)  # a plan leaves no record
        run, since = (newest.id, newest.started) if newest else (None, "")
        return Progress("elsewhere", now=holder, run=run, since=since)

    def _stale(self, schedule: Cron | None) -> tuple[bool, str]:
        """Silence is an alarm: no good run for twice the schedule's gap (sync-rules 9)."""
        if schedule is None or self.paused or not self.enabled:
            return False, ""
        gap = schedule.gap(self.clock.now())
        last = self.store.setting("last_good")
        since = last or min((run.started for run in self.store.runs()), default=None)
        if gap is None or since is None:
            return False, ""
        age = self.clock.now() - from_iso(since)
        if age <= 2 * gap:
            return False, ""
        return True, f"no good run since {since}" if last else "no run has ended well yet"

    def queue_counts(self) -> dict[str, int]:
        """How many wait for a person, by queue: the quick part of `status`."""
        return self._queue_counts()

    def _queue_counts(self) -> dict[str, int]:
        counts = {"errors": len(self.store.failures())}
        for queue in QUEUES:
            counts[QUEUE_NAMES.get(queue, queue)] = len(self.store.items(queue))
        return counts

    def _kind_counts(self) -> dict[str, dict[str, int]]:
        ticks = self.runner.ticks.now()
        linked = dict.fromkeys(Kind, 0)
        for link in self.store.links().by_ajera.values():
            linked[link.kind] += link.state != "gone"
        return {
            kind.value: {"marked": ticks.count(kind) if kind is not Kind.EMPLOYEE else 0, "linked": linked[kind]}
            for kind in Kind
        }

    def _health(self) -> dict[str, Any]:
        return {
            "requests": {side.value: self.systems[side].requests for side in Side},
            "run_lock": self._run_lock.holder(),
            "stopped_fields": dict(self.facts.stopped),
            "warnings": list(self.facts.warnings),
            "intents": len(self.store.intents()),
        }

    # -- acts --------------------------------------------------------------------------------------

    def _act(self) -> None:
        if self.readonly:
            raise UsageError("this program was started read-only")

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
        self._act()
        return self._marked(
            self._ticking.mark(kind, keys, on, side=side, firm=firm, project=project, template=template), kind
        )

    def one_act(self) -> AbstractContextManager[None]:
        """Ticks made within are one act: one undo takes them all back."""
        return self._ticking.one_act()

    def set_template(self, project: str, template: str) -> Marked:
        self._act()
        return self._marked(self._ticking.take_template(project, template), Kind.PROJECT)

    def undo_marks(self) -> Marked:
        self._act()
        return self._marked(self._ticking.undo(), None)

    def redo_marks(self) -> Marked:
        self._act()
        return self._marked(self._ticking.redo(), None)

    def _marked(self, marked: Marked, kind: Kind | None) -> Marked:
        self._forget()
        keys = list(marked.changed)
        self._tell("mark_changed", f"{len(keys)} ticks changed", kind=kind.value if kind else None, keys=keys)
        return marked

    def resolve(self, item_id: str, take: Side | str) -> str:
        self._act()
        return self._answered(self._answers.resolve(item_id, take))

    def resolve_all(self, kind: Kind, field: str, take: Side) -> int:
        self._act()
        count = self._answers.resolve_all(kind, field, take)
        self._answered(f"{count} items of {kind}.{field} resolved: {take}")
        return count

    def match_link(self, ajera_key: str, crm_key: str, kind: Kind | None = None) -> str:
        self._act()
        return self._answered(self._answers.link(ajera_key, crm_key, kind))

    def match_create(self, key: str, kind: Kind | None = None) -> str:
        self._act()
        return self._answered(self._answers.create(key, kind))

    def match_never(self, key: str, kind: Kind | None = None, partner: str | None = None) -> str:
        self._act()
        return self._answered(self._answers.never(key, kind, partner))

    def retry(self, failure_id: str) -> int:
        self._act()
        count = self._answers.retry(failure_id)
        self._answered(f"{count} errors are tried again with the next run")
        return count

    def links(self) -> Sequence[Link]:
        return sorted(self.store.links().by_ajera.values(), key=lambda link: (link.kind, link.ajera_key))

    def import_links(self, rows: Iterable[tuple[str, str, str]]) -> Marked:
        self._act()
        done = self._answers.import_links(rows)
        self._answered(f"{len(done.changed)} links imported, {len(done.refused)} refused")
        return done

    def drop_link(self, kind: Kind, key: str) -> str:
        self._act()
        return self._answered(self._answers.drop_link(kind, key))

    def _answered(self, sentence: str) -> str:
        self._forget()
        self._tell("log", sentence)
        return sentence

    def note(self, text: str, level: str = "info") -> None:
        """A line of the run log that a front end has to tell."""
        self._tell("log", text, level)

    # -- how the front end was left --------------------------------------------------------------------

    def ui_choice(self, name: str) -> Any:
        """What a front end kept under this name (a sort order, columns, a theme), or None."""
        return self.store.setting(f"ui:{name}")

    def keep_ui_choice(self, name: str, value: Any) -> None:
        """Keep how a screen was left; a read-only program keeps nothing."""
        if not self.readonly and self.store.setting(f"ui:{name}") != value:
            self._put(f"ui:{name}", value)

    # -- schedule ------------------------------------------------------------------------------------

    def set_schedule(self, cron: str, timezone: str | None = None) -> None:
        self._act()
        schedule = Cron(cron, timezone or self.timezone())
        self._put("schedule", {"cron": schedule.expression, "timezone": schedule.timezone})
        self._rescheduled(f"schedule set to {cron}")

    def pause(self) -> None:
        self._act()
        self._put("paused", True)
        self._rescheduled("schedule paused")

    def resume(self) -> None:
        self._act()
        self._put("paused", False)
        self._rescheduled("schedule resumed")

    def set_enabled(self, on: bool) -> None:
        self._act()
        self._put("enabled", on)
        self._rescheduled("Ajera synchronization switched " + ("on" if on else "off"))

    def _put(self, name: str, value: Any) -> None:
        with self.store.transaction() as tx:
            tx.put_setting(name, value)

    def _rescheduled(self, text: str) -> None:
        self._tell("schedule_changed", text)
        if self._alarm is not None:
            self._alarm.ring()

    # -- systems and runs ----------------------------------------------------------------------------

    async def connect(self) -> None:
        """Log in to both systems and remember what they said."""
        await self.runner.puller.connect()
        self._remember()

    def _remember(self) -> None:
        connections = self.runner.puller.connections
        mode = mode_for(connections[Side.AJERA].version, self.settings.sync.direction)
        body = {"direction": mode.direction.value, "ajera_version": mode.ajera_version, "reason": mode.reason}
        with self.store.transaction() as tx:
            remember(self.store, tx, connections)
            if self.store.setting("seen_mode") != body:
                tx.put_setting("seen_mode", body)

    async def make_plan(self, *, full: bool = False, only: Sequence[Kind] = ()) -> Plan:
        self.store.refresh()
        made = await self.runner.make_plan(full=full, only=only)
        self._remember()
        self._forget()
        return made

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
        """One run. A chosen plan is applied exactly; with `follow` also what its links and creates bring along."""
        self._act()
        if not self.enabled:
            raise UsageError("Ajera synchronization is switched off: switch it on in the settings first")
        self.store.refresh()
        try:
            return await self.runner.run(
                plan=plan, approve=approve, full=full, sweep=sweep, only=only, follow=follow, trigger=trigger
            )
        finally:
            if self.runner.puller.connections:
                self._remember()
            self._forget()
            await self._notify_of_last_run()

    async def undo(self, run_id: str, *, dry_run: bool = False) -> Plan:
        """Take back what a run did, as a run of its own with the trigger `undo`; the plan of it.

        What is left alone, and why, stands among the plan's refusals. `dry_run` makes the plan only. UsageError
        for a run that is unknown, still goes on, or is an undo itself.
        """
        if not dry_run:
            self._act()
        if not self.enabled:
            raise UsageError("Ajera synchronization is switched off: switch it on in the settings first")
        self.store.refresh()
        try:
            return await self.runner.undo(run_id, dry_run=dry_run)
        finally:
            if self.runner.puller.connections:
                self._remember()
            self._forget()

    async def _notify_of_last_run(self) -> None:
        last = next(iter(self.store.runs(1)), None)
        if last is not None and last.finished:
            await self.notifier.after_run(last, self._queue_counts())

    def cancel(self) -> None:
        self.runner.cancel()

    async def run_schedule(self) -> None:
        """The scheduler: runs when due, until its task is cancelled. Without the lease it follows the
        program that has it, and takes the schedule over when that one ends."""
        self._alarm = Alarm()
        try:
            while True:
                if self.readonly or not self._lease.acquire():
                    await self._follow()
                    continue
                await self._wait_and_run()
        finally:
            self._lease.release()
            self._alarm = None

    async def _follow(self) -> None:
        assert self._alarm is not None
        changed = self.store.refresh()
        if changed:
            self._tell("store_changed", "another program wrote", tables=sorted(changed))
        await asyncio.sleep(FOLLOW_EVERY)

    async def _wait_and_run(self) -> None:
        """One step of the schedule: a run if one is due or was missed, else a short wait."""
        assert self._alarm is not None
        if changed := self.store.refresh():
            self._tell("store_changed", "another program wrote", tables=sorted(changed))
        schedule, now = self.cron(), self.clock.now()
        await self.notifier.check_stale(*self._stale(schedule))
        if schedule is None or self.paused or not self.enabled:
            self._put_due(None)
            await self._alarm.wait(FOLLOW_EVERY * 5)
            return
        due = self._due(schedule, now)
        if due is None or due > now:
            await self._alarm.wait(min((due - now).total_seconds() if due else 60.0, FOLLOW_EVERY * 5))
            return
        self._put_due(schedule.first_after(now))
        await self._scheduled_run(due, now)

    def _due(self, schedule: Cron, now: datetime) -> datetime | None:
        """The next due time, kept so that one missed in sleep or a stop is made up by one run."""
        name = f"{schedule.expression} {schedule.timezone}"
        kept = self.store.setting("due") or {}
        if kept.get("schedule") == name and kept.get("at"):
            return from_iso(kept["at"])
        due = schedule.first_after(now)
        self._put_due(due)
        return due

    def _put_due(self, due: datetime | None) -> None:
        schedule = self.cron()
        name = f"{schedule.expression} {schedule.timezone}" if schedule else ""
        body = {"schedule": name, "at": iso(due) if due else None}
        if self.store.setting("due") != body:
            self._put("due", body)

    async def _scheduled_run(self, due: datetime, now: datetime) -> None:
        if now - due > timedelta(minutes=1):
            self._tell("log", f"the run of {iso(due)} was missed: made up now", "warning")
        try:
            await self.run(trigger="schedule")
        except RunInProgress as error:
            self._tell("log", f"the run of {iso(due)} is skipped: {error}", "warning")
        except GuardTripped:
            pass  # told by the run itself
        except AjerasyncError as error:
            self._tell("log", f"the scheduled run failed: {error}", "error")

    async def close(self) -> None:
        """End: systems closed, lease and lock given back, store closed."""
        self.runner.cancel()
        for system in self.systems.values():
            with suppress(AjerasyncError):
                await system.close()
        self._lease.release()
        self.store.close()
