"""One call as a method sees it, and the refusals a method may answer with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeGuard

from core.quirks.ajera import AjeraQuirks
from core.sandbox.ajera.data import AjeraData

DATA_ERROR = -100
AUTH_ERROR = -150
INVALID_DATA = "One or more properties contain invalid data"


class Refused(Exception):
    """The call (or one record of it) fails with this ErrorID and ErrorMessage (contract 4)."""

    def __init__(self, text: str, code: int = DATA_ERROR) -> None:
        super().__init__(text)
        self.text = text
        self.code = code


@dataclass
class Session:
    """A token and what it is bound to: one API version and one user (contract 2.3)."""

    token: str
    version: int
    user: str
    employee_key: int | None
    methods: frozenset[str] | None
    expires: datetime


@dataclass
class Call:
    """A method call: the books, the switches, the session and MethodArguments. `errors` are those of single records."""

    data: AjeraData
    quirks: AjeraQuirks
    session: Session
    method: str
    args: Mapping[str, Any]
    errors: list[Refused] = field(default_factory=list)

    @property
    def version(self) -> int:
        return self.session.version

    def keys(self, name: str) -> list[int]:
        """A required int-array argument such as RequestedClients."""
        value = self.args.get(name)
        if not isinstance(value, list) or not all(is_int(v) for v in value):
            raise Refused(INVALID_DATA)
        return value

    def flag(self, name: str) -> bool:
        """An optional bool argument, false when absent."""
        value = self.args.get(name)
        if value is not None and not isinstance(value, bool):
            raise Refused(INVALID_DATA)
        return bool(value)


Content = dict[str, Any]
Handler = Callable[[Call], Content]


@dataclass(frozen=True)
class Method:
    """A method on the permission screen: who answers, on which session versions, and whether it writes."""

    handler: Handler
    versions: frozenset[int] = frozenset({1})
    writes: bool = False


def is_int(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
