"""A driver whose output never blocks the loop, and signals that end the program cleanly.

Textual's writer has a queue of 30 writes and blocks the whole loop when the terminal stops reading (a frozen SSH
line, a suspended laptop): then no scheduled run happens either. Here a frame that does not fit is dropped whole, and
once the terminal reads again everything is painted anew. A terminal that is gone is noticed at once and never spun on.

Sources: measured on Textual 8.2.8; https://github.com/Textualize/textual/issues/5140 (signals).
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import select
import selectors
import signal
import termios
import threading
from codecs import getincrementaldecoder
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TextIO

from textual import events
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver

from tui.frame_diff import SYNC_END, SYNC_START, FrameDiff

if TYPE_CHECKING:
    from types import FrameType

    from textual.app import App
    from textual.message import Message

BACKLOG_BYTES: Final = 64 * 1024  # about two full screens: more would only be stale by the time it is read
CONTROL_BYTES: Final = 256 * 1024  # mode switches and clipboard are kept longer, but not for ever either
STOP_SECONDS: Final = 0.5  # what the restoring sequences get at exit when the terminal does not read
FORCED_EXIT_SECONDS: Final = 3.0

# Both are sent when nothing else can be done any more: sequences that undo all that start_application_mode does.
RESTORE: Final = (
    "\x1b[?2004l\x1b[?7h\x1b[?2048l\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?1016l"
    "\x1b[<u\x1b[?1049l\x1b[?25h\x1b[?1004l"
)
_SEQUENCES: Final = re.compile("(?=\x1b)")
_GONE: Final = frozenset({errno.EIO, errno.EBADF, errno.ENXIO, errno.EPIPE, errno.ENODEV})


class PatientWriter:
    """Writes to a terminal, what it does not take at once from a thread of its own; `write` never waits.

    Frames (droppable) are dropped whole while too much is unsent; after that every frame is dropped until all is sent,
    and `on_caught_up` is called. `on_lost` is called once when the terminal is gone. Both run in the writer's thread.
    """

    def __init__(
        self, file: TextIO, on_caught_up: Callable[[], None], on_lost: Callable[[], None], backlog: int = BACKLOG_BYTES
    ) -> None:
        self._encoding = file.encoding or "utf-8"
        self._errors = file.errors or "backslashreplace"
        self._on_caught_up, self._on_lost, self._backlog = on_caught_up, on_lost, backlog
        self._fd, self._own = _own_description(file.fileno())
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_write, False)
        self._changed = threading.Condition()
        self._queue: deque[tuple[bytes, bool]] = deque()
        self._unsent = 0
        self._stopping = False
        self.lost = False
        self.behind = False
        self.dropped = 0
        self._thread = threading.Thread(target=self._run, name="terminal-output", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def write(self, text: str, *, frame: bool = False) -> bool:
        """Queue text; False when it was dropped."""
        data = text.encode(self._encoding, self._errors)
        with self._changed:
            if self.lost or self._stopping:
                return False
            if frame and (self.behind or (self._unsent and self._unsent + len(data) > self._backlog)):
                self.behind = True
                self.dropped += 1
                return False
            if not frame and self._unsent + len(data) > self._backlog + CONTROL_BYTES:
                return False
            if self._own and not self._unsent:
                sent = self._at_once(data)
                data, frame = data[sent:], frame and not sent  # one that was begun is not dropped
                if not data:
                    return True
            self._queue.append((data, frame))
            self._unsent += len(data)
            self._changed.notify()
        return True

    def _at_once(self, data: bytes) -> int:
        """What the terminal takes without waiting: the thread would have to wait for the interpreter first, which
        is some milliseconds while anything else goes on. What fails here fails in the thread too, which tells of it."""
        try:
            return os.write(self._fd, data[:4096])
        except OSError:
            return 0

    def caught_up(self) -> None:
        """Frames are taken again; called just before everything is painted anew."""
        with self._changed:
            self.behind = False

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """Send what is left, but no longer than `seconds`: a terminal that does not read must not hold up the exit."""
        with self._changed:
            self._stopping = True
            if self.behind:
                self._queue = deque(item for item in self._queue if not item[1])
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join(seconds)
        if self._thread.is_alive():
            with self._changed:
                self._queue.clear()
            with contextlib.suppress(OSError):
                os.write(self._wake_write, b"x")
            self._thread.join(0.1)
        if not self._thread.is_alive():
            self._close()

    def _close(self) -> None:
        for fd in (self._wake_read, self._wake_write, *((self._fd,) if self._own else ())):
            with contextlib.suppress(OSError):
                os.close(fd)

    def _run(self) -> None:
        while (data := self._next()) is not None:
            try:
                sent = self._send(data)
            except OSError as error:
                self._lose(error)
                return
            if not sent:
                return
            if self._settled(len(data)):
                self._on_caught_up()

    def _next(self) -> bytes | None:
        with self._changed:
            while not self._queue:
                if self._stopping:
                    return None
                self._changed.wait()
            return self._queue.popleft()[0]

    def _settled(self, size: int) -> bool:
        with self._changed:
            self._unsent = max(0, self._unsent - size)
            return self.behind and not self._queue and not self._stopping

    def _send(self, data: bytes) -> bool:
        """False when told to give up meanwhile."""
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(self._fd, rest[:4096]) :]
            except BlockingIOError:
                ready = select.poll()
                ready.register(self._fd, select.POLLOUT)
                ready.register(self._wake_read, select.POLLIN)
                events = dict(ready.poll())
                if self._wake_read in events:
                    return False
                if events.get(self._fd, 0) & (select.POLLERR | select.POLLHUP | select.POLLNVAL):
                    raise OSError(errno.EIO, "terminal gone") from None
        return True

    def _lose(self, error: OSError) -> None:
        with self._changed:
            self.lost = True
            self._queue.clear()
            self._unsent = 0
        if error.errno in _GONE:
            self._on_lost()


def _own_description(fd: int) -> tuple[int, bool]:
    """The terminal opened anew, so that not blocking is ours alone and not the shell's too; and whether it is ours.

    Where it cannot be opened (after `su`, in some containers) the shared one is used: then the thread may block,
    which holds up nobody else.
    """
    try:
        return os.open(os.ttyname(fd), os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC), True
    except OSError:
        return fd, False


class PatientDriver(LinuxDriver):
    """Textual's driver with `PatientWriter` for output and an input thread that ends with the terminal."""

    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        self._writer: PatientWriter | None = None
        self._frame: list[str] | None = None
        self._gone = threading.Event()
        self._parser = XTermParser(debug)
        self._shown = FrameDiff()
        self._shown_size: object = None
        self._resized = threading.Event()
        self.on_terminal_lost: Callable[[], None] | None = None
        super().__init__(app, debug=debug, mouse=mouse, size=size)

    @property
    def _writer_thread(self) -> Any:
        return self._writer

    @_writer_thread.setter
    def _writer_thread(self, thread: Any) -> None:
        # The base class makes its own blocking writer here, not yet started; ours takes its place.
        if thread is None:
            self._writer = None
            return
        assert self._file is not None  # a terminal was asked for
        self._writer = PatientWriter(self._file, self._caught_up, self._lost)

    @property
    def terminal_lost(self) -> bool:
        """Whether the terminal is gone for good."""
        return self._gone.is_set()

    @property
    def dropped_frames(self) -> int:
        """Frames dropped so far because the terminal did not read."""
        return self._writer.dropped if self._writer is not None else 0

    def write(self, data: str) -> None:
        """Mode switches are kept; a frame, with the marks around it, is sent whole or not at all."""
        writer = self._writer
        if writer is None or not data:
            return
        if data == SYNC_START:
            self._frame = [data]
        elif self._frame is not None:
            self._frame.append(data)
            if data == SYNC_END:
                whole, self._frame = "".join(self._frame), None
                self._send_frame(writer, whole)
        elif _is_frame(data):
            self._send_frame(writer, data)
        else:
            if "?1049" in data:  # another screen than the one that was painted
                self._shown.forget()
            writer.write(data)

    def _send_frame(self, writer: PatientWriter, frame: str) -> None:
        """Only what the terminal does not show already. After a resize nobody knows what it shows."""
        size = self._app.size
        if self._resized.is_set() or size != self._shown_size:
            self._resized.clear()
            self._shown_size = size
            self._shown.forget()
        sent = self._shown.feed(frame, typing=hasattr(self._app.focused, "cursor_screen_offset"))
        if sent and not writer.write(sent, frame=True):
            self._shown.forget()

    def start_application_mode(self) -> None:
        super().start_application_mode()  # type: ignore[no-untyped-call] # untyped in the library
        real = signal.getsignal(signal.SIGWINCH)
        if callable(real):

            def resized(number: int, stack: FrameType | None) -> None:
                self._resized.set()
                real(number, stack)

            signal.signal(signal.SIGWINCH, resized)

    def process_message(self, message: Message) -> None:
        """In the input's thread. Control-L paints everything anew: something else may have written to the terminal."""
        if isinstance(message, events.Resize):
            self._resized.set()
        elif isinstance(message, events.Key) and message.key == "ctrl+l":
            self._tell(self._paint_anew)
        super().process_message(message)

    def close(self) -> None:
        if self._frame:
            self._frame = None
        super().close()
        self._writer = None

    def _caught_up(self) -> None:
        self._tell(self._paint_anew)

    def _paint_anew(self) -> None:
        if self._writer is not None:
            self._writer.caught_up()
            self._shown.forget()
            for screen in self._app.screen_stack:
                screen.refresh()
            self._app.refresh()

    def _lost(self) -> None:
        if not self._gone.is_set():
            self._gone.set()
            self.exit_event.set()
            self._tell(self._report_lost)

    def _report_lost(self) -> None:
        if self.on_terminal_lost is not None:
            self.on_terminal_lost()

    def _tell(self, callback: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has closed: nobody is left to be told
            self._loop.call_soon_threadsafe(callback)

    def run_input_thread(self) -> None:
        """Read keys until told to stop or the terminal ends; Textual's own loop spins on an ended one."""
        self._parser = XTermParser(self._debug)
        decode = getincrementaldecoder("utf-8")(errors="replace").decode
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                if selector.select(0.1) and not self._read_keys(decode):
                    self._lost()
                    return
                for event in self._parser.tick():
                    self.process_message(event)
        self._feed("")

    def _read_keys(self, decode: Callable[[bytes], str]) -> bool:
        """False at the end of the terminal."""
        try:
            data = os.read(self.fileno, 4096)
        except OSError:
            return False
        if data:
            self._feed(decode(data))
        return bool(data)

    def _feed(self, text: str) -> None:
        """Hand on the keys. A sequence the parser breaks on is dropped alone: no terminal may end the app with a key."""
        for piece in _SEQUENCES.split(text):
            if text and not piece:  # the parser takes an empty text for the end
                continue
            try:
                for event in self._parser.feed(piece):
                    self.process_message(event)
            except Exception:  # the parser raises whatever it trips over
                self._parser = XTermParser(self._debug)

    def restore_now(self) -> None:
        """Put the terminal back from any thread, without the loop and without waiting: the last act before `_exit`."""
        if self.attrs_before is not None:
            with contextlib.suppress(termios.error, OSError):
                termios.tcsetattr(self.fileno, termios.TCSANOW, self.attrs_before)
        with contextlib.suppress(OSError, ValueError):
            fd, own = _own_description(self.fileno)
            if own:
                os.write(fd, RESTORE.encode())
                os.close(fd)


def _is_frame(data: str) -> bool:
    """Whether this paints: all but private mode switches, keyboard mode, queries, bell, title and clipboard."""
    return not data.startswith(("\x1b[?", "\x1b[<", "\x1b[>", "\x07", "\x1b]", "\x1b[22;", "\x1b[23;"))


@dataclass(slots=True)
class Ending:
    """How this app ends when asked from outside. `end` may be called from the loop's thread, any number of times."""

    app: App[Any]
    on_hangup: Callable[[], None] | None = None
    seconds: float = FORCED_EXIT_SECONDS
    _timer: threading.Timer | None = None
    _hung_up: bool = False

    def end(self, number: int) -> None:
        """Leave with 128 + signal; after `seconds` without having left, at any price."""
        self.arm(number)
        self.app.exit(return_code=128 + number)

    def arm(self, number: int) -> None:
        """Only start the clock of the forced exit."""
        if self._timer is None:
            self._timer = threading.Timer(self.seconds, self._force, (128 + number,))
            self._timer.daemon = True
            self._timer.start()

    def hang_up(self) -> None:
        """The terminal is gone, however that was noticed: once."""
        if self._hung_up:
            return
        self._hung_up = True
        if self.on_hangup is None:
            self.end(signal.SIGHUP)
        else:
            self.on_hangup()

    def _force(self, code: int) -> None:
        driver = self.app._driver  # noqa: SLF001 - there is no public name for it
        if isinstance(driver, PatientDriver):
            driver.restore_now()
        os._exit(code)


def install_signal_handlers(
    app: App[Any], on_hangup: Callable[[], None] | None = None, *, seconds: float = FORCED_EXIT_SECONDS
) -> Ending:
    """SIGTERM and SIGHUP end the app cleanly: screen restored, exit code 143 or 129, forced after `seconds`.

    Call it in `App.on_mount`, in the main thread. With `on_hangup` a hang-up (the signal or a terminal that ended)
    only calls that, on the loop: it may let the running action end and then call `Ending.end`, or go on without a
    screen. The process must leave with `sys.exit(app.return_code or 0)`.

    Plain signal handlers and not the loop's: those would never run while the loop is stuck, and the clock of the
    forced exit has to start then of all times.
    """
    ending = Ending(app, on_hangup, seconds)
    driver = app._driver  # noqa: SLF001 - there is no public name for it
    loop = driver._loop if driver is not None else None  # noqa: SLF001
    if isinstance(driver, PatientDriver):
        driver.on_terminal_lost = ending.hang_up
        if driver.terminal_lost:
            ending.hang_up()

    def handle(number: int, _frame: FrameType | None) -> None:
        hangup = number == signal.SIGHUP
        if not (hangup and on_hangup is not None):
            ending.arm(number)
        act: Callable[[], None] = ending.hang_up if hangup else lambda: ending.end(number)
        if loop is None or loop.is_closed():
            os._exit(128 + number)
        loop.call_soon_threadsafe(act)

    signal.signal(signal.SIGTERM, handle)
    signal.signal(signal.SIGHUP, handle)
    return ending
