"""Links, bases, marks and decisions: what the program itself remembers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from core.model.values import Kind, Side, Value


class LinkState(StrEnum):
    """`active`: kept in step. `dormant`: unticked or closed, nothing is written. `gone`: one side's
    record was deleted; the other carries this tombstone and is never matched by itself again."""

    ACTIVE = "active"
    DORMANT = "dormant"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Link:
    """Two keys that are the same entity. One to one: the store refuses a second link of a key."""

    kind: Kind
    ajera_key: str
    crm_key: str
    state: LinkState = LinkState.ACTIVE
    reason: str = ""
    since: str = ""
    gone_side: Side | None = None

    @property
    def id(self) -> str:
        return f"{self.kind}:{self.ajera_key}"

    def key(self, side: Side) -> str:
        return self.ajera_key if side is Side.AJERA else self.crm_key


class Pair(NamedTuple):
    """One field as each side stood when the sides agreed. `note` says why the halves may differ
    ("rewritten by crm"), `undone` that an undo put it back and a person must decide."""

    ajera: Value
    crm: Value
    note: str = ""

    def half(self, side: Side) -> Value:
        return self.ajera if side is Side.AJERA else self.crm


Base = Mapping[str, Pair]
"""The base of a link: field name → pair. `contact:<ajera key>` marks a list entry we added."""


@dataclass(frozen=True, slots=True)
class Mark:
    """An operator's tick made here. `project` is set for a contact ticked on a project's row.

    `pushed`: the system that owns the tick holds it by now. `local`: no system has a column for
    it, it is kept here only. `template` is the Ajera project template chosen with a project.
    """

    kind: Kind
    side: Side
    key: str
    on: bool
    project: str | None = None
    template: str | None = None
    pushed: bool = False
    local: bool = False
    at: str = ""

    @property
    def id(self) -> str:
        return f"{self.kind}:{self.side}:{self.key}:{self.project or ''}"


class Choice(StrEnum):
    """What an operator decided about a candidate."""

    LINK = "link"
    CREATE = "create"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Decision:
    """An operator's standing answer.

    For candidates: `choice` about `key` of `side` (and `partner`, the other side's key). For
    conflicts, differences and drift: `field` and `take`, a side or a typed value.
    """

    kind: Kind
    side: Side
    key: str
    choice: Choice | None = None
    partner: str | None = None
    field: str | None = None
    take: Side | None = None
    value: Value = None
    seen: tuple[Value, Value] | None = None
    at: str = ""

    @property
    def id(self) -> str:
        return f"{self.kind}:{self.side}:{self.key}:{self.field or ''}:{self.partner or ''}"


@dataclass(frozen=True, slots=True)
class Links:
    """All links of one moment with their two indexes."""

    by_ajera: Mapping[tuple[Kind, str], Link] = field(default_factory=dict)
    by_crm: Mapping[tuple[Kind, str], Link] = field(default_factory=dict)

    def of(self, kind: Kind, side: Side, key: str) -> Link | None:
        index = self.by_ajera if side is Side.AJERA else self.by_crm
        return index.get((kind, key))

    def unlinked(self, kind: Kind, side: Side, keys: Iterable[str]) -> list[str]:
        """Those of the keys that have no link, in order."""
        index = self.by_ajera if side is Side.AJERA else self.by_crm
        return sorted(key for key in keys if (kind, key) not in index)

    def with_(self, links: Iterable[Link]) -> Links:
        """The links as they are with these among them."""
        new = tuple(links)
        if not new:
            return self
        return Links(
            {**self.by_ajera, **{(link.kind, link.ajera_key): link for link in new}},
            {**self.by_crm, **{(link.kind, link.crm_key): link for link in new}},
        )

    def partner(self, kind: Kind, side: Side, key: str) -> str | None:
        """The other side's key, for links that are alive (active or dormant)."""
        link = self.of(kind, side, key)
        return link.key(side.other) if link and link.state is not LinkState.GONE else None
