"""A stateful machine over the real engine (Hypothesis): people and faults in any order, then rest, then the laws.

What people type is a counter of its own for each field and never the name of the record, so a value that comes from an
older version, or from another record, is seen. A fault is a fraction of a run and a kind: it keeps its meaning when an
example is made smaller. The oracle is the ledger of what was typed over what (V3), the two systems' own data and their
own logs (V1, V4, V5, V9), and a last run that has nothing to do (V2).
"""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter
from collections.abc import Coroutine
from contextlib import suppress
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
)

from core.errors import AjerasyncError
from core.model.values import Kind, Side
from tests.engine import randoms
from tests.engine.faults import (
    ENDS,
    REPLACED,
    TRIGGER,
    Died,
    Line,
    Point,
    bury,
    found_again,
    no_deletes,
    recover,
    start_again,
    thawed,
    traced,
    untold,
)
from tests.engine.faultworld import Frozen, files, put_files
from tests.engine.kit import TEMPLATE_CODE, ajera_client, ajera_project, crm_contact, crm_firm, crm_project
from tests.engine.programs import scratch

FAULTS = (
    "die_before", "die_after", "connect", "lost", "session_dies", "429", "500", "html", "truncated", "down", "403",
    "full", "torn_log", "503_after", "html_after", "409", "stale", "empty", "half", "repeated", "one_missing",
)  # fmt: skip
CRASHES = ("die_before", "die_after", "lost", "truncated", "html_after", "503_after")
FIELDS = {
    ("firm", "crm"): ("WebSite",),
    ("firm", "ajera"): ("Website", "PrimaryAddressCity"),
    ("contact", "crm"): ("Title", "CellPhone"),
    ("contact", "ajera"): ("Title", "SecondaryPhoneNumber"),
}
TABLES = {Kind.FIRM: ("clients", "firm"), Kind.CONTACT: ("contacts", "contact"), Kind.PROJECT: ("projects", "project")}
ONE_OF = st.sampled_from(["ajera", "crm"])
LONGEST_JUMP = 3 * 24 * 60  # minutes


@lru_cache(maxsize=1)
def beginning() -> Frozen:
    """An office in step: what every example starts from."""
    root = Path(scratch())
    try:
        return asyncio.run(randoms.office_in_step(root))
    finally:
        shutil.rmtree(root)


class Aim(Line):
    """Strikes once, at the first point from a fraction of the run on where that kind of fault can be. `near`: only
    writes and commits are counted."""

    def __init__(self) -> None:
        super().__init__()
        self.after, self.counted = 0, 0
        self.near = self.struck = False

    def aim(self, after: int, kind: str, *, near: bool) -> None:
        self.after, self.kind, self.near, self.struck = after, kind, near, False
        self.points, self.counted, self.on = [], 0, True

    def passed(self, point: Point) -> str:
        super().passed(point)
        if self.on and (point.write or point.where == "store" or not self.near):
            self.counted += 1
            if not self.struck and self.counted > self.after and self.kind in point.kinds:
                self.struck = True
                return self.kind
        return ""


