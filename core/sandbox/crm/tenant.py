"""One emulated tenant: its data, its quirks, its wire names; and one call to it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from core.quirks.crm import CrmQuirks
from core.sandbox.crm.data import CrmData
from core.sandbox.crm.dialect import Dialect
from core.sandbox.crm.query import Query, Selector, parse_query
from core.sandbox.crm.replies import Refusal
from core.sandbox.crm.rows import Row
from core.sandbox.crm.values import decode
from core.sandbox.crm.views import reader


@dataclass(frozen=True)
class Tenant:
    """What every handler needs."""

    data: CrmData
    quirks: CrmQuirks
    dialect: Dialect

    def refuse(self, messages: Iterable[str]) -> None:
        """Raise one business error out of all messages, if there is any."""
        found = [message for message in messages for _ in range(2 if self.quirks.messages_repeat else 1)]
        if found:
            raise Refusal(int(self.quirks.business_status), *found)

    def selector(self, table: str) -> Selector[Row]:
        """A selector over the rows of one table."""
        return Selector(
            self.quirks, lambda name: self.dialect.find(table, name), lambda column: reader(self.data, table, column)
        )


@dataclass(frozen=True)
class Call:
    """One request after routing: method, decoded path parts below the base, query, body, user."""

    method: str
    parts: tuple[str, ...]
    query: Query
    raw: bytes = field(repr=False)
    user: str = ""

    def document(self) -> dict[str, Any]:
        """The JSON object of the body. Refusal 400 for anything else; arrays of records are not known to be taken."""
        try:
            found = decode(self.raw)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise Refusal(400, "The request body is not a JSON object.")
        return found

    def flag(self, name: str) -> bool:
        """Whether an optional flag such as startWorkflow is on; they all default to Y (contract section 3)."""
        return self.query.flags.get(name.lower(), "Y").upper() != "N"


def make_call(method: str, parts: tuple[str, ...], query: str, body: bytes, post_as_get: bool, user: str) -> Call:
    """The call of a request; with the dvp-postAsGet header a POST is a GET whose query is the body (section 4)."""
    pairs = parse_qsl(query, keep_blank_values=True)
    if post_as_get and method == "POST":
        pairs += parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
        return Call("GET", parts, parse_query(pairs), b"", user)
    return Call(method, parts, parse_query(pairs), body, user)
