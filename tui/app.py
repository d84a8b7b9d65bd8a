"""The terminal program: the places, the keys that work everywhere, and the engine as tasks of the app's own loop."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path
from threading import get_ident
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widget import Widget
from textual.worker import Worker, WorkerState

from core.errors import AjerasyncError, GuardTripped, RunInProgress, SystemFailure, UsageError
from core.model.plan import Plan
from tui.alarm import TerminalAlarm
from tui.all_keys import Elsewhere, elsewhere, has_binding, help_elsewhere
from tui.comeback import ComeBack
from tui.crash import write_report
from tui.driver import Ending, PatientDriver, install_signal_handlers
from tui.keys import OrderedKeysApp
from tui.messages import EngineTold, PlanMade, RunEnded
from tui.modals.confirm import QuitAsk, RunAsk, plan_lines
from tui.opening import opened
from tui.own_keys import known_keys, own_keys
from tui.paint_memory import RELEASE_SECONDS, release
from tui.places import present_places
from tui.screens.base import PlaceScreen
from tui.session import Session
from tui.themes import ansi_color_for, apply_theme, choose_glyphs, use_glyphs, wants_plain
from tui.widgets.ask import Ask
from tui.widgets.help import HelpScreen, keys_here
from tui.widgets.toast import toast

if TYPE_CHECKING:
    from core.engine.service import Service

Severity = Literal["information", "warning", "error"]
BATCH_SECONDS: Final = 0.25
ALARM_SECONDS: Final = 15.0
COMEBACK_SECONDS: Final = 2.0
USAGE: Final = 2
SWITCH_SECONDS: Final = 0.0005  # how long a thread at work keeps the others waiting; a key passes through three
PLACES = Binding.Group("Places")
ENGINE = Binding.Group("Runs")
PROGRAM = Binding.Group("Program")


class AjerasyncApp(OrderedKeysApp[None]):
    """The app. `service` is open; whoever opened it closes it after the app has ended."""

    TITLE = "ajerasync"
    CSS_PATH = ["styles/widgets.tcss", "styles/app.tcss"]
    MODES = {place.id: place.make for place in present_places()}
    DEFAULT_MODE = "firms"
    NOTIFICATION_TIMEOUT = 8
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(place.key, f"place('{place.id}')", f"Go to {place.label}", show=False, id=f"place.{place.id}", group=PLACES,
                    tooltip=place.about)
            for place in present_places()
        ),
        Binding("p", "plan", "Plan", id="app.plan", group=ENGINE,
                tooltip="Read both systems and show what a run would do; nothing is written"),
        Binding("R", "run_now", "Run now", id="app.run", group=ENGINE,
                tooltip="Show what would be written, ask, and write it"),
        Binding("D", "dry_run", "Dry run", id="app.dry-run", group=ENGINE,
                tooltip="Read both systems and say what a run would write; stay here"),
        Binding("P", "pause", "Pause/resume", id="app.pause", group=ENGINE, tooltip="Pause or resume the schedule"),
        Binding("x", "stop", "Stop", id="app.stop", group=ENGINE, tooltip="Stop the plan or run after what it does now"),
        Binding("l", "log_panel", "Log", id="app.log", group=PROGRAM, tooltip="Show or hide the log under this place"),
        Binding("question_mark", "help_here", "Help", id="app.help", group=PROGRAM, key_display="?",
                tooltip="What every key does on this screen"),
        Binding("q", "ask_quit", "Quit", id="app.quit", group=PROGRAM, tooltip="Leave; asks when something would stop"),
        Binding("ctrl+p", "command_palette", "All actions", id="app.palette", group=PROGRAM,
                tooltip="Every action with its key, to search"),
    ]  # fmt: skip

    def __init__(self, service: Service, *, plain: bool = False, **rest: Any) -> None:
        super().__init__(ansi_color=ansi_color_for(plain=plain), **rest)
        self.session = Session(service, wake=self._engine_told)
        self.animation_level = "none"
        ui = getattr(service.settings, "ui", None)
        apply_theme(self, service.ui_choice("theme") or getattr(ui, "theme", None) or "", plain=plain)
        self._plain = plain
        self._headless_on = getattr(ui, "hangup", "end") == "headless"
        self.alarm = TerminalAlarm(self, bell=getattr(ui, "bell", True), title=getattr(ui, "title", True))
        self.ending: Ending | None = None
        self._batch_due = self._broken = self.open_anew = False
        self._leaving: Callable[[], None] | None = None

    @property
    def service(self) -> Service:
        """The engine."""
        return self.session.service

    # -- life ------------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        if not self.is_headless:
            self.ending = install_signal_handlers(self, self._hung_up)
        self.session.open()
        self._take_own_keys()
        self.set_interval(ALARM_SECONDS, self._look_for_alarm)
        self.set_interval(RELEASE_SECONDS, release)
        self.set_interval(COMEBACK_SECONDS, ComeBack(self.session, self._read_again, self._open_anew).look)
        self.run_worker(self.service.run_schedule(), group="schedule", exit_on_error=False)
        if self.session.status.mode is None:  # neither system was ever asked: the hubs would be empty
            self.start_work(self.read_systems())

    def _read_again(self) -> None:
        """What could not be reached is looked for once more."""
        self.run_worker(self._make_plan(again=True), group="engine", exclusive=True, exit_on_error=False)

    def _open_anew(self) -> None:
        """The settings changed while a login was refused: the same program with the new ones."""
        self.open_anew = True
        self.exit()

    def on_unmount(self) -> None:
        self.alarm.tell("")
        self.session.close()

    def _hung_up(self) -> None:
        """The terminal is gone: the running action ends, then the program; or all goes on without a screen."""
        ending = self.ending
        if self._headless_on:
            self.service.note("the terminal is gone: the schedule goes on without a screen; SIGTERM ends it", "warning")
        elif ending is not None:
            self._leave_when_idle(lambda: ending.end(1))

    def _take_own_keys(self) -> None:
        """The settings' keys; what is wrong with them is said and stands in the log."""
        wanted = getattr(getattr(self.service.settings, "ui", None), "keys", {})
        if not wanted:
            return
        chosen, wrong = own_keys(wanted, known_keys(_bound_classes()))
        self.set_keymap(chosen)
        for words in wrong:
            toast(self, words, "warning", seconds=20)
            self.service.note(words, "warning")

    def _look_for_alarm(self) -> None:
        """Bell and title follow what the header says is wrong."""
        trouble, status = self.session.trouble, self.session.status
        self.alarm.tell(trouble.what if trouble else status.stale_reason if status.stale else "")

    def choose_theme(self, name: str) -> None:
        """Keep a theme that was chosen on the screen."""
        if not self._plain:
            self.service.keep_ui_choice("theme", name)

    def _leave_when_idle(self, leave: Callable[[], None]) -> None:
        self._leaving = leave
        if self.session.progress.phase == "idle":
            leave()
        else:
            self.service.cancel()

    # -- events ----------------------------------------------------------------------------------------------

    def _engine_told(self) -> None:
        """Something happened: hand it on with the next batch. May be told in any thread."""
        if get_ident() != self._thread_id:
            self.call_later(self._engine_told)
        elif not self._batch_due and self._running:
            self._batch_due = True
            self.set_timer(BATCH_SECONDS, self.hand_on)

    def hand_on(self) -> None:
        """Give what happened to the place on the screen."""
        self._batch_due = False
        events = self.session.take()
        self._look_for_alarm()
        place = self.place_screen
        if place is not None and events:
            place.post_message(EngineTold(events))
        if self._leaving is not None and self.session.progress.phase == "idle":
            leave, self._leaving = self._leaving, None
            leave()

    @property
    def place_screen(self) -> PlaceScreen | None:
        """The place now shown, under dialogs if there are any."""
        return next((screen for screen in self.screen_stack if isinstance(screen, PlaceScreen)), None)

    # -- work ------------------------------------------------------------------------------------------------

    def start_work(self, job: Coroutine[Any, Any, None]) -> None:
        """Start a plan or a run, unless one is going on."""
        if self.session.busy:
            job.close()
            toast(self, "A plan or a run is going on: x stops it.", "warning")
            return
        self.run_worker(job, group="engine", exclusive=True, exit_on_error=False)

    async def read_systems(self) -> None:
        """The first look at both systems: the hubs fill, nothing is written."""
        await self._make_plan()

    async def _make_plan(self, *, again: bool = False) -> Plan | None:
        """`again`: nobody asked for it now, so a failure is no news."""
        self.session.doing = "reading both systems"
        self._refresh_place()
        try:
            return await self.service.make_plan()
        except AjerasyncError as error:
            if not again:
                self.told_off(error)
            elif isinstance(error, SystemFailure):
                self.session.failed(error)
            return None
        finally:
            self.session.doing = ""
            self.session.generation += 1
            self.session.forget_status()
            self._refresh_place()

    def _refresh_place(self) -> None:
        place = self.place_screen
        if place is not None and place.is_mounted:
            place.post_message(EngineTold(()))

    def told_off(self, error: AjerasyncError) -> None:
        """Say what went wrong: for good where it stays wrong, for a moment where only this act was refused."""
        if isinstance(error, (SystemFailure, GuardTripped)):
            self.session.failed(error)
        severity: Severity = "warning" if isinstance(error, (UsageError, RunInProgress)) else "error"
        toast(self, str(error), severity, seconds=12)
        self._refresh_place()

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """A worker that broke is a mistake of this program: say so, keep a report, go on."""
        if event.state is WorkerState.ERROR and event.worker.error is not None:
            error = event.worker.error
            if isinstance(error, AjerasyncError):
                self.told_off(error)
                return
            self.session.doing = ""
            path = write_report(error, self.report_folder)
            toast(self, f"Something broke inside ({type(error).__name__}). Report: {path}", "error", seconds=20)

    # -- keys that work everywhere -----------------------------------------------------------------------------

    def action_place(self, place: str) -> None:
        """Go to another place."""
        if place in self.MODES and place != self.current_mode:
            self.switch_mode(place)

    def action_plan(self) -> None:
        """Make a plan and go to it."""
        self.start_work(self._plan_job())

    async def _plan_job(self) -> None:
        plan = await self._make_plan()
        if plan is None:
            return
        self.action_place("plan")
        place = self.place_screen
        if place is not None:
            place.post_message(PlanMade(plan))
        if "plan" not in self.MODES:
            await self.push_screen_wait(Ask("What a run would do", plan_lines(plan), (), cancel="Close"))

    def action_dry_run(self) -> None:
        """Say what a run would write, and write nothing."""
        self.start_work(self._dry_run_job())

    async def _dry_run_job(self) -> None:
        plan = await self._make_plan()
        if plan is not None:
            await self.push_screen_wait(Ask("Dry run: nothing was written", plan_lines(plan), (), cancel="Close"))

    def action_run_now(self) -> None:
        """Plan, show what would be written, ask, write."""
        if self.service.readonly:
            toast(self, "This program was started read-only.", "warning")
        else:
            self.start_work(self._run_job())

    async def _run_job(self) -> None:
        plan = await self._make_plan()
        if plan is not None:
            await self.run_plan(plan)

    async def run_plan(self, plan: Plan) -> None:
        """Ask, then apply exactly this plan; one without actions writes nothing and is only put on record. For a
        worker of the group "engine"."""
        place = self.place_screen
        unseen = place.ticked_out_of_view() if place is not None else ()
        before = self._last_run()
        if plan.actions and await self.push_screen_wait(RunAsk(plan, unseen)) != "run":
            return
        if self._last_run() != before:  # the schedule was quicker: what was shown is not what is due now
            toast(self, "A scheduled run came in between: this is what is left.", "warning")
            fresh = await self._make_plan()
            if fresh is not None:
                await self.run_plan(fresh)
            return
        try:
            record = await self.service.run(
                plan=plan, approve=plan.digest if plan.guards else None, follow=not plan.guards
            )
        except AjerasyncError as error:
            self.told_off(error)
            return
        finally:
            self.session.generation += 1
            self.session.forget_status()
            self._refresh_place()
        done: Severity = "information" if record.outcome == "ok" else "warning"
        left = "; what is left waits for a person in the Inbox" if plan.waiting else ""
        toast(self, f"Run {record.outcome}: {_written(record.counts)}{left}", done)
        place = self.place_screen
        if place is not None:
            place.post_message(RunEnded(record))

    def _last_run(self) -> str:
        return next((run.id for run in self.service.runs(1)), "")

    def action_pause(self) -> None:
        """Pause the schedule or resume it."""
        try:
            if self.session.status.paused:
                self.service.resume()
            else:
                self.service.pause()
        except AjerasyncError as error:
            self.told_off(error)
            return
        self.session.forget_status()
        toast(self, "Schedule paused." if self.session.status.paused else "Schedule resumed.")

    def action_stop(self) -> None:
        """Stop what is going on: a run between two actions, a plan at once."""
        if not self.session.busy and self.session.checking:
            self.workers.cancel_group(self, "checkup")
            toast(self, "The check is stopped.")
        elif not self.session.busy:
            toast(self, "Nothing is going on.")
        elif self.session.progress.phase == "applying":
            self.service.cancel()
            toast(self, "The run stops after the action it is at.")
        else:
            self.service.cancel()
            self.workers.cancel_group(self, "engine")
            toast(self, "Stopped; nothing was written.")

    def action_log_panel(self) -> None:
        """Show or hide the log panel."""
        self.session.show_log = not self.session.show_log
        place = self.place_screen
        if place is not None:
            place.show_log(self.session.show_log)

    def action_help_here(self) -> None:
        """What the keys do here."""
        self.push_screen(HelpScreen.of(self.screen, more=help_elsewhere(self, self.screen)))

    def action_ask_quit(self) -> None:
        """Leave, or ask first when something would stop."""
        reasons = quit_reasons(self.session)
        if not reasons:
            self.exit()
        else:
            self.push_screen(QuitAsk(reasons), self._quit_answered)

    async def action_quit(self) -> None:
        """The screen library's own ctrl+q, which works in every dialog: it leaves as `q` does, and asks as `q` does."""
        if not isinstance(self.screen, QuitAsk):
            self.action_ask_quit()

    def action_help_quit(self) -> None:
        """Ctrl-C: it would be a pity to lose the screen by a key that copies elsewhere."""
        toast(self, "ctrl+q leaves, and asks first when something would stop. x stops a run.")

    def _quit_answered(self, answer: str | None) -> None:
        if answer == "quit":
            self._leave_when_idle(self.exit)

    # -- palette -----------------------------------------------------------------------------------------------

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Every action that has a key, with the key: first what works here, then what other places have."""
        keys = {key.does: key for key in keys_here(screen)}
        seen: set[str] = set()
        for active in screen.active_bindings.values():
            binding = active.binding
            named = binding.id is not None and not binding.id.startswith("list.")  # moving about is no action
            if not named or not binding.description or binding.description in seen or binding.id == "app.palette":
                continue
            seen.add(binding.description)
            told = keys.get(binding.description)
            shown = told.keys if told else binding.key
            yield SystemCommand(f"{binding.description}  ({_key_name(shown)})", binding.tooltip or binding.description,
                                self._runner(binding.action, active.node))  # fmt: skip
        for each in elsewhere(self, screen):
            binding = each.binding
            if (binding.id or "").startswith("list.") or binding.description in seen or not binding.description:
                continue
            title = f"{binding.description}  ({_key_name(each.keys)}, in {each.where})"
            yield SystemCommand(title, binding.tooltip or binding.description, self._runner_at(each))

    def _runner_at(self, each: Elsewhere) -> Callable[[], None]:
        """To the place first (it is there already, if it has it), then the action, by what on it has the binding."""

        def run() -> None:
            here = self.place_screen
            if here is None or here.PLACE not in {place.id for place in each.places}:
                self.action_place(each.places[0].id)
            self.call_later(self.call_after_refresh, act)

        async def act() -> None:
            place = self.place_screen
            owner = place and next(
                (node for node in (place, *place.query("*")) if has_binding(node, each.binding)), None
            )
            if isinstance(owner, Widget) and owner is not place and owner.can_focus:
                owner.focus()
            if owner is not None:
                await self.run_action(each.binding.action, owner)

        return run

    def _runner(self, action: str, node: Any) -> Callable[[], None]:
        def run() -> None:
            self.call_later(self.run_action, action, node)

        return run

    # -- crash -------------------------------------------------------------------------------------------------

    @property
    def report_folder(self) -> Path:
        """Where reports go: the profile's state folder."""
        paths = getattr(self.service.settings, "paths", None)
        return paths.state if paths is not None else Path.cwd()

    def _fatal_error(self) -> None:
        """Textual would print every local variable. Here: one sentence, and a report without values."""
        if self._broken:  # what breaks while it breaks adds nothing
            return
        self._broken = True
        error = sys.exc_info()[1] or self._exception
        path = write_report(error, self.report_folder) if error is not None else None
        name = type(error).__name__ if error is not None else "unknown error"
        where = f"A report without record data is in {path}" if path else "No report could be written"
        self._exit_renderables.append(f"ajerasync broke ({name}). {where}.\nTicks and finished work are kept.")
        self._close_messages_no_wait()


