"""A record without a link: is it already on the other side? (sync-rules 4)

Strong evidence with exactly one hit on both sides links; anything weaker is a candidate, and
nothing is created or linked until a person chooses. A bare name never links.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from core.model.link import Choice, Decision, LinkState
from core.model.plan import Candidate
from core.model.record import Record
from core.model.values import Kind, Ref, Side
from core.reconcile.normalize import name_key, numbers_in, plain_text
from core.reconcile.situation import Situation, email_key, evidence, number_key, text_of

MOST_CANDIDATES = 5
SIMILAR_ENOUGH = {Kind.FIRM: 0.90, Kind.CONTACT: 0.93, Kind.PROJECT: 0.93, Kind.EMPLOYEE: 0.93}


@dataclass(frozen=True, slots=True)
class Found:
    """The same entity on the other side, beyond doubt or by a person's word."""

    partner: Record
    reason: str


@dataclass(frozen=True, slots=True)
class Maybe:
    """Candidates, best first; empty `candidates` never occurs."""

    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nothing like it over there: create. `asked` when a person said so in spite of candidates."""

    asked: bool = False


@dataclass(frozen=True, slots=True)
class NotProven:
    """The other side's list may lack a page: neither linked nor created in this run."""

    reason: str


Match = Found | Maybe | Unknown | NotProven


def find_partner(s: Situation, record: Record) -> Match:
    """What the other side holds for `record`."""
    decided = _decided(s, record)
    if decided is not None:
        return decided
    other = record.side.other
    if (record.kind, other) not in s.whole or (record.kind, record.side) not in s.whole:
        return NotProven("the other side was not read completely yet")
    hits = list(_strong(s, record))
    if len(hits) == 1:
        hit, reason = hits[0]
        backwards = list(_strong(s, hit))
        if len(backwards) == 1 and _may_be_linked(s, hit):
            return Found(hit, reason)
    if s.policy.auto_link_names and not hits:
        namesake = _only_namesake(s, record)
        if namesake is not None:
            return Found(namesake, "same name, the only one on both sides")
    candidates = _candidates(s, record)
    return Maybe(candidates) if candidates else Unknown()


def decisions_about(s: Situation, record: Record) -> Iterable[Decision]:
    """A person's standing answers that name this record, from either side of the pair, newest first."""
    newest_first = sorted(s.decisions.values(), key=lambda each: (each.at, each.id), reverse=True)
    for decision in newest_first:
        if decision.choice is None or decision.kind is not record.kind:
            continue
        own = (decision.side, decision.key)
        theirs = (decision.side.other, decision.partner)
        if (record.side, record.key) in (own, theirs):
            yield decision


def _decided(s: Situation, record: Record) -> Match | None:
    for decision in decisions_about(s, record):
        if decision.choice is Choice.CREATE and decision.side is record.side and decision.key == record.key:
            return Unknown(asked=True)
        if decision.choice is Choice.LINK:
            own = decision.side is record.side
            partner_key = decision.partner if own else decision.key
            partner = s.record(record.kind, record.side.other, partner_key or "")
            if partner is not None and _may_be_linked(s, partner):
                return Found(partner, "linked by an operator")
    return None


def _may_be_linked(s: Situation, record: Record) -> bool:
    """Free, and the last word of an operator about it was not that it shall be created anew over here."""
    words = (each for each in decisions_about(s, record) if each.choice is not Choice.NEVER)
    last = next(words, None)
    wants_new = last is not None and last.choice is Choice.CREATE and (last.side, last.key) == (record.side, record.key)
    return _is_free(s, record) and not wants_new


def _never(s: Situation, record: Record) -> tuple[frozenset[str], bool]:
    """Partners ruled out for this record, and whether it was ruled out altogether."""
    keys, altogether = set(), False
    for decision in decisions_about(s, record):
        if decision.choice is Choice.NEVER:
            own = decision.side is record.side
            partner = decision.partner if own else decision.key
            altogether = altogether or (own and partner is None)
            keys.add(partner or "")
    return frozenset(keys), altogether


def ruled_out(s: Situation, record: Record) -> bool:
    """An operator said never to this record as a whole: it is neither linked nor created."""
    return _never(s, record)[1]


def _is_free(s: Situation, record: Record) -> bool:
    """Not linked. A tombstone counts as a link: such a record is never matched by itself again."""
    return s.links.of(record.kind, record.side, record.key) is None


# -- strong evidence -----------------------------------------------------------------------------


def _strong(s: Situation, record: Record) -> Iterable[tuple[Record, str]]:
    """Records of the other side that are the same by strong evidence, linked ones counted."""
    never, _ = _never(s, record)
    pool = s.pools[record.kind, record.side.other]
    match record.kind:
        case Kind.EMPLOYEE:
            near = pool.by_email.get(email_key(record), ())
        case Kind.CONTACT:
            near = (*pool.by_email.get(email_key(record), ()), *pool.by_name.get(name_key(record.name), ()))
        case Kind.PROJECT:
            near = pool.by_number.get(number_key(record), ())
        case _:
            near = pool.by_name.get(name_key(record.name), ())
    seen: set[str] = set()
    for other in near:
        if other.key in seen or other.key in never:
            continue
        seen.add(other.key)
        reason = _strong_reason(s, record, other)
        if reason:
            yield other, reason


