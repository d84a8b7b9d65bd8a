"""The run log as it is written: a bounded ring of lines, painted a few times a second, filtered by level and text."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo
from typing import ClassVar, Final, NamedTuple

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip

from core.filtering import Query, parse_query
from core.text import fold, safe_line
from tui.formatting import clock
from tui.glyphs import glyphs
from tui.widgets.line_view import LineView
from tui.widgets.toast import toast

LEVELS: Final = ("debug", "info", "warning", "error")
KEPT_LINES: Final = 10_000
BATCH_SECONDS: Final = 0.25  # at most four repaints a second, however fast lines come
POUR_SECONDS: Final = 1.0  # and no fewer than one, however long they are
POUR_CELLS: Final = 1_500  # a second, where each repaint shows other lines: for a slow line and for the eye
_LINE_LIMIT: Final = 1_000
EMPTY: Final = "No log lines yet.\n\nEach plan and each run writes here what it does: p makes a plan."
NO_MATCH: Final = "No line matches.\n\nL shows less grave lines again; in the Log place escape clears the filter."
LOG = Binding.Group("Log")


class LogLine(NamedTuple):
    """One event: when (aware), how grave (debug, info, warning, error), what."""

    ts: datetime
    level: str
    text: str


class LogPanel(LineView):
    """Lines numbered from the first ever added; `_first` is the number of the oldest one still kept."""

    HELP = "The log. f follows the end, h holds it still, L shows only graver lines, n and N find trouble."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "follow", "Follow", id="log.follow", tooltip="Follow the end or stay here", group=LOG),
        Binding("h", "hold", "Hold", id="log.hold", tooltip="Hold the view; lines are kept", group=LOG),
        Binding("L", "level", "Level", id="log.level", tooltip="Show only lines of this level or graver", group=LOG),
        Binding("n", "trouble(1)", "Next trouble", id="log.next", tooltip="To the next warning or error", group=LOG),
        Binding("N", "trouble(-1)", "Trouble before", show=False, id="log.previous", group=LOG,
                tooltip="To the warning or error before"),
        Binding("slash", "find", "Filter", show=False, id="log.find", tooltip="Filter by text", group=LOG),
    ]  # fmt: skip

    class StateChanged(Message):
        """Following, held, level, filter or counts changed: `LogPanel.state_text` says it in words."""

        def __init__(self, panel: LogPanel) -> None:
            super().__init__()
            self.panel = panel

        @property
        def control(self) -> LogPanel:
            return self.panel

    class FindRequested(Message):
        """A filter line is wanted."""

        def __init__(self, panel: LogPanel) -> None:
            super().__init__()
            self.panel = panel

        @property
        def control(self) -> LogPanel:
            return self.panel

    def __init__(
        self,
        kept: int = KEPT_LINES,
        *,
        zone: tzinfo | None = None,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._kept, self._zone = kept, zone
        self._lines: list[LogLine] = []
        self._folded: list[str] = []
        self._first = 0
        self._waiting: list[LogLine] = []
        self._scheduled = False
        self.pause = BATCH_SECONDS  # before lines that come are shown
        self._view: list[int] | None = None  # numbers of the lines shown; None shows all
        self.following, self.held = True, False
        self.level = "debug"
        self.filter_now = Query()
        self.repaints = 0

    # -- lines -----------------------------------------------------------------------------------------------

    @property
    def line_count(self) -> int:
        return len(self._lines) if self._view is None else len(self._view)

    @property
    def kept_count(self) -> int:
        """Lines in the ring, shown or not."""
        return len(self._lines)

    @property
    def waiting_count(self) -> int:
        """Lines that came but are not shown yet."""
        return len(self._waiting)

    def add(self, lines: Iterable[LogLine]) -> None:
        """Take lines; they are shown with the next batch. Cheap: nothing is painted here."""
        self._waiting.extend(lines)
        if len(self._waiting) > self._kept:
            del self._waiting[: -self._kept]
        if not self._scheduled and not self.held and self._waiting and self.is_attached:
            self._scheduled = True
            self.set_timer(self.pause, self.show_waiting)

    def on_mount(self) -> None:
        self.add(())

    def show_waiting(self) -> None:
        """Show what has come; called by the timer."""
        self._scheduled = False
        self.pause = self._pause_after(self._waiting)
        if self.held or not self._waiting:
            return
        start = self._first + len(self._lines)
        fresh, self._waiting = self._waiting, []
        self._lines += fresh
        self._folded += [fold(safe_line(line.text, _LINE_LIMIT)) for line in fresh]
        if self._view is not None:
            self._view += self._passing(range(start, start + len(fresh)))
        self._trim()
        self._settle()

    def _pause_after(self, fresh: Sequence[LogLine]) -> float:
        """How long what is shown then stays: lines that pour in push a whole page away each time."""
        if not self.following or 2 * len(fresh) < self.page:
            return BATCH_SECONDS
        cells = sum(min(len(line.text), self.size.width) for line in fresh[-self.page :])
        return min(max(BATCH_SECONDS, cells / POUR_CELLS), POUR_SECONDS)

    def _trim(self) -> None:
        gone = len(self._lines) - self._kept
        if gone <= 0:
            return
        del self._lines[:gone], self._folded[:gone]
        self._first += gone
        if self._view is not None:
            gone = bisect_left(self._view, self._first)
            del self._view[:gone]
        if not self.following:  # what was read stays where it is
            self.set_reactive(LineView.scroll_y, max(0, self.scroll_y - gone))
            self.set_reactive(LineView.scroll_target_y, max(0, self.scroll_target_y - gone))

    def _settle(self) -> None:
        self.fit_lines()
        self._strips.clear()
        if self.following:
            self.scroll_now(max(0, self.line_count - self.page))
        self.repaints += 1
        self.refresh()
        self.post_message(self.StateChanged(self))

    def _passing(self, numbers: Iterable[int]) -> list[int]:
        least = _gravity(self.level)
        lines, first = self._lines, self._first
        graver = [n for n in numbers if _gravity(lines[n - first].level) >= least]
        places = self.filter_now.select([n - first for n in graver], self._folded, lines, _FIELDS)
        return [place + first for place in places]

    def _rebuild(self) -> None:
        """Another level or filter; the line on top stays on top if it is still shown."""
        top = self._number(self.scroll_offset.y)
        shown_all = _gravity(self.level) == 0 and self.filter_now.empty
        self._view = None if shown_all else self._passing(range(self._first, self._first + len(self._lines)))
        self._settle()
        if not self.following:
            self.scroll_now(top - self._first if self._view is None else bisect_left(self._view, top))

    def _number(self, index: int) -> int:
        if self._view is None:
            return self._first + index
        return self._view[index] if index < len(self._view) else self._first + len(self._lines)

    def set_level(self, level: str) -> None:
        """Show this level and graver ones."""
        self.level = level if level in LEVELS else "debug"
        self._rebuild()

    def set_filter(self, query: Query | str) -> bool:
        """Show lines that match; words, or `level:error`. A query with a mistake changes nothing."""
        if isinstance(query, str):
            query = parse_query(query, _FIELDS)
        if query.error:
            return False
        self.filter_now = query
        self._rebuild()
        return True

    # -- painting --------------------------------------------------------------------------------------------

    def paint(self, index: int, width: int) -> Strip:
        line = self._lines[self._number(index) - self._first]
        word = safe_line(line.level, 7)
        text = f"{clock(line.ts, self._zone)} {word:<7} {safe_line(line.text, 2 * width + 8)}"
        style = {"error": "bad", "warning": "warn", "debug": "muted"}.get(line.level, "")
        return self.line(glyphs().printable(text), width, style)

    def paint_empty(self, y: int, width: int) -> Strip:
        return self.said(y, NO_MATCH if self._lines else EMPTY, width, 0)

    @property
    def state_text(self) -> str:
        """ "following · warning and graver · 12 of 200 lines · held, 3 more came"."""
        parts = ["following" if self.following else "not following"]
        if self.level != "debug":
            parts.append("errors only" if self.level == "error" else f"{self.level} and graver")
        total = len(self._lines)
        parts.append(f"{total:,} lines" if self._view is None else f"{self.line_count:,} of {total:,} lines")
        if self.held:
            parts.append(f"held, {len(self._waiting):,} more came")
        return f" {glyphs().dot} ".join(parts)

    # -- keys ------------------------------------------------------------------------------------------------

    def action_follow(self) -> None:
        """Follow the end, or stay."""
        self.following = not self.following
        self._settle()

    def action_hold(self) -> None:
        """Hold the view still, or go on. Not the engine: lines are kept meanwhile."""
        self.held = not self.held
        if self.held:
            self.post_message(self.StateChanged(self))
        else:
            self.show_waiting()
            self._settle()

    def action_level(self) -> None:
        """The next graver level; after errors all again."""
        self.set_level(LEVELS[(LEVELS.index(self.level) + 1) % len(LEVELS)])

    def action_find(self) -> None:
        """Ask for a filter line."""
        self.post_message(self.FindRequested(self))

    def action_trouble(self, step: int) -> None:
        """Put the next warning or error on the top line."""
        top = self.scroll_offset.y
        places = range(top + 1, self.line_count) if step > 0 else range(top - 1, -1, -1)
        for place in places:
            if _gravity(self._lines[self._number(place) - self._first].level) >= _gravity("warning"):
                self._stay()
                self.scroll_now(place)
                return
        toast(self.app, f"No warning or error {'below' if step > 0 else 'above'}.")

    def _stay(self) -> None:
        if self.following:
            self.following = False
            self.post_message(self.StateChanged(self))

    def action_move(self, delta: int) -> None:
        self._stay_if(delta)
        super().action_move(delta)

    def action_page(self, delta: int) -> None:
        self._stay_if(delta)
        super().action_page(delta)

    def action_jump(self, where: int) -> None:
        """To the first line, or to the end and follow it."""
        self._stay_if(-1 if where == 0 else 1)
        super().action_jump(where)
        if where != 0 and not self.following:
            self.action_follow()

    def _stay_if(self, delta: int) -> None:
        if delta < 0:
            self._stay()

    def on_mouse_scroll_up(self) -> None:
        self._stay()


def _gravity(level: str) -> int:
    return LEVELS.index(level) if level in LEVELS else 1


def _level(line: LogLine) -> str:
    return line.level


_FIELDS: Final = {"level": _level}
