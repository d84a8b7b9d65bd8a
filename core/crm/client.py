"""The CRM's REST calls: lists read to their end, one record, writes; tokens renewed on the way.

Paths, verbs and replies are those of contract sections 3 to 12. Cookies that the load balancer sets are
sent back by the connection (section 1).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from urllib.parse import quote, urlencode

from core.crm.query import Query, parameters
from core.crm.replies import SIDE, failure_of, rows_of
from core.crm.session import Session
from core.crm.wire import CodeRow, Row, TableMeta, code_rows, metadata_tables
from core.errors import BadReply, ListNotTrusted, OutcomeUnknown, RecordMissing
from core.http import Http, Reply, Request
from core.secret import Hidden

PAGE_SIZE: Final = 500
LONG_QUERY: Final = 1800  # characters of a query string above which it is sent as a form (section 4)
SCAN_TRIES: Final = 3  # a list that moved while it was read is read again
RENEWALS: Final = 5  # calls share a session: it may die again before a waiting one comes to its turn
SMALLEST_CAP: Final = 25  # no server is taken to cut its pages below this


@dataclass(frozen=True, slots=True)
class Scan:
    """A list read to its end; `date` is the server's clock when it began to answer."""

    rows: list[Row]
    date: datetime | None


class _MovedError(Exception):
    """The list changed its rows while it was paged."""


