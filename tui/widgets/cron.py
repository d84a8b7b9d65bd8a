"""A line for a cron expression, with what it means, the next times, or what is wrong with it, as it is typed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from core.text import safe_line
from tui.formatting import moment
from tui.widgets.filter import QuietInput

SHOWN_TIMES = 5
BLANK_LINE = "Five fields: minute, hour, day of the month, month, weekday."


@dataclass(frozen=True, slots=True)
class CronAnswer:
    """What an expression means: words and the next times (aware), or an error in words."""

    explanation: str = ""
    times: Sequence[datetime] = ()
    error: str = ""


class CronEditor(Vertical):
    """The expression is explained by a function that is given: this widget knows nothing of cron."""

    HELP = "Minute, hour, day of month, month, weekday. Enter takes the schedule; below are the next five times."
    DEFAULT_CSS = """
    CronEditor { height: auto; background: $surface; color: $foreground; }
    CronEditor > QuietInput { border-left: none; background: $panel; }
    CronEditor > .cron--words { height: auto; }
    CronEditor.-wrong > .cron--words { color: $error; text-style: bold; }
    """

    class Changed(Message):
        """The expression changed, for better or worse."""

        def __init__(self, editor: CronEditor, expression: str, answer: CronAnswer) -> None:
            super().__init__()
            self.editor, self.expression, self.answer = editor, expression, answer

        @property
        def control(self) -> CronEditor:
            return self.editor

    class Submitted(Message):
        """Enter on an expression without mistakes."""

        def __init__(self, editor: CronEditor, expression: str) -> None:
            super().__init__()
            self.editor, self.expression = editor, expression

        @property
        def control(self) -> CronEditor:
            return self.editor

    def __init__(
        self,
        explain: Callable[[str], CronAnswer],
        expression: str = "",
        *,
        zone: tzinfo | None = None,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._explain, self._start, self._zone = explain, expression, zone
        self.answer = CronAnswer()

    def compose(self) -> ComposeResult:
        yield QuietInput(self._start, placeholder="*/15 7-19 * * mon-fri")
        yield Static("", markup=False, classes="cron--words")

    def on_mount(self) -> None:
        self._show(self._start)

    @property
    def expression(self) -> str:
        """What stands in the line."""
        return " ".join(self.query_one(QuietInput).value.split())

    def set_expression(self, expression: str) -> None:
        """Put an expression into the line; it acts as if typed."""
        self.query_one(QuietInput).value = expression

    def set_zone(self, zone: tzinfo | None) -> None:
        """Tell the times in another zone, and ask again what the expression means."""
        self._zone = zone
        self._show(self.query_one(QuietInput).value)

    def _show(self, expression: str) -> None:
        if expression.strip():
            self.answer = self._explain(" ".join(expression.split()))
        else:
            self.answer = CronAnswer(error=BLANK_LINE)
        self.set_class(bool(self.answer.error) and self.answer.error != BLANK_LINE, "-wrong")
        self.query_one(".cron--words", Static).update(Content("\n".join(self.lines())))

    def lines(self) -> list[str]:
        """What stands below the line."""
        if self.answer.error == BLANK_LINE:
            return [BLANK_LINE]
        if self.answer.error:
            return [f"Not a schedule: {safe_line(self.answer.error)}"]
        times = list(self.answer.times)[:SHOWN_TIMES]
        told = [f"{time.astimezone(self._zone):%a} {moment(time, self._zone)}" for time in times]
        return [safe_line(self.answer.explanation), *(f"  {line}" for line in told)]

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._show(event.value)
        self.post_message(self.Changed(self, self.expression, self.answer))

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self._show(event.value)
        if not self.answer.error:
            self.post_message(self.Submitted(self, self.expression))
