"""What a front end is shown: plain values made from the store, the same for screens and JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from core.model.link import Pair
from core.model.plan import Candidate, Item, Mode, Refusal
from core.model.values import Kind, Side, Value
from core.ports import HistoryEntry, RunRecord

STATES = (
    "unmarked",
    "pending",
    "in_step",
    "changed",
    "conflict",
    "candidate",
    "difference",
    "error",
    "refused",
    "dormant",
    "gone",
    "not_tickable",
)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a hub: a linked pair, or a record that is on one side only.

    `state` is one of STATES, `reason` says why in words. `extra` holds the hub's other columns
    (status, type, client, manager, email, phone, city, owner, template, side …) as text.
    """

    kind: Kind
    label: str
    ajera_key: str | None
    crm_key: str | None
    marked: bool
    linked: bool
    state: str
    reason: str = ""
    last_error: str | None = None
    firm_key: str | None = None
    number: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """`c:<CRM key>`, or `a:<Ajera key>` while the record is in Ajera only."""
        return f"c:{self.crm_key}" if self.crm_key else f"a:{self.ajera_key}"

    @property
    def side(self) -> Side:
        """The side a tick of this row is kept on."""
        return Side.CRM if self.crm_key else Side.AJERA

    @property
    def key(self) -> str:
        return self.crm_key or self.ajera_key or ""


@dataclass(frozen=True, slots=True)
class FieldView:
    """One field on a tab. `mark` is same, differs, conflict, difference, drift, one_side or stopped."""

    name: str
    label: str
    tab: str
    owner: str
    type: str
    crm: Value
    ajera: Value
    crm_text: str
    ajera_text: str
    mark: str
    base: Pair | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class ContactView:
    """One contact row of a firm's or project's Contacts tab. `refusal` says why it cannot be ticked."""

    crm_key: str | None
    ajera_key: str | None
    label: str
    title: str
    email: str
    phone: str
    role: str
    primary: bool
    marked: bool
    state: str
    reason: str = ""
    refusal: str | None = None
    kept_here: bool = False


@dataclass(frozen=True, slots=True)
class TeamView:
    """One row of the Team tab; hours as each side has them."""

    employee: str
    role: str
    crm_hours: str
    ajera_hours: str
    start: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class TemplateChoice:
    """One entry of the Ajera Project Template list; `refusal` where Ajera has no such template."""

    text: str
    refusal: str | None = None


@dataclass(frozen=True, slots=True)
class Detail:
    """Everything the tabs of one record show.

    `cap` is the Ajera Sync cap of its contacts, None for none. `ajera_flags` are SyncToCRM and
    CreateInCRM of a project. `brought_by` names the projects that pull this record along.
    """

    row: Row
    fields: tuple[FieldView, ...]
    contacts: tuple[ContactView, ...] = ()
    cap: int | None = None
    template: str | None = None
    templates: tuple[TemplateChoice, ...] = ()
    default_template: str | None = None
    team: tuple[TeamView, ...] = ()
    projects: tuple[tuple[str, str], ...] = ()
    ajera_flags: Mapping[str, bool] = field(default_factory=dict)
    brought_by: tuple[str, ...] = ()
    items: tuple[Item, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    history: tuple[HistoryEntry, ...] = ()
    read_at: str = ""
    kept_here: bool = False


@dataclass(frozen=True, slots=True)
class ErrorView:
    """One entry of the error queue (interface.md 3)."""

    id: str
    kind: Kind
    side: Side
    key: str
    label: str
    op: str
    message: str
    tries: int
    next_try: str | None
    at: str


@dataclass(frozen=True, slots=True)
class Marked:
    """The outcome of a tick: what changed, and what was refused with the reason."""

    changed: tuple[str, ...] = ()
    refused: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class PairView:
    """A row of a file of pairs, and what taking it over would do: `state` is new, known or refused, `reason` why.

    `ajera` and `crm` are the records' labels, blank where the record is not known here.
    """

    kind: str
    ajera_key: str
    crm_key: str
    ajera: str = ""
    crm: str = ""
    state: str = "new"
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Touched:
    """When a record was last saved in its own system (ISO, blank where that is not told), and by whom."""

    at: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run is: `phase` is pulling, planning, applying or idle; `done` of `total` and what now.

    In a status also "elsewhere": another program's run, which tells no more than its id and start.
    """

    phase: str = "idle"
    done: int = 0
    total: int = 0
    now: str = ""
    run: str | None = None
    since: str = ""


class Later(Mapping[str, Mapping[str, int]]):
    """Figures that are worked out when they are first looked at: the header shows a status each second, these never."""

    def __init__(self, make: Callable[[], Mapping[str, Mapping[str, int]]]) -> None:
        self._make = make

    @cached_property
    def _made(self) -> Mapping[str, Mapping[str, int]]:
        return self._make()

    def __getitem__(self, name: str) -> Mapping[str, int]:
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._made)

    def __len__(self) -> int:
        return len(self._made)


@dataclass(frozen=True, slots=True)
class Status:
    """The state of the whole program (interface.md 3, `status --json`)."""

    version: str
    mode: Mode | None
    enabled: bool
    cron: str
    timezone: str
    paused: bool
    next_runs: tuple[str, ...]
    running: Progress | None
    last_run: RunRecord | None
    last_good: str | None
    stale: bool
    stale_reason: str
    queues: Mapping[str, int]
    counts: Mapping[str, Mapping[str, int]]
    held_by: str | None
    company: str = ""
    health: Mapping[str, Any] = field(default_factory=dict)