def _bound_classes() -> list[type[Any]]:
    """The app, every place and the lists on them: what keys may clash on. Asked for only where keys were chosen."""
    from tui.screens.record_pane import RecordPane
    from tui.widgets.fields import FieldList
    from tui.widgets.log_panel import LogPanel
    from tui.widgets.outline import Outline
    from tui.widgets.record_table import RecordTable

    places = [type(place.make()) for place in present_places()]
    return [AjerasyncApp, RecordTable, RecordPane, FieldList, Outline, LogPanel, *places]


def _key_name(keys: str) -> str:
    """Brackets in words: the palette would take them for markup."""
    return keys.replace("[", "left bracket").replace("]", "right bracket")


def _written(counts: Any) -> str:
    parts = [f"{counts[name]} {word}" for name, word in _DONE_WORDS if counts.get(name)]
    return ", ".join(parts) or "nothing to write"


_DONE_WORDS: Final = (
    ("create", "created"), ("update", "updated"), ("link", "linked"), ("unlink", "unlinked"), ("failed", "failed"),
    ("skipped", "skipped"),
)  # fmt: skip


def quit_reasons(session: Session) -> list[str]:
    """What would stop or wait if the program ended now; empty when nothing is at stake."""
    status, reasons = session.status, []
    if session.progress.phase == "applying":
        reasons.append("A run is going on: it stops after the action it is at, the rest waits for the next run.")
    elif session.busy:
        reasons.append("Both systems are being read: that stops.")
    if session.checking:
        reasons.append("A check of the whole is going on: it stops.")
    pending = session.pending_ticks()
    if pending:
        reasons.append(f"{pending} ticked records were not sent yet. Their ticks are kept; R sends them now.")
    own_schedule = status.cron and status.enabled and not status.paused and not session.service.readonly
    if own_schedule and status.next_runs:
        reasons.append(
            f"The schedule stops with this program; the next run would have been at {session.next_run_text()}. "
            "`ajerasync watch` goes on without a screen."
        )
    return reasons


