"""What changed since: the modified-date filter of the lists, and the proof that it works (ajera-api 6.1, 6.2).

A cursor is the text `stamp|key|digest`: the newest stamp read (UTC, never past the Date of the reply it came
from), the key that bore it, and a digest of the keys within the overlap before it. A `!` after the digest says that
the cursor is settled: its overlap was read when Ajera's own clock was past it, so that nothing may come late any more
(that is what two minutes of overlap mean).

Requests of one pull with a cursor:

    settled, proved within the hour    List               from one millisecond after the cursor; empty: no change
    settled                            List + List        the second from two minutes before it (the overlap)
    not settled                        List + Get         the overlap is read again, since the list carries no stamps
    not settled, or news               + List, + Gets     a far-future date must answer nothing: once per kind in the
                                                          life of the program, and when the newest row is in the news

The short list shows a second edit of the newest row by itself, since that moves its stamp. An empty one proves that
the filter is not ignored, for then it would list everything. The overlap proves that the filter does not answer empty
falsely: the newest row seen must be in it. Once an hour is enough for that, since an empty answer does not move the
cursor: what a lying filter hid is listed as soon as it is found out, and nothing is lost.

Where a tenant knows days only (`date_filter`), each pull lists a day's overlap and reads all of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from core.ajera.wire import read_stamp
from core.errors import ListNotTrusted
from core.model.record import Record
from core.model.values import Kind, Side
from core.quirks.ajera import AjeraQuirks

OVERLAP: Final = timedelta(minutes=2)
DAY_OVERLAP: Final = timedelta(days=1)  # where only days count, a bare date may be read in any zone
STEP: Final = timedelta(milliseconds=1)  # stamps carry milliseconds
PROVED_FOR: Final = 3600.0  # seconds after which the overlap is asked for again
SETTLED: Final = "!"
FAR_FUTURE: Final = datetime(2099, 12, 31, tzinfo=UTC)
SINCE: Final = "FilterByEarliestModifiedDate"


class Source(Protocol):
    """What pulling needs of the system: rows of a list by key, and records."""

    def listed(self, kind: Kind, filters: Mapping[str, str]) -> Awaitable[tuple[list[int], datetime | None]]: ...
    def read(self, kind: Kind, keys: Iterable[int]) -> Awaitable[list[Record]]: ...


@dataclass(frozen=True)
class Mark:
    """A cursor taken apart. `digest` is "" where the overlap's members are not known."""

    moment: datetime
    key: int
    digest: str = ""
    settled: bool = False

    def __str__(self) -> str:
        return f"{self.moment.isoformat()}|{self.key}|{self.digest}{SETTLED if self.settled else ''}"

    @classmethod
    def parse(cls, text: str | None) -> Mark | None:
        """None where there is no cursor or it is none of ours: then everything is read."""
        parts = (text or "").split("|")
        if len(parts) != 3 or not parts[1].isdecimal():
            return None
        try:
            moment = datetime.fromisoformat(parts[0])
        except ValueError:
            return None
        digest = parts[2].removesuffix(SETTLED)
        return cls(moment, int(parts[1]), digest, digest != parts[2]) if moment.tzinfo else None


def filter_text(moment: datetime, quirks: AjeraQuirks) -> str:
    """The filter's long form with time, or the plain day where a tenant knows days only."""
    utc = moment.astimezone(UTC)
    if quirks.date_filter == "day":
        return utc.date().isoformat()
    return f"{utc:%Y-%m-%d %H:%M:%S}.{utc.microsecond // 1000:03d} GMT+0000"


def digest_of(keys: Iterable[int]) -> str:
    """A short fingerprint of a set of keys."""
    text = ",".join(map(str, sorted(set(keys))))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def moments(records: Iterable[Record]) -> dict[int, datetime]:
    """Stamp by key, for the records whose stamp can be read."""
    found = {int(record.key): read_stamp(record.stamp) for record in records}
    return {key: moment for key, moment in found.items() if moment is not None}


def advanced(mark: Mark | None, stamps: Mapping[int, datetime], until: datetime | None) -> Mark | None:
    """The mark after these stamps: the newest, but never past `until` (the list's own Date, whole seconds).

    What was saved while records were still being read stays ahead of the mark and is listed next time.
    """
    if not stamps:
        return mark
    newest = max(stamps, key=lambda key: (stamps[key], key))
    moment = stamps[newest]
    if until is not None and moment > until + timedelta(seconds=1):
        moment = until
    if mark is not None and moment <= mark.moment:
        return mark
    return Mark(moment, newest)


def with_members(mark: Mark, stamps: Mapping[int, datetime]) -> Mark:
    """The mark with the digest of the overlap, from stamps that are known to be complete there."""
    members = [key for key, moment in stamps.items() if moment >= mark.moment - OVERLAP]
    return Mark(mark.moment, mark.key, digest_of(members))


