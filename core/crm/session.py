"""The token: password grant, refresh, and a new one when a session dies early (contract section 2)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

from pydantic import ValidationError

from core.crm.replies import SIDE
from core.crm.wire import TokenReply, problems_of
from core.errors import BadReply, LoginRefused, SystemFailure
from core.http import Http, Reply, Request
from core.secret import Hidden

EARLY: Final = 60.0  # seconds before its end that a token is renewed,
EARLY_PART: Final = 0.1  # but no more than this part of its life
UNSAID_LIFE: Final = 1799  # the life seen in every sample, for replies that do not say


@dataclass(frozen=True, slots=True)
class Login:
    """What the token call sends. `culture` only where the tenant's login has a language set."""

    database: str
    username: str
    password: str = field(repr=False)
    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)
    culture: str = ""
    integrated: bool = False


@dataclass(frozen=True, slots=True)
class Grant:
    """A pair of tokens and the life it was given, in seconds (0: not said)."""

    access: Hidden = field(repr=False)
    refresh: Hidden = field(repr=False)
    seconds: int


@dataclass(frozen=True, slots=True)
class _Token:
    access: Hidden = field(repr=False)
    refresh: Hidden = field(repr=False)
    until: float


class Session:
    """Holds the running token. One login at a time, shared by all calls."""

    def __init__(self, http: Http, login: Login, *, clock: Callable[[], float] = monotonic) -> None:
        self._http = http
        self._login = login
        self._clock = clock
        self._lock = asyncio.Lock()
        self._token: _Token | None = None

    async def token(self) -> Hidden:
        """A token that is not about to end. Raises LoginRefused."""
        async with self._lock:
            if self._token is None:
                self._token = await self._log_in()
            elif self._clock() >= self._token.until:
                self._token = await self._refresh(self._token)
            return self._token.access

    async def renew(self, dead: str) -> Hidden:
        """A token in place of one the server no longer takes; whoever comes second gets the first one's."""
        async with self._lock:
            if self._token is None or self._token.access == dead:
                self._token = None  # a login that fails must not leave the dead one behind
                self._token = await self._log_in()
            return self._token.access

    async def another(self) -> Grant:
        """A login beside the running one (doctor --probe). Raises LoginRefused."""
        reply = await self._ask(self._password_form())
        problem = _refusal(reply)
        if problem:
            raise problem
        return self._granted(reply)

    async def refreshed(self, refresh: str) -> Grant | None:
        """What a refresh token is good for; None where it is refused (doctor --probe)."""
        reply = await self._ask(self._refresh_form(refresh))
        return None if reply.status >= 400 else self._granted(reply)

    def _granted(self, reply: Reply) -> Grant:
        pair = self._pair(reply)
        return Grant(pair.accesstoken, pair.refreshtoken, pair.expiresin)

    async def _log_in(self) -> _Token:
        reply = await self._ask(self._password_form())
        problem = _refusal(reply)
        if problem:
            raise problem
        return self._taken(reply)

    def _password_form(self) -> dict[str, str]:
        login = self._login
        form = {
            "Username": login.username,
            "Password": login.password,
            "grant_type": "password",
            "Integrated": "Y" if login.integrated else "N",
            "database": login.database,
            "Client_Id": login.client_id,
            "client_secret": login.client_secret,
        }
        if login.culture:
            form["culture"] = login.culture
        return form

    async def _refresh(self, old: _Token) -> _Token:
        """A new pair by refresh; by password where that is refused (life and reuse are not documented)."""
        if not old.refresh:
            return await self._log_in()
        reply = await self._ask(self._refresh_form(old.refresh))
        return await self._log_in() if reply.status >= 400 else self._taken(reply)

    def _refresh_form(self, refresh: str) -> dict[str, str]:
        login = self._login
        return {
            "grant_type": "refresh_token",
            "refresh_token": refresh,
            "database": login.database,
            "client_id": login.client_id,
            "client_secret": login.client_secret,
        }

    async def _ask(self, form: Mapping[str, str]) -> Reply:
        # Repeating a login harms nothing, so the transport may.
        return await self._http.send(Request("POST", "token", form=form, name="token", reading=True))

    def _taken(self, reply: Reply) -> _Token:
        pair = self._pair(reply)
        life = pair.expiresin or UNSAID_LIFE
        return _Token(pair.accesstoken, pair.refreshtoken, self._clock() + life - min(EARLY, life * EARLY_PART))

    def _pair(self, reply: Reply) -> TokenReply:
        pair = _read_pair(reply)
        if not pair.accesstoken:
            raise BadReply(SIDE, "The CRM's answer to the login holds no token")
        self._http.add_secret(pair.accesstoken)
        self._http.add_secret(pair.refreshtoken)
        return pair


def _read_pair(reply: Reply) -> TokenReply:
    """The tokens of an answer, blank where it holds none. A frame of its own, that no error keeps alive."""
    document = reply.json()
    try:
        return TokenReply.model_validate(document[0] if isinstance(document, list) and document else document)
    except ValidationError:
        return TokenReply(accesstoken=Hidden())


def _refusal(reply: Reply) -> SystemFailure | None:
    if reply.status < 400:
        return None
    if reply.status == 404:
        return BadReply(SIDE, "The CRM has no login at this address; the address ends with /api")
    try:
        said = "; ".join(reply.redact(problem) for problem in problems_of(reply.json()))
    except BadReply:
        said = ""
    hint = "check user, password, database, client id and secret, and that the password grant is allowed"
    return LoginRefused(SIDE, f"The CRM refused the login ({said or f'HTTP {reply.status}'}); {hint}")
