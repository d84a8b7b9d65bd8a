"""What a plan looks at: what moved, and the records that a move there may decide about.

Between two runs few records move. All others were decided before: written, found in step, or waiting, and whatever
waits is named by `Situation.touched` as well. So it is enough to look at what moved and at its neighbours, and the plan
is the one that going over everything would make (held by tests/property/test_scope.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

from core.model.values import Kind, Ref, Side
from core.reconcile.situation import RecordId, Situation


@dataclass(frozen=True)
class Scope:
    """`decided` are looked at anew; `around` are they and the records whose ticks tell who takes part among them."""

    decided: frozenset[RecordId] = frozenset()
    around: frozenset[RecordId] = frozenset()
    everything: bool = False

    def has(self, kind: Kind, side: Side, key: str) -> bool:
        return self.everything or (kind, side, key) in self.decided

    def keys(self, s: Situation, kind: Kind, side: Side) -> list[str]:
        """The known records of a kind to go through for ticks, in order."""
        known = s.of(kind, side)
        if self.everything:
            return sorted(known)
        return sorted({key for of, on, key in self.around if (of, on) == (kind, side) and key in known})


EVERYTHING = Scope(everything=True)


def scope_of(s: Situation) -> Scope:
    if s.touched is None:
        return EVERYTHING
    moved = _with_partners(s, s.touched)
    decided = _with_partners(s, moved | set(chain.from_iterable(_neighbours(s, *each) for each in moved)))
    return Scope(decided, _around(s, decided))


def _with_partners(s: Situation, ids: Iterable[RecordId]) -> frozenset[RecordId]:
    found = set(ids)
    for kind, side, key in list(found):
        link = s.links.of(kind, side, key)
        if link is not None:
            found.add((kind, side.other, link.key(side.other)))
    return frozenset(found)


def _neighbours(s: Situation, kind: Kind, side: Side, key: str) -> Iterable[RecordId]:
    """Records that may have to be decided anew because this one moved."""
    if kind is Kind.CONTACT:
        # The lists it belongs on, and those it stands on: the firm it left is among them.
        yield from ((Kind.FIRM, side, firm) for firm in _firm_of(s, side, key))
        for owner in (Kind.FIRM, Kind.PROJECT):
            yield from ((owner, side, each) for each in s.naming(owner, side, Kind.CONTACT, key))
    elif kind is Kind.PROJECT:
        yield from _brought_along(s, side, key)


def _firm_of(s: Situation, side: Side, contact: str) -> Iterable[str]:
    record = s.record(Kind.CONTACT, side, contact)
    firm = record.fields.get("firm") if record is not None else None
    if isinstance(firm, Ref):
        yield firm.key


def _brought_along(s: Situation, side: Side, key: str) -> Iterable[RecordId]:
    """The client of a project, the contacts on its rows and their firms: its tick brings them along."""
    project = s.record(Kind.PROJECT, side, key)
    if project is None:
        return
    client = project.fields.get("client")
    if isinstance(client, Ref):
        yield (Kind.FIRM, side, client.key)
    for entry in project.contacts or ():
        yield (Kind.CONTACT, side, entry.key)
        yield from ((Kind.FIRM, side, firm) for firm in _firm_of(s, side, entry.key))


def _around(s: Situation, decided: frozenset[RecordId]) -> frozenset[RecordId]:
    """Whoever may bring a firm along, fill a firm's cap, or list a contact."""
    crm = {each for each in decided if each[1] is Side.CRM}
    contacts = {key for kind, _, key in crm if kind is Kind.CONTACT} | set(_listed(s, decided))
    firms = {key for kind, _, key in crm if kind is Kind.FIRM}
    of_cap = firms | set(chain.from_iterable(_firm_of(s, Side.CRM, key) for key in contacts))
    members = set(chain.from_iterable(s.naming(Kind.CONTACT, Side.CRM, Kind.FIRM, firm) for firm in of_cap))
    named = [(Kind.FIRM, key) for key in firms] + [(Kind.CONTACT, key) for key in contacts | members]
    projects = set(chain.from_iterable(s.naming(Kind.PROJECT, Side.CRM, *each) for each in named))
    clients = [key for kind, side, key in decided if (kind, side) == (Kind.FIRM, Side.AJERA)]
    to_crm = set(chain.from_iterable(s.naming(Kind.PROJECT, Side.AJERA, Kind.FIRM, key) for key in clients))
    return frozenset(
        decided
        | {(Kind.PROJECT, Side.AJERA, key) for key in to_crm}
        | {(Kind.CONTACT, Side.CRM, key) for key in contacts | members}
        | {(Kind.PROJECT, Side.CRM, key) for key in projects}
    )


def _listed(s: Situation, decided: frozenset[RecordId]) -> Iterable[str]:
    """The CRM's contacts that stand on a firm's list in Ajera: one that is ticked and moved away leaves it."""
    for kind, side, key in decided:
        firm = s.record(kind, side, key) if (kind, side) == (Kind.FIRM, Side.AJERA) else None
        for entry in (firm.contacts or ()) if firm is not None else ():
            partner = s.links.partner(Kind.CONTACT, Side.AJERA, entry.key)
            if partner is not None:
                yield partner
