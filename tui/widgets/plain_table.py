"""A record table in which nothing can be ticked: the keys for ticks are not offered."""

from __future__ import annotations

from tui.widgets.record_table import RecordTable

_TICKING = frozenset({"tick", "range", "extend", "tick_view", "invert"})


class PlainTable(RecordTable):
    """Give it no ticks."""

    HELP = "A list. s sorts by the next column, S reverses, / filters, enter opens the line."

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """No keys for what is not there."""
        return action not in _TICKING
