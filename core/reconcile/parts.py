"""The plan while it is being made."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from core.model.plan import Action, Candidate, Item, Refusal
from core.model.values import Kind, Side


@dataclass
class Parts:
    """The plan while it is being made."""

    actions: list[Action] = field(default_factory=list)
    items: dict[str, list[Item]] = field(default_factory=lambda: defaultdict(list))
    candidates: list[Candidate] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    coming: dict[tuple[Kind, Side, str], str] = field(default_factory=dict)
