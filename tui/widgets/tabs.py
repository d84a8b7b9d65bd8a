"""The strip of places: a number key for each, the present one in brackets, how much waits in parentheses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rich.segment import Segment
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from core.text import safe_line
from tui.glyphs import glyphs


@dataclass(frozen=True, slots=True)
class Place:
    """A place one key away; `waiting` is a number worth showing, `short` its label where room is scarce."""

    id: str
    key: str
    label: str
    waiting: int = 0
    short: str = ""


class PlaceTabs(Widget):
    """One line. When it is narrow the other places keep only their keys."""

    DEFAULT_CSS = """
    PlaceTabs { height: 1; background: $panel; color: $foreground; }
    PlaceTabs > .tabs--present { text-style: bold reverse; }
    """
    COMPONENT_CLASSES = {"tabs--present"}
    ALLOW_SELECT = False

    class Chosen(Message):
        """A place was clicked."""

        def __init__(self, tabs: PlaceTabs, place: str) -> None:
            super().__init__()
            self.tabs, self.place = tabs, place

        @property
        def control(self) -> PlaceTabs:
            return self.tabs

    def __init__(
        self,
        places: Sequence[Place],
        present: str = "",
        *,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.places = tuple(places)
        self.present = present

    def set_present(self, place: str) -> None:
        """Another place is shown."""
        if place != self.present:
            self.present = place
            self.refresh()

    def set_waiting(self, place: str, number: int) -> None:
        """How much waits there."""
        changed = tuple(replace(p, waiting=number) if p.id == place else p for p in self.places)
        if changed != self.places:
            self.places = changed
            self.refresh()

    def _texts(self, width: int) -> list[str]:
        whole = [self._text(place, short=False) for place in self.places]
        if sum(map(len, whole)) <= width:
            return whole
        brief = [self._text(replace(place, label=place.short or place.label), short=False) for place in self.places]
        if sum(map(len, brief)) <= width:
            return brief
        return [self._text(place, short=place.id != self.present) for place in self.places]

    def _text(self, place: Place, *, short: bool) -> str:
        label = "" if short else f" {glyphs().printable(safe_line(place.label, 30))}"
        waiting = f"({place.waiting})" if place.waiting else ""
        text = f"{place.key}{label}{waiting}"
        return f"[{text}]" if place.id == self.present else f" {text} "

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        plain = self.visual_style.rich_style
        if y:
            return Strip.blank(width, plain)
        present = self.get_component_rich_style("tabs--present")
        segments = [
            Segment(text, present if place.id == self.present else plain)
            for place, text in zip(self.places, self._texts(width), strict=True)
        ]
        return Strip(segments).crop_extend(0, width, plain)

    def place_at(self, x: int) -> str | None:
        """Whose text stands at cell x."""
        for place, text in zip(self.places, self._texts(self.size.width), strict=True):
            x -= len(text)
            if x < 0:
                return place.id
        return None

    def on_click(self, event: events.Click) -> None:
        place = self.place_at(event.x)
        if place is not None:
            self.post_message(self.Chosen(self, place))
