"""What happened? Every run, the last day at a glance, and what the chosen run did field by field."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Static

from core.engine.events import Event
from core.engine.undo import TRIGGER as UNDO
from core.errors import AjerasyncError
from core.ports import RunRecord
from tui.formatting import count, cut, joined
from tui.glyphs import glyphs
from tui.modals.undo import UndoAsk
from tui.screens.run_lines import (
    COLUMNS,
    FIELDS,
    day_words,
    run_bars,
    run_row,
    run_sections,
    spark_lines,
    undo_lines,
    undone_words,
)
from tui.screens.split import SplitScreen
from tui.screens.values import local
from tui.screens.words import writes_of
from tui.widgets.chart import BarChart
from tui.widgets.filter import FilterBar
from tui.widgets.outline import Outline
from tui.widgets.plain_table import PlainTable
from tui.widgets.record_table import RecordTable, Row
from tui.widgets.toast import toast

if TYPE_CHECKING:
    from tui.app import AjerasyncApp

EMPTY = "No run yet.\n\nR shows what a run would write and asks before it writes it.\nThe schedule (8) runs by itself."
BARS = 10
RUNS = Binding.Group("Runs")
DETAIL_SECONDS = 0.08  # the cursor rests that long before the run's history is read


class RunsScreen(SplitScreen):
    """Place 6."""

    PLACE = "runs"
    FIELDS = FIELDS
    AUTO_FOCUS = "#runs"
    HELP = (
        "Every run, newest first: when, by whom, how it ended. Enter opens what it did, record by record; there enter or "
        "right unfolds a record field by field. outcome:failed in the filter shows the failed ones. Z shows what taking the "
        "run back would write, and asks before it does."
    )
    FOOTER: ClassVar[Sequence[str]] = (
        "table.open", "hub.back", "runs.undo", "hub.filter", "app.run", "app.plan", "table.sort", "outline.all", "place.copy", "app.help",
        "app.log", "app.quit", "app.palette",
    )  # fmt: skip
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("Z", "undo_run", "Undo run", id="runs.undo", group=RUNS,
                tooltip="Show what taking this run back would write, and what it cannot; asks first"),
    ]  # fmt: skip
    DEFAULT_CSS = """
    RunsScreen #runs { height: 1fr; }
    RunsScreen #runs-chart { height: auto; max-height: 10; border-top: solid $foreground 35%; }
    RunsScreen.-ascii #runs-chart { border-top: ascii $primary; }
    RunsScreen:ansi #runs-chart { border-top: solid ansi_default; }
    RunsScreen.-narrow #runs-chart { display: none; }
    RunsScreen.-low #runs-chart { display: none; }
    RunsScreen #runs-chart.-empty { display: none; }
    """
    VERTICAL_BREAKPOINTS = [(0, "-low"), (32, "-high")]

    def __init__(self) -> None:
        super().__init__()
        self.runs: dict[str, RunRecord] = {}
        self.undone: Mapping[str, RunRecord] = {}
        self._shown = ""
        self._timer: Timer | None = None

    # -- layout ----------------------------------------------------------------------------------------------

    def compose_head(self) -> Iterable[Widget]:
        yield Static("", id="head", markup=False)

    def compose_list(self) -> Iterable[Widget]:
        fields: dict[str, Callable[[Row], str]] = {"id": _run_id}
        yield PlainTable(COLUMNS, fields=fields, empty=EMPTY, id="runs")
        chart = BarChart(id="runs-chart")
        chart.can_focus = False
        yield chart

    def compose_detail(self) -> Iterable[Widget]:
        yield Outline(empty="Nothing chosen.", id="run-detail")

    @property
    def table(self) -> RecordTable:
        """The runs."""
        return self.query_one("#runs", RecordTable)

    @property
    def outline(self) -> Outline:
        """What the chosen run did."""
        return self.query_one("#run-detail", Outline)

    @property
    def home(self) -> Widget:
        return self.table

    @property
    def current(self) -> RunRecord | None:
        """The run under the cursor."""
        return self.runs.get(self.table.cursor_key or "")

    # -- data ------------------------------------------------------------------------------------------------

    def reload(self) -> None:
        newest = next(iter(self.runs), None)
        on_top = self.table.cursor_key in (None, newest)
        self.runs = {run.id: run for run in self.service.runs()}
        self.undone = self.service.undone()
        self.table.set_rows([run_row(run, self.undone.get(run.id)) for run in self.runs.values()])
        if on_top and self.runs:
            self.table.action_jump(0)
        runs = list(self.runs.values())
        self.query_one("#runs-chart", BarChart).set_bars(run_bars(runs, BARS))
        self.query_one("#runs-chart").set_class(not any(run.finished for run in runs), "-empty")
        self._show_head()
        self._show_note()
        self._show_detail()

    def engine_told(self, events: Sequence[Event]) -> None:  # noqa: ARG002
        self._show_head()

    def _show_head(self) -> None:
        width = self.size.width or 80
        runs = list(self.runs.values())
        lines = [day_words(runs, datetime.now(UTC), self.session.status.last_good), *spark_lines(runs, width)]
        head = self.query_one("#head", Static)
        head.display = bool(runs)
        head.update(Content("\n".join(cut(f" {glyphs().printable(line)}", width) for line in lines)))

    def _show_note(self) -> None:
        table = self.table
        self.query_one("#filter", FilterBar).note(f"{table.line_count:,} of {table.row_count:,}" if self.runs else "")

    def _show_detail(self) -> None:
        self.refresh_bindings()
        run = self.current
        if run is None:
            self.outline.set_sections([])
            return
        if self.has_class("-narrow") and not self.detail_open:
            return
        try:
            history = self.service.run_history(run.id)
        except AjerasyncError:  # dropped from the history meanwhile
            history = ()
        other = self._shown != run.id
        self._shown = run.id
        self.outline.open.add(f"run-{run.id}")
        self.outline.set_sections(run_sections(self.service, run, history, self.undone.get(run.id)))
        if other:
            self.outline.to_first()

    @on(RecordTable.RowHighlighted, "#runs")
    def _moved(self, event: RecordTable.RowHighlighted) -> None:
        event.stop()
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(DETAIL_SECONDS, self._show_detail)

    @on(RecordTable.RowSelected, "#runs")
    def _opened(self, event: RecordTable.RowSelected) -> None:
        event.stop()
        self.open_detail()
        self._show_detail()

    @on(RecordTable.ViewChanged, "#runs")
    def _view_changed(self, event: RecordTable.ViewChanged) -> None:
        event.stop()
        self._show_note()

    @on(FilterBar.Changed, "#filter")
    def _filtered(self, event: FilterBar.Changed) -> None:
        event.stop()
        self.table.set_filter(event.query)

    def on_resize(self) -> None:
        self._show_head()
        self.call_after_refresh(self._show_detail)

    # -- undo ------------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A run that goes on, and an undo itself, cannot be taken back."""
        if action == "undo_run" and self.is_mounted:
            run = self.current if self.query("#runs") else None
            return True if run is not None and run.finished and run.trigger != UNDO else None
        return super().check_action(action, parameters)

    def action_undo_run(self) -> None:
        """Show what taking back this run would write, ask, and do it."""
        run = self.current
        if run is not None:
            cast("AjerasyncApp", self.app).start_work(self._undo_job(run))

    async def _undo_job(self, run: RunRecord) -> None:
        app = cast("AjerasyncApp", self.app)
        try:
            plan = await self.service.undo(run.id, dry_run=True)
            writes = 0 if self.service.readonly else len(plan.actions)
            title = (
                f"Take back the run of {local(run.started)}?" if writes else f"Undo of the run of {local(run.started)}"
            )
            ask = UndoAsk(title, lambda width: undo_lines(self.service, run, plan, width), writes)
            if await app.push_screen_wait(ask) != "undo":
                return
            await self.service.undo(run.id, approve=plan.digest)
        except AjerasyncError as error:
            app.told_off(error)
            return
        finally:
            self.session.forget_status()
        done = self.service.undone().get(run.id)
        if done is not None:
            words = joined(
                (f"{undone_words(done)}: {count(writes_of(done), 'write')}", "what went back waits in the Inbox")
            )
            toast(app, words[:1].upper() + words[1:], "information" if done.outcome == "ok" else "warning", seconds=12)

    def copy_text(self) -> tuple[str, str]:
        return (self.current.id, "the run") if self.current else ("", "")


def _run_id(row: Row) -> str:
    return row.key
