"""From an answer to rows, or to the one exception it means (contract sections 3 and 15). Pure."""

from __future__ import annotations

from core.crm.wire import CHANGED, MISSING_RECORD, TAKEN, Row, columns_named, problems_of
from core.errors import (
    AccessRefused,
    AlreadyThere,
    BadReply,
    LoginRefused,
    OutcomeUnknown,
    RecordMissing,
    RecordRefused,
    Stale,
    SystemFailure,
)
from core.http import Reply
from core.model.values import Side

SIDE = Side.CRM


def rows_of(reply: Reply) -> list[Row]:
    """The records of a good answer. A single object counts as one; an empty body as none.

    Numbers keep every digit. Raises BadReply for anything else.
    """
    if not reply.body.strip():
        return []
    document = reply.json(exact=True)
    items = document if isinstance(document, list) else [document]
    rows: list[Row] = [item for item in items if isinstance(item, dict)]
    if len(rows) != len(items):
        raise BadReply(SIDE, f"The CRM answered {reply.name} with something that is not a list of records")
    return rows


def failure_of(reply: Reply, what: str, *, reading: bool) -> SystemFailure | None:
    """The exception an answer means, None for a good one. `what` names the record or list for an operator."""
    if reply.status < 300:
        return None
    problems = _problems(reply)
    said = f": {'; '.join(problems)}" if problems else f" (HTTP {reply.status})"
    match reply.status:
        case 401:
            return LoginRefused(SIDE, f"The CRM ended the session at {what}, straight after a login{said}")
        case 403:
            return AccessRefused(SIDE, f"The CRM user has no right to {what}{said}")
        case 404:
            return RecordMissing(SIDE, f"The CRM has no such record or path: {what}{said}")
    if reading:
        return BadReply(SIDE, f"The CRM refused {what}{said}")
    return _refused(reply, what, problems)


def _refused(reply: Reply, what: str, problems: tuple[str, ...]) -> SystemFailure:
    """A write that did not go through. A 500 with a sentence is a business rule's answer; one without says
    nothing about what landed (section 15)."""
    if reply.status >= 500 and not problems:
        return OutcomeUnknown(
            SIDE, f"The CRM answered {what} with HTTP {reply.status} and no reason: it may have been done"
        )
    if any(MISSING_RECORD.search(problem) for problem in problems):
        return RecordMissing(SIDE, f"The CRM has no such record: {what}: {'; '.join(problems)}")
    kind = RecordRefused
    if any(TAKEN.search(problem) for problem in problems):
        kind = AlreadyThere
    elif any(CHANGED.search(problem) for problem in problems):
        kind = Stale
    message = f"The CRM refused {what}: {'; '.join(problems) or f'HTTP {reply.status}'}"
    return kind(SIDE, message, problems, columns_named(problems))


def _problems(reply: Reply) -> tuple[str, ...]:
    try:
        return tuple(reply.redact(problem) for problem in problems_of(reply.json()))
    except BadReply:
        return ()
