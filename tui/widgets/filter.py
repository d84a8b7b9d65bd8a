"""The filter line: what is typed becomes a query, at once; mistakes are explained beside it, never acted on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Final

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input, Static

from core.filtering import Query, parse_query
from core.text import safe_line
from tui.formatting import cut

DEBOUNCE_SECONDS: Final = (
    0.06  # filtering 50,000 rows takes 10 ms; the redraw is what a quick typist should not wait for
)


class QuietInput(Input):
    """An input of one line whose cursor does not blink: blinking sends 2.6 kB a second."""

    DEFAULT_CSS = """
    QuietInput, QuietInput:focus { height: 1; border: none; padding: 0; background: $surface; color: $foreground; }
    """

    def __init__(
        self,
        value: str = "",
        placeholder: str = "",
        *,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        super().__init__(value, placeholder, id=id, classes=classes, compact=True, select_on_focus=False)
        self.cursor_blink = False


SPARE: Final = 12  # cells that a shorter note leaves blank before the line is laid out anew, which takes a frame more


class FilterBar(Horizontal):
    """`/ owner:jones marked:no`, with the mistake or a note at the right."""

    HELP = (
        'Words must all be in the record, in any case. field:value asks one field, field:=value exactly, field:"" for '
        'blank. !word and -field:value mean without. "Quotes" keep words together. Enter or down goes to the list.'
    )
    DEFAULT_CSS = """
    FilterBar { height: 1; background: $surface; color: $foreground; }
    FilterBar > .filter--prompt { width: 2; }
    FilterBar > QuietInput { width: 2fr; min-width: 10; }
    FilterBar > .filter--note { width: auto; max-width: 60%; padding: 0 1; color: $foreground 80%; }
    FilterBar.-wrong > .filter--note { color: $error; text-style: bold; }
    FilterBar:ansi > .filter--note { color: ansi_default; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "escape",
            "leave",
            "Back to the list",
            show=False,
            id="filter.leave",
            tooltip="Keep the filter, leave the line",
        ),
        Binding(
            "down", "leave", "Back to the list", show=False, id="filter.down", tooltip="Keep the filter, leave the line"
        ),
    ]

    class Changed(Message):
        """Another query, without mistakes."""

        def __init__(self, bar: FilterBar, query: Query) -> None:
            super().__init__()
            self.bar, self.query = bar, query

        @property
        def control(self) -> FilterBar:
            return self.bar

    class Left(Message):
        """Enter, down or escape: the list should take the focus."""

        def __init__(self, bar: FilterBar) -> None:
            super().__init__()
            self.bar = bar

        @property
        def control(self) -> FilterBar:
            return self.bar

    def __init__(self, fields: Iterable[str] = (), *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self.fields = tuple(fields)
        self.current = Query()
        self._notes: tuple[str, ...] = ("",)
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        yield Static("/", markup=False, classes="filter--prompt")
        yield QuietInput(placeholder="filter")
        yield Static("", markup=False, classes="filter--note")

    @property
    def value(self) -> str:
        """What stands in the line."""
        return self.query_one(QuietInput).value

    def set_value(self, text: str) -> None:
        """Put a filter into the line; it acts as if typed."""
        self.query_one(QuietInput).value = text

    def set_fields(self, fields: Iterable[str]) -> None:
        """Another list's fields."""
        self.fields = tuple(fields)

    @property
    def note_line(self) -> Static:
        """Where the note stands."""
        return self.query_one(".filter--note", Static)

    def note(self, *texts: str) -> None:
        """What stands at the right when nothing is wrong: "214 of 5,012". The first of them that fits is shown."""
        self._notes = texts
        self._show_note()

    def on_resize(self) -> None:
        self._show_note()

    def _fitting_note(self) -> str:
        room = self.size.width * 6 // 10 - 2 if self.size.width else 200
        return next((text for text in self._notes if cell_len(text) <= room), cut(self._notes[-1], room))

    def focus_line(self) -> None:
        """Put the cursor into the line at once: `focus()` does so a moment later, and the next key may be faster."""
        self.screen.set_focus(self.query_one(QuietInput))

    def _show_note(self) -> None:
        wrong = self.current.error
        self.set_class(bool(wrong), "-wrong")
        words = safe_line(wrong or self._fitting_note())
        note = self.note_line
        spare = note.content_size.width - cell_len(words)
        fits = 0 <= spare <= SPARE
        note.update(Content(" " * spare + words if fits else words), layout=not fits)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(DEBOUNCE_SECONDS, self._compile)

    def _compile(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        query = parse_query(self.value, self.fields)
        if query == self.current:
            return
        changed = query.terms != self.current.terms or bool(self.current.error)
        self.current = query
        self._show_note()
        if changed and not query.error:
            self.post_message(self.Changed(self, query))

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_leave()

    def action_leave(self) -> None:
        """Apply what was typed and leave the line."""
        self._compile()
        self.post_message(self.Left(self))
