"""A hub: the records of one kind at the left, the chosen one's tabs at the right (as a page of its own when narrow).

hub_base.py has rows and record, hub_ticks.py the ticks; here are the keys.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType

from core.engine import views
from core.errors import AjerasyncError
from core.text import safe_line
from tui.screens.hub_rows import toggled_term
from tui.screens.hub_ticks import HubTicks
from tui.widgets.filter import FilterBar
from tui.widgets.toast import toast

TICK = Binding.Group("Tick")
LIST = Binding.Group("List")
RECORD = Binding.Group("Record")


class HubScreen(HubTicks):
    """Base of Firms, Projects and Employees."""

    FOOTER: ClassVar[Sequence[str]] = (
        "table.tick", "record.tick", "hub.filter", "table.open", "hub.back", "app.plan", "app.run", "app.help", "hub.undo",
        "table.tick-all", "hub.only-ajera", "hub.next-tab", "filter.saved", "app.log", "app.quit", "app.palette",
    )  # fmt: skip
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter", id="hub.filter", key_display="/", group=LIST,
                tooltip='Filter as you type: words, or field:value as in state:pending city:"san jose" !draft'),
        Binding("asterisk", "term('marked:yes')", "Ticked only", id="hub.ticked", key_display="*", group=LIST,
                tooltip="Show ticked records only, or all again"),
        Binding("o", "next_view", "Only in Ajera", id="hub.only-ajera", group=LIST,
                tooltip="Show what is in the CRM, what is only in Ajera, or all; linked pairs always show"),
        Binding("V", "columns", "Columns", id="hub.columns", group=LIST,
                tooltip="Choose the columns of this list; the choice is kept"),
        Binding("c", "copy", "Copy", id="place.copy", group=LIST, tooltip="Copy the record's name and keys"),
        Binding("u", "undo", "Undo", id="hub.undo", tooltip="Take the last change of ticks back", group=TICK),
        Binding("U", "redo", "Redo", id="hub.redo", tooltip="Make the change again that was taken back", group=TICK),
        Binding("right_square_bracket,right", "tab(1)", "Next tab", id="hub.next-tab", key_display="]", group=RECORD,
                tooltip="The record's next tab"),
        Binding("left_square_bracket,left", "tab(-1)", "Tab before", id="hub.previous-tab", key_display="[", group=RECORD,
                tooltip="The record's tab before"),
        Binding("r", "read_again", "Read again", id="hub.refresh", group=RECORD,
                tooltip="Read this record from both systems now"),
        Binding("escape", "back", "Back", id="hub.back", tooltip="Back to the list; there: clear the filter", group=LIST),
    ]  # fmt: skip

    # -- keys ------------------------------------------------------------------------------------------------

    def action_filter(self) -> None:
        """Go to the filter line."""
        self.remove_class("-record-open")
        self.query_one("#filter", FilterBar).focus_line()

    @on(FilterBar.Changed)
    def _filter_changed(self, event: FilterBar.Changed) -> None:
        event.stop()
        self.table.set_filter(event.query)
        self.refresh_bindings()

    @on(FilterBar.Left)
    def _filter_left(self, event: FilterBar.Left) -> None:
        event.stop()
        self.set_focus(self.table)

    def action_term(self, term: str) -> None:
        """Add a term to the filter, or take it away."""
        self.action_back_to_list()
        bar = self.query_one("#filter", FilterBar)
        bar.set_value(toggled_term(bar.value, term))

    def action_tab(self, by: int) -> None:
        """Another tab of the record."""
        self.pane.step(by)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Back is offered where there is something to go back from."""
        if action == "back" and self.is_mounted and not self._in_record():
            return bool(self.query_one("#filter", FilterBar).value)
        return super().check_action(action, parameters)

    def _in_record(self) -> bool:
        return self.pane.has_focus_within or self.has_class("-record-open")

    def action_back(self) -> None:
        """From the record to the list; in the list, the filter goes."""
        if self._in_record():
            self.action_back_to_list()
        else:
            self.query_one("#filter", FilterBar).set_value("")

    def focus_home(self) -> None:
        self.set_focus(self.table)

    def action_copy(self) -> None:
        """Copy the record's name and keys."""
        row = self.current
        if row is None:
            toast(self.app, "Nothing to copy here.")
            return
        keys = [f"CRM {row.crm_key}" if row.crm_key else "", f"Ajera {row.ajera_key}" if row.ajera_key else ""]
        self.copy_out(safe_line("\t".join([row.label, *filter(None, keys)]), 400), self.KIND.value)

    def action_read_again(self) -> None:
        """Read this record from both systems now."""
        row = self.current
        if row is not None:
            self.run_worker(self._read_again(row), group="read-again", exclusive=True, exit_on_error=False)

    async def _read_again(self, row: views.Row) -> None:
        try:
            await self.service.refresh_detail(row)
        except AjerasyncError as error:
            self.app.told_off(error)  # type: ignore[attr-defined] # AjerasyncApp's own
            return
        self._read_at[row.id] = datetime.now(UTC)
        self._rows_changed([row.id])
        toast(self.app, f"{row.label}: read from both systems just now.")