def _strong_reason(s: Situation, a: Record, b: Record) -> str | None:
    match a.kind:
        case Kind.FIRM:
            shared = [name for name, value in evidence(a).items() if evidence(b).get(name) == value]
            return f"same name and {shared[0]}" if shared and name_key(a.name) == name_key(b.name) else None
        case Kind.CONTACT:
            return _strong_contact(s, a, b)
        case Kind.PROJECT:
            if name_key(a.name) == name_key(b.name):
                return "same number and name"
            return "same number and client" if _clients_linked(s, a, b) else None
        case _:  # employees that bear one address
            return "same e-mail"


def _strong_contact(s: Situation, a: Record, b: Record) -> str | None:
    last_a, last_b = name_key(text_of(a, "last_name")), name_key(text_of(b, "last_name"))
    if email_key(a) and email_key(a) == email_key(b) and last_a and last_a == last_b:
        return "same e-mail and last name"
    if _full_name(a) and _full_name(a) == _full_name(b) and _refs_linked(s, a, b, "firm"):
        return "same full name, firms linked"
    return None


def _full_name(record: Record) -> tuple[str, ...]:
    parts = tuple(name_key(text_of(record, name)) for name in ("first_name", "middle_name", "last_name"))
    return parts if any(parts) else ()


def _clients_linked(s: Situation, a: Record, b: Record) -> bool:
    return _refs_linked(s, a, b, "client")


def _refs_linked(s: Situation, a: Record, b: Record, name: str) -> bool:
    ours, theirs = a.fields.get(name), b.fields.get(name)
    if not isinstance(ours, Ref) or not isinstance(theirs, Ref):
        return False
    return s.links.partner(ours.kind, ours.side, ours.key) == theirs.key


def _only_namesake(s: Situation, record: Record) -> Record | None:
    """The one record of exactly this name where both sides know only one: linked if a setting says so, as
    Deltek's own integration does. People are never linked by a first and last name that others bear too."""
    if record.kind is Kind.EMPLOYEE:
        return None
    key = name_key(record.name)
    there = s.pools[record.kind, record.side.other].by_name.get(key, ())
    here = s.pools[record.kind, record.side].by_name.get(key, ())
    if len(there) != 1 or len(here) != 1 or there[0].key in _never(s, record)[0]:
        return None
    same = plain_text(there[0].name) == plain_text(record.name) and not _middle_names_differ(record, there[0])
    return there[0] if same and _may_be_linked(s, there[0]) else None


# -- weak evidence -------------------------------------------------------------------------------


def _candidates(s: Situation, record: Record) -> tuple[Candidate, ...]:
    never, _ = _never(s, record)
    scored: dict[str, tuple[float, tuple[str, ...]]] = {}
    for other, score, reason in _weak(s, record):
        if other.key in never:
            continue
        best, reasons = scored.get(other.key, (0.0, ()))
        scored[other.key] = (max(best, score), (*reasons, reason) if reason not in reasons else reasons)
    ranked = sorted(scored.items(), key=lambda each: (-each[1][0], each[0]))[:MOST_CANDIDATES]
    return tuple(_candidate(s, record, key, score, reasons) for key, (score, reasons) in ranked)


def _candidate(s: Situation, record: Record, key: str, score: float, reasons: tuple[str, ...]) -> Candidate:
    ours = record.side is Side.AJERA
    link = s.links.of(record.kind, record.side.other, key)
    if link is not None:
        state = "gone" if link.state is LinkState.GONE else "linked"
        reasons = (*reasons, f"already {state} with another record")
    return Candidate(
        record.kind,
        record.side,
        record.label,
        record.key if ours else key,
        key if ours else record.key,
        round(score, 2),
        reasons,
    )


def _weak(s: Situation, record: Record) -> Iterable[tuple[Record, float, str]]:
    """Records of the other side worth a look, each with a score and a reason."""
    pool = s.pools[record.kind, record.side.other]
    for other, reason in _strong(s, record):
        yield other, 0.95, reason
    for other in pool.by_name.get(name_key(record.name), ()):
        if not _middle_names_differ(record, other):
            yield other, 0.8, "same name"
    if record.kind is Kind.PROJECT:
        for other in pool.by_number.get(number_key(record), ()):
            yield other, 0.7, "same number"
    if record.kind in (Kind.CONTACT, Kind.EMPLOYEE):
        for other in pool.by_email.get(email_key(record), ()):
            yield other, 0.6, "same e-mail"
    yield from _similar(s, record)


def _middle_names_differ(a: Record, b: Record) -> bool:
    """Two middle names tell two people of one name apart: it is the way out that Ajera's rule of
    unique contact names leaves."""
    ours, theirs = name_key(text_of(a, "middle_name")), name_key(text_of(b, "middle_name"))
    return bool(ours and theirs and ours != theirs)


def _similar(s: Situation, record: Record) -> Iterable[tuple[Record, float, str]]:
    """Unlinked records whose name is nearly the same; names that differ in a number never are."""
    name, floor = name_key(record.name), SIMILAR_ENOUGH[record.kind]
    numbers = numbers_in(name)
    pool = s.pools[record.kind, record.side.other]
    for other_name, likeness in s.alike(name, pool.names, floor):
        if other_name == name or numbers_in(other_name) != numbers:
            continue
        for other in pool.by_name[other_name]:
            if _is_free(s, other):
                yield other, 0.75 * likeness, f"similar name ({likeness:.0%})"
