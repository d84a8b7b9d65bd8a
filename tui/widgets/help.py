"""Help made from the bindings themselves, so that it cannot be out of date: it scrolls and can be searched."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from typing import ClassVar, NamedTuple

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.dom import DOMNode
from textual.screen import ModalScreen, Screen
from textual.strip import Strip
from textual.widgets import Input, Static

from core.text import fold, safe_line
from tui.formatting import fit, wrap
from tui.glyphs import glyphs
from tui.widgets.filter import QuietInput
from tui.widgets.key_line import told_key
from tui.widgets.line_view import LineView

_KEYS = 20


class KeyHelp(NamedTuple):
    """One line of help: where it works, the keys, what they do, more about it."""

    section: str
    keys: str
    does: str
    more: str


def keys_here(screen: Screen[object]) -> list[KeyHelp]:
    """The keys that work on this screen with its present focus, own key maps included; sections inside first."""
    found: dict[tuple[str, str], tuple[Binding, list[str]]] = {}
    for active in screen.active_bindings.values():
        binding = active.binding
        if binding.system or not (binding.description or binding.tooltip):
            continue
        section = binding.group.description if binding.group else _section_of(active.node)
        _, keys = found.setdefault((section, binding.action), (binding, []))
        keys.append(told_key(screen.app.get_key_display(binding)))
    return [
        KeyHelp(section, " ".join(dict.fromkeys(keys)), binding.description or binding.tooltip, binding.tooltip)
        for (section, _), (binding, keys) in found.items()
    ]


def prose_here(screen: Screen[object]) -> str:
    """The HELP of what has the focus, or of the nearest thing around it that has one."""
    node: DOMNode | None = screen.focused or screen
    while node is not None:
        told = getattr(node, "HELP", None)
        if isinstance(told, str) and told:
            return inspect.cleandoc(told)
        node = node.parent
    return ""


def _section_of(node: DOMNode) -> str:
    title = node.BINDING_GROUP_TITLE
    if title:
        return title
    if node.parent is None:
        return "Everywhere"
    return "This screen" if isinstance(node, Screen) else _spaced(type(node).__name__)


def _spaced(name: str) -> str:
    """ "RecordTable" as "Record table"."""
    return "".join(f" {char.lower()}" if char.isupper() and place else char for place, char in enumerate(name))


class HelpLines(LineView):
    """The lines of the help, those that match."""

    def __init__(self, prose: str, keys: Sequence[KeyHelp]) -> None:
        super().__init__(id="help-lines")
        self._prose, self._keys, self._wanted = prose, tuple(keys), ""
        self._lines: list[tuple[str, str]] = []

    @property
    def line_count(self) -> int:
        return len(self._lines)

    def on_resize(self) -> None:
        self.search(self._wanted)

    def search(self, wanted: str) -> None:
        """Show what holds all these words."""
        self._wanted = wanted
        words = fold(wanted).split()
        kept = [key for key in self._keys if all(word in fold(" ".join(key)) for word in words)]
        width = max(20, self.line_width - 1)  # the bar may come
        self._lines = [] if words else [(line, "") for line in wrap(safe_line(self._prose, 2_000), width) if line]
        self._lines += _sections(kept, width)
        self.fit_lines()
        self.forget_painted()
        self.scroll_now(0)

    def paint(self, index: int, width: int) -> Strip:
        text, style = self._lines[index]
        return self.line(glyphs().printable(text), width, style)

    def paint_empty(self, y: int, width: int) -> Strip:
        return self.line(" No key does that." if y == 0 else "", width, "muted")


def _sections(keys: Iterable[KeyHelp], width: int) -> list[tuple[str, str]]:
    lines: list[tuple[str, str]] = []
    by_section: dict[str, list[KeyHelp]] = {}
    for key in keys:
        by_section.setdefault(key.section, []).append(key)
    for section, members in by_section.items():
        lines += [("", ""), (section, "strong")]
        for key in members:
            told = key.does if key.more in ("", key.does) else f"{key.does}: {key.more}"
            first, *rest = wrap(safe_line(told), max(10, width - _KEYS - 2))
            gap = 0 if cell_len(key.keys) <= _KEYS else cell_len(key.keys)
            lines.append((f"  {fit(safe_line(key.keys), max(_KEYS, gap))}{' ' * bool(gap)}{first}", ""))
            lines += [(" " * (_KEYS + 2) + line, "") for line in rest]
    return lines


class HelpScreen(ModalScreen[None]):
    """What can be done here. Type to search."""

    AUTO_FOCUS = "#help-search"
    DEFAULT_CSS = """
    HelpScreen { align: center middle; background: $background 60%; }
    HelpScreen:ansi { background: ansi_default; }
    HelpScreen > #help { width: 90; max-width: 100%; height: 90%; background: $surface; border: solid $primary; padding: 0 1; }
    HelpScreen.-ascii > #help { border: ascii $primary; }
    HelpScreen #help-search { background: $panel; }
    HelpScreen #help-lines { height: 1fr; }
    HelpScreen #help-foot { height: 1; color: $foreground 80%; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f1", "close", "Close", id="help.close", tooltip="Back to the screen"),
        Binding("down", "scroll('move', 1)", "Down", show=False, id="help.down"),
        Binding("up", "scroll('move', -1)", "Up", show=False, id="help.up"),
        Binding("pagedown", "scroll('page', 1)", "Page down", show=False, id="help.page-down"),
        Binding("pageup", "scroll('page', -1)", "Page up", show=False, id="help.page-up"),
    ]

    def __init__(self, keys: Sequence[KeyHelp], prose: str = "", title: str = "Help") -> None:
        super().__init__()
        self.keys, self.prose, self.title_text = tuple(keys), prose, title
        self.set_class(glyphs().name == "ascii", "-ascii")

    @classmethod
    def of(cls, screen: Screen[object], title: str = "Help", more: Sequence[KeyHelp] = ()) -> HelpScreen:
        """For what has the focus on this screen now; `more` are keys of other places."""
        return cls([*keys_here(screen), *more], prose_here(screen), title)

    def compose(self) -> ComposeResult:
        with Vertical(id="help"):
            yield QuietInput(placeholder=f"{safe_line(self.title_text, 40)}: type to search", id="help-search")
            yield HelpLines(self.prose, self.keys)
            yield Static(Content("up, down, page: scroll   escape: close"), id="help-foot", markup=False)

    @on(Input.Changed, "#help-search")
    def _search(self, event: Input.Changed) -> None:
        event.stop()
        self.query_one(HelpLines).search(event.value)

    def action_scroll(self, how: str, delta: int) -> None:
        """Scroll the lines while the search line keeps the focus."""
        lines = self.query_one(HelpLines)
        if how == "page":
            lines.action_page(delta)
        else:
            lines.action_move(delta)

    def action_close(self) -> None:
        """Back to the screen."""
        self.dismiss(None)
