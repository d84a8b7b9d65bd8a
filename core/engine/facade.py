"""The ground of the façade: what its parts share (store, systems, clock, log), the hubs' rows and one record's detail.

service.py puts the parts together: queues.py (what waits and what a person says), standing.py (schedule and health).
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Protocol

from core.engine.answers import Answers
from core.engine.checkups import Checkups
from core.engine.clock import iso
from core.engine.details import DetailMaker, contacts_of, quick_look
from core.engine.events import Bus, Event
from core.engine.facts import Facts, remembered, template_refusal
from core.engine.giveback import give_back
from core.engine.hubrows import HubRows
from core.engine.look import policy_print
from core.engine.notify import KINDS, Channel, Notifier, Ping
from core.engine.offloop import OffLoop, at_once
from core.engine.rowbook import RowBook
from core.engine.rows import RowMaker
from core.engine.run import Rules, Runner
from core.engine.schedule import Alarm
from core.engine.ticking import Ticking
from core.engine.views import Detail, Progress, Row, TemplateChoice
from core.errors import UsageError
from core.model.plan import Direction, Mode
from core.model.record import Record
from core.model.values import Kind, Side
from core.policy import Policy, mode_for
from core.ports import Clock, Connection, Lock, Store, System
from core.version import VERSION

BIG: Final = 4_000  # records of both systems


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


class Facade:
    """What the parts of the service share."""

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
        width: int = 12,
        channels: Sequence[Channel] = (),
        ping: Ping | None = None,
        checkups: Checkups | None = None,
        off_loop: OffLoop = at_once,
    ) -> None:
        self.settings = settings
        self.readonly = readonly
        self.store = store
        self.clock = clock
        self.bus = Bus()
        self._checkups = checkups
        self._log = log
        self._lease = lease
        self._run_lock = run_lock
        self.policy = settings.policy()
        rules = Rules(self.policy, settings.sync.direction, width=width, off_loop=off_loop)
        if chosen_key is not None:
            rules.chosen_key = chosen_key
        self.runner = Runner(systems, store, run_lock, clock, self.bus, rules)
        self.systems = systems
        self._ticking = Ticking(store, self.policy, clock)
        self._ticking.contacts_of = self._contacts_of
        self._answers = Answers(store, self.policy, clock)
        told = frozenset(getattr(getattr(settings, "notify", None), "on", KINDS))
        self.notifier = Notifier(channels, ping, told, store, clock, lambda text, level: self._tell("log", text, level))
        self._book = RowBook(store, self.runner.ticks, f"{VERSION} {policy_print(self.policy)}")
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

    def _fresh_maker(self) -> RowMaker:
        self._forget()
        return self._row_maker()

    def rows(self, kind: Kind) -> HubRows:
        """The whole hub, sorted by label. Made whole once; afterwards only what moved is made again. May be asked in
        a thread."""
        with self._making:
            return self._book.rows(kind, self._fresh_maker)

    def _rows_for_detail(self, kind: Kind) -> HubRows:
        """The rows without a long wait: while a thread makes them anew, those that were there."""
        free = self._making.acquire(blocking=False)
        if not free:
            old = self._book.old(kind)
            if old is not None:
                return old
            self._making.acquire()
        try:
            return self._book.rows(kind, self._fresh_maker, old_will_do=True)
        finally:
            self._making.release()

    def _contacts_of(self, firm: str) -> list[Record]:
        return contacts_of(self.store, self._rows_for_detail(Kind.CONTACT), firm)

    def rows_at_hand(self, kind: Kind) -> bool:
        """Whether `rows` answers without going over all records, as it does where they were kept."""
        with self._making:
            return self._book.at_hand(kind)

    @property
    def is_big(self) -> bool:
        """Whether there are so many records that going over all of them is not for a front end's own thread."""
        return self.store.count() > BIG

    def keep_rows(self) -> None:
        """Keep the rows for the next program, as far as they moved, and give back the memory that making them took.
        May be called in a thread."""
        if not self.readonly:
            with self._making:
                self._book.keep(self._fresh_maker)
        give_back()

    def contact_rows(self, *, firm: str | None = None, project: str | None = None) -> Sequence[Row]:
        """Contacts of a firm or of a project, by the CRM."""
        maker = self._row_maker()
        if project is not None:
            owner = self._record(Kind.PROJECT, project, Side.CRM)
            ticked = self._ticking.ticked_of_project(project)
            listed = (self.store.record(Kind.CONTACT, Side.CRM, entry.key) for entry in owner.contacts or ())
            rows = [replace(maker.row(record), marked=record.key in ticked) for record in listed if record is not None]
        elif firm is not None:
            self._record(Kind.FIRM, firm, Side.CRM)
            rows = [maker.row(record) for record in self._contacts_of(firm)]
        else:
            return self.rows(Kind.CONTACT)
        return sorted(rows, key=lambda row: (row.label.casefold(), row.id))

    def _record(self, kind: Kind, key: str, side: Side) -> Record:
        record = self.store.record(kind, side, key)
        if record is None:
            raise UsageError(f"there is no {kind} with the key {key!r} in {side}")
        return record

    def row(self, kind: Kind, key: str, side: Side = Side.CRM) -> Row:
        return self._row_maker().row(self._record(kind, key, side))

    def detail(self, row: Row) -> Detail:
        return self._detail_maker().detail(self.row(row.kind, row.key, row.side))

    def _detail_maker(self) -> DetailMaker:
        connections = self.runner.puller.connections or {side: Connection(side) for side in Side}
        look = quick_look(self.store, self.policy, self.mode, connections, self.clock.now())
        return DetailMaker(
            self.store, self.policy, self.facts, self._row_maker(), self._ticking, look, self._rows_for_detail
        )

    def templates(self) -> tuple[TemplateChoice, ...]:
        facts = self.facts
        return tuple(TemplateChoice(t, template_refusal(facts, self.policy, t)) for t in facts.crm_templates)

    @property
    def facts(self) -> Facts:
        return remembered(self.store)

    # -- mode and switches --------------------------------------------------------------------------

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

    def _act(self) -> None:
        if self.readonly:
            raise UsageError("this program was started read-only")

    def _put(self, name: str, value: Any) -> None:
        with self.store.transaction() as tx:
            tx.put_setting(name, value)

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

    # -- from outside ------------------------------------------------------------------------------

    @property
    def checkups(self) -> Checkups:
        """Doctor, probes, rehearsal. Raises UsageError where this program was put together without them."""
        if self._checkups is None:
            raise UsageError("this program was started without its checks: use `ajerasync doctor`")
        return self._checkups
