"""One question at a time. Cancel has the focus; an answer may have a key of its own, never the one that asked.

The keys stand under the answers. What is pasted answers nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from core.text import safe_line
from tui.glyphs import glyphs
from tui.widgets.filter import QuietInput

CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class Choice:
    """An answer: what `dismiss` gives, and the words on the button. `grave` ones are marked in words by the caller.

    `key` takes it at once and `does` says so: "w writes".
    """

    id: str
    label: str
    grave: bool = False
    key: str = ""
    does: str = ""


class Ask(ModalScreen[str | None]):
    """Asks; answers the id of the choice, or None for Cancel and escape.

    Subclasses with more to show override `compose_body`. With `retype` the other answers stay shut until exactly that
    text (a count, a name) has been typed: for what cannot be undone.
    """

    HELP = "Tab and the arrows go from answer to answer, enter takes one, escape cancels."
    AUTO_FOCUS = "#cancel"
    DEFAULT_CSS = """
    Ask { align: center middle; background: $background 60%; }
    Ask:ansi { background: ansi_default; }
    Ask > #ask { width: 76; max-width: 96%; height: auto; max-height: 92%; background: $surface; border: solid $primary; padding: 0 1; }
    Ask.-ascii > #ask { border: ascii $primary; }
    Ask #ask-title { text-style: bold; height: auto; margin-bottom: 1; }
    Ask #ask-body { height: auto; max-height: 62vh; scrollbar-size-vertical: 1; }
    Ask.-retyping #ask-body { max-height: 46vh; }
    Ask #ask-body Static { height: auto; }
    Ask #ask-retype { margin-top: 1; height: auto; }
    Ask #ask-retype QuietInput { background: $panel; }
    Ask #ask-answers { height: auto; margin-top: 1; align-horizontal: right; }
    Ask #ask-foot { height: auto; color: $foreground 80%; }
    Ask Button { margin-left: 1; min-width: 10; background: $panel; color: $foreground; }
    Ask Button:focus, Ask Button.-style-default:focus {
        background: $block-cursor-background; color: $block-cursor-foreground; text-style: bold;
        background-tint: $foreground 0%;
    }
    Ask Button.-grave { color: $error; }
    Ask Button.-grave:focus { color: $block-cursor-foreground; }
    Ask:nocolor Button:focus { text-style: bold reverse; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", id="ask.cancel", tooltip="Close and do nothing"),
        Binding("right", "app.focus_next", "Next answer", show=False, id="ask.next"),
        Binding("left", "app.focus_previous", "Answer before", show=False, id="ask.previous"),
        Binding("pagedown", "scroll_body(1)", "Page down", show=False, id="ask.page-down"),
        Binding("pageup", "scroll_body(-1)", "Page up", show=False, id="ask.page-up"),
    ]

    def __init__(
        self,
        title: str,
        lines: Sequence[str] = (),
        choices: Sequence[Choice] = (Choice("yes", "Yes"),),
        *,
        cancel: str = "Cancel",
        retype: str = "",
    ) -> None:
        super().__init__()
        self.title_text, self.lines, self.choices = title, tuple(lines), tuple(choices)
        self._cancel, self._retype = cancel, retype
        self.set_class(glyphs().name == "ascii", "-ascii")
        self.set_class(bool(retype), "-retyping")

    def compose(self) -> ComposeResult:
        with Vertical(id="ask"):
            yield Static(_plain(self.title_text), id="ask-title", markup=False)
            with VerticalScroll(id="ask-body", can_focus=False):
                yield from self.compose_body()
            if self._retype:
                with Vertical(id="ask-retype"):
                    yield Static(_plain(f'Type "{self._retype}" to go on:'), markup=False)
                    yield QuietInput(id="ask-typed")
            with Horizontal(id="ask-answers"):
                yield Button(_plain(self._cancel), id=CANCEL, compact=True)
                for choice in self.choices:
                    yield Button(
                        _plain(choice.label),
                        id=f"choice-{choice.id}",
                        compact=True,
                        disabled=bool(self._retype),
                        classes="-grave" if choice.grave else "",
                    )

            yield Static(_plain(self._foot()), id="ask-foot", markup=False)

    def _foot(self) -> str:
        cancel = "escape cancels" if self._cancel == "Cancel" else f"escape: {self._cancel.lower()}"
        if self._retype:
            keys = ["type it, then tab to the answer and enter"]
        else:
            keys = [f"{choice.key} {choice.does}" for choice in self.choices if choice.key]
            if len(keys) < len(self.choices):
                keys.append("tab and enter answer")
        return "   ".join([*keys, cancel, *(["page keys scroll"] if len(self.lines) > 12 else [])])

    def on_key(self, event: events.Key) -> None:
        """A choice's own key takes it."""
        if self._retype:  # there letters belong to the line
            return
        for choice in self.choices:
            if choice.key and event.character == choice.key:
                event.stop()
                self.dismiss(choice.id)
                return

    def compose_body(self) -> ComposeResult:
        """What stands between the title and the answers: the lines, as plain text."""
        for line in self.lines:
            yield Static(_plain(line), markup=False)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        pressed = event.button.id or ""
        self.dismiss(None if pressed == CANCEL else pressed.removeprefix("choice-"))

    @on(Input.Changed, "#ask-typed")
    def _typed(self, event: Input.Changed) -> None:
        right = event.value.strip() == self._retype
        for choice in self.choices:
            self.query_one(f"#choice-{choice.id}", Button).disabled = not right

    def action_cancel(self) -> None:
        """Close and do nothing."""
        self.dismiss(None)

    def action_scroll_body(self, pages: int) -> None:
        """A page of the text up or down."""
        body = self.query_one("#ask-body")
        body.scroll_relative(y=pages * max(1, body.size.height - 1), animate=False)

    def on_paste(self, event: events.Paste) -> None:
        event.stop()


def _plain(text: str) -> Content:
    return Content(glyphs().printable(safe_line(text)))
