"""Ajera's protocol: one address, sessions per API version, an envelope that answers HTTP 200 to everything.

    session(version)      CreateAPISession, lazily, one token per version (ajera-api 2.3)
    call(...)             one method; renews an ended session once
    read_envelope(...)    pure: an envelope to its Content, or the exception it means (4)

Methods are typed for what the sync needs. Raw dicts come back, numbers as Decimal or int, exactly as read.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

import orjson
from pydantic import ValidationError

from core.ajera import names
from core.ajera.mapping import harmless_employee
from core.ajera.names import ENTITIES, Entity, Reference
from core.ajera.skim import skimmed
from core.ajera.wire import Envelope, Raw, ReferenceRow, SessionContent, read_key, read_text, validated
from core.errors import (
    AccessRefused,
    AlreadyThere,
    BadReply,
    LoginRefused,
    NothingToChange,
    OutcomeUnknown,
    RateLimited,
    RecordRefused,
    Stale,
    SystemFailure,
)
from core.http import Http, Reply, Request
from core.model.values import Kind, Side
from core.policy import FieldSpec
from core.text import safe_line

T = TypeVar("T")
Same = Callable[[Raw], bool]  # whether a skimmed row is the one that is known
LARGE: Final = 256 * 1024  # bytes of a reply that are parsed in a thread
RATE_TRIES: Final = 3  # a read that Ajera refuses inside the envelope for its rate is tried again so often


class SessionEnded(SystemFailure):
    """The token is bad or over: log in again and repeat, once. The call was refused, so it did nothing."""


@dataclass(frozen=True)
class Answer:
    """The Content of a call that worked, and when Ajera's server sent it. `skimmed` is the reply of which `content` is
    the quick reading (skim.py), None where it is exact."""

    content: Raw
    date: datetime | None
    skimmed: Reply | None = None


class AjeraClient:
    """One API user of one Ajera database. Safe for concurrent calls on one event loop."""

    def __init__(self, http: Http, username: str, password: str) -> None:
        self.http = http
        self._username = username
        self._password = password
        self._sessions: dict[int, SessionContent] = {}
        self._locks: dict[int, asyncio.Lock] = {}
        self.date: datetime | None = None
        self.employee_fields: tuple[FieldSpec, ...] = ()
        http.add_secret(password)

    # -- sessions --------------------------------------------------------------------------------

    @property
    def connected(self) -> bool:
        """Whether a version 1 session is open, as far as is known here."""
        return 1 in self._sessions

    async def session(self, version: int = 1) -> SessionContent:
        """The open session of an API version, made when there is none."""
        async with self._locks.setdefault(version, asyncio.Lock()):
            if version not in self._sessions:
                self._sessions[version] = await self._log_in(version)
            return self._sessions[version]

    async def fresh_session(self) -> SessionContent:
        """A new version 1 session, so that what it says is true now; the one before is ended."""
        async with self._locks.setdefault(1, asyncio.Lock()):
            before = self._sessions.get(1)
            self._sessions[1] = session = await self._log_in(1)
        if before is not None:
            await self._end(before)
        return session

    async def _log_in(self, version: int) -> SessionContent:
        name = "CreateAPISession"
        body = {
            "Method": name,
            "Username": self._username,
            "Password": self._password,
            "APIVersion": version,
            "UseSessionCookie": False,
        }
        answer = await self._patiently(name, body, reading=True)
        session = validated(SessionContent, _wanted(answer.content), name)
        if not session.SessionToken:
            raise LoginRefused(Side.AJERA, "Ajera answered the login without a session token")
        self.http.add_secret(session.SessionToken)
        return session

    async def _renewed(self, version: int, ended: str) -> None:
        """Another session, unless another call has renewed it meanwhile."""
        current = self._sessions.get(version)
        if current is not None and current.SessionToken == ended:
            async with self._locks.setdefault(version, asyncio.Lock()):
                if self._sessions.get(version) is current:
                    self._sessions[version] = await self._log_in(version)

    async def _end(self, session: SessionContent) -> bool:
        """Whether Ajera ended it; that it does not is no harm, sessions end by themselves."""
        body = {"Method": "EndAPISession", "SessionToken": session.SessionToken}
        try:
            await self._send("EndAPISession", body, reading=False)
        except SessionEnded:
            return True
        except SystemFailure:
            return False
        return True

    async def close(self) -> None:
        """End the sessions and the connections. Stops asking where Ajera does not answer."""
        sessions, self._sessions = list(self._sessions.values()), {}
        for session in sessions:
            if not await self._end(session):
                break
        await self.http.close()

    # -- calls -----------------------------------------------------------------------------------

    async def call(
        self, method: str, arguments: Mapping[str, Any], *, reading: bool, version: int = 1, skim: bool = False
    ) -> Answer:
        """One method call. Raises what `read_envelope` and `Http.send` raise, SessionEnded excepted."""
        for attempt in (1, 2):
            token = (await self.session(version)).SessionToken
            body = {"Method": method, "SessionToken": token, "MethodArguments": dict(arguments)}
            try:
                return await self._patiently(method, body, reading, skim=skim)
            except SessionEnded:
                if attempt == 1:
                    await self._renewed(version, token)
        raise AccessRefused(Side.AJERA, f"Ajera ended the session again at {method}, right after a new login")

    async def another_session(self, version: int = 1) -> SessionContent:
        """A session beside the open ones; whoever asks for it ends it with `end`."""
        return await self._log_in(version)

    async def end(self, session: SessionContent) -> None:
        """End a session made by `another_session`."""
        await self._end(session)

    async def envelope(
        self,
        method: str,
        arguments: Mapping[str, Any] | None,
        *,
        version: int = 1,
        token: str | None = None,
        unquoted: bool = False,
        reading: bool = True,
    ) -> Raw:
        """One call and its envelope as it is, refusals included (doctor --probe). An ended session is renewed once.

        Without `arguments` MethodArguments is left out; `unquoted` sends property names bare. Another HTTP status
        than 200 comes back as an envelope with its negative as ResponseCode. Never for employees: they carry pay.
        """
        given = token or (await self.session(version)).SessionToken
        body: Raw = {"Method": method, "SessionToken": given}
        body |= {} if arguments is None else {"MethodArguments": dict(arguments)}
        reply = await self.http.send(
            Request("POST", "", json=_bare(body) if unquoted else body, name=method, reading=reading and not unquoted)
        )
        self.date = reply.date or self.date
        if reply.status != 200:
            return {"ResponseCode": -reply.status, "Message": f"HTTP {reply.status}", "Errors": [], "Content": {}}
        data = reply.json(exact=True)
        if not isinstance(data, dict):
            raise BadReply(Side.AJERA, f"Ajera's answer to {method} is not the envelope it should be")
        if token is None and _ended(data, method):
            await self._renewed(version, given)
            token = (await self.session(version)).SessionToken
            return await self.envelope(method, arguments, version=version, token=token, reading=reading)
        return data

    async def _patiently(self, method: str, body: Raw, reading: bool, *, skim: bool = False) -> Answer:
        for attempt in range(1, RATE_TRIES + 1):
            try:
                return await self._send(method, body, reading=reading, skim=skim)
            except RateLimited as limited:
                # Over HTTP the transport has waited already; inside an envelope nobody has.
                if not reading or limited.wait is not None or attempt == RATE_TRIES:
                    raise
            await self.http.pause(attempt)
        raise AssertionError("unreachable")

    async def _send(self, method: str, body: Raw, *, reading: bool, skim: bool = False) -> Answer:
        reply = await self.http.send(Request("POST", "", json=body, name=method, reading=reading))
        self.date = reply.date or self.date
        try:
            return await self._answer(reply, method, reading, skim)
        except SystemFailure as failure:
            problem = failure.with_traceback(None)  # its frames hold the answer: pay, or a secret said back
        raise problem

    async def _answer(self, reply: Reply, method: str, reading: bool, skim: bool) -> Answer:
        quick = skimmed(reply.body) if skim and reply.status == 200 else None
        data = await self._parsed(reply, method, reading) if quick is None else quick
        content = read_envelope(data, method, reading, reply.redact)
        return Answer(content, reply.date, None if quick is None else reply)

    async def _parsed(self, reply: Reply, method: str, reading: bool) -> object:
        """The envelope as JSON; a write whose answer cannot be read is an unknown outcome."""
        problem = _status_problem(reply, method, reading)
        if problem is not None:
            raise problem
        try:
            if len(reply.body) > LARGE:
                return await asyncio.to_thread(lambda: reply.json(exact=True))
            return reply.json(exact=True)
        except BadReply as bad:
            if reading:
                raise
            words = str(bad)
        raise OutcomeUnknown(Side.AJERA, f"{words}. The write may have been done.")

    # -- lists and gets --------------------------------------------------------------------------

    async def rows(self, kind: Kind, filters: Mapping[str, Any] | None = None) -> tuple[list[Raw], datetime | None]:
        """The rows of ListX, and the time of the answer. Raises AccessRefused when there is no list in it."""
        entity = ENTITIES[kind]
        answer = await self.call(entity.list_method, filters or {}, reading=True)
        return rows_of(answer.content, entity.plural, entity.list_method), answer.date

    async def records(self, kind: Kind, keys: Sequence[int], same: Same | None = None) -> list[Raw]:
        """Full records of these keys in batches, several at once; a key that is not there is left out, and where rows
        can be skimmed (skim.py), one that is the `same` too."""
        entity = ENTITIES[kind]
        batches = chunks(list(dict.fromkeys(keys)), entity.batch)
        found = await together(self._get_batch(entity, batch, same) for batch in batches)
        return [raw for part in found for raw in part]

    async def _get_batch(self, entity: Entity, batch: Sequence[int], same: Same | None) -> list[Raw]:
        """One Get. Where a missing key is refused instead of left out, each key is asked for by itself."""
        try:
            wanted = {entity.requested: list(batch)}
            answer = await self.call(entity.get_method, wanted, reading=True, skim=same is not None)
        except RecordRefused:
            if len(batch) == 1:
                return []
            parts = await together(self._get_batch(entity, [key], same) for key in batch)
            return [raw for part in parts for raw in part]
        rows = rows_of(answer.content, entity.plural, entity.get_method)
        if entity is ENTITIES[Kind.EMPLOYEE]:  # here, before anything else sees them (sync-rules 3)
            return [harmless_employee(row, self.employee_fields) for row in rows]
        if same is None or answer.skimmed is None:
            return rows
        return await self._exactly(entity, answer.skimmed, [place for place, row in enumerate(rows) if not same(row)])

    async def _exactly(self, entity: Entity, reply: Reply, places: Sequence[int]) -> list[Raw]:
        """Some rows of an answer that was skimmed."""
        if not places:
            return []
        method = entity.get_method
        content = read_envelope(await self._parsed(reply, method, reading=True), method, True, reply.redact)
        rows = rows_of(content, entity.plural, method)
        return [rows[place] for place in places]

    async def reference(self, reference: Reference) -> list[ReferenceRow]:
        """All rows of a reference list, inactive ones included."""
        answer = await self.call(reference.method, {}, reading=True)
        rows = rows_of(answer.content, reference.content, reference.method)
        shaped = [
            {**row, "key": read_key(row.get(reference.key)), "name": read_text(row.get(reference.name))}
            for row in rows
            if read_key(row.get(reference.key)) is not None
        ]
        return [validated(ReferenceRow, row, reference.method) for row in shaped]

    async def list_templates(self) -> list[Raw]:
        answer = await self.call("ListProjectTemplates", {}, reading=True)
        return rows_of(answer.content, "ProjectTemplates", "ListProjectTemplates")

    async def get_templates(self, keys: Sequence[int]) -> list[Raw]:
        """Templates in full; the argument really is RequestedProjects (10.7)."""
        parts = await together(self._templates(batch) for batch in chunks(keys, 25))
        return [raw for part in parts for raw in part]

    async def _templates(self, keys: Sequence[int]) -> list[Raw]:
        answer = await self.call("GetProjectTemplates", {"RequestedProjects": list(keys)}, reading=True)
        return rows_of(answer.content, "ProjectTemplates", "GetProjectTemplates")

    async def project_bundle(self, key: int) -> Raw:
        """The version 2 Content of one project, unparsed: the baseline of its update (10.6)."""
        answer = await self.call("GetProjects", {"RequestedProjects": [key]}, reading=True, version=2)
        return answer.content

    async def project_totals(self, key: int) -> Raw | None:
        """The project with its totals; object, array and the Projects key are all accepted (10.4)."""
        answer = await self.call("GetProjectTotals", {"RequestedProjectTotals": key}, reading=True)
        found = answer.content.get("ProjectTotals") or answer.content.get("Projects")
        if isinstance(found, dict):
            return found
        rows = [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []
        return next((row for row in rows if read_key(row.get("ProjectKey")) in (key, None)), None)

    async def list_timesheets(self, filters: Mapping[str, Any]) -> list[Raw]:
        answer = await self.call("ListTimesheets", filters, reading=True, version=2)
        return rows_of(answer.content, "Timesheets", "ListTimesheets")

    async def get_timesheets(self, keys: Sequence[int]) -> list[Raw]:
        parts = await together(self._timesheets(batch) for batch in chunks(keys, names.TIMESHEET_BATCH))
        return [raw for part in parts for raw in part]

    async def _timesheets(self, keys: Sequence[int]) -> list[Raw]:
        answer = await self.call("GetTimesheets", {"RequestedTimesheets": list(keys)}, reading=True, version=2)
        return rows_of(answer.content, "Timesheets", "GetTimesheets")

    # -- writes ----------------------------------------------------------------------------------

    async def update(self, kind: Kind, updated: Raw, unchanged: Raw | None) -> Raw:
        """One record through UpdateX of version 1 (6.4): the pair, directly in MethodArguments. The Content."""
        entity = ENTITIES[kind]
        arguments = {
            entity.updated: [updated],
            entity.unchanged: [] if unchanged is None else [unchanged],
            "UseSingleTransaction": True,
        }
        return (await self.call(entity.update_method, arguments, reading=False)).content

    async def update_project(self, key: int, changes: Raw, bundle: Raw) -> Raw:
        """UpdateProjects of version 2: key and changed properties, and the whole bundle as read (10.6)."""
        arguments = {"UpdatedProjects": [{"ProjectKey": key, **changes}], "UnchangedProjects": bundle}
        return (await self.call("UpdateProjects", arguments, reading=False, version=2)).content

    async def create_project(self, project: Raw, group: Raw, phases: Sequence[Raw]) -> Raw:
        """CreateProjects of version 2 (10.5). The Content; only a ProjectKey in it means that it was made."""
        arguments = {
            "CreateType": "Project",
            "Project": project,
            "InvoiceGroups": [group],
            "Phases": list(phases),
        }
        return (await self.call("CreateProjects", arguments, reading=False, version=2)).content


def _wanted(content: Raw) -> Raw:
    """Of a login's answer only what is read: it carries other parties' secrets (2.1)."""
    return {name: content[name] for name in SessionContent.model_fields if name in content}


# -- pure ------------------------------------------------------------------------------------------


def read_envelope(data: object, method: str, reading: bool, redact: Callable[[str], str] = str) -> Raw:
    """The Content, or the exception that the envelope means (4).

    Failure is a ResponseCode other than 0 and 200, or any error item with a non-zero ErrorID.
    """
    try:
        if not isinstance(data, dict):
            raise TypeError
        envelope = Envelope.model_validate(data)
        strange = envelope.ResponseCode is None
    except (ValidationError, TypeError):
        strange = True
    if strange:
        words = f"Ajera's answer to {method} is not the envelope it should be"
        raise BadReply(Side.AJERA, words) if reading else OutcomeUnknown(Side.AJERA, f"{words}; it may have been done")
    code = envelope.ResponseCode
    errors = [item for item in envelope.Errors if item.ErrorID]
    if code in names.SUCCESS_CODES and not errors:
        return dict(envelope.Content)
    texts = [item.ErrorMessage for item in envelope.Errors if item.ErrorMessage] or [envelope.Message]
    specific = [text for text in texts if text and text != names.GENERIC_ERROR] or [names.GENERIC_ERROR]
    ids = {int(item.ErrorID) for item in errors if item.ErrorID is not None} | {int(code or 0)}
    raise _meaning(method, [redact(text) for text in specific], ids)


def _ended(data: Raw, method: str) -> bool:
    try:
        read_envelope(data, method, reading=True)
    except SessionEnded:
        return True
    except SystemFailure:
        return False
    return False


def _bare(body: Raw) -> orjson.Fragment:
    """The body with property names without quotes, as official samples have them (3.1)."""
    parts = [f"{name}:{json.dumps(value) if value != {} else '{}'}" for name, value in body.items()]
    return orjson.Fragment(f"{{{','.join(parts)}}}".encode())


def _meaning(method: str, texts: Sequence[str], ids: set[int]) -> SystemFailure:
    """One exception per meaning, by the words an error would hold in any wording (texts are not published)."""
    shown = [safe_line(text, 200) for text in texts]
    words = " ".join(texts).casefold()
    message = f"Ajera refused {method}: {'; '.join(shown)}"
    if _any(words, names.RATE_WORDS):
        return RateLimited(Side.AJERA, message)
    if method == "CreateAPISession":
        return LoginRefused(Side.AJERA, f"Ajera refused the login: {'; '.join(shown)}")
    if _any(words, names.ACCESS_WORDS):
        return AccessRefused(Side.AJERA, message)
    if "timesheet" not in words and _any(words, names.SESSION_WORDS):
        return SessionEnded(Side.AJERA, message)
    if _any(words, names.LOGIN_WORDS):
        return LoginRefused(Side.AJERA, message)
    if names.AUTH_ERROR in ids:
        return AccessRefused(Side.AJERA, message)
    for kind, said in ((Stale, names.STALE_WORDS), (NothingToChange, names.NOTHING_WORDS)):
        if _any(words, said):
            return kind(Side.AJERA, message, shown)
    if _any(words, names.THERE_WORDS):
        return AlreadyThere(Side.AJERA, message, shown)
    return RecordRefused(Side.AJERA, message, shown)


def _any(words: str, said: Iterable[str]) -> bool:
    return any(each in words for each in said)


def _status_problem(reply: Reply, method: str, reading: bool) -> SystemFailure | None:
    """Ajera answers 200 to everything it understands (4); another status is the web server's or a proxy's."""
    if reply.status == 200:
        return None
    if reply.status in (401, 403):
        meaning = LoginRefused if method == "CreateAPISession" else SessionEnded
        return meaning(Side.AJERA, f"Ajera answered {method} with HTTP {reply.status}")
    if reply.status >= 500 and not reading:
        return OutcomeUnknown(Side.AJERA, f"Ajera answered {method} with HTTP {reply.status}: it may have been done")
    hint = "; check the address in [ajera] url" if reply.status == 404 else ""
    return BadReply(Side.AJERA, f"Ajera answered {method} with HTTP {reply.status}{hint}")


def rows_of(content: Raw, name: str, method: str) -> list[Raw]:
    """The result array of a Content.

    A success without the array is what some instances answer to a method that is not permitted (4): taken as
    that, because reading it as "nothing there" would look like a deletion of everything.
    """
    rows = content.get(name)
    if isinstance(rows, dict):
        rows = [rows]
    if not isinstance(rows, list):
        raise AccessRefused(
            Side.AJERA,
            f"Ajera answered {method} without {name}: the API user may lack the right (Utility > API Settings)",
        )
    if not all(isinstance(row, dict) for row in rows):
        raise BadReply(Side.AJERA, f"Ajera's answer to {method} holds something else than records")
    return rows


def chunks(items: Sequence[T], size: int) -> list[Sequence[T]]:
    return [items[start : start + size] for start in range(0, len(items), size)]


async def together(calls: Iterable[Awaitable[T]]) -> list[T]:
    """All at once (the transport bounds how many), in order; the first failure ends the others."""
    tasks = [asyncio.ensure_future(call) for call in calls]
    try:
        return list(await asyncio.gather(*tasks))
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
