"""Lists of contacts, entry by entry: a client's and a project's (sync-rules 5).

A contact belongs to its client through an entry of the client's list in Ajera, not through a field
of the contact (ajera-api 7.3). Ours is added if absent; only an entry this program added is ever
removed, and only from a linked client that takes part; all others stay untouched.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from core.model.link import Link, LinkState, Pair
from core.model.plan import Action, Change, Op
from core.model.record import Record
from core.model.values import EntryEdit, Kind, Ref, Side
from core.reconcile.creates import Coming
from core.reconcile.merge import SYNC_TO_CRM, UNDONE
from core.reconcile.scope import Scope
from core.reconcile.situation import Situation
from core.reconcile.ticks import Ticks, ticked_entries

OURS = "contact:"  # base pair of an entry: added by us, or with the note `undone`: left alone in both directions


THEIRS = "crm-contact:"  # the same of the CRM's list: put there by us, or once seen in both lists


def list_prefix(side: Side) -> str:
    """What the base pairs of a list's entries begin with; the Ajera contact's key follows."""
    return OURS if side is Side.AJERA else THEIRS


@dataclass
class _Edits:
    add: dict[str, list[Ref]] = field(default_factory=lambda: defaultdict(list))
    remove: dict[str, list[Ref]] = field(default_factory=lambda: defaultdict(list))


def contact_entries(s: Situation, ticks: Ticks, scope: Scope, coming: Coming) -> Iterable[Action]:
    """Updates of Ajera's lists of contacts that are due."""
    edits = _Edits()
    for firm, contacts in sorted(_by_firm(s, ticks, scope).items()):
        if _takes_part(s, ticks, coming, Kind.FIRM, firm):
            for contact in contacts:
                _add(s, edits, coming, Kind.FIRM, firm, contact)
    _moved_away(s, ticks, scope, edits)
    yield from _actions(s, Kind.FIRM, edits)
    if s.policy.project_contacts:
        yield from _of_projects(s, ticks, scope, coming)


def _by_firm(s: Situation, ticks: Ticks, scope: Scope) -> Mapping[str, Sequence[str]]:
    """The ticked contacts of the firms in scope."""
    found: dict[str, list[str]] = defaultdict(list)
    for key in sorted(ticks.contacts):
        firm = s.of(Kind.CONTACT, Side.CRM)[key].fields.get("firm")
        if isinstance(firm, Ref) and scope.has(Kind.FIRM, Side.CRM, firm.key):
            found[firm.key].append(key)
    return found


def _of_projects(s: Situation, ticks: Ticks, scope: Scope, coming: Coming) -> Iterable[Action]:
    edits, rows = _Edits(), list[Action]()
    both_ways = s.crm.takes_project_contacts and not s.mode.one_way
    for project in sorted(key for key in ticks.projects if scope.has(Kind.PROJECT, Side.CRM, key)):
        if _takes_part(s, ticks, coming, Kind.PROJECT, project):
            for contact in ticks.project_contacts.get(project, ()):
                _add(s, edits, coming, Kind.PROJECT, project, contact)
            _unticked_rows(s, project, edits)
        if both_ways:
            rows += _crm_rows(s, project)
    yield from _actions(s, Kind.PROJECT, edits)
    yield from rows


def _takes_part(s: Situation, ticks: Ticks, coming: Coming, kind: Kind, key: str) -> bool:
    link = s.links.of(kind, Side.CRM, key)
    if link is None:
        return (kind, Side.CRM, key) in coming
    return link.state is LinkState.ACTIVE and ticks.live(kind, key)


def _add(s: Situation, edits: _Edits, coming: Coming, kind: Kind, owner: str, contact: str) -> None:
    """Note that `contact` belongs into `owner`'s list, unless it stands there."""
    known = s.links.partner(Kind.CONTACT, Side.CRM, contact)
    if known is not None and _left_alone(s, kind, owner, contact, known):
        return
    if known is None and (Kind.CONTACT, Side.CRM, contact) not in coming:
        return  # it waits for a person, or is refused
    list_owner = _ajera_record(s, kind, owner)
    present = {entry.key for entry in (list_owner.contacts or ())} if list_owner else set()
    if list_owner is not None and list_owner.contacts is None:
        return  # not read
    if known is None or known not in present:
        edits.add[owner].append(Ref(Kind.CONTACT, Side.CRM, contact))


def _left_alone(s: Situation, kind: Kind, owner: str, contact: str, ajera_contact: str) -> bool:
    """Whether an undo took the contact off this list, or its link sleeps: ticking it again changes both."""
    own, of_list = s.links.of(Kind.CONTACT, Side.CRM, contact), s.links.of(kind, Side.CRM, owner)
    if own is not None and own.state is not LinkState.ACTIVE:
        return True
    pair = s.bases.get(of_list.id, {}).get(f"{OURS}{ajera_contact}") if of_list is not None else None
    return pair is not None and pair.note == UNDONE


def _ajera_record(s: Situation, kind: Kind, crm_key: str) -> Record | None:
    partner = s.links.partner(kind, Side.CRM, crm_key)
    return s.record(kind, Side.AJERA, partner) if partner else None


def _ours(s: Situation, link: Link) -> Iterable[str]:
    """The contacts that stand on a list in Ajera because this program put them there."""
    owner = s.record(link.kind, Side.AJERA, link.ajera_key)
    if owner is None or not owner.contacts:
        return
    base = s.bases.get(link.id, {})
    for key in dict.fromkeys(entry.key for entry in owner.contacts):
        pair = base.get(OURS + key)
        if pair is not None and pair.note != UNDONE:
            yield key


