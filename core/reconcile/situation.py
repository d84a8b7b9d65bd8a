"""Everything a plan is made from, as one value. Same situation, same plan (law 1)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from core.model.link import Base, Decision, Links, Mark
from core.model.plan import Mode
from core.model.record import Naming, Record, names_of
from core.model.values import Kind, Side
from core.policy import ACCOUNTING_GROUPS, FieldSpec, Policy
from core.ports import Connection
from core.reconcile.instep import InStep
from core.reconcile.normalize import host_of, name_key, phone, plain_text

RecordId = tuple[Kind, Side, str]
Alike = Callable[[str, Sequence[str], float], Iterable[tuple[str, float]]]
"""The names of a list that are at least so much (0 to 1) like a name, each with its likeness."""


def equal_only(name: str, names: Sequence[str], _floor: float) -> Iterable[tuple[str, float]]:
    """Used where no fuzzy matcher is given."""
    return ((each, 1.0) for each in names if each == name)


class Group(Mapping[str, tuple[Record, ...]]):
    """Records by a text they bear. Keys are held, and records are asked for as somebody looks at them."""

    def __init__(self, records: Mapping[str, Record], text: Callable[[Record], str]) -> None:
        self._records = records
        self._keys: dict[str, list[str]] = defaultdict(list)
        for key in records:
            if found := text(records[key]):
                self._keys[found].append(key)

    def __getitem__(self, text: str) -> tuple[Record, ...]:
        return tuple(self._records[key] for key in self._keys.get(text, ()))  # none bears it: an empty one

    def __contains__(self, text: object) -> bool:
        return text in self._keys

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)


class Pool:
    """The records of one kind on one side, with the indexes that matching needs, made when asked."""

    def __init__(self, records: Mapping[str, Record]) -> None:
        self.records = records

    @cached_property
    def by_name(self) -> Group:
        return Group(self.records, lambda record: name_key(record.name))

    @cached_property
    def names(self) -> Sequence[str]:
        return tuple(self.by_name)

    @cached_property
    def by_number(self) -> Group:
        return Group(self.records, number_key)

    @cached_property
    def by_email(self) -> Group:
        return Group(self.records, email_key)


def naming_of(records: Iterable[Record]) -> Naming:
    groups: dict[tuple[Kind, str], list[str]] = defaultdict(list)
    for record in records:
        for named in names_of(record):
            groups[named].append(record.key)
    return {named: tuple(keys) for named, keys in groups.items()}


def text_of(record: Record, name: str) -> str:
    value = record.fields.get(name)
    return plain_text(value) if isinstance(value, str) else ""


def number_key(record: Record) -> str:
    return plain_text(record.number).casefold()


def email_key(record: Record) -> str:
    return text_of(record, "email").casefold()


def evidence(record: Record) -> Mapping[str, str]:
    """What besides the name tells a firm: e-mail, web site, phone, postal code; blank ones left out."""
    address = record.fields.get("address")
    found = {
        "e-mail": email_key(record),
        "web site": host_of(text_of(record, "website")),
        "phone": phone(text_of(record, "phone")) or "",
        "postal code": plain_text(getattr(address, "zip", "") or "").casefold(),
    }
    return {name: value for name, value in found.items() if value}


@dataclass(frozen=True)
class Situation:
    """One moment: both sides as last seen, what the program remembers, and the rules.

    `gone`: records whose absence was confirmed key by key. `whole`: lists known to be complete.
    `unsettled`: records named by a journal intent without outcome. `touched`: what moved since the
    last plan was applied and whatever waits, None to look at everything. `names`: who names whom
    (core.model.record.Naming), where it is known without going over all records. `first`: kinds in their first, hand-started
    run. `newest` tells which of two records changed last, None where the clocks cannot tell.
    """

    mode: Mode
    policy: Policy
    now: str
    ajera: Connection
    crm: Connection
    records: Mapping[tuple[Kind, Side], Mapping[str, Record]]
    links: Links = field(default_factory=Links)
    bases: Mapping[str, Base] = field(default_factory=dict)
    marks: Mapping[str, Mark] = field(default_factory=dict)
    decisions: Mapping[str, Decision] = field(default_factory=dict)
    gone: frozenset[RecordId] = frozenset()
    whole: frozenset[tuple[Kind, Side]] = frozenset()
    unsettled: frozenset[RecordId] = frozenset()
    touched: frozenset[RecordId] | None = None
    scheduled: bool = False
    first: frozenset[Kind] = frozenset()
    previous_mode: Mode | None = None
    since: Mapping[str, str] = field(default_factory=dict)
    alike: Alike = equal_only
    newest: Callable[[Record, Record], Side | None] = lambda _ajera, _crm: None
    names: Callable[[Kind, Side], Naming] | None = None

    def of(self, kind: Kind, side: Side) -> Mapping[str, Record]:
        return self.records.get((kind, side), {})

    def record(self, kind: Kind, side: Side, key: str) -> Record | None:
        return self.of(kind, side).get(key)

    def connection(self, side: Side) -> Connection:
        return self.ajera if side is Side.AJERA else self.crm

    @cached_property
    def pools(self) -> Mapping[tuple[Kind, Side], Pool]:
        return {(kind, side): Pool(self.of(kind, side)) for kind in Kind for side in Side}

    @cached_property
    def merged_fields(self) -> Mapping[Kind, tuple[FieldSpec, ...]]:
        """The fields of a kind that are kept in step. A contact's firm goes by the client's list instead (entries.py);
        money and dates are off before 8.09 (sync-rules 1)."""
        return {
            kind: tuple(
                spec
                for spec in self.policy.active_fields(kind)
                if spec.name != "firm"
                and not spec.create_only
                and not (self.mode.one_way and kind is Kind.PROJECT and spec.group in ACCOUNTING_GROUPS)
            )
            for kind in self.policy.fields
        }

    @cached_property
    def in_step(self) -> Mapping[Kind, InStep]:
        return {kind: InStep(specs) for kind, specs in self.merged_fields.items()}

    def naming(self, kind: Kind, side: Side, of: Kind, key: str) -> Sequence[str]:
        """Keys of the records of a kind and side that name a firm or contact of that side."""
        names = self.names(kind, side) if self.names is not None else self._all_names[kind, side]
        return names.get((of, key), ())

    @cached_property
    def _all_names(self) -> Mapping[tuple[Kind, Side], Naming]:
        return {(kind, side): naming_of(self.of(kind, side).values()) for kind in Kind for side in Side}