class Machine(RuleBasedStateMachine):
    """Rules are what people and faults do; `teardown` rests and judges."""

    firms: Bundle[str] = Bundle("firms")  # names: never edited, and there once on each side
    people: Bundle[str] = Bundle("people")

    def __init__(self) -> None:
        super().__init__()
        start = beginning()
        self.root = Path(scratch())
        self.line = Aim()
        self.loop = asyncio.new_event_loop()
        self.world = thawed(start, self.root / "state", self.line)
        self.count = 0
        self.points = 40  # of the last run
        self.typed: list[str] = []
        self.over: set[str] = set()
        self.gone: set[str] = set()
        self.backups: list[dict[str, bytes]] = [start.store]
        self.sweep = False
        self.forgot = False  # the store is older than the world, so what a run did may be in no history

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    def version(self, field: str) -> str:
        self.count += 1
        return f"{field.lower()}{self.count}.example" if "site" in field.lower() else f"+1 512 55 {10000 + self.count}"

    # -- who is there --------------------------------------------------------------------------------

    @initialize(target=firms)
    def first_firms(self) -> Any:
        return multiple("Acme Supplies", "Borough of Kent")

    @initialize(target=people)
    def first_people(self) -> Any:
        return multiple("Archer", "Cole")

    def ajera_key(self, kind: Kind, name: str) -> int | None:
        column = "Description" if kind is Kind.FIRM else "LastName"
        rows = self.world.ajera.tables[TABLES[kind][0]].items()
        return next((key for key, row in rows if row[column] == name), None)

    def crm_key(self, kind: Kind, name: str) -> str | None:
        column = "Name" if kind is Kind.FIRM else "LastName"
        rows = self.world.crm.tables[TABLES[kind][1]].items()
        return next((key for key, row in rows if row[column] == name), None)

    # -- people ----------------------------------------------------------------------------------------

    @rule(target=firms, in_crm=st.booleans())
    def new_firm(self, in_crm: bool) -> str:
        self.count += 1
        name = f"Firm number {self.count}"
        if in_crm:
            crm_firm(self.world.crm, name, AjeraSync="Y", WebSite=self.note("", "WebSite"))
        else:
            key = ajera_client(self.world.ajera, name, Website=self.note("", "Website"))
            self.do(self.run())  # the program has to have seen it before it can be ticked
            with suppress(AjerasyncError):
                self.world.service.mark(Kind.FIRM, [str(key)], True, side=Side.AJERA)
        return name

    @rule(target=people, firm=firms)
    def new_person(self, firm: str) -> str:
        self.count += 1
        name = f"Person{self.count}"
        if at := self.crm_key(Kind.FIRM, firm):
            crm_contact(self.world.crm, "Pat", name, at, AjeraSync="Y", Title=self.note("", "Title"))
        return name

    @rule(target=people, firm=firms, mailbox=st.sampled_from(["one@shared.example", "two@shared.example"]))
    def one_mailbox(self, firm: str, mailbox: str) -> str:
        """Somebody in each system, of one surname and one mailbox and yet not one person."""
        self.count += 1
        name = f"Twin{self.count}"
        if at := self.crm_key(Kind.FIRM, firm):
            crm_contact(self.world.crm, "Kim", name, at, AjeraSync="Y", Email=mailbox)
            for first in ("Kit", "Kip"):
                self.world.ajera.insert("contacts", {"FirstName": first, "LastName": name, "Email": mailbox})
            self.gone.add(name)
        return name

    @rule(firm=firms, from_crm=st.booleans())
    def new_project(self, firm: str, from_crm: bool) -> None:
        self.count += 1
        ajera, crm = self.ajera_key(Kind.FIRM, firm), self.crm_key(Kind.FIRM, firm)
        if from_crm and crm:
            crm_project(self.world.crm, f"27.{self.count}", "Job", crm, AjeraSync="Y", ProjectTemplate=TEMPLATE_CODE)
        if not from_crm and ajera is not None:
            ajera_project(self.world.ajera, f"28.{self.count}", "Bridge", ajera, CreateInCRM=True)

    @rule(person=people, what=st.sampled_from(["make_poison", "delete_and_restore", "rename_key", "tick", "untick"]))
    def odd(self, person: str, what: str) -> None:
        getattr(self, what)(person)

    def make_poison(self, person: str) -> None:
        """Somebody whom Ajera refuses: another of that very name is there already, unknown to the program."""
        if self.ajera_key(Kind.CONTACT, person) is None:
            who = {"FirstName": "Pat", "LastName": person, "Email": "another@else.example"}
            self.world.ajera.insert("contacts", who)
            self.gone.add(person)  # two people of one name from now on

    @rule(
        name=firms,
        other=people,
        edits=st.lists(st.tuples(ONE_OF, st.booleans(), st.integers(0, 1)), min_size=1, max_size=4),
    )
    def work(self, name: str, other: str, edits: list[tuple[str, bool, int]]) -> None:
        """A few edits of one firm and one person, on either side, before anything runs."""
        for side, of_firm, which in edits:
            self.edit(Kind.FIRM if of_firm else Kind.CONTACT, name if of_firm else other, side, which)

    def edit(self, kind: Kind, name: str, side: str, which: int) -> None:
        fields = FIELDS[kind.value, side]
        field = fields[which % len(fields)]
        if side == "ajera":
            ours = self.ajera_key(kind, name)
            if ours is not None:
                before = self.world.ajera.tables[TABLES[kind][0]][ours].get(field)
                self.world.ajera.edit(TABLES[kind][0], ours, {field: self.note(before, field)})
        elif theirs := self.crm_key(kind, name):
            before = self.world.crm.tables[TABLES[kind][1]][theirs][field]
            self.world.crm.edit(TABLES[kind][1], theirs, {field: self.note(before, field)})

    def note(self, before: object, field: str) -> str:
        """Something new is typed over what stands there."""
        self.world.clock.forward(minutes=1)
        value = self.version(field)
        self.typed.append(value)
        self.over.add(str(before or ""))
        return value

    @rule(person=consumes(people))
    def delete(self, person: str) -> None:
        if key := self.crm_key(Kind.CONTACT, person):
            row = self.world.crm.tables["contact"][key]
            self.over |= {str(row[name]) for name in FIELDS["contact", "crm"]}
            self.world.crm.delete("contact", key)
            self.gone.add(person)
            self.sweep = True

    def delete_and_restore(self, person: str) -> None:
        """A record goes away, a run may or may not see it, and it is back under its key."""
        if key := self.crm_key(Kind.CONTACT, person):
            row = self.world.crm.tables["contact"][key].full()
            self.world.crm.delete("contact", key)
            if self.count % 2:
                self.do(self.run(sweep=True))
            left_out = ("Mod", "Create", "ContactID")
            again = {n: v for n, v in row.items() if not n.startswith(left_out)}
            self.world.crm.insert("contact", again, key=key)
            self.sweep = True

    def rename_key(self, person: str) -> None:
        """The CRM gives a record another key: for us one is gone and another is there."""
        if key := self.crm_key(Kind.CONTACT, person):
            row = self.world.crm.tables["contact"][key].full()
            self.world.crm.delete("contact", key)
            left_out = ("Mod", "Create", "ContactID")
            self.world.crm.insert("contact", {n: v for n, v in row.items() if not n.startswith(left_out)})
            self.sweep = True

    @rule(one=consumes(people), other=people)
    def merge_two(self, one: str, other: str) -> None:
        """The first is found to be the second: it goes, the second takes what the first had."""
        first, second = self.crm_key(Kind.CONTACT, one), self.crm_key(Kind.CONTACT, other)
        if first and second and first != second:
            row = self.world.crm.tables["contact"][first]
            before = self.world.crm.tables["contact"][second]["Title"]
            self.over |= {str(before), *(str(row[name]) for name in FIELDS["contact", "crm"])} - {str(row["Title"])}
            self.world.crm.edit("contact", second, {"Title": row["Title"]})
            self.world.crm.delete("contact", first)
            self.gone.add(one)
            self.sweep = True

    def tick(self, person: str) -> None:
        if key := self.crm_key(Kind.CONTACT, person):
            self.world.crm.edit("contact", key, {"AjeraSync": "Y"})

    def untick(self, person: str) -> None:
        if key := self.crm_key(Kind.CONTACT, person):
            self.world.crm.edit("contact", key, {"AjeraSync": "N"})

    # -- the program -----------------------------------------------------------------------------------

    async def run(self, **how: Any) -> None:
        with suppress(AjerasyncError):
            await self.world.service.run(trigger=TRIGGER, **how)

    @rule()
    def sync(self) -> None:
        self.world.clock.forward(minutes=1)
        self.do(self.run(sweep=self.sweep))

    @rule(fraction=st.floats(0, 1, exclude_max=True), kind=st.sampled_from(FAULTS))
    def sync_with_a_fault(self, fraction: float, kind: str) -> None:
        self.struck(int(fraction * self.points), kind, near=False)

    @rule(nth=st.integers(0, 12), kind=st.sampled_from(CRASHES))
    def sync_and_die(self, nth: int, kind: str) -> None:
        """Around a write or a commit, where half of all mistakes are made."""
        self.struck(nth, kind, near=True)

    @rule(
        nth=st.integers(0, 12),
        kind=st.sampled_from(CRASHES),
        name=firms,
        other=people,
        side=ONE_OF,
        of_firm=st.booleans(),
    )
    def die_and_type_on(self, nth: int, kind: str, name: str, other: str, side: str, of_firm: bool) -> None:
        """As before, but people go on before the program is started again."""
        self.struck(nth, kind, near=True)
        self.edit(Kind.FIRM if of_firm else Kind.CONTACT, name if of_firm else other, side, 0)

    def struck(self, after: int, kind: str, *, near: bool) -> None:
        self.world.clock.forward(minutes=1)
        self.line.aim(after, kind, near=near)
        with suppress(Died, AjerasyncError):
            self.do(self.world.service.run(trigger=TRIGGER))
        self.do(bury())
        self.points = max(10, len(self.line.points))
        self.line.heal()
        if self.line.struck and (kind in ENDS or after % 2 == 0):
            self.start_again(found_again(kind, files(self.world.folder), self.backups[-1]))
            self.forgot = self.forgot or kind in REPLACED

    def start_again(self, kept: dict[str, bytes]) -> None:
        self.world.service.store.close()
        put_files(self.world.folder, kept)
        self.world.locks.clear()
        start_again(self.world)

    @rule(what=st.sampled_from(["kill", "back up", "yesterday's copy"]))
    def between_runs(self, what: str) -> None:
        """What was saved is there after a kill; an older store leads to matches and questions (V16)."""
        now = found_again("", files(self.world.folder), {})
        if what == "back up":
            self.backups.append(now)
            return
        self.start_again(now if what == "kill" else self.backups[-1])
        self.forgot = self.forgot or what != "kill"

    @rule()
    def plan(self) -> None:
        """Looking writes nothing (V12)."""
        before = self.world.writes()
        with suppress(AjerasyncError):
            self.do(self.world.service.make_plan())
        assert self.world.writes() == before, "V12: a plan wrote"

    @rule(side=st.sampled_from(["ajera", "crm"]))
    @precondition(lambda self: self.world.service.conflicts())
    def resolve(self, side: str) -> None:
        item = self.world.service.conflicts()[0]
        with suppress(AjerasyncError):
            self.world.service.resolve(item.id, side)
            self.over |= {str(item.ajera), str(item.crm)} - {str(item.ajera if side == "ajera" else item.crm)}

    @precondition(lambda self: self.count > 4)
    @rule(which=st.integers(0, 4))
    def undo(self, which: int) -> None:
        runs = self.world.service.runs()
        if runs:
            with suppress(AjerasyncError):
                self.do(self.world.service.undo(runs[which % len(runs)].id))

    @rule(minutes=st.integers(-LONGEST_JUMP, LONGEST_JUMP))
    def clock_jump(self, minutes: int) -> None:
        """The program's clock alone: the servers have their own."""
        self.world.clock.skew = timedelta(minutes=minutes)

    # -- laws ------------------------------------------------------------------------------------------

    @invariant()
    def nothing_is_there_twice(self) -> None:
        """V4."""
        for rows, column in (
            (self.world.ajera.tables["clients"], "Description"),
            (self.world.crm.tables["firm"], "Name"),
        ):
            twice = {name for name, n in Counter(str(row[column]) for row in rows.values()).items() if n > 1}
            assert not twice, twice
        for tables in (self.world.ajera.tables, self.world.crm.tables):
            table = "contacts" if tables is self.world.ajera.tables else "contact"
            names = Counter(str(row["LastName"]) for row in tables[table].values())
            twice = {name for name, n in names.items() if n > 1} - self.gone
            assert not twice, twice

    @invariant()
    def nothing_is_deleted(self) -> None:
        """V5."""
        assert no_deletes(self.world)

    def teardown(self) -> None:
        try:
            self.do(self.rest())
            self.judge()
        finally:
            self.world.service.store.close()
            self.do(bury())
            self.loop.close()
            shutil.rmtree(self.root, ignore_errors=True)

    async def rest(self) -> None:
        """No more edits and no more faults."""
        self.line.heal()
        self.world.clock.forward(hours=1)
        await recover(self.world, sweep=True)
        before = self.world.writes()
        await self.world.run(trigger=TRIGGER)
        assert self.world.writes() == before, "V2: a run with nothing to do wrote"

    def judge(self) -> None:
        wrong = {
            "V1, apart": untold(self.world),
            "V3, lost": self.lost(),
            "V9, of no action": [] if self.forgot else traced(self.world),
            "unsettled": self.unsettled(),
        }
        assert not any(wrong.values()), {law: what for law, what in wrong.items() if what}

    def unsettled(self) -> list[str]:
        """Intents that nobody is asked about: one that a person typed over waits with its conflict."""
        service = self.world.service
        asked = {(each.kind, each.crm_key) for each in service.conflicts()}
        asked |= {(each.kind, each.ajera_key) for each in service.conflicts()}
        open_ones = (intent.action for intent in service.store.intents())
        return [
            f"{action.op} {action.label}: {sorted(action.fields)}"
            for action in open_ones
            if not {(action.kind, action.crm_key), (action.kind, action.ajera_key)} & asked
        ]

    def lost(self) -> list[str]:
        """Typed values that are on no side and that nobody typed over."""
        held = {
            str(value)
            for tables in (self.world.ajera.tables, self.world.crm.tables)
            for rows in tables.values()
            for row in rows.values()
            for value in row.values()
        }
        return [value for value in self.typed if value not in held and value not in self.over]
