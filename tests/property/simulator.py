"""Two dictionaries of records instead of two systems, and plans applied as if every write succeeded.

A ledger of its own follows what people type: each typed value is a *token* whose parents are the tokens it
was typed over. Copying a value copies its token. So a write that replaces what its author had not seen shows,
whatever the planner thought of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import count

from core.model.link import Choice, Link, LinkState, Pair
from core.model.plan import Action, Op, Plan
from core.model.record import Entry, Record
from core.model.values import EntryEdit, Kind, Ref, Side, Value
from core.reconcile.entries import OURS, list_prefix
from core.reconcile.fields import settled_pair
from core.reconcile.linked import CLOSED, WAKE
from tests.reconcile_kit import AJERA, CRM, World

Cell = tuple[Kind, Side, str, str]
Rewrite = Callable[[str, Value], Value]
# Rules by which the history keeps the value that a write replaced.
KEPT_IN_HISTORY = ("both changed", "drift put right", "owns it", "resolved", "policy")


@dataclass
class Ledger:
    """Which typed value stands in which cell, and what each was typed over."""

    parents: dict[int, frozenset[int]] = field(default_factory=dict)
    cells: dict[Cell, int] = field(default_factory=dict)
    at_base: dict[Cell, int | None] = field(default_factory=dict)
    _next: count[int] = field(default_factory=count)

    def typed(self, cell: Cell) -> int:
        token = next(self._next)
        old = self.cells.get(cell)
        self.parents[token] = frozenset() if old is None else self.parents[old] | {old}
        self.cells[cell] = token
        return token

    def copied(self, source: Cell, target: Cell) -> None:
        token = self.cells.get(source)
        if token is None:
            self.cells.pop(target, None)
        else:
            self.cells[target] = token
        self._note_base(source, target)

    def put_back(self, cell: Cell) -> None:
        """Typed back to what was agreed: to everybody who looks, nothing was ever typed."""
        token = self.at_base.get(cell)
        if token is None:
            self.cells.pop(cell, None)
        else:
            self.cells[cell] = token

    def _note_base(self, *cells: Cell) -> None:
        self.at_base |= {cell: self.cells.get(cell) for cell in cells}

    def agreed(self, a: Cell, b: Cell) -> None:
        """Both sides hold the same, however it came about: who edits it now has seen both."""
        tokens = {self.cells[cell] for cell in (a, b) if cell in self.cells}
        if len(tokens) == 2:
            merged = next(self._next)
            self.parents[merged] = frozenset().union(*(self.parents[token] | {token} for token in tokens))
            self.cells[a] = self.cells[b] = merged
        elif tokens:
            self.cells[a] = self.cells[b] = tokens.pop()
        self._note_base(a, b)

    def had_seen(self, author: Cell, replaced: Cell) -> bool:
        """Whether the value in `author` was typed with sight of the one in `replaced`."""
        new, old = self.cells.get(author), self.cells.get(replaced)
        return old is None or old == new or (new is not None and old in self.parents[new])


def _bare(value: object) -> object:
    """Blanks around a text are no edit: records are compared in their canonical form (sync-rules 3)."""
    return value.strip() if isinstance(value, str) else value


@dataclass
class Simulator:
    """A world, its ledger, and what each side makes of a text it is sent."""

    world: World
    rewrite: Mapping[Side, Rewrite] = field(default_factory=dict)
    ledger: Ledger = field(default_factory=Ledger)
    _keys: count[int] = field(default_factory=lambda: count(1))

    def edit(self, kind: Kind, side: Side, key: str, name: str, value: Value) -> None:
        """A person types a value."""
        record = self.world.records[kind, side].get(key)
        if record is not None and record.fields.get(name) != value:
            self.world.edit(kind, side, key, **{name: value})
            link = next((each for each in self.world.links if each.kind is kind and each.key(side) == key), None)
            pair = self.world.bases[link.id].get(name) if link else None
            if pair is not None and _bare(pair.half(side)) == _bare(value):
                self.ledger.put_back((kind, side, key, name))
            else:
                self.ledger.typed((kind, side, key, name))

    def run(self) -> Plan:
        """One run: plan, check every write against the ledger, apply."""
        made = self.world.plan()
        assert len({action.id for action in made.actions}) == len(made.actions), "one step twice"
        for action in made.actions:
            self._apply(action)
        return made

    # -- applying ----------------------------------------------------------------------------------

    def _apply(self, action: Action) -> None:
        match action.op:
            case Op.LINK:
                self._link(action)
            case Op.UNLINK:
                self._unlink(action)
            case Op.REBASE:
                self._rebase(action)
            case Op.CREATE:
                self._create(action)
            case Op.UPDATE:
                self._update(action)

    def _find(self, action: Action) -> Link:
        (link,) = (each for each in self.world.links if self._is_of(each, action))
        return link

    @staticmethod
    def _is_of(link: Link, action: Action) -> bool:
        if link.kind is not action.kind:
            return False
        return (action.ajera_key is not None and link.ajera_key == action.ajera_key) or (
            action.crm_key is not None and link.crm_key == action.crm_key
        )

    def _link(self, action: Action) -> None:
        assert action.ajera_key is not None
        assert action.crm_key is not None
        for side in Side:
            taken = [
                each for each in self.world.links if each.kind is action.kind and each.key(side) == action.key(side)
            ]
            assert all(each.state is LinkState.GONE and self._is_of(each, action) for each in taken), "one to one"
        self.world.links = [each for each in self.world.links if not self._is_of(each, action)]
        self.world.link(action.kind, action.ajera_key, action.crm_key, base={})
        self.world.decisions = [each for each in self.world.decisions if each.choice is not Choice.LINK]

    def _unlink(self, action: Action) -> None:
        assert action.side is not None
        old = self._find(action)
        self.world.links[self.world.links.index(old)] = replace(old, state=LinkState.GONE, gone_side=action.side)
        gone = (old.kind, action.side, old.key(action.side))
        self.world.records[old.kind, action.side].pop(gone[2], None)
        self.world.rest["gone"] = self.world.rest.get("gone", frozenset()) - {gone}

    def _rebase(self, action: Action) -> None:
        link = self._find(action)
        self.world.bases[link.id].update(action.pairs)
        for name, pair in action.pairs.items():
            if not pair.note:
                self.ledger.agreed((link.kind, AJERA, link.ajera_key, name), (link.kind, CRM, link.crm_key, name))
        if action.group in (CLOSED, WAKE):
            state = LinkState.ACTIVE if action.group == WAKE else LinkState.DORMANT
            self.world.links[self.world.links.index(link)] = replace(link, state=state, reason=action.group)

    def _create(self, action: Action) -> None:
        side = action.side
        assert side is not None
        source = self.world.record(action.kind, side.other, action.key(side.other) or "")
        key = f"new{next(self._keys)}"
        values: dict[str, Value] = dict.fromkeys(source.fields)
        for name, change in action.fields.items():
            if name != "mark":
                values[name] = self._held(side, name, self._resolved(change.to, side))
        self.world.put(
            Record(action.kind, side, key, source.name, fields=values, number=action.number,
                   marked="mark" in action.fields if side is CRM else None, contacts=(), extra=source.extra)
        )  # fmt: skip
        keys = {side: key, side.other: source.key}
        link = self.world.link(action.kind, keys[AJERA], keys[CRM], base={})
        for name, value in values.items():
            change = action.fields.get(name)
            spec = self.world.policy.spec(action.kind, name)
            if spec is not None and (change is not None or (not value and not source.fields[name])):
                self.ledger.copied((source.kind, source.side, source.key, name), (source.kind, side, key, name))
                meant = self._resolved(change.to, side) if change else value
                self.world.bases[link.id][name] = settled_pair(spec, side, meant, source.fields[name], value)

    def _update(self, action: Action) -> None:
        side = action.side
        assert side is not None
        link = next((each for each in self.world.links if self._is_of(each, action)), None)
        key = action.key(side) or (link.key(side) if link else "")
        record = self.world.record(action.kind, side, key)
        for name, change in action.fields.items():
            if name == "contacts":
                assert isinstance(change.to, EntryEdit)
                self._entries(record, link, change.to)
                continue
            assert link is not None
            spec = self.world.policy.spec(action.kind, name)
            assert spec is not None
            assert record.fields[name] == change.frm, "a plan names what it replaces"
            source = (action.kind, side.other, link.key(side.other), name)
            target = (action.kind, side, key, name)
            kept = any(rule in change.rule for rule in KEPT_IN_HISTORY)
            filled = change.rule == "first link, blank filled" and not change.frm
            assert kept or filled or self.ledger.had_seen(source, target), f"lost: {change}"
            meant = self._resolved(change.to, side)
            held = self._held(side, name, meant)
            self.world.edit(action.kind, side, key, **{name: held})
            self.world.bases[link.id][name] = settled_pair(spec, side, meant, action.source.get(name, change.to), held)
            self.ledger.copied(source, target)
            if change.rule.startswith("resolved"):
                self.world.decisions = [
                    each for each in self.world.decisions if (each.key, each.field) != (link.crm_key, name)
                ]

    def _entries(self, record: Record, link: Link | None, edit: EntryEdit) -> None:
        assert link is not None
        add = [self._resolved(ref, record.side) for ref in edit.add]
        remove = {ref.key for ref in edit.remove}
        entries = [each for each in record.contacts or () if each.key not in remove]
        for ref in add:
            assert isinstance(ref, Ref)
            entries.append(Entry(ref.key))
            ajera = self._resolved(ref, AJERA)
            assert isinstance(ajera, Ref)
            self.world.bases[link.id][f"{list_prefix(record.side)}{ajera.key}"] = Pair("ours", "ours")
        for key in remove:
            assert f"{OURS}{key}" in self.world.bases[link.id], "only our own entries are taken back"
            del self.world.bases[link.id][f"{OURS}{key}"]
        self.world.change(record.kind, record.side, record.key, contacts=tuple(entries))

    def _held(self, side: Side, name: str, value: Value) -> Value:
        rewrite = self.rewrite.get(side)
        return rewrite(name, value) if rewrite else value

    def _resolved(self, value: Value, side: Side) -> Value:
        if not isinstance(value, Ref) or value.side is side:
            return value
        partner = self.world.situation().links.partner(value.kind, value.side, value.key)
        assert partner is not None, "a reference to a record that is not linked by then"
        return Ref(value.kind, side, partner)
