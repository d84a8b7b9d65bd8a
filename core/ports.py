"""What the engine asks of the world: two systems, a store, a clock.

Adapters implement these; the engine, the kernel and the tests know nothing else of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Protocol

from core.model.link import Base, Decision, Link, Links, Mark
from core.model.plan import Action
from core.model.record import Entry, Naming, Record, TeamRow
from core.model.values import Kind, Side, Value

# -- systems -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Connection:
    """What a system said of itself when it was asked at connect time.

    `mark_columns`: which ticks it has a column for: "firm", "contact", "project",
    "project_contact", "template" (CRM); "project" (Ajera). `limits`: longest text per field.
    `stopped`: fields that cannot be used, with the reason (missing, read-only). `codes`:
    descriptions a coded field may hold. `templates`: project template texts. `captions`: the
    tenant's own label of a field. `takes_project_contacts`: rows of a project's contact list
    can be read and written (a switch: no public path is documented). `autonumbers`: kinds the system numbers itself (a setting; no
    API tells). `clock_offset`: seconds its clock is ahead of ours. `states` and `countries`: spellings of places,
    without case, and the code that each stands for.
    """

    side: Side
    version: str | None = None
    company: str = ""
    mark_columns: frozenset[str] = frozenset()
    limits: Mapping[tuple[Kind, str], int] = field(default_factory=dict)
    stopped: Mapping[tuple[Kind, str], str] = field(default_factory=dict)
    codes: Mapping[tuple[Kind, str], tuple[str, ...]] = field(default_factory=dict)
    templates: tuple[str, ...] = ()
    flat_templates: frozenset[str] = frozenset()
    captions: Mapping[tuple[Kind, str], str] = field(default_factory=dict)
    autonumbers: frozenset[Kind] = frozenset()
    takes_project_contacts: bool = False
    clock_offset: float | None = None
    warnings: tuple[str, ...] = ()
    states: Mapping[str, str] = field(default_factory=dict)
    countries: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pulled:
    """The answer to "what changed since": records, the new cursor, and whether it was everything."""

    kind: Kind
    side: Side
    records: tuple[Record, ...]
    cursor: str
    whole: bool


@dataclass(frozen=True, slots=True)
class Draft:
    """A record to be made on `side`. References are already that side's own keys.

    `key` is the key the client chooses where the side takes one. `source` names the record of the
    other side it is made from, for the marker that lets it be found again.
    """

    kind: Kind
    side: Side
    label: str
    fields: Mapping[str, Value]
    number: str = ""
    template: str | None = None
    key: str | None = None
    source: tuple[Side, str] | None = None


@dataclass(frozen=True, slots=True)
class Hours:
    """Hours of one employee on one project: to date within the window asked for."""

    project: str
    employee: str
    role: str
    hours: Decimal
    first: date


UNFINISHED = "unfinished"  # in a record's extra: what a new record went without, in words for the log
KNOWN_FOR = 3600.0  # seconds that logins, metadata and code tables are taken as known


class Shelf(Protocol):
    """Where an adapter keeps answers that hardly change (metadata, code tables), so that the next program need not
    ask again. What is lost from it costs requests, nothing else."""

    def get(self, name: str) -> tuple[Any, float] | None:
        """The JSON value put under that name for the same system, and its age in seconds."""
        ...

    def put(self, name: str, value: Any) -> None: ...


class System(Protocol):
    """One of the two systems. Every call may raise core.errors.SystemFailure and its children."""

    side: Side

    @property
    def requests(self) -> int:
        """Requests sent since the program started, logins included."""
        ...

    async def connect(self, max_age: float = KNOWN_FOR) -> Connection:
        """Log in and read what mappings need: version, metadata, code tables, templates. What is known and
        younger than `max_age` seconds is not asked for again."""
        ...

    async def pull(self, kind: Kind, cursor: str | None) -> Pulled:
        """What changed since `cursor`; everything when it is None. Proves its own date filter:
        raises ListNotTrusted where the filter is ignored or answers empty falsely."""
        ...

    async def keys(self, kind: Kind) -> frozenset[str]:
        """All keys of a kind, over a provably whole list."""
        ...

    async def get(self, kind: Kind, keys: Sequence[str]) -> dict[str, Record]:
        """The records of these keys as they are now; a missing key is left out."""
        ...

    async def namesakes(self, draft: Draft) -> list[Record]:
        """Records that bear the draft's key, name or number now (asked before a create)."""
        ...

    async def create(self, draft: Draft) -> Record:
        """Make the record and read it back. A lost answer is OutcomeUnknown, never repeated here."""
        ...

    async def update(self, before: Record, changes: Mapping[str, Value]) -> Record:
        """Write only these fields to the record as just read; the record as the system holds it then.

        `changes` may hold "mark" (bool) and "template" (text) beside mapped fields, and "contacts"
        (EntryEdit) and "team:<n>" (TeamEdit).
        """
        ...

    async def close(self) -> None: ...


Children = tuple[tuple[Entry, ...] | None, tuple[TeamRow, ...]]
"""A project's contacts (None where their rows do not say who they are) and its team."""


