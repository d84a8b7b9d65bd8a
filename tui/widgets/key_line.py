"""The footer: the few keys that matter here, whole or not at all. Textual's own cuts what does not fit in the middle."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.binding import Binding
from textual.dom import DOMNode
from textual.strip import Strip
from textual.widget import Widget

from tui.glyphs import glyphs

_GAP = 2
_IN_ASCII = str.maketrans({"⏎": "enter", "↑": "up", "↓": "down", "←": "left", "→": "right", "␣": "space"})


def told_key(key: str) -> str:
    """A key's name in signs this terminal has."""
    return glyphs().printable(key.translate(_IN_ASCII) if glyphs().name == "ascii" else key)


class KeyLine(Widget):
    """One line of `key Description`, in the order of the ids, as many as fit. A click does what the key does."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES = {"keys--key", "keys--words"}
    DEFAULT_CSS = """
    KeyLine { height: 1; background: $panel; color: $foreground; }
    KeyLine > .keys--key { color: $accent; text-style: bold; }
    KeyLine > .keys--words { color: $foreground; }
    KeyLine:ansi > .keys--key { color: ansi_default; text-style: bold; }
    """

    def __init__(self, ids: Sequence[str], *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.ids = tuple(ids)
        self._shown: list[tuple[str, str]] = []

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, lambda _screen: self._look_again())

    def _look_again(self) -> None:
        if [(key, words) for key, words, _, _ in self._items()] != self._shown:
            self.refresh()

    def _items(self) -> list[tuple[str, str, Binding, DOMNode]]:
        found: dict[str, tuple[str, str, Binding, DOMNode]] = {}
        for active in self.screen.active_bindings.values():
            binding = active.binding
            if binding.id in self.ids and binding.id not in found and active.enabled:
                key = told_key(self.app.get_key_display(binding))
                found[binding.id] = (key, binding.description, binding, active.node)
        ordered = [found[name] for name in self.ids if name in found]
        room = self.size.width - 2
        fitting: list[tuple[str, str, Binding, DOMNode]] = []
        for item in ordered:
            room -= cell_len(item[0]) + 1 + cell_len(item[1]) + (_GAP if fitting else 0)
            if room < 0:
                break
            fitting.append(item)
        return fitting

    def render_line(self, y: int) -> Strip:
        width, plain = self.size.width, self.visual_style.rich_style
        if y:
            return Strip.blank(width, plain)
        key_style = self.get_component_rich_style("keys--key")
        word_style = self.get_component_rich_style("keys--words")
        items = self._items()
        self._shown = [(key, words) for key, words, _, _ in items]
        segments = [Segment(" ", plain)]
        for place, (key, words) in enumerate(self._shown):
            segments += [
                Segment(" " * _GAP if place else "", plain),
                Segment(key, key_style),
                Segment(f" {words}", word_style),
            ]
        return Strip(segments).crop_extend(0, width, plain)

    async def on_click(self, event: events.Click) -> None:
        x = 1
        for key, words, binding, node in self._items():
            end = x + cell_len(key) + 1 + cell_len(words)
            if x <= event.x < end:
                await self.app.run_action(binding.action, node)
                return
            x = end + _GAP