class Puller:
    """Reads changes of one system; remembers only which lists were proved, and when."""

    def __init__(
        self, source: Source, quirks: AjeraQuirks, batch: Callable[[Kind], int], monotonic: Callable[[], float]
    ) -> None:
        self._source = source
        self._quirks = quirks
        self._batch = batch
        self._monotonic = monotonic
        self._proved: set[Kind] = set()
        self._believed: dict[Kind, tuple[Mark, float]] = {}  # up to which mark, and when

    async def everything(self, kind: Kind) -> tuple[list[Record], Mark | None]:
        keys, sent = await self._source.listed(kind, {})
        records = await self._source.read(kind, keys)
        stamps = moments(records)
        mark = advanced(None, stamps, sent)
        return records, with_members(mark, stamps) if mark else None

    async def since(self, kind: Kind, mark: Mark) -> tuple[list[Record], Mark]:
        """What changed since the mark. Raises ListNotTrusted where the filter cannot be believed."""
        if self._quirks.date_filter == "day":
            return await self._since_day(kind, mark)
        if not mark.settled:
            return await self._unsettled(kind, mark)
        newer, sent = await self._listed(kind, mark.moment + STEP)
        if newer:
            await self._prove(kind, again=mark.key in newer)
        if self._is_believed(kind, mark):
            records = await self._source.read(kind, newer)
            return records, advanced(mark, moments(records), sent) or mark
        overlap, _ = await self._listed(kind, mark.moment - OVERLAP)
        await self._expect(kind, mark, overlap)
        if not newer and digest_of(overlap) == mark.digest:
            self._believed[kind] = mark, self._monotonic()
            return [], mark
        return await self._with_overlap(kind, mark, newer, overlap, sent)

    async def _unsettled(self, kind: Kind, mark: Mark) -> tuple[list[Record], Mark]:
        """The overlap is read again, as something may still come late; only a large one is told apart by a list."""
        await self._prove(kind)
        overlap, sent = await self._listed(kind, mark.moment - OVERLAP)
        await self._expect(kind, mark, overlap)
        newer = overlap
        if len(overlap) > self._batch(kind):
            newer, _ = await self._listed(kind, mark.moment + STEP)
        return await self._with_overlap(kind, mark, newer, overlap, sent)

    async def _with_overlap(
        self, kind: Kind, mark: Mark, newer: list[int], overlap: list[int], sent: datetime | None
    ) -> tuple[list[Record], Mark]:
        """The news, and the overlap with them unless it is large and its members are the same."""
        both = list(dict.fromkeys((*overlap, *newer)))
        same = bool(mark.digest) and digest_of(set(both) - set(newer)) == mark.digest
        large = len(both) > self._batch(kind)
        records = await self._source.read(kind, newer if large and same else both)
        stamps = moments(records)
        after = advanced(mark, stamps, sent) or mark
        if not (large and same):
            after = with_members(after, stamps)
        settled = after.moment == mark.moment and sent is not None and sent > mark.moment + OVERLAP
        return records, replace(after, settled=settled and bool(after.digest))

    async def _since_day(self, kind: Kind, mark: Mark) -> tuple[list[Record], Mark]:
        await self._prove(kind)
        overlap, sent = await self._listed(kind, mark.moment - DAY_OVERLAP)
        await self._expect(kind, mark, overlap)
        records = await self._source.read(kind, overlap)
        stamps = moments(records)
        return records, with_members(advanced(mark, stamps, sent) or mark, stamps)

    def _is_believed(self, kind: Kind, mark: Mark) -> bool:
        """Whether the list was proved up to this settled mark within the hour."""
        believed, at = self._believed.get(kind, (None, 0.0))
        return believed == mark and self._monotonic() - at < PROVED_FOR

    async def _listed(self, kind: Kind, moment: datetime) -> tuple[list[int], datetime | None]:
        return await self._source.listed(kind, {SINCE: filter_text(moment, self._quirks)})

    async def _prove(self, kind: Kind, *, again: bool = False) -> None:
        """A far-future date must answer nothing: an ignored filter answers everything (3.1)."""
        if kind in self._proved and not again:
            return
        rows, _ = await self._listed(kind, FAR_FUTURE)
        if rows:
            raise ListNotTrusted(
                Side.AJERA,
                f"Ajera's list of {kind}s ignores its modified-date filter: it lists {len(rows)} records as changed "
                "after 2099. Nothing was read; see `doctor --probe` and [ajera.quirks].",
            )
        self._proved.add(kind)

    async def _expect(self, kind: Kind, mark: Mark, listed: list[int]) -> None:
        """The newest record seen before must be in the answer, unless it is gone."""
        if mark.key in listed:
            return
        if await self._source.read(kind, [mark.key]):
            raise ListNotTrusted(
                Side.AJERA,
                f"Ajera's list of changed {kind}s lacks one that is known to have changed then (key {mark.key}): the "
                "modified-date filter cannot be believed. Nothing was read; see `doctor --probe` and [ajera.quirks].",
            )
