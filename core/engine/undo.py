"""Undo of a run, as a plan: what the run's history says was done, turned round (sync-rules 7).

    update of a field     its previous value goes back, its base is the one before, and the field waits as
                          the conflict `undone`: no side writes it until a person resolves it
    created record        set inactive (a project in Ajera: Hold, since Closed is never written), its link
                          dormant, its source unticked
    link made             dormant, its record unticked; ticking it again wakes it. It is not dropped: its
                          base is what keeps a later tick from overwriting what was typed since
    entry of a list       taken off, or put back; the list is left alone in that until the contact is ticked again
    tick pushed           taken back; a tick that the run took off is not set again (that would start writing)
    team hours, unlinks   listed: hours are a sum of timesheets, and a deleted record cannot be brought back

What changed since, on either side, by a person or a later run, is listed and not touched. The plan is
carried out by the Applier like any other; undoing twice finds nothing left.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from core.engine.wording import side_name
from core.errors import UsageError
from core.model.link import Base, Link, LinkState, Mark, Pair
from core.model.plan import Action, Change, Mode, Op, Plan, Refusal, make_plan
from core.model.record import Record
from core.model.values import EntryEdit, FieldType, Kind, Ref, Side, TeamEdit, Value
from core.policy import STATUS_WORDS, FieldSpec, Policy
from core.ports import HistoryEntry, RunRecord, Store
from core.reconcile.entries import list_prefix
from core.reconcile.merge import UNDONE
from core.reconcile.normalize import canonical
from core.reconcile.ticks import ticked

TRIGGER = "undo"
OF = "undo of run "  # so the record of an undo begins, and so does the rule of all that it wrote
RecordId = tuple[Kind, Side, str]
WRITES = (Op.CREATE.value, Op.UPDATE.value)


@dataclass(frozen=True)
class Undoing:
    """What an undo does: the plan, and the ticks that are taken off here first, before anything is sent."""

    plan: Plan
    marks: tuple[Mark, ...] = ()

    @property
    def nothing(self) -> bool:
        return not self.plan.actions and not self.marks


@dataclass
class _Written:
    """One field of one record as the run found it and as the run left it."""

    was: Value
    held: Value
    before: Pair | None


def done_by(store: Store, run_id: str) -> Sequence[HistoryEntry]:
    """What a run did, oldest first. UsageError for a run that is unknown, goes on, or is an undo itself."""
    run = store.run(run_id)
    if run is None:
        raise UsageError(f"there is no run {run_id!r}")
    if not run.finished:
        raise UsageError(f"run {run_id} has not ended")
    if run.trigger == TRIGGER:
        raise UsageError(f"run {run_id} is an undo itself: resolve its conflicts, or tick the records again")
    return [entry for entry in store.history_of_run(run_id) if entry.outcome == "done"]


def undone_by(runs: Iterable[RunRecord]) -> dict[str, RunRecord]:
    """Which of these runs (newest first) were taken back, and by which run."""
    found: dict[str, RunRecord] = {}
    for run in runs:
        if run.trigger == TRIGGER and run.message.startswith(OF):
            found.setdefault(run.message.removeprefix(OF).partition(":")[0], run)
    return found


def concerned(entries: Iterable[HistoryEntry]) -> Mapping[tuple[Kind, Side], tuple[str, ...]]:
    """The records to read before anything is decided: both sides of all that was written."""
    found: dict[tuple[Kind, Side], dict[str, None]] = defaultdict(dict)
    for entry in entries:
        for side in Side:
            key = _key(entry, side)
            if key and entry.op in (*WRITES, Op.LINK.value):
                found[entry.kind, side][key] = None
    return {which: tuple(sorted(keys)) for which, keys in found.items()}


def undoing(
    store: Store, policy: Policy, mode: Mode, run_id: str, now: str, missing: frozenset[RecordId] = frozenset()
) -> Undoing:
    """The plan that takes back `run_id`, from the records as just read. `missing` are not there any more."""
    maker = _Maker(store, policy, mode, run_id, now, missing)
    return maker.make(done_by(store, run_id))


@dataclass
class _Maker:
    store: Store
    policy: Policy
    mode: Mode
    run: str
    now: str
    missing: frozenset[RecordId]
    actions: list[Action] = field(default_factory=list)
    left: list[Refusal] = field(default_factory=list)
    marks: dict[str, Mark] = field(default_factory=dict)
    unticks: dict[tuple[Kind, str, str], dict[str, Change]] = field(default_factory=lambda: defaultdict(dict))
    made: set[RecordId] = field(default_factory=set)

    def __post_init__(self) -> None:
        run = self.store.run(self.run)
        self.began = run.started if run else ""

    @property
    def rule(self) -> str:
        return f"{OF}{self.run}"

    def make(self, entries: Sequence[HistoryEntry]) -> Undoing:
        creates = [entry for entry in entries if entry.op == Op.CREATE.value]
        self.made = {_written_id(entry) for entry in creates}
        for entry in creates:
            self._created(entry)
        for entry in entries:
            self._other(entry)
        self._fields([entry for entry in entries if entry.op == Op.UPDATE.value])
        self._untick_actions()
        kept = [action for action in self.actions if self._allowed(action)]
        plan = make_plan(self.mode, self.now, kept, refused=tuple(dict.fromkeys(self.left)))
        return Undoing(plan, tuple(self.marks.values()))

    def _allowed(self, action: Action) -> bool:
        """One-way: nothing but marks is written to the CRM, whoever asks (sync-rules 1)."""
        if not self.mode.one_way or action.side is not Side.CRM or action.group.startswith("marks"):
            return True
        words = "the sync is one-way: nothing but ticks is written to the CRM. Put it right there"
        self._leave(action.kind, Side.CRM, action.crm_key or "", action.label, words, ", ".join(sorted(action.fields)))
        return False

    def _leave(self, kind: Kind, side: Side, key: str, label: str, reason: str, name: str | None = None) -> None:
        self.left.append(Refusal(kind, side, key, label, reason, name))

    def _leave_entry(self, entry: HistoryEntry, reason: str, name: str | None = None) -> None:
        side = entry.side or Side.AJERA
        self._leave(entry.kind, side, _key(entry, side) or "", entry.label, reason, name)

    # -- what was created or linked ----------------------------------------------------------------

    def _created(self, entry: HistoryEntry) -> None:
        kind, side, key = made = _written_id(entry)
        record, link = self._record(made), self.store.links().of(kind, side, key)
        if record is None or link is None or link.state is LinkState.GONE:
            self._leave_entry(entry, f"it is not in {side_name(side)} or not linked any more")
            return
        if link.state is LinkState.DORMANT and link.reason == UNDONE:
            self._untick_link(link)
            self._set_inactive(entry, record, link)
            return
        changed = self._changed_since(record, link)
        if changed:
            self._leave_entry(entry, f"changed since ({changed}): the record and its link stay as they are")
            return
        self._sleep(entry, link)
        self._set_inactive(entry, record, link)

    def _changed_since(self, record: Record, link: Link) -> str:
        """The names of the fields that a later run or a person changed; blank for none."""
        later = self._later(link)
        if later:
            return ", ".join(sorted(later))
        base, partner = self.store.base(link), self._record((link.kind, record.side.other, link.key(record.side.other)))
        moved = [
            spec.name
            for spec in self.policy.active_fields(link.kind)
            if spec.name in base
            and self._moved(spec, base[spec.name], record)
            and not self._agree(spec, record, partner)
        ]
        return ", ".join(sorted(moved))

    def _later(self, link: Link) -> set[str]:
        """What later runs wrote to either record of a link, ticks aside."""
        names: set[str] = set()
        for side in Side:
            for entry in self.store.history_of(link.kind, side, link.key(side)):
                if entry.run == self.run or entry.at < self.began:
                    break
                if entry.outcome == "done" and entry.op in WRITES:
                    names |= {name for name in entry.fields if not _is_tick(name)}
        return names

    def _moved(self, spec: FieldSpec, pair: Pair, record: Record) -> bool:
        if pair.note == UNDONE or spec.name not in record.fields:
            return False
        held = canonical(spec, record.side, record.fields[spec.name])
        return held != canonical(spec, record.side, pair.half(record.side))

    def _agree(self, spec: FieldSpec, one: Record, other: Record | None) -> bool:
        if other is None or spec.name not in other.fields:
            return False
        ours, theirs = one.fields[spec.name], other.fields[spec.name]
        if spec.type is FieldType.REF:
            return isinstance(ours, Ref) and isinstance(theirs, Ref) and self._partner(ours) == theirs.key
        return canonical(spec, one.side, ours) == canonical(spec, other.side, theirs)

    def _partner(self, ref: Ref) -> str | None:
        return self.store.links().partner(ref.kind, ref.side, ref.key)

    def _sleep(self, entry: HistoryEntry, link: Link) -> None:
        """The link dormant, and what made it untick: a tick made later wakes it."""
        if link.state is not LinkState.DORMANT or link.reason != UNDONE:
            self.actions.append(
                Action(
                    Op.REBASE,
                    link.kind,
                    None,
                    link.ajera_key,
                    link.crm_key,
                    entry.label,
                    group=UNDONE,
                    reason=self.rule,
                )
            )
        self._untick_link(link)

    def _set_inactive(self, entry: HistoryEntry, record: Record, link: Link) -> None:
        word, spec = inactive_word(record.kind, record.side), self.policy.spec(record.kind, "status")
        if word is None or spec is None or not spec.on or "status" not in record.fields:
            self._leave_entry(
                entry, f"its status is not read or not written: set it inactive in {side_name(record.side)}"
            )
            return
        now = record.fields["status"]
        if canonical(spec, record.side, now) != "active":
            return
        pair = self.store.base(link).get("status")
        if pair is None:
            other = self._record((link.kind, record.side.other, link.key(record.side.other)))
            theirs = other.fields.get("status") if other else None
            pair = Pair(now, theirs) if record.side is Side.AJERA else Pair(theirs, now)
        on_hold = record.kind is Kind.PROJECT and record.side is Side.AJERA
        reason = f"{self.rule}: Hold is the nearest to inactive; a project is never closed from here"
        self.actions.append(
            Action(
                Op.UPDATE,
                record.kind,
                record.side,
                link.ajera_key,
                link.crm_key,
                entry.label,
                {"status": Change(now, word, f"{self.rule}: created by it")},
                pairs={"status": pair._replace(note=UNDONE)},
                group="status",
                reason=reason if on_hold else self.rule,
            )
        )

    def _other(self, entry: HistoryEntry) -> None:
        if entry.op == Op.LINK.value:
            link = self.store.links().of(entry.kind, Side.AJERA, entry.ajera_key or "")
            if link is None or link.crm_key != entry.crm_key or link.state is LinkState.GONE:
                self._leave_entry(entry, "its link was removed or replaced since")
            else:
                self._sleep(entry, link)
        elif entry.op == Op.UNLINK.value:
            self._leave_entry(entry, "a record that is gone cannot be brought back: link or create it in the Inbox")

    # -- ticks -------------------------------------------------------------------------------------

    def _untick_link(self, link: Link) -> None:
        if link.kind is Kind.EMPLOYEE:
            return
        self._untick(link.kind, link.crm_key)
        if link.kind is Kind.CONTACT:
            for project in self.store.records(Kind.PROJECT, Side.CRM).values():
                if any(row.key == link.crm_key for row in project.contacts or ()):
                    self._untick_row(project, link.crm_key)
        ours = Mark(link.kind, Side.AJERA, link.ajera_key, False, local=True, at=self.now)
        ajera, mark = self._record((link.kind, Side.AJERA, link.ajera_key)), self.store.marks().get(ours.id)
        if mark.on if mark is not None else ajera is not None and ajera.create_in_crm:
            self.marks[ours.id] = ours

    def _untick(self, kind: Kind, crm_key: str) -> None:
        record = self._record((kind, Side.CRM, crm_key))
        mark = self.store.marks().get(f"{kind}:crm:{crm_key}:")
        if record is None or not ticked(record, mark):
            return
        off = Mark(kind, Side.CRM, crm_key, False, local=record.marked is None, at=self.now)
        self.marks[off.id] = off
        if record.marked:
            self.unticks[kind, crm_key, "marks"]["mark"] = Change(True, False, self.rule)

    def _untick_row(self, project: Record, contact: str) -> None:
        mark = self.store.marks().get(f"contact:crm:{contact}:{project.key}")
        held = any(row.key == contact and row.marked for row in project.contacts or ())
        if not (mark.on if mark is not None else held):
            return
        off = Mark(Kind.CONTACT, Side.CRM, contact, False, project.key, local=bool(mark and mark.local), at=self.now)
        self.marks[off.id] = off
        if held:
            name = f"mark:{contact}"
            self.unticks[Kind.PROJECT, project.key, f"marks:{contact}"][name] = Change(True, False, self.rule)

    def _pushed(self, entry: HistoryEntry) -> None:
        """Ticks and a template that the run wrote to the CRM."""
        record = self._record((entry.kind, Side.CRM, entry.crm_key or ""))
        if record is None:
            self._leave_entry(entry, "it is not in the CRM any more", "mark")
            return
        for name, (was, held, _rule) in entry.fields.items():
            if name == "template":
                if record.template == held and held != was:
                    self.unticks[entry.kind, record.key, "marks"][name] = Change(held, was or "", self.rule)
            elif not held:
                self._leave_entry(
                    entry, "it was unticked, and a tick would start writing: tick it again yourself", name
                )
            elif name == "mark":
                self._untick(entry.kind, record.key)
            else:
                self._untick_row(record, name.removeprefix("mark:"))

    def _untick_actions(self) -> None:
        for (kind, key, group), changes in self.unticks.items():
            record = self._record((kind, Side.CRM, key))
            partner = self.store.links().partner(kind, Side.CRM, key)
            label = record.label if record else key
            self.actions.append(
                Action(Op.UPDATE, kind, Side.CRM, partner, key, label, changes, group=group, reason=self.rule)
            )

    # -- fields ------------------------------------------------------------------------------------

    def _fields(self, entries: Sequence[HistoryEntry]) -> None:
        written: dict[RecordId, dict[str, _Written]] = defaultdict(dict)
        labels: dict[RecordId, HistoryEntry] = {}
        for entry in entries:
            if entry.side is Side.CRM and any(_is_tick(name) for name in entry.fields):
                self._pushed(entry)
                continue
            target = _written_id(entry)
            if target in self.made:
                continue  # what became of a record the run made is part of its being made
            labels[target] = entry
            for name, (was, held, _rule) in entry.fields.items():
                if isinstance(held, TeamEdit):
                    self._leave_entry(entry, "hours are the sum of Ajera's timesheets: correct them there", name)
                elif isinstance(held, EntryEdit):
                    self._entries(entry, held)
                elif name in written[target]:
                    written[target][name].held = held
                else:
                    written[target][name] = _Written(was, held, entry.bases.get(name))
        for target, fields in written.items():
            self._record_back(target, fields, labels[target])

    def _record_back(self, target: RecordId, fields: Mapping[str, _Written], entry: HistoryEntry) -> None:
        kind, side, key = target
        record, link = self._record(target), self.store.links().of(kind, side, key)
        if record is None:
            self._leave_entry(entry, f"it is not in {side_name(side)} any more")
            return
        if link is None:
            self._leave_entry(entry, "its link was removed since: its fields stay as they are")
            return
        groups: dict[str, dict[str, tuple[Change, Pair]]] = defaultdict(dict)
        base, later = self.store.base(link), self._later(link)
        for name, written in fields.items():
            spec = self.policy.spec(kind, name)
            if spec is None or name not in record.fields:
                self._leave_entry(entry, "it is not in the field map any more, or was not read", name)
            elif (pair := base.get(name)) is not None and pair.note == UNDONE:
                continue  # undone already
            elif name in later or pair is None or self._field_moved(spec, pair, record, written, link):
                self._leave_entry(entry, "changed since: left as it is", name)
            else:
                groups[spec.group][name] = self._back(record, link, name, written)
        for group, found in groups.items():
            self.actions.append(self._restore(link, side, record.label, group, found))

    def _field_moved(self, spec: FieldSpec, pair: Pair, record: Record, written: _Written, link: Link) -> bool:
        side = record.side
        other = self._record((link.kind, side.other, link.key(side.other)))
        if canonical(spec, side, record.fields[spec.name]) != canonical(spec, side, written.held):
            return True
        return self._moved(spec, pair, record) or (other is not None and self._moved(spec, pair, other))

    def _back(self, record: Record, link: Link, name: str, written: _Written) -> tuple[Change, Pair]:
        pair = written.before
        if pair is None:  # they never agreed: as it was found, with the value the other side has
            other = self._record((link.kind, record.side.other, link.key(record.side.other)))
            theirs = other.fields.get(name) if other else None
            pair = Pair(written.was, theirs) if record.side is Side.AJERA else Pair(theirs, written.was)
        return Change(record.fields[name], written.was, self.rule), pair._replace(note=UNDONE)

    def _restore(
        self, link: Link, side: Side, label: str, group: str, found: Mapping[str, tuple[Change, Pair]]
    ) -> Action:
        return Action(
            Op.UPDATE,
            link.kind,
            side,
            link.ajera_key,
            link.crm_key,
            label,
            {name: change for name, (change, _) in found.items()},
            pairs={name: pair for name, (_, pair) in found.items()},
            group=group,
            reason=self.rule,
        )

    # -- lists of contacts -------------------------------------------------------------------------

    def _entries(self, entry: HistoryEntry, edit: EntryEdit) -> None:
        """What was added to a list comes off, what was taken off goes back."""
        side = entry.side or Side.AJERA
        record = self._record((entry.kind, side, _key(entry, side) or ""))
        link = self.store.links().of(entry.kind, side, _key(entry, side) or "")
        if record is None or link is None:
            self._leave_entry(entry, f"it is not in {side_name(side)} or not linked any more", "contacts")
            return
        listed, base = {row.key for row in record.contacts or ()}, self.store.base(link)
        there = {key for key in self._ajera_keys((*edit.add, *edit.remove)) if self._own_key(key, side) in listed}
        off = [key for key in self._ajera_keys(edit.add) if key in there and not _is_undone(base, side, key)]
        back = [key for key in self._ajera_keys(edit.remove) if key not in there and not _is_undone(base, side, key)]
        if not off and not back:
            return
        change = EntryEdit(_refs(back), _refs(off))
        pairs = {f"{list_prefix(side)}{key}": Pair(UNDONE, UNDONE, UNDONE) for key in (*off, *back)}
        self.actions.append(
            Action(
                Op.UPDATE,
                entry.kind,
                side,
                link.ajera_key,
                link.crm_key,
                entry.label,
                {"contacts": Change(None, change, self.rule)},
                pairs=pairs,
                group="contacts",
                reason=self.rule,
            )
        )

    def _own_key(self, contact: str, side: Side) -> str | None:
        """The key that an Ajera contact has in a list of `side`."""
        return contact if side is Side.AJERA else self.store.links().partner(Kind.CONTACT, Side.AJERA, contact)

    def _ajera_keys(self, refs: Iterable[Ref]) -> list[str]:
        keys = (ref.key if ref.side is Side.AJERA else self._partner(ref) for ref in refs)
        return [key for key in keys if key]

    def _record(self, which: RecordId) -> Record | None:
        kind, side, key = which
        return None if which in self.missing else self.store.records(kind, side).get(key)


def inactive_word(kind: Kind, side: Side) -> str | None:
    """The status that a record made by mistake gets: inactive, else closed, else hold, as far as it is ever
    written there (policy.STATUS_WORDS: a project is never closed in Ajera)."""
    words = STATUS_WORDS.get((kind, side), {})
    return words.get("inactive") or words.get("closed") or words.get("hold")


def _key(entry: HistoryEntry, side: Side) -> str | None:
    return entry.ajera_key if side is Side.AJERA else entry.crm_key


def _written_id(entry: HistoryEntry) -> RecordId:
    side = entry.side or Side.AJERA
    return entry.kind, side, _key(entry, side) or ""


def _is_tick(name: str) -> bool:
    return name in ("mark", "template") or name.startswith("mark:")


def _is_undone(base: Base, side: Side, contact: str) -> bool:
    pair = base.get(f"{list_prefix(side)}{contact}")
    return pair is not None and pair.note == UNDONE


def _refs(keys: Iterable[str]) -> tuple[Ref, ...]:
    return tuple(Ref(Kind.CONTACT, Side.AJERA, key) for key in keys)
