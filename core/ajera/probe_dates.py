"""How an Ajera tenant reads modified-date filters, found by reading (doctor --probe; ajera-api 6.1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from core.ajera.names import ENTITIES
from core.ajera.probe_ground import EARLIEST, LATEST, PROBES, YEARS, AjeraGround
from core.ajera.wire import read_key, read_stamp, read_text
from core.model.values import Kind
from core.quirks.probing import Answer, Undetermined

reads = PROBES.reads


@dataclass(frozen=True)
class _Dated:
    """A record that was modified at `moment` (UTC), as sent in `text`."""

    kind: Kind
    key: int
    moment: datetime
    text: str

    @property
    def away(self) -> timedelta:
        """The offset of the zone in which Ajera writes it."""
        local = datetime.fromisoformat(self.text.strip()[:19].replace(" ", "T")).replace(tzinfo=UTC)
        return local - self.moment.replace(microsecond=0)

    @property
    def local_day(self) -> date:
        return (self.moment + self.away).date()


async def _dated(ground: AjeraGround) -> list[_Dated]:
    found = []
    for kind in (Kind.FIRM, Kind.CONTACT, Kind.PROJECT):
        for row in await ground.sample(kind):
            text, key = read_text(row.get("LastModifiedDate")), read_key(row.get(ENTITIES[kind].key))
            moment = read_stamp(text)
            if moment is not None and key is not None:
                found.append(_Dated(kind, key, moment, text))
    return found


async def _one_dated(ground: AjeraGround) -> _Dated:
    """A record whose day is the same in Ajera's zone and in UTC, away from the edge of a second and of a day."""
    for one in await _dated(ground):
        quiet = one.moment.second < 58 and one.local_day == one.moment.date() and one.moment.hour > 0
        if quiet and (one.moment.month, one.moment.day) != (2, 29):
            await _filter_works(ground, one)
            return one
    raise Undetermined("no record with a readable LastModifiedDate in the middle of its day")


async def _filter_works(ground: AjeraGround, one: _Dated) -> None:
    """Raises Undetermined unless the documented form selects by day at least."""
    before = await _selected(ground, one, EARLIEST, _form(one.moment - timedelta(days=2)))
    after = await _selected(ground, one, EARLIEST, _form(one.moment + timedelta(days=3)))
    if not before or after:
        raise Undetermined("the modified-date filter does not work in the documented form")


def _form(moment: datetime) -> str:
    """The documented long form, by the digit."""
    return f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03d} GMT+0000"


async def _selected(ground: AjeraGround, one: _Dated, bound: str, value: str) -> bool:
    return one.key in await ground.listed(one.kind, **{bound: value})


@reads("date_filter")
async def _date_filter(ground: AjeraGround) -> Answer:
    one = await _one_dated(ground)
    later = await _selected(ground, one, EARLIEST, _form(one.moment + timedelta(seconds=1)))
    return "day" if later else "stamp", "a record that was modified a second before the earliest date asked for"


@reads("date_bounds", "date_filter")
async def _date_bounds(ground: AjeraGround) -> Answer:
    if ground.found.get("date_filter") == "day":
        raise Undetermined("filters know days only here")
    one = await _one_dated(ground)
    included = await _selected(ground, one, EARLIEST, _form(one.moment))
    return "inclusive" if included else "exclusive", "the earliest date asked for is the record's own, to the ms"


@reads("date_latest_day")
async def _date_latest_day(ground: AjeraGround) -> Answer:
    one = await _one_dated(ground)
    included = await _selected(ground, one, LATEST, one.local_day.isoformat())
    return "whole" if included else "midnight", "a record of the very day that is asked for as the latest"


@reads("date_returned_form")
async def _date_returned_form(ground: AjeraGround) -> Answer:
    one = await _one_dated(ground)
    entity, year = ENTITIES[one.kind], int(one.text.strip()[:4])
    ahead = await ground.ask(entity.list_method, {EARLIEST: f"{year + YEARS + 20}{one.text.strip()[4:]}"})
    if ahead.refused:
        return "error", "a filter in the form in which LastModifiedDate is sent"
    if ahead.content.get(entity.plural):
        return "ignore", "a date of that form, far ahead, selects records all the same"
    if not await _selected(ground, one, EARLIEST, f"{year - 1}{one.text.strip()[4:]}"):
        raise Undetermined("a filter in the returned form selects nothing at all")
    return "accept", "a date of that form selects like the documented one"


@reads("date_unreadable")
async def _date_unreadable(ground: AjeraGround) -> Answer:
    reply = await ground.ask("ListClients", {EARLIEST: "not a date"})
    if reply.refused:
        return "error", "a modified-date filter that is no date"
    if not reply.content.get("Clients"):
        raise Undetermined("a filter that is no date selects nothing, or there are no clients")
    return "ignore", "a modified-date filter that is no date selects everything"


@reads("date_zone")
async def _date_zone(ground: AjeraGround) -> Answer:
    """A bare date as the earliest, on a record that lies between the beginnings of that day in both zones."""
    for one in await _dated(ground):
        day = max(one.local_day, one.moment.date())
        start_utc = datetime(day.year, day.month, day.day, tzinfo=UTC)
        by_server, by_utc = start_utc - one.away <= one.moment, start_utc <= one.moment
        if by_server != by_utc:
            await _filter_works(ground, one)
            included = await _selected(ground, one, EARLIEST, day.isoformat())
            return "server" if included == by_server else "utc", "a record of the hours between both midnights"
    raise Undetermined("no record was modified between midnight in Ajera's zone and midnight UTC")
