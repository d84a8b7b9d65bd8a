"""A person's answers: conflicts resolved, candidates decided, failures tried again, links kept by hand."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation

from core.engine.clock import iso
from core.engine.pairs import Judge
from core.engine.pull import note_dirty
from core.engine.views import Marked, PairView
from core.engine.wording import side_name, value_text
from core.errors import UsageError
from core.model.link import Choice, Decision, Link, LinkState
from core.model.plan import Candidate, Item, candidate_from_json, item_from_json
from core.model.values import FieldType, Kind, Side, Value
from core.policy import STATUS_WORDS, FieldSpec, Policy
from core.ports import Clock, Store
from core.reconcile.merge import flows_to
from core.reconcile.normalize import canonical

AGAIN = "tried again with the next run"


@dataclass
class Answers:
    """Stores answers; they take effect with the next run."""

    store: Store
    policy: Policy
    clock: Clock

    def _now(self) -> str:
        return iso(self.clock.now())

    # -- conflicts, differences, drift -------------------------------------------------------------

    def items(self, queue: str) -> tuple[Item, ...]:
        return tuple(replace(item_from_json(item.body), since=item.since) for item in self.store.items(queue))

    def resolve(self, item_id: str, take: Side | str) -> str:
        """Take one side's value, or a typed one; a sentence that says what will be written."""
        item = self._fielded(item_id)
        spec = self.policy.spec(item.kind, item.field)
        if spec is None:
            raise UsageError(f"{item.kind}.{item.field} is not in the field map any more")
        decision = Decision(
            item.kind, Side.CRM, item.crm_key, field=item.field, seen=(item.ajera, item.crm), at=self._now()
        )
        if isinstance(take, Side) or take in ("ajera", "crm"):
            side = Side(take)
            decision = replace(decision, take=side)
            targets = {side.other}
        else:
            targets = set(Side)
            decision = replace(decision, value=typed(spec, take))
        self._check_writable(spec, targets)
        self._keep(decision, item)
        return f"{item.label}: {self._resolved(spec, decision, item)}"

    def resolve_all(self, kind: Kind, field: str, take: Side) -> int:
        """The same answer for every open item of one field; how many. Raises UsageError for a field that is not mapped."""
        if field not in {spec.name for spec in self.policy.fields.get(kind, ())}:
            raise UsageError(f"{kind}.{field} is not in the field map{self._nearest(kind, field)}")
        wanted = [
            item for queue in ("conflict", "difference", "drift") for item in self.items(queue)
            if item.kind is kind and item.field == field
        ]  # fmt: skip
        for item in wanted:
            self.resolve(item.id, take)
        return len(wanted)

    def _nearest(self, kind: Kind, field: str) -> str:
        near = difflib.get_close_matches(field, [spec.name for spec in self.policy.fields.get(kind, ())], 1)
        return f"; the nearest is {kind}.{near[0]}" if near else ""

    def _fielded(self, item_id: str) -> Item:
        for queue in ("conflict", "difference", "drift"):
            for item in self.items(queue):
                if item.id == item_id:
                    return item
        raise UsageError(f"there is no open conflict, difference or drift {item_id!r}")

    def _check_writable(self, spec: FieldSpec, targets: set[Side]) -> None:
        one_way = (self.store.setting("seen_mode") or {}).get("direction") == "to-ajera"
        if one_way and Side.CRM in targets:
            raise UsageError("the sync is one-way: nothing but ticks is written to the CRM. Change the value there")
        closed = targets - flows_to(spec)
        if closed:
            way_out = " on the invoice group" if spec.name == "client" else ""
            raise UsageError(f"{spec.label} is never written in {side_name(closed.pop())}: change it there{way_out}")

    def _keep(self, decision: Decision, item: Item) -> None:
        with self.store.transaction() as tx:
            tx.put_decision(decision)
            note_dirty(tx, [(item.kind, Side.AJERA, item.ajera_key), (item.kind, Side.CRM, item.crm_key)])

    # -- candidates --------------------------------------------------------------------------------

    def candidates(self) -> tuple[Candidate, ...]:
        return tuple(replace(candidate_from_json(c.body), since=c.since) for c in self.store.items("candidate"))

    def link(self, ajera_key: str, crm_key: str, kind: Kind | None = None) -> str:
        kind = kind or self._kind_of(ajera_key, crm_key)
        for side, key in ((Side.AJERA, ajera_key), (Side.CRM, crm_key)):
            if key not in self.store.records(kind, side):
                raise UsageError(f"there is no {kind} {key!r} in {side_name(side)}")
            there = self.store.links().of(kind, side, key)
            if there is not None and there.state is not LinkState.GONE:
                raise UsageError(f"{kind} {key} of {side_name(side)} is linked already, with {there.key(side.other)}")
        self._drop_tombstones(kind, ajera_key, crm_key)
        self._decide(Decision(kind, Side.CRM, crm_key, Choice.LINK, partner=ajera_key, at=self._now()))
        return f"{kind} {ajera_key} of Ajera and {crm_key} of the CRM are linked with the next run"

    def create(self, key: str, kind: Kind | None = None) -> str:
        kind, side = self._waiting(key, kind)
        self._drop_tombstones(kind, *((key, None) if side is Side.AJERA else (None, key)))
        self._decide(Decision(kind, side, key, Choice.CREATE, at=self._now()))
        return f"a new {kind} is created in {side_name(side.other)} for {key} with the next run"

    def never(self, key: str, kind: Kind | None = None, partner: str | None = None) -> str:
        kind, side = self._waiting(key, kind)
        self._decide(Decision(kind, side, key, Choice.NEVER, partner=partner, at=self._now()))
        return f"{kind} {key} is left alone" + (f" with regard to {partner}" if partner else "")

    def _drop_tombstones(self, kind: Kind, ajera_key: str | None, crm_key: str | None) -> None:
        links = self.store.links()
        old = [links.of(kind, side, key) for side, key in ((Side.AJERA, ajera_key), (Side.CRM, crm_key)) if key]
        with self.store.transaction() as tx:
            for link in {each for each in old if each is not None and each.state is LinkState.GONE}:
                tx.drop_link(link)

    def _decide(self, decision: Decision) -> None:
        """A new answer about a record replaces earlier ones that say something else of it."""
        with self.store.transaction() as tx:
            for old in self.store.decisions().values():
                same = (old.kind, old.side, old.key) == (decision.kind, decision.side, decision.key)
                if same and old.choice is not None and decision.partner in (None, old.partner):
                    tx.drop_decision(old.id)
            tx.put_decision(decision)
            named = [(decision.kind, decision.side, decision.key)]
            if decision.partner:
                named.append((decision.kind, decision.side.other, decision.partner))
            note_dirty(tx, named)

    def _kind_of(self, ajera_key: str, crm_key: str) -> Kind:
        kinds = {
            kind
            for kind in Kind
            if ajera_key in self.store.records(kind, Side.AJERA) and crm_key in self.store.records(kind, Side.CRM)
        }
        named = {c.kind for c in self.candidates() if (c.ajera_key, c.crm_key) == (ajera_key, crm_key)}
        found = named or kinds
        if len(found) != 1:
            raise UsageError(
                f"{ajera_key!r} and {crm_key!r} are not two records of one kind"
                if not found
                else f"{ajera_key!r} and {crm_key!r} fit several kinds ({', '.join(sorted(found))}): name one with --kind"
            )
        return found.pop()

    def _waiting(self, key: str, kind: Kind | None) -> tuple[Kind, Side]:
        """Which record an answer means: the one that waits as a candidate, or a tombstone's."""
        found = {(c.kind, c.side) for c in self.candidates() if c.key == key and kind in (None, c.kind)}
        if not found:
            for link in self.store.links().by_ajera.values():
                side = link.gone_side.other if link.gone_side else None
                if side and link.state is LinkState.GONE and link.key(side) == key and kind in (None, link.kind):
                    found.add((link.kind, side))
        if not found:
            found = {
                (of, side)
                for of in Kind
                for side in Side
                if kind in (None, of)
                and key in self.store.records(of, side)
                and self.store.links().of(of, side, key) is None
            }
        if len(found) != 1:
            raise UsageError(
                f"no unlinked record has the key {key!r}"
                if not found
                else f"{key!r} fits several records: name one with --kind"
            )
        return found.pop()

    # -- what was answered already -----------------------------------------------------------------

    def given(self) -> dict[str, str]:
        """The answers that stand and wait for the next run: the sentence of each, by the id of its item, candidate or
        error. An answer to other values than those of now is none."""
        decisions = self.store.decisions()
        found: dict[str, str] = {}
        fielded = any(each.field for each in decisions.values())
        for queue in ("conflict", "difference", "drift") if fielded else ():
            for item in self.items(queue):
                decision = decisions.get(f"{item.kind}:{Side.CRM}:{item.crm_key}:{item.field}:")
                spec = self.policy.spec(item.kind, item.field)
                if decision is not None and spec is not None and _still_asked(spec, decision, item):
                    found[item.id] = self._resolved(spec, decision, item)
        chosen = [each for each in decisions.values() if each.choice is not None]
        if chosen:
            for candidate in self.candidates():
                if words := _chosen(candidate, chosen):
                    found[candidate.id] = words
        retried = self.store.setting("retried") or {}
        for failure in self.store.failures().values():
            if retried.get(failure.id) == failure.at:
                found[failure.id] = AGAIN
        return found

    def _resolved(self, spec: FieldSpec, decision: Decision, item: Item) -> str:
        if decision.take is None:
            value, targets = decision.value, set(Side)
        else:
            value = item.ajera if decision.take is Side.AJERA else item.crm
            targets = {decision.take.other}
        where = " and ".join(sorted(side_name(side) for side in targets))
        return f"{spec.label} {value_text(self.store, spec, value)!r} goes to {where} with the next run"

    # -- failures ----------------------------------------------------------------------------------

    def retry(self, failure_id: str) -> int:
        """Failures that are due at once; how many. "all" means every one."""
        failures = self.store.failures()
        wanted = (
            list(failures.values()) if failure_id == "all" else [f for f in failures.values() if f.id == failure_id]
        )
        if not wanted and failure_id != "all":
            raise UsageError(f"there is no error {failure_id!r}")
        now, retried = self._now(), {failure.id: failure.at for failure in wanted}
        kept = {name: at for name, at in (self.store.setting("retried") or {}).items() if name in failures}
        with self.store.transaction() as tx:
            tx.put_setting("retried", kept | retried)  # so that every front end knows who asked for it
            for failure in wanted:
                tx.put_failure(replace(failure, next_try=now))
                note_dirty(tx, [(failure.kind, failure.side, failure.key)])
        return len(wanted)

    # -- links by hand -----------------------------------------------------------------------------

    def judged(self, rows: Iterable[tuple[str, str, str]]) -> list[PairView]:
        """What taking over these pairs (kind, Ajera key, CRM key) would do, row by row; nothing is done."""
        return Judge(self.store).judge(rows)

    def import_links(self, rows: Iterable[tuple[str, str, str]]) -> Marked:
        """Existing pairs, as when taking over from Deltek's own sync. One that contradicts a link or names an
        unknown record is refused; the others are linked, all in one transaction."""
        found = self.judged(rows)
        links = [
            Link(Kind(each.kind), each.ajera_key, each.crm_key, LinkState.ACTIVE, "imported", self._now())
            for each in found
            if each.state == "new"
        ]
        with self.store.transaction() as tx:
            for link in links:
                tx.put_link(link)
            note_dirty(tx, [(link.kind, side, link.key(side)) for link in links for side in Side])
        named = [(f"{each.kind} {each.ajera_key} {each.crm_key}", each) for each in found]
        return Marked(
            tuple(name for name, each in named if each.state != "refused"),
            tuple((name, each.reason) for name, each in named if each.state == "refused"),
        )

    def drop_link(self, kind: Kind, key: str) -> str:
        """Forget a link and its base; both records stay as they are and are matched anew."""
        links = self.store.links()
        link = links.of(kind, Side.CRM, key) or links.of(kind, Side.AJERA, key)
        if link is None:
            raise UsageError(f"no {kind} link has the key {key!r}")
        with self.store.transaction() as tx:
            tx.drop_base(link)
            tx.drop_link(link)
            note_dirty(tx, [(kind, side, link.key(side)) for side in Side])
        return f"the link of {kind} {link.ajera_key} (Ajera) and {link.crm_key} (CRM) is forgotten"


