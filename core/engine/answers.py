"""A person's answers: conflicts resolved, candidates decided, failures tried again, links kept by hand."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation

from core.engine.clock import iso
from core.engine.pull import note_dirty
from core.engine.views import Marked
from core.engine.wording import side_name, value_text
from core.errors import UsageError
from core.model.link import Choice, Decision, Link, LinkState
from core.model.plan import Candidate, Item, candidate_from_json, item_from_json
from core.model.values import FieldType, Kind, Side, Value
from core.policy import STATUS_WORDS, FieldSpec, Policy
from core.ports import Clock, Store
from core.reconcile.merge import flows_to


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
            value, targets = item.ajera if side is Side.AJERA else item.crm, {side.other}
        else:
            value, targets = typed(spec, take), set(Side)
            decision = replace(decision, value=value)
        self._check_writable(spec, targets)
        self._keep(decision, item)
        where = " and ".join(sorted(side_name(side) for side in targets))
        return f"{item.label}: {spec.label} {value_text(self.store, spec, value)!r} goes to {where} with the next run"

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
            note_dirty(self.store, tx, [(item.kind, Side.AJERA, item.ajera_key), (item.kind, Side.CRM, item.crm_key)])

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
            note_dirty(self.store, tx, named)

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

    # -- failures ----------------------------------------------------------------------------------

    def retry(self, failure_id: str) -> int:
        """Failures that are due at once; how many. "all" means every one."""
        failures = self.store.failures()
        wanted = (
            list(failures.values()) if failure_id == "all" else [f for f in failures.values() if f.id == failure_id]
        )
        if not wanted and failure_id != "all":
            raise UsageError(f"there is no error {failure_id!r}")
        now = self._now()
        with self.store.transaction() as tx:
            for failure in wanted:
                tx.put_failure(replace(failure, next_try=now))
                note_dirty(self.store, tx, [(failure.kind, failure.side, failure.key)])
        return len(wanted)

    # -- links by hand -----------------------------------------------------------------------------

    def import_links(self, rows: Iterable[tuple[str, str, str]]) -> Marked:
        """Existing pairs (kind, Ajera key, CRM key), as when taking over from Deltek's own sync. One
        that contradicts a link or names an unknown record is refused; the others are linked."""
        done: list[str] = []
        refused: list[tuple[str, str]] = []
        for kind_text, ajera_key, crm_key in rows:
            name = f"{kind_text} {ajera_key} {crm_key}"
            try:
                kind = Kind(kind_text.strip().casefold())
                self._import_one(kind, ajera_key.strip(), crm_key.strip())
                done.append(name)
            except ValueError:
                refused.append((name, f"{kind_text!r} is not a kind: firm, contact, project or employee"))
            except UsageError as error:
                refused.append((name, str(error)))
        return Marked(tuple(done), tuple(refused))

    def _import_one(self, kind: Kind, ajera_key: str, crm_key: str) -> None:
        links = self.store.links()
        for side, key in ((Side.AJERA, ajera_key), (Side.CRM, crm_key)):
            there = links.of(kind, side, key)
            if there is not None:
                if (there.ajera_key, there.crm_key) == (ajera_key, crm_key):
                    return
                raise UsageError(f"{key} of {side_name(side)} is linked with {there.key(side.other)} already")
            known = self.store.cursor(kind, side).whole
            if known and key not in self.store.records(kind, side):
                raise UsageError(f"there is no {kind} {key!r} in {side_name(side)}")
        link = Link(kind, ajera_key, crm_key, LinkState.ACTIVE, "imported", self._now())
        with self.store.transaction() as tx:
            tx.put_link(link)
            note_dirty(self.store, tx, [(kind, side, link.key(side)) for side in Side])

    def drop_link(self, kind: Kind, key: str) -> str:
        """Forget a link and its base; both records stay as they are and are matched anew."""
        links = self.store.links()
        link = links.of(kind, Side.CRM, key) or links.of(kind, Side.AJERA, key)
        if link is None:
            raise UsageError(f"no {kind} link has the key {key!r}")
        with self.store.transaction() as tx:
            tx.drop_base(link)
            tx.drop_link(link)
            note_dirty(self.store, tx, [(kind, side, link.key(side)) for side in Side])
        return f"the link of {kind} {link.ajera_key} (Ajera) and {link.crm_key} (CRM) is forgotten"


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
