"""Where the probes of Ajera stand: calls as they are answered, samples of records, and how a reply is judged."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from core.ajera import names
from core.ajera.client import AjeraClient
from core.ajera.names import ENTITIES
from core.ajera.wire import Envelope, Raw, read_key, validated
from core.errors import RecordRefused
from core.model.values import Kind, Side
from core.quirks.ajera import AjeraQuirks
from core.quirks.probing import Probes, Value
from core.text import safe_line

SAMPLE: Final = 100  # records looked at
YEARS: Final = 10  # what lies that far ahead was modified by nobody
EARLIEST, LATEST = "FilterByEarliestModifiedDate", "FilterByLatestModifiedDate"

SILENT: Final = {
    "throttle": "asking faster than allowed on purpose could lock the API user out; all three forms are handled",
    "session_sliding": "a session's new end is not told; it would take waiting for the old one",
    "transactions_move_stamp": "time would have to be posted by accounting; totals are read by age, so nothing rests on it",
}


@dataclass
class AjeraGround:
    """One tenant under the probes. `records` are those made here, with a label each; `left` says which stay.
    `made` is what one probe leaves for the next."""

    client: AjeraClient
    now: Callable[[], datetime]
    found: dict[str, Value] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    samples: dict[Kind, list[Raw]] = field(default_factory=dict)
    records: dict[Kind, dict[int, str]] = field(default_factory=dict)
    made: dict[str, Any] = field(default_factory=dict)

    async def ask(self, method: str, arguments: Mapping[str, Any] | None, **how: Any) -> Reply:
        return Reply(await self.client.envelope(method, arguments, **how))

    async def content(self, method: str, arguments: Mapping[str, Any], **how: Any) -> Raw:
        """The Content of a call that must work. Raises RecordRefused."""
        return (await self.ask(method, arguments, **how)).content_or_refusal()

    async def listed(self, kind: Kind, **filters: Any) -> set[int]:
        """The keys of a List with filters. Raises RecordRefused."""
        entity = ENTITIES[kind]
        rows = (await self.content(entity.list_method, filters)).get(entity.plural) or []
        return {key for row in rows if (key := read_key(row.get(entity.key)))}

    async def sample(self, kind: Kind) -> list[Raw]:
        """Some records as they were sent: the first and the last of the list."""
        if kind not in self.samples:
            keys = sorted(await self.listed(kind))
            half = SAMPLE // 2
            chosen = keys if len(keys) <= SAMPLE else keys[:half] + keys[-half:]
            rows: list[Raw] = []
            for start in range(0, len(chosen), ENTITIES[kind].batch):
                rows += await self.get(kind, chosen[start : start + ENTITIES[kind].batch])
            self.samples[kind] = rows
        return self.samples[kind]

    async def get(self, kind: Kind, keys: Sequence[int], version: int = 1) -> list[Raw]:
        if kind is Kind.EMPLOYEE:
            raise ValueError("employees are not probed")
        entity = ENTITIES[kind]
        content = await self.content(entity.get_method, {entity.requested: list(keys)}, version=version)
        rows = content.get(entity.plural) or []
        return [row for row in rows if isinstance(row, dict)]


@dataclass(frozen=True)
class Reply:
    """An envelope, judged as the client judges it (ajera-api 4)."""

    raw: Raw

    @property
    def envelope(self) -> Envelope:
        return validated(Envelope, self.raw, "probe")

    @property
    def errors(self) -> list[str]:
        return [item.ErrorMessage for item in self.envelope.Errors if item.ErrorID]

    @property
    def good_code(self) -> bool:
        return self.envelope.ResponseCode in names.SUCCESS_CODES

    @property
    def refused(self) -> bool:
        return not self.good_code or bool(self.errors)

    @property
    def words(self) -> str:
        """The specific error text."""
        texts = [*self.errors, self.envelope.Message]
        return next((text for text in texts if text and text != names.GENERIC_ERROR), names.GENERIC_ERROR)

    @property
    def content(self) -> Raw:
        return dict(self.envelope.Content)

    def content_or_refusal(self) -> Raw:
        if self.refused:
            raise RecordRefused(Side.AJERA, f"Ajera refused a probe: {safe_line(self.words, 200)}", [self.words])
        return self.content


PROBES: Final[Probes[AjeraGround]] = Probes(AjeraQuirks, SILENT)
