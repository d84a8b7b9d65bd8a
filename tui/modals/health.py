"""Is the whole in order? Doctor, probes and rehearsal: their progress, their report, and what may be asked next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from core.errors import AjerasyncError
from tui.checkup import Checkup, asking, carry_out
from tui.clipboard import copy_out
from tui.glyphs import glyphs
from tui.modals.value import ValueAsk
from tui.screens.checkup_lines import brief_words, checkup_lines
from tui.widgets.ask import Ask, Choice
from tui.widgets.pick import Entry, Pick
from tui.widgets.text_lines import Line, TextLines, shown
from tui.widgets.toast import toast

if TYPE_CHECKING:
    from tui.app import AjerasyncApp

GROUP: Final = "checkup"
CLOCK_SECONDS: Final = 0.5
HEALTH: Final = Binding.Group("Health")
#: The same keys on the Schedule place and here.
HEALTH_KEYS: Final = (
    Binding("H", "health('doctor')", "Check health", id="health.check", group=HEALTH,
            tooltip="Doctor: connections, rights, field map, templates, code tables, store, schedule; reads only"),
    Binding("M", "health('probe')", "Probe", id="health.probe", group=HEALTH,
            tooltip="Find out how this tenant answers where the documentation is silent; asks whether to read only"),
    Binding("W", "health('rehearse')", "Rehearse", id="health.rehearse", group=HEALTH,
            tooltip="What if: the next run, on a copy of both systems; nothing is written to them"),
)  # fmt: skip


class HealthScreen(ModalScreen[None]):
    """Shows the check that goes on, or the last one's report. It goes on when this is closed."""

    HELP = "Page keys scroll. A check goes on when this is closed; H, M or W on the Schedule place open it again."
    AUTO_FOCUS = "#health-lines"
    DEFAULT_CSS = """
    HealthScreen { align: center middle; background: $background 60%; }
    HealthScreen:ansi { background: ansi_default; }
    HealthScreen > #health-box { width: 110; max-width: 98%; height: 94%; background: $surface; border: solid $primary; padding: 0 1; }
    HealthScreen.-ascii > #health-box { border: ascii $primary; }
    HealthScreen #health-state { text-style: bold; height: 2; }
    HealthScreen #health-lines { height: 1fr; }
    HealthScreen #health-foot { height: auto; color: $foreground 80%; margin-top: 1; }
    HealthScreen:ansi #health-foot { color: ansi_default; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Back", id="health.close", tooltip="Close; a check that goes on does so"),
        *HEALTH_KEYS,
        Binding("x", "stop", "Stop", id="health.stop", group=HEALTH, tooltip="Stop the check that goes on"),
        Binding("K", "keep", "Keep switches", id="health.keep", group=HEALTH,
                tooltip="Write the switches that the probes found into the settings file; asks first"),
        Binding("c", "copy", "Copy", id="health.copy", group=HEALTH, tooltip="Copy the report, and put it into a file"),
    ]  # fmt: skip

    def __init__(self, wanted: str) -> None:
        super().__init__()
        self._wanted = wanted
        self._seen: tuple[int, int] = (0, -1)
        self.set_class(glyphs().name == "ascii", "-ascii")

    @property
    def _app(self) -> AjerasyncApp:
        return cast("AjerasyncApp", self.app)

    @property
    def checkup(self) -> Checkup | None:
        """The check that is shown."""
        return self._app.session.checkup

    def compose(self) -> ComposeResult:
        with Vertical(id="health-box"):
            yield Static("", id="health-state", markup=False)
            yield TextLines(self._tell, empty="Nothing was checked yet.", id="health-lines")
            yield Static("", id="health-foot", markup=False)

    def on_mount(self) -> None:
        self.set_interval(CLOCK_SECONDS, self.look)
        before = self.checkup and replace(self.checkup)  # as it was before it is looked at here
        self.look()
        if before is None or (not before.going_on and before.seen):
            self.action_health(self._wanted)

    # -- what is shown ---------------------------------------------------------------------------------------

    def _tell(self, width: int) -> Sequence[Line]:
        return checkup_lines(self.checkup, width) if self.checkup is not None else ()

    def look(self) -> None:
        """The clock goes on; the lines are told again when there is news."""
        checkup = self.checkup
        words = checkup.state_words(datetime.now(UTC)) if checkup is not None else "Health"
        if checkup is not None and not checkup.going_on:
            checkup.seen = True
        if checkup is not None and not checkup.going_on and not checkup.wrong:
            words += f", {brief_words(checkup)}"
        self.query_one("#health-state", Static).update(Content(shown(words)), layout=False)
        self.query_one("#health-foot", Static).update(Content(self._foot(checkup)), layout=True)
        seen = (id(checkup), checkup.version if checkup else 0)
        if seen != self._seen:
            other = seen[0] != self._seen[0] or (checkup is not None and not checkup.going_on)
            self._seen = seen
            self.query_one(TextLines).show(self._tell, keep_place=not other)
            self.refresh_bindings()

    def _foot(self, checkup: Checkup | None) -> str:
        if checkup is not None and checkup.going_on:
            return "x stops   escape closes, the check goes on   page keys scroll"
        keep = "K keeps   " if self._switches() else ""
        return f"H checks   M probes   W rehearses   {keep}c copies   escape closes"

    # -- checks ----------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Only what can be done now."""
        going_on = self.checkup is not None and self.checkup.going_on
        if action == "health":
            return None if going_on else True
        if action == "stop":
            return True if going_on else None
        if action == "keep":
            return True if self._switches() else None
        return True

    def action_health(self, what: str) -> None:
        """Begin a check; what needs an answer first is asked."""
        if what == "doctor":
            self.begin("doctor")
        elif what == "probe":
            entries = [
                Entry("read", "Read only", "lists, keys that do not exist, some extra logins"),
                Entry("write", "Write too", "makes records and takes them away: in test databases only"),
            ]
            self.app.push_screen(Pick("Probe how?", entries), self._probe_chosen)
        else:
            lines = (
                "Both systems are read, and the next run is tried on the copy. Nothing is written to them.",
                "A folder typed here keeps the copy, or uses the one it holds. Left blank: gone afterwards.",
            )
            self.app.push_screen(ValueAsk("Rehearse the next run", lines, "", _folder_problem), self._rehearse_chosen)

    def begin(self, what: str, databases: Sequence[str] = (), keep: Path | None = None) -> None:
        """Start it beside this program."""
        app = self._app
        try:
            ask = asking(app.service, what, databases, keep)
        except AjerasyncError as error:
            toast(app, str(error), "warning", seconds=12)
            return
        checkup = app.session.checkup = Checkup(what, datetime.now(UTC))

        async def job() -> None:
            await carry_out(checkup, ask)
            if not isinstance(app.screen, HealthScreen):
                toast(app, f"{checkup.name}: {brief_words(checkup)}. H on the Schedule place (8) shows it.", seconds=12)

        app.run_worker(job(), group=GROUP, exclusive=True, exit_on_error=False)
        self.look()

    def _rehearse_chosen(self, folder: str | None) -> None:
        if folder is not None:
            self.begin("rehearse", keep=Path(folder.strip()).expanduser().absolute() if folder.strip() else None)

    # -- probes that write -----------------------------------------------------------------------------------

    def _probe_chosen(self, how: str | None) -> None:
        if how == "read":
            self.begin("probe")
        elif how == "write" and self._app.service.readonly:
            toast(self.app, "This program was started read-only.", "warning")
        elif how == "write":
            lines = (
                "These probes make clients, contacts, projects, firms and employees of their own and take them away again.",
                "Type the CRM's test database; after a comma Ajera's, where its address does not say that it holds samples.",
                "Never one that people work in.",
            )
            self.app.push_screen(ValueAsk("Which databases are for tests?", lines, "", self._named), self._databases)

    def _named(self, text: str) -> str:
        try:
            self._app.service.checkups.may_write(_names(text))
        except AjerasyncError as error:
            return str(error)
        return ""

    def _databases(self, text: str | None) -> None:
        if text is None:
            return
        names = _names(text)
        where = self._app.service.checkups.may_write(names)
        lines = [f"In {where}.", "", "What cannot be taken away again is listed in the report."]

        def answered(answer: str | None) -> None:
            if answer == "write":
                self.begin("probe", names)

        choice = Choice("write", "Make records", grave=True, key="w", does="makes them")
        self.app.push_screen(Ask("Make and change records?", lines, (choice,)), answered)

    # -- what was found --------------------------------------------------------------------------------------

    def _switches(self) -> list[dict[str, object]]:
        checkup = self.checkup
        if checkup is None or checkup.what != "probe" or checkup.report is None:
            return []
        document = checkup.report.document
        return [each for each in document["switches"] if each["value"] is not None] if not document["failed"] else []

    def action_keep(self) -> None:
        """Write the switches into the settings file."""
        if self._app.service.readonly:
            toast(self.app, "This program was started read-only.", "warning")
            return
        found = self._switches()
        lines = [f"{len(found)} switches under [ajera.quirks] and [crm.quirks]; all else in the file stays.",
                 "They count from the next start of the program."]  # fmt: skip

        def answered(answer: str | None) -> None:
            if answer == "keep":
                self._keep(found)

        choice = Choice("keep", "Write them", key="w", does="writes them")
        self.app.push_screen(Ask("Write the switches into the settings file?", lines, (choice,)), answered)

    def _keep(self, found: Sequence[dict[str, object]]) -> None:
        try:
            file = self._app.service.checkups.save_switches(found)
        except (AjerasyncError, OSError) as error:
            toast(self.app, str(error), "error", seconds=12)
            return
        self._app.service.note(f"{len(found)} switches that the probes found were written into the settings file")
        toast(self.app, f"Written into {file}; they count from the next start.", seconds=12)

    def action_stop(self) -> None:
        """End the check."""
        self.app.workers.cancel_group(self.app, GROUP)

    def action_copy(self) -> None:
        """Copy the whole report."""
        text = "\n".join(line.rstrip() for line, _ in self._tell(120))
        copy_out(self.app, text, "the report", self._app.report_folder)

    def action_close(self) -> None:
        """Back; the check goes on."""
        self.dismiss(None)


def _names(text: str) -> list[str]:
    return [name for part in text.split(",") if (name := part.strip())]


def _folder_problem(text: str) -> str:
    path = Path(text.strip()).expanduser()
    if not text.strip() or path.is_dir() or path.absolute().parent.is_dir():
        return "" if not path.is_file() else f"{path} is a file"
    return f"there is no folder {path.absolute().parent}"
