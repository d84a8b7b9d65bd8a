"""Opening the service, and the screen that stands there while it cannot be opened.

A settings file with a mistake, a store that another program holds, a full disk: each is told with its place and the
way out, and the program goes on by itself as soon as it can.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar, Final, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from core.engine.service import Service
from core.errors import AjerasyncError, SettingsError, StoreDamaged, StoreFailure, StoreTooNew
from tui.driver import install_signal_handlers
from tui.formatting import clock
from tui.glyphs import glyphs
from tui.keys import OrderedKeysApp
from tui.themes import ansi_color_for, apply_theme
from tui.widgets.key_line import KeyLine
from tui.widgets.status_line import StatusLine
from tui.widgets.text_lines import Line, TextLines, paragraph

OpenService = Callable[[], Service]
PATIENCE_SECONDS: Final = 0.7  # a start that takes longer says why
AGAIN_SECONDS: Final = 2.0


def begun(open_service: OpenService) -> asyncio.Future[Service]:
    """Open it in a thread of its own, which never keeps the program from ending; what comes of it.

    A service that nobody waits for any more stays unused: it holds nothing before it is used.
    """
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[Service] = loop.create_future()

    def settle(service: Service | None, error: Exception | None) -> None:
        if outcome.done():
            return
        if error is not None:
            outcome.set_exception(error)
            outcome.exception()  # seen: nobody has to ask once the screen has gone
        else:
            outcome.set_result(cast("Service", service))

    def work() -> None:
        service, error = None, None
        try:
            service = open_service()
        except Exception as caught:
            error = caught
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, service, error)

    threading.Thread(target=work, name="opening", daemon=True).start()
    return outcome


async def opened(open_service: OpenService, *, plain: bool, mouse: bool, **rest: Any) -> Service:
    """The open service. Where it cannot be opened the screen below stays until it can.

    Raises what stood on the screen when the person gave up. `rest` goes to the app (`driver_class`).
    """
    first = begun(open_service)
    done, _ = await asyncio.wait({first}, timeout=PATIENCE_SECONDS)
    if done and first.exception() is None:
        return first.result()
    if done and not isinstance(first.exception(), AjerasyncError):
        raise cast("BaseException", first.exception())  # a mistake of ours: nothing gets better by waiting
    app = OpeningApp(open_service, first, plain=plain, **rest)
    await app.run_async(mouse=mouse)
    if app.service is not None:
        return app.service
    raise app.error or AjerasyncError("Nothing was opened.")


def title_of(error: Exception | None) -> str:
    """What cannot be done now."""
    match error:
        case None:
            return "Waiting for the store"
        case SettingsError():
            return "The settings cannot be used yet"
        case StoreDamaged():
            return "The store was damaged"
        case StoreFailure():
            return "The store cannot be opened"
        case _:
            return "ajerasync cannot start yet"


def comes_back(error: Exception | None) -> bool:
    """Whether trying again by itself is right: never past something a person has to have read."""
    return not isinstance(error, (StoreDamaged, StoreTooNew))


def lines_of(error: Exception | None, tried: datetime, width: int) -> list[Line]:
    """What is wrong, where, and the way out."""
    if error is None:
        told = ["Another program is writing to the store. This goes on by itself when that has ended."]
        return [("", ""), *(line for text in told for line in paragraph(text, width, indent=2))]
    lines: list[Line] = [("", "")]
    for text in str(error).splitlines():
        lines += [*paragraph(text, width, indent=2), ("", "")]
    for text in ways_out(error):
        lines += paragraph(text, width, indent=2, style="muted")
    if comes_back(error):
        lines += [("", ""), *paragraph(f"Last tried at {clock(tried)}.", width, indent=2, style="muted")]
    return lines


def ways_out(error: Exception) -> Sequence[str]:
    """What can be done about it, beyond what the message says itself."""
    match error:
        case SettingsError():
            return (
                "Correct the file in another window: this goes on by itself as soon as it is right.",
                "Or leave with q; `ajerasync setup` asks for everything anew and keeps a copy of the file.",
            )
        case StoreDamaged():
            return ("y goes on as told above. q leaves; nothing in Ajera or the CRM was touched.",)
        case StoreTooNew():
            return ("q leaves; y tries again.",)
        case StoreFailure():
            return ("It is tried again by itself every few seconds; y tries now, q leaves.",)
        case _:
            return ("It is tried again by itself; y tries now, q leaves.",)


class OpeningApp(OrderedKeysApp[None]):
    """The screen while there is no service. `service` is set when it went away because there is one."""

    TITLE = "ajerasync"
    CSS_PATH = ["styles/widgets.tcss", "styles/app.tcss"]
    ENABLE_COMMAND_PALETTE = False
    CSS = "Screen { layout: vertical; } #title { background: $panel; text-style: bold; } #why { height: 1fr; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "again", "Try again", id="opening.again", tooltip="Try to open it now"),
        Binding("q,escape", "give_up", "Quit", id="opening.quit", key_display="q", tooltip="Leave"),
    ]

    def __init__(self, open_service: OpenService, first: asyncio.Future[Service], *, plain: bool, **rest: Any) -> None:
        super().__init__(ansi_color=ansi_color_for(plain=plain), **rest)
        apply_theme(self, "", plain=plain)
        self.animation_level = "none"
        self.open_service = open_service
        self.attempt: asyncio.Future[Service] | None = first
        self.service: Service | None = None
        self.error: Exception | None = None
        self.tried = datetime.now(UTC)

    def compose(self) -> ComposeResult:
        yield StatusLine(lambda _now, _width: f" ajerasync {glyphs().separator} {title_of(self.error)}", id="title")
        yield TextLines(lambda width: lines_of(self.error, self.tried, width), id="why")
        yield KeyLine(("opening.again", "opening.quit"), id="keys")

    def on_mount(self) -> None:
        if not self.is_headless:
            install_signal_handlers(self)
        self.query_one("#why").focus()
        self._follow()

    def _follow(self) -> None:
        if self.attempt is not None:
            self.attempt.add_done_callback(self._settled)

    def _settled(self, attempt: asyncio.Future[Service]) -> None:
        if attempt.cancelled() or not self._running:
            return
        self.attempt, self.error, self.tried = None, cast("Exception | None", attempt.exception()), datetime.now(UTC)
        if self.error is None:
            self.service = attempt.result()
            self.exit()
        elif not isinstance(self.error, AjerasyncError):
            self.exit()
        else:
            self.query_one("#title", StatusLine).refresh_words()
            self.query_one("#why", TextLines).retell()
            if comes_back(self.error):
                self.set_timer(AGAIN_SECONDS, self.action_again)

    def action_again(self) -> None:
        """Try now, unless that is being done."""
        if self.attempt is None:
            self.attempt = begun(self.open_service)
            self._follow()

    def action_give_up(self) -> None:
        """Leave; what was wrong is said once more where the shell is."""
        self.exit()
