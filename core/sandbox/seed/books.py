"""Timesheets of the last weeks, and the running totals of projects and phases.

About a third of Ajera's projects have timesheets; their hours and labor totals are the sum of those. The rest of the
projects under way carry labor as opening balances, without hours, as books taken over from another program do.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from random import Random
from typing import Any

from core.sandbox.ajera.data import AjeraData
from core.sandbox.seed.to_ajera import CENT, workday
from core.sandbox.seed.world import Employee, Project, World

WEEKS = 10
#: Enough to look at; more would make a large seed slow and shows nothing new.
MOST_TIMED_PROJECTS = 400
OPEN = frozenset({"Active", "Preliminary", "Hold", "BillingHold"})


def write_books(data: AjeraData, world: World, rng: Random, today: date) -> None:
    """Hours first, then what was spent, billed and received of each project."""
    staff = [e for e in world.employees if e.on_ajera and not e.terminated]
    projects = [p for p in world.projects if p.on_ajera]
    timed = [p for p in projects if p.ajera_status in OPEN and p.billing != "Marketing"][::2][:MOST_TIMED_PROJECTS]
    for project in timed if staff else ():
        _post(data, project, staff, rng, today)
    for project in projects:
        _balance(data, project, rng, opening=project not in timed)


def _post(data: AjeraData, project: Project, staff: list[Employee], rng: Random, today: date) -> None:
    phases = list(data.children["phases"].get(project.ajera_key, ()))
    team = rng.sample(staff, min(len(staff), rng.randrange(1, 4)))
    activity = min(data.tables["activities"], default=None)
    for employee in team:
        for _ in range(rng.randrange(1, 4)):
            hours = Decimal(rng.randrange(2, 33)) / 4
            day = workday(rng, today, WEEKS)
            data.post_time(employee.ajera_key, project.ajera_key, rng.choice(phases), day, hours, activity)


def _balance(data: AjeraData, project: Project, rng: Random, *, opening: bool) -> None:
    totals = data.totals_of(project.ajera_key)
    done = Decimal(project.percent) / 100
    labor = Decimal(totals["Spent Labor"])
    cost_labor = Decimal(totals["Cost Labor"])
    if opening and project.labor:
        labor = (project.labor * done).quantize(CENT)
        cost_labor = (labor / 3).quantize(CENT)
    changes: dict[str, Any] = {}
    spent = {
        "Labor": labor,
        "Expense": (project.expense * done).quantize(CENT),
        "Consultant": (project.consultant * done).quantize(CENT),
    }
    billed_share = Decimal(rng.randrange(40, 96)) / 100
    paid_share = Decimal(rng.randrange(50, 101)) / 100
    for kind, amount in spent.items():
        billed = (amount * billed_share).quantize(CENT)
        cost = cost_labor if kind == "Labor" else (amount * 9 / 10).quantize(CENT)
        changes |= {f"Spent {kind}": amount, f"Cost {kind}": cost, f"Billed {kind}": billed}
        changes |= {f"WIP {kind}": amount - billed, f"Receipts {kind}": (billed * paid_share).quantize(CENT)}
    for family in ("Spent", "Cost", "Billed", "WIP", "Receipts"):
        changes[family] = sum((changes[f"{family} {kind}"] for kind in spent), Decimal(0))
    changes["Receivable Balance"] = changes["Billed"] - changes["Receipts"]
    data.edit("totals", project.ajera_key, changes)
