"""Refusals, and replies as the real server words them (contract section 15)."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from core.sandbox.crm.values import encode

NO_OBJECT = "Object reference not set to an instance of an object."
DEAD_SESSION = "Session is invalid or timed out"


class Refusal(Exception):
    """The server refuses: an HTTP status and one or several sentences, joined by ``<BR/>``."""

    def __init__(self, status: int, *messages: str) -> None:
        self.status = status
        self.message = "<BR/>".join(messages)
        super().__init__(self.message)


def json_reply(document: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON reply."""
    return Response(encode(document), status, headers, media_type="application/json; charset=utf-8")


def refusal_reply(refusal: Refusal) -> Response:
    """The body of a refusal: ``{"Message": ...}``."""
    return json_reply({"Message": refusal.message}, refusal.status)
