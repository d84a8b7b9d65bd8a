"""What looks at the whole from outside a run: doctor, probes, rehearsal. The façade's port for them.

They open the store a second time, read for minutes and compute for seconds, so they are not done on the loop that
paints the screen: whoever composes the program hands in something that does them elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

Tell = Callable[[str], None]
"""Takes each line of progress, as it comes: outside text."""


@dataclass(frozen=True, slots=True)
class Report:
    """The JSON document of a command (docs/commands.md), its exit code, and what it said beside it."""

    document: Any
    code: int
    said: Sequence[str] = ()


class Checkups(Protocol):
    """Each call raises AjerasyncError with what the command said where it could not do its work. Cancelling ends it."""

    async def doctor(self, tell: Tell) -> Report: ...
    async def probe(self, tell: Tell, databases: Collection[str] = ()) -> Report:
        """With `databases` also the probes that make records: `may_write` first."""
        ...

    async def rehearse(self, tell: Tell, keep: Path | None = None) -> Report: ...
    def may_write(self, databases: Collection[str]) -> str:
        """Where records would be made, in words. Raises UsageError unless both test databases are named."""
        ...

    def save_switches(self, found: Sequence[Mapping[str, Any]]) -> Path:
        """Set what a probe's report calls `switches` in the settings file; that file. Raises UsageError, SettingsError."""
        ...
