"""Every key of every place, those too that do nothing where you are: for the help and the palette.

What works here is asked of Textual (`keys_here`); the rest is read from the classes of the places and their lists.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from textual.binding import Binding

from tui.places import PlaceEntry, present_places
from tui.widgets.help import KeyHelp

if TYPE_CHECKING:
    from textual.dom import DOMNode
    from textual.screen import Screen

    from tui.app import AjerasyncApp

Named = tuple[str, str]
HUBS: Final = frozenset({"firms", "projects", "employees"})


class Elsewhere(NamedTuple):
    """A binding of other places: its keys as they are pressed, and the first of those places."""

    binding: Binding
    keys: str
    places: tuple[PlaceEntry, ...]

    @property
    def where(self) -> str:
        """ "Firms, Projects"; all of them in words."""
        many = len(self.places) == len(present_places())
        return "every place" if many else ", ".join(place.label for place in self.places)


@cache
def _catalogue() -> dict[Named, tuple[list[Binding], list[PlaceEntry]]]:
    """By what it is called: its bindings (one a key) and the places that have it."""
    found: dict[Named, tuple[list[Binding], list[PlaceEntry]]] = {}
    for place in present_places():
        for owner in (_screen_class(place), *_widget_classes(place)):
            for binding in bindings_of(owner):
                bindings, places = found.setdefault(_named(binding), ([], []))
                if binding.key not in {each.key for each in bindings}:
                    bindings.append(binding)
                if place not in places:
                    places.append(place)
    return found


def _named(binding: Binding) -> Named:
    return binding.id or "", binding.description or binding.tooltip


def bindings_of(owner: type[DOMNode]) -> list[Binding]:
    """The bindings of a class that are ours and told to somebody."""
    merged = owner._merged_bindings  # noqa: SLF001 - there is no public name for it
    every = (binding for many in (merged.key_to_bindings.values() if merged else ()) for binding in many)
    return [each for each in every if each.id and not each.system and (each.description or each.tooltip)]


def has_binding(node: DOMNode, binding: Binding) -> bool:
    """Whether this screen or widget has the binding, and is to be seen."""
    return getattr(node, "display", True) and _named(binding) in map(_named, bindings_of(type(node)))


def _screen_class(place: PlaceEntry) -> type[Any]:
    found: type[Any] = getattr(import_module(place.module), place.screen)
    return found


def _widget_classes(place: PlaceEntry) -> tuple[type[Any], ...]:
    """The lists of a place; the log panel is on all of them."""
    from tui.screens.record_pane import RecordPane
    from tui.widgets.fields import FieldList
    from tui.widgets.log_panel import LogPanel
    from tui.widgets.outline import Outline
    from tui.widgets.plain_table import PlainTable
    from tui.widgets.record_table import RecordTable

    lists: dict[str, tuple[type[Any], ...]] = {"plan": (Outline,), "settings": (Outline,), "inbox": (PlainTable,),
                                               "runs": (PlainTable, Outline)}  # fmt: skip
    return (LogPanel, *((RecordTable, RecordPane, FieldList) if place.id in HUBS else lists.get(place.id, ())))


def elsewhere(app: AjerasyncApp, screen: Screen[Any]) -> list[Elsewhere]:
    """What has a key on some place but not where the focus is now."""
    here = {_named(active.binding) for active in screen.active_bindings.values()}
    return [
        Elsewhere(bindings[0], " ".join(_shown(app, bindings)), tuple(places))
        for name, (bindings, places) in _catalogue().items()
        if name not in here
    ]


def _shown(app: AjerasyncApp, bindings: list[Binding]) -> list[str]:
    """The keys, the operator's own where there are any."""
    own = app._keymap.get(bindings[0].id or "")  # noqa: SLF001 - there is no public name for it
    if own:
        bindings = [replace(bindings[0], key=key.strip(), key_display=None) for key in own.split(",")]
    return list(dict.fromkeys(app.get_key_display(binding) for binding in bindings))


def help_elsewhere(app: AjerasyncApp, screen: Screen[Any]) -> list[KeyHelp]:
    """The same as lines of the help, by the places they are on; then the keys that one dialog alone has."""
    from tui.modals.health import HealthScreen

    known = {name for name, _ in _catalogue()}
    dialog = [
        KeyHelp("Elsewhere: the health dialog", " ".join(_shown(app, [each])), each.description, each.tooltip)
        for each in bindings_of(HealthScreen)
        if each.id not in known
    ]
    return _of_places(app, screen) + dialog


def _of_places(app: AjerasyncApp, screen: Screen[Any]) -> list[KeyHelp]:
    return [
        KeyHelp(
            f"Elsewhere: {each.where}",
            each.keys,
            each.binding.description or each.binding.tooltip,
            each.binding.tooltip,
        )
        for each in sorted(elsewhere(app, screen), key=lambda each: (each.where != "every place", each.places[0].key))
    ]
