"""Planning beside a bare comparison: `python -m tests.bench.bench_plan [PAIRS] [--profile]`.

So many linked pairs of 20 text fields, all in step or one in a hundred changed, planned as a whole (as after an upgrade
or on the daily sweep), beside two loops over the same values in the same process: `equal` asks each pair of dictionaries
whether they are the same, `by field` compares the fields one by one. Least CPU of several rounds.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import pstats
import time
from collections.abc import Callable, Mapping

from core.model.link import Base, Link, Links, Pair
from core.model.plan import Direction, Mode
from core.model.record import Record
from core.model.values import FieldType, Kind, Side
from core.policy import FieldSpec, Owner, Policy
from core.ports import Connection
from core.reconcile.planner import plan
from core.reconcile.situation import Situation
from tests.bench.table import head, row

FIELDS = 20
Values = Mapping[str, str]


def policy() -> Policy:
    specs = tuple(
        FieldSpec(Kind.FIRM, f"field{n}", f"Field {n}", FieldType.TEXT, Owner.SHARED, f"Col{n}", f"Prop{n}", "Overview")
        for n in range(FIELDS)
    )
    return Policy(fields={kind: specs if kind is Kind.FIRM else () for kind in Kind})


def sides(pairs: int, changed: int) -> tuple[list[Values], list[Values], list[Values]]:
    """Each pair's values in Ajera, in the CRM, and as they were agreed on. Read apart, so no text is the same object."""
    ajera = [{f"field{n}": f"value {n} of {at}" for n in range(FIELDS)} for at in range(pairs)]
    crm = [{f"field{n}": f"value {n} of {at}" for n in range(FIELDS)} for at in range(pairs)]
    base = [{f"field{n}": f"value {n} of {at}" for n in range(FIELDS)} for at in range(pairs)]
    for at in range(0, pairs, 100)[:changed]:
        crm[at]["field3"] = "typed anew"
    return ajera, crm, base  # type: ignore[return-value] # dictionaries of text


def situation(ajera: list[Values], crm: list[Values], base: list[Values]) -> Situation:
    pairs = range(len(base))
    links = [Link(Kind.FIRM, f"a{at}", f"c{at}") for at in pairs]
    bases: dict[str, Base] = {
        f"firm:a{at}": {name: Pair(value, base[at][name]) for name, value in base[at].items()} for at in pairs
    }
    records = {
        (Kind.FIRM, Side.AJERA): {f"a{at}": Record(Kind.FIRM, Side.AJERA, f"a{at}", f"Firm {at}", fields=ajera[at]) for at in pairs},
        (Kind.FIRM, Side.CRM): {
            f"c{at}": Record(Kind.FIRM, Side.CRM, f"c{at}", f"Firm {at}", fields=crm[at], marked=True) for at in pairs
        },
    }  # fmt: skip
    return Situation(
        mode=Mode(Direction.TWO_WAY, "8.10", ""),
        policy=policy(),
        now="2026-03-02T15:00:00Z",
        ajera=Connection(Side.AJERA, version="8.10"),
        crm=Connection(Side.CRM),
        records=records,
        links=Links(
            {(Kind.FIRM, link.ajera_key): link for link in links}, {(Kind.FIRM, link.crm_key): link for link in links}
        ),
        bases=bases,
    )


def equal(ajera: list[Values], crm: list[Values], base: list[Values]) -> int:
    return sum(a != b or c != b for a, c, b in zip(ajera, crm, base, strict=True))


def by_field(ajera: list[Values], crm: list[Values], base: list[Values]) -> int:
    moved = 0
    for a, c, b in zip(ajera, crm, base, strict=True):
        for name, agreed in b.items():
            if a[name] != agreed or c[name] != agreed:
                moved += 1
    return moved


def least(act: Callable[[], object], rounds: int = 5) -> float:
    taken = []
    for _ in range(rounds):
        gc.collect()
        began = time.process_time()
        act()
        taken.append(time.process_time() - began)
    return min(taken) * 1000


def measure(pairs: int, changed: int, profile: bool) -> None:
    given = sides(pairs, changed)
    s = situation(*given)
    made = plan(s)
    assert len(made.actions) == changed == by_field(*given), (len(made.actions), changed)
    one, other = least(lambda: equal(*given)), least(lambda: by_field(*given))
    ours = least(lambda: plan(s))
    row("a bare comparison, dictionary by dictionary", one, None, "ms")
    row("a bare comparison, field by field", other, None, "ms")
    row("planning all of it", ours, None, "ms")
    row("times the bare comparison field by field", ours / other, 4)
    row("times the bare comparison dictionary by dictionary", ours / one, 4)
    if profile:
        tool = cProfile.Profile()
        tool.runcall(plan, s)
        pstats.Stats(tool).sort_stats("tottime").print_stats(30)


def main() -> None:
    asks = argparse.ArgumentParser()
    asks.add_argument("pairs", type=int, nargs="?", default=50_000)
    asks.add_argument("--profile", action="store_true")
    given = asks.parse_args()
    for changed in (0, given.pairs // 100):
        head(f"planning {given.pairs:,} pairs of {FIELDS} fields, {changed:,} changed")
        measure(given.pairs, changed, given.profile)


if __name__ == "__main__":
    main()
