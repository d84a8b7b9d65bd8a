# ruff: noqa: T201
"""Rows of the table that `make bench` prints: what, its goal, what was measured, how many times the goal."""

from __future__ import annotations

import statistics
from collections.abc import Sequence


def head(title: str) -> None:
    print(f"\n{title}\n  {'':<56}{'goal':>10}{'measured':>11}{'x goal':>8}")


def row(
    name: str, measured: float, goal: float | None = None, unit: str = "", note: str = "", *, more: bool = False
) -> None:
    """One line. `x goal` of 1 or less means that the goal is met. `more`: the goal is the least and not the most."""
    wanted = "" if goal is None else f"{goal:g} {unit}".strip()
    ratio = "" if goal is None else f"{goal / measured if more else measured / goal:.2f}"
    print(f"  {name:<56}{wanted:>10}{f'{measured:.4g} {unit}'.strip():>11}{ratio:>8}  {note}".rstrip(), flush=True)


def absent(name: str, why: str) -> None:
    """A line without a figure: what could not be measured here, and why."""
    print(f"  {name:<56}{'':>10}{'-':>11}{'':>8}  {why}", flush=True)


def middle(taken: Sequence[float]) -> float:
    return statistics.median(taken)