def _moved_away(s: Situation, ticks: Ticks, scope: Scope, edits: _Edits) -> None:
    """A contact that moved to another firm in the CRM leaves the list we put it on."""
    firms, contacts = s.of(Kind.FIRM, Side.AJERA), s.of(Kind.CONTACT, Side.CRM)
    for key in scope.keys(s, Kind.FIRM, Side.AJERA):
        link = s.links.of(Kind.FIRM, Side.AJERA, key) if firms[key].contacts else None
        if link is None or link.state is not LinkState.ACTIVE or not ticks.live(Kind.FIRM, link.crm_key):
            continue
        for contact_key in _ours(s, link):
            crm_key = s.links.partner(Kind.CONTACT, Side.AJERA, contact_key)
            if crm_key is None or crm_key not in ticks.contacts:
                continue
            fields = contacts[crm_key].fields
            if "firm" in fields and fields["firm"] != Ref(Kind.FIRM, Side.CRM, link.crm_key):
                edits.remove[link.crm_key].append(Ref(Kind.CONTACT, Side.AJERA, contact_key))


def _unticked_rows(s: Situation, project: str, edits: _Edits) -> None:
    """A contact whose tick on a ticked project is off leaves the project's list we put it on; one that is
    ticked but beyond the cap stays."""
    link = s.links.of(Kind.PROJECT, Side.CRM, project)
    record = s.of(Kind.PROJECT, Side.CRM)[project]
    if link is None or record.contacts is None:  # new, or its rows were not read
        return
    contacts = {entry.key for entry in ticked_entries(s, record)}
    for contact_key in _ours(s, link):
        crm_key = s.links.partner(Kind.CONTACT, Side.AJERA, contact_key)
        # One that was deleted takes its row with it: nothing is taken back for that.
        if crm_key and crm_key not in contacts and _is_there(s, crm_key):
            edits.remove[project].append(Ref(Kind.CONTACT, Side.AJERA, contact_key))


def _is_there(s: Situation, contact: str) -> bool:
    known = s.record(Kind.CONTACT, Side.CRM, contact) is not None
    return known and (Kind.CONTACT, Side.CRM, contact) not in s.gone


def _actions(s: Situation, kind: Kind, edits: _Edits) -> Iterable[Action]:
    for owner in sorted(edits.add.keys() | edits.remove.keys()):
        record = s.record(kind, Side.CRM, owner)
        add = edits.add.get(owner, ())
        roles = _roles(s, record, [ref.key for ref in add]) if kind is Kind.PROJECT else ()
        change = EntryEdit(tuple(add), tuple(edits.remove.get(owner, ())), roles)
        yield Action(
            op=Op.UPDATE,
            kind=kind,
            side=Side.AJERA,
            ajera_key=s.links.partner(kind, Side.CRM, owner),
            crm_key=owner,
            label=record.label if record else owner,
            fields={"contacts": Change(None, change, "ticked contacts belong to it")},
            group="contacts",
            reason="contacts of the CRM",
        )


def _roles(s: Situation, source: Record | None, contacts: Sequence[str]) -> tuple[str, ...]:
    """The roles these contacts have on the list of `source`, where the settings send them along and any has one.

    A role that the CRM's list of roles lacks stays behind: the contact itself is worth more than its role.
    """
    if not s.policy.contact_roles or source is None:
        return ()
    held = {entry.key: entry.role.strip() for entry in source.contacts or ()}
    listed = {role.casefold() for role in s.crm.codes.get((Kind.PROJECT, "contact_role"), ())}
    found = [held.get(key, "") for key in contacts]
    if source.side is Side.AJERA:
        found = [role if role.casefold() in listed else "" for role in found]
    return tuple(found) if any(found) else ()


# -- the other way -------------------------------------------------------------------------------


def _crm_rows(s: Situation, project: str) -> Iterable[Action]:
    """Linked contacts of an Ajera project that the CRM's list lacks are put there, each once.

    What both lists hold is remembered, so that a row that a person takes off the CRM's list never comes back.
    """
    link, crm = s.links.of(Kind.PROJECT, Side.CRM, project), s.of(Kind.PROJECT, Side.CRM)[project]
    ajera = _ajera_record(s, Kind.PROJECT, project)
    if link is None or link.state is not LinkState.ACTIVE or ajera is None or crm.contacts is None:
        return
    base = s.bases.get(link.id, {})
    if SYNC_TO_CRM in base and ajera.marked is False:  # Ajera's own tick was taken off
        return
    there = {entry.key for entry in crm.contacts}
    add: list[Ref] = []
    both: list[Ref] = []
    for entry in ajera.contacts or ():
        partner = s.links.partner(Kind.CONTACT, Side.AJERA, entry.key)
        if partner is None or OURS + entry.key in base or THEIRS + entry.key in base:
            continue
        (both if partner in there else add).append(Ref(Kind.CONTACT, Side.AJERA, entry.key))
    common = (link.ajera_key, link.crm_key, crm.label)
    if both:
        pairs = {THEIRS + ref.key: Pair("both", "both") for ref in both}
        yield Action(
            Op.REBASE, Kind.PROJECT, None, *common, pairs=pairs, group="contacts", reason="both lists hold the contact"
        )  # fmt: skip
    if add:
        roles = _roles(s, ajera, [ref.key for ref in add])
        change = Change(None, EntryEdit(tuple(add), roles=roles), "contacts of the project in Ajera")
        yield Action(
            Op.UPDATE, Kind.PROJECT, Side.CRM, *common, {"contacts": change}, group="contacts",
            reason="contacts of the project in Ajera",
        )  # fmt: skip