def _still_asked(spec: FieldSpec, decision: Decision, item: Item) -> bool:
    """Whether both sides still hold what was answered, as the merge judges it."""
    if decision.seen is None:
        return False
    halves = zip(Side, (item.ajera, item.crm), decision.seen, strict=True)
    return all(canonical(spec, side, now) == canonical(spec, side, seen) for side, now, seen in halves)


def _chosen(candidate: Candidate, chosen: Iterable[Decision]) -> str:
    """What was decided about a candidate's record, or about this pair; blank for nothing."""
    named = {Side.AJERA: candidate.ajera_key, Side.CRM: candidate.crm_key}
    for each in chosen:
        if each.kind is not candidate.kind or named[each.side] != each.key:
            continue
        pair = each.partner is None or named[each.side.other] == each.partner
        own = each.side is candidate.side
        if each.choice is Choice.LINK and pair:
            return f"{candidate.kind} {candidate.ajera_key} of Ajera and {candidate.crm_key} of the CRM are linked with the next run"
        if each.choice is Choice.LINK:
            return f"linked with {each.partner} instead with the next run"
        if each.choice is Choice.CREATE and own:
            return f"a new {candidate.kind} is created in {side_name(each.side.other)} for {each.key} with the next run"
        if each.choice is Choice.NEVER and own and pair:
            return f"{candidate.kind} {each.key} is left alone" + (
                f" with regard to {each.partner}" if each.partner else ""
            )
    return ""


def typed(spec: FieldSpec, text: str) -> Value:
    """A value as a person types it: a date as YYYY-MM-DD, money as a number, a status by its word."""
    match spec.type:
        case FieldType.DATE:
            try:
                return date.fromisoformat(text)
            except ValueError:
                raise UsageError(f"{text!r} is not a date: YYYY-MM-DD") from None
        case FieldType.MONEY | FieldType.NUMBER:
            try:
                return Decimal(text.replace(",", ""))
            except InvalidOperation:
                raise UsageError(f"{text!r} is not a number") from None
        case FieldType.STATUS | FieldType.REF | FieldType.ADDRESS | FieldType.ENTRIES:
            words = ", ".join(sorted(STATUS_WORDS.get((spec.kind, Side.AJERA), {}).values()))
            hint = f" (a status has one word a system: {words})" if words and spec.type is FieldType.STATUS else ""
            raise UsageError(f"{spec.label} cannot be typed here{hint}: take ajera or crm")
        case _:
            return text