def usable_terminal() -> bool:
    """Whether there is a terminal to draw on: Textual reads standard input and paints to standard error."""
    streams = (sys.__stdin__, sys.__stderr__)
    try:
        there = all(stream is not None and stream.isatty() for stream in streams)
    except ValueError:  # closed
        return False
    return there and os.environ.get("TERM", "") != "dumb"


def open_ui(
    open_service: Callable[[], Service],
    *,
    readonly: bool,  # noqa: ARG001 - the service was told
    ascii: bool,  # noqa: A002
    plain: bool,
    mouse: bool,
) -> int:
    """Open the UI until it is closed; the exit code. Raises what `open_service` raises once the person gave up."""
    if not usable_terminal():
        print(  # noqa: T201
            "The UI needs a terminal. `ajerasync status` and `ajerasync run` work without one.", file=sys.stderr
        )
        return USAGE
    use_glyphs(choose_glyphs(ascii_only=ascii))
    if plain:
        os.environ["NO_COLOR"] = "1"  # Textual chooses its colour filter by this alone
    sys.setswitchinterval(SWITCH_SECONDS)
    return asyncio.run(_until_closed(open_service, plain=wants_plain(plain=plain), mouse=mouse))


async def _until_closed(open_service: Callable[[], Service], *, plain: bool, mouse: bool) -> int:
    while True:
        service = await opened(open_service, plain=plain, mouse=mouse, driver_class=PatientDriver)
        try:
            app = AjerasyncApp(service, plain=plain, driver_class=PatientDriver)
            await app.run_async(mouse=mouse)
        finally:
            await service.close()
        if not app.open_anew:
            return app.return_code or 0
