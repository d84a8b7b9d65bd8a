"""Commands of this program run beside it, in a process of their own: what takes long there holds nothing up here.

Part of the composition root. The process is told on its standard input which profile it is for and what to do, so that
nothing stands on its command line; it ends when that input ends, however its starter went.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from core.engine.checkups import Report, Tell
from core.errors import AjerasyncError, UsageError
from core.model.values import Side
from core.settings import Settings
from core.text import safe_line

END_SECONDS: Final = 3.0
CLEAN_SECONDS: Final = 20.0  # probes that write take away what they made first
KEPT_LINES: Final = 200


class Aside:
    """Implements core.engine.checkups.Checkups for one profile."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def doctor(self, tell: Tell) -> Report:
        return await self._run(("doctor", "--json"), tell)

    async def probe(self, tell: Tell, databases: Collection[str] = ()) -> Report:
        named = [word for name in databases for word in ("--database", name)]
        writing = ("--write", "--yes", *named) if named else ()
        return await self._run(("doctor", "--probe", "--json", *writing), tell)

    async def rehearse(self, tell: Tell, keep: Path | None = None) -> Report:
        return await self._run(("rehearse", "--json", *(("--from-live", str(keep)) if keep else ())), tell)

    def may_write(self, databases: Collection[str]) -> str:
        from core.doctor import may_write

        may_write(self._settings, databases)
        return f"{self._settings.crm.database} and the Ajera of the settings"

    def save_switches(self, found: Sequence[Mapping[str, Any]]) -> Path:
        from core.doctor import save_quirks
        from core.quirks.probing import Finding, ProbeReport

        sides: dict[Side, list[Finding]] = {side: [] for side in Side}
        for each in found:
            sides[Side(each["side"])].append(Finding(each["switch"], each["value"], each["how"]))
        save_quirks(self._settings.paths, {side: ProbeReport(tuple(each)) for side, each in sides.items()})
        return self._settings.paths.config

    async def _run(self, words: Sequence[str], tell: Tell) -> Report:
        paths = self._settings.paths
        order = {"profile": paths.profile, "config": str(paths.config), "state": str(paths.state), "words": list(words)}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "core.cli.beside",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,  # a Ctrl-C at our terminal is ours
        )
        try:
            return await _answer(process, order, tell)
        finally:
            await _end(process, CLEAN_SECONDS if "--write" in words else END_SECONDS)


async def _answer(process: asyncio.subprocess.Process, order: Mapping[str, Any], tell: Tell) -> Report:
    assert process.stdin is not None
    assert process.stdout is not None
    with suppress(BrokenPipeError, ConnectionResetError):  # it ended at once: it says why
        process.stdin.write(json.dumps(order).encode() + b"\n")
        await process.stdin.drain()
    output, said = await asyncio.gather(process.stdout.read(), _told(process, tell))
    code = await process.wait()
    try:
        return Report(json.loads(output), code, said)
    except ValueError:
        why = "\n".join(said[-8:]) or f"it ended with {code} and said nothing"
        raise (UsageError if code == UsageError.exit_code else AjerasyncError)(why) from None


async def _told(process: asyncio.subprocess.Process, tell: Tell) -> list[str]:
    assert process.stderr is not None
    lines: list[str] = []
    while True:
        try:
            line = await process.stderr.readline()
        except ValueError:  # a line longer than any of ours: dropped
            continue
        if not line:
            return lines
        text = safe_line(line.decode(errors="replace").rstrip(), 2_000)
        lines = [*lines[-KEPT_LINES:], text]
        tell(text)


async def _end(process: asyncio.subprocess.Process, patience: float) -> None:
    """Ask it to stop, as Ctrl-C would; end it where it does not."""
    if process.stdin is not None:
        process.stdin.close()
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGINT)
    try:
        await asyncio.wait_for(process.wait(), patience)
    except TimeoutError:
        process.kill()
        await process.wait()
    except asyncio.CancelledError:
        process.kill()
        raise
