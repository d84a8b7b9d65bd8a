"""When does it run, and is it healthy? The cron editor with the next five times; below it everything of the engine."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, tzinfo
from typing import ClassVar
from zoneinfo import ZoneInfo

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from core.engine.events import Event
from core.errors import AjerasyncError
from tui.formatting import age
from tui.modals.health import HEALTH_KEYS, HealthScreen
from tui.screens.checkup_lines import brief_words
from tui.screens.cron_words import cron_words
from tui.screens.health_lines import health_lines, schedule_lines
from tui.screens.split import SplitScreen
from tui.widgets.cron import CronAnswer, CronEditor
from tui.widgets.filter import QuietInput
from tui.widgets.text_lines import Line, TextLines, labelled, shown
from tui.widgets.toast import toast

CLOCK_SECONDS = 1.0
SCHEDULE = Binding.Group("Schedule")


class ScheduleScreen(SplitScreen):
    """Place 8."""

    PLACE = "schedule"
    DETAIL_PAGE = False
    AUTO_FOCUS = "#health"
    HELP = (
        "e goes to the schedule: minute, hour, day of month, month, weekday; a sixth field is seconds. What it means and "
        "the next five times stand below as you type. Enter saves, escape leaves without saving. H checks the whole, M probes "
        "how this tenant answers, W rehearses the next run on a copy."
    )
    FOOTER: ClassVar[Sequence[str]] = (
        "inbox.type", "health.check", "health.probe", "health.rehearse", "app.pause", "app.help", "app.run", "app.plan", "app.log", "app.quit", "app.palette",
        "hub.back",
    )  # fmt: skip
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "edit", "Edit schedule", id="inbox.type", group=SCHEDULE,
                tooltip="Type another schedule or time zone; enter saves it"),
        *HEALTH_KEYS,
    ]  # fmt: skip
    DEFAULT_CSS = """
    ScheduleScreen #split-list { padding: 0 1; background: $surface; }
    ScheduleScreen .form-title { text-style: bold; height: 1; }
    ScheduleScreen #zone-line { height: 1; margin-top: 1; }
    ScheduleScreen #zone-line Static { width: 11; }
    ScheduleScreen #zone { width: 1fr; background: $panel; }
    ScheduleScreen #cron { height: auto; }
    ScheduleScreen #schedule-note { height: auto; margin-top: 1; color: $foreground 85%; }
    ScheduleScreen:ansi #schedule-note { color: ansi_default; }
    ScheduleScreen.-narrow #body #split { layout: vertical; }
    ScheduleScreen.-narrow #split #split-list { width: 100%; height: auto; }
    ScheduleScreen.-narrow #split #split-detail { display: block; width: 100%; height: 1fr; border-top: solid $foreground 35%; }
    ScheduleScreen.-narrow.-ascii #split #split-detail { border-top: ascii $primary; }
    ScheduleScreen.-narrow:ansi #split #split-detail { border-top: solid ansi_default; }
    ScheduleScreen.-narrow #zone-line { margin-top: 0; }
    ScheduleScreen.-narrow #schedule-note { margin-top: 0; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._in_force: tuple[str, str] = ("", "")

    # -- layout ----------------------------------------------------------------------------------------------

    def compose_list(self) -> Iterable[Widget]:
        status = self.session.status
        self._in_force = (status.cron, status.timezone)
        yield Static("Runs are due at", classes="form-title", markup=False)
        yield CronEditor(self.explain, status.cron, zone=_zone(status.timezone), id="cron")
        with Horizontal(id="zone-line"):
            yield Static("Time zone", markup=False)
            yield QuietInput(status.timezone, placeholder="America/Chicago", id="zone")
        yield Static("", id="schedule-note", markup=False)

    def compose_detail(self) -> Iterable[Widget]:
        yield TextLines(self.tell, id="health")

    @property
    def home(self) -> Widget:
        return self.query_one("#health", TextLines)

    @property
    def editor(self) -> CronEditor:
        """The expression."""
        return self.query_one("#cron", CronEditor)

    @property
    def zone_text(self) -> str:
        """The time zone that is typed."""
        fields = self.query("#zone")
        return fields.first(QuietInput).value.strip() if fields else self._in_force[1]

    # -- data ------------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        self.set_interval(CLOCK_SECONDS, self.tick)

    def tick(self) -> None:
        """The countdown and the ages go on while they are looked at; sends nothing when no word changed."""
        if self.is_current:
            self.query_one("#health", TextLines).retell()

    def reload(self) -> None:
        """Take the schedule in force into the editor, unless it is being changed here."""
        now = (self.session.status.cron, self.session.status.timezone)
        if now != self._in_force and not self.unsaved:
            self.editor.set_expression(now[0])
            self.query_one("#zone", QuietInput).value = now[1]
        self._in_force = now
        self._show()

    def engine_told(self, events: Sequence[Event]) -> None:  # noqa: ARG002
        self._show()

    def _show(self) -> None:
        self.query_one("#health", TextLines).retell()
        self._show_note()

    def tell(self, width: int) -> Sequence[Line]:
        """Everything beside the editor."""
        status = self.session.status
        readonly = self.service.readonly
        paths = getattr(self.service.settings, "paths", None)
        now, zone = datetime.now(UTC), _zone(status.timezone)
        return [
            *schedule_lines(status, now, zone, readonly=readonly, width=width),
            *self._check_lines(now, width),
            *health_lines(status, paths, readonly=readonly, width=width),
        ]

    def _check_lines(self, now: datetime, width: int) -> Sequence[Line]:
        """The check that goes on, or how the last one ended."""
        checkup = self.session.checkup
        if checkup is None:
            return labelled("Checked", "not since this program started: H checks", width, room=16)
        if checkup.going_on:
            return labelled("Checking", checkup.state_words(now), width, room=16)
        words = f"{checkup.name} {age(checkup.ended, now)}: {brief_words(checkup)}"
        return labelled("Checked", words, width, room=16, style="warn" if checkup.wrong else "")

    def action_health(self, what: str) -> None:
        """Doctor, probes or a rehearsal; the report in a dialog."""
        self.app.push_screen(HealthScreen(what), lambda _nothing: self._show())

    # -- the editor --------------------------------------------------------------------------------------------

    def explain(self, expression: str) -> CronAnswer:
        """What an expression means in the time zone that is typed, or what is wrong with either."""
        try:
            times = self.service.next_runs(expression, 5, self.zone_text or None)
        except AjerasyncError as error:
            return CronAnswer(error=str(error))
        if not times:
            return CronAnswer(error="it is never due in the next five years")
        words = cron_words(expression)
        return CronAnswer(f"{words[:1].upper()}{words[1:]}; the next five, {self.zone_text}:", times)

    @property
    def unsaved(self) -> bool:
        """Whether something else stands in the editor than is in force."""
        return (self.editor.expression, self.zone_text) != self._in_force

    def _show_note(self) -> None:
        if self.focused in (self.query_one("#zone"), self.editor.query_one(QuietInput)):
            words = "enter saves   escape leaves without saving   tab: the other line"
        elif self.unsaved:
            words = "Changed, not saved: e goes back to it, enter there saves; escape there takes it back."
        else:
            words = "" if self._in_force[0] else "No schedule: nothing runs by itself. e types one."
        self.query_one("#schedule-note", Static).update(Content(shown(words)))

    def on_descendant_focus(self) -> None:
        self._show_note()

    def on_descendant_blur(self) -> None:
        self._show_note()

    @on(CronEditor.Changed, "#cron")
    def _expression_changed(self, event: CronEditor.Changed) -> None:
        event.stop()
        self._show_note()

    @on(Input.Changed, "#zone")
    def _zone_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.editor.set_zone(_zone(self.zone_text))
        self._show_note()

    @on(CronEditor.Submitted, "#cron")
    def _expression_entered(self, event: CronEditor.Submitted) -> None:
        event.stop()
        self.save()

    @on(Input.Submitted, "#zone")
    def _zone_entered(self, event: Input.Submitted) -> None:
        event.stop()
        self.save()

    def save(self) -> None:
        """Put what stands here in force; what is wrong with it stays where it was typed."""
        answer = self.explain(self.editor.expression) if self.editor.expression else self.editor.answer
        if answer.error:
            toast(self.app, f"Not saved: {answer.error}", "warning")
            return
        try:
            self.service.set_schedule(self.editor.expression, self.zone_text or None)
        except AjerasyncError as error:
            self.refused(error)
            return
        self.session.forget_status()
        self._in_force = (self.editor.expression, self.zone_text)
        self.focus_home()
        self._show()
        self.refresh_header()
        toast(self.app, f"Schedule saved: {cron_words(self.editor.expression)}")

    def action_edit(self) -> None:
        """To the expression."""
        self.set_focus(self.editor.query_one(QuietInput))

    def action_back(self) -> None:
        """Out of the editor; what was not saved is taken back."""
        if self.unsaved:
            self.editor.set_expression(self._in_force[0])
            self.query_one("#zone", QuietInput).value = self._in_force[1]
        self.focus_home()
        self._show_note()

    def action_filter(self) -> None:
        """Nothing to filter here."""
        toast(self.app, "There is no list to filter here.")

    def copy_text(self) -> tuple[str, str]:
        return self._in_force[0], "the schedule"


def _zone(name: str) -> tzinfo | None:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        return None
