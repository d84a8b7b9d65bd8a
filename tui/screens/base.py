"""What every place has: the header, the strip of places, its body, the log panel, the footer.

A place subclasses `PlaceScreen`, names itself (`PLACE`), composes its body, and may override `engine_told` (a batch of
events while it is on the screen) and `reload` (its data may be old: it was away, or a run changed things).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from time import monotonic
from typing import TYPE_CHECKING, ClassVar, Final, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import Screen
from textual.widget import Widget

from core.engine.events import Event
from core.engine.service import Service
from core.filtering import parse_query
from tui.clipboard import copy_out
from tui.glyphs import glyphs
from tui.messages import EngineTold
from tui.modals.value import ValueAsk
from tui.places import present_places
from tui.saved import keep_filter, saved_filters
from tui.screens.words import header_lines
from tui.session import Session
from tui.widgets.filter import FilterBar
from tui.widgets.key_line import KeyLine
from tui.widgets.log_find import LogFind
from tui.widgets.log_panel import LogPanel
from tui.widgets.pick import Entry, Pick
from tui.widgets.status_line import StatusLine
from tui.widgets.tabs import Place, PlaceTabs
from tui.widgets.toast import toast

if TYPE_CHECKING:
    from tui.app import AjerasyncApp


LIST = Binding.Group("List")
FRAME_SECONDS: Final = 1 / 60
RELOAD_SECONDS: Final = 1.0  # between two looks at what a run that goes on has written


class PlaceScreen(Screen[None]):
    """Base of the nine places. See the module."""

    PLACE: ClassVar[str] = ""
    #: Ids of bindings for the footer, most important first; what does not fit is left out whole.
    FOOTER: ClassVar[Sequence[str]] = ("app.plan", "app.run", "app.dry-run", "app.log", "app.help", "app.quit")
    #: The Log place shows the log itself.
    LOG_PANEL: ClassVar[bool] = True
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide"), (140, "-broad")]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "app.focus_next", "Next part", show=False, id="place.next-part",
                tooltip="To the next part of the screen: list, record, filter"),
        Binding("shift+tab", "app.focus_previous", "Part before", show=False, id="place.previous-part",
                tooltip="To the part of the screen before"),
        Binding("b", "saved_filters", "Saved filters", id="filter.saved", group=LIST,
                tooltip="Choose a saved filter of this place"),
        Binding("B", "save_filter", "Save filter", id="filter.save", group=LIST,
                tooltip="Save the filter that stands in the line, under a name"),
    ]  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self._seen_generation = -1
        self._seen_lines = 0
        self._painted_at = 0.0
        self._reload_at = 0.0
        self._reload_waits = False
        self.set_class(glyphs().name == "ascii", "-ascii")

    @property
    def session(self) -> Session:
        """What all screens share."""
        return cast("AjerasyncApp", self.app).session

    @property
    def service(self) -> Service:
        """The engine."""
        return self.session.service

    # -- layout ----------------------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        yield StatusLine(self._header, id="header")
        places = [Place(place.id, place.key, place.label, short=place.short) for place in present_places()]
        yield PlaceTabs(places, self.PLACE, id="places")
        with Vertical(id="body"):
            yield from self.compose_body()
        if self.LOG_PANEL:
            panel = LogPanel(id="log-panel")
            yield LogFind(panel, id="log-find")
            yield panel
        yield KeyLine(self.FOOTER, id="keys")

    def compose_body(self) -> Iterable[Widget]:
        """The place itself."""
        raise NotImplementedError

    def _header(self, now: datetime, width: int) -> str:
        session = self.session
        return header_lines(
            session.status,
            session.progress,
            session.trouble,
            session.doing,
            now,
            width,
            readonly=session.service.readonly,
        )

    # -- life ------------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        self._catch_up()

    def on_screen_resume(self) -> None:
        self._catch_up()

    def _catch_up(self) -> None:
        if not self.is_attached or not self.query("#header"):
            return
        self.refresh_header()
        self.show_log(self.session.show_log)
        self._fill_log()
        if self._seen_generation != self.session.generation:
            self._seen_generation = self.session.generation
            self.reload()

    def on_engine_told(self, message: EngineTold) -> None:
        message.stop()
        self._fill_log()
        self.refresh_header()
        self.engine_told(message.events)
        if self._seen_generation != self.session.generation:
            self._reload_in_time()

    def _reload_in_time(self) -> None:
        """While a run writes one record after the other, what is shown follows once a second."""
        wait = self._reload_at - monotonic() if self.session.progress.phase == "applying" else 0.0
        if wait <= 0:
            self._reload_waits = False
            self._reload_at = monotonic() + RELOAD_SECONDS
            self._seen_generation = self.session.generation
            self.reload()
        elif not self._reload_waits:
            self._reload_waits = True
            self.set_timer(wait, self._reload_due)

    def _reload_due(self) -> None:
        if self._reload_waits:
            self._reload_in_time()

    def engine_told(self, events: Sequence[Event]) -> None:
        """A batch of events while this place is on the screen."""

    def reload(self) -> None:
        """Data may have changed: read it again from the service, keeping cursor and scroll."""

    def paint_now(self, *widgets: Widget) -> None:
        """Send what looks different in these by now, before what is done next: that may wait for the disk. Textual itself
        paints when all that was asked for is done, sixty times a second at most; so it does with keys that come faster."""
        now = monotonic()
        if now - self._painted_at >= FRAME_SECONDS:
            self._painted_at = now
            self._dirty_widgets.update(widgets)
            self._on_timer_update()

    def refresh_header(self) -> None:
        """The header and the numbers on the strip of places."""
        self.query_one("#header", StatusLine).refresh_words()
        strip = self.query_one("#places", PlaceTabs)
        queues = self.session.status.queues
        for place in present_places():
            strip.set_waiting(place.id, sum(queues.get(name, 0) for name in place.queues))

    # -- the log panel -----------------------------------------------------------------------------------------

    def show_log(self, on: bool) -> None:
        """Show the log panel under this place, or hide it."""
        if not self.LOG_PANEL:
            return
        panel = self.query_one("#log-panel", LogPanel)
        if panel.display != on:
            if not on and (panel.has_focus or self.query_one(LogFind).has_focus):
                self.focus_home()
            panel.display = on
            self.query_one(LogFind).follow_panel()

    @on(LogPanel.FindRequested, "#log-panel")
    def _find_in_log(self, event: LogPanel.FindRequested) -> None:
        event.stop()
        self.query_one(LogFind).open()

    def _fill_log(self) -> None:
        panels = self.query(LogPanel)
        if panels:
            panels.first().add(self.session.lines_since(self._seen_lines))
            self._seen_lines = self.session.line_count

    # -- saved filters and copying -----------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Saved filters are there where there is a filter line."""
        if action in ("saved_filters", "save_filter") and self.is_mounted and not self.query(FilterBar):
            return False
        return super().check_action(action, parameters)

    def action_saved_filters(self) -> None:
        """Choose a saved filter; one whose fields this list does not have says so."""
        bar = self.query_one(FilterBar)
        saved, own = saved_filters(self.service, self.PLACE)
        entries = [Entry(name, name, text, wrong=parse_query(text, bar.fields).error) for name, text in saved.items()]
        if not entries:
            toast(self.app, "No filter is saved yet: / filters, B saves what stands there.")
            return
        entries = [Entry(e.id, e.name, e.more, wrong=f"{e.more}: {e.wrong}" if e.wrong else "") for e in entries]

        def remove(name: str) -> bool:
            return name in own and keep_filter(self.service, self.PLACE, name, None)

        self.app.push_screen(
            Pick("Saved filters", entries, remove=remove), lambda name: self._filter_chosen(saved, name)
        )

    def _filter_chosen(self, saved: Mapping[str, str], name: str | None) -> None:
        if name is not None:
            self.query_one(FilterBar).set_value(saved[name])
            self.focus_home()

    def action_save_filter(self) -> None:
        """Save the filter in the line under a name."""
        text = self.query_one(FilterBar).value.strip()
        if not text:
            toast(self.app, "There is no filter to save: / filters.")
            return

        def attempt(name: str) -> str:
            if not name.strip():
                return "It needs a name."
            kept = keep_filter(self.service, self.PLACE, name.strip(), text)
            return "" if kept else "This program was started read-only: nothing is kept."

        lines = [f"{text}", "", "Under this name b finds it again."]
        self.app.push_screen(ValueAsk("Save this filter", lines, text, attempt), self._filter_saved)

    def _filter_saved(self, name: str | None) -> None:
        if name is not None:
            toast(self.app, f"Filter saved as {name.strip()}: b chooses it.")

    def copy_out(self, text: str, what: str) -> None:
        """Copy a text over the terminal, and into a file of the state folder."""
        copy_out(self.app, text, what, cast("AjerasyncApp", self.app).report_folder)

    def ticked_out_of_view(self) -> Sequence[str]:
        """Names of ticked records that this place does not show now, to be named before a run."""
        return ()

    def focus_home(self) -> None:
        """Put the focus where this place begins."""
        self.screen.focus_next()

    @on(PlaceTabs.Chosen)
    def _place_chosen(self, event: PlaceTabs.Chosen) -> None:
        event.stop()
        cast("AjerasyncApp", self.app).action_place(event.place)