class Listing(Protocol):
    """What only the CRM has: a project's contacts and team are rows of their own."""

    async def children(self, keys: Sequence[str]) -> dict[str, Children]:
        """By project key; projects that are not there are left out."""
        ...


@dataclass(frozen=True, slots=True)
class Reread:
    """`records` by key, those left out whose row is the very same as before; `prints` of their rows, where it can be
    told what they hold."""

    records: Mapping[str, Record]
    prints: Mapping[str, str]


class Rereading(Protocol):
    """What only Ajera has: rows so large that telling their bytes alike is quicker than reading them."""

    async def reread(self, kind: Kind, keys: Sequence[str], known: Mapping[str, str], of: str) -> Reread:
        """The records of these keys as `get` gives them, but for those whose row has the print in `known`. `of` names
        whatever else the caller makes of a record: prints made with another one are others."""
        ...


class Accounting(Protocol):
    """What only Ajera has: money and hours (sync-rules 8)."""

    async def totals(self, key: str) -> Mapping[str, Value]:
        """The fifteen Ajera Totals of a project by field name; one that is not proven is left out."""
        ...

    async def hours(self, since: date, until: date) -> list[Hours]:
        """Hours per project, employee and role between two days, both included."""
        ...


# -- store ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far one kind of one side was read. `whole`: the records kept are the complete list.
    `counted` is how many a sweep last found, `swept` when (ISO)."""

    side: Side
    kind: Kind
    value: str = ""
    whole: bool = False
    counted: int | None = None
    swept: str = ""

    @property
    def id(self) -> str:
        return f"{self.side}:{self.kind}"


@dataclass(frozen=True, slots=True)
class Intent:
    """A write about to be sent, kept until its outcome is known (oracles 6, sync-rules 7).

    `namesakes` are the keys that bore the name or number before a create. `draft_key` is the key
    chosen by us.
    """

    id: str
    run: str
    action: Action
    at: str
    namesakes: tuple[str, ...] = ()
    draft_key: str | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """An action that failed, with its count and its next try. `content` identifies what was refused:
    after 8 tries, or for a content refusal, it waits until that changes or a person says retry."""

    id: str
    kind: Kind
    side: Side
    key: str
    label: str
    op: str
    group: str
    message: str
    tries: int
    next_try: str | None
    content: str
    at: str


@dataclass(frozen=True, slots=True)
class OpenItem:
    """A queue entry that is open: its JSON as in the plan, and since when."""

    id: str
    queue: str  # conflict, candidate, difference, drift, refused
    body: Mapping[str, Any]
    since: str


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run as the history keeps it. `trigger`: schedule, hand, command, undo."""

    id: str
    started: str
    finished: str = ""
    trigger: str = "hand"
    outcome: str = "running"
    counts: Mapping[str, int] = field(default_factory=dict)
    requests: Mapping[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    digest: str = ""
    message: str = ""
    mode: str = ""


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One thing done to one record: what changed, from what to what, by which rule.

    `fields` maps a name to (from, to, rule). `lost` maps a field to the value an automatic choice
    overwrote. `bases` are the pairs before, so that the run can be undone.
    """

    id: str
    run: str
    at: str
    op: str
    kind: Kind
    side: Side | None
    ajera_key: str | None
    crm_key: str | None
    label: str
    fields: Mapping[str, tuple[Value, Value, str]] = field(default_factory=dict)
    lost: Mapping[str, Value] = field(default_factory=dict)
    bases: Base = field(default_factory=dict)
    outcome: str = "done"
    message: str = ""


class Transaction(Protocol):
    """Writes that land together or not at all."""

    def put_records(self, records: Iterable[Record]) -> None: ...
    def put_prints(self, kind: Kind, side: Side, prints: Mapping[str, str]) -> None:
        """By key, the print of the row that each record was made from, as this transaction leaves it."""
        ...

    def drop_record(self, kind: Kind, side: Side, key: str) -> None: ...
    def put_link(self, link: Link) -> None:
        """Raises ActionRefused if either key already has another link."""
        ...

    def drop_link(self, link: Link) -> None: ...
    def put_base(self, link: Link, base: Base) -> None:
        """Replaces the named fields' pairs; other fields of the base stay."""
        ...

    def drop_base(self, link: Link, fields: Iterable[str] | None = None) -> None: ...
    def put_mark(self, mark: Mark) -> None: ...
    def drop_mark(self, mark_id: str) -> None: ...
    def put_decision(self, decision: Decision) -> None: ...
    def drop_decision(self, decision_id: str) -> None: ...
    def replace_items(self, queue: str, items: Iterable[OpenItem]) -> None: ...
    def put_cursor(self, cursor: Cursor) -> None: ...
    def put_intent(self, intent: Intent) -> None: ...
    def drop_intent(self, intent_id: str) -> None: ...
    def put_failure(self, failure: Failure) -> None: ...
    def drop_failure(self, failure_id: str) -> None: ...
    def put_run(self, run: RunRecord) -> None: ...
    def add_history(self, entries: Iterable[HistoryEntry]) -> None: ...
    def put_setting(self, name: str, value: Any) -> None: ...
    def setting(self, name: str, default: Any = None) -> Any:
        """As this transaction leaves it; the store's own shows it as before."""
        ...

    def put_plan(self, digest: str, body: Mapping[str, Any]) -> None: ...


class Store(Protocol):
    """The program's memory. Reads are from memory and cheap; writes go through a transaction."""

    def transaction(self) -> AbstractContextManager[Transaction]: ...
    def refresh(self) -> frozenset[str]:
        """Take in what another program wrote since; the names of the tables that changed."""
        ...

    def records(self, kind: Kind, side: Side) -> Mapping[str, Record]: ...
    def record(self, kind: Kind, side: Side, key: str) -> Record | None:
        """One record; reads no other."""
        ...

    def scan(self, kind: Kind, side: Side) -> Iterator[Record]:
        """All records of a kind and side, each read and let go; nothing is kept in memory."""
        ...

    def leafing(self, kind: Kind, side: Side) -> Callable[[str], Record | None]:
        """What reads records by key, one after the other, quickest in the order of their keys; nothing is kept."""
        ...

    def leafing_bases(self, kind: Kind) -> Callable[[str], Base]:
        """The same of bases, by the link's id; empty where the sides never agreed."""
        ...

    def keys(self, kind: Kind, side: Side) -> frozenset[str]:
        """The keys of all records of a kind and side; reads no record."""
        ...

    def prints(self, kind: Kind, side: Side, keys: Sequence[str]) -> Mapping[str, str]:
        """By key, the print of the row that a record was made from, where nothing has changed the record since."""
        ...

    def link(self, kind: Kind, side: Side, key: str) -> Link | None:
        """The link of one key; reads no other."""
        ...

    def count(self) -> int:
        """How many records of both systems there are."""
        ...

    def scan_links(self) -> Iterator[Link]: ...
    def moved(self, since: int) -> tuple[int, Sequence[tuple[str, str]] | None]:
        """A number to ask with next time, and table and id (as in the store's file) of what was put or taken away
        after `since`; None where that cannot be told. What other programs wrote is taken in first."""
        ...

    def view(self, name: str) -> Any:
        """A JSON object made from the rest of the store and kept ready; None where there is none."""
        ...

    def put_views(self, views: Mapping[str, Mapping[str, Any]], seen: int) -> None:
        """Keep such objects; they hold for the number `seen` of `moved`."""
        ...

    def names(self, kind: Kind, side: Side) -> Naming:
        """Which records of a kind and side name a firm or contact of that side; makes no record for it."""
        ...

    def revision(self, tables: Iterable[str]) -> str:
        """A text that is another one whenever a document of these tables was put or taken away, by whatever program.
        Tables: records:KIND:SIDE, bases:KIND, links, marks, decisions, items, cursors, intents, failures."""
        ...

    def links(self) -> Links: ...
    def let_go(self) -> None:
        """Give back the memory of records, bases and links that were read whole. What was handed out stays as it is."""
        ...

    def linked_kinds(self) -> frozenset[Kind]:
        """The kinds that have a link; reads none."""
        ...

    def base(self, link: Link) -> Base: ...
    def bases(self, kind: Kind) -> Mapping[str, Base]:
        """All bases of a kind by link id."""
        ...

    def marks(self) -> Mapping[str, Mark]: ...
    def decisions(self) -> Mapping[str, Decision]: ...
    def items(self, queue: str | None = None) -> Sequence[OpenItem]: ...
    def cursor(self, kind: Kind, side: Side) -> Cursor: ...
    def intents(self) -> Sequence[Intent]: ...
    def failures(self) -> Mapping[str, Failure]: ...
    def runs(self, limit: int = 200) -> Sequence[RunRecord]:
        """Newest first."""
        ...

    def run(self, run_id: str) -> RunRecord | None: ...
    def history_of_run(self, run_id: str) -> Sequence[HistoryEntry]: ...
    def history_of(self, kind: Kind, side: Side, key: str, limit: int = 200) -> Sequence[HistoryEntry]:
        """Newest first."""
        ...

    def setting(self, name: str, default: Any = None) -> Any: ...
    def plan(self, digest: str) -> Mapping[str, Any] | None: ...
    def prune(self, keep_runs: int, keep_days: int, now: datetime) -> int:
        """Drop history older than both bounds; the number of runs dropped."""
        ...

    def close(self) -> None: ...


class Clock(Protocol):
    """Time as a port: tests move it."""

    def now(self) -> datetime:
        """Aware, UTC."""
        ...

    def monotonic(self) -> float: ...

    async def sleep(self, seconds: float) -> None: ...


class Lock(Protocol):
    """A lock that dies with its process. Two of them: the run lock and the schedule lease."""

    def acquire(self) -> bool:
        """True when taken now or already ours; never waits."""
        ...

    def release(self) -> None: ...

    def held(self) -> bool:
        """Whether this object holds it."""
        ...

    def holder(self) -> str | None:
        """Who holds it, in words (program, pid, host, since), or None when it is free."""
        ...
