"""``POST {base}/token``: password and refresh grants, expiry, early death (contract section 2)."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

from starlette.responses import Response

from core.quirks.crm import CrmQuirks
from core.sandbox.crm.data import CrmData
from core.sandbox.crm.replies import DEAD_SESSION, Refusal, json_reply
from core.sandbox.crm.values import stamp_text


@dataclass
class Session:
    """One access token: whose it is, when it ends (stamp), how many calls it has served."""

    user: str
    token: str
    refresh: str
    ends: str
    ends_in: float
    calls: int = 0


class TokenDesk:
    """Hands out and checks tokens. Sessions live in the data, so that `CrmData.kill_sessions` ends them."""

    def __init__(self, data: CrmData, quirks: CrmQuirks) -> None:
        self.data, self.quirks = data, quirks

    def grant(self, body: bytes) -> Response:
        """The reply to a token request: form fields in either case."""
        try:
            form = {k.lower(): v for k, v in parse_qsl(body.decode(), keep_blank_values=True)}
        except UnicodeDecodeError:
            return _oauth("invalid_request", "The body is not a form.")
        kind = form.get("grant_type", "")
        if kind not in ("password", "refresh_token"):
            return _oauth("unsupported_grant_type", "The grant type is not supported.")
        if not self._client_known(form):
            return _oauth("invalid_client", "Client credentials are invalid.")
        return self._password(form) if kind == "password" else self._refresh(form)

    def check(self, authorization: str) -> str:
        """The user of a bearer token. Refusal 401 when the session is unknown, expired or has died early."""
        scheme, _, token = authorization.partition(" ")
        session: Session | None = self.data.sessions.get(token.strip()) if scheme.lower() == "bearer" else None
        if session is None:
            raise Refusal(401, DEAD_SESSION)
        session.calls += 1
        worn_out = self.quirks.token_early_death and session.calls > self.quirks.token_early_death
        if worn_out or session.ends <= stamp_text(self.data.clock()):
            self.data.sessions.pop(session.token, None)
            raise Refusal(401, DEAD_SESSION)
        return session.user

    def _client_known(self, form: dict[str, str]) -> bool:
        same = [
            hmac.compare_digest(form.get(name, "").encode(), wanted.encode())
            for name, wanted in (("client_id", self.data.client_id), ("client_secret", self.data.client_secret))
        ]
        return all(same)

    def _password(self, form: dict[str, str]) -> Response:
        same_user = form.get("username", "").lower() == self.data.username.lower()
        same_word = hmac.compare_digest(form.get("password", "").encode(), self.data.password.encode())
        # Integrated=Y means Windows or Azure sign-in, which a name and a password cannot do.
        if not (same_user and same_word) or form.get("integrated", "N").upper() == "Y":
            return _oauth("invalid_grant", "The user name or password is incorrect.")
        if form.get("database", "").lower() != self.data.database.lower():
            return _oauth("invalid_grant", "The database is not available.")
        running = self._running()
        if self.quirks.token_shared and running is not None:
            return self._reply(running)
        if not self.quirks.token_parallel:
            self.data.kill_sessions()
        return self._reply(self._open())

    def _refresh(self, form: dict[str, str]) -> Response:
        token = form.get("refresh_token", "")
        known = self.data.refresh_tokens
        if token not in known or form.get("database", "").lower() != self.data.database.lower():
            return _oauth("invalid_grant", "The refresh token is invalid.")
        if not self.quirks.refresh_reuse:
            # The access token lives on: calls may be under way with it, and nothing says that it dies.
            known.pop(token)
        return self._reply(self._open())

    def _running(self) -> Session | None:
        now = stamp_text(self.data.clock())
        return next((s for s in self.data.sessions.values() if s.ends > now), None)

    def _open(self) -> Session:
        ends = self.data.clock() + timedelta(seconds=self.quirks.token_seconds)
        session = Session(
            self.data.username, secrets.token_urlsafe(48), secrets.token_urlsafe(24), stamp_text(ends), ends.timestamp()
        )
        self.data.sessions[session.token] = session
        self.data.refresh_tokens[session.refresh] = session.token
        return session

    def _reply(self, session: Session) -> Response:
        left = round(session.ends_in - self.data.clock().timestamp())
        document: dict[str, Any] = {
            "access_token": session.token,
            "token_type": "bearer",
            "expires_in": max(0, left),
            "refresh_token": session.refresh,
        }
        return json_reply(document)


def _oauth(error: str, description: str) -> Response:
    return json_reply({"error": error, "error_description": description}, 400)
