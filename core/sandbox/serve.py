"""Both emulated systems on real sockets: inside a loop (``Sandbox``), in a thread, or as the foreground command."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import signal
import sys
import threading
import time
from collections.abc import Callable, MutableMapping
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, TextIO

import tomlkit
from filelock import FileLock, Timeout

from core.sandbox import folder
from core.sandbox.ajera.app import ajera_app, url_path
from core.sandbox.ajera.data import AjeraData
from core.sandbox.crm.app import PREFIX, crm_app
from core.sandbox.crm.data import CrmData
from core.sandbox.life import Edit, Life
from core.sandbox.options import DEFAULT_PROFILE, DEFAULT_VERSION, SandboxError, SandboxOptions, split_quirks
from core.sandbox.seed import seed
from core.sandbox.server import AppServer, listen, origin

__all__ = ["Sandbox", "SandboxError", "SandboxOptions", "SandboxThread", "run_sandbox"]

Clock = Callable[[], datetime]
#: First line of a settings file made here; a file without it is somebody's own and is never overwritten.
CONFIG_HEAD = "# Settings for an ajerasync sandbox, made by `ajerasync sandbox`."
#: Requests a second that the settings allow a client where the emulated system has no limit, as the CRM has none.
UNLIMITED_RATE = 50.0
_log = logging.getLogger(__name__)


class _App(Protocol):
    async def __call__(self, scope: Any, receive: Any, send: Any) -> None: ...


def utc_now() -> datetime:
    """The present, aware."""
    return datetime.now(UTC)


class Sandbox:
    """Two systems filled by a seed or a data folder. ``start`` returns when both accept requests.

    ``ajera`` and ``crm`` are the data, for tests that edit as people do. ``ajera_faults`` and ``crm_faults`` are the
    fault seams of the two applications.
    """

    def __init__(
        self,
        options: SandboxOptions | None = None,
        *,
        clock: Clock = utc_now,
        ajera_faults: Any = None,
        crm_faults: Any = None,
    ) -> None:
        self.options = options or SandboxOptions()
        self.ajera_quirks, self.crm_quirks = self.options.check()
        self.clock = clock
        self.ajera_url = self.crm_url = ""
        self.ajera: AjeraData
        self.crm: CrmData
        self.life: Life
        self._faults = (ajera_faults, crm_faults)
        self._servers: list[AppServer] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._lock: FileLock | None = None
        self._requests = self._saved_at = 0

    async def __aenter__(self) -> Sandbox:
        return await self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> Sandbox:
        """Load or seed, listen, serve. SandboxError or FolderError if that cannot be done; nothing is left behind."""
        try:
            self._take_folder()
            self.ajera, self.crm = self._data()
            self.life = Life(self.ajera, self.crm, self.options.life, self.options.seed, self.clock)
            await self._serve()
            if self.options.data is not None:
                folder.save(self.options.data, self.ajera, self.crm)
                self._saved_at = self._changes
            if self.options.config_out is not None:
                write_config(self.options.config_out, self.config_toml())
        except BaseException:
            await self._close()
            raise
        self._begin(self.life.run(_log_edit), "sandbox-life")
        if self.options.data is not None:
            self._begin(self._keep_saving(self.options.data), "sandbox-save")
        return self

    async def stop(self) -> None:
        """Finish what is being answered, close, save the data folder. A second call does nothing."""
        running = bool(self._servers)
        await self._close(release=False)
        try:
            if running and self.options.data is not None:
                folder.save(self.options.data, self.ajera, self.crm)
        finally:
            self._release()

    def config_toml(self) -> str:
        """Settings that point a client at the two systems (interface 4), its own first line included."""
        login, document = self.crm, tomlkit.document()
        document["ajera"] = {
            "url": self.ajera_url,
            "username": self.ajera.username,
            "password": self.ajera.password,
            "rate": float(self.options.rate) or UNLIMITED_RATE,
        }
        document["crm"] = {
            "url": self.crm_url,
            "database": login.database,
            "username": login.username,
            "password": login.password,
            "client_id": login.client_id,
            "client_secret": login.client_secret,
            "profile": login.profile,
            "rate": UNLIMITED_RATE,
            "defaults": self._defaults(),
        }
        document["sync"] = {"enabled": True}
        document["schedule"] = {"cron": "*/15 * * * *", "timezone": self.ajera.zone}
        ours, theirs, _ = split_quirks(self.options.quirks)
        tables: MutableMapping[str, Any] = document
        for name, quirks in (("ajera", ours), ("crm", theirs)):
            if quirks:
                tables[name]["quirks"] = dict(quirks)
        return f"{CONFIG_HEAD}\n{tomlkit.dumps(document)}"

    def _defaults(self) -> dict[str, dict[str, str]]:
        """What this CRM wants in every new project and employee: its first organization."""
        first = min(self.crm.tables["organization"], default="")
        return {"project": {"Org": first}, "employee": {"Org": first}} if first else {}

    # -- inside -------------------------------------------------------------------------------------------------------

    @property
    def _changes(self) -> int:
        """Moves whenever something may have changed: requests answered and edits made."""
        return self._requests + self.life.steps

    def _data(self) -> tuple[AjeraData, CrmData]:
        options = self.options
        if options.data is not None and folder.has_data(options.data):
            ajera, crm = folder.load(options.data, self.clock)
            ajera.version = options.ajera_version or ajera.version
            crm.profile = options.crm_profile or crm.profile
            return ajera, crm
        ajera = AjeraData(self.clock, options.ajera_version or DEFAULT_VERSION)
        crm = CrmData(self.clock, options.crm_profile or DEFAULT_PROFILE)
        counts = {name: getattr(options, name) for name in ("firms", "contacts", "projects", "employees")}
        seed(ajera, crm, seed=options.seed, **counts)
        return ajera, crm

    async def _serve(self) -> None:
        options, (ajera_faults, crm_faults) = self.options, self._faults
        wait, clock = options.delay_ms, self.clock
        ajera = ajera_app(
            self.ajera, self.ajera_quirks, rate=options.rate, delay_ms=wait, clock=clock, faults=ajera_faults
        )
        crm = crm_app(self.crm, self.crm_quirks, delay_ms=wait, clock=clock, faults=crm_faults)
        for app, port in ((ajera, options.ajera_port), (crm, options.crm_port)):
            sock = listen(options.host, port)
            self._servers.append(AppServer(self._counted(app), sock))
            await self._servers[-1].start()
            if app is ajera:
                self.ajera_url = origin(sock, options.host) + url_path(self.ajera)
            else:
                self.crm_url = origin(sock, options.host) + PREFIX

    def _counted(self, app: _App) -> _App:
        """The application with its requests counted, and each reply dated by the sandbox's own clock."""

        async def counted(scope: Any, receive: Any, send: Any) -> None:
            async def dated(message: MutableMapping[str, Any]) -> None:
                if message["type"] == "http.response.start":
                    headers = list(message.get("headers", ()))
                    if not any(name.lower() == b"date" for name, _ in headers):
                        headers.append((b"date", format_datetime(self.clock().astimezone(UTC), usegmt=True).encode()))
                    message["headers"] = headers
                await send(message)

            self._requests += scope["type"] == "http"
            await app(scope, receive, dated)

        return counted

    def _begin(self, work: Any, name: str) -> None:
        self._tasks.append(asyncio.create_task(work, name=name))

    async def _keep_saving(self, where: Path) -> None:
        pause = 0.0
        while True:
            await asyncio.sleep(max(self.options.save_seconds, pause))
            if self._changes == self._saved_at:
                continue
            began = time.perf_counter()
            changes, files = self._changes, folder.documents(self.ajera, self.crm)
            # Copying 100,000 records holds the servers up for seconds: that may take a twentieth of the time at most.
            pause = 20 * (time.perf_counter() - began)
            try:
                await asyncio.to_thread(folder.write, where, files)
            except (OSError, folder.FolderError) as error:
                _log.warning("the data folder was not saved: %s", getattr(error, "strerror", None) or error)
            else:
                self._saved_at = changes

    def _take_folder(self) -> None:
        """Two sandboxes on one folder would overwrite each other."""
        if self.options.data is None:
            return
        folder.take(self.options.data)
        lock = FileLock(self.options.data / ".lock", mode=0o600)
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            raise folder.FolderError(f"{self.options.data}: in use by another sandbox") from error
        self._lock = lock

    async def _close(self, *, release: bool = True) -> None:
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(outcome, Exception):
                _log.error("a task of the sandbox failed: %s", type(outcome).__name__, exc_info=outcome)
        servers, self._servers = self._servers, []
        await asyncio.gather(*(server.stop() for server in servers))
        if release:
            self._release()

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.release()
            self._lock = None


