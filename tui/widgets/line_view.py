"""What all our long lists share: only the lines on the screen are ever painted, and only those that changed.

Textual's DataTable needs 22 s to take 50,000 rows; a `ScrollView` that answers `render_line` needs 0.1 s. There is no
horizontal bar, and the vertical one is a cell wide: bars are sent one styled cell at a time.
"""

from __future__ import annotations

from typing import ClassVar, Final

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.formatting import cell, fit, wrap

MOVE: Final = Binding.Group("Move")
_CACHED_STRIPS: Final = 600  # some screens full; then the cache starts anew


class LineView(ScrollView, inherit_bindings=False):
    """Lines painted on demand under `header_lines` fixed ones. Subclasses give `line_count` and `paint`."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    LineView {
        overflow-x: hidden; overflow-y: auto; scrollbar-size-vertical: 1;
        background: $surface; color: $foreground;
        & > .line--header { background: $panel; color: $foreground; text-style: bold; }
        & > .line--muted { color: $foreground 75%; }
        & > .line--good { color: $success; }
        & > .line--warn { color: $warning; }
        & > .line--bad { color: $error; text-style: bold; }
        & > .line--strong { text-style: bold; }
        & > .line--cursor { background: $block-cursor-blurred-background; color: $block-cursor-blurred-foreground; text-style: $block-cursor-blurred-text-style; }
        &:focus > .line--cursor { background: $block-cursor-background; color: $block-cursor-foreground; text-style: $block-cursor-text-style; }
        & > .line--range { background: $primary 30%; text-style: bold; }
        &:ansi > .line--muted { color: ansi_default; text-style: dim; }
        &:ansi > .line--range { background: ansi_default; text-style: underline; }
        &:nocolor > .line--cursor { text-style: bold underline; }
        &:nocolor:focus > .line--cursor { text-style: reverse; }
        &:nocolor > .line--header { text-style: bold underline; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "line--header", "line--muted", "line--good", "line--warn", "line--bad", "line--strong", "line--cursor",
        "line--range",
    }  # fmt: skip
    STYLES: ClassVar[frozenset[str]] = frozenset({"muted", "good", "warn", "bad", "strong"})
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", "Down", show=False, id="list.down", tooltip="One line down", group=MOVE),
        Binding("up,k", "move(-1)", "Up", show=False, id="list.up", tooltip="One line up", group=MOVE),
        Binding("pagedown", "page(1)", "Page down", show=False, id="list.page-down", tooltip="A page down", group=MOVE),
        Binding("pageup", "page(-1)", "Page up", show=False, id="list.page-up", tooltip="A page up", group=MOVE),
        Binding("home,g", "jump(0)", "Top", show=False, id="list.top", tooltip="To the first line", group=MOVE),
        Binding("end,G", "jump(-1)", "End", show=False, id="list.end", tooltip="To the last line", group=MOVE),
    ]
    header_lines: int = 0

    def __init__(self, *, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(name=name, id=id, classes=classes)
        self.can_focus = True
        self._strips: dict[int, tuple[object, Strip]] = {}

    # -- what a subclass gives -------------------------------------------------------------------------------

    @property
    def line_count(self) -> int:
        """How many lines there are under the header."""
        raise NotImplementedError

    def paint(self, index: int, width: int) -> Strip:
        """Line `index` in exactly `width` cells."""
        raise NotImplementedError

    def paint_header(self, y: int, width: int) -> Strip:
        """Header line `y`."""
        raise NotImplementedError

    def paint_empty(self, y: int, width: int) -> Strip:  # noqa: ARG002
        """Line `y` of what stands there when there are no lines."""
        return Strip.blank(width, self.visual_style.rich_style)

    def said(self, y: int, text: str, width: int, first: int = 1) -> Strip:
        """Line `y` of words that stand in an empty list from line `first` on, wrapped: what to do next is never cut."""
        room = max(10, width - 4)
        lines = [part for line in text.split("\n") for part in wrap(cell(line, len(line) + 1).rstrip(), room)]
        return self.line(fit(f"  {lines[y - first]}", width) if 0 <= y - first < len(lines) else "", width, "muted")

    def variant(self, index: int) -> object:  # noqa: ARG002
        """What besides the line itself decides how it looks now; a painted line is kept as long as this is equal."""
        return None

    # -- painting --------------------------------------------------------------------------------------------

    def line(self, text: str, width: int, style: str = "") -> Strip:
        """One line of text in one style: the fewest bytes there are."""
        return Strip([Segment(fit(text, width), self.style_of(style))], max(0, width))

    def style_of(self, style: str) -> Style:
        """A named style (muted, good, warn, bad, strong, header, cursor, range); unknown names are plain."""
        if not style or f"line--{style}" not in self.COMPONENT_CLASSES:
            return self.visual_style.rich_style
        return self.get_component_rich_style(f"line--{style}")

    @property
    def line_width(self) -> int:
        """Cells a line has, without the bar."""
        return self.scrollable_content_region.width

    def render_line(self, y: int) -> Strip:
        width = self.line_width
        if y < self.header_lines:
            return self.paint_header(y, width)
        if not self.line_count:
            return self.paint_empty(y - self.header_lines, width)
        index = self.scroll_offset.y + y - self.header_lines
        if index >= self.line_count:
            return Strip.blank(width, self.visual_style.rich_style)
        return self._painted(index, width)

    def _painted(self, index: int, width: int) -> Strip:
        variant = (width, self.variant(index))
        kept = self._strips.get(index)
        if kept is not None and kept[0] == variant:
            return kept[1]
        strip = self.paint(index, width)
        if len(self._strips) >= _CACHED_STRIPS:
            self._strips.clear()
        self._strips[index] = (variant, strip)
        return strip

    def forget_painted(self) -> None:
        """All lines look different now."""
        self._strips.clear()
        self.refresh()

    def fit_lines(self) -> None:
        """The number of lines changed. The whole screen is laid out anew (Textual does that with each new size, which takes
        10 ms) only where a bar comes or goes or the height is that of the lines."""
        size = Size(0, self.line_count + self.header_lines)
        room = self.container_size.height
        if not room or self.styles.auto_dimensions or (size.height > room) != self.show_vertical_scrollbar:
            self.virtual_size = size
        elif size != self.virtual_size:
            self.set_reactive(LineView.virtual_size, size)
            self._scroll_update(size)

    def refresh_index(self, index: int) -> None:
        """Repaint one line, if it is on the screen."""
        y = index - self.scroll_offset.y + self.header_lines
        if self.header_lines <= y < self.size.height:
            self.refresh(Region(0, y, self.size.width, 1))

    @property
    def page(self) -> int:
        """Lines on show."""
        return max(1, self.size.height - self.header_lines)

    def on_mount(self) -> None:
        self.fit_lines()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._strips.clear()

    def scroll_now(self, y: float) -> None:
        """To line y at the top, at once: animation is a flood of bytes."""
        self.scroll_to(y=y, animate=False, force=True)

    def paint_now(self) -> None:
        """Answer a key at once, where the screen can: Textual's clock of frames makes it wait for up to two of them when
        something else was painted just before."""
        if paint := getattr(self.screen, "paint_now", None):
            paint(self)

    # -- keys ------------------------------------------------------------------------------------------------

    def action_move(self, delta: int) -> None:
        """One line up or down."""
        self.scroll_now(self.scroll_offset.y + delta)
        self.paint_now()

    def action_page(self, delta: int) -> None:
        """One page up or down."""
        self.scroll_now(self.scroll_offset.y + delta * self.page)
        self.paint_now()

    def action_jump(self, where: int) -> None:
        """To the first line or the last."""
        self.scroll_now(0 if where == 0 else self.line_count)
        self.paint_now()


class CursorView(LineView):
    """A line view with a line under the cursor, kept in sight."""

    cursor: reactive[int] = reactive(0, repaint=False)

    def validate_cursor(self, value: int) -> int:
        return max(0, min(value, self.line_count - 1))

    def watch_cursor(self, old: int, new: int) -> None:
        self.refresh_index(old)
        self.refresh_index(new)
        self.keep_in_sight()
        self.cursor_moved(old)

    def cursor_moved(self, old: int) -> None:
        """The cursor stands on another line."""

    def keep_in_sight(self) -> None:
        """Scroll just as far as needed."""
        top = self.scroll_offset.y
        if self.cursor < top:
            self.scroll_now(self.cursor)
        elif self.size.height and self.cursor >= top + self.page:
            self.scroll_now(self.cursor - self.page + 1)

    def variant(self, index: int) -> object:
        return index == self.cursor, self.has_focus

    def on_focus(self) -> None:
        self.refresh_index(self.cursor)

    def on_blur(self) -> None:
        self.refresh_index(self.cursor)

    def on_resize(self) -> None:
        self.call_after_refresh(self.keep_in_sight)

    def index_at(self, event: events.Click) -> int | None:
        """The line a click hit, or None for the header and the empty space below."""
        index = self.scroll_offset.y + event.y - self.header_lines
        return index if event.y >= self.header_lines and 0 <= index < self.line_count else None

    def action_move(self, delta: int) -> None:
        self.cursor += delta
        self.paint_now()

    def action_page(self, delta: int) -> None:
        self.cursor += delta * self.page
        self.paint_now()

    def action_jump(self, where: int) -> None:
        self.cursor = 0 if where == 0 else self.line_count - 1
        self.paint_now()
