"""CreateAPISession and EndAPISession: tokens bound to one API version, with expiry (contract 2)."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from core.quirks.ajera import AjeraQuirks
from core.sandbox.ajera.call import AUTH_ERROR, INVALID_DATA, Refused, Session, is_int
from core.sandbox.ajera.data import AjeraData
from core.sandbox.ajera.stamps import round_trip_text

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class Sessions:
    """The open tokens. Several may be open at once for one user, and one token may be used by many requests."""

    def __init__(self, data: AjeraData, quirks: AjeraQuirks, clock: Callable[[], datetime]) -> None:
        self.data = data
        self.quirks = quirks
        self.clock = clock
        self.open: dict[str, Session] = {}
        self._release = data.version

    def create(self, request: Mapping[str, Any], api_url: str) -> dict[str, Any]:
        """The Content of CreateAPISession; properties of the request sit at the top level, not in MethodArguments."""
        version = request.get("APIVersion", 1)
        if not is_int(version) or version not in (1, 2):
            raise Refused(INVALID_DATA)
        employee, methods = self._login(request.get("Username"), request.get("Password"))
        self._forget_expired()
        session = Session(
            str(uuid.uuid4()), version, str(request["Username"]), employee, methods, self.clock() + self._life()
        )
        self.open[session.token] = session
        return self._content(session, api_url)

    def end(self, token: object) -> dict[str, Any]:
        self.find(token)
        del self.open[str(token)]
        return {}

    def find(self, token: object) -> Session:
        """The session of a token; raises Refused when it is unknown or over. Use extends it when the quirk says so."""
        if self._release != self.data.version:  # an upgrade restarts the service
            self._release = self.data.version
            self.kill()
        session = self.open.get(token) if isinstance(token, str) else None
        now = self.clock()
        if session is None or session.expires <= now:
            raise Refused(self.quirks.invalid_session_text, AUTH_ERROR)
        if self.quirks.session_sliding == "yes":
            session.expires = now + self._life()
        return session

    def kill(self) -> None:
        """End every session early, as a restart of the service does."""
        self.open.clear()

    def _life(self) -> timedelta:
        return timedelta(minutes=self.quirks.session_minutes)

    def _forget_expired(self) -> None:
        now = self.clock()
        for token in [t for t, s in self.open.items() if s.expires <= now]:
            del self.open[token]

    def _login(self, username: object, password: object) -> tuple[int | None, frozenset[str] | None]:
        if (username, password) == (self.data.username, self.data.password):
            return None, None
        for user in self.data.tables["users"].values():
            if password and (username, password) == (user["Username"], user["Password"]):
                methods = user["Methods"]
                return user["EmployeeKey"], None if methods is None else frozenset(methods)
        raise Refused("Unable to authenticate user", AUTH_ERROR)

    def _content(self, session: Session, api_url: str) -> dict[str, Any]:
        data = self.data
        content: dict[str, Any] = {
            "SessionToken": session.token,
            "SessionExpiration": round_trip_text(session.expires, data.zone),
            "CompanyName": data.company,
            "AjeraVersion": data.version,
            "APIURL": api_url,
            "UsingICRMobile": False,
            # The real one holds third-party secrets here; a client that logs this answer is found out.
            "ICRConfigFile": {"ServiceURL": "https://icr.example.invalid", "AccessKey": "icr-secret-4711"},
            "AllowEmployeeTypeChanges": True,
            "Timesheets": {
                "UserHasAccess": self.quirks.authorizing_employee == "yes",
                "TimeStartOfWeek": _WEEKDAYS[data.week_start],
                "TimeStartOfWeekValue": (data.week_start + 1) % 7,
                "ClickToCertifyEnabled": False,
                "ClickToCertifyText": "",
            },
        }
        employee = data.tables["employees"].get(session.employee_key or 0)
        if employee is not None:
            content["EmployeeKey"] = session.employee_key
            content["EmployeeName"] = f"{employee['FirstName']} {employee['LastName']}".strip()
            content["CanSubmit"] = True
        return content