def write_config(path: Path, text: str) -> None:
    """Write the settings with mode 0600. SandboxError if a file that was not made here stands in the way."""
    if path.exists() and not path.read_text(encoding="utf-8", errors="replace").startswith(CONFIG_HEAD):
        raise SandboxError([f"{path} exists and was not made by a sandbox: it is left alone"])
    folder.write_private(path, text)


def _log_edit(edit: Edit) -> None:
    _log.info("%s: %s (%s %r)", edit["side"], edit["what"], edit["table"], edit["key"])


class SandboxThread:
    """A sandbox in a thread with a loop of its own, for programs whose loop has other work."""

    def __init__(self, options: SandboxOptions | None = None, *, clock: Clock = utc_now) -> None:
        self.sandbox = Sandbox(options, clock=clock)
        self._thread = threading.Thread(target=self._main, name="sandbox", daemon=True)
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._error: BaseException | None = None

    def __enter__(self) -> Sandbox:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> Sandbox:
        """Returns when both systems accept requests; raises what kept them from it."""
        self._thread.start()
        self._ready.wait()
        if self._error is not None:
            self._thread.join()
            raise self._error
        return self.sandbox

    def stop(self) -> None:
        """Stop and wait; raises what went wrong while stopping."""
        if self._loop is not None and self._stopping is not None and self._thread.is_alive():
            # The loop may close between the check and the call.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()
        if self._error is not None:
            raise self._error

    def _main(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            self._error = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        async with self.sandbox:
            self._ready.set()
            await self._stopping.wait()


def run_sandbox(options: SandboxOptions, out: TextIO | None = None) -> int:
    """The foreground command: one JSON line on standard output when ready, then serve until SIGINT or SIGTERM.

    Answers the exit code; SandboxError and FolderError are the caller's to show.
    """
    return asyncio.run(_foreground(options, out or sys.stdout))


async def _foreground(options: SandboxOptions, out: TextIO) -> int:
    ended, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    async with Sandbox(options) as sandbox:
        config = str(options.config_out.absolute()) if options.config_out else None
        ready = {"ajera_url": sandbox.ajera_url, "crm_url": sandbox.crm_url, "config": config}
        out.write(json.dumps(ready) + "\n")
        out.flush()
        await ended.wait()
    return 0