class CrmClient:
    """One tenant's API. Raises core.errors.SystemFailure and its children only."""

    def __init__(self, http: Http, session: Session, *, page_size: int = PAGE_SIZE) -> None:
        self._http = http
        self.session = session
        self.page_size = page_size
        self._largest: dict[str, int] = {}

    @property
    def requests(self) -> int:
        return self._http.requests

    async def log_in(self) -> None:
        """Make sure of a token. Raises LoginRefused."""
        await self.session.token()

    async def close(self) -> None:
        await self._http.close()

    # -- reading ---------------------------------------------------------------------------------

    async def scan(self, hub: str, query: Query, key: Callable[[Row], str]) -> Scan:
        """Every row of a list, by key order, until a page comes back short.

        Paging is positional, so each page overlaps the one before by a row: when that row is another one the
        list moved (or the server ignores the offset), and it is read again. Raises ListNotTrusted when it
        never stands still.
        """
        for _ in range(SCAN_TRIES):
            try:
                return await self._scan_once(hub, query, key)
            except _MovedError:
                continue
        raise ListNotTrusted(SIDE, f"The CRM's list of {hub}s changed each time it was read page by page")

    async def _scan_once(self, hub: str, query: Query, key: Callable[[Row], str]) -> Scan:
        page, date = await self._page(hub, query, 0)
        rows, seen = list(page), {key(row) for row in page}
        while not self._is_last(hub, len(page)):
            page, _ = await self._page(hub, query, len(rows) - 1)
            if not page or key(page[0]) != key(rows[-1]):
                raise _MovedError
            if len(page) == 1:
                break
            rows += page[1:]
            seen |= {key(row) for row in page[1:]}
            if len(seen) != len(rows):
                break
        if len(seen) != len(rows):  # a row came twice: it moved, or a page was sent again
            raise _MovedError
        return Scan(rows, date)

    def _is_last(self, hub: str, size: int) -> bool:
        """Whether a page ends its list: it is shorter than asked, and the server is known to send more at
        once. The greatest page is not documented; a cut one must not pass for the end."""
        known = self._largest.get(hub, 0)
        self._largest[hub] = max(known, size)
        return size < self.page_size and (size < SMALLEST_CAP or size < known)

    async def _page(self, hub: str, query: Query, offset: int) -> tuple[list[Row], datetime | None]:
        reply = await self.read(hub, parameters(query, self.page_size, offset), f"list {hub}")
        return rows_of(reply), reply.date

    async def some(self, hub: str, query: Query, limit: int) -> tuple[list[Row], datetime | None]:
        """The first rows of a list, in one call."""
        reply = await self.read(hub, parameters(query, limit), f"list {hub}")
        return rows_of(reply)[:limit], reply.date

    async def one(self, hub: str, key: str, fields: Sequence[str]) -> Row | None:
        """One record; None where there is none: 404 by the vendor's table, an empty array in the wild."""
        try:
            reply = await self.read(f"{hub}/{segment(key)}", parameters(Query(tuple(fields))), f"get {hub}")
        except RecordMissing:
            return None
        rows = rows_of(reply)
        return rows[0] if rows else None

    async def children(self, hub: str, key: str, child: str) -> list[Row] | None:
        """The rows below one record (addresses, team members); None where the record is gone."""
        try:
            return rows_of(await self.read(f"{hub}/{segment(key)}/{child}", (), f"get {hub} {child}"))
        except RecordMissing:
            return None

    async def metadata(self, hub: str) -> dict[str, TableMeta]:
        """The tables of /metadata/{hub}. Raises BadReply when it is no metadata."""
        reply = await self.read(f"metadata/{hub}", (), f"metadata {hub}")
        try:
            return metadata_tables(reply.json())
        except ValueError:
            problem = BadReply(SIDE, f"The CRM's metadata of {hub}s cannot be read")
        raise problem

    async def code_table(self, name: str) -> tuple[CodeRow, ...] | None:
        """The rows of a code table; None where there is no such table."""
        try:
            return code_rows((await self.read(f"codeTable/{segment(name)}", (), f"code table {name}")).json())
        except RecordMissing:
            return None

    async def read(self, path: str, params: Sequence[tuple[str, str]], name: str) -> Reply:
        """A GET, or the POST that stands for it where the query is long (section 4: dvp-postAsGet)."""
        if len(urlencode(params)) <= LONG_QUERY:
            return await self._send(Request("GET", path, params=params, name=name, reading=True))
        headers = {"dvp-postAsGet": "true"}
        return await self._send(Request("POST", path, headers=headers, form=dict(params), name=name, reading=True))

    async def raw(
        self,
        method: str,
        path: str,
        *,
        params: Sequence[tuple[str, str]] = (),
        body: Mapping[str, object] | None = None,
        token: str | None = None,
    ) -> Reply:
        """One call and its reply as it is, refusals included (doctor --probe); never repeated, but for a dead session.

        With a `token` of the caller's a 401 comes back as well.
        """
        request = Request(
            method, path, params=params, json=body, name=f"probe {path.split('/', maxsplit=1)[0]}", reading=False
        )
        given = token or await self.session.token()
        reply = await self._http.send(_with(request, given))
        if reply.status == 401 and token is None:
            reply = await self._http.send(_with(request, await self.session.renew(given)))
        return reply

    # -- writing ---------------------------------------------------------------------------------

    async def post(self, path: str, body: Mapping[str, object], fields: Sequence[str], name: str) -> Reply:
        """POST; the reply with its Location. Raises RecordRefused, AlreadyThere, OutcomeUnknown."""
        return await self._write("POST", path, body, fields, name)

    async def put(self, path: str, body: Mapping[str, object], fields: Sequence[str], name: str) -> list[Row]:
        """PUT of the changed fields; the rows of the reply (section 3).

        Raises OutcomeUnknown where a good answer cannot be read (cut off, or a page of something in between).
        """
        reply = await self._write("PUT", path, body, fields, name)
        try:
            return rows_of(reply)
        except BadReply as bad:
            problem = OutcomeUnknown(SIDE, f"{bad}. The change may have been done.")
        raise problem

    async def _write(
        self, method: str, path: str, body: Mapping[str, object], fields: Sequence[str], name: str
    ) -> Reply:
        params = parameters(Query(tuple(fields)))
        return await self._send(Request(method, path, params=params, json=dict(body), name=name, reading=False))

    async def _send(self, request: Request) -> Reply:
        """Send with a token; where the session died early, log in again and repeat the call: a 401 did nothing."""
        token = await self.session.token()
        reply = await self._http.send(_with(request, token))
        for _ in range(RENEWALS):
            if reply.status != 401:
                break
            token = await self.session.renew(token)
            reply = await self._http.send(_with(request, token))
        problem = failure_of(reply, request.name, reading=request.reading)
        if problem:
            raise problem
        return reply


def _with(request: Request, token: str) -> Request:
    return replace(request, headers={**request.headers, "Authorization": Hidden(f"Bearer {token}")})


def segment(key: str) -> str:
    """A key as one path segment. Dots alone would climb the path."""
    return quote(key, safe="") if key.strip(".") else key.replace(".", "%2E")
