"""What will happen? The last plan: counts, guards, every action field by field, and what waits for a person."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from core.engine.events import Event
from core.errors import AjerasyncError
from core.model.plan import Op, Plan
from core.ports import RunRecord
from tui.formatting import age, count, cut, joined
from tui.glyphs import glyphs
from tui.messages import PlanMade, RunEnded
from tui.screens.plan_lines import FIELDS, WAITS, detail_lines, plan_sections
from tui.screens.split import SplitScreen
from tui.screens.values import local, parsed
from tui.screens.words import mode_words
from tui.widgets.filter import FilterBar
from tui.widgets.outline import Outline
from tui.widgets.text_lines import Line, TextLines, shown
from tui.widgets.toast import toast

if TYPE_CHECKING:
    from tui.app import AjerasyncApp

ENGINE = Binding.Group("Runs")
EMPTY = "No plan yet.\n\np reads both systems and shows here what a run would do.\nNothing is written until you say so with R."
IN_STEP = "Nothing would be written: both systems are in step.\n\np looks again."
WHILE_READING = "Reading both systems. The plan appears when that is done; x stops."
_PROGRESS = frozenset({"action_done", "action_failed", "progress", "log", "run_started"})
_APPLIED = frozenset({"ok", "partial"})
_DONE = {
    "create": "to create", "update": "to update", "link": "to link", "unlink": "to unlink", "rebase": "only remembered",
}  # fmt: skip


class PlanScreen(SplitScreen):
    """Place 4."""

    PLACE = "plan"
    FIELDS = FIELDS
    DETAIL_PAGE = False
    AUTO_FOCUS = "#plan"
    HELP = (
        "What a run would do. Enter or right unfolds a line field by field: what is there, what will be there, what "
        "both sides hold, what they last agreed, and the rule that decided. R applies exactly this plan, after asking."
    )
    FOOTER: ClassVar[Sequence[str]] = (
        "table.open", "hub.filter", "app.plan", "plan.apply", "app.stop", "app.help", "outline.all", "hub.back",
        "place.copy", "app.log", "app.quit", "app.palette",
    )  # fmt: skip
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("R", "apply", "Run this plan", id="plan.apply", group=ENGINE,
                tooltip="Show what would be written, ask, and write exactly this plan; a guarded one wants its count typed"),
    ]  # fmt: skip
    DEFAULT_CSS = """
    PlanScreen #plan-guard { height: auto; display: none; background: $surface; color: $error; text-style: bold; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.plan: Plan | None = None
        self.outcomes: dict[str, tuple[str, str]] = {}
        self._only_progress = False

    # -- layout ----------------------------------------------------------------------------------------------

    def compose_head(self) -> Iterable[Widget]:
        yield Static("", id="head", markup=False)
        yield Static("", id="plan-guard", markup=False)

    def compose_list(self) -> Iterable[Widget]:
        yield Outline(empty=EMPTY, id="plan")

    def compose_detail(self) -> Iterable[Widget]:
        yield TextLines(empty="Nothing chosen.", id="plan-detail")

    @property
    def outline(self) -> Outline:
        """The plan's lines."""
        return self.query_one("#plan", Outline)

    @property
    def home(self) -> Widget:
        return self.outline

    # -- data ------------------------------------------------------------------------------------------------

    def reload(self) -> None:
        if self._only_progress:  # a plan of thousands is not read again four times a second while it is applied
            self._only_progress = False
            self._show_outcomes()
            return
        plan = self._told_plan()
        if plan is not None and (
            self.plan is None or (plan.digest, plan.made_at) != (self.plan.digest, self.plan.made_at)
        ):
            self.outcomes = {}
        self.plan = plan
        self._take_outcomes()
        self._show()

    def _take_outcomes(self) -> None:
        """What became of each action, if this plan was applied; for what was missed while this place was away."""
        run, plan = self.applied_by, self.plan
        if run is None or plan is None:
            return
        told: dict[tuple[str, str, str | None, str], tuple[str, str]] = {}
        for entry in self.service.run_history(run.id):
            name = (entry.op, entry.kind.value, entry.side, entry.label)
            outcome = ("ok", "done") if entry.outcome == "done" else ("error", f"{entry.outcome}: {entry.message}")
            if told.get(name, ("ok", ""))[0] == "ok":
                told[name] = outcome
        for action in plan.actions:
            outcome_of = told.get((action.op.value, action.kind.value, action.side, action.label))
            if outcome_of is not None:
                self.outcomes.setdefault(action.id, outcome_of)

    def _show_outcomes(self) -> None:
        if self.plan is not None:
            self.outline.set_sections(plan_sections(self.service, self.plan, self.outcomes))
        self._show_head()

    def _told_plan(self) -> Plan | None:
        """The last plan; of a run that went on with what followed, the plan that was asked for."""
        plan = self.service.plan()
        run = next(iter(self.service.runs(1)), None)
        if (
            plan is None
            or run is None
            or run.outcome not in _APPLIED
            or not run.started <= plan.made_at <= run.finished
        ):
            return plan
        try:
            return self.service.stored_plan(run.digest) if run.digest and run.trigger != "undo" else plan
        except AjerasyncError:  # not kept any more
            return plan

    @property
    def applied_by(self) -> RunRecord | None:
        """The run that applied this plan; one that a guard refused, or that failed, did not."""
        plan = self.plan
        if plan is None:
            return None
        runs = (run for run in self.service.runs(20) if run.outcome in _APPLIED and run.finished >= plan.made_at)
        return next((run for run in runs if run.digest == plan.digest), None)

    def _show(self) -> None:
        plan, outline = self.plan, self.outline
        outline.empty = self._empty_words()
        outline.set_sections(plan_sections(self.service, plan, self.outcomes) if plan else [])
        self._show_head()
        self._show_note()
        self._show_detail()

    def _empty_words(self) -> str:
        if self.session.busy:
            return WHILE_READING
        if self.plan is None and self.session.trouble is not None:
            return f"No plan could be made.\n\n{self.session.trouble.what}\n{self.session.trouble.way_out}"
        return EMPTY if self.plan is None else IN_STEP

    def engine_told(self, events: Sequence[Event]) -> None:
        for event in events:
            if event.event in ("action_done", "action_failed"):
                outcome = str(event.data.get("outcome", ""))
                words = joined((outcome, str(event.data.get("message", ""))))
                self.outcomes[str(event.data.get("id"))] = ("ok" if outcome == "done" else "error", words)
        self._only_progress = (
            bool(events) and self.plan is not None and all(event.event in _PROGRESS for event in events)
        )
        if self.outline.empty != self._empty_words():
            self.outline.empty = self._empty_words()
            self.outline.refresh()
        self._show_head()

    def on_plan_made(self, message: PlanMade) -> None:
        """A plan was asked for and is here: from the top."""
        message.stop()
        self.reload()
        self.outline.to_first()
        self.focus_home()

    def on_run_ended(self, message: RunEnded) -> None:
        message.stop()
        self.reload()

    # -- words -----------------------------------------------------------------------------------------------

    def _show_head(self) -> None:
        width = self.size.width or 80
        lines = [cut(f" {glyphs().printable(line)}", width) for line in self.head_words(datetime.now(UTC), width)]
        head = self.query_one("#head", Static)
        head.update(Content("\n".join(lines)))
        head.display = bool(lines)
        guard = self.query_one("#plan-guard", Static)
        words = self.guard_words()
        guard.update(Content("\n".join(cut(f" {line}", width) for line in words)))
        guard.display = bool(words)

    def head_words(self, now: datetime, width: int) -> list[str]:
        """Which plan this is, what it would do, what waits."""
        plan = self.plan
        if plan is None:
            return []
        made = parsed(plan.made_at)
        digest = plan.digest if width >= 120 else plan.digest[:12]
        requests = sum(plan.requests.values())
        first = joined((f"Plan {digest}", f"made {local(plan.made_at)[11:]} ({age(made, now)})", shown(mode_words(plan.mode), 60),
                        count(requests, "request") if requests and width >= 100 else ""))  # fmt: skip
        does, waits = self._counts_words(plan)
        together = f"{does}   {waits}" if waits else does
        counts = [together] if len(together) < width - 1 else [does, waits]
        return [first, *counts, *self._applied_words()]

    def _counts_words(self, plan: Plan) -> tuple[str, str]:
        counts = plan.counts()
        does = [f"{counts[op.value]:,} {_DONE[op.value]}" for op in Op if counts[op.value]]
        order = {"create": 0, "update": 1, "link": 2, "unlink": 3}
        does.sort(key=lambda words: next((place for op, place in order.items() if words.endswith(_DONE[op])), 4))
        waits = [count(counts[name], one, many) for name, one, many in WAITS if counts[name]]
        return joined(
            does
        ) or "nothing to write", f"waiting for you in the Inbox (key 5): {', '.join(waits)}" if waits else ""

    def _applied_words(self) -> list[str]:
        run = self.applied_by
        if run is None:
            return []
        mark = glyphs().flag("ok" if run.outcome == "ok" else "warning")
        return [joined((f"{mark} applied {local(run.finished)[11:]}: {run.outcome}", "p makes a new plan"))]

    def guard_words(self) -> list[str]:
        """Why this plan is held back, and how to let it go on."""
        plan = self.plan
        if plan is None or not plan.guards or self.applied_by is not None:
            return []
        mark = glyphs().flag("warning")
        lines = [
            f"{mark} Held back by a guard, nothing is written: {shown(guard.message)}{_named(guard.records)}"
            for guard in plan.guards
        ]
        return [
            *lines,
            f"  Look at it line by line. R, then typing {len(plan.actions)}, approves exactly this plan ({plan.digest[:12]}).",
        ]

    def _show_note(self) -> None:
        outline = self.outline
        told = f"{outline.shown_count:,} of {outline.entry_count:,}" if outline.entry_count else ""
        self.query_one("#filter", FilterBar).note(told)

    def _show_detail(self) -> None:
        entry = self.outline.current
        data = entry.data if entry is not None else None

        def tell(width: int) -> Sequence[Line]:
            return detail_lines(self.service, data, width)

        self.query_one("#plan-detail", TextLines).show(tell)

    @on(Outline.Moved, "#plan")
    def _moved(self, event: Outline.Moved) -> None:
        event.stop()
        self._show_detail()

    @on(FilterBar.Changed, "#filter")
    def _filtered(self, event: FilterBar.Changed) -> None:
        event.stop()
        self.outline.set_filter(event.query)
        self._show_note()

    def on_resize(self) -> None:
        self._show_head()

    # -- acts ------------------------------------------------------------------------------------------------

    def action_apply(self) -> None:
        """Ask, then apply exactly this plan."""
        app = cast("AjerasyncApp", self.app)
        if self.service.readonly:
            toast(app, "This program was started read-only.", "warning")
        elif self.plan is None:
            toast(app, "There is no plan yet: p makes one.")
        elif self.applied_by is not None:
            toast(app, "This plan has been applied already: p makes a new one.")
        else:
            app.start_work(app.run_plan(self.plan))

    def copy_text(self) -> tuple[str, str]:
        return (self.plan.digest, "the plan's digest") if self.plan else ("", "")


def _named(records: Sequence[str]) -> str:
    if not records:
        return ""
    more = f" and {len(records) - 3:,} more" if len(records) > 3 else ""
    return f" ({'; '.join(shown(name, 40) for name in records[:3])}{more})"
