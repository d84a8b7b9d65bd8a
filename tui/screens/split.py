"""A place with a list and, beside it, what the chosen line says; when narrow the second is a page of its own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from core.errors import AjerasyncError
from tui.screens.base import PlaceScreen
from tui.widgets.filter import FilterBar
from tui.widgets.toast import toast

LIST = Binding.Group("List")


class SplitScreen(PlaceScreen):
    """Base of the places that are no hubs. Subclasses compose the list, the detail and perhaps lines above them.

    `DETAIL_PAGE`: enter on the list opens the detail as a page when narrow.
    """

    DETAIL_PAGE: ClassVar[bool] = True
    FIELDS: ClassVar[tuple[str, ...]] = ()
    DEFAULT_CSS = """
    SplitScreen #split { height: 1fr; }
    SplitScreen #split-list { width: 58%; height: 1fr; }
    SplitScreen #split-detail { width: 42%; height: 1fr; border-left: solid $foreground 35%; background: $surface; }
    SplitScreen.-ascii #split-detail { border-left: ascii $primary; }
    SplitScreen:ansi #split-detail { border-left: solid ansi_default; }
    SplitScreen.-narrow #split-list { width: 100%; }
    SplitScreen.-narrow #split-detail { width: 100%; border-left: none; display: none; }
    SplitScreen.-narrow.-detail-open #split-list { display: none; }
    SplitScreen.-narrow.-detail-open #split-detail { display: block; }
    SplitScreen #head { height: auto; max-height: 6; background: $surface; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter", id="hub.filter", key_display="/", group=LIST,
                tooltip="Filter as you type: words, or field:value"),
        Binding("escape", "back", "Back", id="hub.back", group=LIST, tooltip="Back to the list; there: clear the filter"),
        Binding("c", "copy", "Copy", id="place.copy", group=LIST,
                tooltip="Copy what names this (the plan's digest, a run's or a record's key)"),
    ]  # fmt: skip

    def compose_body(self) -> Iterable[Widget]:
        yield from self.compose_head()
        if self.FIELDS:
            yield FilterBar(self.FIELDS, id="filter")
        with Horizontal(id="split"):
            with Vertical(id="split-list"):
                yield from self.compose_list()
            with Vertical(id="split-detail"):
                yield from self.compose_detail()

    def compose_head(self) -> Iterable[Widget]:
        """Lines above the list."""
        return ()

    def compose_list(self) -> Iterable[Widget]:
        """The list."""
        raise NotImplementedError

    def compose_detail(self) -> Iterable[Widget]:
        """What stands beside it."""
        raise NotImplementedError

    @property
    def home(self) -> Widget:
        """What has the focus when nothing else has."""
        raise NotImplementedError

    @property
    def detail_home(self) -> Widget:
        """What has the focus when the detail is a page of its own."""
        return self.query_one("#split-detail").children[0]

    def focus_home(self) -> None:
        self.set_focus(self.home)

    @property
    def detail_open(self) -> bool:
        """Whether the detail is shown as a page of its own."""
        return self.has_class("-detail-open")

    def open_detail(self) -> None:
        """Show the detail as a page when narrow; beside the list it only gets the focus."""
        if self.DETAIL_PAGE:
            self.add_class("-detail-open")
            self.call_after_refresh(lambda: self.set_focus(self.detail_home))

    def action_back(self) -> None:
        """From the detail to the list; there the filter is cleared."""
        if self.detail_open:
            self.remove_class("-detail-open")
            self.focus_home()
        elif self.FIELDS and self.query_one("#filter", FilterBar).value:
            self.query_one("#filter", FilterBar).set_value("")
        else:
            self.focus_home()

    def action_filter(self) -> None:
        """To the filter line."""
        if self.FIELDS:
            self.query_one("#filter", FilterBar).focus_line()

    @on(FilterBar.Left)
    def _filter_left(self, event: FilterBar.Left) -> None:
        event.stop()
        self.focus_home()

    def copy_text(self) -> tuple[str, str]:
        """What `c` copies, and what it is in words; empty: nothing."""
        return "", ""

    def action_copy(self) -> None:
        """Copy the name of the thing under the cursor."""
        text, what = self.copy_text()
        if not text:
            toast(self.app, "Nothing to copy here.")
            return
        self.copy_out(text, what)

    def refused(self, error: AjerasyncError) -> None:
        """An act was refused: say why."""
        toast(self.app, str(error), "warning", seconds=12)
